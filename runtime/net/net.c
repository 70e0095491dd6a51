/* net.c - calls over the transport: who owns which completion, when to repeat, when to stop trying.
 *
 *     net_start -> flight{owner, tag} -> world.http.start            one flight per request; it is the transport's tag
 *     pump      -> world.http.wait -> flight -> the waiting caller, or kept in the owner's queue, or dropped (abandoned)
 *     net_call  -> start, pump until ours, judge -> done | sleep and repeat | give up
 *
 * While a call sleeps between attempts the other transfers of this process go on: the sleep is a wait on the transport. */
#include "net/net.h"
#include "base/check.h"
#include <stdio.h>
#include <stdlib.h>

#define SLICE_MS             500      /* longest wait between two looks at the stop flag */
#define BREAKERS             16
#define BREAKER_FIRST_MS     30000
#define BREAKER_MAX_MS       300000
#define BUDGET_MAX           200      /* tenths of a repeat */
#define BUDGET_PER_REPEAT    10
#define BUDGET_PER_SUCCESS   2
#define BUDGET_REFILL_MS     1000     /* one tenth */
#define LONGEST_ADVISED_MS   60000

struct flight {                       /* a request under way */
    struct net *owner;                /* NULL: nobody wants the answer any more */
    struct flight *next, **at;        /* in the owner's list, or among the orphans */
    void *tag;                        /* the caller's */
    bool of_call;                     /* net_call waits for it */
};
struct kept { struct kept *next; struct arena arena; struct http_res res; void *tag; bool of_call; };
struct breaker { char key[160]; unsigned failures; int64_t open_until_ms, open_for_ms; };

struct net {
    const struct world *w;
    net_note note;
    void *note_ctx;
    const volatile int *stop;
    void (*meanwhile)(void *ctx);
    void *meanwhile_ctx;
    struct flight *flights;
    struct kept *first, **last;
    unsigned n;                       /* started by net_start and not yet handed over */
    struct breaker breakers[BREAKERS];
    size_t nbreakers;
    int64_t budget, budget_at_ms;
};

/* ---- flights and kept answers ---- */

static bool stopped(const struct net *n) { return n->stop && *n->stop != 0; }

/* Abandoned flights: the transport still holds them as tags, so they live until their completion comes by. */
static struct flight *orphans;

static void link_flight(struct flight *fl, struct flight **list)
{
    fl->next = *list;
    fl->at = list;
    if (fl->next) fl->next->at = &fl->next;
    *list = fl;
}

static void unlink_flight(struct flight *fl)
{
    *fl->at = fl->next;
    if (fl->next) fl->next->at = fl->at;
}

static void abandon(struct flight *fl)
{
    unlink_flight(fl);
    fl->owner = NULL;
    link_flight(fl, &orphans);
}

static struct flight *launch(struct net *n, const struct http_req *req, void *tag)
{
    struct flight *fl = calloc(1, sizeof *fl);
    if (!fl) check_no_memory();
    if (n->w->http.start(n->w->http.ctx, req, fl) != 0) {
        free(fl);
        return NULL;
    }
    fl->owner = n;
    fl->tag = tag;
    link_flight(fl, &n->flights);
    return fl;
}

static void keep(struct net *owner, const struct http_res *res, struct arena *a, const struct flight *fl)
{
    struct kept *k = calloc(1, sizeof *k);
    if (!k) check_no_memory();
    *k = (struct kept){.arena = *a, .res = *res, .tag = fl->tag, .of_call = fl->of_call};
    *owner->last = k;
    owner->last = &k->next;
}

static void drop_first(struct net *n)
{
    struct kept *k = n->first;
    n->first = k->next;
    if (!n->first) n->last = &n->first;
    arena_free(&k->arena);
    free(k);
}

enum { PUMP_OTHER = 2 };
/* Waits once on the transport. 1: the completion of `mine` (NULL: of any flight of n that net_start made) is in res and *tag. 0: time
 * passed. PUMP_OTHER: somebody else's completion was put away. -1: nothing is under way at all. */
