/* read.c - durable frames in order, from the segment files, checked as they are read; memory is one window and one frame. */
#include "journal/frame.h"
#include "base/check.h"

struct job {
    struct journal *j;
    const struct journal_filter *flt;
    enum err (*each)(void *arg, const struct frame *fr, struct fault *f);
    void *arg;
    struct arena a;
    struct buf ad;
    uint64_t to;
};

static bool wanted(const struct journal_filter *flt, const struct raw_frame *raw)
{
    static const unsigned char no_key[16];
    if (raw->seq < flt->from) return false;
    if (flt->kinds && (raw->kind >= 64 || !(flt->kinds >> raw->kind & 1))) return false;
    return !flt->key_hash || memcmp(raw->key ? raw->key : no_key, flt->key_hash, 16) == 0;
}

static enum err open_private(struct job *job, const struct walk *wk, struct frame *fr, uint64_t off, struct fault *f)
{
    const struct journal_seal *seal = &job->j->o.seal;
    if (!wk->fr.sealed.n || job->flt->sealed || !seal->open) return ERR_OK;
    journal__frame_ad(&job->ad, &job->j->origin_hash, wk->fr.p, wk->fr.head_bytes);
    enum err e = seal->open(seal->ctx, fr->slot, buf_view(&job->ad), wk->fr.sealed, &job->a, &fr->priv);
    if (e == ERR_NOT_FOUND) {
        fr->priv_erased = true;
        fr->priv = (struct str){NULL, 0};
        return ERR_OK;
    }
    if (e == ERR_CORRUPT) return journal__alarm(job->j, wk->seg, off, fr->seq, "its private part cannot be opened with its data key", f);
    return e == ERR_OK ? ERR_OK : fault_set(f, e, "journal frame %llu: its data key cannot be used: %s", (unsigned long long)fr->seq, err_text(e));
}

static enum err hand_out(struct job *job, const struct walk *wk, uint64_t off, struct fault *f)
{
    const struct raw_frame *raw = &wk->fr;
    struct frame fr = {.seq = raw->seq, .time_ms = raw->time_ms, .epoch = raw->epoch, .kind = raw->kind, .flags = raw->flags & FRAME_COMMIT,
                       .slot = raw->slot, .pub = raw->pub, .hash = wk->prev};
    if (raw->image) memcpy(fr.image.b, raw->image, HASH_BYTES);
    if (raw->flow) memcpy(fr.flow.b, raw->flow, HASH_BYTES);
    if (raw->key) memcpy(fr.key_hash, raw->key, sizeof fr.key_hash);
    struct arena_mark m = arena_mark(&job->a);
    enum err e = open_private(job, wk, &fr, off, f);
    if (e == ERR_OK) e = job->each(job->arg, &fr, f);
    arena_release(&job->a, m);
    return e;
}

/* Frames of one segment up to `end`, which must all be there. */
static enum err read_segment(struct job *job, struct walk *wk, uint64_t end, struct fault *f)
{
    enum err e = ERR_OK;
    bool commits = true;
    while (e == ERR_OK && wk->next_seq <= end) {
        uint64_t off = wk->off;
        enum walk_step step = journal__walk_next(wk);
        if (step == WALK_IO) return fault_set(f, ERR_IO, "journal: segment %u cannot be read", job->j->segs[wk->seg].number);
        if (step != WALK_FRAME) return journal__alarm(job->j, wk->seg, off, wk->next_seq, step == WALK_END ? "the frame is missing" : wk->why, f);
        commits = (wk->fr.flags & FRAME_COMMIT) != 0;
        if (wanted(job->flt, &wk->fr)) e = hand_out(job, wk, off, f);
    }
    if (e == ERR_OK && wk->seg + 1 < job->j->nsegs && wk->next_seq == job->j->segs[wk->seg + 1].first_seq) e = journal__walk_handover(job->j, wk, commits, f);
    return e;
}

static enum err read_all(struct job *job, struct fault *f)
{
    const struct journal *j = job->j;
    size_t k = 0;
    while (k + 1 < j->nsegs && j->segs[k + 1].first_seq <= job->flt->from) k++;
    for (; k < j->nsegs && j->segs[k].first_seq <= job->to; k++) {
        uint64_t end = k + 1 < j->nsegs && j->segs[k + 1].first_seq <= job->to ? j->segs[k + 1].first_seq - 1 : job->to;
        struct walk wk;
        enum err e = journal__walk_open(j, k, &wk, f);
        if (e != ERR_OK) return e;
        e = read_segment(job, &wk, end, f);
        journal__walk_close(&wk);
        if (e != ERR_OK) return e;
    }
    return ERR_OK;
}

enum err journal_scan(struct journal *j, const struct journal_filter *flt, enum err (*each)(void *arg, const struct frame *fr, struct fault *f),
                      void *arg, struct fault *f)
{
    if (j->dead.err != ERR_OK) return fault_set(f, j->dead.err, "%s", j->dead.text);
    struct job job = {.j = j, .flt = flt, .each = each, .arg = arg, .to = flt->to && flt->to < j->durable_seq ? flt->to : j->durable_seq};
    if (flt->from > job.to) return ERR_OK;
    arena_init(&job.a, 0);
    enum err e = read_all(&job, f);
    arena_free(&job.a);
    buf_free(&job.ad);
    return e;
}

enum err journal_read(struct journal *j, uint64_t from, enum err (*each)(void *arg, const struct frame *fr, struct fault *f), void *arg, struct fault *f)
{
    struct journal_filter flt = {.from = from};
    return journal_scan(j, &flt, each, arg, f);
}
