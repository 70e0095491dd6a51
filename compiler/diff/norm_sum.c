/* norm_sum.c - numbers in normal form: sums of products with exact coefficients, and comparisons brought to "a linear form lies in an interval".
 *
 *   2.5 * A - B + 3        TERM_SUM { A: 2.5, B: -1, 1: 3 }, products multiplied out, sorted by the numbers of their terms
 *   A > B + 0.5            A - B > 0.5: TERM_FORM { A: 1, B: -1 } in whole hundredths (the scale of A and B), from 51 up
 *   A > 0.5                A itself is asked
 *
 * Arithmetic of the vm is exact, so every law of numbers holds. What does not fit 128 bits is left to the caller. */
#include "compiler/diff/norm.h"
#include "base/check.h"
#include "value/decimal.h"
#include <stdlib.h>

enum { MAX_MONOS = 64, MAX_DEGREE = 6 };
struct sum { struct mono m[MAX_MONOS]; size_t n; };

struct value norm_number(const struct value *v)
{
    struct value out = value_decimal(v->u.coef, v->scale);
    while (out.scale > 0 && out.u.coef % 10 == 0) {
        out.u.coef /= 10;
        out.scale--;
    }
    return out;
}

static int by_id(const void *a, const void *b)
{
    const struct term *x = *(struct term *const *)a, *y = *(struct term *const *)b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int by_atoms(const struct mono *a, const struct mono *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++)
        if (a->atoms[i] != b->atoms[i]) return a->atoms[i]->id < b->atoms[i]->id ? -1 : 1;
    return a->n < b->n ? -1 : a->n > b->n;
}

static void sum_of(struct norm *u, struct term *t, struct sum *out)
{
    out->n = 1;
    if (t->kind == TERM_CONST) out->m[0] = (struct mono){NULL, 0, t->value};
    else if (t->kind == TERM_SUM) {
        out->n = t->nmonos;
        memcpy(out->m, t->monos, t->nmonos * sizeof *t->monos);
    } else {
        struct term **atoms = ARENA_ARRAY(u->arena, struct term *, 1);
        atoms[0] = t;
        out->m[0] = (struct mono){atoms, 1, value_decimal(1, 0)};
    }
}

/* Adds one product; false when it does not fit. Terms that cancel out go. */
static bool put_mono(struct sum *s, struct mono m)
{
    size_t i = 0;
    while (i < s->n && by_atoms(&s->m[i], &m) < 0) i++;
    if (i < s->n && by_atoms(&s->m[i], &m) == 0) {
        struct value v;
        if (!decimal_add(&s->m[i].coef, &m.coef, &v)) return false;
        s->m[i].coef = norm_number(&v);
        if (v.u.coef == 0) memmove(s->m + i, s->m + i + 1, (--s->n - i) * sizeof *s->m);
        return true;
    }
    if (m.coef.u.coef == 0) return true;
    if (s->n == MAX_MONOS) return false;
    memmove(s->m + i + 1, s->m + i, (s->n++ - i) * sizeof *s->m);
    s->m[i] = m;
    return true;
}

static unsigned mono_scale(const struct mono *m)
{
    unsigned s = m->coef.scale;
    for (size_t i = 0; i < m->n; i++) s += m->atoms[i]->scale;
    return s;
}

static struct term *term_of(struct norm *u, const struct sum *s)
{
    struct value zero = value_decimal(0, 0);
    if (s->n == 0) return norm_const(u, &zero)->term;
    if (s->n == 1 && s->m[0].n == 0) return norm_const(u, &s->m[0].coef)->term;
    if (s->n == 1 && s->m[0].n == 1 && s->m[0].coef.u.coef == 1 && s->m[0].coef.scale == 0) return s->m[0].atoms[0];
    struct term t = {.kind = TERM_SUM, .base = T_DECIMAL, .nmonos = s->n};
    for (size_t i = 0; i < s->n; i++)
        if (mono_scale(&s->m[i]) > t.scale) t.scale = (uint8_t)mono_scale(&s->m[i]);
    t.monos = ARENA_ARRAY(u->arena, struct mono, s->n);
    memcpy(t.monos, s->m, s->n * sizeof *s->m);
    return norm_term(u, &t);
}

