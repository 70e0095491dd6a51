/* secret.c - the master key, what is derived from it, and sealed values.
 *
 *   master.key -kdf-> per purpose: value key (files under secrets/), slot key, log key, ... ; sealed file = head 8 | nonce 24 | cipher + tag
 *
 * The master key is read once, lives in locked memory and never leaves it but through the kdf. */
#include "secret/private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define KDF_CONTEXT  "mlcsecrt"
#define KDF_VALUES   64                 /* purposes that stay in this room */
#define KDF_ID       65
#define HEAD         "mlcsec1\x01"      /* magic and version */
#define HEAD_BYTES   8u
#define NONCE_BYTES  crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES    crypto_aead_xchacha20poly1305_ietf_ABYTES
#define VALUE_BYTES  (64u << 10)

static void derive(const struct secret_store *s, uint64_t purpose, unsigned char out[32])
{
    ASSERT(crypto_kdf_derive_from_key(out, 32, purpose, KDF_CONTEXT, s->master) == 0);
}

/* ---- the master key ---- */

/* 32 raw bytes, 64 hex digits, or base64 of 32 bytes (either alphabet); blanks around the text forms are fine. */
static bool decode_key(struct str text, unsigned char key[32])
{
    static const int variants[] = {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING, sodium_base64_VARIANT_URLSAFE,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    size_t n = 0;
    if (text.n == 32) {
        memcpy(key, text.p, 32);
        return true;
    }
    text = str_trim(text);
    if (text.n == 64) return sodium_hex2bin(key, 32, text.p, text.n, NULL, &n, NULL) == 0 && n == 32;
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (sodium_base642bin(key, 32, text.p, text.n, NULL, &n, NULL, variants[i]) == 0 && n == 32) return true;
    return false;
}

static enum err check_access(const struct world *w, const char *path, bool credential, struct fault *f)
{
    unsigned mode;
    bool ours;
    if (w->files.mode(w->files.ctx, path, &mode, &ours) != 0) return fault_set(f, ERR_SECRET, "cannot look at the master key %s: %s", path, strerror(errno));
    /* A service manager may own the credential and let us in by an access list, which shows as group bits. */
    if (mode & (credential ? 07u : 077u))
        return fault_set(f, ERR_SECRET, "the master key %s is open to others (mode %04o): chmod 600 it, and make a new one if others could read it", path, mode);
    if (!credential && !ours) return fault_set(f, ERR_SECRET, "the master key %s belongs to another user: chown it to the user of this program", path);
    return ERR_OK;
}

static enum err load_key(struct secret_store *s, const char *path, bool credential, struct fault *f)
{
    struct arena a;
    struct str text = {NULL, 0};
    enum err e = check_access(s->w, path, credential, f);
    if (e != ERR_OK) return e;
    arena_init(&a, 512);
    e = world_read_file(s->w, path, 256, &a, &text, f);
    if (e == ERR_TOO_LARGE || (e == ERR_OK && !decode_key(text, s->master)))
        e = fault_set(f, ERR_SECRET, "the master key %s is no key: it must hold 32 bytes, or 64 hex digits, or base64 of 32 bytes", path);
    else if (e == ERR_OK && sodium_is_zero(s->master, 32)) e = fault_set(f, ERR_SECRET, "the master key %s is all zeros", path);
    secret_wipe(text);
    arena_free(&a);
    return e;
}

static enum err make_key(struct secret_store *s, const char *path, struct fault *f)
{
    char hex[65];
    s->w->random.fill(s->w->random.ctx, s->master, 32);
    if (sodium_is_zero(s->master, 32)) return fault_set(f, ERR_SECRET, "the random generator gives zeros only");
    sodium_bin2hex(hex, sizeof hex, s->master, 32);
    hex[64] = '\n';
    enum err e = world_write_file(s->w, path, (struct str){hex, 65}, 0600, f);
    sodium_memzero(hex, sizeof hex);
    return e;
}

static bool exists(const struct world *w, const char *path)
{
    unsigned mode;
    bool ours;
    return w->files.mode(w->files.ctx, path, &mode, &ours) == 0 || errno != ENOENT;
}

static void found(void *arg, const char *name)
{
    (void)name;
    *(bool *)arg = true;
}

/* Something is sealed under a key already: then a new key would only hide that the old one is gone. */
static bool in_use(const struct secret_store *s)
{
    char path[SECRET_PATH_BYTES];
    bool any = false;
    if (secret_list((struct secret_store *)s, found, &any, NULL) != ERR_OK || any) return true;
    secret__path(s, "key.id", path);
    if (exists(s->w, path)) return true;
    secret__path(s, "keys.slots", path);
    return exists(s->w, path);
}

static enum err find_key(struct secret_store *s, const char *key_file, const char *credentials_dir, struct fault *f)
{
    char path[SECRET_PATH_BYTES];
    bool credential = !key_file && credentials_dir;
    int n = credential ? snprintf(path, sizeof path, "%s/mlc-key", credentials_dir)
          : key_file   ? snprintf(path, sizeof path, "%s", key_file)
                       : snprintf(path, sizeof path, "%s/master.key", s->dir);
    if (n < 0 || (size_t)n > sizeof path - 8) return fault_set(f, ERR_CONFIG, "the path of the master key is too long");
    if (exists(s->w, path)) return load_key(s, path, credential, f);
    if (credential) return fault_set(f, ERR_SECRET, "there is no credential mlc-key in %s: load it with LoadCredential= in the unit", credentials_dir);
    if (in_use(s)) return fault_set(f, ERR_SECRET, "the master key %s is missing, but values are sealed with it: put it back from where it is kept", path);
    if (s->read_only) return fault_set(f, ERR_NOT_FOUND, "nothing is sealed in %s yet, and there is no master key: `mlcd secret set NAME` makes one", s->dir);
    return make_key(s, path, f);
}

/* The state directory's own name; a failure here stays visible, because key.id is made only afterwards. */
static enum err sync_parent(const struct secret_store *s, struct fault *f)
{
    char parent[SECRET_PATH_BYTES];
    snprintf(parent, sizeof parent, "%s", s->dir);
    size_t n = strlen(parent);
    while (n > 1 && parent[n - 1] == '/') parent[--n] = '\0';
    char *slash = strrchr(parent, '/');
    if (!slash) snprintf(parent, sizeof parent, ".");
    else slash[slash == parent ? 1 : 0] = '\0';
    if (s->w->files.sync_dir(s->w->files.ctx, parent) == 0) return ERR_OK;
    return fault_set(f, ERR_SYNC_FAILED, "cannot sync the directory %s: %s; if %s is new, remove it before the next start", parent, strerror(errno), s->dir);
}

/* key.id is made with the first use of a key and holds it to that one. */
static enum err check_id(struct secret_store *s, struct fault *f)
{
    char path[SECRET_PATH_BYTES], hex[65];
    unsigned char id[32];
    struct arena a;
    struct str text;
    derive(s, KDF_ID, id);
    sodium_bin2hex(hex, sizeof hex, id, 32);
    hex[64] = '\n';
    secret__path(s, "key.id", path);
    arena_init(&a, 512);
    enum err e = world_read_file(s->w, path, 256, &a, &text, f);
    if (e == ERR_NOT_FOUND && s->read_only) e = ERR_OK;
    else if (e == ERR_NOT_FOUND) e = sync_parent(s, f) != ERR_OK ? ERR_SYNC_FAILED : world_write_file(s->w, path, (struct str){hex, 65}, 0600, f);
    else if (e == ERR_OK && !str_eq(text, (struct str){hex, 65}))
        e = fault_set(f, ERR_SECRET, "this is not the master key that %s was made with (or key.id in it is damaged): use the right key file", s->dir);
    arena_free(&a);
    return e;
}

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
    if (e == ERR_OK) e = find_key(s, key_file, credentials_dir, f);
    if (e == ERR_OK) e = check_id(s, f);
    if (e != ERR_OK) {
        secret_close(s);
        return e;
    }
    derive(s, KDF_VALUES, s->value_key);
    secret_derive(s, SECRET_LOG_KEY, s->log_key);
    secret_derive(s, SECRET_SLOT_KEY, s->slot_key);
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
    derive(s, (uint64_t)p, out);
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

enum err secret_put(struct secret_store *s, const char *name, struct str value, struct fault *f)
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
    secret__encrypt(s->value_key, nonce, buf_view(&ad), value, &file);
    e = world_write_file(s->w, path, buf_view(&file), 0600, f);
    buf_free(&ad);
    buf_free(&file);
    return e;
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
    bool good = file.n > HEAD_BYTES && memcmp(file.p, HEAD, HEAD_BYTES) == 0 &&
                secret__decrypt(s->value_key, buf_view(&ad), (struct str){file.p + HEAD_BYTES, file.n - HEAD_BYTES}, a, out);
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
