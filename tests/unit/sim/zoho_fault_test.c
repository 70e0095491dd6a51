/*
 * zoho_fault_test.c: every action of the fault script, what it answers and whether anything was applied; then the same
 * model behind its HTTP door.
 */
#include "../../sim/door.h"
#include "zoho_check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#define ACCOUNTS "/crm/v8/Accounts"
#define ONE "{\"data\":[{\"Account_Name\":\"one\"}]}"
#define TWO "{\"data\":[{\"Account_Name\":\"one\"},{\"Account_Name\":\"two\"}]}"
#define REFRESH                                                                                                        \
    "/oauth/v2/token?client_id=1000.SIMCLIENT&client_secret=sim-secret&grant_type=refresh_token"                       \
    "&refresh_token=1000.simrefresh"

// Does one insert under one rule; answers how many records were stored.
static size_t struck(struct stand *s, const char *rule, const char *body)
{
    size_t before = zoho_sim_count(s->sim, "Accounts");
    script(s, text("[{%s}]", rule));
    call(s, "POST", ACCOUNTS, body);
    return zoho_sim_count(s->sim, "Accounts") - before;
}

static void test_flat(struct stand *s)
{
    static const struct {
        const char *action;
        int status;
        const char *code;
    } cases[] = {{"401", 401, "INVALID_TOKEN"},
                 {"auth_failure", 401, "AUTHENTICATION_FAILURE"},
                 {"scope_mismatch", 401, "OAUTH_SCOPE_MISMATCH"},
                 {"403", 403, "NO_PERMISSION"},
                 {"404", 404, "INVALID_URL_PATTERN"},
                 {"412", 412, "ALREADY_MODIFIED"},
                 {"413", 413, "FILE_TOO_LARGE"},
                 {"429", 429, "TOO_MANY_REQUESTS"},
                 {"429_rate", 429, "RATE_LIMIT_EXCEEDED"},
                 {"500", 500, "INTERNAL_ERROR"},
                 {"502", 502, "INTERNAL_SERVER_ERROR"},
                 {"503", 503, "SERVICE_UNAVAILABLE"},
                 {"504", 504, "INTERNAL_SERVER_ERROR"},
                 {"flat_400", 400, "INVALID_DATA"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t stored = struck(s, text("\"do\":\"%s\"", cases[i].action), ONE);
        expect(s, text("fault %s", cases[i].action),
               stored == 0 && s->resp.status == cases[i].status && is_text(s, "code", cases[i].code) &&
                   is_text(s, "status", "error") && json_is_object(at(s->body, "details")));
    }
    struck(s, "\"do\":\"429\",\"retry_after\":7", ONE);
    const char *after = header(s, "Retry-After");
    expect(s, "Retry-After", after && strcmp(after, "7") == 0);
    expect(s, "once is enough", call(s, "POST", ACCOUNTS, ONE) == 201);
    expect(s, "applied, then 500", struck(s, "\"do\":\"500\",\"applied\":true", ONE) == 1 && s->resp.status == 500);
    struck(s, "\"do\":\"flat_400\",\"code\":\"INVALID_MODULE\",\"details\":{\"resource_path_index\":0}", ONE);
    expect(s, "code and details of a flat answer",
           is_text(s, "code", "INVALID_MODULE") && is_number(s, "details.resource_path_index", 0));
    expect(s, "HTML", struck(s, "\"do\":\"html_502\"", ONE) == 0 && s->resp.status == 502 && !s->body &&
                          strstr(s->resp.body, "<html>"));
}

static void test_matching(struct stand *s)
{
    script(s, "[{\"match\":{\"method\":\"POST\",\"path_regex\":\"/upsert$\",\"body_contains\":\"magic\"},\"nth\":2,"
              "\"times\":2,\"do\":\"503\"}]");
    static const char magic[] = "{\"data\":[{\"Account_Name\":\"magic\"}]}";
    expect(s, "other method", call(s, "GET", "/crm/v8/org", NULL) == 200);
    expect(s, "other path", call(s, "POST", ACCOUNTS, magic) == 201);
    expect(s, "other body", call(s, "POST", ACCOUNTS "/upsert", ONE) == 200);
    expect(s, "first match", call(s, "POST", ACCOUNTS "/upsert", magic) == 200);
    expect(s, "second match", call(s, "POST", ACCOUNTS "/upsert", magic) == 503);
    expect(s, "third match", call(s, "POST", ACCOUNTS "/upsert", magic) == 503);
    expect(s, "fourth match", call(s, "POST", ACCOUNTS "/upsert", magic) == 200);
    script(s, "[{\"match\":{\"path\":\"/crm/v8/org\"},\"times\":0,\"do\":\"500\"}]");
    call(s, "GET", "/crm/v8/org", NULL);
    expect(s, "for ever", call(s, "GET", "/crm/v8/org", NULL) == 500 && call(s, "GET", "/crm/v8/users", NULL) == 200);
    char why[200] = "";
    zoho_sim_faults_clear(s->sim);
    check("unknown action", !zoho_sim_faults(s->sim, "[{\"do\":\"dance\"}]", why, sizeof why) && strstr(why,
            "dance"), why);
    check("script is a list", !zoho_sim_faults(s->sim, "{}", why, sizeof why), why);
}

static void test_connection(struct stand *s)
{
    size_t n = struck(s, "\"do\":\"drop_before\"", ONE);
    expect(s, "drop before", n == 0 && s->resp.fate == SIM_DROPPED_BEFORE);
    n = struck(s, "\"do\":\"drop_after\"", ONE);
    expect(s, "drop after", n == 1 && s->resp.fate == SIM_DROPPED_AFTER);
    n = struck(s, "\"do\":\"timeout_before\"", ONE);
    expect(s, "timeout before", n == 0 && s->resp.fate == SIM_DROPPED_BEFORE && s->resp.delay_ms == 60000);
    n = struck(s, "\"do\":\"timeout_after\",\"delay_ms\":5", ONE);
    expect(s, "timeout after", n == 1 && s->resp.fate == SIM_DROPPED_AFTER && s->resp.delay_ms == 5);
    n = struck(s, "\"do\":\"apply_late\",\"apply_after_ms\":20000", ONE);
    expect(s, "late: not yet", n == 0 && s->resp.fate == SIM_DROPPED_BEFORE);
    n = zoho_sim_count(s->sim, "Accounts");
    s->now_ms += 19999;
    check("late: a moment before", zoho_sim_count(s->sim, "Accounts") == n, "");
    s->now_ms += 1;
    check("late: applied", zoho_sim_count(s->sim, "Accounts") == n + 1, "");
    n = struck(s, "\"do\":\"delay\"", ONE);
    expect(s, "delay", n == 1 && s->resp.status == 201 && s->resp.delay_ms == 1000);
    n = struck(s, "\"do\":\"truncated_json\"", ONE);
    expect(s, "truncated JSON", n == 1 && s->resp.status == 201 && !s->body && s->resp.body_len > 50);
    n = struck(s, "\"do\":\"cut_body\"", ONE);
    expect(s, "cut body", n == 1 && s->resp.cut_at > 0 && s->resp.cut_at < s->resp.body_len);
    n = struck(s, "\"do\":\"empty_body\"", ONE);
    expect(s, "empty body", n == 1 && s->resp.status == 201 && s->resp.body_len == 0);
    n = struck(s, "\"do\":\"wrong_shape\"", ONE);
    expect(s, "wrong shape", n == 1 && json_is_array(s->body));
    n = struck(s, "\"do\":\"wrong_length\"", TWO);
    expect(s, "wrong length", n == 2 && s->resp.status == 201 && length(s, "data") == 1);
    n = struck(s, "\"do\":\"reversed\"", TWO);
    char *low = text("%s", json_string_value(at(s->body, "data.1.details.id")));
    const char *high = json_string_value(at(s->body, "data.0.details.id"));
    expect(s, "reversed", n == 2 && high && strcmp(high, low) > 0);
    n = struck(s, "\"do\":\"same_id\"", TWO);
    low = text("%s", json_string_value(at(s->body, "data.1.details.id")));
    high = json_string_value(at(s->body, "data.0.details.id"));
    expect(s, "one id", n == 2 && high && strcmp(high, low) == 0);
    n = struck(s, "\"do\":\"same_id\",\"id\":\"7\"", ONE);
    expect(s, "a given id", n == 1 && strcmp(text("%s", json_string_value(at(s->body, "data.0.details.id"))), "7") == 0);
}

static void test_records(struct stand *s)
{
    static const char *const CODES[] = {"INVALID_DATA", "MANDATORY_NOT_FOUND", "DUPLICATE_DATA", "RECORD_LOCKED",
                                        "RECORD_IN_BLUEPRINT", "NOT_APPROVED", "NOT_REVIEWED", "NO_PERMISSION",
                                        "DEPENDENT_FIELD_MISSING", "DEPENDENT_MISMATCH", "DEPENDENT_SERVICE_ERROR",
                                        "CONVERTED_RECORD", "ID_ALREADY_CONVERTED", "LIMIT_EXCEEDED",
                                        "STORAGE_SPACE_EXCEEDED", "INTERNAL_ERROR", "CANNOT_PROCESS", "SOME_NEW_CODE"};
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
        size_t n = struck(s, text("\"do\":\"%s\",\"index\":1", CODES[i]), TWO);
        expect(s, text("record %s", CODES[i]), n == 1 && s->resp.status == 207 && is_text(s, "data.0.code",
                "SUCCESS") &&
                                                   is_text(s, "data.1.code", CODES[i]) && at(s->body,
                                                           "data.1.details.json_path"));
    }
    struck(s, "\"do\":\"RECORD_LOCKED\"", ONE);
    expect(s, "locked, as Zoho words it", s->resp.status == 400 && is_text(s, "data.0.details.action",
            "record_locking") &&
                                              is_text(s, "data.0.details.json_path", "$.data[0].id"));
    size_t n = struck(s, "\"do\":\"partial\",\"code\":\"X_Y\",\"match\":{\"record_contains\":\"two\"},\"message\":\"m\"", TWO);
    expect(s, "by content of the record", n == 1 && is_text(s, "data.1.code", "X_Y") && is_text(s, "data.1.message",
            "m"));
    n = struck(s, "\"do\":\"partial\",\"all\":true", TWO);
    expect(s, "all records", n == 0 && s->resp.status == 400 && length(s, "data") == 2);
    n = struck(s, "\"do\":\"duplicate_other_field\",\"id\":\"77\"", ONE);
    expect(s, "duplicate on another field", n == 0 && is_text(s, "data.0.details.api_name", "Tax_Number") &&
                                                is_text(s, "data.0.details.duplicate_record.id", "77"));
}

