/* opcode.c - the table of opcode.def. */
#include "code/opcode.h"

const struct opcode_info opcodes[OP_COUNT] = {
#define OP(name, operands, meaning) {#name, operands, meaning},
#include "code/opcode.def"
#undef OP
};
