/* recover.c - what a start makes of the segments it finds.
 *
 * Three questions, in this order:
 *   1. is it damaged?   A frame that had been synced and is not readable now is an alarm, and nothing is changed. That it had been synced
 *                       is known from: applied_seq of the index, the last checkpoint, a later segment, the header (placed_to), or a
 *                       whole frame further on whose `since` says so.
 *   2. what is cut?     What stands behind the last batch of the last segment and is none of that: a write that never finished.
 *   3. what is proven?  A batch above applied_seq and the last checkpoint may sit in the page cache only, after a sync that failed. It is
 *                       written again, into a new segment, and synced before it counts; pages whose sync failed are never synced again.
 *
 * To cut or to write again means to go on in a new segment (its header says SEG_RECOVERY, first_seq where it takes over); the old bytes
 * stay. When nothing at all in the last segment is proven, not even its name in the directory, it is replaced as a whole. */
#include "journal/frame.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

struct place { uint64_t seq, off; struct hash hash; uint32_t epoch; };     /* behind a batch */
struct tail {
    struct place commit;            /* the last whole batch */
    struct place from;              /* the last batch that is proven durable */
    uint64_t next_seq;              /* first frame that is not there */
    bool dirty;                     /* there is something behind the last whole batch */
    bool hole;                      /* and it is not only whole frames */
};

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

static enum err check_against_proofs(const struct journal *j, const struct walk *wk, uint64_t off, struct fault *f)
{
    static const struct hash unknown;
    if (wk->fr.seq == j->o.applied_seq && !hash_eq(&j->o.applied_hash, &unknown) && !hash_eq(&j->o.applied_hash, &wk->prev))
        return fault_set(f, ERR_CORRUPT, "the index is of another history of this log: both know a frame %llu, and it is not the same. Way out: if the log is the right one, "
                         "mlcd repair makes the index anew from it", (unsigned long long)wk->fr.seq);
    if (wk->fr.seq != j->ck_seq || hash_eq(&wk->prev, &j->ck_hash)) return ERR_OK;
    return journal__alarm(j, wk->seg, off, wk->fr.seq, "the last signed checkpoint names another frame of this number", f);
}

/* A segment with a successor: every frame up to the successor's first must be there. */
static enum err scan_older(struct journal *j, size_t seg, struct fault *f)
{
    struct walk wk;
    bool commits = true;
    enum err e = journal__walk_open(j, seg, &wk, f);
    if (e != ERR_OK) return e;
    while (e == ERR_OK && wk.next_seq < j->segs[seg + 1].first_seq) {
        uint64_t off = wk.off;
        enum walk_step step = journal__walk_next(&wk);
        if (step == WALK_IO) e = fault_set(f, ERR_IO, "journal: segment %u cannot be read", j->segs[seg].number);
        else if (step != WALK_FRAME) e = journal__alarm(j, seg, off, wk.next_seq, step == WALK_END ? "the frame is missing" : wk.why, f);
        else e = check_against_proofs(j, &wk, off, f);
        commits = (wk.fr.flags & FRAME_COMMIT) != 0;
    }
    if (e == ERR_OK) e = journal__walk_handover(j, &wk, commits, f);
    journal__walk_close(&wk);
    return e;
}

/* Looks behind a hole for a whole frame. One that was written after the missing frame had been synced makes the hole damage: *seq is that
 * frame. Others belong to the same unfinished write. */
static enum err look_behind(struct journal *j, struct walk *wk, uint64_t *seq, struct fault *f)
{
    *seq = 0;
    for (uint64_t off = wk->off; off + FRAME_MIN_BYTES <= wk->win.size; off++) {
        size_t got;
        const unsigned char *p = journal__window(&wk->win, off, 16, &got);
        if (!p) return fault_set(f, ERR_IO, "journal: segment %u cannot be read", j->segs[wk->seg].number);
        if (got < 16) break;
        uint32_t n = journal__frame_length(p);
        if (n == 0 || n == UINT32_MAX || n > wk->win.size - off) continue;
        uint64_t number = 0;
        for (int i = 7; i >= 0; i--) number = number << 8 | p[8 + i];
        if (number <= wk->next_seq || number - wk->next_seq > wk->win.size / FRAME_MIN_BYTES) continue;
        struct raw_frame fr;
        const char *why;
        p = journal__window(&wk->win, off, n, &got);
        if (!p || got < n || !journal__frame_parse(p, n, &fr, &why)) continue;
        if (fr.seq - fr.since >= wk->next_seq) { *seq = fr.seq; return ERR_OK; }
        j->rec.cut_frames++;
        off += n - 1;
    }
    return ERR_OK;
}

