/* fault_test.c - every call to LMDB fails, and every look at a data key, one after the other, while frames of every kind are folded and the index is asked everything. Each time:
 * either an error is said, or nothing is missing; and with what the log still has the same index stands there in the end, byte by byte.
 *
 * The functions below stand before LMDB's own (the linker takes those of the program first). Also here: frames and values that no program of ours
 * would write, each refused by name. */
#include "rig.h"
#include "store/walk.h"
#include <dlfcn.h>
#include <errno.h>
#include <lmdb.h>

/* ---- LMDB, which can fail ---- */
static struct { bool on; uint64_t calls, at; int code; } fail;

static int fails(void) { return fail.on && ++fail.calls == fail.at ? fail.code : 0; }
static void *real(const char *name)
{
    void *p = dlsym(RTLD_NEXT, name);
    if (!p) abort();
    return p;
}
#define STANDS_BEFORE(name, params, args)                              \
    int name params                                                    \
    {                                                                  \
        static int (*f) params;                                        \
        int why = fails();                                             \
        if (!f) *(void **)&f = real(#name);                            \
        return why ? why : f args;                                     \
    }
STANDS_BEFORE(mdb_get, (MDB_txn *t, MDB_dbi d, MDB_val *k, MDB_val *v), (t, d, k, v))
STANDS_BEFORE(mdb_put, (MDB_txn *t, MDB_dbi d, MDB_val *k, MDB_val *v, unsigned int flags), (t, d, k, v, flags))
STANDS_BEFORE(mdb_del, (MDB_txn *t, MDB_dbi d, MDB_val *k, MDB_val *v), (t, d, k, v))
STANDS_BEFORE(mdb_cursor_open, (MDB_txn *t, MDB_dbi d, MDB_cursor **c), (t, d, c))
STANDS_BEFORE(mdb_cursor_get, (MDB_cursor *c, MDB_val *k, MDB_val *v, MDB_cursor_op op), (c, k, v, op))
STANDS_BEFORE(mdb_stat, (MDB_txn *t, MDB_dbi d, MDB_stat *st), (t, d, st))
STANDS_BEFORE(mdb_txn_begin, (MDB_env *e, MDB_txn *p, unsigned int flags, MDB_txn **t), (e, p, flags, t))
STANDS_BEFORE(mdb_dbi_open, (MDB_txn *t, const char *name, unsigned int flags, MDB_dbi *d), (t, name, flags, d))
STANDS_BEFORE(mdb_env_create, (MDB_env **e), (e))
STANDS_BEFORE(mdb_env_set_maxdbs, (MDB_env *e, MDB_dbi n), (e, n))
STANDS_BEFORE(mdb_env_set_mapsize, (MDB_env *e, size_t n), (e, n))
STANDS_BEFORE(mdb_env_open, (MDB_env *e, const char *path, unsigned int flags, mdb_mode_t mode), (e, path, flags, mode))
STANDS_BEFORE(mdb_env_sync, (MDB_env *e, int force), (e, force))

int mdb_txn_commit(MDB_txn *t)
{
    static int (*f)(MDB_txn *t);
    int why = fails();
    if (!f) *(void **)&f = real("mdb_txn_commit");
    if (!why) return f(t);
    mdb_txn_abort(t);                  /* as the real one does */
    return why;
}

/* ---- data keys, which the disk may not give ---- */
static enum err seal_fails(void *ctx, uint32_t slot, struct str ad, struct str plain, struct buf *out)
{
    return fails() ? ERR_IO : rig_seal(ctx, slot, ad, plain, out);
}
static enum err unseal_fails(void *ctx, uint32_t slot, struct str ad, struct str sealed, struct arena *a, struct str *plain)
{
    return fails() ? ERR_IO : rig_unseal(ctx, slot, ad, sealed, a, plain);
}

/* ---- the frames ---- */
static const struct { enum frame_kind kind; uint32_t slot; const char *pub, *priv; } script[] = {
    {FRAME_IMAGE, 0, "FLOW=items HASHES=h1 NEXT_FULL#90", ""},
    {FRAME_IMAGE, 0, "FLOW=orders HASHES=h2", ""},
    {FRAME_POLL, 0, "FLOW=items PASS=full", ""},
    {FRAME_ROW, 1, "FLOW=items SLOT#1 STATE#1 NO_ANSWER#2 VIOLATED#1", "KEY=a SRC_HASH=x SNAPSHOT=s WANTED=w"},
    {FRAME_ROW, 2, "FLOW=items SLOT#2 STATE#1", "KEY=b WANTED=w"},
    {FRAME_ROW, 3, "FLOW=items SLOT#3 STATE#1", "KEY=c WANTED=w"},
    {FRAME_ROW, 9, "FLOW=items SLOT#9 STATE#1 FLAGS#16", "KEY=i WANTED=w"},
    {FRAME_PAGE, 0, "FLOW=items PASS=full CURSOR=c1", ""},
    {FRAME_POLL_END, 0, "FLOW=items PASS=full COMPLETE#1 CURSOR=c2 NEXT_POLL#7", ""},
    {FRAME_ROW, 4, "FLOW=orders SLOT#4 STATE#5", "KEY=o WANTED=w PARENT_FLOW=items PARENT_KEY=a WHY=waits"},
    {FRAME_ROW, 5, "FLOW=orders SLOT#5 STATE#5", "KEY=p WANTED=w PARENT_FLOW=orders PARENT_KEY=o WHY=waits"},
    {FRAME_ROW, 6, "FLOW=orders SLOT#6 STATE#5", "KEY=q WANTED=w PARENT_FLOW=nowhere PARENT_KEY=z WHY=waits"},
    {FRAME_INTENT, 1, "FLOW=items VERB#1", "KEY=a SENT=w"},
    {FRAME_INTENT, 2, "FLOW=items VERB#1", "KEY=b SENT=w LINES=l"},
    {FRAME_INTENT, 3, "FLOW=items VERB#1", "KEY=c SENT=w"},
    {FRAME_OUTCOME, 1, "FLOW=items CLASS#0", "KEY=a ID=11"},
    {FRAME_OUTCOME, 2, "FLOW=items CLASS#2 DUE#50 WHY=later", "KEY=b"},
    {FRAME_OPEN, 0, "SETTLE_MS#1000", ""},
    {FRAME_SETTLE, 3, "FLOW=items CLASS#4 DUE#60", "KEY=c"},
    {FRAME_SETTLE, 3, "FLOW=items CLASS#2", "KEY=c ID=13"},
    {FRAME_ROW, 7, "FLOW=orders SLOT#7 STATE#5", "KEY=r WANTED=w PARENT_FLOW=items PARENT_KEY=a"},
    {FRAME_INTENT, 4, "FLOW=orders VERB#1", "KEY=o SENT=w"},
    {FRAME_OUTCOME, 4, "FLOW=orders CLASS#0", "KEY=o ID=21"},
    {FRAME_INTENT, 3, "FLOW=items VERB#2", "KEY=c SENT=w2"},
    {FRAME_HINT, 3, "FLOW=items WHY=changed", "KEY=c"},
    {FRAME_OUTCOME, 3, "FLOW=items CLASS#0", "KEY=c ID=13"},
    {FRAME_HINT, 1, "FLOW=items WHY=changed", "KEY=a"},
    {FRAME_HINT, 1, "FLOW=items WHY=find FIELD=Parent", "KEY=a OLD=w SENT="},
    {FRAME_HINT, 8, "FLOW=items WHY=changed", "KEY=unknown"},
    {FRAME_HINT, 0, "WHAT=update MODULE=Accounts", "VALUE=1,2"},
    {FRAME_INTENT, 5, "FLOW=orders VERB#1", "KEY=p SENT=w"},
    {FRAME_OUTCOME, 5, "FLOW=orders CLASS#5", "KEY=p ID=22"},
    {FRAME_INTENT, 5, "FLOW=orders VERB#2", "KEY=p SENT=w"},
    {FRAME_OUTCOME, 5, "FLOW=orders CLASS#9", "KEY=p"},
    {FRAME_INTENT, 5, "FLOW=orders VERB#2", "KEY=p SENT=w"},
    {FRAME_ROW, 5, "FLOW=orders SLOT#5 STATE#1 FLAGS#16", "KEY=p WANTED=w3"},
    {FRAME_OUTCOME, 5, "FLOW=orders CLASS#8", "KEY=p"},
    {FRAME_FUSE, 0, "FLOW=orders COMPLETE#0", ""},
    {FRAME_ACCEPT, 0, "FLOW=orders COMPLETE#1", ""},
    {FRAME_INTENT, 5, "FLOW=orders VERB#2", "KEY=p SENT=w3"},
    {FRAME_OUTCOME, 5, "FLOW=orders CLASS#1 WHY=refused", "KEY=p"},
    {FRAME_REPLAY, 5, "FLOW=orders FLAGS#32", "KEY=p"},
    {FRAME_INTENT, 5, "FLOW=orders VERB#2", "KEY=p SENT=w3"},
    {FRAME_OUTCOME, 5, "FLOW=orders CLASS#7", "KEY=p"},
    {FRAME_REPLAY, 5, "FLOW=orders CLASS#7", "KEY=p"},
    {FRAME_INTENT, 5, "FLOW=orders VERB#1", "KEY=p SENT=w3"},
    {FRAME_ROW, 5, "FLOW=orders SLOT#5 STATE#1", "KEY=p WANTED=w4"},
    {FRAME_REPLAY, 5, "FLOW=orders FLAGS#32", "KEY=p"},
    {FRAME_HINT, 5, "FLOW=orders WHY=changed", "KEY=p"},
    {FRAME_REJECT, 5, "FLOW=orders SLOT#5 STATE#6 FLAGS#4 WHY=bad", "KEY=p"},
    {FRAME_OUTCOME, 5, "FLOW=orders CLASS#0", "KEY=p ID=22"},
    {FRAME_LEAVE, 4, "FLOW=orders SLOT#4 STATE#1 FLAGS#1", "KEY=o WANTED=w"},
    {FRAME_INTENT, 4, "FLOW=orders VERB#2", "KEY=o SENT=w"},
    {FRAME_OUTCOME, 4, "FLOW=orders CLASS#0", "KEY=o ID=21"},
    {FRAME_HINT, 4, "FLOW=orders WHY=changed", "KEY=o"},
    {FRAME_GONE, 9, "FLOW=items SLOT#9 STATE#9 FLAGS#18", "KEY=i WANTED=w"},
    {FRAME_FUSE, 0, "FLOW=items COMPLETE#1", ""},
    {FRAME_INTENT, 9, "FLOW=items VERB#2", "KEY=i SENT=w"},
    {FRAME_OUTCOME, 9, "FLOW=items CLASS#0", "KEY=i ID=19"},
    {FRAME_ADOPT, 2, "FLOW=items", "KEY=b ID=19 OLD=w EDITED#1"},
    {FRAME_ADOPT, 2, "FLOW=items", "KEY=b ID=18"},
    {FRAME_ADOPT, 7, "FLOW=orders", "KEY=r CANDIDATES=5,6"},
    {FRAME_ADOPT, 7, "FLOW=orders", "KEY=r"},
    {FRAME_INTENT, 7, "FLOW=orders VERB#1", "KEY=r SENT=w"},
    {FRAME_ADOPT, 7, "FLOW=orders", "KEY=r ID=27 LINES=l"},
    {FRAME_SETTLE, 7, "FLOW=orders CLASS#0", "KEY=r ID=27"},
    {FRAME_INTENT, 7, "FLOW=orders VERB#2", "KEY=r SENT=w"},
    {FRAME_SETTLE, 7, "FLOW=orders CLASS#7 WHY=gone", "KEY=r"},
    {FRAME_LOCKED, 1, "FLOW=items TRIES#1 DUE#70", "KEY=a"},
    {FRAME_LOCKED, 1, "FLOW=items TRIES#2 DUE#80", "KEY=a"},
    {FRAME_LOCKED, 2, "FLOW=items TRIES#1 DUE#5", "KEY=b"},
    {FRAME_LOCKED, 1, "FLOW=items TRIES#0", "KEY=a"},
    {FRAME_LINK, 1, "MODULE=users FIELD=email", "VALUE=a ID=31"},
    {FRAME_LINK, 2, "MODULE=users FIELD=email", "VALUE=b ID="},
    {FRAME_LINK, 2, "MODULE=zzz FIELD=email", "VALUE=b ID=32"},
    {FRAME_BULK, 0, "FLOW=items WHAT=started VALUE=job", ""},
    {FRAME_BULK, 0, "FLOW=items WHAT=ended", ""},
    {FRAME_ALARM, 0, "FLOW=items WHY=no", ""},
    {FRAME_ALARM, 0, "WHY=no", ""},
    {FRAME_POLL_END, 0, "FLOW=items PASS=changes", ""},
    {FRAME_PAGE, 0, "FLOW=items PASS=changes CURSOR=c3", ""},
    {FRAME_PAGE, 0, "FLOW=items PASS=keys CURSOR=k", ""},
    {FRAME_PAGE, 0, "FLOW=items PASS=other", ""},
    {FRAME_POLL_END, 0, "FLOW=items PASS=keys", ""},
    {FRAME_POLL_END, 0, "FLOW=items PASS=full", ""},
    {FRAME_LINK, 3, "MODULE=users FIELD=email", "VALUE=c ID=33"},
    {FRAME_LINK, 3, "MODULE=users FIELD=phone", "VALUE=d ID=34"},
    {FRAME_ERASE, FRAME_NO_SLOT, "FLOW=items SLOT#3 FLAGS#256", "KEY=c ID=13"},
    {FRAME_HINT, FRAME_NO_SLOT, "FLOW=items WHY=changed", "KEY=c"},
    {FRAME_IMAGE, 0, "FLOW=goods MOVED_FROM=items HASHES=h3", ""},
    {FRAME_IMAGE, 0, "FLOW=goods MOVED_FROM=items HASHES=h4", ""},
    {FRAME_IMAGE, 0, "FLOW=new MOVED_FROM=never", ""},
    {FRAME_CALL, 0, "WHAT=call", ""},
    {FRAME_ROW, 11, "FLOW=goods SLOT#11 STATE#5", "KEY=x WANTED=w PARENT_FLOW=goods PARENT_KEY=y WHY=waits"},
    {FRAME_ROW, 12, "FLOW=goods SLOT#12 STATE#1", "KEY=y WANTED=w"},
    {FRAME_INTENT, 12, "FLOW=goods VERB#1", "KEY=y SENT=w"},
    {FRAME_OUTCOME, 12, "FLOW=goods CLASS#0", "KEY=y ID=41"},
    {FRAME_ROW, 13, "FLOW=orders SLOT#13 STATE#5", "KEY=s WANTED=w PARENT_FLOW=goods PARENT_KEY=none"},
    {FRAME_OPEN, 0, "", ""},
};
enum { FRAMES = sizeof script / sizeof *script };

static enum err apply(struct store *s, size_t i, struct fault *f)
{
    struct buf pub = {0}, priv = {0};
    rig_tags(&pub, script[i].pub);
    rig_tags(&priv, script[i].priv);
    struct frame fr = {.seq = i + 1, .time_ms = 1000 + (int64_t)i, .kind = (uint16_t)script[i].kind, .slot = script[i].slot, .pub = buf_view(&pub), .priv = buf_view(&priv)};
    enum err e = store_apply(s, &fr, f);
    buf_free(&pub);
    buf_free(&priv);
    return e;
}

static enum err each_row(void *arg, struct str key, const struct row *r)
{
    *(uint64_t *)arg += key.n + r->wanted.n + r->id.n + 1;
    return ERR_OK;
}
static enum err each_flow(void *arg, struct str name, const struct flow_state *st)
{
    *(uint64_t *)arg += name.n + st->linked + st->locked;
    return ERR_OK;
}
static void each_link(void *arg, const struct store_answer *l) { *(uint64_t *)arg += l->value.n + l->id.n; }

static enum err each_key(void *arg, struct str key, enum store_over over)
{
    *(uint64_t *)arg += key.n * 7 + (uint64_t)over;
    return ERR_OK;
}

/* Everything that can be asked, as one number. */
static uint64_t ask(struct store *s, struct fault *f)
{
    struct arena a;
    struct store_item due[40];
    struct store_locked locked[8], one;
    struct flow_state st;
    struct row row;
    struct str text;
    uint64_t sum = 0, used, size;
    int64_t at;
    arena_init(&a, 0);
    (void)store_flows(s, each_flow, &sum);
    for (uint16_t fl = 1; fl < 4; fl++) (void)store_rows(s, fl, STR("b"), each_row, &sum, f);
    for (uint16_t fl = 1; fl < 4; fl++) (void)store_keys(s, fl, STR("b"), each_key, &sum, f);
    struct store_seen seen[2] = {{.key = STR("a"), .hash = STR("x")}, {.key = STR("b"), .hash = STR("y")}};
    sum = sum * 31 + (store_seen(s, 1, seen, 2, f) == ERR_OK) * 4u + seen[0].same * 2u + seen[1].same;
    sum = sum * 31 + store_due(s, 0, 100, 3, &a, due, &at);
    sum = sum * 31 + store_due(s, 2, 100, 40, &a, due, NULL);
    sum = sum * 31 + store_locked_due(s, 10, 8, &a, locked, &at);
    sum = sum * 31 + store_locked_due(s, 100, 0, &a, locked, NULL);
    sum = sum * 31 + store_locked_get(s, 1, STR("b"), &one);
    sum = sum * 31 + (store_by_id(s, 1, STR("11"), &a, &text) == ERR_OK);
    sum = sum * 31 + (store_row(s, 1, STR("a"), &a, &row, f) == ERR_OK);
    sum = sum * 31 + (store_link(s, STR("users"), STR("email"), STR("a"), &a, &text, &at) ? text.n : 77);
    sum = sum * 31 + store_link(s, STR("users"), STR("email"), STR("nobody"), &a, &text, &at);
    store_links(s, STR("users"), &a, each_link, &sum);
    sum = sum * 31 + store_flow(s, STR("orders"), &st) * 2u + store_flow(s, STR("nowhere"), &st);
    store_usage(s, &used, &size);
    arena_free(&a);
    return sum;
}

/* Folds what the index lacks; tells when anything said an error. */
static bool fold_rest(struct store *s, struct fault *f)
{
    for (size_t i = (size_t)store_applied_seq(s); i < FRAMES; i++) {
        if (apply(s, i, f) != ERR_OK) return false;
        if (i % 9 == 8 && store_flush(s, f) != ERR_OK) return false;
        if (i % 9 == 4 && store_tick(s, (int64_t)i * 300, f) != ERR_OK) return false;
    }
    return store_flush(s, f) == ERR_OK && store_check(s, f) == ERR_OK;
}

/* ---- the index as bytes ---- */
static void digest(const struct rig *r, unsigned char out[32])
{
    static const char *const tables[] = {"meta", "flows", "rows", "due", "inflight", "held", "locked", "ids", "links", "waiting"};
    crypto_generichash_state st;
    MDB_env *env;
    MDB_txn *txn;
    crypto_generichash_init(&st, NULL, 0, 32);
    if (mdb_env_create(&env) || mdb_env_set_maxdbs(env, 16) || mdb_env_open(env, r->index, MDB_RDONLY, 0600) || mdb_txn_begin(env, NULL, MDB_RDONLY, &txn)) abort();
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        MDB_dbi d;
        MDB_cursor *c;
        MDB_val k, v;
        if (mdb_dbi_open(txn, tables[t], 0, &d) || mdb_cursor_open(txn, d, &c)) abort();
        while (mdb_cursor_get(c, &k, &v, MDB_NEXT) == 0) {
            crypto_generichash_update(&st, k.mv_data, k.mv_size);
            crypto_generichash_update(&st, v.mv_data, v.mv_size);
        }
        mdb_cursor_close(c);
    }
    mdb_txn_abort(txn);
    mdb_env_close(env);
    crypto_generichash_final(&st, out, 32);
}

