/*
 * zoho_check.h: a model of Zoho in process with a virtual clock, one call per line, one check per line.
 */
#ifndef ZOHO_CHECK_H
#define ZOHO_CHECK_H

#include "../../sim/zoho/zoho_sim.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ZOHO_DATA "tests/sim/zoho/data/professional.json"

struct stand {
    struct zoho_sim *sim;
    struct sim_model model;
    char *token;
    int64_t now_ms;
    struct sim_header extra[2]; // sent with the next call, then forgotten
    size_t nextra;
    const char *host;
    struct sim_response resp;
    json_t *body; // of the last answer, or NULL
};

static int stand_failed;

static inline void check(const char *name, bool good, const char *why)
{
    if (good)
        printf("ok %s\n", name);
    else
        printf("not ok %s: %s\n", name, why ? why : "");
    stand_failed |= !good;
}

static inline int64_t stand_now(void *ctx)
{
    return ((struct stand *)ctx)->now_ms;
}

static inline void stand_open_at(struct stand *s, const char *data_path, const char *edition, const char *domain)
{
    char why[512];
    memset(s, 0, sizeof *s);
    s->now_ms = 1795000000000; // 2026-11-18
    s->host = "zoho.test";
    struct zoho_sim_options options = {
        .data_path = data_path, .edition = edition, .api_domain = domain, .clock = {stand_now, s}};
    s->sim = zoho_sim_open(&options, why, sizeof why);
    if (!s->sim) {
        printf("not ok open: %s\n", why);
        exit(1);
    }
    s->model = zoho_sim_model(s->sim);
    s->token = zoho_sim_issue_token(s->sim);
}

static inline void stand_open(struct stand *s, const char *edition, const char *domain)
{
    stand_open_at(s, ZOHO_DATA, edition, domain);
}

static inline void stand_close(struct stand *s)
{
    sim_response_free(&s->resp);
    json_decref(s->body);
    free(s->token);
    zoho_sim_close(s->sim);
}

static inline void send_header(struct stand *s, const char *name, const char *value)
{
    union {
        const char *in;
        char *out;
    } n = {name}, v = {value};
    s->extra[s->nextra++] = (struct sim_header){n.out, v.out};
}

// Authorization is sent when the stand has a token. Returns the status; a body of JSON is in s->body.
static inline int call(struct stand *s, const char *method, const char *target, const char *body)
{
    char auth[128], host[64];
    snprintf(auth, sizeof auth, "Zoho-oauthtoken %s", s->token ? s->token : "");
    snprintf(host, sizeof host, "%s", s->host);
    static char auth_name[] = "Authorization", host_name[] = "Host";
    struct sim_header headers[4] = {{host_name, host}};
    size_t n = 1;
    if (s->token)
        headers[n++] = (struct sim_header){auth_name, auth};
    for (size_t i = 0; i < s->nextra; i++)
        headers[n++] = s->extra[i];
    s->nextra = 0;
    sim_response_free(&s->resp);
    json_decref(s->body);
    struct sim_request req = {method, target, headers, n, body ? body : "", body ? strlen(body) : 0};
    s->model.handle(s->model.self, &req, &s->resp);
    s->body = s->resp.body ? json_loadb(s->resp.body, s->resp.body_len, 0, NULL) : NULL;
    return s->resp.status;
}

// The value at "data.0.details.id"; NULL when there is none.
static inline const json_t *at(const json_t *v, const char *path)
{
    char key[64];
    while (v && *path) {
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        v = json_is_array(v) ? json_array_get(v, strtoul(key, NULL, 10)) : json_object_get(v, key);
        path += n + (path[n] == '.');
    }
    return v;
}

static inline bool is_text(const struct stand *s, const char *path, const char *want)
{
    const char *got = json_string_value(at(s->body, path));
    return got && strcmp(got, want) == 0;
}

static inline bool is_number(const struct stand *s, const char *path, double want)
{
    const json_t *v = at(s->body, path);
    double got = json_number_value(v);
    return json_is_number(v) && got > want - 1e-9 && got < want + 1e-9;
}

static inline bool is_null(const struct stand *s, const char *path)
{
    return json_is_null(at(s->body, path));
}

static inline size_t length(const struct stand *s, const char *path)
{
    return json_array_size(at(s->body, path));
}

// One check on the last answer; the answer is shown when it fails.
static inline void expect(const struct stand *s, const char *name, bool good)
{
    char why[600];
    snprintf(why, sizeof why, "answer %d %.500s", s->resp.status, s->resp.body ? s->resp.body : "(empty)");
    check(name, good, why);
}

static inline const char *header(const struct stand *s, const char *name)
{
    for (size_t i = 0; i < s->resp.nheaders; i++)
        if (strcmp(s->resp.headers[i].name, name) == 0)
            return s->resp.headers[i].value;
    return NULL;
}

// Seeds one record and keeps its id.
static inline void seed(struct stand *s, const char *module, const char *record, char id[24])
{
    char why[1024];
    if (!zoho_sim_seed(s->sim, module, record, id, why, sizeof why)) {
        printf("not ok seed %s: %s\n", module, why);
        exit(1);
    }
}

static inline void script(struct stand *s, const char *rules)
{
    char why[256];
    zoho_sim_faults_clear(s->sim);
    if (!zoho_sim_faults(s->sim, rules, why, sizeof why)) {
        printf("not ok script: %s\n", why);
        exit(1);
    }
}

static inline char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

// One of four rotating buffers.
static inline char *text(const char *format, ...)
{
    static char buffers[4][4096];
    static int turn;
    va_list args;
    turn = (turn + 1) % 4;
    va_start(args, format);
    vsnprintf(buffers[turn], sizeof buffers[turn], format, args);
    va_end(args);
    return buffers[turn];
}

#endif
