/* check_each.c - lists: every line of a source record that passes makes a line of the target's record.
 *
 *   Ordered_Items = each line in Lines when line.ItemType == "1" { key line.LineKey   Quantity = line.QuantityOrdered } ?? reject "no lines"
 *        |               |        |                                     |                 `- fields of the line module, checked like a flow's
 *        |               |        `- a list column of the flow's table   `- what the line is known by for ever: proven to differ inside a record
 *        |               `- a name for the line; columns of the header and lets are at hand too
 *        `- a list field of the module; without a line that passes: absent */
#include "dsl/check.h"
#include "base/check.h"
#include "base/limits.h"

enum { TARGET_LINES = 200 };           /* where the schema does not say (facts/zoho-crm.md 6) */

struct build { struct check *c; struct flow *f; struct each *e; struct ast_each *n; struct scope sc; };

/* ---- the list that is run over ---- */

static bool find_list(struct build *b)
{
    struct check *c = b->c;
    const struct ast *path = b->n->list;
    const struct ast_name *name = path && path->kind == AST_USE ? &AST_AS(use, path)->name : NULL;
    struct column *col = name ? schema__column(b->f->entity, name->text) : NULL;
    if (col == NULL || col->lines.n == 0) {
        struct diag_nearest near = diag_nearest_begin(name ? name->text : (struct str){0});
        struct diag *d = diag2(c->ds, path ? path->at : b->n->base.at, D_NO_LIST, diag_str(c->ds, b->f->entity->name), path ? check__text(c, path) : "this");
        for (size_t i = 0; i < b->f->entity->ncolumns; i++) {
            if (b->f->entity->columns[i].lines.n == 0) continue;
            diag_nearest_try(&near, b->f->entity->columns[i].name);
            diag_help(d, "its lines are in `%s`", diag_str(c->ds, b->f->entity->columns[i].name));
        }
        if (col) diag_also(d, col->at, "declared here");
        return false;
    }
    if (col->doors && !(col->doors & (1u << b->f->door))) {
        diag_also(diag2(c->ds, path->at, D_COLUMN_DOOR, diag_str(c->ds, b->f->entity->system->doors[b->f->door]), diag_str(c->ds, col->name)), col->at, "declared here");
        return false;
    }
    b->e->list = col;
    b->e->column = (unsigned)(col - b->f->entity->columns);
    b->e->lines = schema__find(c, b->f->source, col->lines, path->at, false);
    if (b->e->lines == NULL) return false;
    if (b->e->lines->doors && !(b->e->lines->doors & (1u << b->f->door))) {
        diag_also(diag2(c->ds, path->at, D_DOOR_LACKS_TABLE, diag_str(c->ds, b->f->entity->system->doors[b->f->door]), diag_str(c->ds, b->e->lines->name)),
                  b->e->lines->at, "declared here");
        return false;
    }
    b->f->reads[b->e->column] = true;
    b->e->source_lines = b->e->lines->most_lines ? b->e->lines->most_lines : LIMIT_LINES;
    return true;
}

static bool find_target(struct build *b)
{
    struct check *c = b->c;
    const struct column *col = b->sc.field;
    if (col->lines.n == 0) {
        diag_also(diag3(c->ds, b->n->base.at, D_WRONG_TYPE, diag_str(c->ds, col->name), col->known_type ? types_base_name((enum type_base)col->type.base) : "field of another kind",
                        "a list of lines"), col->at, "declared here");
        return false;
    }
    b->e->target = col;
    b->e->module = schema__find(c, b->f->target, col->lines, b->n->base.at, true);
    if (b->e->module == NULL) return false;
    b->e->max_lines = b->e->module->most_lines ? b->e->module->most_lines : TARGET_LINES;
    return true;
}

static bool name_is_free(struct build *b)
{
    struct check *c = b->c;
    const struct column *col = schema__column(b->f->entity, b->n->name.text);
    const struct let *l = b->f->lets;
    while (l && !str_eq(l->name, b->n->name.text)) l = l->next;
    if (col == NULL && l == NULL) return true;
    diag_also(diag1(c->ds, b->n->name.at, D_DUPLICATE_NAME, diag_str(c->ds, b->n->name.text)), l ? l->at : col->at, l ? "first here" : "a column has this name");
    return false;
}

