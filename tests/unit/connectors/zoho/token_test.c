/* token_test.c - access tokens against the model's token endpoint: cache, limits, refusals, change of the API host, first sign-in. */
#include "rig.h"

static struct rig r;

static enum err count(void)
{
    int64_t n;
    return zoho_target_ops.count(r.t, STR("Accounts"), &n, &r.f);
}

static void test_cache(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    check(count() == ERR_OK && r.token_requests == 1, "the first call takes a token", r.f.text);
    check(!strstr(r.last_url, "client_secret"), "no secret in a URL", r.last_url);
    rig_target(&r);
    check(count() == ERR_OK && r.token_requests == 1, "a restart does not", r.f.text);
    r.now += 3600000 - 301000;
    check(count() == ERR_OK && r.token_requests == 1, "it serves until five minutes before its end", r.f.text);
    r.now += 2000;
    check(count() == ERR_OK && r.token_requests == 2, "then it is renewed", r.f.text);
    r.now += 3600000 - 299000;
    rig_fault(&r, "[{\"match\":{\"path\":\"/oauth/v2/token\"},\"do\":\"token_throttled\"}]");
    check(count() == ERR_OK && r.token_requests == 3, "a renewal that fails for a passing reason leaves the old token in use", r.f.text);
    check(!strstr(r.notes, "1000.") && !strstr(r.notes, "sim-secret"), "no secret in the notes", r.notes);
    rig_close(&r);
}

static void test_throttle(void)
{
    rig_open(&r, NULL);
    rig_fault(&r, "[{\"match\":{\"path\":\"/oauth/v2/token\"},\"do\":\"token_throttled\"}]");
    rig_target(&r);
    check(count() == ERR_BUSY && r.token_requests == 1, "throttled with status 200", r.f.text);
    check(count() == ERR_BUSY && r.token_requests == 1, "not asked again at once", r.f.text);
    rig_target(&r);
    check(count() == ERR_BUSY && r.token_requests == 1, "nor after a restart", r.f.text);
    r.now += 601000;
    check(count() == ERR_OK && r.token_requests == 2, "but after ten minutes", r.f.text);
    zoho_sim_switch(r.sim, "token_throttle_status", 400);
    rig_fault(&r, "[{\"match\":{\"path\":\"/oauth/v2/token\"},\"do\":\"token_throttled\"}]");
    r.now += 3601000;
    check(count() == ERR_BUSY, "throttled with status 400", r.f.text);
    rig_close(&r);
}

static void test_eleventh(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    for (int i = 0; i < 10; i++) {
        zoho_sim_expire_tokens(r.sim);
        (void)count();
        r.now += 1000;
    }
    check(r.token_requests == 10, "ten tokens in ten minutes", r.f.text);
    check(r.counted == 10, "each was counted and saved before it was asked for: a crash forgets none", arena_printf(&r.arena, "%u", r.counted));
    zoho_sim_expire_tokens(r.sim);
    check(count() == ERR_BUSY && r.token_requests == 10 && strstr(r.f.text, "10 minutes"), "the eleventh is not asked for", r.f.text);
    rig_target(&r);
    check(count() == ERR_BUSY && r.token_requests == 10, "nor after a restart", r.f.text);
    struct write_batch *b = rig_accounts(&r, "A", 1);
    r.now += 601000;
    check(rig_write(&r, b) == ERR_OK && all_are(b, W_APPLIED) && r.token_requests == 11, "ten minutes later it is", first_of(&r, b));
    rig_close(&r);
}

