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

int main(void)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (size_t k = 0; k < sizeof actions / sizeof *actions; k++) try_one(paths[i], actions[k]);
    return ok_done();
}
