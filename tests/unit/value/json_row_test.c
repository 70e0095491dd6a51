/* json_row_test.c - JSON to slots against the strict scanner: for rows as a source sends them, for a hundred thousand that were damaged in one to three places,
 * for values of random letters and for rows beyond a window of marks, both take or refuse the same texts, find the same values and name the same column. The
 * vector loops against their portable twins, and these against a loop over bytes. */
#include "value/json_row.h"
#include "value/json_marks.h"
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
    "{\n  \"Division\": \"01\",\n  \"Number\": \"ABF\",\n  \"Limit\": 7,\n  \"Name\": \"American\",\n  \"Hold\": null,\n  \"Since\": \"2026-03-12\"\n}",
    "{\"Division\":\"01\",\"Number\":1,\"Name\":\"x\"}", "{\"Division\":\"01\",\"Number\":\"1\",\"Name\":\"x\"}", "{\"Division\":\"01\",\"Number\":1\",\"Name\":\"x\"}",
    "{\"Division\":\"01\",\"Number\":\"1,\"Name\":\"x\"}", "{\"Division\":\"01\" ,\"Number\":\"1\",}", "{,\"Division\":\"01\"}", "{\"Division\":\"01\"\"Number\":\"1\"}",
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

/* The row's own brace is one of the 32 levels. */
static void nested_rows(void)
{
    static const struct { const char *name; int depth; bool taken; } cases[] = {{"Other", 31, true}, {"Other", 32, false}, {"Comment", 31, true}, {"Comment", 32, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200], what[80];
        int n = cases[i].depth, at = snprintf(text, sizeof text, "{\"Division\":\"01\",\"Number\":\"A\",\"%s\":", cases[i].name);
        memset(text + at, '[', (size_t)n);
        memset(text + at + n, ']', (size_t)n);
        snprintf(text + at + 2 * n, sizeof text - (size_t)(at + 2 * n), "}");
        unsigned before = taken;
        const char *bad = differs(str_of(text));
        snprintf(what, sizeof what, "json_row %d levels in %s", n, cases[i].name);
        ok(!bad && (taken > before) == cases[i].taken, what, "%s", bad ? bad : "");
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

/* Damage to rows that all have one shape, which is what the quick way is for: what it takes, the scanner takes too. */
static void damaged_in_shape(void)
{
    static const char bytes[] = "\"\\,:{}09-.Y \x01\xc3";
    char text[400];
    unsigned wrong = 0;
    taken = refused = violated = 0;
    for (int i = 0; i < 100000 && wrong < 5; i++) {
        struct str row = str_of(rows[i / 1000 % 2]);
        memcpy(text, row.p, row.n);
        size_t n = row.n;
        for (unsigned k = i % 4 ? below(3) : 0; k > 0; k--) {
            size_t at = below(n);
            if (below(3) == 0) memmove(text + at, text + at + 1, --n - at);
            else if (below(2)) {
                memmove(text + at + 1, text + at, n - at);
                text[at] = bytes[below(sizeof bytes - 1)];
                n++;
            } else text[at] = bytes[below(sizeof bytes - 1)];
        }
        wrong += differs((struct str){text, n}) != NULL;
    }
    ok(wrong == 0 && taken > 40000 && refused > 20000 && violated > 2000, "json_row 100,000 damaged rows of one shape", "%u differ; taken %u, refused %u, violated %u", wrong, taken, refused, violated);
}

/* Values of letters that numbers and dates are made of, at each place of a row. */
static void random_values(void)
{
    static const char letters[] = "0000123456789......--- +e,AYN";
    static const char *const like[] = {"12345678", "123456.78", "-1234.56", "0.00", "2026-03-12", "2024-02-29", "1753-01-01", "99999999999.99", "Y", "A"};
    char text[300], value[24];
    unsigned wrong = 0;
    for (int i = 0; i < 100000 && wrong < 5; i++) {
        size_t n = below(14);
        for (size_t k = 0; k < n; k++) value[k] = letters[below(sizeof letters - 1)];
        if (i % 2) {
            const char *from = like[below(sizeof like / sizeof *like)];
            n = strlen(from);
            memcpy(value, from, n);
            if (below(3)) value[below(n)] = letters[below(sizeof letters - 1)];
        }
        const char *name = (const char *const[]){"Limit", "Since", "Hold", "Status", "Comment"}[below(5)];
        int len = snprintf(text, sizeof text, "{%s\"%s\":\"%.*s\",\"Division\":\"01\",\"Number\":\"%.*s\"}", below(2) ? "\"x\":1," : "", name, (int)n, value, (int)n, value);
        wrong += differs((struct str){text, (size_t)len}) != NULL;
    }
    ok(wrong == 0, "json_row 100,000 rows of random values", "%u differ", wrong);
}

/* Rows of up to three windows, texts of up to one and a half; the reader has no byte behind them. */
static void long_rows(void)
{
    unsigned wrong = 0;
    for (int i = 0; i < 400 && wrong < 5; i++) {
        struct buf b = {0};
        size_t want = JSON_MARKS_WINDOW / 2 + below(5 * JSON_MARKS_WINDOW / 2);
        buf_puts(&b, "{\"Division\":\"01\"");
        for (unsigned m = 0; b.n < want; m++) {
            size_t n = below(8) ? below(70) : below(3 * JSON_MARKS_WINDOW / 2);
            buf_printf(&b, ",\"%s%u\":\"", below(20) ? "Field" : "M\xc3\xbcller", m);
            for (size_t k = 0; k < n; k++) buf_puts(&b, below(400) ? "a" : below(4) ? "\xc3\xbc" : below(3) ? "\\\"" : below(3) ? "\\u00fc" : below(20) ? " " : "\xff");
            buf_puts(&b, "\"");
            if (below(30) == 0) buf_puts(&b, ",\"Limit\":12.5");
        }
        buf_puts(&b, ",\"Number\":\"ABF\",\"Limit\":\"12.5\"}");
        char *copy = malloc(b.n);
        if (!copy) return;
        memcpy(copy, b.p, b.n);
        wrong += differs((struct str){copy, b.n}) != NULL;
        free(copy);
        buf_free(&b);
    }
    ok(wrong == 0, "json_row 400 rows of more than a window", "%u differ", wrong);
}

/* Each way to find the marks, and the walk over them, against a loop over the bytes; nothing behind the end is read or counted. */
static void marks(void)
{
    static struct json_marks m;
    for (const struct json_marks_way *w = json_marks_ways; w->name; w++) {
        unsigned wrong = 0;
        char name[60];
        for (int i = 0; i < 4000 && w->here(); i++) {
            size_t n = below(4) ? below(300) : JSON_MARKS_WINDOW - 70 + below(140), window = n < JSON_MARKS_WINDOW ? n : JSON_MARKS_WINDOW;
            unsigned rare = below(3) ? 30 : 2;
            char *text = malloc(n ? n : 1);
            if (!text) return;
            bool high = false;
            for (size_t k = 0; k < n; k++) text[k] = (char)(below(rare) ? 'a' + below(26) : below(6) ? (unsigned char)"\"\\\x1f \x7f\n"[below(6)] : below(256));
            memset(m.bits, 0xff, sizeof m.bits);
            w->find(&m, text, n);
            const char *next = text + window;
            wrong += m.from != text || m.n != window;
            for (size_t k = window + 1; k-- > 0;) {
                unsigned char c = k < window ? (unsigned char)text[k] : ' ';
                if (c == '"' || c == '\\' || c < 0x20) next = text + k;
                high |= c >= 0x80;
                size_t near = json_marks_near(&m, k);
                wrong += json_marks_next(&m, text + k) != next || (near ? text + near != next || next == text + window : next < text + window && next < text + k + 56 && next > text);
            }
            wrong += m.high != high;
            free(text);
        }
        snprintf(name, sizeof name, "json_marks %s%s", w->name, w->here() ? "" : " (not on this processor)");
        ok(wrong == 0, name, "%u differ", wrong);
    }
}

/* Texts over several windows of marks, with bytes above 0x7f in one of them: half a character, or a whole one. */
static void long_texts(void)
{
    enum { BYTES = 3 * JSON_MARKS_WINDOW };
    static const char *const heads[] = {"{\"Division\":\"01\",\"Other\":\"", "{\"Division\":\"01\",\"Comment\":\""};
    char *text = malloc(BYTES + 100);
    unsigned wrong = 0, runs = 0;
    for (size_t head = 0; head < 2; head++)
        for (size_t at = 0; at < BYTES; at += 997, runs++) {
            size_t n = strlen(heads[head]);
            memcpy(text, heads[head], n);
            memset(text + n, 'x', BYTES);
            memcpy(text + n + at, "\xc3\xa4", runs % 2 + 1);
            memcpy(text + n + BYTES, "\"}", 2);
            wrong += differs((struct str){text, n + BYTES + 2}) != NULL;
        }
    free(text);
    ok(wrong == 0, "texts longer than the map of marks", "%u of %u differ", wrong, runs);
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
    nested_rows();
    damaged_rows();
    damaged_in_shape();
    random_values();
    long_rows();
    long_texts();
    marks();
    twins();
    json_row_free(reader);
    return ok_done();
}
