/* guard_test.c - edits of guarded records are found and put back; records that people deleted are noticed, made again, and linked again. */
#include "lines_rig.h"

static const char HEAD[] =
    "mlc 1\nspec \"guard\"\nimport file\nimport zoho_crm\n"
    "source erp: file { path = env(\"FEED\") company = \"ABC\" }\n"
    "target crm: zoho_crm { region = us accounts_url = \"" ZOHO_URL "\" edition = professional login = secret(\"zoho\") }\n"
    "entity erp.Firms { key No: text(1..10) Name: text(50)? City: text(30)? Web: text(50)? }\n"
    "entity erp.People { key No: text(1..10) Firm: text(10)? Name: text(50)? }\n"
    "entity erp.Dues { key Doc: text(1..10) Firm: text(10)? Amount: decimal(9,2)? }\n"
    "entity erp.Items { key No: text(1..10) Name: text(50)? }\n"
    "entity erp.Orders { key No: text(1..10) Rep: text(20)? Lines: lines(Order_Lines)? }\n"
    "entity erp.Order_Lines @lines_of(Orders) @most_lines(300) { key Key: text(1..6) Item: text(10)? Qty: decimal(9,2)? Price: decimal(9,2)? }\n"
    "extend crm.Accounts { Sage_Customer: text(60) @unique }\nextend crm.Contacts { Sage_Contact: text(60) @unique }\n"
    "extend crm.Products { Sage_Item: text(60) @unique }\nextend crm.Sales_Orders { Sage_Document: text(60) @unique }\n";
/* %s: guard or nothing, for the firms. */
static const char FLOWS[] =
    "flow firms from erp.Firms to crm.Accounts { every 1h %s key Sage_Customer\n"
    "  Account_Name = Name ?? No\n  Billing_City = City\n  fill Website = Web }\n"
    "flow people from erp.People to crm.Contacts { every 1h %s key Sage_Contact Last_Name = Name ?? No Account_Name = ref firms(Firm) }\n"
    "flow dues from erp.Dues into firms(Firm) { every 1h Annual_Revenue = Amount }\n"
    "flow items from erp.Items to crm.Products { every 1h key Sage_Item Product_Name = Name ?? No }\n"
    "flow orders from erp.Orders to crm.Sales_Orders { every 1h %s key Sage_Document Subject = \"Order {No}\"\n"
    "  Ordered_Items = each line in Lines { key line.Key Product_Name = ref items(line.Item ?? \"A\") Quantity = line.Qty ?? 0 List_Price = line.Price ?? 0 } ?? reject \"none\" }\n";

static void open_guarded(struct rig *r, const char *word)
{
    char flows[4000];
    snprintf(flows, sizeof flows, FLOWS, word, word, word);
    lines_open_with(r, HEAD, flows);
    lines_file(r, "Firms", "{\"No\":\"1\",\"Name\":\"One\",\"City\":\"Rome\",\"Web\":\"https://one.example\"}\n{\"No\":\"2\",\"Name\":\"Two\"}\n");
    lines_file(r, "People", "{\"No\":\"p\",\"Firm\":\"1\",\"Name\":\"Pia\"}\n{\"No\":\"q\",\"Firm\":\"2\",\"Name\":\"Quinn\"}\n");
    lines_file(r, "Dues", "{\"Doc\":\"d\",\"Firm\":\"1\",\"Amount\":50}\n");
    lines_file(r, "Orders", ORDER("1", LINE("1", "A", "2", "10") "," LINE("2", "B", "1", "5.5")));
    rig_done(r, "load ends");
}

static const char *field(struct rig *r, const char *module, const char *key_field, const char *key, const char *name)
{
    static char out[4][200];
    static unsigned turn;
    char *o = out[turn++ % 4];
    json_t *dump = lines_dump(r, module), *rec, *v;
    size_t i, n = 0;
    snprintf(o, sizeof out[0], "(not there)");
    json_array_foreach(dump, i, rec)
    {
        const char *k = json_string_value(json_object_get(rec, key_field));
        if (!k || strcmp(k, key) != 0) continue;
        n++;
        v = json_object_get(rec, name);
        if (json_is_object(v)) v = json_object_get(v, "id");
        if (json_is_number(v)) snprintf(o, sizeof out[0], "%g", json_number_value(v));
        else snprintf(o, sizeof out[0], "%s", json_is_string(v) ? json_string_value(v) : "");
    }
    if (n > 1) snprintf(o, sizeof out[0], "(%zu times)", n);
    json_decref(dump);
    return o;
}

