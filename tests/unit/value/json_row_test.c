/* json_row_test.c - JSON to slots against the strict scanner: for rows as a source sends them, and for a hundred thousand that were damaged in one to three
 * places, both take or refuse the same texts, find the same values and name the same column. The vector loop against its portable twin. */
#include "value/json_row.h"
#include "value/json_run.h"
#include "tests/unit/value/ok.h"

enum { COLUMNS = 8 };
static struct type types[COLUMNS];
static struct json_row_column columns[COLUMNS];
static const struct str statuses[] = {{"A", 1}, {"I", 1}, {"T", 1}};

static void make_columns(void)
{
    static const char *const names[COLUMNS] = {"Division", "Number", "Name", "Limit", "Hold", "Since", "Status", "Comment"};
    types[0] = type_text(2, 2);
    types[1] = type_text(1, 20);
    types[2] = type_text(1, 12);
    types[3] = type_decimal(13, 2);
    types[4] = (struct type){.base = T_BOOL, .yes = STR("Y"), .no = STR("N")};
    types[5] = (struct type){.base = T_DATE};
    types[6] = type_text(1, 1);
    types[6].nset = 3;
    types[6].set = statuses;
    types[7] = type_text(1, 30);
    for (int i = 0; i < COLUMNS; i++) {
        types[i].optional = i >= 2;
        columns[i] = (struct json_row_column){str_of(names[i]), &types[i]};
    }
}

/* ---- the same by the token stream, slowly ---- */

static int slow_column(struct str name)
{
    for (int i = 0; i < COLUMNS; i++)
        if (str_eq(columns[i].name, name)) return i;
    return -1;
}

static bool slow_value(struct json_scanner *js, enum json_token t, const struct type *type, struct value *out)
{
    char why[160];
    bool ok = true;
    *out = value_absent;
    if (t == JSON_TRUE || t == JSON_FALSE) *out = value_bool(t == JSON_TRUE);
    else if (t == JSON_NUMBER) ok = decimal_parse_json(js->text, out);
    else if (t == JSON_STRING) ok = type_read(type, js->text, out, why, sizeof why);
    else if (t != JSON_NULL) ok = !json_skip(js, t);
    ok = ok && type_admits(type, out, why, sizeof why);
    if (!ok) *out = value_absent;
    return ok;
}

static bool slow_read(struct str text, size_t *used, struct arena *a, struct value *cols, int *bad)
{
    struct json_scanner js;
    enum json_token t;
    *bad = -1;
    for (int i = 0; i < COLUMNS; i++) cols[i] = value_absent;
    json_init(&js, text, a);
    if (json_next(&js) != JSON_OBJECT) return false;
    while ((t = json_next(&js)) == JSON_NAME) {
        int c = slow_column(js.text);
        t = json_next(&js);
        if (t == JSON_ERROR) return false;
        if (c < 0) {
            if (!json_skip(&js, t)) return false;
            continue;
        }
        bool ok = slow_value(&js, t, &types[c], &cols[c]);
        if (js.error[0]) return false;
        if (!ok && *bad < 0) *bad = c;
    }
    *used = (size_t)(js.p - text.p);
    for (int i = 0; i < COLUMNS && *bad < 0; i++)
        if (!types[i].optional && !value_present(&cols[i])) *bad = i;
    return t == JSON_OBJECT_END;
}

/* ---- one text by both ---- */

static struct json_row *reader;
static unsigned taken, refused, violated;

static const char *differs(struct str text)
{
    struct arena a;
    struct value fast[COLUMNS], slow[COLUMNS];
    struct json_row_fault why;
    size_t fast_used = 0, slow_used = 0;
    const char *bad = NULL;
    int column;
    arena_init(&a, 0);
    bool f = json_row_read(reader, text, &fast_used, &a, fast, &why), s = slow_read(text, &slow_used, &a, slow, &column);
    if (f != s) bad = f ? "taken, but it is no object" : "refused, but it is an object";
    else if (f && fast_used != slow_used) bad = "another end";
    else if (f && why.column != column) bad = "another column is named";
    for (int i = 0; i < COLUMNS && f && !bad; i++)
        if (!value_equal(&fast[i], &slow[i])) bad = "another value";
    if (f) taken++;
    else refused++;
    if (f && column >= 0) violated++;
    if (!f && why.clause[0] == '\0') bad = "refused without a word";
    if (bad) printf("# %s: %.*s (%s)\n", bad, (int)text.n, text.p, why.clause);
    arena_free(&a);
    return bad;
}

