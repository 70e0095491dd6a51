/* conformance_test.c - what of the language has a case under tests/lang: every production of grammar/parser.y, every diagnostic, every opcode with
 * operands present and absent, every edge of a builtin (each argument and the answer, there and absent), every verdict of the proof and every reason
 * that it gives. Prints what has none, a line each.
 *
 *   tests/lang/proof   NAME.mlc and NAME.expect: what `mlc check --proof` prints; compared here (MLC_BLESS=1 writes it anew)
 *   the others         are compared by lang_test and parse_test; here they only count
 *
 * Productions are counted by the parser itself, compiled once more with Bison's trace. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
static void parser_says(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define YYDEBUG 1
#define YYFPRINTF(stream, ...) parser_says(__VA_ARGS__)
#include "parser.tab.c"

#include "base/check.h"
#include "base/limits.h"
#include "compiler/rows.h"
#include "tests/reference/agree.h"
#include "tests/reference/trace.h"
#include "value/builtin.h"
#include <glob.h>
#include <stdlib.h>

static int failures;
static const char *hidden;             /* MLC_HIDE: cases with this in their path do not count */
static struct world world;
static bool reduced[YYNRULES + 2], code_seen[D_COUNT];
static struct buf proofs;

static void say(bool good, const char *what, const char *name, const char *why)
{
    if (good) printf("ok %s %s\n", what, name);
    else printf("not ok %s %s: %s\n", what, name, why);
    failures += !good;
}

/* ---- productions ---- */

static void parser_says(const char *fmt, ...)
{
    va_list ap;
    if (strncmp(fmt, "Reducing stack by rule", 22) != 0) return;
    va_start(ap, fmt);
    int rule = va_arg(ap, int) + 1;
    va_end(ap);
    if (rule > 0 && rule <= YYNRULES + 1) reduced[rule] = true;
}

/* The line of the grammar on which a production stands. */
static const char *grammar_line(struct str grammar, int line, struct arena *a)
{
    size_t at = 0;
    for (int i = 1; i < line && at < grammar.n; at++) i += grammar.p[at] == '\n';
    size_t n = 0;
    while (at + n < grammar.n && grammar.p[at + n] != '\n') n++;
    struct str s = str_trim((struct str){grammar.p + at, n});
    return arena_printf(a, "%.*s", (int)(s.n < 90 ? s.n : 90), s.p);
}

static void productions(void)
{
    struct arena a;
    struct str grammar = {0};
    struct fault f;
    int missing = 0;
    arena_init(&a, 0);
    if (world_read_file(&world, "grammar/parser.y", 1u << 20, &a, &grammar, &f) != ERR_OK) grammar = (struct str){"", 0};
    for (int r = 2; r <= YYNRULES; r++) {
        if (reduced[r]) continue;
        missing++;
        say(false, "production", arena_printf(&a, "%s, line %d", yysymbol_name((yysymbol_kind_t)yyr1[r]), yyrline[r]), grammar_line(grammar, yyrline[r], &a));
    }
    if (missing == 0) say(true, "every production of the grammar has a case:", arena_printf(&a, "%d", YYNRULES - 1), "");
    arena_free(&a);
}

/* ---- the cases ---- */

static void each(const char *pattern, void (*run)(const char *path))
{
    glob_t g;
    if (glob(pattern, 0, NULL, &g) != 0) {
        say(false, "cases", pattern, "none");
        return;
    }
    for (size_t i = 0; i < g.gl_pathc; i++)
        if (hidden == NULL || strstr(g.gl_pathv[i], hidden) == NULL) run(g.gl_pathv[i]);
    globfree(&g);
}

static void parse_case(const char *path)
{
    struct compile c;
    struct fault f = {0};
    mlc_debug = 1;
    if (compile_parse(&c, &world, path, &f) != ERR_OK) say(false, "case", path, f.text);
    mlc_debug = 0;
    compile_close(&c);
}

