/* apply.c - the fold: one durable frame into the index. The same code live and in recovery; nothing in here looks at a clock.
 *
 * A frame about a record names its flow (public part) and its key (private part). A frame whose private part was erased still moves the
 * sequence forward and touches nothing else: the ERASE frame itself said what became of the row. */
#include "store/fold.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/outcome.h"

static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

/* The flow's state, copied out of the page; a name seen for the first time gets the next number. */
static enum err move_flow(struct fold *x);

static enum err take_flow(struct fold *x)
{
    x->flow_name = x->ev.v[EV_FLOW];
    if (event_has(&x->ev, EV_MOVED_FROM)) {
        enum err e = move_flow(x);
        if (e != ERR_OK) return e;
    }
    if (x->flow_name.n == 0) return fault_set(x->f, ERR_CORRUPT, "audit entry %llu names no flow", (unsigned long long)x->fr->seq);
    struct str v;
    enum err e = store__flow_get(x->s, x->flow_name, &v, x->f);
    if (e == ERR_NOT_FOUND) {
        x->fl = (struct flow_state){.id = x->s->next_flow++};
        return ERR_OK;
    }
    if (e != ERR_OK) return e;
    return flow_decode(keep(&x->arena, v), &x->fl) ? ERR_OK : fault_set(x->f, ERR_CORRUPT, "the state of a flow in the index cannot be read");
}

/* The flow goes on under another name: its state moves, its rows have its number and stay. */
static enum err move_flow(struct fold *x)
{
    struct str v, to;
    enum err e = store__flow_save(x->s, x->f);                 /* from here on the table has all of it */
    if (e == ERR_OK) e = store__get(x->s, TABLE_FLOWS, x->flow_name, &to, x->f);
    if (e != ERR_NOT_FOUND) return e;                          /* moved before */
    e = store__get(x->s, TABLE_FLOWS, x->ev.v[EV_MOVED_FROM], &v, x->f);
    if (e != ERR_OK) return e == ERR_NOT_FOUND ? ERR_OK : e;
    v = keep(&x->arena, v);
    e = store__put(x->s, TABLE_FLOWS, x->flow_name, v, x->f);
    return e == ERR_OK ? store__del(x->s, TABLE_FLOWS, x->ev.v[EV_MOVED_FROM], x->f) : e;
}

enum err fold__take_row(struct fold *x)
{
    x->key = x->ev.v[EV_KEY];
    if (x->key.n == 0) return fault_set(x->f, ERR_CORRUPT, "audit entry %llu names no record", (unsigned long long)x->fr->seq);
    struct str v;
    enum err e = store__get(x->s, TABLE_ROWS, store__key(x->s, x->fl.id, x->key), &v, x->f);
    x->existed = e == ERR_OK;
    if (e == ERR_NOT_FOUND) {
        x->row = (struct row){.slot = FRAME_NO_SLOT};
        return ERR_OK;
    }
    return e == ERR_OK ? store__row_open(x->s, store__key(x->s, x->fl.id, x->key), v, &x->arena, &x->row, x->f) : e;
}

static bool over(const struct row *r)
{
    return r->state == ROW_LEFT || r->state == ROW_GONE;
}

static enum err save(struct fold *x, const struct row *before)
{
    x->row.last_seq = x->fr->seq;
    enum err e = store__row_put(x->s, &x->fl, x->key, x->existed ? before : NULL, &x->row, x->f);
    bool born = x->row.id.n && !(x->existed && before->id.n);
    bool left = over(&x->row) && !(x->existed && over(before));       /* what it held may be another's now */
    return e == ERR_OK && (born || left) ? fold__wake_children(x) : e;
}

/* A record is one row's: one that is over may still hold its id (rows of `into` flows come and go around one record), and a target that answers two rows with
 * one id is no reason for an index that contradicts itself. The other row gives it up. */
