/* random_test.c - guarded records, fields of another flow in them, links to them and lines, all at once: source rows change, people edit, add rows and
 * delete records in Zoho, and Zoho fails, at random. After each round Zoho has to hold exactly what the files say, everything once, every link on the
 * record that is there now. The oracle is this file's own memory, not the engine. */
#include "lines_rig.h"

enum { FIRMS = 7, PEOPLE = 9, ORDERS = 5, MOST = 6, ROUNDS = 30 };

static const char HEAD[] =
    "mlc 1\nspec \"random\"\nimport file\nimport zoho_crm\n"
    "source erp: file { path = env(\"FEED\") company = \"ABC\" }\n"
    "target crm: zoho_crm { region = us accounts_url = \"" ZOHO_URL "\" edition = professional login = secret(\"zoho\") }\n"
    "entity erp.Firms { key No: text(1..10) Name: text(50)? City: text(30)? }\n"
    "entity erp.People { key No: text(1..10) Firm: text(10)? Name: text(50)? }\n"
    "entity erp.Dues { key Doc: text(1..10) Firm: text(10)? Amount: decimal(9,2)? }\n"
    "entity erp.Items { key No: text(1..10) Name: text(50)? }\n"
    "entity erp.Orders { key No: text(1..10) Firm: text(10)? Lines: lines(Order_Lines)? }\n"
    "entity erp.Order_Lines @lines_of(Orders) @most_lines(300) { key Key: text(1..6) Item: text(10)? Qty: decimal(9,2)? }\n"
    "extend crm.Accounts { Sage_Customer: text(60) @unique }\nextend crm.Contacts { Sage_Contact: text(60) @unique }\n"
    "extend crm.Products { Sage_Item: text(60) @unique }\nextend crm.Sales_Orders { Sage_Document: text(60) @unique }\n";
static const char FLOWS[] =
    "flow firms from erp.Firms to crm.Accounts { every 1h guard key Sage_Customer Account_Name = Name ?? No Billing_City = City }\n"
    "flow people from erp.People to crm.Contacts { every 1h guard key Sage_Contact Last_Name = Name ?? No Account_Name = ref firms(Firm) }\n"
    "flow dues from erp.Dues into firms(Firm) { every 1h guard Annual_Revenue = Amount }\n"
    "flow items from erp.Items to crm.Products { every 1h guard key Sage_Item Product_Name = Name ?? No }\n"
    "flow orders from erp.Orders to crm.Sales_Orders { every 1h guard key Sage_Document Subject = \"Order {No}\" Account_Name = ref firms(Firm)\n"
    "  Ordered_Items = each line in Lines { key line.Key Product_Name = ref items(line.Item ?? \"A\") Quantity = line.Qty ?? 0 } ?? reject \"none\" }\n";

static uint64_t state;
static int dice(int n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int)(state >> 33) % n;
}

static struct { int city, due; } firm[FIRMS];
static struct { int firm, name; } person[PEOPLE];
static struct { int firm; struct { int key, item, qty; } line[MOST]; int n; } order[ORDERS];
static int keys;
static const char *const items[] = {"A", "B", "C"}, *const item_names[] = {"Anvil", "Bolt", "Chain"};

static void add_line(int o)
{
    if (order[o].n == MOST) return;
    order[o].line[order[o].n].key = ++keys;
    order[o].line[order[o].n].item = dice(3);
    order[o].line[order[o].n++].qty = 1 + dice(4);
}

static void change_source(void)
{
    for (int i = 0; i < 3; i++) firm[dice(FIRMS)].city = dice(90);
    firm[dice(FIRMS)].due = 1 + dice(900);
    person[dice(PEOPLE)].firm = dice(FIRMS);
    person[dice(PEOPLE)].name = dice(90);
    int o = dice(ORDERS);
    order[o].firm = dice(FIRMS);
    o = dice(ORDERS);
    if (dice(2)) add_line(o);
    else order[o].line[dice(order[o].n)].qty = 1 + dice(9);
    o = dice(ORDERS);
    if (order[o].n > 1) {
        int at = dice(order[o].n);
        memmove(&order[o].line[at], &order[o].line[at + 1], (size_t)(--order[o].n - at) * sizeof order[o].line[0]);
    }
}

