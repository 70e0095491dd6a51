/* fold_test.c - what single frames make of a row, as a table; keys in both forms; and an index that somebody changed who has its key: every value with
 * the checksum that it should have, and every table with its digest. Each contradiction is found by name, nothing is passed over. */
#include "rig.h"
#include "store/store_private.h"
#include "tests/fault/failing_disk.h"
#include "base/limits.h"
#include <errno.h>
#include <lmdb.h>

/* ---- frames ---- */
static enum err step(struct rig *r, enum frame_kind kind, uint32_t slot, bool erased, const char *pub, const char *priv)
{
    struct buf a = {0}, b = {0};
    rig_tags(&a, pub);
    rig_tags(&b, priv);
    struct frame fr = {.seq = store_applied_seq(r->s) + 1, .time_ms = 1000, .kind = (uint16_t)kind, .slot = slot, .pub = buf_view(&a), .priv = buf_view(&b), .priv_erased = erased};
    enum err e = store_apply(r->s, &fr, &r->f);
    buf_free(&a);
    buf_free(&b);
    return e;
}

struct told { enum frame_kind kind; const char *pub, *priv; };
static void leads_to(const char *name, const struct told *frames, size_t n, unsigned state, uint32_t flags)
{
    struct rig r;
    struct arena a;
    struct row row = {0};
    rig_open(&r);
    arena_init(&a, 0);
    enum err e = ERR_OK;
    for (size_t i = 0; i < n && e == ERR_OK; i++) e = step(&r, frames[i].kind, 1, false, frames[i].pub, frames[i].priv);
    bool good = e == ERR_OK && store_row(r.s, 1, STR("a"), &a, &row, &r.f) == ERR_OK && store_check(r.s, &r.f) == ERR_OK;
    ok(good && row.state == state && row.flags == flags, name, "%s, flags %u; %s", row_state_name(row.state), (unsigned)row.flags, r.f.text);
    arena_free(&a);
    rig_close(&r);
}

#define ROW_A    {FRAME_ROW, "FLOW=f SLOT#1 STATE#1", "KEY=a WANTED=w"}
#define INTENT_A {FRAME_INTENT, "FLOW=f VERB#1", "KEY=a SENT=w"}
#define LEADS_TO(name, state, flags, ...) \
    do { static const struct told frames[] = {__VA_ARGS__}; leads_to(name, frames, sizeof frames / sizeof *frames, state, flags); } while (0)

