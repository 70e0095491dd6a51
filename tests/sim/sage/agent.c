/*
 * agent.c: the endpoints of agent protocol v1, facts/sage-100.md 9.3 to 9.7.
 *
 *     route    path -> endpoint, company and resource by name, key (segments split before they are decoded)
 *     answer   token -> company opens -> resource -> task access -> endpoint
 *
 * Pages of changed rows: no list is kept between pages; each page walks on from the cursor over the rows that exist at
 * that moment, which is the harsher of the two ways that 9.5 allows.
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

enum { SEGMENTS_MAX = 6 };

struct agent_path {
    char *segments[SEGMENTS_MAX]; // decoded, heap
    size_t lengths[SEGMENTS_MAX];
    size_t n;
    bool batch;
};

static const struct {
    int status;
    const char *code;
    bool retryable;
} errors[SAGE_ERRORS] = {
#define SAGE_ERROR(id, status, code, retryable) {status, code, retryable},
#include "errors.def"
#undef SAGE_ERROR
};

int sage__error_find(const char *code)
{
    for (int i = 0; i < SAGE_ERRORS; i++)
        if (strcmp(errors[i].code, code) == 0)
            return i;
    return -1;
}

void sage__agent_error(struct sage_call *call, enum sage_error e, const char *message, int retry_after_s)
{
    struct sage_buf b = {0};
    sage__putf(&b, "{\"error\":{\"code\":\"%s\",\"message\":", errors[e].code);
    sage__put_json(&b, message, strlen(message));
    sage__putf(&b, ",\"retryable\":%s", errors[e].retryable ? "true" : "false");
    if (retry_after_s > 0)
        sage__putf(&b, ",\"retryAfter\":%d", retry_after_s);
    sage__render_unknown(&b, call->unknown);
    sage__puts(&b, "}}");
    call->resp->status = errors[e].status;
    sim_response_body(call->resp, b.p, b.len, "application/json; charset=utf-8");
    free(b.p);
}

static void reply(struct sage_call *call, struct sage_buf *b)
{
    sage__render_unknown(b, call->unknown);
    sage__puts(b, "}");
    call->resp->status = 200;
    sim_response_body(call->resp, b->p, b->len, "application/json; charset=utf-8");
    free(b->p);
}

static void path_free(struct agent_path *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->segments[i]);
}

// "/v1/a/b" -> a, b. False: too many segments or an empty one.
static bool path_split(const char *path, struct agent_path *p)
{
    memset(p, 0, sizeof *p);
    if (strncmp(path, "/v1/", 4) != 0)
        return false;
    for (path += 4;;) {
        size_t len = strcspn(path, "/");
        if (!len || p->n == SEGMENTS_MAX)
            return false;
        p->segments[p->n] = sim_percent_decode(path, len, 0, &p->lengths[p->n]);
        p->n++;
        if (!path[len])
            break;
        path += len + 1;
    }
    if (p->n == 3 && strcmp(p->segments[0], "companies") == 0) {
        char *colon = strrchr(p->segments[2], ':');
        if (colon && strcmp(colon, ":batchGet") == 0) {
            *colon = 0;
            p->batch = true;
        }
    }
    return true;
}

static enum sage_endpoint endpoint_of(const struct agent_path *p, const char *method)
{
    bool get = strcmp(method, "GET") == 0;
    if (p->n == 3 && p->batch)
        return strcmp(method, "POST") == 0 ? SAGE_AT_BATCH : SAGE_AT_AGENT_OTHER;
    if (!get || !p->n)
        return SAGE_AT_AGENT_OTHER;
    if (p->n == 1 && strcmp(p->segments[0], "health") == 0)
        return SAGE_AT_HEALTH;
    if (strcmp(p->segments[0], "companies") != 0)
        return SAGE_AT_AGENT_OTHER;
    switch (p->n) {
    case 1: return SAGE_AT_COMPANIES;
    case 3: return SAGE_AT_CHANGED;
    case 4:
        if (strcmp(p->segments[2], "schema") == 0)
            return SAGE_AT_SCHEMA;
        return strcmp(p->segments[3], "keys") == 0 ? SAGE_AT_KEYS : SAGE_AT_ROW;
    default: return SAGE_AT_AGENT_OTHER;
    }
}

void sage__agent_route(struct sage_call *call)
{
    struct agent_path p;
    call->at = path_split(call->path, &p) ? endpoint_of(&p, call->req->method) : SAGE_AT_AGENT_OTHER;
    path_free(&p);
}

static bool token_fits(const struct sage_call *call)
{
    const char *given = sim_request_header(call->req, "Authorization");
    return given && strncmp(given, "Bearer ", 7) == 0 && strcmp(given + 7, call->sim->opt.token) == 0;
}

static void health(struct sage_call *call)
{
    struct sage_sim *s = call->sim;
    struct sage_buf b = {0};
    struct sage_local l;
    char utc[32];
    int offset = sage__zone_offset(&s->zone, call->now_ms), n = 0;
    sage__utc_text(call->now_ms, utc);
    sage__civil(call->now_ms + (int64_t)offset * 60000, &l);
    sage__putf(&b, "{\"protocol\":1,\"agent\":\"1.0.0\",\"bitness\":64,\"sage\":\"7.30\",\"clock\":{\"utc\":\"%s\",\"local\":"
                   "\"%04d-%02d-%02dT%02d:%02d:%02d\",\"tzOffsetMinutes\":%d},\"queue\":%d,\"companies\":[",
               utc, l.year, l.month, l.day, l.hour, l.minute, l.second, offset, s->queue);
    for (size_t i = 0; i < s->ncompanies; i++) {
        const struct sage_company *c = s->companies[i];
        int64_t age_s = (call->now_ms - c->session_ms) / 1000 % 14400; // sessions are rebuilt after four hours
        sage__putf(&b, "%s{\"code\":\"%s\",\"opens\":%s,\"sessionAgeSeconds\":%lld,\"lastError\":", i ? "," : "", c->code,
                   c->opens ? "true" : "false", (long long)(age_s < 0 ? 0 : age_s));
        c->last_error ? sage__put_json(&b, c->last_error, strlen(c->last_error)) : sage__puts(&b, "null");
        sage__puts(&b, "}");
    }
    sage__puts(&b, "],\"scans\":[");
    for (size_t i = 0; i < s->ncompanies; i++)
        for (int k = 0; k < SAGE_RESOURCES; k++) {
            const struct sage_resource *r = &s->companies[i]->res[k];
            if (!r->scan_ms)
                continue;
            sage__utc_text(r->scan_ms, utc);
            sage__putf(&b, "%s{\"company\":\"%s\",\"resource\":\"%s\",\"lastSuccess\":\"%s\",\"rows\":%llu,\"seconds\":0.1}", n++ ? "," : "",
                       s->companies[i]->code, r->layout->table->resource, utc, (unsigned long long)r->scan_rows);
        }
    sage__puts(&b, "]");
    reply(call, &b);
}

static void companies(struct sage_call *call)
{
    struct sage_buf b = {0};
    sage__puts(&b, "{\"companies\":[");
    for (size_t i = 0; i < call->sim->ncompanies; i++) {
        const struct sage_company *c = call->sim->companies[i];
        int n = 0;
        sage__putf(&b, "%s{\"code\":\"%s\",\"name\":", i ? "," : "", c->code);
        sage__put_json(&b, c->name, strlen(c->name));
        sage__putf(&b, ",\"opens\":%s,\"epoch\":\"%s\",\"resources\":[", c->opens ? "true" : "false", c->epoch);
        for (int k = 0; k < SAGE_RESOURCES; k++)
            if (sage__tables[k].resource && !c->res[k].lacking)
                sage__putf(&b, "%s\"%s\"", n++ ? "," : "", sage__tables[k].resource);
        sage__puts(&b, "]");
        sage__render_unknown(&b, call->unknown);
        sage__puts(&b, "}");
    }
    sage__puts(&b, "]");
    reply(call, &b);
}

// A whole number within 1..max. Absent: the default. False: bad_request was answered.
static bool limit_of(struct sage_call *call, long max, long standard, long *limit)
{
    char *text = sage__query(call, "limit", NULL), *end = NULL;
    *limit = text ? strtol(text, &end, 10) : standard;
    bool good = !text || (text[0] >= '0' && text[0] <= '9' && !*end && *limit >= 1 && *limit <= max);
    if (!good)
        sage__agent_error(call, SAGE_ERR_BAD_REQUEST, "limit out of range", 0);
    free(text);
    if (call->sim->page_cap && *limit > call->sim->page_cap)
        *limit = call->sim->page_cap;
    if (call->rule && call->rule->kind == SAGE_IS_SHORT_PAGE)
        *limit = 1;
    return good;
}

// facts/sage-100.md 9.4 rule 5: at least 120 minutes within three hours of a change of the offset.
static int overlap_at(const struct sage_sim *s, int64_t utc_ms)
{
    const int64_t three_hours = 3 * 3600000;
    int now = sage__zone_offset(&s->zone, utc_ms), overlap = s->opt.overlap_minutes;
    bool change = sage__zone_offset(&s->zone, utc_ms - three_hours) != now || sage__zone_offset(&s->zone, utc_ms + three_hours) != now;
    return change && overlap < 120 ? 120 : overlap;
}

// Where the pass stands: out of the cursor, or a new pass that starts now. False: an error was answered.
static bool pass_of(struct sage_call *call, const struct sage_resource *r, struct sage_cursor *c)
{
    size_t len;
    char *since = sage__query(call, "since", &len);
    memset(c, 0, sizeof *c);
    c->audit = !r->no_audit;
    if (since) {
        enum sage_cursor_verdict verdict = sage__cursor_read(r, since, len, c);
        free(since);
        if (verdict == SAGE_CURSOR_MALFORMED)
            sage__agent_error(call, SAGE_ERR_BAD_REQUEST, "malformed cursor, or of another resource", 0);
        else if (verdict == SAGE_CURSOR_EXPIRED)
            sage__agent_error(call, SAGE_ERR_CURSOR_EXPIRED, "cursor of another epoch or format", 0);
        if (verdict != SAGE_CURSOR_OK)
            return false;
    }
    if (!c->mid) {
        c->as_of_ms = call->now_ms;
        c->offset_minutes = sage__zone_offset(&call->sim->zone, call->now_ms);
        int64_t wall = call->now_ms + (int64_t)c->offset_minutes * 60000;
        c->ceiling = sage__position_of_ms(wall - (int64_t)overlap_at(call->sim, call->now_ms) * 60000);
    }
    return true;
}

struct page {
    struct sage_buf rows;
    struct sage_buf locked;
    long nrows, nlocked;
    bool complete;
};

// Fills a page and moves the cursor to its last row.
static void walk(struct sage_call *call, struct sage_resource *r, long limit, struct sage_cursor *c, struct page *page)
{
    struct sage_row *row = sage__alloc(sizeof *row);
    struct sage_iter it;
    struct sage_hit hit;
    if (c->audit)
        sage__view_after(r, c->position, c->has_key ? &c->key : NULL, &it);
    else
        sage__view_after_key(r, c->has_key ? &c->key : NULL, &it);
    page->complete = true;
    while (sage__view_next(&it, false, &hit)) {
        if (page->nrows + page->nlocked == limit) {
            page->complete = false;
            break;
        }
        if (sage__view_locked(r, &hit)) {
            sage__puts(&page->locked, page->nlocked++ ? "," : "");
            sage__key_json(&page->locked, &hit.key, 0);
        } else {
            sage__puts(&page->rows, page->nrows++ ? "," : "");
            sage__view_row(r, &hit, row);
            sage__render_row(&page->rows, r, row, call->unknown);
        }
        c->position = c->audit ? hit.position : 0;
        c->key = hit.key;
        c->has_key = true;
    }
    free(row);
}

// facts/sage-100.md 9.4 rule 3: the next pass starts at the lower of the last position and the ceiling.
static void cursor_ends_pass(struct sage_cursor *c)
{
    if (!c->audit) {
        c->has_key = false;
        c->position = 0;
    } else if (c->position >= c->ceiling) {
        c->has_key = false;
        c->position = c->ceiling;
    }
    c->mid = false;
}

static void high_water(struct sage_buf *b, const struct sage_cursor *c)
{
    char date[16], time[16];
    if (!c->audit || (!c->position && !c->has_key)) {
        sage__puts(b, ",\"highWater\":null");
        return;
    }
    sage__position_text(c->position, date, time);
    sage__putf(b, *date ? ",\"highWater\":{\"date\":\"%s\"" : ",\"highWater\":{\"date\":null%s", date);
    sage__putf(b, *time ? ",\"time\":\"%s\"}" : ",\"time\":null%s}", time);
}

static void changed(struct sage_call *call, struct sage_resource *r)
{
    struct sage_cursor c;
    struct page page = {0};
    struct sage_buf b = {0};
    char next[SAGE_CURSOR_MAX + 1], as_of[32];
    long limit;
    if (!limit_of(call, 1000, 250, &limit) || !pass_of(call, r, &c))
        return;
    if (!call->rule || call->rule->kind != SAGE_IS_EMPTY_PAGE)
        walk(call, r, limit, &c, &page);
    c.mid = true;
    if (page.complete)
        cursor_ends_pass(&c);
    sage__cursor_write(r, &c, next);
    sage__utc_text(c.as_of_ms, as_of);
    sage__puts(&b, "{\"rows\":[");
    sage__put(&b, page.rows.p, page.rows.len);
    sage__puts(&b, "],\"locked\":[");
    sage__put(&b, page.locked.p, page.locked.len);
    sage__putf(&b, "],\"next\":\"%s\",\"complete\":%s,\"epoch\":\"%s\"", next, page.complete ? "true" : "false", r->company->epoch);
    high_water(&b, &c);
    sage__putf(&b, ",\"asOf\":\"%s\",\"tzOffsetMinutes\":%d", as_of, c.offset_minutes);
    call->sim->counters[call->at].rows += (uint64_t)page.nrows;
    call->sim->counters[call->at].locked += (uint64_t)page.nlocked;
    r->scan_ms = call->now_ms;
    r->scan_rows = c.audit ? r->nby_position : r->count;
    reply(call, &b);
    free(page.rows.p);
    free(page.locked.p);
}

static void keys(struct sage_call *call, struct sage_resource *r)
{
    struct sage_buf b = {0};
    struct sage_key after, last;
    struct sage_iter it;
    struct sage_hit hit;
    char as_of[32];
    long limit, n = 0;
    bool complete = true, has_after = false;
    if (!limit_of(call, 10000, 5000, &limit))
        return;
    size_t len;
    char *text = sage__query(call, "after", &len);
    if (text) {
        has_after = sage__key_parse(&after, text, len, r->layout->table->nparts);
        free(text);
        if (!has_after) {
            sage__agent_error(call, SAGE_ERR_BAD_REQUEST, "malformed key in after", 0);
            return;
        }
        last = after;
    }
    sage__view_after_key(r, has_after ? &after : NULL, &it);
    sage__puts(&b, "{\"keys\":[");
    bool empty_page = call->rule && call->rule->kind == SAGE_IS_EMPTY_PAGE && has_after;
    complete = !empty_page;
    while (!empty_page && sage__view_next(&it, false, &hit)) {
        if (n == limit) {
            complete = false;
            break;
        }
        sage__puts(&b, n++ ? "," : "");
        sage__key_json(&b, &hit.key, 0);
        last = hit.key;
    }
    sage__puts(&b, "],\"next\":");
    if (complete) {
        sage__puts(&b, "null");
    } else {
        char *next = sage__key_text(&last);
        sage__put_json(&b, next, strlen(next));
        free(next);
    }
    sage__utc_text(call->now_ms, as_of);
    sage__putf(&b, ",\"complete\":%s,\"epoch\":\"%s\",\"asOf\":\"%s\"", complete ? "true" : "false", r->company->epoch, as_of);
    call->sim->counters[call->at].rows += (uint64_t)n;
    reply(call, &b);
}

static void one_row(struct sage_call *call, struct sage_resource *r, const char *text, size_t len)
{
    struct sage_key key;
    struct sage_hit hit;
    if (!sage__key_parse(&key, text, len, r->layout->table->nparts)) {
        sage__agent_error(call, SAGE_ERR_BAD_REQUEST, "the key has too few parts or is too long", 0);
        return;
    }
    if (!sage__view_find(r, &key, false, &hit)) {
        sage__agent_error(call, SAGE_ERR_NOT_FOUND, "The record was not found.", 0);
        return;
    }
    if (sage__view_locked(r, &hit)) {
        call->sim->counters[call->at].locked++;
        sage__agent_error(call, SAGE_ERR_LOCKED, "The record is in use by another user.", 5);
        return;
    }
    struct sage_row *row = sage__alloc(sizeof *row);
    struct sage_buf b = {0};
    sage__view_row(r, &hit, row);
    sage__render_row(&b, r, row, call->unknown);
    free(row);
    call->sim->counters[call->at].rows++;
    b.len--; // reply closes the brace
    call->unknown = false;
    reply(call, &b);
}

static bool batch_key(const json_t *parts, int nparts, struct sage_key *key)
{
    if (!json_is_array(parts) || json_array_size(parts) != (size_t)nparts)
        return false;
    sage__key_start(key);
    for (size_t i = 0; i < (size_t)nparts; i++) {
        const json_t *part = json_array_get(parts, i);
        if (!json_is_string(part) || !sage__key_add(key, json_string_value(part), json_string_length(part)))
            return false;
    }
    return true;
}

struct batch {
    struct sage_buf rows, missing, locked;
    long nrows, nmissing, nlocked;
};

static void batch_one(struct sage_call *call, struct sage_resource *r, const struct sage_key *key, struct sage_row *row, struct batch *out)
{
    struct sage_hit hit;
    if (!sage__view_find(r, key, false, &hit)) {
        sage__puts(&out->missing, out->nmissing++ ? "," : "");
        sage__key_json(&out->missing, key, 0);
    } else if (sage__view_locked(r, &hit)) {
        sage__puts(&out->locked, out->nlocked++ ? "," : "");
        sage__key_json(&out->locked, key, 0);
    } else {
        sage__puts(&out->rows, out->nrows++ ? "," : "");
        sage__view_row(r, &hit, row);
        sage__render_row(&out->rows, r, row, call->unknown);
    }
}

static void batch_reply(struct sage_call *call, struct batch *out)
{
    struct sage_buf b = {0};
    char as_of[32];
    sage__utc_text(call->now_ms, as_of);
    sage__puts(&b, "{\"rows\":[");
    sage__put(&b, out->rows.p, out->rows.len);
    sage__puts(&b, "],\"missing\":[");
    sage__put(&b, out->missing.p, out->missing.len);
    sage__puts(&b, "],\"locked\":[");
    sage__put(&b, out->locked.p, out->locked.len);
    sage__putf(&b, "],\"asOf\":\"%s\"", as_of);
    call->sim->counters[call->at].rows += (uint64_t)out->nrows;
    call->sim->counters[call->at].locked += (uint64_t)out->nlocked;
    reply(call, &b);
}

static void batch_get(struct sage_call *call, struct sage_resource *r)
{
    json_t *body = call->req->body_len ? json_loadb(call->req->body, call->req->body_len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *list = json_object_get(body, "keys");
    size_t n = json_array_size(list);
    struct sage_key *wanted = sage__alloc((n + 1) * sizeof *wanted);
    bool good = json_is_array(list) && n >= 1 && n <= 250;
    for (size_t i = 0; good && i < n; i++)
        good = batch_key(json_array_get(list, i), r->layout->table->nparts, &wanted[i]);
    if (good) {
        struct batch out = {0};
        struct sage_row *row = sage__alloc(sizeof *row);
        for (size_t i = 0; i < n; i++) {
            bool again = false; // a key asked for twice is answered once
            for (size_t k = 0; k < i && !again; k++)
                again = sage__key_cmp(&wanted[k], &wanted[i]) == 0;
            if (!again)
                batch_one(call, r, &wanted[i], row, &out);
        }
        batch_reply(call, &out);
        free(row);
        free(out.rows.p);
        free(out.missing.p);
        free(out.locked.p);
    } else {
        sage__agent_error(call, SAGE_ERR_BAD_REQUEST, "keys: 1 to 250 arrays of strings with every part of the key", 0);
    }
    free(wanted);
    json_decref(body);
}

static void at_resource(struct sage_call *call, const struct agent_path *p)
{
    struct sage_company *c = sage__company(call->sim, p->segments[1]);
    const char *name = p->segments[call->at == SAGE_AT_SCHEMA ? 3 : 2];
    int id = sage__resource_find(name);
    if (!c) {
        sage__agent_error(call, SAGE_ERR_UNKNOWN_COMPANY, "no such company", 0);
        return;
    }
    if (!c->opens) {
        sage__agent_error(call, SAGE_ERR_BUSY, c->last_error ? c->last_error : "the company does not open", 30);
        return;
    }
    if (id < 0 || c->res[id].lacking) {
        sage__agent_error(call, SAGE_ERR_UNKNOWN_RESOURCE, "no such resource", 0);
        return;
    }
    struct sage_resource *r = &c->res[id];
    struct sage_buf b = {0};
    if (r->denied) {
        sage__agent_error(call, SAGE_ERR_NO_TASK_ACCESS, "The user role has no access to the task.", 0);
        return;
    }
    switch (call->at) {
    case SAGE_AT_SCHEMA:
        sage__render_schema(&b, r, call->unknown);
        call->unknown = false;
        b.len--;
        reply(call, &b);
        break;
    case SAGE_AT_CHANGED: changed(call, r); break;
    case SAGE_AT_KEYS: keys(call, r); break;
    case SAGE_AT_ROW: one_row(call, r, p->segments[3], p->lengths[3]); break;
    default: batch_get(call, r); break;
    }
}

void sage__agent_answer(struct sage_call *call)
{
    struct agent_path p;
    if (!token_fits(call)) {
        sim_response_header(call->resp, "WWW-Authenticate", "Bearer");
        sage__agent_error(call, SAGE_ERR_UNAUTHORIZED, "token missing or wrong", 0);
        return;
    }
    if (!path_split(call->path, &p) || call->at == SAGE_AT_AGENT_OTHER)
        sage__agent_error(call, SAGE_ERR_NOT_FOUND, "no such path", 0);
    else if (call->at == SAGE_AT_HEALTH)
        health(call);
    else if (call->at == SAGE_AT_COMPANIES)
        companies(call);
    else
        at_resource(call, &p);
    path_free(&p);
}
