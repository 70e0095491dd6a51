/*
 * main.c: the deterministic simulation from the command line.
 *
 *   sim-run --seed 42 --tell         one seed, each event told; when it fails, its state directory stays
 *   sim-run --count 1000             seeds 1 to 1000; --seeds 7..9: these
 *   sim-run --plants                 planted bugs: how many seeds it takes to find each
 *   sim-run --pinned                 seeds that once failed (pinned.def), each with days of its own
 *   options: --days N (30)  --jobs N (2)  --hits N: each kind of fault has to strike so often  --twice N: every N-th seed is run twice (10)
 *            --memory: allocations are refused too  --plant NAME: with that bug  --log FILE: a line a seed  --dir DIR  --images DIR
 *
 * Prints "not ok" with the violated rule, the last events and the command to repeat it for a seed that fails; the table of hits; "N passed, N failed".
 */
#include "run.h"
#include "tests/tree.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 16, SEEDS_MAX = 200000, SEED_SECONDS = 300 };

struct options {
    uint64_t from, to;
    unsigned days, jobs, hits, twice;
    bool tell, plants, pinned, memory;
    enum run_plant plant;
    const char *dir, *images, *log;
};

struct run {
    struct options o;
    struct run_result *results; // shared memory; two per seed: the second time
    unsigned passed, failed;
    char spec[2][600], image[2][600], data[600];
    FILE *log;
};

static const char *const plant_name[RUN_PLANT_COUNT] = {
    "NONE",
#define RUN_PLANT(id, text) #id,
#include "plant.def"
#undef RUN_PLANT
};

static const struct pinned {
    uint64_t seed;
    unsigned days;
} pinned[] = {
#define PINNED(seed, days, what) {seed, days},
#include "pinned.def"
#undef PINNED
};

// With --pinned numbers are places in the list, else they are the seeds.
static uint64_t seed_of(const struct run *r, uint64_t number) { return r->o.pinned ? pinned[number].seed : number; }
static unsigned days_of(const struct run *r, uint64_t number) { return r->o.pinned ? pinned[number].days : r->o.days; }

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the pool ---- */

// SIGTERM, SIGINT: no new seeds; what was done is told.
static volatile sig_atomic_t enough;

static void on_signal(int sig)
{
    (void)sig;
    enough = 1;
}

