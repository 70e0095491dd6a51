/* lock.h - zoho.lock: what the customer's own org says about its modules and fields, pulled by `mlcd pull`, read here at compile time.
 * It overrides the prelude's facts. The format (JSON, sorted keys) is described in docs/zoho-lock.md. */
#ifndef DSL_LOCK_H
#define DSL_LOCK_H
#include "value/type.h"

struct lock_field {
    struct str name;
    struct type type;               /* optional = not required */
    bool known_type;                /* false: a kind of field that specs cannot write ("other") */
    bool unique, on_insert, on_update, custom;
    struct str link_module;         /* type link */
    uint32_t at;                    /* byte offset of the name in the file */
};
struct lock_module {
    struct str name;
    bool missing;                   /* null in the file: this org does not have the module */
    const struct lock_field *fields; size_t nfields;
    uint32_t at;
};
struct lock {
    struct str edition;             /* empty when the file does not say */
    const struct lock_module *modules; size_t nmodules;
};
struct lock_fault { uint32_t at; char text[200]; };

/* Parses the text; names and sets live in the arena. False: where (byte offset) and why. */
bool lock_parse(struct str text, struct arena *a, struct lock *out, struct lock_fault *why);
const struct lock_module *lock_module(const struct lock *l, struct str name);    /* NULL: the file says nothing about it */
const struct lock_field *lock_field(const struct lock_module *m, struct str name);
#endif
