/* core.c - the core's life, and which question goes where. */
#include "agent/private.h"
#include "base/check.h"
#include "value/json.h"
#include <stdlib.h>

#define KEY(...) {__VA_ARGS__}
const struct agent_table agent_tables[AGENT_TABLES] = {
#define AGENT_TABLE(resource, table, object, nkeys, key, line_table, line_key) {resource, table, object, nkeys, key, line_table, line_key},
#include "agent/table.def"
#undef AGENT_TABLE
};

static const struct { int status; const char *code; bool retryable; } errors[AGENT_ERRORS] = {
#define AGENT_ERROR(id, status, code, retryable) {status, code, retryable},
#include "agent/error.def"
#undef AGENT_ERROR
};

int agent_table_named(struct str resource)
{
    for (int i = 0; i < AGENT_TABLES; i++)
        if (str_is(resource, agent_tables[i].resource)) return i;
    return -1;
}

int agent_error_status(enum agent_error e)
{
    return errors[e].status;
}

void agent_fail(struct agent_answer *a, enum agent_error e, struct str message, int retry_after_s)
{
    buf_clear(&a->body);
    a->status = errors[e].status;
    a->retry_after_s = retry_after_s;
    buf_printf(&a->body, "{\"error\":{\"code\":\"%s\",\"message\":", errors[e].code);
    json_put_string(&a->body, str_utf8_valid(message) ? message : STR("(a text that cannot be shown)"));
    buf_printf(&a->body, ",\"retryable\":%s", errors[e].retryable ? "true" : "false");
    if (retry_after_s > 0) buf_printf(&a->body, ",\"retryAfter\":%d", retry_after_s);
    buf_puts(&a->body, "}}");
}

struct agent_core *agent_core_new(const struct agent_config *config, struct str company, struct str epoch, const struct agent_sage *sage,
                                  const struct agent_host *host)
{
    struct agent_core *c = calloc(1, sizeof *c);
    if (!c) check_no_memory();
    c->config = config;
    c->company = company;
    c->epoch = epoch;
    c->sage = sage;
    c->host = host;
    arena_init(&c->life, 0);
    arena_init(&c->scratch, 0);
    return c;
}

void agent_core_free(struct agent_core *c)
{
    if (!c) return;
    for (unsigned i = 0; i < AGENT__LISTS; i++) agent__list_free(&c->list[i]);
    arena_free(&c->life);
    arena_free(&c->scratch);
    buf_free(&c->d);
    buf_free(&c->k);
    buf_free(&c->text);
    free(c);
}

size_t agent_core_cache_bytes(const struct agent_core *c)
{
    size_t n = 0;
    for (unsigned i = 0; i < AGENT__LISTS; i++) n += agent__list_bytes(&c->list[i]);
    return n;
}

void agent_core_describe(struct agent_core *c, struct agent_answer *out)
{
    struct buf list = {0};
    unsigned n = 0;
    *out = (struct agent_answer){.status = 200, .body = out->body, .scanned = -1};
    buf_clear(&out->body);
    for (int i = 0; i < AGENT_TABLES && !out->broken; i++) {
        arena_reset(&c->scratch);
        if (!agent__serve(c, i, out)) continue;
        buf_printf(&list, "%s\"%s\"", n++ ? "," : "", agent_tables[i].resource);
    }
    if (!out->broken) {
        buf_clear(&out->body);
        out->status = 200;
        out->retry_after_s = 0;
        buf_puts(&out->body, "[");
        buf_put(&out->body, list.p, list.n);
        buf_puts(&out->body, "]");
    }
    buf_free(&list);
}

void agent_core_answer(struct agent_core *c, const struct agent_request *q, struct agent_answer *out)
{
    *out = (struct agent_answer){.status = 200, .body = out->body, .scanned = -1};
    buf_clear(&out->body);
    arena_reset(&c->scratch);
    struct agent_route r = agent_route_of(q, &c->scratch);
    if (r.malformed) {
        agent_fail(out, AGENT_E_BAD_REQUEST, STR("the path is not percent-encoded UTF-8"), 0);
        return;
    }
    if (r.at == AGENT_AT_NOWHERE || r.at == AGENT_AT_HEALTH || r.at == AGENT_AT_COMPANIES) {
        agent_fail(out, AGENT_E_NOT_FOUND, STR("there is no such path"), 0);
        return;
    }
    int table = agent_table_named(r.resource);
    if (!str_eq(r.company, c->company)) agent_fail(out, AGENT_E_UNKNOWN_COMPANY, STR("there is no such company"), 0);
    else if (table < 0) agent_fail(out, AGENT_E_UNKNOWN_RESOURCE, STR("there is no such resource"), 0);
    else if (r.at == AGENT_AT_SCHEMA) agent__schema(c, table, out);
    else if (r.at == AGENT_AT_CHANGED) agent__changed(c, table, q, out);
    else if (r.at == AGENT_AT_KEYS) agent__keys(c, table, q, out);
    else if (r.at == AGENT_AT_ROW) agent__one(c, table, r.key, out);
    else agent__batch(c, table, q->body, out);
}
