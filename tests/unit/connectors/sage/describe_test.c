/* The schema of an installation as the lock file has it: columns, lines, tables that the agent lacks, answers that are none. */
#include "rig.h"

static const struct source_ops *ops = &sage_source_ops;

struct seen { unsigned n, missing; char text[6000]; };

static void on_entity(void *ctx, const struct described_entity *e)
{
    struct seen *s = ctx;
    s->n++;
    s->missing += e->missing;
    size_t at = strlen(s->text);
    at += (size_t)snprintf(s->text + at, sizeof s->text - at, "%.*s/%zu%s:", (int)e->name.n, e->name.p, e->nkeys, e->unstamped ? " unstamped" : "");
    for (size_t i = 0; i < e->nfields && at < sizeof s->text - 1; i++) {
        const struct described_field *d = &e->fields[i];
        at += (size_t)snprintf(s->text + at, sizeof s->text - at, " %.*s=%s,%lld,%u,%u%s", (int)d->name.n, d->name.p, d->type, (long long)d->length, d->digits, d->scale,
                               d->custom ? ",custom" : "");
    }
}

static enum err describe(struct rig *r, const struct source_query *q, size_t n, struct seen *s)
{
    struct describe_sink sink = {on_entity, s};
    memset(s, 0, sizeof *s);
    return ops->describe(r->s, q, n, &sink, &r->f);
}

static void installation(void)
{
    struct rig r;
    struct seen s;
    rig_begin("describe: an installation");
    rig_agent(&r, 5);
    struct source_query q[] = {rig_customers(), rig_customers()};
    q[1].entity = STR("SO_SalesOrderHeader");
    CHECK(describe(&r, q, 1, &s) == ERR_OK && s.n == 1, "%s", r.f.text);
    CHECK(strstr(s.text, "AR_Customer/2:") && strstr(s.text, " CustomerName=text,50,0,0") && strstr(s.text, " CreditLimit=decimal,0,13,2"), "%s", s.text);
    CHECK(describe(&r, q, 2, &s) == ERR_OK && s.n == 3 && strstr(s.text, "SO_SalesOrderDetail/1 unstamped:"), "%u: %s", s.n, s.text);
    sim_loop_down(r.loop, AGENT_URL, true);
    CHECK(describe(&r, q, 1, &s) == ERR_UNREACHABLE && s.n == 0, "%s", r.f.text);
    rig_use_soap_only(&r);
    rig_reopen(&r);
    CHECK(describe(&r, q, 1, &s) == ERR_UNSUPPORTED && strstr(r.f.text, "agent"), "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void answers(void)
{
    static const struct { int status; const char *body; enum err want; const char *text; } cases[] = {
        {404, "{\"error\":{\"code\":\"unknown_resource\",\"message\":\"not here\"}}", ERR_OK, "AR_Customer/0:"},
        {404, "{\"error\":{\"code\":\"unknown_company\",\"message\":\"not here\"}}", ERR_CONFIG, ""},
        {404, "<html>", ERR_PROTOCOL, ""},
        {200, "[]", ERR_PROTOCOL, ""},
        {200, "{\"columns\":[],\"key\":[\"A\"]}", ERR_PROTOCOL, ""},
        {200, "{\"columns\":[{\"name\":\"A\",\"type\":\"string\",\"length\":2}],\"key\":[]}", ERR_PROTOCOL, ""},
        {200, "{\"columns\":[{\"type\":\"string\",\"length\":2}],\"key\":[\"A\"]}", ERR_PROTOCOL, ""},
        {200, "{\"columns\":[{\"name\":\"A\",\"type\":\"string\",\"length\":2}],\"key\":[7]}", ERR_PROTOCOL, ""},
        {200, "{\"columns\":[{\"name\":\"A\",\"type\":\"string\",\"length\":2},{\"name\":\"UDF_B\",\"type\":\"number\",\"length\":99,\"scale\":2},"
              "{\"name\":\"C\",\"type\":\"number\",\"length\":3,\"scale\":5},{\"name\":\"D\",\"type\":\"blob\"},{\"name\":\"E\",\"type\":\"date\",\"udf\":true},"
              "{\"name\":\"F\",\"type\":\"string\",\"length\":0}],\"key\":[\"A\"],\"audit\":false,\"lines\":null}", ERR_OK,
         "AR_Customer/1 unstamped: A=text,2,0,0 UDF_B=other,0,0,0,custom C=other,0,0,0 D=other,0,0,0 E=date,0,0,0,custom F=other,0,0,0"},
    };
    struct rig r;
    struct seen s;
    rig_begin("describe: answers of all sorts");
    rig_agent(&r, 5);
    struct source_query q = rig_customers();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct canned c = {.status = cases[i].status, .body = cases[i].body, .len = strlen(cases[i].body), .type = "application/json"};
        rig_canned(&r, &c);
        enum err e = describe(&r, &q, 1, &s);
        CHECK(e == cases[i].want && strcmp(s.text, cases[i].text) == 0, "case %zu: %d %s: %s", i, (int)e, s.text, r.f.text);
        CHECK(s.missing == (i == 0), "case %zu: missing", i);
    }
    rig_close(&r);
    rig_end();
}

int main(void)
{
    installation();
    answers();
    return rig_exit();
}
