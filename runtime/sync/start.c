/* start.c - a state directory is taken: alone by its lock, the index looked over after an unclean end, what the log has and the index lacks folded, this
 * process announced. Nothing is read from a source or written to a target before. */
#include "sync/sync_private.h"
#include "store/walk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PROGRAM_VERSION "1.0.0"

/* How the last process ended stands in the lock file: "closed" from a clean end to the next start, and durably not from then on. */
enum { MARK_BYTES = 7 };
static const char mark_closed[] = "closed\n", mark_open[] = "open  \n";

static enum err put_mark(struct engine *e, const char *mark, struct fault *f)
{
    const struct world_files *fs = &e->w->files;
    if (fs->pwrite(fs->ctx, e->lock_fd, mark, MARK_BYTES, 0) == MARK_BYTES && fs->fdatasync(fs->ctx, e->lock_fd) == 0) return ERR_OK;
    return fault_set(f, ERR_IO, "cannot write %s/lock: %s", e->o.state_dir, strerror(errno));
}

enum err engine__mark_closed(struct engine *e, struct fault *f) { return put_mark(e, mark_closed, f); }

enum err engine_hold(const struct world *w, const char *state_dir, int *fd, struct fault *f)
{
    const struct world_files *fs = &w->files;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/lock", state_dir);
    *fd = fs->open(fs->ctx, path, O_RDWR | O_CREAT, 0600);
    if (*fd < 0) return fault_set(f, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    if (fs->lock(fs->ctx, *fd) == 0) return ERR_OK;
    return fault_set(f, ERR_LOCKED_STATE, "another mlcd works in %s; wait for it, or stop it first", state_dir);
}

enum err engine__take_lock(struct engine *e, struct fault *f)
{
    const struct world_files *fs = &e->w->files;
    char mark[MARK_BYTES];
    if (fs->mkdir(fs->ctx, e->o.state_dir, 0700) != 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "cannot make the state directory %s: %s", e->o.state_dir, strerror(errno));
    enum err err = engine_hold(e->w, e->o.state_dir, &e->lock_fd, f);
    if (err == ERR_OK) e->was_closed = fs->pread(fs->ctx, e->lock_fd, mark, MARK_BYTES, 0) == MARK_BYTES && memcmp(mark, mark_closed, MARK_BYTES) == 0;
    return err;
}

/* After an unclean end the index is looked over before LMDB sees it: a power cut may have left anything in it. */
static enum err look_over(struct engine *e, struct fault *f)
{
    struct walk_report r;
    unsigned char key[32];
    if (e->was_closed) return ERR_OK;
    secret_derive(e->secrets, SECRET_INDEX_KEY, key);
    enum err err = store_walk(e->w, arena_printf(&e->page, "%s/index", e->o.state_dir), key, &r, f);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err open_store(struct engine *e, struct fault *f)
{
    struct store_options so = {.dir = arena_printf(&e->page, "%s/index", e->o.state_dir), .map_bytes = e->o.map_bytes, .seal = {.seal = secret_seal_same, .open = secret_unseal, .ctx = e->secrets}};
    secret_derive(e->secrets, SECRET_INDEX_KEY, so.key);
    secret_derive(e->secrets, SECRET_KEY_HASH, e->key_hash_key);
    return store_open(&e->store, e->w, &so, f);
}

static enum err open_journal(struct engine *e, struct fault *f)
{
    struct journal_options jo = {.dir = arena_printf(&e->page, "%s/journal", e->o.state_dir), .origin = "ml-connector", .applied_seq = store_applied_seq(e->store),
                                 .applied_hash = store_applied_hash(e->store),
                                 .segment_bytes = e->o.segment_bytes,
                                 .seal = {secret_seal, secret_unseal, secret_sign, e->secrets, {0}}};
    secret_public_key(e->secrets, jo.seal.public_key);
    return journal_open(&e->journal, e->w, &jo, f);
}

static enum err fold_one(void *arg, const struct frame *fr, struct fault *f)
{
    struct engine *e = arg;
    enum err err = store_apply(e->store, fr, f);
    return err == ERR_OK ? store_tick(e->store, world_mono_ms(e->w), f) : err;
}

/* What the log has and the index lacks; then this process announces itself, which makes every row that was in flight ambiguous. */
static enum err recover(struct engine *e, struct fault *f)
{
    /* The crash may have come between the mark of an erasure and the deed, or in its middle: a key of which half is overwritten opens nothing, so this
     * is done before anything is opened. */
    struct journal_filter marks = {.from = store_applied_seq(e->store) + 1, .kinds = UINT64_C(1) << FRAME_ERASE, .sealed = true};
    enum err err = journal_scan(e->journal, &marks, engine__erase_slot, e, f);
    if (err == ERR_OK) err = journal_read(e->journal, store_applied_seq(e->store) + 1, fold_one, e, f);
    if (err == ERR_OK) err = store_flush(e->store, f);
    if (err == ERR_OK && store_next_slot(e->store) > 0) err = slot_seen(e->secrets, store_next_slot(e->store) - 1, f);
    if (err != ERR_OK) return err;
    emit_begin(e, FRAME_OPEN, NULL);
    event_put_text(&e->pub, EV_VERSION, PROGRAM_VERSION);
    event_put_int(&e->pub, EV_SETTLE_MS, engine_settle_ms(e));
    err = emit_end(e, f);
    return err == ERR_OK ? emit_commit(e, f) : err;
}

/* Index and log, folded and announced: for the process that holds the lock. */
enum err engine__take_state(struct engine *e, struct fault *f)
{
    enum err err = look_over(e, f);
    if (err == ERR_OK) err = put_mark(e, mark_open, f);
    if (err == ERR_OK) err = open_store(e, f);
    if (err == ERR_OK) err = slot_open(e->secrets, store_next_slot(e->store), f);
    if (err == ERR_OK) err = open_journal(e, f);
    if (err == ERR_OK) err = recover(e, f);
    return err == ERR_OK ? engine__restored(e, f) : err;
}

/* Beside another process: the index to look at. What that process has not folded yet is seen a second later. */
enum err engine__look_at_state(struct engine *e, struct fault *f)
{
    struct store_options so = {.dir = arena_printf(&e->page, "%s/index", e->o.state_dir), .read_only = true, .seal = {.seal = secret_seal_same, .open = secret_unseal, .ctx = e->secrets}};
    enum err err = slot_open_read(e->secrets, f);
    if (err != ERR_OK) return err;
    secret_derive(e->secrets, SECRET_INDEX_KEY, so.key);
    secret_derive(e->secrets, SECRET_KEY_HASH, e->key_hash_key);
    return store_open(&e->store, e->w, &so, f);
}
