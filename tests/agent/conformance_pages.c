/* conformance_pages.c - what must hold of every resource as it stands: pages, order, cursors, keys, rows, batches, lines. */
#include "tests/agent/conformance.h"
#include <stdint.h>

/* ---- positions, facts/sage-100.md 9.4 rule 1, written down a second time ---- */

static int64_t stamp(const char *date, const char *time)
{
    int64_t d = 0, t = 0;
    if (strlen(date) == 8 && strspn(date, "0123456789") == 8) d = strtoll(date, NULL, 10);
    const char *point = strchr(time, '.');
    t = strtoll(time, NULL, 10) * 100000;
    char digits[8] = "000000";
    for (int i = 0; point && i < 6 && point[1 + i] >= '0' && point[1 + i] <= '9'; i++) digits[i] = point[1 + i];
    int64_t six = strtoll(digits, NULL, 10);
    return d * 10000000 + t + (six + 5) / 10;
}

static int64_t position(const json_t *row)
{
    int64_t u = stamp(at(row, "fields.DateUpdated"), at(row, "fields.TimeUpdated")), c = stamp(at(row, "fields.DateCreated"), at(row, "fields.TimeCreated"));
    return u > c ? u : c;
}

static int compare_keys(const json_t *a, const json_t *b)
{
    for (size_t i = 0; i < json_array_size(a); i++) {
        int d = strcmp(json_string_value(json_array_get(a, i)), json_string_value(json_array_get(b, i)));
        if (d) return d;
    }
    return 0;
}