static void transitions(void)
{
    LEADS_TO("a wish that became dangerous while its row was written waits for the fuse", ROW_HELD, ROW_F_DANGER, ROW_A, INTENT_A,
             {FRAME_ROW, "FLOW=f SLOT#1 STATE#1 FLAGS#16", "KEY=a WANTED="}, {FRAME_OUTCOME, "FLOW=f CLASS#0", "KEY=a ID=11"});
    LEADS_TO("so it does when the write was refused as a whole", ROW_HELD, ROW_F_DANGER, ROW_A, INTENT_A,
             {FRAME_ROW, "FLOW=f SLOT#1 STATE#1 FLAGS#16", "KEY=a WANTED="}, {FRAME_OUTCOME, "FLOW=f CLASS#9", "KEY=a"});
    LEADS_TO("a dangerous wish that was on its way is tried again", ROW_DIRTY, ROW_F_DANGER,
             {FRAME_ROW, "FLOW=f SLOT#1 STATE#1 FLAGS#16", "KEY=a WANTED=w"}, INTENT_A, {FRAME_OUTCOME, "FLOW=f CLASS#9", "KEY=a"});
    LEADS_TO("a row that the mapping refuses meanwhile is shown when the write has ended", ROW_REJECTED, ROW_F_REJECT, ROW_A, INTENT_A,
             {FRAME_REJECT, "FLOW=f SLOT#1 STATE#6 FLAGS#4 WHY=no", "KEY=a"}, {FRAME_OUTCOME, "FLOW=f CLASS#2", "KEY=a"});
    LEADS_TO("a class of a newer program leaves the row on its way, for the next start to settle", ROW_AMBIGUOUS, 0, ROW_A, INTENT_A,
             {FRAME_OUTCOME, "FLOW=f CLASS#99", "KEY=a"}, {FRAME_OPEN, "", ""});
    LEADS_TO("a replay that is not to make the record anew", ROW_DIRTY, ROW_F_FORCE, ROW_A, {FRAME_REPLAY, "FLOW=f FLAGS#32 CLASS#0", "KEY=a"});
    LEADS_TO("a hint about a record that left", ROW_DIRTY, ROW_F_LEFT | ROW_F_UNREAD, ROW_A, INTENT_A, {FRAME_OUTCOME, "FLOW=f CLASS#0", "KEY=a ID=11"},
             {FRAME_LEAVE, "FLOW=f SLOT#1 STATE#7 FLAGS#1", "KEY=a WANTED=w"}, {FRAME_HINT, "FLOW=f WHY=changed", "KEY=a"});
    LEADS_TO("a hint about one that was refused leaves it there", ROW_REJECTED, ROW_F_UNREAD, ROW_A, INTENT_A, {FRAME_OUTCOME, "FLOW=f CLASS#1 WHY=no", "KEY=a"},
             {FRAME_HINT, "FLOW=f WHY=changed", "KEY=a"});
    LEADS_TO("an unlocked row that was never locked", ROW_DIRTY, 0, ROW_A, {FRAME_LOCKED, "FLOW=f TRIES#0", "KEY=a"});
    LEADS_TO("who waited and was derived anew meanwhile is not woken", ROW_REJECTED, ROW_F_REJECT, {FRAME_ROW, "FLOW=f SLOT#1 STATE#5", "KEY=a WANTED=w PARENT_FLOW=g PARENT_KEY=p WHY=waits"},
             {FRAME_ROW, "FLOW=g SLOT#2 STATE#1", "KEY=p WANTED=w"}, {FRAME_ROW, "FLOW=f SLOT#1 STATE#5", "KEY=a WANTED=w PARENT_FLOW=g PARENT_KEY=p WHY=waits"},
             {FRAME_REJECT, "FLOW=f SLOT#1 STATE#6 FLAGS#4 WHY=no", "KEY=a"}, {FRAME_INTENT, "FLOW=g VERB#1", "KEY=p SENT=w"}, {FRAME_OUTCOME, "FLOW=g CLASS#0", "KEY=p ID=11"});
    LEADS_TO("who refers to a record that is gone from the target waits", ROW_WAITING, 0, {FRAME_POLL, "FLOW=f PASS=full", ""}, {FRAME_ROW, "FLOW=g SLOT#2 STATE#1", "KEY=p WANTED=w"},
             {FRAME_INTENT, "FLOW=g VERB#1", "KEY=p SENT=w"}, {FRAME_OUTCOME, "FLOW=g CLASS#0", "KEY=p ID=11"}, {FRAME_INTENT, "FLOW=g VERB#2", "KEY=p SENT=w"},
             {FRAME_OUTCOME, "FLOW=g CLASS#7 WHY=gone", "KEY=p"}, {FRAME_ROW, "FLOW=f SLOT#1 STATE#5", "KEY=a WANTED=w PARENT_FLOW=g PARENT_KEY=p WHY=waits"});
    LEADS_TO("a row that waits and does not say for whom waits for its next derivation", ROW_WAITING, 0, {FRAME_ROW, "FLOW=f SLOT#1 STATE#5", "KEY=a WANTED=w WHY=waits"});
    LEADS_TO("who waits for it is woken, whoever else waits behind", ROW_DIRTY, 0, {FRAME_POLL, "FLOW=f PASS=full", ""}, {FRAME_ROW, "FLOW=g SLOT#2 STATE#1", "KEY=long WANTED=w"},
             {FRAME_POLL, "FLOW=h PASS=full", ""}, {FRAME_ROW, "FLOW=f SLOT#3 STATE#5", "KEY=b WANTED=w PARENT_FLOW=h PARENT_KEY=p WHY=waits"},
             {FRAME_ROW, "FLOW=f SLOT#1 STATE#5", "KEY=a WANTED=w PARENT_FLOW=g PARENT_KEY=long WHY=waits"}, {FRAME_INTENT, "FLOW=g VERB#1", "KEY=long SENT=w"},
             {FRAME_OUTCOME, "FLOW=g CLASS#0", "KEY=long ID=11"});
    LEADS_TO("whoever is answered with the id of another row has it from then on", ROW_CLEAN, 0, ROW_A, INTENT_A, {FRAME_OUTCOME, "FLOW=f CLASS#0", "KEY=a ID=11"},
             {FRAME_ROW, "FLOW=f SLOT#2 STATE#1", "KEY=b WANTED=w"}, {FRAME_INTENT, "FLOW=f VERB#1", "KEY=b SENT=w"}, {FRAME_OUTCOME, "FLOW=f CLASS#0", "KEY=b ID=11"});
    LEADS_TO("so it is when it is read back", ROW_CLEAN, 0, ROW_A, INTENT_A, {FRAME_OUTCOME, "FLOW=f CLASS#0", "KEY=a ID=11"}, {FRAME_ROW, "FLOW=f SLOT#2 STATE#1", "KEY=b WANTED=w"},
             {FRAME_INTENT, "FLOW=f VERB#1", "KEY=b SENT=w"}, {FRAME_OUTCOME, "FLOW=f CLASS#4", "KEY=b"}, {FRAME_SETTLE, "FLOW=f CLASS#0", "KEY=b ID=11"});
    LEADS_TO("an accepted pass of another flow frees nothing here", ROW_HELD, ROW_F_DANGER, {FRAME_ROW, "FLOW=f SLOT#1 STATE#9 FLAGS#16", "KEY=a WANTED=w"},
             {FRAME_ACCEPT, "FLOW=g COMPLETE#1", ""});
}

