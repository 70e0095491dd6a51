/* mutate_test.c - 10,000 broken texts: bytes changed, tokens dropped, doubled, swapped, blocks cut. Whatever comes, parse, format and print
 * end, within bounds, and a text without errors can be formatted. RUNS=n changes the number. */
#include "tests/unit/dsl/bench.h"
#include "dsl/lex.h"

static uint64_t state = 88172645463325252u;
static uint32_t roll(uint32_t n)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 33) % n;
}

struct pieces { struct str *p; size_t n; };

/* A piece is a token with the white space in front of it. */
static struct pieces cut(struct arena *a, struct str text)
{
    struct pieces x = {ARENA_ARRAY(a, struct str, text.n + 1), 0};
    struct lexer lx;
    uint32_t from = 0;
    lex_init(&lx, text);
    for (struct token t = lex_scan(&lx); t.kind != 0; t = lex_scan(&lx)) {
        x.p[x.n++] = (struct str){text.p + from, t.end - from};
        from = t.end;
    }
    return x;
}

static void mutate_pieces(struct pieces x, struct buf *out)
{
    static const char *const junk[] = {" {", " }", " (", " )", "(", "[", " =", " =>", " ,", " \"", " `", " 5", " 15m", " ??", " match", " when", " flow", "\nflow", "\nx =", " # ",
                                       " \xc3\xa9", " 2026-13-01", " 5%", "..", "@", " else", " key", "\n}"};
    uint32_t at = roll((uint32_t)x.n), len = 1 + roll(4), what = roll(6), other = roll((uint32_t)x.n);
    for (uint32_t i = 0; i < x.n; i++) {
        bool hit = i >= at && i < at + len;
        if (hit && what == 0)
            continue;                                             /* dropped */
        if (i == at && what == 1)
            buf_str(out, x.p[other]);                             /* another one in front */
        if (i == at && what == 2)
            buf_puts(out, junk[roll(sizeof junk / sizeof junk[0])]);
        buf_str(out, hit && what == 3 ? x.p[other] : x.p[i]);     /* replaced */
        if (hit && what == 4)
            buf_str(out, x.p[i]);                                 /* doubled */
        if (i == at && what == 5)
            return;                                               /* cut off */
    }
}

static void mutate_bytes(struct str text, struct buf *out)
{
    buf_str(out, text);
    for (uint32_t k = 1 + roll(4); k > 0; k--) {
        uint32_t at = roll((uint32_t)out->n);
        out->p[at] = (char)(roll(3) ? "{}()[]=\"`#\\\n ,.@?-"[roll(18)] : (char)roll(256));
    }
}

static void try(struct bench *b, struct str text, size_t *readable)
{
    struct buf out = {0};
    struct source *s = bench_source(b, "m.mlc", text);
    struct ast_file *f = parse_file(s, &b->arena, &b->ds);
    bool fine = b->ds.nerrors == 0;
    ast_dump(&out, &f->base, true);
    ASSERT(ast_equal(&f->base, &f->base));
    ASSERT(b->ds.n <= 2000);
    buf_clear(&out);
    diags_print(&b->ds, roll(2) ? DIAG_FORMAT_TEXT : DIAG_FORMAT_JSON, roll(2), &out);
    buf_clear(&out);
    bool formatted = format_source(s, &b->arena, &b->ds, &out);
    ASSERT(formatted == fine);
    *readable += fine;
    if (fine) {
        struct buf again = {0};
        ASSERT(format_source(bench_source(b, "n.mlc", buf_view(&out)), &b->arena, &b->ds, &again));
        if (!str_eq(buf_view(&out), buf_view(&again)))
            printf("--- once\n%.*s--- twice\n%.*s", (int)out.n, out.p, (int)again.n, again.p);
        ASSERT(str_eq(buf_view(&out), buf_view(&again)));
        buf_free(&again);
    }
    buf_free(&out);
}

int main(void)
{
    static const char *const files[] = {"tests/lang/parse/example.mlc", "tests/lang/parse/every_production.mlc"};
    struct bench base;
    struct str text[2];
    struct pieces pieces[2];
    size_t readable = 0;
    const char *env = getenv("RUNS");
    long runs = env ? strtol(env, NULL, 10) : 10000;
    bench_begin(&base);
    for (int i = 0; i < 2; i++) {
        if (!bench_read(&base, files[i], &text[i])) {
            check(false, files[i], "cannot be read");
            return 1;
        }
        pieces[i] = cut(&base.arena, text[i]);
    }
    for (long i = 0; i < runs; i++) {
        struct bench b;
        struct buf t = {0};
        bench_begin(&b);
        if (roll(3))
            mutate_pieces(pieces[i & 1], &t);
        else
            mutate_bytes(text[i & 1], &t);
        try(&b, buf_view(&t), &readable);
        buf_free(&t);
        bench_end(&b);
    }
    printf("# %zu of %ld texts could still be read\n", readable, runs);
    check(true, "mutations", "-");
    bench_end(&base);
    return bench_failed;
}
