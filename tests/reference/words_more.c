/* words_more.c - builtins beyond the first eight, a second time: parts of texts, numbers, the calendar. */
#include "tests/reference/words.h"
#include <stdlib.h>

static const struct ref_value absent = {.kind = REF_ABSENT};

struct ref_value ref__text(struct ref *r, struct str s)
{
    struct ref_value v = {.kind = s.n ? REF_TEXT : REF_ABSENT};
    if (s.n) v.text = (struct str){arena_copy(r->arena, s.p, s.n), s.n};
    return v;
}

static struct ref_value taken(struct ref *r, struct buf *b)
{
    struct ref_value v = ref__text(r, buf_view(b));
    buf_free(b);
    return v;
}

static struct ref_value yes(bool b) { return (struct ref_value){.kind = REF_BOOL, .yes = b}; }
static struct ref_value number(struct ref_number n) { return (struct ref_value){.kind = REF_NUMBER, .number = n}; }
static struct ref_value whole(int64_t n) { return number(ref_number_of(n, 0)); }

int64_t ref__whole(const struct ref_value *v)
{
    int64_t n = 0;
    for (size_t i = REF_DIGITS; i-- > 0;) n = n > 100000000 ? n : n * 10 + v->number.digit[i];      /* far above anything that counts here */
    for (unsigned s = v->number.scale; s > 0; s--) n /= 10;
    return v->number.negative ? -n : n;
}

/* ---- parts of texts ---- */

/* Byte at which character k begins (or the end). */
static size_t place(struct str s, int64_t k)
{
    size_t at = 0;
    while (at < s.n && k > 0) {
        at++;
        while (at < s.n && (s.p[at] & 0xc0) == 0x80) at++;
        k--;
    }
    return at;
}

static struct ref_value left(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)n;
    return ref__text(r, (struct str){a[0].text.p, place(a[0].text, ref__whole(&a[1]))});
}

static struct ref_value right(struct ref *r, const struct ref_value *a, size_t n)
{
    int64_t drop = (int64_t)ref_chars(a[0].text) - ref__whole(&a[1]);
    size_t at = place(a[0].text, drop);
    (void)n;
    return ref__text(r, (struct str){a[0].text.p + at, a[0].text.n - at});
}

static struct ref_value substring(struct ref *r, const struct ref_value *a, size_t n)
{
    size_t from = place(a[0].text, ref__whole(&a[1]) - 1);
    struct str rest = {a[0].text.p + from, a[0].text.n - from};
    (void)n;
    return ref__text(r, (struct str){rest.p, place(rest, ref__whole(&a[2]))});
}

static struct ref_value digits(struct ref *r, const struct ref_value *a, size_t n)
{
    struct buf b = {0};
    (void)n;
    for (size_t i = 0; i < a[0].text.n; i++)
        if (a[0].text.p[i] >= '0' && a[0].text.p[i] <= '9') buf_byte(&b, (unsigned char)a[0].text.p[i]);
    return taken(r, &b);
}

static struct ref_value collapse(struct ref *r, const struct ref_value *a, size_t n)
{
    struct buf b = {0};
    bool gap = false;
    (void)n;
    for (size_t i = 0, k; i < a[0].text.n; i += k) {
        if (ref__blank(ref__char((struct str){a[0].text.p + i, a[0].text.n - i}, &k))) gap = true;
        else {
            if (gap && b.n) buf_byte(&b, ' ');
            gap = false;
            buf_put(&b, a[0].text.p + i, k);
        }
    }
    return taken(r, &b);
}

static bool stands_at(struct str s, size_t at, struct str w)
{
    if (at + w.n > s.n) return false;
    for (size_t i = 0; i < w.n; i++)
        if (s.p[at + i] != w.p[i]) return false;
    return true;
}

static struct ref_value replace(struct ref *r, const struct ref_value *a, size_t n)
{
    struct buf b = {0};
    (void)n;
    for (size_t i = 0; i < a[0].text.n;) {
        if (stands_at(a[0].text, i, a[1].text)) {
            if (a[2].kind == REF_TEXT) buf_str(&b, a[2].text);
            i += a[1].text.n;
        } else buf_byte(&b, (unsigned char)a[0].text.p[i++]);
    }
    return taken(r, &b);
}

static struct ref_value starts_with(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)r;
    (void)n;
    return yes(a[0].kind == REF_TEXT && stands_at(a[0].text, 0, a[1].text));
}

static struct ref_value ends_with(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)r;
    (void)n;
    return yes(a[0].kind == REF_TEXT && a[0].text.n >= a[1].text.n && stands_at(a[0].text, a[0].text.n - a[1].text.n, a[1].text));
}

static struct ref_value contains(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)r;
    (void)n;
    for (size_t i = 0; a[0].kind == REF_TEXT && i < a[0].text.n; i++)
        if (stands_at(a[0].text, i, a[1].text)) return yes(true);
    return yes(false);
}