#define FIRM(r, key, name) field(r, "Accounts", "Sage_Customer", key, name)
#define PERSON(r, key, name) field(r, "Contacts", "Sage_Contact", key, name)

static void people_edit(struct rig *r, const char *module, const char *id, const char *json)
{
    char why[300];
    sim_loop_advance(r->loop, 1000);
    ok(zoho_sim_edit(r->zoho, module, id, json, why, sizeof why), "people edit", "%s", why);
}

struct told { char text[2000]; };
static void tell(void *ctx, const struct view_write *w)
{
    struct told *t = ctx;
    size_t n = strlen(t->text);
    snprintf(t->text + n, sizeof t->text - n, "%.*s: %.*s -> %.*s; ", (int)w->field.n, w->field.p, (int)w->before.n, w->before.p, (int)w->after.n, w->after.p);
}

static uint64_t put_back(struct rig *r, const char *flow)
{
    struct view *v;
    struct flow_state st = {0};
    if (view_open(&v, &r->world, rig_path(r, "state"), NULL, NULL, &r->f) != ERR_OK) return 999;
    store_flow(view_store(v), str_of(flow), &st);
    uint64_t n = st.put_back;
    view_close(v);
    return n;
}

static void test_put_back(void)
{
    struct rig r;
    struct view *v;
    struct told t = {""};
    char two[40], edit[200], order[40], rows[900];
    open_guarded(&r, "guard");
    int64_t writes = rig_writes(&r);
    rig_done(&r, "a look at records that nobody changed ends");
    ok(rig_writes(&r) == writes && r.r.put_back == 0, "and writes nothing", "%lld", (long long)(rig_writes(&r) - writes));
    people_edit(&r, "Accounts", FIRM(&r, "ABC~1", "id"), "{\"Billing_City\":\"Paris\",\"Phone\":\"1\",\"Website\":\"https://people.example\"}");
    snprintf(two, sizeof two, "%s", FIRM(&r, "ABC~2", "id"));
    snprintf(edit, sizeof edit, "{\"Account_Name\":{\"id\":\"%s\"}}", two);
    people_edit(&r, "Contacts", PERSON(&r, "ABC~p", "id"), edit);
    rig_done(&r, "edits of fields and links");
    ok(strcmp(FIRM(&r, "ABC~1", "Billing_City"), "Rome") == 0, "a field is put back", "%s", FIRM(&r, "ABC~1", "Billing_City"));
    ok(strcmp(FIRM(&r, "ABC~1", "Phone"), "1") == 0, "a field that no rule follows stays", "%s", FIRM(&r, "ABC~1", "Phone"));
    ok(strcmp(FIRM(&r, "ABC~1", "Website"), "https://people.example") == 0, "so does one of `fill`", "%s", FIRM(&r, "ABC~1", "Website"));
    ok(strcmp(PERSON(&r, "ABC~p", "Account_Name"), FIRM(&r, "ABC~1", "id")) == 0, "a link is put back", "%s", PERSON(&r, "ABC~p", "Account_Name"));
    ok(r.r.put_back == 2 && put_back(&r, "firms") == 1 && put_back(&r, "people") == 1, "both are counted", "%llu", (unsigned long long)r.r.put_back);
    if (view_open(&v, &r.world, rig_path(&r, "state"), NULL, NULL, &r.f) == ERR_OK) {
        view_why(v, "firms", STR("ABC~1"), STR("Billing_City"), tell, &t, &r.f);
        view_close(v);
    }
    ok(strstr(t.text, "Billing_City: Paris -> Rome") != NULL, "the log has what people wrote", "%s", t.text);
    snprintf(order, sizeof order, "%s", lines_id(&r, "Sales_Orders", "Sage_Document", "ABC~1"));
    snprintf(rows, sizeof rows, "{\"Ordered_Items\":[{\"Product_Name\":{\"id\":\"%s\"},\"Quantity\":9,\"List_Price\":99}]}", lines_id(&r, "Products", "Sage_Item", "ABC~C"));
    people_edit(&r, "Sales_Orders", order, rows);
    rig_done(&r, "a row that people added");
    lines_are(&r, "ABC~1", "Anvil 2x10 Bolt 1x5.5", "is taken out");
    writes = rig_writes(&r);
    rig_done(&r, "a look after all that ends");
    ok(rig_writes(&r) == writes && r.r.put_back == 0, "and finds nothing", "%lld", (long long)(rig_writes(&r) - writes));
    lines_sound(&r, "log and index after putting back");
    rig_close(&r);
}