static void skipped(void)
{
    struct rig r;
    struct arena a;
    struct str id;
    struct buf pub = {0}, priv = {0}, name = {0};
    int64_t at;
    rig_open(&r);
    arena_init(&a, 0);
    bool good = step(&r, FRAME_ROW, 1, false, "FLOW=f SLOT#1 STATE#1", "KEY=a WANTED=w") == ERR_OK;
    struct frame again = {.seq = 1, .kind = FRAME_ROW};
    ok(good && store_apply(r.s, &again, &r.f) == ERR_OK && store_applied_seq(r.s) == 1, "a frame that was folded before is passed over", "%s", r.f.text);
    ok(step(&r, FRAME_HINT, 1, true, "FLOW=f WHY=changed", "") == ERR_OK && step(&r, FRAME_ROW, 1, true, "FLOW=f", "") == ERR_OK, "what cannot be read any more says nothing", "%s", r.f.text);
    for (int i = 0; i < 600; i++) buf_byte(&name, 'm');
    event_put(&pub, EV_MODULE, buf_view(&name));
    struct frame link = {.seq = store_applied_seq(r.s) + 1, .kind = FRAME_LINK, .slot = 1, .pub = buf_view(&pub)};
    ok(store_apply(r.s, &link, &r.f) == ERR_OK && !store_link(r.s, buf_view(&name), STR("f"), STR("v"), &a, &id, &at), "a module with too long a name has no finds", "%s", r.f.text);
    buf_clear(&pub);                                        /* tags of a newer program, in between */
    buf_byte(&pub, 250);
    buf_blob(&pub, STR("new"));
    rig_tags(&pub, "FLOW=f SLOT#2 STATE#1");
    buf_byte(&pub, 0);
    buf_blob(&pub, STR("none"));
    rig_tags(&priv, "KEY=b WANTED=w");
    struct frame newer = {.seq = store_applied_seq(r.s) + 1, .kind = FRAME_ROW, .slot = 2, .pub = buf_view(&pub), .priv = buf_view(&priv)};
    struct row row;
    ok(store_apply(r.s, &newer, &r.f) == ERR_OK && store_row(r.s, 1, STR("b"), &a, &row, &r.f) == ERR_OK && row.state == ROW_DIRTY, "tags of a newer program are passed over", "%s", r.f.text);
    ok(event_tag_name(9999) == NULL && strcmp(row_state_name(200), "UNKNOWN") == 0 && strcmp(row_state_text(200), "unknown") == 0, "numbers without a name", "no");
    buf_free(&pub);
    buf_free(&priv);
    buf_free(&name);
    arena_free(&a);
    rig_close(&r);
}

/* A start turns more rows ambiguous than it takes at once; and two rows whose keys are too long for an entry of who waits for whom. */
static void many(void)
{
    struct rig r;
    char priv[100];
    struct flow_state st;
    rig_open(&r);
    bool good = true;
    for (int i = 0; i < 1300 && good; i++) {
        snprintf(priv, sizeof priv, "KEY=k%05d WANTED=w", i);
        good = step(&r, FRAME_ROW, (uint32_t)i + 1, false, "FLOW=f SLOT#1 STATE#1", priv) == ERR_OK;
        snprintf(priv, sizeof priv, "KEY=k%05d SENT=w", i);
        good = good && step(&r, FRAME_INTENT, (uint32_t)i + 1, false, "FLOW=f VERB#1", priv) == ERR_OK;
    }
    good = good && step(&r, FRAME_OPEN, 0, false, "", "") == ERR_OK && store_flow(r.s, STR("f"), &st) && st.counts[ROW_AMBIGUOUS] == 1300 && st.counts[ROW_INFLIGHT] == 0;
    ok(good && store_check(r.s, &r.f) == ERR_OK, "1,300 rows in flight are ambiguous after a start", "%s", r.f.text);
    struct buf pub = {0}, tags = {0}, parent = {0}, child = {0};
    for (int i = 0; i < 300; i++) buf_byte(&parent, 'p'), buf_byte(&child, 'c');
    rig_tags(&pub, "FLOW=f SLOT#9 STATE#5 PARENT_FLOW=f");
    event_put(&tags, EV_KEY, buf_view(&child));
    event_put(&tags, EV_PARENT_FLOW, STR("f"));
    event_put(&tags, EV_PARENT_KEY, buf_view(&parent));
    struct frame fr = {.seq = store_applied_seq(r.s) + 1, .kind = FRAME_ROW, .slot = 9, .pub = buf_view(&pub), .priv = buf_view(&tags)};
    ok(store_apply(r.s, &fr, &r.f) == ERR_OK && store_check(r.s, &r.f) == ERR_OK, "keys that are too long for an entry: the next derivation asks again", "%s", r.f.text);
    buf_free(&pub);
    buf_free(&tags);
    buf_free(&parent);
    buf_free(&child);
    rig_close(&r);
}

