/* seen.c - what a poll asks of a row, in a table of its own: is it known, is it over, and was it derived from this very content?
 *
 *     flow id, key -> [enum store_over] [keyed digest of flow id, key and source hash: 16 bytes, absent without a hash or when the row is over] [checksum]
 *
 * A row of the index has a thousand bytes and more, under a checksum that has to be computed to be believed. A poll in which nothing changed looks at
 * every row, so it looks here: seventy entries a page of the index, found by one cursor that goes forward. The checksum is not computed: the digest is
 * keyed and bound to its key, so a damaged one is equal to nothing, and the row is then read with all its checks. The same goes for `over`: whoever acts on
 * it reads the row first. store_check holds every entry against its row and its checksum. */
#include "store/store_private.h"
#include "base/check.h"
#include <sodium.h>

enum { CHECKSUM = 16, DIGEST = 16, TEXT = 1024 };

/* SipHash-2-4, 128 bits: five times as fast as BLAKE2b at this length, and nobody without the key can aim at it. */
static void digest(const struct store *s, struct str full_key, struct str hash, unsigned char out[DIGEST])
{
    unsigned char text[TEXT];
    ASSERT(full_key.n + hash.n + 2 <= sizeof text);
    text[0] = (unsigned char)full_key.n;
    text[1] = (unsigned char)(full_key.n >> 8);
    memcpy(text + 2, full_key.p, full_key.n);
    memcpy(text + 2 + full_key.n, hash.p, hash.n);
    crypto_shorthash_siphashx24(out, text, 2 + full_key.n + hash.n, s->seen_key);
}

size_t store__seen_of(const struct store *s, struct str full_key, const struct row *r, unsigned char out[STORE__SEEN_BYTES])
{
    out[0] = r->flags & ROW_F_ERASED ? STORE_ERASED : r->flags & ROW_F_GONE ? STORE_GONE : STORE_LIVE;
    if (out[0] || r->hash.n == 0 || full_key.n + r->hash.n + 2 > TEXT) return 1;
    digest(s, full_key, r->hash, out + 1);
    return STORE__SEEN_BYTES;
}

static bool is_same(const struct store *s, struct str full_key, struct str hash, struct str entry)
{
    unsigned char want[DIGEST];
    if (entry.n != STORE__SEEN_BYTES + CHECKSUM || entry.p[0] != STORE_LIVE || hash.n == 0 || full_key.n + hash.n + 2 > TEXT) return false;
    digest(s, full_key, hash, want);
    return memcmp(want, entry.p + 1, DIGEST) == 0;
}

enum err store_seen(struct store *s, uint16_t flow, struct store_seen *list, size_t n, struct fault *f)
{
    enum err e = store__begin(s, f);
    MDB_cursor *c;
    if (e != ERR_OK) return e;
    int rc = mdb_cursor_open(s->txn, s->dbi[TABLE_SEEN], &c);
    if (rc) return store__fail(s, rc, "look rows up", f);
    for (size_t i = 0; i < n && (rc == 0 || rc == MDB_NOTFOUND); i++) {
        struct str full = store__key(s, flow, list[i].key);
        MDB_val k = {full.n, (void *)(uintptr_t)full.p}, v;
        rc = mdb_cursor_get(c, &k, &v, MDB_SET);
        list[i].same = rc == 0 && is_same(s, full, list[i].hash, (struct str){v.mv_data, v.mv_size});
    }
    mdb_cursor_close(c);
    return rc && rc != MDB_NOTFOUND ? store__fail(s, rc, "look rows up", f) : ERR_OK;
}

enum err store_keys(struct store *s, uint16_t flow, struct str after, enum err (*each)(void *arg, struct str key, enum store_over over), void *arg, struct fault *f)
{
    enum err e = store__begin(s, f);
    MDB_cursor *c;
    if (e != ERR_OK) return e;
    int rc = mdb_cursor_open(s->txn, s->dbi[TABLE_SEEN], &c);
    if (rc) return store__fail(s, rc, "walk keys", f);
    struct buf from = {0};
    buf_str(&from, store__key(s, flow, after));
    MDB_val k = {from.n, from.p}, v;
    for (rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE); rc == 0 && e == ERR_OK; rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        struct str full = {k.mv_data, k.mv_size};
        if (full.n < 2 || memcmp(full.p, from.p, 2) != 0) break;
        if (after.n && str_eq(full, buf_view(&from))) continue;
        e = each(arg, (struct str){full.p + 2, full.n - 2}, v.mv_size ? (enum store_over)*(const unsigned char *)v.mv_data : STORE_GONE);
    }
    mdb_cursor_close(c);
    buf_free(&from);
    return rc && rc != MDB_NOTFOUND ? store__fail(s, rc, "walk keys", f) : e;
}
