/* read_test.c - lookups, reads by id, count, users, metadata check and probe against the model. */
#include "rig.h"
#include "value/date.h"

static struct rig r;
static struct lookup_hit *hits;
static size_t nhits;

static enum err look(const char *module, const char *field, const struct str *values, size_t n, const char *want)
{
    struct str w = str_of(want);
    return zoho_target_ops.lookup(r.t, str_of(module), str_of(field), values, n, &w, want ? 1 : 0, &r.arena, &hits, &nhits, &r.f);
}

static bool seed(const char *module, const char *json)
{
    char id[24], why[200] = "";
    bool good = zoho_sim_seed(r.sim, module, json, id, why, sizeof why);
    if (!good) check(false, "seed", why);
    return good;
}

static const struct value *field_of_hit(size_t i, const char *name) { return record_get(&hits[i].fields, str_of(name)); }

static void test_lookup(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    struct write_batch *b = rig_accounts(&r, "K", 100);
    (void)rig_write(&r, b);
    (void)seed("Accounts", "{\"Account_Name\":\"k-7\",\"Sage_Customer\":\"other\",\"Annual_Revenue\":12.5}");
    struct str values[100];
    for (size_t i = 0; i < 100; i++) values[i] = *(struct str[]){{b->items[i].fields->f[1].v.u.text, b->items[i].fields->f[1].v.len}};
    enum err e = look("Accounts", "Sage_Customer", values, 100, "Account_Name");
    check(e == ERR_OK && nhits == 100, "a hundred keys in one query", r.f.text);
    bool good = true;
    for (size_t i = 0; i < nhits; i++) good = good && str_eq(hits[i].id, b->items[hits[i].value_index].out_id) && field_of_hit(i, "Account_Name");
    check(good, "each hit names its value and brings its fields", "not");
    struct str name = STR("K-7");
    e = look("Accounts", "Account_Name", &name, 1, "Sage_Customer");
    check(e == ERR_OK && nhits == 1, "another spelling is no hit", r.f.text);
    struct str none[2] = {STR("nobody"), STR("")};
    e = look("Accounts", "Sage_Customer", none, 2, NULL);
    check(e == ERR_OK && nhits == 0, "no hit", r.f.text);
    struct str number[2] = {STR("12.50"), STR("abc")};
    e = look("Accounts", "Annual_Revenue", number, 2, "Annual_Revenue");
    check(e == ERR_OK && nhits == 1 && field_of_hit(0, "Annual_Revenue")->kind == V_DECIMAL, "numbers are compared by value", r.f.text);
    check(look("Accounts", "No_Such", none, 1, NULL) == ERR_CONFIG, "unknown field", r.f.text);
    check(look("Nonsense", "Name", none, 1, NULL) == ERR_CONFIG, "unknown module", r.f.text);
    check(look("Accounts where 1=1", "Name", none, 1, NULL) == ERR_CONFIG, "a name that is no name", r.f.text);
    rig_close(&r);
}

static void test_odd_values(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    static const char *const odd[] = {"O'Brien & Sons", "back\\slash", "comma, (paren)", "tab\there", "100%", "\xc3\x84rger \xe2\x82\xac", "quote\"d", "') or (Account_Name like '%"};
    struct str v[8];
    struct write_batch *b = rig_accounts(&r, "O", 8);
    for (size_t i = 0; i < 8; i++) {
        struct record *rec = ARENA_NEW(&r.arena, struct record);
        *rec = rig_record(&r, (const char *const[]){"Account_Name", odd[i], NULL});
        b->items[i].fields = rec;
        v[i] = str_of(odd[i]);
    }
    (void)rig_write(&r, b);
    check(all_are(b, W_APPLIED), "odd names are written", first_of(&r, b));
    r.now += 10000;
    for (size_t i = 0; i < 8; i++) {
        enum err e = look("Accounts", "Account_Name", &v[i], 1, NULL);
        check(e == ERR_OK && nhits == 1 && str_eq(hits[0].id, b->items[i].out_id), odd[i], r.f.text[0] ? r.f.text : "not found");
    }
    enum err e = look("Accounts", "Account_Name", v, 8, NULL);
    check(e == ERR_OK && nhits == 8, "all of them at once", r.f.text);
    rig_fault(&r, "[{\"match\":{\"path\":\"/crm/v8/coql\",\"body_contains\":\"Brien\"},\"do\":\"flat_400\",\"code\":\"SYNTAX_ERROR\"}]");
    e = look("Accounts", "Account_Name", v, 1, NULL);
    check(e == ERR_OK && nhits == 1 && strstr(r.last_url, "/search?"), "what COQL does not understand is searched for", r.f.text);
    rig_close(&r);
}

