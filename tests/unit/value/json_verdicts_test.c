/* json_verdicts_test.c - RFC 8259's verdicts on texts that readers of JSON disagree about, for each of our three: the scanner (value/json.c), the reader of
 * rows (value/json_row.c) and jansson with the flags that the connectors use. The cases are our own, one for each behaviour that the well-known collections of
 * such texts (JSONTestSuite) cover; the classes are theirs:
 *
 *     y   must be read          n   must be refused          i   a limit of the implementation: what we do is written down here and in docs/reliability.md
 *
 * A value is tried as [V] and as {"a":V}, read and passed over; a string as a member's name too. Every case is also cut at each byte (n, but for numbers
 * alone), and followed by something else (n). */
/* Both have enumerators of these names. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL
#include "tests/unit/value/ok.h"
#include "value/json_row.h"
#include <dirent.h>
#include <stdlib.h>

/* ---- the readers: true = read to its end and nothing behind it ---- */

static bool by_scanner(struct str text)
{
    struct arena a;
    struct json_scanner s;
    arena_init(&a, 4096);
    json_init(&s, text, &a);
    enum json_token t = json_next(&s);
    while (t != JSON_END && t != JSON_ERROR) t = json_next(&s);
    arena_free(&a);
    return t == JSON_END;
}

/* Member "a" is read as a text, as a number, or by nobody. What its column does not admit is no matter here. */
static bool by_row(struct str text, int how)
{
    static const struct str names[] = {{"a", 1}, {"a", 1}, {"unread", 6}};
    struct type types[3] = {type_text(1, 4000), type_decimal(38, 12), type_text(1, 10)};
    struct arena a;
    struct value v;
    struct json_row_fault why;
    size_t used = 0;
    arena_init(&a, 4096);
    types[how].optional = true;
    struct json_row_column column = {names[how], &types[how]};
    struct json_row *r = json_row_new(&column, 1, NULL);
    bool good = true, again;
    for (int i = 0; i < 2; i++) {                  /* the second time by the order that it has learned */
        again = json_row_read(r, text, &used, &a, &v, &why);
        good = i ? good == again && again : again;
    }
    json_row_free(r);
    for (; used < text.n && memchr(" \t\r\n", text.p[used], 4); used++) {}
    arena_free(&a);
    return good && used == text.n;
}

static bool by_jansson(struct str text, size_t flags)
{
    json_t *j = json_loadb(text.p, text.n, flags, NULL);
    json_decref(j);
    return j != NULL;
}

enum { SCANNER = 1, ROW = 2, JANSSON = 4, ALL = 7 };

static unsigned readers_of_value(struct str array, struct str object)
{
    unsigned who = 0;
    bool row = by_row(object, 0), arr = by_scanner(array), obj = by_scanner(object);
    if (arr && obj) who |= SCANNER;
    if (row && by_row(object, 1) && by_row(object, 2)) who |= ROW;
    if (by_jansson(array, 0) && by_jansson(object, JSON_REJECT_DUPLICATES)) who |= JANSSON;
    if (arr != obj || row != by_row(object, 1) || row != by_row(object, 2)) who |= 8;      /* one reader, two opinions */
    if (by_jansson(array, 0) != by_jansson(array, JSON_REJECT_DUPLICATES)) who |= 8;
    return who;
}

static struct str around(struct buf *b, const char *before, struct str v, const char *after)
{
    buf_clear(b);
    buf_puts(b, before);
    buf_str(b, v);
    buf_puts(b, after);
    return buf_view(b);
}

static unsigned readers(struct str v)
{
    struct buf a = {0}, o = {0};
    unsigned who = readers_of_value(around(&a, "[", v, "]"), around(&o, "{\"a\":", v, "}"));
    buf_free(&a);
    buf_free(&o);
    return who;
}

static void verdict(const char *cls, size_t i, struct str text, unsigned got, unsigned want)
{
    char name[160];
    snprintf(name, sizeof name, "%s_%03zu %.*s", cls, i, (int)str_cut(text, 60).n, text.p);
    for (char *c = name; *c; c++)
        if ((unsigned char)*c >= 0x7f) *c = '.';
    ok(got == want, name, "read by %s%s%s%s, should be by %s%s%s", got & SCANNER ? "scanner " : "", got & ROW ? "row " : "", got & JANSSON ? "jansson " : "",
       got & 8 ? "(and it depends on where it stands)" : "", want & SCANNER ? "scanner " : "", want & ROW ? "row " : "", want & JANSSON ? "jansson" : "");
}

