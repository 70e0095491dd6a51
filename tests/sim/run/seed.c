/*
 * seed.c: one seed, in a process of its own.
 *
 *     lives of the service, with people and trouble on a timer | faults stop | the operator looks in | last changes | two polls | the judge
 *
 * The timer runs in the loop's virtual time, so it strikes in the middle of naps and of answers alike.
 */
#include "run.h"
#include "base/log.h"
#include "tests/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS, STATUS_BASE = 40, TURN_MS = 9 * MINUTE_MS };
#define DAY_MS INT64_C(86400000)
#define SPRING_MS INT64_C(1772956800000) // 2026-03-08T08:00:00Z: clocks go forward in Chicago
#define AUTUMN_MS INT64_C(1793516400000) // 2026-11-01T07:00:00Z: they go back
#define COMPANY "ABC"

const char *const hit_text[HIT_COUNT] = {
    "none",
#define HIT(id, text) text,
#include "hits.def"
#undef HIT
};
const char *const run_modules[RUN_MODULES] = {"Products", "Accounts", "Contacts", "Sales_Orders"};

/* ---- chance, events, violations ---- */

uint64_t seed_dice(struct seed *s, uint64_t below)
{
    uint64_t z = (s->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return below ? (z ^ (z >> 31)) % below : 0;
}

bool seed_chance(struct seed *s, unsigned permille)
{
    return seed_dice(s, 1000) < permille;
}

void seed_hit(struct seed *s, enum hit h)
{
    s->result->hits[h]++;
}

// The models' clock: it never jumps. Starts with the loop's monotonic clock, at 1000.
int64_t seed_true_ms(struct seed *s)
{
    return s->start_ms + world_mono_ms(&s->w) - 1000;
}

void seed_event(struct seed *s, const char *format, ...)
{
    char *at = s->events[s->nevents++ % RUN_EVENTS];
    int64_t ms = seed_true_ms(s) - s->start_ms;
    int n = snprintf(at, sizeof s->events[0], "day %2d %02d:%02d:%02d.%03d  ", (int)(ms / DAY_MS) + 1, (int)(ms / HOUR_MS % 24), (int)(ms / MINUTE_MS % 60),
                     (int)(ms / 1000 % 60), (int)(ms % 1000));
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(at + n, sizeof s->events[0] - (size_t)n, format, ap);
    va_end(ap);
    if (s->setup->tell)
        fprintf(stderr, "%s\n", at);
}

bool seed_violated(struct seed *s, const char *rule, const char *format, ...)
{
    va_list ap;
    if (s->result->text[0])
        return false;
    va_start(ap, format);
    (void)vsnprintf(s->result->text, sizeof s->result->text, format, ap);
    va_end(ap);
    (void)snprintf(s->result->rule, sizeof s->result->rule, "%s", rule);
    seed_event(s, "VIOLATED %s: %s", rule, s->result->text);
    s->orders->stop = 1;
    return false;
}

/* ---- the stage ---- */

static int64_t true_clock(void *ctx)
{
    return seed_true_ms(ctx);
}

// Access tokens are secrets too.
static void note_token(struct seed *s, const struct sim_response *resp)
{
    static const char name[] = "\"access_token\"";
    const char *at = resp->body ? strstr(resp->body, name) : NULL;
    at = at ? strstr(at + strlen(name), "1000.") : NULL;
    if (at)
        (void)snprintf(s->secret[s->nsecrets++ % 16], sizeof s->secret[0], "%.*s", (int)strcspn(at, "\""), at);
}

// Which requests the loop makes of the models is what the judge sees first.
static void watch(void *ctx, const struct http_req *req, struct sim_response *resp)
{
    struct seed *s = ctx;
    const char *path = strstr(req->url, "://");
    path = path ? strchr(path + 3, '/') : NULL;
    if (s->setup->tell)
        seed_event(s, "%s %s -> %d%s", req->method, req->url, resp->status,
                   resp->fate == SIM_ANSWERED ? "" : resp->fate == SIM_DROPPED_AFTER ? ", answer lost" : ", lost");
    if (strstr(req->url, "/oauth/v2/token"))
        note_token(s, resp);
    door_request(s, req, resp);
    const char *changes = path && strncmp(path, "/v1/companies/" COMPANY "/", 18) == 0 && resp->status == 200 ? path + 18 : NULL;
    if (changes && !s->over && resp->body && strstr(resp->body, "\"complete\":false") && strcspn(changes, "?") < 20)
        people_between_pages(s, changes);
}

static bool models(struct seed *s)
{
    char why[300];
    struct sage_sim_options so;
    struct sim_clock clock = {true_clock, s};
    sage_sim_options_default(&so);
    so.seed = s->setup->seed;
    so.customers = 34;
    so.rows = "contacts=24,items=10,sales-orders=14,vendors=2,salespersons=2";
    so.company = COMPANY;
    so.token = "canary-agent-token-5e1d";
    so.history_end = 20260115;
    so.clock = clock;
    s->sage = sage_sim_new(&so);
    struct zoho_sim_options zo = {.data_path = s->setup->data, .api_domain = s->domain, .clock = clock};
    s->zoho = zoho_sim_open(&zo, why, sizeof why);
    if (!s->sage || !s->zoho)
        return seed_violated(s, "stage", "a model does not open: %s", s->zoho ? "Sage" : why);
    sage_sim_on_fault(s->sage, trouble_told, s);
    zoho_sim_on_fault(s->zoho, trouble_told, s);
    zoho_sim_on_change(s->zoho, door_change, s);
    sim_loop_mount(s->loop, "https://erp.test", sage_sim_model(s->sage));
    sim_loop_mount(s->loop, "https://accounts.zoho.com", zoho_sim_model(s->zoho));
    sim_loop_mount(s->loop, "https://www.zohoapis.com", zoho_sim_model(s->zoho));
    sim_loop_mount(s->loop, "https://www.zohoapis.eu", zoho_sim_model(s->zoho));
    sim_loop_watch(s->loop, watch, s);
    return true;
}

/* ---- the timer ---- */

static void turn(void *ctx);

static void wind(struct seed *s)
{
    sim_loop_at(s->loop, TURN_MS / 2 + (int64_t)seed_dice(s, TURN_MS), turn, s);
}

// The two hours around the change of clocks are seen by somebody who works then.
static void watch_the_hour(struct seed *s, int64_t now)
{
    int64_t dst = s->setup->seed % 2 ? AUTUMN_MS : SPRING_MS;
    static const int64_t around = 2 * HOUR_MS;
    if (now > dst - around && now < dst + around && !s->result->hits[s->setup->seed % 2 ? HIT_AUTUMN : HIT_SPRING])
        seed_hit(s, s->setup->seed % 2 ? HIT_AUTUMN : HIT_SPRING);
}

static void turn(void *ctx)
{
    struct seed *s = ctx;
    int64_t now = seed_true_ms(s);
    if (now >= s->end_ms) {
        if (!s->over) // else this turn comes behind the last life, and the one that is judged goes on
            s->orders->stop = 1;
        return;
    }
    watch_the_hour(s, now);
    people_turn(s);
    trouble_turn(s);
    wind(s);
}

/* ---- lives ---- */

// The program waits: what it did to its files so far goes to the platter.
static void take_log(void *ctx)
{
    struct seed *s = ctx;
    struct op o;
    for (size_t at = 0; at < s->sh->log_bytes; at += sizeof o + o.n) {
        memcpy(&o, s->sh->log + at, sizeof o);
        if (!platter_step(s->platter, &o, s->sh->log + at + sizeof o)) {
            (void)seed_violated(s, "stage", "the log of the disk cannot be replayed");
            break;
        }
    }
    s->sh->log_bytes = 0;
}

static bool reboot(struct seed *s)
{
    platter_cut(s->platter, s->sh->cut, s->sh->cut_seed);
    tree_gone(s->state);
    return platter_export(s->platter, s->root) || seed_violated(s, "stage", "the platter cannot be written out: %s", strerror(errno));
}

static void child(void *ctx, int fd)
{
    struct seed *s = ctx;
    int out = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out >= 0 && !s->setup->tell)
        dup2(out, 2);
    io_exit(STATUS_BASE + life_live(s, fd));
}

