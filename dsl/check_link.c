/* check_link.c - fields that lead to another record: `find` looks one up by what it holds, `ref` means the record that another flow makes of a
 * row of its own. Both are a field's whole right side: the vm leaves them as links, sync resolves them.
 *
 *   ref f(a, b)   a, b = the source key of f, part by part; the company is that of the row. An absent part: no link
 *   find m(x = a) one condition or several; an absent value: no link
 *
 * Flows that refer to flows form an order, parents first; a circle would wait for itself for ever. */
#include "dsl/check.h"
#include "base/check.h"
#include "base/limits.h"

static struct tx *link_node(struct check *c, enum tx_kind k, struct span at, size_t nargs)
{
    struct type t = types_plain(T_LINK);
    struct tx *x = check__tx(c, k, at, ty_value(t));
    x->args = ARENA_ARRAY(c->a, struct tx *, nargs + 1);
    return x;
}

/* A link is absent when one of its arguments is. */
static struct tx *linked(struct tx *x)
{
    x->ty.t.optional = x->kind == TX_FIND;
    for (size_t i = 0; i < x->nargs; i++) x->ty.t.optional = x->ty.t.optional || ty_maybe_absent(&x->args[i]->ty);
    return x;
}

/* ---- find ---- */

static struct column *condition_field(struct check *c, const struct schema *m, const struct ast_condition *cond)
{
    struct column *col = schema__column(m, cond->field.text);
    if (col == NULL) {
        struct diag_nearest near = diag_nearest_begin(cond->field.text);
        for (size_t i = 0; i < m->ncolumns; i++) diag_nearest_try(&near, m->columns[i].name);
        resolve__hint(diag2(c->ds, cond->field.at, D_UNKNOWN_FIELD, diag_str(c->ds, m->name), diag_str(c->ds, cond->field.text)), &near);
    }
    return col;
}

/* The value can be equal to what the field holds. */
static bool can_be(struct check *c, const struct schema *m, const struct column *col, const struct ast_condition *cond, const struct tx *value)
{
    struct tx probe = *value;
    probe.ty = ty_value(col->type);
    if (value->ty.kind == TY_POISON) return false;
    if (value->ty.kind != TY_VALUE) {
        diag1(c->ds, value->at, D_NULL_ALONE, "find");
        return false;
    }
    if (!col->known_type) {
        diag2(c->ds, cond->field.at, D_UNWRITABLE_KIND, diag_str(c->ds, m->name), diag_str(c->ds, col->name));
        return false;
    }
    return check__comparable(c, cond->base.at, &probe, value);
}

static struct schema *find_module(struct check *c, const struct flow *f, const struct ast_find *n, struct endpoint **ep)
{
    *ep = resolve__endpoint(c, &n->endpoint);
    if (*ep == NULL || (*ep)->system == NULL) return NULL;
    if (!(*ep)->target || (f != NULL && *ep != f->target)) {
        diag2(c->ds, n->endpoint.at, D_WRONG_SIDE, diag_str(c->ds, n->endpoint.text), "the flow's own target");
        return NULL;
    }
    struct schema *m = schema__find(c, *ep, n->module.text, n->module.at, true);
    return m != NULL && schema__there(c, m, n->module.at) ? m : NULL;
}

static bool condition_twice(struct check *c, const struct ast_find *n, const struct ast_condition *cond)
{
    AST_EACH(o, n->conditions) {
        if (o == &cond->base) return false;
        if (!str_eq(AST_AS(condition, o)->field.text, cond->field.text)) continue;
        diag_also(diag1(c->ds, cond->field.at, D_DUPLICATE_NAME, diag_str(c->ds, cond->field.text)), o->at, "first here");
        return true;
    }
    return false;
}

