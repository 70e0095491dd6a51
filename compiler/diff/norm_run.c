/* norm_run.c - runs a flow's programs over diagrams instead of rows; see norm.h.
 *
 * Jumps go forward only, so the instructions are walked once, in order. reach is the condition under which control comes here; a jump adds its
 * condition to what is due at its target. A register holds a diagram of its expression alone: where several branches write it, they are told apart by
 * the conditions since the instruction that all of them come after, so that it does not depend on where in the program the expression stands. What a
 * register holds where nothing writes it does not matter: the verifier has shown that it is written on every path before it is read.
 *
 * The instructions up to a field's last SET or KEEP, and those that these jump over, are that field's own; a jump from there to a REJECT is its reject. Where the filter or another
 * field's reject takes the row away, a field is OUT. */
#include "compiler/diff/norm_private.h"
#include "base/check.h"

/* Where control comes to an instruction from: for a REJECT, whose it is. */
struct arrival { struct dd *when; size_t from; struct arrival *next; };

/* ---- columns that both versions share ---- */

static const struct image_column *column_named(const struct image_flow *fl, struct str name)
{
    for (size_t i = 0; fl && i < fl->ncolumns; i++)
        if (str_eq(fl->columns[i].name, name)) return &fl->columns[i];
    return NULL;
}

/* The coefficient bounds of a finer scale at a coarser one; wide enough. */
static void coarsen(struct type *t, unsigned scale)
{
    i128 p = decimal_pow10(t->scale - scale);
    t->lo = t->lo / p - (t->lo % p < 0);
    t->hi = t->hi / p + (t->hi % p > 0);
    t->scale = (uint8_t)scale;
}

static void common_set(struct arena *a, struct type *t, const struct type *other)
{
    if (other->nset == 0) return;
    if (t->nset == 0) {
        t->nset = other->nset;
        t->set = other->set;
        return;
    }
    struct str *set = ARENA_ARRAY(a, struct str, t->nset);
    uint16_t n = 0;
    for (unsigned i = 0; i < t->nset; i++)
        for (unsigned k = 0; k < other->nset; k++)
            if (str_eq(t->set[i], other->set[k])) set[n++] = t->set[i];
    t->set = set;
    t->nset = n;
}

/* What a row that fits both versions can have in a column; the bases are the same. Rows that fit one only are a finding of their own. */
static struct type both(struct arena *mem, const struct type *a, const struct type *b)
{
    struct type t = *a, o = *b;
    t.optional = a->optional && b->optional;
    if (a->base == T_TEXT) {
        if (o.min_len > t.min_len) t.min_len = o.min_len;
        if (o.max_len < t.max_len) t.max_len = o.max_len;
        common_set(mem, &t, &o);
    }
    if (a->base != T_DECIMAL) return t;
    if (t.scale > o.scale) coarsen(&t, o.scale);
    if (o.scale > t.scale) coarsen(&o, t.scale);
    if (o.lo > t.lo) t.lo = o.lo;
    if (o.hi < t.hi) t.hi = o.hi;
    return t;
}

struct str norm_line_column(struct arena *a, struct str list, struct str column)
{
    const char *s = arena_printf(a, "%.*s.%.*s", (int)list.n, list.p, (int)column.n, column.p);
    return str_of(s);
}

/* A column's type in the flow's other version, NULL when it does not read it. list: the column is one of its lines. */
static const struct type *other_type(const struct norm_run *r, struct str name, const struct image_column *list)
{
    const struct image_column *c = column_named(r->other, list ? list->name : name);
    if (!c || !list) return c ? &c->type : NULL;
    for (size_t i = 0; c->type.base == T_LIST && i < c->type.shape->n; i++)
        if (str_eq(c->type.shape->names[i], name)) return &c->type.shape->types[i];
    return NULL;
}

