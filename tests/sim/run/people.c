/*
 * people.c: what people do meanwhile. Every change of a row in Sage carries the next version number in a text column of its own, so that the judge can tell
 * which of two writes is the newer one:
 *
 *     customers, contacts   AddressLine3     items   ItemCodeDesc     sales-orders   Comment           "v000123", all of them become Description in Zoho
 *
 * In Zoho people write into fields that no flow maps (and these have to stay), into fields of guarded records (and these are put back), delete guarded
 * records, and lock records for a while.
 */
#include "run.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define COMPANY "ABC"
enum { CUSTOMERS, CONTACTS, ITEMS, ORDERS, RESOURCES, HOUR_MS = 3600000 };
static const char *const resources[RESOURCES] = {"customers", "contacts", "items", "sales-orders"};
static const char *const version_column[RESOURCES] = {"AddressLine3", "AddressLine3", "ItemCodeDesc", "Comment"};

struct keys {
    char key[RUN_ROWS][40];
    size_t n;
};

static bool take_key(void *ctx, const char *key)
{
    struct keys *k = ctx;
    if (k->n < RUN_ROWS)
        (void)snprintf(k->key[k->n++], sizeof k->key[0], "%s", key);
    return true;
}

static void keys_of(struct seed *s, const char *resource, struct keys *k)
{
    k->n = 0;
    (void)sage_sim_each_key(s->sage, COMPANY, resource, take_key, k);
}

static bool pick(struct seed *s, const char *resource, char key[40])
{
    struct keys k;
    keys_of(s, resource, &k);
    if (k.n)
        (void)snprintf(key, 40, "%s", k.key[seed_dice(s, k.n)]);
    return k.n > 0;
}

static int resource_of(const char *path)
{
    for (int r = 0; r < RESOURCES; r++)
        if (strncmp(path, resources[r], strlen(resources[r])) == 0)
            return r;
    return -1;
}

static void edit(struct seed *s, int r, const char *key, const char *column, const char *value, enum sage_stamping stamping)
{
    if (!sage_sim_edit(s->sage, COMPANY, resources[r], key, column, value, stamping))
        (void)seed_violated(s, "stage", "%s %s: %s cannot be \"%s\"", resources[r], key, column, value ? value : "");
}

static void new_version(struct seed *s, int r, const char *key, enum sage_stamping stamping)
{
    char text[20];
    (void)snprintf(text, sizeof text, "v%06u", ++s->version);
    edit(s, r, key, version_column[r], text, stamping);
    s->result->edits++;
}

/* ---- rows change ---- */

static void change_customer(struct seed *s, const char *key)
{
    char text[40];
    switch (seed_dice(s, 5)) {
    case 0:
        (void)snprintf(text, sizeof text, "Customer %u & Sons", s->version);
        edit(s, CUSTOMERS, key, "CustomerName", text, SAGE_STAMP_KEPT);
        break;
    case 1: edit(s, CUSTOMERS, key, "City", seed_chance(s, 300) ? "" : seed_chance(s, 500) ? "Ni\xc3\xb1o Beach" : "Elgin", SAGE_STAMP_KEPT); break;
    case 2:
        (void)snprintf(text, sizeof text, "%05u", (unsigned)seed_dice(s, 100000));
        edit(s, CUSTOMERS, key, "ZipCode", text, SAGE_STAMP_KEPT);
        break;
    case 3: edit(s, CUSTOMERS, key, "CreditHold", seed_chance(s, 500) ? "Y" : "N", SAGE_STAMP_KEPT); break;
    default:
        (void)snprintf(text, sizeof text, "%u.%02u", (unsigned)seed_dice(s, 12000), (unsigned)seed_dice(s, 100));
        edit(s, CUSTOMERS, key, "CreditLimit", text, SAGE_STAMP_KEPT);
    }
    new_version(s, CUSTOMERS, key, SAGE_STAMP_NOW);
    seed_event(s, "sage: customer %s changes, v%06u", key, s->version);
}

static void change_contact(struct seed *s, const char *key)
{
    char text[40];
    (void)snprintf(text, sizeof text, "Ann Example %u", (unsigned)seed_dice(s, 1000));
    edit(s, CONTACTS, key, "ContactName", text, SAGE_STAMP_KEPT);
    new_version(s, CONTACTS, key, SAGE_STAMP_NOW);
    seed_event(s, "sage: contact %s changes, v%06u", key, s->version);
}

static void change_item(struct seed *s, const char *key)
{
    new_version(s, ITEMS, key, SAGE_STAMP_NOW);
    seed_event(s, "sage: item %s changes, v%06u", key, s->version);
}

// Lines of one order: "0000103~000001".
struct lines {
    const char *order;
    struct keys k;
};

