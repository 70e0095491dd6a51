/* fault_test.c - what Zoho and the network do to us: each fault once, then everything must be as Sage says, once, and the log must say what happened. */
#include "rig.h"

/* A load of 60 under a script; then it has to be right. */
static void load_under(const char *name, const char *script, int min_faults)
{
    struct rig r;
    rig_open(&r, 60, 21);
    rig_zoho_fault(&r, script);
    rig_done(&r, name);
    ok(rig_counter(&r, "faults") >= min_faults, "the fault was played", "%lld", (long long)rig_counter(&r, "faults"));
    rig_compare(&r, name);
    int64_t writes = rig_writes(&r);
    rig_done(&r, "and a quiet poll ends");
    ok(rig_writes(&r) == writes, "and sends nothing", "%lld more", (long long)(rig_writes(&r) - writes));
    rig_close(&r);
}

/* Six updates under a script. */
static void update_under(const char *name, const char *script)
{
    struct rig r;
    rig_open(&r, 60, 22);
    rig_done(&r, "load ends");
    for (int i = 0; i < 6; i++) rig_edit(&r, rig_customer(&r, i * 5), "City", "Springfield");
    rig_zoho_fault(&r, script);
    rig_done(&r, name);
    rig_compare(&r, name);
    rig_close(&r);
}

#define POST_ACCOUNTS "\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"}"
#define PUT_ACCOUNTS  "\"match\":{\"method\":\"PUT\",\"path\":\"/crm/v8/Accounts\"}"

static void test_inserts(void)
{
    load_under("insert: 429", "[{" POST_ACCOUNTS ",\"do\":\"429\",\"retry_after\":3}]", 1);
    load_under("insert: 500 not applied", "[{" POST_ACCOUNTS ",\"do\":\"500\"}]", 1);
    load_under("insert: 500 applied", "[{" POST_ACCOUNTS ",\"do\":\"500\",\"applied\":true}]", 1);
    load_under("insert: 503 twice", "[{" POST_ACCOUNTS ",\"do\":\"503\",\"times\":2}]", 2);
    load_under("insert: dropped before", "[{" POST_ACCOUNTS ",\"do\":\"drop_before\"}]", 1);
    load_under("insert: dropped after", "[{" POST_ACCOUNTS ",\"do\":\"drop_after\"}]", 1);
    load_under("insert: timeout after apply", "[{" POST_ACCOUNTS ",\"do\":\"timeout_after\",\"delay_ms\":200000}]", 1);
    load_under("insert: applied half a minute late", "[{" POST_ACCOUNTS ",\"do\":\"apply_late\"}]", 1);
    load_under("insert: answer too short", "[{" POST_ACCOUNTS ",\"do\":\"wrong_length\"}]", 1);
    load_under("insert: answer is no JSON", "[{" POST_ACCOUNTS ",\"do\":\"truncated_json\"}]", 1);
    load_under("insert: answer is cut", "[{" POST_ACCOUNTS ",\"do\":\"cut_body\"}]", 1);
    load_under("insert: HTML instead", "[{" POST_ACCOUNTS ",\"do\":\"html_502\"}]", 1);
    load_under("insert: token dies", "[{" POST_ACCOUNTS ",\"nth\":2,\"do\":\"expire_token\"}]", 1);
    load_under("insert: 413 once", "[{" POST_ACCOUNTS ",\"do\":\"413\"}]", 1);
}

/* The answer gives all of a request one record: what is written later does not go there. */
static void test_one_id_for_all(void)
{
    struct rig r;
    rig_open(&r, 60, 29);
    rig_zoho_fault(&r, "[{" POST_ACCOUNTS ",\"do\":\"same_id\"}]");
    rig_done(&r, "insert: one id for all");
    ok(rig_counter(&r, "faults") == 1, "the fault was played", "%lld", (long long)rig_counter(&r, "faults"));
    int n = 0;
    for (const char *k = rig_customer(&r, n); *k; k = rig_customer(&r, ++n)) rig_edit(&r, k, "City", k);
    rig_done(&r, "all are written again");
    rig_compare(&r, "each in its own record");
    rig_close(&r);
}

/* The answer gives a new customer the record of an old one: neither loses its own. */
static void test_id_of_another(void)
{
    struct rig r;
    char script[500], id[300];
    rig_open(&r, 30, 28);
    rig_done(&r, "load ends");
    const char *old = rig_customer(&r, 4);
    snprintf(id, sizeof id, "%s", rig_field(&r, rig_key(old), "id"));
    sage_sim_insert(r.sage, "ABC", "customers", "99~NEW", NULL, NULL);
    snprintf(script, sizeof script, "[{" POST_ACCOUNTS ",\"do\":\"same_id\",\"id\":\"%s\"}]", id);
    rig_zoho_fault(&r, script);
    rig_done(&r, "insert: the id of another row's record");
    ok(rig_counter(&r, "faults") == 1, "the fault was played", "%lld", (long long)rig_counter(&r, "faults"));
    rig_edit(&r, old, "City", "Mine");
    rig_edit(&r, "99~NEW", "City", "Mine too");
    rig_done(&r, "both are written");
    rig_compare(&r, "each in a record of its own");
    rig_close(&r);
}

