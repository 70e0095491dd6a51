/* walk_test.c - LMDB's data file damaged in every byte. For each flip the walk says whether the file is whole, and LMDB says whether it still reads the
 * same; what LMDB reads otherwise and the walk lets pass is a failure. The flips that the walk lets pass are in free pages or have no effect.
 *
 *   bytes of data.mdb -flip-> walk (from memory) -"whole"-> LMDB reads every entry of every table, by cursor and by key: the same as before?
 *
 * The flips of a page that pass are read by LMDB together; only when it reads otherwise each by itself. With FLIPS=all (make torture) each bit is
 * flipped, and read by itself.
 * Positive control: with the findings of one check struck out the harness has to find flips that change the contents. */
#include "rig.h"
#include "store/store_private.h"
#include "store/walk.h"
#include <errno.h>
#include <fcntl.h>
#include <time.h>

struct disk { unsigned char *p; size_t n; uint64_t preads, stop; int refuse; bool no_size; };       /* pread number stop fails; refuse: errno of open */

static int disk_open(void *ctx, const char *path, int flags, int mode)
{
    (void)path, (void)flags, (void)mode;
    errno = ((struct disk *)ctx)->refuse;
    return errno ? -1 : 3;
}
static int disk_close(void *ctx, int fd) { (void)ctx, (void)fd; return 0; }
static int64_t disk_size(void *ctx, int fd) { (void)fd; return ((struct disk *)ctx)->no_size ? -1 : (int64_t)((struct disk *)ctx)->n; }
static int64_t disk_pread(void *ctx, int fd, void *p, size_t n, int64_t off)
{
    struct disk *d = ctx;
    (void)fd;
    d->preads++;
    if (d->stop && d->preads == d->stop) return errno = EIO, -1;
    if ((size_t)off >= d->n) return 0;
    size_t left = d->n - (size_t)off;
    memcpy(p, d->p + off, n < left ? n : left);
    return (int64_t)(n < left ? n : left);
}

static enum err walk(struct disk *d, struct walk_report *rep, struct fault *f)
{
    struct world w = {.files = {.open = disk_open, .close = disk_close, .pread = disk_pread, .size = disk_size, .ctx = d}};
    d->preads = 0;
    return store_walk(&w, "/", (const unsigned char[32]){1, 2, 3}, rep, f);
}

/* ---- what LMDB reads ---- */
struct lmdb { MDB_env *env; };

static bool lmdb_open(struct lmdb *l, const char *dir)
{
    return mdb_env_create(&l->env) == 0 && mdb_env_set_maxdbs(l->env, TABLE_COUNT) == 0 && mdb_env_set_mapsize(l->env, 64 << 20) == 0 &&
           mdb_env_open(l->env, dir, MDB_RDONLY | MDB_NOLOCK, 0600) == 0;
}

static void add(crypto_generichash_state *st, MDB_val v)
{
    crypto_generichash_update(st, (const unsigned char *)&v.mv_size, sizeof v.mv_size);
    if (v.mv_size) crypto_generichash_update(st, v.mv_data, v.mv_size);
}

static bool table_hash(MDB_txn *txn, const char *name, crypto_generichash_state *st)
{
    MDB_dbi dbi;
    MDB_cursor *c;
    MDB_val k, v, again;
    if (mdb_dbi_open(txn, name, 0, &dbi) || mdb_cursor_open(txn, dbi, &c)) return false;
    int rc;
    while ((rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0) {
        add(st, k);
        add(st, v);
        if (mdb_get(txn, dbi, &k, &again) || again.mv_size != v.mv_size || again.mv_data != v.mv_data) break;
    }
    mdb_cursor_close(c);
    return rc == MDB_NOTFOUND;
}

/* Everything in one hash; false when LMDB itself complains. */
static bool contents(const struct lmdb *l, unsigned char out[32])
{
    MDB_txn *txn;
    crypto_generichash_state st;
    if (mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn)) return false;
    crypto_generichash_init(&st, NULL, 0, 32);
    bool good = true;
    for (int t = 0; t < TABLE_COUNT && good; t++) good = table_hash(txn, store__table_name((enum store_table)t), &st);
    mdb_txn_abort(txn);
    crypto_generichash_final(&st, out, 32);
    return good;
}

