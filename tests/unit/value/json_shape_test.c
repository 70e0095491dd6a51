/* json_shape_test.c - rows of one shape: which are taken as a whole and what is read of them, and that what is not quite of the shape is left alone. The ways to
 * find seams against a loop over bytes. That rows taken this way are what the strict scanner reads: json_row_test.c. */
#include "value/json_shape.h"
#include "tests/unit/value/ok.h"
#include "value/json_seams.h"
#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS = 5 };
static struct type types[COLUMNS];
static struct cell cells[COLUMNS];

static void make_cells(void)
{
    static const char *const names[COLUMNS] = {"Name", "Limit", "Since", "Hold", "Away"};
    types[0] = type_text(1, 12);
    types[1] = type_decimal(13, 2);
    types[2] = (struct type){.base = T_DATE};
    types[3] = (struct type){.base = T_BOOL, .yes = STR("Y"), .no = STR("N")};
    types[4] = type_text(2, 4);
    for (int i = 0; i < COLUMNS; i++) {
        types[i].optional = i > 0;
        cells[i] = cell_of(str_of(names[i]), &types[i]);
    }
}

/* {"Name":..,"Limit":..,"Since":..,"More":..,"Hold":..} */
static struct json_shape *shape_of_gaps(const char *const *gaps, const int *columns, size_t n, bool want)
{
    struct json_shape *s = json_shape_new(cells, COLUMNS);
    json_shape_begin(s);
    for (size_t i = 0; i < n; i++) json_shape_member(s, str_of(gaps[i]), columns[i]);
    ok(json_shape_end(s) == want, want ? "json_shape a row that can be a model" : "json_shape a row that can be none", "gap %s", gaps[n - 1]);
    return s;
}

static const char *const good_gaps[] = {"\"Name\":\"", "\",\"Limit\":\"", "\",\"Since\":\"", "\",\"More\":\"", "\",\"Hold\":\""};
static const int good_columns[] = {0, 1, 2, -1, 3};

struct expected { const char *text; bool taken; const char *name; int64_t limit; int64_t days; int hold; };      /* limit, days -1: absent; hold -1: absent */
static const struct expected rows[] = {
    {"{\"Name\":\"American\",\"Limit\":\"1200.5\",\"Since\":\"1970-01-02\",\"More\":\"\",\"Hold\":\"Y\"}", true, "American", 120050, 1, 1},
    {"{\"Name\":\"A  \",\"Limit\":\"\",\"Since\":\"\",\"More\":\"any, thing: at {all}\",\"Hold\":\"\"}", true, "A", -1, -1, -1},
    {"{\"Name\":\":\",\"Limit\":\"7\",\"Since\":\"2024-02-29\",\"More\":\"0123456789012345678901234567890123456789012345678901234567890123\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"::\",\"Limit\":\"7\",\"Since\":\"2024-02-29\",\"More\":\"0123456789012345678901234567890123456789012345678901234567890123\",\"Hold\":\"N\"}", true, "::", 700, 19782, 0},
    {"{\"Name\":\"\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"more than twelve\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7.123\",\"Since\":\"\",\"More\":\"\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"2023-02-29\",\"More\":\"\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"1753-01-01\",\"More\":\"\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"2023-13-01\",\"More\":\"\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"2023-01-00\",\"More\":\"\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\",\"Hold\":\"X\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"a\\nb\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"a\tb\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\xc3\xbc\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"a\"b\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\",\"Limit\":\"7\"x\",\"Since\":\"\",\"More\":\"\",\"Hold\":\"N\"}", false, "", 0, 0, 0},       /* two gaps share a quote, and one stands elsewhere */
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\",\"Hold\":\"N\"\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"Mora\":\"\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\",\"Hola\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Nama\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\",\"Hold\":\"N\",\"Away\":\"xx\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\",\"Hold\": \"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\",\"Hold\":\"N\"} ", false, "", 0, 0, 0},
    {"[\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\",\"Hold\":\"N\"}", false, "", 0, 0, 0},
    {"{\"Name\":\"A\",\"Limit\":\"7\",\"Since\":\"\",\"More\":\"\",\"Hold\":\"N\"", false, "", 0, 0, 0}, {"", false, "", 0, 0, 0}, {"{\"}", false, "", 0, 0, 0}};

static bool as_expected(const struct expected *e, const struct value *v)
{
    return str_is(value_str(&v[0]), e->name) && (e->limit < 0 ? !value_present(&v[1]) : v[1].kind == V_DECIMAL && v[1].scale == 2 && v[1].u.coef == e->limit) &&
           (e->days < 0 ? !value_present(&v[2]) : v[2].kind == V_DATE && v[2].u.i == e->days) &&
           (e->hold < 0 ? !value_present(&v[3]) : v[3].kind == V_BOOL && v[3].u.b == (e->hold == 1)) && !value_present(&v[4]);
}

