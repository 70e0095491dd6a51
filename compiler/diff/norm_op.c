/* norm_op.c - instructions that make values, over diagrams; see norm.h. Each is a function of leaves that norm_lift applies. What would become too
 * large, or does not fit a number, is a TERM_OP over its operands: equal operands still give equal terms. */
#include "compiler/diff/norm_private.h"
#include "base/check.h"
#include "base/limits.h"
#include "dsl/types.h"
#include "vm/builtin.h"
#include <stdlib.h>

enum { MAX_EXPANDED_ROWS = 64, MAX_FOLD_BYTES = 1 << 16, OPAQUE_SCALE = LIMIT_DECIMAL_SCALE };

static bool is_word(const struct term *t) { return t->kind == TERM_ABSENT || t->kind == TERM_JUNK; }
static bool is_const(const struct term *t) { return t->kind == TERM_CONST; }

/* A term that nothing is known about but its operands. */
static struct dd *opaque(struct norm *u, unsigned op, const struct type *result, struct dd *const *f, size_t n)
{
    struct dd *args[BUILTIN_ARGS_MAX];
    for (size_t i = 0; i < n; i++) args[i] = norm_tidy(u, f[i]);
    struct term t = {.kind = TERM_OP, .index = op, .base = result->base, .maybe = result->optional, .args = args, .nargs = n};
    if (t.base == T_DECIMAL) t.scale = OPAQUE_SCALE;
    return norm_value(u, norm_term(u, &t), false);
}

struct dd *norm__is_leaf(struct norm *u, struct term *const *t, size_t n, const void *ctx)
{
    (void)n;
    (void)ctx;
    return t[0]->kind == TERM_ABSENT ? u->no : u->yes;
}

/* ---- comparisons ---- */

static struct dd *same(struct norm *u, struct term *a, struct term *b)
{
    struct dd *pair[2] = {norm_leaf(u, a->id < b->id ? a : b), norm_leaf(u, a->id < b->id ? b : a)};
    struct term t = {.kind = TERM_SAME, .base = T_BOOL, .args = pair, .nargs = 2};
    return norm_value(u, norm_term(u, &t), true);
}

static struct dd *equal_leaf(struct norm *u, struct term *const *t, size_t n, const void *ctx)
{
    struct term *a = t[0], *b = t[1];
    (void)n;
    (void)ctx;
    if (a == b) return u->yes;
    if (is_word(a) || is_word(b) || a->base != b->base) return u->no;
    if (a->base == T_TEXT) {
        if (is_const(a) && is_const(b)) return u->no;          /* interned: they differ */
        if (!is_const(a) && !is_const(b)) return same(u, a, b);
        struct term *v = is_const(a) ? b : a;
        struct cell c = {.text = value_str(is_const(a) ? &a->value : &b->value), .to = u->yes};
        return norm_case(u, v, v->maybe ? u->junk : NULL, &c, 1, u->no);
    }
    if (a->base == T_BOOL) return is_const(a) && is_const(b) ? u->no : same(u, a, b);
    if (a->base == T_LINK) return same(u, a, b);
    struct dd *f = norm_order(u, ORDER_EQ, a, b);
    return f ? f : same(u, a, b);
}

static struct dd *order_leaf(struct norm *u, struct term *const *t, size_t n, const void *ctx)
{
    const unsigned op = *(const unsigned *)ctx;
    if (is_word(t[0]) || is_word(t[1])) return u->junk;
    enum norm_order o = op == OP_LT ? ORDER_LT : op == OP_LE ? ORDER_LE : op == OP_GT ? ORDER_GT : ORDER_GE;
    struct dd *f = norm_order(u, o, t[0], t[1]);
    if (f) return f;
    struct dd *pair[2] = {norm_leaf(u, t[0]), norm_leaf(u, t[1])};
    struct type yes_no = {.base = T_BOOL};
    return opaque(u, op, &yes_no, pair, n);
}

