/* hostile_test.c - the receiver against clients that mean harm, over real sockets: slow heads and bodies, more connections than places, malformed requests, bodies
 * without end. Good clients are served meanwhile, memory stays within what the bounds add up to, nothing that was not acknowledged is kept.
 *
 * Controls: the slow ones do hold every place while the good one comes, and a request that is merely slow is taken when nobody waits for its place. */
#include "serve/serve.h"
#include "tests/unit/serve/rig.h"
#include "tests/unit/value/ok.h"
#include <arpa/inet.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PLACES = 8, SLOW = 200, BODY = 256 * 1024, HEAD = 16 * 1024 };
static const char GOOD[] = "POST /zoho HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{\"ours\":1}";

static unsigned port;

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int dial(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static bool say(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* The status that comes within ms; 0: closed without one, -1: nothing happens. */
static int status_of(int fd, int ms)
{
    char text[400] = "";
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (n + 1 < sizeof text && !strstr(text, "\r\n")) {
        if (poll(&p, 1, ms) <= 0) return -1;
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        if (got <= 0) return 0;
        n += (size_t)got;
        text[n] = '\0';
    }
    return n > 12 ? (int)strtol(text + 9, NULL, 10) : 0;
}

static int ask(const char *request, size_t n, int ms)
{
    int fd = dial();
    if (fd < 0) return -2;
    (void)say(fd, request, n);
    int status = status_of(fd, ms);
    close(fd);
    return status;
}

static int good_one(int64_t *took_ms)
{
    int64_t from = now_ms();
    int status = ask(GOOD, sizeof GOOD - 1, 5000);
    *took_ms = now_ms() - from;
    return status;
}

static bool still_open(int fd)
{
    char c;
    ssize_t n = fd < 0 ? 0 : recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK);
    return n > 0 || (n < 0 && fd >= 0);
}

/* ---- slow clients ---- */

/* All of them begin a request, then each says a byte now and then, while good ones come in between. */
static void slow(const char *what, const char *begin, const char *bytes)
{
    static int fd[SLOW];
    int64_t longest = 0, took;
    int served = 0, tried = 0, held = 0;
    char name[120];
    size_t before = files();
    for (int i = 0; i < SLOW; i++) {
        fd[i] = dial();
        if (fd[i] >= 0) (void)say(fd[i], begin, strlen(begin));
    }
    for (int round = 0; round < 12; round++) {
        int open = 0;
        for (int i = 0; i < SLOW; i++) {
            if (!still_open(fd[i])) continue;
            open++;
            (void)say(fd[i], bytes + round, 1);
        }
        held = open > held || round == 0 ? open : held;
        tried++;
        served += good_one(&took) == 200;
        longest = took > longest ? took : longest;
        for (int i = 0; i < SLOW; i++) {                       /* whoever was sent off comes again */
            if (still_open(fd[i]) || round % 4 != 3) continue;
            if (fd[i] >= 0) close(fd[i]);
            fd[i] = dial();
            if (fd[i] >= 0) (void)say(fd[i], begin, strlen(begin));
        }
        (void)poll(NULL, 0, 20);
    }
    snprintf(name, sizeof name, "%s: %d slow clients, every good one is served", what, SLOW);
    ok(served == tried && files() == before + (size_t)tried && longest < 4000, name, "%d of %d, the slowest after %lld ms", served, tried, (long long)longest);
    snprintf(name, sizeof name, "control: %s: they held all %d places", what, PLACES);
    ok(held >= PLACES - 1, name, "%d", held);
    for (int i = 0; i < SLOW; i++)
        if (fd[i] >= 0) close(fd[i]);
    (void)poll(NULL, 0, 200);
}

static void test_slow(void)
{
    char head[200];
    snprintf(head, sizeof head, "POST /zoho HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
    slow("nothing at all", "", "POST /zoho HTTP/1.1\r\n");
    slow("heads", "POST /zoho HTTP/1.1\r\nHost: h\r\nX-A: ", "abcdefghijklmnopqrstuvwxyz");
    slow("bodies", head, "\"ours\":1,\"x\":\"                 ");
    slow("chunks", "POST /zoho HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n1\r\nx\r\n");
    /* Slow, but alone: it is taken. */
    int fd = dial();
    bool on = fd >= 0;
    for (size_t i = 0; on && i < sizeof GOOD - 1; i += 8) {
        on = say(fd, GOOD + i, sizeof GOOD - 1 - i < 8 ? sizeof GOOD - 1 - i : 8);
        (void)poll(NULL, 0, 10);
    }
    int status = status_of(fd, 5000);
    ok(status == 200, "control: who is slow alone is served", "%d", status);
    close(fd);
}

/* ---- malformed requests ---- */

#define HEADS "POST /zoho HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
static void test_malformed(void)
{
    static const struct { const char *what, *text; size_t n; } cases[] = {
#define CASE(what, text) {what, text, sizeof text - 1}
        CASE("nothing but an end of line", "\r\n\r\n\r\n"), CASE("no HTTP", "hello\r\n\r\n"), CASE("zeros", "\0\0\0\0\0\0\0\0\r\n\r\n"), CASE("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
        CASE("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), CASE("another version", "POST / HTTP/9.9\r\nHost: h\r\n\r\n"), CASE("no version", "POST /\r\n\r\n"), CASE("GET", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        CASE("DELETE", "DELETE /zoho HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"), CASE("CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: h\r\n\r\n"),
        CASE("a negative length", HEADS "Content-Length: -1\r\n\r\n{\"ours\":1}"), CASE("a length that is none", HEADS "Content-Length: ten\r\n\r\n{\"ours\":1}"),
        CASE("a length of a gigabyte", HEADS "Content-Length: 1073741824\r\n\r\n"), CASE("a length beyond 64 bits", HEADS "Content-Length: 99999999999999999999\r\n\r\n"),
        CASE("two lengths", HEADS "Content-Length: 10\r\nContent-Length: 99\r\n\r\n{\"ours\":1}"), CASE("a chunk of no size", HEADS "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{\"ours\":1}\r\n0\r\n\r\n"),
        CASE("a chunk that overflows", HEADS "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{\"ours\":1}"), CASE("a chunk of another length", HEADS "Transfer-Encoding: chunked\r\n\r\n2\r\n{\"ours\":1}\r\n0\r\n\r\n"),
        CASE("another coding", HEADS "Transfer-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"), CASE("no type", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n{\"ours\":1}"),
        CASE("a body that is not ours", HEADS "Content-Length: 12\r\n\r\n{\"theirs\":1}"), CASE("an empty body", HEADS "Content-Length: 0\r\n\r\n"), CASE("a path of dots", "GET /../../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n"),
        CASE("a header without a name", HEADS ": x\r\nContent-Length: 12\r\n\r\n{\"theirs\":1}"), CASE("a length and chunks", HEADS "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}x\r\n0\r\n\r\n")};
    size_t kept = files();
    int64_t took;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int got = ask(cases[i].text, cases[i].n, 1500);
        bool refused = got == 0 || (got >= 400 && got < 600) || got == -1;       /* -1: it waits for what was announced, and the time ends it */
        ok(refused && files() == kept, cases[i].what, "%d, %zu files", got, files() - kept);
    }
    ok(good_one(&took) == 200, "and a good one is served behind them", "%lld ms", (long long)took);
}

/* ---- sizes ---- */

static void test_sizes(void)
{
    struct buf b = {0};
    size_t kept = files();
    int64_t took;
    buf_puts(&b, "POST /zoho HTTP/1.1\r\nHost: h\r\nX-A: ");
    for (int i = 0; i < 1 << 20; i += 16) buf_puts(&b, "0123456789abcdef");
    buf_puts(&b, "\r\n\r\n");
    int got = ask(b.p, b.n, 5000);
    ok(got == 0 || got == 431 || got == 413 || got == 400, "a header of a megabyte", "%d", got);
    buf_clear(&b);
    buf_puts(&b, "POST /zoho HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 20000; i++) buf_printf(&b, "X-%d: b\r\n", i);
    buf_puts(&b, "\r\n");
    got = ask(b.p, b.n, 5000);
    ok(got == 0 || got == 431 || got == 413 || got == 400, "twenty thousand headers", "%d", got);
    buf_clear(&b);
    buf_puts(&b, "POST /");
    for (int i = 0; i < 1 << 18; i += 16) buf_puts(&b, "0123456789abcdef");
    buf_puts(&b, " HTTP/1.1\r\nHost: h\r\n\r\n");
    got = ask(b.p, b.n, 5000);
    ok(got == 0 || got == 414 || got == 431 || got == 400 || got == 413, "a path of a quarter of a megabyte", "%d", got);
    buf_clear(&b);
    buf_puts(&b, HEADS "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 64; i++) {
        buf_puts(&b, "40000\r\n");
        memset(buf_reserve(&b, 0x40000), ' ', 0x40000);
        b.n += 0x40000;
        buf_puts(&b, "\r\n");
    }
    got = ask(b.p, b.n, 5000);
    ok(got == 413 || got == 0, "sixteen megabytes in chunks", "%d", got);
    ok(files() == kept && good_one(&took) == 200, "nothing of it is kept, and a good one is served", "%zu", files() - kept);
    buf_free(&b);
}

/* As many as there are places, each with all that it may send and never the last byte. (Not under AddressSanitizer, whose allocator does not tell.) */
#ifndef SANITIZED
static void test_memory(void)
{
    int fd[PLACES * 4];
    char *body = malloc(BODY);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, most = 0;
    char head[200];
    int n = snprintf(head, sizeof head, HEADS "Content-Length: %d\r\n\r\n", BODY);
    memset(body, ' ', BODY);
    for (size_t i = 0; i < sizeof fd / sizeof *fd; i++) {
        fd[i] = dial();
        if (fd[i] < 0) continue;
        (void)say(fd[i], head, (size_t)n);
        (void)say(fd[i], body, BODY - 1);
    }
    for (int tries = 0; tries < 100; tries++) {          /* the receiver reads when it comes to it */
        size_t now = mallinfo2().uordblks + mallinfo2().hblkhd;
        most = now > most ? now : most;
        if (tries > 10 && most - before >= (size_t)(PLACES / 2) * BODY) break;
        (void)poll(NULL, 0, 30);
    }
    size_t bound = (size_t)(PLACES + 16) * (2 * BODY + HEAD + 8192);
    ok(most - before <= bound, "memory stays below what the bounds add up to", "%zu of %zu bytes", most - before, bound);
    ok(most - before >= (size_t)(PLACES / 2) * BODY, "control: they did fill it", "%zu bytes", most - before);
    for (size_t i = 0; i < sizeof fd / sizeof *fd; i++)
        if (fd[i] >= 0) close(fd[i]);
    size_t after = SIZE_MAX;
    for (int i = 0; i < 100 && after > before + 65536; i++) {
        (void)poll(NULL, 0, 20);
        after = mallinfo2().uordblks + mallinfo2().hblkhd;
    }
    ok(after <= before + 65536, "and is given back", "%zu bytes", after - before);
    free(body);
}
#endif

int main(void)
{
    struct world w;
    struct serve *s;
    struct fault f = {ERR_OK, ""};
    alarm(200);
    if (!dir_make()) return 1;
    world_real(&w);
    (void)mallopt(M_ARENA_MAX, 1);                     /* the server's thread allocates where mallinfo looks */
    struct serve_options o = {.listen = "127.0.0.1:0", .where = where, .max_connections = PLACES, .timeout_s = 5, .max_body_bytes = BODY};
    if (ok(serve_open(&s, &w, &o, &f) == ERR_OK, "opens", "%s", f.text)) {
        port = serve_port(s);
        test_slow();
        test_malformed();
        test_sizes();
#ifndef SANITIZED
        test_memory();
#endif
        serve_close(s);
    }
    dir_remove();
    return ok_failures != 0;
}
