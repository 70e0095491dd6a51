/* rotate_test.c - another master key in the place of the old one: at every call of the disk that it makes, the power goes or the call fails, and again at
 * every call of the start after that. Afterwards the store opens with the old or the new key, everything opens in it, and in the end the old key opens
 * nothing and stands nowhere. */
#include "secret/secret.h"
#include "journal/journal.h"
#include "tests/unit/secret/rig.h"
#include "base/log.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a store with something of each sort, and whether it is all there ---- */
struct sealed { struct buf slot, log; unsigned char derived[6][32], pk[32]; };
static const char *const names[] = {"agent", "state.crm.zoho.token", "zoho"};

static enum err open_at(struct secret_store **s, const struct world *w, const char *key_file, struct fault *f)
{
    enum err e = secret_open(s, w, "/state", key_file, NULL, f);
    if (e == ERR_OK && slot_open(*s, 2, f) != ERR_OK) return secret_close(*s), *s = NULL, f->err;
    return e;
}

static bool make(const struct world *w, const char *key_file, struct sealed *x)
{
    struct secret_store *s = NULL;
    struct fault f = {ERR_OK, ""};
    uint32_t slot;
    *x = (struct sealed){.slot = {0}};
    bool good = secret_open(&s, w, "/state", key_file, NULL, &f) == ERR_OK && slot_open(s, 0, &f) == ERR_OK && slot_take(s, &slot, &f) == ERR_OK && slot == 1;
    for (size_t i = 0; i < 3 && good; i++) good = secret_put(s, names[i], str_of(names[i]), &f) == ERR_OK;
    good = good && secret_seal(s, 1, STR("ad"), STR("record"), &x->slot) == ERR_OK && secret_seal(s, FRAME_NO_SLOT, STR("ad"), STR("entry"), &x->log) == ERR_OK;
    for (int p = SECRET_KEY_HASH; good && p <= SECRET_SLOT_KEY; p++) secret_derive(s, (enum secret_purpose)p, x->derived[p]);
    if (good) secret_public_key(s, x->pk);
    secret_close(s);
    return good;
}

static const char *all_there(struct secret_store *s, const struct sealed *x)
{
    struct arena a;
    struct str v;
    struct fault f;
    unsigned char k[32];
    const char *why = NULL;
    arena_init(&a, 0);
    for (size_t i = 0; i < 3; i++)
        if (secret_get(s, names[i], &a, &v, &f) != ERR_OK || !str_is(v, names[i])) why = "a value does not open";
    if (secret_unseal(s, 1, STR("ad"), buf_view(&x->slot), &a, &v) != ERR_OK || !str_is(v, "record")) why = "a record's private part does not open";
    if (secret_unseal(s, FRAME_NO_SLOT, STR("ad"), buf_view(&x->log), &a, &v) != ERR_OK || !str_is(v, "entry")) why = "an entry's private part does not open";
    for (int p = SECRET_KEY_HASH; p <= SECRET_SLOT_KEY; p++) {
        secret_derive(s, (enum secret_purpose)p, k);
        if (memcmp(k, x->derived[p], 32) != 0) why = "a key of the log or index is another one";
    }
    secret_public_key(s, k);
    if (memcmp(k, x->pk, 32) != 0) why = "the log's signatures have another key";
    arena_free(&a);
    return why;
}

static void forget(struct sealed *x)
{
    buf_free(&x->slot);
    buf_free(&x->log);
}

static const char *opens(const struct world *w, const char *key_file, const struct sealed *x)
{
    struct secret_store *s = NULL;
    struct fault f;
    if (open_at(&s, w, key_file, &f) != ERR_OK) return "it does not open";
    const char *why = all_there(s, x);
    secret_close(s);
    return why;
}

static enum err turn(const struct world *w, const char *key_file, struct secret_rotated *out, struct fault *f)
{
    struct secret_store *s = NULL;
    enum err e = secret_open(&s, w, "/state", key_file, NULL, f);
    if (e == ERR_OK) e = secret_rotate(s, out, f);
    secret_close(s);
    return e;
}

