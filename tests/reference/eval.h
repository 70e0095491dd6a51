/* eval.h - what the evaluator's two files share: finding what a name means (names.c) and walking (eval.c). */
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
struct ref_value ref__literal(struct arena *a, const struct ast *n);
/* AST_LET of the flow, AST_FN of the file, table; NULL when there is none of the name. */
const struct ast *ref__let(const struct ref *r, struct str name);
const struct ast_fn *ref__fn(const struct ref *r, struct str name);
const struct ref_table *ref__table(const struct ref *r, struct str name);
/* Decimals of a number's type: what it has as text. fn: whose body this is, or NULL. */
unsigned ref__decimals(const struct ref *r, const struct ast *n, const struct ast_fn *fn);
#endif
