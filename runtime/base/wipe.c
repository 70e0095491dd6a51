/* wipe.c - the allocator knows how large a piece is. */
#include "base/wipe.h"
#include "base/check.h"
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *wipe_malloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p) check_no_memory();
    return p;
}

void wipe_free(void *p)
{
    if (p) explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

void *wipe_realloc(void *p, size_t n)
{
    size_t have = p ? malloc_usable_size(p) : 0;
    if (p && n <= have && n >= have / 2) return p;
    void *q = malloc(n ? n : 1);
    if (!q) return NULL;
    if (have) memcpy(q, p, have < n ? have : n);
    wipe_free(p);
    return q;
}