/* ---- every file of the disk ---- */
struct hunt { struct memdisk *d; const char *dir; unsigned char raw[32]; char hex[65]; bool found; };

static void look_in(void *arg, const char *name)
{
    struct hunt *h = arg;
    char path[300];
    struct str text;
    snprintf(path, sizeof path, "%s/%s", h->dir, name);
    if (!memdisk_content(h->d, path, &text)) return;
    if (text.n >= 32 && (memmem(text.p, text.n, h->raw, 32) || memmem(text.p, text.n, h->hex, 64))) h->found = true;
}

static bool on_disk(struct memdisk *d, const struct world *w, const char hex[65])
{
    static const char *const dirs[] = {"/state", "/state/secrets"};
    struct hunt h = {.d = d};
    size_t n;
    memcpy(h.hex, hex, 65);
    (void)!sodium_hex2bin(h.raw, 32, hex, 64, NULL, &n, NULL);
    for (size_t i = 0; i < 2; i++) {
        h.dir = dirs[i];
        w->files.list(w->files.ctx, h.dir, look_in, &h);
    }
    return h.found;
}

static void master_of(struct memdisk *d, char hex[65])
{
    struct str text = {"", 0};
    memset(hex, 0, 65);
    if (memdisk_content(d, "/state/master.key", &text) && text.n == 65) memcpy(hex, text.p, 64);
}

/* ---- one after the other ---- */
static void plain(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct sealed x;
    struct secret_rotated r;
    struct secret_store *s = NULL;
    struct fault f = {ERR_OK, ""};
    char old[65], new[65];
    bool good = make(&w, NULL, &x);
    master_of(d, old);
    verdict(good && on_disk(d, &w, old), "the hunt finds a key that is there", "it does not");
    good = turn(&w, NULL, &r, &f) == ERR_OK && r.values == 3 && r.damaged == 0 && !r.by_hand;
    verdict(good, "rotate", f.text);
    master_of(d, new);
    const char *why = opens(&w, NULL, &x);
    verdict(!why, "everything opens under the new key", why ? why : "");
    verdict(strcmp(old, new) != 0 && !on_disk(d, &w, old) && !memdisk_content(d, "/state/master.key.next", &(struct str){0}), "the old key stands nowhere", "it does");
    put_file(&w, "/old", old, 64, 0600);
    verdict(secret_open(&s, &w, "/state", "/old", NULL, &f) == ERR_SECRET, "the old key opens nothing", "it opens the store");
    good = true;
    for (int i = 0; i < 5; i++) good = good && turn(&w, NULL, &r, &f) == ERR_OK && r.values == 3;
    why = opens(&w, NULL, &x);
    verdict(good && !why, "again and again", why ? why : f.text);

    memdisk_flip(d, "/state/secrets/agent", 400);
    good = turn(&w, NULL, &r, &f) == ERR_OK && r.values == 2 && r.damaged == 1;
    verdict(good, "a damaged value does not hold up the others", f.text);
    forget(&x);
    memdisk_free(d);
}

