/* secret.c - the store under a directory: opened with its keys (key.c), and sealed values.
 *
 *   sealed file = head 8 | nonce 24 | cipher + tag
 *
 * Keys live in locked memory and never leave it but through secret_derive. */
#include "secret/private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define HEAD         "mlcsec1\x01"      /* magic and version */
#define HEAD_BYTES   8u
#define NONCE_BYTES  crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES    crypto_aead_xchacha20poly1305_ietf_ABYTES
#define VALUE_BYTES  (64u << 10)

/* ---- open and close ---- */

void secret__path(const struct secret_store *s, const char *name, char out[SECRET_PATH_BYTES])
{
    int n = snprintf(out, SECRET_PATH_BYTES, "%s/%s", s->dir, name);
    ASSERT(n > 0 && n < (int)SECRET_PATH_BYTES);        /* secret_open limits dir */
}

static enum err make_dirs(const struct secret_store *s, struct fault *f)
{
    const struct world_files *fs = &s->w->files;
    char path[SECRET_PATH_BYTES];
    if (fs->mkdir(fs->ctx, s->dir, 0700) != 0 && errno != EEXIST) return fault_set(f, ERR_IO, "cannot make %s: %s", s->dir, strerror(errno));
    secret__path(s, "secrets", path);
    bool made = fs->mkdir(fs->ctx, path, 0700) == 0;
    if (!made && errno != EEXIST) return fault_set(f, ERR_IO, "cannot make %s: %s", path, strerror(errno));
    if (made && fs->sync_dir(fs->ctx, s->dir) != 0) return fault_set(f, ERR_SYNC_FAILED, "cannot sync %s: %s", s->dir, strerror(errno));
    return ERR_OK;
}

static enum err open_store(struct secret_store **out, const struct world *w, const char *dir, const char *key_file, const char *credentials_dir,
                           bool read_only, struct fault *f)
{
    *out = NULL;
    if (sodium_init() < 0) return fault_set(f, ERR_SECRET, "the crypto library does not start");
    if (!dir || !dir[0] || strlen(dir) > SECRET_PATH_BYTES - 100) return fault_set(f, ERR_CONFIG, "the path of the state directory is empty or too long");
    struct secret_store *s = sodium_malloc(sizeof *s);       /* guarded, locked, wiped when freed */
    if (!s) check_no_memory();
    memset(s, 0, sizeof *s);
    s->w = w;
    s->slots_fd = -1;
    s->read_only = read_only;
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    enum err e = read_only ? ERR_OK : make_dirs(s, f);
    if (e == ERR_OK) e = secret__keys_open(s, key_file, credentials_dir, f);
    if (e == ERR_OK && !read_only) e = secret__rotation_end(s, f);
    if (e != ERR_OK) {
        secret_close(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}

enum err secret_open(struct secret_store **out, const struct world *w, const char *dir, const char *key_file, const char *credentials_dir,
                     struct fault *f)
{
    return open_store(out, w, dir, key_file, credentials_dir, false, f);
}

enum err secret_open_read(struct secret_store **out, const struct world *w, const char *dir, const char *key_file, const char *credentials_dir,
                          struct fault *f)
{
    return open_store(out, w, dir, key_file, credentials_dir, true, f);
}

void secret_close(struct secret_store *s)
{
    if (!s) return;
    if (s->slots_fd >= 0) s->w->files.close(s->w->files.ctx, s->slots_fd);
    sodium_free(s);
}

void secret_wipe(struct str s)
{
    if (s.n) sodium_memzero((void *)(uintptr_t)s.p, s.n);
}

void secret_derive(const struct secret_store *s, enum secret_purpose p, unsigned char out[32])
{
    ASSERT(p >= SECRET_KEY_HASH && p <= SECRET_SLOT_KEY);
    memcpy(out, s->keys.purpose[p], 32);
}

static void key_pair(const struct secret_store *s, unsigned char pk[32], unsigned char sk[64])
{
    unsigned char seed[32];
    secret_derive(s, SECRET_SIGN_SEED, seed);
    ASSERT(crypto_sign_seed_keypair(pk, sk, seed) == 0);
    sodium_memzero(seed, sizeof seed);
}

enum err secret_sign(void *store, struct str message, unsigned char sig[64])
{
    unsigned char pk[32], sk[64];
    key_pair(store, pk, sk);
    int rc = crypto_sign_detached(sig, NULL, (const unsigned char *)message.p, message.n, sk);
    sodium_memzero(sk, sizeof sk);
    return rc == 0 ? ERR_OK : ERR_SECRET;
}

void secret_public_key(const struct secret_store *s, unsigned char pk[32])
{
    unsigned char sk[64];
    key_pair(s, pk, sk);
    sodium_memzero(sk, sizeof sk);
}

/* ---- sealed values ---- */

static bool name_fits(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    size_t n = strlen(name);
    return n >= 1 && n <= 64 && strspn(name, allowed) == n && name[0] != '.' && !(n >= 4 && strcmp(name + n - 4, ".tmp") == 0);
}

static enum err value_path(const struct secret_store *s, const char *name, char out[SECRET_PATH_BYTES], struct fault *f)
{
    char file[80];
    if (!name_fits(name)) return fault_set(f, ERR_USAGE, "\"%.80s\" cannot name a secret: 1 to 64 of A-Z a-z 0-9 _ . -, no dot at the front, no .tmp", name);
    snprintf(file, sizeof file, "secrets/%s", name);
    secret__path(s, file, out);
    return ERR_OK;
}

static void value_ad(struct buf *ad, const char *name)
{
    buf_put(ad, HEAD, HEAD_BYTES);
    buf_puts(ad, name);
}

void secret__encrypt(const unsigned char key[32], const unsigned char nonce[SECRET_NONCE_BYTES], struct str ad, struct str plain, struct buf *out)
{
    unsigned char *p = (unsigned char *)buf_reserve(out, NONCE_BYTES + plain.n + TAG_BYTES);
    memcpy(p, nonce, NONCE_BYTES);
    unsigned long long n = 0;
    crypto_aead_xchacha20poly1305_ietf_encrypt(p + NONCE_BYTES, &n, (const unsigned char *)plain.p, plain.n, (const unsigned char *)ad.p, ad.n, NULL, p, key);
    ASSERT(n == plain.n + TAG_BYTES);
    out->n += NONCE_BYTES + (size_t)n;
}

bool secret__decrypt(const unsigned char key[32], struct str ad, struct str sealed, struct arena *a, struct str *plain)
{
    if (sealed.n < NONCE_BYTES + TAG_BYTES) return false;
    size_t n = sealed.n - NONCE_BYTES - TAG_BYTES;
    const unsigned char *nonce = (const unsigned char *)sealed.p;
    char *p = arena_alloc(a, n + 1);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)p, NULL, NULL, nonce + NONCE_BYTES, n + TAG_BYTES, (const unsigned char *)ad.p, ad.n,
                                                   nonce, key) != 0) return false;
    *plain = (struct str){p, n};
    return true;
}

