/* slots.c - data keys in one flat file: pre-generated, handed out in order, erased one by one.
 *
 *   keys.slots = block | block | ...          block = mark 32 | slot 32 | slot 32 | ...   (SLOT_BLOCK in all, slot n at byte n * 32)
 *
 * A block is written and synced, then its mark is written and synced, then its slots are handed out. So a block without its mark was never
 * used and is generated anew; with its mark every slot in it is on the disk. While no slot of the last block is known to be in use, a start
 * writes its mark again: the sync of the mark may have failed in the last life, and then it is only in memory. A slot of zeros was erased
 * (none is ever generated). */
#include "secret/private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOT_BYTES  32u
#define BLOCK_BYTES (SLOT_BLOCK * SLOT_BYTES)
#define MARK_TEXT   "mlc slots"
#define SLOT_LIMIT  (UINT32_MAX - SLOT_BLOCK)

/* The mark names the block and is bound to the master key, so that a file of another store is not taken for ours. */
static void mark_of(const struct secret_store *s, uint32_t first, unsigned char out[SLOT_BYTES])
{
    char text[40];
    int n = snprintf(text, sizeof text, "%s %lu", MARK_TEXT, (unsigned long)first);
    ASSERT(n > 0 && n < (int)sizeof text);
    struct hash h = hash_keyed(s->keys.purpose[SECRET_SLOT_KEY], (struct str){text, (size_t)n});
    memcpy(out, h.b, SLOT_BYTES);
}

static enum err file_fault(const struct secret_store *s, const char *what, struct fault *f)
{
    bool full = errno == ENOSPC || errno == EDQUOT;
    return fault_set(f, full ? ERR_NO_SPACE : ERR_IO, "cannot %s %s/keys.slots: %s", what, s->dir, strerror(errno));
}

static enum err read_at(const struct secret_store *s, uint64_t off, unsigned char *p, size_t n, struct fault *f)
{
    const struct world_files *fs = &s->w->files;
    for (size_t have = 0; have < n;) {
        int64_t got = fs->pread(fs->ctx, s->slots_fd, p + have, n - have, (int64_t)(off + have));
        if (got == 0) return fault_set(f, ERR_CORRUPT, "%s/keys.slots is too short: put a copy of it in its place", s->dir);
        if (got < 0) return file_fault(s, "read", f);
        have += (size_t)got;
    }
    return ERR_OK;
}

static enum err write_at(struct secret_store *s, uint64_t off, const unsigned char *p, size_t n, struct fault *f)
{
    const struct world_files *fs = &s->w->files;
    if (s->sync_failed) return fault_set(f, ERR_SYNC_FAILED, "%s/keys.slots could not be synced: start again", s->dir);
    for (size_t done = 0; done < n;) {
        int64_t put = fs->pwrite(fs->ctx, s->slots_fd, p + done, n - done, (int64_t)(off + done));
        if (put == 0) errno = ENOSPC;
        if (put <= 0) return file_fault(s, "write", f);
        done += (size_t)put;
    }
    if (fs->fdatasync(fs->ctx, s->slots_fd) == 0) return ERR_OK;
    s->sync_failed = true;
    return fault_set(f, ERR_SYNC_FAILED, "cannot sync %s/keys.slots: %s; start again", s->dir, strerror(errno));
}

static enum err write_mark(struct secret_store *s, uint32_t first, struct fault *f)
{
    unsigned char mark[SLOT_BYTES];
    mark_of(s, first, mark);
    return write_at(s, (uint64_t)first * SLOT_BYTES, mark, sizeof mark, f);
}

/* Writes the block of slots from s->ready on. */
static enum err grow(struct secret_store *s, struct fault *f)
{
    if (s->ready >= SLOT_LIMIT) return fault_set(f, ERR_TOO_LARGE, "%s/keys.slots: no slot numbers left", s->dir);
    unsigned char *p = sodium_malloc(BLOCK_BYTES);
    if (!p) check_no_memory();
    s->w->random.fill(s->w->random.ctx, p, BLOCK_BYTES);
    memset(p, 0, SLOT_BYTES);                       /* no mark yet */
    enum err e = ERR_OK;
    for (uint32_t i = 1; i < SLOT_BLOCK && e == ERR_OK; i++)
        if (sodium_is_zero(p + (size_t)i * SLOT_BYTES, SLOT_BYTES)) e = fault_set(f, ERR_SECRET, "the random generator gives zeros");
    uint64_t off = (uint64_t)s->ready * SLOT_BYTES;
    if (e == ERR_OK) e = write_at(s, off, p, BLOCK_BYTES, f);
    sodium_free(p);
    if (e == ERR_OK) e = write_mark(s, s->ready, f);
    if (e == ERR_OK) s->ready += SLOT_BLOCK;
    return e;
}

