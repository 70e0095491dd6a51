/* site.h - many integrations on one host: a supervisor that starts a process for each one that is due, and none for the others.
 *
 *   SITE/lock            held by the supervisor; a second one exits 75
 *   SITE/.shared/        access tokens and limits, shared by the integrations of one grant (connectors/zoho/shared.c)
 *   SITE/NAME/           an integration; names that begin with a dot are none
 *       *.mlcb           its compiled spec: exactly one
 *       env              NAME=value lines: what env() in the spec reads
 *       off              is there: it is not started
 *       state/           its state directory
 *       log, log.1       what its processes said
 *       turn             written by its process: when it is due again, and how it stands
 *       last             written by the supervisor: how the last process ended
 *
 *   due? -- a free place of N? -- spawn `mlcd once --due` -- reap -- ended well: due when `turn` says
 *                                                                 -- failed: due after 30 s, 1, 2, 4 ... 60 minutes
 *
 * One that fails or hangs takes one place at most and moves nobody else's time. */
#ifndef SYNC_SITE_H
#define SYNC_SITE_H
#include "sync/engine.h"

struct site_options {
    const char *dir, *program;             /* the program that is started: mlcd itself */
    const char *key_file;                  /* passed on; NULL: each state has its own key */
    unsigned at_once;                      /* processes at a time; 0 = 4 */
    int64_t grace_ms;                      /* between asking a process to end and ending it; 0 = 60000 */
    const volatile int *stop;
    volatile int *reload;                  /* set: the directories are read again; specs that changed and what failed are due at once */
};
/* Until *stop. ERR_LOCKED_STATE, ERR_NOT_FOUND: no such directory. */
enum err site_run(const struct world *w, const struct site_options *o, struct fault *f);

/* How an integration stands, out of its files; also when no supervisor runs. */
enum site_state { SITE_NEW, SITE_IDLE, SITE_DUE, SITE_RUNNING, SITE_FAILING, SITE_OFF, SITE_BROKEN, SITE_STATES };
const char *site_state_name(unsigned s);
struct site_status {
    const char *name;
    enum site_state state;
    int64_t started_ms, ended_ms, ok_ms, next_ms;      /* 0 = never */
    int64_t pid;                                       /* RUNNING */
    int code;                                          /* exit code of the last process */
    unsigned fails;                                    /* in a row */
    struct engine_turn turn;
    const char *text;                                  /* FAILING: the last line that it said; BROKEN: what is wrong with the directory */
};
/* In the order of names. */
enum err site_status(const struct world *w, const char *dir, void (*each)(void *ctx, const struct site_status *s), void *ctx, struct fault *f);

/* For the process that is started: STATE/../turn. */
enum err site_note_turn(const struct world *w, const char *state_dir, const struct engine_turn *t, struct fault *f);
#endif
