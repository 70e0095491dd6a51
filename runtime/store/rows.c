/* rows.c - flow states, rows and the tables that follow from a row: what is due, in flight, held, and which id belongs to whom. */
#include "store/store_private.h"
#include "base/check.h"

static void put_be(struct buf *b, uint64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) buf_byte(b, (unsigned char)(v >> (8 * i)));
}

struct str store__key(struct store *s, uint16_t flow, struct str key)
{
    buf_clear(&s->keybuf);
    put_be(&s->keybuf, flow, 2);
    buf_str(&s->keybuf, key);
    return buf_view(&s->keybuf);
}

void flow_encode(struct buf *b, const struct flow_state *st)
{
    buf_u16(b, st->id);
    buf_u16(b, st->held_ok);
    const int64_t times[] = {st->last_poll_ms, st->last_full_ms, st->last_sweep_ms, st->next_poll_ms, st->next_full_ms};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) buf_u64(b, (uint64_t)times[i]);
    for (int i = 0; i < ROW_STATE_COUNT; i++) buf_u64(b, st->counts[i]);
    buf_u64(b, st->locked);
    buf_u64(b, st->no_answer);
    buf_u64(b, st->violated);
    buf_u64(b, st->linked);
    buf_u64(b, st->put_back);
    buf_blob(b, st->hashes);
    buf_blob(b, st->cursor);
    buf_blob(b, st->full_cursor);
    buf_blob(b, st->sweep_after);
    buf_blob(b, st->job);
    buf_blob(b, st->trouble);
    buf_u64(b, (uint64_t)st->trouble_ms);
}

bool flow_decode(struct str bytes, struct flow_state *st)
{
    struct reader r = reader_of(bytes);
    st->id = read_u16(&r);
    st->held_ok = read_u16(&r);
    int64_t *const times[] = {&st->last_poll_ms, &st->last_full_ms, &st->last_sweep_ms, &st->next_poll_ms, &st->next_full_ms};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) *times[i] = (int64_t)read_u64(&r);
    for (int i = 0; i < ROW_STATE_COUNT; i++) st->counts[i] = read_u64(&r);
    st->locked = read_u64(&r);
    st->no_answer = read_u64(&r);
    st->violated = read_u64(&r);
    st->linked = read_u64(&r);
    st->put_back = read_u64(&r);
    st->hashes = read_blob(&r);
    st->cursor = read_blob(&r);
    st->full_cursor = read_blob(&r);
    st->sweep_after = read_blob(&r);
    st->job = read_blob(&r);
    st->trouble = read_blob(&r);
    st->trouble_ms = (int64_t)read_u64(&r);
    return reader_done(&r);
}

enum err store__flow_save(struct store *s, struct fault *f)
{
    if (!s->flow_unsaved) return ERR_OK;
    s->flow_unsaved = false;
    return store__put(s, TABLE_FLOWS, buf_view(&s->flow_name), buf_view(&s->flow_state), f);
}

enum err store__flow_get(struct store *s, struct str name, struct str *value, struct fault *f)
{
    if (!s->flow_unsaved || !str_eq(buf_view(&s->flow_name), name)) return store__get(s, TABLE_FLOWS, name, value, f);
    *value = buf_view(&s->flow_state);
    return ERR_OK;
}

enum err store__flow_put(struct store *s, struct str name, const struct flow_state *fl, struct fault *f)
{
    buf_clear(&s->valbuf);
    flow_encode(&s->valbuf, fl);            /* not at once into flow_state: fl's spans may lie there */
    if (!s->flow_unsaved || !str_eq(buf_view(&s->flow_name), name)) {
        enum err e = store__flow_save(s, f);
        if (e != ERR_OK) return e;
        buf_clear(&s->flow_name);
        buf_str(&s->flow_name, name);
    }
    buf_clear(&s->flow_state);
    buf_str(&s->flow_state, buf_view(&s->valbuf));
    s->flow_unsaved = true;
    s->changes++;
    return ERR_OK;
}

/* When the sender has to look at a row: INT64_MAX = never. DIRTY rows keep natural order by being due at 0. */
static int64_t row_due(const struct row *r)
{
    switch (r->state) {
    case ROW_DIRTY: return 0;
    case ROW_RETRY: case ROW_AMBIGUOUS: return r->due_ms;
    default: return INT64_MAX;
    }
}

