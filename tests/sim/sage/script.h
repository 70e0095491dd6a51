// script.h: what the commands of script.c need from other files and nobody else does.
#ifndef SAGE_SCRIPT_H
#define SAGE_SCRIPT_H

#include "private.h"

// A row that becomes visible now, new or changed, stamped that long ago.
bool sage__late(struct sage_sim *, const char *company, const char *resource, const char *key, int64_t ago_ms);
// One random event by the model's generator.
void sage__churn(struct sage_sim *, const char *company, const char *resource);
uint32_t sage__operation_bit(const char *operation); // of sage_sim.missing_rights; 0 when unknown

#endif
