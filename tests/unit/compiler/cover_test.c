/* cover_test.c - branch coverage of mlc test: a spec with every kind of branch against lists written by hand, as its tests grow; and random matches,
 * where the arms that count as reached must be those whose values production's vm gave. */
#include "compiler/cover.h"
#include "compiler/trial.h"
#include "tests/unit/value/ok.h"
#include <stdlib.h>
#include <unistd.h>

static struct world world;
static struct arena arena;
static char path[] = "/tmp/mlc-cover-XXXXXX";

struct measured { struct compile c; struct image *im; struct cover *cover; };

static bool measure(struct measured *m, const char *text)
{
    struct fault f = {0};
    struct buf said = {0};
    *m = (struct measured){.im = NULL};
    bool good = world_write_file(&world, path, str_of(text), 0600, &f) == ERR_OK && compile_open(&m->c, &world, path, &f) == ERR_OK;
    if (good && m->c.diags.nerrors == 0) m->im = compile_image(&m->c);
    if (!m->im) diags_print(&m->c.diags, DIAG_FORMAT_TEXT, false, &said);
    ok(m->im != NULL, "a spec to measure", "%s %.*s", f.text, (int)said.n, said.p ? said.p : "");
    buf_free(&said);
    if (!m->im) return false;
    m->cover = cover_new(&m->c, m->im);
    for (const struct test *t = m->c.spec->tests; t; t = t->next) cover_test(m->cover, t, &arena);
    cover_free(m->cover);
    return true;
}

static void give_back(struct measured *m) { compile_close(&m->c); }

/* ---- every kind, by hand ---- */

#define SPEC \
    "mlc 1\nspec \"cover\"\nimport file\nsource feed: file { path = \"in\" }\ntarget out: file { path = \"out\" }\n" \
    "entity feed.Rows { key No: text(1..9)  A: text(9)?  B: number(5) = 0  Code: text(2)?  Flag: bool = false  Lines: lines(Parts)? }\n" \
    "entity feed.Parts @lines_of(Rows) { key No: text(1..9)  key Pos: text(1..3)  Count: number(5)  Kind: text(1)? }\n" \
    "entity out.Records { Key: text(60) @unique  One: text(20)?  Two: text(20)?  Three: text(20)?  Items: lines(Items)? }\n" \
    "entity out.Items @lines_of(Records) { Count: number(5)  What: text(9)? }\n" \
    "table codes { \"a\" => \"x\", \"b\" | \"c\" => \"y\", else => \"z\" }\n" \
    "fn sized(n: number(5)) = match { n > 100 => \"large\", n > 10 => \"middle\", else => \"small\" }\n" \
    "flow f from feed.Rows to out.Records {\n  every 1h\n  key Key\n  when A != \"skip\" and B < 1000\n" \
    "  One   = A ?? reject \"no A\"\n  Two   = sized(B)\n  let k = codes[Code] ?? \"none\"\n" \
    "  Three = match { Flag and B > 5 => k, else => null }\n" \
    "  Items = each l in Lines when l.Kind != \"n\" { key l.Pos  Count = l.Count  What = match { l.Count > 10 => \"many\", else => \"few\" } } ?? null\n}\n" \
    "flow unused from feed.Rows to out.Records { every 1h  key Key  One = A ?? \"-\" }\n"