static struct str due_key(struct store *s, int64_t due, uint16_t flow, struct str key)
{
    buf_clear(&s->keybuf);
    put_be(&s->keybuf, (uint64_t)due, 8);
    put_be(&s->keybuf, flow, 2);
    buf_str(&s->keybuf, key);
    return buf_view(&s->keybuf);
}

static enum err follow_due(struct store *s, uint16_t flow, struct str key, const struct row *old, const struct row *now, struct fault *f)
{
    int64_t was = old ? row_due(old) : INT64_MAX, is = row_due(now);
    if (was == is) return ERR_OK;
    enum err e = ERR_OK;
    if (was != INT64_MAX) e = store__del(s, TABLE_DUE, due_key(s, was, flow, key), f);
    if (e == ERR_OK && is != INT64_MAX) e = store__put(s, TABLE_DUE, due_key(s, is, flow, key), (struct str){NULL, 0}, f);
    return e;
}

static enum err follow_set(struct store *s, enum store_table t, uint16_t flow, struct str key, bool was, bool is, struct fault *f)
{
    if (was == is) return ERR_OK;
    struct str k = store__key(s, flow, key);
    return is ? store__put(s, t, k, (struct str){NULL, 0}, f) : store__del(s, t, k, f);
}

static enum err follow_id(struct store *s, struct flow_state *fl, struct str key, const struct row *old, const struct row *now, struct fault *f)
{
    struct str was = old ? old->id : (struct str){NULL, 0};
    if (str_eq(was, now->id)) return ERR_OK;
    enum err e = ERR_OK;
    if (was.n) {
        e = store__del(s, TABLE_IDS, store__key(s, fl->id, was), f);
        fl->linked--;
    }
    if (e == ERR_OK && now->id.n) {
        e = store__put(s, TABLE_IDS, store__key(s, fl->id, now->id), key, f);
        fl->linked++;
    }
    return e;
}

/* Fields of `now` may lie in the table of rows, which is not touched here. */
static enum err follow_seen(struct store *s, uint16_t flow, struct str key, const struct row *old, const struct row *now, struct fault *f)
{
    const uint32_t counts = ROW_F_GONE | ROW_F_ERASED;
    if (old && (old->flags & counts) == (now->flags & counts) && str_eq(old->hash, now->hash)) return ERR_OK;
    unsigned char entry[STORE__SEEN_BYTES];
    struct str full = store__key(s, flow, key);
    size_t n = store__seen_of(s, full, now, entry);
    return store__put(s, TABLE_SEEN, full, (struct str){(const char *)entry, n}, f);
}

enum err store__row_put(struct store *s, struct flow_state *fl, struct str key, const struct row *old, const struct row *now, struct fault *f)
{
    ASSERT(now->state < ROW_STATE_COUNT);
    if (old) {
        ASSERT(fl->counts[old->state] > 0);
        fl->counts[old->state]--;
    }
    fl->counts[now->state]++;
    enum err e = follow_due(s, fl->id, key, old, now, f);
    if (e == ERR_OK) e = follow_set(s, TABLE_INFLIGHT, fl->id, key, old && old->state == ROW_INFLIGHT, now->state == ROW_INFLIGHT, f);
    if (e == ERR_OK) e = follow_set(s, TABLE_HELD, fl->id, key, old && old->state == ROW_HELD, now->state == ROW_HELD, f);
    if (e == ERR_OK) e = follow_id(s, fl, key, old, now, f);
    if (e == ERR_OK) e = follow_seen(s, fl->id, key, old, now, f);
    if (e != ERR_OK) return e;
    if (now->slot != FRAME_NO_SLOT && now->slot >= s->next_slot) s->next_slot = now->slot + 1;
    buf_clear(&s->valbuf);
    struct str k = store__key(s, fl->id, key);
    e = store__row_seal(s, k, now, &s->valbuf, f);
    return e == ERR_OK ? store__put(s, TABLE_ROWS, k, buf_view(&s->valbuf), f) : e;
}