// How it ended; -1: in a way that is wrong.
static int end_of(struct seed *s, int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && s->sh->struck)
        return LIFE_KILLED;
    if (s->sh->out_of_memory && WIFEXITED(status) && WEXITSTATUS(status) == 71)
        return LIFE_KILLED;
    if (WIFSIGNALED(status))
        return seed_violated(s, "no crash of its own", "the program ended by signal %d", WTERMSIG(status)) - 1;
    int code = WEXITSTATUS(status) - STATUS_BASE;
    if (code != LIFE_DONE && code != LIFE_ERROR)
        return seed_violated(s, "no crash of its own", "the program ended with status %d", code + STATUS_BASE) - 1;
    return code;
}

// The units of examples/systemd start the service again, but for these statuses, which say that a person has to do something.
static bool starts_again(struct seed *s)
{
    int status = err_exit_code((enum err)s->orders->err);
    return (status != 64 && status != 65 && status != 77 && status != 78) ||
           seed_violated(s, "the service goes on by itself", "it ends with status %d, which no service manager starts again: %s", status, s->orders->error);
}

static int live(struct seed *s, enum life_kind kind)
{
    int status = 0;
    struct crash_shared *sh = s->sh;
    s->result->lives++;
    s->orders->kind = kind;
    s->orders->stop = s->orders->reload = 0;
    platter_life(s->platter);
    if (!net_life(s->net, child, s, &status))
        return seed_violated(s, "stage", "the program spoke nonsense, or could not be made") - 1;
    take_log(s);
    int end = end_of(s, status);
    seed_event(s, "life %u ended: %s %s", sh->life, (const char *const[]){"wrong", "killed", "done", "unfinished", "error:"}[end + 1],
               end == LIFE_ERROR ? s->orders->error : "");
    if (end == LIFE_KILLED && sh->cut != CUT_NONE && !reboot(s))
        return -1;
    if (end == LIFE_ERROR && kind == RUN_SERVE && !starts_again(s))
        return -1;
    door_life_over(s, end == LIFE_DONE);
    trouble_life_over(s, end);
    return s->result->text[0] ? -1 : end;
}

