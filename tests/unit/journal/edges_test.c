/* edges_test.c - what callers may leave out (sizes, keys, a place for the error), what is refused and leaves the log as it was, more segments than
 * one list holds, and the parent of a new directory. */
#include "tests/unit/journal/rig.h"
#include "base/limits.h"
#include "base/log.h"
#include <errno.h>

static uint64_t size_of(const struct rig *r, const char *path)
{
    struct str s;
    return memdisk_content(r->d, path, &s) ? s.n : 0;
}

static int unconfirmed(void *ctx, int fd)
{
    (void)ctx;
    (void)fd;
    errno = EIO;
    return -1;
}

struct named { int n; uint64_t bytes; char last[32]; };
static void take_segment(void *arg, const char *name, uint64_t bytes)
{
    struct named *x = arg;
    x->n++;
    x->bytes = bytes;
    snprintf(x->last, sizeof x->last, "%s", name);
}

/* More segments than the first list of them has room for; each is named, only the last has an end that moves. */
static void many_segments(void)
{
    struct rig *r = fresh();
    struct fault f = {ERR_OK, ""};
    struct journal *j = NULL;
    struct named x = {0};
    struct journal_options o = rig_options(r);
    o.segment_bytes = 1;                    /* less than any log has: 1,024 are taken */
    bool good = journal_open(&j, &r->w, &o, &f) == ERR_OK;
    for (int i = 0; i < 600 && good; i++) good = rig_append(r, j, &f) == ERR_OK && rig_commit(r, j, &f) == ERR_OK;
    good = good && journal_files(j, take_segment, &x, &f) == ERR_OK;
    verdict(good && x.n > 64 && x.bytes > 128 && x.bytes <= 1024 + 1000, "more than 64 segments", f.text);
    char path[64];
    snprintf(path, sizeof path, "/log/%s", x.last);
    verdict(size_of(r, path) >= x.bytes, "the last one is named", x.last);
    journal_close(j);
    r->m.applied = 0;
    verdict(rig_live(r, 3) == ERR_OK, "and all are found again", r->why);
    rig_drop(r);
}

static void defaults(void)
{
    struct rig *r = fresh();
    struct fault f = {ERR_OK, ""};
    struct journal *j = NULL;
    struct journal_options o = rig_options(r);
    struct frame fr = {.kind = FRAME_OPEN, .slot = FRAME_NO_SLOT, .pub = STR("x")};
    uint64_t per_minute = 0;
    o.segment_bytes = 0, o.checkpoint_frames = 0;
    bool good = journal_open(&j, &r->w, &o, &f) == ERR_OK;
    for (int i = 0; i < 999 && good; i++) good = journal_append(j, &fr, NULL) == ERR_OK && journal_commit(j, NULL) == ERR_OK;
    verdict(good && size_of(r, "/log/checkpoints.log") == 0, "no checkpoint before 1,000 frames", f.text);
    good = good && journal_append(j, &fr, NULL) == ERR_OK && journal_commit(j, NULL) == ERR_OK;
    per_minute = size_of(r, "/log/checkpoints.log");
    verdict(good && per_minute > 0, "one at 1,000 frames", f.text);
    r->mono += 60000;
    good = good && journal_append(j, &fr, NULL) == ERR_OK && journal_commit(j, NULL) == ERR_OK && size_of(r, "/log/checkpoints.log") > per_minute;
    verdict(good && journal_checkpoint(j, NULL) == ERR_OK, "one after a minute", f.text);
    journal_close(j);
    rig_drop(r);
}

static enum err no_sign(void *ctx, struct str message, unsigned char sig[64])
{
    (void)ctx, (void)message, (void)sig;
    return ERR_SECRET;
}
static enum err no_key(void *ctx, uint32_t slot, struct str ad, struct str plain, struct buf *out)
{
    (void)ctx, (void)slot, (void)ad, (void)plain, (void)out;
    return ERR_IO;
}
static enum err no_open(void *ctx, uint32_t slot, struct str ad, struct str sealed, struct arena *a, struct str *plain)
{
    (void)ctx, (void)slot, (void)ad, (void)sealed, (void)a, (void)plain;
    return ERR_IO;
}

/* Keys that cannot be had: nothing is written in the open instead, and the log goes on. */
static void without_keys(void)
{
    struct rig *r = fresh();
    struct fault f = {ERR_OK, ""};
    struct journal *j = NULL;
    struct journal_options o = rig_options(r);
    struct frame fr = sample(), open = {.kind = FRAME_OPEN, .slot = FRAME_NO_SLOT};
    struct seen s = {0};
    o.seal.sign = no_sign;
    bool good = journal_open(&j, &r->w, &o, &f) == ERR_OK && journal_append(j, &open, &f) == ERR_OK && journal_append(j, &fr, &f) == ERR_OK && journal_commit(j, &f) == ERR_OK;
    verdict(good && journal_checkpoint(j, &f) == ERR_SECRET && strstr(f.text, "cannot sign"), "a checkpoint that cannot be signed", f.text);
    verdict(size_of(r, "/log/checkpoints.log") == 0 && journal_append(j, &open, &f) == ERR_OK && journal_commit(j, &f) == ERR_OK, "the log goes on without it", f.text);
    journal_close(j);
    o.seal.sign = NULL;
    o.seal.seal = NULL;
    good = journal_open(&j, &r->w, &o, &f) == ERR_OK && journal_checkpoint(j, &f) == ERR_OK && size_of(r, "/log/checkpoints.log") == 0;
    verdict(good && journal_append(j, &fr, &f) == ERR_SECRET && journal_last_seq(j) == 3, "a private part without a key", f.text);
    good = journal_append(j, &open, &f) == ERR_OK && journal_commit(j, &f) == ERR_OK;
    verdict(good && journal_read(j, 2, see, &s, &f) == ERR_OK && s.n == 3, "the public ones go on", f.text);
    journal_close(j);
    o.seal.seal = no_key;
    o.seal.open = NULL;
    good = journal_open(&j, &r->w, &o, &f) == ERR_OK;
    verdict(good && journal_append(j, &fr, &f) == ERR_IO && strstr(f.text, "data key 77 cannot be used"), "a data key that cannot be read", f.text);
    s.n = 0;
    struct journal_filter second = {.from = 2, .to = 2};
    verdict(journal_scan(j, &second, see, &s, &f) == ERR_OK && s.n == 1 && s.priv_n == 0 && !s.last.priv_erased, "who has no keys reads the public parts", f.text);
    journal_close(j);
    o.seal.open = no_open;
    good = journal_open(&j, &r->w, &o, &f) == ERR_OK;
    verdict(good && journal_scan(j, &second, see, &s, &f) == ERR_IO && strstr(f.text, "its data key cannot be used"), "a key that cannot be read is no damage", f.text);
    journal_close(j);
    rig_drop(r);
}

