/* prelude_test.c - the shipped schemas are whole: for every table of Sage and every module of Zoho how many columns it has, which are its key, how many
 * never leave, how many are audit stamps. The numbers are those of the data dictionary; whoever changes a schema changes them here. Also: what the
 * schemas say of the agent's resources is what the connector asks for. */
#include "base/check.h"
#include "dsl/parse.h"
#include "dsl/prelude.h"
#include "tests/unit/value/ok.h"

struct want { const char *name; unsigned columns; const char *key; unsigned never, stamps, required; const char *marks; };

static struct arena arena;
static struct sources sources;
static struct diags diags;

/* columns: without lists of lines. key: in order, blanks between. stamps: columns marked @created or @updated. marks: attributes of the table. */
static const struct want sage[] = {
    {"AP_InvoiceHeader", 21, "APDivisionNo VendorNo InvoiceNo", 0, 6, 0, "unserved"},
    {"AP_InvoiceHistoryHeader", 27, "InvoiceNo HeaderSeqNo", 0, 6, 0, "via resource"},
    {"AP_OpenInvoice", 27, "APDivisionNo VendorNo InvoiceNo", 0, 6, 0, "via resource deleted"},
    {"AP_Vendor", 55, "APDivisionNo VendorNo", 2, 6, 0, "via resource deleted"},
    {"AR_CashReceiptsHistory", 59, "", 23, 6, 0, "unserved"},
    {"AR_Customer", 96, "ARDivisionNo CustomerNo", 2, 6, 0, "via resource deleted"},
    {"AR_CustomerContact", 32, "ARDivisionNo CustomerNo ContactCode", 1, 6, 0, "via resource deleted"},
    {"AR_InvoiceHistoryDetail", 70, "InvoiceNo HeaderSeqNo DetailSeqNo", 1, 0, 0, "via lines_of"},
    {"AR_InvoiceHistoryHeader", 110, "InvoiceNo HeaderSeqNo", 1, 6, 0, "via resource deleted"},
    {"AR_InvoiceHistoryPayment", 45, "InvoiceNo HeaderSeqNo PaymentSeqNo", 22, 3, 0, "unserved"},
    {"AR_OpenInvoice", 42, "ARDivisionNo CustomerNo InvoiceNo InvoiceType", 0, 6, 0, "via resource deleted"},
    {"AR_Salesperson", 26, "SalespersonDivisionNo SalespersonNo", 0, 6, 0, "via resource deleted"},
    {"AR_TermsCode", 20, "TermsCode", 0, 6, 0, "via resource deleted"},
    {"AR_TransactionPaymentHistory", 33, "ARDivisionNo CustomerNo InvoiceNo InvoiceType TransactionDate SequenceNo", 14, 3, 0, "via resource deleted"},
    {"CI_Item", 102, "ItemCode", 0, 6, 0, "via resource deleted"},
    {"GL_Account", 24, "AccountKey", 0, 6, 0, "via resource deleted deleted"},
    {"GL_AccountGroup", 11, "AccountGroup", 0, 6, 0, "via resource deleted"},
    {"GL_MainAccount", 23, "SegmentNo MainAccountCode", 0, 6, 0, "via resource deleted deleted"},
    {"IM_ItemWarehouse", 26, "ItemCode WarehouseCode", 0, 6, 0, "unserved"},
    {"PO_PurchaseOrderDetail", 52, "PurchaseOrderNo LineKey", 0, 0, 0, "via lines_of"},
    {"PO_PurchaseOrderHeader", 74, "PurchaseOrderNo", 0, 6, 0, "via resource deleted"},
    {"SO_ARInvoiceHistoryLink", 9, "SalesOrderNo SequenceNo InvoiceNo InvoiceHistoryHeaderSeqNo InvoiceHistoryDetailSeqNo", 0, 0, 0, "unserved"},
    {"SO_InvoiceDetail", 76, "InvoiceNo LineKey", 0, 0, 0, "unserved lines_of"},
    {"SO_InvoiceHeader", 131, "InvoiceNo", 1, 6, 0, "unserved"},
    {"SO_SalesOrderDetail", 74, "SalesOrderNo LineKey", 0, 0, 0, "via lines_of"},
    {"SO_SalesOrderHeader", 109, "SalesOrderNo", 1, 6, 0, "via resource deleted"},
    {"SO_SalesOrderHistoryDetail", 73, "SalesOrderNo SequenceNo", 1, 0, 0, "via lines_of"},
    {"SO_SalesOrderHistoryHeader", 94, "SalesOrderNo", 1, 6, 0, "via resource deleted deleted"},
    {"SO_ShipToAddress", 32, "ARDivisionNo CustomerNo ShipToCode", 1, 6, 0, "unserved"},
    {"SY_User", 44, "UserKey", 40, 0, 0, "unserved"}};

