/* conformance_changes.c - what must hold while the company changes: edits, locks, insertions, deletions, a restart inside a pass, a new epoch. */
#include "tests/agent/conformance.h"

static const json_t *row_of(const json_t *rows, const char *key)
{
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)rows, i, row)
        if (strcmp(key_text(node(row, "key"), false), key) == 0) return row;
    return NULL;
}

static bool key_in(const json_t *keys, const char *key)
{
    size_t i;
    json_t *k;
    json_array_foreach((json_t *)keys, i, k)
        if (strcmp(key_text(k, false), key) == 0) return true;
    return false;
}

struct world { struct peer *p; json_t *rows; char *next; char key[4][200]; };

static void edits(struct world *w)
{
    struct peer *p = w->p;
    json_t *now = json_array();
    if (!control(p, "edit customers '%s' City 'Nowhere at all'", w->key[0])) return;
    char *next = pass(p, "customers", w->next, 100, now, NULL);
    const json_t *was = row_of(w->rows, w->key[0]), *is = row_of(now, w->key[0]);
    check(is && strcmp(at(is, "fields.City"), "Nowhere at all") == 0, "an edit comes in the next pass", "%zu rows", json_array_size(now));
    check(json_array_size(now) == 1, "and nothing else", "%zu rows", json_array_size(now));
    check(is && was && strcmp(at(is, "hash"), at(was, "hash")) != 0, "with another hash", "the same");
    json_t *again = json_array();
    free(pass(p, "customers", next, 100, again, NULL));
    check(json_array_size(again) == 1 && json_equal(json_array_get(again, 0), is), "it comes again inside the overlap, with the same hash", "%zu rows", json_array_size(again));
    json_decref(again);
    again = json_array();
    free(pass(p, "customers", w->next, 100, again, NULL));
    check(json_array_size(again) == 1, "the older cursor gives it too", "%zu rows", json_array_size(again));
    json_decref(again);
    json_decref(now);
    free(next);
}

static void locks(struct world *w)
{
    struct peer *p = w->p;
    char path[600], body[400];
    json_t *rows = json_array(), *locked = json_array();
    const char *key = w->key[1], *tilde = strchr(key, '~');
    if (!tilde || !control(p, "lock customers '%s'", key)) return;
    free(pass(p, "customers", "", 50, rows, locked));
    check(json_array_size(locked) == 1 && key_in(locked, key) && !row_of(rows, key), "a locked row stands beside the page", "%zu locked", json_array_size(locked));
    check(json_array_size(rows) == json_array_size(w->rows) - 1, "and holds nothing back", "%zu rows of %zu", json_array_size(rows), json_array_size(w->rows));
    struct reply r = get(p, "/v1/companies/%s/customers/%s", p->company, key);
    check(r.status == 423 && strcmp(at(r.json, "error.code"), "locked") == 0 && strcmp(at(r.json, "error.retryable"), "true") == 0, "alone it is 423 locked", "%d %s", r.status, r.text);
    drop(&r);
    snprintf(path, sizeof path, "/v1/companies/%s/customers:batchGet", p->company);
    snprintf(body, sizeof body, "{\"keys\":[[\"%.*s\",\"%s\"]]}", (int)(tilde - key), key, tilde + 1);
    r = call(p, p->token, "POST", path, body);
    check(r.status == 200 && key_in(node(r.json, "locked"), key) && json_array_size(node(r.json, "missing")) == 0, "batchGet tells it as locked", "%d %s", r.status, r.text);
    drop(&r);
    if (control(p, "unlock customers '%s'", key)) {
        r = call(p, p->token, "POST", path, body);
        check(r.status == 200 && json_array_size(node(r.json, "rows")) == 1, "and gives it when it is free", "%d %s", r.status, r.text);
        drop(&r);
    }
    json_decref(rows);
    json_decref(locked);
}

