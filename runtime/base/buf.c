/* buf.c - growing buffers, little-endian putters and the bounds-checked reader. */
#include "base/buf.h"
#include "base/check.h"
#include <stdio.h>
#include <stdlib.h>

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){NULL, 0, 0};
}

char *buf__grow(struct buf *b, size_t n)
{
    ASSERT(n < SIZE_MAX / 4);
    if (b->cap - b->n < n) {
        size_t cap = b->cap ? b->cap : 256;
        while (cap - b->n < n) cap *= 2;
        char *p = realloc(b->p, cap);
        if (!p) check_no_memory();
        b->p = p;
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    ASSERT(n >= 0);
    vsnprintf(buf_reserve(b, (size_t)n + 1), (size_t)n + 1, fmt, again);
    va_end(again);
    b->n += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

static inline __attribute__((always_inline)) void put_le(struct buf *b, uint64_t v, size_t n)
{
    unsigned char *p = (unsigned char *)buf_reserve(b, n);
    for (size_t i = 0; i < n; i++) p[i] = (unsigned char)(v >> (8 * i));
    b->n += n;
}

void buf_u16(struct buf *b, uint16_t v) { put_le(b, v, 2); }
void buf_u32(struct buf *b, uint32_t v) { put_le(b, v, 4); }
void buf_u64(struct buf *b, uint64_t v) { put_le(b, v, 8); }

void buf_varint(struct buf *b, uint64_t v)
{
    while (v >= 0x80) {
        buf_byte(b, (unsigned char)(v | 0x80));
        v >>= 7;
    }
    buf_byte(b, (unsigned char)v);
}

void buf_blob(struct buf *b, struct str s)
{
    buf_varint(b, s.n);
    buf_str(b, s);
}

const char *buf_cstr(struct buf *b)
{
    *buf_reserve(b, 1) = '\0';
    return b->p;
}

static inline __attribute__((always_inline)) uint64_t get_le(struct reader *r, size_t n)
{
    if (r->bad || (size_t)(r->end - r->p) < n) {
        r->bad = true;
        return 0;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v |= (uint64_t)r->p[i] << (8 * i);
    r->p += n;
    return v;
}

uint8_t  read_u8(struct reader *r)  { return (uint8_t)get_le(r, 1); }
uint16_t read_u16(struct reader *r) { return (uint16_t)get_le(r, 2); }
uint32_t read_u32(struct reader *r) { return (uint32_t)get_le(r, 4); }
uint64_t read_u64(struct reader *r) { return get_le(r, 8); }

uint64_t read_varint(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t c = read_u8(r);
        if (shift == 63 && c > 1) break;
        if (c == 0 && shift > 0) break;                          /* a longer spelling than needed */
        v |= (c & 0x7F) << shift;
        if (r->bad || !(c & 0x80)) return r->bad ? 0 : v;
    }
    r->bad = true;
    return 0;
}

struct str read_bytes(struct reader *r, size_t n)
{
    if (r->bad || (size_t)(r->end - r->p) < n) {
        r->bad = true;
        return (struct str){NULL, 0};
    }
    struct str s = {(const char *)r->p, n};
    r->p += n;
    return s;
}

struct str read_blob(struct reader *r)
{
    uint64_t n = read_varint(r);
    if (n > SIZE_MAX / 2) r->bad = true;
    return read_bytes(r, r->bad ? 0 : (size_t)n);
}
