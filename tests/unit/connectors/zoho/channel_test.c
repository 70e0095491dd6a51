/* channel_test.c - answers about notification channels, the state that is kept of them, and notifications, in every shape but the right one. */
#include "routes.h"

static struct rig r;
#define WATCH "/actions/watch"

static void begin(void)
{
    routes_open(&r, "enterprise");
    rig_set(&r, "notify_url", "https://here.test/zoho");
    rig_target(&r);
}

static const char *watched(const struct watch_wish *wish, size_t n)
{
    struct watch_turn out;
    enum err e = zoho__watch(r.t, wish, n, &r.arena, &out, &r.f);
    char *text = arena_printf(&r.arena, "%s%s", err_name(e), out.gap ? " gap" : "");
    for (size_t i = 0; i < out.nchannels; i++)
        text = arena_printf(&r.arena, "%s %.*s%s=%s", text, (int)out.channels[i].module.n, out.channels[i].module.p, out.channels[i].all ? ".all" : "", out.channels[i].until_wall_ms ? "there" : "none");
    return text;
}

static void is(const char *got, const char *want, const char *name) { check(strcmp(got, want) == 0, name, arena_printf(&r.arena, "%s: %s", got, r.f.text)); }

#define LATER "2030-01-01T00:00:00+00:00"
#define EVENT(until) "{\"status\":\"success\",\"details\":{\"events\":[{\"channel_expiry\":\"" until "\"}]}}"
static const struct watch_wish two[] = {{{"Accounts", 8}, true}, {{"Deals", 5}, false}};

static void test_makings(void)
{
    static const struct { int status; const char *body, *want; } cases[] = {
        {200, "{\"watch\":[" EVENT(LATER) "," EVENT(LATER) "]}", "OK gap Accounts.all=there Deals=there"}, {200, "{\"watch\":[" EVENT(LATER) "]}", "CONFIG gap Accounts.all=there Deals=none"},
        {200, "{\"watch\":[" EVENT("1999-01-01T00:00:00+00:00") "," EVENT("soon") "]}", "CONFIG gap Accounts.all=none Deals=none"}, {200, "{\"watch\":[null,7]}", "CONFIG gap Accounts.all=none Deals=none"},
        {200, "{\"watch\":[{\"code\":\"INVALID_DATA\",\"message\":\"m\"}," EVENT(LATER) "]}", "CONFIG gap Accounts.all=none Deals=there"}, {200, "{\"watch\":{}}", "CONFIG gap Accounts.all=none Deals=none"},
        {200, "[", "CONFIG gap Accounts.all=none Deals=none"}, {204, "", "CONFIG gap Accounts.all=none Deals=none"}, {403, "{\"code\":\"NO_PERMISSION\",\"message\":\"m\"}", "CONFIG gap Accounts.all=none Deals=none"},
        {429, "", "BUSY gap Accounts.all=none Deals=none"}, {500, "", "BUSY gap Accounts.all=none Deals=none"}, {200, "{\"watch\":[{\"details\":{\"events\":{}}},{\"details\":[]}]}", "CONFIG gap Accounts.all=none Deals=none"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        say(WATCH, cases[i].status, cases[i].body);
        is(watched(two, 2), cases[i].want, arena_printf(&r.arena, "made: %d %s", cases[i].status, cases[i].body));
        rig_close(&r);
    }
}

static void test_looks(void)
{
    static const struct { int status; const char *body, *want; } cases[] = {
        {200, "{\"watch\":[{\"channel_id\":\"11\",\"channel_expiry\":\"" LATER "\"},{\"channel_id\":\"12\",\"channel_expiry\":\"" LATER "\"}]}", "OK Accounts.all=there Deals=there"},
        {200, "{}", "PROTOCOL"}, {200, "{\"watch\":{}}", "PROTOCOL"}, {200, "[", "PROTOCOL"}, {403, "{\"code\":\"NO_PERMISSION\",\"message\":\"m\"}", "PERMISSION"}};
    static const char saved[] = "{\"token\":\"tok\",\"channels\":[{\"id\":\"11\",\"module\":\"Accounts\",\"events\":\"all\",\"asked\":true},{\"id\":\"12\",\"module\":\"Deals\",\"events\":\"delete\",\"asked\":true}]}";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        (void)rig_save(&r, "zoho.watch", STR(saved), NULL);
        say(WATCH, cases[i].status, cases[i].body);
        const char *got = watched(two, 2);
        check(strncmp(got, cases[i].want, strlen(cases[i].want)) == 0, arena_printf(&r.arena, "looked: %d %s", cases[i].status, cases[i].body), arena_printf(&r.arena, "%s: %s", got, r.f.text));
        rig_close(&r);
    }
    begin();
    (void)rig_save(&r, "zoho.watch", STR(saved), NULL);
    say(WATCH, 200, "{\"watch\":[{\"channel_id\":\"99\",\"channel_expiry\":\"" LATER "\"},{\"channel_id\":\"12\",\"channel_expiry\":\"1999-01-01T00:00:00+00:00\"},{\"channel_id\":11},null]}");
    is(watched(two, 2), "CONFIG gap Accounts.all=none Deals=none", "strange channels, and those whose time is over, are none of ours");
    rig_close(&r);
}