/* ---- the harness ---- */
struct harness {
    char dir[260], path[300];
    int fd;
    struct disk disk;
    struct lmdb lmdb;
    unsigned char before[32];
    const char *strike;                 /* control: findings with these words do not count */
    uint64_t flips, found, harmless, missed;
    char first[160];
};

/* The flipped bytes are put into the file too, which LMDB has mapped. Heads are read when it opens. */
static bool same_contents(struct harness *h, size_t at, const unsigned char *p, size_t n)
{
    struct lmdb fresh;
    unsigned char now[32];
    bool good = pwrite(h->fd, p, n, (off_t)at) == (ssize_t)n;
    if (at < 8192) {
        good = good && lmdb_open(&fresh, h->dir) && contents(&fresh, now);
        mdb_env_close(fresh.env);
    } else good = good && contents(&h->lmdb, now);
    return good && memcmp(now, h->before, sizeof now) == 0;
}

static bool passes(struct harness *h, size_t at, unsigned char bits)
{
    struct walk_report rep;
    struct fault f = {ERR_OK, ""};
    h->disk.p[at] ^= bits;
    enum err e = walk(&h->disk, &rep, &f);
    h->disk.p[at] ^= bits;
    return e == ERR_OK || (h->strike && strstr(f.text, h->strike));
}

static void flip(struct harness *h, size_t at, unsigned char bits)
{
    unsigned char now = h->disk.p[at] ^ bits;
    h->flips++;
    if (!passes(h, at, bits)) {
        h->found++;
        return;
    }
    if (same_contents(h, at, &now, 1)) h->harmless++;
    else if (h->missed++ == 0) snprintf(h->first, sizeof h->first, "byte %zu (page %zu, offset %zu) ^ %02x", at, at / 4096, at % 4096, bits);
    if (pwrite(h->fd, h->disk.p + at, 1, (off_t)at) != 1) abort();
}

/* One bit of each byte of a page. */
static void flip_page(struct harness *h, size_t page)
{
    unsigned char bits[4096], now[4096];
    uint64_t passed = 0;
    for (size_t i = 0; i < 4096; i++) {
        size_t at = page * 4096 + i;
        unsigned char bit = (unsigned char)(1u << (at * 2654435761u >> 7) % 8);
        bits[i] = passes(h, at, bit) ? bit : 0;
        now[i] = h->disk.p[at] ^ bits[i];
        passed += bits[i] != 0;
    }
    bool same = same_contents(h, page * 4096, now, sizeof now);
    if (pwrite(h->fd, h->disk.p + page * 4096, 4096, (off_t)(page * 4096)) != 4096) abort();
    h->flips += 4096 - passed;
    h->found += 4096 - passed;
    if (same) {
        h->flips += passed;
        h->harmless += passed;
    } else
        for (size_t i = 0; i < 4096; i++)
            if (bits[i]) flip(h, page * 4096 + i, bits[i]);
}

static void harness_open(struct harness *h, const struct rig *r)
{
    char command[900];
    *h = (struct harness){.fd = -1};
    snprintf(h->dir, sizeof h->dir, "%s/flipped", r->dir);
    snprintf(h->path, sizeof h->path, "%s/data.mdb", h->dir);
    snprintf(command, sizeof command, "mkdir -p %s && cp %s/data.mdb %s", h->dir, r->index, h->path);
    if (system(command) != 0) abort();
    h->fd = open(h->path, O_RDWR);
    off_t n = lseek(h->fd, 0, SEEK_END);
    h->disk.n = (size_t)n;
    h->disk.p = malloc(h->disk.n);
    if (h->fd < 0 || !h->disk.p || pread(h->fd, h->disk.p, h->disk.n, 0) != n || !lmdb_open(&h->lmdb, h->dir) || !contents(&h->lmdb, h->before)) abort();
}

