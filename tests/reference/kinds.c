/* kinds.c - what the generator knows about an expression: the same intervals and lengths that the checker proves, written a second time. */
#include "tests/reference/generate.h"

const char *const gen_texts[] = {"a", "b", "x", "yy", "Zed", "\xc3\xa9", "\xe6\x97\xa5\xe6\x9c\xac", "Bob@Example.COM", "  pad ", "N/A", "T", "00",
    "quote \" and \\", "{brace}", "two\nlines", "\xf0\x9f\x98\x80 ok", "a longer text of 33 characters 123", " ", "mixed Case", "no.mail@x", NULL};
const char *const gen_numbers[] = {"0", "1", "2.5", "0.25", "-3", "100", "7.75", "0.005", "-0.5", "1_000", "99999.99", "-2.5", "10", "0.50", "-1", NULL};
const char *const gen_days[] = {"2026-03-12", "1999-12-31", "2000-02-29", "1970-01-01", "0001-01-02", "9999-12-31", NULL};
const char *const gen_times[] = {"2026-03-12T08:30:00", "1969-12-31T23:59:59", "1970-01-01T00:00:00", "2000-02-29T12:00:01", NULL};
const char *const gen_phones[] = {"(312) 555-0100", "+49 30 123456", "030/123456", "0049 30 1234", "312.555.0100", "1-312-555-0100", "+1 312 555 0100", "12", "call me",
    "011 44 20 7946 0958", "+44 020 7946 0958", "911", "01 23 45 67 89", "112 555 0100", NULL};
const char *const gen_mails[] = {"Bob@Example.COM", "a@b.co", "A.B+c@Sub.Example.Org", " pad@x.YZ ", "a@b", "two@at@x.yz", "a.@b.co", "a@-b.co", "X@xn--p1ai.XN--P1AI",
    "\xc3\xbcx@b.de", "x@y..z", "a@b.c1", "Plain", NULL};
const char *const gen_countries[] = {"USA", "US", "DE", "deu", "GB", "FRA", "XX", "ca", NULL};

static const char *const persons[] = {"Dr. Bob J. van Dyke Jr.", "Smith, Bob", "  Cher ", "Mr. & Mrs. John Smith", "Bob Smith, MD", "Ludwig van Beethoven", "Ben Stone", "Mar\xc3\xad" "a de la Cruz", "Jr.", ",",
    "DR BOB SMITH III", "van Dyke, Dr. Bob J.", "Bob Smith Jr. PhD", "O'Neil and Sons, Inc", "JOHN O'BRIEN-MCDONALD", "eBay", "McDONALD's 2ND", "von", "Mr.", ", Bob", NULL};
static const char *const sites[] = {"www.Example.COM", "http://Example.com/Path?Q=1#f", "n/a", "bob@example.com", "https://example.com/", "example.com:8080/a b", "192.168.0.1", "EXAMPLE.com:8080", "ftp://example.com",
    "localhost", "example.com:99999", "xn--bcher-kva.example?x=1", "b\xc3\xbc" "cher.example", "https://", " shop.example.co ", "-a.example", "a..example", "HTTPS://A.EXAMPLE", NULL};
static const char *const zips[] = {"606011234", "60601-1234", "60601", "k1a0b1", "K1A 0B1", " sw1a  1aa ", "6060", "60601-123", "606 01", "1234567890", "D0A0B1", "ab c", NULL};
static const char *const states[] = {"IL", "il", "TX", "NY", "dc", "PR", "ON", "qc", "NL", "zz", "I", " tx ", NULL};
static const char *const amounts[] = {"(1,234.50)", "1,234", "12,34", "-5", "5-", "+7.25", "0.125", ".5", "5.", "1.500", "1,000,000", "1,0000", "$5", "7", "-0", "(-5)", "- 3", "9999999999", "00012", "1.2.3", NULL};
static const char *const written[] = {"2026-03-12", "2026/03/12", "20260312", "12-Mar-2026", "12 March 2026", "March 12, 2026", "2026-03-12 08:30", "2026-03-12T23:59:59", "2026-02-30", "3/12/2026", "12.03.49", "12.03.50",
    "29-feb-2000", "0000-01-01", "2026-3-12", " 2024-02-29 ", "MAY 1, 1999", "12 Sept 2026", "2026-03-12T24:00", "Mar 5 2026", NULL};
