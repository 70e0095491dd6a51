/* words_dates.c - numbers and dates out of texts, dates as texts, wall times and points in time, a second time.
 *
 * Zones: UTC, Berlin and two of the USA, by the rules of their parliaments since 1970; before that their standard time. */
#include "tests/reference/words.h"
#include "base/check.h"

static const struct ref_value absent = {.kind = REF_ABSENT};

static bool figure(char c) { return c >= '0' && c <= '9'; }

/* ---- numbers ---- */

/* "1,234.50" without its commas; false when they do not part thousands. */
static bool plain_number(struct str s, struct buf *out)
{
    size_t dot = 0, commas = 0;
    while (dot < s.n && s.p[dot] != '.') dot++;
    for (size_t i = 0; i < dot; i++) commas += s.p[i] == ',';
    for (size_t i = 0; i < s.n; i++) {
        bool mark = s.p[i] == ',' && i < dot && i > 0 && (dot - i) % 4 == 0;
        if (mark) continue;
        if (commas && i < dot && (dot - i) % 4 == 0) return false;       /* a figure where a mark has to stand */
        if (!figure(s.p[i]) && !(i == dot && dot + 1 < s.n)) return false;
        buf_byte(out, (unsigned char)s.p[i]);
    }
    return out->n > 0;
}

static bool fits(struct ref_number *n, unsigned digits, unsigned decimals)
{
    while (n->scale > 0 && n->digit[0] == 0) {          /* 1.500 is 1.5 */
        memmove(n->digit, n->digit + 1, REF_DIGITS - 1);
        n->digit[REF_DIGITS - 1] = 0;
        n->scale--;
    }
    if (n->scale > decimals) return false;
    for (size_t i = n->scale + digits - decimals; i < REF_DIGITS; i++)
        if (n->digit[i]) return false;
    return true;
}

static struct ref_value to_number(struct ref *r, const struct ref_value *a, size_t n)
{
    struct str s = ref__trimmed(a[0].text);
    struct buf b = {0};
    bool negative = false;
    (void)r;
    (void)n;
    if (s.n > 2 && s.p[0] == '(' && s.p[s.n - 1] == ')') {
        negative = true;
        s = ref__trimmed((struct str){s.p + 1, s.n - 2});
    } else if (s.n > 1 && (s.p[0] == '-' || s.p[0] == '+')) {
        negative = s.p[0] == '-';
        s = ref__trimmed((struct str){s.p + 1, s.n - 1});
    } else if (s.n > 1 && s.p[s.n - 1] == '-') {
        negative = true;
        s = ref__trimmed((struct str){s.p, s.n - 1});
    }
    struct ref_value v = {.kind = REF_NUMBER};
    bool good = plain_number(s, &b) && b.n < REF_DIGITS / 2;
    if (good) v.number = ref_number_read(buf_view(&b));
    v.number.negative = negative;
    good = good && fits(&v.number, (unsigned)ref__whole(&a[1]), (unsigned)ref__whole(&a[2]));
    buf_free(&b);
    return good ? v : absent;
}

/* ---- dates by patterns ---- */

static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"};

/* So many figures, at least `least`. */
static bool figures(struct str s, size_t *at, size_t least, size_t most, int *out)
{
    size_t n = 0;
    *out = 0;
    for (; n < most && *at < s.n && figure(s.p[*at]); n++) *out = *out * 10 + (s.p[(*at)++] - '0');
    return n >= least;
}

static bool month_name(struct str s, size_t *at, bool whole, int *out)
{
    for (int m = 0; m < 12; m++) {
        size_t n = whole ? strlen(months[m]) : 3;
        char name[12] = {0};
        memcpy(name, months[m], n);
        if (*at + n > s.n || !ref__same_word((struct str){s.p + *at, n}, name)) continue;
        *at += n;
        *out = m + 1;
        return true;
    }
    return false;
}

