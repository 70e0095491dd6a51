/* source_test.c - what Sage does to us: locks, late commits, deletions, a table that vanishes, restored companies, busy agents. */
#include "rig.h"

static void test_locked_row(void)
{
    struct rig r;
    rig_open(&r, 60, 31);
    const char *k = rig_customer(&r, 10), *slow = rig_customer(&r, 30);
    sage_sim_lock(r.sage, "ABC", "customers", k, 2, 0);
    sage_sim_lock(r.sage, "ABC", "customers", slow, 0, INT64_C(20) * 60 * 1000);
    rig_once(&r);
    ok(strcmp(rig_field(&r, rig_key(k), "Sage_Status"), "Active") == 0, "a row locked for two reads arrives in the same run", "%s", rig_field(&r, rig_key(k), "Sage_Status"));
    ok(r.r.pending == 1, "the one locked for long is waited for", "%llu pending", (unsigned long long)r.r.pending);
    sim_loop_advance(r.loop, INT64_C(30) * 60 * 1000);
    rig_done(&r, "the next run ends");
    rig_compare(&r, "after the locks");
    rig_close(&r);
}

static void test_late_commit(void)
{
    struct rig r;
    char json[200];
    rig_open(&r, 60, 32);
    const char *k = rig_customer(&r, 12);
    rig_edit(&r, rig_customer(&r, 1), "City", "Now");
    rig_done(&r, "load ends");
    sim_loop_advance(r.loop, 60000);
    snprintf(json, sizeof json, "{\"do\":\"late\",\"resource\":\"customers\",\"key\":\"%s\",\"minutes\":5,\"fields\":{\"City\":\"Latetown\"}}", k);
    ok(sage_sim_do(r.sage, json, NULL), "a late commit happens", "refused");
    rig_done(&r, "poll ends");
    ok(strcmp(rig_field(&r, rig_key(k), "Billing_City"), "Latetown") == 0, "a row stamped before the cursor is not missed", "%s", rig_field(&r, rig_key(k), "Billing_City"));
    rig_close(&r);
}

static void reread(struct rig *r, const char *name)
{
    sim_loop_advance(r->loop, INT64_C(25) * 3600 * 1000);
    rig_done(r, name);
}

static void test_delete(void)
{
    struct rig r;
    rig_open(&r, 60, 33);
    rig_done(&r, "load ends");
    const char *k = rig_customer(&r, 8);
    sage_sim_delete(r.sage, "ABC", "customers", k);
    rig_done(&r, "a poll of changes ends");
    ok(strcmp(rig_field(&r, rig_key(k), "Sage_Status"), "Active") == 0, "a deletion does not show in changes", "%s", rig_field(&r, rig_key(k), "Sage_Status"));
    reread(&r, "the reread ends");
    ok(strcmp(rig_field(&r, rig_key(k), "Sage_Status"), "Deleted") == 0, "the key sweep finds it", "%s", rig_field(&r, rig_key(k), "Sage_Status"));
    ok(strcmp(rig_state(&r, rig_key(k), NULL, 0), "GONE") == 0, "its state is GONE", "%s", rig_state(&r, rig_key(k), NULL, 0));
    sage_sim_insert(r.sage, "ABC", "customers", k, NULL, NULL);
    rig_edit(&r, k, "CustomerStatus", "A");
    rig_done(&r, "it comes back");
    rig_compare(&r, "after the return");
    rig_close(&r);
}

