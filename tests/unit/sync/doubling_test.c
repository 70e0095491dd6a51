/* doubling_test.c - the four ways in which such integrations have doubled data in practice, each first with a careless client, to see that the model of
 * Zoho really doubles, and then with mlcd:
 *
 *   1  records that people made by hand before the first load
 *   2  lines that are sent again with an update
 *   3  creates whose answer was lost, sent again
 *   4  two unique fields: an upsert that hits the wrong record */
#include "lines_rig.h"

/* ---- a client without care ---- */
static json_t *careless(struct rig *r, const char *method, const char *target, const char *body)
{
    char *token = zoho_sim_issue_token(r->zoho), auth[300];
    union { const char *in; char *out; } name = {"Authorization"}, kind = {"Content-Type"}, json = {"application/json"};
    snprintf(auth, sizeof auth, "Zoho-oauthtoken %s", token);
    struct sim_header h[] = {{name.out, auth}, {kind.out, json.out}};
    struct sim_request req = {method, target, h, 2, body, strlen(body)};
    struct sim_response resp = {0};
    struct sim_model m = zoho_sim_model(r->zoho);
    m.handle(m.self, &req, &resp);
    json_t *answer = resp.body ? json_loadb(resp.body, resp.body_len, 0, NULL) : NULL;
    sim_response_free(&resp);
    free(token);
    return answer;
}

static size_t how_many(struct rig *r, const char *module, const char *field, const char *value)
{
    json_t *dump = lines_dump(r, module), *rec;
    size_t i, n = 0;
    json_array_foreach(dump, i, rec)
    {
        const char *v = json_string_value(json_object_get(rec, field));
        n += v && strcmp(v, value) == 0;
    }
    json_decref(dump);
    return n;
}

static void seed(struct rig *r, const char *module, const char *json, char id[24])
{
    char why[300];
    if (!zoho_sim_seed(r->zoho, module, json, id, why, sizeof why)) {
        printf("not ok the record can be seeded: %s\n", why);
        ok_failures++;
    }
}

/* ---- 1 ---- */
static const char FIRMS_HEAD[] =
    "mlc 1\nspec \"doubling\"\nimport file\nimport zoho_crm\n"
    "source erp: file { path = env(\"FEED\") company = \"ABC\" }\n"
    "target crm: zoho_crm { region = us accounts_url = \"" ZOHO_URL "\" edition = professional login = secret(\"zoho\") }\n"
    "entity erp.Firms { key No: text(1..10) Name: text(50)? Tax: text(20)? }\n"
    "extend crm.Accounts { Sage_Customer: text(60) @unique Tax_Number: text(40) @unique }\n";
static const char FIRMS[] =
    "flow firms from erp.Firms to crm.Accounts { every 1h key Sage_Customer adopt by Account_Name == Name\n"
    "  Account_Name = Name ?? No Tax_Number = Tax }\n";

static void test_made_by_hand(void)
{
    struct rig r;
    char hand[24], typed[24], ignored[24], why[300];
    lines_open_with(&r, FIRMS_HEAD, FIRMS);
    seed(&r, "Accounts", "{\"Account_Name\":\"Careless\"}", ignored);
    json_decref(careless(&r, "POST", "/crm/v8/Accounts", "{\"data\":[{\"Account_Name\":\"Careless\",\"Sage_Customer\":\"X\"}],\"trigger\":[]}"));
    ok(how_many(&r, "Accounts", "Account_Name", "Careless") == 2, "1 by hand: a client that only inserts doubles the record", "%zu",
       how_many(&r, "Accounts", "Account_Name", "Careless"));
    seed(&r, "Accounts", "{\"Account_Name\":\"By hand\",\"Phone\":\"7\"}", hand);
    seed(&r, "Accounts", "{\"Account_Name\":\"Key typed\",\"Sage_Customer\":\"ABC~2\"}", typed);
    size_t before = zoho_sim_count(r.zoho, "Accounts");
    lines_file(&r, "Firms", "{\"No\":\"1\",\"Name\":\"By hand\"}\n{\"No\":\"2\",\"Name\":\"Somebody typed our key\"}\n{\"No\":\"3\",\"Name\":\"New\"}\n");
    rig_once(&r);
    ok(zoho_sim_count(r.zoho, "Accounts") == before + 1, "1 by hand: only the new one is made", "%zu more", zoho_sim_count(r.zoho, "Accounts") - before);
    ok(strcmp(rig_state_in(&r, "firms", "ABC~1", why, sizeof why), "WAITING") == 0, "1 by hand: the record of that name waits for a person", "%s", why);
    ok(strcmp(lines_id(&r, "Accounts", "Sage_Customer", "ABC~2"), typed) == 0 && strcmp(rig_state_in(&r, "firms", "ABC~2", why, sizeof why), "CLEAN") == 0,
       "1 by hand: a record that carries our key is ours", "%s", why);
    ok(rig_decide(&r, "ABC~1", hand) == ERR_OK, "1 by hand: the person links it", "%s", r.f.text);
    rig_done(&r, "1 by hand: the next run ends");
    ok(how_many(&r, "Accounts", "Account_Name", "By hand") == 1 && strcmp(lines_id(&r, "Accounts", "Sage_Customer", "ABC~1"), hand) == 0,
       "1 by hand: it stands there once, the one that was there", "%zu times", how_many(&r, "Accounts", "Account_Name", "By hand"));
    rig_close(&r);
}