static void test_tokens(struct stand *s)
{
    script(s, "[{\"match\":{\"path\":\"/crm/\"},\"do\":\"expire_token\"}]");
    expect(s, "token expires", call(s, "GET", "/crm/v8/org", NULL) == 401 && is_text(s, "code", "INVALID_TOKEN"));
    call(s, "POST", REFRESH, NULL);
    free(s->token);
    s->token = strdup(json_string_value(at(s->body, "access_token")));
    expect(s, "and a new one works", call(s, "GET", "/crm/v8/org", NULL) == 200);
    script(s, "[{\"match\":{\"path\":\"/oauth/\"},\"do\":\"token_throttled\"},"
              "{\"match\":{\"path\":\"/oauth/\"},\"do\":\"token_error\",\"error\":\"invalid_client\",\"status\":400}]");
    call(s, "POST", REFRESH, NULL);
    expect(s, "throttled", s->resp.status == 200 && is_text(s, "error", "Access Denied"));
    call(s, "POST", REFRESH, NULL);
    expect(s, "error of the endpoint", s->resp.status == 400 && is_text(s, "error", "invalid_client"));
    script(s, "[{\"match\":{\"path\":\"/crm/\"},\"do\":\"change_api_domain\",\"to\":\"http://new.test\"}]");
    expect(s, "domain changes", call(s, "GET", "/crm/v8/org", NULL) == 401);
    call(s, "POST", REFRESH, NULL);
    expect(s, "and is told", is_text(s, "api_domain", "http://new.test"));
    free(s->token);
    s->token = strdup(json_string_value(at(s->body, "access_token")));
    expect(s, "old host refuses", call(s, "GET", "/crm/v8/org", NULL) == 401);
    s->host = "new.test";
    expect(s, "new host answers", call(s, "GET", "/crm/v8/org", NULL) == 200);
    script(s, "[{\"match\":{\"path\":\"/crm/\"},\"do\":\"revoke\"}]");
    call(s, "GET", "/crm/v8/org", NULL);
    call(s, "POST", REFRESH, NULL);
    expect(s, "grant revoked", is_text(s, "error", "invalid_code"));
}