struct dd *norm__column(struct norm_run *r, uint16_t c)
{
    const struct image_column *col = &r->fl->columns[c], *list = r->site && c >= r->header ? &r->fl->columns[r->site->column] : NULL;
    const struct type *other = other_type(r, col->name, list);
    struct term t = {.kind = TERM_COLUMN, .name = list ? norm_line_column(r->u->arena, list->name, col->name) : col->name, .base = col->type.base, .type = col->type};
    if (other && other->base == col->type.base) t.type = both(r->u->arena, &col->type, other);
    t.maybe = t.type.optional;
    if (t.base == T_DECIMAL) t.scale = t.type.scale;
    struct term *x = norm_term(r->u, &t);
    return norm_value(r->u, x, !col->type.optional);
}

/* ---- control ---- */

struct dd *norm__reg(const struct norm_run *r, uint16_t reg)
{
    return r->regs[reg] ? r->regs[reg] : r->u->junk;
}

static void arrive(struct norm_run *r, size_t target, struct dd *when, size_t from)
{
    if (when == r->u->no || target >= r->p->ninstr) return;
    struct arrival *a = ARENA_NEW(r->u->arena, struct arrival);
    *a = (struct arrival){when, from, r->due[target]};
    r->due[target] = a;
}

/* Where control goes from an instruction; false: not to the next one. */
static bool goes_on(const struct instr *in) { return in->op != OP_JUMP && in->op != OP_END && in->op != OP_REJECT && in->op != OP_RESULT; }
static bool jumps(const struct instr *in) { return in->op == OP_JUMP || in->op == OP_UNLESS || in->op == OP_PRESENT; }

static size_t common(const struct norm_run *r, size_t a, size_t b)
{
    while (a != b) {
        if (a > b) a = r->before[a];
        else b = r->before[b];
    }
    return a;
}

static void find_before(struct norm_run *r)
{
    bool *there = ARENA_ARRAY(r->u->arena, bool, r->p->ninstr + 1);
    r->before = ARENA_ARRAY(r->u->arena, size_t, r->p->ninstr + 1);
    there[0] = true;
    for (size_t i = 0; i < r->p->ninstr; i++) {
        struct instr in = instr_at(r->p, i);
        size_t to[2] = {i + 1, in.c};
        bool takes[2] = {goes_on(&in), jumps(&in)};
        for (int k = 0; k < 2 && there[i]; k++) {
            if (!takes[k] || to[k] >= r->p->ninstr) continue;
            r->before[to[k]] = there[to[k]] ? common(r, r->before[to[k]], i) : i;
            there[to[k]] = true;
        }
        if (!there[i]) r->before[i] = i > 0 ? i - 1 : 0;
    }
}

/* The condition under which control comes from d to i, d having been reached. */
static struct dd *since(struct norm_run *r, size_t d, size_t i)
{
    struct norm *u = r->u;
    if (!r->local.at || r->local.from != d) {
        r->local.at = ARENA_ARRAY(u->arena, struct dd *, r->p->ninstr + 1);
        r->local.from = r->local.to = d;
        r->local.at[d] = u->yes;
    }
    for (; r->local.to < i; r->local.to++) {
        size_t k = r->local.to;
        struct instr in = instr_at(r->p, k);
        struct dd *here = r->local.at[k], *on = in.op == OP_JUMP ? u->no : r->onward[k] ? r->onward[k] : u->yes;
        if (!here) continue;
        size_t to[2] = {k + 1, in.c};
        struct dd *when[2] = {norm_and(u, here, on), norm_and(u, here, norm_not(u, on))};
        bool takes[2] = {goes_on(&in), jumps(&in)};
        for (int n = 0; n < 2; n++)
            if (takes[n] && to[n] < r->p->ninstr) r->local.at[to[n]] = r->local.at[to[n]] ? norm_or(u, r->local.at[to[n]], when[n]) : when[n];
    }
    return r->local.at[i] ? r->local.at[i] : u->no;
}

