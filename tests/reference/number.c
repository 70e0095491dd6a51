/* number.c - decimals as people learn them at school: strings of digits, one column after the other. */
#include "tests/reference/reference.h"
#include "base/check.h"

struct ref_number ref_number_read(struct str text)
{
    struct ref_number n = {.negative = text.n > 0 && text.p[0] == '-'};
    size_t at = 0;
    bool behind = false;
    for (size_t i = text.n; i-- > (n.negative ? 1u : 0u);) {
        if (text.p[i] == '.') {
            n.scale = (unsigned)at;
            behind = true;
        } else if (text.p[i] != '_') {
            ASSERT(text.p[i] >= '0' && text.p[i] <= '9' && at < REF_DIGITS / 2);
            n.digit[at++] = (unsigned char)(text.p[i] - '0');
        }
    }
    if (!behind) n.scale = 0;
    return n;
}

struct ref_number ref_number_of(i128 coef, unsigned scale)
{
    struct ref_number n = {.negative = coef < 0, .scale = scale};
    for (size_t i = 0; coef != 0; i++, coef /= 10) {
        int d = (int)(coef % 10);
        n.digit[i] = (unsigned char)(d < 0 ? -d : d);
    }
    return n;
}

/* The same number with more decimals. */
static struct ref_number widened(const struct ref_number *a, unsigned scale)
{
    struct ref_number n = {.negative = a->negative, .scale = scale};
    ASSERT(scale >= a->scale && scale - a->scale <= REF_DIGITS / 2);
    for (size_t i = REF_DIGITS; i-- > scale - a->scale;) n.digit[i] = a->digit[i - (scale - a->scale)];
    return n;
}

static int compare_digits(const struct ref_number *a, const struct ref_number *b)
{
    for (size_t i = REF_DIGITS; i-- > 0;)
        if (a->digit[i] != b->digit[i]) return a->digit[i] < b->digit[i] ? -1 : 1;
    return 0;
}

static bool is_zero(const struct ref_number *a)
{
    for (size_t i = 0; i < REF_DIGITS; i++)
        if (a->digit[i]) return false;
    return true;
}

/* a + b or, with a not smaller than b, a - b, of the bare digits. */
static void columns(const struct ref_number *a, const struct ref_number *b, bool minus, struct ref_number *out)
{
    int carry = 0;
    for (size_t i = 0; i < REF_DIGITS; i++) {
        int d = minus ? a->digit[i] - b->digit[i] - carry : a->digit[i] + b->digit[i] + carry;
        carry = minus ? d < 0 : d > 9;
        out->digit[i] = (unsigned char)(minus ? (d + 10) % 10 : d % 10);
    }
    ASSERT(carry == 0);
}

struct ref_number ref_number_add(const struct ref_number *a, const struct ref_number *b)
{
    unsigned scale = a->scale > b->scale ? a->scale : b->scale;
    struct ref_number x = widened(a, scale), y = widened(b, scale), n = {.scale = scale};
    if (x.negative == y.negative) {
        columns(&x, &y, false, &n);
        n.negative = x.negative;
    } else if (compare_digits(&x, &y) >= 0) {
        columns(&x, &y, true, &n);
        n.negative = x.negative;
    } else {
        columns(&y, &x, true, &n);
        n.negative = y.negative;
    }
    return n;
}

struct ref_number ref_number_minus(const struct ref_number *a)
{
    struct ref_number n = *a;
    n.negative = !n.negative;
    return n;
}

struct ref_number ref_number_times(const struct ref_number *a, const struct ref_number *b)
{
    struct ref_number n = {.negative = a->negative != b->negative, .scale = a->scale + b->scale};
    unsigned sum[REF_DIGITS] = {0};
    for (size_t i = 0; i < REF_DIGITS / 2; i++)
        for (size_t k = 0; a->digit[i] && k < REF_DIGITS / 2; k++) sum[i + k] += (unsigned)a->digit[i] * b->digit[k];
    for (size_t i = 0; i + 1 < REF_DIGITS; i++) {
        sum[i + 1] += sum[i] / 10;
        n.digit[i] = (unsigned char)(sum[i] % 10);
    }
    return n;
}

struct ref_number ref_number_round(const struct ref_number *a, unsigned n)
{
    if (n >= a->scale) return *a;
    unsigned drop = a->scale - n;
    struct ref_number cut = {.negative = a->negative, .scale = n}, unit = {.negative = a->negative, .scale = n, .digit = {1}};
    for (size_t i = 0; i + drop < REF_DIGITS; i++) cut.digit[i] = a->digit[i + drop];
    return a->digit[drop - 1] >= 5 ? ref_number_add(&cut, &unit) : cut;
}

/* All digits moved n places up, d put in front of the first. */
static void shift_in(struct ref_number *x, unsigned n, unsigned char d)
{
    for (size_t i = REF_DIGITS; i-- > n;) x->digit[i] = x->digit[i - n];
    for (unsigned i = 0; i < n; i++) x->digit[i] = 0;
    if (n > 0) x->digit[0] = d;
}

/* Long division of A 0..0 by B 0..0, the decimals of both moved into zeros behind. */
bool ref_number_divide(const struct ref_number *a, const struct ref_number *b, unsigned n, struct ref_number *out)
{
    struct ref_number top = {.digit = {0}}, bottom = {.digit = {0}}, rest = {.digit = {0}}, one = {.scale = n, .digit = {1}};
    if (is_zero(b)) return false;
    memcpy(top.digit, a->digit, sizeof top.digit);
    memcpy(bottom.digit, b->digit, sizeof bottom.digit);
    shift_in(&top, b->scale + n, 0);
    shift_in(&bottom, a->scale, 0);
    *out = (struct ref_number){.scale = n};
    for (size_t i = REF_DIGITS; i-- > 0;) {
        shift_in(&rest, 1, top.digit[i]);
        while (compare_digits(&rest, &bottom) >= 0) {
            columns(&rest, &bottom, true, &rest);
            out->digit[i]++;
        }
    }
    columns(&rest, &rest, false, &rest);
    if (compare_digits(&rest, &bottom) >= 0) *out = ref_number_add(out, &one);
    out->negative = a->negative != b->negative;
    return true;
}

int ref_number_compare(const struct ref_number *a, const struct ref_number *b)
{
    struct ref_number minus = ref_number_minus(b), d = ref_number_add(a, &minus);
    return is_zero(&d) ? 0 : d.negative ? -1 : 1;
}

void ref_number_write(struct buf *out, const struct ref_number *a, unsigned scale)
{
    struct ref_number n = widened(a, scale > a->scale ? scale : a->scale);
    size_t top = REF_DIGITS;
    while (top > n.scale + 1 && n.digit[top - 1] == 0) top--;
    if (n.negative && !is_zero(&n)) buf_byte(out, '-');
    for (size_t i = top; i-- > 0;) {
        buf_byte(out, (unsigned char)('0' + n.digit[i]));
        if (i == n.scale && i > 0) buf_byte(out, '.');
    }
}
