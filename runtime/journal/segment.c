/* segment.c - segment files: reading them frame by frame, making them, growing them.
 *
 * A segment is zero-filled ahead of the frames in steps of SEG_GROW_BYTES, each synced before a frame is written there: a commit then
 * changes neither the file's size nor its block map, and its fdatasync is one flush of data instead of two with the file system's journal.
 * A segment gets its name only when header, copied frames and first zeros are synced; so what stands under a segment name always has a
 * whole header, and a segment that exists proves that everything before it had been synced. */
#include "journal/frame.h"
#include "base/check.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define WINDOW_BYTES (256u << 10)
#define ZERO_BYTES   (64u << 10)
#define TEMP_NAME    "segment.tmp"
#define SPARE_NAME   "spare"

void journal__name(const struct journal *j, const char *name, char out[JOURNAL_PATH_BYTES])
{
    int n = snprintf(out, JOURNAL_PATH_BYTES, "%s/%s", j->dir, name);
    ASSERT(n > 0 && n < JOURNAL_PATH_BYTES);     /* journal_open limits dir */
}

void journal__path(const struct journal *j, uint32_t number, char out[JOURNAL_PATH_BYTES])
{
    char name[32];
    snprintf(name, sizeof name, "%08u.seg", number);
    journal__name(j, name, out);
}

enum err journal__io(const char *what, const char *path, struct fault *f)
{
    int why = errno;
    bool full = why == ENOSPC || why == EDQUOT;
    return fault_set(f, full ? ERR_NO_SPACE : ERR_IO, "journal: cannot %s %s: %s%s", what, path, strerror(why),
                     full ? "; make room and start again" : "");
}

enum err journal__alarm(const struct journal *j, size_t seg, uint64_t off, uint64_t seq, const char *what, struct fault *f)
{
    char path[JOURNAL_PATH_BYTES];
    journal__path(j, j->segs[seg].number, path);
    return fault_set(f, ERR_CORRUPT, "journal damaged: %s, offset %llu, frame %llu: %s. Nothing was changed. Way out: put a copy of this file in its "
                     "place and start again; mlc-audit-verify shows how far the damage goes", path, (unsigned long long)off, (unsigned long long)seq, what);
}

enum err journal__pwrite(const struct journal *j, int fd, const void *p, size_t n, uint64_t off, const char *path, struct fault *f)
{
    const struct world_files *fs = &j->w->files;
    for (size_t done = 0; done < n;) {
        int64_t put = fs->pwrite(fs->ctx, fd, (const char *)p + done, n - done, (int64_t)(off + done));
        if (put == 0) errno = ENOSPC;
        if (put <= 0) return journal__io("write", path, f);
        done += (size_t)put;
    }
    return ERR_OK;
}

/* ---- reading ---- */

const unsigned char *journal__window(struct window *win, uint64_t off, size_t want, size_t *got)
{
    const struct world_files *fs = &win->w->files;
    if (off >= win->size) { *got = 0; return (const unsigned char *)""; }
    if (want > win->size - off) want = (size_t)(win->size - off);
    if (off < win->off || off + want > win->off + win->n) {
        size_t load = want > WINDOW_BYTES ? want : WINDOW_BYTES;
        if (load > win->size - off) load = (size_t)(win->size - off);
        if (load > win->cap) {
            free(win->p);
            win->p = malloc(load);
            if (!win->p) check_no_memory();
            win->cap = load;
        }
        win->off = off;
        win->n = 0;
        while (win->n < load) {
            int64_t r = fs->pread(fs->ctx, win->fd, win->p + win->n, load - win->n, (int64_t)(off + win->n));
            if (r < 0) return NULL;
            if (r == 0) break;                  /* shorter than it said: somebody truncates; what is there decides */
            win->n += (size_t)r;
        }
        if (want > win->n) want = win->n;
    }
    *got = want;
    return win->p + (off - win->off);
}

uint64_t journal__nonzero(struct window *win, uint64_t off)
{
    for (size_t got; off < win->size; off += got) {
        const unsigned char *p = journal__window(win, off, ZERO_BYTES, &got);
        if (!p) return UINT64_MAX;
        if (got == 0) break;
        for (size_t i = 0; i < got; i++)
            if (p[i]) return off + i;
    }
    return win->size;
}

static enum err open_window(const struct journal *j, uint32_t number, struct window *win, struct fault *f)
{
    const struct world_files *fs = &j->w->files;
    char path[JOURNAL_PATH_BYTES];
    journal__path(j, number, path);
    *win = (struct window){.w = j->w, .fd = fs->open(fs->ctx, path, O_RDONLY, 0)};
    if (win->fd < 0) return journal__io("open", path, f);
    int64_t size = fs->size(fs->ctx, win->fd);
    if (size < 0) {
        enum err e = journal__io("read", path, f);
        fs->close(fs->ctx, win->fd);
        return e;
    }
    win->size = (uint64_t)size;
    return ERR_OK;
}

