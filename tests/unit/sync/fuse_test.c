/* fuse_test.c - the fuse at its edges: the lower of count and share; exactly as many pass, and one more is held. */
#include "rig.h"

static void leave(struct rig *r, int n, const char *status)
{
    for (int i = 0; i < n; i++) rig_edit(r, rig_customer(r, 0), "CustomerStatus", status);      /* the first that is still active */
}

/* fuse 25 or 50%: exactly `limit` records pass, one more holds all of them. */
static void test_edge(uint32_t customers, int limit)
{
    struct rig r;
    char name[80];
    rig_open(&r, customers, 81);
    rig_done(&r, "load ends");
    int64_t writes = rig_writes(&r);
    leave(&r, limit, "T");
    snprintf(name, sizeof name, "%d of %u leave", limit, customers);
    rig_done(&r, name);
    ok(r.r.held == 0 && rig_writes(&r) == writes + limit, "as many as the fuse says: they are written", "%llu held, %lld writes", (unsigned long long)r.r.held,
       (long long)(rig_writes(&r) - writes));
    rig_close(&r);
    rig_open(&r, customers, 81);
    rig_done(&r, "load ends again");
    writes = rig_writes(&r);
    leave(&r, limit + 1, "T");
    enum err err = rig_once(&r);
    ok((err == ERR_OK || err == ERR_HELD) && r.r.held == (uint64_t)limit + 1 && rig_writes(&r) == writes, "one more: all are held", "%s, %llu held, %lld writes", r.f.text,
       (unsigned long long)r.r.held, (long long)(rig_writes(&r) - writes));
    rig_close(&r);
}

/* How many of so many customers are linked, as the flow's filter has it. */
static int linked(uint32_t customers)
{
    struct rig r;
    rig_open(&r, customers, 81);
    rig_done(&r, "load ends");
    int n = (int)r.r.inserted;
    rig_close(&r);
    return n;
}

int main(void)
{
    int few = linked(20);
    test_edge(70, 25);
    test_edge(20, few / 2);
    return ok_done();
}
