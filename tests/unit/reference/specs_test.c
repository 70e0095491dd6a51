/* specs_test.c - vm and reference over specs that people wrote: every row of tests/lang/eval, and random rows of every flow of the examples and of those
 * cases, half of them at the bounds. MLC_ROWS random rows a flow (400). */
#include "base/check.h"
#include "base/limits.h"
#include "compiler/rows.h"
#include "tests/reference/agree.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

static int failures;
static uint64_t rows = 400, golden_rows, flows, mapped, made_lines;

static void say(bool good, const char *name, const char *what, const char *why)
{
    printf("%s %s%s%s%s\n", good ? "ok" : "not ok", name, what, good ? "" : ": ", good ? "" : why);
    failures += !good;
}

/* The row of an eval case, by the table's columns: what the flow does not read is blank. */
static const char *golden_row(struct agree *a, struct str line, struct arena *mem)
{
    struct value cols[LIMIT_COLUMNS], values[LIMIT_COLUMNS];
    const char *violation = NULL;
    char why[160];
    if (!rows_read(a->f, line, mem, cols, &violation, why, sizeof why) || violation) return NULL;
    for (size_t i = 0; i < a->ncolumns; i++) values[i] = value_absent;
    for (size_t i = 0; i < a->f->ncolumns; i++) values[a->column_of[i]] = cols[i];
    golden_rows++;
    return agree_row(a, values);
}

static void golden(struct agree *a, const char *path, struct arena *mem)
{
    struct str in;
    struct fault f = {0};
    const char *why = NULL;
    if (world_read_file(&a->world, arena_printf(mem, "%.*s.in.jsonl", (int)(strlen(path) - 4), path), 1u << 24, mem, &in, &f) != ERR_OK) return;
    for (size_t at = 0, n; at < in.n && !why; at += n + 1) {
        const char *nl = memchr(in.p + at, '\n', in.n - at);
        n = nl ? (size_t)(nl - in.p) - at : in.n - at;
        why = golden_row(a, (struct str){in.p + at, n}, mem);
        if (why) printf("# %.*s\n", (int)n, in.p + at);
    }
    say(why == NULL, path, ": vm and reference agree on its rows", why);
}

static void random_rows(struct agree *a, const char *path, uint64_t seed)
{
    struct value values[LIMIT_COLUMNS];
    struct arena mem;
    const char *why = NULL;
    a->mapped = a->lines = 0;
    arena_init(&mem, 0);
    for (uint64_t i = 0; i < rows && !why; i++) {
        arena_reset(&mem);
        agree_random_row(a, &seed, i % 2, &mem, values);
        why = agree_row(a, values);
    }
    if (why) agree_show_row(a, values);
    flows++;
    mapped += a->mapped;
    made_lines += a->lines;
    say(why == NULL, path, arena_printf(&a->arena, ", flow %.*s: they agree on random rows", (int)a->flow->name.n, a->flow->name.p), why);
    arena_free(&mem);
}

static bool is_whole(const char *path)
{
    char line[400];
    bool spec = false;
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) spec |= strncmp(line, "spec ", 5) == 0;
    if (f) fclose(f);
    return spec;
}

static void one(const char *path)
{
    struct agree a;
    struct arena mem;
    uint64_t seed = 3;
    if (!is_whole(path)) return;
    arena_init(&mem, 0);
    if (agree_open_file(&a, path, PLANT_NONE)) {
        golden(&a, path, &mem);
        for (const struct flow *f = a.c.spec->flows; f != NULL; f = f->next) {
            agree_flow(&a, f);
            random_rows(&a, path, seed++);
        }
    } else say(false, path, "", "does not compile");
    agree_close(&a);
    arena_free(&mem);
}

static void all(const char *pattern)
{
    glob_t g;
    if (glob(pattern, 0, NULL, &g) != 0) {
        say(false, pattern, "", "none found");
        return;
    }
    for (size_t i = 0; i < g.gl_pathc; i++) one(g.gl_pathv[i]);
    globfree(&g);
}

int main(void)
{
    const char *s = getenv("MLC_ROWS");
    if (s && *s) rows = strtoull(s, NULL, 10);
    all("tests/lang/eval/*.mlc");
    all("tests/lang/proof/*.mlc");
    all("examples/*/*.mlc");
    printf("# %llu rows of eval cases; %llu flows, %llu random rows became records, with %llu lines\n", (unsigned long long)golden_rows, (unsigned long long)flows,
           (unsigned long long)mapped, (unsigned long long)made_lines);
    say(golden_rows > 100 && mapped > flows * 50 && made_lines > 100, "rows are mapped, with lines", "", "see the counts");
    return failures ? 1 : 0;
}
