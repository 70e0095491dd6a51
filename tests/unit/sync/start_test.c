/* start_test.c - what Zoho answers while a service starts may be a proxy's page or end in the middle: that is no reason to end with a status after which no
 * service manager starts it again (examples/systemd: RestartPreventExitStatus). */
#include "tests/unit/sync/rig.h"

static const char *const paths[] = {"/crm/v8/org", "/crm/v8/settings/modules", "/crm/v8/settings/fields", "/crm/v8/Accounts/actions/count"};
static const char *const actions[] = {"html_200", "truncated_json", "empty_body", "wrong_shape", "cut_body", "500"};

static void try_one(const char *path, const char *action)
{
    struct rig r;
    char rule[200], why[200], name[200];
    rig_open(&r, 5, 1);
    snprintf(rule, sizeof rule, "[{\"match\":{\"path\":\"%s\"},\"times\":0,\"do\":\"%s\"}]", path, action);
    if (!zoho_sim_faults(r.zoho, rule, why, sizeof why)) abort();
    enum err err = rig_once(&r);
    int code = err_exit_code(err);
    snprintf(name, sizeof name, "%s answered with %s is tried again", path, action);
    ok(err != ERR_OK && code != 64 && code != 65 && code != 77 && code != 78, name, "%s, exit %d: %s", err_name(err), code, r.f.text);
    zoho_sim_faults_clear(r.zoho);
    sim_loop_advance(r.loop, 60000);
    snprintf(name, sizeof name, "and then %s is read", path);
    (void)rig_done(&r, name);
    rig_close(&r);
}

/* Two calls in a row find their token dead, the second one a fresh one. */
static void token_dies_twice(void)
{
    struct rig r;
    char why[200];
    rig_open(&r, 5, 1);
    if (!zoho_sim_faults(r.zoho, "[{\"match\":{\"path\":\"/crm/v8/org\"},\"times\":2,\"do\":\"expire_token\"}]", why, sizeof why)) abort();
    enum err err = rig_once(&r);
    ok(err == ERR_AUTH, "a fresh token that is refused is an error of signing in, which a service survives", "%s: %s", err_name(err), r.f.text);
    (void)rig_done(&r, "and the next one is good");
    rig_close(&r);
}

/* An empty 200 where records were asked for is not the word that there are none: a guarded flow would make them all again. */
static void empty_is_not_none(void)
{
    static const char flow[] = "flow customers from erp.AR_Customer to crm.Accounts { every 15m key Sage_Customer guard\n"
                               "  Account_Name = CustomerName ?? reject \"customer without a name\"\n}\n";
    struct rig r;
    char why[200];
    rig_open(&r, 5, 1);
    (void)rig_spec(&r, SPEC_HEAD, flow);
    (void)rig_done(&r, "five records in a guarded flow");
    int64_t writes = rig_writes(&r);
    if (!zoho_sim_faults(r.zoho, "[{\"match\":{\"method\":\"GET\",\"path_regex\":\"^/crm/v8/Accounts$\"},\"do\":\"empty_body\"}]", why, sizeof why)) abort();
    sim_loop_advance(r.loop, 15 * 60000);
    enum err err = rig_once(&r);
    ok(err == ERR_PROTOCOL, "an empty 200 for records is an answer that cannot be read", "%s: %s", err_name(err), r.f.text);
    (void)rig_done(&r, "asked again, they are all there");
    ok(rig_writes(&r) == writes, "and nothing is made again", "%lld writes", (long long)(rig_writes(&r) - writes));
    rig_close(&r);
}

int main(void)
{
    token_dies_twice();
    empty_is_not_none();
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (size_t k = 0; k < sizeof actions / sizeof *actions; k++) try_one(paths[i], actions[k]);
    return ok_done();
}
