/*
 * faults.c: rules that spoil answers. A rule names an endpoint (or a group), lets some requests pass, then strikes a
 * number of times. Before the endpoint: statuses, drops, other people's pages. After it: cuts, delays, truncations.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum sage_group group;
} endpoints[SAGE_ENDPOINTS] = {
#define SAGE_ENDPOINT(id, name, group) {name, SAGE_GROUP_##group},
#include "endpoints.def"
#undef SAGE_ENDPOINT
};

static const char *const kinds[SAGE_FAULT_KINDS] = {
#define SAGE_FAULT(id, name, what) name,
#include "faults.def"
#undef SAGE_FAULT
};

static bool names_endpoint(const char *on, int at)
{
    if (strcmp(on, "any") == 0)
        return true;
    if (strcmp(on, "agent") == 0)
        return endpoints[at].group == SAGE_GROUP_AGENT;
    if (strcmp(on, "soap") == 0)
        return endpoints[at].group == SAGE_GROUP_SOAP;
    return strcmp(on, endpoints[at].name) == 0;
}

static bool known_on(const char *on)
{
    for (int i = 0; on && i < SAGE_ENDPOINTS; i++)
        if (names_endpoint(on, i))
            return true;
    return false;
}

uint64_t sage_sim_count(const struct sage_sim *s, const char *endpoint)
{
    uint64_t n = 0;
    for (int i = 0; i < SAGE_ENDPOINTS; i++)
        if (names_endpoint(endpoint, i))
            n += s->counters[i].requests;
    return n;
}

char *sage_sim_counters(const struct sage_sim *s)
{
    struct sage_buf b = {0};
    sage__puts(&b, "{\"endpoints\":{");
    for (int i = 0; i < SAGE_ENDPOINTS; i++) {
        const struct sage_counter *c = &s->counters[i];
        sage__putf(&b, "%s\"%s\":{\"requests\":%llu,\"ok\":%llu,\"failed\":%llu,\"rows\":%llu,\"locked\":%llu}", i ? "," : "",
                   endpoints[i].name, (unsigned long long)c->requests, (unsigned long long)c->ok, (unsigned long long)c->failed,
                   (unsigned long long)c->rows, (unsigned long long)c->locked);
    }
    sage__putf(&b, "},\"faultsPlayed\":%llu,\"nextNumbers\":%llu}", (unsigned long long)s->faults_played, (unsigned long long)s->next_numbers);
    return b.p;
}

bool sage_sim_fault(struct sage_sim *s, const struct sage_fault *f)
{
    int kind = 0;
    while (kind < SAGE_FAULT_KINDS && (!f->kind || strcmp(kinds[kind], f->kind) != 0))
        kind++;
    if (kind == SAGE_FAULT_KINDS || !known_on(f->on))
        return false;
    if (kind == SAGE_IS_STATUS && !f->status && (!f->code || sage__error_find(f->code) < 0))
        return false;
    s->rules = sage__grow(s->rules, (s->nrules + 1) * sizeof *s->rules);
    s->rules[s->nrules++] = (struct sage_rule){
        .on = sage__copy(f->on),
        .path = sage__copy(f->path),
        .kind = (enum sage_fault_kind)kind,
        .skip = f->skip,
        .times = f->times,
        .bounded = f->times > 0,
        .permille = f->permille,
        .status = f->status,
        .code = sage__copy(f->code),
        .message = sage__copy(f->message),
        .retry_after_s = f->retry_after_s,
        .delay_ms = f->delay_ms,
        .cut_at_bytes = f->cut_at_bytes,
        .tag = f->tag,
    };
    return true;
}

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static int int_of(const json_t *o, const char *name)
{
    return (int)json_integer_value(json_object_get(o, name));
}

bool sage__fault_add_json(struct sage_sim *s, const json_t *o)
{
    struct sage_fault f = {
        .on = text_of(o, "on"),
        .kind = text_of(o, "kind"),
        .path = text_of(o, "path"),
        .skip = int_of(o, "skip"),
        .times = int_of(o, "times"),
        .permille = int_of(o, "permille"),
        .status = int_of(o, "status"),
        .code = text_of(o, "code"),
        .message = text_of(o, "message"),
        .retry_after_s = int_of(o, "retryAfter"),
        .delay_ms = json_integer_value(json_object_get(o, "delay_ms")),
        .cut_at_bytes = (size_t)int_of(o, "cut_at_bytes"),
    };
    return sage_sim_fault(s, &f);
}

void sage__rules_clear(struct sage_sim *s)
{
    for (size_t i = 0; i < s->nrules; i++) {
        free(s->rules[i].on);
        free(s->rules[i].path);
        free(s->rules[i].code);
        free(s->rules[i].message);
    }
    free(s->rules);
    s->rules = NULL;
    s->nrules = 0;
}

void sage_sim_clear_faults(struct sage_sim *s)
{
    sage__rules_clear(s);
}

void sage_sim_on_fault(struct sage_sim *s, void (*told)(void *ctx, int tag), void *ctx)
{
    s->on_fault = told;
    s->on_fault_ctx = ctx;
}

const struct sage_rule *sage__fault_for(struct sage_call *call)
{
    struct sage_sim *s = call->sim;
    for (size_t i = 0; i < s->nrules; i++) {
        struct sage_rule *r = &s->rules[i];
        if ((r->bounded && r->times <= 0) || !names_endpoint(r->on, (int)call->at))
            continue;
        if (r->path && !strstr(call->req->target, r->path))
            continue;
        if (r->skip > 0) {
            r->skip--;
            continue;
        }
        s->random = sage__mix(s->random + 0x9e3779b97f4a7c15u);
        if (r->permille && s->random % 1000 >= (uint64_t)r->permille)
            continue;
        r->times -= r->bounded;
        s->faults_played++;
        if (r->tag && s->on_fault)
            s->on_fault(s->on_fault_ctx, r->tag);
        call->unknown = r->kind == SAGE_IS_UNKNOWN;
        return r;
    }
    return NULL;
}

static void plain(struct sim_response *resp, int status, const char *body)
{
    resp->status = status;
    sim_response_body(resp, body, strlen(body), "text/html; charset=utf-8");
}

static void play_status(struct sage_call *call, const struct sage_rule *r)
{
    int e = r->code ? sage__error_find(r->code) : -1;
    char seconds[16];
    if (e == SAGE_ERR_SESSION_FAILED)
        for (size_t i = 0; i < call->sim->ncompanies; i++)
            call->sim->companies[i]->session_ms = call->now_ms; // rebuilt
    if (e >= 0) {
        sage__agent_error(call, (enum sage_error)e, r->message ? r->message : "by script", r->retry_after_s);
        if (r->status)
            call->resp->status = r->status;
    } else {
        plain(call->resp, r->status, r->message ? r->message : "<html><body>Server Error in '/' Application.</body></html>");
    }
    if (r->retry_after_s) {
        snprintf(seconds, sizeof seconds, "%d", r->retry_after_s);
        sim_response_header(call->resp, "Retry-After", seconds);
    }
    call->resp->delay_ms = r->delay_ms;
}

bool sage__fault_instead(struct sage_call *call)
{
    const struct sage_rule *r = call->rule;
    if (!r)
        return false;
    switch (r->kind) {
    case SAGE_IS_STATUS: play_status(call, r); return true;
    case SAGE_IS_DROP_BEFORE:
        call->resp->fate = SIM_DROPPED_BEFORE;
        call->resp->delay_ms = r->delay_ms;
        return true;
    case SAGE_IS_GARBAGE: plain(call->resp, 200, "<!DOCTYPE html>\n<html><body>Please sign in to the network.</body></html>\n"); return true;
    case SAGE_IS_EMPTY: call->resp->status = 200; return true;
    case SAGE_IS_SOAP_FAULT:
        sage__soap_mas_fault(call, r->code ? r->code : "CI_Locked",
                             r->message ? r->message : "The record is in use by another user and is locked.");
        return true;
    case SAGE_IS_EXCEPTION: sage__soap_exception(call); return true;
    default: return false;
    }
}

static void doctype(struct sim_response *resp)
{
    static const char type[] = "<!DOCTYPE e [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>\n";
    struct sage_buf b = {0};
    const char *body = resp->body ? resp->body : "";
    const char *end = strncmp(body, "<?xml", 5) == 0 ? strstr(body, "?>") : NULL;
    size_t head = end ? (size_t)(end + 2 - body) : 0;
    sage__put(&b, body, head);
    sage__puts(&b, type);
    sage__puts(&b, body + head);
    sim_response_body(resp, b.p, b.len, NULL);
    free(b.p);
}

void sage__fault_after(struct sage_call *call)
{
    const struct sage_rule *r = call->rule;
    struct sim_response *resp = call->resp;
    if (!r)
        return;
    size_t at = r->cut_at_bytes && r->cut_at_bytes < resp->body_len ? r->cut_at_bytes : resp->body_len / 2;
    resp->delay_ms += r->kind == SAGE_IS_TRICKLE ? 0 : r->delay_ms;
    switch (r->kind) {
    case SAGE_IS_DROP_AFTER: resp->fate = SIM_DROPPED_AFTER; break;
    case SAGE_IS_CUT: resp->cut_at = at ? at : 1; break;
    case SAGE_IS_TRICKLE: resp->delay_ms += r->delay_ms; break;
    case SAGE_IS_TRUNCATE:
        resp->body_len = at;
        if (resp->body)
            resp->body[at] = 0;
        break;
    case SAGE_IS_DOCTYPE: doctype(resp); break;
    default: break;
    }
}

uint32_t sage__operation_bit(const char *operation)
{
    for (int i = 0; operation && i < SAGE_ENDPOINTS; i++)
        if (strcmp(endpoints[i].name, operation) == 0)
            return (uint32_t)1 << i;
    return 0;
}
