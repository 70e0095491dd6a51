/* view_private.h - what view.c, why.c and show.c share. */
#ifndef SYNC_VIEW_PRIVATE_H
#define SYNC_VIEW_PRIVATE_H
#include "sync/view.h"
#include "base/check.h"
#include "base/outcome.h"
#include "secret/secret.h"
#include "value/record.h"

struct view {
    const struct world *w;
    const char *state_dir;
    struct secret_store *secrets;
    struct store *store;
    struct journal *journal;
    struct arena arena, images;          /* images: the compiled spec looked at last */
    struct image *image; struct hash image_hash;
    unsigned char key_hash_key[32];
};
/* Natural key of a typed one: the parts as typed, or without a leading flow name. False when malformed. */
bool view__key(struct view *v, const char *flow, struct str text, struct arena *a, struct str *natural);
#endif
