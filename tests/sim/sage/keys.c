/*
 * keys.c: which generated rows there are, their keys and their stamps, each from the index alone. Keys ascend with the
 * index over the whole index space, holes included: a key is found by bisection and a sweep needs no sort.
 *
 *     customers      three divisions: 50 % "01" zero-filled numbers, 35 % "02" letters with odd tails, 15 % "10" C-000123
 *     contacts       index = customer x 2 + j; the first exists for 60 of 100 customers, the second for 20;
 *                    none where the customer number holds a '~'
 *     lines          index = document x 8 + j; 1 to 5 exist
 *     open invoices  index = party x rounds + round: document.c
 */
#include "private.h"

#include <string.h>

uint64_t sage__row_seed(const struct sage_resource *r, uint32_t index)
{
    return sage__mix(r->seed + ((uint64_t)index + 1) * 0x9e3779b97f4a7c15u);
}

// Codes of the first and of the second contact come from different halves of the alphabet: so keys ascend.
const char *sage__contact_code(uint64_t customer_seed, int j)
{
    static const char *const codes[2][10] = {
        {"ALICE", "ANDRÉ", "BILL", "BRENDA", "CARLOS", "DEB", "ELENA", "FRANK", "GRACE", "JOHN S"},
        {"KAREN", "KEVIN", "LUIS", "MARIA", "NORA", "O'NEIL", "PAT", "R&D", "SUE", "ZOË"},
    };
    return codes[j][sage__mix(customer_seed ^ (0xcc + (uint64_t)j)) % 10];
}

bool sage__contact_exists(const struct sage_company *c, uint64_t customer_seed, int j)
{
    return sage__mix(customer_seed ^ 0xc0) % 5 * 20 < (j ? c->second_contact : c->first_contact);
}

static void digits(char *out, uint64_t v, int width)
{
    for (int i = width - 1; i >= 0; i--, v /= 10)
        out[i] = (char)('0' + v % 10);
}

static void put(struct sage_key *key, const char *part, size_t len)
{
    if (!sage__key_add(key, part, len))
        sage__broken("generated key too long");
}

static void letters_no(struct sage_key *key, uint32_t j, uint64_t h)
{
    static const char *const tails[] = {"-01", " CO", "/2", "&S", "É", "~1", ".A", "#7", "%20", "+1"};
    char text[16];
    uint32_t v = j * 2 + (h & 1);
    for (int i = 4; i >= 0; i--, v /= 26)
        text[i] = (char)('A' + v % 26);
    size_t len = 5;
    if (h / 2 % 10 < 3) {
        const char *tail = tails[h / 32 % 10];
        memcpy(text + 5, tail, strlen(tail));
        len += strlen(tail);
    }
    put(key, text, len);
}

static void customer_key(const struct sage_resource *r, uint32_t index, struct sage_key *key)
{
    uint64_t h = sage__row_seed(r, index);
    uint32_t second = r->count / 2, third = (uint32_t)((uint64_t)r->count * 85 / 100);
    char text[8];
    if (r->company->sim->opt.divisions_off) {
        put(key, "00", 2);
        letters_no(key, index, h);
    } else if (index < second) {
        put(key, "01", 2);
        digits(text, 1000 + (uint64_t)index * 4 + h % 4, 7);
        put(key, text, 7);
    } else if (index < third) {
        put(key, "02", 2);
        letters_no(key, index - second, h);
    } else {
        put(key, "10", 2);
        memcpy(text, "C-", 2);
        digits(text + 2, index - third, 6);
        put(key, text, 8);
    }
}

static void number_key(struct sage_key *key, uint64_t v, int width)
{
    char text[16];
    digits(text, v, width);
    put(key, text, (size_t)width);
}

static void item_key(const struct sage_resource *r, uint32_t index, struct sage_key *key)
{
    static const char *const tails[] = {"", "", "", "", "/B", "-XL", " #2", "É"};
    char text[24];
    uint64_t h = sage__row_seed(r, index);
    int n = snprintf(text, sizeof text, "%05u-%03u%s", (unsigned)(10000 + index / 8), (unsigned)(index % 8 * 100 + h % 100), tails[h / 100 % 8]);
    put(key, text, (size_t)n);
}

