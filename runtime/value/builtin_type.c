/* builtin_type.c - what the result of a builtin can be, by what its arguments can be: lengths, ranges, decimals, absence.
 *
 * The same function serves the checker, which refuses a spec by it, and the verifier, which refuses a compiled file by it. Every rule is monotone:
 * when an argument's type gets narrower (a constant was folded), the result is accepted still and gets no wider. */
#include "value/builtin.h"
#include "base/check.h"
#include "base/limits.h"
#include "value/date_pattern.h"
#include "value/zone.h"
#include <stdarg.h>
#include <stdio.h>

enum { LAST_YEAR = 9999, CALENDAR_DAYS = 3652058, URL_LEAST = 11, STATE_LEAST = 4, STATE_MOST = 25, EXTENSION_MOST = 7 };

__attribute__((format(printf, 3, 4)))
static bool refuse(const struct builtin_typing *t, size_t arg, const char *fmt, ...)
{
    *t->bad = arg;
    if (t->why == NULL) return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t->why, t->why_len, fmt, ap);
    va_end(ap);
    return false;
}

static bool gives(const struct builtin_typing *t, struct type result, bool optional)
{
    *t->out = result;
    t->out->optional = optional;
    return true;
}

static bool gives_text(const struct builtin_typing *t, uint64_t least, uint64_t most, bool optional)
{
    if (most > LIMIT_TEXT_CHARS) return refuse(t, t->nargs, "can make a text of %llu characters, at most %d allowed", (unsigned long long)most, LIMIT_TEXT_CHARS);
    return gives(t, type_text((uint32_t)least, (uint32_t)most), optional);
}

static bool gives_whole(const struct builtin_typing *t, int64_t lo, int64_t hi)
{
    return gives(t, (struct type){.base = T_DECIMAL, .lo = lo, .hi = hi}, false);
}

static bool gives_plain(const struct builtin_typing *t, enum type_base base, bool optional)
{
    return gives(t, (struct type){.base = (uint8_t)base}, optional);
}

/* The constant n of argument i, within lo..hi. */
static bool constant(const struct builtin_typing *t, size_t i, int64_t lo, int64_t hi, const char *what, int64_t *out)
{
    if (t->args[i].lo < lo || t->args[i].lo > hi) return refuse(t, i, "must be %lld to %lld %s", (long long)lo, (long long)hi, what);
    *out = (int64_t)t->args[i].lo;
    return true;
}

/* ---- texts ---- */

static bool cut(const struct builtin_typing *t)
{
    int64_t n = 0;
    if (!constant(t, 1, 1, LIMIT_TEXT_CHARS, "characters", &n)) return false;
    const struct type *text = &t->args[0];
    if (text->max_len <= n) return gives(t, *text, false);
    return gives_text(t, text->min_len < n ? text->min_len : (uint64_t)n, (uint64_t)n, false);
}

static bool slice(const struct builtin_typing *t)
{
    int64_t from = 0, n = 0;
    const struct type *text = &t->args[0];
    if (!constant(t, 1, 1, LIMIT_TEXT_CHARS, "as a place", &from) || !constant(t, 2, 1, LIMIT_TEXT_CHARS, "characters", &n)) return false;
    uint64_t rest = text->max_len >= from ? text->max_len - (uint64_t)from + 1 : 1;
    uint64_t sure = text->min_len >= from ? text->min_len - (uint64_t)from + 1 : 0;
    return gives_text(t, sure == 0 ? 1 : sure < (uint64_t)n ? sure : (uint64_t)n, rest < (uint64_t)n ? rest : (uint64_t)n, sure == 0);
}

/* lines and join: `gap` characters between two of the arguments from `first` on. */
static bool sum(const struct builtin_typing *t, size_t first, uint64_t gap)
{
    uint64_t longest = gap * (t->nargs - first - 1), shortest = 0, least = UINT32_MAX, required = 0;
    for (size_t i = first; i < t->nargs; i++) {
        longest += t->args[i].max_len;
        if (t->args[i].min_len < least) least = t->args[i].min_len;
        if (t->args[i].optional) continue;
        shortest += t->args[i].min_len + (required > 0 ? gap : 0);
        required++;
    }
    return gives_text(t, required ? shortest : least, longest, required == 0);       /* one argument that is always there makes the result so */
}