static void harness_close(struct harness *h)
{
    mdb_env_close(h->lmdb.env);
    close(h->fd);
    free(h->disk.p);
}

static void every_byte(const struct rig *r, bool all)
{
    struct harness h;
    struct walk_report rep;
    struct fault f = {ERR_OK, ""};
    harness_open(&h, r);
    ok(walk(&h.disk, &rep, &f) == ERR_OK, "a whole file is whole", "%s", f.text);
    printf("# %llu pages: %llu branch, %llu leaf, %llu overflow, %llu free; %llu values in %llu trees\n", (unsigned long long)rep.pages, (unsigned long long)rep.branch,
           (unsigned long long)rep.leaf, (unsigned long long)rep.overflow, (unsigned long long)rep.free, (unsigned long long)rep.values, (unsigned long long)rep.trees);
    ok(rep.branch > 0 && rep.overflow > 0 && rep.free > 0 && rep.applied_seq == r->seq, "it has pages of every kind", "not in this one");
    for (size_t page = 0; page < h.disk.n / 4096 && !all; page++) flip_page(&h, page);
    for (size_t at = 0; at < h.disk.n && all; at++)
        for (unsigned bit = 0; bit < 9; bit++) flip(&h, at, (unsigned char)(bit < 8 ? 1u << bit : 0xFF));
    printf("# %llu flips: %llu found, %llu without effect, %llu missed\n", (unsigned long long)h.flips, (unsigned long long)h.found, (unsigned long long)h.harmless,
           (unsigned long long)h.missed);
    ok(h.missed == 0 && h.flips >= h.disk.n, "every flip is found or has no effect", "%llu missed, first %s", (unsigned long long)h.missed, h.first);
    ok(h.found > h.flips / 10 && h.harmless > 0, "and both happen", "%llu found, %llu harmless", (unsigned long long)h.found, (unsigned long long)h.harmless);
    harness_close(&h);
}

/* A walk without one of its checks. What it would have found may make LMDB itself end the process, so only what damages no structure is tried. */
static void control(const struct rig *r)
{
    struct harness h;
    harness_open(&h, r);
    h.strike = "checksum";
    for (size_t at = 8192; at < h.disk.n && h.missed == 0; at += 7) flip(&h, at, 1);
    ok(h.missed > 0, "control: without checksums the harness finds flips that pass", "none of %llu", (unsigned long long)h.flips);
    harness_close(&h);
}

/* ---- whole pages and the file ---- */
static void every_page(const struct rig *r)
{
    struct harness h;
    struct walk_report rep;
    struct fault f;
    unsigned char was[4096];
    uint64_t missed = 0, tried = 0;
    harness_open(&h, r);
    size_t pages = h.disk.n / 4096;
    for (size_t a = 0; a < pages; a++)
        for (size_t b = 0; b < pages; b++) {                   /* a lost write, or one in the wrong place: page a holds what page b holds, or nothing */
            memcpy(was, h.disk.p + a * 4096, 4096);
            if (a == b) memset(h.disk.p + a * 4096, 0, 4096);
            else memcpy(h.disk.p + a * 4096, h.disk.p + b * 4096, 4096);
            tried++;
            if (memcmp(was, h.disk.p + a * 4096, 4096) != 0 && walk(&h.disk, &rep, &f) == ERR_OK) {
                missed += !same_contents(&h, a * 4096, h.disk.p + a * 4096, 4096);
                if (pwrite(h.fd, was, 4096, (off_t)(a * 4096)) != 4096) abort();
            }
            memcpy(h.disk.p + a * 4096, was, 4096);
        }
    ok(missed == 0, "pages lost or exchanged are found or free", "%llu of %llu", (unsigned long long)missed, (unsigned long long)tried);
    printf("# %llu exchanges of pages\n", (unsigned long long)tried);
    ok(walk(&h.disk, &rep, &f) == ERR_OK, "afterwards it is whole", "%s", f.text);
    size_t n = h.disk.n, last = (size_t)rep.pages * 4096;
    missed = 0;
    for (h.disk.n = 0; h.disk.n < last; h.disk.n += 61) missed += walk(&h.disk, &rep, &f) == ERR_OK;
    ok(missed == 0, "a file that is cut short is found", "%llu", (unsigned long long)missed);
    h.disk.n = n;
    harness_close(&h);
}

