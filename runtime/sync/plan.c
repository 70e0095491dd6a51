/* plan.c - what a run would do: the same reading, deriving and comparing as the run, without a frame, a write, or a moved cursor. */
#include "sync/sync_private.h"
#include <stdio.h>

struct planning {
    struct engine *e;
    struct sync_flow *sf;
    void (*each)(void *ctx, const struct plan_change *c);
    void *ctx;
    struct plan_totals *t;
    uint64_t danger;
};

static void tell(struct planning *p, const char *what, struct str key, struct str field, struct str before, struct str after, const char *why)
{
    struct plan_change c = {p->sf->cname, what, key, field, before, after, str_of(why ? why : "")};
    if (p->each) p->each(p->ctx, &c);
}

static void tell_fields(struct planning *p, const char *what, const struct derived *d, struct arena *a)
{
    const struct image_flow *fl = p->sf->fl;
    struct record wanted = record_of(d->wanted, a), written = record_of(d->row.written, a);
    struct record_field *diff = ARENA_ARRAY(a, struct record_field, wanted.n + 1);
    size_t n = wanted_diff(fl, &wanted, &written, d->row.id.n || fl->into ? WRITE_UPDATE : WRITE_INSERT, false, diff);
    for (size_t i = 0; i < n; i++) {
        const struct value *have = record_get(&written, diff[i].name);
        tell(p, what, d->key_text, diff[i].name, value_printed(have ? have : &value_absent, a), value_printed(&diff[i].v, a), NULL);
    }
    if (n == 0) tell(p, what, d->key_text, (struct str){NULL, 0}, (struct str){NULL, 0}, (struct str){NULL, 0}, NULL);
}

/* Fields for another flow's record: written into it, or waited for. */
static void account_into(struct planning *p, const struct derived *d, struct arena *a)
{
    struct send_item it = {.wanted = record_of(d->wanted, a)};
    struct row row;
    const struct str none = {NULL, 0};
    uint16_t flow = (uint16_t)(p->sf->fl->into - 1);
    struct str key = link_parent_key(d->key, into_symbol(&it), a);
    if (link_parent_row(p->e, flow, key, a, &row) == PARENT_THERE) {
        p->t->updates++;
        tell_fields(p, "update", d, a);
        return;
    }
    const struct image_flow *parent = &p->e->image->flows[flow];
    struct str text = key_text_of(parent, key, a);
    p->t->waiting++;
    tell(p, "wait", d->key_text, none, none, none, arena_printf(a, "adds to %.*s %.*s, which is not in the target yet", (int)parent->name.n, parent->name.p, (int)text.n, text.p));
}

static void account(struct planning *p, const struct derived *d, struct arena *a)
{
    struct plan_totals *t = p->t;
    const struct str none = {NULL, 0};
    if (d->flags & ROW_F_DANGER) p->danger++;
    if (d->kind == DERIVE_REJECT) {
        t->rejects++;
        tell(p, "reject", d->key_text, none, none, none, d->why);
    } else if (d->kind == DERIVE_SAME || d->kind == DERIVE_TOUCH || d->state == ROW_CLEAN ||
               (d->kind == DERIVE_LEAVE && (!d->wanted.p || d->state == ROW_LEFT || d->state == ROW_GONE))) {
        t->unchanged++;
    } else if (d->kind == DERIVE_LEAVE) {
        t->leaves += !(d->flags & ROW_F_GONE);
        t->deletes += !!(d->flags & ROW_F_GONE);
        tell_fields(p, d->flags & ROW_F_GONE ? "delete" : "leave", d, a);
    } else if (p->sf->fl->into) {
        account_into(p, d, a);
    } else if (d->known && d->row.id.n) {
        t->updates++;
        tell_fields(p, "update", d, a);
    } else if (d->known && d->row.state == ROW_WAITING) {
        t->waiting++;
        tell(p, "wait", d->key_text, none, none, none, "candidates stand in the target; decide with mlcd adopt");
    } else {
        t->inserts++;
        tell_fields(p, "insert", d, a);
    }
}

/* A record that the run would make, unless people made it before. */
static bool is_new(const struct planning *p, const struct derived *d)
{
    return p->sf->fl->adopt && d->kind == DERIVE_WRITE && d->row.id.n == 0 && !(d->known && d->row.state == ROW_WAITING) && !(d->row.flags & ROW_F_CREATE);
}

static enum err plan_new(struct planning *p, struct derived *const *fresh, size_t n, struct fault *f)
{
    struct arena *a = &p->e->page;
    struct send_item *items = ARENA_ARRAY(a, struct send_item, n + 1);
    struct str *ids = ARENA_ARRAY(a, struct str, n + 1), *names = ARENA_ARRAY(a, struct str, n + 1);
    const struct str none = {NULL, 0};
    for (size_t i = 0; i < n; i++) items[i] = (struct send_item){.key = fresh[i]->key, .row = {.snapshot = fresh[i]->snapshot}};
    enum err err = n ? candidates_of(p->e, p->sf, items, n, a, ids, names, f) : ERR_OK;
    p->t->reads += (n + LIMIT_COQL_IN - 1) / LIMIT_COQL_IN;
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        if (ids[i].n == 0) {
            account(p, fresh[i], a);
            continue;
        }
        p->t->waiting++;
        tell(p, "wait", fresh[i]->key_text, none, none, none, arena_printf(a, "people made it before: %.*s; it will wait for mlcd adopt", (int)ids[i].n, ids[i].p));
    }
    return err;
}

