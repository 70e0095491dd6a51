/*
 * sage_document_test.c: the documents of the model of Sage 100 hang together: keys ascend, every foreign key leads to a
 * row, totals are the sum of their lines, what is open was invoiced; and what the life of an order leaves behind.
 */
#include "sage_client.h"

static struct sage_sim *sized(const char *rows)
{
    struct sage_sim_options o;
    options(&o, 200);
    o.seed = 3;
    o.rows = rows;
    return sage_sim_new(&o);
}

struct walk {
    struct sage_sim *sim;
    const char *resource;
    struct sage_key last;
    size_t n, bad, linked, blank;
    char example[200];
    int64_t lines_cents;
};

static void wrong(struct walk *w, const char *key, const char *what)
{
    if (!w->bad++)
        snprintf(w->example, sizeof w->example, "%s %s: %s", w->resource, key, what);
}

// The order of keys as the agent sends them, and each found by itself.
static bool in_order(void *ctx, const char *text_of_key)
{
    struct walk *w = ctx;
    struct sage_key key;
    int id = sage__resource_find(w->resource);
    if (!sage__key_parse(&key, text_of_key, strlen(text_of_key), sage__tables[id].nparts))
        wrong(w, text_of_key, "not a key");
    if (w->n++ && sage__key_cmp(&w->last, &key) >= 0)
        wrong(w, text_of_key, "not in order");
    w->last = key;
    char *row = sage_sim_row(w->sim, "ABC", w->resource, text_of_key);
    if (!row)
        wrong(w, text_of_key, "not found by its key");
    free(row);
    return true;
}

static void test_keys(struct sage_sim *s)
{
    for (int i = 0; i < SAGE_RESOURCES; i++) {
        if (!sage__tables[i].resource)
            continue;
        struct walk w = {.sim = s, .resource = sage__tables[i].resource};
        sage_sim_each_key(s, "ABC", w.resource, in_order, &w);
        verdict(w.n > 0 && !w.bad, format("keys of %s ascend and are found (%zu)", w.resource, w.n), w.example);
    }
}

/* ---- foreign keys ---- */

static const struct link {
    const char *resource, *columns[3], *into, *also; // `also`: where else it may be
    bool may_be_blank;
} links[] = {
    {"contacts", {"ARDivisionNo", "CustomerNo"}, "customers", NULL, false},
    {"sales-orders", {"ARDivisionNo", "CustomerNo"}, "customers", NULL, false},
    {"sales-orders", {"SalesOrderNo"}, "sales-order-history", NULL, false},
    {"sales-order-history", {"ARDivisionNo", "CustomerNo"}, "customers", NULL, false},
    {"purchase-orders", {"APDivisionNo", "VendorNo"}, "vendors", NULL, false},
    {"ar-invoices", {"ARDivisionNo", "CustomerNo"}, "customers", NULL, false},
    {"ar-invoices", {"SalesOrderNo"}, "sales-order-history", NULL, true},
    {"ar-open-invoices", {"ARDivisionNo", "CustomerNo"}, "customers", NULL, false},
    {"ar-open-invoices", {"InvoiceNo", "InvoiceHistoryHeaderSeqNo"}, "ar-invoices", NULL, false},
    {"ap-invoices", {"APDivisionNo", "VendorNo"}, "vendors", NULL, false},
    {"ap-invoices", {"PurchaseOrderNo"}, "purchase-orders", NULL, true},
    {"ap-open-invoices", {"APDivisionNo", "VendorNo"}, "vendors", NULL, false},
    {"ap-open-invoices", {"InvoiceNo", "InvoiceHistoryHeaderSeqNo"}, "ap-invoices", NULL, false},
    {"items", {"SalesAcctKey"}, "gl-accounts", NULL, false},
    {"items", {"PrimaryAPDivisionNo", "PrimaryVendorNo"}, "vendors", NULL, false},
    {"vendors", {"AccountKey"}, "gl-accounts", NULL, false},
    {"gl-accounts", {"AccountGroup"}, "gl-account-groups", NULL, false},
    {"gl-main-accounts", {"AccountGroup"}, "gl-account-groups", NULL, false},
    {"sales-orders:lines", {"ItemCode"}, "items", "/C", false},
    {"sales-order-history:lines", {"ItemCode"}, "items", "/C", false},
    {"purchase-orders:lines", {"ItemCode"}, "items", "/C", false},
    {"ar-invoices:lines", {"ItemCode"}, "items", "/C", false},
    {"ar-invoices:lines", {"SalesAcctKey"}, "gl-accounts", NULL, false},
};

