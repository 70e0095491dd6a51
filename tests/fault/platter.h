/* platter.h - the disk under a real directory, as a power cut would leave it.
 *
 * The program works on real files (the page cache). The harness replays what it did into a platter: writes, sizes and names wait in a queue until
 * a sync covers them. A power cut keeps of the queue what its mode says; platter_export puts what is left into a real directory again.
 *
 *     names: tree of inodes as the program sees it, and tree as it is on disk
 *     bytes: on disk only; the queue holds what is newer
 *
 * fsync of a file covers its bytes and size, not its name: that takes an fsync of the directory. A sync of a file that failed drops the changes: no
 * later sync writes them (Linux marks the pages clean), only luck does. Names wait for the next sync of the directory: they are in the file
 * system's own log. */
#ifndef TESTS_FAULT_PLATTER_H
#define TESTS_FAULT_PLATTER_H
#include "tests/fault/crash.h"
#include <stdio.h>

struct platter;
struct platter *platter_new(void);
void platter_free(struct platter *p);
/* Replays a log of struct op; handles of the life before are forgotten. False: the log makes no sense (a path that is not there). */
bool platter_replay(struct platter *p, const unsigned char *log, size_t n);
/* The same op by op: a life begins; one op of it, its bytes behind it. */
void platter_life(struct platter *p);
bool platter_step(struct platter *p, const struct op *o, const unsigned char *data);
struct platter *platter_copy(const struct platter *p);
/* Of the names and bytes on disk: equal disks have equal numbers. */
uint64_t platter_hash(struct platter *p);
/* Power cut and reboot. Seed: of the random choices, or which change (CUT_ONLY, CUT_BUT). */
void platter_cut(struct platter *p, enum cut how, uint64_t seed);
/* Writes the tree (as it is on disk) into the directory, which has to be empty. */
bool platter_export(const struct platter *p, const char *dir);
/* What would survive a power cut of this file, and whether it would be there at all. The bytes live until the next call. */
bool platter_durable(const struct platter *p, const char *path, const unsigned char **bytes, size_t *n);
size_t platter_queued(const struct platter *p);
void platter_tell(const struct platter *p, FILE *out);      /* the queue, a line each */
#endif