static bool reads(struct str s, struct str pattern, struct ref_day *d)
{
    size_t at = 0;
    *d = (struct ref_day){0, 0, 0};
    for (size_t i = 0, n; i < pattern.n; i += n) {
        char c = pattern.p[i];
        for (n = 1; i + n < pattern.n && pattern.p[i + n] == c && strchr("YMD", c); n++) {}
        bool good = true;
        if (c == 'Y') {
            good = figures(s, &at, n, n, &d->y);
            if (n == 2) d->y += d->y >= 50 ? 1900 : 2000;
        } else if (c == 'M' && n > 2) good = month_name(s, &at, n == 4, &d->m);
        else if (c == 'M') good = figures(s, &at, n, 2, &d->m);
        else if (c == 'D') good = figures(s, &at, n, 2, &d->d);
        else good = at < s.n && s.p[at++] == c;
        if (!good) return false;
    }
    return at == s.n && d->y >= 1 && d->m >= 1 && d->m <= 12 && d->d >= 1 && d->d <= ref__month_days(d->y, d->m);
}

static struct ref_value date_from(struct ref *r, const struct ref_value *a, size_t n)
{
    struct ref_day d;
    (void)n;
    return reads(ref__trimmed(a[0].text), a[1].text, &d) ? ref__day_value(r, d) : absent;
}

/* " 08:30", "T08:30:00" */
static bool clock_time(struct str s)
{
    if ((s.n != 6 && s.n != 9) || (s.p[0] != ' ' && s.p[0] != 'T')) return false;
    for (size_t i = 1; i < s.n; i++)
        if (i % 3 == 0 ? s.p[i] != ':' : !figure(s.p[i])) return false;
    int h = (s.p[1] - '0') * 10 + s.p[2] - '0';
    return h < 24 && s.p[4] < '6' && (s.n == 6 || s.p[7] < '6');
}

static struct ref_value date(struct ref *r, const struct ref_value *a, size_t n)
{
    static const char *const forms[] = {"YYYY-MM-DD", "YYYY/MM/DD", "YYYYMMDD", "D-MMM-YYYY", "D MMM YYYY", "D MMMM YYYY", "MMM D, YYYY", "MMMM D, YYYY", "MMM D YYYY",
                                        "MMMM D YYYY"};
    struct str s = ref__trimmed(a[0].text);
    struct ref_day d;
    (void)n;
    if (s.n > 10 && clock_time((struct str){s.p + 10, s.n - 10})) s.n = 10;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (reads(s, str_of(forms[i]), &d)) return ref__day_value(r, d);
    return absent;
}

static struct ref_value date_text(struct ref *r, const struct ref_value *a, size_t k)
{
    struct ref_day d = ref__day(a[0].text);
    struct buf b = {0};
    (void)k;
    for (size_t i = 0, n; i < a[1].text.n; i += n) {
        char c = a[1].text.p[i];
        for (n = 1; i + n < a[1].text.n && a[1].text.p[i + n] == c && strchr("YMD", c); n++) {}
        if (c == 'Y') buf_printf(&b, n == 4 ? "%04d" : "%02d", n == 4 ? d.y : d.y % 100);
        else if (c == 'M' && n > 2) buf_printf(&b, "%.*s", n == 4 ? 9 : 3, months[d.m - 1]);
        else if (c == 'M') buf_printf(&b, n == 2 ? "%02d" : "%d", d.m);
        else if (c == 'D') buf_printf(&b, n == 2 ? "%02d" : "%d", d.d);
        else buf_byte(&b, (unsigned char)c);
    }
    struct ref_value v = ref__text(r, buf_view(&b));
    buf_free(&b);
    return v;
}

/* ---- wall times and points in time ---- */

/* Seconds since the first second of the year 1; milliseconds stay as they are written. */
static int64_t seconds(struct str s)
{
    int64_t n = ref__day_count(ref__day(s)) * 86400;
    return n + ((s.p[11] - '0') * 10 + s.p[12] - '0') * 3600 + ((s.p[14] - '0') * 10 + s.p[15] - '0') * 60 + (s.p[17] - '0') * 10 + s.p[18] - '0';
}

static struct ref_value moment(struct ref *r, enum ref_kind kind, int64_t s, const char *thousandths)
{
    struct ref_value v = {.kind = kind};
    if (s < 0 || s / 86400 > 3652058) return absent;
    struct ref_day d = ref__day_of(s / 86400);
    int left = (int)(s % 86400);
    v.text = str_of(arena_printf(r->arena, "%04d-%02d-%02dT%02d:%02d:%02d.%.3s", d.y, d.m, d.d, left / 3600, left / 60 % 60, left % 60, thousandths));
    return v;
}

