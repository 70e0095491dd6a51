/* crash_main.c - the crash harness: every I/O call of a sync of 60 customers, and everything that can go wrong at it.
 *
 *   crash-harness --bounded        a seeded part of the cases, about a minute and a half: at least one of each sort of call and fault
 *   crash-harness --full           every case
 *   crash-harness --power N        only power cuts: N distinct states of the disk (crash_power.c); --state RUN:OP:ROUND:AGAIN tells one of them
 *   crash-harness --case 217:KILL_AFTER[:SEED[:40:CUT_AFTER]]     one case, told call by call
 *   --scene first|more|keys        only that scene (crash_more.c); without it: all, and for --case, --state and --power the first. Of the third only the
 *                                  calls and allocations are struck by which secrets change, and those of the start after it
 *   --part plants|power|twice|memory|points  one part only     --shard I/N  the I-th of N shares of its cases
 *   options: --seed N  --jobs N  --seconds N (bounded)  --image FILE  --data FILE  --dir DIR
 *
 * One run without faults numbers the calls; a case is (number, fault). Planted wrong orders come first: each has to be found. Prints a line
 * "ok NAME" or "not ok NAME: why" per sort of call and fault, the number of points per sort of call, and "N passed, N failed" at the end. */
#include "tests/fault/memory.h"
#include "tests/tree.h"
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 16, CASE_SECONDS = 120, PROBE_SECONDS = 7200, SHOWN = 40, MEMORY_BOUNDED = 12, PREADS = 500, POWER_BOUNDED = 500, POWER_FULL = 100000, POWER_PLANT = 3000, TWICE_FULL = 600, TWICE_BOUNDED = 30 };
struct options { bool full, trace; uint64_t seed; unsigned jobs, seconds; const char *image, *data, *dir; struct crash_fault one[2]; enum plant plant;
    uint64_t power; const char *state, *part, *scene; unsigned shard, of; };
struct run {
    struct options o;
    struct crash_case *cases; size_t n;     /* shared memory */
    unsigned char *called;                  /* of the run without faults; shared */
    uint64_t calls, mallocs;
    unsigned passed, failed;
    int64_t until_ms;
    bool more, keys;                        /* the second scene is played, the third */
    uint64_t from, to;                      /* the calls of the third that are struck */
    struct probe *probe;                    /* while allocations are probed */
    char spec[2][600];                      /* of the second scene */
};
static const size_t cases_max = 400000;

