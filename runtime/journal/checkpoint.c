/* checkpoint.c - signed statements "frame N of this log has hash H", for an operator to ship off the host.
 *
 *   checkpoints.log = note | empty line | note | empty line | ...
 *   note            = origin LF  seq LF  base64(frame hash) LF  "time " RFC3339 LF  LF  "— " origin " " base64(key id 4 | Ed25519 64) LF
 *
 * The form is C2SP tlog-checkpoint inside a signed note; the hash is the head of our chain, not the root of a tree. A checkpoint is written
 * only after the frame was synced, so recovery also takes it as proof of that. It is no part of the critical path: when the disk has no room
 * for it, the next one is tried later at the same place. */
#include "journal/frame.h"
#include "base/check.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_NAME  "checkpoints.log"
#define TAIL_BYTES 4096                 /* longer than two notes: origin is at most 200 bytes */
#define DASH       "\xe2\x80\x94 "
#define HASH_B64   sodium_base64_ENCODED_LEN(HASH_BYTES, sodium_base64_VARIANT_ORIGINAL)
#define SIG_B64    sodium_base64_ENCODED_LEN(4 + 64, sodium_base64_VARIANT_ORIGINAL)

/* ---- reading the last one ---- */

static bool take(struct str *s, struct str what)
{
    if (!str_starts(*s, what)) return false;
    s->p += what.n;
    s->n -= what.n;
    return true;
}

static bool take_line(struct str *s, struct str *line)
{
    const char *end = s->n ? memchr(s->p, '\n', s->n) : NULL;
    if (!end) return false;
    *line = (struct str){s->p, (size_t)(end - s->p)};
    s->n -= line->n + 1;
    s->p = end + 1;
    return true;
}

/* A whole note at the front of s; takes it away together with the empty line behind it. */
static bool take_note(struct str *s, struct str origin, uint64_t *seq, struct hash *hash)
{
    struct str number, base64, line;
    int64_t n = 0;
    size_t got = 0;
    if (!take(s, origin) || !take(s, STR("\n")) || !take_line(s, &number) || !take_line(s, &base64)) return false;
    if (!str_to_i64(number, &n) || n <= 0) return false;
    if (sodium_base642bin(hash->b, HASH_BYTES, base64.p, base64.n, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 || got != HASH_BYTES) return false;
    *seq = (uint64_t)n;
    return take(s, STR("time ")) && take_line(s, &line) && take(s, STR("\n" DASH)) && take(s, origin) && take(s, STR(" ")) && take_line(s, &line) &&
           line.n == SIG_B64 - 1 && take(s, STR("\n"));
}

/* Where the last whole note begins in p; n when there is none. */
static size_t find_last(struct journal *j, const char *p, size_t n, uint64_t base)
{
    struct str origin = str_of(j->origin);
    size_t last = n;
    for (size_t i = 0; i < n; i++) {
        bool begins = base + i == 0 || (i >= 2 && p[i - 1] == '\n' && p[i - 2] == '\n');
        struct str s = {p + i, n - i};
        uint64_t seq;
        struct hash hash;
        if (!begins || !take_note(&s, origin, &seq, &hash)) continue;
        j->ck_seq = seq;
        j->ck_hash = hash;
        j->ck_size = base + (size_t)(s.p - p);
        last = i;
        i = (size_t)(s.p - p) - 1;
    }
    return last;
}

/* The sync of the last life's last note may have failed: then it stands in the page cache only, no later sync would write it, and a power cut would
 * leave a hole before the notes of this life. Written again, it is. */
static enum err settle_last(struct journal *j, const char *note, size_t n, uint64_t off, const char *path, struct fault *f)
{
    enum err e = journal__pwrite(j, j->ck_fd, note, n, off, path, f);
    if (e == ERR_OK && j->w->files.fdatasync(j->w->files.ctx, j->ck_fd) != 0)
        e = fault_set(f, ERR_SYNC_FAILED, "journal: cannot sync %s: %s; start again to recover", path, strerror(errno));
    return e;
}

static enum err read_last(struct journal *j, int64_t size, const char *path, struct fault *f)
{
    const struct world_files *fs = &j->w->files;
    char tail[TAIL_BYTES];
    uint64_t base = size > TAIL_BYTES ? (uint64_t)size - TAIL_BYTES : 0;
    size_t n = (size_t)((uint64_t)size - base);
    for (size_t have = 0; have < n;) {
        int64_t got = fs->pread(fs->ctx, j->ck_fd, tail + have, n - have, (int64_t)(base + have));
        if (got < 0) return journal__io("read", path, f);
        if (got == 0) n = have;
        have += (size_t)got;
    }
    j->ck_size = base;
    size_t last = find_last(j, tail, n, base);
    if (last < n && !j->o.read_only) return settle_last(j, tail + last, (size_t)(j->ck_size - base) - last, base + last, path, f);
    if (n && j->ck_seq == 0 && base) return fault_set(f, ERR_CORRUPT, "journal damaged: %s does not end in a checkpoint. Way out: move it away and keep it; a new one "
                                              "is begun", path);
    return ERR_OK;
}

enum err journal__checkpoint_load(struct journal *j, struct fault *f)
{
    const struct world_files *fs = &j->w->files;
    char path[JOURNAL_PATH_BYTES];
    journal__name(j, FILE_NAME, path);
    j->ck_size = j->ck_seq = 0;
    if (j->ck_fd < 0) {
        j->ck_fd = fs->open(fs->ctx, path, j->o.read_only ? O_RDONLY : O_RDWR, 0);
        if (j->ck_fd < 0 && errno == ENOENT) return ERR_OK;
        if (j->ck_fd < 0) return journal__io("open", path, f);
    }
    int64_t size = fs->size(fs->ctx, j->ck_fd);
    if (size < 0) return journal__io("read", path, f);
    return read_last(j, size, path, f);
}

/* ---- writing ---- */

static void key_id(const struct journal *j, unsigned char out[4])
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    struct buf b = {0};
    buf_puts(&b, j->origin);
    buf_put(&b, "\n\x01", 2);
    buf_put(&b, j->o.seal.public_key, 32);
    crypto_hash_sha256(sum, (const unsigned char *)b.p, b.n);
    memcpy(out, sum, 4);
    buf_free(&b);
}

