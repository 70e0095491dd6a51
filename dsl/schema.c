/* schema.c - tables and modules as the checker sees them: prelude text, then what zoho.lock says, then what the spec's extend adds.
 *
 *   ENTITY node -build-> struct schema (shared) -copied on first use by an endpoint-> lock override -> extend
 *
 * A target field is optional unless @required: writing absent clears it. A source column is optional when its type says `?`; a default makes
 * it present. What the lock file says of a module is whole: a field that it does not list does not exist, except those that extend adds. */
#include "dsl/check.h"
#include "base/check.h"
#include "base/limits.h"

const struct ast_attr *schema__attr(const struct ast_list *attrs, const char *name)
{
    AST_EACH(n, *attrs)
        if (str_is(AST_AS(attr, n)->name.text, name)) return AST_AS(attr, n);
    return NULL;
}

struct column *schema__column(const struct schema *s, struct str name)
{
    for (size_t i = 0; i < s->ncolumns; i++)
        if (str_eq(s->columns[i].name, name)) return &s->columns[i];
    return NULL;
}

struct span schema__lock_place(const struct check *c, uint32_t at)
{
    if (c->lock_source == NULL) return (struct span){0, 0, 0};
    uint32_t end = at;
    while (end < c->lock_source->text.n && c->lock_source->text.p[end] != ':' && c->lock_source->text.p[end] != '\n') end++;
    return (struct span){c->lock_source->id, at, end};
}

/* Doors named by an attribute as bits; 0 when there is none. */
static uint32_t door_bits(const struct system *sys, const struct ast_attr *via)
{
    uint32_t bits = 0;
    if (via == NULL) return 0;
    AST_EACH(n, via->args) {
        if (n->kind != AST_CHOICE) continue;
        for (size_t i = 0; i < sys->ndoors; i++)
            if (str_eq(sys->doors[i], AST_AS(choice, n)->name.text)) bits |= 1u << i;
    }
    return bits;
}

static void read_column(struct check *c, const struct system *sys, bool target, const struct ast_column *n, struct column *out)
{
    const struct ast_list *at = &n->attrs;
    memset(out, 0, sizeof *out);
    out->name = n->name.text;
    out->at = n->base.at;
    out->key = n->key;
    out->known_type = check__type(c, n->type, &out->type, &out->link_module);
    out->never = schema__attr(at, "never") != NULL;
    out->required = schema__attr(at, "required") != NULL;
    const struct ast_attr *unique = schema__attr(at, "unique");
    out->unique = unique != NULL;
    out->read_only = schema__attr(at, "read_only") || schema__attr(at, "system");
    out->insert_only = schema__attr(at, "insert_only") != NULL;
    out->email = schema__attr(at, "email") != NULL;
    out->doors = door_bits(sys, schema__attr(at, "via"));
    if (target) {
        out->type.optional = !out->required;
        return;
    }
    if (n->fallback == NULL || !out->known_type) return;
    char why[120];
    if (!check__literal(c, n->fallback, &out->fallback) || !value_present(&out->fallback)) return;
    if (!type_admits(&out->type, &out->fallback, why, sizeof why)) diag2(c->ds, n->fallback->at, D_BAD_VALUE, check__text(c, n->fallback), why);
    else {
        out->has_default = true;
        out->type.optional = false;
    }
}

static struct schema *build(struct check *c, struct system *sys, const struct ast_entity *n, bool target)
{
    struct schema *s = ARENA_NEW(c->a, struct schema);
    const struct ast_attr *editions = schema__attr(&n->attrs, "editions");
    s->name = n->name.text;
    s->at = n->name.at;
    s->system = sys;
    s->doors = schema__attr(&n->attrs, "unserved") ? SCHEMA_NO_DOOR : door_bits(sys, schema__attr(&n->attrs, "via"));
    s->read_only = schema__attr(&n->attrs, "read_only") != NULL;
    s->lines = schema__attr(&n->attrs, "lines_of") != NULL;
    if (editions) s->editions = editions->args;
    s->columns = ARENA_ARRAY(c->a, struct column, n->members.n + 1);
    AST_EACH(m, n->members) {
        struct ast_column *col = AST_AS(column, m);
        struct column *before = schema__column(s, col->name.text);
        if (before != NULL) diag_also(diag1(c->ds, col->name.at, D_DUPLICATE_NAME, diag_str(c->ds, col->name.text)), before->at, "first here");
        else read_column(c, sys, target, col, &s->columns[s->ncolumns++]);
    }
    return s;
}

