/* chars.h - characters of valid UTF-8: reading, writing, case, blanks. Private to the builtins that look into texts. */
#ifndef VM_CHARS_H
#define VM_CHARS_H
#include "base/str.h"
#include "base/word.h"

/* The code point at the start of s (not empty, valid UTF-8) and its bytes. */
uint32_t char__at(struct str s, size_t *bytes);
static inline uint32_t char_at(struct str s, size_t *bytes)
{
    if ((unsigned char)s.p[0] >= 0x80) return char__at(s, bytes);
    *bytes = 1;
    return (unsigned char)s.p[0];
}
/* Writes it; returns the bytes, at most 4. */
size_t char__put(char *out, uint32_t c);
static inline size_t char_put(char *out, uint32_t c)
{
    if (c >= 0x80) return char__put(out, c);
    *out = (char)c;
    return 1;
}
/* One code point for one (case.def); what has no other case stays. Neither ever takes more bytes than it was given. */
uint32_t char__upper(uint32_t c);
uint32_t char__lower(uint32_t c);
static inline uint32_t char_upper(uint32_t c) { return c >= 0x80 ? char__upper(c) : c >= 'a' && c <= 'z' ? c - 32 : c; }
static inline uint32_t char_lower(uint32_t c) { return c >= 0x80 ? char__lower(c) : c >= 'A' && c <= 'Z' ? c + 32 : c; }
/* Letters of any script, combining marks among them; good enough to find words, not a Unicode property. */
bool char__is_letter(uint32_t c);
static inline bool char_is_letter(uint32_t c) { return c >= 0x80 ? char__is_letter(c) : (c | 32) >= 'a' && (c | 32) <= 'z'; }
/* Space, tab, line ends, the no-break and the typographic spaces. */
bool char__is_blank(uint32_t c);
static inline bool char_is_blank(uint32_t c) { return c >= 0x80 ? char__is_blank(c) : c == ' ' || (c >= '\t' && c <= '\r'); }

/* The part of s behind its first n bytes. */
static inline struct str str_behind(struct str s, size_t n) { return (struct str){s.p + n, s.n - n}; }
/* As memcpy; most texts are short, and then no call is worth its while. The spans do not overlap. */
static inline void chars_copy(char *to, const char *p, size_t n)
{
    uint64_t a, b;
    if (n < 8 || n > 16) {
        memcpy(to, p, n);
        return;
    }
    memcpy(&a, p, 8);
    memcpy(&b, p + n - 8, 8);
    memcpy(to, &a, 8);
    memcpy(to + n - 8, &b, 8);
}
/* Eight bytes of s from `at` < s.n on as a number, the first in its lowest byte; zeros stand for those behind the end. */
static inline uint64_t chars_word(struct str s, size_t at)
{
    size_t left = s.n - at;
    if (left >= 8) return word_load(s.p + at);
    if (s.n >= 8) return word_load(s.p + s.n - 8) >> 8 * (8 - left);
    uint64_t w = 0;
    for (size_t i = left; i-- > 0;) w = w << 8 | (unsigned char)s.p[at + i];
    return w;
}
/* Without blanks at both ends. */
struct str chars_trim(struct str s);
/* Bytes of the first n characters; all of them when there are fewer. */
size_t chars_bytes(struct str s, uint64_t n);
/* As s without blanks at both ends and with one space for each run of blanks; out has room for s.n bytes. Returns the bytes. */
size_t chars_collapse(struct str s, char *out);
/* chars_collapse would leave s as it is; false when that would have to be looked into. */
bool chars_collapsed(struct str s);
/* The first place of `what` (not empty) in s at or behind byte `from`, or s.n. */
size_t chars_find(struct str s, struct str what, size_t from);
#endif