static bool sum_add(struct norm *u, struct term *a, struct term *b, bool minus, struct sum *out)
{
    struct sum y;
    struct value zero = value_decimal(0, 0);
    sum_of(u, a, out);
    if (a->kind == TERM_CONST && a->value.u.coef == 0) out->n = 0;
    sum_of(u, b, &y);
    for (size_t i = 0; i < y.n; i++) {
        struct mono m = y.m[i];
        if (minus && !decimal_sub(&zero, &m.coef, &m.coef)) return false;
        if (!put_mono(out, m)) return false;
    }
    return true;
}

struct term *norm_add(struct norm *u, struct term *a, struct term *b, bool minus)
{
    struct sum s;
    if (a->kind == TERM_JUNK || b->kind == TERM_JUNK) return u->junk->term;
    return sum_add(u, a, b, minus, &s) ? term_of(u, &s) : NULL;
}

static bool product(struct norm *u, const struct mono *a, const struct mono *b, struct mono *out)
{
    struct value v;
    if (a->n + b->n > MAX_DEGREE || !decimal_mul(&a->coef, &b->coef, &v)) return false;
    out->coef = norm_number(&v);
    out->n = a->n + b->n;
    out->atoms = ARENA_ARRAY(u->arena, struct term *, out->n + 1);
    if (a->n) memcpy(out->atoms, a->atoms, a->n * sizeof *a->atoms);
    if (b->n) memcpy(out->atoms + a->n, b->atoms, b->n * sizeof *b->atoms);
    qsort(out->atoms, out->n, sizeof *out->atoms, by_id);
    return true;
}

struct term *norm_mul(struct norm *u, struct term *a, struct term *b)
{
    struct sum x, y, s = {.n = 0};
    struct mono m;
    sum_of(u, a, &x);
    sum_of(u, b, &y);
    for (size_t i = 0; i < x.n; i++)
        for (size_t k = 0; k < y.n; k++)
            if (!product(u, &x.m[i], &y.m[k], &m) || !put_mono(&s, m)) return NULL;
    return term_of(u, &s);
}

/* ---- comparisons ---- */

