/* apply_wait.c - rows that wait for another record, and what wakes them. */
#include "store/fold.h"
#include "base/check.h"

static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

/* The child's frame names its parent; an entry under the parent's key leads back to the child. It is used up when the parent gets its id. */
static struct str waiting_key(struct buf *b, uint16_t parent, struct str parent_key, uint16_t child, struct str child_key)
{
    buf_clear(b);
    buf_byte(b, (unsigned char)(parent >> 8));
    buf_byte(b, (unsigned char)parent);
    buf_byte(b, (unsigned char)(parent_key.n >> 8));
    buf_byte(b, (unsigned char)parent_key.n);
    buf_str(b, parent_key);
    if (child) {
        buf_byte(b, (unsigned char)(child >> 8));
        buf_byte(b, (unsigned char)child);
        buf_str(b, child_key);
    }
    return buf_view(b);
}

bool fold__parent_came(struct fold *x)
{
    struct str v;
    struct flow_state fl;
    struct row parent;
    struct str sealed;
    if (!event_has(&x->ev, EV_PARENT_KEY) || str_eq(x->ev.v[EV_PARENT_FLOW], x->flow_name)) return false;
    if (store__flow_get(x->s, x->ev.v[EV_PARENT_FLOW], &v, x->f) != ERR_OK || !flow_decode(v, &fl)) return false;
    if (store__get(x->s, TABLE_ROWS, store__key(x->s, fl.id, x->ev.v[EV_PARENT_KEY]), &v, x->f) != ERR_OK || !row_decode_open(v, &parent, &sealed))
        return false;
    return parent.id.n > 0 && !(parent.flags & ROW_F_VOID);
}

enum err fold__wait_for(struct fold *x)
{
    struct str v, parent = x->ev.v[EV_PARENT_KEY];
    struct flow_state fl;
    enum err e = store__flow_get(x->s, x->ev.v[EV_PARENT_FLOW], &v, x->f);
    if (e == ERR_NOT_FOUND) return ERR_OK;                     /* that flow never ran: the next derivation of the child asks again */
    if (e != ERR_OK || !flow_decode(v, &fl)) return e == ERR_OK ? fault_set(x->f, ERR_CORRUPT, "the state of a flow cannot be read") : e;
    struct buf b = {0};
    struct str k = waiting_key(&b, fl.id, parent, x->fl.id, x->key);
    e = k.n <= 500 ? store__put(x->s, TABLE_WAITING, k, (struct str){NULL, 0}, x->f) : ERR_OK;
    buf_free(&b);
    return e;
}

/* One child: DIRTY again, its entry gone. A fold of its own inside the parent's. */
static enum err wake_child(struct fold *x, struct str entry, size_t prefix)
{
    struct fold child = {.s = x->s, .fr = x->fr, .f = x->f};
    const unsigned char *p = (const unsigned char *)entry.p + prefix;
    arena_init(&child.arena, 4096);
    enum err e = fold__flow_by_id(&child, (uint16_t)(p[0] << 8 | p[1]));
    child.ev.v[EV_KEY] = (struct str){entry.p + prefix + 2, entry.n - prefix - 2};
    if (e == ERR_OK) e = fold__take_row(&child);
    if (e == ERR_OK && child.existed && child.row.state == ROW_WAITING) {
        struct row before = child.row;
        child.row.state = ROW_DIRTY;
        child.row.why = (struct str){NULL, 0};
        e = fold__save_row(&child, &before);
        if (e == ERR_OK && child.fl.id == x->fl.id) {
            x->fl.counts[ROW_WAITING]--;          /* a record of the same flow: x holds that flow's state and saves it later */
            x->fl.counts[ROW_DIRTY]++;
        } else if (e == ERR_OK) {
            e = store__flow_put(x->s, child.flow_name, &child.fl, x->f);
        }
    }
    if (e == ERR_OK) e = store__del(x->s, TABLE_WAITING, entry, x->f);
    arena_free(&child.arena);
    return e;
}

enum err fold__wake_children(struct fold *x)
{
    struct buf b = {0};
    struct str prefix = waiting_key(&b, x->fl.id, x->key, 0, x->key);
    enum err e = ERR_OK;
    while (e == ERR_OK) {
        MDB_cursor *c;
        MDB_val k = {prefix.n, (void *)(uintptr_t)prefix.p}, v;
        int rc = mdb_cursor_open(x->s->txn, x->s->dbi[TABLE_WAITING], &c);
        if (rc) {
            e = store__fail(x->s, rc, "walk", x->f);
            break;
        }
        rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
        struct str full = {k.mv_data, rc == 0 ? k.mv_size : 0};
        bool more = rc == 0 && full.n > prefix.n + 2 && str_starts(full, prefix);
        struct str entry = more ? keep(&x->arena, full) : full;
        mdb_cursor_close(c);
        if (rc && rc != MDB_NOTFOUND) e = store__fail(x->s, rc, "walk", x->f);
        if (!more) break;
        e = wake_child(x, entry, prefix.n);
    }
    buf_free(&b);
    return e;
}