/* A store of the time when key.id had one line, made by the book: libsodium's kdf and cipher, not our code. */
static void before(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL;
    struct secret_rotated r;
    struct fault f = {ERR_OK, ""};
    struct arena a;
    struct str v;
    unsigned char master[32], id[32], key[32], want[32], got[32], file[8 + 24 + 5 + 16] = "mlcsec1\x01";
    char hex[66];
    static const unsigned char ad[] = "mlcsec1\x01zoho";
    unsigned long long n;
    arena_init(&a, 0);
    fill(NULL, master, 32);
    crypto_kdf_derive_from_key(id, 32, 65, "mlcsecrt", master);
    crypto_kdf_derive_from_key(key, 32, 64, "mlcsecrt", master);
    crypto_kdf_derive_from_key(want, 32, SECRET_SIGN_SEED, "mlcsecrt", master);
    fill(NULL, file + 8, 24);
    crypto_aead_xchacha20poly1305_ietf_encrypt(file + 32, &n, (const unsigned char *)"value", 5, ad, 12, NULL, file + 8, key);
    w.files.mkdir(d, "/state", 0700);
    w.files.mkdir(d, "/state/secrets", 0700);
    sodium_bin2hex(hex, 65, master, 32);
    put_file(&w, "/state/master.key", hex, 64, 0600);
    sodium_bin2hex(hex, 65, id, 32);
    hex[64] = '\n';
    put_file(&w, "/state/key.id", hex, 65, 0600);
    put_file(&w, "/state/secrets/zoho", file, sizeof file, 0600);
    bool good = secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_OK && secret_get(s, "zoho", &a, &v, &f) == ERR_OK && str_is(v, "value");
    if (good) secret_derive(s, SECRET_SIGN_SEED, got);
    verdict(good && memcmp(want, got, 32) == 0, "a store of before opens", f.text);
    good = good && secret_rotate(s, &r, &f) == ERR_OK && r.values == 1;
    secret_close(s);
    good = good && secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_OK && secret_get(s, "zoho", &a, &v, &f) == ERR_OK && str_is(v, "value");
    if (good) secret_derive(s, SECRET_SIGN_SEED, got);
    verdict(good && memcmp(want, got, 32) == 0, "and has its keys in key.id after the first change", f.text);
    secret_close(s);
    memdisk_flip(d, "/state/key.id", 8 * 100);
    verdict(secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_SECRET && strstr(f.text, "damaged"), "a damaged key.id is said", f.text);
    memdisk_flip(d, "/state/key.id", 8 * 100);
    int fd = w.files.open(d, "/state/key.id", O_RDWR, 0);
    w.files.ftruncate(d, fd, 65);
    w.files.close(d, fd);
    verdict(secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_SECRET, "a key.id that is cut off is not one of before", "it opens");
    w.files.unlink(d, "/state/key.id");
    verdict(secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_SECRET && strstr(f.text, "key.id is missing"), "a lost key.id is not made anew over sealed values", f.text);
    arena_free(&a);
    memdisk_free(d);
}

/* A key file of the operator's serves two stores: each changes over when it is asked, either file opens what it opens, nothing is written beside the stores. */
static void key_file(bool credential)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL;
    struct secret_rotated r;
    struct fault f = {ERR_OK, ""};
    struct arena a;
    struct str v;
    static const char *const dirs[] = {"/one", "/two"};
    const char *file = credential ? NULL : "/run/mlc-key", *cred = credential ? "/run" : NULL, *next = credential ? "/run/mlc-key-next" : "/run/mlc-key.next";
    unsigned char k[2][32];
    char name[100];
    arena_init(&a, 0);
    fill(NULL, k, sizeof k);
    w.files.mkdir(d, "/run", 0700);
    put_file(&w, "/run/mlc-key", k[0], 32, 0600);
    bool good = true;
    for (int i = 0; i < 2; i++) {
        good = good && secret_open(&s, &w, dirs[i], file, cred, &f) == ERR_OK && secret_put(s, "x", STR("y"), &f) == ERR_OK;
        good = good && secret_rotate(s, &r, &f) == ERR_USAGE && strstr(f.text, next);
        secret_close(s);
    }
    snprintf(name, sizeof name, "%s: without the next key the way is named", credential ? "credential" : "key file");
    verdict(good, name, f.text);
    put_file(&w, next, k[1], 32, 0600);
    for (int i = 0; i < 2; i++) {
        good = good && secret_open(&s, &w, dirs[i], file, cred, &f) == ERR_OK && secret_rotate(s, &r, &f) == ERR_OK && r.values == 1 && r.by_hand;
        good = good && secret_rotate(s, &r, &f) == ERR_USAGE;
        secret_close(s);
        for (int k2 = 0; k2 < 2; k2++) {
            good = good && secret_open(&s, &w, dirs[k2], file, cred, &f) == ERR_OK && secret_get(s, "x", &a, &v, &f) == ERR_OK && str_is(v, "y");
            secret_close(s);
        }
    }
    snprintf(name, sizeof name, "%s: each store changes over by itself", credential ? "credential" : "key file");
    verdict(good, name, f.text);
    good = good && w.files.rename(d, next, "/run/mlc-key") == 0;
    for (int i = 0; i < 2; i++) {
        good = good && secret_open(&s, &w, dirs[i], file, cred, &f) == ERR_OK && secret_get(s, "x", &a, &v, &f) == ERR_OK && str_is(v, "y");
        secret_close(s);
    }
    snprintf(name, sizeof name, "%s: the next key in its place", credential ? "credential" : "key file");
    verdict(good, name, f.text);
    arena_free(&a);
    memdisk_free(d);
}

