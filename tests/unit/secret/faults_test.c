/* faults_test.c - every call of the store to the disk fails once, reading ones too, in lives that make, read, change, list, erase and rotate: an error is
 * said or nothing is missing, and the next start has all that was promised. And what no program of ours leaves: files of other forms, a generator
 * that gives zeros, paths that are too long. */
#include "secret/secret.h"
#include "journal/journal.h"
#include "tests/fault/failing_disk.h"
#include "tests/tree.h"
#include "tests/unit/secret/rig.h"
#include "base/log.h"
#include "tests/unit/value/ok.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

static void zeros(void *ctx, void *p, size_t n)
{
    (void)ctx;
    memset(p, 0, n);
}

/* ---- a life, and what it was promised ---- */
struct promised {
    unsigned acked, tried;              /* the value of "kept", as a number; 0: none yet */
    struct buf sealed; uint32_t slot;   /* a record's private part */
    uint32_t next;                      /* slots below may be in use */
    const char *key_file, *credentials;
    const char *wrong;
};

static void look(struct promised *m, struct secret_store *s, struct fault *f, enum err *e)
{
    struct arena a;
    struct str v;
    unsigned n = 0;
    arena_init(&a, 0);
    if (m->tried) {
        *e = secret_get(s, "kept", &a, &v, f);
        if (*e == ERR_OK) {
            for (size_t i = 0; i < v.n; i++) n = n * 10 + (unsigned)(v.p[i] - '0');
            if (n != m->acked && n != m->tried) m->wrong = "a value is another one";
            m->acked = m->tried = n;
        } else if (!m->acked && *e == ERR_SECRET && strstr(f->text, "is not set")) *e = ERR_OK, m->tried = 0;
    }
    if (*e == ERR_OK && m->sealed.n) {
        *e = secret_unseal(s, m->slot, STR("ad"), buf_view(&m->sealed), &a, &v);
        if (*e == ERR_OK && !str_is(v, "private")) m->wrong = "a private part is another one";
    }
    arena_free(&a);
}

static enum err keep(struct promised *m, struct secret_store *s, struct fault *f)
{
    char text[20];
    m->tried++;
    snprintf(text, sizeof text, "%u", m->tried);
    enum err e = secret_put(s, "kept", str_of(text), f);
    if (e == ERR_OK) m->acked = m->tried;
    return e;
}

static enum err seal_one(struct promised *m, struct secret_store *s, struct fault *f)
{
    struct buf first = {0}, again = {0};
    uint32_t slot;
    enum err e = slot_take(s, &slot, f);
    if (e != ERR_OK) return e;
    m->next = slot + 1;
    e = secret_seal_same(s, slot, STR("ad"), STR("private"), &first);
    if (e == ERR_OK) e = secret_seal_same(s, slot, STR("ad"), STR("private"), &again);
    if (e == ERR_OK && !str_eq(buf_view(&first), buf_view(&again))) m->wrong = "the same is sealed to something else";
    buf_free(&again);
    if (e != ERR_OK) {
        buf_free(&first);
        return e;
    }
    buf_free(&m->sealed);
    m->sealed = first;
    m->slot = slot;
    return ERR_OK;
}

/* Another slot is taken, used and erased: what it sealed opens no more. */
static enum err erase_one(struct promised *m, struct secret_store *s, struct fault *f)
{
    struct buf b = {0};
    struct arena a;
    struct str v;
    uint32_t slot;
    enum err e = slot_take(s, &slot, f);
    if (e != ERR_OK) return e;
    m->next = slot + 1;
    arena_init(&a, 0);
    e = secret_seal(s, slot, STR("ad"), STR("gone"), &b);
    if (e == ERR_OK) e = slot_erase(s, slot, f);
    if (e == ERR_OK) {
        enum err open = secret_unseal(s, slot, STR("ad"), buf_view(&b), &a, &v);
        if (open == ERR_OK || open == ERR_CORRUPT) m->wrong = "what was erased opens";
        e = open == ERR_NOT_FOUND ? ERR_OK : open;
    }
    buf_free(&b);
    arena_free(&a);
    return e;
}

