/* fold.h - inside the room: one frame on its way into the index. apply.c folds it; apply_wait.c knows who waits for whom. */
#ifndef STORE_FOLD_H
#define STORE_FOLD_H
#include "store/store_private.h"

/* One record's frame under way: what it says, the row before, the row after. */
struct fold {
    struct store *s;
    const struct frame *fr;
    struct event_tags ev;
    struct arena arena;
    struct str flow_name, key;
    struct flow_state fl;
    struct row row;
    bool existed;
    struct fault *f;
};

/* apply.c */
enum err fold__take_row(struct fold *x);                       /* x->row and x->existed, of the key in x->ev */
enum err fold__save_row(struct fold *x, const struct row *before);
enum err fold__flow_by_id(struct fold *x, uint16_t id);        /* x->fl and x->flow_name */
/* apply_wait.c */
/* The record that this frame waits for got its id while the frame was on its way, by one that stands before it in the log: whoever wrote the frame could
 * not know, and nobody would wake the row any more. (Of the same flow it is one that has the record's turn: that has an id all along.) */
bool fold__parent_came(struct fold *x);
enum err fold__wait_for(struct fold *x);                       /* the frame says for whom */
enum err fold__wake_children(struct fold *x);                  /* of x's record, which has an id now, or gave one up */
#endif
