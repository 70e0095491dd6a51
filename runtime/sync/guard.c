/* guard.c - flows whose fields are the source's alone: before each pass, and when the target tells of one (hint.c), their records are read in the target,
 * and what people changed there is put back.
 *
 *   rows -100 at once-> read by id -> differs from what was written? -> ADOPT with what stands there -> DIRTY -> written as any change
 *                                          -> not there?                     -> made again (gone.c), unless a large share is missing
 *
 * The old value in the log is the one that people had written. `once` and `fill` fields are theirs and not looked at. */
#include "sync/sync_private.h"
#include <stdlib.h>

enum { AT_ONCE = 100, GONE_MAX = 10000 };

struct chunk { struct arena *a; struct str key[AT_ONCE]; struct row row[AT_ONCE]; size_t n; struct buf *last; };
struct guarding {
    struct engine *e;
    struct sync_flow *sf;
    struct str *want; size_t nwant;
    struct arena keys;                 /* of records that are gone */
    struct str *gone; size_t ngone;
    uint64_t looked;
};

static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

/* At rest, or about to be written for another reason; not what is under way, set aside or left. */
static bool looked_at(unsigned row_state)
{
    return row_state == ROW_CLEAN || row_state == ROW_DIRTY || row_state == ROW_WAITING;
}

static enum err take(void *arg, struct str key, const struct row *r)
{
    struct chunk *c = arg;
    if (c->n == AT_ONCE) return ERR_STOPPED;
    buf_clear(c->last);
    buf_str(c->last, key);
    if (!looked_at(r->state) || !r->id.n || (r->flags & (ROW_F_ERASED | ROW_F_UNREAD | ROW_F_VOID))) return ERR_OK;
    c->key[c->n] = keep(c->a, key);
    c->row[c->n++] = (struct row){.state = r->state, .flags = r->flags, .slot = r->slot, .id = keep(c->a, r->id), .written = keep(c->a, r->written),
                                  .lines = keep(c->a, r->lines)};
    return ERR_OK;
}

static bool is_guarded(const struct image_field *fd)
{
    return fd && (fd->mode == FIELD_SET || fd->mode == FIELD_KEY || fd->mode == FIELD_EVENT);
}

/* Whether a field stands there as it was written. */
static bool stands(struct guarding *g, const struct image_field *fd, struct str key, const struct row *row, const struct value *written, const struct value *there,
                   struct arena *a)
{
    size_t field = (size_t)(fd - g->sf->fl->fields);
    if (fd->type.base == T_LIST) {
        struct record known = record_of(row->lines, a);
        const struct value *map = record_get(&known, fd->name);
        struct value lines = lines_resolved(g->e, g->sf, field, key, written, a);
        struct lines_match m;
        lines_match(&lines, &value_absent, map ? map : &value_absent, there, fd->type.shape, a, &m);
        return !m.differs;
    }
    return link_holds(g->e, g->sf, field, key, written, there, a);
}

