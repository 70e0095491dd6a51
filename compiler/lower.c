/* lower.c - typed tree to IR: lets and fns disappear, `and`, `or`, match and ?? become IF and ELSE, defaults of columns become ELSE.
 *
 *   column with a default   ELSE(column?, default)
 *   known(x)                ELSE(x, reject) in a mapping, ELSE(x, any value of its type) in a condition: never taken, but the verifier need
 *                           not believe what the checker learned from a condition */
#include "compiler/lower_private.h"
#include "base/check.h"
#include "value/builtin.h"

static struct ir *expr(struct low *l, const struct tx *x, const struct frame *fr);

static struct ir *column(struct low *l, unsigned index)
{
    const struct column *c = &l->flow->entity->columns[index];
    struct type t = c->type;
    t.optional = t.optional || c->has_default;
    struct ir *x = ir_column(l->g, index, c->name, &t);
    return c->has_default ? ir_make2(l->g, IR_ELSE, x, ir_const(l->g, &c->fallback)) : x;
}

static struct ir *line_column(struct low *l, unsigned index)
{
    const struct column *c = &l->each->lines->columns[index];
    struct type t = c->type;
    t.optional = t.optional || c->has_default;
    struct ir *x = ir_line(l->g, index, l->each->list->name, c->name, &t);
    return c->has_default ? ir_make2(l->g, IR_ELSE, x, ir_const(l->g, &c->fallback)) : x;
}

static struct ir *let_ref(struct low *l, const struct let *let)
{
    for (size_t i = 0; i < l->nlets; i++)
        if (l->lets[i].let == let) return l->lets[i].node;
    struct ir *x = expr(l, let->value, NULL);
    if (l->nlets == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        struct memo *m = ARENA_ARRAY(l->g->arena, struct memo, l->cap);
        if (l->nlets) memcpy(m, l->lets, l->nlets * sizeof *m);
        l->lets = m;
    }
    l->lets[l->nlets++] = (struct memo){let, x};
    return x;
}

static struct ir *inline_fn(struct low *l, const struct tx *x, const struct frame *fr)
{
    struct ir **args = ARENA_ARRAY(l->g->arena, struct ir *, x->nargs + 1);
    for (size_t i = 0; i < x->nargs; i++) args[i] = expr(l, x->args[i], fr);
    for (const struct inlined *c = l->calls; c != NULL; c = c->next)
        if (c->fn == x->fn && memcmp(c->args, args, x->nargs * sizeof *args) == 0) return c->node;
    struct frame inner = {x->fn, args, fr};
    struct inlined *c = ARENA_NEW(l->g->arena, struct inlined);
    *c = (struct inlined){x->fn, args, expr(l, x->fn->body, &inner), NULL};
    c->next = l->calls;
    l->calls = c;
    return c->node;
}

/* Some value of a type: what a branch that is never taken gives. */
static struct value any_value(struct arena *a, const struct type *t)
{
    switch ((enum type_base)t->base) {
    case T_BOOL: return value_bool(false);
    case T_DECIMAL: return value_decimal(t->lo, t->scale);
    case T_TEXT: {
        if (t->nset) return value_text(t->set[0]);
        char *p = arena_alloc(a, (size_t)t->min_len + 1);
        memset(p, '-', t->min_len);
        return value_text((struct str){p, t->min_len});
    }
    default: {
        struct value v = {.kind = t->base == T_DATE ? V_DATE : t->base == T_LOCAL ? V_LOCAL : V_INSTANT};
        return v;
    }
    }
}

static struct ir *known(struct low *l, const struct tx *x, const struct frame *fr)
{
    struct ir *v = expr(l, x->args[0], fr);
    if (v->ty.kind != TY_VALUE || !v->ty.t.optional) return v;
    struct value other = l->mapping ? value_text(STR("a value that a condition had found is missing")) : any_value(l->g->arena, &x->ty.t);
    return ir_make2(l->g, IR_ELSE, v, l->mapping ? ir_reject(l->g, &other) : ir_const(l->g, &other));
}

