/* diff.h - two versions of a spec compared by meaning: what changes for cursors, records and values, not how the text differs.
 *
 *   two compiled specs -diff_specs-> findings (rule, category, places, verdict, witness) -diff_print-> text, json, markdown, sarif
 *                                         \-approvals_apply-> which of them a person has approved, and which approvals fit nothing any more
 *
 * Works on images, so .mlc and .mlcb give the same answer; a spec's source adds places and names. Flows and fields are matched by name. Names of
 * let and fn, order, layout and comments show nothing. docs/diff.md is the reader's page. */
#ifndef COMPILER_DIFF_H
#define COMPILER_DIFF_H
#include "compiler/compile.h"

enum diff_category { DIFF_STATE, DIFF_TARGET, DIFF_DATA, DIFF_TEXT, DIFF_CATEGORIES };
enum diff_rule {
#define DIFF_RULE(name, id, category, slug, meaning) RULE_##name,
#include "compiler/diff/diff_rule.def"
#undef DIFF_RULE
    RULE_COUNT
};
struct diff_rule_info { const char *id, *name, *meaning; enum diff_category category; };
extern const struct diff_rule_info diff_rules[RULE_COUNT];
const char *diff_category_name(enum diff_category c);        /* "state" */

/* One version. spec: NULL when only the compiled file is there. shown: the path that people know it by. */
struct diff_side { const struct image *im; const struct compile *source; const char *shown; };
/* What one version lacks has the place of what it would stand in. line 0: unknown; file NULL: there is no such version. */
struct diff_place { const char *file; uint32_t line; };

enum diff_verdict { DIFF_PLAIN /* nothing to search for */, DIFF_DIFFERENT, DIFF_UNDECIDED };
struct diff_cell { struct str column; const char *json; bool aside; };    /* aside: only needed for the row to be taken and not rejected elsewhere */
struct diff_witness {
    struct diff_cell *cells; size_t n;                        /* the columns that matter; all others are blank */
    const char *row;                                          /* the whole row, one JSON object as `mlc eval` reads it */
    const char *result[2];                                    /* what each version makes of it */
};
struct diff_entry { const char *key, *old_value, *new_value; };   /* of a table; NULL: no such entry */
enum { FINGERPRINT_CHARS = 32 };
struct approval;
struct diff_finding {
    enum diff_rule rule;
    const char *flow, *field;                                 /* NULL: about the spec, the flow */
    const char *subject;                                      /* "customers.Phone", "customers", "source erp", "spec" */
    const char *message;                                      /* one line */
    const char *text[2];                                      /* both expressions or settings; NULL: none on this side */
    bool said;                                                /* the message says both texts */
    struct diff_place at[2];
    enum diff_verdict verdict;
    uint32_t tries;                                           /* rows run through both versions */
    const struct diff_witness *witness;                       /* NULL: none */
    const char *table; struct diff_entry *entries; size_t nentries;
    char fingerprint[FINGERPRINT_CHARS + 1];                  /* rule, flow, field and both normal forms: what an approval names */
    const struct approval *approved;                          /* NULL: nobody has */
    struct diff_finding *next;
};
struct diff {
    struct arena *arena;
    struct diff_side side[2];
    struct diff_finding *first, **last; size_t n;             /* in the order of the new version; what is gone stands behind its flow */
    size_t equal;                                             /* rules written differently that mean the same */
    const char *only_flow;                                    /* NULL: all */
};
/* Compares. old.im and new.im may be NULL: a file that is made or deleted. Everything lives in the arena. */
void diff_specs(struct diff *d, struct arena *a, struct diff_side old_side, struct diff_side new_side, const char *only_flow);

/* ---- approvals: a text file in git ---- */
struct approval { const char *fingerprint, *rest; uint32_t line; bool used; struct approval *next; };
struct approvals { const char *path; struct approval *first; };
/* Lines "FINGERPRINT RULE SUBJECT  # WHO: WHY"; blank lines and lines of # are passed over. Any other line: false, and why says which. */
bool approvals_read(struct approvals *out, const char *path, struct str text, struct arena *a, char *why, size_t why_len);
/* Marks what is approved, and which approvals fit a finding. */
void approvals_apply(struct approvals *ap, struct diff *d);
/* The line that approves a finding. */
void approvals_line(struct buf *out, const struct diff_finding *f, const char *who, const char *why);

enum diff_format { DIFF_FORMAT_TEXT, DIFF_FORMAT_JSON, DIFF_FORMAT_MARKDOWN, DIFF_FORMAT_SARIF, DIFF_FORMATS };
bool diff_format_find(const char *name, enum diff_format *out);
/* ap may be NULL. */
void diff_print(const struct diff *d, const struct approvals *ap, enum diff_format format, struct buf *out);
#endif