static void refusals(void)
{
    struct rig *r = fresh();
    struct fault f = {ERR_OK, ""};
    struct journal *j = NULL, *reader = NULL;
    enum err e;
    j = rig_open(r, &e);
    rig_work(r, j, 3);
    static char big[1];
    struct frame fr = {.kind = FRAME_ROW, .slot = FRAME_NO_SLOT, .pub = {big, LIMIT_FRAME_BYTES + 1u}};
    verdict(journal_append(j, &fr, &f) == ERR_TOO_LARGE, "a public part that no frame can hold", f.text);
    fr.priv = fr.pub, fr.pub.n = 0;
    verdict(journal_append(j, &fr, &f) == ERR_TOO_LARGE, "a private part that no frame can hold", f.text);
    struct journal_options o = rig_options(r);
    struct seen s = {0};
    o.read_only = true;
    uint64_t size = size_of(r, "/log/checkpoints.log");
    bool good = journal_open(&reader, &r->w, &o, &f) == ERR_OK;
    verdict(good && journal_commit(reader, &f) == ERR_USAGE && journal_close_batch(reader, &f) == ERR_USAGE, "a reader commits nothing", f.text);
    verdict(journal_checkpoint(reader, &f) == ERR_OK && size_of(r, "/log/checkpoints.log") == size, "and signs nothing", f.text);
    struct journal_filter beyond = {.from = 1, .to = 100000, .sealed = true};
    verdict(journal_scan(reader, &beyond, see, &s, &f) == ERR_OK && s.n == r->m.acked, "a range over the end ends there", f.text);
    s.n = 0;
    r->w.files.unlink(r->d, "/log/00000001.seg");
    verdict(journal_read(reader, 1, see, &s, &f) == ERR_IO, "a segment that went away while it was read", f.text);
    journal_close(reader);
    r->w.files.fdatasync = unconfirmed;
    rig_append(r, j, &f);
    verdict(rig_commit(r, j, &f) == ERR_SYNC_FAILED && journal_checkpoint(j, NULL) == ERR_SYNC_FAILED, "a log that failed signs nothing", f.text);
    struct named x = {0};
    verdict(journal_read(j, 1, see, &s, &f) == ERR_SYNC_FAILED && journal_files(j, take_segment, &x, &f) == ERR_SYNC_FAILED && x.n == 0, "and gives nothing out", f.text);
    journal_close(j);
    rig_drop(r);
}

/* A name in the current directory: its parent is ".", and not "" or the root. */
static char synced[64];
static int note_dir(void *ctx, const char *dir)
{
    (void)ctx;
    snprintf(synced, sizeof synced, "%s", dir);
    errno = EIO;
    return -1;
}
/* All files at the root: only where the directory would be matters here. */
static int local_open(void *ctx, const char *path, int flags, int mode)
{
    struct world_files real;
    memdisk_files(ctx, &real);
    return real.open(ctx, strrchr(path, '/'), flags, mode);
}
static int local_mkdir(void *ctx, const char *path, int mode)
{
    (void)ctx, (void)path, (void)mode;
    return 0;
}
static int local_unlink(void *ctx, const char *path)
{
    (void)ctx, (void)path;
    return 0;
}
static int local_list(void *ctx, const char *dir, void (*each)(void *arg, const char *name), void *arg)
{
    (void)ctx, (void)dir, (void)each, (void)arg;
    return 0;
}
static void parents(void)
{
    static const char *const dirs[][2] = {{"log", "."}, {"/log", "/"}, {"/a/b/log/", "/a/b"}, {"/", "/"}};
    for (size_t i = 0; i < 4; i++) {
        struct rig *r = fresh();
        struct fault f = {ERR_OK, ""};
        struct journal *j = NULL;
        struct journal_options o = rig_options(r);
        r->w.files.sync_dir = note_dir, r->w.files.open = local_open, r->w.files.mkdir = local_mkdir;
        r->w.files.unlink = local_unlink, r->w.files.list = local_list;
        o.dir = dirs[i][0];
        enum err e = journal_open(&j, &r->w, &o, &f);
        verdict(e == ERR_SYNC_FAILED && strcmp(synced, dirs[i][1]) == 0, "a new directory is synced in its parent", f.text);
        rig_drop(r);
    }
}

int main(void)
{
    if (sodium_init() < 0) return 1;
    log_set_level(LOG_ERROR);
    many_segments();
    defaults();
    without_keys();
    refusals();
    parents();
    return failures != 0;
}
