/* image_verify_code.c - holds one program against the registers of its flow before it may run. Security boundary: the vm trusts what passes.
 *
 * One walk from the first instruction to the last. Jumps go forward only, so when an instruction is reached, every way to it has been walked;
 * the state there is the intersection of the states at the jumps and of the fall-through:
 *
 *   state = bitset: register written on every path | target field set or kept on every path
 *
 * Types need no flow: a register has one static type, and every write must fit it. Code that nothing reaches is held to the same
 * rules with everything assumed written; it can never run. Every broken rule has a name (image_fault.rule), listed in docs/image-format.md. */
#include "code/image_types.h"
#include "base/check.h"
#include <stdarg.h>
#include <stdio.h>

struct walk {
    struct verifier *v;
    const struct image *im;
    const struct image_flow *fl;
    const struct image_program *p;
    int which;
    uint32_t at;
    size_t words;                      /* of a state */
    uint64_t *state, **joins;          /* joins[i]: states of the jumps to i, or NULL */
    bool reachable;
    uint64_t work;                     /* values compared so far: bounds the verifier's own time */
    const struct str **link_module;    /* per register of type link: where its links lead, once known */
};

void image__fault(struct verifier *v, uint32_t instr, const char *rule, const char *fmt, ...)
{
    if (v->why->err != ERR_OK) return;
    *v->why = (struct image_fault){.err = ERR_CORRUPT, .flow = v->flow, .instr = instr};
    snprintf(v->why->rule, sizeof v->why->rule, "%s", rule);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(v->why->text, sizeof v->why->text, fmt, ap);
    va_end(ap);
}

#define FAULT(rule, ...) (image__fault(w->v, w->at, rule, __VA_ARGS__), false)

/* ---- states ---- */

static bool bit(const uint64_t *s, size_t i) { return s[i / 64] >> (i % 64) & 1; }
static void set_bit(uint64_t *s, size_t i) { s[i / 64] |= UINT64_C(1) << (i % 64); }
static size_t field_bit(const struct walk *w, uint16_t f) { return w->fl->nregisters + f; }

static void join(struct walk *w, uint16_t target)
{
    if (!w->reachable) return;
    uint64_t *j = w->joins[target];
    if (!j) {
        j = w->joins[target] = ARENA_ARRAY(w->v->scratch, uint64_t, w->words);
        memcpy(j, w->state, w->words * sizeof *j);
        return;
    }
    for (size_t i = 0; i < w->words; i++) j[i] &= w->state[i];
}

/* The state in front of instruction i. */
static void enter(struct walk *w, size_t i)
{
    const uint64_t *j = w->joins[i];
    if (!j && !w->reachable) memset(w->state, 0xff, w->words * sizeof *w->state);
    for (size_t k = 0; j && k < w->words; k++) w->state[k] = w->reachable ? w->state[k] & j[k] : j[k];
    w->reachable |= j != NULL;
}

/* ---- operands ---- */

static bool check_read(struct walk *w, uint16_t r)
{
    if (r >= w->fl->nregisters) return FAULT("register", "register %u of %zu", (unsigned)r, w->fl->nregisters);
    if (!bit(w->state, r)) return FAULT("read-before-write", "register %u is not written on every way here", (unsigned)r);
    return true;
}

static bool check_list(struct walk *w, uint16_t l)
{
    if (l >= w->im->nargs) return FAULT("list", "argument list at %u of %zu", (unsigned)l, w->im->nargs);
    size_t n = args_count(w->im, l);
    if (n == 0 || n > BUILTIN_ARGS_MAX) return FAULT("list", "an argument list of %zu", n);
    if (n > w->im->nargs - l - 1) return FAULT("list", "an argument list that ends behind the section");
    for (size_t i = 0; i < n; i++)
        if (!check_read(w, args_regs(w->im, l)[i])) return false;
    return true;
}

static bool below(struct walk *w, const char *rule, unsigned i, size_t n)
{
    return i < n || FAULT(rule, "%s %u of %zu", rule, i, n);
}

static bool check_operand(struct walk *w, char kind, uint16_t x)
{
    switch (kind) {
    case 'r': return check_read(w, x);
    case 'w': return below(w, "register", x, w->fl->nregisters);
    case 'k': return below(w, "constant", x, w->im->nconsts);
    case 'c': return below(w, "column", x, w->fl->ncolumns);
    case 't': return below(w, "table", x, w->im->ntables);
    case 'f': return below(w, "field", x, w->fl->nfields);
    case 'm': return below(w, "message", x, w->im->nmessages);
    case 'n': return below(w, "link-site", x, w->fl->nlinks);
    case 'b': return below(w, "builtin", x, BUILTIN_COUNT);
    case 'e': return below(w, "list-site", x, w->fl->nlines);
    case 'l': return check_list(w, x);
    case 'j':
        if (x <= w->at) return FAULT("jump-back", "a jump to %u", (unsigned)x);
        return below(w, "jump-range", x, w->p->ninstr);
    case '-': return x == 0 || FAULT("unused-operand", "an unused operand is %u", (unsigned)x);
    default: check_failed("unknown operand letter in opcode.def", __FILE__, __LINE__);
    }
}