static void write_reg(struct norm_run *r, uint16_t reg, size_t i, struct dd *value)
{
    if (!r->regs[reg]) {
        r->regs[reg] = value;
        r->wrote[reg] = i;
        return;
    }
    r->wrote[reg] = common(r, r->wrote[reg], i);
    r->regs[reg] = norm_ite(r->u, since(r, r->wrote[reg], i), value, r->regs[reg]);
}

static struct dd *is_present(struct norm *u, struct dd *f)
{
    static const unsigned is = OP_IS;
    struct dd *x = norm_lift(u, &f, 1, norm__is_leaf, &is);
    if (!x) u->full = true;
    return x ? x : u->junk;
}

static void set(struct norm_run *r, uint16_t field, struct dd *reach, struct dd *value)
{
    struct norm_field *f = &r->out->fields[field];
    f->rule = norm_ite(r->u, reach, value, f->rule ? f->rule : r->u->out);
}

static void note_message(struct norm *u, struct norm_field *f, struct str m)
{
    for (size_t i = 0; i < f->nmessages; i++)
        if (str_eq(f->messages[i], m)) return;
    struct str *more = ARENA_ARRAY(u->arena, struct str, f->nmessages + 1);
    if (f->nmessages) memcpy(more, f->messages, f->nmessages * sizeof *more);
    more[f->nmessages++] = m;
    f->messages = more;
}

/* Each way here is the reject of the field that it comes from, or the result of a program that has no fields. */
static void reject(struct norm_run *r, size_t at, uint16_t message)
{
    struct str text = r->im->messages[message];
    for (const struct arrival *a = r->due[at]; a != NULL; a = a->next) {
        int owner = r->owner[a->from];
        for (size_t i = 0; i < r->fl->nfields && r->nsilent == 1; i++)      /* what stands in front of the next SET is not that field's */
            if (r->silent[i]) owner = (int)i;
        if (!r->map) {
            r->result = norm_ite(r->u, a->when, norm_reject(r->u, text), r->result ? r->result : r->u->junk);
            continue;
        }
        if (owner < 0) r->lost = true;
        if (owner < 0) continue;
        note_message(r->u, &r->out->fields[owner], text);
        set(r, (uint16_t)owner, a->when, norm_reject(r->u, text));
    }
}

static bool programs(struct norm_run *r, struct dd *reach);

/* Whether there are lines is one question; what each of them holds is worked out with columns of a line, and compared by itself. */
static bool each(struct norm_run *r, size_t i, const struct instr *in, struct dd *reach)
{
    struct norm_run body = {.u = r->u, .im = r->im, .fl = r->fl->lines[in->b].body, .other = r->other, .instead = r->instead, .site = &r->fl->lines[in->b],
                            .header = r->fl->ncolumns, .out = &r->out->lines[in->b]};
    if (r->owner[i] < 0 || !programs(&body, reach)) return false;
    struct term t = {.kind = TERM_EACH, .base = T_LIST, .maybe = true, .name = r->fl->fields[r->owner[i]].name};
    write_reg(r, in->a, i, norm_value(r->u, norm_term(r->u, &t), false));
    return true;
}

/* False: an instruction that is not known. */
static bool step(struct norm_run *r, size_t i, struct dd **reach)
{
    struct instr in = instr_at(r->p, i);
    struct norm *u = r->u;
    struct dd *f;
    switch ((enum opcode)in.op) {
    case OP_END: *reach = u->no; return true;
    case OP_RESULT: r->result = norm_ite(u, *reach, norm__reg(r, in.a), r->result ? r->result : u->junk); *reach = u->no; return true;
    case OP_REJECT: reject(r, i, in.a); *reach = u->no; return true;
    case OP_JUMP: arrive(r, in.c, *reach, i); *reach = u->no; return true;
    case OP_UNLESS:
        r->onward[i] = norm__reg(r, in.a);
        arrive(r, in.c, norm_and(u, *reach, norm_not(u, r->onward[i])), i);
        *reach = norm_and(u, *reach, r->onward[i]);
        return true;
    case OP_PRESENT:
        r->onward[i] = is_present(u, norm__reg(r, in.b));
        arrive(r, in.c, norm_and(u, *reach, norm_not(u, r->onward[i])), i);
        *reach = norm_and(u, *reach, r->onward[i]);
        write_reg(r, in.a, i, norm_present(u, norm__reg(r, in.b)));
        return true;
    case OP_SET: set(r, in.a, *reach, norm__reg(r, in.b)); return true;
    case OP_KEEP: set(r, in.a, *reach, u->keep); return true;
    case OP_EACH: return each(r, i, &in, *reach);
    default: break;
    }
    f = norm__op(r, &in);
    if (f) write_reg(r, in.a, i, f);
    return f != NULL;
}

