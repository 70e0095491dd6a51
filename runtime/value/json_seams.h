/* json_seams.h - where the members of a JSON row meet: the places of the last quote of every `","` and every `":"`. One pass with vectors lists them, and whoever
 * knows the names of a row has both ends of every value without a look at what lies between.
 *
 *     {"Name":"text","Next":"more"}
 *             7      14     21            text: from behind 7 up to 14 - 2
 *
 * Where a value holds a quote, the list says nothing of it; therefore the quotes are counted too. The twins (portable, SSE2, AVX2, AVX-512) make the same list; which
 * one runs is asked of the processor (tests/unit/value/json_shape_test.c). */
#ifndef VALUE_JSON_SEAMS_H
#define VALUE_JSON_SEAMS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_SEAMS_BYTES = 8192 /* of a text, at most */ };
struct json_seams {
    size_t n, quotes;
    size_t end;                                     /* of the text that was looked at */
    uint16_t at[JSON_SEAMS_BYTES / 2 + 64];         /* rising; what stands behind the n-th means nothing */
};
/* The seams of the n bytes at p, at most JSON_SEAMS_BYTES, up to the first backslash, control byte (as a line end is) or byte above 0x7f. Reads no byte behind them. */
typedef void json_seams_fn(struct json_seams *s, const char *p, size_t n);

struct json_seams_way { const char *name; json_seams_fn *find; bool (*here)(void); };
/* From the slowest to the fastest; behind the last one without a name. */
extern const struct json_seams_way json_seams_ways[];
/* The fastest that this processor can do. */
json_seams_fn *json_seams_best(void);
#endif
