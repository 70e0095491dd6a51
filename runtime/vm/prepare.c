/* prepare.c - see step.h: verified code, pre-decoded.
 *
 *     COLUMN  r56 ShipMethod           before the first step: r56 -> the row's column, looked at once more
 *     PRESENT r57 r56 ->L1    --.
 *     SET     Ship_Via r57      |
 *     JUMP    ->L2              |--->  SET_OR_KEEP Ship_Via r56, then L2
 * L1: KEEP    Ship_Via        --'
 * L2: CONST   r58 "x"                  once and for all: r58 -> the image's constant
 *
 * There is one step for every instruction, and it does what the code does from there on: as far as one step can, then it goes to the next. So a step
 * that does the work of several takes nothing away from a jump into the middle of them; what nothing leads to any more just never runs.
 *
 * Jumps go forward only, so an instruction runs at most once a run. As each has a place of its own for the value that it makes, no value is
 * overwritten while a register points at it: registers are pointers, and moving is no copying. A register that only one instruction writes, and
 * that instruction a COLUMN or a CONST, can point at its value from the start: whoever reads it would have run that instruction before. */
#include "base/check.h"
#include "vm/lookup.h"
#include "vm/step.h"
#include <stdlib.h>

struct making {
    const struct image *im;
    const struct image_flow *fl;
    const struct image_program *p;
    bool plain;
    uint16_t *reads, *writes;       /* how many instructions read and write a register */
    struct step *steps;
    const struct step **entry;      /* the step that runs when instruction i is reached; the last: none */
    const struct value **regs;
    struct bound *bounds;           /* those before the first step come first */
    struct call *calls;
    struct value *places;
    struct lookup **lookups;        /* by table; those that no step looks into: NULL */
    size_t nbounds, ncalls, nplaces;
};

static void *alloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) check_no_memory();
    return p;
}

static void count(uint16_t *n) { *n = (uint16_t)(*n + (*n < UINT16_MAX)); }

static void count_uses(struct making *m)
{
    for (size_t i = 0; i < m->p->ninstr; i++) {
        struct instr in = instr_at(m->p, i);
        const uint16_t words[3] = {in.a, in.b, in.c};
        for (unsigned k = 0; k < 3; k++) {
            char kind = opcodes[in.op].operands[k];
            if (kind == 'w') count(&m->writes[words[k]]);
            if (kind == 'r') count(&m->reads[words[k]]);
            for (uint16_t j = 0; kind == 'l' && j < args_count(m->im, words[k]); j++) count(&m->reads[args_regs(m->im, words[k])[j]]);
        }
    }
}

static bool once_and_for_all(const struct making *m, const struct instr *in)
{
    return !m->plain && (in->op == OP_COLUMN || in->op == OP_CONST) && m->writes[in->a] == 1;
}

static struct value *place(struct making *m) { return &m->places[m->nplaces++]; }

static int64_t narrow(i128 v) { return v < INT64_MIN ? INT64_MIN : v > INT64_MAX ? INT64_MAX : (int64_t)v; }

static const struct bound *bind(struct making *m, const struct instr *in)
{
    static const uint8_t kinds[T_BASE_COUNT] = {V_BOOL, V_TEXT, V_DECIMAL, V_DATE, V_LOCAL, V_INSTANT, V_LINK, V_LIST};
    const struct type *t = &m->fl->columns[in->b].type;
    struct bound *b = &m->bounds[m->nbounds++];
    *b = (struct bound){.column = in->b, .reg = in->a, .kind = kinds[t->base], .optional = t->optional, .type = t, .place = place(m)};
    b->head = VALUE_HEAD(b->kind, t->base == T_DECIMAL ? t->scale : 0, t->base == T_TEXT);
    if (t->base == T_TEXT) b->most = (uint64_t)t->max_len * 4 - 1;
    if (t->base == T_DECIMAL) {
        b->least = narrow(t->lo);
        b->most = (uint64_t)narrow(t->hi) - (uint64_t)b->least;
    }
    return b;
}

