/* flow_test.c - the ordinary life of a flow: first load, quiet polls, edits, records that people made, once, fill, leaving and coming back. */
#include "rig.h"

static void test_load_and_edit(void)
{
    struct rig r;
    rig_open(&r, 120, 11);
    rig_done(&r, "first load ends");
    rig_compare(&r, "first load");
    int64_t writes = rig_writes(&r);
    ok(rig_counter(&r, "updates") == 0, "a first load only inserts", "%lld updates", (long long)rig_counter(&r, "updates"));
    rig_done(&r, "quiet poll ends");
    r.o.full = true;
    rig_done(&r, "quiet full pass ends");
    r.o.full = false;
    ok(rig_writes(&r) == writes, "quiet polls send nothing", "%lld writes more", (long long)(rig_writes(&r) - writes));
    rig_edit(&r, rig_customer(&r, 3), "City", "Springfield");
    rig_edit(&r, rig_customer(&r, 50), "CreditHold", "Y");
    rig_edit(&r, rig_customer(&r, 7), "AddressLine1", "1 New Street");   /* not mapped */
    rig_done(&r, "poll after edits ends");
    ok(rig_writes(&r) == writes + 2, "two mapped edits are two updates, an unmapped one none", "%lld", (long long)(rig_writes(&r) - writes));
    rig_compare(&r, "after edits");
    const char *k = rig_customer(&r, 9);
    sage_sim_edit(r.sage, "ABC", "customers", k, "City", "Stampless", SAGE_STAMP_KEPT);
    rig_done(&r, "poll of changes ends");
    ok(strcmp(rig_field(&r, rig_key(k), "Billing_City"), "Stampless") != 0, "a change without a stamp waits for the reread", "it came early");
    sim_loop_advance(r.loop, INT64_C(25) * 3600 * 1000);
    rig_done(&r, "reread ends");
    ok(strcmp(rig_field(&r, rig_key(k), "Billing_City"), "Stampless") == 0, "the reread finds it by its hash", "%s", rig_field(&r, rig_key(k), "Billing_City"));
    rig_compare(&r, "after the reread");
    rig_close(&r);
}

static void seed_account(struct rig *r, const char *json)
{
    char id[24], why[300];
    if (!zoho_sim_seed(r->zoho, "Accounts", json, id, why, sizeof why)) abort();
}

struct found { char ids[4][60]; char match[4][12]; size_t n; };
static void on_candidate(void *ctx, const struct adopt_candidate *c)
{
    struct found *f = ctx;
    if (f->n == 4) return;
    snprintf(f->ids[f->n], sizeof f->ids[0], "%.*s", (int)c->ids.n, c->ids.p);
    snprintf(f->match[f->n++], sizeof f->match[0], "%.*s", (int)c->match.n, c->match.p);
}

static void test_adoption(void)
{
    struct rig r;
    rig_open(&r, 60, 12);
    const char *one = rig_customer(&r, 2), *two = rig_customer(&r, 20);
    char *name1 = sage_sim_value(r.sage, "ABC", "customers", one, "CustomerName"), *name2 = sage_sim_value(r.sage, "ABC", "customers", two, "CustomerName");
    json_t *a = json_pack("{ssssss}", "Account_Name", name1, "Phone", "ask for Bob", "Website", "https://by-hand.example");
    char *text = json_dumps(a, 0);
    seed_account(&r, text);
    free(text);
    json_decref(a);
    a = json_pack("{ss}", "Account_Name", name2);
    text = json_dumps(a, 0);
    seed_account(&r, text);
    seed_account(&r, text);
    free(text);
    json_decref(a);
    rig_done(&r, "load beside records that people made ends");
    ok(r.r.waiting == 2, "records with candidates wait", "%llu wait", (unsigned long long)r.r.waiting);
    char why[300] = "";
    ok(strcmp(rig_state(&r, rig_key(one), why, sizeof why), "WAITING") == 0 && strstr(why, "mlcd adopt"), "the state says what to do", "%s", why);
    struct found found = {.n = 0};
    struct engine *e;
    if (rig_engine(&r, &e) == ERR_OK) {
        enum err err = engine_candidates(e, NULL, on_candidate, &found, &r.f);
        ok(err == ERR_OK && found.n == 2, "both are listed", "%s, %zu", r.f.text, found.n);
        engine_close(e);
    }
    bool first_exact = strcmp(found.match[0], "exact") == 0;
    const char *exact = found.ids[first_exact ? 0 : 1];
    ok(strcmp(found.match[first_exact ? 1 : 0], "several") == 0, "two of one name are several", "%s", found.match[1]);
    ok(rig_decide(&r, rig_key(one), exact) == ERR_OK, "the exact one is linked", "%s", r.f.text);
    ok(strcmp(rig_field(&r, rig_key(one), "Website"), "https://by-hand.example") == 0, "fill leaves what people wrote", "%s", rig_field(&r, rig_key(one), "Website"));
    ok(strcmp(rig_field(&r, rig_key(one), "Phone"), "ask for Bob") == 0, "unmapped fields stay", "%s", rig_field(&r, rig_key(one), "Phone"));
    ok(rig_decide(&r, rig_key(two), exact) == ERR_REJECTED, "an id cannot belong to two", "%s", r.f.text);
    ok(rig_decide(&r, rig_key(two), "") == ERR_OK, "the other is made anew", "%s", r.f.text);
    rig_compare(&r, "after adoption");
    ok(zoho_sim_count(r.zoho, "Accounts") == (size_t)rig_counter(&r, "inserts") + 3, "nothing was doubled", "%zu", zoho_sim_count(r.zoho, "Accounts"));
    free(name1), free(name2);
    rig_close(&r);
}

