/* pages_test.c - what an open transaction of the index holds in private memory, by the allocator's own account: the same whatever the size of the index, the
 * order of the rows and their length. And no transaction ends for less. */
#include "rig.h"
#include "store/store_private.h"
#include <malloc.h>

enum { PAGE = 4096, MOST = 1024, SLACK = 96 };      /* pages: the bound; what LMDB writes at a commit, and what a single frame changes */

static size_t in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static uint64_t commits(const struct rig *r)
{
    MDB_envinfo info;
    mdb_env_info(r->s->env, &info);
    return info.me_last_txnid;
}

static void step(struct rig *r, enum frame_kind kind, unsigned n, enum event_tag tag, size_t bytes, int64_t state, int64_t cls)
{
    rig_record(r, kind, "customers", n, tag, bytes, state, cls);
    if (store_tick(r->s, 1, &r->f) != ERR_OK) abort();
}

/* The most pages' worth of memory while so many rows come, at stride from each other, each row's request three hundred rows later and its answer three hundred
 * after that. The clock stands still, so that only pages end a transaction. */
static size_t load(struct rig *r, unsigned rows, unsigned stride, size_t bytes)
{
    enum { LATER = 300 };
    size_t before = in_use(), most = before;
    for (unsigned i = 0; i < rows + 2 * LATER; i++) {
        const unsigned n[3] = {(unsigned)((uint64_t)i * stride % rows), (unsigned)((uint64_t)(i - LATER) * stride % rows), (unsigned)((uint64_t)(i - 2 * LATER) * stride % rows)};
        if (i < rows) step(r, FRAME_ROW, n[0], EV_WANTED, bytes, ROW_DIRTY, -1);
        if (i >= LATER && i < rows + LATER) step(r, FRAME_INTENT, n[1], EV_SENT, bytes, -1, -1);
        if (i >= 2 * LATER) step(r, FRAME_OUTCOME, n[2], EV_WHY, 0, -1, W_APPLIED);
        size_t now = in_use();
        if (now > most) most = now;
    }
    return (most - before) / PAGE;
}

static void case_of(const char *name, unsigned rows, unsigned stride, size_t bytes, uint64_t most_commits)
{
    struct rig r;
    rig_open(&r);
    uint64_t before = commits(&r);
    size_t pages = load(&r, rows, stride, bytes);
    uint64_t n = commits(&r) - before;
    ok(pages <= MOST + SLACK, name, "%zu pages at most, %d allowed", pages, MOST + SLACK);
    ok(n <= most_commits, name, "%llu transactions, %llu expected at most", (unsigned long long)n, (unsigned long long)most_commits);
    printf("# %s: %zu pages, %llu transactions\n", name, pages, (unsigned long long)n);
    ok(store_check(r.s, &r.f) == ERR_OK, name, "%s", r.f.text);
    rig_close(&r);
}

/* An index from a machine with larger pages: nothing is read beside the value, and each change counts. */
static void larger_pages(void)
{
    struct store s = {.pages = {.page_bytes = (size_t)1 << 30}};
    static const char value[8] = "";
    store__pages_map(&s, value, 1 << 20);
    store__pages_leaf(&s, 0, value);
    store__pages_leaf(&s, 0, value);
    ok(s.pages.leaves == 2, "larger pages", "%zu leaves for two changes", s.pages.leaves);
}

int main(void)
{
    larger_pages();
    if (access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 1);
    case_of("a small index, rows in their order", 2000, 1, 300, 2);
    case_of("a large index, rows in their order", 24000, 1, 300, 24);
    case_of("a small index, rows in any order", 2000, 1237, 300, 2);
    case_of("a large index, rows in any order", 24000, 7919, 300, 110);
    case_of("rows longer than a page", 1500, 1, 9000, 20);
    return ok_failures != 0;
}
