/* decimal.c - exact decimal arithmetic on 128-bit coefficients.
 *
 *   value = coef / 10^scale      -10^38 < coef < 10^38      0 <= scale <= 12
 *
 * Every operation is checked with the compiler's overflow builtins; none relies on wrapping. A result that needs more than 38
 * digits or 12 decimals is no result: the checker and the verifier prove that this cannot happen in a mapping. */
#include "value/decimal.h"
#include "base/check.h"
#include "base/limits.h"

__extension__ typedef unsigned __int128 u128;

const char decimal__pairs[200] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

#define E19 UINT64_C(10000000000000000000)

bool i128_add(i128 a, i128 b, i128 *out) { return __builtin_add_overflow(a, b, out); }
bool i128_sub(i128 a, i128 b, i128 *out) { return __builtin_sub_overflow(a, b, out); }
bool i128_mul(i128 a, i128 b, i128 *out) { return __builtin_mul_overflow(a, b, out); }

i128 decimal_pow10(unsigned n)
{
    static const uint64_t small[20] = {
        UINT64_C(1), UINT64_C(10), UINT64_C(100), UINT64_C(1000), UINT64_C(10000), UINT64_C(100000), UINT64_C(1000000), UINT64_C(10000000),
        UINT64_C(100000000), UINT64_C(1000000000), UINT64_C(10000000000), UINT64_C(100000000000), UINT64_C(1000000000000),
        UINT64_C(10000000000000), UINT64_C(100000000000000), UINT64_C(1000000000000000), UINT64_C(10000000000000000),
        UINT64_C(100000000000000000), UINT64_C(1000000000000000000), E19};
    ASSERT(n <= LIMIT_DECIMAL_DIGITS);
    return n < 20 ? (i128)small[n] : (i128)small[19] * (i128)small[n - 19];
}

static bool in_range(i128 c)
{
    if (c == (int64_t)c) return true;
    return c < decimal_pow10(LIMIT_DECIMAL_DIGITS) && c > -decimal_pow10(LIMIT_DECIMAL_DIGITS);
}

static u128 magnitude(i128 c) { return c < 0 ? (u128)0 - (u128)c : (u128)c; }

static bool result(i128 coef, unsigned scale, struct value *out)
{
    if (!in_range(coef) || scale > LIMIT_DECIMAL_SCALE) return false;
    *out = value_decimal(coef, scale);
    return true;
}

/* ---- text ---- */

struct number { u128 coef; unsigned digits, scale; bool negative; };

/* Reads digits into n->coef; leading zeros do not count as digits. False without a digit or above 38. */
static bool take_digits(struct str s, size_t *at, struct number *n)
{
    size_t from = *at;
    for (; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; ++*at) {
        if (n->coef == 0 && s.p[*at] == '0') continue;
        if (++n->digits > LIMIT_DECIMAL_DIGITS) return false;
        n->coef = n->coef * 10 + (unsigned)(s.p[*at] - '0');
    }
    return *at > from;
}

static bool parse_plain(struct str s, size_t *at, size_t *decimals, struct number *n)
{
    *n = (struct number){0};
    *decimals = 0;
    if (*at < s.n && s.p[*at] == '-') { n->negative = true; ++*at; }
    if (!take_digits(s, at, n)) return false;
    if (*at < s.n && s.p[*at] == '.') {
        size_t from = ++*at;
        if (!take_digits(s, at, n)) return false;
        *decimals = *at - from;
    }
    return true;
}

bool decimal_parse(struct str s, struct value *out)
{
    struct number n;
    size_t at = 0, decimals;
    if (!parse_plain(s, &at, &decimals, &n) || at != s.n || decimals > LIMIT_DECIMAL_SCALE) return false;
    return result(n.negative ? -(i128)n.coef : (i128)n.coef, (unsigned)decimals, out);
}

/* The exponent behind 'e': at most 6 digits, more cannot be exact unless the number is zero, which is not worth a rule. */
static bool take_exponent(struct str s, size_t *at, int64_t *out)
{
    bool negative = false;
    if (*at < s.n && (s.p[*at] == '+' || s.p[*at] == '-')) negative = s.p[(*at)++] == '-';
    int64_t v = 0;
    size_t from = *at;
    for (; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; ++*at) {
        if (*at - from >= 6) return false;
        v = v * 10 + (s.p[*at] - '0');
    }
    *out = negative ? -v : v;
    return *at > from;
}