static void test_filled_module_without_adopt(void)
{
    struct rig r;
    rig_open(&r, 10, 13);
    char flow[2000];
    snprintf(flow, sizeof flow, "%s", SPEC_FLOW);
    char *adopt = strstr(flow, "  adopt by Account_Name == CustomerName\n");
    memset(adopt, ' ', strlen("  adopt by Account_Name == CustomerName"));
    seed_account(&r, "{\"Account_Name\":\"Somebody\"}");
    rig_spec(&r, SPEC_HEAD, flow);
    ok(rig_once(&r) == ERR_CONFIG && strstr(r.f.text, "--create-all"), "a filled module is not filled without a rule", "%s", r.f.text);
    ok(rig_writes(&r) == 0, "nothing was written", "%lld", (long long)rig_writes(&r));
    r.o.create_all = true;
    rig_done(&r, "--create-all fills it");
    rig_compare(&r, "after --create-all");
    rig_close(&r);
}

static void test_once_and_fill(void)
{
    struct rig r;
    rig_open(&r, 20, 14);
    const char *k = rig_customer(&r, 1), *bare = rig_customer(&r, 2);
    rig_edit(&r, bare, "URLAddress", "");
    rig_done(&r, "load ends");
    char id[300], owner[300];
    snprintf(id, sizeof id, "%s", rig_field(&r, rig_key(k), "id"));
    snprintf(owner, sizeof owner, "%s", rig_field(&r, rig_key(k), "Owner"));
    ok(owner[0], "once set the owner", "no owner");
    char why[300], edit[200];
    snprintf(edit, sizeof edit, "{\"Owner\":{\"id\":\"%s\"},\"Website\":\"https://people.example\"}", "4876876000000900003");
    bool edited = zoho_sim_edit(r.zoho, "Accounts", id, edit, why, sizeof why);
    if (!edited) zoho_sim_edit(r.zoho, "Accounts", id, "{\"Website\":\"https://people.example\"}", why, sizeof why);
    snprintf(owner, sizeof owner, "%s", rig_field(&r, rig_key(k), "Owner"));
    rig_edit(&r, k, "City", "Elsewhere");
    rig_edit(&r, k, "URLAddress", "https://sage.example");
    rig_edit(&r, bare, "URLAddress", "https://bare.example");
    rig_done(&r, "poll after people's edits ends");
    ok(strcmp(rig_field(&r, rig_key(k), "Website"), "https://people.example") == 0, "fill never overwrites", "%s", rig_field(&r, rig_key(k), "Website"));
    ok(strcmp(rig_field(&r, rig_key(bare), "Website"), "https://bare.example") == 0, "fill writes while empty", "%s", rig_field(&r, rig_key(bare), "Website"));
    ok(strcmp(rig_field(&r, rig_key(k), "Owner"), owner) == 0, "once never writes again", "%s", rig_field(&r, rig_key(k), "Owner"));
    rig_compare(&r, "after people's edits");
    rig_close(&r);
}

static void test_leave_and_return(void)
{
    struct rig r;
    rig_open(&r, 30, 15);
    rig_done(&r, "load ends");
    const char *k = rig_customer(&r, 4);
    rig_edit(&r, k, "CustomerStatus", "T");
    rig_done(&r, "poll ends");
    ok(strcmp(rig_field(&r, rig_key(k), "Sage_Status"), "Left") == 0, "a row that leaves is marked", "%s", rig_field(&r, rig_key(k), "Sage_Status"));
    ok(strcmp(rig_state(&r, rig_key(k), NULL, 0), "LEFT") == 0, "its state is LEFT", "%s", rig_state(&r, rig_key(k), NULL, 0));
    rig_edit(&r, k, "CustomerStatus", "A");
    rig_edit(&r, k, "City", "Backtown");
    rig_done(&r, "poll ends again");
    rig_compare(&r, "after the return");
    rig_close(&r);
}

int main(void)
{
    test_load_and_edit();
    test_adoption();
    test_filled_module_without_adopt();
    test_once_and_fill();
    test_leave_and_return();
    return ok_done();
}
