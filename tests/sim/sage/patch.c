/*
 * patch.c: what a test changed, over the generated rows. A hash by key, and two orders that are made again when they
 * are asked for after a change. A patched row leaves the generated order and comes from here, whatever was changed.
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

static size_t slot_of(const struct sage_patches *ps, const struct sage_key *key)
{
    size_t i = (size_t)sage__hash(7, key->b, key->len) & (ps->nslots - 1);
    while (ps->slots[i] && sage__key_cmp(&ps->slots[i]->key, key) != 0)
        i = (i + 1) & (ps->nslots - 1);
    return i;
}

struct sage_patch *sage__patch_find(const struct sage_patches *ps, const struct sage_key *key)
{
    return ps->count ? ps->slots[slot_of(ps, key)] : NULL;
}

static void rehash(struct sage_patches *ps)
{
    struct sage_patch **old = ps->slots;
    size_t nold = ps->nslots;
    ps->nslots = nold ? nold * 2 : 64;
    ps->slots = sage__alloc(ps->nslots * sizeof *ps->slots);
    for (size_t i = 0; i < nold; i++)
        if (old[i])
            ps->slots[slot_of(ps, &old[i]->key)] = old[i];
    free(old);
}

struct sage_patch *sage__patch_make(struct sage_patches *ps, const struct sage_key *key)
{
    struct sage_patch *p = sage__patch_find(ps, key);
    if (p)
        return p;
    if (ps->count * 2 >= ps->nslots)
        rehash(ps);
    p = sage__alloc(sizeof *p);
    p->key = *key;
    ps->slots[slot_of(ps, key)] = p;
    ps->count++;
    ps->sorted = false;
    return p;
}

void sage__patch_edit(struct sage_patch *p, int column, const char *value, size_t len)
{
    size_t i = 0;
    while (i < p->nedits && p->edits[i].column != column)
        i++;
    if (i == p->nedits) {
        p->edits = sage__grow(p->edits, (p->nedits + 1) * sizeof *p->edits);
        p->nedits++;
    } else {
        free(p->edits[i].value);
    }
    p->edits[i] = (struct sage_edit){column, value ? sage__copy_len(value, len) : NULL, value ? len : 0};
}

void sage__patch_clear(struct sage_patch *p)
{
    for (size_t i = 0; i < p->nedits; i++)
        free(p->edits[i].value);
    free(p->edits);
    p->edits = NULL;
    p->nedits = 0;
}

static int order_by_key(const void *a, const void *b)
{
    return sage__key_cmp(&(*(struct sage_patch *const *)a)->key, &(*(struct sage_patch *const *)b)->key);
}

static int order_by_position(const void *a, const void *b)
{
    int64_t pa = (*(struct sage_patch *const *)a)->position, pb = (*(struct sage_patch *const *)b)->position;
    return pa != pb ? (pa > pb) - (pa < pb) : order_by_key(a, b);
}

void sage__patches_sort(struct sage_patches *ps)
{
    if (ps->sorted || !ps->count)
        return;
    ps->by_key = sage__grow(ps->by_key, ps->count * sizeof *ps->by_key);
    ps->by_position = sage__grow(ps->by_position, ps->count * sizeof *ps->by_position);
    size_t n = 0;
    for (size_t i = 0; i < ps->nslots; i++)
        if (ps->slots[i])
            ps->by_key[n++] = ps->slots[i];
    memcpy(ps->by_position, ps->by_key, n * sizeof *ps->by_key);
    qsort(ps->by_key, n, sizeof *ps->by_key, order_by_key);
    qsort(ps->by_position, n, sizeof *ps->by_position, order_by_position);
    ps->sorted = true;
}

void sage__patches_free(struct sage_patches *ps)
{
    for (size_t i = 0; i < ps->nslots; i++) {
        if (!ps->slots[i])
            continue;
        sage__patch_clear(ps->slots[i]);
        free(ps->slots[i]);
    }
    free(ps->slots);
    free(ps->by_key);
    free(ps->by_position);
    memset(ps, 0, sizeof *ps);
}