/* ---- values ---- */

#define S(text) {text, sizeof(text) - 1}
static const struct str GOOD[] = {
    /* numbers */
    S("0"), S("-0"), S("1"), S("-1"), S("123"), S("-123"), S("20e1"), S("0e1"), S("0e+1"), S("1E22"), S("1E-2"), S("1E+2"), S("123e45"), S("123.456e78"),
    S("123e-10000000"), S("0.5"), S("123.456789"), S("4.9e-324"), S("0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000001"), S(" 1 "), S("\t1\r\n"), S("1e00"),
    S("9223372036854775807"), S("-9223372036854775808"), S("1.7976931348623157e308"),
    /* words */
    S("true"), S("false"), S("null"), S(" true\n"),
    /* strings */
    S("\"\""), S("\" \""), S("\"a\""), S("\"asd\" "), S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), S("\"\\u0060\\u012a\\u12AB\""), S("\"\\uD801\\uDC37\""), S("\"\\ud83d\\ude39\\ud83d\\udc8d\""),
    S("\"\\\\u0000\""), S("\"\\\"\""), S("\"a/*b*/c/*d//e\""), S("\"\\\\a\""), S("\"\\\\n\""), S("\"\\u0012\""), S("\"\\uFFFF\""), S("\"\\uDBFF\\uDFFE\""), S("\"new\\u00A0line\""),
    S("\"\xf4\x8f\xbf\xbf\""), S("\"\xef\xbf\xbf\""), S("\",\""), S("\"\xcf\x80\""), S("\"\xf0\x9b\xbf\xbf\""), S("\"\\u0821\""), S("\"\\u0123\""), S("\"\xe2\x80\xa8\""), S("\"\xe2\x80\xa9\""),
    S("\"\\u0061\\u30af\\u30EA\\u30b9\""), S("\"new\\u000Aline\""), S("\"\x7f\""), S("\"\\uA66D\""), S("\"\\u005C\""), S("\"\xe2\x8d\x82\xe3\x88\xb4\xe2\x8d\x82\""), S("\"\\u200B\""),
    S("\"\\u2064\""), S("\"\\uD83F\\uDFFE\""), S("\"\\uFDD0\""), S("\"\\uFFFE\""), S("\"\\u0022\""), S("\"\xe2\x82\xac\xf0\x9d\x84\x9e\""), S("\"a\x7f" "a\""), S("\"\xef\xbb\xbf\""),
    /* arrays and objects */
    S("[]"), S("[ ]"), S("[\"a\"]"), S("[[]   ]"), S("[\"\"]"), S("[false]"), S("[null, 1, \"1\", {}]"), S("[1\n]"), S(" [1]"), S("[1,null,null,null,2]"), S("[2] "), S("[[[[1]]]]"),
    S("{}"), S("{ }"), S("{\"\":0}"), S("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}"), S("{\"x\":[{\"id\": \"xx\"}], \"id\": \"xx\"}"), S("{\"a\":[]}"), S("{\n\"a\": \"b\"\n}"),
    S("{\"\\u041f\\u043e\":\"\\u0417\"}"), S("{ \"min\": -1.0e+28, \"max\": 1.0e+28 }")};