static const char *const fault_name[FAULT_COUNT] = {
    "NONE",
#define X(id, text) #id,
    CRASH_FAULTS(X)
#undef X
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the pool ---- */
static void work(const struct run *r, struct crash_case *c, unsigned slot, unsigned char *called)
{
    char dir[600];
    (void)snprintf(dir, sizeof dir, "%s/%u", r->o.dir, slot);
    (void)mkdir(dir, 0700);
    struct crash_setup s = {.dir = dir, .image_path = r->o.image, .data_path = r->o.data, .trace = r->o.trace,
                            .more = {r->more ? r->spec[0] : NULL, r->more ? r->spec[1] : NULL}, .baseline = c->plant || called || !r->calls ? NULL : r->called, .baseline_calls = r->calls, .probe = r->probe, .keys = r->keys};
    alarm(r->probe ? PROBE_SECONDS : CASE_SECONDS);
    case_run(&s, c, called);
    _exit(0);
}

static void over(struct crash_case *c, int status)
{
    if (c->done && WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    c->done = true;
    c->passed = false;
    if (!c->text[0])
        (void)snprintf(c->text, sizeof c->text, "%s (status %x)",
                       WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "did not end within two minutes" : "the case itself broke", (unsigned)status);
}

/* Runs cases [from, to), as many at a time as there are jobs; stops early at the deadline, or after the first that failed when `find` is set. */
static size_t run_cases(struct run *r, size_t from, size_t to, bool find)
{
    struct { pid_t pid; size_t at; } job[JOBS_MAX] = {{0, 0}};
    size_t next = from, under_way = 0;
    bool stop = false;
    for (;;) {
        for (unsigned k = 0; k < r->o.jobs && !stop && next < to; k++) {
            if (job[k].pid) continue;
            fflush(NULL);
            pid_t pid = fork();
            if (pid == 0) work(r, &r->cases[next], k, NULL);
            if (pid < 0) return next;
            job[k].pid = pid;
            job[k].at = next++;
            under_way++;
        }
        if (under_way == 0) return next;
        if (isatty(STDERR_FILENO) && !r->o.trace) fprintf(stderr, "\r%zu of %zu ", next, to);
        int status;
        pid_t pid = wait(&status);
        for (unsigned k = 0; k < r->o.jobs; k++) {
            if (job[k].pid != pid) continue;
            job[k].pid = 0;
            under_way--;
            over(&r->cases[job[k].at], status);
            if (find && !r->cases[job[k].at].passed) stop = true;
        }
        if (r->until_ms && now_ms() > r->until_ms) stop = true;
    }
}

/* One run without faults: numbers and sorts of the calls. */
static bool baseline(struct run *r, enum plant plant, unsigned char *called)
{
    struct crash_case *c = &r->cases[0];
    *c = (struct crash_case){.plant = plant};
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) work(r, c, 0, called);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return false;
    over(c, status);
    return c->passed;
}

/* ---- making cases ---- */
static void add(struct run *r, uint64_t call, enum fault_kind kind, enum plant plant)
{
    if (r->n < cases_max)
        r->cases[r->n++] = (struct crash_case){.fault = {{call, kind, r->o.seed * 1000003 + call * 31 + (uint64_t)kind}}, .plant = plant,
                                               .memory = kind == FAULT_MEMORY || kind == FAULT_MEMORY_LASTING};
}

static void shuffle(struct run *r, size_t from)
{
    uint64_t seed = r->o.seed;
    for (size_t i = r->n; i > from + 1; i--) {
        size_t k = from + (size_t)(crash_random(&seed) % (i - from));
        struct crash_case t = r->cases[i - 1];
        r->cases[i - 1] = r->cases[k];
        r->cases[k] = t;
    }
}

/* One of each sort of call and fault first, then the rest in seeded order. */
static void one_of_each_first(struct run *r)
{
    static bool seen[CALL_COUNT][FAULT_COUNT];
    size_t front = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct crash_case *c = &r->cases[i];
        bool *s = &seen[r->called[c->fault[0].call]][c->fault[0].kind];
        if (*s) continue;
        *s = true;
        struct crash_case t = r->cases[front];
        r->cases[front++] = r->cases[i];
        r->cases[i] = t;
    }
}

static void make_cases(struct run *r)
{
    r->n = 0;
    uint64_t reads = 0, seen = 0;
    for (uint64_t call = 1; call <= r->calls; call++) reads += r->called[call] == CALL_PREAD;
    for (uint64_t call = 1; call <= r->calls; call++) {
        enum io_call what = (enum io_call)r->called[call];
        if (r->keys && (call < r->from || call > r->to)) continue;
        if (what == CALL_PREAD && seen++ % (reads / PREADS + 1) != 0) continue;      /* most are of one data key each */
        for (int f = FAULT_NONE + 1; f < FAULT_COUNT; f++) {
            bool kill = f == FAULT_KILL_BEFORE || f == FAULT_KILL_AFTER;
            if (kill && io_call_class[what] == IO_READS) continue;                   /* a read leaves the disk as the call before it did */
            if (io_fits(what, (enum fault_kind)f)) add(r, call, (enum fault_kind)f, PLANT_NONE);
        }
    }
    shuffle(r, 0);
    one_of_each_first(r);
}

/* Killed, and killed again while the next life recovers. */
static void make_twice(struct run *r, size_t many)
{
    static const enum fault_kind kinds[] = {FAULT_KILL_AFTER, FAULT_CUT_AFTER, FAULT_SHUFFLE_AFTER, FAULT_KILL_BEFORE};
    uint64_t seed = r->o.seed + 77;
    r->n = 0;
    for (size_t i = 0; i < many; i++) {
        uint64_t call = 1 + crash_random(&seed) % r->calls, again = 1 + crash_random(&seed) % 200;
        add(r, call, kinds[crash_random(&seed) % 4], PLANT_NONE);
        r->cases[r->n - 1].fault[1] = (struct crash_fault){again, kinds[crash_random(&seed) % 4], crash_random(&seed)};
    }
}

