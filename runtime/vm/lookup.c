/* lookup.c - see lookup.h. */
#include "vm/lookup.h"
#include "base/check.h"
#include <stdlib.h>

struct lookup *vm__lookup_of(const struct image_table *t)
{
    unsigned bits = 1;
    while ((size_t)1 << bits < 2 * t->n) bits++;
    struct lookup *l = calloc(1, sizeof *l + ((size_t)1 << bits) * sizeof *l->slots);
    if (!l) check_no_memory();
    l->table = t;
    l->shift = 64 - bits;
    for (size_t k = 0; k < t->n; k++) {
        size_t i = lookup__slot(l, value_str(&t->keys[k]));
        while (l->slots[i]) i = (i + 1) & (((size_t)1 << bits) - 1);
        l->slots[i] = (uint32_t)(k + 1);
    }
    return l;
}
