/* rig.h - what the journal tests share: a world over a memdisk, a seal, and a model of what the log must hold.
 *
 * The model is a list of frames in order. A frame's public part is its number in the order of all appends ever made ("id life"), so a frame that
 * survives wrongly is recognised. `acked` = frames of which a commit said OK, or which an open counted. */
#ifndef TESTS_UNIT_JOURNAL_RIG_H
#define TESTS_UNIT_JOURNAL_RIG_H
#include "journal/journal.h"
#include "base/buf.h"
#include "tests/fault/memdisk.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define RIG_FRAMES 1024
struct rig_frame { uint32_t id; bool last; };
struct model {
    struct rig_frame v[RIG_FRAMES]; size_t n;
    size_t acked;
    uint64_t applied;               /* what the index says it has folded */
    uint32_t next_id;
};
struct rig {
    struct memdisk *d;
    struct world w;
    int64_t wall, mono;
    uint64_t nonce;
    uint32_t erased_slot;           /* opening this one gives NOT_FOUND */
    size_t segment_bytes;
    unsigned checkpoint_frames;
    bool claim_proven;              /* planted bug: tells the journal that all it finds is durable */
    struct model m;
    char why[700];
};

static inline int64_t rig_wall(void *ctx) { return ((struct rig *)ctx)->wall += 7; }
static inline int64_t rig_mono(void *ctx) { return ((struct rig *)ctx)->mono += 7; }
static inline void rig_sleep(void *ctx, int64_t ms) { ((struct rig *)ctx)->mono += ms; }

static inline void rig_key(uint32_t slot, unsigned char key[32])
{
    crypto_generichash(key, 32, (const unsigned char *)&slot, sizeof slot, NULL, 0);
}

static inline enum err rig_seal(void *ctx, uint32_t slot, struct str ad, struct str plain, struct buf *out)
{
    struct rig *r = ctx;
    unsigned char key[32], nonce[24] = {0};
    if (slot == r->erased_slot) return ERR_NOT_FOUND;
    rig_key(slot, key);
    r->nonce++;
    memcpy(nonce, &r->nonce, sizeof r->nonce);
    buf_put(out, nonce, sizeof nonce);
    unsigned char *to = (unsigned char *)buf_reserve(out, plain.n + 16);
    crypto_aead_xchacha20poly1305_ietf_encrypt(to, NULL, (const unsigned char *)plain.p, plain.n, (const unsigned char *)ad.p, ad.n, NULL, nonce, key);
    out->n += plain.n + 16;
    return ERR_OK;
}

static inline enum err rig_unseal(void *ctx, uint32_t slot, struct str ad, struct str sealed, struct arena *a, struct str *plain)
{
    struct rig *r = ctx;
    unsigned char key[32];
    if (slot == r->erased_slot) return ERR_NOT_FOUND;
    if (sealed.n < 40) return ERR_CORRUPT;
    rig_key(slot, key);
    char *p = arena_alloc(a, sealed.n);
    const unsigned char *s = (const unsigned char *)sealed.p;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)p, NULL, NULL, s + 24, sealed.n - 24, (const unsigned char *)ad.p, ad.n, s, key) != 0)
        return ERR_CORRUPT;
    *plain = (struct str){p, sealed.n - 40};
    return ERR_OK;
}

static inline void rig_keypair(unsigned char pk[32], unsigned char sk[64])
{
    static const unsigned char seed[32] = {7};
    crypto_sign_seed_keypair(pk, sk, seed);
}

static inline enum err rig_sign(void *ctx, struct str message, unsigned char sig[64])
{
    unsigned char pk[32], sk[64];
    (void)ctx;
    rig_keypair(pk, sk);
    crypto_sign_detached(sig, NULL, (const unsigned char *)message.p, message.n, sk);
    return ERR_OK;
}

static inline void rig_init(struct rig *r, struct memdisk *d)
{
    memset(r, 0, sizeof *r);
    r->d = d;
    r->wall = 1773355267250;
    r->erased_slot = FRAME_NO_SLOT - 1;
    r->segment_bytes = 2048;
    r->checkpoint_frames = 5;
    r->w.clock = (struct world_clock){rig_wall, rig_mono, rig_sleep, r};
    if (d) memdisk_files(d, &r->w.files);
}

/* A copy of the rig and its disk. Free with rig_drop. */
static inline struct rig *rig_copy(const struct rig *from)
{
    struct rig *r = malloc(sizeof *r);
    if (!r) abort();
    *r = *from;
    r->d = memdisk_copy(from->d);
    r->w.clock.ctx = r;
    memdisk_files(r->d, &r->w.files);
    return r;
}

static inline void rig_drop(struct rig *r)
{
    memdisk_free(r->d);
    free(r);
}