/* ---- keys ---- */
static void natural_keys(void)
{
    struct arena a;
    struct str parts[LIMIT_KEY_PARTS];
    struct buf b = {0};
    char room[LIMIT_KEY_BYTES], big[600];
    arena_init(&a, 0);
    memset(big, 'x', sizeof big);
    static const struct str values[] = {{"", 0}, {"ABC", 3}, {"\0", 1}, {"a\0b", 3}, {"\0\0", 2}, {"\xFF", 1}, {"^~", 2}, {"~~^^", 4}};
    enum { N = sizeof values / sizeof *values };
    bool round = true, order = true;
    for (size_t i = 0; i < N * N; i++) {
        struct str in[2] = {values[i / N], values[i % N]};
        buf_clear(&b);
        round = round && rowkey_make(&b, in, 2) && rowkey_parts(buf_view(&b), &a, parts, 2) == 2 && str_eq(parts[0], in[0]) && str_eq(parts[1], in[1]);
        round = round && rowkey_parts(buf_view(&b), &a, parts, 1) == 0;
        struct buf other = {0};
        for (size_t k = 0; k < N * N; k++) {
            struct str with[2] = {values[k / N], values[k % N]};
            buf_clear(&other);
            (void)rowkey_make(&other, with, 2);
            int want = str_cmp(in[0], with[0]) ? str_cmp(in[0], with[0]) : str_cmp(in[1], with[1]), have = str_cmp(buf_view(&b), buf_view(&other));
            order = order && (want < 0) == (have < 0) && (want > 0) == (have > 0);
        }
        buf_clear(&other);
        rowkey_text(&other, in, 2);
        round = round && rowkey_parse(buf_view(&other), &a, parts, 2) == 2 && str_eq(parts[0], in[0]) && str_eq(parts[1], in[1]) && rowkey_parse(buf_view(&other), &a, parts, 1) == 0;
        buf_free(&other);
    }
    ok(round, "keys go through both forms and come back", "one does not");
    ok(order, "and stand in the order of their parts", "one does not");
    bool refused = true;
    static const struct str damaged[] = {{"a", 1}, {"a\0", 2}, {"a\0b", 3}, {"a\0bc", 4}, {"\0\xFF", 2}, {"ab\0\xFE\0\0", 6}};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) refused = refused && rowkey_parts(damaged[i], &a, parts, 4) == 0;
    static const char *const wrong[] = {"a^", "a^b", "a~^", "^+~b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) refused = refused && rowkey_parse(str_of(wrong[i]), &a, parts, 4) == 0;
    ok(refused, "what is damaged or malformed is no key", "one is");
    struct str longest[2] = {{big, 236}, {big, 240}}, longer[2] = {{big, 237}, {big, 240}}, none = {big, LIMIT_KEY_BYTES - 1}, zeros = {(char[300]){0}, 300};
    bool fits = rowkey_put(room, sizeof room, longest, 2) == LIMIT_KEY_BYTES && rowkey_put(room, sizeof room, longer, 2) == 0 && rowkey_put(room, sizeof room, &none, 1) == 0;
    fits = fits && rowkey_put(room, sizeof room, &(struct str){big, 600}, 1) == 0 && rowkey_put(room, sizeof room, &zeros, 1) == 0 && !rowkey_make(&b, longer, 2);
    ok(fits, "480 bytes are the longest key", "no");
    buf_free(&b);
    arena_free(&a);
}

/* ---- an index that was changed, with right checksums ---- */
enum change { CHANGE_VALUE, CHANGE_GONE, CHANGE_ADD };

static void sum_of(enum store_table t, MDB_val k, MDB_val v, unsigned char out[STORE_SUM_BYTES])
{
    struct store_options o = rig_options(&(struct rig){.seq = 0});
    store__checksum(o.key, t, (struct str){k.mv_data, k.mv_size}, (struct str){v.mv_data, v.mv_size}, out);
}

static bool put_summed(MDB_txn *txn, MDB_dbi d, enum store_table t, MDB_val k, struct str value)
{
    struct buf b = {0};
    unsigned char sum[STORE_SUM_BYTES];
    sum_of(t, k, (MDB_val){value.n, (void *)(uintptr_t)value.p}, sum);
    buf_str(&b, value);
    buf_put(&b, sum, sizeof sum);
    MDB_val v = {b.n, b.p};
    bool good = mdb_put(txn, d, &k, &v, 0) == 0;
    buf_free(&b);
    return good;
}

/* The digests of all tables anew, in the state record (format 4, applied 8, hash 32, slot 4, flow 2, digests). */
static bool digest_again(MDB_txn *txn)
{
    MDB_dbi meta, d;
    MDB_cursor *c;
    MDB_val k = {5, (void *)(uintptr_t)"state"}, v, x, y;
    unsigned char state[400];
    if (mdb_dbi_open(txn, "meta", 0, &meta) || mdb_get(txn, meta, &k, &v) || v.mv_size > sizeof state) return false;
    size_t n = v.mv_size - STORE_SUM_BYTES;
    memcpy(state, v.mv_data, n);
    unsigned char (*digest)[STORE_SUM_BYTES] = (void *)(state + 50);
    for (int t = TABLE_META + 1; t < TABLE_COUNT; t++) {
        memset(digest[t], 0, STORE_SUM_BYTES);
        if (mdb_dbi_open(txn, store__table_name((enum store_table)t), 0, &d) || mdb_cursor_open(txn, d, &c)) return false;
        while (mdb_cursor_get(c, &x, &y, MDB_NEXT) == 0) sodium_add(digest[t], (unsigned char *)y.mv_data + y.mv_size - STORE_SUM_BYTES, STORE_SUM_BYTES);
        mdb_cursor_close(c);
    }
    return put_summed(txn, meta, TABLE_META, k, (struct str){(char *)state, n});
}