static void close_window(struct window *win)
{
    win->w->files.close(win->w->files.ctx, win->fd);
    free(win->p);
    win->p = NULL;
}

enum err journal__walk_open(const struct journal *j, size_t seg, struct walk *wk, struct fault *f)
{
    const struct seg_header *h = &j->segs[seg];
    *wk = (struct walk){.seg = seg, .off = SEG_HEADER_BYTES, .next_seq = h->first_seq, .prev = h->prev};
    return open_window(j, h->number, &wk->win, f);
}

void journal__walk_close(struct walk *wk) { close_window(&wk->win); }

enum walk_step journal__walk_next(struct walk *wk)
{
    size_t got;
    const unsigned char *p = journal__window(&wk->win, wk->off, 4, &got);
    wk->why = "the file cannot be read";
    if (!p) return WALK_IO;
    if (got < 4) return WALK_END;
    uint32_t n = journal__frame_length(p);
    if (n == 0) return WALK_END;
    wk->why = "there is no frame here";
    if (n == UINT32_MAX) return WALK_TORN;
    p = journal__window(&wk->win, wk->off, n, &got);
    wk->why = "the file cannot be read";
    if (!p) return WALK_IO;
    wk->why = "the file ends within the frame";
    if (got < n) return WALK_TORN;
    if (!journal__frame_parse(p, n, &wk->fr, &wk->why)) return WALK_TORN;
    struct hash h = journal__frame_hash(&wk->fr, &wk->prev);
    wk->why = "the frame is whole, but not the one that follows: its number does not fit";
    if (wk->fr.seq != wk->next_seq) return WALK_FORGED;
    wk->why = "the frame is whole, but not the one that was written: the hash chain is broken";
    if (memcmp(h.b, wk->fr.hash, HASH_BYTES) != 0) return WALK_FORGED;
    wk->prev = h;
    wk->next_seq++;
    wk->off += n;
    return WALK_FRAME;
}

enum err journal__walk_handover(const struct journal *j, struct walk *wk, bool last_commits, struct fault *f)
{
    const struct seg_header *next = &j->segs[wk->seg + 1];
    if (!last_commits) return journal__alarm(j, wk->seg, wk->off, wk->next_seq, "the next segment begins within a batch", f);
    if (!hash_eq(&next->prev, &wk->prev)) return journal__alarm(j, wk->seg, wk->off, wk->next_seq, "the next segment continues another log", f);
    if (next->flags & SEG_RECOVERY) return ERR_OK;      /* what follows was cut */
    uint64_t off = journal__nonzero(&wk->win, wk->off);
    if (off == UINT64_MAX) return fault_set(f, ERR_IO, "journal: cannot read segment %u", j->segs[wk->seg].number);
    if (off != wk->win.size) return journal__alarm(j, wk->seg, off, wk->next_seq, "there are bytes behind the last frame of this segment", f);
    return ERR_OK;
}

/* ---- the list of segments ---- */

struct numbers { uint32_t *p; size_t n, cap; };

static void take_name(void *arg, const char *name)
{
    struct numbers *v = arg;
    uint32_t number = 0;
    if (strlen(name) != 12 || strcmp(name + 8, ".seg") != 0) return;
    for (int i = 0; i < 8; i++) {
        if (name[i] < '0' || name[i] > '9') return;
        number = number * 10 + (uint32_t)(name[i] - '0');
    }
    if (v->n == v->cap) {
        v->cap = v->cap ? v->cap * 2 : 64;
        v->p = realloc(v->p, v->cap * sizeof *v->p);
        if (!v->p) check_no_memory();
    }
    v->p[v->n++] = number;
}

static void add_segment(struct journal *j, const struct seg_header *h)
{
    if (j->nsegs == j->segs_cap) {
        j->segs_cap = j->segs_cap ? j->segs_cap * 2 : 64;
        j->segs = realloc(j->segs, j->segs_cap * sizeof *j->segs);
        if (!j->segs) check_no_memory();
    }
    j->segs[j->nsegs++] = *h;
}