static void comings_and_goings(struct world *w)
{
    struct peer *p = w->p;
    json_t *now = json_array();
    char path[600];
    if (control(p, "insert customers 01~ZZNEW")) {
        free(pass(p, "customers", w->next, 100, now, NULL));
        check(row_of(now, "01~ZZNEW") != NULL, "a new row comes in the next pass", "%zu rows", json_array_size(now));
        struct reply r = get(p, "/v1/companies/%s/customers/keys?limit=10000", p->company);
        check(key_in(node(r.json, "keys"), "01~ZZNEW"), "and its key is listed", "%d", r.status);
        drop(&r);
    }
    if (control(p, "delete customers '%s'", w->key[2])) {
        struct reply r = get(p, "/v1/companies/%s/customers/keys?limit=10000", p->company);
        check(r.status == 200 && !key_in(node(r.json, "keys"), w->key[2]), "a deleted row's key is not listed", "%d", r.status);
        drop(&r);
        snprintf(path, sizeof path, "/v1/companies/%s/customers/%s", p->company, w->key[2]);
        refuses(p, "a deleted row is not found", "GET", path, NULL, 404, "not_found");
    }
    json_decref(now);
}

/* Inside a pass: what was not delivered yet changes, goes, is locked; the server restarts. Nothing that stays may be lost. */
static void in_the_middle(struct world *w, bool restart)
{
    struct peer *p = w->p;
    json_t *rows = json_array(), *locked = json_array(), *rest = json_array();
    struct reply r = get(p, "/v1/companies/%s/customers?limit=20", p->company);
    json_array_extend(rows, node(r.json, "rows"));
    char *next = strdup(at(r.json, "next")), *end;
    check(json_is_false(node(r.json, "complete")) && strlen(at(r.json, "highWater.date")) == 8, "a page in the middle has its high water", "%.200s", at(r.json, "highWater.date"));
    drop(&r);
    if (restart && !control(p, "restart")) restart = false;
    control(p, "edit customers '%s' City 'Moved in the middle'", w->key[3]);
    end = pass(p, "customers", next, 20, rest, locked);
    json_array_extend(rows, rest);
    const json_t *is = row_of(rest, w->key[3]);
    json_t *late = json_array();
    free(pass(p, "customers", end, 100, late, NULL));
    const json_t *then = row_of(late, w->key[3]);
    check((is && strcmp(at(is, "fields.City"), "Moved in the middle") == 0) || (then && strcmp(at(then, "fields.City"), "Moved in the middle") == 0),
          "an edit in the middle of a pass comes in it or in the next", "neither");
    json_t *all = json_array();
    free(pass(p, "customers", "", 500, all, NULL));
    size_t i, missing = 0;
    json_t *row;
    json_array_foreach(all, i, row) missing += !row_of(rows, key_text(node(row, "key"), false)) && !row_of(late, key_text(node(row, "key"), false));
    check(missing == 0, restart ? "a restart in the middle of a pass loses nothing" : "a pass in two sittings loses nothing", "%zu rows", missing);
    json_decref(all);
    json_decref(late);
    json_decref(rest);
    json_decref(locked);
    json_decref(rows);
    free(next);
    free(end);
}

static void new_epoch(struct world *w)
{
    char path[900];
    if (!control(w->p, "epoch")) return;
    snprintf(path, sizeof path, "/v1/companies/%s/customers?since=%s", w->p->company, w->next);
    refuses(w->p, "after a new epoch the cursor has expired", "GET", path, NULL, 410, "cursor_expired");
    struct reply r = get(w->p, "/v1/companies/%s/customers?limit=1", w->p->company);
    check(r.status == 200 && strcmp(at(r.json, "epoch"), w->p->epoch) != 0, "and pages carry the new one", "%d", r.status);
    drop(&r);
}

void changes(struct peer *p)
{
    struct world w = {.p = p, .rows = json_array()};
    w.next = pass(p, "customers", "", 1000, w.rows, NULL);
    size_t n = json_array_size(w.rows);
    check(n >= 60, "enough customers to change some", "%zu", n);
    for (size_t i = 0; n >= 60 && i < 4; i++) snprintf(w.key[i], sizeof w.key[i], "%s", key_text(node(json_array_get(w.rows, n / 2 + 5 * i), "key"), false));
    if (n >= 60) {
        edits(&w);
        locks(&w);
        comings_and_goings(&w);
        in_the_middle(&w, false);
        in_the_middle(&w, true);
        new_epoch(&w);
    }
    json_decref(w.rows);
    free(w.next);
}