/* The prelude file of a system is the one that declares it; its entities are the system's. */
static struct ast_entity *entity_node(const struct check *c, const struct system *sys, struct str name)
{
    for (const struct prelude_part *p = c->prelude; p != NULL; p = p->next) {
        bool mine = false;
        AST_EACH(n, p->file->items) mine = mine || (n->kind == AST_SYSTEM && AST_AS(system, n) == sys->ast);
        if (!mine) continue;
        AST_EACH(n, p->file->items)
            if (n->kind == AST_ENTITY && str_eq(AST_AS(entity, n)->name.text, name)) return AST_AS(entity, n);
    }
    return NULL;
}

static void hint_entities(const struct check *c, const struct endpoint *ep, struct diag *d, struct str wrong)
{
    struct diag_nearest near = diag_nearest_begin(wrong);
    for (const struct prelude_part *p = c->prelude; p != NULL; p = p->next) {
        bool mine = false;
        AST_EACH(n, p->file->items) mine = mine || (n->kind == AST_SYSTEM && AST_AS(system, n) == ep->system->ast);
        AST_EACH(n, p->file->items)
            if (mine && n->kind == AST_ENTITY) diag_nearest_try(&near, AST_AS(entity, n)->name.text);
    }
    for (const struct schema *s = ep->own; s != NULL; s = s->next) diag_nearest_try(&near, s->name);
    resolve__hint(d, &near);
}

static struct column from_lock(const struct check *c, const struct lock_field *lf, const struct column *old)
{
    struct column col = old ? *old : (struct column){0};
    col.name = lf->name;
    col.at = schema__lock_place(c, lf->at);
    col.known_type = lf->known_type;
    if (lf->known_type) col.type = lf->type;
    col.required = !lf->type.optional;
    col.type.optional = !col.required;
    col.unique = lf->unique;
    col.custom = lf->custom;
    col.read_only = !lf->on_insert && !lf->on_update;
    col.insert_only = lf->on_insert && !lf->on_update;
    if (lf->link_module.n) col.link_module = lf->link_module;
    return col;
}

/* The endpoint's own copy of a module, with the lock file's word over the prelude's. */
static struct schema *own_copy(struct check *c, struct endpoint *ep, const struct schema *base, bool target)
{
    struct schema *s = ARENA_NEW(c->a, struct schema);
    *s = *base;
    s->lock = target && c->spec->lock ? lock_module(c->spec->lock, base->name) : NULL;
    size_t extra = s->lock ? s->lock->nfields : 0;
    s->columns = ARENA_ARRAY(c->a, struct column, base->ncolumns + extra + 1);
    if (s->lock == NULL || s->lock->missing) memcpy(s->columns, base->columns, base->ncolumns * sizeof *s->columns);
    else {
        s->ncolumns = 0;
        for (size_t i = 0; i < s->lock->nfields; i++)
            s->columns[s->ncolumns++] = from_lock(c, &s->lock->fields[i], schema__column(base, s->lock->fields[i].name));
    }
    s->next = ep->own;
    ep->own = s;
    return s;
}

static struct schema *named_own(const struct endpoint *ep, struct str name)
{
    for (struct schema *s = ep->own; s != NULL; s = s->next)
        if (str_eq(s->name, name)) return s;
    return NULL;
}

