/* write.c - batches on their way: started, waited for, cured of a 401, classified (facts/zoho-crm.md 4.1, 4.2, 7).
 *
 *     FREE -start-> UNDER WAY -answer-> settled                          -> handed back
 *                       ^         '-> 401: renew, send once more (a 401 applied nothing)
 *                       '-------------'
 *
 * Inserts and updates go over pooled connections: the transport never sends a write twice by itself (net/curl_http.h); updates of lines, which
 * a target that appends rows would show twice, get a connection of their own all the same. Nothing is repeated here but the 401; a batch that was not sent, or was throttled, comes back as W_RETRY and sync decides. */
#include "connectors/zoho/zoho.h"
#include <stdio.h>

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000

static int64_t cost_of(const struct write_batch *b) { return ((int64_t)b->n + 9) / 10; }      /* facts 8 */

static struct zoho_flight *free_flight(struct target *t)
{
    for (size_t i = 0; i < ZOHO_WRITERS; i++)
        if (!t->flights[i].batch) return &t->flights[i];
    return NULL;
}

static bool launch(struct target *t, struct zoho_flight *fl)
{
    struct buf url = {0}, auth = {0}, body = {0};
    struct http_header h[3];
    zoho__put_batch(&body, fl->batch);
    buf_printf(&url, "%s" ZOHO_BASE "/", zoho__api(t));
    net_url_encode(&url, fl->batch->module);
    struct http_req req = {.method = fl->batch->verb == WRITE_INSERT ? "POST" : "PUT", .url = buf_cstr(&url), .headers = h,
                           .nheaders = zoho__headers(t, true, &auth, h), .body = buf_view(&body), .pool = t->pool, .ca_file = zoho__ca(t),
                           .connect_timeout_ms = t->connect_ms, .total_timeout_ms = t->write_ms, .max_body_bytes = LIMIT_ANSWER_BYTES};
    memcpy(fl->token, t->oauth.token.access, sizeof fl->token);
    req.fresh = fl->batch->verb == WRITE_UPDATE && fl->batch->lines;
    bool started = net_start(t->net, &req, fl) == 0;
    explicit_bzero(auth.p, auth.cap);
    buf_free(&auth);
    buf_free(&url);
    buf_free(&body);
    return started;
}

static void land(struct target *t, struct zoho_flight *fl)
{
    zoho__place_give(t, fl->place);
    fl->place = ZOHO_NO_PLACE;
    fl->batch = NULL;
    fl->repeated = false;
    explicit_bzero(fl->token, sizeof fl->token);
    t->nflights--;
}

enum err zoho__write_start(struct target *t, struct write_batch *b, struct fault *f)
{
    ASSERT(b->n >= 1 && b->n <= LIMIT_WRITE_BATCH && b->arena != NULL);
    struct zoho_flight *fl = free_flight(t);
    if (!fl || t->nflights >= zoho__writers(t)) return fault_set(f, ERR_BUSY, "%u writes are under way, as many as allowed", t->nflights);
    if (t->env->stop && *t->env->stop) return fault_set(f, ERR_STOPPED, "stopped on request");
    enum err e = zoho__token(t, f);
    if (e != ERR_OK) return e;
    int place = b->n > ZOHO_LIGHT_RECORDS ? zoho__place_take(t) : ZOHO_NO_PLACE;
    if (place == ZOHO_ALL_TAKEN) return fault_set(f, ERR_BUSY, "%u heavy calls are under way in all processes, as many as allowed", zoho__places(t));
    e = zoho__limits_take(t, cost_of(b), f);
    if (e != ERR_OK) {
        zoho__place_give(t, place);
        return e;
    }
    fl->place = place;
    fl->batch = b;
    fl->cost = cost_of(b);
    fl->repeated = false;
    t->nflights++;
    if (launch(t, fl)) return ERR_OK;
    zoho__limits_give_back(t, fl->cost);
    land(t, fl);
    return fault_set(f, ERR_BUSY, "too many transfers are under way");
}

/* ---- settling ---- */

static void set_not_before(struct target *t, struct write_batch *b, const struct http_res *res)
{
    int64_t quiet = zoho__quiet_ms(t), asked = res->outcome == HTTP_ANSWERED ? net_retry_after_ms(res, zoho__wall(t)) : 0;
    int64_t passing = 0;
    for (size_t i = 0; i < b->n; i++) {
        struct write_item *it = &b->items[i];
        it->not_before_ms = 0;
        if (it->cls != W_RETRY) continue;
        if (!passing) passing = net_jitter(t->env->world, RETRY_MIN_MS, RETRY_MAX_MS, RETRY_MIN_MS * 3);
        it->not_before_ms = quiet > passing ? quiet : passing;
        if (asked > it->not_before_ms) it->not_before_ms = asked;
    }
}

