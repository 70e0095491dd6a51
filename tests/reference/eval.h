/* eval.h - what the evaluator's files share: finding what a name means (names.c), walking (eval.c), lines, keys and events (eval_more.c). */
#ifndef TESTS_REFERENCE_EVAL_H
#define TESTS_REFERENCE_EVAL_H
#include "tests/reference/reference.h"

struct ref_table {
    struct str name;
    struct str *keys;
    struct ref_value *values;
    size_t n;
    unsigned decimals;               /* most of any value */
    bool has_else;
    struct ref_value otherwise;
    struct ref_table *next;
};
struct frame { const struct ast_fn *fn; const struct ast_call *call; const struct frame *up; };
struct run {
    struct ref *r;
    const struct ref_row *row;
    enum ref_outcome outcome;        /* other than REF_VALUE: on the way out */
    struct str message;
    struct str field;                /* under way */
    unsigned misses;
};
struct ref_value ref__eval(struct run *x, const struct ast *n, const struct frame *fr);
/* A column of the row, or of `lines`, with its default. */
struct ref_value ref__column(struct run *x, struct str name);
struct ref_value ref__leave(struct run *x, enum ref_outcome how, struct str why);
struct ref_value ref__link(struct run *x, const struct ast_list *parts, struct str flow);
struct ref_value ref__each(struct run *x, const struct ast_each *n);
/* line.COLUMN, or NAME.first and NAME.last. */
struct ref_value ref__member(struct run *x, const struct ast_member *n, const struct frame *fr);
struct ref_value ref__literal(struct arena *a, const struct ast *n);
/* AST_LET of the lines under way or of the flow, AST_FN of the file, table; NULL when there is none of the name. *inner: it is one of the lines'. */
const struct ast *ref__let(const struct ref *r, struct str name, bool *inner);
const struct ast_fn *ref__fn(const struct ref *r, struct str name);
const struct ref_table *ref__table(const struct ref *r, struct str name);
/* Decimals of a number's type: what it has as text. fn: whose body this is, or NULL. */
unsigned ref__decimals(const struct ref *r, const struct ast *n, const struct ast_fn *fn);
/* The variable of the lines under way: `line` in line.ItemCode. */
bool ref__is_line(const struct ref *r, const struct ast *n);
const struct column *ref__line_column(const struct ref *r, struct str name);
#endif
