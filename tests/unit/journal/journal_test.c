/* journal_test.c - round trips, filters, limits, alarms, a full disk, and every single flipped bit as the reader sees it. */
#include "tests/unit/journal/rig.h"
#include "base/limits.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>

/* ---- round trips ---- */

static void round_trip(void)
{
    struct rig *r = fresh();
    struct journal *j = NULL;
    struct fault f = {ERR_OK, ""};
    struct journal_options o = rig_options(r);
    struct frame fr = sample(), open = {.kind = FRAME_OPEN, .slot = FRAME_NO_SLOT};
    struct seen s = {0};
    bool good = journal_open(&j, &r->w, &o, &f) == ERR_OK && journal_append(j, &open, &f) == ERR_OK && journal_append(j, &fr, &f) == ERR_OK;
    verdict(good && journal_durable_seq(j) == 0 && journal_last_seq(j) == 2 && journal_commit(j, &f) == ERR_OK && journal_durable_seq(j) == 2, "append_commit", f.text);
    verdict(journal_commit(j, &f) == ERR_OK, "commit_nothing", f.text);
    struct hash head = journal_head(j);
    journal_close(j);
    good = journal_open(&j, &r->w, &o, &f) == ERR_OK && journal_read(j, 2, see, &s, &f) == ERR_OK && s.n == 1;
    good = good && s.last.seq == 2 && s.last.kind == FRAME_INTENT && s.last.flags == FRAME_COMMIT && s.last.time_ms == fr.time_ms && s.last.epoch == 1 && s.last.slot == 77;
    good = good && hash_eq(&s.last.image, &fr.image) && hash_eq(&s.last.flow, &fr.flow) && memcmp(s.last.key_hash, fr.key_hash, 16) == 0 && hash_eq(&s.last.hash, &head);
    good = good && str_eq((struct str){s.pub, s.pub_n}, fr.pub) && str_eq((struct str){s.priv, s.priv_n}, fr.priv) && !s.last.priv_erased;
    verdict(good, "round_trip", f.text);
    open.kind = FRAME_OPEN;
    journal_append(j, &open, &f);
    verdict(open.epoch == 2 && journal_commit(j, &f) == ERR_OK, "epoch", "the epoch does not count process starts");
    r->erased_slot = 77;
    s.n = 0;
    struct journal_filter flt = {.from = 2, .to = 2};
    verdict(journal_scan(j, &flt, see, &s, &f) == ERR_OK && s.n == 1 && s.last.priv_erased && s.priv_n == 0 && s.pub_n == fr.pub.n, "erased", f.text);
    fr.slot = 77;
    verdict(journal_append(j, &fr, &f) == ERR_SECRET && journal_last_seq(j) == 3, "append_erased", "sealed with an erased key");
    journal_close(j);
    rig_drop(r);
}

static void filters(void)
{
    struct rig *r = fresh();
    struct journal *j;
    enum err e;
    struct fault f = {ERR_OK, ""};
    struct seen s = {0};
    r->segment_bytes = 4096;
    j = rig_open(r, &e);
    for (int i = 0; i < 300 && e == ERR_OK; i++) e = i % 10 == 9 ? rig_commit(r, j, &f) : rig_append(r, j, &f);
    e = rig_commit(r, j, &f);
    unsigned want = 0;
    for (size_t i = 0; i < r->m.n; i++) want += r->m.v[i].id % 3 == 2;
    unsigned char key[16] = {2};
    struct journal_filter flt = {.from = 1, .key_hash = key};
    verdict(e == ERR_OK && journal_scan(j, &flt, see, &s, &f) == ERR_OK && s.n == want, "filter_key", f.text);
    s.n = 0;
    flt = (struct journal_filter){.from = 101, .to = 150, .sealed = true};
    verdict(journal_scan(j, &flt, see, &s, &f) == ERR_OK && s.n == 50 && s.last.seq == 150 && s.priv_n == 0, "filter_range", f.text);
    s.n = 0;
    flt = (struct journal_filter){.from = 1, .kinds = 1u << FRAME_OPEN};
    bool good = journal_scan(j, &flt, see, &s, &f) == ERR_OK && s.n > 3 && s.last.kind == FRAME_OPEN;
    s.n = 0;
    flt = (struct journal_filter){.from = 100000};
    verdict(good && journal_scan(j, &flt, see, &s, &f) == ERR_OK && s.n == 0, "filter_kind", f.text);
    verdict(rig_check(r, j), "filter_all", r->why);
    journal_close(j);
    rig_drop(r);
}

