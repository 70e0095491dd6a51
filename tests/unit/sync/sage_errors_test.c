/* sage_errors_test.c - every row of the tables of errors in facts/sage-100.md (9.7 the agent, 3.5 eBusiness Web Services), made by the model and met by a whole
 * run: how the run ends, what the audit log says, what status says, and that all is well once the cause is gone. The lists are the fact sheet's, not the
 * connector's. */
#include "rig.h"

/* ---- what the log and status say ---- */
struct found { const char *text; int n; };
static void count_text(void *ctx, struct str json)
{
    struct found *x = ctx;
    x->n += memmem(json.p, json.n, x->text, strlen(x->text)) != NULL;
}

static int log_has(struct rig *r, const char *kind, const char *text)
{
    struct view *v;
    struct found x = {text, 0};
    struct view_filter flt = {.kind = kind};
    if (view_open(&v, &r->world, rig_path(r, "state"), NULL, NULL, &r->f) != ERR_OK) return -1;
    view_log(v, &flt, count_text, &x, &r->f);
    view_close(v);
    return x.n;
}

/* What status says of the flow: the last pass's trouble, and how many keys are in use in Sage. */
static void flow_says(struct rig *r, char *trouble, size_t len, unsigned *locked)
{
    struct view *v;
    struct flow_state st;
    struct fault f;
    trouble[0] = '\0';
    *locked = 0;
    if (view_open(&v, &r->world, rig_path(r, "state"), NULL, NULL, &f) != ERR_OK) return;
    if (store_flow(view_store(v), STR("customers"), &st)) {
        snprintf(trouble, len, "%.*s", (int)st.trouble.n, st.trouble.n ? st.trouble.p : "");
        *locked = (unsigned)st.locked;
    }
    view_close(v);
}

static void recovers(struct rig *r, const char *name)
{
    char trouble[300];
    unsigned locked;
    sage_sim_clear_faults(r->sage);
    sim_loop_advance(r->loop, INT64_C(61) * 60 * 1000);
    r->o.wait_ms = -1;
    rig_done(r, name);
    rig_compare(r, name);
    flow_says(r, trouble, sizeof trouble, &locked);
    ok(trouble[0] == '\0' && locked == 0, "status has forgotten it", "%s, %u locked", trouble, locked);
}

/* ---- 9.7 ---- */
/* Codes that end the pass. repeated: by the rules of 9.7 the engine asks again first, which the log tells. */
static const struct { const char *code; enum err err; bool repeated; const char *advice; } passes[] = {
    {"bad_request", ERR_PROTOCOL, false, "versions of agent and engine"},
    {"unauthorized", ERR_AUTH, false, "token"},
    {"no_task_access", ERR_PERMISSION, false, "Role Maintenance"},
    {"unknown_company", ERR_CONFIG, false, "`company`"},
    {"unknown_resource", ERR_UNSUPPORTED, false, "update the agent"},
    {"exists", ERR_PROTOCOL, false, "reserved for writes"},
    {"invalid", ERR_PROTOCOL, false, "reserved for writes"},
    {"slow_down", ERR_BUSY, true, "queue is full"},
    {"session_failed", ERR_BUSY, true, "session broke"},
    {"busy", ERR_BUSY, true, "licences"},
};

static void pass_row(size_t i)
{
    struct rig r;
    char trouble[300];
    unsigned locked;
    rig_open(&r, 8, 51);
    r.o.wait_ms = 0;
    struct sage_fault fault = {.on = "changed", .kind = "status", .code = passes[i].code, .message = "said Sage"};
    sage_sim_fault(r.sage, &fault);
    enum err err = rig_once(&r);
    ok(err == passes[i].err && strstr(r.f.text, passes[i].advice) && strstr(r.f.text, "said Sage"), passes[i].code, "%s: %s", err_name(err), r.f.text);
    ok(log_has(&r, "ALARM", err_name(passes[i].err)) == 1 && log_has(&r, "ALARM", "customers") == 1, "the log has an alarm of the flow with its class", "%d", log_has(&r, "ALARM", ""));
    ok((log_has(&r, "CALL", "agent") > 0) == passes[i].repeated, passes[i].repeated ? "and each repeat" : "nothing was repeated", "%d", log_has(&r, "CALL", "agent"));
    flow_says(&r, trouble, sizeof trouble, &locked);
    ok(strstr(trouble, passes[i].code) && strstr(trouble, passes[i].advice), "status says what is wrong and what to do", "%s", trouble);
    ok(rig_writes(&r) == 0, "nothing was written", "%lld", (long long)rig_writes(&r));
    recovers(&r, passes[i].code);
    rig_close(&r);
}

