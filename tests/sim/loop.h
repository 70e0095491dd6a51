/*
 * loop.h: the world of a simulated run: a virtual clock, a seeded generator and a network that is an array of models.
 *
 *     connector -> net_call -> world.http.start -> model->handle, at once, on the virtual clock
 *                                          wait -> the clock jumps to the earliest completion
 *
 * Nothing sleeps and nothing is read from the machine: the same seed and the same calls give the same run. Time passes only in
 * world.clock.sleep_ms, in world.http.wait and in sim_loop_advance; callbacks set with sim_loop_at run on the way, in order of time.
 *
 * What a fate becomes for the client:
 *     SIM_ANSWERED         HTTP_ANSWERED after latency + delay_ms; HTTP_TOO_LARGE above the request's limit
 *     SIM_ANSWERED, cut    HTTP_AMBIGUOUS (the body stopped before its announced end)
 *     SIM_DROPPED_BEFORE   HTTP_AMBIGUOUS, or HTTP_NOT_SENT for `not_sent_permille` of them (the client cannot know that nothing was applied
 *                          once its request has left)
 *     SIM_DROPPED_AFTER    HTTP_AMBIGUOUS
 *     later than the request's total timeout: HTTP_AMBIGUOUS at the timeout, whatever the fate; the model has worked
 *     no mount, or one that is down: HTTP_NOT_SENT; http:// to anything but loopback: HTTP_REFUSED
 *     https:// to a mount with a private certificate without that trust anchor: HTTP_NOT_SENT, tls_ms -1
 *
 *     struct sim_loop *loop = sim_loop_new(1773355267000, 7);
 *     sim_loop_mount(loop, "https://erp.test", sage_sim_model(sage));
 *     struct world w; world_real(&w); sim_loop_world(loop, &w);      // files stay the real ones
 */
#ifndef SIM_LOOP_H
#define SIM_LOOP_H

#include "base/world.h"
#include "sim.h"

struct sim_loop;

// Both clocks start here: wall at start_ms (Unix), mono at 1000.
struct sim_loop *sim_loop_new(int64_t start_ms, uint64_t seed);
void sim_loop_free(struct sim_loop *);

// Sets clock, random and http of w; files are left alone.
void sim_loop_world(struct sim_loop *, struct world *w);
// For the options of a model: the wall clock of the loop.
struct sim_clock sim_loop_clock(struct sim_loop *);
int64_t sim_loop_now_ms(const struct sim_loop *);
// Lets time pass without a call.
void sim_loop_advance(struct sim_loop *, int64_t ms);
// Moves the wall clock only, as an administrator would.
void sim_loop_jump_wall(struct sim_loop *, int64_t by_ms);
// Calls back once when the monotonic clock has passed `after_ms` from now.
void sim_loop_at(struct sim_loop *, int64_t after_ms, void (*call)(void *ctx), void *ctx);

// A model behind every URL that starts with url_prefix ("https://erp.test:8443"); the longest prefix wins. The model sees path and query.
// A second mount of the same prefix replaces the first (the server was exchanged).
void sim_loop_mount(struct sim_loop *, const char *url_prefix, struct sim_model);
// Connection refused from now on, or no more.
void sim_loop_down(struct sim_loop *, const char *url_prefix, bool down);
// The mount shows a private certificate: only requests with this ca_file get through. NULL: public again.
void sim_loop_private_ca(struct sim_loop *, const char *url_prefix, const char *ca_file);
// One way there and back without the model's own delay; default 5 ms.
void sim_loop_latency(struct sim_loop *, int64_t ms);
void sim_loop_not_sent(struct sim_loop *, unsigned permille);
// The tester's eye: called after each request was handled and before its outcome is decided; may change the answer.
typedef void (*sim_loop_watch_fn)(void *ctx, const struct http_req *req, struct sim_response *resp);
void sim_loop_watch(struct sim_loop *, sim_loop_watch_fn, void *ctx);

unsigned sim_loop_in_flight(const struct sim_loop *);
uint64_t sim_loop_requests(const struct sim_loop *);
// Requests whose connection was refused.
uint64_t sim_loop_refused(const struct sim_loop *);
// Virtual milliseconds that passed in sleeps (not in waiting for answers).
int64_t sim_loop_slept_ms(const struct sim_loop *);
// FNV-1a over method, URL, body, outcome and time of every request so far: equal runs have equal traces.
uint64_t sim_loop_trace(const struct sim_loop *);

#endif
