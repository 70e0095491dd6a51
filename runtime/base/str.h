/* str.h - a span of bytes that somebody else owns; not NUL-terminated, may hold NULs. */
#ifndef BASE_STR_H
#define BASE_STR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str { const char *p; size_t n; };

#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
static inline struct str str_of(const char *s) { return (struct str){s, s ? strlen(s) : 0}; }
static inline bool str_eq(struct str a, struct str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }
static inline bool str_is(struct str a, const char *s) { return str_eq(a, str_of(s)); }
/* Byte order, shorter first on a common prefix: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
/* Case-insensitive for ASCII letters only. */
bool str_ieq(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
/* Without leading and trailing blanks (space, tab, CR, LF). */
struct str str_trim(struct str s);
/* Its first bytes, at most so many, and no character of UTF-8 in part. */
static inline struct str str_cut(struct str s, size_t most)
{
    if (s.n <= most) return s;
    while (most > 0 && ((unsigned char)s.p[most] & 0xc0) == 0x80) most--;
    return (struct str){s.p, most};
}
/* Takes off what stands before the next `end`, and the `end`; all of it when there is none, and *rest is empty then. */
struct str str_take(struct str *rest, char end);
/* Decimal digits only, at least one, no sign; false on anything else or beyond int64. */
bool str_to_i64(struct str s, int64_t *out);
/* Number of Unicode code points; invalid bytes count one each. */
size_t str_codepoints(struct str s);
/* True when s is well-formed UTF-8 (no surrogates, no overlong forms). */
bool str_utf8_valid(struct str s);
#endif
