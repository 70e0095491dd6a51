/* send.c - due rows into requests. A round: pick, settle what is ambiguous, look up what must be known, journal INTENT for each record, one flush, start.
 * Nothing is sent whose INTENT is not durable. Rows on their way are INFLIGHT in the index, so no row is in two requests. */
#include "sync/sync_private.h"
#include <stdio.h>
#include <stdlib.h>

/* Ten requests at most are under way at once (facts/zoho-crm.md 8), six more are ready: their INTENTs are durable, so one leaves the moment that a place is
 * free. ROUND_MAX rows are composed in one go. */
enum { BATCHES_MAX = 16, ROUND_MAX = 300, READY_FEW = 3, KICK_MS = 2 };

bool send_idle(const struct engine *e) { return e->nbatches == 0; }

/* ---- picking ---- */
static size_t pick(struct engine *e, struct sync_flow *sf, uint16_t flow, size_t max, struct arena *a, struct send_item *items, struct fault *f)
{
    struct store_item *due = ARENA_ARRAY(a, struct store_item, max);
    size_t n = store_due(e->store, flow, world_wall_ms(e->w), max, a, due, NULL), kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct send_item *it = &items[kept];
        *it = (struct send_item){.key = due[i].key};
        if (store_row(e->store, flow, due[i].key, a, &it->row, f) != ERR_OK) continue;
        it->wanted = record_of(it->row.wanted, a);
        it->written = record_of(it->row.written, a);
        kept++;
    }
    (void)sf;
    return kept;
}

/* Nothing differs from what stands there (the wish came and went): at rest without a call. */
static enum err emit_rest(struct engine *e, struct sync_flow *sf, const struct send_item *it, struct fault *f)
{
    uint32_t flags = it->row.flags & (ROW_F_LEFT | ROW_F_GONE);
    emit_begin(e, FRAME_ROW, sf);
    emit_key(e, it->key, it->row.slot);
    event_put_int(&e->pub, EV_STATE, flags & ROW_F_GONE ? ROW_GONE : flags & ROW_F_LEFT ? ROW_LEFT : ROW_CLEAN);
    event_put_int(&e->pub, EV_FLAGS, flags);
    event_put_text(&e->priv, EV_WHY, "");
    return emit_end(e, f);
}

/* ---- batches ---- */
static struct send_batch *batch_new(struct engine *e, struct sync_flow *sf, enum write_verb verb, size_t cap)
{
    struct send_batch *b = calloc(1, sizeof *b);
    if (!b) check_no_memory();
    arena_init(&b->arena, 64 * 1024);
    b->sf = sf;
    b->keys = ARENA_ARRAY(&b->arena, struct str, cap);
    b->slots = ARENA_ARRAY(&b->arena, uint32_t, cap);
    b->attempts = ARENA_ARRAY(&b->arena, uint64_t, cap);
    b->wb = (struct write_batch){.verb = verb, .module = sf->fl->module, .key_field = sf->fl->into ? (struct str){NULL, 0} : sf->fl->fields[sf->fl->key_field].name,
                                 .trigger_workflow = sf->fl->trigger_workflow,
                                 .trigger_approval = sf->fl->trigger_approval, .trigger_blueprint = sf->fl->trigger_blueprint, .arena = &b->arena, .user = b,
                                 .items = ARENA_ARRAY(&b->arena, struct write_item, cap)};
    struct send_batch **last = &e->batches;      /* they leave in the order in which they were made */
    while (*last) last = &(*last)->next;
    *last = b;
    e->nbatches++;
    return b;
}

static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

static void batch_add(struct engine *e, struct send_batch *b, const struct outgoing *o)
{
    struct record *fields = ARENA_NEW(&b->arena, struct record);
    *fields = (struct record){ARENA_ARRAY(&b->arena, struct record_field, o->fields.n + 1), o->fields.n};
    for (size_t i = 0; i < o->fields.n; i++)
        fields->f[i] = (struct record_field){keep(&b->arena, o->fields.f[i].name), value_copy(&b->arena, &o->fields.f[i].v)};
    for (size_t i = 0; i < o->fields.n; i++) b->wb.lines = b->wb.lines || o->fields.f[i].v.kind == V_LIST;
    size_t k = b->wb.n++;
    b->keys[k] = keep(&b->arena, o->it->key);
    b->slots[k] = o->it->row.slot;
    b->attempts[k] = emit_seq(e);
    b->wb.items[k] = (struct write_item){.id = keep(&b->arena, o->it->row.id), .fields = fields, .cls = W_AMBIGUOUS};
}