struct tx *check__find(struct check *c, struct scope sc, struct ast_find *n, unsigned flags)
{
    if (!(flags & EXPR_WHOLE)) {
        diag1(c->ds, n->base.at, D_MISPLACED_FIND, "find");
        return check__poison(c, n->base.at);
    }
    struct endpoint *ep;
    struct schema *m = find_module(c, sc.flow, n, &ep);
    if (m == NULL || n->conditions.n == 0) return check__poison(c, n->base.at);
    struct tx *x = link_node(c, TX_FIND, n->base.at, n->conditions.n);
    bool ok = n->conditions.n <= FIND_CONDITIONS;
    if (!ok) diag1(c->ds, n->base.at, D_LIMIT, "8 conditions in one find");
    x->find = (struct find){.endpoint = ep, .module = m, .fields = ARENA_ARRAY(c->a, struct column *, n->conditions.n)};
    AST_EACH(p, n->conditions) {
        struct ast_condition *cond = AST_AS(condition, p);
        struct tx *value = check__expr(c, sc, cond->value, 0);
        struct column *col = condition_field(c, m, cond);
        if (col == NULL || !can_be(c, m, col, cond, value) || condition_twice(c, n, cond)) {
            ok = false;
            continue;
        }
        x->find.fields[x->nargs] = col;
        x->args[x->nargs++] = value;
    }
    if (!ok) return check__poison(c, n->base.at);
    if (sc.flow != NULL) {
        struct find_use *use = ARENA_NEW(c->a, struct find_use);
        *use = (struct find_use){m, sc.flow->finds};
        sc.flow->finds = use;
    }
    return linked(x);
}

/* ---- ref ---- */

static const char *key_names(struct check *c, const struct schema *e)
{
    struct buf b = {0};
    for (size_t i = 0; i < e->ncolumns; i++) {
        if (!e->columns[i].key) continue;
        if (b.n) buf_puts(&b, ", ");
        buf_str(&b, e->columns[i].name);
    }
    const char *s = arena_copy(c->a, b.p ? b.p : "", b.n);
    buf_free(&b);
    return s;
}

static bool same_company(const struct endpoint *a, const struct endpoint *b)
{
    const struct setting *x = settings__get(a, "company"), *y = settings__get(b, "company");
    if (a == b || x == NULL || y == NULL) return a == b || x == y;
    return x->kind == y->kind && str_eq(x->value, y->value);
}

/* Every company that f reads is one that `to` reads: a key begins with the company. */
bool check__same_companies(struct check *c, const struct flow *f, const struct flow *to, struct span at)
{
    if (to->nsources == 0) return false;             /* its own places were refused */
    for (size_t i = 0; i < f->nsources; i++) {
        bool there = false;
        for (size_t k = 0; k < to->nsources && !there; k++) there = same_company(f->sources[i], to->sources[k]);
        if (there) continue;
        diag_also(diag2(c->ds, at, D_OTHER_RECORDS, diag_str(c->ds, to->name),
                        arena_printf(c->a, "it does not read the company of `%s`", diag_str(c->ds, f->sources[i]->name))), to->at, "the flow");
        return false;
    }
    if (f->target == to->target) return true;
    diag_also(diag2(c->ds, at, D_OTHER_RECORDS, diag_str(c->ds, to->name), arena_printf(c->a, "it writes to `%s`", diag_str(c->ds, to->target->name))),
              to->at, "the flow");
    return false;
}

/* Arguments against the key of the flow's table; they stand in x->args afterwards. `what`: as people read it. */
bool check__key_args(struct check *c, struct scope sc, const struct flow *to, const struct ast_list *args, struct span at, struct tx *x)
{
    size_t want = 0, i = 0;
    bool ok = true;
    for (size_t k = 0; k < to->entity->ncolumns; k++) want += to->entity->columns[k].key;
    AST_EACH(n, *args) {
        struct tx *arg = check__expr(c, sc, n, 0);
        ok = ok && arg->ty.kind != TY_POISON;
        x->args[x->nargs++] = arg;
    }
    if (x->nargs != want) {
        struct diag *d = diag2(c->ds, at, D_BAD_CALL, diag_str(c->ds, to->name),
                               arena_printf(c->a, "its key has %zu part%s (%s), not %zu", want, want == 1 ? "" : "s", key_names(c, to->entity), x->nargs));
        diag_help(diag_also(d, to->at, "the flow"), "give them in this order: %s(%s)", diag_str(c->ds, to->name), key_names(c, to->entity));
        return false;
    }
    for (size_t k = 0; k < to->entity->ncolumns && ok; k++) {
        const struct column *col = &to->entity->columns[k];
        if (!col->key || !col->known_type) continue;
        if (col->type.base != T_TEXT) {      /* a source may spell one day or number in several ways */
            diag_also(diag2(c->ds, at, D_OTHER_RECORDS, diag_str(c->ds, to->name),
                            arena_printf(c->a, "the part %s of its key is no text", diag_str(c->ds, col->name))), col->at, "declared here");
            return false;
        }
        struct tx *arg = x->args[i++], key = {.kind = TX_COLUMN, .ty = ty_value(col->type)};
        if (arg->ty.kind != TY_VALUE) {
            diag1(c->ds, arg->at, D_NULL_ALONE, "a part of a key");
            ok = false;
        } else if (!check__comparable(c, arg->at, arg, &key)) ok = false;
    }
    return ok;
}

