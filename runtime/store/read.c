/* read.c - what sync and the operator's commands ask the index. Rows are copied into the caller's arena: LMDB's pages move under the writer. */
#include "store/store_private.h"
#include "base/check.h"
#include "base/limits.h"

static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

bool store_flow(struct store *s, struct str name, struct flow_state *out)
{
    struct str v;
    return store__begin(s, NULL) == ERR_OK && store__flow_get(s, name, &v, NULL) == ERR_OK && flow_decode(v, out);
}

enum err store_flows(struct store *s, enum err (*each)(void *arg, struct str name, const struct flow_state *st), void *arg)
{
    enum err e = store__begin(s, NULL);
    MDB_cursor *c;
    if (e == ERR_OK) e = store__flow_save(s, NULL);
    if (e != ERR_OK) return e;
    int rc = mdb_cursor_open(s->txn, s->dbi[TABLE_FLOWS], &c);
    if (rc) return store__fail(s, rc, "walk flows", NULL);
    MDB_val k, v;
    while (e == ERR_OK && (rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0) {
        struct str name = {k.mv_data, k.mv_size}, value;
        struct flow_state st;
        if (!store__open_value(s, TABLE_FLOWS, name, (struct str){v.mv_data, v.mv_size}, &value) || !flow_decode(value, &st)) e = ERR_CORRUPT;
        else e = each(arg, name, &st);
    }
    mdb_cursor_close(c);
    return rc && rc != MDB_NOTFOUND ? store__fail(s, rc, "walk flows", NULL) : e;
}

enum err store_row(struct store *s, uint16_t flow, struct str key, struct arena *a, struct row *out, struct fault *f)
{
    enum err e = store__begin(s, f);
    if (e != ERR_OK) return e;
    struct str v;
    struct str k = store__key(s, flow, key);
    e = store__get(s, TABLE_ROWS, k, &v, f);
    return e == ERR_OK ? store__row_open(s, k, v, a, out, f) : e;
}

/* A walk that says only what it found: when it was broken off, the next call that can say so does. */
static void ended(struct store *s, int rc, MDB_cursor *c)
{
    if (c) mdb_cursor_close(c);
    if (rc && rc != MDB_NOTFOUND) (void)store__fail(s, rc, "walk", NULL);
}

/* Puts a cursor on the first key >= from. */
static int seek(struct store *s, enum store_table t, struct str from, MDB_cursor **c, MDB_val *k, MDB_val *v)
{
    int rc = mdb_cursor_open(s->txn, s->dbi[t], c);
    if (rc) return rc;
    *k = (MDB_val){from.n, (void *)(uintptr_t)from.p};
    rc = mdb_cursor_get(*c, k, v, from.n ? MDB_SET_RANGE : MDB_FIRST);
    return rc;
}

enum err store_rows(struct store *s, uint16_t flow, struct str after, enum err (*each)(void *arg, struct str key, const struct row *r), void *arg,
                    struct fault *f)
{
    enum err e = store__begin(s, f);
    if (e != ERR_OK) return e;
    struct buf from = {0};
    struct arena a;
    arena_init(&a, 8192);
    buf_str(&from, store__key(s, flow, after));
    MDB_cursor *c = NULL;
    MDB_val k, v;
    int rc = seek(s, TABLE_ROWS, buf_view(&from), &c, &k, &v);
    for (; rc == 0 && e == ERR_OK; rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        struct str full = {k.mv_data, k.mv_size}, value;
        if (memcmp(full.p, from.p, 2) != 0) break;
        if (after.n && str_eq(full, buf_view(&from))) continue;
        struct row r;
        arena_reset(&a);
        if (store__open_value(s, TABLE_ROWS, full, (struct str){v.mv_data, v.mv_size}, &value)) e = store__row_open(s, full, value, &a, &r, f);
        else e = fault_set(f, ERR_CORRUPT, "a row of the index does not match its checksum; mlcd repair makes the index anew from the audit log");
        if (e == ERR_OK) e = each(arg, (struct str){full.p + 2, full.n - 2}, &r);
    }
    if (c) mdb_cursor_close(c);
    buf_free(&from);
    arena_free(&a);
    if (rc && rc != MDB_NOTFOUND) return store__fail(s, rc, "walk rows", f);
    return e;
}

static uint64_t get_be(const void *p, int bytes)
{
    const unsigned char *b = p;
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++) v = v << 8 | b[i];
    return v;
}