static bool check_operands(struct walk *w, const struct instr *in)
{
    const char *kinds = opcodes[in->op].operands;
    return check_operand(w, kinds[0], in->a) && check_operand(w, kinds[1], in->b) && check_operand(w, kinds[2], in->c);
}

/* ---- types ---- */

static const struct type *reg(const struct walk *w, uint16_t r) { return w->fl->registers[r]; }

/* n more comparisons of values. */
static bool spend(struct walk *w, size_t n)
{
    enum { WORK_MAX = 50000000 };
    w->work += n;
    return w->work <= WORK_MAX || FAULT("verify-limit", "too many values in sets and tables");
}

/* A result of type t into register r. */
static bool writes(struct walk *w, uint16_t r, const struct type *t)
{
    if (!spend(w, t->nset)) return false;
    if (type_fits(t, reg(w, r))) return true;
    struct buf a = {0}, b = {0};
    type_print(&a, t);
    type_print(&b, reg(w, r));
    image__fault(w->v, w->at, "write-type", "%.*s does not fit register %u: %.*s", (int)(a.n < 80 ? a.n : 80), a.p, (unsigned)r, (int)(b.n < 80 ? b.n : 80), b.p);
    buf_free(&a);
    buf_free(&b);
    return false;
}

static bool writes_plain(struct walk *w, uint16_t r, enum type_base base)
{
    struct type t = {.base = (uint8_t)base};
    return writes(w, r, &t);
}

/* Register r must be of this base and never absent. */
static bool needs(struct walk *w, uint16_t r, enum type_base base)
{
    const struct type *t = reg(w, r);
    if (t->base != base) return FAULT("operand-type", "register %u is of another type", (unsigned)r);
    return !t->optional || FAULT("operand-absent", "register %u may be absent", (unsigned)r);
}

/* The links of register `from`, or of a site, go on in register `to`: one register leads to one module. */
static bool carries_link(struct walk *w, uint16_t to, const struct str *module)
{
    if (!module) return true;
    if (!w->link_module[to]) w->link_module[to] = module;
    return str_eq(*w->link_module[to], *module) || FAULT("link-module", "register %u leads to two modules", (unsigned)to);
}

static bool check_const(struct walk *w, const struct instr *in)
{
    char why[100];
    const struct value *v = &w->im->consts[in->b];
    const struct type *t = reg(w, in->a);
    if (!type_admits(t, v, why, sizeof why)) return FAULT("const-type", "constant %u %s", (unsigned)in->b, why);
    if (v->kind == V_DECIMAL && v->scale > t->scale) return FAULT("const-scale", "constant %u has a larger scale than its register", (unsigned)in->b);
    return true;
}

static bool check_move(struct walk *w, const struct instr *in, bool present)
{
    struct type t = *reg(w, in->b);
    if (present) t.optional = false;
    return writes(w, in->a, &t) && (t.base != T_LINK || carries_link(w, in->a, w->link_module[in->b]));
}

static bool check_equal(struct walk *w, const struct instr *in)
{
    if (reg(w, in->b)->base != reg(w, in->c)->base || reg(w, in->b)->base == T_LINK || reg(w, in->b)->base == T_LIST)
        return FAULT("compare-type", "registers %u and %u cannot be compared", (unsigned)in->b, (unsigned)in->c);
    return writes_plain(w, in->a, T_BOOL);
}

static bool check_order(struct walk *w, const struct instr *in)
{
    enum type_base base = (enum type_base)reg(w, in->b)->base;
    if (base != T_DECIMAL && base != T_DATE && base != T_LOCAL && base != T_INSTANT)
        return FAULT("compare-type", "register %u has no order", (unsigned)in->b);
    return needs(w, in->b, base) && needs(w, in->c, base) && writes_plain(w, in->a, T_BOOL);
}

static bool check_arith(struct walk *w, const struct instr *in)
{
    struct type t;
    bool unary = in->op == OP_NEG;
    if (!needs(w, in->b, T_DECIMAL) || (!unary && !needs(w, in->c, T_DECIMAL))) return false;
    if (!image__arith_type((enum opcode)in->op, reg(w, in->b), reg(w, unary ? in->b : in->c), &t))
        return FAULT("overflow", "the result can need more than 38 digits or 12 decimals");
    return writes(w, in->a, &t);
}

