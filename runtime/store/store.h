/* store.h - the index: LMDB as the fold of the journal. Holds one row per target record, what is due when, cursors and links.
 *
 *   frame (durable) -store_apply-> rows, due, flows ... -> committed at least every second -> applied_seq
 *
 * One function folds a frame, the same live and in recovery, and it uses nothing but the frame and the index: no clock, no chance.
 * The store never holds a frame that is not durable: the caller applies after journal_commit only. One writer; readers of other
 * processes open it read-only. Every value carries a keyed checksum bound to table and key; what comes from records is sealed under their data keys
 * (seal.c). Repair = set the index aside, fold the log again. */
#ifndef STORE_STORE_H
#define STORE_STORE_H
#include "base/world.h"
#include "base/hash.h"
#include "journal/journal.h"
#include "store/event.h"
#include "store/row.h"
#include "store/rowkey.h"

struct store;
struct store_options {
    const char *dir;                   /* DIR/data.mdb and DIR/lock.mdb; made (in a temporary place, renamed) when missing */
    unsigned char key[32];             /* for checksums */
    struct journal_seal seal;          /* seal and open, as for the log; seal gives the same bytes for the same (secret_seal_same) */
    size_t map_bytes;                  /* 0 = 64 GiB; sparse */
    bool read_only;
};
/* ERR_NOT_FOUND (read only and not there), ERR_FORMAT (another version), ERR_CORRUPT, ERR_IO, ERR_NO_SPACE. */
enum err store_open(struct store **out, const struct world *w, const struct store_options *o, struct fault *f);
void store_close(struct store *s);     /* without committing what is open: the journal has it */

uint64_t store_applied_seq(const struct store *s);     /* including what is not committed yet */
struct hash store_applied_hash(const struct store *s);     /* of that frame, zero when it came without */
uint32_t store_next_slot(const struct store *s);       /* first data-key slot that no folded row uses */
/* Folds one durable frame; frames at or below applied_seq are skipped, a gap is ERR_CORRUPT. After any other failure the store is dead
 * and the process has to stop; the next start folds again. */
enum err store_apply(struct store *s, const struct frame *fr, struct fault *f);
/* Commits when the open transaction is older than a second or large; call it before every wait. now_ms = monotonic. */
enum err store_tick(struct store *s, int64_t now_ms, struct fault *f);
enum err store_flush(struct store *s, struct fault *f);
/* A reader lets go of its snapshot, before it waits for something else: old pages cannot be used again while somebody looks at them. */
void store_rest(struct store *s);
/* Bytes of the map in use, and its size: the alarm is at 70 %. */
void store_usage(struct store *s, uint64_t *used, uint64_t *size);

/* ---- flows ---- */
struct flow_state {
    uint16_t id;
    uint16_t held_ok;                  /* the pass that is held was accepted */
    struct str hashes;                 /* EV_HASHES of the spec that its rows were derived with */
    struct str cursor, full_cursor, sweep_after;
    struct str job;                    /* the bulk write that is under way; empty = none */
    int64_t last_poll_ms, last_full_ms, last_sweep_ms, next_poll_ms, next_full_ms;
    uint64_t counts[ROW_STATE_COUNT];  /* rows per state */
    uint64_t locked;                   /* keys waiting for a locked source row */
    uint64_t no_answer, violated;      /* since the beginning: builtins without an answer, broken source facts */
    uint64_t linked;                   /* rows with a target id */
    uint64_t put_back;                 /* since the beginning: records with people's edits that a guarded flow found */
    struct str trouble; int64_t trouble_ms;   /* why the last pass ended without its end, and when; empty: it did not */
};
/* Spans live until the next store_apply. False when the flow was never seen. */
bool store_flow(struct store *s, struct str name, struct flow_state *out);
enum err store_flows(struct store *s, enum err (*each)(void *arg, struct str name, const struct flow_state *st), void *arg);

/* ---- rows; spans come from the arena ---- */
enum err store_row(struct store *s, uint16_t flow, struct str key, struct arena *a, struct row *out, struct fault *f);   /* ERR_NOT_FOUND */
struct store_item { uint16_t flow; struct str key; };
/* Rows with key > after, in key order, until each returns other than OK. The row's spans live during the callback. */
enum err store_rows(struct store *s, uint16_t flow, struct str after, enum err (*each)(void *arg, struct str key, const struct row *r), void *arg,
                    struct fault *f);
/* ---- what a poll asks of many rows at once; one small entry of each row is looked at, never the row ----
 * Sets `same` where the row is there, neither gone nor erased, and was derived from a source row with this very hash. Keys ascending: a page walks through
 * the index instead of searching it. What is not the same is to be looked at as if it had not been asked; a damaged entry only makes a row not the same. */
struct store_seen { struct str key, hash; size_t index; bool same; };
enum err store_seen(struct store *s, uint16_t flow, struct store_seen *list, size_t n, struct fault *f);
/* Keys > after, in key order, until each returns other than OK. */
enum store_over { STORE_LIVE, STORE_GONE /* from the source */, STORE_ERASED };
enum err store_keys(struct store *s, uint16_t flow, struct str after, enum err (*each)(void *arg, struct str key, enum store_over over), void *arg, struct fault *f);
/* Up to max items due at now_ms, those due longest first, all of one flow when flow != 0. Returns how many. *next_due_ms (may be NULL) gets
 * the time of the first that is not due yet, INT64_MAX when none. */
size_t store_due(struct store *s, uint16_t flow, int64_t now_ms, size_t max, struct arena *a, struct store_item *out, int64_t *next_due_ms);
/* Keys whose source row was locked and that are due for another attempt. */
struct store_locked { uint16_t flow; struct str key; unsigned tries; int64_t due_ms; };
size_t store_locked_due(struct store *s, int64_t now_ms, size_t max, struct arena *a, struct store_locked *out, int64_t *next_due_ms);
bool store_locked_get(struct store *s, uint16_t flow, struct str key, struct store_locked *out);
/* The row that holds this target id in this flow; ERR_NOT_FOUND. */
enum err store_by_id(struct store *s, uint16_t flow, struct str id, struct arena *a, struct str *key);
/* An answered find: true and the id (empty = answered with none) and when. It is sealed under the data key of the record that asked first; when that
 * is erased, nobody asked. */
struct store_answer { struct str field, value, id; int64_t at_ms; uint32_t slot; };
/* The name of a find in the index and in its frames (frame.key_hash): a keyed hash, so that it says nothing by itself. */
void store_link_hash(const struct store *s, struct str field, struct str value, unsigned char out[16]);
bool store_link(struct store *s, struct str module, struct str field, struct str value, struct arena *a, struct str *id, int64_t *at_ms);
/* Every answered find of a module. Spans live in the arena. */
void store_links(struct store *s, struct str module, struct arena *a, void (*each)(void *ctx, const struct store_answer *l), void *ctx);

/* Reads everything and checks each checksum, the tables' digests and that due, held and ids agree with the rows. ERR_CORRUPT names the key. */
enum err store_check(struct store *s, struct fault *f);
#endif
