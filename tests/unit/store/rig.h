/* rig.h - an index made by folding frames that are written down here: rows of two flows in all states, some longer than a page, answered finds, several
 * commits so that pages were freed. Seals are real ones of a key per slot. */
#ifndef TESTS_UNIT_STORE_RIG_H
#define TESTS_UNIT_STORE_RIG_H
#include "base/outcome.h"
#include "store/store.h"
#include "tests/unit/value/ok.h"
#include "tests/tree.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct rig { char dir[200], index[240]; struct world w; struct store *s; uint64_t seq; struct fault f; };

static inline void rig_key_of(uint32_t slot, unsigned char key[32]) { crypto_generichash(key, 32, (const unsigned char *)&slot, sizeof slot, NULL, 0); }

static inline enum err rig_seal(void *ctx, uint32_t slot, struct str ad, struct str plain, struct buf *out)
{
    unsigned char key[32], nonce[24] = {0};
    (void)ctx;
    rig_key_of(slot, key);
    buf_put(out, nonce, sizeof nonce);
    unsigned char *to = (unsigned char *)buf_reserve(out, plain.n + 16);
    crypto_aead_xchacha20poly1305_ietf_encrypt(to, NULL, (const unsigned char *)plain.p, plain.n, (const unsigned char *)ad.p, ad.n, NULL, nonce, key);
    out->n += plain.n + 16;
    return ERR_OK;
}

static inline enum err rig_unseal(void *ctx, uint32_t slot, struct str ad, struct str sealed, struct arena *a, struct str *plain)
{
    unsigned char key[32];
    const unsigned char *s = (const unsigned char *)sealed.p;
    (void)ctx;
    if (sealed.n < 40) return ERR_CORRUPT;
    rig_key_of(slot, key);
    char *p = arena_alloc(a, sealed.n);
    *plain = (struct str){p, sealed.n - 40};
    return crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)p, NULL, NULL, s + 24, sealed.n - 24, (const unsigned char *)ad.p, ad.n, s, key) ? ERR_CORRUPT : ERR_OK;
}

static inline struct store_options rig_options(const struct rig *r)
{
    return (struct store_options){.dir = r->index, .key = {1, 2, 3}, .map_bytes = 64 << 20, .seal = {.seal = rig_seal, .open = rig_unseal}};
}

static inline void rig_store(struct rig *r)
{
    struct store_options o = rig_options(r);
    if (store_open(&r->s, &r->w, &o, &r->f) != ERR_OK) {
        printf("not ok the rig's index opens: %s\n", r->f.text);
        exit(1);
    }
}