/* ---- 2 ---- */
static void test_lines_again(void)
{
    struct rig r;
    char body[900];
    lines_open(&r);
    lines_file(&r, "Orders", ORDER("1", LINE("1", "A", "2", "10") "," LINE("2", "B", "1", "5")));
    rig_done(&r, "2 lines: load ends");
    char id[40], item[40];
    snprintf(id, sizeof id, "%s", lines_id(&r, "Sales_Orders", "Sage_Document", "ABC~1"));
    snprintf(item, sizeof item, "%s", lines_id(&r, "Products", "Sage_Item", "ABC~A"));
    for (int times = 0; times < 5; times++) {
        char text[400];
        snprintf(text, sizeof text, ORDER("1", LINE("1", "A", "2", "1%d") "," LINE("2", "B", "1", "5")), times);
        lines_file(&r, "Orders", text);
        rig_zoho_fault(&r, times % 2 ? "[{\"match\":{\"method\":\"PUT\",\"path\":\"/crm/v8/Sales_Orders\"},\"do\":\"drop_after\"}]"
                                     : "[{\"match\":{\"method\":\"PUT\",\"path\":\"/crm/v8/Sales_Orders\"},\"do\":\"timeout_after\",\"delay_ms\":200000}]");
        rig_done(&r, "2 lines: an update whose answer is lost");
        zoho_sim_faults_clear(r.zoho);
    }
    lines_are(&r, "ABC~1", "Anvil 2x14 Bolt 1x5", "2 lines: two lines are two rows, however often they were sent");
    snprintf(body, sizeof body, "{\"data\":[{\"id\":\"%s\",\"Ordered_Items\":[{\"Product_Name\":{\"id\":\"%s\"},\"Quantity\":2,\"List_Price\":14}]}],\"trigger\":[]}", id, item);
    json_decref(careless(&r, "PUT", "/crm/v8/Sales_Orders", body));
    lines_are(&r, "ABC~1", "Anvil 2x14 Bolt 1x5 Anvil 2x14", "2 lines: a client that sends its lines again doubles them");
    lines_file(&r, "Orders", ORDER("1", LINE("1", "A", "2", "20") "," LINE("2", "B", "1", "5")));
    rig_done(&r, "2 lines: the next change ends");
    lines_are(&r, "ABC~1", "Anvil 2x20 Bolt 1x5", "2 lines: and what another client doubled is taken out");
    rig_close(&r);
}