static void use_flow(struct check *c, struct flow *f, struct flow *to, struct span at)
{
    struct ref_use *use = ARENA_NEW(c->a, struct ref_use);
    *use = (struct ref_use){to, at, f->uses};
    f->uses = use;
}

struct tx *check__ref(struct check *c, struct scope sc, struct ast_ref *n, unsigned flags)
{
    if (!(flags & EXPR_WHOLE) || sc.flow == NULL) {
        diag1(c->ds, n->base.at, D_MISPLACED_FIND, "ref");
        return check__poison(c, n->base.at);
    }
    struct flow *to = resolve__flow(c, &n->flow);
    if (to == NULL || !to->headed || !sc.flow->headed) return check__poison(c, n->base.at);
    struct tx *x = link_node(c, TX_REF, n->base.at, n->args.n);
    if (to->into != NULL) {
        struct diag *d = diag2(c->ds, n->flow.at, D_OTHER_RECORDS, diag_str(c->ds, to->name), "it adds to the records of another flow");
        diag_help(diag_also(d, to->at, "the flow"), "refer to that one: ref %s(...)", diag_str(c->ds, to->into->name));
        return check__poison(c, n->base.at);
    }
    if (!check__key_args(c, sc, to, &n->args, n->base.at, x)) return check__poison(c, n->base.at);
    if (!check__same_companies(c, sc.flow, to, n->flow.at)) return check__poison(c, n->base.at);
    use_flow(c, sc.flow, to, n->base.at);
    x->ref = to;
    x->find = (struct find){.endpoint = to->target, .module = to->module};
    return linked(x);
}

/* ---- into ---- */

void check__into_key(struct check *c, struct flow *f, struct ast_into *n)
{
    struct tx *x = link_node(c, TX_REF, n->base.at, n->args.n);
    struct scope sc = {.flow = f};
    if (f->when) sc = check__learn(c, sc, f->when, true);
    use_flow(c, f, f->into, n->base.at);
    if (!check__key_args(c, sc, f->into, &n->args, n->base.at, x)) return;
    x->ref = f->into;
    x->find = (struct find){.endpoint = f->target, .module = f->module};
    f->into_key = linked(x);
}

static const struct flow *owner(const struct flow *f) { return f->into ? f->into : f; }

void check__writers(struct check *c)
{
    for (struct flow *f = c->spec->flows; f != NULL; f = f->next)
        for (const struct flow *g = c->spec->flows; g != f; g = g->next) {
            if (!f->headed || !g->headed || owner(f) != owner(g)) continue;
            for (size_t i = 0; i < f->nfields; i++)
                for (size_t k = 0; k < g->nfields; k++)
                    if (f->fields[i]->column == g->fields[k]->column)
                        diag_also(diag2(c->ds, f->fields[i]->at, D_TWO_WRITERS, diag_str(c->ds, f->fields[i]->column->name), diag_str(c->ds, g->name)),
                                  g->fields[k]->at, "here");
        }
}

/* ---- links in tests ---- */

static bool literal_args(struct check *c, const struct ast_list *args, struct test_link *out)
{
    out->args = ARENA_ARRAY(c->a, struct value, args->n + 1);
    AST_EACH(n, *args) {
        struct ast *v = n->kind == AST_CONDITION ? AST_AS(condition, n)->value : n;
        if (!check__literal(c, v, &out->args[out->nargs++])) return false;
    }
    return true;
}

