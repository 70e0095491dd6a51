/* sage.h - what the files of this room share.
 *
 *   sage.c        the struct of functions; which door answers which question
 *   settings.c    settings of the source block -> struct sage_settings, all problems at once
 *   agent.c       one call of agent protocol v1: address, token, retry, table of errors
 *   agent_read.c  page, fetch, keys over the agent: requests, checks across the answer
 *   agent_json.c  rows and keys out of a JSON answer, straight into source_row
 *   history.c     why a sales order is gone
 *   xml.c         a bounded tree out of untrusted XML, by libxml2; xml_plain.c out of what ordinary answers are made of, xml_name.c their names
 *   contract.c    WSDL and schemas -> names, namespaces, order of elements
 *   soap.c        one call: envelope, faults, retry
 *   soap_row.c    a reply -> source_row, content hash
 *   soap_read.c   fetch, page and keys over SOAP
 *   key_file.c    which keys it reads: of a file; key_call.c of an operation that this site has
 *   probe.c       the agent's door step by step; probe_soap.c the other
 *
 *   agent:  bytes --json_next--> source_row (arena of the page)       nothing else is kept
 *   soap:   bytes --xml_read--> tree --> source_row
 *
 * Secrets stand in struct sage_settings only; close wipes them. */
#ifndef SAGE_SAGE_H
#define SAGE_SAGE_H
#include "base/hash.h"
#include "base/limits.h"
#include "connectors/connector.h"
#include "net/net.h"

#define SAGE_PAGE_ROWS 250            /* facts/sage-100.md 9.3: the agent's own default */
#define SAGE_SOAP_PAGE_ROWS 50        /* one call a row: a page stays under a minute */
#define SAGE_KEYS_PAGE 5000
#define SAGE_OWN_CURSOR "~mlc-keys~"  /* our positions in a key file start so; no agent ever gave us such a cursor */
#define SAGE_HELD 32                  /* keys whose retryAfter we remember */

struct sage_entity {
    const char *table, *resource, *operation;      /* operation NULL: not over SOAP */
    const char *key[LIMIT_KEY_PARTS]; size_t nkeys;
};
const struct sage_entity *sage100__entity(struct str table);      /* NULL when unknown */
const struct sage_entity *sage100__entities(size_t *n);

struct sage_list_operation { const char *table, *operation; };
#define SAGE_LISTS_MAX 8              /* tables that SOAP can read */
struct sage_settings {
    const char *agent_url;            /* without the trailing slash and "/v1"; NULL: no such door */
    const char *authorization;        /* "Bearer ..." */
    const char *soap_url;             /* service file, without "?wsdl" */
    struct str user, password;
    const char *trust;                /* path of a PEM file, or NULL */
    int64_t connect_ms, read_ms;
    unsigned page_rows, soap_page_rows;
    struct net_policy busy;           /* repeats on 429, 502, 503 and "An exception occurred." */
    const char *soap_namespace, *soap_data_namespace, *soap_action;   /* overrides, NULL: from the WSDL, else the known defaults */
    const char *soap_logon;           /* "user,password" or "password,user" */
    const char *soap_null_date;
    const char *wsdl_url;             /* NULL: soap_url + "?wsdl" */
    bool no_wsdl;
    struct sage_list_operation lists[SAGE_LISTS_MAX]; size_t nlists;
};
/* Every problem in one sentence each, joined by "; ": ERR_CONFIG. Memory from life. */
enum err sage100__settings(const struct conn_env *env, struct arena *life, struct sage_settings *out, struct fault *f);
/* The key file that belongs to the entity, or NULL: setting "keys.TABLE.file", else "keys". */
const char *sage100__key_file(const struct source *s, const struct sage_entity *e, struct arena *a);

/* The operation that lists the entity's keys: setting "keys.TABLE.operation"; NULL: none. */
const char *sage100__list_operation(const struct source *s, const struct sage_entity *e);
/* True when a key file or a list operation says which keys SOAP reads. */
bool sage100__has_key_list(const struct source *s, const struct sage_entity *e);

struct sage_held { struct hash key; int64_t until_ms; };   /* monotonic; 0 = free */
struct sage_last { enum http_outcome outcome; int status; int64_t connect_ms, tls_ms, elapsed_ms; };   /* for the probe: how far the last call came */
struct sage_soap_contract;
struct sage_soap_key_list;
struct xml_parser;
struct source {
    struct arena life;                /* settings and this struct: from open to close */
    struct arena contract_arena, keys_arena, scratch;
    struct conn_env env;
    struct net *net;
    struct sage_settings set;
    const char *agent_pool, *soap_pool;
    struct sage_held held[SAGE_HELD]; unsigned held_next;
    struct sage_soap_contract *contract;          /* NULL until the first call */
    struct sage_last last;
    struct sage_soap_key_list *key_list;          /* of the key file read last */
    struct xml_parser *xml;                       /* of SOAP answers; NULL until the first */
};

