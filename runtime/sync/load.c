/* load.c - first loads: many new records as one file (bulk write) where the target's own estimate says that it is cheaper than inserts.
 *
 *     rows to make --INTENT each, flushed--> file -> upload -> job --BULK "started", flushed--> looks ... -> result, a line at a time: OUTCOME each
 *                                                      |                                                      --BULK "ended"
 *                                                      '-- no answer: AMBIGUOUS each, looked up by key after a while, before anything is made again
 *
 * One job of a flow at a time; the flow's other writes wait for it. Its id stands in the flow's state, so a start after a crash goes on looking; a crash
 * before that is one of the ambiguous kind. What the result does not name is ambiguous too. Twice the same record is impossible in any case: the key
 * field takes no duplicates, and a line that says so is an adoption. Anything else that fails here falls back to inserts for the rest of the run.
 *
 * While a source is read for the first time rows are held back, so that there is something to load; a small table goes out as inserts when it is read. */
#include "sync/sync_private.h"
#include <stdio.h>
#include <stdlib.h>

enum { LOOK_MS = 30000, LOOK_AGAIN_MS = 60000, CHUNK = 300, LINES_AT_ONCE = 500, LOST_MS = 10 * 60 * 1000, TELL_FROM = 1000 };

static bool possible(const struct sync_flow *sf)
{
    const struct target_ops *t = sf->dst->tops;
    const struct image_flow *fl = sf->fl;
    bool triggers = fl->trigger_workflow || fl->trigger_approval || fl->trigger_blueprint;      /* a bulk write runs none */
    return t->load_rows && !sf->load_off && !sf->has_lines && !fl->into && !triggers && t->load_rows(sf->dst->target) > 0;
}

/* Rows that are to be made: those to be written, as far as they cannot be records that are there. */
static uint64_t to_make(const struct flow_state *st)
{
    uint64_t all = 0;
    for (unsigned s = 0; s < ROW_STATE_COUNT; s++) all += st->counts[s];
    uint64_t unlinked = all > st->linked ? all - st->linked : 0;
    return st->counts[ROW_DIRTY] < unlinked ? st->counts[ROW_DIRTY] : unlinked;
}

static enum err emit_bulk(struct engine *e, struct sync_flow *sf, const char *what, struct str job, uint64_t rows, const char *why, struct fault *f)
{
    emit_begin(e, FRAME_BULK, sf);
    event_put_text(&e->pub, EV_WHAT, what);
    event_put(&e->pub, EV_MODULE, sf->fl->module);
    event_put(&e->pub, EV_VALUE, job);
    event_put_int(&e->pub, EV_ROWS, (int64_t)rows);
    event_put_text(&e->pub, EV_WHY, why);
    enum err err = emit_end(e, f);
    return err == ERR_OK ? emit_commit(e, f) : err;
}

/* ---- outcomes ---- */
static enum err outcome(struct engine *e, struct sync_flow *sf, struct str key, const struct row *row, const struct write_item *it, struct fault *f)
{
    struct send_batch b = {.sf = sf};
    struct write_item item = *it;
    struct str keys[1] = {key};
    uint32_t slots[1] = {row->slot};
    uint64_t attempts[1] = {row->attempt};
    arena_init(&b.arena, 4096);
    b.keys = keys;
    b.slots = slots;
    b.attempts = attempts;
    b.wb = (struct write_batch){.verb = WRITE_INSERT, .module = sf->fl->module, .items = &item, .n = 1, .arena = &b.arena};
    enum err err = answer_batch(e, &b, f);
    if (item.cls != W_APPLIED) sf->module_empty = false;       /* from now on a key may stand there already */
    arena_free(&b.arena);
    return err;
}

/* Rows of this flow that are on their way, by the text of their key. */
struct under_way { uint64_t hash; struct str key; bool done; };
struct on_way { struct engine *e; struct sync_flow *sf; struct arena arena; struct under_way *list; size_t n, cap; struct fault *f; enum err err; uint64_t lines; };