/* The first entry of a table: another value, none, or one more beside it. The store of the rig is closed by it. */
static void change(struct rig *r, enum store_table t, enum change how, struct str value)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi d;
    MDB_cursor *c;
    MDB_val k = {0}, v;
    char more[512];
    if (store_flush(r->s, &r->f) != ERR_OK) abort();
    store_close(r->s);
    r->s = NULL;
    if (mdb_env_create(&env) || mdb_env_set_maxdbs(env, 16) || mdb_env_set_mapsize(env, 64 << 20) || mdb_env_open(env, r->index, 0, 0600) || mdb_txn_begin(env, NULL, 0, &txn)) abort();
    if (mdb_dbi_open(txn, store__table_name(t), 0, &d) || mdb_cursor_open(txn, d, &c) || mdb_cursor_get(c, &k, &v, MDB_FIRST)) abort();
    memcpy(more, k.mv_data, k.mv_size);
    size_t n = k.mv_size;
    mdb_cursor_close(c);
    k = (MDB_val){n, more};
    bool good = how != CHANGE_GONE || mdb_del(txn, d, &k, NULL) == 0;
    if (how == CHANGE_ADD) more[k.mv_size++] = 'z';
    if (how != CHANGE_GONE) good = put_summed(txn, d, t, k, value);
    if (t != TABLE_META) good = good && digest_again(txn);
    if (!good || mdb_txn_commit(txn)) abort();
    mdb_env_close(env);
}

/* Rows in each state, a link, a locked record. */
static void filled(struct rig *r)
{
    rig_open(r);
    bool good = step(r, FRAME_ROW, 1, false, "FLOW=f SLOT#1 STATE#1", "KEY=a WANTED=w SRC_HASH=h") == ERR_OK && step(r, FRAME_INTENT, 1, false, "FLOW=f VERB#1", "KEY=a SENT=w") == ERR_OK &&
                step(r, FRAME_OUTCOME, 1, false, "FLOW=f CLASS#0", "KEY=a ID=11") == ERR_OK && step(r, FRAME_ROW, 2, false, "FLOW=f SLOT#2 STATE#1", "KEY=b WANTED=w") == ERR_OK &&
                step(r, FRAME_ROW, 3, false, "FLOW=f SLOT#3 STATE#9 FLAGS#16", "KEY=c WANTED=w") == ERR_OK && step(r, FRAME_ROW, 4, false, "FLOW=f SLOT#4 STATE#1", "KEY=d WANTED=w") == ERR_OK &&
                step(r, FRAME_INTENT, 4, false, "FLOW=f VERB#1", "KEY=d SENT=w") == ERR_OK && step(r, FRAME_LOCKED, 2, false, "FLOW=f TRIES#1 DUE#5", "KEY=b") == ERR_OK &&
                step(r, FRAME_LINK, 1, false, "MODULE=users FIELD=email", "VALUE=x ID=9") == ERR_OK && store_check(r->s, &r->f) == ERR_OK;
    if (!good) {
        ok(false, "the rig's index", "%s", r->f.text);
        exit(1);
    }
}

