/* clock_test.c - a wall clock that jumps while the service runs or between two lives: nothing is put off for longer than its interval. */
#include "tests/unit/sync/rig.h"

enum { HOUR_MS = 3600000 };

static uint64_t pages(const struct rig *r) { return sage_sim_count(r->sage, "changed"); }

static int64_t turn(struct rig *r, struct engine *e)
{
    struct engine_turn t = {0};
    if (engine_turn(e, &t, &r->f) != ERR_OK) printf("not ok a turn: %s\n", r->f.text), ok_failures++;
    return t.next_ms;
}

static void set_back_while_it_runs(void)
{
    struct rig r;
    struct engine *e;
    rig_open(&r, 10, 1);
    if (rig_engine(&r, &e) != ERR_OK) abort();
    (void)turn(&r, e);
    sim_loop_advance(r.loop, 20 * 60000);
    uint64_t before = pages(&r);
    (void)turn(&r, e);
    ok(pages(&r) > before, "a pass comes after its interval", "no page was read");
    sim_loop_jump_wall(r.loop, -5 * HOUR_MS);
    before = pages(&r);
    int64_t next = turn(&r, e);
    ok(pages(&r) > before, "a clock that is set back does not put off the next pass", "no page was read");
    ok(next <= sim_loop_now_ms(r.loop) + 17 * 60000, "and the one after it comes after its interval", "in %lld minutes",
       (long long)(next - sim_loop_now_ms(r.loop)) / 60000);
    engine_close(e);
    rig_close(&r);
}

static void set_back_between_two_lives(void)
{
    struct rig r;
    struct engine *e;
    rig_open(&r, 10, 2);
    sim_loop_jump_wall(r.loop, 30 * 24 * (int64_t)HOUR_MS);         /* the first pass under a clock that is a month ahead */
    (void)rig_done(&r, "a first sync under a wrong clock");
    sim_loop_jump_wall(r.loop, -30 * 24 * (int64_t)HOUR_MS);
    uint64_t pages_before = pages(&r), keys_before = sage_sim_count(r.sage, "keys");
    if (rig_engine(&r, &e) != ERR_OK) abort();
    (void)turn(&r, e);
    ok(pages(&r) > pages_before, "a clock that was a month ahead is no reason to wait a month for a pass", "no page was read");
    ok(sage_sim_count(r.sage, "keys") > keys_before, "nor for the whole table and the sweep of deleted rows", "no keys were read");
    engine_close(e);
    rig_close(&r);
}

int main(void)
{
    set_back_while_it_runs();
    set_back_between_two_lives();
    return ok_done();
}
