/* journal_fuzz.c - a log of a whole life, with bytes of its files written over. What opens must be what was written, up to an end that was not
 * promised; everything else must be refused with a sentence. Nothing in between: an altered frame is never read.
 *
 *   input = how much the index has folded | patch | patch | ...      patch = file, offset 2, length, bytes; an odd file number mends the checksums after it
 */
#include "base/check.h"
#include "base/hash.h"
#include "tests/unit/journal/rig.h"
#include <fcntl.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

enum { HEADER = 128 };

static struct rig *written(void)
{
    static struct rig *r;
    if (r) return r;
    r = malloc(sizeof *r);
    if (!r) abort();
    rig_init(r, memdisk_new());
    struct journal *j;
    struct fault f;
    struct journal_options o = rig_options(r);
    if (journal_open(&j, &r->w, &o, &f) != ERR_OK || rig_work(r, j, 14) != ERR_OK) abort();
    journal_close(j);
    return r;
}

static void put32(struct rig *r, int fd, int64_t at, uint32_t v)
{
    unsigned char b[4] = {(unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16), (unsigned char)(v >> 24)};
    (void)r->w.files.pwrite(r->w.files.ctx, fd, b, 4, at);
}

/* Header and frames as far as the lengths lead: so that what lies behind the checksums is reached. */
static void mend(struct rig *r, int fd, const char *path)
{
    struct str all;
    if (!memdisk_content(r->d, path, &all) || all.n < HEADER) return;
    unsigned char *p = malloc(all.n);
    if (!p) abort();
    memcpy(p, all.p, all.n);
    size_t n = all.n;
    put32(r, fd, HEADER - 4, crc32c(0, p, HEADER - 4));
    for (size_t at = HEADER; at + 72 <= n;) {
        uint32_t len = (uint32_t)p[at] | (uint32_t)p[at + 1] << 8 | (uint32_t)p[at + 2] << 16 | (uint32_t)p[at + 3] << 24;
        if (len < 8 || len > n - at) break;
        put32(r, fd, (int64_t)at + 4, crc32c(crc32c(0, p + at, 4), p + at + 8, len - 8));
        at += len;
    }
    free(p);
}

static size_t patch(struct rig *r, const unsigned char *p, size_t n)
{
    static const char *const paths[] = {"/log/00000001.seg", "/log/00000002.seg", "/log/00000003.seg", "/log/checkpoints.log"};
    if (n < 4) return n;
    size_t len = p[3] < n - 4 ? p[3] : n - 4;
    const char *path = paths[p[0] / 2 % 4];
    int fd = r->w.files.open(r->w.files.ctx, path, O_RDWR, 0);
    if (fd < 0) return 4 + len;
    (void)r->w.files.pwrite(r->w.files.ctx, fd, p + 4, len, p[1] | p[2] << 8);
    if (p[0] & 1 && p[0] / 2 % 4 != 3) mend(r, fd, path);
    r->w.files.close(r->w.files.ctx, fd);
    return 4 + len;
}

/* Every frame that comes out was written so; damage that is met on the way ends the reading with an alarm, and only with that. */
static bool read_right(struct rig *r, struct journal *j)
{
    struct fault f = {ERR_OK, ""};
    struct rig_reading rd = {r, 0};
    enum err e = journal_read(j, 1, rig_check_frame, &rd, &f);
    bool whole = rd.n == journal_durable_seq(j) && rd.n >= r->m.acked && (rd.n == 0 || r->m.v[rd.n - 1].last);
    if (e == ERR_OK ? whole : e == ERR_CORRUPT) return true;
    fprintf(stderr, "read: %s (%zu frames)\n", f.text, rd.n);
    return false;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n < 5) return 0;
    struct rig *r = rig_copy(written());
    r->m.acked = r->m.applied = data[0] % (r->m.n + 1);
    for (size_t at = 1; at < n;) at += patch(r, data + at, n - at);
    struct journal *j = NULL;
    struct fault f = {ERR_OK, ""};
    struct journal_options o = rig_options(r);
    enum err e = journal_open(&j, &r->w, &o, &f);
    if (e == ERR_OK) ASSERT(read_right(r, j));
    else ASSERT(f.text[0]);
    journal_close(j);
    rig_drop(r);
    return 0;
}
