/* types.h - arithmetic on types: what an expression can be when its operands can be this and that.
 *
 * A `struct ty` is a runtime type (value/type.h) plus the three things that only the compiler sees: an expression that never yields
 * (reject, keep), the literal null before it met its neighbour, and an expression that was refused already (poison: it fits everywhere,
 * so one mistake gives one message). The rules here are what the verifier (code/verify) holds the compiled program against. */
#ifndef DSL_TYPES_H
#define DSL_TYPES_H
#include "value/type.h"

enum ty_kind { TY_VALUE, TY_NULL, TY_NEVER, TY_POISON };
struct ty { enum ty_kind kind; struct type t; };

#define TYPES_MAX_SET 4096u             /* larger value sets become a plain length range */
#define TYPES_MAX_TEXT 65535u           /* longest text that the compiler lets an expression build */

enum types_result { TYPES_OK, TYPES_OVERFLOW /* more than 38 digits possible */, TYPES_SCALE /* more than 12 decimals */ };

struct ty ty_value(struct type t);
struct ty ty_of_kind(enum ty_kind k);
static inline bool ty_is(const struct ty *t, enum type_base b) { return t->kind == TY_VALUE && t->t.base == (uint8_t)b; }
static inline bool ty_maybe_absent(const struct ty *t) { return t->kind == TY_NULL || (t->kind == TY_VALUE && t->t.optional); }

struct type types_plain(enum type_base b);                     /* bool, date, local, instant */
/* The narrowest type of one constant (not absent). Sets live in the arena, texts stay where they are. */
struct type types_of_value(struct arena *a, const struct value *v);
/* A value set: sorted, distinct, at most TYPES_MAX_SET; min and max length follow from it. */
struct type types_of_set(struct arena *a, const struct str *values, size_t n);
/* The narrowest type that holds both; false when the bases differ (or the decimals have no common scale). Absent in one: optional. */
bool types_join(struct arena *a, const struct type *x, const struct type *y, struct type *out);
/* Exact results of decimals, with intervals. */
enum types_result types_add(const struct type *x, const struct type *y, struct type *out);
enum types_result types_sub(const struct type *x, const struct type *y, struct type *out);
enum types_result types_mul(const struct type *x, const struct type *y, struct type *out);
enum types_result types_neg(const struct type *x, struct type *out);
/* Half away from zero to n decimals. */
enum types_result types_round(const struct type *x, unsigned n, struct type *out);
/* What TEXT makes of a present value: exact for sets, else a length range. */
struct type types_as_text(struct arena *a, const struct type *x);
/* The texts one behind the other; false when more than TYPES_MAX_TEXT characters are possible. */
bool types_concat(const struct type *parts, size_t n, struct type *out);
/* Most significant digits that a value of this decimal type can have. */
unsigned types_digits(const struct type *x);
/* "text", "decimal", "yes/no value", "date", ... for messages. */
const char *types_base_name(enum type_base b);
/* The type as people write it, in the arena. */
const char *types_show(struct arena *a, const struct type *t);
#endif
