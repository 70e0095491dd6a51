/*
 * fill_document.c: what documents, their lines and the ledger hold. A line takes an item, and from the item its name,
 * price and accounts; a document's total is the sum of its lines; what is open of an invoice is a part of that total.
 *
 *     GL_AccountGroup (12) <- GL_MainAccount: main m belongs to group m * 12 / mains <- GL_Account a: main a / 3, segment a % 3
 */
#include "private.h"

#include <string.h>

static void fixed(struct sage_value *v, const char *text)
{
    v->p = text;
    v->len = strlen(text);
}

static const struct sage_resource *table(const struct sage_filling *f, int id)
{
    return &f->res->company->res[id];
}

/* ---- lines ---- */

static bool is_comment(uint64_t line, int place)
{
    return place > 0 && sage__mix(line ^ 0xc033) % 11 == 3;
}

static uint64_t item_of(const struct sage_company *c, uint64_t line, uint32_t *index)
{
    const struct sage_resource *items = &c->res[SAGE_ITEMS];
    *index = items->count ? (uint32_t)(sage__mix(line ^ 0x17) % items->count) : 0;
    return sage__row_seed(items, *index);
}

// Ten-thousandths. One item of ten costs a fraction of a cent.
static int64_t price(uint64_t item)
{
    uint64_t h = sage__mix(item ^ 0x9);
    return (int64_t)(199 + h % 250000) * 100 + (h / 250000 % 10 ? 0 : (int64_t)(h % 97));
}

static int64_t quantity(uint64_t line)
{
    uint64_t h = sage__mix(line ^ 0x9a);
    return (int64_t)(1 + h % 48) * 10000 / (h / 48 % 9 ? 1 : 4);
}

// Cents, half up.
static int64_t extension(const struct sage_company *c, uint64_t line, int place)
{
    uint32_t i;
    return is_comment(line, place) ? 0 : (quantity(line) * price(item_of(c, line, &i)) + 500000) / 1000000;
}

static int64_t total(const struct sage_company *c, const struct sage_origin *o)
{
    const struct sage_resource *header = &c->res[o->resource], *lines;
    int64_t cents = 0;
    if (!o->known || header->layout->table->lines == SAGE_NONE)
        return (int64_t)(5000 + sage__mix(o->seed ^ 0x707a1) % 2000000);
    lines = &c->res[header->layout->table->lines];
    for (int i = 0; i < sage__lines_of_document(header, o->index); i++) {
        struct sage_origin line;
        sage__origin(lines, o->index * SAGE_LINES_MAX + (uint32_t)i, &line);
        cents += extension(c, line.seed, i);
    }
    return o->resource == SAGE_AR_INVOICES && strcmp(sage__invoice_type(o->seed), "CM") == 0 ? -cents : cents;
}

static int place_of_line(const struct sage_filling *f)
{
    return f->origin.known ? (int)(f->origin.index % SAGE_LINES_MAX) : 0;
}

static void item_name(struct sage_row *row, struct sage_value *v, uint64_t item)
{
    static const char *const things[] = {"Cabinet", "Desk lamp", "Toner", "Pallet", "Ø 8 mm drill", "Gasket", "Copier paper", "Hinge", "Valve", "Tape"};
    static const char *const kinds[] = {"steel", "oak", "black", "A4", "2\" NPT", "heavy duty", "w/ lock", "100%"};
    char text[64];
    uint64_t h = sage__mix(item ^ 0x7413);
    int n = snprintf(text, sizeof text, "%s %s %u", things[h % 10], kinds[h / 10 % 8], (unsigned)(h / 80 % 900));
    sage__row_text(row, v, text, n > 0 ? (size_t)n : 0);
}

