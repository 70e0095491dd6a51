/* act.h - decisions of an operator about single records, done here or handed to the process that holds the state directory.
 *
 *   mlcd replay ... --lock free--> act_do
 *                   --lock held--> STATE/inbox/N.req -> the running mlcd -> act_do -> STATE/inbox/N.res -> what the command says */
#ifndef SYNC_ACT_H
#define SYNC_ACT_H
#include "sync/engine.h"

enum act_verb { ACT_REPLAY, ACT_ADOPT, ACT_ACCEPT, ACT_ERASE, ACT_CAUSE /* replay a cause; key = its code or a part of its text */,
                ACT_RELOAD /* load the spec again, with settings and credentials as they are now; no record is touched */, ACT_COUNT };
struct act {
    enum act_verb verb;
    struct str flow, key, id, by;          /* flow, id: empty = any, none. No tabs or line ends in any of them */
    bool from_log, recreate;
    const char *file; unsigned line;       /* where it was asked for, for messages; NULL = on the command line */
};
struct act_result { enum err err; char text[480]; uint64_t count; };   /* count: records that the act touched */

/* Does one act; the result also tells refusals. Nothing is written to the target yet (engine_write). */
void act_do(struct engine *e, const struct act *a, struct act_result *out);
/* Whether another process holds the state directory. */
bool act_somebody_runs(const struct world *w, const char *state_dir);
/* Hands acts to the running process and waits up to wait_ms for its word; results[i] belongs to acts[i]. ERR_BUSY: no word came; the request was taken back. */
enum err act_hand_over(const struct world *w, const char *state_dir, const struct act *acts, size_t n, int64_t wait_ms, struct act_result *results, struct fault *f);
/* The running process: takes what lies in the inbox. How many acts were done. */
size_t act_take_inbox(struct engine *e);
#endif
