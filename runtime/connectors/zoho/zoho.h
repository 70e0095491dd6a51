/* zoho.h - private header of the Zoho CRM target.
 *
 *     zoho.c      settings, open, close, usage, the table          oauth.c    tokens: cache, renewal, first sign-in
 *     call.c      one read call: limits, token, retry, complaint   limits.c   credits, concurrency, slowing down
 *     write.c     batches: start, wait, cure of a 401              classify.c what an answer means per record
 *     lookup.c    COQL, search, list by id                         rows.c     JSON of records, both ways
 *     scan.c      a module from end to end
 *     users.c     the user list as a module                        meta.c     org, modules, fields, count
 *     bulk.c      loads as files: CSV, zip, job, result
 *     shared.c    tokens and limits between processes
 *     check.c     a flow's fields against the metadata             probe.c    sign-in and reach, step by step
 *     describe.c  the metadata as the lock file has it             prepare.c  declared fields against the metadata: what is to be made
 *     make.c      making fields, choices and modules              notify.c   notification channels, and what comes in through them
 *
 *     sync -> write_start -> limits -> oauth -> net_start ... net_wait -> classify -> (401: renew, send once more) -> write_wait
 *
 * Times in state that is saved are wall clock, waits are on the monotonic clock. One thread. */
#ifndef ZOHO_PRIVATE_H
#define ZOHO_PRIVATE_H
#include "base/buf.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/log.h"
#include "connectors/connector.h"
#include "connectors/zoho/classify.h"
#include "net/net.h"

#define ZOHO_BASE            "/crm/v8"
#define ZOHO_HEAVY_CALLS     10             /* facts/zoho-crm.md 8: heavy calls at once, of all processes */
#define ZOHO_LIGHT_RECORDS   10             /* a write of more is heavy; so are COQL and search */
#define ZOHO_WRITERS         10             /* facts/zoho-crm.md 8: batches of 100 under way at once at most */
#define ZOHO_WRITERS_USUAL   8              /* unless the spec says more: people's own programs write too */
#define ZOHO_URL_BYTES       160
#define ZOHO_TOKEN_BYTES     2048
#define ZOHO_TOKENS          10             /* per window, facts 3.5 */
#define ZOHO_TOKEN_WINDOW_MS 600000
#define ZOHO_RENEW_EARLY_MS  300000
#define ZOHO_LIST_FIELDS     50             /* facts 4.5 */
#define ZOHO_LINE_COLUMNS    80             /* of a row of a subform that are looked at */
#define ZOHO_COQL_ROWS       200            /* one credit, facts 8 */
#define ZOHO_LOOKUP_ROWS     2000
#define ZOHO_LOAD_ROWS       25000          /* facts 9: of one file */
#define ZOHO_LOAD_CREDITS    500
#define ZOHO_LOOK_MS         30000          /* between two looks at a job */
#define ZOHO_BULK_BASE       "/crm/bulk/v8"
#define ZOHO_LOAD_SCOPES " ZohoCRM.bulk.ALL ZohoFiles.files.ALL"                  /* unless bulk is switched off */
#define ZOHO_SCOPES "ZohoCRM.modules.ALL ZohoCRM.settings.ALL ZohoCRM.org.READ ZohoCRM.users.READ ZohoCRM.coql.READ ZohoSearch.securesearch.READ"
#define ZOHO_NOTIFY_SCOPES " ZohoCRM.notifications.ALL"                          /* with setting notify_url */

/* ---- editions ---- */
enum zoho_edition {
#define EDITION(name, rank, calls) ZOHO_EDITION_##name,
#define PAID_TYPE(word, edition)
#include "connectors/zoho/editions.def"
#undef EDITION
#undef PAID_TYPE
    ZOHO_EDITION_UNKNOWN
};
struct zoho_edition_facts { const char *name; int rank; unsigned calls; };
extern const struct zoho_edition_facts zoho__editions[];                 /* by enum; UNKNOWN counts as free */
enum zoho_edition zoho__edition_of(struct str paid_type);

/* ---- tokens (oauth.c) ---- */
struct zoho_token {
    char access[ZOHO_TOKEN_BYTES];           /* empty: none */
    int64_t expires_wall_ms;
    char api_domain[ZOHO_URL_BYTES];         /* of the last token answer; empty: none yet */
    char scopes[1024];
    int64_t renewed_wall_ms[ZOHO_TOKENS];    /* calls of the token endpoint, newest last; 0 = free place */
    int64_t blocked_until_wall_ms;           /* the endpoint said: too many requests */
};
struct zoho_oauth {
    struct zoho_token token;
    bool loaded;
    struct fault refusal;                    /* a refusal that only a person can cure ... */
    int64_t refused_until_ms;                /* ... is not asked for again before */
};

