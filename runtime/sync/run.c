/* run.c - one pass over everything (`once`) and the schedule (`run`). */
#include "sync/act.h"
#include "sync/sync_private.h"
#include <stdio.h>
#include <string.h>

static bool stopping(const struct engine *e)
{
    return e->o.stop && *e->o.stop;
}

static int64_t now_ms(const struct engine *e) { return world_wall_ms(e->w); }

/* A full map stops the intake with an error; long before that a person is told. */
static void watch_map(struct engine *e)
{
    uint64_t used, size;
    store_usage(e->store, &used, &size);
    if (e->map_alarm || used < size / 10 * 7) return;
    char text[160];
    snprintf(text, sizeof text, "the index map is %llu %% full: start with a larger --index-map soon", (unsigned long long)(used * 100 / size));
    e->map_alarm = true;
    log_warn("%s", text);
    emit_note(e, FRAME_ALARM, "index", text);
}

/* It is time for the whole table; also when the clock was set back since: the next full pass is never further away than the interval. */
static bool full_due(const struct engine *e, const struct sync_flow *sf, const struct flow_state *st)
{
    return st->next_full_ms && (now_ms(e) >= st->next_full_ms || (sf->fl->reread_ms && st->next_full_ms > now_ms(e) + sf->fl->reread_ms));
}

/* Polls one flow: changes, or the whole table when it is time; then the keys; then the fuse has its say. */
static enum err pass(struct engine *e, struct sync_flow *sf, bool want_full, struct fault *f)
{
    struct flow_state st = {0};
    bool need_full = want_full, known = store_flow(e->store, sf->name, &st);
    bool had_full = known && st.last_full_ms > 0;
    watch_map(e);
    enum err err = spec_changed(e, sf, &need_full, f);
    if (err != ERR_OK) return err;
    if (store_flow(e->store, sf->name, &st) && full_due(e, sf, &st)) need_full = true;
    err = guard_flow(e, sf, f);                  /* before the poll makes rows differ for another reason */
    if (err != ERR_OK) return err;
    progress_tell(e, sf, "reading");
    err = poll_flow(e, sf, need_full, f);
    if (err == ERR_OK && need_full && had_full) err = sweep_flow(e, sf, f);
    if (err == ERR_OK && need_full && had_full) err = hint_refresh_daily(e, sf->dst, f);
    return err == ERR_OK ? fuse_decide(e, sf, f) : err;
}

/* What the other systems can do to a pass: nothing in the log or the index is at fault. */
static bool from_outside(enum err err)
{
    static const enum err all[] = {ERR_PROTOCOL, ERR_AUTH, ERR_PERMISSION, ERR_CONFIG, ERR_UNSUPPORTED, ERR_BUSY, ERR_UNREACHABLE, ERR_EXPIRED, ERR_NOT_FOUND,
                                   ERR_LOCKED, ERR_TOO_LARGE};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (err == all[i]) return true;
    return false;
}

/* A pass that did not come to its end stands in the log with its class, and in status with its reason until one does. */
static enum err noted_pass(struct engine *e, struct sync_flow *sf, bool want_full, struct fault *f)
{
    struct fault later;
    enum err err = pass(e, sf, want_full, f);
    if (!from_outside(err)) return err;              /* a run that is held has said so already */
    emit_begin(e, FRAME_ALARM, sf);
    event_put_text(&e->pub, EV_WHAT, "pass");
    event_put_text(&e->pub, EV_CODE, err_name(err));
    event_put_text(&e->priv, EV_WHY, f->text);       /* it may name a key: sealed */
    if (emit_end(e, &later) != ERR_OK || emit_commit(e, &later) != ERR_OK) log_warn("the audit log did not take a note: %s", later.text);
    return err;
}

/* A table that this user may not read, or that the agent lacks, or whose run is held stops its own flow and no other. */
static bool own_trouble(enum err err)
{
    return err == ERR_PERMISSION || err == ERR_UNSUPPORTED || err == ERR_HELD;
}

