/* lines_rig.h - orders with lines out of a folder of files, into the model of Zoho: the world of lines_test.c and doubling_test.c. What stands in Zoho is
 * told as a text, a row after the other, so that a test says what it expects in one line. */
#ifndef TESTS_UNIT_SYNC_LINES_RIG_H
#define TESTS_UNIT_SYNC_LINES_RIG_H
#include "rig.h"

static const char LINES_HEAD[] =
    "mlc 1\nspec \"lines\"\nimport file\nimport zoho_crm\n"
    "source erp: file { path = env(\"FEED\") company = \"ABC\" }\n"
    "target crm: zoho_crm { region = us accounts_url = \"" ZOHO_URL "\" edition = professional login = secret(\"zoho\") }\n"
    "entity erp.Items { key No: text(1..10) Name: text(50)? }\n"
    "entity erp.Orders { key No: text(1..10) Rep: text(20)? Lines: lines(Order_Lines)? }\n"
    "entity erp.Order_Lines @lines_of(Orders) @most_lines(300) { key Key: text(1..6) Item: text(10)? Qty: decimal(9,2)? Price: decimal(9,2)? }\n"
    "extend crm.Products { Sage_Item: text(60) @unique }\nextend crm.Sales_Orders { Sage_Document: text(60) @unique }\n";
static const char LINES_FLOWS[] =
    "flow orders from erp.Orders to crm.Sales_Orders { every 15m reread every 1d key Sage_Document\n"
    "  Subject = \"Order {No}\"\n  Customer_No = Rep\n"
    "  Ordered_Items = each line in Lines { key line.Key\n"
    "    Product_Name = ref items(line.Item ?? reject \"line without item\")\n    Quantity = line.Qty ?? 0\n    List_Price = line.Price ?? 0 }\n"
    "    ?? reject \"order without lines\" }\n"
    "flow items from erp.Items to crm.Products { every 1h key Sage_Item Product_Name = Name ?? No }\n";

static char lines_feed[300], lines_out[300];
static inline const char *lines_env(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "FEED") == 0 ? lines_feed : strcmp(name, "OUT") == 0 ? lines_out : NULL;
}

static inline void lines_file(struct rig *r, const char *table, const char *text)
{
    char name[80];
    snprintf(name, sizeof name, "feed/%s.jsonl", table);
    rig_write(r, name, text, strlen(text));
    sim_loop_advance(r->loop, 1000);
}

static inline void lines_open_with(struct rig *r, const char *head, const char *flows)
{
    rig_open(r, 1, 5);
    mkdir(rig_path(r, "feed"), 0700);
    snprintf(lines_feed, sizeof lines_feed, "%s", rig_path(r, "feed"));
    r->o.getenv = lines_env;
    rig_spec(r, head, flows);
    lines_file(r, "Items", "{\"No\":\"A\",\"Name\":\"Anvil\"}\n{\"No\":\"B\",\"Name\":\"Bolt\"}\n{\"No\":\"C\",\"Name\":\"Chain\"}\n");
}

static inline void lines_open(struct rig *r) { lines_open_with(r, LINES_HEAD, LINES_FLOWS); }

#define ORDER(no, lines) "{\"No\":\"" no "\",\"Rep\":\"UPS\",\"Lines\":[" lines "]}\n"
#define LINE(key, item, qty, price) "{\"Key\":\"" key "\",\"Item\":\"" item "\",\"Qty\":" qty ",\"Price\":" price "}"

/* All records of a module. */
static inline json_t *lines_dump(struct rig *r, const char *module)
{
    char *text = zoho_sim_dump(r->zoho, module, NULL);
    json_t *dump = json_loads(text, 0, NULL);
    free(text);
    return dump;
}

static inline json_t *lines_record(json_t *dump, const char *key)
{
    json_t *rec, *found = NULL;
    size_t i;
    json_array_foreach(dump, i, rec)
    {
        const char *k = json_string_value(json_object_get(rec, "Sage_Document"));
        if (k && strcmp(k, key) == 0) found = found ? NULL : rec;
    }
    return found;
}

/* "Anvil 2x10 Bolt 1x5.5" in the order of the rows; with_ids: each followed by # and its row id. */
static inline const char *lines_rows(struct rig *r, const char *key, bool with_ids)
{
    static char out[2][4000];
    static unsigned turn;
    char *o = out[turn++ % 2];
    size_t n = 0, i;
    json_t *dump = lines_dump(r, "Sales_Orders"), *rec = lines_record(dump, key), *row;
    n = (size_t)snprintf(o, sizeof out[0], "%s", rec ? "" : "(not there once)");
    json_array_foreach(json_object_get(rec, "Ordered_Items"), i, row)
    {
        if (n + 100 > sizeof out[0]) break;
        n += (size_t)snprintf(o + n, sizeof out[0] - n, "%s%s %gx%g", i ? " " : "", json_string_value(json_object_get(json_object_get(row, "Product_Name"), "name")),
                              json_number_value(json_object_get(row, "Quantity")), json_number_value(json_object_get(row, "List_Price")));
        if (with_ids) n += (size_t)snprintf(o + n, sizeof out[0] - n, "#%s", json_string_value(json_object_get(row, "id")));
    }
    json_decref(dump);
    return o;
}

static inline void lines_are(struct rig *r, const char *key, const char *want, const char *name)
{
    const char *have = lines_rows(r, key, false);
    ok(strcmp(have, want) == 0, name, "%s", have);
}

static inline const char *lines_id(struct rig *r, const char *module, const char *field, const char *value)
{
    static char out[40];
    json_t *dump = lines_dump(r, module), *rec;
    size_t i;
    snprintf(out, sizeof out, "(none)");
    json_array_foreach(dump, i, rec)
    {
        const char *k = json_string_value(json_object_get(rec, field));
        if (k && strcmp(k, value) == 0) snprintf(out, sizeof out, "%s", json_string_value(json_object_get(rec, "id")));
    }
    json_decref(dump);
    return out;
}

/* The log verifies and the index agrees with itself. */
static inline void lines_sound(struct rig *r, const char *name)
{
    struct verify_options vo = {.dir = rig_path(r, "state/journal")};
    struct verify_report rep;
    struct view *v;
    struct fault f = {ERR_OK, ""};
    ok(verify_log(&vo, &rep), name, "%s", rep.error);
    bool open = view_open(&v, &r->world, rig_path(r, "state"), NULL, NULL, &f) == ERR_OK;
    ok(open && store_check(view_store(v), &f) == ERR_OK, name, "%s", f.text);
    if (open) view_close(v);
}
#endif
