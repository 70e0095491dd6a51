/* store.c - the LMDB environment: made whole or not at all, one long write transaction, values with keyed checksums. */
#include "store/store_private.h"
#include "base/check.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHECKSUM = STORE_SUM_BYTES, STORE_FORMAT = 8, COMMIT_AFTER_MS = 1000, CHANGES_MOST = 16384 };
static const char *const table_names[TABLE_COUNT] = {"meta", "flows", "rows", "due", "inflight", "held", "locked", "ids", "links", "waiting", "seen"};

enum err store__broken(struct store *s, const struct fault *why, struct fault *f)
{
    if (!s->dead && !s->read_only) s->cause = *why;
    s->dead = !s->read_only;
    return fault_set(f, why->err, "%s", why->text);
}

static enum err dead(const struct store *s, struct fault *f)
{
    return fault_set(f, s->cause.err, "the index failed earlier in this run: %s", s->cause.text);
}

enum err store__fail(struct store *s, int rc, const char *what, struct fault *f)
{
    struct fault why;
    enum err e = rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT ? ERR_NO_SPACE
               : rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_PANIC || rc == MDB_INVALID ? ERR_CORRUPT : ERR_IO;
    if (rc == MDB_MAP_FULL)
        (void)fault_set(&why, e, "the index is full (%s): start again with a larger --index-map; nothing is lost, the audit log has it", what);
    else if (e == ERR_CORRUPT)
        (void)fault_set(&why, e, "the index is damaged (%s: %s): stop, then mlcd repair makes it anew from the audit log", what, mdb_strerror(rc));
    else
        (void)fault_set(&why, e, "index: %s: %s", what, mdb_strerror(rc));
    return store__broken(s, &why, f);
}

const char *store__table_name(enum store_table t) { return table_names[t]; }

/* ---- values with checksums ---- */
void store__checksum(const unsigned char index_key[32], enum store_table t, struct str key, struct str value, unsigned char out[CHECKSUM])
{
    crypto_generichash_state st;
    unsigned char head[5] = {(unsigned char)t, (unsigned char)key.n, (unsigned char)(key.n >> 8), 0, 0};
    crypto_generichash_init(&st, index_key, 32, CHECKSUM);
    crypto_generichash_update(&st, head, sizeof head);
    crypto_generichash_update(&st, (const unsigned char *)key.p, key.n);      /* LMDB has no empty key */
    if (value.n) crypto_generichash_update(&st, (const unsigned char *)value.p, value.n);
    crypto_generichash_final(&st, out, CHECKSUM);
}

bool store__open_value(struct store *s, enum store_table t, struct str key, struct str stored, struct str *value)
{
    if (stored.n < CHECKSUM) return false;
    *value = (struct str){stored.p, stored.n - CHECKSUM};
    unsigned char sum[CHECKSUM];
    store__checksum(s->key, t, key, *value, sum);
    return memcmp(sum, stored.p + value->n, CHECKSUM) == 0;
}

static void digest_change(struct store *s, enum store_table t, const unsigned char sum[CHECKSUM], bool add)
{
    if (t == TABLE_META) return;
    if (add) sodium_add(s->digest[t], sum, CHECKSUM);
    else sodium_sub(s->digest[t], sum, CHECKSUM);
}

static enum err damaged(struct store *s, enum store_table t, struct fault *f)
{
    struct fault why;
    (void)fault_set(&why, ERR_CORRUPT, "the index is damaged (a value of table %s does not match its checksum): stop, then mlcd repair makes it anew from the audit log",
                    table_names[t]);
    return store__broken(s, &why, f);
}

enum err store__get(struct store *s, enum store_table t, struct str key, struct str *value, struct fault *f)
{
    MDB_val k = {key.n, (void *)(uintptr_t)key.p}, v;
    int rc = mdb_get(s->txn, s->dbi[t], &k, &v);
    if (rc == MDB_NOTFOUND) return ERR_NOT_FOUND;
    if (rc) return store__fail(s, rc, "read", f);
    if (!store__open_value(s, t, key, (struct str){v.mv_data, v.mv_size}, value)) return damaged(s, t, f);
    return ERR_OK;
}