/* ---- files as LMDB leaves them ---- */
static void as_lmdb_leaves_them(void)
{
    struct rig r;
    struct walk_report rep;
    unsigned commits = 0;
    bool good = true;
    rig_open(&r);
    for (unsigned round = 0; round < 30 && good; round++) {     /* grows, changes, loses entries; the walk takes every state that LMDB commits */
        for (unsigned n = 1; n < 60; n++) {
            unsigned which = (n * 7 + round * 13) % 90 + 1;
            if (round % 3 == 2) rig_record(&r, FRAME_ERASE, "customers", which, EV_WHY, 0, -1, -1);
            else rig_life(&r, "customers", which);
            if (n % 9) continue;
            good = good && store_flush(r.s, &r.f) == ERR_OK && store_walk(&r.w, r.index, rig_options(&r).key, &rep, &r.f) == ERR_OK;
            commits += good;
        }
    }
    ok(good && rep.applied_seq + 9 > r.seq, "what LMDB commits is whole", "after %u commits: %s", commits, r.f.text);
    printf("# %u commits walked, %llu pages at the end\n", commits, (unsigned long long)rep.pages);
    ok(store_walk(&r.w, r.dir, rig_options(&r).key, &rep, &r.f) == ERR_NOT_FOUND, "where no index is, none is found", "%s", r.f.text);
    ok(store_walk(&r.w, r.index, (const unsigned char[32]){9}, &rep, &r.f) == ERR_CORRUPT, "an index of another key is not ours", "%s", r.f.text);
    rig_close(&r);
    rig_open(&r);
    ok(store_walk(&r.w, r.index, rig_options(&r).key, &rep, &r.f) == ERR_OK && rep.values == 1, "an index that was just made is whole", "%s", r.f.text);
    rig_close(&r);
}

/* ---- entries changed by somebody who has LMDB, and heads that contradict the file ---- */
static void expect(struct harness *h, const char *name, enum err want, const char *words)
{
    struct walk_report rep;
    struct fault f = {ERR_OK, ""};
    enum err e = walk(&h->disk, &rep, &f);
    ok(e == want && strstr(f.text, words), name, "%s", e == ERR_OK ? "it passed" : f.text);
}

enum change { CHANGE_SHORT, CHANGE_FORGED, CHANGE_LOST, CHANGE_OLD, CHANGE_MOVED, CHANGE_STATE, CHANGE_TABLE, CHANGE_STRANGER, CHANGE_PLAIN, CHANGE_NOTE, CHANGES };
static const struct { const char *name, *words; } changed[CHANGES] = {
    {"a value too short for a checksum", "without a checksum"}, {"a value without the right checksum", "does not match its checksum"},
    {"an entry taken out", "digest"}, {"an older value put back", "digest"}, {"a value under another key", "does not match its checksum"},
    {"no state record", "state record is missing"}, {"a table taken out", "the table is missing"}, {"a table too many", "nobody knows"},
    {"an entry among the tables", "another kind"}, {"an entry beside the state record", "does not match its checksum"}};

static MDB_val val(const void *p, size_t n) { return (MDB_val){n, (void *)(uintptr_t)p}; }

