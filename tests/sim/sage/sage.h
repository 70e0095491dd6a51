/*
 * sage.h: a model of Sage 100 for tests, with its two doors:
 *
 *     the agent    GET/POST /v1/...            facts/sage-100.md section 9, whole
 *     SOAP         /ebusinesswebservices/...   facts/sage-100.md section 3 (read operations, WSDL, faults)
 *     the script   POST /__sim/NAME            faults, edits, locks, clock; and GET /__sim/counters, /__sim/row
 *
 * Rows are not stored. A row is a function of (seed, table, index); what a test changes lies over it as a patch. So a
 * company of a million customers costs a few megabytes (one sorted index, built at the first poll), and the same seed
 * always gives the same company. The model reads the clock that it was given and nothing else of the machine.
 *
 * Keys of rows are written here as in the URLs of the agent protocol, before percent-encoding: "01~ABF".
 * Not thread safe; door.h serialises calls.
 *
 * Where the fact sheet leaves a choice, the model chose (each can be argued with, none is known from a live system):
 *   - the `updated` member of a row repeats DateUpdated and TimeUpdated; the position takes the later of both stamps;
 *   - a stamp date that is not eight digits counts as blank for the position;
 *   - with two faults at once in a cursor, another epoch (410) wins over another resource (400);
 *   - SOAP: unknown company is CI_NOF, a refused logon carries the code of sage_soap_names.logon_code.
 */
#ifndef SAGE_H
#define SAGE_H

#include "../sim.h"

#include <stdbool.h>
#include <stdio.h>

struct sage_sim;

// How a blank element looks in SOAP answers: facts/sage-100.md 3.2 and 3.3 leave it open.
enum sage_soap_blank { SAGE_BLANK_EMPTY, SAGE_BLANK_NIL, SAGE_BLANK_OMITTED };

// Every name that section 3.3 of the fact sheet calls unconfirmed. Strings stay the caller's until sage_sim_new returned.
struct sage_soap_names {
    const char *service_ns;
    const char *data_ns;
    const char *contract;      // IMasService: part of SOAPAction
    const char *path;          // of the service file
    const char *action_format; // NULL: <service_ns>/<contract>/<operation>; else one %s for the operation
    const char *logon_code;    // error code of a refused logon
    const char *null_date;     // ContractInformation.NullDateTime
    bool username_first;       // order of the members of logon; false: alphabetical, Password first
    bool split_wsdl;           // WSDL in two files with wsdl:import
    bool lists;                // an add-on offers ListCustomers, ListCustomerContacts, ListSalesOrders
    enum sage_soap_blank blank;
};

struct sage_sim_options {
    uint64_t seed;
    uint32_t customers; // at most 4,000,000
    const char *rows; // of other resources, first company: "sales-orders=10000,items=4000"; NULL: in proportion to the customers
    const char *company; // three characters
    const char *company_name;
    const char *token;
    const char *user;
    const char *password;
    const char *tz; // name of a zone known to zone.c, or a POSIX rule such as CST6CDT,M3.2.0,M11.1.0
    int overlap_minutes;
    int history_end; // YYYYMMDD: no generated stamp is later
    bool no_agent;
    bool no_soap;
    bool divisions_off; // all customers in division 00
    int64_t soap_cold_ms; // how much slower the first SOAP call after soap_idle_ms of silence is
    int64_t soap_idle_ms;
    struct sage_soap_names soap;
    struct sim_clock clock;
    FILE *log; // one JSON line per request; stays the caller's
};

// Seed 1, 1000 customers, company ABC, America/Chicago, overlap 10 minutes, the real clock.
void sage_sim_options_default(struct sage_sim_options *);

// NULL, with a line on stderr, when the options make no sense. Copies the strings.
struct sage_sim *sage_sim_new(const struct sage_sim_options *);
void sage_sim_free(struct sage_sim *);
struct sim_model sage_sim_model(struct sage_sim *);

// A second company with its own rows; the same users and resources. False: code taken, malformed, or too many.
bool sage_sim_add_company(struct sage_sim *, const char *code, const char *name, uint32_t customers);

// One script command, {"do":"NAME",...}; script.def lists them. *answer (may be NULL) is a heap JSON text, with
// {"error":"..."} when false is returned.
bool sage_sim_do(struct sage_sim *, const char *json, char **answer);

// A file of such commands, one a line; empty lines and lines that start with # are skipped. A command with "after_ms"
// runs when the model's clock has moved that far, before the next request. False, with a line on stderr.
bool sage_sim_script(struct sage_sim *, const char *path);

