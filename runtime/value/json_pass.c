/* json_pass.c - see json_pass.h. Of each block four maps are made, one bit a byte; the rest is arithmetic on words of 64 bits.
 *
 *     quotes that are not escaped -> prefix xor -> inside of a string      opening and closing outside of strings -> depth */
#include "value/json_pass.h"
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK = 64 };
struct maps { uint64_t quote, slash, open, close; };
struct walk { uint64_t in_string /* all ones: the block before ended inside of a string */, escaped /* bit 0: by the last byte of the block before */; uint64_t depth; };
typedef void maps_fn(struct maps *m, const char *p);

static void maps_portable(struct maps *m, const char *p)
{
    *m = (struct maps){0, 0, 0, 0};
    for (unsigned i = 0; i < BLOCK; i++) {
        unsigned char c = (unsigned char)p[i];
        m->quote |= (uint64_t)(c == '"') << i;
        m->slash |= (uint64_t)(c == '\\') << i;
        m->open |= (uint64_t)((c | 0x20) == '{') << i;
        m->close |= (uint64_t)((c | 0x20) == '}') << i;
    }
}

#ifdef __SSE2__
static inline uint64_t bits(__m128i v, unsigned at) { return (uint64_t)(unsigned)_mm_movemask_epi8(v) << at; }

static inline void maps_vector(struct maps *m, const char *p)
{
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), open = _mm_set1_epi8('{'), close = _mm_set1_epi8('}'), low = _mm_set1_epi8(0x20);
    *m = (struct maps){0, 0, 0, 0};
    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i)), same = _mm_or_si128(v, low);      /* [ and { differ in this bit only */
        m->quote |= bits(_mm_cmpeq_epi8(v, quote), i);
        m->slash |= bits(_mm_cmpeq_epi8(v, slash), i);
        m->open |= bits(_mm_cmpeq_epi8(same, open), i);
        m->close |= bits(_mm_cmpeq_epi8(same, close), i);
    }
}
#else
#define maps_vector maps_portable
#endif

/* Bytes behind a backslash that is not itself escaped. */
static uint64_t escaped_bytes(uint64_t slash, uint64_t *carry)
{
    uint64_t escaped = *carry;
    *carry = 0;
    for (uint64_t left = slash & ~escaped; left;) {
        uint64_t one = left & -left;
        if (one >> 63) *carry = 1;
        escaped |= one << 1;
        left &= ~(one | one << 1);
    }
    return escaped;
}

/* Bit i: an odd number of bits at or below i is set. */
static inline uint64_t prefix_xor(uint64_t x)
{
    for (unsigned i = 1; i < 64; i *= 2) x ^= x << i;
    return x;
}

/* Where depth reaches 0 in this block; BLOCK when it does not. */
static inline unsigned step(struct walk *w, struct maps *m)
{
    if (m->slash | w->escaped) m->quote &= ~escaped_bytes(m->slash, &w->escaped);
    uint64_t inside = prefix_xor(m->quote) ^ w->in_string;
    w->in_string = inside >> 63 ? UINT64_MAX : 0;
    uint64_t open = m->open & ~inside, close = m->close & ~inside;
    if ((unsigned)__builtin_popcountll(close) < w->depth) {
        w->depth += (unsigned)__builtin_popcountll(open);
        w->depth -= (unsigned)__builtin_popcountll(close);
        return BLOCK;
    }
    for (uint64_t left = open | close; left; left &= left - 1) {
        uint64_t one = left & -left;
        w->depth += one & open ? 1 : UINT64_MAX;
        if (w->depth == 0) return (unsigned)__builtin_ctzll(one);
    }
    return BLOCK;
}

static inline __attribute__((always_inline)) const char *pass(const char *p, const char *end, maps_fn *maps)
{
    struct walk w = {0, 0, 1};
    struct maps m;
    for (; end - p >= BLOCK; p += BLOCK) {
        maps(&m, p);
        unsigned at = step(&w, &m);
        if (at < BLOCK) return p + at + 1;
    }
    char rest[BLOCK];
    size_t n = (size_t)(end - p);
    memset(rest, ' ', sizeof rest);
    memcpy(rest, p, n);
    maps(&m, rest);
    unsigned at = step(&w, &m);
    return at < n ? p + at + 1 : NULL;
}

const char *json_pass(const char *p, const char *end) { return pass(p, end, maps_vector); }
const char *json_pass_portable(const char *p, const char *end) { return pass(p, end, maps_portable); }
