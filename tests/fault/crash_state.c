/* crash_state.c - the judge of a state directory, whoever lived in it: secrets, log, index. Asks nothing of the engine: the log by its verifier, the
 * index by folding the log again from its first frame, and what had been promised by looking for it.
 *
 * Of the many states of crash_power.c most differ in the index only. What is said of all the rest (that it verifies, what its fold is, the hash of each
 * frame) is kept under the hash of all its bytes, and asked for there the next time. */
#include "tests/fault/state.h"
#include "journal/verify/verify.h"
#include "store/event.h"
#include "store/store_private.h"
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- judged before? ---- */
static struct { const char *root; size_t root_n; unsigned char sum[32]; } bytes;

/* The order in which a directory gives its names does not matter: hashes are added. */
static int add_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    const char *name = path + bytes.root_n;
    unsigned char part[8192], hash[32];
    crypto_generichash_state h;
    (void)st, (void)at;
    if (strncmp(name, "/index", 6) == 0) return 0;
    crypto_generichash_init(&h, NULL, 0, sizeof hash);
    crypto_generichash_update(&h, (const unsigned char *)name, strlen(name) + 1);
    FILE *in = type == FTW_F ? fopen(path, "rb") : NULL;
    for (size_t n = 1; in && n > 0;) {
        n = fread(part, 1, sizeof part, in);
        crypto_generichash_update(&h, part, n);
    }
    if (type == FTW_F && !in) return -1;
    if (in) fclose(in);
    crypto_generichash_final(&h, hash, sizeof hash);
    sodium_add(bytes.sum, hash, sizeof hash);
    return 0;
}

static void look_before(struct state_judge *j)
{
    char hex[2 * HASH_BYTES + 1], path[800];
    if (!j->kept) return;
    bytes.root = j->dir;
    bytes.root_n = strlen(j->dir);
    memset(bytes.sum, 0, sizeof bytes.sum);
    if (nftw(j->dir, add_file, 16, FTW_PHYS) != 0) abort();
    hash_hex(bytes.sum, HASH_BYTES, hex);
    (void)snprintf(j->fold, sizeof j->fold, "%s/%s", j->kept, hex);
    (void)snprintf(path, sizeof path, "%s/hashes", j->fold);
    j->hashes = fopen(path, "rb");
    j->before = j->hashes != NULL;
    if (j->before) return;
    (void)snprintf(path, sizeof path, "%s/hashes", j->dir);
    j->hashes = fopen(path, "w+b");
    if (!j->hashes) abort();
}

/* It was found good: fold and hashes move to where the next one looks. Somebody else may have been faster. */
static void keep(struct state_judge *j)
{
    char from[700], to[800];
    if (!j->kept || j->before) return;
    if (fflush(j->hashes) != 0) abort();
    (void)snprintf(from, sizeof from, "%s/hashes", j->dir);
    (void)snprintf(to, sizeof to, "%s/index-again/hashes", j->dir);
    if (rename(from, to) != 0) abort();
    (void)snprintf(from, sizeof from, "%s/index-again", j->dir);
    (void)rename(from, j->fold);
}

/* What read_frame would have found, from the hashes: seq 1 stands first. */
static enum err frames_before(struct state_judge *j, struct fault *f)
{
    unsigned char hash[HASH_BYTES];
    if (fseek(j->hashes, 0, SEEK_END) != 0) abort();
    j->last_seq = (uint64_t)ftell(j->hashes) / HASH_BYTES;
    if (!j->claim || j->claim->seq == 0 || j->claim->seq > j->last_seq) return ERR_OK;
    bool read = fseek(j->hashes, (long)((j->claim->seq - 1) * HASH_BYTES), SEEK_SET) == 0 && fread(hash, 1, sizeof hash, j->hashes) == sizeof hash;
    if (!read) abort();
    return memcmp(hash, j->claim->hash, sizeof hash) == 0 ? ERR_OK : fault_set(f, ERR_CORRUPT, "frame %llu is not the one that had been synced", (unsigned long long)j->claim->seq);
}

/* ---- the log ---- */
/* The log names compiled specs by hash; why and replay need them. */
static enum err image_kept(const struct state_judge *j, const struct frame *fr, struct fault *f)
{
    char hex[2 * HASH_BYTES + 1], path[800];
    static const struct hash none;
    if (memcmp(fr->image.b, none.b, HASH_BYTES) == 0) return ERR_OK;
    hash_hex(fr->image.b, HASH_BYTES, hex);
    (void)snprintf(path, sizeof path, "%s/images/%s.mlcb", j->dir, hex);
    return access(path, R_OK) == 0 ? ERR_OK : fault_set(f, ERR_CORRUPT, "frame %llu was made by a compiled spec that is not kept", (unsigned long long)fr->seq);
}

