/* spec_test.c - a new spec on old state: derived again from snapshots, a full pass only for new columns, old fields left alone; and the log as the only
 * truth: the index is thrown away and folded again; why and replay. */
#include "rig.h"
#include <malloc.h>

/* SPEC_FLOW with one line exchanged. */
static const char *variant(const char *from, const char *to)
{
    static char out[3000];
    const char *at = strstr(SPEC_FLOW, from);
    snprintf(out, sizeof out, "%.*s%s%s", (int)(at - SPEC_FLOW), SPEC_FLOW, to, at + strlen(from));
    return out;
}

static void test_changed_rule(void)
{
    struct rig r;
    rig_open(&r, 50, 41);
    rig_done(&r, "load ends");
    uint64_t pages = sage_sim_count(r.sage, "agent");
    rig_spec(&r, SPEC_HEAD, variant("else => \"Good\"", "City == null => \"Over limit\", else => \"Good\""));
    rig_done(&r, "a rule over known columns ends");
    ok(r.r.rows < 10, "no full pass was needed", "%llu rows read", (unsigned long long)r.r.rows);
    (void)pages;
    int64_t writes = rig_writes(&r);
    rig_spec(&r, SPEC_HEAD, SPEC_FLOW);
    rig_done(&r, "back again ends");
    rig_compare(&r, "back again");
    writes = rig_writes(&r);
    rig_spec(&r, SPEC_HEAD, variant("  Billing_City = City\n", "  let town = City\n  Billing_City = town   # a comment\n"));
    rig_done(&r, "a let and a comment end");
    ok(rig_writes(&r) == writes, "names and layout write nothing", "%lld", (long long)(rig_writes(&r) - writes));
    rig_close(&r);
}

static void test_new_column(void)
{
    struct rig r;
    rig_open(&r, 50, 42);
    const char *k = rig_customer(&r, 4);
    rig_edit(&r, k, "ZipCode", "60601");
    rig_done(&r, "load ends");
    rig_spec(&r, SPEC_HEAD, variant("  Billing_City = City\n", "  Billing_City = City\n  Billing_Code = ZipCode\n"));
    rig_done(&r, "a new column ends");
    ok(r.r.rows >= 50, "a full pass read it", "%llu rows", (unsigned long long)r.r.rows);
    ok(strcmp(rig_field(&r, rig_key(k), "Billing_Code"), "60601") == 0, "and it was written", "%s", rig_field(&r, rig_key(k), "Billing_Code"));
    rig_compare(&r, "new column");
    rig_spec(&r, SPEC_HEAD, SPEC_FLOW);
    int64_t writes = rig_writes(&r);
    rig_done(&r, "a removed field ends");
    ok(rig_writes(&r) == writes && strcmp(rig_field(&r, rig_key(k), "Billing_Code"), "60601") == 0, "a removed field stays as it is", "%s, %lld writes",
       rig_field(&r, rig_key(k), "Billing_Code"), (long long)(rig_writes(&r) - writes));
    rig_edit(&r, k, "City", "After");
    rig_done(&r, "and later edits work");
    rig_compare(&r, "later edits");
    rig_close(&r);
}

/* Rows that broke a declared type were not kept; a new spec reads them again, all of them in one call. */
static void test_violated(void)
{
    struct rig r;
    enum { BROKEN = 20 };
    rig_open(&r, 50, 47);
    for (int i = 0; i < BROKEN; i++) rig_edit(&r, rig_customer(&r, i), "CustomerStatus", "Q");
    rig_once(&r);
    ok(r.r.rejected == BROKEN, "rows that break a declared type are set aside", "%llu", (unsigned long long)r.r.rejected);
    uint64_t before = sage_sim_count(r.sage, "agent");
    rig_once(&r);
    uint64_t quiet = sage_sim_count(r.sage, "agent") - before;
    rig_spec(&r, SPEC_HEAD, variant("  Billing_City = City\n", "  Billing_City = upper(City)\n"));
    before = sage_sim_count(r.sage, "agent");
    rig_once(&r);
    uint64_t calls = sage_sim_count(r.sage, "agent") - before;
    ok(calls == quiet + 1, "a new spec reads them again in one call", "%llu calls, %llu without a new spec", (unsigned long long)calls, (unsigned long long)quiet);
    for (int i = 0; i < BROKEN; i++) rig_edit(&r, rig_customer(&r, i), "CustomerStatus", "A");
    rig_done(&r, "they come back when mended");
    rig_close(&r);
}

/* ---- many of them: slice by slice, in the memory of one ---- */
static size_t in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* What the process holds after each slice, of which the models of both systems have as much as before, and the index at most a transaction's pages. */
struct slices { int n; size_t first, most; };
static void on_slice(void *ctx, const struct engine_progress *p)
{
    struct slices *s = ctx;
    if (strcmp(p->phase, "deriving") != 0) return;
    size_t now = in_use();
    if (s->n++ == 0) s->first = s->most = now;
    if (now > s->most) s->most = now;
}