/* Counts the whole blocks. Only the last one may lack its mark, and only when no slot of it is in use. */
static enum err count_blocks(struct secret_store *s, struct fault *f)
{
    unsigned char mark[SLOT_BYTES], have[SLOT_BYTES];
    int64_t size = s->w->files.size(s->w->files.ctx, s->slots_fd);
    if (size < 0) return file_fault(s, "read", f);
    uint64_t blocks = (uint64_t)size / BLOCK_BYTES;
    if (blocks * SLOT_BLOCK > SLOT_LIMIT) return fault_set(f, ERR_CORRUPT, "%s/keys.slots is longer than this program makes it", s->dir);
    for (uint64_t b = 0; b < blocks; b++) {
        enum err e = read_at(s, b * BLOCK_BYTES, have, sizeof have, f);
        if (e != ERR_OK) return e;
        mark_of(s, (uint32_t)b * SLOT_BLOCK, mark);
        if (sodium_memcmp(mark, have, sizeof mark) == 0) s->ready = ((uint32_t)b + 1) * SLOT_BLOCK;
        else if (b + 1 < blocks) return fault_set(f, ERR_CORRUPT, "%s/keys.slots is damaged at slot %llu: put a copy of it in its place", s->dir, (unsigned long long)b * SLOT_BLOCK);
    }
    if (s->next > s->ready)
        return fault_set(f, ERR_CORRUPT, "%s/keys.slots ends at slot %u, but slots up to %u are in use: without them what they seal cannot be read. "
                         "Put a copy of the file in its place", s->dir, s->ready, s->next - 1);
    return ERR_OK;
}

enum err slot_open(struct secret_store *s, uint32_t next_free, struct fault *f)
{
    const struct world_files *fs = &s->w->files;
    char path[SECRET_PATH_BYTES];
    ASSERT(s->slots_fd < 0 && !s->read_only);
    secret__path(s, "keys.slots", path);
    s->slots_fd = fs->open(fs->ctx, path, O_RDWR | O_CREAT, 0600);
    if (s->slots_fd < 0) return file_fault(s, "open", f);
    s->ready = 0;
    s->next = next_free;
    enum err e = count_blocks(s, f);
    if (e == ERR_OK && s->ready && s->next <= s->ready - SLOT_BLOCK + 1) e = write_mark(s, s->ready - SLOT_BLOCK, f);
    /* While nothing of it is in use the name may never have been synced. */
    if (e == ERR_OK && next_free <= 1 && fs->sync_dir(fs->ctx, s->dir) != 0) e = fault_set(f, ERR_SYNC_FAILED, "cannot sync %s: %s", s->dir, strerror(errno));
    if (e == ERR_OK) return ERR_OK;
    fs->close(fs->ctx, s->slots_fd);
    s->slots_fd = -1;
    return e;
}

enum err slot_open_read(struct secret_store *s, struct fault *f)
{
    const struct world_files *fs = &s->w->files;
    char path[SECRET_PATH_BYTES];
    ASSERT(s->slots_fd < 0);
    s->slots_look = true;
    secret__path(s, "keys.slots", path);
    s->slots_fd = fs->open(fs->ctx, path, O_RDONLY, 0);
    if (s->slots_fd < 0) return errno == ENOENT ? ERR_OK : file_fault(s, "open", f);
    enum err e = count_blocks(s, f);
    if (e == ERR_OK) return ERR_OK;
    fs->close(fs->ctx, s->slots_fd);
    s->slots_fd = -1;
    return e;
}

/* A reader's count grows with the writer's file. */
static void follow_writer(struct secret_store *s)
{
    if (s->slots_fd >= 0) (void)count_blocks(s, NULL);
    else (void)slot_open_read(s, NULL);
}

enum err slot_take(struct secret_store *s, uint32_t *slot, struct fault *f)
{
    ASSERT(!s->slots_look);
    if (s->slots_fd < 0) return fault_set(f, ERR_SECRET, "the data keys are not open");
    if (s->next % SLOT_BLOCK == 0) s->next++;       /* a mark */
    if (s->next > s->ready) {
        enum err e = grow(s, f);
        if (e != ERR_OK) return e;
    }
    *slot = s->next++;
    return ERR_OK;
}

