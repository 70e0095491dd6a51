/* word.h - eight bytes at a time, for what looks at text without vectors: the first byte is the lowest of the word, on every machine. */
#ifndef BASE_WORD_H
#define BASE_WORD_H
#include <stdint.h>
#include <string.h>

/* A word with the byte b in each place. */
#define WORD_EACH(b) (UINT64_C(0x0101010101010101) * (b))

/* The eight bytes at p, which need no alignment. */
static inline uint64_t word_load(const char *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

static inline void word_store(char *p, uint64_t w)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    memcpy(p, &w, 8);
}

/* The high bits of the eight bytes of w as eight bits. */
static inline uint64_t word_high_bits(uint64_t w) { return (w >> 7 & WORD_EACH(1)) * UINT64_C(0x0102040810204080) >> 56; }
#endif