static struct ref_value pad_left(struct ref *r, const struct ref_value *a, size_t n)
{
    struct buf b = {0};
    (void)n;
    for (int64_t k = ref__whole(&a[1]) - (int64_t)ref_chars(a[0].text); k > 0; k--) buf_str(&b, a[2].text);
    buf_str(&b, a[0].text);
    return taken(r, &b);
}

static struct ref_value part(struct ref *r, const struct ref_value *a, size_t n)
{
    struct str parts[600];
    size_t k = 0, from = 0, i = 0;
    (void)n;
    while (i <= a[0].text.n && k < 599) {
        bool end = i == a[0].text.n, cut = !end && stands_at(a[0].text, i, a[1].text);
        if (end || cut) {
            parts[k++] = (struct str){a[0].text.p + from, i - from};
            from = i + a[1].text.n;
        }
        i = cut ? from : i + 1;
    }
    int64_t want = ref__whole(&a[2]);
    size_t at = want < 0 ? k + (size_t)want : (size_t)want - 1;      /* from the end: -1 is the last */
    return at < k ? ref__text(r, parts[at]) : absent;
}

static struct ref_value join(struct ref *r, const struct ref_value *a, size_t n)
{
    struct buf b = {0};
    for (size_t i = 1; i < n; i++) {
        if (a[i].kind == REF_ABSENT) continue;
        if (b.n) buf_str(&b, a[0].text);
        buf_str(&b, a[i].text);
    }
    return taken(r, &b);
}

static struct ref_value length(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)r;
    (void)n;
    return whole((int64_t)ref_chars(a[0].text));
}

/* ---- numbers ---- */

/* Decimals cut off; away: one more, away from zero, when any of them was not 0. */
static struct ref_value cut(const struct ref_number *a, bool away)
{
    struct ref_number n = {.negative = a->negative}, unit = {.negative = a->negative, .digit = {1}};
    bool rest = false;
    for (unsigned i = 0; i < a->scale; i++) rest |= a->digit[i] != 0;
    for (size_t i = a->scale; i < REF_DIGITS; i++) n.digit[i - a->scale] = a->digit[i];
    return number(away && rest ? ref_number_add(&n, &unit) : n);
}

static struct ref_value lower_whole(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)r;
    (void)n;
    return cut(&a[0].number, a[0].number.negative);
}

static struct ref_value upper_whole(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)r;
    (void)n;
    return cut(&a[0].number, !a[0].number.negative);
}

static struct ref_value without_sign(struct ref *r, const struct ref_value *a, size_t n)
{
    struct ref_value v = a[0];
    (void)r;
    (void)n;
    v.number.negative = false;
    return v;
}

static struct ref_value smallest(struct ref *r, const struct ref_value *a, size_t n)
{
    struct ref_value v = a[0];
    (void)r;
    for (size_t i = 1; i < n; i++)
        if (ref_number_compare(&a[i].number, &v.number) < 0) v = a[i];
    return v;
}

static struct ref_value largest(struct ref *r, const struct ref_value *a, size_t n)
{
    struct ref_value v = a[0];
    (void)r;
    for (size_t i = 1; i < n; i++)
        if (ref_number_compare(&a[i].number, &v.number) > 0) v = a[i];
    return v;
}

static struct ref_value to_text(struct ref *r, const struct ref_value *a, size_t n)
{
    struct buf b = {0};
    unsigned k = (unsigned)ref__whole(&a[1]);
    struct ref_number x = ref_number_round(&a[0].number, k);
    (void)n;
    ref_number_write(&b, &x, k);
    return taken(r, &b);
}

static struct ref_value divide(struct ref *r, const struct ref_value *a, size_t n)
{
    struct ref_value v = {.kind = REF_NUMBER};
    (void)r;
    (void)n;
    return ref_number_divide(&a[0].number, &a[1].number, (unsigned)ref__whole(&a[2]), &v.number) ? v : absent;
}

/* ---- the calendar ---- */

struct ref_day ref__day(struct str s)
{
    struct ref_day d = {0};
    for (int i = 0; i < 4; i++) d.y = d.y * 10 + (s.p[i] - '0');
    d.m = (s.p[5] - '0') * 10 + (s.p[6] - '0');
    d.d = (s.p[8] - '0') * 10 + (s.p[9] - '0');
    return d;
}

int ref__month_days(int y, int m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[m - 1] + (m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0));
}

struct ref_value ref__day_value(struct ref *r, struct ref_day d)
{
    struct ref_value v = {.kind = REF_DAY};
    if (d.y < 1 || d.y > 9999) return absent;
    v.text = str_of(arena_printf(r->arena, "%04d-%02d-%02d", d.y, d.m, d.d));
    return v;
}

