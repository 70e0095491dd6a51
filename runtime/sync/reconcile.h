/* reconcile.h - both sides read and compared, record by record and field by field: what the source says now, what we wrote last, what stands in the
 * target now. Nothing is written to the target; `repair` marks records to be written, and the ordinary sender writes them.
 *
 *            source          we wrote         target           it is
 *              A                A                A             in sync (A, B, A too: the target has it already)
 *              B                A                A             the source is ahead
 *              A                A                B             edited in the target
 *              B                A                C             a conflict
 *
 * Memory is bounded by a page of keys and a chunk of 100 records, whatever the size of the tables; totals take memory for each customer, and records
 * that stand in the target and are not linked yet 8 bytes each. Works alone, and beside a running mlcd. */
#ifndef SYNC_RECONCILE_H
#define SYNC_RECONCILE_H
#include "sync/engine.h"
#include "value/value.h"

enum reconcile_class {
    RECONCILE_SAME, RECONCILE_AHEAD, RECONCILE_EDITED, RECONCILE_CONFLICT, RECONCILE_MISSING, RECONCILE_ORPHAN, RECONCILE_DUPLICATE, RECONCILE_WAITING,
    RECONCILE_REJECTED, RECONCILE_COUNT
};
const char *reconcile_class_name(unsigned cls);        /* "ahead": one word, for columns and JSON */
const char *reconcile_class_text(unsigned cls);        /* a sentence for people */

struct reconcile_difference {
    const char *flow;
    enum reconcile_class cls;                          /* of the field, or of the whole record when field is empty */
    struct str key, id;                                /* key empty: it stands in the target only and its key cannot be read */
    struct str field, source, written, target;         /* printed values; empty = not there */
    const char *why;
};
struct reconcile_flow {
    const char *flow, *module;
    uint64_t source, target;                           /* records that the flow maps, records with our key in the target */
    uint64_t counts[RECONCILE_COUNT];                  /* by class; source = all of them but orphans and duplicates */
    uint64_t erased;                                   /* records without data key: never compared */
    uint64_t unknown_links;                            /* link fields whose record nobody looked up yet: not compared */
    uint64_t marked;                                   /* repair */
    bool adds;                                         /* the flow adds fields to another one's records, which are counted there: target is 0 */
    bool no_keys, no_scan;                             /* the source cannot list its keys, the target cannot be walked: what that hides is not found */
};
/* Of one customer (or vendor, or company where a flow has neither) in one flow: how many records, and the sum of one amount field. */
struct reconcile_total {
    const char *flow, *party_of;                       /* "Account_Name", "key", "company": what the records were grouped by */
    struct str party, field;                           /* field empty: a flow without amounts */
    uint64_t source_records, target_records;
    struct value source_sum, target_sum;               /* decimals */
    bool differs;
};
struct reconcile_estimate { const char *flow; uint64_t records, source_calls, target_calls; };
struct reconcile_options { bool totals, repair, recreate, no_lines; const char *by; };
struct reconcile_sink {
    void (*difference)(void *ctx, const struct reconcile_difference *d);
    void (*total)(void *ctx, const struct reconcile_total *t);          /* by flow, party, field; may be NULL */
    void (*flow)(void *ctx, const struct reconcile_flow *r);
    void *ctx;
};
struct reconcile_result { uint64_t records, differences, marked, source_calls, target_calls; int64_t credits; /* -1: the target counts none */ };

/* The engine is open with beside and look. ERR_NOT_FOUND: nothing was ever run here. What was compared up to an error has been told. */
enum err engine_reconcile(struct engine *e, const struct reconcile_options *o, const struct reconcile_sink *sink, struct reconcile_result *r, struct fault *f);
/* What it will cost, from the index alone: no call is made. */
enum err engine_reconcile_estimate(struct engine *e, bool no_lines, void (*each)(void *ctx, const struct reconcile_estimate *x), void *ctx, struct fault *f);
#endif
