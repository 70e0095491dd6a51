/* tamper_test.c - a log changed in every way that somebody or a disk may change it: each is found by the stand-alone verifier.
 *
 *   every bit of every segment and of the checkpoints; the same with the frame's checksum mended; every length that a file can be cut to; each frame taken
 *   out, doubled, exchanged with each other frame; the same with numbers, checksums and hashes made right again, which only the signed checkpoints
 *   tell; each segment taken out, exchanged, doubled, renumbered; each checkpoint doubled, exchanged, forged.
 *
 * What changes nothing that counts is no tampering: bytes behind the place where a recovery took over; zeros behind the last frame cut off; checkpoints missing at the end, which a copy kept elsewhere tells.
 * Positive control: without the findings of one check the harness finds changes that pass.
 * FLIPS=all: each bit, of a longer log (make torture); else every seventh (verify_test.c has each bit of a short one). */
#include "rig.h"
#include "base/log.h"
#include "segment_bytes.h"
#include "runtime/journal/verify/verify.h"
#include "tests/unit/value/ok.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 64, FRAMES = 400 };
struct part { char name[32]; unsigned char *p; size_t n, counts; };     /* counts: what lies behind is of a write that a recovery cut */
struct place { size_t file, off, n; };                  /* a frame */
struct log {
    char dir[64];
    unsigned char public_key[32];
    struct part file[FILES]; size_t n;
    struct place frame[FRAMES]; size_t nframes;
    bool all;
    size_t patch_frame, patch_bit;                      /* write_frames: this bit of this frame is changed, then all is made right */
    const char *strike;                                 /* control: failures with these words do not count */
    uint64_t tried, missed;
    char first[200];
};

static void path_of(const struct log *l, const char *name, char out[128]) { snprintf(out, 128, "%s/%s", l->dir, name); }

static void put(const struct log *l, const char *name, const unsigned char *p, size_t n)
{
    char path[128];
    path_of(l, name, path);
    int fd = open(path, O_RDWR | O_CREAT, 0600);            /* not truncated to nothing first: some file systems write that through */
    if (fd < 0 || pwrite(fd, p, n, 0) != (ssize_t)n || ftruncate(fd, (off_t)n) != 0 || close(fd) != 0) abort();
}

static void put_byte(const struct log *l, const struct part *f, size_t at)
{
    char path[128];
    path_of(l, f->name, path);
    int fd = open(path, O_RDWR);
    if (fd < 0 || pwrite(fd, f->p + at, 1, (off_t)at) != 1 || close(fd) != 0) abort();
}

static void restore(const struct log *l, size_t i) { put(l, l->file[i].name, l->file[i].p, l->file[i].n); }

static bool accepted(const struct log *l, struct verify_report *rep)
{
    struct verify_options o = {.dir = l->dir, .public_key = l->public_key};
    return verify_log(&o, rep) || (l->strike && strstr(rep->error, l->strike));
}

/* The files on disk are changed now: it has to be found. */
__attribute__((format(printf, 2, 3))) static void judge(struct log *l, const char *what, ...)
{
    struct verify_report rep;
    l->tried++;
    if (!accepted(l, &rep) || l->missed++) return;
    va_list ap;
    va_start(ap, what);
    vsnprintf(l->first, sizeof l->first, what, ap);
    va_end(ap);
}

static void report(struct log *l, const char *name)
{
    ok(l->missed == 0 && l->tried > 0, name, "%llu of %llu passed, first %s", (unsigned long long)l->missed, (unsigned long long)l->tried, l->first);
    printf("# %s: %llu\n", name, (unsigned long long)l->tried);
    l->tried = l->missed = 0;
}

static bool is_segment_part(const struct part *f) { return strstr(f->name, ".seg") != NULL; }

/* ---- the log: several segments, one of them made by a recovery ---- */
static void take_file(struct log *l, const char *name)
{
    char path[128];
    struct file f;
    path_of(l, name, path);
    if (l->n == FILES || !read_file(path, (size_t)1 << 24, &f)) abort();
    struct part *p = &l->file[l->n++];
    snprintf(p->name, sizeof p->name, "%s", name);
    p->p = f.p;
    p->n = p->counts = f.n;
}