static const char *const rows[] = {
    "{\"Division\":\"01\",\"Number\":\"ABF\",\"Name\":\"American\",\"Limit\":\"1200.50\",\"Hold\":\"N\",\"Since\":\"2026-03-12\",\"Status\":\"A\",\"Comment\":\"\"}",
    "{\"Division\":\"01\",\"Number\":\"ABF\",\"Other\":\"x\",\"Name\":\"\",\"Limit\":\"-0.5\",\"Hold\":\"Y\",\"Since\":\"\",\"Status\":\"\",\"Comment\":\"to the left  \"}",
    "{ \"Division\" : \"01\" , \"Number\" : \"A\" , \"Limit\" : 12.50 , \"Hold\" : true , \"Since\" : null }",
    "{\"Number\":\"M\\u00fcller\",\"Division\":\"\xc3\xbc\xc3\xbc\",\"Name\":\"a \\\"b\\\"\",\"udf\":{\"a\":[1,2,{\"b\":null}]},\"Limit\":1e3,\"Since\":\"17530101\"}",
    "{\"Division\":\"01\",\"Number\":\"A\",\"Number\":\"B\",\"Name\":\"a text that is too long\",\"Limit\":\"99999999999.99\",\"Since\":\"2026-02-30\",\"Hold\":\"X\",\"Status\":\"Q\"}",
    "{\"Division\":\"01\",\"Number\":\"ABF\",\"Limit\":\"999999999999.99\",\"Hold\":\"false\",\"Since\":\"20260312\",\"Status\":\"T\",\"Comment\":\"  leading and inner  blanks\"}",
    "{\"Division\":\"1\",\"Number\":\" \",\"Limit\":\"12.345\",\"Hold\":\"\",\"Since\":\"1753-01-01\"}", "{}", "{\"Division\":\"01\"}   ", "[]", "12", "", "  ",
    "{\"Limit\":\"0.\",\"Since\":\"0001-01-01\"}", "{\"Limit\":\".5\"}", "{\"Limit\":\"-\"}", "{\"Limit\":\"--5\"}", "{\"Limit\":\"1.2.3\"}", "{\"Limit\":\"00012.5\"}", "{\"Limit\":\"+5\"}"};

static void whole_rows(void)
{
    char name[60];
    for (int turn = 0; turn < 2; turn++)                       /* the second time every order has been seen */
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            snprintf(name, sizeof name, "json_row row %zu, turn %d", i + 1, turn + 1);
            const char *bad = differs(str_of(rows[i]));
            ok(!bad, name, "%s", bad ? bad : "");
        }
}

static uint64_t seed = 7;
static unsigned below(size_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((seed >> 33) % n);
}

static void damaged_rows(void)
{
    static const char bytes[] = "\"\\{}[]:,0159.-eEtrufalsn \t\x01\xc3\xbc\xff/YNAIT";
    char text[400];
    unsigned wrong = 0;
    taken = refused = violated = 0;
    for (int i = 0; i < 100000 && wrong < 5; i++) {
        struct str row = str_of(rows[below(7)]);
        memcpy(text, row.p, row.n);
        size_t n = row.n;
        for (unsigned k = below(3) + 1; k > 0 && n > 1; k--) {
            size_t at = below(n);
            if (below(4) == 0) n = at;                                     /* cut off */
            else if (below(4) == 0) memmove(text + at, text + at + 1, --n - at);
            else text[at] = bytes[below(sizeof bytes - 1)];
        }
        wrong += differs((struct str){text, n}) != NULL;
    }
    ok(wrong == 0, "json_row 100,000 damaged rows, as the scanner takes them", "%u differ", wrong);
    printf("# taken %u, of these with a violation %u; refused %u\n", taken, violated, refused);
    ok(taken > 5000 && refused > 20000 && violated > 2000, "json_row the damage is of every kind", "taken %u, refused %u, violated %u", taken, refused, violated);
}

static void twins(void)
{
    char text[80];
    unsigned wrong = 0;
    for (int i = 0; i < 200000; i++) {
        size_t n = below(sizeof text);
        for (size_t k = 0; k < n; k++) text[k] = below(30) ? (char)('a' + below(26)) : (char)below(256);
        bool a = false, b = false;
        wrong += json_run(text, text + n, &a) != json_run_portable(text, text + n, &b) || a != b;
    }
    ok(wrong == 0, "json_run vectors and the portable twin agree", "%u differ", wrong);
}

int main(void)
{
    make_columns();
    reader = json_row_new(columns, COLUMNS, NULL);
    whole_rows();
    damaged_rows();
    twins();
    json_row_free(reader);
    return ok_done();
}
