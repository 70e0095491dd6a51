/* behind_test.c - the disk fails for a moment while a service works off an answer that failed, too: the first error is told and tried again, the second
 * is nobody's. The service must not go on over the gap that it left between log and index; a new start closes it. */
#include "tests/unit/sync/rig.h"
#include <errno.h>

/* The customers' INTENTs are composed, then the vendors' look-up needs a token. */
static const char flows[] =
    "extend crm.Vendors { Sage_Vendor: text(40) @unique }\n"
    "flow customers from erp.AR_Customer to crm.Accounts { every 15m key Sage_Customer\n"
    "  Account_Name = CustomerName ?? reject \"customer without a name\"  Billing_City = City }\n"
    "flow vendors from erp.AP_Vendor to crm.Vendors { every 15m key Sage_Vendor Vendor_Name = VendorName ?? VendorNo }\n";

static struct {
    struct world_files real;
    int slots;                 /* handle of keys.slots */
    unsigned reads, fails_at, next;
} disk;

static int open_file(void *ctx, const char *path, int flags, int mode)
{
    int fd = disk.real.open(ctx, path, flags, mode);
    if (fd >= 0 && strstr(path, "keys.slots")) disk.slots = fd;
    return fd;
}

static int64_t read_file(void *ctx, int fd, void *p, size_t n, int64_t off)
{
    if (fd == disk.slots && ++disk.reads == disk.fails_at) {
        errno = EIO;
        return -1;
    }
    return disk.real.pread(ctx, fd, p, n, off);
}

static void stop(void *ctx) { *(int *)ctx = 1; }

static struct { char key[16][40]; size_t n; } keys;

static bool take(void *ctx, const char *key)
{
    (void)ctx;
    snprintf(keys.key[keys.n++ % 16], sizeof keys.key[0], "%s", key);
    return true;
}

static void edit_all(struct rig *r)
{
    keys.n = 0;
    (void)sage_sim_each_key(r->sage, "ABC", "customers", take, NULL);
    for (size_t i = 0; i < keys.n; i++)
        if (!sage_sim_edit(r->sage, "ABC", "customers", keys.key[i], "City", "Elgin", SAGE_STAMP_NOW)) abort();
}

/* People work, and the token is lost on the way, while the service runs. */
static void trouble(void *ctx)
{
    struct rig *r = ctx;
    char why[200];
    edit_all(r);
    if (!sage_sim_insert(r->sage, "ABC", "vendors", "01~NEWONE", NULL, NULL)) abort();
    zoho_sim_expire_tokens(r->zoho);
    if (!zoho_sim_faults(r->zoho, "[{\"match\":{\"path\":\"/oauth/v2/token\"},\"do\":\"truncated_json\"}]", why, sizeof why)) abort();
    disk.reads = 0;
    disk.fails_at = disk.next;
}

/* The service for an hour; what it ends with. */
static enum err serve(struct rig *r)
{
    struct engine *e;
    volatile int reload = 0;
    r->stop = 0;
    sim_loop_at(r->loop, 5 * 60000, trouble, r);
    sim_loop_at(r->loop, 3600000, stop, &r->stop);
    enum err err = rig_engine(r, &e);
    if (err != ERR_OK) return err;
    err = engine_run(e, &reload, &r->f);
    engine_close(e);
    return err;
}

static unsigned fails_at(unsigned n)
{
    struct rig r;
    char name[100];
    rig_open(&r, 6, 1);
    (void)rig_spec(&r, SPEC_HEAD, flows);
    disk.real = r.world.files;
    disk.slots = -1;
    disk.fails_at = 0;
    r.world.files.open = open_file;
    r.world.files.pread = read_file;
    (void)rig_done(&r, "a first sync");
    disk.next = n;
    enum err err = serve(&r);
    unsigned reads = disk.reads;
    snprintf(name, sizeof name, "read %u of the data keys fails: the service goes on or is started again", n);
    ok(err != ERR_CORRUPT && err_exit_code(err) != 65, name, "%s: %s", err_name(err), r.f.text);
    disk.fails_at = 0;
    sim_loop_advance(r.loop, 3600000);          /* past the time at which it would have been stopped */
    r.stop = 0;
    zoho_sim_faults_clear(r.zoho);
    (void)rig_done(&r, "and a new start writes what is left");
    ok(zoho_sim_count(r.zoho, "Accounts") == 6, "each customer once", "%zu accounts", zoho_sim_count(r.zoho, "Accounts"));
    rig_close(&r);
    return reads;
}

int main(void)
{
    unsigned reads = fails_at(0);
    ok(reads > 10, "the data keys are read often enough to fail", "%u times", reads);
    for (unsigned n = 1; n <= reads; n++) (void)fails_at(n);
    return ok_done();
}
