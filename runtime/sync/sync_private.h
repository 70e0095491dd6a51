/* sync_private.h - inside the room: the engine, its flows, and the steps of the data path. */
#ifndef SYNC_SYNC_PRIVATE_H
#define SYNC_SYNC_PRIVATE_H
#include "sync/engine.h"
#include "base/check.h"
#include "base/log.h"
#include "base/outcome.h"
#include "connectors/connector.h"
#include "code/opcode.h"
#include "journal/journal.h"
#include "secret/secret.h"
#include "value/record.h"
#include "vm/vm.h"

enum { NO_LINK = 0xFFFF, NO_COLUMN = 0xFFFF };

/* Where a link stands: in a field, or in a column of a list field. */
struct link_place { const struct image_link *l; uint16_t field, column; };

struct sync_endpoint {                 /* an open connector */
    const struct image_endpoint *decl;
    const struct source_ops *sops; struct source *source;
    const struct target_ops *tops; struct target *target;
    struct conn_env env;
    struct engine *engine;
    int64_t refreshed_ms;              /* monotonic: when its finds were last asked anew, 0 = not in this process */
    int64_t watch_due_ms;              /* monotonic: when its notification channels are looked after */
};
struct sync_flow {
    const struct image_flow *fl;
    struct sync_endpoint *src, *dst;
    struct str name;
    const char *cname;                 /* NUL-terminated */
    struct source_query *queries; size_t nqueries;   /* one per company */
    struct str reading;                /* digest of what is read of a row, and as what: part of the hash that a row is kept under (same.c) */
    struct sync_endpoint **from;       /* per query: its source */
    struct link_place *places; size_t nplaces;
    bool has_lines;                    /* a field is a list */
    bool shares_records;               /* it is into another flow, or another one into it */
    unsigned batch_now;                /* halved after a refused request, doubled after an applied one */
    bool module_empty;                 /* had no record at the check: no look-ups before inserts */
    bool load_off;                     /* no bulk writes in this run any more */
    int64_t load_due_ms;               /* monotonic: the next look at the bulk write that is under way */
    bool stopped;                      /* a configuration error came back: no more writes in this run */
};
static inline struct sync_endpoint *source_of(const struct sync_flow *sf, const struct source_query *q) { return sf->from[q - sf->queries]; }
struct pending_frame { struct frame fr; };
struct engine {
    const struct world *w;
    struct engine_options o;
    struct arena arena;                /* life of the loaded image */
    struct arena page;                 /* life of a page or a batch being prepared */
    int lock_fd;
    bool was_closed;                    /* the last process ended cleanly */
    struct secret_store *secrets;
    struct journal *journal;
    struct store *store;
    struct image *image;
    struct vm *vm;
    struct sync_endpoint *sources, *targets;
    struct sync_flow *flows; size_t nflows;
    struct frame *pending; size_t npending, cap_pending;   /* appended, not yet durable; their parts live in pending_arena */
    struct arena pending_arena;
    struct frame *folding; size_t cap_folding;             /* durable, being folded; the same of the commit before */
    struct arena folding_arena;
    struct buf pub, priv;              /* the frame being built */
    struct frame building;
    struct fault behind;               /* the log has what the index could not take: only a new start goes on from there */
    struct send_batch *batches;        /* under way */
    unsigned nbatches;
    struct engine_result result;
    struct engine_progress progress;
    unsigned char key_hash_key[32];
    bool checked, map_alarm, reload_asked;
    int64_t alive_ms;                  /* monotonic; of the last life sign */
    int64_t kicked_ms;                 /* monotonic; of the last send_kick */
};

/* emit.c - frames: begin, tags, end; commit writes, syncs and folds. */
void emit_begin(struct engine *e, enum frame_kind kind, const struct sync_flow *sf);
void emit_key(struct engine *e, struct str key, uint32_t slot);
enum err emit_end(struct engine *e, struct fault *f);
/* Sequence number that the frame just ended got. */
uint64_t emit_seq(const struct engine *e);
enum err emit_commit(struct engine *e, struct fault *f);
/* Ends the batch without a flush: nothing in it matters before the next flush. */
enum err emit_close(struct engine *e, struct fault *f);
/* One frame about nothing but a text, committed with whatever comes next. */
void emit_note(struct engine *e, enum frame_kind kind, const char *what, const char *text);

