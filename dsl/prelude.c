/* prelude.c - see prelude.h. The table comes from grammar/embed.sh: {name without .mlc, text, length}, files in byte order. */
#include "dsl/prelude.h"
#include "dsl/parse.h"

static const struct { const char *name; const unsigned char *text; size_t n; } parts[] = {
#include "prelude.inc"
};
#define PARTS (sizeof parts / sizeof parts[0])

static bool is_import(size_t i)
{
    return strchr(parts[i].name, '.') == NULL;
}

size_t prelude_count(void)
{
    size_t n = 0;
    for (size_t i = 0; i < PARTS; i++)
        n += is_import(i);
    return n;
}

struct str prelude_name(size_t index)
{
    for (size_t i = 0; i < PARTS; i++)
        if (is_import(i) && index-- == 0)
            return str_of(parts[i].name);
    return (struct str){"", 0};
}

/* "sage100" and "sage100.orders" belong to the import sage100. */
static bool part_of(size_t i, struct str name)
{
    struct str part = str_of(parts[i].name);
    return str_starts(part, name) && (part.n == name.n || part.p[name.n] == '.');
}

struct ast_file *prelude_import(struct str name, struct sources *s, struct arena *a, struct diags *ds)
{
    struct ast_file *whole = NULL;
    for (size_t i = 0; i < PARTS; i++) {
        if (name.n == 0 || memchr(name.p, '.', name.n) || !part_of(i, name))
            continue;
        struct str shown = str_of(arena_printf(a, "prelude/%s.mlc", parts[i].name));
        struct ast_file *file = parse_file(sources_add(s, shown, (struct str){(const char *)parts[i].text, parts[i].n}, true), a, ds);
        if (!whole) {
            whole = file;
            continue;
        }
        for (struct ast *n = file->items.first, *next; n; n = next) {
            next = n->next;
            n->next = NULL;
            whole->items = ast_append(whole->items, n);
        }
    }
    return whole;
}
