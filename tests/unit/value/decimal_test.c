/* decimal_test.c - exact decimals: the edges of 38 digits, rounding of negatives, long division. */
#include "value/decimal.h"
#include "tests/unit/value/ok.h"

#define N37 "9999999999999999999999999999999999999"
#define N38 "99999999999999999999999999999999999999"
#define P37 "10000000000000000000000000000000000000"

static struct value num(const char *s)
{
    struct value v = value_absent;
    if (!decimal_parse(str_of(s), &v)) printf("not ok helper: %s is no decimal\n", s);
    return v;
}

static struct str text_of(struct buf *b, const struct value *v)
{
    buf_clear(b);
    decimal_print(b, v);
    return buf_view(b);
}

static void parsing(void)
{
    static const struct { const char *in, *out; } cases[] = {   /* out NULL: refused */
        {"0", "0"}, {"-0", "0"}, {"-0.00", "0.00"}, {"7", "7"}, {"007", "7"}, {"60000.00", "60000.00"}, {"-1.5", "-1.5"}, {"0.05", "0.05"},
        {"-0.5", "-0.5"}, {N38, N38}, {"-" N38, "-" N38}, {"0.000000000001", "0.000000000001"}, {"00000" N38, N38},
        {"99999999999999999999999999.999999999999", "99999999999999999999999999.999999999999"},
        {"1" N38, NULL}, {"0.0000000000001", NULL}, {"999999999999999999999999999.999999999999", NULL}, {"", NULL}, {"-", NULL}, {".", NULL},
        {".5", NULL}, {"5.", NULL}, {"+5", NULL}, {" 5", NULL}, {"5 ", NULL}, {"1,000", NULL}, {"1e3", NULL}, {"--1", NULL}, {"1-", NULL},
        {"1.2.3", NULL}, {"0x1", NULL}, {"NaN", NULL}, {"\xef\xbc\x91", NULL}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v;
        char name[80];
        snprintf(name, sizeof name, "parse \"%s\"", cases[i].in);
        bool good = decimal_parse(str_of(cases[i].in), &v);
        if (!cases[i].out) ok(!good, name, "accepted");
        else if (ok(good, name, "refused")) ok_text(name, text_of(&b, &v), cases[i].out);
    }
    buf_free(&b);
}

static void json_forms(void)
{
    static const struct { const char *in, *out; } cases[] = {
        {"1e3", "1000"}, {"1.50e1", "15.0"}, {"1.5E-2", "0.015"}, {"-2.5e+0", "-2.5"}, {"0e99999", "0"}, {"0e-999999", "0.000000000000"},
        {"1e37", P37}, {"9.9e37", "99000000000000000000000000000000000000"}, {"1e38", NULL}, {"1e-12", "0.000000000001"}, {"1e-13", NULL},
        {"10e-13", "0.000000000001"}, {"1.0000000000000000000", "1.000000000000"}, {"01", NULL}, {"-01", NULL}, {"1e", NULL}, {"1e+", NULL},
        {"1e1234567", NULL}, {"1e0x", NULL}, {"0.1e1", "1"}, {"1.5e1.0", NULL}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v;
        char name[80];
        snprintf(name, sizeof name, "json number %s", cases[i].in);
        bool good = decimal_parse_json(str_of(cases[i].in), &v);
        if (!cases[i].out) ok(!good, name, "accepted");
        else if (ok(good, name, "refused")) ok_text(name, text_of(&b, &v), cases[i].out);
    }
    buf_free(&b);
}

static void rounding(void)
{
    static const struct { const char *in; unsigned n; const char *out; } cases[] = {
        {"2.345", 2, "2.35"}, {"-2.345", 2, "-2.35"}, {"2.344999", 2, "2.34"}, {"0.5", 0, "1"}, {"-0.5", 0, "-1"}, {"0.49", 0, "0"}, {"-0.49", 0, "0"},
        {"1.5", 0, "2"}, {"2.5", 0, "3"}, {"-2.5", 0, "-3"}, {"9.995", 2, "10.00"}, {"1", 2, "1.00"}, {"0.05", 1, "0.1"}, {"-0.05", 1, "-0.1"},
        {"0.0049", 2, "0.00"}, {"9999999999999999999999999999999999999.9", 0, P37}, {N38, 1, NULL}, {N37, 1, N37 ".0"},
        {"99999999999999999999999999.999999999999", 0, "100000000000000000000000000"}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v = num(cases[i].in), out;
        char name[80];
        snprintf(name, sizeof name, "round(%s, %u)", cases[i].in, cases[i].n);
        bool good = decimal_round(&v, cases[i].n, &out);
        if (!cases[i].out) ok(!good, name, "accepted");
        else if (ok(good, name, "refused")) ok_text(name, text_of(&b, &out), cases[i].out);
    }
    buf_free(&b);
}