/* ---- what stands inside ---- */

static void lets(struct build *b)
{
    struct check *c = b->c;
    struct let **tail = &b->e->lets;
    AST_EACH(n, b->n->clauses) {
        if (n->kind != AST_LET) continue;
        struct ast_let *a = AST_AS(let, n);
        const struct column *col = schema__column(b->f->entity, a->name.text);
        const struct let *before = b->e->lets, *outer = b->f->lets;
        while (before && !str_eq(before->name, a->name.text)) before = before->next;
        while (outer && !str_eq(outer->name, a->name.text)) outer = outer->next;
        if (before == NULL) before = outer;
        if (before || col || str_eq(a->name.text, b->e->name)) {
            diag_also(diag1(c->ds, a->name.at, D_DUPLICATE_NAME, diag_str(c->ds, a->name.text)), before ? before->at : col ? col->at : b->n->name.at,
                      before ? "first here" : col ? "a column has this name" : "the line is called so");
            continue;
        }
        *tail = ARENA_NEW(c->a, struct let);
        **tail = (struct let){.name = a->name.text, .at = a->name.at, .ast = a, .each = b->e};
        tail = &(*tail)->next;
    }
    for (struct let *l = b->e->lets; l != NULL; l = l->next) check__let(c, b->f, l);
}

static void line_key(struct build *b)
{
    struct check *c = b->c;
    const struct inject in = {b->f->entity, b->e->lines};
    const struct ast *first = NULL;
    AST_EACH(n, b->n->clauses) {
        if (n->kind != AST_LINE_KEY) continue;
        if (first) {
            diag_also(diag1(c->ds, n->at, D_CLAUSE_TWICE, "key"), first->at, "first here");
            continue;
        }
        first = n;
        struct ast *value = AST_AS(line_key, n)->value;
        struct tx *x = check__expr(c, b->sc, value, 0);
        const char *why;
        if (x->ty.kind == TY_POISON || value == NULL) continue;
        if (x->ty.kind != TY_VALUE) diag1(c->ds, x->at, D_NULL_ALONE, "a key");
        else if (ty_maybe_absent(&x->ty) || !ty_is(&x->ty, T_TEXT)) {
            struct diag *d = diag2(c->ds, x->at, D_TYPE_NEEDED, "the key of a line is a text that is always there", check__show(c, &x->ty));
            check__also_column(d, &b->sc, x);
        } else if ((why = check__not_injective(c, &in, x)) != NULL) diag1(c->ds, value->at, D_LINE_KEY, why);
        else b->e->key = x;
    }
    if (first == NULL && !c->broken) {
        struct diag *d = diag1(c->ds, b->n->base.at, D_LINE_KEY_MISSING, diag_str(c->ds, b->e->target->name));
        for (size_t i = 0; i < b->e->lines->ncolumns; i++)
            if (b->e->lines->columns[i].key && !schema__column(b->f->entity, b->e->lines->columns[i].name))
                diag_help(d, "write: key %s.%s", diag_str(c->ds, b->e->name), diag_str(c->ds, b->e->lines->columns[i].name));
    }
}

static void field(struct build *b, struct ast_field *n)
{
    struct check *c = b->c;
    struct each *e = b->e;
    struct column *col = check__find_field(c, b->f, e->module, &n->name);
    struct tx *x = check__expr(c, b->sc, n->value, EXPR_WHOLE);
    if (n->mode != MODE_SET) diag1(c->ds, n->base.at, D_LINE_MODE, n->mode == MODE_ONCE ? "once" : "fill");
    if (col == NULL) return;
    for (size_t i = 0; i < e->nfields; i++)
        if (e->fields[i]->column == col) {
            diag_also(diag1(c->ds, n->name.at, D_FIELD_TWICE, diag_str(c->ds, col->name)), e->fields[i]->at, "first here");
            return;
        }
    struct field *fl = ARENA_NEW(c->a, struct field);
    *fl = (struct field){.column = col, .mode = MODE_SET, .at = n->base.at, .value = x, .ast = n->value};
    e->fields[e->nfields++] = fl;
    if (col->read_only)
        diag_also(diag2(c->ds, n->name.at, D_READ_ONLY_FIELD, diag_str(c->ds, e->module->name), diag_str(c->ds, col->name)), col->at, "declared here");
    else if (x->ty.kind == TY_NEVER) diag1(c->ds, x->at, D_NULL_ALONE, "a field");
    else check__fits(c, b->f, e->module, col, x, n->value, n->value->at);
}

