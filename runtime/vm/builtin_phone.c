/* builtin_phone.c - phone(number, country): what people typed into a phone column, in E.164, or no answer.
 *
 *   typed text -> digits (separators and extension dropped) -> international? -> calling code + national number -> "+..."
 *                                                           -> national, country known: trunk prefix dropped
 *
 * It never guesses: without + and without a country there is no answer, and a number that the plan of its country cannot hold is none
 * either. Countries are in phone.def. */
#include "vm/builtin.h"
#include "vm/chars.h"

struct plan { char alpha2[3], alpha3[4], code[4], trunk[12]; uint8_t digits; };

static const struct plan plans[] = {
#define PHONE(alpha2, alpha3, code, trunk, digits) {alpha2, alpha3, code, trunk, digits},
#define PHONE_CODE(code) {"", "", code, "", 0},
#include "vm/phone.def"
#undef PHONE
#undef PHONE_CODE
};
enum { NCOUNTRIES = 0
#define PHONE(alpha2, alpha3, code, trunk, digits) + 1
#define PHONE_CODE(code)
#include "vm/phone.def"
#undef PHONE
#undef PHONE_CODE
};
enum { NPLANS = sizeof plans / sizeof *plans, DIGITS_MAX = 15, DIGITS_MIN = 7, TYPED_MAX = 24 };

struct digits { char d[TYPED_MAX]; size_t n; bool plus; struct str extension; };

/* The first country whose two letters begin with c. */
static size_t first_of(char c)
{
    size_t lo = 0, hi = NCOUNTRIES;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (plans[mid].alpha2[0] < c) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

/* Both ISO forms, letters of either case. */
static const struct plan *plan_of_country(struct str country)
{
    char code[3];
    country = str_trim(country);
    if (country.n < 2 || country.n > 3) return NULL;
    for (size_t i = 0; i < country.n; i++) code[i] = country.p[i] >= 'a' && country.p[i] <= 'z' ? (char)(country.p[i] - 32) : country.p[i];
    if (country.n == 2) code[2] = '\0';
    /* phone.def is in the order of the two letters, and nearly all have one first letter in both forms */
    size_t first = first_of(code[0]);
    for (size_t i = first; i < NCOUNTRIES && plans[i].alpha2[0] == code[0]; i++) {
        const char *own = country.n == 2 ? plans[i].alpha2 : plans[i].alpha3;
        if (own[1] == code[1] && own[2] == code[2] && own[0] == code[0]) return &plans[i];
    }
    for (size_t i = 0; i < NCOUNTRIES && country.n == 3; i++)
        if (memcmp(code, plans[i].alpha3, 3) == 0) return &plans[i];
    return NULL;
}

/* The first plan whose calling code begins the digits; no code is the beginning of another. */
static const struct plan *plan_of_digits(struct str digits)
{
    for (size_t i = 0; i < NPLANS; i++)
        if (str_starts(digits, str_of(plans[i].code))) return &plans[i];
    return NULL;
}

static bool north_american(const struct plan *p) { return p->code[0] == '1'; }

/* ---- typed text to digits ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static char to_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

/* Bytes of the separator at s, 0 when there is none: ASCII ones, the no-break space, the hyphens and dashes of U+2010..2015. */
static size_t separator(struct str s)
{
    switch (s.p[0]) {
    case ' ': case '-': case '.': case '/': case '(': case ')': case '\t': return 1;
    case '\xc2': case '\xe2': break;
    default: return 0;
    }
    if (s.n >= 2 && memcmp(s.p, "\xc2\xa0", 2) == 0) return 2;
    if (s.n >= 3 && memcmp(s.p, "\xe2\x80", 2) == 0 && (unsigned char)s.p[2] >= 0x90 && (unsigned char)s.p[2] <= 0x95) return 3;
    return 0;
}

static struct str rest(struct str s, size_t n) { return (struct str){s.p + n, s.n - n}; }

static bool starts_word(struct str s, const char *word)
{
    size_t n = strlen(word);
    if (s.n < n) return false;
    for (size_t i = 0; i < n; i++)
        if (to_lower(s.p[i]) != word[i]) return false;
    return true;
}

static struct str skip_chars(struct str s, const char *set)
{
    while (s.n > 0 && strchr(set, s.p[0])) s = rest(s, 1);
    return s;
}

/* All of s is an extension: "x123", "ext. 5", "#12", ";ext=5". Its digits into *digits. */
static bool is_extension(struct str s, struct str *digits)
{
    static const char *const words[] = {"extension", "extn", "ext", "ex", "x", "#"};
    s = skip_chars(s, ",; ");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!starts_word(s, words[i])) continue;
        s = skip_chars(rest(s, strlen(words[i])), ".:= ");
        size_t n = 0;
        while (n < s.n && is_digit(s.p[n])) n++;
        *digits = (struct str){s.p, n};
        return n >= 1 && n <= 7 && skip_chars(rest(s, n), " ").n == 0;
    }
    return false;
}

/* The optional trunk zero of "+44 (0)20 ...". */
static bool bracketed_zero(struct str s) { return s.n >= 3 && memcmp(s.p, "(0)", 3) == 0; }