static void write_source(struct rig *r)
{
    struct buf b = {0};
    for (int i = 0; i < FIRMS; i++) buf_printf(&b, "{\"No\":\"f%d\",\"Name\":\"Firm %d\",\"City\":\"City %d\"}\n", i, i, firm[i].city);
    lines_file(r, "Firms", buf_cstr(&b));
    buf_clear(&b);
    for (int i = 0; i < PEOPLE; i++) buf_printf(&b, "{\"No\":\"p%d\",\"Firm\":\"f%d\",\"Name\":\"Name %d\"}\n", i, person[i].firm, person[i].name);
    lines_file(r, "People", buf_cstr(&b));
    buf_clear(&b);
    for (int i = 0; i < FIRMS; i++) buf_printf(&b, "{\"Doc\":\"d%d\",\"Firm\":\"f%d\",\"Amount\":%d}\n", i, i, firm[i].due);
    lines_file(r, "Dues", buf_cstr(&b));
    buf_clear(&b);
    for (int o = 0; o < ORDERS; o++) {
        buf_printf(&b, "{\"No\":\"%d\",\"Firm\":\"f%d\",\"Lines\":[", o, order[o].firm);
        for (int i = 0; i < order[o].n; i++)
            buf_printf(&b, "%s{\"Key\":\"%d\",\"Item\":\"%s\",\"Qty\":%d}", i ? "," : "", order[o].line[i].key, items[order[o].line[i].item], order[o].line[i].qty);
        buf_puts(&b, "]}\n");
    }
    lines_file(r, "Orders", buf_cstr(&b));
    buf_free(&b);
}

/* ---- people ---- */
static void people(struct rig *r)
{
    char key[20], why[300], id[40], json[300], other[40];
    sim_loop_advance(r->loop, 1000);
    snprintf(key, sizeof key, "ABC~f%d", dice(FIRMS));
    snprintf(id, sizeof id, "%s", lines_id(r, "Accounts", "Sage_Customer", key));
    snprintf(key, sizeof key, "ABC~f%d", dice(FIRMS));
    snprintf(other, sizeof other, "%s", lines_id(r, "Accounts", "Sage_Customer", key));
    switch (dice(6)) {
    case 0: zoho_sim_edit(r->zoho, "Accounts", id, "{\"Billing_City\":\"Nowhere\",\"Annual_Revenue\":-1}", why, sizeof why); break;
    case 1: zoho_sim_delete(r->zoho, "Accounts", id, true); break;
    case 2:
        snprintf(key, sizeof key, "ABC~p%d", dice(PEOPLE));
        snprintf(json, sizeof json, "{\"Account_Name\":{\"id\":\"%s\"},\"Last_Name\":\"Renamed\"}", other);
        zoho_sim_edit(r->zoho, "Contacts", lines_id(r, "Contacts", "Sage_Contact", key), json, why, sizeof why);
        break;
    case 3:
        snprintf(key, sizeof key, "ABC~%d", dice(ORDERS));
        snprintf(json, sizeof json, "{\"Ordered_Items\":[{\"Product_Name\":{\"id\":\"%s\"},\"Quantity\":5}]}", lines_id(r, "Products", "Sage_Item", "ABC~B"));
        zoho_sim_edit(r->zoho, "Sales_Orders", lines_id(r, "Sales_Orders", "Sage_Document", key), json, why, sizeof why);
        break;
    case 4:
        snprintf(key, sizeof key, "ABC~%d", dice(ORDERS));
        zoho_sim_delete(r->zoho, "Sales_Orders", lines_id(r, "Sales_Orders", "Sage_Document", key), true);
        break;
    default:
        snprintf(key, sizeof key, "ABC~%s", items[dice(3)]);
        zoho_sim_delete(r->zoho, "Products", lines_id(r, "Products", "Sage_Item", key), true);
        break;
    }
}

static void faults(struct rig *r)
{
    static const char *const what[] = {"drop_after", "drop_before", "timeout_after", "500", "apply_late", "wrong_length", "429", "html_502"};
    static const char *const modules[] = {"Accounts", "Contacts", "Products", "Sales_Orders"};
    char script[300];
    zoho_sim_faults_clear(r->zoho);
    for (int i = 0; i < 2; i++) {
        snprintf(script, sizeof script, "[{\"match\":{\"method\":\"%s\",\"path\":\"/crm/v8/%s\"},\"do\":\"%s\",\"times\":1}]", dice(2) ? "PUT" : "POST", modules[dice(4)], what[dice(8)]);
        rig_zoho_fault(r, script);
    }
}

/* ---- the oracle ---- */
static json_t *only(json_t *dump, const char *field, const char *key, char *why, size_t n)
{
    json_t *rec, *found = NULL;
    size_t i, times = 0;
    json_array_foreach(dump, i, rec)
    {
        const char *have = json_string_value(json_object_get(rec, field));
        if (have && strcmp(have, key) == 0) found = rec, times++;
    }
    if (times != 1) snprintf(why, n, "%s stands %zu times", key, times);
    return times == 1 ? found : NULL;
}

static const char *text(const json_t *rec, const char *field)
{
    const json_t *v = json_object_get(rec, field);
    const char *s = json_string_value(json_is_object(v) ? json_object_get(v, "id") : v);
    return s ? s : "";
}

