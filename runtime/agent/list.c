/* list.c - what a scan found, sorted by position and key, bounded in memory.
 *
 * A list takes at most twice `max` entries before it is sorted and cut to the `max` lowest ones; what was cut is found again by a scan that begins
 * behind the last entry. So a table of any size is paged through with a list of bounded size. */
#include "agent/private.h"
#include "base/check.h"
#include <stdlib.h>

void agent__list_free(struct agent__list *l)
{
    if (l->live) arena_free(&l->arena);
    free(l->entry);
    memset(l, 0, sizeof *l);
}

static int compare(const void *a, const void *b)
{
    const struct agent__entry *x = a, *y = b;
    if (x->position != y->position) return x->position < y->position ? -1 : 1;
    return agent__key_compare((struct str){x->key, x->n}, (struct str){y->key, y->n});
}

/* Keeps the lowest `max` entries, in an arena of their own. */
static void cut(struct agent__list *l)
{
    struct arena kept;
    if (l->n) qsort(l->entry, l->n, sizeof *l->entry, compare);
    if (l->n <= l->max) return;
    l->n = l->max;
    l->cut = true;
    arena_init(&kept, 0);
    for (size_t i = 0; i < l->n; i++) l->entry[i].key = arena_copy(&kept, l->entry[i].key, l->entry[i].n);
    arena_free(&l->arena);
    l->arena = kept;
}

void agent__list_add(struct agent__list *l, int64_t position, struct str key)
{
    if (l->n >= 2 * l->max) cut(l);
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 256;
        struct agent__entry *more = realloc(l->entry, cap * sizeof *more);
        if (!more) check_no_memory();
        l->entry = more;
        l->cap = cap;
    }
    l->entry[l->n++] = (struct agent__entry){position, arena_copy(&l->arena, key.p, key.n), (uint16_t)key.n};
}

void agent__list_sort(struct agent__list *l)
{
    cut(l);
    size_t out = 0;     /* a file that is being rebuilt may list a row twice */
    for (size_t i = 0; i < l->n; i++)
        if (out == 0 || compare(&l->entry[out - 1], &l->entry[i]) != 0) l->entry[out++] = l->entry[i];
    l->n = out;
}

size_t agent__list_after(const struct agent__list *l, int64_t position, bool has_key, struct str key)
{
    size_t lo = 0, hi = l->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct agent__entry *e = &l->entry[mid];
        bool behind = e->position > position ||
                      (e->position == position && (!has_key || agent__key_compare((struct str){e->key, e->n}, key) > 0));
        if (behind) hi = mid;
        else lo = mid + 1;
    }
    return lo;
}

size_t agent__list_bytes(const struct agent__list *l)
{
    size_t bytes = l->cap * sizeof *l->entry;
    for (size_t i = 0; i < l->n; i++) bytes += ((size_t)l->entry[i].n + 16) / 16 * 16;
    return bytes;
}
