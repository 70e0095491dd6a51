/*
 * private.h: what the files of the Sage model share. A request goes
 *
 *     sim.c      route: /v1 -> agent.c, the service path -> soap.c, /__sim -> script.c; faults.c around it
 *     agent.c    endpoints; cursor.c the opaque cursor; render.c JSON of a row
 *     soap.c     envelope, logon, operations; soap_wsdl.c the description; soap_type.c the types
 *     view.c     rows that exist now, by key and by position = base (keys.c, fill.c) under patches (patch.c)
 *     zone.c     local time; stamp.c audit stamps and positions
 */
#ifndef SAGE_PRIVATE_H
#define SAGE_PRIVATE_H

#include "sage.h"

#include <jansson.h>

enum {
    SAGE_KEY_PARTS_MAX = 4,
    SAGE_KEY_BYTES_MAX = 160,
    SAGE_COLUMNS_MAX = 160,
    SAGE_COMPANIES_MAX = 8,
    SAGE_LINES_MAX = 8, // places for generated lines per document: a power of two
    SAGE_GROUPS = 12,   // of GL accounts
    SAGE_CURSOR_MAX = 512,
    SAGE_DAY_T = 2400000, // hours x 100000
    SAGE_STAMP_SCALE = 10000000
};

/* ---- growing text (text.c) ---- */

struct sage_buf {
    char *p;
    size_t len;
    size_t cap;
};

