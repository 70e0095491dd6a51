/* builtin_place.c - postcodes of the USA and Canada in their usual form, and the names of their states and provinces (state.def). */
#include "vm/builtin.h"
#include "vm/chars.h"

enum country { OTHER, USA, CAN, UNKNOWN };

static enum country country_of(const struct value *v)
{
    if (!value_present(v)) return UNKNOWN;
    struct str code = chars_trim(value_str(v));
    if (str_ieq(code, STR("US")) || str_ieq(code, STR("USA"))) return USA;
    return str_ieq(code, STR("CA")) || str_ieq(code, STR("CAN")) ? CAN : OTHER;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static char to_upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 32) : c; }

/* Letters and digits of the text, capitals, without blanks and hyphens; 0 when there is something else or too much. */
static size_t plain(struct str s, char *out, size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = to_upper(s.p[i]);
        if (c == ' ' || c == '-') continue;
        if (n == most || !(is_digit(c) || (c >= 'A' && c <= 'Z'))) return 0;
        out[n++] = c;
    }
    return n;
}

static bool like(const char *code, const char *shape)
{
    for (; *shape; shape++, code++)
        if (*shape == '0' ? !is_digit(*code) : is_digit(*code)) return false;
    return true;
}

/* The two halves with a sign between; the second may be empty. */
static void halves(const char *code, size_t first, size_t second, char gap, struct scratch *s, struct value *out)
{
    size_t n = first + (second ? second + 1 : 0);
    char *p = scratch_take(s, n);
    memcpy(p, code, first);
    if (second) {
        p[first] = gap;
        memcpy(p + first + 1, code + first, second);
    }
    *out = value_text((struct str){p, n});
}

void builtin__postcode(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    char code[9];
    *out = value_absent;
    if (!value_present(args[0])) return;
    struct str text = value_str(args[0]);
    enum country country = country_of(args[1]);
    if (country == USA) {
        size_t n = plain(text, code, sizeof code);
        if ((n == 5 && like(code, "00000")) || (n == 9 && like(code, "000000000"))) halves(code, 5, n - 5, '-', s, out);
    } else if (country == CAN) {
        if (plain(text, code, sizeof code) == 6 && like(code, "A0A0A0")) halves(code, 3, 3, ' ', s, out);
    } else {
        char *p = scratch_take(s, text.n);
        size_t n = chars_collapse(text, p);
        for (size_t i = 0; i < n; i++) p[i] = to_upper(p[i]);
        *out = value_text((struct str){p, n});
    }
}

void builtin__state_name(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    static const struct { const char *code, *name; enum country country; } states[] = {
#define STATE(code, country, name) {code, name, country},
#include "vm/state.def"
#undef STATE
    };
    *out = value_absent;
    if (!value_present(args[0])) return;
    struct str code = chars_trim(value_str(args[0]));
    enum country country = country_of(args[1]);
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (!str_ieq(code, str_of(states[i].code)) || (country != UNKNOWN && country != states[i].country)) continue;
        *out = value_text(str_of(states[i].name));
        return;
    }
}
