/* connector.h - what a system looks like to sync: a source (pages, keys, rows by key) and a target (look up, read, write in batches).
 * A connector is a folder with one struct of functions and a line in connectors.def. Connectors never see the store, the journal, the vm or
 * each other; what they must keep or tell goes through struct conn_env. All memory of answers comes from the caller's arena. */
#ifndef CONNECTORS_CONNECTOR_H
#define CONNECTORS_CONNECTOR_H
#include "base/outcome.h"
#include "base/world.h"
#include "value/record.h"
#include "value/type.h"

/* ---- what sync gives a connector ---- */
struct conn_setting { struct str name, value; };          /* resolved: env(), secret() and file() are gone; "retry.locked.attempts" for nested ones */
struct conn_env {
    const struct world *world;
    struct conn_setting *settings; size_t nsettings;
    const char *state_name;                               /* "erp", "crm": the name in the spec */
    const char *state_dir;                                /* for locks between processes that share a state directory; NULL: none does */
    const char *shared_dir;                               /* what processes with directories of their own share by grant; NULL: nothing */
    const volatile int *stop;                             /* set by SIGTERM: end waits early with ERR_STOPPED */
    /* Sealed small state (tokens). load: ERR_NOT_FOUND when never saved, ERR_IO when it cannot be read now. */
    enum err (*load)(void *ctx, const char *name, struct arena *a, struct str *out);
    enum err (*save)(void *ctx, const char *name, struct str value, struct fault *f);
    /* An audit entry of kind CALL or TOKEN: text without secrets or personal data. */
    void (*note)(void *ctx, const char *kind, const char *text);
    /* Sources: to be called while a call waits, when something else of this process has been answered. May be NULL. */
    void (*meanwhile)(void *ctx);
    void *ctx;
};
struct str conn_setting(const struct conn_env *env, const char *name);                    /* empty when not set */
int64_t conn_setting_ms(const struct conn_env *env, const char *name, int64_t fallback);  /* "250ms", "30s", "15m", "1h", "1d", bare number = ms */
int64_t conn_setting_int(const struct conn_env *env, const char *name, int64_t fallback);

/* ---- findings of probe and check: one line each ---- */
enum finding_level { FINDING_OK, FINDING_WARN, FINDING_FAIL };
struct finding { enum finding_level level; const char *what;   /* "token", "module Accounts" */ const char *text; int64_t elapsed_ms; };
struct finding_sink { void (*add)(void *ctx, const struct finding *f); void *ctx; };

/* ---- what a system says of its own tables or modules, for the lock files (docs/locks.md). All of it lives until the sink returns. ---- */
struct described_field {
    struct str name;
    const char *type;                      /* "text", "picklist", "decimal", "bool", "date", "instant", "link"; "other" where no spec can use it */
    int64_t length;                        /* text: characters */
    unsigned digits, scale;                /* decimal: in all, behind the point */
    struct str module;                     /* link: where to; "users" for people */
    const struct str *values; size_t nvalues;   /* picklist, without the empty choice */
    bool required, unique, custom, no_insert, no_update;
};
struct described_entity {
    struct str name;
    bool missing;                          /* asked for, or a standard one, and not there */
    bool unstamped;                        /* a source's table without change stamps */
    const struct described_field *fields; size_t nfields;
    const struct str *key; size_t nkeys;   /* sources */
};
struct describe_sink { void (*add)(void *ctx, const struct described_entity *e); void *ctx; };

/* ---- source ---- */
struct source_column { struct str name; struct type type; bool udf; };
struct source_row;
/* Asked by a source that has key and hash of a page's rows before it has read their columns: sets `same` of each row whose content is known. Such a row
 * needs no columns and may come without them (cols NULL). */
