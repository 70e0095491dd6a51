/* witness.h - rows that show a difference: found by search, made small, and always checked by running both compiled versions in the vm.
 *
 *   paths where two diagrams part (norm_compare) --aim--> rows that take them        constants, edges, lengths of both rules --pools--> random rows
 *                                          \______________ each row through both versions: same? on; differs? shrink and keep ______________/
 *
 * A row has at most one line in each list: the list is a column that is absent or yes, and the line's columns stand beside it as "List.Column".
 * Numbers of the search come from a seed, so the same two files give the same row. */
#ifndef COMPILER_DIFF_WITNESS_H
#define COMPILER_DIFF_WITNESS_H
#include "compiler/diff/norm.h"
#include "vm/vm.h"

struct duel_side { const struct image *im; const struct image_flow *fl; struct vm *vm; struct norm_flow norm; };
struct pool { struct value *v; size_t n, cap; };
struct duel_line { struct list list; struct list_line line; struct value *fields; };      /* a list of one line, under construction */
struct duel_column {
    struct str name;
    const struct type *type[2];          /* NULL: that version does not read it */
    int index[2];                        /* in the flow's columns or the list's, -1 */
    int list;                            /* the duel's column that it is a line's column of, -1: none */
    struct str line_name;                /* its name inside of the line */
    struct duel_line *made[2];           /* of a list */
    struct value plain;                  /* what it is when it does not matter: absent where it may be */
    struct pool pool;                    /* values worth trying */
    bool asked;                          /* the rules at stake read it, or what decides whether they are asked */
    bool own;                            /* the rules at stake read it themselves */
};
struct duel {                            /* the two versions of one flow */
    struct arena *arena;
    struct norm norm;
    struct duel_side side[2];            /* old, new */
    struct duel_column *columns; size_t ncolumns;
    struct value *cols[2];               /* a row as each version reads it */
    bool turned_away;                    /* the last row was set aside by something that is not at stake */
    uint64_t random;
};

enum outcome_kind { OUTCOME_VALUE, OUTCOME_KEEP, OUTCOME_REJECT, OUTCOME_SKIPPED /* when is false */, OUTCOME_TAKEN /* when is true */, OUTCOME_NO_ROW /* breaks the declared type */ };
struct outcome { enum outcome_kind kind; struct value value; struct str text; const struct image_flow *of; /* whose links a value has */ };
enum stake_kind { STAKE_FIELD, STAKE_WHEN, STAKE_ADOPT, STAKE_KEY, STAKE_INTO, STAKE_COLUMN };
struct stake {
    enum stake_kind kind;
    size_t field[2];                     /* FIELD: in each version; COLUMN: field[0] is the column of the duel */
    bool messages;                       /* FIELD: a reject with another text is a difference too */
    bool line;                           /* FIELD, WHEN, KEY of the lines that these fields of the two versions are made of */
    size_t list[2];
};
struct witness {
    struct value *row;                   /* per column of the duel */
    bool *shown;                         /* the columns that matter */
    bool *aside;                         /* shown only because the row must be taken and not be rejected by another field */
    struct outcome outcome[2];
    uint32_t tries;                      /* rows run until it was found, or in vain */
};

/* mem holds all of it; other memory is freed by duel_close. */
void duel_open(struct duel *d, struct arena *mem, const struct image *old_im, const struct image_flow *old_fl, const struct image *new_im, const struct image_flow *new_fl);
void duel_close(struct duel *d);
/* Runs a row (per column of the duel) through both; true when they differ in what is at stake. Texts of the outcomes live until the next run. */
bool duel_run(struct duel *d, const struct stake *s, const struct value *row, struct outcome out[2]);
/* Searches; false: none of w->tries rows differs. a, b: the diagrams at stake, NULL when there are none. */
bool witness_find(struct duel *d, const struct stake *s, struct dd *a, struct dd *b, const struct norm_path *paths, size_t npaths, struct witness *w);
/* A value, keep, reject "why", ... as people read it. */
void outcome_print(struct buf *out, const struct duel_side *side, const struct outcome *o);

/* witness_pool.c: fills the columns' pools and `asked` from the diagrams at stake (NULL: from the types alone). */
void witness__pools(struct duel *d, const struct stake *s, struct dd *a, struct dd *b);
/* Some value of a column that both versions admit and a source can deliver. */
bool witness__admits(const struct duel_column *c, const struct value *v);
int witness__column(const struct duel *d, struct str name);
static inline bool witness__is_list(const struct duel_column *c) { return (c->type[0] ? c->type[0] : c->type[1])->base == T_LIST; }
/* What makes the lines of a field of that name, NULL when the version has none. */
const struct norm_flow *witness__lines(const struct duel *d, int k, struct str field);
/* What a row's value of a list column stands for. */
#define WITNESS_ONE_LINE value_bool(true)
unsigned witness__pick(struct duel *d, unsigned n);
/* A column's whole number at a scale. */
bool witness__whole(const struct value *v, unsigned scale, i128 *out);
struct value witness__number(uint8_t base, i128 whole, unsigned scale);
/* witness_aim.c: changes a row so that it goes a path; best effort. fixed: columns that are decided. */
void witness__aim(struct duel *d, const struct norm_path *p, struct value *row, bool *fixed);
/* Changes a row so that no field but the one at stake sets it aside; best effort. */
void witness__accept(struct duel *d, const struct stake *s, struct value *row, bool *fixed);
#endif
