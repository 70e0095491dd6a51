/* refused_test.c - what follows when the log or the index takes nothing more: an erasure is not said to be done, a note is told on stderr, and a start with
 * what it cannot read goes no further. And a log that is committed now and then while nothing changes.
 *
 * mdb_txn_commit below stands before LMDB's own (the linker takes that of the program first). */
#include "rig.h"
#include "journal/journal.h"
#include "store/event.h"
#include "sync/backup.h"
#include "tests/fault/counted.h"
#include "tests/fault/failing_disk.h"
#include <sys/wait.h>
#include <dlfcn.h>
#include <errno.h>
#include <lmdb.h>

/* ---- a disk that takes nothing, and an index that commits nothing ---- */
static struct { struct world_files real; bool broken; const char *no_open; bool no_commit; unsigned syncs; } disk;

int mdb_txn_commit(MDB_txn *t)
{
    static int (*f)(MDB_txn *t);
    if (!f) *(void **)&f = dlsym(RTLD_NEXT, "mdb_txn_commit");
    if (!f) abort();
    if (!disk.no_commit) return f(t);
    mdb_txn_abort(t);                  /* as the real one does */
    return EIO;
}

static int64_t write_file(void *ctx, int fd, const void *p, size_t n, int64_t off)
{
    if (!disk.broken) return disk.real.pwrite(ctx, fd, p, n, off);
    errno = EIO;
    return -1;
}

static int sync_file(void *ctx, int fd)
{
    disk.syncs++;
    return disk.real.fdatasync(ctx, fd);
}

static int open_file(void *ctx, const char *path, int flags, int mode)
{
    if (!disk.no_open || !strstr(path, disk.no_open)) return disk.real.open(ctx, path, flags, mode);
    errno = EIO;
    return -1;
}

static void synced(struct rig *r, uint32_t customers)
{
    rig_open(r, customers, 7);
    disk.real = r->world.files;
    disk.broken = disk.no_commit = false;
    disk.no_open = NULL;
    r->world.files.pwrite = write_file;
    r->world.files.fdatasync = sync_file;
    r->world.files.open = open_file;
    rig_done(r, "a first sync");
}

static int erased_keys(const struct rig *r) { return rig_erased_keys(rig_path(r, "state/keys.slots")); }

static enum err erase(struct rig *r, struct engine *e, int who) { return engine_erase(e, "customers", str_of(rig_key(rig_customer(r, who))), "tester", &r->f); }

/* ---- erasure ---- */
static void log_is_dead(void)
{
    struct rig r;
    struct engine *e;
    synced(&r, 20);
    if (!ok(rig_engine(&r, &e) == ERR_OK, "the engine opens", "%s", r.f.text)) return;
    disk.broken = true;
    ok(erase(&r, e, 3) == ERR_IO && erased_keys(&r) == 0, "a mark that the disk does not take: the key stays", "%d, %s", erased_keys(&r), r.f.text);
    disk.broken = false;
    ok(erase(&r, e, 4) == ERR_IO && erased_keys(&r) == 0, "nor is another record's erased by this process, whose log has ended", "%d, %s", erased_keys(&r), r.f.text);
    engine_close(e);
    ok(rig_log_count(&r, "ERASE") == 0, "the log has no mark", "%d", rig_log_count(&r, "ERASE"));
    if (!ok(rig_engine(&r, &e) == ERR_OK, "the next start", "%s", r.f.text)) return;
    ok(erase(&r, e, 3) == ERR_OK && erase(&r, e, 4) == ERR_OK && erased_keys(&r) == 2, "erases both when it is asked again", "%d, %s", erased_keys(&r), r.f.text);
    engine_close(e);
    rig_close(&r);
}

static void index_is_not_flushed(void)
{
    struct rig r;
    struct engine *e;
    synced(&r, 20);
    if (!ok(rig_engine(&r, &e) == ERR_OK, "the engine opens", "%s", r.f.text)) return;
    disk.no_commit = true;
    ok(erase(&r, e, 3) == ERR_IO && erased_keys(&r) == 0, "an index that cannot be flushed before the mark: the key stays", "%d, %s", erased_keys(&r), r.f.text);
    disk.no_commit = false;
    engine_close(e);
    ok(rig_log_count(&r, "ERASE") == 0, "and the log has no mark", "%d", rig_log_count(&r, "ERASE"));
    if (!ok(rig_engine(&r, &e) == ERR_OK, "the next start", "%s", r.f.text)) return;
    ok(erase(&r, e, 3) == ERR_OK && erased_keys(&r) == 1, "erases it when it is asked again", "%d, %s", erased_keys(&r), r.f.text);
    engine_close(e);
    rig_close(&r);
}

