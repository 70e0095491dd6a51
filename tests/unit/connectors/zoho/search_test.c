/* search_test.c - looking records up, reading and walking them when the answers are not what was asked for: other records than those asked for, the same ones twice,
 * pages without end, queries that are not understood, ids that are none, names that no field has. */
#include "routes.h"
#include "value/decimal.h"

static struct rig r;
#define OF(text) (int)(text).n, (text).p
#define FIELDS "{\"fields\":[{\"api_name\":\"Name\",\"data_type\":\"text\"},{\"api_name\":\"No\",\"data_type\":\"integer\"},{\"api_name\":\"Items\",\"data_type\":\"subform\"}]}"

static const char *hits_text(enum err e, const struct lookup_hit *hits, size_t n)
{
    struct buf b = {0};
    if (e != ERR_OK) return arena_printf(&r.arena, "error %d %s", e, r.f.text);
    for (size_t i = 0; i < n; i++) buf_printf(&b, "%s%zu:%.*s(%zu)", i ? " " : "", hits[i].value_index, OF(hits[i].id), hits[i].fields.n);
    const char *text = arena_copy(&r.arena, b.p ? b.p : "", b.n);
    buf_free(&b);
    return text;
}

static const char *looked(const char *field, const struct str *values, size_t n)
{
    struct lookup_hit *hits;
    size_t nhits;
    const struct str want[] = {STR("id"), STR("Name")};
    enum err e = zoho__lookup(r.t, STR("Accounts"), str_of(field), values, n, want, 2, &r.arena, &hits, &nhits, &r.f);
    return hits_text(e, hits, nhits);
}

static const char *read_of(const struct str *ids, size_t n, const struct str *want, size_t nwant)
{
    struct lookup_hit *hits;
    size_t nhits;
    enum err e = zoho__read(r.t, STR("Accounts"), ids, n, want, nwant, &r.arena, &hits, &nhits, &r.f);
    return hits_text(e, hits, nhits);
}

static const char *walked(const char *module, const char *field, const char *after, const struct str *want, size_t nwant)
{
    struct lookup_hit *hits;
    size_t nhits;
    bool more;
    enum err e = zoho__scan(r.t, str_of(module), str_of(field), str_of(after), want, nwant, &r.arena, &hits, &nhits, &more, &r.f);
    const char *text = hits_text(e, hits, nhits);
    return more ? arena_printf(&r.arena, "%s +", text) : text;
}

static void is(const char *got, const char *want, const char *name) { check(strcmp(got, want) == 0, name, got); }
static void holds(const char *got, const char *want, const char *name) { check(strstr(got, want) != NULL, name, got); }

