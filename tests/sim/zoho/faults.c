/*
 * faults.c: what goes wrong, by script.
 *
 * A script is a JSON list of rules; the first rule that is due strikes, one per call:
 *
 *     {"match": {"method":"POST", "path":"/crm/v8/Accounts", "path_regex":"^/crm/v8/[^/]+/upsert$",
 *                "body_contains":"text", "record_contains":"text"},
 *      "nth": 3,          from the third matching call on (default 1)
 *      "times": 2,        strikes (default 1; 0: for ever)
 *      "do": ACTION, ...}
 *
 * Actions and their further keys (all optional):
 *     429 500 502 503 504 401 403 404 412 413 429_rate auth_failure scope_mismatch flat_400
 *                           flat JSON answer: code, message, details, status, retry_after (seconds, or a text: any form of the
 *                           header); nothing is applied, unless "applied": true
 *     html_NNN              the same with an HTML page and status NNN
 *     drop_before timeout_before   closed, nothing applied (timeout: after delay_ms, default 60000)
 *     drop_after timeout_after     applied, then closed
 *     apply_late            closed after delay_ms, applied apply_after_ms (default 30000) after the call
 *     apply_again           applied, closed without an answer ("answered": true: answered), and applied once more
 *                           apply_after_ms after the call
 *     expire_token          all access tokens die before the call
 *     revoke                all refresh tokens die too
 *     change_api_domain     to: URL; and the access tokens die
 *     token_throttled token_error  answers of the token endpoint: status, error
 *     partial               one record fails: index (default 0) or "all": true, or those that match.record_contains
 *                           hits; code (default INVALID_DATA), field, message, details
 *     ANY_UPPER_CASE        partial with that code
 *     duplicate_other_field partial DUPLICATE_DATA on `field` (default: the second unique field), id: the other record
 *     wrong_length          the last element of data is missing
 *     reversed              data in the wrong order
 *     same_id               data with one id for all: "id", or that of the first record
 *     truncated_json cut_body empty_body wrong_shape   a 2xx that cannot be read; cut_body: the connection ends early
 *     delay                 delay_ms (default 1000)
 * delay_ms goes with every action; a rule with "tag": N is told when it strikes (zoho_sim_on_fault). record_contains looks at the text of the body for the choice of the call.
 */
#include "zoho_room.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 60000, DELAY_MS = 1000, LATE_MS = 30000 };

struct zsim_fault {
    json_t *raw; // the rule; strings below point into it
    const char *method, *path, *body_contains, *record_contains, *action;
    regex_t regex;
    bool has_regex;
    int64_t nth, times, matched, struck;
};

