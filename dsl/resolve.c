/* resolve.c - from the items of the file to named things: imports, endpoints, extends, tables, fns, flows, tests; then each is checked.
 *
 *   pass 1  names of everything, so that order in the file does not matter (functions excepted: they call only what stands above)
 *   pass 2  settings, schemas, tables, fns
 *   pass 3  flows, then tests
 *   pass 4  what nobody used */
#include "dsl/check.h"
#include "dsl/lex.h"
#include "dsl/parse.h"
#include "dsl/prelude.h"
#include "base/check.h"
#include "base/limits.h"

void resolve__hint(struct diag *d, const struct diag_nearest *n)
{
    if (!diag_nearest_found(n)) return;
    diag_help(d, "did you mean `%s`?", diag_str(d->owner, n->best));
    struct str there = span_text(d->owner->sources, d->at);
    if (str_eq(there, n->wrong)) diag_fix(d, d->at, lex_plain_name(n->best) ? "%.*s" : "`%.*s`", (int)n->best.n, n->best.p);
    else if (there.n == n->wrong.n + 2 && there.p[0] == '"' && str_eq((struct str){there.p + 1, n->wrong.n}, n->wrong))
        diag_fix(d, d->at, "\"%.*s\"", (int)n->best.n, n->best.p);
}

struct diag *resolve__unsupported(struct check *c, struct span at, const char *what)
{
    return diag1(c->ds, at, D_UNSUPPORTED, what);
}

/* ---- look-ups ---- */

struct endpoint *resolve__endpoint(struct check *c, const struct ast_name *name)
{
    struct diag_nearest near = diag_nearest_begin(name->text);
    for (struct endpoint *e = c->spec->endpoints; e != NULL; e = e->next) {
        if (str_eq(e->name, name->text)) return e;
        diag_nearest_try(&near, e->name);
    }
    struct diag *d = diag1(c->ds, name->at, D_UNKNOWN_ENDPOINT, diag_str(c->ds, name->text));
    struct buf names = {0};
    resolve__hint(d, &near);
    for (const struct endpoint *e = c->spec->endpoints; e != NULL; e = e->next) buf_printf(&names, "%s`%.*s`", names.n ? ", " : "", (int)e->name.n, e->name.p);
    if (!d->help && names.n) diag_help(d, "it has %s", buf_cstr(&names));
    buf_free(&names);
    return NULL;
}

struct table *resolve__table(struct check *c, const struct ast_name *name)
{
    struct diag_nearest near = diag_nearest_begin(name->text);
    for (struct table *t = c->spec->tables; t != NULL; t = t->next) {
        if (str_eq(t->name, name->text)) return t;
        diag_nearest_try(&near, t->name);
    }
    struct diag *d = diag1(c->ds, name->at, D_UNKNOWN_TABLE, diag_str(c->ds, name->text));
    resolve__hint(d, &near);
    if (!d->help) diag_help(d, "declare it: table %s from \"FILE.csv\" (KEY => VALUE), or table %s { \"key\" => \"value\" }", diag_str(c->ds, name->text), diag_str(c->ds, name->text));
    return NULL;
}

struct fn *resolve__fn(struct check *c, struct str name)
{
    for (struct fn *f = c->spec->fns; f != NULL; f = f->next)
        if (str_eq(f->name, name)) return f;
    return NULL;
}

struct flow *resolve__flow(struct check *c, const struct ast_name *name)
{
    struct diag_nearest near = diag_nearest_begin(name->text);
    for (struct flow *f = c->spec->flows; f != NULL; f = f->next) {
        if (str_eq(f->name, name->text)) return f;
        diag_nearest_try(&near, f->name);
    }
    resolve__hint(diag1(c->ds, name->at, D_UNKNOWN_FLOW, diag_str(c->ds, name->text)), &near);
    return NULL;
}

/* ---- pass 1 ---- */

/* Names of one kind are distinct; false when this one is taken. */
static bool fresh(struct check *c, const struct ast_name *name, bool taken, struct span by)
{
    if (taken) diag_also(diag1(c->ds, name->at, D_DUPLICATE_NAME, diag_str(c->ds, name->text)), by, "first here");
    return !taken;
}

