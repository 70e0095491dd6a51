/* poll.c - passes over a source: pages of changes or the whole table, each page one batch of the log: cursor, rows, rejects and locked keys hold
 * together. Between pages the sender is given its turn, so that reading and writing overlap. */
#include "sync/sync_private.h"

void progress_tell(struct engine *e, const struct sync_flow *sf, const char *phase)
{
    progress_alive(e);
    if (!e->o.progress) return;
    struct flow_state st;
    struct engine_progress *p = &e->progress;
    p->flow = sf ? sf->cname : "";
    p->phase = phase;
    p->rows = e->result.rows;
    p->changed = e->result.changed;
    p->same = e->result.same;
    p->rejected = e->result.rejected;
    p->locked = e->result.locked;
    p->inserted = e->result.inserted;
    p->updated = e->result.updated;
    p->failed = e->result.failed;
    p->pending = 0;
    if (sf && store_flow(e->store, sf->name, &st))
        p->pending = st.counts[ROW_DIRTY] + st.counts[ROW_INFLIGHT] + st.counts[ROW_RETRY] + st.counts[ROW_AMBIGUOUS];
    e->o.progress(e->o.progress_ctx, p);
}

struct page_counts { uint64_t rows, changed, same, rejected, locked; };

/* Decorrelated jitter for the quick attempts that the spec asks for; afterwards a minute, two, four, at most ten, for ever: the cursor has passed
 * this row, nobody else will bring it. */
static int64_t locked_delay(struct engine *e, struct sync_flow *sf, unsigned tries)
{
    const struct conn_env *env = &sf->src->env;
    int64_t min = conn_setting_ms(env, "retry.locked.delay.min", 250), max = conn_setting_ms(env, "retry.locked.delay.max", 30000);
    int64_t quick = conn_setting_int(env, "retry.locked.attempts", 8), slow = (int64_t)tries - quick - 1;
    if (slow >= 0) return slow < 4 ? INT64_C(60000) << slow : 600000;
    int64_t top = min;
    for (unsigned i = 1; i < tries && top < max; i++) top *= 3;
    if (top > max) top = max;
    uint32_t dice;
    e->w->random.fill(e->w->random.ctx, &dice, sizeof dice);
    return min + (top > min ? (int64_t)(dice % (uint64_t)(top - min + 1)) : 0);
}

enum err locked_note(struct engine *e, struct sync_flow *sf, struct str key, unsigned tries, struct fault *f)
{
    emit_begin(e, FRAME_LOCKED, sf);
    emit_key(e, key, FRAME_NO_SLOT);
    event_put_int(&e->pub, EV_TRIES, tries);
    event_put_int(&e->pub, EV_DUE, world_wall_ms(e->w) + (tries ? locked_delay(e, sf, tries) : 0));
    return emit_end(e, f);
}

/* Nothing is to be done about the row but, perhaps, to forget that it was locked. */
static enum err same_row(const struct source_query *q, const struct source_row *row, struct arena *a, struct derived *d)
{
    *d = (struct derived){.kind = DERIVE_SAME, .key = key_natural(q, &row->key, a)};
    return ERR_OK;
}

static enum err take_rows(struct engine *e, struct sync_flow *sf, const struct source_query *q, const struct source_page *page, bool force,
                          struct page_counts *c, struct fault *f)
{
    struct flow_state st = {0};
    bool known = store_flow(e->store, sf->name, &st);
    if (!page->asked && !force) {
        enum err asked = same_rows(e, sf, q, page->rows, page->nrows, f);
        if (asked != ERR_OK) return asked;
    }
    for (size_t i = 0; i < page->nrows; i++) {
        send_kick(e);
        if (page->rows[i].same && !(known && st.locked)) {
            c->rows++;
            c->same++;
            continue;
        }
        struct arena_mark m = arena_mark(&e->page);
        struct derived d;
        enum err err = page->rows[i].same ? same_row(q, &page->rows[i], &e->page, &d) : derive_row(e, sf, q, &page->rows[i], force, &e->page, &d, f);
        if (err == ERR_OK) err = derive_emit(e, sf, &d, f);
        struct store_locked l;
        if (err == ERR_OK && known && st.locked && store_locked_get(e->store, st.id, d.key, &l)) err = locked_note(e, sf, d.key, 0, f);
        arena_release(&e->page, m);
        if (err != ERR_OK) return err;
        c->rows++;
        if (d.kind == DERIVE_SAME || d.kind == DERIVE_TOUCH) c->same++;
        else if (d.kind == DERIVE_REJECT) c->rejected++;
        else c->changed++;
    }
    return ERR_OK;
}

