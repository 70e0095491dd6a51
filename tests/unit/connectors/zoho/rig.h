/* rig.h - what the Zoho connector's tests stand on: the model behind a fake transport, a virtual clock, state kept in memory.
 *
 *     target -> world.http.start -> model (at once, at its own `now`) -> answer waits until now + delay -> world.http.wait
 *
 * A closed connection is an AMBIGUOUS outcome (both fates: the client cannot tell), `not_sent` and `canned` script the rest. */
#ifndef TEST_ZOHO_RIG_H
#define TEST_ZOHO_RIG_H
#include "connectors/zoho/auth.h"
#include "connectors/zoho/zoho.h"
#include "tests/sim/zoho/zoho_sim.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define RIG_URL "http://127.0.0.1:9"

static int failures;
static inline void check(bool good, const char *name, const char *why)
{
    if (good) printf("ok %s\n", name);
    else printf("not ok %s: %s\n", name, why && *why ? why : "?");
    failures += !good;
}

struct rig_flight { void *tag; int64_t due; struct sim_response resp; enum http_outcome outcome; };
struct rig_saved { char name[64]; char *value; size_t n; };
struct rig {
    struct world w;
    int64_t now;
    uint64_t seed;
    struct zoho_sim *sim;
    struct sim_model model;
    struct rig_flight flight[64];
    size_t nflight, most;
    int not_sent;                       /* so many next requests do not leave */
    int canned_status; const char *canned;     /* the next request to the API gets this instead of the model's answer */
    const char *canned_header;
    unsigned requests, token_requests;
    unsigned counted;                   /* renewals that were saved when the last token was asked for */
    char last_url[4096], *last_body;
    struct conn_setting settings[24];
    struct conn_env env;
    volatile int stop;
    struct rig_saved saved[8];
    size_t nsaved;
    bool lose_saves;
    char notes[4000];
    struct arena arena;
    struct target *t;
    struct fault f;
};

static inline int64_t rig_now(void *ctx) { return ((struct rig *)ctx)->now; }
static inline void rig_sleep(void *ctx, int64_t ms) { ((struct rig *)ctx)->now += ms; }
static inline void rig_fill(void *ctx, void *p, size_t n)
{
    struct rig *r = ctx;
    for (size_t i = 0; i < n; i++) {
        r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
        ((unsigned char *)p)[i] = (unsigned char)(r->seed >> 33);
    }
}

static inline void rig_ask(struct rig *r, const struct http_req *req, struct rig_flight *fl)
{
    struct sim_header h[12];
    size_t n = 0;
    const char *rest = strstr(req->url, "://") + 3;
    size_t host = strcspn(rest, "/");
    char name[200];
    (void)snprintf(name, sizeof name, "%.*s", (int)host, rest);
    h[n++] = (struct sim_header){(char *)(uintptr_t)"Host", name};
    for (size_t i = 0; i < req->nheaders && n < 12; i++)
        h[n++] = (struct sim_header){(char *)(uintptr_t)req->headers[i].name, (char *)(uintptr_t)req->headers[i].value};
    struct sim_request q = {req->method, rest + host, h, n, req->body.n ? req->body.p : "", req->body.n};
    r->model.handle(r->model.self, &q, &fl->resp);
    fl->outcome = fl->resp.fate == SIM_ANSWERED && fl->resp.cut_at == 0 ? HTTP_ANSWERED : HTTP_AMBIGUOUS;
    fl->due = r->now + 20 + fl->resp.delay_ms;
}

/* Renewals that the saved token state counts. */
static inline unsigned rig_counted(const struct rig *r)
{
    unsigned n = 0;
    for (size_t i = 0; i < r->nsaved; i++) {
        json_t *j = strcmp(r->saved[i].name, "zoho.token") == 0 ? json_loadb(r->saved[i].value, r->saved[i].n, 0, NULL) : NULL;
        n += (unsigned)json_array_size(json_object_get(j, "renewed_ms"));
        json_decref(j);
    }
    return n;
}

static inline int rig_start(void *ctx, const struct http_req *req, void *tag)
{
    struct rig *r = ctx;
    if (r->nflight == 64) return -1;
    struct rig_flight *fl = &r->flight[r->nflight++];
    *fl = (struct rig_flight){.tag = tag, .due = r->now + 20};
    if (r->nflight > r->most) r->most = r->nflight;
    bool token = strstr(req->url, "/oauth/v2/token") != NULL;
    (void)snprintf(r->last_url, sizeof r->last_url, "%s %s", req->method, req->url);
    free(r->last_body);
    r->last_body = req->body.n ? strndup(req->body.p, req->body.n) : strdup("");
    r->requests++;
    r->token_requests += token;
    if (token) r->counted = rig_counted(r);
    if (r->not_sent > 0) {
        r->not_sent--;
        fl->outcome = HTTP_NOT_SENT;
    } else if (r->canned_status && !token) {
        fl->resp.status = r->canned_status;
        if (r->canned_header) sim_response_header(&fl->resp, r->canned_header, "7");
        sim_response_body(&fl->resp, r->canned, strlen(r->canned), "application/json");
        r->canned_status = 0;
    } else {
        rig_ask(r, req, fl);
    }
    return 0;
}

