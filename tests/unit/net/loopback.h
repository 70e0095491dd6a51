/* loopback.h - a tiny HTTP/1.1 server on 127.0.0.1 for the tests of the transport: one thread per connection, the path chooses the misbehaviour. A test
 * may add paths of its own (`more`).
 *
 *     /ok /echo /gzip /redirect /slow /big /chunks /bomb /heads /interim     answer
 *     /odd-heads   answers with folded headers and with names that are none
 *     /scan        says nothing for 2.5 s, then answers
 *     /cut         announces more than it sends, then closes
 *     /swallow     reads the whole request, closes without an answer
 *     /second      answers the first request of a connection, swallows every later one
 *     /flaky/N     503 until it has been asked N times
 */
#ifndef TEST_LOOPBACK_H
#define TEST_LOOPBACK_H
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

struct loopback;
enum loopback_did { LOOPBACK_NOT_MINE, LOOPBACK_ANSWERED, LOOPBACK_CLOSE };
typedef enum loopback_did loopback_more(struct loopback *s, int fd, const char *path, const char *head);
struct loopback {
    int fd; unsigned port; pthread_t thread; atomic_uint connections, requests, swallowed, flaky; atomic_bool end; atomic_int open;
    loopback_more *more;                 /* NULL, or set after loopback_open: asked first; head = the request's head */
};
struct loopback_conn { struct loopback *s; int fd; };

static void nap_ms(long ms)
{
    struct timespec ts = {ms / 1000, (ms % 1000) * 1000000L};
    (void)nanosleep(&ts, NULL);
}

static bool put(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w <= 0) return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

static bool answer(int fd, const char *status, const char *headers, const char *body, size_t n)
{
    char head[512];
    int len = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status, n, headers);
    return put(fd, head, (size_t)len) && put(fd, body, n);
}

/* Reads one request; the path goes to path[80], the body's length is the result; -1 at the end of the connection. */
enum { LOOPBACK_HEAD_BYTES = 16384 };
static long read_request(int fd, char *head, char *path, char *body, size_t cap)
{
    size_t n = 0;
    while (n < LOOPBACK_HEAD_BYTES - 1) {
        if (recv(fd, head + n, 1, 0) <= 0) return -1;
        head[++n] = '\0';
        if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0) break;
    }
    char *space = strchr(head, ' ');
    size_t len = space ? strcspn(space + 1, " ") : 0;
    (void)snprintf(path, 80, "%.*s", (int)(len > 79 ? 79 : len), space ? space + 1 : "");
    char *cl = strcasestr(head, "content-length:");
    long want = cl ? strtol(cl + 15, NULL, 10) : 0;
    for (long got = 0; got < want;) {
        ssize_t r = recv(fd, body, (size_t)(want - got) < cap ? (size_t)(want - got) : cap, 0);
        if (r <= 0) return -1;
        got += r;
    }
    return want;
}

static bool answer_chunks(int fd)
{
    static const char piece[4096] = "0";
    if (!put(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 47)) return false;
    for (int i = 0; i < 100000; i++)
        if (!put(fd, "1000\r\n", 6) || !put(fd, piece, 4096) || !put(fd, "\r\n", 2)) return false;
    return put(fd, "0\r\n\r\n", 5);
}

static bool answer_gzip(int fd, size_t zeros)
{
    size_t cap = zeros / 500 + 4096;
    unsigned char *out = malloc(cap), *in = calloc(1, zeros);
    z_stream z = {0};
    bool ok = out && in && deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    if (ok) {
        z.next_in = in; z.avail_in = (unsigned)zeros; z.next_out = out; z.avail_out = (unsigned)cap;
        ok = deflate(&z, Z_FINISH) == Z_STREAM_END && answer(fd, "200 OK", "Content-Encoding: gzip\r\n", (char *)out, z.total_out);
        (void)deflateEnd(&z);
    }
    free(out);
    free(in);
    return ok;
}

