/* sage.h - what the agent's core asks of Sage: six questions to business objects of one session on one company, all of them reads that take no
 * lock (facts/sage-100.md 4.4, 9.1). Behind it: COM (agent/win/session.c), or the stand-in of the tests.
 *
 * Texts cross this line as Sage's own bytes, cp1252; the core makes UTF-8 of them. */
#ifndef AGENT_SAGE_H
#define AGENT_SAGE_H
#include "base/buf.h"

enum agent_reply {
    AGENT_YES,       /* Sage returned another number than 0 */
    AGENT_NO,        /* Sage returned 0, nothing or "": last_error says why */
    AGENT_BROKEN     /* a COM exception: the session is of no use any more (facts/sage-100.md 4.3) */
};

struct agent_sets { const char *desc, *key, *filter, *begin, *end; };    /* arguments of nGetResultSets, NUL-terminated */

struct agent_sage {
    /* NewObject in the session. *obj stays the implementation's; it lives as long as the session. */
    enum agent_reply (*open)(void *ctx, const char *object, void **obj);
    /* The oLines of an object. */
    enum agent_reply (*lines)(void *ctx, void *obj, void **lines);
    /* sGetColumns("MAIN"): the names as Sage lists them. */
    enum agent_reply (*columns)(void *ctx, void *obj, struct buf *names);
    /* The template that nGetRecord gives beside a record: lengths and types. NO where there is none. */
    enum agent_reply (*layout)(void *ctx, void *obj, struct buf *text);
    /* nGetResultSets: both results are put behind what the buffers hold. */
    enum agent_reply (*sets)(void *ctx, void *obj, const struct agent_sets *q, struct buf *desc, struct buf *key);
    /* nSetKeyValue for each key column (with its $), then nFind. */
    enum agent_reply (*find)(void *ctx, void *obj, const char *const *columns, const struct str *parts, unsigned n);
    /* nGetValue of the record that nFind found; column with its $ where it is a text. */
    enum agent_reply (*value)(void *ctx, void *obj, const char *column, struct buf *out);
    /* sLastErrorMsg after a NO, of the object or, for open, of the session. */
    void (*last_error)(void *ctx, void *obj, struct buf *out);
    void *ctx;
};
#endif
