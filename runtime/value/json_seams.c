/* json_seams.c - see json_seams.h. Of each 64 bytes three maps are made, one bit a byte; a seam is a quote behind a colon or comma behind a quote. No two seams
 * are neighbours, so there are at most 32. */
#include "value/json_seams.h"
#include "base/word.h"
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { BLOCK = 64 };
struct block { uint64_t quote, between, odd; };

/* look: the maps of 64 bytes; list: writes the places of the bits of a word, `base` added, and may write 32. The last bytes are looked at together with those in
 * front of them, when there are 64 in all. */
#define EACH_BLOCK(look, list)                                                        \
    uint64_t quotes_before = 0, between_before = 0;                                   \
    size_t count = 0, quotes = 0, i = 0, end = n;                                     \
    while (i < end) {                                                                 \
        struct block b;                                                               \
        char rest[BLOCK];                                                             \
        if (n - i >= BLOCK) b = look(p + i);                                          \
        else if (n >= BLOCK) b = block_behind(look(p + n - BLOCK), BLOCK - (unsigned)(n - i)); \
        else b = look(between_blanks(rest, p, n));                                    \
        if (b.odd) end = i + block_up_to_odd(&b);                                     \
        uint64_t seams = b.quote & (b.quote << 2 | quotes_before) & (b.between << 1 | between_before); \
        quotes_before = b.quote >> 62;                                                \
        between_before = b.between >> 63;                                             \
        quotes += (size_t)__builtin_popcountll(b.quote);                              \
        list(s->at + count, seams, (unsigned)i);                                      \
        count += (size_t)__builtin_popcountll(seams);                                 \
        i += BLOCK;                                                                   \
    }                                                                                 \
    s->n = count;                                                                     \
    s->quotes = quotes;                                                               \
    s->end = end

/* Without its first bytes. */
static inline struct block block_behind(struct block b, unsigned bytes) { return (struct block){b.quote >> bytes, b.between >> bytes, b.odd >> bytes}; }

/* Keeps what stands in front of the first odd byte; its place. */
static inline unsigned block_up_to_odd(struct block *b)
{
    uint64_t before = (b->odd & -b->odd) - 1;
    b->quote &= before;
    return (unsigned)__builtin_ctzll(b->odd);
}

static const char *between_blanks(char *to, const char *p, size_t n)
{
    memset(to, ' ', BLOCK);
    memcpy(to, p, n);
    return to;
}

/* A high bit where a byte of w is not c; low: w without the high bits. */
static inline uint64_t differs(uint64_t w, uint64_t low, char c) { return ((low ^ WORD_EACH((unsigned char)c)) + WORD_EACH(0x7f)) | w; }

static inline struct block look_portable(const char *p)
{
    struct block b = {0, 0, 0};
    for (unsigned i = 0; i < BLOCK; i += 8) {
        uint64_t w = word_load(p + i);
        uint64_t low = w & WORD_EACH(0x7f);                               /* sums of seven bits: no carry leaves its byte */
        b.quote |= word_high_bits(~differs(w, low, '"')) << i;
        b.between |= word_high_bits(~(differs(w, low, ':') & differs(w, low, ','))) << i;
        b.odd |= word_high_bits(~(differs(w, low, '\\') & (low + WORD_EACH(0x60))) | w) << i;
    }
    return b;
}

/* Rarely more than eight: these are written whether they are there or not, because their number cannot be foreseen. */
static inline void list_each(uint16_t *to, uint64_t seams, unsigned base)
{
    const uint64_t stop = UINT64_C(1) << 63;
    for (unsigned i = 0; i < 8; i++, seams &= seams - 1) to[i] = (uint16_t)(base + (unsigned)__builtin_ctzll(seams | stop));
    for (to += 8; seams; seams &= seams - 1) *to++ = (uint16_t)(base + (unsigned)__builtin_ctzll(seams));
}

static void find_portable(struct json_seams *s, const char *p, size_t n) { EACH_BLOCK(look_portable, list_each); }
static bool always(void) { return true; }

