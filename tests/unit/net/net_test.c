/* net_test.c - the transport against a loopback server that misbehaves, and net.c's rules over it and over a scripted transport. */
#include "net/curl_http.h"
#include "net/net.h"
#include "base/buf.h"
#include "base/limits.h"
#include "loopback.h"
#include <fcntl.h>
#include <sys/wait.h>

static int failures;
static void check(bool good, const char *name, const char *why)
{
    if (good) printf("ok %s\n", name);
    else printf("not ok %s: %s\n", name, why);
    failures += !good;
}

static struct world w;
static struct arena arena;
static struct loopback server;

static struct http_res transfer(const char *method, const char *url, const char *pool, size_t body, size_t max_body, int64_t total_ms, bool fresh)
{
    static char bytes[200000];
    struct http_req req = {.method = method, .url = url, .pool = pool, .body = {bytes, body}, .max_body_bytes = max_body,
                           .total_timeout_ms = total_ms, .connect_timeout_ms = 2000, .fresh = fresh};
    struct http_res res = {.outcome = HTTP_REFUSED};
    void *tag = NULL;
    int mark = 0;
    if (w.http.start(w.http.ctx, &req, &mark) != 0) return res;
    for (int i = 0; i < 200; i++)
        if (w.http.wait(w.http.ctx, 1000, &arena, &res, &tag) != 0) break;
    if (tag != &mark) (void)snprintf(res.error, sizeof res.error, "the tag was lost");
    return res;
}

static const char *at(const char *path)
{
    static char url[160];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s", server.port, path);
    return url;
}

static struct http_res get(const char *path) { return transfer("GET", at(path), "a", 0, 100000, 30000, false); }

static void test_answers(void)
{
    struct http_res r = get("/ok");
    const char *h = http_header_get(&r, "x-mixed-case");
    check(r.outcome == HTTP_ANSWERED && r.status == 200 && str_is(r.body, "body 0") && r.body.p[r.body.n] == '\0', "get", r.error);
    check(h && strcmp(h, "a b") == 0, "header names are lower case, values trimmed", h ? h : "none");
    r = transfer("PUT", at("/ok"), "a", 150000, 1000, 30000, false);
    check(str_is(r.body, "body 150000"), "put with a body", r.error);
    r = transfer("DELETE", at("/ok"), "a", 0, 1000, 30000, false);
    check(str_is(r.body, "body 0"), "delete", r.error);
    r = get("/gzip");
    check(r.body.n == 3000, "gzip is unpacked", r.error);
    r = get("/interim");
    check(r.status == 200 && !http_header_get(&r, "x-early"), "headers of an interim answer are dropped", r.error);
    r = get("/redirect");
    check(r.outcome == HTTP_ANSWERED && r.status == 302, "a redirect is an answer, not followed", r.error);
}

/* RFC 9112 5.2: a folded line belongs to the value before it, whatever it looks like; 9110 5.6.2: a name is a token. */
static void test_odd_heads(void)
{
    struct http_res r = get("/odd-heads");
    const char *folded = http_header_get(&r, "x-folded"), *empty = http_header_get(&r, "x-empty"), *last = http_header_get(&r, "x-last");
    check(folded && strcmp(folded, "a Retry-After: 3600 b") == 0, "a folded line goes on with the value", folded ? folded : "none");
    check(!http_header_get(&r, "retry-after"), "a folded line is no header", "it is");
    check(empty && strcmp(empty, "c") == 0, "a value that begins in a folded line", empty ? empty : "none");
    check(last && strcmp(last, "g") == 0, "a blank folded line does not end the headers", last ? last : "none");
    bool named = true;
    for (size_t i = 0; i < r.nheaders; i++) named = named && !strpbrk(r.headers[i].name, " ()");
    check(r.outcome == HTTP_ANSWERED && named && r.nheaders == 4, "what has no name is no header, nor what it goes on with", r.error);
}

