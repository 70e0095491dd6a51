/* vm/builtin.h - running a builtin. What a builtin is called, takes and gives stands in value/builtin.h, which checker, verifier
 * and vm share; this is the only header of the room that knows how an answer is computed. */
#ifndef VM_BUILTIN_H
#define VM_BUILTIN_H
#include "value/builtin.h"

/* Room for the texts that one program makes of one row; the verifier has proven that it suffices. */
struct scratch { char *p; size_t used, size; };

/* n bytes, aligned to 16. Running out is a bug of ours, not of the row. */
char *scratch_take(struct scratch *s, size_t n);

typedef void builtin_fn(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out);
/* What builtin b < BUILTIN_COUNT computes with; an absent answer may carry the mark of an argument. */
builtin_fn *builtin_function(unsigned b);
/* *out = builtin b of the arguments, which have the types that the verifier accepted. Texts of the answer lie in s or in an argument. */
void builtin_run(unsigned b, const struct value *const *args, size_t nargs, struct scratch *s, struct value *out);

/* One function per builtin, in the files builtin_*.c. */
#define BUILTIN(name, signature, rule, doc, example) \
    void builtin__##name(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out);
#include "value/builtin.def"
#endif
