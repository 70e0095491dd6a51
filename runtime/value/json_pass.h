/* json_pass.h - over a JSON object or array that nobody reads, sixty-four bytes at a time: only quotes, backslashes and brackets are looked at.
 *
 *     "fields":{"City":"St. {Paul}", ...}
 *               ^p  inside of strings and outside are told apart by the quotes before; one bit a byte      ^ behind the match
 *
 * What lies inside is not checked. For valid JSON the end is the one that the strict scanner finds. For anything else too the reading is the same up to where
 * that scanner would have stopped, so nothing that follows can be taken for something that it is not. */
#ifndef VALUE_JSON_PASS_H
#define VALUE_JSON_PASS_H
#include <stddef.h>

/* p stands behind an opening brace or bracket: behind the one that closes it, or NULL when the text ends before. Reads nothing behind end. */
const char *json_pass(const char *p, const char *end);
/* The same without vectors: what runs where there are none. */
const char *json_pass_portable(const char *p, const char *end);
#endif
