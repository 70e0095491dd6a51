/* key_file.h - the keys that an operator lists for a door that cannot list them itself: CSV, one key a line, parts in key order. A first line
 * that repeats the names of the key columns is a heading. */
#ifndef SAGE_KEY_FILE_H
#define SAGE_KEY_FILE_H
#include "connectors/sage/sage.h"

struct sage_soap_key_list {
    const char *path;
    const struct sage_entity *entity;
    char hash[17];                        /* 16 hex digits of the file's content: names this state of the list */
    const struct source_key *keys; size_t n;   /* ascending, each once */
};
/* Reads (or, when want_hash is the hash of the list in memory, keeps) the list of the entity. ERR_CONFIG names line and problem. Lives in
 * s->keys_arena until the next call. */
enum err sage100__key_list(struct source *s, const struct sage_entity *e, const char *path, struct str want_hash, const struct sage_soap_key_list **out, struct fault *f);
#endif