static enum err take_locked(struct engine *e, struct sync_flow *sf, const struct source_query *q, const struct source_page *page,
                            struct page_counts *c, struct fault *f)
{
    struct flow_state st = {0};
    store_flow(e->store, sf->name, &st);
    for (size_t i = 0; i < page->nlocked; i++) {
        struct str key = key_natural(q, &page->locked[i], &e->page);
        struct store_locked l = {.tries = 0};
        if (key.n == 0) return fault_set(f, ERR_PROTOCOL, "flow %s: the source sent a key that is too long", sf->cname);
        if (st.id) store_locked_get(e->store, st.id, key, &l);
        enum err err = locked_note(e, sf, key, l.tries + 1, f);
        if (err != ERR_OK) return err;
        c->locked++;
    }
    return ERR_OK;
}

static enum err take_page(struct engine *e, struct sync_flow *sf, const struct source_query *q, const struct source_page *page, const char *pass,
                          struct page_counts *total, struct fault *f)
{
    struct page_counts c = {0, 0, 0, 0, 0};
    size_t before = e->npending;
    enum err err = take_rows(e, sf, q, page, false, &c, f);
    if (err == ERR_OK) err = take_locked(e, sf, q, page, &c, f);
    if (err != ERR_OK) return err;
    bool quiet = e->npending == before;
    emit_begin(e, FRAME_PAGE, sf);
    event_put_text(&e->pub, EV_PASS, pass);
    event_put_int(&e->pub, EV_ROWS, (int64_t)c.rows);
    event_put_int(&e->pub, EV_CHANGED, (int64_t)c.changed);
    event_put_int(&e->pub, EV_REJECTED, (int64_t)c.rejected);
    event_put_int(&e->pub, EV_LOCKED, (int64_t)c.locked);
    event_put(&e->pub, EV_STAMP, page->high_water);
    event_put(&e->priv, EV_CURSOR, page->next);          /* a cursor may name a key: sealed */
    err = emit_end(e, f);
    if (err == ERR_OK) err = quiet ? emit_close(e, f) : emit_commit(e, f);
    e->result.rows += c.rows;
    e->result.changed += c.changed;
    e->result.same += c.same;
    e->result.locked += c.locked;
    total->rows += c.rows;
    total->changed += c.changed;
    total->locked += c.locked;
    total->rejected += c.rejected;
    return err;
}

static enum err pass_end(struct engine *e, struct sync_flow *sf, const char *pass, struct str cursor, const struct page_counts *c, struct fault *f)
{
    int64_t now = world_wall_ms(e->w);
    emit_begin(e, FRAME_POLL_END, sf);
    event_put_text(&e->pub, EV_PASS, pass);
    event_put_int(&e->pub, EV_COMPLETE, 1);
    event_put_int(&e->pub, EV_ROWS, (int64_t)c->rows);
    event_put_int(&e->pub, EV_CHANGED, (int64_t)c->changed);
    event_put_int(&e->pub, EV_REJECTED, (int64_t)c->rejected);
    event_put_int(&e->pub, EV_LOCKED, (int64_t)c->locked);
    event_put(&e->priv, EV_CURSOR, cursor);
    event_put_int(&e->pub, EV_NEXT_POLL, now + sf->fl->every_ms);
    if (str_is(str_of(pass), "full") && sf->fl->reread_ms) event_put_int(&e->pub, EV_NEXT_FULL, now + sf->fl->reread_ms);
    enum err err = emit_end(e, f);
    return err == ERR_OK ? emit_commit(e, f) : err;
}