/* setup.c, config.c */
enum err config_endpoints(struct engine *e, struct fault *f);
int64_t engine_settle_ms(const struct engine *e);
/* setup.c */
struct engine *engine__new(const struct world *w, const struct engine_options *o);
/* start.c: the parts of engine_open, for repair.c too. take_state: index and log, folded and announced. look_at_state: beside another process. */
enum err engine__take_lock(struct engine *e, struct fault *f);
enum err engine__take_state(struct engine *e, struct fault *f);
enum err engine__look_at_state(struct engine *e, struct fault *f);
enum err engine__mark_closed(struct engine *e, struct fault *f);        /* the last thing that a clean end does */
/* restored.c */
enum err engine__restored(struct engine *e, struct fault *f);
enum err engine__load_image(struct engine *e, const char *path, struct fault *f);
/* erase.c. Does what an ERASE frame says. */
enum err engine__erase_slot(void *engine, const struct frame *fr, struct fault *f);
/* Marks a record as erased and destroys its data key; sf may be NULL when the spec has no such flow. A crash within leaves the mark, which the next start carries out. */
enum err engine__erase_row(struct engine *e, const struct sync_flow *sf, struct str flow, struct str key, const struct row *row, const char *by, struct fault *f);
void engine__close_image(struct engine *e);
enum err engine__flows(struct engine *e, struct fault *f);

/* check.c: what a flow writes, at most fl->nfields of it. */
size_t check_fields(const struct sync_flow *sf, struct target_field *out);

/* lockfile.c: the text of a lock file. lockdiff.c: how it differs from the one that is there; false: that one is none that can be read. */
struct lockfile_entity { struct str name, *key; size_t nkeys; bool missing, unstamped; struct lockfile_field *fields; size_t nfields, cap; unsigned seen; };
struct lockfile_field { struct described_field d; unsigned seen; };
struct lockfile {
    const char *name, *entities, *fields;         /* "zoho.lock", "modules", "fields" */
    struct str edition;                           /* empty: none */
    struct lockfile_entity *list; size_t n, cap;
    struct arena *a;
};
/* Takes a description in; one of an entity that is known already (another company) is merged: the wider type counts. */
void lockfile_add(struct lockfile *l, const struct described_entity *e);
/* Sorts, and gives the bytes; they live in the lockfile's arena. */
struct str lockfile_text(struct lockfile *l);
bool lockdiff_list(const struct lockfile *l, struct str old, struct str now, void (*each)(void *ctx, const struct pull_change *c), void *ctx, uint64_t *n);
/* The names of the entities of a lock file's text, in the arena; none when it cannot be read. */
size_t lockdiff_entities(const struct lockfile *l, struct str text, struct str **out);

/* image.c - wanted images: building, comparing, merging. */
/* into: what vm_into gave, absent in other flows. */
struct str wanted_build(struct sync_flow *sf, const struct vm_out *out, const struct value *into, struct str key_text, struct arena *a);
/* before: the image that was wanted so far. */
struct str wanted_event(const struct image_flow *fl, const struct image_event *ev, struct str before, struct arena *a);
/* Fields of wanted that differ from written, as the verb sees them; names and values of the wanted image. */
size_t wanted_diff(const struct image_flow *fl, const struct record *wanted, const struct record *written, enum write_verb verb, bool force,
                   struct record_field *out);
/* The image that stands when wanted is applied over written. */
struct str wanted_after(const struct image_flow *fl, const struct record *wanted, const struct record *written, enum write_verb verb, struct arena *a);
const struct image_field *flow_field(const struct image_flow *fl, struct str name);
struct record record_of(struct str bytes, struct arena *a);      /* empty bytes = empty record */
struct str snapshot_of(const struct image_flow *fl, const struct value *cols, struct arena *a);
/* Columns for the vm from a snapshot; false when a column that the flow reads is not in it. */
bool snapshot_cols(const struct image_flow *fl, struct str snapshot, struct arena *a, struct value *cols);
/* Equal as the target would say: decimals by number, dates by their text. */
bool same_in_target(const struct value *ours, const struct value *theirs);

/* same.c - rows in which nothing has changed. */
/* What a row's hash is kept as: the source's, bound to how the row is read. Empty stays empty: unknown. */
struct str same_hash(const struct sync_flow *sf, struct str hash, struct arena *a);
void same_reading(struct sync_flow *sf, struct arena *a);
/* Sets `same` of the rows that need no deriving. */
enum err same_rows(struct engine *e, const struct sync_flow *sf, const struct source_query *q, struct source_row *rows, size_t n, struct fault *f);
/* What a source is given to ask while it reads a page. */
struct same_asking { struct source_asks asks; struct engine *e; const struct sync_flow *sf; const struct source_query *q; };
void same_asks(struct same_asking *to, struct engine *e, const struct sync_flow *sf, const struct source_query *q);