static uint64_t key_hash(struct str s)
{
    struct hash h = hash_of(s);
    uint64_t v;
    memcpy(&v, h.b, sizeof v);
    return v;
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = ((const struct under_way *)a)->hash, y = ((const struct under_way *)b)->hash;
    return x < y ? -1 : x > y;
}

static enum err note_under_way(void *arg, struct str key, const struct row *row)
{
    struct on_way *w = arg;
    if ((row->state != ROW_INFLIGHT && row->state != ROW_AMBIGUOUS) || row->id.n) return ERR_OK;
    if (w->n == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 4096;
        struct under_way *grown = realloc(w->list, w->cap * sizeof *grown);
        if (!grown) check_no_memory();
        w->list = grown;
    }
    struct str kept = {arena_copy(&w->arena, key.p, key.n), key.n};
    struct arena_mark m = arena_mark(&w->arena);
    w->list[w->n++] = (struct under_way){key_hash(key_text_of(w->sf->fl, kept, &w->arena)), kept, false};
    arena_release(&w->arena, m);
    return ERR_OK;
}

static enum err find_on_way(struct engine *e, struct sync_flow *sf, struct on_way *w, struct fault *f)
{
    struct flow_state st;
    *w = (struct on_way){.e = e, .sf = sf, .f = f};
    arena_init(&w->arena, 64 * 1024);
    enum err err = store_flow(e->store, sf->name, &st) ? store_rows(e->store, st.id, (struct str){"", 0}, note_under_way, w, f) : ERR_OK;
    if (w->n) qsort(w->list, w->n, sizeof *w->list, by_hash);
    return err;
}

static void drop_on_way(struct on_way *w)
{
    free(w->list);
    arena_free(&w->arena);
}

/* The outcome of one of them, unless it has one. Every so many are made durable, so that a long result is not held in memory. */
static void settle_one(struct on_way *w, struct under_way *u, const struct write_item *it)
{
    struct flow_state st;
    struct row row;
    struct arena_mark m = arena_mark(&w->arena);
    u->done = true;
    if (store_flow(w->e->store, w->sf->name, &st) && store_row(w->e->store, st.id, u->key, &w->arena, &row, NULL) == ERR_OK &&
        (row.state == ROW_INFLIGHT || row.state == ROW_AMBIGUOUS))
        w->err = outcome(w->e, w->sf, u->key, &row, it, w->f);
    arena_release(&w->arena, m);
    if (w->err == ERR_OK && w->e->npending >= LINES_AT_ONCE) w->err = emit_commit(w->e, w->f);
}

static void take_line(void *ctx, struct str key, struct write_item *it)
{
    struct on_way *w = ctx;
    struct under_way probe = {.hash = key_hash(key)};
    struct under_way *u = w->err == ERR_OK && w->n ? bsearch(&probe, w->list, w->n, sizeof probe, by_hash) : NULL;
    while (u && u > w->list && u[-1].hash == probe.hash) u--;
    for (; u && u < w->list + w->n && u->hash == probe.hash; u++) {
        struct arena_mark m = arena_mark(&w->arena);
        bool same = str_eq(key_text_of(w->sf->fl, u->key, &w->arena), key);
        arena_release(&w->arena, m);
        if (!same) continue;
        if (!u->done) settle_one(w, u, it);
        return;
    }
}

/* All that have no outcome yet get this one. */
static enum err settle_rest(struct on_way *w, enum write_class cls, int64_t not_before_ms, const char *code, const char *message)
{
    struct write_item it = {.cls = cls, .code = str_of(code), .message = str_of(message), .not_before_ms = not_before_ms};
    for (size_t i = 0; i < w->n && w->err == ERR_OK; i++)
        if (!w->list[i].done) settle_one(w, &w->list[i], &it);
    return w->err == ERR_OK && w->e->npending ? emit_commit(w->e, w->f) : w->err;
}

