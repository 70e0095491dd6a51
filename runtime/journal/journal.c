/* journal.c - the writer: open, append, commit, close.
 *
 *   append   frame bytes to `pending`; the last frame stays unfinished (no hash yet), because it may get the COMMIT flag
 *   close    finishes it with COMMIT: a batch
 *   commit   room in the segment (grow, or the next one) -> one pwrite of pending -> one fdatasync -> durable
 *
 * Pending bytes never span two segments. Any failure to write or sync ends the journal for this process: what the disk holds is then known
 * only to the next start, which reads it. */
#include "journal/frame.h"
#include "base/check.h"
#include "base/log.h"
#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define NONE           SIZE_MAX
#define PENDING_MAX    (LIMIT_SEGMENT_BYTES - SEG_HEADER_BYTES)
#define PENDING_KEEP   (1u << 20)       /* a larger buffer is given back after its commit */
#define MIN_SEGMENT    1024u

/* ---- open and close ---- */

static bool origin_fits(const char *s)
{
    size_t n = s ? strlen(s) : 0;
    if (n == 0 || n > 200) return false;
    for (; *s; s++)
        if (*s <= ' ' || *s > '~' || *s == '+') return false;
    return true;
}

static char *copy_text(const char *s)
{
    char *p = strdup(s);
    if (!p) check_no_memory();
    return p;
}

static struct journal *make(const struct world *w, const struct journal_options *o)
{
    struct journal *j = calloc(1, sizeof *j);
    if (!j) check_no_memory();
    j->w = w;
    j->o = *o;
    j->o.dir = j->dir = copy_text(o->dir);
    j->o.origin = j->origin = copy_text(o->origin);
    j->origin_hash = hash_of(str_of(j->origin));
    if (j->o.segment_bytes == 0) j->o.segment_bytes = LIMIT_SEGMENT_BYTES;
    if (j->o.segment_bytes < MIN_SEGMENT) j->o.segment_bytes = MIN_SEGMENT;
    if (j->o.checkpoint_frames == 0) j->o.checkpoint_frames = 1000;
    if (j->o.checkpoint_ms == 0) j->o.checkpoint_ms = 60000;
    j->lock_fd = j->fd = j->ck_fd = -1;
    j->unfinished = NONE;
    return j;
}

/* The directory, its entry in the parent while nothing is proven yet, and the lock. */
static enum err take_dir(struct journal *j, struct fault *f)
{
    const struct world_files *fs = &j->w->files;
    char path[JOURNAL_PATH_BYTES];
    if (fs->mkdir(fs->ctx, j->dir, 0700) != 0 && errno != EEXIST) return journal__io("make the directory", j->dir, f);
    journal__name(j, "lock", path);
    j->lock_fd = fs->open(fs->ctx, path, O_RDWR | O_CREAT, 0600);
    if (j->lock_fd < 0) return journal__io("open", path, f);
    if (fs->lock(fs->ctx, j->lock_fd) != 0) return fault_set(f, ERR_LOCKED_STATE, "another process writes the journal in %s", j->dir);
    journal__name(j, "segment.tmp", path);
    if (fs->unlink(fs->ctx, path) != 0 && errno != ENOENT) return journal__io("remove", path, f);
    return ERR_OK;
}

static enum err sync_parent(struct journal *j, struct fault *f)
{
    if (j->o.applied_seq || j->ck_seq) return ERR_OK;       /* something is proven durable, so the directory is */
    char parent[WORLD_PATH_BYTES];
    if (world_sync_parent(j->w, j->dir, parent) != 0)
        return fault_set(f, ERR_SYNC_FAILED, "journal: cannot sync the directory %s: %s; if %s is new, remove it before the next start: its name may never "
                         "reach the disk", parent, strerror(errno), j->dir);
    return ERR_OK;
}

static enum err start_writer(struct journal *j, struct fault *f)
{
    enum err e = take_dir(j, f);
    if (e == ERR_OK) e = journal__checkpoint_load(j, f);
    if (e == ERR_OK) e = journal__load(j, f);
    if (e == ERR_OK) e = sync_parent(j, f);
    if (e == ERR_OK) e = journal__recover(j, f);
    if (e == ERR_OK) e = journal__spare_make(j, f);
    return e;
}

/* Beside a writer the files change while they are read: what looks like damage is looked at again. */
static enum err start_reader(struct journal *j, struct fault *f)
{
    enum err e = ERR_OK;
    for (int attempt = 0; attempt < 3; attempt++) {
        if (attempt) j->w->clock.sleep_ms(j->w->clock.ctx, 50);
        e = journal__checkpoint_load(j, f);
        if (e == ERR_OK) e = journal__load(j, f);
        if (e == ERR_OK) e = journal__recover(j, f);
        if (e != ERR_CORRUPT) break;
    }
    return e;
}

