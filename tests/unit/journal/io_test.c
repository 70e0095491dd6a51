/* io_test.c - every call of the log to the disk fails once, the reading ones too: while it starts with a torn tail, works over several segments, writes
 * checkpoints, reads all of itself. Either an error is said, or nothing is missing; the next start has all that was promised. And what no program of
 * ours writes: names, headers and frames that contradict themselves under checksums that fit. */
#include "rig.h"
#include "journal/frame.h"
#include "base/log.h"
#include "tests/fault/failing_disk.h"
#include <errno.h>
#include <fcntl.h>


/* A life with everything in it. */
static enum err live(struct rig *r)
{
    struct journal *j = NULL, *reader = NULL;
    struct fault f = {ERR_OK, ""};
    struct journal_options o = rig_options(r);
    o.min_free_bytes = 3000;
    enum err e = journal_open(&j, &r->w, &o, &f);
    if (e == ERR_OK && !rig_check(r, j)) e = ERR_IO;
    if (e == ERR_OK) e = rig_work(r, j, 9);
    if (e == ERR_OK) e = journal_checkpoint(j, &f);
    if (e == ERR_OK) {
        struct rig_reading rd = {r, 0};
        o.read_only = true;
        e = journal_open(&reader, &r->w, &o, &f);
        if (e == ERR_OK) e = journal_read(reader, 1, rig_check_frame, &rd, &f);
        journal_close(reader);
    }
    journal_close(j);
    return e;
}

/* Three lives, and a torn fourth when told. */
static struct rig *base(bool torn)
{
    struct rig *r = malloc(sizeof *r);
    if (!r) abort();
    rig_init(r, memdisk_new());
    for (int i = 0; i < 3; i++)
        if (live(r) != ERR_OK) abort();
    if (!torn) return r;
    enum err e;
    struct journal *j = rig_open(r, &e);
    struct fault f;
    for (int i = 0; i < 5; i++) (void)rig_append(r, j, &f);
    memdisk_stop(r->d, memdisk_calls(r->d) + 1, 100);
    (void)rig_commit(r, j, &f);
    journal_close(j);
    memdisk_crash(r->d, MEMDISK_PREFIX, 0, 60);
    r->m.n = r->m.acked;
    return r;
}

/* A log that grew ahead of its frames: what was promised is proven by nothing but itself, and bytes of a write that broke off stand far behind. */
static struct rig *far_tail(void)
{
    struct rig *r = malloc(sizeof *r);
    enum err e;
    if (!r) abort();
    rig_init(r, memdisk_new());
    r->segment_bytes = 700 << 10;
    r->checkpoint_frames = 100000;
    struct journal *j = rig_open(r, &e);
    if (rig_work(r, j, 9) != ERR_OK) abort();
    struct rig *killed = rig_copy(r);                       /* before a close writes a checkpoint */
    journal_close(j);
    rig_drop(r);
    killed->m.applied = 0;
    const struct world_files *fs = &killed->w.files;
    int fd = fs->open(fs->ctx, "/log/00000001.seg", O_RDWR, 0);
    for (int64_t at = 300 << 10; at < 600 << 10; at += 100 << 10)
        if (fs->pwrite(fs->ctx, fd, "torn", 4, at) != 4) abort();
    fs->close(fs->ctx, fd);
    return killed;
}

static struct rig *nothing_yet(void)
{
    struct rig *r = malloc(sizeof *r);
    if (!r) abort();
    rig_init(r, memdisk_new());
    return r;
}

