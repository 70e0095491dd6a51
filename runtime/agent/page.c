/* page.c - a page of changed rows and a page of keys (facts/sage-100.md 9.3, 9.4).
 *
 * A page ends at `limit` rows and locked keys together, or earlier when it took page_seconds or grew to page_megabytes: a shorter page with
 * complete:false is as good, and one slow table cannot run into the reader's timeout. At least one row is tried in every page. */
#include "agent/private.h"
#include "value/json.h"

static bool limit_of(struct agent_core *c, const struct agent_request *q, int64_t standard, int64_t most, int64_t *limit, struct agent_answer *out)
{
    struct str text;
    *limit = standard;
    int there = agent__query(q->query, "limit", &c->scratch, &text);
    if (there == 0 || (there > 0 && str_to_i64(text, limit) && *limit >= 1 && *limit <= most)) return true;
    agent_fail(out, AGENT_E_BAD_REQUEST, str_of(arena_printf(&c->scratch, "limit must be a whole number from 1 to %d", (int)most)), 0);
    return false;
}

/* facts/sage-100.md 9.4 rule 5: at least 120 minutes within three hours of a change of the offset. */
static int64_t overlap_minutes(const struct agent_core *c, int64_t now_ms)
{
    const int64_t near_ms = 3 * 3600000;
    int now = c->host->offset_minutes(c->host->ctx, now_ms);
    bool change = c->host->offset_minutes(c->host->ctx, now_ms - near_ms) != now || c->host->offset_minutes(c->host->ctx, now_ms + near_ms) != now;
    return change && c->config->overlap_minutes < 120 ? 120 : c->config->overlap_minutes;
}

static bool pass_of(struct agent_core *c, int table, const struct agent__served *s, const struct agent_request *q, struct agent__cursor *at, struct agent_answer *out)
{
    struct str since;
    int there = agent__query(q->query, "since", &c->scratch, &since);
    memset(at, 0, sizeof *at);
    at->stamped = s->rows.stamped;
    enum agent__verdict v = there < 0 ? AGENT__CURSOR_MALFORMED : AGENT__CURSOR_OK;
    if (there > 0) v = agent__cursor_read(since, c->epoch, agent_tables[table].resource, at);
    if (v == AGENT__CURSOR_OK && at->stamped != s->rows.stamped) v = AGENT__CURSOR_EXPIRED;
    if (v == AGENT__CURSOR_MALFORMED) agent_fail(out, AGENT_E_BAD_REQUEST, STR("the cursor is malformed, or of another resource"), 0);
    if (v == AGENT__CURSOR_EXPIRED) agent_fail(out, AGENT_E_CURSOR_EXPIRED, STR("the cursor is of another epoch or format: run a full pass"), 0);
    if (v != AGENT__CURSOR_OK) return false;
    if (!at->mid) {
        at->as_of_ms = agent__wall(c);
        at->offset_minutes = c->host->offset_minutes(c->host->ctx, at->as_of_ms);
        at->ceiling = agent__position_of_local(at->as_of_ms + ((int64_t)at->offset_minutes - overlap_minutes(c, at->as_of_ms)) * 60000);
    }
    return true;
}

struct page { struct buf locked; int64_t nrows, nlocked; bool complete, broken; };

static void fill_page(struct agent_core *c, const struct agent__served *s, const struct agent__list *l, int64_t limit, struct agent__cursor *at, struct buf *rows,
                      struct page *p)
{
    int64_t began = agent__mono(c);
    size_t most = (size_t)c->config->page_megabytes << 20, i = agent__list_after(l, at->position, at->has_key, agent__key_view(&at->key)), first = i;
    for (; i < l->n && p->nrows + p->nlocked < limit; i++) {
        struct str key = {l->entry[i].key, l->entry[i].n};
        if (i > first && (rows->n > most || agent__mono(c) - began > c->config->page_seconds * 1000)) break;
        size_t before = rows->n;
        if (p->nrows) buf_byte(rows, ',');
        enum agent__got got = agent__row(c, s, key, rows);
        if (got == AGENT__GOT_BROKEN) {
            p->broken = true;
            return;
        }
        if (got == AGENT__GOT_ROW) p->nrows++;
        else rows->n = before;
        if (got == AGENT__GOT_LOCKED || got == AGENT__GOT_UNREADABLE) {
            if (p->nlocked++) buf_byte(&p->locked, ',');
            agent__key_json(&p->locked, key);
        }
        at->position = l->entry[i].position;
        agent__key_clear(&at->key);
        memcpy(at->key.b, key.p, key.n);
        at->key.n = (uint16_t)key.n;
        at->has_key = true;
    }
    p->complete = i == l->n && !l->cut;
}

