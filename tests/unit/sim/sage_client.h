/*
 * sage_client.h: a naive client of the agent protocol for the tests of the model: it stores rows, follows `next` and
 * compares what it has with the truth. Included once per test program.
 */
#ifndef SAGE_CLIENT_H
#define SAGE_CLIENT_H

#include "../../sim/sage/private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int failures;
static int64_t virtual_ms = 1731600000000; // 2024-11-14T16:00:00Z

static inline int64_t virtual_now(void *ctx)
{
    (void)ctx;
    return virtual_ms;
}

static inline bool verdict(bool good, const char *name, const char *why)
{
    if (good)
        printf("ok %s\n", name);
    else
        printf("not ok %s: %s\n", name, why);
    failures += !good;
    return good;
}

static inline void options(struct sage_sim_options *o, uint32_t customers)
{
    sage_sim_options_default(o);
    o->customers = customers;
    o->token = "tok";
    o->clock = (struct sim_clock){virtual_now, NULL};
}

static inline struct sage_sim *make(uint32_t customers, uint64_t seed)
{
    struct sage_sim_options o;
    options(&o, customers);
    o.seed = seed;
    struct sage_sim *s = sage_sim_new(&o);
    if (!s)
        sage__broken("model");
    return s;
}

struct reply {
    struct sim_response http;
    json_t *json;
};

// A few texts in turn, so that one call may build its name, its target and its reason.
static inline const char *format(const char *f, ...)
{
    static char texts[8][1024];
    static unsigned turn;
    char *scratch = texts[turn++ % 8];
    va_list args;
    va_start(args, f);
    vsnprintf(scratch, sizeof texts[0], f, args);
    va_end(args);
    return scratch;
}

static inline struct reply ask_with(struct sage_sim *s, const char *method, const char *target, const char *body, const char *token)
{
    struct sim_header headers[] = {{(char[]){"Authorization"}, sage__copy(token)}};
    struct sim_request req = {method, target, headers, 1, body, body ? strlen(body) : 0};
    struct reply r = {0};
    struct sim_model m = sage_sim_model(s);
    m.handle(m.self, &req, &r.http);
    r.json = r.http.body ? json_loadb(r.http.body, r.http.body_len, 0, NULL) : NULL;
    free(headers[0].value);
    return r;
}

static inline struct reply ask(struct sage_sim *s, const char *target)
{
    return ask_with(s, "GET", target, NULL, "Bearer tok");
}

static inline void done(struct reply *r)
{
    json_decref(r->json);
    sim_response_free(&r->http);
}

static inline const char *text(const json_t *o, const char *name)
{
    const char *t = json_string_value(json_object_get(o, name));
    return t ? t : "";
}

// Status and error code of one request.
static inline bool fails(struct sage_sim *s, const char *target, int status, const char *code)
{
    struct reply r = ask(s, target);
    const json_t *e = json_object_get(r.json, "error");
    bool good = r.http.status == status && strcmp(text(e, "code"), code) == 0 && json_is_boolean(json_object_get(e, "retryable"));
    if (!good)
        printf("# %s -> %d %s\n", target, r.http.status, r.http.body ? r.http.body : "");
    done(&r);
    return good;
}

/* ---- a naive client: key -> hash, and a cursor ---- */

struct client {
    struct sage_sim *sim;
    json_t *rows; // "01~ABF" -> hash
    json_t *locked;
    char next[SAGE_CURSOR_MAX + 1];
    const char *resource;
    int limit;
    size_t delivered;
    int pages;
    const char *broken;
};

static inline char *join(const json_t *key)
{
    struct sage_buf b = {0};
    for (size_t i = 0; i < json_array_size(key); i++) {
        sage__puts(&b, i ? "~" : "");
        sage__puts(&b, json_string_value(json_array_get(key, i)));
    }
    return b.p;
}

static inline void keep(struct client *c, const json_t *list, bool rows)
{
    size_t i;
    json_t *o;
    json_array_foreach((json_t *)list, i, o)
    {
        char *key = join(rows ? json_object_get(o, "key") : o);
        if (rows) {
            json_object_set(c->rows, key, json_object_get(o, "hash"));
            json_object_del(c->locked, key);
            c->delivered++;
        } else {
            json_object_set_new(c->locked, key, json_true());
        }
        free(key);
    }
}