/* The file named by @lock("...") beside the spec, if it is there. */
static void load_lock(struct check *c, struct system *s, const struct ast_attr *attr)
{
    if (attr == NULL || attr->args.first == NULL || attr->args.first->kind != AST_TEXT) return;
    struct str name = AST_AS(text, attr->args.first)->value;
    const char *slash = c->files->dir[0] ? "/" : "", *path = arena_printf(c->a, "%s%s%.*s", c->files->dir, slash, (int)name.n, name.p);
    struct source *src = NULL;
    struct lock_fault why;
    struct fault f = {0};
    enum err err = sources_load(c->sources, c->files->world, path, &src, &f);
    if (err == ERR_NOT_FOUND) return;
    if (err != ERR_OK) {
        diag2(c->ds, (struct span){0, 0, 0}, D_BAD_LOCK, path, f.text);
        return;
    }
    struct lock *lock = ARENA_NEW(c->a, struct lock);
    s->lock_file = src;
    if (lock_parse(src->text, s->target ? LOCK_TARGET : LOCK_SOURCE, c->a, lock, &why)) s->lock = lock;
    else diag2(c->ds, (struct span){src->id, why.at, why.at}, D_BAD_LOCK, path, why.text);
}

static void add_system(struct check *c, struct ast_system *n)
{
    struct system *s = ARENA_NEW(c->a, struct system);
    const struct ast_attr *doors = schema__attr(&n->attrs, "doors");
    s->name = n->name.text;
    s->ast = n;
    s->open = schema__attr(&n->attrs, "open") != NULL;
    AST_EACH(side, n->sides) {
        if (AST_AS(side, side)->target) s->target = AST_AS(side, side);
        else s->source = AST_AS(side, side);
    }
    if (doors) {
        struct str *names = ARENA_ARRAY(c->a, struct str, doors->args.n + 1);
        AST_EACH(d, doors->args)
            if (d->kind == AST_CHOICE && s->ndoors < 31) names[s->ndoors++] = AST_AS(choice, d)->name.text;
        s->doors = names;
    }
    load_lock(c, s, schema__attr(&n->attrs, "lock"));
    s->next = c->spec->systems;
    c->spec->systems = s;
}

static void import(struct check *c, struct ast_import *n)
{
    for (struct ast *o = c->items.first; o != &n->base; o = o->next)
        if (o->kind == AST_IMPORT && str_eq(AST_AS(import, o)->name.text, n->name.text)) {
            if (o->at.file == n->base.at.file)       /* another file may name what it builds on */
                diag_also(diag1(c->ds, n->name.at, D_DUPLICATE_NAME, diag_str(c->ds, n->name.text)), o->at, "first here");
            return;
        }
    struct ast_file *file = prelude_import(n->name.text, c->sources, c->a, c->ds);
    if (file == NULL) {
        struct diag_nearest near = diag_nearest_begin(n->name.text);
        for (size_t i = 0; i < prelude_count(); i++) diag_nearest_try(&near, prelude_name(i));
        struct diag *d = diag1(c->ds, n->name.at, D_UNKNOWN_IMPORT, diag_str(c->ds, n->name.text));
        resolve__hint(d, &near);
        if (!d->help) diag_help(d, "there are sage100, zoho_crm and file; a file of your own stands in quotes: import \"%s.mlc\"", diag_str(c->ds, n->name.text));
        return;
    }
    struct prelude_part *p = ARENA_NEW(c->a, struct prelude_part), **tail = &c->prelude;
    p->file = file;
    while (*tail) tail = &(*tail)->next;
    *tail = p;
    AST_EACH(i, file->items)
        if (i->kind == AST_SYSTEM) add_system(c, AST_AS(system, i));
}

static void add_endpoint(struct check *c, struct ast_endpoint *n)
{
    struct endpoint **tail = &c->spec->endpoints, *e;
    for (; *tail; tail = &(*tail)->next)
        if (!fresh(c, &n->name, str_eq((*tail)->name, n->name.text), (*tail)->at)) return;
    e = *tail = ARENA_NEW(c->a, struct endpoint);
    *e = (struct endpoint){.name = n->name.text, .at = n->name.at, .target = n->target};
    struct diag_nearest near = diag_nearest_begin(n->system.text);
    for (struct system *s = c->spec->systems; s != NULL; s = s->next) {
        if (str_eq(s->name, n->system.text)) e->system = s;
        diag_nearest_try(&near, s->name);
    }
    if (e->system != NULL) return;
    struct diag *d = diag1(c->ds, n->system.at, D_UNKNOWN_SYSTEM, diag_str(c->ds, n->system.text));
    resolve__hint(d, &near);
    for (size_t i = 0; i < prelude_count(); i++)
        if (str_eq(prelude_name(i), n->system.text)) diag_help(d, "write `import %s` above", diag_str(c->ds, n->system.text));
    struct buf names = {0};
    for (const struct system *s = c->spec->systems; s != NULL; s = s->next) buf_printf(&names, "%s%.*s", names.n ? ", " : "", (int)s->name.n, s->name.p);
    if (!d->help && names.n) diag_help(d, "it imports %s", buf_cstr(&names));
    buf_free(&names);
}

