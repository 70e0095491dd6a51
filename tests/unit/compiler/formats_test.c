/* formats_test.c - what mlc check says to tools: SARIF, GitHub's workflow commands, JUnit XML, JSON with fixes, colour. The outputs are read back
 * with jansson and libxml2, not with our own writers; every fix is applied and has to do away with its diagnostic. */
#include "compiler/compile.h"
#include "dsl/junit.h"
#include "dsl/sarif.h"
#include "tests/unit/value/ok.h"
#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <unistd.h>

static struct world world;
static struct arena arena;
static char dir[] = "/tmp/mlc-formats-XXXXXX";

#define HEAD "mlc 1\nspec \"x\"\nimport sage100\nimport zoho_crm\nsource erp: sage100 { company = \"ABC\" agent = env(\"A\") token = secret(\"t\") timezone = \"UTC\" }\n" \
             "target crm: zoho_crm { region = us edition = professional login = secret(\"z\") }\n" \
             "extend crm.Accounts { Sage_Customer: text(60) @unique  Old_Key: text(20)  Credit_Status: one of(\"Good\", \"On hold\")  Open_Balance: decimal(15,2) }\n" \
             "flow customers from erp.AR_Customer to crm.Accounts {\n  every 15m\n  key Sage_Customer\n"
#define NAMED "  Account_Name = CustomerName ?? reject \"no name\"\n"

static const char *save(const char *name, const char *text)
{
    struct fault f;
    const char *path = arena_printf(&arena, "%s/%s", dir, name);
    if (world_write_file(&world, path, str_of(text), 0600, &f) != ERR_OK) ok(false, name, "%s", f.text);
    return path;
}

/* What mlc check prints for a spec. */
static const char *said(const char *text, enum diag_format format, bool color)
{
    struct compile c;
    struct fault f = {0};
    struct buf b = {0};
    const char *out = "";
    if (compile_open(&c, &world, save("a:b,c%d.mlc", text), &f) != ERR_OK) {
        ok(false, "opened", "%s", f.text);
        return out;
    }
    diags_print(&c.diags, format, color, &b);
    out = arena_copy(&arena, b.p ? b.p : "", b.n);
    buf_free(&b);
    compile_close(&c);
    return out;
}

/* ---- sarif: what the standard asks of every object that we write ---- */

static bool region_fine(json_t *r)
{
    json_int_t line = json_integer_value(json_object_get(r, "startLine")), column = json_integer_value(json_object_get(r, "startColumn"));
    json_t *end_line = json_object_get(r, "endLine"), *end_column = json_object_get(r, "endColumn");
    if (line < 1 || (json_object_get(r, "startColumn") && column < 1)) return false;
    if (end_line && json_integer_value(end_line) <= line) return false;
    return !end_column || end_line || json_integer_value(end_column) >= column;
}

static bool location_fine(json_t *l)
{
    json_t *p = json_object_get(l, "physicalLocation");
    const char *uri = json_string_value(json_object_get(json_object_get(p, "artifactLocation"), "uri"));
    return uri && !strpbrk(uri, " \\\"<>") && region_fine(json_object_get(p, "region"));
}

static bool fix_fine(json_t *f)
{
    json_t *change = json_array_get(json_object_get(f, "artifactChanges"), 0), *r = json_array_get(json_object_get(change, "replacements"), 0);
    return json_is_string(json_object_get(json_object_get(f, "description"), "text")) &&
           json_is_string(json_object_get(json_object_get(change, "artifactLocation"), "uri")) && region_fine(json_object_get(r, "deletedRegion")) &&
           json_is_string(json_object_get(json_object_get(r, "insertedContent"), "text"));
}

static bool result_fine(json_t *r, json_t *rules)
{
    size_t i;
    json_t *x, *rule = json_array_get(rules, (size_t)json_integer_value(json_object_get(r, "ruleIndex")));
    const char *id = json_string_value(json_object_get(r, "ruleId")), *level = json_string_value(json_object_get(r, "level"));
    const char *of_rule = json_string_value(json_object_get(rule, "id"));
    if (!id || !of_rule || strcmp(id, of_rule) != 0 || !level || (strcmp(level, "error") && strcmp(level, "warning") && strcmp(level, "note"))) return false;
    if (!json_is_string(json_object_get(json_object_get(r, "message"), "text"))) return false;
    json_array_foreach(json_object_get(r, "locations"), i, x) if (!location_fine(x)) return false;
    json_array_foreach(json_object_get(r, "relatedLocations"), i, x) if (!location_fine(x)) return false;
    json_array_foreach(json_object_get(r, "fixes"), i, x) if (!fix_fine(x)) return false;
    return true;
}

