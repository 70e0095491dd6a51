/* platter.c - see platter.h. Inodes are never reused. The queue is in the order of the calls; CUT_PREFIX tears its last write. */
#include "tests/fault/platter.h"
#include "base/check.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, HANDLES = 1024 };
enum change_what { CH_WRITE, CH_SIZE, CH_LINK, CH_UNLINK };
/* Copies of a platter share the bytes of a file until one of them writes. */
struct bytes { size_t refs, n, cap; uint64_t hash; bool hashed; unsigned char *p; };
struct inode { struct bytes *b; bool dir; };
struct entry { size_t dir, ino; char *name; };
struct tree { struct entry *v; size_t n, cap; };
/* A rename is an UNLINK and a LINK in one: it happens or it does not. */
struct change { enum change_what what; size_t ino, dir, from_dir; char *name, *from; uint64_t off; unsigned char *data; size_t n; bool dropped; };
struct platter {
    struct inode *inodes; size_t ninodes, cap_inodes;
    struct tree seen, disk;             /* what the program sees; what is on disk */
    struct change *queue; size_t nqueue, cap_queue;
    size_t handle[HANDLES];             /* inode + 1 */
};

static void *grow(void *p, size_t n, size_t size)
{
    p = realloc(p, n * size);
    if (!p) check_no_memory();
    return p;
}

static char *text(const char *s)
{
    char *p = strdup(s);
    if (!p) check_no_memory();
    return p;
}

/* ---- inodes and trees ---- */
static struct bytes *bytes_new(size_t n)
{
    struct bytes *b = grow(NULL, 1, sizeof *b);
    *b = (struct bytes){.refs = 1, .n = n, .cap = n};
    if (n) b->p = grow(NULL, n, 1);
    return b;
}

static void bytes_free(struct bytes *b)
{
    if (--b->refs) return;
    free(b->p);
    free(b);
}

static size_t inode_new(struct platter *p, bool dir)
{
    if (p->ninodes == p->cap_inodes) p->inodes = grow(p->inodes, p->cap_inodes = p->cap_inodes ? p->cap_inodes * 2 : 32, sizeof *p->inodes);
    p->inodes[p->ninodes] = (struct inode){bytes_new(0), dir};
    return p->ninodes++;
}

/* The bytes, for us alone. */
static struct bytes *inode_own(struct inode *i)
{
    struct bytes *b = i->b;
    if (b->refs > 1) {
        i->b = bytes_new(b->n);
        if (b->n) memcpy(i->b->p, b->p, b->n);
        bytes_free(b);
    }
    i->b->hashed = false;
    return i->b;
}

static void inode_size(struct inode *i, size_t n)
{
    struct bytes *b = inode_own(i);
    if (n > b->cap) b->p = grow(b->p, b->cap = n * 2, 1);
    if (n > b->n) memset(b->p + b->n, 0, n - b->n);
    b->n = n;
}

static void inode_write(struct inode *i, uint64_t off, const unsigned char *data, size_t n)
{
    if (n == 0) return;
    if (off + n > i->b->n) inode_size(i, (size_t)off + n);
    memcpy(inode_own(i)->p + off, data, n);
}

static size_t tree_find(const struct tree *t, size_t dir, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->v[i].dir == dir && strcmp(t->v[i].name, name) == 0) return i;
    return SIZE_MAX;
}

static void tree_remove(struct tree *t, size_t dir, const char *name)
{
    size_t i = tree_find(t, dir, name);
    if (i == SIZE_MAX) return;
    free(t->v[i].name);
    t->v[i] = t->v[--t->n];
}

static void tree_set(struct tree *t, size_t dir, const char *name, size_t ino)
{
    size_t i = tree_find(t, dir, name);
    if (i != SIZE_MAX) {
        t->v[i].ino = ino;
        return;
    }
    if (t->n == t->cap) t->v = grow(t->v, t->cap = t->cap ? t->cap * 2 : 32, sizeof *t->v);
    t->v[t->n++] = (struct entry){dir, ino, text(name)};
}