static void count(void *arg, const char *name)
{
    (void)name;
    ++*(int *)arg;
}

static enum err values(struct promised *m, struct secret_store *s, struct fault *f)
{
    int n = 0;
    enum err e = keep(m, s, f);
    if (e == ERR_OK) e = secret_put(s, "other", STR(""), f);
    if (e == ERR_OK) e = secret_list(s, count, &n, f);
    if (e == ERR_OK && n != 2) m->wrong = "the list is another one";
    return e == ERR_OK ? secret_remove(s, "other", f) : e;
}

static enum err live(struct promised *m, const struct world *w, struct fault *f)
{
    struct secret_store *s = NULL, *reader = NULL;
    struct secret_rotated r;
    enum err e = secret_open(&s, w, "/state", m->key_file, m->credentials, f);
    if (e == ERR_OK) e = slot_open(s, m->next, f);
    if (e == ERR_OK) look(m, s, f, &e);
    if (e == ERR_OK) e = values(m, s, f);
    if (e == ERR_OK) e = seal_one(m, s, f);
    if (e == ERR_OK && !m->key_file && !m->credentials) {
        e = secret_rotate(s, &r, f);
        if (e == ERR_OK && r.damaged) m->wrong = "a value that cannot be read for once is taken for damaged";
    }
    if (e == ERR_OK) look(m, s, f, &e);
    if (e == ERR_OK) e = erase_one(m, s, f);
    if (e == ERR_OK) e = secret_open_read(&reader, w, "/state", m->key_file, m->credentials, f);
    if (e == ERR_OK) e = slot_open_read(reader, f);
    if (e == ERR_OK) look(m, reader, f, &e);
    secret_close(reader);
    secret_close(s);
    return e;
}

/* Lives on a copy of the disk, one with each call failing and one without; the first life of all has an empty disk. */
static void every_call(const char *name, int lives_before, const char *key_file, const char *credentials, int why, bool nothing)
{
    char text[700] = "";
    uint64_t n = 0;
    for (bool reached = true; reached && !text[0];) {
        struct memdisk *d = memdisk_new();
        struct world w = world_on(d);
        struct fault f = {ERR_OK, ""};
        struct promised m = {.key_file = key_file, .credentials = credentials};
        struct failing_disk disk = {.at = ++n, .why = why, .writes_nothing = nothing};
        w.files.mkdir(d, "/run", 0700);
        if (credentials) put_file(&w, "/run/mlc-key", "0123456789abcdef0123456789abcdef", 32, 0600);
        for (int i = 0; i < lives_before; i++)
            if (live(&m, &w, &f) != ERR_OK || m.wrong) snprintf(text, sizeof text, "before: %s %s", m.wrong ? m.wrong : "", f.text);
        failing_disk(&disk, &w.files);
        enum err e = live(&m, &w, &f);
        reached = disk.calls >= n;
        if (e == ERR_CORRUPT && !nothing) m.wrong = "it is taken for damage";
        if (m.wrong) snprintf(text, sizeof text, "call %" PRIu64 ": %s; %s", n, m.wrong, f.text);
        memdisk_files(d, &w.files);
        memdisk_kill(d);
        if (!text[0] && (live(&m, &w, &f) != ERR_OK || m.wrong)) snprintf(text, sizeof text, "after call %" PRIu64 ": %s; %s", n, m.wrong ? m.wrong : "an error", f.text);
        buf_free(&m.sealed);
        memdisk_free(d);
    }
    ok(!text[0] && n > 40, name, "%s", text);
    printf("# %" PRIu64 " calls\n", n - 1);
}

/* ---- what no program of ours leaves ---- */
static enum err opened(struct world *w, const char *dir, const char *key_file, const char *credentials, bool read_only, struct fault *f)
{
    struct secret_store *s = NULL;
    enum err e = read_only ? secret_open_read(&s, w, dir, key_file, credentials, f) : secret_open(&s, w, dir, key_file, credentials, f);
    secret_close(s);
    return e;
}