/* old: the first row's value of before. */
static bool change_entries(MDB_txn *txn, enum change which, MDB_val old)
{
    MDB_dbi rows, meta, main, other;
    MDB_cursor *c;
    MDB_val k, v, state = val("state", 5), name = val("plain", 5), junk = val("01234567890123456789", 20);
    if (mdb_dbi_open(txn, "rows", 0, &rows) || mdb_dbi_open(txn, "meta", 0, &meta) || mdb_dbi_open(txn, NULL, 0, &main) || mdb_cursor_open(txn, rows, &c) ||
        mdb_cursor_get(c, &k, &v, MDB_FIRST)) return false;
    switch (which) {
    case CHANGE_SHORT:    junk.mv_size = 7; return mdb_put(txn, rows, &k, &junk, 0) == 0;
    case CHANGE_FORGED:   return mdb_put(txn, rows, &k, &junk, 0) == 0;
    case CHANGE_LOST:     return mdb_del(txn, rows, &k, NULL) == 0;
    case CHANGE_OLD:      return mdb_put(txn, rows, &k, &old, 0) == 0;
    case CHANGE_MOVED:    return mdb_put(txn, rows, &name, &old, 0) == 0;
    case CHANGE_STATE:    return mdb_del(txn, meta, &state, NULL) == 0;
    case CHANGE_TABLE:    return mdb_dbi_open(txn, "held", 0, &other) == 0 && mdb_drop(txn, other, 1) == 0;
    case CHANGE_STRANGER: return mdb_dbi_open(txn, "stranger", MDB_CREATE, &other) == 0;
    case CHANGE_PLAIN:    return mdb_put(txn, main, &name, &junk, 0) == 0;
    case CHANGE_NOTE:     return mdb_put(txn, meta, &name, &junk, 0) == 0;
    case CHANGES: break;
    }
    return false;
}

static void with_lmdb(const struct rig *r, enum change which, MDB_val old)
{
    struct harness h;
    MDB_env *env;
    MDB_txn *txn;
    harness_open(&h, r);
    bool good = mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, TABLE_COUNT + 2) == 0 && mdb_env_set_mapsize(env, 64 << 20) == 0 &&
                mdb_env_open(env, h.dir, 0, 0600) == 0 && mdb_txn_begin(env, NULL, 0, &txn) == 0 && change_entries(txn, which, old) && mdb_txn_commit(txn) == 0;
    mdb_env_close(env);
    free(h.disk.p);
    h.disk.n = (size_t)lseek(h.fd, 0, SEEK_END);
    h.disk.p = malloc(h.disk.n);
    if (!good || !h.disk.p || pread(h.fd, h.disk.p, h.disk.n, 0) != (ssize_t)h.disk.n) abort();
    expect(&h, changed[which].name, ERR_CORRUPT, changed[which].words);
    harness_close(&h);
}

static void entries(struct rig *r)
{
    struct harness h;
    MDB_txn *txn;
    MDB_dbi rows;
    MDB_cursor *c;
    MDB_val k, v;
    unsigned char old[4096];
    harness_open(&h, r);
    if (mdb_txn_begin(h.lmdb.env, NULL, MDB_RDONLY, &txn) || mdb_dbi_open(txn, "rows", 0, &rows) || mdb_cursor_open(txn, rows, &c) || mdb_cursor_get(c, &k, &v, MDB_FIRST) ||
        v.mv_size > sizeof old) abort();
    size_t n = v.mv_size;
    memcpy(old, v.mv_data, n);
    mdb_cursor_close(c);
    mdb_txn_abort(txn);
    harness_close(&h);
    rig_record(r, FRAME_ROW, "customers", 2, EV_WANTED, 99, ROW_DIRTY, -1);
    for (unsigned i = 1; i < 29; i++) rig_record(r, FRAME_ROW, i % 3 == 1 ? "items" : "customers", i, EV_WANTED, 99, ROW_DIRTY, -1);
    if (store_flush(r->s, &r->f) != ERR_OK) abort();
    for (int i = 0; i < CHANGES; i++) with_lmdb(r, (enum change)i, val(old, n));
}

