/* emit.c - code of one flow's programs: filter, mapping, adopt rule, key.
 *
 * Every node gets a register of its own when it is first needed; where it is needed again and its code has surely run (same or enclosing
 * branch), the register is used again. Field by field:
 *
 *   ELSE(x, reject)   PRESENT r x -> stub      SET f r            stub: REJECT, behind END, one per message
 *   IF(c, a, b)       UNLESS c -> L   code a   SET f   JUMP E   L: code b   SET f   E:
 *   KEEP              KEEP f
 *
 * Jumps go forward only: a label collects the jumps to it and is fixed when it is placed. */
#include "compiler/emit.h"
#include "base/check.h"
#include "code/opcode.h"
#include "value/builtin.h"
#include <stdio.h>

enum { INSTR_MAX = LIMIT_CODE_WORDS / INSTR_WORDS, NO_REG = 0xffff };

struct label { uint32_t *jumps; size_t n, cap; };
struct stub { uint16_t message; struct label at; };
struct code {
    struct pools *p;
    const struct emit_flow *in;
    struct arena *a;
    uint16_t *words; size_t ninstr, cap;
    const struct type **regs; size_t nregs, cap_regs;
    struct image_link *links; size_t nlinks;
    struct ir **link_nodes;
    uint32_t first; size_t nnodes;     /* the nodes of this flow: their ids from first on */
    uint16_t *where;                   /* per node: its register, NO_REG */
    uint32_t *done; size_t ndone;      /* nodes with a register, in order: undone when a branch ends */
    struct stub *stubs; size_t nstubs;
    const char *full;                  /* the limit that was passed, or NULL */
};

static uint16_t value_of(struct code *c, struct ir *x);
static void into(struct code *c, struct ir *x, uint16_t reg);

/* ---- instructions, labels, registers ---- */

static uint32_t put(struct code *c, enum opcode op, unsigned a, unsigned b, unsigned k)
{
    if (c->ninstr >= INSTR_MAX) {
        c->full = "16,383 instructions in one flow";
        return 0;
    }
    if (c->ninstr == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 64;
        uint16_t *w = ARENA_ARRAY(c->a, uint16_t, c->cap * INSTR_WORDS);
        if (c->ninstr) memcpy(w, c->words, c->ninstr * INSTR_WORDS * sizeof *w);
        c->words = w;
    }
    uint16_t *w = c->words + c->ninstr * INSTR_WORDS;
    w[0] = (uint16_t)op;
    w[1] = (uint16_t)a;
    w[2] = (uint16_t)b;
    w[3] = (uint16_t)k;
    return (uint32_t)c->ninstr++;
}

static void jump(struct code *c, enum opcode op, unsigned a, unsigned b, struct label *to)
{
    if (to->n == to->cap) {
        to->cap = to->cap ? to->cap * 2 : 4;
        uint32_t *j = ARENA_ARRAY(c->a, uint32_t, to->cap);
        if (to->n) memcpy(j, to->jumps, to->n * sizeof *j);
        to->jumps = j;
    }
    to->jumps[to->n++] = put(c, op, a, b, 0);
}

static void place(struct code *c, const struct label *l)
{
    for (size_t i = 0; i < l->n && !c->full; i++) c->words[l->jumps[i] * INSTR_WORDS + 3] = (uint16_t)c->ninstr;
}

static uint16_t new_reg(struct code *c, const struct type *t)
{
    if (c->nregs >= LIMIT_REGISTERS) {
        c->full = "4096 registers in one flow";
        return 0;
    }
    if (c->nregs == c->cap_regs) {
        c->cap_regs = c->cap_regs ? c->cap_regs * 2 : 64;
        const struct type **r = ARENA_ARRAY(c->a, const struct type *, c->cap_regs);
        if (c->nregs) memcpy(r, c->regs, c->nregs * sizeof *r);
        c->regs = r;
    }
    struct type plain = *t;
    plain.yes = plain.no = (struct str){0};      /* spellings belong to columns */
    struct type *own = ARENA_NEW(c->a, struct type);
    *own = plain;
    c->regs[c->nregs] = own;
    return (uint16_t)c->nregs++;
}