/* ---- telling ---- */
static void case_text(const struct crash_case *c, char *out, size_t n)
{
    const struct crash_fault *a = &c->fault[0], *b = &c->fault[1];
    int k = snprintf(out, n, "%llu:%s:%llu", (unsigned long long)a->call, fault_name[a->kind], (unsigned long long)a->seed);
    if (b->kind && k > 0 && (size_t)k < n)
        (void)snprintf(out + k, n - (size_t)k, ":%llu:%s:%llu", (unsigned long long)b->call, fault_name[b->kind], (unsigned long long)b->seed);
}

static void tell_failure(struct run *r, const struct crash_case *c, const char *name)
{
    char text[200];
    case_text(c, text, sizeof text);
    if (r->failed++ < SHOWN) printf("not ok crash %s (--case %s): %s\n", name, text, c->text);
}

/* One line per sort of call and fault. */
static size_t tell_points(struct run *r, size_t done)
{
    size_t points = 0;
    for (int call = 0; call < CALL_COUNT; call++)
        for (int f = 1; f < FAULT_COUNT; f++) {
            unsigned good = 0;
            char name[120];
            (void)snprintf(name, sizeof name, "%s, %s", io_call_text[call], fault_text[f]);
            for (size_t i = 0; i < done; i++) {
                const struct crash_case *c = &r->cases[i];
                if (!c->done || (int)c->fault[0].kind != f || r->called[c->fault[0].call] != call) continue;
                points++;
                if (!c->passed) tell_failure(r, c, name);
                else if (!c->reached) tell_failure(r, c, "the point was not reached");
                else good++;
            }
            r->passed += good;
            if (good) printf("ok crash %s: %u points\n", name, good);
        }
    return points;
}

static void tell_group(struct run *r, size_t done, const char *name)
{
    unsigned good = 0;
    for (size_t i = 0; i < done; i++) {
        if (r->cases[i].passed) good++;
        else tell_failure(r, &r->cases[i], name);
    }
    r->passed += good;
    if (good) printf("ok crash %s: %u cases\n", name, good);
}

static void tell_calls(const struct run *r)
{
    printf("%llu I/O calls in the run without faults:", (unsigned long long)r->calls);
    for (int call = 0; call < CALL_COUNT; call++) {
        unsigned n = 0;
        for (uint64_t i = 1; i <= r->calls; i++) n += r->called[i] == call;
        if (n) printf(" %u %s,", n, io_call_text[call]);
    }
    printf(" and %llu allocations\n", (unsigned long long)r->mallocs);
}