static enum err wait_for_person(struct engine *e, struct sync_flow *sf, struct send_item *it, struct str ids, struct str name, struct fault *f)
{
    bool several = memchr(ids.p, ',', ids.n) != NULL;
    emit_begin(e, FRAME_ADOPT, sf);
    emit_key(e, it->key, it->row.slot);
    event_put(&e->priv, EV_CANDIDATES, ids);
    event_put(&e->priv, EV_VALUE, name);
    struct str fd = sf->fl->adopt_field;
    char why[600];
    snprintf(why, sizeof why, "%s with the same %.*s: %.*s; decide with mlcd adopt", several ? "several records" : "a record that people made",
             (int)fd.n, fd.p, (int)(ids.n < 400 ? ids.n : 400), ids.p);
    event_put_text(&e->priv, EV_WHY, why);
    it->skip = true;
    return emit_end(e, f);
}

/* Records that people made before come first: rows with candidates wait, they are never doubled. */
static enum err hold_candidates(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    if (!sf->fl->adopt || e->o.create_all || sf->module_empty) return ERR_OK;
    struct str *ids = ARENA_ARRAY(a, struct str, n), *names = ARENA_ARRAY(a, struct str, n);
    enum err err = candidates_of(e, sf, items, n, a, ids, names, f);
    for (size_t i = 0; i < n && err == ERR_OK; i++)
        if (ids[i].n) err = wait_for_person(e, sf, &items[i], ids[i], names[i], f);
    return err;
}

/* The rows of lists that are about to be written; the record may turn out to be gone. */
static enum err read_rows(struct engine *e, struct sync_flow *sf, struct send_item *it, struct arena *a, struct record *in_target, struct fault *f)
{
    struct str *names;
    size_t n = compose_lists(sf, it, a, &names), nhits = 0;
    struct lookup_hit *hits = NULL;
    if (n == 0) return ERR_OK;
    enum err err = sf->dst->tops->read(sf->dst->target, sf->fl->module, &it->row.id, 1, names, n, a, &hits, &nhits, f);
    if (err != ERR_OK) return err;
    if (nhits == 0) return gone_item(e, sf, it, f);
    struct record both = {ARENA_ARRAY(a, struct record_field, in_target->n + hits[0].fields.n + 1), 0};
    for (size_t i = 0; i < hits[0].fields.n; i++) both.f[both.n++] = hits[0].fields.f[i];
    for (size_t i = 0; i < in_target->n; i++)
        if (!record_get(&hits[0].fields, in_target->f[i].name)) both.f[both.n++] = in_target->f[i];
    *in_target = both;
    return ERR_OK;
}

/* One row into the request that is being filled. What it takes from the arena is not needed afterwards: the request has copies. */
static enum err put_row(struct engine *e, struct sync_flow *sf, struct send_item *it, struct record found, struct send_batch *open[2],
                        struct arena *a, struct fault *f)
{
    struct outgoing o;
    enum err err = read_rows(e, sf, it, a, &found, f);
    if (err != ERR_OK || it->skip) return err;
    enum composed what = compose(e, sf, it, &found, a, &o);
    if (what == COMPOSED_NOTHING) return emit_rest(e, sf, it, f);
    if (what == COMPOSED_SAME) return compose_stands(e, sf, &o, f);
    err = compose_intent(e, sf, &o, f);
    if (err != ERR_OK) return err;
    struct send_batch **b = &open[o.verb];
    if (!*b || (*b)->wb.n >= sf->batch_now) *b = batch_new(e, sf, o.verb, sf->batch_now);
    batch_add(e, *b, &o);
    return ERR_OK;
}

static enum err make_batches(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    struct record *found = ARENA_ARRAY(a, struct record, n + 1);
    struct send_batch *open[2] = {NULL, NULL};
    enum err err = lookup_fill(sf, items, n, a, found, f);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        if (items[i].skip) continue;
        struct arena_mark m = arena_mark(a);
        err = put_row(e, sf, &items[i], found[i], open, a, f);
        arena_release(a, m);
    }
    return err;
}

/* While the source is being read the next page fills a request up: only whole ones leave. Rows that wait for their time may make it smaller. */
static size_t room_for_whole(const struct flow_state *st, size_t room, size_t batch)
{
    uint64_t ready = st->counts[ROW_DIRTY] + st->counts[ROW_RETRY] + st->counts[ROW_AMBIGUOUS];
    return ready < room ? (size_t)ready / batch * batch : room / batch * batch;
}

