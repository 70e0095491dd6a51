/* arena_test.c - memory that an arena takes over: from malloc, from another arena. That each piece is freed once, at its time, the sanitizers see. */
#include "base/arena.h"
#include "tests/unit/value/ok.h"
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { MUCH = 1 << 20 };

static size_t in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static char *filled(char with)
{
    char *p = malloc(MUCH);
    if (!p) abort();
    memset(p, with, MUCH);
    return p;
}

static void test_adopt(void)
{
    struct arena a;
    size_t before = in_use();
    arena_init(&a, 4096);
    char *first = arena_copy(&a, "first", 5), *page = filled('p');
    struct arena_mark m = arena_mark(&a);
    arena_adopt(&a, page, NULL);
    char *behind = arena_copy(&a, "behind", 6);
    ok(page[0] == 'p' && page[MUCH - 1] == 'p' && strcmp(first, "first") == 0 && strcmp(behind, "behind") == 0, "adopted memory stays where it is", "it moved");
    arena_release(&a, m);
    ok(strcmp(arena_copy(&a, "again", 5), "again") == 0 && strcmp(first, "first") == 0 && in_use() < before + MUCH, "a mark gives it back, and nothing that was before", "%zu bytes",
       in_use() - before);
    arena_adopt(&a, filled('q'), NULL);
    arena_reset(&a);
    ok(in_use() < before + MUCH, "and so does a reset", "%zu bytes", in_use() - before);
    arena_adopt(&a, filled('r'), NULL);
    arena_free(&a);
    ok(in_use() < before + 8192, "and the end", "%zu bytes", in_use() - before);
}

static void test_join(void)
{
    struct arena to, from;
    size_t before = in_use();
    arena_init(&to, 4096);
    arena_init(&from, 256);
    arena_join(&to, &from);
    ok(to.head == NULL && from.head == NULL, "nothing joined to nothing", "something");
    char *old = arena_copy(&to, "old", 3);
    struct arena_mark m = arena_mark(&to);
    char *name = arena_copy(&from, "name", 4), *page = filled('s'), *words[100];
    arena_adopt(&from, page, NULL);
    for (int i = 0; i < 100; i++) words[i] = arena_printf(&from, "word %d", i);
    arena_join(&to, &from);
    char *later = arena_copy(&to, "later", 5);
    bool whole = strcmp(old, "old") == 0 && strcmp(name, "name") == 0 && page[MUCH - 1] == 's' && strcmp(later, "later") == 0;
    for (int i = 0; i < 100; i++) whole &= strtol(words[i] + 5, NULL, 10) == i;
    ok(whole && from.head == NULL, "what another arena held is where it was", "it is not");
    ok(strcmp(arena_copy(&from, "anew", 4), "anew") == 0, "the other begins anew", "it does not");
    arena_release(&to, m);
    ok(strcmp(old, "old") == 0 && strcmp(arena_copy(&to, "more", 4), "more") == 0 && in_use() < before + MUCH, "a mark from before gives all of it back", "%zu bytes", in_use() - before);
    arena_free(&from);
    arena_free(&to);
    ok(in_use() < before + 8192, "and the end", "%zu bytes", in_use() - before);
}

int main(void)
{
    printf("# begins\n");                /* stdout has its buffer */
    test_adopt();
    test_join();
    return ok_failures != 0;
}