/* Digits and separators of ASCII and nothing else, as most numbers are; no zero in front, which may begin an international number. */
static bool take_plain_digits(struct str s, struct digits *out)
{
    enum { OTHER, DIGIT, SEPARATOR };
    static const unsigned char kinds[256] = {
        ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT, ['5'] = DIGIT, ['6'] = DIGIT, ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT,
        [' '] = SEPARATOR, ['-'] = SEPARATOR, ['.'] = SEPARATOR, ['/'] = SEPARATOR, ['('] = SEPARATOR, [')'] = SEPARATOR, ['\t'] = SEPARATOR};
    if (s.n > TYPED_MAX) return false;
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned kind = kinds[(unsigned char)s.p[i]];
        if (kind == OTHER) return false;
        out->d[n] = s.p[i];
        n += kind == DIGIT;
    }
    out->n = n;
    out->plus = false;
    out->extension = (struct str){"", 0};
    return n > 0 && out->d[0] != '0';
}

static bool take_digits(struct str s, struct digits *out)
{
    if (take_plain_digits(s, out)) return true;
    *out = (struct digits){.n = 0};
    while (s.n > 0) {
        size_t sep = separator(s);
        bool international = out->plus || (out->n >= 2 && out->d[0] == '0' && out->d[1] == '0');
        if (international && bracketed_zero(s)) s = rest(s, 3);
        else if (sep > 0) s = rest(s, sep);
        else if (s.p[0] == '+' && out->n == 0 && !out->plus) { out->plus = true; s = rest(s, 1); }
        else if (is_digit(s.p[0])) {
            if (out->n == TYPED_MAX) return false;
            out->d[out->n++] = s.p[0];
            s = rest(s, 1);
        } else return out->n > 0 && is_extension(s, &out->extension);
    }
    return out->n > 0;
}

/* ---- digits to E.164 ---- */

/* Area code and exchange of the North American plan: 2-9 first, no N11, no N9X; area codes 37X and 96X are kept back. */
static bool north_american_number(struct str n)
{
    if (n.n != 10 || n.p[0] < '2' || n.p[3] < '2' || n.p[1] == '9') return false;
    if ((n.p[1] == '1' && n.p[2] == '1') || (n.p[4] == '1' && n.p[5] == '1')) return false;
    return !(n.p[0] == '3' && n.p[1] == '7') && !(n.p[0] == '9' && n.p[1] == '6');
}

static void answer(const struct plan *plan, struct str national, struct scratch *s, struct value *out)
{
    size_t code = 1;
    while (plan->code[code]) code++;
    size_t n = code + national.n;
    if (n < DIGITS_MIN || n > DIGITS_MAX || national.n < 4) return;
    char *p = scratch_take(s, n + 1);
    *p = '+';
    for (size_t i = 0; i < code; i++) p[1 + i] = plan->code[i];
    chars_copy(p + 1 + code, national.p, national.n);
    *out = value_text((struct str){p, n + 1});
}

/* Digits with a calling code in front. */
static void from_international(struct str digits, struct scratch *s, struct value *out)
{
    const struct plan *p = plan_of_digits(digits);
    if (!p) return;
    struct str national = rest(digits, strlen(p->code));
    if (north_american(p) && !north_american_number(national)) return;
    if (str_is(str_of(p->trunk), "0") && national.n > 0 && national.p[0] == '0') national = rest(national, 1);    /* "+44 020 ..." */
    answer(p, national, s, out);
}

/* Without the trunk prefix, if it has one. With a fixed length only a number that is longer by just the prefix has one. */
static struct str without_trunk(const struct plan *p, struct str digits)
{
    if (digits.n == p->digits) return digits;
    for (const char *t = p->trunk; *t;) {
        size_t n = strcspn(t, "|");
        bool fits = p->digits == 0 || digits.n == p->digits + n;
        if (fits && str_starts(digits, (struct str){t, n})) return rest(digits, n);
        t += n + (t[n] == '|');
    }
    return digits;
}

static void from_national(const struct plan *p, struct str digits, struct scratch *s, struct value *out)
{
    struct str national = without_trunk(p, digits);
    if (p->digits != 0 && national.n != p->digits) return;
    if (north_american(p) && !north_american_number(national)) return;
    answer(p, national, s, out);
}

void builtin__phone(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    struct digits typed;
    *out = value_absent;
    if (!value_present(args[0]) || !take_digits(value_str(args[0]), &typed)) return;
    struct str digits = {typed.d, typed.n};
    if (typed.plus) { from_international(digits, s, out); return; }
    const struct plan *p = nargs > 1 && value_present(args[1]) ? plan_of_country(value_str(args[1])) : NULL;
    if (!p) return;
    if (str_starts(digits, STR("00"))) from_international(rest(digits, 2), s, out);
    else if (north_american(p) && str_starts(digits, STR("011"))) from_international(rest(digits, 3), s, out);
    else from_national(p, digits, s, out);
}

/* Whatever the number itself: an extension behind digits. */
void builtin__phone_ext(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    struct digits typed;
    (void)nargs;
    (void)s;
    *out = value_absent;
    if (value_present(args[0]) && take_digits(value_str(args[0]), &typed)) *out = value_text(typed.extension);
}
