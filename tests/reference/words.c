/* words.c - the builtins once more. Those that rest on lists (phone numbers, names, states, zones) know a part of them: the generator gives them nothing
 * else. A builtin that is not here is left out of the random programs; the test names it. */
#include "tests/reference/words.h"
#include "base/check.h"
#include <stdlib.h>

size_t ref_chars(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += (s.p[i] & 0x80) == 0 || (s.p[i] & 0x40) != 0;
    return n;
}

uint32_t ref__char(struct str s, size_t *bytes)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    uint32_t v = n == 1 ? c : c & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) v = v << 6 | ((unsigned char)s.p[i] & 0x3f);
    *bytes = n;
    return v;
}

static struct ref_value text_or_absent(struct ref *r, const struct buf *b)
{
    struct ref_value v = {.kind = b->n ? REF_TEXT : REF_ABSENT};
    if (b->n) v.text = (struct str){arena_copy(r->arena, b->p, b->n), b->n};
    return v;
}

/* ---- text ---- */

static void lines(struct ref *r, const struct ref_value *a, size_t n, struct buf *out)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (a[i].kind == REF_ABSENT && r->plant != PLANT_LINES_BLANK) continue;
        if (!first) buf_byte(out, '\n');
        if (a[i].kind == REF_TEXT) buf_str(out, a[i].text);
        first = false;
    }
}

static void truncated(struct ref *r, const struct ref_value *a, size_t n, struct buf *out)
{
    struct buf digits = {0};
    (void)n;
    ref_number_write(&digits, &a[1].number, 0);
    size_t left = strtoul(buf_cstr(&digits), NULL, 10);
    buf_free(&digits);
    for (size_t i = 0; i < a[0].text.n; i++) {
        bool begins = ((unsigned char)a[0].text.p[i] >> 6) != 2 || r->plant == PLANT_TRUNCATE_BYTES;
        if (begins && left == 0) break;
        left -= begins;
        buf_byte(out, (unsigned char)a[0].text.p[i]);
    }
}

static unsigned char folded(char c, bool upper)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz", large[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *from = upper ? small : large, *at = c ? strchr(from, c) : NULL;
    return (unsigned char)(at ? (upper ? large : small)[at - from] : c);
}

/* Capitals from..to stand `behind` their small letters; every second one: pairs of capital and small. */
static const struct { uint32_t from, to, small; bool pairs; } alphabets[] = {
    {'A', 'Z', 'a', false}, {0xc0, 0xd6, 0xe0, false}, {0xd8, 0xde, 0xf8, false}, {0x178, 0x178, 0xff, false}, {0x100, 0x12e, 0x101, true}, {0x139, 0x147, 0x13a, true},
    {0x14a, 0x176, 0x14b, true}, {0x179, 0x17d, 0x17a, true}, {0x386, 0x386, 0x3ac, false}, {0x388, 0x38a, 0x3ad, false}, {0x38c, 0x38c, 0x3cc, false}, {0x38e, 0x38f, 0x3cd, false},
    {0x391, 0x3a1, 0x3b1, false}, {0x3a3, 0x3ab, 0x3c3, false}, {0x410, 0x42f, 0x430, false}, {0x400, 0x40f, 0x450, false}};

static uint32_t fold_one(uint32_t c, bool upper)
{
    if (upper && c == 0x3c2) return 0x3a3;              /* sigma at the end of a word */
    for (size_t i = 0; i < sizeof alphabets / sizeof *alphabets; i++) {
        uint32_t span = alphabets[i].to - alphabets[i].from, first = upper ? alphabets[i].small : alphabets[i].from;
        if (c < first || c > first + span || (alphabets[i].pairs && (c - first) % 2)) continue;
        return upper ? c - alphabets[i].small + alphabets[i].from : c - alphabets[i].from + alphabets[i].small;
    }
    return c;
}

static void put_char(struct buf *out, uint32_t c)
{
    if (c < 0x80) buf_byte(out, (unsigned char)c);
    else if (c < 0x800) buf_printf(out, "%c%c", (int)(0xc0 | c >> 6), (int)(0x80 | (c & 0x3f)));
    else {
        if (c < 0x10000) buf_byte(out, (unsigned char)(0xe0 | c >> 12));
        else buf_printf(out, "%c%c", (int)(0xf0 | c >> 18), (int)(0x80 | (c >> 12 & 0x3f)));
        buf_printf(out, "%c%c", (int)(0x80 | (c >> 6 & 0x3f)), (int)(0x80 | (c & 0x3f)));
    }
}

/* Latin, Greek and Cyrillic, one character for one. */
static void fold_all(struct str s, bool upper, struct buf *out)
{
    for (size_t i = 0, n; i < s.n; i += n) put_char(out, fold_one(ref__char((struct str){s.p + i, s.n - i}, &n), upper));
}

static void upper(struct ref *r, const struct ref_value *a, size_t n, struct buf *out)
{
    (void)r;
    (void)n;
    fold_all(a[0].text, true, out);
}

