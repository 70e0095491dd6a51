/*
 * door.h: real HTTP on loopback in front of one or more models.
 *
 *     accept -> read the whole request -> choose the mount by the longest prefix -> lock, model->handle, unlock
 *            -> wait delay_ms (outside of the lock: other calls go on) -> answer, cut or close without an answer
 *
 * One thread per connection, HTTP/1.1 with keep-alive, 127.0.0.1 only. Nothing is said about Content-Type or the form
 * of a query here: the target and the body reach the model byte for byte.
 */
#ifndef SIM_DOOR_H
#define SIM_DOOR_H

#include "sim.h"

#include <stdbool.h>

struct sim_mount {
    const char *prefix; // "" takes every path; the prefix stays in the target that the model sees
    struct sim_model model;
};

struct sim_door_options {
    unsigned port;           // 0: the system chooses
    const char *port_file;   // NULL, or: decimal port and newline, written beside it and renamed, so never seen half
    bool print_port;         // "port N" on stdout
    size_t body_limit_bytes; // 0: 64 MiB. A longer body gets 413 from the door itself
    bool die_with_parent;    // sim_door_run ends when the process that started us has gone
    bool serialise;          // handle AND delay under the lock: a server that serves one call at a time
};

struct sim_door;

// Listens at once. The door copies mounts and prefixes; the models stay the caller's and must outlive it.
// NULL, with a line on stderr, when the port cannot be had.
struct sim_door *sim_door_open(const struct sim_mount *mounts, size_t nmounts, const struct sim_door_options *);

unsigned sim_door_port(const struct sim_door *);

// Takes the lock under which models are called, for a test that looks into a model while the door is open.
void sim_door_lock(struct sim_door *);
void sim_door_unlock(struct sim_door *);

// Requests being read, handled or delayed now.
unsigned sim_door_inflight(const struct sim_door *);

// Ends delays early, waits for the threads, frees. NULL is allowed.
void sim_door_close(struct sim_door *);

// The whole life of a server program: open, wait for SIGTERM, SIGINT or the parent's death, close. Exit status.
int sim_door_run(const struct sim_mount *mounts, size_t nmounts, const struct sim_door_options *);

// Takes the options of the door out of argv: --port N, --port-file F, --print-port, --die-with-parent,
// --body-limit BYTES. Others stay, in order; *argc is lowered. False, with a line on stderr, for a bad value.
bool sim_door_options_parse(int *argc, char **argv, struct sim_door_options *);

#endif