enum err secret__put(struct secret_store *s, const char *name, struct str value, struct fault *f)
{
    char path[SECRET_PATH_BYTES];
    struct buf ad = {0}, file = {0};
    ASSERT(!s->read_only);
    enum err e = value_path(s, name, path, f);
    if (e != ERR_OK) return e;
    if (value.n > VALUE_BYTES) return fault_set(f, ERR_TOO_LARGE, "secret %s is %zu bytes long, the limit is %u", name, value.n, VALUE_BYTES);
    value_ad(&ad, name);
    buf_put(&file, HEAD, HEAD_BYTES);
    unsigned char nonce[NONCE_BYTES];
    s->w->random.fill(s->w->random.ctx, nonce, sizeof nonce);
    secret__encrypt(s->keys.value, nonce, buf_view(&ad), value, &file);
    e = world_write_file(s->w, path, buf_view(&file), 0600, f);
    buf_free(&ad);
    buf_free(&file);
    return e;
}

/* A process that was open already when another one changed the master key must not leave a value under the key that was. */
enum err secret_put(struct secret_store *s, const char *name, struct str value, struct fault *f)
{
    enum err e = secret__put(s, name, value, f);
    return e == ERR_OK ? secret__keys_same(s, f) : e;
}

enum err secret_get(struct secret_store *s, const char *name, struct arena *a, struct str *out, struct fault *f)
{
    char path[SECRET_PATH_BYTES];
    struct buf ad = {0};
    struct str file;
    enum err e = value_path(s, name, path, f);
    if (e != ERR_OK) return e;
    e = world_read_file(s->w, path, VALUE_BYTES + 256, a, &file, f);
    if (e == ERR_NOT_FOUND) return fault_set(f, ERR_SECRET, "secret %s is not set: mlcd secret set %s", name, name);
    if (e == ERR_TOO_LARGE) return fault_set(f, ERR_CORRUPT, "secret %s is damaged: set it again with mlcd secret set %s", name, name);
    if (e != ERR_OK) return e;
    value_ad(&ad, name);
    struct str sealed = file.n > HEAD_BYTES && memcmp(file.p, HEAD, HEAD_BYTES) == 0 ? (struct str){file.p + HEAD_BYTES, file.n - HEAD_BYTES} : (struct str){"", 0};
    bool good = secret__decrypt(s->keys.value, buf_view(&ad), sealed, a, out) ||
                (!sodium_is_zero(s->keys.value_before, 32) && secret__decrypt(s->keys.value_before, buf_view(&ad), sealed, a, out));
    buf_free(&ad);
    if (good) return ERR_OK;
    return fault_set(f, ERR_SECRET, "secret %s cannot be opened: damaged, or sealed under another name or key; set it again with mlcd secret set %s", name, name);
}

enum err secret_remove(struct secret_store *s, const char *name, struct fault *f)
{
    const struct world_files *fs = &s->w->files;
    char path[SECRET_PATH_BYTES], dir[SECRET_PATH_BYTES];
    ASSERT(!s->read_only);
    enum err e = value_path(s, name, path, f);
    if (e != ERR_OK) return e;
    if (fs->unlink(fs->ctx, path) != 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot remove secret %s: %s", name, errno == ENOENT ? "it is not set" : strerror(errno));
    secret__path(s, "secrets", dir);
    if (fs->sync_dir(fs->ctx, dir) != 0) return fault_set(f, ERR_SYNC_FAILED, "cannot sync %s: %s", dir, strerror(errno));
    return ERR_OK;
}

struct listing { void (*each)(void *arg, const char *name); void *arg; };

static void list_one(void *arg, const char *name)
{
    struct listing *l = arg;
    if (name_fits(name)) l->each(l->arg, name);
}

enum err secret_list(struct secret_store *s, void (*each)(void *arg, const char *name), void *arg, struct fault *f)
{
    char dir[SECRET_PATH_BYTES];
    struct listing l = {each, arg};
    secret__path(s, "secrets", dir);
    if (s->w->files.list(s->w->files.ctx, dir, list_one, &l) != 0 && !(s->read_only && errno == ENOENT)) return fault_set(f, ERR_IO, "cannot list %s: %s", dir, strerror(errno));
    return ERR_OK;
}
