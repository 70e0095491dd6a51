/* builtin_doc_test.c - every builtin's example is compiled and run as it stands in builtin.def, and docs/builtins.md has exactly the rows that
 * builtin.def makes, under whatever headings. Run from the top of the project; `builtin_doc_test --print` writes the rows for pasting. */
#include "compiler/compile.h"
#include "tests/unit/value/ok.h"
#include "value/builtin.h"
#include "vm/vm.h"
#include <stdlib.h>
#include <unistd.h>

static const char *const page = "docs/builtins.md";
static struct world world;
static struct arena arena;

/* ---- examples ---- */

static const char *field_type(char kind)
{
    switch (kind) {
    case 'T': return "text(60000)";
    case 'D': return "decimal(38,12)";
    case 'B': return "bool";
    case 'd': return "date";
    case 'l': return "datetime";
    default:  return "instant";
    }
}

/* One flow; fields V0 and W0, V1 and W1, ...: a call, and what it should give. */
static struct str spec_of_examples(struct buf *b)
{
    buf_puts(b, "mlc 1\nspec \"examples\"\nimport file\nsource feed: file { path = \"in\" }\ntarget out: file { path = \"out\" }\n"
                "entity feed.Rows { key No: text(1..20) }\nentity out.Records { Key: text(60) @unique\n");
    for (unsigned i = 0; i < BUILTIN_COUNT; i++) {
        const char *type = field_type(builtin_info(i).result.kind);
        buf_printf(b, "  V%u: %s  W%u: %s\n", i, type, i, type);
    }
    buf_puts(b, "}\nflow f from feed.Rows to out.Records {\n  every 1h\n  key Key\n");
    for (unsigned i = 0; i < BUILTIN_COUNT; i++) {
        const char *example = builtin_info(i).example, *arrow = strstr(example, " => ");
        if (arrow) buf_printf(b, "  V%u = %.*s\n  W%u = %s\n", i, (int)(arrow - example), example, i, arrow + 4);
        else ok(false, example, "has no =>");
    }
    buf_puts(b, "}\n");
    return buf_view(b);
}

static void compare(const struct image_flow *f, const struct vm_out *out)
{
    for (size_t i = 0; i + 1 < f->nfields; i++) {
        if (f->fields[i].name.p[0] != 'V' || f->fields[i + 1].name.p[0] != 'W') continue;
        struct buf got = {0};
        value_json(&got, out->values[i]);
        const char *example = builtin_info((unsigned)strtoul(f->fields[i].name.p + 1, NULL, 10)).example;
        ok(value_equal(out->values[i], out->values[i + 1]), example, "gives %.*s", (int)got.n, got.p);
        buf_free(&got);
    }
}

static void examples(void)
{
    char dir[] = "/tmp/mlc-builtins-XXXXXX";
    struct compile c;
    struct fault f = {0};
    struct buf text = {0}, said = {0};
    if (!mkdtemp(dir)) { ok(false, "setup", "no temporary folder"); return; }
    const char *path = arena_printf(&arena, "%s/examples.mlc", dir);
    bool good = world_write_file(&world, path, spec_of_examples(&text), 0600, &f) == ERR_OK && compile_open(&c, &world, path, &f) == ERR_OK;
    if (!ok(good, "the examples are read", "%s", f.text)) return;
    struct image *im = c.diags.nerrors ? NULL : compile_image(&c);
    diags_print(&c.diags, DIAG_FORMAT_TEXT, false, &said);
    if (ok(im != NULL && c.diags.nerrors == 0, "the examples compile", "%.*s", (int)(said.n < 2000 ? said.n : 2000), said.p ? said.p : "")) {
        struct vm *vm = vm_new(im);
        struct value *none = ARENA_ARRAY(&arena, struct value, im->flows[0].ncolumns + 1);
        for (size_t i = 0; i < im->flows[0].ncolumns; i++) none[i] = value_text(STR("x"));
        struct vm_out out;
        vm_map(vm, &im->flows[0], none, &out);
        compare(&im->flows[0], &out);
        vm_free(vm);
    }
    compile_close(&c);
    buf_free(&text);
    buf_free(&said);
    unlink(path);
    rmdir(dir);
}

/* ---- the page ---- */

static const char *word_of(char kind)
{
    switch (kind) {
    case 'T': return "text";
    case 'D': return "number";
    case 'B': return "yes/no";
    case 'd': return "date";
    case 'l': return "wall time";
    case 'i': return "point in time";
    case 'N': return "n";
    default:  return "\"...\"";
    }
}

static void put_slot(struct buf *b, struct builtin_slot s) { buf_printf(b, "%s%s", word_of(s.kind), s.optional ? "?" : ""); }

static void put_row(struct buf *b, unsigned i)
{
    struct builtin_info in = builtin_info(i);
    const char *arrow = strstr(in.example, " => ");
    buf_printf(b, "| `%s(", in.name);
    for (unsigned k = 0; k < in.nparams; k++) {
        buf_puts(b, k ? ", " : "");
        put_slot(b, in.params[k]);
    }
    buf_printf(b, "%s)` | ", in.variadic ? ", ..." : "");
    put_slot(b, in.result);
    buf_printf(b, " | %s | %s | `%.*s` → `%s` |\n", in.doc, in.rule_text, (int)(arrow - in.example), in.example, arrow + 4);
}

static void compare_page(void)
{
    struct str text = {0};
    struct fault f = {0};
    if (world_read_file(&world, page, 1 << 20, &arena, &text, &f) != ERR_OK) { ok(false, page, "%s", f.text); return; }
    for (unsigned i = 0; i < BUILTIN_COUNT; i++) {
        struct buf row = {0};
        put_row(&row, i);
        char name[60];
        snprintf(name, sizeof name, "%s stands in %s", builtin_info(i).name, page);
        ok(memmem(text.p, text.n, row.p, row.n) != NULL, name, "not this row: %.*s", (int)row.n - 1, row.p);
        buf_free(&row);
    }
    size_t rows = 0;
    for (size_t i = 0; i + 3 < text.n; i++) rows += memcmp(text.p + i, "\n| `", 4) == 0;
    ok(rows == BUILTIN_COUNT, "no row too many", "%zu rows, %d builtins", rows, BUILTIN_COUNT);
}

int main(int argc, char **argv)
{
    world_real(&world);
    arena_init(&arena, 0);
    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        struct buf b = {0};
        for (unsigned i = 0; i < BUILTIN_COUNT; i++) put_row(&b, i);
        printf("%.*s", (int)b.n, b.p);
        buf_free(&b);
        arena_free(&arena);
        return 0;
    }
    examples();
    compare_page();
    arena_free(&arena);
    return ok_done();
}