static inline struct journal_options rig_options(struct rig *r)
{
    struct journal_options o = {.dir = "/log", .origin = "test/log", .seal = {rig_seal, rig_unseal, rig_sign, r, {0}}, .applied_seq = r->m.applied,
                                .segment_bytes = r->segment_bytes, .checkpoint_frames = r->checkpoint_frames};
    unsigned char sk[64];
    rig_keypair(o.seal.public_key, sk);
    return o;
}

/* ---- the model ---- */

static inline size_t rig_private_bytes(uint32_t id) { return id % 3 == 0 ? 0 : id % 11 == 0 ? 900 : id % 7 * 9 + 1; }

static inline enum err rig_append(struct rig *r, struct journal *j, struct fault *f)
{
    uint32_t id = r->m.next_id;
    char pub[32], priv[1024];
    memset(priv, (int)('a' + id % 26), sizeof priv);
    struct frame fr = {.kind = (uint16_t)(r->m.n == 0 || id % 17 == 0 ? FRAME_OPEN : FRAME_ROW + id % 5), .slot = id % 4 ? id : FRAME_NO_SLOT};
    fr.pub = (struct str){pub, (size_t)snprintf(pub, sizeof pub, "frame %u", id)};
    fr.priv = (struct str){priv, rig_private_bytes(id)};
    if (id % 2) fr.image.b[3] = (unsigned char)id;
    if (id % 5 == 0) fr.flow.b[9] = 1;
    if (id % 3) fr.key_hash[0] = (unsigned char)(id % 3);
    enum err e = journal_append(j, &fr, f);
    if (e != ERR_OK) return e;
    r->m.next_id++;
    if (fr.seq != r->m.n + 1 || r->m.n == RIG_FRAMES) {
        snprintf(r->why, sizeof r->why, "append gave seq %llu, the model expects %zu", (unsigned long long)fr.seq, r->m.n + 1);
        return ERR_CORRUPT;
    }
    r->m.v[r->m.n++] = (struct rig_frame){id, false};
    return ERR_OK;
}

static inline enum err rig_close_batch(struct rig *r, struct journal *j, struct fault *f)
{
    enum err e = journal_close_batch(j, f);
    if (e == ERR_OK && r->m.n) r->m.v[r->m.n - 1].last = true;
    return e;
}

/* The marks go into the model before the call: a commit that fails may still have reached the disk. */
static inline enum err rig_commit(struct rig *r, struct journal *j, struct fault *f)
{
    if (r->m.n) r->m.v[r->m.n - 1].last = true;
    enum err e = journal_commit(j, f);
    if (e == ERR_OK) r->m.acked = r->m.n;
    return e;
}

struct rig_reading { struct rig *r; size_t n; };
static inline enum err rig_check_frame(void *arg, const struct frame *fr, struct fault *f)
{
    struct rig_reading *rd = arg;
    char pub[32];
    const struct model *m = &rd->r->m;
    if (rd->n >= m->n) return fault_set(f, ERR_REJECTED, "frame %llu was never written", (unsigned long long)fr->seq);
    uint32_t id = m->v[rd->n].id;
    size_t n = (size_t)snprintf(pub, sizeof pub, "frame %u", id);
    if (fr->seq != rd->n + 1) return fault_set(f, ERR_REJECTED, "frame %zu has seq %llu", rd->n + 1, (unsigned long long)fr->seq);
    if (!str_eq(fr->pub, (struct str){pub, n})) return fault_set(f, ERR_REJECTED, "frame %zu is not the one that was written", rd->n + 1);
    if (fr->priv.n != rig_private_bytes(id) || (fr->priv.n && fr->priv.p[fr->priv.n - 1] != (char)('a' + id % 26)))
        return fault_set(f, ERR_REJECTED, "frame %zu has another private part", rd->n + 1);
    if (((fr->flags & FRAME_COMMIT) != 0) != m->v[rd->n].last) return fault_set(f, ERR_REJECTED, "frame %zu: batches differ", rd->n + 1);
    rd->n++;
    return ERR_OK;
}

/* Reads everything and holds it against the model; what survived is then what the model has. False and r->why when it must not be so. */
static inline bool rig_check(struct rig *r, struct journal *j)
{
    struct fault f = {ERR_OK, ""};
    struct rig_reading rd = {r, 0};
    struct model *m = &r->m;
    enum err e = journal_read(j, 1, rig_check_frame, &rd, &f);
    if (e != ERR_OK) snprintf(r->why, sizeof r->why, "read: %s", f.text);
    else if (rd.n != journal_durable_seq(j)) snprintf(r->why, sizeof r->why, "read gave %zu frames, durable_seq is %llu", rd.n, (unsigned long long)journal_durable_seq(j));
    else if (rd.n < m->acked) snprintf(r->why, sizeof r->why, "%zu frames were promised, %zu are there", m->acked, rd.n);
    else if (rd.n && !m->v[rd.n - 1].last) snprintf(r->why, sizeof r->why, "the log ends within a batch, at frame %zu", rd.n);
    else {
        m->n = m->acked = rd.n;
        return true;
    }
    return false;
}

