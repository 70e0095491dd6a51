/* words.h - an expression as a sentence for people who do not read expressions. */
#ifndef COMPILER_DOC_WORDS_H
#define COMPILER_DOC_WORDS_H
#include "compiler/doc/page.h"
#include "dsl/spec.h"

struct words { struct page *p; const struct flow *flow; const struct each *each; const struct fn *fn; };
/* What a field gets. */
void words_rule(struct words *w, const struct tx *x);
/* A yes/no expression: "`CreditLimit` is more than 0". */
void words_condition(struct words *w, const struct tx *x);
/* “Net 30”, 12.50, yes, nothing. */
void words_value(struct page *p, const struct value *v);
/* "text of at most 50 characters, may be absent" */
void words_type(struct page *p, const struct type *t);
/* "15 minutes", "day" for every ...; milliseconds. */
void words_period(struct page *p, int64_t ms);
void words_duration(struct page *p, int64_t ms);      /* the same, but "1 day" */
/* The phrase of a builtin, or NULL: for the test that all have one. */
const char *words_of_builtin(unsigned b);
#endif