static void tree_copy(struct tree *to, const struct tree *from)
{
    for (size_t i = 0; i < to->n; i++) free(to->v[i].name);
    to->n = 0;
    for (size_t i = 0; i < from->n; i++) tree_set(to, from->v[i].dir, from->v[i].name, from->v[i].ino);
}

/* Directory and last part of a path that is relative to the root; SIZE_MAX when a part on the way is not there. "" is the root. */
static size_t walk(const struct platter *p, const char *path, char *last, size_t last_size)
{
    size_t dir = 0;
    for (;;) {
        const char *slash = strchr(path, '/');
        if (!slash) break;
        (void)snprintf(last, last_size, "%.*s", (int)(slash - path), path);
        size_t i = tree_find(&p->seen, dir, last);
        if (i == SIZE_MAX) return SIZE_MAX;
        dir = p->seen.v[i].ino;
        path = slash + 1;
    }
    (void)snprintf(last, last_size, "%s", path);
    return dir;
}

static size_t inode_at(const struct platter *p, const char *path)
{
    char last[256];
    if (!*path) return 0;
    size_t dir = walk(p, path, last, sizeof last), i = dir == SIZE_MAX ? SIZE_MAX : tree_find(&p->seen, dir, last);
    return i == SIZE_MAX ? SIZE_MAX : p->seen.v[i].ino;
}

/* ---- the queue ---- */
static struct change *queue_add(struct platter *p, enum change_what what, size_t ino)
{
    if (p->nqueue == p->cap_queue) p->queue = grow(p->queue, p->cap_queue = p->cap_queue ? p->cap_queue * 2 : 64, sizeof *p->queue);
    p->queue[p->nqueue] = (struct change){.what = what, .ino = ino};
    return &p->queue[p->nqueue++];
}

static void change_free(struct change *c)
{
    free(c->data);
    free(c->name);
    free(c->from);
}

static void reach_disk(struct platter *p, const struct change *c)
{
    switch (c->what) {
    case CH_WRITE: inode_write(&p->inodes[c->ino], c->off, c->data, c->n); break;
    case CH_SIZE: inode_size(&p->inodes[c->ino], (size_t)c->off); break;
    case CH_LINK:
        if (c->from) tree_remove(&p->disk, c->from_dir, c->from);
        tree_set(&p->disk, c->dir, c->name, c->ino);
        break;
    case CH_UNLINK: tree_remove(&p->disk, c->dir, c->name); break;
    }
}

static bool covered(const struct change *c, size_t ino, bool dir)
{
    if (c->what == CH_WRITE || c->what == CH_SIZE) return !dir && c->ino == ino;
    return dir && (c->dir == ino || (c->from && c->from_dir == ino));
}

/* Bytes that a failed sync dropped and that were written anew since: no luck brings the older ones back over the newer. */
static void overtake(struct platter *p, size_t n, const struct change *by)
{
    for (size_t i = 0; i < n && by->what == CH_WRITE; i++) {
        struct change *c = &p->queue[i];
        if (c->dropped && c->what == CH_WRITE && c->ino == by->ino && c->off < by->off + by->n && by->off < c->off + c->n) c->n = 0;
    }
}

static void sync_inode(struct platter *p, size_t ino, bool works)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->nqueue; i++) {
        struct change *c = &p->queue[i];
        bool mine = covered(c, ino, p->inodes[ino].dir);
        if (mine && !works) c->dropped = !p->inodes[ino].dir;
        if (!mine || c->dropped) {
            p->queue[kept++] = *c;
            continue;
        }
        overtake(p, kept, c);
        reach_disk(p, c);
        change_free(c);
    }
    p->nqueue = kept;
}

/* ---- replay ---- */
static bool replay_open(struct platter *p, const struct op *o, const char *path)
{
    char last[256];
    size_t ino = inode_at(p, path);
    if (ino == SIZE_MAX) {
        size_t dir = walk(p, path, last, sizeof last);
        if (dir == SIZE_MAX || !(o->flags & OP_CREATED)) return false;
        ino = inode_new(p, false);
        tree_set(&p->seen, dir, last, ino);
        struct change *c = queue_add(p, CH_LINK, ino);
        c->dir = dir;
        c->name = text(last);
    }
    if (o->flags & OP_TRUNCATED) queue_add(p, CH_SIZE, ino)->off = 0;
    if (o->fd < 0 || o->fd >= HANDLES) return false;
    p->handle[o->fd] = ino + 1;
    return true;
}

