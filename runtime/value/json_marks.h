/* json_marks.h - where a JSON text has bytes that no plain string holds: quotes, backslashes and bytes below 0x20, as a map of one bit a byte. One pass with
 * vectors makes it before anything is read; whoever has it knows where a string ends without a look at its bytes.
 *
 *     {"Name":"text","Next":"a \"b\""}
 *     01000010100001010000101000110111...
 *
 * The twins (portable, SSE2, AVX2) make the same map; which one runs is asked of the processor (tests/unit/value/json_row_test.c). */
#ifndef VALUE_JSON_MARKS_H
#define VALUE_JSON_MARKS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { JSON_MARKS_WINDOW = 8192 /* bytes that are looked at in one go */ };
struct json_marks {
    const char *from;
    size_t n;
    bool high;                                               /* a byte above 0x7f is among them */
    uint64_t bits[JSON_MARKS_WINDOW / 64 + 2];               /* of byte i: bit i % 64 of word i / 64; none behind the end */
};
/* The map of the n bytes at p, or of as many as a window holds. Reads no byte behind them. */
typedef void json_marks_fn(struct json_marks *m, const char *p, size_t n);

struct json_marks_way { const char *name; json_marks_fn *find; bool (*here)(void); };
/* From the slowest to the fastest; behind the last one without a name. */
extern const struct json_marks_way json_marks_ways[];
/* The fastest that this processor can do. */
json_marks_fn *json_marks_best(void);

/* The place of the first mark at or behind place `at` (at most n) when it is no farther than 56 bytes away; else 0, which is none. */
static inline size_t json_marks_near(const struct json_marks *m, size_t at)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t w;
    memcpy(&w, (const char *)m->bits + at / 8, 8);
    w >>= at % 8;
    return w ? at + (unsigned)__builtin_ctzll(w) : 0;
#else
    uint64_t w = m->bits[at / 64] >> at % 64;
    return w ? at + (unsigned)__builtin_ctzll(w) : 0;
#endif
}
/* The first mark at or behind p, which must be in the window or at its end; the window's end when there is none. */
const char *json_marks_next(const struct json_marks *m, const char *p);
#endif
