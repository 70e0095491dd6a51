/* Answers of an agent that keeps or breaks the protocol in every way that a page can: what is taken, and which member the complaint names. */
#include "connectors/sage/sage.h"
#include "value/json.h"
#include "rig.h"

#define ROW(key, fields) "{\"key\":" key ",\"updated\":{\"date\":\"20240312\",\"time\":\"15.5\",\"utc\":\"2024-03-12T22:30:00Z\"},\"hash\":\"9f\",\"fields\":" fields ",\"udf\":{}}"
#define GOOD_FIELDS "{\"ARDivisionNo\":\"01\",\"CustomerNo\":\"ABF\",\"CustomerName\":\"American\",\"CreditLimit\":\"60000.00\",\"DateEstablished\":null}"
#define PAGE(rows, more) "{\"rows\":[" rows "]," more "}"
#define TAIL "\"locked\":[],\"next\":\"djE6\",\"complete\":true,\"epoch\":\"e\",\"highWater\":{\"date\":\"20240312\",\"time\":\"9.5\"}"

static struct source_query query(void)
{
    static struct source_column columns[6];
    columns[0] = (struct source_column){STR("ARDivisionNo"), type_text(2, 2), false};
    columns[1] = (struct source_column){STR("CustomerNo"), type_text(1, 20), false};
    columns[2] = (struct source_column){STR("CustomerName"), rig_text(10), false};
    columns[3] = (struct source_column){STR("CreditLimit"), rig_number(13, 2), false};
    columns[4] = (struct source_column){STR("DateEstablished"), rig_date(), false};
    columns[5] = (struct source_column){STR("UDF_REGION"), rig_text(10), true};
    return (struct source_query){.entity = STR("AR_Customer"), .company = STR("ABC"), .key_columns = rig_customer_key, .nkeys = 2, .columns = columns, .ncolumns = 6};
}

static enum err parse(enum sage_agent_shape shape, const char *body, size_t ncolumns, struct arena *a, struct source_page *out, struct fault *f)
{
    static struct source_query q;
    q = query();
    q.ncolumns = ncolumns;
    memset(f, 0, sizeof *f);
    return sage100__agent_json(shape, &q, 2, str_of(body), 3, a, out, f);
}

static void good_page(void)
{
    struct arena a;
    struct source_page p;
    struct fault f;
    arena_init(&a, 0);
    rig_begin("a page in any order of members, with unknown ones");
    const char *body =
        "{\"x\":{\"deep\":[1,2,{\"y\":null}]},\"complete\":false,\"asOf\":\"2024-03-12T22:41:07Z\",\"tzOffsetMinutes\":-420,\"next\":\"djE6.~_-9\","
        "\"highWater\":{\"date\":\"20240312\",\"time\":\"15.5\",\"new\":1},\"locked\":[[\"01\",\"AVNET\"]],\"epoch\":\"5b0c\",\"rows\":["
        "{\"udf\":{\"UDF_REGION\":\"WEST\",\"UDF_OTHER\":null},\"fields\":{\"CreditLimit\":\"-1.50\",\"CustomerName\":\"A\\u00e9 \\\"x\\\"\",\"Unknown\":{\"a\":[]},\"DateEstablished\":\"20240229\","
        "\"CustomerNo\":\"ABF\",\"ARDivisionNo\":\"01\"},\"lines\":[{\"key\":[\"1\"],\"fields\":{\"CustomerName\":\"no\"}}],\"hash\":\"9f2c\",\"key\":[\"01\",\"ABF\"],"
        "\"updated\":{\"date\":\"20240312\",\"time\":\"15.5\",\"utc\":null}}]}";
    enum err e = parse(AGENT_PAGE, body, 6, &a, &p, &f);
    CHECK(e == ERR_OK, "%s", f.text);
    CHECK(e == ERR_OK && p.nrows == 1 && p.nlocked == 1 && !p.complete && str_is(p.next, "djE6.~_-9") && str_is(p.epoch, "5b0c"), "envelope");
    if (e == ERR_OK && p.nrows == 1) {
        const struct source_row *r = &p.rows[0];
        CHECK(!r->violation, "%s", r->violation);
        CHECK(rig_value_is(&r->cols[2], "A\u00e9 \"x\""), "text with escapes");
        CHECK(rig_value_is(&r->cols[3], "-1.50") && rig_value_is(&r->cols[4], "2024-02-29") && rig_value_is(&r->cols[5], "WEST"), "number, date, udf");
        CHECK(str_is(r->stamp, "2024-03-12 15:30:00") && str_is(r->hash, "9f2c"), "stamp %.*s", (int)r->stamp.n, r->stamp.p);
        CHECK(str_is(p.high_water, "2024-03-12 15:30:00"), "high water");
        CHECK(str_is(r->key.part[1], "ABF") && str_is(p.locked[0].part[1], "AVNET"), "keys");
    }
    rig_end();
    arena_free(&a);
}