/* required: fields without which Zoho refuses a record. */
static const struct want zoho[] = {
    {"Accounts", 38, "", 0, 0, 1, ""}, {"Contacts", 48, "", 0, 0, 1, ""}, {"Deals", 29, "", 0, 0, 2, ""}, {"Invoices", 40, "", 0, 0, 1, "editions"},
    {"Invoiced_Items", 14, "", 0, 0, 2, "lines_of most_lines editions"}, {"Leads", 42, "", 0, 0, 1, ""}, {"Ordered_Items", 14, "", 0, 0, 2, "lines_of most_lines editions"},
    {"Price_Books", 15, "", 0, 0, 1, "editions"}, {"Products", 32, "", 0, 0, 1, ""}, {"Purchase_Items", 14, "", 0, 0, 2, "lines_of most_lines editions"},
    {"Purchase_Orders", 39, "", 0, 0, 2, "editions"}, {"Quoted_Items", 14, "", 0, 0, 2, "lines_of most_lines editions"}, {"Quotes", 36, "", 0, 0, 1, "editions"},
    {"Sales_Orders", 41, "", 0, 0, 1, "editions"}, {"Vendors", 23, "", 0, 0, 1, "editions"}, {"users", 7, "", 0, 0, 0, "read_only"}};

static const struct ast_attr *attr(const struct ast_list *attrs, const char *name)
{
    AST_EACH(n, *attrs)
        if (str_is(AST_AS(attr, n)->name.text, name)) return AST_AS(attr, n);
    return NULL;
}

static bool lists_lines(const struct ast_column *c) { return c->type && str_is(AST_AS(type, c->type)->name.text, "lines"); }

static void count(const struct ast_entity *e, struct want *got, struct buf *key, struct buf *marks)
{
    AST_EACH(m, e->members) {
        const struct ast_column *c = AST_AS(column, m);
        if (!lists_lines(c)) got->columns++;
        got->never += attr(&c->attrs, "never") != NULL;
        got->stamps += attr(&c->attrs, "created") || attr(&c->attrs, "updated");
        got->required += attr(&c->attrs, "required") != NULL && !lists_lines(c);
        if (!c->key) continue;
        if (key->n) buf_byte(key, ' ');
        buf_str(key, c->name.text);
    }
    AST_EACH(n, e->attrs) {
        if (marks->n) buf_byte(marks, ' ');
        buf_str(marks, AST_AS(attr, n)->name.text);
    }
}

static void compare(const struct ast_entity *e, const struct want *want, size_t n)
{
    struct want got = {.name = arena_copy(&arena, e->name.text.p, e->name.text.n)};
    struct buf key = {0}, marks = {0};
    const struct want *w = NULL;
    count(e, &got, &key, &marks);
    for (size_t i = 0; i < n; i++)
        if (strcmp(want[i].name, got.name) == 0) w = &want[i];
    if (ok(w != NULL, got.name, "is not in the list of this test"))
        ok(w->columns == got.columns && str_is(buf_view(&key), w->key) && w->never == got.never && w->stamps == got.stamps && w->required == got.required &&
               str_is(buf_view(&marks), w->marks),
           got.name, "{\"%s\", %u, \"%.*s\", %u, %u, %u, \"%.*s\"}", got.name, got.columns, (int)key.n, key.p ? key.p : "", got.never, got.stamps, got.required,
           (int)marks.n, marks.p ? marks.p : "");
    buf_free(&key);
    buf_free(&marks);
}

