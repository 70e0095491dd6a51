/* setup.c - an engine is made: its state taken (start.c), a compiled spec loaded and its connectors opened; and let go again. */
#include "sync/sync_private.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 1 << 20 };         /* a page of 250 rows of 70 columns, kept from one to the next: what is given back is zeroed and mapped anew */

static const char *in_state(struct engine *e, const char *name)
{
    return arena_printf(&e->page, "%s/%s", e->o.state_dir, name);
}

int64_t engine_settle_ms(const struct engine *e) { return e->o.settle_ms ? e->o.settle_ms : 120000; }

/* ---- images ---- */
static enum err keep_image(struct engine *e, struct str bytes, struct fault *f)
{
    const struct world_files *fs = &e->w->files;
    char hex[2 * HASH_BYTES + 1];
    hash_hex(e->image->content.b, HASH_BYTES, hex);
    if (fs->mkdir(fs->ctx, in_state(e, "images"), 0700) != 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "cannot make %s/images: %s", e->o.state_dir, strerror(errno));
    const char *path = arena_printf(&e->page, "%s/images/%s.mlcb", e->o.state_dir, hex);
    unsigned mode;
    bool ours;
    enum err err = ERR_OK;
    if (fs->mode(fs->ctx, path, &mode, &ours) != 0) err = world_write_file(e->w, path, bytes, 0600, f);
    const char *current = in_state(e, "images/current");
    struct str was = {NULL, 0};
    if (err == ERR_OK && (world_read_file(e->w, current, 4096, &e->page, &was, NULL) != ERR_OK || !str_is(was, hex)))
        err = world_write_file(e->w, current, str_of(hex), 0600, f);
    /* Also when nothing was written: the process that wrote it may have been killed before its sync, and frames name this image from now on. */
    if (err == ERR_OK && (fs->sync_dir(fs->ctx, in_state(e, "images")) != 0 || fs->sync_dir(fs->ctx, e->o.state_dir) != 0))
        return fault_set(f, ERR_SYNC_FAILED, "cannot sync %s/images: %s", e->o.state_dir, strerror(errno));
    return err;
}

static enum err current_image(struct engine *e, const char **path, struct fault *f)
{
    struct str hex;
    enum err err = world_read_file(e->w, in_state(e, "images/current"), 4096, &e->page, &hex, f);
    if (err == ERR_NOT_FOUND)
        return fault_set(f, ERR_USAGE, "no compiled spec was ever run in %s: name one, e.g. mlcd once --image customers.mlcb", e->o.state_dir);
    if (err == ERR_OK) *path = arena_printf(&e->page, "%s/images/%.*s.mlcb", e->o.state_dir, (int)hex.n, hex.p);
    return err;
}

enum err engine__load_image(struct engine *e, const char *path, struct fault *f)
{
    enum err err = ERR_OK;
    if (!path) err = current_image(e, &path, f);
    struct str bytes;
    if (err == ERR_OK) err = world_read_file(e->w, path, LIMIT_IMAGE_BYTES, &e->arena, &bytes, f);
    if (err != ERR_OK) return err;
    struct image_fault why;
    err = image_load(bytes, &e->arena, &e->image, &why);
    if (err != ERR_OK) return fault_set(f, err, "%s is no compiled spec that can be trusted: %s (%s)", path, why.text, why.rule);
    err = e->o.dry ? ERR_OK : keep_image(e, bytes, f);
    if (err == ERR_OK) err = config_endpoints(e, f);
    if (err == ERR_OK) err = engine__flows(e, f);
    if (err == ERR_OK) e->vm = vm_new(e->image);
    return err;
}

void engine__close_image(struct engine *e)
{
    if (!e->image) return;
    for (size_t i = 0; e->sources && i < e->image->nsources; i++)
        if (e->sources[i].source) e->sources[i].sops->close(e->sources[i].source);
    for (size_t i = 0; e->targets && i < e->image->ntargets; i++)
        if (e->targets[i].target) e->targets[i].tops->close(e->targets[i].target);
    if (e->vm) vm_free(e->vm);
    e->vm = NULL;
    e->image = NULL;
    e->sources = e->targets = NULL;
    e->flows = NULL;
    e->nflows = 0;
    e->checked = false;
    arena_reset(&e->arena);
}

/* ---- flows ---- */
static struct sync_endpoint *endpoint(struct sync_endpoint *list, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i].decl->name, name)) return &list[i];
    return NULL;
}

static void make_queries(struct engine *e, struct sync_flow *sf)
{
    const struct image_flow *fl = sf->fl;
    struct source_column *cols = ARENA_ARRAY(&e->arena, struct source_column, fl->ncolumns + 1);
    struct str *keys = ARENA_ARRAY(&e->arena, struct str, fl->nkeys + 1);
    for (size_t i = 0; i < fl->ncolumns; i++) cols[i] = (struct source_column){fl->columns[i].name, fl->columns[i].type, fl->columns[i].udf};
    for (size_t i = 0; i < fl->nkeys; i++) keys[i] = fl->columns[fl->key_columns[i]].name;
    sf->nqueries = fl->ncompanies ? fl->ncompanies : 1;
    sf->queries = ARENA_ARRAY(&e->arena, struct source_query, sf->nqueries);
    sf->from = ARENA_ARRAY(&e->arena, struct sync_endpoint *, sf->nqueries);
    for (size_t i = 0; i < sf->nqueries; i++) {
        sf->from[i] = fl->ncompanies ? endpoint(e->sources, e->image->nsources, fl->company_sources[i]) : sf->src;
        sf->queries[i] = (struct source_query){.entity = fl->entity, .company = fl->ncompanies ? fl->companies[i] : conn_setting(&sf->src->env, "company"),
                                               .via = fl->via, .key_columns = keys, .nkeys = fl->nkeys, .columns = cols, .ncolumns = fl->ncolumns,
                                               .page_rows = e->o.page_rows};
    }
}

