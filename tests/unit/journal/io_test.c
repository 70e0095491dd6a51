/* io_test.c - every call of the log to the disk fails once, the reading ones too: while it starts with a torn tail, works over several segments, writes
 * checkpoints, reads all of itself. Either an error is said, or nothing is missing; the next start has all that was promised. And what no program of
 * ours writes: names, headers and frames that contradict themselves under checksums that fit. */
#include "rig.h"
#include "journal/frame.h"
#include "base/log.h"
#include <errno.h>

static unsigned failures;

static void verdict(bool good, const char *name, const char *why)
{
    if (good) printf("ok %s\n", name);
    else printf("not ok %s: %s\n", name, why), failures++;
}

/* ---- a disk that fails once ---- */
static struct { struct world_files real; uint64_t calls, at; bool nothing; } disk;

static bool hit(void)
{
    if (++disk.calls != disk.at) return false;
    errno = EIO;
    return true;
}

static int x_open(void *c, const char *path, int flags, int mode) { (void)c; return hit() ? -1 : disk.real.open(disk.real.ctx, path, flags, mode); }
static int64_t x_pread(void *c, int fd, void *p, size_t n, int64_t off) { (void)c; return hit() ? (disk.nothing ? 0 : -1) : disk.real.pread(disk.real.ctx, fd, p, n, off); }
static int64_t x_pwrite(void *c, int fd, const void *p, size_t n, int64_t off) { (void)c; return hit() ? (disk.nothing ? 0 : -1) : disk.real.pwrite(disk.real.ctx, fd, p, n, off); }
static int x_fdatasync(void *c, int fd) { (void)c; return hit() ? -1 : disk.real.fdatasync(disk.real.ctx, fd); }
static int x_sync_dir(void *c, const char *dir) { (void)c; return hit() ? -1 : disk.real.sync_dir(disk.real.ctx, dir); }
static int x_ftruncate(void *c, int fd, int64_t n) { (void)c; return hit() ? -1 : disk.real.ftruncate(disk.real.ctx, fd, n); }
static int x_rename(void *c, const char *from, const char *to) { (void)c; return hit() ? -1 : disk.real.rename(disk.real.ctx, from, to); }
static int x_unlink(void *c, const char *path) { (void)c; return hit() ? -1 : disk.real.unlink(disk.real.ctx, path); }
static int x_mkdir(void *c, const char *path, int mode) { (void)c; return hit() ? -1 : disk.real.mkdir(disk.real.ctx, path, mode); }
static int64_t x_size(void *c, int fd) { (void)c; return hit() ? -1 : disk.real.size(disk.real.ctx, fd); }
static int x_lock(void *c, int fd) { (void)c; return hit() ? -1 : disk.real.lock(disk.real.ctx, fd); }
static int x_list(void *c, const char *dir, void (*each)(void *arg, const char *name), void *arg)
{
    (void)c;
    return hit() ? -1 : disk.real.list(disk.real.ctx, dir, each, arg);
}

static void break_disk(struct rig *r, uint64_t at, bool nothing)
{
    disk.real = r->w.files;
    disk.calls = 0;
    disk.at = at;
    disk.nothing = nothing;
    struct world_files *f = &r->w.files;
    f->open = x_open, f->pread = x_pread, f->pwrite = x_pwrite, f->fdatasync = x_fdatasync, f->sync_dir = x_sync_dir, f->ftruncate = x_ftruncate;
    f->rename = x_rename, f->unlink = x_unlink, f->mkdir = x_mkdir, f->size = x_size, f->lock = x_lock, f->list = x_list;
}

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

static void every_call(const char *name, struct rig *from, bool nothing)
{
    char why[900] = "";
    uint64_t n = 0;
    for (bool reached = true; reached && !why[0];) {
        struct rig *r = rig_copy(from);
        break_disk(r, ++n, nothing);
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
    const char *const origins[] = {"", NULL, "a+b", "caf\xc3\xa9", longest};
    for (size_t i = 0; i < 5; i++) {
        struct journal_options o = rig_options(r);
        o.origin = origins[i];
        verdict(journal_open(&j, &r->w, &o, &f) == ERR_CONFIG && journal_open(&j, &r->w, &o, NULL) == ERR_CONFIG, "a name that a checkpoint cannot carry is refused", f.text);
    }
    rig_drop(r);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    struct rig *whole = base(false), *torn = base(true);
    if (sodium_init() < 0) return 1;
    every_call("after a clean end, each call fails once", whole, false);
    every_call("after a torn write, each call fails once", torn, false);
    every_call("after a torn write, each read or write once moves nothing", torn, true);
    headers();
    paths();
    rig_drop(whole);
    rig_drop(torn);
    return failures != 0;
}
