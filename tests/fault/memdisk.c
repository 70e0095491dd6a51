/* memdisk.c - see memdisk.h. Inodes are never reused; the queue is one list in the order of the calls, over all files and directories. */
#include "tests/fault/memdisk.h"
#include "base/check.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define SECTOR 512u
#define FDS    64

struct bytes { unsigned char *p; size_t n, cap; };
struct inode { struct bytes cache, platter; bool dir; unsigned mode; int locked_by; };
struct name { char *path; size_t ino; };
struct names { struct name *v; size_t n, cap; };
enum what { WRITE, TRUNC, LINK, UNLINK, RENAME };
enum sort { SORT_OPEN, SORT_PWRITE, SORT_SYNC, SORT_SYNC_DIR, SORT_TRUNC, SORT_RENAME, SORT_UNLINK, SORT_MKDIR };
struct change { enum what what; size_t ino; uint64_t off; unsigned char *data; size_t n; char *path, *from; bool clean; };

struct plan { uint64_t call; int why; size_t partial; bool lasting, hit; enum sort sort; };

struct memdisk {
    struct inode *inodes; size_t ninodes, inodes_cap;
    struct names cache, platter;
    struct change *queue; size_t nqueue, queue_cap;
    struct { bool used; size_t ino; } fds[FDS];
    uint64_t calls;
    struct plan fail, stop;
    bool stopped, fail_next_pwrite;
    int64_t capacity;
};

/* ---- bytes, names, inodes ---- */

static void *grown(void *p, size_t n, size_t size)
{
    p = realloc(p, n * size);
    if (!p) check_no_memory();
    return p;
}

static char *text_copy(const char *s)
{
    char *p = s ? strdup(s) : NULL;
    if (s && !p) check_no_memory();
    return p;
}

static void bytes_size(struct bytes *b, size_t n)
{
    if (n > b->cap) {
        b->cap = n * 2;
        b->p = grown(b->p, b->cap, 1);
    }
    if (n > b->n) memset(b->p + b->n, 0, n - b->n);
    b->n = n;
}

static void bytes_write(struct bytes *b, uint64_t off, const void *p, size_t n)
{
    if (n == 0) return;
    if (off + n > b->n) bytes_size(b, (size_t)off + n);
    memcpy(b->p + off, p, n);
}

static void bytes_set(struct bytes *to, const struct bytes *from)
{
    to->n = 0;
    bytes_size(to, from->n);
    if (from->n) memcpy(to->p, from->p, from->n);
}

static size_t name_find(const struct names *t, const char *path)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->v[i].path, path) == 0) return i;
    return SIZE_MAX;
}

static void name_remove(struct names *t, const char *path)
{
    size_t i = name_find(t, path);
    if (i == SIZE_MAX) return;
    free(t->v[i].path);
    t->v[i] = t->v[--t->n];
}

static void name_set(struct names *t, const char *path, size_t ino)
{
    size_t i = name_find(t, path);
    if (i != SIZE_MAX) { t->v[i].ino = ino; return; }
    if (t->n == t->cap) t->v = grown(t->v, t->cap = t->cap ? t->cap * 2 : 16, sizeof *t->v);
    t->v[t->n++] = (struct name){text_copy(path), ino};
}

static void names_clear(struct names *t)
{
    for (size_t i = 0; i < t->n; i++) free(t->v[i].path);
    t->n = 0;
}

static void names_set(struct names *to, const struct names *from)
{
    names_clear(to);
    for (size_t i = 0; i < from->n; i++) name_set(to, from->v[i].path, from->v[i].ino);
}

static void parent_of(const char *path, char out[512])
{
    snprintf(out, 512, "%s", path);
    char *slash = strrchr(out, '/');
    ASSERT(slash);                      /* paths are absolute */
    slash[slash == out ? 1 : 0] = '\0';
}

static bool has_parent(const struct memdisk *d, const struct names *t, const char *path)
{
    char dir[512];
    parent_of(path, dir);
    size_t i = name_find(t, dir);
    return i != SIZE_MAX && d->inodes[t->v[i].ino].dir;
}