static void contradictions(void)
{
    static const struct { enum store_table t; enum change how; const char *value, *name, *words; } cases[] = {
        {TABLE_DUE, CHANGE_GONE, "", "nothing says when a row is due", "what is due"}, {TABLE_INFLIGHT, CHANGE_GONE, "", "a row in flight that the start would not find", "what is in flight"},
        {TABLE_HELD, CHANGE_GONE, "", "a row that the fuse would not find", "what is held"}, {TABLE_SEEN, CHANGE_ADD, "\0", "an entry for polls without a row", "what a poll has seen"},
        {TABLE_SEEN, CHANGE_GONE, "", "a row without its entry for polls", "what a poll has seen of a row"}, {TABLE_IDS, CHANGE_ADD, "a", "an id of nobody", "the target ids"},
        {TABLE_SEEN, CHANGE_VALUE, "\2", "an entry for polls that says something else", "what a poll has seen of a row"}, {TABLE_ROWS, CHANGE_VALUE, "?", "a row that is none", "a row"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        filled(&r);
        change(&r, cases[i].t, cases[i].how, (struct str){cases[i].value, cases[i].t == TABLE_SEEN ? 1 : strlen(cases[i].value)});
        rig_store(&r);
        enum err e = store_check(r.s, &r.f);
        ok(e == ERR_CORRUPT && strstr(r.f.text, cases[i].words), cases[i].name, "%s %s", err_name(e), r.f.text);
        rig_close(&r);
    }
    struct rig r;
    struct flow_state st;
    struct buf b = {0};
    filled(&r);
    if (!store_flow(r.s, STR("f"), &st)) abort();
    st.counts[ROW_CLEAN]++;
    flow_encode(&b, &st);
    change(&r, TABLE_FLOWS, CHANGE_VALUE, buf_view(&b));
    rig_store(&r);
    ok(store_check(r.s, &r.f) == ERR_CORRUPT && strstr(r.f.text, "the counts"), "counts that are others", "%s", r.f.text);
    rig_close(&r);
    filled(&r);
    if (!store_flow(r.s, STR("f"), &st)) abort();
    st.id = 7;                                              /* the rows are of a flow that nobody knows */
    buf_clear(&b);
    flow_encode(&b, &st);
    change(&r, TABLE_FLOWS, CHANGE_VALUE, buf_view(&b));
    rig_store(&r);
    ok(step(&r, FRAME_OPEN, 0, false, "", "") == ERR_CORRUPT && strstr(r.f.text, "a flow that it does not know"), "rows of a flow that nobody knows", "%s", r.f.text);
    rig_close(&r);
    buf_free(&b);
}

static enum err each(void *arg, struct str key, const struct row *row)
{
    (void)key, (void)row;
    ++*(int *)arg;
    return ERR_OK;
}
static enum err each_flow(void *arg, struct str name, const struct flow_state *st)
{
    (void)name, (void)st;
    ++*(int *)arg;
    return ERR_OK;
}
static void each_answer(void *arg, const struct store_answer *l)
{
    (void)l;
    ++*(int *)arg;
}

/* Values that no program of ours wrote, under a right checksum: what asks for them says so, or finds nothing and the next call that can say so does. */
static void unreadable(void)
{
    struct rig r;
    struct arena a;
    struct row row;
    struct flow_state st;
    struct store_locked l;
    struct str text;
    int64_t at;
    int n = 0;
    arena_init(&a, 0);
    filled(&r);
    change(&r, TABLE_FLOWS, CHANGE_VALUE, STR("?"));
    rig_store(&r);
    ok(!store_flow(r.s, STR("f"), &st) && store_flows(r.s, each_flow, &n) == ERR_CORRUPT && n == 0, "a flow's state", "%d", n);
    ok(step(&r, FRAME_POLL, 0, false, "FLOW=f PASS=full", "") == ERR_CORRUPT && strstr(r.f.text, "state of a flow"), "no frame is folded into it", "%s", r.f.text);
    rig_close(&r);
    filled(&r);
    change(&r, TABLE_FLOWS, CHANGE_VALUE, STR("?"));
    rig_store(&r);
    ok(step(&r, FRAME_ROW, 9, false, "FLOW=g SLOT#9 STATE#5", "KEY=z WANTED=w PARENT_FLOW=f PARENT_KEY=a") == ERR_CORRUPT, "nobody waits for one of it", "%s", r.f.text);
    rig_close(&r);
    filled(&r);
    change(&r, TABLE_ROWS, CHANGE_VALUE, STR("?"));
    rig_store(&r);
    ok(store_row(r.s, 1, STR("a"), &a, &row, &r.f) == ERR_CORRUPT && store_rows(r.s, 1, STR(""), each, &n, &r.f) == ERR_CORRUPT && n == 0, "a row", "%s", r.f.text);
    ok(step(&r, FRAME_ROW, 9, false, "FLOW=g SLOT#9 STATE#5", "KEY=z WANTED=w PARENT_FLOW=f PARENT_KEY=a") == ERR_OK, "whose child waits", "%s", r.f.text);
    ok(step(&r, FRAME_INTENT, 1, false, "FLOW=f VERB#1", "KEY=a SENT=w") == ERR_CORRUPT, "and nothing is folded into it", "%s", r.f.text);
    rig_close(&r);
    filled(&r);
    char state[40] = {0};
    state[0] = 100;                                         /* a state that there is not */
    change(&r, TABLE_ROWS, CHANGE_VALUE, (struct str){state, sizeof state});
    rig_store(&r);
    ok(store_row(r.s, 1, STR("a"), &a, &row, &r.f) == ERR_CORRUPT, "a row in no state", "%s", r.f.text);
    rig_close(&r);
    filled(&r);
    struct store_locked out[4];
    change(&r, TABLE_LOCKED, CHANGE_VALUE, STR("?"));
    rig_store(&r);
    ok(!store_locked_get(r.s, 1, STR("b"), &l) && store_locked_due(r.s, 100, 4, &a, out, &at) == 0 && store_flush(r.s, &r.f) != ERR_OK, "a locked record is not forgotten in silence", "%s", r.f.text);
    rig_close(&r);
    filled(&r);
    change(&r, TABLE_LINKS, CHANGE_VALUE, STR("?"));
    rig_store(&r);
    ok(!store_link(r.s, STR("users"), STR("email"), STR("x"), &a, &text, &at), "an answered find", "it is answered");
    store_links(r.s, STR("users"), &a, each_answer, &n);
    ok(n == 0 && step(&r, FRAME_ERASE, FRAME_NO_SLOT, false, "FLOW=f SLOT#1", "KEY=a ID=11") == ERR_CORRUPT, "an erasure that cannot tell whose find it is goes no further", "%s", r.f.text);
    rig_close(&r);
    arena_free(&a);
}

static void states(void)
{
    static const struct { size_t n; unsigned char format; enum err want; } cases[] = {{10, 8, ERR_CORRUPT}, {10, 7, ERR_FORMAT}, {300, 8, ERR_CORRUPT}, {0, 0, ERR_FORMAT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        char bytes[300] = {0};
        bytes[0] = (char)cases[i].format;
        filled(&r);
        change(&r, TABLE_META, cases[i].n ? CHANGE_VALUE : CHANGE_GONE, (struct str){bytes, cases[i].n});
        struct store_options o = rig_options(&r);
        ok(store_open(&r.s, &r.w, &o, &r.f) == cases[i].want, "a state record that is another", "%s", r.f.text);
        r.s = NULL;
        rig_close(&r);
    }
}

/* ---- seals ---- */
static enum err seal_result;
static enum err tired_seal(void *ctx, uint32_t slot, struct str ad, struct str plain, struct buf *out)
{
    return seal_result == ERR_OK ? rig_seal(ctx, slot, ad, plain, out) : seal_result;
}
static enum err tired_open(void *ctx, uint32_t slot, struct str ad, struct str sealed, struct arena *a, struct str *plain)
{
    return seal_result == ERR_OK ? rig_unseal(ctx, slot, ad, sealed, a, plain) : seal_result;
}

static void seals(void)
{
    struct rig r;
    struct arena a;
    struct row row;
    struct str text;
    int64_t at;
    int n = 0;
    arena_init(&a, 0);
    filled(&r);
    if (store_flush(r.s, &r.f) != ERR_OK) abort();
    for (int reading = 0; reading < 2; reading++) {
        store_close(r.s);
        struct store_options o = rig_options(&r);
        o.seal = (struct journal_seal){.seal = tired_seal, .open = tired_open};
        seal_result = ERR_OK;
        if (store_open(&r.s, &r.w, &o, &r.f) != ERR_OK) abort();
        seal_result = ERR_IO;
        if (reading) ok(store_row(r.s, 1, STR("a"), &a, &row, &r.f) == ERR_IO && strstr(r.f.text, "cannot be opened with data key 1"), "a data key that cannot be read is an error", "%s", r.f.text);
        else ok(step(&r, FRAME_ROW, 9, false, "FLOW=g SLOT#9 STATE#1", "KEY=z WANTED=w") == ERR_IO && strstr(r.f.text, "cannot be sealed with data key 9"), "nor one that cannot be sealed with", "%s", r.f.text);
        ok(store_flush(r.s, &r.f) != ERR_OK, "after which nothing is committed", "it is");
    }
    store_close(r.s);
    struct store_options o = rig_options(&r);
    o.seal = (struct journal_seal){.seal = tired_seal, .open = tired_open};
    seal_result = ERR_OK;
    if (store_open(&r.s, &r.w, &o, &r.f) != ERR_OK) abort();
    seal_result = ERR_NOT_FOUND;                            /* the data keys are destroyed */
    store_links(r.s, STR("users"), &a, each_answer, &n);
    ok(n == 0 && !store_link(r.s, STR("users"), STR("email"), STR("x"), &a, &text, &at), "without its data key a find was never asked", "%d", n);
    ok(store_row(r.s, 1, STR("a"), &a, &row, &r.f) == ERR_OK && row.wanted.n == 0 && row.state == ROW_CLEAN && store_check(r.s, &r.f) == ERR_OK, "and of a row only the open half is left", "%s", r.f.text);
    bool folds = step(&r, FRAME_ROW, 9, false, "FLOW=g SLOT#9 STATE#1", "KEY=z WANTED=w") == ERR_OK && store_row(r.s, 2, STR("z"), &a, &row, &r.f) == ERR_OK;
    ok(folds && row.state == ROW_DIRTY && row.wanted.n == 0, "what is folded for such a record holds nothing of it", "%s", r.f.text);
    seal_result = ERR_OK;
    ok(!store_link(r.s, STR("users"), (struct str){NULL, 0}, (struct str){NULL, 0}, &a, &text, &at), "nothing was asked for nothing", "it was");
    arena_free(&a);
    rig_close(&r);
}

/* ---- what a poll asks ---- */
static enum err two_keys(void *arg, struct str key, enum store_over over)
{
    struct buf *b = arg;
    buf_str(b, key);
    buf_byte(b, (unsigned char)('0' + (int)over));
    return b->n == 4 ? ERR_STOPPED : ERR_OK;
}

static void keys(void)
{
    static const struct { uint16_t flow; const char *after, *want; enum err end; } cases[] = {
        {1, "", "a0b0", ERR_STOPPED}, {1, "a", "b0c0", ERR_STOPPED}, {1, "aa", "b0c0", ERR_STOPPED}, {1, "c", "d0", ERR_OK}, {1, "d", "", ERR_OK}, {2, "", "z0", ERR_OK}, {3, "", "", ERR_OK}};
    struct rig r;
    struct buf b = {0};
    filled(&r);
    bool good = step(&r, FRAME_ROW, 9, false, "FLOW=g SLOT#9 STATE#1", "KEY=z WANTED=w") == ERR_OK;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&b);
        enum err e = store_keys(r.s, cases[i].flow, str_of(cases[i].after), two_keys, &b, &r.f);
        ok(good && e == cases[i].end && str_is(buf_view(&b), cases[i].want), "keys of one flow, behind a key", "%s: %.*s", cases[i].after, (int)b.n, b.p);
    }
    buf_free(&b);
    rig_close(&r);
}