static i128 gcd(i128 a, i128 b)
{
    if (a < 0) a = -a;
    if (b < 0) b = -b;
    while (b) {
        i128 r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* Floor of p / q for q > 0. */
static i128 floor_div(i128 p, i128 q)
{
    i128 d = p / q;
    return p % q < 0 ? d - 1 : d;
}

/* yes where v's whole number lies as op says against p / q. */
static struct dd *interval(struct norm *u, struct term *v, enum norm_order op, i128 p, i128 q)
{
    i128 down = floor_div(p, q);
    bool whole = p % q == 0;
    i128 up = whole ? down : down + 1;
    struct cell c[3] = {{.from = NORM_LOWEST, .to = u->no}};
    size_t n = 1;
    switch (op) {
    case ORDER_EQ:
        if (!whole) return u->no;
        c[n++] = (struct cell){.from = down, .to = u->yes};
        c[n++] = (struct cell){.from = down + 1, .to = u->no};
        break;
    case ORDER_LT: case ORDER_LE:
        c[0].to = u->yes;
        c[n++] = (struct cell){.from = op == ORDER_LT ? up : down + 1, .to = u->no};
        break;
    default: c[n++] = (struct cell){.from = op == ORDER_GT ? down + 1 : up, .to = u->yes}; break;
    }
    return norm_case(u, v, v->maybe ? u->junk : NULL, c, n, NULL);
}

static enum norm_order mirrored(enum norm_order op)
{
    static const enum norm_order other[] = {ORDER_EQ, ORDER_GT, ORDER_GE, ORDER_LT, ORDER_LE};
    return other[op];
}

/* The factors of s brought to whole numbers without a common divisor, the first one positive, as a term; *unit: what s was divided by, over
 * 10^*scale. NULL when it does not fit. */
static struct term *form_of(struct norm *u, const struct sum *s, i128 *unit, unsigned *scale)
{
    struct sum f = {.n = 0};
    i128 g = 0;
    *scale = 0;
    for (size_t i = 0; i < s->n; i++)
        if (mono_scale(&s->m[i]) > *scale) *scale = mono_scale(&s->m[i]);
    for (size_t i = 0; i < s->n; i++) {
        i128 k;
        unsigned up = *scale - mono_scale(&s->m[i]);
        if (up > 30 || i128_mul(s->m[i].coef.u.coef, decimal_pow10(up), &k)) return NULL;
        f.m[f.n] = s->m[i];
        f.m[f.n++].coef = value_decimal(k, 0);
        g = gcd(g, k);
    }
    if (f.m[0].coef.u.coef < 0) g = -g;
    for (size_t i = 0; i < f.n; i++) f.m[i].coef.u.coef /= g;
    *unit = g;
    if (f.n == 1 && f.m[0].n == 1 && f.m[0].coef.u.coef == 1) return f.m[0].atoms[0];
    struct term t = {.kind = TERM_FORM, .base = T_DECIMAL, .nmonos = f.n};
    t.monos = ARENA_ARRAY(u->arena, struct mono, f.n);
    memcpy(t.monos, f.m, f.n * sizeof *f.m);
    return norm_term(u, &t);
}

static struct dd *order_numbers(struct norm *u, enum norm_order op, struct term *a, struct term *b)
{
    struct sum s;
    struct value zero = value_decimal(0, 0), k = zero;
    if (!sum_add(u, a, b, true, &s)) return NULL;
    if (s.n && s.m[0].n == 0) {            /* the constant goes to the other side; it sorts first */
        k = s.m[0].coef;
        memmove(s.m, s.m + 1, --s.n * sizeof *s.m);
    }
    if (s.n == 0) {
        int d = decimal_compare(&k, &zero);
        return (op == ORDER_EQ ? d == 0 : op == ORDER_LT ? d < 0 : op == ORDER_LE ? d <= 0 : op == ORDER_GT ? d > 0 : d >= 0) ? u->yes : u->no;
    }
    i128 unit, p = -k.u.coef, q = 1;
    unsigned scale;
    struct term *v = form_of(u, &s, &unit, &scale);
    if (!v) return NULL;
    if (unit < 0) {
        op = mirrored(op);
        unit = -unit;
        p = -p;
    }
    unsigned up = scale > k.scale ? scale - k.scale : 0, down = k.scale > scale ? k.scale - scale : 0;
    if (up > 36 || i128_mul(p, decimal_pow10(up), &p) || i128_mul(unit, decimal_pow10(down), &q)) return NULL;
    if (p > -NORM_LOWEST / 2 || p < NORM_LOWEST / 2) return NULL;
    return interval(u, v, op, p, q);
}

/* Dates and times count in whole days or milliseconds. */
static struct dd *order_times(struct norm *u, enum norm_order op, struct term *a, struct term *b)
{
    if (a->kind == TERM_CONST && b->kind == TERM_CONST) {
        int64_t x = a->value.u.i, y = b->value.u.i;
        return (op == ORDER_EQ ? x == y : op == ORDER_LT ? x < y : op == ORDER_LE ? x <= y : op == ORDER_GT ? x > y : x >= y) ? u->yes : u->no;
    }
    if (a == b) return op == ORDER_EQ || op == ORDER_LE || op == ORDER_GE ? u->yes : u->no;
    if (b->kind == TERM_CONST) return interval(u, a, op, b->value.u.i, 1);
    if (a->kind == TERM_CONST) return interval(u, b, mirrored(op), a->value.u.i, 1);
    if (a->id > b->id) return order_times(u, mirrored(op), b, a);
    struct mono *m = ARENA_ARRAY(u->arena, struct mono, 2);
    struct term **atoms = ARENA_ARRAY(u->arena, struct term *, 2);
    atoms[0] = a;
    atoms[1] = b;
    m[0] = (struct mono){atoms, 1, value_decimal(1, 0)};
    m[1] = (struct mono){atoms + 1, 1, value_decimal(-1, 0)};
    struct term t = {.kind = TERM_FORM, .base = T_DECIMAL, .monos = m, .nmonos = 2};
    return interval(u, norm_term(u, &t), op, 0, 1);
}

struct dd *norm_order(struct norm *u, enum norm_order op, struct term *a, struct term *b)
{
    if (a->base == T_DECIMAL) return order_numbers(u, op, a, b);
    return order_times(u, op, a, b);
}