static bool replay_rename(struct platter *p, const char *from, const char *to)
{
    char a[256], b[256];
    size_t da = walk(p, from, a, sizeof a), db = walk(p, to, b, sizeof b), ino = inode_at(p, from);
    if (da == SIZE_MAX || db == SIZE_MAX || ino == SIZE_MAX) return false;
    tree_remove(&p->seen, da, a);
    tree_set(&p->seen, db, b, ino);
    struct change *c = queue_add(p, CH_LINK, ino);
    c->dir = db;
    c->name = text(b);
    c->from_dir = da;
    c->from = text(a);
    return true;
}

static bool replay_name(struct platter *p, const struct op *o, const char *path)
{
    char last[256];
    size_t dir = walk(p, path, last, sizeof last), ino = 0;
    if (dir == SIZE_MAX) return false;
    if (o->what == OP_MKDIR) tree_set(&p->seen, dir, last, ino = inode_new(p, true));
    else tree_remove(&p->seen, dir, last);
    struct change *c = queue_add(p, o->what == OP_MKDIR ? CH_LINK : CH_UNLINK, ino);
    c->dir = dir;
    c->name = text(last);
    return true;
}

static bool replay_bytes(struct platter *p, const struct op *o, const unsigned char *data)
{
    if (o->fd < 0 || o->fd >= HANDLES || !p->handle[o->fd]) return false;
    size_t ino = p->handle[o->fd] - 1;
    if (o->what == OP_SYNC || o->what == OP_SYNC_FAILED) {
        sync_inode(p, ino, o->what == OP_SYNC);
        return true;
    }
    struct change *c = queue_add(p, o->what == OP_TRUNC ? CH_SIZE : CH_WRITE, ino);
    c->off = (uint64_t)o->off;
    if (o->what == OP_TRUNC) return true;
    c->n = o->n;
    memcpy(c->data = grow(NULL, o->n + 1, 1), data, o->n);
    if (!(o->flags & OP_DSYNC)) return true;
    overtake(p, p->nqueue - 1, c);
    reach_disk(p, c);                  /* a handle with O_DSYNC: this write and nothing else is on disk when the call returns */
    change_free(c);
    p->nqueue--;
    return true;
}

static bool replay_one(struct platter *p, const struct op *o, const unsigned char *data)
{
    const char *path = (const char *)data;
    switch ((enum op_what)o->what) {
    case OP_OPEN: return replay_open(p, o, path);
    case OP_CLOSE: p->handle[o->fd] = 0; return true;
    case OP_RENAME: return replay_rename(p, path, path + strlen(path) + 1);
    case OP_UNLINK: case OP_MKDIR: return replay_name(p, o, path);
    case OP_PROMISE: return true;
    case OP_WRITE: case OP_SYNC: case OP_SYNC_FAILED: case OP_TRUNC: break;
    }
    return replay_bytes(p, o, data);
}

void platter_life(struct platter *p) { memset(p->handle, 0, sizeof p->handle); }

bool platter_step(struct platter *p, const struct op *o, const unsigned char *data) { return replay_one(p, o, data); }

bool platter_replay(struct platter *p, const unsigned char *log, size_t n)
{
    platter_life(p);
    for (size_t at = 0; at < n;) {
        struct op o;
        memcpy(&o, log + at, sizeof o);
        at += sizeof o;
        if (!replay_one(p, &o, log + at)) return false;
        at += o.n;
    }
    return true;
}

bool platter_durable(const struct platter *p, const char *path, const unsigned char **bytes, size_t *n)
{
    size_t dir = 0, len;
    char name[256];
    for (;; path += len + 1) {
        len = strcspn(path, "/");
        (void)snprintf(name, sizeof name, "%.*s", (int)len, path);
        size_t i = tree_find(&p->disk, dir, name);
        if (i == SIZE_MAX) return false;
        dir = p->disk.v[i].ino;
        if (!path[len]) break;
    }
    *bytes = p->inodes[dir].b->p;
    *n = p->inodes[dir].b->n;
    return !p->inodes[dir].dir;
}

