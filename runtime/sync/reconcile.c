/* reconcile.c - the pass of `mlcd reconcile`. The source lists its keys in order; they are merged with the index, which has the same order, and taken in
 * chunks of 100: rows by key from the source, derived afresh; records by id (or by our key) from the target; judged. Then the module is walked for what
 * belongs to nobody (reconcile_orphan.c).
 *
 *   keys of the source --+                     +-- fetch by key -- derive --+
 *                        +-- merge, chunks  ---+                            +-- judge -- difference, total, mark
 *   rows of the index  --+                     +-- read by id, by key ------+
 *
 * Beside a running mlcd a record may be written between our reading of one side and of the other: one whose index row moved meanwhile is looked at again. */
#include "sync/reconcile_private.h"
#include "sync/act.h"
#include <stdlib.h>

enum { LOOKS = 3, HAND_OVER_MS = 60000 };

static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

static bool stopped(const struct reconcile_run *run, enum err *err, struct fault *f)
{
    if (run->e->o.stop && *run->e->o.stop) *err = fault_set(f, ERR_STOPPED, "stopped on request");
    return *err != ERR_OK;
}

/* ---- the source's side of a chunk ---- */
static enum err known_row(struct reconcile_run *run, struct derived *d, struct fault *f)
{
    if (!run->flow_id) return ERR_OK;
    enum err err = store_row(run->e->store, run->flow_id, d->key, &run->chunk, &d->row, f);
    d->known = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static struct reconcile_item *item_of(struct reconcile_item *items, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(items[i].d.key, key)) return &items[i];
    return NULL;
}

/* A record that is gone there: what `on delete` sets is what should stand in the target. */
static enum err take_gone(struct reconcile_run *run, struct reconcile_item *it, struct fault *f)
{
    it->gone = true;
    enum err err = known_row(run, &it->d, f);
    it->d.kind = DERIVE_LEAVE;
    it->d.key_text = key_text_of(run->sf->fl, it->d.key, &run->chunk);
    if ((it->d.row.flags & ROW_F_GONE) && run->sf->fl->on_delete.present) it->d.wanted = it->d.row.wanted;
    return err;
}

static enum err fetch_chunk(struct reconcile_run *run, const struct source_query *q, struct reconcile_item *items, size_t n, struct fault *f)
{
    struct arena *a = &run->chunk;
    struct source_key *keys = ARENA_ARRAY(a, struct source_key, n);
    struct source_page page = {0};
    for (size_t i = 0; i < n; i++)
        if (!key_split(run->sf, items[i].d.key, a, &keys[i])) return fault_set(f, ERR_CORRUPT, "a key of the index belongs to no company of the flow");
    store_rest(run->e->store);
    enum err err = source_of(run->sf, q)->sops->fetch(source_of(run->sf, q)->source, q, keys, n, a, &page, f);
    run->result->source_calls++;
    for (size_t i = 0; i < page.nrows && err == ERR_OK; i++) {
        struct reconcile_item *it = item_of(items, n, key_natural(q, &page.rows[i].key, a));
        if (it) err = derive_row(run->e, run->sf, q, &page.rows[i], true, a, &it->d, f);
    }
    for (size_t i = 0; i < page.nlocked && err == ERR_OK; i++) {
        struct reconcile_item *it = item_of(items, n, key_natural(q, &page.locked[i], a));
        if (!it) continue;
        it->locked = true;
        it->d.key_text = key_text_of(run->sf->fl, it->d.key, a);
        err = known_row(run, &it->d, f);
    }
    for (size_t i = 0; i < page.nmissing && err == ERR_OK; i++) {
        struct reconcile_item *it = item_of(items, n, key_natural(q, &page.missing[i], a));
        if (it) err = take_gone(run, it, f);
    }
    return err;
}

/* ---- the target's side ---- */
static void place(struct reconcile_item **some, const struct lookup_hit *hits, size_t nhits, bool by_key, struct reconcile_run *run)
{
    for (size_t i = 0; i < nhits; i++) {
        struct reconcile_item *it = some[hits[i].value_index];
        it->hit = &hits[i];
        it->nhits++;
        if (by_key) id_set_add(&run->unlinked, hits[i].id);
    }
}

