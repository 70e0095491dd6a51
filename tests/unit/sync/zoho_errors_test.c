/* zoho_errors_test.c - every row of the tables of errors in facts/zoho-crm.md (3.4 token endpoint, 3.7 and 7 API), made by the model: what class the record
 * gets, what the audit log says, what status says, and that all is well once the cause is gone. The list is the fact sheet's, not the connector's. */
#include "rig.h"
#include "connectors/connector.h"

enum expected {
    REJECTED,      /* the record is set aside with the code; a replay writes it when the cause is gone */
    PARKED,        /* it waits an hour and goes out by itself */
    RETRIED,       /* it waits a moment and goes out by itself */
    READ_BACK,     /* nobody knows: read back, then written or not */
    STOPS,         /* a person must change the set-up: no more writes in this run; all is as it was afterwards */
    SPLITS,        /* the request was refused, halves of it go out at once */
    CURED          /* renewed the token and sent again: nothing is to be seen but in the log */
};
static const struct { const char *cls, *state; } expects[] = {
    [REJECTED] = {"REJECTED", "REJECTED"}, [PARKED] = {"PARKED", "RETRY"}, [RETRIED] = {"RETRY", "RETRY"}, [READ_BACK] = {"AMBIGUOUS", "AMBIGUOUS"},
    [STOPS] = {"CONFIG", "DIRTY"}, [SPLITS] = {"SPLIT", "CLEAN"}, [CURED] = {"APPLIED", "CLEAN"}};

struct row_of_facts { const char *code; int status; const char *more; enum expected want; const char *says; };

/* One record of a request fails: 207, or 400 when all do. says: a piece of the cause that status shows. */
static const struct row_of_facts items[] = {
    {"INVALID_DATA", 0, ",\"details\":{\"maximum_length\":200}", REJECTED, "at most 200"},
    {"MANDATORY_NOT_FOUND", 0, "", REJECTED, "Account_Name"},
    {"DUPLICATE_DATA", 0, ",\"field\":\"Account_Number\",\"id\":\"4876876000000123456\"", REJECTED, "another record"},
    {"MULTIPLE_OR_MULTI_ERRORS", 0, ",\"details\":{\"errors\":[{\"code\":\"INVALID_DATA\",\"details\":{\"api_name\":\"Phone\"},\"message\":\"bad phone\",\"status\":\"error\"},"
                                    "{\"code\":\"MANDATORY_NOT_FOUND\",\"details\":{\"api_name\":\"Fax\"},\"message\":\"no fax\",\"status\":\"error\"}]}", REJECTED, "MANDATORY_NOT_FOUND on Fax"},
    {"DEPENDENT_FIELD_MISSING", 0, ",\"details\":{\"dependee\":{\"api_name\":\"Industry\"}}", REJECTED, ""},
    {"DEPENDENT_MISMATCH", 0, "", REJECTED, ""},
    {"EXPECTED_FIELD_MISSING", 0, ",\"details\":{\"expected_fields\":[\"Phone\"]}", REJECTED, ""},
    {"DEPENDENT_SERVICE_ERROR", 0, ",\"details\":{\"dependency_error\":\"PROCESSING_ERROR\"}", RETRIED, "PROCESSING_ERROR"},
    {"DEPENDENT_SERVICE_ERROR", 0, ",\"details\":{\"dependency_error\":\"NO_PERMISSION\"}", STOPS, ""},
    {"DEPENDENT_SERVICE_ERROR", 0, ",\"details\":{\"dependency_error\":\"LIMIT_EXCEEDED\"}", REJECTED, "LIMIT_EXCEEDED"},
    {"DEPENDENT_SERVICE_ERROR", 0, ",\"details\":{\"dependency_error\":\"CANNOT_PROCESS\"}", REJECTED, "CANNOT_PROCESS"},
    {"LIMIT_EXCEEDED", 0, ",\"details\":{\"limit\":5}", REJECTED, "limit 5"},
    {"LIMIT_REACHED", 0, ",\"details\":{\"limit\":5}", REJECTED, "limit 5"},
    {"UNABLE_TO_PARSE_DATA_TYPE", 0, "", REJECTED, ""},
    {"NO_PERMISSION", 0, ",\"details\":{\"permissions\":[\"Crm_Implied_Create_Accounts\"]}", STOPS, ""},
    {"RECORD_LOCKED", 0, "", PARKED, "locked"},
    {"NOT_APPROVED", 0, "", PARKED, "not approved"},
    {"NOT_REVIEWED", 0, "", PARKED, "not reviewed"},
    {"RECORD_IN_BLUEPRINT", 0, "", PARKED, "blue print"},
    {"CONVERTED_RECORD", 0, "", REJECTED, "converted"},
    {"ID_ALREADY_CONVERTED", 0, "", REJECTED, "converted"},
    {"DUPLICATE_LINKING_DATA", 0, "", REJECTED, ""},
    {"STORAGE_SPACE_EXCEEDED", 0, "", STOPS, ""},
    {"CANNOT_PROCESS", 0, "", REJECTED, ""},
    {"CANNOT_PERFORM_ACTION", 0, "", REJECTED, ""},
    {"TOO_MANY_REQUESTS", 0, "", RETRIED, ""},
    {"INTERNAL_ERROR", 0, "", READ_BACK, ""},
    {"A_CODE_OF_TOMORROW", 0, ",\"message\":\"brand new\"", REJECTED, "brand new"},
};