static enum err plan_rows(struct planning *p, const struct source_query *q, const struct source_page *page, struct fault *f)
{
    struct engine *e = p->e;
    struct derived **fresh = ARENA_ARRAY(&e->page, struct derived *, page->nrows + 1);
    size_t n = 0;
    for (size_t i = 0; i < page->nrows; i++) {
        struct arena_mark m = arena_mark(&e->page);
        struct derived *d = ARENA_NEW(&e->page, struct derived);
        enum err err = derive_row(e, p->sf, q, &page->rows[i], false, &e->page, d, f);
        if (err != ERR_OK) return err;
        p->t->rows++;
        if (is_new(p, d)) {
            fresh[n++] = d;
            continue;
        }
        account(p, d, &e->page);
        arena_release(&e->page, m);
    }
    return plan_new(p, fresh, n, f);
}

/* The cursor of one company, see poll.c: "company=cursor" lines. */
static struct str start_cursor(struct planning *p, const struct source_query *q, struct arena *a)
{
    struct flow_state st;
    if (p->e->o.full || !store_flow(p->e->store, p->sf->name, &st)) return (struct str){NULL, 0};
    struct str c = poll_cursor_of(st.cursor, q->company, a);
    return c;
}

static enum err plan_company(struct planning *p, const struct source_query *q, struct fault *f)
{
    struct engine *e = p->e;
    struct buf cursor = {0};
    struct arena own;
    arena_init(&own, 4096);
    buf_str(&cursor, start_cursor(p, q, &own));
    enum err err = ERR_OK;
    for (bool complete = false; !complete && err == ERR_OK;) {
        arena_reset(&e->page);
        struct source_page page = {0};
        err = source_of(p->sf, q)->sops->page(source_of(p->sf, q)->source, q, buf_view(&cursor), &e->page, &page, f);
        p->t->reads++;
        if (err == ERR_EXPIRED && cursor.n) {
            buf_clear(&cursor);
            err = ERR_OK;
            continue;
        }
        if (err == ERR_OK) err = plan_rows(p, q, &page, f);
        buf_clear(&cursor);
        buf_str(&cursor, page.next);
        complete = page.complete;
        progress_tell(e, p->sf, "planning");
    }
    buf_free(&cursor);
    arena_free(&own);
    return err;
}

/* Rows that are to be written already, and all rows when the spec is new. */
static enum err plan_known(void *arg, struct str key, const struct row *r)
{
    struct planning *p = arg;
    struct arena a;
    arena_init(&a, 0);
    struct derived d;
    struct fault ignored;
    if (derive_snapshot(p->e, p->sf, key, r, &a, &d, &ignored) == ERR_OK) {
        bool waits = r->state == ROW_DIRTY || r->state == ROW_RETRY;
        bool news = d.state != r->state || d.kind == DERIVE_WRITE || r->state == ROW_HELD;
        if (waits && d.kind == DERIVE_TOUCH) d.kind = DERIVE_WRITE;
        if (r->state == ROW_HELD && d.kind == DERIVE_SAME) {        /* vanished: nothing to derive, but there is what `on delete` sets */
            d.kind = DERIVE_LEAVE;
            d.state = r->state;
            d.flags = r->flags;
            d.wanted = r->wanted;
        }
        if (waits || (news && d.kind != DERIVE_TOUCH && d.kind != DERIVE_SAME)) account(p, &d, &a);
    }
    arena_free(&a);
    return ERR_OK;
}

/* How so many new records would go out, and what that costs. */
static void tell_load(struct planning *p, uint64_t records)
{
    char text[500], count[60];
    const struct str none = {NULL, 0};
    if (!load_estimate_text(p->sf, records, text, sizeof text)) return;
    snprintf(count, sizeof count, "%llu records", (unsigned long long)records);
    tell(p, "load", str_of(count), none, none, none, text);
}

enum err engine_plan(struct engine *e, void (*each)(void *ctx, const struct plan_change *c), void *ctx, struct plan_totals *t, struct fault *f)
{
    *t = (struct plan_totals){0};
    enum err err = ERR_OK;
    for (size_t i = 0; i < e->nflows && err == ERR_OK; i++) {
        uint64_t before = t->inserts;
        struct planning p = {e, &e->flows[i], each, ctx, t, 0};
        struct flow_state st;
        if (store_flow(e->store, p.sf->name, &st)) err = store_rows(e->store, st.id, (struct str){NULL, 0}, plan_known, &p, f);
        for (size_t q = 0; q < p.sf->nqueries && err == ERR_OK; q++) err = plan_company(&p, &p.sf->queries[q], f);
        if (err == ERR_OK) tell_load(&p, t->inserts - before);
        if (err == ERR_OK && store_flow(e->store, p.sf->name, &st) && fuse_limit(p.sf->fl, st.linked) < p.danger &&
            (p.sf->fl->fuse_count || p.sf->fl->fuse_percent))
            t->fuse_would_hold = true;
    }
    return err;
}
