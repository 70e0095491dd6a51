/* type.h - what the declared type of a column or field says, as the compiled file carries it; the compiler builds these, the
 * verifier and the run-time checks read them. */
#ifndef VALUE_TYPE_H
#define VALUE_TYPE_H
#include "value/decimal.h"

enum type_base { T_BOOL, T_TEXT, T_DECIMAL, T_DATE, T_LOCAL, T_INSTANT, T_LINK, T_LIST, T_BASE_COUNT };
struct type {
    uint8_t base;             /* enum type_base */
    bool optional;            /* T? */
    uint8_t scale;            /* T_DECIMAL: at most this many decimals */
    uint16_t module;          /* T_LINK: index of the target module name in the image's strings, else 0 */
    uint32_t min_len, max_len;/* T_TEXT: code points, 1 <= min <= max */
    i128 lo, hi;              /* T_DECIMAL: bounds of the coefficient at `scale` */
    uint16_t nset;            /* T_TEXT: > 0 when only these values are possible (sorted by bytes, distinct) */
    const struct str *set;
    struct str yes, no;       /* T_BOOL of a source column: the two spellings, e.g. Y and N; empty otherwise */
    const struct list_shape *shape;   /* T_LIST: what a line holds */
};
enum { LIST_KEY = 1 /* part of what a line is known by inside its record */, LIST_UDF = 2 };
struct list_shape {
    uint32_t max_lines;       /* a list has 1 to max_lines lines, of distinct keys where they have any */
    uint16_t n;
    const struct str *names; const struct type *types; const uint8_t *flags;   /* LIST_*; types: no list */
};
/* What a line of a source is known by: its key columns, parted by ~; absent when it has none. */
struct value type_line_key(const struct list_shape *s, const struct value *fields, struct arena *a);
/* A list with the columns of t's shape, by name; false when v lacks one. Lines come from the arena, texts stay where they are. Other values stay. */
bool type_project(const struct type *t, const struct value *v, struct arena *a, struct value *out);
/* decimal(p,s): p digits in all, s of them behind the point. */
struct type type_decimal(unsigned digits, unsigned scale);
struct type type_text(uint32_t min_len, uint32_t max_len);
/* Everything that a value of `from` can be is a value of `to`. */
bool type_fits(const struct type *from, const struct type *to);
/* A value against a type: true when it belongs; why (may be NULL) gets a clause such as "is 63 characters, at most 50 allowed". */
bool type_admits(const struct type *t, const struct value *v, char *why, size_t why_len);
/* "text(1..50)?", "decimal(13,2)", "one of (\"A\", \"I\")". */
void type_print(struct buf *out, const struct type *t);

/* Reads a raw column text as a source delivers it (blank = absent, spelled booleans, decimals, YYYYMMDD or ISO dates) into a value
 * of type t. The bytes stay the caller's. False and a clause in why when the text violates the declaration (ASSUMED facts). */
bool type_read(const struct type *t, struct str raw, struct value *out, char *why, size_t why_len);
#endif
