/*
 * zoho_watch_test.c: notification channels of the model of Zoho, row by row of facts/zoho-crm.md 11.
 */
#include "zoho_check.h"

#include <time.h>

#define WATCH "/crm/v8/actions/watch"
#define IN_DAYS(n) (s->now_ms + (int64_t)(n) * 24 * 3600 * 1000)

struct heard {
    int n;
    char url[200], body[4000];
};

static void hear(void *ctx, const char *url, const char *body)
{
    struct heard *h = ctx;
    h->n++;
    snprintf(h->url, sizeof h->url, "%s", url);
    snprintf(h->body, sizeof h->body, "%s", body);
}

static const char *time_text(int64_t ms)
{
    static char out[4][40];
    static unsigned turn;
    char *o = out[turn++ % 4];
    time_t t = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(o, sizeof out[0], "%Y-%m-%dT%H:%M:%S+00:00", &tm);
    return o;
}

static const char *channel(const char *id, const char *events, int64_t until_ms, const char *more)
{
    static char out[1000];
    int n = snprintf(out, sizeof out, "{\"watch\":[{\"channel_id\":\"%s\",\"events\":[%s],\"notify_url\":\"https://here.example/n\",\"token\":\"secret\"", id,
                     events);
    if (until_ms)
        n += snprintf(out + n, sizeof out - (size_t)n, ",\"channel_expiry\":\"%s\"", time_text(until_ms));
    snprintf(out + n, sizeof out - (size_t)n, "%s}]}", more);
    return out;
}

// Seconds from now on that the last answer grants.
static int64_t granted_s(const struct stand *s)
{
    const char *t = json_string_value(at(s->body, "watch.0.details.events.0.channel_expiry"));
    int y, mo, d, h, mi, sec, oh = 0, om = 0;
    char sign = '+';
    if (!t || strlen(t) < 25)
        return -1;
    y = (int)strtol(t, NULL, 10), mo = (int)strtol(t + 5, NULL, 10), d = (int)strtol(t + 8, NULL, 10), h = (int)strtol(t + 11, NULL, 10);
    mi = (int)strtol(t + 14, NULL, 10), sec = (int)strtol(t + 17, NULL, 10), sign = t[19], oh = (int)strtol(t + 20, NULL, 10), om = (int)strtol(t + 23, NULL, 10);
    struct tm tm = {.tm_year = y - 1900, .tm_mon = mo - 1, .tm_mday = d, .tm_hour = h, .tm_min = mi, .tm_sec = sec};
    int64_t offset = (oh * 60 + om) * 60;
    return (int64_t)timegm(&tm) - (sign == '-' ? -offset : offset) - s->now_ms / 1000;
}

static void test_making(struct stand *s)
{
    expect(s, "made", call(s, "POST", WATCH, channel("1000000068001", "\"Accounts.all\",\"Deals.edit\"", IN_DAYS(2), "")) == 201);
    expect(s, "both events are told", length(s, "watch.0.details.events") == 2 && is_text(s, "watch.0.details.events.1.resource_name", "Deals"));
    expect(s, "what was asked for is granted", granted_s(s) == 2 * 24 * 3600);
    expect(s, "beyond a week: one hour", call(s, "POST", WATCH, channel("2", "\"Deals.all\"", IN_DAYS(8), "")) == 201 && granted_s(s) == 3600);
    expect(s, "without a time: one hour", call(s, "POST", WATCH, channel("3", "\"Deals.all\"", 0, "")) == 201 && granted_s(s) == 3600);
    zoho_sim_switch(s->sim, "watch_grant_s", 900);
    expect(s, "granted less", call(s, "POST", WATCH, channel("4", "\"Deals.all\"", IN_DAYS(2), "")) == 201 && granted_s(s) == 900);
    zoho_sim_switch(s->sim, "watch_grant_s", 0);
    expect(s, "a number as id", call(s, "POST", WATCH, "{\"watch\":[{\"channel_id\":5,\"events\":[\"Deals.edit\"],\"notify_url\":\"https://x.example\"}]}") == 201);
    expect(s, "listed", call(s, "GET", WATCH, NULL) == 200 && length(s, "watch") == 5);
    expect(s, "by module", call(s, "GET", WATCH "?module=Accounts", NULL) == 200 && length(s, "watch") == 1 && is_text(s, "watch.0.channel_id", "1000000068001"));
    expect(s, "none of that id", call(s, "GET", WATCH "?channel_id=99", NULL) == 204);
}

static void test_refusals(struct stand *s)
{
    char token[140];
    snprintf(token, sizeof token, ",\"token\":\"%0*d\"", 51, 0);
    expect(s, "a token of 51 characters", call(s, "POST", WATCH, channel("9", "\"Deals.all\"", 0, token)) == 400 && is_text(s, "watch.0.code", "INVALID_DATA"));
    expect(s, "an unknown module", call(s, "POST", WATCH, channel("9", "\"Nothing.all\"", 0, "")) == 400 && is_text(s, "watch.0.details.api_name", "events"));
    expect(s, "an unknown operation", call(s, "POST", WATCH, channel("9", "\"Deals.read\"", 0, "")) == 400);
    expect(s, "no events", call(s, "POST", WATCH, channel("9", "", 0, "")) == 400 && is_text(s, "watch.0.code", "MANDATORY_NOT_FOUND"));
    expect(s, "no list", call(s, "POST", WATCH, "{}") == 400 && is_text(s, "code", "MANDATORY_NOT_FOUND"));
    expect(s, "one good, one bad",
           call(s, "POST", WATCH, "{\"watch\":[{\"channel_id\":\"7\",\"events\":[\"Deals.edit\"],\"notify_url\":\"https://x.example\"},{\"channel_id\":\"8\"}]}") == 207);
    expect(s, "renewing what is not there", call(s, "PATCH", WATCH, "{\"watch\":[{\"channel_id\":\"77\"}]}") == 400 && is_text(s, "watch.0.code", "NOT_SUBSCRIBED"));
    expect(s, "removing what is not there", call(s, "DELETE", WATCH "?channel_ids=77", NULL) == 400);
    expect(s, "removing nothing", call(s, "DELETE", WATCH, NULL) == 400 && is_text(s, "code", "REQUIRED_PARAM_MISSING"));
}