static void fast_disk(void)
{
    if (access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 1);
}

/* Call number at fails with code: 0 = it was not reached. */
static bool one(uint64_t at, int code, const unsigned char clean[32], uint64_t answer, char *why, size_t n)
{
    struct rig r;
    unsigned char have[32];
    struct store_options o;
    rig_open(&r);
    store_close(r.s);
    tree_gone(r.index);
    o = rig_options(&r);
    o.seal.seal = seal_fails;
    o.seal.open = unseal_fails;
    r.s = NULL;
    fail.on = true;
    fail.calls = 0;
    fail.at = at;
    fail.code = code;
    bool good = store_open(&r.s, &r.w, &o, &r.f) == ERR_OK && fold_rest(r.s, &r.f);
    uint64_t said = good ? ask(r.s, &r.f) : 0;
    good = good && store_check(r.s, &r.f) == ERR_OK;
    fail.on = false;
    bool reached = fail.calls >= at;
    if (good && said != answer) snprintf(why, n, "call %llu, %s: no error, and the answers are wrong", (unsigned long long)at, mdb_strerror(code));
    store_close(good ? r.s : NULL);
    if (!good) {
        store_close(r.s);                                   /* NULL when it did not open */
        r.s = NULL;
        if (store_open(&r.s, &r.w, &o, &r.f) != ERR_OK || !fold_rest(r.s, &r.f))
            snprintf(why, n, "call %llu, %s: afterwards: %s", (unsigned long long)at, mdb_strerror(code), r.f.text);
        store_close(r.s);
    }
    if (!why[0]) digest(&r, have);
    if (!why[0] && memcmp(have, clean, 32) != 0) snprintf(why, n, "call %llu, %s: the index is another one", (unsigned long long)at, mdb_strerror(code));
    r.s = NULL;
    rig_close(&r);
    return reached;
}

