/* crash_test.c - every crash point and every failing call of a small workload, on a disk that forgets.
 *
 * After each: the log opens, is a run of whole batches, holds every batch whose commit said OK (or that an earlier open counted), and can be
 * written on; after another power cut all of that still holds. The same harness must find planted bugs: that is tested first. */
#include "tests/unit/journal/rig.h"
#include "base/log.h"
#include <errno.h>

#define BATCHES 12

enum bug { BUG_NONE, BUG_NO_SYNC, BUG_NO_DIR_SYNC, BUG_ACK_BEFORE_BODY, BUG_HIDE_SYNC_ERROR, BUG_CLAIM_PROVEN };
static const char *const bug_names[] = {"none", "skips fdatasync", "skips the sync of the directory", "syncs before it writes",
                                        "goes on after a failed sync", "takes what it finds for durable"};

/* ---- planted bugs sit between the journal and the disk ---- */

static struct { struct world_files real; enum bug bug; int fd; int64_t off; char *data; size_t n; } layer;

static void let_through(void)
{
    if (layer.data) layer.real.pwrite(layer.real.ctx, layer.fd, layer.data, layer.n, layer.off);
    free(layer.data);
    layer.data = NULL;
}

static int bug_fdatasync(void *ctx, int fd)
{
    if (layer.bug == BUG_NO_SYNC) return 0;
    int rc = layer.real.fdatasync(ctx, fd);
    let_through();
    return layer.bug == BUG_HIDE_SYNC_ERROR ? 0 : rc;
}

static int bug_sync_dir(void *ctx, const char *dir) { return layer.bug == BUG_NO_DIR_SYNC ? 0 : layer.real.sync_dir(ctx, dir); }

static int64_t bug_pwrite(void *ctx, int fd, const void *p, size_t n, int64_t off)
{
    if (layer.bug != BUG_ACK_BEFORE_BODY) return layer.real.pwrite(ctx, fd, p, n, off);
    let_through();
    layer.fd = fd;
    layer.off = off;
    layer.n = n;
    if ((layer.data = malloc(n + 1)) == NULL) abort();
    memcpy(layer.data, p, n);
    return (int64_t)n;
}

static void plant(struct rig *r, enum bug bug)
{
    free(layer.data);
    layer.data = NULL;
    memdisk_files(r->d, &layer.real);
    r->w.files = layer.real;
    layer.bug = bug;
    r->claim_proven = bug == BUG_CLAIM_PROVEN;
    if (bug == BUG_NONE || bug == BUG_CLAIM_PROVEN) return;
    r->w.files.fdatasync = bug_fdatasync;
    r->w.files.sync_dir = bug_sync_dir;
    r->w.files.pwrite = bug_pwrite;
}

/* ---- the harness ---- */

static struct { enum bug bug; unsigned long runs, wrong; char first[900]; bool stop, with_dir; } tally;

static void wrong(const struct rig *r, const char *what, uint64_t n, uint64_t detail, uint64_t torn)
{
    if (tally.wrong++ == 0)
        snprintf(tally.first, sizeof tally.first, "%s %llu, detail %llu/%llu: %s", what, (unsigned long long)n, (unsigned long long)detail,
                 (unsigned long long)torn, r->why);
    tally.stop = tally.bug != BUG_NONE;         /* a planted bug is found once */
}

/* The next life must go well, write on, and after one more power cut everything promised must be there. */
static void aftermath(struct rig *r, const char *what, uint64_t n, uint64_t detail, uint64_t torn)
{
    tally.runs++;
    plant(r, tally.bug);
    enum err e = rig_live(r, 3);
    if (e == ERR_OK) {
        memdisk_crash(r->d, MEMDISK_LOSE_ALL, 0, 0);
        e = rig_live(r, 1);
    }
    if (e == ERR_OK) return;
    if (!r->why[0]) snprintf(r->why, sizeof r->why, "%s without a planted fault", err_name(e));
    wrong(r, what, n, detail, torn);
}