static int of_another(void *ctx, const char *path, unsigned *mode, bool *ours)
{
    struct world_files real;
    memdisk_files(ctx, &real);
    int rc = real.mode(ctx, path, mode, ours);
    *ours = false;
    return rc;
}

static void key_files(void)
{
    static const char hex_with_x[] = "xx23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct fault f = {ERR_OK, ""};
    char longest[2000], big[300];
    memset(longest, 'k', sizeof longest);
    longest[0] = '/', longest[sizeof longest - 1] = '\0';
    memset(big, 'A', sizeof big);
    w.files.mkdir(d, "/run", 0700);
    ok(opened(&w, "/state", longest, NULL, false, &f) == ERR_CONFIG, "a path of a key that is too long", "%s", f.text);
    ok(opened(&w, longest, NULL, NULL, false, &f) == ERR_CONFIG && opened(&w, "", NULL, NULL, false, &f) == ERR_CONFIG && opened(&w, NULL, NULL, NULL, true, &f) == ERR_CONFIG,
       "a state directory without a name, or with too long a one", "%s", f.text);
    put_file(&w, "/run/key", hex_with_x, 64, 0600);
    ok(opened(&w, "/state", "/run/key", NULL, false, &f) == ERR_SECRET && strstr(f.text, "is no key"), "64 characters that are no hex digits", "%s", f.text);
    put_file(&w, "/run/key", big, sizeof big, 0600);
    ok(opened(&w, "/state", "/run/key", NULL, false, &f) == ERR_SECRET && strstr(f.text, "is no key"), "a file of 300 letters", "%s", f.text);
    ok(opened(&w, "/state", NULL, "/run", false, &f) == ERR_SECRET && strstr(f.text, "no credential"), "a first start without its credential", "%s", f.text);
    put_file(&w, "/run/key", "0123456789abcdef0123456789abcdef", 32, 0600);
    w.files.mode = of_another;
    ok(opened(&w, "/state", "/run/key", NULL, false, &f) == ERR_SECRET && strstr(f.text, "another user"), "a key of another user", "%s", f.text);
    memdisk_files(d, &w.files);
    ok(opened(&w, "/look", "/run/key", NULL, true, &f) == ERR_OK && opened(&w, "/look", "/run/none", NULL, true, &f) == ERR_NOT_FOUND, "looking where nothing is sealed", "%s", f.text);
    put_file(&w, "/run/key", big, 20, 0600);
    ok(opened(&w, "/look", "/run/key", NULL, true, &f) == ERR_SECRET, "looking with what is no key", "%s", f.text);
    memdisk_free(d);
}

static void generator(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL;
    struct secret_rotated r;
    struct fault f = {ERR_OK, ""};
    uint32_t slot;
    w.random.fill = zeros;
    ok(opened(&w, "/state", NULL, NULL, false, &f) == ERR_SECRET && strstr(f.text, "zeros only"), "no key of zeros is made", "%s", f.text);
    w.files.mkdir(d, "/run", 0700);
    put_file(&w, "/run/key", "0123456789abcdef0123456789abcdef", 32, 0600);
    ok(opened(&w, "/state", "/run/key", NULL, false, &f) == ERR_SECRET && strstr(f.text, "zeros only"), "nor one for values", "%s", f.text);
    w.random.fill = fill;
    bool good = secret_open(&s, &w, "/state", NULL, NULL, &f) == ERR_OK && slot_open(s, 0, &f) == ERR_OK;
    w.random.fill = zeros;
    ok(good && slot_take(s, &slot, &f) == ERR_SECRET && strstr(f.text, "zeros"), "nor for records", "%s", f.text);
    ok(good && secret_rotate(s, &r, &f) == ERR_SECRET, "nor at a change of the master key", "%s", f.text);
    w.random.fill = fill;
    ok(good && secret_put(s, "x", STR("y"), &f) == ERR_OK && slot_take(s, &slot, &f) == ERR_OK && slot == 1, "after which it goes on", "%s", f.text);
    secret_close(s);
    memdisk_free(d);
}