// A line's key is that of its document and a number.
static void line_key(const struct sage_resource *r, uint32_t index, struct sage_key *key)
{
    sage__base_key(&r->company->res[sage__header_of(r->id)], index / SAGE_LINES_MAX, key);
    uint64_t n = index % SAGE_LINES_MAX + 1;
    if (r->id == SAGE_SALES_ORDER_HISTORY_LINES)
        number_key(key, n * 500, 14);
    else
        number_key(key, n, 6);
}

static void contact_key(const struct sage_resource *r, uint32_t index, struct sage_key *key)
{
    const struct sage_resource *customers = &r->company->res[SAGE_CUSTOMERS];
    customer_key(customers, index / 2, key);
    const char *code = sage__contact_code(sage__row_seed(customers, index / 2), (int)(index & 1));
    put(key, code, strlen(code));
}

static void order_key(const struct sage_resource *r, uint32_t index, struct sage_key *key)
{
    const struct sage_resource *orders = &r->company->res[SAGE_SALES_ORDERS];
    uint64_t first = 100;
    if (index >= orders->count) { // of the history only
        first += 3 * (uint64_t)orders->count;
        index -= orders->count;
        orders = r;
    }
    number_key(key, first + (uint64_t)index * 3 + sage__row_seed(orders, index) % 3, 7);
}

static void ledger_key(const struct sage_resource *r, uint32_t index, struct sage_key *key)
{
    if (r->id == SAGE_GL_ACCOUNTS) {
        number_key(key, (uint64_t)index + 1, 9);
    } else if (r->id == SAGE_GL_MAIN_ACCOUNTS) {
        put(key, "01", 2);
        number_key(key, 1000 + 10 * (uint64_t)index, 4);
    } else {
        put(key, sage__group_code((int)index), strlen(sage__group_code((int)index)));
    }
}

static void invoice_key(const struct sage_resource *r, uint32_t index, struct sage_key *key)
{
    uint64_t h = sage__row_seed(r, index);
    if (r->id == SAGE_AR_INVOICES)
        number_key(key, 100000 + (uint64_t)index * 2 + h % 2, 7);
    else
        number_key(key, 5000000 + (uint64_t)index * 3 + h % 3, 8);
    put(key, h / 6 % 50 ? "000000" : "000001", 6);
}

void sage__base_key(const struct sage_resource *r, uint32_t index, struct sage_key *key)
{
    static const char divisions[3][3] = {"01", "02", "10"};
    sage__key_start(key);
    switch (r->id) {
    case SAGE_CUSTOMERS: customer_key(r, index, key); break;
    case SAGE_CONTACTS: contact_key(r, index, key); break;
    case SAGE_SALES_ORDERS:
    case SAGE_SALES_ORDER_HISTORY: order_key(r, index, key); break;
    case SAGE_SALES_ORDER_LINES:
    case SAGE_SALES_ORDER_HISTORY_LINES:
    case SAGE_PURCHASE_ORDER_LINES:
    case SAGE_AR_INVOICE_LINES: line_key(r, index, key); break;
    case SAGE_PURCHASE_ORDERS: number_key(key, 200 + (uint64_t)index * 2 + sage__row_seed(r, index) % 2, 7); break;
    case SAGE_AR_INVOICES:
    case SAGE_AP_INVOICES: invoice_key(r, index, key); break;
    case SAGE_AR_OPEN_INVOICES:
    case SAGE_AP_OPEN_INVOICES: sage__open_key(r, index, key); break;
    case SAGE_ITEMS: item_key(r, index, key); break;
    case SAGE_GL_ACCOUNTS:
    case SAGE_GL_MAIN_ACCOUNTS:
    case SAGE_GL_ACCOUNT_GROUPS: ledger_key(r, index, key); break;
    case SAGE_VENDORS:
        put(key, "00", 2);
        number_key(key, (uint64_t)index * 5 + 1 + sage__row_seed(r, index) % 5, 7);
        break;
    case SAGE_TERMS: number_key(key, index, 2); break;
    case SAGE_SALESPERSONS:
        put(key, divisions[index / 10], 2);
        number_key(key, (index % 10 + 1) * 100, 4);
        break;
    default: sage__broken("resource without keys");
    }
}

