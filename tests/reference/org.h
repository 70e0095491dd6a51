/* org.h - a model of Zoho of one organisation, with records that links can lead to and updates can change.
 *
 *   org file -org_open-> stand, strict      org_id(module) -> a record that is there, made with what the module needs      org_fresh: one more of them */
#ifndef TESTS_REFERENCE_ORG_H
#define TESTS_REFERENCE_ORG_H
#include "dsl/spec.h"
#include "tests/unit/sim/zoho_check.h"

enum { ORG_MODULES = 24, ORG_ID = 24 };
struct org {
    struct stand stand;
    json_t *data;                    /* the organisation's file */
    struct { char module[64], id[ORG_ID]; } known[ORG_MODULES];
    size_t nknown;
};
/* Fields and modules of the organisation's own are those that the spec knows, from zoho.lock and `extend`: as after `mlcd prepare`. */
void org_open(struct org *o, const char *data_path, const struct spec *spec);
void org_close(struct org *o);
/* The id of a record of this module ("users": of a user); empty when the organisation has no such module. */
const char *org_id(struct org *o, const char *module);
/* A new record with nothing but what the module requires. False: it has no such module. */
bool org_fresh(struct org *o, const char *module, char id[ORG_ID]);
#endif
