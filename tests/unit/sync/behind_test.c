/* behind_test.c - the disk fails for a moment while an entry that is durable is folded, or while the index is asked. Nothing is folded over the gap, also
 * when nobody looked at the first error, and no row is taken for one that is not there: the run ends with what the disk said; a new start goes on. */
#include "tests/unit/sync/rig.h"
#include <errno.h>

static struct {
    struct world_files real;
    int slots;                 /* handle of keys.slots */
    unsigned reads, fails_at;
} disk;

static int open_file(void *ctx, const char *path, int flags, int mode)
{
    int fd = disk.real.open(ctx, path, flags, mode);
    if (fd >= 0 && strstr(path, "keys.slots")) disk.slots = fd;
    return fd;
}

static int64_t read_file(void *ctx, int fd, void *p, size_t n, int64_t off)
{
    if (fd == disk.slots && ++disk.reads == disk.fails_at) {
        errno = EIO;
        return -1;
    }
    return disk.real.pread(ctx, fd, p, n, off);
}

static struct { char key[4][40]; size_t n; } keys;

static bool take(void *ctx, const char *key)
{
    (void)ctx;
    snprintf(keys.key[keys.n++ % 4], sizeof keys.key[0], "%s", key);
    return true;
}

static void synced(struct rig *r)
{
    rig_open(r, 4, 1);
    disk.real = r->world.files;
    disk.slots = -1;
    disk.fails_at = 0;
    r->world.files.open = open_file;
    r->world.files.pread = read_file;
    (void)rig_done(r, "a first sync");
    keys.n = 0;
    (void)sage_sim_each_key(r->sage, "ABC", "customers", take, NULL);
}

static unsigned fails_at(unsigned n)
{
    struct rig r;
    struct engine *e;
    char name[120];
    synced(&r);
    if (rig_engine(&r, &e) != ERR_OK) abort();
    disk.reads = 0;
    disk.fails_at = n;
    (void)engine_replay(e, NULL, str_of(rig_key(keys.key[0])), false, false, "operator", &r.f);      /* whatever comes of it */
    unsigned reads = disk.reads;
    disk.fails_at = 0;
    enum err err = engine_once(e, &r.r, &r.f);
    snprintf(name, sizeof name, "read %u of the data keys fails: what comes next is done, or says what the disk said", n);
    ok(err == ERR_OK || err == ERR_IO, name, "%s: %s", err_name(err), r.f.text);
    engine_close(e);
    (void)rig_done(&r, "and a new start writes what is left");
    rig_close(&r);
    return reads;
}

/* Two customers change; of the reads of data keys that their sync makes, number n fails. */
static unsigned asked_at(unsigned n)
{
    struct rig r;
    struct engine *e;
    char name[120];
    synced(&r);
    bool changed = sage_sim_edit(r.sage, "ABC", "customers", keys.key[0], "CustomerName", "One", SAGE_STAMP_NOW) &&
                   sage_sim_edit(r.sage, "ABC", "customers", keys.key[1], "CustomerName", "Two", SAGE_STAMP_NOW);
    if (!changed || rig_engine(&r, &e) != ERR_OK) abort();
    disk.reads = 0;
    disk.fails_at = n;
    (void)alarm(60);                         /* an index that says nothing more is nothing to wait for */
    enum err err = engine_once(e, &r.r, &r.f);
    (void)alarm(0);
    unsigned reads = disk.reads;
    disk.fails_at = 0;
    engine_close(e);
    snprintf(name, sizeof name, "read %u of the data keys in a pass fails: it ends, with what the disk said", n);
    ok(n == 0 || n > reads ? err == ERR_OK : err == ERR_IO, name, "%s: %s", err_name(err), r.f.text);
    (void)rig_done(&r, "and the next one writes what is left");
    long long updates = (long long)rig_counter(&r, "updates");
    ok(updates == 2, "two customers changed, two were written", "%lld", updates);
    rig_close(&r);
    return reads;
}

int main(void)
{
    unsigned reads = fails_at(0);
    ok(reads > 3, "the data keys are read", "%u times", reads);
    for (unsigned n = 1; n <= reads; n++) (void)fails_at(n);
    reads = asked_at(0);
    ok(reads > 3, "a pass reads data keys", "%u times", reads);
    for (unsigned n = 1; n <= reads; n++) (void)asked_at(n);
    return ok_done();
}