/* The bytes behind the last whole batch up to the last one that is not zero. */
static enum err measure_cut(struct journal *j, struct walk *wk, uint64_t from, struct fault *f)
{
    uint64_t end = from, off = from;
    while ((off = journal__nonzero(&wk->win, off)) < wk->win.size) end = ++off;
    if (off == UINT64_MAX) return fault_set(f, ERR_IO, "journal: segment %u cannot be read", j->segs[wk->seg].number);
    j->rec.cut_bytes = end - from;
    return ERR_OK;
}

static enum err judge(struct journal *j, struct walk *wk, enum walk_step end, struct tail *t, struct fault *f)
{
    char what[160];
    uint64_t behind = 0, off = wk->off;
    enum err e = ERR_OK;
    if (end == WALK_FORGED) return journal__alarm(j, wk->seg, off, wk->next_seq, wk->why, f);
    t->hole = end == WALK_TORN;
    if (end == WALK_END) {
        uint64_t nonzero = journal__nonzero(&wk->win, off);
        if (nonzero == UINT64_MAX) return fault_set(f, ERR_IO, "journal: segment %u cannot be read", j->segs[wk->seg].number);
        t->hole = nonzero != wk->win.size;
        wk->why = "the frame is missing";
    }
    t->next_seq = wk->next_seq;
    t->dirty = t->hole || t->commit.seq + 1 != t->next_seq;
    j->rec.cut_frames = t->next_seq - t->commit.seq - 1;
    if (t->hole) e = look_behind(j, wk, &behind, f);
    if (e != ERR_OK) return e;
    const char *who = NULL;
    uint64_t need = 0;
    if (t->commit.seq < j->segs[wk->seg].placed_to) who = "the segment's own header", need = j->segs[wk->seg].placed_to;
    if (t->commit.seq < j->ck_seq) who = "the last signed checkpoint", need = j->ck_seq;
    if (t->commit.seq < j->o.applied_seq) who = "the index", need = j->o.applied_seq;
    if (behind) {
        snprintf(what, sizeof what, "%s, but frame %llu further on was written after this one had been synced", wk->why, (unsigned long long)behind);
        return journal__alarm(j, wk->seg, off, t->next_seq, what, f);
    }
    if (who) {
        snprintf(what, sizeof what, "%s, but %s knows the log up to frame %llu", t->dirty && !t->hole ? "the batch has no end" : wk->why, who,
                 (unsigned long long)need);
        return journal__alarm(j, wk->seg, off, t->next_seq, what, f);
    }
    return t->dirty ? measure_cut(j, wk, t->commit.off, f) : ERR_OK;
}

/* The last segment: finds its last whole batch and the last proven one, and judges what is behind. Leaves the walk open for the copy. */
static enum err scan_last(struct journal *j, struct walk *wk, struct tail *t, struct fault *f)
{
    const struct seg_header *h = &j->segs[wk->seg];
    uint64_t proven = larger(j->o.applied_seq, j->ck_seq);
    t->commit = t->from = (struct place){h->first_seq - 1, SEG_HEADER_BYTES, h->prev, h->epoch};
    for (;;) {
        uint64_t off = wk->off;
        enum walk_step step = journal__walk_next(wk);
        if (step == WALK_IO) return fault_set(f, ERR_IO, "journal: segment %u cannot be read", h->number);
        if (step != WALK_FRAME) return judge(j, wk, step, t, f);
        enum err e = check_against_proofs(j, wk, off, f);
        if (e != ERR_OK) return e;
        if (!(wk->fr.flags & FRAME_COMMIT)) continue;
        t->commit = (struct place){wk->fr.seq, wk->off, wk->prev, wk->fr.epoch};
        if (wk->fr.seq <= proven) t->from = t->commit;
    }
}

