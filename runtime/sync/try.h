/* try.h - what a new mapping would make of the dead letters: each record that is set aside is derived by it from the snapshot that the index keeps. No
 * system is asked, nothing is changed. */
#ifndef SYNC_TRY_H
#define SYNC_TRY_H
#include "sync/view.h"

enum try_verdict {
    TRY_CLEARED,       /* the mapping set it aside, and would not any more; or it leaves the flow now */
    TRY_CHANGED,       /* the target refused it, and what it refused would be sent with another value: whether that is taken shows only there */
    TRY_SAME,          /* nothing of what was refused would change, or the mapping still sets it aside */
    TRY_UNKNOWN,       /* no snapshot, or it lacks a column that the new mapping reads: only a read of the source shows it */
    TRY_COUNT
};
const char *try_verdict_name(unsigned v);              /* "cleared", "changed", "same", "unknown" */
struct try_record {
    struct str flow, key;
    enum try_verdict verdict;
    struct str was;                                    /* why it is set aside now */
    const char *why;                                   /* SAME, UNKNOWN: the reason; CHANGED: field, before and after */
};
/* Every dead letter of the flows that the image has (or of one), in the order of keys. ERR_NOT_FOUND, ERR_FORMAT: the file. */
enum err view_try(struct view *v, const char *image_path, const char *flow, void (*each)(void *ctx, const struct try_record *t), void *ctx, uint64_t counts[TRY_COUNT],
                  struct fault *f);
#endif
