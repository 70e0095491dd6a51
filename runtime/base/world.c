/* world.c - the real clock, random and files, and what is built on the table: whole-file reads, atomic replacement, time as text. */
#include "base/world.h"
#include "base/check.h"
#include "base/str.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static int64_t real_wall_ms(void *ctx) { (void)ctx; return read_clock(CLOCK_REALTIME); }
static int64_t real_mono_ms(void *ctx) { (void)ctx; return read_clock(CLOCK_MONOTONIC); }
static void real_sleep_ms(void *ctx, int64_t ms)
{
    (void)ctx;
    if (ms <= 0) return;
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}
static void real_fill(void *ctx, void *p, size_t n) { (void)ctx; randombytes_buf(p, n); }

static int real_open(void *ctx, const char *path, int flags, int mode) { (void)ctx; return open(path, flags | O_CLOEXEC, mode); }
static int real_close(void *ctx, int fd) { (void)ctx; return close(fd); }
static int64_t real_pread(void *ctx, int fd, void *p, size_t n, int64_t off)
{
    (void)ctx;
    ssize_t got;
    do got = pread(fd, p, n, off); while (got < 0 && errno == EINTR);
    return got;
}
static int64_t real_pwrite(void *ctx, int fd, const void *p, size_t n, int64_t off)
{
    (void)ctx;
    ssize_t put;
    do put = pwrite(fd, p, n, off); while (put < 0 && errno == EINTR);
    return put;
}
static int real_fdatasync(void *ctx, int fd) { (void)ctx; return fdatasync(fd); }
static int real_sync_dir(void *ctx, const char *dir)
{
    (void)ctx;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    int rc = fsync(fd), why = errno;
    close(fd);
    errno = why;
    return rc;
}
static int real_ftruncate(void *ctx, int fd, int64_t n) { (void)ctx; return ftruncate(fd, n); }
static int real_rename(void *ctx, const char *from, const char *to) { (void)ctx; return rename(from, to); }
static int real_unlink(void *ctx, const char *path) { (void)ctx; return unlink(path); }
static int real_mkdir(void *ctx, const char *path, int mode) { (void)ctx; return mkdir(path, (mode_t)mode); }
static int64_t real_size(void *ctx, int fd)
{
    (void)ctx;
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_size : -1;
}
static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }
static int real_list(void *ctx, const char *dir, void (*each)(void *arg, const char *name), void *arg)
{
    (void)ctx;
    struct dirent **names;
    int n = scandir(dir, &names, NULL, by_name);
    if (n < 0) return -1;
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0) each(arg, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return 0;
}
static int real_lock(void *ctx, int fd) { (void)ctx; return flock(fd, LOCK_EX | LOCK_NB); }
static int real_mode(void *ctx, const char *path, unsigned *mode, bool *ours)
{
    (void)ctx;
    struct stat st;
    if (stat(path, &st) != 0) return -1;
    *mode = st.st_mode & 07777;
    *ours = st.st_uid == geteuid();
    return 0;
}

void world_real(struct world *w)
{
    if (sodium_init() < 0) check_failed("sodium_init", __FILE__, __LINE__);
    *w = (struct world){
        .clock = {real_wall_ms, real_mono_ms, real_sleep_ms, NULL},
        .random = {real_fill, NULL},
        .files = {real_open, real_close, real_pread, real_pwrite, real_fdatasync, real_sync_dir, real_ftruncate, real_rename, real_unlink,
                  real_mkdir, real_size, real_list, real_lock, real_mode, NULL},
    };
    world_real_procs(&w->procs);
}

enum err world_read_file(const struct world *w, const char *path, size_t max_bytes, struct arena *a, struct str *out, struct fault *f)
{
    const struct world_files *fs = &w->files;
    int fd = fs->open(fs->ctx, path, O_RDONLY, 0);
    if (fd < 0) return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", path, strerror(errno));
    enum err e = ERR_OK;
    int64_t size = fs->size(fs->ctx, fd);
    if (size < 0) e = fault_set(f, ERR_IO, "cannot read %s: %s", path, strerror(errno));
    else if ((uint64_t)size > max_bytes) e = fault_set(f, ERR_TOO_LARGE, "%s holds %lld bytes, at most %zu are read", path, (long long)size, max_bytes);
    if (e == ERR_OK) {
        char *p = arena_alloc(a, (size_t)size + 1);
        size_t have = 0;
        while (have < (size_t)size) {
            int64_t got = fs->pread(fs->ctx, fd, p + have, (size_t)size - have, (int64_t)have);
            if (got < 0) e = fault_set(f, ERR_IO, "cannot read %s: %s", path, strerror(errno));
            if (got <= 0) break;
            have += (size_t)got;
        }
        *out = (struct str){p, have};
    }
    fs->close(fs->ctx, fd);
    return e;
}

static enum err write_all(const struct world_files *fs, int fd, struct str content)
{
    for (size_t done = 0; done < content.n;) {
        int64_t put = fs->pwrite(fs->ctx, fd, content.p + done, content.n - done, (int64_t)done);
        if (put <= 0) return put < 0 && errno != ENOSPC && errno != EDQUOT ? ERR_IO : ERR_NO_SPACE;
        done += (size_t)put;
    }
    return fs->fdatasync(fs->ctx, fd) == 0 ? ERR_OK : ERR_SYNC_FAILED;
}

int world_sync_parent(const struct world *w, const char *path, char dir[WORLD_PATH_BYTES])
{
    snprintf(dir, WORLD_PATH_BYTES, "%s", path);
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/') dir[--n] = '\0';
    char *slash = strrchr(dir, '/');
    if (!slash) snprintf(dir, WORLD_PATH_BYTES, ".");
    else slash[slash == dir ? 1 : 0] = '\0';
    return w->files.sync_dir(w->files.ctx, dir);
}

enum err world_write_file(const struct world *w, const char *path, struct str content, int mode, struct fault *f)
{
    const struct world_files *fs = &w->files;
    char tmp[WORLD_PATH_BYTES], dir[WORLD_PATH_BYTES];
    if ((size_t)snprintf(tmp, sizeof tmp, "%s.tmp", path) >= sizeof tmp) return fault_set(f, ERR_IO, "the path %.60s... is too long", path);
    int fd = fs->open(fs->ctx, tmp, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (fd < 0) return fault_set(f, ERR_IO, "cannot make %s: %s", tmp, strerror(errno));
    enum err e = write_all(fs, fd, content);
    int why = errno;
    fs->close(fs->ctx, fd);
    if (e != ERR_OK) {
        fs->unlink(fs->ctx, tmp);
        return fault_set(f, e, "cannot write %s: %s", tmp, strerror(why));
    }
    if (fs->rename(fs->ctx, tmp, path) != 0) return fault_set(f, ERR_IO, "cannot rename %s to %s: %s", tmp, path, strerror(errno));
    if (world_sync_parent(w, path, dir) != 0) return fault_set(f, ERR_SYNC_FAILED, "cannot sync the directory %s: %s", dir, strerror(errno));
    return ERR_OK;
}

void world_format_ms(int64_t unix_ms, char out[25])
{
    int64_t s = unix_ms / 1000, ms = unix_ms % 1000;
    if (ms < 0) ms += 1000, s--;
    time_t t = (time_t)s;
    struct tm tm;
    gmtime_r(&t, &tm);
    char text[64];
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
    memcpy(out, text, 24);
    out[24] = '\0';
}

const char *http_header_get(const struct http_res *res, const char *name)
{
    for (size_t i = 0; i < res->nheaders; i++)
        if (strcmp(res->headers[i].name, name) == 0) return res->headers[i].value;
    return NULL;
}
