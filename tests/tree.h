/* tree.h - a directory goes, with all that stands in it: what a test or a harness made for itself. Links are not followed. */
#ifndef TESTS_TREE_H
#define TESTS_TREE_H
#include <ftw.h>
#include <stdio.h>

static inline int tree_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static inline void tree_gone(const char *path) { (void)nftw(path, tree_one, 16, FTW_DEPTH | FTW_PHYS); }
#endif
