/* row.h - one row per target record: the unit of work.
 *
 *             poll: ROW               sender: INTENT              answer: OUTCOME
 *   (none) ------------> DIRTY -----------------------> INFLIGHT ----------------> CLEAN (or LEFT, GONE)
 *                          ^  \__ HELD (fuse)              |  \--> RETRY(due) ----> DIRTY
 *                          |  \__ WAITING (adoption)       |  \--> REJECTED(why), until source or spec changes, or replay
 *                          +--- settle: not applied ------ AMBIGUOUS(due) <-- no answer, or found INFLIGHT at start
 *
 * A poll only changes `wanted`; while a row is INFLIGHT or AMBIGUOUS its state stays and wanted_seq tells afterwards that there is more to do. */
#ifndef STORE_ROW_H
#define STORE_ROW_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum row_state {
#define ROW_STATE(name, number, text) ROW_##name = number,
#include "store/row_state.def"
#undef ROW_STATE
    ROW_STATE_COUNT
};
const char *row_state_name(unsigned state);    /* "CLEAN" */
const char *row_state_text(unsigned state);    /* a sentence for people */

enum {
    ROW_F_LEFT     = 1,    /* the filter is false: wanted is what `on leave` sets */
    ROW_F_GONE     = 2,    /* not in the source any more: wanted is what `on delete` sets */
    ROW_F_REJECT   = 4,    /* the newest source row is refused by the mapping; shown when the write under way has ended */
    ROW_F_CREATE   = 8,    /* an operator decided that a new record is to be made although candidates exist */
    ROW_F_DANGER   = 16,   /* leaves, vanishes or blanks a value: counts for the fuse */
    ROW_F_FORCE    = 32,   /* replay: send every field, also those that seem equal */
    ROW_F_ERASED   = 64,   /* data key destroyed: never sync again */
    ROW_F_UNREAD   = 128,  /* id known, but `written` was never read nor written: read before comparing */
    ROW_F_VOID     = 256,  /* the record behind `id` was deleted in the target: nothing may link to it */
    ROW_F_HINTED   = 512,  /* the target told of a change while a write was under way: UNREAD when that has ended */
    ROW_F_VIOLATED = 1024  /* with REJECT: the newest source row broke a declared type, so the snapshot is of one before it, if there is any */
};
struct row {
    uint8_t state, verb;
    uint16_t tries;
    uint32_t flags, slot;
    int64_t due_ms;                 /* RETRY, AMBIGUOUS: not before */
    uint64_t attempt;               /* INTENT's sequence number while INFLIGHT or AMBIGUOUS */
    uint64_t wanted_seq;            /* frame that gave `wanted` */
    uint64_t sent_wanted_seq;       /* wanted_seq when the INTENT was written */
    uint64_t last_seq;              /* newest frame about this row */
    int64_t written_ms;             /* time of the last applied write, 0 = never */
    struct str id, hash, snapshot, wanted, written, sent, why;
    struct str lines;               /* per list field: line key -> row id, as last read in the target; a row made since is not in it yet */
};
/* A row in the index = open half | private half, sealed under the record's data key (nothing when all of it is empty). What may stand open is what
 * the tables beside the rows say anyway. Spans point into bytes; decode_open leaves the private ones empty and gives the sealed half back. */
void row_encode_open(struct buf *out, const struct row *r);
void row_encode_private(struct buf *out, const struct row *r);
bool row_decode_open(struct str bytes, struct row *r, struct str *sealed);
bool row_decode_private(struct str bytes, struct row *r);
/* Copies all spans into the arena. */
void row_keep(struct row *r, struct arena *a);
#endif