static void test_every_call(void)
{
    static const int codes[] = {EIO, MDB_MAP_FULL, MDB_CORRUPTED, ENOSPC, MDB_PAGE_NOTFOUND, ENOMEM, EDQUOT, MDB_PANIC, MDB_INVALID};
    struct rig r;
    unsigned char clean[32];
    char why[700] = "";
    rig_open(&r);
    bool good = fold_rest(r.s, &r.f);
    uint64_t answer = ask(r.s, &r.f), calls = 0;
    ok(good, "frames of every kind fold", "%s", r.f.text);
    store_close(r.s);
    r.s = NULL;
    digest(&r, clean);
    rig_close(&r);
    while (!why[0] && one(calls + 1, codes[calls % 9], clean, answer, why, sizeof why)) calls++;
    ok(!why[0] && calls > 800, "each call to LMDB and each look at a data key fails once: an error is said, and the log makes the same index again", "%llu calls; %s", (unsigned long long)calls, why);
    printf("# %llu calls to LMDB and looks at data keys, each failed once\n", (unsigned long long)calls);
}

/* ---- what no program of ours writes ---- */
static void refused(const char *name, enum frame_kind kind, const char *pub, const char *priv, const char *text)
{
    struct rig r;
    struct buf a = {0}, b = {0};
    rig_open(&r);
    rig_tags(&a, pub);
    rig_tags(&b, priv);
    if (strcmp(name, "torn") == 0) a.n--;
    if (strcmp(name, "torn private part") == 0) b.n--;
    struct frame fr = {.seq = strcmp(name, "gap") == 0 ? 2 : 1, .kind = (uint16_t)kind, .slot = 1, .pub = buf_view(&a), .priv = buf_view(&b)};
    ok(store_apply(r.s, &fr, &r.f) == ERR_CORRUPT && strstr(r.f.text, text), name, "%s", r.f.text);
    bool dead = strcmp(name, "gap") == 0 || (store_flush(r.s, &r.f) != ERR_OK && store_tick(r.s, 0, &r.f) != ERR_OK);
    ok(dead, "after it nothing more is folded", "%s", r.f.text);
    buf_free(&a);
    buf_free(&b);
    rig_close(&r);
}

