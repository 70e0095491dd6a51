/* image_types.h - what each instruction makes of its operands: types of results, sizes of new text, cost. The verifier's knowledge,
 * apart from its walk over a program; private to the room but for image_bounds in image.h. */
#ifndef CODE_IMAGE_TYPES_H
#define CODE_IMAGE_TYPES_H
#include "code/image_private.h"
#include "value/builtin.h"

/* ADD, SUB, MUL, NEG (b unused) of decimals; false when 38 digits or 12 decimals do not suffice. */
bool image__arith_type(enum opcode op, const struct type *a, const struct type *b, struct type *out);
/* TEXT of a present value of type in; false for a link. */
bool image__text_type(const struct type *in, struct type *out);
/* CONCAT; false above LIMIT_TEXT_CHARS. */
bool image__concat_type(const struct type *parts, size_t n, struct type *out);
/* The types of an argument list's registers, into out[BUILTIN_ARGS_MAX]; returns how many. */
size_t image__list_types(const struct image *im, const struct image_flow *fl, uint16_t list, struct type *out);
/* Bytes of scratch and units of cost of one well-formed instruction (docs/image-format.md, "Cost"). */
void image__instr_bounds(const struct image *im, const struct image_flow *fl, const struct instr *in, uint64_t *scratch, uint64_t *cost);
/* Sums over a program. */
void image__program_bounds(const struct image *im, const struct image_flow *fl, const struct image_program *p, uint64_t *scratch, uint64_t *cost);
#endif
