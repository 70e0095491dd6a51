// judge_world.h: Zoho's records against Sage's rows by the reference evaluator; apart from run.h, whose names it does not share.
#ifndef SIM_RUN_JUDGE_WORLD_H
#define SIM_RUN_JUDGE_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct judge_table {
    const char *name; // entity, or module
    json_t *rows;
};
struct judge_world {
    const char *company;
    struct judge_table tables[8], modules[8];
    size_t ntables, nmodules;
};
// False: the spec cannot be read. text: the first differences, a line each.
bool judge_world(const struct judge_world *, const char *spec, uint64_t *differences, uint64_t *compared, char *text, size_t text_size);

#endif
