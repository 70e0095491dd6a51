/*
 * zoho_room.h: private header of the Zoho model.
 *
 *     handle.c   route, order of checks, log          oauth.c    token endpoint, access tokens, scopes
 *     limits.c   credits, concurrency                 faults.c   script
 *     meta.c     data file -> modules, fields         describe.c org, modules, fields, layouts, users answers
 *     store.c    records, cells, indexes              rules.c    one value against one field
 *     write.c    insert update upsert                 lines.c    subforms, totals
 *     remove.c   delete, deleted list                 read.c     list, get
 *     coql.c     query text -> tree                   find.c     tree -> records
 *     search.c   search, count                        inspect.c  counters, seeds, /__sim
 *     settings.c fields, choices, modules are made
 *     bulk.c     bulk write: uploads, jobs, results
 *     watch.c    notification channels, what they send
 *     text.c     growing text, UTF-8, dates           late.c     requests that arrive late
 *
 * A record is a blob of cells, one after another, in field order:
 *
 *     | u16 field | u8 kind | u8 0 | u32 length | bytes ... |
 *
 * Absent cell = null. Times, users and the id stand beside the blob in struct zsim_record.
 */
#ifndef ZOHO_ROOM_H
#define ZOHO_ROOM_H

#include "zoho_sim.h"

#include <jansson.h>

