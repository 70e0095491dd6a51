/* same_test.c - rows in which nothing has changed are told by their hash before they are read; and what must never pass for one of them: another content under
 * the same stamp, a row that is read as another type now, an agent without hashes, a row that was gone. */
#include "rig.h"

/* ---- what a pass costs: entries of the log about records, and syncs ---- */
static int syncs;
static int (*real_sync)(void *ctx, int fd);
static int counted_sync(void *ctx, int fd)
{
    syncs++;
    return real_sync(ctx, fd);
}

static uint64_t row_entries(struct rig *r)
{
    struct verify_options vo = {.dir = rig_path(r, "state/journal")};
    struct verify_report rep;
    return verify_log(&vo, &rep) ? rep.kinds[FRAME_ROW] + rep.kinds[FRAME_REJECT] + rep.kinds[FRAME_LEAVE] + rep.kinds[FRAME_GONE] : UINT64_MAX;
}

static void a_day_passes(struct rig *r) { sim_loop_advance(r->loop, INT64_C(25) * 3600 * 1000); }

/* ---- an agent that gives no hashes: "hash":"9f.." becomes "hash":null and blanks ---- */
static int (*real_wait)(void *ctx, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag);
static bool no_hashes;
static int wait_without_hashes(void *ctx, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag)
{
    static const char name[] = "\"hash\":\"";
    int got = real_wait(ctx, timeout_ms, a, res, tag);
    if (got != 1 || !no_hashes) return got;
    char *p = arena_copy(a, res->body.p, res->body.n), *end = p + res->body.n;
    res->body.p = p;
    for (; (p = memmem(p, (size_t)(end - p), name, sizeof name - 1)) != NULL; p++) {
        char *from = p + sizeof name - 2, *to = memchr(from + 1, '"', (size_t)(end - from - 1));
        memset(from, ' ', (size_t)(to - from) + 1);
        memcpy(from, "null", 4);
    }
    return got;
}

static void open_rig(struct rig *r, uint32_t customers, uint64_t seed)
{
    rig_open(r, customers, seed);
    real_sync = r->world.files.fdatasync;
    r->world.files.fdatasync = counted_sync;
    real_wait = r->world.http.wait;
    r->world.http.wait = wait_without_hashes;
    no_hashes = false;
}

/* ---- */
static void keeps_the_stamp(struct rig *r, const char *what)
{
    const char *k = rig_customer(r, 9);
    char name[120];
    if (!sage_sim_edit(r->sage, "ABC", "customers", k, "City", "Sameville", SAGE_STAMP_KEPT)) abort();
    rig_done(r, "a poll of changes ends");
    snprintf(name, sizeof name, "%s: a changed row whose stamp is the old one is not among the changes", what);
    ok(strcmp(rig_field(r, rig_key(k), "Billing_City"), "Sameville") != 0, name, "it is");
    a_day_passes(r);
    int64_t writes = rig_writes(r);
    rig_done(r, "the full pass ends");
    snprintf(name, sizeof name, "%s: the full pass sees that its content differs", what);
    ok(strcmp(rig_field(r, rig_key(k), "Billing_City"), "Sameville") == 0 && rig_writes(r) == writes + 1, name, "%s, %lld writes",
       rig_field(r, rig_key(k), "Billing_City"), (long long)(rig_writes(r) - writes));
    rig_compare(r, what);
}

static void test_equal_stamp(void)
{
    struct rig r;
    open_rig(&r, 120, 61);
    rig_done(&r, "load ends");
    keeps_the_stamp(&r, "with the agent's hashes");
    rig_close(&r);
}

/* One pass over rows of which none has changed: no entry about any, and as many syncs for 400 rows as for 40. */
static int quiet_pass(uint32_t customers)
{
    struct rig r;
    open_rig(&r, customers, 62);
    rig_edit(&r, rig_customer(&r, 3), "CustomerStatus", "Q");        /* one is rejected: it stays so without being looked at */
    rig_once(&r);
    a_day_passes(&r);
    uint64_t entries = row_entries(&r);
    syncs = 0;
    rig_done(&r, "a full pass without changes ends");
    int taken = syncs;
    ok(r.r.same >= customers && r.r.changed == 0 && r.r.rejected == 0, "every row is the same", "%llu same, %llu changed, %llu rejected", (unsigned long long)r.r.same,
       (unsigned long long)r.r.changed, (unsigned long long)r.r.rejected);
    ok(row_entries(&r) == entries, "the log has no entry about any of them", "%llu", (unsigned long long)(row_entries(&r) - entries));
    rig_close(&r);
    return taken;
}