static enum err all_get(struct engine *e, struct sync_flow *sf, enum write_class cls, int64_t not_before_ms, const char *code, const char *message, struct fault *f)
{
    struct on_way w;
    enum err err = find_on_way(e, sf, &w, f);
    if (err == ERR_OK) err = settle_rest(&w, cls, not_before_ms, code, message);
    drop_on_way(&w);
    return err;
}

/* ---- a job that is there ---- */
static enum err end_job(struct engine *e, struct sync_flow *sf, struct str job, struct str result, struct fault *f)
{
    struct on_way w;
    struct fault why = {ERR_OK, ""};
    struct str key_field = sf->fl->fields[sf->fl->key_field].name;
    enum err err = find_on_way(e, sf, &w, f), read;
    if (err != ERR_OK) {
        drop_on_way(&w);
        return err;
    }
    read = sf->dst->tops->load_result(sf->dst->target, result, key_field, take_line, &w, &w.lines, &why);
    err = w.err;
    if (err == ERR_OK && read != ERR_OK && read != ERR_PROTOCOL && read != ERR_NOT_FOUND) {        /* later: what was taken in is taken in */
        drop_on_way(&w);
        log_warn("flow %s: the result of a bulk write cannot be read now: %s", sf->cname, why.text);
        sf->load_due_ms = world_mono_ms(e->w) + LOOK_AGAIN_MS;
        return e->npending ? emit_commit(e, f) : ERR_OK;
    }
    if (err == ERR_OK && read != ERR_OK) log_warn("flow %s: the result of a bulk write cannot be read: %s; its records are looked up", sf->cname, why.text);
    if (err == ERR_OK) err = settle_rest(&w, W_AMBIGUOUS, 0, "NO_LINE", "the result of the bulk write does not name it");
    uint64_t lines = w.lines;
    drop_on_way(&w);
    if (err == ERR_OK) err = emit_bulk(e, sf, "ended", job, lines, read == ERR_OK ? "" : why.text, f);
    log_info("flow %s: a bulk write ended, %llu records", sf->cname, (unsigned long long)lines);
    return err;
}

static enum err look_at_job(struct engine *e, struct sync_flow *sf, struct str job, struct fault *f)
{
    struct arena a;
    struct fault why = {ERR_OK, ""};
    enum load_state state = LOAD_RUNNING;
    struct str result;
    arena_init(&a, 0);
    job = (struct str){arena_copy(&a, job.p, job.n), job.n};
    enum err look = sf->dst->tops->load_look(sf->dst->target, job, &a, &state, &result, &why), err = ERR_OK;
    sf->load_due_ms = world_mono_ms(e->w) + (look == ERR_OK ? LOOK_MS : LOOK_AGAIN_MS);
    bool lost = look == ERR_NOT_FOUND || (look == ERR_OK && state == LOAD_FAILED);
    if (look != ERR_OK && !lost) log_warn("flow %s: %s; looking again in a minute", sf->cname, why.text);
    if (lost) {
        log_warn("flow %s: the bulk write failed or is not known any more; its records are looked up, and go out as inserts", sf->cname);
        sf->load_off = true;
        err = all_get(e, sf, W_AMBIGUOUS, 0, "JOB_FAILED", "the bulk write failed", f);
        if (err == ERR_OK) err = emit_bulk(e, sf, "ended", job, 0, "failed", f);
    } else if (look == ERR_OK && state == LOAD_DONE) {
        err = end_job(e, sf, job, result, f);
    }
    arena_free(&a);
    return err;
}

/* ---- a new job ---- */
struct chunk { struct send_item *items; size_t n; struct str after; struct arena *a; };

