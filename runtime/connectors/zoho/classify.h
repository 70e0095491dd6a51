/* classify.h - what an answer of Zoho CRM means to each record of a batch. Pure: bytes in, classes out. Room-private. */
#ifndef ZOHO_CLASSIFY_H
#define ZOHO_CLASSIFY_H
#include "connectors/connector.h"

enum zoho_verdict {
    ZOHO_SETTLED,       /* every item has its class */
    ZOHO_RENEW,         /* 401: nothing was applied; a new access token may cure it. Items hold what to say if it does not */
    ZOHO_THROTTLED      /* 429: nothing was applied; items are W_RETRY, the connector slows down */
};
/* Reads res and fills class, out_id, code, message, field and http_status of every item; not_before_ms is left 0. Texts go to b->arena. */
enum zoho_verdict zoho__classify(struct write_batch *b, const struct http_res *res);
/* Gives every item the same class; code and message may be NULL. */
void zoho__classify_all(struct write_batch *b, enum write_class cls, int status, const char *code, const char *message);

/* ---- the table, for reads and for the docs ---- */
struct zoho_code { const char *name; enum write_class item, whole; enum err err; const char *advice; };
const struct zoho_code *zoho__code(struct str name);     /* NULL when unknown */
extern const struct zoho_code zoho__codes[];             /* ends with name NULL */

/* The first error of an answer: flat {"code",...} or the first failed element of data[]. Empty when there is none. Texts in a. */
struct zoho_complaint { struct str code, message, param; };
struct zoho_complaint zoho__complaint(const struct http_res *res, struct arena *a);
#endif
