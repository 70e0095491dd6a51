/*
 * late.c: requests that arrive after their sender gave up.
 *
 *     action apply_late: the client sees its connection close, the request stays here until its time comes and is then
 *     applied as if nothing had happened, before the next call or look at the model
 *
 * This is what makes a retry dangerous: the first attempt may still be on its way.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

struct zsim_late {
    int64_t due_ms;
    char *method, *target, *body;
};

void zsim__late_add(struct zsim_call *call, int64_t after_ms)
{
    struct zoho_sim *sim = call->sim;
    sim->late = zsim__must(realloc(sim->late, (sim->nlate + 1) * sizeof *sim->late));
    sim->late[sim->nlate++] = (struct zsim_late){call->now_ms + after_ms, zsim__copy(call->req->method),
                                                 zsim__copy(call->req->target), zsim__copy(call->body_text)};
}

static void free_late(struct zsim_late *l)
{
    free(l->method);
    free(l->target);
    free(l->body);
}

static void apply(struct zoho_sim *sim, const struct zsim_late *l)
{
    struct sim_request req = {.method = l->method, .target = l->target, .body = l->body, .body_len = strlen(l->body)};
    struct sim_response resp = {0};
    zsim__apply(sim, &req, &resp, l->due_ms);
    sim_response_free(&resp);
}

// In the order in which they are due.
void zsim__late_run(struct zoho_sim *sim)
{
    int64_t now_ms = zsim__now(sim);
    for (;;) {
        size_t first = SIZE_MAX;
        for (size_t i = 0; i < sim->nlate; i++)
            if (sim->late[i].due_ms <= now_ms && (first == SIZE_MAX || sim->late[i].due_ms < sim->late[first].due_ms))
                first = i;
        if (first == SIZE_MAX)
            return;
        struct zsim_late l = sim->late[first];
        memmove(&sim->late[first], &sim->late[first + 1], (sim->nlate - first - 1) * sizeof *sim->late);
        sim->nlate--;
        apply(sim, &l);
        free_late(&l);
    }
}

void zsim__late_free(struct zoho_sim *sim)
{
    for (size_t i = 0; i < sim->nlate; i++)
        free_late(&sim->late[i]);
    free(sim->late);
}