struct source_asks { void (*same)(void *ctx, struct source_row *rows, size_t n); void *ctx; };
struct source_query {
    struct str entity;                     /* "AR_Customer" */
    struct str company;                    /* "ABC" */
    struct str via;                        /* "agent", "soap" or empty */
    const struct str *key_columns; size_t nkeys;
    const struct source_column *columns; size_t ncolumns;   /* what the flow reads; keys included */
    unsigned page_rows;                    /* 0 = the connector's default */
    const struct source_asks *asks;        /* page only; NULL: every row is wanted */
};
struct source_key { struct str part[8]; size_t n; };
struct source_row {
    struct source_key key;
    struct value *cols;                    /* ncolumns, in the query's order */
    struct str hash;                       /* opaque: equal exactly when content is equal; empty = unknown */
    struct str stamp;                      /* the source's own change stamp as text, for people */
    const char *violation;                 /* NULL, or which column broke its declared type and how: the row is to be rejected */
    bool same;                             /* the asker knows this content */
};
/* What the source itself says of a record that is gone. */
enum source_sign { SIGN_NONE, SIGN_COMPLETED /* it ran its course */, SIGN_DELETED };
struct source_page {
    struct source_row *rows; size_t nrows;
    struct source_key *locked; size_t nlocked;
    struct source_key *missing; size_t nmissing;   /* fetch only */
    const unsigned char *missing_sign;     /* enum source_sign of each; NULL: nothing is known of any */
    struct str next;                       /* cursor to store with this page */
    bool complete;                         /* the pass ends here */
    bool asked;                            /* `same` was set by the asker */
    struct str high_water;                 /* for people */
    struct str epoch;                      /* keys only: the pass is void when it changes */
};
struct source;
struct source_ops {
    const char *name;                      /* "sage100" */
    /* Reads settings, makes no call. ERR_CONFIG lists what is missing. */
    enum err (*open)(struct source **out, const struct conn_env *env, struct fault *f);
    void (*close)(struct source *s);
    /* One step per line: reach, TLS, sign in, company, table, columns against the live schema. Nothing is changed. */
    enum err (*probe)(struct source *s, const struct source_query *q, size_t nq, const struct finding_sink *sink, struct fault *f);
    /* Changed rows after cursor (empty = a full pass). ERR_EXPIRED: the cursor is void, do a full pass. ERR_UNSUPPORTED: this door cannot list. */
    enum err (*page)(struct source *s, const struct source_query *q, struct str cursor, struct arena *a, struct source_page *out, struct fault *f);
    /* Rows by key, at most 250: each key is in rows, missing or locked exactly once. */
    enum err (*fetch)(struct source *s, const struct source_query *q, const struct source_key *keys, size_t nkeys, struct arena *a,
                      struct source_page *out, struct fault *f);
    /* All keys in ascending order, for the sweep: keys in out->rows (cols NULL), next = after for the next page. */
    enum err (*keys)(struct source *s, const struct source_query *q, struct str after, struct arena *a, struct source_page *out, struct fault *f);
    /* The queries' tables as this installation has them, one call of sink for each query. ERR_UNSUPPORTED: this door has no schema. NULL: none has. */
    enum err (*describe)(struct source *s, const struct source_query *q, size_t nq, const struct describe_sink *sink, struct fault *f);
};

/* ---- notifications: a target that says by itself what changed in it. What it says is a hint: nothing of it is believed but which records to read. ---- */
struct watch_wish { struct str module; bool all; };              /* all: made, changed, deleted; else deletions only */
struct watch_channel { struct str module; bool all; int64_t until_wall_ms; };   /* 0: not there (any more) */
struct watch_turn {
    int64_t next_ms;                       /* the next turn is due so much later */
    bool gap;                              /* for a time nobody told us anything: look yourself */
    struct watch_channel *channels; size_t nchannels;
};
enum told_what { TOLD_INSERT, TOLD_UPDATE, TOLD_DELETE };
struct target_told { enum told_what what; struct str module; struct str *ids; size_t nids; };

/* ---- loads: many new records as one file, where that is cheaper than inserts ---- */
struct load;                               /* a file being written */
struct load_estimate { uint64_t calls, credits; int64_t ms; };
struct load_choice { struct load_estimate insert, bulk; bool possible, bulk_is_better; const char *why; /* not the bulk way: why; else NULL */ };
enum load_state { LOAD_RUNNING, LOAD_DONE, LOAD_FAILED };