#ifdef __x86_64__
static inline struct block look_sse2(const char *p)
{
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), below = _mm_set1_epi8(0x1f), colon = _mm_set1_epi8(':'), comma = _mm_set1_epi8(',');
    struct block b = {0, 0, 0};
    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i odd = _mm_or_si128(_mm_or_si128(v, _mm_cmpeq_epi8(v, slash)), _mm_cmpeq_epi8(_mm_min_epu8(v, below), v));
        b.quote |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, quote)) << i;
        b.between |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, colon), _mm_cmpeq_epi8(v, comma))) << i;
        b.odd |= (uint64_t)(unsigned)_mm_movemask_epi8(odd) << i;
    }
    return b;
}

static void find_sse2(struct json_seams *s, const char *p, size_t n) { EACH_BLOCK(look_sse2, list_each); }

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))
AVX2 static inline struct block look_avx2(const char *p)
{
    const __m256i quote = _mm256_set1_epi8('"'), slash = _mm256_set1_epi8('\\'), below = _mm256_set1_epi8(0x1f), colon = _mm256_set1_epi8(':'), comma = _mm256_set1_epi8(',');
    struct block b = {0, 0, 0};
    for (unsigned i = 0; i < BLOCK; i += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i odd = _mm256_or_si256(_mm256_or_si256(v, _mm256_cmpeq_epi8(v, slash)), _mm256_cmpeq_epi8(_mm256_min_epu8(v, below), v));
        b.quote |= (uint64_t)(unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, quote)) << i;
        b.between |= (uint64_t)(unsigned)_mm256_movemask_epi8(_mm256_or_si256(_mm256_cmpeq_epi8(v, colon), _mm256_cmpeq_epi8(v, comma))) << i;
        b.odd |= (uint64_t)(unsigned)_mm256_movemask_epi8(odd) << i;
    }
    return b;
}

AVX2 static inline void list_bmi(uint16_t *to, uint64_t seams, unsigned base)
{
    for (unsigned i = 0; i < 8; i++, seams &= seams - 1) to[i] = (uint16_t)(base + (unsigned)_tzcnt_u64(seams));
    for (to += 8; seams; seams &= seams - 1) *to++ = (uint16_t)(base + (unsigned)_tzcnt_u64(seams));
}

AVX2 static void find_avx2(struct json_seams *s, const char *p, size_t n) { EACH_BLOCK(look_avx2, list_bmi); }
static bool have_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt"); }

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")))
AVX512 static inline struct block look_avx512(const char *p)
{
    __m512i v = _mm512_loadu_si512(p);
    struct block b;
    b.quote = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"'));
    b.between = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(':')) | _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(','));
    b.odd = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\')) | _mm512_cmplt_epi8_mask(v, _mm512_set1_epi8(0x20));      /* as signed bytes those above 0x7f are below */
    return b;
}

AVX512 static inline void list_compress(uint16_t *to, uint64_t seams, unsigned base)
{
    static const uint8_t places[BLOCK] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                          32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    __m512i left = _mm512_maskz_compress_epi8(seams, _mm512_loadu_si512(places));
    __m512i wide = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(left));
    _mm512_storeu_si512(to, _mm512_add_epi16(wide, _mm512_set1_epi16((short)base)));
}

AVX512 static void find_avx512(struct json_seams *s, const char *p, size_t n) { EACH_BLOCK(look_avx512, list_compress); }
static bool have_avx512(void) { return __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("popcnt"); }
#endif

const struct json_seams_way json_seams_ways[] = {
    {"portable", find_portable, always},
#ifdef __x86_64__
    {"SSE2", find_sse2, always}, {"AVX2", find_avx2, have_avx2}, {"AVX-512", find_avx512, have_avx512},
#endif
    {NULL, NULL, NULL}};

json_seams_fn *json_seams_best(void)
{
    json_seams_fn *best = find_portable;
    for (const struct json_seams_way *w = json_seams_ways; w->name; w++)
        if (w->here()) best = w->find;
    return best;
}
