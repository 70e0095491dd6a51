/* http_test.c - the connector over real HTTP on loopback: transport, model behind its door, real clock. A smoke test: the rules are
 * proved in the other files. */
#include "rig.h"
#include "net/curl_http.h"
#include "tests/sim/door.h"
#include <unistd.h>

static struct rig r;
static struct sim_door *door;
static char base[64];

static void script(const char *json)
{
    sim_door_lock(door);
    rig_fault(&r, json);
    sim_door_unlock(door);
}

static void set_up(void)
{
    struct fault f = {ERR_OK, ""};
    char why[200] = "";
    rig_open(&r, NULL);
    zoho_sim_close(r.sim);
    struct zoho_sim_options o = {.data_path = "tests/sim/zoho/data/professional.json", .clock = sim_clock_real()};
    r.sim = zoho_sim_open(&o, why, sizeof why);
    struct sim_mount mount = {"", zoho_sim_model(r.sim)};
    struct sim_door_options d = {.port = 0};
    door = r.sim ? sim_door_open(&mount, 1, &d) : NULL;
    world_real(&r.w);
    if (!door || curl_http_open(&r.w, &f) != ERR_OK) {
        printf("not ok set-up: %s %s\n", why, f.text);
        exit(1);
    }
    (void)snprintf(base, sizeof base, "http://127.0.0.1:%u", sim_door_port(door));
    rig_set(&r, "accounts_url", base);
    rig_set(&r, "write_timeout", "2s");
    rig_target(&r);
}

static unsigned write_many(unsigned batches, size_t rows, enum write_class cls)
{
    unsigned started = 0, good = 0;
    struct write_batch *done;
    while (started < batches || r.t->nflights > 0) {
        enum err e = ERR_BUSY;
        if (started < batches) e = zoho_target_ops.write_start(r.t, rig_accounts(&r, arena_printf(&r.arena, "%c%u", 'A' + (int)cls, started), rows), &r.f);
        if (e == ERR_OK) started++;
        else if (e != ERR_BUSY) return good;
        else if (zoho_target_ops.write_wait(r.t, 5000, &done, &r.f) == ERR_OK && done) good += all_are(done, cls);
    }
    return good;
}

int main(void)
{
    alarm(100);
    set_up();
    check(write_many(20, 100, W_APPLIED) == 20, "twenty batches of a hundred, eight at a time", r.f.text);
    sim_door_lock(door);
    char *counters = zoho_sim_counters(r.sim);
    check(zoho_sim_count(r.sim, "Accounts") >= 2000 && strstr(counters, "\"tokens_issued\": 1,") && strstr(counters, "\"inserts\": 2000"), "counters of the model", counters);
    free(counters);
    zoho_sim_expire_tokens(r.sim);
    sim_door_unlock(door);
    struct write_batch *b = rig_accounts(&r, "after", 3);
    check(rig_write(&r, b) == ERR_OK && all_are(b, W_APPLIED), "a dead token is renewed", first_of(&r, b));
    script("[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"drop_after\"}]");
    b = rig_accounts(&r, "drop", 3);
    sim_door_lock(door);
    size_t before = zoho_sim_count(r.sim, "Accounts");
    sim_door_unlock(door);
    (void)rig_write(&r, b);
    sim_door_lock(door);
    size_t after = zoho_sim_count(r.sim, "Accounts");
    sim_door_unlock(door);
    check(all_are(b, W_AMBIGUOUS) && after == before + 3, "closed after it was applied: ambiguous, and sent once", first_of(&r, b));
    script("[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"timeout_before\",\"delay_ms\":4000}]");
    b = rig_accounts(&r, "slow", 3);
    (void)rig_write(&r, b);
    check(all_are(b, W_AMBIGUOUS), "no answer in time: ambiguous", first_of(&r, b));
    struct str key = STR("drop~1");
    struct lookup_hit *hits;
    size_t n;
    enum err e = zoho_target_ops.lookup(r.t, STR("Accounts"), STR("Sage_Customer"), &key, 1, NULL, 0, &r.arena, &hits, &n, &r.f);
    check(e == ERR_OK && n == 1, "lookup", r.f.text);
    struct rig_findings found = {.fail = 0};
    struct finding_sink sink = {rig_finding, &found};
    check(zoho_target_ops.probe(r.t, &sink, &r.f) == ERR_OK, "probe", found.text);
    zoho_target_ops.close(r.t);
    r.t = NULL;
    curl_http_close(&r.w);
    sim_door_close(door);
    rig_close(&r);
    return failures ? 1 : 0;
}