/* Days since the first day of the year 1. */
int64_t ref__day_count(struct ref_day d)
{
    int64_t n = d.d - 1;
    for (int m = 1; m < d.m; m++) n += ref__month_days(d.y, m);
    for (int y = 1; y < d.y; y++) n += ref__month_days(y, 2) == 29 ? 366 : 365;
    return n;
}

struct ref_day ref__day_of(int64_t count)
{
    struct ref_day d = {1, 1, 1};
    for (int k; count >= (k = ref__month_days(d.y, 2) == 29 ? 366 : 365); count -= k) d.y++;
    for (int k; count >= (k = ref__month_days(d.y, d.m)); count -= k) d.m++;
    d.d += (int)count;
    return d;
}

static struct ref_value calendar_part(const struct ref_value *a, int which)
{
    struct ref_day d = ref__day(a[0].text);
    return whole(which == 0 ? d.y : which == 1 ? d.m : which == 2 ? d.d : ref__day_count(d) % 7 + 1);       /* 0001-01-01 was a Monday */
}

static struct ref_value year(struct ref *r, const struct ref_value *a, size_t n) { (void)r; (void)n; return calendar_part(a, 0); }
static struct ref_value month(struct ref *r, const struct ref_value *a, size_t n) { (void)r; (void)n; return calendar_part(a, 1); }
static struct ref_value day(struct ref *r, const struct ref_value *a, size_t n) { (void)r; (void)n; return calendar_part(a, 2); }
static struct ref_value weekday(struct ref *r, const struct ref_value *a, size_t n) { (void)r; (void)n; return calendar_part(a, 3); }

static struct ref_value add_days(struct ref *r, const struct ref_value *a, size_t n)
{
    struct ref_day d = ref__day(a[0].text);
    int64_t left_over = ref__day_count(d) + ref__whole(&a[1]);
    (void)n;
    return left_over < 0 || left_over > 3652058 ? absent : ref__day_value(r, ref__day_of(left_over));
}

static struct ref_value add_months(struct ref *r, const struct ref_value *a, size_t n)
{
    struct ref_day d = ref__day(a[0].text);
    int64_t k = ref__whole(&a[1]);
    (void)n;
    if (k > 200000 || k < -200000) return absent;
    for (; k > 0; k--) d.m == 12 ? (d.y++, d.m = 1) : d.m++;
    for (; k < 0; k++) d.m == 1 ? (d.y--, d.m = 12) : d.m--;
    if (d.y >= 1 && d.d > ref__month_days(d.y, d.m)) d.d = ref__month_days(d.y, d.m);
    return ref__day_value(r, d);
}

static struct ref_value month_end(struct ref *r, const struct ref_value *a, size_t n)
{
    struct ref_day d = ref__day(a[0].text);
    (void)n;
    d.d = ref__month_days(d.y, d.m);
    return ref__day_value(r, d);
}

static struct ref_value days_between(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)r;
    (void)n;
    return whole(ref__day_count(ref__day(a[1].text)) - ref__day_count(ref__day(a[0].text)));
}

static struct ref_value first_day(const struct ref_value *a, size_t n, int sign)
{
    struct ref_value v = a[0];
    for (size_t i = 1; i < n; i++)
        if (memcmp(a[i].text.p, v.text.p, 10) * sign < 0) v = a[i];
    return v;
}

static struct ref_value earliest(struct ref *r, const struct ref_value *a, size_t n) { (void)r; return first_day(a, n, 1); }
static struct ref_value latest(struct ref *r, const struct ref_value *a, size_t n) { (void)r; return first_day(a, n, -1); }

static struct ref_value date_of(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)r;
    (void)n;
    return (struct ref_value){.kind = REF_DAY, .text = {a[0].text.p, 10}};
}

static struct ref_value midnight(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)n;
    return (struct ref_value){.kind = REF_WALL, .text = str_of(arena_printf(r->arena, "%.10sT00:00:00.000", a[0].text.p))};
}

const struct ref_word ref__words[] = {
    {"left", left, 0}, {"right", right, 0}, {"substring", substring, 0}, {"digits", digits, 0}, {"collapse", collapse, 0}, {"replace", replace, 4},
    {"starts_with", starts_with, 1}, {"ends_with", ends_with, 1}, {"contains", contains, 1}, {"pad_left", pad_left, 0}, {"part", part, 0},
    {"join", join, ~1u}, {"length", length, 0}, {"floor", lower_whole, 0}, {"ceil", upper_whole, 0}, {"abs", without_sign, 0}, {"min", smallest, 0},
    {"max", largest, 0}, {"to_text", to_text, 0}, {"divide", divide, 0}, {"year", year, 0}, {"month", month, 0}, {"day", day, 0}, {"weekday", weekday, 0},
    {"add_days", add_days, 0}, {"add_months", add_months, 0}, {"month_end", month_end, 0}, {"days_between", days_between, 0}, {"earliest", earliest, 0},
    {"latest", latest, 0}, {"date_of", date_of, 0}, {"midnight", midnight, 0}, {NULL, NULL, 0}};
