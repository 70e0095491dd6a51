/* rig.h - the directory in which a test of the receiver keeps its notifications, and what stands in it. */
#ifndef TESTS_SERVE_RIG_H
#define TESTS_SERVE_RIG_H
#include "base/str.h"
#include "tests/tree.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char dir[200];
static const char *where(void *ctx, struct str body)
{
    (void)ctx;
    return str_starts(body, STR("{\"ours\"")) ? dir : NULL;
}

static size_t files(void)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) n += strstr(e->d_name, ".hint") != NULL && !strstr(e->d_name, ".tmp");
    if (d) closedir(d);
    return n;
}

static bool dir_make(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/mlc-serve.XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(dir) != NULL;
}

static void dir_remove(void) { tree_gone(dir); }
#endif