/* ---- numbers and texts ---- */

static struct dd *arith_leaf(struct norm *u, struct term *const *t, size_t n, const void *ctx)
{
    const unsigned op = *(const unsigned *)ctx;
    struct value zero = value_decimal(0, 0);
    for (size_t i = 0; i < n; i++)
        if (is_word(t[i])) return u->junk;
    struct term *x = op == OP_NEG ? norm_add(u, norm_const(u, &zero)->term, t[0], true)
                   : op == OP_MUL ? norm_mul(u, t[0], t[1]) : norm_add(u, t[0], t[1], op == OP_SUB);
    if (x) return norm_leaf(u, x);
    struct dd *args[2] = {norm_leaf(u, t[0]), n > 1 ? norm_leaf(u, t[1]) : NULL};
    struct type number = {.base = T_DECIMAL};
    return opaque(u, op, &number, args, n);
}

static struct dd *const_text(struct norm *u, const struct value *v, unsigned scale)
{
    struct value at = *v;
    struct buf b = {0};
    if (v->kind == V_DECIMAL) decimal_rescale(v, scale, &at);
    if (v->kind == V_LOCAL || v->kind == V_INSTANT || v->kind == V_DATE || v->kind == V_DECIMAL || v->kind == V_BOOL) value_print(&b, &at);
    struct value text = value_text((struct str){arena_copy(u->arena, b.p ? b.p : "", b.n), b.n});
    buf_free(&b);
    return norm_const(u, &text);
}

/* ctx: the decimals that numbers are written with. */
static struct dd *text_leaf(struct norm *u, struct term *const *t, size_t n, const void *ctx)
{
    const unsigned scale = *(const unsigned *)ctx;
    if (is_word(t[0])) return u->junk;
    if (t[0]->base == T_TEXT) return norm_leaf(u, t[0]);
    bool times = t[0]->base == T_LOCAL || t[0]->base == T_INSTANT;      /* their printed form is the vm's own affair */
    if (is_const(t[0]) && !times && (t[0]->base != T_DECIMAL || t[0]->value.scale <= scale)) return const_text(u, &t[0]->value, scale);
    struct dd *arg = norm_leaf(u, t[0]);
    struct term x = {.kind = TERM_TEXT, .base = T_TEXT, .index = t[0]->base == T_DECIMAL ? scale : 0, .args = &arg, .nargs = n};
    return norm_leaf(u, norm_term(u, &x));
}

static size_t parts_of(struct term *t, struct dd *self, struct dd **out)
{
    if (t->kind != TERM_CONCAT) {
        out[0] = self;
        return 1;
    }
    memcpy(out, t->args, t->nargs * sizeof *out);
    return t->nargs;
}

/* Two texts in order; parts stand side by side, neighbouring constants are one. */
static struct dd *concat_leaf(struct norm *u, struct term *const *t, size_t n, const void *ctx)
{
    (void)n;
    (void)ctx;
    if (is_word(t[0]) || is_word(t[1])) return u->junk;
    size_t most = t[0]->nargs + t[1]->nargs + 2;
    struct dd **args = ARENA_ARRAY(u->arena, struct dd *, most);
    size_t k = parts_of(t[0], norm_leaf(u, t[0]), args), more = parts_of(t[1], norm_leaf(u, t[1]), args + k);
    if (is_const(args[k - 1]->term) && is_const(args[k]->term)) {
        struct str a = value_str(&args[k - 1]->term->value), b = value_str(&args[k]->term->value);
        struct value v = value_text(str_of(""));
        char *p = arena_alloc(u->arena, a.n + b.n + 1);
        memcpy(p, a.p, a.n);
        memcpy(p + a.n, b.p, b.n);
        v = value_text((struct str){p, a.n + b.n});
        args[k - 1] = norm_const(u, &v);
        memmove(args + k, args + k + 1, (more - 1) * sizeof *args);
        more--;
    }
    if (k + more == 1) return args[0];
    struct term x = {.kind = TERM_CONCAT, .base = T_TEXT, .args = args, .nargs = k + more};
    return norm_leaf(u, norm_term(u, &x));
}