// Writes every command that changes the company to this file, and first replays what is already in it: a restart
// of the process keeps its company. Typed calls are not written; a script is played again. False, with a line on stderr.
bool sage_sim_state(struct sage_sim *, const char *path);

/* Life of a company, typed. All return false when company, resource, key or column is unknown. */

enum sage_stamping { SAGE_STAMP_KEPT, SAGE_STAMP_NOW }; // does a change move DateUpdated, TimeUpdated, UserUpdatedKey

// value NULL or "" = blank. The value is right-trimmed and checked against the column's length in characters.
bool sage_sim_edit(struct sage_sim *, const char *company, const char *resource, const char *key, const char *column,
                   const char *value, enum sage_stamping);
// Sets the raw updated stamp; "" or NULL = blank. With both parts of created_too the created stamp as well.
bool sage_sim_stamp(struct sage_sim *, const char *company, const char *resource, const char *key, const char *date,
                    const char *time, bool created_too);
// A new row (or a deleted one again) with generated content and the given stamp; date NULL: now.
bool sage_sim_insert(struct sage_sim *, const char *company, const char *resource, const char *key, const char *date,
                     const char *time);
bool sage_sim_delete(struct sage_sim *, const char *company, const char *resource, const char *key);
// A sales order that is completed (C) or deleted (X, a quote Z): it leaves sales-orders, and its row in sales-order-history says how.
bool sage_sim_close_order(struct sage_sim *, const char *company, const char *key, const char *status);
// Locked for the next `reads` reads of the full row and, besides, for the next `for_ms`. Zeroes unlock.
bool sage_sim_lock(struct sage_sim *, const char *company, const char *resource, const char *key, int reads,
                   int64_t for_ms);
// Hides that many rows of a thousand (1000: an empty table) without deleting them; 0 shows them again.
bool sage_sim_vanish(struct sage_sim *, const char *company, const char *resource, int permille);
bool sage_sim_renew_epoch(struct sage_sim *, const char *company);
// The process of the server starts anew: caches, statistics and sessions go, rows, epoch and faults stay.
void sage_sim_restart(struct sage_sim *);
// Somebody gives the agent another token; the one before is refused from now on.
void sage_sim_change_token(struct sage_sim *, const char *token);
void sage_sim_shift_clock(struct sage_sim *, int64_t by_ms);
int64_t sage_sim_now_ms(const struct sage_sim *);

/* Faults. The first rule that fits a request is played, once per request. */

struct sage_fault {
    const char *on;   // endpoint of endpoints.def, "agent", "soap" or "any"
    const char *kind; // fault of faults.def
    const char *path; // NULL, or a text that the target must hold: "/contacts", "since="
    int skip;         // let this many fitting requests pass first
    int times;        // 0: for ever
    int permille;     // 0: every fitting request; else by the model's own generator
    int status;       // kind status
    const char *code; // kind status, soap_fault
    const char *message;
    int retry_after_s; // 0: none
    int64_t delay_ms;
    size_t cut_at_bytes; // 0: half of the body
    int tag; // told when it is played (sage_sim_on_fault); 0: not
};
bool sage_sim_fault(struct sage_sim *, const struct sage_fault *);
void sage_sim_clear_faults(struct sage_sim *);
void sage_sim_on_fault(struct sage_sim *, void (*told)(void *ctx, int tag), void *ctx);

/* Inspection: the truth behind the doors. No lock, fault or vanishing applies. */

// The row object of the agent protocol; heap; NULL when there is no such row.
char *sage_sim_row(struct sage_sim *, const char *company, const char *resource, const char *key);
// Raw value of one column (barred ones too); heap; NULL when absent or blank-as-null.
char *sage_sim_value(struct sage_sim *, const char *company, const char *resource, const char *key,
                     const char *column);
// Calls back with every key in ascending order until false; returns how many keys there were.
size_t sage_sim_each_key(struct sage_sim *, const char *company, const char *resource,
                         bool (*each)(void *ctx, const char *key), void *ctx);
// Requests that arrived at an endpoint (a name of endpoints.def, "agent", "soap" or "any").
uint64_t sage_sim_count(const struct sage_sim *, const char *endpoint);
// Heap JSON: requests and statuses per endpoint, rows delivered, locked keys delivered, faults played.
char *sage_sim_counters(const struct sage_sim *);

#endif
