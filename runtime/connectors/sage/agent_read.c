/* agent_read.c - the three questions of a sync over the agent: changed rows, rows by key, all keys (facts/sage-100.md 9.3, 9.4, 9.6).
 *
 *   page   cursor checked (never read) -> GET -> rows, locked, next; an answer too large is asked for again in halves
 *   fetch  one key: GET (404 not_found = missing, 423 = locked); more: batchGet, every key in exactly one list or the answer is void,
 *          and every missing one confirmed by GET
 *   keys   GET .../keys -> strictly ascending behind `after`, with the epoch of the page
 *
 * A 423 may carry retryAfter: until then the key counts as locked without a call (9.7: never sooner). */
#include "connectors/sage/sage.h"
#include "base/check.h"
#include "value/json.h"
#include <stdio.h>

#define STILL_MAX 3

/* ---- changed rows ---- */

static unsigned rows_wanted(const struct source *s, const struct source_query *q)
{
    unsigned n = q->page_rows ? q->page_rows : s->set.page_rows;
    return n > LIMIT_PAGE_ROWS ? LIMIT_PAGE_ROWS : n;
}

static enum err one_page(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str cursor, unsigned limit,
                         struct arena *a, struct source_page *out, struct fault *f)
{
    struct sage_agent_reply reply;
    const char *base = sage100__agent_path(a, q->company, e);
    const char *path = cursor.n ? arena_printf(a, "%s?since=%.*s&limit=%u", base, (int)cursor.n, cursor.p, limit) : arena_printf(a, "%s?limit=%u", base, limit);
    enum err err = sage100__agent_call(s, "agent page", "GET", path, (struct str){"", 0}, NULL, a, &reply, f);
    if (err != ERR_OK) return err;
    err = sage100__agent_json(AGENT_PAGE, q, e->nkeys, reply.res.body, limit, a, out, f);
    if (err != ERR_OK) return fault_prefix(f, "source %s, %s", s->env.state_name, e->table);
    return ERR_OK;
}

/* No rows, not complete, the same position again: allowed once or twice (rows gone in between), but it must not go round for ever. */
static bool stands_still(const struct source_page *p, struct str position)
{
    return !p->complete && p->nrows + p->nlocked == 0 && str_eq(p->next, position);
}

enum err sage100__agent_page(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str cursor, struct arena *a,
                          struct source_page *out, struct fault *f)
{
    if (cursor.n && (!sage100__agent_cursor_ok(cursor) || str_starts(cursor, STR(SAGE_OWN_CURSOR))))
        return fault_set(f, ERR_EXPIRED, "source %s, %s: the stored cursor is none of the agent's: a full pass is needed", s->env.state_name, e->table);
    unsigned limit = rows_wanted(s, q);
    for (unsigned still = 0; still < STILL_MAX;) {
        struct arena_mark m = arena_mark(a);
        enum err err = one_page(s, e, q, cursor, limit, a, out, f);
        if (err == ERR_TOO_LARGE && limit > 1) limit = (limit + 1) / 2;
        else if (err == ERR_OK && stands_still(out, cursor)) still++;
        else return err;
        arena_release(a, m);
    }
    return fault_set(f, ERR_PROTOCOL, "source %s, %s: agent: member \"next\": the pass does not move: no rows, not complete, the same cursor %d times",
                     s->env.state_name, e->table, STILL_MAX);
}

/* ---- keys that the agent told us to leave alone for a while ---- */

static struct hash held_name(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct source_key *k)
{
    struct arena_mark m = arena_mark(&s->scratch);
    const char *text = arena_printf(&s->scratch, "%.*s %s %s", (int)q->company.n, q->company.p, e->table, sage100__key_print(&s->scratch, k));
    struct hash h = hash_of(str_of(text));
    arena_release(&s->scratch, m);
    return h;
}

static bool held_back(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct source_key *k)
{
    int64_t now = world_mono_ms(s->env.world);
    bool any = false;
    for (size_t i = 0; i < SAGE_HELD; i++) any = any || s->held[i].until_ms > now;
    if (!any) return false;
    struct hash h = held_name(s, e, q, k);
    for (size_t i = 0; i < SAGE_HELD; i++)
        if (s->held[i].until_ms > now && hash_eq(&s->held[i].key, &h)) return true;
    return false;
}

static void hold_back(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct source_key *k, int64_t ms)
{
    if (ms <= 0) return;
    struct sage_held *h = &s->held[s->held_next++ % SAGE_HELD];
    *h = (struct sage_held){held_name(s, e, q, k), world_mono_ms(s->env.world) + ms};
}

/* ---- one row ---- */

