/* oauth_errors.h - what the token endpoint's refusals mean, and which scopes cover which. Room-private; see oauth_errors.def. */
#ifndef ZOHO_OAUTH_ERRORS_H
#define ZOHO_OAUTH_ERRORS_H
#include "base/arena.h"
#include "base/str.h"
struct zoho_token_error { const char *name, *advice; };
const struct zoho_token_error *zoho__token_error(struct str error);        /* NULL when unknown */
/* "Access Denied" with "too many requests": judged by the words, for the status may be 200 or 400 (facts/zoho-crm.md 3.4). */
bool zoho__token_throttled(struct str error, struct str description);
#endif