static enum err take_new_row(void *arg, struct str key, const struct row *row)
{
    struct chunk *c = arg;
    if (c->n == CHUNK) return ERR_BUSY;                        /* enough */
    c->after = (struct str){arena_copy(c->a, key.p, key.n), key.n};
    if (row->state != ROW_DIRTY || row->id.n || (row->flags & ROW_F_ERASED)) return ERR_OK;
    struct send_item *it = &c->items[c->n++];
    *it = (struct send_item){.key = c->after, .row = *row};
    row_keep(&it->row, c->a);
    it->wanted = record_of(it->row.wanted, c->a);
    it->written = record_of(it->row.written, c->a);
    return ERR_OK;
}

/* Rows of one chunk into the file; *full when it takes no more. */
static enum err add_chunk(struct engine *e, struct sync_flow *sf, struct load *l, struct chunk *c, bool *full, struct fault *f)
{
    const struct target_ops *t = sf->dst->tops;
    enum err err = send_prepare(e, sf, c->items, c->n, c->a, f);
    for (size_t i = 0; i < c->n && err == ERR_OK && !*full; i++) {
        struct outgoing o;
        struct record nothing = {NULL, 0};
        if (c->items[i].skip || compose(e, sf, &c->items[i], &nothing, c->a, &o) != COMPOSED_WRITE || o.verb != WRITE_INSERT) continue;
        *full = !t->load_add(l, &o.fields);
        if (!*full) err = compose_intent(e, sf, &o, f);
    }
    return err == ERR_OK && e->npending ? emit_commit(e, f) : err;
}

static enum err fill_load(struct engine *e, struct sync_flow *sf, uint16_t flow, struct load *l, struct fault *f)
{
    struct arena a;
    struct buf after = {0};
    bool full = false;
    enum err err = ERR_OK;
    arena_init(&a, 256 * 1024);
    for (bool more = true; more && !full && err == ERR_OK; arena_reset(&a)) {
        struct chunk c = {ARENA_ARRAY(&a, struct send_item, CHUNK), 0, buf_view(&after), &a};
        err = store_rows(e->store, flow, buf_view(&after), take_new_row, &c, f);
        more = err == ERR_BUSY;
        if (err == ERR_BUSY) err = ERR_OK;
        struct buf next = {0};
        buf_str(&next, c.after);
        buf_free(&after);
        after = next;
        if (err == ERR_OK && c.n) err = add_chunk(e, sf, l, &c, &full, f);
        if (e->o.stop && *e->o.stop) break;
    }
    buf_free(&after);
    arena_free(&a);
    return err;
}

/* File, upload, job. What fails before the job may be there leaves rows that go out as inserts. */
static enum err send_load(struct engine *e, struct sync_flow *sf, struct load *l, struct fault *f)
{
    const struct target_ops *t = sf->dst->tops;
    struct arena a;
    struct str file, job = {"", 0};
    struct fault why = {ERR_OK, ""};
    uint64_t rows = t->load_count(l);
    arena_init(&a, 0);
    enum err sent = t->load_upload(sf->dst->target, l, &a, &file, &why), err;
    if (sent == ERR_OK) sent = t->load_start(sf->dst->target, l, file, &a, &job, &why);
    if (sent == ERR_OK) {
        log_info("flow %s: bulk write of %llu records", sf->cname, (unsigned long long)rows);
        sf->load_due_ms = world_mono_ms(e->w) + LOOK_MS;
        err = emit_bulk(e, sf, "started", job, rows, "", f);
    } else if (sent == ERR_AMBIGUOUS) {
        log_warn("flow %s: nobody knows whether a bulk write began (%s); its records are looked up in a while", sf->cname, why.text);
        err = emit_bulk(e, sf, "lost", job, rows, why.text, f);
        if (err == ERR_OK) err = all_get(e, sf, W_AMBIGUOUS, LOST_MS, "NO_ANSWER", "the bulk write was not answered", f);
    } else {
        log_warn("flow %s: no bulk write (%s); going on with inserts", sf->cname, why.text);
        sf->load_off = true;
        err = all_get(e, sf, W_RETRY, 0, "NOT_SENT", "the bulk write could not begin", f);
    }
    arena_free(&a);
    return err;
}