static const char *const hours[] = {"0", "15.5", "8.49238", "23.99999", "24", "24.1", "x", "-1", " 7.25 ", "00.1", "9.", "7.123456", "7.123455", "24.00001", NULL};
static const char *const extensions[] = {"(312) 555-0100 ext. 7", "312-555-0100 x1234567", "312-555-0100", "+13125550100;ext=12", "x12", "5 #", "n/a", "555-0100 #88", "555 0100 Extension 9", "555-0100 x12345678", NULL};
const struct gen_word gen_words[] = {{"Tel", gen_phones, 30}, {"Country", gen_countries, 3}, {"Mail", gen_mails, 30}, {"Person", persons, 40}, {"Site", sites, 40}, {"Zip", zips, 12}, {"State", states, 6},
    {"Amount", amounts, 14}, {"Written", written, 20}, {"Hours", hours, 8}, {"Ext", extensions, 30}, {NULL, NULL, 0}};

const char *const *gen_words_of(struct str column)
{
    for (const struct gen_word *w = gen_words; w->column; w++)
        if (str_is(column, w->column)) return w->pool;
    return NULL;
}

unsigned gen_count(const char *const *pool)
{
    unsigned n = 0;
    while (pool[n]) n++;
    return n;
}

const char *gen_quoted(struct gen *g, const char *text)
{
    struct buf b = {0};
    buf_byte(&b, '"');
    for (; *text; text++) {
        if (*text == '\n') buf_puts(&b, "\\n");
        else {
            if (*text == '"' || *text == '\\') buf_byte(&b, '\\');
            if (*text == '{' || *text == '}') buf_byte(&b, (unsigned char)*text);
            buf_byte(&b, (unsigned char)*text);
        }
    }
    buf_byte(&b, '"');
    const char *s = arena_copy(&g->arena, b.p, b.n);
    buf_free(&b);
    return s;
}

static unsigned chars(const char *s)
{
    unsigned n = 0;
    for (; *s; s++) n += (*s & 0xc0) != 0x80;
    return n;
}

static i128 ten_to(unsigned n)
{
    i128 v = 1;
    while (n--) v *= 10;
    return v;
}

struct gtype gen_text(unsigned min, unsigned max)
{
    return (struct gtype){.kind = G_TEXT, .min = min, .max = max};
}

struct gtype gen_number(unsigned digits, unsigned scale)
{
    return (struct gtype){.kind = G_NUM, .scale = scale, .lo = 1 - ten_to(digits), .hi = ten_to(digits) - 1};
}

static struct gtype type_of_number(const char *s)
{
    struct gtype t = {.kind = G_NUM};
    bool behind = false;
    for (const char *p = s; *p; p++) {
        if (*p == '.') behind = true;
        else if (*p >= '0' && *p <= '9') {
            t.lo = t.lo * 10 + (*p - '0');
            t.scale += behind;
        }
    }
    if (*s == '-') t.lo = -t.lo;
    t.hi = t.lo;
    return t;
}

struct gx gen_constant(struct gen *g, enum gkind k)
{
    struct gx x = {.t = {.kind = k}};
    switch (k) {
    case G_BOOL: x.s = gen_pick(g, 2) ? "true" : "false"; break;
    case G_NUM:
        x.s = gen_numbers[gen_pick(g, gen_count(gen_numbers))];
        x.t = type_of_number(x.s);
        break;
    case G_DAY: x.s = gen_days[gen_pick(g, gen_count(gen_days))]; break;
    case G_WALL: x.s = gen_times[gen_pick(g, gen_count(gen_times))]; break;
    case G_POINT: x.s = gen_print(g, "%sZ", gen_times[gen_pick(g, gen_count(gen_times))]); break;
    default: {
        const char *s = gen_texts[gen_pick(g, gen_count(gen_texts))];
        x.t = gen_text(chars(s), chars(s));
        x.t.nset = 1;
        x.t.set[0] = s;
        x.s = gen_quoted(g, s);
    }
    }
    return x;
}

/* Both at the larger scale; false when that could need too many digits. */
static bool aligned(const struct gtype *a, const struct gtype *b, struct gtype *x, struct gtype *y)
{
    unsigned s = a->scale > b->scale ? a->scale : b->scale;
    *x = *a;
    *y = *b;
    if (gen_digits(a) + s - a->scale > 37 || gen_digits(b) + s - b->scale > 37) return false;
    x->lo *= ten_to(s - a->scale);
    x->hi *= ten_to(s - a->scale);
    y->lo *= ten_to(s - b->scale);
    y->hi *= ten_to(s - b->scale);
    x->scale = y->scale = s;
    return true;
}

unsigned gen_digits(const struct gtype *t)
{
    i128 m = t->hi > -t->lo ? t->hi : -t->lo;
    unsigned n = 0;
    for (; m > 0; m /= 10) n++;
    return n;
}

