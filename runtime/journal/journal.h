/* journal.h - the audit log: append-only, hash-chained, the only thing that must be flushed. LMDB is its fold.
 *
 *   append -> bytes in memory -> commit: one pwrite, one fdatasync -> durable; only then may a row be folded or a request be sent.
 *
 * A batch = the frames appended since the last commit mark. The last frame of a batch carries FRAME_COMMIT; recovery takes whole
 * batches only, so a page's cursor, rows, rejects and locked keys hold together. Format of frames and segments: docs/journal-format.md
 * and frame.h. The writer appends with one thread. */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H
#include "base/world.h"
#include "base/hash.h"
#include "base/buf.h"

enum frame_kind {
#define FRAME(name, number, text) FRAME_##name = number,
#include "journal/frame.def"
#undef FRAME
    FRAME_KIND_LIMIT = 64
};
const char *frame_kind_name(unsigned kind);     /* "INTENT"; NULL when unknown */

#define FRAME_COMMIT 1u                         /* flags: the last frame of its batch */
#define FRAME_NO_SLOT UINT32_MAX

struct frame {
    uint64_t seq;                /* assigned by append; 1, 2, 3, ... over all segments */
    int64_t time_ms;             /* wall clock at append */
    uint32_t epoch;              /* of the process start, see FRAME_OPEN */
    uint16_t kind;               /* enum frame_kind */
    uint16_t flags;
    struct hash image, flow;     /* semantic hashes, zero where they do not apply */
    unsigned char key_hash[16];  /* keyed hash of flow and record key, zero where none: lets one record's history be found */
    uint32_t slot;               /* data-key slot of the private part, FRAME_NO_SLOT = the log's own key */
    struct str pub;              /* no personal data, no secret; an encoded record (value/record.h), opaque here */
    struct str priv;             /* plaintext here; sealed on disk. Empty = none */
    bool priv_erased;            /* read only: the slot was erased, priv is empty */
};

/* How private parts are sealed; sync passes the functions of runtime/secret. out gets nonce + ciphertext + tag. */
struct journal_seal {
    enum err (*seal)(void *ctx, uint32_t slot, struct str ad, struct str plain, struct buf *out);
    /* ERR_NOT_FOUND: the slot was erased. ERR_CORRUPT: forged or damaged. */
    enum err (*open)(void *ctx, uint32_t slot, struct str ad, struct str sealed, struct arena *a, struct str *plain);
    enum err (*sign)(void *ctx, struct str message, unsigned char sig[64]);      /* Ed25519 for checkpoints */
    void *ctx;
};
struct journal_options {
    const char *dir;                    /* made when missing */
    const char *origin;                 /* name of this log in checkpoints, e.g. "abc-distribution/customers" */
    struct journal_seal seal;
    uint64_t applied_seq;               /* what the index has folded; damage at or below it is an alarm, never a cut */
    size_t segment_bytes;               /* 0 = LIMIT_SEGMENT_BYTES */
    unsigned checkpoint_frames; int64_t checkpoint_ms;   /* 0 = 1000 frames, 60000 ms */
    int64_t min_free_bytes;             /* spare; 0 = none */
};
struct journal;

/* Opens or makes the log and recovers: cuts an invalid tail that has nothing valid behind it (or an unfinished batch), reports every
 * other damage. After a failed sync in the last life the valid frames above applied_seq are copied to a new segment and synced
 * before they count (the mark for that is a file written at failure, or simply always: see docs). ERR_CORRUPT = alarm: the text says
 * which frame and what to do. */
enum err journal_open(struct journal **out, const struct world *w, const struct journal_options *o, struct fault *f);
void journal_close(struct journal *j);
uint64_t journal_last_seq(const struct journal *j);       /* appended, maybe not durable */
uint64_t journal_durable_seq(const struct journal *j);
uint64_t journal_bytes(const struct journal *j);

/* Adds a frame to the open batch; fills seq, time_ms and epoch. Nothing is written yet. ERR_TOO_LARGE, ERR_SECRET (no data key). */
enum err journal_append(struct journal *j, struct frame *fr, struct fault *f);
/* Closes the batch (FRAME_COMMIT on its last frame) without flushing: for a poll that changes nothing and flushes once at its end. */
enum err journal_close_batch(struct journal *j, struct fault *f);
/* Closes the batch, writes and syncs everything appended. After ERR_SYNC_FAILED or ERR_IO the journal is dead: every later call fails. */
enum err journal_commit(struct journal *j, struct fault *f);

/* Calls each(arg, frame) for durable frames with seq >= from, in order, private parts opened; stops at the first non-OK return and
 * returns it. Memory of a frame lives until the callback returns. */
enum err journal_read(struct journal *j, uint64_t from, enum err (*each)(void *arg, const struct frame *fr, struct fault *f), void *arg,
                      struct fault *f);
#endif
