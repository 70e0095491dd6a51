/* wire_fuzz.c - bytes that come back over a real connection, into the real transport (libcurl and net/curl_http.c): status lines, headers, chunks, gzip.
 * Checked besides not crashing: there is one outcome, and within the time; an answer keeps the limits that curl_http.h promises; a sent request is never
 * called unsent.
 *
 *   input   kind byte | what the server sends; 0xFF 0xFE parts writes        kind: 1: POST; 2: the server stays on the line; 4: a small limit */
#include "base/check.h"
#include "net/curl_http.h"
#include "net/net.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static struct world w;
static int door = -1;
static unsigned port;

static void open_once(void)
{
    struct fault f;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    if (door >= 0) return;
    world_real(&w);
    ASSERT(curl_http_open(&w, &f) == ERR_OK);
    door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT(door >= 0 && bind(door, (struct sockaddr *)&a, n) == 0 && listen(door, 16) == 0 && getsockname(door, (struct sockaddr *)&a, &n) == 0);
    port = ntohs(a.sin_port);
}

static void answer(int fd, const char *p, size_t n)
{
    while (n) {
        const char *cut = memmem(p, n, "\xFF\xFE", 2);
        size_t part = cut ? (size_t)(cut - p) : n;
        if (part && send(fd, p, part, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return;
        p += part + (cut ? 2 : 0);
        n -= part + (cut ? 2 : 0);
    }
}

/* One request and one answer in one thread: the client is turned until it has sent, then the server speaks. */
static bool exchange(unsigned kind, const char *bytes, size_t n, struct arena *a, struct http_res *res)
{
    char url[64], request[4096];
    void *tag = NULL;
    int fd = -1, got = 0;
    bool spoken = false;
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/x", port);
    struct http_header h = {"Authorization", "Bearer canary"};
    struct http_req req = {.method = kind & 1 ? "POST" : "GET", .url = url, .headers = &h, .nheaders = 1, .body = kind & 1 ? STR("{}") : (struct str){"", 0}, .pool = "p",
                           .connect_timeout_ms = 500, .total_timeout_ms = 300, .max_body_bytes = kind & 4 ? 100 : 1u << 20, .fresh = true};
    ASSERT(w.http.start(w.http.ctx, &req, &got) == 0);
    for (int turn = 0; turn < 400 && got == 0; turn++) {
        got = w.http.wait(w.http.ctx, spoken ? 20 : 0, a, res, &tag);
        struct pollfd p = {.fd = fd < 0 ? door : fd, .events = POLLIN};
        if (got || spoken || poll(&p, 1, 1) <= 0) continue;
        if (fd < 0) {
            fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);
        } else if (recv(fd, request, sizeof request, 0) > 0) {
            answer(fd, bytes, n);
            spoken = true;
            if (!(kind & 2)) (void)shutdown(fd, SHUT_WR);
        }
    }
    struct linger now = {1, 0};
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        (void)close(fd);
    }
    return got == 1;
}

static void check_answer(const struct http_res *res, unsigned kind)
{
    size_t bytes = 0;
    ASSERT(res->body.n <= (kind & 4 ? 100u : 1u << 20) && res->body.p[res->body.n] == '\0');
    ASSERT(res->nheaders <= CURL_HTTP_HEADERS && res->status >= 0 && res->status <= 999);
    for (size_t i = 0; i < res->nheaders; i++) {
        for (const char *c = res->headers[i].name; *c; c++) ASSERT(!isupper((unsigned char)*c) && *c != '\r' && *c != '\n');
        ASSERT(!strpbrk(res->headers[i].value, "\r\n"));
        bytes += strlen(res->headers[i].name) + strlen(res->headers[i].value);
    }
    ASSERT(bytes <= CURL_HTTP_HEADER_BYTES);
    int64_t wait_ms = net_retry_after_ms(res, 1795428000000);
    ASSERT(wait_ms >= 0 && wait_ms <= 86400000);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n == 0) return 0;
    struct arena a;
    struct http_res res = {.outcome = HTTP_REFUSED};
    arena_init(&a, 0);
    open_once();
    ASSERT(exchange(data[0], (const char *)data + 1, n - 1, &a, &res));
    ASSERT(res.outcome == HTTP_ANSWERED || res.outcome == HTTP_AMBIGUOUS || res.outcome == HTTP_TOO_LARGE);
    if (res.outcome == HTTP_ANSWERED) check_answer(&res, data[0]);
    else ASSERT(res.error[0] && !strstr(res.error, "canary"));
    arena_free(&a);
    return 0;
}
