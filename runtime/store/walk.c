/* walk.c - see walk.h: the metas, then each tree; what is left over must be free. */
#include "store/store_private.h"
#include "store/walk_private.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { META_MAGIC_AT = 16, META_TREES_AT = 40, META_BYTES = 152, FREE_TREE_FLAGS = MDB_INTEGERKEY, PAGE_MIN = 512, PAGE_MAX = 32768, WALK_AT_ONCE = 1 << 20 };
static const uint32_t magic = 0xBEEFC0DE, version = 1;

struct meta { uint32_t page_bytes; uint64_t map_bytes, last, commit; struct tree free, main; };
struct index_walk {
    struct pages p;
    const unsigned char *key;
    struct meta meta;
    struct tree tables[TABLE_COUNT];
    bool known[TABLE_COUNT];
    enum store_table table;             /* the one that is walked */
    unsigned char sum[TABLE_COUNT][STORE_SUM_BYTES];
    struct store_state state;
    bool has_state;
};

/* ---- metas ---- */
static bool take_meta(const unsigned char *page, uint64_t number, struct meta *m)
{
    const unsigned char *p = page + META_MAGIC_AT;
    if (walk__number(page, 8) != number || walk__number(page + 10, 2) != KIND_META || walk__number(p, 4) != magic || walk__number(p + 4, 4) != version) return false;
    m->map_bytes = walk__number(p + 16, 8);
    m->free = walk__tree_of(page + META_TREES_AT);
    m->main = walk__tree_of(page + META_TREES_AT + TREE_BYTES);
    m->last = walk__number(page + META_TREES_AT + 2 * TREE_BYTES, 8);
    m->commit = walk__number(page + META_TREES_AT + 2 * TREE_BYTES + 8, 8);
    m->page_bytes = m->free.pad;
    return walk__number(p + 8, 8) == 0 && m->commit % 2 == number;
}

/* Each commit writes the meta that is not the youngest, so the two are one commit apart. */
static enum err choose_meta(struct index_walk *x, uint64_t file_bytes)
{
    unsigned char page[META_BYTES];
    struct meta m[2];
    struct pages *p = &x->p;
    enum err e = walk__read(p, 0, page, sizeof page);
    if (e != ERR_OK) return e;
    if (!take_meta(page, 0, &m[0])) return walk__bad(p, "meta", 0, "not the head of an index");
    if (m[0].page_bytes < PAGE_MIN || m[0].page_bytes > PAGE_MAX || (m[0].page_bytes & (m[0].page_bytes - 1))) return walk__bad(p, "meta", 0, "no page has this size");
    e = walk__read(p, m[0].page_bytes, page, sizeof page);
    if (e != ERR_OK) return e;
    if (!take_meta(page, 1, &m[1]) || m[1].page_bytes != m[0].page_bytes) return walk__bad(p, "meta", 1, "not the second head of this index");
    unsigned young = m[1].commit > m[0].commit;
    if (m[young].commit - m[!young].commit != 1) return walk__bad(p, "meta", young, "the two heads are not of neighbouring commits");
    x->meta = m[young];
    p->bytes = x->meta.page_bytes;
    p->n = x->meta.last + 1;
    if (x->meta.last < 1 || p->n > file_bytes / p->bytes) return walk__bad(p, "meta", young, "the file is shorter than its head says");
    if (x->meta.map_bytes % p->bytes || x->meta.map_bytes / p->bytes < p->n) return walk__bad(p, "meta", young, "the map is smaller than the file");
    if (x->meta.free.flags != FREE_TREE_FLAGS || x->meta.main.flags || x->meta.main.pad) return walk__bad(p, "meta", young, "unknown flags");
    p->seen = arena_alloc(&p->a, p->n / 8 + 1);
    p->seen[0] = 3;
    *p->r = (struct walk_report){.commit = x->meta.commit, .pages = p->n, .page_bytes = p->bytes};
    return ERR_OK;
}

/* ---- entries of each tree ---- */
static enum err free_pages(struct tree_walk *t, struct str key, struct str value)
{
    struct index_walk *x = t->arg;
    const unsigned char *v = (const unsigned char *)value.p;
    uint64_t commit = walk__number((const unsigned char *)key.p, 8), n = value.n >= 8 ? walk__number(v, 8) : 0, before = UINT64_MAX;
    if (value.n % 8 || value.n == 0 || n != value.n / 8 - 1 || commit == 0 || commit > x->meta.commit) return walk__bad(t->p, t->name, commit, "no list of pages");
    for (uint64_t i = 1; i <= n; i++) {
        uint64_t page = walk__number(v + 8 * i, 8);
        if (page >= before) return walk__bad(t->p, t->name, page, "the list is not in order");
        before = page;
        enum err e = walk__take(t->p, t->name, page, 1);
        if (e != ERR_OK) return e;
        t->p->r->free++;
    }
    return ERR_OK;
}

