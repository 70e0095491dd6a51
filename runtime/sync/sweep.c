/* sweep.c - what vanished from the source. Sage leaves no tombstone, so all keys are read and merged with the index, both in natural order
 * (facts/sage-100.md 9.6). Nothing is believed until the list was complete under one epoch; each absence is confirmed by a read; the fuse
 * holds what remains. Keys that the index does not know are fetched at once. */
#include "sync/sync_private.h"
#include <stdlib.h>

enum { MISSING_MAX = 10000 };          /* per sweep; the next sweep finds the rest */

struct sweep {
    struct engine *e;
    struct sync_flow *sf;
    const struct source_query *q;
    struct arena found;                /* keys to act on, life of the sweep */
    struct str *missing; size_t nmissing; uint64_t missing_all;
    struct str *page; bool *known_key; size_t npage, at;   /* of one page: the keys, and whether the index has a row of each that is not gone */
    struct str prefix, upto;           /* this company's rows; the last key of the page, empty = to the end */
    uint64_t known;
};

static enum err merge_key(void *arg, struct str key, enum store_over over)
{
    struct sweep *s = arg;
    if (!str_starts(key, s->prefix)) return str_cmp(key, s->prefix) < 0 ? ERR_OK : ERR_STOPPED;
    if (s->upto.n && str_cmp(key, s->upto) > 0) return ERR_STOPPED;
    s->known++;
    while (s->at < s->npage && str_cmp(s->page[s->at], key) < 0) s->at++;
    if (s->at < s->npage && str_eq(s->page[s->at], key)) {
        s->known_key[s->at++] = over != STORE_GONE;
        return ERR_OK;
    }
    if (over != STORE_LIVE) return ERR_OK;
    s->missing_all++;
    if (s->nmissing < MISSING_MAX) s->missing[s->nmissing++] = (struct str){arena_copy(&s->found, key.p, key.n), key.n};
    return ERR_OK;
}

/* Keys without a row, and those that came back. An erased one is left alone. */
static enum err fetch_unknown(struct sweep *s, const struct source_page *page, struct fault *f)
{
    struct source_key *unknown = ARENA_ARRAY(&s->e->page, struct source_key, page->nrows + 1);
    size_t n = 0;
    for (size_t i = 0; i < page->nrows; i++)
        if (!s->known_key[i]) unknown[n++] = page->rows[i].key;
    return n ? fetch_keys(s->e, s->sf, s->q, unknown, n, false, f) : ERR_OK;
}

static enum err sweep_page(struct sweep *s, const struct source_page *page, struct str after, struct fault *f)
{
    struct flow_state st;
    s->page = ARENA_ARRAY(&s->e->page, struct str, page->nrows + 1);
    s->known_key = ARENA_ARRAY(&s->e->page, bool, page->nrows + 1);
    s->npage = page->nrows;
    s->at = 0;
    for (size_t i = 0; i < page->nrows; i++) s->page[i] = key_natural(s->q, &page->rows[i].key, &s->e->page);
    s->upto = page->complete || page->nrows == 0 ? (struct str){NULL, 0} : s->page[page->nrows - 1];
    if (store_flow(s->e->store, s->sf->name, &st)) {
        enum err err = store_keys(s->e->store, st.id, after, merge_key, s, f);
        if (err != ERR_OK && err != ERR_STOPPED) return err;
    }
    return fetch_unknown(s, page, f);
}

