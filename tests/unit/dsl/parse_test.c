/* parse_test.c - golden files: tests/lang/parse/NAME.mlc gives the diagnostics of NAME.expect and, where NAME.ast stands, that tree.
 * UPDATE=1 writes .expect and .ast anew (review the difference). Run from the top of the project. */
#include "tests/unit/dsl/bench.h"
#include <dirent.h>

#define DIR_PARSE "tests/lang/parse"

static bool seen[D_COUNT];

static void compare(struct bench *b, const char *stem, const char *ext, struct str got, bool update, bool optional)
{
    char path[300], name[340];
    snprintf(path, sizeof path, "%s/%s%s", DIR_PARSE, stem, ext);
    snprintf(name, sizeof name, "parse %s%s", stem, ext);
    struct str want;
    bool there = bench_read(b, path, &want);
    if (!there && optional)
        return;
    if (update) {
        check(bench_write(path, got), name, "cannot write %s", path);
        return;
    }
    check(there && str_eq(want, got), name, "differs from %s; got:\n%.*s", path, (int)got.n, got.p);
}

static void one(const char *stem, bool update)
{
    struct bench b;
    char path[300];
    struct str text;
    struct buf list = {0}, tree = {0};
    bench_begin(&b);
    snprintf(path, sizeof path, "%s/%s.mlc", DIR_PARSE, stem);
    if (!bench_read(&b, path, &text)) {
        check(false, path, "cannot be read");
    } else {
        struct ast_file *f = parse_file(bench_source(&b, path, text), &b.arena, &b.ds);
        bench_list(&b, &list);
        ast_dump(&tree, &f->base, false);
        compare(&b, stem, ".expect", buf_view(&list), update, false);
        compare(&b, stem, ".ast", buf_view(&tree), update, true);
        for (size_t i = 0; i < b.ds.n; i++)
            seen[b.ds.list[i]->code] = true;
    }
    buf_free(&list);
    buf_free(&tree);
    bench_end(&b);
}