void *sage__alloc(size_t bytes); // zeroed; ends the process when there is no memory
void *sage__grow(void *p, size_t bytes);
char *sage__copy(const char *text);
char *sage__copy_len(const char *text, size_t len);
_Noreturn void sage__broken(const char *what); // an invariant of the model does not hold
void sage__room(struct sage_buf *, size_t more);
void sage__put(struct sage_buf *, const char *bytes, size_t len);
void sage__puts(struct sage_buf *, const char *text);
void sage__putf(struct sage_buf *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sage__put_json(struct sage_buf *, const char *bytes, size_t len); // quoted
void sage__put_xml(struct sage_buf *, const char *bytes, size_t len);  // escaped, fit for attributes too
size_t sage__characters(const char *utf8, size_t len);
uint64_t sage__mix(uint64_t); // a finaliser: every bit of the result depends on every bit of the argument
uint64_t sage__hash(uint64_t seed, const char *bytes, size_t len);

/* ---- SHA-256 (sha256.c) ---- */

struct sage_sha256 {
    uint32_t h[8];
    uint64_t total;
    unsigned char block[64];
    size_t fill;
};
void sage__sha_start(struct sage_sha256 *);
void sage__sha_add(struct sage_sha256 *, const void *bytes, size_t len);
void sage__sha_hex(struct sage_sha256 *, char out[65]);

/* ---- tables (table.c) ---- */

enum sage_type { SAGE_STRING, SAGE_DATE, SAGE_NUMBER };

enum sage_filler {
#define SAGE_FILL(id) SAGE_FILL_##id,
#include "fillers.def"
#undef SAGE_FILL
    SAGE_FILL_COUNT_
};

enum sage_resource_id {
#define SAGE_RESOURCE(id, name, table, parts, lines) SAGE_##id,
#include "resources.def"
#undef SAGE_RESOURCE
    SAGE_RESOURCES,
    SAGE_NONE = -1
};

struct sage_column {
    const char *name;
    enum sage_type type;
    int length;
    int scale;
    enum sage_filler fill;
};

struct sage_table {
    const char *resource; // NULL: a table of lines
    const char *name;
    int nparts;
    int lines; // resource id or SAGE_NONE
    const struct sage_column *columns;
    int ncolumns;
};

// What a table means in this installation; computed once per model.
struct sage_layout {
    const struct sage_table *table;
    bool barred[SAGE_COLUMNS_MAX];
    bool udf[SAGE_COLUMNS_MAX];
    bool audit[SAGE_COLUMNS_MAX];
    char *prefix[SAGE_COLUMNS_MAX]; // "Name": as JSON
    size_t prefix_len[SAGE_COLUMNS_MAX];
    int stamp[4]; // columns of created date, created time, updated date, updated time; -1
    int user_updated;
};

extern const struct sage_table sage__tables[SAGE_RESOURCES];
void sage__layout_make(struct sage_layout *, const struct sage_table *);
void sage__layout_free(struct sage_layout *);
int sage__column_find(const struct sage_table *, const char *name); // ignoring case; -1
int sage__resource_find(const char *name);                         // by the name in URLs; -1

/* ---- keys: parts joined by a zero byte, so that memcmp compares part by part as bytes ---- */

struct sage_key {
    uint16_t len;
    char b[SAGE_KEY_BYTES_MAX];
};

void sage__key_start(struct sage_key *);
bool sage__key_add(struct sage_key *, const char *part, size_t len); // false: too long, or a zero byte in it
int sage__key_cmp(const struct sage_key *, const struct sage_key *);
const char *sage__key_part(const struct sage_key *, int i, size_t *len);
// From "01~ABF": split at the first nparts-1 '~'. False: too few parts or too long.
bool sage__key_parse(struct sage_key *, const char *text, size_t len, int nparts);
char *sage__key_text(const struct sage_key *); // "01~ABF", heap
void sage__key_json(struct sage_buf *, const struct sage_key *, int first_part);

/* ---- local time (zone.c) ---- */

struct sage_zone_rule {
    int month, week, weekday, minutes;
};
struct sage_zone {
    int std_minutes; // east of UTC
    int dst_minutes;
    bool has_dst;
    struct sage_zone_rule start, end;
};
struct sage_local {
    int year, month, day, hour, minute, second;
    int64_t ms; // local wall time as if it were UTC
};
bool sage__zone_parse(const char *name, struct sage_zone *);
int sage__zone_offset(const struct sage_zone *, int64_t utc_ms); // minutes east
int64_t sage__zone_to_utc(const struct sage_zone *, int64_t local_ms); // of two, the first
int64_t sage__days(int year, int month, int day);
void sage__civil(int64_t local_ms, struct sage_local *);
void sage__utc_text(int64_t utc_ms, char out[32]); // 2024-03-12T22:30:00Z

/* ---- stamps (stamp.c) ---- */

// Position of a raw stamp: date x 10^7 + hours x 10^5; 0 for a blank one. facts/sage-100.md 9.4 rule 1
int64_t sage__position(const char *date, size_t date_len, const char *time, size_t time_len);
int64_t sage__position_of_ms(int64_t local_ms);
void sage__position_text(int64_t position, char date[16], char time[16]); // "" for blank
void sage__hours_text(int t, char out[16]);                               // hours x 10^5 -> "9.5"
int64_t sage__local_ms_of_position(int64_t position);

/* ---- rows ---- */

struct sage_value {
    const char *p; // NULL: null
    size_t len;
};
struct sage_row {
    const struct sage_layout *layout;
    struct sage_key key;
    struct sage_value v[SAGE_COLUMNS_MAX];
    size_t used;
    char arena[16384];
};

/* ---- patches (patch.c): what tests changed ---- */

struct sage_edit {
    int column;
    char *value; // NULL: null
    size_t len;
};
struct sage_patch {
    struct sage_key key;
    bool based;    // a generated row with this key exists
    uint32_t base; // its index
    bool deleted;
    int lock_reads;
    int64_t lock_until_ms;
    struct sage_edit *edits;
    size_t nedits;
    int64_t position;
};
struct sage_patches {
    struct sage_patch **slots; // open addressing
    size_t nslots;
    size_t count;
    struct sage_patch **by_key; // both sorted lazily
    struct sage_patch **by_position;
    bool sorted;
};
struct sage_patch *sage__patch_find(const struct sage_patches *, const struct sage_key *);
struct sage_patch *sage__patch_make(struct sage_patches *, const struct sage_key *);
void sage__patch_edit(struct sage_patch *, int column, const char *value, size_t len);
void sage__patch_clear(struct sage_patch *); // forget the edits
void sage__patches_sort(struct sage_patches *);
void sage__patches_free(struct sage_patches *);

/* ---- company ---- */

struct sage_resource {
    struct sage_company *company;
    int id;
    const struct sage_layout *layout;
    uint32_t count; // size of the index space of generated rows, with holes
    uint64_t seed;
    struct sage_patches patches;
    uint32_t *by_position; // generated rows by (position, key); built at the first use
    uint32_t nby_position;
    bool no_audit;
    bool lacking; // 404 unknown_resource
    bool denied;  // 403 no_task_access
    int vanished_permille;
    int64_t scan_ms;
    uint64_t scan_rows;
};

// Documents by whom they belong to (document.c): start[party] to start[party + 1] of list[].
struct sage_owned {
    uint32_t *start;
    uint32_t *list;
};

struct sage_company {
    struct sage_sim *sim;
    char code[4];
    char *name;
    char epoch[40];
    uint64_t epoch_count;
    uint64_t seed;
    uint32_t customers;
    uint32_t first_contact, second_contact; // of a hundred customers so many have one
    struct sage_owned orders, purchases;
    bool opens;
    char *last_error;
    int64_t session_ms;
    struct sage_resource res[SAGE_RESOURCES];
};

/* ---- generated rows (keys.c, fill.c) ---- */

bool sage__base_exists(const struct sage_resource *, uint32_t index);
void sage__base_key(const struct sage_resource *, uint32_t index, struct sage_key *);
bool sage__base_find(const struct sage_resource *, const struct sage_key *, uint32_t *index);
uint32_t sage__base_lower(const struct sage_resource *, const struct sage_key *); // first index with a key >= it
uint64_t sage__row_seed(const struct sage_resource *, uint32_t index);
int64_t sage__base_position(const struct sage_resource *, uint32_t index);
const char *sage__contact_code(uint64_t customer_seed, int j);
bool sage__contact_exists(const struct sage_company *, uint64_t customer_seed, int j);

struct sage_stamps { // dates 0 and hours -1 when blank
    int created_date, created_t, updated_date, updated_t;
};
void sage__base_stamps(const struct sage_resource *, uint64_t seed, struct sage_stamps *);
// Fills a row: the generated one of an index, or, index NULL, an inserted one from a hash of its key.
void sage__fill(const struct sage_resource *, const uint32_t *index, const struct sage_key *, struct sage_row *);

/* ---- how documents hang together (document.c) ---- */

// The row whose content another one repeats: an order for its history, an invoice for what is open of it; else itself.
struct sage_origin {
    int resource;
    uint32_t index;
    uint64_t seed;
    bool known; // false: an inserted row, with nothing but a seed
};
void sage__origin(const struct sage_resource *, uint32_t index, struct sage_origin *);
int sage__header_of(int lines); // resource of the header of a table of lines
int sage__lines_of_document(const struct sage_resource *header, uint32_t index);
bool sage__owner(const struct sage_company *, const struct sage_origin *, int *party, uint32_t *index); // party: CUSTOMERS or VENDORS
// The order that an AR invoice bills, an index of SALES_ORDER_HISTORY; the purchase order of an AP invoice. False: none.
bool sage__billed(const struct sage_company *, const struct sage_origin *invoice, uint32_t *index);
void sage__owned_free(struct sage_owned *);
const char *sage__invoice_type(uint64_t seed);
const char *sage__order_type(uint64_t seed);
const char *sage__history_status(const struct sage_origin *);
bool sage__open_exists(const struct sage_resource *, uint32_t index);
void sage__open_key(const struct sage_resource *, uint32_t index, struct sage_key *);
bool sage__rows_valid(const char *rows); // "items=4000,contacts=3000"; NULL is valid
void sage__counts(struct sage_company *, const char *rows);

// What a filler looks at.
struct sage_filling {
    const struct sage_resource *res;
    uint64_t seed;  // of the content
    struct sage_origin origin;
    uint64_t party; // of the customer, vendor, ... whom name and address belong to
    bool has_party_key;
    struct sage_key party_key;
    struct sage_stamps stamps;
    int place;
    int status;
};
void sage__fill_party(const struct sage_filling *, const struct sage_column *, uint64_t h, struct sage_row *,
                      struct sage_value *);
// fill_document.c: the fillers from LINE_ITEM on
void sage__fill_document(const struct sage_filling *, const struct sage_column *, struct sage_row *, struct sage_value *);
void sage__fill_ledger(const struct sage_filling *, const struct sage_column *, struct sage_row *, struct sage_value *);
const char *sage__group_code(int group);
uint32_t sage__group_of(const struct sage_company *, uint32_t main_account);
int sage__recent_date(const struct sage_resource *, uint64_t h);
void sage__row_text(struct sage_row *, struct sage_value *, const char *text, size_t len);
void sage__row_number(struct sage_row *, struct sage_value *, int64_t unscaled, int scale);
void sage__row_date(struct sage_row *, struct sage_value *, int date);
int sage__date_add(int date, int days);
int sage__place_of(uint64_t party);

/* ---- rows that exist now (view.c) ---- */

struct sage_hit {
    uint32_t index; // of the base; meaningless when patch && !patch->based
    struct sage_patch *patch;
    int64_t position;
    struct sage_key key;
};
struct sage_iter {
    struct sage_resource *res;
    bool by_position;
    uint32_t base;
    size_t patch;
};
// truth: do not look at vanished_permille.
bool sage__view_find(struct sage_resource *, const struct sage_key *, bool truth, struct sage_hit *);
void sage__view_after_key(struct sage_resource *, const struct sage_key *after, struct sage_iter *); // NULL: all
// Strictly after (position, key); key NULL: before all rows of that position.
void sage__view_after(struct sage_resource *, int64_t position, const struct sage_key *key, struct sage_iter *);
bool sage__view_next(struct sage_iter *, bool truth, struct sage_hit *);
void sage__view_row(struct sage_resource *, const struct sage_hit *, struct sage_row *);
// Counts as a read of the full row: a lock for n reads loses one.
bool sage__view_locked(struct sage_resource *, struct sage_hit *);
struct sage_patch *sage__view_patch(struct sage_resource *, const struct sage_key *); // made when absent
void sage__view_changed(struct sage_resource *, struct sage_patch *); // after edits: position and order
void sage__view_drop(struct sage_resource *);

/* ---- cursor (cursor.c) ---- */

struct sage_cursor {
    bool mid;       // inside a pass
    bool audit;     // positions are stamps
    bool has_key;
    int64_t as_of_ms;
    int offset_minutes;
    int64_t ceiling;
    int64_t position;
    struct sage_key key;
};
enum sage_cursor_verdict { SAGE_CURSOR_OK, SAGE_CURSOR_MALFORMED, SAGE_CURSOR_EXPIRED };
void sage__cursor_write(const struct sage_resource *, const struct sage_cursor *, char out[SAGE_CURSOR_MAX + 1]);
enum sage_cursor_verdict sage__cursor_read(const struct sage_resource *, const char *text, size_t len,
                                           struct sage_cursor *);

/* ---- JSON of rows (render.c) ---- */

void sage__render_row(struct sage_buf *, struct sage_resource *, const struct sage_row *, bool unknown);
void sage__render_schema(struct sage_buf *, const struct sage_resource *, bool unknown);
void sage__render_unknown(struct sage_buf *, bool unknown); // ,"x...":... when asked for

/* ---- the model (sim.c) ---- */

enum sage_endpoint {
#define SAGE_ENDPOINT(id, name, group) SAGE_AT_##id,
#include "endpoints.def"
#undef SAGE_ENDPOINT
    SAGE_ENDPOINTS
};
enum sage_group { SAGE_GROUP_AGENT, SAGE_GROUP_SOAP, SAGE_GROUP_NOWHERE };

enum sage_fault_kind {
#define SAGE_FAULT(id, name, what) SAGE_IS_##id,
#include "faults.def"
#undef SAGE_FAULT
    SAGE_FAULT_KINDS
};

struct sage_rule {
    char *on;
    char *path;
    enum sage_fault_kind kind;
    int skip, times, permille, status;
    bool bounded; // times counts down
    char *code;
    char *message;
    int retry_after_s;
    int64_t delay_ms;
    size_t cut_at_bytes;
    int tag;
};

struct sage_counter {
    uint64_t requests, ok, failed, rows, locked;
};

struct sage_later {
    int64_t at_ms;
    uint64_t order;
    char *json;
};

struct sage_sim {
    struct sage_sim_options opt; // strings owned
    struct sage_zone zone;
    struct sage_layout layouts[SAGE_RESOURCES];
    struct sage_company *companies[SAGE_COMPANIES_MAX];
    size_t ncompanies;
    struct sage_rule *rules;
    size_t nrules;
    uint64_t random;
    uint64_t churn; // a generator of its own, so that replaying commands repeats their events
    struct sage_counter counters[SAGE_ENDPOINTS];
    uint64_t faults_played;
    void (*on_fault)(void *ctx, int tag);
    void *on_fault_ctx;
    struct sage_later *later;
    size_t nlater;
    uint64_t later_order;
    int64_t shift_ms;
    int64_t frozen_ms; // when frozen: the time that counts
    bool frozen;
    int64_t started_ms;
    int page_cap;
    FILE *state;
    bool replaying;
    bool soap_called;
    int64_t soap_last_ms;
    uint64_t next_numbers; // how often a counter was advanced through GetNext...
    uint32_t missing_rights; // bit per endpoint of SOAP: "No Access"
    bool remote_diagnostics;
    int queue;
};

// One request on its way.
struct sage_call {
    struct sage_sim *sim;
    const struct sim_request *req;
    struct sim_response *resp;
    enum sage_endpoint at;
    const struct sage_rule *rule; // the fault to play, or NULL
    bool unknown;                 // of the rule
    int64_t now_ms;
    char *path; // not decoded, without query
    const char *query;
};

struct sage_company *sage__company(struct sage_sim *, const char *code);
struct sage_company *sage__company_make(struct sage_sim *, const char *code, const char *name, uint32_t customers);
void sage__epoch_make(struct sage_company *);
// Heap text of a parameter, percent-decoded; NULL when absent.
char *sage__query(const struct sage_call *, const char *name, size_t *len);

// faults.c
const struct sage_rule *sage__fault_for(struct sage_call *);
// True when the fault answers in place of the endpoint.
bool sage__fault_instead(struct sage_call *);
void sage__fault_after(struct sage_call *);
void sage__rules_clear(struct sage_sim *);
bool sage__fault_add_json(struct sage_sim *, const json_t *command);

// agent.c
enum sage_error {
#define SAGE_ERROR(id, status, code, retryable) SAGE_ERR_##id,
#include "errors.def"
#undef SAGE_ERROR
    SAGE_ERRORS
};
void sage__agent_route(struct sage_call *); // sets at
void sage__agent_answer(struct sage_call *);
void sage__agent_error(struct sage_call *, enum sage_error, const char *message, int retry_after_s);
int sage__error_find(const char *code); // -1

// soap.c, soap_wsdl.c, soap_type.c
void sage__soap_route(struct sage_call *);
void sage__soap_answer(struct sage_call *);
void sage__soap_mas_fault(struct sage_call *, const char *code, const char *message);
void sage__soap_exception(struct sage_call *);

// script.c
void sage__script_answer(struct sage_call *);
void sage__script_due(struct sage_sim *);

#endif
