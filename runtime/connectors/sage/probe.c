/* probe.c - the agent's door step by step, each with its time and the way out of what is wrong: reach, TLS, token, protocol, clock, company,
 * table, columns against the schema of this very installation (facts/sage-100.md 9.3). Small answers, so jansson reads them. Nothing is changed. */
#include "connectors/sage/sage.h"
#include "value/date.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define SKEW_WARN_MS 120000

void sage100__probe_unreached(struct sage_probe *p, const char *door, const char *url, const char *why, enum err e)
{
    const struct sage_last *l = &p->s->last;
    bool tls = strncmp(url, "https", 5) == 0;
    struct arena *a = p->a;
    if (p->worst == ERR_OK) p->worst = e;
    if (l->outcome == HTTP_ANSWERED || l->connect_ms >= 0) {
        sage100__probe_say(p, FINDING_OK, l->connect_ms, arena_printf(a, "%s reach", door), "the host answers");
        if (tls && (l->outcome == HTTP_ANSWERED || l->tls_ms >= 0)) sage100__probe_say(p, FINDING_OK, l->tls_ms, arena_printf(a, "%s tls", door), "the certificate is trusted");
        else if (tls) {
            sage100__probe_say(p, FINDING_FAIL, l->elapsed_ms, arena_printf(a, "%s tls", door),
                            "%s; a private certificate needs trust = file(\"ca.pem\") with the certificate of the authority that signed it", why);
            return;
        }
        sage100__probe_say(p, FINDING_FAIL, l->elapsed_ms, arena_printf(a, "%s answer", door), "%s", why);
        return;
    }
    sage100__probe_say(p, FINDING_FAIL, l->elapsed_ms, arena_printf(a, "%s reach", door), "%s; check address, port, firewall and that the service runs", why);
}

/* ---- JSON ---- */

static const char *text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s ? s : "";
}

/* NULL after a finding. what = name of the step. */
static json_t *ask(struct sage_probe *p, const char *what, const char *path, struct sage_agent_reply *reply, struct fault *f)
{
    enum err e = sage100__agent_call(p->s, "agent probe", "GET", path, (struct str){"", 0}, NULL, p->a, reply, f);
    if (e != ERR_OK) {
        if (p->worst == ERR_OK) p->worst = e;
        sage100__probe_say(p, FINDING_FAIL, reply->res.elapsed_ms, what, "%s", f->text);
        return NULL;
    }
    json_error_t why;
    json_t *j = json_loadb(reply->res.body.p, reply->res.body.n, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(j)) return j;
    json_decref(j);
    if (p->worst == ERR_OK) p->worst = ERR_PROTOCOL;
    sage100__probe_say(p, FINDING_FAIL, reply->res.elapsed_ms, what, "the answer is no JSON object: does `agent` lead to the agent?");
    return NULL;
}

/* ---- health ---- */

static void check_clock(struct sage_probe *p, const json_t *health, int64_t now_ms)
{
    struct value v;
    const json_t *clock = json_object_get(health, "clock");
    const char *utc = text(clock, "utc");
    if (!datetime_parse(str_of(utc), &v) || v.kind != V_INSTANT) {
        sage100__probe_say(p, FINDING_WARN, 0, "clock", "the agent tells no time");
        return;
    }
    int64_t skew = v.u.i - now_ms, size = skew < 0 ? -skew : skew;
    if (size > SKEW_WARN_MS)
        sage100__probe_say(p, FINDING_WARN, 0, "clock", "the agent's clock is %lld s %s ours: let both follow a time server, and keep the agent's overlap longer than that",
                        (long long)(size / 1000), skew < 0 ? "behind" : "ahead of");
    else sage100__probe_say(p, FINDING_OK, 0, "clock", "%lld s apart, Sage's offset from UTC is %lld min", (long long)(size / 1000),
                         (long long)json_integer_value(json_object_get(clock, "tzOffsetMinutes")));
}

