/* rig.h - what the tests of the Sage source stand on: a loop (virtual clock, network in memory) with the model of Sage behind https://erp.test,
 * a source opened on it, queries with typed columns, and a canned server for answers that no agent would give. Header only: each test is one file. */
#ifndef SAGE_RIG_H
#define SAGE_RIG_H
#include "connectors/connector.h"
#include "tests/sim/loop.h"
#include "tests/sim/sage/sage.h"
#include <stdio.h>
#include <stdlib.h>

#define UNUSED __attribute__((unused))
#define RIG_START_MS 1712000000000LL        /* 2024-04-01T19:33:20Z: behind the model's history */
#define AGENT_URL "https://erp.test:8443"
#define SOAP_URL AGENT_URL "/ebusinesswebservices/MasService.svc"

/* ---- verdicts ---- */

static int rig_failed;
static const char *rig_name = "?";
static int rig_failed_before;
static char rig_why[2000];

static UNUSED void rig_begin(const char *name)
{
    rig_name = name;
    rig_failed_before = rig_failed;
    rig_why[0] = '\0';
}
static UNUSED void rig_end(void)
{
    if (rig_failed == rig_failed_before) printf("ok %s\n", rig_name);
    else printf("not ok %s: %s\n", rig_name, rig_why);
}
#define CHECK(c, ...) ((c) ? (void)0 : rig_fail(__FILE__, __LINE__, #c, __VA_ARGS__))
__attribute__((format(printf, 4, 5))) static UNUSED void rig_fail(const char *file, int line, const char *cond, const char *fmt, ...)
{
    char text[1500];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    rig_failed++;
    if (rig_why[0] == '\0') snprintf(rig_why, sizeof rig_why, "%s:%d %s (%s)", file, line, cond, text);
}
static UNUSED int rig_exit(void) { return rig_failed ? 1 : 0; }

/* ---- the world ---- */

struct rig {
    struct sim_loop *loop;
    struct sage_sim *sage;
    struct world w;
    struct conn_setting settings[24];
    size_t nsettings;
    struct conn_env env;
    struct source *s;
    struct arena a;
    struct fault f;
    volatile int stop;
    unsigned notes;
    char last_note[500];
};

static UNUSED void rig_set(struct rig *r, const char *name, const char *value)
{
    for (size_t i = 0; i < r->nsettings; i++)
        if (str_is(r->settings[i].name, name)) {
            r->settings[i].value = str_of(value);
            return;
        }
    r->settings[r->nsettings++] = (struct conn_setting){str_of(name), str_of(value)};
}

static UNUSED void rig_note(void *ctx, const char *kind, const char *text)
{
    struct rig *r = ctx;
    (void)kind;
    r->notes++;
    snprintf(r->last_note, sizeof r->last_note, "%s", text);
}

/* Clock and network without a model; settings of both doors. */
static UNUSED void rig_world(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->loop = sim_loop_new(RIG_START_MS, 11);
    world_real(&r->w);
    sim_loop_world(r->loop, &r->w);
    arena_init(&r->a, 0);
    r->env = (struct conn_env){.world = &r->w, .settings = r->settings, .state_name = "erp", .stop = &r->stop, .note = rig_note, .ctx = r};
    rig_set(r, "company", "ABC");
    rig_set(r, "agent", AGENT_URL);
    rig_set(r, "token", "agent-token");
}

static UNUSED void rig_model(struct rig *r, struct sage_sim_options *o)
{
    o->clock = sim_loop_clock(r->loop);
    r->sage = sage_sim_new(o);
    if (!r->sage) abort();
    sim_loop_mount(r->loop, AGENT_URL, sage_sim_model(r->sage));
}

extern const struct source_ops sage_source_ops;

static UNUSED enum err rig_try_open(struct rig *r)
{
    r->env.nsettings = r->nsettings;
    memset(&r->f, 0, sizeof r->f);
    return sage_source_ops.open(&r->s, &r->env, &r->f);
}

static UNUSED void rig_open(struct rig *r)
{
    if (rig_try_open(r) == ERR_OK) return;
    printf("not ok %s: open: %s\n", rig_name, r->f.text);
    exit(1);
}

/* The engine's process ends and starts again. */
static UNUSED void rig_reopen(struct rig *r)
{
    sage_source_ops.close(r->s);
    rig_open(r);
}

static UNUSED void rig_close(struct rig *r)
{
    if (r->s) sage_source_ops.close(r->s);
    sage_sim_free(r->sage);
    sim_loop_free(r->loop);
    arena_free(&r->a);
}

/* A model of 60 customers and the agent's door, open. */
static UNUSED void rig_agent(struct rig *r, uint32_t customers)
{
    struct sage_sim_options o;
    rig_world(r);
    sage_sim_options_default(&o);
    o.customers = customers;
    rig_model(r, &o);
    rig_open(r);
}

static UNUSED void rig_use_soap_only(struct rig *r)
{
    rig_set(r, "agent", "");
    rig_set(r, "token", "");
    rig_set(r, "soap", SOAP_URL);
    rig_set(r, "login", "websvc\nwebsvc-password\n");
}

/* ---- queries ---- */