/* old has f1..f2 characters, new n1..n2 (0: may be taken out). A text of L characters has at most L / f1 places, and where each of its characters
 * lies in a place it shrinks to no less than L * n1 / f2. */
static bool replace(const struct builtin_typing *t)
{
    const struct type *text = &t->args[0], *old = &t->args[1], *new = &t->args[2];
    uint64_t n1 = new->optional ? 0 : new->min_len, n2 = new->max_len, most = text->max_len, least = text->min_len;
    if (n2 > old->min_len) most += most / old->min_len * (n2 - old->min_len);
    if (n1 < old->max_len) least = (least * n1 + old->max_len - 1) / old->max_len;
    return gives_text(t, least ? least : 1, most, least == 0);
}

static bool pad(const struct builtin_typing *t)
{
    int64_t n = 0;
    if (!constant(t, 1, 1, LIMIT_TEXT_CHARS, "characters", &n)) return false;
    if (t->args[2].max_len != 1) return refuse(t, 2, "must be one character");
    const struct type *text = &t->args[0];
    if (text->min_len >= n) return gives(t, *text, false);
    return gives_text(t, (uint64_t)n, text->max_len > n ? text->max_len : (uint64_t)n, false);
}

static bool some(const struct builtin_typing *t)
{
    if (t->nargs == 3 && t->args[2].lo == 0) return refuse(t, 2, "must count from 1, or from -1 at the end");       /* part */
    return gives_text(t, 1, t->args[0].max_len, true);
}

static bool url(const struct builtin_typing *t)
{
    uint64_t most = (uint64_t)t->args[0].max_len + sizeof "https://" - 1;
    return gives_text(t, URL_LEAST, most < URL_LEAST ? URL_LEAST : most, true);
}

/* ---- numbers ---- */

static bool decimals(const struct builtin_typing *t, size_t i, unsigned *out)
{
    int64_t n = 0;
    if (!constant(t, i, 0, LIMIT_DECIMAL_SCALE, "decimals", &n)) return false;
    *out = (unsigned)n;
    return true;
}

static i128 round_bound(i128 coef, unsigned from, unsigned to)
{
    struct value v = value_decimal(coef, from);
    bool ok = decimal_round(&v, to, &v);                 /* to <= from: cannot grow beyond the type's range by more than a unit */
    ASSERT(ok);
    return v.u.coef;
}

static bool round_to(const struct builtin_typing *t)
{
    unsigned n = 0;
    struct type r = t->args[0];
    if (!decimals(t, 1, &n)) return false;
    if (n < r.scale) {
        r.lo = round_bound(r.lo, r.scale, n);
        r.hi = round_bound(r.hi, r.scale, n);
        r.scale = (uint8_t)n;
    }
    return gives(t, r, false);
}

static i128 whole_below(i128 coef, unsigned scale)
{
    i128 p = decimal_pow10(scale);
    return coef / p - (coef % p < 0);
}

static bool to_whole(const struct builtin_typing *t, bool up)
{
    struct type r = t->args[0];
    r.lo = up ? -whole_below(-r.lo, r.scale) : whole_below(r.lo, r.scale);
    r.hi = up ? -whole_below(-r.hi, r.scale) : whole_below(r.hi, r.scale);
    r.scale = 0;
    return gives(t, r, false);
}

static bool magnitude(const struct builtin_typing *t)
{
    struct type r = t->args[0];
    i128 a = r.lo < 0 ? -r.lo : r.lo, b = r.hi < 0 ? -r.hi : r.hi;
    r.lo = r.lo <= 0 && r.hi >= 0 ? 0 : a < b ? a : b;
    r.hi = a > b ? a : b;
    return gives(t, r, false);
}

/* Both at the larger scale; false when that needs more than 38 digits. */
static bool same_scale(struct type *a, struct type *b)
{
    struct type *low = a->scale < b->scale ? a : b;
    const struct type *high = low == a ? b : a;
    i128 p = decimal_pow10((unsigned)(high->scale - low->scale)), limit = decimal_pow10(LIMIT_DECIMAL_DIGITS);
    if (i128_mul(low->lo, p, &low->lo) || i128_mul(low->hi, p, &low->hi) || low->lo <= -limit || low->hi >= limit) return false;
    low->scale = high->scale;
    return true;
}

