/* cover.h - which branches of a spec its tests reach: arms, both sides of ??, conditions, rows of tables.
 *
 *   struct compile -cover_new-> items, and for each the condition under which it is reached, compiled as a program of its own
 *   struct test    -cover_test-> runs those programs over the test's row and counts
 *
 * The programs are made for tests only: the image that mlcd runs has none, and its code is not changed by being measured. A branch that sits behind
 * a reject of the same row, or of an earlier field, is not reached; the arguments of a fn count as computed when it is called. */
#ifndef COMPILER_COVER_H
#define COMPILER_COVER_H
#include "compiler/compile.h"

enum cover_kind {
    COVER_FLOW,            /* a row is mapped at all */
    COVER_ARM,
    COVER_LEFT,            /* of ??: the value is there */
    COVER_RIGHT,           /* of ??: it is absent */
    COVER_TRUE, COVER_FALSE,   /* of a condition: `when`, or an operand of `and` and `or` */
    COVER_ROW,             /* of a table written out in the spec */
    COVER_HIT,             /* of a table from a file: some key of it */
    COVER_MISS             /* a key that the table lacks: its else, or absent */
};
struct cover_item {
    enum cover_kind kind;
    struct span at;
    struct str where;      /* "customers.Credit_Status", "fn owed", "table terms" */
    const char *what;      /* in words: "the arm `CreditHold => \"On hold\"`" */
    bool unmeasured;       /* its condition passes a limit of the image: neither reached nor missed */
    unsigned hits;
    struct cover_item *next;
};
struct cover;
/* Of a spec whose image was made; lives in the compilation's arena. cover_free only gives back the machine that runs the programs. */
struct cover *cover_new(struct compile *c, const struct image *im);
void cover_test(struct cover *cv, const struct test *t, struct arena *scratch);
void cover_free(struct cover *cv);

struct cover_sum { size_t branches, reached, unmeasured; unsigned tenths; /* of a percent, rounded down; 1000 without any branch */ };
struct cover_sum cover_sum(const struct cover *cv);
/* The branches that no test reached, by place; n of them, in the arena of the compilation. */
struct cover_item **cover_missed(const struct cover *cv, size_t *n);
const char *cover_kind_name(enum cover_kind k);      /* "arm", "left of ??", ... */
#endif