/* What was written, with the fields that people changed as they stand there now; how many these are. */
static size_t edited(struct guarding *g, struct str key, const struct row *row, const struct record *hit, struct arena *a, struct str *old)
{
    struct record now = record_of(row->written, a);
    size_t n = 0;
    for (size_t i = 0; i < now.n; i++) {
        const struct image_field *fd = flow_field(g->sf->fl, now.f[i].name);
        const struct value *found = record_get(hit, now.f[i].name), *there = found ? found : &value_absent;
        if (!is_guarded(fd) || stands(g, fd, key, row, &now.f[i].v, there, a)) continue;
        now.f[i].v = fd->type.base == T_LIST ? value_absent : fd->type.base == T_LINK ? *there : in_our_form(&fd->type, there);
        n++;
    }
    struct buf b = {0};
    record_encode(&b, &now);
    *old = (struct str){arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return n;
}

static enum err put_back(struct guarding *g, struct str key, const struct row *row, const struct lookup_hit *hit, struct arena *a, struct fault *f)
{
    struct engine *e = g->e;
    struct str old;
    size_t n = edited(g, key, row, &hit->fields, a, &old);
    if (n == 0 && !(row->flags & ROW_F_UNREAD)) return ERR_OK;
    e->result.put_back += n > 0;
    emit_begin(e, FRAME_ADOPT, g->sf);
    emit_key(e, key, row->slot);
    event_put(&e->priv, EV_ID, row->id);
    event_put(&e->priv, EV_OLD, old);
    if (n) event_put_int(&e->pub, EV_EDITED, (int64_t)n);
    event_put_text(&e->pub, EV_BY, "guard");
    return emit_end(e, f);
}

static enum err look(struct guarding *g, struct chunk *c, struct fault *f)
{
    struct str ids[AT_ONCE];
    bool there[AT_ONCE] = {false};
    struct lookup_hit *hits = NULL;
    size_t nhits = 0;
    for (size_t i = 0; i < c->n; i++) ids[i] = c->row[i].id;
    enum err err = g->sf->dst->tops->read(g->sf->dst->target, g->sf->fl->module, ids, c->n, g->want, g->nwant, c->a, &hits, &nhits, f);
    g->looked += c->n;
    for (size_t i = 0; i < nhits && err == ERR_OK; i++) {
        size_t k = hits[i].value_index;
        struct arena_mark m = arena_mark(c->a);
        there[k] = true;
        err = put_back(g, c->key[k], &c->row[k], &hits[i], c->a, f);
        arena_release(c->a, m);
    }
    for (size_t i = 0; i < c->n && err == ERR_OK; i++)
        if (!there[i] && g->ngone < GONE_MAX) g->gone[g->ngone++] = keep(&g->keys, c->key[i]);
    return err == ERR_OK && g->e->npending ? emit_commit(g->e, f) : err;
}

/* Records that are not there are made again; a large share at once is no edit but a mistake somewhere, which a person looks at. */
static enum err make_again(struct guarding *g, uint16_t flow, struct fault *f)
{
    struct engine *e = g->e;
    if (g->ngone > 10 && g->ngone * 5 > g->looked) {
        log_error("flow %s: %zu of %llu records are not in the target any more; too many to be made again unasked (mlcd replay --recreate)", g->sf->cname,
                  g->ngone, (unsigned long long)g->looked);
        emit_begin(e, FRAME_ALARM, g->sf);
        event_put_text(&e->pub, EV_WHY, "more than a fifth of the guarded records are not in the target any more: nothing was made again");
        event_put_int(&e->pub, EV_GONE, (int64_t)g->ngone);
        enum err err = emit_end(e, f);
        return err == ERR_OK ? emit_commit(e, f) : err;
    }
    for (size_t i = 0; i < g->ngone; i++) {
        struct send_item it = {.key = g->gone[i]};
        struct arena_mark m = arena_mark(&g->keys);
        if (store_row(e->store, flow, it.key, &g->keys, &it.row, NULL) != ERR_OK) continue;
        it.wanted = record_of(it.row.wanted, &g->keys);
        it.written = record_of(it.row.written, &g->keys);
        enum err err = looked_at(it.row.state) ? gone_item(e, g->sf, &it, f) : ERR_OK;
        if (err == ERR_OK) err = emit_commit(e, f);
        arena_release(&g->keys, m);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

static void wanted_fields(struct guarding *g, struct arena *a)
{
    g->want = ARENA_ARRAY(a, struct str, g->sf->fl->nfields + 1);
    for (size_t i = 0; i < g->sf->fl->nfields; i++)
        if (is_guarded(&g->sf->fl->fields[i])) g->want[g->nwant++] = g->sf->fl->fields[i].name;
}

/* The target told of the record, and nothing of ours is on its way to it: what differs is people's. */
static bool was_told(const struct sync_flow *sf, const struct send_item *it, struct arena *a)
{
    struct record_field *diff;
    bool told = !it->skip && it->row.id.n && it->row.written.n && (it->row.flags & ROW_F_UNREAD) && it->row.state == ROW_DIRTY && !(it->row.flags & ROW_F_FORCE);
    diff = ARENA_ARRAY(a, struct record_field, it->wanted.n + 1);
    return told && wanted_diff(sf->fl, &it->wanted, &it->written, WRITE_UPDATE, false, diff) == 0;
}

enum err guard_told(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    struct guarding g = {.e = e, .sf = sf};
    if (!sf->fl->guard) return ERR_OK;
    wanted_fields(&g, a);
    for (size_t at = 0; at < n;) {
        struct send_item *some[AT_ONCE];
        struct str ids[AT_ONCE];
        struct lookup_hit *hits = NULL;
        size_t k = 0, nhits = 0;
        for (; at < n && k < AT_ONCE; at++)
            if (was_told(sf, &items[at], a)) {
                ids[k] = items[at].row.id;
                some[k++] = &items[at];
            }
        if (k == 0) break;
        enum err err = sf->dst->tops->read(sf->dst->target, sf->fl->module, ids, k, g.want, g.nwant, a, &hits, &nhits, f);
        for (size_t i = 0; i < nhits && err == ERR_OK; i++) {
            struct send_item *it = some[hits[i].value_index];
            err = put_back(&g, it->key, &it->row, &hits[i], a, f);
            it->skip = true;
        }
        for (size_t i = 0; i < k && err == ERR_OK; i++)
            if (!some[i]->skip) err = gone_item(e, sf, some[i], f);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

enum err guard_flow(struct engine *e, struct sync_flow *sf, struct fault *f)
{
    struct flow_state st;
    if (!sf->fl->guard || sf->stopped || !store_flow(e->store, sf->name, &st)) return ERR_OK;
    struct guarding g = {.e = e, .sf = sf};
    struct buf after = {0}, last = {0};
    struct arena a;
    uint16_t flow = st.id;
    arena_init(&a, 256 * 1024);
    arena_init(&g.keys, 64 * 1024);
    g.gone = ARENA_ARRAY(&g.keys, struct str, GONE_MAX);
    wanted_fields(&g, &g.keys);
    enum err err = ERR_OK;
    for (bool more = true; more && err == ERR_OK;) {
        arena_reset(&a);
        struct chunk *c = ARENA_NEW(&a, struct chunk);
        *c = (struct chunk){.a = &a, .last = &last};
        err = store_rows(e->store, flow, buf_view(&after), take, c, f);
        more = err == ERR_STOPPED;
        if (more) err = ERR_OK;
        buf_clear(&after);
        buf_str(&after, buf_view(&last));
        if (err == ERR_OK && c->n) err = look(&g, c, f);
        progress_tell(e, sf, "guarding");
        if (err == ERR_OK && e->o.stop && *e->o.stop) err = fault_set(f, ERR_STOPPED, "stopped on request");
    }
    if (err == ERR_OK) err = make_again(&g, flow, f);
    arena_free(&a);
    arena_free(&g.keys);
    buf_free(&after);
    buf_free(&last);
    return err == ERR_OK ? err : fault_prefix(f, "flow %s", sf->cname);
}
