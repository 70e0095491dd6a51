/* walk_private.h - between walk.c (metas, free pages, tables) and walk_tree.c (pages and nodes). The layout is LMDB 0.9's, read by number:
 *
 *   page      number 8 | pad 2 | kind 2 | lower 2 | upper 2 (overflow: pages 4) | node offsets 2 each, up to lower | room | nodes, from upper to the end
 *   node      size low 2 | size high 2 | flags 2 | key size 2 | key | value (flag BIG: page number 8)        branch: the first three are the child's number
 *   tree      pad 4 | flags 2 | depth 2 | branch pages 8 | leaf pages 8 | overflow pages 8 | entries 8 | root 8
 *   meta      page | magic 4 | version 4 | address 8 | map bytes 8 | tree of free pages | tree of tables | last page 8 | transaction 8 */
#ifndef STORE_WALK_PRIVATE_H
#define STORE_WALK_PRIVATE_H
#include "store/walk.h"
#include "base/arena.h"

enum { PAGE_HEAD = 16, NODE_HEAD = 8, TREE_BYTES = 48, WALK_DEPTH = 32 };
enum { KIND_BRANCH = 1, KIND_LEAF = 2, KIND_OVERFLOW = 4, KIND_META = 8 };
enum { NODE_BIG = 1, NODE_TREE = 2 };
#define NO_PAGE UINT64_MAX

struct tree { uint32_t pad; uint16_t flags, depth; uint64_t branch, leaf, overflow, entries, root; };

struct pages {                          /* the file */
    const struct world *w;
    int fd;
    uint32_t bytes;                     /* of a page */
    uint64_t n;                         /* pages that count: 0 to n - 1 */
    unsigned char *seen;                /* a bit each: referenced or free */
    unsigned char *whole; size_t whole_bytes;      /* of a small file: all of it */
    struct walk_report *r;
    struct fault *f;
    struct arena a;
};
struct tree_walk {
    struct pages *p;
    const char *name;
    bool numbers;                       /* keys are 8-byte numbers */
    uint16_t node_flags;                /* what a leaf's nodes carry besides BIG */
    enum err (*each)(struct tree_walk *t, struct str key, struct str value);
    void *arg;
    /* under way */
    struct tree found;                  /* counted, to be held against what the tree says of itself */
    struct buf last, floor;             /* the key before; the least that the next leaf may begin with */
    bool any;
    unsigned char *level[WALK_DEPTH];   /* a page each */
    unsigned char *taken;               /* a bit for each two bytes of a page */
    struct buf value;
};

uint64_t walk__number(const unsigned char *p, unsigned bytes);
struct tree walk__tree_of(const unsigned char *p);
/* ERR_CORRUPT: "the index is damaged: page N of TREE: ..." and the way out. */
enum err walk__bad(const struct pages *p, const char *tree, uint64_t page, const char *what);
/* count pages from number on are referenced: once, and within the file. */
enum err walk__take(struct pages *p, const char *tree, uint64_t number, uint64_t count);
enum err walk__read(const struct pages *p, uint64_t off, void *out, size_t n);
/* All entries in key order; then the counts. */
enum err walk__tree(struct tree_walk *t, const struct tree *as_said);
#endif
