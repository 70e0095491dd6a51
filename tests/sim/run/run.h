/*
 * run.h: the deterministic simulation: what its files share.
 *
 *     main.c     seeds, so many at a time; the table of hits; the same seed twice; planted bugs
 *     seed.c     one seed, in a process of its own (the "server"): models, clock, lives of the program, the end
 *     life.c     one life of the program: the real engine, killed and started again     (the "child"; tests/fault/crash_io.c is under it)
 *     people.c   what people do in Sage and in Zoho meanwhile
 *     trouble.c  what goes wrong: network, agent, disk, crashes, clocks
 *     door.c     the judge at the network's door: INTENT durable, one call per record, order, budget
 *     judge.c    the judge at the end: Zoho against Sage by the reference evaluator, people's own fields, the log, secrets
 *
 *     seed -> virtual days of [ the service runs | people work | something breaks | the program dies and is started ] -> faults stop
 *          -> two polls -> Zoho holds what Sage says
 *
 * The program is the product's own service (engine_run) in a child process per life, its files on a directory under the crash harness's wraps and
 * platter, its clock, random numbers and requests through crash_net.c to the models in the server. All chance comes from the seed: the same
 * seed gives the same requests at the same virtual times, told by the trace hash of loop.h. What is judged is what the models applied, never what the
 * engine says of itself.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "tests/fault/crash.h"
#include "tests/fault/platter.h"
#include "tests/sim/loop.h"
#include "tests/sim/sage/sage.h"
#include "tests/sim/zoho/zoho_sim.h"

enum hit {
    HIT_NONE,
#define HIT(id, text) HIT_##id,
#include "hits.def"
#undef HIT
    HIT_COUNT
};
extern const char *const hit_text[HIT_COUNT];

enum run_plant {
    RUN_PLANT_NONE,
#define RUN_PLANT(id, text) RUN_PLANT_##id,
#include "plant.def"
#undef RUN_PLANT
    RUN_PLANT_COUNT
};
extern const char *const run_plant_text[RUN_PLANT_COUNT];

// What the server asks of a life, and what that says at its end; in shared memory.
enum life_kind { RUN_PREPARE, RUN_SERVE, RUN_OPERATOR, RUN_RECONCILE };
struct life_orders {
    enum life_kind kind;
    volatile int stop, reload;
    int err;
    char error[480];
    uint64_t accepted, replayed, marked;
};

// One seed's answer, in shared memory.
struct run_result {
    bool done, passed;
    char rule[40];
    char text[500];
    uint64_t trace, requests, lives, edits, records, credits; // credits: the most in any 24 hours
    int64_t virtual_ms, real_ms;
    uint32_t hits[HIT_COUNT];
};

struct run_setup {
    uint64_t seed;
    unsigned days;
    enum run_plant plant;
    bool memory; // allocations are refused now and then
    bool tell; // each event, each call and the program's own words to stderr
    const char *dir; // on a fast disk, for this seed alone
    const char *spec[2], *image[2]; // of the world before and after the new spec
    const char *data;
};

enum { RUN_ROWS = 120, RUN_MODULES = 4, RUN_EVENTS = 64, RUN_PEOPLE = 256 };

// A record that reached the judge at the door.
struct door_key;
struct door;

struct people_edit {
    const char *module, *field;
    char id[24], value[40];
    bool locked; // instead of a value
    int64_t until_ms;
};

struct seed {
    const struct run_setup *setup;
    struct run_result *result;
    struct crash_shared *sh;
    struct life_orders *orders;
    struct sim_loop *loop;
    struct world w; // clock of the loop
    struct sage_sim *sage;
    struct zoho_sim *zoho;
    struct net_server *net;
    struct platter *platter;
    struct door *door;
    uint64_t random, refusals; // two streams: with and without refused allocations all else is the same up to the first
    int64_t start_ms, end_ms; // true time; end: the faults stop
    char root[600], state[620], image[620], log[620]; // log: what the program said
    unsigned version; // of the newest edit
    unsigned spec; // 0 or 1
    int64_t on_its_way_ms; // the program died while a request was under way: it arrives (ten seconds later) before this true time
    bool over; // the faults have stopped
    bool beyond; // this seed has requests that take effect beyond `settle`
    bool visit, revoked; // the operator is called
    bool accept;
    int64_t jumped_ms; // how far the program's clock is off
    int64_t restore_ms; // true time: when something that is down comes back
    char domain[60];
    const char *down;
    uint64_t refused_seen;
    struct people_edit edits[RUN_PEOPLE];
    size_t nedits;
    char gone[RUN_ROWS][40];
    size_t ngone;
    char away[RUN_ROWS][40]; // left the flow by CustomerStatus
    size_t naway;
    char blank[8][40]; // customers without a name
    size_t nblank;
    char secret[16][64]; // access tokens, the newest ones: they must stand nowhere
    size_t nsecrets;
    char events[RUN_EVENTS][200]; // ring
    uint64_t nevents;
};

extern const char *const run_modules[RUN_MODULES];

// ---- seed.c
void seed_play(const struct run_setup *, struct run_result *);
int64_t seed_true_ms(struct seed *);
bool seed_install(struct seed *, unsigned spec); // the compiled spec of that number is the one on disk now
uint64_t seed_dice(struct seed *, uint64_t below); // 0 .. below - 1
bool seed_chance(struct seed *, unsigned permille);
void seed_hit(struct seed *, enum hit);
// Into the ring of events, and to stderr when told.
void seed_event(struct seed *, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The first one stays. False, for `return`.
bool seed_violated(struct seed *, const char *rule, const char *format, ...) __attribute__((format(printf, 3, 4)));

// ---- life.c
int life_live(const struct seed *, int fd); // in the child; an enum life_end
// plant.c: in the child
void plant_set(enum run_plant, struct world *);
bool plant_applies(enum run_plant);

// ---- people.c
void people_turn(struct seed *);
void people_between_pages(struct seed *, const char *resource);
void people_last_changes(struct seed *);
bool people_kept(struct seed *); // their own fields stand as they left them

// ---- trouble.c
void trouble_turn(struct seed *);
void trouble_stop(struct seed *);
void trouble_life_over(struct seed *, int how); // counts what struck
void trouble_told(void *ctx, int tag);

// ---- door.c
struct door *door_open(struct seed *);
void door_close(struct door *);
void door_life_over(struct seed *, bool clean);
// The log up to now is on the platter: what of it would survive is read on.
void door_request(struct seed *, const struct http_req *, const struct sim_response *);
void door_change(void *ctx, const struct zoho_sim_change *);
// No attempt is left without an outcome.
bool door_all_over(struct seed *);

// ---- judge.c
bool judge_end(struct seed *);

#endif
