/* crash_net.c - the program's clock, random numbers and requests. The program runs in the child, the models in the server; one byte through a socket
 * wakes the other side, the message itself lies in the shared memory.
 *
 *     child: pack request -> byte -> wait for byte -> unpack answer          server: byte -> model through tests/sim/loop -> answer -> byte
 *
 * The server outlives the child: what was applied stays applied. */
#include "tests/fault/memory.h"
#include "tests/sim/loop.h"
#include "base/buf.h"
#include "base/check.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LATE_MS = 10000, OVERRIDES = 64 };

/* ---- messages ---- */
static void put_text(struct buf *b, const char *s)
{
    buf_byte(b, s != NULL);
    if (s) buf_blob(b, str_of(s));
}

static const char *get_text(struct reader *r, struct arena *a)
{
    if (read_u8(r) == 0) return NULL;
    struct str s = read_blob(r);
    return arena_copy(a, s.p ? s.p : "", s.n);
}

static void message_set(struct crash_shared *sh, struct buf *b)
{
    ASSERT(b->n <= CRASH_MESSAGE_BYTES);
    if (b->n) memcpy(sh->message, b->p, b->n);
    sh->message_bytes = b->n;
    buf_free(b);
}

static struct reader message_get(const struct crash_shared *sh)
{
    return reader_of((struct str){(const char *)sh->message, sh->message_bytes});
}

/* ---- child ---- */
static struct { struct crash_shared *sh; int fd; } child;

static void ask(struct buf *b)
{
    char go = 1;
    memory_stop();
    message_set(child.sh, b);
    if (send(child.fd, &go, 1, MSG_NOSIGNAL) != 1 || recv(child.fd, &go, 1, 0) != 1) _exit(98);
}

static int64_t child_wall(void *ctx) { return ((struct crash_shared *)ctx)->wall_ms; }
static int64_t child_mono(void *ctx) { return ((struct crash_shared *)ctx)->mono_ms; }

static void child_sleep(void *ctx, int64_t ms)
{
    (void)ctx;
    struct buf b = {0};
    buf_byte(&b, NET_SLEEP);
    buf_u64(&b, (uint64_t)ms);
    ask(&b);
}