// ---- text.c
struct zsim_text {
    char *at; // zero-terminated once anything was added
    size_t len, cap;
};
void *zsim__must(void *);
char *zsim__copy(const char *);
void zsim__add(struct zsim_text *, const char *bytes, size_t len);
void zsim__str(struct zsim_text *, const char *);
void zsim__fmt(struct zsim_text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void zsim__quoted(struct zsim_text *, const char *bytes, size_t len); // JSON string literal
void zsim__text_free(struct zsim_text *);
size_t zsim__code_points(const char *bytes, size_t len);
size_t zsim__prefix_of_points(const char *bytes, size_t len, size_t points); // in bytes
uint64_t zsim__hash(const char *bytes, size_t len, bool fold);
int zsim__compare(const char *a, size_t alen, const char *b, size_t blen, bool fold);
bool zsim__contains(const char *hay, size_t hlen, const char *needle, size_t nlen, bool at_start);
bool zsim__parse_date(const char *s, int64_t *days);
bool zsim__parse_datetime(const char *s, int64_t *ms);
void zsim__format_datetime(int64_t ms, int offset_minutes, char out[32]);
bool zsim__parse_u64(const char *s, uint64_t *out);

// ---- meta.c
enum zsim_kind { ZK_TEXT, ZK_PICK, ZK_MULTI, ZK_BOOL, ZK_INT, ZK_BIGINT, ZK_NUMBER, ZK_DATE, ZK_DATETIME, ZK_LOOKUP,
                 ZK_USER, ZK_SUBFORM, ZK_RAW };
enum zsim_role { ZR_PLAIN, ZR_ID, ZR_CREATED, ZR_MODIFIED, ZR_CREATED_BY, ZR_MODIFIED_BY, ZR_LOCKED };

struct zsim_field {
    const json_t *raw; // the line of the data file, lives in the model's copy of it
    const char *name, *data_type, *json_type, *computed;
    enum zsim_kind kind;
    enum zsim_role role;
    int64_t length;   // code points or digits; 0: unlimited
    int decimals;     // -1: not a decimal
    int ui_type;
    int lookup;       // module number or -1
    int subform;      // module number or -1
    bool mandatory, layout_required, custom, unique, case_sensitive, read_only, name_field, duplicate_field, rich;
    const json_t *picks; // array of strings or NULL
    uint64_t id;
};

struct zsim_record {
    uint64_t id;
    int64_t created_ms, modified_ms, deleted_ms;
    unsigned char *cells;
    uint32_t size;
    uint32_t updates, noops;
    uint16_t created_by, modified_by, deleted_by; // numbers of users
    uint8_t state;                                // enum zsim_state
    bool locked;
};
enum zsim_state { ZS_LIVE, ZS_BIN, ZS_PURGED };

// Records with the same key hash share a bucket and form a doubly linked list through arrays beside the records.
struct zsim_index {
    int field;
    bool fold;
    uint32_t *heads; // record number + 1
    size_t nheads;   // power of two
    uint32_t *next, *prev, *hash;
    size_t cap, used;
};

struct zsim_module {
    const json_t *raw;
    const char *name, *singular, *plural, *generated;
    int number;
    uint64_t id, layout_id;
    bool absent, subform;
    struct zsim_field *fields;
    size_t nfields;
    int16_t *names; // open-addressed hash of field names -> field number, -1 free
    size_t nnames;
    int name_field;
    uint64_t next_number; // autonumber
    struct zsim_record *records; // ids ascend, so the number of a record is found by binary search
    size_t nrecords, cap, live;
    struct zsim_index *indexes;
    size_t nindexes;
};

struct zsim_user {
    const json_t *raw;
    uint64_t id;
    const char *email, *status;
    char *full_name;
    bool active, current;
};

struct zsim_edition {
    const char *name;
    int64_t base, per_user, max, concurrency;
};

struct zsim_switches {
#define X(name, def, meaning) int64_t name;
    ZOHO_SIM_SWITCHES(X)
#undef X
};

bool zsim__meta_load(struct zoho_sim *, const char *path, const char *edition, char *why, size_t why_size);
void zsim__meta_free(struct zoho_sim *);
struct zsim_module *zsim__module(struct zoho_sim *, const char *name); // present in this edition, or NULL
int zsim__field(const struct zsim_module *, const char *name);         // number or -1
int zsim__user_by_id(const struct zoho_sim *, uint64_t id);            // number or -1
// A field or module in the short form of the data file; `raw` is taken.
bool zsim__meta_field_add(struct zoho_sim *, struct zsim_module *, json_t *raw, char *why, size_t why_size);
bool zsim__meta_module_add(struct zoho_sim *, json_t *raw, char *why, size_t why_size);
json_t *zsim__meta_field_raw(const struct zoho_sim *, const struct zsim_module *, const struct zsim_field *);   // to be changed
// After its short form was changed; pointers to modules and fields are void after any of these.
bool zsim__meta_field_reload(struct zoho_sim *, struct zsim_field *, char *why, size_t why_size);

// ---- oauth.c
struct zsim_grant { // a refresh token
    char *token, *client_id, *scope;
    int64_t window_ms; // start of the window of ten
    int window_used;
    bool dead;
};
struct zsim_token {
    char *token;
    size_t grant;
    int64_t issued_ms, expires_ms;
};
struct zsim_code {
    char *code, *client_id, *scope;
    int64_t expires_ms;
    bool used;
};
struct zsim_oauth {
    const json_t *clients;
    struct zsim_grant *grants;
    size_t ngrants;
    struct zsim_token *tokens;
    size_t ntokens;
    struct zsim_code *codes;
    size_t ncodes;
    uint64_t serial, issued;
    char *api_domain;  // NULL: the caller's own Host
    char **retired;    // former domains
    size_t nretired;
    char *seen;        // host and prefix of the last call, the domain to retire when none was configured
};

// ---- limits.c
enum { ZSIM_MINUTES = 24 * 60 };
struct zsim_limits {
    int64_t spent[ZSIM_MINUTES];  // ring by minute
    int64_t minute[ZSIM_MINUTES]; // which minute the slot holds
    int64_t *ends_ms; // calls in flight: when they end, and beside it whether they count for the sub-limit
    bool *heavy;
    size_t nflight, flight_cap, max_flight;
};

// ---- faults.c, late.c
struct zsim_fault;
struct zsim_late;

// ---- a call on its way
struct zsim_param {
    char *name, *value;
};
enum { ZSIM_SEGMENTS = 8 };
struct zsim_call {
    struct zoho_sim *sim;
    const struct sim_request *req;
    struct sim_response *resp;
    int64_t now_ms;
    char *path;                    // without query, as sent
    char *base;                    // host and prefix before /crm/
    char *segment[ZSIM_SEGMENTS];  // decoded, after /crm/v8
    size_t nsegments;
    struct zsim_param *params;     // query, decoded
    size_t nparams;
    char *body_text;               // zero-terminated copy
    json_t *body;
    const char *scope;             // granted, once authorised
    int user;                      // number of the caller's user
    const char *op;                // for the counters
    int64_t cost;
    bool heavy;
    bool late;                     // was let in before: no check of token and limits
    size_t records;                // written, for the latency
    struct zsim_fault *fault;      // the rule that struck, or NULL
};

// ---- watch.c
struct zsim_channel;
struct zsim_event;
struct zsim_watch {
    struct zsim_channel *channels;
    size_t nchannels;
    struct zsim_event *events; // of the call on its way
    size_t nevents;
    uint64_t told;
};

// ---- bulk.c
struct zsim_upload;
struct zsim_job;
struct zsim_bulk {
    struct zsim_upload *uploads;
    size_t nuploads;
    struct zsim_job *jobs;
    size_t njobs;
};

struct zsim_count {
    char *name;
    uint64_t n;
};

struct zoho_sim {
    json_t *data;
    struct sim_clock clock;
    int64_t skew_ms;
    FILE *log, *secrets;
    struct zsim_switches on;
    int offset_minutes;
    int64_t body_limit;
    struct zsim_edition *editions;
    size_t neditions, edition;
    int64_t users_licensed, sub_concurrency;
    struct zsim_user *users;
    size_t nusers;
    int current_user;
    struct zsim_module *modules;
    size_t nmodules;
    uint64_t next_id;
    struct zsim_oauth oauth;
    struct zsim_limits limits;
    struct zsim_fault *faults;
    size_t nfaults;
    struct zsim_late *late;
    size_t nlate;
    struct zsim_watch watch;
    struct zsim_bulk bulk;
    void (*deliver)(void *ctx, const char *url, const char *body);
    void *deliver_ctx;
    void (*on_change)(void *ctx, const struct zoho_sim_change *);
    void *on_change_ctx;
    void (*on_fault)(void *ctx, int tag);
    void *on_fault_ctx;
    struct zsim_count *calls;
    size_t ncalls;
    uint64_t statuses[600];
    uint64_t inserts, updates, noops, deletes, failed, with_triggers, struck;
};

// ---- handle.c
void zsim__handle(void *self, const struct sim_request *, struct sim_response *);
const char *zsim__param(const struct zsim_call *, const char *name); // NULL when absent
int64_t zsim__param_number(const struct zsim_call *, const char *name, int64_t otherwise); // -1 when not a number
void zsim__answer(struct zsim_call *, int status, json_t *body);          // takes body
void zsim__answer_text(struct zsim_call *, int status, struct zsim_text *); // takes the text
void zsim__answer_empty(struct zsim_call *, int status);
void zsim__error(struct zsim_call *, int status, const char *code, const char *message, json_t *details);
json_t *zsim__error_json(const char *code, const char *message, json_t *details); // takes details, NULL: {}
// An array of per-record elements: all_ok when none failed, 400 when all did, else 207 (facts 4.1).
void zsim__answer_data(struct zsim_call *, int all_ok, json_t *data, size_t failed);
int64_t zsim__now(const struct zoho_sim *);
// A call that was accepted earlier takes effect at at_ms.
void zsim__apply(struct zoho_sim *, const struct sim_request *, struct sim_response *, int64_t at_ms);
void zsim__count_call(struct zoho_sim *, const char *op);

// ---- oauth.c
void zsim__oauth_load(struct zoho_sim *);
void zsim__oauth_free(struct zoho_sim *);
void zsim__oauth_token(struct zsim_call *);
void zsim__oauth_revoke(struct zsim_call *);
bool zsim__authorise(struct zsim_call *);               // false: answered
bool zsim__scope(struct zsim_call *, const char *need); // need = "ZohoCRM.modules.accounts.READ"; false: answered
bool zsim__module_scope(struct zsim_call *, const char *module, const char *verb);
void zsim__params_of(const char *text, size_t len, struct zsim_param **, size_t *n);
void zsim__params_free(struct zsim_param *, size_t n);

// ---- limits.c
int64_t zsim__credits_limit(const struct zoho_sim *);
void zsim__secret(const struct zoho_sim *, const char *kind, const char *value); // tells it to who looks for leaks
int64_t zsim__credits_spent(const struct zoho_sim *, int64_t now_ms);
void zsim__credits_add(struct zoho_sim *, int64_t now_ms, int64_t credits);
bool zsim__admit(struct zsim_call *);        // false: answered 429
void zsim__finish(struct zsim_call *);       // header, delay, in-flight entry
void zsim__limits_free(struct zoho_sim *);

// ---- faults.c
void zsim__fault_choose(struct zsim_call *);
bool zsim__fault_before(struct zsim_call *); // true: the call ends here
void zsim__fault_after(struct zsim_call *);
// The error element of a scripted record, or NULL.
json_t *zsim__fault_record(struct zsim_call *, const struct zsim_module *, const json_t *record, size_t index);
const char *zsim__fault_name(const struct zsim_fault *);
void zsim__faults_free(struct zoho_sim *);

// ---- late.c
void zsim__late_add(struct zsim_call *, int64_t after_ms);
void zsim__late_run(struct zoho_sim *); // applies what is due
void zsim__late_free(struct zoho_sim *);

// ---- store.c
struct zsim_cell {
    uint16_t field;
    char kind; // s text, n number, b boolean, j JSON, r record, u user
    const char *bytes;
    uint32_t len;
};
bool zsim__next_cell(const unsigned char *cells, size_t size, size_t *at, struct zsim_cell *);
bool zsim__cell(const struct zsim_record *, int field, struct zsim_cell *);
void zsim__put_cell(struct zsim_text *, int field, char kind, const char *bytes, size_t len);
struct zsim_record *zsim__record(struct zsim_module *, uint64_t id); // live, or NULL
size_t zsim__lower_bound(const struct zsim_module *, uint64_t id);   // number of the first record with id >= this
struct zsim_record *zsim__append(struct zoho_sim *, struct zsim_module *, const struct zsim_text *cells);
void zsim__replace(struct zsim_module *, struct zsim_record *, const struct zsim_text *cells);
void zsim__drop(struct zsim_module *, struct zsim_record *); // out of the indexes
struct zsim_index *zsim__index(struct zsim_module *, int field, bool fold); // made on first use
// Walks the live records whose field equals key: start with *walk = 0.
struct zsim_record *zsim__index_next(struct zsim_module *, const struct zsim_index *, const char *key, size_t len,
                                     uint32_t *walk);
void zsim__store_free(struct zsim_module *);

// ---- rules.c
struct zsim_check { // where a value is being checked
    struct zsim_call *call;
    const struct zsim_module *module;
    const char *path; // "$.data[3]" or "$.data[3].Ordered_Items[0]"
    json_t *errors;   // array, grows
    const struct zsim_record *old; // being updated, or NULL
};
struct zsim_value {
    char kind; // of the cell; 0: null
    bool set;  // named by the request
    struct zsim_text text;
};
void zsim__set_value(struct zsim_value *, char kind, const char *bytes, size_t len);
double zsim__value_number(const struct zsim_value *); // 0 when null
// The shortest decimal text of v with at most `decimals` places.
void zsim__set_number(struct zsim_value *, double v, int decimals);
// False: an error was appended. `value` starts zeroed, the caller frees its text.
bool zsim__check(struct zsim_check *, const struct zsim_field *, const json_t *in, struct zsim_value *value);
void zsim__check_error(struct zsim_check *, const char *code, const char *message, const char *name, json_t *details);

// ---- lines.c
bool zsim__check_rows(struct zsim_check *, const struct zsim_field *, const json_t *in, struct zsim_value *value);
void zsim__compute(struct zsim_module *, struct zsim_value *values);
void zsim__show_rows(struct zoho_sim *, const struct zsim_module *, const struct zsim_record *,
                     const struct zsim_field *, const struct zsim_cell *, struct zsim_text *out);

// ---- write.c
enum zsim_verb { ZV_INSERT, ZV_UPDATE, ZV_UPSERT, ZV_SEED, ZV_EDIT };
void zsim__write(struct zsim_call *, struct zsim_module *, enum zsim_verb, const char *id);
json_t *zsim__write_one(struct zsim_call *, struct zsim_module *, enum zsim_verb, const json_t *record, size_t index,
                        const json_t *check_fields);

// ---- remove.c
void zsim__delete(struct zsim_call *, struct zsim_module *, const char *id);
void zsim__deleted(struct zsim_call *, struct zsim_module *);
void zsim__remove(struct zsim_module *, struct zsim_record *, int user, int64_t now_ms, bool permanent);

// ---- read.c
enum zsim_view { ZW_LIST, ZW_ONE, ZW_COQL };
void zsim__show_field(struct zoho_sim *, const struct zsim_module *, const struct zsim_record *, int field,
                      enum zsim_view, struct zsim_text *);
void zsim__show(struct zoho_sim *, const struct zsim_module *, const struct zsim_record *, const int *fields, size_t n,
                enum zsim_view, struct zsim_text *);
void zsim__show_all(struct zoho_sim *, const struct zsim_module *, const struct zsim_record *, struct zsim_text *);
void zsim__show_name(const struct zsim_module *, const struct zsim_record *, struct zsim_text *raw);
void zsim__list(struct zsim_call *, struct zsim_module *);
void zsim__get(struct zsim_call *, struct zsim_module *, const char *id);

// ---- coql.c
enum zsim_op { ZO_AND, ZO_OR, ZO_EQ, ZO_NE, ZO_LT, ZO_LE, ZO_GT, ZO_GE, ZO_IN, ZO_NOT_IN, ZO_LIKE, ZO_NOT_LIKE,
               ZO_NULL, ZO_NOT_NULL, ZO_BETWEEN, ZO_CONTAINS, ZO_STARTS };
struct zsim_path { // F or F.G
    int field, sub; // sub: -1, or a field of the looked-up module
};
struct zsim_literal {
    char *text;
    bool number, boolean;
};
struct zsim_cond {
    enum zsim_op op;
    struct zsim_cond *left, *right; // ZO_AND, ZO_OR
    struct zsim_path path;
    struct zsim_literal *values;
    size_t nvalues;
};
struct zsim_query {
    struct zsim_module *module;
    struct zsim_path *columns;
    char **column_names;
    size_t ncolumns;
    struct zsim_cond *where;
    struct zsim_path order[4];
    bool descending[4];
    size_t norder;
    int64_t offset, limit;
};
void zsim__coql(struct zsim_call *);
void zsim__cond_free(struct zsim_cond *);

// ---- find.c
bool zsim__matches(struct zoho_sim *, const struct zsim_module *, const struct zsim_record *,
                   const struct zsim_cond *);
// Records that fulfil `where` (NULL: all), ordered, without the first `offset`, at most `limit`. Heap array of numbers
// of records. *more tells whether there were further ones.
uint32_t *zsim__find(struct zoho_sim *, const struct zsim_query *, size_t *n, bool *more);
size_t zsim__find_count(struct zoho_sim *, const struct zsim_query *);
const struct zsim_record *zsim__follow(struct zoho_sim *, const struct zsim_module *, const struct zsim_record *,
                                       int field, const struct zsim_module **target);

// ---- search.c
void zsim__search(struct zsim_call *, struct zsim_module *);
void zsim__count(struct zsim_call *, struct zsim_module *);

// ---- describe.c
void zsim__org(struct zsim_call *);
void zsim__modules(struct zsim_call *, const char *name); // NULL: all
void zsim__fields(struct zsim_call *);
void zsim__layouts(struct zsim_call *);
void zsim__users(struct zsim_call *);
json_t *zsim__user_json(const struct zoho_sim *, int user); // {"name","id"}

// ---- settings.c
void zsim__field_make(struct zsim_call *);
void zsim__field_change(struct zsim_call *, const char *id);
void zsim__module_make(struct zsim_call *);

// ---- bulk.c
void zsim__upload(struct zsim_call *);
void zsim__bulk_make(struct zsim_call *);
void zsim__bulk_look(struct zsim_call *, const char *id);
void zsim__bulk_result(struct zsim_call *);
void zsim__bulk_run(struct zoho_sim *); // jobs whose time has come
void zsim__bulk_free(struct zoho_sim *);

// ---- watch.c
void zsim__watch(struct zsim_call *);
// "insert", "update" or "delete"; fields (taken, may be NULL): the names that an update changed.
void zsim__happened(struct zoho_sim *, const struct zsim_module *, uint64_t id, const char *operation, json_t *fields);
void zsim__tell(struct zoho_sim *); // sends what happened since the last time
void zsim__watch_free(struct zoho_sim *);

// ---- inspect.c
void zsim__inspect(struct zsim_call *);

#endif
