/* fold.c - what can be known when the spec is compiled is known then: constants are computed with the runtime's own functions, branches that
 * cannot be taken go, and double negations. What may set the record aside is never left out. Every rule keeps value and type: a folded node's type fits where the whole node's did. */
#include "compiler/ir.h"
#include "base/check.h"
#include "base/limits.h"
#include "vm/builtin.h"

static bool is_const(const struct ir *x) { return x->op == IR_CONST; }
static bool is_bool(const struct ir *x, bool b) { return is_const(x) && x->value.kind == V_BOOL && x->value.u.b == b; }
static bool is_absent(const struct ir *x) { return x->op == IR_ABSENT; }

static struct ir *fold_equal(struct ir_graph *g, enum ir_op op, struct ir **args)
{
    struct ir *a = args[0], *b = args[1];
    bool eq = op == IR_EQ;
    if (a == b && !a->rejects) return ir_bool(g, eq);
    if (is_absent(a) || is_absent(b)) {
        struct ir *present = ir_make1(g, IR_IS, is_absent(a) ? b : a);
        return eq ? ir_make1(g, IR_NOT, present) : present;
    }
    if (is_const(a) && is_const(b)) return ir_bool(g, value_equal(&a->value, &b->value) == eq);
    if (is_bool(a, true) && !b->ty.t.optional) return eq ? b : ir_make1(g, IR_NOT, b);
    if (is_bool(b, true) && !a->ty.t.optional) return eq ? a : ir_make1(g, IR_NOT, a);
    if (is_bool(a, false) && !b->ty.t.optional) return eq ? ir_make1(g, IR_NOT, b) : b;
    if (is_bool(b, false) && !a->ty.t.optional) return eq ? ir_make1(g, IR_NOT, a) : a;
    return NULL;
}

static struct ir *fold_order(struct ir_graph *g, enum ir_op op, struct ir **args)
{
    if (!is_const(args[0]) || !is_const(args[1])) return NULL;
    int d = value_compare(&args[0]->value, &args[1]->value);
    return ir_bool(g, op == IR_LT ? d < 0 : op == IR_LE ? d <= 0 : op == IR_GT ? d > 0 : d >= 0);
}

static struct ir *fold_arith(struct ir_graph *g, enum ir_op op, struct ir **args)
{
    struct value v, zero = value_decimal(0, 0);
    const struct value *a = &args[0]->value;
    if (!is_const(args[0]) || (op != IR_NEG && !is_const(args[1]))) return NULL;
    bool ok = op == IR_NEG ? decimal_sub(&zero, a, &v) : op == IR_ADD ? decimal_add(a, &args[1]->value, &v)
            : op == IR_SUB ? decimal_sub(a, &args[1]->value, &v) : decimal_mul(a, &args[1]->value, &v);
    return ok ? ir_const(g, &v) : NULL;
}

static struct value as_text(struct ir_graph *g, const struct value *v)
{
    struct buf b = {0};
    value_print(&b, v);
    struct value t = value_text((struct str){arena_copy(g->arena, b.p, b.n), b.n});
    buf_free(&b);
    return t;
}

/* Neighbouring constants become one; a single part is itself. */
static struct ir *fold_concat(struct ir_graph *g, struct ir **args, size_t n)
{
    struct ir *kept[BUILTIN_ARGS_MAX];
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (k > 0 && is_const(args[i]) && is_const(kept[k - 1])) {
            struct str a = value_str(&kept[k - 1]->value), b = value_str(&args[i]->value);
            char *p = arena_alloc(g->arena, a.n + b.n + 1);
            memcpy(p, a.p, a.n);
            memcpy(p + a.n, b.p, b.n);
            struct value v = value_text((struct str){p, a.n + b.n});
            kept[k - 1] = ir_const(g, &v);
        } else kept[k++] = args[i];
    }
    if (k == 1) return kept[0];
    return k < n ? ir_make(g, IR_CONCAT, kept, k) : NULL;
}