/* Reads the whole list; ERR_BUSY when the epoch changed under way: void, nothing is done. */
static enum err list_keys(struct sweep *s, struct fault *f)
{
    struct buf after = {0}, cursor = {0}, epoch = {0};
    buf_str(&after, s->prefix);
    enum err err = ERR_OK;
    for (bool complete = false; !complete && err == ERR_OK;) {
        arena_reset(&s->e->page);
        struct source_page page = {0};
        err = source_of(s->sf, s->q)->sops->keys(source_of(s->sf, s->q)->source, s->q, buf_view(&cursor), &s->e->page, &page, f);
        if (err != ERR_OK) break;
        if (epoch.n && !str_eq(page.epoch, buf_view(&epoch)))
            err = fault_set(f, ERR_BUSY, "the source was restored or copied while its keys were listed; nothing was deleted, the next run lists again");
        buf_clear(&epoch);
        buf_str(&epoch, page.epoch);
        if (err == ERR_OK) err = sweep_page(s, &page, buf_view(&after), f);
        buf_clear(&cursor);
        buf_str(&cursor, page.next);
        if (s->upto.n) {
            buf_clear(&after);
            buf_str(&after, s->upto);
        }
        complete = page.complete;
        progress_tell(s->e, s->sf, "keys");
        if (err == ERR_OK) err = send_pump(s->e, false, f);
        if (err == ERR_OK && s->e->o.stop && *s->e->o.stop) err = fault_set(f, ERR_STOPPED, "stopped on request");
    }
    buf_free(&after);
    buf_free(&cursor);
    buf_free(&epoch);
    return err;
}

static enum err confirm(struct sweep *s, struct fault *f)
{
    const struct image_flow *fl = s->sf->fl;
    bool fuse = fl->fuse_count || fl->fuse_percent;
    if (!fuse && s->missing_all > 10 && s->missing_all * 5 > s->known) {
        emit_begin(s->e, FRAME_ALARM, s->sf);
        event_put_text(&s->e->pub, EV_WHY, "more than a fifth of the records vanished from the source at once and the flow has no fuse: nothing was done");
        event_put_int(&s->e->pub, EV_GONE, (int64_t)s->missing_all);
        enum err err = emit_end(s->e, f);
        if (err == ERR_OK) err = emit_commit(s->e, f);
        if (err != ERR_OK) return err;
        return fault_set(f, ERR_HELD, "%llu of %llu records vanished from the source at once: wrong company, or a failed scan? Nothing was done. "
                         "Give the flow a `fuse` to be able to accept such a run", (unsigned long long)s->missing_all, (unsigned long long)s->known);
    }
    enum err err = ERR_OK;
    for (size_t at = 0; at < s->nmissing && err == ERR_OK; at += LIMIT_BATCH_GET) {
        arena_reset(&s->e->page);
        size_t n = s->nmissing - at < LIMIT_BATCH_GET ? s->nmissing - at : LIMIT_BATCH_GET;
        struct source_key *keys = ARENA_ARRAY(&s->e->page, struct source_key, n);
        for (size_t i = 0; i < n; i++) ASSERT(key_split(s->sf, s->missing[at + i], &s->e->page, &keys[i]));
        err = fetch_keys(s->e, s->sf, s->q, keys, n, false, f);
    }
    return err;
}

static enum err sweep_company(struct engine *e, struct sync_flow *sf, const struct source_query *q, uint64_t *gone, struct fault *f)
{
    struct sweep s = {.e = e, .sf = sf, .q = q};
    struct buf prefix = {0};
    arena_init(&s.found, 0);
    s.missing = ARENA_ARRAY(&s.found, struct str, MISSING_MAX);
    rowkey_make(&prefix, &q->company, 1);
    s.prefix = buf_view(&prefix);
    enum err err = list_keys(&s, f);
    if (err == ERR_OK && s.nmissing) err = confirm(&s, f);
    *gone += s.missing_all;
    buf_free(&prefix);
    arena_free(&s.found);
    return err;
}

enum err sweep_flow(struct engine *e, struct sync_flow *sf, struct fault *f)
{
    uint64_t gone = 0;
    for (size_t i = 0; i < sf->nqueries; i++) {
        enum err err = sweep_company(e, sf, &sf->queries[i], &gone, f);
        if (err == ERR_UNSUPPORTED) return ERR_OK;          /* a door without a list: absences show when a key is read */
        if (err != ERR_OK) return fault_prefix(f, "flow %s", sf->cname);
    }
    emit_begin(e, FRAME_POLL_END, sf);
    event_put_text(&e->pub, EV_PASS, "keys");
    event_put_int(&e->pub, EV_COMPLETE, 1);
    event_put_int(&e->pub, EV_GONE, (int64_t)gone);
    enum err err = emit_end(e, f);
    return err == ERR_OK ? emit_commit(e, f) : err;
}