/* The time of the next thing to do, INT64_MAX when there is none: rows due, locked keys. Rows of stopped flows do not count. */
static int64_t next_due(struct engine *e)
{
    int64_t due = INT64_MAX, at;
    struct arena a;
    arena_init(&a, 4096);
    for (size_t i = 0; i < e->nflows; i++) {
        struct flow_state st;
        struct store_item one;
        if (e->flows[i].stopped || !store_flow(e->store, e->flows[i].name, &st)) continue;
        if (load_pending(e, &e->flows[i], &at)) {
            if (at < due) due = at;
            continue;
        }
        if (order_waits(e, &e->flows[i])) continue;              /* for a flow that has a time of its own */
        if (store_due(e->store, st.id, now_ms(e), 1, &a, &one, &at) > 0) at = 0;
        if (at < due) due = at;
    }
    struct store_locked l;
    if (store_locked_due(e->store, now_ms(e), 1, &a, &l, &at) > 0) at = 0;
    arena_free(&a);
    return at < due ? at : due;
}

/* Life signs for the service manager, about one a second: between naps, and for every page, batch and step that progress is told of. */
void progress_alive(struct engine *e)
{
    int64_t now = world_mono_ms(e->w);
    if (e->alive_ms && now - e->alive_ms < 1000) return;
    e->alive_ms = now;
    world_tell_manager(e->w, "WATCHDOG=1");
}

static void nap(struct engine *e, int64_t ms)
{
    while (ms > 0 && !stopping(e)) {
        progress_alive(e);
        int64_t part = ms < 500 ? ms : 500;
        e->w->clock.sleep_ms(e->w->clock.ctx, part);
        ms -= part;
    }
}

/* Writes until nothing is under way, and waits up to wait_ms without progress for what is due later; retries locked rows on the way. */
static enum err finish(struct engine *e, int64_t wait_ms, struct fault *f)
{
    int64_t deadline = now_ms(e) + wait_ms;
    for (;;) {
        int64_t ignored;
        enum err err = locked_retry(e, &ignored, f);
        if (err == ERR_OK) err = send_pump(e, true, f);
        for (size_t i = 0; i < e->nflows && err == ERR_OK; i++) err = fuse_decide(e, &e->flows[i], f);
        if (err != ERR_OK) return err;
        if (!send_idle(e)) {
            deadline = now_ms(e) + wait_ms;
            continue;
        }
        err = emit_commit(e, f);                 /* the last answers say what is due next */
        if (err != ERR_OK) return err;
        int64_t due = next_due(e), look;
        for (size_t i = 0; i < e->nflows && wait_ms > 0; i++)        /* a bulk write takes its time */
            if (load_pending(e, &e->flows[i], &look)) deadline = now_ms(e) + wait_ms;
        if (stopping(e) || due == INT64_MAX || due > deadline) return ERR_OK;
        if (due > now_ms(e)) {
            progress_tell(e, NULL, "waiting");
            err = store_flush(e->store, f);
            if (err != ERR_OK) return err;
            nap(e, due - now_ms(e));
        }
    }
}

static int64_t patience(const struct engine *e)
{
    return e->o.wait_ms >= 0 ? e->o.wait_ms : engine_settle_ms(e) + 30000;
}

static void sum_up(struct engine *e)
{
    struct engine_result *r = &e->result;
    r->waiting = r->held = r->pending = 0;
    for (size_t i = 0; i < e->nflows; i++) {
        struct flow_state st;
        if (!store_flow(e->store, e->flows[i].name, &st)) continue;
        r->waiting += st.counts[ROW_WAITING];
        r->held += st.counts[ROW_HELD];
        r->pending += st.counts[ROW_DIRTY] + st.counts[ROW_INFLIGHT] + st.counts[ROW_RETRY] + st.counts[ROW_AMBIGUOUS] + st.locked;
    }
    r->finished = r->pending == 0;
}

/* After an error: what is under way is taken in, so that no answer is lost without need. The first error is the one that is told. */
static void wind_up(struct engine *e)
{
    struct fault later;
    if (send_drain(e, &later) != ERR_OK) log_debug("while winding up: %s", later.text);
}

