/*
 * fill.c: the content of a generated row. One hash per column decides; what hangs together (city and zip, name and
 * e-mail, status and reason) hangs on a common seed. Values are the agent's: UTF-8, text never null, blank dates and
 * numbers null. Texts are cut to the length of their column in characters.
 */
#include "private.h"

#include <string.h>

void sage__row_text(struct sage_row *row, struct sage_value *v, const char *text, size_t len)
{
    if (row->used + len > sizeof row->arena)
        sage__broken("row too large");
    v->p = row->arena + row->used;
    v->len = len;
    if (len)
        memcpy(row->arena + row->used, text, len);
    row->used += len;
}

static void fixed(struct sage_value *v, const char *text)
{
    v->p = text;
    v->len = strlen(text);
}

static void null(struct sage_value *v)
{
    v->p = NULL;
    v->len = 0;
}

void sage__row_number(struct sage_row *row, struct sage_value *v, int64_t unscaled, int scale)
{
    char text[32];
    int at = 32, negative = unscaled < 0;
    uint64_t u = negative ? (uint64_t)-unscaled : (uint64_t)unscaled;
    for (int i = 0; u || i <= scale; i++, u /= 10) {
        if (i == scale && scale)
            text[--at] = '.';
        text[--at] = (char)('0' + u % 10);
    }
    if (negative)
        text[--at] = '-';
    sage__row_text(row, v, text + at, (size_t)(32 - at));
}

void sage__row_date(struct sage_row *row, struct sage_value *v, int date)
{
    char text[8];
    if (!date) {
        null(v);
        return;
    }
    for (int i = 7; i >= 0; i--, date /= 10)
        text[i] = (char)('0' + date % 10);
    sage__row_text(row, v, text, 8);
}

static void hours(struct sage_row *row, struct sage_value *v, int t)
{
    char text[16];
    if (t < 0) {
        fixed(v, "");
        return;
    }
    sage__hours_text(t, text);
    sage__row_text(row, v, text, strlen(text));
}

int sage__recent_date(const struct sage_resource *r, uint64_t h)
{
    return sage__date_add(r->company->sim->opt.history_end, -(int)(h % 900));
}

static void user(struct sage_row *row, struct sage_value *v, uint64_t h, bool blank)
{
    char text[11] = "0000000000";
    if (blank) {
        fixed(v, "");
        return;
    }
    text[8] = (char)('0' + h % 4);
    text[9] = (char)('0' + h / 4 % 10);
    sage__row_text(row, v, text, 10);
}

static void fill_audit(const struct sage_filling *f, const struct sage_column *c, uint64_t h, struct sage_row *row, struct sage_value *v)
{
    switch (c->fill) {
    case SAGE_FILL_CREATED_DATE: sage__row_date(row, v, f->stamps.created_date); break;
    case SAGE_FILL_UPDATED_DATE: sage__row_date(row, v, f->stamps.updated_date); break;
    case SAGE_FILL_CREATED_TIME: hours(row, v, f->stamps.created_t); break;
    case SAGE_FILL_UPDATED_TIME: hours(row, v, f->stamps.updated_t); break;
    case SAGE_FILL_CREATED_USER: user(row, v, h, !f->stamps.created_date); break;
    default: user(row, v, h, !f->stamps.updated_date); break;
    }
}

static int64_t power(int scale)
{
    int64_t p = 1;
    while (scale-- > 0)
        p *= 10;
    return p;
}

