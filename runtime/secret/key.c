/* key.c - the master key, and the keys that it opens.
 *
 *   master.key (or --key-file, or a credential)          32 bytes; opens one thing:
 *   key.id = id of the master key, hex, line end 65 | head 8 | nonce 24 | cipher + tag of struct secret_keys
 *
 * The keys in key.id are random, made with the store, and not derived from the master key: so another master key can be put in its place (rotate.c), and
 * who finds an old one opens nothing with it. A store that was made before key.id held keys has the 65 bytes only; its keys are derived from the master key
 * until that is changed for the first time. The two kinds of id differ, so that a cut-off key.id is not taken for an old one.
 *
 * While the master key is changed there are two: PATH and PATH.next (credentials: mlc-key and mlc-key-next). key.id says which of them counts. */
#include "secret/private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define KDF_CONTEXT  "mlcsecrt"
#define KDF_VALUES   64                 /* 1 to 5 and this: the keys of a store without keys in key.id */
#define KDF_ID       65
#define KDF_RING_ID  66
#define KDF_RING     67                 /* seals key.id */
#define RING_HEAD    "mlckeys\x01"
#define HEAD_BYTES   8u
#define ID_BYTES     65u

static void derive(const unsigned char master[32], uint64_t purpose, unsigned char out[32])
{
    ASSERT(crypto_kdf_derive_from_key(out, 32, purpose, KDF_CONTEXT, master) == 0);
}

static void id_of(const unsigned char master[32], uint64_t kind, char out[ID_BYTES])
{
    unsigned char id[32];
    derive(master, kind, id);
    sodium_bin2hex(out, ID_BYTES, id, 32);
}

static void derive_all(const unsigned char master[32], struct secret_keys *k)
{
    sodium_memzero(k, sizeof *k);
    for (uint64_t p = SECRET_KEY_HASH; p <= SECRET_SLOT_KEY; p++) derive(master, p, k->purpose[p]);
    derive(master, KDF_VALUES, k->value);
}

/* ---- the key file ---- */

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
    if (w->files.mode(w->files.ctx, path, &mode, &ours) != 0)
        return fault_set(f, errno == ENOENT || errno == EACCES || errno == ENOTDIR ? ERR_SECRET : ERR_IO, "cannot look at the master key %s: %s", path, strerror(errno));
    /* A service manager may own the credential and let us in by an access list, which shows as group bits. */
    if (mode & (credential ? 07u : 077u))
        return fault_set(f, ERR_SECRET, "the master key %s is open to others (mode %04o): chmod 600 it, and make a new one if others could read it", path, mode);
    if (!credential && !ours) return fault_set(f, ERR_SECRET, "the master key %s belongs to another user: chown it to the user of this program", path);
    return ERR_OK;
}

enum err secret__load_key(const struct secret_store *s, const char *path, unsigned char out[32], struct fault *f)
{
    struct arena a;
    struct str text = {NULL, 0};
    enum err e = check_access(s->w, path, s->credential, f);
    if (e != ERR_OK) return e;
    arena_init(&a, 512);
    e = world_read_file(s->w, path, 256, &a, &text, f);
    if (e == ERR_TOO_LARGE || (e == ERR_OK && !decode_key(text, out)))
        e = fault_set(f, ERR_SECRET, "the master key %s is no key: it must hold 32 bytes, or 64 hex digits, or base64 of 32 bytes", path);
    else if (e == ERR_OK && sodium_is_zero(out, 32)) e = fault_set(f, ERR_SECRET, "the master key %s is all zeros", path);
    secret_wipe(text);
    arena_free(&a);
    return e;
}

enum err secret__write_key(const struct secret_store *s, const char *path, const unsigned char key[32], struct fault *f)
{
    char hex[65];
    if (sodium_is_zero(key, 32)) return fault_set(f, ERR_SECRET, "the random generator gives zeros only");
    sodium_bin2hex(hex, sizeof hex, key, 32);
    hex[64] = '\n';
    enum err e = world_write_file(s->w, path, (struct str){hex, 65}, 0600, f);
    sodium_memzero(hex, sizeof hex);
    return e;
}