static const struct str BAD[] = {
    /* numbers */
    S("-01"), S("-1.0."), S("-2."), S("-NaN"), S("-"), S("--1"), S("++1234"), S("+1"), S("+Inf"), S(".-1"), S(".2e-3"), S("0.1.2"), S("0.3e"), S("0.3e+"), S("0.e1"), S("0E"),
    S("0E+"), S("0e"), S("0e+"), S("1 000.0"), S("1.0e"), S("1.0e+"), S("1.0e-"), S("1_000"), S("1eE2"), S("2.e+3"), S("2.e-3"), S("2.e3"), S("9.e+"), S("Inf"), S("NaN"),
    S("\xef\xbc\x91"), S("1+2"), S("0x1"), S("0x42"), S("Infinity"), S("0e+-1"), S("-Infinity"), S("-foo"), S("- 1"), S("-012"), S("-.123"), S("-1x"), S("1ea"), S("1e\xe5"),
    S("1.8011670033376514H-308"), S("123\xe5"), S("0\xe5"), S(".123"), S("1.2a-3"), S("1e1\xe5"), S("-123.123foo"), S("012"), S("00"), S("1."), S("0b1"), S("0o7"), S("1L"), S("1,000.5"),
    S("1.e1"), S("1e5.5"), S("1e+"), S("1\xc2\xa0"), S("1 2"), S("\xe2\x88\x92" "1"),
    /* words */
    S("nul"), S("truth"), S("tru"), S("fals"), S("True"), S("TRUE"), S("FALSE"), S("Null"), S("nil"), S("undefined"), S("nulll"), S("true1"), S("truefalse"), S("a"), S("a\xe5"), S("*"),
    S("\xe2\x9c\x93"), S("<null>"), S("<.>"), S("^"), S("@"), S("`a`"),
    /* strings */
    S("\""), S("\"a"), S("'a'"), S("'"), S("\"\\"), S("\"\\\""), S("\"\\x00\""), S("\"\\\\\\\""), S("\"\\\t\""), S("\"\\\xf0\x9f\x8c\x80\""), S("\"\\u00A\""), S("\"\\uD834\\uDd\""), S("\"\\uD800\\u\""),
    S("\"\\uD800\\u1\""), S("\"\\uD800\\u1x\""), S("\"\\a\""), S("\"\\uqqqq\""), S("\"\\\xe5\""), S("\"\\u\xe5\""), S("\\u0020\"asd\""), S("\\n"), S("\"a\0a\""), S("\"new\nline\""), S("\"\t\""),
    S("\"\\UA66D\""), S("\"\\v\""), S("\"\\'\""), S("\"\\0\""), S("\"\\u 041\""), S("\"\\u+041\""), S("\"\\u-041\""), S("\"\\u004\""), S("\"\x01\""), S("\"\x1f\""), S("\"\x08\""), S("\"\r\""),
    S("\xe2\x80\x9c" "a\xe2\x80\x9d"), S("\"a\"b"), S("\"a\"\"b\""), S("\"\"x"), S("\"a\" \"b\""), S("\"\\ u0041\""),
    /* arrays */
    S("[1 true]"), S("[\"\": 1]"), S("[\"a\" 1]"), S("[,1]"), S("[1,,2]"), S("[\"x\",,]"), S("[\"x\"]]"), S("[\"\",]"), S("[\"x\""), S("[x"), S("[3[4]]"), S("[\xff]"), S("[1:2]"),
    S("[,]"), S("[-]"), S("[   , \"\"]"), S("[\"a\",\n4\n,1,"), S("[1,]"), S("[\"a\\u"), S("[*]"), S("[\"\va\"\\f]"), S("[1\n,1\n,1"), S("[1"), S("["), S("[{}"), S("]"), S("[1}"), S("[1;2]"),
    S("[\"a\"=>1]"), S("[(1)]"), S("[1]x"), S("[][]"), S("[\f]"), S("[\v1]"), S("[1\xe2\x81\xa0]"), S("[\xc2\x85]"), S("[\\u000A\"\"]"),
    /* objects */
    S("{[: \"x\"}"), S("{\"x\", null}"), S("{\"x\"::\"b\"}"), S("{\xf0\x9f\x87\xa8\xf0\x9f\x87\xad}"), S("{\"a\":\"a\" 123}"), S("{key: 'value'}"), S("{\"\xb9\":\"0\",}"), S("{\"a\" b}"), S("{:\"b\"}"),
    S("{\"a\" \"b\"}"), S("{\"a\":"), S("{\"a\""), S("{1:1}"), S("{9999E9999:1}"), S("{null:null,null:null}"), S("{\"id\":0,,,,,}"), S("{'a':0}"), S("{\"id\":0,}"), S("{\"a\":\"b\"}/**/"),
    S("{\"a\":\"b\"}/**//"), S("{\"a\":\"b\"}//"), S("{\"a\":\"b\"}/"), S("{\"a\":\"b\",,\"c\":\"d\"}"), S("{a: \"b\"}"), S("{\"a\":\"a"), S("{ \"foo\" : \"bar\", \"a\" }"), S("{\"a\":\"b\"}#"), S("{,}"), S("{,\"a\":1}"),
    S("{\"a\":1]"), S("{]"), S("{"), S("}"), S("{\"a\":{}"), S("{\"a\":1}}"), S("{\"a\"=1}"), S("{\"a\";1}"), S("{true:1}"), S("{\"a\":1,\"b\"}"), S("{\"a\":,\"b\":1}"), S("{{}}"), S("{[]}"), S("{\"a\":1 \"b\":2}"),
    S("/*c*/1"), S("1/*c*/"), S("//c\n1"), S("#c\n1"), S("1 // c"), S(":"), S(","), S("&"), S("1;"), S("\xef\xbb\xbf" "1")};

