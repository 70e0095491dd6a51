/* pages.c - how many pages of the index the open transaction holds in private memory.
 *
 * LMDB copies a page before the first change to it and keeps the copy in memory of its own until the commit, and as a spare afterwards. It does not say how
 * many there are, and what a put costs depends on where it falls: a thousand rows in key order change a page in three puts, in any other order a page each, and
 * so does every other table that follows the rows. So they are counted:
 *
 *   leaves      exactly: before a change its place is looked up; what LMDB has not copied yet is read from the map
 *   branches    one for each such leaf, but never more than the table had
 *   new pages   by LMDB's own counts before and now
 *   overflow    by the length of the value
 *
 * Left out is what LMDB writes at the commit itself: its list of free pages, a dozen. */
#include "store/store_private.h"
#include <unistd.h>

/* 4 MiB, which is what a first load's private memory consists of for a good third. Half of it would cost a seventh more CPU time a record. */
enum { PRIVATE_PAGES = 1024 };

int store__pages_begin(struct store *s)
{
    struct store_pages *p = &s->pages;
    p->leaves = p->overflow = 0;
    memset(p->copied, 0, sizeof p->copied);
    for (int t = 0; t < TABLE_COUNT; t++) {
        int rc = mdb_stat(s->txn, s->dbi[t], &p->before[t]);
        if (rc) return rc;
    }
    p->page_bytes = p->before[TABLE_META].ms_psize;
    return 0;
}

/* A page begins with its number (walk_private.h), which says where the first one is. An index with pages larger than this machine's, made on another one, may
 * begin between two multiples: then each change counts as one more page. */
void store__pages_map(struct store *s, const void *value, size_t map_bytes)
{
    s->pages.map = 0;
    s->pages.map_bytes = UINTPTR_MAX;
    if (s->pages.page_bytes > (size_t)sysconf(_SC_PAGESIZE)) return;
    const char *page = (const char *)value - (uintptr_t)value % s->pages.page_bytes;
    uint64_t number;
    memcpy(&number, page, sizeof number);
    s->pages.map = (uintptr_t)page - (uintptr_t)number * s->pages.page_bytes;
    s->pages.map_bytes = map_bytes;
}

/* A table's first page is a new one each time that it was empty: LMDB keeps the one before too. */
void store__pages_leaf(struct store *s, enum store_table t, const void *entry)
{
    if (entry && (uintptr_t)entry - s->pages.map >= s->pages.map_bytes) return;
    s->pages.copied[t] += entry != NULL;
    s->pages.leaves++;
}

void store__pages_value(struct store *s, size_t n)
{
    if (n > s->pages.page_bytes / 2) s->pages.overflow += n / s->pages.page_bytes + 1;
}

bool store__pages_many(struct store *s)
{
    const struct store_pages *p = &s->pages;
    size_t n = p->leaves + p->overflow;
    if (n >= PRIVATE_PAGES) return true;
    for (int t = 0; t < TABLE_COUNT; t++) {
        MDB_stat now;
        const MDB_stat *was = &p->before[t];
        if (mdb_stat(s->txn, s->dbi[t], &now) != 0) return true;
        size_t pages = now.ms_leaf_pages + now.ms_branch_pages, before = was->ms_leaf_pages + was->ms_branch_pages;
        n += p->copied[t] < was->ms_branch_pages ? p->copied[t] : was->ms_branch_pages;
        if (pages > before) n += pages - before;
    }
    return n >= PRIVATE_PAGES;
}
