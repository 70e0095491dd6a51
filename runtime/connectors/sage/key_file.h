/* key_file.h - the keys that a door reads which cannot list them itself. Either an operator lists them: CSV, one key a line, parts in key order; a first
 * line that repeats the names of the key columns is a heading. Or an operation that this site's service has beyond the stock ones announces them. */
#ifndef SAGE_KEY_FILE_H
#define SAGE_KEY_FILE_H
#include "connectors/sage/sage.h"

struct sage_soap_key_list {
    struct str company;                   /* whose list; empty for a file, which is one for all */
    const struct sage_entity *entity;
    char hash[17];                        /* 16 hex digits of the file's content: names this state of the list */
    const struct source_key *keys; size_t n;   /* ascending, each once */
};
/* Reads (or, when want_hash is the hash of the list in memory, keeps) the list of the entity. ERR_CONFIG names line and problem, or the operation that is
 * not there; ERR_PROTOCOL: its reply names no keys; and what a call can end with. Lives in s->keys_arena until the next call. */
enum err sage100__key_list(struct source *s, const struct sage_entity *e, struct str company, struct str want_hash, const struct sage_soap_key_list **out, struct fault *f);
/* What is wrong with a key, as a clause, or NULL. */
const char *sage100__key_problem(const struct source_key *k, const struct sage_entity *e);
/* Sorts, drops doubles, names the state: what a file or an operation gave becomes the list in memory. */
void sage100__key_list_keep(struct source *s, const struct sage_entity *e, struct str company, struct source_key *keys, size_t n);
/* key_call.c: asks the operation. */
enum err sage100__key_call(struct source *s, const struct sage_entity *e, struct str company, struct fault *f);
#endif