/* ---- planted faults ---- */
static void find_plant(struct run *r, enum plant plant)
{
    unsigned char *called = mmap(NULL, CRASH_CALLS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool runs = called != MAP_FAILED && baseline(r, plant, called);
    if (!runs && plant == PLANT_NO_SETTLE && r->cases[0].noops) {       /* the late effect that every run holds is enough */
        printf("ok crash plant, %s: found in the run without faults; %s\n", plant_text[plant], r->cases[0].text);
        r->passed++;
        return;
    }
    if (!runs) {
        printf("not ok crash plant, %s: the run without faults fails already: %s\n", plant_text[plant], r->cases[0].text);
        r->failed++;
        return;
    }
    uint64_t calls = r->cases[0].calls;
    r->n = 0;
    for (uint64_t call = 1; call <= calls; call++)
        for (int f = FAULT_KILL_AFTER; f <= FAULT_CUT_AFTER; f++)
            if (io_call_class[called[call]] != IO_READS && io_fits((enum io_call)called[call], (enum fault_kind)f)) add(r, call, (enum fault_kind)f, plant);
    shuffle(r, 0);
    size_t most = r->n < 400 ? r->n : 400, done = run_cases(r, 0, r->o.full ? most : r->n, !r->o.full), caught = 0;
    const char *how = "";
    for (size_t i = 0; i < done; i++) {
        if (r->cases[i].passed || !r->cases[i].done) continue;
        if (!caught++) how = r->cases[i].text;
    }
    printf("%s crash plant, %s: found at %zu of %zu points tried%s%s\n", caught ? "ok" : "not ok", plant_text[plant], caught, done, caught ? "; " : ": never",
           how);
    *(caught ? &r->passed : &r->failed) += 1;
    munmap(called, CRASH_CALLS);
}

/* ---- memory ---- */
static struct probe *probe_new(const struct run *r, bool every)
{
    struct probe *p = mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    void *at[4];
    if (p == MAP_FAILED) abort();
    p->every = every;
    p->shard = r->o.shard;
    p->of = r->o.of;
    p->from = r->from;
    p->to = r->to;
    (void)backtrace(at, 4);                 /* its first call allocates */
    return p;
}

/* The scene once, with a fork at each allocation (every: or at each place). Then r->cases are what has to be played whole. */
static struct probe *probe_run(struct run *r, enum plant plant, bool every, const char **why)
{
    struct probe *p = r->probe = probe_new(r, every);
    bool good = baseline(r, plant, NULL);
    r->probe = NULL;
    *why = good ? NULL : r->cases[0].text;
    if (good && !plant && (r->cases[0].calls != r->calls || r->cases[0].mallocs != r->mallocs)) *why = "the forks disturbed the run";
    r->n = 0;
    for (size_t i = 0; i < p->nwhole; i++) {
        add(r, p->whole[i].call, p->whole[i].kind, plant);
        r->cases[r->n - 1].fault[0].seed = p->whole[i].seed;
    }
    shuffle(r, 0);
    return p;
}

static size_t memory(struct run *r, size_t bounded)
{
    const char *why;
    int64_t began = now_ms();
    struct probe *p = probe_run(r, PLANT_NONE, r->o.full, &why);
    if (why) {
        printf("not ok crash allocations: %s\n", why);
        r->failed++;
    }
    for (uint64_t i = 0; i < p->wrong && i < PROBE_TOLD; i++) printf("not ok crash an allocation refused (%s)\n", p->text[i]);
    r->failed += (unsigned)p->wrong;
    if (!p->wrong) printf("ok crash an allocation refused, alone and with all after it: out of memory is all it ends by\n");
    r->passed += !p->wrong;
    printf("%llu allocations at %llu places; %llu refused in a fork, of %llu of them all after them too without a difference; %llu ended by out of memory, %llu by an "
           "error, %llu went on, %llu wrong; %zu whole cases for what they left behind; %lld s\n",
           (unsigned long long)p->allocations, (unsigned long long)p->nstacks, (unsigned long long)p->refused, (unsigned long long)p->alike, (unsigned long long)p->died,
           (unsigned long long)p->failed, (unsigned long long)p->goes_on, (unsigned long long)p->wrong, r->n, (long long)(now_ms() - began) / 1000);
    munmap(p, sizeof *p);
    if (!r->o.full && r->n > bounded) r->n = bounded;
    size_t done = run_cases(r, 0, r->n, false);
    tell_group(r, done, "an allocation refused, to the end");
    return done;
}

static void find_memory_plant(struct run *r, enum plant plant)
{
    const char *why, *how = "";
    struct probe *p = probe_run(r, plant, false, &why);
    size_t done = p->wrong || why ? 0 : run_cases(r, 0, r->n, true);
    for (size_t i = 0; i < done; i++)
        if (r->cases[i].done && !r->cases[i].passed) how = r->cases[i].text;
    if (p->wrong) how = p->text[0];
    bool found = *how && !why;
    printf("%s crash plant, %s: %s%s\n", found ? "ok" : "not ok", plant_text[plant], found ? "found; " : "not found ", found ? how : why ? why : "");
    *(found ? &r->passed : &r->failed) += 1;
    munmap(p, sizeof *p);
}

/* ---- options ---- */
static bool number(const char *s, char **end, uint64_t *out)
{
    errno = 0;
    *out = strtoull(s, end, 10);
    return *end != s && errno == 0;
}

/* CALL:FAULT[:SEED] and perhaps the same again. */
static bool parse_case(const char *s, struct crash_fault *f)
{
    for (int k = 0; k < 2 && *s; k++) {
        char *end;
        if (!number(s, &end, &f[k].call) || *end != ':') return false;
        size_t n = strcspn(end + 1, ":");
        for (int i = 1; i < FAULT_COUNT; i++)
            if (strlen(fault_name[i]) == n && strncmp(fault_name[i], end + 1, n) == 0) f[k].kind = (enum fault_kind)i;
        s = end + 1 + n;
        if (!f[k].kind) return false;
        if (*s == ':' && number(s + 1, &end, &f[k].seed)) s = end;
        if (*s == ':') s++;
    }
    return *s == '\0';
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : NULL;
        char *end;
        uint64_t n = 0;
        bool num = v && number(v, &end, &n) && *end == '\0';
        if (strcmp(a, "--bounded") == 0) continue;
        if (strcmp(a, "--full") == 0) {
            o->full = true;
            continue;
        }
        i++;
        if (strcmp(a, "--seed") == 0 && num) o->seed = n;
        else if (strcmp(a, "--jobs") == 0 && num && n > 0 && n <= JOBS_MAX) o->jobs = (unsigned)n;
        else if (strcmp(a, "--seconds") == 0 && num) o->seconds = (unsigned)n;
        else if (strcmp(a, "--plant") == 0 && num && n < PLANT_COUNT) o->plant = (enum plant)n;
        else if (strcmp(a, "--power") == 0 && num) o->power = n;
        else if (strcmp(a, "--state") == 0 && v) o->state = v;
        else if (strcmp(a, "--part") == 0 && v) o->part = v;
        else if (strcmp(a, "--scene") == 0 && v && (strcmp(v, "more") == 0 || strcmp(v, "first") == 0 || strcmp(v, "keys") == 0)) o->scene = v;
        else if (strcmp(a, "--shard") == 0 && v && number(v, &end, &n) && *end == '/' && n > 0) {
            o->shard = (unsigned)n - 1;
            if (!number(end + 1, &end, &n) || *end || n <= o->shard) return false;
            o->of = (unsigned)n;
        } else if (strcmp(a, "--image") == 0 && v) o->image = v;
        else if (strcmp(a, "--data") == 0 && v) o->data = v;
        else if (strcmp(a, "--dir") == 0 && v) o->dir = v;
        else if (strcmp(a, "--case") == 0 && v && parse_case(v, o->one)) o->trace = true;
        else return false;
    }
    return true;
}