static const struct canned {
    const char *action;
    int status;
    const char *code, *message;
} CANNED[] = {
    {"401", 401, "INVALID_TOKEN", "invalid oauth token"},
    {"auth_failure", 401, "AUTHENTICATION_FAILURE", "Authentication failed"},
    {"scope_mismatch", 401, "OAUTH_SCOPE_MISMATCH", "Unauthorized"},
    {"403", 403, "NO_PERMISSION", "permission denied"},
    {"404", 404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one"},
    {"412", 412, "ALREADY_MODIFIED", "record has been modified already"},
    {"413", 413, "FILE_TOO_LARGE", "request body is too large"},
    {"429", 429, "TOO_MANY_REQUESTS", "You have made too many requests. Please try again later."},
    {"429_rate", 429, "RATE_LIMIT_EXCEEDED", "Too many requests. Please try again later."},
    {"500", 500, "INTERNAL_ERROR", "Internal Server Error"},
    {"502", 502, "INTERNAL_SERVER_ERROR", "Bad Gateway"},
    {"503", 503, "SERVICE_UNAVAILABLE", "Service Unavailable"},
    {"504", 504, "INTERNAL_SERVER_ERROR", "Gateway Timeout"},
    {"flat_400", 400, "INVALID_DATA", "invalid data"},
};

// The words of the rows of facts 7 that can stand in data[].
static const struct wording {
    const char *code, *message, *field, *key, *value;
} WORDINGS[] = {
    {"INVALID_DATA", "invalid data", NULL, "expected_data_type", "text"},
    {"MANDATORY_NOT_FOUND", "required field not found", NULL, NULL, NULL},
    {"DUPLICATE_DATA", "duplicate data", NULL, NULL, NULL},
    {"RECORD_LOCKED", "Sorry, you cannot perform this operation as the record is locked.", "id", "action",
     "record_locking"},
    {"RECORD_IN_BLUEPRINT", "The record is in blue print", "id", NULL, NULL},
    {"NOT_APPROVED", "the record is not approved", "id", NULL, NULL},
    {"NOT_REVIEWED", "the record is not reviewed", "id", NULL, NULL},
    {"NO_PERMISSION", "permission denied", "id", NULL, NULL},
    {"DEPENDENT_FIELD_MISSING", "dependent field missing", NULL, NULL, NULL},
    {"DEPENDENT_MISMATCH", "dependent field mismatch", NULL, NULL, NULL},
    {"DEPENDENT_SERVICE_ERROR", "dependent service error", NULL, "dependency_error", "PROCESSING_ERROR"},
    {"CONVERTED_RECORD", "the record was converted", "id", NULL, NULL},
    {"ID_ALREADY_CONVERTED", "id already converted", "id", NULL, NULL},
    {"LIMIT_EXCEEDED", "limit exceeded", NULL, NULL, NULL},
    {"STORAGE_SPACE_EXCEEDED", "storage space exceeded", "id", NULL, NULL},
    {"INTERNAL_ERROR", "Internal Server Error", "id", NULL, NULL},
};

static const char *const OTHERS[] = {
    "apply_late",   "apply_again",  "drop_before",  "drop_after",     "timeout_before",  "timeout_after",         "expire_token",
    "revoke",       "partial",        "token_throttled", "change_api_domain",     "token_error",
    "wrong_length", "truncated_json", "reversed",        "same_id",        "duplicate_other_field", "cut_body",
    "empty_body",   "wrong_shape",    "delay"};

static const char *text_of(const struct zsim_fault *f, const char *key, const char *otherwise)
{
    const char *s = json_string_value(json_object_get(f->raw, key));
    return s ? s : otherwise;
}

static int64_t number_of(const struct zsim_fault *f, const char *key, int64_t otherwise)
{
    const json_t *v = json_object_get(f->raw, key);
    return json_is_integer(v) ? (int64_t)json_integer_value(v) : otherwise;
}

static bool is(const struct zsim_fault *f, const char *action)
{
    return strcmp(f->action, action) == 0;
}

static bool upper_case(const char *s)
{
    if (!isupper((unsigned char)*s))
        return false;
    while (isupper((unsigned char)*s) || *s == '_' || isdigit((unsigned char)*s))
        s++;
    return *s == '\0';
}

static const struct canned *canned(const char *action)
{
    for (size_t i = 0; i < sizeof CANNED / sizeof *CANNED; i++)
        if (strcmp(CANNED[i].action, action) == 0)
            return &CANNED[i];
    return NULL;
}

static bool known_action(const char *action)
{
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        if (strcmp(OTHERS[i], action) == 0)
            return true;
    return canned(action) || strncmp(action, "html_", 5) == 0 || upper_case(action);
}

// ---- the script

static bool load_rule(struct zsim_fault *f, json_t *raw, char *why, size_t why_size)
{
    const json_t *match = json_object_get(raw, "match");
    const char *regex = json_string_value(json_object_get(match, "path_regex"));
    *f = (struct zsim_fault){.raw = raw};
    f->action = text_of(f, "do", "");
    f->method = json_string_value(json_object_get(match, "method"));
    f->path = json_string_value(json_object_get(match, "path"));
    f->body_contains = json_string_value(json_object_get(match, "body_contains"));
    f->record_contains = json_string_value(json_object_get(match, "record_contains"));
    f->nth = number_of(f, "nth", json_integer_value(json_object_get(match, "nth")));
    f->times = number_of(f, "times", 1);
    if (!known_action(f->action)) {
        snprintf(why, why_size, "rule with an unknown action \"%s\"", f->action);
        return false;
    }
    if (regex && regcomp(&f->regex, regex, REG_EXTENDED | REG_NOSUB) != 0) {
        snprintf(why, why_size, "rule with a bad path_regex \"%s\"", regex);
        return false;
    }
    f->has_regex = regex != NULL;
    return true;
}

static void free_rule(struct zsim_fault *f)
{
    if (f->has_regex)
        regfree(&f->regex);
    json_decref(f->raw);
}

bool zoho_sim_faults(struct zoho_sim *sim, const char *json, char *why, size_t why_size)
{
    json_error_t error;
    json_t *list = json_loads(json, 0, &error), *raw;
    size_t i, before = sim->nfaults;
    if (!json_is_array(list)) {
        snprintf(why, why_size, "script is no JSON list: %s", list ? "other type" : error.text);
        json_decref(list);
        return false;
    }
    sim->faults = zsim__must(realloc(sim->faults, (before + json_array_size(list) + 1) * sizeof *sim->faults));
    json_array_foreach(list, i, raw)
    {
        struct zsim_fault *f = &sim->faults[sim->nfaults++];
        if (load_rule(f, json_incref(raw), why, why_size))
            continue;
        while (sim->nfaults > before)
            free_rule(&sim->faults[--sim->nfaults]);
        json_decref(list);
        return false;
    }
    json_decref(list);
    return true;
}

void zoho_sim_faults_clear(struct zoho_sim *sim)
{
    for (size_t i = 0; i < sim->nfaults; i++)
        free_rule(&sim->faults[i]);
    free(sim->faults);
    sim->faults = NULL;
    sim->nfaults = 0;
}

void zsim__faults_free(struct zoho_sim *sim)
{
    zoho_sim_faults_clear(sim);
}

void zoho_sim_on_fault(struct zoho_sim *sim, void (*told)(void *ctx, int tag), void *ctx)
{
    sim->on_fault = told;
    sim->on_fault_ctx = ctx;
}

void zoho_sim_on_change(struct zoho_sim *sim, void (*told)(void *ctx, const struct zoho_sim_change *), void *ctx)
{
    sim->on_change = told;
    sim->on_change_ctx = ctx;
}

const char *zsim__fault_name(const struct zsim_fault *f)
{
    return f->action;
}

static bool matches(const struct zsim_fault *f, const struct zsim_call *call)
{
    if (f->method && strcmp(f->method, call->req->method) != 0)
        return false;
    if (f->path && strncmp(call->path, f->path, strlen(f->path)) != 0)
        return false;
    if (f->has_regex && regexec(&f->regex, call->path, 0, NULL, 0) != 0)
        return false;
    if (f->body_contains && !strstr(call->body_text, f->body_contains))
        return false;
    return !f->record_contains || strstr(call->body_text, f->record_contains);
}

void zsim__fault_choose(struct zsim_call *call)
{
    struct zoho_sim *sim = call->sim;
    for (size_t i = 0; i < sim->nfaults; i++) {
        struct zsim_fault *f = &sim->faults[i];
        if ((f->times && f->struck >= f->times) || !matches(f, call))
            continue; // one that is used up is not looked at any more
        f->matched++;
        if (call->fault || f->matched < f->nth)
            continue;
        f->struck++;
        sim->struck++;
        if (sim->on_fault && json_object_get(f->raw, "tag"))
            sim->on_fault(sim->on_fault_ctx, (int)number_of(f, "tag", 0));
        call->fault = f;
    }
}

// ---- whole answers

static void forget_answer(struct sim_response *resp)
{
    int64_t delay = resp->delay_ms;
    sim_response_free(resp);
    resp->delay_ms = delay;
}

static void answer_html(struct zsim_call *call, int status)
{
    char page[160];
    int n = snprintf(page, sizeof page, "<html><head><title>%d</title></head><body>Something went wrong</body></html>",
                     status);
    forget_answer(call->resp);
    call->resp->status = status;
    sim_response_body(call->resp, page, (size_t)n, "text/html;charset=UTF-8");
}

static void answer_canned(struct zsim_call *call, const struct canned *c)
{
    const struct zsim_fault *f = call->fault;
    json_t *details = json_object_get(f->raw, "details");
    int64_t after = number_of(f, "retry_after", -1);
    forget_answer(call->resp);
    zsim__error(call, (int)number_of(f, "status", c->status), text_of(f, "code", c->code),
                text_of(f, "message", c->message), details ? json_deep_copy(details) : NULL);
    if (after >= 0) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)after);
        sim_response_header(call->resp, "Retry-After", text);
    } else if (text_of(f, "retry_after", NULL)) {
        sim_response_header(call->resp, "Retry-After", text_of(f, "retry_after", ""));
    }
}