/* ---- between processes (shared.c) ---- */
enum { ZOHO_NO_PLACE = -1, ZOHO_ALL_TAKEN = -2 };
struct zoho_shared { bool ready, named; char id[32]; unsigned char key[32]; unsigned next; };

/* ---- limits (limits.c) ---- */
struct zoho_limits {
    struct net_window credits, budget;       /* last 24 h; and per budget.per */
    int64_t budget_calls;                    /* 0: no budget set */
    int64_t remaining, remaining_at_ms;      /* X-API-CREDITS-REMAINING; -1 unknown */
    int64_t quiet_until_ms, quiet_ms;        /* after a 429 */
    int64_t throttled_since_ms;              /* first 429 without a success since; 0 = none */
    int64_t spent_until_ms;                  /* 429s lasted: the credits are spent */
    int64_t unsaved, saved_at_ms;
    unsigned writers;                        /* setting, 0 = by edition */
    uint64_t calls, throttles;
};

/* ---- metadata (meta.c) ---- */
struct zoho_field {
    struct str name, id, data_type, lookup_module, rows_module;      /* rows_module: of a subform */
    int64_t length;                          /* 0 unknown */
    int64_t decimals;                        /* -1 unknown */
    bool unique, case_sensitive, mandatory, read_only, create, update, autonumber, custom;
    struct str *picks, *pick_ids; size_t npicks;      /* without those that are out of use */
};
struct zoho_module {
    struct str name, generated;
    bool supported, creatable, editable, viewable, loaded;
    struct str *profiles; size_t nprofiles;  /* ids of those that see it */
    struct zoho_field *fields; size_t nfields;
};
struct zoho_org { struct str id, zgid, company, type; enum zoho_edition edition; bool trial; struct str trial_expiry; int64_t users; bool known; };
struct zoho_meta { struct arena arena; struct zoho_org org; struct zoho_module *modules; size_t nmodules; bool listed; };

/* ---- writes (write.c) ---- */
struct zoho_flight {
    struct write_batch *batch;               /* NULL: free */
    int64_t cost;
    bool repeated;                           /* after a 401 */
    int place;                               /* shared.c: among the heavy calls of all processes */
    char token[ZOHO_TOKEN_BYTES];            /* that it was sent with */
};

struct zoho_user { struct str id, email, name, status; };
struct zoho_users { struct arena arena; struct zoho_user *list; size_t n; int64_t until_ms; };

struct target {
    const struct conn_env *env;
    struct net *net;
    char pool[64];
    char ca_file[1024];                      /* setting trust; empty: the system's certificates only */
    char accounts_url[ZOHO_URL_BYTES];
    char api_url[ZOHO_URL_BYTES];            /* setting that rules over every api_domain; empty: none */
    char upload_url[ZOHO_URL_BYTES];         /* of bulk writes: setting, else by region; empty: none known */
    char region_api[ZOHO_URL_BYTES];         /* until a token answer names one */
    enum zoho_edition edition;               /* setting, else UNKNOWN until /org was read */
    bool edition_set;
    int64_t connect_ms, read_ms, write_ms;   /* timeouts */
    struct zoho_oauth oauth;
    struct zoho_shared shared;
    struct zoho_limits limits;
    struct zoho_meta meta;
    struct zoho_users users;
    struct zoho_flight flights[ZOHO_WRITERS];
    unsigned nflights;
};