static void test_quiet_pass(void)
{
    int few = quiet_pass(40), many = quiet_pass(400);
    ok(few == many, "a pass that finds nothing syncs as often for 400 rows as for 40", "%d and %d", few, many);
}

static void test_without_hashes(void)
{
    struct rig r;
    open_rig(&r, 120, 63);
    no_hashes = true;
    rig_done(&r, "load from an agent without hashes ends");
    a_day_passes(&r);
    uint64_t entries = row_entries(&r);
    rig_done(&r, "a full pass without changes ends");
    ok(r.r.same >= 120 && row_entries(&r) == entries, "its rows are told by our own hash", "%llu same, %llu entries", (unsigned long long)r.r.same,
       (unsigned long long)(row_entries(&r) - entries));
    keeps_the_stamp(&r, "with our own hashes");
    no_hashes = false;
    a_day_passes(&r);
    int64_t writes = rig_writes(&r);
    rig_done(&r, "the agent gives hashes from now on");
    ok(rig_writes(&r) == writes, "and nothing is written because of that", "%lld", (long long)(rig_writes(&r) - writes));
    rig_compare(&r, "with hashes again");
    rig_close(&r);
}

static const char *with_tier(const char *type)
{
    static char head[3000];
    snprintf(head, sizeof head, "%sextend erp.AR_Customer { UDF_REGION: %s }\n", SPEC_HEAD, type);
    return head;
}

/* A row that broke its declared type is read again when the type was mended, though its content and its hash are the old ones. What it was before the breach
 * must not stand for it. */
static void test_other_type(void)
{
    struct rig r;
    static char flow[3000];
    const char *at = strstr(SPEC_FLOW, "  Billing_City = City\n");
    snprintf(flow, sizeof flow, "%.*s  Billing_City = City\n  Payment_Terms = UDF_REGION\n%s", (int)(at - SPEC_FLOW), SPEC_FLOW, at + strlen("  Billing_City = City\n"));
    open_rig(&r, 60, 64);
    const char *k = rig_customer(&r, 5), *other = rig_customer(&r, 6);
    rig_edit(&r, k, "UDF_REGION", "WEST");
    rig_edit(&r, other, "UDF_REGION", "MIDWEST");
    rig_spec(&r, with_tier("text(7)?"), flow);
    rig_done(&r, "load ends");
    ok(strcmp(rig_field(&r, rig_key(k), "Payment_Terms"), "WEST") == 0, "the short one is written", "%s", rig_field(&r, rig_key(k), "Payment_Terms"));
    rig_edit(&r, k, "UDF_REGION", "NORTHWEST");
    rig_once(&r);
    ok(strcmp(rig_state(&r, rig_key(k), NULL, 0), "REJECTED") == 0, "one that is too long sets the row aside", "%s", rig_state(&r, rig_key(k), NULL, 0));
    rig_spec(&r, with_tier("text(10)?"), flow);
    rig_done(&r, "a spec that allows it ends");
    ok(strcmp(rig_field(&r, rig_key(k), "Payment_Terms"), "NORTHWEST") == 0 && r.r.rows < 20, "the row was read again, and no other", "%s, %llu rows",
       rig_field(&r, rig_key(k), "Payment_Terms"), (unsigned long long)r.r.rows);
    rig_spec(&r, with_tier("text(5)?"), flow);
    rig_once(&r);
    a_day_passes(&r);
    rig_once(&r);
    ok(strcmp(rig_state(&r, rig_key(other), NULL, 0), "REJECTED") == 0, "a narrower type rejects a row of the old hash", "%s", rig_state(&r, rig_key(other), NULL, 0));
    rig_close(&r);
}

static void test_back_again(void)
{
    struct rig r;
    open_rig(&r, 60, 65);
    rig_done(&r, "load ends");
    sage_sim_vanish(r.sage, "ABC", "customers", 200);
    a_day_passes(&r);
    rig_done(&r, "a tenth is gone");
    sage_sim_vanish(r.sage, "ABC", "customers", 0);
    a_day_passes(&r);
    rig_done(&r, "it is back, with the old hashes");
    rig_compare(&r, "after the return");
    rig_close(&r);
}

int main(void)
{
    test_equal_stamp();
    test_quiet_pass();
    test_without_hashes();
    test_other_type();
    test_back_again();
    return ok_done();
}
