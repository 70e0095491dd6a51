/* lang_test.c - the golden cases under tests/lang (MLC_TESTS_DIR says where):
 *
 *   check*  NAME.mlc and NAME.expect, with the lock files of the folder: one CODE:LINE:COLUMN a line, CODE:FILE:LINE:COLUMN when it is not in the spec; empty = clean
 *   eval    NAME.mlc, NAME.in.jsonl, NAME.out.jsonl: the first flow, one output line for one input line
 *   hash    base.mlc; same_*.mlc have all its hashes; diff__FIELD__why.mlc differs in that field ("-": in the flow only)
 *
 * Every diagnostic of the checker, every opcode and every builtin must be hit by some case. MLC_BLESS=1 writes the expectations anew. */
#include "base/check.h"
#include "compiler/compile.h"
#include "compiler/rows.h"
#include "value/builtin.h"
#include <stdio.h>
#include <stdlib.h>

/* Names only: the enum of code/opcode.h and that of dsl/ast.h share a prefix. */
static const char *const opcode_names[] = {
#define OP(name, operands, meaning) #name,
#include "code/opcode.def"
#undef OP
};
enum { NOPCODES = sizeof opcode_names / sizeof *opcode_names, INSTR_WORDS = 4 };

static const char *root = "tests/lang";
static struct world world;
static int failures;
static bool bless, seen_op[NOPCODES], seen_builtin[BUILTIN_COUNT], seen_code[D_COUNT];

static void result(const char *name, const char *why)
{
    if (why == NULL) printf("ok %s\n", name);
    else {
        printf("not ok %s: %s\n", name, why);
        failures++;
    }
}

struct names { char *list[512]; size_t n; };

static void collect(void *arg, const char *name)
{
    struct names *n = arg;
    size_t len = strlen(name);
    if (len > 4 && strcmp(name + len - 4, ".mlc") == 0 && n->n < 512) n->list[n->n++] = strndup(name, len - 4);
}

static bool read_file(const char *path, struct arena *a, struct str *out)
{
    struct fault f;
    return world_read_file(&world, path, 1u << 24, a, out, &f) == ERR_OK;
}

/* Compares with the golden file, or writes it. */
static const char *against(const char *path, const struct buf *got, struct arena *a)
{
    struct str want = {0};
    struct fault f;
    if (bless) return world_write_file(&world, path, buf_view(got), 0644, &f) == ERR_OK ? NULL : "cannot write";
    if (!read_file(path, a, &want)) return "no expectation";
    if (str_eq(want, buf_view(got))) return NULL;
    return arena_printf(a, "differs\n--- expected\n%.*s--- got\n%.*s---", (int)want.n, want.p, (int)got->n, got->p ? got->p : "");
}

static void note_code(struct image *im)
{
    for (size_t i = 0; i < im->nflows; i++) {
        const struct image_program *p[3] = {&im->flows[i].when, &im->flows[i].map, &im->flows[i].adopt_program};
        for (size_t k = 0; k < 3; k++)
            for (size_t j = 0; j < p[k]->ninstr; j++) {
                const uint16_t *w = p[k]->code + j * INSTR_WORDS;
                seen_op[w[0]] = true;
                if (strcmp(opcode_names[w[0]], "CALL") == 0) seen_builtin[w[2]] = true;
            }
    }
}

/* Opens a spec of a case; a file that cannot be read is a failure of the test. */
static struct compile *open_spec(const char *path)
{
    struct compile *c = malloc(sizeof *c);
    struct fault f = {0};
    if (c == NULL || compile_open(c, &world, path, &f) != ERR_OK) {
        printf("not ok %s: %s\n", path, f.text);
        exit(1);
    }
    return c;
}

static void close_spec(struct compile *c)
{
    compile_close(c);
    free(c);
}

static struct image *image_of(struct compile *c)
{
    return c->diags.nerrors ? NULL : compile_image(c);
}

/* CODE:LINE:COLUMN of every diagnostic, in the order people see them. */
static void list_codes(struct compile *c, struct buf *out)
{
    struct buf text = {0};
    diags_print(&c->diags, DIAG_FORMAT_TEXT, false, &text);
    buf_free(&text);
    for (size_t i = 0; i < c->diags.n; i++) {
        const struct diag *d = c->diags.list[i];
        struct place p = source_place(&c->sources, d->at);
        seen_code[d->code] = true;
        buf_printf(out, "%s:", diag_code_text(d->code));
        if (p.source && p.source != c->source) {
            const char *slash = memrchr(p.source->name.p, '/', p.source->name.n);
            const char *base = slash ? slash + 1 : p.source->name.p;
            buf_put(out, base, (size_t)(p.source->name.p + p.source->name.n - base));
            buf_byte(out, ':');
        }
        buf_printf(out, "%u:%u\n", p.line, p.column);
    }
}

static void check_case(const char *dir, const char *name)
{
    struct arena a;
    struct buf got = {0};
    arena_init(&a, 0);
    const char *base = arena_printf(&a, "%s/%s/%s", root, dir, name);
    struct compile *c = open_spec(arena_printf(&a, "%s.mlc", base));
    image_of(c);
    list_codes(c, &got);
    result(arena_printf(&a, "%s/%s", dir, name), against(arena_printf(&a, "%s.expect", base), &got, &a));
    close_spec(c);
    buf_free(&got);
    arena_free(&a);
}