/* The results of a log that keeps the rules; NULL otherwise. The log is the caller's to release. */
static json_t *results_of(const char *name, const char *text, json_t **log)
{
    json_error_t e;
    size_t i;
    json_t *rule, *result;
    *log = json_loads(text, JSON_REJECT_DUPLICATES, &e);
    if (!ok(*log != NULL, name, "no JSON: %s", e.text)) return NULL;
    json_t *run = json_array_get(json_object_get(*log, "runs"), 0), *driver = json_object_get(json_object_get(run, "tool"), "driver");
    json_t *rules = json_object_get(driver, "rules"), *results = json_object_get(run, "results");
    bool fine = json_is_string(json_object_get(*log, "version")) && strcmp(json_string_value(json_object_get(*log, "version")), "2.1.0") == 0 &&
                json_is_string(json_object_get(driver, "name")) && json_is_array(rules) && json_is_array(results);
    json_array_foreach(rules, i, rule) fine = fine && json_is_string(json_object_get(rule, "id")) &&
        json_is_string(json_object_get(json_object_get(rule, "shortDescription"), "text"));
    json_array_foreach(results, i, result) if (!ok(result_fine(result, rules), name, "result %zu breaks a rule of SARIF", i)) fine = false;
    return ok(fine, name, "the log breaks a rule of SARIF") ? results : NULL;
}

static void sarif(void)
{
    json_t *log, *r, *all = results_of("sarif: one finding", said(HEAD NAMED "  Old_Key = CustomerName\n}\n", DIAG_FORMAT_SARIF, false), &log);
    ok(json_array_size(all) == 1, "sarif: one result", "%zu", json_array_size(all));
    r = json_array_get(all, 0);
    json_t *physical = json_object_get(json_array_get(json_object_get(r, "locations"), 0), "physicalLocation"), *region = json_object_get(physical, "region");
    const char *uri = json_string_value(json_object_get(json_object_get(physical, "artifactLocation"), "uri"));
    ok(strcmp(json_string_value(json_object_get(r, "ruleId")), "E0401") == 0, "sarif: rule", "%s", json_string_value(json_object_get(r, "ruleId")));
    ok(json_integer_value(json_object_get(region, "startLine")) == 12 && json_integer_value(json_object_get(region, "startColumn")) == 13 &&
       json_integer_value(json_object_get(region, "endColumn")) == 25, "sarif: the place", "elsewhere");
    ok(uri && strncmp(uri, "file:///", 8) == 0 && strstr(uri, "a%3Ab%2Cc%25d.mlc"), "sarif: the name is escaped", "%s", uri);
    json_t *also = json_array_get(json_object_get(r, "relatedLocations"), 0);
    ok(json_integer_value(json_object_get(json_object_get(json_object_get(also, "physicalLocation"), "region"), "startLine")) == 7, "sarif: the line that it clashes with", "none");
    json_t *change = json_array_get(json_object_get(json_array_get(json_object_get(r, "fixes"), 0), "artifactChanges"), 0);
    const char *new_text = json_string_value(json_object_get(json_object_get(json_array_get(json_object_get(change, "replacements"), 0), "insertedContent"), "text"));
    ok(new_text && strcmp(new_text, "truncate(CustomerName, 20)") == 0, "sarif: the fix", "%s", new_text ? new_text : "none");
    json_decref(log);
    all = results_of("sarif: nothing wrong", said(HEAD NAMED "}\n", DIAG_FORMAT_SARIF, false), &log);
    ok(json_is_array(all) && json_array_size(all) == 0, "sarif: no result", "some");
    json_decref(log);
    /* a schema that ships with the compiler is no file of the checkout; bytes that are no UTF-8 */
    all = results_of("sarif: prelude", said(HEAD "  Account_Name = CustomerName\n}\n", DIAG_FORMAT_SARIF, false), &log);
    r = json_array_get(all, 0);
    ok(r && !json_object_get(r, "relatedLocations") && strstr(json_string_value(json_object_get(json_object_get(r, "message"), "text")), "prelude/zoho_crm.mlc"),
       "sarif: a place in the prelude stands in the message", "not");
    json_decref(log);
    all = results_of("sarif: broken text", said("mlc 1\nspec \"\xff\xfe\x01\"\n", DIAG_FORMAT_SARIF, false), &log);
    ok(json_array_size(all) > 0, "sarif: of a file that is no UTF-8", "none");
    json_decref(log);
}