static enum err make_job(struct engine *e, struct sync_flow *sf, uint16_t flow, struct fault *f)
{
    const struct target_ops *t = sf->dst->tops;
    const struct image_flow *fl = sf->fl;
    struct target_field *fields = calloc(fl->nfields + 1, sizeof *fields);
    struct load *l = NULL;
    struct fault why = {ERR_OK, ""};
    if (!fields) check_no_memory();
    size_t n = check_fields(sf, fields);
    struct target_field key = fields[fl->key_field];               /* first: the result shows the first columns */
    for (size_t i = fl->key_field; i > 0; i--) fields[i] = fields[i - 1];
    fields[0] = key;
    enum err err = t->load_new(sf->dst->target, fl->module, fields, n, &l, &why);
    free(fields);
    if (err != ERR_OK) {
        log_warn("flow %s: no bulk write: %s", sf->cname, why.text);
        sf->load_off = true;
        return ERR_OK;
    }
    err = fill_load(e, sf, flow, l, f);
    if (err == ERR_OK && t->load_count(l) > 0) err = send_load(e, sf, l, f);
    else sf->load_off = true;                                      /* nothing to make after all */
    t->load_free(l);
    return err;
}

/* ---- what the sender asks ---- */
bool load_pending(struct engine *e, const struct sync_flow *sf, int64_t *due_wall_ms)
{
    struct flow_state st;
    if (!store_flow(e->store, sf->name, &st) || st.job.n == 0 || !sf->dst->tops->load_look) return false;
    int64_t left = sf->load_due_ms - world_mono_ms(e->w);
    *due_wall_ms = world_wall_ms(e->w) + (left > 0 ? left : 0);
    return true;
}

enum err load_turn(struct engine *e, struct sync_flow *sf, bool reading, bool *held, struct fault *f)
{
    struct flow_state st;
    struct load_choice choice;
    *held = false;
    if (!store_flow(e->store, sf->name, &st)) return ERR_OK;
    if (st.job.n && sf->dst->tops->load_look) {
        *held = true;
        return world_mono_ms(e->w) >= sf->load_due_ms ? look_at_job(e, sf, st.job, f) : ERR_OK;
    }
    if (!possible(sf)) return ERR_OK;
    if (reading && st.last_full_ms == 0) {
        *held = true;
        return ERR_OK;
    }
    if (e->nbatches || to_make(&st) == 0) return ERR_OK;
    sf->dst->tops->load_choice(sf->dst->target, to_make(&st), &choice);
    if (!choice.bulk_is_better) return ERR_OK;
    uint16_t flow = st.id;
    *held = true;
    return make_job(e, sf, flow, f);
}

/* ---- what plan says ---- */
static void put_estimate(char *out, size_t n, const char *way, const struct load_estimate *est)
{
    (void)snprintf(out, n, "%s: %llu calls, %llu credits, about %lld min", way, (unsigned long long)est->calls, (unsigned long long)est->credits,
                   (long long)((est->ms + 59999) / 60000));
}

bool load_estimate_text(const struct sync_flow *sf, uint64_t records, char *out, size_t n)
{
    struct load_choice c;
    char inserts[120], bulk[120];
    if (!sf->dst->tops->load_choice || records < TELL_FROM) return false;
    sf->dst->tops->load_choice(sf->dst->target, records, &c);
    bool may = possible(sf);
    put_estimate(inserts, sizeof inserts, "by inserts", &c.insert);
    put_estimate(bulk, sizeof bulk, "by bulk write", &c.bulk);
    (void)snprintf(out, n, "%s; %s. It will go by %s%s%s", inserts, bulk, may && c.bulk_is_better ? "bulk write" : "inserts", may && c.bulk_is_better ? "" : ": ",
                   may && c.bulk_is_better ? "" : may || !c.why ? (c.why ? c.why : "") : sf->has_lines ? "the flow has lines" : !c.possible ? c.why
                   : "the flow adds to other records or runs workflows");
    return true;
}
