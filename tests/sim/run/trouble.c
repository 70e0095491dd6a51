/*
 * trouble.c: what goes wrong. Network faults are rules of the models, armed by the timer and counted when they strike; crashes and disk errors are armed
 * in the shared memory of the crash harness's wraps, for one of the next calls of a class; clocks, grants and servers change at once.
 */
#include "run.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };

#define WRITES "\"path_regex\":\"^/crm/v8/(Accounts|Contacts|Products|Sales_Orders)$\""

static void rule(struct seed *s, enum hit tag, const char *match, const char *action)
{
    char json[500], why[200];
    (void)snprintf(json, sizeof json, "[{\"match\":{%s},\"tag\":%d,%s}]", match, (int)tag, action);
    if (!zoho_sim_faults(s->zoho, json, why, sizeof why))
        (void)seed_violated(s, "stage", "%s: %s", json, why);
}

// Of a write: mostly an update, of any module.
static void write_rule(struct seed *s, enum hit tag, const char *action)
{
    char match[160];
    (void)snprintf(match, sizeof match, "\"method\":\"%s\"," WRITES, seed_chance(s, 750) ? "PUT" : "POST");
    rule(s, tag, match, action);
}

static void any_rule(struct seed *s, enum hit tag, const char *action)
{
    if (seed_chance(s, 600))
        write_rule(s, tag, action);
    else
        rule(s, tag, "\"path_regex\":\"^/crm/v8/\"", action);
}

/* ---- Zoho and the way to it ---- */

static void timeout_before(struct seed *s) { any_rule(s, HIT_TIMEOUT_BEFORE, "\"do\":\"timeout_before\",\"delay_ms\":400000"); }
static void timeout_after(struct seed *s) { any_rule(s, HIT_TIMEOUT_AFTER, "\"do\":\"timeout_after\",\"delay_ms\":400000"); }
static void lost(struct seed *s) { any_rule(s, HIT_LOST, "\"do\":\"drop_after\",\"delay_ms\":900"); }
static void dropped(struct seed *s) { any_rule(s, HIT_DROPPED, "\"do\":\"drop_before\",\"delay_ms\":50"); }
static void cut_body(struct seed *s) { any_rule(s, HIT_CUT_BODY, "\"do\":\"cut_body\""); }
static void truncated(struct seed *s) { any_rule(s, HIT_TRUNCATED, "\"do\":\"truncated_json\""); }
static void wrong_length(struct seed *s) { write_rule(s, HIT_WRONG_LENGTH, "\"do\":\"wrong_length\""); }
static void same_id(struct seed *s) { write_rule(s, HIT_SAME_ID, "\"do\":\"same_id\""); }
// Of updates, which carry ids: that inserts are answered in order is all a client has (facts/zoho-crm.md 4.2).
static void reversed(struct seed *s) { rule(s, HIT_REVERSED, "\"method\":\"PUT\"," WRITES, "\"do\":\"reversed\""); }
static void expired(struct seed *s) { any_rule(s, HIT_EXPIRED, "\"do\":\"expire_token\""); }
static void revoked(struct seed *s) { rule(s, HIT_REVOKED, "\"path_regex\":\"^/crm/v8/\"", "\"do\":\"revoke\""); }

static void after(struct seed *s, enum hit tag, const char *what, int64_t from_ms, int64_t to_ms)
{
    char action[160];
    (void)snprintf(action, sizeof action, "\"do\":\"%s\",\"delay_ms\":%d,\"apply_after_ms\":%lld", what, (int)seed_dice(s, 3000),
                   (long long)(from_ms + (int64_t)seed_dice(s, (uint64_t)(to_ms - from_ms))));
    write_rule(s, tag, action);
}

// The engine settles for two minutes (docs/connectors/zoho.md).
static void late(struct seed *s) { after(s, HIT_LATE, "apply_late", 3500, 100000); }
static void again(struct seed *s) { after(s, HIT_AGAIN, "apply_again", 3500, 100000); }

