/* load_test.c - first loads by bulk write: as an insert would have left them, each record with an outcome of its own, none twice, whatever fails and
 * wherever the process dies. */
#include "rig.h"

#define LOAD_HEAD(settings)                                                                                                                            \
    "mlc 1\nspec \"rig\"\nimport sage100\nimport zoho_crm\n"                                                                                           \
    "source erp: sage100 { company = \"ABC\" agent = \"" SAGE_URL "\" token = secret(\"sage-agent\") timezone = \"America/Chicago\" }\n"                 \
    "target crm: zoho_crm { region = us accounts_url = \"" ZOHO_URL "\" edition = professional login = secret(\"zoho\") budget 40_000 per 1d\n"          \
    "  upload_url = \"" ZOHO_URL "\" " settings " }\n"                                                                                                 \
    "extend crm.Accounts { Sage_Customer: text(60) @unique\n"                                                                                          \
    "  Sage_Status: one of(\"Active\", \"Left\", \"Deleted\")  Credit_Status: one of(\"Good\", \"On hold\", \"Over limit\")  Payment_Terms: text(40) }\n"

static void open_load(struct rig *r, uint32_t customers, const char *head)
{
    rig_open(r, customers, 51);
    rig_spec(r, head, SPEC_FLOW);
}
static const char ALWAYS[] = LOAD_HEAD("bulk = always"), AUTO[] = LOAD_HEAD("bulk = auto");

static void test_load(void)
{
    struct rig r;
    open_load(&r, 700, ALWAYS);
    rig_done(&r, "a first load");
    ok(rig_counter(&r, "bulk_jobs") == 1 && rig_counter(&r, "insert") == 0, "goes out as one file", "%lld jobs, %lld inserts", (long long)rig_counter(&r, "bulk_jobs"),
       (long long)rig_counter(&r, "insert"));
    rig_compare(&r, "after a bulk write");
    ok(rig_log_count(&r, "BULK") == 2, "the log says when it began and ended", "%d", rig_log_count(&r, "BULK"));
    ok(r.r.inserted > 600, "each is counted", "%llu", (unsigned long long)r.r.inserted);
    const char *k = rig_customer(&r, 9);
    rig_edit(&r, k, "City", "Elsewhere");
    rig_done(&r, "a change afterwards");
    ok(rig_counter(&r, "updates") == 1 && rig_counter(&r, "bulk_jobs") == 1, "is an update of one record", "%lld", (long long)rig_counter(&r, "updates"));
    rig_compare(&r, "and later");
    rig_close(&r);
}

static void test_rejects(void)
{
    struct rig r;
    open_load(&r, 60, ALWAYS);
    rig_zoho_fault(&r, "[{\"match\":{\"method\":\"JOB\",\"path\":\"/bulk/Accounts\"},\"do\":\"partial\",\"index\":7,\"code\":\"INVALID_DATA\",\"field\":\"Billing_City\"}]");
    rig_once(&r);
    ok(r.r.failed == 1 && r.r.pending == 0, "one record of a load fails: one is set aside", "%llu failed, %llu pending", (unsigned long long)r.r.failed,
       (unsigned long long)r.r.pending);
    struct view *v;
    struct arena a;
    struct view_cause *causes = NULL;
    size_t n = 0;
    char key[120] = "";
    arena_init(&a, 0);
    if (view_open(&v, &r.world, rig_path(&r, "state"), NULL, NULL, &r.f) == ERR_OK) {
        view_causes(v, &a, &causes, &n, &r.f);
        ok(n == 1 && strstr(causes[0].why, "INVALID_DATA") && strstr(causes[0].why, "Billing_City"), "status names code and field", "%s", n ? causes[0].why : "none");
        if (n) snprintf(key, sizeof key, "%s", causes[0].example);
        view_close(v);
    }
    arena_free(&a);
    zoho_sim_faults_clear(r.zoho);
    struct engine *e;
    enum err err = rig_engine(&r, &e);
    if (err == ERR_OK) {
        err = engine_replay(e, NULL, str_of(key), false, false, "tester", &r.f);
        engine_close(e);
    }
    rig_done(&r, "replay brings it");
    rig_compare(&r, "after a reject in a load");
    rig_close(&r);
}

struct accident { const char *what, *script; };
static void failing_job(void *ctx) { zoho_sim_fail_jobs(((struct rig *)ctx)->zoho); }

