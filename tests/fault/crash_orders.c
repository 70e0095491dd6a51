/* crash_orders.c - the orders of the harness: what stands in the feed, how it changes, and what Zoho has to hold of it. An update of lines that is sent
 * twice, or without the ids of rows that are there, shows as a row too many. */
#include "tests/fault/scene.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const item_names[SCENE_ITEMS] = {"Anvil", "Bolt", "Chain"};

static bool put(struct scene *s, const char *name, const char *text)
{
    char path[700];
    (void)snprintf(path, sizeof path, "%s/%s", s->feed, name);
    FILE *f = fopen(path, "w");
    bool ok = f && fputs(text, f) >= 0;
    ok = f && fclose(f) == 0 && ok;
    return ok || scene_wrong(s, "the feed cannot be written: %s", strerror(errno));
}

static bool write_orders(struct scene *s)
{
    char text[8000];
    size_t n = 0;
    for (unsigned o = 0; o < SCENE_ORDERS; o++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "{\"No\":\"%u\",\"Lines\":[", o);
        for (size_t i = 0; i < s->order[o].n; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s{\"Key\":\"%u\",\"Item\":\"%u\",\"Qty\":%u}", i ? "," : "", s->order[o].line[i].key,
                                  s->order[o].line[i].item, s->order[o].line[i].qty);
        n += (size_t)snprintf(text + n, sizeof text - n, "]}\n");
    }
    return put(s, "Orders.jsonl", text);
}

static void add_line(struct scene *s, struct scene_order *o, unsigned item, unsigned qty)
{
    if (o->n == SCENE_LINES) return;
    o->line[o->n].key = ++s->line_keys;
    o->line[o->n].item = item;
    o->line[o->n++].qty = qty;
}

bool orders_begin(struct scene *s)
{
    char text[300] = "";
    if (mkdir(s->feed, 0700) != 0 && errno != EEXIST) return scene_wrong(s, "no folder for the feed");
    for (size_t i = 0; i < SCENE_ITEMS; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "{\"No\":\"%zu\",\"Name\":\"%s\"}\n", i, item_names[i]);
    for (unsigned o = 0; o < SCENE_ORDERS; o++)
        for (unsigned i = 0; i <= o % 3 + 1; i++) add_line(s, &s->order[o], i % SCENE_ITEMS, o + i + 1);
    return put(s, "Items.jsonl", text) && write_orders(s);
}

bool orders_change(struct scene *s, unsigned how)
{
    for (unsigned o = 0; o < SCENE_ORDERS; o++) {
        struct scene_order *order = &s->order[o];
        if ((o + how) % 4 != 3) order->line[0].qty += 10;
        if ((o + how) % 2 == 0) add_line(s, order, (o + how) % SCENE_ITEMS, 7);
        if ((o + how) % 3 == 1 && order->n > 2) {
            memmove(&order->line[1], &order->line[2], (order->n - 2) * sizeof order->line[0]);
            order->n--;
        }
    }
    return write_orders(s);
}

/* Rows are counted off against lines: what is left on either side is wrong. */
static bool check_order(struct scene *s, const json_t *record, const struct scene_order *o, unsigned no)
{
    const json_t *rows = json_object_get(record, "Ordered_Items"), *row;
    bool used[SCENE_LINES] = {false};
    size_t i, left = o->n;
    json_array_foreach(rows, i, row) {
        const char *name = json_string_value(json_object_get(json_object_get(row, "Product_Name"), "name"));
        double qty = json_number_value(json_object_get(row, "Quantity"));
        size_t k = 0;
        while (k < o->n && (used[k] || !name || strcmp(name, item_names[o->line[k].item]) != 0 || qty < o->line[k].qty - 0.001 || qty > o->line[k].qty + 0.001)) k++;
        if (k == o->n) return scene_wrong(s, "order %u: a row of %s, %g pieces, is no line, or one too many (%zu rows, %zu lines)", no, name ? name : "?", qty,
                                          json_array_size(rows), o->n);
        used[k] = true;
        left--;
    }
    return left == 0 || scene_wrong(s, "order %u: %zu of %zu lines have no row", no, left, o->n);
}

bool orders_check(struct scene *s)
{
    char *dump = zoho_sim_dump(s->zoho, "Sales_Orders", NULL);
    json_t *all = json_loads(dump, 0, NULL), *record;
    bool ok = zoho_sim_count(s->zoho, "Products") == SCENE_ITEMS || scene_wrong(s, "%zu products for %d items", zoho_sim_count(s->zoho, "Products"), SCENE_ITEMS);
    if (ok && json_array_size(all) != SCENE_ORDERS) ok = scene_wrong(s, "%zu orders in Zoho, %d in the feed", json_array_size(all), SCENE_ORDERS);
    for (unsigned o = 0; o < SCENE_ORDERS && ok; o++) {
        char key[20];
        size_t i, times = 0;
        (void)snprintf(key, sizeof key, "F~%u", o);
        json_array_foreach(all, i, record) {
            const char *have = json_string_value(json_object_get(record, "Sage_Document"));
            if (!ok || !have || strcmp(have, key) != 0) continue;
            times++;
            ok = check_order(s, record, &s->order[o], o);
        }
        if (ok && times != 1) ok = scene_wrong(s, "order %u stands %zu times in Zoho", o, times);
    }
    json_decref(all);
    free(dump);
    return ok;
}