static void beyond(struct seed *s)
{
    if (s->beyond && s->end_ms - seed_true_ms(s) > 8 * HOUR_MS)
        after(s, seed_chance(s, 500) ? HIT_LATE_BEYOND : HIT_AGAIN_BEYOND, s->random & 64 ? "apply_late" : "apply_again", 5 * MINUTE_MS, 6 * HOUR_MS);
}

static void garbage(struct seed *s)
{
    any_rule(s, HIT_GARBAGE, seed_chance(s, 400)   ? "\"do\":\"html_200\",\"applied\":true"
                             : seed_chance(s, 400) ? "\"do\":\"html_200\""
                             : seed_chance(s, 500) ? "\"do\":\"wrong_shape\""
                                                   : "\"do\":\"empty_body\"");
}

static void status_5xx(struct seed *s)
{
    static const char *const actions[] = {"\"do\":\"500\"", "\"do\":\"502\"", "\"do\":\"503\"", "\"do\":\"504\"", "\"do\":\"html_503\""};
    any_rule(s, HIT_STATUS_5XX, actions[seed_dice(s, 5)]);
}

static void status_5xx_after(struct seed *s)
{
    write_rule(s, HIT_STATUS_5XX_AFTER, seed_chance(s, 500) ? "\"do\":\"500\",\"applied\":true" : "\"do\":\"html_502\",\"applied\":true");
}

static void partial(struct seed *s)
{
    static const char *const codes[] = {"INTERNAL_ERROR", "RECORD_LOCKED", "INVALID_DATA"};
    char action[120];
    uint64_t which = seed_dice(s, 3);
    (void)snprintf(action, sizeof action, "\"do\":\"%s\",\"index\":%d,\"field\":\"%s\"", codes[which], (int)seed_dice(s, 3), which == 2 ? "Description" : "id");
    write_rule(s, HIT_PARTIAL, action);
}