/* Frames that count: of each segment those before the first of the next. */
static void find_frames(struct log *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct part *f = &l->file[i];
        if (!is_segment_part(f)) continue;
        uint64_t end = i + 1 < l->n && is_segment_part(&l->file[i + 1]) ? u64(l->file[i + 1].p + 16) : UINT64_MAX;
        for (size_t off = HEADER; off + 4 <= f->n && u32(f->p + off) && u64(f->p + off + 8) < end; off += u32(f->p + off)) {
            if (l->nframes == FRAMES) abort();
            l->frame[l->nframes++] = (struct place){i, off, u32(f->p + off)};
        }
        bool cut = i + 1 < l->n && is_segment_part(&l->file[i + 1]) && u32(l->file[i + 1].p + 96) & 1;
        const struct place *last = &l->frame[l->nframes - 1];
        if (cut) l->file[i].counts = last->file == i ? last->off + last->n : HEADER;
    }
}

static bool make(struct log *l, int batches)
{
    struct rig *r = malloc(sizeof *r);
    struct verify_report rep;
    unsigned char sk[64];
    const char *tmp = getenv("TMPDIR");
    if (!r) abort();
    memset(l, 0, sizeof *l);
    snprintf(l->dir, sizeof l->dir, "%.40s/tamper-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(l->dir)) abort();
    rig_keypair(l->public_key, sk);
    rig_init(r, memdisk_new());
    r->segment_bytes = 1024;
    bool good = rig_live(r, batches) == ERR_OK;
    memdisk_count_from(r->d);
    memdisk_stop(r->d, 9, 40);                              /* a write that breaks off, cut by the next start */
    rig_live(r, batches);
    memdisk_crash(r->d, MEMDISK_KEEP_ALL, 0, 0);
    good = rig_live(r, 3) == ERR_OK && good && memdisk_export(r->d, "/log", l->dir);
    for (unsigned n = 1; n < 60; n++) {
        char name[32], path[128];
        struct stat st;
        snprintf(name, sizeof name, "%08u.seg", n);
        path_of(l, name, path);
        if (stat(path, &st) == 0) take_file(l, name);
    }
    take_file(l, "checkpoints.log");
    find_frames(l);
    good = good && accepted(l, &rep) && rep.frames == l->nframes && rep.segments + 1 == l->n && rep.checkpoints > 2;
    ok(good, "the log is whole before", "%s; %s", r->why, rep.error);
    printf("# %zu segments, %zu frames, %llu checkpoints\n", l->n - 1, l->nframes, (unsigned long long)rep.checkpoints);
    memdisk_free(r->d);
    free(r);
    return good;
}

static void drop(struct log *l)
{
    for (size_t i = 0; i < l->n; i++) {
        char path[128];
        path_of(l, l->file[i].name, path);
        unlink(path);
        free(l->file[i].p);
    }
    rmdir(l->dir);
}

/* ---- bytes ---- */
static void flip_bits(struct log *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct part *f = &l->file[i];
        for (size_t bit = l->all ? 0 : i % 7; bit < f->counts * 8; bit += l->all ? 1 : 7) {
            f->p[bit / 8] ^= (unsigned char)(1u << bit % 8);
            put_byte(l, f, bit / 8);
            judge(l, "%s byte %zu bit %zu", f->name, bit / 8, bit % 8);
            f->p[bit / 8] ^= (unsigned char)(1u << bit % 8);
            put_byte(l, f, bit / 8);
        }
        restore(l, i);
    }
}

