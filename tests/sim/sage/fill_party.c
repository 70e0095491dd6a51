/*
 * fill_party.c: who and where: company and person names, addresses, telephones, e-mail. Everything hangs on the seed
 * of the party, so that an order bills to the address of its customer. Only characters of cp1252 occur, among them
 * U+0160, the separator of the COM interface.
 */
#include "private.h"

#include <string.h>

struct place {
    const char *city, *state, *zip, *country, *dial;
};

static const struct place places[] = {
    {"Chicago", "IL", "60601", "USA", "312"},
    {"Milwaukee", "WI", "53202-1234", "USA", "414"},
    {"Los Angeles", "CA", "90012", "USA", "213"},
    {"Irvine", "CA", "92618-2402", "USA", "949"},
    {"New York", "NY", "10001", "USA", "212"},
    {"Dallas", "TX", "75201", "USA", "214"},
    {"St. Paul", "MN", "55101", "USA", "651"},
    {"Boise", "ID", "83702", "", "208"},
    {"Coeur d'Alene", "ID", "83814", "USA", "208"},
    {"Atlanta", "GA", "30303", "US", "404"},
    {"Toronto", "ON", "M5V 2T6", "CAN", "416"},
    {"Montréal", "QC", "H2Y 1C6", "CAN", "514"},
    {"México D.F.", "", "06000", "MEX", "+52 55"},
    {"München", "", "80331", "DEU", "+49 89"},
    {"Köln", "", "50667", "DEU", "+49 221"},
    {"London", "", "EC1A 1BB", "GBR", "+44 20"},
    {"Šibenik", "", "22000", "HRV", "+385 22"},
};

static const char *const surnames[] = {
    "Avnet", "Breslin", "Carter", "O'Brien", "Smith", "Müller", "Núñez", "García", "Johnson", "Lindqvist",
    "Dupré", "Hill", "Adler", "Baker", "Castillo", "D'Angelo", "Evers", "Fox", "Gröber", "Hernandez", "Ito", "Jansen",
    "Kowalski", "Larsen", "MacDonald", "Nguyen", "Ortiz", "Patel", "Quinn", "Rossi", "Schultz", "Tran", "Ulrich", "Vega", "Weiss",
    "Xu", "Young", "Zimmer", "Šimek", "François"};
static const char *const firsts[] = {"Artie", "Brenda", "Carlos", "Deborah", "Elena", "Frank", "Grace", "Hans-Jürgen", "Ines",
                                     "John", "Renée", "Luis", "Mary Ann", "Nora", "Peter", "Zoë"};
static const char *const trades[] = {"Business Futures", "Supply", "Distribution", "Office Products", "Electric", "Plumbing & Heating",
                                     "Machine Works", "Foods", "Printing", "Furniture", "Hardware", "Medical", "Logistics", "Paper",
                                     "Nurseries", "Systems", "Parts/Service", "Café", "Auto Body", "Tool & Die"};
static const char *const endings[] = {"", "", " Inc.", ", Inc", " LLC", " Co.", " Corp", " GmbH", " & Sons", " Ltd", " (West)", " \"East\""};
static const char *const streets[] = {"N Michigan Ave", "Main St", "Industrial Pkwy", "Mariner Dr", "Elm Street", "Broadway",
                                      "Hauptstraße", "W. 42nd St", "County Road 7", "P.O. Box", "Rue Saint-André"};

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define PICK(list, h) (list)[(h) % COUNT(list)]

int sage__place_of(uint64_t party)
{
    return (int)(sage__mix(party ^ 0x91ace) % COUNT(places));
}

struct text {
    char b[300];
    size_t len;
};

static void add(struct text *t, const char *s)
{
    size_t n = strlen(s);
    if (t->len + n > sizeof t->b)
        sage__broken("generated text too long");
    memcpy(t->b + t->len, s, n);
    t->len += n;
}

static void add_number(struct text *t, unsigned v, int width)
{
    char digit[12];
    int at = 11;
    for (digit[11] = 0; v || width > 0; v /= 10, width--)
        digit[--at] = (char)('0' + v % 10);
    add(t, digit + at);
}

static void company(struct text *t, uint64_t party)
{
    uint64_t h = sage__mix(party ^ 0xc0ffee);
    add(t, PICK(surnames, h));
    if ((h >> 8) % 3 == 0) {
        add(t, (h >> 12) % 2 ? " & " : "-");
        add(t, PICK(surnames, h >> 16));
    }
    add(t, " ");
    add(t, PICK(trades, h >> 24));
    add(t, PICK(endings, h >> 32));
    if ((h >> 40) % 50 == 0)
        add(t, " of the Greater Metropolitan Area"); // mostly longer than the column
}

static void person(struct text *t, uint64_t h)
{
    add(t, PICK(firsts, h));
    if ((h >> 8) % 10) {
        add(t, " ");
        add(t, PICK(surnames, h >> 12));
    }
}