/* A value that breaks its type, or a column that is not there, sets one row aside and leaves the others. */
static void violations(void)
{
    static const struct { const char *name, *fields, *want; } cases[] = {
        {"a text longer than declared", "{\"CustomerName\":\"more than ten characters\",\"CreditLimit\":null,\"DateEstablished\":null}", "CustomerName"},
        {"a number that is none", "{\"CustomerName\":null,\"CreditLimit\":\"1e5\",\"DateEstablished\":null}", "CreditLimit"},
        {"a date that is none, passed on as it is", "{\"CustomerName\":null,\"CreditLimit\":null,\"DateEstablished\":\"20240231\"}", "DateEstablished"},
        {"a column that the installation lacks", "{\"CreditLimit\":null,\"DateEstablished\":null}", "CustomerName is not among the columns"},
        {"a JSON number where a text is due", "{\"CustomerName\":12,\"CreditLimit\":null,\"DateEstablished\":null}", "CustomerName came neither"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a;
        struct source_page p;
        struct fault f;
        char body[2000];
        arena_init(&a, 0);
        rig_begin(cases[i].name);
        snprintf(body, sizeof body, "{\"rows\":[{\"key\":[\"01\",\"X\"],\"fields\":%s},{\"key\":[\"01\",\"Y\"],\"fields\":" GOOD_FIELDS "}]," TAIL "}", cases[i].fields);
        enum err e = parse(AGENT_PAGE, body, 5, &a, &p, &f);
        CHECK(e == ERR_OK && p.nrows == 2, "%s", f.text);
        if (e == ERR_OK && p.nrows == 2) {
            CHECK(p.rows[0].violation && strstr(p.rows[0].violation, cases[i].want), "%s", p.rows[0].violation ? p.rows[0].violation : "(none)");
            CHECK(!p.rows[1].violation, "%s", p.rows[1].violation);
            CHECK(rig_value_is(&p.rows[0].cols[1], "X"), "a key column that is not in fields comes from the key");
        }
        rig_end();
        arena_free(&a);
    }
}

static void breaches(void)
{
    static const struct { enum sage_agent_shape shape; const char *name, *body, *want; } cases[] = {
        {AGENT_PAGE, "no JSON", "<html>", "byte 0"},
        {AGENT_PAGE, "empty body", "", "(answer)"},
        {AGENT_PAGE, "an array", "[]", "(answer)"},
        {AGENT_PAGE, "text behind the object", PAGE(ROW("[\"01\",\"A\"]", GOOD_FIELDS), TAIL) "x", "(answer)"},
        {AGENT_PAGE, "cut in the middle", "{\"rows\":[{\"key\":[\"01\",\"A", "\"key\""},
        {AGENT_PAGE, "no rows", "{" TAIL "}", "\"rows\""},
        {AGENT_PAGE, "rows null", "{\"rows\":null," TAIL "}", "\"rows\""},
        {AGENT_PAGE, "rows twice", "{\"rows\":[],\"rows\":[]," TAIL "}", "\"rows\""},
        {AGENT_PAGE, "a row that is no object", PAGE("[1]", TAIL), "\"rows\""},
        {AGENT_PAGE, "more rows than asked for", PAGE("{\"key\":[\"0\",\"1\"],\"fields\":{}},{\"key\":[\"0\",\"2\"],\"fields\":{}},{\"key\":[\"0\",\"3\"],\"fields\":{}},{\"key\":[\"0\",\"4\"],\"fields\":{}}", TAIL), "\"rows\""},
        {AGENT_PAGE, "rows and locked above the limit", PAGE("{\"key\":[\"0\",\"1\"],\"fields\":{}},{\"key\":[\"0\",\"2\"],\"fields\":{}}", "\"locked\":[[\"0\",\"3\"],[\"0\",\"4\"]],\"next\":\"a\",\"complete\":true"), "\"locked\""},
        {AGENT_PAGE, "a row without key", PAGE("{\"fields\":{}}", TAIL), "\"key\""},
        {AGENT_PAGE, "a row without fields", PAGE("{\"key\":[\"0\",\"1\"]}", TAIL), "\"fields\""},
        {AGENT_PAGE, "key with too few parts", PAGE("{\"key\":[\"0\"],\"fields\":{}}", TAIL), "\"key\""},
        {AGENT_PAGE, "key with too many parts", PAGE("{\"key\":[\"0\",\"1\",\"2\"],\"fields\":{}}", TAIL), "\"key\""},
        {AGENT_PAGE, "key part null", PAGE("{\"key\":[\"0\",null],\"fields\":{}}", TAIL), "\"key\""},
        {AGENT_PAGE, "key part with a zero byte", PAGE("{\"key\":[\"0\",\"a\\u0000\"],\"fields\":{}}", TAIL), "\"key\""},
        {AGENT_PAGE, "key as a string", PAGE("{\"key\":\"0~1\",\"fields\":{}}", TAIL), "\"key\""},
        {AGENT_PAGE, "column twice", PAGE("{\"key\":[\"0\",\"1\"],\"fields\":{\"CustomerName\":\"a\",\"CustomerName\":\"b\"}}", TAIL), "\"fields\""},
        {AGENT_PAGE, "fields an array", PAGE("{\"key\":[\"0\",\"1\"],\"fields\":[]}", TAIL), "\"fields\""},
        {AGENT_PAGE, "hash a number", PAGE("{\"key\":[\"0\",\"1\"],\"hash\":7,\"fields\":{}}", TAIL), "\"hash\""},
        {AGENT_PAGE, "no next", "{\"rows\":[],\"complete\":true}", "\"next\""},
        {AGENT_PAGE, "next null", "{\"rows\":[],\"complete\":true,\"next\":null}", "\"next\""},
        {AGENT_PAGE, "next with a foreign character", "{\"rows\":[],\"complete\":true,\"next\":\"a b\"}", "\"next\""},
        {AGENT_PAGE, "no complete", "{\"rows\":[],\"next\":\"a\"}", "\"complete\""},
        {AGENT_PAGE, "complete a string", "{\"rows\":[],\"next\":\"a\",\"complete\":\"true\"}", "\"complete\""},
        {AGENT_PAGE, "bad UTF-8", "{\"rows\":[{\"key\":[\"0\",\"\xff\"],\"fields\":{}}]," TAIL "}", "\"key\""},
        {AGENT_KEYS, "keys without epoch", "{\"keys\":[],\"next\":null,\"complete\":true}", "\"epoch\""},
        {AGENT_KEYS, "keys without next though more follow", "{\"keys\":[[\"0\",\"1\"]],\"next\":null,\"complete\":false,\"epoch\":\"e\"}", "\"next\""},
        {AGENT_KEYS, "more keys than asked for", "{\"keys\":[[\"0\",\"1\"],[\"0\",\"2\"],[\"0\",\"3\"],[\"0\",\"4\"]],\"next\":null,\"complete\":true,\"epoch\":\"e\"}", "\"keys\""},
        {AGENT_BATCH, "batch without missing", "{\"rows\":[],\"locked\":[]}", "\"missing\""},
        {AGENT_BATCH, "batch without locked", "{\"rows\":[],\"missing\":[]}", "\"locked\""},
        {AGENT_ROW, "row as an array", "[]", "(answer)"},
        {AGENT_ROW, "row without fields", "{\"key\":[\"0\",\"1\"]}", "\"fields\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a;
        struct source_page p;
        struct fault f;
        arena_init(&a, 0);
        rig_begin(cases[i].name);
        enum err e = parse(cases[i].shape, cases[i].body, 5, &a, &p, &f);
        CHECK(e == ERR_PROTOCOL, "%s", err_name(e));
        CHECK(strstr(f.text, cases[i].want) && strstr(f.text, "byte "), "%s", f.text);
        rig_end();
        arena_free(&a);
    }
}

static void long_cursor(void)
{
    char body[1000], cursor[600];
    struct arena a;
    struct source_page p;
    struct fault f;
    arena_init(&a, 0);
    for (int n = 512; n <= 513; n++) {
        rig_begin(n == 512 ? "a cursor of 512 characters" : "a cursor of 513 characters");
        memset(cursor, 'a', sizeof cursor);
        cursor[n] = '\0';
        snprintf(body, sizeof body, "{\"rows\":[],\"complete\":true,\"next\":\"%s\"}", cursor);
        CHECK((parse(AGENT_PAGE, body, 5, &a, &p, &f) == ERR_OK) == (n == 512), "%s", f.text);
        rig_end();
    }
    arena_free(&a);
}

/* Lines of a record: into the query's list column, filled up from both keys. */
static void lines(void)
{
    static const struct { const char *name, *json, *want; } cases[] = {
        {"two lines", "\"lines\":[{\"key\":[\"000001\"],\"fields\":{\"ItemCode\":\"A\",\"Quantity\":\"2\",\"Other\":\"x\"},\"udf\":{\"UDF_N\":\"u\"}},"
                      "{\"udf\":{\"UDF_N\":null},\"fields\":{\"ItemCode\":null,\"Quantity\":\"0.5\",\"LineKey\":\"000002\"},\"key\":[\"000002\"]}],",
         "000001 (CustomerNo ABF, LineKey 000001, ItemCode A, Quantity 2.00, UDF_N u); 000002 (CustomerNo ABF, LineKey 000002, ItemCode (none), Quantity 0.50, UDF_N (none))"},
        {"none", "\"lines\":[],", "(none)"},
        {"null", "\"lines\":null,", "(none)"},
        {"not sent", "", "!Lines is not among the columns that Sage delivers"},
        {"a column that the table lacks", "\"lines\":[{\"key\":[\"000001\"],\"fields\":{\"ItemCode\":\"A\"},\"udf\":{\"UDF_N\":null}}],",
         "!Lines line 1: Quantity is not among the columns that the source delivers"},
        {"a value that breaks its type", "\"lines\":[{\"key\":[\"000001\"],\"fields\":{\"ItemCode\":\"A\",\"Quantity\":\"x\"},\"udf\":{\"UDF_N\":null}}],",
         "!Lines line 1: Quantity is not a decimal number of at most 38 digits"},
        {"a number where a text is due", "\"lines\":[{\"key\":[\"000001\"],\"fields\":{\"ItemCode\":\"A\",\"Quantity\":1},\"udf\":{\"UDF_N\":null}}],",
         "!Lines line 1: Quantity came neither as a text nor as null"},
        {"a line without a key", "\"lines\":[{\"fields\":{}}],", "?a line lacks its key or its fields"},
        {"a line that is no object", "\"lines\":[5],", "?an entry is not an object"},
        {"a key of two parts", "\"lines\":[{\"key\":[\"000001\",\"2\"],\"fields\":{\"ItemCode\":\"A\",\"Quantity\":\"1\"},\"udf\":{\"UDF_N\":null}}],",
         "!Lines line 1: Lines the key of the line has another number of parts"},
        {"members twice", "\"lines\":[{\"key\":[\"000001\"],\"key\":[\"000001\"],\"fields\":{}}],", "?a member stands twice in one line"}};
    static const struct str names[] = {{"CustomerNo", 10}, {"LineKey", 7}, {"ItemCode", 8}, {"Quantity", 8}, {"UDF_N", 5}};
    static const uint8_t flags[] = {0, LIST_KEY, 0, 0, LIST_UDF};
    const struct type types[] = {type_text(1, 20), type_text(6, 6), rig_text(30), type_decimal(9, 2), rig_text(5)};
    const struct list_shape shape = {3, 5, names, types, flags};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a;
        struct source_page p;
        struct fault f = {ERR_OK, ""};
        struct buf b = {0};
        arena_init(&a, 0);
        rig_begin(arena_printf(&a, "lines: %s", cases[i].name));
        struct source_column columns[] = {{STR("Lines"), {.base = T_LIST, .optional = true, .shape = &shape}, false}};
        struct source_query q = {.entity = STR("AR_Customer"), .company = STR("ABC"), .key_columns = rig_customer_key, .nkeys = 2, .columns = columns, .ncolumns = 1};
        const char *body = arena_printf(&a, "{\"rows\":[{%s\"key\":[\"01\",\"ABF\"],\"fields\":{}}]," TAIL "}", cases[i].json);
        enum err e = sage100__agent_json(AGENT_PAGE, &q, 2, str_of(body), 3, &a, &p, &f);
        if (e != ERR_OK) buf_printf(&b, "?%s", f.text);
        else if (p.rows[0].violation) buf_printf(&b, "!%s", p.rows[0].violation);
        else value_print(&b, &p.rows[0].cols[0]);
        CHECK(cases[i].want[0] == '?' ? strstr(buf_cstr(&b), cases[i].want + 1) != NULL : str_is(buf_view(&b), cases[i].want), "%s", buf_cstr(&b));
        buf_free(&b);
        rig_end();
        arena_free(&a);
    }
}

/* ---- every value of a good answer replaced by what has no place there, every member twice, every end ---- */

struct tried { unsigned n, taken; bool good; char why[800]; };

static void try_one(enum sage_agent_shape shape, const struct source_query *q, struct str body, struct tried *t)
{
    struct arena a;
    struct source_page p = {.rows = NULL};
    struct fault f = {ERR_OK, ""};
    struct str code = {"", 0}, message = {"", 0};
    int64_t after = 0;
    arena_init(&a, 0);
    enum err e = sage100__agent_json(shape, q, 2, body, 3, &a, &p, &f);
    bool kept = e == ERR_OK ? p.nrows + p.nlocked + p.nmissing <= 3 && p.next.n <= LIMIT_CURSOR_BYTES : e == ERR_PROTOCOL && f.text[0];
    for (size_t i = 0; e == ERR_OK && i < p.nrows; i++) kept = kept && p.rows[i].key.n == 2;
    (void)sage100__agent_json_error(body, &a, &code, &message, &after);
    kept = kept && after >= 0 && after <= 86400000;
    if (!kept && t->good) snprintf(t->why, sizeof t->why, "%s %s: %.*s", err_name(e), f.text, (int)(body.n < 200 ? body.n : 200), body.p);
    t->good = t->good && kept;
    t->n++;
    t->taken += e == ERR_OK;
    arena_free(&a);
}

static void replaced(enum sage_agent_shape shape, const struct source_query *q, const char *body, struct tried *t)
{
    static const char *const others[] = {"null", "1", "true", "\"x\"", "\"\"", "\"01\"", "\"20240312\"", "\"9.5\"", "\"  \"", "\"a\\u0000b\"", "[]", "{}", "[1]", "[\"01\"]", "[\"01\",\"ABF\"]", "[[\"01\",\"ABF\"]]",
                                         "[[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]]", "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]", "[{}]", "{\"x\":1}", "[{\"key\":[\"000001\"]}]", "{\"date\":1}",
                                         "{\"date\":\"2024\",\"time\":\"15.5\"}", "{\"date\":\"20240312\",\"time\":\"x\"}", "{\"date\":\"20240312\",\"time\":\"\"}", "[}", "{]", "nul", "", "-1", "1.5", "99999", "1e9"};
    struct arena a;
    struct buf b = {0}, longer = {0};
    struct json_scanner js;
    arena_init(&a, 0);
    buf_byte(&longer, '"');
    for (int i = 0; i < 600; i++) buf_byte(&longer, 'k');
    buf_byte(&longer, '"');
    json_init(&js, str_of(body), &a);
    for (enum json_token tok = json_next(&js); tok != JSON_END && tok != JSON_ERROR; tok = json_next(&js)) {
        if (tok == JSON_OBJECT_END || tok == JSON_ARRAY_END) continue;
        struct json_scanner after = js;
        if (tok == JSON_NAME) {                            /* the member again, in front */
            const char *from = js.text.p - 1;
            (void)json_skip(&after, json_next(&after));
            buf_clear(&b);
            buf_printf(&b, "%.*s%.*s,%s", (int)(from - body), body, (int)(after.p - from), from, from);
            try_one(shape, q, buf_view(&b), t);
            continue;
        }
        const char *from = tok == JSON_STRING ? js.text.p - 1 : tok == JSON_NUMBER ? js.text.p : tok == JSON_OBJECT || tok == JSON_ARRAY ? js.p - 1 : js.p - (tok == JSON_FALSE ? 5 : 4);
        if (!json_skip(&after, tok)) continue;
        for (size_t i = 0; i <= sizeof others / sizeof *others; i++) {
            buf_clear(&b);
            buf_printf(&b, "%.*s%s%s", (int)(from - body), body, i < sizeof others / sizeof *others ? others[i] : buf_cstr(&longer), after.p);
            try_one(shape, q, buf_view(&b), t);
        }
    }
    for (size_t n = 0; body[n]; n++) try_one(shape, q, (struct str){body, n}, t);
    buf_free(&longer);
    buf_free(&b);
    arena_free(&a);
}

static void replacements(void)
{
    static const struct str names[] = {{"CustomerNo", 10}, {"LineKey", 7}, {"ItemCode", 8}, {"Quantity", 8}, {"UDF_N", 5}};
    static const uint8_t flags[] = {0, LIST_KEY, 0, 0, LIST_UDF};
    const struct type types[] = {type_text(1, 20), type_text(6, 6), rig_text(30), type_decimal(9, 2), rig_text(5)};
    const struct list_shape shape = {3, 5, names, types, flags};
    static const struct { const char *name, *body; enum sage_agent_shape shape; } cases[] = {
        {"a page", PAGE(ROW("[\"01\",\"ABF\"]", GOOD_FIELDS), TAIL), AGENT_PAGE},
        {"lines", "{\"rows\":[{\"lines\":[{\"key\":[\"000001\"],\"fields\":{\"ItemCode\":\"A\",\"Quantity\":\"1\"},\"udf\":{\"UDF_N\":\"n\"},\"x\":1}],\"key\":[\"01\",\"ABF\"],\"fields\":{},\"udf\":{\"UDF_REGION\":\"W\"}}]," TAIL "}", AGENT_PAGE},
        {"keys", "{\"keys\":[[\"01\",\"ABF\"],[\"01\",\"AVNET\"]],\"next\":\"01~AVNET\",\"complete\":false,\"epoch\":\"e\"}", AGENT_KEYS},
        {"several rows", "{\"rows\":[" ROW("[\"01\",\"ABF\"]", GOOD_FIELDS) "],\"locked\":[[\"01\",\"B\"]],\"missing\":[[\"01\",\"C\"]]}", AGENT_BATCH},
        {"one row", ROW("[\"01\",\"ABF\"]", GOOD_FIELDS), AGENT_ROW},
        {"an error", "{\"error\":{\"code\":\"locked\",\"message\":\"in use\",\"retryAfter\":5,\"n\":{}},\"x\":[1]}", AGENT_ROW}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source_query q = query();
        struct source_column columns[7];
        struct tried t = {.good = true};
        memcpy(columns, q.columns, 6 * sizeof *columns);
        columns[6] = (struct source_column){STR("Lines"), {.base = T_LIST, .optional = true, .shape = &shape}, false};
        q.columns = columns;
        q.ncolumns = 7;
        char name[120];
        (void)snprintf(name, sizeof name, "whatever stands where in %s, it is taken or refused with a place", cases[i].name);
        rig_begin(name);
        replaced(cases[i].shape, &q, cases[i].body, &t);
        CHECK(t.good && t.n > 150, "%u tried, %u taken: %s", t.n, t.taken, t.why);
        rig_end();
    }
}

static void error_bodies(void)
{
    struct arena a;
    struct str code = {0}, message = {0};
    int64_t after = 0;
    arena_init(&a, 0);
    rig_begin("error bodies");
    CHECK(sage100__agent_json_error(STR("{\"x\":1,\"error\":{\"code\":\"locked\",\"message\":\"in use\",\"retryable\":true,\"retryAfter\":5,\"n\":{}}}"), &a, &code, &message, &after), "read");
    CHECK(str_is(code, "locked") && str_is(message, "in use") && after == 5000, "%lld", (long long)after);
    code.n = 0;
    CHECK(!sage100__agent_json_error(STR("<html>"), &a, &code, &message, &after), "html");
    CHECK(!sage100__agent_json_error(STR("{\"error\":\"x\"}"), &a, &code, &message, &after), "no object");
    CHECK(!sage100__agent_json_error(STR("{\"error\":{\"message\":\"x\"}}"), &a, &code, &message, &after), "no code");
    CHECK(!sage100__agent_json_error(STR("{\"error\":{\"code\":\"x\""), &a, &code, &message, &after), "cut");
    rig_end();
    arena_free(&a);
}

int main(void)
{
    good_page();
    violations();
    breaches();
    long_cursor();
    lines();
    replacements();
    error_bodies();
    return rig_exit();
}
