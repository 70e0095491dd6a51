/* reconcile_test.c - what `mlcd reconcile` finds is exactly what the test did to either side, by record and kind: the test plants at random and keeps its
 * own list, reconcile is not asked for it. Then the sums by customer, the repair, and the comparison beside a process that holds the state. */
#include "rig.h"
#include "sync/reconcile.h"
#include "value/decimal.h"
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 400 };
struct found { char key[80]; enum reconcile_class cls; char fields[300], why[200]; };
struct report {
    struct found list[MOST]; size_t n;
    struct reconcile_flow flow;
    struct reconcile_result r;
    uint64_t totals, differing, source_records, target_records;
    struct value sums[2];
    enum err err;
};

static void on_difference(void *ctx, const struct reconcile_difference *d)
{
    struct report *rep = ctx;
    char key[80];
    snprintf(key, sizeof key, "%.*s", (int)d->key.n, d->key.p);
    struct found *at = rep->n && strcmp(rep->list[rep->n - 1].key, key) == 0 ? &rep->list[rep->n - 1] : NULL;
    if (!at && rep->n < MOST) {
        at = &rep->list[rep->n++];
        *at = (struct found){.cls = d->cls};
        memcpy(at->key, key, sizeof key);
        snprintf(at->why, sizeof at->why, "%s", d->why);
    }
    if (!at) return;
    if (d->cls > at->cls) at->cls = d->cls;
    size_t len = strlen(at->fields);
    snprintf(at->fields + len, sizeof at->fields - len, "%.*s(%.*s|%.*s|%.*s) ", (int)d->field.n, d->field.p, (int)d->source.n, d->source.p, (int)d->written.n,
             d->written.p, (int)d->target.n, d->target.p);
}

static void on_total(void *ctx, const struct reconcile_total *t)
{
    struct report *rep = ctx;
    rep->totals++;
    rep->differing += t->differs;
    rep->source_records += t->source_records;
    rep->target_records += t->target_records;
    decimal_add(&rep->sums[0], &t->source_sum, &rep->sums[0]);
    decimal_add(&rep->sums[1], &t->target_sum, &rep->sums[1]);
}

static void on_flow(void *ctx, const struct reconcile_flow *r)
{
    struct report *rep = ctx;
    rep->flow = *r;
}

static enum err look(struct rig *r, struct engine **e)
{
    bool was = r->o.beside;
    r->o.beside = r->o.look = true;
    r->f = (struct fault){ERR_OK, ""};
    enum err err = rig_engine(r, e);
    r->o.beside = r->o.look = was;
    return err;
}

static void reconcile(struct rig *r, const struct reconcile_options *o, struct report *rep)
{
    struct engine *e;
    struct reconcile_sink sink = {on_difference, on_total, on_flow, rep};
    *rep = (struct report){.sums = {value_decimal(0, 0), value_decimal(0, 0)}};
    rep->err = look(r, &e);
    if (rep->err != ERR_OK) return;
    rep->err = engine_reconcile(e, o, &sink, &rep->r, &r->f);
    engine_close(e);
}

static const struct found *found_of(const struct report *rep, const char *key)
{
    for (size_t i = 0; i < rep->n; i++)
        if (strcmp(rep->list[i].key, key) == 0) return &rep->list[i];
    return NULL;
}

static const char *class_of(const struct report *rep, const char *key)
{
    const struct found *f = found_of(rep, key);
    return f ? reconcile_class_name(f->cls) : "same";
}

static void zoho_edit(struct rig *r, const char *key, const char *json)
{
    char id[300], why[200];
    snprintf(id, sizeof id, "%s", rig_field(r, rig_key(key), "id"));
    if (!zoho_sim_edit(r->zoho, "Accounts", id, json, why, sizeof why)) abort();
}

/* What was done to a customer, and what it has to be called. */
enum deed { NOTHING, SAGE, ZOHO, BOTH, SAME_BOTH, ZOHO_GONE, SAGE_GONE, FILLED, DEEDS };
static const char *const called[DEEDS] = {"same", "ahead", "edited", "conflict", "same", "missing", "orphan", "same"};
struct planted { struct rig *r; char key[MOST][64]; enum deed deed[MOST]; size_t n; unsigned dice; };

static bool note_key(void *ctx, const char *key)
{
    struct planted *p = ctx;
    char *status = sage_sim_value(p->r->sage, "ABC", "customers", key, "CustomerStatus"), *name = sage_sim_value(p->r->sage, "ABC", "customers", key, "CustomerName");
    if (status && strcmp(status, "T") != 0 && name && *name && p->n < MOST) snprintf(p->key[p->n++], sizeof p->key[0], "%s", key);
    free(status), free(name);
    return true;
}