static void test_removals(void)
{
    static const struct { int status; const char *want; } cases[] = {{200, "OK"}, {207, "OK"}, {400, "OK"}, {403, "BUSY Accounts.all=none"}, {500, "BUSY Accounts.all=none"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        (void)rig_save(&r, "zoho.watch", STR("{\"token\":\"tok\",\"channels\":[{\"id\":\"11\",\"module\":\"Accounts\",\"events\":\"all\"}]}"), NULL);
        say(WATCH, cases[i].status, "{}");
        is(watched(NULL, 0), cases[i].want, arena_printf(&r.arena, "taken off: %d", cases[i].status));
        rig_close(&r);
    }
}

static enum err no_save(void *ctx, const char *name, struct str value, struct fault *f)
{
    (void)ctx, (void)value;
    return strcmp(name, "zoho.watch") == 0 ? fault_set(f, ERR_NO_SPACE, "no room") : ERR_OK;
}

static enum err no_load(void *ctx, const char *name, struct arena *a, struct str *out)
{
    return strcmp(name, "zoho.watch") == 0 ? ERR_IO : rig_load(ctx, name, a, out);
}

/* For once the disk does not give what is saved: no other token, no other channels. */
static void test_unread(void)
{
    static const char saved[] = "{\"token\":\"tok\",\"channels\":[{\"id\":\"11\",\"module\":\"Accounts\",\"events\":\"all\"}]}";
    struct str token;
    begin();
    (void)rig_save(&r, "zoho.watch", STR(saved), NULL);
    r.env.load = no_load;
    say(WATCH, 200, "{\"watch\":[" EVENT(LATER) "]}");
    is(watched(two, 2), "IO", "channels that cannot be read are not made anew");
    check(routes.list[0].asked == 0, "nothing is asked of Zoho", r.f.text);
    check(zoho__watch_token(r.t, &r.arena, &token, &r.f) == ERR_IO, "nor is another token given out", r.f.text);
    r.env.load = rig_load;
    check(zoho__watch_token(r.t, &r.arena, &token, &r.f) == ERR_OK && str_is(token, "tok"), "the one that is saved stays", r.f.text);
    rig_close(&r);
}

static void test_saved(void)
{
    struct buf b = {0};
    struct watch_wish many[60];
    struct str token;
    begin();
    (void)rig_save(&r, "zoho.watch", STR("{\"channels\":[{\"id\":\"1234567890123456789012345\",\"module\":7},7,null]}"), NULL);
    say(WATCH, 200, "{}");
    is(watched(two, 0), "OK", "channels without a name are taken off");
    rig_close(&r);
    begin();
    buf_puts(&b, "{\"token\":\"tok\",\"channels\":[");
    for (int i = 0; i < 60; i++) buf_printf(&b, "%s{\"id\":\"%d\",\"module\":\"M%d\",\"events\":\"all\"}", i ? "," : "", i + 1, i);
    buf_puts(&b, "]}");
    (void)rig_save(&r, "zoho.watch", buf_view(&b), NULL);
    for (size_t i = 0; i < 60; i++) many[i] = (struct watch_wish){str_of(arena_printf(&r.arena, "M%zu", i)), true};
    many[59].module = str_of(arena_printf(&r.arena, "%0100d", 7));
    say(WATCH, 204, "");
    const char *got = watched(many, 60);
    size_t n = 0;
    for (const char *p = got; (p = strstr(p, "=none")); p++) n++;
    check(n == 48, "as many channels as one request holds", got);
    rig_close(&r);
    begin();
    r.env.save = no_save;
    say(WATCH, 200, "{\"watch\":[" EVENT(LATER) "]}");
    is(watched(two, 1), "NO_SPACE Accounts.all=none", "no channel is made that could not be remembered");
    check(routes.list[0].asked == 0 && zoho__watch_token(r.t, &r.arena, &token, &r.f) == ERR_NO_SPACE, "and no token given out", r.f.text);
    rig_close(&r);
    begin();
    r.env.load = NULL;
    r.env.save = NULL;
    check(zoho__watch_token(r.t, &r.arena, &token, &r.f) == ERR_OK && token.n >= 40, "a token without any state", r.f.text);
    rig_set(&r, "notify_url", arena_printf(&r.arena, "https://%0300d", 7));
    check(strncmp(watched(two, 2), "CONFIG", 6) == 0, "an address of 300 bytes", r.f.text);
    rig_close(&r);
    buf_free(&b);
}

/* ---- probe ---- */

static void say_text(void *ctx, enum finding_level level, const char *text) { buf_printf(ctx, "%d %s\n", (int)level, text); }

static void test_probe(void)
{
    struct buf b = {0};
    begin();
    say(WATCH, 200, "{\"watch\":[{\"channel_id\":\"11\",\"channel_expiry\":\"" LATER "\"}]}");
    zoho__probe_channels(r.t, say_text, &b);
    check(strstr(buf_cstr(&b), "none yet") != NULL, "no channel yet", buf_cstr(&b));
    buf_clear(&b);
    (void)rig_save(&r, "zoho.watch", STR("{\"channels\":[{\"id\":\"11\",\"module\":\"Accounts\"},{\"id\":\"12\",\"module\":\"Deals\"}]}"), NULL);
    zoho__probe_channels(r.t, say_text, &b);
    check(strstr(buf_cstr(&b), "Accounts: until 2030-01-01") && strstr(buf_cstr(&b), "Deals: Zoho has none any more"), "one there, one not", buf_cstr(&b));
    buf_clear(&b);
    say(WATCH, 200, "{}");
    zoho__probe_channels(r.t, say_text, &b);
    check(strstr(buf_cstr(&b), "cannot be read") != NULL, "a list that is none", buf_cstr(&b));
    buf_clear(&b);
    r.env.load = no_load;
    zoho__probe_channels(r.t, say_text, &b);
    check(strstr(buf_cstr(&b), "the list of notification channels cannot be read") != NULL, "what is saved cannot be read", buf_cstr(&b));
    buf_clear(&b);
    rig_set(&r, "notify_url", "");
    zoho__probe_channels(r.t, say_text, &b);
    check(b.n == 0, "nothing to say without an address", "something");
    buf_free(&b);
    rig_close(&r);
}

/* ---- notifications ---- */

static void test_told(void)
{
#define TOLD(more) "{\"token\":\"tok\"," more "}"
    static const struct { const char *body; enum err want; const char *words; } cases[] = {
        {TOLD("\"module\":\"Accounts\",\"operation\":\"insert\",\"ids\":[\"1\",\"2\"]"), ERR_OK, ""}, {TOLD("\"module\":\"Accounts\",\"operation\":\"update\",\"ids\":[]"), ERR_OK, ""},
        {TOLD("\"module\":\"Accounts\",\"operation\":\"delete\",\"ids\":[\"123456789012345678901234\"]"), ERR_OK, ""}, {"", ERR_PROTOCOL, "no JSON object"}, {"[]", ERR_PROTOCOL, "no JSON object"}, {"{", ERR_PROTOCOL, "no JSON object"},
        {"{\"token\":\"tox\"}", ERR_PERMISSION, "without our token"}, {"{\"token\":\"\"}", ERR_PERMISSION, "without"}, {"{}", ERR_PERMISSION, "without"}, {"{\"token\":[\"tok\"]}", ERR_PERMISSION, "without"}, {"{\"token\":\"tok\\u0000\"}", ERR_PROTOCOL, "no JSON object"},
        {TOLD("\"module\":\"Accounts\",\"operation\":\"erase\",\"ids\":[]"), ERR_PROTOCOL, "without module"}, {TOLD("\"module\":\"Accounts\",\"ids\":[]"), ERR_PROTOCOL, "without module"}, {TOLD("\"module\":\"\",\"operation\":\"insert\",\"ids\":[]"), ERR_PROTOCOL, "without module"},
        {TOLD("\"module\":7,\"operation\":\"insert\",\"ids\":[]"), ERR_PROTOCOL, "without module"}, {TOLD("\"module\":\"Accounts\",\"operation\":\"insert\",\"ids\":\"1\""), ERR_PROTOCOL, "without module"},
        {TOLD("\"module\":\"Accounts\",\"operation\":\"insert\",\"ids\":[1]"), ERR_PROTOCOL, "no id"}, {TOLD("\"module\":\"Accounts\",\"operation\":\"insert\",\"ids\":[\"\"]"), ERR_PROTOCOL, "no id"}, {TOLD("\"module\":\"Accounts\",\"operation\":\"insert\",\"ids\":[\"1\",\"x\"]"), ERR_PROTOCOL, "no id"},
        {TOLD("\"module\":\"Accounts\",\"operation\":\"insert\",\"ids\":[\"1234567890123456789012345\"]"), ERR_PROTOCOL, "no id"}, {TOLD("\"module\":\"Accounts\",\"operation\":\"insert\",\"ids\":[\"1\\u00002\"]"), ERR_PROTOCOL, "no JSON object"}};
    struct arena a;
    struct target_told out;
    struct fault f;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f = (struct fault){ERR_OK, ""};
        enum err e = zoho__told(STR("tok"), str_of(cases[i].body), &a, &out, &f);
        check(e == cases[i].want && strstr(f.text, cases[i].words), cases[i].body[0] ? cases[i].body : "no word", f.text);
    }
    check(zoho__told(STR("tok"), str_of(cases[0].body), &a, &out, &f) == ERR_OK && out.what == TOLD_INSERT && out.nids == 2 && str_is(out.ids[1], "2") && str_is(out.module, "Accounts"), "what is told", f.text);
    check(zoho__told(STR(""), STR("{\"token\":\"\",\"module\":\"A\",\"operation\":\"insert\",\"ids\":[]}"), &a, &out, &f) == ERR_PERMISSION, "no token of ours, no notification", f.text);
    check(zoho__told(STR("tok"), str_of(arena_printf(&a, TOLD("\"module\":\"%0200d\",\"operation\":\"insert\",\"ids\":[]"), 7)), &a, &out, &f) == ERR_PROTOCOL, "a module's name of 200 bytes", f.text);
    arena_free(&a);
}

int main(void)
{
    test_makings();
    test_looks();
    test_removals();
    test_unread();
    test_saved();
    test_probe();
    test_told();
    return failures ? 1 : 0;
}
