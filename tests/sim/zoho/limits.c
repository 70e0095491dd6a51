/*
 * limits.c: API credits over a rolling day and calls in flight (facts 8).
 *
 * Credits: a ring of 1,440 minutes; the sum of those younger than a day is what is spent.
 * Concurrency: a call is in flight from its start until start + delay of its answer, so that it is seen with a virtual
 * clock too; without any delay a call is over at once.
 */
#include "zoho_room.h"

#include <stdlib.h>

int64_t zsim__credits_limit(const struct zoho_sim *sim)
{
    const struct zsim_edition *e = &sim->editions[sim->edition];
    int64_t limit = e->base + e->per_user * sim->users_licensed;
    return limit > e->max ? e->max : limit;
}

int64_t zsim__credits_spent(const struct zoho_sim *sim, int64_t now_ms)
{
    const struct zsim_limits *l = &sim->limits;
    int64_t minute = now_ms / 60000, sum = 0;
    for (size_t i = 0; i < ZSIM_MINUTES; i++)
        if (l->minute[i] > minute - ZSIM_MINUTES && l->minute[i] <= minute)
            sum += l->spent[i];
    return sum;
}

int64_t zoho_sim_spent(const struct zoho_sim *sim)
{
    return zsim__credits_spent(sim, zsim__now(sim));
}

void zsim__credits_add(struct zoho_sim *sim, int64_t now_ms, int64_t credits)
{
    struct zsim_limits *l = &sim->limits;
    int64_t minute = now_ms / 60000;
    size_t slot = (size_t)(minute % ZSIM_MINUTES);
    if (l->minute[slot] != minute) {
        l->minute[slot] = minute;
        l->spent[slot] = 0;
    }
    l->spent[slot] += credits;
}

static void forget_ended(struct zsim_limits *l, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->nflight; i++)
        if (l->ends_ms[i] > now_ms) {
            l->ends_ms[kept] = l->ends_ms[i];
            l->heavy[kept++] = l->heavy[i];
        }
    l->nflight = kept;
}

bool zsim__admit(struct zsim_call *call)
{
    struct zoho_sim *sim = call->sim;
    struct zsim_limits *l = &sim->limits;
    size_t heavy = 0;
    forget_ended(l, call->now_ms);
    for (size_t i = 0; i < l->nflight; i++)
        heavy += l->heavy[i];
    bool full = l->nflight >= (size_t)sim->editions[sim->edition].concurrency;
    bool sub_full = call->heavy && heavy >= (size_t)sim->sub_concurrency;
    bool spent = zsim__credits_spent(sim, call->now_ms) + call->cost > zsim__credits_limit(sim);
    if (l->nflight + 1 > l->max_flight)
        l->max_flight = l->nflight + 1;
    if (!full && !sub_full && !spent)
        return true;
    if (!sim->on.credits_on_429)
        call->cost = 0;
    zsim__error(call, 429, "TOO_MANY_REQUESTS", "You have made too many requests. Please try again later.", NULL);
    return false;
}

void zsim__finish(struct zsim_call *call)
{
    struct zoho_sim *sim = call->sim;
    struct zsim_limits *l = &sim->limits;
    char text[24];
    zsim__credits_add(sim, call->now_ms, call->cost);
    int64_t limit = zsim__credits_limit(sim), spent = zsim__credits_spent(sim, call->now_ms);
    if (call->scope && spent * 2 >= limit) {
        snprintf(text, sizeof text, "%lld", (long long)(limit > spent ? limit - spent : 0));
        sim_response_header(call->resp, "X-API-CREDITS-REMAINING", text);
    }
    call->resp->delay_ms += sim->on.latency_ms + (int64_t)call->records * sim->on.latency_record_us / 1000;
    if (call->scope && call->resp->status != 429 && call->resp->delay_ms > 0 && call->resp->fate == SIM_ANSWERED) {
        if (l->nflight == l->flight_cap) {
            l->flight_cap = l->flight_cap ? l->flight_cap * 2 : 32;
            l->ends_ms = zsim__must(realloc(l->ends_ms, l->flight_cap * sizeof *l->ends_ms));
            l->heavy = zsim__must(realloc(l->heavy, l->flight_cap * sizeof *l->heavy));
        }
        l->ends_ms[l->nflight] = call->now_ms + call->resp->delay_ms;
        l->heavy[l->nflight++] = call->heavy;
    }
}

void zsim__limits_free(struct zoho_sim *sim)
{
    free(sim->limits.ends_ms);
    free(sim->limits.heavy);
}