static enum ir_op op_of(enum ast_op op)
{
    switch (op) {
    case OP_EQ: return IR_EQ;
    case OP_NE: return IR_NE;
    case OP_LT: return IR_LT;
    case OP_LE: return IR_LE;
    case OP_GT: return IR_GT;
    case OP_GE: return IR_GE;
    case OP_ADD: return IR_ADD;
    case OP_SUB: return IR_SUB;
    case OP_MUL: return IR_MUL;
    case OP_ELSE: return IR_ELSE;
    default: break;
    }
    check_failed("an operator without IR", __FILE__, __LINE__);
}

static struct ir *binary(struct low *l, const struct tx *x, const struct frame *fr)
{
    struct ir *a = expr(l, x->args[0], fr), *b = expr(l, x->args[1], fr);
    if (x->op == OP_AND) return ir_if(l->g, a, b, ir_bool(l->g, false));
    if (x->op == OP_OR) return ir_if(l->g, a, ir_bool(l->g, true), b);
    return ir_make2(l->g, op_of(x->op), a, b);
}

/* "01" | "02": an or of equalities */
static struct ir *one_of(struct low *l, struct ir *subject, const struct tx_arm *arm)
{
    struct ir *c = ir_bool(l->g, false);
    for (size_t i = arm->npatterns; i-- > 0;)
        c = ir_if(l->g, ir_make2(l->g, IR_EQ, subject, ir_const(l->g, &arm->patterns[i])), ir_bool(l->g, true), c);
    return c;
}

static struct ir *match(struct low *l, const struct tx *x, const struct frame *fr)
{
    struct ir *subject = x->nargs ? expr(l, x->args[0], fr) : NULL, *rest = NULL;
    size_t last = 0;
    while (last + 1 < x->narms && !x->arms[last].otherwise) last++;
    for (size_t i = last + 1; i-- > 0;) {
        const struct tx_arm *arm = &x->arms[i];
        struct ir *v = expr(l, arm->value, fr);
        /* without `else` the arms cover everything: the last needs no test */
        if (rest == NULL) rest = v;
        else rest = ir_if(l->g, subject ? one_of(l, subject, arm) : expr(l, arm->condition, fr), v, rest);
    }
    /* no arm looks at the subject: that it rejects still counts */
    if (subject && last == 0 && subject->rejects) rest = ir_if(l->g, ir_make1(l->g, IR_IS, subject), rest, rest);
    return rest;
}

/* A null argument of a builtin gets the type that the parameter wants. */
static struct ir *argument(struct low *l, const struct tx *x, unsigned builtin, size_t i, const struct frame *fr)
{
    struct ir *v = expr(l, x, fr);
    if (v->ty.kind != TY_NULL) return v;
    struct builtin_info in = builtin_info(builtin);
    struct type t = builtin_null(builtin_param(&in, i));
    return ir_absent(l->g, &t);
}

static struct ir *call(struct low *l, const struct tx *x, const struct frame *fr)
{
    struct ir **args = ARENA_ARRAY(l->g->arena, struct ir *, x->nargs + 1);
    for (size_t i = 0; i < x->nargs; i++)
        args[i] = x->kind == TX_CALL ? argument(l, x->args[i], x->index, i, fr) : expr(l, x->args[i], fr);
    return x->kind == TX_CALL ? ir_call(l->g, x->index, args, x->nargs) : ir_make(l->g, IR_CONCAT, args, x->nargs);
}

/* Gives a type to what is known to be absent: folding may leave nothing else of a text or a number. */
static struct ir *typed_absent(struct low *l, struct ir *x, const struct type *t)
{
    if (x->ty.kind != TY_NULL) return x;
    if (x->op == IR_IF) return ir_if(l->g, x->args[0], typed_absent(l, x->args[1], t), typed_absent(l, x->args[2], t));
    if (x->op == IR_ELSE) return ir_make2(l->g, IR_ELSE, typed_absent(l, x->args[0], t), typed_absent(l, x->args[1], t));
    ASSERT(x->op == IR_ABSENT);
    return ir_absent(l->g, t);
}

static struct ir *node(struct low *l, const struct tx *x, const struct frame *fr);

static struct ir *expr(struct low *l, const struct tx *x, const struct frame *fr)
{
    struct ir *v = node(l, x, fr);
    return x->ty.kind == TY_VALUE ? typed_absent(l, v, &x->ty.t) : v;
}

