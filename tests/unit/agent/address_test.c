/* address_test.c - what stands in an address that somebody sends to the agent: cursors, keys, paths and parameters, right, wrong and halfway. Cursors are
 * written here by their description, with a right check, and not by the agent. */
#include "agent/private.h"
#include "tests/unit/value/ok.h"

/* ---- cursors ---- */
static void base64url(char *out, const char *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t bits = n * 8;
    for (size_t at = 0; at < bits; at += 6) {
        unsigned v = 0;
        for (size_t k = at; k < at + 6; k++) v = v * 2 + (k < bits ? (unsigned)((unsigned char)p[k / 8] >> (7 - k % 8) & 1) : 0);
        *out++ = digits[v];
    }
    *out = '\0';
}

/* A version, the check of what follows (FNV-1a), and that. */
static enum agent__verdict read_cursor(const char *version, const char *body, size_t n, struct agent__cursor *c)
{
    char raw[700], text[1000];
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)body[i]) * 16777619u;
    int head = snprintf(raw, sizeof raw, "%s:%08x:", version, (unsigned)h);
    memcpy(raw + head, body, n);
    base64url(text, raw, (size_t)head + n);
    return agent__cursor_read(str_of(text), STR("epoch"), "customers", c);
}

static void cursors(void)
{
    static const struct { const char *name, *body; enum agent__verdict want; } cases[] = {
        {"inside a pass, behind a key", "epoch:customers:may:1773355267000:-300:900:800:01", AGENT__CURSOR_OK},
        {"a new pass, by key, from the beginning", "epoch:customers:nkn:0:0:0:0:", AGENT__CURSOR_OK},
        {"the furthest offsets", "epoch:customers:nkn:0:1440:0:0:", AGENT__CURSOR_OK},
        {"of another life of the agent", "other:customers:may:0:0:0:0:01", AGENT__CURSOR_EXPIRED},
        {"of another table", "epoch:items:may:0:0:0:0:01", AGENT__CURSOR_MALFORMED},
        {"nothing", "", AGENT__CURSOR_MALFORMED}, {"an epoch alone", "epoch", AGENT__CURSOR_MALFORMED}, {"no table", "epoch:customers", AGENT__CURSOR_MALFORMED},
        {"no flags", "epoch:customers:", AGENT__CURSOR_MALFORMED}, {"two flags", "epoch:customers:ma:0:0:0:0:", AGENT__CURSOR_MALFORMED},
        {"another first flag", "epoch:customers:xay:0:0:0:0:01", AGENT__CURSOR_MALFORMED}, {"another second flag", "epoch:customers:mxy:0:0:0:0:01", AGENT__CURSOR_MALFORMED},
        {"another third flag", "epoch:customers:max:0:0:0:0:", AGENT__CURSOR_MALFORMED}, {"no time", "epoch:customers:may::0:0:0:01", AGENT__CURSOR_MALFORMED},
        {"a time that is none", "epoch:customers:may:x:0:0:0:01", AGENT__CURSOR_MALFORMED}, {"a time alone", "epoch:customers:may:0", AGENT__CURSOR_MALFORMED},
        {"a time before all", "epoch:customers:may:-1:0:0:0:01", AGENT__CURSOR_MALFORMED},
        {"a time beyond 9999", "epoch:customers:may:253402300800000:0:0:0:01", AGENT__CURSOR_MALFORMED}, {"an offset that is none", "epoch:customers:may:0:-:0:0:01", AGENT__CURSOR_MALFORMED},
        {"an offset of more than a day", "epoch:customers:may:0:1441:0:0:01", AGENT__CURSOR_MALFORMED}, {"the same to the west", "epoch:customers:may:0:-1441:0:0:01", AGENT__CURSOR_MALFORMED},
        {"an offset of 2^32", "epoch:customers:may:0:4294967296:0:0:01", AGENT__CURSOR_MALFORMED}, {"no ceiling", "epoch:customers:may:0:0::0:01", AGENT__CURSOR_MALFORMED},
        {"a ceiling below nothing", "epoch:customers:may:0:0:-1:0:01", AGENT__CURSOR_MALFORMED}, {"a position below nothing", "epoch:customers:may:0:0:0:-1:01", AGENT__CURSOR_MALFORMED},
        {"a position that is too large", "epoch:customers:may:0:0:0:99999999999999999999:01", AGENT__CURSOR_MALFORMED}, {"no position", "epoch:customers:may:0:0:0", AGENT__CURSOR_MALFORMED},
        {"a key, and none is said to be there", "epoch:customers:man:0:0:0:0:01", AGENT__CURSOR_MALFORMED},
    };
    struct agent__cursor c;
    char longest[400];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum agent__verdict v = read_cursor("1", cases[i].body, strlen(cases[i].body), &c);
        ok(v == cases[i].want, cases[i].name, "%d", (int)v);
    }
    ok(read_cursor("1", cases[0].body, strlen(cases[0].body), &c) == AGENT__CURSOR_OK && c.mid && c.stamped && c.has_key && c.as_of_ms == 1773355267000 && c.offset_minutes == -300 &&
       c.ceiling == 900 && c.position == 800 && str_is(agent__key_view(&c.key), "01"), "what stands in it", "another thing");
    int n = snprintf(longest, sizeof longest, "epoch:customers:may:0:0:0:0:");
    memset(longest + n, 'k', AGENT_KEY_BYTES + 1);
    ok(read_cursor("1", longest, (size_t)n + AGENT_KEY_BYTES, &c) == AGENT__CURSOR_OK && read_cursor("1", longest, (size_t)n + AGENT_KEY_BYTES + 1, &c) == AGENT__CURSOR_MALFORMED,
       "a key of 240 bytes, not of 241", "otherwise");
    static const struct { const char *version; enum agent__verdict want; } versions[] = {
        {"2", AGENT__CURSOR_EXPIRED}, {"999999999", AGENT__CURSOR_EXPIRED}, {"1000000000", AGENT__CURSOR_MALFORMED}, {"", AGENT__CURSOR_MALFORMED}, {"x", AGENT__CURSOR_MALFORMED}, {"/", AGENT__CURSOR_MALFORMED}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        enum agent__verdict v = read_cursor(versions[i].version, cases[0].body, strlen(cases[0].body), &c);
        ok(v == versions[i].want, "a cursor of another version", "%s: %d", versions[i].version, (int)v);
    }
    static const char *const texts[] = {"", "?", "MTox", "MQ", "MTo", "MTo6", "MTowMDAwMDAwMDo"};      /* nothing; no digit; 1:1, 1, 1:, 1::, 1:00000000: */
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ok(agent__cursor_read(str_of(texts[i]), STR("epoch"), "customers", &c) == AGENT__CURSOR_MALFORMED, "a text that is no cursor", "%s", texts[i]);
    ok(agent__cursor_read((struct str){"MT\0x", 4}, STR("epoch"), "customers", &c) == AGENT__CURSOR_MALFORMED, "a zero byte", "accepted");
    char much[513];
    memset(much, 'A', sizeof much);
    ok(agent__cursor_read((struct str){much, sizeof much}, STR("epoch"), "customers", &c) == AGENT__CURSOR_MALFORMED, "513 characters", "accepted");
}

