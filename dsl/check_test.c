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

static struct column *given_column(struct check *c, const struct schema *e, const struct ast_name *name)
{
    struct column *col = schema__column(e, name->text);
    if (col != NULL) return col;
    struct diag_nearest near = diag_nearest_begin(name->text);
    for (size_t i = 0; i < e->ncolumns; i++) diag_nearest_try(&near, e->columns[i].name);
    resolve__hint(diag2(c->ds, name->at, D_UNKNOWN_NAME, diag_str(c->ds, name->text), arena_printf(c->a, "column of %s", diag_str(c->ds, e->name))), &near);
    return NULL;
}

/* One column of a row, or of a line; those before it stand in list[0..*count). */
static void given(struct check *c, const struct schema *e, struct ast_assign *n, struct test_given *list, size_t *count)
{
    struct column *col = given_column(c, e, &n->name);
    struct value v;
    if (col == NULL) return;
    unsigned index = (unsigned)(col - e->columns);
    for (size_t i = 0; i < *count; i++)
        if (list[i].column == index) {
            diag1(c->ds, n->name.at, D_DUPLICATE_NAME, diag_str(c->ds, n->name.text));
            return;
        }
    if (col->lines.n) {
        struct diag *d = diag2(c->ds, n->value ? n->value->at : n->base.at, D_BAD_VALUE, diag_str(c->ds, col->name), "is a list");
        diag_help(d, "write its lines one by one: %s { ... }", diag_str(c->ds, col->name));
        return;
    }
    if (!check__literal(c, n->value, &v) || !col->known_type) return;
    struct type type = col->type;
    type.optional = type.optional || col->has_default;
    if (value_fits(c, &type, n->value, &v, col)) list[(*count)++] = (struct test_given){index, v};
}

/* What is read of a line and is never absent must be given; a key part that the header has too is its own. */
static void line_complete(struct check *c, const struct test *t, const struct schema *lines, const struct test_row *row, struct span at)
{
    struct buf names = {0};
    for (size_t i = 0; i < lines->ncolumns; i++) {
        const struct column *col = &lines->columns[i];
        bool read = col->key && !schema__column(t->flow->entity, col->name), there = col->type.optional || col->has_default;
        for (const struct each *e = t->flow->eaches; e != NULL; e = e->next) read = read || (e->lines == lines && e->reads[i]);
        for (size_t k = 0; k < row->ngiven && !there; k++) there = row->given[k].column == i;
        if (!read || there) continue;
        if (names.n) buf_puts(&names, ", ");
        buf_str(&names, col->name);
    }
    if (names.n) diag_help(diag2(c->ds, at, D_TEST_INCOMPLETE, diag_str(c->ds, t->title), arena_copy(c->a, names.p, names.n)), "add them to the line");
    buf_free(&names);
}

static void given_row(struct check *c, struct test *t, struct ast_row *n)
{
    struct column *col = given_column(c, t->flow->entity, &n->name);
    if (col == NULL) return;
    if (col->lines.n == 0) {
        diag_also(diag2(c->ds, n->base.at, D_BAD_VALUE, diag_str(c->ds, col->name), "is no list"), col->at, "declared here");
        return;
    }
    struct schema *lines = schema__find(c, t->flow->source, col->lines, n->name.at, false);
    struct test_row **tail = &t->rows, *row = ARENA_NEW(c->a, struct test_row);
    if (lines == NULL) return;
    *row = (struct test_row){.list = col, .columns = lines->columns, .given = ARENA_ARRAY(c->a, struct test_given, n->sets.n + 1)};
    while (*tail) tail = &(*tail)->next;
    *tail = row;
    AST_EACH(s, n->sets) {
        if (s->kind == AST_ASSIGN) given(c, lines, AST_AS(assign, s), row->given, &row->ngiven);
        else diag2(c->ds, s->at, D_NOT_LITERAL, "a value written out", "lines inside a line");
    }
    if (c->ds->nerrors == 0) line_complete(c, t, lines, row, n->base.at);
}

