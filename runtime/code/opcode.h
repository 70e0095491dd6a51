/* opcode.h - the instruction set as C: numbers, names and operand kinds, all from opcode.def. */
#ifndef CODE_OPCODE_H
#define CODE_OPCODE_H
#include "code/image.h"

enum opcode {
#define OP(name, operands, meaning) OP_##name,
#include "code/opcode.def"
#undef OP
    OP_COUNT
};
struct opcode_info { const char *name, *operands /* three letters, see opcode.def */, *meaning; };
extern const struct opcode_info opcodes[OP_COUNT];

enum { INSTR_WORDS = 4 };
struct instr { uint16_t op, a, b, c; };
static inline struct instr instr_at(const struct image_program *p, size_t i)
{
    const uint16_t *w = p->code + i * INSTR_WORDS;
    return (struct instr){w[0], w[1], w[2], w[3]};
}
/* An argument list in image.args: how many registers, and where they stand. */
static inline uint16_t args_count(const struct image *im, uint16_t list) { return im->args[list]; }
static inline const uint16_t *args_regs(const struct image *im, uint16_t list) { return im->args + list + 1; }
#endif