/* Where RFC 8259 leaves it to the implementation (sections 4, 6, 8.2, 9): who reads it. */
static const struct { struct str text; unsigned who; const char *why; } OURS[] = {
    {S("123123e100000"), SCANNER | ROW, "numbers are kept as text; jansson has doubles and 64 bits, and what does not fit is refused, never rounded to infinity"},
    {S("-123123e100000"), SCANNER | ROW, ""},
    {S("1.5e+9999"), SCANNER | ROW, ""},
    {S("0.4e006699999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999969999999006"), SCANNER | ROW, ""},
    {S("100000000000000000000"), SCANNER | ROW, ""},
    {S("-237462374673276894279832749832423479823246327846"), SCANNER | ROW, ""},
    {S("9223372036854775808"), SCANNER | ROW, ""},
    {S("123.456e-789"), ALL, "a double's zero is near enough in a small answer"},
    {S("\"\\uD800\""), 0, "half a surrogate pair is no character: it could be written nowhere"},
    {S("\"\\uDADA\""), 0, ""},
    {S("\"\\uD888\\u1234\""), 0, ""},
    {S("\"\\uD800\\n\""), 0, ""},
    {S("\"\\uDd1ea\""), 0, ""},
    {S("\"\\uD800\\uD800\\n\""), 0, ""},
    {S("\"\\ud800abc\""), 0, ""},
    {S("\"\\uDd1e\\uD834\""), 0, ""},
    {S("\"\\uDFAA\""), 0, ""},
    {S("\"\xff\""), 0, "a string is UTF-8 or refused"},
    {S("\"\xe6\x97\xa5\xd1\x88\xfa\""), 0, ""},
    {S("\"\xed\xa0\x80\""), 0, ""},
    {S("\"\xf4\xbf\xbf\xbf\""), 0, ""},
    {S("\"\xe0\xff\""), 0, ""},
    {S("\"\x81\""), 0, ""},
    {S("\"\xc0\xaf\""), 0, "nor longer than it has to be"},
    {S("\"\xfc\x83\xbf\xbf\xbf\xbf\""), 0, ""},
    {S("\"\xfc\x80\x80\x80\x80\x80\""), 0, ""},
    {S("\"\xe9\""), 0, ""},
    {S("\"\\u0000\""), SCANNER | ROW, "no small answer has a use for a NUL in a text; it could only cut one short"},
    {S("\"a\\u0000b\""), SCANNER | ROW, ""}};

static void values(void)
{
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) verdict("y", i, GOOD[i], readers(GOOD[i]), ALL);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) verdict("n", i, BAD[i], readers(BAD[i]), 0);
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++) verdict("i", i, OURS[i].text, readers(OURS[i].text), OURS[i].who);
}

/* What is cut, or goes on, is no JSON, whatever it was. */
static void cut_and_continued(void)
{
    static const char *const tails[] = {"x", "]", "}", ",", ":", "\"", "1", " 2", "{}", "[", "\\", "/", "#", "\xef\xbb\xbf"};
    struct buf b = {0}, t = {0};
    size_t tried = 0, wrong = 0;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        struct str doc = around(&b, "{\"a\":", GOOD[i], "}");
        for (size_t n = 0; n < doc.n; n++, tried++) {
            struct str cut = {doc.p, n};
            wrong += by_scanner(cut) || by_row(cut, 0) || by_row(cut, 1) || by_row(cut, 2) || by_jansson(cut, 0);
        }
        for (size_t k = 0; k < sizeof tails / sizeof *tails; k++, tried++) {
            struct str more = around(&t, "", doc, tails[k]);
            wrong += by_scanner(more) || by_row(more, 0) || by_jansson(more, 0) || by_jansson(more, JSON_REJECT_DUPLICATES);
        }
    }
    ok(wrong == 0 && tried > 2500, "whatever is cut or goes on is refused by all", "%zu of %zu were read", wrong, tried);
    buf_free(&b);
    buf_free(&t);
}