static void test_many(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    for (int k = 0; k < 5; k++) {
        struct write_batch *b = rig_batch(&r, WRITE_INSERT, "Contacts", 100);
        struct record rec = rig_record(&r, (const char *const[]){"Last_Name", "Smith", NULL});
        for (size_t i = 0; i < 100; i++) b->items[i].fields = &rec;
        (void)rig_write(&r, b);
    }
    struct str v = STR("Smith");
    enum err e = look("Contacts", "Last_Name", &v, 1, "Last_Name");
    check(e == ERR_OK && nhits == 500, "more hits than a page", r.f.text);
    rig_close(&r);
}

/* As many as a caller may ask for at once: more than one call takes, for Zoho bounds the ids of a call by their characters. */
static void test_read_many(void)
{
    struct str ids[100], want[1] = {STR("Sage_Customer")};
    bool each = true;
    rig_open(&r, NULL);
    rig_target(&r);
    struct write_batch *b = rig_accounts(&r, "M", 100);
    (void)rig_write(&r, b);
    for (size_t i = 0; i < 100; i++) ids[i] = b->items[99 - i].out_id;
    enum err e = zoho_target_ops.read(r.t, STR("Accounts"), ids, 100, want, 1, &r.arena, &hits, &nhits, &r.f);
    for (size_t i = 0; i < nhits; i++) each = each && hits[i].value_index < 100 && str_eq(hits[i].id, ids[hits[i].value_index]);
    check(e == ERR_OK && nhits == 100 && each, "a hundred records by id", r.f.text);
    rig_close(&r);
}

static void test_read(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    struct write_batch *b = rig_accounts(&r, "R", 2);
    (void)rig_write(&r, b);
    (void)seed("Contacts", arena_printf(&r.arena, "{\"Last_Name\":\"Lee\",\"Account_Name\":{\"id\":\"%.*s\"},\"Date_of_Birth\":\"1980-02-29\",\"Email_Opt_Out\":true}",
                                        (int)b->items[0].out_id.n, b->items[0].out_id.p));
    struct str v = STR("Lee"), ids[4] = {b->items[1].out_id, STR("4876876000009999999"), b->items[0].out_id, STR("no id")};
    struct str want[2] = {STR("Account_Name"), STR("Sage_Customer")};
    enum err e = zoho_target_ops.read(r.t, STR("Accounts"), ids, 4, want, 2, &r.arena, &hits, &nhits, &r.f);
    check(e == ERR_OK && nhits == 2, "by id; what is gone has no hit", r.f.text);
    struct str more[4] = {STR("Account_Name"), STR("Date_of_Birth"), STR("Created_Time"), STR("Email_Opt_Out")};
    e = zoho_target_ops.lookup(r.t, STR("Contacts"), STR("Last_Name"), &v, 1, more, 4, &r.arena, &hits, &nhits, &r.f);
    bool one = e == ERR_OK && nhits == 1;
    check(one && field_of_hit(0, "Account_Name")->kind == V_ID && str_eq(value_str(field_of_hit(0, "Account_Name")), b->items[0].out_id), "a lookup is an id", r.f.text);
    check(one && field_of_hit(0, "Date_of_Birth")->kind == V_DATE && field_of_hit(0, "Created_Time")->kind == V_INSTANT &&
          field_of_hit(0, "Email_Opt_Out")->kind == V_BOOL, "kinds by the metadata", "wrong");
    struct zoho_module *m;
    struct str all[120];
    size_t n = 0;
    (void)zoho__fields(r.t, STR("Accounts"), &m, &r.f);
    for (size_t i = 0; i < m->nfields && n < 100; i++)
        if (!str_is(m->fields[i].data_type, "subform") && !str_is(m->fields[i].name, "id")) all[n++] = m->fields[i].name;
    while (n < 60) all[n] = all[n - 20], n++;
    e = zoho_target_ops.read(r.t, STR("Accounts"), ids, 3, all, n, &r.arena, &hits, &nhits, &r.f);
    check(e == ERR_OK && nhits == 2 && field_of_hit(0, "Sage_Customer") && field_of_hit(0, "Account_Name"), "more fields than a list call takes", r.f.text);
    v = STR("R~1");
    e = zoho_target_ops.lookup(r.t, STR("Accounts"), STR("Sage_Customer"), &v, 1, all, n, &r.arena, &hits, &nhits, &r.f);
    check(e == ERR_OK && nhits == 1 && field_of_hit(0, "Account_Name"), "more fields than a query takes", r.f.text);
    int64_t count;
    e = zoho_target_ops.count(r.t, STR("Accounts"), &count, &r.f);
    check(e == ERR_OK && count == (int64_t)zoho_sim_count(r.sim, "Accounts"), "count", r.f.text);
    rig_fault(&r, "[{\"match\":{\"method\":\"GET\"},\"do\":\"502\",\"times\":2}]");
    e = zoho_target_ops.count(r.t, STR("Accounts"), &count, &r.f);
    check(e == ERR_OK && strstr(r.notes, "attempt 2"), "reads are repeated, and the repeats noted", r.f.text);
    rig_fault(&r, "[{\"match\":{\"method\":\"GET\"},\"do\":\"429\",\"times\":1,\"retry_after\":9}]");
    int64_t t = r.now;
    e = zoho_target_ops.count(r.t, STR("Accounts"), &count, &r.f);
    check(e == ERR_OK && r.now - t >= 9000, "a read sits a 429 out", r.f.text);
    rig_fault(&r, "[{\"match\":{\"method\":\"GET\"},\"do\":\"truncated_json\"}]");
    check(zoho_target_ops.read(r.t, STR("Accounts"), ids, 1, want, 1, &r.arena, &hits, &nhits, &r.f) == ERR_PROTOCOL, "an answer that cannot be read", r.f.text);
    rig_close(&r);
}