static void expect_case(const char *path)
{
    struct arena a;
    struct str text;
    struct fault f;
    arena_init(&a, 0);
    if (world_read_file(&world, path, 1u << 20, &a, &text, &f) == ERR_OK)
        for (unsigned i = 0; i < D_COUNT; i++) code_seen[i] |= memmem(text.p, text.n, diag_code_text((enum diag_code)i), 5) != NULL;
    arena_free(&a);
}

static void eval_lines(const struct image *im, struct str in, struct arena *a)
{
    const struct image_flow *f = &im->flows[0];
    struct vm *vm = trace_new(im);
    struct value *cols = ARENA_ARRAY(a, struct value, f->ncolumns + 1);
    char why[160];
    for (size_t at = 0; at < in.n;) {
        const char *nl = memchr(in.p + at, '\n', in.n - at), *violation;
        struct str line = {in.p + at, nl ? (size_t)(nl - in.p) - at : in.n - at};
        at += line.n + 1;
        if (rows_read(f, line, a, cols, &violation, why, sizeof why) && !violation) trace_row(vm, f, cols, NULL);
    }
    trace_free(vm);
}

static void eval_case(const char *path)
{
    struct compile c;
    struct fault f = {0};
    struct str in;
    if (compile_open(&c, &world, path, &f) == ERR_OK && c.diags.nerrors == 0) {
        struct image *im = compile_image(&c);
        const char *rows = arena_printf(&c.arena, "%.*s.in.jsonl", (int)(strlen(path) - 4), path);
        if (im && world_read_file(&world, rows, 1u << 24, &c.arena, &in, &f) == ERR_OK) eval_lines(im, in, &c.arena);
    }
    compile_close(&c);
}

static void proof_case(const char *path)
{
    struct compile c;
    struct fault f = {0};
    struct buf got = {0};
    struct str want = {0};
    const char *bless = getenv("MLC_BLESS");
    bool good = compile_open(&c, &world, path, &f) == ERR_OK && c.diags.nerrors == 0;
    const char *expect = arena_printf(&c.arena, "%.*s.expect", (int)(strlen(path) - 4), path);
    if (good) {
        proof_judge(c.spec, &c.arena);
        proof_print(c.spec, &got);
        buf_str(&proofs, buf_view(&got));
        if (bless && *bless) good = world_write_file(&world, expect, buf_view(&got), 0644, &f) == ERR_OK;
        else good = world_read_file(&world, expect, 1u << 20, &c.arena, &want, &f) == ERR_OK && str_eq(want, buf_view(&got));
    }
    say(good, "proof", path, c.diags.nerrors ? "has errors" : "differs from its .expect");
    if (!good && got.n) printf("%.*s", (int)got.n, got.p);
    buf_free(&got);
    compile_close(&c);
}

/* Too large for a file of the project: made here. */
static void made_case(void)
{
    struct agree a = {.spec = {0}};
    struct world w;
    struct compile c;
    struct fault f = {0};
    buf_puts(&a.spec, "mlc 1\nspec \"large\"\n");
    while (a.spec.n <= LIMIT_SOURCE_BYTES) buf_puts(&a.spec, "# a comment of which there are many\n");
    agree_world(&w, &a);
    bool good = compile_parse(&c, &w, "spec.mlc", &f) == ERR_TOO_LARGE || (c.diags.n == 1 && c.diags.list[0]->code == D_FILE_TOO_LARGE);
    say(good, "case", "a spec above the limit", "is not refused");
    code_seen[D_FILE_TOO_LARGE] |= good;
    compile_close(&c);
    buf_free(&a.spec);
}

/* ---- what has none ---- */

static void diagnostics(void)
{
    for (unsigned i = 0; i < D_COUNT; i++)
        if (!code_seen[i]) say(false, "diagnostic", diag_code_text((enum diag_code)i), "in no .expect");
}

static void edge(bool met, const char *name, const char *what, size_t i)
{
    char text[120];
    snprintf(text, sizeof text, what, i + 1);
    if (!met) say(false, name, text, "in no eval case");
}

