/* backup_parts_test.c - backups of states that are not like most: parts that are not there, more of them than usual, a log of several segments or without an
 * entry, keys that were made while they were copied. What is copied is whole; what cannot be copied whole leaves nothing under the backup's name. */
#include "rig.h"
#include "journal/journal.h"
#include "sync/backup.h"
#include <errno.h>
#include <sys/stat.h>

enum { SLOT = 32 };

/* ---- a disk that fails at one path, and a file of data keys that ends earlier at the first look ---- */
static struct { struct world_files real; const char *no_open; unsigned opened, fails_at; int slots; int64_t ends; } disk;

static int open_file(void *ctx, const char *path, int flags, int mode)
{
    bool keys = strstr(path, "/state/keys.slots") != NULL;
    disk.opened += keys;
    if ((disk.no_open && strstr(path, disk.no_open)) || (keys && disk.fails_at && disk.opened >= disk.fails_at)) {
        errno = EIO;
        return -1;
    }
    int fd = disk.real.open(ctx, path, flags, mode);
    if (keys) disk.slots = disk.opened == 1 ? fd : -1;
    return fd;
}

static int64_t read_file(void *ctx, int fd, void *p, size_t n, int64_t off)
{
    if (fd != disk.slots || disk.ends < 0) return disk.real.pread(ctx, fd, p, n, off);
    if (off >= disk.ends) return 0;
    return disk.real.pread(ctx, fd, p, off + (int64_t)n > disk.ends ? (size_t)(disk.ends - off) : n, off);
}

static void opened(struct rig *r, uint32_t customers)
{
    rig_open(r, customers, 7);
    disk.real = r->world.files;
    disk.no_open = NULL;
    disk.opened = disk.fails_at = 0;
    disk.slots = -1;
    disk.ends = -1;
    r->world.files.open = open_file;
    r->world.files.pread = read_file;
}

static struct backup_info made;
static enum err make(struct rig *r)
{
    tree_gone(rig_path(r, "copy"));
    tree_gone(rig_path(r, "copy.part"));
    disk.opened = 0;
    return backup_make(&r->world, rig_path(r, "state"), rig_path(r, "copy"), &made, &r->f);
}

/* Whole by its own list. */
static bool good(struct rig *r)
{
    struct backup_info b;
    return backup_check(&r->world, rig_path(r, "copy"), &b, &r->f) == ERR_OK && b.files == made.files && b.last_seq == made.last_seq;
}

static bool same(const struct rig *r, const char *a, const char *b) { return rig_same_file(rig_path(r, a), rig_path(r, b)); }

/* ---- parts ---- */
static void missing(void)
{
    static const char *const parts[] = {"state/images", "state/journal/checkpoints.log", "state/key.id"};
    struct rig r;
    opened(&r, 12);
    rig_done(&r, "a first sync");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char name[100];
        snprintf(name, sizeof name, "a backup without %s", parts[i]);
        bool was = rig_there(rig_path(&r, parts[i]));
        tree_gone(rig_path(&r, parts[i]));
        ok(was && make(&r) == ERR_OK && good(&r), name, "%s", r.f.text);
    }
    unlink(rig_path(&r, "state/keys.slots"));
    ok(make(&r) == ERR_NOT_FOUND && strstr(r.f.text, "keys.slots") && !rig_there(rig_path(&r, "copy")), "one without the data keys that its log needs is none", "%s", r.f.text);
    rig_close(&r);
}

static void many_files(void)
{
    struct rig r;
    char name[100];
    opened(&r, 5);
    rig_done(&r, "a first sync");
    bool all = make(&r) == ERR_OK;
    uint64_t before = made.files;
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "state/images/%064d", i);
        rig_write(&r, name, name, strlen(name));
    }
    all = all && make(&r) == ERR_OK && good(&r);
    ok(all && made.files == before + 150, "150 images are in it", "%llu files, %llu before; %s", (unsigned long long)made.files, (unsigned long long)before, r.f.text);
    all = true;
    for (int i = 0; i < 150 && all; i++) {
        char copy[100];
        snprintf(name, sizeof name, "state/images/%064d", i);
        snprintf(copy, sizeof copy, "copy/images/%064d", i);
        all = same(&r, name, copy);
    }
    ok(all, "each as it was", "one is not");
    rig_close(&r);
}

