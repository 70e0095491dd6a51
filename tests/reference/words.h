/* words.h - the second table of builtins, see words.c and words_more.c. */
#ifndef TESTS_REFERENCE_WORDS_H
#define TESTS_REFERENCE_WORDS_H
#include "tests/reference/reference.h"

typedef struct ref_value ref_word_fn(struct ref *r, const struct ref_value *a, size_t n);
struct ref_word { const char *name; ref_word_fn *fn; unsigned optional; /* bit i: runs although argument i is absent; else the result is absent */ };
extern const struct ref_word ref__words[];       /* ends with a name of NULL */
/* A number without decimals, cut to what counts. */
int64_t ref__whole(const struct ref_value *v);
#endif
