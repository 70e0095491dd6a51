/* call.c - one call outside of the batches: limits, token, transport, one cure of a 401. A call that changes nothing is repeated, and a complaint of
 * Zoho becomes a sentence; a call that changes something is sent once, and its answer is the caller's to read. */
#include "connectors/zoho/zoho.h"
#include <stdio.h>

#define QUIET_WAIT_MS 120000      /* longer than this a read does not sit out a 429 */

size_t zoho__headers(const struct target *t, bool body, struct buf *auth, struct http_header *h)
{
    buf_clear(auth);
    buf_printf(auth, "Zoho-oauthtoken %s", t->oauth.token.access);
    h[0] = (struct http_header){"Authorization", buf_cstr(auth)};
    h[1] = (struct http_header){"User-Agent", "ml-connector"};
    h[2] = (struct http_header){"Content-Type", "application/json"};
    return body ? 3 : 2;
}

static struct net_class read_class(void *ctx, const struct http_res *res)
{
    struct target *t = ctx;
    zoho__limits_answer(t, res);
    struct net_class k = {.verdict = NET_DONE};
    if (res->status == 429) {
        k.verdict = NET_RETRY;
        k.not_before_ms = zoho__quiet_ms(t);
    } else if (res->status >= 500 && res->status != 501 && res->status != 505) {
        k.verdict = NET_RETRY;
        k.not_before_ms = net_retry_after_ms(res, zoho__wall(t));
    }
    return k;
}

/* Sits out a short quiet time; a long one comes back as ERR_BUSY from limits_take. */
static enum err admit(struct target *t, int64_t cost, struct fault *f)
{
    const struct world *w = t->env->world;
    int64_t until = zoho__mono(t) + QUIET_WAIT_MS, quiet;
    while ((quiet = zoho__quiet_ms(t)) > 0 && zoho__mono(t) + quiet <= until) {
        if (t->env->stop && *t->env->stop) return fault_set(f, ERR_STOPPED, "stopped on request");
        w->clock.sleep_ms(w->clock.ctx, quiet < 500 ? quiet : 500);
    }
    return zoho__limits_take(t, cost, f);
}

/* Every answer is final: what was refused for a passing reason is for the caller to say, and for a person to start again. */
static struct net_class change_class(void *ctx, const struct http_res *res)
{
    zoho__limits_answer(ctx, res);
    return (struct net_class){.verdict = NET_DONE};
}

/* Sits out the heavy calls of other processes. */
static enum err take_place(struct target *t, const struct zoho_call *c, int *place, struct fault *f)
{
    const struct world *w = t->env->world;
    *place = ZOHO_NO_PLACE;
    if (strcmp(c->path, "/coql") != 0 && !strstr(c->path, "search?criteria=")) return ERR_OK;
    for (int64_t until = zoho__mono(t) + QUIET_WAIT_MS; (*place = zoho__place_take(t)) == ZOHO_ALL_TAKEN;) {
        if (t->env->stop && *t->env->stop) return fault_set(f, ERR_STOPPED, "stopped on request");
        if (zoho__mono(t) >= until) return fault_set(f, ERR_BUSY, "%u heavy calls are under way in all processes, as many as allowed", zoho__places(t));
        w->clock.sleep_ms(w->clock.ctx, 100);
    }
    return ERR_OK;
}

struct manner { struct net_policy policy; net_classify classify; };
static const struct manner reading = {{4, 500, 20000, true}, read_class}, changing = {{1, 500, 20000, false}, change_class};

static enum err exchange(struct target *t, const struct zoho_call *c, const struct manner *m, struct arena *a, struct http_res *res, struct fault *f)
{
    struct buf url = {0}, auth = {0};
    struct http_header h[8];
    size_t nh = zoho__headers(t, c->body.n > 0, &auth, h);
    if (c->content_type) h[nh - 1].value = c->content_type;
    for (size_t i = 0; i < c->nmore && nh < 8; i++) h[nh++] = c->more[i];
    if (c->url) buf_puts(&url, c->url);
    else buf_printf(&url, "%s" ZOHO_BASE "%s", zoho__api(t), c->path);
    struct http_req req = {.method = c->method, .url = buf_cstr(&url), .headers = h, .nheaders = nh,
                           .body = c->body, .pool = t->pool, .ca_file = zoho__ca(t), .connect_timeout_ms = t->connect_ms, .total_timeout_ms = t->read_ms,
                           .max_body_bytes = LIMIT_ANSWER_BYTES};
    int place;
    enum err e = take_place(t, c, &place, f);
    if (e == ERR_OK) e = net_call(t->net, c->what, &req, &m->policy, m->classify, t, a, res, f);
    zoho__place_give(t, place);
    explicit_bzero(auth.p, auth.cap);
    buf_free(&auth);
    buf_free(&url);
    return e;
}

static enum err complain(const struct zoho_call *c, const struct http_res *res, struct arena *a, struct fault *f)
{
    struct zoho_complaint z = zoho__complaint(res, a);
    const struct zoho_code *k = zoho__code(z.code);
    if (!k && z.code.n == 0) {
        enum err e = res->status == 401 ? ERR_AUTH : res->status == 403 ? ERR_PERMISSION : res->status >= 500 ? ERR_UNREACHABLE : ERR_PROTOCOL;
        return fault_set(f, e, "%s: Zoho answered %d without a code", c->what, res->status);
    }
    return fault_set(f, k ? k->err : ERR_PROTOCOL, "%s: %.*s%s%.*s (%.*s)%s%s", c->what, (int)str_cut(z.code, 60).n, z.code.p,
                     z.param.n ? " on " : "", (int)str_cut(z.param, 60).n, z.param.p, (int)str_cut(z.message, 120).n,
                     z.message.p, k ? ": " : "", k ? k->advice : "");
}

static bool token_refused(const struct http_res *res, struct arena *a)
{
    return res->status == 401 && !str_is(zoho__complaint(res, a).code, "OAUTH_SCOPE_MISMATCH");
}

static enum err signed_in(struct target *t, const struct zoho_call *c, const struct manner *m, struct arena *a, struct http_res *res, struct fault *f)
{
    enum err e = admit(t, c->cost, f);
    if (e == ERR_OK) e = zoho__token(t, f);
    if (e != ERR_OK) return e;
    e = exchange(t, c, m, a, res, f);
    if (e == ERR_OK && token_refused(res, a)) {
        char refused[ZOHO_TOKEN_BYTES];
        memcpy(refused, t->oauth.token.access, sizeof refused);
        e = zoho__renew(t, refused, f);
        explicit_bzero(refused, sizeof refused);
        if (e == ERR_OK) e = exchange(t, c, m, a, res, f);
    }
    return e;
}

enum err zoho__change(struct target *t, const struct zoho_call *c, struct arena *a, struct http_res *res, struct fault *f)
{
    return signed_in(t, c, &changing, a, res, f);
}

enum err zoho__call(struct target *t, const struct zoho_call *c, struct arena *a, struct http_res *res, struct fault *f)
{
    enum err e = signed_in(t, c, &reading, a, res, f);
    if (e != ERR_OK) return e;
    /* Nothing found is 204 (facts/zoho-crm.md 4.5). Any other good answer without a word has lost its body on the way: it says nothing of what is there. */
    if (res->status < 200 || res->status >= 300) return complain(c, res, a, f);
    if (res->status != 204 && res->body.n == 0) return fault_set(f, ERR_PROTOCOL, "%s: the answer is %d and empty", c->what, res->status);
    return ERR_OK;
}