static enum err release_id(struct fold *x, struct str id)
{
    struct str v;
    enum err e = store__get(x->s, TABLE_IDS, store__key(x->s, x->fl.id, id), &v, x->f);
    if (e != ERR_OK || str_eq(v, x->key)) return e == ERR_NOT_FOUND ? ERR_OK : e;
    struct fold other = {.s = x->s, .fr = x->fr, .f = x->f, .fl = x->fl, .flow_name = x->flow_name};
    arena_init(&other.arena, 4096);
    other.ev.v[EV_KEY] = keep(&other.arena, v);
    e = fold__take_row(&other);
    if (e == ERR_OK && other.existed) {
        struct row before = other.row;
        other.row.id = other.row.written = other.row.lines = (struct str){NULL, 0};
        e = save(&other, &before);
    }
    x->fl = other.fl;                     /* its counts moved; its texts are x's own */
    arena_free(&other.arena);
    return e;
}

enum err fold__save_row(struct fold *x, const struct row *before)
{
    bool takes = x->row.id.n && !(x->existed && str_eq(before->id, x->row.id));
    enum err e = takes ? release_id(x, x->row.id) : ERR_OK;
    return e == ERR_OK ? save(x, before) : e;
}

static bool under_way(const struct row *r)
{
    return r->state == ROW_INFLIGHT || r->state == ROW_AMBIGUOUS;
}

/* ---- what a poll says about a record: ROW, LEAVE, GONE, REJECT ---- */
static void set_from_event(struct str *to, const struct event_tags *ev, enum event_tag tag)
{
    if (event_has(ev, tag)) *to = ev->v[tag];
}

static enum err fold_row(struct fold *x)
{
    struct row before = x->row, *r = &x->row;
    const struct event_tags *ev = &x->ev;
    int64_t flags = event_int(ev, EV_FLAGS, 0);
    const uint32_t from_poll = ROW_F_LEFT | ROW_F_GONE | ROW_F_REJECT | ROW_F_VIOLATED | ROW_F_DANGER;
    r->flags = (r->flags & ~from_poll) | ((uint32_t)flags & (from_poll | ROW_F_FORCE));
    if (event_has(ev, EV_SLOT)) r->slot = (uint32_t)event_int(ev, EV_SLOT, FRAME_NO_SLOT);
    set_from_event(&r->hash, ev, EV_SRC_HASH);
    set_from_event(&r->snapshot, ev, EV_SNAPSHOT);
    set_from_event(&r->why, ev, EV_WHY);
    if (event_has(ev, EV_WANTED)) {
        r->wanted = ev->v[EV_WANTED];
        r->wanted_seq = x->fr->seq;
    }
    if (!under_way(r)) {
        r->state = (uint8_t)event_int(ev, EV_STATE, ROW_DIRTY);
        r->tries = 0;
        r->due_ms = event_int(ev, EV_DUE, 0);
    }
    bool come = r->state == ROW_WAITING && fold__parent_came(x);
    if (come) r->state = ROW_DIRTY;
    x->fl.no_answer += (uint64_t)event_int(ev, EV_NO_ANSWER, 0);
    x->fl.violated += (uint64_t)event_int(ev, EV_VIOLATED, 0);
    enum err e = fold__save_row(x, &before);
    return e == ERR_OK && !come && event_has(ev, EV_PARENT_KEY) ? fold__wait_for(x) : e;
}

/* ---- INTENT, OUTCOME, SETTLE ---- */
static enum err fold_intent(struct fold *x)
{
    struct row before = x->row, *r = &x->row;
    r->state = ROW_INFLIGHT;
    r->attempt = x->fr->seq;
    r->verb = (uint8_t)event_int(&x->ev, EV_VERB, 0);
    r->sent = x->ev.v[EV_SENT];
    r->sent_wanted_seq = r->wanted_seq;
    set_from_event(&r->lines, &x->ev, EV_LINES);      /* read just now: true whatever becomes of the write */
    return fold__save_row(x, &before);
}

/* Where a row stands when nothing is under way any more and the target holds `written`. */
static uint8_t rest_state(const struct row *r)
{
    if (r->flags & ROW_F_REJECT) return ROW_REJECTED;
    if (r->wanted_seq != r->sent_wanted_seq) return r->flags & ROW_F_DANGER ? ROW_HELD : ROW_DIRTY;
    if (r->flags & ROW_F_GONE) return ROW_GONE;
    return r->flags & ROW_F_LEFT ? ROW_LEFT : ROW_CLEAN;
}

