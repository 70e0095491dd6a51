/* answer.c - what became of each record of a request, one by one, into OUTCOME frames; and what that means for the next try. */
#include "sync/sync_private.h"
#include <stdio.h>

enum { RETRY_MIN_MS = 2000, RETRY_MAX_MS = 15 * 60 * 1000, PARK_MS = 60 * 60 * 1000, RETRY_GIVE_UP = 40 };

static int64_t backoff(struct engine *e, unsigned tries)
{
    int64_t top = RETRY_MIN_MS;
    for (unsigned i = 0; i < tries && top < RETRY_MAX_MS; i++) top *= 3;
    if (top > RETRY_MAX_MS) top = RETRY_MAX_MS;
    uint32_t dice;
    e->w->random.fill(e->w->random.ctx, &dice, sizeof dice);
    return RETRY_MIN_MS + (int64_t)(dice % (uint64_t)(top - RETRY_MIN_MS + 1));
}

static int64_t due_of(struct engine *e, const struct write_item *it, unsigned tries)
{
    int64_t now = world_wall_ms(e->w), wait = 0;
    switch (it->cls) {
    case W_RETRY:     wait = backoff(e, tries); break;
    case W_PARKED:    wait = PARK_MS; break;
    case W_AMBIGUOUS: wait = engine_settle_ms(e); break;
    default: break;
    }
    return now + (it->not_before_ms > wait ? it->not_before_ms : wait);
}

/* A sentence for `status` and `why`: what the target said, and of which field. */
static void reason(const struct write_item *it, char *out, size_t n)
{
    if (it->cls == W_APPLIED) {
        out[0] = '\0';
        return;
    }
    if (it->cls == W_DUP_OTHER)
        snprintf(out, n, "%.*s: another record (%.*s) holds the same %.*s", (int)it->code.n, it->code.p, (int)it->out_id.n, it->out_id.p, (int)it->field.n,
                 it->field.p);
    else if (it->cls == W_GONE)
        snprintf(out, n, GONE_WHY);
    else
        snprintf(out, n, "%.*s%s%.*s%s%.*s%s", (int)it->code.n, it->code.p, it->code.n ? ": " : "", (int)it->message.n, it->message.p,
                 it->field.n ? " (" : "", (int)it->field.n, it->field.p, it->field.n ? ")" : "");
}

static void count(struct engine *e, const struct send_batch *b, const struct write_item *it)
{
    struct engine_result *r = &e->result;
    if (it->cls == W_APPLIED) *(b->wb.verb == WRITE_INSERT ? &r->inserted : &r->updated) += 1;
    else if (it->cls == W_REJECTED || it->cls == W_DUP_OTHER || it->cls == W_GONE || it->cls == W_CONFIG) r->failed++;
}

static enum err emit_outcome(struct engine *e, struct send_batch *b, size_t i, struct fault *f)
{
    struct write_item *it = &b->wb.items[i];
    struct flow_state st = {0};
    struct row row = {.tries = 0};
    struct arena_mark m = arena_mark(&b->arena);
    if (store_flow(e->store, b->sf->name, &st)) store_row(e->store, st.id, b->keys[i], &b->arena, &row, NULL);
    unsigned tries = row.tries;
    arena_release(&b->arena, m);
    if (it->cls == W_SPLIT && b->wb.n == 1) it->cls = W_REJECTED;        /* halved down to the culprit */
    if (it->cls == W_RETRY && tries >= RETRY_GIVE_UP) it->cls = W_REJECTED;
    char why[480];
    reason(it, why, sizeof why);
    emit_begin(e, FRAME_OUTCOME, b->sf);
    emit_key(e, b->keys[i], b->slots[i]);
    event_put_int(&e->pub, EV_CLASS, it->cls);
    event_put_int(&e->pub, EV_VERB, b->wb.verb);
    event_put_int(&e->pub, EV_HTTP, it->http_status);
    event_put_int(&e->pub, EV_ATTEMPT, (int64_t)b->attempts[i]);
    event_put_int(&e->pub, EV_DUE, due_of(e, it, tries));
    event_put(&e->pub, EV_CODE, it->code);
    if (it->out_id.n) event_put(&e->priv, EV_ID, it->out_id);
    event_put(&e->priv, EV_MESSAGE, it->message);
    event_put_text(&e->priv, EV_WHY, why);
    count(e, b, it);
    return emit_end(e, f);
}

static bool of_another_row(struct engine *e, struct send_batch *b, size_t i)
{
    struct flow_state st;
    struct str other;
    struct arena_mark m = arena_mark(&b->arena);
    bool taken = store_flow(e->store, b->sf->name, &st) && store_by_id(e->store, st.id, b->wb.items[i].out_id, &b->arena, &other) == ERR_OK &&
                 !str_eq(other, b->keys[i]);
    arena_release(&b->arena, m);
    return taken;
}

/* An insert makes a record of its own. An answer with the id of another row's record says nothing of this one, nor do two answers with one id: which is whose is
 * looked up by our key. */
static void doubt_ids(struct engine *e, struct send_batch *b)
{
    bool doubted[LIMIT_WRITE_BATCH] = {false};
    struct write_item *it = b->wb.items;
    for (size_t i = 0; i < b->wb.n; i++) {
        if (it[i].cls != W_APPLIED || it[i].out_id.n == 0) continue;
        doubted[i] = of_another_row(e, b, i);
        for (size_t j = 0; j < i; j++)
            if (it[j].cls == W_APPLIED && str_eq(it[i].out_id, it[j].out_id)) doubted[i] = doubted[j] = true;
    }
    for (size_t i = 0; i < b->wb.n; i++) {
        if (!doubted[i]) continue;
        it[i].cls = W_AMBIGUOUS;
        it[i].out_id = (struct str){NULL, 0};
        it[i].code = STR("ID_TAKEN");
        it[i].message = STR("the answer gives it the id of another row's record");
    }
}

/* A refused request is sent again in halves until the culprit stands alone; applied ones let the size grow back. */
static void adapt(struct engine *e, struct send_batch *b)
{
    unsigned full = e->o.batch_rows ? e->o.batch_rows : LIMIT_WRITE_BATCH;
    bool split = b->wb.n > 1 && b->wb.items[0].cls == W_SPLIT;
    if (split) b->sf->batch_now = b->wb.n > 3 ? (unsigned)(b->wb.n + 1) / 2 : 1;
    else if (b->wb.items[0].cls == W_APPLIED && b->sf->batch_now < full) b->sf->batch_now = b->sf->batch_now * 2 < full ? b->sf->batch_now * 2 : full;
}

enum err answer_batch(struct engine *e, struct send_batch *b, struct fault *f)
{
    adapt(e, b);
    if (b->wb.verb == WRITE_INSERT) doubt_ids(e, b);
    for (size_t i = 0; i < b->wb.n; i++) {
        enum err err = emit_outcome(e, b, i, f);
        if (err == ERR_OK) err = gone_answer(e, b->sf, b->keys[i], &b->wb.items[i], f);
        if (err != ERR_OK) return err;
        const struct write_item *it = &b->wb.items[i];
        if (it->cls != W_CONFIG || b->sf->stopped) continue;
        b->sf->stopped = true;
        log_error("flow %s: the target refuses for a reason that only a change of its set-up helps (%.*s: %.*s); no more writes in this run", b->sf->cname,
                  (int)it->code.n, it->code.p, (int)it->message.n, it->message.p);
    }
    return ERR_OK;
}
