/* pull.c - zoho.lock and sage.lock: what the two systems say of their own modules and tables, written beside the spec.
 *
 *     flows -> modules they write, link to and look up  -> target's describe -> lockfile -> DIR/zoho.lock
 *           -> tables they read, per company            -> source's describe -> lockfile -> DIR/sage.lock
 *
 * A file that would hold the same bytes is not touched. Nothing is changed in either system. */
#include "sync/sync_private.h"
#include <stdio.h>
#include <stdlib.h>

enum { LOCK_BYTES = 16 << 20 };

struct pulling {
    struct engine *e;
    const char *dir;
    void (*each)(void *ctx, const struct pull_change *c);
    void *ctx;
    struct arena *a;
    struct fault *f;
};

static void on_entity(void *ctx, const struct described_entity *d) { lockfile_add(ctx, d); }

static void no_change(void *ctx, const struct pull_change *c)
{
    (void)ctx;
    (void)c;
}

static const char *path_of(const struct pulling *p, const char *name) { return arena_printf(p->a, "%s/%s", p->dir, name); }

/* Empty when there is none. */
static enum err old_text(const struct pulling *p, const char *name, struct str *out)
{
    enum err err = world_read_file(p->e->w, path_of(p, name), LOCK_BYTES, p->a, out, p->f);
    if (err != ERR_NOT_FOUND) return err;
    *out = (struct str){"", 0};
    return ERR_OK;
}

static enum err finish(const struct pulling *p, struct lockfile *l, struct str old, struct pull_file *file)
{
    struct str now = lockfile_text(l);
    file->entities = l->n;
    for (size_t i = 0; i < l->n; i++) file->fields += l->list[i].nfields;
    bool same = str_eq(old, now);
    file->state = same ? PULL_SAME : PULL_CHANGED;
    if (same) return ERR_OK;
    if (!lockdiff_list(l, old, now, p->each ? p->each : no_change, p->ctx, &file->changes)) file->state = PULL_NEW;
    return world_write_file(p->e->w, path_of(p, l->name), now, 0644, p->f);
}

static void skip(struct pull_file *file, const char *why)
{
    file->state = PULL_SKIPPED;
    (void)snprintf(file->why, sizeof file->why, "%s", why);
}

/* ---- the target ---- */

static void want(struct str *list, size_t *n, struct str name)
{
    if (name.n == 0) return;
    for (size_t i = 0; i < *n; i++)
        if (str_eq(list[i], name)) return;
    list[(*n)++] = name;
}

/* The one target that has metadata, or NULL with the reason. */
static struct sync_endpoint *described_target(struct engine *e, const char **why)
{
    struct sync_endpoint *found = NULL;
    *why = "the target keeps no metadata";
    for (size_t i = 0; i < e->nflows; i++) {
        struct sync_endpoint *p = e->flows[i].dst;
        if (!p->tops->describe || p == found) continue;
        if (found) {
            *why = "the flows lead to several targets and the file is about one: choose a flow with --flow";
            return NULL;
        }
        found = p;
    }
    return found;
}

static size_t wanted_modules(const struct engine *e, const struct sync_endpoint *p, struct str *list)
{
    size_t n = 0;
    for (size_t i = 0; i < e->nflows; i++) {
        const struct image_flow *fl = e->flows[i].fl;
        if (e->flows[i].dst != p) continue;
        want(list, &n, fl->module);
        for (size_t k = 0; k < fl->nfields; k++) want(list, &n, fl->fields[k].link_module);
        for (size_t k = 0; k < fl->nlinks; k++)
            if (str_eq(fl->links[k].target, p->decl->name)) want(list, &n, fl->links[k].module);
    }
    return n;
}

static enum err pull_target(const struct pulling *p, const struct str *also, size_t nalso, struct pull_file *file)
{
    struct engine *e = p->e;
    const char *why;
    struct lockfile l = {.name = file->name, .entities = "modules", .fields = "fields", .a = p->a};
    struct sync_endpoint *t = described_target(e, &why);
    struct str old, *known;
    if (!t) return skip(file, why), ERR_OK;
    enum err err = old_text(p, file->name, &old);
    if (err != ERR_OK) return err;
    size_t nknown = lockdiff_entities(&l, old, &known), max = nknown + nalso + 1, n;
    for (size_t i = 0; i < e->nflows; i++) max += 1 + e->flows[i].fl->nfields + e->flows[i].fl->nlinks;
    struct str *list = ARENA_ARRAY(p->a, struct str, max);
    n = wanted_modules(e, t, list);
    for (size_t i = 0; i < nalso; i++) want(list, &n, also[i]);
    for (size_t i = 0; i < nknown; i++) want(list, &n, known[i]);
    struct describe_sink sink = {on_entity, &l};
    err = t->tops->describe(t->target, list, n, p->a, &l.edition, &sink, p->f);
    return err == ERR_OK ? finish(p, &l, old, file) : fault_prefix(p->f, "target %s", t->env.state_name);
}

/* ---- the sources ---- */

static bool asked(const struct source_query *list, size_t n, const struct source_query *q)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i].entity, q->entity) && str_eq(list[i].company, q->company)) return true;
    return false;
}

static enum err describe_source(const struct pulling *p, struct sync_endpoint *s, struct lockfile *l)
{
    struct engine *e = p->e;
    size_t max = 0, n = 0;
    for (size_t i = 0; i < e->nflows; i++) max += e->flows[i].nqueries;
    struct source_query *q = ARENA_ARRAY(p->a, struct source_query, max + 1);
    for (size_t i = 0; i < e->nflows; i++)
        for (size_t k = 0; e->flows[i].src == s && k < e->flows[i].nqueries; k++)
            if (!asked(q, n, &e->flows[i].queries[k])) q[n++] = e->flows[i].queries[k];
    struct describe_sink sink = {on_entity, l};
    return n ? s->sops->describe(s->source, q, n, &sink, p->f) : ERR_OK;
}

/* A source that cannot be asked leaves its file as it is: the target's is worth having without it. */
static enum err pull_sources(const struct pulling *p, struct pull_file *file)
{
    struct engine *e = p->e;
    struct lockfile l = {.name = file->name, .entities = "tables", .fields = "columns", .a = p->a};
    struct str old;
    bool any = false;
    for (size_t i = 0; i < e->image->nsources; i++) {
        struct sync_endpoint *s = &e->sources[i];
        if (!s->sops->describe) continue;
        enum err err = describe_source(p, s, &l);
        if (err == ERR_STOPPED) return err;
        if (err != ERR_OK) return skip(file, p->f->text), ERR_OK;
        any = true;
    }
    if (!any || l.n == 0) return skip(file, "no source of the spec has a schema to ask"), ERR_OK;
    enum err err = old_text(p, file->name, &old);
    return err == ERR_OK ? finish(p, &l, old, file) : err;
}

enum err engine_pull(struct engine *e, const char *dir, const struct str *also, size_t nalso, void (*each)(void *ctx, const struct pull_change *c), void *ctx,
                     struct pull_file files[PULL_FILES], struct fault *f)
{
    struct arena a;
    struct pulling p = {e, dir, each, ctx, &a, f};
    arena_init(&a, 0);
    files[0] = (struct pull_file){.name = "zoho.lock"};
    files[1] = (struct pull_file){.name = "sage.lock"};
    enum err err = pull_target(&p, also, nalso, &files[0]);
    if (err == ERR_OK) err = pull_sources(&p, &files[1]);
    arena_free(&a);
    return err;
}
