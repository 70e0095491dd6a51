/* agree_test.c - random well-typed specs: the vm and the reference agree on every row (issue: what the language must show, 2).
 *
 *   MLC_RUNS programs (300) of MLC_ROWS rows each (100, half of them at edges) from seed MLC_SEED (1); MLC_VERBOSE shows what is refused.
 *
 * Counts refused programs (the generator is wrong about them) and the operands that every opcode met, present and absent. A difference is reduced to
 * the smallest spec and row. Then every mistake of plant.def must be found by the same programs. */
#include "base/check.h"
#include "tests/reference/agree.h"
#include "tests/reference/generate.h"
#include "tests/reference/trace.h"
#include "value/builtin.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WRONG_MAX = 3, REFUSED_SHOWN = 5 };
static int failures;
static uint64_t under_way;
static const struct buf *text_under_way;

static void say(bool good, const char *name, const char *why)
{
    printf("%s %s%s%s\n", good ? "ok" : "not ok", name, good ? "" : ": ", good ? "" : why);
    failures += !good;
    fflush(stdout);
}

/* An ASSERT or a crash: which program it was. */
static void dying(int sig)
{
    char line[80];
    int n = snprintf(line, sizeof line, "not ok program of seed %llu: the process ends\n", (unsigned long long)under_way);
    ssize_t done = write(1, line, (size_t)n);
    if (text_under_way) done += write(1, text_under_way->p, text_under_way->n);
    (void)done;
    signal(sig, SIG_DFL);
    raise(sig);
}

static uint64_t number_of(const char *name, uint64_t fallback)
{
    const char *s = getenv(name);
    return s && *s ? strtoull(s, NULL, 10) : fallback;
}

struct tally { uint64_t programs, refused, rows, skipped, rejected, mapped, kept, lines, keys, intos, events, wrong; };

static void show_refused(struct agree *a, uint64_t seed)
{
    struct buf text = {0};
    diags_print(&a->c.diags, DIAG_FORMAT_TEXT, false, &text);
    printf("# refused, seed %llu: %.*s\n", (unsigned long long)seed, (int)text.n, text.p);
    buf_free(&text);
}

/* One program; false when a row differs. plant: only whether it differs matters. */
static bool one(uint64_t seed, uint64_t rows, enum ref_plant plant, struct tally *t)
{
    struct agree a;
    struct buf spec = {0}, csv = {0};
    struct arena mem;
    const char *why;
    struct value values[128] = {0};
    uint64_t rng = seed;
    generate(seed, &spec, &csv);
    under_way = seed;
    text_under_way = &a.spec;
    t->programs++;
    if (!agree_open(&a, &spec, &csv, plant)) {
        if (t->refused++ < REFUSED_SHOWN && getenv("MLC_VERBOSE")) show_refused(&a, seed);
        agree_close(&a);
        return true;
    }
    arena_init(&mem, 0);
    struct vm *traced = plant == PLANT_NONE ? trace_new(a.im) : NULL;
    why = agree_events(&a);
    for (uint64_t i = 0; i < rows && !why; i++) {
        arena_reset(&mem);
        agree_random_row(&a, &rng, i % 2, &mem, values);
        why = agree_row(&a, values);
        if (traced && i < 40) trace_row(traced, a.f, values, a.column_of);
        t->rows++;
    }
    if (why && plant == PLANT_NONE) printf("# seed %llu: %s\n", (unsigned long long)seed, why);
    if (why && plant == PLANT_NONE) agree_show_row(&a, values);
    if (why && t->wrong++ == 0) agree_reduce(&a, values, plant);
    t->skipped += a.skipped;
    t->rejected += a.rejected;
    t->mapped += a.mapped;
    t->kept += a.kept;
    t->lines += a.lines;
    t->keys += a.keys;
    t->intos += a.intos;
    t->events += a.events;
    trace_free(traced);
    text_under_way = NULL;
    agree_close(&a);
    arena_free(&mem);
    return why == NULL;
}

