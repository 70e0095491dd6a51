/* backup.h - a copy of a state directory that is of one moment, made beside a running mlcd or without one, and the way back.
 *
 *   STATE: keys.slots, checkpoints, then the log -> DIR.part -> DIR (renamed when whole)      secrets and images go along; the index is folded again
 *
 * What makes it one moment is the log: it is copied up to its last whole batch and no further. The data keys are copied before it, so every record
 * whose key was destroyed by then has its ERASE in the copied log: those keys are taken out of the copy. Checkpoints are copied before it, so
 * they name nothing that the copy lacks. No key is needed to make a backup, and none is in it. */
#ifndef SYNC_BACKUP_H
#define SYNC_BACKUP_H
#include "base/hash.h"
#include "base/world.h"

struct backup_info { int64_t time_ms; uint64_t last_seq, files, bytes; struct hash head; };
/* to: an absolute path of a directory that is not there yet. ERR_EXISTS, ERR_NOT_FOUND (nothing ran in state_dir), ERR_CORRUPT, ERR_IO, ERR_NO_SPACE. */
enum err backup_make(const struct world *w, const char *state_dir, const char *to, struct backup_info *out, struct fault *f);
/* Reads the list of files and holds every file against it: ERR_CORRUPT names the first that differs, ERR_FORMAT: no backup. */
enum err backup_check(const struct world *w, const char *dir, struct backup_info *out, struct fault *f);
/* dir: an absolute path, which the new state notes as a backup of its own. state_dir: not there yet, or empty. erased (may be NULL): natural keys of records to erase again at the first start, see below. */
struct backup_erased { struct str flow, key; };
enum err backup_restore(const struct world *w, const char *dir, const char *state_dir, const struct backup_erased *erased, size_t n, struct backup_info *out,
                        struct fault *f);
/* The backups that were made of a state directory, oldest first: when, up to which entry of the log, where, and whether it is still there. ERR_IO,
 * ERR_TOO_LARGE: the notes cannot be read; ERR_CORRUPT: a line of them names none, the others were given. */
enum err backup_each(const struct world *w, const char *state_dir, void (*each)(void *ctx, const struct backup_info *b, const char *dir, bool there), void *ctx,
                     struct fault *f);
#endif