/* ---- text ---- */
/* Copies a message of the other side for a person: control bytes become blanks, at most max bytes, cut at a code point. */
const char *sage100__clean(struct arena *a, struct str s, size_t max);
/* The key as people write it: parts joined by "~". */
const char *sage100__key_print(struct arena *a, const struct source_key *k);
bool sage100__key_eq(const struct source_key *a, const struct source_key *b);
int sage100__key_cmp(const struct source_key *a, const struct source_key *b);      /* part by part as bytes: 9.4 rule 1 */
/* Asked-for keys and whether an answer named them: finds double, foreign and forgotten ones. */
struct sage_key_set { const struct source_key *keys; size_t n; uint32_t *slot; uint32_t mask; unsigned char *seen; };
void sage100__key_set(struct sage_key_set *set, const struct source_key *keys, size_t n, struct arena *a);
/* Index of the first equal key, or SIZE_MAX. */
size_t sage100__key_find(const struct sage_key_set *set, const struct source_key *k);

/* ---- agent ---- */
struct sage_agent_error { int status; const char *code; bool repeat; enum err err; const char *advice; };
struct sage_agent_reply {
    struct http_res res;
    const struct sage_agent_error *error;  /* NULL for 2xx, and for an answer that is not in the table */
    int64_t retry_after_ms;           /* 0 = not said */
};
/* A call with the token; path starts with "/v1". OK for 2xx only; else the error of the table with the agent's message and our advice in f,
 * ERR_UNREACHABLE (res.connect_ms and tls_ms tell how far it came), ERR_BUSY, ERR_TOO_LARGE, ERR_STOPPED, ERR_PROTOCOL. */
enum err sage100__agent_call(struct source *s, const char *what, const char *method, const char *path, struct str body, const struct net_policy *policy,
                     struct arena *a, struct sage_agent_reply *out, struct fault *f);
/* "/v1/companies/ABC/customers" */
const char *sage100__agent_path(struct arena *a, struct str company, const struct sage_entity *e);
bool sage100__agent_cursor_ok(struct str cursor);                                       /* 9.4 rule 4: alphabet and length */

enum err sage100__agent_page(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str cursor, struct arena *a,
                     struct source_page *out, struct fault *f);
enum err sage100__agent_fetch(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct source_key *keys, size_t nkeys,
                      struct arena *a, struct source_page *out, struct fault *f);
enum err sage100__agent_keys(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str after, struct arena *a,
                     struct source_page *out, struct fault *f);

/* history.c: of the orders that are missing, what their history says; fills out->missing_sign. */
enum err sage100__signs(struct source *s, const struct sage_entity *e, struct str company, struct arena *a, struct source_page *out, struct fault *f);

/* ---- JSON of the agent (agent_json.c) ---- */
/* What an answer may hold and how much of it; the rest of struct source_page is filled as far as the members are there. */
enum sage_agent_shape { AGENT_PAGE, AGENT_KEYS, AGENT_BATCH, AGENT_ROW };
/* ERR_PROTOCOL names the member and the byte offset. limit: rows + locked (+ missing) together. Texts are spans of body where they can be. */
enum err sage100__agent_json(enum sage_agent_shape shape, const struct source_query *q, size_t nkeys, struct str body, size_t limit, struct arena *a,
                    struct source_page *out, struct fault *f);
/* {"error":{...}}: code, message, retryAfter; false when body is nothing of that kind. */
bool sage100__agent_json_error(struct str body, struct arena *a, struct str *code, struct str *message, int64_t *retry_after_ms);

/* ---- SOAP ---- */
enum err sage100__soap_page(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str cursor, struct arena *a,
                    struct source_page *out, struct fault *f);
enum err sage100__soap_fetch(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct source_key *keys, size_t nkeys,
                     struct arena *a, struct source_page *out, struct fault *f);
enum err sage100__soap_keys(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str after, struct arena *a,
                    struct source_page *out, struct fault *f);

/* ---- probe ---- */
struct sage_probe {
    struct source *s;
    const struct source_query *q; size_t nq;
    const struct finding_sink *sink;
    struct arena *a;
    enum err worst; char first[400];          /* the first failure, for the caller */
};
void sage100__probe_say(struct sage_probe *p, enum finding_level level, int64_t elapsed_ms, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Reach, TLS and the rest of a failed first call, by how far it came. url decides whether there is TLS at all. */
void sage100__probe_unreached(struct sage_probe *p, const char *door, const char *url, const char *why, enum err e);
void sage100__probe_agent(struct sage_probe *p);
void sage100__probe_soap(struct sage_probe *p);
/* describe.c: see source_ops.describe. The agent only. */
enum err sage100__describe(struct source *s, const struct source_query *q, size_t nq, const struct describe_sink *sink, struct fault *f);
/* Which door the query takes: "agent", "soap", or NULL with the reason in f. */
const char *sage100__door(const struct source *s, const struct source_query *q, struct fault *f);
#endif