static bool take_line(void *ctx, const char *key)
{
    struct lines *l = ctx;
    size_t n = strlen(l->order);
    if (strncmp(key, l->order, n) == 0 && key[n] == '~')
        (void)take_key(&l->k, key);
    return true;
}

static void change_order(struct seed *s, const char *key)
{
    struct lines l = {.order = key};
    char line[60], text[20];
    (void)sage_sim_each_key(s->sage, COMPANY, "sales-orders:lines", take_line, &l);
    uint64_t what = seed_dice(s, 4);
    if (what == 0 && l.k.n < 9) {
        (void)snprintf(line, sizeof line, "%s~%06u", key, 900000 + ++s->version % 99999);
        if (!sage_sim_insert(s->sage, COMPANY, "sales-orders:lines", line, NULL, NULL))
            (void)seed_violated(s, "stage", "no new line %s", line);
    } else if (what == 1 && l.k.n > 2) {
        (void)sage_sim_delete(s->sage, COMPANY, "sales-orders:lines", l.k.key[seed_dice(s, l.k.n)]);
    } else if (l.k.n) {
        (void)snprintf(text, sizeof text, "%u", 1 + (unsigned)seed_dice(s, 500));
        (void)sage_sim_edit(s->sage, COMPANY, "sales-orders:lines", l.k.key[seed_dice(s, l.k.n)], "QuantityOrdered", text, SAGE_STAMP_KEPT);
    }
    new_version(s, ORDERS, key, SAGE_STAMP_NOW);
    seed_event(s, "sage: order %s changes, v%06u", key, s->version);
}

static void change(struct seed *s, int r)
{
    char key[40];
    if (!pick(s, resources[r], key))
        return;
    switch (r) {
    case CUSTOMERS: change_customer(s, key); break;
    case CONTACTS: change_contact(s, key); break;
    case ITEMS: change_item(s, key); break;
    default: change_order(s, key);
    }
}

static void change_any(struct seed *s)
{
    static const int weighted[] = {CUSTOMERS, CUSTOMERS, CUSTOMERS, CONTACTS, ITEMS, ORDERS, ORDERS, ORDERS};
    change(s, weighted[seed_dice(s, sizeof weighted / sizeof *weighted)]);
}

/* ---- rows come and go ---- */

static void remember(char list[][40], size_t *n, const char *key)
{
    if (*n < RUN_ROWS)
        (void)snprintf(list[(*n)++], 40, "%s", key);
}

static bool take_back(struct seed *s, char list[][40], size_t *n, char key[40])
{
    if (*n == 0)
        return false;
    size_t i = seed_dice(s, *n);
    memcpy(key, list[i], 40);
    memcpy(list[i], list[--*n], 40);
    return true;
}

static void insert_customer(struct seed *s)
{
    char key[40];
    struct keys k;
    keys_of(s, "customers", &k);
    (void)snprintf(key, sizeof key, "01~NEW%u", s->version);
    if (k.n > 50 || !sage_sim_insert(s->sage, COMPANY, "customers", key, NULL, NULL))
        return;
    edit(s, CUSTOMERS, key, "CustomerStatus", "A", SAGE_STAMP_KEPT);
    new_version(s, CUSTOMERS, key, SAGE_STAMP_NOW);
    seed_event(s, "sage: customer %s is new", key);
}

static void delete_customer(struct seed *s)
{
    char key[40];
    if (s->end_ms - seed_true_ms(s) < 30 * HOUR_MS || !pick(s, "customers", key) || s->ngone > 6)
        return;
    if (!sage_sim_delete(s->sage, COMPANY, "customers", key))
        return;
    for (size_t i = s->naway; i-- > 0;)
        if (strcmp(s->away[i], key) == 0)
            memcpy(s->away[i], s->away[--s->naway], 40);
    remember(s->gone, &s->ngone, key);
    seed_hit(s, HIT_DELETED);
    seed_event(s, "sage: customer %s is deleted", key);
}

static void bring_back(struct seed *s)
{
    char key[40];
    if (!take_back(s, s->gone, &s->ngone, key) || !sage_sim_insert(s->sage, COMPANY, "customers", key, NULL, NULL))
        return;
    edit(s, CUSTOMERS, key, "CustomerStatus", "A", SAGE_STAMP_KEPT);
    new_version(s, CUSTOMERS, key, SAGE_STAMP_NOW);
    seed_hit(s, HIT_RETURNED);
    seed_event(s, "sage: customer %s is there again", key);
}

static void leave_or_return(struct seed *s)
{
    char key[40];
    if (s->naway > 2 && take_back(s, s->away, &s->naway, key)) {
        edit(s, CUSTOMERS, key, "CustomerStatus", "A", SAGE_STAMP_KEPT);
        seed_hit(s, HIT_RETURNED);
    } else if (pick(s, "customers", key)) {
        edit(s, CUSTOMERS, key, "CustomerStatus", "T", SAGE_STAMP_KEPT);
        remember(s->away, &s->naway, key);
        seed_hit(s, HIT_LEFT);
    } else {
        return;
    }
    new_version(s, CUSTOMERS, key, SAGE_STAMP_NOW);
    seed_event(s, "sage: customer %s leaves or returns", key);
}