/* Leading zeros are refused ("01"), as JSON does. */
static bool leading_zero(struct str s)
{
    size_t at = s.n > 0 && s.p[0] == '-';
    return s.n >= at + 2 && s.p[at] == '0' && s.p[at + 1] >= '0' && s.p[at + 1] <= '9';
}

bool decimal_parse_json(struct str s, struct value *out)
{
    struct number n;
    size_t at = 0, decimals;
    int64_t exponent = 0;
    if (leading_zero(s) || !parse_plain(s, &at, &decimals, &n) || decimals > 1000) return false;
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        ++at;
        if (!take_exponent(s, &at, &exponent)) return false;
    }
    if (at != s.n) return false;
    int64_t scale = (int64_t)decimals - exponent;          /* number = coef / 10^scale */
    if (n.coef == 0) return result(0, scale < 0 ? 0 : scale > LIMIT_DECIMAL_SCALE ? LIMIT_DECIMAL_SCALE : (unsigned)scale, out);
    for (; scale > LIMIT_DECIMAL_SCALE && n.coef % 10 == 0; scale--) n.coef /= 10;
    for (; scale < 0; scale++) {
        if (n.coef >= (u128)decimal_pow10(LIMIT_DECIMAL_DIGITS - 1)) return false;
        n.coef *= 10;
    }
    if (scale > LIMIT_DECIMAL_SCALE) return false;
    return result(n.negative ? -(i128)n.coef : (i128)n.coef, (unsigned)scale, out);
}

/* How many digits m has; 1 for 0. */
static unsigned digits_of(uint64_t m)
{
    unsigned n = 1;
    for (; m >= 10000; m /= 10000) n += 4;
    return n + (m >= 10) + (m >= 100) + (m >= 1000);
}

/* The last n digits of m in front of end; what is left of m. */
static uint64_t put_digits(char *end, uint64_t m, unsigned n)
{
    for (; n >= 2; n -= 2, m /= 100) {
        end -= 2;
        memcpy(end, decimal_pair((unsigned)(m % 100)), 2);
    }
    if (n == 0) return m;
    end[-1] = (char)('0' + (int)(m % 10));
    return m / 10;
}

/* As below, for the coefficients that nearly all numbers have: division of 128 bits is a function call. */
static size_t write_small(char out[DECIMAL_BYTES], uint64_t m, unsigned scale, bool negative)
{
    unsigned digits = digits_of(m), whole = digits > scale ? digits - scale : 1;
    size_t n = negative + whole + (scale ? 1 + scale : 0);
    out[0] = '-';
    if (scale) {
        m = put_digits(out + n, m, scale);
        out[negative + whole] = '.';
    }
    put_digits(out + negative + whole, m, whole);
    return n;
}

size_t decimal_write(char out[DECIMAL_BYTES], const struct value *v)
{
    char text[DECIMAL_BYTES];
    size_t at = sizeof text;
    u128 m = magnitude(v->u.coef);
    if (m <= UINT64_MAX) return write_small(out, (uint64_t)m, v->scale, v->u.coef < 0);
    for (unsigned i = 0; m != 0 || i <= v->scale; i++) {
        if (i == v->scale && i > 0) text[--at] = '.';
        text[--at] = (char)('0' + (int)(m % 10));
        m /= 10;
    }
    if (v->u.coef < 0) text[--at] = '-';
    memcpy(out, text + at, sizeof text - at);
    return sizeof text - at;
}

void decimal_print(struct buf *out, const struct value *v) { out->n += decimal_write(buf_reserve(out, DECIMAL_BYTES), v); }

/* ---- scale and rounding ---- */

/* Half away from zero of m / 10^k. */
static u128 round_shift(u128 m, unsigned k)
{
    if (m <= UINT64_MAX / 2 && k < 19) {
        uint64_t small = (uint64_t)m, by = (uint64_t)decimal_pow10(k);
        return small / by + (small % by * 2 >= by);
    }
    u128 p = (u128)decimal_pow10(k), q = m / p;
    return (m % p) * 2 >= p ? q + 1 : q;
}

bool decimal__rescale(const struct value *v, unsigned scale, struct value *out)
{
    i128 c;
    if (scale > LIMIT_DECIMAL_SCALE) return false;
    if (scale > v->scale) return !i128_mul(v->u.coef, decimal_pow10(scale - v->scale), &c) && result(c, scale, out);
    i128 p = decimal_pow10(v->scale - scale);
    if (v->u.coef == (int64_t)v->u.coef && p == (int64_t)p) return (int64_t)v->u.coef % (int64_t)p == 0 && result((int64_t)v->u.coef / (int64_t)p, scale, out);
    return v->u.coef % p == 0 && result(v->u.coef / p, scale, out);
}

