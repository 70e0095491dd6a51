/* memory.h - what the program's side and the harness's side of refused allocations share (crash_memory.c). */
#ifndef TESTS_FAULT_MEMORY_H
#define TESTS_FAULT_MEMORY_H
#include "tests/fault/crash.h"

enum { PROBE_STACKS = 1 << 15, PROBE_WHOLE = 1 << 15, PROBE_TOLD = 20 };
/* In memory that all processes share. */
struct probe {
    bool every;                         /* each allocation; else each place (call stack) once */
    unsigned shard, of;
    uint64_t from, to;                  /* only those made between these calls; 0, 0: all */
    bool more;                          /* after the refusal there was another allocation */
    uint64_t allocations, nstacks;
    uint64_t refused, alike;            /* alike: alone and with all after it are one case */
    uint64_t died, failed, goes_on, wrong;
    uint64_t stacks[PROBE_STACKS], keys[PROBE_WHOLE * 2];
    struct crash_fault whole[PROBE_WHOLE]; size_t nwhole;      /* to be played as whole cases; seed: the place */
    char text[PROBE_TOLD][400];
};

/* In the program: from now on allocations are numbered; NULL ends it. */
void memory_begin(struct crash_shared *sh);
/* Before each numbered call. */
void memory_call(enum io_call what);
/* Before what only the program itself may do. */
void memory_stop(void);
/* The life ended, as enum life_end says. */
void memory_ended(int end);
#endif
