/* operator.c - what a person decides about single records: derive again, link to a record that people made, make a new one. Each act is a frame
 * that says who did it. */
#include "sync/sync_private.h"
#include <stdlib.h>

static struct sync_flow *flow_named(struct engine *e, const char *name)
{
    for (size_t i = 0; i < e->nflows; i++)
        if (!name || str_is(e->flows[i].name, name)) return &e->flows[i];
    return NULL;
}

/* The flow and natural key that a typed key means; without --flow the key must be known in exactly one flow. */
static enum err find_record(struct engine *e, const char *flow, struct str text, struct sync_flow **sf, struct str *key, struct row *row, struct fault *f)
{
    struct str parts[LIMIT_KEY_PARTS + 2];
    unsigned found = 0;
    for (size_t i = 0; i < e->nflows; i++) {
        struct sync_flow *one = &e->flows[i];
        struct flow_state st;
        if ((flow && !str_is(one->name, flow)) || !store_flow(e->store, one->name, &st)) continue;
        size_t n = rowkey_parse(text, &e->page, parts, LIMIT_KEY_PARTS + 2);
        struct str *from = n && one->fl->key_with_flow && str_eq(parts[0], one->name) ? parts + 1 : parts;
        if (from != parts) n--;
        struct buf b = {0};
        if (n == 0 || !rowkey_make(&b, from, n)) return fault_set(f, ERR_USAGE, "%.*s is no record key; keys look like ABC~01~ABF", (int)text.n, text.p);
        struct str natural = {arena_copy(&e->page, b.p, b.n), b.n};
        buf_free(&b);
        enum err err = store_row(e->store, st.id, natural, &e->page, row, f);
        if (err == ERR_NOT_FOUND) continue;
        if (err != ERR_OK) return err;
        *sf = one;
        *key = natural;
        found++;
    }
    if (found == 1) return ERR_OK;
    return fault_set(f, found ? ERR_USAGE : ERR_NOT_FOUND, found ? "%.*s stands in several flows; name one with --flow" : "no record %.*s is known here",
                     (int)text.n, text.p);
}

enum err replay_mark(struct engine *e, struct sync_flow *sf, struct str key, const struct row *row, bool recreate, const char *by, struct fault *f)
{
    if (recreate) return gone_recreate(e, sf->fl, key, row, by, f);
    emit_begin(e, FRAME_REPLAY, sf);
    emit_key(e, key, row->slot);
    event_put_int(&e->pub, EV_FLAGS, ROW_F_FORCE);
    event_put_text(&e->priv, EV_BY, by);
    return emit_end(e, f);
}

static enum err emit_replay(struct engine *e, struct sync_flow *sf, struct str key, const struct row *row, bool recreate, const char *by, struct fault *f)
{
    enum err err = replay_mark(e, sf, key, row, recreate, by, f);
    return err == ERR_OK ? emit_commit(e, f) : err;
}

static enum err replay_from_log(struct engine *e, struct sync_flow *sf, struct str key, const struct row *row, struct fault *f)
{
    struct flow_state st;
    struct store_locked l;
    if (row->snapshot.n == 0) return fault_set(f, ERR_NOT_FOUND, "the log holds no snapshot of this record");
    if (store_flow(e->store, sf->name, &st) && store_locked_get(e->store, st.id, key, &l))
        return fault_set(f, ERR_REJECTED, "the source row has changed since and could not be read yet (locked): replaying the log would overwrite newer state; "
                         "replay without --from-log");
    if (row->flags & ROW_F_GONE) return fault_set(f, ERR_REJECTED, "the source row is gone: replaying the log would bring back older state");
    struct derived d;
    enum err err = derive_snapshot(e, sf, key, row, &e->page, &d, f);
    if (err == ERR_OK && d.kind != DERIVE_TOUCH) err = derive_emit(e, sf, &d, f);
    return err == ERR_OK ? emit_commit(e, f) : err;
}

enum err engine_replay(struct engine *e, const char *flow, struct str key_text, bool from_log, bool recreate, const char *by, struct fault *f)
{
    struct sync_flow *sf = NULL;
    struct str key = {NULL, 0};
    struct row row;
    arena_reset(&e->page);
    enum err err = find_record(e, flow, key_text, &sf, &key, &row, f);
    if (err != ERR_OK) return err;
    if (row.flags & ROW_F_ERASED) return fault_set(f, ERR_REJECTED, "the record was erased and is never synced again");
    if (row.state == ROW_INFLIGHT || row.state == ROW_AMBIGUOUS)
        return fault_set(f, ERR_BUSY, "a write of this record is under way or being settled; try again in a few minutes");
    if (from_log) {
        err = replay_from_log(e, sf, key, &row, f);
        return err == ERR_OK ? emit_replay(e, sf, key, &row, recreate, by, f) : err;
    }
    err = emit_replay(e, sf, key, &row, recreate, by, f);
    struct source_key sk;
    const struct source_query *q = key_split(sf, key, &e->page, &sk);
    if (!q) return fault_set(f, ERR_CONFIG, "the company of this key is not a source of the flow any more");
    return err == ERR_OK ? fetch_keys(e, sf, q, &sk, 1, true, f) : err;
}

