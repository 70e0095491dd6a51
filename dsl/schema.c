/* schema.c - tables and modules as the checker sees them: prelude text, then what the lock file says, then what the spec's extend adds.
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

struct span schema__lock_place(const struct system *sys, uint32_t at)
{
    if (sys->lock_file == NULL) return (struct span){0, 0, 0};
    uint32_t end = at;
    while (end < sys->lock_file->text.n && sys->lock_file->text.p[end] != ':' && sys->lock_file->text.p[end] != '\n') end++;
    return (struct span){sys->lock_file->id, at, end};
}

bool schema__there(struct check *c, const struct schema *s, struct span at)
{
    if (s->lock == NULL || !s->lock->missing) return true;
    bool module = s->system->target != NULL;
    struct diag *d = diag2(c->ds, at, D_NOT_IN_ORG, module ? "org" : "installation", arena_printf(c->a, "%s %s", module ? "module" : "table", diag_str(c->ds, s->name)));
    diag_also(d, schema__lock_place(s->system, s->lock->at), "the lock file says so here");
    return false;
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
    const struct ast_type *t = n->type ? AST_AS(type, n->type) : NULL;
    if (t && str_is(t->name.text, "lines") && t->args.n == 1 && t->args.first->kind == AST_CHOICE) out->lines = AST_AS(choice, t->args.first)->name.text;
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
    const struct ast_attr *most = schema__attr(&n->attrs, "most_lines");
    int64_t lines = 0;
    if (most && most->args.n == 1 && most->args.first->kind == AST_NUMBER && str_to_i64(AST_AS(number, most->args.first)->digits, &lines) && lines > 0 &&
        lines <= LIMIT_LINES)
        s->most_lines = (uint32_t)lines;
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

/* A field of a target: all that matters for writing is the org's word. */
static struct column locked_field(const struct system *sys, const struct lock_field *lf, const struct column *old)
{
    struct column col = old ? *old : (struct column){0};
    col.name = lf->name;
    col.at = schema__lock_place(sys, lf->at);
    col.known_type = lf->known_type;
    if (lf->known_type) col.type = lf->type;
    col.unique = lf->unique;
    col.custom = lf->custom;
    col.read_only = !lf->on_insert;                      /* what only an update may write is of no use to a flow, which inserts */
    col.insert_only = lf->on_insert && !lf->on_update;
    col.required = !lf->type.optional && !col.read_only;
    col.type.optional = !col.required;
    if (lf->lines && lf->link_module.n) col.lines = lf->link_module;
    else if (lf->link_module.n) col.link_module = lf->link_module;
    return col;
}

/* A column of a source: length, digits and kind are the installation's. What the prelude knows beyond stays: the key, codes and spellings of a text, a least
 * length, what a blank is read as, what must never leave. */
static struct column locked_column(const struct system *sys, const struct lock_field *lf, const struct column *old)
{
    struct column col = old ? *old : (struct column){.name = lf->name, .custom = lf->custom};
    struct type t = lf->type;
    bool text_kept = old && old->known_type && t.base == T_TEXT && (old->type.base == T_BOOL || old->type.nset > 0);
    col.partial = lf->partial;
    col.assumed = lf->partial;
    col.known_type = lf->known_type;
    if (text_kept) return col;
    col.at = schema__lock_place(sys, lf->at);
    if (!lf->known_type) return col;
    if (old && old->type.base == T_TEXT && t.base == T_TEXT) t.min_len = old->type.min_len < t.max_len ? old->type.min_len : t.max_len;
    t.optional = old == NULL || (old->type.optional && !old->key);
    if (old && old->has_default && !type_admits(&t, &old->fallback, NULL, 0)) {
        col.has_default = false;
        t.optional = !old->key;
    }
    col.type = t;
    return col;
}

/* Columns that a lock file does not list because they are barred, or no columns: they stay. */
static bool stays_unlisted(const struct column *col) { return col->never || !col->known_type; }

static void lock_columns(struct check *c, struct schema *s, const struct schema *base, bool target)
{
    const struct lock_module *lock = s->lock;
    s->ncolumns = 0;
    for (size_t i = 0; !target && i < base->ncolumns; i++) {
        const struct column *col = &base->columns[i];
        const struct lock_field *lf = lock_field(lock, col->name);
        if (lf) s->columns[s->ncolumns++] = locked_column(s->system, lf, col);
        else if (col->key || stays_unlisted(col)) s->columns[s->ncolumns++] = *col;
        if (!lf && col->key)
            diag_also(diag2(c->ds, schema__lock_place(s->system, lock->at), D_BAD_LOCK, "this lock file",
                            arena_printf(c->a, "it lists %s without its key column %s", diag_str(c->ds, s->name), diag_str(c->ds, col->name))), col->at, "declared here");
    }
    for (size_t i = 0; i < lock->nfields; i++) {
        const struct lock_field *lf = &lock->fields[i];
        const struct column *old = schema__column(base, lf->name);
        if (target) s->columns[s->ncolumns++] = locked_field(s->system, lf, old);
        else if (old == NULL) s->columns[s->ncolumns++] = locked_column(s->system, lf, NULL);
    }
}

