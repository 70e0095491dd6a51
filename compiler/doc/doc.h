/* doc.h - mlc doc: the data dictionary of a spec, for people who keep the books and not the program.
 *
 *   struct compile (checked, lowered) -doc_write-> Markdown, or HTML in one file: systems, flows with every field, tables, functions, examples */
#ifndef COMPILER_DOC_DOC_H
#define COMPILER_DOC_DOC_H
#include "compiler/compile.h"

/* The spec has no errors, and its image was made. */
void doc_write(const struct compile *c, bool html, struct buf *out);
#endif