enum err slot_seen(struct secret_store *s, uint32_t slot, struct fault *f)
{
    if (slot >= s->ready) return fault_set(f, ERR_CORRUPT, "%s/keys.slots ends at slot %u, but slot %u is in use: put a copy of the file in its place", s->dir, s->ready, slot);
    if (s->next <= slot) s->next = slot + 1;
    return ERR_OK;
}

void slot_rewind(struct secret_store *s, uint32_t next)
{
    ASSERT(next <= s->next);
    s->next = next;
}

uint32_t slot_next(const struct secret_store *s) { return s->next; }

enum err slot_erase(struct secret_store *s, uint32_t slot, struct fault *f)
{
    static const unsigned char zeros[SLOT_BYTES];
    ASSERT(!s->slots_look);
    if (s->slots_fd < 0) return fault_set(f, ERR_SECRET, "the data keys are not open");
    if (slot >= s->ready || slot % SLOT_BLOCK == 0) return fault_set(f, ERR_NOT_FOUND, "there is no data key %u", slot);
    return write_at(s, (uint64_t)slot * SLOT_BYTES, zeros, sizeof zeros, f);
}

/* The data key of a slot, or the log's own key. */
static enum err data_key(struct secret_store *s, uint32_t slot, unsigned char key[32])
{
    unsigned char raw[SLOT_BYTES];
    if (slot == UINT32_MAX) {                       /* FRAME_NO_SLOT */
        memcpy(key, s->keys.purpose[SECRET_LOG_KEY], 32);
        return ERR_OK;
    }
    if (s->slots_look && slot >= s->ready) follow_writer(s);
    if (s->slots_fd < 0 || slot >= s->ready || slot % SLOT_BLOCK == 0) return ERR_SECRET;
    enum err e = read_at(s, (uint64_t)slot * SLOT_BYTES, raw, sizeof raw, NULL);
    if (e != ERR_OK) return e;
    if (sodium_is_zero(raw, sizeof raw)) return ERR_NOT_FOUND;
    struct hash h = hash_keyed(s->keys.purpose[SECRET_SLOT_KEY], (struct str){(const char *)raw, sizeof raw});
    memcpy(key, h.b, 32);
    sodium_memzero(raw, sizeof raw);
    sodium_memzero(&h, sizeof h);
    return ERR_OK;
}

enum err secret_seal(void *store, uint32_t slot, struct str ad, struct str plain, struct buf *out)
{
    unsigned char key[32];
    enum err e = data_key(store, slot, key);
    if (e != ERR_OK) return e;
    struct secret_store *s = store;
    unsigned char nonce[SECRET_NONCE_BYTES];
    s->w->random.fill(s->w->random.ctx, nonce, sizeof nonce);
    secret__encrypt(key, nonce, ad, plain, out);
    sodium_memzero(key, sizeof key);
    return ERR_OK;
}

/* The nonce is a keyed hash of all that goes in: another text never meets the nonce of this one. */
enum err secret_seal_same(void *store, uint32_t slot, struct str ad, struct str plain, struct buf *out)
{
    static const unsigned char purpose[crypto_generichash_blake2b_PERSONALBYTES] = "mlc same nonce";
    unsigned char key[32], nonce[SECRET_NONCE_BYTES], len[8];
    enum err e = data_key(store, slot, key);
    if (e != ERR_OK) return e;
    for (int i = 0; i < 8; i++) len[i] = (unsigned char)((uint64_t)ad.n >> (8 * i));
    crypto_generichash_blake2b_state st;
    crypto_generichash_blake2b_init_salt_personal(&st, key, sizeof key, sizeof nonce, NULL, purpose);
    crypto_generichash_blake2b_update(&st, len, sizeof len);
    if (ad.n) crypto_generichash_blake2b_update(&st, (const unsigned char *)ad.p, ad.n);
    if (plain.n) crypto_generichash_blake2b_update(&st, (const unsigned char *)plain.p, plain.n);
    crypto_generichash_blake2b_final(&st, nonce, sizeof nonce);
    secret__encrypt(key, nonce, ad, plain, out);
    sodium_memzero(key, sizeof key);
    sodium_memzero(&st, sizeof st);
    return ERR_OK;
}

enum err secret_unseal(void *store, uint32_t slot, struct str ad, struct str sealed, struct arena *a, struct str *plain)
{
    unsigned char key[32];
    enum err e = data_key(store, slot, key);
    if (e != ERR_OK) return e;
    bool good = secret__decrypt(key, ad, sealed, a, plain);
    sodium_memzero(key, sizeof key);
    return good ? ERR_OK : ERR_CORRUPT;
}
