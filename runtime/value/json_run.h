/* json_run.h - the innermost loop of everything that reads or writes JSON strings: how far text goes on that needs no second look. Sixteen bytes at a time
 * where the machine has vectors, eight otherwise; both twins give the same answer (tests/unit/value/json_row_test.c), and neither reads behind the end. */
#ifndef VALUE_JSON_RUN_H
#define VALUE_JSON_RUN_H
#include "base/word.h"
#include <stdbool.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A high bit where a byte of w is below 0x20, a quote or a backslash. Bytes above 0x7f may raise it too: the caller looks again. */
static inline uint64_t json_run__special(uint64_t w)
{
    uint64_t quote = w ^ WORD_EACH('"'), slash = w ^ WORD_EACH('\\');
    return ((w - WORD_EACH(0x20)) | (quote - WORD_EACH(1)) | (slash - WORD_EACH(1))) & ~w & WORD_EACH(0x80);
}

static inline const char *json_run_portable(const char *p, const char *end, bool *high)
{
    uint64_t seen = 0;
    for (; end - p >= 8; p += 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        if (json_run__special(w)) break;
        seen |= w & WORD_EACH(0x80);
    }
    for (; p < end; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\' || c < 0x20) break;
        seen |= c & 0x80u;
    }
    *high |= seen != 0;
    return p;
}

/* From p to the first quote, backslash or control byte, or end. *high is set when a byte above 0x7f was passed. */
static inline const char *json_run(const char *p, const char *end, bool *high)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), below = _mm_set1_epi8(0x1f);
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)), _mm_cmpeq_epi8(_mm_min_epu8(v, below), v));
        unsigned stop = (unsigned)_mm_movemask_epi8(hit), up = (unsigned)_mm_movemask_epi8(v);
        if (stop) {
            unsigned n = (unsigned)__builtin_ctz(stop);
            *high |= (up & ((1u << n) - 1)) != 0;
            return p + n;
        }
        *high |= up != 0;
    }
#endif
    return json_run_portable(p, end, high);
}
#endif
