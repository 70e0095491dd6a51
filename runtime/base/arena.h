/* arena.h - memory with one life: compile, run, page, request. Freeing is a reset; nothing is freed one by one. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include <stddef.h>
#include <stdint.h>

struct arena_chunk;
struct arena {
    struct arena_chunk *head;  /* chunk being filled */
    size_t used;               /* bytes used in head */
    size_t chunk_bytes;        /* size of a normal chunk */
    struct arena_chunk *spare; /* a normal chunk that was given back: a mark and release for each row must not be a malloc and free for each row */
};
struct arena_mark { struct arena_chunk *chunk; size_t used; };

/* Makes an empty arena; memory is taken at the first allocation. chunk_bytes 0 means 64 KiB. */
void arena_init(struct arena *a, size_t chunk_bytes);
/* Returns n zeroed bytes, aligned to 16, owned by the arena. Never NULL: out of memory ends the process (exit 71). */
void *arena_alloc(struct arena *a, size_t n);
/* Copies n bytes and adds a NUL behind them. */
char *arena_copy(struct arena *a, const void *p, size_t n);
/* Takes over p, which malloc gave: when what was taken since is given back, `give` gets it, or free where that is NULL. */
void arena_adopt(struct arena *a, void *p, void (*give)(void *p));
/* What `from` holds belongs to `to` from now on and stays where it is; `from` is empty. */
void arena_join(struct arena *to, struct arena *from);
/* printf into the arena. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Remembers a point; arena_release gives back all that was taken since. */
struct arena_mark arena_mark(const struct arena *a);
void arena_release(struct arena *a, struct arena_mark m);
/* Empties the arena but keeps one normal chunk for re-use. */
void arena_reset(struct arena *a);
/* Gives all memory back. */
void arena_free(struct arena *a);

#define ARENA_NEW(a, type)       ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n)  ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))
#endif