static void do_one(struct planted *p, size_t i)
{
    struct rig *r = p->r;
    const char *k = p->key[i];
    char id[300];
    p->dice = p->dice * 1103515245u + 12345u;
    p->deed[i] = (p->dice >> 16) % 3 == 0 ? (enum deed)(1 + (p->dice >> 20) % (DEEDS - 1)) : NOTHING;
    if (p->deed[i] == ZOHO || p->deed[i] == BOTH) zoho_edit(r, k, "{\"Billing_City\":\"Byhand\"}");
    if (p->deed[i] == SAME_BOTH) zoho_edit(r, k, "{\"Billing_City\":\"Sametown\"}");
    if (p->deed[i] == FILLED) zoho_edit(r, k, "{\"Website\":\"https://by-hand.example\",\"Description\":\"not ours\"}");
    if (p->deed[i] == ZOHO_GONE) {
        snprintf(id, sizeof id, "%s", rig_field(r, rig_key(k), "id"));
        zoho_sim_delete(r->zoho, "Accounts", id, true);
    }
    if (p->deed[i] == SAGE || p->deed[i] == BOTH) rig_edit(r, k, "City", "Newtown");
    if (p->deed[i] == SAME_BOTH) rig_edit(r, k, "City", "Sametown");
    if (p->deed[i] == SAGE_GONE) sage_sim_delete(r->sage, "ABC", "customers", k);
}

static size_t plant(struct planted *p, struct rig *r, unsigned seed)
{
    size_t planted = 0;
    *p = (struct planted){.r = r, .dice = seed};
    sage_sim_each_key(r->sage, "ABC", "customers", note_key, p);
    for (size_t i = 0; i < p->n; i++) {
        do_one(p, i);
        planted += strcmp(called[p->deed[i]], "same") != 0;
    }
    return planted;
}

static void test_classes(unsigned seed)
{
    struct rig r;
    struct report rep;
    static struct planted p;
    char name[120];
    rig_open(&r, 160, seed);
    rig_done(&r, "load ends");
    int64_t writes = rig_writes(&r);
    reconcile(&r, &(struct reconcile_options){.by = "tester"}, &rep);
    ok(rep.err == ERR_OK && rep.r.differences == 0 && rep.n == 0, "after a load nothing differs", "%s, %llu differences, first %s %s", r.f.text,
       (unsigned long long)rep.r.differences, rep.n ? rep.list[0].key : "", rep.n ? rep.list[0].fields : "");
    size_t planted = plant(&p, &r, seed);
    reconcile(&r, &(struct reconcile_options){.by = "tester"}, &rep);
    size_t wrong = 0;
    for (size_t i = 0; i < p.n; i++) {
        if (strcmp(class_of(&rep, rig_key(p.key[i])), called[p.deed[i]]) == 0) continue;
        if (wrong++ == 0) printf("# %s: deed %d, called %s\n", p.key[i], (int)p.deed[i], class_of(&rep, rig_key(p.key[i])));
    }
    snprintf(name, sizeof name, "seed %u: every one of %zu records is called what was done to it", seed, p.n);
    ok(rep.err == ERR_OK && wrong == 0, name, "%s, %zu wrong", r.f.text, wrong);
    ok(rep.n == planted && rep.r.differences == planted, "and nothing else is told", "%zu told, %zu planted", rep.n, planted);
    ok(rep.flow.counts[RECONCILE_SAME] + planted == p.n && rep.flow.source + rep.flow.counts[RECONCILE_ORPHAN] == p.n, "the counts add up", "%llu same, %zu of %zu",
       (unsigned long long)rep.flow.counts[RECONCILE_SAME], planted, p.n);
    ok(rep.flow.target == zoho_sim_count(r.zoho, "Accounts"), "the target's records are counted", "%llu", (unsigned long long)rep.flow.target);
    ok(rig_writes(&r) == writes, "nothing was written", "%lld", (long long)(rig_writes(&r) - writes));
    ok(rep.r.credits > 0 && (uint64_t)rep.r.credits <= rep.r.target_calls + 2, "credits are counted: one a call", "%lld credits, %llu calls", (long long)rep.r.credits,
       (unsigned long long)rep.r.target_calls);
    rig_close(&r);
}