/* The rules for strings hold for names, too: a name out of each string that is read or refused. */
static void names(void)
{
    struct buf b = {0};
    const struct { const struct str *list; size_t n; } lists[] = {{GOOD, sizeof GOOD / sizeof *GOOD}, {BAD, sizeof BAD / sizeof *BAD}};
    for (size_t good = 0; good < 2; good++)
        for (size_t i = 0; i < lists[good].n; i++) {
            struct str s = lists[good].list[i];
            if (s.n == 0 || s.p[0] != '"') continue;
            struct str doc = around(&b, "{", s, ":0}");
            unsigned who = (by_scanner(doc) ? SCANNER : 0u) | (by_row(doc, 0) && by_row(doc, 2) ? ROW : 0u) | (by_jansson(doc, 0) ? JANSSON : 0u);
            verdict(good == 0 ? "y_name" : "n_name", i, s, who, good == 0 ? ALL : 0);
        }
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++) {
        if (OURS[i].text.p[0] != '"') continue;
        struct str doc = around(&b, "{", OURS[i].text, ":0}");
        unsigned who = (by_scanner(doc) ? SCANNER : 0u) | (by_row(doc, 0) && by_row(doc, 2) ? ROW : 0u) | (by_jansson(doc, 0) ? JANSSON : 0u);
        verdict("i_name", i, OURS[i].text, who, OURS[i].who);
    }
    buf_free(&b);
}

/* ---- whole documents ---- */

static void documents(void)
{
    static const struct str good[] = {S("[]"), S("{}"), S(" \t\r\n[] \t\r\n"), S("{\"a\":1,\"b\":[{}]}"), S("\n{}")};
    static const struct str bad[] = {S(""), S(" "), S("\xef\xbb\xbf"), S("\xef\xbb\xbf[]"), S("\xef\xbb\xbf{}"), S("\xef"), S("\xe5"), S("[\0]"), S("{}\0"), S("\0{}"), S("{} {}"), S("[]\f"), S("\f[]"),
                                     S("[\0[\0]\0]\0"), S("\xfe\xff\0[\0]"), S("\xff\xfe[\0]\0"), S("{\0\"\0a\0\"\0:\0" "1\0}\0"), S("<html></html>"), S("{}//"), S("{}/**/"), S("\xc2\xa0{}"), S("\xe2\x80\x8b{}"), S("{}\x1a"),
                                     S(")]}',\n{}"), S("while(1);[]"), S("{\"a\":1}\n{\"a\":2}")};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t first = good[i].n < 4 ? good[i].n : 4;
        bool object = memchr(good[i].p, '{', first) && !memchr(good[i].p, '[', first);
        unsigned who = (by_scanner(good[i]) ? SCANNER : 0u) | (object ? (by_row(good[i], 0) ? ROW : 0u) : ROW) | (by_jansson(good[i], 0) ? JANSSON : 0u);
        verdict("y_document", i, good[i], who, ALL);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unsigned who = (by_scanner(bad[i]) ? SCANNER : 0u) | (by_row(bad[i], 0) ? ROW : 0u) | (by_jansson(bad[i], 0) ? JANSSON : 0u);
        verdict("n_document", i, bad[i], who, 0);
    }
    static const struct str alone[] = {S("1"), S("\"a\""), S("null"), S("true"), S(" -0.5 ")};
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        unsigned who = (by_scanner(alone[i]) ? SCANNER : 0u) | (by_row(alone[i], 0) ? ROW : 0u) | (by_jansson(alone[i], 0) ? JANSSON : 0u);
        verdict("i_alone", i, alone[i], who, SCANNER);       /* an answer is an object or an array, a row is an object */
    }
}