/* ---- the whole ---- */
static int one_case(struct run *r)
{
    r->cases[0] = (struct crash_case){.fault = {r->o.one[0], r->o.one[1]}, .memory = r->o.one[0].kind == FAULT_MEMORY || r->o.one[0].kind == FAULT_MEMORY_LASTING, .plant = r->o.plant};
    (void)run_cases(r, 0, 1, false);
    const struct crash_case *c = &r->cases[0];
    printf("%s crash case: %s (%u lives)\n", c->passed ? "ok" : "not ok", c->passed ? "nothing lost, nothing doubled" : c->text, c->lives);
    return c->passed ? 0 : 1;
}

static void power(struct run *r, uint64_t states, enum plant plant)
{
    struct power_options o = {.dir = r->o.dir, .image = r->o.image, .data = r->o.data, .seed = r->o.seed, .states = states, .jobs = r->o.jobs,
                              .one = r->o.state, .plant = plant, .more = {r->more ? r->spec[0] : NULL, r->more ? r->spec[1] : NULL}};
    power_run(&o, &r->passed, &r->failed);
}

static int only_power(struct run *r)
{
    power(r, r->o.power, r->o.plant);
    printf("%u passed, %u failed\n", r->passed, r->failed);
    return r->failed ? 1 : 0;
}

/* Runs the cases that were made, all or the share of --shard. */
static size_t run_made(struct run *r)
{
    size_t mine = 0;
    for (size_t i = 0; i < r->n; i++)
        if (i % r->o.of == r->o.shard) r->cases[mine++] = r->cases[i];
    r->n = mine;
    return run_cases(r, 0, r->n, false);
}

static bool wanted(const struct run *r, const char *part) { return !r->o.part || strcmp(r->o.part, part) == 0; }