static void beside_others(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *old = NULL, *s = NULL, *look = NULL;
    struct secret_rotated r;
    struct fault f = {ERR_OK, ""};
    struct sealed x;
    bool good = make(&w, NULL, &x) && secret_open(&old, &w, "/state", NULL, NULL, &f) == ERR_OK && secret_open_read(&look, &w, "/state", NULL, NULL, &f) == ERR_OK &&
                slot_open_read(look, &f) == ERR_OK;
    int fd = w.files.open(d, "/state/key.lock", O_RDWR | O_CREAT, 0600);
    good = good && secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_OK && w.files.lock(d, fd) == 0;
    verdict(good && secret_rotate(s, &r, &f) == ERR_BUSY, "two do not change the key at once", f.text);
    w.files.close(d, fd);
    good = good && secret_rotate(s, &r, &f) == ERR_OK;
    verdict(good && secret_put(old, "zoho", STR("late"), &f) == ERR_BUSY, "who was open before is told that its value may be lost", f.text);
    struct arena a;
    struct str v;
    arena_init(&a, 0);
    verdict(good && secret_unseal(look, 1, STR("ad"), buf_view(&x.slot), &a, &v) == ERR_OK, "who looks goes on looking", "it cannot");
    arena_free(&a);
    secret_close(look);
    secret_close(old);
    secret_close(s);
    forget(&x);
    memdisk_free(d);
}