static enum err load_header(struct journal *j, uint32_t number, struct fault *f)
{
    struct window win;
    struct seg_header h = {0};
    enum err e = open_window(j, number, &win, f);
    if (e != ERR_OK) return e;
    size_t got;
    const unsigned char *p = journal__window(&win, 0, SEG_HEADER_BYTES, &got);
    if (!p) {                                   /* the disk's failure, which may pass: no damage */
        char path[JOURNAL_PATH_BYTES];
        journal__path(j, number, path);
        e = journal__io("read", path, f);
        close_window(&win);
        return e;
    }
    const char *why = got < SEG_HEADER_BYTES ? "it is shorter than its header" : journal__header_decode(p, &h);
    const struct seg_header *before = j->nsegs ? &j->segs[j->nsegs - 1] : NULL;
    if (!why && h.number != number) why = "its header has another number";
    if (!why && !hash_eq(&h.origin, &j->origin_hash)) why = "it belongs to a log of another name";
    if (!why && before && h.first_seq < before->first_seq) why = "it begins before the segment before it";
    if (!why && !before && h.first_seq == 1 && !hash_eq(&h.prev, &j->origin_hash)) why = "its first frame does not begin a chain";
    if (before) j->older_bytes += j->used;
    j->used = win.size;
    close_window(&win);
    if (!why) add_segment(j, &h);
    if (why) return fault_set(f, ERR_CORRUPT, "journal damaged: segment %s/%08u.seg: %s. Nothing was changed. Way out: put a copy of this file in its "
                              "place and start again", j->dir, number, why);
    return ERR_OK;
}

enum err journal__load(struct journal *j, struct fault *f)
{
    const struct world_files *fs = &j->w->files;
    struct numbers v = {0};
    j->nsegs = 0;
    j->older_bytes = j->used = 0;
    if (fs->list(fs->ctx, j->dir, take_name, &v) != 0) {
        int why = errno;
        free(v.p);
        errno = why;
        if (why == ENOENT) return fault_set(f, ERR_NOT_FOUND, "there is no journal in %s", j->dir);
        return journal__io("list", j->dir, f);
    }
    enum err e = ERR_OK;
    for (size_t i = 0; i < v.n && e == ERR_OK; i++) e = load_header(j, v.p[i], f);
    free(v.p);
    j->zeroed = j->used;
    return e;
}

/* ---- making and growing ---- */

static enum err zero_fill(const struct journal *j, int fd, uint64_t from, uint64_t to, const char *path, struct fault *f)
{
    static const unsigned char zeros[ZERO_BYTES];
    while (from < to) {
        size_t n = to - from < ZERO_BYTES ? (size_t)(to - from) : ZERO_BYTES;
        enum err e = journal__pwrite(j, fd, zeros, n, from, path, f);
        if (e != ERR_OK) return e;
        from += n;
    }
    return ERR_OK;
}

/* The disk is full: gives up the spare file, so that what is under way can still be written down. False when there is none (left). */
static bool give_up_spare(struct journal *j)
{
    char path[JOURNAL_PATH_BYTES];
    journal__name(j, SPARE_NAME, path);
    const struct world_files *fs = &j->w->files;
    if (j->o.min_free_bytes <= 0 || j->space_low || fs->unlink(fs->ctx, path) != 0) return false;
    fs->sync_dir(fs->ctx, j->dir);      /* many file systems free the blocks only then; whether it worked shows at once */
    j->space_low = true;
    log_error("the disk that holds %s is full: the spare file was given up; make room now", j->dir);
    return true;
}

static enum err zero_fill_or_spare(struct journal *j, int fd, uint64_t from, uint64_t to, const char *path, struct fault *f)
{
    enum err e = zero_fill(j, fd, from, to, path, f);
    return e == ERR_NO_SPACE && give_up_spare(j) ? zero_fill(j, fd, from, to, path, f) : e;
}

/* Where the zeros should end so that everything up to `end` fits. */
static uint64_t fill_target(const struct journal *j, uint64_t end)
{
    uint64_t limit = j->o.segment_bytes, step = limit < SEG_GROW_BYTES ? limit : SEG_GROW_BYTES;
    uint64_t target = (end + step - 1) / step * step;
    return target > limit && end <= limit ? limit : target;
}

enum err journal__grow(struct journal *j, uint64_t need, struct fault *f)
{
    uint64_t end = j->used + need;
    if (end <= j->zeroed) return ERR_OK;
    char path[JOURNAL_PATH_BYTES];
    journal__path(j, j->segs[j->nsegs - 1].number, path);
    uint64_t target = fill_target(j, end);
    const struct world_files *fs = &j->w->files;
    enum err e = zero_fill_or_spare(j, j->fd, j->zeroed, target, path, f);
    if (e == ERR_OK && fs->fdatasync(fs->ctx, j->fd) != 0)
        e = fault_set(f, ERR_SYNC_FAILED, "journal: cannot sync %s: %s; start again to recover", path, strerror(errno));
    if (e == ERR_OK) j->zeroed = target;
    return e;
}

