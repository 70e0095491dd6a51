/* types.c - see types.h. Everything works on intervals and lengths; nothing here looks at the AST. */
#include "dsl/types.h"
#include "base/check.h"
#include "base/limits.h"
#include <stdlib.h>

struct ty ty_value(struct type t)
{
    return (struct ty){TY_VALUE, t};
}

struct ty ty_of_kind(enum ty_kind k)
{
    struct ty t = {0};
    t.kind = k;
    return t;
}

struct type types_plain(enum type_base b)
{
    struct type t = {0};
    t.base = (uint8_t)b;
    return t;
}

static int order_str(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

struct type types_of_set(struct arena *a, const struct str *values, size_t n)
{
    ASSERT(n > 0);
    struct str *set = ARENA_ARRAY(a, struct str, n);
    memcpy(set, values, n * sizeof *set);
    qsort(set, n, sizeof *set, order_str);
    size_t k = 1;
    for (size_t i = 1; i < n; i++)
        if (!str_eq(set[i], set[k - 1])) set[k++] = set[i];
    struct type t = types_plain(T_TEXT);
    t.min_len = UINT32_MAX;
    for (size_t i = 0; i < k; i++) {
        uint32_t len = (uint32_t)str_codepoints(set[i]);
        if (len < t.min_len) t.min_len = len;
        if (len > t.max_len) t.max_len = len;
    }
    if (k > TYPES_MAX_SET) return t;
    t.nset = (uint16_t)k;
    t.set = set;
    return t;
}

struct type types_of_value(struct arena *a, const struct value *v)
{
    struct type t = {0};
    switch (v->kind) {
    case V_BOOL: return types_plain(T_BOOL);
    case V_DATE: return types_plain(T_DATE);
    case V_LOCAL: return types_plain(T_LOCAL);
    case V_INSTANT: return types_plain(T_INSTANT);
    case V_DECIMAL:
        t.base = T_DECIMAL;
        t.scale = v->scale;
        t.lo = t.hi = v->u.coef;
        return t;
    case V_TEXT: {
        struct str s = value_str(v);
        return types_of_set(a, &s, 1);
    }
    default:
        check_failed("a constant of a kind that has no type", __FILE__, __LINE__);
    }
}

/* Merges two sorted sets; false when the result would be too large to keep. */
static bool merge_sets(struct arena *a, const struct type *x, const struct type *y, struct type *out)
{
    if (x->nset == 0 || y->nset == 0) return false;
    struct str *set = ARENA_ARRAY(a, struct str, (size_t)x->nset + y->nset);
    size_t i = 0, j = 0, n = 0;
    while (i < x->nset || j < y->nset) {
        int c = i == x->nset ? 1 : j == y->nset ? -1 : str_cmp(x->set[i], y->set[j]);
        set[n++] = c <= 0 ? x->set[i] : y->set[j];
        if (c <= 0) i++;
        if (c >= 0) j++;
    }
    if (n > TYPES_MAX_SET) return false;
    out->nset = (uint16_t)n;
    out->set = set;
    return true;
}

/* Bounds of both at the larger scale. */
static bool align(const struct type *x, const struct type *y, struct type *ax, struct type *ay)
{
    unsigned s = x->scale > y->scale ? x->scale : y->scale;
    *ax = *x;
    *ay = *y;
    for (int i = 0; i < 2; i++) {
        struct type *t = i ? ay : ax;
        i128 p = decimal_pow10(s - t->scale);
        if (i128_mul(t->lo, p, &t->lo) || i128_mul(t->hi, p, &t->hi)) return false;
        t->scale = (uint8_t)s;
    }
    return true;
}

bool types_join(struct arena *a, const struct type *x, const struct type *y, struct type *out)
{
    if (x->base != y->base) return false;
    struct type t = types_plain((enum type_base)x->base);
    t.optional = x->optional || y->optional;
    switch ((enum type_base)x->base) {
    case T_TEXT:
        t.min_len = x->min_len < y->min_len ? x->min_len : y->min_len;
        t.max_len = x->max_len > y->max_len ? x->max_len : y->max_len;
        merge_sets(a, x, y, &t);
        break;
    case T_DECIMAL: {
        struct type ax, ay;
        if (!align(x, y, &ax, &ay)) return false;
        t.scale = ax.scale;
        t.lo = ax.lo < ay.lo ? ax.lo : ay.lo;
        t.hi = ax.hi > ay.hi ? ax.hi : ay.hi;
        break;
    }
    case T_LINK:
        if (x->module != y->module) return false;
        t.module = x->module;
        break;
    default: break;
    }
    *out = t;
    return true;
}

static bool too_wide(const struct type *t)
{
    i128 limit = decimal_pow10(LIMIT_DECIMAL_DIGITS);
    return t->lo <= -limit || t->hi >= limit;
}

static struct type decimal_result(const struct type *x, const struct type *y, unsigned scale)
{
    struct type t = types_plain(T_DECIMAL);
    t.optional = x->optional || y->optional;
    t.scale = (uint8_t)scale;
    return t;
}

enum types_result types_add(const struct type *x, const struct type *y, struct type *out)
{
    struct type ax, ay;
    if (!align(x, y, &ax, &ay)) return TYPES_OVERFLOW;
    struct type t = decimal_result(x, y, ax.scale);
    if (i128_add(ax.lo, ay.lo, &t.lo) || i128_add(ax.hi, ay.hi, &t.hi) || too_wide(&t)) return TYPES_OVERFLOW;
    *out = t;
    return TYPES_OK;
}

enum types_result types_neg(const struct type *x, struct type *out)
{
    struct type t = decimal_result(x, x, x->scale);
    t.lo = -x->hi;      /* bounds are below 10^38, so this cannot overflow */
    t.hi = -x->lo;
    *out = t;
    return TYPES_OK;
}

enum types_result types_sub(const struct type *x, const struct type *y, struct type *out)
{
    struct type n;
    types_neg(y, &n);
    return types_add(x, &n, out);
}

enum types_result types_mul(const struct type *x, const struct type *y, struct type *out)
{
    if (x->scale + y->scale > LIMIT_DECIMAL_SCALE) return TYPES_SCALE;
    struct type t = decimal_result(x, y, (unsigned)(x->scale + y->scale));
    i128 c[4];
    if (i128_mul(x->lo, y->lo, &c[0]) || i128_mul(x->lo, y->hi, &c[1]) || i128_mul(x->hi, y->lo, &c[2]) || i128_mul(x->hi, y->hi, &c[3]))
        return TYPES_OVERFLOW;
    t.lo = t.hi = c[0];
    for (int i = 1; i < 4; i++) {
        if (c[i] < t.lo) t.lo = c[i];
        if (c[i] > t.hi) t.hi = c[i];
    }
    if (too_wide(&t)) return TYPES_OVERFLOW;
    *out = t;
    return TYPES_OK;
}

enum types_result types_round(const struct type *x, unsigned n, struct type *out)
{
    struct type t = decimal_result(x, x, n);
    struct value lo = value_decimal(x->lo, x->scale), hi = value_decimal(x->hi, x->scale), rlo, rhi;
    if (n > LIMIT_DECIMAL_SCALE) return TYPES_SCALE;
    if (!decimal_round(&lo, n, &rlo) || !decimal_round(&hi, n, &rhi)) return TYPES_OVERFLOW;
    t.lo = rlo.u.coef;
    t.hi = rhi.u.coef;
    if (too_wide(&t)) return TYPES_OVERFLOW;
    *out = t;
    return TYPES_OK;
}

/* Characters of a coefficient printed with `scale` decimals, sign included. */
static uint32_t printed_len(i128 coef, unsigned scale)
{
    struct buf b = {0};
    struct value v = value_decimal(coef, scale);
    decimal_print(&b, &v);
    uint32_t n = (uint32_t)b.n;
    buf_free(&b);
    return n;
}

struct type types_as_text(struct arena *a, const struct type *x)
{
    struct type t = types_plain(T_TEXT);
    t.optional = x->optional;
    switch ((enum type_base)x->base) {
    case T_TEXT: return *x;
    case T_BOOL: {
        struct str both[2] = {STR("false"), STR("true")};
        t = types_of_set(a, both, 2);
        t.optional = x->optional;
        return t;
    }
    case T_DECIMAL: {
        uint32_t n1 = printed_len(x->lo, x->scale), n2 = printed_len(x->hi, x->scale);
        uint32_t least = x->scale ? x->scale + 2u : 1u;
        t.min_len = x->lo == x->hi ? n1 : least;
        t.max_len = n1 > n2 ? n1 : n2;
        if (t.max_len < least) t.max_len = least;
        return t;
    }
    case T_DATE: t.min_len = t.max_len = 10; return t;
    default: t.min_len = 10; t.max_len = 32; return t;
    }
}

bool types_concat(const struct type *parts, size_t n, struct type *out)
{
    uint64_t lo = 0, hi = 0;
    struct type t = types_plain(T_TEXT);
    for (size_t i = 0; i < n; i++) {
        lo += parts[i].min_len;
        hi += parts[i].max_len;
        t.optional = t.optional || parts[i].optional;
    }
    if (hi > TYPES_MAX_TEXT) return false;
    t.min_len = (uint32_t)(lo ? lo : 1);
    t.max_len = (uint32_t)(hi ? hi : 1);
    *out = t;
    return true;
}

unsigned types_digits(const struct type *x)
{
    i128 m = x->hi > -x->lo ? x->hi : -x->lo;
    unsigned n = 0;
    while (m > 0) {
        m /= 10;
        n++;
    }
    return n;
}

const char *types_base_name(enum type_base b)
{
    static const char *const names[T_BASE_COUNT] = {"yes/no value", "text", "number", "date", "local date-time", "instant", "link", "list of lines"};
    ASSERT((unsigned)b < T_BASE_COUNT);
    return names[b];
}

const char *types_show(struct arena *a, const struct type *t)
{
    struct buf b = {0};
    type_print(&b, t);
    const char *s = arena_copy(a, b.p ? b.p : "", b.n);
    buf_free(&b);
    return s;
}