/* Opens and checks. NULL: *e says whether it failed for a planted fault (not OK, not CORRUPT) or wrongly (CORRUPT, r->why is set). */
static inline struct journal *rig_open(struct rig *r, enum err *e)
{
    struct journal *j = NULL;
    struct fault f = {ERR_OK, ""};
    struct journal_options o = rig_options(r);
    if (r->claim_proven) {
        o.read_only = true;
        if (journal_open(&j, &r->w, &o, &f) == ERR_OK) o.applied_seq = journal_durable_seq(j);
        journal_close(j);
        o.read_only = false;
    }
    *e = journal_open(&j, &r->w, &o, &f);
    if (*e != ERR_OK) {
        if (*e == ERR_CORRUPT) snprintf(r->why, sizeof r->why, "open: %s", f.text);
        return NULL;
    }
    if (!rig_check(r, j)) {
        bool stopped = r->d && memdisk_stopped(r->d);       /* power went off between open and read: no verdict */
        if (stopped) r->why[0] = '\0';
        *e = stopped ? ERR_IO : ERR_CORRUPT;
        journal_close(j);
        return NULL;
    }
    return j;
}

/* One life: batches of several shapes, over more than one segment, with batches closed but not flushed and batches taken back. */
static inline enum err rig_work(struct rig *r, struct journal *j, int batches)
{
    struct fault f = {ERR_OK, ""};
    enum err e = ERR_OK;
    for (int b = 0; b < batches && e == ERR_OK; b++) {
        for (int i = 0; i <= b % 4 && e == ERR_OK; i++) e = rig_append(r, j, &f);
        if (b % 5 == 3 && e == ERR_OK) {                    /* change of mind */
            journal_drop_batch(j);
            while (r->m.n > r->m.acked && !r->m.v[r->m.n - 1].last) r->m.n--;
            continue;
        }
        if (e == ERR_OK) e = b % 3 == 1 ? rig_close_batch(r, j, &f) : rig_commit(r, j, &f);
        if (e == ERR_OK && b % 4 == 2 && r->m.acked) r->m.applied = r->m.acked - (b % 8 == 2 ? 1 : 0);
    }
    if (e == ERR_OK) e = rig_commit(r, j, &f);
    if (e == ERR_OK || e == ERR_CORRUPT) return e;
    struct frame fr = {.kind = FRAME_ROW, .slot = FRAME_NO_SLOT};
    if (journal_append(j, &fr, &f) == ERR_OK || journal_commit(j, &f) == ERR_OK) {
        snprintf(r->why, sizeof r->why, "the journal works on after a failure");
        return ERR_CORRUPT;
    }
    return e;
}

/* A whole life. ERR_CORRUPT means: wrong, r->why says what. Any other error: a planted fault was met. */
static inline enum err rig_live(struct rig *r, int batches)
{
    enum err e;
    struct journal *j = rig_open(r, &e);
    if (!j) return e;
    e = rig_work(r, j, batches);
    journal_close(j);
    return e;
}

/* ---- what a test prints ---- */
static int failures;

static inline bool verdict(bool good, const char *name, const char *why)
{
    if (good) printf("ok %s\n", name);
    else printf("not ok %s: %s\n", name, why);
    failures += !good;
    return good;
}

/* ---- a fresh log, a frame, and what is seen of one ---- */
static inline struct rig *fresh(void)
{
    struct rig *r = malloc(sizeof *r);
    if (!r) abort();
    rig_init(r, memdisk_new());
    return r;
}

static inline struct frame sample(void)
{
    struct frame fr = {.kind = FRAME_INTENT, .slot = 77, .pub = STR("public \0 part"), .priv = STR("private part")};
    fr.image = hash_of(STR("image"));
    fr.flow = hash_of(STR("flow"));
    memcpy(fr.key_hash, "0123456789abcdef", 16);
    return fr;
}

struct seen { struct frame last; unsigned n; char pub[64], priv[64]; size_t pub_n, priv_n; };
static inline enum err see(void *arg, const struct frame *fr, struct fault *f)
{
    struct seen *s = arg;
    (void)f;
    s->last = *fr;
    s->n++;
    s->pub_n = fr->pub.n < 64 ? fr->pub.n : 64;
    s->priv_n = fr->priv.n < 64 ? fr->priv.n : 64;
    if (s->pub_n) memcpy(s->pub, fr->pub.p, s->pub_n);
    if (s->priv_n) memcpy(s->priv, fr->priv.p, s->priv_n);
    return ERR_OK;
}
#endif