static enum err slot_gone(const struct state_judge *j, uint32_t slot)
{
    char path[700];
    unsigned char have[32] = {1};
    static const unsigned char zeros[32];
    (void)snprintf(path, sizeof path, "%s/keys.slots", j->dir);
    FILE *in = fopen(path, "rb");
    bool read = in && fseek(in, (long)slot * 32, SEEK_SET) == 0 && fread(have, 1, sizeof have, in) == sizeof have;
    if (in) fclose(in);
    return read && memcmp(have, zeros, sizeof zeros) == 0 ? ERR_OK : ERR_CORRUPT;
}

static enum err read_frame(void *arg, const struct frame *fr, struct fault *f)
{
    struct state_judge *j = arg;
    struct event_tags ev = {0};
    if (!event_read(&ev, fr->pub) || !event_read(&ev, fr->priv)) return fault_set(f, ERR_CORRUPT, "frame %llu cannot be read", (unsigned long long)fr->seq);
    if (fr->priv_erased && !j->erases) return fault_set(f, ERR_CORRUPT, "the private part of frame %llu is erased, and nobody did it", (unsigned long long)fr->seq);
    if (j->claim && fr->seq == j->claim->seq && memcmp(fr->hash.b, j->claim->hash, HASH_BYTES) != 0)
        return fault_set(f, ERR_CORRUPT, "frame %llu is not the one that had been synced", (unsigned long long)fr->seq);
    if (j->hashes && (fr->seq != j->last_seq + 1 || fwrite(fr->hash.b, 1, HASH_BYTES, j->hashes) != HASH_BYTES)) abort();
    j->last_seq = fr->seq;
    uint32_t slot = fr->kind == FRAME_ERASE ? (uint32_t)event_int(&ev, EV_SLOT, FRAME_NO_SLOT) : FRAME_NO_SLOT;
    if (slot != FRAME_NO_SLOT && slot_gone(j, slot) != ERR_OK)
        return fault_set(f, ERR_CORRUPT, "the log says that data key %u is erased, and it is there", slot);
    if (j->frame) j->frame(j->arg, fr, &ev);
    enum err err = image_kept(j, fr, f);
    return err == ERR_OK ? store_apply(j->again, fr, f) : err;
}

static enum err open_all(struct state_judge *j, struct fault *f)
{
    char index[700], again[700], journal[700];
    world_real(&j->w);
    (void)snprintf(index, sizeof index, "%s/index", j->dir);
    if (j->before) (void)snprintf(again, sizeof again, "%s", j->fold);
    else (void)snprintf(again, sizeof again, "%s/index-again", j->dir);
    (void)snprintf(journal, sizeof journal, "%s/journal", j->dir);
    enum err err = secret_open(&j->secrets, &j->w, j->dir, NULL, NULL, f);
    if (err != ERR_OK) return err;
    struct store_options so = {.dir = index, .map_bytes = 16 << 20, .seal = {.seal = secret_seal_same, .open = secret_unseal, .ctx = j->secrets}};
    secret_derive(j->secrets, SECRET_INDEX_KEY, so.key);
    err = store_open(&j->store, &j->w, &so, f);
    so.dir = again;
    so.read_only = j->before;
    if (err == ERR_OK) err = store_open(&j->again, &j->w, &so, f);
    if (err == ERR_OK) err = slot_open(j->secrets, store_next_slot(j->store), f);
    if (err != ERR_OK || j->before) return err;
    struct journal_options jo = {.dir = journal, .origin = "ml-connector", .applied_seq = store_applied_seq(j->store), .read_only = true,
                                 .seal = {secret_seal, secret_unseal, NULL, j->secrets, {0}}};
    return journal_open(&j->journal, &j->w, &jo, f);
}

/* Byte by byte: both indexes are made of the same frames with the same key. */
static enum err same_tables(struct state_judge *j, struct fault *f)
{
    static const char *const names[TABLE_COUNT] = {"meta", "flows", "rows", "due", "inflight", "held", "locked", "ids", "links", "waiting"};
    for (int t = TABLE_FLOWS; t < TABLE_COUNT; t++) {
        MDB_cursor *a, *b;
        MDB_val ka, va, kb, vb;
        if (mdb_cursor_open(j->store->txn, j->store->dbi[t], &a) || mdb_cursor_open(j->again->txn, j->again->dbi[t], &b))
            return fault_set(f, ERR_IO, "no cursor");
        for (;;) {
            int ra = mdb_cursor_get(a, &ka, &va, MDB_NEXT), rb = mdb_cursor_get(b, &kb, &vb, MDB_NEXT);
            if (ra != rb) return fault_set(f, ERR_CORRUPT, "table %s of the index and of the log's fold have not the same length", names[t]);
            if (ra) break;
            bool same = ka.mv_size == kb.mv_size && va.mv_size == vb.mv_size && memcmp(ka.mv_data, kb.mv_data, ka.mv_size) == 0 &&
                        memcmp(va.mv_data, vb.mv_data, va.mv_size) == 0;
            if (!same) return fault_set(f, ERR_CORRUPT, "table %s of the index is not what the log says", names[t]);
        }
        mdb_cursor_close(a);
        mdb_cursor_close(b);
    }
    return ERR_OK;
}