static struct ast_file *import(const char *name)
{
    struct ast_file *f = prelude_import(str_of(name), &sources, &arena, &diags);
    ok(f != NULL && diags.nerrors == 0, name, "cannot be imported");
    return f;
}

static void whole(const char *name, const struct want *want, size_t n)
{
    size_t entities = 0;
    struct ast_file *f = import(name);
    if (!f) return;
    AST_EACH(item, f->items) {
        if (item->kind != AST_ENTITY) continue;
        entities++;
        compare(AST_AS(entity, item), want, n);
    }
    ok(entities == n, name, "has %zu entities, not %zu", entities, n);
}

/* A name that must never leave, whatever table it stands in (facts/sage-100.md 9.1). */
static bool barred(struct str name)
{
    static const char *const whole_names[] = {"EncryptedVals", "CardType", "ExpirationDateYear", "ExpirationDateMonth", "BankName", "BankAccountType"};
    static const char *const begins[] = {"TaxpayerID", "Password", "CreditCard", "Cardholder", "Last4", "AVS"};
    for (size_t i = 0; i < sizeof whole_names / sizeof *whole_names; i++)
        if (str_is(name, whole_names[i])) return true;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (str_starts(name, str_of(begins[i]))) return true;
    return memmem(name.p, name.n, "MagneticStrip", 13) != NULL;
}

static void sensitive(void)
{
    struct ast_file *f = import("sage100");
    size_t found = 0;
    if (!f) return;
    AST_EACH(item, f->items) {
        if (item->kind != AST_ENTITY) continue;
        AST_EACH(m, AST_AS(entity, item)->members) {
            const struct ast_column *c = AST_AS(column, m);
            if (!barred(c->name.text)) continue;
            found++;
            if (!attr(&c->attrs, "never")) ok(false, "a barred column", "%.*s is not @never", (int)c->name.text.n, c->name.text.p);
        }
    }
    ok(found == 73, "barred columns", "%zu", found);
}

/* ---- the connector's table ---- */

static struct ast_entity *entity_named(struct ast_file *f, const char *name)
{
    AST_EACH(item, f->items)
        if (item->kind == AST_ENTITY && str_is(AST_AS(entity, item)->name.text, name)) return AST_AS(entity, item);
    return NULL;
}

static void served(struct ast_file *f, const char *table, const char *resource, const char *operation, const char *const *keys)
{
    struct ast_entity *e = entity_named(f, table);
    if (!ok(e != NULL, table, "no such table")) return;
    const struct ast_attr *r = attr(&e->attrs, "resource"), *via = attr(&e->attrs, "via");
    bool good = r && r->args.first && str_is(AST_AS(text, r->args.first)->value, resource) && via && (via->args.n == 2) == (operation != NULL);
    size_t k = 0;
    AST_EACH(m, e->members) {
        const struct ast_column *c = AST_AS(column, m);
        if (c->key) good = good && keys[k] && str_is(c->name.text, keys[k++]);
    }
    ok(good && keys[k] == NULL, table, "resource, doors or key differ from the connector's");
}

static void connector(void)
{
    struct ast_file *f = import("sage100");
    size_t n = 0, with_resource = 0;
    if (!f) return;
#define ENTITY(table, resource, operation, ...) served(f, #table, resource, operation, (const char *const[]){__VA_ARGS__, NULL}), n++;
#include "connectors/sage/entity.def"
#undef ENTITY
    AST_EACH(item, f->items)
        if (item->kind == AST_ENTITY) with_resource += attr(&AST_AS(entity, item)->attrs, "resource") != NULL;
    ok(n == with_resource, "tables with a resource", "%zu in the schemas, %zu in the connector", with_resource, n);
}

int main(void)
{
    arena_init(&arena, 0);
    sources_init(&sources, &arena);
    diags_init(&diags, &arena, &sources);
    whole("sage100", sage, sizeof sage / sizeof *sage);
    whole("zoho_crm", zoho, sizeof zoho / sizeof *zoho);
    sensitive();
    connector();
    arena_free(&arena);
    return ok_done();
}