static void test_three_values(void)
{
    struct rig r;
    struct report rep;
    rig_open(&r, 30, 61);
    const char *k = rig_customer(&r, 4);
    rig_edit(&r, k, "City", "Before");
    rig_done(&r, "load ends");
    rig_edit(&r, k, "City", "After");
    zoho_edit(&r, k, "{\"Billing_City\":\"Byhand\"}");
    reconcile(&r, &(struct reconcile_options){.by = "tester"}, &rep);
    const struct found *f = found_of(&rep, rig_key(k));
    ok(f && strcmp(f->fields, "Billing_City(After|Before|Byhand) ") == 0, "a conflict shows what the source says, what we wrote, what stands there", "%s", f ? f->fields : "nothing");
    rig_close(&r);
}

static void test_only_in_target(void)
{
    struct rig r;
    struct report rep;
    char id[64], why[200];
    rig_open(&r, 30, 62);
    rig_done(&r, "load ends");
    zoho_sim_seed(r.zoho, "Accounts", "{\"Account_Name\":\"Nobody\",\"Sage_Customer\":\"ABC~99~NOBODY\"}", id, why, sizeof why);
    zoho_sim_seed(r.zoho, "Accounts", "{\"Account_Name\":\"People made this\"}", id, why, sizeof why);
    reconcile(&r, &(struct reconcile_options){.by = "tester"}, &rep);
    ok(rep.n == 1 && strcmp(class_of(&rep, "ABC~99~NOBODY"), "orphan") == 0, "a key of ours that Sage does not know is an orphan; records without key are people's", "%zu, %s",
       rep.n, rep.n ? rep.list[0].key : "");
    sage_sim_insert(r.sage, "ABC", "customers", "99~NOBODY", NULL, NULL);
    rig_edit(&r, "99~NOBODY", "CustomerStatus", "A");
    rig_edit(&r, "99~NOBODY", "CustomerName", "Nobody");
    reconcile(&r, &(struct reconcile_options){.by = "tester"}, &rep);
    ok(strcmp(class_of(&rep, "ABC~99~NOBODY"), "ahead") == 0, "one that Sage has got meanwhile is not yet linked: the source is ahead", "%s", class_of(&rep, "ABC~99~NOBODY"));
    sage_sim_insert(r.sage, "ABC", "customers", "99~NEW", NULL, NULL);
    rig_edit(&r, "99~NEW", "CustomerStatus", "A");
    rig_edit(&r, "99~NEW", "CustomerName", "New");
    reconcile(&r, &(struct reconcile_options){.by = "tester"}, &rep);
    const struct found *f = found_of(&rep, "ABC~99~NEW");
    ok(f && f->cls == RECONCILE_MISSING && strstr(f->why, "no pass has read it"), "one that nobody has read yet is missing", "%s", f ? f->why : "not told");
    rig_close(&r);
}

static void test_aside(void)
{
    struct rig r;
    struct report rep;
    char id[64], why[200], json[300];
    rig_open(&r, 30, 63);
    const char *k = rig_customer(&r, 3), *l = rig_customer(&r, 5), *m = rig_customer(&r, 7);
    char *name = sage_sim_value(r.sage, "ABC", "customers", l, "CustomerName");
    snprintf(json, sizeof json, "{\"Account_Name\":\"%s\"}", name);
    zoho_sim_seed(r.zoho, "Accounts", json, id, why, sizeof why);
    free(name);
    rig_zoho_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\",\"body_contains\":\"Refused\"},\"do\":\"partial\",\"times\":0,\"code\":\"INVALID_DATA\","
                       "\"field\":\"Billing_City\",\"message\":\"no such city\"}]");
    rig_edit(&r, k, "City", "Refused");
    rig_once(&r);
    sage_sim_lock(r.sage, "ABC", "customers", m, 0, INT64_C(60) * 60 * 1000);
    reconcile(&r, &(struct reconcile_options){.by = "tester"}, &rep);
    const struct found *rejected = found_of(&rep, rig_key(k)), *waiting = found_of(&rep, rig_key(l)), *locked = found_of(&rep, rig_key(m));
    ok(rejected && rejected->cls == RECONCILE_REJECTED && strstr(rejected->why, "no such city"), "a refused record says why", "%s", rejected ? rejected->why : "not told");
    ok(waiting && waiting->cls == RECONCILE_WAITING && strstr(waiting->why, "adopt"), "one that waits for a person too", "%s", waiting ? waiting->why : "not told");
    ok(locked && locked->cls == RECONCILE_WAITING && strstr(locked->why, "in use"), "one that is locked in Sage could not be read", "%s", locked ? locked->why : "not told");
    rig_close(&r);
}

