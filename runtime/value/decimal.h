/* decimal.h - exact decimals: 128-bit coefficient, scale 0..12, at most 38 digits. Nothing rounds by itself. */
#ifndef VALUE_DECIMAL_H
#define VALUE_DECIMAL_H
#include "value/value.h"

/* 10^n for n 0..38. */
i128 decimal_pow10(unsigned n);
/* "-?digits[.digits]", no exponent, no blanks, no thousands mark. False on anything else, above 38 digits or scale 12. */
bool decimal_parse(struct str s, struct value *out);
/* As decimal_parse and also JSON's exponent form as long as it is exact. */
bool decimal_parse_json(struct str s, struct value *out);
/* Writes with exactly v->scale decimals: "-0.50"; never an exponent. */
void decimal_print(struct buf *out, const struct value *v);
enum { DECIMAL_BYTES = 48 };
/* The same text without a buffer, for code that must not allocate; returns its length. */
size_t decimal_write(char out[DECIMAL_BYTES], const struct value *v);
/* The two digits of v < 100. */
extern const char decimal__pairs[200];
static inline const char *decimal_pair(unsigned v) { return decimal__pairs + 2 * v; }
/* The same number at another scale; false when digits would be lost or it overflows. */
bool decimal__rescale(const struct value *v, unsigned scale, struct value *out);
static inline bool decimal_rescale(const struct value *v, unsigned scale, struct value *out)
{
    if (scale != v->scale) return decimal__rescale(v, scale, out);
    *out = (struct value){.kind = V_DECIMAL, .scale = v->scale, .u.coef = v->u.coef};
    return true;
}
/* Half away from zero to n decimals (n <= scale: shorter; n > scale: exact). False on overflow. */
bool decimal_round(const struct value *v, unsigned n, struct value *out);
/* Exact results: scale = max for add and sub, sum for mul. False on overflow (the checker proves that it cannot be). */
bool decimal_add(const struct value *a, const struct value *b, struct value *out);
bool decimal_sub(const struct value *a, const struct value *b, struct value *out);
bool decimal_mul(const struct value *a, const struct value *b, struct value *out);
/* a / b rounded half away from zero to `scale`; false when b is zero or on overflow. */
bool decimal_div(const struct value *a, const struct value *b, unsigned scale, struct value *out);
int  decimal_compare(const struct value *a, const struct value *b);
/* Digits before and behind the point without leading and trailing zeros: 1200.50 -> 4 + 1. */
void decimal_digits(const struct value *v, unsigned *before, unsigned *behind);
/* Overflow-checked arithmetic on bare coefficients, shared with the compiler's interval proofs; true = overflow. */
bool i128_add(i128 a, i128 b, i128 *out);
bool i128_sub(i128 a, i128 b, i128 *out);
bool i128_mul(i128 a, i128 b, i128 *out);
#endif