/* derive.c - one source row against its index row. */
enum derive_kind { DERIVE_SAME, DERIVE_TOUCH /* only hash or snapshot moved */, DERIVE_WRITE, DERIVE_LEAVE, DERIVE_REJECT };
struct derived {
    enum derive_kind kind;
    struct str key, key_text;
    struct row row; bool known;        /* the index row before */
    struct str snapshot, wanted;
    struct str hash;
    const char *why;
    uint32_t flags; uint8_t state;
    unsigned no_answer; bool violated;
};
enum err derive_row(struct engine *e, struct sync_flow *sf, const struct source_query *q, const struct source_row *row, bool force, struct arena *a,
                    struct derived *d, struct fault *f);
/* From a snapshot under the image of now: for a new spec and for replay. */
enum err derive_snapshot(struct engine *e, struct sync_flow *sf, struct str key, const struct row *row, struct arena *a, struct derived *d, struct fault *f);
enum err derive_emit(struct engine *e, struct sync_flow *sf, struct derived *d, struct fault *f);
/* The row is gone from the source (confirmed). */
/* sign: what the source says why. What ran its course sets what `on leave` says and counts towards no fuse; anything else what `on delete` says. */
enum err derive_gone(struct engine *e, struct sync_flow *sf, struct str key, enum source_sign sign, struct fault *f);
/* company + parts of a source key -> natural key in the arena; empty when it cannot be one. */
struct str key_natural(const struct source_query *q, const struct source_key *k, struct arena *a);
/* As people type it, and as it is told; written into the key field too, unless the flow has a key of its own. */
struct str key_text_of(const struct image_flow *fl, struct str natural, struct arena *a);
/* What stands in the key field. */
struct str key_written(struct vm *vm, const struct image_flow *fl, struct str natural, struct arena *a);
/* natural -> source key without the company; the query of that company. */
const struct source_query *key_split(const struct sync_flow *sf, struct str natural, struct arena *a, struct source_key *out);

/* poll.c, sweep.c, locked.c, fuse.c, spec.c */
enum err poll_flow(struct engine *e, struct sync_flow *sf, bool full, struct fault *f);
/* The cursor of one company in a flow's cursor field. */
struct str poll_cursor_of(struct str all, struct str company, struct arena *a);
/* known.c: a pass over a door that cannot list: each record that the index knows is read again by its key; *read: how many. */
enum err poll_known(struct engine *e, struct sync_flow *sf, const struct source_query *q, uint64_t *read, struct fault *f);
enum err sweep_flow(struct engine *e, struct sync_flow *sf, struct fault *f);
enum err locked_retry(struct engine *e, int64_t *next_due_ms, struct fault *f);
enum err fetch_keys(struct engine *e, struct sync_flow *sf, const struct source_query *q, const struct source_key *keys, size_t n, bool force, struct fault *f);
/* The same for natural keys in their order, in which those of a company stand together: as few calls as they allow. *unknown: how many are of a company that is no
 * source of this flow; they are left out. */
enum err fetch_natural(struct engine *e, struct sync_flow *sf, const struct str *keys, size_t n, bool force, struct arena *a, size_t *unknown, struct fault *f);
enum err locked_note(struct engine *e, struct sync_flow *sf, struct str key, unsigned tries, struct fault *f);
/* order.c: true while records that this flow looks up are still to be sent. */
bool order_waits(const struct engine *e, const struct sync_flow *sf);
/* What this spec itself knows of the record that a find asks for by our key: nothing, that it stands there, or that it is still to come (of which flow and
 * key). Memory from a. */
enum order_own { ORDER_NOT_OURS, ORDER_THERE, ORDER_COMING };
enum order_own order_own(const struct engine *e, const struct sync_flow *sf, const struct image_link *l, struct str symbol, struct arena *a, uint16_t *flow,
                         struct str *key);
/* How many dangerous rows a run of a flow with so many linked records may have. */
uint64_t fuse_limit(const struct image_flow *fl, uint64_t linked);
enum err fuse_decide(struct engine *e, struct sync_flow *sf, struct fault *f);
enum err spec_changed(struct engine *e, struct sync_flow *sf, bool *need_full, struct fault *f);
struct str spec_hashes(const struct image_flow *fl, struct arena *a);

/* operator.c: the frame of a replay, committed with whatever comes next. recreate: the record is made anew. */
enum err replay_mark(struct engine *e, struct sync_flow *sf, struct str key, const struct row *row, bool recreate, const char *by, struct fault *f);