static struct dd *concat_all(struct norm *u, struct dd *const *parts, size_t n)
{
    struct dd *f = parts[0];
    for (size_t i = 1; i < n; i++) {
        struct dd *pair[2] = {f, parts[i]};
        struct type text = {.base = T_TEXT};
        f = norm_lift(u, pair, 2, concat_leaf, NULL);
        if (!f) f = opaque(u, OP_CONCAT, &text, pair, 2);
    }
    return f;
}

static struct dd *concat(struct norm_run *r, const struct instr *in)
{
    struct dd *parts[BUILTIN_ARGS_MAX];
    size_t n = args_count(r->im, in->c);
    for (size_t i = 0; i < n; i++) parts[i] = norm__reg(r, args_regs(r->im, in->c)[i]);
    return concat_all(r->u, parts, n);
}

/* ---- tables ---- */

static struct dd *table_term(struct norm *u, const struct image_table *t, struct term *key)
{
    struct dd *arg = norm_leaf(u, key);
    struct term x = {.kind = TERM_TABLE, .table = t, .args = &arg, .nargs = 1, .maybe = true, .base = T_TEXT};
    bool any = false;
    for (size_t i = 0; i <= t->n; i++) {
        const struct value *v = i < t->n ? &t->values[i] : &t->else_value;
        if (i == t->n && !t->has_else) break;
        if (!value_present(v)) continue;
        x.base = v->kind == V_TEXT ? T_TEXT : v->kind == V_DECIMAL ? T_DECIMAL : v->kind == V_BOOL ? T_BOOL : v->kind == V_DATE ? T_DATE : v->kind == V_LOCAL ? T_LOCAL : T_INSTANT;
        if (v->kind == V_DECIMAL && v->scale > x.scale) x.scale = v->scale;
        any = true;
    }
    return any ? norm_value(u, norm_term(u, &x), false) : u->absent;
}

static struct dd *table_leaf(struct norm *u, struct term *const *k, size_t n, const void *ctx)
{
    const struct image_table *t = ctx;
    struct dd *rest = t->has_else ? norm_const(u, &t->else_value) : u->absent;
    (void)n;
    if (k[0]->kind == TERM_ABSENT) return u->absent;
    if (is_const(k[0])) {
        const struct value *hit = image_table_get(t, value_str(&k[0]->value));
        return hit ? norm_const(u, hit) : rest;
    }
    if (t->n > MAX_EXPANDED_ROWS || k[0]->base != T_TEXT) return table_term(u, t, k[0]);
    struct cell *cells = ARENA_ARRAY(u->arena, struct cell, t->n + 1);
    for (size_t i = 0; i < t->n; i++) cells[i] = (struct cell){.text = value_str(&t->keys[i]), .to = norm_const(u, &t->values[i])};
    return norm_case(u, k[0], k[0]->maybe ? u->junk : NULL, cells, t->n, rest);
}

/* ---- calls and links ---- */

struct call { unsigned builtin; bool maybe; struct dd **args; size_t n; size_t lifted[NORM_LIFT_MAX]; };

/* A call of constants only is made. */
static struct dd *fold_call(struct norm *u, const struct call *c)
{
    const struct value *values[BUILTIN_ARGS_MAX];
    struct type types[BUILTIN_ARGS_MAX];
    struct builtin_info in = builtin_info(c->builtin);
    for (size_t i = 0; i < c->n; i++) {
        const struct term *t = c->args[i]->leaf ? c->args[i]->term : NULL;
        if (!t || (!is_const(t) && t->kind != TERM_ABSENT)) return NULL;
        values[i] = is_const(t) ? &t->value : &value_absent;
        types[i] = is_const(t) ? types_of_value(u->arena, &t->value) : builtin_null(builtin_param(&in, i));
    }
    uint64_t need = builtin_scratch(c->builtin, types, c->n) + 64;
    if (need > MAX_FOLD_BYTES) return NULL;
    struct scratch s = {arena_alloc(u->arena, (size_t)need), 0, (size_t)need};
    struct value out;
    builtin_run(c->builtin, values, c->n, &s, &out);
    return norm_const(u, &out);
}

