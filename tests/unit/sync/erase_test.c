/* erase_test.c - erasing a record, when the disk fails between the mark in the log and the key's end; and what an index made anew knows of it. */
#include "rig.h"
#include "secret/secret.h"
#include "store/store.h"
#include "tests/fault/counted.h"
#include <errno.h>
#include <sys/wait.h>

enum { SLOT = 32 };

static int erased_keys(const struct rig *r) { return rig_erased_keys(rig_path(r, "state/keys.slots")); }

/* A disk that breaks in the middle of overwriting a key. */
static struct { int64_t (*pwrite)(void *ctx, int fd, const void *p, size_t n, int64_t off); bool broken; int refused; } disk;

static int64_t no_zeros(void *ctx, int fd, const void *p, size_t n, int64_t off)
{
    static const unsigned char zeros[SLOT];
    if (!disk.broken || n != SLOT || memcmp(p, zeros, SLOT) != 0) return disk.pwrite(ctx, fd, p, n, off);
    disk.refused++;
    (void)disk.pwrite(ctx, fd, p, n / 2, off);
    errno = EIO;
    return -1;
}

static void open_synced(struct rig *r)
{
    rig_open(r, 20, 7);
    rig_done(r, "a first sync");
    disk.pwrite = r->world.files.pwrite;
    disk.broken = true;
    disk.refused = 0;
    r->world.files.pwrite = no_zeros;
}

static enum err erase(struct engine *e, struct rig *r)
{
    return engine_erase(e, "customers", str_of(rig_key(rig_customer(r, 3))), "tester", &r->f);
}

/* Was: the index was flushed with the mark before the key was overwritten, so no start looked at it again; and a key that was overwritten in part was
 * taken for a damaged log. */
static void test_stopped_between(void)
{
    struct rig r;
    struct engine *e;
    int status = 0;
    open_synced(&r);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) counted_exit(rig_engine(&r, &e) == ERR_OK && erase(e, &r) == ERR_IO && disk.refused == 1 ? 0 : 1);
    bool died = pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
    ok(died && erased_keys(&r) == 0, "a process marks the record and dies while the key is overwritten", "%d keys, status %x", erased_keys(&r), (unsigned)status);
    disk.broken = false;
    if (ok(rig_engine(&r, &e) == ERR_OK, "the next start", "%s", r.f.text)) engine_close(e);
    ok(erased_keys(&r) == 1, "erases what is marked", "%d", erased_keys(&r));
    rig_close(&r);
}

/* Was: the row had forgotten its key, and a second try said that all is done. */
static void test_second_try(void)
{
    struct rig r;
    struct engine *e;
    open_synced(&r);
    if (!ok(rig_engine(&r, &e) == ERR_OK, "the engine opens", "%s", r.f.text)) return;
    ok(erase(e, &r) == ERR_IO, "the key cannot be overwritten", "%s", r.f.text);
    ok(engine_once(e, &r.r, &r.f) == ERR_OK, "the program goes on, and the index is flushed", "%s", r.f.text);
    engine_close(e);
    disk.broken = false;
    if (!ok(rig_engine(&r, &e) == ERR_OK, "another start", "%s", r.f.text)) return;
    ok(erase(e, &r) == ERR_OK && erased_keys(&r) == 1, "a second try erases the key", "%d, %s", erased_keys(&r), r.f.text);
    ok(erase(e, &r) == ERR_OK && erased_keys(&r) == 1, "a third does no harm", "%d, %s", erased_keys(&r), r.f.text);
    engine_close(e);
    rig_done(&r, "and syncing goes on");
    rig_close(&r);
}

/* What the index says of the customers and of one record of the target. */
struct known { uint64_t linked, gone; bool by_id; };

static struct known what_is_known(struct rig *r, const char *id)
{
    struct store *st = NULL;
    struct secret_store *secrets = NULL;
    struct flow_state fl;
    struct arena a;
    struct str key;
    struct known k = {0};
    struct store_options so = {.dir = rig_path(r, "state/index"), .read_only = true, .map_bytes = 64 << 20, .seal = {.seal = secret_seal_same, .open = secret_unseal}};
    arena_init(&a, 4096);
    bool open = secret_open_read(&secrets, &r->world, rig_path(r, "state"), NULL, NULL, &r->f) == ERR_OK;
    if (open) secret_derive(secrets, SECRET_INDEX_KEY, so.key);
    so.seal.ctx = secrets;
    open = open && store_open(&st, &r->world, &so, &r->f) == ERR_OK;
    if (ok(open && store_flow(st, STR("customers"), &fl), "the index can be looked at", "%s", r->f.text))
        k = (struct known){fl.linked, fl.counts[ROW_GONE], store_by_id(st, fl.id, str_of(id), &a, &key) == ERR_OK};
    store_close(st);
    secret_close(secrets);
    arena_free(&a);
    return k;
}

/* Was: an index folded anew did not know any more which record of the target is the erased one's. */
static void test_folded_anew(void)
{
    struct rig r;
    struct engine *e;
    open_synced(&r);
    disk.broken = false;
    char id[40] = "";
    json_t *dump = rig_dump(&r), *rec;
    size_t i;
    json_array_foreach(dump, i, rec) {
        const char *ours = json_string_value(json_object_get(rec, "Sage_Customer"));
        if (ours && strcmp(ours, rig_key(rig_customer(&r, 3))) == 0) snprintf(id, sizeof id, "%s", json_string_value(json_object_get(rec, "id")));
    }
    json_decref(dump);
    if (!ok(rig_engine(&r, &e) == ERR_OK, "the engine opens", "%s", r.f.text)) return;
    ok(erase(e, &r) == ERR_OK && id[0], "a record is erased", "%s %s", id, r.f.text);
    engine_close(e);
    struct known before = what_is_known(&r, id);
    tree_gone(rig_path(&r, "state/index"));
    if (ok(rig_engine(&r, &e) == ERR_OK, "without an index it opens too", "%s", r.f.text)) engine_close(e);
    struct known after = what_is_known(&r, id);
    ok(before.by_id && before.gone == 1, "the index knows its id", "%d, %llu gone", before.by_id, (unsigned long long)before.gone);
    ok(after.by_id && after.linked == before.linked && after.gone == 1, "an index made anew knows the same", "%d, %llu linked, was %llu", after.by_id,
       (unsigned long long)after.linked, (unsigned long long)before.linked);
    rig_close(&r);
}

int main(void)
{
    test_stopped_between();
    test_second_try();
    test_folded_anew();
    return ok_failures != 0;
}