static void too_many(struct seed *s)
{
    char action[120], date[40];
    time_t then = (time_t)(seed_true_ms(s) / 1000 + 30 + (int64_t)seed_dice(s, 600));
    struct tm tm;
    static const char *const absurd[] = {"-5", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "1e9", "0", "99999999999"};
    switch (seed_dice(s, 4)) {
    case 0:
        (void)snprintf(action, sizeof action, "\"do\":\"429\",\"retry_after\":%d", 1 + (int)seed_dice(s, 300));
        any_rule(s, HIT_WAIT_SECONDS, action);
        break;
    case 1:
        gmtime_r(&then, &tm);
        (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        (void)snprintf(action, sizeof action, "\"do\":\"429\",\"retry_after\":\"%s\"", date);
        any_rule(s, HIT_WAIT_DATE, action);
        break;
    case 2: any_rule(s, HIT_WAIT_NONE, "\"do\":\"429\""); break;
    default: // the last one is believed for an hour: not when it might still be in force when the faults stop
        (void)snprintf(action, sizeof action, "\"do\":\"429\",\"retry_after\":\"%s\"", absurd[seed_dice(s, s->end_ms - seed_true_ms(s) > 2 * HOUR_MS ? 6 : 5)]);
        any_rule(s, HIT_WAIT_ABSURD, action);
    }
}

static void lost_refresh(struct seed *s)
{
    rule(s, HIT_LOST_REFRESH, "\"path_regex\":\"/oauth/v2/token\"", seed_chance(s, 600) ? "\"do\":\"drop_after\",\"delay_ms\":700" : "\"do\":\"truncated_json\"");
    zoho_sim_expire_tokens(s->zoho);
}

static void change_domain(struct seed *s)
{
    if (strstr(s->domain, ".eu"))
        return;
    (void)snprintf(s->domain, sizeof s->domain, "https://www.zohoapis.eu");
    rule(s, HIT_DOMAIN, "\"path_regex\":\"^/crm/v8/\"", "\"do\":\"change_api_domain\",\"to\":\"https://www.zohoapis.eu\"");
}

static void down(struct seed *s)
{
    static const char *const hosts[] = {"https://erp.test", "https://www.zohoapis.com", "https://accounts.zoho.com", "https://www.zohoapis.eu"};
    if (s->down)
        return;
    s->down = hosts[seed_dice(s, 4)];
    s->restore_ms = seed_true_ms(s) + (1 + (int64_t)seed_dice(s, 200)) * MINUTE_MS;
    s->refused_seen = sim_loop_refused(s->loop);
    sim_loop_down(s->loop, s->down, true);
    seed_event(s, "%s is down", s->down);
}

static void up(struct seed *s)
{
    if (!s->down)
        return;
    uint64_t refused = sim_loop_refused(s->loop) - s->refused_seen;
    s->result->hits[strcmp(s->down, "https://erp.test") == 0 ? HIT_SAGE_DOWN : HIT_CONNECT] += (uint32_t)refused;
    sim_loop_down(s->loop, s->down, false);
    seed_event(s, "%s is there again, %llu requests were refused", s->down, (unsigned long long)refused);
    s->down = NULL;
}

/* ---- the agent ---- */

static void agent(struct seed *s, enum hit tag, const char *kind, const char *code, int64_t delay_ms)
{
    struct sage_fault f = {.on = "agent", .kind = kind, .times = 1, .code = code, .retry_after_s = seed_chance(s, 500) ? 3 : 0, .delay_ms = delay_ms, .tag = (int)tag};
    if (!sage_sim_fault(s->sage, &f))
        (void)seed_violated(s, "stage", "the agent has no fault %s %s", kind, code ? code : "");
}

static void sage_dropped(struct seed *s) { agent(s, HIT_SAGE_DROPPED, seed_chance(s, 500) ? "drop_after" : "drop_before", NULL, 300); }
static void sage_cut(struct seed *s) { agent(s, HIT_SAGE_CUT, seed_chance(s, 500) ? "cut" : "truncate", NULL, 0); }
static void sage_garbage(struct seed *s) { agent(s, HIT_SAGE_GARBAGE, seed_chance(s, 500) ? "garbage" : "empty", NULL, 0); }
static void sage_slow(struct seed *s) { agent(s, HIT_SAGE_SLOW, "delay", NULL, 900000); }

static void sage_busy(struct seed *s)
{
    static const char *const codes[] = {"busy", "session_failed", "slow_down"};
    agent(s, HIT_SAGE_BUSY, "status", codes[seed_dice(s, 3)], 0);
}

static void sage_short(struct seed *s)
{
    struct sage_fault f = {.on = "changed", .kind = seed_chance(s, 500) ? "short_page" : "empty_page", .times = 1 + (int)seed_dice(s, 2), .tag = HIT_SAGE_SHORT};
    (void)sage_sim_fault(s->sage, &f);
}

static void epoch(struct seed *s)
{
    (void)sage_sim_renew_epoch(s->sage, "ABC");
    seed_hit(s, HIT_EPOCH);
    seed_event(s, "sage: a new epoch");
}

void trouble_told(void *ctx, int tag)
{
    struct seed *s = ctx;
    seed_hit(s, (enum hit)tag);
    seed_event(s, "strikes: %s", hit_text[tag]);
    if (tag == HIT_REVOKED)
        s->revoked = true;
}

/* ---- clocks, specs, stops ---- */

static void jump(struct seed *s)
{
    int64_t by = seed_chance(s, 300) ? (int64_t)seed_dice(s, 90000) : (int64_t)seed_dice(s, 3 * HOUR_MS);
    if (s->jumped_ms)
        by = -s->jumped_ms; // somebody sets it right
    else if (seed_chance(s, 500))
        by = -by;
    sim_loop_jump_wall(s->loop, by);
    s->jumped_ms += by;
    seed_hit(s, by < 0 ? HIT_BACK : HIT_FORWARD);
    seed_event(s, "the program's clock jumps by %lld s", (long long)(by / 1000));
}

bool seed_install(struct seed *s, unsigned spec)
{
    char temporary[720], bytes[65536];
    (void)snprintf(temporary, sizeof temporary, "%s.new", s->image);
    FILE *in = fopen(s->setup->image[spec], "r"), *out = fopen(temporary, "w");
    size_t n = 0;
    bool ok = in && out;
    while (ok && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        ok = fwrite(bytes, 1, n, out) == n;
    if (in)
        fclose(in);
    ok = out && fclose(out) == 0 && ok && rename(temporary, s->image) == 0;
    s->spec = spec;
    return ok || seed_violated(s, "stage", "the compiled spec %s cannot be installed", s->setup->image[spec]);
}

static void new_spec(struct seed *s)
{
    (void)seed_install(s, 1 - s->spec);
    s->orders->reload = seed_chance(s, 700);
    s->orders->stop = !s->orders->reload;
    seed_hit(s, HIT_NEW_SPEC);
    seed_event(s, "spec %u is installed", s->spec);
}

static void stop(struct seed *s)
{
    s->orders->stop = 1;
    seed_hit(s, HIT_STOPPED);
}

static void call_operator(struct seed *s)
{
    s->visit = true;
    s->orders->stop = 1;
}

/* ---- crashes and disk errors ---- */

static const struct {
    enum fault_kind kind;
    int cls; // enum io_class, -1: any
    enum hit hit;
    unsigned weight;
} crashes[] = {
    {FAULT_KILL_BEFORE, IO_SYNCS, HIT_KILLED, 3},       {FAULT_KILL_AFTER, IO_WRITES, HIT_KILLED, 3},      {FAULT_KILL_AFTER, IO_WAITS, HIT_KILLED, 2},
    {FAULT_KILL_BEFORE, IO_NAMES, HIT_KILLED, 1},       {FAULT_TORN_KILL, -1, HIT_TORN, 2},                {FAULT_TORN_CUT, -1, HIT_TORN, 2},
    {FAULT_CUT_BEFORE, IO_SYNCS, HIT_POWER, 2},         {FAULT_CUT_AFTER, IO_WRITES, HIT_POWER, 2},        {FAULT_CUT_AFTER, IO_SENDS, HIT_POWER, 3},
    {FAULT_CUT_AFTER, IO_NAMES, HIT_POWER, 2},          {FAULT_SHUFFLE_BEFORE, -1, HIT_SHUFFLED, 3},       {FAULT_SHUFFLE_AFTER, IO_WRITES, HIT_SHUFFLED, 2},
    {FAULT_SHUFFLE_AFTER, IO_SENDS, HIT_SHUFFLED, 2},   {FAULT_KILL_AFTER, IO_SENDS, HIT_KILLED_SENDING, 3}, {FAULT_LATE, IO_SENDS, HIT_KILLED_SENDING, 3},
    {FAULT_EIO, IO_SYNCS, HIT_EIO, 2},                  {FAULT_EIO, IO_WRITES, HIT_EIO, 2},                {FAULT_EIO, IO_READS, HIT_EIO, 1},
    {FAULT_EIO_LASTING, IO_WRITES, HIT_EIO_LASTING, 2}, {FAULT_ENOSPC, IO_WRITES, HIT_ENOSPC, 2},          {FAULT_ENOSPC_LASTING, IO_WRITES, HIT_ENOSPC_LASTING, 2},
    {FAULT_SHORT, -1, HIT_SHORT_WRITE, 2},              {FAULT_EINTR, IO_WRITES, HIT_SHORT_WRITE, 2},      {FAULT_REFUSED, IO_SENDS, HIT_CONNECT, 1},
    {FAULT_RESET, IO_SENDS, HIT_DROPPED, 1},            {FAULT_LOST, IO_SENDS, HIT_LOST, 2},
};

static void arm(struct seed *s)
{
    struct crash_shared *sh = s->sh;
    unsigned sum = 0, at = 0;
    if (sh->fault[0].kind != FAULT_NONE)
        return;
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sum += crashes[i].weight;
    uint64_t dice = seed_dice(s, sum);
    for (unsigned left = 0; at < sizeof crashes / sizeof *crashes; at++)
        if ((left += crashes[at].weight) > dice)
            break;
    sh->seek_class = crashes[at].cls;
    sh->hit[0] = false;
    sh->fault[0] = (struct crash_fault){sh->calls + seed_dice(s, 120), crashes[at].kind, s->random};
    seed_event(s, "armed: %s", fault_text[crashes[at].kind]);
}

// Some 20,000 allocations are a few hours of the program's work.
static void arm_memory(struct seed *s)
{
    struct crash_shared *sh = s->sh;
    uint64_t dice = crash_random(&s->refusals);
    if (sh->fault[0].kind != FAULT_NONE || dice % 10000 >= 150)
        return;
    enum fault_kind kind = dice & 1 << 20 ? FAULT_MEMORY : FAULT_MEMORY_LASTING;
    sh->hit[0] = false;
    sh->fault[0] = (struct crash_fault){.call = sh->mallocs + 1 + (dice >> 24) % 20000, .kind = kind};
    seed_event(s, "armed: %s", fault_text[kind]);
}

// What struck is counted, and the next may be armed.
static void struck(struct seed *s)
{
    struct crash_shared *sh = s->sh;
    if (sh->fault[0].kind == FAULT_NONE || !sh->hit[0])
        return;
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        if (crashes[i].kind == sh->fault[0].kind && crashes[i].cls == sh->seek_class) {
            seed_hit(s, crashes[i].hit);
            break;
        }
    if (sh->fault[0].kind == FAULT_MEMORY || sh->fault[0].kind == FAULT_MEMORY_LASTING)
        seed_hit(s, HIT_MEMORY);
    if (sh->fault[0].kind == FAULT_LATE)
        s->on_its_way_ms = seed_true_ms(s) + 10100;
    seed_event(s, "struck: %s", fault_text[sh->fault[0].kind]);
    sh->fault[0].kind = FAULT_NONE;
}

void trouble_life_over(struct seed *s, int how)
{
    (void)how;
    struck(s);
}

/* ---- a few minutes ---- */

void trouble_turn(struct seed *s)
{
    static const struct {
        unsigned per_10000;
        void (*act)(struct seed *);
    } acts[] = {{17, timeout_before}, {17, timeout_after}, {25, lost},     {17, dropped},  {17, late},         {17, again},        {40, beyond},       {17, cut_body},
                {17, truncated},      {20, garbage},       {20, status_5xx}, {17, status_5xx_after}, {30, partial}, {17, wrong_length}, {12, reversed},   {50, too_many},
                {17, expired},        {3, revoked},        {10, lost_refresh}, {2, change_domain}, {12, down},   {12, sage_dropped}, {12, sage_cut},     {12, sage_garbage},
                {17, sage_busy},      {8, sage_slow},      {12, sage_short}, {3, epoch},    {12, jump},         {6, new_spec},      {8, stop},          {70, arm},
                {17, same_id}};
    struck(s);
    if (s->down && seed_true_ms(s) >= s->restore_ms)
        up(s);
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (seed_dice(s, 10000) < acts[i].per_10000)
            acts[i].act(s);
    if (s->setup->memory)
        arm_memory(s);
    if (seed_dice(s, 10000) < (s->revoked ? 300 : 12))
        call_operator(s);
}

void trouble_stop(struct seed *s)
{
    struck(s);
    up(s);
    zoho_sim_faults_clear(s->zoho);
    sage_sim_clear_faults(s->sage);
    zoho_sim_regrant(s->zoho);
    s->revoked = false;
    sim_loop_jump_wall(s->loop, -s->jumped_ms);
    s->jumped_ms = 0;
    s->sh->armed = false;
    s->sh->fault[0].kind = FAULT_NONE;
    s->over = true;
}
