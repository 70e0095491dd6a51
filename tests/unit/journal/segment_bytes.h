/* segment_bytes.h - what of docs/journal-format.md the tests need to change a log by hand: sizes, numbers, checksum. Written apart from the writer's code
 * and from the verifier's. */
#ifndef TESTS_UNIT_JOURNAL_SEGMENT_BYTES_H
#define TESTS_UNIT_JOURNAL_SEGMENT_BYTES_H
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 128, HASH = 32 };
enum { SEQ = 8, TIME = 16, KIND = 28, FLAGS = 30, SINCE = 32, PUB = 36 };       /* places in a frame */
struct file { unsigned char *p; size_t n; };

static inline uint32_t u32(const unsigned char *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }
static inline uint64_t u64(const unsigned char *p) { return u32(p) | (uint64_t)u32(p + 4) << 32; }
static inline void put_u32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(v >> (8 * i));
}

/* CRC-32C a bit at a time; begins with ~0, the end is turned by the caller. */
static inline uint32_t crc_bytes(uint32_t c, const unsigned char *p, size_t n)
{
    while (n--) {
        c ^= *p++;
        for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0x82F63B78u : c >> 1;
    }
    return c;
}
/* The checksum stands behind the length and does not cover itself. */
static inline void mend_frame(unsigned char *p) { put_u32(p + 4, ~crc_bytes(crc_bytes(~0u, p, 4), p + 8, u32(p) - 8)); }
static inline void mend_header(unsigned char *p) { put_u32(p + 124, ~crc_bytes(~0u, p, 124)); }

static inline unsigned char *frame_at(struct file *f, unsigned i)
{
    size_t off = HEADER;
    while (i--) off += u32(f->p + off);
    return f->p + off;
}

/* Checksums and, when told, hashes of all frames as the writer would have made them; the header's checksum too. */
static inline void make_right(struct file *f, bool hashes)
{
    unsigned char chain[HASH];
    memcpy(chain, f->p + 32, HASH);
    for (size_t off = HEADER; off + 4 <= f->n && u32(f->p + off); off += u32(f->p + off)) {
        unsigned char *p = f->p + off;
        size_t n = u32(p);
        crypto_generichash_state st;
        crypto_generichash_init(&st, NULL, 0, HASH);
        crypto_generichash_update(&st, chain, HASH);
        crypto_generichash_update(&st, p + 8, n - 8 - HASH);
        crypto_generichash_final(&st, chain, HASH);
        if (hashes) memcpy(p + n - HASH, chain, HASH);
        mend_frame(p);
    }
    mend_header(f->p);
}

static inline bool read_file(const char *path, size_t limit, struct file *out)
{
    FILE *f = fopen(path, "rb");
    *out = (struct file){malloc(limit), 0};
    if (!f || !out->p) abort();
    out->n = fread(out->p, 1, limit, f);
    return fclose(f) == 0 && out->n < limit;
}

static inline void write_file(const char *path, const struct file *f)
{
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(f->p, 1, f->n, out) != f->n || fclose(out) != 0) abort();
}
#endif