static void fill_line(const struct sage_filling *f, const struct sage_column *c, struct sage_row *row, struct sage_value *v)
{
    int place = place_of_line(f);
    bool comment = is_comment(f->seed, place) && f->res->id != SAGE_ITEMS;
    uint32_t index = 0;
    uint64_t item = f->res->id == SAGE_ITEMS ? f->seed : item_of(f->res->company, f->seed, &index);
    struct sage_key key;
    int64_t unit = c->scale > 4 ? 100 : 1; // columns of 6 decimals
    switch (c->fill) {
    case SAGE_FILL_LINE_ITEM:
        if (comment || !table(f, SAGE_ITEMS)->count) {
            fixed(v, "/C");
            return;
        }
        sage__base_key(table(f, SAGE_ITEMS), index, &key);
        sage__row_text(row, v, key.b, key.len);
        return;
    case SAGE_FILL_LINE_TYPE: fixed(v, comment || !table(f, SAGE_ITEMS)->count ? "4" : "1"); return;
    case SAGE_FILL_LINE_DESC: comment ? fixed(v, "Comment") : item_name(row, v, item); return;
    case SAGE_FILL_LINE_COMMENT: fixed(v, comment ? "Deliver at the back door, please." : ""); return;
    case SAGE_FILL_LINE_QUANTITY: sage__row_number(row, v, comment ? 0 : quantity(f->seed) * unit, c->scale); return;
    case SAGE_FILL_LINE_PRICE: sage__row_number(row, v, comment ? 0 : price(item) * unit, c->scale); return;
    default: sage__row_number(row, v, extension(f->res->company, f->seed, place), c->scale); return;
    }
}

/* ---- headers ---- */

// A quarter, a half or all of an invoice is still to be paid.
static int64_t open_cents(const struct sage_filling *f)
{
    static const int parts[] = {4, 4, 4, 2, 1};
    return total(f->res->company, &f->origin) * parts[sage__mix(f->seed ^ 0x0be) % 5] / 4;
}

static void fill_amount(const struct sage_filling *f, const struct sage_column *c, struct sage_row *row, struct sage_value *v)
{
    sage__row_number(row, v, c->fill == SAGE_FILL_OPEN_BALANCE ? open_cents(f) : total(f->res->company, &f->origin), c->scale);
}

static void fill_billed(const struct sage_filling *f, struct sage_row *row, struct sage_value *v)
{
    uint32_t index;
    struct sage_key key;
    int from = f->origin.resource == SAGE_AR_INVOICES ? SAGE_SALES_ORDER_HISTORY : SAGE_PURCHASE_ORDERS;
    if (!sage__billed(f->res->company, &f->origin, &index)) {
        fixed(v, "");
        return;
    }
    sage__base_key(table(f, from), index, &key);
    sage__row_text(row, v, key.b, key.len);
}

// A third of the orders came out of an opportunity of the CRM; an invoice carries that of its order.
static void fill_deal(const struct sage_filling *f, struct sage_row *row, struct sage_value *v)
{
    uint64_t seed = f->seed;
    uint32_t index;
    char text[16];
    if (f->origin.resource == SAGE_AR_INVOICES) {
        struct sage_origin order;
        if (!sage__billed(f->res->company, &f->origin, &index)) {
            fixed(v, "");
            return;
        }
        sage__origin(table(f, SAGE_SALES_ORDER_HISTORY), index, &order);
        seed = order.seed;
    }
    uint64_t h = sage__mix(seed ^ 0xdea1);
    int n = h % 3 ? 0 : snprintf(text, sizeof text, "D-%u", (unsigned)(1000 + h / 3 % 200));
    sage__row_text(row, v, text, n > 0 ? (size_t)n : 0);
}

static void fill_header_seq(const struct sage_filling *f, struct sage_row *row, struct sage_value *v)
{
    struct sage_key key;
    size_t len;
    if (!f->origin.known || f->origin.resource == f->res->id) { // an inserted open invoice: no history yet
        fixed(v, "");
        return;
    }
    sage__base_key(table(f, f->origin.resource), f->origin.index, &key);
    const char *seq = sage__key_part(&key, 1, &len);
    sage__row_text(row, v, seq, len);
}

static void fill_vendor(const struct sage_filling *f, int part, struct sage_row *row, struct sage_value *v)
{
    size_t len;
    if (!f->has_party_key) {
        fixed(v, "");
        return;
    }
    const char *p = sage__key_part(&f->party_key, part, &len);
    sage__row_text(row, v, p, len);
}

#define PICK(list, h) (list)[(h) % (sizeof(list) / sizeof *(list))]