// Writes the scripted answer, if the action is one. False: it is not.
static bool answer_by_script(struct zsim_call *call)
{
    const struct zsim_fault *f = call->fault;
    const struct canned *c = canned(f->action);
    if (c)
        answer_canned(call, c);
    else if (strncmp(f->action, "html_", 5) == 0)
        answer_html(call, (int)strtol(f->action + 5, NULL, 10));
    else if (is(f, "token_throttled"))
        zsim__answer(call, (int)number_of(f, "status", 200),
                     json_pack("{ssss}", "error_description",
                               "You have made too many requests continuously. Please try again after some time.",
                               "error", "Access Denied"));
    else if (is(f, "token_error"))
        zsim__answer(call, (int)number_of(f, "status", 200),
                     json_pack("{ss}", "error", text_of(f, "error", "invalid_code")));
    else
        return false;
    return true;
}

static bool applied(const struct zsim_fault *f)
{
    return json_is_true(json_object_get(f->raw, "applied"));
}

bool zsim__fault_before(struct zsim_call *call)
{
    const struct zsim_fault *f = call->fault;
    if (!f)
        return false;
    bool timeout = strncmp(f->action, "timeout_", 8) == 0;
    call->resp->delay_ms = number_of(f, "delay_ms", timeout ? TIMEOUT_MS : is(f, "delay") ? DELAY_MS : 0);
    if (is(f, "apply_late") || is(f, "apply_again"))
        zsim__late_add(call, number_of(f, "apply_after_ms", LATE_MS));
    if (is(f, "apply_late") || is(f, "drop_before") || is(f, "timeout_before")) {
        call->resp->fate = SIM_DROPPED_BEFORE;
        return true;
    }
    if (is(f, "expire_token") || is(f, "revoke") || is(f, "change_api_domain"))
        zoho_sim_expire_tokens(call->sim);
    if (is(f, "revoke"))
        for (size_t i = 0; i < call->sim->oauth.ngrants; i++)
            call->sim->oauth.grants[i].dead = true;
    if (is(f, "change_api_domain") && text_of(f, "to", NULL)) {
        free(call->sim->oauth.seen);
        call->sim->oauth.seen = zsim__copy(call->base);
        zoho_sim_change_domain(call->sim, text_of(f, "to", ""));
    }
    return !applied(f) && answer_by_script(call);
}