static bool wrong(struct rig *r, char *why, size_t n)
{
    json_t *accounts = lines_dump(r, "Accounts"), *contacts = lines_dump(r, "Contacts"), *orders = lines_dump(r, "Sales_Orders");
    char key[20], want[60], id[FIRMS][40];
    why[0] = '\0';
    for (int i = 0; i < FIRMS && !why[0]; i++) {
        snprintf(key, sizeof key, "ABC~f%d", i);
        snprintf(want, sizeof want, "City %d", firm[i].city);
        json_t *rec = only(accounts, "Sage_Customer", key, why, n);
        snprintf(id[i], sizeof id[i], "%s", text(rec, "id"));
        if (rec && (strcmp(text(rec, "Billing_City"), want) != 0 || (int)json_number_value(json_object_get(rec, "Annual_Revenue")) != firm[i].due))
            snprintf(why, n, "%s: %s and %g, not %s and %d", key, text(rec, "Billing_City"), json_number_value(json_object_get(rec, "Annual_Revenue")), want, firm[i].due);
    }
    for (int i = 0; i < PEOPLE && !why[0]; i++) {
        snprintf(key, sizeof key, "ABC~p%d", i);
        snprintf(want, sizeof want, "Name %d", person[i].name);
        json_t *rec = only(contacts, "Sage_Contact", key, why, n);
        if (rec && (strcmp(text(rec, "Last_Name"), want) != 0 || strcmp(text(rec, "Account_Name"), id[person[i].firm]) != 0))
            snprintf(why, n, "%s: %s at %s, not %s at %s", key, text(rec, "Last_Name"), text(rec, "Account_Name"), want, id[person[i].firm]);
    }
    for (int o = 0; o < ORDERS && !why[0]; o++) {
        bool used[MOST] = {false};
        int left = order[o].n;
        size_t i;
        snprintf(key, sizeof key, "ABC~%d", o);
        json_t *rec = only(orders, "Sage_Document", key, why, n), *rows = json_object_get(rec, "Ordered_Items"), *row;
        json_array_foreach(rows, i, row)
            for (int k = 0; k < order[o].n; k++) {
                const char *name = json_string_value(json_object_get(json_object_get(row, "Product_Name"), "name"));
                if (used[k] || !name || strcmp(name, item_names[order[o].line[k].item]) != 0 || (int)json_number_value(json_object_get(row, "Quantity")) != order[o].line[k].qty) continue;
                used[k] = true;
                left--;
                break;
            }
        if (rec && (left || (int)json_array_size(rows) != order[o].n)) snprintf(why, n, "order %d: %s, %d lines", o, lines_rows(r, key, false), order[o].n);
        else if (rec && strcmp(text(rec, "Account_Name"), id[order[o].firm]) != 0) snprintf(why, n, "order %d at %s, not %s", o, text(rec, "Account_Name"), id[order[o].firm]);
    }
    if (!why[0] && (json_array_size(accounts) != FIRMS || json_array_size(contacts) != PEOPLE || json_array_size(orders) != ORDERS || zoho_sim_count(r->zoho, "Products") != 3))
        snprintf(why, n, "%zu firms, %zu people, %zu orders, %zu items", json_array_size(accounts), json_array_size(contacts), json_array_size(orders), zoho_sim_count(r->zoho, "Products"));
    json_decref(accounts), json_decref(contacts), json_decref(orders);
    return why[0] != '\0';
}

static void play(uint64_t seed)
{
    struct rig r;
    char why[4200], name[80];
    int round = 0;
    state = seed * 77 + 5;
    keys = 0;
    memset(order, 0, sizeof order);
    for (int i = 0; i < FIRMS; i++) firm[i].city = firm[i].due = i + 1;
    for (int i = 0; i < PEOPLE; i++) person[i].firm = i % FIRMS, person[i].name = i;
    for (int o = 0; o < ORDERS; o++) {
        order[o].firm = o;
        for (int i = 0; i <= o % 3; i++) add_line(o);
    }
    lines_open_with(&r, HEAD, FLOWS);
    why[0] = '\0';
    for (; round < ROUNDS && !why[0]; round++) {
        write_source(&r);
        faults(&r);
        enum err err = rig_once(&r);
        zoho_sim_faults_clear(r.zoho);
        if (err == ERR_OK && (r.r.pending || r.r.waiting || r.r.failed)) err = rig_once(&r);      /* a round's faults may be met by the guard's own repair */
        if (err != ERR_OK) snprintf(why, sizeof why, "%s", r.f.text);
        else wrong(&r, why, sizeof why);
        change_source();
        for (int i = dice(3); i > 0; i--) people(&r);
    }
    snprintf(name, sizeof name, "seed %llu: %d rounds of changes, edits, deletions and faults", (unsigned long long)seed, ROUNDS);
    ok(why[0] == '\0', name, "round %d: %s", round - 1, why);
    lines_sound(&r, name);
    rig_close(&r);
}

int main(int argc, char **argv)
{
    uint64_t from = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, to = argc > 2 ? strtoull(argv[2], NULL, 10) : from + 3;
    for (uint64_t s = from; s <= to; s++) play(s);
    return ok_done();
}
