/* pace.c - the arithmetic of waiting and counting: rolling windows, jitter, Retry-After; and percent-encoding. No state of its own. */
#include "net/net.h"
#include "base/buf.h"
#include "base/check.h"
#include <stdlib.h>
#include <time.h>

#define BUCKETS 64
#define RETRY_AFTER_MAX_MS 3600000LL          /* no documented header of either system: a wrong one may cost an hour, not a day */
#define COUNTED_MAX        1000000000000000LL   /* in a saved window: stamps and counts above are nobody's, and their sums would overflow */

/* A window is a ring of buckets, each span/64 wide and named by its start. A clock that went back leaves buckets in the future: they were
 * spent and count, unless they lie further ahead than the span, which no correct clock can have written. */

static int64_t bucket_width(const struct net_window *w) { return (w->span_ms + BUCKETS - 1) / BUCKETS; }

void net_window_init(struct net_window *w, int64_t span_ms)
{
    ASSERT(span_ms > 0);
    memset(w, 0, sizeof *w);
    w->span_ms = span_ms;
}

void net_window_add(struct net_window *w, int64_t now_ms, int64_t n)
{
    int64_t width = bucket_width(w), start = now_ms - now_ms % width;
    size_t i = (size_t)((start / width) % BUCKETS);
    if (w->bucket_ms[i] != start) {
        w->bucket_ms[i] = start;
        w->count[i] = 0;
    }
    w->count[i] += n;
}

int64_t net_window_sum(const struct net_window *w, int64_t now_ms)
{
    int64_t sum = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        if (w->bucket_ms[i] + bucket_width(w) > now_ms - w->span_ms && w->bucket_ms[i] < now_ms + w->span_ms) sum += w->count[i];
    return sum;
}

void net_window_print(struct buf *out, const struct net_window *w)
{
    buf_printf(out, "%lld", (long long)w->span_ms);
    for (size_t i = 0; i < BUCKETS; i++)
        if (w->count[i] > 0) buf_printf(out, " %lld:%lld", (long long)w->bucket_ms[i], (long long)w->count[i]);
}

static bool next_number(struct str *s, char ends_with, int64_t *v)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9') n++;
    if (!str_to_i64((struct str){s->p, n}, v)) return false;
    if (n < s->n && s->p[n] != ends_with) return false;
    if (n == s->n && ends_with == ':') return false;
    size_t used = n < s->n ? n + 1 : n;
    *s = (struct str){s->p + used, s->n - used};
    return true;
}

bool net_window_parse(struct net_window *w, struct str text)
{
    int64_t span, start, count;
    if (!next_number(&text, ' ', &span)) return false;
    struct net_window read = {.span_ms = w->span_ms};
    while (text.n > 0) {
        if (!next_number(&text, ':', &start) || !next_number(&text, ' ', &count) || start > COUNTED_MAX || count > COUNTED_MAX) return false;
        size_t i = (size_t)((start / bucket_width(&read)) % BUCKETS);
        read.bucket_ms[i] = start;
        read.count[i] = count;
    }
    if (span == w->span_ms) *w = read;
    return true;
}

int64_t net_jitter(const struct world *w, int64_t min_ms, int64_t max_ms, int64_t last_ms)
{
    ASSERT(min_ms <= max_ms);
    int64_t high = last_ms > max_ms / 3 ? max_ms : last_ms * 3;
    if (high <= min_ms) return min_ms;
    uint64_t r;
    w->random.fill(w->random.ctx, &r, sizeof r);
    return min_ms + (int64_t)(r % (uint64_t)(high - min_ms + 1));
}

int64_t net_retry_after_ms(const struct http_res *res, int64_t wall_now_ms)
{
    const char *v = http_header_get(res, "retry-after");
    if (!v) return 0;
    int64_t s;
    if (str_to_i64(str_trim(str_of(v)), &s)) return s > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : s * 1000;
    struct tm tm = {0};
    const char *end = strptime(v, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (!end) return 0;
    int64_t ms = (int64_t)timegm(&tm) * 1000 - wall_now_ms;
    return ms < 0 ? 0 : ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
}

void net_url_encode(struct buf *out, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            buf_byte(out, c);
        } else {
            buf_byte(out, '%');
            buf_byte(out, (unsigned char)hex[c >> 4]);
            buf_byte(out, (unsigned char)hex[c & 15]);
        }
    }
}