static enum err read_targets(struct reconcile_run *run, struct reconcile_item *items, size_t n, bool by_key, struct fault *f)
{
    const struct image_flow *fl = run->sf->fl;
    const struct target_ops *ops = run->sf->dst->tops;
    struct arena *a = &run->chunk;
    struct str *want = ARENA_ARRAY(a, struct str, fl->nfields + 1), *values = ARENA_ARRAY(a, struct str, n + 1);
    struct reconcile_item **some = ARENA_ARRAY(a, struct reconcile_item *, n + 1);
    size_t nwant = reconcile__want(fl, run->o->no_lines, want), k = 0, nhits = 0;
    struct lookup_hit *hits = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct derived *d = &items[i].d;
        if (items[i].locked || (d->known && (d->row.flags & ROW_F_ERASED)) || (d->row.id.n > 0) == by_key) continue;
        if (by_key && (d->kind != DERIVE_WRITE || fl->into)) continue;               /* nothing to look for: it is not to be there */
        some[k] = &items[i];
        values[k++] = by_key ? key_written(run->e->vm, fl, d->key, a) : d->row.id;
    }
    if (k == 0) return ERR_OK;
    store_rest(run->e->store);
    run->result->target_calls++;
    enum err err = by_key ? ops->lookup(run->sf->dst->target, fl->module, fl->fields[fl->key_field].name, values, k, want, nwant, a, &hits, &nhits, f)
                          : ops->read(run->sf->dst->target, fl->module, values, k, want, nwant, a, &hits, &nhits, f);
    if (err == ERR_OK) place(some, hits, nhits, by_key, run);
    return err;
}

/* ---- marking what is to be written ---- */
static bool to_repair(const struct reconcile_run *run, const struct reconcile_item *it, enum reconcile_class cls)
{
    if (!run->o->repair || it->gone || it->locked) return false;
    if (cls == RECONCILE_MISSING && it->d.row.id.n) return run->o->recreate;      /* people deleted it: they may have meant it */
    return cls == RECONCILE_AHEAD || cls == RECONCILE_EDITED || cls == RECONCILE_CONFLICT || cls == RECONCILE_MISSING;
}

static enum err mark_here(struct reconcile_run *run, struct reconcile_item *items, size_t n, struct fault *f)
{
    struct engine *e = run->e;
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        if (!items[i].repair || !items[i].d.known) continue;
        bool anew = items[i].d.row.id.n && !items[i].hit;
        err = replay_mark(e, run->sf, items[i].d.key, &items[i].d.row, anew, run->o->by, f);
    }
    if (err == ERR_OK) err = emit_commit(e, f);
    /* What the source says now becomes what is wanted; the fuse and the adoption have their say as in any pass. */
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        if (!items[i].repair) continue;
        if (items[i].d.state == ROW_CLEAN) items[i].d.state = ROW_DIRTY;
        err = derive_emit(e, run->sf, &items[i].d, f);
        run->report.marked++;
    }
    return err == ERR_OK ? emit_commit(e, f) : err;
}

static enum err mark_there(struct reconcile_run *run, struct reconcile_item *items, size_t n, struct fault *f)
{
    struct act *acts = ARENA_ARRAY(&run->chunk, struct act, n + 1);
    struct act_result *results = ARENA_ARRAY(&run->chunk, struct act_result, n + 1);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        bool anew = items[i].d.row.id.n && !items[i].hit;
        if (items[i].repair && items[i].d.known)       /* what nobody has read yet is read by the running mlcd without being asked */
            acts[k++] = (struct act){.verb = ACT_REPLAY, .flow = run->sf->name, .key = items[i].d.key_text, .by = str_of(run->o->by), .recreate = anew};
    }
    if (k == 0) return ERR_OK;
    store_rest(run->e->store);
    enum err err = act_hand_over(run->e->w, run->e->o.state_dir, acts, k, HAND_OVER_MS, results, f);
    for (size_t i = 0; i < k && err == ERR_OK; i++) {
        if (results[i].err == ERR_OK) run->report.marked++;
        else log_warn("%.*s: %s", (int)acts[i].key.n, acts[i].key.p, results[i].text);
    }
    return err;
}

/* ---- a chunk ---- */
static bool row_moved(struct reconcile_run *run, const struct reconcile_item *it)
{
    struct row now;
    struct arena_mark m = arena_mark(&run->chunk);
    bool known = run->flow_id && store_row(run->e->store, run->flow_id, it->d.key, &run->chunk, &now, NULL) == ERR_OK;
    bool moved = known != it->d.known || (known && (now.last_seq != it->d.row.last_seq || now.state == ROW_INFLIGHT));
    arena_release(&run->chunk, m);
    return moved;
}