static void sizes(void)
{
    struct rig *r = fresh();
    struct journal *j;
    enum err e;
    struct fault f = {ERR_OK, ""};
    struct seen s = {0};
    j = rig_open(r, &e);
    char *big = calloc(1, LIMIT_FRAME_BYTES);
    struct frame fr = {.kind = FRAME_ROW, .slot = FRAME_NO_SLOT, .pub = {big, LIMIT_FRAME_BYTES - 72}};
    if (!big) abort();
    bool good = journal_append(j, &fr, &f) == ERR_OK && journal_commit(j, &f) == ERR_OK;      /* a segment larger than planned */
    fr.pub.n++;
    good = good && journal_append(j, &fr, &f) == ERR_TOO_LARGE && journal_last_seq(j) == 1;
    fr.pub.n = 0;
    good = good && journal_append(j, &fr, &f) == ERR_OK && journal_commit(j, &f) == ERR_OK;
    journal_close(j);
    struct journal_options o = rig_options(r);
    good = good && journal_open(&j, &r->w, &o, &f) == ERR_OK && journal_read(j, 1, see, &s, &f) == ERR_OK && s.n == 2;
    verdict(good, "largest_frame", f.text);
    fr.pub.n = LIMIT_FRAME_BYTES - 72;
    for (e = ERR_OK; e == ERR_OK;) e = journal_append(j, &fr, &f);
    uint64_t last = journal_last_seq(j);
    verdict(e == ERR_TOO_LARGE && last >= 4 && journal_commit(j, &f) == ERR_OK && journal_durable_seq(j) == last, "largest_batch", f.text);
    journal_close(j);
    free(big);
    o.origin = "a b";
    verdict(journal_open(&j, &r->w, &o, &f) == ERR_CONFIG, "bad_origin", "a name with a blank is taken");
    rig_drop(r);
}

/* ---- who may open ---- */

static void openers(void)
{
    struct rig *r = fresh();
    struct journal *j, *k = NULL;
    enum err e;
    struct fault f = {ERR_OK, ""};
    struct journal_options o = rig_options(r);
    o.read_only = true;
    verdict(journal_open(&k, &r->w, &o, &f) == ERR_NOT_FOUND, "read_nothing", f.text);
    j = rig_open(r, &e);
    rig_work(r, j, 6);
    o = rig_options(r);
    verdict(journal_open(&k, &r->w, &o, &f) == ERR_LOCKED_STATE, "one_writer", "two writers");
    o.read_only = true;
    o.applied_seq = 0;
    struct rig_reading rd = {r, 0};
    uint64_t calls = memdisk_calls(r->d);
    bool good = journal_open(&k, &r->w, &o, &f) == ERR_OK && journal_read(k, 1, rig_check_frame, &rd, &f) == ERR_OK && rd.n == r->m.acked;
    struct frame fr = sample();
    good = good && journal_append(k, &fr, &f) == ERR_USAGE;
    journal_close(k);
    verdict(good && memdisk_calls(r->d) == calls, "reader_beside_writer", "the reader sees something else, or writes");
    rig_append(r, j, &f);
    rig_commit(r, j, &f);
    journal_close(j);
    o.origin = "other/log";
    o.read_only = false;
    verdict(journal_open(&k, &r->w, &o, &f) == ERR_CORRUPT, "other_origin", "the log of another name is taken");
    rig_drop(r);
}

/* ---- alarms ---- */

static void expect_alarm(struct rig *r, const char *name, const char *text)
{
    enum err e;
    struct journal *j = rig_open(r, &e);
    journal_close(j);
    verdict(e == ERR_CORRUPT && strstr(r->why, text), name, r->why[0] ? r->why : "it opens");
    rig_drop(r);
}

static struct rig *worked(int batches)
{
    struct rig *r = fresh();
    if (rig_live(r, batches) != ERR_OK) verdict(false, "life", r->why);
    return r;
}

static uint64_t size_of(const struct rig *r, const char *path)
{
    struct str s;
    return memdisk_content(r->d, path, &s) ? s.n : 0;
}

