/* garbage_test.c - calls that are answered with something else than they asked for: counts, the organisation, modules, fields, users, records and results of
 * bulk jobs. Nothing is concluded from what cannot be read; the rest is the model's answer, so that one part at a time is wrong. */
#include "routes.h"

static struct rig r;
static void begin(void) { routes_open(&r, "enterprise"); }

#define OF(text) (int)(text).n, (text).p ? (text).p : ""
static bool refused(enum err e, const char *words) { return e == ERR_PROTOCOL && strstr(r.f.text, words) != NULL; }

/* ---- status and body ---- */

static void test_empty_answers(void)
{
    static const struct { int status; const char *body, *words; } cases[] = {
        {200, "", "the answer is 200 and empty"}, {202, "", "the answer is 202 and empty"}, {206, "", "the answer is 206 and empty"}, {304, "", "Zoho answered 304 without a code"},
        {304, "{\"data\":[]}", "Zoho answered 304 without a code"}, {199, "", "Zoho answered 199 without a code"}, {302, "", "Zoho answered 302 without a code"}};
    struct lookup_hit *hits;
    size_t n;
    struct str value = STR("A");
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[80];
        say("/coql", cases[i].status, cases[i].body);
        enum err e = zoho__lookup(r.t, STR("Accounts"), STR("Account_Name"), &value, 1, NULL, 0, &r.arena, &hits, &n, &r.f);
        snprintf(name, sizeof name, "a lookup answered %d and \"%s\" found nothing out", cases[i].status, cases[i].body);
        check(refused(e, cases[i].words), name, r.f.text);
    }
    say("/coql", 204, "");
    enum err e = zoho__lookup(r.t, STR("Accounts"), STR("Account_Name"), &value, 1, NULL, 0, &r.arena, &hits, &n, &r.f);
    check(e == ERR_OK && n == 0, "204 is the word for nothing", r.f.text);
    static const struct { int status; const char *body; enum err want; const char *words; } errors[] = {
        {403, "", ERR_PERMISSION, "403 without a code"}, {404, "x", ERR_PROTOCOL, "404 without a code"}, {500, "", ERR_BUSY, "no attempt is left"}, {501, "", ERR_UNREACHABLE, "501 without a code"},
        {505, "", ERR_UNREACHABLE, "505 without a code"}, {400, "{\"code\":\"A_CODE_OF_TOMORROW\",\"message\":\"m\"}", ERR_PROTOCOL, "A_CODE_OF_TOMORROW (m)"},
        {400, "{\"code\":\"NO_PERMISSION\",\"message\":\"m\",\"details\":{\"param_name\":\"p\"}}", ERR_PERMISSION, "NO_PERMISSION on p (m): "}};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        say("/coql", errors[i].status, errors[i].body);
        e = zoho__lookup(r.t, STR("Accounts"), STR("Account_Name"), &value, 1, NULL, 0, &r.arena, &hits, &n, &r.f);
        char name[80];
        snprintf(name, sizeof name, "a lookup answered %d", errors[i].status);
        check(e == errors[i].want && strstr(r.f.text, errors[i].words), name, arena_printf(&r.arena, "%d %s", e, r.f.text));
    }
    rig_close(&r);
}

/* ---- descriptions ---- */

static void test_counts_and_organisations(void)
{
    static const struct { const char *body; int64_t want; } counts[] = {{"{\"count\":7}", 7}, {"{\"count\":\"7\"}", -1}, {"{\"count\":7.5}", -1}, {"{}", -1}, {"7", -1}, {"{\"count\":", -1}, {"[]", -1}};
    int64_t n;
    begin();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        say("/actions/count", 200, counts[i].body);
        enum err e = zoho__count(r.t, STR("Accounts"), &n, &r.f);
        check(counts[i].want < 0 ? e == ERR_PROTOCOL && n == 0 : e == ERR_OK && n == counts[i].want, counts[i].body, r.f.text);
    }
    static const struct { const char *body, *edition; } orgs[] = {
        {"{\"org\":[]}", NULL}, {"{\"org\":[null]}", NULL}, {"{\"org\":{}}", NULL}, {"{}", NULL}, {"{\"org\":[{\"license_details\":{}}]}", "free"}, {"{\"org\":[{}]}", "free"},
        {"{\"org\":[{\"license_details\":{\"paid\":true,\"paid_type\":\"professional\"}}]}", "professional"}, {"{\"org\":[{\"license_details\":{\"paid\":true,\"paid_type\":\"galactic\"}}]}", ""},
        {"{\"org\":[{\"license_details\":{\"paid\":\"yes\",\"trial_type\":\"enterprise\",\"trial_expiry\":\"2026-12-01\"}}]}", "enterprise"}};
    const struct describe_sink none = {NULL, NULL};
    for (size_t i = 0; i < sizeof orgs / sizeof *orgs; i++) {
        struct str edition = STR("?");
        say("/org", 200, orgs[i].body);
        r.t->meta.org = (struct zoho_org){.known = false};
        enum err e = zoho__org(r.t, &r.f);
        check(orgs[i].edition ? e == ERR_OK : refused(e, "holds no organisation"), orgs[i].body, r.f.text);
        if (!orgs[i].edition) continue;
        say("/settings/modules", 200, "{\"modules\":[{\"api_name\":1}]}");
        zoho__forget(r.t);
        struct describe_sink sink = none;
        struct str standard[20];
        size_t ns = 0;
        while ((standard[ns] = zoho__standard_module(ns)).n) ns++;
        r.t->meta.modules = ARENA_ARRAY(&r.arena, struct zoho_module, ns);
        for (size_t k = 0; k < ns; k++) r.t->meta.modules[k] = (struct zoho_module){.name = standard[k], .supported = true, .loaded = true};
        r.t->meta.nmodules = ns;
        r.t->meta.listed = true;
        e = zoho__describe(r.t, NULL, 0, &r.arena, &edition, &sink, &r.f);
        check(e == ERR_OK && str_is(edition, orgs[i].edition), "its edition", arena_printf(&r.arena, "%.*s %s", OF(edition), r.f.text));
    }
    rig_close(&r);
}