/* Rounding to as many decimals as the number can have changes nothing. */
static bool rounds_nothing(const struct call *c)
{
    if (c->builtin != BUILTIN_round || !c->args[0]->leaf || !c->args[1]->leaf || !is_const(c->args[1]->term)) return false;
    return c->args[1]->term->value.u.coef >= c->args[0]->term->scale;
}

static int by_id(const void *a, const void *b)
{
    const struct dd *x = *(struct dd *const *)a, *y = *(struct dd *const *)b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Absent parts leave no trace: they are taken out. When anything is left: what comes back. NULL: too large. */
static struct dd *joined(struct norm *u, struct call *c)
{
    size_t k = c->builtin == BUILTIN_join ? 1 : 0;
    struct dd *any = u->no;
    for (size_t i = k; i < c->n; i++) {
        if (c->args[i] == u->absent) continue;
        c->args[k++] = c->args[i];
        struct dd *is = norm_lift(u, &c->args[k - 1], 1, norm__is_leaf, NULL);
        if (!is) u->full = true;
        if (!is) return NULL;
        any = norm_or(u, any, is);
    }
    c->n = k;
    return any;
}

static bool is_lines(const struct dd *f) { return f->leaf && f->term->kind == TERM_CALL && f->term->index == BUILTIN_lines; }
static bool is_text_const(const struct dd *f) { return f->leaf && is_const(f->term) && f->term->base == T_TEXT; }

/* Adds a part to lines; neighbouring constants are one. */
static void add_line(struct norm *u, struct call *c, struct dd *part)
{
    if (c->n == 0 || !is_text_const(c->args[c->n - 1]) || !is_text_const(part)) {
        c->args[c->n++] = part;
        return;
    }
    struct dd *both[2] = {c->args[c->n - 1], part};
    struct call two = {.builtin = BUILTIN_lines, .args = both, .n = 2};
    struct dd *one = fold_call(u, &two);
    if (one) c->args[c->n - 1] = one;
    else c->args[c->n++] = part;
}

/* Lines of lines are lines: a part that is such a call, and there, stands for its own parts. */
static void flatten_lines(struct norm *u, struct call *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) n += is_lines(c->args[i]) ? c->args[i]->term->nargs : 1;
    struct call all = *c;
    all.args = ARENA_ARRAY(u->arena, struct dd *, n + 1);
    all.n = 0;
    for (size_t i = 0; i < c->n; i++) {
        const struct term *t = is_lines(c->args[i]) ? c->args[i]->term : NULL;
        if (!t) add_line(u, &all, c->args[i]);
        for (size_t k = 0; t && k < t->nargs; k++) add_line(u, &all, t->args[k]);
    }
    if (all.n <= BUILTIN_ARGS_MAX) *c = all;
}