static size_t inode_new(struct memdisk *d, bool dir, unsigned mode)
{
    if (d->ninodes == d->inodes_cap) d->inodes = grown(d->inodes, d->inodes_cap = d->inodes_cap ? d->inodes_cap * 2 : 16, sizeof *d->inodes);
    d->inodes[d->ninodes] = (struct inode){.dir = dir, .mode = mode, .locked_by = -1};
    return d->ninodes++;
}

static struct change *queue_add(struct memdisk *d, enum what what, size_t ino, const char *path, const char *from)
{
    if (d->nqueue == d->queue_cap) d->queue = grown(d->queue, d->queue_cap = d->queue_cap ? d->queue_cap * 2 : 16, sizeof *d->queue);
    d->queue[d->nqueue] = (struct change){.what = what, .ino = ino, .path = text_copy(path), .from = text_copy(from)};
    return &d->queue[d->nqueue++];
}

static void change_free(struct change *c)
{
    free(c->data);
    free(c->path);
    free(c->from);
}

/* Puts a change on the platter. */
static void apply(struct memdisk *d, const struct change *c)
{
    struct bytes *b = &d->inodes[c->ino].platter;
    size_t i;
    switch (c->what) {
    case WRITE: bytes_write(b, c->off, c->data, c->n); break;
    case TRUNC: bytes_size(b, (size_t)c->off); break;
    case LINK: name_set(&d->platter, c->path, c->ino); break;
    case UNLINK: name_remove(&d->platter, c->path); break;
    case RENAME:
        i = name_find(&d->platter, c->from);
        if (i != SIZE_MAX && d->platter.v[i].ino == c->ino) name_remove(&d->platter, c->from);
        name_set(&d->platter, c->path, c->ino);
        break;
    }
}

/* ---- faults ---- */

/* Counts a call; -1 with errno when it is to fail. *partial: bytes that a pwrite still takes. */
static int enter(struct memdisk *d, enum sort sort, size_t *partial)
{
    *partial = 0;
    if (d->stopped) { errno = EIO; return -1; }
    d->calls++;
    if (d->stop.call && d->calls == d->stop.call) {
        d->stopped = true;
        *partial = d->stop.partial;
        errno = EIO;
        return -1;
    }
    if (sort == SORT_PWRITE && d->fail_next_pwrite) {
        d->fail_next_pwrite = d->fail.lasting;
        errno = d->fail.why;
        return -1;
    }
    if (d->fail.call && (d->calls == d->fail.call || (d->fail.hit && d->fail.lasting && sort == d->fail.sort))) {
        if (!d->fail.hit) *partial = d->fail.partial;
        d->fail.hit = true;
        d->fail.sort = sort;
        errno = d->fail.why;
        return -1;
    }
    return 0;
}

static bool bad_fd(const struct memdisk *d, int fd)
{
    if (fd >= 0 && fd < FDS && d->fds[fd].used) return false;
    errno = EBADF;
    return true;
}

/* ---- world.files ---- */

static int md_open(void *ctx, const char *path, int flags, int mode)
{
    struct memdisk *d = ctx;
    size_t partial, i = name_find(&d->cache, path), ino;
    int fd = 0;
    if (d->stopped) { errno = EIO; return -1; }
    if (flags & (O_CREAT | O_TRUNC) && enter(d, SORT_OPEN, &partial) != 0) return -1;
    if (i == SIZE_MAX && (!(flags & O_CREAT) || !has_parent(d, &d->cache, path))) { errno = ENOENT; return -1; }
    if (i != SIZE_MAX && (flags & O_CREAT) && (flags & O_EXCL)) { errno = EEXIST; return -1; }
    while (fd < FDS && d->fds[fd].used) fd++;
    if (fd == FDS) { errno = EMFILE; return -1; }
    if (i == SIZE_MAX) {
        ino = inode_new(d, false, (unsigned)mode);
        name_set(&d->cache, path, ino);
        queue_add(d, LINK, ino, path, NULL);
    } else {
        ino = d->cache.v[i].ino;
        if (d->inodes[ino].dir) { errno = EISDIR; return -1; }
        if (flags & O_TRUNC && d->inodes[ino].cache.n) {
            bytes_size(&d->inodes[ino].cache, 0);
            queue_add(d, TRUNC, ino, NULL, NULL)->off = 0;
        }
    }
    d->fds[fd].used = true;
    d->fds[fd].ino = ino;
    return fd;
}

