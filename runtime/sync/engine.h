/* engine.h - the sync engine as mlcd sees it: one state directory, one compiled spec, its flows.
 *
 *   STATE/lock            held while a process writes; a second start exits 75
 *   STATE/master.key      0600, unless a key file is named (runtime/secret)
 *   STATE/secrets/        sealed values
 *   STATE/keys.slots      data keys of the records
 *   STATE/journal/        the audit log
 *   STATE/index/          LMDB, rebuilt from the log when it is missing
 *   STATE/images/H.mlcb   every compiled spec that ever ran, by content hash: why and replay need them
 *
 * The data path: poll.c -> derive.c (vm) -> emit.c (journal, then index) -> send.c -> answer.c, with lookup.c, settle.c, sweep.c, fuse.c
 * and spec.c beside it. */
#ifndef SYNC_ENGINE_H
#define SYNC_ENGINE_H
#include "base/world.h"
#include "code/image.h"
#include "store/store.h"

struct engine;
struct engine_progress {              /* told while a run goes on; the counters are of this run */
    const char *flow, *phase;         /* "reading", "keys", "deriving", "writing", "waiting" */
    uint64_t rows, changed, same, rejected, locked, inserted, updated, failed, calls;
    uint64_t pending;                 /* rows that are still to be written */
};
struct engine_options {
    const char *state_dir;
    const char *image_path;           /* NULL: the image that ran last in this state directory */
    const char *key_file, *credentials_dir;
    const char *shared_dir;           /* what several state directories share: access tokens and limits by grant. NULL = nothing */
    const char *flow;                 /* only this flow; NULL = all */
    const char *(*getenv)(void *ctx, const char *name);   /* for env() settings; NULL = none */
    void *getenv_ctx;
    bool create_all;                  /* fill a module that already holds records without looking for candidates */
    bool beside;                      /* ping, auth: when another process holds the state directory, go on without log and index */
    bool look;                        /* with beside: the index is opened for reading, so that a command can compare (reconcile, report, try) */
    bool settings_only;               /* auth: connectors are not opened, missing settings are no error */
    bool dry;                         /* plan, ping: the image is not kept as the one that runs here */
    bool listening;                   /* a receiver takes notifications in (serve/serve.h): their channels are looked after */
    bool full;                        /* a full pass now, whatever the schedule says */
    int64_t settle_ms;                /* 0 = 120000 */
    int64_t wait_ms;                  /* `once`: how long to wait for retries and settling; -1 = settle + 30 s */
    unsigned page_rows, batch_rows;   /* 0 = the connector's and the protocol's default */
    size_t map_bytes, segment_bytes;  /* 0 = default */
    const volatile int *stop;
    void (*progress)(void *ctx, const struct engine_progress *p);
    void *progress_ctx;
};

/* Takes the lock, opens secrets, journal and index, folds what the index lacks, loads and verifies the image, opens the connectors.
 * ERR_LOCKED_STATE, ERR_CORRUPT (alarm), ERR_SECRET, ERR_CONFIG, ERR_FORMAT ... */
enum err engine_open(struct engine **out, const struct world *w, const struct engine_options *o, struct fault *f);
void engine_close(struct engine *e);
/* Only the lock, for a look at files that nobody may change meanwhile; closing fd lets go. ERR_LOCKED_STATE. */
enum err engine_hold(const struct world *w, const char *state_dir, int *fd, struct fault *f);
/* The index folded anew from the log; the old one is renamed. aside: where it is now, empty when there was none. */
struct engine_repaired { char aside[4200]; uint64_t entries; };
enum err engine_repair(const struct world *w, const struct engine_options *o, struct engine_repaired *out, struct fault *f);

/* Puts another master key in the place of the one of o->state_dir (secret/secret.h, secret_rotate), with an entry in the log before and after. Needs no
 * compiled spec. ERR_LOCKED_STATE: another process works there; it has the keys in memory and must end first. */
struct secret_rotated;
enum err engine_rotate(const struct world *w, const struct engine_options *o, const char *by, struct secret_rotated *out, struct fault *f);

/* Settings and keeping functions of a target block by its name or kind (NULL = the first); NULL when there is none. For `mlcd auth`. */
struct conn_env;
const struct conn_env *engine_target_env(struct engine *e, const char *name);
/* What a receiver of notifications needs (serve/serve.h): the i-th target with notify_url and notify_listen. ERR_NOT_FOUND: there is none; others: its
 * token or its folder cannot be had. Lives on its own: the engine may be closed, or load another spec. */
struct target_told;
struct engine_ear {
    char listen[120], token[64], dir[600];
    enum err (*told)(struct str token, struct str body, struct arena *a, struct target_told *out, struct fault *f);
};
enum err engine_ear(struct engine *e, size_t i, struct engine_ear *out, struct fault *f);
/* The folder for a notification, or NULL when it is none of ours. For any thread. */
const char *engine_ear_where(void *ear, struct str body);
/* The files and folders that the settings of the loaded spec name; written: a target appends there. */
void engine_files(const struct engine *e, void (*each)(void *ctx, const char *path, bool written), void *ctx);
/* The spec that is loaded. */
const struct image *engine_image(const struct engine *e);