static void test_frames(void)
{
    refused("gap", FRAME_POLL, "FLOW=x", "", "entries are missing");
    refused("torn", FRAME_POLL, "FLOW=x", "", "cannot be read");
    refused("torn private part", FRAME_ROW, "FLOW=x", "KEY=a", "cannot be read");
    refused("no flow", FRAME_POLL, "PASS=full", "", "names no flow");
    refused("no key", FRAME_ROW, "FLOW=x", "WANTED=w", "names no record");
}

/* ---- values that were changed behind our back ---- */
static void spoil(const struct rig *r, const char *table, size_t cut, bool drop)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi d;
    MDB_cursor *c;
    MDB_val k, v;
    char copy[4096];
    if (mdb_env_create(&env) || mdb_env_set_maxdbs(env, 16) || mdb_env_open(env, r->index, 0, 0600) || mdb_txn_begin(env, NULL, 0, &txn)) abort();
    if (mdb_dbi_open(txn, table, 0, &d) || mdb_cursor_open(txn, d, &c) || mdb_cursor_get(c, &k, &v, MDB_FIRST)) abort();
    size_t n = v.mv_size < sizeof copy ? v.mv_size : sizeof copy;
    memcpy(copy, v.mv_data, n);
    MDB_val nv = {cut < n ? cut : n, copy};
    copy[0] ^= 1;
    if (drop ? mdb_cursor_del(c, 0) : mdb_cursor_put(c, &k, &nv, MDB_CURRENT)) abort();
    mdb_cursor_close(c);
    if (mdb_txn_commit(txn)) abort();
    mdb_env_close(env);
}