/* 410: the cursor is void; a full pass, in the same run, and nothing is written twice. */
static void cursor_row(void)
{
    struct rig r;
    rig_open(&r, 8, 52);
    rig_done(&r, "first load");
    int64_t writes = rig_writes(&r);
    struct sage_fault fault = {.on = "changed", .kind = "status", .code = "cursor_expired", .times = 1};
    sage_sim_fault(r.sage, &fault);
    ok(rig_once(&r) == ERR_OK && r.r.rows >= 8 && rig_writes(&r) == writes, "cursor_expired", "%s, %llu rows", r.f.text, (unsigned long long)r.r.rows);
    ok(log_has(&r, "POLL_END", "full") == 2, "the log has the full pass", "%d", log_has(&r, "POLL_END", "full"));
    recovers(&r, "cursor_expired");
    rig_close(&r);
}

/* 404 not_found of one key: the record is gone, and only that. */
static void missing_row(void)
{
    struct rig r;
    rig_open(&r, 8, 53);
    rig_done(&r, "first load");
    const char *k = rig_customer(&r, 1);
    sage_sim_delete(r.sage, "ABC", "customers", k);
    sim_loop_advance(r.loop, INT64_C(25) * 3600 * 1000);
    rig_done(&r, "the sweep asks for it: not_found");
    ok(strcmp(rig_state(&r, rig_key(k), NULL, 0), "GONE") == 0, "not_found", "%s", rig_state(&r, rig_key(k), NULL, 0));
    ok(log_has(&r, "GONE", "customers") == 1, "the log has it", "%d", log_has(&r, "GONE", ""));
    rig_close(&r);
}

/* 423 of one record: asked again and again, nothing waits for it. */
static void locked_row(void)
{
    struct rig r;
    char trouble[300];
    unsigned locked;
    rig_open(&r, 8, 54);
    r.o.wait_ms = 0;
    const char *k = rig_customer(&r, 2);
    sage_sim_lock(r.sage, "ABC", "customers", k, 0, INT64_C(30) * 60 * 1000);
    ok(rig_once(&r) == ERR_OK && rig_writes(&r) >= 5, "locked", "%s, %lld writes", r.f.text, (long long)rig_writes(&r));
    ok(log_has(&r, "LOCKED", "customers") > 0, "the log has it", "%d", log_has(&r, "LOCKED", ""));
    flow_says(&r, trouble, sizeof trouble, &locked);
    ok(locked == 1 && !trouble[0], "status counts it, the flow is well", "%u %s", locked, trouble);
    recovers(&r, "locked");
    rig_close(&r);
}

/* ---- 3.5 ---- */
static void soap_rig(struct rig *r, uint64_t seed)
{
    char head[1200], keys[1000] = "ARDivisionNo,CustomerNo\n";
    rig_open(r, 8, seed);
    for (int i = 0; i < 4; i++) {
        const char *k = rig_customer(r, i), *tilde = strchr(k, '~');
        size_t n = strlen(keys);
        snprintf(keys + n, sizeof keys - n, "%.*s,\"%s\"\n", (int)(tilde - k), k, tilde + 1);
    }
    rig_write(r, "keys.csv", keys, strlen(keys));
    rig_secret(r, "sage", "websvc\nwebsvc-password");
    const char *rest = strstr(SPEC_HEAD, "target crm");
    snprintf(head, sizeof head,
             "mlc 1\nspec \"rig\"\nimport sage100\nimport zoho_crm\n"
             "source erp: sage100 { company = \"ABC\" soap = \"" SAGE_URL "/ebusinesswebservices/MasService.svc\" login = secret(\"sage\") timezone = \"America/Chicago\"\n"
             "  keys = file(\"%s\")  retry locked { attempts = 3 delay = 250ms..30s } }\n%s",
             rig_path(r, "keys.csv"), rest);
    char flow[1400];
    snprintf(flow, sizeof flow, "%s", SPEC_FLOW);
    char *at = strstr(flow, "from erp.AR_Customer");
    snprintf(flow, sizeof flow, "%.*sfrom erp.AR_Customer via soap%s", (int)(at - flow), SPEC_FLOW, strstr(SPEC_FLOW, "from erp.AR_Customer") + strlen("from erp.AR_Customer"));
    rig_spec(r, head, flow);
}