static void remember(struct code *c, const struct ir *x, uint16_t reg)
{
    c->where[x->id - c->first] = reg;
    c->done[c->ndone++] = x->id - c->first;
}

/* What was computed since the mark may not have run. */
static void forget(struct code *c, size_t mark)
{
    while (c->ndone > mark) c->where[c->done[--c->ndone]] = NO_REG;
}

/* ---- sites ---- */

static uint16_t link_site(struct code *c, struct ir *x)
{
    for (size_t i = 0; i < c->nlinks; i++)
        if (c->link_nodes[i] == x) return (uint16_t)i;
    struct image_link *k = &c->links[c->nlinks];
    *k = (struct image_link){.kind = LINK_REF, .target = x->site.target, .module = x->site.module, .flow = (uint16_t)x->site.flow_index};
    if (x->site.nfields)
        *k = (struct image_link){.kind = LINK_FIND, .target = x->site.target, .module = x->site.module, .field = x->site.fields[0],
                                 .more = x->site.fields + 1, .nmore = x->site.nfields - 1};
    c->link_nodes[c->nlinks] = x;
    return (uint16_t)c->nlinks++;
}

static uint16_t list_site(const struct code *c, const struct ir *x)
{
    size_t i = 0;
    while (i < c->in->nlists && c->in->lists[i] != x->each) i++;
    ASSERT(i < c->in->nlists);
    return (uint16_t)i;
}

/* The label of the stub that rejects with a message. */
static struct label *reject_stub(struct code *c, const struct ir *x)
{
    uint16_t m = emit_message(c->p, value_str(&x->value));
    for (size_t i = 0; i < c->nstubs; i++)
        if (c->stubs[i].message == m) return &c->stubs[i].at;
    c->stubs[c->nstubs] = (struct stub){.message = m};
    return &c->stubs[c->nstubs++].at;
}

/* ---- conditions ---- */

/* Jumps to `no` when the condition is false; falls through when it is true. Returns how many of done[] have surely run where `no` is placed. */
static size_t unless(struct code *c, struct ir *x, struct label *no)
{
    size_t sure = c->ndone;
    if (c->full) return sure;             /* conditions that share much would go on for ever */
    if (ir_never(x)) {                    /* a reject in place of a condition: what follows is not reached */
        into(c, x, 0);
        return sure;
    }
    bool shared = c->in->nprobes > 0;     /* probes are made of each other: a part is computed once, not spread out at each use */
    if (!shared && x->op == IR_IF && x->args[2]->op == IR_CONST && !x->args[2]->value.u.b) {          /* a and b */
        sure = unless(c, x->args[0], no);
        unless(c, x->args[1], no);
        return sure;
    }
    if (!shared && x->op == IR_IF && x->args[1]->op == IR_CONST && x->args[1]->value.u.b) {           /* a or b */
        struct label other = {0}, yes = {0};
        size_t first = unless(c, x->args[0], &other);
        jump(c, OP_JUMP, 0, 0, &yes);
        place(c, &other);
        forget(c, first);
        sure = unless(c, x->args[2], no);
        forget(c, first);
        place(c, &yes);
        return sure < first ? sure : first;
    }
    uint16_t reg = value_of(c, x);
    jump(c, OP_UNLESS, reg, 0, no);
    return c->ndone;
}

/* ---- values ---- */

static enum opcode plain_op(enum ir_op op)
{
    switch (op) {
    case IR_IS: return OP_IS;
    case IR_NOT: return OP_NOT;
    case IR_NEG: return OP_NEG;
    case IR_EQ: return OP_EQ;
    case IR_NE: return OP_NE;
    case IR_LT: return OP_LT;
    case IR_LE: return OP_LE;
    case IR_GT: return OP_GT;
    case IR_GE: return OP_GE;
    case IR_ADD: return OP_ADD;
    case IR_SUB: return OP_SUB;
    case IR_MUL: return OP_MUL;
    case IR_TEXT: return OP_TEXT;
    default: break;
    }
    check_failed("no plain instruction", __FILE__, __LINE__);
}