static inline void rig_open(struct rig *r)
{
    const char *tmp = getenv("TMPDIR");
    *r = (struct rig){.seq = 0};
    snprintf(r->dir, sizeof r->dir, "%.150s/mlc-store.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(r->dir)) abort();
    snprintf(r->index, sizeof r->index, "%s/index", r->dir);
    world_real(&r->w);
    rig_store(r);
}

static inline void rig_close(struct rig *r)
{
    store_close(r->s);
    tree_gone(r->dir);
}

/* "TAG=text TAG#number ..."; a record's frame is "FLOW KEY TAG..." with the key as one letter. */
static inline void rig_tags(struct buf *out, const char *text)
{
    char tag[20], value[200];
    while (*text) {
        size_t n = strcspn(text, "=#"), m = strcspn(text + n + 1, " ");
        snprintf(tag, sizeof tag, "%.*s", (int)n, text);
        snprintf(value, sizeof value, "%.*s", (int)m, text + n + 1);
        unsigned t = 1;
        while (t < EV_TAG_LIMIT && (!event_tag_name(t) || strcmp(event_tag_name(t), tag) != 0)) t++;
        if (t == EV_TAG_LIMIT) abort();
        if (text[n] == '#') event_put_int(out, (enum event_tag)t, strtoll(value, NULL, 10));
        else event_put_text(out, (enum event_tag)t, value);
        text += n + 1 + m;
        text += strspn(text, " ");
    }
}

static inline void rig_apply(struct rig *r, enum frame_kind kind, uint32_t slot, const struct buf *pub, const struct buf *priv)
{
    struct frame fr = {.seq = ++r->seq, .time_ms = INT64_C(1773355267000) + (int64_t)r->seq, .kind = (uint16_t)kind, .slot = slot, .pub = buf_view(pub), .priv = buf_view(priv)};
    if (store_apply(r->s, &fr, &r->f) != ERR_OK) {
        printf("not ok the rig's frames fold: %s\n", r->f.text);
        exit(1);
    }
}

/* A frame about record number n of a flow. text: what its private part holds, if anything. */
static inline void rig_record(struct rig *r, enum frame_kind kind, const char *flow, unsigned n, enum event_tag tag, size_t bytes, int64_t state, int64_t cls)
{
    struct buf pub = {0}, priv = {0}, key = {0}, text = {0};
    char number[20], id[20];
    snprintf(number, sizeof number, "%06u", n);
    snprintf(id, sizeof id, "55500000%06u", n);
    rowkey_make(&key, (struct str[]){STR("ABC"), str_of(number)}, 2);
    for (size_t i = 0; i < bytes; i++) buf_byte(&text, (unsigned char)('a' + (n + i * i) % 26));
    event_put_text(&pub, EV_FLOW, flow);
    if (state >= 0) event_put_int(&pub, EV_STATE, state);
    if (cls >= 0) event_put_int(&pub, EV_CLASS, cls);
    event_put(&priv, EV_KEY, buf_view(&key));
    if (kind == FRAME_ROW) event_put_int(&pub, EV_SLOT, n);
    if (bytes) event_put(&priv, tag, buf_view(&text));
    if (cls == W_APPLIED) event_put_text(&priv, EV_ID, id);
    rig_apply(r, kind, n, &pub, &priv);
    buf_free(&pub);
    buf_free(&priv);
    buf_free(&key);
    buf_free(&text);
}

static inline void rig_link(struct rig *r, unsigned n)
{
    struct buf pub = {0}, priv = {0};
    char value[40];
    snprintf(value, sizeof value, "person%u@example.com", n);
    event_put_text(&pub, EV_MODULE, "users");
    event_put_text(&pub, EV_FIELD, "email");
    event_put_text(&priv, EV_VALUE, value);
    event_put_text(&priv, EV_ID, "5550000099999");
    rig_apply(r, FRAME_LINK, n, &pub, &priv);
    buf_free(&pub);
    buf_free(&priv);
}

/* One record through its life as far as its number says. */
static inline void rig_life(struct rig *r, const char *flow, unsigned n)
{
    rig_record(r, FRAME_ROW, flow, n, EV_WANTED, n % 13 == 5 ? 9000 + n : 150 + n % 90, n % 7 == 3 ? ROW_HELD : ROW_DIRTY, -1);
    if (n % 7 == 3 || n % 5 == 4) return;
    rig_record(r, FRAME_INTENT, flow, n, EV_SENT, 150 + n % 90, -1, -1);
    if (n % 11 == 7) return;
    rig_record(r, FRAME_OUTCOME, flow, n, EV_WHY, 0, -1, n % 17 == 2 ? W_AMBIGUOUS : W_APPLIED);
    if (n % 6 == 0) rig_link(r, n);
}

/* Rows of two flows, in `commits` commits, with changes to earlier ones. */
static inline void rig_fill(struct rig *r, unsigned records, unsigned commits)
{
    for (unsigned c = 0; c < commits; c++) {
        for (unsigned n = c * records / commits; n < (c + 1) * records / commits; n++) {
            rig_life(r, n % 3 ? "customers" : "items", n + 1);
            if (n > 10 && n % 4 == 0) rig_record(r, FRAME_ROW, (n - 8) % 3 ? "customers" : "items", n - 7, EV_WANTED, 200, ROW_DIRTY, -1);
        }
        if (store_flush(r->s, &r->f) != ERR_OK) {
            printf("not ok the rig's index commits: %s\n", r->f.text);
            exit(1);
        }
    }
}
#endif