// Numbers. Balances: four of ten are zero, one of fifteen a credit.
static void fill_number(const struct sage_column *c, const struct sage_filling *f, uint64_t h, struct sage_row *row, struct sage_value *v)
{
    int64_t n = 0, unit = power(c->scale);
    switch (c->fill) {
    case SAGE_FILL_COUNT: n = (int64_t)(h % 21); break;
    case SAGE_FILL_DAYS: n = (int64_t)(h % 95); break;
    case SAGE_FILL_TERMS_DAYS: n = (int64_t)(f->seed % 4 * 15 * (uint64_t)unit); break;
    case SAGE_FILL_RATE: n = h % 5 ? 0 : (int64_t)(h / 5 % 40 * 250) * unit / 1000; break;
    case SAGE_FILL_AMOUNT: n = h % 3 ? (int64_t)(h / 3 % 2500000) * unit / 100 : 0; break;
    case SAGE_FILL_AMOUNT_RARE: n = h % 6 ? 0 : (int64_t)(h / 6 % 90000) * unit / 100; break;
    case SAGE_FILL_AGING: n = h % 8 ? 0 : (int64_t)(h / 8 % 900000) * unit / 100; break;
    case SAGE_FILL_BALANCE:
        n = h % 10 < 4 ? 0 : (int64_t)(h / 10 % 7500000) * unit / 100;
        n = h / 7 % 15 == 0 ? -n : n;
        break;
    case SAGE_FILL_CREDIT_LIMIT:
        n = h % 10 < 3 ? 0 : h % 200 == 7 ? 99999999999 * unit / 100 : (int64_t)(1 + h / 10 % 120) * 2500 * unit;
        break;
    case SAGE_FILL_NUMBER_OR_BLANK:
        if (h % 3 == 0) {
            null(v);
            return;
        }
        n = (int64_t)(h / 3 % 20000) - 2000;
        break;
    case SAGE_FILL_QUANTITY: n = (int64_t)(1 + h % 48) * unit / (h % 9 ? 1 : 4); break;
    case SAGE_FILL_PRICE: n = (int64_t)(199 + h % 250000) * unit / 100; break;
    case SAGE_FILL_EXTENSION: n = (int64_t)(199 + h % 2500000) * unit / 100; break;
    case SAGE_FILL_UNITY: n = unit; break;
    default: break;
    }
    sage__row_number(row, v, n, c->scale);
}

static void fill_date(const struct sage_filling *f, const struct sage_column *c, uint64_t h, struct sage_row *row, struct sage_value *v)
{
    int date = 0;
    switch (c->fill) {
    case SAGE_FILL_ESTABLISHED: date = f->stamps.created_date; break;
    case SAGE_FILL_DATE: date = h % 10 ? sage__recent_date(f->res, h / 10) : 0; break;
    case SAGE_FILL_DATE_RARE: date = h % 3 ? 0 : sage__recent_date(f->res, h / 3); break;
    case SAGE_FILL_ORDER_DATE: date = sage__recent_date(f->res, f->seed >> 20); break;
    case SAGE_FILL_SHIP_DATE: date = sage__date_add(sage__recent_date(f->res, f->seed >> 20), (int)(h % 21)); break;
    default: break;
    }
    sage__row_date(row, v, date);
}

#define PICK(list, h) (list)[(h) % (sizeof(list) / sizeof *(list))]

static void fill_code(const struct sage_filling *f, const struct sage_column *c, uint64_t h, struct sage_row *row, struct sage_value *v)
{
    static const char *const terms[] = {"00", "01", "02", "03", "04", "05", "06", "07"};
    static const char *const terms_text[] = {"No Terms", "Net 30 Days", "2% 10, Net 30", "Net 15 Days", "C.O.D.", "Due on receipt",
                                             "10th Prox \"EOM\"", "Crédit 45 jours"};
    static const char *const reasons[] = {"MOVED", "CLOSE", "DUPL", ""};
    static const char *const tax[] = {"IL", "WI MIL", "CA LA", "NONTAX", "DEFAULT", ""};
    static const char *const via[] = {"UPS GROUND", "UPS BLUE", "FEDEX 2DAY", "WILL CALL", "OUR TRUCK", ""};
    static const char *const pay[] = {"CHECK", "CHECK", "CASH", "ACH", "VISA"};
    static const char *const region[] = {"WEST", "EAST", "NORTH", "SÜD", ""};
    static const char *const classes[] = {"", "", "1", "2", "A"};
    static const char *const units[] = {"EACH", "BOX", "PAIR", "CS"};
    static const char *const states[] = {"N", "O", "O", "O", "H"};
    switch (c->fill) {
    case SAGE_FILL_NO: fixed(v, h % 20 ? "N" : "Y"); break;
    case SAGE_FILL_MOSTLY_Y: fixed(v, h % 20 ? "Y" : "N"); break;
    case SAGE_FILL_ONE: fixed(v, "1"); break;
    case SAGE_FILL_CLASS: fixed(v, PICK(classes, h)); break;
    case SAGE_FILL_STATUS: fixed(v, f->status < 92 ? "A" : f->status < 98 ? "I" : "T"); break;
    case SAGE_FILL_INACTIVE_REASON: fixed(v, f->status >= 92 && f->status < 98 ? PICK(reasons, h) : ""); break;
    case SAGE_FILL_CREDIT_HOLD: fixed(v, h % 25 ? "N" : "Y"); break;
    case SAGE_FILL_TERMS: fixed(v, PICK(terms, h)); break;
    case SAGE_FILL_TERMS_DESC: fixed(v, f->has_party_key ? "" : terms_text[(unsigned)(row->key.b[1] - '0') % 8]); break;
    case SAGE_FILL_TAX_SCHEDULE: fixed(v, PICK(tax, h)); break;
    case SAGE_FILL_SHIP_VIA: fixed(v, PICK(via, h)); break;
    case SAGE_FILL_FOB: fixed(v, h % 4 ? "" : "Origin"); break;
    case SAGE_FILL_PAYMENT: fixed(v, PICK(pay, h)); break;
    case SAGE_FILL_PAYMENT_CATEGORY: fixed(v, "D"); break;
    case SAGE_FILL_STATEMENT: fixed(v, "M"); break;
    case SAGE_FILL_REGION: fixed(v, PICK(region, h)); break;
    case SAGE_FILL_TIER: fixed(v, h % 4 == 0 ? "" : h % 4 == 1 ? "A" : h % 4 == 2 ? "B" : "C"); break;
    case SAGE_FILL_WAREHOUSE: fixed(v, h % 6 ? "000" : "002"); break;
    case SAGE_FILL_ORDER_TYPE: fixed(v, sage__order_type(f->seed)); break;
    case SAGE_FILL_ORDER_STATUS: fixed(v, PICK(states, h)); break;
    case SAGE_FILL_UNIT: fixed(v, PICK(units, h)); break;
    default: fixed(v, ""); break;
    }
}