/* The whole request fails. */
static const struct row_of_facts requests[] = {
    {"INVALID_DATA", 400, "", SPLITS, ""},
    {"MANDATORY_NOT_FOUND", 400, "", SPLITS, ""},
    {"DEPENDENT_SERVICE_ERROR", 400, ",\"details\":{\"dependency_error\":\"PROCESSING_ERROR\"}", RETRIED, "PROCESSING_ERROR"},
    {"INVALID_MODULE", 400, ",\"details\":{\"resource_path_index\":0}", STOPS, ""},
    {"NOT_SUPPORTED", 400, ",\"message\":\"not supported for the current edition\"", STOPS, ""},
    {"FEATURE_NOT_SUPPORTED", 403, "", STOPS, ""},
    {"LIMIT_EXCEEDED", 400, ",\"details\":{\"limit\":100}", SPLITS, ""},
    {"LIMIT_REACHED", 400, "", SPLITS, ""},
    {"REQUIRED_PARAM_MISSING", 400, ",\"details\":{\"param_name\":\"data\"}", STOPS, ""},
    {"UNABLE_TO_PARSE_DATA_TYPE", 400, "", SPLITS, ""},
    {"NO_PERMISSION", 403, "", STOPS, ""},
    {"AUTHORIZATION_FAILED", 400, "", STOPS, ""},
    {"OAUTH_SCOPE_MISMATCH", 401, "", STOPS, ""},
    {"INVALID_TOKEN", 401, "", CURED, ""},
    {"AUTHENTICATION_FAILURE", 401, "", CURED, ""},
    {"INVALID_TOKEN", 401, ",\"times\":0", STOPS, ""},
    {"AUTHENTICATION_FAILURE", 401, ",\"times\":0", STOPS, ""},
    {"INVALID_URL_PATTERN", 404, "", STOPS, ""},
    {"INVALID_REQUEST_METHOD", 400, "", STOPS, ""},
    {"INVALID_REQUEST_METHOD", 405, "", STOPS, ""},
    {"ALREADY_MODIFIED", 412, "", READ_BACK, ""},
    {"STORAGE_SPACE_EXCEEDED", 400, "", STOPS, ""},
    {"CANNOT_PROCESS", 400, "", SPLITS, ""},
    {"CANNOT_PERFORM_ACTION", 400, "", SPLITS, ""},
    {"TOO_MANY_REQUESTS", 429, "", RETRIED, ""},
    {"RATE_LIMIT_EXCEEDED", 429, "", RETRIED, ""},
    {"INTERNAL_ERROR", 500, "", READ_BACK, ""},
    {"INTERNAL_SERVER_ERROR", 500, "", READ_BACK, ""},
    {"INTERNAL_SERVER_ERROR", 500, ",\"applied\":true", READ_BACK, ""},
    {"INTERNAL_SERVER_ERROR", 502, "", READ_BACK, ""},
    {"SERVICE_UNAVAILABLE", 503, "", READ_BACK, ""},
    {"FILE_TOO_LARGE", 413, "", SPLITS, ""},
    {"FILE_SIZE_MORE_THAN_ALLOWED_SIZE", 413, "", SPLITS, ""},
};