static void test_limits(void)
{
    struct http_res r = transfer("GET", at("/gzip"), "a", 0, 2999, 30000, false);
    check(r.outcome == HTTP_TOO_LARGE, "body over the cap", r.error);
    r = transfer("GET", at("/chunks"), "a", 0, 100000, 20000, false);
    check(r.outcome == HTTP_TOO_LARGE && r.elapsed_ms < 5000, "endless chunks", r.error);
    r = transfer("GET", at("/bomb"), "a", 0, 1u << 20, 20000, false);
    check(r.outcome == HTTP_TOO_LARGE, "gzip bomb", r.error);
    r = get("/heads");
    check(r.outcome == HTTP_TOO_LARGE, "headers over the cap", r.error);
}

static void test_outcomes(void)
{
    struct http_res r = transfer("POST", at("/swallow"), "a", 10, 1000, 30000, true);
    check(r.outcome == HTTP_AMBIGUOUS, "read and closed: ambiguous", r.error);
    r = transfer("GET", at("/slow"), "a", 0, 1000, 300, false);
    check(r.outcome == HTTP_AMBIGUOUS && r.elapsed_ms < 1200, "time out after sending: ambiguous", r.error);
    r = get("/cut");
    check(r.outcome == HTTP_AMBIGUOUS, "an answer cut short: ambiguous", r.error);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char url[80] = "";
    if (bind(fd, (struct sockaddr *)&a, n) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0)
        (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", ntohs(a.sin_port));
    r = transfer("POST", url, "a", 10, 1000, 30000, false);
    check(r.outcome == HTTP_NOT_SENT, "connection refused: not sent", r.error);
    (void)close(fd);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", server.port);
    r = transfer("POST", url, "a", 10, 1000, 1500, false);
    check(r.outcome == HTTP_NOT_SENT, "no TLS at the other side: not sent", r.error);
    r = transfer("POST", "https://no-such-host.invalid/x?token=geheim", "a", 10, 1000, 30000, false);
    check(r.outcome == HTTP_NOT_SENT && !strstr(r.error, "geheim"), "unknown host: not sent, no query in the text", r.error);
}

/* What a request may hold, one part at a time; the loopback addresses are only refused by nobody who listens. */
static void test_requests(void)
{
    static char large[1];
    struct http_header control[] = {{"X\nA", "b"}, {"X-A", "b\x7f"}};
    static const char *const own[] = {"http://LOCALHOST:1/", "http://127.9.9.9:1/", "http://[::1]:1/"}, *const others[] = {"http://[::1", "http://[0:0:0:0:0:ffff:7f00:1]:1/", "http://128.0.0.1:1/", "http://127.0.0.1:1/\x7f", "https://", ""};
    const struct { const char *what; struct http_req req; } bad[] = {
        {"a method of its own", {.method = "TRACE", .url = at("/ok"), .pool = "a"}}, {"a body above the limit", {.method = "POST", .url = at("/ok"), .pool = "a", .body = {large, LIMIT_ANSWER_BYTES + 1u}}},
        {"no pool", {.method = "GET", .url = at("/ok")}}, {"a pool without a name", {.method = "GET", .url = at("/ok"), .pool = ""}},
        {"a pool with a long name", {.method = "GET", .url = at("/ok"), .pool = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},
        {"a header's name over two lines", {.method = "GET", .url = at("/ok"), .pool = "a", .headers = &control[0], .nheaders = 1}}, {"a header's value with a control byte", {.method = "GET", .url = at("/ok"), .pool = "a", .headers = &control[1], .nheaders = 1}},
        {"certificates that are not there", {.method = "GET", .url = at("/ok"), .pool = "a", .ca_file = "/nowhere/ca.pem"}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_res r = {.outcome = HTTP_ANSWERED};
        void *tag = NULL;
        bool good = w.http.start(w.http.ctx, &bad[i].req, &r) == 0 && w.http.wait(w.http.ctx, 1000, &arena, &r, &tag) == 1 && tag == &r && r.outcome == HTTP_REFUSED;
        check(good, bad[i].what, r.error);
    }
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        struct http_res r = transfer("PATCH", own[i], "a", 3, 1000, 500, false);
        check(r.outcome == HTTP_NOT_SENT, own[i], r.error);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) check(transfer("GET", others[i], "a", 0, 1000, 500, false).outcome == HTTP_REFUSED, others[i][0] ? others[i] : "no address", "it went");
}

static void test_refusals(void)
{
    static const char *const bad[] = {"http://example.com/", "http://127.0.0.1.example.com/", "http://localhost.example.com/", "ftp://127.0.0.1/", "file:///etc/passwd",
                                      "https://user:pass@127.0.0.1/", "http://[::2]/", "http://10.0.0.1/", "nonsense", "http://127.0.0.1/\r\nX: y"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_res r = transfer("GET", bad[i], "a", 0, 1000, 500, false);
        char name[120];
        (void)snprintf(name, sizeof name, "refused: %.60s", i == 9 ? "line break in the URL" : bad[i]);
        check(r.outcome == HTTP_REFUSED, name, r.error);
    }
    struct http_header h = {"X-A", "b\r\nX-C: d"};
    struct http_req req = {.method = "GET", .url = at("/ok"), .headers = &h, .nheaders = 1, .pool = "a"};
    struct http_res r;
    void *tag;
    bool good = w.http.start(w.http.ctx, &req, &h) == 0 && w.http.wait(w.http.ctx, 1000, &arena, &r, &tag) == 1 && r.outcome == HTTP_REFUSED;
    check(good, "refused: line break in a header", "it went");
}

static void test_connections(void)
{
    (void)transfer("GET", at("/ok"), "p1", 0, 1000, 30000, false);
    unsigned before = server.connections;
    (void)transfer("POST", at("/ok"), "p1", 5, 1000, 30000, false);
    check(server.connections == before, "keep-alive inside of a pool", "a new connection");
    (void)transfer("GET", at("/ok"), "p2", 0, 1000, 30000, false);
    check(server.connections == before + 1, "pools do not share connections", "shared");
    (void)transfer("POST", at("/ok"), "p1", 5, 1000, 30000, true);
    check(server.connections == before + 2, "fresh takes a connection of its own", "reused");
    (void)transfer("POST", at("/ok"), "p1", 5, 1000, 30000, false);
    check(server.connections == before + 2, "the fresh one is not kept", "a new connection");
}

/* libcurl repeats a request on a dead pooled connection; a write must not be repeated. */
static void test_no_silent_repeat(void)
{
    (void)transfer("GET", at("/second"), "q", 0, 1000, 30000, false);
    unsigned before = server.swallowed;
    struct http_res r = transfer("POST", at("/second"), "q", 100, 1000, 30000, false);
    check(r.outcome == HTTP_AMBIGUOUS && server.swallowed == before + 1, "a write leaves once on a dead connection", r.error);
    r = transfer("GET", at("/second"), "q", 0, 1000, 30000, false);
    check(r.outcome == HTTP_ANSWERED, "the pool recovers", r.error);
    unsigned requests = server.requests;
    r = transfer("GET", at("/second"), "q", 0, 1000, 30000, false);
    check(r.outcome == HTTP_ANSWERED && server.requests == requests + 2, "a read may be repeated by libcurl", r.error);
}

static void test_in_flight(void)
{
    struct http_req req = {.method = "GET", .url = at("/slow"), .pool = "a", .total_timeout_ms = 5000};
    unsigned started = 0, seen = 0;
    char tags[CURL_HTTP_IN_FLIGHT];
    while (started < CURL_HTTP_IN_FLIGHT && w.http.start(w.http.ctx, &req, &tags[started]) == 0) started++;
    check(started == CURL_HTTP_IN_FLIGHT && w.http.start(w.http.ctx, &req, NULL) == -1, "cap on transfers under way", "not kept");
    struct http_res r;
    void *tag;
    int got;
    while ((got = w.http.wait(w.http.ctx, 3000, &arena, &r, &tag)) >= 0) seen += got == 1 && r.status == 200;
    check(seen == started, "all of them come back", "some were lost");
}

/* ---- net.c over the real transport ---- */

struct notes { unsigned n; char last[200]; };
static void on_note(void *ctx, const char *what, unsigned attempt, int64_t delay_ms, const char *why)
{
    struct notes *notes = ctx;
    (void)attempt; (void)delay_ms;
    notes->n++;
    (void)snprintf(notes->last, sizeof notes->last, "%s: %.150s", what, why);
}

static struct net_class by_status(void *ctx, const struct http_res *res)
{
    (void)ctx;
    struct net_class k = {res->status >= 500 ? NET_RETRY : NET_DONE, net_retry_after_ms(res, 0), false};
    return k;
}

static void test_calls(void)
{
    struct notes notes = {0};
    struct net *n;
    struct http_res res;
    struct fault f = {ERR_OK, ""};
    struct net_policy p = {4, 1, 5, true}, write = {4, 1, 5, false};
    (void)net_open(&n, &w, on_note, &notes);
    struct http_req req = {.method = "GET", .url = at("/flaky/3"), .pool = "n", .total_timeout_ms = 5000};
    enum err e = net_call(n, "flaky", &req, &p, by_status, NULL, &arena, &res, &f);
    check(e == ERR_OK && res.status == 200 && notes.n == 2, "repeated until it answers", f.text);
    req.url = at("/swallow");
    unsigned before = server.swallowed;
    e = net_call(n, "swallow", &req, &p, by_status, NULL, &arena, &res, &f);
    check(e == ERR_UNREACHABLE && server.swallowed >= before + 4, "an idempotent call is repeated when ambiguous", f.text);
    req.method = "POST";
    before = server.swallowed;
    e = net_call(n, "swallow", &req, &write, by_status, NULL, &arena, &res, &f);
    check(e == ERR_AMBIGUOUS && server.swallowed == before + 1, "a write is not", f.text);
    volatile int stop = 1;
    net_set_stop(n, &stop);
    check(net_call(n, "x", &req, &p, by_status, NULL, &arena, &res, &f) == ERR_STOPPED, "the stop flag ends a call", f.text);
    net_close(n);
}

static void test_two_nets(void)
{
    struct net *one, *two;
    struct http_res res;
    void *tag = NULL;
    struct fault f = {ERR_OK, ""};
    struct net_policy p = {1, 1, 5, true};
    (void)net_open(&one, &w, NULL, NULL);
    (void)net_open(&two, &w, NULL, NULL);
    char quick_url[80], slow_url[80];
    (void)snprintf(quick_url, sizeof quick_url, "%s", at("/ok"));
    struct http_req quick = {.method = "GET", .url = quick_url, .pool = "one"};
    (void)snprintf(slow_url, sizeof slow_url, "%s", at("/slow"));
    struct http_req slow = {.method = "GET", .url = slow_url, .pool = "two"};
    int mark;
    check(net_start(one, &quick, &mark) == 0, "start", "refused");
    enum err e = net_call(two, "slow", &slow, &p, by_status, NULL, &arena, &res, &f);
    check(e == ERR_OK && str_is(res.body, "late"), "another net's completion does not end a call", f.text);
    check(net_wait(one, 0, &arena, &res, &tag) == 1 && tag == &mark && str_is(res.body, "body 0"), "and is kept for its owner", "lost");
    check(net_wait(one, 0, &arena, &res, &tag) == -1 && net_in_flight(one) == 0, "nothing under way", "something");
    check(net_start(one, &slow, &mark) == 0, "start", "refused");
    net_close(one);
    e = net_call(two, "slow", &slow, &p, by_status, NULL, &arena, &res, &f);
    check(e == ERR_OK && res.status == 200, "a completion of a closed net is dropped", f.text);
    net_close(two);
}

/* ---- net.c over a scripted transport on a virtual clock ---- */

struct script { int64_t now; unsigned starts; void *tag; bool busy; enum http_outcome outcome; int status; const char *retry_after; };
static int64_t virtual_ms(void *ctx) { return ((struct script *)ctx)->now; }
static void virtual_sleep(void *ctx, int64_t ms) { ((struct script *)ctx)->now += ms; }
static int script_start(void *ctx, const struct http_req *req, void *tag)
{
    struct script *s = ctx;
    (void)req;
    s->starts++;
    s->tag = tag;
    s->busy = true;
    return 0;
}
static int script_wait(void *ctx, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag)
{
    struct script *s = ctx;
    (void)timeout_ms;
    if (!s->busy) return -1;
    s->busy = false;
    s->now += 10;
    struct http_header *h = ARENA_NEW(a, struct http_header);
    *h = (struct http_header){"retry-after", s->retry_after};
    *res = (struct http_res){.outcome = s->outcome, .status = s->status, .headers = h, .nheaders = s->retry_after ? 1 : 0, .body = {"", 0}};
    *tag = s->tag;
    return 1;
}

static void test_breaker(void)
{
    struct script s = {.outcome = HTTP_NOT_SENT};
    struct world v = w;
    v.clock = (struct world_clock){virtual_ms, virtual_ms, virtual_sleep, &s};
    v.http = (struct world_http){script_start, script_wait, &s};
    struct net *n;
    (void)net_open(&n, &v, NULL, NULL);
    struct net_policy p = {4, 100, 1000, true};
    struct http_req req = {.method = "GET", .url = "https://h.example/x?secret=1", .pool = "v"};
    struct http_res res;
    struct fault f = {ERR_OK, ""};
    (void)net_call(n, "c", &req, &p, by_status, NULL, &arena, &res, &f);
    check(s.starts == 4 && f.err == ERR_UNREACHABLE && !strstr(f.text, "secret"), "four attempts, no query in the text", f.text);
    (void)net_call(n, "c", &req, &p, by_status, NULL, &arena, &res, &f);
    enum err e = net_call(n, "c", &req, &p, by_status, NULL, &arena, &res, &f);
    check(e == ERR_BUSY && s.starts == 8, "the breaker opens after eight failures", f.text);
    s.now += 31000;
    s.outcome = HTTP_ANSWERED;
    s.status = 200;
    check(net_call(n, "c", &req, &p, by_status, NULL, &arena, &res, &f) == ERR_OK, "and closes after a probe", f.text);
    s.status = 503;
    s.retry_after = "3600";
    s.starts = 0;
    int64_t t = s.now;
    e = net_call(n, "c", &req, &p, by_status, NULL, &arena, &res, &f);
    check(e == ERR_BUSY && s.starts == 1 && s.now - t < 1000 && res.status == 503, "a long Retry-After is not slept through", f.text);
    s.retry_after = "20";
    t = s.now;
    (void)net_call(n, "c", &req, &p, by_status, NULL, &arena, &res, &f);
    check(s.now - t >= 60000, "a short one is", f.text);
    s.retry_after = NULL;
    struct net_policy many = {100, 1, 2, true};
    s.starts = 0;
    for (int i = 0; i < 20; i++) {
        s.status = 200;
        (void)net_call(n, "c", &req, &p, by_status, NULL, &arena, &res, &f);
        s.status = 503;
        s.starts = 0;
        (void)net_call(n, "c", &req, &many, by_status, NULL, &arena, &res, &f);
        s.now += 400000;
    }
    check(s.starts <= 21, "the retry budget ends repeats", f.text);
    net_close(n);
}

/* A SOAP fault travels as 500: the classifier, not the status, says whether the host is ill. */
static struct net_class final_whatever(void *ctx, const struct http_res *res)
{
    (void)ctx;
    (void)res;
    return (struct net_class){.verdict = NET_GIVE_UP};
}

static void test_final_500(void)
{
    struct script s = {.outcome = HTTP_ANSWERED, .status = 500};
    struct world v = w;
    v.clock = (struct world_clock){virtual_ms, virtual_ms, virtual_sleep, &s};
    v.http = (struct world_http){script_start, script_wait, &s};
    struct net *n;
    (void)net_open(&n, &v, NULL, NULL);
    struct net_policy p = {4, 1, 5, true};
    struct http_req req = {.method = "POST", .url = "https://h.example/x", .pool = "v"};
    struct http_res res;
    struct fault f = {ERR_OK, ""};
    enum err e = ERR_OK;
    for (int i = 0; i < 3 * NET_BREAKER_FAILURES && e == ERR_OK; i++) e = net_call(n, "c", &req, &p, final_whatever, NULL, &arena, &res, &f);
    check(e == ERR_OK && s.starts == 3 * NET_BREAKER_FAILURES && res.status == 500, "a 500 that is final is an answer and opens no breaker", f.text);
    (void)net_call(n, "c", &req, &p, by_status, NULL, &arena, &res, &f);
    (void)net_call(n, "c", &req, &p, by_status, NULL, &arena, &res, &f);
    s.starts = 0;
    e = net_call(n, "c", &req, &p, by_status, NULL, &arena, &res, &f);
    check(e == ERR_BUSY && s.starts == 0, "those that are repeated do", f.text);
    net_close(n);
}

static void test_pace(void)
{
    struct net_window a, b;
    net_window_init(&a, 86400000);
    int64_t now = 1790000000000;
    net_window_add(&a, now - 86400000 - 2 * 3600000, 7);
    net_window_add(&a, now - 1000, 5);
    net_window_add(&a, now, 6);
    check(net_window_sum(&a, now) == 11, "a window forgets", "it does not");
    check(net_window_sum(&a, now - 3600000) == 11, "a clock that went back does not free budget", "it does");
    struct buf t = {0};
    net_window_print(&t, &a);
    net_window_init(&b, 86400000);
    check(net_window_parse(&b, buf_view(&t)) && net_window_sum(&b, now) == 11, "a window survives as text", buf_cstr(&t));
    check(!net_window_parse(&b, STR("86400000 12:")) && !net_window_parse(&b, STR("x")), "malformed text is refused", "taken");
    check(net_window_sum(&b, now + 2 * 86400000) == 0, "all is forgotten in the end", "not");
    check(net_window_sum(&b, now - 3 * 86400000) == 0, "what a clock wrote that was days ahead does not count", "it does");
    static const char *const bad[] = {"86400000:1", "86400000 12", "86400000 12 3", "86400000 12:3:4", "86400000 :3", "86400000 12:x", " 12:3", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char name[80];
        (void)snprintf(name, sizeof name, "malformed text is refused: \"%s\"", bad[i]);
        check(!net_window_parse(&b, str_of(bad[i])) && net_window_sum(&b, now) == 11, name, "taken");
    }
    buf_clear(&t);
    net_url_encode(&t, STR("a b&c/\xc3\xa4~"));
    check(str_is(buf_view(&t), "a%20b%26c%2F%C3%A4~"), "percent encoding", buf_cstr(&t));
    buf_free(&t);
    bool inside = true;
    for (int64_t last = 10, i = 0; i < 1000; i++) {
        last = net_jitter(&w, 10, 500, last);
        inside = inside && last >= 10 && last <= 500;
    }
    check(inside, "jitter stays inside", "outside");
    check(net_jitter(&w, 10, 10, 500) == 10 && net_jitter(&w, 100, 500, 20) == 100, "jitter without room is the least delay", "another");
    struct http_header h = {"retry-after", "Mon, 23 Nov 2026 10:00:30 GMT"};
    struct http_res r = {.headers = &h, .nheaders = 1};
    check(net_retry_after_ms(&r, 1795428000000) == 30000, "Retry-After as a date", "wrong");
    h.value = "Tue, 24 Nov 2026 10:00:30 GMT";
    check(net_retry_after_ms(&r, 1795428000000) == 3600000, "a date of tomorrow is believed for an hour", "wrong");
    h.value = "Sun, 22 Nov 2026 10:00:30 GMT";
    check(net_retry_after_ms(&r, 1795428000000) == 0, "a date of yesterday is now", "wrong");
    h.value = "99999999999";
    check(net_retry_after_ms(&r, 0) == 3600000, "so are seconds of years", "wrong");
    h.value = "soon";
    check(net_retry_after_ms(&r, 0) == 0, "Retry-After that is neither", "wrong");
}

/* Beside the transport of the other tests: its pools would use up theirs. */
static void test_pools(void)
{
    struct world other, untouched;
    struct fault f = {ERR_OK, ""};
    struct http_res r;
    void *tag;
    int mark[CURL_HTTP_POOLS + 2], refused = -1;
    char name[20];
    world_real(&other);
    check(curl_http_open(&other, &f) == ERR_OK, "a second transport", f.text);
    for (int i = 0; i < CURL_HTTP_POOLS + 1; i++) {
        (void)snprintf(name, sizeof name, "pool %d", i);
        struct http_req req = {.method = "GET", .url = at("/ok"), .pool = name, .ca_file = ""};
        check(other.http.start(other.http.ctx, &req, &mark[i]) == 0, "a transfer starts", "it does not");
        bool came = other.http.wait(other.http.ctx, 10000, &arena, &r, &tag) == 1;
        for (int k = 0; !came && k < 200; k++) came = other.http.wait(other.http.ctx, 1000, &arena, &r, &tag) == 1;
        if (came && tag == &mark[i] && r.outcome == HTTP_REFUSED && strstr(r.error, "too many connection pools")) refused = i;
        else if (!came || tag != &mark[i] || r.outcome != HTTP_ANSWERED) break;
    }
    check(refused == CURL_HTTP_POOLS, "one pool too many is refused, the others are served", r.error);
    struct http_req first = {.method = "GET", .url = at("/ok"), .pool = "pool 0"}, bad = {.method = "GET", .url = at("/ok"), .pool = "one more"};
    check(other.http.start(other.http.ctx, &first, mark) == 0 && other.http.start(other.http.ctx, &bad, mark) == 0, "what is refused, and what is under way, may be left behind", "it may not");
    untouched = w;
    untouched.http.start = NULL;
    curl_http_close(&untouched);
    check(untouched.http.ctx == w.http.ctx, "a transport that is not libcurl's is left alone", "closed");
    curl_http_close(&other);
    curl_http_close(&other);
    check(other.http.ctx == NULL && get("/ok").outcome == HTTP_ANSWERED, "closing twice closes once, and nobody else's", "not");
}

static void test_window_text(void)
{
    struct net_window day;
    net_window_init(&day, 86400000);
    check(net_window_parse(&day, STR("86400000 1795428000000:7")) && net_window_sum(&day, 1795428000001) == 7, "a window comes back", "wrong");
    check(!net_window_parse(&day, STR("86400000 9223372036854775807:1")), "a stamp that no clock wrote is refused", "taken");
    check(!net_window_parse(&day, STR("86400000 1795428000000:9223372036854775807")), "a count that overflows is refused", "taken");
    check(net_window_sum(&day, 1795428000001) == 7, "what is refused changes nothing", "changed");
}

int main(void)
{
    struct fault f = {ERR_OK, ""};
    alarm(300);
    arena_init(&arena, 0);
    world_real(&w);
    if (curl_http_open(&w, &f) != ERR_OK || !loopback_open(&server)) {
        printf("not ok set-up: %s\n", f.text);
        return 1;
    }
    test_answers();
    test_odd_heads();
    test_limits();
    test_outcomes();
    test_refusals();
    test_requests();
    test_connections();
    test_no_silent_repeat();
    test_in_flight();
    test_calls();
    test_two_nets();
    test_breaker();
    test_final_500();
    test_pools();
    test_pace();
    test_window_text();
    curl_http_close(&w);
    loopback_close(&server);
    arena_free(&arena);
    return failures ? 1 : 0;
}
