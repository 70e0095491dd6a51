/* rig.h - a world for tests of secrets: files on a memdisk, a seeded generator; and the line that a test prints. */
#ifndef TESTS_SECRET_RIG_H
#define TESTS_SECRET_RIG_H
#include "base/world.h"
#include "tests/fault/memdisk.h"
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>

static int failures;
static uint64_t rig_seed = 1;      /* of the generator: a test may begin with another */

static inline bool verdict(bool good, const char *name, const char *why)
{
    if (good) printf("ok %s\n", name);
    else printf("not ok %s: %s\n", name, why);
    failures += !good;
    return good;
}

static inline void fill(void *ctx, void *p, size_t n)
{
    (void)ctx;
    unsigned char key[32] = {0};
    rig_seed++;
    memcpy(key, &rig_seed, sizeof rig_seed);
    randombytes_buf_deterministic(p, n, key);
}

static inline struct world world_on(struct memdisk *d)
{
    struct world w = {.random = {fill, NULL}};
    memdisk_files(d, &w.files);
    return w;
}

static inline bool put_file(const struct world *w, const char *path, const void *p, size_t n, int mode)
{
    int fd = w->files.open(w->files.ctx, path, O_RDWR | O_CREAT | O_TRUNC, mode);
    bool good = fd >= 0 && w->files.pwrite(w->files.ctx, fd, p, n, 0) == (int64_t)n;
    if (fd >= 0) w->files.close(w->files.ctx, fd);
    return good;
}
#endif