static enum err verified(struct state_judge *j, struct fault *f)
{
    char dir[700];
    unsigned char pk[32];
    struct verify_report r;
    (void)snprintf(dir, sizeof dir, "%s/journal", j->dir);
    secret_public_key(j->secrets, pk);
    struct verify_options o = {.dir = dir, .public_key = pk};
    if (verify_log(&o, &r)) return r.signatures ? ERR_OK : fault_set(f, ERR_CORRUPT, "the log has no signed checkpoint");
    return fault_set(f, ERR_CORRUPT, "the audit log does not verify: %s", r.error);
}

/* The value that was put last, or one that was being put. */
static enum err secret_kept(struct state_judge *j, const struct claim_secret *want, struct fault *f)
{
    struct arena a;
    struct str v;
    unsigned char hash[32];
    bool good = false;
    arena_init(&a, 4096);
    enum err err = secret_get(j->secrets, want->name, &a, &v, f);
    if (err == ERR_OK) crypto_generichash(hash, sizeof hash, (const unsigned char *)v.p, v.n, NULL, 0);
    for (size_t i = 0; i < want->n && err == ERR_OK; i++) good = good || memcmp(hash, want->hash[i], sizeof hash) == 0;
    arena_free(&a);
    return err != ERR_OK || good ? err : fault_set(f, ERR_CORRUPT, "secret %s is not what was kept", want->name);
}

static enum err claims_hold(struct state_judge *j, struct fault *f)
{
    const struct claim *c = j->claim;
    enum err err = ERR_OK;
    if (!c) return ERR_OK;
    if (j->last_seq < c->seq)
        return fault_set(f, ERR_CORRUPT, "the log ends at frame %llu, and frame %llu had been synced", (unsigned long long)j->last_seq, (unsigned long long)c->seq);
    for (size_t i = 0; i < c->nsecrets && err == ERR_OK; i++)
        if (c->secret[i].kept) err = secret_kept(j, &c->secret[i], f);
    for (size_t i = 0; i < c->nslots && err == ERR_OK; i++) err = slot_gone(j, c->slot[i]) == ERR_OK ? ERR_OK : fault_set(f, ERR_CORRUPT, "data key %u had been erased and is there again", c->slot[i]);
    return err;
}

/* The log verifies and folds. */
static enum err folded(struct state_judge *j, struct fault *f)
{
    enum err err = verified(j, f);
    if (err == ERR_OK) err = journal_read(j->journal, 1, read_frame, j, f);
    if (err == ERR_OK) err = store_flush(j->again, f);
    return err == ERR_OK ? store_check(j->again, f) : err;
}

enum err state_judge(struct state_judge *j, struct fault *f)
{
    look_before(j);
    enum err err = open_all(j, f);
    if (err == ERR_OK) err = store_check(j->store, f);
    if (err == ERR_OK) err = j->before ? frames_before(j, f) : folded(j, f);
    if (err == ERR_OK) err = store__begin(j->again, f);
    if (err == ERR_OK && store_applied_seq(j->again) != store_applied_seq(j->store))
        err = fault_set(f, ERR_CORRUPT, "the log ends at %llu, the index at %llu", (unsigned long long)store_applied_seq(j->again),
                        (unsigned long long)store_applied_seq(j->store));
    if (err == ERR_OK) keep(j);
    if (err == ERR_OK) err = same_tables(j, f);
    return err == ERR_OK ? claims_hold(j, f) : err;
}

/* ---- claims ---- */
static struct claim_secret *secret_of(struct claim *c, const char *name)
{
    for (size_t i = 0; i < c->nsecrets; i++)
        if (strcmp(c->secret[i].name, name) == 0) return &c->secret[i];
    if (c->nsecrets == CLAIM_SECRETS) abort();
    struct claim_secret *s = &c->secret[c->nsecrets++];
    *s = (struct claim_secret){.n = 0};
    (void)snprintf(s->name, sizeof s->name, "%s", name);
    return s;
}

void claim_add(struct claim *c, const struct promise *p)
{
    struct claim_secret *s;
    switch ((enum promise_what)p->what) {
    case PROMISE_FRAMES:
        c->seq = p->seq;
        memcpy(c->hash, p->hash, sizeof c->hash);
        return;
    case PROMISE_SECRET_BEGINS:
        s = secret_of(c, p->name);
        if (s->n == CLAIM_VALUES) abort();
        memcpy(s->hash[s->n++], p->hash, sizeof p->hash);
        return;
    case PROMISE_SECRET:                /* those before it cannot come back */
        s = secret_of(c, p->name);
        memcpy(s->hash[0], p->hash, sizeof p->hash);
        s->n = 1;
        s->kept = true;
        return;
    case PROMISE_ERASED:
        if (c->nslots == CLAIM_SLOTS) abort();
        c->slot[c->nslots++] = p->slot;
        return;
    }
}