// The service manager starts it again a few seconds later, until somebody wants it stopped.
static bool serve_until(struct seed *s, int64_t until_ms)
{
    while (seed_true_ms(s) < until_ms && !s->result->text[0]) {
        int end = live(s, RUN_SERVE);
        if (end < 0)
            return false;
        if (end != LIFE_DONE || seed_true_ms(s) < until_ms)
            sim_loop_advance(s->loop, 1000 + (int64_t)seed_dice(s, 20000));
        if (end != LIFE_DONE || !s->visit)
            continue;
        s->visit = false;
        if (s->revoked)
            zoho_sim_regrant(s->zoho);
        s->revoked = false;
        if (live(s, RUN_OPERATOR) < 0)
            return false;
        seed_event(s, "operator: %llu released, %llu done again", (unsigned long long)s->orders->accepted, (unsigned long long)s->orders->replayed);
    }
    return !s->result->text[0];
}

static void stop_now(void *ctx)
{
    struct seed *s = ctx;
    s->orders->stop = 1;
}

// A life without faults; an error of the program is a violation.
static bool calm(struct seed *s, enum life_kind kind, const char *what)
{
    int end = live(s, kind);
    return end == LIFE_DONE || seed_violated(s, "works when nothing is wrong", "%s fails: %s", what, s->orders->error);
}

static bool two_polls(struct seed *s)
{
    people_last_changes(s);
    sim_loop_at(s->loop, 2 * HOUR_MS + 2 * 16 * MINUTE_MS + 5 * MINUTE_MS, stop_now, s); // every hour, its jitter, a service that oversleeps, settling
    return calm(s, RUN_SERVE, "the service");
}

