/* notify_test.c - notification channels against the model: made, renewed whatever Zoho grants, made again, removed; and what is believed of what comes in. */
#include "rig.h"

static const struct watch_wish WISHES[] = {{{"Accounts", 8}, true}, {{"Deals", 5}, false}};
enum { HOUR = 3600 * 1000 };

static void open_notified(struct rig *r)
{
    rig_open(r, NULL);
    rig_set(r, "notify_url", "https://sync.example/zoho");
    rig_target(r);
}

static enum err turn(struct rig *r, size_t n, struct watch_turn *out)
{
    r->f = (struct fault){ERR_OK, ""};
    return zoho_target_ops.watch(r->t, WISHES, n, &r->arena, out, &r->f);
}

static int64_t calls(struct rig *r, const char *op)
{
    char *text = zoho_sim_counters(r->sim);
    json_t *o = json_loads(text, 0, NULL);
    int64_t n = json_integer_value(json_object_get(json_object_get(o, "calls"), op));
    json_decref(o);
    free(text);
    return n;
}

static void test_life(void)
{
    struct rig r;
    struct watch_turn w;
    open_notified(&r);
    check(turn(&r, 2, &w) == ERR_OK && zoho_sim_channels(r.sim) == 2, "two wishes, two channels", r.f.text);
    check(w.gap && w.nchannels == 2 && w.channels[0].until_wall_ms > r.now + 6 * 24 * (int64_t)HOUR, "nearly a week is granted", "");
    check(w.next_ms <= HOUR, "the next look is within the hour", "");
    check(strstr(r.last_body, "Accounts.all") && strstr(r.last_body, "Deals.delete"), "with the events wished for", r.last_body);
    r.now += w.next_ms;
    check(turn(&r, 2, &w) == ERR_OK && !w.gap && calls(&r, "watch_make") == 1 && calls(&r, "watch_renew") == 0, "an hour later nothing is to be done", "");
    r.now += 4 * 24 * (int64_t)HOUR;
    check(turn(&r, 2, &w) == ERR_OK && !w.gap && calls(&r, "watch_renew") == 1 && calls(&r, "watch_make") == 1, "past half of their time they are renewed", r.f.text);
    check(w.channels[1].until_wall_ms > r.now + 6 * 24 * (int64_t)HOUR, "and live on", "");
    check(turn(&r, 1, &w) == ERR_OK && zoho_sim_channels(r.sim) == 1 && w.nchannels == 1, "what is not wished for any more goes", r.f.text);
    r.stop = 1;
    check(turn(&r, 0, &w) == ERR_OK && zoho_sim_channels(r.sim) == 0, "told to stop, all go", r.f.text);
    r.stop = 0;
    unsigned before = r.requests;
    check(turn(&r, 0, &w) == ERR_OK && r.requests == before, "with none left nothing is asked", "");
    rig_close(&r);
}

/* However little Zoho grants, there is never a time without a channel. */
static void test_short_grants(void)
{
    static const int64_t grants_s[] = {120, 900, 3600, 86400};
    for (size_t i = 0; i < sizeof grants_s / sizeof *grants_s; i++) {
        struct rig r;
        struct watch_turn w = {.next_ms = 0};
        bool held = true, gap = false;
        open_notified(&r);
        zoho_sim_switch(r.sim, "watch_grant_s", grants_s[i]);
        turn(&r, 2, &w);
        for (int64_t end = r.now + grants_s[i] * 5000; r.now < end && held;) {
            r.now += w.next_ms;
            held = zoho_sim_channels(r.sim) == 2 && turn(&r, 2, &w) == ERR_OK;
            gap = gap || w.gap;
        }
        check(held && !gap, arena_printf(&r.arena, "granted %lld s, renewed in time", (long long)grants_s[i]), r.f.text);
        rig_close(&r);
    }
}

static void test_forgotten(void)
{
    struct rig r;
    struct watch_turn w;
    open_notified(&r);
    turn(&r, 2, &w);
    zoho_sim_forget_channels(r.sim);
    r.now += w.next_ms;
    check(turn(&r, 2, &w) == ERR_OK && w.gap && zoho_sim_channels(r.sim) == 2, "forgotten channels are made again, and the gap is told", r.f.text);
    rig_target(&r);
    check(turn(&r, 2, &w) == ERR_OK && !w.gap && calls(&r, "watch_make") == 2, "a restart finds its channels", r.f.text);
    r.now += 8 * 24 * (int64_t)HOUR;
    check(turn(&r, 2, &w) == ERR_OK && w.gap && zoho_sim_channels(r.sim) == 2, "after a week's sleep they are made again", r.f.text);
    /* Renewal races with forgetting: the list still showed it, the renewal says NOT_SUBSCRIBED. */
    r.now += 4 * 24 * (int64_t)HOUR;
    rig_fault(&r, "[{\"match\":{\"method\":\"PATCH\",\"path\":\"/crm/v8/actions/watch\"},\"do\":\"flat_400\",\"code\":\"NOT_SUBSCRIBED\"}]");
    check(turn(&r, 2, &w) == ERR_OK && w.gap && zoho_sim_channels(r.sim) == 2, "NOT_SUBSCRIBED on renewal: made again", r.f.text);
    rig_close(&r);
}