static enum err compose(const struct journal *j, struct buf *note, struct fault *f)
{
    char hash[HASH_B64], sig[SIG_B64], when[25];
    unsigned char id_sig[4 + 64];
    world_format_ms(world_wall_ms(j->w), when);
    sodium_bin2base64(hash, sizeof hash, j->durable_hash.b, HASH_BYTES, sodium_base64_VARIANT_ORIGINAL);
    buf_printf(note, "%s\n%" PRIu64 "\n%s\ntime %s\n", j->origin, j->durable_seq, hash, when);
    key_id(j, id_sig);
    enum err e = j->o.seal.sign(j->o.seal.ctx, buf_view(note), id_sig + 4);
    if (e != ERR_OK) return fault_set(f, e, "journal: cannot sign a checkpoint: %s", err_text(e));
    sodium_bin2base64(sig, sizeof sig, id_sig, sizeof id_sig, sodium_base64_VARIANT_ORIGINAL);
    buf_printf(note, "\n" DASH "%s %s\n\n", j->origin, sig);
    return ERR_OK;
}

/* Opens the file; what is left of a checkpoint that was not written to its end is taken away first. */
static enum err open_for_append(struct journal *j, const char *path, struct fault *f)
{
    const struct world_files *fs = &j->w->files;
    if (j->ck_fd >= 0) {
        int64_t size = fs->size(fs->ctx, j->ck_fd);
        if (size < 0) return journal__io("read", path, f);
        if ((uint64_t)size > j->ck_size && fs->ftruncate(fs->ctx, j->ck_fd, (int64_t)j->ck_size) != 0) return journal__io("shorten", path, f);
        return ERR_OK;
    }
    j->ck_fd = fs->open(fs->ctx, path, O_RDWR | O_CREAT, 0600);
    if (j->ck_fd < 0) return journal__io("make", path, f);
    if (fs->sync_dir(fs->ctx, j->dir) != 0) return fault_set(f, ERR_SYNC_FAILED, "journal: cannot sync the directory %s: %s", j->dir, strerror(errno));
    return ERR_OK;
}

bool journal__checkpoint_due(const struct journal *j)
{
    if (!j->o.seal.sign) return false;
    uint64_t since = j->ck_tried_seq > j->ck_seq ? j->ck_tried_seq : j->ck_seq;      /* one that failed is not tried at every commit */
    return j->durable_seq - since >= j->o.checkpoint_frames || world_mono_ms(j->w) - j->ck_mono_ms >= j->o.checkpoint_ms;
}

enum err journal_checkpoint(struct journal *j, struct fault *f)
{
    struct fault own = {ERR_OK, ""};
    if (!f) f = &own;
    if (j->dead.err != ERR_OK) return fault_set(f, j->dead.err, "%s", j->dead.text);
    if (!j->o.seal.sign || j->durable_seq == j->ck_seq || j->o.read_only) return ERR_OK;
    ASSERT(j->durable_seq > j->ck_seq);
    char path[JOURNAL_PATH_BYTES];
    struct buf note = {0};
    journal__name(j, FILE_NAME, path);
    j->ck_mono_ms = world_mono_ms(j->w);
    j->ck_tried_seq = j->durable_seq;
    enum err e = compose(j, &note, f);
    if (e == ERR_OK) e = open_for_append(j, path, f);
    if (e == ERR_OK) e = journal__pwrite(j, j->ck_fd, note.p, note.n, j->ck_size, path, f);
    if (e == ERR_OK && j->w->files.fdatasync(j->w->files.ctx, j->ck_fd) != 0)
        e = fault_set(f, ERR_SYNC_FAILED, "journal: cannot sync %s: %s; start again to recover", path, strerror(errno));
    if (e == ERR_OK) {
        j->ck_size += note.n;
        j->ck_seq = j->durable_seq;
        j->ck_hash = j->durable_hash;
    }
    if (e == ERR_SYNC_FAILED || e == ERR_IO) j->dead = *f;      /* the same disk holds the log */
    buf_free(&note);
    return e;
}