// ---- over HTTP

struct line { // one raw call on its own connection
    unsigned port;
    const char *request;
    char answer[4096];
    size_t len;
    double seconds;
};

static void *send_line(void *arg)
{
    struct line *l = arg;
    struct timespec a, b;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    clock_gettime(CLOCK_MONOTONIC, &a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    l->len = 0;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        write(fd, l->request, strlen(l->request)) == (ssize_t)strlen(l->request)) {
        ssize_t n;
        while (l->len + 1 < sizeof l->answer && (n = read(fd, l->answer + l->len, sizeof l->answer - 1 - l->len)) > 0)
            l->len += (size_t)n;
    }
    close(fd);
    l->answer[l->len] = '\0';
    clock_gettime(CLOCK_MONOTONIC, &b);
    l->seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
    return NULL;
}

static int status_of(const struct line *l)
{
    return l->len > 12 ? (int)strtol(l->answer + 9, NULL, 10) : 0;
}

static char *raw(struct stand *s, const char *method, const char *target, const char *body)
{
    return text("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Zoho-oauthtoken %s\r\n"
                "Content-Length: %zu\r\n\r\n%s",
                method, target, s->token, strlen(body), body);
}

static void test_door(struct stand *s)
{
    struct sim_door_options options = {.body_limit_bytes = 100000};
    struct sim_door *door = sim_door_open(&(struct sim_mount){"", s->model}, 1, &options);
    struct line l = {.port = sim_door_port(door)};
    l.request = raw(s, "POST", ACCOUNTS "?a=b%2Fc&", ONE);
    send_line(&l);
    check("door: insert without Content-Type", status_of(&l) == 201 && strstr(l.answer, "record added"), l.answer);
    l.request = raw(s, "GET", "/crm/v8/Leads?fields=id", "");
    send_line(&l);
    check("door: 204", status_of(&l) == 204, l.answer);
    script(s, "[{\"do\":\"drop_before\"},{\"do\":\"timeout_after\",\"delay_ms\":200},{\"do\":\"cut_body\"}]");
    l.request = raw(s, "POST", ACCOUNTS, ONE);
    size_t before = zoho_sim_count(s->sim, "Accounts");
    send_line(&l);
    check("door: dropped before", l.len == 0 && zoho_sim_count(s->sim, "Accounts") == before, l.answer);
    send_line(&l);
    check("door: applied, hung, dropped",
          l.len == 0 && l.seconds > 0.15 && zoho_sim_count(s->sim, "Accounts") == before + 1, l.answer);
    send_line(&l);
    check("door: cut body", status_of(&l) == 201 && !strstr(l.answer, "\"status\":\"success\"}]}"), l.answer);
    l.request = text("GET /__sim/counters HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    send_line(&l);
    check("door: counters", status_of(&l) == 200 && strstr(l.answer, "\"inserts\":3"), l.answer);
    l.request = raw(s, "POST", "/__sim/seed", "{\"module\":\"Accounts\",\"records\":[{\"Account_Name\":\"Seeded\"}]}");
    send_line(&l);
    check("door: seed", status_of(&l) == 200 && strstr(l.answer, "\"ids\":[\""), l.answer);
    l.request = raw(s, "GET", "/__sim/dump?module=Accounts&sort=Account_Name", "");
    send_line(&l);
    check("door: dump", status_of(&l) == 200, l.answer);
    zoho_sim_switch(s->sim, "latency_ms", 400);
    char *org = raw(s, "GET", "/crm/v8/org", "");
    struct line many[17];
    pthread_t threads[17];
    for (size_t i = 0; i < 17; i++) {
        many[i] = (struct line){.port = l.port, .request = org};
        pthread_create(&threads[i], NULL, send_line, &many[i]);
    }
    int good = 0, refused = 0;
    double slowest = 0;
    for (size_t i = 0; i < 17; i++) {
        pthread_join(threads[i], NULL);
        good += status_of(&many[i]) == 200;
        refused += status_of(&many[i]) == 429;
        slowest = many[i].seconds > slowest ? many[i].seconds : slowest;
    }
    check("door: delays overlap", slowest < 1.5, text("slowest %.2f s", slowest));
    check("door: concurrency limit of 15", good == 15 && refused == 2, text("%d good, %d refused", good, refused));
    sim_door_close(door);
}

int main(void)
{
    static void (*const TESTS[])(struct stand *) = {test_flat,    test_matching, test_connection,
                                                    test_records, test_tokens,   test_door};
    for (size_t i = 0; i < sizeof TESTS / sizeof *TESTS; i++) {
        struct stand s;
        stand_open(&s, NULL, NULL);
        TESTS[i](&s);
        stand_close(&s);
    }
    return stand_failed;
}
