/* buf.h - a byte buffer that grows (malloc'd; one owner). Little-endian putters and a bounds-checked reader for our formats. */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include "base/str.h"
#include <stdarg.h>

struct buf { char *p; size_t n, cap; };   /* all zero = empty; p is not NUL-terminated unless buf_cstr was called */

void buf_free(struct buf *b);
static inline void buf_clear(struct buf *b) { b->n = 0; }
/* Makes room for n more bytes and returns where they go (n is not added). */
char *buf__grow(struct buf *b, size_t n);
static inline char *buf_reserve(struct buf *b, size_t n) { return b->cap - b->n >= n && b->p ? b->p + b->n : buf__grow(b, n); }
static inline void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n == 0) return;
    memcpy(buf_reserve(b, n), p, n);
    b->n += n;
}
static inline void buf_puts(struct buf *b, const char *s) { buf_put(b, s, strlen(s)); }
static inline void buf_str(struct buf *b, struct str s) { buf_put(b, s.p, s.n); }
static inline void buf_byte(struct buf *b, unsigned char c)
{
    *buf_reserve(b, 1) = (char)c;
    b->n++;
}
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v);                 /* LEB128 */
void buf_blob(struct buf *b, struct str s);                 /* varint length, bytes */
/* Puts a NUL behind the content (not counted) and returns it. */
const char *buf_cstr(struct buf *b);
static inline struct str buf_view(const struct buf *b) { return (struct str){b->p, b->n}; }

/* Reader: every getter past the end sets bad and returns 0 or an empty span; check bad once at the end. */
struct reader { const unsigned char *p, *end; bool bad; };
static inline struct reader reader_of(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    return (struct reader){p, s.n ? p + s.n : p, false};
}
uint8_t  read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
uint64_t read_varint(struct reader *r);                     /* LEB128 as buf_varint writes it: no number has two spellings */
struct str read_bytes(struct reader *r, size_t n);
struct str read_blob(struct reader *r);
static inline bool reader_done(const struct reader *r) { return !r->bad && r->p == r->end; }
#endif
