/*
 * sim.h: what every model of a server (tests/sim/NAME) has in common.
 *
 * A model is a state plus one function that takes a request and gives an answer. It never looks at the clock of the
 * machine, never sleeps and never opens a socket, so that a simulation with a virtual clock replays exactly. Its two
 * doors:
 *
 *     in process   test -> model->handle(self, &req, &resp) -> test      (virtual clock, no sockets, no threads)
 *     door.h       client -> loopback HTTP -> handle under a lock -> delay -> client   (real clock)
 *
 * A fault is part of the answer: `fate` tells the door whether an answer leaves at all, `delay_ms` when. The caller in
 * process reads both fields and plays them on its own clock.
 */
#ifndef SIM_H
#define SIM_H

#include <stddef.h>
#include <stdint.h>

struct sim_header {
    char *name;
    char *value;
};

// The caller owns everything; the model keeps no pointer into it after `handle` has returned.
struct sim_request {
    const char *method; // upper case, "GET"
    const char *target; // origin form, path?query, as sent: not decoded
    const struct sim_header *headers;
    size_t nheaders;
    const char *body; // never NULL when body_len > 0; not necessarily zero-terminated
    size_t body_len;
};

enum sim_fate {
    SIM_ANSWERED,       // status, headers and body go out after delay_ms
    SIM_DROPPED_BEFORE, // nothing was applied; the connection hangs for delay_ms and closes without an answer
    SIM_DROPPED_AFTER   // everything was applied; the connection hangs for delay_ms and closes without an answer
};

// Filled by the model, freed by the caller with sim_response_free. Start from a zeroed struct.
struct sim_response {
    int status;
    struct sim_header *headers; // heap, names and values too
    size_t nheaders;
    char *body; // heap; NULL when empty; zero-terminated one byte after body_len
    size_t body_len;
    enum sim_fate fate;
    int64_t delay_ms;
    size_t cut_at; // when > 0: Content-Length announces body_len, but only cut_at bytes leave before the close
};

// Unix time in milliseconds. The door passes sim_clock_real(), a simulation its own.
struct sim_clock {
    int64_t (*now_ms)(void *ctx);
    void *ctx;
};

struct sim_model {
    void *self;
    void (*handle)(void *self, const struct sim_request *, struct sim_response *);
};

struct sim_clock sim_clock_real(void);

// Case-insensitive. The first value of that name, or NULL.
const char *sim_request_header(const struct sim_request *, const char *name);

// Copy name and value into the answer.
void sim_response_header(struct sim_response *, const char *name, const char *value);

// Copies len bytes and sets Content-Type when content_type is not NULL. Replaces an earlier body, not earlier headers.
void sim_response_body(struct sim_response *, const char *bytes, size_t len, const char *content_type);

// Frees what the model filled in and zeroes the struct.
void sim_response_free(struct sim_response *);

// Percent-decoding of one component of a target; '+' becomes a space when plus_is_space. Heap string, zero-terminated,
// *out_len (may be NULL) counts bytes. A broken escape is kept as it stands.
char *sim_percent_decode(const char *bytes, size_t len, int plus_is_space, size_t *out_len);

#endif