static void add_text(void *ctx, const struct described_entity *e)
{
    struct buf *b = ctx;
    buf_printf(b, "%.*s%s{", OF(e->name), e->missing ? " missing" : "");
    for (size_t i = 0; i < e->nfields; i++) {
        const struct described_field *f = &e->fields[i];
        buf_printf(b, "%s%.*s:%s", i ? " " : "", OF(f->name), f->type);
        if (f->length) buf_printf(b, "(%lld)", (long long)f->length);
        if (f->digits) buf_printf(b, "(%u,%u)", f->digits, f->scale);
        if (f->module.n) buf_printf(b, "->%.*s", OF(f->module));
        for (size_t k = 0; k < f->nvalues; k++) buf_printf(b, "%c%.*s", k ? '|' : '=', OF(f->values[k]));
        buf_printf(b, "%s%s%s%s%s", f->required ? "!" : "", f->unique ? "u" : "", f->custom ? "c" : "", f->no_insert ? "-i" : "", f->no_update ? "-u" : "");
    }
    buf_byte(b, '}');
}

static const char *described(const char *fields, const struct str *modules, size_t n)
{
    struct buf b = {0};
    struct str edition;
    struct describe_sink sink = {add_text, &b};
    if (fields) say("/settings/fields", 200, fields);
    zoho__forget(r.t);
    enum err e = zoho__describe(r.t, modules, n, &r.arena, &edition, &sink, &r.f);
    const char *text = e == ERR_OK ? arena_copy(&r.arena, b.p ? b.p : "", b.n) : arena_printf(&r.arena, "error %s", r.f.text);
    buf_free(&b);
    return text;
}