static enum err copy_frames(struct journal *j, int fd, const struct seg_plan *plan, const char *path, struct fault *f)
{
    for (uint64_t done = 0; done < plan->copy_bytes;) {
        size_t want = plan->copy_bytes - done < WINDOW_BYTES ? (size_t)(plan->copy_bytes - done) : WINDOW_BYTES, got;
        const unsigned char *p = journal__window(plan->from, plan->copy_off + done, want, &got);
        if (!p || got < want) return fault_set(f, ERR_IO, "journal: cannot read the frames to be copied to %s", path);
        enum err e = journal__pwrite(j, fd, p, want, SEG_HEADER_BYTES + done, path, f);
        if (e != ERR_OK) return e;
        done += want;
    }
    return ERR_OK;
}

static enum err fill_new(struct journal *j, int fd, const struct seg_plan *plan, uint64_t *zeroed, const char *path, struct fault *f)
{
    unsigned char head[SEG_HEADER_BYTES];
    uint64_t used = SEG_HEADER_BYTES + plan->copy_bytes;
    journal__header_encode(&plan->h, head);
    *zeroed = fill_target(j, used + plan->need);
    enum err e = zero_fill_or_spare(j, fd, used, *zeroed, path, f);      /* first, so that a full disk is met before anything else */
    if (e == ERR_OK) e = journal__pwrite(j, fd, head, sizeof head, 0, path, f);
    if (e == ERR_OK) e = copy_frames(j, fd, plan, path, f);
    if (e == ERR_OK && j->w->files.fdatasync(j->w->files.ctx, fd) != 0)
        e = fault_set(f, ERR_SYNC_FAILED, "journal: cannot sync %s: %s; start again to recover", path, strerror(errno));
    return e;
}

enum err journal__place(struct journal *j, const struct seg_plan *plan, struct fault *f)
{
    const struct world_files *fs = &j->w->files;
    char temp[JOURNAL_PATH_BYTES], path[JOURNAL_PATH_BYTES];
    journal__name(j, TEMP_NAME, temp);
    journal__path(j, plan->h.number, path);
    if (plan->h.number > 99999999) return fault_set(f, ERR_TOO_LARGE, "journal %s: no segment numbers left", j->dir);
    int fd = fs->open(fs->ctx, temp, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) return journal__io("make", temp, f);
    uint64_t zeroed = 0;
    enum err e = fill_new(j, fd, plan, &zeroed, temp, f);
    if (e == ERR_OK && fs->rename(fs->ctx, temp, path) != 0) e = journal__io("rename to", path, f);
    if (e != ERR_OK) {
        fs->close(fs->ctx, fd);
        fs->unlink(fs->ctx, temp);
        return e;
    }
    if (fs->sync_dir(fs->ctx, j->dir) != 0) {
        e = fault_set(f, ERR_SYNC_FAILED, "journal: cannot sync the directory %s: %s; start again to recover", j->dir, strerror(errno));
        fs->close(fs->ctx, fd);
        return e;
    }
    if (j->fd >= 0) fs->close(fs->ctx, j->fd);
    if (plan->replace) j->nsegs--;
    else if (j->nsegs) j->older_bytes += j->zeroed;
    add_segment(j, &plan->h);
    j->fd = fd;
    j->used = SEG_HEADER_BYTES + plan->copy_bytes;
    j->zeroed = zeroed;
    return ERR_OK;
}

enum err journal__spare_make(struct journal *j, struct fault *f)
{
    if (j->o.min_free_bytes <= 0) return ERR_OK;
    const struct world_files *fs = &j->w->files;
    char path[JOURNAL_PATH_BYTES];
    journal__name(j, SPARE_NAME, path);
    int fd = fs->open(fs->ctx, path, O_RDWR | O_CREAT, 0600);
    if (fd < 0) return journal__io("make", path, f);
    int64_t have = fs->size(fs->ctx, fd);
    enum err e = have < 0 ? journal__io("read", path, f) : zero_fill(j, fd, (uint64_t)have, (uint64_t)j->o.min_free_bytes, path, f);
    if (e == ERR_OK && have < j->o.min_free_bytes && fs->fdatasync(fs->ctx, fd) != 0) e = fault_set(f, ERR_SYNC_FAILED, "journal: cannot sync %s", path);
    fs->close(fs->ctx, fd);
    if (e != ERR_NO_SPACE) return e;
    fs->unlink(fs->ctx, path);
    j->space_low = true;
    log_warn("the disk that holds %s has no room for a spare file of %lld bytes", j->dir, (long long)j->o.min_free_bytes);
    return ERR_OK;
}