enum err engine_once(struct engine *e, struct engine_result *out, struct fault *f)
{
    e->result = (struct engine_result){0};
    enum err err = e->checked ? ERR_OK : engine_check(e, NULL, f);
    size_t hints;
    if (err == ERR_OK) err = hint_take(e, &hints, f);
    struct fault own = {ERR_OK, ""};
    for (size_t i = 0; i < e->nflows && err == ERR_OK; i++) {
        err = noted_pass(e, &e->flows[i], e->o.full, f);
        if (!own_trouble(err)) continue;
        if (own.err == ERR_OK) own = *f;
        else log_warn("%s", f->text);                /* the first is told at the end */
        err = ERR_OK;
    }
    if (err == ERR_OK) err = finish(e, patience(e), f);
    if (err != ERR_OK) wind_up(e);
    if (err == ERR_OK && own.err != ERR_OK) err = fault_set(f, own.err, "%s", own.text);
    sum_up(e);
    *out = e->result;
    struct fault later;
    enum err kept = store_flush(e->store, &later);
    return err == ERR_OK && kept != ERR_OK ? fault_set(f, kept, "%s", later.text) : err;
}

enum err engine_write(struct engine *e, struct engine_result *out, struct fault *f)
{
    e->result = (struct engine_result){0};
    enum err err = e->checked ? ERR_OK : engine_check(e, NULL, f);
    if (err == ERR_OK) err = finish(e, patience(e), f);
    if (err != ERR_OK) wind_up(e);
    sum_up(e);
    *out = e->result;
    struct fault later;
    enum err kept = store_flush(e->store, &later);
    return err == ERR_OK && kept != ERR_OK ? fault_set(f, kept, "%s", later.text) : err;
}

/* ---- the schedule ---- */
static int64_t flow_due(struct engine *e, const struct sync_flow *sf)
{
    struct flow_state st;
    if (!store_flow(e->store, sf->name, &st) || st.next_poll_ms == 0) return 0;
    /* Further away than any pass can have put it: the clock was set back since. */
    if (sf->fl->every_ms && st.next_poll_ms > now_ms(e) + sf->fl->every_ms) return 0;
    /* Jitter of up to a tenth of the interval, the same for a flow for ever: fifty customers do not poll in the same second. */
    uint32_t spread = crc32c(0, sf->name.p, sf->name.n) ^ crc32c(0, e->key_hash_key, sizeof e->key_hash_key);
    return st.next_poll_ms + (sf->fl->every_ms ? (int64_t)(spread % (uint64_t)(sf->fl->every_ms / 10 + 1)) : 0);
}

/* Whether the file can be loaded, before the spec that runs is given up for it. */
static bool loadable(struct engine *e)
{
    if (!e->o.image_path) return true;
    struct arena a;
    struct str bytes;
    struct image *im;
    struct image_fault why;
    struct fault f;
    arena_init(&a, 0);
    bool ok = world_read_file(e->w, e->o.image_path, LIMIT_IMAGE_BYTES, &a, &bytes, &f) == ERR_OK;
    if (!ok) log_error("%s; the spec that runs goes on", f.text);
    else if (image_load(bytes, &a, &im, &why) != ERR_OK) {
        log_error("%s is no compiled spec that can be trusted: %s (%s); the spec that runs goes on", e->o.image_path, why.text, why.rule);
        ok = false;
    }
    arena_free(&a);
    return ok;
}

static enum err reload_image(struct engine *e, struct fault *f)
{
    log_info("loading the compiled spec again");
    enum err err = send_drain(e, f);
    if (err != ERR_OK) return err;
    engine__close_image(e);
    return engine__load_image(e, e->o.image_path, f);
}

/* Errors that a running service survives: it tries again a minute later. */
static bool passing(enum err err)
{
    return err == ERR_UNREACHABLE || err == ERR_BUSY || err == ERR_BUDGET || err == ERR_PROTOCOL || err == ERR_AMBIGUOUS || err == ERR_LOCKED ||
           err == ERR_HELD || err == ERR_AUTH;
}

/* anew: the spec was loaded just now; every flow has its pass at once, so that what changed does not wait for the schedule. */
static enum err turn(struct engine *e, bool anew, int64_t *next, struct fault *f)
{
    enum err err = e->checked ? ERR_OK : engine_check(e, NULL, f);
    *next = INT64_MAX;
    for (size_t i = 0; i < e->nflows && err == ERR_OK && !stopping(e); i++) {
        if (anew || flow_due(e, &e->flows[i]) <= now_ms(e)) err = noted_pass(e, &e->flows[i], false, f);
        if (err == ERR_OK && flow_due(e, &e->flows[i]) < *next) *next = flow_due(e, &e->flows[i]);
    }
    size_t hints;
    if (err == ERR_OK) act_take_inbox(e);
    if (err == ERR_OK) err = hint_channels(e, false, f);
    if (err == ERR_OK) err = hint_take(e, &hints, f);
    if (err == ERR_OK) err = finish(e, 0, f);
    if (err == ERR_OK) err = store_flush(e->store, f);
    int64_t rows = err == ERR_OK ? next_due(e) : INT64_MAX, channels = hint_due_ms(e);
    if (rows < *next) *next = rows;
    if (channels != INT64_MAX && now_ms(e) + channels - world_mono_ms(e->w) < *next) *next = now_ms(e) + channels - world_mono_ms(e->w);
    return err;
}