static void test_life(struct stand *s)
{
    char body[300];
    call(s, "POST", WATCH, channel("10", "\"Accounts.all\"", IN_DAYS(1), ""));
    snprintf(body, sizeof body, "{\"watch\":[{\"channel_id\":\"10\",\"channel_expiry\":\"%s\"}]}", time_text(IN_DAYS(3)));
    expect(s, "renewed", call(s, "PATCH", WATCH, body) == 200 && granted_s(s) == 3 * 24 * 3600);
    s->now_ms += INT64_C(3) * 24 * 3600 * 1000 + 1;
    free(s->token);
    s->token = zoho_sim_issue_token(s->sim);
    expect(s, "its time is over", call(s, "PATCH", WATCH, body) == 400 && is_text(s, "watch.0.code", "NOT_SUBSCRIBED"));
    call(s, "POST", WATCH, channel("11", "\"Accounts.all\",\"Deals.all\"", IN_DAYS(1), ""));
    expect(s, "one event off", call(s, "PATCH", WATCH, "{\"watch\":[{\"channel_id\":\"11\",\"events\":[\"Deals.all\"],\"_delete_events\":true}]}") == 200 &&
                                   length(s, "watch.0.details.events") == 1);
    expect(s, "removed", call(s, "DELETE", WATCH "?channel_ids=11", NULL) == 200 && is_text(s, "watch.0.details.channel_id", "11"));
    expect(s, "and gone", zoho_sim_channels(s->sim) == 0);
    call(s, "POST", WATCH, channel("12", "\"Accounts.all\"", IN_DAYS(1), ""));
    zoho_sim_forget_channels(s->sim);
    expect(s, "forgotten", call(s, "PATCH", WATCH, "{\"watch\":[{\"channel_id\":\"12\"}]}") == 400);
}

static void told(const struct heard *h, const char *name, int n, const char *a, const char *b)
{
    check(name, h->n == n && (n == 0 || (strstr(h->body, a) && strstr(h->body, b))), h->body);
}

static void test_telling(struct stand *s)
{
    struct heard h = {0};
    char id[24], id2[24], why[300], target[100];
    zoho_sim_deliver(s->sim, hear, &h);
    call(s, "POST", WATCH, channel("20", "\"Accounts.all\",\"Deals.delete\"", IN_DAYS(1), ""));
    call(s, "POST", "/crm/v8/Accounts", "{\"data\":[{\"Account_Name\":\"One\"},{\"Account_Name\":\"Two\"}],\"trigger\":[]}");
    snprintf(id, sizeof id, "%s", json_string_value(at(s->body, "data.0.details.id")));
    snprintf(id2, sizeof id2, "%s", json_string_value(at(s->body, "data.1.details.id")));
    told(&h, "two records of a call, one notification", 1, id, id2);
    told(&h, "with module and operation", 1, "\"module\":\"Accounts\"", "\"operation\":\"insert\"");
    told(&h, "with channel and token", 1, "\"channel_id\":\"20\"", "\"token\":\"secret\"");
    check("to the address", strcmp(h.url, "https://here.example/n") == 0, h.url);
    zoho_sim_edit(s->sim, "Accounts", id, "{\"Phone\":\"5550100\"}", why, sizeof why);
    told(&h, "a person's change, with the field", 2, "\"operation\":\"update\"", "[\"Phone\"]");
    zoho_sim_edit(s->sim, "Accounts", id, "{\"Phone\":\"5550100\"}", why, sizeof why);
    told(&h, "nothing changed, nothing told", 2, "update", "Phone");
    snprintf(target, sizeof target, "/crm/v8/Accounts/%s", id);
    call(s, "DELETE", target, NULL);
    told(&h, "deleted", 3, "\"operation\":\"delete\"", id);
    char deal[24];
    zoho_sim_seed(s->sim, "Deals", "{\"Deal_Name\":\"D\",\"Stage\":\"Qualification\"}", deal, why, sizeof why);
    zoho_sim_edit(s->sim, "Deals", deal, "{\"Deal_Name\":\"E\"}", why, sizeof why);
    told(&h, "an operation that was not asked for is not told", 3, "Accounts", "delete");
    zoho_sim_delete(s->sim, "Deals", deal, false);
    told(&h, "one that was asked for is", 4, "\"module\":\"Deals\"", deal);
    s->now_ms += INT64_C(25) * 3600 * 1000;
    zoho_sim_edit(s->sim, "Accounts", id2, "{\"Phone\":\"1\"}", why, sizeof why);
    told(&h, "after its time a channel says nothing", 4, "Deals", "delete");
}

int main(void)
{
    void (*tests[])(struct stand *) = {test_making, test_refusals, test_life, test_telling};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        struct stand s;
        stand_open(&s, "enterprise", NULL);
        tests[i](&s);
        stand_close(&s);
    }
    return stand_failed;
}