/* ---- what the log and status say ---- */
struct found { const char *cls, *code; int n; char key[80], last[700]; };
static void outcome_entry(void *ctx, struct str json)
{
    struct found *x = ctx;
    json_t *o = json_loadb(json.p, json.n, 0, NULL);
    const char *cls = json_string_value(json_object_get(o, "class")), *code = json_string_value(json_object_get(o, "code"));
    if (cls && strcmp(cls, "APPLIED") != 0) snprintf(x->last, sizeof x->last, "%.*s", (int)json.n, json.p);
    if (cls && strcmp(cls, x->cls) == 0 && (!x->code || (code && strcmp(code, x->code) == 0)) && x->n++ == 0)
        snprintf(x->key, sizeof x->key, "%s", json_string_value(json_object_get(o, "key")));
    json_decref(o);
}

static struct found log_has(struct rig *r, const char *kind, const char *cls, const char *code)
{
    struct view *v;
    struct found x = {cls, code, 0, "", ""};
    struct view_filter flt = {.kind = kind};
    if (view_open(&v, &r->world, rig_path(r, "state"), NULL, NULL, &r->f) != ERR_OK) return x;
    view_log(v, &flt, outcome_entry, &x, &r->f);
    view_close(v);
    return x;
}

/* Everything is as Sage says once the cause is gone; what was set aside is asked for. */
static void recovers(struct rig *r, const struct found *x, const struct row_of_facts *row, const char *name)
{
    struct engine *e;
    zoho_sim_faults_clear(r->zoho);
    sim_loop_advance(r->loop, INT64_C(61) * 60 * 1000);
    r->o.wait_ms = -1;
    if (row->want == REJECTED && rig_engine(r, &e) == ERR_OK) {
        engine_replay(e, NULL, str_of(x->key), false, false, "tester", &r->f);
        engine_close(e);
    }
    rig_done(r, name);
    rig_compare(r, name);
}

static void play(const struct row_of_facts *row, bool whole)
{
    struct rig r;
    char script[900], name[200];
    rig_open(&r, 8, 41);
    r.o.wait_ms = 0;
    snprintf(name, sizeof name, "%s %s%.60s", row->code, whole ? "whole" : "record", row->more);
    if (whole) snprintf(script, sizeof script, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"flat_400\",\"status\":%d,\"code\":\"%s\"%s}]", row->status,
                        row->code, row->more);
    else snprintf(script, sizeof script, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"partial\",\"index\":1,\"code\":\"%s\"%s}]", row->code, row->more);
    rig_zoho_fault(&r, script);
    enum err err = rig_once(&r);
    ok(err == ERR_OK && rig_counter(&r, "faults") > 0, name, "%s, %lld faults", r.f.text, (long long)rig_counter(&r, "faults"));
    bool other = strcmp(row->code, "DUPLICATE_DATA") == 0 && row->want == REJECTED;
    const char *logged = strcmp(row->code, "MULTIPLE_OR_MULTI_ERRORS") == 0 ? "INVALID_DATA" : row->code;       /* the weightiest of them */
    struct found x = log_has(&r, "OUTCOME", other ? "DUP_OTHER" : expects[row->want].cls, row->want == CURED ? NULL : logged);
    ok(x.n > 0, "the log has class and code", "%s, last %s", expects[row->want].cls, x.last);
    ok(whole == (x.n > 1) || row->want == CURED, whole ? "for every record of it" : "for this record alone", "%d", x.n);
    char why[400] = "";
    const char *state = rig_state(&r, x.key, why, sizeof why);
    ok(strcmp(state, expects[row->want].state) == 0, "the record's state", "%s instead of %s: %s", state, expects[row->want].state, why);
    if (row->want != SPLITS && row->want != CURED && row->want != STOPS)
        ok(rig_says(&r, state, logged, row->says), "status names the cause", "%s %s", state, why);
    if (row->want == STOPS) ok(rig_counter(&r, "insert") <= 2, "no more writes were tried", "%lld", (long long)rig_counter(&r, "insert"));
    if (row->want == CURED) ok(rig_counter(&r, "tokens_issued") == 2, "by one new token", "%lld", (long long)rig_counter(&r, "tokens_issued"));
    recovers(&r, &x, row, name);
    rig_close(&r);
}

