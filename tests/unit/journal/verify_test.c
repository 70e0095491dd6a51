/* verify_test.c - the stand-alone verifier against the writer: it accepts what the writer leaves after any life, crash and recovery, and it
 * refuses every single flipped bit, a shortened log, a wrong key. The verifier reads real files, so logs are exported to a temporary directory. */
#include "tests/unit/journal/rig.h"
#include "base/log.h"
#include "segment_bytes.h"
#include "runtime/journal/verify/verify.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static unsigned char public_key[32];

static void clear_dir(void)
{
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.') unlink(path);
    }
    if (d) closedir(d);
}

static bool verify(struct verify_report *rep, bool live)
{
    struct verify_options o = {.dir = dir, .public_key = public_key, .live = live};
    return verify_log(&o, rep);
}

static bool exported(const struct rig *r, struct verify_report *rep, bool live)
{
    clear_dir();
    if (!memdisk_export(r->d, "/log", dir)) return false;
    return verify(rep, live);
}

static struct rig *worked(int batches, size_t segment_bytes)
{
    struct rig *r = malloc(sizeof *r);
    if (!r) abort();
    rig_init(r, memdisk_new());
    r->segment_bytes = segment_bytes;
    if (rig_live(r, batches) != ERR_OK) verdict(false, "life", r->why);
    return r;
}

/* The verifier counts what the model has. */
static bool agrees(const struct rig *r, const struct verify_report *rep)
{
    uint64_t batches = 0;
    for (size_t i = 0; i < r->m.n; i++) batches += r->m.v[i].last;
    return rep->ok && rep->frames == r->m.n && rep->batches == batches;
}

static void accepts_lives(void)
{
    struct rig *r = worked(12, 2048);
    struct verify_report rep;
    bool good = exported(r, &rep, false) && agrees(r, &rep) && rep.checkpoints > 2 && rep.signatures == rep.checkpoints && rep.segments > 2;
    verdict(good, "accepts_closed_log", rep.error);
    uint64_t at = 0;
    for (int life = 0; life < 30 && good; life++) {         /* crash, recover, write on, again and again: the log must stay acceptable */
        memdisk_count_from(r->d);
        memdisk_stop(r->d, 3 + (uint64_t)(life * 7 % 40), SIZE_MAX);
        rig_live(r, 8);
        memdisk_crash(r->d, life % 3 ? MEMDISK_RANDOM : MEMDISK_LOSE_ALL, (uint64_t)life, 0);
        good = rig_live(r, 2) == ERR_OK && exported(r, &rep, false) && agrees(r, &rep);
        at = (uint64_t)life;
    }
    char why[1200];
    snprintf(why, sizeof why, "life %llu: %.600s %.400s", (unsigned long long)at, r->why, rep.error);
    verdict(good, "accepts_recovered_logs", why);
    printf("# %llu segments, %llu frames, %llu checkpoints\n", (unsigned long long)rep.segments, (unsigned long long)rep.frames, (unsigned long long)rep.checkpoints);
    rig_drop(r);
}

/* Every crash that leaves a log without being recovered: --live accepts it. */
static void accepts_live_tail(void)
{
    unsigned tails = 0;
    char why[700] = "";
    bool good = true;
    for (uint64_t n = 8; n < 70 && good; n++) {
        struct rig *r = worked(4, 2048);
        struct verify_report rep;
        memdisk_count_from(r->d);
        memdisk_stop(r->d, n, n * 37 % 500);
        rig_live(r, 10);
        memdisk_crash(r->d, MEMDISK_RANDOM, n, 0);
        good = exported(r, &rep, true);
        tails += rep.note[0] != 0;
        if (!good) snprintf(why, sizeof why, "call %llu: %s", (unsigned long long)n, rep.error);
        if (good && rep.note[0]) good = !exported(r, &rep, false);
        rig_drop(r);
    }
    if (good && tails < 5) snprintf(why, sizeof why, "only %u unfinished writes among the crashes", tails);
    verdict(good && tails >= 5, "live_tail", why);
}

static void flip(const char *path, off_t at, unsigned bit)
{
    unsigned char c;
    int fd = open(path, O_RDWR);
    if (fd < 0 || pread(fd, &c, 1, at) != 1) abort();
    c ^= (unsigned char)(1u << bit);
    if (pwrite(fd, &c, 1, at) != 1) abort();
    close(fd);
}

static void refuses_every_bit(void)
{
    struct rig *r = worked(7, 1024);
    struct verify_report rep;
    unsigned long flips = 0, missed = 0;
    char why[200] = "", path[400];
    static const char *const names[] = {"00000001.seg", "00000002.seg", "00000003.seg", "00000004.seg", "checkpoints.log"};
    bool good = exported(r, &rep, false) && rep.segments >= 3;
    for (size_t k = 0; k < sizeof names / sizeof *names && good; k++) {
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", dir, names[k]);
        if (stat(path, &st) != 0) continue;
        for (off_t at = 0; at < st.st_size; at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                flip(path, at, bit);
                flips++;
                if (verify(&rep, false) && missed++ == 0) snprintf(why, sizeof why, "%s byte %lld bit %u", names[k], (long long)at, bit);
                flip(path, at, bit);
            }
    }
    good = good && missed == 0 && flips > 20000 && verify(&rep, false);
    verdict(good, "refuses_every_bit", why[0] ? why : rep.error);
    printf("# %lu bits\n", flips);
    rig_drop(r);
}

