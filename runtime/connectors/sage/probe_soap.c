/* probe_soap.c - the SOAP door step by step: reach, TLS, names, contract version, sign-in and right per operation and company. The sign-in is
 * tried by reading a record that cannot exist: "no such key" proves user, company and right at once, and nothing is changed. */
#include "connectors/sage/key_file.h"
#include "connectors/sage/soap.h"
#include <stdio.h>

static void failed(struct sage_probe *p, const char *what, enum err e, const struct fault *f)
{
    if (p->worst == ERR_OK) p->worst = e;
    sage100__probe_say(p, FINDING_FAIL, p->s->last.elapsed_ms, what, "%s", f->text);
}

static bool check_contract(struct sage_probe *p)
{
    struct fault f;
    struct soap_reply reply;
    struct source *s = p->s;
    const struct sage_soap_contract *c;
    sage100__soap_contract_drop(s);
    s->last = (struct sage_last){HTTP_NOT_SENT, 0, -1, -1, 0};
    enum err e = sage100__soap_contract(s, &c, &f);
    if (e == ERR_OK) {
        struct arena_mark m = arena_mark(&s->scratch);
        const char *origin = c->origin;
        struct sage_last wsdl = s->last;
        bool from_wsdl = c->from_wsdl;
        e = sage100__soap_call(s, SOAP_CONTRACT, conn_setting(&s->env, "company"), NULL, &reply, &f);
        if (e == ERR_OK) {
            sage100__probe_say(p, FINDING_OK, s->last.connect_ms, "soap reach", "the host answers");
            if (strncmp(s->set.soap_url, "https", 5) == 0) sage100__probe_say(p, FINDING_OK, s->last.tls_ms, "soap tls", "the certificate is trusted");
            sage100__probe_say(p, from_wsdl ? FINDING_OK : FINDING_WARN, wsdl.elapsed_ms, "soap names", "%s", origin);
            const struct xml_node *version = reply.result ? sage100__xml_find(reply.result, "ContractVersion") : NULL;
            const char *number = version ? sage100__clean(p->a, version->text, 20) : "unknown";
            sage100__probe_say(p, FINDING_OK, s->last.elapsed_ms, "soap contract", "contract version %s", number);
        }
        arena_release(&s->scratch, m);
    }
    if (e == ERR_UNREACHABLE) sage100__probe_unreached(p, "soap", s->set.soap_url, f.text, e);
    else if (e != ERR_OK) failed(p, "soap contract", e, &f);
    return e == ERR_OK;
}

static void check_sign_in(struct sage_probe *p, const struct sage_entity *e, struct str company)
{
    struct fault f;
    struct soap_reply reply;
    struct source_key nobody = {.n = e->nkeys};
    for (size_t i = 0; i < e->nkeys; i++) nobody.part[i] = e->nkeys > 1 && i == 0 ? STR("00") : STR("~PROBE~");
    struct arena_mark m = arena_mark(&p->s->scratch);
    const char *what = arena_printf(p->a, "soap sign-in, %s", e->operation);
    enum err err = sage100__soap_call(p->s, sage100__soap_operation(e), company, &nobody, &reply, &f);
    if (err != ERR_OK) failed(p, what, err, &f);
    else sage100__probe_say(p, FINDING_OK, p->s->last.elapsed_ms, what, "accepted for company %.*s", (int)company.n, company.p);
    arena_release(&p->s->scratch, m);
}

/* Where the keys of a pass come from. */
static void check_keys(struct sage_probe *p, const struct sage_entity *e, struct str company)
{
    struct fault f;
    const char *operation = sage100__list_operation(p->s, e), *what = arena_printf(p->a, "keys of %s", e->table);
    const struct sage_soap_key_list *list;
    if (!sage100__has_key_list(p->s, e)) {
        if (p->s->set.agent_url) sage100__probe_say(p, FINDING_OK, 0, what, "come from the agent");
        else sage100__probe_say(p, FINDING_WARN, 0, what, "SOAP cannot list: without keys = file(\"keys.csv\") or `agent` only records already known are read again");
        return;
    }
    enum err err = sage100__key_list(p->s, e, company, (struct str){"", 0}, &list, &f);
    if (err != ERR_OK) failed(p, what, err, &f);
    else if (operation) sage100__probe_say(p, FINDING_OK, p->s->last.elapsed_ms, what, "%zu, as %s says", list->n, operation);
    else sage100__probe_say(p, FINDING_OK, 0, what, "%zu in the key file", list->n);
}

/* Which columns the reply type knows. */
static void check_query(struct sage_probe *p, const struct source_query *q, const struct sage_entity *e, struct str company)
{
    struct fault f;
    const struct sage_soap_contract *c;
    if (sage100__soap_contract(p->s, &c, &f) != ERR_OK) return;
    const struct soap_operation *op = &c->op[sage100__soap_operation(e)];
    static const char *const merged[] = {"DateUpdated", "TimeUpdated", "DateCreated", "TimeCreated"};
    unsigned bad = 0;
    for (size_t i = 0; i < q->ncolumns; i++) {
        struct str name = q->columns[i].name;
        bool known = q->columns[i].udf || str_starts(name, STR("UDF_")) || sage100__soap_has_member(op, name);
        for (size_t k = 0; !known && k < 4; k++) known = str_is(name, merged[k]);
        if (known) continue;
        bad++;
        sage100__probe_say(p, FINDING_FAIL, 0, arena_printf(p->a, "column %s.%.*s", e->table, (int)name.n, name.p),
                        "is not delivered by eBusiness Web Services: take it out of the spec, or read the table via agent");
    }
    if (!bad) sage100__probe_say(p, FINDING_OK, 0, arena_printf(p->a, "columns of %s", e->table), "all %zu are delivered over SOAP", q->ncolumns);
    check_keys(p, e, company);
}

void sage100__probe_soap(struct sage_probe *p)
{
    struct net_policy kept = p->s->set.busy;
    p->s->set.busy.attempts = 2;
    bool signed_in = false;
    if (check_contract(p)) {
        for (size_t i = 0; i < p->nq; i++) {
            struct fault f;
            const char *door = sage100__door(p->s, &p->q[i], &f);
            if (!door || strcmp(door, "soap") != 0) continue;
            const struct sage_entity *e = sage100__entity(p->q[i].entity);
            struct str company = p->q[i].company.n ? p->q[i].company : conn_setting(&p->s->env, "company");
            check_sign_in(p, e, company);
            check_query(p, &p->q[i], e, company);
            signed_in = true;
        }
        if (!signed_in && conn_setting(&p->s->env, "company").n) check_sign_in(p, sage100__entity(STR("AR_Customer")), conn_setting(&p->s->env, "company"));
    }
    p->s->set.busy = kept;
    arena_reset(&p->s->scratch);
}
