/* walk_tree.c - one B-tree of LMDB's file, depth first: each page by itself (kind, bounds, nodes), the keys against the key before and against
 * the branches above, the counts at the end. Layout in walk_private.h. */
#include "base/buf.h"
#include "store/walk_private.h"
#include <stdio.h>
#include <string.h>

uint64_t walk__number(const unsigned char *p, unsigned bytes)
{
    uint64_t v = 0;
    while (bytes--) v = v << 8 | p[bytes];
    return v;
}

struct tree walk__tree_of(const unsigned char *p)
{
    return (struct tree){(uint32_t)walk__number(p, 4), (uint16_t)walk__number(p + 4, 2), (uint16_t)walk__number(p + 6, 2), walk__number(p + 8, 8),
                         walk__number(p + 16, 8), walk__number(p + 24, 8), walk__number(p + 32, 8), walk__number(p + 40, 8)};
}

enum err walk__bad(const struct pages *p, const char *tree, uint64_t page, const char *what)
{
    return fault_set(p->f, ERR_CORRUPT, "the index is damaged (page %llu, %s: %s): mlcd repair makes it anew from the audit log", (unsigned long long)page, tree, what);
}

enum err walk__read(const struct pages *p, uint64_t off, void *out, size_t n)
{
    const struct world_files *fs = &p->w->files;
    if (p->whole && off <= p->whole_bytes && n <= p->whole_bytes - off) {
        memcpy(out, p->whole + off, n);
        return ERR_OK;
    }
    for (size_t have = 0; have < n;) {
        int64_t got = fs->pread(fs->ctx, p->fd, (char *)out + have, n - have, (int64_t)(off + have));
        if (got < 0) return fault_set(p->f, ERR_IO, "the index cannot be read at byte %llu", (unsigned long long)(off + have));
        if (got == 0) return fault_set(p->f, ERR_CORRUPT, "the index is damaged (the file ends at byte %llu): mlcd repair makes it anew from the audit log",
                                       (unsigned long long)(off + have));
        have += (size_t)got;
    }
    return ERR_OK;
}

enum err walk__take(struct pages *p, const char *tree, uint64_t number, uint64_t count)
{
    if (number < 2 || number >= p->n || count > p->n - number) return walk__bad(p, tree, number, "there is no such page");
    for (uint64_t i = number; i < number + count; i++) {
        if (p->seen[i / 8] & 1u << i % 8) return walk__bad(p, tree, i, "in use twice");
        p->seen[i / 8] |= (unsigned char)(1u << i % 8);
    }
    return ERR_OK;
}

static int compare(const struct tree_walk *t, struct str a, struct str b)
{
    if (t->numbers) {
        uint64_t x = walk__number((const unsigned char *)a.p, 8), y = walk__number((const unsigned char *)b.p, 8);
        return x < y ? -1 : x > y;
    }
    int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return d ? d : a.n < b.n ? -1 : a.n > b.n;
}

static void keep(struct buf *b, struct str s)
{
    buf_clear(b);
    buf_str(b, s);
}

/* ---- one page ---- */
struct node { const unsigned char *p; struct str key; uint64_t child; uint32_t size; uint16_t flags; };

static struct node node_at(const unsigned char *page, unsigned i, bool branch)
{
    const unsigned char *p = page + walk__number(page + PAGE_HEAD + 2 * i, 2);
    struct node n = {p, {(const char *)p + NODE_HEAD, (size_t)walk__number(p + 6, 2)}, 0, (uint32_t)walk__number(p, 4), (uint16_t)walk__number(p + 4, 2)};
    if (branch) n.child = walk__number(p, 6);
    return n;
}

/* Marks the bytes of a node as taken. False: outside of the page, or taken by another node. */
static bool claim(struct tree_walk *t, const unsigned char *page, unsigned i, bool branch, unsigned upper, size_t *sum)
{
    size_t at = (size_t)walk__number(page + PAGE_HEAD + 2 * i, 2), end = t->p->bytes;
    if (at < upper || at % 2 || at + NODE_HEAD > end) return false;
    struct node n = node_at(page, i, branch);
    size_t size = NODE_HEAD + n.key.n + (branch ? 0 : n.flags & NODE_BIG ? 8 : n.size);
    size += size % 2;
    if (size > end - at) return false;
    for (size_t k = at / 2; k < (at + size) / 2; k++) {
        if (t->taken[k / 8] & 1u << k % 8) return false;
        t->taken[k / 8] |= (unsigned char)(1u << k % 8);
    }
    *sum += size;
    return true;
}

/* Nodes fill what lies from upper to the end, without a gap. */
static const char *check_page(struct tree_walk *t, const unsigned char *page, uint64_t number, bool branch, unsigned *count)
{
    unsigned kind = (unsigned)walk__number(page + 10, 2), lower = (unsigned)walk__number(page + 12, 2), upper = (unsigned)walk__number(page + 14, 2);
    size_t sum = 0;
    if (walk__number(page, 8) != number) return "it carries another number";
    if (kind != (branch ? KIND_BRANCH : KIND_LEAF)) return "of another kind than its place in the tree";
    if (lower < PAGE_HEAD + 2 || lower % 2 || lower > upper || upper > t->p->bytes) return "its bounds make no sense";
    *count = (lower - PAGE_HEAD) / 2;
    memset(t->taken, 0, t->p->bytes / 16);
    for (unsigned i = 0; i < *count; i++)
        if (!claim(t, page, i, branch, upper, &sum)) return "its nodes overlap or lie outside";
    return sum == t->p->bytes - upper ? NULL : "its nodes leave a gap";
}