static void spoiled(const char *table, size_t cut, bool drop)
{
    struct rig r;
    char name[100];
    struct store_options o;
    rig_open(&r);
    bool good = fold_rest(r.s, &r.f);
    store_close(r.s);
    r.s = NULL;
    spoil(&r, table, cut, drop);
    o = rig_options(&r);
    enum err e = store_open(&r.s, &r.w, &o, &r.f);
    if (e == ERR_OK) e = store_check(r.s, &r.f);
    snprintf(name, sizeof name, "a value of %s that %s is found", table, drop ? "is gone" : cut < 16 ? "is cut" : "is another");
    ok(good && (e == ERR_CORRUPT || e == ERR_FORMAT), name, "%s %s", err_name(e), r.f.text);
    if (r.s) (void)ask(r.s, &r.f);             /* says less, and does not fall over */
    struct fault f = {ERR_OK, ""};
    struct buf pub = {0}, priv = {0};
    rig_tags(&pub, "FLOW=orders SLOT#5 STATE#1");
    rig_tags(&priv, "KEY=p WANTED=w PARENT_FLOW=goods PARENT_KEY=a");
    struct frame fr = {.seq = r.s ? store_applied_seq(r.s) + 1 : 1, .kind = FRAME_ROW, .slot = 5, .pub = buf_view(&pub), .priv = buf_view(&priv)};
    if (r.s) (void)store_apply(r.s, &fr, &f);
    buf_free(&pub);
    buf_free(&priv);
    rig_close(&r);
}

static void test_values(void)
{
    static const char *const tables[] = {"meta", "flows", "rows", "due", "locked", "ids", "links", "waiting"};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        spoiled(tables[t], 3, false);
        spoiled(tables[t], 100000, false);
        spoiled(tables[t], 0, true);
    }
}

int main(void)
{
    fast_disk();
    test_frames();
    test_values();
    test_every_call();
    return ok_failures != 0;
}