struct follow {
    struct walk w;
    const struct link *link;
};

static bool follow_one(void *ctx, const char *key)
{
    struct follow *f = ctx;
    struct sage_buf b = {0};
    bool blank = false;
    for (int i = 0; i < 3 && f->link->columns[i]; i++) {
        char *part = sage_sim_value(f->w.sim, "ABC", f->w.resource, key, f->link->columns[i]);
        blank = blank || !part || !*part;
        sage__puts(&b, i ? "~" : "");
        sage__puts(&b, part ? part : "");
        free(part);
    }
    char *row = blank ? NULL : sage_sim_row(f->w.sim, "ABC", f->link->into, b.p);
    f->w.n++;
    if (blank && !f->link->may_be_blank)
        wrong(&f->w, key, "blank");
    else if (!blank && !row && !(f->link->also && strcmp(b.p, f->link->also) == 0))
        wrong(&f->w, key, b.p);
    f->w.linked += row != NULL;
    f->w.blank += blank;
    free(row);
    free(b.p);
    return true;
}

static void test_links(struct sage_sim *s)
{
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct follow f = {.w = {.sim = s, .resource = links[i].resource}, .link = &links[i]};
        sage_sim_each_key(s, "ABC", links[i].resource, follow_one, &f);
        verdict(f.w.n > 0 && f.w.linked > 0 && !f.w.bad && (!links[i].may_be_blank || f.w.blank > 0),
                format("%s.%s leads to %s (%zu of %zu)", links[i].resource, links[i].columns[0], links[i].into, f.w.linked, f.w.n), f.w.example);
    }
}

/* ---- amounts ---- */

static int64_t cents(const char *text_of_amount)
{
    int64_t v = 0, places = -1, sign = 1;
    for (const char *p = text_of_amount; *p; p++) {
        if (*p == '-')
            sign = -1;
        else if (*p == '.')
            places = 0;
        else if (places < 2) {
            v = v * 10 + (*p - '0');
            places += places >= 0;
        }
    }
    return sign * v;
}

static bool adds_up(void *ctx, const char *key)
{
    struct walk *w = ctx;
    char *json = sage_sim_row(w->sim, "ABC", w->resource, key);
    json_t *row = json_loads(json, 0, NULL), *f = json_object_get(row, "fields"), *line;
    const char *column = strcmp(w->resource, "ar-invoices") == 0 ? "NonTaxableSalesAmt" : "NonTaxableAmt";
    int64_t total = cents(text(f, column)), sum = 0;
    size_t i, items = 0;
    json_array_foreach(json_object_get(row, "lines"), i, line)
    {
        json_t *lf = json_object_get(line, "fields");
        sum += cents(text(lf, "ExtensionAmt"));
        items += strcmp(text(lf, "ItemType"), "1") == 0;
    }
    if ((total < 0 ? -total : total) != sum || !sum || !items)
        wrong(w, key, format("total %s, lines %lld, items %zu", text(f, column), (long long)sum, items));
    w->n++;
    json_decref(row);
    free(json);
    return true;
}

