/* known.c - a pass over a door that cannot say what there is: each record that the index knows is read again by its key, in batches. What is new stays
 * unseen; what changed, vanished or came back is seen. */
#include "sync/sync_private.h"

struct known { struct str prefix; struct buf keys; size_t n; };

/* Keys of one batch, each with its length in front; the read transaction ends before a call goes out. */
static enum err take_key(void *arg, struct str key, const struct row *r)
{
    struct known *k = arg;
    if (!str_starts(key, k->prefix)) return str_cmp(key, k->prefix) < 0 ? ERR_OK : ERR_STOPPED;
    if (r->flags & ROW_F_ERASED) return ERR_OK;
    uint32_t n = (uint32_t)key.n;
    buf_put(&k->keys, &n, sizeof n);
    buf_str(&k->keys, key);
    return ++k->n == LIMIT_BATCH_GET ? ERR_STOPPED : ERR_OK;
}

static size_t split_keys(struct sync_flow *sf, const struct known *k, struct arena *a, struct source_key *out, struct str *last)
{
    const char *p = k->keys.p;
    for (size_t i = 0; i < k->n; i++) {
        uint32_t n;
        memcpy(&n, p, sizeof n);
        *last = (struct str){p + sizeof n, n};
        ASSERT(key_split(sf, *last, a, &out[i]));
        p += sizeof n + n;
    }
    return k->n;
}

enum err poll_known(struct engine *e, struct sync_flow *sf, const struct source_query *q, uint64_t *read, struct fault *f)
{
    struct flow_state st;
    struct known k = {.n = LIMIT_BATCH_GET};
    struct buf prefix = {0}, after = {0};
    enum err err = ERR_OK;
    *read = 0;
    if (!store_flow(e->store, sf->name, &st)) return ERR_OK;
    rowkey_make(&prefix, &q->company, 1);
    buf_str(&after, buf_view(&prefix));
    k.prefix = buf_view(&prefix);
    while (err == ERR_OK && k.n == LIMIT_BATCH_GET) {
        k.n = 0;
        buf_clear(&k.keys);
        err = store_rows(e->store, st.id, buf_view(&after), take_key, &k, f);
        if (err == ERR_STOPPED) err = ERR_OK;
        if (err != ERR_OK || k.n == 0) break;
        arena_reset(&e->page);
        struct source_key *keys = ARENA_ARRAY(&e->page, struct source_key, k.n);
        struct str last = {NULL, 0};
        size_t n = split_keys(sf, &k, &e->page, keys, &last);
        err = fetch_keys(e, sf, q, keys, n, false, f);
        *read += n;
        buf_clear(&after);
        buf_str(&after, last);
        progress_tell(e, sf, "reading");
        if (err == ERR_OK) err = send_pump(e, false, f);
        if (err == ERR_OK && e->o.stop && *e->o.stop) err = fault_set(f, ERR_STOPPED, "stopped on request");
    }
    buf_free(&k.keys);
    buf_free(&prefix);
    buf_free(&after);
    return err;
}
