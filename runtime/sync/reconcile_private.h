/* reconcile_private.h - what the files of `mlcd reconcile` share: the pass (reconcile.c), the judgement (reconcile_judge.c), the sums
 * (reconcile_total.c) and what stands in the target only (reconcile_orphan.c). */
#ifndef SYNC_RECONCILE_PRIVATE_H
#define SYNC_RECONCILE_PRIVATE_H
#include "sync/reconcile.h"
#include "sync/sync_private.h"

enum { RECONCILE_CHUNK = 100 };        /* records in memory at once: what a read by id takes */

struct id_set { uint64_t *slots; size_t n, cap; };     /* hashes of ids; 0 = free */
struct totals;
struct reconcile_run {
    struct engine *e;
    const struct reconcile_options *o;
    const struct reconcile_sink *sink;
    struct reconcile_result *result;
    struct sync_flow *sf;
    uint16_t flow_id;                  /* 0: the flow never ran */
    struct reconcile_flow report;
    struct id_set unlinked;            /* records found by their key that the index does not link yet */
    struct totals *totals;             /* NULL: not asked for */
    struct arena chunk;                /* life of a chunk */
};
struct reconcile_item {                /* one record of a chunk */
    struct derived d;
    const struct lookup_hit *hit;      /* in the target */
    size_t nhits;
    bool gone, locked;                 /* not in the source; in use there */
    bool moved;                        /* the running mlcd wrote it meanwhile: look again */
    bool repair;
};

/* ---- reconcile_judge.c ---- */
/* Judges a record whose target side was read; tells its differences unless quiet, and returns its class. */
enum reconcile_class reconcile__judge(struct reconcile_run *run, const struct reconcile_item *it);
void reconcile__tell(struct reconcile_run *run, const struct reconcile_difference *d);
/* The fields of a flow that are read in the target: what it writes. At most fl->nfields. */
size_t reconcile__want(const struct image_flow *fl, bool no_lines, struct str *out);

/* ---- reconcile_total.c ---- */
struct totals *totals_new(const struct sync_flow *sf);
void totals_free(struct totals *t);
/* One record: its wanted image (NULL when only the target has it) and what stands in the target (NULL when only the source has it). */
void totals_add(struct totals *t, struct engine *e, struct sync_flow *sf, struct str key, struct str key_text, const struct record *wanted, const struct record *there);
void totals_tell(struct totals *t, const char *flow, const struct reconcile_sink *sink);
/* What totals need of a record that stands in the target only. */
size_t totals_want(const struct totals *t, const struct sync_flow *sf, struct str *out);

/* ---- reconcile_orphan.c ---- */
enum err reconcile__orphans(struct reconcile_run *run, struct fault *f);
/* Never 0. */
uint64_t reconcile__hash(struct str s);
void id_set_add(struct id_set *s, struct str id);
bool id_set_has(const struct id_set *s, struct str id);
#endif
