/* diff.c - bench-diff: how long mlc diff takes for large specs, both versions read, checked and compiled included: with itself, with one rule changed,
 * with every rule written differently, and with every rule changed, so that a row has to be found for each. CPU time, one thread, best of three. */
#include "compiler/diff/diff.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 3, RULES = 24 };
enum how { SAME, ONE, REWRITTEN, EVERY, HOWS };
static const char *const names[HOWS] = {"with itself", "one rule changed", "every rule written differently", "every rule changed"};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- the specs ---- */

static void declare(struct buf *b, int flow)
{
    buf_printf(b, "entity feed.T%d { key No: text(1..20)  ", flow);
    for (int k = 0; k < 8; k++) buf_printf(b, "C%d: text(%d)?  ", k, 20 + k);
    buf_printf(b, "A: decimal(9,2) = 0  B: decimal(9,2)?  D: date? }\nentity out.M%d { Key: text(80) @unique  N: decimal(12,2)", flow);
    for (int k = 0; k < RULES; k++) buf_printf(b, "  F%d: text(200)", k);
    buf_puts(b, " }\n");
}

static void rule(struct buf *b, int k, enum how how, bool changed)
{
    int limit = 100 + k + (changed ? 1 : 0), up = (k + 2) % 7 == 3 ? 7 : (k + 2) % 7;
    if (how == REWRITTEN)
        buf_printf(b, "  F%d = match { C%d != null and not (A <= %d) => \"{name}: {No}\", \"a\" == C3 => upper(C%d), else => trim(C%d ?? name) }\n", k, k % 8, limit, up, (k + 1) % 8);
    else buf_printf(b, "  F%d = match { A > %d and C%d != null => \"{who}: {No}\", C3 == \"a\" => upper(C%d), else => trim(C%d ?? who) }\n", k, limit, k % 8, up, (k + 1) % 8);
}

static void spec(struct buf *b, int flows, enum how how)
{
    buf_puts(b, "mlc 1\nspec \"large\"\nimport file\nsource feed: file { path = \"in\" }\ntarget out: file { path = \"out\" }\n");
    for (int i = 0; i < flows; i++) {
        declare(b, i);
        buf_printf(b, "flow f%d from feed.T%d to out.M%d {\n  every 1h\n  key Key\n  when C0 != \"X\" or A > 100\n  let %s = C1 ?? C2 ?? \"nobody\"\n", i, i, i, how == REWRITTEN ? "name" : "who");
        for (int k = 0; k < RULES; k++) rule(b, k, how, how == EVERY || (how == ONE && i == flows / 2 && k == 3));
        buf_puts(b, "  N = round(A * 0.5 + (B ?? 0), 2)\n}\n");
    }
}

static bool write_spec(const struct world *w, const char *path, int flows, enum how how, size_t *lines)
{
    struct buf b = {0};
    struct fault f;
    spec(&b, flows, how);
    *lines = 0;
    for (size_t i = 0; i < b.n; i++) *lines += b.p[i] == '\n';
    bool good = world_write_file(w, path, buf_view(&b), 0600, &f) == ERR_OK;
    buf_free(&b);
    return good;
}

/* ---- the clock ---- */

struct found { size_t findings, witnesses, equal; double ms; };

static bool compare(const struct world *w, const char *const path[2], struct found *out)
{
    struct compile c[2];
    struct image *im[2] = {NULL, NULL};
    struct fault f = {0};
    struct arena a;
    struct diff d;
    double start = now_ms();
    arena_init(&a, 0);
    for (int k = 0; k < 2; k++) {
        if (compile_open(&c[k], w, path[k], &f) == ERR_OK && c[k].diags.nerrors == 0) im[k] = compile_image(&c[k]);
        if (!im[k]) return false;
    }
    diff_specs(&d, &a, (struct diff_side){im[0], &c[0], path[0]}, (struct diff_side){im[1], &c[1], path[1]}, NULL);
    double ms = now_ms() - start;
    *out = (struct found){.findings = d.n, .equal = d.equal, .ms = out->ms == 0 || ms < out->ms ? ms : out->ms};
    for (const struct diff_finding *x = d.first; x != NULL; x = x->next) out->witnesses += x->witness != NULL;
    for (int k = 0; k < 2; k++) compile_close(&c[k]);
    arena_free(&a);
    return true;
}

static bool measure(const struct world *w, const char *const path[2], int flows, enum how how)
{
    struct found r = {0};
    size_t lines;
    if (!write_spec(w, path[0], flows, SAME, &lines) || !write_spec(w, path[1], flows, how, &lines)) return false;
    for (int i = 0; i < RUNS; i++)
        if (!compare(w, path, &r)) return false;
    printf("| %d flows, %d rules, %zu lines | %s | %zu | %zu | %zu | %.0f ms |\n", flows, flows * (RULES + 1), lines, names[how], r.findings, r.witnesses, r.equal, r.ms);
    return true;
}

int main(void)
{
    static const int sizes[] = {25, 250};                   /* 256 is the most that a compiled file holds */
    char dir[] = "/tmp/mlc-diff-bench-XXXXXX", old_path[64], new_path[64];
    const char *const path[2] = {old_path, new_path};
    struct world w;
    bool good = mkdtemp(dir) != NULL;
    world_real(&w);
    snprintf(old_path, sizeof old_path, "%s/old.mlc", dir);
    snprintf(new_path, sizeof new_path, "%s/new.mlc", dir);
    printf("| spec | compared | findings | with a row | equal | time |\n| --- | --- | ---: | ---: | ---: | ---: |\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (enum how how = SAME; how < HOWS; how++) good = good && measure(&w, path, sizes[i], how);
    unlink(old_path);
    unlink(new_path);
    rmdir(dir);
    if (!good) fprintf(stderr, "bench-diff: it does not compile\n");
    return !good;
}