enum soap_end { ENDS, SET_ASIDE, PASSED_OVER, IN_USE };
static const struct { const char *code, *message; enum soap_end end; enum err err; const char *says; } soaps[] = {
    {"CI_NoKey", "The record does not exist.", PASSED_OVER, ERR_OK, ""},
    {"CI_NOF", "The ZIP Code is not on file.", SET_ASIDE, ERR_OK, "not on file"},
    {"CI_CharLength", "The Default Payment Type is greater than 5 character(s)", SET_ASIDE, ERR_OK, "greater than 5"},
    {"WS_AlreadyExists", "The record already exists.", ENDS, ERR_PROTOCOL, "WS_AlreadyExists"},
    {"No Access", "you are not authorized to perform this action", ENDS, ERR_PERMISSION, "Role Maintenance"},
    {"WS_Logon", "Logon failure: The user logon or password does not match or the user logon is not enabled for web services.", ENDS, ERR_AUTH, "User Maintenance"},
    {"CI_NOF", "The company code is not on file.", ENDS, ERR_CONFIG, "Company Maintenance"},
    {"CI_Locked", "The record is in use by another user and is locked.", IN_USE, ERR_OK, ""},
    {"", "An exception occurred.", ENDS, ERR_BUSY, "Windows Event Log"},
};

static void soap_row(size_t i)
{
    struct rig r;
    char trouble[300];
    unsigned locked;
    soap_rig(&r, 60 + i);
    r.o.wait_ms = 0;
    bool exception = soaps[i].code[0] == '\0';
    struct sage_fault fault = {.on = "GetCustomer", .kind = exception ? "exception" : "soap_fault", .code = soaps[i].code, .message = soaps[i].message,
                               .times = soaps[i].end == ENDS ? 0 : 1};
    sage_sim_fault(r.sage, &fault);
    enum err err = rig_once(&r);
    ok(err == soaps[i].err && (err == ERR_OK || strstr(r.f.text, soaps[i].says)), soaps[i].message, "%s: %s", err_name(err), r.f.text);
    flow_says(&r, trouble, sizeof trouble, &locked);
    if (soaps[i].end == ENDS) {
        ok(log_has(&r, "ALARM", err_name(soaps[i].err)) == 1, "the log has an alarm with its class", "%d", log_has(&r, "ALARM", ""));
        ok(strstr(trouble, soaps[i].says) != NULL, "status says what to do", "%s", trouble);
    } else if (soaps[i].end == SET_ASIDE) {
        ok(log_has(&r, "REJECT", "customers") == 1 && r.r.rejected == 1, "the log has the record that is set aside", "%d", log_has(&r, "REJECT", ""));
        ok(rig_says(&r, "REJECTED", "", soaps[i].says), "status gives Sage's own words", "%s", soaps[i].says);
    } else if (soaps[i].end == IN_USE) {
        ok(log_has(&r, "LOCKED", "customers") > 0, "the log has the key that is in use", "%d", log_has(&r, "LOCKED", ""));
    } else {
        ok(rig_counter(&r, "inserts") == 3 && locked == 0, "the three others arrive", "%lld", (long long)rig_counter(&r, "inserts"));
    }
    sage_sim_clear_faults(r.sage);
    sim_loop_advance(r.loop, INT64_C(61) * 60 * 1000);
    r.o.wait_ms = -1;
    rig_done(&r, "it works when the cause is gone");
    json_t *dump = rig_dump(&r);
    ok(json_array_size(dump) == 4, "all four are there, once", "%zu", json_array_size(dump));
    json_decref(dump);
    flow_says(&r, trouble, sizeof trouble, &locked);
    ok(trouble[0] == '\0' && locked == 0, "status has forgotten it", "%s, %u locked", trouble, locked);
    rig_close(&r);
}

int main(void)
{
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) pass_row(i);
    cursor_row();
    missing_row();
    locked_row();
    for (size_t i = 0; i < sizeof soaps / sizeof *soaps; i++) soap_row(i);
    return ok_failures != 0;
}
