/* crash_power.c - power cuts, far more than whole cases could play: the ops of a run are recorded once, and every state that a cut could leave is made
 * from them, started, and judged.
 *
 *     recorded ops -> platter, op by op -> copy, cut (one of many ways) -> seen before? -> export -> start (engine_open) -> judge
 *                                                                                            |
 *                                              ops of the start -> cut once more, in the middle of recovery -> start -> judge
 *
 * The judge (crash_state.c) knows what had been promised at the op of the cut: frames that a commit had said are durable, secrets that were kept, data
 * keys that were erased. Round 0 asks at each op for nothing and for all of what was not synced, and for a write torn where it was under way; the
 * rounds after it for one change alone, all but one, and random mixtures, torn by sector and by byte. Runs: one without faults, some in which a sync
 * fails (its bytes are not durable, though they read back), some that are killed or lose power and go on. */
#include "tests/fault/state.h"
#include "tests/fault/platter.h"
#include "tests/tree.h"
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS_MAX = 16, JOBS_MOST = 16, ROUNDS_MAX = 4000, SEEN = 1 << 20, START_SECONDS = 60, SHOWN = 10, AGAIN_OF = 4 };
struct counts { atomic_ullong made, distinct, judged, again, wrong; };
struct shared {
    struct counts count;
    atomic_ullong disks[SEEN], asked[SEEN];           /* numbers of disks; of disks together with what had been promised */
    atomic_flag telling;
    unsigned told;
    char text[SHOWN][700];
};
struct power { const struct power_options *o; struct crash_record *record[RUNS_MAX]; size_t nruns; struct shared *sh; int64_t until_ms; uint64_t stride; };
struct place { size_t run; uint64_t at; unsigned round; uint64_t again; };      /* of one state; again: cut at this op of its recovery too */
struct worker {
    struct power *p;
    unsigned k, of;
    char dir[300], state[320], kept[320];
    struct crash_shared *child;
    struct platter *disk;
    struct claim claim;
    struct place here;
    bool told;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* True when the number is new. The table is larger than what is ever put into it. */
static bool fresh(atomic_ullong *set, uint64_t number)
{
    number += number == 0;
    for (size_t i = (size_t)(number % SEEN);; i = (i + 1) % SEEN) {
        unsigned long long have = 0;
        if (atomic_compare_exchange_strong(&set[i], &have, number)) return true;
        if (have == number) return false;
    }
}

static bool over(const struct power *p)
{
    return atomic_load(&p->sh->count.distinct) >= p->o->states || (p->o->plant && atomic_load(&p->sh->count.wrong)) || (p->until_ms && now_ms() > p->until_ms);
}

/* ---- one state: start and judge, in a process of its own ---- */
static _Noreturn void start_and_judge(struct worker *w, const struct claim *claim)
{
    char why[600] = "";
    struct life_plan plan = {w->dir, w->state, w->p->o->more[0] ? w->p->o->more[0] : w->p->o->image, w->dir};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)alarm(START_SECONDS);
    if (!w->told && !freopen("/dev/null", "w", stderr)) _exit(2);
    w->child->log_bytes = 0;
    enum err err = life_recover(&plan, w->child, why, sizeof why);
    if (err == ERR_OK) {
        struct fault f = {ERR_OK, ""};
        struct state_judge j = {.dir = w->state, .claim = claim, .erases = true, .kept = w->told ? NULL : w->kept};
        err = state_judge(&j, &f);
        (void)snprintf(why, sizeof why, "%s", f.text);
    }
    (void)snprintf(w->child->error, sizeof w->child->error, "%.400s", why);
    io_exit(err == ERR_OK ? 0 : 1);
}

static void wrong(struct worker *w, const char *why)
{
    struct shared *sh = w->p->sh;
    atomic_fetch_add(&sh->count.wrong, 1);
    while (atomic_flag_test_and_set(&sh->telling)) (void)usleep(100);
    if (sh->told < SHOWN)
        (void)snprintf(sh->text[sh->told++], sizeof sh->text[0], "--state %zu:%llu:%u:%llu: %s", w->here.run, (unsigned long long)w->here.at, w->here.round,
                       (unsigned long long)w->here.again, why);
    atomic_flag_clear(&sh->telling);
}

