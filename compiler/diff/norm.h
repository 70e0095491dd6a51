/* norm.h - normal forms of compiled rules, so that `mlc diff` compares what programs mean and not how they were written.
 *
 *   instructions -norm_flow-> one decision diagram per field, filter and adopt rule -norm_compare-> same, or paths on which they part
 *
 *   diagram   a leaf (what the rule gives) or a question about one term with one child per cell of its values:
 *             text    absent | these constants, sorted | any other        number, date, yes/no    absent | intervals, in order
 *   term      a column, constant, sum of products, builtin call, table look-up, ... over diagrams; all interned, so that equal is one pointer
 *
 * On every path the questions come in the order of their terms' numbers, neighbouring cells with one child are one, impossible cells are gone:
 * order of conditions, match arms and operands leave no trace. Two rules with one diagram do the same; two diagrams may still do the same.
 * The diagrams of both versions of a flow live in one struct norm and share columns by name. */
#ifndef COMPILER_DIFF_NORM_H
#define COMPILER_DIFF_NORM_H
#include "code/image.h"

enum term_kind {
    TERM_CONST,       /* value */
    TERM_ABSENT,
    TERM_KEEP,
    TERM_REJECT,      /* value: the message */
    TERM_OUT,         /* the rule is not asked: the filter or another field's reject took the row away */
    TERM_JUNK,        /* never looked at */
    TERM_COLUMN,      /* name, type */
    TERM_SUM,         /* monos */
    TERM_TEXT,        /* args[0] as text, numbers with `index` decimals */
    TERM_CONCAT,      /* args */
    TERM_CALL,        /* index: builtin; args */
    TERM_TABLE,       /* table at args[0] */
    TERM_LINK,        /* name: what is looked up where; args */
    TERM_EACH,        /* name: the list field whose lines are made; absent when there is none. What a line is made of is compared by itself */
    TERM_SAME,        /* args[0] equals args[1], both present: as a number 0 or 1 */
    TERM_FORM,        /* whole-numbered linear form of monos: what a comparison of numbers asks about */
    TERM_OP           /* index: opcode; args: what was too large to be looked into */
};
struct dd;
struct mono { struct term **atoms; size_t n; struct value coef; };
struct term {
    enum term_kind kind;
    uint32_t id;
    uint8_t base;                      /* enum type_base of its present values */
    uint8_t scale;                     /* numbers: a value is a whole number of 10^-scale */
    bool maybe;                        /* it can be absent; as a leaf it always stands for its present value */
    struct type type;                  /* COLUMN: what both versions admit */
    struct value value;
    struct str name;
    unsigned index;
    const struct image_table *table;
    struct dd **args; size_t nargs;
    struct mono *monos; size_t nmonos;
};
struct cell { struct str text; i128 from; struct dd *to; };        /* text: that constant; else: from here to the next cell */
struct dd {
    uint32_t id;
    bool leaf;
    struct term *term;                 /* the leaf, or what is asked */
    struct dd *absent;                 /* NULL when the term is never absent */
    struct cell *cells; size_t ncells;
    struct dd *rest;                   /* text only */
};
struct norm_slot { uint64_t key; const unsigned char *bytes; size_t n; void *what; };
struct norm {
    struct arena *arena;
    struct norm_slot *slots; size_t nslots, used;
    uint32_t nterms, ndds, serial;
    size_t steps, narrowings; bool full;   /* too large: what comes back is TERM_JUNK */
    struct dd *yes, *no, *absent, *keep, *out, *junk;
};
enum { NORM_STEPS = 3000000, NORM_NARROWINGS = 300000 /* of one comparison, ten times as many of a flow */ };
#define NORM_LOWEST (-((i128)1 << 126))      /* below every number that a value can be */

/* Everything lives in the arena. */
void norm_init(struct norm *u, struct arena *a);

/* ---- terms and leaves (norm_term.c) ---- */
struct term *norm_term(struct norm *u, const struct term *proto);        /* interned */
struct dd *norm_leaf(struct norm *u, struct term *t);
struct dd *norm_const(struct norm *u, const struct value *v);            /* absent and yes/no too */
struct dd *norm_reject(struct norm *u, struct str message);
/* The diagram of a term that is there (sure), or may be absent. */
struct dd *norm_value(struct norm *u, struct term *t, bool sure);
/* Looks bytes up; NULL, and then norm_put takes them. */
void *norm_get(struct norm *u, struct str bytes);
void norm_put(struct norm *u, struct str bytes, void *what);

