/* frame.h - private to the room: bytes of a frame and of a segment header, the walk over a segment, struct journal.
 *
 *   segment = header 128 | frame | frame | ... | zeros          DIR/00000001.seg, 00000002.seg, ...
 *   header  = magic 8 | version 4 | number 4 | first_seq 8 | placed_to 8 | previous hash 32 | origin hash 32 | flags 4 | epoch 4 | 0 20 | crc 4
 *   frame   = length 4 | crc 4 | seq 8 | time 8 | epoch 4 | kind 2 | flags 2 | since 4 | public length 4
 *             | image 32 ? | flow 32 ? | key 16 ? | slot 4 ? | public | private (sealed) | frame hash 32          ? = as flags say
 *
 *   crc        = CRC32C(length, bytes from seq to the end)            finds torn writes
 *   frame hash = BLAKE2b-256(previous frame hash, bytes from seq to the end of the private part)   the chain; before seq 1: the origin hash
 *   since      = seq - (last synced seq when the frame was written): a frame that is readable behind a hole proves that everything up to
 *                seq - since had been synced. So recovery tells a torn write (cut) from damage (alarm).
 *
 * Little-endian. docs/journal-format.md is the contract; verify/ reads the same format with code of its own. */
#ifndef JOURNAL_FRAME_H
#define JOURNAL_FRAME_H
#include "journal/journal.h"
#include "base/buf.h"
#include "base/limits.h"

#define SEG_MAGIC        "mlcjseg1"
#define SEG_VERSION      1u
#define SEG_HEADER_BYTES 128u
#define SEG_RECOVERY     1u      /* header flags: replaces what the segment before holds from first_seq on */
#define SEG_GROW_BYTES   (4u << 20)
#define FRAME_FIXED_BYTES 40u
#define FRAME_MIN_BYTES  (FRAME_FIXED_BYTES + HASH_BYTES)
#define JOURNAL_PATH_BYTES 1024

/* flags on disk, above FRAME_COMMIT: which optional parts follow */
#define FRAME__IMAGE   2u
#define FRAME__FLOW    4u
#define FRAME__KEY     8u
#define FRAME__SLOT    16u
#define FRAME__PRIVATE 32u
#define FRAME__KNOWN   63u

struct seg_header {
    uint32_t number, flags, epoch;      /* epoch of the frame before first_seq */
    uint64_t first_seq;
    uint64_t placed_to;                 /* last seq that was in the file when it got its name; first_seq - 1 when none */
    struct hash prev, origin;
};

/* A frame in the bytes that hold it: nothing is copied but the numbers. */
struct raw_frame {
    const unsigned char *p; size_t n;   /* the whole frame */
    uint64_t seq; int64_t time_ms; uint32_t epoch; uint16_t kind, flags; uint32_t since, slot;
    const unsigned char *image, *flow, *key, *hash;     /* NULL where absent; hash is always there */
    struct str pub, sealed;
    size_t head_bytes;                  /* from seq to the end of the public part: what the seal binds */
};

void journal__header_encode(const struct seg_header *h, unsigned char out[SEG_HEADER_BYTES]);
/* NULL, or what is wrong with it. */
const char *journal__header_decode(const unsigned char in[SEG_HEADER_BYTES], struct seg_header *h);

/* Puts everything up to the public part at the end of b; length, crc, flags and hash are set by journal__frame_finish. */
void journal__frame_begin(struct buf *b, const struct frame *fr, uint32_t since);
/* p is a frame with n bytes whose last 32 are room for the hash. Sets length, COMMIT, hash and crc; returns the hash. */
struct hash journal__frame_finish(unsigned char *p, size_t n, bool commit, const struct hash *prev);
/* What the seal binds: origin hash, then the frame from seq to the end of the public part, without COMMIT. */
void journal__frame_ad(struct buf *ad, const struct hash *origin, const unsigned char *frame, size_t head_bytes);

/* Length field at p (4 bytes are there): 0, or a length that a frame may have, or UINT32_MAX. */
uint32_t journal__frame_length(const unsigned char *p);
/* Checks form and crc of n = journal__frame_length bytes; *why says what is wrong. */
bool journal__frame_parse(const unsigned char *p, size_t n, struct raw_frame *out, const char **why);
struct hash journal__frame_hash(const struct raw_frame *fr, const struct hash *prev);

/* ---- a segment file ---- */