/* Behind length and checksum, which are made right again. */
static void flip_mended(struct log *l)
{
    for (size_t k = 0; k < l->nframes; k++) {
        struct place fr = l->frame[k];
        struct part *f = &l->file[fr.file];
        unsigned char was[4];
        memcpy(was, f->p + fr.off + 4, 4);
        for (size_t bit = 64; bit < fr.n * 8; bit += 5) {
            f->p[fr.off + bit / 8] ^= (unsigned char)(1u << bit % 8);
            mend_frame(f->p + fr.off);
            put(l, f->name, f->p, f->n);
            judge(l, "frame %zu byte %zu bit %zu, checksum mended", k + 1, bit / 8, bit % 8);
            f->p[fr.off + bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        memcpy(f->p + fr.off + 4, was, 4);
        restore(l, fr.file);
    }
}

static void truncations(struct log *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct part *f = &l->file[i];
        size_t counts = f->counts;
        while (is_segment_part(f) && counts > 0 && f->p[counts - 1] == 0) counts--;
        for (size_t n = 0; n < counts; n++) {
            size_t from = n > 120 ? n - 120 : 0;
            bool whole_notes = !is_segment_part(f) && (n == 0 || (n > 2 && f->p[n - 1] == '\n' && f->p[n - 2] == '\n' && f->p[n - 3] != '\n' && memmem(f->p + from, n - from, "\xe2\x80\x94 ", 4)));
            if (whole_notes) continue;
            put(l, f->name, f->p, n);
            judge(l, "%s cut to %zu bytes", f->name, n);
        }
        restore(l, i);
    }
}

/* ---- frames ---- */
/* Writes the log's frames in the order given into the segments as they are filled now, the last taking what is left. again: numbers, checksums and
 * hashes are made right, as somebody would who knows the format. */
static void write_frames(struct log *l, const size_t *order, size_t n, bool again)
{
    unsigned char chain[HASH];
    uint64_t seq = 1;
    memcpy(chain, l->file[0].p + 32, HASH);
    for (size_t i = 0, k = 0; i + 1 < l->n; i++) {
        const struct part *f = &l->file[i];
        size_t mine = 0, off = HEADER;
        unsigned char *p = calloc(1, f->n + 65536);
        if (!p) abort();
        memcpy(p, f->p, HEADER);
        for (size_t x = 0; x < l->nframes; x++) mine += l->frame[x].file == i;
        if (i + 2 == l->n) mine = n - k;
        if (again) {
            for (int b = 0; b < 8; b++) p[16 + b] = (unsigned char)(seq >> (8 * b));
            memcpy(p + 32, chain, HASH);
            uint64_t placed = u64(f->p + 24) - u64(f->p + 16) + seq;      /* as many as before */
            for (int b = 0; b < 8; b++) p[24 + b] = (unsigned char)(placed >> (8 * b));
            mend_header(p);
        }
        for (; mine && k < n; mine--, k++, seq++) {
            struct place from = l->frame[order[k]];
            memcpy(p + off, l->file[from.file].p + from.off, from.n);
            if (l->patch_bit && order[k] == l->patch_frame) p[off + l->patch_bit / 8] ^= (unsigned char)(1u << l->patch_bit % 8);
            if (again) {
                crypto_generichash_state st;
                for (int b = 0; b < 8; b++) p[off + 8 + (size_t)b] = (unsigned char)(seq >> (8 * b));
                crypto_generichash_init(&st, NULL, 0, HASH);
                crypto_generichash_update(&st, chain, HASH);
                crypto_generichash_update(&st, p + off + 8, from.n - 8 - HASH);
                crypto_generichash_final(&st, chain, HASH);
                memcpy(p + off + from.n - HASH, chain, HASH);
                mend_frame(p + off);
            }
            off += from.n;
        }
        put(l, f->name, p, off > f->n ? off : f->n);
        free(p);
    }
}

static void change_frames(struct log *l, bool again)
{
    size_t order[FRAMES + 1], n = l->nframes;
    for (size_t a = 0; a < n; a++) {
        for (size_t k = 0; k + 1 < n; k++) order[k] = k + (k >= a);
        write_frames(l, order, n - 1, again);
        judge(l, "frame %zu taken out", a + 1);
        for (size_t k = 0; k <= n; k++) order[k] = k - (k > a);
        write_frames(l, order, n + 1, again);
        judge(l, "frame %zu doubled", a + 1);
        for (size_t b = a + 1; b < n; b++) {
            for (size_t k = 0; k < n; k++) order[k] = k == a ? b : k == b ? a : k;
            write_frames(l, order, n, again);
            judge(l, "frames %zu and %zu exchanged", a + 1, b + 1);
        }
    }
    for (size_t i = 0; i < l->n; i++) restore(l, i);
}

/* Each bit of time, epoch, kind, flags, write mark and length of the public part; hashes and checksums of all that follows made right. */
static void fields(struct log *l)
{
    size_t order[FRAMES];
    for (size_t k = 0; k < l->nframes; k++) order[k] = k;
    for (l->patch_frame = 0; l->patch_frame < l->nframes; l->patch_frame += l->all ? 1 : 3)
        for (l->patch_bit = 16 * 8; l->patch_bit < 40 * 8; l->patch_bit++) {
            write_frames(l, order, l->nframes, true);
            judge(l, "frame %zu bit %zu, all made right", l->patch_frame + 1, l->patch_bit);
        }
    l->patch_bit = 0;
    for (size_t i = 0; i < l->n; i++) restore(l, i);
}

/* Each bit of a segment's header with its checksum made right, but those that say nothing about frames: placed_to and flags, of which only what contradicts
 * the frames is found. */
static void headers(struct log *l)
{
    for (size_t i = 0; i + 1 < l->n; i++) {
        struct part *f = &l->file[i];
        unsigned char was[HEADER];
        memcpy(was, f->p, HEADER);
        for (size_t bit = 8 * 8; bit < 124 * 8; bit++) {
            size_t at = bit / 8;
            if ((at >= 24 && at < 32) || at == 96) continue;
            f->p[at] ^= (unsigned char)(1u << bit % 8);
            mend_header(f->p);
            restore(l, i);
            judge(l, "header of %s, bit %zu, checksum made right", f->name, bit);
            memcpy(f->p, was, HEADER);
        }
        for (int b = 0; b < 8; b++) f->p[24 + b] = b == 4 ? 1 : 0;       /* a log that ends before what its last segment was made with */
        mend_header(f->p);
        restore(l, i);
        if (i + 2 == l->n) judge(l, "%s was made with more", f->name);
        memcpy(f->p, was, HEADER);
        restore(l, i);
    }
}

/* ---- files ---- */
static void segments(struct log *l)
{
    char path[128], other[128], next[32];
    size_t n = l->n - 1;
    for (size_t a = 0; a < n; a++) {
        path_of(l, l->file[a].name, path);
        unlink(path);
        judge(l, "%s taken out", l->file[a].name);
        restore(l, a);
        put(l, l->file[a].name, l->file[a].p, 0);
        judge(l, "%s emptied", l->file[a].name);
        restore(l, a);
        for (size_t b = 0; b < n; b++) {
            if (a == b) continue;
            put(l, l->file[a].name, l->file[b].p, l->file[b].n);
            judge(l, "%s in the place of %s", l->file[b].name, l->file[a].name);
            put(l, l->file[b].name, l->file[a].p, l->file[a].n);
            judge(l, "%s and %s exchanged", l->file[a].name, l->file[b].name);
            unsigned char *p = malloc(l->file[b].n);         /* and with the number made right */
            if (!p) abort();
            memcpy(p, l->file[b].p, l->file[b].n);
            memcpy(p + 12, l->file[a].p + 12, 4);
            mend_header(p);
            restore(l, b);
            put(l, l->file[a].name, p, l->file[b].n);
            judge(l, "%s renumbered in the place of %s", l->file[b].name, l->file[a].name);
            free(p);
            restore(l, a);
        }
        snprintf(next, sizeof next, "%08u.seg", (unsigned)strtoul(l->file[n - 1].name, NULL, 10) + 1);
        put(l, next, l->file[a].p, l->file[a].n);
        judge(l, "%s once more behind the last", l->file[a].name);
        path_of(l, next, other);
        unlink(other);
    }
}

static void checkpoints(struct log *l)
{
    const struct part *f = &l->file[l->n - 1];
    struct place note[64];
    size_t n = 0, from = 0;
    while (from < f->n && n < 64) {                         /* six lines and an empty one */
        size_t to = from;
        for (int i = 0; i < 7 && to < f->n; to++) i += f->p[to] == '\n';
        note[n++] = (struct place){0, from, to - from};
        from = to;
    }
    unsigned char *out = malloc(f->n * 2);
    if (!out) abort();
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++) {                    /* a stands where b was; with a == b it stands there twice */
            size_t at = 0;
            for (size_t k = 0; k < n; k++) {
                struct place x = note[k == b ? a : k == a ? b : k];
                memcpy(out + at, f->p + x.off, x.n);
                at += x.n;
                if (a == b && k == a) memcpy(out + at, f->p + x.off, x.n), at += x.n;
            }
            put(l, f->name, out, at);
            judge(l, "checkpoints %zu and %zu", a + 1, b + 1);
        }
    unsigned char pk[32], sk[64], seed[32] = {99};         /* signed, by another key */
    crypto_sign_seed_keypair(pk, sk, seed);
    for (size_t a = 0; a < n; a++) {
        char sig[200];
        unsigned char raw[68];
        size_t text = (size_t)((const unsigned char *)memmem(f->p + note[a].off, note[a].n, "\n\n", 2) - (f->p + note[a].off)) + 1;
        memcpy(out, f->p, f->n);
        const char *blank = memchr((char *)out + note[a].off + text + 5, ' ', note[a].n - text - 5);
        size_t at = (size_t)(blank - (char *)out) + 1, got = 0;
        sodium_base642bin(raw, sizeof raw, (char *)out + at, 92, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL);
        crypto_sign_detached(raw + 4, NULL, out + note[a].off, text, sk);
        sodium_bin2base64(sig, sizeof sig, raw, sizeof raw, sodium_base64_VARIANT_ORIGINAL);
        memcpy(out + at, sig, strlen(sig));
        put(l, f->name, out, f->n);
        judge(l, "checkpoint %zu signed by another key", a + 1);
    }
    free(out);
    restore(l, l->n - 1);
}

