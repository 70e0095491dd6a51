/* builtin.c - from the number of a builtin to its function; the scratch memory that they write to. */
#include "vm/builtin.h"
#include "base/check.h"

static builtin_fn *const functions[BUILTIN_COUNT] = {
#define BUILTIN(name, signature, rule, doc, example) builtin__##name,
#include "value/builtin.def"
};

char *scratch_take(struct scratch *s, size_t n)
{
    n = (n + 15) / 16 * 16;
    ASSERT(n <= s->size - s->used);
    char *p = s->p + s->used;
    s->used += n;
    return p;
}

builtin_fn *builtin_function(unsigned b)
{
    ASSERT(b < BUILTIN_COUNT);
    return functions[b];
}

void builtin_run(unsigned b, const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    builtin_function(b)(args, nargs, s, out);
    if (out->kind == V_ABSENT) *out = value_absent;       /* an argument's mark is not the answer's */
}
