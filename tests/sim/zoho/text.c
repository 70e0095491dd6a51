/*
 * text.c: growing text, UTF-8 as code points, simple case folding, dates and times without the C library's time zone.
 */
#include "zoho_room.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void *zsim__must(void *p)
{
    if (!p) {
        fputs("zoho sim: out of memory\n", stderr);
        abort();
    }
    return p;
}

char *zsim__copy(const char *s)
{
    return zsim__must(strdup(s));
}

static void reserve(struct zsim_text *t, size_t more)
{
    if (t->len + more + 1 <= t->cap)
        return;
    size_t cap = t->cap ? t->cap * 2 : 64;
    while (cap < t->len + more + 1)
        cap *= 2;
    t->at = zsim__must(realloc(t->at, cap));
    t->cap = cap;
}

void zsim__add(struct zsim_text *t, const char *bytes, size_t len)
{
    reserve(t, len);
    if (len)
        memcpy(t->at + t->len, bytes, len);
    t->len += len;
    t->at[t->len] = '\0';
}

void zsim__str(struct zsim_text *t, const char *s)
{
    zsim__add(t, s, strlen(s));
}

void zsim__fmt(struct zsim_text *t, const char *format, ...)
{
    va_list args;
    for (size_t more = 120;;) {
        reserve(t, more);
        va_start(args, format);
        int n = vsnprintf(t->at + t->len, t->cap - t->len, format, args);
        va_end(args);
        if ((size_t)n < t->cap - t->len) {
            t->len += (size_t)n;
            return;
        }
        more = (size_t)n;
    }
}

void zsim__quoted(struct zsim_text *t, const char *bytes, size_t len)
{
    zsim__add(t, "\"", 1);
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        zsim__add(t, bytes + start, i - start);
        if (c == '"' || c == '\\')
            zsim__fmt(t, "\\%c", c);
        else
            zsim__fmt(t, "\\u%04x", c);
        start = i + 1;
    }
    zsim__add(t, bytes + start, len - start);
    zsim__add(t, "\"", 1);
}

void zsim__text_free(struct zsim_text *t)
{
    free(t->at);
    *t = (struct zsim_text){0};
}

// The input is valid UTF-8 (jansson refuses anything else); a stray byte counts as itself.
static uint32_t next_point(const unsigned char *p, size_t len, size_t *at)
{
    uint32_t c = p[(*at)++];
    int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;
    if (more)
        c &= 0x3Fu >> more;
    for (; more && *at < len && (p[*at] & 0xC0) == 0x80; more--)
        c = c << 6 | (p[(*at)++] & 0x3Fu);
    return c;
}

size_t zsim__code_points(const char *bytes, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += (bytes[i] & 0xC0) != 0x80;
    return n;
}

size_t zsim__prefix_of_points(const char *bytes, size_t len, size_t points)
{
    size_t at = 0;
    while (at < len && points--)
        next_point((const unsigned char *)bytes, len, &at);
    return at;
}

// Latin, Greek and Cyrillic: what names of companies in the test data use.
static uint32_t fold_point(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) ||
        (c >= 0x410 && c <= 0x42F))
        return c + 32;
    if (c >= 0x400 && c <= 0x40F)
        return c + 80;
    if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177))
        return c | 1;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
        return c & 1 ? c + 1 : c;
    return c;
}

uint64_t zsim__hash(const char *bytes, size_t len, bool fold)
{
    uint64_t h = 1469598103934665603u;
    for (size_t at = 0; at < len;) {
        uint32_t c = next_point((const unsigned char *)bytes, len, &at);
        h = (h ^ (fold ? fold_point(c) : c)) * 1099511628211u;
    }
    h ^= h >> 32;
    return h * 0x9E3779B97F4A7C15u;
}

int zsim__compare(const char *a, size_t alen, const char *b, size_t blen, bool fold)
{
    size_t i = 0, k = 0;
    while (i < alen && k < blen) {
        uint32_t x = next_point((const unsigned char *)a, alen, &i);
        uint32_t y = next_point((const unsigned char *)b, blen, &k);
        if (fold) {
            x = fold_point(x);
            y = fold_point(y);
        }
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (i < alen) - (k < blen);
}

bool zsim__contains(const char *hay, size_t hlen, const char *needle, size_t nlen, bool at_start)
{
    size_t points = zsim__code_points(needle, nlen);
    for (size_t at = 0;;) {
        size_t n = zsim__prefix_of_points(hay + at, hlen - at, points);
        if (zsim__compare(hay + at, n, needle, nlen, true) == 0)
            return true;
        if (at_start || at >= hlen)
            return false;
        next_point((const unsigned char *)hay, hlen, &at);
    }
}

// Days since 1970-01-01 in the proleptic Gregorian calendar, from counts of 400-year eras that begin in March.
static int64_t days_of(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool digits(const char *s, int n, int *out)
{
    *out = 0;
    for (int i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        *out = *out * 10 + (s[i] - '0');
    }
    return true;
}

static bool parse_day(const char *s, int64_t *days)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y, m, d;
    if (!digits(s, 4, &y) || s[4] != '-' || !digits(s + 5, 2, &m) || s[7] != '-' || !digits(s + 8, 2, &d))
        return false;
    if (m < 1 || m > 12 || d < 1)
        return false;
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (d > month_days[m - 1] + (m == 2 && leap))
        return false;
    *days = days_of(y, m, d);
    return true;
}

bool zsim__parse_date(const char *s, int64_t *days)
{
    return strlen(s) == 10 && parse_day(s, days);
}

bool zsim__parse_datetime(const char *s, int64_t *ms)
{
    int64_t days;
    int h, m, sec, oh, om;
    if (strlen(s) < 20 || !parse_day(s, &days) || s[10] != 'T')
        return false;
    if (!digits(s + 11, 2, &h) || s[13] != ':' || !digits(s + 14, 2, &m) || s[16] != ':' || !digits(s + 17, 2, &sec))
        return false;
    if (h > 23 || m > 59 || sec > 59)
        return false;
    int64_t at = ((days * 24 + h) * 60 + m) * 60 + sec;
    if (strcmp(s + 19, "Z") != 0) {
        if ((s[19] != '+' && s[19] != '-') || strlen(s) != 25 || !digits(s + 20, 2, &oh) || s[22] != ':' ||
            !digits(s + 23, 2, &om) || oh > 14 || om > 59)
            return false;
        at -= (s[19] == '-' ? -1 : 1) * (oh * 60 + om) * 60;
    }
    *ms = at * 1000;
    return true;
}

void zsim__format_datetime(int64_t ms, int offset_minutes, char out[32])
{
    int64_t sec = (ms >= 0 ? ms : ms - 999) / 1000 + (int64_t)offset_minutes * 60;
    int64_t days = (sec >= 0 ? sec : sec - 86399) / 86400, rest = sec - days * 86400;
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int day = (int)(doy - (153 * mp + 2) / 5 + 1), month = (int)(mp < 10 ? mp + 3 : mp - 9);
    int year = (int)(yoe + era * 400 + (month <= 2));
    int off = offset_minutes < 0 ? -offset_minutes : offset_minutes;
    snprintf(out, 32, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", year % 10000, month, day, (int)(rest / 3600) % 24,
             (int)(rest / 60 % 60), (int)(rest % 60), offset_minutes < 0 ? '-' : '+', off / 60 % 24, off % 60);
}

bool zsim__parse_u64(const char *s, uint64_t *out)
{
    char *end;
    if (*s < '0' || *s > '9' || strlen(s) > 19)
        return false;
    errno = 0;
    *out = strtoull(s, &end, 10);
    return errno == 0 && *end == '\0';
}