// Server and child speak in turns: on one processor a turn is a switch, on two it is a wake-up. What it costs is all that changes.
static void stay_on_one(unsigned slot)
{
    cpu_set_t all, one;
    int n = 0;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    for (size_t c = 0; c < CPU_SETSIZE; c++)
        if (CPU_ISSET(c, &all) && n++ == (int)(slot % (unsigned)CPU_COUNT(&all)))
            CPU_SET(c, &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}

static void work(const struct run *r, uint64_t number, struct run_result *result, unsigned slot)
{
    char dir[700];
    (void)snprintf(dir, sizeof dir, "%s/%u", r->o.dir, slot);
    struct run_setup s = {.seed = seed_of(r, number), .days = days_of(r, number), .plant = r->o.plant, .memory = r->o.memory, .tell = r->o.tell, .dir = dir, .spec = {r->spec[0], r->spec[1]},
                          .image = {r->image[0], r->image[1]}, .data = r->data};
    (void)signal(SIGTERM, SIG_IGN); // a terminal tells the whole group: the seed is played to its end
    (void)signal(SIGINT, SIG_IGN);
    alarm(SEED_SECONDS);
    stay_on_one(slot);
    seed_play(&s, result);
    _exit(0);
}

static void broken(struct run_result *result, int status)
{
    if (result->done)
        return;
    result->done = true;
    (void)snprintf(result->rule, sizeof result->rule, "stage");
    (void)snprintf(result->text, sizeof result->text, "%s (status %x)",
                   WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "did not end within five minutes" : "the simulation itself broke", (unsigned)status);
}

static void tell_seed(struct run *r, uint64_t number, const struct run_result *x)
{
    uint64_t seed = seed_of(r, number);
    unsigned days = days_of(r, number);
    if (r->log) {
        fprintf(r->log, "%llu %s %016llx %llu requests %llu lives %llu edits %llu credits %lld ms %s%s%s\n", (unsigned long long)seed, x->passed ? "ok" : "NOT OK",
                (unsigned long long)x->trace, (unsigned long long)x->requests, (unsigned long long)x->lives, (unsigned long long)x->edits, (unsigned long long)x->credits,
                (long long)x->real_ms,
                x->rule, x->text[0] ? ": " : "", x->text);
        fflush(r->log);
    }
    if (r->o.plants)
        return;
    r->passed += x->passed;
    r->failed += !x->passed;
    if (!x->passed)
        printf("not ok sim seed %llu: %s: %s\n  again: make sim SEED=%llu DAYS=%u      every event: %s/sim-run --seed %llu --days %u --tell\n", (unsigned long long)seed,
               x->rule, x->text, (unsigned long long)seed, days, r->o.images, (unsigned long long)seed, days);
    fflush(stdout);
}

// Seeds from..to into results[0..]; as many at a time as there are jobs. stop_at_first: until one fails; the number that were run.
static uint64_t run_seeds(struct run *r, uint64_t from, uint64_t to, struct run_result *results, bool stop_at_first)
{
    struct {
        pid_t pid;
        uint64_t seed;
    } job[JOBS_MAX] = {{0, 0}};
    uint64_t next = from, under_way = 0;
    bool stop = false;
    for (;;) {
        for (unsigned k = 0; k < r->o.jobs && !stop && !enough && next <= to; k++) {
            if (job[k].pid)
                continue;
            fflush(NULL);
            pid_t pid = fork();
            if (pid == 0)
                work(r, next, &results[next - from], k);
            if (pid < 0)
                return next - from;
            job[k].pid = pid;
            job[k].seed = next++;
            under_way++;
        }
        if (under_way == 0)
            return next - from;
        int status;
        pid_t pid = wait(&status);
        for (unsigned k = 0; k < r->o.jobs; k++) {
            if (job[k].pid != pid)
                continue;
            struct run_result *x = &results[job[k].seed - from];
            job[k].pid = 0;
            under_way--;
            broken(x, status);
            tell_seed(r, job[k].seed, x);
            stop = stop || (stop_at_first && !x->passed);
        }
    }
}

/* ---- what is told ---- */

static void tell_hits(struct run *r, uint64_t n)
{
    unsigned rare = 0;
    printf("hits over %llu seeds of %u days:\n", (unsigned long long)n, r->o.days);
    for (int h = HIT_NONE + 1; h < HIT_COUNT; h++) {
        uint64_t sum = 0, seeds = 0;
        if (h == HIT_MEMORY && !r->o.memory)
            continue;
        for (uint64_t i = 0; i < n; i++) {
            sum += r->results[i].hits[h];
            seeds += r->results[i].hits[h] > 0;
        }
        printf("  %-48s %8llu in %6llu seeds\n", hit_text[h], (unsigned long long)sum, (unsigned long long)seeds);
        if (r->o.hits && sum < r->o.hits) {
            printf("not ok sim hits: %s struck %llu times, not %u\n", hit_text[h], (unsigned long long)sum, r->o.hits);
            rare++;
        }
    }
    if (r->o.hits) {
        r->failed += rare;
        r->passed += rare == 0;
        if (rare == 0)
            printf("ok sim hits: each kind struck at least %u times\n", r->o.hits);
    }
}

static void tell_sums(const struct run *r, uint64_t n, int64_t took_ms)
{
    uint64_t requests = 0, lives = 0, edits = 0;
    int64_t days = 0;
    for (uint64_t i = 0; i < n; i++) {
        requests += r->results[i].requests;
        lives += r->results[i].lives;
        edits += r->results[i].edits;
        days += r->results[i].virtual_ms / 86400000;
    }
    printf("%llu seeds, %lld virtual days, %llu requests, %llu lives of the program, %llu changes in Sage, in %lld s\n", (unsigned long long)n, (long long)days,
           (unsigned long long)requests, (unsigned long long)lives, (unsigned long long)edits, (long long)took_ms / 1000);
}

// The same seed takes the same course.
static void twice(struct run *r, uint64_t n)
{
    uint64_t many = 0, same = 0;
    unsigned passed = r->passed, failed = r->failed;
    for (uint64_t i = 0; r->o.twice && i < n && !enough; i += r->o.twice) {
        struct run_result *again = &r->results[n];
        memset(again, 0, sizeof *again);
        (void)run_seeds(r, r->o.from + i, r->o.from + i, again, false);
        many++;
        same += again->trace == r->results[i].trace && again->requests == r->results[i].requests;
        if (again->trace != r->results[i].trace)
            printf("not ok sim seed %llu: not the same course again: trace %016llx, then %016llx\n", (unsigned long long)(r->o.from + i),
                   (unsigned long long)r->results[i].trace, (unsigned long long)again->trace);
    }
    r->passed = passed;
    r->failed = failed;
    if (many == 0)
        return;
    r->failed += (unsigned)(many - same);
    r->passed += many == same;
    if (many == same)
        printf("ok sim twice: %llu seeds took the same course again, to the last request\n", (unsigned long long)many);
}

// A seed that fails without the bug too says nothing of it.
static bool good_without(struct run *r, uint64_t seed)
{
    enum run_plant plant = r->o.plant;
    struct run_result *plain = &r->results[r->o.to - r->o.from + 1];
    memset(plain, 0, sizeof *plain);
    r->o.plant = RUN_PLANT_NONE;
    (void)run_seeds(r, seed, seed, plain, false);
    r->o.plant = plant;
    return plain->passed;
}

static void plants(struct run *r)
{
    for (int p = RUN_PLANT_NONE + 1; p < RUN_PLANT_COUNT; p++) {
        int64_t began = now_ms();
        uint64_t most = r->o.to - r->o.from + 1, found = 0;
        r->o.plant = (enum run_plant)p;
        memset(r->results, 0, (size_t)most * sizeof *r->results);
        uint64_t n = run_seeds(r, r->o.from, r->o.to, r->results, true);
        for (uint64_t i = 0; i < n && !found; i++)
            if (!r->results[i].passed && good_without(r, r->o.from + i))
                found = i + 1;
        if (found)
            printf("ok sim planted %s (%s): found by seed %llu in %lld s: %s\n", plant_name[p], run_plant_text[p], (unsigned long long)(r->o.from + found - 1),
                   (long long)(now_ms() - began) / 1000, r->results[found - 1].rule);
        else
            printf("not ok sim planted %s (%s): not found by %llu seeds\n", plant_name[p], run_plant_text[p], (unsigned long long)n);
        fflush(stdout);
        r->passed += found > 0;
        r->failed += found == 0;
    }
}

/* ---- options ---- */

static bool number(const char *text, char **end, uint64_t *n)
{
    errno = 0;
    *n = strtoull(text, end, 10);
    return errno == 0 && *end != text;
}

static bool plant_of(const char *text, enum run_plant *out)
{
    for (int p = 0; p < RUN_PLANT_COUNT; p++)
        if (strcasecmp(plant_name[p], text) == 0) {
            *out = (enum run_plant)p;
            return true;
        }
    return false;
}

static bool range(const char *text, struct options *o)
{
    char *end;
    if (!number(text, &end, &o->from) || strncmp(end, "..", 2) != 0 || !number(end + 2, &end, &o->to))
        return false;
    return *end == '\0' && o->from <= o->to && o->to - o->from < SEEDS_MAX;
}

static bool take(struct options *o, const char *a, const char *v)
{
    char *end;
    uint64_t n = 0;
    bool num = number(v, &end, &n) && *end == '\0';
    if (strcmp(a, "--seed") == 0 && num)
        o->from = o->to = n;
    else if (strcmp(a, "--seeds") == 0)
        return range(v, o);
    else if (strcmp(a, "--count") == 0 && num && n > 0 && n < SEEDS_MAX)
        o->to = o->from + n - 1;
    else if (strcmp(a, "--days") == 0 && num && n > 0 && n <= 365)
        o->days = (unsigned)n;
    else if (strcmp(a, "--jobs") == 0 && num && n > 0 && n <= JOBS_MAX)
        o->jobs = (unsigned)n;
    else if (strcmp(a, "--hits") == 0 && num)
        o->hits = (unsigned)n;
    else if (strcmp(a, "--twice") == 0 && num)
        o->twice = (unsigned)n;
    else if (strcmp(a, "--plant") == 0)
        return plant_of(v, &o->plant);
    else if (strcmp(a, "--dir") == 0)
        o->dir = v;
    else if (strcmp(a, "--images") == 0)
        o->images = v;
    else if (strcmp(a, "--log") == 0)
        o->log = v;
    else
        return false;
    return true;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--tell") == 0)
            o->tell = true;
        else if (strcmp(argv[i], "--plants") == 0)
            o->plants = true;
        else if (strcmp(argv[i], "--pinned") == 0)
            o->pinned = true;
        else if (strcmp(argv[i], "--memory") == 0)
            o->memory = true;
        else if (i + 1 == argc || !take(o, argv[i], argv[i + 1]))
            return false;
        else
            i++;
    }
    return true;
}