static void test_users(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    struct str v[3] = {STR("Ben.Berger@nordwind-handel.example"), STR("dirk.duhn@nordwind-handel.example"), STR("nobody@x.example")};
    enum err e = look("users", "email", v, 3, "full_name");
    check(e == ERR_OK && nhits == 1 && hits[0].value_index == 0 && str_is(hits[0].id, "4876876000000411002"), "an active user by e-mail", r.f.text);
    check(nhits == 1 && str_is(value_str(field_of_hit(0, "full_name")), "Ben Berger"), "with fields", "not");
    unsigned before = r.requests;
    (void)look("users", "email", v, 1, NULL);
    check(nhits == 1 && r.requests == before, "the list is kept for a while", "asked again");
    check(look("users", "shoe_size", v, 1, NULL) == ERR_UNSUPPORTED, "by what there is", r.f.text);
    rig_close(&r);
}

/* ---- check ---- */

static struct rig_findings found;

static struct target_field want_text(const char *module, const char *name, unsigned max)
{
    return (struct target_field){.module = str_of(module), .name = str_of(name), .type = type_text(1, max), .on_insert = true, .on_update = true};
}

static enum err run_check(const struct target_field *f, size_t n)
{
    memset(&found, 0, sizeof found);
    struct finding_sink sink = {rig_finding, &found};
    return zoho_target_ops.check(r.t, f, n, &sink, &r.f);
}

static void expect(const struct target_field *f, size_t n, const char *line)
{
    enum err e = run_check(f, n);
    check(e == ERR_CONFIG && strstr(found.text, line), line, found.text);
}

static void test_check(void)
{
    static const struct str good_set[] = {{"Customer", 8}, {"Vendor", 6}}, bad_set[] = {{"Customer", 8}, {"Emperor", 7}};
    rig_open(&r, NULL);
    rig_target(&r);
    struct target_field f[8] = {want_text("Accounts", "Account_Name", 50), want_text("Accounts", "Sage_Customer", 60), want_text("Accounts", "Account_Type", 20),
                                {.module = STR("Accounts"), .name = STR("Annual_Revenue"), .type = type_decimal(13, 2), .on_insert = true, .on_update = true}};
    f[1].unique = true;
    f[2].type.nset = 2;
    f[2].type.set = good_set;
    check(run_check(f, 4) == ERR_OK && found.fail == 0, "a flow that fits", found.text);
    f[2].type.set = bad_set;
    expect(f, 4, "the picklist lacks the value \"Emperor\"");
    f[2].type.set = good_set;
    f[0].type = type_text(1, 300);
    f[1].name = STR("Phone");
    f[3].name = STR("Modified_Time");
    enum err e = run_check(f, 4);
    check(e == ERR_CONFIG && strstr(found.text, "holds 200 characters, the flow may send 300") && strstr(found.text, "not unique") &&
          strstr(found.text, "is of type datetime, the flow sends a number") && found.fail >= 4, "all findings in one run", found.text);
    f[0] = want_text("Accounts", "Account_Name", 50);
    f[1] = want_text("Accounts", "No_Such_Field", 5);
    expect(f, 2, "Accounts.No_Such_Field: there is no such field");
    f[1] = want_text("Nowhere", "Name", 5);
    expect(f, 2, "module Nowhere: is not there for the API");
    f[1] = (struct target_field){.module = STR("Accounts"), .name = STR("Employees"), .type = type_decimal(13, 2), .on_insert = true};
    expect(f, 2, "holds 0 decimals, the flow sends 2");
    f[1] = (struct target_field){.module = STR("Accounts"), .name = STR("Parent_Account"), .type = {.base = T_LINK}, .on_insert = true, .link_module = STR("Contacts")};
    expect(f, 2, "links to Accounts, the flow to Contacts");
    f[1] = (struct target_field){.module = STR("Accounts"), .name = STR("Owner"), .type = {.base = T_LINK}, .on_insert = true, .link_module = STR("users")};
    check(run_check(f, 2) == ERR_OK, "an owner", found.text);
    f[0] = want_text("Contacts", "First_Name", 20);
    expect(f, 1, "Contacts.Last_Name: is mandatory in Zoho and the flow does not send it");
    f[0].on_insert = false;
    check(run_check(f, 1) == ERR_OK, "not when it only updates", found.text);
    f[0] = (struct target_field){.module = STR("Accounts"), .name = STR("Account_Name"), .type = type_text(1, 20), .on_insert = true};
    f[1] = (struct target_field){.module = STR("Accounts"), .name = STR("Created_Time"), .type = {.base = T_INSTANT}, .on_insert = true};
    expect(f, 2, "cannot be written");
    rig_fault(&r, "[{\"match\":{\"path\":\"/oauth/v2/token\"},\"do\":\"revoke\"}]");
    rig_close(&r);
}

