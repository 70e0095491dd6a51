/* The simulated world itself: time, timers, outcomes of fates, equal traces for equal seeds. */
#include "tests/sim/loop.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed;
static void check(const char *name, bool good)
{
    printf(good ? "ok %s\n" : "not ok %s: see loop_test.c\n", name);
    failed += !good;
}

struct server { enum sim_fate fate; int64_t delay_ms; size_t cut_at, body_len; unsigned asked; char host[64]; };
static void handle(void *self, const struct sim_request *req, struct sim_response *resp)
{
    struct server *s = self;
    char body[256];
    memset(body, 'x', sizeof body);
    const char *host = sim_request_header(req, "host");
    snprintf(s->host, sizeof s->host, "%s", host ? host : "");
    s->asked++;
    resp->status = 200;
    sim_response_body(resp, body, s->body_len, "Text/Plain");
    resp->fate = s->fate;
    resp->delay_ms = s->delay_ms;
    resp->cut_at = s->cut_at;
}

static struct http_res one(struct world *w, struct arena *a, const char *url, const char *ca, size_t max)
{
    struct http_req req = {.method = "GET", .url = url, .ca_file = ca, .total_timeout_ms = 1000, .max_body_bytes = max};
    struct http_res res;
    void *tag = NULL;
    int mark = 0;
    memset(&res, 0, sizeof res);
    if (w->http.start(w->http.ctx, &req, &mark) != 0 || w->http.wait(w->http.ctx, 100000, a, &res, &tag) != 1 || tag != &mark) res.status = -1;
    return res;
}

static void ring(void *ctx) { ++*(int *)ctx; }

static uint64_t run(uint64_t seed)
{
    struct server s = {.fate = SIM_DROPPED_BEFORE, .body_len = 3};
    struct sim_loop *l = sim_loop_new(1000000, seed);
    struct world w;
    struct arena a;
    memset(&w, 0, sizeof w);
    arena_init(&a, 0);
    sim_loop_world(l, &w);
    sim_loop_mount(l, "https://a.test", (struct sim_model){&s, handle});
    sim_loop_not_sent(l, 500);
    for (int i = 0; i < 40; i++) one(&w, &a, "https://a.test/x", NULL, 0);
    uint64_t trace = sim_loop_trace(l);
    arena_free(&a);
    sim_loop_free(l);
    return trace;
}

int main(void)
{
    struct server s = {.fate = SIM_ANSWERED, .body_len = 10};
    struct sim_loop *l = sim_loop_new(1000000, 1);
    struct world w;
    struct arena a;
    struct http_res r;
    int rang = 0;
    memset(&w, 0, sizeof w);
    arena_init(&a, 0);
    sim_loop_world(l, &w);
    sim_loop_mount(l, "https://a.test", (struct sim_model){&s, handle});
    check("wall starts where told", world_wall_ms(&w) == 1000000);
    sim_loop_at(l, 50, ring, &rang);
    w.clock.sleep_ms(w.clock.ctx, 49);
    check("a timer not before its time", rang == 0);
    w.clock.sleep_ms(w.clock.ctx, 1);
    check("a timer in its time", rang == 1 && world_wall_ms(&w) == 1000050 && sim_loop_slept_ms(l) == 50);
    int64_t mono = world_mono_ms(&w);
    sim_loop_jump_wall(l, -5000);
    check("the wall jumps alone", world_wall_ms(&w) == 995050 && world_mono_ms(&w) == mono);
    r = one(&w, &a, "https://a.test:1/p?q", NULL, 0);
    check("an answer after the latency", r.outcome == HTTP_ANSWERED && r.status == 200 && r.body.n == 10 && r.elapsed_ms == 5 && world_mono_ms(&w) == mono + 5);
    check("headers in lower case, the host is told", strcmp(http_header_get(&r, "content-type"), "Text/Plain") == 0 && strcmp(s.host, "a.test:1") == 0);
    s.delay_ms = 990;
    check("slow but in time", one(&w, &a, "https://a.test/", NULL, 0).outcome == HTTP_ANSWERED);
    s.delay_ms = 5000;
    r = one(&w, &a, "https://a.test/", NULL, 0);
    check("too slow", r.outcome == HTTP_AMBIGUOUS && r.elapsed_ms == 1000);
    s.delay_ms = 0;
    s.cut_at = 4;
    check("cut", one(&w, &a, "https://a.test/", NULL, 0).outcome == HTTP_AMBIGUOUS);
    s.cut_at = 0;
    check("too large", one(&w, &a, "https://a.test/", NULL, 9).outcome == HTTP_TOO_LARGE);
    s.fate = SIM_DROPPED_AFTER;
    check("dropped after", one(&w, &a, "https://a.test/", NULL, 0).outcome == HTTP_AMBIGUOUS);
    s.fate = SIM_DROPPED_BEFORE;
    check("dropped before looks the same", one(&w, &a, "https://a.test/", NULL, 0).outcome == HTTP_AMBIGUOUS);
    s.fate = SIM_ANSWERED;
    check("plain http is refused", one(&w, &a, "http://a.test/", NULL, 0).outcome == HTTP_REFUSED);
    unsigned asked = s.asked;
    check("nobody there", one(&w, &a, "https://b.test/", NULL, 0).outcome == HTTP_NOT_SENT);
    sim_loop_down(l, "https://a.test", true);
    check("down", one(&w, &a, "https://a.test/", NULL, 0).outcome == HTTP_NOT_SENT && s.asked == asked);
    sim_loop_down(l, "https://a.test", false);
    sim_loop_private_ca(l, "https://a.test", "/ca.pem");
    r = one(&w, &a, "https://a.test/", NULL, 0);
    check("no trust", r.outcome == HTTP_NOT_SENT && r.connect_ms >= 0 && r.tls_ms == -1 && s.asked == asked);
    check("trust", one(&w, &a, "https://a.test/", "/ca.pem", 0).outcome == HTTP_ANSWERED);
    struct http_res nothing;
    void *tag;
    check("nothing under way", w.http.wait(w.http.ctx, 10, &a, &nothing, &tag) == -1);
    check("equal seeds, equal traces; others differ", run(3) == run(3) && run(3) != run(4));
    arena_free(&a);
    sim_loop_free(l);
    return failed ? 1 : 0;
}