static void polls(void)
{
    struct rig r;
    char hash[1100];
    struct store_seen list[4] = {{.key = STR("a"), .hash = STR("h")}, {.key = STR("b"), .hash = STR("")}, {.key = STR("d"), .hash = {hash, sizeof hash}}, {.key = STR("nobody"), .hash = STR("h")}};
    memset(hash, 'h', sizeof hash);
    filled(&r);
    ok(store_seen(r.s, 1, list, 4, &r.f) == ERR_OK && list[0].same && !list[1].same && !list[2].same && !list[3].same, "the same is the same, and nothing else", "%s", r.f.text);
    struct buf pub = {0}, priv = {0};
    rig_tags(&pub, "FLOW=f SLOT#5 STATE#1");
    rig_tags(&priv, "KEY=e WANTED=w");
    event_put(&priv, EV_SRC_HASH, (struct str){hash, sizeof hash});
    struct frame fr = {.seq = store_applied_seq(r.s) + 1, .kind = FRAME_ROW, .slot = 5, .pub = buf_view(&pub), .priv = buf_view(&priv)};
    list[0] = (struct store_seen){.key = STR("e"), .hash = {hash, sizeof hash}};
    ok(store_apply(r.s, &fr, &r.f) == ERR_OK && store_seen(r.s, 1, list, 1, &r.f) == ERR_OK && !list[0].same && store_check(r.s, &r.f) == ERR_OK, "a hash that is too long to be noted is never the same", "%s",
       r.f.text);
    list[0] = (struct store_seen){.key = STR("a"), .hash = {hash, sizeof hash}};
    ok(store_seen(r.s, 1, list, 1, &r.f) == ERR_OK && !list[0].same, "nor is one that is asked for", "%s", r.f.text);
    list[0] = (struct store_seen){.key = STR("a"), .hash = STR("")};
    ok(store_seen(r.s, 1, list, 1, &r.f) == ERR_OK && !list[0].same, "nor is a record without a hash", "%s", r.f.text);
    struct row known = {.hash = STR("h")};
    char entry[STORE__SEEN_BYTES];
    struct str gone = {entry, store__seen_of(r.s, store__key(r.s, 1, STR("a")), &known, (unsigned char *)entry)};
    entry[0] = STORE_GONE;                                  /* the right digest of a record that is said to be gone */
    change(&r, TABLE_SEEN, CHANGE_VALUE, gone);
    rig_store(&r);
    list[0] = (struct store_seen){.key = STR("a"), .hash = STR("h")};
    ok(gone.n == STORE__SEEN_BYTES && store_seen(r.s, 1, list, 1, &r.f) == ERR_OK && !list[0].same && store_check(r.s, &r.f) == ERR_CORRUPT, "nor is one that is gone", "%s", r.f.text);
    buf_free(&pub);
    buf_free(&priv);
    rig_close(&r);
}