/* A call; absent arguments that the builtin does not take make the result absent without calling it. */
static void call(struct code *c, struct ir *x, uint16_t reg)
{
    struct builtin_info in = builtin_info(x->index);
    uint16_t regs[BUILTIN_ARGS_MAX];
    struct label missing = {0}, end = {0};
    for (size_t i = 0; i < x->nargs; i++) regs[i] = value_of(c, x->args[i]);
    for (size_t i = 0; i < x->nargs; i++) {
        if (!x->args[i]->ty.t.optional || builtin_param(&in, i).optional) continue;
        struct type t = x->args[i]->ty.t;
        t.optional = false;
        uint16_t sure = new_reg(c, &t);
        jump(c, OP_PRESENT, sure, regs[i], &missing);
        regs[i] = sure;
    }
    put(c, OP_CALL, reg, x->index, emit_list(c->p, regs, x->nargs));
    if (missing.n == 0) return;
    jump(c, OP_JUMP, 0, 0, &end);
    place(c, &missing);
    put(c, OP_ABSENT, reg, 0, 0);
    place(c, &end);
}

/* One side of a branch into reg, or away when it never yields. */
static void branch_into(struct code *c, struct ir *x, uint16_t reg, struct label *end)
{
    size_t mark = c->ndone;
    into(c, x, reg);
    if (end && !ir_never(x)) jump(c, OP_JUMP, 0, 0, end);
    forget(c, mark);
}

static void if_into(struct code *c, struct ir *x, uint16_t reg)
{
    struct label no = {0}, end = {0};
    size_t sure;
    if (x->args[1]->op == IR_REJECT || x->args[2]->op == IR_REJECT) {
        bool when_true = x->args[1]->op == IR_REJECT;
        const struct ir *rejected = x->args[when_true ? 1 : 2];
        struct ir *other = x->args[when_true ? 2 : 1];
        if (when_true) {
            sure = unless(c, x->args[0], &no);
            jump(c, OP_JUMP, 0, 0, reject_stub(c, rejected));
            place(c, &no);
            forget(c, sure);
        } else unless(c, x->args[0], reject_stub(c, rejected));
        into(c, other, reg);
        return;
    }
    sure = unless(c, x->args[0], &no);
    branch_into(c, x->args[1], reg, &end);
    place(c, &no);
    forget(c, sure);
    branch_into(c, x->args[2], reg, NULL);
    place(c, &end);
}

static void else_into(struct code *c, struct ir *x, uint16_t reg)
{
    struct label missing = {0}, end = {0};
    uint16_t left = value_of(c, x->args[0]);
    if (x->args[1]->op == IR_REJECT) {
        jump(c, OP_PRESENT, reg, left, reject_stub(c, x->args[1]));
        return;
    }
    jump(c, OP_PRESENT, reg, left, &missing);
    jump(c, OP_JUMP, 0, 0, &end);
    place(c, &missing);
    branch_into(c, x->args[1], reg, NULL);
    place(c, &end);
}