/* Each line through the flow; the vm runs what was written and loaded again, as mlcd would. */
static void eval_lines(const struct image *im, struct str in, struct arena *a, struct buf *out)
{
    const struct image_flow *f = &im->flows[0];
    struct vm *vm = vm_new(im);
    struct value *cols = ARENA_ARRAY(a, struct value, f->ncolumns + 1);
    char why[160];
    for (size_t at = 0; at < in.n;) {
        const char *nl = memchr(in.p + at, '\n', in.n - at);
        struct str line = {in.p + at, nl ? (size_t)(nl - in.p) - at : in.n - at};
        const char *violation;
        at += line.n + 1;
        if (!rows_read(f, line, a, cols, &violation, why, sizeof why)) buf_printf(out, "{\"error\":\"%s\"}\n", why);
        else if (violation) rows_put_reject(out, str_of(violation));
        else rows_eval(vm, im, f, cols, out);
    }
    vm_free(vm);
}

static const char *run_eval(struct compile *c, const char *base, struct arena *a)
{
    struct image *im = image_of(c), *again = NULL;
    struct image_fault why;
    struct buf bytes = {0}, twice = {0}, out = {0};
    struct str in;
    const char *err = NULL;
    if (im == NULL) return "does not compile";
    if (!read_file(arena_printf(a, "%s.in.jsonl", base), a, &in)) return "no input";
    image_write(im, &bytes);
    if (image_load(buf_view(&bytes), a, &again, &why) != ERR_OK) err = arena_printf(a, "does not load: %s", why.rule);
    else {
        image_write(again, &twice);
        if (!str_eq(buf_view(&bytes), buf_view(&twice))) err = "written, loaded and written it differs";
        note_code(again);
        eval_lines(again, in, a, &out);
        if (!err) err = against(arena_printf(a, "%s.out.jsonl", base), &out, a);
    }
    buf_free(&bytes);
    buf_free(&twice);
    buf_free(&out);
    return err;
}

static void eval_case(const char *dir, const char *name)
{
    struct arena a;
    arena_init(&a, 0);
    const char *base = arena_printf(&a, "%s/%s/%s", root, dir, name);
    struct compile *c = open_spec(arena_printf(&a, "%s.mlc", base));
    result(arena_printf(&a, "%s/%s", dir, name), run_eval(c, base, &a));
    close_spec(c);
    arena_free(&a);
}

static const struct image_field *field_named(const struct image_flow *f, struct str name)
{
    for (size_t i = 0; i < f->nfields; i++)
        if (str_eq(f->fields[i].name, name)) return &f->fields[i];
    return NULL;
}

static const char *compare_hashes(const struct image_flow *b, const struct image_flow *f, const char *name, struct arena *a)
{
    bool same = strncmp(name, "same_", 5) == 0;
    const char *field = same ? "" : name + 6;
    struct str differs = {field, same ? 0 : strcspn(field, "_")};
    if (hash_eq(&b->hash, &f->hash) != same) return same ? "the flow's hash differs" : "the flow's hash is the same";
    for (size_t i = 0; i < b->nfields; i++) {
        const struct image_field *x = field_named(f, b->fields[i].name);
        if (x == NULL) return "a field is missing";
        if (hash_eq(&b->fields[i].hash, &x->hash) == str_eq(b->fields[i].name, differs))
            return arena_printf(a, "hash of %.*s is not as expected", (int)x->name.n, x->name.p);
    }
    return NULL;
}

static void hash_case(const char *dir, const char *name)
{
    struct arena a;
    arena_init(&a, 0);
    struct compile *b = open_spec(arena_printf(&a, "%s/%s/base.mlc", root, dir));
    struct compile *c = open_spec(arena_printf(&a, "%s/%s/%s.mlc", root, dir, name));
    struct image *x = image_of(b), *y = image_of(c);
    const char *why = !x || !y ? "does not compile" : strcmp(name, "base") == 0 ? NULL : compare_hashes(&x->flows[0], &y->flows[0], name, &a);
    result(arena_printf(&a, "%s/%s", dir, name), why);
    close_spec(b);
    close_spec(c);
    arena_free(&a);
}

static void each(const char *dir, void (*run)(const char *dir, const char *name))
{
    struct names n = {.n = 0};
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, dir);
    if (world.files.list(world.files.ctx, path, collect, &n) != 0 || n.n == 0) result(path, "no cases");
    for (size_t i = 0; i < n.n; i++) {
        run(dir, n.list[i]);
        free(n.list[i]);
    }
}

static void coverage(void)
{
    for (unsigned i = 0; i < NOPCODES; i++)
        if (!seen_op[i]) result(opcode_names[i], "opcode in no eval case");
    for (unsigned i = 0; i < BUILTIN_COUNT; i++)
        if (!seen_builtin[i]) result(builtin_info(i).name, "builtin in no eval case");
    for (unsigned i = 0; i < D_COUNT; i++) {
        const char *code = diag_code_text((enum diag_code)i);
        bool syntax = code[1] == '0' && code[2] == '1';      /* those are the parser's, tested with it */
        if (!syntax && !seen_code[i]) result(code, "diagnostic in no check case");
        if (!syntax && diag_explain((enum diag_code)i).n == 0) result(code, "diagnostic without a page under docs/diagnostics");
    }
}

int main(void)
{
    const char *dir = getenv("MLC_TESTS_DIR"), *b = getenv("MLC_BLESS");
    if (dir && *dir) root = dir;
    bless = b && *b;
    world_real(&world);
    each("check", check_case);
    each("check_lock", check_case);
    each("check_badlock", check_case);
    each("check_sagelock", check_case);
    each("eval", eval_case);
    each("hash", hash_case);
    coverage();
    return failures ? 1 : 0;
}