/* ---- keys ---- */
static void keys(void)
{
    struct agent__key k;
    struct buf b = {0};
    char longest[AGENT_KEY_BYTES + 2];
    memset(longest, 'x', sizeof longest);
    ok(agent__key_of_text(&k, (struct str){longest, AGENT_KEY_BYTES}, 1) && !agent__key_of_text(&k, (struct str){longest, AGENT_KEY_BYTES + 1}, 1), "240 bytes of a key, not 241", "otherwise");
    longest[100] = '~';
    ok(agent__key_of_text(&k, (struct str){longest, AGENT_KEY_BYTES}, 2) && !agent__key_of_text(&k, (struct str){longest, AGENT_KEY_BYTES + 1}, 2), "in two parts too", "otherwise");
    ok(!agent__key_of_text(&k, (struct str){"a\0b", 3}, 1), "a zero byte in a part", "accepted");
    ok(!agent__key_of_text(&k, STR(""), 2) && agent__key_of_text(&k, STR(""), 1) && k.n == 0, "an empty text is one blank part", "not");
    ok(agent__key_part(agent__key_view(&k), 0).n == 0, "which is there", "not");
    agent__key_json(&b, agent__key_view(&k));
    ok_text("a blank key as JSON", buf_view(&b), "[\"\"]");
    buf_clear(&b);
    ok(agent__key_of_text(&k, STR("01~\"~"), 3), "three parts", "refused");
    agent__key_json(&b, agent__key_view(&k));
    ok_text("three parts as JSON", buf_view(&b), "[\"01\",\"\\\"\",\"\"]");
    ok_text("the second", agent__key_part(agent__key_view(&k), 1), "\"");
    ok(agent__key_part(agent__key_view(&k), 2).n == 0, "the third, blank", "not");
    buf_free(&b);
}