static void crash_and_check(const struct rig *base, enum memdisk_loss loss, uint64_t detail, size_t torn, uint64_t n)
{
    static const char *const names[] = {"power cut at call (all lost)", "power cut at call (all kept)", "power cut at call (prefix)", "power cut at call (random)"};
    if (tally.stop) return;
    struct rig *r = rig_copy(base);
    memdisk_crash(r->d, loss, detail, torn);
    aftermath(r, names[loss], n, detail, torn);
    rig_drop(r);
}

static void every_loss(const struct rig *base, uint64_t n, unsigned seeds)
{
    crash_and_check(base, MEMDISK_LOSE_ALL, 0, 0, n);
    crash_and_check(base, MEMDISK_KEEP_ALL, 0, 0, n);
    for (size_t i = 0; i < memdisk_queued(base->d); i++) {
        size_t bytes = memdisk_queued_bytes(base->d, i);
        for (size_t torn = 0; torn == 0 || torn < bytes; torn += torn < 400 ? 1 : torn < 1200 ? 7 : 97) crash_and_check(base, MEMDISK_PREFIX, i, torn, n);
    }
    for (uint64_t seed = 0; seed < seeds; seed++) crash_and_check(base, MEMDISK_RANDOM, seed * 1000 + n, 0, n);
}

static void kill_and_check(const struct rig *base, const char *what, uint64_t n, uint64_t detail)
{
    if (tally.stop) return;
    struct rig *r = rig_copy(base);
    memdisk_kill(r->d);
    aftermath(r, what, n, detail, 0);
    rig_drop(r);
}

/* A first life, so that the one under test begins with a log. `with_dir`: the directory stands already. (A failed sync of its parent is the one
 * thing that no later start can mend: the error text says what to do.) */
static struct rig *begin(bool with_past)
{
    struct rig *r = malloc(sizeof *r);
    if (!r) abort();
    rig_init(r, memdisk_new());
    if (tally.with_dir && (r->w.files.mkdir(r->d, "/log", 0700) != 0 || r->w.files.sync_dir(r->d, "/") != 0)) abort();
    plant(r, tally.bug);
    if (with_past && rig_live(r, 5) != ERR_OK) wrong(r, "first life", 0, 0, 0);
    memdisk_kill(r->d);
    plant(r, tally.bug);
    return r;
}

static uint64_t count_calls(bool with_past)
{
    struct rig *r = begin(with_past);
    memdisk_count_from(r->d);
    if (rig_live(r, BATCHES) != ERR_OK) wrong(r, "undisturbed life", 0, 0, 0);
    uint64_t n = memdisk_calls(r->d);
    rig_drop(r);
    return n;
}

static void power_cuts(bool with_past)
{
    uint64_t calls = count_calls(with_past);
    for (uint64_t n = 1; n <= calls + 1 && !tally.stop; n++) {
        struct rig *r = begin(with_past);
        memdisk_count_from(r->d);
        memdisk_stop(r->d, n, SIZE_MAX);
        enum err e = rig_live(r, BATCHES);
        if (e == ERR_CORRUPT) wrong(r, "life ended by power cut at call", n, 0, 0);
        every_loss(r, n, 12);
        kill_and_check(r, "process killed at call", n, 0);
        rig_drop(r);
    }
}

static void failing_calls(bool with_past)
{
    static const struct { int why; size_t partial; bool lasting; } faults[] = {
        {EIO, 0, false}, {EIO, 60, false}, {EIO, SIZE_MAX, true}, {ENOSPC, 0, true}, {ENOSPC, 200, true}, {ENOSPC, 33, false}};
    uint64_t calls = count_calls(with_past);
    for (uint64_t n = 1; n <= calls && !tally.stop; n++)
        for (size_t k = 0; k < sizeof faults / sizeof *faults && !tally.stop; k++) {
            struct rig *r = begin(with_past);
            memdisk_count_from(r->d);
            memdisk_fail(r->d, n, faults[k].why, faults[k].partial, faults[k].lasting);
            enum err e = rig_live(r, BATCHES);
            if (e == ERR_CORRUPT) wrong(r, "life with a failing call", n, k, 0);
            kill_and_check(r, "failed call, process ended", n, k);
            crash_and_check(r, MEMDISK_LOSE_ALL, 0, 0, n);
            for (uint64_t seed = 0; seed < 4; seed++) crash_and_check(r, MEMDISK_RANDOM, n * 100 + k * 10 + seed, 0, n);
            rig_drop(r);
        }
}