/* The endpoint's own copy of a module or table, with the lock file's word over the prelude's. */
static struct schema *own_copy(struct check *c, struct endpoint *ep, const struct schema *base, bool target)
{
    struct schema *s = ARENA_NEW(c->a, struct schema);
    *s = *base;
    s->lock = ep->system->lock ? lock_module(ep->system->lock, base->name) : NULL;
    size_t extra = s->lock ? s->lock->nfields : 0;
    s->columns = ARENA_ARRAY(c->a, struct column, base->ncolumns + extra + 1);
    if (s->lock == NULL || s->lock->missing) memcpy(s->columns, base->columns, base->ncolumns * sizeof *s->columns);
    else lock_columns(c, s, base, target);
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
    const struct lock_module *lm = target && ep->system->lock ? lock_module(ep->system->lock, name) : NULL;
    if (n != NULL) return own_copy(c, ep, build(c, ep->system, n, target), target);
    if (lm != NULL && !lm->missing) {       /* a custom module that only the org knows */
        struct schema *empty = ARENA_NEW(c->a, struct schema);
        empty->name = lm->name;
        empty->at = schema__lock_place(ep->system, lm->at);
        empty->system = ep->system;
        return own_copy(c, ep, empty, true);
    }
    struct diag *d = diag3(c->ds, at, D_UNKNOWN_ENTITY, diag_str(c->ds, ep->name), target ? "module" : "table", diag_str(c->ds, name));
    hint_entities(c, ep, d, name);
    if (target && d->help == NULL && !ep->system->lock && schema__attr(&ep->system->ast->attrs, "custom"))
        diag_help(d, "a module of your org's own is known from zoho.lock: run `mlcd pull`");
    return NULL;
}

static void clash(struct check *c, const struct column *said, const struct column *there, const char *mine, const char *theirs, bool target)
{
    struct diag *d = diag4(c->ds, said->at, D_EXTEND_CLASH, diag_str(c->ds, said->name), mine, theirs, target ? "org" : "installation");
    diag_also(d, there->at, target ? "the org says so here" : "the lock file says so here");
    if (target && theirs && strcmp(mine, "unique") == 0)
        diag_help(d, "in Zoho: Setup, Modules, the field, \"Do not allow duplicate values\"; then mlcd pull");
}

/* An extend line for a field that is there already must agree: what is written must fit what the org takes; what is read must hold what the
 * installation can have. A column so declared is a fact that the lock file vouches for, in the narrower type of the two. */
static void agree(struct check *c, const struct column *said, struct column *there, bool target)
{
    struct type a = said->type, b = there->type;
    a.optional = b.optional = false;
    bool spelled = !target && b.base == T_TEXT && (a.base == T_BOOL || a.nset > 0);      /* codes of a text column: still the spec's own word */
    struct type loose = a;
    if (!target && loose.base == T_TEXT && loose.nset == 0) loose.min_len = 1;           /* no lock file knows a least length */
    bool fits = target ? type_fits(&a, &b) : spelled || type_fits(&b, &loose);
    const char *mine = types_show(c->a, &a), *theirs = there->known_type ? types_show(c->a, &b) : "of a kind that specs cannot use";
    if (!there->known_type || !fits) clash(c, said, there, mine, theirs, target);
    else if (target && said->unique && !there->unique) clash(c, said, there, "unique", "not unique", target);
    else if (target && there->link_module.n && said->link_module.n && !str_eq(said->link_module, there->link_module))
        clash(c, said, there, arena_printf(c->a, "a link to %s", diag_str(c->ds, said->link_module)), arena_printf(c->a, "one to %s", diag_str(c->ds, there->link_module)), target);
    if (target) return;
    struct column col = *said;
    if (!spelled) {
        col.type = there->type;
        col.type.optional = said->type.optional;
        if (b.base == T_TEXT && a.min_len <= b.max_len) col.type.min_len = a.min_len;
        if (said->has_default && !type_admits(&col.type, &said->fallback, NULL, 0)) col.type = said->type;
    }
    col.assumed = spelled || there->partial || a.min_len > b.min_len || (!said->type.optional && !said->has_default);
    col.partial = there->partial;
    *there = col;
}

/* Nobody makes columns in a source: what the installation does not list cannot be read. */
static void not_installed(struct check *c, const struct schema *s, const struct column *said)
{
    struct diag *d = diag4(c->ds, said->at, D_EXTEND_CLASH, diag_str(c->ds, said->name), types_show(c->a, &said->type), "not there", "installation");
    diag_also(d, schema__lock_place(s->system, s->lock->at), "the columns of this installation stand here");
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
        if (before == NULL && !ep->target && s->lock != NULL && !s->lock->missing) not_installed(c, s, &col);
        if (before == NULL) s->columns[s->ncolumns++] = col;
        else if (s->lock != NULL && s->system->lock_file && before->at.file == s->system->lock_file->id) agree(c, &col, before, ep->target);
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
