/* emit_pools.c - what all flows of an image share: constants, reject texts, argument lists, tables. Each is there once, in the order of first use; constants
 * and texts are found by the hash of their bytes, because a spec of some thousand lines has thousands of them. */
#include "compiler/emit.h"
#include "base/check.h"

static void *grown(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) return v;
    *cap = *cap ? *cap * 2 : 32;
    void *w = arena_alloc(a, *cap * size);
    if (n) memcpy(w, v, n * size);
    return w;
}

/* ---- what is there already ---- */

static uint32_t hash_bytes(struct str s)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h ? h : 1;
}

/* The slot of a hash: that of an entry for which same() holds, or an empty one (hash 0). */
static struct pool_entry *find(struct pool_index *x, uint32_t hash, bool (*same)(const void *pool, uint32_t at, struct str key), const void *pool, struct str key)
{
    size_t i = hash & (x->cap - 1);
    while (x->slots[i].hash && (x->slots[i].hash != hash || !same(pool, x->slots[i].at, key))) i = (i + 1) & (x->cap - 1);
    return &x->slots[i];
}

static void make_room(struct pool_index *x, struct arena *a)
{
    struct pool_entry *old = x->slots;
    size_t n = x->cap;
    if (2 * (x->n + 1) <= n) return;
    x->cap = n ? n * 2 : 64;
    x->slots = ARENA_ARRAY(a, struct pool_entry, x->cap);
    for (size_t k = 0; k < n; k++) {
        if (!old[k].hash) continue;
        size_t i = old[k].hash & (x->cap - 1);
        while (x->slots[i].hash) i = (i + 1) & (x->cap - 1);
        x->slots[i] = old[k];
    }
}

static bool same_const(const void *pool, uint32_t at, struct str key)
{
    const struct pools *p = pool;
    struct buf b = {0};
    value_encode(&b, &p->consts[at]);
    bool same = str_eq(buf_view(&b), key);
    buf_free(&b);
    return same;
}

static bool same_message(const void *pool, uint32_t at, struct str key) { return str_eq(((const struct pools *)pool)->messages[at], key); }

/* ---- the pools ---- */

uint16_t emit_const(struct pools *p, const struct value *v)
{
    struct buf key = {0};
    value_encode(&key, v);
    make_room(&p->known_consts, p->arena);
    uint32_t hash = hash_bytes(buf_view(&key));
    struct pool_entry *e = find(&p->known_consts, hash, same_const, p, buf_view(&key));
    if (!e->hash) {
        *e = (struct pool_entry){hash, (uint32_t)p->nconsts};
        p->known_consts.n++;
        p->consts = grown(p->arena, p->consts, p->nconsts, &p->cap_consts, sizeof *p->consts);
        p->full = p->full || p->nconsts > UINT16_MAX;
        p->consts[p->nconsts++] = *v;
    }
    buf_free(&key);
    return (uint16_t)e->at;
}

uint16_t emit_message(struct pools *p, struct str s)
{
    make_room(&p->known_messages, p->arena);
    uint32_t hash = hash_bytes(s);
    struct pool_entry *e = find(&p->known_messages, hash, same_message, p, s);
    if (!e->hash) {
        *e = (struct pool_entry){hash, (uint32_t)p->nmessages};
        p->known_messages.n++;
        p->messages = grown(p->arena, p->messages, p->nmessages, &p->cap_messages, sizeof *p->messages);
        p->full = p->full || p->nmessages > UINT16_MAX;
        p->messages[p->nmessages++] = s;
    }
    return (uint16_t)e->at;
}

uint16_t emit_list(struct pools *p, const uint16_t *regs, size_t n)
{
    size_t at = p->nargs;
    for (size_t i = 0; i <= n; i++) {
        p->args = grown(p->arena, p->args, p->nargs, &p->cap_args, sizeof *p->args);
        p->args[p->nargs++] = i == 0 ? (uint16_t)n : regs[i - 1];
    }
    p->full = p->full || at > UINT16_MAX;
    return (uint16_t)at;
}

uint16_t emit_table(struct pools *p, const struct ir_table *t)
{
    for (size_t i = 0; i < p->ntables; i++)
        if (p->tables[i] == t) return (uint16_t)i;
    p->tables[p->ntables] = t;
    return (uint16_t)p->ntables++;
}