static struct ir *fold_else(struct ir *a, struct ir *b)
{
    if (is_absent(a)) return b;
    if (is_const(a) || (a->ty.kind == TY_VALUE && !a->ty.t.optional)) return a;
    return is_absent(b) ? a : NULL;
}

static struct ir *fold_if(struct ir_graph *g, struct ir **args)
{
    struct ir *c = args[0], *a = args[1], *b = args[2];
    if (is_bool(c, true)) return a;
    if (is_bool(c, false)) return b;
    if (a == b && !c->rejects) return a;
    if (c->op == IR_NOT) return ir_if(g, c->args[0], b, a);
    if (is_bool(a, true) && is_bool(b, false)) return c;
    if (is_bool(a, false) && is_bool(b, true)) return ir_make1(g, IR_NOT, c);
    return NULL;
}

struct ir *ir__fold(struct ir_graph *g, enum ir_op op, struct ir **args, size_t n)
{
    struct value v;
    switch (op) {
    case IR_IS:
        if (is_absent(args[0])) return ir_bool(g, false);
        return args[0]->ty.kind == TY_VALUE && !args[0]->ty.t.optional && !args[0]->rejects ? ir_bool(g, true) : NULL;
    case IR_NOT:
        if (is_const(args[0])) return ir_bool(g, !args[0]->value.u.b);
        return args[0]->op == IR_NOT ? args[0]->args[0] : NULL;
    case IR_EQ: case IR_NE: return fold_equal(g, op, args);
    case IR_LT: case IR_LE: case IR_GT: case IR_GE: return fold_order(g, op, args);
    case IR_ADD: case IR_SUB: case IR_MUL: case IR_NEG: return fold_arith(g, op, args);
    case IR_TEXT:
        if (args[0]->ty.kind == TY_VALUE && args[0]->ty.t.base == T_TEXT) return args[0];
        if (!is_const(args[0])) return NULL;
        v = as_text(g, &args[0]->value);
        return ir_const(g, &v);
    case IR_CONCAT: return fold_concat(g, args, n);
    case IR_ELSE: return fold_else(args[0], args[1]);
    case IR_IF: return fold_if(g, args);
    default: return NULL;
    }
}

struct ir *ir__fold_call(struct ir_graph *g, unsigned builtin, struct ir **args, size_t n)
{
    const struct value *values[BUILTIN_ARGS_MAX];
    struct type types[BUILTIN_ARGS_MAX];
    struct builtin_info in = builtin_info(builtin);
    for (size_t i = 0; i < n; i++)
        if (args[i]->rejects) return NULL;       /* also behind an argument that is absent for sure */
    for (size_t i = 0; i < n; i++) {
        if (!is_const(args[i]) && !is_absent(args[i])) return NULL;
        if (is_absent(args[i]) && !builtin_param(&in, i).optional) return ir_absent(g, NULL);
        values[i] = is_const(args[i]) ? &args[i]->value : &value_absent;
        types[i] = args[i]->ty.t;
    }
    uint64_t need = builtin_scratch(builtin, types, n) + 64;
    if (need > LIMIT_SCRATCH_BYTES) return NULL;
    struct scratch s = {arena_alloc(g->arena, (size_t)need), 0, (size_t)need};
    struct value out;
    builtin_run(builtin, values, n, &s, &out);
    return ir_const(g, &out);
}

struct ir *ir__fold_table(struct ir_graph *g, const struct ir_table *t, struct ir *key)
{
    if (is_absent(key)) return ir_absent(g, NULL);
    if (!is_const(key)) return NULL;
    for (size_t i = 0; i < t->n; i++)
        if (value_equal(&t->keys[i], &key->value)) return ir_const(g, &t->values[i]);
    return t->has_else ? ir_const(g, &t->otherwise) : ir_absent(g, NULL);
}
