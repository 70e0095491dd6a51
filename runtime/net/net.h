/* net.h - calls over the world's transport: several under way, retried at this one layer only, with decorrelated jitter, a retry budget
 * and a breaker. Knows nothing of Sage or Zoho: a connector says by a classify function what an answer means.
 *
 *     net_call   retries inside:  NOT_SENT always, AMBIGUOUS only when the policy says idempotent, ANSWERED as classify says
 *     net_start  no retry:        the caller has durable state behind the request and decides itself (writes)
 *
 * Several nets may stand on one transport (a source's and a target's): whoever waits may see another net's completion first, and keeps it
 * for its owner. Everybody on a transport must therefore go through a net.
 * The breaker is per pool and host: NET_BREAKER_FAILURES failed exchanges in a row (no answer, or a 5xx that classify wants repeated) and
 * calls fail at once for 30 s, doubling to 5 min; then one call probes. A 5xx that classify takes as final is an answer like any other. The retry budget is per net: 20 repeats, one more for every five calls that succeed and
 * every 10 s; locks and other answers below 500 do not draw on it. */
#ifndef NET_NET_H
#define NET_NET_H
#include "base/world.h"

#define NET_BREAKER_FAILURES 8

struct net;
struct net_policy {                  /* of one kind of call */
    unsigned attempts;               /* in all, >= 1; 1 = never repeated here */
    int64_t delay_min_ms, delay_max_ms;   /* decorrelated jitter: next = min(max, rand(min, 3 * last)) */
    bool idempotent;                 /* an AMBIGUOUS outcome may be repeated (reads); a write never is */
};
enum net_verdict { NET_DONE, NET_RETRY, NET_GIVE_UP };
struct net_class {
    enum net_verdict verdict;
    int64_t not_before_ms;           /* Retry-After and the like, relative; 0 = none */
    bool host_well;                  /* a repeat that says nothing against the host, whatever its status (a SOAP fault about one record) */
};
/* Says what to do with an answer; called for HTTP_ANSWERED only. */
typedef struct net_class (*net_classify)(void *ctx, const struct http_res *res);
/* Told about each failed attempt that will be repeated: for the audit log. why holds no secret. */
typedef void (*net_note)(void *ctx, const char *what, unsigned attempt, int64_t delay_ms, const char *why);

enum err net_open(struct net **out, const struct world *w, net_note note, void *note_ctx);
/* Forgets what is under way: its completions are dropped. */
void net_close(struct net *n);
/* One call, blocking (other transfers started with net_start go on and their completions are kept). Outcome in res. OK when an answer is
 * there that classify calls DONE or GIVE_UP (look at res->status); ERR_UNREACHABLE, ERR_AMBIGUOUS, ERR_BUSY (attempts used up, breaker open),
 * ERR_TOO_LARGE, ERR_CONFIG (the transport's rules forbid the request), ERR_STOPPED (stop flag). After ERR_BUSY res holds the last answer,
 * or status 0. A Retry-After beyond a minute and beyond the policy is not slept through: ERR_BUSY. Memory from a. what = short name for notes ("agent page"). */
enum err net_call(struct net *n, const char *what, const struct http_req *req, const struct net_policy *p, net_classify cls, void *cls_ctx,
                  struct arena *a, struct http_res *res, struct fault *f);
/* Many at once: no retry here, the caller owns it. Returns 0, or -1 when `max_in_flight` are under way. */
int  net_start(struct net *n, const struct http_req *req, void *tag);
/* 1 and fills; 0 at the timeout or when the stop flag was set meanwhile (a flag set before does not end the wait: a caller may
 * drain); -1 nothing under way. */
int  net_wait(struct net *n, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag);
unsigned net_in_flight(const struct net *n);
/* The flag that SIGTERM sets; waits and sleeps end early when *stop != 0. */
void net_set_stop(struct net *n, const volatile int *stop);
/* Called during net_call, between two looks at the transport, when the completion of another net was put away: its owner may take it in and start what
 * waited for it. It may make calls of other nets; of this one none. */
void net_set_meanwhile(struct net *n, void (*call)(void *ctx), void *ctx);

/* A rolling-window counter for budgets (API credits per day, tokens per 10 minutes): 64 buckets, no allocation. */
struct net_window { int64_t span_ms; int64_t bucket_ms[64]; int64_t count[64]; };
void net_window_init(struct net_window *w, int64_t span_ms);
void net_window_add(struct net_window *w, int64_t now_ms, int64_t n);
int64_t net_window_sum(const struct net_window *w, int64_t now_ms);
/* The window as text and back, so that it survives a restart; buckets of another span are dropped. False on malformed text. */
struct buf;
void net_window_print(struct buf *out, const struct net_window *w);
bool net_window_parse(struct net_window *w, struct str text);
/* Retry-After in milliseconds from now: seconds or an HTTP date (RFC 9110 10.2.3); 0 when absent or malformed; at most an hour, so that
 * a wrong one does not stop everything for long. */
int64_t net_retry_after_ms(const struct http_res *res, int64_t wall_now_ms);
/* Decorrelated jitter, one step: the delay after `last_ms`. */
int64_t net_jitter(const struct world *w, int64_t min_ms, int64_t max_ms, int64_t last_ms);
/* Percent-encodes everything but unreserved characters. */
void net_url_encode(struct buf *out, struct str s);
#endif