/* True when it was new and is good: then child->log holds the ops of the start. */
static bool judged(struct worker *w, struct platter *cut, const struct claim *claim)
{
    struct counts *c = &w->p->sh->count;
    uint64_t disk = platter_hash(cut), with = disk ^ (claim->seq * 0x9E3779B97F4A7C15u) ^ (claim->nslots << 7) ^ (claim->nsecrets << 13);
    atomic_fetch_add(&c->made, 1);
    if (fresh(w->p->sh->disks, disk)) atomic_fetch_add(&c->distinct, 1);
    if (!fresh(w->p->sh->asked, with) && !w->told) return false;
    tree_gone(w->state);
    if (!platter_export(cut, w->dir)) abort();
    atomic_fetch_add(&c->judged, 1);
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) start_and_judge(w, claim);
    if (pid < 0 || waitpid(pid, &status, 0) != pid) abort();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    char why[100];
    (void)snprintf(why, sizeof why, "the start ended by signal %d, status %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0, WEXITSTATUS(status));
    wrong(w, WIFEXITED(status) && WEXITSTATUS(status) == 1 ? w->child->error : why);
    return false;
}

/* ---- cut again while the start recovers ---- */
static bool step(struct platter *p, struct claim *c, const struct op *o, const unsigned char *data)
{
    struct promise promise;
    if (o->what == OP_PROMISE) {
        memcpy(&promise, data, sizeof promise);
        claim_add(c, &promise);
    }
    return platter_step(p, o, data);
}

static void cut_again(struct worker *w, const struct platter *base, uint64_t which)
{
    size_t n = w->child->log_bytes, ops = 0;
    struct op o;
    unsigned char *log = malloc(n + 1);
    struct platter *p = platter_copy(base);
    struct claim claim = w->claim;
    if (!log) abort();
    memcpy(log, w->child->log, n);
    for (size_t at = 0; at < n; at += sizeof o + o.n, ops++) memcpy(&o, log + at, sizeof o);
    size_t stop = ops ? (size_t)(which % ops) + 1 : 0;
    platter_life(p);
    for (size_t at = 0; stop; at += sizeof o + o.n, stop--) {
        memcpy(&o, log + at, sizeof o);
        if (!step(p, &claim, &o, log + at + sizeof o)) abort();
    }
    w->here.again = which;
    if (w->told) platter_tell(p, stderr);
    platter_cut(p, CUT_MIXED, which);
    atomic_fetch_add(&w->p->sh->count.again, 1);
    (void)judged(w, p, &claim);
    w->here.again = 0;
    platter_free(p);
    free(log);
}

/* ---- all the ways to cut at one op ---- */
static void cut_one(struct worker *w, const struct platter *at, enum cut how, uint64_t seed)
{
    struct platter *p = platter_copy(at);
    uint64_t dice = seed ^ 0x5bd1e995;
    platter_cut(p, how, seed);
    bool good = judged(w, p, &w->claim);
    if (good && crash_random(&dice) % AGAIN_OF == 0) cut_again(w, p, crash_random(&dice) | 1);
    platter_free(p);
}

static void cut_here(struct worker *w, const struct platter *at, bool within)
{
    uint64_t seed = w->p->o->seed * 1000003 + w->here.run * 7919 + w->here.at * 65537 + w->here.round;
    unsigned round = w->here.round;
    if (w->told) platter_tell(at, stderr);
    if (within) cut_one(w, at, CUT_PREFIX, seed);
    else if (round == 0) {
        cut_one(w, at, CUT_LOSE_ALL, seed);
        if (platter_queued(at)) cut_one(w, at, CUT_KEEP_ALL, seed);
    } else if (platter_queued(at)) cut_one(w, at, round % 4 == 1 ? CUT_ONLY : round % 4 == 3 ? CUT_BUT : CUT_MIXED, round % 2 ? round / 4 : seed);
}

static bool changes(const struct op *o)
{
    return o->what == OP_WRITE || o->what == OP_TRUNC || o->what == OP_RENAME || o->what == OP_UNLINK || o->what == OP_MKDIR || o->what == OP_SYNC ||
           o->what == OP_SYNC_FAILED || o->what == OP_PROMISE || (o->what == OP_OPEN && (o->flags & (OP_CREATED | OP_TRUNCATED)));
}

/* A write that does not return before it is on disk, cut while it is under way. */
static void within_write(struct worker *w, struct op o, const unsigned char *data)
{
    struct platter *p = platter_copy(w->disk);
    o.flags &= ~(uint32_t)OP_DSYNC;
    if (!platter_step(p, &o, data)) abort();
    cut_here(w, p, true);
    platter_free(p);
}

/* Few states: some ops of each round, so that they come from everywhere. */
static bool chosen(const struct worker *w, const struct place *one)
{
    uint64_t dice = w->p->o->seed + w->here.run * 1000003 + w->here.at * 31 + w->here.round * 7919;
    return one ? w->here.at == one->at : w->here.at % w->of == w->k && crash_random(&dice) % w->p->stride == 0;
}