static void test_repair(unsigned seed)
{
    struct rig r;
    struct report rep;
    static struct planted p;
    rig_open(&r, 120, seed);
    rig_done(&r, "load ends");
    plant(&p, &r, seed);
    int64_t writes = rig_writes(&r);
    reconcile(&r, &(struct reconcile_options){.repair = true, .by = "the controller"}, &rep);
    uint64_t expected = 0, gone = 0;
    for (size_t i = 0; i < p.n; i++) {
        expected += p.deed[i] == SAGE || p.deed[i] == ZOHO || p.deed[i] == BOTH;
        gone += p.deed[i] == ZOHO_GONE;
    }
    ok(rep.err == ERR_OK && rep.r.marked == expected, "repair marks what differs", "%llu of %llu, %s", (unsigned long long)rep.r.marked, (unsigned long long)expected, r.f.text);
    ok(rig_writes(&r) == writes, "and writes nothing itself", "%lld", (long long)(rig_writes(&r) - writes));
    sim_loop_advance(r.loop, INT64_C(25) * 3600 * 1000);
    rig_done(&r, "the next run ends");
    reconcile(&r, &(struct reconcile_options){.by = "tester"}, &rep);
    ok(rep.err == ERR_OK && rep.r.differences == gone && rep.flow.counts[RECONCILE_MISSING] == gone, "then only what people deleted is missing", "%llu differ, %llu missing, %llu gone: %s %s",
       (unsigned long long)rep.r.differences, (unsigned long long)rep.flow.counts[RECONCILE_MISSING], (unsigned long long)gone, rep.n ? rep.list[0].key : "", rep.n ? rep.list[0].fields : "");
    reconcile(&r, &(struct reconcile_options){.repair = true, .recreate = true, .by = "the controller"}, &rep);
    ok(rep.r.marked == gone, "recreate marks those", "%llu of %llu", (unsigned long long)rep.r.marked, (unsigned long long)gone);
    rig_done(&r, "and the run after it");
    reconcile(&r, &(struct reconcile_options){.by = "tester"}, &rep);
    ok(rep.err == ERR_OK && rep.r.differences == 0, "everything is in sync", "%llu differ: %s %s", (unsigned long long)rep.r.differences, rep.n ? rep.list[0].key : "",
       rep.n ? rep.list[0].fields : "");
    rig_compare(&r, "after the repair");
    rig_close(&r);
}

/* ---- sums ---- */
static const char SUMS_FLOW[] =
    "flow customers from erp.AR_Customer to crm.Accounts {\n  every 15m key Sage_Customer\n  when CustomerStatus != \"T\"\n"
    "  Account_Name = CustomerName ?? reject \"customer without a name\"\n  Credit_Limit = CreditLimit\n}\n";
struct sum { struct rig *r; struct value total; uint64_t n; };

static bool add_limit(void *ctx, const char *key)
{
    struct sum *s = ctx;
    char *status = sage_sim_value(s->r->sage, "ABC", "customers", key, "CustomerStatus"), *name = sage_sim_value(s->r->sage, "ABC", "customers", key, "CustomerName");
    char *limit = sage_sim_value(s->r->sage, "ABC", "customers", key, "CreditLimit");
    struct value v;
    if (status && strcmp(status, "T") != 0 && name && *name) {
        s->n++;
        if (limit && decimal_parse_json(str_of(limit), &v)) decimal_add(&s->total, &v, &s->total);
    }
    free(status), free(name), free(limit);
    return true;
}

static void test_totals(void)
{
    struct rig r;
    struct report rep;
    char head[2000];
    rig_open(&r, 80, 64);
    const char *at = strstr(SPEC_HEAD, "Payment_Terms: text(40)");
    snprintf(head, sizeof head, "%.*sPayment_Terms: text(40)  Credit_Limit: decimal(15,2) }\n", (int)(at - SPEC_HEAD), SPEC_HEAD);
    if (!rig_spec(&r, head, SUMS_FLOW)) return;
    const char *k = rig_customer(&r, 2), *l = rig_customer(&r, 6);
    rig_edit(&r, k, "CreditLimit", "1000.00");
    rig_done(&r, "load ends");
    struct sum s = {&r, value_decimal(0, 0), 0};
    sage_sim_each_key(r.sage, "ABC", "customers", add_limit, &s);
    reconcile(&r, &(struct reconcile_options){.totals = true, .by = "tester"}, &rep);
    ok(rep.err == ERR_OK && rep.differing == 0 && rep.totals == s.n, "a total for each customer, none differs", "%llu of %llu", (unsigned long long)rep.totals, (unsigned long long)s.n);
    ok(decimal_compare(&rep.sums[0], &s.total) == 0 && decimal_compare(&rep.sums[1], &s.total) == 0, "both sums are Sage's", "%s", "differ");
    zoho_edit(&r, k, "{\"Credit_Limit\":400.5}");
    char id[300];
    snprintf(id, sizeof id, "%s", rig_field(&r, rig_key(l), "id"));
    zoho_sim_delete(r.zoho, "Accounts", id, true);
    reconcile(&r, &(struct reconcile_options){.totals = true, .by = "tester"}, &rep);
    ok(rep.differing == 2 && rep.source_records == s.n && rep.target_records == s.n - 1, "an amount changed by hand and a record deleted show in two totals", "%llu, %llu, %llu",
       (unsigned long long)rep.differing, (unsigned long long)rep.source_records, (unsigned long long)rep.target_records);
    rig_close(&r);
}