static void fill_state(const struct sage_filling *f, const struct sage_column *c, struct sage_value *v)
{
    static const char *const products[] = {"F", "F", "F", "K"}, *const ap_types[] = {"IN", "IN", "IN", "CM"};
    static const char *const po_types[] = {"S", "S", "S", "D", "R"}, *const po_states[] = {"N", "O", "O", "B", "X"};
    uint64_t h = sage__mix(f->seed ^ 0x57a7e ^ (uint64_t)c->fill);
    switch (c->fill) {
    case SAGE_FILL_PRODUCT_TYPE: fixed(v, PICK(products, h)); break;
    case SAGE_FILL_HISTORY_STATUS: fixed(v, sage__history_status(&f->origin)); break;
    case SAGE_FILL_INVOICE_TYPE: fixed(v, sage__invoice_type(f->seed)); break;
    case SAGE_FILL_AP_TYPE: fixed(v, PICK(ap_types, h)); break;
    case SAGE_FILL_PO_TYPE: fixed(v, PICK(po_types, h)); break;
    case SAGE_FILL_PO_STATUS: fixed(v, PICK(po_states, h)); break;
    case SAGE_FILL_MODULE_SO: fixed(v, h % 5 ? "S/O" : "A/R"); break;
    default: fixed(v, "A/P"); break;
    }
}

void sage__fill_document(const struct sage_filling *f, const struct sage_column *c, struct sage_row *row, struct sage_value *v)
{
    switch (c->fill) {
    case SAGE_FILL_LINE_ITEM:
    case SAGE_FILL_LINE_TYPE:
    case SAGE_FILL_LINE_DESC:
    case SAGE_FILL_LINE_QUANTITY:
    case SAGE_FILL_LINE_PRICE:
    case SAGE_FILL_LINE_EXTENSION:
    case SAGE_FILL_LINE_COMMENT: fill_line(f, c, row, v); break;
    case SAGE_FILL_LINES_TOTAL:
    case SAGE_FILL_AP_TOTAL:
    case SAGE_FILL_OPEN_BALANCE: fill_amount(f, c, row, v); break;
    case SAGE_FILL_ITEM_NAME: item_name(row, v, f->seed); break;
    case SAGE_FILL_VENDOR_DIV: fill_vendor(f, 0, row, v); break;
    case SAGE_FILL_VENDOR_NO: fill_vendor(f, 1, row, v); break;
    case SAGE_FILL_DEAL_NO: fill_deal(f, row, v); break;
    case SAGE_FILL_ORDER_NO:
    case SAGE_FILL_PURCHASE_NO: fill_billed(f, row, v); break;
    case SAGE_FILL_HEADER_SEQ: fill_header_seq(f, row, v); break;
    case SAGE_FILL_DUE_DATE: sage__row_date(row, v, sage__date_add(sage__recent_date(f->res, f->seed >> 20), 30)); break;
    case SAGE_FILL_SALES_ACCOUNT:
    case SAGE_FILL_COST_ACCOUNT:
    case SAGE_FILL_STOCK_ACCOUNT:
    case SAGE_FILL_VENDOR_ACCOUNT: sage__fill_ledger(f, c, row, v); break;
    default: fill_state(f, c, v); break;
    }
}

/* ---- the ledger ---- */

static const struct group {
    const char *code, *desc, *category, *type, *cash;
} groups[SAGE_GROUPS] = {
    {"ACCRUED", "Accrued liabilities", "L", "07", "O"}, {"CASH", "Cash and equivalents", "A", "01", "C"},
    {"COGS", "Cost of goods sold", "X", "11", "O"},     {"EQUITY", "Équité & retained earnings", "E", "09", "F"},
    {"EXPENSE", "Operating expenses", "X", "12", "O"},  {"FIXED", "Property, plant, equipment", "A", "04", "I"},
    {"INVENTORY", "Inventory", "A", "03", "O"},         {"OTHER EXP", "Other expenses", "X", "14", "N"},
    {"OTHER INC", "Other income", "I", "13", "N"},      {"PAYABLE", "Accounts payable", "L", "06", "O"},
    {"RECEIVABLE", "Accounts receivable", "A", "02", "O"}, {"SALES", "Sales", "I", "10", "O"},
};

enum { GROUP_COGS = 2, GROUP_INVENTORY = 6, GROUP_PAYABLE = 9, GROUP_SALES = 11 };

const char *sage__group_code(int group)
{
    return groups[group].code;
}

uint32_t sage__group_of(const struct sage_company *c, uint32_t main_account)
{
    uint32_t mains = c->res[SAGE_GL_MAIN_ACCOUNTS].count;
    return mains ? (uint32_t)((uint64_t)main_account * SAGE_GROUPS / mains) : 0;
}