/* A number has as text the decimals of its type in the spec, also where folding left a branch or an argument of fewer: x + 0.00. */
static struct ir *spelled(struct low *l, struct ir *v, const struct type *t)
{
    if (v->ty.kind != TY_VALUE || t->base != T_DECIMAL || v->ty.t.scale >= t->scale) return v;
    struct value zero = value_decimal(0, t->scale);
    return ir_make2(l->g, IR_ADD, v, ir_const(l->g, &zero));
}

static struct ir *link(struct low *l, const struct tx *x, const struct frame *fr)
{
    struct arena *a = l->g->arena;
    struct ir_site site = {.target = x->find.endpoint->name, .module = x->find.module->name};
    struct ir **args = ARENA_ARRAY(a, struct ir *, x->nargs + 1);
    struct str *names = ARENA_ARRAY(a, struct str, x->nargs + 1);
    struct type text = type_text(1, 1);
    for (size_t i = 0; i < x->nargs; i++) {
        args[i] = typed_absent(l, expr(l, x->args[i], fr), &text);
        if (x->kind == TX_FIND) names[i] = x->find.fields[i]->name;
    }
    if (x->kind == TX_FIND) {
        site.fields = names;
        site.nfields = x->nargs;
    } else {
        site.flow = x->ref->name;
        site.flow_index = x->ref->index;
    }
    return ir_link(l->g, site, args, x->nargs);
}

static struct ir *root(struct low *l, const struct tx *x, bool mapping);

/* The parts of a list are roots of their own: filter and key are conditions, the fields may reject. */
static struct ir *each(struct low *l, const struct tx *x)
{
    struct arena *a = l->g->arena;
    const struct each *from = x->each;
    struct ir_each *e = ARENA_NEW(a, struct ir_each);
    struct str *names = ARENA_ARRAY(a, struct str, from->nfields + 1);
    bool mapping = l->mapping;
    *e = (struct ir_each){.column = from->column, .list = from->list->name, .target = from->target->name, .names = names, .nfields = from->nfields,
                          .max_lines = from->max_lines, .from = from, .fields = ARENA_ARRAY(a, struct ir *, from->nfields + 1)};
    l->each = from;
    if (from->when) e->when = root(l, from->when, false);
    e->key = root(l, from->key, false);
    for (size_t i = 0; i < from->nfields; i++) {
        names[i] = from->fields[i]->column->name;
        e->fields[i] = root(l, from->fields[i]->value, true);
    }
    l->each = NULL;
    l->mapping = mapping;
    return ir_each(l->g, e, &x->ty.t);
}

static struct ir *node(struct low *l, const struct tx *x, const struct frame *fr)
{
    switch (x->kind) {
    case TX_CONST: return ir_const(l->g, &x->value);
    case TX_NULL: return ir_absent(l->g, NULL);
    case TX_COLUMN: return column(l, x->index);
    case TX_PARAM: ASSERT(fr != NULL); return fr->args[x->index];
    case TX_LET: return let_ref(l, x->let);
    case TX_INLINE: return inline_fn(l, x, fr);
    case TX_UNARY: return ir_make1(l->g, x->op == OP_NOT ? IR_NOT : IR_NEG, expr(l, x->args[0], fr));
    case TX_BINARY: return binary(l, x, fr);
    case TX_MATCH: return match(l, x, fr);
    case TX_TABLE: return ir_table(l->g, &l->out->tables[x->table->index], expr(l, x->args[0], fr));
    case TX_CALL: case TX_CONCAT: return call(l, x, fr);
    case TX_TEXT: return ir_make1(l->g, IR_TEXT, spelled(l, expr(l, x->args[0], fr), &x->args[0]->ty.t));
    case TX_FIND: case TX_REF: return link(l, x, fr);
    case TX_KNOWN: return known(l, x, fr);
    case TX_REJECT: return ir_reject(l->g, &x->value);
    case TX_KEEP: return ir_keep(l->g);
    case TX_LINE: return line_column(l, x->index);
    case TX_EACH: return each(l, x);
    case TX_POISON: break;
    }
    check_failed("lowering what was refused", __FILE__, __LINE__);
}