static const struct call *call_of(struct making *m, const struct instr *in)
{
    struct call *c = &m->calls[m->ncalls++];
    *c = (struct call){builtin_function(in->b), args_count(m->im, in->c), (uint16_t)builtin_subject(in->b), args_regs(m->im, in->c)};
    return c;
}

static const struct lookup *lookup(struct making *m, uint16_t table)
{
    if (!m->lookups[table]) m->lookups[table] = vm__lookup_of(&m->im->tables[table]);
    return m->lookups[table];
}

/* What instruction i alone does. */
static void decode(struct making *m, size_t i)
{
    const struct instr in = instr_at(m->p, i);
    struct step *s = &m->steps[i];
    *s = (struct step){.op = in.op, .a = in.a, .b = in.b, .c = in.c, .next = m->entry[i + 1]};
    switch ((enum opcode)in.op) {
    case OP_COLUMN:  s->with.bound = bind(m, &in); return;
    case OP_TABLE:   s->with.table = lookup(m, in.c); break;
    case OP_CALL:    s->with.call = call_of(m, &in); break;
    case OP_PRESENT:
    case OP_UNLESS:  s->with.other = m->entry[in.c]; return;
    case OP_JUMP:    s->next = m->entry[in.c]; return;
    case OP_SET:     s->c = m->fl->fields[in.a].type.scale; s->place = place(m); return;
    default:         break;
    }
    if (opcodes[in.op].operands[0] == 'w') s->place = place(m);
}

/* The register that s writes is read by n alone, as far as s is concerned. */
static bool passes_to(const struct making *m, const struct step *s, uint16_t reg) { return reg == s->a && m->reads[s->a] == 1; }

static int with_branch(const struct step *s)
{
    switch (s->op) {
    case OP_EQ: return STEP_IF_EQ;
    case OP_NE: return STEP_IF_NE;
    case OP_LT: return STEP_IF_LT;
    case OP_LE: return STEP_IF_LE;
    case OP_GT: return STEP_IF_GT;
    case OP_GE: return STEP_IF_GE;
    default:    return -1;
    }
}

static int with_set(const struct step *s)
{
    switch (s->op) {
    case OP_CALL:        return STEP_CALL_SET;
    case STEP_CALL_WITH: return STEP_CALL_WITH_SET;
    case OP_TABLE:       return STEP_TABLE_SET;
    default:             return -1;
    }
}

/* s and what follows it, where one step can do both. */
static void fuse(const struct making *m, struct step *s)
{
    const struct step *n = s->next, *o = s->with.other;
    if (!n) return;
    if (s->op == OP_PRESENT && n->op == OP_SET && o->op == OP_KEEP && passes_to(m, s, n->b) && n->a == o->a && n->next == o->next)
        *s = (struct step){.op = STEP_SET_OR_KEEP, .a = n->a, .b = s->b, .c = n->c, .next = n->next, .place = n->place};
    if (s->op == OP_PRESENT && o->op == OP_CONST && o->a == s->a && o->next == n) *s = (struct step){.op = STEP_OR, .a = s->a, .b = s->b, .c = o->b, .next = n};
    if (s->op == OP_PRESENT && n->op == OP_CALL && o->op == OP_ABSENT && n->a == o->a && n->next == o->next && m->reads[s->a] == 1)
        *s = (struct step){.op = STEP_CALL_WITH, .a = n->a, .b = s->b, .c = s->a, .next = n->next, .with = n->with, .place = n->place};
    if (s->op == STEP_OR && n->op == OP_ADD && passes_to(m, s, n->c) && n->b != s->a)
        *s = (struct step){.op = STEP_OR_ADD, .a = n->a, .b = n->b, .c = s->b, .next = n->next, .with.value = &m->im->consts[s->c], .place = n->place};
    int set = with_set(s), op = with_branch(s);
    if (set >= 0 && n->op == STEP_SET_OR_KEEP && passes_to(m, s, n->b) && m->fl->fields[n->a].type.base != T_DECIMAL) {
        s->op = (uint16_t)set;
        s->a = n->a;
        s->next = n->next;
    }
    if (op >= 0 && n->op == OP_UNLESS && passes_to(m, s, n->a))
        *s = (struct step){.op = (uint16_t)op, .b = s->b, .c = s->c, .next = n->next, .with.other = n->with.other};
}

