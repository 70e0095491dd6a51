/* emit.c - frames on their way: built tag by tag, appended, made durable, folded. Nothing is folded before it is durable. */
#include "sync/sync_private.h"
#include "base/check.h"
#include <stdlib.h>

enum { KICK_EVERY = 32, PENDING_MAX = 64 };             /* frames kept unfolded at most: a quiet poll flushes once, a long one every 16,000 rows */

void emit_begin(struct engine *e, enum frame_kind kind, const struct sync_flow *sf)
{
    buf_clear(&e->pub);
    buf_clear(&e->priv);
    e->building = (struct frame){.kind = (uint16_t)kind, .slot = FRAME_NO_SLOT};
    if (e->image) e->building.image = e->image->content;
    if (sf) {
        e->building.flow = sf->fl->hash;
        event_put(&e->pub, EV_FLOW, sf->name);
    }
}

void emit_key(struct engine *e, struct str key, uint32_t slot)
{
    struct hash h = hash_keyed(e->key_hash_key, key);
    memcpy(e->building.key_hash, h.b, sizeof e->building.key_hash);
    e->building.slot = slot;
    event_put(&e->priv, EV_KEY, key);
}

enum err emit_end(struct engine *e, struct fault *f)
{
    struct frame *fr = &e->building;
    fr->pub = buf_view(&e->pub);
    fr->priv = buf_view(&e->priv);
    enum err err = journal_append(e->journal, fr, f);
    if (err != ERR_OK) return err;
    if (e->npending == e->cap_pending) {
        e->cap_pending = e->cap_pending ? e->cap_pending * 2 : 256;
        struct frame *p = realloc(e->pending, e->cap_pending * sizeof *p);
        if (!p) check_no_memory();
        e->pending = p;
    }
    struct frame *kept = &e->pending[e->npending++];
    *kept = *fr;
    kept->pub.p = arena_copy(&e->pending_arena, fr->pub.p, fr->pub.n);
    kept->priv.p = arena_copy(&e->pending_arena, fr->priv.p, fr->priv.n);
    return ERR_OK;
}

uint64_t emit_seq(const struct engine *e) { return e->building.seq; }

/* What was appended so far is set apart: a kick may add a note to the log, which is not durable yet. */
static size_t take_durable(struct engine *e)
{
    struct frame *list = e->folding;
    struct arena arena = e->folding_arena;
    size_t cap = e->cap_folding, n = e->npending;
    e->folding = e->pending;
    e->cap_folding = e->cap_pending;
    e->folding_arena = e->pending_arena;
    e->pending = list;
    e->cap_pending = cap;
    e->pending_arena = arena;
    e->npending = 0;
    return n;
}

/* A frame that is durable and could not be folded leaves the index behind: later ones are not folded over the gap, whoever looked at the error or not.
 * Also where nothing was appended, an index that failed while it was asked says so here: every round of work comes by. */
enum err emit_commit(struct engine *e, struct fault *f)
{
    struct fault why = {ERR_OK, ""};
    if (e->behind.err != ERR_OK) return fault_set(f, e->behind.err, "%s", e->behind.text);
    enum err err = journal_commit(e->journal, &why);
    bool durable = err == ERR_OK;
    int64_t now = world_mono_ms(e->w);
    if (durable && e->npending) {
        ASSERT(e->pending[e->npending - 1].seq == journal_durable_seq(e->journal));
        e->pending[e->npending - 1].hash = journal_head(e->journal);          /* the index notes of which history it is */
    }
    size_t n = take_durable(e);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        err = store_apply(e->store, &e->folding[i], &why);
        if (err == ERR_OK) err = store_tick(e->store, now, &why);
        if (err == ERR_OK && i % KICK_EVERY == 0) send_kick(e);
    }
    if (err == ERR_OK && n == 0) err = store_tick(e->store, now, &why);
    arena_reset(&e->folding_arena);
    if (err != ERR_OK && durable) e->behind = why;
    return err == ERR_OK ? err : fault_set(f, err, "%s", why.text);
}

enum err emit_close(struct engine *e, struct fault *f)
{
    if (e->npending >= PENDING_MAX) return emit_commit(e, f);
    return journal_close_batch(e->journal, f);
}

void emit_note(struct engine *e, enum frame_kind kind, const char *what, const char *text)
{
    struct fault ignored;
    emit_begin(e, kind, NULL);
    event_put_text(&e->pub, EV_WHAT, what);
    event_put_text(&e->pub, EV_WHY, text);
    if (emit_end(e, &ignored) != ERR_OK) log_warn("the audit log did not take a note about %s: %s", what, ignored.text);
}
