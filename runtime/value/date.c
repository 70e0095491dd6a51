/* date.c - days, local date-times and instants as integers; proleptic Gregorian, years 1..9999.
 *
 * A date counts days since 1970-01-01; the calendar is folded onto years that begin in March, so that the leap day is the last day
 * of a year and months have a linear formula. Nothing here knows a time zone: a zone offset is part of the text or there is none. */
#include "value/date.h"
#include "base/check.h"
#include "value/decimal.h"

enum { DAYS_PER_400_YEARS = 146097, DAYS_TO_1970 = 719468 /* from 0000-03-01 */ };
static const int64_t day_ms = INT64_C(86400000);

static bool leap(int y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); }

bool date_from_ymd(int year, int month, int day, int64_t *days)
{
    static const int length[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return false;
    if (day > length[month - 1] + (month == 2 && leap(year))) return false;
    *days = date_days((unsigned)year, (unsigned)month, (unsigned)day);
    return true;
}

void date_to_ymd(int64_t days, int *year, int *month, int *day)
{
    int64_t n = days + DAYS_TO_1970;
    int64_t era = (n >= 0 ? n : n - (DAYS_PER_400_YEARS - 1)) / DAYS_PER_400_YEARS;
    uint32_t in_era = (uint32_t)(n - era * DAYS_PER_400_YEARS);              /* 0..146096 */
    uint32_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    uint32_t day_of_year = in_era - (365 * y + y / 4 - y / 100);
    uint32_t m = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)((int64_t)y + era * 400 + (*month <= 2));
}

bool date_days_valid(int64_t days)
{
    enum { FIRST = -719162 /* 0001-01-01 */, LAST = 2932896 /* 9999-12-31 */ };
    return days >= FIRST && days <= LAST;
}

/* n digits at s.p[at]; -1 when one is no digit or the text ends. */
static int digits(struct str s, size_t at, size_t n)
{
    int v = 0;
    if (at + n > s.n) return -1;
    for (size_t i = at; i < at + n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return -1;
        v = v * 10 + (s.p[i] - '0');
    }
    return v;
}

static bool is_char(struct str s, size_t at, char c) { return at < s.n && s.p[at] == c; }

/* The date at the start of s, with or without hyphens. */
static bool take_date(struct str s, bool hyphens, int64_t *days)
{
    if (hyphens && (!is_char(s, 4, '-') || !is_char(s, 7, '-'))) return false;
    int y = digits(s, 0, 4), m = digits(s, hyphens ? 5 : 4, 2), d = digits(s, hyphens ? 8 : 6, 2);
    return y >= 0 && m >= 0 && d >= 0 && date_from_ymd(y, m, d, days);
}

bool date_parse(struct str s, struct value *out)
{
    int64_t days;
    if (s.n != 8 && s.n != 10) return false;
    if (!take_date(s, s.n == 10, &days)) return false;
    *out = (struct value){.kind = V_DATE, .u.i = days};
    return true;
}

/* ".f" to ".fffffffff" at *at; what is below a millisecond is dropped. No point: 0. */
static bool take_fraction(struct str s, size_t *at, int64_t *ms)
{
    *ms = 0;
    if (!is_char(s, *at, '.')) return true;
    size_t n = 0;
    int64_t weight = 100;
    for (++*at; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; ++*at, n++) {
        *ms += weight * (s.p[*at] - '0');
        weight /= 10;
    }
    return n >= 1 && n <= 9;
}

/* "Z", "+hh:mm", "-hh:mm" up to 14:00, to the end of s; nothing: *zone false. */
static bool take_zone(struct str s, size_t at, bool *zone, int64_t *offset_ms)
{
    *offset_ms = 0;
    *zone = at < s.n;
    if (at == s.n) return true;
    if (s.p[at] == 'Z') return at + 1 == s.n;
    int h = digits(s, at + 1, 2), m = digits(s, at + 4, 2);
    if ((s.p[at] != '+' && s.p[at] != '-') || at + 6 != s.n || !is_char(s, at + 3, ':') || h < 0 || m < 0 || m > 59) return false;
    int64_t minutes = h * 60 + m;
    *offset_ms = (s.p[at] == '-' ? -minutes : minutes) * 60000;
    return minutes <= 14 * 60;
}

bool datetime_parse(struct str s, struct value *out)
{
    int64_t days, ms, offset_ms;
    bool zone;
    if (!take_date(s, true, &days) || !is_char(s, 10, 'T') || !is_char(s, 13, ':') || !is_char(s, 16, ':')) return false;
    int h = digits(s, 11, 2), m = digits(s, 14, 2), sec = digits(s, 17, 2);
    if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 59) return false;    /* no 24:00, no leap second */
    size_t at = 19;
    if (!take_fraction(s, &at, &ms) || !take_zone(s, at, &zone, &offset_ms)) return false;
    int64_t t = days * day_ms + ((h * 60 + m) * 60 + sec) * INT64_C(1000) + ms - offset_ms;
    if (!datetime_ms_valid(t)) return false;
    *out = (struct value){.kind = zone ? V_INSTANT : V_LOCAL, .u.i = t};
    return true;
}

bool sage_time_parse(struct str s, int64_t *ms_of_day)
{
    int64_t hours = 0, e5 = 0, weight = 10000;
    size_t at = 0, decimals = 0;
    for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++) {
        if (at >= 8) return false;
        hours = hours * 10 + (s.p[at] - '0');
    }
    size_t whole = at;
    if (is_char(s, at, '.')) {
        for (at++; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++, decimals++) {
            int d = s.p[at] - '0';
            if (decimals < 5) e5 += weight * d;
            else if (decimals == 5) e5 += d >= 5;               /* half up, by the first digit dropped */
            weight /= 10;
        }
        if (decimals == 0) return false;
    }
    if (at != s.n || (s.n > 0 && whole + decimals == 0)) return false;
    int64_t ms = (hours * 100000 + e5) * 36;                    /* 0.00001 h = 36 ms (facts/sage-100.md 6) */
    if (ms > day_ms) return false;
    *ms_of_day = ms;
    return true;
}

static char *put2(char *p, int v)
{
    memcpy(p, decimal_pair((unsigned)v), 2);
    return p + 2;
}

static char *put_date(char *p, int64_t days)
{
    int y, m, d;
    ASSERT(date_days_valid(days));
    date_to_ymd(days, &y, &m, &d);
    p = put2(put2(p, y / 100), y % 100);
    *p++ = '-';
    p = put2(p, m);
    *p++ = '-';
    return put2(p, d);
}

void date_print(struct buf *out, int64_t days)
{
    put_date(buf_reserve(out, 10), days);
    out->n += 10;
}

size_t datetime_write(char out[DATETIME_BYTES], int64_t ms, bool with_ms)
{
    int64_t days = ms / day_ms, rest = ms % day_ms;
    if (rest < 0) { rest += day_ms; days--; }
    int sec = (int)(rest / 1000), milli = (int)(rest % 1000);
    char *p = put_date(out, days);
    *p++ = 'T';
    p = put2(p, sec / 3600);
    *p++ = ':';
    p = put2(p, sec / 60 % 60);
    *p++ = ':';
    p = put2(p, sec % 60);
    if (with_ms && milli != 0) {
        *p++ = '.';
        *p++ = (char)('0' + milli / 100);
        p = put2(p, milli % 100);
    }
    return (size_t)(p - out);
}

bool datetime_ms_valid(int64_t ms)
{
    int64_t days = ms / day_ms - (ms % day_ms < 0);
    return date_days_valid(days);
}

size_t date_write(char out[10], int64_t days) { return (size_t)(put_date(out, days) - out); }