/* Without guard people's edits stay. */
static void test_unguarded(void)
{
    struct rig r;
    open_guarded(&r, "");
    people_edit(&r, "Accounts", FIRM(&r, "ABC~1", "id"), "{\"Billing_City\":\"Paris\"}");
    rig_done(&r, "a run without guard ends");
    ok(strcmp(FIRM(&r, "ABC~1", "Billing_City"), "Paris") == 0 && r.r.put_back == 0, "an edit stays", "%s", FIRM(&r, "ABC~1", "Billing_City"));
    rig_close(&r);
}

static void all_linked(struct rig *r, const char *name)
{
    const char *id = FIRM(r, "ABC~1", "id");
    ok(strcmp(PERSON(r, "ABC~p", "Account_Name"), id) == 0 && id[0] != '(', name, "%s, the firm is %s", PERSON(r, "ABC~p", "Account_Name"), id);
    ok(strcmp(FIRM(r, "ABC~1", "Annual_Revenue"), "50") == 0, name, "dues: %s", FIRM(r, "ABC~1", "Annual_Revenue"));
}

static void test_deleted_guarded(void)
{
    struct rig r;
    char old[40];
    open_guarded(&r, "guard");
    snprintf(old, sizeof old, "%s", FIRM(&r, "ABC~1", "id"));
    zoho_sim_delete(r.zoho, "Accounts", old, true);
    rig_done(&r, "a guarded record that people deleted");
    ok(strcmp(FIRM(&r, "ABC~1", "id"), old) != 0 && FIRM(&r, "ABC~1", "id")[0] != '(', "is made again", "%s", FIRM(&r, "ABC~1", "id"));
    all_linked(&r, "and what belongs to it is linked again");
    lines_sound(&r, "log and index after a deletion");
    rig_close(&r);
}

static void recreate(struct rig *r, const char *flow, const char *key)
{
    struct engine *e;
    enum err err = rig_engine(r, &e);
    if (err == ERR_OK) {
        err = engine_replay(e, flow, str_of(key), false, true, "tester", &r->f);
        if (err == ERR_OK) err = engine_write(e, &r->r, &r->f);
        engine_close(e);
    }
    ok(err == ERR_OK, "replay --recreate ends", "%s", r->f.text);
}

/* Noticed by a child's refusal; reported; children wait; made again on request. */
static void test_deleted_parent(void)
{
    struct rig r;
    char why[300], old[40];
    open_guarded(&r, "");
    snprintf(old, sizeof old, "%s", FIRM(&r, "ABC~1", "id"));
    zoho_sim_delete(r.zoho, "Accounts", old, true);
    rig_done(&r, "nobody touches it");
    ok(strcmp(rig_state_in(&r, "firms", "ABC~1", NULL, 0), "CLEAN") == 0, "a deletion is not noticed unasked", "%s", rig_state_in(&r, "firms", "ABC~1", NULL, 0));
    lines_file(&r, "People", "{\"No\":\"p\",\"Firm\":\"1\",\"Name\":\"Pia\"}\n{\"No\":\"q\",\"Firm\":\"2\",\"Name\":\"Quinn\"}\n{\"No\":\"n\",\"Firm\":\"1\",\"Name\":\"Nora\"}\n");
    rig_once(&r);
    ok(strcmp(rig_state_in(&r, "firms", "ABC~1", why, sizeof why), "REJECTED") == 0 && strstr(why, "--recreate"), "a child's refusal shows it", "%s", why);
    ok(strcmp(rig_state_in(&r, "people", "ABC~n", why, sizeof why), "WAITING") == 0 && strstr(why, "deleted"), "the child waits and says why", "%s", why);
    lines_file(&r, "Dues", "{\"Doc\":\"d\",\"Firm\":\"1\",\"Amount\":51}\n");
    rig_once(&r);
    ok(strcmp(rig_state_in(&r, "dues", "ABC~d", why, sizeof why), "WAITING") == 0, "what adds to it waits too", "%s", why);
    lines_file(&r, "Dues", "{\"Doc\":\"d\",\"Firm\":\"1\",\"Amount\":50}\n");
    recreate(&r, "firms", "ABC~1");
    rig_done(&r, "the run after it ends");
    all_linked(&r, "everything is linked again");
    ok(strcmp(PERSON(&r, "ABC~n", "Account_Name"), FIRM(&r, "ABC~1", "id")) == 0, "the new child too", "%s", PERSON(&r, "ABC~n", "Account_Name"));
    lines_sound(&r, "log and index after a deleted parent");
    rig_close(&r);
}

