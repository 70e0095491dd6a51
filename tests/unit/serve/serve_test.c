/* serve_test.c - the receiver: what it takes and refuses, its bounds, that 200 means "on disk", and the same over real connections. */
#include "serve/serve.h"
#include "tests/unit/serve/rig.h"
#include "tests/unit/value/ok.h"
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct world broken_world(const struct world *w);
static int no_sync(void *ctx, int fd)
{
    (void)ctx, (void)fd;
    return -1;
}
static int no_list(void *ctx, const char *name, void (*each)(void *ctx, const char *name), void *each_ctx)
{
    (void)ctx, (void)name, (void)each, (void)each_ctx;
    return -1;
}
static const char *where_too_long(void *ctx, struct str body)
{
    static char path[1100];
    (void)ctx, (void)body;
    memset(path, '/', sizeof path - 1);
    return path;
}
static struct world broken_world(const struct world *w)
{
    struct world b = *w;
    b.files.fdatasync = no_sync;
    return b;
}

static void test_judge(const struct world *w)
{
    struct serve *s;
    struct fault f;
    struct serve_options o = {.listen = "127.0.0.1:0", .where = where, .max_body_bytes = 1000, .max_waiting = 3};
    if (!ok(serve_open(&s, w, &o, &f) == ERR_OK, "opens", "%s", f.text)) return;
    static const char OURS[] = "{\"ours\":1}";
    static char large[1002];
    memset(large, ' ', sizeof large - 1);
    const struct { const char *what, *method, *type, *body; bool large; int want; } cases[] = {
        {"GET", "GET", NULL, "", false, 405}, {"PUT", "PUT", "application/json", OURS, false, 405}, {"a form", "POST", "text/plain", OURS, false, 415},
        {"no type", "POST", NULL, OURS, false, 415}, {"a type that only begins so", "POST", "application/jsonx", OURS, false, 415},
        {"nothing", "POST", "application/json", "", false, 400}, {"too large", "POST", "application/json", "", true, 413},
        {"not ours", "POST", "application/json", "{\"theirs\":1}", false, 403}, {"ours", "POST", "application/json", OURS, false, 200},
        {"with a blank", "POST", "application/json ; charset=UTF-8", "{\"theirs\":1}", false, 403}, {"larger than its bound", "POST", "application/json", large, false, 413},
        {"with a charset", "POST", "application/json;charset=UTF-8", OURS, false, 200}, {"in capitals", "POST", "Application/JSON", OURS, false, 200},
        {"a fourth, and three wait", "POST", "application/json", OURS, false, 503}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int got = serve_judge(s, cases[i].method, cases[i].type, str_of(cases[i].body), cases[i].large);
        ok(got == cases[i].want, cases[i].what, "%d", got);
    }
    ok(files() == 3, "what got 200 lies in the folder, nothing else", "%zu", files());
    struct serve_counts n = serve_counts(s);
    ok(n.taken == 3 && n.failed == 1 && n.refused == 10, "counted", "%llu %llu %llu", (unsigned long long)n.taken, (unsigned long long)n.failed, (unsigned long long)n.refused);
    serve_close(s);
    struct world b = broken_world(w);
    o.max_waiting = 100;
    if (ok(serve_open(&s, &b, &o, &f) == ERR_OK, "opens on a disk that does not sync", "%s", f.text)) {
        size_t before = files();
        int got = serve_judge(s, "POST", "application/json", str_of(OURS), false);
        ok(got == 503 && files() == before, "then nothing is acknowledged", "%d, %zu files", got, files());
        serve_close(s);
    }
    b = *w;
    b.files.list = no_list;
    if (ok(serve_open(&s, &b, &o, &f) == ERR_OK, "opens on a folder that cannot be read", "%s", f.text)) {
        ok(serve_judge(s, "POST", "application/json", str_of(OURS), false) == 503, "then nothing is acknowledged either", "another status");
        serve_close(s);
    }
    o.where = where_too_long;
    if (ok(serve_open(&s, w, &o, &f) == ERR_OK, "opens with a folder of a thousand letters", "%s", f.text)) {
        ok(serve_judge(s, "POST", "application/json", str_of(OURS), false) == 503, "where nothing is kept", "another status");
        serve_close(s);
    }
    serve_close(NULL);
}

