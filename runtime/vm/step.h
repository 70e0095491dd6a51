/* step.h - a program as the vm runs it; private to the room. vm.c runs steps, prepare.c makes them from verified code when a program runs for the
 * first time. They are never stored. */
#ifndef VM_STEP_H
#define VM_STEP_H
#include "code/opcode.h"
#include "vm/builtin.h"

enum step_op {                      /* what there is besides the opcodes */
    STEP_SET_OR_KEEP = OP_COUNT,    /* target field a = b when b is present, else it is left alone */
    STEP_OR,                        /* a = b when b is present, else constant c */
    STEP_OR_ADD,                    /* a = b + c, or b + `value` when c is absent */
    STEP_CALL_WITH,                 /* b into register c, then the call when b is present, else a = absent */
    STEP_CALL_SET,                  /* these three: what is made is no register's but target field a's, when it is present */
    STEP_CALL_WITH_SET,
    STEP_TABLE_SET,
    STEP_IF_EQ,                     /* on when b == c, else to `other`; and so on */
    STEP_IF_NE,
    STEP_IF_LT,
    STEP_IF_LE,
    STEP_IF_GT,
    STEP_IF_GE
};

/* A column that a program reads, and the values that pass at a glance; the others are held against the type. */
struct bound {
    uint16_t column, reg;
    uint8_t kind;
    bool optional;
    uint64_t head;                  /* of every value that passes; of texts with length 1 */
    uint64_t most;                  /* texts: bytes less one; numbers: above `least` */
    int64_t least;
    const struct type *type;
    struct value *place;            /* for the number at its column's scale */
};
struct lookup;
struct call { builtin_fn *fn; uint16_t n, subject; const uint16_t *regs; };
struct step {
    uint16_t op, a, b, c;           /* as in opcode.def; OP_SET and STEP_SET_OR_KEEP have the scale of their field in c */
    const struct step *next;
    union { const struct step *other; const struct call *call; const struct bound *bound; const struct lookup *table; const struct value *value; } with;
    struct value *place;            /* where the value that is made goes: no other step writes there */
};
struct program {
    const uint16_t *code;           /* what it was made from, and the columns of the flow: together they name it */
    const struct image_column *columns;
    const struct step *first;
    const struct value **regs;      /* every register points at its value: in the row, in the image, in a place */
    const struct bound *bounds; size_t ntexts, nnumbers, nothers;      /* the columns that are looked at before the first step: texts first */
    struct lookup **lookups; size_t nlookups;
    void *memory[6];
};

/* plain: one step for one instruction, for those who look at every instruction. */
void vm__prepare(struct program *to, const struct image *im, const struct image_flow *fl, const struct image_program *p, bool plain);
void vm__forget(struct program *p);
#endif
