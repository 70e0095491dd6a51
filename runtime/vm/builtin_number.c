/* builtin_number.c - the builtins that compute with numbers, and those between numbers and texts. The typing rules have shown that nothing
 * overflows; so a failure here is a bug of ours. A number may have fewer decimals than its type. */
#include "base/check.h"
#include "base/limits.h"
#include "vm/builtin.h"
#include "vm/chars.h"

/* A number with fewer decimals stays as it is: its scale never grows beyond its type. */
void builtin__round(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    unsigned n = (unsigned)args[1]->u.coef;
    *out = *args[0];
    bool ok = n >= args[0]->scale || decimal_round(args[0], n, out);
    ASSERT(ok);
}

static i128 whole_below(i128 coef, unsigned scale)
{
    i128 p = decimal_pow10(scale);
    return coef / p - (coef % p < 0);
}

void builtin__floor(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = value_decimal(whole_below(args[0]->u.coef, args[0]->scale), 0);
}

void builtin__ceil(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = value_decimal(-whole_below(-args[0]->u.coef, args[0]->scale), 0);
}

void builtin__abs(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = *args[0];
    if (out->u.coef < 0) out->u.coef = -out->u.coef;
}

/* The smallest (sign 1) or largest (sign -1) of the arguments; of equal ones the first. */
static void extreme(const struct value *const *args, size_t nargs, int sign, struct value *out)
{
    *out = *args[0];
    for (size_t i = 1; i < nargs; i++)
        if (value_compare(args[i], out) * sign < 0) *out = *args[i];
}

void builtin__min(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)s;
    extreme(args, nargs, 1, out);
}

void builtin__max(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)s;
    extreme(args, nargs, -1, out);
}

void builtin__divide(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = value_absent;
    if (args[1]->u.coef == 0) return;
    bool ok = decimal_div(args[0], args[1], (unsigned)args[2]->u.coef, out);
    ASSERT(ok);
}

void builtin__to_text(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    struct value v;
    char text[DECIMAL_BYTES];
    bool ok = decimal_round(args[0], (unsigned)args[1]->u.coef, &v);
    ASSERT(ok);
    size_t n = decimal_write(text, &v);
    char *p = scratch_take(s, n);
    memcpy(p, text, n);
    *out = value_text((struct str){p, n});
}

/* ---- text to number ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Takes sign or brackets off: "-5", "+5", "5-", "(5)", one of them. */
static struct str take_sign(struct str s, bool *negative)
{
    *negative = false;
    if (s.n == 0) return s;
    char first = s.p[0], last = s.p[s.n - 1];
    if (first == '-' || first == '+') {
        *negative = first == '-';
        return chars_trim(str_behind(s, 1));
    }
    bool brackets = first == '(' && last == ')';
    *negative = brackets || last == '-';
    if (*negative) s.n--;
    return chars_trim(brackets ? str_behind(s, 1) : s);
}

/* Digits, one point, commas in front of each three digits before the point or nowhere. Leading zeros do not count as digits. */
static bool take_number(struct str s, struct value *out)
{
    i128 coef = 0;
    size_t digits = 0, group = 0, scale = 0, significant = 0;
    bool point = false, commas = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ',') {
            if (point || group == 0 || group > 3 || (commas && group != 3)) return false;
            commas = true;
            group = 0;
        } else if (c == '.') {
            if (point || (commas && group != 3)) return false;
            point = true;
        } else if (is_digit(c)) {
            if (significant > 0 || c != '0') significant++;
            if (significant > LIMIT_DECIMAL_DIGITS) return false;
            coef = coef * 10 + (c - '0');
            digits++;
            if (point) scale++;
            else group++;
        } else return false;
    }
    if (digits == 0 || (commas && !point && group != 3) || (point && scale == 0) || scale > LIMIT_DECIMAL_SCALE) return false;
    *out = value_decimal(coef, (unsigned)scale);
    return true;
}

void builtin__to_number(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    struct value v;
    bool negative;
    struct type t = type_decimal((unsigned)args[1]->u.coef, (unsigned)args[2]->u.coef);
    *out = value_absent;
    if (!take_number(take_sign(chars_trim(value_str(args[0])), &negative), &v)) return;
    if (negative) v.u.coef = -v.u.coef;
    if (type_admits(&t, &v, NULL, 0) && !decimal_rescale(&v, t.scale, out)) *out = value_absent;
}