/* ---- 3.4: the token endpoint; every one of them with status 200 ---- */
static void add_finding(void *ctx, const struct finding *f)
{
    char *text = ctx;
    size_t n = strlen(text);
    snprintf(text + n, 3000 - n, "%s|", f->text);
}

static void token_row(const char *error, const char *action, enum err want, const char *says)
{
    struct rig r;
    struct engine *e;
    char script[300], text[3000] = "";
    rig_open(&r, 8, 41);
    snprintf(script, sizeof script, "[{\"match\":{\"path\":\"/oauth/v2/token\"},\"do\":\"%s\",\"error\":\"%s\"}]", action, error);
    rig_zoho_fault(&r, script);
    enum err err = rig_engine(&r, &e);
    if (err == ERR_OK) {
        err = engine_check(e, &(struct finding_sink){add_finding, text}, &r.f);
        engine_close(e);
    }
    ok(err == want && (strstr(text, says) || strstr(r.f.text, says)), error, "%s: %s %s", err_name(err), r.f.text, text);
    sim_loop_advance(r.loop, INT64_C(11) * 60 * 1000);
    rig_done(&r, "and it works when the cause is gone");
    rig_compare(&r, error);
    rig_close(&r);
}

static void count_text(void *ctx, struct str json)
{
    struct found *x = ctx;
    x->n += memmem(json.p, json.n, x->code, strlen(x->code)) != NULL;
}

static void token_audit(const char *error, const char *action, const char *entry)
{
    struct rig r;
    struct view *v;
    char script[300];
    rig_open(&r, 8, 41);
    snprintf(script, sizeof script, "[{\"match\":{\"path\":\"/oauth/v2/token\"},\"do\":\"%s\",\"error\":\"%s\"}]", action, error);
    rig_zoho_fault(&r, script);
    rig_once(&r);
    struct found x = {.code = entry};
    struct view_filter flt = {.kind = "TOKEN"};
    if (view_open(&v, &r.world, rig_path(&r, "state"), NULL, NULL, &r.f) == ERR_OK) {
        view_log(v, &flt, count_text, &x, &r.f);
        view_close(v);
    }
    ok(x.n == 1, "the log says so", "%d entries with %s", x.n, entry);
    rig_close(&r);
}

static void test_token(void)
{
    static const struct { const char *error, *action, *says, *entry; enum err want; } rows[] = {
        {"invalid_client", "token_error", "data centre", "refused: invalid_client", ERR_AUTH},
        {"invalid_client_secret", "token_error", "client secret is wrong", "refused: invalid_client_secret", ERR_AUTH},
        {"invalid_code", "token_error", "revoked", "refused: invalid_code", ERR_AUTH},
        {"invalid_redirect_uri", "token_error", "self client", "refused: invalid_redirect_uri", ERR_AUTH},
        {"Access Denied", "token_throttled", "10 minutes", "too many token requests", ERR_BUSY},
        {"something_new", "token_error", "something_new", "refused: something_new", ERR_AUTH}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        token_row(rows[i].error, rows[i].action, rows[i].want, rows[i].says);
        token_audit(rows[i].error, rows[i].action, rows[i].entry);
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) play(&items[i], false);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) play(&requests[i], true);
    test_token();
    return ok_failures != 0;
}