static bool within_invoice(void *ctx, const char *key)
{
    struct walk *w = ctx;
    char *balance = sage_sim_value(w->sim, "ABC", "ar-open-invoices", key, "Balance");
    char *no = sage_sim_value(w->sim, "ABC", "ar-open-invoices", key, "InvoiceNo"), *seq = sage_sim_value(w->sim, "ABC", "ar-open-invoices", key, "InvoiceHistoryHeaderSeqNo");
    char *total = sage_sim_value(w->sim, "ABC", "ar-invoices", format("%s~%s", no, seq), "NonTaxableSalesAmt");
    char *type = sage_sim_value(w->sim, "ABC", "ar-invoices", format("%s~%s", no, seq), "InvoiceType");
    int64_t b = cents(balance), t = total ? cents(total) : 0;
    if (!total || (b < 0) != (t < 0) || (b < 0 ? -b > -t : b > t) || !b || strcmp(type, key + strlen(key) - 2) != 0)
        wrong(w, key, format("%s of %s, type %s", balance, total ? total : "nothing", type ? type : ""));
    w->n++;
    free(balance), free(no), free(seq), free(total), free(type);
    return true;
}

static void test_amounts(struct sage_sim *s)
{
    static const char *const documents[] = {"sales-orders", "purchase-orders", "ar-invoices"};
    for (size_t i = 0; i < 3; i++) {
        struct walk w = {.sim = s, .resource = documents[i]};
        sage_sim_each_key(s, "ABC", documents[i], adds_up, &w);
        verdict(w.n > 0 && !w.bad, format("totals of %s are the sum of their lines (%zu)", documents[i], w.n), w.example);
    }
    struct walk w = {.sim = s, .resource = "ar-open-invoices"};
    sage_sim_each_key(s, "ABC", "ar-open-invoices", within_invoice, &w);
    verdict(w.n > 20 && !w.bad, format("what is open is a part of the invoice (%zu)", w.n), w.example);
}

/* ---- sizes ---- */

static size_t rows_of(struct sage_sim *s, const char *resource)
{
    return sage_sim_each_key(s, "ABC", resource, NULL, NULL);
}

static void test_sizes(void)
{
    struct sage_sim *s = sized("contacts=320,sales-orders=333,sales-order-history=400,ar-invoices=701,vendors=17,items=123,gl-accounts=61,ap-invoices=50,purchase-orders=9");
    size_t contacts = rows_of(s, "contacts"), open = rows_of(s, "ar-open-invoices");
    verdict(rows_of(s, "sales-orders") == 333 && rows_of(s, "ar-invoices") == 701 && rows_of(s, "vendors") == 17 && rows_of(s, "items") == 123 &&
                rows_of(s, "gl-accounts") == 61 && rows_of(s, "ap-invoices") == 50 && rows_of(s, "purchase-orders") == 9 && rows_of(s, "sales-order-history") == 400,
            "as many rows as asked for", "");
    verdict(contacts > 280 && contacts < 360, "about as many contacts", format("%zu", contacts));
    verdict(open > 120 && open < 230, "a quarter of the invoices is open", format("%zu", open));
    verdict(rows_of(s, "gl-main-accounts") == 21 && rows_of(s, "gl-account-groups") == SAGE_GROUPS, "three accounts for a main account", "");
    test_links(s);
    test_keys(s);
    sage_sim_free(s);
    struct sage_sim_options o;
    options(&o, 20);
    static const char *const bad[] = {"items", "items=", "items=x", "nonsense=3", "items=3,,", "items=9999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o.rows = bad[i];
        s = sage_sim_new(&o);
        verdict(!s, format("rows '%s' are refused", bad[i]), "");
        sage_sim_free(s);
    }
}

/* ---- life ---- */

static bool first_key(void *ctx, const char *key)
{
    snprintf(ctx, 64, "%s", key);
    return false;
}

static bool has(struct sage_sim *s, const char *resource, const char *key, const char *column, const char *value)
{
    char *v = sage_sim_value(s, "ABC", resource, key, column);
    bool same = v && strcmp(v, value) == 0;
    free(v);
    return same;
}