static int pump(struct net *n, struct flight *mine, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag)
{
    struct arena answer;                  /* whose it is shows when it is here */
    void *t = NULL;
    arena_init(&answer, 4096);
    int got = n->w->http.wait(n->w->http.ctx, timeout_ms, &answer, res, &t);
    if (got != 1) {
        arena_free(&answer);
        return got;
    }
    struct flight *fl = t;
    struct net *owner = fl->owner;
    bool ours = mine ? fl == mine : owner == n;
    unlink_flight(fl);
    if (ours) {
        *tag = fl->tag;
        arena_join(a, &answer);
    } else if (owner) keep(owner, res, &answer, fl);
    else arena_free(&answer);
    free(fl);
    return ours ? 1 : PUMP_OTHER;
}

/* The answer to the call that this net waits for was put away while a call of another net, made meanwhile, looked at the transport. */
static bool take_kept_call(struct net *n, struct arena *a, struct http_res *res)
{
    for (struct kept **at = &n->first; *at; at = &(*at)->next) {
        struct kept *k = *at;
        if (!k->of_call) continue;
        *res = k->res;
        arena_join(a, &k->arena);
        *at = k->next;
        if (!k->next) n->last = at;
        free(k);
        return true;
    }
    return false;
}

int net_start(struct net *n, const struct http_req *req, void *tag)
{
    if (!launch(n, req, tag)) return -1;
    n->n++;
    return 0;
}

int net_wait(struct net *n, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag)
{
    bool was_stopped = stopped(n);
    int64_t until = world_mono_ms(n->w) + (timeout_ms > 0 ? timeout_ms : 0);
    for (;;) {
        if (n->n == 0) return -1;
        if (n->first) {
            *res = n->first->res;
            arena_join(a, &n->first->arena);
            *tag = n->first->tag;
            drop_first(n);
            n->n--;
            return 1;
        }
        int64_t left = until - world_mono_ms(n->w);
        int got = pump(n, NULL, left < 0 ? 0 : left < SLICE_MS ? left : SLICE_MS, a, res, tag);
        if (got == 1) {
            n->n--;
            return 1;
        }
        if (left <= 0 || (!was_stopped && stopped(n))) return n->first ? net_wait(n, 0, a, res, tag) : 0;
        ASSERT(got != -1);            /* -1 with n->n > 0 would be a transport that lost a transfer */
    }
}

unsigned net_in_flight(const struct net *n) { return n->n; }
void net_set_stop(struct net *n, const volatile int *stop) { n->stop = stop; }

void net_set_meanwhile(struct net *n, void (*call)(void *ctx), void *ctx)
{
    n->meanwhile = call;
    n->meanwhile_ctx = ctx;
}

