/* failing_disk.c - see failing_disk.h. */
#include "tests/fault/failing_disk.h"
#include <errno.h>

static bool hit(struct failing_disk *d)
{
    d->calls++;
    if (d->at == 0 || d->calls < d->at || (d->calls > d->at && !d->lasting)) return false;
    errno = d->why;
    return true;
}

static int x_open(void *c, const char *path, int flags, int mode)
{
    struct failing_disk *d = c;
    return hit(d) ? -1 : d->real.open(d->real.ctx, path, flags, mode);
}
static int x_close(void *c, int fd)
{
    struct failing_disk *d = c;
    return d->real.close(d->real.ctx, fd);
}
static int64_t x_pread(void *c, int fd, void *p, size_t n, int64_t off)
{
    struct failing_disk *d = c;
    if (hit(d)) return d->reads_nothing ? 0 : -1;
    return d->real.pread(d->real.ctx, fd, p, n, off);
}
static int64_t x_pwrite(void *c, int fd, const void *p, size_t n, int64_t off)
{
    struct failing_disk *d = c;
    if (hit(d)) return d->writes_nothing ? 0 : -1;
    return d->real.pwrite(d->real.ctx, fd, p, n, off);
}
static int x_fdatasync(void *c, int fd)
{
    struct failing_disk *d = c;
    return hit(d) ? -1 : d->real.fdatasync(d->real.ctx, fd);
}
static int x_sync_dir(void *c, const char *dir)
{
    struct failing_disk *d = c;
    return hit(d) ? -1 : d->real.sync_dir(d->real.ctx, dir);
}
static int x_ftruncate(void *c, int fd, int64_t n)
{
    struct failing_disk *d = c;
    return hit(d) ? -1 : d->real.ftruncate(d->real.ctx, fd, n);
}
static int x_rename(void *c, const char *from, const char *to)
{
    struct failing_disk *d = c;
    return hit(d) ? -1 : d->real.rename(d->real.ctx, from, to);
}
static int x_unlink(void *c, const char *path)
{
    struct failing_disk *d = c;
    return hit(d) ? -1 : d->real.unlink(d->real.ctx, path);
}
static int x_mkdir(void *c, const char *path, int mode)
{
    struct failing_disk *d = c;
    return hit(d) ? -1 : d->real.mkdir(d->real.ctx, path, mode);
}
static int64_t x_size(void *c, int fd)
{
    struct failing_disk *d = c;
    return hit(d) ? -1 : d->real.size(d->real.ctx, fd);
}
static int x_list(void *c, const char *dir, void (*each)(void *arg, const char *name), void *arg)
{
    struct failing_disk *d = c;
    return hit(d) ? -1 : d->real.list(d->real.ctx, dir, each, arg);
}
static int x_lock(void *c, int fd)
{
    struct failing_disk *d = c;
    return hit(d) ? -1 : d->real.lock(d->real.ctx, fd);
}
static int x_mode(void *c, const char *path, unsigned *mode, bool *ours)
{
    struct failing_disk *d = c;
    return hit(d) ? -1 : d->real.mode(d->real.ctx, path, mode, ours);
}

void failing_disk(struct failing_disk *d, struct world_files *f)
{
    d->real = *f;
    *f = (struct world_files){.open = x_open, .close = x_close, .pread = x_pread, .pwrite = x_pwrite, .fdatasync = x_fdatasync, .sync_dir = x_sync_dir,
                              .ftruncate = x_ftruncate, .rename = x_rename, .unlink = x_unlink, .mkdir = x_mkdir, .size = x_size, .list = x_list,
                              .lock = x_lock, .mode = x_mode, .ctx = d};
}