static void test_updates(void)
{
    update_under("update: 429", "[{" PUT_ACCOUNTS ",\"do\":\"429\"}]");
    update_under("update: dropped after", "[{" PUT_ACCOUNTS ",\"do\":\"drop_after\"}]");
    update_under("update: dropped before", "[{" PUT_ACCOUNTS ",\"do\":\"drop_before\"}]");
    update_under("update: 500 applied", "[{" PUT_ACCOUNTS ",\"do\":\"500\",\"applied\":true}]");
    update_under("update: token dies", "[{" PUT_ACCOUNTS ",\"do\":\"expire_token\"}]");
}

/* A record that somebody at Zoho has locked rests for an hour and goes out then. */
static void test_parked(void)
{
    struct rig r;
    rig_open(&r, 30, 27);
    rig_done(&r, "load ends");
    const char *k = rig_customer(&r, 5);
    rig_edit(&r, k, "City", "Parked");
    rig_zoho_fault(&r, "[{" PUT_ACCOUNTS ",\"do\":\"RECORD_LOCKED\"}]");
    ok(rig_once(&r) == ERR_OK && r.r.pending == 1, "a locked record is parked", "%s, %llu pending", r.f.text, (unsigned long long)r.r.pending);
    ok(strcmp(rig_state(&r, rig_key(k), NULL, 0), "RETRY") == 0, "its state is RETRY", "%s", rig_state(&r, rig_key(k), NULL, 0));
    sim_loop_advance(r.loop, INT64_C(61) * 60 * 1000);
    rig_done(&r, "an hour later it goes out");
    rig_compare(&r, "after parking");
    rig_close(&r);
}

/* One poison record in a request that is refused whole: halved until it stands alone. */
static void test_bisect(void)
{
    struct rig r;
    rig_open(&r, 40, 23);
    const char *poison = rig_customer(&r, 10);
    rig_edit(&r, poison, "City", "Poison");
    rig_zoho_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\",\"body_contains\":\"Poison\"},\"do\":\"flat_400\",\"times\":0}]");
    rig_once(&r);
    char why[300] = "";
    ok(strcmp(rig_state(&r, rig_key(poison), why, sizeof why), "REJECTED") == 0, "the culprit alone is set aside", "%s", why);
    ok(r.r.failed == 1, "nobody else is", "%llu", (unsigned long long)r.r.failed);
    zoho_sim_faults_clear(r.zoho);
    struct engine *e;
    enum err err = rig_engine(&r, &e);
    if (err == ERR_OK) {
        err = engine_replay(e, NULL, str_of(rig_key(poison)), false, false, "tester", &r.f);
        if (err == ERR_OK) err = engine_write(e, &r.r, &r.f);
        engine_close(e);
    }
    ok(err == ERR_OK, "replay works when the cause is gone", "%s", r.f.text);
    rig_compare(&r, "after the replay");
    rig_close(&r);
}

static void test_other_unique_field(void)
{
    struct rig r;
    rig_open(&r, 30, 24);
    rig_zoho_fault(&r, "[{" POST_ACCOUNTS ",\"do\":\"duplicate_other_field\",\"index\":2,\"id\":\"4876876000000123456\"}]");
    rig_once(&r);
    ok(r.r.failed == 1, "a duplicate on another field parks one record", "%llu", (unsigned long long)r.r.failed);
    struct view *v;
    struct arena a;
    struct view_cause *causes;
    size_t n = 0;
    arena_init(&a, 0);
    if (view_open(&v, &r.world, rig_path(&r, "state"), NULL, NULL, &r.f) == ERR_OK) {
        view_causes(v, &a, &causes, &n, &r.f);
        ok(n == 1 && strstr(causes[0].why, "another record"), "status names the cause", "%zu %s", n, n ? causes[0].why : "");
        view_close(v);
    }
    arena_free(&a);
    rig_close(&r);
}

static void test_domain_change(void)
{
    struct rig r;
    rig_open(&r, 60, 25);
    sim_loop_mount(r.loop, "http://127.0.0.1:2", zoho_sim_model(r.zoho));
    rig_zoho_fault(&r, "[{" POST_ACCOUNTS ",\"nth\":2,\"do\":\"change_api_domain\",\"to\":\"http://127.0.0.1:2\"}]");
    rig_done(&r, "another api_domain in the middle ends");
    rig_compare(&r, "after another api_domain");
    rig_close(&r);
}

static void test_deleted_in_target(void)
{
    struct rig r;
    rig_open(&r, 20, 26);
    rig_done(&r, "load ends");
    const char *k = rig_customer(&r, 3);
    char id[300];
    snprintf(id, sizeof id, "%s", rig_field(&r, rig_key(k), "id"));
    zoho_sim_delete(r.zoho, "Accounts", id, true);
    rig_edit(&r, k, "City", "Ghost");
    rig_once(&r);
    char why[300] = "";
    ok(strcmp(rig_state(&r, rig_key(k), why, sizeof why), "REJECTED") == 0 && strstr(why, "--recreate"), "a record that people deleted is shown, not made again", "%s", why);
    struct engine *e;
    enum err err = rig_engine(&r, &e);
    if (err == ERR_OK) {
        err = engine_replay(e, NULL, str_of(rig_key(k)), false, true, "tester", &r.f);
        if (err == ERR_OK) err = engine_write(e, &r.r, &r.f);
        engine_close(e);
    }
    ok(err == ERR_OK, "replay --recreate ends", "%s", r.f.text);
    rig_compare(&r, "after --recreate");
    rig_close(&r);
}

int main(void)
{
    test_inserts();
    test_one_id_for_all();
    test_id_of_another();
    test_updates();
    test_parked();
    test_bisect();
    test_other_unique_field();
    test_domain_change();
    test_deleted_in_target();
    return ok_done();
}
