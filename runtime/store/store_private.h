/* store_private.h - inside the room: the environment, its tables, values with checksums. */
#ifndef STORE_STORE_PRIVATE_H
#define STORE_STORE_PRIVATE_H
#include "store/store.h"
#include <lmdb.h>

enum store_table {
    TABLE_META,      /* "applied", "slot", "flows", "digest" */
    TABLE_FLOWS,     /* flow name -> flow_state */
    TABLE_ROWS,      /* flow id (big-endian), natural key -> row */
    TABLE_DUE,       /* due (big-endian), flow id, key -> nothing */
    TABLE_INFLIGHT,  /* flow id, key -> nothing: what a start turns into AMBIGUOUS */
    TABLE_HELD,      /* flow id, key -> nothing: what the fuse holds */
    TABLE_LOCKED,    /* flow id, key -> tries, due */
    TABLE_IDS,       /* flow id, target id -> key */
    TABLE_LINKS,     /* module 0 keyed hash of field and value -> time, sealed: field, value, id */
    TABLE_WAITING,   /* parent's flow id, parent's key length and key, child's flow id, child's key -> nothing */
    TABLE_SEEN,      /* flow id, key -> what a poll asks of a row (seen.c): one entry for each row, fifty bytes instead of a thousand */
    TABLE_COUNT
};
enum { STORE_SUM_BYTES = 16 };
/* What TABLE_META holds under "state". */
struct store_state { uint64_t applied; struct hash applied_hash; uint32_t next_slot; uint16_t next_flow; unsigned char digest[TABLE_COUNT][STORE_SUM_BYTES]; };
/* What the open transaction has copied (pages.c). */
struct store_pages {
    uintptr_t map;                      /* where LMDB's map begins, and how long it is */
    size_t map_bytes, page_bytes;
    size_t leaves, overflow, copied[TABLE_COUNT];      /* copied: leaves of each table */
    MDB_stat before[TABLE_COUNT];       /* when it began */
};
struct store {
    const struct world *w;
    MDB_env *env;
    MDB_txn *txn;                       /* writer: open between commits; reader: renewed for each call */
    MDB_dbi dbi[TABLE_COUNT];
    unsigned char key[32], seen_key[16];
    unsigned char digest[TABLE_COUNT][16];   /* sum of the checksums of a table's values, little-endian, modulo 2^128 */
    uint64_t applied;
    struct hash applied_hash;           /* of that frame; zero = it came without */
    uint32_t next_slot;
    uint16_t next_flow;
    int64_t txn_since_ms;               /* monotonic; -1 = nothing changed yet */
    unsigned changes;                   /* puts and deletes in the open transaction */
    struct store_pages pages;
    bool read_only, dead;
    struct fault cause;                 /* of its death */
    struct buf scratch, keybuf, valbuf, plain;
    struct journal_seal seal;
    struct buf flow_name, flow_state;   /* the flow that was changed last; in its table when flow_unsaved is false */
    bool flow_unsaved;
};

enum err store__fail(struct store *s, int rc, const char *what, struct fault *f);
/* The index says nothing more in this run but why: what was asked may have been answered wrong, by whoever could not say so. */
enum err store__broken(struct store *s, const struct fault *why, struct fault *f);
/* A transaction to read in: the writer's own, or a fresh snapshot. */
enum err store__begin(struct store *s, struct fault *f);
/* The value without its checksum; MDB_NOTFOUND, or ERR_CORRUPT when the checksum is wrong. Span lives until the next put. */
enum err store__get(struct store *s, enum store_table t, struct str key, struct str *value, struct fault *f);
enum err store__put(struct store *s, enum store_table t, struct str key, struct str value, struct fault *f);
enum err store__del(struct store *s, enum store_table t, struct str key, struct fault *f);     /* absent is fine */
/* pages.c. begin: 0 or an error of LMDB. map: of a value that was read before anything changed. Then for each change the entry beside which it falls (NULL:
 * the table is empty), and the value's length. */
int store__pages_begin(struct store *s);
void store__pages_map(struct store *s, const void *value, size_t map_bytes);
void store__pages_leaf(struct store *s, enum store_table t, const void *entry);
void store__pages_value(struct store *s, size_t n);
bool store__pages_many(struct store *s);
const char *store__table_name(enum store_table t);
void store__checksum(const unsigned char index_key[32], enum store_table t, struct str key, struct str value, unsigned char out[STORE_SUM_BYTES]);
enum err store__state_decode(struct str value, struct store_state *out, struct fault *f);
/* Checks and strips the checksum of a value as LMDB holds it. */
bool store__open_value(struct store *s, enum store_table t, struct str key, struct str stored, struct str *value);

/* seal.c: key = the LMDB key. Opened spans live in the arena. */
enum { LINK_HASH_BYTES = 16 };
enum err store__row_seal(struct store *s, struct str key, const struct row *r, struct buf *out, struct fault *f);
enum err store__row_open(struct store *s, struct str key, struct str value, struct arena *a, struct row *out, struct fault *f);
struct str store__link_key(struct store *s, struct str module, const unsigned char hash[LINK_HASH_BYTES]);
bool store__link_slot(struct str value, uint32_t *slot);                         /* of which record it is */
enum err store__link_seal(struct store *s, struct str key, const struct store_answer *l, struct buf *out, struct fault *f);
bool store__link_open(struct store *s, struct str key, struct str value, struct arena *a, struct store_answer *out);

/* flow id and key as one LMDB key, in s->keybuf. */
struct str store__key(struct store *s, uint16_t flow, struct str key);
/* seen.c: the entry of a row, at most STORE__SEEN_BYTES; its length. row_put keeps it in step. */
enum { STORE__SEEN_BYTES = 17 };
size_t store__seen_of(const struct store *s, struct str full_key, const struct row *r, unsigned char out[STORE__SEEN_BYTES]);
void flow_encode(struct buf *out, const struct flow_state *st);
bool flow_decode(struct str bytes, struct flow_state *st);
/* Replaces (or makes) a row and keeps due, inflight, held, ids and the flow's counts in step. old NULL = new row. */
enum err store__row_put(struct store *s, struct flow_state *fl, struct str key, const struct row *old, const struct row *now, struct fault *f);
/* Every frame moves the counts of its flow, so the state is kept in memory and put into its table once per commit, or when another flow's
 * turn comes, or before the table is walked. The span of flow_get lives until the next flow_put. */
enum err store__flow_put(struct store *s, struct str name, const struct flow_state *fl, struct fault *f);
enum err store__flow_get(struct store *s, struct str name, struct str *value, struct fault *f);
enum err store__flow_save(struct store *s, struct fault *f);
#endif
