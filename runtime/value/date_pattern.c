/* date_pattern.c - see date_pattern.h. A pattern is parsed each time it is used: it is a few characters, and nothing is kept between rows. */
#include "value/date_pattern.h"
#include "base/check.h"
#include "value/date.h"
#include <stdio.h>

enum { PIVOT = 50 };                                     /* two-digit years from here on belong to the last century */
static const char *const months[12] = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"};

#define WHY(...) (why ? (void)snprintf(why, why_len, __VA_ARGS__) : (void)0)

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static char to_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool letters_known(char kind, size_t n)
{
    return kind == 'Y' ? n == 2 || n == 4 : kind == 'M' ? n <= 4 : n <= 2;
}

/* Characters of a part: least and most. */
static void add_length(struct date_pattern *p, char kind, unsigned letters, size_t chars)
{
    unsigned least = letters, most = letters;
    if (kind == '=') least = most = (unsigned)chars;
    else if (letters == 1) most = 2;
    else if (kind == 'M' && letters == 4) { least = 3; most = 9; }
    p->least += least;
    p->most += most;
}

bool date_pattern_parse(struct str s, bool whole, struct date_pattern *out, char *why, size_t why_len)
{
    unsigned seen[3] = {0};                              /* Y, M, D */
    *out = (struct date_pattern){.nparts = 0};
    if (str_codepoints(s) > DATE_PATTERN_CHARS) { WHY("must be a pattern of at most %d characters", DATE_PATTERN_CHARS); return false; }
    for (size_t at = 0, n; at < s.n; at += n) {
        char c = s.p[at];
        bool text = !is_letter(c);
        for (n = 1; at + n < s.n && (text ? !is_letter(s.p[at + n]) : s.p[at + n] == c);) n++;
        if (!text && ((c != 'Y' && c != 'M' && c != 'D') || !letters_known(c, n))) {
            WHY("must be a pattern of YYYY YY MMMM MMM MM M DD D: %.*s is none of them", (int)(n < 20 ? n : 20), s.p + at);
            return false;
        }
        if (out->nparts == DATE_PATTERN_PARTS) { WHY("must be a pattern of at most %d parts", DATE_PATTERN_PARTS); return false; }
        struct str part = {s.p + at, n};
        out->parts[out->nparts].kind = text ? '=' : c;
        out->parts[out->nparts].letters = (uint8_t)(text ? 0 : n);
        out->parts[out->nparts++].text = part;
        add_length(out, text ? '=' : c, (unsigned)n, str_codepoints(part));
        if (!text) seen[c == 'Y' ? 0 : c == 'M' ? 1 : 2]++;
    }
    if (seen[0] + seen[1] + seen[2] == 0) { WHY("must be a pattern with a part of the date: YYYY, MM, DD"); return false; }
    if (whole && (seen[0] != 1 || seen[1] != 1 || seen[2] != 1)) { WHY("must be a pattern with year, month and day, each once"); return false; }
    return true;
}

static size_t put_number(char *out, int v, unsigned digits)
{
    unsigned n = 1;
    for (int rest = v / 10; rest > 0; rest /= 10) n++;
    if (n < digits) n = digits;
    for (unsigned i = n; i-- > 0; v /= 10) out[i] = (char)('0' + v % 10);
    return n;
}

static size_t put_bytes(char *out, const char *p, size_t n)
{
    memcpy(out, p, n);
    return n;
}

size_t date_pattern_write(const struct date_pattern *p, int64_t days, char *out)
{
    int year, month, day;
    size_t n = 0;
    date_to_ymd(days, &year, &month, &day);
    for (unsigned i = 0; i < p->nparts; i++) {
        unsigned letters = p->parts[i].letters;
        const char *name = months[month - 1];
        switch (p->parts[i].kind) {
        case 'Y': n += put_number(out + n, letters == 2 ? year % 100 : year, letters); break;
        case 'D': n += put_number(out + n, day, letters); break;
        case 'M': n += letters > 2 ? put_bytes(out + n, name, letters == 3 ? 3 : strlen(name)) : put_number(out + n, month, letters); break;
        default:  n += put_bytes(out + n, p->parts[i].text.p, p->parts[i].text.n); break;
        }
    }
    return n;
}

int date_month_named(struct str s, size_t *n)
{
    for (int m = 0; m < 12; m++) {
        size_t same = 0;
        while (same < s.n && months[m][same] && to_lower(s.p[same]) == to_lower(months[m][same])) same++;
        if (same < 3) continue;
        *n = months[m][same] ? 3 : same;                 /* "Mar" or all of it; "Marc" is "Mar" and a c */
        return m + 1;
    }
    return 0;
}

/* Digits at the start of s: exactly `letters`, or one or two for a single letter. */
static bool take_number(struct str *s, unsigned letters, int *out)
{
    unsigned n = 0, most = letters == 1 ? 2 : letters;
    for (*out = 0; n < most && n < s->n && is_digit(s->p[n]); n++) *out = *out * 10 + (s->p[n] - '0');
    *s = (struct str){s->p + n, s->n - n};
    return n >= letters;
}

static bool take_month(struct str *s, unsigned letters, int *out)
{
    size_t n = 0;
    *out = date_month_named(*s, &n);
    if (*out == 0) return false;
    if (letters == 3) n = 3;
    else if (n != strlen(months[*out - 1])) return false;
    *s = (struct str){s->p + n, s->n - n};
    return true;
}

bool date_pattern_read(const struct date_pattern *p, struct str s, int64_t *days)
{
    int year = 0, month = 0, day = 0;
    for (unsigned i = 0; i < p->nparts; i++) {
        unsigned letters = p->parts[i].letters;
        struct str text = p->parts[i].text;
        bool ok;
        switch (p->parts[i].kind) {
        case 'Y': ok = take_number(&s, letters, &year); break;
        case 'D': ok = take_number(&s, letters, &day); break;
        case 'M': ok = letters > 2 ? take_month(&s, letters, &month) : take_number(&s, letters, &month); break;
        default:
            ok = str_starts(s, text);
            if (ok) s = (struct str){s.p + text.n, s.n - text.n};
        }
        if (!ok) return false;
        if (p->parts[i].kind == 'Y' && letters == 2) year += year >= PIVOT ? 1900 : 2000;
    }
    return s.n == 0 && date_from_ymd(year, month, day, days);
}
