/* dead.c - dead letters once more: every record of a cause is marked, read from the source and derived afresh, a chunk at a time. */
#include "sync/cause.h"
#include "sync/sync_private.h"

enum { CHUNK = 100 };
struct dead_chunk { struct str cause; struct arena *a; struct str key[CHUNK]; struct row row[CHUNK]; size_t n; struct buf last; };

static enum err take_dead(void *arg, struct str key, const struct row *r)
{
    struct dead_chunk *c = arg;
    char why[CAUSE_TEXT];
    if (c->n == CHUNK) return ERR_STOPPED;
    buf_clear(&c->last);
    buf_str(&c->last, key);
    if ((r->state != ROW_REJECTED && r->state != ROW_RETRY) || (r->flags & ROW_F_ERASED)) return ERR_OK;
    cause_text(cause_of(r), why);
    if (!cause_is(r->state, why, c->cause)) return ERR_OK;
    c->key[c->n] = (struct str){arena_copy(c->a, key.p, key.n), key.n};
    c->row[c->n++] = (struct row){.slot = r->slot, .state = r->state, .flags = r->flags};
    return ERR_OK;
}

static enum err replay_chunk(struct engine *e, struct sync_flow *sf, const struct dead_chunk *c, bool recreate, const char *by, struct fault *f)
{
    enum err err = ERR_OK;
    arena_reset(&e->page);
    for (size_t i = 0; i < c->n && err == ERR_OK; i++) err = replay_mark(e, sf, c->key[i], &c->row[i], recreate, by, f);
    if (err == ERR_OK) err = emit_commit(e, f);
    size_t unknown = 0;
    if (err == ERR_OK) err = fetch_natural(e, sf, c->key, c->n, true, c->a, &unknown, f);
    return err == ERR_OK && unknown ? fault_set(f, ERR_CONFIG, "the company of %zu records is not a source of flow %s any more", unknown, sf->cname) : err;
}

static enum err replay_flow(struct engine *e, struct sync_flow *sf, uint16_t id, struct str cause, bool recreate, const char *by, uint64_t *replayed, struct fault *f)
{
    struct buf after = {0};
    enum err err = ERR_STOPPED;
    while (err == ERR_STOPPED) {
        struct arena a;
        arena_init(&a, 0);
        struct dead_chunk *c = ARENA_NEW(&a, struct dead_chunk);
        c->cause = cause;
        c->a = &a;
        err = store_rows(e->store, id, buf_view(&after), take_dead, c, f);
        enum err done = c->n && (err == ERR_OK || err == ERR_STOPPED) ? replay_chunk(e, sf, c, recreate, by, f) : ERR_OK;
        if (done == ERR_OK) *replayed += c->n;
        else err = done;
        buf_clear(&after);
        buf_str(&after, buf_view(&c->last));
        buf_free(&c->last);
        arena_free(&a);
        progress_tell(e, sf, "replaying");
        if (done != ERR_OK) break;
    }
    buf_free(&after);
    return err;
}

enum err engine_replay_cause(struct engine *e, const char *flow, struct str cause, bool recreate, const char *by, uint64_t *replayed, struct fault *f)
{
    enum err err = ERR_OK;
    bool any = false;
    *replayed = 0;
    if (cause.n == 0) return fault_set(f, ERR_USAGE, "a cause is needed; mlcd dead lists them");
    struct buf kept = {0};                                     /* the cause may stand in the page's arena, which the work resets */
    buf_str(&kept, cause);
    for (size_t i = 0; i < e->nflows && err == ERR_OK; i++) {
        struct flow_state st;
        if (flow && !str_is(e->flows[i].name, flow)) continue;
        any = true;
        if (store_flow(e->store, e->flows[i].name, &st)) err = replay_flow(e, &e->flows[i], st.id, buf_view(&kept), recreate, by, replayed, f);
    }
    buf_free(&kept);
    if (err == ERR_OK && !any) return fault_set(f, ERR_USAGE, "the spec has no flow named %s", flow);
    if (err == ERR_OK && *replayed == 0) return fault_set(f, ERR_NOT_FOUND, "no record is set aside for a cause with \"%.*s\"; mlcd dead lists them", (int)cause.n, cause.p);
    return err;
}