struct step { const char *name, *tests, *missed[24]; };
static const struct step steps[] = {
    {"no test", "", {"codes: the row `\"a\"`", "codes: the row `\"b\"`", "codes: the row `\"c\"`", "codes: a key that it has not: its else", "sized: the arm `n > 100 => \"large\"`",
                     "sized: the arm `n > 10 => \"middle\"`", "sized: the arm `else => \"small\"`", "f: a row that is mapped", "f.when: `A != \"skip\"` being true",
                     "f.when: `A != \"skip\"` being false", "f.when: `B < 1000` being true", "f.when: `B < 1000` being false", "f.One: the left of `??`: `A`",
                     "f.One: the right of `??`: `reject \"no A\"`", "f.Three: the left of `??`: `codes[Code]`", "f.Three: the right of `??`: `\"none\"`",
                     "f.Three: `Flag` being true", "f.Three: `Flag` being false", "f.Three: `B > 5` being true", "f.Three: `B > 5` being false",
                     "f.Three: the arm `Flag and B > 5 => k`", "f.Three: the arm `else => null`", "f.Items: a line that passes:", "f.Items: no line that passes:"}},
    {"a row that is left out reaches its filter only", "test \"1\" of f { given { No = \"1\"  A = \"skip\"  B = 500 } expect leave }\n",
     {"f: a row that is mapped", "f.when: `B < 1000` being false", "f.when: `A != \"skip\"` being true", "f.when: `B < 1000` being true", "f.One: the left of `??`: `A`", "sized: the arm `n > 100 => \"large\"`"}},
    {"a reject ends the row: what stands behind it is not reached", "test \"1\" of f { given { No = \"1\"  B = 500 } expect reject \"no A\" }\n",
     {"f.One: the left of `??`: `A`", "sized: the arm `n > 100 => \"large\"`", "f.Three: `Flag` being false", "f.Items: no line that passes:"}},
    {"a row without lines", "test \"1\" of f { given { No = \"1\"  A = \"a\"  B = 500 } expect { One = \"a\" } }\n",
     {"f.One: the right of `??`: `reject \"no A\"`", "sized: the arm `n > 10 => \"middle\"`", "sized: the arm `else => \"small\"`", "f.Three: `Flag` being true", "f.Three: `B > 5` being true",
      "f.Three: `B > 5` being false", "f.Three: the arm `Flag and B > 5 => k`", "f.Three: the left of `??`: `codes[Code]`", "codes: the row `\"a\"`", "f.Items: a line that passes:",
      "f.Items: `l.Kind != \"n\"` being true", "f.Items: `l.Kind != \"n\"` being false", "f.Items.What: the arm `l.Count > 10 => \"many\"`"}},
    {"a let behind an arm, and a row of its table", "test \"1\" of f { given { No = \"1\"  A = \"a\"  B = 11  Flag = true  Code = \"c\" } expect { One = \"a\" } }\n",
     {"codes: the row `\"a\"`", "codes: the row `\"b\"`", "codes: a key that it has not: its else", "f.Three: the right of `??`: `\"none\"`", "f.Three: `Flag` being false", "f.Three: the arm `else => null`"}},
    {"lines: two pass, one does not", "test \"1\" of f { given { No = \"1\"  A = \"a\"  Lines { Pos = \"1\"  Count = 11 } Lines { Pos = \"2\"  Count = 1  Kind = \"n\" } Lines { Pos = \"3\"  Count = 2 } } expect { One = \"a\" } }\n",
     {"f.Items: no line that passes:", "sized: the arm `n > 100 => \"large\"`"}},
};
/* What each step reaches: must not be among the missed. */
static const char *const reached[][8] = {
    {NULL},
    {"f.when: `A != \"skip\"` being false"},
    {"f: a row that is mapped", "f.One: the right of `??`", "f.when: `A != \"skip\"` being true"},
    {"f.One: the left of `??`", "sized: the arm `n > 100", "f.Three: `Flag` being false", "f.Three: the arm `else", "f.Items: no line that passes"},
    {"codes: the row `\"c\"`", "f.Three: the left of `??`", "f.Three: the arm `Flag", "f.Three: `B > 5` being true", "sized: the arm `n > 10 "},
    {"f.Items: a line that passes", "f.Items: `l.Kind != \"n\"` being true", "f.Items: `l.Kind != \"n\"` being false", "f.Items.What: the arm `l.Count > 10", "f.Items.What: the arm `else"},
};