/* ---- the log ---- */
static void never_ran(void)
{
    struct rig r;
    struct engine *e;
    struct journal *j;
    struct secret_store *s;
    opened(&r, 5);
    if (secret_open(&s, &r.world, rig_path(&r, "state"), NULL, NULL, &r.f) != ERR_OK) abort();
    struct journal_options jo = {.dir = rig_path(&r, "state/journal"), .origin = "ml-connector", .segment_bytes = r.o.segment_bytes, .seal = {secret_seal, secret_unseal, secret_sign, s, {0}}};
    secret_public_key(s, jo.seal.public_key);
    if (!ok(journal_open(&j, &r.world, &jo, &r.f) == ERR_OK, "a log that was made, and then the power went", "%s", r.f.text)) return;
    journal_close(j);
    secret_close(s);
    ok(make(&r) == ERR_OK && good(&r) && made.last_seq == 0, "a backup of it holds no entry", "%llu; %s", (unsigned long long)made.last_seq, r.f.text);
    if (ok(rig_engine(&r, &e) == ERR_OK, "a start", "%s", r.f.text)) engine_close(e);
    ok(make(&r) == ERR_OK && good(&r) && made.last_seq > 0, "a backup of a state that no record was written to", "%s", r.f.text);
    rig_close(&r);
}

static void several_segments(void)
{
    struct rig r;
    opened(&r, 60);
    r.o.segment_bytes = 1 << 14;
    rig_done(&r, "a first sync");
    if (!ok(rig_there(rig_path(&r, "state/journal/00000002.seg")), "the log has several segments", "only one")) return;
    ok(make(&r) == ERR_OK && good(&r) && same(&r, "state/journal/00000001.seg", "copy/journal/00000001.seg"), "they are copied", "%s", r.f.text);
    disk.no_open = "copy.part/journal/00000001.seg";
    ok(make(&r) == ERR_IO && strstr(r.f.text, "00000001.seg") && !rig_there(rig_path(&r, "copy")), "one that cannot be written: no backup, and the first reason", "%s", r.f.text);
    rig_close(&r);
}

/* ---- data keys ---- */
static void keys_grow(void)
{
    struct rig r;
    opened(&r, 12);
    rig_done(&r, "a first sync");
    disk.ends = SLOT + 8;                                   /* in the middle of the first key */
    ok(make(&r) == ERR_OK && good(&r) && disk.opened == 2 && same(&r, "state/keys.slots", "copy/keys.slots"), "keys that were made while their file was copied are in it", "%u looks; %s",
       disk.opened, r.f.text);
    disk.fails_at = 2;
    ok(make(&r) == ERR_IO && !rig_there(rig_path(&r, "copy")), "when they cannot be read there is no backup", "%s", r.f.text);
    rig_close(&r);
}

/* More records than a list has room for at first are erased, and one that the state never knew. */
static void many_erased(void)
{
    static const char unknown[] = "restored\n6e6f626f6479\tcustomers\n";
    struct rig r;
    struct engine *e;
    int n = 0;
    opened(&r, 120);
    rig_done(&r, "a first sync");
    rig_write(&r, "state/restored", unknown, sizeof unknown - 1);
    if (!ok(rig_engine(&r, &e) == ERR_OK, "the engine opens, and a record is erased that it does not know", "%s", r.f.text)) return;
    bool all = true;
    for (const char *k = rig_customer(&r, n); *k && all; k = rig_customer(&r, ++n)) all = engine_erase(e, "customers", str_of(rig_key(k)), "tester", &r.f) == ERR_OK;
    engine_close(e);
    ok(all && n > 64 && rig_erased_keys(rig_path(&r, "state/keys.slots")) == n, "all customers are erased", "%d, %d keys; %s", n, rig_erased_keys(rig_path(&r, "state/keys.slots")), r.f.text);
    disk.ends = 10 * SLOT;                                  /* the erased ones among the rest are copied later */
    if (ok(make(&r) == ERR_OK && good(&r), "a backup", "%s", r.f.text))
        ok(same(&r, "state/keys.slots", "copy/keys.slots"), "has none of their keys, and all others", "%d keys are erased in it", rig_erased_keys(rig_path(&r, "copy/keys.slots")));
    rig_close(&r);
}

/* ---- back ---- */
static void into_an_empty_place(void)
{
    struct rig r;
    struct backup_info b;
    opened(&r, 5);
    rig_done(&r, "a first sync");
    ok(make(&r) == ERR_OK, "a backup", "%s", r.f.text);
    mkdir(rig_path(&r, "fresh"), 0700);
    ok(backup_restore(&r.world, rig_path(&r, "copy"), rig_path(&r, "fresh"), NULL, 0, &b, &r.f) == ERR_OK && same(&r, "fresh/keys.slots", "state/keys.slots") &&
       rig_there(rig_path(&r, "fresh/restored")), "is restored into a folder that is there and empty", "%s", r.f.text);
    rig_close(&r);
}

RIG_MAIN({"missing", missing}, {"files", many_files}, {"never", never_ran}, {"segments", several_segments}, {"grow", keys_grow}, {"erased", many_erased},
         {"back", into_an_empty_place})