/* Every value that key can be has an entry. */
static bool table_covers(const struct image_table *t, const struct type *key)
{
    for (size_t i = 0; i < key->nset; i++)
        if (!image_table_get(t, key->set[i])) return false;
    return key->nset > 0;
}

static bool table_value(struct walk *w, const struct value *v, const struct type *t)
{
    char why[100];
    if (!type_admits(t, v, why, sizeof why)) return FAULT("table-type", "a value of the table %s", why);
    return v->kind != V_DECIMAL || v->scale <= t->scale || FAULT("const-scale", "a value of the table has a larger scale than its register");
}

static bool check_table(struct walk *w, const struct instr *in)
{
    const struct image_table *t = &w->im->tables[in->c];
    const struct type *key = reg(w, in->b), *result = reg(w, in->a);
    if (key->base != T_TEXT) return FAULT("operand-type", "the key of a table is a text");
    if (!spend(w, t->n + key->nset)) return false;
    if ((key->optional || !(t->has_else || table_covers(t, key))) && !result->optional)
        return FAULT("table-absent", "a lookup may miss, but register %u is never absent", (unsigned)in->a);
    for (size_t i = 0; i < t->n; i++)
        if (!table_value(w, &t->values[i], result)) return false;
    return !t->has_else || table_value(w, &t->else_value, result);
}

static bool check_call(struct walk *w, const struct instr *in)
{
    struct type args[BUILTIN_ARGS_MAX], t;
    char why[100];
    size_t bad, n = image__list_types(w->im, w->fl, in->c, args);
    if (!builtin_type(in->b, args, n, &t, &bad, why, sizeof why)) return FAULT("builtin-type", "argument %zu %s", bad + 1, why);
    return writes(w, in->a, &t);
}

static bool check_concat(struct walk *w, const struct instr *in)
{
    struct type args[BUILTIN_ARGS_MAX], t;
    size_t n = image__list_types(w->im, w->fl, in->c, args);
    for (size_t i = 0; i < n; i++)
        if (!needs(w, args_regs(w->im, in->c)[i], T_TEXT)) return false;
    if (!image__concat_type(args, n, &t)) return FAULT("text-length", "the text can be longer than %d characters", LIMIT_TEXT_CHARS);
    return writes(w, in->a, &t);
}

static bool check_text(struct walk *w, const struct instr *in)
{
    struct type t;
    if (!needs(w, in->b, (enum type_base)reg(w, in->b)->base)) return false;
    if (!image__text_type(reg(w, in->b), &t)) return FAULT("operand-type", "a link or a list is no text");
    return writes(w, in->a, &t);
}

/* The arguments of a ref are the key of the flow it leads to; of a find, the one value looked for. */
static bool check_link_args(struct walk *w, const struct image_link *site, const struct type *args, size_t n)
{
    const struct image_flow *to = site->kind == LINK_REF ? &w->im->flows[site->flow] : NULL;
    size_t want = to ? to->nkeys : 1 + site->nmore;
    if (n != want) return FAULT("link-args", "%zu arguments where the key has %zu parts", n, want);
    for (size_t i = 0; i < n; i++) {
        if (args[i].base == T_LINK || args[i].base == T_LIST) return FAULT("link-args", "argument %zu is a link or a list itself", i + 1);
        if (to && args[i].base != to->columns[to->key_columns[i]].type.base)
            return FAULT("link-args", "argument %zu is of another type than the key", i + 1);
    }
    return true;
}

static bool check_link(struct walk *w, const struct instr *in)
{
    struct type args[BUILTIN_ARGS_MAX], t = {.base = T_LINK, .module = reg(w, in->a)->module};
    const struct image_link *site = &w->fl->links[in->b];
    size_t n = image__list_types(w->im, w->fl, in->c, args);
    if (!check_link_args(w, site, args, n)) return false;
    for (size_t i = 0; i < n; i++) t.optional |= args[i].optional;
    return writes(w, in->a, &t) && carries_link(w, in->a, &site->module);
}

/* Lines have the fields of the site's body, in their order. */
static bool check_each(struct walk *w, const struct instr *in)
{
    const struct image_lines *l = &w->fl->lines[in->b];
    struct type types[LIMIT_FIELDS];
    struct str names[LIMIT_FIELDS];
    const uint8_t flags[LIMIT_FIELDS] = {0};
    for (size_t i = 0; i < l->body->nfields; i++) {
        types[i] = l->body->fields[i].type;
        names[i] = l->body->fields[i].name;
    }
    struct list_shape shape = {.max_lines = l->max_lines, .n = (uint16_t)l->body->nfields, .names = names, .types = types, .flags = flags};
    return writes(w, in->a, &(struct type){.base = T_LIST, .optional = true, .shape = &shape});
}