/* The writer itself, with what mlc check does not use. */
static void sarif_writer(void)
{
    struct sarif s;
    struct buf b = {0};
    json_t *log;
    struct sarif_related second = {{STR("b.mlc"), 3, 0, 0, 0}, "was here", NULL}, first = {{STR("./a b.mlc"), 2, 1, 4, 1}, NULL, &second};
    sarif_begin(&s, &b, "a \"tool\"");
    sarif_rule(&s, &(struct sarif_rule){"D1", "a-rule", "means\nsomething", NULL, "state", SARIF_NOTE});
    sarif_rule(&s, &(struct sarif_rule){"D2", NULL, "means", "# help", NULL, SARIF_ERROR});
    sarif_results(&s);
    sarif_result(&s, &(struct sarif_result){.rule = 1, .rule_id = "D2", .level = SARIF_NOTE, .message = STR("m"), .at = {STR("x.mlc"), 0, 0, 0, 0}, .related = &first,
                                            .fingerprint_name = "f/v1", .fingerprint = "00ff", .category = "state", .accepted = "because"});
    sarif_end(&s);
    json_t *all = results_of("sarif writer", buf_cstr(&b), &log), *r = json_array_get(all, 0), *two = json_object_get(r, "relatedLocations");
    ok(json_array_size(two) == 2, "sarif writer: both places", "%zu", json_array_size(two));
    ok(strstr(b.p, "\"uri\":\"a%20b.mlc\"") && strstr(b.p, "\"endLine\":4") && strstr(b.p, "\"justification\":\"because\"") && strstr(b.p, "\"f/v1\":\"00ff\""),
       "sarif writer: names, regions, fingerprint, acceptance", "%s", b.p);
    json_decref(log);
    buf_free(&b);
}

/* ---- the others ---- */

static void github(void)
{
    const char *out = said(HEAD NAMED "  Old_Key = CustomerName\n}\n", DIAG_FORMAT_GITHUB, false);
    ok(strncmp(out, "::error title=E0401,file=/tmp/", 30) == 0 && strstr(out, "a%3Ab%2Cc%25d.mlc,line=12,endLine=12,col=13,endColumn=25::Old_Key takes 20 characters"),
       "github: command and place", "%s", out);
    const char *line_end = strchr(out, '\n');
    ok(line_end && line_end[1] == 0 && strstr(out, "%0Ahelp: cut it: truncate(CustomerName, 20)"), "github: one line, its ends escaped", "%s", out);
    out = said(HEAD NAMED "  Old_Key = \"100% \" + 1\n}\n", DIAG_FORMAT_GITHUB, false);
    ok(strchr(out, '%') && !strstr(out, "100% "), "github: a percent sign is escaped", "%s", out);
    ok(said(HEAD NAMED "}\n", DIAG_FORMAT_GITHUB, false)[0] == 0, "github: silent when all is well", "not");
}

static xmlDoc *xml(const char *name, const char *text)
{
    xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), "junit.xml", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    ok(doc != NULL, name, "not well-formed: %.300s", text);
    return doc;
}

static double number(xmlDoc *doc, const char *path)
{
    xmlXPathContext *ctx = xmlXPathNewContext(doc);
    xmlXPathObject *o = xmlXPathEvalExpression((const xmlChar *)path, ctx);
    double n = o ? xmlXPathCastToNumber(o) : -1;
    xmlXPathFreeObject(o);
    xmlXPathFreeContext(ctx);
    return n;
}