/* key.id in every wrong form, with something sealed and without. */
static void ids(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL;
    struct fault f = {ERR_OK, ""};
    struct str text;
    struct buf id = {0};
    if (secret_open(&s, &w, "/state", NULL, NULL, &f) != ERR_OK) abort();
    if (!memdisk_content(d, "/state/key.id", &text)) abort();
    buf_str(&id, text);
    for (int sealed = 0; sealed < 2; sealed++) {
        if (sealed && secret_put(s, "x", STR("y"), &f) != ERR_OK) abort();
        static const size_t cuts[] = {0, 10, 63, 64, 65, 70, 72, 73, 100};
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            put_file(&w, "/state/key.id", id.p, cuts[i], 0600);
            enum err e = opened(&w, "/state", NULL, NULL, false, &f);
            ok(e == ERR_SECRET && strstr(f.text, "key.id"), sealed ? "a key.id that is cut, over sealed values" : "a key.id that is cut", "%zu: %s", cuts[i], f.text);
            ok(opened(&w, "/state", NULL, NULL, true, &f) == ERR_SECRET, "who looks is told so too", "%s", f.text);
            if (sealed) ok(secret_put(s, "x", STR("z"), &f) == (cuts[i] < 64 ? ERR_BUSY : ERR_OK), "and who was open before does not write under it", "%zu: %s", cuts[i], f.text);
        }
        buf_byte(&id, 'x');
        put_file(&w, "/state/key.id", id.p, id.n, 0600);
        ok(opened(&w, "/state", NULL, NULL, false, &f) == ERR_SECRET && strstr(f.text, "damaged"), "a key.id that goes on", "%s", f.text);
        id.n--;
        id.p[66] ^= 1;
        put_file(&w, "/state/key.id", id.p, id.n, 0600);
        ok(opened(&w, "/state", NULL, NULL, false, &f) == ERR_SECRET && strstr(f.text, "damaged"), "a key.id with another head", "%s", f.text);
        id.p[66] ^= 1;
        put_file(&w, "/state/key.id", id.p, id.n, 0600);
        ok(opened(&w, "/state", NULL, NULL, false, &f) == ERR_OK, "as it was, it opens", "%s", f.text);
    }
    w.files.unlink(d, "/state/key.id");
    ok(opened(&w, "/state", NULL, NULL, true, &f) == ERR_SECRET && strstr(f.text, "key.id is missing"), "a key.id that is lost", "%s", f.text);
    secret_close(s);

    /* Sealed with the right master key, and of another length: of a newer program, or of nobody. */
    unsigned char master[32], wrap[32], nonce[24] = {1};
    struct buf made = {0}, ad = {0};
    size_t n;
    if (!memdisk_content(d, "/state/master.key", &text) || sodium_hex2bin(master, 32, text.p, 64, NULL, &n, NULL) != 0) abort();
    crypto_kdf_derive_from_key(wrap, 32, 67, "mlcsecrt", master);
    buf_puts(&ad, "mlckeys\x01");
    buf_put(&ad, id.p, 64);
    buf_put(&made, id.p, 65);
    buf_puts(&made, "mlckeys\x01");
    buf_put(&made, nonce, 24);
    unsigned char *to = (unsigned char *)buf_reserve(&made, 5 + 16);
    crypto_aead_xchacha20poly1305_ietf_encrypt(to, NULL, (const unsigned char *)"short", 5, (const unsigned char *)ad.p, ad.n, NULL, nonce, wrap);
    made.n += 5 + 16;
    put_file(&w, "/state/key.id", made.p, made.n, 0600);
    ok(opened(&w, "/state", NULL, NULL, false, &f) == ERR_SECRET && strstr(f.text, "damaged"), "keys of another length", "%s", f.text);
    buf_free(&made);
    buf_free(&ad);
    buf_free(&id);
    memdisk_free(d);
}

