/*
 * plant.c: bugs planted at the engine's edges, in the child's world table: a simulation that does not find them proves nothing. Each is a mistake that
 * a change of the product could make; its text stays clean.
 */
#include "run.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

const char *const run_plant_text[RUN_PLANT_COUNT] = {
    "none",
#define RUN_PLANT(id, text) text,
#include "plant.def"
#undef RUN_PLANT
};

static struct {
    enum run_plant which;
    struct world real;
} plant;

bool plant_applies(enum run_plant p)
{
    return plant.which == p;
}

// The name and the number of rows stand before it in the answer: the rest of the text stays in its place.
static void forget_locked(struct http_res *res)
{
    static const char name[] = "\"locked\":[[";
    char *body = (char *)(uintptr_t)res->body.p, *at = body ? strstr(body, name) : NULL;
    char *end = at ? strstr(at, "]]") : NULL;
    if (end)
        memset(at + strlen(name) - 1, ' ', (size_t)(end + 1 - (at + strlen(name) - 1)));
}

static int wait_for(void *ctx, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag)
{
    int rc = plant.real.http.wait(ctx, timeout_ms, a, res, tag);
    if (rc == 1 && plant.which == RUN_PLANT_LOST_IS_NOT_SENT && res->outcome == HTTP_AMBIGUOUS)
        res->outcome = HTTP_NOT_SENT;
    if (rc == 1 && plant.which == RUN_PLANT_LOCKED_FORGOTTEN && res->outcome == HTTP_ANSWERED)
        forget_locked(res);
    return rc;
}

static int start(void *ctx, const struct http_req *req, void *tag)
{
    for (size_t i = 0; plant.which == RUN_PLANT_TOKEN_TOLD && i < req->nheaders; i++)
        if (strcmp(req->method, "PUT") == 0 && strcmp(req->headers[i].name, "Authorization") == 0)
            log_warn("calling with %s", req->headers[i].value);
    return plant.real.http.start(ctx, req, tag);
}

static int sync_file(void *ctx, int fd)
{
    int rc = plant.real.files.fdatasync(ctx, fd);
    return plant.which == RUN_PLANT_SYNC_FORGOTTEN ? 0 : rc;
}

static int sync_dir(void *ctx, const char *dir)
{
    return plant.which == RUN_PLANT_NO_DIR_SYNC ? 0 : plant.real.files.sync_dir(ctx, dir);
}

void plant_set(enum run_plant which, struct world *w)
{
    plant.which = which;
    plant.real = *w;
    w->http.start = start;
    w->http.wait = wait_for;
    w->files.fdatasync = sync_file;
    w->files.sync_dir = sync_dir;
    plant_begin(which == RUN_PLANT_CURSOR_FIRST  ? PLANT_CURSOR_FIRST
                : which == RUN_PLANT_SEND_FIRST  ? PLANT_SEND_FIRST
                : which == RUN_PLANT_LINES_BLIND ? PLANT_LINES_BLIND
                                                 : PLANT_NONE);
}