/* Section 4: names SHOULD be unique. The last counts for a row; nobody looks at the token stream; where a decision hangs on an answer it is refused. */
static void doubles(void)
{
    static const struct str twice[] = {S("{\"a\":1,\"a\":2}"), S("{\"a\":1,\"a\":1}"), S("{\"a\":1,\"\\u0061\":2}"), S("{\"\":1,\"\":2}")};
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++) {
        unsigned who = (by_scanner(twice[i]) ? SCANNER : 0u) | (by_row(twice[i], 0) ? ROW : 0u) | (by_jansson(twice[i], 0) ? JANSSON : 0u);
        verdict("i_twice", i, twice[i], who, ALL);
        ok(!by_jansson(twice[i], JSON_REJECT_DUPLICATES), "and is refused where we ask jansson to", "read");
    }
    struct arena a;
    struct type number = type_decimal(5, 0);
    struct json_row_column column = {STR("a"), &number};
    struct json_row *r = json_row_new(&column, 1, NULL);
    struct json_row_fault why;
    struct value v;
    size_t used;
    arena_init(&a, 0);
    bool good = json_row_read(r, twice[2], &used, &a, &v, &why);
    struct value two = value_decimal(2, 0);
    ok(good && value_equal(&v, &two), "of a member that comes twice the last one counts, by whatever escapes", "%s", why.clause);
    json_row_free(r);
    arena_free(&a);
}

/* Section 9: a limit on the depth. It is met by counting, not by the end of the stack. */
static void depth(void)
{
    static const size_t depths[] = {31, 32, 33, 500, 2047, 2100, 100000};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        for (int kind = 0; kind < 3; kind++) {
            struct buf b = {0};
            char name[80];
            size_t n = depths[i];
            const char *open = kind == 0 ? "[" : kind == 1 ? "{\"a\":" : "[{\"a\":", *close = kind == 0 ? "]" : kind == 1 ? "}" : "}]";
            size_t levels = kind == 2 ? n / 2 : n;
            for (size_t k = 0; k < levels; k++) buf_puts(&b, open);
            buf_byte(&b, '1');
            for (size_t k = 0; k < levels; k++) buf_puts(&b, close);
            size_t deep = kind == 2 ? levels * 2 : levels;
            snprintf(name, sizeof name, "depth %zu of kind %d", deep, kind);
            bool scanner = by_scanner(buf_view(&b)), jansson = by_jansson(buf_view(&b), 0), row = kind == 1 && by_row(buf_view(&b), 2);
            ok(scanner == (deep <= 32) && jansson == (deep <= 2048) && row == (kind == 1 && deep <= 32), name, "scanner %d, row %d, jansson %d", scanner, row, jansson);
            b.n = b.n < n ? b.n : n;                              /* only the openings */
            ok(!by_scanner(buf_view(&b)) && !by_jansson(buf_view(&b), 0) && !by_row(buf_view(&b), 2), "and never closed", "read");
            buf_free(&b);
        }
    }
}

/* Rows that no table has: the reader's memory of the last row has an end, its verdict has not. */
static void odd_rows(void)
{
    struct buf b = {0};
    struct type text = type_text(1, 50), list = {.base = T_LIST, .optional = true};
    text.optional = true;
    const struct json_row_column columns[] = {{STR("last"), &text}, {STR("rows"), &list}};
    struct json_row *r = json_row_new(columns, 2, NULL), *none = json_row_new(NULL, 0, NULL);
    struct json_row_fault why;
    struct arena a;
    struct value v[2];
    size_t used;
    arena_init(&a, 0);
    buf_puts(&b, "{");
    for (int i = 0; i < 700; i++) buf_printf(&b, "\"member%d\":%d,", i, i);
    buf_puts(&b, "\"last\":\"x\"}");
    bool good = true;
    for (int i = 0; i < 3; i++) good = good && json_row_read(r, buf_view(&b), &used, &a, v, &why) && used == b.n && str_is(value_str(&v[0]), "x");
    ok(good, "a row of seven hundred members, three times", "%s", why.clause);
    buf_clear(&b);
    buf_puts(&b, "{\"");
    for (int i = 0; i < 40; i++) buf_puts(&b, "a name that is longer than any ");
    buf_puts(&b, "\"");
    for (int i = 0; i < 300; i++) buf_puts(&b, " \t\r\n");
    buf_puts(&b, ":1,\"last\"                                                                                   :\"x\"}");
    for (int i = 0; i < 3; i++) good = good && json_row_read(r, buf_view(&b), &used, &a, v, &why) && used == b.n && str_is(value_str(&v[0]), "x");
    ok(good, "a long name and long blanks", "%s", why.clause);
    static const char *const unread[] = {"{\"x\":[1,}]}", "{\"x\":{\"y\":[}}}", "{\"x\":[[[[1 2]]]]}", "{\"x\":[\"\\ud800\"]}"};
    for (size_t i = 0; i < sizeof unread / sizeof *unread; i++) good = good && !json_row_read(r, str_of(unread[i]), &used, &a, v, &why) && why.clause[0];
    ok(good, "a member that nobody reads has to be JSON too", "-");
    good = json_row_read(r, STR("{\"last\":[1],\"rows\":[{}]}"), &used, &a, v, &why) && why.column == 0 && json_row_read(r, STR("{\"rows\":[{}]}"), &used, &a, v, &why) && why.column == 1 &&
           json_row_read(r, STR("{\"rows\":1,\"last\":\"y\"}"), &used, &a, v, &why) && why.column == 1 && str_is(value_str(&v[0]), "y");
    ok(good, "a list where none is read is a violation of that column, and the row goes on", "%d %s", why.column, why.clause);
    ok(json_row_read(none, STR("{\"a\":[],\"b\":\"c\"}"), &used, &a, v, &why) && used == 16 && why.column == -1, "a reader without columns", "%s", why.clause);
    json_row_free(r);
    json_row_free(none);
    json_row_free(NULL);
    buf_free(&b);
    arena_free(&a);
}

