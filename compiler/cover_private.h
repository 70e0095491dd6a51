/* cover_private.h - what cover_walk.c finds in the typed tree and cover.c compiles, runs and counts. */
#ifndef COMPILER_COVER_PRIVATE_H
#define COMPILER_COVER_PRIVATE_H
#include "compiler/cover.h"
#include "compiler/emit.h"
#include "compiler/lower_private.h"

enum { COVER_BATCH = 64, COVER_VISITS = 200000 };

/* Where a look-up into a table leads; rows is NULL for one from a file. */
struct cover_table { const struct table *table; struct cover_item **rows, *hit, *miss; struct cover_table *next; };
/* One question to a row (or line): is this item reached? Or: with which key is this table asked? */
struct cover_point {
    struct cover_item *item;
    struct cover_table *table;
    struct ir *ir;                     /* yes or no; with a table: the key or absent */
    unsigned field;                    /* of the flow, in its order */
    bool rejects;                      /* reached: nothing behind it is computed */
    struct image_flow *flow;           /* compiled: the flow of its batch, and its program in it; NULL: not measured */
    struct image_program program;
    struct cover_point *next;
};
/* Points over one kind of row: those of a flow, or the lines of one `each`. */
struct cover_group {
    const struct each *each;
    unsigned field;
    struct cover_point *points, **end;
    struct cover_point *gate;          /* each: does the line pass? */
    struct cover_item *some, *none;    /* each: left and right of ??, or NULL */
    bool none_rejects;
    size_t npoints;
    struct cover_group *next;
};
struct cover_flow {
    const struct flow *flow;
    const struct image_flow *production;
    struct cover_item *item;
    struct cover_group when, map, *lines;
    struct cover_flow *next;
};
struct cover {
    struct compile *c;
    struct arena *a;
    const struct image *im;            /* production's */
    struct vm *production, *vm;
    struct ir_graph graph;
    struct cover_item *items, **end;
    struct cover_table *tables;
    struct cover_flow *flows;
    struct cover_key *keys; size_t nkeys, cap_keys;      /* cover_walk.c */
    size_t visits;
    bool incomplete;                   /* COVER_VISITS was not enough: what no test reached is not known to be missed */
};
/* Fills items, tables and the points of all flows. */
void cover__walk(struct cover *cv);
#endif