/* What stands under key, if anything; and counts the leaf that a change there copies: where nothing stands, that of the entry before. */
static int seek(struct store *s, enum store_table t, struct str key, MDB_val *v, bool *found)
{
    MDB_cursor *c;
    MDB_val at = {key.n, (void *)(uintptr_t)key.p}, before, other;
    int rc = mdb_cursor_open(s->txn, s->dbi[t], &c);
    if (rc) return rc;
    rc = mdb_cursor_get(c, &at, v, MDB_SET_RANGE);
    *found = rc == 0 && str_eq(key, (struct str){at.mv_data, at.mv_size});
    if (rc == MDB_NOTFOUND) rc = mdb_cursor_get(c, &at, &other, MDB_LAST);
    else if (rc == 0 && !*found && mdb_cursor_get(c, &before, &other, MDB_PREV) == 0) at = before;
    mdb_cursor_close(c);
    if (rc == 0 || rc == MDB_NOTFOUND) store__pages_leaf(s, t, rc == 0 ? at.mv_data : NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Takes the checksum of what stands under key out of the table's digest. Whether it is right was seen when the value was read; a wrong one
 * leaves a digest that store_check finds. */
static enum err digest_forget(struct store *s, enum store_table t, struct str key, struct fault *f)
{
    MDB_val v;
    bool found;
    int rc = seek(s, t, key, &v, &found);
    if (rc) return store__fail(s, rc, "read", f);
    if (!found) return ERR_OK;
    if (v.mv_size < CHECKSUM) return damaged(s, t, f);
    digest_change(s, t, (const unsigned char *)v.mv_data + v.mv_size - CHECKSUM, false);
    return ERR_OK;
}

enum err store__put(struct store *s, enum store_table t, struct str key, struct str value, struct fault *f)
{
    enum err e = digest_forget(s, t, key, f);
    if (e != ERR_OK) return e;
    unsigned char sum[CHECKSUM];
    store__checksum(s->key, t, key, value, sum);
    MDB_val k = {key.n, (void *)(uintptr_t)key.p}, v = {value.n + CHECKSUM, NULL};
    int rc = mdb_put(s->txn, s->dbi[t], &k, &v, MDB_RESERVE);
    if (rc) return store__fail(s, rc, "write", f);
    if (value.n) memcpy(v.mv_data, value.p, value.n);
    memcpy((char *)v.mv_data + value.n, sum, CHECKSUM);
    digest_change(s, t, sum, true);
    store__pages_value(s, v.mv_size);
    s->changes++;
    return ERR_OK;
}

enum err store__del(struct store *s, enum store_table t, struct str key, struct fault *f)
{
    enum err e = digest_forget(s, t, key, f);
    if (e != ERR_OK) return e;
    MDB_val k = {key.n, (void *)(uintptr_t)key.p};
    int rc = mdb_del(s->txn, s->dbi[t], &k, NULL);
    if (rc && rc != MDB_NOTFOUND) return store__fail(s, rc, "delete", f);
    s->changes++;
    return ERR_OK;
}

/* ---- meta ---- */
static enum err save_meta(struct store *s, struct fault *f)
{
    struct buf b = {0};
    buf_u32(&b, STORE_FORMAT);
    buf_u64(&b, s->applied);
    buf_put(&b, s->applied_hash.b, HASH_BYTES);
    buf_u32(&b, s->next_slot);
    buf_u16(&b, s->next_flow);
    buf_put(&b, s->digest, sizeof s->digest);
    enum err e = store__put(s, TABLE_META, STR("state"), buf_view(&b), f);
    buf_free(&b);
    return e;
}

enum err store__state_decode(struct str value, struct store_state *out, struct fault *f)
{
    struct reader r = reader_of(value);
    if (read_u32(&r) != STORE_FORMAT)
        return fault_set(f, ERR_FORMAT, "the index was made by another version of mlcd: mlcd repair makes it anew from the audit log");
    out->applied = read_u64(&r);
    struct str h = read_bytes(&r, HASH_BYTES);
    out->next_slot = read_u32(&r);
    out->next_flow = read_u16(&r);
    struct str d = read_bytes(&r, sizeof out->digest);
    if (!reader_done(&r)) return fault_set(f, ERR_CORRUPT, "the state record of the index cannot be read: mlcd repair makes it anew from the audit log");
    memcpy(out->applied_hash.b, h.p, HASH_BYTES);
    memcpy(out->digest, d.p, sizeof out->digest);
    return ERR_OK;
}

static enum err load_meta(struct store *s, size_t map_bytes, struct fault *f)
{
    struct str v;
    enum err e = store__get(s, TABLE_META, STR("state"), &v, f);
    if (e == ERR_NOT_FOUND) return fault_set(f, ERR_FORMAT, "the index has no state record: mlcd repair makes it anew from the audit log");
    if (e != ERR_OK) return e;
    struct store_state st;
    e = store__state_decode(v, &st, f);
    if (e != ERR_OK) return e;
    s->applied = st.applied;
    s->applied_hash = st.applied_hash;
    s->next_slot = st.next_slot;
    s->next_flow = st.next_flow;
    memcpy(s->digest, st.digest, sizeof s->digest);
    store__pages_map(s, v.p, map_bytes);
    return ERR_OK;
}

/* ---- opening ---- */
static enum err open_tables(struct store *s, struct fault *f)
{
    for (int t = 0; t < TABLE_COUNT; t++) {
        int rc = mdb_dbi_open(s->txn, table_names[t], s->read_only ? 0 : MDB_CREATE, &s->dbi[t]);
        if (rc) return store__fail(s, rc, "open a table", f);
    }
    int rc = store__pages_begin(s);
    return rc ? store__fail(s, rc, "open", f) : ERR_OK;
}

static enum err open_env(struct store *s, const char *dir, size_t map_bytes, struct fault *f)
{
    int rc = mdb_env_create(&s->env);
    if (!rc) rc = mdb_env_set_maxdbs(s->env, TABLE_COUNT);
    if (!rc) rc = mdb_env_set_mapsize(s->env, map_bytes);
    if (!rc) rc = mdb_env_open(s->env, dir, s->read_only ? MDB_RDONLY : 0, 0600);
    if (!rc) rc = mdb_txn_begin(s->env, NULL, s->read_only ? MDB_RDONLY : 0, &s->txn);
    return rc ? store__fail(s, rc, "open", f) : open_tables(s, f);
}

/* A new environment appears under its name only when it is complete and on disk. */
static enum err make_env(struct store *s, const char *dir, size_t map_bytes, struct fault *f)
{
    const struct world_files *fs = &s->w->files;
    char tmp[4096], path[4200], parent[WORLD_PATH_BYTES];
    snprintf(tmp, sizeof tmp, "%s.new", dir);
    static const char *const parts[] = {"data.mdb", "lock.mdb"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", tmp, parts[i]);
        fs->unlink(fs->ctx, path);
    }
    if (fs->mkdir(fs->ctx, tmp, 0700) != 0 && errno != EEXIST) return fault_set(f, ERR_IO, "cannot make %s: %s", tmp, strerror(errno));
    enum err e = open_env(s, tmp, map_bytes, f);
    if (e != ERR_OK) return e;
    s->next_flow = 1;
    e = save_meta(s, f);
    if (e != ERR_OK) return e;
    int rc = mdb_txn_commit(s->txn);
    s->txn = NULL;
    if (!rc) rc = mdb_env_sync(s->env, 1);
    mdb_env_close(s->env);
    s->env = NULL;
    if (rc) return store__fail(s, rc, "make", f);
    if (fs->sync_dir(fs->ctx, tmp) != 0 || fs->rename(fs->ctx, tmp, dir) != 0 || world_sync_parent(s->w, dir, parent) != 0)
        return fault_set(f, ERR_IO, "cannot put the new index in place at %s: %s", dir, strerror(errno));
    return ERR_OK;
}

static bool env_exists(const struct world *w, const char *dir)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    unsigned mode;
    bool ours;
    return w->files.mode(w->files.ctx, path, &mode, &ours) == 0;
}

enum err store_open(struct store **out, const struct world *w, const struct store_options *o, struct fault *f)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s) check_no_memory();
    s->w = w;
    s->read_only = o->read_only;
    s->txn_since_ms = -1;
    memcpy(s->key, o->key, sizeof s->key);
    s->seal = o->seal;
    ASSERT(s->seal.seal && s->seal.open);
    struct hash seen = hash_keyed(s->key, STR("seen"));
    memcpy(s->seen_key, seen.b, sizeof s->seen_key);
    size_t map = o->map_bytes ? o->map_bytes : (size_t)64 << 30;
    enum err e = ERR_OK;
    if (!env_exists(w, o->dir))
        e = o->read_only ? fault_set(f, ERR_NOT_FOUND, "there is no index at %s yet: nothing was run with this state directory", o->dir)
                         : make_env(s, o->dir, map, f);
    if (e == ERR_OK) e = open_env(s, o->dir, map, f);
    if (e == ERR_OK) e = load_meta(s, map, f);
    if (e != ERR_OK) {
        store_close(s);
        return e;
    }
    if (o->read_only) {
        mdb_txn_commit(s->txn);          /* keeps the table handles, lets go of the snapshot */
        s->txn = NULL;
    }
    *out = s;
    return ERR_OK;
}

