/* failing_disk.h - stands before any disk of the world table; its N-th call fails, reading ones too. A loop over N asks of every call "and if this one fails?". */
#ifndef TESTS_FAULT_FAILING_DISK_H
#define TESTS_FAULT_FAILING_DISK_H
#include "base/world.h"

struct failing_disk {
    struct world_files real;
    uint64_t calls, at;                 /* calls so far; the one that fails, 0: none */
    int why;                            /* its errno */
    bool reads_nothing, writes_nothing; /* a read or write does not fail: it moves no byte */
    bool lasting;                       /* so do all calls after it */
};
/* Puts *d before what f has; d lives as long as f is used. Its close never fails and is not counted. */
void failing_disk(struct failing_disk *d, struct world_files *f);
#endif
