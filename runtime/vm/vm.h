/* vm.h - runs verified programs over one row. Pure: no store, no net, no clock. Memory: everything is sized at vm_new from the image's proven
 * bounds, and when a program is run for the first time; after that a row costs no heap allocation. Texts in results live until the next row is run on this vm. */
#ifndef VM_VM_H
#define VM_VM_H
#include "code/image.h"

struct vm;
struct vm *vm_new(const struct image *im);
void vm_free(struct vm *vm);

enum vm_op { VM_SET, VM_KEEP };
struct vm_out {
    const struct value *const *values; /* per field of the flow, absent where not set; they lie in the vm, in the image or among the row's columns */
    const uint8_t *ops;                /* enum vm_op per field; event fields and the key field are VM_KEEP here: sync fills them */
    bool rejected; struct str message; /* rejected: values and ops mean nothing */
    const uint32_t *no_answer;         /* per field: 1 when a builtin or table had no answer for a present argument in this row */
};
/* Every column is what its declared type admits: the programs are proven for such rows only, and on others the functions below may end the
 * process. Connectors say so with source_row.violation; rows from elsewhere (snapshots of an older spec) must be asked about here. why
 * (may be NULL) names the column. */
bool vm_row_fits(const struct image_flow *fl, const struct value *cols, char *why, size_t why_len);
/* The flow's filter; true when there is none. */
bool vm_when(struct vm *vm, const struct image_flow *fl, const struct value *cols);
/* The mapping. Also collects which fields had a builtin without an answer, for the counters. */
void vm_map(struct vm *vm, const struct image_flow *fl, const struct value *cols, struct vm_out *out);
/* The text of a key of the flow's own; only its key columns are looked at. Absent when the flow has the usual key. */
struct value vm_key(struct vm *vm, const struct image_flow *fl, const struct value *cols);
/* Which record of flow `into` this row adds to: a link to it, or absent: none. *rejected stays NULL, or is the message that the row is set aside with. */
struct value vm_into(struct vm *vm, const struct image_flow *fl, const struct value *cols, const struct str **rejected);
/* The value to compare with adopt_field. */
struct value vm_adopt(struct vm *vm, const struct image_flow *fl, const struct value *cols);
#endif