/* ---- power ---- */
/* Each sector is kept or lost; now and then one is torn. */
static void some_sectors(struct platter *p, const struct change *c, uint64_t *seed)
{
    for (size_t at = 0; at < c->n;) {
        size_t n = SECTOR - (size_t)((c->off + at) % SECTOR);
        if (n > c->n - at) n = c->n - at;
        uint64_t r = crash_random(seed);
        size_t keep = r & 1 ? n : (r >> 1) % 8 == 0 ? (size_t)(r >> 8) % n : 0;
        inode_write(&p->inodes[c->ino], c->off + at, c->data + at, keep);
        at += n;
    }
}

/* A write that was under way: whole sectors of it, or its first bytes. */
static void torn(struct platter *p, const struct change *c, uint64_t *seed)
{
    uint64_t r = crash_random(seed);
    if (r & 1) some_sectors(p, c, seed);
    else inode_write(&p->inodes[c->ino], c->off, c->data, (size_t)((r >> 1) % (c->n + 1)));
}

/* Odds in eighths that a change survives whole; of the writes that do not, every other one is torn. */
static void mixed(struct platter *p, const struct change *c, unsigned odds, uint64_t *seed)
{
    uint64_t r = crash_random(seed);
    if (r % 8 < odds) reach_disk(p, c);
    else if (c->what == CH_WRITE && (r >> 8) & 1) torn(p, c, seed);
}

static void survive(struct platter *p, size_t i, enum cut how, uint64_t *seed)
{
    const struct change *c = &p->queue[i];
    bool last = i + 1 == p->nqueue;
    uint64_t r;
    switch (how) {
    case CUT_NONE: case CUT_LOSE_ALL: return;
    case CUT_KEEP_ALL: if (!c->dropped) reach_disk(p, c); return;
    case CUT_ONLY: if (i == *seed % p->nqueue) reach_disk(p, c); return;
    case CUT_BUT: if (i != *seed % p->nqueue) reach_disk(p, c); return;
    case CUT_PREFIX:
        r = crash_random(seed);
        if (last && c->what == CH_WRITE) inode_write(&p->inodes[c->ino], c->off, c->data, (size_t)(r % (c->n + 1)));
        else if (!c->dropped) reach_disk(p, c);
        return;
    case CUT_SHUFFLE:
        r = crash_random(seed);
        if (c->what == CH_WRITE && r % 4 == 1) some_sectors(p, c, seed);
        else if (r % 4 >= 2) reach_disk(p, c);
        return;
    case CUT_MIXED: return;            /* platter_cut knows the odds */
    }
}

void platter_cut(struct platter *p, enum cut how, uint64_t seed)
{
    static const unsigned odds[] = {1, 2, 4, 6, 7};
    unsigned chance = how == CUT_MIXED ? odds[crash_random(&seed) % 5] : 0;
    for (size_t i = 0; i < p->nqueue; i++) {
        if (how == CUT_MIXED) mixed(p, &p->queue[i], chance, &seed);
        else survive(p, i, how, &seed);
    }
    for (size_t i = 0; i < p->nqueue; i++) change_free(&p->queue[i]);
    p->nqueue = 0;
    tree_copy(&p->seen, &p->disk);
    memset(p->handle, 0, sizeof p->handle);
}

size_t platter_queued(const struct platter *p) { return p->nqueue; }

void platter_tell(const struct platter *p, FILE *out)
{
    static const char *const what[] = {"write", "size", "name", "no more name"};
    for (size_t i = 0; i < p->nqueue; i++) {
        const struct change *c = &p->queue[i];
        fprintf(out, "    not synced: %s %s of inode %zu, %zu bytes at %llu%s\n", what[c->what], c->name ? c->name : "", c->ino, c->n, (unsigned long long)c->off,
                c->dropped ? ", dropped by a failed sync" : "");
    }
}