/* ---- values ---- */
/* A value that became shorter keeps its pages, so there may be more than it needs. */
static enum err big_value(struct tree_walk *t, const struct node *n, struct str *value)
{
    struct pages *p = t->p;
    unsigned char head[PAGE_HEAD];
    uint64_t number = walk__number(n->p + NODE_HEAD + n->key.n, 8), least = (PAGE_HEAD + (uint64_t)n->size + p->bytes - 1) / p->bytes;
    if (number >= p->n) return walk__bad(p, t->name, number, "there is no such page");
    enum err e = walk__read(p, number * p->bytes, head, sizeof head);
    if (e != ERR_OK) return e;
    uint64_t pages = walk__number(head + 12, 4);
    if (walk__number(head, 8) != number || walk__number(head + 10, 2) != KIND_OVERFLOW || pages < least) return walk__bad(p, t->name, number, "no value's first page");
    e = walk__take(p, t->name, number, pages);
    if (e != ERR_OK) return e;
    t->found.overflow += pages;
    buf_clear(&t->value);
    char *to = buf_reserve(&t->value, n->size + 1u);
    *value = (struct str){to, n->size};
    return walk__read(p, number * p->bytes + PAGE_HEAD, to, n->size);
}

static enum err take_leaf(struct tree_walk *t, const unsigned char *page, uint64_t number, unsigned count)
{
    enum err e = ERR_OK;
    for (unsigned i = 0; i < count && e == ERR_OK; i++) {
        struct node n = node_at(page, i, false);
        struct str value = {n.key.p + n.key.n, n.size};
        if ((n.flags & ~NODE_BIG) != t->node_flags || (t->numbers && n.key.n != 8) || n.key.n == 0) return walk__bad(t->p, t->name, number, "an entry of another kind");
        if (t->any && compare(t, n.key, buf_view(&t->last)) <= 0) return walk__bad(t->p, t->name, number, "keys are not in order");
        if (t->floor.n && compare(t, n.key, buf_view(&t->floor)) < 0) return walk__bad(t->p, t->name, number, "a key stands behind a branch that is for larger ones");
        buf_clear(&t->floor);
        keep(&t->last, n.key);
        t->any = true;
        t->found.entries++;
        if (n.flags & NODE_BIG) e = big_value(t, &n, &value);
        if (e == ERR_OK) e = t->each(t, n.key, value);
    }
    return e;
}

/* ---- the tree ---- */
/* An explicit stack: `next` child of each branch on the way down. The key of a branch's first child is never compared by LMDB, nor here. */
struct way { uint64_t number; unsigned count, next; };

static enum err enter(struct tree_walk *t, struct way *way, unsigned level, unsigned depth, uint64_t number)
{
    bool branch = level + 1 < depth;
    unsigned char *page = t->level[level];
    enum err e = walk__take(t->p, t->name, number, 1);
    if (e == ERR_OK) e = walk__read(t->p, number * t->p->bytes, page, t->p->bytes);
    if (e != ERR_OK) return e;
    way[level] = (struct way){.number = number};
    const char *why = check_page(t, page, number, branch, &way[level].count);
    if (why) return walk__bad(t->p, t->name, number, why);
    if (branch) t->found.branch++;
    else t->found.leaf++;
    return branch ? ERR_OK : take_leaf(t, page, number, way[level].count);
}

static enum err descend(struct tree_walk *t, uint64_t root, unsigned depth)
{
    struct way way[WALK_DEPTH];
    unsigned level = 0;
    enum err e = enter(t, way, 0, depth, root);
    while (e == ERR_OK && depth > 1) {
        struct way *here = &way[level];
        if (here->next == here->count) {
            if (level-- == 0) break;
            continue;
        }
        struct node n = node_at(t->level[level], here->next, true);
        if (here->next++ > 0) {
            if (n.key.n == 0 || (t->numbers && n.key.n != 8)) return walk__bad(t->p, t->name, here->number, "a branch without a key");
            if (compare(t, n.key, buf_view(&t->last)) <= 0) return walk__bad(t->p, t->name, here->number, "branches are not in order");
            keep(&t->floor, n.key);
        }
        e = enter(t, way, level + 1, depth, n.child);
        if (level + 2 < depth) level++;
    }
    return e;
}

enum err walk__tree(struct tree_walk *t, const struct tree *as_said)
{
    const struct tree *s = as_said;
    bool empty = s->root == NO_PAGE;
    t->found = (struct tree){.depth = s->depth, .root = s->root, .flags = s->flags, .pad = s->pad};
    if (empty != (s->depth == 0) || s->depth > WALK_DEPTH) return walk__bad(t->p, t->name, s->root, "the depth makes no sense");
    t->taken = arena_alloc(&t->p->a, t->p->bytes / 16);
    for (unsigned i = 0; i < s->depth; i++) t->level[i] = arena_alloc(&t->p->a, t->p->bytes);
    enum err e = empty ? ERR_OK : descend(t, s->root, s->depth);
    buf_free(&t->last);
    buf_free(&t->floor);
    buf_free(&t->value);
    if (e != ERR_OK) return e;
    const struct tree *n = &t->found;
    if (n->branch != s->branch || n->leaf != s->leaf || n->overflow != s->overflow || n->entries != s->entries)
        return walk__bad(t->p, t->name, s->root, "the counts of pages and entries are wrong");
    t->p->r->trees++;
    t->p->r->branch += n->branch;
    t->p->r->leaf += n->leaf;
    t->p->r->overflow += n->overflow;
    return ERR_OK;
}
