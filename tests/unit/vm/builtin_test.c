/* builtin_test.c - every builtin over tables of cases, its typing rule, and that the examples of builtin.def are true. */
#include "tests/unit/value/ok.h"
#include "value/decimal.h"
#include "value/json.h"
#include "vm/builtin.h"

static char area[70000];

static struct value text(const char *s) { return s ? value_text(str_of(s)) : value_absent; }

static struct value run(unsigned b, size_t n, const struct value *args)
{
    static struct scratch s;
    const struct value *p[8];
    struct value out = value_absent;
    s = (struct scratch){area, 0, sizeof area};
    for (size_t i = 0; i < n; i++) p[i] = &args[i];
    builtin_run(b, p, n, &s, &out);
    return out;
}

static void expect(const char *name, const struct value *v, const char *want)
{
    if (!want) ok(v->kind == V_ABSENT, name, "got \"%.*s\"", (int)v->len, v->kind == V_TEXT ? v->u.text : "");
    else ok_text(name, v->kind == V_TEXT ? value_str(v) : STR("(none)"), want);
}

static void phones(void)
{
    static const struct { const char *number, *country, *want; } cases[] = {
        {"(312) 555-0100", "USA", "+13125550100"}, {"312.555.0100", "US", "+13125550100"}, {"1-312-555-0100", "usa", "+13125550100"}, {"3125550100", "CAN", "+13125550100"},
        {"+1 312 555 0100", NULL, "+13125550100"}, {"312 555 0100 x123", "USA", "+13125550100"}, {"312 555 0100 ext. 5", "USA", "+13125550100"},
        {"312-555-0100 Ext 4455", "USA", "+13125550100"}, {"312-555-0100#12", "USA", "+13125550100"}, {"+13125550100;ext=12", NULL, "+13125550100"},
        {"312-555-0100 extension: 7", "USA", "+13125550100"}, {"312\xc2\xa0" "555\xe2\x80\x93" "0100", "USA", "+13125550100"}, {"011 44 20 7946 0000", "USA", "+442079460000"},
        {"00 44 20 7946 0000", "DEU", "+442079460000"}, {"+44 (0)20 7946 0000", NULL, "+442079460000"}, {"0044 (0)20 7946 0000", "FRA", "+442079460000"},
        {"+44 020 7946 0000", NULL, "+442079460000"}, {"020 7946 0000", "GBR", "+442079460000"}, {"020 7946 0000", "GB", "+442079460000"}, {"030 901820", "DEU", "+4930901820"},
        {"(030) 90 18 20", "DE", "+4930901820"}, {"06 69812345", "ITA", "+390669812345"}, {"+39 06 6981 2345", NULL, "+390669812345"}, {"01 23 45 67 89", "FRA", "+33123456789"},
        {"912 345 678", "ESP", "+34912345678"}, {"8 (495) 123-45-67", "RUS", "+74951234567"}, {"7 495 123 45 67", "RUS", "+74951234567"}, {"800 123 45 67", "RUS", "+78001234567"},
        {"8 727 123 45 67", "KAZ", "+77271234567"}, {"06 1 123 4567", "HUN", "+3611234567"}, {"03-1234-5678", "JPN", "+81312345678"}, {"02 9876 5432", "AUS", "+61298765432"},
        {"055 1234 5678", "MEX", NULL}, {"55 1234 5678", "MEX", "+525512345678"}, {"01 55 1234 5678", "MEX", "+525512345678"}, {"011 234 5678", "ZAF", "+27112345678"},
        {"22 123 45 67", "POL", "+48221234567"}, {"11 91234-5678", "BRA", "+5511912345678"}, {"98765 43210", "IND", "+919876543210"}, {"098765 43210", "IND", "+919876543210"},
        {"6123 4567", "SGP", "+6561234567"}, {"+800 1234 5678", NULL, "+80012345678"}, {"8 0 17 212 34 56", "BLR", "+375172123456"},
        {"01 02 03 04 05", "CIV", "+2250102030405"}, {"044 123 45 67", "CHE", "+41441234567"}, {"  +49 30 901820  ", NULL, "+4930901820"}, {"+49/30/901820", NULL, "+4930901820"},
        /* no answer */
        {"312 555 0100", NULL, NULL}, {"5550100", "USA", NULL}, {"112 555 0100", "USA", NULL}, {"312 155 0100", "USA", NULL}, {"911 555 0100", "USA", NULL}, {"395 555 0100", "USA", NULL},
        {"312 911 0100", "USA", NULL}, {"370 555 0100", "USA", NULL}, {"1 312 555 01000", "USA", NULL}, {"+1 312 555 010", NULL, NULL}, {"2 312 555 0100", "USA", NULL},
        {"1-800-FLOWERS", "USA", NULL}, {"n/a", "USA", NULL}, {"", "USA", NULL}, {"-", "USA", NULL}, {"+", NULL, NULL}, {"++49 30 901820", NULL, NULL}, {"49+30901820", "DEU", NULL},
        {"312 555 0100 x", "USA", NULL}, {"312 555 0100 x12345678", "USA", NULL}, {"312 555 0100 / 312 555 0101", "USA", NULL}, {"x123", "USA", NULL}, {"030 901820", "XXX", NULL},
        {"030 901820", "Germany", NULL}, {"+999 123456", NULL, NULL}, {"+4", NULL, NULL}, {"+49 30", NULL, NULL}, {"+49 3012345678901234", NULL, NULL}, {"1234567890123456789012345", "DEU", NULL},
        {"312 555 0100 ask for Bob", "USA", NULL}, {"\xd9\xa3\xd9\xa1\xd9\xa2", "USA", NULL}, {NULL, "USA", NULL}, {"00", "DEU", NULL}, {"0", "DEU", NULL}, {"12 34 56 78", "FRA", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct value args[2] = {text(cases[i].number), text(cases[i].country)};
        char name[100];
        snprintf(name, sizeof name, "phone(%s, %s)", cases[i].number ? cases[i].number : "null", cases[i].country ? cases[i].country : "null");
        struct value v = run(BUILTIN_phone, 2, args);
        expect(name, &v, cases[i].want);
    }
}

static void emails(void)
{
    static const char local65[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com";
    static const char label64[] = "a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com";
    static const struct { const char *in, *want; } cases[] = {
        {"Bob@Example.COM", "Bob@example.com"}, {" bob@example.com ", "bob@example.com"}, {"first.last+tag@sub.example.co.uk", "first.last+tag@sub.example.co.uk"},
        {"o'brien@example.com", "o'brien@example.com"}, {"a@b.co", "a@b.co"}, {"1@2.com", "1@2.com"}, {"a@xn--bcher-kva.XN--p1ai", "a@xn--bcher-kva.xn--p1ai"},
        {"!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"}, {local65 + 1, local65 + 1}, {"a@a-b.com", "a@a-b.com"},
        {"", NULL}, {"bob", NULL}, {"@example.com", NULL}, {"bob@", NULL}, {"bob@example", NULL}, {"bob@@example.com", NULL}, {"bob@exa mple.com", NULL}, {"bob smith@example.com", NULL},
        {".bob@example.com", NULL}, {"bob.@example.com", NULL}, {"b..b@example.com", NULL}, {"bob@.example.com", NULL}, {"bob@example.com.", NULL}, {"bob@example..com", NULL},
        {"bob@-example.com", NULL}, {"bob@example-.com", NULL}, {"bob@example.c", NULL}, {"bob@example.123", NULL}, {"bob@127.0.0.1", NULL}, {"bob@[127.0.0.1]", NULL},
        {"\"bob\"@example.com", NULL}, {"Bob <bob@example.com>", NULL}, {"a@x.com;b@y.com", NULL}, {"a@x.com, b@y.com", NULL}, {"caf\xc3\xa9@example.com", NULL},
        {"bob@ex\xc3\xa4mple.com", NULL}, {"none@none@none.com", NULL}, {local65, NULL}, {label64, NULL}, {"bob@example.com\nx", NULL}, {"bob(c)@example.com", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value arg = text(cases[i].in), v = run(BUILTIN_email, 1, &arg);
        char name[120];
        snprintf(name, sizeof name, "email(%s)", cases[i].in);
        expect(name, &v, cases[i].want);
    }
    char big[300];
    memset(big, 'a', sizeof big);
    memcpy(big, "bob@", 4);
    for (size_t i = 50; i < 250; i += 50) big[i] = '.';
    struct value arg = value_text((struct str){big, 254}), v = run(BUILTIN_email, 1, &arg);
    ok(v.len == 254, "an address of 254 bytes", "%u", v.len);
    arg = value_text((struct str){big, 255});
    v = run(BUILTIN_email, 1, &arg);
    ok(v.kind == V_ABSENT, "an address of 255 bytes has no answer", "%u", v.len);
}

static void texts(void)
{
    const struct value three[3] = {text("Suite 4"), value_absent, text("12 Main St")}, none[2] = {value_absent, value_absent};
    struct value v = run(BUILTIN_lines, 3, three);
    expect("lines of two of three", &v, "Suite 4\n12 Main St");
    v = run(BUILTIN_lines, 2, none);
    expect("lines of nothing", &v, NULL);
    v = run(BUILTIN_lines, 1, three);
    expect("one line", &v, "Suite 4");
    static const struct { const char *in; int n; const char *want; } cuts[] = {
        {"abcdef", 3, "abc"}, {"abc", 3, "abc"}, {"abc", 9, "abc"}, {"caf\xc3\xa9s", 4, "caf\xc3\xa9"}, {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 1, "\xf0\x9f\x98\x80"}, {"a", 1, "a"}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        const struct value args[2] = {text(cuts[i].in), value_decimal(cuts[i].n, 0)};
        v = run(BUILTIN_truncate, 2, args);
        expect("truncate", &v, cuts[i].want);
    }
    struct value a = text("aZ\xc3\xa9z1"), blank = text("  \t "), padded = text("  a b ");
    v = run(BUILTIN_upper, 1, &a);
    expect("upper", &v, "AZ\xc3\xa9Z1");
    v = run(BUILTIN_lower, 1, &a);
    expect("lower", &v, "az\xc3\xa9z1");
    v = run(BUILTIN_trim, 1, &padded);
    expect("trim", &v, "a b");
    v = run(BUILTIN_trim, 1, &blank);
    expect("trim of blanks", &v, NULL);
}

static void rounding(void)
{
    static const struct { const char *in; int n; const char *want; } cases[] = {
        {"2.345", 2, "2.35"}, {"-2.345", 2, "-2.35"}, {"2.5", 0, "3"}, {"-2.5", 0, "-3"}, {"7", 2, "7"}, {"7.1", 2, "7.1"}, {"0.0049", 2, "0.00"}, {"99.995", 2, "100.00"}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value args[2];
        decimal_parse(str_of(cases[i].in), &args[0]);
        args[1] = value_decimal(cases[i].n, 0);
        struct value v = run(BUILTIN_round, 2, args);
        buf_clear(&b);
        value_print(&b, &v);
        ok_text("round", buf_view(&b), cases[i].want);
    }
    buf_free(&b);
}

static void typing(void)
{
    struct type t5 = type_text(2, 5), opt = t5, n = type_decimal(9, 3), two = {.base = T_DECIMAL, .lo = 2, .hi = 2}, out, date = {.base = T_DATE};
    size_t bad;
    char why[120];
    opt.optional = true;
    const struct { const char *name; enum builtin b; struct type args[3]; size_t n; const char *want; /* type_print, or NULL and bad */ size_t bad; } cases[] = {
        {"phone", BUILTIN_phone, {opt, opt}, 2, "text(8..16)?", 0}, {"phone of one", BUILTIN_phone, {opt}, 1, NULL, 1}, {"phone of a number", BUILTIN_phone, {n, opt}, 2, NULL, 0},
        {"lines of optional", BUILTIN_lines, {opt, opt}, 2, "text(2..11)?", 0}, {"lines with a required one", BUILTIN_lines, {opt, t5, t5}, 3, "text(5..17)", 0},
        {"lines of nothing", BUILTIN_lines, {opt}, 0, NULL, 0}, {"lines with a date", BUILTIN_lines, {opt, date}, 2, NULL, 1}, {"round", BUILTIN_round, {n, two}, 2, "decimal(-1000000.00..1000000.00)", 0},
        {"round by a variable", BUILTIN_round, {n, n}, 2, NULL, 1}, {"round of optional", BUILTIN_round, {opt, two}, 2, NULL, 0}, {"truncate", BUILTIN_truncate, {t5, two}, 2, "text(2..2)", 0},
        {"upper", BUILTIN_upper, {t5}, 1, "text(2..5)", 0}, {"upper of optional", BUILTIN_upper, {opt}, 1, NULL, 0}, {"trim", BUILTIN_trim, {t5}, 1, "text(1..5)?", 0},
        {"email", BUILTIN_email, {opt}, 1, "text(1..5)?", 0}, {"email of two", BUILTIN_email, {opt, opt}, 2, NULL, 2}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[60];
        snprintf(name, sizeof name, "type of %s", cases[i].name);
        bool good = builtin_type(cases[i].b, cases[i].args, cases[i].n, &out, &bad, why, sizeof why);
        if (!cases[i].want) { ok(!good && bad == cases[i].bad && why[0], name, "%d, argument %zu, %s", good, bad, why); continue; }
        if (!ok(good, name, "argument %zu %s", bad, why)) continue;
        buf_clear(&b);
        type_print(&b, &out);
        ok_text(name, buf_view(&b), cases[i].want);
    }
    buf_free(&b);
}

/* The arguments between the brackets of "name(...) => ...": texts, numbers, null. Returns how many. */
static size_t example_args(struct str call, struct arena *a, struct value *args)
{
    struct json_scanner s;
    size_t n = 0;
    const char *open = memchr(call.p, '(', call.n);
    char *list = arena_printf(a, "[%.*s]", (int)(call.n - (size_t)(open - call.p) - 2), open + 1);
    json_init(&s, str_of(list), a);
    json_next(&s);
    for (enum json_token t; (t = json_next(&s)) != JSON_ARRAY_END && t != JSON_ERROR; n++) {
        args[n] = t == JSON_STRING ? value_text(s.text) : value_absent;
        if (t == JSON_NUMBER) decimal_parse(s.text, &args[n]);
    }
    return n;
}

static void examples(void)
{
    struct arena a;
    struct buf b = {0};
    arena_init(&a, 0);
    for (unsigned i = 0; i < BUILTIN_COUNT; i++) {
        struct builtin_info in = builtin_info(i);
        struct value args[8];
        const char *arrow = strstr(in.example, " => ");
        size_t n = example_args((struct str){in.example, (size_t)(arrow - in.example)}, &a, args);
        struct value v = run(i, n, args);
        buf_clear(&b);
        value_json(&b, &v);
        ok_text(in.example, buf_view(&b), arrow + 4);
        ok(builtin_named(str_of(in.name)) == (int)i && n >= in.nparams, in.name, "name or arguments");
    }
    ok(builtin_named(STR("nonsense")) == -1, "an unknown builtin", "found");
    arena_free(&a);
    buf_free(&b);
}

int main(void)
{
    phones();
    emails();
    texts();
    rounding();
    typing();
    examples();
    return ok_done();
}