static const struct str rig_customer_key[] = {{"ARDivisionNo", 12}, {"CustomerNo", 10}};
static const struct str rig_contact_key[] = {{"ARDivisionNo", 12}, {"CustomerNo", 10}, {"ContactCode", 11}};
static const struct str rig_order_key[] = {{"SalesOrderNo", 12}};
static const struct str rig_terms_key[] = {{"TermsCode", 9}};

static UNUSED struct type rig_text(uint32_t max) { struct type t = type_text(1, max); t.optional = true; return t; }
static UNUSED struct type rig_number(unsigned digits, unsigned scale) { struct type t = type_decimal(digits, scale); t.optional = true; return t; }
static UNUSED struct type rig_date(void) { return (struct type){.base = T_DATE, .optional = true}; }
static UNUSED struct type rig_yes_no(void) { return (struct type){.base = T_BOOL, .optional = true, .yes = STR("Y"), .no = STR("N")}; }

enum { C_DIVISION, C_NUMBER, C_NAME, C_CITY, C_HOLD, C_LIMIT, C_BALANCE, C_SINCE, C_REGION, C_COLUMNS };

static UNUSED struct source_query rig_customers(void)
{
    static struct source_column columns[C_COLUMNS];
    columns[C_DIVISION] = (struct source_column){STR("ARDivisionNo"), type_text(2, 2), false};
    columns[C_NUMBER] = (struct source_column){STR("CustomerNo"), type_text(1, 20), false};
    columns[C_NAME] = (struct source_column){STR("CustomerName"), rig_text(50), false};
    columns[C_CITY] = (struct source_column){STR("City"), rig_text(30), false};
    columns[C_HOLD] = (struct source_column){STR("CreditHold"), rig_yes_no(), false};
    columns[C_LIMIT] = (struct source_column){STR("CreditLimit"), rig_number(13, 2), false};
    columns[C_BALANCE] = (struct source_column){STR("CurrentBalance"), rig_number(13, 2), false};
    columns[C_SINCE] = (struct source_column){STR("DateEstablished"), rig_date(), false};
    columns[C_REGION] = (struct source_column){STR("UDF_REGION"), rig_text(30), true};
    return (struct source_query){.entity = STR("AR_Customer"), .company = STR("ABC"), .key_columns = rig_customer_key, .nkeys = 2, .columns = columns,
                                 .ncolumns = C_COLUMNS};
}

/* Terms codes: a key of one part, no columns. */
static UNUSED struct source_query rig_terms(void)
{
    return (struct source_query){.entity = STR("AR_TermsCode"), .company = STR("ABC"), .key_columns = rig_terms_key, .nkeys = 1};
}

static UNUSED struct source_key rig_key2(const char *a, const char *b) { return (struct source_key){.part = {str_of(a), str_of(b)}, .n = 2}; }

static UNUSED const char *rig_key_text(struct arena *a, const struct source_key *k)
{
    char *s = arena_printf(a, "%.*s", (int)k->part[0].n, k->part[0].p);
    for (size_t i = 1; i < k->n; i++) s = arena_printf(a, "%s~%.*s", s, (int)k->part[i].n, k->part[i].p);
    return s;
}

/* All keys of the model, as text, in order. */
struct rig_keys { const char *text[20000]; size_t n; struct arena *a; };
static UNUSED bool rig_collect(void *ctx, const char *key)
{
    struct rig_keys *k = ctx;
    k->text[k->n++] = arena_copy(k->a, key, strlen(key));
    return k->n < 20000;
}
static UNUSED struct rig_keys *rig_all(struct rig *r, const char *resource)
{
    struct rig_keys *k = arena_alloc(&r->a, sizeof *k);
    k->a = &r->a;
    sage_sim_each_key(r->sage, "ABC", resource, rig_collect, k);
    return k;
}
/* "01~ABF" -> parts. */
static UNUSED struct source_key rig_split(struct arena *a, const char *text, size_t parts)
{
    struct source_key k = {.n = parts};
    for (size_t i = 0; i < parts; i++) {
        size_t n = i + 1 < parts ? strcspn(text, "~") : strlen(text);
        k.part[i] = (struct str){arena_copy(a, text, n), n};
        text += n + (i + 1 < parts);
    }
    return k;
}

static UNUSED bool rig_value_is(const struct value *v, const char *want)
{
    struct buf b = {0};
    value_print(&b, v);
    bool same = want ? str_is(buf_view(&b), want) : v->kind == V_ABSENT;
    buf_free(&b);
    return same;
}

/* ---- a server that says what the test wrote ---- */

struct canned { int status; const char *body; size_t len; const char *type; unsigned asked; char target[2048], request[16384]; const char *auth_want; };
static UNUSED void canned_handle(void *self, const struct sim_request *req, struct sim_response *resp)
{
    struct canned *c = self;
    c->asked++;
    snprintf(c->target, sizeof c->target, "%s %s", req->method, req->target);
    snprintf(c->request, sizeof c->request, "%.*s", (int)req->body_len, req->body ? req->body : "");
    resp->status = c->status;
    sim_response_body(resp, c->body, c->len ? c->len : strlen(c->body), c->type ? c->type : "application/json");
}
static UNUSED void rig_canned(struct rig *r, struct canned *c)
{
    sim_loop_mount(r->loop, AGENT_URL, (struct sim_model){c, canned_handle});
}
#endif
