/* order.c - whose turn it is to be sent. A look-up in a module that another flow of this spec fills finds its record only when that was sent first: so a
 * flow with such a `find` waits while rows of an earlier flow are still to go out, on their way, or waiting for a record that is itself still to go out.
 * A record that is looked up by our own key and is known not to be there yet, as its write failed for a moment, is waited for as a `ref` is.
 * Rows that wait for anything else (a person, a record that nobody will send, a later time) are not waited for, and a flow never waits for a later one:
 * nobody waits in a circle. */
#include "sync/sync_private.h"

static bool is_unsent(const struct engine *e, const struct sync_flow *g);

static const struct sync_flow *flow_at(const struct engine *e, uint16_t index)
{
    for (size_t i = 0; i < e->nflows; i++)
        if (e->flows[i].fl == &e->image->flows[index]) return &e->flows[i];
    return NULL;
}

/* References form no circle (E0513), so this ends. */
static bool any_parent_unsent(const struct engine *e, const struct image_flow *fl, const struct image_flow *body)
{
    for (size_t i = 0; i < body->nlinks; i++) {
        const struct sync_flow *parent = body->links[i].kind == LINK_REF ? flow_at(e, body->links[i].flow) : NULL;
        if (parent && parent->fl != fl && is_unsent(e, parent)) return true;
    }
    for (size_t i = 0; i < body->nlines; i++)
        if (any_parent_unsent(e, fl, body->lines[i].body)) return true;
    return false;
}

static bool is_unsent(const struct engine *e, const struct sync_flow *g)
{
    struct flow_state st;
    if (g->stopped || !store_flow(e->store, g->name, &st)) return false;
    if (st.counts[ROW_DIRTY] + st.counts[ROW_INFLIGHT] > 0) return true;
    return st.counts[ROW_WAITING] > 0 && any_parent_unsent(e, g->fl, g->fl);
}

static bool waits_for(const struct engine *e, const struct sync_flow *sf, const struct image_link *l)
{
    if (l->kind != LINK_FIND) return false;
    for (const struct sync_flow *g = e->flows; g < sf; g++)
        if (!g->fl->into && g->dst == sf->dst && str_eq(g->fl->module, l->module) && is_unsent(e, g)) return true;
    return false;
}

/* The row of this spec whose key the look-up asks for, in an earlier flow. */
static const struct sync_flow *own_row(const struct engine *e, const struct sync_flow *sf, const struct image_link *l, struct str symbol, struct arena *a,
                                       struct str *key, struct row *row)
{
    struct str parts[LIMIT_KEY_PARTS + 2];
    for (const struct sync_flow *g = e->flows; g < sf; g++) {
        const struct image_flow *fl = g->fl;
        struct flow_state st;
        struct buf natural = {0};
        if (l->nmore || fl->into || g->dst != sf->dst || !str_eq(fl->module, l->module) || !str_eq(fl->fields[fl->key_field].name, l->field)) continue;
        size_t n = rowkey_parse(symbol, a, parts, LIMIT_KEY_PARTS + 2), first = fl->key_with_flow ? 1 : 0;
        if (n <= first || (first && !str_eq(parts[0], fl->name))) continue;
        bool good = rowkey_make(&natural, parts + first, n - first);
        *key = (struct str){arena_copy(a, natural.p, natural.n), natural.n};
        buf_free(&natural);
        if (good && store_flow(e->store, g->name, &st) && store_row(e->store, st.id, *key, a, row, NULL) == ERR_OK) return g;
    }
    return NULL;
}

enum order_own order_own(const struct engine *e, const struct sync_flow *sf, const struct image_link *l, struct str symbol, struct arena *a, uint16_t *flow,
                         struct str *key)
{
    struct row row;
    const struct sync_flow *g = l->kind == LINK_FIND && symbol.n ? own_row(e, sf, l, symbol, a, key, &row) : NULL;
    if (!g || (row.flags & ROW_F_VOID)) return ORDER_NOT_OURS;
    *flow = (uint16_t)(g->fl - e->image->flows);
    if (row.id.n) return ORDER_THERE;
    bool coming = row.state == ROW_DIRTY || row.state == ROW_INFLIGHT || row.state == ROW_RETRY || row.state == ROW_AMBIGUOUS || row.state == ROW_WAITING;
    return coming ? ORDER_COMING : ORDER_NOT_OURS;
}

bool order_waits(const struct engine *e, const struct sync_flow *sf)
{
    const struct image_flow *fl = sf->fl;
    for (size_t i = 0; i < fl->nlinks; i++)
        if (waits_for(e, sf, &fl->links[i])) return true;
    for (size_t k = 0; k < fl->nlines; k++)
        for (size_t i = 0; i < fl->lines[k].body->nlinks; i++)
            if (waits_for(e, sf, &fl->lines[k].body->links[i])) return true;
    return false;
}