static void applied(struct fold *x)
{
    struct row *r = &x->row;
    set_from_event(&r->id, &x->ev, EV_ID);
    r->written = r->sent;
    r->sent = (struct str){NULL, 0};
    r->written_ms = x->fr->time_ms;
    r->tries = 0;
    if (!(r->flags & ROW_F_REJECT)) r->why = (struct str){NULL, 0};
    r->flags &= ~(uint32_t)(ROW_F_FORCE | ROW_F_UNREAD | ROW_F_VOID);
    if (r->flags & ROW_F_HINTED) r->flags = (r->flags & ~(uint32_t)ROW_F_HINTED) | ROW_F_UNREAD;
    if (r->wanted_seq == r->sent_wanted_seq) r->flags &= ~(uint32_t)ROW_F_DANGER;
    r->state = rest_state(r);
}

/* Not applied, and to be tried again with whatever is wanted by then. A wish that became dangerous on the way waits for the fuse. */
static void not_applied(struct row *r, uint8_t state)
{
    if (state == ROW_DIRTY && (r->flags & ROW_F_DANGER) && r->wanted_seq != r->sent_wanted_seq) state = ROW_HELD;
    r->sent = (struct str){NULL, 0};
    r->sent_wanted_seq = 0;
    r->state = r->flags & ROW_F_REJECT ? ROW_REJECTED : state;
}

/* The record behind the id is gone. The id stays, to be told, until a person or a guarded flow has the record made anew. */
static void is_void(struct row *r)
{
    r->flags |= ROW_F_VOID;
    not_applied(r, ROW_REJECTED);
}

static enum err fold_outcome(struct fold *x)
{
    struct row before = x->row, *r = &x->row;
    const struct event_tags *ev = &x->ev;
    r->attempt = 0;
    if (event_has(ev, EV_WHY)) r->why = ev->v[EV_WHY];
    r->due_ms = event_int(ev, EV_DUE, 0);
    switch ((enum write_class)event_int(ev, EV_CLASS, W_AMBIGUOUS)) {
    case W_APPLIED:   applied(x); break;
    case W_RETRY:
    case W_PARKED:    r->tries++; not_applied(r, ROW_RETRY); break;
    case W_AMBIGUOUS: r->attempt = before.attempt; r->state = ROW_AMBIGUOUS; break;
    case W_DUP_OWN:   /* written before, by an attempt whose answer was lost: read it, then go on as an update */
        set_from_event(&r->id, ev, EV_ID);
        r->flags |= ROW_F_UNREAD;
        not_applied(r, ROW_DIRTY);
        break;
    case W_SPLIT:
    case W_CONFIG:    not_applied(r, ROW_DIRTY); break;
    case W_REJECTED:
    case W_DUP_OTHER: not_applied(r, ROW_REJECTED); break;
    case W_GONE:      is_void(r); break;
    }
    return fold__save_row(x, &before);
}

/* A record was read back. CLASS: APPLIED, or RETRY = it is as it was before, or AMBIGUOUS = could not be read, or GONE = it is not there any more. */
static enum err fold_settle(struct fold *x)
{
    struct row before = x->row, *r = &x->row;
    enum write_class cls = (enum write_class)event_int(&x->ev, EV_CLASS, W_AMBIGUOUS);
    if (cls == W_APPLIED) applied(x);
    else if (cls == W_AMBIGUOUS) r->due_ms = event_int(&x->ev, EV_DUE, 0);
    else if (cls == W_GONE) {
        set_from_event(&r->why, &x->ev, EV_WHY);
        is_void(r);
    } else {
        set_from_event(&r->id, &x->ev, EV_ID);
        if (event_has(&x->ev, EV_ID)) r->flags |= ROW_F_UNREAD;
        not_applied(r, ROW_DIRTY);
    }
    if (cls != W_AMBIGUOUS) r->attempt = 0;
    return fold__save_row(x, &before);
}