static void junit(void)
{
    xmlDoc *doc = xml("junit: well-formed", said(HEAD NAMED "  Old_Key = CustomerName\n  Nothing = \"<&>\x01\"\n  Old_Key = ARDivisionNo ?? \"00\"\n}\n", DIAG_FORMAT_JUNIT, false));
    if (doc) {
        ok(number(doc, "count(/testsuites/testsuite/testcase/failure)") == number(doc, "/testsuites/testsuite/@failures"), "junit: failures are counted", "not");
        ok(number(doc, "count(//testcase)") == number(doc, "/testsuites/@tests"), "junit: cases are counted", "not");
        ok(number(doc, "count(//failure[@type='E0401' and contains(@message, '20 characters') and contains(., 'truncate')])") == 1, "junit: a failure says it all", "not");
        ok(number(doc, "count(//testcase[@line='12' and contains(@file, 'a:b,c%d.mlc')])") == 1, "junit: with its place", "not");
        ok(number(doc, "count(//testcase[system-out and not(failure)])") >= 1, "junit: a warning is no failure", "not");
        xmlFreeDoc(doc);
    }
    doc = xml("junit: nothing wrong", said(HEAD NAMED "}\n", DIAG_FORMAT_JUNIT, false));
    if (doc) ok(number(doc, "count(//testcase)") == 1 && number(doc, "count(//failure)") == 0, "junit: a clean spec is a case that passed", "not");
    xmlFreeDoc(doc);
    struct junit j;
    struct buf b = {0};
    junit_begin(&j);
    junit_case(&j, &(struct junit_case){.suite = STR("a<\"b"), .name = STR("]]>&\t\n\x02\xff\xef\xbf\xbf"), .what = "T", .message = STR("a\nb"), .detail = STR("]]>\n<c>")});
    junit_end(&j, "all", &b);
    doc = xml("junit: awkward texts", buf_cstr(&b));
    if (doc) ok(number(doc, "count(//failure[. = ']]>\n<c>'])") == 1 && number(doc, "count(//testcase[starts-with(@name, ']]>&\t\n')])") == 1, "junit: texts come back", "%s", b.p);
    xmlFreeDoc(doc);
    buf_free(&b);
}

static void color(void)
{
    const char *plain = said(HEAD NAMED "  Old_Key = CustomerName\n}\n", DIAG_FORMAT_TEXT, false), *colored = said(HEAD NAMED "  Old_Key = CustomerName\n}\n", DIAG_FORMAT_TEXT, true);
    ok(!strchr(plain, '\033') && strstr(colored, "\033[1;31m"), "colour when asked for, and only then", "%s", colored);
}

/* ---- fixes ---- */

/* Applies the fix of the only diagnostic; the text that comes out, or NULL. */
static const char *applied(const char *text, const char **code)
{
    struct compile c;
    struct fault f = {0};
    struct buf b = {0};
    const char *out = NULL;
    if (compile_open(&c, &world, save("fix.mlc", text), &f) == ERR_OK && c.diags.n == 1 && c.diags.list[0]->fix) {
        const struct diag *d = c.diags.list[0];
        *code = diag_code_text(d->code);
        buf_put(&b, text, d->fix_at.at);
        buf_puts(&b, d->fix);
        buf_puts(&b, text + d->fix_at.end);
        out = arena_copy(&arena, b.p, b.n);
    } else {
        *code = c.diags.n ? diag_code_text(c.diags.list[0]->code) : "nothing is wrong";
    }
    buf_free(&b);
    compile_close(&c);
    return out;
}