static void alarms(void)
{
    struct rig *r = worked(12), *c = rig_copy(r);
    c->m.applied = r->m.n + 1;
    expect_alarm(c, "index_ahead", "the index knows the log up to");
    c = rig_copy(r);
    c->w.files.unlink(c->d, "/log/00000002.seg");
    c->m.applied = 1;
    expect_alarm(c, "segment_missing", "journal damaged");
    c = rig_copy(r);
    c->w.files.unlink(c->d, "/log/00000001.seg");
    c->m.applied = 0;
    expect_alarm(c, "first_segment_missing", "needs it from frame 1");
    c = rig_copy(r);
    memdisk_flip(c->d, "/log/00000001.seg", 8 * 200);
    c->m.applied = 0;
    expect_alarm(c, "damage_in_older", "offset");
    c = rig_copy(r);
    memdisk_flip(c->d, "/log/00000003.seg", 8 * 20);
    expect_alarm(c, "header_damaged", "checksum of its header");
    rig_drop(r);

    /* no index, no checkpoint: only the frames themselves can tell damage from a torn write */
    r = fresh();
    r->segment_bytes = 8192;
    enum err e;
    struct fault f;
    struct journal *j = rig_open(r, &e);
    for (int i = 0; i < 4; i++) rig_append(r, j, &f), rig_commit(r, j, &f);
    c = rig_copy(r);
    memdisk_flip(c->d, "/log/00000001.seg", 8 * 150);
    expect_alarm(c, "valid_behind_invalid", "was written after this one had been synced");
    for (int i = 0; i < 3; i++) rig_append(r, j, &f);
    rig_commit(r, j, &f);
    journal_close(j);
    r->w.files.unlink(r->d, "/log/checkpoints.log");
    struct journal_options o = rig_options(r);
    uint64_t end = size_of(r, "/log/00000001.seg");
    struct str bytes;
    memdisk_content(r->d, "/log/00000001.seg", &bytes);
    while (bytes.p[end - 1] == 0) end--;
    c = rig_copy(r);
    memdisk_flip(c->d, "/log/00000001.seg", 8 * (end - 1));
    bool good = journal_open(&j, &c->w, &o, &f) == ERR_OK && journal_durable_seq(j) == 4;
    const struct journal_recovery *rec = good ? journal_recovered(j) : NULL;
    verdict(good && rec->cut_frames == 2 && rec->cut_bytes > 200, "last_write_is_cut", f.text);
    journal_close(j);
    rig_drop(c);
    c = rig_copy(r);
    memdisk_flip(c->d, "/log/00000001.seg", 8 * (end - 1));
    c->m.applied = 6;
    expect_alarm(c, "cut_below_applied", "the index knows the log up to frame 6");
    rig_drop(r);
}

/* ---- the disk is full ---- */

static void full_disk(void)
{
    struct rig *r = fresh();
    struct journal *j = NULL;
    struct fault f = {ERR_OK, ""};
    struct journal_options o = rig_options(r);
    o.min_free_bytes = 6000;
    enum err e = journal_open(&j, &r->w, &o, &f);
    verdict(e == ERR_OK && size_of(r, "/log/spare") == 6000 && !journal_space_low(j), "spare", f.text);
    memdisk_capacity(r->d, 14000);
    printf("# the next lines on stderr belong to this test\n");
    fflush(stdout);
    unsigned after = 0;
    for (int i = 0; i < 400 && e == ERR_OK; i++) {
        e = rig_append(r, j, &f);
        if (e == ERR_OK) e = rig_commit(r, j, &f);
        after += e == ERR_OK && journal_space_low(j);
    }
    verdict(e == ERR_NO_SPACE && after > 5 && size_of(r, "/log/spare") == 0, "spare_given_up", f.text);
    verdict(journal_commit(j, &f) == ERR_NO_SPACE, "dead_when_full", "it works on");
    journal_close(j);
    memdisk_capacity(r->d, -1);
    log_set_level(LOG_ERROR);
    memdisk_kill(r->d);
    verdict(rig_live(r, 4) == ERR_OK, "after_full", r->why);
    rig_drop(r);
}

/* ---- the disk does not confirm ---- */

static int unconfirmed(void *ctx, int fd)
{
    (void)ctx;
    (void)fd;
    errno = EIO;
    return -1;
}

/* A commit that was not confirmed is an error by name; nothing is appended behind it, for the page cache cannot be believed; the next start reads
 * back what counts. */