/* A sliding view of a file: memory is bounded by the largest frame. */
struct window { const struct world *w; int fd; uint64_t size; unsigned char *p; size_t cap, n; uint64_t off; };
/* At least `want` bytes from off, or fewer at the end of the file (*got); NULL on a read error. Valid until the next call. */
const unsigned char *journal__window(struct window *win, uint64_t off, size_t want, size_t *got);

enum walk_step {
    WALK_FRAME,                         /* fr is the next frame of the chain */
    WALK_END,                           /* zero length or end of file */
    WALK_TORN,                          /* no frame: length or crc do not fit */
    WALK_FORGED,                        /* whole, but not the next of the chain: no torn write does that */
    WALK_IO
};
struct walk {
    struct window win;
    size_t seg;                         /* index into journal.segs */
    uint64_t off, next_seq;             /* of the frame to come */
    struct hash prev;
    struct raw_frame fr;                /* valid until the next call */
    const char *why;
};
enum err journal__walk_open(const struct journal *j, size_t seg, struct walk *wk, struct fault *f);
enum walk_step journal__walk_next(struct walk *wk);
void journal__walk_close(struct walk *wk);
/* At the end of a segment that has a successor: its last frame fits the header of the next, and nothing but zeros follows. */
enum err journal__walk_handover(const struct journal *j, struct walk *wk, bool last_commits, struct fault *f);
/* The offset of the first byte that is not zero from off on, or the file's size; UINT64_MAX on a read error. */
uint64_t journal__nonzero(struct window *win, uint64_t off);

struct journal {
    const struct world *w;
    struct journal_options o;
    char *dir, *origin;
    struct hash origin_hash;
    struct seg_header *segs; size_t nsegs, segs_cap;
    int lock_fd, fd;                    /* fd: the last segment, open for writing */
    uint64_t used, zeroed;              /* of the last segment: end of the frames, end of the zero-filled part */
    uint64_t older_bytes;               /* of all other segments */
    uint64_t last_seq, durable_seq;
    struct hash prev;                   /* hash of the last finished frame */
    struct hash durable_hash;
    uint32_t epoch, durable_epoch;
    struct buf pending, sealed, ad;
    size_t unfinished;                  /* where the last frame begins in pending: its hash waits for the COMMIT flag; SIZE_MAX = none */
    struct { size_t n; uint64_t seq; struct hash prev; uint32_t epoch; } batch;    /* state at the last closed batch */
    int ck_fd; uint64_t ck_size, ck_seq, ck_tried_seq; struct hash ck_hash; int64_t ck_mono_ms;
    bool space_low;
    struct journal_recovery rec;
    struct fault dead;                  /* err != OK: every call fails with this */
};

void journal__path(const struct journal *j, uint32_t number, char out[JOURNAL_PATH_BYTES]);
void journal__name(const struct journal *j, const char *name, char out[JOURNAL_PATH_BYTES]);
/* errno -> fault: NO_SPACE or IO, "journal: WHAT PATH: reason". */
enum err journal__io(const char *what, const char *path, struct fault *f);
/* ERR_CORRUPT with segment, offset, frame, what, and the way out. */
enum err journal__alarm(const struct journal *j, size_t seg, uint64_t off, uint64_t seq, const char *what, struct fault *f);
enum err journal__pwrite(const struct journal *j, int fd, const void *p, size_t n, uint64_t off, const char *path, struct fault *f);

/* Reads the headers of all segments into segs. */
enum err journal__load(struct journal *j, struct fault *f);
/* Makes a segment under a temporary name (header; `copy` bytes from copy_off of the open walk, when given; zeros so that `need` bytes
 * fit), syncs it, puts it in place, syncs the directory; then it is the last of segs (or replaces it) and open for writing. */
struct seg_plan { struct seg_header h; bool replace; struct window *from; uint64_t copy_off, copy_bytes; uint64_t need; };
enum err journal__place(struct journal *j, const struct seg_plan *plan, struct fault *f);
/* Zero-fills and syncs further so that `need` more bytes fit behind used. */
enum err journal__grow(struct journal *j, uint64_t need, struct fault *f);
enum err journal__spare_make(struct journal *j, struct fault *f);

enum err journal__recover(struct journal *j, struct fault *f);
enum err journal__checkpoint_load(struct journal *j, struct fault *f);
bool journal__checkpoint_due(const struct journal *j);
#endif
