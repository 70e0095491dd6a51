/* rig.h - the agent's core in process: the stand-in for Sage under it, a clock of our own, answers read with jansson. */
#ifndef TESTS_UNIT_AGENT_RIG_H
#define TESTS_UNIT_AGENT_RIG_H
#include "agent/core.h"
#include "base/check.h"
#include "tests/agent/standin.h"
#include "tests/unit/value/ok.h"
#include "value/date.h"
#include "value/zone.h"
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

struct rig {
    char dir[64];
    struct standin sage;
    struct agent_sage face;
    struct agent_host host;
    struct agent_config config;
    struct agent_core *core;
    struct agent_answer answer;
    int64_t now_ms, slept_ms, tick_ms;      /* tick_ms: how far the clock goes with each call to Sage */
    long fired[100];
    unsigned crashes;
    int zone;
    struct standin_object *object[64]; unsigned nobjects;
};

static inline enum agent_reply rig__reply(struct rig *r, enum standin_reply reply)
{
    r->now_ms += r->tick_ms;
    return reply == STANDIN_ONE ? AGENT_YES : reply == STANDIN_ZERO ? AGENT_NO : AGENT_BROKEN;
}

static inline enum agent_reply rig__keep(struct rig *r, struct standin_object *o, enum standin_reply reply, void **obj)
{
    if (o) ASSERT(r->nobjects < 64), r->object[r->nobjects++] = o;
    *obj = o;
    return o ? AGENT_YES : rig__reply(r, reply);
}

static inline enum agent_reply rig__open(void *ctx, const char *object, void **obj)
{
    struct rig *r = ctx;
    enum standin_reply reply;
    struct standin_object *o = standin_open(&r->sage, object, &reply);
    return rig__keep(r, o, reply, obj);
}

static inline enum agent_reply rig__lines(void *ctx, void *obj, void **lines)
{
    return rig__keep(ctx, standin_lines(obj), STANDIN_ZERO, lines);
}

static inline enum agent_reply rig__columns(void *ctx, void *obj, struct buf *names)
{
    return rig__reply(ctx, standin_columns(obj, names));
}

static inline enum agent_reply rig__layout(void *ctx, void *obj, struct buf *text)
{
    (void)ctx;
    const struct standin_object *o = obj;
    if (o->table->ncolumns > 3) buf_puts(text, "ARDivisionNo$:C(2),CustomerNo$:C(20),CustomerName$:C(50*),UDF_REGION$:C(17)");
    return AGENT_YES;
}

static inline enum agent_reply rig__sets(void *ctx, void *obj, const struct agent_sets *q, struct buf *d, struct buf *k)
{
    return rig__reply(ctx, standin_sets(obj, q->desc, q->key, q->filter, q->begin, q->end, d, k));
}

static inline enum agent_reply rig__find(void *ctx, void *obj, const char *const *columns, const struct str *parts, unsigned n)
{
    for (unsigned i = 0; i < n; i++) ASSERT(standin_set_key(obj, columns[i], parts[i]) == STANDIN_ONE);
    return rig__reply(ctx, standin_find(obj));
}

static inline enum agent_reply rig__value(void *ctx, void *obj, const char *column, struct buf *out)
{
    return rig__reply(ctx, standin_value(obj, column, out));
}

static inline void rig__error(void *ctx, void *obj, struct buf *out)
{
    const struct rig *r = ctx;
    buf_puts(out, obj ? ((struct standin_object *)obj)->error : r->sage.error);
}

static inline int64_t rig__now(void *ctx) { return ((struct rig *)ctx)->now_ms; }
static inline void rig__sleep(void *ctx, int64_t ms) { ((struct rig *)ctx)->slept_ms += ms, ((struct rig *)ctx)->now_ms += ms; }
static inline int rig__offset(void *ctx, int64_t utc) { return zone_offset(((struct rig *)ctx)->zone, utc); }
static inline int64_t rig__instant(void *ctx, int64_t local) { return zone_instant(((struct rig *)ctx)->zone, local); }
static inline void rig__delay(void *ctx, long ms) { ((struct rig *)ctx)->now_ms += ms; }
static inline void rig__crash(void *ctx) { ((struct rig *)ctx)->crashes++; }
static inline long rig__fired(void *ctx, unsigned id, bool now)
{
    struct rig *r = ctx;
    ASSERT(id < 100);
    r->fired[id] += now;
    return now ? r->fired[id] - 1 : r->fired[id];
}