/* ---- paths and parameters ---- */
static void paths(void)
{
    static const struct { const char *method, *path; enum agent_at at; bool malformed; } cases[] = {
        {"POST", "/v1/health", AGENT_AT_NOWHERE, false}, {"GET", "/v1/other", AGENT_AT_NOWHERE, false}, {"POST", "/v1/companies", AGENT_AT_NOWHERE, false},
        {"GET", "/v1/companies/ABC", AGENT_AT_NOWHERE, false}, {"GET", "/v1/people/ABC/customers", AGENT_AT_NOWHERE, false}, {"POST", "/v1/companies/ABC/customers/x:batchGet", AGENT_AT_NOWHERE, false},
        {"POST", "/v1/companies/ABC/:batchGet", AGENT_AT_NOWHERE, false}, {"POST", "/v1/companies/ABC/batchGet", AGENT_AT_NOWHERE, false},
        {"POST", "/v1/companies/ABC/customers.batchGet", AGENT_AT_NOWHERE, false}, {"GET", "/v1/companies//customers", AGENT_AT_NOWHERE, false},
        {"GET", "/v1/", AGENT_AT_NOWHERE, false}, {"GET", "/v1/a/b/c/d/e/f", AGENT_AT_NOWHERE, false}, {"GET", "/v1/companies/ABC/customers/%C3%A9", AGENT_AT_ROW, false},
        {"GET", "/v1/companies/ABC/customers/%c3%a9", AGENT_AT_ROW, false}, {"GET", "/v1/companies/ABC/customers/%/3", AGENT_AT_NOWHERE, false},
        {"GET", "/v1/companies/ABC/customers/%:a", AGENT_AT_ROW, true}, {"GET", "/v1/companies/ABC/customers/%Ga", AGENT_AT_ROW, true}, {"GET", "/v1/companies/ABC/customers/%ag", AGENT_AT_ROW, true},
        {"GET", "/v1/companies/ABC/%", AGENT_AT_CHANGED, true}, {"GET", "/v1/companies/ABC/schema/%", AGENT_AT_SCHEMA, true},
    };
    struct arena a;
    char longest[AGENT_TARGET_BYTES + 20];
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct agent_request q = {str_of(cases[i].method), str_of(cases[i].path), {"", 0}, {"", 0}};
        struct agent_route r = agent_route_of(&q, &a);
        ok(r.at == cases[i].at && r.malformed == cases[i].malformed, "a path", "%s %s: %d %d", cases[i].method, cases[i].path, (int)r.at, r.malformed);
    }
    int n = snprintf(longest, sizeof longest, "/v1/companies/ABC/");
    memset(longest + n, 'x', sizeof longest - (size_t)n);
    struct agent_request q = {STR("GET"), {longest, AGENT_TARGET_BYTES}, {"", 0}, {"", 0}};
    ok(agent_route_of(&q, &a).at == AGENT_AT_CHANGED, "an address of 4,096 bytes", "refused");
    q.path.n++;
    ok(agent_route_of(&q, &a).at == AGENT_AT_NOWHERE, "a longer one", "accepted");
    arena_free(&a);
}

static void parameters(void)
{
    static const struct { const char *query; int want; const char *value; } cases[] = {
        {"", 0, ""}, {"other=1", 0, ""}, {"limit=25", 1, "25"}, {"a=b&limit=25&c", 1, "25"}, {"&&limit=25&", 1, "25"}, {"limit", 1, ""}, {"limit=", 1, ""}, {"limit=a%3Db", 1, "a=b"},
        {"limit=1&limit=1", -1, ""}, {"limit=%", -1, ""}, {"limit=%00", -1, ""}, {"limits=1", 0, ""}, {"=1", 0, ""},
    };
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str v = {"", 0};
        int found = agent__query(str_of(cases[i].query), "limit", &a, &v);
        ok(found == cases[i].want && (found != 1 || str_is(v, cases[i].value)), "a parameter", "%s: %d '%.*s'", cases[i].query, found, (int)v.n, v.p);
    }
    arena_free(&a);
}

int main(void)
{
    cursors();
    keys();
    paths();
    parameters();
    return ok_done();
}
