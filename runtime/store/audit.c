/* audit.c - reads the whole index and holds it against itself: every checksum, the digest of every table, and the tables that follow from the rows. */
#include "store/store_private.h"
#include <sodium.h>

enum { CHECKSUM = STORE_SUM_BYTES };
struct audit {
    struct store *s;
    unsigned char sum[16];
    uint64_t rows, due, inflight, held, ids;       /* what the rows say there should be */
    uint64_t seen[TABLE_COUNT];
};

static enum err wrong(struct fault *f, const char *what)
{
    return fault_set(f, ERR_CORRUPT, "the index does not agree with itself (%s): stop, then mlcd repair makes it anew from the audit log", what);
}

static void count_row(struct audit *a, const struct row *r)
{
    a->rows++;
    a->due += r->state == ROW_DIRTY || r->state == ROW_RETRY || r->state == ROW_AMBIGUOUS;
    a->inflight += r->state == ROW_INFLIGHT;
    a->held += r->state == ROW_HELD;
    a->ids += r->id.n > 0;
}

/* The entry that a poll looks at says what the row says. Of a row whose data key was destroyed nobody knows the hash any more. */
static bool seen_agrees(struct audit *a, struct str key, struct str value, struct str sealed)
{
    unsigned char entry[STORE__SEEN_BYTES];
    struct str have;
    struct row r;
    struct arena own;
    arena_init(&own, 8192);
    bool good = store__row_open(a->s, key, value, &own, &r, NULL) == ERR_OK && store__get(a->s, TABLE_SEEN, key, &have, NULL) == ERR_OK;
    bool readable = good && !(sealed.n && !r.hash.n && !r.snapshot.n && !r.wanted.n);
    if (readable) good = str_eq(have, (struct str){(const char *)entry, store__seen_of(a->s, key, &r, entry)});
    arena_free(&own);
    return good;
}

static enum err walk(struct audit *a, enum store_table t, struct fault *f)
{
    MDB_cursor *c;
    MDB_val k, v;
    int rc = mdb_cursor_open(a->s->txn, a->s->dbi[t], &c);
    if (rc) return store__fail(a->s, rc, "walk", f);
    memset(a->sum, 0, sizeof a->sum);
    enum err e = ERR_OK;
    while (e == ERR_OK && (rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0) {
        struct str key = {k.mv_data, k.mv_size}, stored = {v.mv_data, v.mv_size}, value;
        struct row r;
        struct str sealed;
        if (!store__open_value(a->s, t, key, stored, &value)) e = wrong(f, "a checksum");
        else if (t == TABLE_ROWS && !row_decode_open(value, &r, &sealed)) e = wrong(f, "a row");
        else if (t == TABLE_ROWS && !seen_agrees(a, key, value, sealed)) e = wrong(f, "what a poll has seen of a row");
        if (e != ERR_OK) break;
        sodium_add(a->sum, (const unsigned char *)value.p + value.n, CHECKSUM);
        a->seen[t]++;
        if (t == TABLE_ROWS) count_row(a, &r);
    }
    mdb_cursor_close(c);
    if (e == ERR_OK && rc != MDB_NOTFOUND) return store__fail(a->s, rc, "walk", f);
    if (e == ERR_OK && t != TABLE_META && memcmp(a->sum, a->s->digest[t], CHECKSUM) != 0) e = wrong(f, "a table's digest");
    return e;
}

struct tally { uint64_t rows; };

static enum err tally_flow(void *arg, struct str name, const struct flow_state *st)
{
    (void)name;
    struct tally *t = arg;
    for (int i = 0; i < ROW_STATE_COUNT; i++) t->rows += st->counts[i];
    return ERR_OK;
}

enum err store_check(struct store *s, struct fault *f)
{
    struct audit a = {.s = s};
    enum err e = store__begin(s, f);
    if (e == ERR_OK) e = store__flow_save(s, f);
    for (int t = 0; t < TABLE_COUNT && e == ERR_OK; t++) e = walk(&a, (enum store_table)t, f);
    if (e != ERR_OK) return e;
    if (a.due != a.seen[TABLE_DUE]) return wrong(f, "what is due");
    if (a.inflight != a.seen[TABLE_INFLIGHT]) return wrong(f, "what is in flight");
    if (a.held != a.seen[TABLE_HELD]) return wrong(f, "what is held");
    if (a.rows != a.seen[TABLE_SEEN]) return wrong(f, "what a poll has seen");
    if (a.ids != a.seen[TABLE_IDS]) return wrong(f, "the target ids");
    struct tally t = {0};
    e = store_flows(s, tally_flow, &t);
    if (e == ERR_OK && t.rows != a.rows) return wrong(f, "the counts");
    return e;
}