/* A crash, and then a second one (or a failing call) within the recovery from the first. */
static void recovery_disturbed(const struct rig *crashed, uint64_t n)
{
    struct rig *probe = rig_copy(crashed);
    plant(probe, tally.bug);
    if (rig_live(probe, 0) == ERR_CORRUPT) wrong(probe, "recovery", n, 0, 0);
    uint64_t calls = memdisk_calls(probe->d);
    rig_drop(probe);
    for (uint64_t m = 1; m <= calls && !tally.stop; m++)
        for (int how = 0; how < 4 && !tally.stop; how++) {
            struct rig *r = rig_copy(crashed);
            plant(r, tally.bug);
            if (how == 0) memdisk_stop(r->d, m, SIZE_MAX);
            else if (how == 1) memdisk_stop(r->d, m, 77);
            else memdisk_fail(r->d, m, how == 2 ? EIO : ENOSPC, 0, false);
            if (rig_live(r, 0) == ERR_CORRUPT) wrong(r, "disturbed recovery", n, m, (uint64_t)how);
            kill_and_check(r, "recovery ended, then a start", n, m * 10 + (uint64_t)how);
            for (uint64_t seed = 0; seed < 3; seed++) crash_and_check(r, MEMDISK_RANDOM, m * 100 + seed, 0, n);
            crash_and_check(r, MEMDISK_LOSE_ALL, 0, 0, n);
            rig_drop(r);
        }
}

static void double_crashes(void)
{
    uint64_t calls = count_calls(true);
    for (uint64_t n = 1; n <= calls && !tally.stop; n += 2) {
        for (int how = 0; how < 3 && !tally.stop; how++) {
            struct rig *r = begin(true);
            memdisk_count_from(r->d);
            if (how == 2) memdisk_fail(r->d, n, EIO, 0, false);
            else memdisk_stop(r->d, n, SIZE_MAX);
            if (rig_live(r, BATCHES) == ERR_CORRUPT) wrong(r, "life before a double crash", n, 0, 0);
            if (how == 0) memdisk_crash(r->d, MEMDISK_RANDOM, n, 0);
            else memdisk_kill(r->d);
            recovery_disturbed(r, n);
            rig_drop(r);
        }
    }
}

static bool run(enum bug bug)
{
    memset(&tally, 0, sizeof tally);
    tally.bug = bug;
    power_cuts(false);
    if (!tally.stop) power_cuts(true);
    tally.with_dir = true;
    if (!tally.stop) failing_calls(false);
    if (!tally.stop) failing_calls(true);
    if (!tally.stop) double_crashes();
    return tally.wrong == 0;
}

int main(void)
{
    log_set_level(LOG_ERROR);
    if (sodium_init() < 0) return 1;
    for (enum bug bug = BUG_NO_SYNC; bug <= BUG_CLAIM_PROVEN; bug++) {
        bool missed = run(bug);
        failures += missed;
        if (missed) printf("not ok crash_finds_bug: a journal that %s passes %lu runs\n", bug_names[bug], tally.runs);
        else printf("ok crash_finds_bug (%s; after %lu runs: %s)\n", bug_names[bug], tally.runs, tally.first);
    }
    bool good = run(BUG_NONE);
    failures += !good;
    if (good) printf("ok crash_everywhere (%lu crashes and failures)\n", tally.runs);
    else printf("not ok crash_everywhere: %lu of %lu, first: %s\n", tally.wrong, tally.runs, tally.first);
    free(layer.data);
    return failures != 0;
}