// Texts made of the hash or of keys.
static void fill_made(const struct sage_filling *f, const struct sage_column *c, uint64_t h, struct sage_row *row, struct sage_value *v)
{
    static const char *const remarks[] = {"", "", "", "Call before delivery", "Prefers e-mail", "<b>VIP</b> & friends",
                                          "Rechnung zweifach – wichtig", "50% deposit; \"no\" C.O.D."};
    static const char *const memos[] = {"", "", "Met at the trade show.\r\nWants a quote\tby Friday.", "Tel. nur vormittags",
                                        "C:\\Users\\jd \"notes\" {json} <xml>"};
    char text[64];
    const char *part = "";
    size_t len = 0;
    int n = 0;
    switch (c->fill) {
    case SAGE_FILL_CODE: n = h % 3 ? snprintf(text, sizeof text, "%c%02d", 'A' + (int)(h % 26), (int)(h / 26 % 100)) : 0; break;
    case SAGE_FILL_SECRET: n = h % 2 ? snprintf(text, sizeof text, "SECRET-%08x", (unsigned)h) : 0; break;
    case SAGE_FILL_EXEMPT_NO: n = h % 7 ? 0 : snprintf(text, sizeof text, "E-%04d-%04d", (int)(h % 10000), (int)(h / 10000 % 10000)); break;
    case SAGE_FILL_PO_NO: n = h % 5 ? snprintf(text, sizeof text, "PO-%06d", (int)(h % 1000000)) : 0; break;
    case SAGE_FILL_LINE_SEQ: n = snprintf(text, sizeof text, "%014d", 500 * (row->key.b[row->key.len - 1] - '0')); break;
    case SAGE_FILL_SALES_NO: n = snprintf(text, sizeof text, "%04d", (int)(1 + h % 10) * 100); break;
    case SAGE_FILL_REMARK: fixed(v, PICK(remarks, h)); return;
    case SAGE_FILL_MEMO: fixed(v, PICK(memos, h)); return;
    case SAGE_FILL_PRIMARY_CONTACT:
        fixed(v, sage__contact_exists(f->res->company, f->seed, 0) ? sage__contact_code(f->seed, 0) : "");
        return;
    case SAGE_FILL_SALES_DIV:
    case SAGE_FILL_PARTY_DIV:
    case SAGE_FILL_PARTY_NO:
        part = sage__key_part(f->has_party_key ? &f->party_key : &row->key, c->fill == SAGE_FILL_PARTY_NO, &len);
        sage__row_text(row, v, part, len);
        return;
    default: break;
    }
    sage__row_text(row, v, text, n > 0 ? (size_t)n : 0);
}

// Cuts to the column's length in characters and trims the right.
static void clip(const struct sage_column *c, struct sage_value *v)
{
    if (v->len > (size_t)c->length) {
        size_t n = 0, i = 0;
        for (; i < v->len; i++)
            if (((unsigned char)v->p[i] & 0xc0) != 0x80 && n++ == (size_t)c->length)
                break;
        v->len = i;
    }
    while (v->len && v->p[v->len - 1] == ' ')
        v->len--;
}

