/*
 * loop.c: see loop.h. One array of mounts, one of transfers under way, one of timers; all small, so linear searches do.
 * Invariant: now only grows; every timer with at <= now has run.
 */
#include "loop.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOP_MOUNTS = 16, LOOP_IN_FLIGHT = 64, LOOP_TIMERS = 64, LOOP_MONO_START = 1000 };

struct loop_mount {
    char *prefix;
    struct sim_model model;
    bool down;
    char *ca_file;
};

struct loop_transfer {
    bool used;
    void *tag;
    uint64_t order; // parts completions of the same millisecond
    int64_t started_ms, due_ms;
    enum http_outcome outcome;
    char error[200];
    bool tls_failed, reached, tls;
    struct sim_response resp;
};

struct loop_timer {
    bool used;
    int64_t at_ms;
    uint64_t order;
    void (*call)(void *);
    void *ctx;
};

struct sim_loop {
    int64_t now_ms; // monotonic
    int64_t wall_offset_ms;
    int64_t latency_ms, slept_ms;
    unsigned not_sent_permille;
    uint64_t random, order, requests, refused, trace;
    struct loop_mount mounts[LOOP_MOUNTS];
    size_t nmounts;
    struct loop_transfer transfers[LOOP_IN_FLIGHT];
    struct loop_timer timers[LOOP_TIMERS];
    sim_loop_watch_fn watch;
    void *watch_ctx;
};

static void loop_broken(const char *what)
{
    fprintf(stderr, "loop: %s\n", what);
    abort();
}

static char *loop_copy(const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = malloc(n);
    if (!p)
        loop_broken("out of memory");
    memcpy(p, s, n);
    return p;
}

struct sim_loop *sim_loop_new(int64_t start_ms, uint64_t seed)
{
    struct sim_loop *l = calloc(1, sizeof *l);
    if (!l)
        loop_broken("out of memory");
    l->now_ms = LOOP_MONO_START;
    l->wall_offset_ms = start_ms - LOOP_MONO_START;
    l->latency_ms = 5;
    l->random = seed;
    l->trace = 14695981039346656037u;
    return l;
}

void sim_loop_free(struct sim_loop *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < LOOP_IN_FLIGHT; i++)
        if (l->transfers[i].used)
            sim_response_free(&l->transfers[i].resp);
    for (size_t i = 0; i < l->nmounts; i++) {
        free(l->mounts[i].prefix);
        free(l->mounts[i].ca_file);
    }
    free(l);
}

/* ---- clock, timers, random ---- */

static struct loop_timer *next_timer(struct sim_loop *l, int64_t until_ms)
{
    struct loop_timer *best = NULL;
    for (size_t i = 0; i < LOOP_TIMERS; i++) {
        struct loop_timer *t = &l->timers[i];
        if (t->used && t->at_ms <= until_ms &&
            (!best || t->at_ms < best->at_ms || (t->at_ms == best->at_ms && t->order < best->order)))
            best = t;
    }
    return best;
}

// A timer may itself set timers; those that fall before `until` run too.
static void pass_until(struct sim_loop *l, int64_t until_ms)
{
    struct loop_timer *t;
    while ((t = next_timer(l, until_ms))) {
        if (t->at_ms > l->now_ms)
            l->now_ms = t->at_ms;
        struct loop_timer due = *t;
        t->used = false;
        due.call(due.ctx);
    }
    if (until_ms > l->now_ms)
        l->now_ms = until_ms;
}

void sim_loop_advance(struct sim_loop *l, int64_t ms)
{
    if (ms > 0)
        pass_until(l, l->now_ms + ms);
}

void sim_loop_at(struct sim_loop *l, int64_t after_ms, void (*call)(void *ctx), void *ctx)
{
    for (size_t i = 0; i < LOOP_TIMERS; i++) {
        if (l->timers[i].used)
            continue;
        l->timers[i] = (struct loop_timer){true, l->now_ms + after_ms, l->order++, call, ctx};
        return;
    }
    loop_broken("too many timers");
}

int64_t sim_loop_now_ms(const struct sim_loop *l)
{
    return l->now_ms + l->wall_offset_ms;
}

void sim_loop_jump_wall(struct sim_loop *l, int64_t by_ms)
{
    l->wall_offset_ms += by_ms;
}

static int64_t loop_wall(void *ctx)
{
    return sim_loop_now_ms(ctx);
}

static int64_t loop_mono(void *ctx)
{
    const struct sim_loop *l = ctx;
    return l->now_ms;
}

static void loop_sleep(void *ctx, int64_t ms)
{
    struct sim_loop *l = ctx;
    if (ms > 0)
        l->slept_ms += ms;
    sim_loop_advance(l, ms);
}