static void agreement(uint64_t first, uint64_t runs, uint64_t rows)
{
    struct tally t = {0};
    char name[120];
    for (uint64_t i = first; t.programs - t.refused < runs && t.wrong < WRONG_MAX; i++) one(i, rows, PLANT_NONE, &t);
    printf("# %llu programs, %llu refused and made again (%.1f %%); %llu rows: %llu mapped, %llu rejected, %llu left out; %llu fields kept\n",
           (unsigned long long)(t.programs - t.refused), (unsigned long long)t.refused, 100.0 * (double)t.refused / (double)t.programs,
           (unsigned long long)t.rows, (unsigned long long)t.mapped, (unsigned long long)t.rejected, (unsigned long long)t.skipped, (unsigned long long)t.kept);
    printf("# %llu lines made, %llu keys of one's own, %llu rows into other records, %llu values of events\n", (unsigned long long)t.lines, (unsigned long long)t.keys,
           (unsigned long long)t.intos, (unsigned long long)t.events);
    snprintf(name, sizeof name, "vm and reference agree on %llu programs with %llu rows each", (unsigned long long)runs, (unsigned long long)rows);
    say(t.wrong == 0, name, "see above");
    say(t.refused * 20 <= t.programs, "at most 5 % of the programs are refused", "MLC_VERBOSE=1 shows them");
    say(t.mapped * 3 > t.rows && t.rejected * 100 > t.rows && t.skipped * 100 > t.rows && t.kept > 0, "rows are mapped, rejected and left out, fields are kept", "see the counts");
    say(t.lines * 20 > t.rows && t.keys * 20 > t.rows && t.intos * 100 > t.rows && t.events > 0, "lines, keys of one's own, other records and events are met", "see the counts");
}

/* Each mistake is found, and how soon. */
static void plants(uint64_t first, uint64_t runs, uint64_t rows)
{
    static const struct { const char *name, *what; } list[PLANT_COUNT] = {
        {"NONE", ""},
#define PLANT(NAME, what) {#NAME, what},
#include "tests/reference/plant.def"
#undef PLANT
    };
    for (int p = 1; p < PLANT_COUNT; p++) {
        struct tally t = {.wrong = 1};          /* not reduced: only whether it is found */
        uint64_t i = first;
        char name[200], why[80];
        while (i < first + runs && one(i, rows, (enum ref_plant)p, &t)) i++;
        snprintf(name, sizeof name, "planted and found after %llu programs: %s", (unsigned long long)(i - first + 1), list[p].what);
        snprintf(why, sizeof why, "%s is not found by %llu programs", list[p].name, (unsigned long long)runs);
        say(i < first + runs, name, why);
    }
}

/* The smallest case of a planted mistake is small. */
static void reduction(uint64_t first, uint64_t rows)
{
    struct tally t = {0};
    for (uint64_t i = first; t.wrong == 0 && i < first + 300; i++) one(i, rows, PLANT_ROUND_NEGATIVE, &t);
    say(t.wrong == 1, "a planted mistake is reduced to the case above", "not found");
}

/* Builtins that random programs leave out: their answers are the examples' and the eval cases' matter. */
static void left_out(void)
{
    for (unsigned b = 0; b < BUILTIN_COUNT; b++)
        if (!ref_builtin_known(str_of(builtin_info(b).name))) printf("# no second implementation of %s\n", builtin_info(b).name);
}

int main(void)
{
    uint64_t seed = number_of("MLC_SEED", 1), runs = number_of("MLC_RUNS", 300), rows = number_of("MLC_ROWS", 100);
    signal(SIGABRT, dying);
    signal(SIGSEGV, dying);
    left_out();
    agreement(seed, runs, rows);
    failures += trace_report() ? 0 : 1;
    if (!getenv("MLC_SEED")) {
        reduction(seed, 100);
        plants(seed, 1000, 100);
    }
    return failures ? 1 : 0;
}