struct test_link *check__test_link(struct check *c, struct flow *f, struct ast *n)
{
    struct scope sc = {.flow = f};
    struct test_link *out = ARENA_NEW(c->a, struct test_link);
    struct ref_use *uses = f->uses;                 /* what a test says is no use */
    struct find_use *finds = f->finds;
    struct tx *x = n->kind == AST_REF ? check__ref(c, sc, AST_AS(ref, n), EXPR_WHOLE) : check__find(c, sc, AST_AS(find, n), EXPR_WHOLE);
    f->uses = uses;
    f->finds = finds;
    if (x->ty.kind == TY_POISON || !literal_args(c, n->kind == AST_REF ? &AST_AS(ref, n)->args : &AST_AS(find, n)->conditions, out)) return NULL;
    out->ref = x->ref;
    out->find = x->find;
    return out;
}

/* ---- order of the flows ---- */

enum { VISIT_NEW, VISIT_OPEN, VISIT_DONE };

/* The circle through f as people read it: "a, b, a". */
static const char *circle(struct check *c, const struct flow *f)
{
    struct buf b = {0};
    buf_str(&b, f->name);
    for (const struct flow *g = f->via_flow; g != NULL; g = g->via_flow) {
        buf_puts(&b, ", ");
        buf_str(&b, g->name);
    }
    buf_printf(&b, ", %.*s", (int)f->name.n, f->name.p);
    const char *s = arena_copy(c->a, b.p, b.n);
    buf_free(&b);
    return s;
}

static void rank(struct check *c, struct flow *f)
{
    f->visit = VISIT_OPEN;
    for (struct ref_use *u = f->uses; u != NULL; u = u->next) {
        if (u->to->visit == VISIT_OPEN) {
            f->via_flow = NULL;
            diag_also(diag1(c->ds, u->at, D_REF_CIRCLE, circle(c, u->to)), u->to->at, "the flow");
            continue;
        }
        f->via_flow = u->to;
        if (u->to->visit == VISIT_NEW) rank(c, u->to);
        if (f->rank <= u->to->rank) f->rank = u->to->rank + 1;
    }
    f->via_flow = NULL;
    f->visit = VISIT_DONE;
}

static bool lift(struct flow *f, const struct flow *above)
{
    if (f == above || f->rank > above->rank) return false;
    f->rank = above->rank + 1;
    return true;
}

/* One step: behind what it refers to, and behind what makes records of the modules that it looks up in. */
static bool lift_once(struct check *c)
{
    bool moved = false;
    for (struct flow *f = c->spec->flows; f != NULL; f = f->next) {
        for (struct ref_use *u = f->uses; u != NULL; u = u->next) moved = lift(f, u->to) || moved;
        for (struct find_use *u = f->finds; u != NULL; u = u->next)
            for (struct flow *g = c->spec->flows; g != NULL; g = g->next)
                if (g->module == u->module && g->into == NULL) moved = lift(f, g) || moved;
    }
    return moved;
}

/* A look-up finds what another flow of this spec makes only when that goes out first. That is a wish and no duty: flows that look each other up in a
 * circle keep the order of their references. */
static void rank_finds(struct check *c)
{
    size_t n = 0, steps = 0;
    for (struct flow *f = c->spec->flows; f != NULL; f = f->next) n++;
    unsigned *before = ARENA_ARRAY(c->a, unsigned, n + 1);
    size_t i = 0;
    for (struct flow *f = c->spec->flows; f != NULL; f = f->next) before[i++] = f->rank;
    while (steps <= n && lift_once(c)) steps++;
    if (steps <= n) return;
    i = 0;
    for (struct flow *f = c->spec->flows; f != NULL; f = f->next) f->rank = before[i++];
}

void check__ranks(struct check *c)
{
    size_t errors = c->ds->nerrors;
    for (struct flow *f = c->spec->flows; f != NULL; f = f->next)
        if (f->visit == VISIT_NEW) rank(c, f);
    if (c->ds->nerrors == errors) rank_finds(c);
}