static void taken_or_left(void)
{
    struct json_shape *s = shape_of_gaps(good_gaps, good_columns, 5, true);
    char name[60];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = strlen(rows[i].text);
        char *copy = malloc(n ? n : 1);                               /* nothing stands behind it */
        struct value v[COLUMNS];
        if (!copy) return;
        memcpy(copy, rows[i].text, n);
        memset(v, 0xff, sizeof v);
        size_t used = 0;
        bool taken = json_shape_read(s, (struct str){copy, n}, &used, v) && used == n;
        snprintf(name, sizeof name, "json_shape row %zu", i + 1);
        ok(taken == rows[i].taken && (!taken || as_expected(&rows[i], v)), name, "taken %d: %s", taken, rows[i].text);
        free(copy);
    }
    json_shape_free(s);
}

/* Names that would be taken for seams, twice the same column, blanks, a required column that is missing, values that are no texts. */
static void no_models(void)
{
    static const char *const gaps[][3] = {{"\"Name\":\"", "\",\",\":\"", ""}, {"\"Name\":\"", "\",\":\":\"", ""}, {"\"Name\":\"", "\", \"Limit\":\"", ""}, {"\"Name\":\"", "\",\"Limit\": \"", ""},
                                          {" \"Name\":\"", "\",\"Limit\":\"", ""}, {"\"Name\":", ",\"Limit\":\"", ""}, {"\"Name\":\"", "\",\"Limit\":", ""},
                                          {"\"Name\":\"", "\",\"A name of more than 32 bytes in all\":\"", ""}, {"\"Name\":\"", "\",\"\":\"", ""}};
    static const int twice[] = {0, 0}, required[] = {-1, 1};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) json_shape_free(shape_of_gaps(gaps[i], good_columns, 2, false));
    json_shape_free(shape_of_gaps(good_gaps, twice, 2, false));
    json_shape_free(shape_of_gaps(good_gaps, required, 2, false));
    struct value v[COLUMNS];
    struct json_shape *s = json_shape_new(cells, COLUMNS);
    size_t used;
    ok(!json_shape_read(s, STR("{\"Name\":\"A\"}"), &used, v), "json_shape nothing is of a shape that was not learned", "taken");
    json_shape_free(s);
}

/* A number or a date as the first member has few bytes in front of it. */
static void first_members(void)
{
    static const char *const date[] = {"\"D\":\"", "\",\"Name\":\""}, *const number[] = {"\"N\":\"", "\",\"Name\":\""};
    static const int dates[] = {2, 0}, numbers[] = {1, 0};
    struct value v[COLUMNS];
    size_t used;
    struct json_shape *s = shape_of_gaps(date, dates, 2, true);
    ok(json_shape_read(s, STR("{\"D\":\"\",\"Name\":\"A\"}"), &used, v) && !value_present(&v[2]) && json_shape_read(s, STR("{\"D\":\"1970-01-03\",\"Name\":\"A\"}"), &used, v) && v[2].u.i == 2, "json_shape a date first", "not so");
    json_shape_free(s);
    s = shape_of_gaps(number, numbers, 2, true);
    ok(json_shape_read(s, STR("{\"N\":\"5\",\"Name\":\"A\"}"), &used, v) && v[1].u.coef == 500, "json_shape a number first", "not so");
    json_shape_free(s);
}

static uint64_t seed = 11;
static unsigned below(size_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((seed >> 33) % n);
}

/* What a loop over the bytes says of one list. */
static unsigned list_differs(const struct json_seams *s, const char *text, size_t n)
{
    size_t count = 0, quotes = 0, i = 0;
    unsigned wrong = 0;
    for (; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\\' || c < 0x20 || c >= 0x80) break;
        quotes += c == '"';
        if (c == '"' && i >= 2 && text[i - 2] == '"' && (text[i - 1] == ':' || text[i - 1] == ',')) wrong += count >= s->n || s->at[count++] != i;
    }
    return wrong + (count != s->n) + (quotes != s->quotes) + (s->end != i);
}

static void seams(void)
{
    static struct json_seams s;
    for (const struct json_seams_way *w = json_seams_ways; w->name; w++) {
        unsigned wrong = 0;
        char name[60];
        for (int i = 0; i < 4000 && w->here(); i++) {
            size_t n = below(4) ? below(300) : JSON_SEAMS_BYTES - below(140);
            unsigned rare = below(3) ? 30 : 2, odd = below(2);
            char *text = malloc(n ? n : 1);
            if (!text) return;
            for (size_t k = 0; k < n; k++) text[k] = below(rare) ? (char)('a' + below(26)) : "\":\",\"\":,"[below(8)];
            if (odd && n) text[below(n)] = "\\\x1f\x01\x80\xff"[below(5)];
            w->find(&s, text, n);
            wrong += list_differs(&s, text, n);
            free(text);
        }
        snprintf(name, sizeof name, "json_seams %s%s", w->name, w->here() ? "" : " (not on this processor)");
        ok(wrong == 0, name, "%u differ", wrong);
    }
}

int main(void)
{
    make_cells();
    taken_or_left();
    no_models();
    first_members();
    seams();
    return ok_done();
}
