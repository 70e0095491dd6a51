/* check.c - before the first write: does the target have what the flows write, and may a module that already holds records be filled? */
#include "sync/sync_private.h"
#include <stdio.h>

struct tee { const struct finding_sink *to; char text[400]; size_t n; };

/* Passes findings on and keeps the failures for the error's text. */
static void tee_add(void *ctx, const struct finding *fi)
{
    struct tee *t = ctx;
    if (t->to) t->to->add(t->to->ctx, fi);
    if (fi->level == FINDING_FAIL && t->n < sizeof t->text - 1)
        t->n += (size_t)snprintf(t->text + t->n, sizeof t->text - t->n, "%s%s: %s", t->n ? "; " : "", fi->what, fi->text);
    if (t->n >= sizeof t->text) t->n = sizeof t->text - 1;
}

size_t check_fields(const struct sync_flow *sf, struct target_field *out)
{
    const struct image_flow *fl = sf->fl;
    for (size_t i = 0; i < fl->nfields; i++) {
        const struct image_field *fd = &fl->fields[i];
        out[i] = (struct target_field){.module = fl->module, .name = fd->name, .type = fd->type, .unique = fd->mode == FIELD_KEY || fd->unique,
                                       .on_insert = !fl->into, .on_update = fd->mode != FIELD_ONCE, .custom = fd->custom, .link_module = fd->link_module};
    }
    return fl->nfields;
}

static enum err check_target(struct engine *e, struct sync_endpoint *p, struct tee *tee, struct fault *f)
{
    size_t max = 0, n = 0;
    for (size_t i = 0; i < e->nflows; i++) max += e->flows[i].fl->nfields;
    struct target_field *fields = ARENA_ARRAY(&e->page, struct target_field, max + 1);
    for (size_t i = 0; i < e->nflows; i++)
        if (e->flows[i].dst == p) n += check_fields(&e->flows[i], fields + n);
    if (n == 0) return ERR_OK;
    struct finding_sink sink = {tee_add, tee};
    enum err err = p->tops->check(p->target, fields, n, &sink, f);
    if (err == ERR_CONFIG && tee->n) return fault_set(f, ERR_CONFIG, "%s cannot take what the spec writes: %s", p->env.state_name, tee->text);
    return err;
}

/* A module that people filled is not filled a second time by accident. */
static enum err check_filled(struct engine *e, struct sync_flow *sf, struct fault *f)
{
    int64_t count = 0;
    struct flow_state st = {0};
    if (sf->fl->into) return ERR_OK;                  /* it makes no records */
    enum err err = sf->dst->tops->count(sf->dst->target, sf->fl->module, &count, f);
    if (err != ERR_OK) return err;
    store_flow(e->store, sf->name, &st);
    sf->module_empty = count == 0;
    bool begun = st.linked || st.counts[ROW_INFLIGHT] || st.counts[ROW_AMBIGUOUS] || st.counts[ROW_WAITING];
    if (count == 0 || begun || sf->fl->adopt || e->o.create_all) return ERR_OK;
    struct str m = sf->fl->module;
    return fault_set(f, ERR_CONFIG, "flow %s: the module %.*s already holds %lld records and the flow does not say how to recognise them. Add `adopt by FIELD == "
                     "expression` to the flow, or run once with --create-all if none of them is meant", sf->cname, (int)m.n, m.p, (long long)count);
}

enum err engine_check(struct engine *e, const struct finding_sink *sink, struct fault *f)
{
    struct tee tee = {sink, "", 0};
    enum err err = ERR_OK;
    arena_reset(&e->page);
    for (size_t i = 0; i < e->image->ntargets && err == ERR_OK; i++) err = check_target(e, &e->targets[i], &tee, f);
    for (size_t i = 0; i < e->nflows && err == ERR_OK; i++) err = check_filled(e, &e->flows[i], f);
    if (e->journal) {
        emit_begin(e, FRAME_CHECK, NULL);
        event_put_text(&e->pub, EV_WHAT, "target");
        event_put_text(&e->pub, EV_WHY, err == ERR_OK ? "the target has what the spec writes" : f->text);
        struct fault later;
        if (emit_end(e, &later) != ERR_OK && err == ERR_OK) err = fault_set(f, later.err, "%s", later.text);
    }
    e->checked = err == ERR_OK;
    return err;
}

enum err engine_ping(struct engine *e, const struct finding_sink *sink, struct fault *f)
{
    enum err worst = ERR_OK;
    for (size_t i = 0; i < e->image->nsources; i++) {
        struct sync_endpoint *p = &e->sources[i];
        struct source_query *q = ARENA_ARRAY(&e->page, struct source_query, e->nflows * 8 + 1);
        size_t n = 0;
        for (size_t k = 0; k < e->nflows; k++)
            for (size_t c = 0; c < e->flows[k].nqueries && c < 8; c++)
                if (e->flows[k].from[c] == p) q[n++] = e->flows[k].queries[c];
        struct fault one;
        enum err err = p->sops->probe(p->source, q, n, sink, &one);
        if (err != ERR_OK && worst == ERR_OK) worst = fault_set(f, err, "source %s: %s", p->env.state_name, one.text);
    }
    for (size_t i = 0; i < e->image->ntargets; i++) {
        struct sync_endpoint *p = &e->targets[i];
        struct fault one;
        enum err err = p->tops->probe(p->target, sink, &one);
        struct tee tee = {sink, "", 0};
        if (err == ERR_OK) err = check_target(e, p, &tee, &one);
        if (err != ERR_OK && worst == ERR_OK) worst = fault_set(f, err, "target %s: %s", p->env.state_name, one.text);
    }
    return worst;
}