/* ---- life, export ---- */
struct platter *platter_new(void)
{
    struct platter *p = calloc(1, sizeof *p);
    if (!p) check_no_memory();
    (void)inode_new(p, true);          /* the root */
    return p;
}

struct platter *platter_copy(const struct platter *from)
{
    struct platter *p = calloc(1, sizeof *p);
    if (!p) check_no_memory();
    p->inodes = grow(NULL, p->cap_inodes = p->ninodes = from->ninodes, sizeof *p->inodes);
    memcpy(p->inodes, from->inodes, from->ninodes * sizeof *p->inodes);
    for (size_t i = 0; i < p->ninodes; i++) p->inodes[i].b->refs++;
    tree_copy(&p->seen, &from->seen);
    tree_copy(&p->disk, &from->disk);
    memcpy(p->handle, from->handle, sizeof p->handle);
    for (size_t i = 0; i < from->nqueue; i++) {
        const struct change *c = &from->queue[i];
        struct change *to = queue_add(p, c->what, c->ino);
        *to = *c;
        if (c->data) memcpy(to->data = grow(NULL, c->n + 1, 1), c->data, c->n);
        if (c->name) to->name = text(c->name);
        if (c->from) to->from = text(c->from);
    }
    return p;
}

/* ---- one number for what is on disk ---- */
static uint64_t mix(uint64_t h, const unsigned char *p, size_t n)
{
    uint64_t w;
    for (; n >= sizeof w; p += sizeof w, n -= sizeof w) {
        memcpy(&w, p, sizeof w);
        h = (h ^ w) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    for (; n; p++, n--) h = (h ^ *p) * 0x100000001B3u;
    return crash_random(&h);
}

static uint64_t inode_hash(struct inode *i)
{
    if (!i->b->hashed) i->b->hash = mix(i->b->n, i->b->p, i->b->n);
    i->b->hashed = true;
    return i->b->hash;
}

static uint64_t dir_hash(struct platter *p, size_t dir, uint64_t under)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < p->disk.n; k++) {
        const struct entry *e = &p->disk.v[k];
        if (e->dir != dir) continue;
        uint64_t name = mix(under, (const unsigned char *)e->name, strlen(e->name));
        struct inode *i = &p->inodes[e->ino];
        uint64_t what = i->dir ? dir_hash(p, e->ino, name) + 1 : inode_hash(i) ^ name;
        sum += crash_random(&what);
    }
    return sum;
}

uint64_t platter_hash(struct platter *p) { return dir_hash(p, 0, 7); }

void platter_free(struct platter *p)
{
    if (!p) return;
    for (size_t i = 0; i < p->ninodes; i++) bytes_free(p->inodes[i].b);
    for (size_t i = 0; i < p->nqueue; i++) change_free(&p->queue[i]);
    for (size_t i = 0; i < p->seen.n; i++) free(p->seen.v[i].name);
    for (size_t i = 0; i < p->disk.n; i++) free(p->disk.v[i].name);
    free(p->inodes);
    free(p->queue);
    free(p->seen.v);
    free(p->disk.v);
    free(p);
}

static bool export_file(const struct inode *i, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool ok = true;
    for (size_t at = 0; at < i->b->n && ok;) {
        ssize_t put = pwrite(fd, i->b->p + at, i->b->n - at, (off_t)at);
        ok = put > 0;
        if (ok) at += (size_t)put;
    }
    return close(fd) == 0 && ok;
}

static bool export_dir(const struct platter *p, size_t dir, const char *path)
{
    char name[1024];
    for (size_t k = 0; k < p->disk.n; k++) {
        const struct entry *e = &p->disk.v[k];
        if (e->dir != dir) continue;
        if ((size_t)snprintf(name, sizeof name, "%s/%s", path, e->name) >= sizeof name) return false;
        const struct inode *i = &p->inodes[e->ino];
        if (i->dir ? mkdir(name, 0700) != 0 || !export_dir(p, e->ino, name) : !export_file(i, name)) return false;
    }
    return true;
}

bool platter_export(const struct platter *p, const char *dir) { return export_dir(p, 0, dir); }