/* ---- files ---- */
static void files(void)
{
    struct rig r;
    char why[600] = "";
    uint64_t n = 0;
    for (bool reached = true; reached && !why[0];) {
        rig_open(&r);
        store_close(r.s);
        tree_gone(r.index);
        struct world w = r.w;
        struct failing_disk disk = {.at = ++n, .why = EIO};
        struct store_options o = rig_options(&r);
        failing_disk(&disk, &w.files);
        enum err e = store_open(&r.s, &w, &o, &r.f);
        reached = disk.calls >= n;
        if (e == ERR_OK) store_close(r.s);
        else if (e == ERR_CORRUPT || e == ERR_FORMAT) snprintf(why, sizeof why, "call %d: %s", (int)n, r.f.text);
        if (store_open(&r.s, &r.w, &o, &r.f) != ERR_OK) snprintf(why, sizeof why, "after call %d: %s", (int)n, r.f.text), r.s = NULL;
        rig_close(&r);
    }
    ok(!why[0] && n > 5, "a new index, each call to the disk fails once: there is none or a whole one", "%s", why);
    rig_open(&r);
    struct store_options o = rig_options(&r);
    store_close(r.s);
    o.read_only = true;
    bool good = store_open(&r.s, &r.w, &o, &r.f) == ERR_OK && store_flush(r.s, &r.f) == ERR_OK && store_tick(r.s, 0, &r.f) == ERR_OK;
    ok(good, "a reader has nothing to commit", "%s", r.f.text);
    store_close(r.s);
    r.s = NULL;
    if (chdir(r.dir) != 0) abort();
    o.read_only = false;
    o.dir = "beside";
    ok(store_open(&r.s, &r.w, &o, &r.f) == ERR_OK && access("beside/data.mdb", R_OK) == 0, "an index in the current directory", "%s", r.f.text);
    if (chdir("/") != 0) abort();
    rig_close(&r);
}

int main(void)
{
    if (access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 1);
    transitions();
    skipped();
    many();
    natural_keys();
    contradictions();
    unreadable();
    states();
    seals();
    polls();
    keys();
    files();
    return ok_failures != 0;
}
