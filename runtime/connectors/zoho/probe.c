/* probe.c - `mlcd ping`: sign-in, reach, organisation, modules, one line per step with its time and, when it fails, the way out. */
#include "connectors/zoho/zoho.h"
#include <stdio.h>

struct probing { struct target *t; const struct finding_sink *sink; int64_t began_ms; };

__attribute__((format(printf, 4, 5)))
static void step(struct probing *p, enum finding_level level, const char *what, const char *fmt, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    int64_t now = zoho__mono(p->t);
    struct finding f = {level, what, text, now - p->began_ms};
    p->sink->add(p->sink->ctx, &f);
    p->began_ms = now;
}

/* Any answer proves name, TCP, TLS and the certificate; the call is outside of the API and costs nothing. */
static struct net_class any_answer(void *ctx, const struct http_res *res)
{
    (void)ctx; (void)res;
    return (struct net_class){.verdict = NET_DONE};
}

static enum err reach(struct probing *p, const char *what, const char *origin, struct fault *f)
{
    static const struct net_policy once = {1, 0, 0, true};
    struct arena a;
    struct http_res res;
    char url[ZOHO_URL_BYTES + 2];
    (void)snprintf(url, sizeof url, "%s/", origin);
    struct http_req req = {.method = "GET", .url = url, .pool = p->t->pool, .ca_file = zoho__ca(p->t), .connect_timeout_ms = p->t->connect_ms,
                           .total_timeout_ms = p->t->read_ms, .max_body_bytes = 4u << 20, .fresh = true};
    arena_init(&a, 0);
    enum err e = net_call(p->t->net, what, &req, &once, any_answer, NULL, &a, &res, f);
    if (e == ERR_OK || e == ERR_TOO_LARGE) {
        if (res.tls_ms < 0) step(p, FINDING_OK, what, "%s answers (connected after %lld ms)", origin, (long long)res.connect_ms);
        else step(p, FINDING_OK, what, "%s answers (connected after %lld ms, TLS after %lld ms)", origin, (long long)res.connect_ms, (long long)res.tls_ms);
        e = ERR_OK;
    } else {
        step(p, FINDING_FAIL, what, "%s. Name resolution, firewall and the system's certificates are what to look at; proxies are not used", f->text);
    }
    arena_free(&a);
    return e;
}

static enum err sign_in(struct probing *p, struct fault *f)
{
    enum err e = zoho__token(p->t, f);
    if (e != ERR_OK) {
        step(p, FINDING_FAIL, "token", "%s", f->text);
        return e;
    }
    const struct zoho_token *tok = &p->t->oauth.token;
    step(p, FINDING_OK, "token", "valid for %lld min; %d of %d renewals used in 10 minutes; API host %s",
         (long long)((tok->expires_wall_ms - zoho__wall(p->t)) / 60000), zoho__renewals(tok, zoho__wall(p->t)), ZOHO_TOKENS, zoho__api(p->t));
    if (tok->scopes[0]) {
        struct arena a;
        arena_init(&a, 1024);
        bool notify = conn_setting(p->t->env, "notify_url").n > 0;
        struct str missing = zoho__missing_scopes(str_of(tok->scopes), notify ? STR(ZOHO_SCOPES ZOHO_NOTIFY_SCOPES) : STR(ZOHO_SCOPES), &a);
        if (missing.n) step(p, FINDING_WARN, "scopes", "the consent may lack %s: mlcd auth %s", missing.p, p->t->pool);
        else step(p, FINDING_OK, "scopes", "complete");
        arena_free(&a);
    }
    return ERR_OK;
}

static enum err organisation(struct probing *p, struct fault *f)
{
    p->t->meta.org.known = false;                            /* a probe asks anew */
    enum err e = zoho__org(p->t, f);
    if (e != ERR_OK) {
        step(p, FINDING_FAIL, "organisation", "%s", f->text);
        return e;
    }
    const struct zoho_org *o = &p->t->meta.org;
    bool trial = o->trial;
    step(p, trial ? FINDING_WARN : FINDING_OK, "organisation", "%.*s (%.*s), edition %s%s%.*s, %lld users", (int)o->company.n, o->company.p, (int)o->type.n,
         o->type.p, zoho__editions[o->edition].name, trial ? ", a trial until " : "", trial ? (int)o->trial_expiry.n : 0, o->trial_expiry.p,
         (long long)o->users);
    return ERR_OK;
}

static void say_channel(void *ctx, enum finding_level level, const char *text)
{
    step(ctx, level, "notifications", "%s", text);
}

enum err zoho__probe(struct target *t, const struct finding_sink *sink, struct fault *f)
{
    struct probing p = {t, sink, zoho__mono(t)};
    struct fault why = {ERR_OK, ""};
    enum err first = reach(&p, "sign-in server", t->accounts_url, &why), e;
    e = first == ERR_OK ? sign_in(&p, &why) : first;
    if (e == ERR_OK) e = reach(&p, "API host", zoho__api(t), &why);
    if (e == ERR_OK) e = organisation(&p, &why);
    if (e == ERR_OK) {
        e = zoho__modules(t, &why);
        if (e == ERR_OK) step(&p, FINDING_OK, "modules", "%zu visible", t->meta.nmodules);
        else step(&p, FINDING_FAIL, "modules", "%s", why.text);
    }
    if (e == ERR_OK) zoho__probe_channels(t, say_channel, &p);
    return e == ERR_OK ? ERR_OK : fault_set(f, e, "%s", why.text);
}
