/* locked.c - rows that somebody held when they were to be read: quick attempts first, then slowly, never forgotten, never holding back a page. */
#include "sync/sync_private.h"

static struct sync_flow *flow_of(struct engine *e, uint16_t id)
{
    for (size_t i = 0; i < e->nflows; i++) {
        struct flow_state st;
        if (store_flow(e->store, e->flows[i].name, &st) && st.id == id) return &e->flows[i];
    }
    return NULL;
}

enum err locked_retry(struct engine *e, int64_t *next_due_ms, struct fault *f)
{
    enum { AT_ONCE = 100 };
    arena_reset(&e->page);
    struct store_locked *due = ARENA_ARRAY(&e->page, struct store_locked, AT_ONCE);
    size_t n = store_locked_due(e->store, world_wall_ms(e->w), AT_ONCE, &e->page, due, next_due_ms);
    for (size_t i = 0; i < n; i++) {
        struct sync_flow *sf = flow_of(e, due[i].flow);
        struct source_key key;
        const struct source_query *q = sf ? key_split(sf, due[i].key, &e->page, &key) : NULL;
        if (!q) continue;                    /* a flow or company of another spec: it stays in the list and in `status` */
        enum err err = fetch_keys(e, sf, q, &key, 1, false, f);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}
