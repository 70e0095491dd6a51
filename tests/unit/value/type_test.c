/* type_test.c - which values and types fit which; raw texts of Sage and of files read into values. */
#include "value/type.h"
#include "tests/unit/value/ok.h"

static const struct str status_set[] = {{"Active", 6}, {"Deleted", 7}, {"Left", 4}};
static const struct str two_set[] = {{"Active", 6}, {"Left", 4}};

static struct type plain(enum type_base b) { return (struct type){.base = (uint8_t)b}; }
static struct type maybe(struct type t) { t.optional = true; return t; }
static struct type set_of(const struct str *s, uint16_t n) { return (struct type){.base = T_TEXT, .min_len = 4, .max_len = 7, .nset = n, .set = s}; }
static struct type range(i128 lo, i128 hi, uint8_t scale) { return (struct type){.base = T_DECIMAL, .lo = lo, .hi = hi, .scale = scale}; }
static struct type spelled(void) { return (struct type){.base = T_BOOL, .yes = STR("Y"), .no = STR("N")}; }

static void fitting(void)
{
    const struct { const char *name; struct type from, to; bool fits; } cases[] = {
        {"text into a longer text", type_text(1, 30), type_text(1, 50), true},
        {"text into a shorter text", type_text(1, 50), type_text(1, 30), false},
        {"text below the minimum", type_text(1, 5), type_text(2, 5), false},
        {"optional into required", maybe(type_text(1, 5)), type_text(1, 5), false},
        {"required into optional", type_text(1, 5), maybe(type_text(1, 5)), true},
        {"set into a larger set", set_of(two_set, 2), set_of(status_set, 3), true},
        {"set into a smaller set", set_of(status_set, 3), set_of(two_set, 2), false},
        {"set into text by its lengths", set_of(status_set, 3), type_text(4, 7), true},
        {"set into too short a text", set_of(status_set, 3), type_text(1, 6), false},
        {"text into a set", type_text(4, 4), set_of(status_set, 3), false},
        {"decimal(9,2) into decimal(13,2)", type_decimal(9, 2), type_decimal(13, 2), true},
        {"decimal(13,2) into decimal(9,2)", type_decimal(13, 2), type_decimal(9, 2), false},
        {"larger scale into smaller", type_decimal(9, 4), type_decimal(13, 2), false},
        {"smaller scale into larger", type_decimal(9, 2), type_decimal(11, 4), true},
        {"smaller scale, but no room", type_decimal(9, 2), type_decimal(10, 4), false},
        {"38 digits widened overflow", type_decimal(38, 0), type_decimal(38, 12), false},
        {"range inside", range(0, 100, 0), range(-1, 100, 0), true},
        {"range outside by one", range(0, 101, 0), range(-1, 100, 0), false},
        {"date into date", plain(T_DATE), plain(T_DATE), true},
        {"date into instant", plain(T_DATE), plain(T_INSTANT), false},
        {"local into instant", plain(T_LOCAL), plain(T_INSTANT), false},
        {"bool into text", plain(T_BOOL), type_text(1, 5), false},
        {"spelled bool into bool", spelled(), plain(T_BOOL), true},
        {"link into any link", (struct type){.base = T_LINK, .module = 3}, plain(T_LINK), true},
        {"link into another module", (struct type){.base = T_LINK, .module = 3}, (struct type){.base = T_LINK, .module = 4}, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ok(type_fits(&cases[i].from, &cases[i].to) == cases[i].fits, cases[i].name, "fits is %d", !cases[i].fits);
}

static void reading(void)
{
    const struct { struct type t; const char *in, *out; /* as value_print; NULL = violation */ } cases[] = {
        {type_text(1, 5), "abc", "abc"}, {type_text(1, 5), "abc  ", "abc"}, {type_text(1, 5), " abc", " abc"}, {type_text(1, 5), "abcdef", NULL},
        {type_text(1, 5), "abcde   ", "abcde"}, {type_text(1, 5), "", NULL}, {type_text(1, 5), "   ", NULL}, {maybe(type_text(1, 5)), "   ", "(none)"},
        {type_text(2, 2), "1", NULL}, {type_text(1, 4), "caf\xc3\xa9", "caf\xc3\xa9"}, {type_text(1, 9), "caf\xe9", NULL},
        {set_of(status_set, 3), "Left", "Left"}, {set_of(status_set, 3), "left", NULL}, {set_of(status_set, 3), "Left ", "Left"},
        {spelled(), "Y", "true"}, {spelled(), "N", "false"}, {spelled(), "true", "true"}, {spelled(), "false", "false"}, {spelled(), "y", NULL}, {spelled(), "", NULL},
        {maybe(spelled()), "", "(none)"}, {plain(T_BOOL), "true", "true"}, {plain(T_BOOL), "1", NULL},
        {type_decimal(13, 2), "60000.00", "60000.00"}, {type_decimal(13, 2), "60000", "60000.00"}, {type_decimal(13, 2), "-5.5", "-5.50"},
        {type_decimal(13, 2), "1.500", "1.50"}, {type_decimal(13, 2), "1.505", NULL}, {type_decimal(13, 2), "99999999999.99", "99999999999.99"},
        {type_decimal(13, 2), "100000000000.00", NULL}, {type_decimal(13, 2), "1,000", NULL}, {type_decimal(13, 2), "abc", NULL}, {type_decimal(13, 2), " 7.00 ", "7.00"},
        {type_decimal(13, 2), "", NULL}, {maybe(type_decimal(13, 2)), "", "(none)"}, {range(1, 9, 0), "", NULL}, {range(1, 9, 0), "0", NULL}, {range(1, 9, 0), "9", "9"},
        {plain(T_DATE), "20240312", "2024-03-12"}, {plain(T_DATE), "2024-03-12", "2024-03-12"}, {plain(T_DATE), "2024-03-12T00:00:00", "2024-03-12"},
        {plain(T_DATE), "2024-03-12T10:00:00", NULL}, {plain(T_DATE), "2024-03-12T00:00:00Z", NULL}, {plain(T_DATE), "20240230", NULL}, {plain(T_DATE), "", NULL},
        {maybe(plain(T_DATE)), "", "(none)"}, {maybe(plain(T_DATE)), "17530101", "(none)"}, {maybe(plain(T_DATE)), "0001-01-01T00:00:00", "(none)"},
        {plain(T_DATE), "1753-01-01", NULL}, {maybe(plain(T_DATE)), "17530102", "1753-01-02"},
        {plain(T_LOCAL), "2024-03-12T10:00:00", "2024-03-12T10:00:00"}, {plain(T_LOCAL), "2024-03-12T10:00:00Z", NULL}, {maybe(plain(T_LOCAL)), "0001-01-01T00:00:00", "(none)"},
        {maybe(plain(T_LOCAL)), "1753-01-01T00:00:01", "1753-01-01T00:00:01"}, {plain(T_INSTANT), "2024-03-12T10:00:00+01:00", "2024-03-12T09:00:00Z"},
        {plain(T_INSTANT), "2024-03-12T10:00:00", NULL}, {plain(T_LINK), "7", NULL}};
    struct buf b = {0}, t = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v;
        char name[120], why[120] = "";
        buf_clear(&t);
        type_print(&t, &cases[i].t);
        snprintf(name, sizeof name, "read \"%s\" as %.*s", cases[i].in, (int)t.n, t.p);
        bool good = type_read(&cases[i].t, str_of(cases[i].in), &v, why, sizeof why);
        if (!cases[i].out) { ok(!good && why[0], name, "accepted, or no reason"); continue; }
        if (!ok(good, name, "%s", why)) continue;
        buf_clear(&b);
        value_print(&b, &v);
        ok_text(name, buf_view(&b), cases[i].out);
        ok(type_admits(&cases[i].t, &v, why, sizeof why), "what was read is admitted", "%s: %s", name, why);
    }
    struct value v;
    struct type five = type_text(1, 5);
    ok(!type_read(&five, (struct str){"a\0b", 3}, &v, NULL, 0), "a zero byte in a text is refused", "accepted");
    buf_free(&b);
    buf_free(&t);
}

static void admitting(void)
{
    struct value text = value_text(STR("abc")), num = value_decimal(1500, 3), big = value_decimal(100, 0), id = value_text(STR("7")), yes = value_bool(true);
    struct type two = type_decimal(4, 2), small = range(0, 99, 0), link = plain(T_LINK), b = plain(T_BOOL), t = type_text(1, 9);
    char why[120];
    id.kind = V_ID;
    ok(type_admits(&two, &num, NULL, 0), "1.500 is a decimal(4,2)", "refused");
    ok(!type_admits(&small, &big, why, sizeof why), "100 is out of 0..99", "accepted");
    ok(!type_admits(&b, &text, why, sizeof why) && str_is(str_of(why), "is not true or false"), "a text is no boolean", "%s", why);
    ok(type_admits(&b, &yes, NULL, 0), "a boolean is one", "refused");
    ok(type_admits(&link, &id, NULL, 0), "an id is what a link becomes", "refused");
    ok(!type_admits(&t, &id, NULL, 0), "an id is no text", "accepted");
    ok(!type_admits(&t, &value_absent, why, sizeof why), "absent is not admitted where a value is required", "accepted");
}

static void printing(void)
{
    const struct { struct type t; const char *out; } cases[] = {
        {maybe(type_text(1, 50)), "text(1..50)?"}, {type_decimal(13, 2), "decimal(13,2)"}, {type_decimal(38, 0), "decimal(38,0)"}, {range(0, 999, 1), "decimal(0.0..99.9)"},
        {range(-999, 998, 0), "decimal(-999..998)"}, {set_of(two_set, 2), "one of (\"Active\", \"Left\")"}, {maybe(spelled()), "bool(\"Y\",\"N\")?"}, {plain(T_DATE), "date"},
        {plain(T_LOCAL), "local"}, {maybe(plain(T_INSTANT)), "instant?"}, {plain(T_LINK), "link"}, {range(0, 0, 0), "decimal(0..0)"}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&b);
        type_print(&b, &cases[i].t);
        ok_text(cases[i].out, buf_view(&b), cases[i].out);
    }
    buf_free(&b);
}

int main(void)
{
    fitting();
    reading();
    admitting();
    printing();
    return ok_done();
}
