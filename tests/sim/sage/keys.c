/*
 * keys.c: which generated rows there are, their keys and their stamps, each from the index alone. Keys ascend with the
 * index over the whole index space, holes included: a key is found by bisection and a sweep needs no sort.
 *
 *     customers      three divisions: 50 % "01" zero-filled numbers, 35 % "02" letters with odd tails, 15 % "10" C-000123
 *     contacts       index = customer x 2 + j; the first exists for 60 of 100 customers, the second for 20;
 *                    none where the customer number holds a '~'
 *     lines          index = order x 8 + j; 1 to 5 exist
 */
#include "private.h"

#include <string.h>

uint32_t sage__base_count(int resource, uint32_t customers)
{
    switch (resource) {
    case SAGE_CUSTOMERS: return customers;
    case SAGE_CONTACTS: return customers * 2;
    case SAGE_SALES_ORDERS: return customers / 2;
    case SAGE_SALES_ORDER_LINES: return customers / 2 * SAGE_LINES_MAX;
    case SAGE_VENDORS: return customers / 10 + 3;
    case SAGE_TERMS: return 8;
    case SAGE_SALESPERSONS: return 30;
    default: return 0;
    }
}

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

void sage__base_key(const struct sage_resource *r, uint32_t index, struct sage_key *key)
{
    static const char divisions[3][3] = {"01", "02", "10"};
    const struct sage_resource *res = r->company->res;
    char text[8];
    sage__key_start(key);
    switch (r->id) {
    case SAGE_CUSTOMERS:
        customer_key(r, index, key);
        break;
    case SAGE_CONTACTS: {
        customer_key(&res[SAGE_CUSTOMERS], index / 2, key);
        const char *code = sage__contact_code(sage__row_seed(&res[SAGE_CUSTOMERS], index / 2), (int)(index & 1));
        put(key, code, strlen(code));
        break;
    }
    case SAGE_SALES_ORDERS:
        digits(text, 100 + (uint64_t)index * 3 + sage__row_seed(r, index) % 3, 7);
        put(key, text, 7);
        break;
    case SAGE_SALES_ORDER_LINES:
        sage__base_key(&res[SAGE_SALES_ORDERS], index / SAGE_LINES_MAX, key);
        digits(text, index % SAGE_LINES_MAX + 1, 6);
        put(key, text, 6);
        break;
    case SAGE_VENDORS:
        put(key, "00", 2);
        digits(text, (uint64_t)index * 5 + 1 + sage__row_seed(r, index) % 5, 7);
        put(key, text, 7);
        break;
    case SAGE_TERMS:
        digits(text, index, 2);
        put(key, text, 2);
        break;
    case SAGE_SALESPERSONS:
        put(key, divisions[index / 10], 2);
        digits(text, (index % 10 + 1) * 100, 4);
        put(key, text, 4);
        break;
    default:
        sage__broken("resource without keys");
    }
}

bool sage__base_exists(const struct sage_resource *r, uint32_t index)
{
    const struct sage_resource *owner;
    struct sage_key key;
    uint64_t seed;
    switch (r->id) {
    case SAGE_CONTACTS:
        // A '~' in a part that is not the last could not be told apart in a URL: such a customer has no contacts.
        owner = &r->company->res[SAGE_CUSTOMERS];
        sage__base_key(owner, index / 2, &key);
        if (memchr(key.b, '~', key.len))
            return false;
        seed = sage__mix(sage__row_seed(owner, index / 2) ^ 0xc0);
        return index & 1 ? seed % 5 == 0 : seed % 5 < 3;
    case SAGE_SALES_ORDER_LINES:
        owner = &r->company->res[SAGE_SALES_ORDERS];
        seed = sage__mix(sage__row_seed(owner, index / SAGE_LINES_MAX) ^ 0x11);
        return index % SAGE_LINES_MAX < 1 + seed % 5;
    default:
        return true;
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
