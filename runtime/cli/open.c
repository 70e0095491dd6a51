/* open.c - how the commands get at an engine or a view. */
#include "cli/cli.h"
#include "cli/sandbox.h"
#include "base/log.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *env_value(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

struct engine_options cli_engine_options(const struct cli *c)
{
    return (struct engine_options){.state_dir = c->state, .image_path = c->image, .key_file = c->key_file, .credentials_dir = getenv("CREDENTIALS_DIRECTORY"),
                                   .shared_dir = c->shared, .flow = c->flow, .getenv = env_value, .create_all = c->create_all, .full = c->full, .settle_ms = c->settle_ms,
                                   .wait_ms = c->wait_ms, .page_rows = (unsigned)c->page, .batch_rows = (unsigned)c->batch,
                                   .map_bytes = (size_t)c->map_mib << 20, .stop = &cli_stop,
                                   .progress = c->json || c->quiet ? NULL : progress_show, .progress_ctx = (void *)(uintptr_t)c};
}

enum err cli_open(struct cli *c, struct engine **e, bool dry, struct fault *f)
{
    struct engine_options o = cli_engine_options(c);
    o.dry = dry;
    return engine_open(e, &c->world, &o, f);
}

enum err cli_view(struct cli *c, struct view **v, struct fault *f)
{
    return view_open(v, &c->world, c->state, c->key_file, getenv("CREDENTIALS_DIRECTORY"), f);
}

/* ---- the limits ---- */
enum { PLACES = 64 };
struct places { struct sandbox_place list[PLACES]; size_t n; };

static void add_place(void *ctx, const char *path, bool written)
{
    struct places *p = ctx;
    if (path && p->n < PLACES) p->list[p->n++] = (struct sandbox_place){path, written};
}

void cli_limit_files(const struct cli *c, const struct engine *e)
{
    struct places p = {.n = 0};
    char site[4096];
    if (c->no_sandbox || cli_sanitized()) return;
    add_place(&p, c->state, true);
    add_place(&p, c->shared, true);
    (void)snprintf(site, sizeof site, "%s/..", c->state);
    if (c->due) add_place(&p, site, true);                 /* the note of when to start again stands beside the state */
    add_place(&p, c->image, false);
    engine_files(e, add_place, &p);
    if (!sandbox_files(p.list, p.n)) log_info("files are not limited to the state directory: this kernel has no landlock (%s)", strerror(errno));
}