static void let_go(struct journal *j)
{
    const struct world_files *fs = &j->w->files;
    if (j->fd >= 0) fs->close(fs->ctx, j->fd);
    if (j->ck_fd >= 0) fs->close(fs->ctx, j->ck_fd);
    if (j->lock_fd >= 0) fs->close(fs->ctx, j->lock_fd);
    buf_free(&j->pending);
    buf_free(&j->sealed);
    buf_free(&j->ad);
    free(j->segs);
    free(j->dir);
    free(j->origin);
    free(j);
}

enum err journal_open(struct journal **out, const struct world *w, const struct journal_options *o, struct fault *f)
{
    struct fault own = {ERR_OK, ""};
    if (!f) f = &own;
    *out = NULL;
    if (sodium_init() < 0) return fault_set(f, ERR_IO, "the crypto library does not start");
    if (!origin_fits(o->origin)) return fault_set(f, ERR_CONFIG, "the name of a journal is 1 to 200 printable characters without blank or +");
    if (!o->dir || !o->dir[0] || strlen(o->dir) > JOURNAL_PATH_BYTES - 32) return fault_set(f, ERR_CONFIG, "the path of the journal is empty or too long");
    struct journal *j = make(w, o);
    enum err e = o->read_only ? start_reader(j, f) : start_writer(j, f);
    if (e != ERR_OK) {
        let_go(j);
        return e;
    }
    j->batch.seq = j->last_seq;
    j->batch.prev = j->prev;
    j->batch.epoch = j->epoch;
    j->ck_mono_ms = world_mono_ms(w);
    *out = j;
    return ERR_OK;
}

void journal_close(struct journal *j)
{
    if (!j) return;
    struct fault f = {ERR_OK, ""};
    if (j->dead.err == ERR_OK && journal_checkpoint(j, &f) != ERR_OK) log_warn("no last checkpoint: %s", f.text);
    let_go(j);
}

const struct journal_recovery *journal_recovered(const struct journal *j) { return &j->rec; }
uint64_t journal_last_seq(const struct journal *j) { return j->last_seq; }
uint64_t journal_durable_seq(const struct journal *j) { return j->durable_seq; }
uint64_t journal_bytes(const struct journal *j) { return j->older_bytes + j->zeroed; }
bool journal_space_low(const struct journal *j) { return j->space_low; }
struct hash journal_head(const struct journal *j) { return j->durable_hash; }

/* ---- append ---- */

static enum err refuse(const struct journal *j, struct fault *f)
{
    if (j->dead.err != ERR_OK) return fault_set(f, j->dead.err, "%s", j->dead.text);
    return fault_set(f, ERR_USAGE, "the journal in %s was opened for reading", j->dir);
}

static void finish(struct journal *j, bool commit)
{
    if (j->unfinished == NONE) return;
    j->prev = journal__frame_finish((unsigned char *)j->pending.p + j->unfinished, j->pending.n - j->unfinished, commit, &j->prev);
    j->unfinished = NONE;
}

static enum err seal_private(struct journal *j, const struct frame *fr, size_t start, struct fault *f)
{
    if (!fr->priv.n) return ERR_OK;
    if (!j->o.seal.seal) return fault_set(f, ERR_SECRET, "the journal has no key for private parts");
    journal__frame_ad(&j->ad, &j->origin_hash, (unsigned char *)j->pending.p + start, j->pending.n - start - 8);
    buf_clear(&j->sealed);
    enum err e = j->o.seal.seal(j->o.seal.ctx, fr->slot, buf_view(&j->ad), fr->priv, &j->sealed);
    if (e == ERR_NOT_FOUND) return fault_set(f, ERR_SECRET, "data key %u was erased", fr->slot);
    if (e != ERR_OK) return fault_set(f, e, "data key %u cannot be used: %s", fr->slot, err_text(e));
    ASSERT(j->sealed.n > 0);
    buf_put(&j->pending, j->sealed.p, j->sealed.n);
    return ERR_OK;
}

/* The new frame goes behind the unfinished one, which is finished only when nothing can go wrong any more. */
static enum err add(struct journal *j, const struct frame *fr, struct fault *f)
{
    static const unsigned char room[HASH_BYTES];
    size_t start = j->pending.n;
    journal__frame_begin(&j->pending, fr, (uint32_t)(fr->seq - j->durable_seq));
    enum err e = seal_private(j, fr, start, f);
    buf_put(&j->pending, room, sizeof room);
    size_t bytes = j->pending.n - start;
    if (e == ERR_OK && bytes > LIMIT_FRAME_BYTES) e = fault_set(f, ERR_TOO_LARGE, "a journal frame of %zu bytes is over the limit of %u", bytes, LIMIT_FRAME_BYTES);
    if (e == ERR_OK && j->pending.n > PENDING_MAX) e = fault_set(f, ERR_TOO_LARGE, "a journal batch of %zu bytes is over the limit of %u", j->pending.n, PENDING_MAX);
    if (e != ERR_OK) {
        j->pending.n = start;
        return e;
    }
    size_t end = j->pending.n;
    j->pending.n = start;
    finish(j, false);
    j->pending.n = end;
    j->unfinished = start;
    return ERR_OK;
}

