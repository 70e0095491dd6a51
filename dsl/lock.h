/* lock.h - zoho.lock and sage.lock: what the customer's own org and installation say about their modules and tables, pulled by `mlcd pull`, read here at
 * compile time. They have the last word over the prelude. The forms (JSON, sorted keys) are described in docs/locks.md. */
#ifndef DSL_LOCK_H
#define DSL_LOCK_H
#include "value/type.h"

struct lock_field {
    struct str name;
    struct type type;               /* optional = not required */
    bool known_type;                /* false: a kind of field that specs cannot write ("other") */
    bool lines;                     /* of type "lines": link_module is the module of its lines, where the file says it */
    bool unique, on_insert, on_update, custom;
    bool partial;                   /* of a source: not in every company */
    struct str link_module;         /* type link */
    uint32_t at;                    /* byte offset of the name in the file */
};
struct lock_module {
    struct str name;
    bool missing;                   /* null in the file: it is not there */
    const struct lock_field *fields; size_t nfields;
    uint32_t at;
};
enum lock_side { LOCK_TARGET, LOCK_SOURCE };   /* modules of fields, tables of columns */
struct lock {
    struct str edition;             /* empty when the file does not say */
    const struct lock_module *modules; size_t nmodules;
};
struct lock_fault { uint32_t at; char text[200]; };

/* Parses the text; names and sets live in the arena. False: where (byte offset) and why. */
bool lock_parse(struct str text, enum lock_side side, struct arena *a, struct lock *out, struct lock_fault *why);
const struct lock_module *lock_module(const struct lock *l, struct str name);    /* NULL: the file says nothing about it */
const struct lock_field *lock_field(const struct lock_module *m, struct str name);
#endif