static enum err a_table(struct tree_walk *t, struct str key, struct str value)
{
    struct index_walk *x = t->arg;
    for (int i = 0; i < TABLE_COUNT; i++) {
        if (!str_is(key, store__table_name((enum store_table)i)) || value.n != TREE_BYTES) continue;
        x->tables[i] = walk__tree_of((const unsigned char *)value.p);
        x->known[i] = true;
        return x->tables[i].pad || x->tables[i].flags ? walk__bad(t->p, t->name, x->tables[i].root, "unknown flags") : ERR_OK;
    }
    return walk__bad(t->p, t->name, x->meta.main.root, "a table that nobody knows");
}

static enum err a_value(struct tree_walk *t, struct str key, struct str stored)
{
    struct index_walk *x = t->arg;
    unsigned char sum[STORE_SUM_BYTES];
    struct str value = {stored.p, stored.n - STORE_SUM_BYTES};
    if (stored.n < STORE_SUM_BYTES) return walk__bad(t->p, t->name, NO_PAGE, "a value without a checksum");
    store__checksum(x->key, x->table, key, value, sum);
    if (memcmp(sum, value.p + value.n, sizeof sum) != 0) return walk__bad(t->p, t->name, NO_PAGE, "a value does not match its checksum");
    sodium_add(x->sum[x->table], sum, sizeof sum);
    t->p->r->values++;
    t->p->r->value_bytes += value.n;
    if (x->table != TABLE_META || !str_is(key, "state")) return ERR_OK;
    x->has_state = true;
    return store__state_decode(value, &x->state, t->p->f);
}

/* ---- all of it ---- */
static enum err walk_tables(struct index_walk *x)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        const char *name = store__table_name((enum store_table)i);
        struct tree_walk t = {.p = &x->p, .name = name, .each = a_value, .arg = x};
        if (!x->known[i]) return walk__bad(&x->p, name, x->meta.main.root, "the table is missing");
        x->table = (enum store_table)i;
        enum err e = walk__tree(&t, &x->tables[i]);
        if (e != ERR_OK) return e;
    }
    if (!x->has_state) return walk__bad(&x->p, "meta", x->meta.main.root, "the state record is missing");
    for (int i = TABLE_META + 1; i < TABLE_COUNT; i++)
        if (memcmp(x->sum[i], x->state.digest[i], STORE_SUM_BYTES) != 0)
            return walk__bad(&x->p, store__table_name((enum store_table)i), x->tables[i].root, "the digest of the table is of other values");
    x->p.r->applied_seq = x->state.applied;
    return ERR_OK;
}

static enum err walk_all(struct index_walk *x, uint64_t file_bytes)
{
    struct tree_walk free_tree = {.p = &x->p, .name = "free pages", .numbers = true, .each = free_pages, .arg = x};
    struct tree_walk main_tree = {.p = &x->p, .name = "tables", .node_flags = NODE_TREE, .each = a_table, .arg = x};
    enum err e = ERR_OK;
    if (file_bytes <= WALK_AT_ONCE) {
        unsigned char *p = arena_alloc(&x->p.a, (size_t)file_bytes + 1);
        e = walk__read(&x->p, 0, p, (size_t)file_bytes);
        x->p.whole = p;
        x->p.whole_bytes = (size_t)file_bytes;
    }
    if (e == ERR_OK) e = choose_meta(x, file_bytes);
    if (e == ERR_OK) e = walk__tree(&free_tree, &x->meta.free);
    if (e == ERR_OK) e = walk__tree(&main_tree, &x->meta.main);
    if (e == ERR_OK) e = walk_tables(x);
    for (uint64_t i = 0; e == ERR_OK && i < x->p.n; i++)
        if (!(x->p.seen[i / 8] & 1u << i % 8)) e = walk__bad(&x->p, "no tree", i, "neither in use nor free");
    return e;
}

enum err store_walk(const struct world *w, const char *dir, const unsigned char key[32], struct walk_report *out, struct fault *f)
{
    const struct world_files *fs = &w->files;
    char path[4200];
    struct index_walk x = {.p = {.w = w, .r = out, .f = f}, .key = key};
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    *out = (struct walk_report){0};
    x.p.fd = fs->open(fs->ctx, path, O_RDONLY, 0);
    if (x.p.fd < 0) return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", path, strerror(errno));
    arena_init(&x.p.a, 0);
    int64_t size = fs->size(fs->ctx, x.p.fd);
    enum err e = size < 0 ? fault_set(f, ERR_IO, "cannot read %s: %s", path, strerror(errno)) : walk_all(&x, (uint64_t)size);
    fs->close(fs->ctx, x.p.fd);
    arena_free(&x.p.a);
    return e;
}