static enum err fetch_one(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct source_key *k, struct arena *a,
                          struct source_page *out, struct fault *f)
{
    struct buf path = {0};
    buf_printf(&path, "%s/", sage100__agent_path(a, q->company, e));
    for (size_t i = 0; i < k->n; i++) {
        if (i) buf_byte(&path, '~');
        net_url_encode(&path, k->part[i]);
    }
    const char *text = arena_copy(a, path.p, path.n);
    buf_free(&path);
    struct sage_agent_reply reply;
    struct source_page page = {0};
    enum err err = sage100__agent_call(s, "agent row", "GET", text, (struct str){"", 0}, NULL, a, &reply, f);
    if (err == ERR_NOT_FOUND) out->missing[out->nmissing++] = *k;
    else if (err == ERR_LOCKED) {
        out->locked[out->nlocked++] = *k;
        hold_back(s, e, q, k, reply.retry_after_ms);
    } else if (err != ERR_OK) return err;
    else {
        err = sage100__agent_json(AGENT_ROW, q, e->nkeys, reply.res.body, 1, a, &page, f);
        if (err != ERR_OK) return fault_prefix(f, "source %s, %s", s->env.state_name, e->table);
        if (!sage100__key_eq(&page.rows[0].key, k))
            return fault_set(f, ERR_PROTOCOL, "source %s, %s: agent: row: member \"key\": another record came than the one asked for", s->env.state_name, e->table);
        out->rows[out->nrows++] = page.rows[0];
    }
    return ERR_OK;
}

/* ---- batchGet ---- */

static struct str batch_body(const struct source_key *keys, size_t n, struct arena *a)
{
    struct buf b = {0};
    buf_puts(&b, "{\"keys\":[");
    for (size_t i = 0; i < n; i++) {
        buf_puts(&b, i ? ",[" : "[");
        for (size_t j = 0; j < keys[i].n; j++) {
            if (j) buf_byte(&b, ',');
            json_put_string(&b, keys[i].part[j]);
        }
        buf_byte(&b, ']');
    }
    buf_puts(&b, "]}");
    struct str body = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return body;
}

struct taking { struct source *s; const struct sage_entity *e; struct sage_key_set set; struct source_page *out; struct fault *f; };

/* The asked-for key that the answer names in `list`; NULL and a fault when it is foreign or named a second time. */
static const struct source_key *take(struct taking *t, const struct source_key *k, const char *list)
{
    size_t i = sage100__key_find(&t->set, k);
    const char *problem = i == SIZE_MAX ? "holds a key that was not asked for" : t->set.seen[i] ? "holds a key that the answer has named already" : NULL;
    if (problem) {
        fault_set(t->f, ERR_PROTOCOL, "source %s, %s: agent: batchGet: member \"%s\": %s", t->s->env.state_name, t->e->table, list, problem);
        return NULL;
    }
    t->set.seen[i] = 1;
    return &t->set.keys[i];
}

static enum err sort_out(struct taking *t, const struct source_page *page)
{
    const struct source_key *k;
    for (size_t i = 0; i < page->nrows; i++) {
        if (!(k = take(t, &page->rows[i].key, "rows"))) return ERR_PROTOCOL;
        t->out->rows[t->out->nrows++] = page->rows[i];
    }
    for (size_t i = 0; i < page->nlocked; i++) {
        if (!(k = take(t, &page->locked[i], "locked"))) return ERR_PROTOCOL;
        t->out->locked[t->out->nlocked++] = *k;
    }
    for (size_t i = 0; i < page->nmissing; i++) {
        if (!(k = take(t, &page->missing[i], "missing"))) return ERR_PROTOCOL;
        t->out->missing[t->out->nmissing++] = *k;
    }
    for (size_t i = 0; i < t->set.n; i++)
        if (!t->set.seen[i])
            return fault_set(t->f, ERR_PROTOCOL, "source %s, %s: agent: batchGet: member \"missing\": a key asked for is in no list", t->s->env.state_name, t->e->table);
    return ERR_OK;
}

/* "keys" is a reserved path segment (9.2), and dots alone are eaten by every URL parser on the way: such rows are read by batchGet. */
static bool reserved(const struct source_key *k)
{
    return k->n == 1 && (str_is(k->part[0], "keys") || str_is(k->part[0], ".") || str_is(k->part[0], ".."));
}

/* A key with a blank first or only part makes an empty path segment. */
static bool by_get(const struct source_key *k)
{
    size_t bytes = 0;
    for (size_t i = 0; i < k->n; i++) bytes += k->part[i].n;
    return bytes > 0 && !reserved(k);
}

/* Absence leads to a deletion, so batchGet's word is not enough: each such key is asked for alone (9.6). */
static enum err confirm_missing(struct source *s, const struct sage_entity *e, const struct source_query *q, size_t from, struct arena *a,
                                struct source_page *out, struct fault *f)
{
    size_t n = out->nmissing;
    out->nmissing = from;
    for (size_t i = from; i < n; i++) {
        struct source_key k = out->missing[i];
        if (!by_get(&k)) out->missing[out->nmissing++] = k;
        else {
            enum err err = fetch_one(s, e, q, &k, a, out, f);
            if (err != ERR_OK) return err;
        }
    }
    return ERR_OK;
}