static const char *form_of(struct peer *p, const struct reply *r, int limit)
{
    const char *next = at(r->json, "next");
    if (r->status != 200) return "status";
    if (!json_is_array(node(r->json, "rows")) || !json_is_array(node(r->json, "locked")) || !json_is_boolean(node(r->json, "complete"))) return "members";
    if (json_array_size(node(r->json, "rows")) + json_array_size(node(r->json, "locked")) > (size_t)limit) return "more than limit";
    if (!*next || strlen(next) > 512 || strspn(next, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-") != strlen(next)) return "next";
    if (p->epoch[0] && strcmp(at(r->json, "epoch"), p->epoch) != 0) return "epoch";
    if (strlen(at(r->json, "asOf")) < 20 || !json_is_integer(node(r->json, "tzOffsetMinutes"))) return "asOf";
    return NULL;
}

char *pass(struct peer *p, const char *resource, const char *since, int limit, json_t *rows, json_t *locked)
{
    char *next = strdup(since);
    for (int pages = 0; pages < 5000; pages++) {
        struct reply r = get(p, *next ? "/v1/companies/%s/%s?limit=%d&since=%s" : "/v1/companies/%s/%s?limit=%d", p->company, resource, limit, next);
        const char *wrong = form_of(p, &r, limit);
        if (wrong) {
            check(false, "the form of a page", "%s: %s: %d %.300s", resource, wrong, r.status, r.text);
            drop(&r);
            return next;
        }
        json_array_extend(rows, node(r.json, "rows"));
        if (locked) json_array_extend(locked, node(r.json, "locked"));
        bool complete = json_is_true(node(r.json, "complete"));
        free(next);
        next = strdup(at(r.json, "next"));
        drop(&r);
        if (complete) return next;
    }
    check(false, "a pass ends", "%s", resource);
    return next;
}

/* Rows ascend by position and key (by key where there are no stamps), none twice. */
static void order(const json_t *rows, const char *resource)
{
    char name[120];
    const char *why = NULL;
    for (size_t i = 1; i < json_array_size(rows) && !why; i++) {
        const json_t *a = json_array_get(rows, i - 1), *b = json_array_get(rows, i);
        bool stamped = !json_is_null(node(b, "updated"));
        int64_t pa = stamped ? position(a) : 0, pb = stamped ? position(b) : 0;
        if (pa > pb || (pa == pb && compare_keys(node(a, "key"), node(b, "key")) >= 0)) why = key_text(node(b, "key"), false);
    }
    snprintf(name, sizeof name, "%s: rows ascend strictly by position and key", resource);
    check(!why, name, "at %s", why ? why : "");
}

static bool row_form(const json_t *row, const struct spec *s)
{
    bool good = json_array_size(node(row, "key")) == s->nkeys && json_is_object(node(row, "fields")) && json_is_object(node(row, "udf")) && strlen(at(row, "hash")) > 0;
    const char *name;
    json_t *v;
    json_object_foreach(node(row, "fields"), name, v) good = good && (json_is_string(v) || json_is_null(v)) && strncmp(name, "UDF_", 4) != 0;
    json_object_foreach(node(row, "udf"), name, v) good = good && (json_is_string(v) || json_is_null(v)) && strncmp(name, "UDF_", 4) == 0;
    for (unsigned i = 0; i < s->nkeys; i++) {
        char path[80];
        snprintf(path, sizeof path, "fields.%s", s->key[i]);
        good = good && strcmp(at(row, path), json_string_value(json_array_get(node(row, "key"), i))) == 0;
    }
    size_t i;
    json_t *line;
    const char *last = "";
    json_array_foreach(node(row, "lines"), i, line) {
        good = good && strcmp(last, at(line, "key.0")) < 0 && json_is_object(node(line, "fields")) && json_is_object(node(line, "udf"));
        last = at(line, "key.0");
    }
    return good && json_is_array(node(row, "lines")) == (s->line != NULL);
}

static void same_rows(const json_t *a, const json_t *b, const char *name)
{
    size_t n = json_array_size(a), i = 0;
    while (i < n && json_equal(json_array_get(a, i), json_array_get(b, i))) i++;
    check(n == json_array_size(b) && i == n, name, "%zu and %zu rows, first difference at %zu", n, json_array_size(b), i);
}

static void all_keys(struct peer *p, const struct spec *s, const json_t *rows)
{
    char name[120], after[900] = "";
    json_t *keys = json_array();
    bool good = true, complete = false;
    for (int pages = 0; pages < 3000 && good && !complete; pages++) {
        struct reply r = get(p, *after ? "/v1/companies/%s/%s/keys?limit=7&after=%s" : "/v1/companies/%s/%s/keys?limit=7", p->company, s->resource, after);
        complete = json_is_true(node(r.json, "complete"));
        size_t n = json_array_size(node(r.json, "keys"));
        good = r.status == 200 && n <= 7 && json_is_null(node(r.json, "next")) == complete && (!p->epoch[0] || strcmp(at(r.json, "epoch"), p->epoch) == 0);
        json_array_extend(keys, node(r.json, "keys"));
        if (!complete) {
            const json_t *last = json_array_get(keys, json_array_size(keys) - 1);
            good = good && strcmp(at(r.json, "next"), key_text(last, false)) == 0;
            snprintf(after, sizeof after, "%s", key_text(last, true));
        }
        drop(&r);
    }
    for (size_t i = 1; good && i < json_array_size(keys); i++) good = compare_keys(json_array_get(keys, i - 1), json_array_get(keys, i)) < 0;
    snprintf(name, sizeof name, "%s: keys ascend, page by page", s->resource);
    check(good && complete, name, "%zu keys", json_array_size(keys));
    snprintf(name, sizeof name, "%s: as many keys as rows", s->resource);
    check(json_array_size(keys) == json_array_size(rows), name, "%zu and %zu", json_array_size(keys), json_array_size(rows));
    json_decref(keys);
}

static void single_rows(struct peer *p, const struct spec *s, const json_t *rows)
{
    char name[120];
    bool good = true;
    size_t n = json_array_size(rows), step = n > 12 ? n / 12 : 1;
    for (size_t i = 0; i < n && good; i += step) {
        const json_t *row = json_array_get(rows, i);
        if (strcmp(key_text(node(row, "key"), false), "keys") == 0) continue;
        struct reply r = get(p, "/v1/companies/%s/%s/%s", p->company, s->resource, key_text(node(row, "key"), true));
        good = r.status == 200 && json_equal(r.json, row);
        drop(&r);
    }
    snprintf(name, sizeof name, "%s: a row by its key is the row of the page", s->resource);
    check(good, name, "differs");
}

static void batch(struct peer *p, const struct spec *s, const json_t *rows)
{
    char name[120], path[300];
    json_t *body = json_object(), *keys = json_array(), *gone = json_array();
    size_t n = json_array_size(rows) < 40 ? json_array_size(rows) : 40;
    for (size_t i = 0; i < n; i++) json_array_append(keys, node(json_array_get(rows, i), "key"));
    for (unsigned i = 0; i < s->nkeys; i++) json_array_append_new(gone, json_string("99"));
    json_array_append(keys, gone);
    json_array_append(keys, json_array_get(keys, 0));
    json_object_set(body, "keys", keys);
    json_object_set_new(body, "unknownMember", json_pack("{s:[i,i]}", "x", 1, 2));
    char *text = json_dumps(body, JSON_COMPACT);
    snprintf(path, sizeof path, "/v1/companies/%s/%s:batchGet", p->company, s->resource);
    struct reply r = call(p, p->token, "POST", path, text);
    snprintf(name, sizeof name, "%s: batchGet: every key in exactly one list", s->resource);
    check(r.status == 200 && json_array_size(node(r.json, "rows")) == n && json_array_size(node(r.json, "missing")) == 1 && json_array_size(node(r.json, "locked")) == 0 &&
              compare_keys(node(r.json, "missing.0"), gone) == 0,
          name, "%d: %zu rows of %zu, %zu missing", r.status, json_array_size(node(r.json, "rows")), n, json_array_size(node(r.json, "missing")));
    drop(&r);
    free(text);
    while (json_array_size(keys) < 251) json_array_append(keys, gone);
    text = json_dumps(body, JSON_COMPACT);
    refuses(p, "batchGet of 251 keys", "POST", path, text, 400, "bad_request");
    free(text);
    json_decref(body);
    json_decref(keys);
    json_decref(gone);
    static const char *const bad[] = {"", "{}", "[]", "nonsense", "{\"keys\":[]}", "{\"keys\":[[]]}", "{\"keys\":[[1]]}", "{\"keys\":\"01~ABF\"}", "{\"keys\":[[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\"]]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuses(p, "batchGet of a bad body", "POST", path, bad[i], 400, "bad_request");
}

static void foreign_cursor(struct peer *p, const struct spec *s, const char *next)
{
    char path[900];
    const char *other = strcmp(s->resource, "customers") == 0 ? "contacts" : "customers";
    for (size_t i = 0; i < json_array_size(p->resources); i++)
        if (strcmp(json_string_value(json_array_get(p->resources, i)), other) == 0) {
            snprintf(path, sizeof path, "/v1/companies/%s/%s?since=%s", p->company, other, next);
            refuses(p, "a cursor of another resource", "GET", path, NULL, 400, "bad_request");
        }
}

void resource(struct peer *p, const struct spec *s)
{
    static const int limits[] = {1000, 50, 7};
    char name[120];
    json_t *first = json_array();
    schema(p, s);
    char *next = pass(p, s->resource, "", limits[0], first, NULL);
    size_t n = json_array_size(first), i;
    json_t *row;
    order(first, s->resource);
    bool good = true;
    json_array_foreach(first, i, row) good = good && row_form(row, s);
    snprintf(name, sizeof name, "%s: the form of %zu rows", s->resource, n);
    check(good && n > 0, name, "bad, or no rows at all");
    for (size_t k = 1; k < sizeof limits / sizeof *limits; k++) {
        if (n / (size_t)limits[k] > 15) continue;
        json_t *again = json_array();
        free(pass(p, s->resource, "", limits[k], again, NULL));
        snprintf(name, sizeof name, "%s: the same rows in pages of %d", s->resource, limits[k]);
        same_rows(first, again, name);
        json_decref(again);
    }
    json_t *after = json_array();
    free(pass(p, s->resource, next, 100, after, NULL));
    bool stamped = n && !json_is_null(node(json_array_get(first, 0), "updated"));
    snprintf(name, sizeof name, "%s: nothing new in the next pass", s->resource);
    check(json_array_size(after) == (stamped ? 0 : n), name, "%zu rows", json_array_size(after));
    all_keys(p, s, first);
    single_rows(p, s, first);
    batch(p, s, first);
    foreign_cursor(p, s, next);
    json_decref(after);
    json_decref(first);
    free(next);
}