// Whose name and address: of the customer or vendor that a document belongs to, of the customer of a contact.
static void find_party(struct sage_filling *f, const struct sage_key *key)
{
    const struct sage_resource *r = f->res, *customers = &r->company->res[SAGE_CUSTOMERS];
    uint32_t owner;
    int party;
    if (r->id == SAGE_CONTACTS || r->id == SAGE_AR_OPEN_INVOICES || r->id == SAGE_AP_OPEN_INVOICES) {
        size_t len;
        const char *end = sage__key_part(key, 2, &len);
        memcpy(f->party_key.b, key->b, (size_t)(end - key->b - 1));
        f->party_key.len = (uint16_t)(end - key->b - 1);
        f->has_party_key = true;
        if (r->id != SAGE_AP_OPEN_INVOICES && sage__base_find(customers, &f->party_key, &owner))
            f->party = sage__row_seed(customers, owner);
    } else if (sage__owner(r->company, &f->origin, &party, &owner)) {
        f->has_party_key = true;
        sage__base_key(&r->company->res[party], owner, &f->party_key);
        f->party = sage__row_seed(&r->company->res[party], owner);
    }
}

static void filling_start(struct sage_filling *f, const struct sage_resource *r, const uint32_t *index, const struct sage_key *key)
{
    uint64_t own = index ? sage__row_seed(r, *index) : sage__hash(r->seed, key->b, key->len);
    memset(f, 0, offsetof(struct sage_filling, party_key));
    f->res = r;
    if (index)
        sage__origin(r, *index, &f->origin);
    else
        f->origin = (struct sage_origin){.resource = r->id, .seed = own};
    f->seed = f->party = f->origin.seed;
    find_party(f, key);
    f->status = (int)(sage__mix(f->seed ^ 0x57) % 100);
    f->place = sage__place_of(f->party);
    sage__base_stamps(r, own, &f->stamps);
}

static void fill_one(const struct sage_filling *f, const struct sage_column *c, uint64_t h, struct sage_row *row, struct sage_value *v)
{
    if (c->fill >= SAGE_FILL_CREATED_DATE && c->fill <= SAGE_FILL_UPDATED_USER)
        fill_audit(f, c, h, row, v);
    else if (c->fill >= SAGE_FILL_ACCOUNT)
        sage__fill_ledger(f, c, row, v);
    else if (c->fill >= SAGE_FILL_LINE_ITEM)
        sage__fill_document(f, c, row, v);
    else if (c->type == SAGE_NUMBER)
        fill_number(c, f, h, row, v);
    else if (c->type == SAGE_DATE)
        fill_date(f, c, h, row, v);
    else if (c->fill == SAGE_FILL_BLANK)
        fixed(v, "");
    else if (c->fill >= SAGE_FILL_COMPANY && c->fill <= SAGE_FILL_SORT)
        sage__fill_party(f, c, h, row, v);
    else if (c->fill == SAGE_FILL_CODE || (c->fill >= SAGE_FILL_SECRET && c->fill <= SAGE_FILL_REMARK) || c->fill == SAGE_FILL_SALES_DIV ||
             c->fill == SAGE_FILL_SALES_NO || c->fill == SAGE_FILL_PRIMARY_CONTACT || c->fill == SAGE_FILL_EXEMPT_NO ||
             c->fill == SAGE_FILL_PARTY_DIV || c->fill == SAGE_FILL_PARTY_NO || c->fill == SAGE_FILL_PO_NO || c->fill == SAGE_FILL_LINE_SEQ)
        fill_made(f, c, h, row, v);
    else
        fill_code(f, c, h, row, v);
}

void sage__fill(const struct sage_resource *r, const uint32_t *index, const struct sage_key *key, struct sage_row *row)
{
    const struct sage_table *t = r->layout->table;
    struct sage_filling f;
    row->layout = r->layout;
    row->key = *key;
    row->used = 0;
    filling_start(&f, r, index, key);
    for (int i = 0; i < t->ncolumns; i++) {
        const struct sage_column *c = &t->columns[i];
        struct sage_value *v = &row->v[i];
        if (c->fill <= SAGE_FILL_KEY3) {
            size_t len;
            const char *part = sage__key_part(key, (int)c->fill, &len);
            sage__row_text(row, v, part, len);
            continue;
        }
        fill_one(&f, c, sage__mix(f.seed + (uint64_t)(i + 1) * 0xd1342543de82ef95u), row, v);
        if (c->type == SAGE_STRING)
            clip(c, v);
    }
}