static struct dd *call_leaf(struct norm *u, struct term *const *t, size_t n, const void *ctx)
{
    struct call c = *(const struct call *)ctx;
    struct dd **args = ARENA_ARRAY(u->arena, struct dd *, c.n + 1);
    memcpy(args, c.args, c.n * sizeof *args);
    for (size_t i = 0; i < n; i++) {
        if (is_word(t[i])) return u->junk;
        args[c.lifted[i]] = norm_leaf(u, t[i]);
    }
    c.args = args;
    if (c.builtin == BUILTIN_left) c.builtin = BUILTIN_truncate;
    if (c.builtin == BUILTIN_min || c.builtin == BUILTIN_max || c.builtin == BUILTIN_earliest || c.builtin == BUILTIN_latest) qsort(args, c.n, sizeof *args, by_id);
    struct dd *folded = fold_call(u, &c);
    if (folded) return folded;
    if (rounds_nothing(&c)) return args[0];
    struct dd *there = u->yes;
    if (c.builtin == BUILTIN_lines || c.builtin == BUILTIN_join) {
        there = joined(u, &c);
        if (!there) return u->junk;
        if (there == u->no) return u->absent;
        if (c.builtin == BUILTIN_lines) flatten_lines(u, &c);
        args = c.args;
        if (c.n == (c.builtin == BUILTIN_join ? 2u : 1u)) return args[c.n - 1];
        c.maybe = false;
    }
    struct builtin_info in = builtin_info(c.builtin);
    struct term x = {.kind = TERM_CALL, .index = c.builtin, .args = args, .nargs = c.n, .maybe = c.maybe};
    x.base = in.result.kind == 'D' ? T_DECIMAL : in.result.kind == 'B' ? T_BOOL : in.result.kind == 'd' ? T_DATE : in.result.kind == 'l' ? T_LOCAL
           : in.result.kind == 'i' ? T_INSTANT : T_TEXT;
    if (x.base == T_DECIMAL) x.scale = OPAQUE_SCALE;
    if (c.builtin == BUILTIN_round && is_const(args[1]->term)) x.scale = (uint8_t)args[1]->term->value.u.coef;
    return norm_ite(u, there, norm_value(u, norm_term(u, &x), false), u->absent);
}

static struct dd *call(struct norm_run *r, const struct instr *in)
{
    struct builtin_info info = builtin_info(in->b);
    struct call c = {.builtin = in->b, .n = args_count(r->im, in->c), .maybe = info.result.optional};
    struct dd *lift[NORM_LIFT_MAX];
    const uint16_t *regs = args_regs(r->im, in->c);
    size_t n = 0;
    c.args = ARENA_ARRAY(r->u->arena, struct dd *, c.n + 1);
    for (size_t i = 0; i < c.n; i++) {
        c.args[i] = norm__reg(r, regs[i]);
        bool whole = builtin_param(&info, i).optional || n == NORM_LIFT_MAX;
        if (whole) c.args[i] = norm_tidy(r->u, c.args[i]);
        if (whole) continue;
        lift[n] = c.args[i];
        c.lifted[n++] = i;
    }
    struct dd *f = norm_lift(r->u, lift, n, call_leaf, &c);
    return f ? f : opaque(r->u, OP_COUNT + in->b, r->fl->registers[in->a], c.args, c.n);
}

/* What is looked up, as text: it names the site in both versions. */
static struct str site_name(struct norm_run *r, const struct image_link *l)
{
    struct buf b = {0};
    if (l->kind == LINK_REF) buf_puts(&b, "ref ");
    if (l->kind == LINK_REF && l->flow < r->im->nflows) buf_str(&b, r->im->flows[l->flow].name);
    if (l->kind == LINK_FIND) {
        buf_printf(&b, "find %.*s.%.*s by %.*s", (int)l->target.n, l->target.p, (int)l->module.n, l->module.p, (int)l->field.n, l->field.p);
        for (size_t i = 0; i < l->nmore; i++) buf_printf(&b, ", %.*s", (int)l->more[i].n, l->more[i].p);
    }
    struct str name = {arena_copy(r->u->arena, b.p, b.n), b.n};
    buf_free(&b);
    return name;
}