static inline int64_t zoho__wall(const struct target *t) { return world_wall_ms(t->env->world); }
static inline int64_t zoho__mono(const struct target *t) { return world_mono_ms(t->env->world); }
static inline const char *zoho__ca(const struct target *t) { return t->ca_file[0] ? t->ca_file : NULL; }
void zoho__note(const struct target *t, const char *kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* zoho.c */
extern const struct target_ops zoho_target_ops;
/* https://host[:port] or http://loopback[:port]; no path, no user. Copies it without a slash at the end. */
bool zoho__origin(struct str url, char out[ZOHO_URL_BYTES]);
/* Whether an api_domain may receive our token: Zoho's own domains, loopback, or one of setting api_domain_allow. */
bool zoho__domain_allowed(const struct target *t, const char *origin);
/* Where API calls go now. */
const char *zoho__api(const struct target *t);

/* oauth.c. Both make t->oauth.token.access usable or fail: ERR_SECRET (no credentials), ERR_AUTH, ERR_BUSY (limit of the endpoint),
 * ERR_UNREACHABLE, ERR_CONFIG (api_domain that is not allowed). refused: the token that a 401 came back for. */
enum err zoho__token(struct target *t, struct fault *f);
enum err zoho__renew(struct target *t, const char *refused, struct fault *f);
/* Blank-separated scopes of `need` that `have` does not cover ("ZohoCRM.modules.ALL" covers "ZohoCRM.modules.accounts.READ"). */
struct str zoho__missing_scopes(struct str have, struct str need, struct arena *a);
int zoho__renewals(const struct zoho_token *tok, int64_t wall_ms);

/* shared.c */
void zoho__shared_open(struct target *t, const char *refresh_token);
/* Waits for others that renew the token. *fd: for zoho__shared_unlock; -1 where nobody else can be there. ERR_BUSY, ERR_STOPPED, ERR_IO. */
enum err zoho__shared_lock(struct target *t, int *fd, struct fault *f);
void zoho__shared_unlock(struct target *t, int fd);
/* The token's state, when a directory is shared; false when there is none that can be opened. */
bool zoho__shared_load(struct target *t, struct arena *a, struct str *out);
enum err zoho__shared_save(struct target *t, struct str text, struct fault *f);
/* A place for a heavy call, ZOHO_NO_PLACE where none is needed, ZOHO_ALL_TAKEN. */
int zoho__place_take(struct target *t);
void zoho__place_give(struct target *t, int place);
unsigned zoho__places(const struct target *t);

/* limits.c */
/* ERR_IO when the disk does not give the count that was saved. */
enum err zoho__limits_open(struct target *t, struct fault *f);
void zoho__limits_close(struct target *t);
/* Counts cost, or ERR_BUDGET / ERR_BUSY (quiet after a 429) and nothing is counted. */
enum err zoho__limits_take(struct target *t, int64_t cost, struct fault *f);
void zoho__limits_give_back(struct target *t, int64_t cost);
/* Looks at an answer's headers and status. */
void zoho__limits_answer(struct target *t, const struct http_res *res);
int64_t zoho__quiet_ms(const struct target *t);
unsigned zoho__writers(const struct target *t);

/* call.c */
struct zoho_call {
    const char *what, *method, *path;
    struct str body; int64_t cost;
    const char *url;                         /* the whole address, where it is not path behind /crm/v8; path is "" then */
    const char *content_type;                /* of a body that is no JSON */
    const struct http_header *more; size_t nmore;
};
/* path begins behind /crm/v8 and is already encoded. OK: a 2xx; empty only with 204. Repeats what may be repeated: only for calls that change nothing. */
enum err zoho__call(struct target *t, const struct zoho_call *c, struct arena *a, struct http_res *res, struct fault *f);
/* Fills h[0..2]; the value of Authorization goes to auth. */
size_t zoho__headers(const struct target *t, bool body, struct buf *auth, struct http_header *h);

/* A call that changes something: sent once, but for a 401 (applied nothing, facts 3.7). *res is the answer whatever its status; ERR_AMBIGUOUS when
 * there is none: look before doing it again. */
enum err zoho__change(struct target *t, const struct zoho_call *c, struct arena *a, struct http_res *res, struct fault *f);

/* rows.c */
void zoho__put_batch(struct buf *out, const struct write_batch *b);
struct zoho_row { struct str id; struct record fields; };
struct zoho_rows { struct zoho_row *row; size_t n; bool more; };
/* {"data":[...],"info":{...}} of COQL, list and search. Kinds by the module's metadata (m may be NULL: by the JSON alone). ERR_PROTOCOL. */
enum err zoho__get_rows(struct str body, const struct zoho_module *m, struct arena *a, struct zoho_rows *out, struct fault *f);

/* meta.c */
enum err zoho__org(struct target *t, struct fault *f);
enum err zoho__modules(struct target *t, struct fault *f);
struct zoho_module *zoho__module(struct target *t, struct str name);          /* after zoho__modules; NULL when absent */
/* The module with its fields, read on first use. ERR_CONFIG when there is no such module. */
enum err zoho__fields(struct target *t, struct str module, struct zoho_module **out, struct fault *f);
const struct zoho_field *zoho__field(const struct zoho_module *m, struct str name);
/* Modules and fields are read anew at their next use; what was handed out stays readable. */
void zoho__forget(struct target *t);
/* The modules that come with Zoho CRM (facts/zoho-crm.md 4), in no order; empty behind the last. */
struct str zoho__standard_module(size_t i);

/* make.c. Each makes one thing; *why gets a sentence when it was refused (ERR_REJECTED), else the error is one of the call itself. */
struct zoho_wish {
    struct str module, field;
    struct type type;
    bool unique;
    struct str link_module;
};
/* Zoho's data_type for a field that is to be made, or NULL with the reason and the way out in *why. */
const char *zoho__make_type(const struct zoho_wish *w, struct arena *a, const char **why);
enum err zoho__make_module(struct target *t, struct str name, struct arena *a, const char **why, struct fault *f);
/* *id: of the new field. */
enum err zoho__make_field(struct target *t, const struct zoho_wish *w, struct arena *a, struct str *id, const char **why, struct fault *f);
/* Changes of a field that is there; each flag asks for one, and one call is made. */
struct zoho_change { const struct str *values; size_t nvalues; int64_t length; bool unique; };
enum err zoho__change_field(struct target *t, struct str module, const struct zoho_field *z, const struct zoho_change *ch, struct arena *a, const char **why,
                            struct fault *f);

/* users.c */
bool zoho__is_users(struct str module);
enum err zoho__users_lookup(struct target *t, struct str field, const struct str *values, size_t n, const struct str *want, size_t nwant,
                            struct arena *a, struct lookup_hit **hits, size_t *nhits, struct fault *f);

/* notify.c */
enum err zoho__watch(struct target *t, const struct watch_wish *wish, size_t n, struct arena *a, struct watch_turn *out, struct fault *f);
enum err zoho__watch_token(struct target *t, struct arena *a, struct str *out, struct fault *f);
enum err zoho__told(struct str token, struct str body, struct arena *a, struct target_told *out, struct fault *f);
void zoho__probe_channels(struct target *t, void (*say)(void *ctx, enum finding_level level, const char *text), void *ctx);

/* bulk.c */
size_t zoho__load_rows(const struct target *t);
void zoho__load_choice(struct target *t, uint64_t records, struct load_choice *out);
enum err zoho__load_new(struct target *t, struct str module, const struct target_field *fields, size_t n, struct load **out, struct fault *f);
bool zoho__load_add(struct load *l, const struct record *fields);
size_t zoho__load_count(const struct load *l);
void zoho__load_free(struct load *l);
enum err zoho__load_upload(struct target *t, struct load *l, struct arena *a, struct str *file, struct fault *f);
enum err zoho__load_start(struct target *t, const struct load *l, struct str file, struct arena *a, struct str *job, struct fault *f);
enum err zoho__load_look(struct target *t, struct str job, struct arena *a, enum load_state *state, struct str *result, struct fault *f);
enum err zoho__load_result(struct target *t, struct str where, struct str key_field, void (*each)(void *ctx, struct str key, struct write_item *it), void *ctx,
                           uint64_t *lines, struct fault *f);

/* operations */
enum err zoho__count(struct target *t, struct str module, int64_t *n, struct fault *f);
enum err zoho__lookup(struct target *t, struct str module, struct str field, const struct str *values, size_t n, const struct str *want,
                      size_t nwant, struct arena *a, struct lookup_hit **hits, size_t *nhits, struct fault *f);
enum err zoho__read(struct target *t, struct str module, const struct str *ids, size_t n, const struct str *want, size_t nwant,
                    struct arena *a, struct lookup_hit **hits, size_t *nhits, struct fault *f);
/* scan.c: a module from end to end. */
enum err zoho__scan(struct target *t, struct str module, struct str field, struct str after, const struct str *want, size_t nwant, struct arena *a,
                    struct lookup_hit **hits, size_t *nhits, bool *more, struct fault *f);
enum err zoho__write_start(struct target *t, struct write_batch *b, struct fault *f);
enum err zoho__write_wait(struct target *t, int64_t timeout_ms, struct write_batch **done, struct fault *f);
/* Whether values of a type can go into a field of Zoho's data_type at all. */
bool zoho__type_goes(const struct type *t, struct str data_type);
enum err zoho__check(struct target *t, const struct target_field *fields, size_t n, const struct finding_sink *sink, struct fault *f);
enum err zoho__describe(struct target *t, const struct str *modules, size_t n, struct arena *a, struct str *edition, const struct describe_sink *sink,
                        struct fault *f);
enum err zoho__prepare(struct target *t, const struct target_field *fields, size_t n, bool make, const struct make_sink *sink, struct fault *f);
enum err zoho__probe(struct target *t, const struct finding_sink *sink, struct fault *f);
#endif
