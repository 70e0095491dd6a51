/* check_test.c - tests of the spec: what `given` says fits the columns, what `expect` says fits the fields. They run in compiler/cli (mlc test). */
#include "dsl/check.h"
#include "base/check.h"

static bool value_fits(struct check *c, const struct type *t, const struct ast *n, const struct value *v, const struct column *col)
{
    char why[160];
    if (type_admits(t, v, why, sizeof why)) return true;
    diag_also(diag2(c->ds, n->at, D_BAD_VALUE, diag_str(c->ds, col->name), arena_copy(c->a, why, strlen(why))), col->at, "declared here");
    return false;
}

static void given(struct check *c, struct test *t, struct ast_assign *n)
{
    struct flow *f = t->flow;
    struct column *col = schema__column(f->entity, n->name.text);
    struct value v;
    if (col == NULL) {
        struct diag_nearest near = diag_nearest_begin(n->name.text);
        for (size_t i = 0; i < f->entity->ncolumns; i++) diag_nearest_try(&near, f->entity->columns[i].name);
        resolve__hint(diag2(c->ds, n->name.at, D_UNKNOWN_NAME, diag_str(c->ds, n->name.text),
                            arena_printf(c->a, "column of %s", diag_str(c->ds, f->entity->name))), &near);
        return;
    }
    unsigned index = (unsigned)(col - f->entity->columns);
    for (size_t i = 0; i < t->ngiven; i++)
        if (t->given[i].column == index) {
            diag1(c->ds, n->name.at, D_DUPLICATE_NAME, diag_str(c->ds, n->name.text));
            return;
        }
    if (!check__literal(c, n->value, &v) || !col->known_type) return;
    struct type type = col->type;
    type.optional = type.optional || col->has_default;
    if (value_fits(c, &type, n->value, &v, col)) t->given[t->ngiven++] = (struct test_given){index, v};
}

static void expect(struct check *c, struct test *t, struct ast_assign *n)
{
    struct field *f = check__field_named(c, t->flow, &n->name);
    struct value v;
    if (f == NULL) return;
    if (f->value == NULL) {
        diag2(c->ds, n->name.at, D_TEST_FIELD, diag_str(c->ds, t->flow->name), diag_str(c->ds, n->name.text));
        return;
    }
    for (size_t i = 0; i < t->nexpect; i++)
        if (t->expect[i].field == f) {
            diag1(c->ds, n->name.at, D_DUPLICATE_NAME, diag_str(c->ds, n->name.text));
            return;
        }
    if (n->value->kind == AST_FIND || n->value->kind == AST_REF) {
        struct test_link *link = f->column->known_type && f->column->type.base == T_LINK ? check__test_link(c, t->flow, n->value) : NULL;
        if (link) t->expect[t->nexpect++] = (struct test_expect){.field = f, .link = link, .at = n->base.at};
        else if (f->column->type.base != T_LINK) diag2(c->ds, n->value->at, D_BAD_VALUE, diag_str(c->ds, f->column->name), "is no link");
        return;
    }
    if (!check__literal(c, n->value, &v) || !f->column->known_type) return;
    struct type type = f->column->type;
    type.optional = true;                    /* expecting absent of a required field is a test that fails, not a mistake */
    if (value_fits(c, &type, n->value, &v, f->column)) t->expect[t->nexpect++] = (struct test_expect){.field = f, .value = v, .at = n->base.at};
}

/* What the flow reads and cannot be absent must be given. */
static void nothing_missing(struct check *c, const struct test *t)
{
    const struct flow *f = t->flow;
    struct buf names = {0};
    for (size_t i = 0; i < f->entity->ncolumns; i++) {
        const struct column *col = &f->entity->columns[i];
        bool there = !f->reads[i] || col->type.optional || col->has_default;
        for (size_t k = 0; k < t->ngiven && !there; k++) there = t->given[k].column == i;
        if (there) continue;
        if (names.n) buf_puts(&names, ", ");
        buf_str(&names, col->name);
    }
    if (names.n) diag2(c->ds, t->at, D_TEST_INCOMPLETE, diag_str(c->ds, t->title), arena_copy(c->a, names.p, names.n));
    buf_free(&names);
}

void check__test(struct check *c, struct test *t, struct ast_test *n)
{
    if (t->flow->entity == NULL || t->flow->module == NULL || t->flow->reads == NULL) return;
    t->given = ARENA_ARRAY(c->a, struct test_given, n->given.n + 1);
    AST_EACH(g, n->given) {
        if (g->kind == AST_ASSIGN) given(c, t, AST_AS(assign, g));
        else resolve__unsupported(c, g->at, "rows in `given`");
    }
    if (c->ds->nerrors == 0) nothing_missing(c, t);
    if (n->expect == NULL) return;
    if (n->expect->kind == AST_LEAVE) t->leave = true;
    else if (n->expect->kind == AST_REJECT) {
        t->rejects = true;
        t->reject = AST_AS(reject, n->expect)->why;
    } else {
        struct ast_expect *e = AST_AS(expect, n->expect);
        t->expect = ARENA_ARRAY(c->a, struct test_expect, e->sets.n + 1);
        AST_EACH(s, e->sets) {
            if (s->kind == AST_ASSIGN) expect(c, t, AST_AS(assign, s));
            else resolve__unsupported(c, s->at, "rows in `expect`");
        }
    }
}