static void fixes(void)
{
    static const struct { const char *code, *text; } cases[] = {
        {"E0103", "# no edition\nspec \"x\"\n"},
        {"E0104", "mlc 2\nspec \"x\"\n"},
        {"E0105", HEAD NAMED "  Old_Key = \"x\";\n}\n"},
        {"E0110", HEAD NAMED "  Old_Key = \"\"\n}\n"},
        {"E0113", HEAD NAMED "  Old_Key = match TermsCode { 01 => \"x\", else => null }\n}\n"},
        {"E0114", HEAD NAMED "  reread every 30min\n}\n"},
        {"E0119", HEAD NAMED "  Old_Key = match { CreditHold => \"x\", else => null }\n  when = \"x\"\n}\n"},
        {"E0120", HEAD NAMED "  Old_Key == \"x\"\n}\n"},
        {"E0124", HEAD NAMED "  Old_Key = truncate (CustomerName, 20)\n}\n"},
        {"E0126", HEAD NAMED "  Reread every 1d\n}\n"},
        {"E0127", HEAD NAMED "  when CustomerStatus != \"T\" && TermsCode != \"01\"\n}\n"},
        {"E0127", HEAD NAMED "  when !CreditHold\n}\n"},
        {"E0201", HEAD NAMED "  Old_Key = truncate(CustomerNmae, 20)\n}\n"},
        {"E0202", HEAD NAMED "  Old_Kye = \"x\"\n}\n"},
        {"E0208", HEAD NAMED "  Old_Key = truncat(CustomerName, 20)\n}\n"},
        {"E0303", HEAD NAMED "  when TermsCode != 12\n}\n"},
        {"E0401", HEAD NAMED "  Old_Key = CustomerName\n}\n"},
        {"E0402", HEAD "  Account_Name = CustomerName\n}\n"},
        {"E0403", HEAD NAMED "  Credit_Status = \"Goood\"\n}\n"},
        {"E0405", HEAD NAMED "  Open_Balance = CurrentBalance * 1.175\n}\n"},
        {"E0120", HEAD NAMED "  when TermsCode = \"01\"\n}\n"},
        {"E0120", HEAD NAMED "  Old_Key = match TermsCode {\n    \"01\" => \"x\"\n    else => null\n  }\n}\n"},
        {"E0120", HEAD NAMED "  Phone = phone(TelephoneNo CountryCode)\n}\n"},
        {"E0120", HEAD NAMED "  when CreditLimit > 1,000\n}\n"},
        {"E0120", HEAD NAMED "  reread every 1 d\n}\n"},
        {"E0120", HEAD NAMED "  fuse 5 percent\n}\n"},
        {"E0120", HEAD NAMED "  Billing_City: City\n}\n"},
        {"E0120", HEAD NAMED "  crm.Billing_City = City\n}\n"},
        {"E0120", HEAD NAMED "  adopt Account_Name == CustomerName\n}\n"},
        {"E0120", HEAD NAMED "  on leave { Credit_Status = \"Good\" }\n}\n"},
        {"E0120", "mlc 1\nspec x-y\n"},
        {"E0125", HEAD NAMED},
        {"E0303", HEAD NAMED "  when CreditLimit > \"100\"\n}\n"},
        {"E0408", HEAD NAMED "  Description = CurrentBalance\n}\n"},
        {"E0408", HEAD NAMED "  Open_Balance = \"12\"\n}\n"},
        {"E0590", HEAD NAMED "  Open_Balance = CurrentBalance / 2\n}\n"},
        {"W0301", HEAD NAMED "  Old_Key = ARDivisionNo ?? \"00\"\n}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct compile c;
        struct fault f = {0};
        const char *code = "", *text = applied(cases[i].text, &code);
        if (strcmp(cases[i].code, "E0119") == 0) {       /* mended, the field is not known: another mistake, but no syntax error any more */
            ok(text && strstr(text, "  `when` = "), "fix of E0119", "%s: %s", code, text ? text : "no fix");
            continue;
        }
        if (!ok(text && strcmp(code, cases[i].code) == 0, cases[i].code, "%s: %s", code, text ? text : "no fix")) continue;
        bool good = compile_open(&c, &world, save("fixed.mlc", text), &f) == ERR_OK && c.diags.n == 0;
        ok(good, arena_printf(&arena, "fix of %s", cases[i].code), "still wrong: %s\n%s", c.diags.n ? c.diags.list[0]->message : f.text, text);
        compile_close(&c);
    }
}

/* ---- specs with slips at random places ---- */

static const char whole[] = HEAD NAMED
    "  when CustomerStatus != \"T\" and (CreditHold or CreditLimit > 1000)\n  on leave set { Credit_Status = \"Good\" }\n  fuse 25 or 5%\n  let total = CurrentBalance + AgingCategory1\n"
    "  Open_Balance = total\n  Phone = phone(TelephoneNo, CountryCode)\n  Credit_Status = match { CreditHold => \"On hold\", else => \"Good\" }\n"
    "  Description = match TermsCode { \"00\" | \"01\" => terms[TermsCode], else => \"{ARDivisionNo} {CustomerNo}\" }\n  once Owner = find crm.users(email = lower(EmailAddress))\n"
    "  fill Website = URLAddress\n}\ntable terms { \"00\" => \"now\", \"01\" => \"later\", else => null }\nfn twice(a: decimal(13,2)) = a + a\n"
    "test \"one\" of customers { given { ARDivisionNo = \"01\" CustomerNo = \"A\" CustomerName = \"x\" } expect { Account_Name = \"x\" } }\n";
static uint64_t seed = 88172645463325252u;

static size_t any(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % n);
}

/* A letter lost, doubled or changed, a mark in its place, a word gone: one or two of them. */
static const char *slipped(void)
{
    static const char marks[] = "=,:;'\"?{}()[]!&|/<>.-+ 09aZ\x01\xff";
    char *s = arena_copy(&arena, whole, sizeof whole - 1);
    size_t n = sizeof whole - 1;
    for (size_t k = 1 + any(2); k > 0; k--) {
        size_t at = any(n - 20), end = at;
        switch (any(4)) {
        case 0: memmove(s + at, s + at + 1, n - at); n--; break;
        case 1: s[at] = marks[any(sizeof marks - 1)]; break;
        case 2: { char c = s[at]; s[at] = s[at + 1]; s[at + 1] = c; break; }
        default:
            while (end < n && s[end] != ' ' && s[end] != '\n') end++;
            memmove(s + at, s + end, n - end + 1);
            n -= end - at;
        }
    }
    return s;
}