static bool quiet_end(struct seed *s)
{
    trouble_stop(s);
    seed_event(s, "the faults stop");
    if (!two_polls(s) || !calm(s, RUN_OPERATOR, "the operator's visit"))
        return false;
    if (s->beyond && !calm(s, RUN_RECONCILE, "reconcile"))
        return false;
    if (s->beyond)
        seed_event(s, "reconcile marked %llu", (unsigned long long)s->orders->marked);
    if ((s->beyond || s->orders->accepted || s->orders->replayed) && !two_polls(s))
        return false;
    return judge_end(s);
}

/* ---- the seed ---- */

static void prepare(struct seed *s)
{
    int64_t dst = s->setup->seed % 2 ? AUTUMN_MS : SPRING_MS, span = (int64_t)s->setup->days * DAY_MS;
    s->random = s->setup->seed * 0x9e3779b97f4a7c15u + 1;
    s->refusals = s->random ^ 0x5bd1e995;
    s->start_ms = dst - span / 4 - (int64_t)seed_dice(s, (uint64_t)(span / 2));
    s->end_ms = s->start_ms + span;
    s->beyond = s->setup->seed % 4 == 3;
    s->loop = sim_loop_new(s->start_ms, s->setup->seed);
    sim_loop_world(s->loop, &s->w);
    (void)snprintf(s->root, sizeof s->root, "%.590s", s->setup->dir);
    (void)snprintf(s->state, sizeof s->state, "%s/state", s->root);
    (void)snprintf(s->image, sizeof s->image, "%s.mlcb", s->root);
    (void)snprintf(s->log, sizeof s->log, "%s.log", s->root);
    (void)snprintf(s->domain, sizeof s->domain, "https://www.zohoapis.com");
    tree_gone(s->state);
    (void)unlink(s->log);
    (void)mkdir(s->root, 0700);
    s->sh->random = s->setup->seed + 77;
    s->sh->counting = s->sh->seek = true;
    s->sh->trace = s->setup->tell && getenv("SIM_CALLS");
    s->sh->seek_class = -1;
}

static bool play(struct seed *s)
{
    if (!seed_install(s, 0) || !models(s))
        return false;
    s->net = net_server_new(s->loop, s->sh);
    net_server_before(s->net, take_log, s);
    if (!calm(s, RUN_PREPARE, "mlcd prepare"))
        return false;
    s->sh->armed = true;
    wind(s);
    return serve_until(s, s->end_ms) && quiet_end(s);
}

static int64_t real_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void tell_end(struct seed *s)
{
    struct run_result *r = s->result;
    r->trace = sim_loop_trace(s->loop);
    r->requests = sim_loop_requests(s->loop);
    r->virtual_ms = seed_true_ms(s) - s->start_ms;
    if (r->passed || s->setup->tell || s->setup->plant)
        return;
    uint64_t from = s->nevents > 40 ? s->nevents - 40 : 0;
    char text[40 * sizeof s->events[0]];
    size_t n = 0;
    for (uint64_t i = from; i < s->nevents; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "    %s\n", s->events[i % RUN_EVENTS]);
    fprintf(stdout, "  seed %llu, the last events:\n%s", (unsigned long long)s->setup->seed, text);
    fflush(stdout);
}

void seed_play(const struct run_setup *setup, struct run_result *r)
{
    struct seed *s = calloc(1, sizeof *s);
    int64_t began = real_ms();
    void *shared = mmap(NULL, sizeof *s->sh, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    void *orders = mmap(NULL, sizeof *s->orders, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!s || shared == MAP_FAILED || orders == MAP_FAILED)
        abort();
    s->setup = setup;
    s->result = r;
    s->sh = shared;
    s->orders = orders;
    s->platter = platter_new();
    prepare(s);
    s->door = door_open(s);
    r->passed = play(s);
    tell_end(s);
    r->real_ms = real_ms() - began;
    net_server_free(s->net);
    door_close(s->door);
    zoho_sim_close(s->zoho);
    sage_sim_free(s->sage);
    sim_loop_free(s->loop);
    platter_free(s->platter);
    munmap(shared, sizeof *s->sh);
    munmap(orders, sizeof *s->orders);
    if (r->passed || !s->setup->tell) { // else to be looked at
        tree_gone(s->root);
        (void)unlink(s->image);
    }
    if (r->passed)
        (void)unlink(s->log);
    free(s);
    r->done = true;
}