bool secret__key_exists(const struct secret_store *s, const char *path)
{
    unsigned mode;
    bool ours;
    return s->w->files.mode(s->w->files.ctx, path, &mode, &ours) == 0 || errno != ENOENT;
}

static enum err name_files(struct secret_store *s, const char *key_file, const char *credentials_dir, struct fault *f)
{
    s->credential = !key_file && credentials_dir;
    s->own = !key_file && !credentials_dir;
    int n = s->credential ? snprintf(s->key_path, sizeof s->key_path, "%s/mlc-key", credentials_dir)
          : key_file      ? snprintf(s->key_path, sizeof s->key_path, "%s", key_file)
                          : snprintf(s->key_path, sizeof s->key_path, "%s/master.key", s->dir);
    if (n < 0 || (size_t)n > sizeof s->key_path - 12) return fault_set(f, ERR_CONFIG, "the path of the master key is too long");
    memcpy(s->next_path, s->key_path, (size_t)n);
    (void)snprintf(s->next_path + n, sizeof s->next_path - (size_t)n, s->credential ? "-next" : ".next");
    return ERR_OK;
}

/* ---- key.id ---- */

static void found(void *arg, const char *name)
{
    (void)name;
    *(bool *)arg = true;
}

/* Something is sealed already: then new keys would only hide that the old ones are gone. */
static bool in_use(const struct secret_store *s)
{
    char path[SECRET_PATH_BYTES];
    bool any = false;
    if (secret_list((struct secret_store *)(uintptr_t)s, found, &any, NULL) != ERR_OK || any) return true;
    secret__path(s, "keys.slots", path);
    return secret__key_exists(s, path);
}

enum err secret__write_id(struct secret_store *s, const unsigned char master[32], const struct secret_keys *keys, struct fault *f)
{
    char path[SECRET_PATH_BYTES], id[ID_BYTES];
    unsigned char wrap[32], nonce[SECRET_NONCE_BYTES];
    struct buf ad = {0}, file = {0};
    id_of(master, KDF_RING_ID, id);
    derive(master, KDF_RING, wrap);
    s->w->random.fill(s->w->random.ctx, nonce, sizeof nonce);
    buf_put(&ad, RING_HEAD, HEAD_BYTES);
    buf_put(&ad, id, 64);
    buf_put(&file, id, 64);
    buf_byte(&file, '\n');
    buf_put(&file, RING_HEAD, HEAD_BYTES);
    secret__encrypt(wrap, nonce, buf_view(&ad), (struct str){(const char *)keys, sizeof *keys}, &file);
    secret__path(s, "key.id", path);
    enum err e = world_write_file(s->w, path, buf_view(&file), 0600, f);
    if (e == ERR_OK) memcpy(s->id, id, sizeof id);
    sodium_memzero(wrap, sizeof wrap);
    buf_free(&ad);
    buf_free(&file);
    return e;
}

/* The keys out of key.id, when it is sealed with this master key. */
static bool open_id(const unsigned char master[32], struct str text, struct secret_keys *keys)
{
    char id[ID_BYTES];
    unsigned char wrap[32];
    struct arena a;
    struct str plain = {NULL, 0};
    struct buf ad = {0};
    if (text.n < ID_BYTES + HEAD_BYTES || memcmp(text.p + ID_BYTES, RING_HEAD, HEAD_BYTES) != 0) return false;
    id_of(master, KDF_RING_ID, id);
    derive(master, KDF_RING, wrap);
    buf_put(&ad, RING_HEAD, HEAD_BYTES);
    buf_put(&ad, id, 64);
    arena_init(&a, 1024);
    bool good = secret__decrypt(wrap, buf_view(&ad), (struct str){text.p + ID_BYTES + HEAD_BYTES, text.n - ID_BYTES - HEAD_BYTES}, &a, &plain) && plain.n == sizeof *keys;
    if (good) memcpy(keys, plain.p, sizeof *keys);
    secret_wipe(plain);
    sodium_memzero(wrap, sizeof wrap);
    buf_free(&ad);
    arena_free(&a);
    return good;
}