static void golden(void)
{
    struct dirent **list;
    const char *update = getenv("UPDATE");
    int n = scandir(DIR_PARSE, &list, NULL, alphasort);
    check(n > 0, "golden files", "no directory %s here", DIR_PARSE);
    for (int i = 0; i < n; i++) {
        size_t len = strlen(list[i]->d_name);
        if (len > 4 && strcmp(list[i]->d_name + len - 4, ".mlc") == 0) {
            list[i]->d_name[len - 4] = 0;
            one(list[i]->d_name, update && *update == '1');
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

/* Texts that would not sit well in a file. */
/* column 0: any */
static void expect_first(const char *name, struct str text, enum diag_code code, uint32_t line, uint32_t column)
{
    struct bench b;
    bench_begin(&b);
    parse_file(bench_source(&b, "t.mlc", text), &b.arena, &b.ds);
    const struct diag *d = b.ds.n ? b.ds.list[0] : NULL;
    struct place pl = d ? source_place(&b.sources, d->at) : (struct place){.line = 0};
    check(d && d->code == code && pl.line == line && (column == 0 || pl.column == column), name, "got %s at %u:%u", d ? d->message : "nothing", pl.line, pl.column);
    seen[code] = true;
    bench_end(&b);
}

static void repeat(struct buf *b, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_puts(b, s);
}

static void hostile(void)
{
    struct buf b = {0};
    expect_first("not UTF-8", STR("mlc 1\nspec \"a\xfc\"\n"), D_NOT_UTF8, 2, 8);
    expect_first("truncated UTF-8", STR("mlc 1\n# \xe2\x82"), D_NOT_UTF8, 2, 3);
    expect_first("byte order mark", STR("\xef\xbb\xbfmlc 1\nspec \"a\"\n"), D_BYTE_ORDER_MARK, 1, 1);
    expect_first("NUL", STR("mlc 1\n\0spec \"a\"\n"), D_STRAY_CHARACTER, 2, 1);
    expect_first("empty file", STR(""), D_NO_EDITION, 1, 1);
    expect_first("only a comment", STR("# nothing\n"), D_NO_EDITION, 2, 1);
    repeat(&b, "# long line of a comment\n", (4u << 20) / 25 + 1);
    expect_first("E0102 too large", buf_view(&b), D_FILE_TOO_LARGE, 1, 1);
    buf_clear(&b);
    buf_puts(&b, "mlc 1\nfn f() = ");
    repeat(&b, "(", 100000);
    expect_first("E0121 100,000 brackets", buf_view(&b), D_TOO_DEEP, 2, 210);
    buf_clear(&b);
    buf_puts(&b, "mlc 1\nfn f() = ");
    repeat(&b, "not ", 100000);
    buf_puts(&b, "true");
    expect_first("100,000 times not", buf_view(&b), D_TOO_DEEP, 2, 0);
    buf_clear(&b);
    buf_puts(&b, "mlc 1\nfn f() = 1");
    repeat(&b, " + 1", 100000);
    expect_first("a sum of 100,000", buf_view(&b), D_TOO_DEEP, 2, 0);
    buf_clear(&b);
    buf_puts(&b, "mlc 1\nfn f() = a");
    repeat(&b, ".b", 100000);
    expect_first("a path of 100,000", buf_view(&b), D_TOO_DEEP, 2, 0);
    buf_clear(&b);
    buf_puts(&b, "mlc 1\n");
    repeat(&b, "spec spec\n", 60);
    struct bench n;
    bench_begin(&n);
    parse_file(bench_source(&n, "t.mlc", buf_view(&b)), &n.arena, &n.ds);
    check(n.ds.n == 51 && n.ds.list[50]->code == D_TOO_MANY_ERRORS, "E0122 60 errors", "%zu", n.ds.n);
    seen[D_TOO_MANY_ERRORS] = true;
    bench_end(&n);
    buf_free(&b);
}

/* A long flat file is no nesting: 20,000 fields, 5,000 arms. */
static void large(void)
{
    struct bench n;
    struct buf b = {0};
    bench_begin(&n);
    buf_puts(&b, "mlc 1\nflow f from a.B to c.D {\n");
    for (int i = 0; i < 20000; i++)
        buf_printf(&b, "  F%d = G%d ?? \"x\"\n", i, i);
    buf_puts(&b, "}\ntable t {\n");
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, "  \"%d\" => %d,\n", i, i);
    buf_puts(&b, "}\n");
    struct ast_file *f = parse_file(bench_source(&n, "t.mlc", buf_view(&b)), &n.arena, &n.ds);
    size_t fields = f->items.first ? AST_AS(flow, f->items.first)->clauses.n : 0;
    check(n.ds.n == 0 && fields == 20000 && f->items.n == 2 && AST_AS(table, f->items.last)->arms.n == 5000, "a long flat file", "%zu %zu", n.ds.n, fields);
    buf_free(&b);
    bench_end(&n);
}

/* CR LF and tabs change nothing. */
static void line_ends(void)
{
    struct bench b;
    struct str text;
    struct buf crlf = {0};
    bench_begin(&b);
    bool there = bench_read(&b, DIR_PARSE "/example.mlc", &text);
    for (size_t i = 0; there && i < text.n; i++) {
        if (text.p[i] == '\n')
            buf_puts(&crlf, "\r\n");
        else if (text.p[i] == ' ' && i && text.p[i - 1] == '\n')
            buf_puts(&crlf, "\t");
        else
            buf_byte(&crlf, (unsigned char)text.p[i]);
    }
    struct ast_file *x = parse_file(bench_source(&b, "lf", text), &b.arena, &b.ds), *y = parse_file(bench_source(&b, "crlf", buf_view(&crlf)), &b.arena, &b.ds);
    check(there && b.ds.n == 0 && ast_equal(&x->base, &y->base), "CR LF and tabs", "%zu diagnostics", b.ds.n);
    buf_free(&crlf);
    bench_end(&b);
}

/* Every node's span lies inside its parent's, and holds its text. */
struct span_walk { struct bench *b; struct span parent; size_t bad; };
static void inside(void *ctx, struct ast *n)
{
    struct span_walk *w = ctx;
    if (n->at.file != w->parent.file || n->at.at < w->parent.at || n->at.end > w->parent.end || (n->at.at == n->at.end && n->kind != AST_FILE))
        w->bad++;
    ast_children(n, inside, &(struct span_walk){w->b, n->at, 0});
}

static void spans(const char *path)
{
    struct bench b;
    struct str text;
    char name[200];
    bench_begin(&b);
    snprintf(name, sizeof name, "spans of %s", path);
    bool there = bench_read(&b, path, &text);
    struct ast_file *f = there ? parse_file(bench_source(&b, path, text), &b.arena, &b.ds) : NULL;
    struct span_walk w = {&b, f ? f->base.at : (struct span){0, 0, 0}, 0};
    if (f)
        ast_children(&f->base, inside, &w);
    check(f && w.bad == 0, name, "%zu nodes", w.bad);
    bench_end(&b);
}

int main(void)
{
    golden();
    hostile();
    large();
    line_ends();
    spans(DIR_PARSE "/example.mlc");
    spans(DIR_PARSE "/every_production.mlc");
    for (unsigned c = 0; c < D_COUNT; c++) {
        const char *code = diag_code_text((enum diag_code)c);
        if (strncmp(code + 1, "01", 2) == 0)
            check(seen[c], code, "no test produces it");
    }
    return bench_failed;
}