static void lower(struct ref *r, const struct ref_value *a, size_t n, struct buf *out)
{
    (void)r;
    (void)n;
    fold_all(a[0].text, false, out);
}

/* White space of Unicode. */
bool ref__blank(uint32_t c)
{
    static const uint32_t blanks[] = {' ', 0xa0, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000};
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
        if (c == blanks[i]) return true;
    return (c >= '\t' && c <= '\r') || (c >= 0x2000 && c <= 0x200a);
}

struct str ref__trimmed(struct str s)
{
    size_t n, end = 0;
    while (s.n && ref__blank(ref__char(s, &n))) s = (struct str){s.p + n, s.n - n};
    for (size_t at = 0; at < s.n; at += n)
        if (!ref__blank(ref__char((struct str){s.p + at, s.n - at}, &n))) end = at + n;
    return (struct str){s.p, end};
}

static void trim(struct ref *r, const struct ref_value *a, size_t n, struct buf *out)
{
    (void)r;
    (void)n;
    buf_str(out, ref__trimmed(a[0].text));
}

/* ---- email: LOCAL@LABEL(.LABEL)+ ---- */

static bool among(char c, const char *set) { return c != 0 && strchr(set, c) != NULL; }
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define FIGURES "0123456789"

/* Every part between dots is of these characters, 1 to `most` long, no dash at its ends where dashes mean something. */
static bool dotted(struct str s, const char *set, size_t most, bool dash_inside, size_t *parts, struct str *last)
{
    size_t from = 0;
    *parts = 0;
    for (size_t i = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '.') {
            if (!among(s.p[i], set)) return false;
            continue;
        }
        if (i == from || i - from > most) return false;
        if (dash_inside && (s.p[from] == '-' || s.p[i - 1] == '-')) return false;
        *last = (struct str){s.p + from, i - from};
        from = i + 1;
        ++*parts;
    }
    return true;
}

static bool top_domain(struct str s)
{
    if (s.n > 4 && folded(s.p[0], false) == 'x' && folded(s.p[1], false) == 'n' && s.p[2] == '-' && s.p[3] == '-') return true;
    for (size_t i = 0; i < s.n; i++)
        if (!among(s.p[i], LETTERS)) return false;
    return s.n >= 2;
}

static void email(struct ref *r, const struct ref_value *a, size_t n, struct buf *out)
{
    (void)n;
    struct str s = ref__trimmed(a[0].text), last;
    size_t at = 0, parts;
    while (at < s.n && s.p[at] != '@') at++;
    if (at == s.n || s.n > 254 || at > 64) return;
    struct str local = {s.p, at}, domain = {s.p + at + 1, s.n - at - 1};
    if (!dotted(local, LETTERS FIGURES "!#$%&'*+-/=?^_`{|}~", 64, false, &parts, &last)) return;
    if (!dotted(domain, LETTERS FIGURES "-", 63, true, &parts, &last) || parts < 2 || !top_domain(last)) return;
    for (size_t i = 0; i < s.n; i++) buf_byte(out, i > at || r->plant == PLANT_EMAIL_CASE ? folded(s.p[i], false) : (unsigned char)s.p[i]);
}

/* ---- phone ---- */

static const struct { const char *two, *three, *code, *trunk; size_t digits; } countries[] = {
    {"US", "USA", "1", "1", 10}, {"CA", "CAN", "1", "1", 10}, {"DE", "DEU", "49", "0", 0}, {"GB", "GBR", "44", "0", 0}, {"FR", "FRA", "33", "0", 9},
    {"MX", "MEX", "52", "", 10}, {"HR", "HRV", "385", "0", 0}};
enum { NCOUNTRIES = sizeof countries / sizeof *countries };

static int country_named(struct str s)
{
    char up[4] = {0};
    s = ref__trimmed(s);
    for (size_t i = 0; i < s.n && i < 3; i++) up[i] = (char)folded(s.p[i], true);
    for (int i = 0; i < NCOUNTRIES && s.n <= 3; i++)
        if (strcmp(up, countries[i].two) == 0 || strcmp(up, countries[i].three) == 0) return i;
    return -1;
}

static int country_of_code(const char *digits)
{
    for (int i = 0; i < NCOUNTRIES; i++)
        if (strncmp(digits, countries[i].code, strlen(countries[i].code)) == 0) return i;
    return -1;
}

/* Ten digits, NXX-NXX: what the North American plan can hold. */
static bool american(const char *d)
{
    if (strlen(d) != 10 || d[0] < '2' || d[3] < '2') return false;
    if (strncmp(d + 1, "11", 2) == 0 || strncmp(d + 4, "11", 2) == 0 || d[1] == '9') return false;
    return strncmp(d, "37", 2) != 0 && strncmp(d, "96", 2) != 0;
}

static void e164(int c, const char *national, struct buf *out)
{
    size_t n = strlen(countries[c].code) + strlen(national);
    if (strcmp(countries[c].code, "1") == 0 && !american(national)) return;
    if (n < 7 || n > 15 || strlen(national) < 4) return;
    buf_printf(out, "+%s%s", countries[c].code, national);
}