/* Start-up check of the target, and the rule for modules that already hold records. Findings go to sink (may be NULL). ERR_CONFIG lists all. */
struct finding_sink;
enum err engine_check(struct engine *e, const struct finding_sink *sink, struct fault *f);
/* One step per line for both systems; nothing is changed. */
enum err engine_ping(struct engine *e, const struct finding_sink *sink, struct fault *f);

/* ---- pull: what both systems say of their own tables and modules, into the lock files beside the spec (docs/locks.md) ---- */
struct pull_change {
    const char *file, *what;          /* "zoho.lock"; added, removed, changed */
    struct str entity, field;         /* field empty: the module or table itself */
    struct str before, after;         /* JSON; of a change only the members that differ, of choices only those that went and came */
};
enum pull_state { PULL_SAME, PULL_NEW, PULL_CHANGED, PULL_SKIPPED };
struct pull_file { const char *name; enum pull_state state; uint64_t entities, fields, changes; char why[600]; /* SKIPPED */ };
enum { PULL_FILES = 2 };
/* Reads the metadata and writes DIR/zoho.lock and DIR/sage.lock where they differ. Modules: those that the flows write, look up and link to, those
 * that the file lists already, and `also`. A file that cannot be had (no agent, another kind of system) is SKIPPED; what fails at the target is an
 * error. each: the differences to the file that was there (none for a new file). */
enum err engine_pull(struct engine *e, const char *dir, const struct str *also, size_t nalso, void (*each)(void *ctx, const struct pull_change *c), void *ctx,
                     struct pull_file files[PULL_FILES], struct fault *f);

/* ---- prepare: what `extend` declares and the target lacks ---- */
struct make_step;
struct prepare_totals { uint64_t wanted, made, refused, by_hand; };
/* Says each step; make: does it, and the log gets an entry of each with who (by). OK also when steps were refused (see totals). */
enum err engine_prepare(struct engine *e, bool make, const char *by, void (*each)(void *ctx, const struct make_step *s), void *ctx, struct prepare_totals *t,
                        struct fault *f);

struct engine_result { uint64_t rows, changed, same, rejected, locked, inserted, updated, adopted, failed, waiting, held, pending, calls, put_back; bool finished; };
/* One pass of every flow (or the chosen one): poll, derive, write, until nothing is due within wait_ms. OK also when records were rejected
 * (see result); finished = false when something is still to do. */
enum err engine_once(struct engine *e, struct engine_result *r, struct fault *f);
/* Writes what is due (after accept, replay, adopt) without polling. */
enum err engine_write(struct engine *e, struct engine_result *r, struct fault *f);
/* Runs by the schedule until *stop. reload (may be NULL) is polled: when it becomes non-zero the image file is loaded again. */
enum err engine_run(struct engine *e, volatile int *reload, struct fault *f);

/* What is due now and nothing else, for a process that is started for it (sync/site.h): passes by the schedule, or of all flows when the spec is new, the
 * inbox, what is to be written. What is under way when *stop comes is taken in. */
struct engine_turn { int64_t next_ms; /* when there is something to do again, wall clock */ uint64_t pending, rejected, waiting, held, locked; };
enum err engine_turn(struct engine *e, struct engine_turn *out, struct fault *f);

/* What would be done: reads source and target, writes nothing anywhere. */
struct plan_change { const char *flow; const char *what; /* insert, update, leave, delete, reject, adopt? */ struct str key, field, before, after, why; };
struct plan_totals { uint64_t rows, inserts, updates, leaves, deletes, rejects, waiting, unchanged, reads; bool fuse_would_hold; };
enum err engine_plan(struct engine *e, void (*each)(void *ctx, const struct plan_change *c), void *ctx, struct plan_totals *t, struct fault *f);

/* Operator's acts; each is journaled with who. */
enum err engine_accept(struct engine *e, const char *flow, const char *by, uint64_t *released, struct fault *f);
/* keys: text form. from_log: derive from the last logged snapshot instead of a fresh read; refused when the row has moved on since. */
enum err engine_replay(struct engine *e, const char *flow, struct str key, bool from_log, bool recreate, const char *by, struct fault *f);
/* Every record of a cause (sync/cause.h) that is set aside or refused for a passing reason, as engine_replay from the source, many at a time. */
enum err engine_replay_cause(struct engine *e, const char *flow, struct str cause, bool recreate, const char *by, uint64_t *replayed, struct fault *f);
/* id empty: make a new record although candidates exist. */
enum err engine_adopt(struct engine *e, const char *flow, struct str key, struct str id, const char *by, struct fault *f);
/* Destroys the record's data key and keeps it from being synced ever again: snapshots, images and the private parts of its log entries cannot be read
 * any more; the chain still verifies. What stands in the target stays. Copies of keys.slots in backups still hold the key. */
enum err engine_erase(struct engine *e, const char *flow, struct str key, const char *by, struct fault *f);
struct adopt_candidate { struct str key, name, match /* exact, several, none */, ids; };
enum err engine_candidates(struct engine *e, const char *flow, void (*each)(void *ctx, const struct adopt_candidate *c), void *ctx, struct fault *f);
#endif