// ---- answers that were right until now

static void one_id(json_t *data, const char *id)
{
    const char *first = json_string_value(json_object_get(json_object_get(json_array_get(data, 0), "details"), "id"));
    json_t *said = json_string(id ? id : first ? first : "");
    for (size_t i = 0; i < json_array_size(data); i++) json_object_set(json_object_get(json_array_get(data, i), "details"), "id", said);
    json_decref(said);
}

static void spoil_data(struct zsim_call *call, const struct zsim_fault *f)
{
    json_t *body = json_loadb(call->resp->body ? call->resp->body : "", call->resp->body_len, 0, NULL);
    json_t *data = json_object_get(body, "data");
    size_t n = json_array_size(data);
    int status = call->resp->status;
    if (!n) {
        json_decref(body);
        return;
    }
    if (is(f, "same_id")) {
        one_id(data, text_of(f, "id", NULL));
    } else if (is(f, "reversed")) {
        json_t *other = json_array();
        while (n--)
            json_array_append(other, json_array_get(data, n));
        json_object_set_new(body, "data", other);
    } else {
        json_array_remove(data, n - 1);
    }
    forget_answer(call->resp);
    zsim__answer(call, status, body);
}

static void replace_body(struct zsim_call *call, const char *text, size_t len)
{
    char *copy = zsim__must(strndup(text, len));
    int status = call->resp->status;
    forget_answer(call->resp);
    call->resp->status = status;
    sim_response_body(call->resp, copy, strlen(copy), "application/json;charset=utf-8");
    free(copy);
}