size_t store_due(struct store *s, uint16_t flow, int64_t now_ms, size_t max, struct arena *a, struct store_item *out, int64_t *next_due_ms)
{
    size_t n = 0;
    int64_t next = INT64_MAX;
    MDB_cursor *c = NULL;
    MDB_val k, v;
    if (next_due_ms) *next_due_ms = next;
    if (store__begin(s, NULL) != ERR_OK) return 0;
    int rc = seek(s, TABLE_DUE, (struct str){NULL, 0}, &c, &k, &v);
    for (; rc == 0; rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        ASSERT(k.mv_size > 10);
        int64_t due = (int64_t)get_be(k.mv_data, 8);
        uint16_t fl = (uint16_t)get_be((char *)k.mv_data + 8, 2);
        if (flow && fl != flow) continue;
        if (due > now_ms) {
            next = due;
            break;
        }
        if (n == max) {
            next = due;
            break;
        }
        out[n++] = (struct store_item){fl, keep(a, (struct str){(char *)k.mv_data + 10, k.mv_size - 10})};
    }
    ended(s, rc, c);
    if (next_due_ms) *next_due_ms = next;
    return n;
}

static bool locked_decode(struct str value, struct store_locked *l)
{
    struct reader r = reader_of(value);
    l->tries = read_u16(&r);
    l->due_ms = (int64_t)read_u64(&r);
    return reader_done(&r);
}

size_t store_locked_due(struct store *s, int64_t now_ms, size_t max, struct arena *a, struct store_locked *out, int64_t *next_due_ms)
{
    size_t n = 0;
    int64_t next = INT64_MAX;
    MDB_cursor *c = NULL;
    MDB_val k, v;
    if (next_due_ms) *next_due_ms = next;
    if (store__begin(s, NULL) != ERR_OK) return 0;
    int rc = seek(s, TABLE_LOCKED, (struct str){NULL, 0}, &c, &k, &v);
    for (; rc == 0; rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        struct str full = {k.mv_data, k.mv_size}, value;
        struct store_locked l;
        if (!store__open_value(s, TABLE_LOCKED, full, (struct str){v.mv_data, v.mv_size}, &value) || !locked_decode(value, &l)) {
            rc = MDB_CORRUPTED;             /* passed over, the record would never be read again */
            break;
        }
        l.flow = (uint16_t)get_be(full.p, 2);
        if (l.due_ms > now_ms || n == max) {
            if (l.due_ms < next) next = l.due_ms;
            continue;
        }
        l.key = keep(a, (struct str){full.p + 2, full.n - 2});
        out[n++] = l;
    }
    ended(s, rc, c);
    if (next_due_ms) *next_due_ms = next;
    return n;
}

bool store_locked_get(struct store *s, uint16_t flow, struct str key, struct store_locked *out)
{
    struct str v;
    if (store__begin(s, NULL) != ERR_OK || store__get(s, TABLE_LOCKED, store__key(s, flow, key), &v, NULL) != ERR_OK) return false;
    out->flow = flow;
    out->key = key;
    return locked_decode(v, out);
}

enum err store_by_id(struct store *s, uint16_t flow, struct str id, struct arena *a, struct str *key)
{
    struct str v;
    enum err e = store__begin(s, NULL);
    if (e == ERR_OK) e = store__get(s, TABLE_IDS, store__key(s, flow, id), &v, NULL);
    if (e == ERR_OK) *key = keep(a, v);
    return e;
}

bool store_link(struct store *s, struct str module, struct str field, struct str value, struct arena *a, struct str *id, int64_t *at_ms)
{
    struct str v;
    struct store_answer l;
    if (module.n > LIMIT_KEY_BYTES - LINK_HASH_BYTES - 1 || store__begin(s, NULL) != ERR_OK) return false;
    unsigned char hash[LINK_HASH_BYTES];
    store_link_hash(s, field, value, hash);
    struct str k = store__link_key(s, module, hash);
    if (store__get(s, TABLE_LINKS, k, &v, NULL) != ERR_OK || !store__link_open(s, k, v, a, &l)) return false;
    *id = l.id;
    *at_ms = l.at_ms;
    return str_eq(l.field, field) && str_eq(l.value, value);
}

void store_links(struct store *s, struct str module, struct arena *a, void (*each)(void *ctx, const struct store_answer *l), void *ctx)
{
    struct buf from = {0};
    MDB_cursor *c = NULL;
    MDB_val k, v;
    buf_str(&from, module);
    buf_byte(&from, 0);
    int rc = store__begin(s, NULL) == ERR_OK ? seek(s, TABLE_LINKS, buf_view(&from), &c, &k, &v) : MDB_NOTFOUND;
    for (; rc == 0; rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        struct str key = {k.mv_data, k.mv_size}, value;
        struct store_answer l;
        if (!str_starts(key, buf_view(&from))) break;
        if (!store__open_value(s, TABLE_LINKS, key, (struct str){v.mv_data, v.mv_size}, &value)) {
            rc = MDB_CORRUPTED;
            break;
        }
        if (store__link_open(s, key, value, a, &l)) each(ctx, &l);
    }
    ended(s, rc, c);
    buf_free(&from);
}
