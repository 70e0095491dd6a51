/* view.h - looking at a state directory beside a running process: no lock, no write. For status, why, audit show and export. */
#ifndef SYNC_VIEW_H
#define SYNC_VIEW_H
#include "base/world.h"
#include "base/buf.h"
#include "code/image.h"
#include "journal/journal.h"
#include "store/store.h"

struct view;
/* ERR_NOT_FOUND when nothing was ever run there, ERR_SECRET without the key. */
enum err view_open(struct view **out, const struct world *w, const char *state_dir, const char *key_file, const char *credentials_dir, struct fault *f);
void view_close(struct view *v);
struct store *view_store(struct view *v);

/* ---- status ---- */
/* Rows set aside, waiting, held or retried, grouped by flow, state and cause. */
struct view_cause {
    struct str flow; unsigned state; char why[200], code[7]; uint64_t count; char example[120];      /* code: what mlcd replay --cause takes */
    uint64_t first_seq, last_seq;        /* oldest and newest log entry that left a record so */
    int64_t first_ms, last_ms;           /* their times, after view_times; 0 = not known */
};
enum err view_causes(struct view *v, struct arena *a, struct view_cause **out, size_t *n, struct fault *f);
/* Reads when the entries were written: a look into the log for each. */
enum err view_times(struct view *v, struct view_cause *causes, size_t n, struct fault *f);
/* Dead letters: records set aside or refused for a passing reason, of one cause (code or a part of its text; empty = all). */
struct view_dead { struct str flow, key, id, why; unsigned state; };
enum err view_dead_rows(struct view *v, const char *flow, struct str cause, void (*each)(void *ctx, const struct view_dead *d), void *ctx, struct fault *f);
/* Text form of a natural key as people type it. */
struct str view_key_text(struct str natural, struct arena *a);

/* ---- why ---- */
struct view_write {
    int64_t time_ms;
    uint64_t seq;
    const char *flow, *outcome;          /* "written", "refused: ...", "was written before (found when reading back)" */
    struct str id;                       /* the target's record */
    struct str field, before, after;     /* printed values */
    struct str expr, file; uint32_t line;
    struct str inputs;                   /* "CreditHold = true, CreditLimit = 5000.00" */
    char image[17];                      /* first hex digits of the compiled spec */
};
/* The writes of a record, oldest first; field empty = all fields. ERR_NOT_FOUND: no such record. */
enum err view_why(struct view *v, const char *flow, struct str key_text, struct str field, void (*each)(void *ctx, const struct view_write *w), void *ctx,
                  struct fault *f);

/* ---- audit ---- */
struct view_filter { const char *flow; struct str key_text; uint64_t from, to; const char *kind; bool sealed; };
/* One JSON object per entry, without line ends. sealed: public parts only. */
enum err view_log(struct view *v, const struct view_filter *flt, void (*each)(void *ctx, struct str json), void *ctx, struct fault *f);
#endif
