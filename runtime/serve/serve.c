/* serve.c - see serve.h. libmicrohttpd calls `answer` several times for a request: head, pieces of the body, end. The pieces are gathered in a buffer
 * of the request, up to the bound and no further; the answer is queued at the end, from serve_judge.
 *
 * Places are few, and who is slow on purpose would hold them all: a byte now and then is progress enough for a timeout. So when one more comes than there
 * are places, the connection that has waited longest for the end of its request goes. All of that happens in libmicrohttpd's one thread. */
#include "serve/serve.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"
#include "base/str.h"
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { BODY_BYTES = 256 * 1024, WAITING = 4096, CONNECTIONS = 32, TIMEOUT_S = 10, HEAD_BYTES = 16 * 1024, COMING = 16 /* over the places, until those that go are gone */ };

/* An open connection, in a ring by how long it has been without a whole request. */
struct guest { struct guest *older, *newer; int fd; bool told_to_go; };

struct serve {
    const struct world *w;
    struct serve_options o;
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;                  /* counts; one file at a time */
    struct serve_counts counts;
    struct guest guests;                   /* the ring's head: newer = the oldest */
    unsigned nguests;                      /* without those told to go */
};
struct request { struct buf body; };

/* ---- judging and storing ---- */
struct counting { size_t n; };

static void count_one(void *arg, const char *name)
{
    size_t n = strlen(name);
    ((struct counting *)arg)->n += n > 5 && strcmp(name + n - 5, ".hint") == 0;
}

static bool store(struct serve *s, const char *dir, struct str body)
{
    const struct world_files *fs = &s->w->files;
    struct counting c = {0};
    struct fault f;
    uint64_t dice;
    char path[1024];
    if (fs->list(fs->ctx, dir, count_one, &c) != 0) {
        log_warn("notifications: %s cannot be read; none is taken", dir);
        return false;
    }
    if (c.n >= s->o.max_waiting) {
        log_warn("notifications: %zu wait in %s; no more are taken until they are worked off", c.n, dir);
        return false;
    }
    s->w->random.fill(s->w->random.ctx, &dice, sizeof dice);
    int n = snprintf(path, sizeof path, "%s/%013lld-%016llx.hint", dir, (long long)world_wall_ms(s->w), (unsigned long long)dice);
    if ((size_t)n >= sizeof path) return false;
    if (world_write_file(s->w, path, body, 0600, &f) == ERR_OK) return true;
    log_warn("a notification cannot be kept: %s", f.text);
    return false;
}

static bool is_json(const char *type)
{
    return type && strncasecmp(type, "application/json", 16) == 0 && (type[16] == '\0' || type[16] == ';' || type[16] == ' ');
}

static int judge(struct serve *s, const char *method, const char *type, struct str body, bool too_large)
{
    if (strcmp(method, "POST") != 0) return 405;
    if (too_large || body.n > s->o.max_body_bytes) return 413;
    if (!is_json(type)) return 415;
    if (body.n == 0) return 400;
    const char *dir = s->o.where(s->o.ctx, body);
    if (!dir) return 403;
    pthread_mutex_lock(&s->lock);
    bool kept = store(s, dir, body);
    pthread_mutex_unlock(&s->lock);
    return kept ? 200 : 503;
}

int serve_judge(struct serve *s, const char *method, const char *type, struct str body, bool too_large)
{
    int status = judge(s, method, type, body, too_large);
    pthread_mutex_lock(&s->lock);
    *(status == 200 ? &s->counts.taken : status == 503 ? &s->counts.failed : &s->counts.refused) += 1;
    pthread_mutex_unlock(&s->lock);
    return status;
}

struct serve_counts serve_counts(const struct serve *s) { return s->counts; }

/* ---- who may stay ---- */
static void leave(struct guest *g)
{
    g->older->newer = g->newer;
    g->newer->older = g->older;
}

static void join(struct serve *s, struct guest *g)
{
    g->older = s->guests.older;
    g->newer = &s->guests;
    g->older->newer = g->newer->older = g;
}

static void send_off_oldest(struct serve *s)
{
    struct guest *g = s->guests.newer;
    while (g->told_to_go) g = g->newer;
    ASSERT(g != &s->guests);               /* nguests counts those that were not told to */
    g->told_to_go = true;
    s->nguests--;
    (void)shutdown(g->fd, SHUT_RDWR);      /* libmicrohttpd finds the end of the stream, and closes */
}

static void come_and_go(void *arg, struct MHD_Connection *c, void **place, enum MHD_ConnectionNotificationCode what)
{
    struct serve *s = arg;
    struct guest *g = *place;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        g = calloc(1, sizeof *g);
        if (!g) check_no_memory();
        g->fd = info->connect_fd;
        *place = g;
        join(s, g);
        if (++s->nguests > s->o.max_connections) send_off_oldest(s);
    } else {
        leave(g);
        if (!g->told_to_go) s->nguests--;
        free(g);
        *place = NULL;
    }
}

/* ---- libmicrohttpd ---- */
static enum MHD_Result reply(struct MHD_Connection *c, int status)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(0, (void *)(uintptr_t)"", MHD_RESPMEM_PERSISTENT);
    if (!r) check_no_memory();
    if (status == 405) (void)MHD_add_response_header(r, "Allow", "POST");
    enum MHD_Result done = MHD_queue_response(c, (unsigned)status, r);
    MHD_destroy_response(r);
    return done;
}

