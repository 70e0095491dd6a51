/* doc_test.c - docs/image-format.md says what the tables say: instructions, sections, builtins, and the name of every rule that load and verify
 * can give. Run from the top of the project. `doc_test --print` writes the tables for pasting. */
#include "base/world.h"
#include "code/opcode.h"
#include "tests/unit/value/ok.h"
#include "value/builtin.h"

static const char *const page = "docs/image-format.md";
static const char *const sources[] = {"runtime/code/image_load.c", "runtime/code/image_verify.c", "runtime/code/image_verify_code.c"};

static struct str read_file(const char *path, struct arena *a)
{
    struct world w;
    struct str s = {"", 0};
    struct fault f = {ERR_OK, ""};
    world_real(&w);
    if (world_read_file(&w, path, 1 << 20, a, &s, &f) != ERR_OK) ok(false, path, "%s", f.text);
    return s;
}

static bool contains(struct str s, struct str part)
{
    return part.n > 0 && memmem(s.p, s.n, part.p, part.n) != NULL;
}

/* ---- the tables as they must stand in the page ---- */

static void put_operands(struct buf *b, const char *operands)
{
    static const struct { char kind; const char *name; } names[] = {
        {'r', "register"}, {'w', "register, written"}, {'k', "constant"}, {'c', "column"}, {'t', "table"}, {'f', "field"}, {'m', "message"}, {'n', "link site"},
        {'j', "jump"}, {'b', "builtin"}, {'l', "list"}, {'i', "immediate"}, {'e', "list site"}, {'-', ""}};
    for (int i = 0; i < 3; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (names[k].kind == operands[i]) buf_printf(b, " %s |", names[k].name);
}

static void opcode_rows(struct buf *b)
{
    for (unsigned i = 0; i < OP_COUNT; i++) {
        buf_printf(b, "| %u | %s |", i, opcodes[i].name);
        put_operands(b, opcodes[i].operands);
        buf_printf(b, " %s |\n", opcodes[i].meaning);
    }
}

static void section_rows(struct buf *b)
{
#define SECTION(name, number, content) buf_printf(b, "| %d | %s | %s |\n", number, #name, content);
#include "code/section.def"
#undef SECTION
}

static void builtin_rows(struct buf *b)
{
    for (unsigned i = 0; i < BUILTIN_COUNT; i++) {
        struct builtin_info in = builtin_info(i);
        buf_printf(b, "| %u | %s | `%s` | %s |\n", i, in.name, in.signature, in.doc);
    }
}

static void check_rows(const char *what, const struct buf *rows, struct str text)
{
    for (const char *p = rows->p, *end = rows->p + rows->n; p < end;) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        struct str row = {p, (size_t)(eol - p)};
        char name[60];
        snprintf(name, sizeof name, "%s: %.*s", what, (int)(row.n < 40 ? row.n : 40), row.p);
        ok(contains(text, row), name, "not in %s: %.*s", page, (int)row.n, row.p);
        p = eol + 1;
    }
}

/* ---- names of rules ---- */

/* Every rule in the sources: the first string of FAULT and below, the second argument's neighbour in fault. */
static void check_rules(struct str source, struct str text)
{
    static const struct { const char *call; int skip; /* commas before the name */ } calls[] = {{"FAULT(\"", 0}, {"below(w, \"", 0}, {"fault(l, ERR_", 1}, {"fault(&l, ERR_", 1}};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const char *p = source.p, *end = source.p + source.n;
        while ((p = memmem(p, (size_t)(end - p), calls[i].call, strlen(calls[i].call))) != NULL) {
            p += strlen(calls[i].call);
            if (calls[i].skip) p = (const char *)memchr(p, '"', (size_t)(end - p)) + 1;
            const char *close = memchr(p, '"', (size_t)(end - p));
            char quoted[60];
            snprintf(quoted, sizeof quoted, "`%.*s`", (int)(close - p), p);
            if (!contains(text, str_of(quoted))) ok(false, quoted, "a rule that %s does not name", page);
            p = close;
        }
    }
}

int main(int argc, char **argv)
{
    struct buf b = {0};
    struct arena a;
    arena_init(&a, 0);
    if (argc == 2 && !strcmp(argv[1], "--print")) {
        section_rows(&b);
        buf_byte(&b, '\n');
        opcode_rows(&b);
        buf_byte(&b, '\n');
        builtin_rows(&b);
        printf("%.*s", (int)b.n, b.p);
        buf_free(&b);
        return 0;
    }
    struct str text = read_file(page, &a);
    section_rows(&b);
    check_rows("section", &b, text);
    buf_clear(&b);
    opcode_rows(&b);
    check_rows("instruction", &b, text);
    buf_clear(&b);
    builtin_rows(&b);
    check_rows("builtin", &b, text);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        struct str source = read_file(sources[i], &a);
        if (source.n > 0) check_rules(source, text);
    }
    ok(ok_failures == 0, "every rule has a line", "see above");
    buf_free(&b);
    arena_free(&a);
    return ok_done();
}