/* The value of x into a register that may have a wider type. */
static void into(struct code *c, struct ir *x, uint16_t reg)
{
    if (c->full) return;
    uint16_t regs[BUILTIN_ARGS_MAX];
    if (x->op != IR_REJECT && c->where[x->id - c->first] != NO_REG) {
        put(c, OP_MOVE, reg, c->where[x->id - c->first], 0);
        return;
    }
    switch (x->op) {
    case IR_CONST: put(c, OP_CONST, reg, emit_const(c->p, &x->value), 0); break;
    case IR_ABSENT: put(c, OP_ABSENT, reg, 0, 0); break;
    case IR_COLUMN: put(c, OP_COLUMN, reg, c->in->column_of[x->index], 0); break;
    case IR_IS: case IR_NOT: case IR_NEG: case IR_TEXT: put(c, plain_op(x->op), reg, value_of(c, x->args[0]), 0); break;
    case IR_CONCAT:
        for (size_t i = 0; i < x->nargs; i++) regs[i] = value_of(c, x->args[i]);
        put(c, OP_CONCAT, reg, 0, emit_list(c->p, regs, x->nargs));
        break;
    case IR_CALL: call(c, x, reg); break;
    case IR_TABLE: put(c, OP_TABLE, reg, value_of(c, x->args[0]), emit_table(c->p, x->table)); break;
    case IR_ELSE: else_into(c, x, reg); break;
    case IR_IF: if_into(c, x, reg); break;
    case IR_LINK:
        for (size_t i = 0; i < x->nargs; i++) regs[i] = value_of(c, x->args[i]);
        put(c, OP_LINK, reg, link_site(c, x), emit_list(c->p, regs, x->nargs));
        break;
    case IR_LINE: put(c, OP_COLUMN, reg, c->in->line_base + c->in->line_of[x->index], 0); break;
    case IR_EACH: put(c, OP_EACH, reg, list_site(c, x), 0); break;
    case IR_REJECT: jump(c, OP_JUMP, 0, 0, reject_stub(c, x)); break;
    case IR_KEEP: check_failed("keep as a value", __FILE__, __LINE__);
    default: {
        uint16_t a = value_of(c, x->args[0]), b = value_of(c, x->args[1]);
        put(c, plain_op(x->op), reg, a, b);
        break;
    }
    }
}

static uint16_t value_of(struct code *c, struct ir *x)
{
    if (c->full) return 0;
    if (c->where[x->id - c->first] != NO_REG) return c->where[x->id - c->first];
    ASSERT(x->ty.kind == TY_VALUE);
    uint16_t reg = new_reg(c, &x->ty.t);
    into(c, x, reg);
    remember(c, x, reg);
    return reg;
}

/* ---- fields ---- */

static bool decides(const struct ir *x)
{
    return x->op == IR_IF || x->op == IR_ELSE || x->op == IR_REJECT || x->op == IR_KEEP;
}

/* Decides a whole field. A branch of its own for every arm, so that each is held against the field's type alone. */
static void field(struct code *c, uint16_t f, struct ir *x, const struct type *t)
{
    struct label no = {0}, end = {0};
    size_t mark = c->ndone;
    if (c->full) return;
    if (x->op == IR_REJECT) jump(c, OP_JUMP, 0, 0, reject_stub(c, x));
    else if (x->op == IR_KEEP) put(c, OP_KEEP, f, 0, 0);
    else if (x->op == IR_ABSENT) {
        uint16_t reg = new_reg(c, t);
        put(c, OP_ABSENT, reg, 0, 0);
        put(c, OP_SET, f, reg, 0);
    } else if (c->where[x->id - c->first] != NO_REG || !decides(x)) put(c, OP_SET, f, value_of(c, x), 0);
    else if (x->op == IR_ELSE && !decides(x->args[1])) put(c, OP_SET, f, value_of(c, x), 0);
    else if (x->op == IR_ELSE) {
        struct type sure = x->args[0]->ty.t;
        sure.optional = false;
        uint16_t left = value_of(c, x->args[0]), reg = new_reg(c, &sure);
        bool reject = x->args[1]->op == IR_REJECT;
        jump(c, OP_PRESENT, reg, left, reject ? reject_stub(c, x->args[1]) : &no);
        put(c, OP_SET, f, reg, 0);
        if (reject) {
            remember(c, x, reg);
            return;
        }
        jump(c, OP_JUMP, 0, 0, &end);
        mark = c->ndone;
        place(c, &no);
        field(c, f, x->args[1], t);
        forget(c, mark);
        place(c, &end);
    } else {
        mark = unless(c, x->args[0], &no);
        field(c, f, x->args[1], t);
        jump(c, OP_JUMP, 0, 0, &end);
        forget(c, mark);
        place(c, &no);
        field(c, f, x->args[2], t);
        forget(c, mark);
        place(c, &end);
    }
}

