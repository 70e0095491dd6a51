/*
 * view.c: the rows that exist now, found by key, or walked in ascending key or in ascending (position, key).
 *
 *     generated rows, by index or by by_position[]  --\
 *                                                      merge -> hit -> view_row
 *     patches, by key or by position                --/
 *
 * A walk is made of two numbers and holds nothing: it may be dropped at any time, and one starts per page, which is
 * what an agent without a kept list does (facts/sage-100.md 9.5).
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

struct placed {
    uint64_t position;
    uint32_t index;
};

// Least significant digit first, 16 bits at a time; stable, so that equal positions stay in the order of their keys.
static void sort_by_position(struct placed *rows, size_t n)
{
    struct placed *other = sage__alloc(n * sizeof *other);
    uint32_t *starts = sage__alloc(65536 * sizeof *starts);
    for (int shift = 0; shift < 48; shift += 16) {
        memset(starts, 0, 65536 * sizeof *starts);
        for (size_t i = 0; i < n; i++)
            starts[rows[i].position >> shift & 65535]++;
        uint32_t at = 0;
        for (size_t d = 0; d < 65536; d++) {
            uint32_t count = starts[d];
            starts[d] = at;
            at += count;
        }
        for (size_t i = 0; i < n; i++)
            other[starts[rows[i].position >> shift & 65535]++] = rows[i];
        struct placed *swap = rows;
        rows = other;
        other = swap;
    }
    // three passes: the sorted rows lie in what was allocated here; bring them home
    memcpy(other, rows, n * sizeof *rows);
    free(rows);
    free(starts);
}

static void build_order(struct sage_resource *r)
{
    if (r->by_position)
        return;
    struct placed *rows = sage__alloc((size_t)r->count * sizeof *rows);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->count; i++)
        if (sage__base_exists(r, i))
            rows[n++] = (struct placed){(uint64_t)sage__base_position(r, i), i};
    sort_by_position(rows, n);
    r->by_position = sage__alloc((size_t)n * sizeof *r->by_position);
    for (uint32_t i = 0; i < n; i++)
        r->by_position[i] = rows[i].index;
    r->nby_position = n;
    free(rows);
}

void sage__view_drop(struct sage_resource *r)
{
    free(r->by_position);
    r->by_position = NULL;
    r->nby_position = 0;
}

static bool hidden(const struct sage_resource *r, const struct sage_key *key, bool truth)
{
    return !truth && r->vanished_permille && sage__hash(r->seed ^ 0xa117, key->b, key->len) % 1000 < (uint64_t)r->vanished_permille;
}

bool sage__view_find(struct sage_resource *r, const struct sage_key *key, bool truth, struct sage_hit *hit)
{
    memset(hit, 0, offsetof(struct sage_hit, key));
    hit->key = *key;
    if (hidden(r, key, truth))
        return false;
    hit->patch = sage__patch_find(&r->patches, key);
    if (hit->patch) {
        hit->index = hit->patch->base;
        hit->position = hit->patch->position;
        return !hit->patch->deleted;
    }
    if (!sage__base_find(r, key, &hit->index))
        return false;
    hit->position = sage__base_position(r, hit->index);
    return true;
}

// First index in an order of n elements that is beyond; `beyond` is monotone.
static size_t bisect(size_t n, bool (*beyond)(const void *, size_t), const void *ctx)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (beyond(ctx, mid))
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

struct start {
    const struct sage_resource *res;
    int64_t position;
    const struct sage_key *key;
};

static bool after(const struct start *s, int64_t position, const struct sage_key *key)
{
    if (position != s->position)
        return position > s->position;
    return !s->key || sage__key_cmp(key, s->key) > 0;
}

static bool base_beyond(const void *ctx, size_t i)
{
    const struct start *s = ctx;
    struct sage_key key;
    int64_t position = sage__base_position(s->res, s->res->by_position[i]);
    if (position == s->position && s->key)
        sage__base_key(s->res, s->res->by_position[i], &key);
    else
        key.len = 0;
    return after(s, position, &key);
}

static bool patch_beyond(const void *ctx, size_t i)
{
    const struct start *s = ctx;
    const struct sage_patch *p = s->res->patches.by_position[i];
    return after(s, p->position, &p->key);
}

static bool patch_key_beyond(const void *ctx, size_t i)
{
    const struct start *s = ctx;
    return !s->key || sage__key_cmp(&s->res->patches.by_key[i]->key, s->key) > 0;
}

void sage__view_after_key(struct sage_resource *r, const struct sage_key *key, struct sage_iter *it)
{
    struct start s = {r, 0, key};
    sage__patches_sort(&r->patches);
    *it = (struct sage_iter){r, false, 0, 0};
    it->patch = bisect(r->patches.count, patch_key_beyond, &s);
    if (key) {
        struct sage_key k;
        it->base = sage__base_lower(r, key);
        if (it->base < r->count) {
            sage__base_key(r, it->base, &k);
            it->base += sage__key_cmp(&k, key) == 0;
        }
    }
}

void sage__view_after(struct sage_resource *r, int64_t position, const struct sage_key *key, struct sage_iter *it)
{
    struct start s = {r, position, key};
    build_order(r);
    sage__patches_sort(&r->patches);
    *it = (struct sage_iter){r, true, 0, 0};
    it->base = (uint32_t)bisect(r->nby_position, base_beyond, &s);
    it->patch = bisect(r->patches.count, patch_beyond, &s);
}

// The next generated row that exists, is not patched and is not hidden.
static bool next_base(struct sage_iter *it, bool truth, struct sage_hit *hit)
{
    const struct sage_resource *r = it->res;
    uint32_t end = it->by_position ? r->nby_position : r->count;
    for (; it->base < end; it->base++) {
        uint32_t index = it->by_position ? r->by_position[it->base] : it->base;
        if (!it->by_position && !sage__base_exists(r, index))
            continue;
        sage__base_key(r, index, &hit->key);
        if (sage__patch_find(&r->patches, &hit->key) || hidden(r, &hit->key, truth))
            continue;
        hit->index = index;
        hit->patch = NULL;
        hit->position = sage__base_position(r, index);
        return true;
    }
    return false;
}

static struct sage_patch *next_patch(struct sage_iter *it, bool truth)
{
    const struct sage_patches *ps = &it->res->patches;
    for (; it->patch < ps->count; it->patch++) {
        struct sage_patch *p = it->by_position ? ps->by_position[it->patch] : ps->by_key[it->patch];
        if (!p->deleted && !hidden(it->res, &p->key, truth))
            return p;
    }
    return NULL;
}

bool sage__view_next(struct sage_iter *it, bool truth, struct sage_hit *hit)
{
    bool base = next_base(it, truth, hit);
    struct sage_patch *p = next_patch(it, truth);
    if (!base && !p)
        return false;
    if (base && p) {
        int64_t d = it->by_position ? p->position - hit->position : 0;
        if (!d)
            d = sage__key_cmp(&p->key, &hit->key);
        if (d > 0)
            p = NULL;
    }
    if (!p) {
        it->base++;
        return true;
    }
    it->patch++;
    hit->key = p->key;
    hit->patch = p;
    hit->index = p->base;
    hit->position = p->position;
    return true;
}

void sage__view_row(struct sage_resource *r, const struct sage_hit *hit, struct sage_row *row)
{
    bool based = !hit->patch || hit->patch->based;
    sage__fill(r, based ? &hit->index : NULL, &hit->key, row);
    if (!hit->patch)
        return;
    for (size_t i = 0; i < hit->patch->nedits; i++) {
        const struct sage_edit *e = &hit->patch->edits[i];
        row->v[e->column] = (struct sage_value){e->value, e->len};
    }
}

bool sage__view_locked(struct sage_resource *r, struct sage_hit *hit)
{
    if (!hit->patch)
        return false;
    if (hit->patch->lock_reads > 0) {
        hit->patch->lock_reads--;
        return true;
    }
    return hit->patch->lock_until_ms > sage_sim_now_ms(r->company->sim);
}

struct sage_patch *sage__view_patch(struct sage_resource *r, const struct sage_key *key)
{
    struct sage_patch *p = sage__patch_find(&r->patches, key);
    if (p)
        return p;
    uint32_t index;
    bool based = sage__base_find(r, key, &index);
    p = sage__patch_make(&r->patches, key);
    p->based = based;
    p->base = based ? index : 0;
    p->position = based ? sage__base_position(r, index) : 0;
    p->deleted = !based;
    return p;
}

static int64_t stamp_of(const struct sage_row *row, int date, int time)
{
    if (date < 0)
        return 0;
    struct sage_value none = {"", 0}, d = row->v[date], t = time < 0 ? none : row->v[time];
    return sage__position(d.p ? d.p : "", d.len, t.p ? t.p : "", t.len);
}

void sage__view_changed(struct sage_resource *r, struct sage_patch *p)
{
    struct sage_hit hit = {.index = p->base, .patch = p, .key = p->key};
    struct sage_row row;
    const int *stamp = r->layout->stamp;
    sage__view_row(r, &hit, &row);
    int64_t created = stamp_of(&row, stamp[0], stamp[1]), updated = stamp_of(&row, stamp[2], stamp[3]);
    p->position = created > updated ? created : updated;
    r->patches.sorted = false;
}