static bool extreme(const struct builtin_typing *t, bool most)
{
    struct type r = t->args[0];
    for (size_t i = 1; i < t->nargs; i++) {
        struct type x = t->args[i];
        if (!same_scale(&r, &x)) return refuse(t, i, "must fit the others: brought to the same decimals they need more than 38 digits");
        if (most ? x.lo > r.lo : x.lo < r.lo) r.lo = x.lo;
        if (most ? x.hi > r.hi : x.hi < r.hi) r.hi = x.hi;
    }
    return gives(t, r, false);
}

static bool number(const struct builtin_typing *t)
{
    int64_t digits = 0;
    unsigned n = 0;
    if (!constant(t, 1, 1, LIMIT_DECIMAL_DIGITS, "digits", &digits) || !decimals(t, 2, &n)) return false;
    if (n > digits) return refuse(t, 2, "must be 0 to %lld decimals", (long long)digits);
    return gives(t, type_decimal((unsigned)digits, n), true);
}

static size_t written_length(i128 coef, unsigned scale)
{
    char text[DECIMAL_BYTES];
    struct value v = value_decimal(coef, scale);
    return decimal_write(text, &v);
}

static bool written(const struct builtin_typing *t)
{
    unsigned n = 0;
    const struct type *x = &t->args[0];
    struct value lo = value_decimal(x->lo, x->scale), hi = value_decimal(x->hi, x->scale);
    if (!decimals(t, 1, &n)) return false;
    if (!decimal_round(&lo, n, &lo) || !decimal_round(&hi, n, &hi)) return refuse(t, 1, "must be less: with %u decimals the number can need more than 38 digits", n);
    size_t a = written_length(lo.u.coef, n), b = written_length(hi.u.coef, n);
    i128 near = lo.u.coef > 0 ? lo.u.coef : hi.u.coef < 0 ? hi.u.coef : 0;      /* the one next to 0 is the shortest */
    return gives_text(t, written_length(near, n), a > b ? a : b, false);
}

static i128 far_end(const struct type *x) { return x->hi > -x->lo ? x->hi : -x->lo; }

static bool divide(const struct builtin_typing *t)
{
    unsigned n = 0;
    const struct type *a = &t->args[0], *b = &t->args[1];
    if (!decimals(t, 2, &n)) return false;
    bool zero = b->lo <= 0 && b->hi >= 0;
    i128 least = zero ? 1 : b->lo > 0 ? b->lo : -b->hi;
    struct value top = value_decimal(far_end(a), a->scale), by = value_decimal(least, b->scale), q;
    if (!decimal_div(&top, &by, n, &q)) return refuse(t, 2, "must be less, or the divisor larger: the quotient can need more than 38 digits");
    struct type r = {.base = T_DECIMAL, .scale = (uint8_t)n, .lo = -q.u.coef, .hi = q.u.coef};
    bool not_negative = (a->lo >= 0 && b->lo >= 0) || (a->hi <= 0 && b->hi <= 0), not_positive = (a->lo >= 0 && b->hi <= 0) || (a->hi <= 0 && b->lo >= 0);
    if (not_negative) r.lo = 0;
    if (not_positive) r.hi = 0;
    return gives(t, r, zero);
}

/* ---- dates ---- */

static bool pattern(const struct builtin_typing *t, struct date_pattern *p, bool whole)
{
    *t->bad = 1;
    return date_pattern_parse(t->args[1].set[0], whole, p, t->why, t->why_len);
}

static bool step(const struct builtin_typing *t)
{
    return t->args[1].scale == 0 ? gives_plain(t, T_DATE, true) : refuse(t, 1, "must be a number without decimals");
}

static bool zoned(const struct builtin_typing *t)
{
    struct str name = t->args[1].set[0];
    if (zone_named(name) >= 0) return gives_plain(t, T_INSTANT, true);
    return refuse(t, 1, "must be a time zone of North America, Europe or UTC, by its IANA name, not \"%.*s\"", (int)(name.n < 40 ? name.n : 40), name.p);
}

