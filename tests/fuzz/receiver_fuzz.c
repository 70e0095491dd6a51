/* receiver_fuzz.c - bytes at the receiver of notifications: a body straight to the judge, or a whole request over a connection to the real server. Checked
 * besides not crashing: 200 is said exactly when a file was kept; nothing is kept without our token; the server says one of its own statuses or closes.
 *
 *   input   kind byte | bytes          kind: odd: as a body (2: with our token put in place of @); even: over a socket */
#include "base/check.h"
#include "connectors/zoho/zoho.h"
#include "serve/serve.h"
#include "tests/fault/memdisk.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static const char TOKEN[] = "canary-notify-token-4f0e8a1b2c3d4e5f60718293a4b";

static struct world w;
static struct serve *serve;
static struct memdisk *disk;
static unsigned ours;                         /* bodies that had our token and were read */

static const char *where(void *ctx, struct str body)
{
    struct arena a;
    struct target_told told;
    struct fault f = {ERR_OK, ""};
    (void)ctx;
    arena_init(&a, 0);
    enum err e = zoho_target_ops.told(str_of(TOKEN), body, &a, &told, &f);
    ASSERT(e == ERR_OK || (f.text[0] && !strstr(f.text, TOKEN)));
    if (e == ERR_OK) {
        ASSERT(memmem(body.p, body.n, TOKEN, sizeof TOKEN - 1) || memchr(body.p, '\\', body.n));      /* as it is, or with JSON's escapes */
        ASSERT(told.module.n > 0);
        for (size_t i = 0; i < told.nids; i++) ASSERT(told.ids[i].n > 0 && told.ids[i].n <= 24);
        ours++;
    }
    arena_free(&a);
    return e == ERR_OK ? "/hints" : NULL;
}

static void count(void *arg, const char *name)
{
    (void)name;
    ++*(unsigned *)arg;
}

static void forget(void *arg, const char *name)
{
    char path[300];
    (void)arg;
    (void)snprintf(path, sizeof path, "/hints/%s", name);
    (void)w.files.unlink(w.files.ctx, path);
}

static void open_once(void)
{
    struct fault f;
    if (serve) return;
    world_real(&w);
    disk = memdisk_new();
    memdisk_files(disk, &w.files);
    ASSERT(w.files.mkdir(w.files.ctx, "/hints", 0700) == 0);
    struct serve_options o = {.listen = "127.0.0.1:0", .where = where, .max_body_bytes = 4096, .max_waiting = 8, .timeout_s = 2};
    ASSERT(serve_open(&serve, &w, &o, &f) == ERR_OK);
}

static void over_socket(const char *p, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)serve_port(serve)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd;
    while ((fd = socket(AF_INET, SOCK_STREAM, 0)) >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        ASSERT(errno == EINTR);               /* libFuzzer's clock */
        (void)close(fd);
    }
    ASSERT(fd >= 0);
    char answer[512];
    size_t got = 0;
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0) break;
        p += sent;
        n -= (size_t)sent;
    }
    (void)shutdown(fd, SHUT_WR);
    for (ssize_t r; got < sizeof answer - 1 && (r = recv(fd, answer + got, sizeof answer - 1 - got, 0)) > 0;) got += (size_t)r;
    answer[got] = '\0';
    struct linger now = {1, 0};               /* no thousands of connections in TIME_WAIT */
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    (void)close(fd);
    if (got == 0) return;
    static const int statuses[] = {100, 200, 400, 403, 405, 408, 411, 413, 414, 415, 417, 431, 494, 500, 501, 503, 505};
    int status = got > 12 ? (int)strtol(answer + 9, NULL, 10) : 0;
    bool known = false;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) known = known || status == statuses[i];
    ASSERT(memcmp(answer, "HTTP/1.", 7) == 0 && known);
    ASSERT(!strstr(answer, TOKEN));
}

static void judge(struct str text, bool with_token)
{
    struct buf b = {0};
    for (size_t i = 0; i < text.n; i++) {
        if (with_token && text.p[i] == '@') buf_puts(&b, TOKEN);
        else buf_byte(&b, (unsigned char)text.p[i]);
    }
    unsigned before = ours;
    int status = serve_judge(serve, "POST", "application/json", buf_view(&b), false);
    unsigned kept = 0;
    ASSERT(w.files.list(w.files.ctx, "/hints", count, &kept) == 0);
    ASSERT((status == 200) == (kept == 1) && (status == 200) == (ours > before));
    ASSERT(status == 200 || status == 400 || status == 403 || status == 413);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n == 0) return 0;
    open_once();
    if (data[0] & 1) judge((struct str){(const char *)data + 1, n - 1}, data[0] & 2);
    else over_socket((const char *)data + 1, n - 1);
    (void)w.files.list(w.files.ctx, "/hints", forget, NULL);
    return 0;
}