/* False: that is more than we take. */
static bool gather(struct serve *s, struct request *rq, const char *data, size_t n)
{
    if (rq->body.n + n > s->o.max_body_bytes) return false;
    buf_str(&rq->body, (struct str){data, n});
    return true;
}

static enum MHD_Result count_framing(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind, (void)value;
    *(unsigned *)arg += strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0;
    return MHD_YES;
}

/* Two lengths, or a length and chunks: the proxy may have cut the stream elsewhere than we would (RFC 9112 6.3). */
static bool framed_twice(struct MHD_Connection *c)
{
    unsigned n = 0;
    (void)MHD_get_connection_values(c, MHD_HEADER_KIND, count_framing, &n);
    return n > 1;
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *c, const char *url, const char *method, const char *version, const char *data, size_t *n,
                              void **state)
{
    struct serve *s = arg;
    struct request *rq = *state;
    (void)url, (void)version;
    if (!rq) {
        rq = calloc(1, sizeof *rq);
        if (!rq) check_no_memory();
        *state = rq;
        const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
        int64_t bytes;
        bool refused = strcmp(method, "POST") != 0 || (length && (!str_to_i64(str_of(length), &bytes) || (uint64_t)bytes > s->o.max_body_bytes));      /* libmicrohttpd takes digits only */
        if (framed_twice(c)) return reply(c, serve_judge(s, "POST", "application/json", (struct str){"", 0}, false));      /* 400 */
        if (!refused) return MHD_YES;
        return reply(c, serve_judge(s, method, NULL, (struct str){"", 0}, true));        /* before a byte of the body is read */
    }
    if (*n) {
        bool taken = gather(s, rq, data, *n);
        *n = 0;
        if (taken) return MHD_YES;
        (void)serve_judge(s, method, NULL, (struct str){"", 0}, true);      /* no answer can be given before the end, and the end may never come */
        return MHD_NO;
    }
    return reply(c, serve_judge(s, method, MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Type"), buf_view(&rq->body), false));
}

static void completed(void *arg, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
    struct request *rq = *state;
    (void)why;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info && info->socket_context) {    /* its next request has time from now on */
        leave(info->socket_context);
        join(arg, info->socket_context);
    }
    if (!rq) return;
    buf_free(&rq->body);
    free(rq);
    *state = NULL;
}

/* Complaints about broken requests are the sender's business. */
static void quiet(void *arg, const char *fmt, va_list ap)
{
    (void)arg, (void)fmt, (void)ap;
}

/* ---- the address ---- */
struct address { union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } at; bool six, loopback; };

static bool read_address(const char *text, struct address *out)
{
    struct str host;
    int64_t port;
    char name[64];
    const char *colon = strrchr(text, ':');
    memset(out, 0, sizeof *out);
    if (!colon || !str_to_i64(str_of(colon + 1), &port) || port < 0 || port > 65535) return false;
    host = (struct str){text, (size_t)(colon - text)};
    out->six = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (out->six) host = (struct str){host.p + 1, host.n - 2};
    if (host.n == 0 || host.n >= sizeof name) return false;
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    if (out->six) {
        out->at.v6.sin6_family = AF_INET6;
        out->at.v6.sin6_port = htons((uint16_t)port);
        out->loopback = strcmp(name, "::1") == 0;
        return inet_pton(AF_INET6, name, &out->at.v6.sin6_addr) == 1;
    }
    out->at.v4.sin_family = AF_INET;
    out->at.v4.sin_port = htons((uint16_t)port);
    out->loopback = strncmp(name, "127.", 4) == 0;
    return inet_pton(AF_INET, name, &out->at.v4.sin_addr) == 1;
}

enum err serve_open(struct serve **out, const struct world *w, const struct serve_options *o, struct fault *f)
{
    struct address at;
    if (!read_address(o->listen, &at)) return fault_set(f, ERR_CONFIG, "notify_listen %s is no address and port, such as 127.0.0.1:8470 or [::1]:8470", o->listen);
    struct serve *s = calloc(1, sizeof *s);
    if (!s) check_no_memory();
    s->w = w;
    s->o = *o;
    if (!s->o.max_body_bytes) s->o.max_body_bytes = BODY_BYTES;
    if (!s->o.max_waiting) s->o.max_waiting = WAITING;
    if (!s->o.max_connections) s->o.max_connections = CONNECTIONS;
    if (!s->o.timeout_s) s->o.timeout_s = TIMEOUT_S;
    s->guests.older = s->guests.newer = &s->guests;
    pthread_mutex_init(&s->lock, NULL);
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | (at.six ? MHD_USE_IPv6 : 0);
    s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, answer, s, MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL, MHD_OPTION_SOCK_ADDR, &at.at.any,
                                 MHD_OPTION_CONNECTION_LIMIT, s->o.max_connections + COMING, MHD_OPTION_CONNECTION_TIMEOUT, s->o.timeout_s,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES, MHD_OPTION_NOTIFY_COMPLETED, completed, s,
                                 MHD_OPTION_NOTIFY_CONNECTION, come_and_go, s, MHD_OPTION_END);
    if (!s->daemon) {
        pthread_mutex_destroy(&s->lock);
        free(s);
        return fault_set(f, ERR_IO, "nothing can listen at %s: is the port in use, is the address one of this machine?", o->listen);
    }
    if (!at.loopback) log_warn("notifications are received at %s without TLS: put a proxy that speaks TLS before it, on a network that you trust", o->listen);
    *out = s;
    return ERR_OK;
}

void serve_close(struct serve *s)
{
    if (!s) return;
    MHD_stop_daemon(s->daemon);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

unsigned serve_port(const struct serve *s)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}