void store_close(struct store *s)
{
    if (!s) return;
    if (s->txn) mdb_txn_abort(s->txn);
    if (s->env) mdb_env_close(s->env);
    buf_free(&s->scratch);
    buf_free(&s->keybuf);
    buf_free(&s->valbuf);
    buf_free(&s->plain);
    buf_free(&s->flow_name);
    buf_free(&s->flow_state);
    sodium_memzero(s->key, sizeof s->key);
    sodium_memzero(s->seen_key, sizeof s->seen_key);
    free(s);
}

enum err store__begin(struct store *s, struct fault *f)
{
    if (s->dead) return dead(s, f);
    if (s->read_only && s->txn) {
        mdb_txn_abort(s->txn);
        s->txn = NULL;
    }
    if (s->txn) return ERR_OK;
    int rc = mdb_txn_begin(s->env, NULL, s->read_only ? MDB_RDONLY : 0, &s->txn);
    if (rc) return store__fail(s, rc, "begin", f);
    rc = store__pages_begin(s);
    return rc ? store__fail(s, rc, "begin", f) : ERR_OK;
}

void store_rest(struct store *s)
{
    if (!s->read_only || !s->txn) return;
    mdb_txn_abort(s->txn);
    s->txn = NULL;
}

uint64_t store_applied_seq(const struct store *s) { return s->applied; }
struct hash store_applied_hash(const struct store *s) { return s->applied_hash; }
uint32_t store_next_slot(const struct store *s)   { return s->next_slot; }