static void test_values(void)
{
    const struct str ab[] = {STR("A"), STR("B")}, quoted = STR("O'Neil\\"), control = STR("a\tb(),\\"), rest = STR("a\x7f"), bad[] = {STR(""), STR("\xff")}, numbers[] = {STR("7"), STR("x"), STR("7.0")};
    routes_open(&r, "enterprise");
    say("/settings/fields", 200, FIELDS);
    struct route *coql = say("/coql", 200, "{\"data\":[{\"id\":\"1\",\"Name\":\"A\"},{\"id\":\"2\",\"Name\":\"a\"},{\"id\":\"3\",\"Name\":\"C\"},{\"id\":\"1\",\"Name\":\"A\"},{\"id\":\"4\"},{\"id\":\"5\",\"Name\":true}]}");
    is(looked("Name", ab, 2), "0:1(2)", "only what holds the value, byte by byte, and once");
    say("/coql", 200, "{\"data\":[{\"id\":\"1\",\"No\":7},{\"id\":\"2\",\"No\":\"7\"},{\"id\":\"3\",\"No\":8},{\"id\":\"4\",\"No\":\"x\"}]}");
    is(looked("No", numbers, 3), "0:1(2) 2:1(2) 0:2(2) 2:2(2) 1:4(2)", "numbers by their value");
    coql = say("/coql", 200, "{\"data\":[]}");
    is(looked("Name", bad, 2), "", "what no record can hold is not asked for");
    check(coql->asked == 0, "without a call", "asked");
    is(looked("Name", ab, 0), "", "nothing is looked up");
    coql = say("/coql", 200, "{\"data\":[{\"id\":\"1\",\"Name\":\"A\"}],\"info\":{\"more_records\":true}}");
    holds(looked("Name", ab, 2), "records of Accounts hold the values looked up in Name", "pages without end are left");
    check(coql->asked == ZOHO_LOOKUP_ROWS / ZOHO_COQL_ROWS, "at the bound", arena_printf(&r.arena, "%u", coql->asked));
    say("/coql", 200, "{\"data\":[{\"id\":\"1\",\"Name\":");
    holds(looked("Name", ab, 2), "cannot be read", "a page that is cut");
    say("/coql", 400, "{\"code\":\"SYNTAX_ERROR\",\"message\":\"m\"}");
    holds(looked("Name", ab, 2), "SYNTAX_ERROR", "a plain query that is not understood");
    struct route *search = say("/search", 200, "{\"data\":[{\"id\":\"1\",\"Name\":\"O'Neil\\\\\"}]}");
    is(looked("Name", &quoted, 1), "0:1(2)", "an escaped one goes to search");
    say("/coql", 400, "{\"code\":\"INVALID_QUERY\",\"message\":\"m\"}");
    is(looked("Name", &quoted, 1), "0:1(2)", "by either word");
    say("/coql", 400, "{\"code\":\"INVALID_DATA\",\"message\":\"m\"}");
    holds(looked("Name", &quoted, 1), "INVALID_DATA", "another refusal is one");
    say("/coql", 403, "{\"code\":\"SYNTAX_ERROR\",\"message\":\"m\"}");
    holds(looked("Name", &quoted, 1), "SYNTAX_ERROR", "and another status");
    say("/search", 200, "{\"data\":[{\"id\":\"1\",\"Name\":\"a\\tb(),\\\\\"},{\"id\":\"2\",\"Name\":\"a\"}]}");
    is(looked("Name", &control, 1), "0:1(2)", "control characters go to search");
    holds(r.last_url, "equals%3Aa%09b%5C%28%5C%29%5C%2C%5C%5C%29", "escaped as search wants it");
    say("/search", 204, "");
    is(looked("Name", &rest, 1), "", "which finds nothing");
    search = say("/search", 200, "{\"data\":[],\"info\":{\"more_records\":true}}");
    holds(looked("Name", &rest, 1), "search in Accounts finds more than", "pages without end there");
    check(search->asked > 1, "at a bound", "1");
    say("/search", 200, "[]");
    holds(looked("Name", &rest, 1), "cannot be read", "garbage there");
    say("/search", 403, "");
    holds(looked("Name", &rest, 1), "403", "a refusal there");
    rig_close(&r);
}