/* ---- programs ---- */

static void begin(struct code *c)
{
    forget(c, 0);
    c->words = NULL;
    c->ninstr = c->cap = c->nstubs = 0;
}

static struct image_program finish(struct code *c)
{
    for (size_t i = 0; i < c->nstubs; i++) {
        place(c, &c->stubs[i].at);
        put(c, OP_REJECT, c->stubs[i].message, 0, 0);
    }
    return (struct image_program){.code = c->words, .ninstr = c->ninstr};
}

static struct image_program condition(struct code *c, struct ir *x)
{
    begin(c);
    if (ir_never(x)) {                    /* a key whose part is known to be rejected */
        struct type t = types_plain(T_LINK);
        into(c, x, new_reg(c, &t));
        return finish(c);
    }
    uint16_t reg = value_of(c, x);
    put(c, OP_RESULT, reg, 0, 0);
    return finish(c);
}

static struct image_program mapping(struct code *c)
{
    begin(c);
    for (size_t i = 0; i < c->in->nfields; i++)
        if (c->in->fields[i].value) field(c, (uint16_t)i, c->in->fields[i].value, &c->in->fields[i].type);
    put(c, OP_END, 0, 0, 0);
    return finish(c);
}

/* Nodes of one flow have ids in a row, arguments below what they are arguments of: the roots say up to where. */
static void root(struct code *c, const struct ir *x)
{
    if (x == NULL) return;
    c->first = x->first;
    if (x->id - x->first + 1 > c->nnodes) c->nnodes = x->id - x->first + 1;
}

static void node_range(struct code *c)
{
    const struct emit_flow *in = c->in;
    root(c, in->when);
    root(c, in->adopt);
    root(c, in->key);
    root(c, in->into);
    for (size_t i = 0; i < in->nfields; i++) root(c, in->fields[i].value);
    for (size_t i = 0; i < in->nprobes; i++) root(c, in->probes[i]);
}

bool emit_flow(struct pools *p, const struct emit_flow *in, struct image_flow *out, char *why, size_t why_len)
{
    struct code c = {.p = p, .in = in, .a = p->arena};
    node_range(&c);
    c.where = ARENA_ARRAY(c.a, uint16_t, c.nnodes + 1);
    c.done = ARENA_ARRAY(c.a, uint32_t, c.nnodes + 1);
    c.links = ARENA_ARRAY(c.a, struct image_link, c.nnodes + 1);
    c.link_nodes = ARENA_ARRAY(c.a, struct ir *, c.nnodes + 1);
    c.stubs = ARENA_ARRAY(c.a, struct stub, c.nnodes + 1);
    memset(c.where, 0xff, (c.nnodes + 1) * sizeof *c.where);
    /* A constant filter that is always true is none. */
    bool always = in->when && in->when->op == IR_CONST && in->when->value.u.b;
    if (in->when && !always) out->when = condition(&c, in->when);
    if (in->adopt) out->adopt_program = condition(&c, in->adopt);
    if (in->key) out->key_program = condition(&c, in->key);
    if (in->into) out->into_program = condition(&c, in->into);
    for (size_t i = 0; i < in->nprobes; i++) in->programs[i] = condition(&c, in->probes[i]);
    out->map = mapping(&c);
    out->registers = c.regs;
    out->nregisters = c.nregs;
    out->links = c.links;
    out->nlinks = c.nlinks;
    if (p->full) c.full = "65,535 constants, messages or list places in one spec";
    if (c.full) snprintf(why, why_len, "%s", c.full);
    return c.full == NULL;
}
