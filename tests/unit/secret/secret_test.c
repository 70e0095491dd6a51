/* secret_test.c - master key rules, sealed values, slots: on a memdisk with a seeded generator; every power cut and failing call of a life with
 * slots; the real file system for permissions. */
#include "secret/secret.h"
#include "journal/journal.h"
#include "tests/unit/secret/rig.h"
#include "base/log.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the key file ---- */

static enum err open_with(const void *key, size_t n, int mode, bool credential, unsigned char derived[32], struct fault *f)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL;
    w.files.mkdir(d, "/run", 0700);
    put_file(&w, credential ? "/run/mlc-key" : "/run/key", key, n, mode);
    enum err e = secret_open(&s, &w, "/state", credential ? NULL : "/run/key", credential ? "/run" : NULL, f);
    if (e == ERR_OK) secret_derive(s, SECRET_KEY_HASH, derived);
    secret_close(s);
    memdisk_free(d);
    return e;
}

/* Opens one store with the key in this form; a value is there from the first time on. */
static bool reopens(struct world *w, const void *key, size_t n, int mode, unsigned char derived[32], struct fault *f)
{
    struct secret_store *s = NULL;
    w->files.unlink(w->files.ctx, "/key");
    if (!put_file(w, "/key", key, n, mode) || secret_open(&s, w, "/state", "/key", NULL, f) != ERR_OK) return false;
    secret_derive(s, SECRET_KEY_HASH, derived);
    bool good = secret_put(s, "x", STR("y"), f) == ERR_OK;
    secret_close(s);
    return good;
}