/* ---- adoption ---- */
enum err engine_adopt(struct engine *e, const char *flow, struct str key_text, struct str id, const char *by, struct fault *f)
{
    struct sync_flow *sf = NULL;
    struct str key = {NULL, 0}, other;
    struct row row;
    struct flow_state st;
    arena_reset(&e->page);
    enum err err = find_record(e, flow, key_text, &sf, &key, &row, f);
    if (err != ERR_OK) return err;
    if (row.state != ROW_WAITING && row.state != ROW_REJECTED)
        return fault_set(f, ERR_REJECTED, "%.*s waits for no decision (it is %s)", (int)key_text.n, key_text.p, row_state_name(row.state));
    if (id.n && store_flow(e->store, sf->name, &st) && store_by_id(e->store, st.id, id, &e->page, &other) == ERR_OK) {
        struct str text = key_text_of(sf->fl, other, &e->page);
        return fault_set(f, ERR_REJECTED, "record %.*s belongs to %.*s already", (int)id.n, id.p, (int)text.n, text.p);
    }
    emit_begin(e, FRAME_ADOPT, sf);
    emit_key(e, key, row.slot);
    if (id.n) event_put(&e->priv, EV_ID, id);
    event_put_text(&e->pub, EV_BY, "operator");
    event_put_text(&e->priv, EV_BY, by);
    err = emit_end(e, f);
    if (err == ERR_OK && id.n) e->result.adopted++;
    return err == ERR_OK ? emit_commit(e, f) : err;
}

/* ---- erasure: see erase.c ---- */
static enum err erase_row(struct engine *e, struct sync_flow *sf, struct str key, const struct row *row, const char *by, struct fault *f)
{
    if (row->state == ROW_INFLIGHT || row->state == ROW_AMBIGUOUS)
        return fault_set(f, ERR_BUSY, "a write of this record is under way or being settled; try again in a few minutes");
    return engine__erase_row(e, sf, sf->name, key, row, by, f);
}

/* What other flows add to the record is about the same person: those rows first, so that a second try finds the rest. */
static enum err erase_added(struct engine *e, const struct sync_flow *sf, const struct row *row, const char *by, struct fault *f)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < e->image->nflows && row->id.n && err == ERR_OK; i++) {
        const struct image_flow *fl = &e->image->flows[i];
        struct sync_flow other = {.fl = fl, .name = fl->name};
        struct flow_state st;
        struct str key;
        struct row added;
        if (!fl->into || &e->image->flows[fl->into - 1] != sf->fl || !store_flow(e->store, fl->name, &st)) continue;
        if (store_by_id(e->store, st.id, row->id, &e->page, &key) != ERR_OK || store_row(e->store, st.id, key, &e->page, &added, NULL) != ERR_OK) continue;
        err = erase_row(e, &other, key, &added, by, f);
    }
    return err;
}

enum err engine_erase(struct engine *e, const char *flow, struct str key_text, const char *by, struct fault *f)
{
    struct sync_flow *sf = NULL;
    struct str key = {NULL, 0};
    struct row row;
    arena_reset(&e->page);
    enum err err = find_record(e, flow, key_text, &sf, &key, &row, f);
    if (err != ERR_OK) return err;
    err = erase_added(e, sf, &row, by, f);
    return err == ERR_OK ? erase_row(e, sf, key, &row, by, f) : err;
}

struct waiting { struct engine *e; struct sync_flow *sf; struct arena *a; struct send_item *items; size_t n, cap; };

static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

static enum err take_waiting(void *arg, struct str key, const struct row *r)
{
    struct waiting *w = arg;
    if (r->state != ROW_WAITING) return ERR_OK;
    if (w->n == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 256;
        struct send_item *p = realloc(w->items, cap * sizeof *p);
        if (!p) check_no_memory();
        w->items = p;
        w->cap = cap;
    }
    struct send_item *it = &w->items[w->n++];
    *it = (struct send_item){.key = keep(w->a, key), .row = {.state = r->state, .flags = r->flags, .slot = r->slot, .snapshot = keep(w->a, r->snapshot)}};
    return ERR_OK;
}

/* Asks the target again, so that the list is of today. */
static enum err list_flow(struct engine *e, struct sync_flow *sf, struct arena *a, void (*each)(void *ctx, const struct adopt_candidate *c), void *ctx,
                          struct fault *f)
{
    struct flow_state st;
    struct waiting w = {e, sf, a, NULL, 0, 0};
    if (!sf->fl->adopt || !store_flow(e->store, sf->name, &st)) return ERR_OK;
    enum err err = store_rows(e->store, st.id, (struct str){NULL, 0}, take_waiting, &w, f);
    struct str *ids = ARENA_ARRAY(a, struct str, w.n + 1), *names = ARENA_ARRAY(a, struct str, w.n + 1);
    if (err == ERR_OK && w.n) err = candidates_of(e, sf, w.items, w.n, a, ids, names, f);
    for (size_t i = 0; i < w.n && err == ERR_OK; i++) {
        bool several = ids[i].n && memchr(ids[i].p, ',', ids[i].n);
        struct adopt_candidate c = {key_text_of(sf->fl, w.items[i].key, a), names[i], ids[i].n == 0 ? STR("none") : several ? STR("several") : STR("exact"), ids[i]};
        each(ctx, &c);
    }
    free(w.items);
    return err;
}

enum err engine_candidates(struct engine *e, const char *flow, void (*each)(void *ctx, const struct adopt_candidate *c), void *ctx, struct fault *f)
{
    if (flow && !flow_named(e, flow)) return fault_set(f, ERR_USAGE, "the spec has no flow named %s", flow);
    struct arena a;
    arena_init(&a, 0);
    enum err err = ERR_OK;
    for (size_t i = 0; i < e->nflows && err == ERR_OK; i++)
        if (!flow || str_is(e->flows[i].name, flow)) err = list_flow(e, &e->flows[i], &a, each, ctx, f);
    arena_free(&a);
    return err;
}