/* A flow that this spec has never run. */
static bool spec_is_new(struct engine *e)
{
    bool anew = false;
    struct arena a;
    arena_init(&a, 4096);
    for (size_t i = 0; i < e->nflows && !anew; i++) {
        struct flow_state st;
        anew = !store_flow(e->store, e->flows[i].name, &st) || !str_eq(st.hashes, spec_hashes(e->flows[i].fl, &a));
    }
    arena_free(&a);
    return anew;
}

enum err engine_turn(struct engine *e, struct engine_turn *out, struct fault *f)
{
    *out = (struct engine_turn){.next_ms = now_ms(e)};
    e->result = (struct engine_result){0};
    enum err err = turn(e, spec_is_new(e), &out->next_ms, f);
    if (err != ERR_OK) wind_up(e);
    for (size_t i = 0; i < e->nflows; i++) {
        struct flow_state st;
        if (!store_flow(e->store, e->flows[i].name, &st)) continue;
        out->pending += st.counts[ROW_DIRTY] + st.counts[ROW_INFLIGHT] + st.counts[ROW_RETRY] + st.counts[ROW_AMBIGUOUS];
        out->rejected += st.counts[ROW_REJECTED];
        out->waiting += st.counts[ROW_WAITING];
        out->held += st.counts[ROW_HELD];
        out->locked += st.locked;
    }
    if (err == ERR_STOPPED || stopping(e)) {                   /* asked to end: what is due still is */
        out->next_ms = now_ms(e);
        err = ERR_OK;
    }
    struct fault later;
    enum err kept = store_flush(e->store, &later);
    return err == ERR_OK && kept != ERR_OK ? fault_set(f, kept, "%s", later.text) : err;
}

static void tell_reloading(struct engine *e)
{
    char words[80];
    snprintf(words, sizeof words, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)world_mono_ms(e->w) * 1000);
    world_tell_manager(e->w, words);
}

enum err engine_run(struct engine *e, volatile int *reload, struct fault *f)
{
    world_tell_manager(e->w, "READY=1\nSTATUS=keeping true by the schedule");
    for (bool anew = false; !stopping(e);) {
        if (e->reload_asked || (reload && *reload)) {
            if (reload) *reload = 0;
            e->reload_asked = false;
            tell_reloading(e);
            enum err err = loadable(e) ? reload_image(e, f) : ERR_OK;
            if (err != ERR_OK) return err;
            world_tell_manager(e->w, "READY=1");
            anew = true;
        }
        int64_t next;
        struct fault why;
        enum err err = turn(e, anew, &next, &why);
        if (err == ERR_OK) anew = false;
        if (err == ERR_STOPPED) break;
        if (err != ERR_OK && !passing(err)) return fault_set(f, err, "%s", why.text);
        if (err != ERR_OK) {
            log_warn("%s; trying again in a minute", why.text);
            wind_up(e);
            next = now_ms(e) + 60000;
        }
        sum_up(e);
        progress_tell(e, NULL, "waiting");
        for (int64_t until = next; now_ms(e) < until && !stopping(e) && !(reload && *reload) && !e->reload_asked;) {
            int64_t part = until - now_ms(e);
            if (act_take_inbox(e) > 0 || hint_waits(e)) break;
            nap(e, part < 1000 ? part : 1000);
        }
        for (size_t i = 0; i < e->nflows; i++) e->flows[i].stopped = false;
    }
    world_tell_manager(e->w, "STOPPING=1");
    struct fault later;
    enum err err = send_drain(e, &later);
    if (err == ERR_OK) err = hint_channels(e, true, &later);
    return err == ERR_OK ? ERR_OK : fault_set(f, err, "%s", later.text);
}