static bool answer_heads(int fd)
{
    if (!put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", 36)) return false;
    for (int i = 0; i < 2000; i++)
        if (!put(fd, "X-Padding: 0123456789012345678901234567890123456789\r\n", 53)) return false;
    return put(fd, "\r\n", 2);
}

static bool serve_path(struct loopback *s, int fd, const char *path, long body, unsigned nth)
{
    char text[64];
    int n = snprintf(text, sizeof text, "body %ld", body);
    if (strcmp(path, "/swallow") == 0 || (strcmp(path, "/second") == 0 && nth > 1)) { s->swallowed++; return false; }
    if (strcmp(path, "/redirect") == 0) return answer(fd, "302 Found", "Location: /ok\r\n", "", 0);
    if (strcmp(path, "/slow") == 0) { nap_ms(1500); return answer(fd, "200 OK", "", "late", 4); }
    if (strcmp(path, "/scan") == 0) { nap_ms(2500); return answer(fd, "200 OK", "", "read", 4); }
    if (strcmp(path, "/chunks") == 0) return answer_chunks(fd);
    if (strcmp(path, "/gzip") == 0) return answer_gzip(fd, 3000);
    if (strcmp(path, "/bomb") == 0) return answer_gzip(fd, 64u << 20);
    if (strcmp(path, "/heads") == 0) return answer_heads(fd);
    if (strcmp(path, "/odd-heads") == 0)
        return answer(fd, "200 OK", "X-Folded: a\r\n Retry-After: 3600\r\n\tb\r\n \r\nX-Empty:\r\n  c\r\nX(No)name: d\r\n e\r\nX Blank: f\r\nX-Last: g\r\n", "odd", 3);
    if (strcmp(path, "/cut") == 0) { (void)put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 44); return false; }
    if (strcmp(path, "/interim") == 0 && !put(fd, "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n", 41)) return false;
    if (strncmp(path, "/flaky/", 7) == 0 && ++s->flaky < (unsigned)strtoul(path + 7, NULL, 10))
        return answer(fd, "503 Service Unavailable", "Retry-After: 0\r\n", "", 0);
    return answer(fd, "200 OK", "X-Mixed-Case:  a b \r\n", text, (size_t)n);
}

static void *serve_connection(void *arg)
{
    struct loopback_conn c = *(struct loopback_conn *)arg;
    free(arg);
    char path[80];
    char *body = malloc(65536 + LOOPBACK_HEAD_BYTES), *head = body + 65536;
    for (unsigned nth = 1; body; nth++) {
        long n = read_request(c.fd, head, path, body, 65536);
        if (n < 0) break;
        c.s->requests++;
        enum loopback_did did = c.s->more ? c.s->more(c.s, c.fd, path, head) : LOOPBACK_NOT_MINE;
        if (did == LOOPBACK_CLOSE) break;
        if (did == LOOPBACK_ANSWERED) continue;
        if (!serve_path(c.s, c.fd, path, n, nth)) break;
    }
    free(body);
    (void)close(c.fd);
    c.s->open--;
    return NULL;
}

static void *serve_all(void *arg)
{
    struct loopback *s = arg;
    while (!s->end) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0 || s->end) { if (fd >= 0) (void)close(fd); break; }
        s->connections++;
        struct loopback_conn *c = malloc(sizeof *c);
        pthread_t t;
        if (!c) break;
        *c = (struct loopback_conn){s, fd};
        s->open++;
        if (pthread_create(&t, NULL, serve_connection, c) != 0) break;
        (void)pthread_detach(t);
    }
    return NULL;
}

static bool loopback_open(struct loopback *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    memset(s, 0, sizeof *s);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, n) != 0 || listen(s->fd, 64) != 0) return false;
    if (getsockname(s->fd, (struct sockaddr *)&a, &n) != 0) return false;
    s->port = ntohs(a.sin_port);
    return pthread_create(&s->thread, NULL, serve_all, s) == 0;
}

static void loopback_close(struct loopback *s)
{
    s->end = true;
    (void)shutdown(s->fd, SHUT_RDWR);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->fd);
    for (int i = 0; i < 300 && s->open > 0; i++) nap_ms(10);
}
#endif