/* ---- target ---- */
struct target_field {                      /* what the flow writes, for the start-up check */
    struct str module, name;
    struct type type;
    bool unique, on_insert, on_update;
    bool custom;                           /* declared by the spec itself: `mlcd prepare` may make it */
    struct str link_module;                /* lookups */
};
/* One thing that the spec declares and the target lacks. */
enum make_state { MAKE_WANTED, MAKE_DONE, MAKE_REFUSED, MAKE_BY_HAND };
struct make_step {
    enum make_state state;
    struct str module, field;              /* field empty: the module itself */
    const char *what;                      /* "text of 60 characters, no duplicates"; "add the choices \"A\", \"B\"" */
    const char *why;                       /* MAKE_REFUSED, MAKE_BY_HAND: the reason and what a person does; MAKE_DONE: where it differs from what was asked; else "" */
};
struct make_sink { void (*step)(void *ctx, const struct make_step *s); void *ctx; };
struct write_item {
    struct str id;                         /* UPDATE: the record's id */
    const struct record *fields;           /* links resolved: V_ID values; absent = null */
    /* answer */
    enum write_class cls;
    struct str out_id;
    struct str code, message;              /* as the other system says; message without field contents where it has any */
    struct str field;                      /* which field it complains of */
    int64_t not_before_ms;                 /* relative */
    int http_status;
};
struct write_batch {
    enum write_verb verb;
    struct str module;
    struct str key_field;                  /* our own unique field: tells W_DUP_OWN from W_DUP_OTHER */
    bool lines;                            /* an item carries a list */
    bool trigger_workflow, trigger_approval, trigger_blueprint;   /* what the target may run on these writes; none: "trigger":[] */
    struct write_item *items; size_t n;    /* n <= LIMIT_WRITE_BATCH */
    struct arena *arena;                   /* answers go here; lives as long as the batch */
    void *user;
};
/* A list of lines, V_LIST, both ways. Read: the column "id", a row's id as V_ID, then what the target holds of it; rows in the target's order. Written
 * with an insert: the columns of new rows. With an update: "id" and "_delete" in front; id alone = that row gets these values, id and _delete = that
 * row goes, neither = a new row (facts/zoho-crm.md 6). Every row that stands there is named. */
