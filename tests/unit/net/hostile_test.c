/* hostile_test.c - the transport against servers that mean harm, over real sockets: what they send is cut at the limit, in bounded time and memory, and the
 * outcome says what is known. Each attack has its control: the same server with a limit that lets it through, or the count of what it got rid of.
 *
 *     limit of the body 1 MiB, of the headers 64 KiB and 128 lines (curl_http.h), of the time 1 s where nothing else ends it */
#include "net/curl_http.h"
#include "base/buf.h"
#include "loopback.h"
#include <malloc.h>
#include <sys/resource.h>

static int failures;
static void check(bool good, const char *name, const char *why)
{
    if (good) printf("ok %s\n", name);
    else printf("not ok %s: %s\n", name, why);
    failures += !good;
}

enum { LIMIT = 1 << 20, ZEROS = 64 << 20, TIME_MS = 1000 };

static struct world w;
static struct arena arena;
static struct loopback server;
static atomic_ullong sent;                 /* bytes that an attack got rid of */

/* ---- the attacks ---- */

static bool push(int fd, const char *p, size_t n)
{
    bool good = put(fd, p, n);
    if (good) sent += n;
    return good;
}

static bool push_text(int fd, const char *s) { return push(fd, s, strlen(s)); }

/* window: 15 + 16 gzip, 15 zlib, -15 raw deflate */
static size_t squeeze(const void *in, size_t n, int window, unsigned char *out, size_t cap)
{
    z_stream z = {0};
    if (deflateInit2(&z, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    union { const void *in; unsigned char *out; } u = {in};
    z.next_in = u.out; z.avail_in = (unsigned)n; z.next_out = out; z.avail_out = (unsigned)cap;
    size_t got = deflate(&z, Z_FINISH) == Z_STREAM_END ? (size_t)z.total_out : 0;
    (void)deflateEnd(&z);
    return got;
}

/* 64 MiB of zero bytes, packed once and beforehand: it is not the server's time that is measured. */
static struct bomb { int window, times; unsigned char *p; size_t n; } bombs[] = {{15 + 16, 1, NULL, 0}, {15, 1, NULL, 0}, {-15, 1, NULL, 0}, {15 + 16, 2, NULL, 0}};
enum { GZIP, ZLIB, RAW, GZIP_TWICE };

static bool pack_bombs(void)
{
    size_t cap = ZEROS / 800;
    unsigned char *zeros = calloc(1, ZEROS);
    bool good = zeros != NULL;
    for (size_t i = 0; good && i < sizeof bombs / sizeof *bombs; i++) {
        struct bomb *b = &bombs[i];
        b->p = malloc(cap);
        good = b->p && (b->n = b->times == 1 ? squeeze(zeros, ZEROS, b->window, b->p, cap) : squeeze(bombs[GZIP].p, bombs[GZIP].n, b->window, b->p, cap)) > 0;
    }
    free(zeros);
    return good;
}

static void bomb(int fd, const char *encoding, int which)
{
    char head[200];
    (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n", encoding, bombs[which].n);
    if (push_text(fd, head)) (void)push(fd, (const char *)bombs[which].p, bombs[which].n);
}

/* Many pieces at a time, so that it is the client who sets the pace. */
static void repeat(int fd, const char *head, const char *piece, unsigned times)
{
    static _Thread_local char many[65536];
    size_t n = strlen(piece), pack = n ? sizeof many / n : 1;
    bool on = push_text(fd, head);
    for (size_t i = 0; i < pack && n; i++) memcpy(many + i * n, piece, n);
    for (size_t left = n ? times : 0; on && left > 0; left -= left < pack ? left : pack) on = push(fd, many, n * (left < pack ? left : pack));
}

static void drip(int fd, const char *head, const char *bytes)
{
    bool on = push_text(fd, head);
    for (; on && *bytes && !server.end; bytes++) {
        on = push(fd, bytes, 1);
        nap_ms(40);
    }
}

#define KB "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
static enum loopback_did attack(struct loopback *s, int fd, const char *path, const char *request)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\n", chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    (void)s, (void)request;
    if (strcmp(path, "/gzip") == 0) bomb(fd, "gzip", GZIP);
    else if (strcmp(path, "/deflate") == 0) bomb(fd, "deflate", ZLIB);
    else if (strcmp(path, "/raw-deflate") == 0) bomb(fd, "deflate", RAW);
    else if (strcmp(path, "/gzip-gzip") == 0) bomb(fd, "gzip, gzip", GZIP_TWICE);
    else if (strcmp(path, "/gzip-20") == 0) bomb(fd, "gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip", GZIP_TWICE);
    else if (strcmp(path, "/gzip-broken") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4096\r\n\r\n", KB, 32);
    else if (strcmp(path, "/gzip-small") == 0) (void)answer_gzip(fd, 4096);
    else if (strcmp(path, "/chunks") == 0) repeat(fd, chunked, "80\r\n" KB "\r\n", 4000000);
    else if (strcmp(path, "/tiny-chunks") == 0) repeat(fd, chunked, "1\r\nx\r\n", 40000000);
    else if (strcmp(path, "/huge-chunk") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n", KB, 4000000);
    else if (strcmp(path, "/overflowing-chunk") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffffff\r\n", KB, 100);
    else if (strcmp(path, "/chunk-extension") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=", KB, 4000000);
    else if (strcmp(path, "/trailers") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", "X-A: " KB "\r\n", 4000000);
    else if (strcmp(path, "/headers") == 0) repeat(fd, ok, "X-A: b\r\n", 40000000);
    else if (strcmp(path, "/header-1mb") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nX-A: ", KB, 8192);
    else if (strcmp(path, "/header-endless") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nX-A: ", KB, 4000000);
    else if (strcmp(path, "/folded") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nX-A: b\r\n", " " KB "\r\n", 4000000);
    else if (strcmp(path, "/status-line") == 0) repeat(fd, "HTTP/1.1 200 ", KB, 4000000);
    else if (strcmp(path, "/no-http") == 0) repeat(fd, "", KB, 4000000);
    else if (strcmp(path, "/interim") == 0) repeat(fd, "", "HTTP/1.1 103 Early Hints\r\nX-A: b\r\n\r\n", 4000000);
    else if (strcmp(path, "/continue") == 0) repeat(fd, "", "HTTP/1.1 100 Continue\r\n\r\n", 40000000);
    else if (strcmp(path, "/interim-once") == 0) repeat(fd, "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1);
    else if (strcmp(path, "/endless") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", KB, 4000000);
    else if (strcmp(path, "/drip-body") == 0) drip(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", KB KB);
    else if (strcmp(path, "/drip-head") == 0) drip(fd, "", "HTTP/1.1 200 OK\r\nX-A: " KB);
    else if (strcmp(path, "/drip-chunks") == 0) drip(fd, chunked, "1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n");
    else if (strcmp(path, "/longer") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", 1);
    else if (strcmp(path, "/shorter") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n", "ok", 1);
    else if (strcmp(path, "/negative") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "ok", 1);
    else if (strcmp(path, "/two-lengths") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 20\r\n\r\n", "ok", 1);
    else if (strcmp(path, "/no-number") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "ok", 1);
    else if (strcmp(path, "/announced") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", KB, 4000000);
    else if (strcmp(path, "/half-head") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nContent-Le", "", 0);
    else if (strcmp(path, "/half-chunk") == 0) repeat(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n", "half", 1);
    else if (strcmp(path, "/at-once") != 0) return LOOPBACK_NOT_MINE;
    return LOOPBACK_CLOSE;
}

/* ---- the client ---- */

static struct http_res ask(const char *method, const char *path, size_t limit, int64_t total_ms)
{
    char url[120];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s", server.port, path);
    struct http_req req = {.method = method, .url = url, .pool = "a", .body = {"{}", method[0] == 'P' ? 2 : 0}, .max_body_bytes = limit, .connect_timeout_ms = 2000,
                           .total_timeout_ms = total_ms, .fresh = true};
    struct http_res res = {.outcome = HTTP_REFUSED};
    void *tag = NULL;
    sent = 0;
    if (w.http.start(w.http.ctx, &req, &tag) != 0) return res;
    for (int i = 0; i < 600; i++)
        if (w.http.wait(w.http.ctx, 500, &arena, &res, &tag) != 0) break;
    return res;
}

static const char *outcome_name(enum http_outcome o)
{
    static const char *const names[] = {"answered", "not sent", "ambiguous", "too large", "refused"};
    return names[o];
}

/* When the server's threads have ended: theirs counts too. */
static size_t memory_in_use(void)
{
    arena_reset(&arena);
    for (int i = 0; i < 500 && server.open > 0; i++) nap_ms(10);
    return mallinfo2().uordblks;
}

/* What an attack may cost: time by its own limit, memory by the limit of the body (and what libcurl and the arena hold), nothing left behind. */
static void attacked(const char *method, const char *path, enum http_outcome want, size_t most)
{
    char name[120], why[400];
    size_t before = memory_in_use();
    struct http_res r = ask(method, path, LIMIT, TIME_MS);
    unsigned long long bytes = sent;
    size_t after = memory_in_use();
    bool kept = after <= before + 65536 && bytes <= most;
    (void)snprintf(name, sizeof name, "%s %s: %s", method, path + 1, outcome_name(want));
    (void)snprintf(why, sizeof why, "%s, %s, %lld ms, %zu bytes kept, the server got rid of %llu", outcome_name(r.outcome), r.error, (long long)r.elapsed_ms,
                   after > before ? after - before : 0, bytes);
    check(r.outcome == want && r.elapsed_ms <= TIME_MS + 1000 && kept && (want == HTTP_ANSWERED || (r.error[0] && r.body.n == 0)), name, why);
}

/* The bytes that the server got rid of: the limit and what lies in the sockets between. What stands behind a ';' in the line of a chunk is not told by libcurl
 * and cannot be counted; there it is the time that ends it. */
enum { SOCKETS = 12 << 20 };
static const char UNCOUNTED[] = "/chunk-extension";
static const struct { const char *path; enum http_outcome want; } attacks[] = {
    {"/gzip", HTTP_TOO_LARGE}, {"/deflate", HTTP_TOO_LARGE}, {"/raw-deflate", HTTP_TOO_LARGE}, {"/gzip-gzip", HTTP_TOO_LARGE}, {"/gzip-20", HTTP_AMBIGUOUS}, {"/gzip-broken", HTTP_AMBIGUOUS},
    {"/chunks", HTTP_TOO_LARGE}, {"/tiny-chunks", HTTP_TOO_LARGE}, {"/huge-chunk", HTTP_TOO_LARGE}, {"/overflowing-chunk", HTTP_AMBIGUOUS}, {UNCOUNTED, HTTP_AMBIGUOUS},
    {"/trailers", HTTP_TOO_LARGE}, {"/headers", HTTP_TOO_LARGE}, {"/header-1mb", HTTP_TOO_LARGE}, {"/header-endless", HTTP_TOO_LARGE}, {"/folded", HTTP_TOO_LARGE},
    {"/status-line", HTTP_TOO_LARGE}, {"/no-http", HTTP_AMBIGUOUS}, {"/interim", HTTP_TOO_LARGE}, {"/continue", HTTP_TOO_LARGE}, {"/endless", HTTP_TOO_LARGE},
    {"/drip-body", HTTP_AMBIGUOUS}, {"/drip-head", HTTP_AMBIGUOUS}, {"/drip-chunks", HTTP_AMBIGUOUS}, {"/shorter", HTTP_AMBIGUOUS}, {"/negative", HTTP_AMBIGUOUS},
    {"/no-number", HTTP_AMBIGUOUS}, {"/announced", HTTP_TOO_LARGE}, {"/half-head", HTTP_AMBIGUOUS}, {"/half-chunk", HTTP_AMBIGUOUS}, {"/at-once", HTTP_AMBIGUOUS},
    {"/two-lengths", HTTP_AMBIGUOUS}};

/* The attacks are real: with a limit that allows it, a bomb becomes what it holds; and the server does send more than the limit where nobody stops it. */
static void controls(void)
{
    static const char *const paths[] = {"/gzip", "/deflate", "/raw-deflate", "/gzip-gzip"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char name[80];
        struct http_res r = ask("GET", paths[i], ZEROS + 1, 60000);
        (void)snprintf(name, sizeof name, "control: %s unpacks to 64 MiB out of %llu KiB", paths[i] + 1, (unsigned long long)sent >> 10);
        check(r.outcome == HTTP_ANSWERED && r.body.n == ZEROS && sent < 256 << 10, name, r.error);
        arena_reset(&arena);
    }
    struct http_res r = ask("GET", "/chunks", 40u << 20, 60000);
    check(r.outcome == HTTP_TOO_LARGE && sent > 39u << 20, "control: chunks go on until somebody cuts", r.error);
    r = ask("GET", "/gzip-small", LIMIT, TIME_MS);
    check(r.outcome == HTTP_ANSWERED && r.body.n == 4096, "control: what is small is taken", r.error);
    r = ask("GET", "/interim-once", LIMIT, TIME_MS);
    check(r.outcome == HTTP_ANSWERED && str_is(r.body, "ok"), "control: one interim answer is read over", r.error);
    r = ask("GET", "/drip-chunks", LIMIT, 60000);
    check(r.outcome == HTTP_AMBIGUOUS && r.elapsed_ms > 2 * TIME_MS, "control: the drip goes on where the time allows it", r.error);
    arena_reset(&arena);
}

/* Behind the announced length: not ours, and never the answer to another request. */
static void test_longer(void)
{
    struct http_res r = ask("GET", "/longer", LIMIT, TIME_MS);
    check(r.outcome == HTTP_ANSWERED && str_is(r.body, "ok"), "bytes behind the announced length are not read", r.error);
    r = ask("GET", "/interim-once", LIMIT, TIME_MS);
    check(r.outcome == HTTP_ANSWERED && str_is(r.body, "ok"), "and do not answer the next request", r.error);
}

int main(void)
{
    struct fault f = {ERR_OK, ""};
    struct rusage before, after;
    alarm(240);
    arena_init(&arena, 0);
    world_real(&w);
    if (curl_http_open(&w, &f) != ERR_OK || !pack_bombs() || !loopback_open(&server)) {
        printf("not ok set-up: %s\n", f.text);
        return 1;
    }
    server.more = attack;
    (void)ask("GET", "/gzip-small", LIMIT, TIME_MS);
    (void)getrusage(RUSAGE_SELF, &before);
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) attacked(i % 2 ? "POST" : "GET", attacks[i].path, attacks[i].want, attacks[i].path == UNCOUNTED ? SIZE_MAX : SOCKETS);
    (void)getrusage(RUSAGE_SELF, &after);
    printf("# attacks raised the peak of memory by %ld KiB\n", after.ru_maxrss - before.ru_maxrss);
    test_longer();
    controls();
    curl_http_close(&w);
    loopback_close(&server);
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) free(bombs[i].p);
    arena_free(&arena);
    return failures ? 1 : 0;
}
