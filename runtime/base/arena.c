/* arena.c - a list of chunks, newest first; an allocation larger than a chunk gets a chunk of its own size, and memory that was adopted one of no size. */
#include "base/arena.h"
#include "base/check.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, CHUNK_DEFAULT = 64 * 1024 };

struct arena_chunk {
    struct arena_chunk *prev;
    size_t size;
    void *adopted;
    void (*give)(void *p);
};

static unsigned char *chunk_data(struct arena_chunk *c)
{
    return (unsigned char *)c + ((sizeof *c + ALIGN - 1) / ALIGN) * ALIGN;
}

static size_t normal_size(const struct arena *a) { return a->chunk_bytes ? a->chunk_bytes : CHUNK_DEFAULT; }

static void chunk_push(struct arena *a, size_t need)
{
    size_t size = normal_size(a);
    if (size < need) size = need;
    struct arena_chunk *c = a->spare;
    if (c && c->size == size) a->spare = NULL;
    else c = malloc(size + sizeof *c + ALIGN);
    if (!c) check_no_memory();
    *c = (struct arena_chunk){.prev = a->head, .size = size};
    a->head = c;
    a->used = 0;
}

static void chunk_pop(struct arena *a)
{
    struct arena_chunk *c = a->head;
    a->head = c->prev;
    a->used = a->head ? a->head->size : 0;
    if (c->give) c->give(c->adopted);
    else free(c->adopted);
    if (!a->spare && c->size == normal_size(a)) a->spare = c;
    else free(c);
}

void arena_init(struct arena *a, size_t chunk_bytes)
{
    *a = (struct arena){.chunk_bytes = chunk_bytes ? chunk_bytes : CHUNK_DEFAULT};
}

static void *take(struct arena *a, size_t n)
{
    ASSERT(n < SIZE_MAX / 2);
    n = (n + ALIGN - 1) / ALIGN * ALIGN;
    if (n == 0) n = ALIGN;
    if (!a->head || a->head->size - a->used < n) chunk_push(a, n);
    void *p = chunk_data(a->head) + a->used;
    a->used += n;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    return memset(take(a, n), 0, n);
}

char *arena_copy(struct arena *a, const void *p, size_t n)
{
    char *out = take(a, n + 1);
    if (n) memcpy(out, p, n);
    out[n] = '\0';
    return out;
}

void arena_adopt(struct arena *a, void *p, void (*give)(void *p))
{
    struct arena_chunk *c = malloc(sizeof *c);
    if (!c) check_no_memory();
    *c = (struct arena_chunk){.prev = a->head, .adopted = p, .give = give};
    a->head = c;
    a->used = 0;
}

void arena_join(struct arena *to, struct arena *from)
{
    struct arena_chunk *oldest = from->head;
    if (oldest) {
        while (oldest->prev) oldest = oldest->prev;
        oldest->prev = to->head;
        to->head = from->head;
        to->used = from->used;
        from->head = NULL;
    }
    arena_free(from);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    char *out = arena_alloc(a, (size_t)n + 1);
    vsnprintf(out, (size_t)n + 1, fmt, again);
    va_end(again);
    return out;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){a->head, a->used};
}

void arena_release(struct arena *a, struct arena_mark m)
{
    while (a->head != m.chunk) {
        ASSERT(a->head);
        chunk_pop(a);
    }
    a->used = m.used;
}

void arena_reset(struct arena *a)
{
    while (a->head && (a->head->prev || a->head->size > normal_size(a))) chunk_pop(a);
    a->used = 0;
}

void arena_free(struct arena *a)
{
    while (a->head) chunk_pop(a);
    free(a->spare);
    a->spare = NULL;
    a->used = 0;
}