static void arithmetic(void)
{
    static const struct { const char *a; char op; const char *b; unsigned scale; const char *out; } cases[] = {
        {"0.1", '+', "0.2", 0, "0.3"}, {"1", '+', "0.05", 0, "1.05"}, {N38, '+', "0", 0, N38}, {N38, '+', "1", 0, NULL}, {"-" N38, '-', "1", 0, NULL},
        {N38, '-', "1", 0, "99999999999999999999999999999999999998"}, {N38, '+', "0.1", 0, NULL}, {"-5", '-', "-7.25", 0, "2.25"},
        {"1.5", '*', "-1.5", 0, "-2.25"}, {"0.000001", '*', "0.000001", 0, "0.000000000001"}, {"0.0000001", '*', "0.000001", 0, NULL},
        {"9999999999999999999", '*', "9999999999999999999", 0, "99999999999999999980000000000000000001"}, {N38, '*', "10", 0, NULL},
        {N38, '*', "-1", 0, "-" N38}, {"1", '/', "3", 4, "0.3333"}, {"2", '/', "3", 4, "0.6667"}, {"-2", '/', "3", 4, "-0.6667"},
        {"1", '/', "8", 2, "0.13"}, {"-1", '/', "8", 2, "-0.13"}, {"1", '/', "0", 2, NULL}, {"0", '/', "5", 3, "0.000"}, {N38, '/', "1", 0, N38},
        {N38, '/', N38, 12, "1.000000000000"}, {"1", '/', N38, 12, "0.000000000000"}, {N38, '/', "0.1", 0, NULL}, {N38, '/', "1", 1, NULL},
        {N37, '/', N38, 12, "0.100000000000"}, {"0.000000000005", '/', "10", 12, "0.000000000001"}, {"15", '/', "10", 0, "2"}, {"-25", '/', "10", 0, "-3"},
        {"1.234567", '/', "1", 2, "1.23"}, {"1.235", '/', "1", 2, "1.24"}, {"0.999999999999", '/', "1", 0, "1"}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value x = num(cases[i].a), y = num(cases[i].b), out;
        char name[120];
        char op = cases[i].op;
        snprintf(name, sizeof name, "%s %c %s", cases[i].a, op, cases[i].b);
        bool good = op == '+' ? decimal_add(&x, &y, &out) : op == '-' ? decimal_sub(&x, &y, &out) : op == '*' ? decimal_mul(&x, &y, &out)
                                                                                                  : decimal_div(&x, &y, cases[i].scale, &out);
        if (!cases[i].out) ok(!good, name, "accepted");
        else if (ok(good, name, "refused")) ok_text(name, text_of(&b, &out), cases[i].out);
    }
    buf_free(&b);
}

static void ordering(void)
{
    static const struct { const char *a, *b; int c; } cases[] = {
        {"1.50", "1.5", 0}, {"0", "-0.00", 0}, {"-1", "1", -1}, {"1.49", "1.5", -1}, {"-1.51", "-1.5", -1}, {N38, "99999999999999999999999999.999999999999", 1},
        {"-" N38, "-0.000000000001", -1}, {"0.000000000001", "0", 1}, {"10", "9.999999999999", 1}, {"-0.5", "0", -1}, {"-0.5", "-1", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value x = num(cases[i].a), y = num(cases[i].b);
        char name[120];
        snprintf(name, sizeof name, "%s against %s", cases[i].a, cases[i].b);
        ok(decimal_compare(&x, &y) == cases[i].c && decimal_compare(&y, &x) == -cases[i].c, name, "got %d", decimal_compare(&x, &y));
    }
}

static void digit_counts(void)
{
    static const struct { const char *in; unsigned before, behind; } cases[] = {
        {"1200.50", 4, 1}, {"0", 0, 0}, {"0.00", 0, 0}, {"0.5", 0, 1}, {"-10.00", 2, 0}, {"0.000000000001", 0, 12}, {N38, 38, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v = num(cases[i].in);
        unsigned before, behind;
        char name[80];
        snprintf(name, sizeof name, "digits of %s", cases[i].in);
        decimal_digits(&v, &before, &behind);
        ok(before == cases[i].before && behind == cases[i].behind, name, "%u + %u", before, behind);
    }
}

/* Laws that hold whatever the numbers: printing and parsing are inverse, a + b - b = a, round is at most half a unit away. */
static void laws(void)
{
    uint64_t seed = 7;
    struct buf b = {0};
    bool round_trip = true, inverse = true, near = true, products = true;
    for (int i = 0; i < 20000; i++) {
        unsigned sa = (unsigned)(ok_random(&seed) % 7), sb = (unsigned)(ok_random(&seed) % 7), n = (unsigned)(ok_random(&seed) % 7);
        i128 ca = (i128)(int64_t)ok_random(&seed) * (int64_t)(ok_random(&seed) % 100000), cb = (int64_t)ok_random(&seed);
        struct value x = value_decimal(ca, sa), y = value_decimal(cb, sb), z, back;
        round_trip &= decimal_parse(text_of(&b, &x), &back) && back.u.coef == x.u.coef && back.scale == x.scale;
        inverse &= decimal_add(&x, &y, &z) && decimal_sub(&z, &y, &back) && decimal_compare(&back, &x) == 0;
        if (decimal_round(&x, n, &z) && decimal_sub(&z, &x, &back)) {
            struct value half = value_decimal(5, n + 1), minus = value_decimal(-5, n + 1);
            near &= decimal_compare(&back, &half) <= 0 && decimal_compare(&back, &minus) >= 0;
        }
        struct value p, q;
        if (decimal_mul(&x, &y, &p) && cb != 0) products &= decimal_div(&p, &y, sa, &q) && decimal_compare(&q, &x) == 0;
    }
    ok(round_trip, "print and parse are inverse", "they are not");
    ok(inverse, "a + b - b is a", "it is not");
    ok(near, "rounding moves by half a unit at most", "it moves further");
    ok(products, "a * b / b is a", "it is not");
    buf_free(&b);
}

int main(void)
{
    parsing();
    json_forms();
    rounding();
    arithmetic();
    ordering();
    digit_counts();
    laws();
    return ok_done();
}
