/* The probe: one line per step, the right one wrong, and a way out in it. */
#include "rig.h"

static const struct source_ops *ops = &sage_source_ops;

struct lines { char text[60][700]; enum finding_level level[60]; size_t n; };
static void add(void *ctx, const struct finding *f)
{
    struct lines *l = ctx;
    if (l->n == 60) return;
    l->level[l->n] = f->level;
    snprintf(l->text[l->n++], sizeof l->text[0], "%s: %s", f->what, f->text);
}

static bool has(const struct lines *l, enum finding_level level, const char *start, const char *part)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->level[i] == level && strncmp(l->text[i], start, strlen(start)) == 0 && strstr(l->text[i], part)) return true;
    return false;
}

static const char *all(const struct lines *l)
{
    static char text[6000];
    size_t n = 0;
    for (size_t i = 0; i < l->n && n < sizeof text - 1; i++) n += (size_t)snprintf(text + n, sizeof text - n, "[%d] %s | ", (int)l->level[i], l->text[i]);
    return text;
}

static unsigned count(const struct lines *l, enum finding_level level)
{
    unsigned n = 0;
    for (size_t i = 0; i < l->n; i++) n += l->level[i] == level;
    return n;
}

static enum err probe(struct rig *r, const struct source_query *q, size_t nq, struct lines *l)
{
    struct finding_sink sink = {add, l};
    memset(l, 0, sizeof *l);
    return ops->probe(r->s, q, nq, &sink, &r->f);
}

static struct lines l;

static void all_well(void)
{
    struct rig r;
    rig_begin("agent: all well");
    rig_agent(&r, 60);
    struct source_query q = rig_customers();
    CHECK(probe(&r, &q, 1, &l) == ERR_OK && count(&l, FINDING_FAIL) == 0 && count(&l, FINDING_WARN) == 0, "%s", all(&l));
    static const char *const steps[] = {"agent reach", "agent tls", "token", "protocol", "clock", "company ABC", "table AR_Customer", "columns of AR_Customer"};
    for (size_t i = 0; i < 8; i++) CHECK(has(&l, FINDING_OK, steps[i], ""), "%s in %s", steps[i], all(&l));
    CHECK(probe(&r, NULL, 0, &l) == ERR_OK && has(&l, FINDING_OK, "company ABC", ""), "without queries: %s", all(&l));
    rig_close(&r);
    rig_end();
}

static void columns(void)
{
    struct rig r;
    rig_begin("agent: columns against the live schema");
    rig_agent(&r, 60);
    static struct source_column c[6];
    c[0] = (struct source_column){STR("NoSuchColumn"), rig_text(5), false};
    c[1] = (struct source_column){STR("CustomerName"), rig_text(30), false};
    c[2] = (struct source_column){STR("CreditLimit"), rig_text(30), false};
    c[3] = (struct source_column){STR("CurrentBalance"), rig_number(6, 0), false};
    c[4] = (struct source_column){STR("City"), rig_number(6, 0), false};
    c[5] = (struct source_column){STR("UDF_NOT_HERE"), rig_text(5), true};
    struct source_query q = rig_customers();
    q.columns = c;
    q.ncolumns = 6;
    CHECK(probe(&r, &q, 1, &l) == ERR_CONFIG && count(&l, FINDING_FAIL) == 2 && count(&l, FINDING_WARN) == 4, "%s", all(&l));
    CHECK(has(&l, FINDING_FAIL, "column AR_Customer.NoSuchColumn", "does not exist"), "%s", all(&l));
    CHECK(has(&l, FINDING_WARN, "column AR_Customer.CustomerName", "50 characters"), "%s", all(&l));
    CHECK(has(&l, FINDING_WARN, "column AR_Customer.CreditLimit", "is a number"), "%s", all(&l));
    CHECK(has(&l, FINDING_WARN, "column AR_Customer.CurrentBalance", "decimals"), "%s", all(&l));
    rig_close(&r);
    rig_end();
}

