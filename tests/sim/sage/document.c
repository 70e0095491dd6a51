/*
 * document.c: how documents hang together: whose an invoice is, which order it bills, which rows of two tables are one
 * document seen twice. All of it is arithmetic over indexes, so that every foreign key that the model shows leads to a
 * row, in every company of every size.
 *
 *     customer <- order, invoice, open invoice        vendor <- purchase order, AP invoice, open AP invoice, item
 *     order    <- its history row, its lines          item, GL account <- lines
 *
 *     invoice i      belongs to party (i + 7 * (i / n)) % n of n parties: each has one invoice in every round of n
 *     open invoice   index = party x rounds + round: in the order of its key, which begins with the party. A quarter is open.
 *     history        index < orders: the same order; above: completed (90 %), deleted (7 %), deleted quotes (3 %)
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

static const struct sage_resource *table(const struct sage_resource *r, int id)
{
    return &r->company->res[id];
}

static uint32_t rounds(uint32_t documents, uint32_t parties)
{
    return parties ? (documents + parties - 1) / parties : 0;
}

static uint32_t party_of(uint32_t document, uint32_t parties)
{
    return (uint32_t)((document + 7 * ((uint64_t)document / parties)) % parties);
}

static uint32_t document_of(uint32_t party, uint32_t round, uint32_t parties)
{
    uint64_t turn = 7 * (uint64_t)round % parties;
    return (uint32_t)((uint64_t)round * parties + (party + parties - turn) % parties);
}

// The invoice behind an open one. False: none in this round.
static bool invoice_behind(const struct sage_resource *open, uint32_t index, uint32_t *invoice)
{
    bool ar = open->id == SAGE_AR_OPEN_INVOICES;
    uint32_t documents = table(open, ar ? SAGE_AR_INVOICES : SAGE_AP_INVOICES)->count;
    uint32_t parties = table(open, ar ? SAGE_CUSTOMERS : SAGE_VENDORS)->count, n = rounds(documents, parties);
    *invoice = document_of(index / n, index % n, parties);
    return *invoice < documents;
}

bool sage__open_exists(const struct sage_resource *open, uint32_t index)
{
    uint32_t i;
    struct sage_key key;
    if (!invoice_behind(open, index, &i))
        return false;
    bool ar = open->id == SAGE_AR_OPEN_INVOICES;
    const struct sage_resource *invoices = table(open, ar ? SAGE_AR_INVOICES : SAGE_AP_INVOICES);
    const struct sage_resource *parties = table(open, ar ? SAGE_CUSTOMERS : SAGE_VENDORS);
    uint64_t seed = sage__row_seed(invoices, i);
    if (sage__mix(seed ^ 0x0e) % 4 != 0 || (ar && strcmp(sage__invoice_type(seed), "XD") == 0))
        return false;
    // A '~' in a part that is not the last could not be told apart in a URL.
    sage__base_key(parties, party_of(i, parties->count), &key);
    return !memchr(key.b, '~', key.len);
}

void sage__open_key(const struct sage_resource *open, uint32_t index, struct sage_key *key)
{
    bool ar = open->id == SAGE_AR_OPEN_INVOICES;
    const struct sage_resource *invoices = table(open, ar ? SAGE_AR_INVOICES : SAGE_AP_INVOICES);
    const struct sage_resource *parties = table(open, ar ? SAGE_CUSTOMERS : SAGE_VENDORS);
    struct sage_key invoice;
    uint32_t i, n = rounds(invoices->count, parties->count);
    size_t len;
    // A hole of the last round still takes its place in the order of the keys.
    bool there = invoice_behind(open, index, &i);
    sage__base_key(parties, index / n, key);
    sage__base_key(invoices, i, &invoice);
    const char *no = sage__key_part(&invoice, 0, &len);
    const char *type = there ? sage__invoice_type(sage__row_seed(invoices, i)) : "IN";
    if (!sage__key_add(key, no, len) || (ar && !sage__key_add(key, type, strlen(type))))
        sage__broken("open invoice with too long a key");
}

const char *sage__invoice_type(uint64_t seed)
{
    static const char *const rare[] = {"CM", "CM", "DM", "FC", "XD"};
    uint64_t h = sage__mix(seed ^ 0x7e);
    return h % 8 ? "IN" : rare[h / 8 % 5];
}

const char *sage__order_type(uint64_t seed)
{
    static const char *const types[] = {"S", "S", "S", "S", "B", "Q", "R", "M"};
    return types[sage__mix(seed ^ 0x51) % 8];
}

const char *sage__history_status(const struct sage_origin *o)
{
    uint64_t h = sage__mix(o->seed ^ 0x4157) % 100;
    if (o->resource == SAGE_SALES_ORDERS)
        return *sage__order_type(o->seed) == 'Q' ? "Q" : "A";
    return h < 90 ? "C" : h < 97 ? "X" : "Z";
}

void sage__origin(const struct sage_resource *r, uint32_t index, struct sage_origin *o)
{
    const struct sage_resource *orders = table(r, SAGE_SALES_ORDERS);
    *o = (struct sage_origin){.resource = r->id, .index = index, .known = true};
    if (r->id == SAGE_SALES_ORDER_HISTORY && index < orders->count)
        o->resource = SAGE_SALES_ORDERS;
    else if (r->id == SAGE_SALES_ORDER_HISTORY_LINES && index / SAGE_LINES_MAX < orders->count)
        o->resource = SAGE_SALES_ORDER_LINES;
    else if (r->id == SAGE_AR_OPEN_INVOICES && invoice_behind(r, index, &o->index))
        o->resource = SAGE_AR_INVOICES;
    else if (r->id == SAGE_AP_OPEN_INVOICES && invoice_behind(r, index, &o->index))
        o->resource = SAGE_AP_INVOICES;
    o->seed = sage__row_seed(table(r, o->resource), o->index);
}

int sage__header_of(int lines)
{
    for (int id = 0; id < SAGE_RESOURCES; id++)
        if (sage__tables[id].lines == lines)
            return id;
    return SAGE_NONE;
}

int sage__lines_of_document(const struct sage_resource *header, uint32_t index)
{
    struct sage_origin o;
    sage__origin(header, index, &o);
    return (int)(1 + sage__mix(o.seed ^ 0x11) % 5);
}

// Whose a document is: an index of CUSTOMERS or VENDORS.
static uint32_t owner_of(const struct sage_origin *o, uint32_t parties)
{
    bool round = o->known && (o->resource == SAGE_AR_INVOICES || o->resource == SAGE_AP_INVOICES);
    return round ? party_of(o->index, parties) : (uint32_t)(sage__mix(o->seed ^ 0x0d) % parties);
}

bool sage__owner(const struct sage_company *c, const struct sage_origin *o, int *party, uint32_t *index)
{
    switch (o->resource) {
    case SAGE_SALES_ORDERS:
    case SAGE_SALES_ORDER_HISTORY:
    case SAGE_AR_INVOICES: *party = SAGE_CUSTOMERS; break;
    case SAGE_PURCHASE_ORDERS:
    case SAGE_AP_INVOICES:
    case SAGE_ITEMS: *party = SAGE_VENDORS; break;
    default: return false;
    }
    if (!c->res[*party].count)
        return false;
    *index = owner_of(o, c->res[*party].count);
    return true;
}

// Documents by their owner, made at the first use: start[party] to start[party + 1] of list[].
static void by_owner(struct sage_company *c, struct sage_owned *owned, int resource, uint32_t parties)
{
    const struct sage_resource *r = &c->res[resource];
    struct sage_origin o;
    owned->start = sage__alloc(((size_t)parties + 2) * sizeof *owned->start);
    owned->list = sage__alloc(((size_t)r->count + 1) * sizeof *owned->list);
    for (uint32_t i = 0; i < r->count; i++) {
        sage__origin(r, i, &o);
        owned->start[owner_of(&o, parties) + 2]++;
    }
    for (uint32_t p = 2; p < parties + 2; p++)
        owned->start[p] += owned->start[p - 1];
    for (uint32_t i = 0; i < r->count; i++) {
        sage__origin(r, i, &o);
        owned->list[owned->start[owner_of(&o, parties) + 1]++] = i;
    }
}

bool sage__billed(const struct sage_company *c, const struct sage_origin *invoice, uint32_t *index)
{
    bool ar = invoice->resource == SAGE_AR_INVOICES;
    int party;
    uint32_t owner;
    struct sage_company *mine = c->res[0].company;
    struct sage_owned *owned = ar ? &mine->orders : &mine->purchases;
    if (!invoice->known || (!ar && invoice->resource != SAGE_AP_INVOICES) || !sage__owner(c, invoice, &party, &owner))
        return false;
    if (!owned->start)
        by_owner(mine, owned, ar ? SAGE_SALES_ORDER_HISTORY : SAGE_PURCHASE_ORDERS, c->res[party].count);
    uint32_t n = owned->start[owner + 1] - owned->start[owner];
    uint64_t h = sage__mix(invoice->seed ^ 0xb111);
    if (!n || h % 8 < 2)
        return false;
    *index = owned->list[owned->start[owner] + h / 8 % n];
    if (!ar)
        return true;
    struct sage_origin o;
    sage__origin(&c->res[SAGE_SALES_ORDER_HISTORY], *index, &o);
    const char *status = sage__history_status(&o);
    return *status == 'A' || *status == 'C';
}

void sage__owned_free(struct sage_owned *owned)
{
    free(owned->start);
    free(owned->list);
    *owned = (struct sage_owned){0};
}

static uint32_t rows_asked(const char *rows, const char *name, uint32_t otherwise)
{
    size_t len = strlen(name);
    for (const char *p = rows; p && *p; p += strcspn(p, ","), p += *p == ',')
        if (strncmp(p, name, len) == 0 && p[len] == '=')
            return (uint32_t)strtoul(p + len + 1, NULL, 10);
    return otherwise;
}

bool sage__rows_valid(const char *rows)
{
    for (const char *p = rows; p && *p;) {
        char name[32], *end;
        size_t len = strcspn(p, "=");
        if (p[len] != '=' || len >= sizeof name || p[len + 1] < '0' || p[len + 1] > '9')
            return false;
        memcpy(name, p, len);
        name[len] = 0;
        unsigned long n = strtoul(p + len + 1, &end, 10);
        if (sage__resource_find(name) < 0 || n > 4000000 || (*end && *end != ','))
            return false;
        p = *end ? end + 1 : end;
    }
    return true;
}

static uint32_t at_most(uint32_t n, uint32_t most)
{
    return n < most ? n : most;
}

// How large the index spaces are. What a company of n customers has otherwise can be asked for by resource: "items=4000,contacts=3000".
void sage__counts(struct sage_company *c, const char *rows)
{
    struct sage_resource *res = c->res;
    uint32_t n = c->customers;
    res[SAGE_CUSTOMERS].count = n;
    res[SAGE_CONTACTS].count = n * 2;
    res[SAGE_SALES_ORDERS].count = rows_asked(rows, "sales-orders", n / 2);
    res[SAGE_VENDORS].count = rows_asked(rows, "vendors", n / 10 + 3);
    res[SAGE_TERMS].count = 8;
    res[SAGE_SALESPERSONS].count = 30;
    res[SAGE_ITEMS].count = at_most(rows_asked(rows, "items", n / 2 + 10), 700000);
    uint32_t orders = res[SAGE_SALES_ORDERS].count;
    uint32_t history = rows_asked(rows, "sales-order-history", orders + orders / 4);
    res[SAGE_SALES_ORDER_HISTORY].count = history < orders ? orders : history;
    res[SAGE_PURCHASE_ORDERS].count = rows_asked(rows, "purchase-orders", n / 4);
    res[SAGE_AR_INVOICES].count = n ? rows_asked(rows, "ar-invoices", n) : 0;
    res[SAGE_AP_INVOICES].count = res[SAGE_VENDORS].count ? rows_asked(rows, "ap-invoices", n / 4) : 0;
    res[SAGE_AR_OPEN_INVOICES].count = n * rounds(res[SAGE_AR_INVOICES].count, n);
    res[SAGE_AP_OPEN_INVOICES].count = res[SAGE_VENDORS].count * rounds(res[SAGE_AP_INVOICES].count, res[SAGE_VENDORS].count);
    res[SAGE_GL_ACCOUNTS].count = at_most(rows_asked(rows, "gl-accounts", 120), 2700);
    res[SAGE_GL_MAIN_ACCOUNTS].count = (res[SAGE_GL_ACCOUNTS].count + 2) / 3;
    res[SAGE_GL_ACCOUNT_GROUPS].count = SAGE_GROUPS;
    for (int id = 0; id < SAGE_RESOURCES; id++)
        if (!sage__tables[id].resource)
            res[id].count = res[sage__header_of(id)].count * SAGE_LINES_MAX;
    // of a hundred customers so many have a first contact, and so many a second
    uint32_t contacts = rows_asked(rows, "contacts", UINT32_MAX), share = n ? (uint32_t)((uint64_t)contacts * 100 / n) : 0;
    c->first_contact = contacts == UINT32_MAX ? 60 : at_most(share, 100);
    c->second_contact = contacts == UINT32_MAX ? 20 : at_most(share - c->first_contact, 100);
}
