/* seal.c - what comes from records stands in the index only sealed, as in the log: rows and answered finds, each under the data key of its record.
 *
 *   frame (opened) -fold-> row -store__row_seal-> TABLE_ROWS: open half | sealed half        associated data: table, key
 *                                                 TABLE_LINKS: time, slot | sealed (field, value, id); the key is a keyed hash
 *
 * So a page that LMDB freed holds nothing that can be read once the data key is destroyed. The sealed bytes are a function of the plain ones, which
 * keeps the index a function of the log. A half whose data key was destroyed reads as empty: the row says ERASED, or will when the frame is folded. */
#include "store/store_private.h"
#include <sodium.h>

static void bound_to(struct buf *ad, enum store_table t, struct str key)
{
    buf_clear(ad);
    buf_byte(ad, (unsigned char)t);
    buf_str(ad, key);
}

static enum err failed(struct store *s, enum err e, const char *what, uint32_t slot, struct fault *f)
{
    struct fault why;
    (void)fault_set(&why, e, "index: a record cannot be %s with data key %u: %s", what, slot, err_text(e));
    return store__broken(s, &why, f);
}

/* ERR_NOT_FOUND, the data key is destroyed: nothing is put. */
static enum err seal(struct store *s, enum store_table t, struct str key, uint32_t slot, struct str plain, struct buf *out, struct fault *f)
{
    struct buf ad = {0};
    bound_to(&ad, t, key);
    enum err e = s->seal.seal(s->seal.ctx, slot, buf_view(&ad), plain, out);
    buf_free(&ad);
    return e == ERR_OK || e == ERR_NOT_FOUND ? ERR_OK : failed(s, e, "sealed", slot, f);
}

static enum err unseal(struct store *s, enum store_table t, struct str key, uint32_t slot, struct str sealed, struct arena *a, struct str *plain, struct fault *f)
{
    struct buf ad = {0};
    *plain = (struct str){NULL, 0};
    if (sealed.n == 0) return ERR_OK;
    bound_to(&ad, t, key);
    enum err e = s->seal.open(s->seal.ctx, slot, buf_view(&ad), sealed, a, plain);
    buf_free(&ad);
    return e == ERR_OK || e == ERR_NOT_FOUND ? ERR_OK : failed(s, e, "opened", slot, f);
}

/* ---- rows ---- */
enum err store__row_seal(struct store *s, struct str key, const struct row *r, struct buf *out, struct fault *f)
{
    buf_clear(&s->plain);
    row_encode_open(out, r);
    row_encode_private(&s->plain, r);
    return s->plain.n ? seal(s, TABLE_ROWS, key, r->slot, buf_view(&s->plain), out, f) : ERR_OK;
}

enum err store__row_open(struct store *s, struct str key, struct str value, struct arena *a, struct row *out, struct fault *f)
{
    struct str sealed, plain;
    bool good = row_decode_open((struct str){arena_copy(a, value.p, value.n), value.n}, out, &sealed);
    enum err e = good ? unseal(s, TABLE_ROWS, key, out->slot, sealed, a, &plain, f) : ERR_OK;
    if (e != ERR_OK) return e;
    if (good && row_decode_private(plain, out)) return ERR_OK;
    return fault_set(f, ERR_CORRUPT, "a row of the index cannot be read; mlcd repair makes the index anew from the audit log");
}

/* ---- answered finds ---- */
void store_link_hash(const struct store *s, struct str field, struct str value, unsigned char out[LINK_HASH_BYTES])
{
    crypto_generichash_state st;
    crypto_generichash_init(&st, s->key, sizeof s->key, LINK_HASH_BYTES);
    if (field.n) crypto_generichash_update(&st, (const unsigned char *)field.p, field.n);
    crypto_generichash_update(&st, (const unsigned char *)"", 1);
    if (value.n) crypto_generichash_update(&st, (const unsigned char *)value.p, value.n);
    crypto_generichash_final(&st, out, LINK_HASH_BYTES);
}

struct str store__link_key(struct store *s, struct str module, const unsigned char hash[LINK_HASH_BYTES])
{
    buf_clear(&s->keybuf);
    buf_str(&s->keybuf, module);
    buf_byte(&s->keybuf, 0);
    buf_put(&s->keybuf, hash, LINK_HASH_BYTES);
    return buf_view(&s->keybuf);
}

bool store__link_slot(struct str value, uint32_t *slot)
{
    struct reader r = reader_of(value);
    (void)read_u64(&r);
    *slot = read_u32(&r);
    return !r.bad;
}

enum err store__link_seal(struct store *s, struct str key, const struct store_answer *l, struct buf *out, struct fault *f)
{
    buf_clear(&s->plain);
    buf_u64(out, (uint64_t)l->at_ms);
    buf_u32(out, l->slot);
    buf_blob(&s->plain, l->field);
    buf_blob(&s->plain, l->value);
    buf_blob(&s->plain, l->id);
    return seal(s, TABLE_LINKS, key, l->slot, buf_view(&s->plain), out, f);
}

bool store__link_open(struct store *s, struct str key, struct str value, struct arena *a, struct store_answer *out)
{
    struct reader r = reader_of((struct str){arena_copy(a, value.p, value.n), value.n});
    out->at_ms = (int64_t)read_u64(&r);
    out->slot = read_u32(&r);
    struct str sealed = {(const char *)r.p, (size_t)(r.end - r.p)}, plain;
    if (r.bad || unseal(s, TABLE_LINKS, key, out->slot, sealed, a, &plain, NULL) != ERR_OK || plain.n == 0) return false;
    r = reader_of(plain);
    out->field = read_blob(&r);
    out->value = read_blob(&r);
    out->id = read_blob(&r);
    return reader_done(&r);
}
