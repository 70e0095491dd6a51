/* json_cell.h - the text of one column to its value, for what nearly all values are: printable ASCII, dates as YYYY-MM-DD, decimals of up to 18 digits, flags of
 * one letter. Each reader either gives what type_read gives or false, and then type_read has to.
 *
 * Few branches: whether a value is blank, how long a number is and where its point stands is nothing that a processor could foresee. */
#ifndef VALUE_JSON_CELL_H
#define VALUE_JSON_CELL_H
#include "base/word.h"
#include "value/date.h"
#include "value/type.h"

enum cell_kind { CELL_OTHER, CELL_TEXT, CELL_CHOICE, CELL_DECIMAL, CELL_DATE, CELL_FLAG };
struct cell {
    struct str name;
    const struct type *type;
    uint8_t kind;                    /* enum cell_kind */
    uint8_t scale;
    bool optional;
    char yes, no;
    uint32_t least, most;            /* CELL_TEXT: bytes */
    int64_t lo, hi;                  /* CELL_DECIMAL */
};

static inline struct cell cell_of(struct str name, const struct type *t)
{
    struct cell c = {.name = name, .type = t, .kind = CELL_OTHER, .scale = t->scale, .optional = t->optional};
    switch ((enum type_base)t->base) {
    case T_TEXT:
        c.kind = t->nset ? CELL_CHOICE : CELL_TEXT;
        c.least = t->optional && t->min_len <= 1 ? 0 : t->min_len;      /* 0: blank is a value like any other, absent */
        c.most = t->max_len;
        break;
    case T_DECIMAL:
        if (t->lo < INT64_MIN / 2 || t->hi > INT64_MAX / 2 || t->scale > 9) break;
        c.kind = CELL_DECIMAL;
        c.lo = (int64_t)t->lo;
        c.hi = (int64_t)t->hi;
        break;
    case T_DATE: c.kind = CELL_DATE; break;
    case T_BOOL:
        if (t->yes.n != 1 || t->no.n != 1 || t->yes.p[0] == t->no.p[0]) break;
        c.kind = CELL_FLAG;
        c.yes = t->yes.p[0];
        c.no = t->no.p[0];
        break;
    case T_LOCAL: case T_INSTANT: case T_LINK: case T_LIST: case T_BASE_COUNT: break;
    }
    return c;
}

/* ---- eight digits in one word, the first in the lowest byte ---- */

static inline bool cell__digits(uint64_t w) { return ((w & WORD_EACH(0xf0)) | ((w + WORD_EACH(6)) & WORD_EACH(0xf0)) >> 4) == WORD_EACH(0x33); }
/* Four numbers of two digits, 16 bits each. */
static inline uint64_t cell__pairs(uint64_t w) { return ((w & WORD_EACH(0x0f)) * 2561 >> 8) & UINT64_C(0x00ff00ff00ff00ff); }
static inline uint32_t cell__number(uint64_t w)
{
    w = (cell__pairs(w) * 6553601 >> 16) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(w * UINT64_C(42949672960001) >> 32);
}

/* ---- by kind; s is not empty unless said ---- */

/* s may be empty. */
static inline bool cell__text(const struct cell *c, struct str s, struct value *out)
{
    size_t n = s.n;
    while (n && s.p[n - 1] == ' ') n--;              /* padding */
    if (n < c->least || n > c->most) return false;
    *out = (struct value){.kind = n ? V_TEXT : V_ABSENT, .len = (uint32_t)n, .u.text = s.p};
    return true;
}

static inline bool cell__choice(const struct type *t, struct str s, struct value *out)
{
    for (uint16_t i = 0; i < t->nset && i < 16; i++)
        if (t->set[i].n == s.n && t->set[i].p[0] == s.p[0] && (s.n == 1 || str_eq(t->set[i], s))) {
            *out = (struct value){.kind = V_TEXT, .len = (uint32_t)s.n, .u.text = s.p};
            return true;
        }
    return false;
}

static inline bool cell__scaled(const struct cell *c, int64_t v, size_t decimals, bool negative, struct value *out)
{
    static const int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    int64_t power = powers[c->scale - decimals];
    if (__builtin_mul_overflow(v, negative ? -power : power, &v) || v < c->lo || v > c->hi) return false;
    *out = value_decimal(v, c->scale);
    return true;
}

/* Of any length up to 18, one digit after the other. */
static inline bool cell__long_decimal(const struct cell *c, struct str s, bool negative, struct value *out)
{
    size_t decimals = 0;
    uint64_t v = 0;
    bool point = false;
    if (s.n > 18 || s.p[s.n - 1] == '.' || s.p[0] == '.') return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned)(unsigned char)s.p[i] - '0';
        if (d < 10) {
            v = v * 10 + d;
            decimals += point;
        } else if (s.p[i] == '.' && !point) point = true;
        else return false;
    }
    return decimals <= c->scale && cell__scaled(c, (int64_t)v, decimals, negative, out);
}

