/* lines.h - the lines of one record on their way in: what every source does with them, whatever the wire looks like.
 *
 *   lines_begin -> (lines_add -> lines_set ... lines_key)* -> lines_end = the value of the list column
 *
 * A column of the list that is part of the record's own key is filled from that key; a part of the line's key from the line's key where its
 * columns do not hold it; any other column that did not come must not pass for a blank one and breaks the row. */
#ifndef CONNECTORS_LINES_H
#define CONNECTORS_LINES_H
#include "connectors/connector.h"

struct lines {
    const struct source_query *q;
    const struct source_column *column;    /* of type T_LIST */
    struct arena *a;
    struct list_line *list;
    struct value *fields;                  /* of the line under way */
    bool *seen;
    uint32_t n, cap, given;                /* kept; room; met */
    const char *violation;                 /* the first thing that is wrong, in the arena */
};
void lines_begin(struct lines *l, const struct source_query *q, const struct source_column *column, struct arena *a);
/* The next line. Beyond the list's limit lines are counted and not kept. */
void lines_add(struct lines *l);
/* A column of the line as raw text; others than the query wants are passed over. udf: as the door parts them. */
void lines_set(struct lines *l, struct str name, bool udf, struct str raw);
/* A column whose value is no plain text; the row breaks if the query wants it. */
void lines_bad(struct lines *l, struct str name);
/* What this line did not set so far is blank: for sources that leave out what is empty. */
void lines_blank(struct lines *l);
/* Ends the line: its own key, parts without the record's; n 0 = the door sends none. */
void lines_key(struct lines *l, const struct str *parts, size_t n);
/* The list, absent without lines; *violation stays NULL or says what is wrong. The key is that of the record. */
struct value lines_end(struct lines *l, const struct source_key *key, const char **violation);
/* The query's list column, or NULL: a source table has one list of lines at most. */
const struct source_column *lines_column(const struct source_query *q);
#endif