/* The proof that a wrong verdict would be seen: a reader that looks at brackets and quotes only. */
static bool by_brackets(struct str s)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < s.n && depth >= 0; i++) {
        if (quoted && s.p[i] == '\\') i++;
        else if (s.p[i] == '"') quoted = !quoted;
        else if (!quoted) depth += (s.p[i] == '[' || s.p[i] == '{') - (s.p[i] == ']' || s.p[i] == '}');
    }
    return depth == 0 && !quoted;
}

static void control(void)
{
    size_t good = 0, bad = 0;
    struct buf b = {0};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) good += by_brackets(around(&b, "[", GOOD[i], "]"));
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) bad += by_brackets(around(&b, "[", BAD[i], "]"));
    ok(good == sizeof GOOD / sizeof *GOOD && bad > 100, "control: a lax reader reads what is good, and a hundred that are not", "%zu, %zu", good, bad);
    buf_free(&b);
}

/* ---- a collection of files ---- */

static bool load(const char *dir, const char *name, struct buf *b)
{
    char path[600], part[8192];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    buf_clear(b);
    if (!f) return false;
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) buf_str(b, (struct str){part, n});
    return fclose(f) == 0;
}

/* As a whole text; the reader of rows has it as a member's value. */
static unsigned readers_of_file(struct str text)
{
    struct buf b = {0};
    struct str object = around(&b, "{\"a\":", text, "}");
    unsigned who = (by_scanner(text) ? SCANNER : 0) | (by_row(object, 0) && by_row(object, 1) && by_row(object, 2) ? ROW : 0) | (by_jansson(text, 0) ? JANSSON : 0);
    buf_free(&b);
    return who;
}

/* JSON_SUITE=DIR: the files of JSONTestSuite's test_parsing, y_*.json and n_*.json. jansson is asked for no values alone and for no NUL, see docs/reliability.md. */
static void suite(const char *dir)
{
    struct dirent **list;
    struct buf b = {0};
    int n = scandir(dir, &list, NULL, alphasort);
    size_t asked = 0;
    for (int i = 0; i < n; free(list[i++])) {
        const char *name = list[i]->d_name;
        if ((name[0] != 'y' && name[0] != 'n') || name[1] != '_' || !load(dir, name, &b)) continue;
        struct str text = str_trim(buf_view(&b));
        bool alone = text.n == 0 || (text.p[0] != '[' && text.p[0] != '{'), nul = memmem(text.p, text.n, "\\u0000", 6) && !memmem(text.p, text.n, "\\\\u", 3);
        unsigned want = name[0] == 'n' ? 0 : alone || nul ? SCANNER | ROW : ALL;
        verdict(name, ++asked, text, readers_of_file(buf_view(&b)), want);
    }
    if (n >= 0) free(list);
    ok(asked > 200, "files of the collection", "%zu in %s", asked, dir);
    buf_free(&b);
}

int main(void)
{
    if (getenv("JSON_SUITE")) suite(getenv("JSON_SUITE"));
    values();
    cut_and_continued();
    names();
    documents();
    doubles();
    depth();
    odd_rows();
    control();
    return ok_done();
}
