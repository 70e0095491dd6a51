/* crash_life.c - one life of the program, as `mlcd auth`, `mlcd secret set` and `mlcd once` would live it: secrets are sealed where they are
 * missing, the engine opens, makes its pass, closes. Runs in the child; ends with enum life_end, or by SIGKILL in the middle of anything. */
#include "tests/fault/crash.h"
#include "base/log.h"
#include "base/wipe.h"
#include "secret/secret.h"
#include "sync/engine.h"
#include <errno.h>
#include <jansson.h>
#include <libxml/xmlmemory.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE_ROWS = 25, BATCH_ROWS = 20, SEGMENT_BYTES = 128 << 10, MAP_BYTES = 16 << 20, SETTLE_MS = 15000 };

static const struct { const char *name, *value; } secrets[] = {
    {"sage-agent", "agent-token"},
    {"zoho", "{\"client_id\":\"1000.SIMCLIENT\",\"client_secret\":\"sim-secret\",\"refresh_token\":\"1000.simrefresh\"}"},
};

/* todo: a token that was changed, as by `mlcd secret set`, or NULL. */
static enum err seal_secrets(const struct life_plan *p, const struct world *w, struct crash_acts *todo, struct fault *f)
{
    struct secret_store *s = NULL;
    struct arena a;
    struct str have;
    if (w->files.mkdir(w->files.ctx, p->state_dir, 0700) != 0 && errno != EEXIST) return fault_set(f, ERR_IO, "cannot make the state directory");
    enum err err = secret_open(&s, w, p->state_dir, NULL, NULL, f);
    arena_init(&a, 4096);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets && err == ERR_OK; i++)
        if (secret_get(s, secrets[i].name, &a, &have, NULL) != ERR_OK) err = secret_put(s, secrets[i].name, str_of(secrets[i].value), f);
    if (err == ERR_OK && todo && todo->token[0]) err = secret_put(s, secrets[0].name, str_of(todo->token), f);
    if (err == ERR_OK && todo) todo->token[0] = '\0';
    arena_free(&a);
    secret_close(s);
    return err;
}

static const char *env_value(void *ctx, const char *name)
{
    const struct life_plan *p = ctx;
    return strcmp(name, "SAGE_AGENT_URL") == 0 ? "https://erp.test" : strcmp(name, "FEED") == 0 ? p->feed : NULL;
}

static struct engine_options options(const struct life_plan *p, enum plant plant)
{
    return (struct engine_options){.state_dir = p->state_dir, .image_path = p->image_path, .getenv = env_value, .getenv_ctx = (void *)(uintptr_t)p,
                                   .wait_ms = -1, .settle_ms = plant == PLANT_NO_SETTLE ? 1 : SETTLE_MS, .page_rows = PAGE_ROWS,
                                   .batch_rows = BATCH_ROWS, .map_bytes = MAP_BYTES, .segment_bytes = SEGMENT_BYTES};
}

/* As the receiver keeps a notification (serve/serve.c): only then is it said to have come. */
static enum err keep_note(struct engine *e, const struct world *w, char *note, struct fault *f)
{
    static unsigned number;
    struct engine_ear ear;
    char path[700], body[400], module[60], what[20], id[24];
    enum err err = engine_ear(e, 0, &ear, f);
    if (err != ERR_OK) return err;
    const char *a = strchr(note, ' '), *b = a ? strchr(a + 1, ' ') : NULL;
    if (!a || !b) abort();
    (void)snprintf(module, sizeof module, "%.*s", (int)(a - note), note);
    (void)snprintf(what, sizeof what, "%.*s", (int)(b - a - 1), a + 1);
    (void)snprintf(id, sizeof id, "%s", b + 1);
    (void)snprintf(path, sizeof path, "%s/%013lld-%08x.hint", ear.dir, (long long)world_wall_ms(w), ++number);
    (void)snprintf(body, sizeof body, "{\"module\":\"%s\",\"operation\":\"%s\",\"ids\":[\"%s\"],\"token\":\"%s\"}", module, what, id, ear.token);
    err = world_write_file(w, path, str_of(body), 0600, f);
    if (err == ERR_OK) note[0] = '\0';
    return err;
}