void zsim__fault_after(struct zsim_call *call)
{
    const struct zsim_fault *f = call->fault;
    if (!f)
        return;
    struct sim_response *resp = call->resp;
    bool unanswered = is(f, "apply_again") && !json_is_true(json_object_get(f->raw, "answered"));
    if (is(f, "drop_after") || is(f, "timeout_after") || unanswered)
        resp->fate = SIM_DROPPED_AFTER;
    else if (is(f, "wrong_length") || is(f, "reversed") || is(f, "same_id"))
        spoil_data(call, f);
    else if (is(f, "truncated_json") && resp->body_len)
        replace_body(call, resp->body, resp->body_len / 2);
    else if (is(f, "cut_body"))
        resp->cut_at = resp->body_len / 2;
    else if (is(f, "empty_body"))
        replace_body(call, "", 0);
    else if (is(f, "wrong_shape"))
        replace_body(call, "[]", 2);
    else if (applied(f))
        answer_by_script(call);
}

// ---- single records

static bool hits_record(const struct zsim_fault *f, const json_t *record, size_t index)
{
    if (f->record_contains) {
        char *text = json_dumps(record, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        bool hit = text && strstr(text, f->record_contains);
        free(text);
        return hit;
    }
    return json_is_true(json_object_get(f->raw, "all")) || number_of(f, "index", 0) == (int64_t)index;
}

static const char *second_unique(const struct zsim_module *m)
{
    const char *name = NULL;
    int seen = 0;
    for (size_t i = 0; i < m->nfields; i++)
        if (m->fields[i].unique && seen++ < 2)
            name = m->fields[i].name;
    return name ? name : "id";
}

static void add_duplicate(const struct zsim_fault *f, const struct zsim_module *m, json_t *details)
{
    char first[24] = "1";
    for (size_t i = 0; i < m->nrecords; i++)
        if (m->records[i].state == ZS_LIVE) {
            snprintf(first, sizeof first, "%llu", (unsigned long long)m->records[i].id);
            break;
        }
    const char *id = text_of(f, "id", first);
    json_object_set_new(details, "duplicate_record", json_pack("{s{ss}ss}", "module", "api_name", m->name, "id", id));
    json_object_set_new(details, "id", json_string(id));
    json_object_set_new(details, "more_records", json_false());
}

json_t *zsim__fault_record(struct zsim_call *call, const struct zsim_module *m, const json_t *record, size_t index)
{
    const struct zsim_fault *f = call->fault;
    if (!f || !(is(f, "partial") || is(f, "duplicate_other_field") || upper_case(f->action)) ||
        !hits_record(f, record, index))
        return NULL;
    const char *code = is(f, "partial")                 ? text_of(f, "code", "INVALID_DATA")
                       : is(f, "duplicate_other_field") ? "DUPLICATE_DATA"
                                                        : f->action;
    const struct wording *w = &WORDINGS[0];
    for (size_t i = 0; i < sizeof WORDINGS / sizeof *WORDINGS; i++)
        if (strcmp(WORDINGS[i].code, code) == 0)
            w = &WORDINGS[i];
    bool found = strcmp(w->code, code) == 0, duplicate = strcmp(code, "DUPLICATE_DATA") == 0;
    const char *field = text_of(f, "field", duplicate            ? second_unique(m)
                                            : found && w->field  ? w->field
                                            : m->name_field >= 0 ? m->fields[m->name_field].name
                                                                 : "id");
    char path[160];
    snprintf(path, sizeof path, "$.data[%zu].%s", index, field);
    json_t *details = json_pack("{ssss}", "api_name", field, "json_path", path);
    if (found && w->key)
        json_object_set_new(details, w->key, json_string(w->value));
    if (duplicate)
        add_duplicate(f, m, details);
    json_t *more = json_object_get(f->raw, "details");
    if (more)
        json_object_update(details, more);
    return zsim__error_json(code, text_of(f, "message", found ? w->message : "cannot process"), details);
}
