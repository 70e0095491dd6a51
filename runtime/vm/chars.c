/* chars.c - see chars.h. Case comes from case.def, searched by its ranges; ASCII is answered in the header. */
#include "vm/chars.h"
#include "base/check.h"

enum case_kind { SHIFT, PAIRS, UP, DOWN };
static const struct { uint8_t kind; uint16_t first, last; int16_t by; } cases[] = {
#define CASE_SHIFT(first, last, by) {SHIFT, first, last, by},
#define CASE_PAIRS(first, last) {PAIRS, first, last, 1},
#define CASE_UP(small, capital) {UP, small, capital, 0},
#define CASE_DOWN(capital, small) {DOWN, capital, small, 0},
#include "vm/case.def"
#undef CASE_SHIFT
#undef CASE_PAIRS
#undef CASE_UP
#undef CASE_DOWN
};
enum { NCASES = sizeof cases / sizeof *cases, CASE_END = 0x1f00 };

uint32_t char__at(struct str s, size_t *bytes)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    ASSERT(s.n >= n);
    *bytes = n;
    if (n == 1) return p[0];
    uint32_t c = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) c = c << 6 | (p[i] & 0x3fu);
    return c;
}

size_t char__put(char *out, uint32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xf0u) | c);
    return n;
}

uint32_t char__upper(uint32_t c)
{
    for (size_t i = 0; i < NCASES && c < CASE_END; i++) {
        uint32_t first = cases[i].first, last = cases[i].last;
        switch ((enum case_kind)cases[i].kind) {
        case SHIFT:
            if ((int64_t)c - cases[i].by >= first && (int64_t)c - cases[i].by <= last) return (uint32_t)((int64_t)c - cases[i].by);
            break;
        case PAIRS: if (c >= first && c <= last) return c - (c - first) % 2; break;
        case UP:    if (c == first) return last; break;
        case DOWN:  break;
        }
    }
    return c;
}

uint32_t char__lower(uint32_t c)
{
    for (size_t i = 0; i < NCASES && c < CASE_END; i++) {
        uint32_t first = cases[i].first, last = cases[i].last;
        switch ((enum case_kind)cases[i].kind) {
        case SHIFT: if (c >= first && c <= last) return (uint32_t)((int64_t)c + cases[i].by); break;
        case PAIRS: if (c >= first && c <= last) return c + 1 - (c - first) % 2; break;
        case DOWN:  if (c == first) return last; break;
        case UP:    break;
        }
    }
    return c;
}

bool char__is_letter(uint32_t c)
{
    if (c < 0xc0) return c == 0xaa || c == 0xb5 || c == 0xba;
    if (c == 0xd7 || c == 0xf7) return false;
    static const struct { uint32_t from, to; } signs[] = {       /* punctuation, pictures, what people made up for themselves */
        {0x2000, 0x2c00}, {0x3000, 0x3040}, {0xe000, 0xf900}, {0xfe00, 0xfe10}, {0xff00, 0xff21}, {0x1f000, 0x20000}, {0xe0000, 0x110000}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (c >= signs[i].from && c < signs[i].to) return false;
    return true;
}

bool char__is_blank(uint32_t c)
{
    return c == 0xa0 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
           c == 0x3000;
}

struct str chars_trim(struct str s)
{
    size_t n, end = 0;
    while (s.n > 0 && char_is_blank(char_at(s, &n))) s = str_behind(s, n);
    for (size_t at = 0; at < s.n; at += n)
        if (!char_is_blank(char_at(str_behind(s, at), &n))) end = at + n;
    return (struct str){s.p, end};
}

size_t chars_bytes(struct str s, uint64_t n)
{
    size_t at = 0;
    for (; at < s.n; at++) {
        bool starts = ((unsigned char)s.p[at] & 0xc0) != 0x80;
        if (starts && n-- == 0) break;
    }
    return at;
}

bool chars_collapsed(struct str s)
{
    uint64_t blank_before = 0x80;                        /* in front of the text is a blank, as it were */
    for (size_t at = 0; at < s.n; at += 8) {
        uint64_t w = chars_word(s, at), low = w & WORD_EACH(0x7f), unused = s.n - at < 8 ? ~(UINT64_MAX >> 8 * (8 - (s.n - at))) : 0;
        uint64_t blank = ~((low ^ WORD_EACH(' ')) + WORD_EACH(0x7f)) & WORD_EACH(0x80);
        uint64_t control = ~(low + WORD_EACH(0x60)) & WORD_EACH(0x80) & ~unused;
        if ((w & WORD_EACH(0x80)) | control | (blank & (blank << 8 | blank_before))) return false;       /* blanks beyond ASCII are looked into, too */
        blank_before = blank >> 56;
    }
    return s.n > 0 && s.p[s.n - 1] != ' ';
}

size_t chars_collapse(struct str s, char *out)
{
    size_t n = 0, bytes;
    bool gap = false;
    for (size_t at = 0; at < s.n; at += bytes) {
        if (char_is_blank(char_at(str_behind(s, at), &bytes))) {
            gap = n > 0;
            continue;
        }
        if (gap) out[n++] = ' ';
        gap = false;
        for (size_t i = 0; i < bytes; i++) out[n++] = s.p[at + i];
    }
    return n;
}

size_t chars_find(struct str s, struct str what, size_t from)
{
    const char *hit = from <= s.n ? memmem(s.p + from, s.n - from, what.p, what.n) : NULL;
    return hit ? (size_t)(hit - s.p) : s.n;
}