enum err engine__flows(struct engine *e, struct fault *f)
{
    const struct image *im = e->image;
    e->flows = ARENA_ARRAY(&e->arena, struct sync_flow, im->nflows + 1);
    for (size_t i = 0; i < im->nflows; i++) {
        const struct image_flow *fl = &im->flows[im->order[i]];        /* those that others refer to first */
        if (e->o.flow && !str_is(fl->name, e->o.flow)) continue;
        struct sync_flow *sf = &e->flows[e->nflows++];
        *sf = (struct sync_flow){.fl = fl, .name = fl->name, .cname = arena_copy(&e->arena, fl->name.p, fl->name.n)};
        sf->src = endpoint(e->sources, im->nsources, fl->source);
        sf->dst = endpoint(e->targets, im->ntargets, fl->target);
        if (!sf->src || !sf->dst) return fault_set(f, ERR_FORMAT, "the compiled spec names a source or target that it does not declare");
        int64_t batch = conn_setting_int(&sf->dst->env, "batch", LIMIT_WRITE_BATCH);
        sf->batch_now = e->o.batch_rows ? e->o.batch_rows : batch < 1 || batch > LIMIT_WRITE_BATCH ? LIMIT_WRITE_BATCH : (unsigned)batch;
        link_places(sf, &e->arena);
        sf->has_lines = fl->nlines > 0;
        sf->shares_records = fl->into > 0;
        for (size_t k = 0; k < im->nflows; k++) sf->shares_records = sf->shares_records || im->flows[k].into == im->order[i] + 1u;
        make_queries(e, sf);
        same_reading(sf, &e->arena);
    }
    if (e->o.flow && e->nflows == 0) return fault_set(f, ERR_USAGE, "the spec has no flow named %s", e->o.flow);
    return ERR_OK;
}

const struct image *engine_image(const struct engine *e) { return e->image; }

/* ---- opening and closing ---- */
struct engine *engine__new(const struct world *w, const struct engine_options *o)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e) check_no_memory();
    e->w = w;
    e->o = *o;
    e->lock_fd = -1;
    arena_init(&e->arena, 0);
    arena_init(&e->page, PAGE_BYTES);
    arena_init(&e->pending_arena, 256 * 1024);
    arena_init(&e->folding_arena, 256 * 1024);
    return e;
}

enum err engine_open(struct engine **out, const struct world *w, const struct engine_options *o, struct fault *f)
{
    struct engine *e = engine__new(w, o);
    enum err err = engine__take_lock(e, f);
    bool alone = err == ERR_OK;
    if (err == ERR_LOCKED_STATE && o->beside) err = ERR_OK;
    if (err == ERR_OK) err = secret_open(&e->secrets, w, o->state_dir, o->key_file, o->credentials_dir, f);
    if (err == ERR_OK && alone) err = engine__take_state(e, f);
    if (err == ERR_OK && !alone && o->look) err = engine__look_at_state(e, f);
    if (err == ERR_OK) err = engine__load_image(e, o->image_path, f);
    arena_reset(&e->page);
    if (err != ERR_OK) {
        engine_close(e);
        return err;
    }
    *out = e;
    return ERR_OK;
}

/* ---- another master key ---- */
static enum err note_key(struct engine *e, const char *what, const char *by, struct fault *f)
{
    emit_begin(e, FRAME_KEY, NULL);
    event_put_text(&e->pub, EV_WHAT, what);
    event_put_text(&e->pub, EV_BY, "operator");
    event_put_text(&e->priv, EV_BY, by);
    enum err err = emit_end(e, f);
    return err == ERR_OK ? emit_commit(e, f) : err;
}

enum err engine_rotate(const struct world *w, const struct engine_options *o, const char *by, struct secret_rotated *out, struct fault *f)
{
    struct engine *e = engine__new(w, o);
    char what[120];
    enum err err = engine__take_lock(e, f);
    if (err == ERR_OK) err = secret_open(&e->secrets, w, o->state_dir, o->key_file, o->credentials_dir, f);
    if (err == ERR_OK) err = engine__take_state(e, f);
    if (err == ERR_OK) err = note_key(e, "the master key is about to be changed", by, f);
    if (err == ERR_OK) err = secret_rotate(e->secrets, out, f);
    if (err == ERR_OK) {
        snprintf(what, sizeof what, "the master key was changed; values sealed anew: %llu, damaged before: %llu", (unsigned long long)out->values, (unsigned long long)out->damaged);
        err = note_key(e, what, by, f);
    }
    engine_close(e);
    return err;
}

void engine_close(struct engine *e)
{
    if (!e) return;
    struct fault f;
    bool clean = false;
    engine__close_image(e);
    if (e->journal && e->store) {
        emit_begin(e, FRAME_CLOSE, NULL);
        clean = emit_end(e, &f) == ERR_OK && emit_commit(e, &f) == ERR_OK && store_flush(e->store, &f) == ERR_OK;
        if (!clean) log_warn("the state directory was not closed cleanly (%s); the next start recovers", f.text);
    }
    journal_close(e->journal);
    store_close(e->store);
    secret_close(e->secrets);
    if (clean && engine__mark_closed(e, &f) != ERR_OK) log_warn("%s; the next start looks the index over", f.text);
    if (e->lock_fd >= 0) e->w->files.close(e->w->files.ctx, e->lock_fd);
    arena_free(&e->arena);
    arena_free(&e->page);
    arena_free(&e->pending_arena);
    arena_free(&e->folding_arena);
    buf_free(&e->pub);
    buf_free(&e->priv);
    free(e->pending);
    free(e->folding);
    free(e);
}
