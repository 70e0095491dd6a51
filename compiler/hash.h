/* hash.h - semantic hashes of fields and flows: what a new spec is compared by. They do not see let and fn names, layout, comments or the order
 * of lines; they do see tables and CSV contents, column and field types, constants, and the versions of builtins. */
#ifndef COMPILER_HASH_H
#define COMPILER_HASH_H
#include "code/image.h"
#include "compiler/ir.h"

/* A field that the mapping computes: its name, mode and the hash of its expression. */
struct hash hash_rule(struct str name, enum field_mode mode, const struct ir *value);
/* The key field: which columns, in which order, with the flow's name or not; the expression of a key of one's own, or NULL. */
struct hash hash_key(const struct image_flow *f, const struct ir *own);
/* A field that only events set. */
struct hash hash_event_field(const struct image_flow *f, size_t index);
/* The whole flow: ends, schedule, filter, adopt rule, events, fuse, and the hashes of its fields sorted by name. Everything else is filled. */
struct hash hash_flow(const struct image_flow *f, const struct ir *when, const struct ir *adopt, const struct ir *into);
#endif