/* An entry about an erasure that no program of ours wrote, under right hashes and signatures: whose key it is about cannot be told. */
static void mark_is_unreadable(void)
{
    struct rig r;
    struct engine *e;
    struct journal *j;
    struct secret_store *s;
    struct backup_info b;
    synced(&r, 5);
    if (secret_open(&s, &r.world, rig_path(&r, "state"), NULL, NULL, &r.f) != ERR_OK) abort();
    struct journal_options jo = {.dir = rig_path(&r, "state/journal"), .origin = "ml-connector", .segment_bytes = r.o.segment_bytes, .seal = {secret_seal, secret_unseal, secret_sign, s, {0}}};
    secret_public_key(s, jo.seal.public_key);
    struct frame fr = {.kind = FRAME_ERASE, .slot = FRAME_NO_SLOT, .pub = STR("\x01\x7f")};      /* a tag, and a length that leads beyond the end */
    bool good = journal_open(&j, &r.world, &jo, &r.f) == ERR_OK && journal_append(j, &fr, &r.f) == ERR_OK && journal_commit(j, &r.f) == ERR_OK;
    if (!ok(good, "such an entry", "%s", r.f.text)) return;
    journal_close(j);
    secret_close(s);
    ok(rig_engine(&r, &e) == ERR_CORRUPT && strstr(r.f.text, "cannot be read") && erased_keys(&r) == 0, "a start says so and erases nothing", "%s", r.f.text);
    ok(backup_make(&r.world, rig_path(&r, "state"), rig_path(&r, "copy"), &b, &r.f) == ERR_CORRUPT && strstr(r.f.text, "cannot be read") && access(rig_path(&r, "copy"), F_OK) != 0,
       "so does a backup, which cannot know which keys to leave out", "%s", r.f.text);
    rig_close(&r);
}

/* ---- notes ---- */
/* What a run says on stderr. */
static char said[4000];
static enum err once_heard(struct rig *r, struct engine *e)
{
    FILE *f = tmpfile();
    int was = dup(2);
    if (!f || was < 0) abort();
    fflush(stderr);
    (void)dup2(fileno(f), 2);
    enum err err = engine_once(e, &r->r, &r->f);
    fflush(stderr);
    (void)dup2(was, 2);
    close(was);
    rewind(f);
    said[fread(said, 1, sizeof said - 1, f)] = '\0';
    fclose(f);
    return err;
}

static void note_is_refused(void)
{
    struct rig r;
    struct engine *e;
    synced(&r, 20);
    rig_edit(&r, rig_customer(&r, 3), "City", "Springfield");
    int64_t writes = rig_writes(&r);
    if (!ok(rig_engine(&r, &e) == ERR_OK, "the engine opens", "%s", r.f.text)) return;
    disk.broken = true;
    ok(erase(&r, e, 4) == ERR_IO, "the log ends", "%s", r.f.text);
    disk.broken = false;
    rig_zoho_fault(&r, "[{\"match\":{\"path_regex\":\"^/crm/v8/\"},\"do\":\"503\"}]");
    enum err err = once_heard(&r, e);
    ok(err == ERR_IO && rig_writes(&r) == writes, "nothing is written to the target any more", "%s: %s, %lld writes", err_name(err), r.f.text, (long long)(rig_writes(&r) - writes));
    ok(strstr(said, "the audit log did not take a note about CALL: ") != NULL, "and what the log should have noted on the way stands on stderr", "%s", said);
    engine_close(e);
    rig_done(&r, "the next start writes it");
    rig_compare(&r, "and all is well");
    rig_close(&r);
}

/* ---- a start ---- */
/* In a process of its own: LMDB does not bear that one opens an index twice. */
static void look_on(struct rig *r)
{
    struct engine *beside = NULL;
    r->o.beside = r->o.look = r->o.dry = true;
    disk.no_open = "keys.slots";
    enum err err = rig_engine(r, &beside);
    ok(err == ERR_IO && strstr(r->f.text, "keys.slots"), "who looks on beside it and cannot open the data keys says so", "%s: %s", err_name(err), r->f.text);
    disk.no_open = NULL;
    if (ok(rig_engine(r, &beside) == ERR_OK, "and looks on when it can", "%s", r->f.text)) engine_close(beside);
}

