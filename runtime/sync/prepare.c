/* prepare.c - what `extend` declares and the target lacks: shown, or made with an entry in the log before the first and after each step. */
#include "sync/sync_private.h"

struct preparing {
    struct engine *e;
    bool make;
    const char *by;
    void (*each)(void *ctx, const struct make_step *s);
    void *ctx;
    struct prepare_totals *t;
    struct fault log;                  /* the log did not take an entry */
};

static const char *const words[] = {[MAKE_WANTED] = "wanted", [MAKE_DONE] = "made", [MAKE_REFUSED] = "refused", [MAKE_BY_HAND] = "by hand"};

/* Names and declared types only: no record's data. */
static void log_step(struct preparing *p, struct str module, struct str field, const char *text)
{
    struct engine *e = p->e;
    if (!e->journal || p->log.err != ERR_OK) return;
    emit_begin(e, FRAME_CHECK, NULL);
    event_put_text(&e->pub, EV_WHAT, "prepare");
    if (module.n) event_put(&e->pub, EV_MODULE, module);
    if (field.n) event_put(&e->pub, EV_FIELD, field);
    event_put_text(&e->pub, EV_WHY, text);
    event_put_text(&e->pub, EV_BY, p->by);
    if (emit_end(e, &p->log) == ERR_OK) (void)emit_commit(e, &p->log);
}

static void on_step(void *ctx, const struct make_step *s)
{
    struct preparing *p = ctx;
    uint64_t *counts[] = {[MAKE_WANTED] = &p->t->wanted, [MAKE_DONE] = &p->t->made, [MAKE_REFUSED] = &p->t->refused, [MAKE_BY_HAND] = &p->t->by_hand};
    ++*counts[s->state];
    if (p->make && s->state != MAKE_BY_HAND)
        log_step(p, s->module, s->field, arena_printf(&p->e->page, "%s: %s%s%s", words[s->state], s->what, s->why[0] ? "; " : "", s->why));
    p->each(p->ctx, s);
}

static enum err prepare_target(struct preparing *p, struct sync_endpoint *t, struct fault *f)
{
    struct engine *e = p->e;
    size_t max = 0, n = 0;
    for (size_t i = 0; i < e->nflows; i++) max += e->flows[i].fl->nfields;
    struct target_field *fields = ARENA_ARRAY(&e->page, struct target_field, max + 1);
    for (size_t i = 0; i < e->nflows; i++)
        if (e->flows[i].dst == t) n += check_fields(&e->flows[i], fields + n);
    if (n == 0) return ERR_OK;
    if (!t->tops->prepare) return fault_set(f, ERR_UNSUPPORTED, "target %s: nothing can be made there", t->env.state_name);
    struct make_sink sink = {on_step, p};
    enum err err = t->tops->prepare(t->target, fields, n, p->make, &sink, f);
    return err == ERR_OK ? err : fault_prefix(f, "target %s", t->env.state_name);
}

enum err engine_prepare(struct engine *e, bool make, const char *by, void (*each)(void *ctx, const struct make_step *s), void *ctx, struct prepare_totals *t,
                        struct fault *f)
{
    struct preparing p = {.e = e, .make = make, .by = by, .each = each, .ctx = ctx, .t = t};
    struct str none = {"", 0};
    enum err err = ERR_OK;
    *t = (struct prepare_totals){0};
    arena_reset(&e->page);
    if (make) log_step(&p, none, none, "begins: what extend declares is made in the target");
    for (size_t i = 0; i < e->image->ntargets && err == ERR_OK && p.log.err == ERR_OK; i++) err = prepare_target(&p, &e->targets[i], f);
    if (err == ERR_OK && p.log.err != ERR_OK) err = fault_set(f, p.log.err, "%s", p.log.text);
    e->checked = false;
    return err;
}