/* What people ordered. A record that is being written cannot be erased or replayed now: later. */
static enum err act(struct engine *e, const struct world *w, struct crash_acts *todo, struct fault *f)
{
    enum err err = ERR_OK;
    if (todo->note[0]) err = keep_note(e, w, todo->note, f);
    if (err == ERR_OK && todo->replay[0]) {
        err = engine_replay(e, "customers", str_of(todo->replay), false, false, "the harness", f);
        if (err == ERR_OK) todo->replay[0] = '\0';
        if (err == ERR_BUSY) err = ERR_OK;
    }
    if (err == ERR_OK && todo->erase[0]) {
        err = engine_erase(e, "customers", str_of(todo->erase), "the harness", f);
        if (err == ERR_OK) todo->erase[0] = '\0';
        if (err == ERR_BUSY) err = ERR_OK;
    }
    return err;
}

static enum err once(const struct life_plan *p, const struct world *w, enum plant plant, struct crash_shared *sh, struct engine_result *r, struct fault *f)
{
    struct engine_options o = options(p, plant);
    struct engine *e = NULL;
    struct secret_rotated rotated;
    struct crash_acts *todo = &sh->todo;
    enum err err = todo->rotate ? engine_rotate(w, &o, "the harness", &rotated, f) : ERR_OK;
    if (err == ERR_OK) todo->rotate = false;
    if (err == ERR_OK) err = engine_open(&e, w, &o, f);
    if (sh->keys_from && !sh->keys_to) sh->keys_to = sh->calls;
    if (err != ERR_OK) return err;
    err = act(e, w, todo, f);
    if (err == ERR_OK) err = engine_once(e, r, f);
    engine_close(e);
    return err;
}

int life_run(const struct life_plan *p, struct crash_shared *sh, int fd)
{
    struct world w;
    struct fault f = {ERR_OK, ""};
    struct engine_result r = {0};
    world_real(&w);
    net_child(&w, sh, fd);
    plant_begin(sh->plant);
    json_set_alloc_funcs(wipe_malloc, wipe_free);
    (void)xmlMemSetup(free, io_malloc, io_realloc, io_strdup);
    io_begin(sh, p->root);
    if (sh->todo.rotate && !sh->keys_from) sh->keys_from = sh->calls + 1;
    enum err err = seal_secrets(p, &w, &sh->todo, &f);
    if (err == ERR_OK) err = once(p, &w, sh->plant, sh, &r, &f);
    io_end();
    sh->err = (int)err;
    (void)snprintf(sh->error, sizeof sh->error, "%s", err == ERR_OK ? "" : f.text);
    sh->inserted = r.inserted;
    sh->updated = r.updated;
    sh->adopted = r.adopted;
    sh->rejected = r.rejected + r.failed;
    sh->pending = r.pending + r.waiting + r.held;
    return err != ERR_OK ? LIFE_ERROR : r.finished ? LIFE_DONE : LIFE_UNFINISHED;
}

enum err life_recover(const struct life_plan *p, struct crash_shared *sh, char *why, size_t why_bytes)
{
    struct world w;
    struct fault f = {ERR_OK, ""};
    struct engine *e = NULL;
    struct engine_options o = options(p, PLANT_NONE);
    world_real(&w);
    net_child(&w, sh, -1);
    io_begin(sh, p->root);
    enum err err = seal_secrets(p, &w, NULL, &f);
    if (err == ERR_OK) err = engine_open(&e, &w, &o, &f);
    if (err == ERR_OK) engine_close(e);
    io_end();
    (void)snprintf(why, why_bytes, "%s", err == ERR_OK ? "" : f.text);
    return err;
}
