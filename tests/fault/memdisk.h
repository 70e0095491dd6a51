/* memdisk.h - a disk in memory that forgets: what was not synced may be lost, torn or reordered by a power cut; any call can fail.
 *
 * Every file has two faces: the page cache (what the process sees) and the platter (what survives). pwrite and ftruncate change the cache and
 * queue the change; fdatasync moves a file's queue to the platter; sync_dir does the same for the names in a directory (create, rename, unlink,
 * mkdir). A power cut keeps of the queue what the mode says. An fdatasync that fails marks the queue as clean without writing it, as Linux
 * does: a later fdatasync returns 0 and still does not write it.
 *
 * Calls that change something (open with O_CREAT or O_TRUNC, pwrite, fdatasync, sync_dir, ftruncate, rename, unlink, mkdir) are numbered 1,
 * 2, ...; faults are planted by number. Paths are absolute; "/" exists. One thread. */
#ifndef TESTS_FAULT_MEMDISK_H
#define TESTS_FAULT_MEMDISK_H
#include "base/world.h"

struct memdisk;
struct memdisk *memdisk_new(void);
void memdisk_free(struct memdisk *d);
/* A second disk of the same content (cache, platter, queue); handles, locks and planted faults are not taken along. */
struct memdisk *memdisk_copy(const struct memdisk *d);
/* Fills w->files with this disk. */
void memdisk_files(struct memdisk *d, struct world_files *out);

uint64_t memdisk_calls(const struct memdisk *d);        /* numbered calls so far */
void memdisk_count_from(struct memdisk *d);             /* begins to count at 1 again */

/* Call number `call` fails with `why` (EIO, ENOSPC); a pwrite writes `partial` bytes first (and then returns short; the next one fails).
 * `lasting`: so do all calls of the same sort after it. */
void memdisk_fail(struct memdisk *d, uint64_t call, int why, size_t partial, bool lasting);
/* Power goes off within call number `call`: a pwrite still queues `partial` bytes; this and every later call fails with EIO. */
void memdisk_stop(struct memdisk *d, uint64_t call, size_t partial);
bool memdisk_stopped(const struct memdisk *d);
/* From now on at most this many bytes fit (sum of the cached file sizes); -1 = no limit. */
void memdisk_capacity(struct memdisk *d, int64_t bytes);

/* The process is gone, the machine is not: handles and locks vanish, the cache stays, planted faults are removed. */
void memdisk_kill(struct memdisk *d);

enum memdisk_loss {
    MEMDISK_LOSE_ALL,                   /* nothing of the queue survives */
    MEMDISK_KEEP_ALL,
    MEMDISK_PREFIX,                     /* in order: `detail` whole changes, then `torn` bytes of the next */
    MEMDISK_RANDOM                      /* each change by itself and each 512-byte sector of a write by itself, torn at any byte; seed = detail */
};
/* Power cut and reboot. */
void memdisk_crash(struct memdisk *d, enum memdisk_loss loss, uint64_t detail, size_t torn);
/* Length of the queue, and bytes of its i-th change (0 for changes of names and sizes). */
size_t memdisk_queued(const struct memdisk *d);
size_t memdisk_queued_bytes(const struct memdisk *d, size_t i);

/* Direct access for tests: the cached content of a file (valid until the next call), a changed bit on cache and platter, copies to and from
 * a real directory (plain files only). False when the file is not there. */
bool memdisk_content(const struct memdisk *d, const char *path, struct str *out);
bool memdisk_flip(struct memdisk *d, const char *path, uint64_t bit);
bool memdisk_export(const struct memdisk *d, const char *dir, const char *real_dir);
#endif