// As people type them; facts/sage-100.md 4 knows no format.
static void phone(struct text *t, const struct place *p, uint64_t h)
{
    unsigned last = (unsigned)(h % 10000), exchange = 200 + (unsigned)(h >> 16) % 800;
    const char *const styles[] = {"(%) # $", "(%) #-$", "%-#-$", "%.#.$", "%#$", "+1 % #-$", "#-$", "1-%-#-$", "% # $ x12"};
    if ((h >> 40) % 12 == 0)
        return;
    if (p->dial[0] == '+') {
        add(t, p->dial);
        add(t, " ");
        add_number(t, exchange * 100 + last % 100, 0);
        add_number(t, last, 4);
        return;
    }
    for (const char *s = PICK(styles, h >> 32); *s; s++) {
        char one[2] = {*s, 0};
        if (*s == '%')
            add(t, p->dial);
        else if (*s == '#')
            add_number(t, exchange, 3);
        else if (*s == '$')
            add_number(t, last, 4);
        else
            add(t, one);
    }
}

static void brand(struct text *t, uint64_t party)
{
    const char *name = PICK(surnames, sage__mix(party ^ 0xc0ffee));
    char one[2] = {0, 0};
    for (; *name; name++) {
        one[0] = (char)(*name | 0x20);
        if (one[0] >= 'a' && one[0] <= 'z' && (unsigned char)*name < 0x80)
            add(t, one);
    }
    add_number(t, (unsigned)(party % 9973), 0);
}

static void email(struct text *t, uint64_t party, uint64_t h, int length)
{
    static const char *const boxes[] = {"info", "ap", "accounts.payable", "Sales", "j.doe+po"};
    switch (h % 24) {
    case 0: case 1: case 2: return;
    case 3: add(t, "n/a"); return;
    case 4:
        if (length > 100) {
            add(t, "orders@");
            brand(t, party);
            add(t, ".example; ");
        }
        break;
    default: break;
    }
    add(t, PICK(boxes, h >> 8));
    add(t, "@");
    brand(t, party);
    add(t, ".example");
}

static void address(struct text *t, const struct sage_filling *f, int line)
{
    uint64_t h = sage__mix(f->party ^ (0xadd0 + (uint64_t)line));
    if (line == 1) {
        add_number(t, 1 + (unsigned)(h % 19999), 0);
        add(t, " ");
        add(t, PICK(streets, h >> 20));
    } else if (line == 2 && h % 4 == 0) {
        add(t, "Suite ");
        add_number(t, (unsigned)(h >> 20) % 900 + 1, 0);
    } else if (line == 3 && h % 15 == 0) {
        add(t, "Attn: Receiving");
    }
}

static void sort_field(struct text *t, uint64_t party)
{
    struct text name = {.len = 0};
    company(&name, party);
    for (size_t i = 0; i < name.len && t->len < 10; i++)
        if (name.b[i] >= 'A' && name.b[i] <= 'z' && (name.b[i] <= 'Z' || name.b[i] >= 'a'))
            t->b[t->len++] = (char)(name.b[i] & ~0x20);
}

void sage__fill_party(const struct sage_filling *f, const struct sage_column *c, uint64_t h, struct sage_row *row, struct sage_value *v)
{
    static const char *const salutations[] = {"Mr.", "Ms.", "Mrs.", "Dr.", "Herr", ""};
    static const char *const titles[] = {"Buyer", "Owner", "A/P Clerk", "CEO", "Sales & Mktg", ""};
    const struct place *p = &places[f->place];
    struct text t;
    t.len = 0;
    switch (c->fill) {
    case SAGE_FILL_COMPANY: company(&t, f->party); break;
    case SAGE_FILL_PERSON: person(&t, h); break;
    case SAGE_FILL_SALUTATION: add(&t, PICK(salutations, h)); break;
    case SAGE_FILL_TITLE: add(&t, PICK(titles, h)); break;
    case SAGE_FILL_ADDRESS1: address(&t, f, 1); break;
    case SAGE_FILL_ADDRESS2: address(&t, f, 2); break;
    case SAGE_FILL_ADDRESS3: address(&t, f, 3); break;
    case SAGE_FILL_CITY: add(&t, p->city); break;
    case SAGE_FILL_STATE: add(&t, p->state); break;
    case SAGE_FILL_ZIP: add(&t, p->zip); break;
    case SAGE_FILL_COUNTRY: add(&t, p->country); break;
    case SAGE_FILL_PHONE: phone(&t, p, h); break;
    case SAGE_FILL_PHONE2:
    case SAGE_FILL_FAX:
        if (h >> 60 & 1)
            phone(&t, p, h);
        break;
    case SAGE_FILL_EXT:
        if (h % 6 == 0)
            add_number(&t, (unsigned)(h >> 20) % 1000, 0);
        break;
    case SAGE_FILL_EMAIL: email(&t, f->party, h, c->length); break;
    case SAGE_FILL_URL:
        if (h % 2) {
            add(&t, h % 3 ? "www." : "https://");
            brand(&t, f->party);
            add(&t, ".example");
        }
        break;
    case SAGE_FILL_SORT: sort_field(&t, f->party); break;
    default: break;
    }
    sage__row_text(row, v, t.b, t.len);
}
