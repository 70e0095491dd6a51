/* walk.h - reads LMDB's data file without LMDB and without mapping it, and says whether it is whole.
 *
 *   pages 0, 1: metas (the younger counts) -> tree of free pages -> tree of tables -> tree of each table -> overflow pages
 *
 * LMDB trusts its file: a damaged page number may end the process, a damaged value is only found when it is read. The walk is made after an unclean
 * stop and by `mlcd check`, before LMDB sees the file. It holds: both metas; every page's number, kind and bounds; nodes that fill their page without gap or
 * overlap; keys in order, within and across pages; equal depth; the counts of each tree; every page referenced exactly once or free; checksum of every
 * value; digest of every table. Not looked at, because nobody reads it: free pages, the room between the nodes of a page and behind a value, what
 * lies behind the last page, and all of the older meta but what LMDB checks when it opens.
 *
 * One pread for each page (for all of it up to 1 MiB), memory of one page for each level and a bit for each page. */
#ifndef STORE_WALK_H
#define STORE_WALK_H
#include "base/world.h"

struct walk_report {
    uint64_t commit;                    /* LMDB's transaction number */
    uint64_t applied_seq;               /* last entry of the log that is folded in */
    uint64_t pages, trees, branch, leaf, overflow, free;
    uint64_t values, value_bytes;
    uint32_t page_bytes;
};
/* dir: the index. key: SECRET_INDEX_KEY. Nobody may write meanwhile. ERR_NOT_FOUND: there is no index; ERR_CORRUPT: page and what is wrong with it, and
 * the way out; ERR_FORMAT: of another version of mlcd; ERR_IO. */
enum err store_walk(const struct world *w, const char *dir, const unsigned char key[32], struct walk_report *out, struct fault *f);
#endif