/* On a real disk: a handle to the old key's file, opened before, reads zeros. */
static void overwritten(void)
{
    char dir[] = "/tmp/rotate-test-XXXXXX", path[100], command[100], text[80] = {0}, zeros[65] = {0};
    struct world w;
    struct secret_store *s = NULL;
    struct secret_rotated r;
    struct fault f = {ERR_OK, ""};
    world_real(&w);
    if (!mkdtemp(dir)) { verdict(false, "overwritten", "no temporary directory"); return; }
    bool good = secret_open(&s, &w, dir, NULL, NULL, &f) == ERR_OK && secret_put(s, "x", STR("y"), &f) == ERR_OK;
    snprintf(path, sizeof path, "%s/master.key", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    good = good && fd >= 0 && pread(fd, text, 65, 0) == 65 && memcmp(text, zeros, 65) != 0 && secret_rotate(s, &r, &f) == ERR_OK;
    good = good && pread(fd, text, 65, 0) == 65 && memcmp(text, zeros, 65) == 0;
    verdict(good, "the old key's bytes are overwritten", f.text);
    if (fd >= 0) close(fd);
    secret_close(s);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    verdict(system(command) == 0, "and the test cleans up", dir);
}

/* ---- crashes ---- */
enum way { CUT_NOTHING, CUT_ALL, CUT_SOME, CUT_PREFIX, FAIL_EIO, FAIL_FULL, WAYS };

static void plant(struct memdisk *d, uint64_t call, enum way how, size_t torn)
{
    memdisk_count_from(d);
    if (how < FAIL_EIO) memdisk_stop(d, call, torn);
    else memdisk_fail(d, call, how == FAIL_EIO ? EIO : ENOSPC, torn, false);
}

static void fall(struct memdisk *d, enum way how, uint64_t detail)
{
    static const enum memdisk_loss losses[] = {MEMDISK_LOSE_ALL, MEMDISK_KEEP_ALL, MEMDISK_RANDOM, MEMDISK_PREFIX};
    if (how < FAIL_EIO) memdisk_crash(d, losses[how], detail, (size_t)detail * 7);
    else memdisk_kill(d);
}

static int no_sync(void *ctx, int fd) { (void)ctx; return fd < 0 ? -1 : 0; }
static int no_sync_dir(void *ctx, const char *dir) { (void)ctx; return dir ? 0 : -1; }

/* The change stops at one call, the start after it at another (0: not); then all must be there, and a change that goes through leaves nothing of the old key. */
static const char *crash(const struct memdisk *made, const struct sealed *x, uint64_t call, uint64_t second, enum way how, uint64_t detail, bool bug)
{
    struct memdisk *d = memdisk_copy(made);
    struct world w = world_on(d), lame = w;
    struct secret_rotated r;
    struct fault f = {ERR_OK, ""};
    char old[65];
    if (bug) lame.files.fdatasync = no_sync, lame.files.sync_dir = no_sync_dir;
    master_of(d, old);
    plant(d, call, how, (size_t)detail * 11);
    (void)turn(&lame, NULL, &r, &f);
    fall(d, how, detail);
    if (second) {
        struct secret_store *s = NULL;
        plant(d, second, how, (size_t)detail * 13);
        (void)secret_open(&s, &w, "/state", NULL, NULL, &f);
        secret_close(s);
        fall(d, how, detail + 1);
    }
    const char *why = opens(&w, NULL, x);
    if (!why && turn(&w, NULL, &r, &f) != ERR_OK) why = "the next change does not go through";
    if (!why) why = opens(&w, NULL, x);
    memdisk_crash(d, MEMDISK_LOSE_ALL, 0, 0);
    if (!why) why = opens(&w, NULL, x);
    if (!why && on_disk(d, &w, old)) why = "the old key still stands on the disk";
    memdisk_free(d);
    return why;
}

static void crashes(uint64_t step)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct sealed x;
    struct secret_rotated r;
    struct fault f;
    char text[200] = "";
    const char *why = NULL;
    uint64_t n = 0, tried = 0;
    bool good = make(&w, NULL, &x);
    memdisk_crash(d, MEMDISK_KEEP_ALL, 0, 0);
    struct memdisk *whole = memdisk_copy(d);
    struct world v = world_on(whole);
    memdisk_count_from(whole);
    good = good && turn(&v, NULL, &r, &f) == ERR_OK;
    n = memdisk_calls(whole);
    memdisk_free(whole);
    bool found = false;
    for (uint64_t call = 1; call <= n && !found; call++) found = crash(d, &x, call, 0, CUT_SOME, call, true) != NULL;
    verdict(good && found, "a disk that is never synced is found out", "it passes");
    for (uint64_t call = 1; call <= n + 1 && !why; call++)
        for (uint64_t second = 0; second <= 24 && !why; second += step)
            for (int how = 0; how < WAYS && !why; how++)
                for (uint64_t detail = 0; detail < (how == CUT_SOME || how == CUT_PREFIX ? 4u : 1u) && !why; detail++) {
                    why = crash(d, &x, call, second, (enum way)how, detail, false);
                    tried++;
                    if (why) snprintf(text, sizeof text, "%s (call %llu, then %llu, way %d, detail %llu)", why, (unsigned long long)call, (unsigned long long)second, how, (unsigned long long)detail);
                }
    printf("# %llu calls of a change, %llu crashes\n", (unsigned long long)n, (unsigned long long)tried);
    verdict(!why && n > 20, "a crash at every call, and at every call of the start after it", why ? text : "too few calls");
    forget(&x);
    memdisk_free(d);
}

/* --all: the start after it stops at each call, not at each third. */
int main(int argc, char **argv)
{
    bool all = argc > 1 && strcmp(argv[1], "--all") == 0;
    if (sodium_init() < 0) return 1;
    log_set_level(LOG_ERROR);
    plain();
    before();
    key_file(false);
    key_file(true);
    beside_others();
    overwritten();
    crashes(all ? 1 : 3);
    return failures != 0;
}