bool sage__base_exists(const struct sage_resource *r, uint32_t index)
{
    const struct sage_resource *owner;
    struct sage_key key;
    switch (r->id) {
    case SAGE_CONTACTS:
        // A '~' in a part that is not the last could not be told apart in a URL: such a customer has no contacts.
        owner = &r->company->res[SAGE_CUSTOMERS];
        sage__base_key(owner, index / 2, &key);
        return !memchr(key.b, '~', key.len) && sage__contact_exists(r->company, sage__row_seed(owner, index / 2), (int)(index & 1));
    case SAGE_SALES_ORDER_LINES:
    case SAGE_SALES_ORDER_HISTORY_LINES:
    case SAGE_PURCHASE_ORDER_LINES:
    case SAGE_AR_INVOICE_LINES:
        owner = &r->company->res[sage__header_of(r->id)];
        return (int)(index % SAGE_LINES_MAX) < sage__lines_of_document(owner, index / SAGE_LINES_MAX);
    case SAGE_AR_OPEN_INVOICES:
    case SAGE_AP_OPEN_INVOICES: return sage__open_exists(r, index);
    default: return true;
    }
}

uint32_t sage__base_lower(const struct sage_resource *r, const struct sage_key *key)
{
    uint32_t lo = 0, hi = r->count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        struct sage_key k;
        sage__base_key(r, mid, &k);
        if (sage__key_cmp(&k, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool sage__base_find(const struct sage_resource *r, const struct sage_key *key, uint32_t *index)
{
    struct sage_key k;
    *index = sage__base_lower(r, key);
    if (*index >= r->count || !sage__base_exists(r, *index))
        return false;
    sage__base_key(r, *index, &k);
    return sage__key_cmp(&k, key) == 0;
}

static int civil_number(int64_t days)
{
    struct sage_local l;
    sage__civil(days * 86400000, &l);
    return l.year * 10000 + l.month * 100 + l.day;
}

int sage__date_add(int date, int days)
{
    return civil_number(sage__days(date / 10000, date / 100 % 100, date % 100) + days);
}

// A working day: six in the morning to eight in the evening, sometimes to the second, sometimes to 36 ms.
static int working_hour(uint64_t h)
{
    int t = 600000 + (int)(h % 1400000);
    switch (h >> 40 & 7) {
    case 0: return t / 100000 * 100000;
    case 1: return t / 50000 * 50000;
    case 2: return t / 10000 * 10000;
    case 3: return t / 100 * 100;
    default: return t;
    }
}

// Rates per thousand: 30 without any stamp, 30 never created, 30 never updated, 30 with a date only, 250 from one of
// twelve imports (equal stamps), 100 not touched since their creation, the rest ordinary.
void sage__base_stamps(const struct sage_resource *r, uint64_t seed, struct sage_stamps *s)
{
    int end = r->company->sim->opt.history_end;
    int64_t last = sage__days(end / 10000, end / 100 % 100, end % 100), first = sage__days(2005, 1, 3);
    uint64_t range = (uint64_t)(last - first), h = sage__mix(seed ^ 0x57a3b), kind = h % 1000;
    uint64_t hc = sage__mix(h + 1), hu = sage__mix(h + 2);
    *s = (struct sage_stamps){0, -1, 0, -1};
    if (kind < 30)
        return;
    if (kind >= 120 && kind < 370) {
        hc = sage__mix(r->seed + 1 + h / 1000 % 12);
        s->created_date = s->updated_date = civil_number(first + (int64_t)(hc % range));
        s->created_t = s->updated_t = working_hour(sage__mix(hc));
        return;
    }
    int64_t created = first + (int64_t)(hc % range);
    int64_t updated = created + (int64_t)(hu % (uint64_t)(last - created + 1));
    s->created_date = civil_number(created);
    s->updated_date = civil_number(updated);
    s->created_t = working_hour(hc >> 7);
    s->updated_t = working_hour(hu >> 7);
    if (updated == created && s->updated_t < s->created_t)
        s->updated_t = s->created_t;
    if (kind < 60)
        s->created_date = 0, s->created_t = -1;
    else if (kind < 90)
        s->updated_date = 0, s->updated_t = -1;
    else if (kind < 120)
        s->updated_t = -1;
    else if (kind < 470)
        s->updated_date = s->created_date, s->updated_t = s->created_t;
}

int64_t sage__base_position(const struct sage_resource *r, uint32_t index)
{
    struct sage_stamps s;
    sage__base_stamps(r, sage__row_seed(r, index), &s);
    int64_t created = s.created_date * (int64_t)SAGE_STAMP_SCALE + (s.created_t > 0 ? s.created_t : 0);
    int64_t updated = s.updated_date * (int64_t)SAGE_STAMP_SCALE + (s.updated_t > 0 ? s.updated_t : 0);
    return created > updated ? created : updated;
}