struct lookup_hit { size_t value_index; struct str id; struct record fields; };
struct target;
struct target_ops {
    const char *name;                      /* "zoho_crm" */
    enum err (*open)(struct target **out, const struct conn_env *env, struct fault *f);
    void (*close)(struct target *t);
    enum err (*probe)(struct target *t, const struct finding_sink *sink, struct fault *f);
    /* Before the first write: org, edition, modules, fields, uniqueness; every finding, not only the first. ERR_CONFIG when one fails. */
    enum err (*check)(struct target *t, const struct target_field *fields, size_t n, const struct finding_sink *sink, struct fault *f);
    /* Number of records in a module (for the rule that a filled module is not filled blindly). */
    enum err (*count)(struct target *t, struct str module, int64_t *n, struct fault *f);
    /* Records of module where field is one of values (at most 100; also module "users": active users, by email, id or full_name), each hit with the fields asked for; all hits, several per value possible. */
    enum err (*lookup)(struct target *t, struct str module, struct str field, const struct str *values, size_t n, const struct str *want, size_t nwant,
                       struct arena *a, struct lookup_hit **hits, size_t *nhits, struct fault *f);
    /* Records by id (at most 100): hits with value_index into ids; ids without a hit are gone. A list among what is wanted may cost a call a record. */
    enum err (*read)(struct target *t, struct str module, const struct str *ids, size_t n, const struct str *want, size_t nwant, struct arena *a,
                     struct lookup_hit **hits, size_t *nhits, struct fault *f);
    /* Records of module whose field holds a value, in the order of their ids, behind the id `after` (empty = from the first): a page of them with the
     * fields asked for (value_index means nothing); *more: there are others. NULL: the system cannot be walked. */
    enum err (*scan)(struct target *t, struct str module, struct str field, struct str after, const struct str *want, size_t nwant, struct arena *a,
                     struct lookup_hit **hits, size_t *nhits, bool *more, struct fault *f);
    /* Starts a write; returns OK, ERR_BUSY when as many as allowed are under way (wait first), ERR_BUDGET when the credits are spent,
     * ERR_AUTH. The batch stays the caller's and must live until write_wait hands it back. 401 INVALID_TOKEN is cured inside (one renewal,
     * one repeat: a 401 applied nothing). */
    enum err (*write_start)(struct target *t, struct write_batch *b, struct fault *f);
    /* OK and *done = a batch whose items carry answers; *done NULL at the timeout. */
    enum err (*write_wait)(struct target *t, int64_t timeout_ms, struct write_batch **done, struct fault *f);
    /* The modules named (as a "Vendors" and "users" link is: users are left out), and those standard ones that are not there. edition: in a. NULL: the
     * system has no metadata. */
    enum err (*describe)(struct target *t, const struct str *modules, size_t n, struct arena *a, struct str *edition, const struct describe_sink *sink,
                         struct fault *f);
    /* What of these fields (and of their modules) is not there or is narrower. make: makes it and reads it back; else only says so. One call of sink
     * for each step; a step that is refused does not end the others. NULL: nothing can be made there. */
    enum err (*prepare)(struct target *t, const struct target_field *fields, size_t n, bool make, const struct make_sink *sink, struct fault *f);
    /* Keeps a channel for each wish: makes, renews, makes again, removes; n 0 removes all. Settings notify_url (none: no channels). Any error leaves what
     * was reached; the next turn goes on. NULL: the system has no notifications. */
    enum err (*watch)(struct target *t, const struct watch_wish *wish, size_t n, struct arena *a, struct watch_turn *out, struct fault *f);
    /* The secret that our notifications carry; made and saved when there is none. */
    enum err (*watch_token)(struct target *t, struct arena *a, struct str *out, struct fault *f);
    /* Reads the body of a notification. Pure, for any thread; the token is compared in constant time. ERR_PERMISSION: not ours; ERR_PROTOCOL. */
    enum err (*told)(struct str token, struct str body, struct arena *a, struct target_told *out, struct fault *f);
    /* Loads. load_rows NULL: the system has none. */
    size_t (*load_rows)(const struct target *t);                      /* records of one file at most; 0: not available as it is set up */
    void (*load_choice)(struct target *t, uint64_t records, struct load_choice *out);
    /* fields: at least what load_add gives; the first is the record's own key. ERR_UNSUPPORTED: not these fields. The load is the caller's to free. */
    enum err (*load_new)(struct target *t, struct str module, const struct target_field *fields, size_t n, struct load **out, struct fault *f);
    bool (*load_add)(struct load *l, const struct record *fields);    /* false: it is full, the record is not in it */
    size_t (*load_count)(const struct load *l);
    void (*load_free)(struct load *l);
    enum err (*load_upload)(struct target *t, struct load *l, struct arena *a, struct str *file, struct fault *f);
    /* ERR_AMBIGUOUS: nobody knows whether the job is there; any other error: it is not. */
    enum err (*load_start)(struct target *t, const struct load *l, struct str file, struct arena *a, struct str *job, struct fault *f);
    enum err (*load_look)(struct target *t, struct str job, struct arena *a, enum load_state *state, struct str *result, struct fault *f);
    /* Each record of the result, a line at a time: cls, out_id, code, field, message live during the call. *lines: how many there were. */
    enum err (*load_result)(struct target *t, struct str where, struct str key_field, void (*each)(void *ctx, struct str key, struct write_item *it), void *ctx,
                            uint64_t *lines, struct fault *f);
    /* What a person sees: credits used in the window, calls, in flight. */
    void (*usage)(struct target *t, struct record_writer *out);
};

extern const struct source_ops *const connector_sources[];    /* NULL-terminated, from connectors.def */
extern const struct target_ops *const connector_targets[];
const struct source_ops *connector_source(struct str name);   /* NULL when unknown */
const struct target_ops *connector_target(struct str name);
#endif
