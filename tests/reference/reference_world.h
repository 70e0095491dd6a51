/* reference_world.h - what Zoho should hold, given what Sage holds and a spec: computed through the reference evaluator, never through the vm, and compared
 * with what Zoho holds. For end-to-end runs, whose models give their state as JSON.
 *
 *   spec + rows of Sage's tables + dumps of Zoho's modules -world_compare-> a line a difference, and counts
 *
 * It sees one moment, not the history. So it does not judge: fields of `once` (people's), fields that a rule keeps, records of rows that are set aside (what
 * they were before is as good), and rows that never became records before they left. A record that waits for another one is no difference but is counted. */
#ifndef TESTS_REFERENCE_REFERENCE_WORLD_H
#define TESTS_REFERENCE_REFERENCE_WORLD_H
#include "compiler/compile.h"
#include "tests/reference/reference.h"
#include <jansson.h>

struct world_table { struct str company, entity; json_t *rows; /* array of the agent's rows */ struct world_table *next; };
struct world_module { struct str name; json_t *records, *index; /* field -> text in small letters -> [place] */ struct world_module *next; };
struct world_counts {
    uint64_t records, fields, lines, links;      /* compared */
    uint64_t left, deleted, rejected, waiting, added /* rows of `into` flows */, differences;
};
struct ref_world {
    struct world world;
    struct compile c;
    struct arena arena;              /* of the whole comparison */
    struct ref ref;
    struct world_table *tables;
    struct world_module *modules;
    struct world_counts counts;
    struct buf *out;
};
/* False: the spec has errors. world_close in every case. */
bool world_open(struct ref_world *w, const char *spec);
void world_close(struct ref_world *w);
/* {"rows":[..]} as the agent answers (facts/sage-100.md 9.3), or the bare array; may be called for one page after the other. False: no such text. */
bool world_rows(struct ref_world *w, const char *company, const char *entity, const json_t *answer);
/* All records of a module as GET by id shows them; "users" for the users. A module that is not given is empty, `find` in it finds nothing. */
bool world_records(struct ref_world *w, const char *module, const json_t *records);
/* Differences, a line each: "FLOW KEY: FIELD is X, not Y". */
void world_compare(struct ref_world *w, struct buf *out);

/* ---- between the two files ---- */
/* A row as the evaluator takes it; false: a column that the flow reads is not what its type says, the row is set aside. */
bool world__row(struct ref_world *w, const struct flow *f, const json_t *in, struct ref_row *out);
/* How many records have this text in the field; exact: case counts, else as Zoho compares (facts/zoho-crm.md 4.5). */
size_t world__having(struct ref_world *w, struct str module, struct str field, struct str text, bool exact, const json_t **first);
/* One value of a record or line. *waits: it leads to a record that is not there. */
bool world__same(struct ref_world *w, const struct flow *f, struct str company, const struct ref_value *want, const json_t *have, bool *waits);
void world__differs(struct ref_world *w, const struct flow *f, struct str key, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
#endif