static enum err go_on(struct journal *j, struct walk *wk, const struct tail *t, struct fault *f)
{
    const struct seg_header *h = &j->segs[wk->seg];
    const struct world_files *fs = &j->w->files;
    bool proven_name = larger(j->o.applied_seq, j->ck_seq) >= h->first_seq;
    if (!t->dirty && t->from.seq == t->commit.seq && proven_name) {
        char path[JOURNAL_PATH_BYTES];
        journal__path(j, h->number, path);
        j->fd = fs->open(fs->ctx, path, O_RDWR, 0);
        j->used = t->commit.off;
        return j->fd < 0 ? journal__io("open", path, f) : ERR_OK;
    }
    struct seg_plan plan = {
        .h = {.number = h->number + 1, .flags = SEG_RECOVERY, .epoch = t->from.epoch, .first_seq = t->from.seq + 1, .placed_to = t->commit.seq,
              .prev = t->from.hash, .origin = j->origin_hash},
        .from = &wk->win, .copy_off = t->from.off, .copy_bytes = t->commit.off - t->from.off,
    };
    if (t->from.seq + 1 == h->first_seq) {      /* nothing in it is proven: put a synced copy in its place */
        plan.replace = true;
        plan.h.number = h->number;
        plan.h.flags = h->flags;
    }
    j->rec.copied_frames = t->commit.seq - t->from.seq;
    j->rec.new_segment = !plan.replace;
    if (t->dirty)
        log_warn("journal %s: cut an unfinished write of %llu bytes (%llu readable frames) behind frame %llu", j->dir,
                 (unsigned long long)j->rec.cut_bytes, (unsigned long long)j->rec.cut_frames, (unsigned long long)t->commit.seq);
    return journal__place(j, &plan, f);
}

static enum err make_first(struct journal *j, struct fault *f)
{
    uint64_t need = larger(j->o.applied_seq, j->ck_seq);
    if (need)
        return fault_set(f, ERR_CORRUPT, "journal damaged: there is no segment in %s, but %s knows the log up to frame %llu. Way out: put a copy of the "
                         "segments in place, or begin with an empty state directory and reconcile", j->dir,
                         j->o.applied_seq ? "the index" : "the last signed checkpoint", (unsigned long long)need);
    j->prev = j->durable_hash = j->origin_hash;
    if (j->o.read_only) return ERR_OK;
    struct seg_plan plan = {.h = {.number = 1, .first_seq = 1, .prev = j->origin_hash, .origin = j->origin_hash}};
    return journal__place(j, &plan, f);
}

/* The segments that must be read: from the one that holds applied_seq on, and any before a gap in the numbers, which is no damage when
 * the frames themselves have none (the name of a segment that was replaced by the next may never have reached the disk). */
static enum err scan_needed(struct journal *j, struct fault *f)
{
    size_t last = j->nsegs - 1, first = last;
    while (first > 0 && j->segs[first].first_seq > larger(j->o.applied_seq, 1)) first--;
    if (j->segs[first].first_seq > j->o.applied_seq + 1 && !j->o.read_only)
        return fault_set(f, ERR_CORRUPT, "journal damaged: the log in %s begins at frame %llu, but the index needs it from frame %llu. Way out: put copies "
                         "of the older segments in place", j->dir, (unsigned long long)j->segs[first].first_seq, (unsigned long long)j->o.applied_seq + 1);
    if (j->o.read_only) first = last;
    enum err e = ERR_OK;
    for (size_t k = 0; k < last && e == ERR_OK; k++)
        if (k >= first || j->segs[k].number + 1 != j->segs[k + 1].number) e = scan_older(j, k, f);
    return e;
}

enum err journal__recover(struct journal *j, struct fault *f)
{
    if (j->nsegs == 0) return make_first(j, f);
    struct walk wk;
    struct tail t = {0};
    enum err e = scan_needed(j, f);
    if (e == ERR_OK) e = journal__walk_open(j, j->nsegs - 1, &wk, f);
    if (e != ERR_OK) return e;
    e = scan_last(j, &wk, &t, f);
    if (e == ERR_OK && !j->o.read_only) e = go_on(j, &wk, &t, f);
    journal__walk_close(&wk);
    if (j->o.read_only) j->used = t.commit.off;
    j->last_seq = j->durable_seq = t.commit.seq;
    j->prev = j->durable_hash = t.commit.hash;
    j->epoch = j->durable_epoch = t.commit.epoch;
    return e;
}