static bool check_column(struct walk *w, const struct instr *in)
{
    const struct type *t = &w->fl->columns[in->b].type;
    return t->base != T_LIST ? writes(w, in->a, t) : FAULT("operand-type", "column %u is a list: only EACH reads it", (unsigned)in->b);
}

static bool check_field_mode(struct walk *w, uint16_t f)
{
    enum field_mode m = w->fl->fields[f].mode;
    if (m == FIELD_SET || m == FIELD_ONCE || m == FIELD_FILL) return true;
    return FAULT("field-mode", "field %u is not set by the mapping", (unsigned)f);
}

static bool check_set(struct walk *w, const struct instr *in)
{
    const struct image_field *f = &w->fl->fields[in->a];
    const struct type *t = reg(w, in->b);
    struct type field = f->type;
    field.module = 0;                                           /* modules are compared by name, below */
    if (!check_field_mode(w, in->a) || !spend(w, t->nset)) return false;
    if (!type_fits(t, &field)) return FAULT("field-type", "register %u does not fit field %.*s", (unsigned)in->b, (int)f->name.n, f->name.p);
    const struct str *module = t->base == T_LINK ? w->link_module[in->b] : NULL;
    return !module || str_eq(*module, f->link_module) || FAULT("link-module", "a link into %.*s where %.*s is wanted", (int)module->n,
                                                               module->p, (int)f->link_module.n, f->link_module.p);
}

static bool check_types(struct walk *w, const struct instr *in)
{
    switch ((enum opcode)in->op) {
    case OP_END: case OP_JUMP: case OP_REJECT: case OP_RESULT: case OP_COUNT: return true;
    case OP_COLUMN:  return check_column(w, in);
    case OP_EACH:    return check_each(w, in);
    case OP_CONST:   return check_const(w, in);
    case OP_ABSENT:  return reg(w, in->a)->optional || FAULT("write-type", "register %u is never absent", (unsigned)in->a);
    case OP_MOVE:    return check_move(w, in, false);
    case OP_PRESENT: return check_move(w, in, true);
    case OP_UNLESS:  return needs(w, in->a, T_BOOL);
    case OP_IS:      return writes_plain(w, in->a, T_BOOL);
    case OP_EQ: case OP_NE: return check_equal(w, in);
    case OP_LT: case OP_LE: case OP_GT: case OP_GE: return check_order(w, in);
    case OP_NOT:     return needs(w, in->b, T_BOOL) && writes_plain(w, in->a, T_BOOL);
    case OP_ADD: case OP_SUB: case OP_MUL: case OP_NEG: return check_arith(w, in);
    case OP_TABLE:   return check_table(w, in);
    case OP_CALL:    return check_call(w, in);
    case OP_CONCAT:  return check_concat(w, in);
    case OP_TEXT:    return check_text(w, in);
    case OP_LINK:    return check_link(w, in);
    case OP_SET:     return check_set(w, in);
    case OP_KEEP:    return check_field_mode(w, in->a);
    }
    return FAULT("opcode", "opcode %u", (unsigned)in->op);
}

/* ---- flow of control ---- */

static bool check_end(struct walk *w)
{
    for (size_t f = 0; f < w->fl->nfields; f++) {
        enum field_mode m = w->fl->fields[f].mode;
        if (m == FIELD_KEY || m == FIELD_EVENT || bit(w->state, field_bit(w, (uint16_t)f))) continue;
        return FAULT("field-unset", "field %.*s is neither set nor kept on some way here", (int)w->fl->fields[f].name.n, w->fl->fields[f].name.p);
    }
    return true;
}

/* A key is a text that is always there and fits its field. */
static bool check_key_result(struct walk *w, uint16_t r)
{
    if (!needs(w, r, T_TEXT)) return false;
    if (w->v->body) return true;
    return type_fits(reg(w, r), &w->fl->fields[w->fl->key_field].type) || FAULT("field-type", "register %u does not fit the key field", (unsigned)r);
}