static void account(struct reconcile_run *run, struct reconcile_item *it, bool again)
{
    if (it->d.known && (it->d.row.flags & ROW_F_ERASED)) {
        run->report.erased++;
        return;
    }
    if (again && !run->e->journal && row_moved(run, it)) {
        it->moved = true;
        return;
    }
    enum reconcile_class cls = reconcile__judge(run, it);
    it->repair = to_repair(run, it, cls);
    bool left = it->d.kind == DERIVE_LEAVE;
    if (left && cls == RECONCILE_SAME && !it->hit) return;             /* in neither, and rightly so */
    run->report.counts[cls]++;
    run->report.source += !it->gone;
    struct record wanted = record_of(it->d.wanted, &run->chunk);
    bool maps = it->d.kind == DERIVE_WRITE;
    totals_add(run->totals, run->e, run->sf, it->d.key, it->d.key_text, maps ? &wanted : NULL, it->hit && maps ? &it->hit->fields : NULL);
}

static enum err compare_some(struct reconcile_run *run, const struct source_query *q, struct reconcile_item *items, size_t n, bool in_source, bool again,
                             struct fault *f)
{
    enum err err = ERR_OK;
    if (in_source) err = fetch_chunk(run, q, items, n, f);
    for (size_t i = 0; i < n && !in_source && err == ERR_OK; i++) err = take_gone(run, &items[i], f);
    if (err == ERR_OK) err = read_targets(run, items, n, false, f);
    if (err == ERR_OK) err = read_targets(run, items, n, true, f);
    for (size_t i = 0; i < n && err == ERR_OK; i++) account(run, &items[i], again);
    bool any = false;
    for (size_t i = 0; i < n; i++) any = any || items[i].repair;
    if (err == ERR_OK && any) err = run->e->journal ? mark_here(run, items, n, f) : mark_there(run, items, n, f);
    return err;
}

/* Keys of the caller's arena; those that moved under our eyes are taken again. */
static enum err compare_chunk(struct reconcile_run *run, const struct source_query *q, struct str *keys, size_t n, bool in_source, struct fault *f)
{
    enum err err = ERR_OK;
    for (int look = 1; n > 0 && err == ERR_OK; look++) {
        arena_reset(&run->chunk);
        struct reconcile_item *items = ARENA_ARRAY(&run->chunk, struct reconcile_item, n);
        for (size_t i = 0; i < n; i++) items[i].d = (struct derived){.kind = DERIVE_SAME, .key = keys[i]};
        err = compare_some(run, q, items, n, in_source, look < LOOKS, f);
        size_t left = 0;
        for (size_t i = 0; i < n && err == ERR_OK; i++)
            if (items[i].moved) keys[left++] = keys[i];
        n = left;
    }
    run->result->records = run->report.source;
    progress_tell(run->e, run->sf, "comparing");
    stopped(run, &err, f);
    return err;
}

static enum err compare_keys(struct reconcile_run *run, const struct source_query *q, struct str *keys, size_t n, bool in_source, struct fault *f)
{
    enum err err = ERR_OK;
    for (size_t at = 0; at < n && err == ERR_OK; at += RECONCILE_CHUNK)
        err = compare_chunk(run, q, keys + at, n - at < RECONCILE_CHUNK ? n - at : RECONCILE_CHUNK, in_source, f);
    return err;
}

/* ---- merging keys and index ---- */
struct merge {
    struct str prefix, upto;           /* this company's rows; the last key of the page, empty = to the end */
    const struct str *page; size_t npage, at;
    struct arena *a;
    struct str found[RECONCILE_CHUNK]; size_t n;           /* rows that are not in the page */
    struct buf last;
    bool all;                          /* no page: every row */
};

static enum err merge_row(void *arg, struct str key, const struct row *r)
{
    struct merge *m = arg;
    if (!str_starts(key, m->prefix)) return str_cmp(key, m->prefix) < 0 ? ERR_OK : ERR_STOPPED;
    if (m->upto.n && str_cmp(key, m->upto) > 0) return ERR_STOPPED;
    if (m->n == RECONCILE_CHUNK) return ERR_BUSY;
    buf_clear(&m->last);
    buf_str(&m->last, key);
    while (m->at < m->npage && str_cmp(m->page[m->at], key) < 0) m->at++;
    bool listed = m->at < m->npage && str_eq(m->page[m->at], key);
    bool nothing = !m->all && r->id.n == 0 && (r->flags & ROW_F_GONE);
    if (!listed && !nothing) m->found[m->n++] = keep(m->a, key);
    return ERR_OK;
}

