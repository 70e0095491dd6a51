/* sarif.h - writes a SARIF 2.1.0 log, the form in which code scanning takes findings. Shared by mlc check and mlc diff.
 *
 *   sarif_begin, sarif_rule for every rule, sarif_results, sarif_result for every finding, sarif_end
 *
 * The writer sees to what the standard asks of a producer: URIs relative to the checkout and escaped (3.4.3, RFC 3986), text escaped and valid
 * UTF-8, columns in code points (3.14.17), regions without numbers that are not known, ruleIndex in step with ruleId. What it is given stays
 * the caller's. */
#ifndef DSL_SARIF_H
#define DSL_SARIF_H
#include "base/buf.h"

enum sarif_level { SARIF_ERROR, SARIF_WARNING, SARIF_NOTE };
struct sarif { struct buf *out; size_t nrules, nresults; };

/* Lines and columns from 1; an end column stands behind the last character. 0 = not known: then what rests on it is left out. */
struct sarif_place { struct str file; uint32_t line, column, end_line, end_column; };
struct sarif_rule {
    const char *id, *name;              /* "E0401", "text-too-long" */
    const char *meaning;                /* one sentence */
    const char *help;                   /* Markdown of any length, or NULL */
    const char *category;               /* properties.category, or NULL */
    enum sarif_level level;
};
struct sarif_related { struct sarif_place at; const char *text; /* or NULL */ struct sarif_related *next; };
/* What would mend it: the place is replaced by the text. */
struct sarif_fix { const char *title; struct sarif_place at; const char *text; };
struct sarif_result {
    size_t rule; const char *rule_id;   /* place in the list of rules, and its id once more */
    enum sarif_level level;
    struct str message;
    struct sarif_place at;              /* file empty: a finding without a place */
    const struct sarif_related *related;
    const struct sarif_fix *fix;        /* or NULL */
    const char *fingerprint_name, *fingerprint, *category, *accepted;   /* or NULL; accepted: why somebody takes the finding as it is */
};

/* tool: "mlc check". */
void sarif_begin(struct sarif *s, struct buf *out, const char *tool);
void sarif_rule(struct sarif *s, const struct sarif_rule *r);
void sarif_results(struct sarif *s);
void sarif_result(struct sarif *s, const struct sarif_result *r);
void sarif_end(struct sarif *s);
#endif