static void without_name(struct seed *s)
{
    char key[40];
    if (s->nblank > 1 && take_back(s, s->blank, &s->nblank, key)) {
        if (sage_sim_edit(s->sage, COMPANY, "customers", key, "CustomerName", "Named Again Inc.", SAGE_STAMP_KEPT))
            new_version(s, CUSTOMERS, key, SAGE_STAMP_NOW);
    } else if (pick(s, "customers", key) && s->nblank < 8) {
        edit(s, CUSTOMERS, key, "CustomerName", "", SAGE_STAMP_KEPT);
        new_version(s, CUSTOMERS, key, SAGE_STAMP_NOW);
        (void)snprintf(s->blank[s->nblank++], 40, "%s", key);
    }
}

/* ---- what makes paging hard ---- */

static void do_json(struct seed *s, json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT), *answer = NULL;
    if (!sage_sim_do(s->sage, text, &answer))
        (void)seed_violated(s, "stage", "%s: %s", text, answer ? answer : "");
    free(text);
    free(answer);
    json_decref(o);
}

static json_t *fields_of(struct seed *s, int r)
{
    char text[20];
    (void)snprintf(text, sizeof text, "v%06u", ++s->version);
    s->result->edits++;
    return json_pack("{ss}", version_column[r], text);
}

// A long transaction: stamped when it began, seen when it ends. Within the agent's overlap of ten minutes.
static void commit_late(struct seed *s)
{
    char key[40];
    int r = (int)seed_dice(s, 3);
    if (!pick(s, resources[r], key))
        return;
    do_json(s, json_pack("{sssssssissso}", "do", "late", "resource", resources[r], "key", key, "minutes", 1 + (int)seed_dice(s, 8), "company", COMPANY, "fields",
                         fields_of(s, r)));
    seed_hit(s, HIT_LATE_COMMIT);
    seed_event(s, "sage: %s %s is committed late, v%06u", resources[r], key, s->version);
}

static void import(struct seed *s)
{
    struct keys k;
    json_t *list = json_array();
    keys_of(s, "customers", &k);
    for (size_t i = 0; i < k.n && i < 16; i++)
        json_array_append_new(list, json_string(k.key[i]));
    do_json(s, json_pack("{sssssssoso}", "do", "import", "resource", "customers", "company", COMPANY, "keys", list, "fields", fields_of(s, CUSTOMERS)));
    seed_hit(s, HIT_EQUAL_STAMPS);
    seed_event(s, "sage: 16 customers are imported with one stamp, v%06u", s->version);
}

static void lock(struct seed *s)
{
    char key[40];
    int r = (int)seed_dice(s, RESOURCES);
    if (!pick(s, resources[r], key))
        return;
    change(s, r);
    (void)sage_sim_lock(s->sage, COMPANY, resources[r], key, 1 + (int)seed_dice(s, 3), (int64_t)seed_dice(s, 70) * 60000);
    new_version(s, r, key, SAGE_STAMP_NOW);
    seed_hit(s, HIT_LOCKED);
    seed_event(s, "sage: %s %s is locked, v%06u", resources[r], key, s->version);
}

void people_between_pages(struct seed *s, const char *path)
{
    int r = resource_of(path);
    if (r < 0 || !seed_chance(s, 300))
        return;
    seed_event(s, "between two pages:");
    change(s, r);
    if (r == CUSTOMERS && seed_chance(s, 200))
        insert_customer(s);
    seed_hit(s, HIT_PAGE_SHIFT);
}

/* ---- in Zoho ---- */

// A record of a module by chance; false: it has none.
static bool any_record(struct seed *s, const char *module, char id[24])
{
    char *dump = zoho_sim_dump(s->zoho, module, NULL);
    json_t *all = json_loads(dump ? dump : "[]", 0, NULL);
    size_t n = json_array_size(all);
    const char *found = n ? json_string_value(json_object_get(json_array_get(all, seed_dice(s, n)), "id")) : NULL;
    (void)snprintf(id, 24, "%s", found ? found : "");
    json_decref(all);
    free(dump);
    return id[0] != '\0';
}

static void edit_zoho(struct seed *s, const char *module, const char *id, const char *json)
{
    char why[200];
    if (!zoho_sim_edit(s->zoho, module, id, json, why, sizeof why))
        (void)seed_violated(s, "stage", "a person cannot write %s: %s", json, why);
    seed_event(s, "zoho: a person writes %s %s %s", module, id, json);
}

