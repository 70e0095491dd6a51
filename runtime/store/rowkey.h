/* rowkey.h - a record's key in its two forms.
 *
 *   natural  index order = source order (division, number): each part's bytes, 0x00 written as 00 FF, part ended by 00 00. The company is part 0.
 *   text     what `key F` writes and people type: ABC~01~ABF; in a part ^ is written ^^ and ~ is written ^-; with the flow's name in front where
 *            two flows share a field. Both are injective. */
#ifndef STORE_ROWKEY_H
#define STORE_ROWKEY_H
#include "base/arena.h"
#include "base/buf.h"

/* Parts (company first) -> natural. False when longer than LIMIT_KEY_BYTES or a part is missing. */
bool rowkey_make(struct buf *out, const struct str *parts, size_t n);
/* The same into room for `size` bytes; their number, 0 when they are more. */
size_t rowkey_put(char *out, size_t size, const struct str *parts, size_t n);
/* natural -> parts in the arena; the number of parts, 0 on damage. */
size_t rowkey_parts(struct str natural, struct arena *a, struct str *parts, size_t max);
/* parts -> text. */
void rowkey_text(struct buf *out, const struct str *parts, size_t n);
/* text -> parts; the number, 0 when malformed. */
size_t rowkey_parse(struct str text, struct arena *a, struct str *parts, size_t max);
#endif