static void every_call(const char *name, struct rig *from, int code, bool nothing)
{
    char why[900] = "";
    uint64_t n = 0;
    for (bool reached = true; reached && !why[0];) {
        struct rig *r = rig_copy(from);
        struct failing_disk disk = {.at = ++n, .why = code, .reads_nothing = nothing, .writes_nothing = nothing};
        failing_disk(&disk, &r->w.files);
        enum err e = live(r);
        reached = disk.calls >= n;
        bool promised = r->m.n >= r->m.acked;
        if (e == ERR_OK && r->why[0]) snprintf(why, sizeof why, "call %llu: %s", (unsigned long long)n, r->why);
        /* Bytes that are not there may be taken for damage; a call that fails may not. */
        if (e == ERR_CORRUPT && !nothing) snprintf(why, sizeof why, "call %llu is taken for damage: %s", (unsigned long long)n, r->why);
        memdisk_files(r->d, &r->w.files);
        memdisk_kill(r->d);
        r->why[0] = '\0';
        r->m.v[r->m.n ? r->m.n - 1 : 0].last = true;
        if (!promised || live(r) != ERR_OK) snprintf(why, sizeof why, "after call %llu: %s", (unsigned long long)n, r->why[0] ? r->why : "does not start");
        rig_drop(r);
    }
    verdict(!why[0] && n > 60, name, why);
    printf("# %llu calls\n", (unsigned long long)n - 1);
    rig_drop(from);
}

/* ---- what no program of ours writes ---- */
static void headers(void)
{
    unsigned char good[SEG_HEADER_BYTES], bad[SEG_HEADER_BYTES];
    struct seg_header h = {.number = 3, .first_seq = 9, .placed_to = 9}, out;
    journal__header_encode(&h, good);
    verdict(journal__header_decode(good, &out) == NULL && out.first_seq == 9, "a header is read as it was written", "no");
    bool all = true;
    for (size_t i = 0; i < SEG_HEADER_BYTES * 8; i++) {
        memcpy(bad, good, sizeof bad);
        bad[i / 8] ^= (unsigned char)(1u << i % 8);
        all = all && journal__header_decode(bad, &out) != NULL;
    }
    verdict(all, "each flipped bit of a header is found", "one is not");
    const struct seg_header wrong[] = {{.number = 3, .first_seq = 0}, {.number = 3, .first_seq = 9, .placed_to = 2}, {.number = 3, .first_seq = 9, .placed_to = 9, .flags = 64}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        journal__header_encode(&wrong[i], bad);
        verdict(journal__header_decode(bad, &out) != NULL, "a header that contradicts itself is refused", "it is taken");
    }
}

static void paths(void)
{
    struct rig *r = malloc(sizeof *r);
    struct journal *j = NULL;
    struct fault f = {ERR_OK, ""};
    char longest[5000];
    if (!r) abort();
    rig_init(r, memdisk_new());
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    const char *const dirs[] = {"", longest, NULL};
    for (size_t i = 0; i < 3; i++) {
        struct journal_options o = rig_options(r);
        o.dir = dirs[i];
        verdict(journal_open(&j, &r->w, &o, &f) == ERR_CONFIG, "a path that is empty or too long is refused", f.text);
    }
    const char *const origins[] = {"", NULL, "a+b", "caf\xc3\xa9", "a\x7f", longest};
    for (size_t i = 0; i < 6; i++) {
        struct journal_options o = rig_options(r);
        o.origin = origins[i];
        verdict(journal_open(&j, &r->w, &o, &f) == ERR_CONFIG && journal_open(&j, &r->w, &o, NULL) == ERR_CONFIG, "a name that a checkpoint cannot carry is refused", f.text);
    }
    rig_drop(r);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    if (sodium_init() < 0) return 1;
    every_call("in an empty directory, each call fails once", nothing_yet(), EIO, false);
    every_call("after a clean end, each call fails once", base(false), EIO, false);
    every_call("after a clean end, the quota is used up at each call once", base(false), EDQUOT, false);
    every_call("after a torn write, each call fails once", base(true), EIO, false);
    every_call("after a torn write, each read or write once moves nothing", base(true), EIO, true);
    every_call("bytes far behind the last frame, each call fails once", far_tail(), EIO, false);
    headers();
    paths();
    return failures != 0;
}
