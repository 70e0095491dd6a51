/* generate.h - random specs that the checker should accept: one flow of the `file` system with columns of every type, tables, fns, lets, a filter,
 * and fields whose declared types are exactly what the generator proves about their expressions, so that the proofs are leaned on.
 *
 *   seed -generate-> text of spec.mlc and of t.csv           (generate.c: the spec; gen_flow.c: lines, keys, events; expression.c, calls.c: expressions;
 *                                                             kinds.c: what is known of them)
 *   row values for a compiled spec: rows.c */
#ifndef TESTS_REFERENCE_GENERATE_H
#define TESTS_REFERENCE_GENERATE_H
#include "base/arena.h"
#include "base/buf.h"
#include "value/value.h"

void generate(uint64_t seed, struct buf *spec, struct buf *csv);

/* Texts that mean something to a builtin; columns of the name hold them. */
struct gen_word { const char *column; const char *const *pool; unsigned max; };
extern const struct gen_word gen_words[];          /* ends with a column of NULL */
const char *const *gen_words_of(struct str column);

/* ---- private to the generator ---- */
enum gkind { G_BOOL, G_TEXT, G_NUM, G_DAY, G_WALL, G_POINT, G_KINDS };
enum { G_SET = 12 };
struct gtype {
    enum gkind kind;
    bool optional;
    unsigned scale; i128 lo, hi;               /* G_NUM */
    unsigned min, max;                         /* G_TEXT: characters */
    unsigned nset; const char *set[G_SET];     /* G_TEXT: the only values, 0 = any */
};
struct gx { struct gtype t; const char *s; bool rejects; };       /* an expression as text, in brackets where it needs them */
struct gname { const char *name; struct gtype t; bool known /* a condition around us found it present */, rejects; };
struct gtable { const char *name; struct gtype value; };
struct gfn { const char *name; struct gtype params[3], result; unsigned n; bool rejects; };
struct gen {
    uint64_t rng;
    struct arena arena;
    struct gname names[64]; unsigned nnames;
    struct gtable tables[4]; unsigned ntables;
    struct gfn fns[3]; unsigned nfns;
    bool columns;                              /* those of gen_words are in scope */
    bool into;                                 /* the flow adds to another's records: it cannot fill what is required */
    unsigned nlets;                            /* made so far, for their names */
    struct gname line[8]; unsigned nline;      /* columns of a line, in scope inside of lines */
    unsigned line_key;                         /* 1: Seq tells the lines apart, 2: Seq and Part */
};
struct gclauses { const char *line[60]; unsigned n; };      /* of a flow or of lines: each says everything about itself, in any order */
enum { G_OPT = 1 /* may be absent */, G_TAIL = 2 /* keep may stand here */, G_REJECT = 4 };

unsigned gen_pick(struct gen *g, unsigned n);
const char *gen_print(struct gen *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct gx gen_expr(struct gen *g, enum gkind k, unsigned flags, int depth);

/* generate.c */
void gen_name(struct gen *g, const char *name, struct gtype t, bool rejects);
struct gtype gen_column_type(struct gen *g, const char **text);
const char *gen_default(struct gen *g, const struct gtype *t);
void gen_let(struct gen *g, struct gclauses *out, const struct gx *x);
/* A field NAME of the module and its rule. line: of a line, which knows neither modes nor keep. */
void gen_field(struct gen *g, struct buf *module, struct gclauses *out, const char *name, bool line);
void gen_shuffled(struct gen *g, struct buf *out, struct gclauses *l, const char *indent);

/* gen_flow.c: line tables and lines, keys of one's own, events */
/* Entities feed.Sub and out.Items; the columns that go into feed.Rows and out.Records. */
void gen_line_table(struct gen *g, struct buf *spec);
void gen_lines(struct gen *g, struct buf *module, struct buf *items, struct gclauses *out, unsigned i);
const char *gen_own_key(struct gen *g, unsigned parts, struct gclauses *out);
void gen_events(struct gen *g, struct buf *module, struct gclauses *out);

/* calls.c: any builtin that the reference knows; false: nothing that fits was found. */
bool gen_call(struct gen *g, enum gkind k, unsigned flags, int depth, struct gx *out);

/* kinds.c */
extern const char *const gen_texts[], *const gen_numbers[], *const gen_days[], *const gen_times[], *const gen_phones[], *const gen_countries[],
    *const gen_mails[];
unsigned gen_count(const char *const *pool);
/* "a \"b\" {{" */
const char *gen_quoted(struct gen *g, const char *text);
struct gx gen_constant(struct gen *g, enum gkind k);
struct gtype gen_text(unsigned min, unsigned max);
struct gtype gen_number(unsigned digits, unsigned scale);
bool gen_join(const struct gtype *a, const struct gtype *b, struct gtype *out);
bool gen_sum(const struct gtype *a, const struct gtype *b, bool minus, struct gtype *out);
bool gen_product(const struct gtype *a, const struct gtype *b, struct gtype *out);
struct gtype gen_rounded(const struct gtype *t, unsigned n);
struct gtype gen_as_text(const struct gtype *t);
/* No value in common: the checker refuses such an equality. */
bool gen_disjoint(const struct gtype *a, const struct gtype *b);
/* Digits of the largest value. */
unsigned gen_digits(const struct gtype *t);
/* text(1..9), decimal(5,2), one of("a", "b"), date, ... that holds exactly t; without `?`. False for numbers of more digits than a target takes. */
bool gen_declare(struct gen *g, const struct gtype *t, unsigned most_digits, const char **out);
#endif