bool decimal_round(const struct value *v, unsigned n, struct value *out)
{
    if (n >= v->scale) return decimal_rescale(v, n, out);
    i128 c = (i128)round_shift(magnitude(v->u.coef), v->scale - n);
    return result(v->u.coef < 0 ? -c : c, n, out);
}

/* ---- arithmetic ---- */

static bool same_scale(const struct value *a, const struct value *b, struct value *x, struct value *y)
{
    unsigned scale = a->scale > b->scale ? a->scale : b->scale;
    return decimal_rescale(a, scale, x) && decimal_rescale(b, scale, y);
}

bool decimal_add(const struct value *a, const struct value *b, struct value *out)
{
    struct value x, y;
    i128 c;
    if (a->scale == b->scale) return !i128_add(a->u.coef, b->u.coef, &c) && result(c, a->scale, out);
    return same_scale(a, b, &x, &y) && !i128_add(x.u.coef, y.u.coef, &c) && result(c, x.scale, out);
}

bool decimal_sub(const struct value *a, const struct value *b, struct value *out)
{
    struct value x, y;
    i128 c;
    if (a->scale == b->scale) return !i128_sub(a->u.coef, b->u.coef, &c) && result(c, a->scale, out);
    return same_scale(a, b, &x, &y) && !i128_sub(x.u.coef, y.u.coef, &c) && result(c, x.scale, out);
}

bool decimal_mul(const struct value *a, const struct value *b, struct value *out)
{
    i128 c;
    return !i128_mul(a->u.coef, b->u.coef, &c) && result(c, (unsigned)a->scale + b->scale, out);
}

/* The next decimal digit of r / d by adding r ten times: 10 * r itself may need more than 128 bits. r, d < 10^38, so 2 * d fits. */
static unsigned next_digit(u128 *r, u128 d)
{
    unsigned digit = 0;
    u128 rest = 0;
    for (int i = 0; i < 10; i++) {
        rest += *r;
        if (rest >= d) { rest -= d; digit++; }
    }
    *r = rest;
    return digit;
}

bool decimal_div(const struct value *a, const struct value *b, unsigned scale, struct value *out)
{
    if (b->u.coef == 0 || scale > LIMIT_DECIMAL_SCALE) return false;
    u128 d = magnitude(b->u.coef), q = magnitude(a->u.coef) / d, r = magnitude(a->u.coef) % d;
    int more = (int)scale + (int)b->scale - (int)a->scale;      /* digits of the quotient still missing; negative: too many */
    for (; more > 0; more--) {
        if (q >= (u128)decimal_pow10(LIMIT_DECIMAL_DIGITS - 1)) return false;
        q = q * 10 + next_digit(&r, d);
    }
    if (more < 0) q = round_shift(q, (unsigned)-more);           /* what r adds is below one unit of q and cannot reach a half */
    else if (r * 2 >= d) q++;
    if (q >= (u128)decimal_pow10(LIMIT_DECIMAL_DIGITS)) return false;
    return result((a->u.coef < 0) != (b->u.coef < 0) ? -(i128)q : (i128)q, scale, out);
}

int decimal_compare(const struct value *a, const struct value *b)
{
    if (a->scale == b->scale) return (a->u.coef > b->u.coef) - (a->u.coef < b->u.coef);
    const struct value *deep = a->scale >= b->scale ? a : b, *flat = deep == a ? b : a;
    i128 p = decimal_pow10((unsigned)(deep->scale - flat->scale));
    if (flat->u.coef == (int64_t)flat->u.coef) {               /* 64 bits by at most 40: no overflow, no division */
        i128 brought = flat->u.coef * p;
        int d = (deep->u.coef > brought) - (deep->u.coef < brought);
        return deep == a ? d : -d;
    }
    /* Compare whole parts first: bringing both to one scale may need more than 38 digits. */
    i128 whole = deep->u.coef / p, rest = deep->u.coef % p;
    int c = whole != flat->u.coef ? (whole < flat->u.coef ? -1 : 1) : (rest > 0) - (rest < 0);
    return deep == a ? c : -c;
}

void decimal_digits(const struct value *v, unsigned *before, unsigned *behind)
{
    u128 m = magnitude(v->u.coef);
    unsigned decimals = v->scale, whole = 0;
    while (decimals > 0 && m % 10 == 0) { m /= 10; decimals--; }
    *behind = decimals;
    for (m /= (u128)decimal_pow10(decimals); m != 0; m /= 10) whole++;
    *before = whole;
}