/* One master key against key.id: the store has its keys afterwards, or is as before. */
static enum err try_key(struct secret_store *s, const char *path, struct str text, struct fault *f)
{
    unsigned char master[32];
    char mine[ID_BYTES], before[ID_BYTES];
    if (!secret__key_exists(s, path)) {
        if (s->credential) return fault_set(f, ERR_SECRET, "there is no credential %s: load it with LoadCredential= in the unit", path);
        return fault_set(f, ERR_SECRET, "the master key %s is missing, but values are sealed with it: put it back from where it is kept", path);
    }
    enum err e = secret__load_key(s, path, master, f);
    if (e == ERR_OK) {
        id_of(master, KDF_RING_ID, mine);
        id_of(master, KDF_ID, before);
        if (text.n == ID_BYTES && memcmp(text.p, before, 64) == 0) derive_all(master, &s->keys);
        else if (text.n < ID_BYTES || memcmp(text.p, mine, 64) != 0)
            e = fault_set(f, ERR_SECRET, "%s is not the master key that %s was made with (or key.id in it is damaged): use the right key file", path, s->dir);
        else if (!open_id(master, text, &s->keys)) e = fault_set(f, ERR_SECRET, "%s/key.id is damaged: put it back from a backup of the state directory", s->dir);
    }
    if (e == ERR_OK) {
        memcpy(s->master, master, 32);
        memcpy(s->id, text.p, 64);
        s->id[64] = '\0';
    }
    sodium_memzero(master, sizeof master);
    return e;
}

static enum err read_id(const struct secret_store *s, struct arena *a, struct str *text, struct fault *f)
{
    char path[SECRET_PATH_BYTES];
    secret__path(s, "key.id", path);
    return world_read_file(s->w, path, 4096, a, text, f);
}

enum err secret__keys_again(struct secret_store *s, struct fault *f)
{
    struct arena a;
    struct str text;
    struct fault other;
    arena_init(&a, 1024);
    enum err e = read_id(s, &a, &text, f);
    if (e == ERR_OK) {
        e = try_key(s, s->key_path, text, f);
        s->from_next = e != ERR_OK && secret__key_exists(s, s->next_path) && try_key(s, s->next_path, text, &other) == ERR_OK;
        if (s->from_next) e = ERR_OK;
    }
    arena_free(&a);
    return e;
}

enum err secret__keys_same(const struct secret_store *s, struct fault *f)
{
    struct arena a;
    struct str text;
    arena_init(&a, 1024);
    enum err e = read_id(s, &a, &text, f);
    if (e == ERR_OK && (text.n < 64 || memcmp(text.p, s->id, 64) != 0))
        e = fault_set(f, ERR_BUSY, "the master key of %s was changed just now, and what was set may be sealed under the one before: set it again", s->dir);
    arena_free(&a);
    return e;
}

int secret__key_lock(const struct secret_store *s, struct fault *f)
{
    const struct world_files *fs = &s->w->files;
    char path[SECRET_PATH_BYTES];
    secret__path(s, "key.lock", path);
    int fd = fs->open(fs->ctx, path, O_RDWR | O_CREAT, 0600);
    if (fd < 0) return fault_set(f, ERR_IO, "cannot open %s: %s", path, strerror(errno)), -1;
    if (fs->lock(fs->ctx, fd) == 0) return fd;
    fs->close(fs->ctx, fd);
    return fault_set(f, ERR_BUSY, "another process makes or changes the keys of %s; try again", s->dir), -1;
}

/* ---- the first time ---- */

/* The state directory's own name; a failure here stays visible, because key.id is made only afterwards. */
static enum err sync_parent(const struct secret_store *s, struct fault *f)
{
    char parent[WORLD_PATH_BYTES];
    if (world_sync_parent(s->w, s->dir, parent) == 0) return ERR_OK;
    return fault_set(f, ERR_SYNC_FAILED, "cannot sync the directory %s: %s; if %s is new, remove it before the next start", parent, strerror(errno), s->dir);
}

