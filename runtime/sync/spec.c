/* spec.c - a new compiled spec against what the rows were derived with. Rows are derived again from their snapshots, no source is asked; only when
 * the new mapping reads a column that the snapshots lack, a full pass is due. A removed field stays in the target as it is. */
#include "sync/sync_private.h"

struct str spec_hashes(const struct image_flow *fl, struct arena *a)
{
    struct buf b = {0};
    buf_put(&b, fl->hash.b, HASH_BYTES);
    for (size_t i = 0; i < fl->nfields; i++) {
        buf_blob(&b, fl->fields[i].name);
        buf_put(&b, fl->fields[i].hash.b, HASH_BYTES);
    }
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

enum { AT_ONCE = 500 };
struct slice { struct arena *a; struct str key[AT_ONCE]; struct row row[AT_ONCE]; size_t n; };

static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

static enum err take(void *arg, struct str key, const struct row *r)
{
    struct slice *s = arg;
    if (s->n == AT_ONCE) return ERR_STOPPED;
    s->key[s->n] = keep(s->a, key);
    struct row *to = &s->row[s->n++];
    *to = *r;
    struct str *const spans[] = {&to->id, &to->hash, &to->snapshot, &to->wanted, &to->written, &to->sent, &to->why};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) *spans[i] = keep(s->a, *spans[i]);
    return ERR_OK;
}

/* The row's source hash is forgotten, so that the full pass to come derives it whatever the source says. */
static enum err forget_hash(struct engine *e, struct sync_flow *sf, struct str key, const struct row *r, struct fault *f)
{
    emit_begin(e, FRAME_ROW, sf);
    emit_key(e, key, r->slot);
    event_put_int(&e->pub, EV_STATE, r->state);
    event_put_int(&e->pub, EV_FLAGS, r->flags);
    event_put_int(&e->pub, EV_DUE, r->due_ms);
    event_put(&e->priv, EV_SRC_HASH, (struct str){"", 0});
    return emit_end(e, f);
}

static enum err derive_slice(struct engine *e, struct sync_flow *sf, struct slice *s, bool *need_full, struct fault *f)
{
    struct str *violated = ARENA_ARRAY(s->a, struct str, s->n + 1);
    size_t nviolated = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct arena_mark m = arena_mark(s->a);
        struct derived d;
        enum err err = derive_snapshot(e, sf, s->key[i], &s->row[i], s->a, &d, f);
        if (err == ERR_NOT_FOUND) {
            if (s->row[i].flags & ROW_F_VIOLATED) violated[nviolated++] = s->key[i];
            else *need_full = true;
            err = forget_hash(e, sf, s->key[i], &s->row[i], f);
        } else if (err == ERR_OK && d.kind != DERIVE_TOUCH) {
            err = derive_emit(e, sf, &d, f);
            if (d.kind != DERIVE_SAME) e->result.changed++;
        }
        arena_release(s->a, m);
        if (err != ERR_OK) return err;
    }
    /* A row that broke a declared type may not break it any more; nothing but the source has it. */
    enum err err = emit_commit(e, f);
    size_t unknown = 0;                                /* of a company that is no source any more: they stay as they are */
    arena_reset(&e->page);
    return err == ERR_OK ? fetch_natural(e, sf, violated, nviolated, false, s->a, &unknown, f) : err;
}

static enum err derive_all(struct engine *e, struct sync_flow *sf, uint16_t flow, bool *need_full, struct fault *f)
{
    struct buf after = {0};
    struct arena a;
    arena_init(&a, 256 * 1024);
    enum err err = ERR_OK;
    for (bool more = true; more && err == ERR_OK;) {
        arena_reset(&a);
        struct slice *s = ARENA_NEW(&a, struct slice);
        s->a = &a;
        err = store_rows(e->store, flow, buf_view(&after), take, s, f);
        more = err == ERR_STOPPED;
        if (err != ERR_OK && err != ERR_STOPPED) break;
        if (s->n) {
            buf_clear(&after);
            buf_str(&after, s->key[s->n - 1]);
        }
        err = derive_slice(e, sf, s, need_full, f);
        progress_tell(e, sf, "deriving");
    }
    buf_free(&after);
    arena_free(&a);
    return err;
}

/* The flow had another name before: it keeps its rows, cursor and links. */
static enum err take_over(struct engine *e, struct sync_flow *sf, struct str hashes, struct fault *f)
{
    emit_begin(e, FRAME_IMAGE, sf);
    event_put(&e->pub, EV_MOVED_FROM, sf->fl->moved_from);
    event_put(&e->pub, EV_HASHES, hashes);
    enum err err = emit_end(e, f);
    return err == ERR_OK ? emit_commit(e, f) : err;
}

enum err spec_changed(struct engine *e, struct sync_flow *sf, bool *need_full, struct fault *f)
{
    struct flow_state st;
    struct arena a;
    arena_init(&a, 0);
    struct str now = spec_hashes(sf->fl, &a);
    bool known = store_flow(e->store, sf->name, &st);
    enum err err = ERR_OK;
    if (!known && sf->fl->moved_from.n && store_flow(e->store, sf->fl->moved_from, &st)) {
        err = take_over(e, sf, st.hashes, f);
        known = err == ERR_OK && store_flow(e->store, sf->name, &st);
    }
    if (err == ERR_OK && (!known || !str_eq(st.hashes, now))) {
        bool flow_differs = known && st.hashes.n >= HASH_BYTES && memcmp(st.hashes.p, now.p, HASH_BYTES) != 0;
        if (flow_differs) {
            log_info("flow %s: the spec has changed; its records are derived again from what was read last", sf->cname);
            err = derive_all(e, sf, st.id, need_full, f);
        }
        if (err == ERR_OK) {
            emit_begin(e, FRAME_IMAGE, sf);
            event_put(&e->pub, EV_HASHES, now);
            if (*need_full) event_put_int(&e->pub, EV_NEXT_FULL, world_wall_ms(e->w));
            err = emit_end(e, f);
        }
        if (err == ERR_OK) err = emit_commit(e, f);
    }
    arena_free(&a);
    return err;
}
