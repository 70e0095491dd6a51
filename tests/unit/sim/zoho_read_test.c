/*
 * zoho_read_test.c: tokens, scopes, metadata, editions, lists, COQL, search, credits and concurrency of the Zoho model.
 */
#include "zoho_check.h"

#define ACCOUNTS "/crm/v8/Accounts"
#define REFRESH                                                                                                        \
    "client_id=1000.SIMCLIENT&client_secret=sim-secret&grant_type=refresh_token&refresh_token=1000.simrefresh"
#define TOKEN "/oauth/v2/token"

static void test_token(struct stand *s)
{
    free(s->token);
    s->token = NULL;
    call(s, "POST", TOKEN "?" REFRESH "&", NULL);
    expect(s, "refresh by query", s->resp.status == 200 && at(s->body, "access_token") &&
                                      is_text(s, "token_type", "Bearer") && is_number(s, "expires_in", 3600) &&
                                      is_text(s, "api_domain", "http://zoho.test") && !at(s->body, "refresh_token"));
    send_header(s, "Content-Type", "application/x-www-form-urlencoded");
    call(s, "POST", TOKEN, REFRESH);
    expect(s, "refresh by form", at(s->body, "access_token") != NULL);
    send_header(s, "Content-Type", "multipart/form-data; boundary=xyz");
    call(s, "POST", TOKEN, "--xyz\r\nContent-Disposition: form-data; name=\"client_id\"\r\n\r\n1000.SIMCLIENT\r\n"
                           "--xyz\r\nContent-Disposition: form-data; name=\"client_secret\"\r\n\r\nsim-secret\r\n"
                           "--xyz\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nrefresh_token\r\n"
                           "--xyz\r\nContent-Disposition: form-data; name=\"refresh_token\"\r\n\r\n1000.simrefresh\r\n"
                           "--xyz--\r\n");
    expect(s, "refresh by multipart", at(s->body, "access_token") != NULL);
    static const struct {
        const char *name, *query, *error;
    } bad[] = {
        {"unknown client", "client_id=x&client_secret=sim-secret&grant_type=refresh_token", "invalid_client"},
        {"wrong secret", "client_id=1000.SIMCLIENT&client_secret=x&grant_type=refresh_token", "invalid_client_secret"},
        {"wrong refresh token",
         "client_id=1000.SIMCLIENT&client_secret=sim-secret&grant_type=refresh_token&refresh_token=x", "invalid_code"},
        {"wrong code", "client_id=1000.SIMCLIENT&client_secret=sim-secret&grant_type=authorization_code&code=x",
         "invalid_code"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        call(s, "POST", text(TOKEN "?%s", bad[i].query), NULL);
        expect(s, bad[i].name, s->resp.status == 200 && is_text(s, "error", bad[i].error));
    }
    static const char *const GRANT =
        TOKEN "?client_id=1000.SIMCLIENT&client_secret=sim-secret&grant_type=authorization_code&code=1000.simcode";
    call(s, "POST", GRANT, NULL);
    expect(s, "first grant", at(s->body, "access_token") && at(s->body, "refresh_token"));
    char *refresh = text("%s", json_string_value(at(s->body, "refresh_token")));
    call(s, "POST", GRANT, NULL);
    expect(s, "a code works once", is_text(s, "error", "invalid_code"));
    static const char REFRESH_OTHER[] =
        TOKEN "?client_id=1000.SIMCLIENT&client_secret=sim-secret&grant_type=refresh_token&refresh_token=%s";
    expect(s, "revoke", call(s, "POST", text("/oauth/v2/token/revoke?token=%s", refresh), NULL) == 200);
    expect(s, "revoke again is 400 with HTML",
           call(s, "POST", text("/oauth/v2/token/revoke?token=%s", refresh), NULL) == 400 && !s->body);
    char target[512];
    snprintf(target, sizeof target, "%.*s%s", (int)sizeof REFRESH_OTHER - 3, REFRESH_OTHER, refresh);
    call(s, "POST", target, NULL);
    expect(s, "revoked token", is_text(s, "error", "invalid_code"));
}

static void test_throttle(struct stand *s)
{
    bool ten = true;
    char *first = s->token;
    for (int i = 0; i < 10; i++) {
        call(s, "POST", TOKEN "?" REFRESH, NULL);
        ten = ten && at(s->body, "access_token");
    }
    expect(s, "ten tokens in ten minutes", ten);
    expect(s, "the eleventh living token kills the oldest", call(s, "GET", "/crm/v8/org", NULL) == 401);
    call(s, "POST", TOKEN "?" REFRESH, NULL);
    expect(s, "the eleventh request is throttled", s->resp.status == 200 && is_text(s, "error", "Access Denied") &&
                                                       at(s->body, "error_description"));
    zoho_sim_switch(s->sim, "token_throttle_status", 400);
    expect(s, "throttled with 400 when asked", call(s, "POST", TOKEN "?" REFRESH, NULL) == 400);
    s->now_ms += 600000;
    call(s, "POST", TOKEN "?" REFRESH, NULL);
    expect(s, "free after ten minutes", at(s->body, "access_token") != NULL);
    free(first);
    s->token = zoho_sim_issue_token(s->sim);
}

static void test_authorisation(struct stand *s)
{
    expect(s, "good token", call(s, "GET", "/crm/v8/org", NULL) == 200);
    char *keep = s->token;
    s->token = NULL;
    call(s, "GET", "/crm/v8/org", NULL);
    expect(s, "no header", s->resp.status == 401 && is_text(s, "code", "AUTHENTICATION_FAILURE"));
    send_header(s, "Authorization", text("Bearer %s", keep));
    call(s, "GET", "/crm/v8/org", NULL);
    expect(s, "Bearer is not the word", is_text(s, "code", "AUTHENTICATION_FAILURE"));
    static char wrong[] = "1000.x.y";
    s->token = wrong;
    call(s, "GET", "/crm/v8/org", NULL);
    expect(s, "unknown token", s->resp.status == 401 && is_text(s, "code", "INVALID_TOKEN"));
    s->token = keep;
    s->now_ms += 3599000;
    expect(s, "token lives 3600 s", call(s, "GET", "/crm/v8/org", NULL) == 200);
    s->now_ms += 1000;
    call(s, "GET", "/crm/v8/org", NULL);
    expect(s, "then it is expired", s->resp.status == 401 && is_text(s, "code", "INVALID_TOKEN"));
    call(s, "POST",
         TOKEN "?client_id=1000.SIMCLIENT&client_secret=sim-secret&grant_type=refresh_token&refresh_token=1000.simreadonly",
         NULL);
    free(keep);
    s->token = strdup(json_string_value(at(s->body, "access_token")));
    expect(s, "read scope reads", call(s, "GET", ACCOUNTS "?fields=id", NULL) == 204);
    call(s, "POST", ACCOUNTS, "{\"data\":[{\"Account_Name\":\"a\"}]}");
    expect(s, "read scope does not write", s->resp.status == 401 && is_text(s, "code", "OAUTH_SCOPE_MISMATCH"));
    expect(s, "search needs its own scope", call(s, "GET", ACCOUNTS "/search?word=a", NULL) == 401);
    expect(s, "count needs it too", call(s, "GET", ACCOUNTS "/actions/count", NULL) == 401);
    expect(s, "users scope", call(s, "GET", "/crm/v8/users", NULL) == 401);
}

static void test_domain(struct stand *s)
{
    expect(s, "first domain", call(s, "GET", "/crm/v8/org", NULL) == 200);
    zoho_sim_change_domain(s->sim, "https://eu.test");
    call(s, "GET", "/crm/v8/org", NULL);
    expect(s, "the old domain refuses", s->resp.status == 401 && is_text(s, "code", "AUTHENTICATION_FAILURE"));
    call(s, "POST", TOKEN "?" REFRESH, NULL);
    expect(s, "tokens name the new domain", is_text(s, "api_domain", "https://eu.test"));
    s->host = "eu.test";
    expect(s, "the new domain answers", call(s, "GET", "/crm/v8/org", NULL) == 200);
    zoho_sim_change_domain(s->sim, "https://eu.test/dc2");
    expect(s, "old path", call(s, "GET", "/crm/v8/org", NULL) == 401);
    expect(s, "a domain may be a path", call(s, "GET", "/dc2/crm/v8/org", NULL) == 200);
}

static void test_metadata(struct stand *s)
{
    call(s, "GET", "/crm/v8/org", NULL);
    expect(s, "org", is_text(s, "org.0.license_details.paid_type", "professional") && is_text(s, "org.0.zgid",
            "733016544"));
    call(s, "GET", "/crm/v8/settings/modules", NULL);
    expect(s, "modules", length(s, "modules") == 16 && is_text(s, "modules.0.api_name", "Accounts"));
    call(s, "GET", "/crm/v8/settings/modules/Quotes", NULL);
    expect(s, "one module", length(s, "modules") == 1 && is_text(s, "modules.0.generated_type", "default"));
    expect(s, "unknown module", call(s, "GET", "/crm/v8/settings/modules/X", NULL) == 400);
    call(s, "GET", "/crm/v8/settings/fields?module=Accounts&type=all", NULL);
    const json_t *key = NULL, *f;
    size_t i;
    json_array_foreach(at(s->body, "fields"), i, f)
        if (strcmp(json_string_value(json_object_get(f, "api_name")), "Sage_Customer") == 0)
            key = f;
    expect(s, "fields", key && json_is_false(at(key, "unique.case_sensitive")) &&
                            json_integer_value(at(key, "length")) == 60 && json_is_true(at(key, "custom_field")));
    call(s, "GET", "/crm/v8/settings/fields?module=Ordered_Items", NULL);
    expect(s, "fields of line items", is_text(s, "fields.0.lookup.module.api_name", "Products"));
    expect(s, "fields without module", call(s, "GET", "/crm/v8/settings/fields", NULL) == 400 &&
                                           is_text(s, "code", "REQUIRED_PARAM_MISSING"));
    call(s, "GET", "/crm/v8/settings/layouts?module=Leads", NULL);
    expect(s, "layouts", is_text(s, "layouts.0.status", "active") && length(s, "layouts.0.sections.0.fields") > 20);
    call(s, "GET", "/crm/v8/users?type=CurrentUser", NULL);
    expect(s, "current user", length(s, "users") == 1 && is_text(s, "users.0.full_name", "Ada Admin"));
    call(s, "GET", "/crm/v8/users?type=ActiveUsers&per_page=2&page=2", NULL);
    expect(s, "active users by page", length(s, "users") == 1 && is_number(s, "info.page", 2));
    call(s, "GET", "/crm/v8/users?type=AllUsers", NULL);
    expect(s, "all users", length(s, "users") == 5 && is_text(s, "users.4.status", "deleted"));
    expect(s, "unknown path", call(s, "GET", "/crm/v8/a/b/c/d", NULL) == 404 && is_text(s, "code",
            "INVALID_URL_PATTERN"));
    expect(s, "unknown version", call(s, "GET", "/crm/v1/org", NULL) == 404);
    expect(s, "wrong method", call(s, "PATCH", ACCOUNTS, "{}") == 400 && is_text(s, "code", "INVALID_REQUEST_METHOD"));
}

static void test_editions(struct stand *s)
{
    struct stand free_org;
    (void)s;
    stand_open(&free_org, "free", NULL);
    call(&free_org, "GET", "/crm/v8/settings/modules", NULL);
    expect(&free_org, "free edition has fewer modules", length(&free_org, "modules") == 5);
    call(&free_org, "GET", "/crm/v8/Invoices?fields=Subject", NULL);
    expect(&free_org, "absent module", is_text(&free_org, "code", "INVALID_MODULE"));
    call(&free_org, "GET", "/crm/v8/org", NULL);
    expect(&free_org, "free is not paid", json_is_false(at(free_org.body, "org.0.license_details.paid")));
    zoho_sim_spend(free_org.sim, 2490);
    call(&free_org, "GET", "/crm/v8/org", NULL);
    expect(&free_org, "no header below half", !header(&free_org, "X-API-CREDITS-REMAINING"));
    zoho_sim_spend(free_org.sim, 10);
    call(&free_org, "GET", "/crm/v8/org", NULL);
    const char *left = header(&free_org, "X-API-CREDITS-REMAINING");
    expect(&free_org, "header from half on", left && strcmp(left, "2495") == 0);
    zoho_sim_spend(free_org.sim, 2496);
    call(&free_org, "GET", "/crm/v8/org", NULL);
    expect(&free_org, "credits are spent", free_org.resp.status == 429 && is_text(&free_org, "code",
            "TOO_MANY_REQUESTS"));
    free_org.now_ms += 24 * 3600000LL;
    free(free_org.token);
    free_org.token = zoho_sim_issue_token(free_org.sim);
    expect(&free_org, "a day later they are back", call(&free_org, "GET", "/crm/v8/org", NULL) == 200);
    stand_close(&free_org);
}

static int64_t spent(struct stand *s)
{
    char *counters = zoho_sim_counters(s->sim);
    json_t *o = json_loads(counters, 0, NULL);
    int64_t n = json_integer_value(json_object_get(o, "credits_spent"));
    json_decref(o);
    free(counters);
    return n;
}

static void insert_many(struct stand *s, int n, const char *prefix)
{
    struct {
        char *at;
        size_t len;
    } body = {malloc(64 + (size_t)n * 96), 0};
    body.len = (size_t)snprintf(body.at, 64, "{\"data\":[");
    for (int i = 0; i < n; i++)
        body.len += (size_t)snprintf(body.at + body.len, 96,
                "%s{\"Account_Name\":\"%s %d\",\"Sage_Customer\":\"%s%04d\"}",
                                     i ? "," : "", prefix, i, prefix, i);
    snprintf(body.at + body.len, 8, "]}");
    call(s, "POST", ACCOUNTS, body.at);
    free(body.at);
}

static void test_credits(struct stand *s)
{
    int64_t before = spent(s);
    insert_many(s, 100, "c");
    check("100 records cost 10", spent(s) - before == 10, "");
    before = spent(s);
    insert_many(s, 11, "d");
    check("11 records cost 2", spent(s) - before == 2, "");
    before = spent(s);
    call(s, "GET", "/crm/v8/Accounts/deleted", NULL);
    check("deleted list costs 2", spent(s) - before == 2, "");
    before = spent(s);
    call(s, "POST", "/crm/v8/coql", "{\"select_query\":\"select id from Accounts where id > 0\"}");
    check("query costs 1", spent(s) - before == 1, "");
}

static void test_concurrency(struct stand *s)
{
    zoho_sim_switch(s->sim, "latency_ms", 1000);
    for (int i = 0; i < 10; i++) {
        insert_many(s, 11, text("k%d", i));
        s->now_ms += 1;
    }
    insert_many(s, 11, "last");
    expect(s, "eleventh heavy call at once", s->resp.status == 429);
    for (int i = 0; i < 5; i++)
        call(s, "GET", "/crm/v8/org", NULL);
    expect(s, "light calls pass up to 15", s->resp.status == 200 && s->resp.delay_ms == 1000);
    expect(s, "the sixteenth does not", call(s, "GET", "/crm/v8/org", NULL) == 429);
    s->now_ms += 1000;
    expect(s, "later there is room", call(s, "GET", "/crm/v8/org", NULL) == 200);
    zoho_sim_switch(s->sim, "latency_ms", 0);
}

static void test_list(struct stand *s)
{
    char token[200], *target;
    for (int i = 0; i < 24; i++) {
        insert_many(s, 100, text("L%02d", i));
        s->now_ms += 1000;
    }
    expect(s, "fields are mandatory", call(s, "GET", ACCOUNTS, NULL) == 400 && is_text(s, "code",
            "REQUIRED_PARAM_MISSING") &&
                                          is_text(s, "details.param_name", "fields"));
    call(s, "GET", ACCOUNTS "?fields=Account_Name,Nonsense&", NULL);
    expect(s, "default page", length(s, "data") == 200 && is_text(s, "data.0.Account_Name", "L23 99") &&
                                  is_number(s, "info.page", 1) && json_is_true(at(s->body, "info.more_records")) &&
                                  is_text(s, "info.sort_order", "desc"));
    expect(s, "page 11", call(s, "GET", ACCOUNTS "?fields=id&page=11", NULL) == 400 &&
                             is_text(s, "code", "DISCRETE_PAGINATION_LIMIT_EXCEEDED"));
    expect(s, "per_page 201", call(s, "GET", ACCOUNTS "?fields=id&per_page=201", NULL) == 400);
    size_t rows = 0;
    target = text("%s", ACCOUNTS "?fields=Sage_Customer&sort_by=id&sort_order=asc");
    bool ordered = true;
    for (int page = 1; page <= 12; page++) {
        call(s, "GET", target, NULL);
        rows += length(s, "data");
        ordered = ordered && is_text(s, "data.0.Sage_Customer", text("L%02d0000", 2 * (page - 1)));
        const char *next = json_string_value(at(s->body, "info.next_page_token"));
        if (!next)
            break;
        snprintf(token, sizeof token, "%s", next);
        target = text(ACCOUNTS "?fields=Sage_Customer&sort_by=id&sort_order=asc&page_token=%s", token);
    }
    expect(s, "tokens reach all rows in order", rows == 2400 && ordered);
    call(s, "GET", text(ACCOUNTS "?fields=id&sort_by=id&sort_order=asc&page_token=%s", token), NULL);
    expect(s, "token is bound to parameters", is_text(s, "code", "TOKEN_BOUND_DATA_MISMATCH"));
    call(s, "GET", text(ACCOUNTS "?fields=Sage_Customer&sort_by=id&sort_order=asc&page=2&page_token=%s", token), NULL);
    expect(s, "token with page", is_text(s, "code", "AMBIGUITY_DURING_PROCESSING"));
    expect(s, "broken token", call(s, "GET", ACCOUNTS "?fields=id&page_token=abc", NULL) == 400);
    call(s, "GET", ACCOUNTS "?fields=Sage_Customer,Modified_Time&sort_by=Modified_Time&sort_order=asc&per_page=3",
            NULL);
    expect(s, "sorted by time", is_text(s, "data.0.Sage_Customer", "L000000") && length(s, "data") == 3);
    send_header(s, "If-Modified-Since", "2026-11-18T12:07:01+01:00");
    call(s, "GET", ACCOUNTS "?fields=Sage_Customer&sort_by=Modified_Time&sort_order=asc", NULL);
    expect(s, "modified since", length(s, "data") == 200 && is_text(s, "data.0.Sage_Customer", "L220000"));
    send_header(s, "If-Modified-Since", "2027-11-18T12:07:01+01:00");
    expect(s, "nothing modified since", call(s, "GET", ACCOUNTS "?fields=id", NULL) == 304 && !s->resp.body);
    call(s, "GET", ACCOUNTS "?fields=id&ids=4876876000001000001,4876876000001000003,5", NULL);
    expect(s, "by ids", length(s, "data") == 2);
    expect(s, "empty module", call(s, "GET", "/crm/v8/Leads?fields=id", NULL) == 204 && !s->resp.body);
    expect(s, "sort by another field", call(s, "GET", ACCOUNTS "?fields=id&sort_by=Phone", NULL) == 400);
    char many[700] = "id";
    for (int i = 0; i < 50; i++)
        memcpy(many + 2 + i * 3, ",id", 4);
    expect(s, "51 fields", call(s, "GET", text(ACCOUNTS "?fields=%s", many), NULL) == 400 && is_text(s, "code",
            "LIMIT_EXCEEDED"));
    s->now_ms += 25 * 3600000LL;
    free(s->token);
    s->token = zoho_sim_issue_token(s->sim);
    call(s, "GET", text(ACCOUNTS "?fields=Sage_Customer&sort_by=id&sort_order=asc&page_token=%s", token), NULL);
    expect(s, "token expires after a day", is_text(s, "code", "EXPIRED_VALUE"));
}

static void query(struct stand *s, const char *q)
{
    json_t *o = json_pack("{ss}", "select_query", q);
    char *body = json_dumps(o, 0);
    call(s, "POST", "/crm/v8/coql", body);
    free(body);
    json_decref(o);
}

static void test_coql(struct stand *s)
{
    char id[24], in[2000] = "";
    insert_many(s, 100, "q");
    seed(s, "Accounts", "{\"Account_Name\":\"O'Neil \\\\ Co\",\"Sage_Customer\":\"ON\",\"Credit_Limit\":50.5,\"Phone\":\"7\"}", id);
    query(s, "select id, Sage_Customer from Accounts where Sage_Customer in ('Q0001','q0002','none') limit 0, 200");
    expect(s, "in, without case", length(s, "data") == 2 && is_text(s, "data.0.Sage_Customer", "q0001") &&
                                      is_number(s, "info.count", 2) && json_is_false(at(s->body, "info.more_records")));
    query(s, "select id from Accounts where Account_Name = 'O\\'Neil \\\\ Co'");
    expect(s, "escapes", is_text(s, "data.0.id", id));
    query(s, "select id from Accounts where Account_Name = 'O'Neil'");
    expect(s, "unescaped quote", s->resp.status == 400 && is_text(s, "code", "SYNTAX_ERROR") && at(s->body,
            "details.near"));
    query(s, "select id from Accounts where Account_Name = 'none'");
    expect(s, "no rows", s->resp.status == 204 && !s->resp.body);
    query(s, "select Account_Name from Accounts where Sage_Customer = 'ON' or Account_Name = 'q 3' or Phone = '7'");
    expect(s, "or", length(s, "data") == 2);
    query(s, "select Account_Name from Accounts where (Sage_Customer = 'ON' and Phone = '7') and Credit_Limit > 50 and Credit_Limit <= 50.5");
    expect(s, "and", length(s, "data") == 1 && is_text(s, "data.0.id", id));
    query(s, text("select id from Accounts where id > %s and id is not null order by id asc limit 3",
            "4876876000001000010"));
    expect(s, "behind an id", length(s, "data") == 3 && is_text(s, "data.0.id", "4876876000001000011") &&
                                  json_is_true(at(s->body, "info.more_records")));
    query(s, "select Account_Name from Accounts where Account_Name like 'q %' order by Account_Name desc limit 1, 2");
    expect(s, "like, order, offset", length(s, "data") == 2 && is_text(s, "data.0.Account_Name", "q 98"));
    query(s, "select id from Accounts where Sage_Customer not in ('ON') and Phone is null limit 2000");
    expect(s, "not in, is null", length(s, "data") == 100);
    query(s, "select id, Owner, Created_Time from Accounts where Credit_Limit between 50 and 51");
    expect(s, "between, lookups by id", is_text(s, "data.0.Owner.id", "4876876000000411001") && !at(s->body,
            "data.0.Owner.name"));
    query(s, "select id from Accounts where Modified_Time >= '2026-11-18T11:06:40+00:00' limit 1");
    expect(s, "times compare over zones", length(s, "data") == 1);
    for (int i = 0; i < 101; i++)
        snprintf(in + strlen(in), sizeof in - strlen(in), "%s'%d'", i ? "," : "", i);
    query(s, text("select id from Accounts where Sage_Customer in (%s)", in));
    expect(s, "101 values", is_text(s, "code", "LIMIT_EXCEEDED"));
    query(s, "select Nonsense from Accounts where id > 0");
    expect(s, "unknown column", is_text(s, "code", "INVALID_QUERY") && is_text(s, "details.column_name", "Nonsense"));
    query(s, "select id from Nowhere where id > 0");
    expect(s, "unknown module", is_text(s, "code", "INVALID_QUERY"));
    query(s, "select id from Accounts where id > 0 limit 2001");
    expect(s, "limit too large", is_text(s, "code", "INVALID_QUERY"));
    query(s, "select id from Accounts where Account_Name = 5");
    expect(s, "number for a text", is_text(s, "code", "INVALID_QUERY"));
    query(s, "select id from Accounts");
    expect(s, "where is mandatory", is_text(s, "code", "SYNTAX_ERROR") && is_text(s, "details.clause", "where"));
    zoho_sim_switch(s->sim, "coql_where_optional", 1);
    query(s, "select id from Accounts");
    expect(s, "unless switched", length(s, "data") == 101);
    zoho_sim_switch(s->sim, "coql_pairs_only", 1);
    query(s, "select id from Accounts where id > 0 and id > 1 and id > 2");
    expect(s, "pairs only when switched", is_text(s, "code", "SYNTAX_ERROR"));
    query(s, "select id from Accounts where (id > 0 and id > 1) and id > 2");
    expect(s, "pairs pass", s->resp.status == 200);
    zoho_sim_switch(s->sim, "case_sensitive_text", 1);
    query(s, "select id from Accounts where Sage_Customer = 'Q0001'");
    expect(s, "with case when switched", s->resp.status == 204);
    call(s, "POST", "/crm/v8/coql", "{}");
    expect(s, "no query", s->resp.status == 400);
}

static void test_search(struct stand *s)
{
    char id[24];
    seed(s, "Accounts", "{\"Account_Name\":\"Blue Moon\",\"Phone\":\"55\"}", id);
    expect(s, "search lags", call(s, "GET", ACCOUNTS "/search?criteria=(Account_Name:equals:Blue%20Moon)",
            NULL) == 204);
    s->now_ms += 3000;
    call(s, "GET", ACCOUNTS "/search?criteria=(Account_Name:equals:moon)", NULL);
    expect(s, "equals acts as contains", s->resp.status == 200 && is_text(s, "data.0.id", id));
    zoho_sim_switch(s->sim, "search_equals_exact", 1);
    expect(s, "unless switched", call(s, "GET", ACCOUNTS "/search?criteria=(Account_Name:equals:moon)", NULL) == 204);
    call(s, "GET", ACCOUNTS "/search?criteria=((Account_Name:starts_with:Blue)and(Phone:equals:55))", NULL);
    expect(s, "criteria with and", s->resp.status == 200 && length(s, "data") == 1);
    expect(s, "by phone", call(s, "GET", ACCOUNTS "/search?phone=55", NULL) == 200);
    expect(s, "by word", call(s, "GET", ACCOUNTS "/search?word=moon", NULL) == 200);
    expect(s, "no criteria", call(s, "GET", ACCOUNTS "/search", NULL) == 400 && is_text(s, "code",
            "EXPECTED_PARAM_MISSING"));
    expect(s, "broken criteria", call(s, "GET", ACCOUNTS "/search?criteria=(Account_Name:equals", NULL) == 400);
    expect(s, "beyond 2,000", call(s, "GET", ACCOUNTS "/search?word=a&page=11", NULL) == 400 && is_text(s, "code",
            "LIMIT_REACHED"));
    call(s, "GET", ACCOUNTS "/actions/count", NULL);
    expect(s, "count", is_number(s, "count", 1));
    call(s, "GET", ACCOUNTS "/actions/count?criteria=(Phone:equals:x)", NULL);
    expect(s, "count by criteria", is_number(s, "count", 0));
}

int main(void)
{
    static void (*const TESTS[])(struct stand *) = {test_token,       test_throttle, test_authorisation, test_domain,
                                                    test_metadata,    test_editions, test_credits,       test_list,
                                                    test_concurrency, test_coql,     test_search};
    for (size_t i = 0; i < sizeof TESTS / sizeof *TESTS; i++) {
        struct stand s;
        stand_open(&s, NULL, NULL);
        TESTS[i](&s);
        stand_close(&s);
    }
    return stand_failed;
}
