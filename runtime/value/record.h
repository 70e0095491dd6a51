/* record.h - a list of named values: snapshots, wanted and written images, frame payloads. Names are part of the bytes, so an old
 * record can be read under a new spec. */
#ifndef VALUE_RECORD_H
#define VALUE_RECORD_H
#include "value/value.h"

struct record_field { struct str name; struct value v; };
struct record { struct record_field *f; size_t n; };

/* varint count, then per field: varint name length, name, value_encode. */
void record_encode(struct buf *out, const struct record *r);
/* Names and texts point into `bytes`; arrays come from the arena. ERR_CORRUPT on damage. */
enum err record_decode(struct str bytes, struct arena *a, struct record *out);
/* The value of a name, or NULL. */
const struct value *record_get(const struct record *r, struct str name);
/* One JSON object in field order. */
void record_json(struct buf *out, const struct record *r);

/* A small writer for frame payloads: record_begin, put..., record_end; the count is patched at the end. */
struct record_writer { struct buf *out; size_t start; unsigned n; };
struct record_writer record_begin(struct buf *out);
void record_put(struct record_writer *w, const char *name, const struct value *v);
void record_put_text(struct record_writer *w, const char *name, struct str s);   /* empty = absent */
void record_put_int(struct record_writer *w, const char *name, int64_t v);
void record_end(struct record_writer *w);
/* Readers with a default for absent or another kind. */
struct str record_text(const struct record *r, const char *name);
int64_t record_int(const struct record *r, const char *name, int64_t fallback);
#endif
