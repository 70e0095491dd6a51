/* format.h - the canonical layout of a spec, `mlc fmt`. Idempotent, and the tree of the result equals the tree of the input. */
#ifndef DSL_FORMAT_H
#define DSL_FORMAT_H
#include "dsl/diag.h"

#define FORMAT_WIDTH 120               /* characters of a line before it is broken; comments do not count */

/* Appends the formatted text. False, and nothing appended, when the source has syntax errors (they are in ds then). */
bool format_source(const struct source *src, struct arena *a, struct diags *ds, struct buf *out);
#endif