/* Rows of the index behind `after` and up to the end of a page that the page does not name. */
static enum err compare_rest(struct reconcile_run *run, const struct source_query *q, struct merge *m, struct str after, bool in_source, struct fault *f)
{
    struct buf from = {0};
    buf_str(&from, after);
    enum err err = ERR_BUSY;
    while (err == ERR_BUSY && run->flow_id) {
        struct arena own;
        arena_init(&own, 0);
        m->a = &own;
        m->n = 0;
        err = store_rows(run->e->store, run->flow_id, buf_view(&from), merge_row, m, f);
        store_rest(run->e->store);
        buf_clear(&from);
        buf_str(&from, buf_view(&m->last));
        enum err done = err == ERR_OK || err == ERR_STOPPED || err == ERR_BUSY ? compare_keys(run, q, m->found, m->n, in_source, f) : err;
        if (done != ERR_OK) err = done;
        arena_free(&own);
    }
    buf_free(&from);
    return err == ERR_STOPPED && !(run->e->o.stop && *run->e->o.stop) ? ERR_OK : err == ERR_BUSY ? ERR_OK : err;
}

static enum err walk_pages(struct reconcile_run *run, const struct source_query *q, struct str prefix, struct fault *f)
{
    struct arena page_arena;
    struct buf cursor = {0}, after = {0};
    const struct sync_endpoint *src = source_of(run->sf, q);
    arena_init(&page_arena, 0);
    buf_str(&after, prefix);
    enum err err = ERR_OK;
    for (bool complete = false; !complete && err == ERR_OK;) {
        struct source_page page = {0};
        arena_reset(&page_arena);
        store_rest(run->e->store);
        err = src->sops->keys(src->source, q, buf_view(&cursor), &page_arena, &page, f);
        run->result->source_calls++;
        if (err != ERR_OK) break;
        struct str *keys = ARENA_ARRAY(&page_arena, struct str, page.nrows + 1);
        for (size_t i = 0; i < page.nrows; i++) keys[i] = key_natural(q, &page.rows[i].key, &page_arena);
        struct merge *m = ARENA_NEW(&page_arena, struct merge);
        *m = (struct merge){.prefix = prefix, .page = keys, .npage = page.nrows};
        if (!page.complete && page.nrows) m->upto = keep(&page_arena, keys[page.nrows - 1]);
        complete = page.complete;
        buf_clear(&cursor);
        buf_str(&cursor, page.next);
        struct str upto = m->upto;
        err = compare_rest(run, q, m, buf_view(&after), false, f);
        buf_free(&m->last);
        if (err == ERR_OK) err = compare_keys(run, q, keys, page.nrows, true, f);
        buf_clear(&after);
        buf_str(&after, upto);
    }
    buf_free(&cursor);
    buf_free(&after);
    arena_free(&page_arena);
    return err;
}

static enum err walk_company(struct reconcile_run *run, const struct source_query *q, struct fault *f)
{
    struct buf prefix = {0};
    rowkey_make(&prefix, &q->company, 1);
    enum err err = walk_pages(run, q, buf_view(&prefix), f);
    if (err == ERR_UNSUPPORTED) {                          /* a door that cannot list: what the index knows is asked for by key */
        run->report.no_keys = true;
        struct merge m = {.prefix = buf_view(&prefix), .all = true};
        err = compare_rest(run, q, &m, buf_view(&prefix), true, f);
        buf_free(&m.last);
    }
    buf_free(&prefix);
    return err;
}