static void everything(struct run *r)
{
    int64_t began = now_ms();
    uint64_t n = run_seeds(r, r->o.from, r->o.to, r->results, false);
    tell_sums(r, n, now_ms() - began);
    if (r->o.pinned) {
        if (r->failed == 0)
            printf("ok sim pinned: %llu seeds that once failed\n", (unsigned long long)n);
    } else if (n > 1) {
        twice(r, n);
        tell_hits(r, n);
    } else if (r->results[0].passed) {
        printf("ok sim seed %llu: trace %016llx\n", (unsigned long long)r->o.from, (unsigned long long)r->results[0].trace);
    }
}

int main(int argc, char **argv)
{
    char dir[200], images[600];
    const char *slash = strrchr(argv[0], '/');
    (void)snprintf(images, sizeof images, "%.*s", slash ? (int)(slash - argv[0]) : 1, slash ? argv[0] : ".");
    const char *shm = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
    (void)snprintf(dir, sizeof dir, "%s/mlc-sim-%ld", shm ? shm : "/tmp", (long)getpid());
    struct run r = {.o = {.from = 1, .to = 20, .days = 30, .jobs = 2, .twice = 10, .dir = dir, .images = images}};
    if (!parse(argc, argv, &r.o)) {
        fputs("usage: sim-run [--seed N | --seeds A..B | --count N] [--days N] [--jobs N] [--tell] [--hits N] [--memory] [--twice N] [--plants | --plant NAME | --pinned] [--log F]\n"
              "               [--dir D] [--images D]\n", stderr);
        return 2;
    }
    if (r.o.pinned) {
        r.o.from = 0;
        r.o.to = sizeof pinned / sizeof *pinned - 1;
    }
    for (int i = 0; i < 2; i++) {
        (void)snprintf(r.spec[i], sizeof r.spec[i], "%s/tests/sim/run/world%s.mlc", r.o.images, i ? "2" : "");
        (void)snprintf(r.image[i], sizeof r.image[i], "%s/tests/sim/run/world%s.mlcb", r.o.images, i ? "2" : "");
    }
    (void)snprintf(r.data, sizeof r.data, "%s/tests/sim/run/org.json", r.o.images);
    r.results = mmap(NULL, (size_t)(r.o.to - r.o.from + 2) * sizeof *r.results, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    r.log = r.o.log ? fopen(r.o.log, "a") : NULL;
    if (r.results == MAP_FAILED || (mkdir(r.o.dir, 0700) != 0 && errno != EEXIST)) {
        fprintf(stderr, "sim-run: no room for the work in %s: %s\n", r.o.dir, strerror(errno));
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGTERM, on_signal);
    (void)signal(SIGINT, on_signal);
    if (r.o.plants)
        plants(&r);
    else
        everything(&r);
    printf("%u passed, %u failed\n", r.passed, r.failed);
    if (r.o.tell && r.failed)
        printf("what was left on disk: %s\n", r.o.dir);
    else
        tree_gone(r.o.dir);
    return r.failed ? 1 : 0;
}