/* A master key of another store, where nothing is sealed yet; the lock held by another; directories by other names. */
static char synced[600];
static int note_dir(void *ctx, const char *dir)
{
    (void)ctx;
    size_t n = strlen(synced);
    snprintf(synced + n, sizeof synced - n, "|%s|", dir);
    return 0;
}

static void parents(void)
{
    char tmp[] = "/tmp/faults-test-XXXXXX", dir[100], parent[100];
    struct world w;
    struct fault f = {ERR_OK, ""};
    world_real(&w);
    w.files.sync_dir = note_dir;
    if (!mkdtemp(tmp) || chdir(tmp) != 0) abort();
    ok(opened(&w, "state", NULL, NULL, false, &f) == ERR_OK && strstr(synced, "|.|"), "a state directory in the current one is synced there", "%s (%s)", f.text, synced);
    synced[0] = '\0';
    snprintf(dir, sizeof dir, "%s/other//", tmp);
    snprintf(parent, sizeof parent, "|%s|", tmp);
    ok(opened(&w, dir, NULL, NULL, false, &f) == ERR_OK && strstr(synced, parent), "slashes at the end are no directory", "%s (%s)", f.text, synced);
    if (chdir("/") != 0) abort();
    tree_gone(tmp);
}

static void first_starts(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct fault f = {ERR_OK, ""};
    ok(opened(&w, "/state", NULL, NULL, false, &f) == ERR_OK, "a first start", "%s", f.text);
    put_file(&w, "/state/master.key", "0123456789abcdef0123456789abcdef", 32, 0600);
    ok(opened(&w, "/state", NULL, NULL, false, &f) == ERR_SECRET && strstr(f.text, "not the master key"), "another master key, before anything is sealed", "%s", f.text);
    w.files.mkdir(d, "/run", 0700);
    ok(opened(&w, "/state", "/run/none", NULL, false, &f) == ERR_SECRET && strstr(f.text, "is missing"), "no master key at all", "%s", f.text);
    int fd = w.files.open(d, "/state/key.lock", O_RDWR | O_CREAT, 0600);
    if (w.files.lock(d, fd) != 0) abort();
    ok(opened(&w, "/state", NULL, NULL, false, &f) == ERR_BUSY, "two make no keys at once", "%s", f.text);
    w.files.close(d, fd);
    memdisk_free(d);
}

/* ---- values ---- */
static void values_of_others(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL;
    struct fault f = {ERR_OK, ""};
    struct arena a;
    struct str v;
    char *big = calloc(1, (64u << 10) + 1000);
    if (!big || secret_open(&s, &w, "/state", NULL, NULL, &f) != ERR_OK) abort();
    arena_init(&a, 0);
    ok(secret_put(s, "big", (struct str){big, 64u << 10}, &f) == ERR_OK && secret_get(s, "big", &a, &v, &f) == ERR_OK && v.n == 64u << 10, "the longest value", "%s", f.text);
    ok(secret_put(s, "big", (struct str){big, (64u << 10) + 1}, &f) == ERR_TOO_LARGE, "one byte more", "%s", f.text);
    put_file(&w, "/state/secrets/big", big, (64u << 10) + 1000, 0600);
    ok(secret_get(s, "big", &a, &v, &f) == ERR_CORRUPT && strstr(f.text, "set it again"), "a file that is longer than any value", "%s", f.text);
    ok(secret_remove(s, "../key.id", &f) == ERR_USAGE, "a name that leads out", "%s", f.text);
    for (int i = 0; i < 40; i++) {
        char name[20];
        snprintf(name, sizeof name, "n%d", i);
        if (secret_put(s, name, STR("v"), &f) != ERR_OK) abort();
    }
    struct secret_rotated r;
    ok(secret_rotate(s, &r, &f) == ERR_OK && r.values == 40 && r.damaged == 1, "many values, one damaged, change their key", "%s", f.text);
    free(big);
    arena_free(&a);
    secret_close(s);
    memdisk_free(d);
}

/* ---- slots ---- */
static int64_t huge(void *ctx, int fd)
{
    (void)ctx, (void)fd;
    return (int64_t)1 << 40;
}