static void test_accidents(void)
{
    static const struct { const char *what, *action; } cases[] = {{"answer lost", "drop_after"}, {"lost on the way", "drop_before"}, {"a 500", "500"},
                                                                  {"a 429", "429"}, {"token died", "401"}, {"answer unreadable", "truncated_json"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        struct watch_turn w;
        open_notified(&r);
        rig_fault(&r, arena_printf(&r.arena, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/actions/watch\"},\"do\":\"%s\"}]", cases[i].action));
        turn(&r, 2, &w);
        rig_target(&r);                                  /* the process died meanwhile */
        r.now += 120000;
        turn(&r, 2, &w);
        check(zoho_sim_channels(r.sim) == 2, arena_printf(&r.arena, "made although %s, and no third one", cases[i].what), r.f.text);
        rig_close(&r);
    }
    struct rig r;
    struct watch_turn w;
    open_notified(&r);
    rig_credentials(&r, "1000.simreadonly");
    check(turn(&r, 2, &w) != ERR_OK && strstr(r.f.text, "SCOPE"), "without the scope it says so", r.f.text);
    rig_close(&r);
}

static void test_told(void)
{
    struct rig r;
    struct str token;
    struct target_told out;
    open_notified(&r);
    check(zoho_target_ops.watch_token(r.t, &r.arena, &token, &r.f) == ERR_OK && token.n == 43, "a token of 256 bits", "");
    struct str again;
    rig_target(&r);
    check(zoho_target_ops.watch_token(r.t, &r.arena, &again, &r.f) == ERR_OK && str_eq(token, again), "the same after a restart", "");
    const struct { const char *what, *body; enum err want; } cases[] = {
        {"ours", "{\"module\":\"Deals\",\"operation\":\"update\",\"ids\":[\"5725767000003000064\",\"2\"],\"token\":\"%s\"}", ERR_OK},
        {"one letter off", "{\"module\":\"Deals\",\"operation\":\"update\",\"ids\":[\"1\"],\"token\":\"%.42s\"}", ERR_PERMISSION},
        {"longer than ours", "{\"module\":\"Deals\",\"operation\":\"update\",\"ids\":[\"1\"],\"token\":\"%sx\"}", ERR_PERMISSION},
        {"without a token", "{\"module\":\"Deals\",\"operation\":\"update\",\"ids\":[\"1\"]}", ERR_PERMISSION},
        {"a token that is a number", "{\"token\":1}", ERR_PERMISSION},
        {"no JSON", "hello", ERR_PROTOCOL},
        {"an array", "[1]", ERR_PROTOCOL},
        {"an unknown operation", "{\"module\":\"Deals\",\"operation\":\"look\",\"ids\":[\"1\"],\"token\":\"%s\"}", ERR_PROTOCOL},
        {"no ids", "{\"module\":\"Deals\",\"operation\":\"delete\",\"token\":\"%s\"}", ERR_PROTOCOL},
        {"an id that is none", "{\"module\":\"Deals\",\"operation\":\"delete\",\"ids\":[\"1,2\"],\"token\":\"%s\"}", ERR_PROTOCOL},
        {"empty", "", ERR_PROTOCOL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *body = arena_printf(&r.arena, "%s", cases[i].body), *hole = strstr(body, "%s");
        if (strstr(body, "%.42s")) body = arena_printf(&r.arena, "{\"module\":\"Deals\",\"operation\":\"update\",\"ids\":[\"1\"],\"token\":\"%.42s\"}", token.p);
        else if (hole) body = arena_printf(&r.arena, "%.*s%s%s", (int)(hole - body), body, token.p, hole + 2);
        struct fault f = {ERR_OK, ""};
        enum err e = zoho_target_ops.told(token, str_of(body), &r.arena, &out, &f);
        check(e == cases[i].want, cases[i].what, f.text);
        if (e == ERR_OK) check(out.what == TOLD_UPDATE && out.nids == 2 && str_is(out.module, "Deals") && str_is(out.ids[0], "5725767000003000064"), "what it names", "");
    }
    check(zoho_target_ops.told((struct str){"", 0}, STR("{\"token\":\"\"}"), &r.arena, &out, &r.f) == ERR_PERMISSION, "an empty secret opens nothing", "");
    rig_close(&r);
}

static void test_ping(void)
{
    struct rig r;
    struct watch_turn w;
    static struct rig_findings found;
    open_notified(&r);
    turn(&r, 2, &w);
    zoho_target_ops.probe(r.t, &(struct finding_sink){rig_finding, &found}, &r.f);
    check(strstr(found.text, "OK notifications: Accounts: until 20") != NULL, "ping shows the channels and their time", found.text);
    zoho_sim_forget_channels(r.sim);
    memset(&found, 0, sizeof found);
    zoho_target_ops.probe(r.t, &(struct finding_sink){rig_finding, &found}, &r.f);
    check(strstr(found.text, "WARN notifications: Deals: Zoho has none any more") != NULL, "and those that Zoho has forgotten", found.text);
    rig_close(&r);
}

int main(void)
{
    test_life();
    test_short_grants();
    test_forgotten();
    test_accidents();
    test_told();
    test_ping();
    return failures != 0;
}