static void builtins(void)
{
    for (unsigned b = 0; b < BUILTIN_COUNT; b++) {
        struct builtin_info in = builtin_info(b);
        for (size_t i = 0; i < in.nparams && i < 4; i++) {
            edge(trace_met_argument(b, i, TRACE_PRESENT), in.name, "argument %zu present", i);
            bool written = in.params[i].kind == 'N' || in.params[i].kind == 'C';
            if (!written && in.params[i].kind != 'B') edge(trace_met_argument(b, i, TRACE_LEAST), in.name, "argument %zu at its least", i);
            if (!written && in.params[i].kind != 'B') edge(trace_met_argument(b, i, TRACE_MOST), in.name, "argument %zu at its most", i);
            if (in.params[i].optional) edge(trace_met_argument(b, i, TRACE_ABSENT), in.name, "argument %zu absent", i);
        }
        edge(trace_met_result(b, TRACE_PRESENT), in.name, "with an answer (%zu)", 0);
        bool less = strcmp(in.name, "first_name") == 0;        /* some of the name is always the last one */
        if (in.result.kind == 'T' && !less) edge(trace_met_result(b, TRACE_MOST), in.name, "answer %zu as long as it can be", 0);
        if (in.result.optional) edge(trace_met_result(b, TRACE_ABSENT), in.name, "without an answer (%zu)", 0);
    }
}

/* Each reason of dsl/proof.c under its verdict, by a piece of its text. */
static void verdicts(void)
{
    static const char *const wanted[][2] = {
        {"PROVED", "always fit"}, {"PROVED", "constants of on leave"}, {"PROVED", " into "}, {"PROVED", "absent clears it"}, {"PROVED", "no answer gives absent"},
        {"GUARDED", "a look-up"}, {"GUARDED", " reject"}, {"GUARDED", " keep"}, {"GUARDED", " ??"}, {"GUARDED", " truncate or round"},
        {"PROVED", "no two keys"}, {"PROVED", "it waits until that is there"},
        {"ASSUMED", "as this spec declares it"}, {"ASSUMED", "into an address"}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        bool met = false;
        for (const char *p = buf_cstr(&proofs); p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
            size_t n = strcspn(p, "\n");
            met |= memmem(p, n, wanted[i][0], strlen(wanted[i][0])) && memmem(p, n, wanted[i][1], strlen(wanted[i][1]));
        }
        if (!met) say(false, wanted[i][0], wanted[i][1], "in no case of tests/lang/proof");
    }
}

static const char *const controls[][2] = {
    {"tests/lang/parse/", "not ok production "}, {"/let_cycle.", "not ok diagnostic E0213"}, {"eval/ends.", "not ok phone argument 1 at its least"},
    {"proof/emails.", "not ok ASSUMED into an address"}};

/* The runner has teeth: without some case it says what has none. It runs once more, with that case hidden. */
static void control(const char *self, const char *hide, const char *expect)
{
    char command[400], line[400];
    bool said = false;
    snprintf(command, sizeof command, "MLC_HIDE='%s' '%s'", hide, self);
    FILE *f = popen(command, "r");
    while (f && fgets(line, sizeof line, f)) said |= strncmp(line, expect, strlen(expect)) == 0;
    int status = f ? pclose(f) : 0;
    say(said && status != 0, "control: without", hide, "nothing is missing");
}

int main(int argc, char **argv)
{
    hidden = getenv("MLC_HIDE");
    world_real(&world);
    each("tests/lang/*/*.mlc", parse_case);
    each("tests/lang/*/*.expect", expect_case);
    each("tests/lang/eval/*.mlc", eval_case);
    each("tests/lang/proof/*.mlc", proof_case);
    made_case();
    productions();
    diagnostics();
    builtins();
    verdicts();
    failures += trace_report() ? 0 : 1;
    buf_free(&proofs);
    say(failures == 0, "coverage of", "tests/lang is whole", "see above");
    for (size_t i = 0; argc > 0 && !hidden && i < sizeof controls / sizeof *controls; i++) control(argv[0], controls[i][0], controls[i][1]);
    return failures ? 1 : 0;
}