// An account of the group; of any when there are too few main accounts.
static uint32_t account_of(const struct sage_company *c, uint32_t group, uint64_t h)
{
    uint32_t accounts = c->res[SAGE_GL_ACCOUNTS].count, mains = c->res[SAGE_GL_MAIN_ACCOUNTS].count;
    uint32_t first = (group * mains + SAGE_GROUPS - 1) / SAGE_GROUPS, end = ((group + 1) * mains + SAGE_GROUPS - 1) / SAGE_GROUPS;
    uint32_t at = first < end ? (first + (uint32_t)(h % (end - first))) * 3 + (uint32_t)(h / 64 % 3) : (uint32_t)(h % accounts);
    return at < accounts ? at : accounts - 1;
}

static void fill_account_key(const struct sage_filling *f, const struct sage_column *c, struct sage_row *row, struct sage_value *v)
{
    uint32_t index = 0, group = c->fill == SAGE_FILL_SALES_ACCOUNT ? GROUP_SALES
                                : c->fill == SAGE_FILL_COST_ACCOUNT ? GROUP_COGS
                                : c->fill == SAGE_FILL_STOCK_ACCOUNT ? GROUP_INVENTORY
                                                                    : GROUP_PAYABLE;
    uint64_t of = f->res->layout->table->resource ? f->seed : item_of(f->res->company, f->seed, &index);
    struct sage_key key;
    if (!table(f, SAGE_GL_ACCOUNTS)->count) {
        fixed(v, "");
        return;
    }
    sage__base_key(table(f, SAGE_GL_ACCOUNTS), account_of(f->res->company, group, sage__mix(of ^ group)), &key);
    sage__row_text(row, v, key.b, key.len);
}

// The group that a row of the ledger belongs to, and the number of its main account. An inserted row belongs to any.
static uint32_t group_of_row(const struct sage_filling *f, unsigned *main_code, unsigned *segment)
{
    uint32_t index = f->origin.known ? f->origin.index : 0, main_account = f->res->id == SAGE_GL_ACCOUNTS ? index / 3 : index;
    *main_code = 1000 + 10 * main_account;
    *segment = index % 3;
    if (!f->origin.known) {
        *main_code = 9000 + (unsigned)(f->seed % 1000);
        return (uint32_t)(f->seed % SAGE_GROUPS);
    }
    return f->res->id == SAGE_GL_ACCOUNT_GROUPS ? index : sage__group_of(f->res->company, main_account);
}

// Items, lines and suppliers name accounts of these groups, accounts name their main account: nothing of that is deleted.
static bool is_named(const struct sage_filling *f, const struct group *g)
{
    return f->res->id != SAGE_GL_ACCOUNTS || g == &groups[GROUP_SALES] || g == &groups[GROUP_COGS] || g == &groups[GROUP_INVENTORY] || g == &groups[GROUP_PAYABLE];
}

void sage__fill_ledger(const struct sage_filling *f, const struct sage_column *c, struct sage_row *row, struct sage_value *v)
{
    if (c->fill < SAGE_FILL_ACCOUNT) {
        fill_account_key(f, c, row, v);
        return;
    }
    unsigned main_code, segment;
    const struct group *g = &groups[group_of_row(f, &main_code, &segment)];
    char text[80];
    int n = 0;
    switch (c->fill) {
    case SAGE_FILL_ACCOUNT: n = snprintf(text, sizeof text, "%04u-%02u-00", main_code, segment); break;
    case SAGE_FILL_RAW_ACCOUNT: n = snprintf(text, sizeof text, "%04u%02u00", main_code, segment); break;
    case SAGE_FILL_MAIN_CODE: n = snprintf(text, sizeof text, "%04u", main_code); break;
    case SAGE_FILL_ACCOUNT_DESC: n = snprintf(text, sizeof text, "%s %04u", g->desc, main_code); break;
    case SAGE_FILL_COMPANY_CODE: n = snprintf(text, sizeof text, "%s", f->res->company->code); break;
    case SAGE_FILL_GL_STATUS: fixed(v, f->status < 94 ? "A" : f->status < 96 || is_named(f, g) ? "I" : "D"); return;
    case SAGE_FILL_ACCOUNT_GROUP: fixed(v, g->code); return;
    case SAGE_FILL_GROUP_DESC: fixed(v, g->desc); return;
    case SAGE_FILL_ACCOUNT_CATEGORY: fixed(v, g->category); return;
    case SAGE_FILL_ACCOUNT_TYPE: fixed(v, g->type); return;
    default: fixed(v, g->cash); return;
    }
    sage__row_text(row, v, text, n > 0 ? (size_t)n : 0);
}