static void test_names(void)
{
    static const char *const bad[] = {"", "a b", "a'b", "a\"", "a;b", "a`", "a{", "a[", "a@", "\xc3\xbc", "a-b", "a/b", "a:b"};
    const struct str v = STR("A"), id = STR("1");
    struct lookup_hit *hits;
    size_t n;
    char long_name[120];
    memset(long_name, 'n', 101);
    long_name[101] = '\0';
    routes_open(&r, "enterprise");
    say("/settings/fields", 200, FIELDS);
    for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
        struct str name = str_of(i < sizeof bad / sizeof *bad ? bad[i] : long_name);
        unsigned before = r.requests;
        enum err e[] = {zoho__lookup(r.t, name, STR("Name"), &v, 1, NULL, 0, &r.arena, &hits, &n, &r.f), zoho__lookup(r.t, STR("Accounts"), name, &v, 1, NULL, 0, &r.arena, &hits, &n, &r.f),
                        zoho__lookup(r.t, STR("Accounts"), STR("Name"), &v, 1, &name, 1, &r.arena, &hits, &n, &r.f), zoho__read(r.t, name, &id, 1, NULL, 0, &r.arena, &hits, &n, &r.f),
                        zoho__read(r.t, STR("Accounts"), &id, 1, &name, 1, &r.arena, &hits, &n, &r.f)};
        bool all = true;
        for (size_t k = 0; k < 5; k++) all = all && e[k] == ERR_CONFIG;
        check(all && r.requests == before, arena_printf(&r.arena, "no call with the name \"%.*s\"", OF(name)), r.f.text);
        holds(walked(arena_copy(&r.arena, name.p, name.n), "Name", "", NULL, 0), "cannot be walked", "no walk over it");
        holds(walked("Accounts", arena_copy(&r.arena, name.p, name.n), "", NULL, 0), "cannot be walked", "nor along it");
        holds(walked("Accounts", "Name", "", &name, 1), "cannot be walked", "nor for it");
    }
    holds(looked("$x.y_Z9", &v, 1), "has no field $x.y_Z9", "a name that could be one");
    is(looked("id", &v, 1), "", "an id that is none");
    rig_close(&r);
}

static void test_reads(void)
{
    const struct str ids[] = {STR("1"), STR("2"), STR("x"), STR("12345678901234567890"), STR("1")}, wide[] = {STR("Name"), STR("Items"), STR("id")}, narrow[] = {STR("Name"), STR("id")};
    routes_open(&r, "enterprise");
    say("/settings/fields", 200, FIELDS);
    say("/Accounts?ids=", 200, "{\"data\":[{\"id\":\"2\",\"Name\":\"B\"},{\"id\":\"9\",\"Name\":\"C\"},{\"id\":\"2\",\"Name\":\"D\",\"More\":1}]}");
    is(read_of(ids, 4, narrow, 2), "1:2(3)", "records that nobody asked for are left, twice is once");
    holds(r.last_url, "ids=1%2C2&fields=id%2CName&", "ids that are none are not asked for");
    is(read_of(ids + 2, 2, narrow, 2), "", "none but such: no call");
    is(read_of(ids, 0, narrow, 2), "", "no id");
    say("/Accounts?ids=", 200, "{\"data\":[{\"id\":2}]}");
    holds(read_of(ids, 2, narrow, 2), "cannot be read", "an id that is a number");
    say("/Accounts?ids=", 403, "");
    holds(read_of(ids, 2, narrow, 2), "403", "a refusal");
    struct route *one = say("/Accounts/1", 200, "{\"data\":[{\"id\":\"1\",\"Name\":\"B\",\"Items\":[{\"id\":\"7\"}]}]}");
    static const struct { int status; const char *body, *want; } seconds[] = {
        {200, "{\"data\":[{\"id\":\"2\",\"Name\":\"B\"}]}", "0:1(3) 1:2(2)"}, {200, "{\"data\":[{\"id\":\"3\",\"Name\":\"B\"}]}", "0:1(3)"}, {200, "{\"data\":[]}", "0:1(3)"}, {204, "", "0:1(3)"},
        {200, "{\"data\":[{\"id\":\"2\"},{\"id\":\"2\"}]}", "0:1(3)"}, {404, "", "0:1(3)"}, {404, "{\"code\":\"INVALID_URL_PATTERN\",\"message\":\"m\"}", "0:1(3)"},
        {400, "{\"code\":\"INVALID_DATA\",\"message\":\"m\"}", "0:1(3)"}, {400, "{\"code\":\"NO_PERMISSION\",\"message\":\"m\"}", "error"}, {403, "{\"code\":\"INVALID_DATA\",\"message\":\"m\"}", "error"},
        {200, "{\"data\":[{\"id\":\"2\",\"Items\":[{}]}]}", "error"}};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        say("/Accounts/2", seconds[i].status, seconds[i].body);
        const char *got = read_of(ids, 4, wide, 3);
        check(strncmp(got, seconds[i].want, strlen(seconds[i].want)) == 0 && (seconds[i].want[0] == 'e' || strcmp(got, seconds[i].want) == 0),
              arena_printf(&r.arena, "the second of two with lines: %d %s", seconds[i].status, seconds[i].body), got);
    }
    check(one->asked == sizeof seconds / sizeof *seconds, "the first is asked for each time", "not");
    rig_close(&r);
}