static bool listed(struct cover_item **missed, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        struct str w = missed[i]->where;
        if (str_starts(w, STR("fn "))) w = (struct str){w.p + 3, w.n - 3};
        if (str_starts(w, STR("table "))) w = (struct str){w.p + 6, w.n - 6};
        const char *line = arena_printf(&arena, "%.*s: %s", (int)w.n, w.p, missed[i]->what);
        if (strncmp(line, what, strlen(what)) == 0) return true;
    }
    return false;
}

static void by_hand(void)
{
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        struct measured m;
        size_t n;
        if (!measure(&m, arena_printf(&arena, "%s%s", SPEC, steps[k].tests))) continue;
        struct cover_item **missed = cover_missed(m.cover, &n);
        struct cover_sum s = cover_sum(m.cover);
        for (size_t i = 0; i < 24 && steps[k].missed[i]; i++) ok(listed(missed, n, steps[k].missed[i]), steps[k].name, "counts as reached: %s", steps[k].missed[i]);
        for (size_t i = 0; k && i < 8 && reached[k][i]; i++)
            ok(!listed(missed, n, reached[k][i]), steps[k].name, "counts as missed: %s", reached[k][i]);
        ok(listed(missed, n, "unused: a row that is mapped"), steps[k].name, "a flow without tests is not listed");
        ok(s.branches == s.reached + n && s.unmeasured == 0 && s.tenths == s.reached * 1000 / s.branches, steps[k].name, "%zu of %zu, %zu missed", s.reached, s.branches, n);
        ok(k != 0 || s.reached == 0, steps[k].name, "without tests something is reached");
        for (size_t i = 1; i < n; i++) ok(missed[i - 1]->at.at <= missed[i]->at.at, steps[k].name, "not by place");
        give_back(&m);
    }
}

/* ---- lets that use the one before twice: paths double with each, the work must not ---- */

static void chain(void)
{
    enum { LETS = 200, B = 7 };
    struct buf b = {0};
    struct measured m;
    buf_puts(&b, "mlc 1\nspec \"lets\"\nimport file\nsource feed: file { path = \"in\" }\ntarget out: file { path = \"out\" }\n"
                 "entity feed.Rows { key No: text(1..9)  A: text(1)?  B: number(3) = 0 }\nentity out.Records { Key: text(60) @unique  R: text(9)? }\n"
                 "flow f from feed.Rows to out.Records {\n  every 1h\n  key Key\n  let a0 = A ?? \"x\"\n");
    for (int i = 1; i <= LETS; i++) buf_printf(&b, "  let a%d = match { B > %d => a%d, else => a%d }\n", i, i, i - 1, i - 1);
    buf_printf(&b, "  R = a%d\n}\ntest \"t\" of f { given { No = \"1\"  A = \"q\"  B = %d } expect { R = \"q\" } }\n", LETS, B);
    if (measure(&m, buf_cstr(&b))) {
        struct cover_sum s = cover_sum(m.cover);
        ok(s.branches == 2 * LETS + 3 && s.reached == LETS + 2 && s.unmeasured == 0, "a long chain of lets", "%zu of %zu, %zu not measured", s.reached, s.branches, s.unmeasured);
        give_back(&m);
    }
    buf_free(&b);
}

/* ---- against production ---- */

static uint64_t seed = 88172645463325252u;
static unsigned any(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % n);
}

static void condition(struct buf *b, unsigned depth)
{
    unsigned k = any(depth ? 6 : 4);
    if (k == 0) buf_printf(b, "A == \"%c\"", 'a' + (int)any(4));
    else if (k == 1) buf_printf(b, "B %s %u", any(2) ? ">" : "<=", any(10));
    else if (k == 2) buf_puts(b, any(2) ? "Flag" : "not Flag");
    else if (k == 3) buf_puts(b, "A == null");
    else {
        buf_puts(b, "(");
        condition(b, depth - 1);
        buf_puts(b, k == 4 ? " and " : " or ");
        condition(b, depth - 1);
        buf_puts(b, ")");
    }
}

