/* diag_print.h - the forms in which diagnostics are printed: private to diag_print.c (text, json) and diag_ci.c (sarif, github, junit). */
#ifndef DSL_DIAG_PRINT_H
#define DSL_DIAG_PRINT_H
#include "dsl/diag.h"

void diag__print_one(const struct diag *d, bool color, struct buf *out);
void diag__print_sarif(struct diags *ds, bool color, struct buf *out);
void diag__print_github(struct diags *ds, bool color, struct buf *out);
void diag__print_junit(struct diags *ds, bool color, struct buf *out);
#endif