static void refuses(const char *name, bool accepted, const struct verify_report *rep, const char *text)
{
    char why[500];
    snprintf(why, sizeof why, "%s: %s", accepted ? "accepted" : "refused for another reason", rep->error);
    verdict(!accepted && strstr(rep->error, text), name, why);
}

static void refuses_tampering(void)
{
    struct rig *r = worked(12, 2048);
    struct verify_report rep;
    char path[400], other[400];
    exported(r, &rep, false);
    struct verify_options o = {.dir = dir, .public_key = public_key};
    unsigned char wrong[32] = {1};
    o.public_key = wrong;
    refuses("wrong_key", verify_log(&o, &rep), &rep, "wrong signature");
    o.public_key = public_key;
    snprintf(path, sizeof path, "%s/00000002.seg", dir);
    unlink(path);
    refuses("middle_missing", verify_log(&o, &rep), &rep, "");
    exported(r, &rep, false);
    snprintf(path, sizeof path, "%s/00000001.seg", dir);
    unlink(path);
    refuses("first_missing", verify_log(&o, &rep), &rep, "older segments");
    o.partial = true;
    verdict(verify_log(&o, &rep) && rep.first_seq > 1, "partial", rep.error);
    o.partial = false;
    exported(r, &rep, false);
    snprintf(path, sizeof path, "%s/%08u.seg", dir, (unsigned)rep.segments);
    if (truncate(path, 128) != 0) abort();
    refuses("shortened", verify_log(&o, &rep), &rep, "but a checkpoint names frame");
    o.live = true;
    refuses("shortened_live", verify_log(&o, &rep), &rep, "but a checkpoint names frame");
    o.live = false;
    /* the same log shortened together with its checkpoints: only those kept elsewhere tell */
    exported(r, &rep, false);
    snprintf(other, sizeof other, "%s/shipped", dir);
    snprintf(path, sizeof path, "%s/checkpoints.log", dir);
    if (rename(path, other) != 0) abort();
    snprintf(path, sizeof path, "%s/%08u.seg", dir, (unsigned)rep.segments);
    if (truncate(path, 128) != 0) abort();
    verify_log(&o, &rep);
    o.checkpoints = other;
    refuses("shipped_checkpoints", verify_log(&o, &rep), &rep, "but a checkpoint names frame");
    struct rig *foreign = worked(9, 2048);
    foreign->nonce = 1000;
    exported(r, &rep, false);
    o.checkpoints = NULL;
    struct str bytes;
    memdisk_content(foreign->d, "/log/00000002.seg", &bytes);
    snprintf(path, sizeof path, "%s/00000001.seg", dir);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes.p, 1, bytes.n, f) != bytes.n || fclose(f) != 0) abort();
    refuses("exchanged_segment", verify_log(&o, &rep), &rep, "header says");
    rig_drop(foreign);
    rig_drop(r);
}

/* A writer that knows no batches, chain or checkpoints as we mean them would be accepted by a verifier that checks nothing: a frame forged with
 * a right checksum, and one with a right hash of its own bytes, must both be refused. */
static void refuses_forged_frame(void)
{
    struct rig *r = worked(3, 2048);
    struct verify_report rep;
    char path[400];
    exported(r, &rep, false);
    snprintf(path, sizeof path, "%s/00000001.seg", dir);
    struct file f;
    if (!read_file(path, 1u << 20, &f)) abort();
    unsigned char *p = f.p + HEADER;
    size_t n = u32(p);
    p[16] ^= 1;                                             /* another time, checksum mended */
    mend_frame(p);
    write_file(path, &f);
    refuses("forged_crc", verify(&rep, true), &rep, "hash chain");
    crypto_generichash_state st;
    crypto_generichash_init(&st, NULL, 0, HASH);
    crypto_generichash_update(&st, f.p + 32, HASH);
    crypto_generichash_update(&st, p + 8, n - 8 - HASH);
    crypto_generichash_final(&st, p + n - HASH, HASH);
    mend_frame(p);
    write_file(path, &f);
    refuses("forged_hash", verify(&rep, true), &rep, "hash chain");      /* at the second frame */
    free(f.p);
    rig_drop(r);
}

static void reports(void)
{
    struct rig *r = worked(6, 2048);
    struct verify_report rep;
    char *text = NULL;
    size_t n = 0;
    bool good = exported(r, &rep, false);
    FILE *out = open_memstream(&text, &n);
    verify_print(&rep, true, true, out);
    verify_print(&rep, false, true, out);
    fclose(out);
    good = good && strstr(text, "\"ok\":true") && strstr(text, "\"ROW\":") && strstr(text, "\nOK\n") && strstr(text, "2026-03-12T");
    verdict(good, "report", text);
    free(text);
    rig_drop(r);
}

int main(void)
{
    unsigned char sk[64];
    if (sodium_init() < 0) return 1;
    log_set_level(LOG_ERROR);
    rig_keypair(public_key, sk);
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%.40s/verify-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(dir)) return 1;
    accepts_lives();
    accepts_live_tail();
    refuses_every_bit();
    refuses_tampering();
    refuses_forged_frame();
    reports();
    clear_dir();
    rmdir(dir);
    return failures != 0;
}