static void troubles(void)
{
    struct rig r;
    struct source_query q = rig_customers(), other = rig_customers();
    rig_begin("agent: no host, wrong token, clock, company, table");
    rig_agent(&r, 60);
    sim_loop_down(r.loop, AGENT_URL, true);
    CHECK(probe(&r, &q, 1, &l) == ERR_UNREACHABLE && has(&l, FINDING_FAIL, "agent reach", "firewall"), "%s", all(&l));
    sim_loop_down(r.loop, AGENT_URL, false);
    sim_loop_private_ca(r.loop, AGENT_URL, "/elsewhere/ca.pem");
    sim_loop_advance(r.loop, 600000);
    CHECK(probe(&r, &q, 1, &l) == ERR_UNREACHABLE && has(&l, FINDING_OK, "agent reach", "") && has(&l, FINDING_FAIL, "agent tls", "trust = file"), "%s", all(&l));
    sim_loop_private_ca(r.loop, AGENT_URL, NULL);
    sim_loop_advance(r.loop, 600000);
    sage_sim_shift_clock(r.sage, -400000);
    CHECK(probe(&r, &q, 1, &l) == ERR_OK && has(&l, FINDING_WARN, "clock", "400 s behind"), "%s", all(&l));
    sage_sim_do(r.sage, "{\"do\":\"opens\",\"opens\":false,\"error\":\"period end\"}", NULL);
    CHECK(probe(&r, &q, 1, &l) == ERR_PERMISSION && has(&l, FINDING_FAIL, "company ABC", "cannot open"), "%s", all(&l));
    sage_sim_do(r.sage, "{\"do\":\"opens\",\"opens\":true}", NULL);
    other.company = STR("XYZ");
    struct source_query two[2] = {q, other};
    CHECK(probe(&r, two, 2, &l) == ERR_CONFIG && has(&l, FINDING_FAIL, "company XYZ", "no such company") && has(&l, FINDING_OK, "company ABC", ""), "%s", all(&l));
    sage_sim_do(r.sage, "{\"do\":\"access\",\"resource\":\"customers\",\"audit\":false}", NULL);
    CHECK(probe(&r, &q, 1, &l) == ERR_OK && has(&l, FINDING_WARN, "table AR_Customer", "no stamps"), "%s", all(&l));
    sage_sim_do(r.sage, "{\"do\":\"access\",\"resource\":\"customers\",\"lacking\":true}", NULL);
    CHECK(probe(&r, &q, 1, &l) == ERR_UNSUPPORTED && has(&l, FINDING_FAIL, "table AR_Customer", "does not serve this table"), "%s", all(&l));
    rig_set(&r, "token", "wrong");
    rig_reopen(&r);
    CHECK(probe(&r, &q, 1, &l) == ERR_AUTH && has(&l, FINDING_FAIL, "token", "refuses the token") && has(&l, FINDING_OK, "agent tls", ""), "%s", all(&l));
    rig_close(&r);
    rig_end();
}

static void other_server(void)
{
    static const struct { const char *name, *body; } cases[] = {
        {"a web page", "<html></html>"}, {"another protocol", "{\"protocol\":2}"}, {"another service", "{\"status\":\"up\"}"}};
    for (size_t i = 0; i < 3; i++) {
        struct rig r;
        struct canned c = {.status = 200, .body = cases[i].body};
        struct source_query q = rig_customers();
        rig_begin(cases[i].name);
        rig_world(&r);
        rig_canned(&r, &c);
        rig_open(&r);
        CHECK(probe(&r, &q, 1, &l) == ERR_PROTOCOL && has(&l, FINDING_FAIL, "protocol", "version"), "%s", all(&l));
        rig_close(&r);
        rig_end();
    }
}

static void over_soap(void)
{
    struct rig r;
    struct sage_sim_options o;
    struct source_query q = rig_customers();
    rig_begin("soap: all well, then column, right, password, names, host");
    rig_world(&r);
    rig_use_soap_only(&r);
    sage_sim_options_default(&o);
    o.customers = 60;
    rig_model(&r, &o);
    rig_open(&r);
    CHECK(probe(&r, &q, 1, &l) == ERR_OK && count(&l, FINDING_FAIL) == 0, "%s", all(&l));
    static const char *const steps[] = {"soap reach", "soap tls", "soap names", "soap contract", "soap sign-in, GetCustomer", "columns of AR_Customer"};
    for (size_t i = 0; i < 6; i++) CHECK(has(&l, FINDING_OK, steps[i], ""), "%s in %s", steps[i], all(&l));
    CHECK(has(&l, FINDING_WARN, "keys of AR_Customer", "cannot list"), "%s", all(&l));
    static struct source_column c[1];
    c[0] = (struct source_column){STR("DateUpdatedX"), rig_text(5), false};
    q.columns = c;
    q.ncolumns = 1;
    CHECK(probe(&r, &q, 1, &l) == ERR_CONFIG && has(&l, FINDING_FAIL, "column AR_Customer.DateUpdatedX", "via agent"), "%s", all(&l));
    q = rig_customers();
    sage_sim_do(r.sage, "{\"do\":\"settings\",\"no_access\":[\"GetCustomer\"]}", NULL);
    CHECK(probe(&r, &q, 1, &l) == ERR_PERMISSION && has(&l, FINDING_FAIL, "soap sign-in", "Role Maintenance"), "%s", all(&l));
    sage_sim_do(r.sage, "{\"do\":\"settings\",\"no_access\":[]}", NULL);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "wsdl", .kind = "status", .status = 404});
    CHECK(probe(&r, &q, 1, &l) == ERR_OK && has(&l, FINDING_WARN, "soap names", "default names"), "%s", all(&l));
    sim_loop_down(r.loop, AGENT_URL, true);
    CHECK(probe(&r, &q, 1, &l) == ERR_UNREACHABLE && has(&l, FINDING_FAIL, "soap reach", ""), "%s", all(&l));
    sim_loop_down(r.loop, AGENT_URL, false);
    rig_set(&r, "login", "websvc\nwrong");
    rig_reopen(&r);
    CHECK(probe(&r, &q, 1, &l) == ERR_AUTH && has(&l, FINDING_FAIL, "soap sign-in", "User Maintenance"), "%s", all(&l));
    rig_close(&r);
    rig_end();
}

int main(void)
{
    all_well();
    columns();
    troubles();
    other_server();
    over_soap();
    return rig_exit();
}