/* What is there may be in memory only, because its sync failed in the last life: it is written again while nothing is sealed. */
static enum err write_again(struct secret_store *s, bool keys, struct fault *f)
{
    enum err e = s->own && !s->from_next ? secret__write_key(s, s->key_path, s->master, f) : ERR_OK;
    if (e == ERR_OK) e = sync_parent(s, f);
    return e == ERR_OK && keys ? secret__write_id(s, s->master, &s->keys, f) : e;
}

static enum err make_keys(struct secret_store *s, struct fault *f)
{
    struct secret_keys *k = sodium_malloc(sizeof *k);
    enum err e = ERR_OK;
    if (!k) check_no_memory();
    bool there = secret__key_exists(s, s->key_path);
    if (there) e = secret__load_key(s, s->key_path, s->master, f);
    else if (s->credential) e = fault_set(f, ERR_SECRET, "there is no credential %s: load it with LoadCredential= in the unit", s->key_path);
    else {
        s->w->random.fill(s->w->random.ctx, s->master, 32);
        e = secret__write_key(s, s->key_path, s->master, f);
    }
    sodium_memzero(k, sizeof *k);
    for (int p = SECRET_KEY_HASH; p <= SECRET_SLOT_KEY; p++) s->w->random.fill(s->w->random.ctx, k->purpose[p], 32);
    s->w->random.fill(s->w->random.ctx, k->value, 32);
    if (e == ERR_OK && sodium_is_zero(k->value, 32)) e = fault_set(f, ERR_SECRET, "the random generator gives zeros only");
    if (e == ERR_OK) {
        s->keys = *k;
        e = there ? write_again(s, true, f) : sync_parent(s, f) == ERR_OK ? secret__write_id(s, s->master, k, f) : ERR_SYNC_FAILED;
    }
    sodium_free(k);
    return e;
}

static enum err first_keys(struct secret_store *s, struct fault *f)
{
    struct arena a;
    struct str text;
    struct fault why;
    int lock = secret__key_lock(s, &why);
    if (lock < 0) return fault_set(f, why.err, "%s", why.text);
    arena_init(&a, 1024);
    enum err e = read_id(s, &a, &text, f);
    if (in_use(s)) e = e == ERR_OK ? secret__keys_again(s, f) : fault_set(f, ERR_SECRET, "%s/key.id is missing, but values are sealed: put it back from a backup of the state directory", s->dir);
    else if (e == ERR_NOT_FOUND) e = make_keys(s, f);
    else if (e == ERR_OK) {
        e = secret__keys_again(s, f);
        if (e == ERR_OK) e = write_again(s, text.n > ID_BYTES, f);
    }
    arena_free(&a);
    s->w->files.close(s->w->files.ctx, lock);
    return e;
}

/* A look at a store that has no keys yet: nothing can be sealed, so any will do. */
static enum err look_at_nothing(struct secret_store *s, struct fault *f)
{
    if (!secret__key_exists(s, s->key_path)) return fault_set(f, ERR_NOT_FOUND, "nothing is sealed in %s yet, and there is no master key: `mlcd secret set NAME` makes one", s->dir);
    enum err e = secret__load_key(s, s->key_path, s->master, f);
    if (e == ERR_OK) derive_all(s->master, &s->keys);
    return e;
}

enum err secret__keys_open(struct secret_store *s, const char *key_file, const char *credentials_dir, struct fault *f)
{
    char path[SECRET_PATH_BYTES];
    enum err e = name_files(s, key_file, credentials_dir, f);
    if (e != ERR_OK) return e;
    secret__path(s, "key.id", path);
    bool used = in_use(s), made = secret__key_exists(s, path);
    if (s->read_only && !made && !used) return look_at_nothing(s, f);
    if (!s->read_only && !used) return first_keys(s, f);
    if (!made) return fault_set(f, ERR_SECRET, "%s is missing, but values are sealed: put it back from a backup of the state directory", path);
    return secret__keys_again(s, f);
}
