/* erase.c - how the plain text of one record goes: by the end of its data key, under which all of it stands sealed in index and log.
 *
 *     index flushed -> ERASE committed (the mark) -> key destroyed -> index flushed
 *
 * The mark first: from here on nothing seals with that key. The index is flushed before and after, so that it does not hold the mark while the key is
 * there: a start after a crash in between folds the mark again and destroys the key (start.c). */
#include "sync/sync_private.h"

enum err engine__erase_slot(void *arg, const struct frame *fr, struct fault *f)
{
    struct engine *e = arg;
    struct event_tags ev = {0};
    if (!event_read(&ev, fr->pub)) return fault_set(f, ERR_CORRUPT, "audit entry %llu cannot be read", (unsigned long long)fr->seq);
    uint32_t slot = (uint32_t)event_int(&ev, EV_SLOT, FRAME_NO_SLOT);
    return slot == FRAME_NO_SLOT ? ERR_OK : slot_erase(e->secrets, slot, f);
}

/* The row was marked, and the index says so; whether the key went with it is known to the log only. */
static enum err erase_again(struct engine *e, struct str key, struct fault *f)
{
    struct hash h = hash_keyed(e->key_hash_key, key);
    struct journal_filter flt = {.from = 1, .key_hash = h.b, .kinds = UINT64_C(1) << FRAME_ERASE, .sealed = true};
    return journal_scan(e->journal, &flt, engine__erase_slot, e, f);
}

enum err engine__erase_row(struct engine *e, const struct sync_flow *sf, struct str flow, struct str key, const struct row *row, const char *by, struct fault *f)
{
    if (row->flags & ROW_F_ERASED) return erase_again(e, key, f);
    enum err err = store_flush(e->store, f);
    if (err != ERR_OK) return err;
    emit_begin(e, FRAME_ERASE, sf);
    if (!sf) event_put(&e->pub, EV_FLOW, flow);
    emit_key(e, key, FRAME_NO_SLOT);
    event_put_int(&e->pub, EV_SLOT, row->slot);
    event_put_int(&e->pub, EV_FLAGS, row->flags & ROW_F_VOID);
    event_put(&e->priv, EV_ID, row->id);               /* frames that said it before cannot be read any more */
    event_put_text(&e->priv, EV_BY, by);
    err = emit_end(e, f);
    if (err == ERR_OK) err = emit_commit(e, f);
    if (err == ERR_OK && row->slot != FRAME_NO_SLOT) err = slot_erase(e->secrets, row->slot, f);
    return err == ERR_OK ? store_flush(e->store, f) : err;
}