/* One scene, in every way; when it is bounded, for about so many seconds. */
static void scene(struct run *r, unsigned seconds)
{
    int64_t began = now_ms();
    unsigned part = r->keys ? 6 : r->more ? 3 : 1;                              /* the later scenes get less of what is bounded */
    size_t done, cases = 0, twice = r->o.full ? TWICE_FULL : TWICE_BOUNDED / part;
    if (!baseline(r, PLANT_NONE, r->called)) {
        printf("not ok crash run without faults: %s\n", r->cases[0].text);
        r->failed++;
        return;
    }
    r->calls = r->cases[0].calls;
    r->mallocs = r->cases[0].mallocs;
    r->from = r->cases[0].keys_from;
    r->to = r->cases[0].keys_to;
    r->passed++;
    printf("ok crash run without faults: 60 customers, four orders with lines, and their changes%s, %u lives\n",
           r->more ? "; bulk write, notifications, deletes, erasure, replay, another spec" : r->keys ? "; another token, another master key" : "", r->cases[0].lives);
    tell_calls(r);
    bool plants = !r->more && !r->keys && wanted(r, "plants");
    for (int p = PLANT_NONE + 1; p < PLANT_NO_DIR_SYNC && plants; p++) find_plant(r, (enum plant)p);
    for (int p = PLANT_NO_DIR_SYNC; p < PLANT_UNCHECKED && plants; p++) power(r, POWER_PLANT, (enum plant)p);
    for (int p = PLANT_UNCHECKED; p < PLANT_COUNT && plants; p++) find_memory_plant(r, (enum plant)p);
    if (wanted(r, "power") && !r->keys) power(r, r->o.full ? POWER_FULL : POWER_BOUNDED / part, PLANT_NONE);
    if (wanted(r, "twice") && !r->keys) {
        make_twice(r, twice);
        cases += done = run_made(r);
        tell_group(r, done, "struck twice");
    }
    if (wanted(r, "memory")) cases += memory(r, MEMORY_BOUNDED / part);
    r->n = done = 0;
    if (wanted(r, "points")) {
        make_cases(r);
        if (!r->o.full) r->until_ms = began + (int64_t)seconds * 1000;
        done = run_made(r);
        cases += tell_points(r, done);
    }
    printf("%zu of %zu points (call and fault) tried, %zu cases in all, in %lld s%s\n", done, r->n, cases, (long long)(now_ms() - began) / 1000,
           done < r->n ? "; --full tries them all" : "");
    r->until_ms = 0;
}

static void play(struct run *r, const char *name)
{
    r->more = strcmp(name, "more") == 0;
    r->keys = strcmp(name, "keys") == 0;
}

static int everything(struct run *r)
{
    static const struct { const char *name; unsigned share; } scenes[] = {{"first", 6}, {"more", 3}, {"keys", 1}};
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        if (r->o.scene && strcmp(r->o.scene, scenes[i].name) != 0) continue;
        play(r, scenes[i].name);
        scene(r, r->o.scene ? r->o.seconds : r->o.seconds * scenes[i].share / 10);
    }
    printf("%u passed, %u failed\n", r->passed, r->failed);
    return r->failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    char dir[200], image[600];
    const char *slash = strrchr(argv[0], '/');
    (void)snprintf(image, sizeof image, "%.*s/tests/fault/customers.mlcb", slash ? (int)(slash - argv[0]) : 1, slash ? argv[0] : ".");
    const char *shm = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
    (void)snprintf(dir, sizeof dir, "%s/mlc-crash-%ld", shm ? shm : "/tmp", (long)getpid());
    struct run r = {.o = {.seed = 1, .jobs = 2, .of = 1, .seconds = 80, .image = image, .data = "tests/sim/zoho/data/professional.json", .dir = dir}};
    if (!parse(argc, argv, &r.o)) {
        fputs("usage: crash-harness [--bounded | --full | --power N | --case CALL:FAULT[:SEED] | --state RUN:OP:ROUND:AGAIN] [--seed N] [--jobs N] [--seconds N] [--image F] [--data F] [--dir D]\n",
              stderr);
        return 2;
    }
    slash = strrchr(r.o.image, '/');
    for (int i = 0; i < 2; i++) (void)snprintf(r.spec[i], sizeof r.spec[i], "%.*s/more%s.mlcb", slash ? (int)(slash - r.o.image) : 1, slash ? r.o.image : ".", i ? "2" : "");
    play(&r, r.o.scene ? r.o.scene : "first");
    r.cases = mmap(NULL, cases_max * sizeof *r.cases, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    r.called = mmap(NULL, CRASH_CALLS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r.cases == MAP_FAILED || r.called == MAP_FAILED || (mkdir(r.o.dir, 0700) != 0 && errno != EEXIST)) {
        fprintf(stderr, "crash-harness: no room for the work in %s: %s\n", r.o.dir, strerror(errno));
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    int status = r.o.one[0].kind ? one_case(&r) : r.o.power || r.o.state ? only_power(&r) : everything(&r);
    tree_gone(r.o.dir);
    return status;
}