enum err send_prepare(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    enum err err = settle_items(e, sf, items, n, a, f);
    if (err == ERR_OK) err = into_items(e, sf, items, n, a, f);
    if (err == ERR_OK) err = guard_told(e, sf, items, n, a, f);
    if (err == ERR_OK) err = lookup_unread(e, sf, items, n, a, f);
    if (err == ERR_OK) err = lookup_ids(e, sf, items, n, a, f);
    if (err == ERR_OK) err = hold_candidates(e, sf, items, n, a, f);
    return err == ERR_OK ? lookup_links(e, sf, items, n, a, f) : err;
}

/* Prepares requests for one flow, only `whole` ones or whatever is due; *did = something was journaled. */
static enum err prepare(struct engine *e, struct sync_flow *sf, bool whole, bool *did, struct fault *f)
{
    struct flow_state st;
    bool held;
    if (sf->stopped || order_waits(e, sf)) return ERR_OK;
    enum err load = load_turn(e, sf, whole, &held, f);
    if (load != ERR_OK || held || !store_flow(e->store, sf->name, &st)) return load;
    size_t room = (BATCHES_MAX - e->nbatches) * (size_t)sf->batch_now;
    if (room > ROUND_MAX) room = ROUND_MAX;
    if (whole) room = room_for_whole(&st, room, sf->batch_now);
    if (room == 0) return ERR_OK;
    struct arena a;
    arena_init(&a, 256 * 1024);
    struct send_item *items = ARENA_ARRAY(&a, struct send_item, room);
    size_t before = e->npending, n = into_take_turns(e, sf, items, pick(e, sf, st.id, room, &a, items, f));
    enum err err = send_prepare(e, sf, items, n, &a, f);
    if (err == ERR_OK) err = make_batches(e, sf, items, n, &a, f);
    *did = *did || e->npending > before || n > 0;
    arena_free(&a);
    return err;
}

/* ---- sending and taking in ---- */
static void batch_drop(struct engine *e, struct send_batch *b)
{
    struct send_batch **p = &e->batches;
    while (*p != b) p = &(*p)->next;
    *p = b->next;
    e->nbatches--;
    arena_free(&b->arena);
    free(b);
}

static enum err not_sent(struct engine *e, struct send_batch *b, const char *why, struct fault *f)
{
    for (size_t i = 0; i < b->wb.n; i++) {
        b->wb.items[i].cls = W_RETRY;
        b->wb.items[i].message = str_of(arena_printf(&b->arena, "not sent: %s", why));
    }
    enum err err = answer_batch(e, b, f);
    batch_drop(e, b);
    return err;
}

static bool under_way(const struct send_batch *b) { return b->started && !b->answered; }

static bool any_under_way(const struct engine *e)
{
    for (const struct send_batch *b = e->batches; b; b = b->next)
        if (under_way(b)) return true;
    return false;
}

static bool journaled(const struct engine *e, const struct send_batch *b)
{
    return b->attempts[b->wb.n - 1] <= journal_durable_seq(e->journal);
}

/* Starts what is prepared. When the target takes no more for now, what is left waits for an answer that is under way; with nothing under way its rows
 * go back with a later due time, so that nobody waits in a circle. */
static enum err start_ready(struct engine *e, struct fault *f)
{
    for (struct send_batch *b = e->batches, *next; b; b = next) {
        next = b->next;
        if (b->started) continue;
        ASSERT(journaled(e, b));
        struct fault why = {ERR_OK, ""};
        enum err err = b->sf->dst->tops->write_start(b->sf->dst->target, &b->wb, &why);
        if (err == ERR_OK) {
            b->started = true;
            continue;
        }
        if (err == ERR_BUSY && any_under_way(e)) return ERR_OK;
        enum err kept = not_sent(e, b, why.text, f);
        if (kept != ERR_OK) return kept;
        if (err != ERR_BUSY && err != ERR_BUDGET && err != ERR_UNREACHABLE) return fault_set(f, err, "%s", why.text);
    }
    return ERR_OK;
}

static struct send_batch *first_answered(const struct engine *e)
{
    struct send_batch *b = e->batches;
    while (b && !b->answered) b = b->next;
    return b;
}

