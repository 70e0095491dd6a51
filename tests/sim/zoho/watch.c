/*
 * watch.c: notification channels and what they send (facts 11).
 *
 *     POST, PUT, PATCH, GET, DELETE /crm/v8/actions/watch          the channels, in memory
 *     a record is written or removed -> zsim__happened -> (end of the call) -> one body per channel, module and operation
 *                                                                    -> options.deliver
 *
 * A channel lives until its expiry and is then gone without a word. The time that was asked for is granted up to a week ahead; later, or
 * none, gives one hour; the switch watch_grant_s grants less. What is delivered is told once: Zoho's repetitions are not documented, and a
 * client must not stand on them. The body carries the token that the channel was made with.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CHANNELS = 50, MAX_TOKEN = 50, WEEK_MS = 7 * 24 * 3600 * 1000, HOUR_MS = 3600 * 1000, MAX_IDS = 100 };

enum zsim_operation { OP_INSERT, OP_UPDATE, OP_DELETE };
static const char *const TOLD[] = {"insert", "update", "delete"};
static const char *const NAMED[] = {"create", "edit", "delete"};

struct zsim_channel {
    char *id, *url, *token;
    json_t *events; // ["Accounts.all"]
    int64_t expires_ms;
    bool values;
};
struct zsim_event {
    const struct zsim_module *module;
    uint64_t id;
    enum zsim_operation op;
    json_t *fields; // names, of an update
};

static void channel_clear(struct zsim_channel *c)
{
    free(c->id);
    free(c->url);
    free(c->token);
    json_decref(c->events);
    *c = (struct zsim_channel){0};
}

static void forget_expired(struct zoho_sim *sim, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < sim->watch.nchannels; i++) {
        if (sim->watch.channels[i].expires_ms > now_ms)
            sim->watch.channels[kept++] = sim->watch.channels[i];
        else
            channel_clear(&sim->watch.channels[i]);
    }
    sim->watch.nchannels = kept;
}

static struct zsim_channel *channel(struct zoho_sim *sim, const char *id)
{
    for (size_t i = 0; i < sim->watch.nchannels; i++)
        if (strcmp(sim->watch.channels[i].id, id) == 0)
            return &sim->watch.channels[i];
    return NULL;
}

void zoho_sim_forget_channels(struct zoho_sim *sim)
{
    forget_expired(sim, INT64_MAX);
}

size_t zoho_sim_channels(struct zoho_sim *sim)
{
    forget_expired(sim, zsim__now(sim));
    return sim->watch.nchannels;
}

void zsim__watch_free(struct zoho_sim *sim)
{
    forget_expired(sim, INT64_MAX);
    for (size_t i = 0; i < sim->watch.nevents; i++)
        json_decref(sim->watch.events[i].fields);
    free(sim->watch.channels);
    free(sim->watch.events);
}

// ---- one channel of a request

// "Accounts.edit" -> module and operation; op 3 = all.
static struct zsim_module *event_of(struct zoho_sim *sim, const char *event, int *op)
{
    const char *dot = event ? strrchr(event, '.') : NULL;
    char name[128];
    if (!dot || (size_t)(dot - event) >= sizeof name)
        return NULL;
    snprintf(name, sizeof name, "%.*s", (int)(dot - event), event);
    *op = -1;
    for (int i = 0; i < 3; i++)
        if (strcmp(dot + 1, NAMED[i]) == 0)
            *op = i;
    if (strcmp(dot + 1, "all") == 0)
        *op = 3;
    return *op < 0 ? NULL : zsim__module(sim, name);
}

static char *channel_id(const json_t *in)
{
    const json_t *v = json_object_get(in, "channel_id");
    char text[32];
    uint64_t n;
    if (json_is_integer(v)) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
        return zsim__copy(text);
    }
    return json_is_string(v) && zsim__parse_u64(json_string_value(v), &n) ? zsim__copy(json_string_value(v)) : NULL;
}

static json_t *refused(const char *code, const char *field, const char *message)
{
    return zsim__error_json(code, message, json_pack("{ss}", "api_name", field));
}

static int64_t granted(const struct zoho_sim *sim, const json_t *asked, int64_t now_ms)
{
    int64_t until = 0, most = sim->on.watch_grant_s * 1000;
    if (!json_is_string(asked) || !zsim__parse_datetime(json_string_value(asked), &until) || until > now_ms + WEEK_MS || until <= now_ms)
        until = now_ms + HOUR_MS;
    if (most > 0 && until > now_ms + most)
        until = now_ms + most;
    return until;
}

static json_t *channel_told(const struct zsim_call *call, const struct zsim_channel *c)
{
    json_t *list = json_array(), *event;
    char until[32], id[24];
    size_t i;
    zsim__format_datetime(c->expires_ms, call->sim->offset_minutes, until);
    json_array_foreach(c->events, i, event)
    {
        int op;
        const struct zsim_module *m = event_of(call->sim, json_string_value(event), &op);
        struct zsim_text uri = {0};
        zsim__fmt(&uri, "https://www.zohoapis.com/crm/v8/%s", m->name);
        snprintf(id, sizeof id, "%llu", (unsigned long long)m->id);
        json_array_append_new(list, json_pack("{ssssssssss}", "channel_expiry", until, "resource_uri", uri.at, "resource_id", id,
                                              "resource_name", m->name, "channel_id", c->id));
        zsim__text_free(&uri);
    }
    return json_pack("{sss{so}ssss}", "code", "SUCCESS", "details", "events", list, "message",
                     "Successfully subscribed for actions-watch of the given module", "status", "success");
}

// NULL: fine.
static json_t *check_channel(struct zsim_call *call, const json_t *in, bool whole)
{
    const json_t *events = json_object_get(in, "events"), *token = json_object_get(in, "token"), *url = json_object_get(in, "notify_url");
    json_t *event;
    size_t i;
    int op;
    if (whole && (!json_is_array(events) || json_array_size(events) == 0))
        return refused("MANDATORY_NOT_FOUND", "events", "required field not found");
    if (whole && !json_is_string(url))
        return refused("MANDATORY_NOT_FOUND", "notify_url", "required field not found");
    if (url && strncmp(json_string_value(url) ? json_string_value(url) : "", "http", 4) != 0)
        return refused("INVALID_DATA", "notify_url", "invalid data");
    if (token && (!json_is_string(token) || json_string_length(token) > MAX_TOKEN))
        return refused("INVALID_DATA", "token", "invalid data");
    union {
        const json_t *in;
        json_t *out;
    } list = {events};
    json_array_foreach(list.out, i, event)
        if (!event_of(call->sim, json_string_value(event), &op))
            return refused("INVALID_DATA", "events", "invalid data");
    return NULL;
}

static void set_text(char **to, const json_t *v)
{
    if (!json_is_string(v))
        return;
    free(*to);
    *to = zsim__copy(json_string_value(v));
}

static void set_events(struct zsim_channel *c, json_t *events, bool off)
{
    if (!json_is_array(events))
        return;
    if (!off) {
        json_decref(c->events);
        c->events = json_copy(events);
        return;
    }
    for (size_t i = json_array_size(c->events); i-- > 0;)
        for (size_t k = 0; k < json_array_size(events); k++)
            if (json_equal(json_array_get(c->events, i), json_array_get(events, k))) {
                json_array_remove(c->events, i);
                break;
            }
}

// POST and PUT take the whole channel, PATCH a part of one that is there.
static json_t *take_channel(struct zsim_call *call, json_t *in, const char *method)
{
    struct zoho_sim *sim = call->sim;
    bool whole = strcmp(method, "PATCH") != 0;
    char *id = json_is_object(in) ? channel_id(in) : NULL;
    if (!id)
        return refused("MANDATORY_NOT_FOUND", "channel_id", "required field not found");
    json_t *wrong = check_channel(call, in, whole);
    struct zsim_channel *c = channel(sim, id);
    if (!wrong && !c && strcmp(method, "POST") != 0)
        wrong = zsim__error_json("NOT_SUBSCRIBED", "the channel is not subscribed", json_pack("{ss}", "channel_id", id));
    if (wrong) {
        free(id);
        return wrong;
    }
    if (!c) {
        sim->watch.channels = zsim__must(realloc(sim->watch.channels, (sim->watch.nchannels + 1) * sizeof *c));
        c = &sim->watch.channels[sim->watch.nchannels++];
        *c = (struct zsim_channel){.id = zsim__copy(id)};
    }
    free(id);
    set_text(&c->url, json_object_get(in, "notify_url"));
    set_text(&c->token, json_object_get(in, "token"));
    if (c->token)
        zsim__secret(sim, "channel-token", c->token);
    set_events(c, json_object_get(in, "events"), json_is_true(json_object_get(in, "_delete_events")));
    if (json_object_get(in, "return_affected_field_values"))
        c->values = json_is_true(json_object_get(in, "return_affected_field_values"));
    if (whole || json_object_get(in, "channel_expiry"))
        c->expires_ms = granted(sim, json_object_get(in, "channel_expiry"), call->now_ms);
    return channel_told(call, c);
}

static void answer_watch(struct zsim_call *call, int all_ok, json_t *list, size_t failed)
{
    int status = failed == 0 ? all_ok : failed == json_array_size(list) ? 400 : 207;
    zsim__answer(call, status, json_pack("{so}", "watch", list));
}

static bool failed_one(const json_t *e)
{
    return strcmp(json_string_value(json_object_get(e, "status")), "error") == 0;
}

static void write_channels(struct zsim_call *call)
{
    json_t *in = json_object_get(call->body, "watch"), *list, *one;
    size_t i, failed = 0;
    if (!json_is_array(in) || json_array_size(in) == 0) {
        zsim__error(call, 400, "MANDATORY_NOT_FOUND", "required field not found", json_pack("{ss}", "api_name", "watch"));
        return;
    }
    if (json_array_size(in) > MAX_CHANNELS) {
        zsim__error(call, 400, "LIMIT_EXCEEDED", "limit exceeded", json_pack("{siss}", "limit", MAX_CHANNELS, "api_name", "watch"));
        return;
    }
    list = json_array();
    json_array_foreach(in, i, one)
    {
        json_t *e = take_channel(call, one, call->req->method);
        failed += failed_one(e);
        json_array_append_new(list, e);
    }
    answer_watch(call, strcmp(call->req->method, "POST") == 0 ? 201 : 200, list, failed);
}

static void delete_channels(struct zsim_call *call)
{
    const char *ids = zsim__param(call, "channel_ids");
    if (!ids || !*ids) {
        zsim__error(call, 400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", json_pack("{ss}", "param_name", "channel_ids"));
        return;
    }
    json_t *list = json_array();
    size_t failed = 0;
    char *copy = zsim__copy(ids), *rest = copy, *id;
    while ((id = strsep(&rest, ",")) != NULL) {
        struct zsim_channel *c = channel(call->sim, id);
        int op;
        const struct zsim_module *m = c ? event_of(call->sim, json_string_value(json_array_get(c->events, 0)), &op) : NULL;
        if (!c) {
            failed++;
            json_array_append_new(list, zsim__error_json("NOT_SUBSCRIBED", "the channel is not subscribed", json_pack("{ss}", "channel_id", id)));
            continue;
        }
        char module[24];
        snprintf(module, sizeof module, "%llu", (unsigned long long)(m ? m->id : 0));
        json_array_append_new(list, json_pack("{sss{ssssss}ssss}", "code", "SUCCESS", "details", "resource_uri",
                                              "https://www.zohoapis.com/crm/v8/actions/watch", "resource_id", module, "channel_id", id, "message",
                                              "Successfully un-subscribed from actions-watch of the given module", "status", "success"));
        c->expires_ms = 0;
        forget_expired(call->sim, call->now_ms);
    }
    free(copy);
    answer_watch(call, 200, list, failed);
}

static json_t *channel_listed(struct zsim_call *call, const struct zsim_channel *c, const struct zsim_module *m)
{
    char until[32], id[24];
    zsim__format_datetime(c->expires_ms, call->sim->offset_minutes, until);
    snprintf(id, sizeof id, "%llu", (unsigned long long)m->id);
    struct zsim_text uri = {0};
    zsim__fmt(&uri, "https://www.zohoapis.com/crm/v8/%s", m->name);
    json_t *o = json_pack("{sbsssbssssssssssso}", "notify_on_related_action", 0, "channel_expiry", until, "return_affected_field_values", c->values,
                          "resource_uri", uri.at, "resource_id", id, "notify_url", c->url, "resource_name", m->name, "channel_id", c->id, "events",
                          json_incref(c->events));
    json_object_set_new(o, "token", json_null());
    zsim__text_free(&uri);
    return o;
}

static void list_channels(struct zsim_call *call)
{
    const char *id = zsim__param(call, "channel_id"), *module = zsim__param(call, "module");
    json_t *list = json_array();
    for (size_t i = 0; i < call->sim->watch.nchannels; i++) {
        const struct zsim_channel *c = &call->sim->watch.channels[i];
        int op;
        const struct zsim_module *m = event_of(call->sim, json_string_value(json_array_get(c->events, 0)), &op);
        if (m && (!id || strcmp(id, c->id) == 0) && (!module || strcmp(module, m->name) == 0))
            json_array_append_new(list, channel_listed(call, c, m));
    }
    size_t n = json_array_size(list);
    if (n == 0) {
        json_decref(list);
        zsim__answer_empty(call, 204);
        return;
    }
    zsim__answer(call, 200, json_pack("{sos{sisisisb}}", "watch", list, "info", "per_page", 200, "count", (int)n, "page", 1, "more_records", 0));
}

void zsim__watch(struct zsim_call *call)
{
    const char *method = call->req->method;
    forget_expired(call->sim, call->now_ms);
    if (strcmp(method, "GET") == 0)
        list_channels(call);
    else if (strcmp(method, "DELETE") == 0)
        delete_channels(call);
    else
        write_channels(call);
}

// ---- what happened

void zsim__happened(struct zoho_sim *sim, const struct zsim_module *m, uint64_t id, const char *operation, json_t *fields)
{
    struct zsim_watch *w = &sim->watch;
    enum zsim_operation op = OP_INSERT;
    while (strcmp(TOLD[op], operation) != 0)
        op++;
    if (w->nchannels == 0 || !sim->deliver) {
        json_decref(fields);
        return;
    }
    w->events = zsim__must(realloc(w->events, (w->nevents + 1) * sizeof *w->events));
    w->events[w->nevents++] = (struct zsim_event){m, id, op, fields};
}

static bool subscribed(struct zoho_sim *sim, const struct zsim_channel *c, const struct zsim_event *e)
{
    json_t *event;
    size_t i;
    json_array_foreach(c->events, i, event)
    {
        int op;
        const struct zsim_module *m = event_of(sim, json_string_value(event), &op);
        if (m == e->module && (op == 3 || op == (int)e->op))
            return true;
    }
    return false;
}

// The body for the events from `first` on that are of the same module and operation.
static void tell(struct zoho_sim *sim, const struct zsim_channel *c, size_t first)
{
    const struct zsim_event *e = &sim->watch.events[first];
    json_t *ids = json_array(), *affected = json_array();
    char id[24];
    for (size_t i = first; i < sim->watch.nevents && json_array_size(ids) < MAX_IDS; i++) {
        const struct zsim_event *x = &sim->watch.events[i];
        if (x->module != e->module || x->op != e->op)
            break;
        snprintf(id, sizeof id, "%llu", (unsigned long long)x->id);
        json_array_append_new(ids, json_string(id));
        if (x->fields) {
            json_t *one = json_object();
            json_object_set(one, id, x->fields);
            json_array_append_new(affected, one);
        }
    }
    struct zsim_text uri = {0};
    zsim__fmt(&uri, "https://www.zohoapis.com/crm/v8/%s", e->module->name);
    json_t *body = json_pack("{sIs{}sssssosossss}", "server_time", (json_int_t)zsim__now(sim), "query_params", "module", e->module->name,
                             "resource_uri", uri.at, "ids", ids, "affected_fields", affected, "operation", TOLD[e->op], "channel_id", c->id);
    if (c->token)
        json_object_set_new(body, "token", json_string(c->token));
    char *text = zsim__must(json_dumps(body, JSON_COMPACT));
    json_decref(body);
    zsim__text_free(&uri);
    sim->watch.told++;
    bool lost = sim->on.watch_lose > 0 && sim->watch.told % (uint64_t)sim->on.watch_lose == 0;
    if (!lost)
        sim->deliver(sim->deliver_ctx, c->url, text);
    free(text);
}

void zsim__tell(struct zoho_sim *sim)
{
    struct zsim_watch *w = &sim->watch;
    if (w->nevents == 0)
        return;
    forget_expired(sim, zsim__now(sim));
    for (size_t at = 0; at < w->nevents;) {
        size_t next = at + 1;
        while (next < w->nevents && next - at < MAX_IDS && w->events[next].module == w->events[at].module && w->events[next].op == w->events[at].op)
            next++;
        for (size_t i = 0; i < w->nchannels; i++)
            if (subscribed(sim, &w->channels[i], &w->events[at]))
                tell(sim, &w->channels[i], at);
        at = next;
    }
    for (size_t i = 0; i < w->nevents; i++)
        json_decref(w->events[i].fields);
    w->nevents = 0;
}

void zoho_sim_deliver(struct zoho_sim *sim, void (*deliver)(void *ctx, const char *url, const char *body), void *ctx)
{
    sim->deliver = deliver;
    sim->deliver_ctx = ctx;
}