/* Writes a table file; text as in standin.h. */
static inline void rig_table(struct rig *r, const char *table, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s.tsv", r->dir, table);
    FILE *f = fopen(path, "wb");
    ASSERT(f && fwrite(text, 1, strlen(text), f) == strlen(text) && fclose(f) == 0);
}

static inline void rig_restart(struct rig *r)
{
    agent_core_free(r->core);
    r->core = agent_core_new(&r->config, STR("ABC"), STR("5b0c7d9e-0000-4000-8000-000000000001"), &r->face, &r->host);
}

static inline void rig_start(struct rig *r)
{
    memset(r, 0, sizeof *r);
    snprintf(r->dir, sizeof r->dir, "/tmp/mlc-agent.XXXXXX");
    ASSERT(mkdtemp(r->dir));
    standin_init(&r->sage, r->dir, &(struct standin_around){rig__delay, rig__crash, rig__fired, r});
    r->face = (struct agent_sage){rig__open, rig__lines, rig__columns, rig__layout, rig__sets, rig__find, rig__value, rig__error, r};
    r->host = (struct agent_host){rig__now, rig__now, rig__sleep, rig__offset, rig__instant, r};
    r->zone = zone_named(STR("America/Chicago"));
    ASSERT(r->zone >= 0);
    r->now_ms = INT64_C(1710283267000);      /* 2024-03-12T22:41:07Z, 17:41:07 in Chicago, two days after the clock was put forward */
    agent_config_default(&r->config);
    rig_restart(r);
}

static inline void rig_stop(struct rig *r)
{
    char command[200];
    agent_core_free(r->core);
    for (unsigned i = 0; i < r->nobjects; i++) standin_close(r->object[i]);
    standin_free(&r->sage);
    buf_free(&r->answer.body);
    snprintf(command, sizeof command, "rm -r '%s'", r->dir);
    ASSERT(system(command) == 0);
}

static inline void rig_do(struct rig *r, const char *command)
{
    if (!standin_command(&r->sage, str_of(command))) {
        printf("not ok %s: %s\n", command, r->sage.error);
        abort();
    }
}

/* target: path and query. The answer as JSON; r->answer.status. The caller drops the reference. */
static inline json_t *rig_ask(struct rig *r, const char *method, const char *target, const char *body)
{
    const char *query = strchr(target, '?');
    size_t n = query ? (size_t)(query - target) : strlen(target);
    struct agent_request q = {str_of(method), {target, n}, str_of(query ? query + 1 : ""), str_of(body)};
    agent_core_answer(r->core, &q, &r->answer);
    json_error_t why;
    json_t *j = json_loadb(r->answer.body.p, r->answer.body.n, JSON_REJECT_DUPLICATES, &why);
    if (!j) printf("not ok %s: no JSON: %s at %d: %.*s\n", target, why.text, why.position, (int)r->answer.body.n, r->answer.body.p);
    ASSERT(j);
    return j;
}

static inline json_t *rig_get(struct rig *r, const char *target) { return rig_ask(r, "GET", target, ""); }

/* j.a.b[0].c of a dotted path "a.b.0.c" as text; "null", "true", "false"; "(none)". */
static inline const char *rig_at(const json_t *j, const char *path)
{
    static char number[32];
    char name[80];
    while (j && *path) {
        size_t n = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)n, path);
        j = json_is_array(j) ? json_array_get(j, (size_t)strtol(name, NULL, 10)) : json_object_get(j, name);
        path += n + (path[n] == '.');
    }
    if (!j) return "(none)";
    const char *text = json_string_value(j);
    if (text) return text;
    if (json_is_integer(j)) return snprintf(number, sizeof number, "%lld", (long long)json_integer_value(j)), number;
    return json_is_true(j) ? "true" : json_is_false(j) ? "false" : json_is_null(j) ? "null" : "(other)";
}

/* GETs and compares one member of the answer. */
static inline bool rig_is(struct rig *r, const char *name, const char *target, const char *path, const char *want)
{
    json_t *j = rig_get(r, target);
    bool good = ok_text(name, str_of(rig_at(j, path)), want);
    if (!good) printf("#   %d %.*s\n", r->answer.status, (int)(r->answer.body.n > 600 ? 600 : r->answer.body.n), r->answer.body.p);
    json_decref(j);
    return good;
}

static inline bool rig_fails(struct rig *r, const char *name, const char *method, const char *target, const char *body, int status, const char *code)
{
    json_t *j = rig_ask(r, method, target, body);
    bool good = ok(r->answer.status == status && strcmp(rig_at(j, "error.code"), code) == 0, name, "got %d %s, want %d %s", r->answer.status,
                   rig_at(j, "error.code"), status, code);
    json_decref(j);
    return good;
}
#endif