bool gen_join(const struct gtype *a, const struct gtype *b, struct gtype *out)
{
    struct gtype x, y, t = {.kind = a->kind, .optional = a->optional || b->optional};
    if (a->kind == G_NUM) {
        if (!aligned(a, b, &x, &y)) return false;
        t.scale = x.scale;
        t.lo = x.lo < y.lo ? x.lo : y.lo;
        t.hi = x.hi > y.hi ? x.hi : y.hi;
    } else if (a->kind == G_TEXT) {
        t.min = a->min < b->min ? a->min : b->min;
        t.max = a->max > b->max ? a->max : b->max;
        if (a->nset && b->nset && a->nset + b->nset <= G_SET) {
            memcpy(t.set, a->set, sizeof t.set);
            t.nset = a->nset;
            for (unsigned i = 0; i < b->nset; i++) {
                unsigned k = 0;
                while (k < t.nset && strcmp(t.set[k], b->set[i]) != 0) k++;
                if (k == t.nset) t.set[t.nset++] = b->set[i];
            }
        }
    }
    *out = t;
    return true;
}

bool gen_sum(const struct gtype *a, const struct gtype *b, bool minus, struct gtype *out)
{
    struct gtype x, y, t = {.kind = G_NUM};
    if (!aligned(a, b, &x, &y)) return false;
    t.scale = x.scale;
    t.lo = x.lo + (minus ? -y.hi : y.lo);
    t.hi = x.hi + (minus ? -y.lo : y.hi);
    *out = t;
    return gen_digits(&t) <= 37;
}

bool gen_product(const struct gtype *a, const struct gtype *b, struct gtype *out)
{
    struct gtype t = {.kind = G_NUM, .scale = a->scale + b->scale};
    if (t.scale > 12 || gen_digits(a) + gen_digits(b) > 36) return false;
    i128 c[4] = {a->lo * b->lo, a->lo * b->hi, a->hi * b->lo, a->hi * b->hi};
    t.lo = t.hi = c[0];
    for (int i = 1; i < 4; i++) {
        if (c[i] < t.lo) t.lo = c[i];
        if (c[i] > t.hi) t.hi = c[i];
    }
    *out = t;
    return true;
}

static i128 half_away(i128 v, i128 p)
{
    i128 q = v / p, r = v % p;
    if (r < 0 ? -r * 2 >= p : r * 2 >= p) q += v < 0 ? -1 : 1;
    return q;
}

struct gtype gen_rounded(const struct gtype *t, unsigned n)
{
    struct gtype out = *t;
    if (n >= t->scale) return out;
    out.scale = n;
    out.lo = half_away(t->lo, ten_to(t->scale - n));
    out.hi = half_away(t->hi, ten_to(t->scale - n));
    return out;
}

static unsigned printed(i128 v, unsigned scale)
{
    struct gtype t = {.lo = v, .hi = v};
    unsigned n = gen_digits(&t);
    if (n < scale + 1) n = scale + 1;
    return n + (scale > 0) + (v < 0);
}

struct gtype gen_as_text(const struct gtype *t)
{
    struct gtype out = gen_text(4, 5);
    if (t->kind == G_TEXT) return *t;
    if (t->kind == G_DAY) return gen_text(10, 10);
    if (t->kind != G_NUM) return out;
    unsigned a = printed(t->lo, t->scale), b = printed(t->hi, t->scale), least = t->scale ? t->scale + 2 : 1;
    out.min = t->lo == t->hi ? a : least;
    out.max = a > b ? a : b;
    if (out.max < least) out.max = least;
    return out;
}

bool gen_disjoint(const struct gtype *a, const struct gtype *b)
{
    struct gtype x, y;
    if (a->kind == G_NUM) {
        if (!aligned(a, b, &x, &y)) return true;
        return x.hi < y.lo || y.hi < x.lo;
    }
    if (a->kind != G_TEXT) return false;
    for (unsigned i = 0; a->nset && b->nset && i < a->nset * b->nset; i++)
        if (strcmp(a->set[i / b->nset], b->set[i % b->nset]) == 0) return false;
    return (a->nset && b->nset) || a->min > b->max || b->min > a->max;
}

bool gen_declare(struct gen *g, const struct gtype *t, unsigned most_digits, const char **out)
{
    static const char *const plain[G_KINDS] = {"bool", NULL, NULL, "date", "datetime", "instant"};
    *out = plain[t->kind];
    if (t->kind == G_NUM) {
        unsigned n = gen_digits(t);
        if (n > most_digits) return false;
        *out = gen_print(g, "decimal(%u,%u)", n > t->scale ? n : t->scale ? t->scale : 1, t->scale);
    } else if (t->kind == G_TEXT && t->nset && gen_pick(g, 2)) {
        *out = "one of(";
        for (unsigned i = 0; i < t->nset; i++) *out = gen_print(g, "%s%s%s", *out, i ? ", " : "", gen_quoted(g, t->set[i]));
        *out = gen_print(g, "%s)", *out);
    } else if (t->kind == G_TEXT) *out = gen_print(g, "text(%u..%u)", t->min, t->max);
    return true;
}
