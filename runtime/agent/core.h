/* core.h - the agent without Windows: requests of protocol v1 in, answers out, for one session on one company (facts/sage-100.md 9).
 *
 *   door (http.sys, token, limits) -> route -> [pipe] -> core: cursor, scan, page, rows -> sage.h -> COM
 *                                  -> report: health and companies, from what the pool knows; Sage is not asked
 *
 * Everything here is portable and is tested and fuzzed on Linux. Not thread safe: one core is one thread's. */
#ifndef AGENT_CORE_H
#define AGENT_CORE_H
#include "agent/config.h"
#include "agent/sage.h"
#include "base/arena.h"

#define AGENT_VERSION        "1.0.0"
#define AGENT_BODY_BYTES     (256u << 10)   /* largest request body: 250 keys of six parts, escaped */
#define AGENT_TARGET_BYTES   (4u << 10)     /* path and query */
#define AGENT_KEY_PARTS      6
#define AGENT_KEY_BYTES      240

struct agent_table {
    const char *resource, *table, *object;
    unsigned nkeys;
    const char *key[AGENT_KEY_PARTS];
    const char *line_table, *line_key;      /* NULL: no lines */
};
enum {
#define KEY(...) 0
#define AGENT_TABLE(resource, table, object, nkeys, key, line_table, line_key) +1
    AGENT_TABLES = 0
#include "agent/table.def"
#undef AGENT_TABLE
#undef KEY
};
extern const struct agent_table agent_tables[AGENT_TABLES];
/* The number of a resource, -1 when protocol v1 has none of that name. */
int agent_table_named(struct str resource);

/* ---- clock of the server, its zone, patience ---- */
struct agent_host {
    int64_t (*wall_ms)(void *ctx);                          /* Unix time */
    int64_t (*mono_ms)(void *ctx);
    void (*sleep_ms)(void *ctx, int64_t ms);
    int (*offset_minutes)(void *ctx, int64_t utc_ms);       /* of the server's zone, east positive */
    int64_t (*instant)(void *ctx, int64_t local_ms);        /* wall time to Unix time; an hour that occurs twice: the first */
    void *ctx;
};

/* ---- errors of the protocol: agent/error.def ---- */
enum agent_error {
#define AGENT_ERROR(id, status, code, retryable) AGENT_E_##id,
#include "agent/error.def"
#undef AGENT_ERROR
    AGENT_ERRORS
};
struct agent_answer {
    int status;
    int retry_after_s;
    struct buf body;             /* JSON; freed by whoever made the answer */
    bool broken;                 /* the session is of no use any more */
    int scanned;                 /* number of the table that this answer scanned, -1 none */
    uint64_t scan_rows, scan_ms, unreadable;
};
/* Makes the answer an error; what it held is dropped. message: UTF-8. retry_after_s 0: left out. */
void agent_fail(struct agent_answer *a, enum agent_error e, struct str message, int retry_after_s);
int agent_error_status(enum agent_error e);

/* ---- route ---- */
enum agent_at { AGENT_AT_NOWHERE, AGENT_AT_HEALTH, AGENT_AT_COMPANIES, AGENT_AT_SCHEMA, AGENT_AT_CHANGED, AGENT_AT_KEYS, AGENT_AT_ROW, AGENT_AT_BATCH,
                AGENT_AT_DESCRIBE };   /* DESCRIBE: between pool and core only, has no path */
struct agent_request { struct str method, path, query, body; };    /* path and query as they came, still percent-encoded, without '?' */
struct agent_route {
    enum agent_at at;
    bool malformed;              /* a percent sign without two digits, a zero byte, no UTF-8 */
    struct str company, resource, key;   /* decoded; in the arena or in the request */
};
/* Never fails: what is no path of the protocol is NOWHERE. */
struct agent_route agent_route_of(const struct agent_request *q, struct arena *a);
/* "Bearer TOKEN" against the token; takes as long whatever the difference. */
bool agent_token_fits(struct str authorization, struct str token);

/* ---- core ---- */
struct agent_core;
/* All pointers must outlive the core. company: three characters. */
struct agent_core *agent_core_new(const struct agent_config *config, struct str company, struct str epoch, const struct agent_sage *sage,
                                  const struct agent_host *host);
void agent_core_free(struct agent_core *c);
/* The answer's body is put into `out`, which the caller clears and frees. */
void agent_core_answer(struct agent_core *c, const struct agent_request *q, struct agent_answer *out);
/* DESCRIBE: {"resources":[...]}: the tables whose objects open. */
void agent_core_describe(struct agent_core *c, struct agent_answer *out);
/* Bytes that the lists of scans hold. */
size_t agent_core_cache_bytes(const struct agent_core *c);
#endif
