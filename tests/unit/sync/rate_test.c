/* rate_test.c - a first load on the virtual clock, where computing takes no time: what is left is the waiting of one thing for another. Ten requests of a
 * hundred records that take 300 ms each bound it at 3,333 records a second; pages are read, rows are mapped and requests are prepared meanwhile. */
#include "rig.h"

enum { LATENCY_MS = 300, WIRE_MS = 5, WRITERS = 10 };
static int64_t page_ms;

static void slow_source(void *ctx, const struct http_req *req, struct sim_response *resp)
{
    (void)ctx;
    if (strncmp(req->url, SAGE_URL, strlen(SAGE_URL)) == 0) resp->delay_ms += page_ms;
}

/* Virtual milliseconds from start to end of `mlcd once`, and the records that it inserted; -1 when it did not end well. */
static int64_t load_ms(uint32_t customers, int64_t ms_of_a_page, uint64_t *inserted)
{
    struct rig r;
    static char head[3000];
    const char *at = strstr(SPEC_HEAD, "login = secret(\"zoho\")");
    snprintf(head, sizeof head, "%.*swriters = %d %s", (int)(at - SPEC_HEAD), SPEC_HEAD, WRITERS, at);
    page_ms = ms_of_a_page;
    rig_open(&r, customers, 71);
    rig_spec(&r, head, SPEC_FLOW);
    r.o.page_rows = 250;
    r.o.batch_rows = 100;
    r.o.segment_bytes = 0;
    zoho_sim_switch(r.zoho, "latency_ms", LATENCY_MS);
    sim_loop_latency(r.loop, WIRE_MS);
    sim_loop_watch(r.loop, slow_source, NULL);
    int64_t from = sim_loop_now_ms(r.loop);
    enum err err = rig_once(&r);
    int64_t took = sim_loop_now_ms(r.loop) - from;
    bool good = err == ERR_OK && r.r.pending == 0 && rig_counter(&r, "max_in_flight") == WRITERS;
    ok(good, "the load ends, with as many requests under way as allowed", "%s, %llu pending, %lld under way at most", r.f.text, (unsigned long long)r.r.pending,
       (long long)rig_counter(&r, "max_in_flight"));
    *inserted = r.r.inserted;
    rig_close(&r);
    return good ? took : -1;
}

/* The slope between two sizes: start and end of the process are in both. */
static void rate(int64_t ms_of_a_page, const char *name)
{
    uint64_t few, many;
    int64_t t1 = load_ms(2000, ms_of_a_page, &few), t2 = load_ms(6000, ms_of_a_page, &many);
    double bound = WRITERS * 100 / ((LATENCY_MS + WIRE_MS) / 1000.0), got = t1 >= 0 && t2 > t1 ? (double)(many - few) * 1000.0 / (double)(t2 - t1) : 0;
    ok(got >= 0.95 * bound, name, "%.0f records a second of %.0f", got, bound);
    printf("%s: %.0f of %.0f records a second\n", name, got, bound);
}

int main(void)
{
    rate(0, "a first load waits for Zoho and for nothing else");
    rate(60, "nor for pages that take 60 ms to read");
    return ok_done();
}
