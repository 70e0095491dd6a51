/* settle.c - ambiguous records: sent without an answer, or found in flight at start. After the settle time they are read back, by id or by our key,
 * compared with what was sent, and only then counted as written or tried again. */
#include "sync/sync_private.h"

static enum err emit_settle(struct engine *e, struct sync_flow *sf, struct send_item *it, enum write_class cls, struct str id, const char *found, struct fault *f)
{
    emit_begin(e, FRAME_SETTLE, sf);
    emit_key(e, it->key, it->row.slot);
    event_put_int(&e->pub, EV_CLASS, cls);
    event_put_int(&e->pub, EV_ATTEMPT, (int64_t)it->row.attempt);
    event_put_text(&e->pub, EV_WHY, found);
    if (id.n) event_put(&e->priv, EV_ID, id);
    it->skip = true;
    if (cls == W_APPLIED) *(it->row.verb == WRITE_INSERT ? &e->result.inserted : &e->result.updated) += 1;
    return emit_end(e, f);
}

/* The lines that were sent are the rows that stand there. */
static bool lines_stand(struct engine *e, struct sync_flow *sf, const struct send_item *it, size_t field, const struct value *sent, const struct value *there,
                        struct arena *a)
{
    const struct image_field *fd = &sf->fl->fields[field];
    struct record known = record_of(it->row.lines, a);
    const struct value *map = record_get(&known, fd->name);
    struct value wanted = lines_resolved(e, sf, field, it->key, sent, a);
    struct lines_match m;
    lines_match(&wanted, &value_absent, map ? map : &value_absent, there, fd->type.shape, a, &m);
    return !m.differs;
}

/* What was sent stands there: every field of ours that can be compared (fill may have been taken, once belongs to people). */
static bool stands(struct engine *e, struct sync_flow *sf, const struct send_item *it, const struct record *there, struct arena *a)
{
    struct record sent = record_of(it->row.sent, a);
    for (size_t i = 0; i < sent.n; i++) {
        const struct image_field *fd = flow_field(sf->fl, sent.f[i].name);
        const struct value *found = record_get(there, sent.f[i].name), *v = found ? found : &value_absent;
        if (!fd || fd->mode == FIELD_FILL || fd->mode == FIELD_ONCE) continue;
        size_t field = (size_t)(fd - sf->fl->fields);
        bool stand = fd->type.base == T_LIST ? lines_stand(e, sf, it, field, &sent.f[i].v, v, a) : link_holds(e, sf, field, it->key, &sent.f[i].v, v, a);
        if (!stand) return false;
    }
    return true;
}

static enum err judge(struct engine *e, struct sync_flow *sf, struct send_item *it, const struct lookup_hit *hit, struct arena *a, struct fault *f)
{
    if (stands(e, sf, it, &hit->fields, a)) return emit_settle(e, sf, it, W_APPLIED, hit->id, "it had been applied", f);
    /* There, but not as sent: an older write of ours, or people's edits. Keep the id; it is read and compared before the next write. */
    return emit_settle(e, sf, it, W_RETRY, hit->id, "the record stands there with other values", f);
}

static enum err settle_some(struct engine *e, struct sync_flow *sf, struct send_item **some, size_t n, bool by_id, struct arena *a, struct fault *f)
{
    struct str *values = ARENA_ARRAY(a, struct str, n), *want = ARENA_ARRAY(a, struct str, sf->fl->nfields);
    for (size_t i = 0; i < n; i++) values[i] = by_id ? some[i]->row.id : key_written(e->vm, sf->fl, some[i]->key, a);
    for (size_t i = 0; i < sf->fl->nfields; i++) want[i] = sf->fl->fields[i].name;
    struct lookup_hit *hits = NULL;
    size_t nhits = 0;
    enum err err = by_id ? sf->dst->tops->read(sf->dst->target, sf->fl->module, values, n, want, sf->fl->nfields, a, &hits, &nhits, f)
                         : sf->dst->tops->lookup(sf->dst->target, sf->fl->module, sf->fl->fields[sf->fl->key_field].name, values, n, want, sf->fl->nfields, a,
                                                 &hits, &nhits, f);
    for (size_t i = 0; i < nhits && err == ERR_OK; i++)
        if (!some[hits[i].value_index]->skip) err = judge(e, sf, some[hits[i].value_index], &hits[i], a, f);
    for (size_t i = 0; i < n && err == ERR_OK; i++)
        if (!some[i]->skip) err = emit_settle(e, sf, some[i], W_RETRY, (struct str){NULL, 0}, "it had not been applied", f);
    return err;
}

enum err settle_items(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    struct send_item **some = ARENA_ARRAY(a, struct send_item *, LIMIT_COQL_IN);
    for (int by_id = 0; by_id < 2; by_id++) {
        for (size_t at = 0; at < n;) {
            size_t k = 0;
            for (; at < n && k < LIMIT_COQL_IN; at++)
                if (!items[at].skip && items[at].row.state == ROW_AMBIGUOUS && (items[at].row.id.n > 0) == (by_id == 1)) some[k++] = &items[at];
            if (k == 0) break;
            enum err err = settle_some(e, sf, some, k, by_id == 1, a, f);
            if (err != ERR_OK) return err;
        }
    }
    return ERR_OK;
}