// One page; true while the pass goes on.
static inline bool page(struct client *c)
{
    struct reply r = ask(c->sim, *c->next ? format("/v1/companies/ABC/%s?since=%s&limit=%d", c->resource, c->next, c->limit)
                                          : format("/v1/companies/ABC/%s?limit=%d", c->resource, c->limit));
    const char *next = text(r.json, "next");
    size_t n = json_array_size(json_object_get(r.json, "rows")) + json_array_size(json_object_get(r.json, "locked"));
    if (r.http.status != 200 || !*next || strlen(next) > SAGE_CURSOR_MAX || n > (size_t)c->limit ||
        strspn(next, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-") != strlen(next))
        c->broken = "a page is no page";
    keep(c, json_object_get(r.json, "rows"), true);
    keep(c, json_object_get(r.json, "locked"), false);
    bool more = json_is_false(json_object_get(r.json, "complete")) && !c->broken;
    snprintf(c->next, sizeof c->next, "%s", next);
    c->pages++;
    done(&r);
    return more;
}

// What is locked is fetched by batchGet until it comes.
static inline void fetch_locked(struct client *c)
{
    for (int tries = 0; tries < 20 && json_object_size(c->locked); tries++) {
        json_t *keys = json_array();
        const char *key;
        json_t *unused;
        json_object_foreach(c->locked, key, unused)
        {
            struct sage_key k;
            struct sage_buf b = {0};
            int id = sage__resource_find(c->resource);
            if (json_array_size(keys) == 250 || !sage__key_parse(&k, key, strlen(key), sage__tables[id].nparts))
                continue;
            sage__key_json(&b, &k, 0);
            json_array_append_new(keys, json_loads(b.p, 0, NULL));
            free(b.p);
        }
        json_t *body = json_pack("{s:o}", "keys", keys);
        char *send = json_dumps(body, 0);
        struct reply r = ask_with(c->sim, "POST", format("/v1/companies/ABC/%s:batchGet", c->resource), send, "Bearer tok");
        keep(c, json_object_get(r.json, "rows"), true);
        size_t i;
        json_t *o;
        json_array_foreach(json_object_get(r.json, "missing"), i, o)
        {
            char *gone = join(o);
            json_object_del(c->locked, gone);
            free(gone);
        }
        done(&r);
        free(send);
        json_decref(body);
    }
}

static inline void client_start(struct client *c, struct sage_sim *s, const char *resource, int limit)
{
    memset(c, 0, sizeof *c);
    c->sim = s;
    c->resource = resource;
    c->limit = limit;
    c->rows = json_object();
    c->locked = json_object();
}

static inline void client_end(struct client *c)
{
    json_decref(c->rows);
    json_decref(c->locked);
}

struct comparison {
    struct client *client;
    size_t missing, stale, unstamped;
    char example[128];
};

static inline bool compare(void *ctx, const char *key)
{
    struct comparison *x = ctx;
    struct client *c = x->client;
    char *truth = sage_sim_row(c->sim, "ABC", c->resource, key);
    json_t *row = json_loads(truth, 0, NULL);
    const char *have = json_string_value(json_object_get(c->rows, key));
    if (!have)
        x->missing++;
    else if (strcmp(have, text(row, "hash")) != 0)
        x->stale++;
    if (!have || strcmp(have, text(row, "hash")) != 0)
        snprintf(x->example, sizeof x->example, "%s", key);
    json_decref(row);
    free(truth);
    return true;
}

// "" when the client knows every row as it is.
static inline const char *against_truth(struct client *c)
{
    static char why[256];
    struct comparison x = {.client = c};
    sage_sim_each_key(c->sim, "ABC", c->resource, compare, &x);
    why[0] = 0;
    if (c->broken || x.missing || x.stale)
        snprintf(why, sizeof why, "%s, missing %zu, stale %zu, as %s", c->broken ? c->broken : "", x.missing, x.stale, x.example);
    return why;
}

static inline bool reads_all(struct client *c)
{
    while (page(c))
        ;
    return !*against_truth(c);
}

#endif
