/* limits.c - what we may spend: credits in rolling windows, concurrency by edition, slowing down after a 429 (facts/zoho-crm.md 8).
 *
 * Credits are counted when a call leaves. The windows are saved as text in the state "zoho.credits" every 200 credits or half a minute:
 * a crash forgets at most that much. Three things stop a call before it costs anything:
 *     budget      our own (`budget 40_000 per 1d`): ERR_BUDGET
 *     remaining   what Zoho said is left, less what we spent since: ERR_BUDGET; the word of Zoho is trusted for a quarter of an hour
 *     spent       429s for five minutes without one success: the credits of the day are gone: ERR_BUDGET for a quarter of an hour */
#include "connectors/zoho/zoho.h"
#include <stdio.h>

#define DAY_MS           86400000
#define SAVE_EVERY       200
#define SAVE_AFTER_MS    30000
#define TRUST_MS         900000
#define QUIET_MIN_MS     1000
#define QUIET_MAX_MS     60000
#define SPENT_AFTER_MS   300000
#define SPENT_HOLD_MS    900000

/* A count that stands there and cannot be read for once is not begun anew: the budget would not be kept. */
static enum err load_windows(struct target *t, struct fault *f)
{
    struct arena a;
    struct str text;
    arena_init(&a, 4096);
    enum err err = t->env->load ? t->env->load(t->env->ctx, "zoho.credits", &a, &text) : ERR_NOT_FOUND;
    if (err == ERR_OK) {
        const char *line = text.n ? memchr(text.p, '\n', text.n) : NULL;
        size_t n = line ? (size_t)(line - text.p) : text.n;
        bool good = net_window_parse(&t->limits.credits, (struct str){text.p, n});
        if (good && line) good = net_window_parse(&t->limits.budget, (struct str){line + 1, text.n - n - 1});
        if (!good) log_warn("%s: the saved count of credits cannot be read; counting starts anew", t->pool);
    }
    arena_free(&a);
    return err == ERR_IO ? fault_set(f, ERR_IO, "the saved count of credits cannot be read") : ERR_OK;
}

static void save_windows(struct target *t)
{
    struct buf out = {0};
    struct fault f = {ERR_OK, ""};
    net_window_print(&out, &t->limits.credits);
    buf_byte(&out, '\n');
    net_window_print(&out, &t->limits.budget);
    if (t->env->save && t->env->save(t->env->ctx, "zoho.credits", buf_view(&out), &f) != ERR_OK)
        log_warn("%s: the count of credits cannot be saved: %s", t->pool, f.text);
    buf_free(&out);
    t->limits.unsaved = 0;
    t->limits.saved_at_ms = zoho__mono(t);
}

enum err zoho__limits_open(struct target *t, struct fault *f)
{
    struct zoho_limits *l = &t->limits;
    int64_t per = conn_setting_ms(t->env, "budget.per", DAY_MS);
    net_window_init(&l->credits, DAY_MS);
    net_window_init(&l->budget, per > 0 ? per : DAY_MS);
    l->budget_calls = conn_setting_int(t->env, "budget.calls", 0);
    l->remaining = -1;
    int64_t writers = conn_setting_int(t->env, "writers", 0);
    l->writers = writers <= 0 ? 0 : writers < ZOHO_WRITERS ? (unsigned)writers : ZOHO_WRITERS;
    l->saved_at_ms = zoho__mono(t);
    return load_windows(t, f);
}

void zoho__limits_close(struct target *t)
{
    if (t->limits.unsaved != 0) save_windows(t);
}

int64_t zoho__quiet_ms(const struct target *t)
{
    int64_t left = t->limits.quiet_until_ms - zoho__mono(t);
    return left > 0 ? left : 0;
}

/* Two places stay free for reads and for people's own programs; writers above the edition's calls would only earn 429s. */
unsigned zoho__writers(const struct target *t)
{
    unsigned calls = zoho__editions[t->edition].calls, most = calls - 2 < ZOHO_WRITERS ? calls - 2 : ZOHO_WRITERS;
    unsigned wanted = t->limits.writers ? t->limits.writers : ZOHO_WRITERS_USUAL;
    return wanted < most ? wanted : most;
}