static struct dd *link_of(struct norm_run *r, const struct instr *in)
{
    struct norm *u = r->u;
    size_t n = args_count(r->im, in->c);
    const uint16_t *regs = args_regs(r->im, in->c);
    struct dd **args = ARENA_ARRAY(u->arena, struct dd *, n + 1), *there = u->yes;
    for (size_t i = 0; i < n; i++) {
        struct dd *arg = norm__reg(r, regs[i]), *is = norm_lift(u, &arg, 1, norm__is_leaf, NULL);
        if (!is) return NULL;
        there = norm_and(u, there, is);
        args[i] = norm_tidy(u, norm_present(u, arg));
    }
    struct term x = {.kind = TERM_LINK, .base = T_LINK, .name = site_name(r, &r->fl->links[in->b]), .args = args, .nargs = n};
    return norm_ite(u, there, norm_leaf(u, norm_term(u, &x)), u->absent);
}

/* ---- terms over other arguments ---- */

static struct dd *plain_again(struct norm *u, const struct term *t, struct dd **args)
{
    struct term x = *t;
    x.args = args;
    return norm_value(u, norm_term(u, &x), false);
}

struct dd *norm__again(struct norm *u, const struct term *t, struct dd **args)
{
    struct dd *f = NULL;
    struct call c = {.builtin = t->index, .n = t->nargs, .maybe = t->maybe, .args = args};
    switch (t->kind) {
    case TERM_CALL: f = call_leaf(u, NULL, 0, &c); break;
    case TERM_TABLE: f = norm_lift(u, args, 1, table_leaf, t->table); break;
    case TERM_SAME: f = norm_lift(u, args, 2, equal_leaf, NULL); break;
    case TERM_TEXT: f = norm_lift(u, args, 1, text_leaf, &t->index); break;
    case TERM_CONCAT: f = concat_all(u, args, t->nargs); break;
    default: break;
    }
    return f ? f : plain_again(u, t, args);
}

/* ---- dispatch ---- */

/* A function of the registers b and perhaps c. */
static struct dd *lifted(struct norm_run *r, const struct instr *in, size_t n, norm_leaf_fn *fn, const void *ctx)
{
    struct dd *f[2] = {norm__reg(r, in->b), n > 1 ? norm__reg(r, in->c) : NULL};
    struct dd *out = norm_lift(r->u, f, n, fn, ctx);
    if (out) return out;
    bool commutes = in->op == OP_ADD || in->op == OP_MUL || in->op == OP_EQ || in->op == OP_NE;
    if (commutes) qsort(f, n, sizeof *f, by_id);
    return opaque(r->u, in->op == OP_NE ? (unsigned)OP_EQ : in->op, r->fl->registers[in->a], f, n);
}

struct dd *norm__op(struct norm_run *r, const struct instr *in)
{
    struct norm *u = r->u;
    unsigned op = in->op, scale;
    switch ((enum opcode)in->op) {
    case OP_COLUMN: return norm__column(r, in->b);
    case OP_CONST: return norm_const(u, &r->im->consts[in->b]);
    case OP_ABSENT: return u->absent;
    case OP_MOVE: return norm__reg(r, in->b);
    case OP_IS: return lifted(r, in, 1, norm__is_leaf, NULL);
    case OP_NOT: return norm_not(u, norm__reg(r, in->b));
    case OP_EQ: return lifted(r, in, 2, equal_leaf, NULL);
    case OP_NE: return norm_not(u, lifted(r, in, 2, equal_leaf, NULL));
    case OP_LT: case OP_LE: case OP_GT: case OP_GE: return lifted(r, in, 2, order_leaf, &op);
    case OP_ADD: case OP_SUB: case OP_MUL: return lifted(r, in, 2, arith_leaf, &op);
    case OP_NEG: return lifted(r, in, 1, arith_leaf, &op);
    case OP_TEXT:
        scale = r->fl->registers[in->b]->scale;
        return lifted(r, in, 1, text_leaf, &scale);
    case OP_TABLE: return lifted(r, in, 1, table_leaf, r->instead && r->instead[in->c] ? r->instead[in->c] : &r->im->tables[in->c]);
    case OP_CALL: return call(r, in);
    case OP_CONCAT: return concat(r, in);
    case OP_LINK: return link_of(r, in);
    default: return NULL;
    }
}