static void international(const char *digits, struct buf *out)
{
    int c = country_of_code(digits);
    if (c < 0) return;
    const char *national = digits + strlen(countries[c].code);
    if (strcmp(countries[c].trunk, "0") == 0 && national[0] == '0') national++;
    e164(c, national, out);
}

static void from_here(int c, const char *digits, struct buf *out)
{
    size_t n = strlen(digits), t = strlen(countries[c].trunk);
    if (strncmp(digits, "00", 2) == 0) international(digits + 2, out);
    else if (strcmp(countries[c].code, "1") == 0 && strncmp(digits, "011", 3) == 0) international(digits + 3, out);
    else {
        bool may = countries[c].digits == 0 || n == countries[c].digits + t;
        if (may && strncmp(digits, countries[c].trunk, t) == 0) digits += t;
        if (countries[c].digits == 0 || strlen(digits) == countries[c].digits) e164(c, digits, out);
    }
}

static void phone(struct ref *r, const struct ref_value *a, size_t n, struct buf *out)
{
    char digits[32] = "";
    size_t k = 0;
    bool plus = false;
    struct str s = a[0].text;
    if (ref__by_name(r, "phone_ext", a[0]).kind == REF_TEXT) {       /* "x 12" behind the number is none of it */
        s = ref__trimmed(s);
        while (among(s.p[s.n - 1], FIGURES " \t")) s.n--;
        while (among(s.p[s.n - 1], LETTERS "#.;=: ")) s.n--;
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '+' && k == 0 && !plus) plus = true;
        else if (among(c, FIGURES) && k < 24) digits[k++] = c;
        else if ((c == 'x' || c == 'X') && k) break;             /* an extension: the number ends here */
        else if (!among(c, " -./()\t")) return;
    }
    digits[k] = 0;
    int c = n > 1 && a[1].kind == REF_TEXT ? country_named(a[1].text) : -1;
    if (k == 0) return;
    if (plus) international(digits, out);
    else if (c >= 0) from_here(c, digits, out);
}

/* ---- the table ---- */

typedef void word_fn(struct ref *r, const struct ref_value *a, size_t n, struct buf *out);
static const struct { const char *name; word_fn *fn; bool absent_in; /* runs although the first argument is absent */ bool may_miss; } words[] = {
    {"lines", lines, true, false}, {"truncate", truncated, false, false}, {"upper", upper, false, false}, {"lower", lower, false, false},
    {"trim", trim, false, true}, {"email", email, false, true}, {"phone", phone, false, true}};

static const struct ref_word *word_named(struct str name)
{
    const struct ref_word *const tables[] = {ref__words, ref__words_dates, ref__words_people};
    for (size_t t = 0; t < 3; t++)
        for (const struct ref_word *w = tables[t]; w->name; w++)
            if (str_is(name, w->name)) return w;
    return NULL;
}

bool ref_builtin_known(struct str name)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_is(name, words[i].name)) return true;
    return word_named(name) != NULL || str_is(name, "round");
}

static struct ref_value rounded(struct ref *r, const struct ref_value *a)
{
    struct ref_value v = a[0];
    struct buf digits = {0};
    if (v.kind == REF_ABSENT) return v;
    ref_number_write(&digits, &a[1].number, 0);
    unsigned n = (unsigned)strtoul(buf_cstr(&digits), NULL, 10);
    buf_free(&digits);
    if (r->plant == PLANT_ROUND_NEGATIVE && v.number.negative) {
        struct ref_number tiny = {.scale = 20, .digit = {1}};
        v.number = ref_number_add(&v.number, &tiny);
    }
    v.number = ref_number_round(&v.number, n);
    return v;
}

bool ref_builtin(struct ref *r, struct str name, const struct ref_value *args, size_t n, struct ref_value *out)
{
    *out = (struct ref_value){.kind = REF_ABSENT};
    if (str_is(name, "round")) {
        *out = rounded(r, args);
        return true;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct buf b = {0};
        if (!str_is(name, words[i].name)) continue;
        if (args[0].kind == REF_TEXT || words[i].absent_in) words[i].fn(r, args, n, &b);
        *out = text_or_absent(r, &b);
        buf_free(&b);
        return true;
    }
    const struct ref_word *w = word_named(name);
    for (size_t i = 0; w && i < n; i++)
        if (args[i].kind == REF_ABSENT && !(w->optional >> (i < 31 ? i : 31) & 1)) return true;
    if (w) *out = w->fn(r, args, n);
    return w != NULL;
}

struct ref_value ref__by_name(struct ref *r, const char *builtin, struct ref_value v)
{
    struct ref_value out;
    bool known = ref_builtin(r, str_of(builtin), &v, 1, &out);
    ASSERT(known);
    return out;
}

bool ref__same_word(struct str a, const char *b)
{
    if (a.n != strlen(b)) return false;
    for (size_t i = 0; i < a.n; i++)
        if (folded(a.p[i], false) != folded(b[i], false)) return false;
    return true;
}
