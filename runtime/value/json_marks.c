/* json_marks.c - see json_marks.h. Each way makes two words of 64 bits of 64 bytes: where a mark stands, and where a byte above 0x7f. The last bytes are
 * copied between blanks. */
#include "value/json_marks.h"
#include "base/word.h"
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { BLOCK = 64 };
struct block { uint64_t marks, high; };

#define EACH_BLOCK(look)                                                              \
    uint64_t high = 0;                                                                \
    size_t i = 0;                                                                     \
    if (n > JSON_MARKS_WINDOW) n = JSON_MARKS_WINDOW;                                 \
    for (; n - i >= BLOCK; i += BLOCK) {                                              \
        struct block b = look(p + i);                                                 \
        high |= b.high;                                                               \
        m->bits[i / BLOCK] = b.marks;                                                 \
    }                                                                                 \
    char rest[BLOCK];                                                                 \
    memset(rest, ' ', sizeof rest);                                                   \
    memcpy(rest, p + i, n - i);                                                       \
    struct block b = look(rest);                                                      \
    m->bits[i / BLOCK] = b.marks;                                                     \
    m->bits[i / BLOCK + 1] = 0;                                                       \
    m->from = p;                                                                      \
    m->n = n;                                                                         \
    m->high = (high | b.high) != 0

static inline struct block look_portable(const char *p)
{
    struct block b = {0, 0};
    for (unsigned i = 0; i < BLOCK; i += 8) {
        uint64_t w = word_load(p + i);
        uint64_t low = w & WORD_EACH(0x7f);                               /* sums of seven bits: no carry leaves its byte */
        uint64_t no_quote = (low ^ WORD_EACH('"')) + WORD_EACH(0x7f), no_slash = (low ^ WORD_EACH('\\')) + WORD_EACH(0x7f), no_control = low + WORD_EACH(0x60);
        b.marks |= word_high_bits(~(no_quote & no_slash & no_control) & ~w) << i;
        b.high |= w & WORD_EACH(0x80);
    }
    return b;
}

static void find_portable(struct json_marks *m, const char *p, size_t n) { EACH_BLOCK(look_portable); }
static bool always(void) { return true; }

#ifdef __x86_64__
static inline struct block look_sse2(const char *p)
{
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), below = _mm_set1_epi8(0x1f);
    struct block b = {0, 0};
    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)), _mm_cmpeq_epi8(_mm_min_epu8(v, below), v));
        b.marks |= (uint64_t)(unsigned)_mm_movemask_epi8(hit) << i;
        b.high |= (uint64_t)(unsigned)_mm_movemask_epi8(v);
    }
    return b;
}

static void find_sse2(struct json_marks *m, const char *p, size_t n) { EACH_BLOCK(look_sse2); }

#define AVX2 __attribute__((target("avx2")))
AVX2 static inline struct block look_avx2(const char *p)
{
    const __m256i quote = _mm256_set1_epi8('"'), slash = _mm256_set1_epi8('\\'), below = _mm256_set1_epi8(0x1f);
    struct block b = {0, 0};
    for (unsigned i = 0; i < BLOCK; i += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i hit = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, slash)), _mm256_cmpeq_epi8(_mm256_min_epu8(v, below), v));
        b.marks |= (uint64_t)(unsigned)_mm256_movemask_epi8(hit) << i;
        b.high |= (uint64_t)(unsigned)_mm256_movemask_epi8(v);
    }
    return b;
}

AVX2 static void find_avx2(struct json_marks *m, const char *p, size_t n) { EACH_BLOCK(look_avx2); }
static bool have_avx2(void) { return __builtin_cpu_supports("avx2"); }

#endif

const struct json_marks_way json_marks_ways[] = {
    {"portable", find_portable, always},
#ifdef __x86_64__
    {"SSE2", find_sse2, always}, {"AVX2", find_avx2, have_avx2},
#endif
    {NULL, NULL, NULL}};

json_marks_fn *json_marks_best(void)
{
    json_marks_fn *best = find_portable;
    for (const struct json_marks_way *w = json_marks_ways; w->name; w++)
        if (w->here()) best = w->find;
    return best;
}

const char *json_marks_next(const struct json_marks *m, const char *p)
{
    size_t at = (size_t)(p - m->from), k = at / 64;
    uint64_t w = m->bits[k] >> at % 64 << at % 64;
    while (w == 0 && ++k * 64 < m->n) w = m->bits[k];
    return m->from + (w ? k * 64 + (size_t)__builtin_ctzll(w) : m->n);
}
