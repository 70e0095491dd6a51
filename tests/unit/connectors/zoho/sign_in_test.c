/* sign_in_test.c - answers of the sign-in server, and saved sign-ins, in every shape but the right one; and the right ones in every dialect. No token is believed
 * whose host is not Zoho's, and none is asked for when nobody could use it. */
#include "connectors/zoho/oauth_errors.h"
#include "routes.h"

static struct rig r;
#define TOKEN "/oauth/v2/token"

static const char *tried(enum err e)
{
    return arena_printf(&r.arena, "%s %s", err_name(e), e == ERR_OK ? "" : r.f.text);
}

/* ---- answers ---- */

static void test_answers(void)
{
    static const struct { int status; const char *body, *want; } cases[] = {
        {200, "{\"access_token\":\"A\",\"expires_in\":3600}", "OK"}, {200, "", "PROTOCOL"}, {200, "[]", "PROTOCOL"}, {200, "<html>", "PROTOCOL"}, {200, "{\"access_token\":7}", "PROTOCOL"},
        {200, "{\"access_token\":\"\"}", "PROTOCOL"}, {404, "", "PROTOCOL"}, {500, "", "BUSY"}, {503, "<html>", "BUSY"}, {429, "", "BUSY"}, {200, "{\"error\":7}", "PROTOCOL"},
        {200, "{\"error\":\"invalid_code\"}", "AUTH"}, {400, "{\"error\":\"of_tomorrow\"}", "AUTH"}, {400, "{\"error\":\"bad\\u0007\\u00fcword\"}", "AUTH"},
        {400, "{\"error\":\"Access Denied\",\"error_description\":\"x\"}", "BUSY"}, {400, "{\"error\":\"general\",\"error_description\":\"You have made Too Many Requests.\"}", "BUSY"},
        {400, "{\"error\":\"too many requests\"}", "BUSY"}, {400, "{\"error\":\"to\",\"error_description\":\"too many\"}", "AUTH"},
        {200, "{\"access_token\":\"A\",\"api_domain\":\"https://www.zohoapis.eu\"}", "OK"}, {200, "{\"access_token\":\"A\",\"api_domain\":\"https://evil.test\"}", "CONFIG"},
        {200, "{\"access_token\":\"A\",\"api_domain\":\"nowhere\"}", "CONFIG"}, {200, "{\"access_token\":\"A\\u0000B\"}", "PROTOCOL"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        routes_open(&r, "enterprise");
        say(TOKEN, cases[i].status, cases[i].body);
        const char *got = tried(zoho__token(r.t, &r.f));
        check(strncmp(got, cases[i].want, strlen(cases[i].want)) == 0 && !memchr(got, 7, strlen(got)), cases[i].body[0] ? cases[i].body : "no word", got);
        if (strstr(cases[i].body, "evil")) check(r.t->oauth.token.access[0] == '\0', "no token of that answer is kept", "one is");
        rig_close(&r);
    }
    routes_open(&r, "enterprise");
    char *huge = arena_alloc(&r.arena, 20000);
    memset(huge, 'A', 19999);
    huge[19999] = '\0';
    say(TOKEN, 200, arena_printf(&r.arena, "{\"access_token\":\"%s\"}", huge));
    check(strstr(tried(zoho__token(r.t, &r.f)), "PROTOCOL the access token is longer") != NULL, "a token of 20,000 bytes", r.f.text);
    rig_close(&r);
}

static void test_lifetimes(void)
{
    static const struct { const char *in; int64_t seconds; } cases[] = {
        {"\"expires_in_sec\":1800,\"expires_in\":9", 1800}, {"\"expires_in\":1800", 1800}, {"\"expires_in\":3600000", 3600}, {"\"expires_in_sec\":\"x\",\"expires_in\":60", 60}, {"\"a\":1", 3600},
        {"\"expires_in\":0", 3600}, {"\"expires_in\":-5", 3600}, {"\"expires_in\":86400", 86400}, {"\"expires_in\":86400001", 86400}, {"\"expires_in\":9223372036854775807", 3600}, {"\"expires_in\":60.5", 3600}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        routes_open(&r, "enterprise");
        say(TOKEN, 200, arena_printf(&r.arena, "{\"access_token\":\"A\",%s}", cases[i].in));
        enum err e = zoho__token(r.t, &r.f);
        int64_t left = r.t->oauth.token.expires_wall_ms - r.now;
        check(left == cases[i].seconds * 1000 && (e == ERR_OK || cases[i].seconds == 60), cases[i].in, arena_printf(&r.arena, "%lld ms", (long long)left));
        rig_close(&r);
    }
}

/* ---- what is saved ---- */

static void test_saved_tokens(void)
{
    static const struct { const char *saved, *token; } cases[] = {      /* token NULL: a new one was asked for */
        {"{\"access_token\":\"S\",\"expires_ms\":9000000000000}", "S"}, {"{\"access_token\":\"S\",\"expires_ms\":\"x\"}", NULL}, {"[]", NULL}, {"", NULL}, {"{", NULL}, {"{\"access_token\":7,\"expires_ms\":9000000000000}", NULL},
        {"{\"access_token\":\"S\",\"expires_ms\":9000000000000,\"api_domain\":\"https://evil.test\"}", NULL}, {"{\"access_token\":\"S\",\"expires_ms\":9000000000000,\"api_domain\":\"https://www.zohoapis.in\"}", "S"},
        {"{\"access_token\":\"S\",\"expires_ms\":9000000000000,\"renewed_ms\":[1,2,3,4,5,6,7,8,9,10,11,12,\"x\"]}", "S"}, {"{\"access_token\":\"S\",\"expires_ms\":1}", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        routes_open(&r, "enterprise");
        (void)rig_save(&r, "zoho.token", str_of(cases[i].saved), NULL);
        struct route *asked = say(TOKEN, 200, "{\"access_token\":\"N\"}");
        enum err e = zoho__token(r.t, &r.f);
        check(e == ERR_OK && strcmp(r.t->oauth.token.access, cases[i].token ? cases[i].token : "N") == 0 && asked->asked == (cases[i].token ? 0u : 1u), cases[i].saved[0] ? cases[i].saved : "nothing", r.t->oauth.token.access);
        rig_close(&r);
    }
    /* The endpoint's limit outlives us, but not for ever, whatever a file says. */
    static const struct { int64_t blocked; bool waits; } blocks[] = {{300000, true}, {-1, false}, {86400000, false}};
    for (size_t i = 0; i < 3; i++) {
        routes_open(&r, "enterprise");
        (void)rig_save(&r, "zoho.token", str_of(arena_printf(&r.arena, "{\"blocked_until_ms\":%lld}", (long long)(r.now + blocks[i].blocked))), NULL);
        say(TOKEN, 200, "{\"access_token\":\"N\"}");
        enum err e = zoho__token(r.t, &r.f);
        check(blocks[i].waits ? e == ERR_BUSY && strstr(r.f.text, "in 300 s") != NULL : e == ERR_OK, arena_printf(&r.arena, "told to wait %lld ms", (long long)blocks[i].blocked), tried(e));
        rig_close(&r);
    }
}

static enum err no_load(void *ctx, const char *name, struct arena *a, struct str *out)
{
    (void)ctx, (void)a, (void)out;
    return strcmp(name, "zoho.credentials") == 0 ? ERR_CORRUPT : ERR_NOT_FOUND;
}

static enum err unsaved;            /* how saving fails */
static enum err no_save(void *ctx, const char *name, struct str value, struct fault *f)
{
    (void)ctx, (void)name, (void)value;
    return fault_set(f, unsaved, "the disk says no");
}

static void test_credentials(void)
{
#define ID "\"client_id\":\"i\",\"client_secret\":\"s\""
    static const struct { const char *login, *saved, *want; } cases[] = {
        {"{" ID ",\"refresh_token\":\"t\"}", NULL, "OK"}, {" {" ID ",\"refresh_token\":\"t\"} \n", NULL, "OK"}, {"{" ID "}", NULL, "SECRET the secret of setting `login` lacks"}, {"{\"client_id\":\"i\"}", NULL, "SECRET the secret"},
        {"{", NULL, "SECRET the secret of setting `login` lacks"}, {"{\"client_id\":7}", NULL, "SECRET"}, {"{" ID ",\"refresh_token\":\"t\\u0000t\"}", NULL, "SECRET"}, {"user", NULL, "SECRET the secret of setting `login` is not what"},
        {"", "{" ID ",\"refresh_token\":\"t\"}", "OK"}, {"", "{" ID "}", "SECRET no Zoho credentials"}, {"", "", "SECRET no Zoho credentials"}, {"", "[]", "SECRET no Zoho credentials"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        routes_open(&r, "enterprise");
        if (cases[i].login[0]) rig_set(&r, "login", cases[i].login);
        if (cases[i].saved) (void)rig_save(&r, "zoho.credentials", str_of(cases[i].saved), NULL);
        rig_target(&r);
        say(TOKEN, 200, "{\"access_token\":\"N\"}");
        const char *got = tried(zoho__token(r.t, &r.f));
        check(strncmp(got, cases[i].want, strlen(cases[i].want)) == 0, cases[i].login[0] ? cases[i].login : cases[i].saved[0] ? cases[i].saved : "nothing saved", got);
        rig_close(&r);
    }
    routes_open(&r, "enterprise");
    r.env.load = no_load;
    check(strncmp(tried(zoho__token(r.t, &r.f)), "CORRUPT the saved Zoho credentials cannot be opened", 51) == 0, "credentials that cannot be opened", r.f.text);
    rig_close(&r);
    routes_open(&r, "enterprise");
    rig_set(&r, "login", "{" ID ",\"refresh_token\":\"t\"}");
    rig_target(&r);
    r.env.load = NULL;
    r.env.save = no_save;
    unsaved = ERR_IO;
    say(TOKEN, 200, "{\"access_token\":\"N\"}");
    check(zoho__token(r.t, &r.f) == ERR_OK, "a token that cannot be saved is used", r.f.text);
    rig_close(&r);
    routes_open(&r, "enterprise");
    rig_set(&r, "login", "{" ID ",\"refresh_token\":\"t\"}");
    rig_target(&r);
    r.env.save = no_save;
    unsaved = ERR_NO_SPACE;
    const struct route *token = say(TOKEN, 200, "{\"access_token\":\"N\"}");
    for (int start = 0; start < 12; start++)
        check(strncmp(tried(zoho__token(r.t, &r.f)), "NO_SPACE no access token is asked for", 37) == 0 && token->asked == 0, "none is asked for while the disk is full", r.f.text);
    (void)rig_save(&r, "zoho.token", str_of(arena_printf(&r.arena, "{\"access_token\":\"S\",\"expires_ms\":%lld,\"api_domain\":\"https://www.zohoapis.com\"}", (long long)(r.now + 60000))), NULL);
    check(zoho__token(r.t, &r.f) == ERR_OK && token->asked == 0 && strcmp(r.t->oauth.token.access, "S") == 0, "one that lives for a minute serves to its end", r.f.text);
    r.now += 50000;
    check(zoho__token(r.t, &r.f) == ERR_NO_SPACE && token->asked == 0, "and no longer", r.f.text);
    r.env.save = rig_save;
    check(zoho__token(r.t, &r.f) == ERR_OK && token->asked == 1 && rig_counted(&r) == 1, "with room again one is, and what was not asked is not counted", r.f.text);
    rig_close(&r);
}

/* ---- the first time ---- */

static void test_first(void)
{
    static char long_code[600];
    memset(long_code, 'c', sizeof long_code - 1);
    const struct { const char *what, *id, *secret, *code, *refresh, *answer, *want; } cases[] = {
        {"a code", "i", "s", "c", "", "{\"access_token\":\"A\",\"refresh_token\":\"R\",\"scope\":\"ZohoCRM.modules.ALL\"}", "OK"}, {"a refresh token", "i", "s", "", "R", "{\"access_token\":\"A\"}", "OK"},
        {"no id", " ", "s", "c", "", "", "CONFIG client id"}, {"no secret", "i", "", "c", "", "", "CONFIG client id"}, {"neither", "i", "s", "", "", "", "CONFIG client id"}, {"both", "i", "s", "c", "R", "", "CONFIG client id"},
        {"a refresh token of blanks", "i", "s", "", "  ", "", "CONFIG client id"}, {"a code of blanks", "i", "s", "  ", "", "", "CONFIG the grant code"}, {"a code of 600 bytes", "i", "s", long_code, "", "", "CONFIG the grant code"},
        {"no refresh token", "i", "s", "c", "", "{\"access_token\":\"A\"}", "AUTH Zoho gave no refresh token"}, {"a refusal", "i", "s", "c", "", "{\"error\":\"invalid_code\"}", "AUTH Zoho refuses"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zoho_granted out;
        routes_open(&r, "enterprise");
        (void)rig_save(&r, "zoho.token", STR("{\"access_token\":\"S\",\"expires_ms\":9000000000000,\"api_domain\":\"https://www.zohoapis.in\"}"), NULL);
        say(TOKEN, 200, cases[i].answer);
        const struct zoho_grant g = {.client_id = str_of(cases[i].id), .client_secret = str_of(cases[i].secret), .code = str_of(cases[i].code), .refresh_token = str_of(cases[i].refresh)};
        enum err e = zoho_auth_exchange(&r.env, &g, &r.arena, &out, &r.f);
        const char *got = tried(e);
        check(strncmp(got, cases[i].want, strlen(cases[i].want)) == 0, cases[i].what, got);
        struct str kept = {"", 0};
        (void)rig_load(&r, "zoho.token", &r.arena, &kept);
        check((e == ERR_OK) == (memmem(kept.p, kept.n, "\"S\"", 3) == NULL), "the sign-in that works stays until another one does", kept.p);
        if (e == ERR_OK) check((out.missing_scopes.n > 0) == (cases[i].code[0] != '\0'), "what the consent lacks", "another");
        rig_close(&r);
    }
    struct zoho_granted out;
    routes_open(&r, "enterprise");
    rig_set(&r, "region", "moon");
    check(zoho_auth_exchange(&r.env, &(struct zoho_grant){STR("i"), STR("s"), STR("c"), STR("")}, &r.arena, &out, &r.f) == ERR_CONFIG, "in no region", r.f.text);
    rig_close(&r);
}

static void test_scopes(void)
{
    static const struct { const char *have, *need, *missing; } cases[] = {
        {"A.b.ALL", "a.B.read A.b.c.READ", ""}, {"A.b.ALL", "A.bc.READ", "A.bc.READ"}, {"A.b.READ", "A.b.READ,A.b.ALL", "A.b.ALL"}, {".ALL", "A.b", "A.b"}, {"", " , ", ""}, {"x.ALL", "x.", "x."}, {"x.ALL", "x.y", ""}};
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str got = zoho__missing_scopes(str_of(cases[i].have), str_of(cases[i].need), &a);
        check(str_is(got, cases[i].missing), cases[i].need, arena_printf(&a, "%.*s", (int)got.n, got.p));
    }
    arena_free(&a);
}

int main(void)
{
    test_answers();
    test_lifetimes();
    test_saved_tokens();
    test_credentials();
    test_first();
    test_scopes();
    return failures ? 1 : 0;
}