static void walk_life(struct worker *w, const unsigned char *ops, size_t n, const struct place *one)
{
    struct op o;
    platter_life(w->disk);
    for (size_t at = 0; at < n && (one || !over(w->p)); at += sizeof o + o.n) {
        memcpy(&o, ops + at, sizeof o);
        const unsigned char *data = ops + at + sizeof o;
        bool mine = changes(&o) && chosen(w, one);
        if (mine && o.what == OP_WRITE) within_write(w, o, data);
        if (!step(w->disk, &w->claim, &o, data)) abort();
        if (mine && o.what != OP_PROMISE) cut_here(w, w->disk, false);
        w->here.at += changes(&o);
    }
}

static void walk_run(struct worker *w, size_t run, unsigned round, const struct place *one)
{
    const struct crash_record *r = w->p->record[run];
    struct record_part part;
    w->disk = platter_new();
    memset(&w->claim, 0, sizeof w->claim);
    w->here = (struct place){.run = run, .round = round};
    for (size_t at = 0; at < r->n; at += sizeof part + part.n) {
        memcpy(&part, r->bytes + at, sizeof part);
        if (part.cut) platter_cut(w->disk, (enum cut)part.cut, part.seed);
        else walk_life(w, r->bytes + at + sizeof part, (size_t)part.n, one);
    }
    platter_free(w->disk);
}

static struct crash_shared *child_memory(void)
{
    struct crash_shared *sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sh == MAP_FAILED) abort();
    sh->wall_ms = 1773400000000;
    sh->random = 99;
    return sh;
}

static _Noreturn void work(struct power *p, unsigned k)
{
    struct worker w = {.p = p, .k = k, .of = p->o->jobs, .child = child_memory()};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)mallopt(M_MMAP_THRESHOLD, 256 << 10);      /* LMDB's tables stay fresh pages of the kernel, which nobody has to fill with zeros */
    (void)snprintf(w.dir, sizeof w.dir, "%s/power-%u", p->o->dir, k);
    (void)snprintf(w.state, sizeof w.state, "%s/state", w.dir);
    (void)snprintf(w.kept, sizeof w.kept, "%s/folds", p->o->dir);
    if ((mkdir(w.dir, 0700) != 0 && errno != EEXIST) || (mkdir(w.kept, 0700) != 0 && errno != EEXIST)) abort();
    for (unsigned round = 0; round < ROUNDS_MAX && !over(p); round++)
        for (size_t run = 0; run < p->nruns && !over(p); run++) walk_run(&w, run, round, NULL);
    _exit(0);
}

/* ---- recording ---- */
static size_t first_of(const unsigned char *called, uint64_t calls, enum io_class cls, uint64_t share, uint64_t of)
{
    uint64_t n = 0, want;
    for (uint64_t i = 1; i <= calls; i++) n += io_call_class[called[i]] == cls;
    want = n * share / of + 1;
    for (uint64_t i = 1; i <= calls; i++)
        if (io_call_class[called[i]] == cls && --want == 0) return (size_t)i;
    return 1;
}

/* False when the run itself is not good; then it is no material. */
static bool record_run(struct power *p, struct crash_fault fault, struct crash_case *c, unsigned char *called)
{
    char dir[300];
    int status = 0;
    struct crash_record *r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (r == MAP_FAILED) abort();
    *c = (struct crash_case){.fault = {fault}, .plant = p->o->plant};
    (void)snprintf(dir, sizeof dir, "%s/record", p->o->dir);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) abort();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct crash_setup setup = {.dir = dir, .image_path = p->o->image, .data_path = p->o->data, .record = r, .more = {p->o->more[0], p->o->more[1]}};
        case_run(&setup, c, called);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) abort();
    p->record[p->nruns++] = r;
    return c->done;
}

