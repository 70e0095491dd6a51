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
    FRAME_KIND_LIMIT = 64               /* kinds are 1..63 */
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
    struct hash hash;            /* read only: the frame's place in the chain, as checkpoints name it */
};

/* How private parts are sealed; sync passes the functions of runtime/secret. out gets nonce + ciphertext + tag. */
struct journal_seal {
    enum err (*seal)(void *ctx, uint32_t slot, struct str ad, struct str plain, struct buf *out);
    /* ERR_NOT_FOUND: the slot was erased. ERR_CORRUPT: forged or damaged. */
    enum err (*open)(void *ctx, uint32_t slot, struct str ad, struct str sealed, struct arena *a, struct str *plain);
    enum err (*sign)(void *ctx, struct str message, unsigned char sig[64]);      /* Ed25519 for checkpoints; NULL = no checkpoints */
    void *ctx;
    unsigned char public_key[32];       /* of sign: C2SP derives the key id in a signature line from it */
};
struct journal_options {
    const char *dir;                    /* made when missing */
    const char *origin;                 /* name of this log in checkpoints, e.g. "abc-distribution/customers"; 1-200 printable ASCII, no blank or + */
    struct journal_seal seal;
    uint64_t applied_seq;               /* what the index has folded; damage at or below it is an alarm, never a cut */
    struct hash applied_hash;           /* of that frame; zero = not known. Another one there is an alarm: the index is of another history */
    size_t segment_bytes;               /* 0 = LIMIT_SEGMENT_BYTES */
    unsigned checkpoint_frames; int64_t checkpoint_ms;   /* 0 = 1000 frames, 60000 ms */
    int64_t min_free_bytes;             /* a spare file of this size, given up when the disk is full (journal_space_low); 0 = none */
    bool read_only;                     /* no lock, no repair, no append: for show and export beside a running process */
};
/* What journal_open found and did; for the OPEN frame and the log line. */
struct journal_recovery {
    uint64_t cut_bytes;                 /* of an unfinished write behind the last whole batch; left where it is, no longer counted */
    uint64_t cut_frames;                /* readable frames in it */
    uint64_t copied_frames;             /* committed, but nothing later proved them durable: written and synced again */
    bool new_segment;
};
struct journal;

/* Opens or makes the log and recovers: an unfinished write behind the last synced batch (torn, or a batch without its commit mark) is
 * cut by going on in a new segment; every other damage is an alarm. Committed frames that neither applied_seq nor a checkpoint proves
 * durable are copied to a new segment and synced before they count, because the sync of the last life may have failed.
 * ERR_CORRUPT = alarm: the text says which segment, offset and frame and what to do. ERR_LOCKED_STATE: another writer has it.
 * Options are copied, but the world must outlive the journal. docs/journal-format.md, "Recovery". */
enum err journal_open(struct journal **out, const struct world *w, const struct journal_options *o, struct fault *f);
/* Writes a last checkpoint and lets go. Frames that were not committed are lost: commit first. NULL is fine. */
void journal_close(struct journal *j);
const struct journal_recovery *journal_recovered(const struct journal *j);
uint64_t journal_last_seq(const struct journal *j);       /* appended, maybe not durable */
uint64_t journal_durable_seq(const struct journal *j);
uint64_t journal_bytes(const struct journal *j);          /* on disk, all segments */
bool journal_space_low(const struct journal *j);          /* the disk filled up and the spare file was given up: stop intake */
/* The segments that count, oldest first, and how many bytes of each: for a copy (UINT64_MAX = all of it). */
enum err journal_files(struct journal *j, void (*each)(void *arg, const char *name, uint64_t bytes), void *arg, struct fault *f);
/* Hash of the last durable frame: what a checkpoint would say now. */
struct hash journal_head(const struct journal *j);

/* Adds a frame to the open batch; fills seq, time_ms and epoch (an OPEN frame begins the next epoch). pub and priv are copied. Nothing is
 * written yet. ERR_TOO_LARGE (frame or batch), ERR_SECRET (no data key): the batch stays as it was. */
enum err journal_append(struct journal *j, struct frame *fr, struct fault *f);
/* Closes the batch (FRAME_COMMIT on its last frame) without flushing: for a poll that changes nothing and flushes once at its end. */
enum err journal_close_batch(struct journal *j, struct fault *f);
/* Takes back every frame since the last closed batch (their seq are given out again). */
void journal_drop_batch(struct journal *j);
/* Closes the batch, writes and syncs everything appended: one pwrite, one fdatasync. After ERR_SYNC_FAILED, ERR_IO or ERR_NO_SPACE the
 * journal is dead: the batch may or may not be there at the next start, and every later call fails with the same text. */
enum err journal_commit(struct journal *j, struct fault *f);
/* Writes a signed checkpoint of the last durable frame, if there is none of it yet. journal_commit does this by itself every
 * checkpoint_frames or checkpoint_ms. */
enum err journal_checkpoint(struct journal *j, struct fault *f);

/* Calls each(arg, frame) for durable frames with seq >= from, in order, private parts opened; stops at the first non-OK return and
 * returns it. Memory of a frame lives until the callback returns. */
enum err journal_read(struct journal *j, uint64_t from, enum err (*each)(void *arg, const struct frame *fr, struct fault *f), void *arg,
                      struct fault *f);
/* The same with a filter; private parts are opened only for frames that pass. For why, show and export. */
struct journal_filter {
    uint64_t from, to;                  /* seq, both inclusive; to 0 = the end */
    const unsigned char *key_hash;      /* 16 bytes, NULL = every record */
    uint64_t kinds;                     /* bit (1 << kind) per wanted kind, 0 = all */
    bool sealed;                        /* leave private parts closed: priv is empty */
};
enum err journal_scan(struct journal *j, const struct journal_filter *flt, enum err (*each)(void *arg, const struct frame *fr, struct fault *f),
                      void *arg, struct fault *f);
#endif
