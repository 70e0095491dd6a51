/* print.h - what print.c and print_data.c share. */
#ifndef COMPILER_DIFF_PRINT_H
#define COMPILER_DIFF_PRINT_H
#include "compiler/diff/diff.h"

struct diff_counts { size_t all, of[DIFF_CATEGORIES], approved; };
void print__count(const struct diff *d, struct diff_counts *c);
const char *print__verdict(const struct diff_finding *f);    /* "DIFFERENT", "UNDECIDED", "" */
void print__json(const struct diff *d, const struct approvals *ap, struct buf *out);
void print__sarif(const struct diff *d, struct buf *out);
#endif
