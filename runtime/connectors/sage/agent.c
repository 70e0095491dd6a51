/* agent.c - one call of agent protocol v1 (facts/sage-100.md 9.2, 9.3, 9.7): address, bearer token, repeats, table of errors.
 *
 *   path -> GET|POST agent_url + path, Authorization -> net_call (429, 502, 503 repeated there and nowhere else, never sooner than retryAfter)
 *        -> 2xx: the body is the caller's | else status and code -> agent_error.def -> enum err with Sage's message and our advice */
#include "connectors/sage/sage.h"
#include <stdio.h>

static const struct sage_agent_error errors[] = {
#define AGENT_ERROR(status, code, repeat, err, advice) {status, code, repeat, err, advice},
#include "connectors/sage/agent_error.def"
#undef AGENT_ERROR
};

/* Texts by value: net_call takes the arena back to where it stood before it repeats. */
struct call { struct source *s; struct sage_agent_reply *reply; char code[64], message[200]; };

static void read_error(struct call *c, const struct http_res *res)
{
    struct str code = {0}, message = {0};
    int64_t after = 0, header = net_retry_after_ms(res, world_wall_ms(c->s->env.world));
    struct arena_mark m = arena_mark(&c->s->scratch);
    c->code[0] = c->message[0] = '\0';
    if (sage100__agent_json_error(res->body, &c->s->scratch, &code, &message, &after)) {
        snprintf(c->code, sizeof c->code, "%s", sage100__clean(&c->s->scratch, code, 60));
        snprintf(c->message, sizeof c->message, "%s", sage100__clean(&c->s->scratch, message, 160));
    }
    c->reply->retry_after_ms = after > header ? after : header;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].status == res->status && str_is(code, errors[i].code)) c->reply->error = &errors[i];
    arena_release(&c->s->scratch, m);
}

/* Proxies in front of the agent speak 401, 403, 429, 502, 503 without our body: the status alone says enough there. A bare 404 or 410 does not. */
static const struct sage_agent_error *by_status(int status)
{
    static const int plain[] = {401, 403, 429, 502, 503};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (plain[i] == status)
            for (size_t j = 0; j < sizeof errors / sizeof *errors; j++)
                if (errors[j].status == status) return &errors[j];
    return NULL;
}

static struct net_class classify(void *ctx, const struct http_res *res)
{
    struct call *c = ctx;
    c->reply->error = NULL;
    c->reply->retry_after_ms = 0;
    if (res->status >= 200 && res->status < 300) return (struct net_class){.verdict = NET_DONE};
    read_error(c, res);
    if (!c->reply->error) c->reply->error = by_status(res->status);
    bool repeat = res->status == 504 || (c->reply->error && c->reply->error->repeat);
    return (struct net_class){repeat ? NET_RETRY : NET_GIVE_UP, c->reply->retry_after_ms, false};
}

static enum err fail(struct source *s, const char *what, const struct call *c, struct fault *f)
{
    const struct sage_agent_error *e = c->reply->error;
    const char *name = s->env.state_name, *colon = c->message[0] ? ": " : "";
    int status = c->reply->res.status;
    if (e) return fault_set(f, e->err, "source %s: %s: %s (%d %s%s%s)", name, what, e->advice, status, e->code, colon, c->message);
    if (status >= 300 && status < 400)
        return fault_set(f, ERR_PROTOCOL, "source %s: %s: redirected (%d), and redirects are not followed: set `agent` to the final address", name, what, status);
    if (status == 504) return fault_set(f, ERR_BUSY, "source %s: %s: a proxy waited in vain for the agent (504)", name, what);
    return fault_set(f, ERR_PROTOCOL, "source %s: %s: status %d%s%s is no answer of agent protocol v1%s%s: does `agent` lead to the agent?", name, what, status,
                     c->code[0] ? " with code " : "", c->code, colon, c->message);
}

enum err sage100__agent_call(struct source *s, const char *what, const char *method, const char *path, struct str body, const struct net_policy *policy,
                          struct arena *a, struct sage_agent_reply *out, struct fault *f)
{
    memset(out, 0, sizeof *out);
    struct call c = {s, out, "", ""};
    struct http_header headers[3] = {{"Authorization", s->set.authorization}, {"Accept", "application/json"}, {"Content-Type", "application/json"}};
    struct http_req req = {.method = method, .url = arena_printf(a, "%s%s", s->set.agent_url, path), .headers = headers, .nheaders = body.n ? 3 : 2,
                           .body = body, .pool = s->agent_pool, .ca_file = s->set.trust, .connect_timeout_ms = s->set.connect_ms,
                           .total_timeout_ms = s->set.connect_ms + s->set.read_ms, .max_body_bytes = LIMIT_ANSWER_BYTES};
    enum err e = net_call(s->net, what, &req, policy ? policy : &s->set.busy, classify, &c, a, &out->res, f);
    s->last = (struct sage_last){out->res.outcome, out->res.status, out->res.connect_ms, out->res.tls_ms, out->res.elapsed_ms};
    if (e == ERR_BUSY && out->res.outcome == HTTP_ANSWERED && out->res.status >= 300) return fail(s, what, &c, f);
    if (e == ERR_AMBIGUOUS)      /* a read: nothing can have been applied */
        return fault_set(f, ERR_UNREACHABLE, "source %s: %s: %s", s->env.state_name, what, out->res.error[0] ? out->res.error : "no answer");
    if (e != ERR_OK) {
        fault_prefix(f, "source %s", s->env.state_name);
        return e;
    }
    return out->res.status >= 200 && out->res.status < 300 ? ERR_OK : fail(s, what, &c, f);
}

const char *sage100__agent_path(struct arena *a, struct str company, const struct sage_entity *e)
{
    struct buf b = {0};
    buf_puts(&b, "/v1/companies/");
    net_url_encode(&b, company);
    buf_printf(&b, "/%s", e->resource);
    const char *path = arena_copy(a, b.p, b.n);
    buf_free(&b);
    return path;
}

bool sage100__agent_cursor_ok(struct str cursor)
{
    if (cursor.n == 0 || cursor.n > LIMIT_CURSOR_BYTES) return false;
    for (size_t i = 0; i < cursor.n; i++) {
        char c = cursor.p[i];
        bool ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '~' || c == '-';
        if (!ok) return false;
    }
    return true;
}