/* Sleeps for ms while other transfers go on. False when the stop flag ended it. */
static bool rest(struct net *n, int64_t ms)
{
    struct arena scratch;
    arena_init(&scratch, 0);
    int64_t until = world_mono_ms(n->w) + ms;
    while (!stopped(n)) {
        int64_t left = until - world_mono_ms(n->w);
        if (left <= 0) break;
        if (left > SLICE_MS) left = SLICE_MS;
        struct http_res res;
        void *tag;
        struct flight nobody;
        if (pump(n, &nobody, left, &scratch, &res, &tag) == -1) n->w->clock.sleep_ms(n->w->clock.ctx, left);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
    return !stopped(n);
}

/* ---- breaker and retry budget ---- */

static struct str host_of(const char *url)
{
    const char *p = strstr(url, "://");
    p = p ? p + 3 : url;
    return (struct str){p, strcspn(p, "/?#")};
}

static struct breaker *breaker_of(struct net *n, const struct http_req *req)
{
    char key[160];
    struct str host = host_of(req->url);
    (void)snprintf(key, sizeof key, "%s %.*s", req->pool ? req->pool : "", (int)(host.n > 100 ? 100 : host.n), host.p);
    for (size_t i = 0; i < n->nbreakers; i++)
        if (strcmp(n->breakers[i].key, key) == 0) return &n->breakers[i];
    struct breaker *b = &n->breakers[n->nbreakers < BREAKERS ? n->nbreakers++ : BREAKERS - 1];
    *b = (struct breaker){.open_for_ms = BREAKER_FIRST_MS};
    (void)snprintf(b->key, sizeof b->key, "%s", key);
    return b;
}

static void breaker_feed(struct net *n, struct breaker *b, bool failed)
{
    if (!failed) {
        b->failures = 0;
        b->open_until_ms = 0;
        b->open_for_ms = BREAKER_FIRST_MS;
        return;
    }
    if (++b->failures < NET_BREAKER_FAILURES) return;
    b->open_until_ms = world_mono_ms(n->w) + b->open_for_ms;
    b->open_for_ms = b->open_for_ms * 2 > BREAKER_MAX_MS ? BREAKER_MAX_MS : b->open_for_ms * 2;
}

static void budget_refill(struct net *n)
{
    int64_t tenths = (world_mono_ms(n->w) - n->budget_at_ms) / BUDGET_REFILL_MS;
    if (tenths <= 0) return;
    n->budget_at_ms += tenths * BUDGET_REFILL_MS;
    n->budget = n->budget + tenths > BUDGET_MAX ? BUDGET_MAX : n->budget + tenths;
}

static bool budget_spend(struct net *n)
{
    budget_refill(n);
    if (n->budget < BUDGET_PER_REPEAT) return false;
    n->budget -= BUDGET_PER_REPEAT;
    return true;
}

static void budget_earn(struct net *n)
{
    n->budget = n->budget + BUDGET_PER_SUCCESS > BUDGET_MAX ? BUDGET_MAX : n->budget + BUDGET_PER_SUCCESS;
}

/* ---- one call ---- */

struct call {
    struct net *n;
    const char *what;
    const struct http_req *req;
    const struct net_policy *p;
    net_classify cls;
    void *cls_ctx;
    struct arena *a;
    struct http_res *res;
    struct fault *f;
    struct breaker *b;
    unsigned attempt;
    int64_t delay_ms;
};

/* One exchange: ERR_OK with res filled whatever its outcome, ERR_STOPPED, ERR_BUSY when the transport is full for too long. */
static enum err exchange(struct call *c)
{
    struct flight *fl;
    void *tag;
    for (unsigned tries = 0; !(fl = launch(c->n, c->req, NULL)); tries++) {
        if (tries > 600) return fault_set(c->f, ERR_BUSY, "%s: too many transfers are under way", c->what);
        if (!rest(c->n, 100)) return fault_set(c->f, ERR_STOPPED, "%s: stopped on request", c->what);
    }
    fl->of_call = true;
    for (;;) {
        int got = pump(c->n, fl, SLICE_MS, c->a, c->res, &tag);
        if (got == 1) return ERR_OK;
        ASSERT(got != -1);
        if (got == PUMP_OTHER && c->n->meanwhile) c->n->meanwhile(c->n->meanwhile_ctx);
        if (take_kept_call(c->n, c->a, c->res)) return ERR_OK;
        if (stopped(c->n)) {
            abandon(fl);
            return fault_set(c->f, ERR_STOPPED, "%s: stopped on request", c->what);
        }
    }
}

struct judgement { enum net_verdict verdict; enum err err; bool failure; int64_t not_before_ms; char why[240]; };

static struct judgement judge(const struct call *c)
{
    const struct http_res *r = c->res;
    struct judgement j = {NET_RETRY, ERR_UNREACHABLE, true, 0, ""};
    struct str host = host_of(c->req->url);
    switch (r->outcome) {
    case HTTP_ANSWERED: {
        struct net_class k = c->cls(c->cls_ctx, r);
        j.verdict = k.verdict;
        j.not_before_ms = k.not_before_ms;
        j.failure = r->status >= 500 && k.verdict == NET_RETRY && !k.host_well;
        j.err = k.verdict == NET_RETRY ? ERR_BUSY : ERR_OK;
        (void)snprintf(j.why, sizeof j.why, "answered %d", r->status);
        return j;
    }
    case HTTP_NOT_SENT: break;
    case HTTP_AMBIGUOUS:
        j.err = c->p->idempotent ? ERR_UNREACHABLE : ERR_AMBIGUOUS;
        if (!c->p->idempotent) j.verdict = NET_GIVE_UP;
        break;
    case HTTP_TOO_LARGE: j.verdict = NET_GIVE_UP; j.err = ERR_TOO_LARGE; j.failure = false; break;
    case HTTP_REFUSED: j.verdict = NET_GIVE_UP; j.err = ERR_CONFIG; j.failure = false; break;
    }
    (void)snprintf(j.why, sizeof j.why, "%s%.*s: %s", r->outcome == HTTP_AMBIGUOUS ? "sent, but no whole answer from " : "",
                   (int)(host.n > 100 ? 100 : host.n), host.p, r->error);
    return j;
}

/* True: slept, go again. False: *out is the verdict of the whole call. */
static bool may_repeat(struct call *c, const struct judgement *j, enum err *out)
{
    struct net *n = c->n;
    int64_t longest = c->p->delay_max_ms > LONGEST_ADVISED_MS ? c->p->delay_max_ms : LONGEST_ADVISED_MS;
    const char *limit = NULL;
    if (c->attempt >= c->p->attempts) limit = "no attempt is left";
    else if (j->not_before_ms > longest) limit = "it asks to wait longer than a call may";
    else if (j->failure && !budget_spend(n)) limit = "too many calls had to be repeated lately";
    if (limit) {
        *out = fault_set(c->f, j->err, "%s: %s (attempt %u; %s)", c->what, j->why, c->attempt, limit);
        return false;
    }
    c->delay_ms = net_jitter(n->w, c->p->delay_min_ms, c->p->delay_max_ms, c->delay_ms);
    int64_t delay = j->not_before_ms > c->delay_ms ? j->not_before_ms : c->delay_ms;
    if (n->note) n->note(n->note_ctx, c->what, c->attempt, delay, j->why);
    if (rest(n, delay)) return true;
    *out = fault_set(c->f, ERR_STOPPED, "%s: stopped on request", c->what);
    return false;
}

static enum err run_call(struct call *c)
{
    struct net *n = c->n;
    for (c->attempt = 1;; c->attempt++) {
        if (stopped(n)) return fault_set(c->f, ERR_STOPPED, "%s: stopped on request", c->what);
        int64_t closed_ms = c->b->open_until_ms - world_mono_ms(n->w);
        if (c->b->failures >= NET_BREAKER_FAILURES && closed_ms > 0)
            return fault_set(c->f, ERR_BUSY, "%s: not tried, the last %u exchanges with %.*s failed; next try in %lld s", c->what,
                             c->b->failures, (int)host_of(c->req->url).n, host_of(c->req->url).p, (long long)(closed_ms + 999) / 1000);
        struct arena_mark m = arena_mark(c->a);
        enum err e = exchange(c);
        if (e != ERR_OK) return e;
        struct judgement j = judge(c);
        breaker_feed(n, c->b, j.failure);
        if (!j.failure) budget_earn(n);
        if (j.verdict != NET_RETRY)
            return j.err == ERR_OK ? ERR_OK : fault_set(c->f, j.err, "%s: %s", c->what, j.why);
        if (!may_repeat(c, &j, &e)) return e;
        arena_release(c->a, m);
    }
}

enum err net_call(struct net *n, const char *what, const struct http_req *req, const struct net_policy *p, net_classify cls, void *cls_ctx,
                  struct arena *a, struct http_res *res, struct fault *f)
{
    ASSERT(p->attempts >= 1 && p->delay_min_ms >= 0 && p->delay_max_ms >= p->delay_min_ms && cls != NULL);
    *res = (struct http_res){.outcome = HTTP_NOT_SENT, .connect_ms = -1, .tls_ms = -1};
    struct call c = {n, what, req, p, cls, cls_ctx, a, res, f, breaker_of(n, req), 0, p->delay_min_ms};
    return run_call(&c);
}

/* ---- life ---- */

enum err net_open(struct net **out, const struct world *w, net_note note, void *note_ctx)
{
    ASSERT(w->http.start != NULL && w->http.wait != NULL);
    struct net *n = calloc(1, sizeof *n);
    if (!n) check_no_memory();
    n->w = w;
    n->note = note;
    n->note_ctx = note_ctx;
    n->last = &n->first;
    n->budget = BUDGET_MAX;
    n->budget_at_ms = world_mono_ms(w);
    *out = n;
    return ERR_OK;
}

void net_close(struct net *n)
{
    if (!n) return;
    while (n->flights) abandon(n->flights);
    while (n->first) drop_first(n);
    free(n);
}
