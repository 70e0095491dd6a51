/* view.c - opens a state directory for reading, and groups what is set aside by its cause. */
#include "sync/view_private.h"
#include "sync/cause.h"
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
    struct store_options so = {.dir = arena_printf(&v->arena, "%s/index", state_dir), .read_only = true,
                               .seal = {.seal = secret_seal_same, .open = secret_unseal, .ctx = v->secrets}};
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
enum { CAUSES_MAX = 200, FLOWS_MAX = LIMIT_FLOWS };
struct grouping { struct arena *a; struct str flow; struct view_cause *out; size_t n; };

static enum err group_row(void *arg, struct str key, const struct row *r)
{
    struct grouping *g = arg;
    bool shown = r->state == ROW_REJECTED || r->state == ROW_WAITING || r->state == ROW_HELD || r->state == ROW_RETRY || r->state == ROW_AMBIGUOUS;
    if (!shown) return ERR_OK;
    char why[CAUSE_TEXT];
    cause_text(cause_of(r), why);
    size_t i = 0;
    while (i < g->n && !(g->out[i].state == r->state && str_eq(g->out[i].flow, g->flow) && strcmp(g->out[i].why, why) == 0)) i++;
    if (i == CAUSES_MAX - 1 && i == g->n) snprintf(why, sizeof why, "(further causes)");
    if (i == CAUSES_MAX) i--;                                  /* the last place takes what does not fit */
    struct view_cause *c = &g->out[i];
    if (i == g->n) {
        g->n++;
        *c = (struct view_cause){.flow = g->flow, .state = r->state, .first_seq = r->last_seq};
        snprintf(c->why, sizeof c->why, "%s", why);
        cause_code(c->state, c->why, c->code);
        struct arena_mark m = arena_mark(g->a);
        struct str text = view_key_text(key, g->a);
        snprintf(c->example, sizeof c->example, "%.*s", (int)text.n, text.p);
        arena_release(g->a, m);
    }
    if (r->last_seq < c->first_seq) c->first_seq = r->last_seq;
    if (r->last_seq > c->last_seq) c->last_seq = r->last_seq;
    c->count++;
    return ERR_OK;
}

struct all_flows { struct view *v; struct arena *a; struct str name[FLOWS_MAX]; uint16_t id[FLOWS_MAX]; size_t n; };

static enum err note_flow(void *arg, struct str name, const struct flow_state *st)
{
    struct all_flows *all = arg;
    if (all->n == FLOWS_MAX) return ERR_OK;
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

/* ---- when ---- */
static enum err take_time(void *arg, const struct frame *fr, struct fault *f)
{
    (void)f;
    *(int64_t *)arg = fr->time_ms;
    return ERR_OK;
}

enum err view_times(struct view *v, struct view_cause *causes, size_t n, struct fault *f)
{
    for (size_t i = 0; i < n; i++) {
        const struct { uint64_t seq; int64_t *ms; } ends[] = {{causes[i].first_seq, &causes[i].first_ms}, {causes[i].last_seq, &causes[i].last_ms}};
        for (size_t k = 0; k < 2; k++) {
            struct journal_filter flt = {.from = ends[k].seq, .to = ends[k].seq, .sealed = true};
            enum err err = flt.from ? journal_scan(v->journal, &flt, take_time, ends[k].ms, f) : ERR_OK;
            if (err != ERR_OK) return err;
        }
    }
    return ERR_OK;
}

struct naming { struct view *v; struct str cause; void (*each)(void *ctx, const struct view_dead *d); void *ctx; struct str flow; struct arena a; };

static enum err name_row(void *arg, struct str key, const struct row *r)
{
    struct naming *x = arg;
    char why[CAUSE_TEXT];
    bool dead = r->state == ROW_REJECTED || r->state == ROW_RETRY;
    cause_text(cause_of(r), why);
    if (!dead || (x->cause.n && !cause_is(r->state, why, x->cause))) return ERR_OK;
    struct view_dead d = {.flow = x->flow, .state = r->state, .key = view_key_text(key, &x->a), .id = r->id, .why = cause_of(r)};
    x->each(x->ctx, &d);
    arena_reset(&x->a);
    return ERR_OK;
}

enum err view_dead_rows(struct view *v, const char *flow, struct str cause, void (*each)(void *ctx, const struct view_dead *d), void *ctx, struct fault *f)
{
    struct naming x = {.v = v, .cause = cause, .each = each, .ctx = ctx};
    struct all_flows *all = ARENA_NEW(&v->arena, struct all_flows);
    *all = (struct all_flows){.v = v, .a = &v->arena};
    arena_init(&x.a, 2048);
    enum err err = store_flows(v->store, note_flow, all);
    for (size_t i = 0; i < all->n && err == ERR_OK; i++) {
        x.flow = all->name[i];
        if (!flow || str_is(x.flow, flow)) err = store_rows(v->store, all->id[i], (struct str){NULL, 0}, name_row, &x, f);
    }
    arena_free(&x.a);
    return err;
}