/* ---- 3 ---- */
static void test_lost_creates(void)
{
    static const char *const faults[] = {"\"drop_after\"", "\"timeout_after\",\"delay_ms\":200000", "\"500\",\"applied\":true", "\"wrong_length\"", "\"truncated_json\"",
                                         "\"apply_late\"", "\"html_502\""};
    struct rig plain;
    lines_open(&plain);
    for (int i = 0; i < 2; i++)
        json_decref(careless(&plain, "POST", "/crm/v8/Products", "{\"data\":[{\"Product_Name\":\"Careless\"}],\"trigger\":[]}"));
    ok(how_many(&plain, "Products", "Product_Name", "Careless") == 2, "3 lost creates: a client that sends a create again doubles it", "%zu",
       how_many(&plain, "Products", "Product_Name", "Careless"));
    rig_close(&plain);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct rig r;
        char script[300], name[120];
        lines_open(&r);
        lines_file(&r, "Orders", ORDER("1", LINE("1", "A", "2", "10") "," LINE("2", "B", "1", "5")) ORDER("2", LINE("1", "C", "1", "1")));
        snprintf(script, sizeof script, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Sales_Orders\"},\"do\":%s},{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Products\"},\"do\":%s}]",
                 faults[i], faults[i]);
        rig_zoho_fault(&r, script);
        snprintf(name, sizeof name, "3 lost creates: %.30s", faults[i]);
        rig_done(&r, name);
        ok(rig_counter(&r, "faults") >= 2, name, "%lld faults", (long long)rig_counter(&r, "faults"));
        ok(zoho_sim_count(r.zoho, "Products") == 3 && zoho_sim_count(r.zoho, "Sales_Orders") == 2, name, "%zu products, %zu orders", zoho_sim_count(r.zoho, "Products"),
           zoho_sim_count(r.zoho, "Sales_Orders"));
        lines_are(&r, "ABC~1", "Anvil 2x10 Bolt 1x5", name);
        lines_are(&r, "ABC~2", "Chain 1x1", name);
        rig_close(&r);
    }
}

/* ---- 4 ---- */
static void test_two_unique_fields(void)
{
    struct rig r;
    char stranger[24], why[300];
    lines_open_with(&r, FIRMS_HEAD, FIRMS);
    seed(&r, "Accounts", "{\"Account_Name\":\"Stranger\",\"Tax_Number\":\"T-1\"}", stranger);
    json_t *answer = careless(&r, "POST", "/crm/v8/Accounts/upsert",
                              "{\"data\":[{\"Account_Name\":\"Overwritten\",\"Sage_Customer\":\"ABC~9\",\"Tax_Number\":\"T-1\"}],\"duplicate_check_fields\":[\"Sage_Customer\"],\"trigger\":[]}");
    const char *action = json_string_value(json_object_get(json_array_get(json_object_get(answer, "data"), 0), "action"));
    ok(action && strcmp(action, "update") == 0 && strcmp(lines_id(&r, "Accounts", "Account_Name", "Overwritten"), stranger) == 0,
       "4 two unique fields: an upsert by our key overwrites a stranger's record", "%s", action ? action : "(no action)");
    json_decref(answer);
    seed(&r, "Accounts", "{\"Account_Name\":\"Another\",\"Tax_Number\":\"T-2\",\"Phone\":\"7\"}", stranger);
    size_t before = zoho_sim_count(r.zoho, "Accounts");
    lines_file(&r, "Firms", "{\"No\":\"1\",\"Name\":\"Ours\",\"Tax\":\"T-2\"}\n{\"No\":\"2\",\"Name\":\"Fine\",\"Tax\":\"T-3\"}\n");
    rig_once(&r);
    ok(strcmp(lines_id(&r, "Accounts", "Account_Name", "Another"), stranger) == 0, "4 two unique fields: the stranger's record is as it was", "%s",
       lines_id(&r, "Accounts", "Account_Name", "Another"));
    ok(zoho_sim_count(r.zoho, "Accounts") == before + 1, "4 two unique fields: nothing was doubled, the rest went on", "%zu more", zoho_sim_count(r.zoho, "Accounts") - before);
    ok(strcmp(rig_state_in(&r, "firms", "ABC~1", why, sizeof why), "REJECTED") == 0 && strstr(why, stranger) && strstr(why, "Tax_Number"),
       "4 two unique fields: set aside with both ids, for a person", "%s", why);
    rig_once(&r);
    ok(zoho_sim_count(r.zoho, "Accounts") == before + 1, "4 two unique fields: also in the next run", "%zu more", zoho_sim_count(r.zoho, "Accounts") - before);
    rig_close(&r);
}

int main(void)
{
    test_made_by_hand();
    test_lines_again();
    test_lost_creates();
    test_two_unique_fields();
    return ok_done();
}
