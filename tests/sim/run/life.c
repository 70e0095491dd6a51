/*
 * life.c: one life of the program: `mlcd run` as a service, or a short visit of the operator. Runs in the child; ends with an enum life_end, or by
 * SIGKILL in the middle of anything.
 *
 * The service naps half a second at a time until something is due. Here such naps grow while nothing happens, up to ten minutes: a machine may oversleep,
 * and thirty days of half seconds would be most of the work.
 */
#include "run.h"
#include "base/log.h"
#include "base/wipe.h"
#include "secret/secret.h"
#include "sync/act.h"
#include "sync/engine.h"
#include "sync/reconcile.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { PAGE_ROWS = 10, BATCH_ROWS = 7, SEGMENT_BYTES = 256 << 10, MAP_BYTES = 16 << 20, NAPS_EXACT = 4, NAP_MAX_MS = 600000 };

static struct {
    void (*sleep_ms)(void *ctx, int64_t ms);
    int (*start)(void *ctx, const struct http_req *req, void *tag);
    unsigned naps;
} child;

static void nap(void *ctx, int64_t ms)
{
    unsigned over = child.naps < NAPS_EXACT ? 0 : child.naps - NAPS_EXACT;
    child.naps++;
    if (ms >= 500)
        ms <<= over < 6 ? 2 * over : 12;
    child.sleep_ms(ctx, ms > NAP_MAX_MS ? NAP_MAX_MS : ms);
}

static int start(void *ctx, const struct http_req *req, void *tag)
{
    child.naps = 0;
    return child.start(ctx, req, tag);
}

static const struct {
    const char *name, *value;
} secrets[] = {
    {"sage-agent", "canary-agent-token-5e1d"},
    {"zoho", "{\"client_id\":\"1000.SIMCLIENT\",\"client_secret\":\"sim-secret\",\"refresh_token\":\"1000.simrefresh\"}"},
};

static enum err seal_secrets(const char *dir, const struct world *w, struct fault *f)
{
    struct secret_store *s = NULL;
    struct arena a;
    struct str have;
    if (w->files.mkdir(w->files.ctx, dir, 0700) != 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "cannot make the state directory");
    enum err err = secret_open(&s, w, dir, NULL, NULL, f);
    arena_init(&a, 4096);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets && err == ERR_OK; i++)
        if (secret_get(s, secrets[i].name, &a, &have, NULL) != ERR_OK)
            err = secret_put(s, secrets[i].name, str_of(secrets[i].value), f);
    arena_free(&a);
    secret_close(s);
    return err;
}

static const char *env_value(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "SAGE_AGENT_URL") == 0 ? "https://erp.test" : NULL;
}

// Releases what the fuse holds, and has done again what was refused although nothing is wrong with it.
static enum err visit(struct engine *e, struct life_orders *o, struct fault *f)
{
    static const char *const causes[] = {"INVALID_DATA", "not sent", "INTERNAL", "RECORD_LOCKED", "HTTP", "no answer"};
    struct engine_result r;
    uint64_t n = 0;
    enum err err = engine_accept(e, NULL, "operator", &n, f);
    o->accepted = n;
    for (size_t i = 0; i < sizeof causes / sizeof *causes && err == ERR_OK; i++) {
        struct fault none;
        n = 0;
        if (engine_replay_cause(e, NULL, str_of(causes[i]), false, "operator", &n, &none) == ERR_OK)
            o->replayed += n;
    }
    return err == ERR_OK ? engine_write(e, &r, f) : err;
}

static void difference(void *ctx, const struct reconcile_difference *d)
{
    (void)ctx;
    log_info("reconcile: %s %.*s %.*s is %s: %s", d->flow, (int)d->key.n, d->key.p, (int)d->field.n, d->field.p, reconcile_class_name(d->cls), d->why ? d->why : "");
}

static void compared(void *ctx, const struct reconcile_flow *r)
{
    (void)ctx;
    (void)r;
}

static enum err reconcile(struct engine *e, struct life_orders *o, struct fault *f)
{
    struct reconcile_options ro = {.repair = true, .by = "operator"};
    struct reconcile_sink sink = {difference, NULL, compared, NULL};
    struct reconcile_result r = {0};
    struct engine_result written;
    enum err err = engine_reconcile(e, &ro, &sink, &r, f);
    o->marked = r.marked;
    return err == ERR_OK ? engine_write(e, &written, f) : err;
}

static void step(void *ctx, const struct make_step *s)
{
    (void)ctx;
    (void)s;
}

static enum err work(const struct seed *s, const struct world *w, struct fault *f)
{
    struct life_orders *o = s->orders;
    struct engine *e = NULL;
    struct prepare_totals made;
    struct engine_options eo = {.state_dir = s->state, .image_path = s->image, .getenv = env_value, .wait_ms = -1,
                                .settle_ms = plant_applies(RUN_PLANT_NO_SETTLE) ? 1 : 0, .page_rows = PAGE_ROWS, .batch_rows = BATCH_ROWS,
                                .map_bytes = MAP_BYTES, .segment_bytes = SEGMENT_BYTES, .stop = &o->stop};
    eo.beside = eo.look = o->kind == RUN_RECONCILE;
    enum err err = engine_open(&e, w, &eo, f);
    if (err != ERR_OK)
        return err;
    switch (o->kind) {
    case RUN_PREPARE: err = engine_prepare(e, true, "operator", step, NULL, &made, f); break;
    case RUN_SERVE: err = engine_run(e, &o->reload, f); break;
    case RUN_OPERATOR: err = visit(e, o, f); break;
    case RUN_RECONCILE: err = reconcile(e, o, f); break;
    }
    engine_close(e);
    return err;
}

int life_live(const struct seed *s, int fd)
{
    struct world w;
    struct fault f = {ERR_OK, ""};
    world_real(&w);
    net_child(&w, s->sh, fd);
    child.sleep_ms = w.clock.sleep_ms;
    child.start = w.http.start;
    w.clock.sleep_ms = nap;
    w.http.start = start;
    plant_set(s->setup->plant, &w);
    log_set_level(LOG_INFO);
    json_set_alloc_funcs(wipe_malloc, wipe_free); // as mlcd does
    io_begin(s->sh, s->root);
    enum err err = seal_secrets(s->state, &w, &f);
    if (err == ERR_OK)
        err = work(s, &w, &f);
    io_end();
    s->orders->err = (int)err;
    (void)snprintf(s->orders->error, sizeof s->orders->error, "%s", err == ERR_OK ? "" : f.text);
    if (err != ERR_OK)
        log_error("%s", f.text);
    return err == ERR_OK ? LIFE_DONE : LIFE_ERROR;
}