/* Waits for one answer, of any target; it is marked, and counts when its turn comes. */
static enum err wait_answer(struct engine *e, int64_t timeout_ms, bool *got, struct fault *f)
{
    *got = false;
    for (size_t i = 0; i < e->image->ntargets && !*got; i++) {
        struct sync_endpoint *p = &e->targets[i];
        struct write_batch *done = NULL;
        bool ours = false;
        for (struct send_batch *b = e->batches; b && !ours; b = b->next) ours = under_way(b) && b->sf->dst == p;
        if (!ours) continue;
        enum err err = p->tops->write_wait(p->target, timeout_ms, &done, f);
        if (err != ERR_OK) return err;
        if (!done) continue;
        ((struct send_batch *)done->user)->answered = true;
        *got = true;
    }
    return ERR_OK;
}

static enum err take_answer(struct engine *e, int64_t timeout_ms, bool *got, struct fault *f)
{
    struct send_batch *b = first_answered(e);
    enum err err = b ? ERR_OK : wait_answer(e, timeout_ms, got, f);
    if (err != ERR_OK) return err;
    if (!b) b = first_answered(e);
    *got = b != NULL;
    if (!b) return ERR_OK;
    err = answer_batch(e, b, f);
    struct sync_flow *sf = b->sf;
    batch_drop(e, b);               /* also when the answer could not be journaled: nobody waits for it twice, and a start settles its rows */
    progress_tell(e, sf, "writing");
    return err;
}

void send_kick(struct engine *e)
{
    if (!e->batches) return;
    int64_t now = world_mono_ms(e->w);
    if (now - e->kicked_ms < KICK_MS) return;
    e->kicked_ms = now;
    struct fault later;
    for (bool got = true; got;)
        if (wait_answer(e, 0, &got, &later) != ERR_OK) return;
    for (struct send_batch *b = e->batches; b; b = b->next) {
        if (b->started || !journaled(e, b)) continue;
        if (b->sf->dst->tops->write_start(b->sf->dst->target, &b->wb, &later) != ERR_OK) return;      /* start_ready says why */
        b->started = true;
    }
}

/* Enough is ready, and something is on its way: a round now would be a flush for a hundred rows instead of one for three hundred. */
static bool supplied(const struct engine *e)
{
    unsigned ready = 0;
    for (const struct send_batch *b = e->batches; b; b = b->next) ready += !b->started && journaled(e, b);
    return ready >= READY_FEW && any_under_way(e);
}

enum err send_pump(struct engine *e, bool block, struct fault *f)
{
    bool got = true, did = false;
    uint64_t before = journal_last_seq(e->journal);       /* pages in which nothing changed: their cursor may wait for the next flush */
    enum err err = ERR_OK;
    if (supplied(e)) {
        if (block) err = store_tick(e->store, world_mono_ms(e->w), f);
        if (err == ERR_OK) err = wait_answer(e, block ? 1000 : 0, &got, f);
        return err == ERR_OK ? start_ready(e, f) : err;
    }
    while (got && e->nbatches && err == ERR_OK) err = take_answer(e, 0, &got, f);
    for (size_t i = 0; i < e->nflows && err == ERR_OK && e->nbatches < BATCHES_MAX; i++) err = prepare(e, &e->flows[i], !block, &did, f);
    if (err == ERR_OK && (block || journal_last_seq(e->journal) != before)) err = emit_commit(e, f);
    if (err == ERR_OK) err = start_ready(e, f);
    if (err == ERR_OK && block && e->nbatches && (!did || e->nbatches >= BATCHES_MAX)) {
        err = store_tick(e->store, world_mono_ms(e->w), f);
        if (err == ERR_OK) err = take_answer(e, 1000, &got, f);
    }
    return err;
}

/* After an error what was prepared may not be journaled: it goes out when its INTENTs can still be made durable, else never. */
enum err send_drain(struct engine *e, struct fault *f)
{
    enum err err = e->npending ? emit_commit(e, f) : ERR_OK;
    for (struct send_batch *b = e->batches, *next; b; b = next) {
        next = b->next;
        if (!b->started && !journaled(e, b)) batch_drop(e, b);
    }
    while (e->nbatches && err == ERR_OK) {
        bool got;
        err = start_ready(e, f);
        if (err == ERR_OK && e->nbatches) err = take_answer(e, 1000, &got, f);
    }
    return err == ERR_OK && e->npending ? emit_commit(e, f) : err;
}