static void test_editions(void)
{
    rig_open(&r, "standard");
    rig_set(&r, "edition", "professional");
    rig_target(&r);
    struct target_field f[2] = {want_text("Accounts", "Account_Name", 50), want_text("Vendors", "Vendor_Name", 50)};
    enum err e = run_check(f, 2);
    check(e == ERR_CONFIG && strstr(found.text, "the spec says professional, the organisation has standard") && strstr(found.text, "module Vendors"),
          "an edition below the spec's", found.text);
    rig_close(&r);
    static const struct { const char *license, *says; enum err err; } cases[] = {
        {"{\"paid\":true,\"paid_type\":\"zohooneenterprise\",\"trial_type\":null}", "OK edition: the spec says professional, the organisation has enterprise", ERR_OK},
        {"{\"paid\":false,\"paid_type\":\"free\",\"trial_type\":\"enterprise\",\"trial_expiry\":\"2026-12-01\"}", "on a trial of enterprise until 2026-12-01", ERR_OK},
        {"{\"paid\":false,\"paid_type\":\"free\",\"trial_type\":null}", "the organisation has free", ERR_CONFIG},
        {"{\"paid\":true,\"paid_type\":\"crmplus\"}", "the organisation has ultimate", ERR_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char org[300];
        rig_open(&r, NULL);
        rig_target(&r);
        (void)zoho__token(r.t, &r.f);
        (void)snprintf(org, sizeof org, "{\"org\":[{\"id\":\"1\",\"company_name\":\"X\",\"type\":\"production\",\"license_details\":%s}]}", cases[i].license);
        r.canned_status = 200;
        r.canned = org;
        e = run_check(f, 1);
        check(e == cases[i].err && strstr(found.text, cases[i].says), cases[i].says, found.text);
        rig_close(&r);
    }
    rig_open(&r, NULL);
    rig_credentials(&r, "1000.simreadonly");
    rig_target(&r);
    (void)run_check(f, 1);
    check(strstr(found.text, "WARN scopes") && strstr(found.text, "ZohoCRM.coql.READ"), "missing scopes are named", found.text);
    rig_credentials(&r, "1000.nonsense");
    rig_target(&r);
    zoho_sim_expire_tokens(r.sim);
    r.now += 4000000;
    e = run_check(f, 1);
    check(e == ERR_AUTH && strstr(found.text, "FAIL token"), "no sign-in", found.text);
    rig_close(&r);
}

static enum err run_probe(void)
{
    memset(&found, 0, sizeof found);
    struct finding_sink sink = {rig_finding, &found};
    return zoho_target_ops.probe(r.t, &sink, &r.f);
}

static void test_probe(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    check(run_probe() == ERR_OK && found.fail == 0 && strstr(found.text, "edition professional") && strstr(found.text, "OK modules"), "probe", found.text);
    r.not_sent = 9;
    check(run_probe() == ERR_UNREACHABLE && strstr(found.text, "FAIL sign-in server"), "probe without a net", found.text);
    r.not_sent = 0;
    rig_credentials(&r, "1000.nonsense");
    r.now += 4000000;
    check(run_probe() == ERR_AUTH && strstr(found.text, "FAIL token"), "probe without consent", found.text);
    rig_close(&r);
}

int main(void)
{
    test_lookup();
    test_odd_values();
    test_many();
    test_read();
    test_read_many();
    test_users();
    test_check();
    test_editions();
    test_probe();
    return failures ? 1 : 0;
}