static const char *random_spec(unsigned arms, unsigned rows)
{
    struct buf b = {0};
    buf_puts(&b, "mlc 1\nspec \"r\"\nimport file\nsource feed: file { path = \"in\" }\ntarget out: file { path = \"out\" }\n"
                 "entity feed.Rows { key No: text(1..9)  A: text(1)?  B: number(2) = 0  Flag: bool = false }\nentity out.Records { Key: text(60) @unique  R: text(9)  S: text(9) }\n"
                 "fn pick(a: text(1)?, n: number(2)) = match { a == \"b\" => \"p\", n > 4 => \"q\", else => \"r\" }\n"
                 "flow f from feed.Rows to out.Records {\n  every 1h\n  key Key\n  R = match {\n");
    for (unsigned i = 0; i < arms; i++) {
        buf_puts(&b, "    ");
        condition(&b, 2);
        buf_printf(&b, " => \"arm%u\",\n", i);
    }
    buf_printf(&b, "    else => \"arm%u\",\n  }\n  S = pick(A, B)\n}\n", arms);
    for (unsigned i = 0; i < rows; i++) {
        buf_printf(&b, "test \"t%u\" of f { given { No = \"%u\"  B = %u  Flag = %s", i, i, any(10), any(2) ? "true" : "false");
        if (any(3)) buf_printf(&b, "  A = \"%c\"", 'a' + (int)any(4));
        buf_puts(&b, " } expect { R = \"?\"  S = \"?\" } }\n");
    }
    const char *text = arena_copy(&arena, b.p, b.n);
    buf_free(&b);
    return text;
}

/* The values that the vm gave, out of the differences of tests that expect "?". */
static bool gave(struct measured *m, struct trial **trials, size_t n, const char *value)
{
    (void)m;
    for (size_t i = 0; i < n; i++)
        for (const struct trial_difference *d = trials[i]->differences; d; d = d->next)
            if (strcmp(d->got, value) == 0) return true;
    return false;
}

static void against_production(void)
{
    size_t compared = 0, missed_arms = 0, wrong = 0;
    for (unsigned round = 0; round < 200; round++) {
        struct measured m;
        unsigned arms = 1 + any(6);
        size_t n = 0, nmissed;
        const char *text = random_spec(arms, any(6));
        if (!measure(&m, text)) break;
        struct vm *vm = vm_new(m.im);
        struct trial *trials[8];
        for (const struct test *t = m.c.spec->tests; t; t = t->next) trials[n++] = trial_run(t, m.im, vm, &m.c.arena);
        struct cover_item **missed = cover_missed(m.cover, &nmissed);
        for (unsigned i = 0; i < arms + 4; i++) {
            const char *value = i <= arms ? arena_printf(&arena, "\"arm%u\"", i) : i == arms + 1 ? "\"p\"" : i == arms + 2 ? "\"q\"" : "\"r\"";
            bool taken = gave(&m, trials, n, value), counted = true;
            for (size_t k = 0; k < nmissed; k++)
                if (missed[k]->kind == COVER_ARM && strstr(missed[k]->what, arena_printf(&arena, "=> %s", value))) counted = false;
            compared++;
            missed_arms += !counted;
            wrong += taken != counted;
            if (taken != counted && wrong < 4) ok(false, "arms as production takes them", "%s: taken %d, counted %d in\n%s", value, taken, counted, text);
        }
        vm_free(vm);
        give_back(&m);
    }
    ok(wrong == 0 && compared > 1000 && missed_arms > 100, "arms as production takes them", "%zu compared, %zu missed, %zu wrong", compared, missed_arms, wrong);
    printf("# %zu arms of 200 random specs compared, %zu of them not reached\n", compared, missed_arms);
}

int main(void)
{
    world_real(&world);
    arena_init(&arena, 0);
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    by_hand();
    chain();
    against_production();
    unlink(path);
    arena_free(&arena);
    return ok_done();
}