static void set(unsigned char *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t walk_le(const unsigned char *p, unsigned bytes)
{
    uint64_t v = 0;
    while (bytes--) v = v << 8 | p[bytes];
    return v;
}

/* Pages whose nodes still fill them, with something else wrong. free_root, main_root: leaves. */
static void nodes(struct harness *h, size_t free_root, size_t main_root)
{
    unsigned char was[4096], *page = h->disk.p + free_root * 4096, *node;
    memcpy(was, page, sizeof was);
    node = page + walk_le(page + 16, 2);
    set(node, walk_le(node, 2) - 1, 2);
    expect(h, "a list of free pages of an odd length", ERR_CORRUPT, "no list of pages");
    memcpy(page, was, sizeof was);
    set(node + 8, 0, 8);
    expect(h, "pages that were freed before the first commit", ERR_CORRUPT, "no list of pages");
    memcpy(page, was, sizeof was);
    set(node + 16, walk_le(node + 16, 8) + 1, 8);
    expect(h, "a list with a wrong count", ERR_CORRUPT, "no list of pages");
    memcpy(page, was, sizeof was);
    set(node + 6, 0, 2);
    set(node, walk_le(node, 2) + 8, 2);
    expect(h, "a number that is none", ERR_CORRUPT, "another kind");
    memcpy(page, was, sizeof was);
    set(page + 12, walk_le(page + 12, 2) + 1, 2);
    expect(h, "a lower bound within an offset", ERR_CORRUPT, "bounds");
    memcpy(page, was, sizeof was);
    set(page + 14, 5000, 2);
    expect(h, "an upper bound behind the page", ERR_CORRUPT, "bounds");
    memcpy(page, was, sizeof was);
    page = h->disk.p + main_root * 4096;
    memcpy(was, page, sizeof was);
    node = page + walk_le(page + 16, 2);
    set(node, walk_le(node, 2) + walk_le(node + 6, 2), 2);
    set(node + 6, 0, 2);
    expect(h, "an entry without a key", ERR_CORRUPT, "another kind");
    memcpy(page, was, sizeof was);
}

static void heads(const struct rig *r)
{
    struct harness h;
    unsigned char was[8192];
    harness_open(&h, r);
    memcpy(was, h.disk.p, sizeof was);
    unsigned char *young = h.disk.p + (h.disk.p[144] < h.disk.p[4096 + 144] ? 4096 : 0);       /* by the number of the commit */
    uint64_t last = young[136] | (uint64_t)young[137] << 8;
    static const struct { const char *name; size_t at; uint64_t v; unsigned bytes; const char *words; } head[] = {
        {"pages too small", 40, 256, 4, "no page has this size"}, {"pages too large", 40, 65536, 4, "no page has this size"},
        {"no last page", 136, 0, 8, "shorter than its head says"}, {"a map that is too small", 32, 8192, 8, "the map is smaller"},
        {"a map that is no number of pages", 32, 4097, 8, "the map is smaller"}, {"unknown flags", 44, 12, 2, "unknown flags"}, {"a depth without a root", 128, UINT64_MAX, 8, "depth"},
        {"a tree that is too deep", 94, 40, 2, "depth"}, {"an address", 24, 4096, 8, "head"}};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
        set((strstr(head[i].name, "pages too") ? h.disk.p : young) + head[i].at, head[i].v, head[i].bytes);
        expect(&h, head[i].name, ERR_CORRUPT, head[i].words);
        memcpy(h.disk.p, was, sizeof was);
    }
    set(young + 144, young[144] + 1u, 8);
    expect(&h, "a commit in the other one's place", ERR_CORRUPT, "head");
    memcpy(h.disk.p, was, sizeof was);
    nodes(&h, (size_t)walk_le(young + 80, 8), (size_t)walk_le(young + 128, 8));
    h.disk.p = realloc(h.disk.p, h.disk.n + 8192);
    if (!h.disk.p) abort();
    young = h.disk.p + (was[144] < was[4096 + 144] ? 4096 : 0);
    memset(h.disk.p + h.disk.n, 0, 8192);
    h.disk.n += 8192;
    set(young + 136, last + 1, 8);
    expect(&h, "a page more than there are", ERR_CORRUPT, "neither in use nor free");
    memcpy(h.disk.p, was, sizeof was);
    h.disk.no_size = true;
    expect(&h, "a size that cannot be asked for", ERR_IO, "cannot read");
    h.disk.no_size = false;
    h.disk.refuse = EACCES;
    expect(&h, "a file that cannot be opened", ERR_IO, "cannot open");
    h.disk.refuse = 0;
    h.disk.stop = 1;
    expect(&h, "a read that fails at once", ERR_IO, "cannot be read");
    harness_close(&h);
}