static void test_life(struct sage_sim *s)
{
    char key[64] = "";
    struct client c, history;
    sage_sim_each_key(s, "ABC", "sales-orders", first_key, key);
    client_start(&c, s, "sales-orders", 50);
    client_start(&history, s, "sales-order-history", 50);
    verdict(reads_all(&c) && reads_all(&history), "orders and their history read", "");
    verdict(has(s, "sales-order-history", key, "OrderStatus", "A") || has(s, "sales-order-history", key, "OrderStatus", "Q"), "an order is open in its history", key);
    virtual_ms += 3600000;
    verdict(sage_sim_close_order(s, "ABC", key, "C"), "an order is completed", key);
    verdict(fails(s, format("/v1/companies/ABC/sales-orders/%s", key), 404, "not_found") && has(s, "sales-order-history", key, "OrderStatus", "C"), "it left, its history says how", key);
    verdict(!page(&history) && !*against_truth(&history), "the history's change comes with the next pass", against_truth(&history));
    verdict(!sage_sim_close_order(s, "ABC", key, "X"), "once", "");
    verdict(sage_sim_insert(s, "ABC", "sales-orders", key, NULL, NULL) && has(s, "sales-orders", key, "SalesOrderNo", key), "an order comes back", "");
    verdict(sage_sim_insert(s, "ABC", "sales-orders", "9000001", NULL, NULL) && sage_sim_close_order(s, "ABC", "9000001", "X") &&
                has(s, "sales-order-history", "9000001", "OrderStatus", "X"),
            "an order of today is deleted", "");
    verdict(!sage_sim_close_order(s, "ABC", "9000002", "X") && !sage_sim_close_order(s, "ABC", key, "Y"), "no such order, no such status", "");
    for (int i = 0; i < SAGE_RESOURCES; i++)
        if (sage__tables[i].resource)
            sage_sim_do(s, format("{\"do\":\"churn\",\"resource\":\"%s\",\"count\":60}", sage__tables[i].resource), NULL);
    test_keys(s);
    char line[80];
    snprintf(line, sizeof line, "%s~000001", key);
    verdict(sage_sim_edit(s, "ABC", "sales-orders:lines", line, "QuantityOrdered", "7", SAGE_STAMP_NOW) && has(s, "sales-orders", key, "DateUpdated", "20241114"), "a changed line stamps its header", line);
    client_end(&c);
    client_end(&history);
}

static void test_invoice_lines(struct sage_sim *s)
{
    char key[64] = "";
    sage_sim_each_key(s, "ABC", "ar-invoices", first_key, key);
    verdict(sage_sim_edit(s, "ABC", "ar-invoices:lines", format("%s~000001", key), "ItemCode", "X", SAGE_STAMP_NOW) && has(s, "ar-invoices", key, "DateUpdated", "20241114"),
            "a line of a document with a key of two parts", key);
    verdict(sage_sim_insert(s, "ABC", "ar-invoices:lines", format("%s~000008", key), NULL, NULL) && sage_sim_delete(s, "ABC", "ar-invoices:lines", format("%s~000001", key)), "lines come and go", key);
    char *row = sage_sim_row(s, "ABC", "ar-invoices", key);
    verdict(row && strstr(row, "{\"key\":[\"000008\"]") && !strstr(row, "{\"key\":[\"000001\"]"), "and the row shows it", row);
    free(row);
}

int main(void)
{
    struct sage_sim *s = make(400, 21);
    test_keys(s);
    test_links(s);
    test_amounts(s);
    test_invoice_lines(s);
    test_life(s);
    sage_sim_free(s);
    s = make(0, 1);
    verdict(rows_of(s, "ar-invoices") == 0 && rows_of(s, "gl-accounts") == 120, "a company without customers", "");
    sage_sim_free(s);
    test_sizes();
    return failures != 0;
}