struct keys { size_t n; char key[5000][64]; };
static bool note_key(void *ctx, const char *key)
{
    struct keys *k = ctx;
    snprintf(k->key[k->n++], sizeof k->key[0], "%s", key);
    return true;
}

/* Changed after they were listed: an edit moves what a listing goes by. */
static void too_long(struct rig *r)
{
    static struct keys k;
    k.n = 0;
    sage_sim_each_key(r->sage, "ABC", "customers", note_key, &k);
    for (size_t i = 0; i < k.n; i++)
        if (!sage_sim_edit(r->sage, "ABC", "customers", k.key[i], "UDF_REGION", "NORTHWEST", SAGE_STAMP_KEPT)) abort();
}

static bool spec_of_width(struct rig *r, unsigned width)
{
    static char head[3000];
    snprintf(head, sizeof head, "%sextend erp.AR_Customer { UDF_REGION: text(%u)? }\n", SPEC_HEAD, width);
    return rig_spec(r, head, variant("  Billing_City = City\n", "  Billing_City = City\n  Payment_Terms = UDF_REGION\n"));
}

/* Each customer that Zoho has got its region, and there is none that has it in Sage and not there. */
struct mapped { struct rig *r; json_t *dump; size_t wanted, there; };
static bool count_mapped(void *ctx, const char *key)
{
    struct mapped *m = ctx;
    char *status = sage_sim_value(m->r->sage, "ABC", "customers", key, "CustomerStatus"), *name = sage_sim_value(m->r->sage, "ABC", "customers", key, "CustomerName");
    bool wanted = strcmp(status ? status : "", "T") != 0 && name && *name;
    size_t n = 0;
    json_t *rec = rig_account(m->dump, rig_key(key), &n);
    const char *region = rec ? json_string_value(json_object_get(rec, "Payment_Terms")) : NULL;
    m->wanted += wanted;
    m->there += wanted && n == 1 && region && strcmp(region, "NORTHWEST") == 0;
    free(status), free(name);
    return true;
}

/* What grows from the first slice to the one with most. */
static size_t read_again(unsigned customers, uint64_t seed)
{
    struct rig r;
    struct slices s = {.n = 0};
    char label[100];
    rig_open(&r, customers, seed);
    r.o.page_rows = r.o.batch_rows = 0;
    too_long(&r);
    spec_of_width(&r, 5);
    rig_once(&r);
    ok(r.r.rejected == customers && rig_writes(&r) == 0, "every row breaks its declared type", "%llu of %u", (unsigned long long)r.r.rejected, customers);
    spec_of_width(&r, 10);
    r.o.progress = on_slice;
    r.o.progress_ctx = &s;
    snprintf(label, sizeof label, "a spec that allows %u of them ends", customers);
    rig_done(&r, label);
    ok(s.n == ((int)customers + 499) / 500, "in slices of five hundred", "%d slices", s.n);
    ok(r.r.rows == customers, "each row was read again, and once", "%llu of %u", (unsigned long long)r.r.rows, customers);
    struct mapped m = {&r, rig_dump(&r), 0, 0};
    sage_sim_each_key(r.sage, "ABC", "customers", count_mapped, &m);
    ok(m.wanted > customers * 9 / 10 && m.there == m.wanted, "and mapped", "%zu of %zu", m.there, m.wanted);
    json_decref(m.dump);
    rig_close(&r);
    printf("# %u customers: %zu KiB after the first slice, %zu more at most\n", customers, s.first / 1024, (s.most - s.first) / 1024);
    return s.most - s.first;
}

static void test_violated_many(void)
{
    enum { MIB = 1 << 20 };
    size_t few = read_again(600, 49), many = read_again(4800, 50);
    read_again(1000, 51);                            /* the last slice is a whole one */
    ok(many < few + 4 * MIB, "rows that are read again take the memory of one slice", "%zu KiB for 600, %zu for 4,800", few / 1024, many / 1024);
}

static void test_rebuild(void)
{
    struct rig r;
    rig_open(&r, 60, 43);
    sage_sim_lock(r.sage, "ABC", "customers", rig_customer(&r, 4), 0, INT64_C(20) * 60 * 1000);
    rig_zoho_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"timeout_after\",\"delay_ms\":200000}]");
    rig_once(&r);
    int64_t writes = rig_writes(&r);
    tree_gone(rig_path(&r, "state/index"));
    sim_loop_advance(r.loop, INT64_C(30) * 60 * 1000);
    rig_done(&r, "a start without an index ends");
    ok(rig_writes(&r) <= writes + 2, "the index is folded from the log, nothing is sent again", "%lld writes", (long long)(rig_writes(&r) - writes));
    rig_compare(&r, "after the rebuild");
    rig_close(&r);
}