static void start_is_refused(void)
{
    struct rig r;
    struct engine *e;
    int status = -1;
    synced(&r, 5);
    struct engine_options o = r.o;
    o.state_dir = rig_path(&r, "none/state");
    o.image_path = rig_path(&r, "spec.mlcb");
    enum err err = engine_open(&e, &r.world, &o, &r.f);
    ok(err == ERR_IO && strstr(r.f.text, "cannot make the state directory"), "a state directory in a folder that is not there", "%s: %s", err_name(err), r.f.text);
    if (!ok(rig_engine(&r, &e) == ERR_OK, "the engine opens", "%s", r.f.text)) return;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        look_on(&r);
        fflush(NULL);
        counted_exit(ok_failures != 0);
    }
    ok(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "and ends in order", "%d", status);
    engine_close(e);
    rig_close(&r);
}

/* The state as it was, in a place of its own, and there again. */
static void copy(const struct rig *r, const char *from, const char *to)
{
    char command[700];
    tree_gone(rig_path(r, to));
    snprintf(command, sizeof command, "cp -a %s %s", rig_path(r, from), rig_path(r, to));
    if (system(command) != 0) abort();
}

/* A start that names no spec takes the last one. Was: any error on the way to it was "no compiled spec was ever run", a secret that could not be read was
 * one that is not set, a master key that could not be looked at was a wrong one: each ends a service for good. And the count of credits began anew. */
static void start_while_each_call_fails(void)
{
    struct rig r;
    struct engine *e;
    struct failing_disk failing = {.why = EIO};
    char state[300], why[800] = "";
    bool spec = false, source = false, target = false, credits = false;
    uint64_t n = 0;
    rig_open(&r, 5, 7);
    snprintf(state, sizeof state, "%s/state", r.dir);
    struct engine_options o = r.o;
    o.state_dir = state;
    ok(engine_open(&e, &r.world, &o, &r.f) == ERR_USAGE && strstr(r.f.text, "no compiled spec was ever run"), "a start without a spec, where none was ever run", "%s", r.f.text);
    rig_done(&r, "a first sync");
    copy(&r, "state", "was");
    failing_disk(&failing, &r.world.files);
    for (bool reached = true; reached && !why[0];) {
        copy(&r, "was", "state");
        failing.calls = 0;
        failing.at = ++n;
        enum err err = engine_open(&e, &r.world, &o, &r.f);
        reached = failing.calls >= n;
        failing.at = 0;
        if (err != ERR_OK && err != ERR_IO && err != ERR_SYNC_FAILED && err != ERR_LOCKED_STATE)
            snprintf(why, sizeof why, "call %llu: %s: %s", (unsigned long long)n, err_name(err), r.f.text);
        spec = spec || (err == ERR_IO && strstr(r.f.text, "images/current"));
        source = source || (err == ERR_IO && strstr(r.f.text, "secrets/sage-agent"));
        credits = credits || (err == ERR_IO && strstr(r.f.text, "the saved count of credits"));
        target = target || (err == ERR_IO && strstr(r.f.text, "secrets/zoho"));
        if (err == ERR_OK) engine_close(e);
        else if (engine_open(&e, &r.world, &o, &r.f) == ERR_OK) engine_close(e);
        else snprintf(why, sizeof why, "after call %llu it does not start: %s", (unsigned long long)n, r.f.text);
    }
    ok(!why[0] && n > 60, "a start with the last spec while each call to the disk fails once: no error is taken for another", "%s", why);
    ok(spec && source && target && credits, "the last spec's name, both secrets and the count of credits could not be read at some time", "%llu calls: %d %d %d %d",
       (unsigned long long)n, spec, source, target, credits);
    printf("# %llu calls\n", (unsigned long long)n - 1);
    rig_close(&r);
}

/* ---- a log of a poll in which nothing changes ---- */
/* Pages of nothing new are not committed one by one; 4,096 of them are. */
static void long_quiet_poll(void)
{
    struct rig r;
    synced(&r, 4300);
    r.o.page_rows = 1;
    sim_loop_advance(r.loop, INT64_C(25) * 3600 * 1000);            /* the whole table is due */
    int pages = rig_log_count(&r, "PAGE");
    disk.syncs = 0;
    rig_done(&r, "a pass of one row a page, nothing changed");
    unsigned syncs = disk.syncs;
    pages = rig_log_count(&r, "PAGE") - pages;
    ok(pages >= 4300 && syncs < 200, "each page stands in the log, which was synced now and then", "%d pages, %u syncs", pages, syncs);
    rig_close(&r);
}

RIG_MAIN({"log", log_is_dead}, {"index", index_is_not_flushed}, {"mark", mark_is_unreadable}, {"note", note_is_refused}, {"start", start_is_refused},
         {"each", start_while_each_call_fails}, {"quiet", long_quiet_poll})