/* lookup.c - what has to be known before a write: ids by key, candidates, links, what stands in fill fields. */
struct send_item { struct str key; struct row row; struct record wanted, written; bool skip; };
#define LINK_MANY "?"                  /* a find with two or more hits: the row is rejected */
enum err lookup_ids(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f);
enum err lookup_unread(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f);
enum err lookup_fill(struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct record *found, struct fault *f);
enum err candidates_of(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct str *ids, struct str *names, struct fault *f);

enum err emit_reject(struct engine *e, struct sync_flow *sf, const struct send_item *it, const char *why, struct fault *f);
/* A value read in the target, in the form our own images hold it; absent when it cannot be one. */
struct value in_our_form(const struct type *t, const struct value *v);
/* What was read in the target as an image of ours, without links and lists. */
struct str old_image(const struct image_flow *fl, const struct record *hit, struct arena *a);

/* link.c - symbols to ids. */
void link_places(struct sync_flow *sf, struct arena *a);
const struct image_link *link_at(const struct sync_flow *sf, size_t field, size_t column);      /* NULL: no link there */
/* Whether records of the flow can wait for others. */
bool link_waits(const struct sync_flow *sf);
enum err lookup_links(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f);
/* The id that a symbol of a link resolved to for the record `child`; empty = none. */
struct str link_id(struct engine *e, const struct image_link *l, struct str child, struct str symbol, struct arena *a);
/* Whether a value that is no list stands in the target as an image has it: links by the record that their symbol means now. */
bool link_holds(struct engine *e, const struct sync_flow *sf, size_t field, struct str child, const struct value *symbol, const struct value *there, struct arena *a);
/* The natural key that a ref's symbol means: the child's company, then the arguments. */
struct str link_parent_key(struct str child, struct str symbol, struct arena *a);
enum link_parent { PARENT_UNKNOWN, PARENT_NOT_YET, PARENT_THERE, PARENT_DELETED };
enum link_parent link_parent_row(struct engine *e, uint16_t flow, struct str key, struct arena *a, struct row *row);
/* The record waits for that one; shown with what it waits for. */
enum err link_wait(struct engine *e, struct sync_flow *sf, struct send_item *it, uint16_t flow, struct str key, bool deleted, struct arena *a, struct fault *f);
/* The i-th symbol of an image at a place; false behind the last. An empty one: no link there. */
bool link_symbol_at(const struct sync_flow *sf, const struct link_place *p, const struct record *image, size_t i, struct str *symbol);
/* Whether an image holds this symbol at a place of this link, and in which field. */
bool link_stands(const struct sync_flow *sf, const struct image_link *l, const struct record *image, struct str symbol, struct str *field);

/* What an answer to a find is kept under: its field, or all of its fields. */
struct str link_asked(const struct image_link *l, struct arena *a);
/* The i-th value of a symbol; empty behind the last. */
struct str link_part(struct str symbol, size_t i);
/* Asks the target which records a find's symbols mean, at most 100; hits of all, several per symbol possible. */
enum err link_ask(struct sync_flow *sf, const struct image_link *l, const struct str *symbols, size_t n, struct arena *a, struct lookup_hit **hits, size_t *nhits,
                  struct fault *f);

/* lines.c - lists. */
/* Equal but for the order of their lines. */
bool lines_same(const struct value *a, const struct value *b);
/* A list with its links resolved. */
struct value lines_resolved(struct engine *e, struct sync_flow *sf, size_t field, struct str child, const struct value *list, struct arena *a);
/* Lists resolved; map: key -> row id; rows: as target_ops.read gives them. out: for an update, absent when nothing differs; there: the rows, for
 * the log; map: what of it is known now. */
struct lines_match { bool differs; struct value out, there, map; };
void lines_match(const struct value *wanted, const struct value *last, const struct value *map, const struct value *rows, const struct list_shape *shape,
                 struct arena *a, struct lines_match *out);

/* compose.c - one record's request. */
struct outgoing {
    struct send_item *it;
    enum write_verb verb;
    struct record fields, old;
    struct record lines;               /* per list field: line key -> row id */
    struct str sent;
    bool matched;                      /* a list was compared with its rows */
};
enum composed { COMPOSED_NOTHING /* nothing differs from what was written */, COMPOSED_SAME /* nor from the rows that were read */, COMPOSED_WRITE };
/* Names of the list fields of an update whose rows have to be read first. */
size_t compose_lists(struct sync_flow *sf, const struct send_item *it, struct arena *a, struct str **names);
size_t compose_diff(struct sync_flow *sf, const struct send_item *it, struct arena *a, struct record_field **diff);
/* in_target: what was read of the record for this write; may be NULL when nothing had to be. */
enum composed compose(struct engine *e, struct sync_flow *sf, struct send_item *it, const struct record *in_target, struct arena *a, struct outgoing *out);
enum err compose_intent(struct engine *e, struct sync_flow *sf, const struct outgoing *o, struct fault *f);
enum err compose_stands(struct engine *e, struct sync_flow *sf, const struct outgoing *o, struct fault *f);

