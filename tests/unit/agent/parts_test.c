/* parts_test.c - the agent's parts by themselves: numbers, stamps, texts, keys, result strings, hash, routes, token, ini file, deny list, messages, reports. */
#include "agent/pipe.h"
#include "agent/private.h"
#include "agent/report.h"
#include "tests/unit/value/ok.h"
#include <jansson.h>

static void numbers(void)
{
    static const struct { const char *in; int scale; const char *out; } cases[] = {
        {"60000", 2, "60000.00"}, {".5", 2, "0.50"}, {"-.5", 2, "-0.50"}, {"-12.3", 2, "-12.30"}, {"12.345", 2, "12.345"}, {"12.3400", 2, "12.34"}, {"0", 0, "0"},
        {"0", 2, "0.00"}, {"-0", 2, "0.00"}, {"007", 0, "7"}, {"5-", 0, "-5"}, {"+5", 0, "5"}, {" 5 ", 0, "5"}, {"1.5E+3", 0, "1500"}, {"1.5E-3", 2, "0.0015"},
        {"12E1", 1, "120.0"}, {"100", 0, "100"}, {"1,000", 2, "1,000"}, {"abc", 2, "abc"}, {"1.2.3", 0, "1.2.3"}, {"5E", 0, "5E"}, {"1E999", 0, "1E999"}, {"-", 0, "-"},
        {"123456789012345678901234567890.12", 2, "123456789012345678901234567890.12"}, {"0.000", 2, "0.00"}, {"10.", 0, "10"},
    };
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&b);
        ok(agent__number(&b, str_of(cases[i].in), cases[i].scale), "a number is there", "%s", cases[i].in);
        ok_text(cases[i].in, buf_view(&b), cases[i].out);
    }
    ok(!agent__number(&b, STR("   "), 2) && !agent__number(&b, STR(""), 2), "blank is null", "not");
    buf_free(&b);
}