static void test_refusals(void)
{
    static const struct { const char *error; enum err err; const char *word; } cases[] = {
        {"invalid_client", ERR_AUTH, "region"}, {"invalid_client_secret", ERR_AUTH, "secret"}, {"invalid_code", ERR_AUTH, "consent"},
        {"invalid_redirect_uri", ERR_AUTH, "self client"}, {"something_new", ERR_AUTH, "something_new"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char script[200], name[80];
        rig_open(&r, NULL);
        (void)snprintf(script, sizeof script, "[{\"match\":{\"path\":\"/oauth/v2/token\"},\"do\":\"token_error\",\"error\":\"%s\"}]", cases[i].error);
        rig_fault(&r, script);
        rig_target(&r);
        (void)snprintf(name, sizeof name, "token error %s", cases[i].error);
        check(count() == cases[i].err && strstr(r.f.text, cases[i].word), name, r.f.text);
        check(count() == cases[i].err && r.token_requests == 1, "and is not asked for again at once", r.f.text);
        r.now += 61000;
        check(count() == ERR_OK, "a minute later it is", r.f.text);
        rig_close(&r);
    }
    rig_open(&r, NULL);
    rig_credentials(&r, "1000.wrong");
    rig_target(&r);
    check(count() == ERR_AUTH && strstr(r.f.text, "invalid_code"), "a wrong refresh token", r.f.text);
    r.nsaved = 0;
    for (size_t i = 0; i < 8; i++) { free(r.saved[i].value); r.saved[i].value = NULL; }
    rig_target(&r);
    check(count() == ERR_SECRET && strstr(r.f.text, "mlcd auth crm"), "no credentials", r.f.text);
    rig_set(&r, "login", "{\"client_id\":\"1000.SIMCLIENT\",\"client_secret\":\"sim-secret\",\"refresh_token\":\"1000.simrefresh\"}");
    rig_target(&r);
    check(count() == ERR_OK, "credentials from the setting", r.f.text);
    rig_close(&r);
    rig_open(&r, NULL);
    rig_fault(&r, "[{\"match\":{\"path\":\"/oauth/v2/token\"},\"do\":\"html_400\"}]");
    rig_target(&r);
    check(count() == ERR_PROTOCOL, "HTML instead of an answer", r.f.text);
    rig_fault(&r, "[{\"match\":{\"path\":\"/oauth/v2/token\"},\"do\":\"drop_after\"}]");
    check(count() == ERR_UNREACHABLE && r.token_requests == 2, "a token call without an answer is not repeated", r.f.text);
    rig_fault(&r, "[{\"match\":{\"path\":\"/oauth/v2/token\"},\"do\":\"html_503\"}]");
    check(count() == ERR_BUSY, "the sign-in server is down", r.f.text);
    r.stop = 1;
    check(count() == ERR_STOPPED, "stopped", r.f.text);
    rig_close(&r);
}

static void test_domain(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    (void)count();
    zoho_sim_change_domain(r.sim, "http://127.0.0.1:10");
    zoho_sim_expire_tokens(r.sim);
    check(count() == ERR_OK && strstr(r.last_url, "http://127.0.0.1:10/"), "the API host of the newest token rules", r.last_url);
    check(strstr(r.notes, "API host changed") != NULL, "and the change is noted", r.notes);
    rig_target(&r);
    check(count() == ERR_OK && strstr(r.last_url, "http://127.0.0.1:10/"), "a restart knows it", r.last_url);
    struct write_batch *b = rig_accounts(&r, "Z", 1);
    zoho_sim_change_domain(r.sim, "http://127.0.0.1:11");
    zoho_sim_expire_tokens(r.sim);
    (void)rig_write(&r, b);
    check(all_are(b, W_APPLIED) && strstr(r.last_url, "127.0.0.1:11"), "a write follows it too", r.last_url);
    zoho_sim_change_domain(r.sim, "https://www.zohoapis.com.evil.example");
    zoho_sim_expire_tokens(r.sim);
    check(count() == ERR_CONFIG && strstr(r.f.text, "evil"), "a host that is not Zoho's gets no token", r.f.text);
    rig_close(&r);

    static const struct { const char *origin; bool good; } cases[] = {
        {"https://www.zohoapis.com", true}, {"https://www.zohoapis.eu/", true}, {"https://sandbox.zohoapis.com.au", true}, {"https://zohoapis.jp", true},
        {"https://127.0.0.1:8443", true}, {"http://localhost:8080", true}, {"http://[::1]:80", true}, {"https://crm.example:444", true},
        {"http://www.zohoapis.com", false}, {"https://evilzohoapis.com", false}, {"https://www.zohoapis.com.evil.example", false},
        {"https://www.zohoapis.com@evil.example", false}, {"https://www.zohoapis.com:8443", false}, {"https://crm.example", false},
        {"https://www.zohoapis.com/path", false}, {"https://", false}, {"https://[", false}, {"https://[::1", false}, {"https://[]", false},
        {"http://[::1]x", false}, {"https://www.zohoapis.com[", false}, {"ftp://www.zohoapis.com", false}, {"http://127.0.0.1.evil.example", false},
    };
    rig_open(&r, NULL);
    rig_set(&r, "api_domain_allow", "https://other.example, https://crm.example:444/");
    rig_target(&r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[ZOHO_URL_BYTES];
        bool good = zoho__origin(str_of(cases[i].origin), out) && zoho__domain_allowed(r.t, out);
        check(good == cases[i].good, cases[i].origin, good ? "taken" : "refused");
    }
    rig_set(&r, "api_url", "http://127.0.0.1:77");
    rig_target(&r);
    (void)count();
    check(strstr(r.last_url, "http://127.0.0.1:77/") != NULL, "setting api_url rules over the token answer", r.last_url);
    rig_close(&r);
}

static void test_shared(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    (void)count();
    struct target *second;
    (void)zoho_target_ops.open(&second, &r.env, &r.f);
    int64_t n;
    zoho_sim_expire_tokens(r.sim);
    (void)zoho_target_ops.count(second, STR("Accounts"), &n, &r.f);
    unsigned before = r.token_requests;
    check(count() == ERR_OK && r.token_requests == before, "a token that another process renewed is taken over", r.f.text);
    zoho_target_ops.close(second);
    rig_close(&r);
}

static void test_first_sign_in(void)
{
    rig_open(&r, NULL);
    r.nsaved = 0;
    free(r.saved[0].value);
    r.saved[0].value = NULL;
    struct zoho_granted out = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    struct zoho_grant g = {STR("1000.SIMCLIENT"), STR("sim-secret"), STR("1000.simcode"), {NULL, 0}};
    enum err e = zoho_auth_exchange(&r.env, &g, &r.arena, &out, &r.f);
    check(e == ERR_OK && str_is(out.api_domain, RIG_URL) && out.missing_scopes.n == 0, "a grant code becomes credentials", r.f.text);
    rig_target(&r);
    check(count() == ERR_OK && r.token_requests == 1, "and its access token is used", r.f.text);
    check(zoho_auth_exchange(&r.env, &g, &r.arena, &out, &r.f) == ERR_AUTH, "a code works once", r.f.text);
    g = (struct zoho_grant){STR("1000.SIMCLIENT"), STR("sim-secret\n"), {NULL, 0}, STR(" 1000.simreadonly \n")};
    e = zoho_auth_exchange(&r.env, &g, &r.arena, &out, &r.f);
    check(e == ERR_OK && memmem(out.missing_scopes.p, out.missing_scopes.n, "ZohoCRM.coql.READ", 17), "a refresh token; what it lacks is named", r.f.text);
    g.client_secret = STR("wrong");
    check(zoho_auth_exchange(&r.env, &g, &r.arena, &out, &r.f) == ERR_AUTH, "a wrong secret is refused and not saved", r.f.text);
    g.client_id = (struct str){NULL, 0};
    check(zoho_auth_exchange(&r.env, &g, &r.arena, &out, &r.f) == ERR_CONFIG, "an incomplete grant", r.f.text);
    rig_target(&r);
    check(count() == ERR_PERMISSION && strstr(r.f.text, "scope"), "a call beyond the scopes says so", r.f.text);
    struct str m = zoho__missing_scopes(STR("ZohoCRM.modules.ALL,ZohoCRM.org.READ"), STR("ZohoCRM.modules.accounts.READ ZohoCRM.org.READ ZohoCRM.coql.READ"), &r.arena);
    check(str_is(m, "ZohoCRM.coql.READ"), "scopes cover", m.p);
    rig_close(&r);
}

static void test_settings(void)
{
    static const struct { const char *name, *value; } bad[] = {
        {"region", "mars"}, {"edition", "gold"}, {"accounts_url", "http://accounts.zoho.com"}, {"accounts_url", "https://a.example/path"}, {"api_url", "nonsense"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct target *t;
        rig_open(&r, NULL);
        rig_set(&r, bad[i].name, bad[i].value);
        check(zoho_target_ops.open(&t, &r.env, &r.f) == ERR_CONFIG, bad[i].value, "taken");
        rig_close(&r);
    }
}

int main(void)
{
    test_cache();
    test_throttle();
    test_eleventh();
    test_refusals();
    test_domain();
    test_shared();
    test_first_sign_in();
    test_settings();
    return failures ? 1 : 0;
}