// splitmix64
static uint64_t loop_random(struct sim_loop *l)
{
    uint64_t z = (l->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void loop_fill(void *ctx, void *p, size_t n)
{
    unsigned char *out = p;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)(loop_random(ctx) >> 32);
}

struct sim_clock sim_loop_clock(struct sim_loop *l)
{
    return (struct sim_clock){loop_wall, l};
}

/* ---- mounts ---- */

static struct loop_mount *mount_named(struct sim_loop *l, const char *prefix)
{
    for (size_t i = 0; i < l->nmounts; i++)
        if (strcmp(l->mounts[i].prefix, prefix) == 0)
            return &l->mounts[i];
    return NULL;
}

void sim_loop_mount(struct sim_loop *l, const char *url_prefix, struct sim_model model)
{
    struct loop_mount *m = mount_named(l, url_prefix);
    if (!m) {
        if (l->nmounts == LOOP_MOUNTS)
            loop_broken("too many mounts");
        m = &l->mounts[l->nmounts++];
        m->prefix = loop_copy(url_prefix);
    }
    m->model = model;
}

void sim_loop_down(struct sim_loop *l, const char *url_prefix, bool down)
{
    struct loop_mount *m = mount_named(l, url_prefix);
    if (!m)
        loop_broken("no such mount");
    m->down = down;
}

void sim_loop_private_ca(struct sim_loop *l, const char *url_prefix, const char *ca_file)
{
    struct loop_mount *m = mount_named(l, url_prefix);
    if (!m)
        loop_broken("no such mount");
    free(m->ca_file);
    m->ca_file = ca_file ? loop_copy(ca_file) : NULL;
}

void sim_loop_latency(struct sim_loop *l, int64_t ms)
{
    l->latency_ms = ms;
}

void sim_loop_not_sent(struct sim_loop *l, unsigned permille)
{
    l->not_sent_permille = permille;
}

void sim_loop_watch(struct sim_loop *l, sim_loop_watch_fn watch, void *ctx)
{
    l->watch = watch;
    l->watch_ctx = ctx;
}

static struct loop_mount *mount_for(struct sim_loop *l, const char *url)
{
    struct loop_mount *best = NULL;
    for (size_t i = 0; i < l->nmounts; i++) {
        struct loop_mount *m = &l->mounts[i];
        size_t n = strlen(m->prefix);
        if (strncmp(url, m->prefix, n) == 0 && (!best || n > strlen(best->prefix)))
            best = m;
    }
    return best;
}

/* ---- transfers ---- */

static void trace(struct sim_loop *l, const void *p, size_t n)
{
    const unsigned char *b = p;
    for (size_t i = 0; i < n; i++)
        l->trace = (l->trace ^ b[i]) * 1099511628211u;
}

static bool starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool url_is_loopback(const char *url)
{
    return starts(url, "http://127.0.0.1") || starts(url, "http://localhost") || starts(url, "http://[::1]");
}

static void ask_model(struct sim_loop *l, const struct loop_mount *m, const struct http_req *req, struct sim_response *resp)
{
    const char *host = strstr(req->url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    char name_of_host[256] = "";
    if (host)
        snprintf(name_of_host, sizeof name_of_host, "%.*s", (int)strcspn(host + 3, "/"), host + 3);
    struct sim_header headers[64] = {{(char[]){"Host"}, name_of_host}};
    size_t n = 1;
    for (size_t i = 0; i < req->nheaders && n < 64; i++) {
        union {
            const char *in;
            char *out;
        } name = {req->headers[i].name}, value = {req->headers[i].value};
        headers[n++] = (struct sim_header){name.out, value.out};
    }
    struct sim_request in = {req->method, path ? path : "/", headers, n, req->body.p, req->body.n};
    m->model.handle(m->model.self, &in, resp);
    if (l->watch)
        l->watch(l->watch_ctx, req, resp);
}

static void settle(struct loop_transfer *t, enum http_outcome outcome, const char *error)
{
    t->outcome = outcome;
    snprintf(t->error, sizeof t->error, "%s", error);
}

static void decide(struct sim_loop *l, struct loop_transfer *t, const struct http_req *req)
{
    const struct sim_response *r = &t->resp;
    t->due_ms = l->now_ms + l->latency_ms + r->delay_ms;
    if (req->total_timeout_ms > 0 && t->due_ms - l->now_ms > req->total_timeout_ms) {
        t->due_ms = l->now_ms + req->total_timeout_ms;
        settle(t, HTTP_AMBIGUOUS, "no answer within the time limit");
    } else if (r->fate == SIM_DROPPED_BEFORE && loop_random(l) % 1000 < l->not_sent_permille) {
        settle(t, HTTP_NOT_SENT, "the connection broke before the request was sent");
    } else if (r->fate != SIM_ANSWERED) {
        settle(t, HTTP_AMBIGUOUS, "the connection closed without an answer");
    } else if (r->cut_at > 0 && r->cut_at < r->body_len) {
        settle(t, HTTP_AMBIGUOUS, "the connection closed in the middle of the answer");
    } else if (req->max_body_bytes > 0 && r->body_len > req->max_body_bytes) {
        settle(t, HTTP_TOO_LARGE, "the answer is larger than the limit");
    } else {
        settle(t, HTTP_ANSWERED, "");
    }
}

static void play(struct sim_loop *l, struct loop_transfer *t, const struct http_req *req)
{
    bool tls = starts(req->url, "https://");
    struct loop_mount *m = mount_for(l, req->url);
    t->due_ms = l->now_ms + l->latency_ms;
    if (!tls && !url_is_loopback(req->url)) {
        settle(t, HTTP_REFUSED, "only https, or http to loopback");
    } else if (!m || m->down) {
        l->refused++;
        settle(t, HTTP_NOT_SENT, "connection refused");
    } else if (tls && m->ca_file && (!req->ca_file || strcmp(m->ca_file, req->ca_file) != 0)) {
        t->reached = true;
        settle(t, HTTP_NOT_SENT, "SSL certificate problem: unable to get local issuer certificate");
    } else {
        t->reached = true;
        t->tls = tls;
        ask_model(l, m, req, &t->resp);
        decide(l, t, req);
    }
}

static int loop_start(void *ctx, const struct http_req *req, void *tag)
{
    struct sim_loop *l = ctx;
    struct loop_transfer *t = NULL;
    for (size_t i = 0; i < LOOP_IN_FLIGHT && !t; i++)
        if (!l->transfers[i].used)
            t = &l->transfers[i];
    if (!t)
        return -1;
    memset(t, 0, sizeof *t);
    t->used = true;
    t->tag = tag;
    t->order = l->order++;
    t->started_ms = l->now_ms;
    l->requests++;
    play(l, t, req);
    trace(l, req->method, strlen(req->method));
    trace(l, req->url, strlen(req->url));
    trace(l, req->body.p, req->body.n);
    int64_t facts[3] = {t->outcome, t->due_ms, t->resp.status};
    trace(l, facts, sizeof facts);
    return 0;
}

static char *lower_copy(struct arena *a, const char *s)
{
    char *p = arena_copy(a, s, strlen(s));
    for (char *c = p; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return p;
}

static void deliver(struct sim_loop *l, struct loop_transfer *t, struct arena *a, struct http_res *res, void **tag)
{
    memset(res, 0, sizeof *res);
    res->outcome = t->outcome;
    snprintf(res->error, sizeof res->error, "%s", t->error);
    res->elapsed_ms = l->now_ms - t->started_ms;
    res->connect_ms = t->reached ? 1 : -1;
    res->tls_ms = t->tls ? 2 : -1;
    if (t->outcome == HTTP_ANSWERED) {
        res->status = t->resp.status;
        struct http_header *h = ARENA_ARRAY(a, struct http_header, t->resp.nheaders + 1);
        for (size_t i = 0; i < t->resp.nheaders; i++)
            h[i] = (struct http_header){lower_copy(a, t->resp.headers[i].name),
                                        arena_copy(a, t->resp.headers[i].value, strlen(t->resp.headers[i].value))};
        res->headers = h;
        res->nheaders = t->resp.nheaders;
        res->body = (struct str){arena_copy(a, t->resp.body ? t->resp.body : "", t->resp.body_len), t->resp.body_len};
    }
    *tag = t->tag;
    sim_response_free(&t->resp);
    t->used = false;
}

static struct loop_transfer *earliest(struct sim_loop *l)
{
    struct loop_transfer *best = NULL;
    for (size_t i = 0; i < LOOP_IN_FLIGHT; i++) {
        struct loop_transfer *t = &l->transfers[i];
        if (t->used && (!best || t->due_ms < best->due_ms || (t->due_ms == best->due_ms && t->order < best->order)))
            best = t;
    }
    return best;
}

static int loop_wait(void *ctx, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag)
{
    struct sim_loop *l = ctx;
    struct loop_transfer *t = earliest(l);
    if (!t)
        return -1;
    if (timeout_ms >= 0 && t->due_ms > l->now_ms + timeout_ms) {
        pass_until(l, l->now_ms + timeout_ms);
        return 0;
    }
    pass_until(l, t->due_ms);
    deliver(l, t, a, res, tag);
    return 1;
}

void sim_loop_world(struct sim_loop *l, struct world *w)
{
    w->clock = (struct world_clock){loop_wall, loop_mono, loop_sleep, l};
    w->random = (struct world_random){loop_fill, l};
    w->http = (struct world_http){loop_start, loop_wait, l};
}

unsigned sim_loop_in_flight(const struct sim_loop *l)
{
    unsigned n = 0;
    for (size_t i = 0; i < LOOP_IN_FLIGHT; i++)
        n += l->transfers[i].used;
    return n;
}

uint64_t sim_loop_requests(const struct sim_loop *l)
{
    return l->requests;
}

uint64_t sim_loop_refused(const struct sim_loop *l)
{
    return l->refused;
}

int64_t sim_loop_slept_ms(const struct sim_loop *l)
{
    return l->slept_ms;
}

uint64_t sim_loop_trace(const struct sim_loop *l)
{
    return l->trace;
}