static int md_close(void *ctx, int fd)
{
    struct memdisk *d = ctx;
    if (bad_fd(d, fd)) return -1;
    d->fds[fd].used = false;
    if (d->inodes[d->fds[fd].ino].locked_by == fd) d->inodes[d->fds[fd].ino].locked_by = -1;
    return 0;
}

static int64_t md_pread(void *ctx, int fd, void *p, size_t n, int64_t off)
{
    struct memdisk *d = ctx;
    if (d->stopped) { errno = EIO; return -1; }
    if (bad_fd(d, fd)) return -1;
    const struct bytes *b = &d->inodes[d->fds[fd].ino].cache;
    if ((uint64_t)off >= b->n) return 0;
    if (n > b->n - (size_t)off) n = b->n - (size_t)off;
    memcpy(p, b->p + off, n);
    return (int64_t)n;
}

static void put(struct memdisk *d, size_t ino, const void *p, size_t n, uint64_t off)
{
    if (n == 0) return;
    bytes_write(&d->inodes[ino].cache, off, p, n);
    struct change *c = queue_add(d, WRITE, ino, NULL, NULL);
    memcpy(c->data = grown(NULL, n, 1), p, n);
    c->n = n;
    c->off = off;
}

static size_t room(const struct memdisk *d, size_t ino, uint64_t off, size_t n)
{
    if (d->capacity < 0) return n;
    int64_t used = 0;
    for (size_t i = 0; i < d->cache.n; i++) used += (int64_t)d->inodes[d->cache.v[i].ino].cache.n;
    int64_t end = (int64_t)d->inodes[ino].cache.n + (d->capacity > used ? d->capacity - used : 0);
    if ((int64_t)(off + n) <= end) return n;
    return (int64_t)off < end ? (size_t)(end - (int64_t)off) : 0;
}

static int64_t md_pwrite(void *ctx, int fd, const void *p, size_t n, int64_t off)
{
    struct memdisk *d = ctx;
    size_t partial;
    if (bad_fd(d, fd)) return -1;
    size_t ino = d->fds[fd].ino;
    if (enter(d, SORT_PWRITE, &partial) != 0) {
        int why = errno;
        if (partial > n) partial = n;
        put(d, ino, p, partial, (uint64_t)off);
        d->fail_next_pwrite = !d->stopped && partial;
        errno = why;
        return d->fail_next_pwrite ? (int64_t)partial : -1;
    }
    size_t fits = room(d, ino, (uint64_t)off, n);
    if (fits == 0 && n) { errno = ENOSPC; return -1; }
    put(d, ino, p, fits, (uint64_t)off);
    return (int64_t)fits;
}

static bool in_dir(const struct change *c, const char *dir)
{
    char parent[512];
    if (c->what >= LINK) parent_of(c->path, parent);
    return c->what >= LINK && strcmp(parent, dir) == 0;
}

/* Moves the changes of a file, or of the names in a directory, from the queue to the platter; or marks them clean when that failed. */
static void flush(struct memdisk *d, size_t ino, const char *dir, bool works)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->nqueue; i++) {
        struct change *c = &d->queue[i];
        bool mine = dir ? in_dir(c, dir) : c->what < LINK && c->ino == ino;
        if (mine && !works) c->clean = true;
        if (!mine || c->clean) {
            d->queue[kept++] = *c;
            continue;
        }
        apply(d, c);
        change_free(c);
    }
    d->nqueue = kept;
}

static int md_fdatasync(void *ctx, int fd)
{
    struct memdisk *d = ctx;
    size_t partial;
    if (bad_fd(d, fd)) return -1;
    bool works = enter(d, SORT_SYNC, &partial) == 0;
    if (works || !d->stopped) flush(d, d->fds[fd].ino, NULL, works);
    return works ? 0 : -1;
}