/* What a program of this kind may do and how it may end. */
static bool check_kind(struct walk *w, const struct instr *in)
{
    bool map_only = in->op == OP_END || in->op == OP_SET || in->op == OP_KEEP || in->op == OP_REJECT || in->op == OP_LINK || in->op == OP_EACH;
    bool into = w->which == PROGRAM_INTO && (in->op == OP_REJECT || in->op == OP_LINK);
    if (into && in->op == OP_LINK && (w->fl->links[in->b].kind != LINK_REF || w->fl->links[in->b].flow + 1u != w->fl->into))
        return FAULT("into", "the link leads to another flow than the one that is added to");
    if (map_only && !into && w->which != PROGRAM_MAP) return FAULT("program-kind", "%s in a condition", opcodes[in->op].name);
    if (in->op == OP_COLUMN && w->which == PROGRAM_KEY && !w->fl->columns[in->b].key)
        return FAULT("key-column", "the key's program reads column %u, which is no part of the key", (unsigned)in->b);
    if (w->v->body && (in->op == OP_KEEP || in->op == OP_EACH)) return FAULT("program-kind", "%s in a line", opcodes[in->op].name);
    if (in->op != OP_RESULT) return true;
    if (w->which == PROGRAM_MAP) return FAULT("program-kind", "RESULT in a mapping");
    if (w->which == PROGRAM_WHEN) return needs(w, in->a, T_BOOL);
    if (w->which == PROGRAM_KEY) return check_key_result(w, in->a);
    if (w->which == PROGRAM_INTO) return reg(w, in->a)->base == T_LINK || FAULT("operand-type", "the result is no link");
    return (reg(w, in->a)->base != T_LINK && reg(w, in->a)->base != T_LIST) || FAULT("operand-type", "the result is a link or a list");
}

/* What the instruction does to the state. */
static bool leave(struct walk *w, const struct instr *in)
{
    switch (in->op) {
    case OP_END:    if (w->reachable && !check_end(w)) return false; w->reachable = false; return true;
    case OP_REJECT:
    case OP_RESULT: w->reachable = false; return true;
    case OP_JUMP:   join(w, in->c); w->reachable = false; return true;
    case OP_UNLESS:
    case OP_PRESENT: join(w, in->c); break;
    case OP_SET:
    case OP_KEEP:   set_bit(w->state, field_bit(w, in->a)); break;
    default:        break;
    }
    if (opcodes[in->op].operands[0] == 'w') set_bit(w->state, in->a);
    return true;
}

static bool check_instr(struct walk *w)
{
    struct instr in = instr_at(w->p, w->at);
    if (in.op >= OP_COUNT) return FAULT("opcode", "opcode %u", (unsigned)in.op);
    enter(w, w->at);
    return check_operands(w, &in) && check_kind(w, &in) && check_types(w, &in) && leave(w, &in);
}

static bool check_bounds(struct walk *w)
{
    uint64_t scratch, cost;
    image__program_bounds(w->im, w->fl, w->p, &scratch, &cost);
    w->at = 0;
    if (scratch > LIMIT_SCRATCH_BYTES) return FAULT("scratch-limit", "a row can need %llu bytes of text", (unsigned long long)scratch);
    if (cost > LIMIT_PROGRAM_COST) return FAULT("cost-limit", "a row can cost %llu units", (unsigned long long)cost);
    if (scratch != w->p->scratch_bytes) return FAULT("scratch", "declared %u bytes of text, computed %llu", w->p->scratch_bytes, (unsigned long long)scratch);
    return cost == w->p->cost || FAULT("cost", "declared cost %u, computed %llu", w->p->cost, (unsigned long long)cost);
}

bool image__verify_program(struct verifier *v, const struct image_program *p, int which)
{
    struct walk walk = {.v = v, .im = v->im, .fl = v->fl, .p = p, .which = which, .reachable = true}, *w = &walk;
    if (p->ninstr > LIMIT_CODE_WORDS / INSTR_WORDS) return FAULT("code-limit", "%zu instructions", p->ninstr);
    struct instr last = p->ninstr ? instr_at(p, p->ninstr - 1) : (struct instr){.op = OP_COUNT};
    if (last.op != OP_END && last.op != OP_REJECT && last.op != OP_RESULT) return FAULT("program-end", "the last instruction does not end the program");
    struct arena_mark m = arena_mark(v->scratch);
    w->words = (v->fl->nregisters + v->fl->nfields + 63) / 64;
    w->state = ARENA_ARRAY(v->scratch, uint64_t, w->words);
    w->joins = ARENA_ARRAY(v->scratch, uint64_t *, p->ninstr);
    w->link_module = ARENA_ARRAY(v->scratch, const struct str *, v->fl->nregisters);
    bool ok = true;
    for (; ok && w->at < p->ninstr; w->at++) ok = check_instr(w);
    ok = ok && check_bounds(w);
    arena_release(v->scratch, m);
    return ok;
}