static void test_wide_lookups(void)
{
    struct str value = STR("A"), want[60];
    struct lookup_hit *hits;
    size_t n;
    routes_open(&r, "enterprise");
    say("/settings/fields", 200, FIELDS);
    say("/coql", 200, "{\"data\":[{\"id\":\"1\",\"Name\":\"A\"},{\"id\":\"2\",\"Name\":\"A\"}]}");
    struct route *list = say("/Accounts?ids=", 200, "{\"data\":[{\"id\":\"2\",\"Name\":\"A\",\"f1\":1}]}");
    for (size_t i = 0; i < 60; i++) want[i] = str_of(arena_printf(&r.arena, "f%zu", i));
    enum err e = zoho__lookup(r.t, STR("Accounts"), STR("Name"), &value, 1, want, 60, &r.arena, &hits, &n, &r.f);
    is(hits_text(e, hits, n), "0:1(2) 0:2(3)", "more fields than a query takes are read by id");
    check(list->asked == 2, "in two calls", "another number");
    say("/Accounts?ids=", 403, "");
    e = zoho__lookup(r.t, STR("Accounts"), STR("Name"), &value, 1, want, 60, &r.arena, &hits, &n, &r.f);
    holds(hits_text(e, hits, n), "403", "or not at all");
    rig_close(&r);
}

static void test_walks(void)
{
    struct str want[60];
    routes_open(&r, "enterprise");
    say("/settings/fields", 200, FIELDS);
    for (size_t i = 0; i < 60; i++) want[i] = str_of(i == 0 ? "id" : i == 1 ? "Name" : arena_printf(&r.arena, "f%zu", i));
    say("/coql", 200, "{\"data\":[{\"id\":\"1\",\"Name\":\"A\"}],\"info\":{\"more_records\":true}}");
    is(walked("Accounts", "Name", "", want, 3), "0:1(2) +", "a page, and more");
    check(r.last_body && strstr(r.last_body, "\"select id, Name, f2 from Accounts where Name is not null order by id asc limit 0, 200\""), "each column once", r.last_body);
    is(walked("Accounts", "Name", "7", want, 0), "0:1(2) +", "behind an id");
    check(r.last_body && strstr(r.last_body, "and id > '7' order"), "that is asked for", r.last_body);
    say("/coql", 200, "{\"data\":[],\"info\":{\"more_records\":true}}");
    is(walked("Accounts", "Name", "", NULL, 0), "", "no row and more of them is the end");
    say("/coql", 200, "{\"data\":[");
    holds(walked("Accounts", "Name", "", NULL, 0), "cannot be read", "a page that is cut");
    say("/coql", 403, "");
    holds(walked("Accounts", "Name", "", NULL, 0), "403", "a refusal");
    holds(walked("Accounts", "Name", "x", NULL, 0), "cannot be walked", "behind no id");
    holds(walked("Accounts", "Name", "12345678901234567890", NULL, 0), "cannot be walked", "behind a number of 20 digits");
    holds(walked("Accounts", "Name", "", want, 49), "too many fields", "for 49 fields");
    holds(walked("Nowhere", "Name", "", NULL, 0), "no module Nowhere", "a module that is not there");
    rig_close(&r);
}

int main(void)
{
    test_values();
    test_names();
    test_reads();
    test_wide_lookups();
    test_walks();
    return failures ? 1 : 0;
}