static bool stopping(const struct engine *e)
{
    return e->o.stop && *e->o.stop;
}

/* Where a pass of this company stands in the flow's one cursor field: "company=cursor" lines, so that several companies share it. */
struct str poll_cursor_of(struct str all, struct str company, struct arena *a)
{
    while (all.n) {
        const char *nl = memchr(all.p, '\n', all.n);
        struct str line = {all.p, nl ? (size_t)(nl - all.p) : all.n};
        all = nl ? (struct str){nl + 1, all.n - line.n - 1} : (struct str){NULL, 0};
        if (line.n > company.n && str_starts(line, company) && line.p[company.n] == '=')
            return (struct str){arena_copy(a, line.p + company.n + 1, line.n - company.n - 1), line.n - company.n - 1};
    }
    return (struct str){NULL, 0};
}

static struct str cursor_with(struct str all, struct str company, struct str cursor, struct arena *a)
{
    struct buf b = {0};
    while (all.n) {
        const char *nl = memchr(all.p, '\n', all.n);
        struct str line = {all.p, nl ? (size_t)(nl - all.p) : all.n};
        all = nl ? (struct str){nl + 1, all.n - line.n - 1} : (struct str){NULL, 0};
        bool ours = line.n > company.n && str_starts(line, company) && line.p[company.n] == '=';
        if (!ours && line.n) {
            buf_str(&b, line);
            buf_byte(&b, '\n');
        }
    }
    buf_str(&b, company);
    buf_byte(&b, '=');
    buf_str(&b, cursor);
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

/* The cursor text of this pass as the index has it, copied. */
static struct str stored_cursor(struct engine *e, struct sync_flow *sf, bool full, struct arena *a)
{
    struct flow_state st;
    if (!store_flow(e->store, sf->name, &st)) return (struct str){NULL, 0};
    struct str c = full ? st.full_cursor : st.cursor;
    return (struct str){arena_copy(a, c.p, c.n), c.n};
}

static enum err poll_company(struct engine *e, struct sync_flow *sf, const struct source_query *q, bool full, struct buf *cursors,
                             struct page_counts *total, struct fault *f)
{
    const char *pass = full ? "full" : "changes";
    struct arena own;
    arena_init(&own, 4096);
    struct str cursor = poll_cursor_of(buf_view(cursors), q->company, &own);
    struct same_asking asking;
    struct source_query ask = *q;
    same_asks(&asking, e, sf, q);
    ask.asks = &asking.asks;
    enum err err = ERR_OK;
    for (bool complete = false; !complete && err == ERR_OK;) {
        if (stopping(e)) {
            err = fault_set(f, ERR_STOPPED, "stopped on request; the next run goes on where this one ended");
            break;
        }
        arena_reset(&e->page);
        struct source_page page = {0};
        err = source_of(sf, q)->sops->page(source_of(sf, q)->source, &ask, cursor, &e->page, &page, f);
        if (err == ERR_UNSUPPORTED) {                /* a door that cannot list */
            uint64_t known = 0;
            struct fault why = {.text = ""};
            enum err by_key = poll_known(e, sf, q, &known, &why);
            if (by_key != ERR_OK) *f = why;
            err = by_key != ERR_OK ? by_key : known ? ERR_OK : ERR_UNSUPPORTED;
            total->rows += known;
            break;
        }
        if (err != ERR_OK) break;
        struct str all = cursor_with(buf_view(cursors), q->company, page.next, &e->page);
        page.next = all;
        complete = page.complete;
        err = take_page(e, sf, q, &page, pass, total, f);
        if (err != ERR_OK) break;
        buf_clear(cursors);
        buf_str(cursors, all);
        arena_reset(&own);
        cursor = poll_cursor_of(buf_view(cursors), q->company, &own);
        progress_tell(e, sf, "reading");
        arena_reset(&e->page);               /* the page is journaled; what follows needs its own memory */
        err = send_pump(e, false, f);
    }
    arena_free(&own);
    return err;
}

enum err poll_flow(struct engine *e, struct sync_flow *sf, bool full, struct fault *f)
{
    struct page_counts total = {0, 0, 0, 0, 0};
    struct buf cursors = {0};
    struct arena own;
    arena_init(&own, 4096);
    buf_str(&cursors, stored_cursor(e, sf, full, &own));
    if (!full && cursors.n == 0) {                 /* never polled, or the first full pass was interrupted: go on with it */
        full = true;
        buf_str(&cursors, stored_cursor(e, sf, true, &own));
    }
    enum err err = ERR_OK;
    for (size_t i = 0; i < sf->nqueries && err == ERR_OK; i++) {
        err = poll_company(e, sf, &sf->queries[i], full, &cursors, &total, f);
        if (err != ERR_EXPIRED) continue;
        log_info("flow %s: the source no longer knows our cursor (a restored or copied company?); reading the whole table", sf->cname);
        full = true;
        buf_clear(&cursors);
        err = poll_company(e, sf, &sf->queries[i], true, &cursors, &total, f);
    }
    if (err == ERR_OK) err = pass_end(e, sf, full ? "full" : "changes", buf_view(&cursors), &total, f);
    buf_free(&cursors);
    arena_free(&own);
    return err == ERR_OK ? err : fault_prefix(f, "flow %s", sf->cname);
}

enum err fetch_keys(struct engine *e, struct sync_flow *sf, const struct source_query *q, const struct source_key *keys, size_t n, bool force, struct fault *f)
{
    for (size_t at = 0; at < n; at += LIMIT_BATCH_GET) {
        size_t part = n - at < LIMIT_BATCH_GET ? n - at : LIMIT_BATCH_GET;
        struct source_page page = {0};
        struct page_counts c = {0, 0, 0, 0, 0};
        enum err err = source_of(sf, q)->sops->fetch(source_of(sf, q)->source, q, keys + at, part, &e->page, &page, f);
        if (err == ERR_OK) err = take_rows(e, sf, q, &page, force, &c, f);
        if (err == ERR_OK) err = take_locked(e, sf, q, &page, &c, f);
        for (size_t i = 0; i < page.nmissing && err == ERR_OK; i++) {
            struct str key = key_natural(q, &page.missing[i], &e->page);
            struct flow_state st;
            struct store_locked l;
            err = derive_gone(e, sf, key, page.missing_sign ? (enum source_sign)page.missing_sign[i] : SIGN_NONE, f);
            if (err == ERR_OK && store_flow(e->store, sf->name, &st) && store_locked_get(e->store, st.id, key, &l)) err = locked_note(e, sf, key, 0, f);
        }
        if (err == ERR_OK) err = emit_commit(e, f);
        if (err != ERR_OK) return err;
        e->result.rows += c.rows;
        e->result.changed += c.changed;
        e->result.same += c.same;
    }
    return ERR_OK;
}

enum err fetch_natural(struct engine *e, struct sync_flow *sf, const struct str *keys, size_t n, bool force, struct arena *a, size_t *unknown, struct fault *f)
{
    struct source_key *part = ARENA_ARRAY(a, struct source_key, n + 1);
    const struct source_query *of = NULL;
    size_t have = 0;
    enum err err = ERR_OK;
    *unknown = 0;
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        const struct source_query *q = key_split(sf, keys[i], a, &part[have]);
        if (!q) ++*unknown;
        else if (q == of || have == 0) have++;
        else {                                         /* the first of another company */
            struct source_key first = part[have];
            err = fetch_keys(e, sf, of, part, have, force, f);
            part[0] = first;
            have = 1;
        }
        if (q) of = q;
    }
    return err == ERR_OK && have ? fetch_keys(e, sf, of, part, have, force, f) : err;
}