static void child_fill(void *ctx, void *p, size_t n)
{
    struct crash_shared *sh = ctx;
    for (size_t i = 0; i < n; i++) {
        uint64_t z = (sh->random += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        ((unsigned char *)p)[i] = (unsigned char)((z ^ (z >> 27)) * 0x94d049bb133111ebu >> 56);
    }
}

static int child_start(void *ctx, const struct http_req *q, void *tag)
{
    struct crash_shared *sh = ctx;
    (void)io_enter(CALL_SEND);
    struct buf b = {0};
    buf_byte(&b, NET_SEND);
    buf_u64(&b, (uint64_t)(uintptr_t)tag);
    put_text(&b, q->method);
    put_text(&b, q->url);
    put_text(&b, q->pool);
    put_text(&b, q->ca_file);
    buf_u32(&b, (uint32_t)q->nheaders);
    for (size_t i = 0; i < q->nheaders; i++) {
        put_text(&b, q->headers[i].name);
        put_text(&b, q->headers[i].value);
    }
    buf_blob(&b, q->body);
    buf_u64(&b, (uint64_t)q->connect_timeout_ms);
    buf_u64(&b, (uint64_t)q->total_timeout_ms);
    buf_u64(&b, q->max_body_bytes);
    buf_byte(&b, q->fresh);
    ask(&b);
    struct reader r = message_get(sh);
    int rc = read_u8(&r) ? 0 : -1;
    io_leave();
    io_flush_syncs();
    return rc;
}

static int child_wait(void *ctx, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag)
{
    struct crash_shared *sh = ctx;
    (void)io_enter(CALL_ANSWER);
    struct buf b = {0};
    buf_byte(&b, NET_WAIT);
    buf_u64(&b, (uint64_t)timeout_ms);
    ask(&b);
    struct reader r = message_get(sh);
    int rc = (int)read_u8(&r) - 1;
    if (rc == 1) {
        *res = (struct http_res){.outcome = (enum http_outcome)read_u8(&r)};
        *tag = (void *)(uintptr_t)read_u64(&r);
        res->status = (int)read_u32(&r);
        res->elapsed_ms = (int64_t)read_u64(&r);
        res->connect_ms = (int64_t)read_u64(&r);
        res->tls_ms = (int64_t)read_u64(&r);
        const char *why = get_text(&r, a);
        (void)snprintf(res->error, sizeof res->error, "%s", why ? why : "");
        res->nheaders = read_u32(&r);
        struct http_header *h = ARENA_ARRAY(a, struct http_header, res->nheaders + 1);
        for (size_t i = 0; i < res->nheaders; i++) {
            h[i].name = get_text(&r, a);
            h[i].value = get_text(&r, a);
        }
        res->headers = h;
        struct str body = read_blob(&r);
        res->body = (struct str){arena_copy(a, body.p ? body.p : "", body.n), body.n};
    }
    io_leave();
    return rc;
}

void net_child(struct world *w, struct crash_shared *sh, int fd)
{
    child.sh = sh;
    child.fd = fd;
    w->clock = (struct world_clock){child_wall, child_mono, child_sleep, sh};
    w->random = (struct world_random){child_fill, sh};
    w->http = (struct world_http){child_start, child_wait, sh};
}

/* ---- server ---- */
struct net_flight { bool used, now; enum http_outcome outcome; unsigned life; uint64_t child_tag; };
struct net_late { struct net_server *s; struct http_req req; struct arena arena; };
struct net_server {
    struct sim_loop *loop;
    struct crash_shared *sh;
    struct world w;
    struct net_flight flight[OVERRIDES];   /* all transfers; tag of the loop = place + 1 */
    struct net_late *late;
    void (*before)(void *ctx);
    void *before_ctx;
};

struct net_server *net_server_new(struct sim_loop *loop, struct crash_shared *sh)
{
    struct net_server *s = calloc(1, sizeof *s);
    if (!s) check_no_memory();
    s->loop = loop;
    s->sh = sh;
    sim_loop_world(loop, &s->w);
    return s;
}

void net_server_free(struct net_server *s)
{
    if (s && s->late) arena_free(&s->late->arena);
    if (s) free(s->late);
    free(s);
}

void net_server_before(struct net_server *s, void (*before)(void *ctx), void *ctx)
{
    s->before = before;
    s->before_ctx = ctx;
}

/* The shared memory says what time it is. */
static void net_clock(struct net_server *s)
{
    s->sh->wall_ms = world_wall_ms(&s->w);
    s->sh->mono_ms = world_mono_ms(&s->w);
}

static struct http_req request_of(struct reader *r, struct arena *a, uint64_t *tag)
{
    struct http_req q = {0};
    *tag = read_u64(r);
    q.method = get_text(r, a);
    q.url = get_text(r, a);
    q.pool = get_text(r, a);
    q.ca_file = get_text(r, a);
    q.nheaders = read_u32(r);
    struct http_header *h = ARENA_ARRAY(a, struct http_header, q.nheaders + 1);
    for (size_t i = 0; i < q.nheaders; i++) {
        h[i].name = get_text(r, a);
        h[i].value = get_text(r, a);
    }
    q.headers = h;
    struct str body = read_blob(r);
    q.body = (struct str){arena_copy(a, body.p ? body.p : "", body.n), body.n};
    q.connect_timeout_ms = (int64_t)read_u64(r);
    q.total_timeout_ms = (int64_t)read_u64(r);
    q.max_body_bytes = (size_t)read_u64(r);
    q.fresh = read_u8(r);
    return q;
}

static void *tag_of(size_t place) { return (void *)(uintptr_t)(place + 1); }

static bool serve_send(struct net_server *s, struct reader *r)
{
    struct net_late *one = calloc(1, sizeof *one);
    if (!one) check_no_memory();
    arena_init(&one->arena, 4096);
    uint64_t tag;
    one->s = s;
    one->req = request_of(r, &one->arena, &tag);
    size_t i = 0;
    while (i < OVERRIDES && s->flight[i].used) i++;
    enum fault_kind how = s->sh->net_fault;
    bool ok = i < OVERRIDES;
    if (ok) s->flight[i] = (struct net_flight){.used = true, .outcome = HTTP_ANSWERED, .life = s->sh->life, .child_tag = tag};
    if (ok && (how == FAULT_REFUSED || how == FAULT_RESET)) {
        s->flight[i].now = true;
        s->flight[i].outcome = how == FAULT_REFUSED ? HTTP_NOT_SENT : HTTP_AMBIGUOUS;
    } else if (ok && how == FAULT_LATE) {
        s->late = one;
        return true;
    } else if (ok) {
        if (how == FAULT_LOST) s->flight[i].outcome = HTTP_AMBIGUOUS;
        ok = s->w.http.start(s->w.http.ctx, &one->req, tag_of(i)) == 0;
        if (!ok) s->flight[i].used = false;
    }
    arena_free(&one->arena);
    free(one);
    return ok;
}

static void put_answer(struct buf *b, const struct net_flight *fl, const struct http_res *res)
{
    bool spoilt = fl->outcome != HTTP_ANSWERED;
    enum http_outcome outcome = spoilt ? fl->outcome : res->outcome;
    buf_byte(b, 2);
    buf_byte(b, (unsigned char)outcome);
    buf_u64(b, fl->child_tag);
    buf_u32(b, spoilt ? 0 : (uint32_t)res->status);
    buf_u64(b, (uint64_t)res->elapsed_ms);
    buf_u64(b, (uint64_t)res->connect_ms);
    buf_u64(b, (uint64_t)res->tls_ms);
    put_text(b, spoilt ? "broken by the harness" : res->error);
    size_t n = spoilt ? 0 : res->nheaders;
    buf_u32(b, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        put_text(b, res->headers[i].name);
        put_text(b, res->headers[i].value);
    }
    buf_blob(b, spoilt ? (struct str){"", 0} : res->body);
}

static bool under_way(const struct net_server *s)
{
    for (size_t i = 0; i < OVERRIDES; i++)
        if (s->flight[i].used && s->flight[i].life == s->sh->life) return true;
    return false;
}

/* Answers to lives that are over are thrown away. */
static void serve_wait(struct net_server *s, int64_t timeout_ms, struct buf *b)
{
    struct http_res none = {0};
    for (size_t i = 0; i < OVERRIDES; i++) {
        if (!s->flight[i].used || !s->flight[i].now) continue;
        put_answer(b, &s->flight[i], &none);
        s->flight[i].used = false;
        return;
    }
    int64_t until = world_mono_ms(&s->w) + timeout_ms;
    while (under_way(s)) {
        struct arena a;
        struct http_res res;
        void *tag = NULL;
        arena_init(&a, 4096);
        int64_t left = until - world_mono_ms(&s->w);
        int rc = s->w.http.wait(s->w.http.ctx, timeout_ms < 0 ? -1 : left < 0 ? 0 : left, &a, &res, &tag);
        struct net_flight *fl = rc == 1 ? &s->flight[(uintptr_t)tag - 1] : NULL;
        if (fl) fl->used = false;
        bool mine = fl && fl->life == s->sh->life;
        if (mine) put_answer(b, fl, &res);
        arena_free(&a);
        if (mine) return;
        if (rc != 1) break;
    }
    buf_byte(b, under_way(s) ? 1 : 0);
}

/* Until the program's end of the socket closes. False: it said nonsense. */
static bool serve(struct net_server *s, int fd)
{
    char go;
    while (recv(fd, &go, 1, 0) == 1) {
        struct reader r = message_get(s->sh);
        struct buf b = {0};
        if (s->before) s->before(s->before_ctx);
        switch (read_u8(&r)) {
        case NET_SEND: buf_byte(&b, serve_send(s, &r)); break;
        case NET_WAIT: serve_wait(s, (int64_t)read_u64(&r), &b); break;
        case NET_SLEEP: sim_loop_advance(s->loop, (int64_t)read_u64(&r)); break;
        default: return false;
        }
        net_clock(s);
        message_set(s->sh, &b);
        if (send(fd, &go, 1, MSG_NOSIGNAL) != 1) break;
    }
    return true;
}

static void late_now(void *ctx)
{
    struct net_late *late = ctx;
    struct net_server *s = late->s;
    size_t i = 0;
    while (i + 1 < OVERRIDES && s->flight[i].used) i++;
    s->flight[i] = (struct net_flight){.used = true, .life = 0};
    (void)s->w.http.start(s->w.http.ctx, &late->req, tag_of(i));
}

/* The transfers of a life that ended are forgotten; a late request will be applied ten seconds from now. */
static void life_over(struct net_server *s)
{
    for (size_t i = 0; i < OVERRIDES; i++)
        if (s->flight[i].used && s->flight[i].now) s->flight[i].used = false;
    bool due = s->late && s->late->req.url && s->sh->net_fault == FAULT_LATE;
    s->sh->net_fault = FAULT_NONE;
    if (due) sim_loop_at(s->loop, LATE_MS, late_now, s->late);
}

bool net_life(struct net_server *s, void (*program)(void *ctx, int fd), void *ctx, int *status)
{
    struct crash_shared *sh = s->sh;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return false;
    sh->life++;
    sh->struck = sh->out_of_memory = false;
    sh->lasting = FAULT_NONE;
    sh->cut = CUT_NONE;
    net_clock(s);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[0]);
        program(ctx, pair[1]);
        abort();
    }
    close(pair[1]);
    bool sane = pid > 0 && serve(s, pair[0]);
    close(pair[0]);
    if (pid > 0) waitpid(pid, status, 0);
    life_over(s);
    return sane;
}
