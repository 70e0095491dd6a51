/* format_test.c - mlc fmt: golden layouts (tests/lang/parse/NAME.mlc -> NAME.fmt), and for every readable file there, for the prelude and for
 * texts torn apart at random: format(format(x)) == format(x), the same tree, the same comments in the same order. */
#include "tests/unit/dsl/bench.h"
#include "dsl/lex.h"
#include "parser.tab.h"
#include <dirent.h>

static uint64_t state = 0x9e3779b97f4a7c15u;
static uint32_t roll(uint32_t n)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 33) % n;
}

static void comments_of(struct str text, struct buf *out)
{
    struct lexer lx;
    lex_init(&lx, text);
    for (struct token t = lex_scan(&lx); t.kind != 0; t = lex_scan(&lx))
        if (t.kind == LEX_COMMENT) {
            buf_put(out, text.p + t.at, t.end - t.at);
            buf_byte(out, '\n');
        }
}

/* The promises. Gives the first broken one, or NULL. */
static const char *broken(struct bench *b, struct str text, struct buf *once)
{
    struct buf twice = {0}, c1 = {0}, c2 = {0};
    const char *why = NULL;
    struct source *s = bench_source(b, "once", text);
    if (!format_source(s, &b->arena, &b->ds, once))
        return "the input has errors";
    struct source *again = bench_source(b, "twice", buf_view(once));
    if (!format_source(again, &b->arena, &b->ds, &twice))
        why = "the output has errors";
    else if (!str_eq(buf_view(once), buf_view(&twice)))
        why = "a second run changes it again";
    else if (!ast_equal(&parse_file(s, &b->arena, &b->ds)->base, &parse_file(again, &b->arena, &b->ds)->base))
        why = "the tree changed";
    comments_of(text, &c1);
    buf_cstr(once);                                  /* the lexer wants a NUL behind the text */
    comments_of(buf_view(once), &c2);
    if (!why && !str_eq(buf_view(&c1), buf_view(&c2)))
        why = "comments changed";
    if (why && strstr(why, "second"))
        printf("--- once\n%.*s--- twice\n%.*s", (int)once->n, once->p, (int)twice.n, twice.p);
    buf_free(&twice);
    buf_free(&c1);
    buf_free(&c2);
    return why;
}

static void golden(const char *stem, bool update)
{
    struct bench b;
    struct str text, want;
    struct buf out = {0};
    char path[300], name[320];
    bench_begin(&b);
    snprintf(path, sizeof path, "tests/lang/parse/%s.mlc", stem);
    snprintf(name, sizeof name, "fmt %s", stem);
    if (bench_read(&b, path, &text)) {
        parse_file(bench_source(&b, path, text), &b.arena, &b.ds);
        if (b.ds.nerrors == 0) {
            const char *why = broken(&b, text, &out);
            check(!why, name, "%s", why);
            snprintf(path, sizeof path, "tests/lang/parse/%s.fmt", stem);
            if (bench_read(&b, path, &want)) {
                if (update)
                    bench_write(path, buf_view(&out));
                else
                    check(str_eq(want, buf_view(&out)), path, "differs; got:\n%.*s", (int)out.n, out.p);
            }
        }
    }
    buf_free(&out);
    bench_end(&b);
}

static void all_golden(void)
{
    struct dirent **list;
    const char *update = getenv("UPDATE");
    int n = scandir("tests/lang/parse", &list, NULL, alphasort);
    check(n > 0, "golden files", "none here");
    for (int i = 0; i < n; i++) {
        size_t len = strlen(list[i]->d_name);
        if (len > 4 && strcmp(list[i]->d_name + len - 4, ".mlc") == 0) {
            list[i]->d_name[len - 4] = 0;
            golden(list[i]->d_name, update && *update == '1');
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

/* The prelude is written in the canonical layout. */
static void prelude(void)
{
    for (size_t i = 0; i < prelude_count(); i++) {
        struct bench b;
        bench_begin(&b);
        struct str name = prelude_name(i);
        struct ast_file *f = prelude_import(name, &b.sources, &b.arena, &b.ds);
        check(f && b.ds.n == 0, "prelude parses", "%.*s", (int)name.n, name.p);
        for (size_t k = 0, n = b.sources.n; k < n; k++) {
            struct buf out = {0};
            const char *why = broken(&b, b.sources.list[k]->text, &out);
            bool same = str_eq(b.sources.list[k]->text, buf_view(&out));
            check(!why && same, b.sources.list[k]->name.p, "%s", why ? why : "is not formatted");
            buf_free(&out);
        }
        bench_end(&b);
    }
}

/* White space and comments between tokens, at random; a bracket that touches keeps touching, a comment ends its line. */
static void tear(struct str text, bool comments, struct buf *out)
{
    static const char *const gaps[] = {" ", "  ", "\n", "\n\n", "\n\n\n", "\t", " \r\n "};
    static const char *const notes[] = {" # a\n", "\n# b\n", "\n\n  # c \xc3\xa9\n\n", "# d\n"};
    struct lexer lx;
    lex_init(&lx, text);
    int before = 0;
    for (struct token t = lex_scan(&lx); t.kind != 0; t = lex_scan(&lx)) {
        if (t.kind == LEX_COMMENT)
            continue;
        bool touch = (t.kind == '(' || t.kind == '[') && (before == TOK_NAME || before == TOK_ATTR);
        if (!touch && before)
            buf_puts(out, comments && roll(12) == 0 ? notes[roll(4)] : roll(3) ? " " : gaps[roll(7)]);
        buf_put(out, text.p + t.at, t.end - t.at);
        before = t.kind;
    }
}

static void torn(const char *path, int runs)
{
    struct bench b;
    struct str text;
    char name[300];
    snprintf(name, sizeof name, "fmt torn %s", path);
    bench_begin(&b);
    bool there = bench_read(&b, path, &text);
    check(there, name, "cannot be read");
    for (int i = 0; there && i < runs; i++) {
        struct bench n;
        struct buf t = {0}, out = {0};
        bench_begin(&n);
        uint64_t seed = state;
        tear(text, i % 4 != 0, &t);
        buf_cstr(&t);
        const char *why = broken(&n, buf_view(&t), &out);
        if (why) {
            check(false, name, "%s (run %d, seed %llx)", why, i, (unsigned long long)seed);
            i = runs;
        }
        buf_free(&t);
        buf_free(&out);
        bench_end(&n);
    }
    if (there)
        check(true, name, "-");
    bench_end(&b);
}

int main(void)
{
    all_golden();
    prelude();
    torn("tests/lang/parse/example.mlc", 300);
    torn("tests/lang/parse/every_production.mlc", 300);
    return bench_failed;
}