static inline void rig_answer(const struct rig_flight *fl, struct arena *a, struct http_res *res)
{
    *res = (struct http_res){.outcome = fl->outcome, .status = fl->resp.status, .connect_ms = 1, .tls_ms = -1, .elapsed_ms = 20};
    if (fl->outcome != HTTP_ANSWERED) (void)snprintf(res->error, sizeof res->error, "scripted");
    struct http_header *h = ARENA_ARRAY(a, struct http_header, fl->resp.nheaders + 1);
    for (size_t i = 0; i < fl->resp.nheaders; i++) {
        char *name = arena_copy(a, fl->resp.headers[i].name, strlen(fl->resp.headers[i].name));
        for (char *c = name; *c; c++) *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        h[i] = (struct http_header){name, arena_copy(a, fl->resp.headers[i].value, strlen(fl->resp.headers[i].value))};
    }
    res->headers = h;
    res->nheaders = fl->resp.nheaders;
    res->body = (struct str){arena_copy(a, fl->resp.body ? fl->resp.body : "", fl->resp.body_len), fl->resp.body_len};
}

static inline int rig_wait(void *ctx, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag)
{
    struct rig *r = ctx;
    size_t first = 0;
    if (r->nflight == 0) return -1;
    for (size_t i = 1; i < r->nflight; i++)
        if (r->flight[i].due < r->flight[first].due) first = i;
    if (r->flight[first].due > r->now + timeout_ms) {
        r->now += timeout_ms;
        return 0;
    }
    struct rig_flight fl = r->flight[first];
    if (fl.due > r->now) r->now = fl.due;
    r->flight[first] = r->flight[--r->nflight];
    rig_answer(&fl, a, res);
    *tag = fl.tag;
    sim_response_free(&fl.resp);
    return 1;
}

static inline enum err rig_load(void *ctx, const char *name, struct arena *a, struct str *out)
{
    struct rig *r = ctx;
    for (size_t i = 0; i < r->nsaved; i++)
        if (strcmp(r->saved[i].name, name) == 0) {
            *out = (struct str){arena_copy(a, r->saved[i].value, r->saved[i].n), r->saved[i].n};
            return ERR_OK;
        }
    return ERR_NOT_FOUND;
}

static inline enum err rig_save(void *ctx, const char *name, struct str value, struct fault *f)
{
    struct rig *r = ctx;
    (void)f;
    size_t i = 0;
    if (r->lose_saves) return ERR_OK;
    while (i < r->nsaved && strcmp(r->saved[i].name, name) != 0) i++;
    if (i == r->nsaved) (void)snprintf(r->saved[r->nsaved++].name, sizeof r->saved[0].name, "%s", name);
    free(r->saved[i].value);
    r->saved[i].value = strndup(value.p, value.n);
    r->saved[i].n = value.n;
    return ERR_OK;
}

static inline void rig_note(void *ctx, const char *kind, const char *text)
{
    struct rig *r = ctx;
    size_t n = strlen(r->notes);
    (void)snprintf(r->notes + n, sizeof r->notes - n, "%s: %s\n", kind, text);
}

static inline void rig_set(struct rig *r, const char *name, const char *value)
{
    size_t i = 0;
    while (i < r->env.nsettings && !str_is(r->settings[i].name, name)) i++;
    if (i == r->env.nsettings) r->env.nsettings++;
    r->settings[i] = (struct conn_setting){str_of(name), str_of(value)};
}

static inline void rig_credentials(struct rig *r, const char *refresh)
{
    char text[300];
    (void)snprintf(text, sizeof text, "{\"client_id\":\"1000.SIMCLIENT\",\"client_secret\":\"sim-secret\",\"refresh_token\":\"%s\"}", refresh);
    (void)rig_save(r, "zoho.credentials", str_of(text), NULL);
}

static inline int64_t rig_sim_now(void *ctx) { return ((struct rig *)ctx)->now; }

/* edition NULL: the data file's (professional). */
static inline void rig_open(struct rig *r, const char *edition)
{
    memset(r, 0, sizeof *r);
    r->now = 1795428000000;
    r->seed = 42;
    arena_init(&r->arena, 0);
    char why[200] = "";
    struct zoho_sim_options o = {.data_path = "tests/sim/zoho/data/professional.json", .edition = edition, .clock = {rig_sim_now, r}};
    r->sim = zoho_sim_open(&o, why, sizeof why);
    if (!r->sim) {
        printf("not ok set-up: %s\n", why);
        exit(1);
    }
    r->model = zoho_sim_model(r->sim);
    world_real(&r->w);
    r->w.clock = (struct world_clock){rig_now, rig_now, rig_sleep, r};
    r->w.random = (struct world_random){rig_fill, r};
    r->w.http = (struct world_http){rig_start, rig_wait, r};
    r->env = (struct conn_env){.world = &r->w, .settings = r->settings, .state_name = "crm", .stop = &r->stop, .load = rig_load,
                               .save = rig_save, .note = rig_note, .ctx = r};
    rig_set(r, "region", "us");
    rig_set(r, "accounts_url", RIG_URL);
    rig_set(r, "edition", edition ? edition : "professional");
    rig_credentials(r, "1000.simrefresh");
}