enum err store_flush(struct store *s, struct fault *f)
{
    if (s->dead) return dead(s, f);
    if (s->read_only || !s->txn || s->changes == 0) return ERR_OK;
    enum err e = store__flow_save(s, f);
    if (e == ERR_OK) e = save_meta(s, f);
    if (e != ERR_OK) return e;
    int rc = mdb_txn_commit(s->txn);
    s->txn = NULL;
    s->changes = 0;
    s->txn_since_ms = -1;
    if (rc) return store__fail(s, rc, "commit", f);
    return store__begin(s, f);
}

enum err store_tick(struct store *s, int64_t now_ms, struct fault *f)
{
    if (s->dead) return dead(s, f);
    if (s->changes == 0) return ERR_OK;
    if (s->txn_since_ms < 0) s->txn_since_ms = now_ms;
    if (now_ms - s->txn_since_ms < COMMIT_AFTER_MS && s->changes < CHANGES_MOST && !store__pages_many(s)) return ERR_OK;
    int dead_readers;
    mdb_reader_check(s->env, &dead_readers);
    return store_flush(s, f);
}

void store_usage(struct store *s, uint64_t *used, uint64_t *size)
{
    MDB_envinfo info;
    MDB_stat st;
    mdb_env_info(s->env, &info);
    mdb_env_stat(s->env, &st);
    *used = (uint64_t)(info.me_last_pgno + 1) * st.ms_psize;
    *size = info.me_mapsize;
}