/* facts/sage-100.md 9.4 rules 3 and 8: a new pass begins at the lower of the last position and the ceiling; without stamps from the beginning. */
static void end_pass(struct agent__cursor *at)
{
    at->mid = false;
    if (!at->stamped) {
        at->has_key = false;
        at->position = 0;
    } else if (at->position >= at->ceiling) {
        at->has_key = false;
        at->position = at->ceiling;
    }
}

static void put_text(struct buf *b, const char *text)
{
    if (*text) buf_printf(b, "\"%s\"", text);
    else buf_puts(b, "null");
}

static void high_water(struct buf *b, const struct agent__cursor *at)
{
    char date[16], time[16];
    if (!at->stamped || (!at->position && !at->has_key)) {
        buf_puts(b, ",\"highWater\":null");
        return;
    }
    agent__position_text(at->position, date, time);
    buf_puts(b, ",\"highWater\":{\"date\":");
    put_text(b, date);
    buf_puts(b, ",\"time\":");
    put_text(b, time);
    buf_byte(b, '}');
}

static void session_failed(struct agent_answer *out)
{
    agent_fail(out, AGENT_E_SESSION_FAILED, STR("Sage's process failed; the session is rebuilt"), 2);
    out->broken = true;
}

void agent__changed(struct agent_core *c, int table, const struct agent_request *q, struct agent_answer *out)
{
    struct agent__cursor at;
    struct page p = {.complete = false};
    struct buf *b = &out->body;
    char as_of[24];
    int64_t limit;
    const struct agent__served *s = agent__serve(c, table, out);
    if (!s || !limit_of(c, q, 250, LIMIT_PAGE_ROWS, &limit, out) || !pass_of(c, table, s, q, &at, out)) return;
    struct agent__list *l = agent__scan(c, table, &at, false, out);
    if (!l) return;
    buf_puts(b, "{\"rows\":[");
    fill_page(c, s, l, limit, &at, b, &p);
    if (p.broken) {
        session_failed(out);
        buf_free(&p.locked);
        return;
    }
    at.mid = true;
    if (p.complete) end_pass(&at);
    agent__time_text(at.as_of_ms, true, as_of);
    buf_puts(b, "],\"locked\":[");
    buf_put(b, p.locked.p, p.locked.n);
    buf_puts(b, "],\"next\":\"");
    agent__cursor_write(b, &at, c->epoch, agent_tables[table].resource);
    buf_printf(b, "\",\"complete\":%s,\"epoch\":", p.complete ? "true" : "false");
    json_put_string(b, c->epoch);
    high_water(b, &at);
    buf_printf(b, ",\"asOf\":\"%s\",\"tzOffsetMinutes\":%d}", as_of, at.offset_minutes);
    buf_free(&p.locked);
}

void agent__keys(struct agent_core *c, int table, const struct agent_request *q, struct agent_answer *out)
{
    struct agent__cursor at = {.as_of_ms = agent__wall(c)};
    struct buf *b = &out->body, next = {0};
    struct str after;
    char as_of[24];
    int64_t limit;
    if (!limit_of(c, q, 5000, LIMIT_PAGE_KEYS, &limit, out)) return;
    int there = agent__query(q->query, "after", &c->scratch, &after);
    if (there < 0 || (there > 0 && !agent__key_of_text(&at.key, after, agent_tables[table].nkeys))) {
        agent_fail(out, AGENT_E_BAD_REQUEST, STR("after: not a key of this resource"), 0);
        return;
    }
    at.has_key = there > 0;
    struct agent__list *l = agent__scan(c, table, &at, true, out);
    if (!l) return;
    size_t i = agent__list_after(l, 0, at.has_key, agent__key_view(&at.key)), end = l->n - i > (size_t)limit ? i + (size_t)limit : l->n;
    bool complete = end == l->n && !l->cut;
    buf_puts(b, "{\"keys\":[");
    for (size_t k = i; k < end; k++) {
        if (k > i) buf_byte(b, ',');
        agent__key_json(b, (struct str){l->entry[k].key, l->entry[k].n});
    }
    buf_puts(b, "],\"next\":");
    if (complete) buf_puts(b, "null");
    else {
        agent__key_text(&next, end > i ? (struct str){l->entry[end - 1].key, l->entry[end - 1].n} : agent__key_view(&at.key));
        json_put_string(b, buf_view(&next));
    }
    buf_free(&next);
    agent__time_text(l->as_of_ms, true, as_of);
    buf_printf(b, ",\"complete\":%s,\"epoch\":", complete ? "true" : "false");
    json_put_string(b, c->epoch);
    buf_printf(b, ",\"asOf\":\"%s\"}", as_of);
}
