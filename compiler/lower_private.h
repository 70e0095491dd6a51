/* lower_private.h - lowering one expression by itself: for lower.c and cover.c, which asks for conditions that no program of the spec has. */
#ifndef COMPILER_LOWER_PRIVATE_H
#define COMPILER_LOWER_PRIVATE_H
#include "compiler/lower.h"
#include "dsl/spec.h"

struct memo { const struct let *let; struct ir *node; };
struct frame { const struct fn *fn; struct ir **args; const struct frame *up; };       /* inside of a fn: its arguments */
struct inlined { const struct fn *fn; struct ir **args; struct ir *node; struct inlined *next; };
struct low {
    struct ir_graph *g;
    const struct lowered *out;
    const struct flow *flow;
    const struct each *each;           /* inside of its lines, or NULL */
    bool mapping;                      /* reject may be used */
    struct memo *lets; size_t nlets, cap;
    struct inlined *calls;             /* the same fn of the same arguments is lowered once */
};
struct ir *lower__expr(struct low *l, const struct tx *x, const struct frame *fr);
#endif
