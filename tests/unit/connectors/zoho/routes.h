/* routes.h - a target some of whose addresses are answered by the test, byte by byte; the model answers the others. Header only: each test is one file. */
#ifndef TEST_ZOHO_ROUTES_H
#define TEST_ZOHO_ROUTES_H
#include "rig.h"

struct route { const char *in; int status; const char *body; size_t n; unsigned asked; };
static struct { struct route list[6]; size_t n; struct sim_model model; } routes;

static inline void route_handle(void *self, const struct sim_request *req, struct sim_response *resp)
{
    (void)self;
    for (size_t i = 0; i < routes.n; i++) {
        struct route *to = &routes.list[i];
        if (!strstr(req->target, to->in)) continue;
        to->asked++;
        resp->status = to->status;
        sim_response_body(resp, to->body, to->n, "application/json");
        return;
    }
    routes.model.handle(routes.model.self, req, resp);
}

static inline void routes_open(struct rig *r, const char *edition)
{
    rig_open(r, edition);
    rig_set(r, "upload_url", RIG_URL);
    routes.n = 0;
    routes.model = r->model;
    r->model = (struct sim_model){NULL, route_handle};
    rig_target(r);
}

/* Whatever has `in` in its address is answered so from now on; n bytes. */
static inline struct route *say_bytes(const char *in, int status, const char *body, size_t n)
{
    size_t i = 0;
    while (i < routes.n && strcmp(routes.list[i].in, in) != 0) i++;
    if (i == routes.n) routes.n++;
    routes.list[i] = (struct route){in, status, body, n, 0};
    return &routes.list[i];
}
static inline struct route *say(const char *in, int status, const char *body) { return say_bytes(in, status, body, strlen(body)); }
#endif