static void slots_of_others(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL, *reader = NULL;
    struct fault f = {ERR_OK, ""};
    struct buf out = {0}, same = {0};
    struct arena a;
    struct str v;
    uint32_t slot;
    arena_init(&a, 0);
    if (secret_open(&s, &w, "/state", NULL, NULL, &f) != ERR_OK) abort();
    ok(slot_take(s, &slot, &f) == ERR_SECRET && slot_erase(s, 1, &f) == ERR_SECRET && secret_seal(s, 1, STR(""), STR("x"), &out) == ERR_SECRET, "no slot before they are open", "%s", f.text);
    ok(secret_open_read(&reader, &w, "/state", NULL, NULL, &f) == ERR_OK && slot_open_read(reader, &f) == ERR_OK, "no file of slots is no error for who looks", "%s", f.text);
    if (slot_open(s, 0, &f) != ERR_OK || slot_take(s, &slot, &f) != ERR_OK) abort();
    ok(slot_erase(s, 0, &f) == ERR_NOT_FOUND && slot_erase(s, 1u << 30, &f) == ERR_NOT_FOUND, "a mark is no slot, nor is what was not made", "%s", f.text);
    ok(secret_seal(s, 0, STR("ad"), STR("x"), &out) == ERR_SECRET && secret_seal_same(s, 0, STR("ad"), STR("x"), &out) == ERR_SECRET && slot_seen(s, 1u << 30, &f) == ERR_CORRUPT,
       "nothing is sealed with them", "%s", f.text);
    bool good = secret_seal_same(s, slot, (struct str){NULL, 0}, (struct str){NULL, 0}, &same) == ERR_OK && secret_unseal(s, slot, (struct str){NULL, 0}, buf_view(&same), &a, &v) == ERR_OK;
    ok(good && v.n == 0, "nothing, bound to nothing, is sealed and opened", "%s", f.text);
    w.files.size = huge;
    ok(slot_open_read(reader, &f) == ERR_CORRUPT && strstr(f.text, "longer than"), "a file longer than slots have numbers", "%s", f.text);
    memdisk_files(d, &w.files);
    secret_close(reader);
    secret_close(s);
    buf_free(&out);
    buf_free(&same);
    arena_free(&a);
    memdisk_free(d);
}

static int unconfirmed(void *ctx, int fd)
{
    (void)ctx, (void)fd;
    errno = EIO;
    return -1;
}

static void unsynced_slots(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = world_on(d);
    struct secret_store *s = NULL;
    struct fault f = {ERR_OK, ""};
    uint32_t slot;
    if (secret_open(&s, &w, "/state", NULL, NULL, &f) != ERR_OK || slot_open(s, 0, &f) != ERR_OK || slot_take(s, &slot, &f) != ERR_OK) abort();
    w.files.fdatasync = unconfirmed;
    ok(slot_erase(s, slot, &f) == ERR_SYNC_FAILED, "an erasure that is not confirmed is none", "%s", f.text);
    memdisk_files(d, &w.files);
    ok(slot_erase(s, slot, &f) == ERR_SYNC_FAILED && strstr(f.text, "start again"), "nor is a second one, which would only look so", "%s", f.text);
    secret_close(s);
    memdisk_free(d);
}

int main(void)
{
    if (sodium_init() < 0) return 1;
    log_set_level(LOG_ERROR);
    every_call("in an empty directory, each call fails once", 0, NULL, NULL, EIO, false);
    every_call("in a store with everything in it, each call fails once", 2, NULL, NULL, EIO, false);
    every_call("the disk is full at each call once", 2, NULL, NULL, EDQUOT, false);
    every_call("each write moves nothing once", 2, NULL, NULL, ENOSPC, true);
    every_call("with a credential, each call fails once", 0, NULL, "/run", EIO, false);
    key_files();
    generator();
    ids();
    first_starts();
    parents();
    values_of_others();
    slots_of_others();
    unsynced_slots();
    return ok_failures != 0;
}
