/* json.h - our own scanner for record pages (large, simple, hot) and a writer. Metadata, tokens and small answers use jansson.
 * Strict RFC 8259, UTF-8 checked, depth at most 32, numbers kept as text so that no digit is lost. */
#ifndef VALUE_JSON_H
#define VALUE_JSON_H
#include "base/arena.h"
#include "base/buf.h"

enum json_token { JSON_END, JSON_OBJECT, JSON_OBJECT_END, JSON_ARRAY, JSON_ARRAY_END, JSON_NAME, JSON_STRING, JSON_NUMBER, JSON_TRUE,
                  JSON_FALSE, JSON_NULL, JSON_ERROR };
struct json_scanner {
    const char *p, *end, *start;
    struct arena *arena;        /* unescaped strings go here; strings without escapes are spans of the input */
    struct str text;            /* of NAME, STRING, NUMBER */
    uint8_t stack[32]; unsigned depth; bool want_name, after_value;
    char error[120]; size_t error_at;
};
void json_init(struct json_scanner *s, struct str input, struct arena *a);
/* The same at the value of a member, in an object whose beginning somebody else has read: it counts as one level, and the text may not end before it does. */
void json_init_member(struct json_scanner *s, struct str input, struct arena *a);
/* The next token; after JSON_ERROR error and error_at (byte offset) say why. */
enum json_token json_next(struct json_scanner *s);
/* Skips the value whose first token was t (a whole object or array). False on error. */
bool json_skip(struct json_scanner *s, enum json_token t);

/* The same without a look at what lies inside of an object or array (json_pass.h): for what is not read because it is known. */
bool json_pass_over(struct json_scanner *s, enum json_token t);

/* Writes a JSON string with quotes and escapes. */
void json_put_string(struct buf *out, struct str s);
#endif