/* A record that stood in the target is linked (ID), or candidates wait for a person (CANDIDATES). OLD = what was read there. */
static enum err fold_adopt(struct fold *x)
{
    struct row before = x->row, *r = &x->row;
    const struct event_tags *ev = &x->ev;
    r->why = ev->v[EV_WHY];
    if (event_has(ev, EV_ID)) {
        r->id = ev->v[EV_ID];
        r->flags &= ~(uint32_t)(ROW_F_UNREAD | ROW_F_VOID);
        if (event_has(ev, EV_OLD)) r->written = ev->v[EV_OLD];
        else r->flags |= ROW_F_UNREAD;
        set_from_event(&r->lines, ev, EV_LINES);
        if (event_has(ev, EV_EDITED)) x->fl.put_back++;
        r->why = (struct str){NULL, 0};
        if (!under_way(r)) r->state = ROW_DIRTY;
    } else if (event_has(ev, EV_CANDIDATES)) {
        r->state = ROW_WAITING;
    } else {
        r->flags |= ROW_F_CREATE;
        r->why = (struct str){NULL, 0};
        r->state = ROW_DIRTY;
    }
    return fold__save_row(x, &before);
}

/* An operator wants the record done again. */
static enum err fold_replay(struct fold *x)
{
    struct row before = x->row, *r = &x->row;
    r->flags |= (uint32_t)event_int(&x->ev, EV_FLAGS, 0);
    r->flags &= ~(uint32_t)ROW_F_REJECT;
    r->tries = 0;
    r->why = (struct str){NULL, 0};
    if (!under_way(r)) r->state = ROW_DIRTY;
    if (event_has(&x->ev, EV_CLASS) && event_int(&x->ev, EV_CLASS, 0) == W_GONE) {   /* make it anew */
        r->id = r->written = r->lines = (struct str){NULL, 0};
        r->flags = (r->flags & ~(uint32_t)ROW_F_VOID) | ROW_F_CREATE;
    }
    return fold__save_row(x, &before);
}

/* The target told of the record: it is read back before the next comparison. FIELD: what a find meant there is no more what
 * was written; OLD and SENT are the written and the sent image without it. */
static enum err fold_hint(struct fold *x)
{
    struct row before = x->row, *r = &x->row;
    if (!x->existed || (r->flags & ROW_F_ERASED)) return ERR_OK;
    set_from_event(&r->written, &x->ev, EV_OLD);
    set_from_event(&r->sent, &x->ev, EV_SENT);
    if (!event_has(&x->ev, EV_FIELD)) r->flags |= under_way(r) ? ROW_F_HINTED : ROW_F_UNREAD;
    if (under_way(r)) r->wanted_seq = x->fr->seq;
    else if (r->state == ROW_CLEAN || r->state == ROW_LEFT || r->state == ROW_GONE) r->state = ROW_DIRTY;
    return fold__save_row(x, &before);
}