static enum err fetch_batch(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct source_key *keys, size_t n,
                            struct arena *a, struct source_page *out, struct fault *f)
{
    struct sage_agent_reply reply;
    struct source_page page;
    const char *path = arena_printf(a, "%s:batchGet", sage100__agent_path(a, q->company, e));
    enum err err = sage100__agent_call(s, "agent batchGet", "POST", path, batch_body(keys, n, a), NULL, a, &reply, f);
    if (err != ERR_OK) return err;
    err = sage100__agent_json(AGENT_BATCH, q, e->nkeys, reply.res.body, n, a, &page, f);
    if (err != ERR_OK) return fault_prefix(f, "source %s, %s", s->env.state_name, e->table);
    struct taking t = {s, e, {0}, out, f};
    size_t from = out->nmissing;
    sage100__key_set(&t.set, keys, n, a);
    err = sort_out(&t, &page);
    return err == ERR_OK ? confirm_missing(s, e, q, from, a, out, f) : err;
}

static enum err fetch_all(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct source_key *keys, size_t n,
                          struct arena *a, struct source_page *out, struct fault *f)
{
    if (n == 1 && by_get(&keys[0])) return fetch_one(s, e, q, &keys[0], a, out, f);
    for (size_t from = 0, chunk = n; from < n;) {
        size_t now = n - from < chunk ? n - from : chunk;
        struct arena_mark m = arena_mark(a);
        const struct source_page before = *out;
        enum err err = fetch_batch(s, e, q, keys + from, now, a, out, f);
        if (err == ERR_TOO_LARGE && now > 1) {
            *out = before;                       /* it may have been a record of it, asked for alone, when the others were told already */
            arena_release(a, m);
            chunk = (now + 1) / 2;
            continue;
        }
        if (err != ERR_OK) return err;
        from += now;
    }
    return ERR_OK;
}

enum err sage100__agent_fetch(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct source_key *keys, size_t nkeys,
                           struct arena *a, struct source_page *out, struct fault *f)
{
    struct sage_key_set unique;
    out->rows = ARENA_ARRAY(a, struct source_row, nkeys + 1);
    out->locked = ARENA_ARRAY(a, struct source_key, nkeys + 1);
    out->missing = ARENA_ARRAY(a, struct source_key, nkeys + 1);
    struct source_key *ask = ARENA_ARRAY(a, struct source_key, nkeys + 1);
    size_t n = 0;
    sage100__key_set(&unique, keys, nkeys, a);
    for (size_t i = 0; i < nkeys; i++) {
        if (sage100__key_find(&unique, &keys[i]) != i) continue;      /* asked twice: once is enough */
        if (held_back(s, e, q, &keys[i])) out->locked[out->nlocked++] = keys[i];
        else ask[n++] = keys[i];
    }
    return n ? fetch_all(s, e, q, ask, n, a, out, f) : ERR_OK;
}

/* ---- keys ---- */

static enum err one_key_page(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str after, struct arena *a,
                             struct source_page *out, struct fault *f)
{
    struct buf path = {0};
    struct sage_agent_reply reply;
    buf_printf(&path, "%s/keys?", sage100__agent_path(a, q->company, e));
    if (after.n) {
        buf_puts(&path, "after=");
        net_url_encode(&path, after);
        buf_byte(&path, '&');
    }
    buf_printf(&path, "limit=%d", SAGE_KEYS_PAGE);
    const char *text = arena_copy(a, path.p, path.n);
    buf_free(&path);
    enum err err = sage100__agent_call(s, "agent keys", "GET", text, (struct str){"", 0}, NULL, a, &reply, f);
    if (err != ERR_OK) return err;
    err = sage100__agent_json(AGENT_KEYS, q, e->nkeys, reply.res.body, SAGE_KEYS_PAGE, a, out, f);
    return err == ERR_OK ? ERR_OK : fault_prefix(f, "source %s, %s", s->env.state_name, e->table);
}

enum err sage100__agent_keys(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str after, struct arena *a,
                             struct source_page *out, struct fault *f)
{
    const char *problem = NULL;
    for (unsigned still = 0; still < STILL_MAX; still++) {
        enum err err = one_key_page(s, e, q, after, a, out, f);
        if (err != ERR_OK) return err;
        if (!stands_still(out, after)) break;
    }
    for (size_t i = 1; i < out->nrows && !problem; i++)
        if (sage100__key_cmp(&out->rows[i - 1].key, &out->rows[i].key) >= 0) problem = "keys are not in ascending order";
    if (out->nrows && after.n && str_eq(str_of(sage100__key_print(a, &out->rows[0].key)), after)) problem = "the page does not start behind `after`";
    if (!out->complete && str_eq(out->next, after)) problem = "the sweep does not move";
    if (problem) return fault_set(f, ERR_PROTOCOL, "source %s, %s: agent: keys: member \"keys\": %s", s->env.state_name, e->table, problem);
    if (out->complete) out->next = (struct str){"", 0};
    return ERR_OK;
}