#define F(name, type, more) "{\"api_name\":\"" name "\",\"data_type\":\"" type "\"" more "},"
static const struct { const char *field, *want; } fields[] = {
        {F("A", "text", ",\"length\":10"), "A:text(10)"}, {F("A", "text", ""), "A:other"}, {F("A", "text", ",\"length\":\"10\""), "A:other"}, {F("A", "text", ",\"length\":-1"), "A:other"},
        {F("A", "integer", ",\"length\":9,\"decimal_place\":2"), "A:decimal(9,0)"}, {F("A", "double", ",\"length\":16,\"decimal_place\":2"), "A:decimal(16,2)"},
        {F("A", "double", ",\"length\":16"), "A:decimal(16,0)"}, {F("A", "double", ",\"length\":16,\"decimal_place\":null"), "A:decimal(16,0)"}, {F("A", "currency", ",\"length\":0"), "A:other"},
        {F("A", "currency", ",\"length\":39"), "A:other"}, {F("A", "percent", ",\"length\":30,\"decimal_place\":13"), "A:other"}, {F("A", "percent", ",\"length\":3,\"decimal_place\":4"), "A:other"},
        {F("A", "boolean", ""), "A:bool"}, {F("A", "date", ""), "A:date"}, {F("A", "datetime", ""), "A:instant"}, {F("A", "event_reminder", ""), "A:other"},
        {F("A", "lookup", ",\"lookup\":{\"module\":{\"api_name\":\"Accounts\"}}"), "A:link->Accounts"}, {F("A", "lookup", ",\"lookup\":{\"module\":\"Deals\"}"), "A:link->Deals"},
        {F("A", "lookup", ",\"lookup\":{\"module\":7}"), "A:other"}, {F("A", "lookup", ",\"lookup\":{}"), "A:other"}, {F("A", "ownerlookup", ""), "A:link->users"}, {F("A", "userlookup", ""), "A:link->users"},
        {F("A", "picklist", ",\"pick_list_values\":[{\"actual_value\":\"x\"},{\"display_value\":\"y\"},{\"actual_value\":\"z\",\"type\":\"unused\"},{},null,{\"actual_value\":\"-None-\"}]"), "A:picklist=x|y"},
        {F("A", "picklist", ",\"pick_list_values\":[{\"actual_value\":\"-None-\"}]"), "A:other"}, {F("A", "picklist", ""), "A:other"},
        {F("A", "date", ",\"unique\":{\"case_sensitive\":true}"), "A:dateu"}, {F("A", "date", ",\"unique\":{}"), "A:date"}, {F("A", "date", ",\"unique\":true"), "A:date"},
        {F("A", "date", ",\"system_mandatory\":true,\"custom_field\":true"), "A:date!c"}, {F("A", "date", ",\"read_only\":true"), "A:date-i-u"}, {F("A", "date", ",\"field_read_only\":true"), "A:date-i-u"},
        {F("A", "date", ",\"operation_type\":{\"api_create\":false}"), "A:date-i"}, {F("A", "date", ",\"operation_type\":{\"api_update\":false}"), "A:date-u"}, {F("A", "date", ",\"operation_type\":[]"), "A:date"},
        {F("A", "date", ",\"auto_number\":{}"), "A:date"}, {F("A", "date", ",\"auto_number\":{\"prefix\":\"X\"}"), "A:date-i-u"}, {F("A", "date", ",\"auto_number\":\"X\""), "A:date"}};

static void test_modules_and_fields(void)
{
    static const char *const bad_lists[] = {"{\"modules\":[]}", "{\"modules\":{}}", "{\"modules\":null}", "{}", "[]"};
    const struct str accounts[] = {STR("Accounts"), STR("users"), STR("Accounts"), STR("Nowhere")};
    begin();
    for (size_t i = 0; i < sizeof bad_lists / sizeof *bad_lists; i++) {
        say("/settings/modules", 200, bad_lists[i]);
        check(strstr(described(NULL, accounts, 1), "list of modules: the answer holds none") != NULL, bad_lists[i], r.f.text);
    }
    say("/settings/modules", 200, "{\"modules\":[");
    check(strstr(described(NULL, accounts, 1), "list of modules: the answer is no JSON") != NULL, "a cut list of modules", r.f.text);
    struct buf list = {0};
    struct str name;
    buf_puts(&list, "{\"modules\":[null,{\"api_name\":7},{\"api_name\":\"Leads\",\"api_supported\":false}");
    for (size_t i = 0; (name = zoho__standard_module(i)).n; i++)
        if (!str_is(name, "Leads")) buf_printf(&list, ",{\"api_name\":\"%.*s\",\"profiles\":[{\"id\":\"1\"},{\"id\":2},null,{}]}", OF(name));
    buf_puts(&list, "]}");
    say("/settings/modules", 200, buf_cstr(&list));
    static const char *const bad_fields[] = {"{\"fields\":[]}", "{\"fields\":{}}", "{}", "[]"};
    for (size_t i = 0; i < sizeof bad_fields / sizeof *bad_fields; i++)
        check(strstr(described(bad_fields[i], accounts, 1), "fields of Accounts: the answer holds none") != NULL, bad_fields[i], r.f.text);
    struct zoho_module *m = zoho__module(r.t, STR("Accounts"));
    check(m && m->nprofiles == 1 && m->supported && m->creatable && !m->loaded, "a module's flags when Zoho leaves them out", "others");
    check(strcmp(described("{\"fields\":[null]}", accounts, 4), "Accounts{:other}Nowhere missing{}Leads missing{}") == 0, "who is asked for, once each, and a standard module that is not there",
          described(NULL, accounts, 4));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *body = arena_printf(&r.arena, "{\"fields\":[%s{}]}", fields[i].field), *want = arena_printf(&r.arena, "Accounts{%s :other}Leads missing{}", fields[i].want);
        const char *got = described(body, accounts, 1);
        check(strcmp(got, want) == 0, fields[i].field, got);
    }
    described("{\"fields\":[" F("S", "subform", ",\"associated_module\":{\"module\":\"Lines\"}") F("T", "subform", ",\"subform\":{\"module\":\"Others\"}") "{}]}", accounts, 1);
    m = zoho__module(r.t, STR("Accounts"));
    check(m && str_is(zoho__field(m, STR("S"))->rows_module, "Lines") && str_is(zoho__field(m, STR("T"))->rows_module, "Others") && !zoho__field(m, STR("U")),
          "the module of a subform's rows, by either name", "another");
    check(zoho__fields(r.t, STR("Nowhere"), &m, &r.f) == ERR_CONFIG, "fields of a module that is not there", r.f.text);
    say("/settings/fields", 500, "");
    check(strstr(described(NULL, accounts, 1), "fields of a module") != NULL, "no fields, no description", r.f.text);
    say("/settings/modules", 403, "{\"code\":\"NO_PERMISSION\",\"message\":\"m\"}");
    check(strstr(described(NULL, accounts, 1), "NO_PERMISSION") != NULL && zoho__fields(r.t, accounts[0], &m, &r.f) == ERR_PERMISSION, "no modules, no fields", r.f.text);
    r.t->meta.org.known = false;
    say("/org", 200, "[]");
    check(strstr(described(NULL, accounts, 1), "no organisation") != NULL, "no organisation, no description", "one");
    buf_free(&list);
    rig_close(&r);
}

