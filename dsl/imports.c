/* imports.c - `import "tables.mlc"`: another file of the user's own stands where the import stands.
 *
 *   items of the spec -imports__splice-> items of all files in one list, in the order of reading; every node keeps the span of its own file
 *
 * Paths are relative to the file that names them, also those of CSVs in an imported file. A file that two others import is read once; a circle
 * is refused. Everything may stand in an imported file but the name of the spec. */
#include "dsl/check.h"
#include "dsl/parse.h"
#include "base/check.h"

enum { IMPORTS_MAX = 200 };

struct loaded { const char *path; bool open; struct loaded *next; };
struct splice { struct check *c; struct loaded *files; size_t n; struct ast_list out; };

static const char *folder_of(const struct check *c, uint16_t file, int *n)
{
    const struct source *src = sources_get(c->sources, file);
    const char *slash = src ? memrchr(src->name.p, '/', src->name.n) : NULL;
    *n = slash ? (int)(slash - src->name.p) : 0;
    if (slash && *n == 0) *n = 1;                     /* "/x.mlc" */
    return src ? src->name.p : "";
}

/* a/./b and a/../b are written the short way, so that one file has one name. */
static const char *shortened(struct arena *a, const char *path)
{
    size_t len = strlen(path), n = 0;
    char *out = arena_alloc(a, len + 2);
    if (path[0] == '/') out[n++] = '/';
    for (const char *p = path; *p;) {
        const char *end = strchr(p, '/');
        size_t part = end ? (size_t)(end - p) : strlen(p);
        size_t last = n;
        while (last > 0 && out[last - 1] != '/') last--;
        bool up = part == 2 && p[0] == '.' && p[1] == '.', here = part == 0 || (part == 1 && p[0] == '.');
        bool can = n > last && !(n - last == 2 && out[last] == '.' && out[last + 1] == '.');
        if (up && can) n = last > 1 ? last - 1 : last;
        else if (!here) {
            if (n > 0 && out[n - 1] != '/') out[n++] = '/';
            memcpy(out + n, p, part);
            n += part;
        }
        p += part + (end != NULL);
    }
    out[n] = 0;
    return out;
}

const char *imports__beside(struct check *c, struct span at, struct str file)
{
    int n;
    const char *dir = folder_of(c, at.file, &n);
    if (file.n && file.p[0] == '/') return arena_copy(c->a, file.p, file.n);
    return shortened(c->a, arena_printf(c->a, "%.*s%s%.*s", n, dir, n ? "/" : "", (int)file.n, file.p));
}

static struct loaded *named(struct splice *s, const char *path)
{
    for (struct loaded *l = s->files; l != NULL; l = l->next)
        if (strcmp(l->path, path) == 0) return l;
    return NULL;
}

static void splice(struct splice *s, struct ast_list items, bool main);

static void follow(struct splice *s, struct ast_import_file *n)
{
    struct check *c = s->c;
    struct fault f = {0};
    struct source *src = NULL;
    const char *path = imports__beside(c, n->base.at, n->file);
    struct loaded *l = named(s, path);
    if (l != NULL) {
        if (l->open)
            diag_help(diag2(c->ds, n->base.at, D_BAD_IMPORT, diag_str(c->ds, n->file), "it is this file, or imports this file itself"),
                      "leave the line out: what that file declares is known here");
        return;
    }
    if (n->file.n < 5 || memcmp(n->file.p + n->file.n - 4, ".mlc", 4) != 0 || n->file.p[0] == '/') {
        diag2(c->ds, n->base.at, D_BAD_IMPORT, diag_str(c->ds, n->file), "a path relative to this file, ending in .mlc, is needed");
        return;
    }
    if (++s->n > IMPORTS_MAX) {
        diag1(c->ds, n->base.at, D_LIMIT, "200 imported files");
        return;
    }
    if (sources_load(c->sources, c->files->world, path, &src, &f) != ERR_OK) {
        diag_help(diag2(c->ds, n->base.at, D_FILE_UNREADABLE, diag_str(c->ds, n->file), f.text[0] ? f.text : "not found"), "paths are relative to the file that names them");
        return;
    }
    l = ARENA_NEW(c->a, struct loaded);
    *l = (struct loaded){path, true, s->files};
    s->files = l;
    splice(s, parse_file(src, c->a, c->ds)->items, false);
    l->open = false;
}

static void splice(struct splice *s, struct ast_list items, bool main)
{
    for (struct ast *n = items.first, *next; n != NULL; n = next) {
        next = n->next;
        n->next = NULL;
        if (n->kind == AST_IMPORT_FILE) follow(s, AST_AS(import_file, n));
        else if (n->kind == AST_SPEC && !main)
            diag_help(diag1(s->c->ds, n->at, D_BAD_EXTEND, "an imported file is a part of another spec"), "leave the line out: the importing file has the name");
        else s->out = ast_append(s->out, n);
    }
}

void imports__splice(struct check *c, struct ast_file *file)
{
    const struct source *src = sources_get(c->sources, file->base.at.file);
    struct splice s = {.c = c};
    struct loaded *l = ARENA_NEW(c->a, struct loaded);
    *l = (struct loaded){shortened(c->a, src ? arena_copy(c->a, src->name.p, src->name.n) : ""), true, NULL};
    s.files = l;
    splice(&s, file->items, true);
    file->items = s.out;
}