bool builtin__result(enum builtin_rule rule, const struct builtin_typing *t)
{
    const struct type *x = &t->args[0];
    struct date_pattern p;
    switch (rule) {
    case BUILTIN_RULE_PHONE:     return gives_text(t, 8, 16, true);
    case BUILTIN_RULE_LINES:     return sum(t, 0, 1);
    case BUILTIN_RULE_JOINED:    return sum(t, 1, x->max_len);
    case BUILTIN_RULE_ROUND:     return round_to(t);
    case BUILTIN_RULE_CUT:       return cut(t);
    case BUILTIN_RULE_SAME:      return gives_text(t, x->min_len, x->max_len, false);
    case BUILTIN_RULE_SOME:      return some(t);
    case BUILTIN_RULE_SLICE:     return slice(t);
    case BUILTIN_RULE_REPLACE:   return replace(t);
    case BUILTIN_RULE_YES_NO:    return gives_plain(t, T_BOOL, false);
    case BUILTIN_RULE_PAD:       return pad(t);
    case BUILTIN_RULE_LENGTH:    return gives_whole(t, x->min_len, x->max_len);
    case BUILTIN_RULE_FLOOR:     return to_whole(t, false);
    case BUILTIN_RULE_CEIL:      return to_whole(t, true);
    case BUILTIN_RULE_ABS:       return magnitude(t);
    case BUILTIN_RULE_LEAST:     return extreme(t, false);
    case BUILTIN_RULE_MOST:      return extreme(t, true);
    case BUILTIN_RULE_NUMBER:    return number(t);
    case BUILTIN_RULE_WRITTEN:   return written(t);
    case BUILTIN_RULE_DIVIDE:    return divide(t);
    case BUILTIN_RULE_DATE:      return gives_plain(t, T_DATE, x->base == T_TEXT);
    case BUILTIN_RULE_PATTERN:   return pattern(t, &p, true) && gives_plain(t, T_DATE, true);
    case BUILTIN_RULE_FORMAT:    return pattern(t, &p, false) && gives_text(t, p.least, p.most, false);
    case BUILTIN_RULE_YEAR:      return gives_whole(t, 1, LAST_YEAR);
    case BUILTIN_RULE_MONTH:     return gives_whole(t, 1, 12);
    case BUILTIN_RULE_DAY:       return gives_whole(t, 1, 31);
    case BUILTIN_RULE_WEEKDAY:   return gives_whole(t, 1, 7);
    case BUILTIN_RULE_STEP:      return step(t);
    case BUILTIN_RULE_SPAN:      return gives_whole(t, -CALENDAR_DAYS, CALENDAR_DAYS);
    case BUILTIN_RULE_LOCAL:     return gives_plain(t, T_LOCAL, t->nargs == 2);
    case BUILTIN_RULE_ZONED:     return zoned(t);
    case BUILTIN_RULE_EXTENSION: return gives_text(t, 1, EXTENSION_MOST, true);
    case BUILTIN_RULE_URL:       return url(t);
    case BUILTIN_RULE_POSTCODE:  return gives_text(t, 1, (uint64_t)x->max_len + 1, true);
    case BUILTIN_RULE_STATE:     return gives_text(t, STATE_LEAST, STATE_MOST, true);
    case BUILTIN_RULES:          break;
    }
    check_failed("a builtin without a typing rule", __FILE__, __LINE__);
}

/* ---- room ---- */

uint64_t builtin_scratch(unsigned b, const struct type *args, size_t nargs)
{
    struct type out;
    size_t bad;
    switch (builtin_info(b).rule) {
    case BUILTIN_RULE_CUT: case BUILTIN_RULE_SLICE:
        return 0;                                        /* a part of the argument */
    case BUILTIN_RULE_SOME:
        if (b == BUILTIN_trim || b == BUILTIN_part) return 0;
        return (uint64_t)args[0].max_len * 4;
    case BUILTIN_RULE_PHONE:
        return 16;
    default:
        if (!builtin_type(b, args, nargs, &out, &bad, NULL, 0)) return 0;      /* the verifier refuses it by name */
        return out.base == T_TEXT ? (uint64_t)out.max_len * 4 : 0;
    }
}