/* The fields that are in none of the program's SETs and KEEPs. */
static void find_silent(struct norm_run *r)
{
    const struct image_flow *fl = r->fl;
    r->silent = ARENA_ARRAY(r->u->arena, bool, fl->nfields + 1);
    r->nsilent = 0;
    for (size_t i = 0; i < fl->nfields; i++) r->silent[i] = fl->fields[i].mode != FIELD_KEY && fl->fields[i].mode != FIELD_EVENT;
    for (size_t i = 0; i < r->p->ninstr; i++) {
        struct instr in = instr_at(r->p, i);
        if (in.op == OP_SET || in.op == OP_KEEP) r->silent[in.a] = false;
    }
    for (size_t i = 0; i < fl->nfields; i++) r->nsilent += r->silent[i];
}

/* Which field each instruction works for; -1: none. */
static void find_owners(struct norm_run *r)
{
    int owner = -1;
    for (size_t i = r->p->ninstr; i-- > 0;) {
        struct instr in = instr_at(r->p, i);
        if (in.op == OP_SET || in.op == OP_KEEP) owner = in.a;
        if (in.op == OP_END || in.op == OP_REJECT) owner = -1;
        r->owner[i] = owner;
    }
    /* a branch that only rejects may stand behind the last SET: what a SET jumps over is its field's too */
    for (size_t i = 0; i + 1 < r->p->ninstr; i++) {
        struct instr in = instr_at(r->p, i), next = instr_at(r->p, i + 1);
        if ((in.op != OP_SET && in.op != OP_KEEP) || next.op != OP_JUMP) continue;
        for (size_t k = i + 1; k < next.c && k < r->p->ninstr; k++) r->owner[k] = in.a;
    }
}

static void note_table(struct norm *u, struct norm_field *f, const struct image_table *t)
{
    for (size_t k = 0; k < f->ntables; k++)
        if (f->tables[k] == t) return;
    const struct image_table **more = ARENA_ARRAY(u->arena, const struct image_table *, f->ntables + 1);
    if (f->ntables) memcpy(more, f->tables, f->ntables * sizeof *more);
    more[f->ntables++] = t;
    f->tables = more;
}

/* The tables behind the operands of an instruction: handed on to the register that it writes, and to the field that it works for. */
static void note_tables(struct norm_run *r, size_t i)
{
    struct instr in = instr_at(r->p, i);
    const uint16_t words[3] = {in.a, in.b, in.c};
    size_t n = r->im->ntables;
    int written = -1;
    bool *used = ARENA_ARRAY(r->u->arena, bool, n + 1);
    for (size_t k = 0; k < 3; k++) {
        char kind = opcodes[in.op].operands[k];
        size_t count = kind == 'r' ? 1 : kind == 'l' ? args_count(r->im, words[k]) : 0;
        const uint16_t *regs = kind == 'r' ? &words[k] : count ? args_regs(r->im, words[k]) : NULL;
        if (kind == 'w') written = words[k];
        if (kind == 't') used[words[k]] = true;
        for (size_t j = 0; j < count; j++)
            for (size_t t = 0; t < n; t++) used[t] = used[t] || r->tables[regs[j] * n + t];
    }
    for (size_t t = 0; t < n; t++) {
        if (!used[t]) continue;
        if (written >= 0) r->tables[(size_t)written * n + t] = true;
        if (r->owner[i] >= 0 && r->out->fields) note_table(r->u, &r->out->fields[r->owner[i]], &r->im->tables[t]);
    }
}