/* What was asked for with the record's values goes with it. */
static enum err forget_links(struct fold *x, uint32_t slot)
{
    for (;;) {
        MDB_cursor *c;
        MDB_val k, v;
        struct str found = {NULL, 0}, value;
        uint32_t whose;
        int rc = mdb_cursor_open(x->s->txn, x->s->dbi[TABLE_LINKS], &c);
        if (rc) return store__fail(x->s, rc, "walk links", x->f);
        while (found.n == 0 && (rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0) {
            struct str key = {k.mv_data, k.mv_size};
            bool good = store__open_value(x->s, TABLE_LINKS, key, (struct str){v.mv_data, v.mv_size}, &value) && store__link_slot(value, &whose);
            if (!good) rc = MDB_CORRUPTED;
            if (!good || whose == slot) found = keep(&x->arena, key);
        }
        mdb_cursor_close(c);
        if (rc == MDB_NOTFOUND) return ERR_OK;
        if (rc) return store__fail(x->s, rc, "walk links", x->f);
        enum err e = store__del(x->s, TABLE_LINKS, found, x->f);
        if (e != ERR_OK) return e;
    }
}

static enum err fold_erase(struct fold *x)
{
    /* Only what this frame says is left: the record's other frames cannot be read any more, and folding the log anew has to come to the same. */
    struct row before = x->row;
    x->row = (struct row){.state = ROW_GONE, .slot = FRAME_NO_SLOT, .id = x->ev.v[EV_ID],
                          .flags = ROW_F_ERASED | ((uint32_t)event_int(&x->ev, EV_FLAGS, 0) & ROW_F_VOID)};
    uint32_t slot = (uint32_t)event_int(&x->ev, EV_SLOT, FRAME_NO_SLOT);
    enum err e = slot != FRAME_NO_SLOT ? forget_links(x, slot) : ERR_OK;
    return e == ERR_OK ? fold__save_row(x, &before) : e;
}

static enum err fold_locked(struct fold *x)
{
    struct str k = store__key(x->s, x->fl.id, x->key), old;
    enum err e = store__get(x->s, TABLE_LOCKED, k, &old, x->f);
    if (e != ERR_OK && e != ERR_NOT_FOUND) return e;
    bool was = e == ERR_OK, is = event_int(&x->ev, EV_TRIES, 0) > 0;
    if (was && !is) x->fl.locked--;
    if (!was && is) x->fl.locked++;
    if (!is) return store__del(x->s, TABLE_LOCKED, k, x->f);
    buf_clear(&x->s->valbuf);
    buf_u16(&x->s->valbuf, (uint16_t)event_int(&x->ev, EV_TRIES, 0));
    buf_u64(&x->s->valbuf, (uint64_t)event_int(&x->ev, EV_DUE, 0));
    return store__put(x->s, TABLE_LOCKED, k, buf_view(&x->s->valbuf), x->f);
}

/* ---- frames about a whole flow ---- */
/* The keys of a set table, collected first: rows cannot be changed under a cursor. */
static enum err collect(struct fold *x, enum store_table t, uint16_t flow, struct arena *a, struct store_item *out, size_t max, size_t *n)
{
    MDB_cursor *c;
    MDB_val k, v;
    int rc = mdb_cursor_open(x->s->txn, x->s->dbi[t], &c);
    *n = 0;
    if (rc) return store__fail(x->s, rc, "walk", x->f);
    for (rc = mdb_cursor_get(c, &k, &v, MDB_FIRST); rc == 0 && *n < max; rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        const unsigned char *p = k.mv_data;
        uint16_t id = (uint16_t)(p[0] << 8 | p[1]);
        if (flow && id != flow) continue;
        out[(*n)++] = (struct store_item){id, keep(a, (struct str){(char *)k.mv_data + 2, k.mv_size - 2})};
    }
    mdb_cursor_close(c);
    return rc && rc != MDB_NOTFOUND ? store__fail(x->s, rc, "walk", x->f) : ERR_OK;
}

enum err fold__flow_by_id(struct fold *x, uint16_t id)
{
    MDB_cursor *c;
    MDB_val k, v;
    enum err saved = store__flow_save(x->s, x->f);
    if (saved != ERR_OK) return saved;
    int rc = mdb_cursor_open(x->s->txn, x->s->dbi[TABLE_FLOWS], &c);
    if (rc) return store__fail(x->s, rc, "walk flows", x->f);
    enum err e = ERR_CORRUPT;
    while (e == ERR_CORRUPT && (rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0) {
        struct str name = {k.mv_data, k.mv_size}, value;
        if (!store__open_value(x->s, TABLE_FLOWS, name, (struct str){v.mv_data, v.mv_size}, &value)) break;
        if (!flow_decode(keep(&x->arena, value), &x->fl) || x->fl.id != id) continue;
        x->flow_name = keep(&x->arena, name);
        e = ERR_OK;
    }
    mdb_cursor_close(c);
    if (rc && rc != MDB_NOTFOUND) return store__fail(x->s, rc, "walk flows", x->f);
    return e == ERR_OK ? e : fault_set(x->f, ERR_CORRUPT, "the index holds rows of a flow that it does not know");
}

/* Applies change to every row of a set table, a thousand at a time. */
static enum err each_in_set(struct fold *x, enum store_table t, uint16_t flow, void (*change)(struct fold *x))
{
    enum { AT_ONCE = 1000 };
    enum err e = ERR_OK;
    for (;;) {
        struct arena a;
        arena_init(&a, 0);
        struct store_item *items = ARENA_ARRAY(&a, struct store_item, AT_ONCE);
        size_t n;
        e = collect(x, t, flow, &a, items, AT_ONCE, &n);
        for (size_t i = 0; i < n && e == ERR_OK; i++) {
            e = fold__flow_by_id(x, items[i].flow);
            x->ev.v[EV_KEY] = items[i].key;
            if (e == ERR_OK) e = fold__take_row(x);
            if (e != ERR_OK) break;
            struct row before = x->row;
            change(x);
            e = fold__save_row(x, &before);
            if (e == ERR_OK) e = store__flow_put(x->s, x->flow_name, &x->fl, x->f);
        }
        arena_free(&a);
        arena_reset(&x->arena);
        if (n == 0 || e != ERR_OK) return e;
    }
}

static void make_ambiguous(struct fold *x)
{
    x->row.state = ROW_AMBIGUOUS;
    x->row.due_ms = x->fr->time_ms + event_int(&x->ev, EV_SETTLE_MS, 120000);
}

static void release_held(struct fold *x)
{
    x->row.state = ROW_DIRTY;
    x->row.flags &= ~(uint32_t)ROW_F_DANGER;
}

static enum err fold_flow(struct fold *x)
{
    const struct event_tags *ev = &x->ev;
    struct flow_state *fl = &x->fl;
    switch (x->fr->kind) {
    case FRAME_IMAGE:
        fl->hashes = ev->v[EV_HASHES];
        fl->next_full_ms = event_int(ev, EV_NEXT_FULL, fl->next_full_ms);
        break;
    case FRAME_PAGE:
        if (str_is(ev->v[EV_PASS], "full")) fl->full_cursor = ev->v[EV_CURSOR];
        else if (str_is(ev->v[EV_PASS], "changes")) fl->cursor = ev->v[EV_CURSOR];
        else if (str_is(ev->v[EV_PASS], "keys")) fl->sweep_after = ev->v[EV_CURSOR];
        break;
    case FRAME_POLL_END:
        fl->next_poll_ms = event_int(ev, EV_NEXT_POLL, fl->next_poll_ms);
        fl->next_full_ms = event_int(ev, EV_NEXT_FULL, fl->next_full_ms);
        if (str_is(ev->v[EV_PASS], "changes")) fl->last_poll_ms = x->fr->time_ms;
        if (str_is(ev->v[EV_PASS], "full") && event_int(ev, EV_COMPLETE, 0)) {
            fl->last_full_ms = fl->last_poll_ms = x->fr->time_ms;
            fl->cursor = ev->v[EV_CURSOR];        /* the cursor that ends a full pass starts the next pass of changes */
            fl->full_cursor = (struct str){NULL, 0};
        }
        fl->trouble = (struct str){NULL, 0};
        fl->trouble_ms = 0;
        if (str_is(ev->v[EV_PASS], "keys")) {
            fl->last_sweep_ms = x->fr->time_ms;
            fl->sweep_after = (struct str){NULL, 0};
        }
        break;
    case FRAME_BULK:
        fl->job = str_is(ev->v[EV_WHAT], "started") ? ev->v[EV_VALUE] : (struct str){NULL, 0};
        break;
    case FRAME_ALARM:
        fl->trouble = ev->v[EV_WHY];
        fl->trouble_ms = x->fr->time_ms;
        break;
    case FRAME_FUSE:
        fl->held_ok = 0;
        break;
    case FRAME_ACCEPT:
        fl->held_ok = (uint16_t)event_int(ev, EV_COMPLETE, 0);
        break;
    default: break;                  /* POLL */
    }
    enum err e = store__flow_put(x->s, x->flow_name, fl, x->f);
    bool release = x->fr->kind == FRAME_ACCEPT || (x->fr->kind == FRAME_FUSE && event_int(ev, EV_COMPLETE, 0));
    return e == ERR_OK && release ? each_in_set(x, TABLE_HELD, x->fl.id, release_held) : e;
}

static enum err fold_link(struct fold *x)
{
    const struct event_tags *ev = &x->ev;
    struct store_answer l = {ev->v[EV_FIELD], ev->v[EV_VALUE], ev->v[EV_ID], x->fr->time_ms, x->fr->slot};
    if (ev->v[EV_MODULE].n > LIMIT_KEY_BYTES - LINK_HASH_BYTES - 1) return ERR_OK;
    /* The record that asked was erased since: what it replaced is gone, as it was when the ERASE was folded at the time. */
    if (x->fr->priv_erased) return store__del(x->s, TABLE_LINKS, store__link_key(x->s, ev->v[EV_MODULE], x->fr->key_hash), x->f);
    unsigned char hash[LINK_HASH_BYTES];
    store_link_hash(x->s, l.field, l.value, hash);
    struct str k = store__link_key(x->s, ev->v[EV_MODULE], hash);
    buf_clear(&x->s->valbuf);
    enum err e = store__link_seal(x->s, k, &l, &x->s->valbuf, x->f);
    return e == ERR_OK ? store__put(x->s, TABLE_LINKS, k, buf_view(&x->s->valbuf), x->f) : e;
}

static enum err fold_record(struct fold *x)
{
    enum err e = take_flow(x);
    if (e == ERR_OK) e = fold__take_row(x);
    if (e != ERR_OK) return e;
    switch (x->fr->kind) {
    case FRAME_ROW: case FRAME_LEAVE: case FRAME_GONE: case FRAME_REJECT: e = fold_row(x); break;
    case FRAME_INTENT:  e = fold_intent(x); break;
    case FRAME_OUTCOME: e = fold_outcome(x); break;
    case FRAME_SETTLE:  e = fold_settle(x); break;
    case FRAME_ADOPT:   e = fold_adopt(x); break;
    case FRAME_REPLAY:  e = fold_replay(x); break;
    case FRAME_ERASE:   e = fold_erase(x); break;
    case FRAME_HINT:    e = fold_hint(x); break;
    default:            e = fold_locked(x); break;
    }
    return e == ERR_OK ? store__flow_put(x->s, x->flow_name, &x->fl, x->f) : e;
}

static enum err fold(struct fold *x)
{
    switch (x->fr->kind) {
    case FRAME_OPEN: return each_in_set(x, TABLE_INFLIGHT, 0, make_ambiguous);
    case FRAME_ROW: case FRAME_LEAVE: case FRAME_GONE: case FRAME_REJECT: case FRAME_INTENT: case FRAME_OUTCOME: case FRAME_SETTLE:
    case FRAME_ADOPT: case FRAME_REPLAY: case FRAME_ERASE: case FRAME_LOCKED:
        return x->fr->priv_erased ? ERR_OK : fold_record(x);
    case FRAME_LINK: return fold_link(x);
    case FRAME_HINT: return x->fr->priv_erased || !event_has(&x->ev, EV_KEY) ? ERR_OK : fold_record(x);
    case FRAME_IMAGE: case FRAME_POLL: case FRAME_PAGE: case FRAME_POLL_END: case FRAME_FUSE: case FRAME_ACCEPT: case FRAME_BULK: {
        enum err e = take_flow(x);
        return e == ERR_OK ? fold_flow(x) : e;
    }
    case FRAME_ALARM: {              /* of a flow: its pass did not come to an end */
        enum err e = event_has(&x->ev, EV_FLOW) ? take_flow(x) : ERR_OK;
        return e == ERR_OK && event_has(&x->ev, EV_FLOW) ? fold_flow(x) : e;
    }
    default: return ERR_OK;          /* CALL, TOKEN, CHECK, CLOSE and kinds of a later version say nothing to the index */
    }
}

enum err store_apply(struct store *s, const struct frame *fr, struct fault *f)
{
    ASSERT(!s->read_only);
    if (fr->seq <= s->applied) return ERR_OK;
    if (fr->seq != s->applied + 1)
        return fault_set(f, ERR_CORRUPT, "audit entry %llu follows %llu: entries are missing", (unsigned long long)fr->seq, (unsigned long long)s->applied);
    enum err e = store__begin(s, f);
    if (e != ERR_OK) return e;
    struct fold x = {.s = s, .fr = fr, .f = f};
    arena_init(&x.arena, 4096);
    if (!event_read(&x.ev, fr->pub) || !event_read(&x.ev, fr->priv))
        e = fault_set(f, ERR_CORRUPT, "audit entry %llu cannot be read", (unsigned long long)fr->seq);
    if (e == ERR_OK) e = fold(&x);
    arena_free(&x.arena);
    if (e != ERR_OK) {
        struct fault why;
        (void)fault_set(&why, e, "audit entry %llu could not be folded", (unsigned long long)fr->seq);
        if (!s->dead) (void)store__broken(s, &why, NULL);
        return e;
    }
    s->applied = fr->seq;
    s->applied_hash = fr->hash;
    s->changes++;
    return ERR_OK;
}