/* ---- people ---- */

static const char *people(const char *field, const char *value)
{
    struct str v = str_of(value), want[] = {STR("id"), STR("email"), STR("full_name"), STR("name"), STR("status"), STR("Zip")};
    struct lookup_hit *hits;
    size_t n;
    struct buf b = {0};
    enum err e = zoho__lookup(r.t, STR("Users"), str_of(field), &v, 1, want, 6, &r.arena, &hits, &n, &r.f);
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        buf_printf(&b, "%s%.*s(", i ? " " : "", OF(hits[i].id));
        for (size_t k = 0; k < hits[i].fields.n; k++) {
            if (k) buf_byte(&b, ',');
            value_print(&b, &hits[i].fields.f[k].v);
        }
        buf_byte(&b, ')');
    }
    const char *text = e == ERR_OK ? arena_copy(&r.arena, b.p ? b.p : "", b.n) : arena_printf(&r.arena, "error %s", r.f.text);
    buf_free(&b);
    return text;
}

static void test_users(void)
{
    static const struct { const char *body, *want; } bad[] = {
        {"{}", "holds no list"}, {"[]", "holds no list"}, {"{\"users\":{}}", "holds no list"}, {"{\"users\":[", "holds no list"}, {"{\"users\":[{}]}", "a user without an id"},
        {"{\"users\":[{\"id\":\"1\"},{\"id\":2}]}", "a user without an id"}, {"{\"users\":[null]}", "a user without an id"}};
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        say("/users?", 200, bad[i].body);
        check(strstr(people("email", "A@x.test"), bad[i].want) != NULL, bad[i].body, people("email", "A@x.test"));
    }
    say("/users?", 200, "{\"users\":[{\"id\":\"1\"}],\"info\":{\"more_records\":true}}");
    const char *got = people("email", "A@x.test");
    check(strstr(got, "more than 20000 users") != NULL && routes.list[0].asked == 100, "a list without end is read to a bound", got);
    say("/users?", 200, "{\"users\":[{\"id\":\"1\",\"email\":\"a@x.test\",\"full_name\":\"Ann\",\"status\":\"active\"},{\"id\":\"2\",\"email\":5}],\"info\":{\"more_records\":\"true\"}}");
    check(strcmp(people("email", "A@X.test"), "1(1,a@x.test,Ann,Ann,active)") == 0, "addresses without regard to case", people("email", "A@X.test"));
    check(strcmp(people("full_name", "ann"), "") == 0 && strcmp(people("name", "Ann"), "1(1,a@x.test,Ann,Ann,active)") == 0, "names with", people("name", "Ann"));
    check(strcmp(people("id", "2"), "2(2,(none),(none),(none),(none))") == 0 && strcmp(people("STATUS", "active"), "1(1,a@x.test,Ann,Ann,active)") == 0, "by id, by status", people("id", "2"));
    check(strstr(people("Zip", "1"), "not by Zip") != NULL, "by nothing else", people("Zip", "1"));
    struct str id = STR("2");
    struct lookup_hit *hits;
    size_t n;
    check(zoho__read(r.t, STR("users"), &id, 1, NULL, 0, &r.arena, &hits, &n, &r.f) == ERR_OK && n == 1 && hits[0].fields.n == 0, "one of them by id, without fields", r.f.text);
    r.now += 1000000;
    say("/users?", 204, "");
    check(strcmp(people("email", "a@x.test"), "") == 0, "nobody", people("email", "a@x.test"));
    rig_close(&r);
}

int main(void)
{
    test_empty_answers();
    test_counts_and_organisations();
    test_modules_and_fields();
    test_users();
    return failures ? 1 : 0;
}