/* Zoho's unique check may disregard case: "our own key is there" is believed only when the record found holds our key byte for byte.
 * Another spelling is another source record, which a person must sort out; what cannot be read is ambiguous. */
static void confirm_own(struct target *t, struct write_batch *b)
{
    struct str ids[LIMIT_WRITE_BATCH];
    size_t at[LIMIT_WRITE_BATCH], n = 0, nhits = 0;
    struct lookup_hit *hits = NULL;
    for (size_t i = 0; i < b->n; i++)
        if (b->items[i].cls == W_DUP_OWN) {
            ids[n] = b->items[i].out_id;
            at[n++] = i;
        }
    if (n == 0) return;
    struct fault f = {ERR_OK, ""};
    enum err e = zoho__read(t, b->module, ids, n, &b->key_field, 1, b->arena, &hits, &nhits, &f);
    for (size_t k = 0; k < n; k++) b->items[at[k]].cls = W_AMBIGUOUS;
    for (size_t h = 0; e == ERR_OK && h < nhits; h++) {
        struct write_item *it = &b->items[at[hits[h].value_index]];
        const struct value *have = record_get(&hits[h].fields, b->key_field), *ours = record_get(it->fields, b->key_field);
        if (have && ours) it->cls = value_equal(have, ours) ? W_DUP_OWN : W_DUP_OTHER;
    }
}

/* True: sent once more. False: items hold the last word. */
static bool cure(struct target *t, struct zoho_flight *fl)
{
    struct fault f = {ERR_OK, ""};
    struct write_batch *b = fl->batch;
    if (fl->repeated) return false;
    fl->repeated = true;
    enum err e = zoho__renew(t, fl->token, &f);
    if (e == ERR_OK && launch(t, fl)) return true;
    bool disk = e == ERR_IO || e == ERR_NO_SPACE;                 /* ours: nothing at Zoho has to change */
    if (disk) log_warn("%s: %s", t->pool, f.text);
    bool passing = disk || e == ERR_OK || e == ERR_BUSY || e == ERR_UNREACHABLE || e == ERR_STOPPED;
    zoho__classify_all(b, passing ? W_RETRY : W_CONFIG, 401, "INVALID_TOKEN", e == ERR_OK ? "not sent again" : f.text);
    return false;
}

static struct write_batch *settle(struct target *t, struct zoho_flight *fl, const struct http_res *res)
{
    struct write_batch *b = fl->batch;
    zoho__limits_answer(t, res);
    if (res->outcome == HTTP_NOT_SENT) zoho__limits_give_back(t, fl->cost);
    enum zoho_verdict v = zoho__classify(b, res);
    if (v == ZOHO_RENEW && cure(t, fl)) return NULL;
    set_not_before(t, b, res);
    land(t, fl);
    if (b->verb == WRITE_INSERT) confirm_own(t, b);
    return b;
}

/* ---- waiting ---- */

/* Nothing is under way: sit out the quiet time that made write_start say ERR_BUSY. */
static void sit_out(struct target *t, int64_t timeout_ms)
{
    const struct world *w = t->env->world;
    int64_t until = zoho__mono(t) + timeout_ms, quiet;
    while ((quiet = zoho__quiet_ms(t)) > 0 && !(t->env->stop && *t->env->stop)) {
        int64_t left = until - zoho__mono(t);
        if (left <= 0) return;
        if (left > quiet) left = quiet;
        w->clock.sleep_ms(w->clock.ctx, left < 500 ? left : 500);
    }
}

enum err zoho__write_wait(struct target *t, int64_t timeout_ms, struct write_batch **done, struct fault *f)
{
    (void)f;
    int64_t until = zoho__mono(t) + timeout_ms;
    *done = NULL;
    if (t->nflights == 0) {
        sit_out(t, timeout_ms);
        return ERR_OK;
    }
    struct arena a;
    arena_init(&a, 0);
    for (;;) {
        struct http_res res;
        void *tag;
        int64_t left = until - zoho__mono(t);
        int got = net_wait(t->net, left > 0 ? left : 0, &a, &res, &tag);
        ASSERT(got != -1);
        if (got == 0) break;
        *done = settle(t, tag, &res);
        if (*done) break;
        arena_reset(&a);
    }
    arena_free(&a);
    return ERR_OK;
}