static void failed_sync(void)
{
    struct rig *r = fresh();
    struct fault f = {ERR_OK, ""};
    enum err e;
    struct journal *j = rig_open(r, &e);
    verdict(e == ERR_OK && rig_append(r, j, &f) == ERR_OK && rig_commit(r, j, &f) == ERR_OK, "before_failed_sync", f.text);
    int (*real)(void *ctx, int fd) = r->w.files.fdatasync;
    struct frame fr = sample();
    r->w.files.fdatasync = unconfirmed;
    verdict(journal_append(j, &fr, &f) == ERR_OK && journal_commit(j, &f) == ERR_SYNC_FAILED, "sync_failed", f.text);
    verdict(strstr(f.text, "cannot sync") != NULL, "sync_failed_names_the_file", f.text);
    r->w.files.fdatasync = real;
    e = journal_append(j, &fr, &f);
    if (e == ERR_OK) e = journal_commit(j, &f);
    verdict(e == ERR_SYNC_FAILED, "dead_after_failed_sync", "it works on, although the disk forgot");
    journal_close(j);
    rig_drop(r);
}

/* ---- every single bit ---- */

struct flips { unsigned long alarms, cuts, harmless, wrong; char why[300]; };

/* A flip may end in an alarm; or in a cut of the last write only, when nothing proves that write; and else must change nothing. */
static void flip_one(const struct rig *base, const char *path, uint64_t bit, size_t proven, bool live_tail, struct flips *t)
{
    struct rig *r = rig_copy(base);
    memdisk_flip(r->d, path, bit);
    r->m.acked = proven;
    size_t n = r->m.n;
    enum err e;
    struct journal *j = rig_open(r, &e);
    if (!j && e == ERR_CORRUPT && strstr(r->why, "damaged")) t->alarms++;
    else if (j && r->m.n == n && journal_recovered(j)->cut_bytes == 0) t->harmless++;
    else if (j && (r->m.n == n || live_tail)) t->cuts++;
    else {
        t->wrong++;
        snprintf(t->why, sizeof t->why, "%s bit %llu: %zu of %zu frames: %.180s", path, (unsigned long long)bit, r->m.n, n, r->why);
    }
    journal_close(j);
    rig_drop(r);
}

static void flips(struct rig *r, const char *name, size_t proven, bool live_tail)
{
    struct flips seg = {0}, ck = {0};
    char path[64], why[800];
    for (int k = 1; k < 9; k++) {
        snprintf(path, sizeof path, "/log/%08d.seg", k);
        uint64_t n = size_of(r, path);
        for (uint64_t bit = 0; bit < n * 8; bit++) flip_one(r, path, bit, proven, live_tail, &seg);
    }
    for (uint64_t bit = 0; bit < size_of(r, "/log/checkpoints.log") * 8; bit++) flip_one(r, "/log/checkpoints.log", bit, proven, live_tail, &ck);
    snprintf(why, sizeof why, "%lu wrong, %lu harmless in segments: %s%s", seg.wrong + ck.wrong, seg.harmless, seg.why, ck.why);
    bool good = seg.wrong == 0 && ck.wrong == 0 && seg.harmless == 0 && seg.alarms > 5000;
    if (verdict(good, name, why))
        printf("# %s: segments %lu alarms, %lu cuts; checkpoints %lu alarms, %lu without effect\n", name, seg.alarms, seg.cuts, ck.alarms, ck.harmless);
}

static void every_bit(void)
{
    struct rig *r = worked(8);
    r->segment_bytes = 1024;
    r->m.applied = 0;           /* so that every frame is read at the start */
    flips(r, "flips_closed_log", r->m.n, false);
    rig_drop(r);

    r = fresh();
    r->checkpoint_frames = 100000;
    enum err e;
    struct fault f;
    struct journal *j = rig_open(r, &e);
    for (int i = 0; i < 5; i++) rig_append(r, j, &f), rig_commit(r, j, &f);
    size_t proven = r->m.n;     /* by what is written next */
    for (int i = 0; i < 4; i++) rig_append(r, j, &f);
    rig_commit(r, j, &f);
    struct rig *killed = rig_copy(r);       /* without the last checkpoint that a close writes */
    journal_close(j);
    killed->m.applied = 0;
    flips(killed, "flips_unproven_tail", proven, true);
    rig_drop(killed);
    rig_drop(r);
}

int main(void)
{
    if (sodium_init() < 0) return 1;
    log_set_level(LOG_ERROR);
    round_trip();
    filters();
    sizes();
    openers();
    alarms();
    full_disk();
    failed_sync();
    every_bit();
    return failures != 0;
}
