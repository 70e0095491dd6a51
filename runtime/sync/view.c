/* view.c - opens a state directory for reading, and groups what is set aside by its cause. */
#include "sync/view_private.h"
#include <stdio.h>
#include <stdlib.h>

enum err view_open(struct view **out, const struct world *w, const char *state_dir, const char *key_file, const char *credentials_dir, struct fault *f)
{
    struct view *v = calloc(1, sizeof *v);
    if (!v) check_no_memory();
    v->w = w;
    arena_init(&v->arena, 0);
    arena_init(&v->images, 0);
    v->state_dir = arena_copy(&v->arena, state_dir, strlen(state_dir));
    const char *dir = arena_printf(&v->arena, "%s/journal", state_dir);
    unsigned mode;
    bool ours;
    enum err err = ERR_OK;
    if (w->files.mode(w->files.ctx, dir, &mode, &ours) != 0)
        err = fault_set(f, ERR_NOT_FOUND, "nothing was ever run in %s; start with mlcd once --state %s --image FILE.mlcb", state_dir, state_dir);
    if (err == ERR_OK) err = secret_open_read(&v->secrets, w, state_dir, key_file, credentials_dir, f);
    if (err == ERR_OK) err = slot_open_read(v->secrets, f);
    struct store_options so = {.dir = arena_printf(&v->arena, "%s/index", state_dir), .read_only = true};
    if (err == ERR_OK) {
        secret_derive(v->secrets, SECRET_INDEX_KEY, so.key);
        secret_derive(v->secrets, SECRET_KEY_HASH, v->key_hash_key);
        err = store_open(&v->store, w, &so, f);
    }
    struct journal_options jo = {.dir = dir, .origin = "ml-connector", .read_only = true, .seal = {secret_seal, secret_unseal, NULL, v->secrets, {0}}};
    if (err == ERR_OK) err = journal_open(&v->journal, w, &jo, f);
    if (err != ERR_OK) {
        view_close(v);
        return err;
    }
    *out = v;
    return ERR_OK;
}

void view_close(struct view *v)
{
    if (!v) return;
    journal_close(v->journal);
    store_close(v->store);
    secret_close(v->secrets);
    arena_free(&v->images);
    arena_free(&v->arena);
    free(v);
}

struct store *view_store(struct view *v) { return v->store; }

struct str view_key_text(struct str natural, struct arena *a)
{
    struct str parts[LIMIT_KEY_PARTS + 1];
    size_t n = rowkey_parts(natural, a, parts, LIMIT_KEY_PARTS + 1);
    struct buf b = {0};
    rowkey_text(&b, parts, n);
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

/* ---- causes ---- */
enum { CAUSES_MAX = 200 };
struct grouping { struct arena *a; struct str flow; struct view_cause *out; size_t n; };

/* Causes differ by their text without quoted values and ids: digits runs of ten and more are blotted out. */
static void cause_text(struct str why, char *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < why.n && n + 2 < max;) {
        size_t digits = 0;
        while (i + digits < why.n && why.p[i + digits] >= '0' && why.p[i + digits] <= '9') digits++;
        if (digits >= 10) {
            out[n++] = '#';
            i += digits;
        } else {
            out[n++] = why.p[i++];
        }
    }
    out[n] = '\0';
}

static enum err group_row(void *arg, struct str key, const struct row *r)
{
    struct grouping *g = arg;
    bool shown = r->state == ROW_REJECTED || r->state == ROW_WAITING || r->state == ROW_HELD || r->state == ROW_RETRY || r->state == ROW_AMBIGUOUS;
    if (!shown) return ERR_OK;
    char why[sizeof g->out->why];
    cause_text(r->why.n ? r->why : str_of(row_state_text(r->state)), why, sizeof why);
    size_t i = 0;
    while (i < g->n && !(g->out[i].state == r->state && str_eq(g->out[i].flow, g->flow) && strcmp(g->out[i].why, why) == 0)) i++;
    if (i == CAUSES_MAX) return ERR_OK;
    struct view_cause *c = &g->out[i];
    if (i == g->n) {
        g->n++;
        *c = (struct view_cause){.flow = g->flow, .state = r->state};
        snprintf(c->why, sizeof c->why, "%s", why);
        struct arena_mark m = arena_mark(g->a);
        struct str text = view_key_text(key, g->a);
        snprintf(c->example, sizeof c->example, "%.*s", (int)text.n, text.p);
        arena_release(g->a, m);
    }
    c->count++;
    return ERR_OK;
}

struct all_flows { struct view *v; struct arena *a; struct str name[64]; uint16_t id[64]; size_t n; };

static enum err note_flow(void *arg, struct str name, const struct flow_state *st)
{
    struct all_flows *all = arg;
    if (all->n == 64) return ERR_OK;
    all->name[all->n] = (struct str){arena_copy(all->a, name.p, name.n), name.n};
    all->id[all->n++] = st->id;
    return ERR_OK;
}

enum err view_causes(struct view *v, struct arena *a, struct view_cause **out, size_t *n, struct fault *f)
{
    struct all_flows *all = ARENA_NEW(a, struct all_flows);
    *all = (struct all_flows){.v = v, .a = a};
    struct grouping g = {a, {NULL, 0}, ARENA_ARRAY(a, struct view_cause, CAUSES_MAX), 0};
    enum err err = store_flows(v->store, note_flow, all);
    for (size_t i = 0; i < all->n && err == ERR_OK; i++) {
        g.flow = all->name[i];
        err = store_rows(v->store, all->id[i], (struct str){NULL, 0}, group_row, &g, f);
    }
    *out = g.out;
    *n = g.n;
    return err;
}