static enum err budget_left(struct target *t, int64_t cost, struct fault *f)
{
    struct zoho_limits *l = &t->limits;
    int64_t now = zoho__mono(t);
    if (l->spent_until_ms > now)
        return fault_set(f, ERR_BUDGET, "Zoho has refused every call for minutes (429): the credits of the last 24 hours are spent; "
                         "next try in %lld s", (long long)((l->spent_until_ms - now + 999) / 1000));
    if (l->remaining >= 0 && now - l->remaining_at_ms < TRUST_MS && l->remaining < cost)
        return fault_set(f, ERR_BUDGET, "Zoho says that only %lld credits are left in the rolling 24 hours; next try in %lld s",
                         (long long)l->remaining, (long long)((l->remaining_at_ms + TRUST_MS - now + 999) / 1000));
    int64_t used = net_window_sum(&l->budget, zoho__wall(t));
    if (l->budget_calls > 0 && used + cost > l->budget_calls)
        return fault_set(f, ERR_BUDGET, "the budget of %lld credits is used up (%lld spent); raise `budget` or wait until the window moves on",
                         (long long)l->budget_calls, (long long)used);
    return ERR_OK;
}

enum err zoho__limits_take(struct target *t, int64_t cost, struct fault *f)
{
    struct zoho_limits *l = &t->limits;
    enum err e = budget_left(t, cost, f);
    if (e != ERR_OK) return e;
    int64_t quiet = zoho__quiet_ms(t);
    if (quiet > 0)
        return fault_set(f, ERR_BUSY, "Zoho asked us to slow down; next call in %lld ms", (long long)quiet);
    net_window_add(&l->credits, zoho__wall(t), cost);
    net_window_add(&l->budget, zoho__wall(t), cost);
    if (l->remaining >= 0) l->remaining -= cost;
    l->unsaved += cost;
    l->calls++;
    if (l->unsaved >= SAVE_EVERY || zoho__mono(t) - l->saved_at_ms > SAVE_AFTER_MS) save_windows(t);
    return ERR_OK;
}

void zoho__limits_give_back(struct target *t, int64_t cost)
{
    net_window_add(&t->limits.credits, zoho__wall(t), -cost);
    net_window_add(&t->limits.budget, zoho__wall(t), -cost);
    t->limits.unsaved += cost;
}

static void slow_down(struct target *t, const struct http_res *res)
{
    struct zoho_limits *l = &t->limits;
    int64_t now = zoho__mono(t), asked = net_retry_after_ms(res, zoho__wall(t));
    l->throttles++;
    if (l->quiet_until_ms <= now || l->quiet_ms == 0) {      /* several 429s of one burst count as one step */
        l->quiet_ms = net_jitter(t->env->world, QUIET_MIN_MS, QUIET_MAX_MS, l->quiet_ms ? l->quiet_ms : QUIET_MIN_MS);
        l->quiet_until_ms = now + l->quiet_ms;
    }
    if (asked > 0 && now + asked > l->quiet_until_ms) l->quiet_until_ms = now + asked;
    if (l->throttled_since_ms == 0) {
        l->throttled_since_ms = now ? now : 1;
        zoho__note(t, "CALL", "429: slowing down");
    } else if (l->spent_until_ms != 0) {                    /* the try after a hold: no better */
        l->spent_until_ms = now + SPENT_HOLD_MS;
    } else if (now - l->throttled_since_ms > SPENT_AFTER_MS) {
        l->spent_until_ms = now + SPENT_HOLD_MS;
        zoho__note(t, "CALL", "429 for five minutes: the credits are taken for spent");
    }
}

void zoho__limits_answer(struct target *t, const struct http_res *res)
{
    struct zoho_limits *l = &t->limits;
    if (res->outcome != HTTP_ANSWERED) return;
    int64_t left;
    const char *header = http_header_get(res, "x-api-credits-remaining");
    if (header && str_to_i64(str_trim(str_of(header)), &left)) {
        l->remaining = left;
        l->remaining_at_ms = zoho__mono(t);
    }
    if (res->status == 429) {
        slow_down(t, res);
    } else if (res->status < 500) {
        l->quiet_ms = 0;
        l->throttled_since_ms = 0;
        l->spent_until_ms = 0;
    }
}
