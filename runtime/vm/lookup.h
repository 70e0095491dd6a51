/* lookup.h - a table of the image by the hash of its keys; private to the room. Made when a program is prepared, never stored. */
#ifndef VM_LOOKUP_H
#define VM_LOOKUP_H
#include "code/image.h"
#include "vm/chars.h"

struct lookup {
    const struct image_table *table;
    unsigned shift;                  /* 64 less the bits of a slot's number */
    uint32_t slots[];                /* open addressing, half of them empty at least: 0, else 1 + place in the table */
};
struct lookup *vm__lookup_of(const struct image_table *t);

/* Of its first eight and its last eight bytes and its length. */
static inline size_t lookup__slot(const struct lookup *l, struct str key)
{
    uint64_t w = chars_word(key, 0), end = key.n > 8 ? chars_word(key, key.n - 8) : 0;
    return (size_t)((w ^ (end << 32 | end >> 32) ^ key.n << 56) * UINT64_C(0x9e3779b97f4a7c15) >> l->shift);
}
/* The value of a key (no text is empty), or NULL. */
static inline const struct value *lookup_get(const struct lookup *l, struct str key)
{
    size_t last = ((size_t)1 << (64 - l->shift)) - 1;
    for (size_t i = lookup__slot(l, key); l->slots[i]; i = (i + 1) & last)
        if (str_eq(value_str(&l->table->keys[l->slots[i] - 1]), key)) return &l->table->values[l->slots[i] - 1];
    return NULL;
}
#endif