static void test_fuse(void)
{
    struct rig r;
    rig_open(&r, 100, 34);
    rig_done(&r, "load ends");
    sage_sim_vanish(r.sage, "ABC", "customers", 600);
    sim_loop_advance(r.loop, INT64_C(25) * 3600 * 1000);
    int64_t writes = rig_writes(&r);
    enum err err = rig_once(&r);
    ok(err == ERR_OK && r.r.held > 25, "a vanished table is held", "%s, %llu held", r.f.text, (unsigned long long)r.r.held);
    ok(rig_writes(&r) == writes, "nothing is written", "%lld", (long long)(rig_writes(&r) - writes));
    sage_sim_vanish(r.sage, "ABC", "customers", 0);
    reread(&r, "the table is back and the next reread ends");
    ok(r.r.held == 0 && rig_writes(&r) == writes, "held rows come back without a write", "%llu held, %lld writes", (unsigned long long)r.r.held,
       (long long)(rig_writes(&r) - writes));
    rig_compare(&r, "after the scare");
    for (int i = 0; i < 30; i++) sage_sim_delete(r.sage, "ABC", "customers", rig_customer(&r, 3));
    sim_loop_advance(r.loop, INT64_C(25) * 3600 * 1000);
    rig_once(&r);
    struct engine *e;
    uint64_t released = 0;
    err = rig_engine(&r, &e);
    if (err == ERR_OK) err = engine_accept(e, NULL, "tester", &released, &r.f);
    if (err == ERR_OK) err = engine_write(e, &r.r, &r.f);
    if (err == ERR_OK) engine_close(e);
    ok(err == ERR_OK && released == 30 && r.r.updated == 30, "accept releases real deletions", "%s %llu %llu", r.f.text, (unsigned long long)released,
       (unsigned long long)r.r.updated);
    rig_compare(&r, "after accept");
    rig_close(&r);
}

static void test_epoch(void)
{
    struct rig r;
    rig_open(&r, 60, 35);
    rig_done(&r, "load ends");
    int64_t writes = rig_writes(&r);
    sage_sim_renew_epoch(r.sage, "ABC");
    sage_sim_edit(r.sage, "ABC", "customers", rig_customer(&r, 5), "City", "Restored", SAGE_STAMP_KEPT);
    rig_done(&r, "a restored company is read whole");
    ok(rig_writes(&r) == writes + 1, "and only differences are written", "%lld", (long long)(rig_writes(&r) - writes));
    rig_compare(&r, "after the restore");
    rig_close(&r);
}

static void test_busy(void)
{
    static const struct { const char *kind; int status; const char *code; } faults[] = {
        {"status", 503, "busy"}, {"status", 429, "slow_down"}, {"status", 502, "session_failed"}};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct rig r;
        rig_open(&r, 40, 36);
        struct sage_fault f = {.on = "agent", .kind = faults[i].kind, .status = faults[i].status, .code = faults[i].code, .message = "later", .skip = 1, .times = 2,
                               .retry_after_s = 2};
        ok(sage_sim_fault(r.sage, &f), "the fault is understood", "%s", faults[i].code);
        rig_done(&r, faults[i].code);
        rig_compare(&r, faults[i].code);
        rig_close(&r);
    }
}

static void test_violation(void)
{
    struct rig r;
    rig_open(&r, 30, 37);
    const char *k = rig_customer(&r, 6);
    rig_edit(&r, k, "CustomerStatus", "Q");          /* no value of the declared set */
    rig_once(&r);
    char why[300] = "";
    ok(strcmp(rig_state(&r, rig_key(k), why, sizeof why), "REJECTED") == 0 && strstr(why, "CustomerStatus"), "a broken source fact sets the row aside and says which", "%s", why);
    rig_edit(&r, k, "CustomerStatus", "A");
    rig_done(&r, "and it comes back when mended");
    rig_compare(&r, "after mending");
    rig_close(&r);
}

static void test_agent_down(void)
{
    struct rig r;
    rig_open(&r, 30, 38);
    rig_done(&r, "load ends");
    sim_loop_down(r.loop, SAGE_URL, true);
    enum err err = rig_once(&r);
    ok(err == ERR_UNREACHABLE || err == ERR_BUSY, "an agent that is down is said so", "%s: %s", err_name(err), r.f.text);
    sim_loop_down(r.loop, SAGE_URL, false);
    sim_loop_advance(r.loop, 600000);
    rig_edit(&r, rig_customer(&r, 2), "City", "Up again");
    rig_done(&r, "and goes on when it is up");
    rig_compare(&r, "after the outage");
    rig_close(&r);
}

int main(void)
{
    test_locked_row();
    test_late_commit();
    test_delete();
    test_fuse();
    test_epoch();
    test_busy();
    test_violation();
    test_agent_down();
    return ok_done();
}