static int md_sync_dir(void *ctx, const char *dir)
{
    struct memdisk *d = ctx;
    size_t partial;
    if (name_find(&d->cache, dir) == SIZE_MAX) { errno = ENOENT; return -1; }
    bool works = enter(d, SORT_SYNC_DIR, &partial) == 0;
    if (works || !d->stopped) flush(d, 0, dir, works);
    return works ? 0 : -1;
}

static int md_ftruncate(void *ctx, int fd, int64_t n)
{
    struct memdisk *d = ctx;
    size_t partial;
    if (bad_fd(d, fd) || enter(d, SORT_TRUNC, &partial) != 0) return -1;
    bytes_size(&d->inodes[d->fds[fd].ino].cache, (size_t)n);
    queue_add(d, TRUNC, d->fds[fd].ino, NULL, NULL)->off = (uint64_t)n;
    return 0;
}

static int md_rename(void *ctx, const char *from, const char *to)
{
    struct memdisk *d = ctx;
    size_t partial, i;
    if (enter(d, SORT_RENAME, &partial) != 0) return -1;
    if ((i = name_find(&d->cache, from)) == SIZE_MAX || !has_parent(d, &d->cache, to)) { errno = ENOENT; return -1; }
    size_t ino = d->cache.v[i].ino;
    name_remove(&d->cache, from);
    name_set(&d->cache, to, ino);
    queue_add(d, RENAME, ino, to, from);
    return 0;
}

static int md_unlink(void *ctx, const char *path)
{
    struct memdisk *d = ctx;
    size_t partial;
    if (enter(d, SORT_UNLINK, &partial) != 0) return -1;
    if (name_find(&d->cache, path) == SIZE_MAX) { errno = ENOENT; return -1; }
    name_remove(&d->cache, path);
    queue_add(d, UNLINK, 0, path, NULL);
    return 0;
}

static int md_mkdir(void *ctx, const char *path, int mode)
{
    struct memdisk *d = ctx;
    size_t partial;
    if (enter(d, SORT_MKDIR, &partial) != 0) return -1;
    if (name_find(&d->cache, path) != SIZE_MAX) { errno = EEXIST; return -1; }
    if (!has_parent(d, &d->cache, path)) { errno = ENOENT; return -1; }
    size_t ino = inode_new(d, true, (unsigned)mode);
    name_set(&d->cache, path, ino);
    queue_add(d, LINK, ino, path, NULL);
    return 0;
}

static int64_t md_size(void *ctx, int fd)
{
    struct memdisk *d = ctx;
    if (d->stopped) { errno = EIO; return -1; }
    return bad_fd(d, fd) ? -1 : (int64_t)d->inodes[d->fds[fd].ino].cache.n;
}

static int by_path(const void *a, const void *b) { return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path); }

static int md_list(void *ctx, const char *dir, void (*each)(void *arg, const char *name), void *arg)
{
    struct memdisk *d = ctx;
    if (d->stopped) { errno = EIO; return -1; }
    if (name_find(&d->cache, dir) == SIZE_MAX) { errno = ENOENT; return -1; }
    struct names copy = {0};
    names_set(&copy, &d->cache);
    qsort(copy.v, copy.n, sizeof *copy.v, by_path);
    for (size_t i = 0; i < copy.n; i++) {
        char parent[512];
        parent_of(copy.v[i].path, parent);
        if (strcmp(parent, dir) == 0 && strcmp(copy.v[i].path, "/") != 0) each(arg, strrchr(copy.v[i].path, '/') + 1);
    }
    names_clear(&copy);
    free(copy.v);
    return 0;
}

static int md_lock(void *ctx, int fd)
{
    struct memdisk *d = ctx;
    if (bad_fd(d, fd)) return -1;
    struct inode *n = &d->inodes[d->fds[fd].ino];
    if (n->locked_by >= 0 && n->locked_by != fd) { errno = EWOULDBLOCK; return -1; }
    n->locked_by = fd;
    return 0;
}