static void test_accidents(void)
{
#define STRIKE(method, path, more) "[{\"match\":{\"method\":\"" method "\",\"path\":\"" path "\"}," more "}]"
    static const struct accident cases[] = {
        {"upload lost", STRIKE("POST", "/crm/v8/upload", "\"do\":\"drop_before\"")},
        {"upload refused", STRIKE("POST", "/crm/v8/upload", "\"do\":\"flat_400\",\"code\":\"INVALID_FILE_FORMAT\"")},
        {"upload: Zoho is down", STRIKE("POST", "/crm/v8/upload", "\"do\":\"503\",\"times\":9")},
        {"job's answer lost", STRIKE("POST", "/crm/bulk/v8/write", "\"do\":\"drop_after\"")},
        {"job's request lost", STRIKE("POST", "/crm/bulk/v8/write", "\"do\":\"drop_before\"")},
        {"job: 500, and made", STRIKE("POST", "/crm/bulk/v8/write", "\"do\":\"500\",\"applied\":true")},
        {"job: 500, not made", STRIKE("POST", "/crm/bulk/v8/write", "\"do\":\"500\"")},
        {"job refused", STRIKE("POST", "/crm/bulk/v8/write", "\"do\":\"flat_400\",\"code\":\"INVALID_FIELD\"")},
        {"job: 429", STRIKE("POST", "/crm/bulk/v8/write", "\"do\":\"429\"")},
        {"a look fails", STRIKE("GET", "/crm/bulk/v8/write", "\"do\":\"500\",\"times\":9")},
        {"a look times out", STRIKE("GET", "/crm/bulk/v8/write", "\"do\":\"timeout_before\"")},
        {"the job is not known", STRIKE("GET", "/crm/bulk/v8/write", "\"do\":\"404\",\"code\":\"RESOURCE_NOT_FOUND\"")},
        {"the result is cut", STRIKE("GET", "/v2/crm/", "\"do\":\"cut_body\"")},
        {"the result is rubbish", STRIKE("GET", "/v2/crm/", "\"do\":\"truncated_json\"")},
        {"the result is not there", STRIKE("GET", "/v2/crm/", "\"do\":\"404\",\"code\":\"RESOURCE_NOT_FOUND\"")},
        {"the token dies", STRIKE("GET", "/crm/bulk/v8/write", "\"do\":\"expire_token\"")},
        {"every record is refused", STRIKE("JOB", "/bulk/Accounts", "\"do\":\"partial\",\"all\":true,\"code\":\"CANNOT_PROCESS\"")},
        {"the job fails", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        open_load(&r, 60, ALWAYS);
        if (cases[i].script[0]) rig_zoho_fault(&r, cases[i].script);
        else sim_loop_at(r.loop, 30000, failing_job, &r);
        r.o.wait_ms = INT64_C(40) * 60 * 1000;
        rig_once(&r);
        zoho_sim_faults_clear(r.zoho);
        sim_loop_advance(r.loop, INT64_C(61) * 60 * 1000);
        struct engine *e;
        uint64_t released = 0;
        if (strcmp(cases[i].what, "every record is refused") == 0 && rig_engine(&r, &e) == ERR_OK) {
            struct arena a;
            struct str keys[100];
            size_t n = 0;
            json_t *dump = rig_dump(&r);
            (void)released;
            arena_init(&a, 0);
            for (int k = 0; k < 60; k++) {
                const char *c = rig_customer(&r, k);
                if (*c) keys[n++] = str_of(arena_printf(&a, "%s", rig_key(c)));
            }
            ok(json_array_size(dump) == 0, "nothing was made", "%zu", json_array_size(dump));
            json_decref(dump);
            for (size_t k = 0; k < n; k++) engine_replay(e, NULL, keys[k], false, false, "tester", &r.f);
            engine_close(e);
            arena_free(&a);
        }
        ok(rig_once(&r) == ERR_OK, cases[i].what, "%s", r.f.text);
        if (strcmp(cases[i].what, "every record is refused") != 0) rig_compare(&r, cases[i].what);
        int64_t writes = rig_writes(&r);
        rig_done(&r, "and a quiet poll ends");
        ok(rig_writes(&r) == writes, "and sends nothing", "%lld more", (long long)(rig_writes(&r) - writes));
        rig_close(&r);
    }
}

/* Rows that a job left out go out afterwards. */
static void test_left_out(void)
{
    struct rig r;
    open_load(&r, 60, ALWAYS);
    zoho_sim_switch(r.zoho, "bulk_unprocessed", 7);
    rig_done(&r, "a job that leaves rows out");
    rig_compare(&r, "left out by the job");
    rig_close(&r);
}

/* ---- dying at every request ---- */
struct dying { struct rig *r; int at, n; bool died; };

static void die(void *ctx, const struct http_req *req, struct sim_response *resp)
{
    struct dying *d = ctx;
    char command[900];
    (void)req, (void)resp;
    if (d->died || ++d->n < d->at) return;
    d->died = true;
    /* From here on the old process may do what it likes: nobody hears it, and what it writes is thrown away. */
    snprintf(command, sizeof command, "rm -rf '%s/kept' && cp -r '%s/state' '%s/kept'", d->r->dir, d->r->dir, d->r->dir);
    if (system(command) != 0) abort();
    sim_loop_down(d->r->loop, ZOHO_URL, true);
    sim_loop_down(d->r->loop, SAGE_URL, true);
}

static bool die_at(int at)
{
    struct rig r;
    char name[80], command[900];
    open_load(&r, 60, ALWAYS);
    struct dying d = {&r, at, 0, false};
    sim_loop_watch(r.loop, die, &d);
    r.o.wait_ms = 1000;
    rig_once(&r);
    sim_loop_watch(r.loop, NULL, NULL);
    snprintf(name, sizeof name, "killed at request %d", at);
    if (d.died) {
        snprintf(command, sizeof command, "rm -rf '%s/state' && mv '%s/kept' '%s/state'", r.dir, r.dir, r.dir);
        if (system(command) != 0) abort();
        sim_loop_down(r.loop, ZOHO_URL, false);
        sim_loop_down(r.loop, SAGE_URL, false);
        sim_loop_advance(r.loop, 20000);
        r.o.wait_ms = INT64_C(30) * 60 * 1000;
        rig_done(&r, name);
        rig_compare(&r, name);
        ok(rig_counter(&r, "bulk_jobs") <= 2, "at most one job more", "%lld", (long long)rig_counter(&r, "bulk_jobs"));
    }
    rig_close(&r);
    return d.died;
}

static void test_kills(void)
{
    int at = 1;
    while (at < 60 && die_at(at)) at++;
    ok(at > 9 && at < 60, "killed at each request", "%d", at);
}

/* ---- which way ---- */
struct told { char text[600]; };
static void hear_plan(void *ctx, const struct plan_change *c)
{
    struct told *t = ctx;
    if (strcmp(c->what, "load") == 0) snprintf(t->text, sizeof t->text, "%.*s: %.*s", (int)c->key.n, c->key.p, (int)c->why.n, c->why.p);
}

static void plan_says(const char *name, const char *head, uint32_t customers, const char *a, const char *b)
{
    struct rig r;
    struct told told = {""};
    struct plan_totals t;
    struct engine *e;
    open_load(&r, customers, head);
    enum err err = rig_engine(&r, &e);
    if (err == ERR_OK) {
        err = engine_plan(e, hear_plan, &told, &t, &r.f);
        engine_close(e);
    }
    ok(err == ERR_OK && strstr(told.text, a) && strstr(told.text, b), name, "%s %s", r.f.text, told.text);
    rig_close(&r);
}

static void test_choice(void)
{
    struct rig r;
    plan_says("plan tells both ways", AUTO, 1200, "credits, about", "It will go by inserts: inserts cost no more credits");
    plan_says("and which one it will be", ALWAYS, 1200, "by bulk write", "It will go by bulk write");
    plan_says("and that it is switched off", LOAD_HEAD("bulk = never"), 1200, "switched off", "inserts");
    open_load(&r, 80, AUTO);
    rig_done(&r, "a small table");
    ok(rig_counter(&r, "bulk_jobs") == 0 && rig_counter(&r, "insert") > 0, "goes out as inserts", "%lld", (long long)rig_counter(&r, "bulk_jobs"));
    rig_compare(&r, "a small table");
    rig_close(&r);
    rig_open(&r, 80, 51);
    char flow[2000];
    snprintf(flow, sizeof flow, "%s", SPEC_FLOW);
    char *brace = strstr(flow, "{\n");
    char with[2300];
    snprintf(with, sizeof with, "%.*s{\n  trigger workflow\n%s", (int)(brace - flow), flow, brace + 2);
    if (rig_spec(&r, ALWAYS, with)) {
        rig_done(&r, "a flow that runs workflows");
        ok(rig_counter(&r, "bulk_jobs") == 0, "is not loaded by a way that runs none", "%lld", (long long)rig_counter(&r, "bulk_jobs"));
        rig_compare(&r, "with workflows");
    }
    rig_close(&r);
}

int main(void)
{
    test_load();
    test_rejects();
    test_accidents();
    test_left_out();
    test_kills();
    test_choice();
    return ok_failures != 0;
}