/* room: eight bytes may be read up to the text's end. */
static inline bool cell__decimal(const struct cell *c, struct str s, bool room, struct value *out)
{
    bool negative = s.p[0] == '-';
    s.p += negative;
    s.n -= negative;
    if (s.n == 0) return false;
    if (!room || s.n > 8) return cell__long_decimal(c, s, negative, out);
    unsigned before = 64 - 8 * (unsigned)s.n;                             /* bits that are not the number's */
    uint64_t w = word_load(s.p + s.n - 8) >> before << before;
    w |= WORD_EACH('0') & ((UINT64_C(1) << before) - 1);
    uint64_t differ = w ^ WORD_EACH('.'), point = ~(((differ & WORD_EACH(0x7f)) + WORD_EACH(0x7f)) | differ) & WORD_EACH(0x80);
    uint64_t left = point ? point ^ (point - 1) : 0;                      /* up to and with the (first) point: one digit to the right */
    size_t decimals = point ? (63 - (unsigned)__builtin_ctzll(point)) / 8 : 0;
    w = (w & ~left) | ((w << 8 | '0') & left);
    if (!cell__digits(w) || decimals > c->scale || point >> 63 || decimals + 1 == s.n + (point == 0)) return false;
    return cell__scaled(c, cell__number(w), decimals, negative, out);
}

/* The ten bytes in front of `end` as YYYY-MM-DD. No branch: before 1800 (perhaps "no date") and what is none give false. */
static inline bool cell__days(const char *end, int64_t *days)
{
    static const unsigned char length[16] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0};
    const char *p = end - 10;
    uint64_t w = word_load(p), last = (uint64_t)(unsigned char)p[8] | (uint64_t)(unsigned char)p[9] << 8;
    uint64_t digits = (w & UINT64_C(0xffffffff)) | (w >> 40 & 0xffff) << 32 | last << 48, two = cell__pairs(digits);
    unsigned year = (unsigned)(two & 0xff) * 100 + (unsigned)(two >> 16 & 0xff), month = (unsigned)(two >> 32 & 0xff), day = (unsigned)(two >> 48);
    bool leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0));
    unsigned most = length[month & 15] + (unsigned)((month == 2) & leap);
    *days = date_days(year, month, day);
    return ((w & UINT64_C(0xff0000ff00000000)) == UINT64_C(0x2d00002d00000000)) & cell__digits(digits) & (year >= 1800) & (month <= 12) & (day - 1 < most);
}

static inline bool cell__date(struct str s, struct value *out)
{
    int64_t days;
    if (s.n != 10 || !cell__days(s.p + 10, &days)) return false;
    *out = (struct value){.kind = V_DATE, .u.i = days};
    return true;
}
/* The same where a blank is as likely as a date. s may be empty; ten bytes may be read up to its end. */
static inline bool cell__date_or_blank(const struct cell *c, struct str s, struct value *out)
{
    int64_t days;
    bool date = (s.n == 10) & cell__days(s.p + s.n, &days);
    out->head = VALUE_HEAD(V_DATE, 0, 0) & (date ? UINT64_MAX : 0);
    out->u.i = days;
    return date | ((s.n == 0) & c->optional);
}

static inline bool cell__flag(const struct cell *c, struct str s, struct value *out)
{
    if (s.n != 1 || (s.p[0] != c->yes && s.p[0] != c->no)) return false;
    *out = value_bool(s.p[0] == c->yes);
    return true;
}

/* Printable ASCII, the only texts that cell_read is for. */
static inline bool cell_plain(struct str s)
{
    unsigned high = 0, low = 0;
    for (size_t i = 0; i < s.n; i++) {
        high |= (unsigned char)s.p[i];
        low |= (unsigned char)s.p[i] - 0x20u;
    }
    return high < 0x80 && low < 0x80;
}
/* A text of printable ASCII. room: see above. */
static inline bool cell_read(const struct cell *c, struct str s, bool room, struct value *out)
{
    if (c->kind == CELL_TEXT && cell__text(c, s, out)) return true;
    if (s.n == 0) {
        *out = value_absent;
        return c->optional;
    }
    switch ((enum cell_kind)c->kind) {
    case CELL_CHOICE:  return cell__choice(c->type, s, out);
    case CELL_DECIMAL: return cell__decimal(c, s, room, out);
    case CELL_DATE:    return cell__date(s, out);
    case CELL_FLAG:    return cell__flag(c, s, out);
    case CELL_TEXT: case CELL_OTHER: break;
    }
    return false;
}
#endif