static void test_addresses(const struct world *w)
{
    static const char *const bad[] = {"", "8470", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "localhost:1", "[::1:1", ":80", "127.0.0.1:-1", "[]:80", "[x]:80", "::1:80", "[::1]", "x]:80",
                                      "1111111111111111111111111111111111111111111111111111111111111111:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct serve *s;
        struct fault f = {ERR_OK, ""};
        enum err e = serve_open(&s, w, &(struct serve_options){.listen = bad[i], .where = where}, &f);
        ok(e == ERR_CONFIG, bad[i][0] ? bad[i] : "(empty)", "%s", err_name(e));
    }
    struct serve *a, *b;
    struct fault f;
    char text[40];
    if (!ok(serve_open(&a, w, &(struct serve_options){.listen = "127.0.0.1:0", .where = where}, &f) == ERR_OK, "one has a port", "%s", f.text)) return;
    snprintf(text, sizeof text, "127.0.0.1:%u", serve_port(a));
    ok(serve_open(&b, w, &(struct serve_options){.listen = text, .where = where}, &f) == ERR_IO && strstr(f.text, text), "two cannot have it", "%s", f.text);
    serve_close(a);
    static const char *const good[] = {"0.0.0.0:0", "[::1]:0", "[::]:0", "127.1.2.3:0"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        f.text[0] = '\0';
        enum err e = serve_open(&a, w, &(struct serve_options){.listen = good[i], .where = where}, &f);
        ok((e == ERR_OK && serve_port(a) > 0) || (good[i][0] == '[' && e == ERR_IO), good[i], "%s", f.text);      /* a machine without IPv6 cannot listen there */
        if (e == ERR_OK) serve_close(a);
    }
}

/* ---- over sockets ---- */
static int dial(unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static void say(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent <= 0) return;
        text += sent;
        n -= (size_t)sent;
    }
}

/* The status that comes back within ms, 0 when the connection closes without one, -1 when nothing happens. */
static int status_of(int fd, int ms)
{
    char text[600] = "";
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (n + 1 < sizeof text && !strstr(text, "\r\n")) {
        if (poll(&p, 1, ms) <= 0) return -1;
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        if (got <= 0) return 0;
        n += (size_t)got;
        text[n] = '\0';
    }
    return (int)strtol(text + 9, NULL, 10);
}

static int post(unsigned port, const char *head, const char *body, size_t n)
{
    int fd = dial(port);
    char text[400];
    int len = snprintf(text, sizeof text, "POST /zoho HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n%s\r\n", head);
    say(fd, text, (size_t)len);
    say(fd, body, n);
    int status = status_of(fd, 5000);
    close(fd);
    return status;
}

static void test_sockets(const struct world *w)
{
    struct serve *s;
    struct fault f;
    struct serve_options o = {.listen = "127.0.0.1:0", .where = where, .max_body_bytes = 4000, .max_connections = 4, .timeout_s = 1};
    if (!ok(serve_open(&s, w, &o, &f) == ERR_OK, "opens", "%s", f.text)) return;
    unsigned port = serve_port(s);
    size_t before = files();
    ok(post(port, "Content-Length: 10\r\n", "{\"ours\":1}", 10) == 200 && files() == before + 1, "a notification is kept", "%zu", files());
    ok(post(port, "Content-Length: 12\r\n", "{\"theirs\":1}", 12) == 403, "one that is not ours is refused", "-");
    ok(post(port, "Content-Length: 5000\r\n", "", 0) == 413, "too large by its own word: refused before it comes", "-");
    ok(post(port, "Content-Length: 9223372036854775808\r\n", "", 0) == 413, "so is what no number of ours can say", "-");
    char big[9000];
    memset(big, ' ', sizeof big);
    int n = snprintf(big, sizeof big, "1770\r\n");
    big[n] = '{';
    memcpy(big + n + 6000, "\r\n0\r\n\r\n", 7);
    int got = post(port, "Transfer-Encoding: chunked\r\n", big, (size_t)n + 6007);
    ok(got == 413 || got == 0, "too large in pieces", "%d", got);
    int slow = dial(port);
    say(slow, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n{", 49);
    got = status_of(slow, 5000);
    ok(got == 0 || got == 408, "who does not go on is closed", "%d", got);
    close(slow);
    int many[12], open = 0;
    for (int i = 0; i < 12; i++) {
        many[i] = dial(port);
        say(many[i], "POST / HTTP/1.1\r\n", 17);
    }
    for (int tries = 0; tries < 100 && (tries == 0 || open > 4); tries++) {       /* the receiver takes them in when it comes to it */
        (void)poll(NULL, 0, 50);
        open = 0;
        for (int i = 0; i < 12; i++) {
            struct pollfd p = {.fd = many[i], .events = POLLIN};
            open += many[i] >= 0 && poll(&p, 1, 0) == 0;
        }
    }
    ok(open <= 4, "no more connections than allowed stay open", "%d", open);
    for (int i = 0; i < 12; i++)
        if (many[i] >= 0) close(many[i]);
    got = -1;
    for (int i = 0; i < 20 && got != 200; i++) {
        got = post(port, "Content-Length: 10\r\n", "{\"ours\":2}", 10);
        if (got != 200) poll(NULL, 0, 100);
    }
    ok(got == 200, "and it goes on afterwards", "%d", got);
    serve_close(s);
}

int main(void)
{
    struct world w;
    if (!dir_make()) return 1;
    world_real(&w);
    test_judge(&w);
    test_addresses(&w);
    test_sockets(&w);
    dir_remove();
    return ok_failures != 0;
}