enum err journal_append(struct journal *j, struct frame *fr, struct fault *f)
{
    if (j->dead.err != ERR_OK || j->o.read_only) return refuse(j, f);
    ASSERT(fr->kind > 0 && fr->kind < FRAME_KIND_LIMIT);
    ASSERT(j->last_seq - j->durable_seq < UINT32_MAX);
    if (fr->pub.n > LIMIT_FRAME_BYTES || fr->priv.n > LIMIT_FRAME_BYTES)
        return fault_set(f, ERR_TOO_LARGE, "a journal frame of %zu bytes is over the limit of %u", fr->pub.n + fr->priv.n, LIMIT_FRAME_BYTES);
    fr->seq = j->last_seq + 1;
    fr->time_ms = world_wall_ms(j->w);
    fr->epoch = j->epoch + (fr->kind == FRAME_OPEN ? 1 : 0);
    enum err e = add(j, fr, f);
    if (e != ERR_OK) return e;
    j->last_seq = fr->seq;
    j->epoch = fr->epoch;
    return ERR_OK;
}

enum err journal_close_batch(struct journal *j, struct fault *f)
{
    if (j->dead.err != ERR_OK || j->o.read_only) return refuse(j, f);
    finish(j, true);
    j->batch.n = j->pending.n;
    j->batch.seq = j->last_seq;
    j->batch.prev = j->prev;
    j->batch.epoch = j->epoch;
    return ERR_OK;
}

void journal_drop_batch(struct journal *j)
{
    j->pending.n = j->batch.n;
    j->last_seq = j->batch.seq;
    j->prev = j->batch.prev;
    j->epoch = j->batch.epoch;
    j->unfinished = NONE;
}

/* ---- commit ---- */

static enum err next_segment(struct journal *j, uint64_t need, struct fault *f)
{
    const struct seg_header *last = &j->segs[j->nsegs - 1];
    struct seg_plan plan = {
        .h = {.number = last->number + 1, .epoch = j->durable_epoch, .first_seq = j->durable_seq + 1, .placed_to = j->durable_seq,
              .prev = j->durable_hash, .origin = j->origin_hash},
        .need = need,
    };
    return journal__place(j, &plan, f);
}

static enum err write_pending(struct journal *j, struct fault *f)
{
    const struct world_files *fs = &j->w->files;
    char path[JOURNAL_PATH_BYTES];
    enum err e = ERR_OK;
    uint64_t need = j->pending.n;
    if (j->used + need > j->o.segment_bytes && j->used > SEG_HEADER_BYTES) e = next_segment(j, need, f);
    if (e == ERR_OK) e = journal__grow(j, need, f);
    if (e != ERR_OK) return e;
    journal__path(j, j->segs[j->nsegs - 1].number, path);
    e = journal__pwrite(j, j->fd, j->pending.p, j->pending.n, j->used, path, f);
    if (e == ERR_OK && fs->fdatasync(fs->ctx, j->fd) != 0)
        e = fault_set(f, ERR_SYNC_FAILED, "journal: cannot sync %s: %s; what was written last may not be on disk; start again to recover", path, strerror(errno));
    return e;
}

enum err journal_commit(struct journal *j, struct fault *f)
{
    struct fault own = {ERR_OK, ""};
    if (!f) f = &own;
    enum err e = journal_close_batch(j, f);
    if (e != ERR_OK || j->pending.n == 0) return e;
    e = write_pending(j, f);
    if (e != ERR_OK) {
        j->dead = *f;
        return e;
    }
    j->used += j->pending.n;
    j->durable_seq = j->last_seq;
    j->durable_hash = j->prev;
    j->durable_epoch = j->epoch;
    if (j->pending.cap > PENDING_KEEP) buf_free(&j->pending);
    buf_clear(&j->pending);
    j->batch.n = 0;
    if (!journal__checkpoint_due(j)) return ERR_OK;
    /* The batch is durable whatever becomes of the checkpoint; a disk that fails on it has ended the journal for the next call. */
    struct fault ck = {ERR_OK, ""};
    if (journal_checkpoint(j, &ck) != ERR_OK) log_warn("no checkpoint: %s", ck.text);
    return ERR_OK;
}

enum err journal_files(struct journal *j, void (*each)(void *arg, const char *name, uint64_t bytes), void *arg, struct fault *f)
{
    if (j->dead.err != ERR_OK) return fault_set(f, j->dead.err, "%s", j->dead.text);
    for (size_t i = 0; i < j->nsegs; i++) {
        char name[32];
        snprintf(name, sizeof name, "%08" PRIu32 ".seg", j->segs[i].number);
        each(arg, name, i + 1 < j->nsegs ? UINT64_MAX : j->used);
    }
    return ERR_OK;
}