/* One field of the record, or of a line; those before it stand in list[0..*count). */
static void expect(struct check *c, struct test *t, struct ast_assign *n, struct field *f, struct test_expect *list, size_t *count)
{
    struct value v;
    if (f == NULL) return;
    if (f->value == NULL) {
        diag2(c->ds, n->name.at, D_TEST_FIELD, diag_str(c->ds, t->flow->name), diag_str(c->ds, n->name.text));
        return;
    }
    if (ty_is(&f->value->ty, T_LIST) && n->value->kind != AST_NULL) {
        struct diag *d = diag2(c->ds, n->value->at, D_BAD_VALUE, diag_str(c->ds, f->column->name), "is a list");
        diag_help(d, "write its lines one by one: %s { ... }; none at all is null", diag_str(c->ds, f->column->name));
        return;
    }
    for (size_t i = 0; i < *count; i++)
        if (list[i].field == f) {
            diag1(c->ds, n->name.at, D_DUPLICATE_NAME, diag_str(c->ds, n->name.text));
            return;
        }
    if (n->value->kind == AST_FIND || n->value->kind == AST_REF) {
        struct test_link *link = f->column->known_type && f->column->type.base == T_LINK ? check__test_link(c, t->flow, n->value) : NULL;
        if (link) list[(*count)++] = (struct test_expect){.field = f, .link = link, .at = n->base.at};
        else if (f->column->type.base != T_LINK) diag2(c->ds, n->value->at, D_BAD_VALUE, diag_str(c->ds, f->column->name), "is no link");
        return;
    }
    if (!check__literal(c, n->value, &v)) return;
    struct type type = f->column->known_type ? f->column->type : types_plain(T_LIST);
    type.optional = true;                    /* expecting absent of a required field is a test that fails, not a mistake */
    if (value_fits(c, &type, n->value, &v, f->column)) list[(*count)++] = (struct test_expect){.field = f, .value = v, .at = n->base.at};
}

static struct field *line_field(struct check *c, const struct flow *f, const struct field *list, const struct ast_name *name)
{
    for (const struct each *e = f->eaches; e != NULL; e = e->next)
        for (size_t i = 0; e->target == list->column && i < e->nfields; i++)
            if (str_eq(e->fields[i]->column->name, name->text)) return e->fields[i];
    diag2(c->ds, name->at, D_TEST_FIELD, diag_str(c->ds, f->name), arena_printf(c->a, "%s.%s", diag_str(c->ds, list->column->name), diag_str(c->ds, name->text)));
    return NULL;
}

static void expect_row(struct check *c, struct test *t, struct ast_row *n)
{
    struct field *f = check__field_named(c, t->flow, &n->name);
    if (f == NULL) return;
    if (f->value == NULL || !ty_is(&f->value->ty, T_LIST)) {
        if (f->value == NULL || f->value->ty.kind != TY_POISON)
            diag_also(diag2(c->ds, n->base.at, D_BAD_VALUE, diag_str(c->ds, f->column->name), "is no list"), f->column->at, "declared here");
        return;
    }
    struct test_line **tail = &t->lines, *line = ARENA_NEW(c->a, struct test_line);
    *line = (struct test_line){.list = f, .expect = ARENA_ARRAY(c->a, struct test_expect, n->sets.n + 1)};
    while (*tail) tail = &(*tail)->next;
    *tail = line;
    AST_EACH(s, n->sets) {
        if (s->kind == AST_ASSIGN) expect(c, t, AST_AS(assign, s), line_field(c, t->flow, f, &AST_AS(assign, s)->name), line->expect, &line->nexpect);
        else diag2(c->ds, s->at, D_NOT_LITERAL, "a value written out", "lines inside a line");
    }
}

/* What the flow reads and cannot be absent must be given. */
static void nothing_missing(struct check *c, const struct test *t)
{
    const struct flow *f = t->flow;
    struct buf names = {0};
    for (size_t i = 0; i < f->entity->ncolumns; i++) {
        const struct column *col = &f->entity->columns[i];
        bool there = !f->reads[i] || col->type.optional || col->has_default || col->lines.n;
        for (size_t k = 0; k < t->ngiven && !there; k++) there = t->given[k].column == i;
        if (there) continue;
        if (names.n) buf_puts(&names, ", ");
        buf_str(&names, col->name);
    }
    if (names.n) diag_help(diag2(c->ds, t->at, D_TEST_INCOMPLETE, diag_str(c->ds, t->title), arena_copy(c->a, names.p, names.n)), "add them to `given`");
    buf_free(&names);
}

void check__test(struct check *c, struct test *t, struct ast_test *n)
{
    if (t->flow->entity == NULL || t->flow->module == NULL || t->flow->reads == NULL) return;
    t->given = ARENA_ARRAY(c->a, struct test_given, n->given.n + 1);
    AST_EACH(g, n->given) {
        if (g->kind == AST_ASSIGN) given(c, t->flow->entity, AST_AS(assign, g), t->given, &t->ngiven);
        else given_row(c, t, AST_AS(row, g));
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
            if (s->kind == AST_ASSIGN) expect(c, t, AST_AS(assign, s), check__field_named(c, t->flow, &AST_AS(assign, s)->name), t->expect, &t->nexpect);
            else expect_row(c, t, AST_AS(row, s));
        }
    }
}