static bool record_all(struct power *p)
{
    static const struct { enum io_class cls; unsigned share; enum fault_kind kind; } more[] = {
        {IO_SYNCS, 9, FAULT_EIO}, {IO_SYNCS, 3, FAULT_EIO}, {IO_WRITES, 5, FAULT_TORN_KILL}, {IO_NAMES, 8, FAULT_EIO}, {IO_SYNCS, 13, FAULT_EIO},
        {IO_NAMES, 12, FAULT_KILL_AFTER}, {IO_WRITES, 14, FAULT_SHUFFLE_AFTER}, {IO_WRITES, 10, FAULT_ENOSPC}, {IO_SENDS, 7, FAULT_KILL_AFTER},
    };
    unsigned char *called = mmap(NULL, CRASH_CALLS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct crash_case *c = mmap(NULL, sizeof *c, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (called == MAP_FAILED || c == MAP_FAILED) abort();
    bool ok = record_run(p, (struct crash_fault){.kind = FAULT_NONE}, c, called);
    uint64_t calls = c->calls;
    if (!p->o->plant && !c->passed) ok = false;
    size_t many = p->o->plant == PLANT_SYNC_AGAIN ? 2 : p->o->plant ? 0 : sizeof more / sizeof *more;
    for (size_t i = 0; i < many && ok; i++)
        ok = record_run(p, (struct crash_fault){first_of(called, calls, more[i].cls, more[i].share, 16), more[i].kind, p->o->seed + i}, c, NULL);
    munmap(called, CRASH_CALLS);
    munmap(c, sizeof *c);
    return ok;
}

static uint64_t ops_of(const struct power *p)
{
    uint64_t n = 0;
    struct record_part part;
    struct op o;
    for (size_t i = 0; i < p->nruns; i++)
        for (size_t at = 0; at < p->record[i]->n; at += sizeof part + part.n) {
            memcpy(&part, p->record[i]->bytes + at, sizeof part);
            for (size_t k = 0; k < part.n; k += sizeof o + o.n) {
                memcpy(&o, p->record[i]->bytes + at + sizeof part + k, sizeof o);
                n += changes(&o);
            }
        }
    return n;
}

/* ---- the whole ---- */
static void one_state(struct power *p)
{
    unsigned long long v[4] = {0, 0, 0, 0};
    char *at = (char *)(uintptr_t)p->o->one;
    for (int i = 0; i < 4 && *at; i++) {
        v[i] = strtoull(at, &at, 10);
        at += *at == ':';
    }
    struct worker w = {.p = p, .of = 1, .child = child_memory(), .told = true};
    struct place one = {.run = (size_t)v[0], .at = v[1], .round = (unsigned)v[2], .again = v[3]};
    (void)snprintf(w.dir, sizeof w.dir, "%s/power-one", p->o->dir);
    (void)snprintf(w.state, sizeof w.state, "%s/state", w.dir);
    if (one.run >= p->nruns || (mkdir(w.dir, 0700) != 0 && errno != EEXIST)) abort();
    walk_run(&w, one.run, one.round, &one);
}

static void tell(const struct power *p, int64_t began, unsigned *passed, unsigned *failed)
{
    const struct counts *c = &p->sh->count;
    unsigned long long wrongs = atomic_load(&c->wrong), found = atomic_load(&c->judged);
    bool good = p->o->plant ? wrongs > 0 : wrongs == 0 && found > 0;
    *(good ? passed : failed) += 1;
    if (p->o->plant) {
        printf("%s crash plant, %s: %s after %llu states%s%s\n", good ? "ok" : "not ok", plant_text[p->o->plant], good ? "found" : "not found", found,
               good ? "; " : "", p->sh->text[0]);
        return;
    }
    for (unsigned i = 0; i < p->sh->told; i++) printf("not ok crash power cut, %s\n", p->sh->text[i]);
    if (good) printf("ok crash power cuts: every state starts, and holds what had been promised\n");
    printf("%zu runs with %llu changes and syncs: %llu states made, %llu distinct, %llu started and judged, %llu of them after a cut in recovery; %llu wrong, in %lld s\n",
           p->nruns, (unsigned long long)ops_of(p), atomic_load(&c->made), atomic_load(&c->distinct), found, atomic_load(&c->again), wrongs,
           (long long)(now_ms() - began) / 1000);
}

void power_run(const struct power_options *o, unsigned *passed, unsigned *failed)
{
    struct power p = {.o = o};
    int64_t began = now_ms();
    p.sh = mmap(NULL, sizeof *p.sh, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p.sh == MAP_FAILED) abort();
    if (!record_all(&p)) {
        printf("not ok power: the runs could not be recorded\n");
        *failed += 1;
        return;
    }
    p.stride = ops_of(&p) * 4 / (o->states + 1) + 1;
    p.until_ms = o->seconds ? now_ms() + (int64_t)o->seconds * 1000 : 0;
    if (o->one) one_state(&p);
    pid_t pids[JOBS_MOST];
    fflush(NULL);
    for (unsigned k = 0; k < o->jobs && !o->one; k++)
        if ((pids[k] = fork()) == 0) work(&p, k);
    for (unsigned k = 0; k < o->jobs && !o->one; k++) {
        int status = 0;
        if (waitpid(pids[k], &status, 0) == pids[k] && status == 0) continue;
        printf("not ok power: a worker broke (status %x)\n", (unsigned)status);
        *failed += 1;
    }
    tell(&p, began, passed, failed);
    for (size_t i = 0; i < p.nruns; i++) munmap(p.record[i], sizeof *p.record[i]);
    munmap(p.sh, sizeof *p.sh);
}
