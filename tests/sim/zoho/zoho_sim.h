/*
 * zoho_sim.h: a model of Zoho CRM v8, as far as a sync engine can notice it (facts/zoho-crm.md 2 to 8, 12, 13).
 *
 *     struct zoho_sim *sim = zoho_sim_open(&options, why, sizeof why);
 *     struct sim_model model = zoho_sim_model(sim);     in process: model.handle(model.self, &req, &resp)
 *                                                       over HTTP:  sim_door_open(&(struct sim_mount){"", model}, ..)
 *
 * Deterministic: same data file, same requests, same clock -> same answers, ids and tokens. Not thread-safe: the door
 * calls it under its lock.
 *
 * What is not confirmed about Zoho is a switch (ZOHO_SIM_SWITCHES); the default is the reading that hurts a careless
 * client most, or the one that the fact sheet calls usual. Organisation, users, modules and fields come from a data
 * file (data/professional.json).
 *
 * Inspection over HTTP, no Authorization, never counted or faulted:
 *     GET  /__sim/dump?module=M[&sort=F]      all live records, as GET by id shows them
 *     GET  /__sim/counters                    see zoho_sim_counters
 *     GET  /__sim/writes?module=M&id=ID       {"updates","noops"}
 *     POST /__sim/seed    {"module":M,"records":[..]}            -> {"ids":[..]}
 *     POST /__sim/edit    {"module":M,"id":ID,"record":{..}}     a person changes a record
 *     POST /__sim/delete  {"module":M,"id":ID,"permanent":false}
 *     POST /__sim/faults  [rules]             appended; DELETE /__sim/faults clears
 *     POST /__sim/switch  {"name":value,..}
 *     POST /__sim/clock   {"skew_ms":N}       from now on the model's clock is the given one plus N
 *     POST /__sim/spend   {"credits":N}
 *     POST /__sim/expire_tokens  {}
 *     POST /__sim/forget_channels {}                          all notification channels are gone
 *     POST /__sim/change_domain  {"to":URL}
 */
#ifndef ZOHO_SIM_H
#define ZOHO_SIM_H

#include "../sim.h"

#include <stdbool.h>
#include <stdio.h>

// name, default, meaning of 1 (or the unit)
#define ZOHO_SIM_SWITCHES(X)                                                                                           \
    X(case_sensitive_text, 0, "COQL and unique checks by name compare text with case")                                 \
    X(lenient_picklists, 0, "unknown picklist values are accepted")                                                    \
    X(accept_number_strings, 0, "\"12\" is taken for a number")                                                        \
    X(refuse_read_only, 0, "a read-only field in a record is INVALID_DATA; else ignored")                              \
    X(refuse_unknown_fields, 0, "an unknown field is INVALID_DATA; else dropped")                                      \
    X(round_decimals, 0, "too many decimals are rounded; else INVALID_DATA")                                           \
    X(noop_keeps_modified, 0, "an update that changes nothing leaves Modified_Time")                                   \
    X(multi_errors, 1, "several errors in a record are reported together; else the first")                             \
    X(strict_phone, 0, "phone fields take digits, letters, + . - ( ) , ; and blanks only")                             \
    X(strict_website, 0, "website fields need a dotted host name")                                                     \
    X(lines_may_be_empty, 1, "[] may delete all rows of a mandatory subform")                                          \
    X(max_rows, 200, "rows per subform")                                                                               \
    X(coql_where_optional, 0, "a query without where is answered")                                                     \
    X(coql_pairs_only, 0, "three conditions in a row need parentheses")                                                \
    X(coql_lookup_names, 0, "COQL shows the name of a lookup, not only its id")                                        \
    X(search_equals_exact, 0, "equals in search compares whole text; else it acts as contains")                        \
    X(search_lag_ms, 3000, "search does not see records younger than this, ms")                                        \
    X(token_throttle_status, 200, "HTTP status of the throttled token endpoint")                                       \
    X(credits_on_429, 0, "a refused call costs credits too")                                                           \
    X(choices_replace, 1, "the choices in a change of a field are the list as it shall be; else they are added")        \
    X(unique_fields, 0, "fields without duplicates that a module may have; 0: any number")                              \
    X(fields_lag, 0, "so many descriptions of a module's fields do not show the newest field yet")                      \
    X(watch_grant_s, 0, "a notification channel lives so many seconds at most; 0: what the documentation says")          \
    X(watch_lose, 0, "every so many-th notification is lost; 0: none")                                                  \
    X(bulk_ms, 60000, "a bulk write job runs so many ms after it was made")                                             \
    X(bulk_unprocessed, 0, "a job leaves every so many-th row UNPROCESSED; 0: none")                                     \
    X(latency_ms, 0, "delay of every answer, ms")                                                                      \
    X(latency_record_us, 0, "delay per written record, microseconds")