static bool github_fine(const char *out)
{
    for (const char *line = out; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, "::error title=", 14) != 0 && strncmp(line, "::warning title=", 16) != 0) return false;
    return true;
}

/* The fix of the first diagnostic that has one does away with it: no such message at that place any more. */
static bool fix_helps(const char *text, bool *tried)
{
    struct compile c, again;
    struct fault f = {0};
    struct buf b = {0};
    bool good = true;
    if (compile_open(&c, &world, save("fix.mlc", text), &f) != ERR_OK) return false;
    for (size_t i = 0; i < c.diags.n && !*tried; i++) {
        const struct diag *d = c.diags.list[i];
        if (!d->fix || d->at.file != c.source->id || d->fix_at.file != c.source->id) continue;
        *tried = true;
        buf_put(&b, text, d->fix_at.at);
        buf_puts(&b, d->fix);
        buf_puts(&b, text + d->fix_at.end);
        good = compile_open(&again, &world, save("fixed.mlc", buf_cstr(&b)), &f) == ERR_OK;
        for (size_t k = 0; good && k < again.diags.n; k++) {
            const struct diag *e = again.diags.list[k];
            if (e->code == d->code && e->at.at == d->at.at && strcmp(e->message, d->message) == 0) good = false;
        }
        if (!good) printf("# %s %s: fix `%s` at %u..%u in\n%.*s\n", diag_code_text(d->code), d->message, d->fix, d->fix_at.at, d->fix_at.end, (int)strlen(text), text);
        compile_close(&again);
    }
    buf_free(&b);
    compile_close(&c);
    return good;
}

static void slips(void)
{
    size_t wrong = 0, with_fix = 0, useless = 0;
    enum { SPECS = 240 };
    for (size_t i = 0; i < SPECS; i++) {
        const char *text = slipped();
        json_t *log = json_loads(said(text, DIAG_FORMAT_SARIF, false), JSON_REJECT_DUPLICATES, NULL), *all;
        json_t *json = json_loads(said(text, DIAG_FORMAT_JSON, false), JSON_REJECT_DUPLICATES, NULL);
        const char *junit = said(text, DIAG_FORMAT_JUNIT, false);
        xmlDoc *doc = xmlReadMemory(junit, (int)strlen(junit), "junit.xml", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
        json_t *run = json_array_get(json_object_get(log, "runs"), 0), *rules = json_object_get(json_object_get(json_object_get(run, "tool"), "driver"), "rules"), *result;
        size_t k;
        bool fine = log && json && doc && github_fine(said(text, DIAG_FORMAT_GITHUB, false)), tried = false;
        all = json_object_get(run, "results");
        fine = fine && json_array_size(all) == json_array_size(json_object_get(json, "diagnostics"));
        json_array_foreach(all, k, result) fine = fine && result_fine(result, rules);
        wrong += !fine;
        if (!fine && wrong < 4) printf("# a form is broken for\n%s\n", text);
        useless += !fix_helps(text, &tried);
        with_fix += tried;
        json_decref(log);
        json_decref(json);
        xmlFreeDoc(doc);
    }
    ok(wrong == 0, "every form is sound for specs with slips", "%zu of %d are not", wrong, SPECS);
    ok(useless == 0 && with_fix > 60, "a fix does away with its message", "%zu of %zu do not", useless, with_fix);
    printf("# %d specs with slips, %zu with a fix\n", SPECS, with_fix);
}

int main(void)
{
    world_real(&world);
    arena_init(&arena, 0);
    if (!mkdtemp(dir)) return 1;
    sarif();
    sarif_writer();
    github();
    junit();
    color();
    fixes();
    slips();
    static const char *const files[] = {"a:b,c%d.mlc", "fix.mlc", "fixed.mlc"};
    for (size_t i = 0; i < 3; i++) unlink(arena_printf(&arena, "%s/%s", dir, files[i]));
    rmdir(dir);
    arena_free(&arena);
    xmlCleanupParser();
    return ok_done();
}
