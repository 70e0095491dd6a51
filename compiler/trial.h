/* trial.h - one test of a spec, run through the vm that runs in production: what came out, as data.
 *
 *   struct test (dsl/spec.h) -trial_run-> passed, or why not: a sentence, or the fields and lines that differ */
#ifndef COMPILER_TRIAL_H
#define COMPILER_TRIAL_H
#include "dsl/spec.h"
#include "vm/vm.h"

struct trial_difference {
    struct str field;
    size_t line;                       /* of a list: from 1; 0: the field itself */
    const char *expected, *got;        /* as JSON, a link as "ref customers(...)", or in words */
    struct trial_difference *next;
};
struct trial {
    const struct test *test;
    bool ok;
    const char *why;                   /* what went otherwise than expected, when it is no difference of fields; else NULL */
    struct trial_difference *differences;
};
/* The image is that of the test's spec. Everything lives in the arena. */
struct trial *trial_run(const struct test *t, const struct image *im, struct vm *vm, struct arena *a);
/* The row that `given` describes, in the columns of a flow of an image: absent where nothing is given, at the scale of the column. */
struct value *trial_row(const struct test *t, const struct image_flow *f, struct arena *a);
#endif
