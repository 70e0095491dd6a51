/* trace.h - which opcodes ran, and with operands that were there or absent: the vm's own source compiled once more with a look at every instruction.
 * Not for code that includes dsl/ast.h's enum ast_op and code/opcode.h at once: names only. */
#ifndef TESTS_REFERENCE_TRACE_H
#define TESTS_REFERENCE_TRACE_H
#include "vm/vm.h"

struct vm *trace_new(const struct image *im);
void trace_free(struct vm *vm);
/* Runs filter, adoption and mapping of a flow over one row. column_of: where each column of the image stands in values; NULL: in order. */
void trace_row(struct vm *vm, const struct image_flow *f, const struct value *values, const size_t *column_of);
/* Prints the table of what was met; a line "not ok" for every operand that was never met as it can be. True when nothing is missing. */
bool trace_report(void);
/* For single questions: did builtin b meet argument i (0..3) present, absent, at the ends of what its type allows (a text of the fewest or the most
 * characters, the smallest or largest number, the first or last day of the calendar); did it answer, not answer, as long as it can? */
enum trace_edge { TRACE_PRESENT, TRACE_ABSENT, TRACE_LEAST, TRACE_MOST, TRACE_EDGES };
bool trace_met_opcode(unsigned op);
bool trace_met_argument(unsigned b, size_t i, enum trace_edge e);
bool trace_met_result(unsigned b, enum trace_edge e);
#endif