/* into.c - fields for another flow's records. */
#define INTO_FIELD "@into"             /* in a wanted image: which record, as a ref's symbol */
struct str into_symbol(const struct send_item *it);
enum err into_items(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f);
/* Leaves out the rows whose record another flow is writing just now; the number of those that stay. */
size_t into_take_turns(const struct engine *e, const struct sync_flow *sf, struct send_item *items, size_t n);

/* hint.c. Some fields are not what was written any more: they are left out of what counts as written, so they differ and go out again. */
enum err hint_fields(struct engine *e, const struct sync_flow *sf, struct str key, const struct row *row, const struct str *fields, size_t n, const char *why,
                     struct arena *a, struct fault *f);

/* gone.c - records that were deleted in the target. */
#define GONE_WHY "the record does not exist in the target any more; mlcd replay --recreate makes it anew"
/* The item's record is not there; of an `into` row, the parent's. Emits what that means. */
enum err gone_item(struct engine *e, struct sync_flow *sf, struct send_item *it, struct fault *f);
/* Makes a record again, and has what linked to it linked again. */
enum err gone_recreate(struct engine *e, const struct image_flow *fl, struct str key, const struct row *row, const char *by, struct fault *f);
/* What an answer says about records that are gone: the written one, or one that it links to. After its OUTCOME. */
enum err gone_answer(struct engine *e, struct sync_flow *sf, struct str key, const struct write_item *answer, struct fault *f);

/* guard.c - what people changed in the records of a guarded flow is put back. */
enum err guard_flow(struct engine *e, struct sync_flow *sf, struct fault *f);
/* The same for records that the target has told of. */
enum err guard_told(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f);

/* load.c - first loads by bulk write. *held: the flow's rows do not go out as inserts now. */
enum err load_turn(struct engine *e, struct sync_flow *sf, bool reading, bool *held, struct fault *f);
/* A bulk write is under way, and when it is looked at next. */
bool load_pending(struct engine *e, const struct sync_flow *sf, int64_t *due_wall_ms);
/* Both ways for so many new records, and which one it will be; false: nothing worth saying. */
bool load_estimate_text(const struct sync_flow *sf, uint64_t records, char *out, size_t n);
/* What has to be known before rows are composed: settled, ids, candidates, links. */
enum err send_prepare(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f);

/* hint.c - notifications of the target: their channels, what they tell, what follows from it. */
enum err hint_channels(struct engine *e, bool off, struct fault *f);
int64_t hint_due_ms(const struct engine *e);
/* Whether a notification lies in its folder. */
bool hint_waits(struct engine *e);
enum err hint_take(struct engine *e, size_t *taken, struct fault *f);
/* Every cached answer to a find is asked for anew; rows that used one which differs send that field again. */
enum err hint_refresh(struct engine *e, struct sync_endpoint *p, struct fault *f);
/* The same with a full pass, once for all flows: for what no notification told. */
enum err hint_refresh_daily(struct engine *e, struct sync_endpoint *p, struct fault *f);

/* send.c, answer.c, settle.c */
struct send_batch {
    struct send_batch *next;
    struct sync_flow *sf;
    struct arena arena;
    struct write_batch wb;
    struct str *keys; uint32_t *slots; uint64_t *attempts;
    bool started;
    bool answered;                     /* its answer is here and not yet in the log */
};
/* Starts what can be started and takes in what has been answered; block: waits for one answer when nothing else can be done. */
enum err send_pump(struct engine *e, bool block, struct fault *f);
bool send_idle(const struct engine *e);
/* Between two rows of a page, and while a page is waited for: takes in answers and starts in their place what is ready. Writes nothing about records: an
 * answer counts from the next send_pump, when no page is half done. */
void send_kick(struct engine *e);
enum err answer_batch(struct engine *e, struct send_batch *b, struct fault *f);
enum err settle_items(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f);
/* Waits until nothing is under way; nothing new is started. */
enum err send_drain(struct engine *e, struct fault *f);
/* run.c: a life sign for the service manager. */
void progress_alive(struct engine *e);
void progress_tell(struct engine *e, const struct sync_flow *sf, const char *phase);
#endif