static int md_mode(void *ctx, const char *path, unsigned *mode, bool *ours)
{
    struct memdisk *d = ctx;
    size_t i = name_find(&d->cache, path);
    if (d->stopped || i == SIZE_MAX) { errno = d->stopped ? EIO : ENOENT; return -1; }
    *mode = d->inodes[d->cache.v[i].ino].mode;
    *ours = true;
    return 0;
}

void memdisk_files(struct memdisk *d, struct world_files *out)
{
    *out = (struct world_files){md_open, md_close, md_pread, md_pwrite, md_fdatasync, md_sync_dir, md_ftruncate, md_rename, md_unlink, md_mkdir,
                                md_size, md_list, md_lock, md_mode, d};
}

/* ---- life, faults, power ---- */

struct memdisk *memdisk_new(void)
{
    struct memdisk *d = grown(NULL, 1, sizeof *d);
    memset(d, 0, sizeof *d);
    d->capacity = -1;
    size_t root = inode_new(d, true, 0755);
    name_set(&d->cache, "/", root);
    name_set(&d->platter, "/", root);
    return d;
}

void memdisk_free(struct memdisk *d)
{
    if (!d) return;
    for (size_t i = 0; i < d->nqueue; i++) change_free(&d->queue[i]);
    for (size_t i = 0; i < d->ninodes; i++) free(d->inodes[i].cache.p), free(d->inodes[i].platter.p);
    names_clear(&d->cache);
    names_clear(&d->platter);
    free(d->cache.v);
    free(d->platter.v);
    free(d->queue);
    free(d->inodes);
    free(d);
}

struct memdisk *memdisk_copy(const struct memdisk *d)
{
    struct memdisk *c = memdisk_new();
    c->capacity = d->capacity;
    for (size_t i = 0; i < d->ninodes; i++) {
        if (i) inode_new(c, d->inodes[i].dir, d->inodes[i].mode);       /* 0 is the root */
        bytes_set(&c->inodes[i].cache, &d->inodes[i].cache);
        bytes_set(&c->inodes[i].platter, &d->inodes[i].platter);
    }
    names_set(&c->cache, &d->cache);
    names_set(&c->platter, &d->platter);
    for (size_t i = 0; i < d->nqueue; i++) {
        const struct change *from = &d->queue[i];
        struct change *to = queue_add(c, from->what, from->ino, from->path, from->from);
        to->off = from->off;
        to->n = from->n;
        to->clean = from->clean;
        if (from->n) memcpy(to->data = grown(NULL, from->n, 1), from->data, from->n);
    }
    return c;
}

uint64_t memdisk_calls(const struct memdisk *d) { return d->calls; }
void memdisk_count_from(struct memdisk *d) { d->calls = 0; }
bool memdisk_stopped(const struct memdisk *d) { return d->stopped; }
void memdisk_capacity(struct memdisk *d, int64_t bytes) { d->capacity = bytes; }
size_t memdisk_queued(const struct memdisk *d) { return d->nqueue; }
size_t memdisk_queued_bytes(const struct memdisk *d, size_t i) { return i < d->nqueue ? d->queue[i].n : 0; }

void memdisk_fail(struct memdisk *d, uint64_t call, int why, size_t partial, bool lasting)
{
    d->fail = (struct plan){.call = call, .why = why, .partial = partial, .lasting = lasting};
}

void memdisk_stop(struct memdisk *d, uint64_t call, size_t partial)
{
    d->stop = (struct plan){.call = call, .partial = partial};
}

void memdisk_kill(struct memdisk *d)
{
    for (int i = 0; i < FDS; i++) d->fds[i].used = false;
    for (size_t i = 0; i < d->ninodes; i++) d->inodes[i].locked_by = -1;
    d->fail = d->stop = (struct plan){.call = 0};
    d->stopped = d->fail_next_pwrite = false;
    d->calls = 0;
}

