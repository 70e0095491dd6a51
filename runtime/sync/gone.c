/* gone.c - records that people deleted in the target: noticed when they are written, read back or linked to. The row keeps its id to tell of it, but
 * nothing links to that id any more: records that need it wait. It is made again by `mlcd replay --recreate`. */
#include "sync/sync_private.h"

enum err gone_item(struct engine *e, struct sync_flow *sf, struct send_item *it, struct fault *f)
{
    emit_begin(e, FRAME_SETTLE, sf);
    emit_key(e, it->key, it->row.slot);
    event_put_int(&e->pub, EV_CLASS, W_GONE);
    event_put_text(&e->priv, EV_WHY, GONE_WHY);
    it->skip = true;
    e->result.rejected++;
    return emit_end(e, f);
}
