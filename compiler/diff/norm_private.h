/* norm_private.h - the state of a walk over a program; shared by norm_run.c (control) and norm_op.c (values). */
#ifndef COMPILER_DIFF_NORM_PRIVATE_H
#define COMPILER_DIFF_NORM_PRIVATE_H
#include "compiler/diff/norm.h"
#include "code/opcode.h"
#include "value/builtin.h"

struct arrival;
struct norm_run {
    struct norm *u;
    const struct image *im;
    const struct image_flow *fl, *other;   /* other: the other version of the flow, for lines too */
    const struct image_lines *site;    /* fl is what makes a line; its columns from `header` on are the line's */
    size_t header;
    const struct image_table *const *instead;
    struct norm_flow *out;
    const struct image_program *p;
    struct dd **regs;                  /* NULL: not written yet */
    size_t *wrote;                     /* per register: the instruction that every write of it so far comes after */
    size_t *before;                    /* per instruction: the last one that every way to it passes; itself: there is no way */
    struct dd **onward;                /* per UNLESS and PRESENT: when control does not jump */
    struct { size_t from, to; struct dd **at; } local;   /* conditions of from .. to, seen from `from` */
    struct arrival **due;              /* per instruction: the ways to it */
    int *owner;                        /* per instruction: the field that it works for */
    bool *silent;                      /* per field: it is never set or kept, so it rejects every row that comes to it */
    size_t nsilent;
    struct dd *result;
    bool map;                          /* the program sets fields; the others have one result */
    bool lost;                         /* a reject that is no field's: nothing can be said about single fields */
    bool *tables;                      /* per register and table: what the register holds came from there */
};
/* What a register holds. */
struct dd *norm__reg(const struct norm_run *r, uint16_t reg);
struct dd *norm__column(struct norm_run *r, uint16_t c);
/* The value that one instruction makes; NULL when the instruction is unknown. */
struct dd *norm__op(struct norm_run *r, const struct instr *in);
/* The value, perhaps absent, of a term with arguments whose values are other diagrams. */
struct dd *norm__again(struct norm *u, const struct term *t, struct dd **args);
/* Leaf of IS: yes when present. */
struct dd *norm__is_leaf(struct norm *u, struct term *const *t, size_t n, const void *ctx);
#endif