/* Hours and parts of an hour, 0 to 24, as a text of decimals; five of them count (facts/sage-100.md 6). */
static struct ref_value sage_time(struct ref *r, const struct ref_value *a, size_t n)
{
    int64_t at = ref__day_count(ref__day(a[0].text)) * 86400, ms = 0;
    (void)n;
    if (a[1].kind == REF_ABSENT) return moment(r, REF_WALL, at, "000");
    struct str s = ref__trimmed(a[1].text);
    size_t dots = 0;
    if (s.n == 0) return moment(r, REF_WALL, at, "000");
    bool good = s.n < 40 && s.p[s.n - 1] != '.';
    for (size_t i = 0; i < s.n; i++) {
        dots += s.p[i] == '.';
        good &= figure(s.p[i]) || s.p[i] == '.';
    }
    if (!good || dots > 1) return absent;
    struct ref_number written = ref_number_read(s), hours = ref_number_round(&written, 5), day = ref_number_of(24, 0), thousandth = ref_number_of(3600000, 0);
    if (ref_number_compare(&hours, &day) > 0) return absent;
    hours = ref_number_times(&hours, &thousandth);
    for (size_t i = REF_DIGITS; i-- > hours.scale;) ms = ms * 10 + hours.digit[i];
    return moment(r, REF_WALL, at + ms / 1000, arena_printf(r->arena, "%03d", (int)(ms % 1000)));
}

/* The day of a month that is its n-th Sunday, 0 the last one, as seconds. */
static int64_t sunday(int y, int m, int n)
{
    int day = n == 0 ? ref__month_days(y, m) : 1 + (n - 1) * 7;
    for (;; day += n == 0 ? -1 : 1) {
        int64_t count = ref__day_count((struct ref_day){y, m, day});
        if (count % 7 == 6) return count * 86400;       /* 0001-01-01 was a Monday */
    }
}

/* Summer time of the USA, in seconds of standard time: from 2:00 to 2:00 of summer time, which is 1:00. */
static bool american_summer(int64_t standard, int y)
{
    int64_t from, to = sunday(y, 10, 0);
    if (y < 1970) return false;
    if (y == 1974) from = ref__day_count((struct ref_day){1974, 1, 6}) * 86400;
    else if (y == 1975) from = ref__day_count((struct ref_day){1975, 2, 23}) * 86400;
    else from = y < 1987 ? sunday(y, 4, 0) : y < 2007 ? sunday(y, 4, 1) : sunday(y, 3, 2);
    if (y >= 2007) to = sunday(y, 11, 1);
    return standard >= from + 7200 && standard < to + 3600;
}

/* Germany: since 1980, at 1:00 UTC; to the end of September until 1995, then of October. */
static bool german_summer(int64_t utc, int y)
{
    if (y < 1980) return false;
    int64_t from = y == 1980 ? ref__day_count((struct ref_day){1980, 4, 6}) * 86400 : sunday(y, 3, 0), to = sunday(y, y < 1996 ? 9 : 10, 0);
    return utc >= from + 3600 && utc < to + 3600;
}

static bool summer(const char *zone, int64_t utc, int64_t offset)
{
    bool german = strcmp(zone, "Europe/Berlin") == 0;
    int64_t standard = utc + offset;
    if (standard < 0 || standard / 86400 > 3652058) return false;
    int y = ref__day_of(standard / 86400).y;
    return german ? german_summer(utc, y) : american_summer(standard, y);
}

/* Of two points that a clock shows alike the first: the one in summer time; where there is none, the clock that is not put forward yet. */
static struct ref_value instant(struct ref *r, const struct ref_value *a, size_t n)
{
    static const struct { const char *name; int hours; } zones[] = {{"UTC", 0}, {"America/Chicago", -6}, {"America/New_York", -5}, {"Europe/Berlin", 1}};
    size_t z = 0;
    ASSERT(n == 2);
    while (z < 4 && !str_is(a[1].text, zones[z].name)) z++;
    ASSERT(z < 4);
    int64_t wall = seconds(a[0].text), offset = zones[z].hours * 3600, early = wall - offset - 3600;
    if (z > 0 && summer(zones[z].name, early, offset)) return moment(r, REF_POINT, early, a[0].text.p + 20);
    return moment(r, REF_POINT, wall - offset, a[0].text.p + 20);
}

const struct ref_word ref__words_dates[] = {{"to_number", to_number, 0}, {"date", date, 0}, {"date_from", date_from, 0}, {"date_text", date_text, 0},
    {"sage_time", sage_time, 2}, {"instant", instant, 0}, {NULL, NULL, 0}};