static void key_forms(void)
{
    unsigned char raw[32], want[32], got[32];
    char hex[66], base64[64], why[600] = "";
    struct fault f = {ERR_OK, ""};
    for (int i = 0; i < 32; i++) raw[i] = (unsigned char)(i * 7 + 200);
    sodium_bin2hex(hex, sizeof hex, raw, 32);
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    bool good = reopens(&w, raw, 32, 0600, want, &f);
    sodium_bin2hex(hex, sizeof hex, raw, 32);
    good = good && reopens(&w, hex, 64, 0600, got, &f) && memcmp(want, got, 32) == 0;
    hex[64] = '\n';
    good = good && reopens(&w, hex, 65, 0400, got, &f) && memcmp(want, got, 32) == 0;
    static const int variants[] = {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING, sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    for (int i = 0; i < 4 && good; i++) {
        sodium_bin2base64(base64, sizeof base64, raw, 32, variants[i]);
        good = reopens(&w, base64, strlen(base64), 0600, got, &f) && memcmp(want, got, 32) == 0;
    }
    raw[31] ^= 1;
    good = good && !reopens(&w, raw, 32, 0600, got, &f);
    memdisk_free(d);
    snprintf(why, sizeof why, "a good form was refused or read as another key: %s", f.text);
    verdict(good, "key_forms", why);

    static const struct { size_t n; int mode; bool credential; enum err want; const char *what; } cases[] = {
        {32, 0644, false, ERR_SECRET, "readable by all"}, {32, 0640, false, ERR_SECRET, "readable by the group"}, {32, 0602, false, ERR_SECRET, "writable by all"},
        {31, 0600, false, ERR_SECRET, "31 bytes"}, {33, 0600, false, ERR_SECRET, "33 bytes"}, {0, 0600, false, ERR_SECRET, "empty"},
        {32, 0440, true, ERR_OK, "credential with an access list"}, {32, 0444, true, ERR_SECRET, "credential for all"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char bytes[40];
        memset(bytes, 0xC3, sizeof bytes);
        enum err e = open_with(bytes, cases[i].n, cases[i].mode, cases[i].credential, got, &f);
        snprintf(why, sizeof why, "%s gives %s: %s", cases[i].what, err_name(e), f.text);
        verdict(e == cases[i].want, "key_rules", why);
    }
    memset(raw, 0, 32);
    verdict(open_with(raw, 32, 0600, false, got, &f) == ERR_SECRET, "key_zero", "a key of zeros is taken");
}

static void key_life(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL;
    struct fault f = {ERR_OK, ""};
    struct arena a;
    struct str v;
    unsigned mode = 0;
    bool ours;
    arena_init(&a, 0);
    bool good = secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_OK;
    verdict(good && w.files.mode(d, "/state/master.key", &mode, &ours) == 0 && mode == 0600, "key_made", f.text);
    verdict(secret_put(s, "a.b-C_9", STR("value \0 with nul"), &f) == ERR_OK, "put", f.text);
    secret_close(s);
    good = secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_OK && secret_get(s, "a.b-C_9", &a, &v, &f) == ERR_OK && str_eq(v, STR("value \0 with nul"));
    verdict(good, "get_after_reopen", f.text);
    secret_close(s);
    w.files.unlink(d, "/state/master.key");
    verdict(secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_SECRET, "key_lost", "a new key is made over sealed values");
    unsigned char other[32] = {9};
    put_file(&w, "/state/master.key", other, 32, 0600);
    verdict(secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_SECRET, "key_exchanged", "another key is taken");
    verdict(secret_open(&s, &w, "/state", NULL, "/nowhere", &f) == ERR_SECRET, "credential_missing", "a missing credential is made up");
    arena_free(&a);
    memdisk_free(d);
}

static void real_permissions(void)
{
    char dir[] = "/tmp/secret-test-XXXXXX", path[64], cmd[96];
    struct world w;
    struct secret_store *s = NULL;
    struct fault f = {ERR_OK, ""};
    struct stat st;
    world_real(&w);
    if (!mkdtemp(dir)) { verdict(false, "real_permissions", "no temporary directory"); return; }
    bool good = secret_open(&s, &w, dir, NULL, NULL, &f) == ERR_OK && secret_put(s, "x", STR("y"), &f) == ERR_OK;
    secret_close(s);
    snprintf(path, sizeof path, "%s/master.key", dir);
    good = good && stat(path, &st) == 0 && (st.st_mode & 07777) == 0600;
    snprintf(cmd, sizeof cmd, "%s/secrets/x", dir);
    good = good && stat(cmd, &st) == 0 && (st.st_mode & 07777) == 0600;
    good = good && chmod(path, 0644) == 0 && secret_open(&s, &w, dir, NULL, NULL, &f) == ERR_SECRET;
    verdict(good, "real_permissions", f.text);
    static const char *const files[] = {"secrets/x", "master.key", "key.id", "key.lock"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(cmd, sizeof cmd, "%s/%s", dir, files[i]);
        unlink(cmd);
    }
    snprintf(cmd, sizeof cmd, "%s/secrets", dir);
    rmdir(cmd);
    rmdir(dir);
}

/* ---- values ---- */

static void collect(void *arg, const char *name)
{
    struct buf *b = arg;
    buf_puts(b, name);
    buf_byte(b, ' ');
}

static void values(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL;
    struct fault f = {ERR_OK, ""};
    struct arena a;
    struct str v, file;
    struct buf names = {0};
    arena_init(&a, 0);
    secret_open(&s, &w, "/state", NULL, NULL, &f);
    bool good = true;
    static const char *const bad[] = {"", "a/b", "..", ".x", "a b", "x.tmp", "\xc3\xa4", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) good = good && secret_put(s, bad[i], STR("v"), &f) == ERR_USAGE && secret_get(s, bad[i], &a, &v, &f) == ERR_USAGE;
    verdict(good, "names", "a bad name is taken");
    good = secret_put(s, "zoho", STR("one"), &f) == ERR_OK && secret_put(s, "zoho", STR("two"), &f) == ERR_OK && secret_put(s, "agent", STR(""), &f) == ERR_OK;
    good = good && secret_get(s, "zoho", &a, &v, &f) == ERR_OK && str_is(v, "two") && secret_get(s, "agent", &a, &v, &f) == ERR_OK && v.n == 0;
    verdict(good, "overwrite_and_empty", f.text);
    w.files.open(d, "/state/secrets/zoho.tmp", O_CREAT | O_RDWR, 0600);
    good = secret_list(s, collect, &names, &f) == ERR_OK && str_is(buf_view(&names), "agent zoho ");
    verdict(good, "list", buf_cstr(&names));
    verdict(secret_get(s, "none", &a, &v, &f) == ERR_SECRET && strstr(f.text, "mlcd secret set none"), "missing", f.text);
    memdisk_content(d, "/state/secrets/zoho", &file);
    char *copy = arena_copy(&a, file.p, file.n);
    size_t n = file.n, undetected = 0;
    put_file(&w, "/state/secrets/agent", copy, n, 0600);
    verdict(secret_get(s, "agent", &a, &v, &f) == ERR_SECRET, "bound_to_name", "a value moved to another name opens");
    for (size_t bit = 0; bit < n * 8; bit++) {
        memdisk_flip(d, "/state/secrets/zoho", bit);
        undetected += secret_get(s, "zoho", &a, &v, &f) == ERR_OK;
        memdisk_flip(d, "/state/secrets/zoho", bit);
    }
    for (size_t cut = 0; cut < n; cut++) {
        put_file(&w, "/state/secrets/agent", copy, cut, 0600);
        undetected += secret_get(s, "agent", &a, &v, &f) == ERR_OK;
    }
    verdict(undetected == 0, "damage", "a damaged value opens");
    good = secret_remove(s, "zoho", &f) == ERR_OK && secret_get(s, "zoho", &a, &v, &f) == ERR_SECRET && secret_remove(s, "zoho", &f) == ERR_NOT_FOUND;
    verdict(good, "remove", f.text);
    buf_free(&names);
    arena_free(&a);
    secret_close(s);
    memdisk_free(d);
}

static void derived_and_signed(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL;
    unsigned char k[6][32], pk[32], sig[64];
    bool good = secret_open(&s, &w, "/state", NULL, NULL, NULL) == ERR_OK;
    for (int p = SECRET_KEY_HASH; p <= SECRET_SLOT_KEY; p++) {
        secret_derive(s, (enum secret_purpose)p, k[p]);
        for (int q = SECRET_KEY_HASH; q < p; q++) good = good && memcmp(k[p], k[q], 32) != 0;
    }
    verdict(good, "derive", "two purposes have one key");
    secret_public_key(s, pk);
    good = secret_sign(s, STR("message"), sig) == ERR_OK && crypto_sign_verify_detached(sig, (const unsigned char *)"message", 7, pk) == 0;
    verdict(good, "sign", "the signature does not fit the public key");
    secret_close(s);
    memdisk_free(d);
}

/* ---- slots ---- */

struct sealed { uint32_t slot; struct buf bytes; };

static bool opens(struct secret_store *s, const struct sealed *x, enum err want)
{
    struct arena a;
    struct str plain = {NULL, 0};
    arena_init(&a, 0);
    enum err e = secret_unseal(s, x->slot, STR("ad"), buf_view(&x->bytes), &a, &plain);
    bool good = e == want && (e != ERR_OK || str_is(plain, "private"));
    arena_free(&a);
    return good;
}

static void slots(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL;
    struct fault f = {ERR_OK, ""};
    struct sealed one = {0}, own = {.slot = FRAME_NO_SLOT};
    struct arena a;
    struct str v;
    arena_init(&a, 0);
    secret_open(&s, &w, "/state", NULL, NULL, &f);
    verdict(secret_seal(s, 1, STR("ad"), STR("x"), &one.bytes) == ERR_SECRET, "slot_not_open", "sealed without slots");
    bool good = slot_open(s, 0, &f) == ERR_OK;
    uint32_t slot = 0, last = 0;
    for (int i = 0; i < 9000 && good; i++) {
        good = slot_take(s, &slot, &f) == ERR_OK && slot > last && slot % SLOT_BLOCK != 0;
        last = slot;
    }
    verdict(good && last == 9002, "slot_take", f.text);
    one.slot = 5000;
    buf_clear(&one.bytes);
    good = secret_seal(s, 5000, STR("ad"), STR("private"), &one.bytes) == ERR_OK && opens(s, &one, ERR_OK) &&
           secret_seal(s, FRAME_NO_SLOT, STR("ad"), STR("private"), &own.bytes) == ERR_OK && opens(s, &own, ERR_OK);
    verdict(good, "seal", "what was sealed does not open");
    one.slot = 5001;
    verdict(opens(s, &one, ERR_CORRUPT), "seal_other_slot", "opens with another slot");
    one.slot = 5000;
    verdict(secret_unseal(s, 5000, STR("Ad"), buf_view(&one.bytes), &a, &v) == ERR_CORRUPT, "seal_other_ad", "opens with another ad");
    slot_rewind(s, 8500);
    good = slot_take(s, &slot, &f) == ERR_OK && slot == 8500 && slot_seen(s, 9000, &f) == ERR_OK && slot_take(s, &slot, &f) == ERR_OK && slot == 9001;
    verdict(good, "rewind_and_seen", f.text);
    verdict(slot_seen(s, 20000, &f) == ERR_CORRUPT, "seen_beyond", "a slot that is not there");
    secret_close(s);
    secret_open(&s, &w, "/state", NULL, NULL, &f);
    good = slot_open(s, slot + 1, &f) == ERR_OK && opens(s, &one, ERR_OK) && slot_erase(s, 5000, &f) == ERR_OK && opens(s, &one, ERR_NOT_FOUND) &&
           slot_erase(s, 5000, &f) == ERR_OK && secret_seal(s, 5000, STR("ad"), STR("x"), &own.bytes) == ERR_NOT_FOUND;
    verdict(good, "erase", f.text);
    verdict(slot_erase(s, 4096, &f) == ERR_NOT_FOUND && slot_erase(s, 99999, &f) == ERR_NOT_FOUND, "erase_no_slot", "a mark was erased");
    secret_close(s);
    memdisk_crash(d, MEMDISK_LOSE_ALL, 0, 0);
    secret_open(&s, &w, "/state", NULL, NULL, &f);
    good = slot_open(s, slot + 1, &f) == ERR_OK && opens(s, &one, ERR_NOT_FOUND);
    verdict(good, "erase_is_durable", f.text);
    secret_close(s);
    secret_open(&s, &w, "/state", NULL, NULL, &f);
    verdict(slot_open(s, 30000, &f) == ERR_CORRUPT, "slots_too_short", "slots in use are missing and nobody says so");
    secret_close(s);
    memdisk_flip(d, "/state/keys.slots", 4096u * 32 * 8 + 3);
    secret_open(&s, &w, "/state", NULL, NULL, &f);
    verdict(slot_open(s, slot + 1, &f) == ERR_CORRUPT, "slots_damaged", "a damaged mark is not seen");
    secret_close(s);
    buf_free(&one.bytes);
    buf_free(&own.bytes);
    arena_free(&a);
    memdisk_free(d);
}

/* Looking changes nothing on the disk, sees what a writer beside it seals, and makes no key where there is none. */
static void looking(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL, *look = NULL;
    struct fault f = {ERR_OK, ""};
    struct sealed one = {.slot = 1}, late = {.slot = 5000};
    struct arena a;
    struct str v;
    uint32_t slot;
    unsigned char key[32], same[32];
    arena_init(&a, 0);
    verdict(secret_open_read(&look, &w, "/state", NULL, NULL, &f) == ERR_NOT_FOUND && !look && memdisk_calls(d) == 0, "look_at_nothing", f.text);
    bool good = secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_OK && secret_put(s, "x", STR("y"), &f) == ERR_OK;
    uint64_t calls = memdisk_calls(d);
    good = good && secret_open_read(&look, &w, "/state", NULL, NULL, &f) == ERR_OK && slot_open_read(look, &f) == ERR_OK;
    good = good && secret_get(look, "x", &a, &v, &f) == ERR_OK && str_is(v, "y");
    secret_derive(s, SECRET_INDEX_KEY, key);
    secret_derive(look, SECRET_INDEX_KEY, same);
    verdict(good && memcmp(key, same, 32) == 0 && memdisk_calls(d) == calls, "look_writes_nothing", f.text);
    good = slot_open(s, 0, &f) == ERR_OK && slot_take(s, &slot, &f) == ERR_OK && secret_seal(s, 1, STR("ad"), STR("private"), &one.bytes) == ERR_OK;
    verdict(good && opens(look, &one, ERR_OK), "look_beside_a_writer", "slots made later are not seen");
    while (good && slot < 5000) good = slot_take(s, &slot, &f) == ERR_OK;
    good = good && secret_seal(s, 5000, STR("ad"), STR("private"), &late.bytes) == ERR_OK;
    calls = memdisk_calls(d);
    verdict(good && opens(look, &late, ERR_OK) && memdisk_calls(d) == calls, "look_follows_a_writer", "the next block is not seen");
    late.slot = 20000;
    verdict(opens(look, &late, ERR_SECRET), "look_beyond", "a slot that is not there");
    secret_close(look);
    secret_close(s);
    good = w.files.unlink(d, "/state/master.key") == 0;
    verdict(good && secret_open_read(&look, &w, "/state", NULL, NULL, &f) == ERR_SECRET, "look_key_lost", "a lost key is taken for an empty store");
    buf_free(&one.bytes);
    buf_free(&late.bytes);
    arena_free(&a);
    memdisk_free(d);
}

/* Takes slots over a block's end and seals with each 1000th; returns how many of them are promised. */
static uint32_t slot_life(struct world *w, uint32_t next, struct sealed *made, uint32_t *count)
{
    struct secret_store *s = NULL;
    struct fault f = {ERR_OK, ""};
    uint32_t slot;
    if (secret_open(&s, w, "/state", NULL, NULL, &f) != ERR_OK) return next;
    if (slot_open(s, next, &f) == ERR_OK)
        for (int i = 0; i < 3000 && slot_take(s, &slot, &f) == ERR_OK; i++) {
            next = slot + 1;
            if (i % 1000 != 7) continue;
            made[*count] = (struct sealed){.slot = slot};
            if (secret_seal(s, slot, STR("ad"), STR("private"), &made[*count].bytes) == ERR_OK) ++*count;
            else buf_free(&made[*count].bytes);
        }
    secret_close(s);
    return next;
}

static int no_sync(void *ctx, int fd)
{
    (void)ctx;
    return fd < 0 ? -1 : 0;
}

static const char *slot_crash(uint64_t call, int how, uint64_t detail, bool bug)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct sealed made[32];
    uint32_t n = 0, next = 0;
    const char *why = NULL;
    struct secret_store *s = NULL;
    struct fault f = {ERR_OK, ""};
    secret_open(&s, &w, "/state", NULL, NULL, &f);      /* key and directories stand */
    secret_close(s);
    memdisk_crash(d, MEMDISK_KEEP_ALL, 0, 0);
    if (bug) w.files.fdatasync = no_sync;
    next = slot_life(&w, next, made, &n);
    memdisk_count_from(d);
    if (how < 2) memdisk_stop(d, call, SIZE_MAX);
    else memdisk_fail(d, call, how == 2 ? EIO : ENOSPC, 100, false);
    next = slot_life(&w, next, made, &n);
    if (how == 0) memdisk_crash(d, MEMDISK_RANDOM, detail, 0);
    else if (how == 1) memdisk_crash(d, MEMDISK_PREFIX, 0, (size_t)detail * 3001);
    else memdisk_kill(d);
    next = slot_life(&w, next, made, &n);
    memdisk_crash(d, MEMDISK_LOSE_ALL, 0, 0);
    if (secret_open(&s, &w, "/state", NULL, NULL, &f) != ERR_OK || slot_open(s, next, &f) != ERR_OK) why = "it does not open";
    for (uint32_t i = 0; i < n; i++) {
        if (!why && !opens(s, &made[i], ERR_OK)) why = "a slot in use is lost";
        for (uint32_t k = 0; k < i; k++)
            if (!why && made[k].slot == made[i].slot) why = "a slot was given out twice";
    }
    for (uint32_t i = 0; i < n; i++) buf_free(&made[i].bytes);
    secret_close(s);
    memdisk_free(d);
    return why;
}

static void slot_crashes(void)
{
    char name[200];
    const char *why = NULL;
    verdict(slot_crash(3, 0, 1, true) != NULL, "slot_crashes_finds_bug", "a store that never syncs passes");
    for (uint64_t call = 1; call <= 12 && !why; call++)
        for (int how = 0; how < 4 && !why; how++)
            for (uint64_t detail = 0; detail < (how < 2 ? 12u : 1u) && !why; detail++) {
                why = slot_crash(call, how, detail, false);
                if (why) snprintf(name, sizeof name, "%s (call %llu, way %d, detail %llu)", why, (unsigned long long)call, how, (unsigned long long)detail);
            }
    verdict(!why, "slot_crashes", why ? name : "");
}

int main(void)
{
    if (sodium_init() < 0) return 1;
    log_set_level(LOG_ERROR);
    key_forms();
    key_life();
    real_permissions();
    values();
    derived_and_signed();
    slots();
    looking();
    slot_crashes();
    return failures != 0;
}