struct ir *lower__expr(struct low *l, const struct tx *x, const struct frame *fr) { return expr(l, x, fr); }

static struct ir *root(struct low *l, const struct tx *x, bool mapping)
{
    /* lets are lowered again for conditions: what stands for "known" differs */
    if (l->mapping != mapping) {
        l->nlets = 0;
        l->calls = NULL;
    }
    l->mapping = mapping;
    return expr(l, x, NULL);
}

static void lower_flow(struct lowered *out, const struct flow *f, struct lowered_flow *lf)
{
    struct low l = {.g = &out->graph, .out = out, .flow = f};
    *lf = (struct lowered_flow){.flow = f, .nfields = f->nfields};
    ir_begin(&out->graph);
    lf->fields = ARENA_ARRAY(out->graph.arena, struct ir *, f->nfields + 1);
    if (f->when) lf->when = root(&l, f->when, false);
    if (f->adopt) lf->adopt = root(&l, f->adopt, false);
    if (lf->adopt && lf->adopt->op == IR_ABSENT) lf->adopt = ir_absent(l.g, &f->adopt->ty.t);
    if (f->key_value) lf->key = root(&l, f->key_value, false);
    if (f->into_key) lf->into = root(&l, f->into_key, true);
    for (size_t i = 0; i < f->nfields; i++)
        if (f->fields[i]->value) lf->fields[i] = root(&l, f->fields[i]->value, true);
}

void lower_tables(const struct spec *s, struct arena *a, struct lowered *out)
{
    for (const struct table *t = s->tables; t != NULL; t = t->next) out->ntables++;
    out->tables = ARENA_ARRAY(a, struct ir_table, out->ntables + 1);
    for (const struct table *t = s->tables; t != NULL; t = t->next) {
        struct ir_table *o = &out->tables[t->index];
        *o = (struct ir_table){.name = t->name, .n = t->nrows, .has_else = t->has_else, .otherwise = t->otherwise, .type = t->value};
        o->keys = ARENA_ARRAY(a, struct value, t->nrows + 1);
        o->values = ARENA_ARRAY(a, struct value, t->nrows + 1);
        for (size_t i = 0; i < t->nrows; i++) {
            o->keys[i] = t->rows[i].key;
            o->values[i] = t->rows[i].value;
        }
        ir_table_finish(o, a);
    }
}

void lower_spec(const struct spec *s, struct arena *a, struct lowered *out)
{
    *out = (struct lowered){0};
    ir_init(&out->graph, a);
    lower_tables(s, a, out);
    for (const struct flow *f = s->flows; f != NULL; f = f->next) out->nflows++;
    out->flows = ARENA_ARRAY(a, struct lowered_flow, out->nflows + 1);
    size_t i = 0;
    for (const struct flow *f = s->flows; f != NULL; f = f->next) lower_flow(out, f, &out->flows[i++]);
}

void lower_dump(const struct lowered *l, struct buf *out)
{
    for (size_t i = 0; i < l->nflows; i++) {
        const struct lowered_flow *lf = &l->flows[i];
        buf_printf(out, "flow %.*s\n", (int)lf->flow->name.n, lf->flow->name.p);
        if (lf->when) {
            buf_puts(out, "  when ");
            ir_print(out, lf->when);
            buf_byte(out, '\n');
        }
        if (lf->adopt) {
            buf_puts(out, "  adopt ");
            ir_print(out, lf->adopt);
            buf_byte(out, '\n');
        }
        if (lf->into) {
            buf_puts(out, "  into ");
            ir_print(out, lf->into);
            buf_byte(out, '\n');
        }
        if (lf->key) {
            buf_puts(out, "  key ");
            ir_print(out, lf->key);
            buf_byte(out, '\n');
        }
        for (size_t k = 0; k < lf->nfields; k++) {
            if (!lf->fields[k]) continue;
            buf_printf(out, "  %.*s = ", (int)lf->flow->fields[k]->column->name.n, lf->flow->fields[k]->column->name.p);
            ir_print(out, lf->fields[k]);
            buf_byte(out, '\n');
        }
    }
}