static void as_they_are(struct log *l) { change_frames(l, false); }
static void made_right(struct log *l) { change_frames(l, true); }

/* ---- control: a verifier without one of its checks ---- */
static void without(struct log *l, const char *words, void (*change)(struct log *l), const char *name)
{
    l->strike = words;
    change(l);
    ok(l->missed > 0, name, "the harness found nothing in %llu changes", (unsigned long long)l->tried);
    l->strike = NULL;
    l->tried = l->missed = 0;
}

static const struct { const char *name; void (*change)(struct log *l); } changes[] = {
    {"every bit of every file", flip_bits},
    {"bits changed and the checksum mended", flip_mended},
    {"every truncation", truncations},
    {"frames out, doubled, exchanged", as_they_are},
    {"frames out, doubled, exchanged, and all made right again", made_right},
    {"fields of frames, and all made right again", fields},
    {"fields of headers with their checksum", headers},
    {"segments out, exchanged, doubled, renumbered", segments},
    {"checkpoints doubled, exchanged, forged", checkpoints},
};

int main(void)
{
    struct log l;
    const char *flips = getenv("FLIPS");
    if (sodium_init() < 0) return 1;
    log_set_level(LOG_ERROR);
    bool all = flips && strcmp(flips, "all") == 0;
    if (make(&l, all ? 30 : 8)) {
        l.all = all;
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
            changes[i].change(&l);
            report(&l, changes[i].name);
        }
        without(&l, "checksum does not fit", flip_bits, "control: without checksums");
        without(&l, "hash chain", flip_mended, "control: without the chain");
        without(&l, "checkpoint names", made_right, "control: without checkpoints");
        without(&l, "wrong signature", checkpoints, "control: without signatures");
        without(&l, "older segments are missing", segments, "control: without the first segment");
    }
    drop(&l);
    return ok_failures != 0;
}
