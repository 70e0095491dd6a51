/* fuse.c - a run that would leave, delete or blank more than the flow allows is held. Rows wait as HELD; at the end of the pass they are
 * released together, or kept for `mlcd accept`. "fuse 25 or 5%" trips at whichever comes first; one record never trips it. */
#include "sync/sync_private.h"

uint64_t fuse_limit(const struct image_flow *fl, uint64_t linked)
{
    uint64_t by_count = fl->fuse_count ? fl->fuse_count : UINT64_MAX;
    uint64_t by_share = fl->fuse_percent ? linked * fl->fuse_percent / 10000 : UINT64_MAX;
    uint64_t limit = by_count < by_share ? by_count : by_share;
    return limit < 1 ? 1 : limit;
}

enum err fuse_decide(struct engine *e, struct sync_flow *sf, struct fault *f)
{
    struct flow_state st;
    if (!store_flow(e->store, sf->name, &st) || st.counts[ROW_HELD] == 0) return ERR_OK;
    uint64_t held = st.counts[ROW_HELD], limit = fuse_limit(sf->fl, st.linked);
    bool release = held <= limit;
    emit_begin(e, FRAME_FUSE, sf);
    event_put_int(&e->pub, EV_DANGER, (int64_t)held);
    event_put_int(&e->pub, EV_LIMIT, (int64_t)limit);
    event_put_int(&e->pub, EV_COMPLETE, release);
    enum err err = emit_end(e, f);
    if (err == ERR_OK) err = emit_commit(e, f);
    if (err == ERR_OK && !release) {
        e->result.held += held;
        log_warn("flow %s: %llu records would leave, be deleted or be blanked, more than the fuse of %llu: held. Look with `mlcd status`, release with "
                 "`mlcd accept --flow %s`", sf->cname, (unsigned long long)held, (unsigned long long)limit, sf->cname);
    }
    return err;
}

enum err engine_accept(struct engine *e, const char *flow, const char *by, uint64_t *released, struct fault *f)
{
    *released = 0;
    for (size_t i = 0; i < e->nflows; i++) {
        struct sync_flow *sf = &e->flows[i];
        struct flow_state st;
        if ((flow && !str_is(sf->name, flow)) || !store_flow(e->store, sf->name, &st) || st.counts[ROW_HELD] == 0) continue;
        emit_begin(e, FRAME_ACCEPT, sf);
        event_put_int(&e->pub, EV_DANGER, (int64_t)st.counts[ROW_HELD]);
        event_put_int(&e->pub, EV_COMPLETE, 1);
        event_put_text(&e->priv, EV_BY, by);
        enum err err = emit_end(e, f);
        if (err == ERR_OK) err = emit_commit(e, f);
        if (err != ERR_OK) return err;
        *released += st.counts[ROW_HELD];
    }
    return ERR_OK;
}