struct schema *schema__find(struct check *c, struct endpoint *ep, struct str name, struct span at, bool target)
{
    struct schema *s = named_own(ep, name);
    if (s != NULL) return s;
    struct ast_entity *n = entity_node(c, ep->system, name);
    const struct lock_module *lm = target && c->spec->lock ? lock_module(c->spec->lock, name) : NULL;
    if (n != NULL) return own_copy(c, ep, build(c, ep->system, n, target), target);
    if (lm != NULL && !lm->missing) {       /* a custom module that only the org knows */
        struct schema *empty = ARENA_NEW(c->a, struct schema);
        empty->name = lm->name;
        empty->at = schema__lock_place(c, lm->at);
        empty->system = ep->system;
        return own_copy(c, ep, empty, true);
    }
    struct diag *d = diag3(c->ds, at, D_UNKNOWN_ENTITY, diag_str(c->ds, ep->name), target ? "module" : "table", diag_str(c->ds, name));
    hint_entities(c, ep, d, name);
    if (target && d->help == NULL && !c->spec->lock && schema__attr(&ep->system->ast->attrs, "custom"))
        diag_help(d, "a module of your org's own is known from zoho.lock: run `mlcd pull`");
    return NULL;
}

/* An extend line for a field that the org has already must say the same. */
static void agree(struct check *c, const struct column *said, const struct column *there)
{
    struct type a = said->type, b = there->type;
    a.optional = b.optional = false;
    if (!there->known_type || !type_fits(&a, &b)) {
        struct diag *d = diag3(c->ds, said->at, D_EXTEND_CLASH, diag_str(c->ds, said->name), types_show(c->a, &a),
                               there->known_type ? types_show(c->a, &b) : "of a kind that specs cannot write");
        diag_also(d, there->at, "the org says so here");
    } else if (said->unique && !there->unique) {
        struct diag *d = diag3(c->ds, said->at, D_EXTEND_CLASH, diag_str(c->ds, said->name), "unique", "not unique");
        diag_also(d, there->at, "the org says so here");
        diag_help(d, "in Zoho: Setup, Modules, the field, \"Do not allow duplicate values\"; then mlcd pull");
    }
}

void schema__extend(struct check *c, struct ast_extend *x)
{
    struct endpoint *ep = resolve__endpoint(c, &x->endpoint);
    if (ep == NULL || ep->system == NULL) return;
    struct schema *s = schema__find(c, ep, x->entity.text, x->entity.at, ep->target);
    if (s == NULL) return;
    struct column *grown = ARENA_ARRAY(c->a, struct column, s->ncolumns + x->members.n + 1);
    memcpy(grown, s->columns, s->ncolumns * sizeof *grown);
    s->columns = grown;
    AST_EACH(m, x->members) {
        struct ast_column *n = AST_AS(column, m);
        struct column col, *before = schema__column(s, n->name.text);
        read_column(c, ep->system, ep->target, n, &col);
        col.custom = true;
        col.assumed = !ep->target;
        if (n->key) diag1(c->ds, n->base.at, D_BAD_EXTEND, "a key column cannot be added to a table");
        if (before == NULL) s->columns[s->ncolumns++] = col;
        else if (s->lock != NULL && before->at.file == (c->lock_source ? c->lock_source->id : 0)) agree(c, &col, before);
        else diag_also(diag1(c->ds, n->name.at, D_DUPLICATE_NAME, diag_str(c->ds, n->name.text)), before->at, "declared here");
    }
}

void schema__open(struct check *c, struct ast_entity *e)
{
    if (e->endpoint.text.n == 0) {
        struct diag *d = diag1(c->ds, e->name.at, D_BAD_EXTEND, "a spec declares tables of a source only");
        diag_help(d, "write `entity SOURCE.%s { ... }`", diag_str(c->ds, e->name.text));
        return;
    }
    struct endpoint *ep = resolve__endpoint(c, &e->endpoint);
    if (ep == NULL || ep->system == NULL) return;
    if (!ep->system->open) {
        diag1(c->ds, e->name.at, D_BAD_EXTEND, arena_printf(c->a, "the tables of %s are fixed; extend adds columns", diag_str(c->ds, ep->system->name)));
        return;
    }
    struct schema *before = named_own(ep, e->name.text);
    if (before != NULL) {
        diag_also(diag1(c->ds, e->name.at, D_DUPLICATE_NAME, diag_str(c->ds, e->name.text)), before->at, "first here");
        return;
    }
    struct schema *s = build(c, ep->system, e, ep->target);
    for (size_t i = 0; i < s->ncolumns; i++) s->columns[i].assumed = !ep->target;
    s->next = ep->own;
    ep->own = s;
}