static void add_table(struct check *c, struct ast *n)
{
    const struct ast_name *name = n->kind == AST_TABLE ? &AST_AS(table, n)->name : &AST_AS(table_file, n)->name;
    unsigned index = 0;
    struct table **tail = &c->spec->tables;
    for (; *tail; tail = &(*tail)->next, index++)
        if (!fresh(c, name, str_eq((*tail)->name, name->text), (*tail)->at)) return;
    *tail = ARENA_NEW(c->a, struct table);
    **tail = (struct table){.name = name->text, .at = name->at, .index = index};
    check__table(c, *tail, n);
}

static void add_fn(struct check *c, struct ast_fn *n)
{
    struct fn **tail = &c->spec->fns;
    unsigned index = 0;
    if (check__is_builtin(n->name.text)) {
        diag_help(diag1(c->ds, n->name.at, D_DUPLICATE_NAME, diag_str(c->ds, n->name.text)), "a builtin has this name");
        return;
    }
    for (; *tail; tail = &(*tail)->next, index++)
        if (!fresh(c, &n->name, str_eq((*tail)->name, n->name.text), (*tail)->at)) return;
    *tail = ARENA_NEW(c->a, struct fn);
    **tail = (struct fn){.name = n->name.text, .at = n->name.at, .ast = n, .index = index};
}

static void add_flow(struct check *c, struct ast_flow *n)
{
    struct flow **tail = &c->spec->flows;
    size_t count = 0;
    for (; *tail; tail = &(*tail)->next, count++)
        if (!fresh(c, &n->name, str_eq((*tail)->name, n->name.text), (*tail)->at)) return;
    if (count == LIMIT_FLOWS) {
        diag1(c->ds, n->name.at, D_LIMIT, "256 flows in one spec");
        return;
    }
    *tail = ARENA_NEW(c->a, struct flow);
    **tail = (struct flow){.name = n->name.text, .at = n->name.at, .ast = n, .index = (unsigned)count};
}

static void add_test(struct check *c, struct ast_test *n)
{
    struct flow *f = resolve__flow(c, &n->flow);
    struct test **tail = &c->spec->tests;
    while (*tail) tail = &(*tail)->next;
    if (f == NULL) return;
    *tail = ARENA_NEW(c->a, struct test);
    **tail = (struct test){.title = n->title, .at = n->base.at, .flow = f};
    check__test(c, *tail, n);
}

static void name_everything(struct check *c, const struct ast_file *file)
{
    const struct ast *titled = NULL;
    AST_EACH(n, c->items) {
        if (n->kind == AST_SPEC) {
            if (titled) diag_also(diag1(c->ds, n->at, D_DUPLICATE_NAME, "spec"), titled->at, "first here");
            titled = n;
            c->spec->title = AST_AS(spec, n)->title;
        } else if (n->kind == AST_IMPORT) import(c, AST_AS(import, n));
        else if (n->kind == AST_SYSTEM) resolve__unsupported(c, n->at, "`system` in a spec");
    }
    if (!titled && !c->broken) {
        struct diag *d = diag0(c->ds, (struct span){file->base.at.file, 0, 0}, D_NO_SPEC);
        diag_help(d, "write under `mlc 1`: spec \"name-of-this-integration\"");
    }
    AST_EACH(n, c->items)
        if (n->kind == AST_ENDPOINT) add_endpoint(c, AST_AS(endpoint, n));
    AST_EACH(n, c->items) {
        if (n->kind == AST_TABLE || n->kind == AST_TABLE_FILE) add_table(c, n);
        else if (n->kind == AST_FN) add_fn(c, AST_AS(fn, n));
        else if (n->kind == AST_FLOW) add_flow(c, AST_AS(flow, n));
    }
}

/* ---- passes 2 to 4 ---- */

static struct endpoint *named_endpoint(struct check *c, const struct ast_endpoint *n)
{
    for (struct endpoint *e = c->spec->endpoints; e != NULL; e = e->next)
        if (e->at.at == n->name.at.at && e->at.file == n->name.at.file) return e;
    return NULL;
}