static bool walk(struct norm_run *r, const struct image_program *p, struct dd *reach)
{
    struct arena *a = r->u->arena;
    r->p = p;
    r->regs = ARENA_ARRAY(a, struct dd *, r->fl->nregisters + 1);
    r->due = ARENA_ARRAY(a, struct arrival *, p->ninstr + 1);
    r->wrote = ARENA_ARRAY(a, size_t, r->fl->nregisters + 1);
    r->onward = ARENA_ARRAY(a, struct dd *, p->ninstr + 1);
    r->local.at = NULL;
    r->owner = ARENA_ARRAY(a, int, p->ninstr + 1);
    r->result = NULL;
    r->tables = r->im->ntables ? ARENA_ARRAY(a, bool, ((size_t)r->fl->nregisters + 1) * r->im->ntables) : NULL;
    find_owners(r);
    r->nsilent = 0;
    if (r->map) find_silent(r);
    find_before(r);
    for (size_t i = 0; i < p->ninstr; i++) {
        if (i > 0) arrive(r, i, reach, i - 1);
        if (i > 0) reach = r->u->no;
        for (const struct arrival *d = r->due[i]; d != NULL; d = d->next) reach = norm_or(r->u, reach, d->when);
        if (r->tables) note_tables(r, i);
        if (!step(r, i, &reach)) return false;
        if (r->u->full) return false;
    }
    return true;
}

/* The result of a program that has no fields; NULL when there is no such program. */
static bool single(struct norm_run *r, const struct image_program *p, struct dd **out)
{
    if (p->ninstr == 0 || !r->out->usable) return r->out->usable;
    r->out->usable = walk(r, p, r->u->yes);
    *out = r->result;
    return r->out->usable;
}

/* No row gets past a field that always rejects, and none to any when the filter takes none. Of several such fields nobody knows whose reject is whose. */
static void settle_fields(struct norm_run *r)
{
    struct norm_field *f = r->out->fields;
    for (size_t i = 0; i < r->fl->nfields; i++) {
        if (r->nsilent > 1 && r->silent[i]) f[i].rule = NULL;
        else if (!f[i].rule || (r->nsilent && !r->silent[i])) f[i] = (struct norm_field){.rule = r->u->out};
    }
}

/* All programs of a flow, or of what makes a line; reach: where control comes to them. */
static bool programs(struct norm_run *r, struct dd *reach)
{
    const struct image_flow *fl = r->fl;
    struct norm *u = r->u;
    struct norm_flow *out = r->out;
    *out = (struct norm_flow){.usable = true, .when = u->yes, .reach = reach};
    out->lines = ARENA_ARRAY(u->arena, struct norm_flow, fl->nlines + 1);
    if (!single(r, &fl->when, &out->when) || !single(r, &fl->adopt_program, &out->adopt) || !single(r, &fl->key_program, &out->key)) return false;
    if (!single(r, &fl->into_program, &out->into)) return false;
    out->fields = ARENA_ARRAY(u->arena, struct norm_field, fl->nfields + 1);   /* a field without instructions of its own has no rule here */
    r->map = true;
    if (walk(r, &fl->map, norm_and(u, reach, out->when)) && !u->full && (!r->lost || r->nsilent > 1)) {
        settle_fields(r);
        return true;
    }
    /* nothing is known of the fields; filter and keys stand */
    u->full = false;
    for (size_t i = 0; i < fl->nfields; i++) out->fields[i].rule = NULL;
    return true;
}

void norm_flow(struct norm *u, const struct image *im, const struct image_flow *fl, const struct image_flow *other, const struct image_table *const *instead,
               struct norm_flow *out)
{
    struct norm_run r = {.u = u, .im = im, .fl = fl, .other = other, .out = out, .instead = instead};
    u->narrowings = 10 * (size_t)NORM_NARROWINGS;
    programs(&r, u->yes);
}
