/* text.c - Sage's bytes to protocol text: cp1252 to UTF-8 and back, right-trimmed; numbers and dates in the one form of facts/sage-100.md 9.2. */
#include "agent/private.h"

/* cp1252 0x80 to 0x9f; the five bytes without a meaning stand for the control characters of the same number, as Windows has it. */
static const uint16_t high[32] = {0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
                                  0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178};

void agent__utf8_of(struct buf *out, struct str s)
{
    if (s.n == 0) return;
    char *p = buf_reserve(out, s.n * 3);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned c = (unsigned char)s.p[i];
        if (c >= 0x80 && c < 0xA0) c = high[c - 0x80];
        if (c < 0x80) p[n++] = (char)c;
        else if (c < 0x800) {
            p[n++] = (char)(0xC0 | c >> 6);
            p[n++] = (char)(0x80 | (c & 63));
        } else {
            p[n++] = (char)(0xE0 | c >> 12);
            p[n++] = (char)(0x80 | (c >> 6 & 63));
            p[n++] = (char)(0x80 | (c & 63));
        }
    }
    out->n += n;
}

/* One character of valid UTF-8; 0 length at malformed input. */
static size_t character(struct str s, unsigned *c)
{
    unsigned char b = (unsigned char)s.p[0];
    size_t n = b < 0x80 ? 1 : (b & 0xE0) == 0xC0 ? 2 : (b & 0xF0) == 0xE0 ? 3 : 0;
    if (n == 0 || n > s.n) return 0;
    *c = n == 1 ? b : n == 2 ? b & 31u : b & 15u;
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s.p[i] & 0xC0) != 0x80) return 0;
        *c = *c << 6 | ((unsigned char)s.p[i] & 63u);
    }
    return n;
}

bool agent__cp1252_of(struct buf *out, struct str s)
{
    while (s.n) {
        unsigned c = 0;
        size_t n = character(s, &c);
        if (n == 0) return false;
        if (c >= 0x80 && (c < 0xA0 || c > 0xFF)) {
            unsigned i = 0;
            while (i < 32 && high[i] != c) i++;
            if (i == 32) return false;
            c = 0x80 + i;
        }
        buf_byte(out, (unsigned char)c);
        s.p += n;
        s.n -= n;
    }
    return true;
}

struct str agent__rtrim(struct str s)
{
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\0')) s.n--;
    return s;
}

bool agent__date_given(struct str s)
{
    s = agent__rtrim(s);
    return s.n > 0 && !str_is(s, "17530101");
}

/* ---- numbers ---- */

struct number { bool negative; char digits[64]; size_t n; int point; };   /* value = 0.digits * 10^point */

static bool digits_of(struct str s, struct number *v)
{
    bool seen_point = false, any = false;
    size_t i = 0;
    for (; i < s.n && (s.p[i] == '.' || (s.p[i] >= '0' && s.p[i] <= '9')); i++) {
        if (s.p[i] == '.') {
            if (seen_point) return false;
            seen_point = true;
            continue;
        }
        any = true;
        if (v->n == 0 && s.p[i] == '0' && !seen_point) continue;
        if (v->n == sizeof v->digits) return false;
        v->digits[v->n++] = s.p[i];
        if (!seen_point) v->point++;
    }
    if (!any) return false;
    if (i == s.n) return true;
    if (s.p[i] != 'E' && s.p[i] != 'e') return false;
    int exponent = 0;
    bool minus = i + 1 < s.n && s.p[i + 1] == '-';
    i++;
    if (i < s.n && (s.p[i] == '+' || s.p[i] == '-')) i++;
    if (i == s.n || s.n - i > 2) return false;
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        exponent = exponent * 10 + (s.p[i] - '0');
    }
    v->point += minus ? -exponent : exponent;
    return v->point >= -40 && v->point <= 40;
}

bool agent__number(struct buf *out, struct str s, int scale)
{
    struct number v = {.n = 0};
    s = str_trim(agent__rtrim(s));
    if (s.n == 0) return false;
    struct str body = s;
    if (body.p[0] == '-' || body.p[0] == '+') {
        v.negative = body.p[0] == '-';
        body.p++, body.n--;
    } else if (body.p[body.n - 1] == '-') {     /* the accountants' minus */
        v.negative = true;
        body.n--;
    }
    if (!digits_of(body, &v)) {
        agent__utf8_of(out, s);                 /* no number: the reader shall see it and say so */
        return true;
    }
    int decimals = (int)v.n - v.point;
    while (decimals > scale && v.n && v.digits[v.n - 1] == '0') v.n--, decimals--;
    bool zero = true;
    for (size_t i = 0; i < v.n; i++) zero = zero && v.digits[i] == '0';
    if (v.negative && !zero) buf_byte(out, '-');
    if (v.point <= 0) buf_byte(out, '0');
    for (int i = 0; i < v.point; i++) buf_byte(out, i < (int)v.n ? (unsigned char)v.digits[i] : '0');
    if (decimals < scale) decimals = scale;
    if (decimals > 0) buf_byte(out, '.');
    for (int i = v.point; i < v.point + decimals; i++) buf_byte(out, i >= 0 && i < (int)v.n ? (unsigned char)v.digits[i] : '0');
    return true;
}