static const struct step *make_step(struct making *m, size_t i)
{
    const struct instr in = instr_at(m->p, i);
    if (once_and_for_all(m, &in)) return m->entry[i + 1];
    decode(m, i);
    if (!m->plain) fuse(m, &m->steps[i]);
    return in.op == OP_JUMP && !m->plain ? m->steps[i].next : &m->steps[i];
}

/* Before the first step: registers that keep what they point at. These are constants, and columns of one kind (the others: V_ABSENT); how many columns. */
static size_t make_start(struct making *m, enum value_kind kind)
{
    size_t before = m->nbounds;
    for (size_t i = 0; i < m->p->ninstr; i++) {
        const struct instr in = instr_at(m->p, i);
        if (!once_and_for_all(m, &in)) continue;
        if (in.op == OP_CONST) {
            m->regs[in.a] = &m->im->consts[in.b];
            continue;
        }
        enum type_base base = (enum type_base)m->fl->columns[in.b].type.base;
        if (kind == (base == T_TEXT ? V_TEXT : base == T_DECIMAL ? V_DECIMAL : V_ABSENT)) bind(m, &in);
    }
    return m->nbounds - before;
}

/* Fields that no mapping sets are left alone: those of events, and the key. */
static const struct step *keep_others(struct making *m, const struct step *first)
{
    struct step *s = m->steps + m->p->ninstr;
    for (size_t f = 0; f < m->fl->nfields && m->p == &m->fl->map; f++) {
        enum field_mode mode = m->fl->fields[f].mode;
        if (mode != FIELD_KEY && mode != FIELD_EVENT) continue;
        *s = (struct step){.op = OP_KEEP, .a = (uint16_t)f, .next = first};
        first = s++;
    }
    return first;
}

void vm__prepare(struct program *to, const struct image *im, const struct image_flow *fl, const struct image_program *p, bool plain)
{
    size_t n = p->ninstr;
    struct making m = {.im = im, .fl = fl, .p = p, .plain = plain};
    m.reads = alloc(2 * fl->nregisters, sizeof *m.reads);
    m.writes = m.reads + fl->nregisters;
    m.entry = alloc(n + 1, sizeof *m.entry);
    m.steps = alloc(n + fl->nfields, sizeof *m.steps);
    m.regs = alloc(fl->nregisters, sizeof *m.regs);
    m.bounds = alloc(n, sizeof *m.bounds);
    m.calls = alloc(n, sizeof *m.calls);
    m.places = alloc(n, sizeof *m.places);
    m.lookups = alloc(im->ntables, sizeof *m.lookups);
    count_uses(&m);
    size_t texts = make_start(&m, V_TEXT), numbers = make_start(&m, V_DECIMAL), others = make_start(&m, V_ABSENT);
    for (size_t i = n; i-- > 0;) m.entry[i] = make_step(&m, i);
    *to = (struct program){p->code, fl->columns, keep_others(&m, m.entry[0]), m.regs, m.bounds, texts, numbers, others, m.lookups, im->ntables, {m.steps, m.regs, m.bounds, m.calls, m.places, m.lookups}};
    free(m.entry);
    free(m.reads);
}

void vm__forget(struct program *p)
{
    for (size_t i = 0; i < p->nlookups; i++) free(p->lookups[i]);
    for (size_t i = 0; i < sizeof p->memory / sizeof *p->memory; i++) free(p->memory[i]);
}