struct zoho_sim;

struct zoho_sim_options {
    const char *data_path;  // required
    const char *edition;    // free standard professional enterprise ultimate; NULL: the data file's
    const char *api_domain; // NULL: "http://" + Host of the token request, and every host is accepted
    const char *faults;     // JSON list (faults.c), NULL: none
    const char *switches;   // JSON object name -> number or boolean, NULL: defaults
    struct sim_clock clock;
    FILE *log; // one line per call: ms method target status credits-left fault; NULL: none
    FILE *secrets; // one line per secret given out or taken in: "access-token T", "channel-token T"; NULL: none
};

// NULL with a reason in `why`.
struct zoho_sim *zoho_sim_open(const struct zoho_sim_options *, char *why, size_t why_size);
void zoho_sim_close(struct zoho_sim *);
struct sim_model zoho_sim_model(struct zoho_sim *);

// Appends rules to the script. False with a reason: nothing was added.
bool zoho_sim_faults(struct zoho_sim *, const char *json, char *why, size_t why_size);
void zoho_sim_faults_clear(struct zoho_sim *);
bool zoho_sim_switch(struct zoho_sim *, const char *name, int64_t value);

// A record that was there before. Same rules as an insert; `id` (24 bytes, may be NULL) receives its id.
bool zoho_sim_seed(struct zoho_sim *, const char *module, const char *record_json, char *id, char *why,
                   size_t why_size);
// A person changes a record in the browser: Modified_By is the second active user. "$locked": true|false locks it.
bool zoho_sim_edit(struct zoho_sim *, const char *module, const char *id, const char *record_json, char *why,
                   size_t why_size);
bool zoho_sim_delete(struct zoho_sim *, const char *module, const char *id, bool permanent);

// Heap JSON text, the caller frees. `sort_field` NULL: by id. NULL for an unknown module.
char *zoho_sim_dump(struct zoho_sim *, const char *module, const char *sort_field);
// As GET by id shows it; NULL when there is none.
char *zoho_sim_record(struct zoho_sim *, const char *module, const char *id);
size_t zoho_sim_count(struct zoho_sim *, const char *module);

// Heap JSON text: {"calls":{op:n},"statuses":{"200":n},"credits_spent","credits_limit","tokens_issued",
// "inserts","updates","noop_updates","deletes","failed_records","writes_with_triggers","max_in_flight","faults":n}.
// inserts to failed_records count records written by clients, not seeds and edits.
char *zoho_sim_counters(struct zoho_sim *);

struct zoho_sim_writes {
    uint32_t updates; // that changed something
    uint32_t noops;   // that changed nothing
};
bool zoho_sim_writes(struct zoho_sim *, const char *module, const char *id, struct zoho_sim_writes *);

// A fresh access token of the first refresh token, outside of the throttle. Heap, the caller frees.
char *zoho_sim_issue_token(struct zoho_sim *);
void zoho_sim_expire_tokens(struct zoho_sim *);
// From now on token answers carry `to`, and calls to the former domain are refused (401).
void zoho_sim_change_domain(struct zoho_sim *, const char *to);
void zoho_sim_spend(struct zoho_sim *, int64_t credits);
void zoho_sim_skew(struct zoho_sim *, int64_t skew_ms);

// Where notifications go: called once for each, at the end of the call that caused it. NULL: nowhere.
void zoho_sim_deliver(struct zoho_sim *, void (*deliver)(void *ctx, const char *url, const char *body), void *ctx);
void zoho_sim_fail_jobs(struct zoho_sim *); // bulk write jobs that have not run yet
size_t zoho_sim_channels(struct zoho_sim *); // that live now
void zoho_sim_regrant(struct zoho_sim *); // an administrator lets every refresh token live again

// What happened to a record, told when it is stored: for a judge who keeps his own record.
struct zoho_sim_change {
    const char *module, *id;
    bool inserted, same; // same: an update without effect
    bool client; // else a person
    bool late;   // by a request that took effect late, or for the second time
};
void zoho_sim_on_change(struct zoho_sim *, void (*told)(void *ctx, const struct zoho_sim_change *), void *ctx);
// A rule with "tag": N struck.
void zoho_sim_on_fault(struct zoho_sim *, void (*told)(void *ctx, int tag), void *ctx);
// Credits spent in the last 24 hours.
int64_t zoho_sim_spent(const struct zoho_sim *);
void zoho_sim_forget_channels(struct zoho_sim *);

#endif