static inline void rig_target(struct rig *r)
{
    if (r->t) zoho_target_ops.close(r->t);
    r->t = NULL;
    r->f = (struct fault){ERR_OK, ""};
    if (zoho_target_ops.open(&r->t, &r->env, &r->f) != ERR_OK) printf("not ok open: %s\n", r->f.text);
}

static inline void rig_close(struct rig *r)
{
    if (r->t) zoho_target_ops.close(r->t);
    for (size_t i = 0; i < r->nflight; i++) sim_response_free(&r->flight[i].resp);
    for (size_t i = 0; i < r->nsaved; i++) free(r->saved[i].value);
    free(r->last_body);
    zoho_sim_close(r->sim);
    arena_free(&r->arena);
}

static inline void rig_fault(struct rig *r, const char *json)
{
    char why[300] = "";
    if (!zoho_sim_faults(r->sim, json, why, sizeof why)) check(false, "fault script", why);
}

/* ---- batches ---- */

static inline struct record rig_record(struct rig *r, const char *const *pairs)       /* name, text, ..., NULL; text NULL = absent */
{
    struct record rec = {ARENA_ARRAY(&r->arena, struct record_field, 32), 0};
    for (; *pairs; pairs += 2) rec.f[rec.n++] = (struct record_field){str_of(pairs[0]), value_text(str_of(pairs[1]))};
    return rec;
}

static inline struct write_batch *rig_batch(struct rig *r, enum write_verb verb, const char *module, size_t n)
{
    struct write_batch *b = ARENA_NEW(&r->arena, struct write_batch);
    *b = (struct write_batch){.verb = verb, .module = str_of(module), .key_field = STR("Sage_Customer"), .n = n, .arena = &r->arena,
                              .items = ARENA_ARRAY(&r->arena, struct write_item, n)};
    return b;
}

/* n new accounts named PREFIX-i with key PREFIX~i */
static inline struct write_batch *rig_accounts(struct rig *r, const char *prefix, size_t n)
{
    struct write_batch *b = rig_batch(r, WRITE_INSERT, "Accounts", n);
    for (size_t i = 0; i < n; i++) {
        const char *name = arena_printf(&r->arena, "%s-%zu", prefix, i), *key = arena_printf(&r->arena, "%s~%zu", prefix, i);
        struct record *rec = ARENA_NEW(&r->arena, struct record);
        *rec = rig_record(r, (const char *const[]){"Account_Name", name, "Sage_Customer", key, NULL});
        b->items[i].fields = rec;
    }
    return b;
}

static inline enum err rig_write(struct rig *r, struct write_batch *b)
{
    struct write_batch *done = NULL;
    enum err e = zoho_target_ops.write_start(r->t, b, &r->f);
    for (int i = 0; e == ERR_OK && !done && i < 100; i++) e = zoho_target_ops.write_wait(r->t, 60000, &done, &r->f);
    if (e == ERR_OK && done != b) check(false, "a batch comes back", "it does not");
    return e;
}

static inline bool all_are(const struct write_batch *b, enum write_class cls)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->items[i].cls != cls) return false;
    return true;
}

static inline const char *class_name(enum write_class c)
{
    static const char *const names[] = {"APPLIED", "REJECTED", "RETRY", "PARKED", "AMBIGUOUS", "DUP_OWN", "DUP_OTHER", "GONE", "CONFIG", "SPLIT"};
    return names[c];
}
static inline const char *first_of(struct rig *r, const struct write_batch *b)
{
    const struct write_item *it = &b->items[0];
    return arena_printf(&r->arena, "%s %.*s on %.*s (%.*s) status %d", class_name(it->cls), (int)it->code.n, it->code.p, (int)it->field.n,
                        it->field.p, (int)it->message.n, it->message.p, it->http_status);
}

/* ---- findings ---- */
struct rig_findings { char text[8000]; unsigned fail, warn, ok; };
static inline void rig_finding(void *ctx, const struct finding *f)
{
    struct rig_findings *all = ctx;
    size_t n = strlen(all->text);
    (void)snprintf(all->text + n, sizeof all->text - n, "%s %s: %s\n", f->level == FINDING_FAIL ? "FAIL" : f->level == FINDING_WARN ? "WARN" : "OK", f->what,
                   f->text);
    all->fail += f->level == FINDING_FAIL;
    all->warn += f->level == FINDING_WARN;
    all->ok += f->level == FINDING_OK;
}
#endif