static void required(struct build *b)
{
    struct check *c = b->c;
    for (size_t i = 0; i < b->e->module->ncolumns && !c->broken; i++) {
        const struct column *col = &b->e->module->columns[i];
        bool there = !col->required || col->read_only;
        for (size_t k = 0; k < b->e->nfields && !there; k++) there = b->e->fields[k]->column == col;
        if (there) continue;
        struct diag *d = diag2(c->ds, b->n->base.at, D_LINE_REQUIRED, diag_str(c->ds, b->e->module->name), diag_str(c->ds, col->name));
        diag_help(diag_also(d, col->at, "required here"), "add a line: %s = ...", diag_str(c->ds, col->name));
    }
}

/* The type of the list: the fields that are written, as the target declares them. */
static struct type list_type(struct check *c, const struct each *e)
{
    struct list_shape *s = ARENA_NEW(c->a, struct list_shape);
    struct str *names = ARENA_ARRAY(c->a, struct str, e->nfields + 1);
    struct type *types = ARENA_ARRAY(c->a, struct type, e->nfields + 1);
    for (size_t i = 0; i < e->nfields; i++) {
        names[i] = e->fields[i]->column->name;
        types[i] = e->fields[i]->column->type;
    }
    *s = (struct list_shape){e->max_lines, (uint16_t)e->nfields, names, types, ARENA_ARRAY(c->a, uint8_t, e->nfields + 1)};
    return (struct type){.base = T_LIST, .optional = true, .shape = s};
}

static void inside(struct build *b)
{
    struct check *c = b->c;
    struct each *e = b->e;
    e->reads = ARENA_ARRAY(c->a, bool, e->lines->ncolumns + 1);
    e->fields = ARENA_ARRAY(c->a, struct field *, b->n->clauses.n + 1);
    lets(b);
    if (b->n->when) {
        e->when = check__condition(c, b->sc, b->n->when, "`when`");
        check__no_reject(c, e->when, "`when`");
        b->sc = check__learn(c, b->sc, e->when, true);
    }
    line_key(b);
    AST_EACH(n, b->n->clauses)
        if (n->kind == AST_FIELD) field(b, AST_AS(field, n));
    if (e->nfields == 0 && !c->broken) diag1(c->ds, b->n->base.at, D_NO_FIELDS, "this `each`");
    if (e->nfields > LIMIT_FIELDS) diag1(c->ds, b->n->base.at, D_LIMIT, "500 fields in one line");
    required(b);
}

struct tx *check__each(struct check *c, struct scope sc, struct ast_each *n, unsigned flags)
{
    if (!(flags & EXPR_LIST) || sc.flow == NULL || sc.each != NULL) {
        diag0(c->ds, n->base.at, D_MISPLACED_EACH);
        return check__poison(c, n->base.at);
    }
    if (sc.field == NULL) return check__poison(c, n->base.at);       /* the field is unknown, and was refused */
    struct build b = {c, sc.flow, ARENA_NEW(c->a, struct each), n, sc};
    b.sc.each = b.e;
    *b.e = (struct each){.name = n->name.text, .at = n->base.at};
    size_t errors = c->ds->nerrors;
    bool ok = find_list(&b);
    ok = find_target(&b) && ok;
    if (!ok || !name_is_free(&b)) return check__poison(c, n->base.at);
    b.e->next = sc.flow->eaches;
    sc.flow->eaches = b.e;
    inside(&b);
    if (c->ds->nerrors > errors || b.e->key == NULL || b.e->nfields == 0) return check__poison(c, n->base.at);
    struct tx *x = check__tx(c, TX_EACH, n->base.at, ty_value(list_type(c, b.e)));
    x->each = b.e;
    for (size_t i = 0; i < b.e->nfields; i++)
        if (x->depth < b.e->fields[i]->value->depth) x->depth = b.e->fields[i]->value->depth;
    return x;
}