/* Somebody reads an old state for long: the pages freed meanwhile fill a tree of their own, of several levels. */
static void many_free(void)
{
    struct rig r;
    struct walk_report rep;
    struct lmdb reader;
    MDB_txn *txn;
    rig_open(&r);
    rig_fill(&r, 20, 1);
    if (mdb_env_create(&reader.env) || mdb_env_set_maxdbs(reader.env, TABLE_COUNT) || mdb_env_open(reader.env, r.index, MDB_RDONLY, 0600) ||
        mdb_txn_begin(reader.env, NULL, MDB_RDONLY, &txn)) abort();
    bool good = true;
    for (unsigned i = 0; i < 160 && good; i++) {
        rig_record(&r, FRAME_ROW, "customers", i % 20 + 1, EV_WANTED, 120, ROW_DIRTY, -1);
        good = store_flush(r.s, &r.f) == ERR_OK;
    }
    ok(good && store_walk(&r.w, r.index, rig_options(&r).key, &rep, &r.f) == ERR_OK && rep.free > 300, "a tree of free pages of several levels is whole", "%s", r.f.text);
    mdb_txn_abort(txn);
    mdb_env_close(reader.env);
    rig_close(&r);
}

static void cost(void)
{
    struct rig r;
    struct walk_report rep;
    struct timespec a, b;
    rig_open(&r);
    rig_fill(&r, 3000, 30);
    clock_gettime(CLOCK_MONOTONIC, &a);
    enum err e = store_walk(&r.w, r.index, rig_options(&r).key, &rep, &r.f);
    clock_gettime(CLOCK_MONOTONIC, &b);
    double s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9, mib = (double)rep.pages * 4096 / (1 << 20);
    ok(e == ERR_OK, "a larger one is whole", "%s", r.f.text);
    struct harness h;
    harness_open(&h, &r);
    e = walk(&h.disk, &rep, &r.f);
    uint64_t reads = h.disk.preads, missed = 0, tried = 0;
    for (uint64_t stop = 1; stop <= reads; stop += stop < 20 ? 1 : 37, tried++) {
        h.disk.stop = stop;
        missed += walk(&h.disk, &rep, &r.f) != ERR_IO;
    }
    ok(e == ERR_OK && reads > 100 && missed == 0, "a read that fails is told as such", "%llu of %llu", (unsigned long long)missed, (unsigned long long)tried);
    harness_close(&h);
    printf("# %.1f MiB in %.1f ms: %.1f s for each GiB\n", mib, s * 1000, s * 1024 / mib);
    rig_close(&r);
}

int main(void)
{
    struct rig r;
    const char *flips = getenv("FLIPS");
    if (sodium_init() < 0) return 1;
    rig_open(&r);
    rig_fill(&r, 28, 3);
    every_byte(&r, flips && strcmp(flips, "all") == 0);
    control(&r);
    every_page(&r);
    heads(&r);
    entries(&r);
    rig_close(&r);
    many_free();
    as_lmdb_leaves_them();
    cost();
    return ok_failures != 0;
}