static bool check_health(struct sage_probe *p)
{
    struct sage_agent_reply reply;
    struct fault f;
    enum err e = sage100__agent_call(p->s, "agent health", "GET", "/v1/health", (struct str){"", 0}, NULL, p->a, &reply, &f);
    const struct sage_last *l = &p->s->last;
    if (e == ERR_AUTH || (e == ERR_OK && l->outcome == HTTP_ANSWERED)) {
        sage100__probe_say(p, FINDING_OK, l->connect_ms, "agent reach", "the host answers");
        if (strncmp(p->s->set.agent_url, "https", 5) == 0) sage100__probe_say(p, FINDING_OK, l->tls_ms, "agent tls", "the certificate is trusted");
    }
    if (e == ERR_AUTH) {
        if (p->worst == ERR_OK) p->worst = e;
        sage100__probe_say(p, FINDING_FAIL, l->elapsed_ms, "token", "%s", f.text);
        return false;
    }
    if (e != ERR_OK) {
        sage100__probe_unreached(p, "agent", p->s->set.agent_url, f.text, e);
        return false;
    }
    sage100__probe_say(p, FINDING_OK, l->elapsed_ms, "token", "accepted");
    json_t *health = json_loadb(reply.res.body.p, reply.res.body.n, 0, NULL);
    const json_t *version = json_object_get(health, "protocol");
    bool ok = json_is_integer(version) && json_integer_value(version) == 1;
    if (!ok && p->worst == ERR_OK) p->worst = ERR_PROTOCOL;
    if (ok) sage100__probe_say(p, FINDING_OK, l->elapsed_ms, "protocol", "version 1; agent %.40s, Sage 100 %.40s", text(health, "agent"), text(health, "sage"));
    else sage100__probe_say(p, FINDING_FAIL, l->elapsed_ms, "protocol", "this is no agent that speaks protocol version 1: check `agent`, or install a version of the agent that does");
    if (ok) check_clock(p, health, world_wall_ms(p->s->env.world) - l->elapsed_ms / 2);
    json_decref(health);
    return ok;
}

/* ---- companies ---- */

static void check_company(struct sage_probe *p, const json_t *list, struct str code, int64_t elapsed_ms)
{
    const char *what = arena_printf(p->a, "company %.*s", (int)code.n, code.p);
    size_t i;
    json_t *c;
    json_array_foreach(list, i, c) {
        if (!str_is(code, text(c, "code"))) continue;
        if (json_is_false(json_object_get(c, "opens"))) {
            if (p->worst == ERR_OK) p->worst = ERR_PERMISSION;
            sage100__probe_say(p, FINDING_FAIL, elapsed_ms, what, "the agent cannot open it: see the agent's log (user's access to the company, licences, period end)");
        } else sage100__probe_say(p, FINDING_OK, elapsed_ms, what, "%s opens", sage100__clean(p->a, str_of(text(c, "name")), 60));
        return;
    }
    sage100__probe_say(p, FINDING_FAIL, elapsed_ms, what, "the agent serves no such company: check `company` and the agent's settings");
}

static struct str company_of(const struct sage_probe *p, const struct source_query *q)
{
    return q->company.n ? q->company : conn_setting(&p->s->env, "company");
}

static void check_companies(struct sage_probe *p)
{
    struct sage_agent_reply reply;
    struct fault f;
    json_t *j = ask(p, "companies", "/v1/companies", &reply, &f);
    if (!j) return;
    const json_t *list = json_object_get(j, "companies");
    if (p->nq == 0 && conn_setting(&p->s->env, "company").n) check_company(p, list, conn_setting(&p->s->env, "company"), reply.res.elapsed_ms);
    for (size_t i = 0; i < p->nq; i++) {
        struct str code = company_of(p, &p->q[i]);
        bool again = false;
        for (size_t k = 0; k < i; k++) again = again || str_eq(company_of(p, &p->q[k]), code);
        if (!again) check_company(p, list, code, reply.res.elapsed_ms);
    }
    json_decref(j);
}

/* ---- tables and columns ---- */

static const json_t *column_named(const json_t *columns, struct str name)
{
    size_t i;
    json_t *c;
    json_array_foreach(columns, i, c)
        if (str_is(name, text(c, "name"))) return c;
    return NULL;
}

static unsigned digits_of(const struct type *t)
{
    unsigned n = 1;
    i128 hi = t->hi > -t->lo ? t->hi : -t->lo;
    while (n < LIMIT_DECIMAL_DIGITS && decimal_pow10(n) <= hi) n++;
    return n;
}

/* NULL, or what may break the column's declared type at run time. */
static const char *compare(struct arena *a, const struct type *t, const json_t *c)
{
    const char *type = text(c, "type");
    long long length = json_integer_value(json_object_get(c, "length")), scale = json_integer_value(json_object_get(c, "scale"));
    const char *want = t->base == T_DECIMAL ? "number" : t->base == T_DATE ? "date" : "string";
    if (strcmp(type, want) != 0 && t->base != T_LOCAL && t->base != T_INSTANT)
        return arena_printf(a, "is a %.20s in this installation, the schema of the spec says %s", type, want);
    if (t->base == T_TEXT && length > (long long)t->max_len && t->nset == 0)
        return arena_printf(a, "holds up to %lld characters here, the schema of the spec allows %u: longer values will be set aside", length, t->max_len);
    if (t->base == T_DECIMAL && scale > t->scale) return arena_printf(a, "has %lld decimals here, the schema of the spec allows %u", scale, t->scale);
    if (t->base == T_DECIMAL && length - scale > (long long)digits_of(t) - t->scale)
        return arena_printf(a, "has up to %lld digits before the point here, the schema of the spec allows %u", length - scale, digits_of(t) - t->scale);
    return NULL;
}

