/* compile.c - bench-compile: how long mlc takes for a spec of 5,000 lines, and mlcd to load and verify a compiled file of 1 MB. The specs are made
 * here: flows with rules of every usual kind, tables, functions and tests, as people write them. Best of several runs, in milliseconds of CPU time:
 * one thread, and the file comes out of the page cache.
 *
 *     bench-compile [FOLDER]       FOLDER: keep the spec there (default: a temporary one)
 *     bench-compile --print FLOWS FIELDS  such a spec to standard output */
#include "compiler/compile.h"
#include "dsl/parse.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 15 };
struct size { int flows, fields; };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- the spec ---- */

static void frame(struct buf *b)
{
    buf_puts(b, "mlc 1\nspec \"bench\"\n\nimport file\n\nsource feed: file {\n  path    = \"in\"\n  company = \"ABC\"\n}\n\ntarget out: file { path = \"out\" }\n\n");
    buf_puts(b, "table terms {\n");
    for (int i = 0; i < 60; i++) buf_printf(b, "  \"%02d\" => \"Net %d\",\n", i, i);
    buf_puts(b, "  else => null,\n}\n\nfn owed(a: decimal(13,2), b: decimal(13,2), c: decimal(13,2)) = a + b + c\n\n");
}

static void flow(struct buf *b, int n, int fields)
{
    buf_printf(b, "entity feed.Rows%d {\n  key No: text(1..20)\n  Name:   text(50)?\n  City:   text(30)?\n  State:  text(2)?\n  Terms:  text(2)?\n  Hold:   bool = false\n"
                  "  Limit:  decimal(13,2) = 0\n  Owed:   decimal(13,2) = 0\n  Late:   decimal(13,2) = 0\n}\n\n", n);
    buf_printf(b, "entity out.Records%d {\n  Key: text(60) @unique\n", n);
    for (int i = 0; i < fields; i++) buf_printf(b, i % 3 == 2 ? "  F%d: decimal(15,2)?\n" : "  F%d: text(200)?\n", i);
    buf_printf(b, "}\n\nflow f%d from feed.Rows%d to out.Records%d {\n  every 15m\n  key Key\n  when Name != \"T%d\" and Limit >= 0\n  let total = owed(Limit, Owed, Late)\n", n, n, n, n);
    for (int i = 0; i < fields; i++) {
        int k = (n + i) % 6;
        if (i % 3 == 2) buf_printf(b, k % 2 ? "  F%d = round(total * 1.%d, 2)\n" : "  F%d = max(Limit, Owed, %d) - Late\n", i, 100 + n);
        else if (k == 0) buf_printf(b, "  F%d = match { Hold => \"held %d\", Limit > %d and total > Limit => \"over\", else => Name }\n", i, n, n);
        else if (k == 1) buf_printf(b, "  F%d = terms[Terms] ?? \"terms %d\"\n", i, n);
        else if (k == 2) buf_printf(b, "  F%d = truncate(upper(City ?? \"city %d\"), 40)\n", i, n);
        else if (k == 3) buf_printf(b, "  F%d = join(\", \", City, State, \"%d\")\n", i, n);
        else if (k == 4) buf_printf(b, "  F%d = match State { \"TX\" => \"Texas\", \"CA\" | \"OR\" => \"West %d\", else => State ?? reject \"no state %d\" }\n", i, n, n);
        else buf_printf(b, "  F%d = \"No {No} of %d\"\n", i, n);
    }
    buf_printf(b, "}\n\ntest \"t%d\" of f%d {\n  given  { No = \"1\"  Name = \"x\"  State = \"TX\"  Limit = 5 }\n  expect { F11 = 5 }\n}\n\n", n, n);
}

static void spec(struct buf *b, struct size size)
{
    frame(b);
    for (int n = 0; n < size.flows; n++) flow(b, n, size.fields);
}

static size_t lines_of(const struct buf *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) n += b->p[i] == '\n';
    return n;
}

/* ---- the clock ---- */

struct times { double parse, open, image, write, load; size_t bytes; };

static void least(double *best, double ms)
{
    if (*best == 0 || ms < *best) *best = ms;
}

static bool once(const struct world *w, const char *path, struct times *t)
{
    struct compile c, parsed;
    struct fault f = {0};
    struct buf bytes = {0};
    struct image *again;
    struct image_fault why;
    double start = now_ms();
    if (compile_parse(&parsed, w, path, &f) != ERR_OK) return false;
    double parse = now_ms() - start;
    compile_close(&parsed);
    start = now_ms();
    if (compile_open(&c, w, path, &f) != ERR_OK) return false;
    double checked = now_ms();
    struct image *im = c.diags.nerrors ? NULL : compile_image(&c);
    double made = now_ms();
    if (!im) {
        struct buf said = {0};
        diags_print(&c.diags, DIAG_FORMAT_TEXT, false, &said);
        fprintf(stderr, "bench-compile: the spec is wrong: %.*s\n", (int)(said.n < 900 ? said.n : 900), said.p);
        return false;
    }
    image_write(im, &bytes);
    double written = now_ms();
    struct arena a;
    arena_init(&a, 0);
    bool good = image_load(buf_view(&bytes), &a, &again, &why) == ERR_OK;
    double loaded = now_ms();
    arena_free(&a);
    least(&t->parse, parse);
    least(&t->open, checked - start);
    least(&t->image, made - checked);
    least(&t->write, written - made);
    least(&t->load, loaded - written);
    t->bytes = bytes.n;
    buf_free(&bytes);
    compile_close(&c);
    return good;
}

static bool measure(const struct world *w, const char *path, struct size size, struct times *t, size_t *got_lines)
{
    struct buf b = {0};
    struct fault f = {0};
    spec(&b, size);
    *got_lines = lines_of(&b);
    bool good = world_write_file(w, path, buf_view(&b), 0600, &f) == ERR_OK;
    *t = (struct times){0};
    for (int i = 0; good && i < RUNS; i++) good = once(w, path, t);
    buf_free(&b);
    if (!good) fprintf(stderr, "bench-compile: %s failed %s\n", path, f.text);
    return good;
}

int main(int argc, char **argv)
{
    /* 1,250 to 10,000 lines; then few lines more and much more code: a compiled file of 1 MB */
    static const struct size sizes[] = {{22, 12}, {47, 12}, {95, 12}, {190, 12}, {200, 25}};
    char dir[] = "/tmp/mlc-compile-XXXXXX", path[4200];
    struct world w;
    struct times t;
    size_t n;
    world_real(&w);
    if (argc == 4 && strcmp(argv[1], "--print") == 0) {
        struct buf b = {0};
        spec(&b, (struct size){(int)strtol(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10)});
        fwrite(b.p, 1, b.n, stdout);
        buf_free(&b);
        return 0;
    }
    const char *folder = argc == 2 ? argv[1] : mkdtemp(dir);
    if (!folder) return 1;
    snprintf(path, sizeof path, "%s/bench.mlc", folder);
    printf("| spec | parse alone | parse and check | make and verify | write | all of it | compiled file | load and verify |\n|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (!measure(&w, path, sizes[i], &t, &n)) return 1;
        printf("| %zu lines | %.1f ms | %.1f ms | %.1f ms | %.1f ms | %.1f ms | %zu KiB | %.2f ms |\n", n, t.parse, t.open, t.image, t.write, t.open + t.image + t.write,
               t.bytes / 1024, t.load);
    }
    unlink(path);
    if (argc != 2) rmdir(folder);
    return 0;
}