/* Flows that write the same key field of one module part their records by the flow's name. */
static void shared_keys(struct check *c)
{
    for (struct flow *f = c->spec->flows; f != NULL; f = f->next)
        for (struct flow *g = c->spec->flows; g != NULL; g = g->next)
            if (f != g && f->key && g->key && f->module && g->module && f->target == g->target && str_eq(f->module->name, g->module->name) &&
                str_eq(f->key->column->name, g->key->column->name))
                f->key_with_flow = true;
    for (struct flow *f = c->spec->flows; f != NULL; f = f->next) {
        if (f->key_with_flow && f->key->ast)
            diag1(c->ds, f->key->ast->at, D_KEY_NOT_INJECTIVE, "another flow writes this field of this module too, and the flow's name is not in it");
        if (f->key_with_flow && f->moved_from.n)      /* the written keys hold the old name: they would change */
            diag_also(diag2(c->ds, f->moved_at, D_BAD_MOVE, diag_str(c->ds, f->moved_from), "the flow's name is part of its keys, which never change"),
                      f->key->at, "another flow writes this field of this module too");
        check__key_length(c, f);
    }
}

static void unused(struct check *c)
{
    if (c->ds->nerrors) return;      /* a mistake often hides a use */
    for (struct table *t = c->spec->tables; t != NULL; t = t->next)
        if (!t->used) diag2(c->ds, t->at, D_UNUSED, "table", diag_str(c->ds, t->name));
    for (struct fn *f = c->spec->fns; f != NULL; f = f->next)
        if (!f->used) diag2(c->ds, f->at, D_UNUSED, "fn", diag_str(c->ds, f->name));
    for (struct flow *f = c->spec->flows; f != NULL; f = f->next)
    {
        for (struct let *l = f->lets; l != NULL; l = l->next)
            if (!l->used) diag2(c->ds, l->at, D_UNUSED, "let", diag_str(c->ds, l->name));
        for (struct each *e = f->eaches; e != NULL; e = e->next)
            for (struct let *l = e->lets; l != NULL; l = l->next)
                if (!l->used) diag2(c->ds, l->at, D_UNUSED, "let", diag_str(c->ds, l->name));
    }
}

/* The lock file of another org, or of this one before its edition changed. */
static void same_edition(struct check *c, const struct endpoint *ep)
{
    const struct setting *said = settings__get(ep, "edition");
    const struct lock *lock = ep->system->lock;
    if (said == NULL || said->kind != 0 /* text */ || lock == NULL || lock->edition.n == 0 || str_eq(said->value, lock->edition)) return;
    struct diag *d = diag2(c->ds, said->at, D_LOCK_EDITION, diag_str(c->ds, said->value), diag_str(c->ds, lock->edition));
    diag_help(d, "correct the edition, or run `mlcd pull` against the org that is meant");
}

void resolve__all(struct check *c)
{
    AST_EACH(n, c->items) {
        struct endpoint *ep = n->kind == AST_ENDPOINT ? named_endpoint(c, AST_AS(endpoint, n)) : NULL;
        if (ep == NULL || ep->system == NULL) continue;
        settings__check(c, ep, AST_AS(endpoint, n));
        same_edition(c, ep);
    }
    AST_EACH(n, c->items)
        if (n->kind == AST_ENTITY) schema__open(c, AST_AS(entity, n));
    AST_EACH(n, c->items)
        if (n->kind == AST_EXTEND) schema__extend(c, AST_AS(extend, n));
    for (struct fn *f = c->spec->fns; f != NULL; f = f->next) check__fn(c, f);
    for (int into = 0; into < 2; into++)       /* those with a module of their own first */
        for (struct flow *f = c->spec->flows; f != NULL; f = f->next)
            if ((f->ast->to && f->ast->to->kind == AST_INTO) == into) check__flow_head(c, f);
    for (struct flow *f = c->spec->flows; f != NULL; f = f->next) check__flow(c, f);
    check__writers(c);
    check__ranks(c);
    shared_keys(c);
    AST_EACH(n, c->items)
        if (n->kind == AST_TEST) add_test(c, AST_AS(test, n));
    unused(c);
}

struct spec *spec_check(struct ast_file *file, struct sources *sources, const struct spec_files *files, struct arena *a, struct diags *ds)
{
    struct check *c = ARENA_NEW(a, struct check);
    *c = (struct check){.a = a, .ds = ds, .sources = sources, .files = files, .budget = 1000000};
    c->spec = ARENA_NEW(a, struct spec);
    c->spec->edition = file->edition;
    c->spec->sources = sources;
    imports__splice(c, file);
    c->items = file->items;
    c->broken = ds->nerrors > 0;
    name_everything(c, file);
    resolve__all(c);
    if (ds->nerrors == 0) proof_judge(c->spec, a);
    return c->spec;
}