static enum err reconcile_flow(struct reconcile_run *run, struct fault *f)
{
    struct flow_state st;
    const struct image_flow *fl = run->sf->fl;
    run->flow_id = store_flow(run->e->store, run->sf->name, &st) ? st.id : 0;
    run->report = (struct reconcile_flow){.flow = run->sf->cname, .module = arena_copy(&run->e->page, fl->module.p, fl->module.n), .adds = fl->into != 0};
    run->totals = run->o->totals ? totals_new(run->sf) : NULL;
    enum err err = ERR_OK;
    for (size_t i = 0; i < run->sf->nqueries && err == ERR_OK; i++) err = walk_company(run, &run->sf->queries[i], f);
    if (err == ERR_OK) err = reconcile__orphans(run, f);
    if (err == ERR_OK) totals_tell(run->totals, run->sf->cname, run->sink);
    if (err == ERR_OK) run->sink->flow(run->sink->ctx, &run->report);
    for (unsigned c = RECONCILE_SAME + 1; c < RECONCILE_COUNT; c++) run->result->differences += run->report.counts[c];
    run->result->marked += run->report.marked;
    totals_free(run->totals);
    free(run->unlinked.slots);
    run->unlinked = (struct id_set){NULL, 0, 0};
    return err == ERR_OK ? err : fault_prefix(f, "flow %s", run->sf->cname);
}

/* What the targets say was used, all of them together; -1 when none counts it. */
static int64_t used(const struct engine *e, const char *what)
{
    int64_t sum = -1;
    for (size_t i = 0; i < e->image->ntargets; i++) {
        struct buf b = {0};
        struct arena a;
        struct record r;
        arena_init(&a, 2048);
        struct record_writer w = record_begin(&b);
        if (e->targets[i].tops->usage) e->targets[i].tops->usage(e->targets[i].target, &w);
        record_end(&w);
        int64_t one = record_decode(buf_view(&b), &a, &r) == ERR_OK ? record_int(&r, what, -1) : -1;
        if (one >= 0) sum = (sum < 0 ? 0 : sum) + one;
        arena_free(&a);
        buf_free(&b);
    }
    return sum;
}

enum err engine_reconcile(struct engine *e, const struct reconcile_options *o, const struct reconcile_sink *sink, struct reconcile_result *r, struct fault *f)
{
    *r = (struct reconcile_result){0};
    if (!e->store) return fault_set(f, ERR_NOT_FOUND, "nothing was ever run in %s", e->o.state_dir);
    struct reconcile_run run = {.e = e, .o = o, .sink = sink, .result = r};
    arena_init(&run.chunk, 256 * 1024);
    enum err err = ERR_OK;
    uint64_t records = 0;
    int64_t credits = used(e, "credits_24h"), calls = used(e, "calls");
    for (size_t i = 0; i < e->nflows && err == ERR_OK; i++) {
        run.sf = &e->flows[i];
        err = reconcile_flow(&run, f);
        records += run.report.source;
    }
    r->records = records;
    r->credits = credits < 0 ? -1 : used(e, "credits_24h") - credits;
    if (calls >= 0) r->target_calls = (uint64_t)(used(e, "calls") - calls);      /* a list among what is read is a call a record */
    arena_free(&run.chunk);
    return err;
}

/* ---- what it will cost ---- */
static uint64_t calls_for(uint64_t records, uint64_t at_once) { return (records + at_once - 1) / at_once; }

enum err engine_reconcile_estimate(struct engine *e, bool no_lines, void (*each)(void *ctx, const struct reconcile_estimate *x), void *ctx, struct fault *f)
{
    if (!e->store) return fault_set(f, ERR_NOT_FOUND, "nothing was ever run in %s", e->o.state_dir);
    for (size_t i = 0; i < e->nflows; i++) {
        const struct sync_flow *sf = &e->flows[i];
        struct flow_state st = {0};
        uint64_t all = 0;
        store_flow(e->store, sf->name, &st);
        for (unsigned s = 0; s < ROW_STATE_COUNT; s++) all += st.counts[s];
        uint64_t wide = calls_for(sf->fl->nfields, 49);    /* facts/zoho-crm.md 4.5: 50 fields a call, id among them */
        struct reconcile_estimate x = {sf->cname, all, calls_for(all, RECONCILE_CHUNK) + calls_for(all, 1000), 0};
        x.target_calls = calls_for(st.linked, RECONCILE_CHUNK) * wide + calls_for(all - st.linked, RECONCILE_CHUNK) * wide + (sf->dst->tops->scan ? calls_for(st.linked + 1, 200) : 0);
        if (sf->has_lines && !no_lines) x.target_calls += st.linked;       /* facts/zoho-crm.md 4.5: rows come one record a call */
        each(ctx, &x);
    }
    return ERR_OK;
}