static uint64_t next_random(uint64_t *s)
{
    uint64_t z = (*s += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Sector by sector, each kept or lost; now and then one is torn. */
static void apply_sectors(struct memdisk *d, const struct change *c, uint64_t *seed)
{
    for (size_t at = 0; at < c->n;) {
        size_t n = SECTOR - (size_t)((c->off + at) % SECTOR);
        if (n > c->n - at) n = c->n - at;
        uint64_t r = next_random(seed);
        size_t keep = r & 1 ? n : (r >> 1) % 8 == 0 ? (size_t)(r >> 8) % n : 0;
        bytes_write(&d->inodes[c->ino].platter, c->off + at, c->data + at, keep);
        at += n;
    }
}

static void survive(struct memdisk *d, enum memdisk_loss loss, uint64_t detail, size_t torn)
{
    uint64_t seed = detail;
    for (size_t i = 0; i < d->nqueue; i++) {
        struct change *c = &d->queue[i];
        bool whole = loss == MEMDISK_KEEP_ALL || (loss == MEMDISK_PREFIX && i < detail);
        if (loss == MEMDISK_RANDOM) {
            uint64_t r = next_random(&seed) % 4;
            if (c->what == WRITE && r == 1) apply_sectors(d, c, &seed);
            whole = r >= 2;
        }
        if (whole) apply(d, c);
        else if (loss == MEMDISK_PREFIX && i == detail && c->what == WRITE) bytes_write(&d->inodes[c->ino].platter, c->off, c->data, torn < c->n ? torn : c->n);
        change_free(c);
    }
    d->nqueue = 0;
}

void memdisk_crash(struct memdisk *d, enum memdisk_loss loss, uint64_t detail, size_t torn)
{
    survive(d, loss, detail, torn);
    for (bool again = true; again;) {           /* what lies in a directory that is gone is gone */
        again = false;
        for (size_t i = 0; i < d->platter.n && !again; i++)
            if (strcmp(d->platter.v[i].path, "/") != 0 && !has_parent(d, &d->platter, d->platter.v[i].path)) {
                char path[512];
                snprintf(path, sizeof path, "%s", d->platter.v[i].path);
                name_remove(&d->platter, path);
                again = true;
            }
    }
    names_set(&d->cache, &d->platter);
    for (size_t i = 0; i < d->ninodes; i++) bytes_set(&d->inodes[i].cache, &d->inodes[i].platter);
    memdisk_kill(d);
}

/* ---- for tests ---- */

bool memdisk_content(const struct memdisk *d, const char *path, struct str *out)
{
    size_t i = name_find(&d->cache, path);
    const struct bytes *b = i == SIZE_MAX ? NULL : &d->inodes[d->cache.v[i].ino].cache;
    if (b) *out = (struct str){(const char *)b->p, b->n};
    return b != NULL;
}

bool memdisk_flip(struct memdisk *d, const char *path, uint64_t bit)
{
    size_t i = name_find(&d->cache, path);
    struct inode *n = &d->inodes[i == SIZE_MAX ? 0 : d->cache.v[i].ino];        /* 0 is the root, which has no bytes */
    if (bit / 8 < n->cache.n) n->cache.p[bit / 8] ^= (unsigned char)(1u << (bit % 8));
    if (bit / 8 < n->platter.n) n->platter.p[bit / 8] ^= (unsigned char)(1u << (bit % 8));
    return bit / 8 < n->cache.n;
}

bool memdisk_export(const struct memdisk *d, const char *dir, const char *real_dir)
{
    for (size_t i = 0; i < d->cache.n; i++) {
        char parent[512], path[1024];
        const struct inode *n = &d->inodes[d->cache.v[i].ino];
        parent_of(d->cache.v[i].path, parent);
        if (n->dir || strcmp(parent, dir) != 0) continue;
        snprintf(path, sizeof path, "%s/%s", real_dir, strrchr(d->cache.v[i].path, '/') + 1);
        FILE *f = fopen(path, "wb");
        if (!f) return false;
        bool ok = n->cache.n == 0 || fwrite(n->cache.p, 1, n->cache.n, f) == n->cache.n;
        if (fclose(f) != 0 || !ok) return false;
    }
    return true;
}
