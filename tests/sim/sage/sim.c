/*
 * sim.c: the model as a whole: options, companies, the way of a request.
 *
 *     handle -> due script commands -> route -> fault instead? -> agent | soap | script | 404 -> fault after -> log
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void sage_sim_options_default(struct sage_sim_options *o)
{
    memset(o, 0, sizeof *o);
    o->seed = 1;
    o->customers = 1000;
    o->company = "ABC";
    o->company_name = "ABC Distribution and Service Corp.";
    o->token = "agent-token";
    o->user = "websvc";
    o->password = "websvc-password";
    o->tz = "America/Chicago";
    o->overlap_minutes = 10;
    o->history_end = 20240331;
    o->soap_idle_ms = 20 * 60000;
    o->soap.service_ns = "http://mas90.sage.com/ws";
    o->soap.data_ns = "http://schemas.datacontract.org/2004/07/Sage.Mas.Ws";
    o->soap.contract = "IMasService";
    o->soap.path = "/ebusinesswebservices/MasService.svc";
    o->soap.logon_code = "WS_LogonFailure";
    o->soap.null_date = "1753-01-01T00:00:00";
    o->clock = sim_clock_real();
}

// Every string of the options, so that copying and freeing cannot forget one.
static void each_string(struct sage_sim_options *o, void (*f)(const char **))
{
    f(&o->company);
    f(&o->company_name);
    f(&o->rows);
    f(&o->token);
    f(&o->user);
    f(&o->password);
    f(&o->tz);
    f(&o->soap.service_ns);
    f(&o->soap.data_ns);
    f(&o->soap.contract);
    f(&o->soap.path);
    f(&o->soap.action_format);
    f(&o->soap.logon_code);
    f(&o->soap.null_date);
}

static void own(const char **s)
{
    *s = sage__copy(*s);
}

static void disown(const char **s)
{
    union {
        const char *given;
        char *owned;
    } u = {*s};
    free(u.owned);
}

void sage_sim_change_token(struct sage_sim *s, const char *token)
{
    disown(&s->opt.token);
    s->opt.token = token;
    own(&s->opt.token);
}

void sage__epoch_make(struct sage_company *c)
{
    uint64_t a = sage__mix(c->seed ^ (0xe90c + c->epoch_count * 2)), b = sage__mix(a + 1);
    snprintf(c->epoch, sizeof c->epoch, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
             (unsigned)(a & 0xfff), (unsigned)(b >> 52), (unsigned long long)(b & 0xffffffffffffu));
}

static void company_free(struct sage_company *c)
{
    for (int i = 0; i < SAGE_RESOURCES; i++) {
        sage__view_drop(&c->res[i]);
        sage__patches_free(&c->res[i].patches);
    }
    sage__owned_free(&c->orders);
    sage__owned_free(&c->purchases);
    free(c->name);
    free(c->last_error);
    free(c);
}

struct sage_company *sage__company(struct sage_sim *s, const char *code)
{
    for (size_t i = 0; i < s->ncompanies; i++)
        if (strcmp(s->companies[i]->code, code) == 0)
            return s->companies[i];
    return NULL;
}

struct sage_company *sage__company_make(struct sage_sim *s, const char *code, const char *name, uint32_t customers)
{
    if (strlen(code) != 3 || customers > 4000000 || sage__company(s, code) || s->ncompanies == SAGE_COMPANIES_MAX)
        return NULL;
    for (const char *p = code; *p; p++)
        if (!((*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9')))
            return NULL;
    struct sage_company *c = sage__alloc(sizeof *c);
    c->sim = s;
    memcpy(c->code, code, 4);
    c->name = sage__copy(name ? name : code);
    c->customers = customers;
    c->seed = sage__hash(s->opt.seed, code, 3);
    c->opens = true;
    c->session_ms = sage_sim_now_ms(s);
    sage__epoch_make(c);
    for (int i = 0; i < SAGE_RESOURCES; i++) {
        struct sage_resource *r = &c->res[i];
        r->company = c;
        r->id = i;
        r->layout = &s->layouts[i];
        r->seed = sage__mix(c->seed ^ ((uint64_t)i + 1) << 32);
    }
    sage__counts(c, s->ncompanies ? NULL : s->opt.rows);
    s->companies[s->ncompanies++] = c;
    return c;
}

bool sage_sim_add_company(struct sage_sim *s, const char *code, const char *name, uint32_t customers)
{
    return sage__company_make(s, code, name, customers) != NULL;
}

struct sage_sim *sage_sim_new(const struct sage_sim_options *o)
{
    struct sage_sim *s = sage__alloc(sizeof *s);
    s->opt = *o;
    each_string(&s->opt, own);
    s->random = sage__mix(o->seed ^ 0x7a4d0);
    s->churn = sage__mix(o->seed ^ 0xc4u);
    for (int i = 0; i < SAGE_RESOURCES; i++)
        sage__layout_make(&s->layouts[i], &sage__tables[i]);
    s->started_ms = sage_sim_now_ms(s);
    const char *bad = NULL;
    if (!sage__zone_parse(o->tz, &s->zone))
        bad = "unknown time zone";
    else if (o->history_end < 20060101 || o->history_end > 21001231)
        bad = "history_end is no date after 2005";
    else if (o->overlap_minutes < 0 || o->overlap_minutes > 100000)
        bad = "overlap out of range";
    else if (!sage__rows_valid(o->rows))
        bad = "rows are RESOURCE=NUMBER,...";
    else if (o->soap.path[0] != '/' || (o->soap.action_format && !strstr(o->soap.action_format, "%s")))
        bad = "SOAP names";
    else if (!sage__company_make(s, o->company, o->company_name, o->customers))
        bad = "company code or number of customers";
    if (!bad)
        return s;
    fprintf(stderr, "sim/sage: %s\n", bad);
    sage_sim_free(s);
    return NULL;
}

void sage_sim_free(struct sage_sim *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->ncompanies; i++)
        company_free(s->companies[i]);
    for (int i = 0; i < SAGE_RESOURCES; i++)
        sage__layout_free(&s->layouts[i]);
    sage__rules_clear(s);
    for (size_t i = 0; i < s->nlater; i++)
        free(s->later[i].json);
    free(s->later);
    if (s->state)
        fclose(s->state);
    each_string(&s->opt, disown);
    free(s);
}

int64_t sage_sim_now_ms(const struct sage_sim *s)
{
    return s->frozen ? s->frozen_ms : s->opt.clock.now_ms(s->opt.clock.ctx) + s->shift_ms;
}

char *sage__query(const struct sage_call *call, const char *name, size_t *len)
{
    size_t n = strlen(name);
    for (const char *p = call->query; p && *p;) {
        size_t size = strcspn(p, "&");
        if (size > n && strncmp(p, name, n) == 0 && p[n] == '=')
            return sim_percent_decode(p + n + 1, size - n - 1, 1, len);
        p += size + (p[size] == '&');
    }
    return NULL;
}

static void route(struct sage_call *call)
{
    const struct sage_sim_options *o = &call->sim->opt;
    call->at = SAGE_AT_OUTSIDE;
    if (strncmp(call->path, "/v1/", 4) == 0 && !o->no_agent)
        sage__agent_route(call);
    else if (strcasecmp(call->path, o->soap.path) == 0 && !o->no_soap)
        sage__soap_route(call);
}

static enum sage_group group_of(enum sage_endpoint at)
{
    static const enum sage_group groups[SAGE_ENDPOINTS] = {
#define SAGE_ENDPOINT(id, name, group) SAGE_GROUP_##group,
#include "endpoints.def"
#undef SAGE_ENDPOINT
    };
    return groups[at];
}

static void answer(struct sage_call *call)
{
    switch (group_of(call->at)) {
    case SAGE_GROUP_AGENT: sage__agent_answer(call); break;
    case SAGE_GROUP_SOAP: sage__soap_answer(call); break;
    default:
        call->resp->status = 404;
        sim_response_body(call->resp, "<h1>404 Not Found</h1>\n", 23, "text/html");
    }
}

static void log_call(const struct sage_call *call)
{
    struct sage_buf b = {0};
    char utc[32];
    if (!call->sim->opt.log)
        return;
    sage__utc_text(call->now_ms, utc);
    sage__putf(&b, "{\"at\":\"%s\",\"method\":", utc);
    sage__put_json(&b, call->req->method, strlen(call->req->method));
    sage__puts(&b, ",\"target\":");
    sage__put_json(&b, call->req->target, strlen(call->req->target));
    sage__putf(&b, ",\"status\":%d,\"fate\":%d,\"delay_ms\":%lld,\"bytes\":%zu}\n", call->resp->status, (int)call->resp->fate,
               (long long)call->resp->delay_ms, call->resp->body_len);
    fwrite(b.p, 1, b.len, call->sim->opt.log);
    fflush(call->sim->opt.log);
    free(b.p);
}

static void handle(void *self, const struct sim_request *req, struct sim_response *resp)
{
    struct sage_sim *s = self;
    struct sage_call call = {.sim = s, .req = req, .resp = resp};
    size_t path = strcspn(req->target, "?");
    call.path = sage__copy_len(req->target, path);
    call.query = req->target[path] ? req->target + path + 1 : NULL;
    if (strncmp(call.path, "/__sim/", 7) == 0) {
        sage__script_answer(&call);
        free(call.path);
        return;
    }
    sage__script_due(s);
    call.now_ms = sage_sim_now_ms(s);
    route(&call);
    struct sage_counter *counter = &s->counters[call.at];
    counter->requests++;
    call.rule = sage__fault_for(&call);
    if (!sage__fault_instead(&call)) {
        answer(&call);
        sage__fault_after(&call);
    }
    bool ok = resp->fate == SIM_ANSWERED && resp->status < 400;
    *(ok ? &counter->ok : &counter->failed) += 1;
    log_call(&call);
    free(call.path);
}

struct sim_model sage_sim_model(struct sage_sim *s)
{
    return (struct sim_model){s, handle};
}

void sage_sim_restart(struct sage_sim *s)
{
    for (size_t i = 0; i < s->ncompanies; i++) {
        s->companies[i]->session_ms = sage_sim_now_ms(s);
        for (int k = 0; k < SAGE_RESOURCES; k++) {
            sage__view_drop(&s->companies[i]->res[k]);
            s->companies[i]->res[k].scan_ms = 0;
        }
    }
    s->soap_called = false;
    s->started_ms = sage_sim_now_ms(s);
}

void sage_sim_shift_clock(struct sage_sim *s, int64_t by_ms)
{
    *(s->frozen ? &s->frozen_ms : &s->shift_ms) += by_ms;
}