/* The columns of the lines against the line table's; how many are not as they should be. */
static unsigned check_lines(struct sage_probe *p, const struct source_column *list, const struct sage_entity *e, const json_t *schema, int64_t elapsed_ms)
{
    const struct list_shape *s = list->type.shape;
    unsigned bad = 0;
    if (!json_is_object(schema)) {
        sage100__probe_say(p, FINDING_FAIL, elapsed_ms, arena_printf(p->a, "lines of %s", e->table), "are not served by this agent: update the agent");
        return 1;
    }
    for (uint16_t i = 0; i < s->n; i++) {
        const json_t *live = column_named(json_object_get(schema, "columns"), s->names[i]);
        const char *what = arena_printf(p->a, "column %s.%.*s.%.*s", e->table, (int)list->name.n, list->name.p, (int)s->names[i].n, s->names[i].p);
        const char *why = live ? compare(p->a, &s->types[i], live) : NULL;
        if (!live && (s->flags[i] & LIST_KEY)) continue;         /* it comes with the line's key */
        if (!live) sage100__probe_say(p, FINDING_FAIL, elapsed_ms, what, "does not exist in this installation: take it out of the spec, or grant the agent this column");
        else if (why) sage100__probe_say(p, FINDING_WARN, elapsed_ms, what, "%s", why);
        bad += !live || why;
    }
    return bad;
}

static void check_columns(struct sage_probe *p, const struct source_query *q, const struct sage_entity *e, const json_t *schema, int64_t elapsed_ms)
{
    const json_t *columns = json_object_get(schema, "columns");
    unsigned bad = 0;
    for (size_t i = 0; i < q->ncolumns; i++) {
        const struct source_column *c = &q->columns[i];
        if (c->type.base == T_LIST) {
            bad += check_lines(p, c, e, json_object_get(schema, "lines"), elapsed_ms);
            continue;
        }
        const json_t *live = column_named(columns, c->name);
        const char *what = arena_printf(p->a, "column %s.%.*s", e->table, (int)c->name.n, c->name.p);
        const char *why = live ? compare(p->a, &c->type, live) : NULL;
        if (!live) sage100__probe_say(p, FINDING_FAIL, elapsed_ms, what, "does not exist in this installation: take it out of the spec, or grant the agent this column");
        else if (why) sage100__probe_say(p, FINDING_WARN, elapsed_ms, what, "%s", why);
        bad += !live || why;
    }
    if (!bad) sage100__probe_say(p, FINDING_OK, elapsed_ms, arena_printf(p->a, "columns of %s", e->table), "all %zu as the spec expects them", q->ncolumns);
}

static void check_table(struct sage_probe *p, const struct source_query *q)
{
    struct sage_agent_reply reply;
    struct fault f;
    const struct sage_entity *e = sage100__entity(q->entity);
    const char *what = arena_printf(p->a, "table %s", e->table);
    struct buf path = {0};
    buf_puts(&path, "/v1/companies/");
    net_url_encode(&path, company_of(p, q));
    buf_printf(&path, "/schema/%s", e->resource);
    json_t *j = ask(p, what, arena_copy(p->a, path.p, path.n), &reply, &f);
    buf_free(&path);
    if (!j) return;
    const json_t *key = json_object_get(j, "key");
    bool same = json_array_size(key) == e->nkeys;
    for (size_t i = 0; same && i < e->nkeys; i++) {
        const char *part = json_string_value(json_array_get(key, i));
        same = part && strcmp(part, e->key[i]) == 0;
    }
    if (!same) sage100__probe_say(p, FINDING_FAIL, reply.res.elapsed_ms, what, "has another key here than protocol version 1 says: update the agent");
    else if (json_is_false(json_object_get(j, "audit")))
        sage100__probe_say(p, FINDING_WARN, reply.res.elapsed_ms, what, "has no stamps in this installation: every poll lists all rows, so poll it rarely");
    else sage100__probe_say(p, FINDING_OK, reply.res.elapsed_ms, what, "is served as %s", e->resource);
    if (same) check_columns(p, q, e, j, reply.res.elapsed_ms);
    json_decref(j);
}

void sage100__probe_agent(struct sage_probe *p)
{
    struct net_policy kept = p->s->set.busy;
    p->s->set.busy.attempts = 2;             /* a person waits */
    if (check_health(p)) {
        check_companies(p);
        for (size_t i = 0; i < p->nq; i++) {
            struct fault f;
            const char *door = sage100__door(p->s, &p->q[i], &f);
            if (door && strcmp(door, "agent") == 0 && company_of(p, &p->q[i]).n == 3) check_table(p, &p->q[i]);
        }
    }
    p->s->set.busy = kept;
}