struct told { int n; char last[200], expr[200], inputs[300]; };
static void on_write(void *ctx, const struct view_write *w)
{
    struct told *t = ctx;
    t->n++;
    snprintf(t->last, sizeof t->last, "%.*s -> %.*s", (int)w->before.n, w->before.p, (int)w->after.n, w->after.p);
    snprintf(t->expr, sizeof t->expr, "%.*s", (int)w->expr.n, w->expr.p);
    snprintf(t->inputs, sizeof t->inputs, "%.*s", (int)w->inputs.n, w->inputs.p);
}

static void test_why(void)
{
    struct rig r;
    struct view *v;
    struct told t = {.n = 0};
    rig_open(&r, 30, 44);
    const char *k = rig_customer(&r, 4);
    rig_done(&r, "load ends");
    rig_edit(&r, k, "CreditHold", "Y");
    rig_done(&r, "edit ends");
    enum err err = view_open(&v, &r.world, rig_path(&r, "state"), NULL, NULL, &r.f);
    if (err == ERR_OK) {
        err = view_why(v, NULL, str_of(rig_key(k)), STR("Credit_Status"), on_write, &t, &r.f);
        ok(view_why(v, NULL, STR("ABC~99~NOBODY"), STR(""), on_write, &t, &r.f) == ERR_NOT_FOUND, "why of an unknown record says so", "%s", r.f.text);
        view_close(v);
    }
    ok(err == ERR_OK && t.n == 2 && strcmp(t.last, "Good -> On hold") == 0, "why tells both writes", "%d %s", t.n, t.last);
    ok(strstr(t.expr, "CreditHold") && strstr(t.inputs, "CreditHold = true"), "with the rule and its inputs", "%s / %s", t.expr, t.inputs);
    rig_close(&r);
}

static void test_replay_rules(void)
{
    struct rig r;
    struct engine *e;
    rig_open(&r, 30, 45);
    const char *k = rig_customer(&r, 4);
    rig_done(&r, "load ends");
    sage_sim_lock(r.sage, "ABC", "customers", k, 0, INT64_C(60) * 60 * 1000);
    rig_edit(&r, k, "City", "Newer");
    rig_once(&r);
    enum err err = rig_engine(&r, &e);
    if (err == ERR_OK) {
        err = engine_replay(e, NULL, str_of(rig_key(k)), true, false, "tester", &r.f);
        engine_close(e);
    }
    ok(err == ERR_REJECTED && strstr(r.f.text, "newer"), "replay from the log refuses to overwrite newer state", "%s", r.f.text);
    sim_loop_advance(r.loop, INT64_C(70) * 60 * 1000);
    rig_done(&r, "later it arrives");
    rig_compare(&r, "after the lock");
    char id[300];
    snprintf(id, sizeof id, "%s", rig_field(&r, rig_key(k), "id"));
    char why[200];
    zoho_sim_edit(r.zoho, "Accounts", id, "{\"Billing_City\":\"People's town\"}", why, sizeof why);
    err = rig_engine(&r, &e);
    if (err == ERR_OK) {
        err = engine_replay(e, NULL, str_of(rig_key(k)), false, false, "tester", &r.f);
        if (err == ERR_OK) err = engine_write(e, &r.r, &r.f);
        engine_close(e);
    }
    ok(err == ERR_OK, "a fresh replay ends", "%s", r.f.text);
    rig_compare(&r, "replay sends every field again");
    rig_close(&r);
}

static void test_second_start(void)
{
    struct rig r;
    struct engine *e, *second;
    rig_open(&r, 10, 46);
    rig_done(&r, "load ends");
    ok(rig_engine(&r, &e) == ERR_OK, "one engine opens", "%s", r.f.text);
    ok(rig_engine(&r, &second) == ERR_LOCKED_STATE, "a second start is refused", "%s", r.f.text);
    engine_close(e);
    rig_close(&r);
}

/* The control of what rig_close looks for. */
static void test_secret_found(void)
{
    struct rig r;
    rig_open(&r, 5, 48);
    rig_done(&r, "load ends");
    ok(rig_no_secret(&r), "no secret stands in the state directory", "see above");
    rig_write(&r, "state/note", "c2ltLXNlY3JldA==\n", 17);        /* sim-secret in base64 */
    ok(!rig_no_secret(&r), "one that stands there is found", "not seen");
    unlink(rig_path(&r, "state/note"));
    rig_close(&r);
}

int main(void)
{
    test_secret_found();
    test_changed_rule();
    test_new_column();
    test_violated();
    test_violated_many();
    test_rebuild();
    test_why();
    test_replay_rules();
    test_second_start();
    return ok_done();
}
