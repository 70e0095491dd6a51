/* scene.h - one case under way: models, disk, program. crash_case.c plays it, crash_check.c judges it. */
#ifndef TESTS_FAULT_SCENE_H
#define TESTS_FAULT_SCENE_H
#include "tests/fault/crash.h"
#include "tests/fault/platter.h"
#include "tests/sim/loop.h"
#include "tests/sim/sage/sage.h"
#include "tests/sim/zoho/zoho_sim.h"

enum { SCENE_CUSTOMERS = 60, SCENE_KEYS = 80, SCENE_ITEMS = 3, SCENE_ORDERS = 4, SCENE_LINES = 8 };
struct scene_order { struct { unsigned key, item, qty; } line[SCENE_LINES]; size_t n; };
struct scene_write { char id[24], key[64]; };        /* a record that reached Zoho's door: an insert has a key, an update an id */
struct scene {
    const struct crash_setup *setup;
    struct crash_case *c;
    struct crash_shared *sh;
    struct sim_loop *loop;
    struct sage_sim *sage;
    struct zoho_sim *zoho;
    struct net_server *net;
    struct platter *platter;
    char state[600];
    char key[SCENE_KEYS][32]; size_t nkeys;           /* of Sage, "01~ABF" */
    struct scene_write *writes; size_t nwrites, cap_writes;
    unsigned edits;                                   /* numbers every change that people make */
    bool meanwhile;                                   /* people have been at work between two lives */
    char feed[620];                                   /* folder of the orders' files */
    struct scene_order order[SCENE_ORDERS];
    unsigned line_keys;
    bool more, keys;                                  /* the second scene, the third */
    char group[24];                                   /* the record that people made */
    char deleted[32], erased[32], replayed[32];       /* customers of Sage */
    bool second_spec;
};
struct zoho_counts { int64_t inserts, updates, noops, failed; };

enum { SCENE_MODULES = 3 };
extern const char *const scene_modules[SCENE_MODULES];
struct json_t;
/* Our key in a record of one of them, or NULL. */
const char *scene_key(const struct json_t *record);

/* False, with c->text filled. */
bool scene_wrong(struct scene *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void scene_keys(struct scene *s);

/* ---- crash_orders.c: orders with lines ---- */
bool orders_begin(struct scene *s);
/* Lines change, come and go, in every order. */
bool orders_change(struct scene *s, unsigned how);
/* Every order stands in Zoho once, and its rows are its lines, each once. */
bool orders_check(struct scene *s);

/* ---- crash_more.c: the second scene ---- */
/* Between the first sync and the second: people make the record that every customer looks for, delete a customer, order an erasure and a replay, and
 * change the spec. */
bool more_change(struct scene *s);
bool more_to_do(const struct scene *s);
/* The third scene, at the same place: the agent has another token from now on, and the master key is to be changed. */
void keys_change(struct scene *s);
/* Whether Zoho's record of a customer is as the second scene promises, beyond what the first does. */
bool more_check(struct scene *s, const struct json_t *record, const char *key);
/* The customer that is gone from Sage still stands in Zoho, and says so. */
bool more_check_gone(struct scene *s, const struct json_t *all);
/* "02~A~1" in the agent's form -> "ABC~02~A^-1", the key that the program writes. */
void scene_our_key(const char *key, char *out, size_t n);

/* ---- crash_check.c ---- */
struct zoho_counts check_counts(struct scene *s);
/* Every customer of Sage stands in Zoho exactly once, with the values that the flow promises, and nothing else of ours. */
bool check_records(struct scene *s);
/* In a process of its own: the log verifies, its fold is the index, every record that reached Zoho's door has its INTENT. */
bool check_state(struct scene *s);
#endif