static void stamps(void)
{
    static const struct { const char *date, *time; int64_t position; } cases[] = {
        {"20240312", "15.5", INT64_C(202403121550000)}, {"20240312", "8.49238", INT64_C(202403120849238)}, {"20240312", "8.492385", INT64_C(202403120849239)},
        {"20240312", "8.4923849", INT64_C(202403120849238)}, {"20240312", "23.999999", INT64_C(202403122400000)}, {"20240312", "", INT64_C(202403120000000)},
        {"", "15.5", INT64_C(1550000)}, {"17530101", "", 0}, {"2024031", "1", INT64_C(100000)}, {"2024O312", "1", INT64_C(100000)}, {"20240312", "abc", INT64_C(202403120000000)},
        {"20240312", ".5", INT64_C(202403120050000)}, {"20240312", "123", INT64_C(202403120000000)}, {"20240312", "5.", INT64_C(202403120500000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = agent__position(str_of(cases[i].date), str_of(cases[i].time));
        ok(got == cases[i].position, "a position", "%s %s: %lld", cases[i].date, cases[i].time, (long long)got);
    }
    for (int64_t ms = -INT64_C(86400000) * 1000; ms < INT64_C(86400000) * 30000; ms += INT64_C(86400000) * 37 + 3600036)
        if (agent__local_of_position(agent__position_of_local(ms)) != ms / 36 * 36 && ms >= 0 && ms % 36 == 0) ok(false, "time to position and back", "%lld", (long long)ms);
    ok(agent__local_of_position(INT64_C(202403121550000)) == INT64_C(1710257400000), "15:30 of a day", "%lld", (long long)agent__local_of_position(INT64_C(202403121550000)));
    char date[16], time[16], text[24];
    agent__position_text(INT64_C(202403120849238), date, time);
    ok(strcmp(date, "20240312") == 0 && strcmp(time, "8.49238") == 0, "a position as text", "%s %s", date, time);
    agent__position_text(INT64_C(202403121500000), date, time);
    ok(strcmp(time, "15") == 0, "a whole hour", "%s", time);
    agent__time_text(INT64_C(1709164800000), true, text);
    ok(strcmp(text, "2024-02-29T00:00:00Z") == 0, "a leap day", "%s", text);
}

static void texts(void)
{
    struct buf u = {0}, back = {0};
    char all[256];
    for (unsigned i = 0; i < 256; i++) all[i] = (char)i;
    agent__utf8_of(&u, (struct str){all, 256});
    ok(str_utf8_valid(buf_view(&u)), "every byte becomes UTF-8", "no");
    ok(agent__cp1252_of(&back, buf_view(&u)) && back.n == 256 && memcmp(back.p, all, 256) == 0, "and comes back", "no");
    ok(!agent__cp1252_of(&back, STR("\xe4\xbd\xa0")) && !agent__cp1252_of(&back, STR("\xf0\x9f\x98\x80")), "what cp1252 lacks is no key", "yes");
    ok_text("right-trimmed only", agent__rtrim(STR("  a b  ")), "  a b");
    buf_free(&u);
    buf_free(&back);
    struct agent__key k;
    ok(agent__key_of_text(&k, STR("01~A~B"), 2) && k.n == 6, "a ~ in the last part stays", "%u", k.n);
    ok(!agent__key_of_text(&k, STR("01"), 2), "too few parts", "accepted");
    ok(agent__key_of_text(&k, STR("~"), 2) && k.n == 1, "blank parts", "%u", k.n);
    struct agent__sha sha;
    char hex[65];
    agent__sha_start(&sha);
    agent__sha_add(&sha, "abc", 3);
    agent__sha_hex(&sha, hex);
    ok_text("SHA-256 of abc", str_of(hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    agent__sha_start(&sha);
    agent__sha_add(&sha, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56);
    agent__sha_hex(&sha, hex);
    ok_text("SHA-256 of two blocks", str_of(hex), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void result_strings(void)
{
    struct agent__items it = agent__items_of(STR("\x1e" "A\x8a" "b\x1f" "c\x8a\x1e" "d\x8a"));
    struct str item, f[4];
    ok(agent__items_next(&it, &item) && agent__fields(item, f, 4) == 2 && str_is(f[0], "A\x8a" "b"), "0x8A inside a text", "%.*s", (int)item.n, item.p);
    ok(agent__items_next(&it, &item) && str_is(item, "d") && !agent__items_next(&it, &item), "the trailing separator is no item", "one");
    it = agent__items_of(STR(""));
    ok(!agent__items_next(&it, &item) && !it.bad, "nothing is nothing", "bad");
    it = agent__items_of(STR("no mark"));
    ok(it.bad && !agent__items_next(&it, &item), "a string that is not ours", "accepted");
}

static void routes(void)
{
    static const struct { const char *method, *path; enum agent_at at; const char *key; } cases[] = {
        {"GET", "/v1/health", AGENT_AT_HEALTH, ""}, {"GET", "/v1/companies", AGENT_AT_COMPANIES, ""}, {"GET", "/v1/companies/ABC/schema/customers", AGENT_AT_SCHEMA, ""},
        {"GET", "/v1/companies/ABC/customers", AGENT_AT_CHANGED, ""}, {"GET", "/v1/companies/ABC/customers/keys", AGENT_AT_KEYS, "keys"},
        {"GET", "/v1/companies/ABC/customers/01~A%2FB", AGENT_AT_ROW, "01~A/B"}, {"GET", "/v1/companies/ABC/customers/01~%C3%A9", AGENT_AT_ROW, "01~\xc3\xa9"},
        {"POST", "/v1/companies/ABC/customers:batchGet", AGENT_AT_BATCH, ""}, {"GET", "/v1/companies/ABC/customers:batchGet", AGENT_AT_NOWHERE, ""},
        {"POST", "/v1/companies/ABC/customers", AGENT_AT_NOWHERE, ""}, {"PUT", "/v1/companies/ABC/customers/01~A", AGENT_AT_NOWHERE, ""}, {"GET", "/v1/../health", AGENT_AT_NOWHERE, ""},
        {"GET", "//v1/health", AGENT_AT_NOWHERE, ""}, {"GET", "/v1/health/", AGENT_AT_NOWHERE, ""}, {"GET", "/v1", AGENT_AT_NOWHERE, ""}, {"GET", "", AGENT_AT_NOWHERE, ""},
        {"GET", "/v1/companies/ABC/customers/a/b", AGENT_AT_NOWHERE, ""},
    };
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct agent_request q = {str_of(cases[i].method), str_of(cases[i].path), {"", 0}, {"", 0}};
        struct agent_route r = agent_route_of(&q, &a);
        ok(r.at == cases[i].at && str_is(r.key, cases[i].key) && !r.malformed, "a route", "%s %s: %d '%.*s'", cases[i].method, cases[i].path, (int)r.at, (int)r.key.n, r.key.p);
    }
    static const char *const bad[] = {"/v1/companies/ABC/customers/%", "/v1/companies/ABC/customers/%4", "/v1/companies/ABC/customers/%zz", "/v1/companies/ABC/customers/%00",
                                      "/v1/companies/%ff/customers"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct agent_request q = {STR("GET"), str_of(bad[i]), {"", 0}, {"", 0}};
        ok(agent_route_of(&q, &a).malformed, "not percent-encoded UTF-8", "%s", bad[i]);
    }
    arena_free(&a);
    ok(agent_token_fits(STR("Bearer secret-token"), STR("secret-token")) && agent_token_fits(STR("bearer secret-token "), STR("secret-token")), "the token", "refused");
    static const char *const wrong[] = {"", "Bearer", "Bearer ", "Bearer secret-toke", "Bearer secret-tokenx", "Bearer Secret-token", "secret-token", "Basic secret-token", "Bearer secret-tokensecret-token"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) ok(!agent_token_fits(str_of(wrong[i]), STR("secret-token")), "another token", "'%s' fits", wrong[i]);
    ok(!agent_token_fits(STR("Bearer "), STR("")), "no token never fits", "fits");
}

static void settings(void)
{
    static struct agent_config c;
    struct arena a;
    struct fault f = {0};
    struct buf b = {0};
    arena_init(&a, 0);
    agent_config_write(&b, STR("https://+:9443/"), STR("C:\\Sage\\Home"), STR("sync"), STR("ABC, XYZ"));
    ok(agent_config_read(buf_view(&b), &a, &c, &f) == ERR_OK, "what install writes is read", "%s", f.text);
    ok(c.ncompanies == 2 && str_is(c.company[1], "XYZ") && str_is(c.listen, "https://+:9443/") && c.queue == 8, "with its values", "%u", c.ncompanies);
    ok(agent_config_read(STR("\xEF\xBB\xBF[agent]\r\nqueue=4\r\ndeny = Note*, *phone*\r\n[objects]\r\nitems=X_svc\r\n[lines]\r\nsales-orders=Y_svc\r\n"), &a, &c, &f) == ERR_OK,
       "a byte order mark, line ends of Windows", "%s", f.text);
    ok(c.queue == 4 && str_is(agent_config_object(&c, "items", "CI"), "X_svc") && str_is(agent_config_object(&c, "terms", "T"), "T") &&
           str_is(agent_config_lines(&c, "sales-orders"), "Y_svc") && str_is(agent_config_lines(&c, "ar-invoices"), "oLines"),
       "objects and lines", "%d", (int)c.queue);
    static const char *const never[] = {"EncryptedVals", "encryptedvals", "TaxpayerIDSocialSecurityNo", "PasswordHash", "CreditCardGUID", "D546_CreditCardMagneticStrip", "Last4UnencryptedX",
                                        "BankName", "AVSAddress", "ExpirationDateYear", "CardholderName", "CardType", "Notes", "Telephone", "MyPhoneNo"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) ok(agent_denied(&c, str_of(never[i])), "never leaves", "%s", never[i]);
    static const char *const free_ones[] = {"ExpirationDate", "BankNameX", "CustomerName", "CardTypeX", "MyPassword"};
    for (size_t i = 0; i < sizeof free_ones / sizeof *free_ones; i++) ok(!agent_denied(&c, str_of(free_ones[i])), "may leave", "%s", free_ones[i]);
    static const struct { const char *text, *says; } bad[] = {
        {"[agent]\nqueue = 0\n", "queue must be a whole number from 1 to 64"}, {"[agent]\nqueue = x\n", "line 2"}, {"[agent]\nlisten = http://10.0.0.1:80/\n", "https://"},
        {"[agent]\nlisten = https://+:8443\n", "must end with /"}, {"[agent]\ncompanies = ABCD\n", "three characters"}, {"[agent]\nnonsense = 1\n", "no setting 'nonsense'"},
        {"queue = 4\n", "[agent]"}, {"[agent]\nqueue\n", "'name = value'"}, {"[what]\n", "sections"}, {"[objects]\nsecrets = X\n", "no resource"}, {"[agent]\ndeny = *a*b*c*d\n", "3 stars"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memset(&f, 0, sizeof f);
        ok(agent_config_read(str_of(bad[i].text), &a, &c, &f) == ERR_CONFIG && strstr(f.text, bad[i].says), "a mistake in the ini file", "'%s' is not in: %s", bad[i].says, f.text);
    }
    buf_free(&b);
    arena_free(&a);
}

static void messages_and_reports(void)
{
    struct buf b = {0};
    struct agent_request q = {STR("GET"), STR("/v1/x"), STR("a=b"), STR("{}")}, q2;
    int kind;
    agent_pipe_put_ask(&b, AGENT_PIPE_ASK, &q);
    ok(agent_pipe_get_ask((struct str){b.p + 4, b.n - 4}, &kind, &q2) && str_eq(q2.query, q.query) && str_eq(q2.body, q.body), "a question between the processes", "no");
    for (size_t n = 0; n + 4 < b.n; n++)
        if (agent_pipe_get_ask((struct str){b.p + 4, n}, &kind, &q2)) ok(false, "a cut question", "%zu bytes accepted", n);
    buf_clear(&b);
    struct agent_said s = {true, true, 502, 5, 3, 10, 20, 1, STR("{}"), STR("why"), STR("name")}, s2;
    agent_pipe_put_said(&b, &s);
    ok(agent_pipe_get_said((struct str){b.p + 4, b.n - 4}, &s2) && s2.broken && s2.opened && s2.status == 502 && s2.scanned == 3 && s2.scan_rows == 10 && str_eq(s2.trouble, s.trouble),
       "an answer between the processes", "no");
    buf_clear(&b);
    static struct agent_company c = {.code = {"ABC", 3}, .name = {"A \"B\"", 5}, .epoch = {"e", 1}, .trouble = {"why", 3}, .resources = {"[\"customers\"]", 13}, .opens = true, .session_ms = 1000};
    c.scan[0] = (struct agent_scan){INT64_C(1710283267000), 5, 4200, 1};
    struct agent_report r = {&c, 1, 2, STR("7.30"), 13000, -300};
    agent_report_health(&b, &r);
    json_t *j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    ok(j && json_integer_value(json_object_get(j, "protocol")) == 1 && json_array_size(json_object_get(j, "scans")) == 1, "health is JSON", "%.*s", (int)b.n, b.p);
    ok(memmem(b.p, b.n, "\"sessionAgeSeconds\":12", 22) && memmem(b.p, b.n, "\"seconds\":4.200", 15) && memmem(b.p, b.n, "1969-12-31T19:00:13", 19), "with its figures", "%.*s", (int)b.n, b.p);
    json_decref(j);
    buf_clear(&b);
    agent_report_companies(&b, &r);
    j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    ok(j && json_array_size(json_object_get(j, "companies")) == 1, "companies is JSON", "%.*s", (int)b.n, b.p);
    json_decref(j);
    buf_free(&b);
}

int main(void)
{
    numbers();
    stamps();
    texts();
    result_strings();
    routes();
    settings();
    messages_and_reports();
    return ok_done();
}