/* ---- diagrams (norm_dd.c) ---- */
enum { CELL_ABSENT = -1, CELL_REST = -2 };
struct part { struct term *var; struct cell *cells; size_t n; };         /* a partition of a term's values; `to` is not used */
/* The coarsest partition that is as fine as those of all diagrams that ask about var first. */
struct part norm_part(struct norm *u, struct term *var, struct dd *const *f, size_t n);
/* f where var is in a cell of the partition. */
struct dd *norm_cofactor(struct dd *f, const struct part *p, int cell);
/* The diagram that asks about var; children may ask about any term. */
struct dd *norm_case(struct norm *u, struct term *var, struct dd *absent, const struct cell *cells, size_t n, struct dd *rest);
struct dd *norm_ite(struct norm *u, struct dd *c, struct dd *a, struct dd *b);
struct dd *norm_and(struct norm *u, struct dd *a, struct dd *b);
struct dd *norm_or(struct norm *u, struct dd *a, struct dd *b);
struct dd *norm_not(struct norm *u, struct dd *a);
typedef struct dd *norm_leaf_fn(struct norm *u, struct term *const *t, size_t n, const void *ctx);
enum { NORM_LIFT_MAX = 8 };
/* Applies a function of values to diagrams, leaf by leaf; NULL when that would make too many leaves (the caller makes a TERM_OP). */
struct dd *norm_lift(struct norm *u, struct dd *const *f, size_t n, norm_leaf_fn *fn, const void *ctx);
/* f where it is present; what it is elsewhere does not matter. */
struct dd *norm_present(struct norm *u, struct dd *f);
/* The term that f asks about first, NULL for a leaf. */
static inline struct term *norm_top(const struct dd *f) { return f->leaf ? NULL : f->term; }

/* ---- numbers (norm_sum.c); a, b are present numbers; NULL when it does not fit: the caller makes a TERM_OP ---- */
struct term *norm_add(struct norm *u, struct term *a, struct term *b, bool minus);
struct term *norm_mul(struct norm *u, struct term *a, struct term *b);
enum norm_order { ORDER_EQ, ORDER_LT, ORDER_LE, ORDER_GT, ORDER_GE };
/* a against b, both present numbers, dates, or times of one kind; a diagram of yes and no. */
struct dd *norm_order(struct norm *u, enum norm_order op, struct term *a, struct term *b);
/* The same number with the fewest decimals. */
struct value norm_number(const struct value *v);

/* ---- programs (norm_run.c, norm_op.c) ---- */
struct norm_field {
    struct dd *rule;                       /* OUT where it is not asked; NULL: the program never decides it by itself */
    struct str *messages; size_t nmessages;/* its own rejects */
    const struct image_table **tables; size_t ntables;
};
struct norm_flow {                         /* of a flow, or of what makes the lines of one field */
    bool usable;                           /* false: too large, or an instruction that this program does not know; fields that are have no rule */
    struct dd *reach;                      /* lines: where the flow comes to them */
    struct dd *when, *adopt, *key, *into;  /* adopt, key, into NULL: none; a key of one's own */
    struct norm_field *fields;             /* per field of the flow */
    struct norm_flow *lines;               /* per list site; a column X of a line of list L is called L.X */
};
/* other: the flow's other version, or NULL: columns are looked at where both versions admit them. instead: per table of the image the one to take
 * for it (NULL: itself), or NULL. */
void norm_flow(struct norm *u, const struct image *im, const struct image_flow *fl, const struct image_flow *other, const struct image_table *const *instead,
               struct norm_flow *out);
/* "L.X" */
struct str norm_line_column(struct arena *a, struct str list, struct str column);
/* A program as bytes that do not depend on the rest of its image: equal bytes do the same. Of the columns, those from `header` on are a line's. */
void norm_program(const struct image *im, const struct image_flow *fl, const struct image_program *p, size_t header, struct buf *out);

/* ---- comparing (norm_compare.c) ---- */
struct decision { const struct part *part; int cell; };
struct norm_path { struct decision *steps; size_t n; };
enum norm_verdict { NORM_SAME, NORM_MESSAGE /* only texts of rejects */, NORM_PARTS };
/* f where these questions have these answers. */
struct dd *norm_narrow(struct norm *u, struct dd *f, const struct decision *known, size_t n);
/* Every part of f as it looks behind the questions before it. */
struct dd *norm_tidy(struct norm *u, struct dd *f);
/* OUT on either side is not compared. Fills up to `most` paths on which the two part. */
enum norm_verdict norm_compare(struct norm *u, struct dd *a, struct dd *b, struct norm_path *paths, size_t most, size_t *npaths);

/* The diagram as people read it, on one line: `match CustomerStatus { "T" => false, else => true }`. */
void norm_print(struct buf *out, const struct dd *f);
/* A table by its content: entries and else value, as terms and programs name it. */
void norm_put_table(struct buf *b, const struct image_table *t);
#endif