static struct people_edit *edit_of(struct seed *s, const char *id, bool locked)
{
    for (size_t i = 0; i < s->nedits; i++)
        if (strcmp(s->edits[i].id, id) == 0 && s->edits[i].locked == locked)
            return &s->edits[i];
    return s->nedits < RUN_PEOPLE ? &s->edits[s->nedits++] : NULL;
}

static void own_field(struct seed *s)
{
    static const struct {
        const char *module, *field;
    } own[] = {{"Accounts", "Website"}, {"Contacts", "Department"}, {"Sales_Orders", "Carrier"}, {"Accounts", "Ticker_Symbol"}};
    char id[24], json[120], value[30];
    size_t k = seed_dice(s, 2);
    if (!any_record(s, own[k].module, id))
        return;
    struct people_edit *e = edit_of(s, id, false);
    if (!e)
        return;
    (void)snprintf(value, sizeof value, "people%u.example.com", (unsigned)seed_dice(s, 1000));
    (void)snprintf(json, sizeof json, "{\"%s\":\"%s\"}", own[k].field, value);
    edit_zoho(s, own[k].module, id, json);
    *e = (struct people_edit){.module = own[k].module, .field = own[k].field};
    (void)snprintf(e->id, sizeof e->id, "%s", id);
    (void)snprintf(e->value, sizeof e->value, "%s", value);
    seed_hit(s, HIT_EDITED_ZOHO);
}

static void guarded_field(struct seed *s)
{
    char id[24];
    if (!any_record(s, "Products", id))
        return;
    edit_zoho(s, "Products", id, "{\"Product_Name\":\"renamed by hand\"}");
    seed_hit(s, HIT_EDITED_ZOHO);
}

static void delete_guarded(struct seed *s)
{
    char id[24];
    if (s->end_ms - seed_true_ms(s) < 6 * HOUR_MS || !any_record(s, "Products", id) || !zoho_sim_delete(s->zoho, "Products", id, seed_chance(s, 500)))
        return;
    seed_hit(s, HIT_DELETED_ZOHO);
    seed_event(s, "zoho: a person deletes product %s", id);
}

static void lock_zoho(struct seed *s)
{
    const char *module = seed_chance(s, 500) ? "Accounts" : "Sales_Orders";
    char id[24];
    if (!any_record(s, module, id))
        return;
    struct people_edit *e = edit_of(s, id, true);
    if (!e)
        return;
    edit_zoho(s, module, id, "{\"$locked\":true}");
    *e = (struct people_edit){.module = module, .locked = true, .until_ms = seed_true_ms(s) + (int64_t)seed_dice(s, 8 * HOUR_MS)};
    (void)snprintf(e->id, sizeof e->id, "%s", id);
    seed_hit(s, HIT_LOCKED_ZOHO);
}

static void unlock(struct seed *s, bool all)
{
    for (size_t i = s->nedits; i-- > 0;) {
        struct people_edit *e = &s->edits[i];
        if (!e->locked || (!all && e->until_ms > seed_true_ms(s)))
            continue;
        char why[100];
        (void)zoho_sim_edit(s->zoho, e->module, e->id, "{\"$locked\":false}", why, sizeof why);
        seed_event(s, "zoho: %s %s is unlocked", e->module, e->id);
        *e = s->edits[--s->nedits];
    }
}

bool people_kept(struct seed *s)
{
    for (size_t i = 0; i < s->nedits; i++) {
        const struct people_edit *e = &s->edits[i];
        char *text = e->locked ? NULL : zoho_sim_record(s->zoho, e->module, e->id);
        json_t *record = text ? json_loads(text, 0, NULL) : NULL;
        const char *have = json_string_value(json_object_get(record, e->field));
        bool kept = !record || (have && strcmp(have, e->value) == 0);
        if (!kept)
            (void)seed_violated(s, "never over what people own", "%s %s: %s is \"%s\", a person wrote \"%s\"", e->module, e->id, e->field, have ? have : "", e->value);
        json_decref(record);
        free(text);
        if (!kept)
            return false;
    }
    return true;
}

/* ---- a few minutes of everybody's work ---- */

void people_turn(struct seed *s)
{
    static const struct {
        unsigned permille;
        void (*act)(struct seed *);
    } acts[] = {{70, change_any},  {9, insert_customer}, {5, delete_customer}, {6, bring_back}, {7, leave_or_return}, {5, without_name}, {9, commit_late},
                {3, import},       {9, lock},            {8, own_field},       {5, guarded_field}, {2, delete_guarded}, {5, lock_zoho}};
    unlock(s, false);
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (seed_chance(s, acts[i].permille))
            acts[i].act(s);
    for (unsigned n = seed_chance(s, 15) ? 12 : 0; n > 0; n--)
        change_any(s);
}

void people_last_changes(struct seed *s)
{
    unlock(s, true);
    for (unsigned n = 0; n < 6; n++)
        change_any(s);
}