/* ---- beside a process that holds the state ---- */
/* In a process of its own, as a user runs it: LMDB's locks do not bear one environment opened twice in one process. */
static bool reconciled_beside(struct rig *r, const char *key)
{
    int status = -1;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct report rep;
        reconcile(r, &(struct reconcile_options){.by = "tester"}, &rep);
        _exit(rep.err == ERR_OK && rep.n == 1 && strcmp(class_of(&rep, key), "edited") == 0 ? 0 : 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_beside(void)
{
    struct rig r;
    struct engine *holder;
    rig_open(&r, 60, 65);
    rig_done(&r, "load ends");
    const char *k = rig_customer(&r, 4);
    zoho_edit(&r, k, "{\"Billing_City\":\"Byhand\"}");
    if (!ok(rig_engine(&r, &holder) == ERR_OK, "a process holds the state", "%s", r.f.text)) return;
    ok(reconciled_beside(&r, rig_key(k)), "reconcile works beside it", "%s", "it failed, or did not tell the one edit");
    engine_close(holder);
    rig_done(&r, "and leaves nothing behind");
    rig_close(&r);
}

static void test_nothing(void)
{
    struct rig r;
    struct report rep;
    rig_open(&r, 5, 66);
    reconcile(&r, &(struct reconcile_options){.by = "tester"}, &rep);
    ok(rep.err == ERR_OK && rep.flow.counts[RECONCILE_MISSING] == rep.flow.source && rep.flow.source > 0, "before the first load everything is missing", "%s, %llu of %llu", r.f.text,
       (unsigned long long)rep.flow.counts[RECONCILE_MISSING], (unsigned long long)rep.flow.source);
    rig_close(&r);
}

/* The source lists 10,000 keys a page: what vanished at the seam of two pages is found too. */
struct nth { int n; int at[6]; char key[6][64]; };
static bool pick_nth(void *ctx, const char *key)
{
    struct nth *p = ctx;
    for (int i = 0; i < 6; i++)
        if (p->at[i] == p->n) snprintf(p->key[i], sizeof p->key[i], "%s", key);
    p->n++;
    return true;
}

static void test_pages(void)
{
    struct rig r;
    struct report rep;
    struct nth p = {.at = {0, 9998, 9999, 10000, 10001, 10299}};
    rig_open(&r, 10300, 67);
    r.o.page_rows = 1000;
    r.o.batch_rows = 100;
    r.o.map_bytes = 256 << 20;
    rig_done(&r, "load of two pages of keys ends");
    sage_sim_each_key(r.sage, "ABC", "customers", pick_nth, &p);
    size_t expected = 0, right = 0;
    for (int i = 0; i < 6; i++) {
        expected += strcmp(rig_field(&r, rig_key(p.key[i]), "Sage_Status"), "Active") == 0;      /* not those that the filter left out */
        sage_sim_delete(r.sage, "ABC", "customers", p.key[i]);
    }
    reconcile(&r, &(struct reconcile_options){.by = "tester"}, &rep);
    for (int i = 0; i < 6; i++) right += strcmp(class_of(&rep, rig_key(p.key[i])), "orphan") == 0;
    ok(rep.err == ERR_OK && expected >= 4 && right == expected && rep.n == expected, "what vanished at the seam of two pages is found, and nothing else", "%zu of %zu, %zu told, %s", right,
       expected, rep.n, r.f.text);
    rig_close(&r);
}

int main(void)
{
    test_pages();
    for (unsigned seed = 71; seed < 75; seed++) test_classes(seed);
    test_three_values();
    test_only_in_target();
    test_aside();
    test_repair(81);
    test_repair(82);
    test_totals();
    test_beside();
    test_nothing();
    return ok_done();
}