/* A product that is in lines. */
static void test_deleted_in_lines(void)
{
    struct rig r;
    char why[300];
    open_guarded(&r, "");
    zoho_sim_delete(r.zoho, "Products", lines_id(&r, "Products", "Sage_Item", "ABC~A"), true);
    lines_file(&r, "Orders", ORDER("1", LINE("1", "A", "3", "10") "," LINE("2", "B", "1", "5.5")) ORDER("2", LINE("1", "A", "1", "1")));
    rig_once(&r);
    ok(strcmp(rig_state_in(&r, "orders", "ABC~2", why, sizeof why), "WAITING") == 0 && strstr(why, "items ABC~A"), "a line of a deleted product makes the order wait", "%s", why);
    recreate(&r, "items", "ABC~A");
    rig_done(&r, "the run after it ends");
    lines_are(&r, "ABC~2", "Anvil 1x1", "the order goes out");
    lines_are(&r, "ABC~1", "Anvil 3x10 Bolt 1x5.5", "and the other has its line again");
    lines_sound(&r, "log and index after a deleted product");
    rig_close(&r);
}

/* The record that is written is gone. */
static void test_deleted_record(void)
{
    struct rig r;
    char why[300];
    open_guarded(&r, "");
    zoho_sim_delete(r.zoho, "Sales_Orders", lines_id(&r, "Sales_Orders", "Sage_Document", "ABC~1"), true);
    lines_file(&r, "Orders", ORDER("1", LINE("1", "A", "3", "10")));
    rig_once(&r);
    ok(strcmp(rig_state_in(&r, "orders", "ABC~1", why, sizeof why), "REJECTED") == 0 && strstr(why, "--recreate"), "an order that people deleted is shown", "%s", why);
    lines_file(&r, "Orders", ORDER("1", LINE("1", "A", "4", "10")));
    rig_once(&r);
    ok(strcmp(rig_state_in(&r, "orders", "ABC~1", why, sizeof why), "REJECTED") == 0, "and again when its source changes", "%s", why);
    recreate(&r, "orders", "ABC~1");
    lines_are(&r, "ABC~1", "Anvil 4x10", "made again it has its lines once");
    rig_close(&r);
}

/* A module that seems empty is no edit. */
static void test_many_gone(void)
{
    struct rig r;
    struct buf b = {0};
    open_guarded(&r, "guard");
    for (int i = 0; i < 40; i++) buf_printf(&b, "{\"No\":\"m%d\",\"Name\":\"Many %d\"}\n", i, i);
    lines_file(&r, "Firms", buf_cstr(&b));
    lines_file(&r, "People", "");
    rig_done(&r, "forty more firms");
    for (int i = 0; i < 30; i++) {
        char key[20];
        snprintf(key, sizeof key, "ABC~m%d", i);
        zoho_sim_delete(r.zoho, "Accounts", FIRM(&r, key, "id"), true);
    }
    int64_t inserts = rig_counter(&r, "inserts");
    rig_done(&r, "a look when three quarters are gone");
    ok(rig_counter(&r, "inserts") == inserts, "makes nothing again unasked", "%lld", (long long)(rig_counter(&r, "inserts") - inserts));
    buf_free(&b);
    rig_close(&r);
}

int main(void)
{
    test_put_back();
    test_unguarded();
    test_deleted_guarded();
    test_deleted_parent();
    test_deleted_in_lines();
    test_deleted_record();
    test_many_gone();
    return ok_done();
}
