/* builtin_test.c - builtins over tables of cases, and their typing rules: by hand, and on random arguments within random types, where every answer
 * must be of the result's type and take no more scratch memory than was said. */
#include "tests/unit/value/ok.h"
#include "value/date.h"
#include "value/decimal.h"
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
    expect("upper", &v, "AZ\xc3\x89Z1");
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


/* Types as type_print writes them; N and C arguments as constants. */
static struct type t_number(int64_t lo, int64_t hi, unsigned scale) { return (struct type){.base = T_DECIMAL, .lo = lo, .hi = hi, .scale = (uint8_t)scale}; }
static struct type t_const(int64_t n) { return t_number(n, n, 0); }
static struct type t_maybe(struct type t) { t.optional = true; return t; }
static struct type t_plain(enum type_base b) { return (struct type){.base = (uint8_t)b}; }

static struct type t_text(const struct str *s)
{
    size_t n = str_codepoints(*s);
    return (struct type){.base = T_TEXT, .min_len = (uint32_t)n, .max_len = (uint32_t)n, .nset = 1, .set = s};
}

static void typing_more(void)
{
    static const struct str dash = {"-", 1}, two = {"ab", 2}, day = {"D MMMM YYYY", 11}, wrong = {"dd", 2}, month = {"MM/DD", 5}, chicago = {"America/Chicago", 15},
                            mars = {"Mars", 4}, iso = {"YYYY-MM-DD", 10};
    struct type t25 = type_text(2, 5), opt = t_maybe(type_text(2, 5)), money = type_decimal(9, 2), d = t_plain(T_DATE), l = t_plain(T_LOCAL), huge = type_text(1, 65535);
    const struct { enum builtin b; struct type args[3]; size_t n; const char *want; size_t bad; } cases[] = {
        {BUILTIN_left, {t25, t_const(9)}, 2, "text(2..5)", 0}, {BUILTIN_right, {t25, t_const(1)}, 2, "text(1..1)", 0}, {BUILTIN_left, {t25, t_const(0)}, 2, NULL, 1},
        {BUILTIN_left, {t25, t_const(65536)}, 2, NULL, 1}, {BUILTIN_left, {opt, t_const(3)}, 2, NULL, 0}, {BUILTIN_substring, {t25, t_const(2), t_const(9)}, 3, "text(1..4)", 0},
        {BUILTIN_substring, {t25, t_const(3), t_const(1)}, 3, "text(1..1)?", 0}, {BUILTIN_substring, {t25, t_const(9), t_const(2)}, 3, "text(1..1)?", 0},
        {BUILTIN_substring, {t25, t_const(0), t_const(2)}, 3, NULL, 1}, {BUILTIN_title, {t25}, 1, "text(2..5)", 0}, {BUILTIN_collapse, {t25}, 1, "text(1..5)?", 0},
        {BUILTIN_replace, {t25, type_text(1, 1), type_text(3, 3)}, 3, "text(2..15)", 0}, {BUILTIN_replace, {t25, type_text(2, 2), type_text(3, 3)}, 3, "text(2..7)", 0},
        {BUILTIN_replace, {t25, type_text(1, 4), type_text(1, 1)}, 3, "text(1..5)", 0}, {BUILTIN_replace, {type_text(9, 9), type_text(3, 3), type_text(1, 1)}, 3, "text(3..9)", 0},
        {BUILTIN_replace, {t25, type_text(1, 1), t_maybe(type_text(1, 1))}, 3, "text(1..5)?", 0}, {BUILTIN_replace, {huge, type_text(1, 1), type_text(2, 2)}, 3, NULL, 3},
        {BUILTIN_starts_with, {opt, t25}, 2, "bool", 0}, {BUILTIN_contains, {opt, opt}, 2, NULL, 1}, {BUILTIN_pad_left, {t25, t_const(4), t_text(&dash)}, 3, "text(4..5)", 0},
        {BUILTIN_pad_left, {t25, t_const(2), t_text(&dash)}, 3, "text(2..5)", 0}, {BUILTIN_pad_left, {t25, t_const(9), t_text(&two)}, 3, NULL, 2},
        {BUILTIN_part, {t25, t_text(&dash), t_const(-1)}, 3, "text(1..5)?", 0}, {BUILTIN_part, {t25, t_text(&dash), t_const(0)}, 3, NULL, 2}, {BUILTIN_part, {t25, t25, t_const(1)}, 3, NULL, 1},
        {BUILTIN_join, {t_text(&two), opt, opt}, 3, "text(2..12)?", 0}, {BUILTIN_join, {t_text(&two), t25, opt}, 3, "text(2..12)", 0}, {BUILTIN_join, {t_text(&two), t25, t25}, 3, "text(6..12)", 0},
        {BUILTIN_length, {t25}, 1, "decimal(2..5)", 0}, {BUILTIN_floor, {t_number(-150, 150, 2)}, 1, "decimal(-2..1)", 0}, {BUILTIN_ceil, {t_number(-150, 150, 2)}, 1, "decimal(-1..2)", 0},
        {BUILTIN_abs, {t_number(-150, 20, 2)}, 1, "decimal(0.00..1.50)", 0}, {BUILTIN_abs, {t_number(-150, -20, 2)}, 1, "decimal(0.20..1.50)", 0},
        {BUILTIN_min, {t_number(0, 90, 1), t_number(-5, 7, 0)}, 2, "decimal(-5.0..7.0)", 0}, {BUILTIN_max, {t_number(0, 90, 1), t_number(-5, 7, 0)}, 2, "decimal(0.0..9.0)", 0},
        {BUILTIN_min, {type_decimal(38, 0), type_decimal(12, 12)}, 2, NULL, 1}, {BUILTIN_min, {money}, 1, NULL, 1}, {BUILTIN_to_number, {t25, t_const(9), t_const(2)}, 3, "decimal(9,2)?", 0},
        {BUILTIN_to_number, {t25, t_const(2), t_const(3)}, 3, NULL, 2}, {BUILTIN_to_number, {t25, t_const(39), t_const(3)}, 3, NULL, 1},
        {BUILTIN_to_text, {t_number(-999, 5, 2), t_const(1)}, 2, "text(3..5)", 0}, {BUILTIN_to_text, {t_number(10, 995, 2), t_const(1)}, 2, "text(3..4)", 0},
        {BUILTIN_to_text, {type_decimal(38, 0), t_const(1)}, 2, NULL, 1}, {BUILTIN_divide, {money, money, t_const(2)}, 3, "decimal(-999999999.00..999999999.00)?", 0},
        {BUILTIN_divide, {t_number(0, 100, 0), t_number(3, 4, 0), t_const(1)}, 3, "decimal(0.0..33.3)", 0}, {BUILTIN_divide, {t_number(-100, 0, 0), t_number(3, 4, 0), t_const(0)}, 3, "decimal(-33..0)", 0},
        {BUILTIN_divide, {type_decimal(38, 0), money, t_const(0)}, 3, NULL, 2}, {BUILTIN_divide, {money, money, t_const(13)}, 3, NULL, 2}, {BUILTIN_date, {t25}, 1, "date?", 0},
        {BUILTIN_date_from, {t25, t_text(&day)}, 2, "date?", 0}, {BUILTIN_date_from, {t25, t_text(&month)}, 2, NULL, 1}, {BUILTIN_date_from, {t25, t_text(&wrong)}, 2, NULL, 1},
        {BUILTIN_date_text, {d, t_text(&day)}, 2, "text(10..17)", 0}, {BUILTIN_date_text, {d, t_text(&iso)}, 2, "text(10..10)", 0}, {BUILTIN_date_text, {d, t_text(&dash)}, 2, NULL, 1},
        {BUILTIN_year, {d}, 1, "decimal(1..9999)", 0}, {BUILTIN_weekday, {d}, 1, "decimal(1..7)", 0}, {BUILTIN_add_days, {d, t_number(0, 9, 0)}, 2, "date?", 0}, {BUILTIN_add_days, {d, money}, 2, NULL, 1},
        {BUILTIN_month_end, {d}, 1, "date", 0}, {BUILTIN_days_between, {d, d}, 2, "decimal(-3652058..3652058)", 0}, {BUILTIN_latest, {d, d, d}, 3, "date", 0}, {BUILTIN_latest, {d, l}, 2, NULL, 1},
        {BUILTIN_date_of, {l}, 1, "date", 0}, {BUILTIN_midnight, {d}, 1, "local", 0}, {BUILTIN_sage_time, {d, opt}, 2, "local?", 0}, {BUILTIN_instant, {l, t_text(&chicago)}, 2, "instant?", 0},
        {BUILTIN_instant, {l, t_text(&mars)}, 2, NULL, 1}, {BUILTIN_instant, {d, t_text(&chicago)}, 2, NULL, 0}, {BUILTIN_phone_ext, {opt}, 1, "text(1..7)?", 0}, {BUILTIN_url, {opt}, 1, "text(11..13)?", 0},
        {BUILTIN_url, {type_text(1, 2)}, 1, "text(11..11)?", 0}, {BUILTIN_last_name, {t25}, 1, "text(1..5)?", 0}, {BUILTIN_postcode, {opt, opt}, 2, "text(1..6)?", 0}, {BUILTIN_state_name, {opt, opt}, 2, "text(4..25)?", 0}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct type out;
        size_t bad;
        char name[60], why[120] = "";
        snprintf(name, sizeof name, "type of %s, case %zu", builtin_info(cases[i].b).name, i);
        bool good = builtin_type(cases[i].b, cases[i].args, cases[i].n, &out, &bad, why, sizeof why);
        if (!cases[i].want) { ok(!good && bad == cases[i].bad && why[0], name, "%d, argument %zu, %s", good, bad, why); continue; }
        if (!ok(good, name, "argument %zu %s", bad, why)) continue;
        buf_clear(&b);
        type_print(&b, &out);
        ok_text(name, buf_view(&b), cases[i].want);
    }
    buf_free(&b);
}

static void titles(void)
{
    static const struct { const char *in, *want; } cases[] = {
        {"JOHN SMITH", "John Smith"}, {"john smith", "John Smith"}, {"McDonald", "McDonald"}, {"McDONALD", "McDonald"}, {"mcdonald", "McDonald"}, {"MCI", "Mci"}, {"o'brien", "O'Brien"},
        {"BOB'S", "Bob's"}, {"ROCK 'N' ROLL", "Rock 'N' Roll"}, {"SMITH-JONES", "Smith-Jones"}, {"eBay", "eBay"}, {"ACME LLC", "Acme LLC"}, {"henry viii", "Henry VIII"}, {"1ST", "1st"}, {"3M", "3M"},
        {"42", "42"}, {"\xc3\x89LAN", "\xc3\x89lan"}, {"s", "S"}, {"'S", "'S"}, {"A'S S", "A's S"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value arg = text(cases[i].in), v = run(BUILTIN_title, 1, &arg);
        expect(cases[i].in, &v, cases[i].want);
        v = run(BUILTIN_title, 1, &v);
        expect("a title stays a title", &v, cases[i].want);
    }
}

static void names(void)
{
    static const struct { const char *in, *first, *last; } cases[] = {
        {"Bob Smith", "Bob", "Smith"}, {"Smith, Bob", "Bob", "Smith"}, {"Smith,Bob", "Bob", "Smith"}, {"Cher", NULL, "Cher"}, {"Bob J. Smith", "Bob J.", "Smith"}, {"Mr. Bob Smith", "Bob", "Smith"},
        {"Dr.", NULL, "Dr."}, {"Prof. Dr. Ada King", "Ada", "King"}, {"Bob Smith Jr.", "Bob", "Smith Jr."}, {"Bob Smith, Jr.", "Bob", "Smith, Jr."}, {"Bob Smith III MD", "Bob", "Smith III MD"},
        {"Vincent van Gogh", "Vincent", "van Gogh"}, {"van Gogh", "van", "Gogh"}, {"Van der Berg, Jan", "Jan", "Van der Berg"}, {"Mr. and Mrs. Smith", NULL, "Smith"}, {"Bob & Mary Smith", "Bob & Mary", "Smith"},
        {", Bob", NULL, "Bob"}, {"Smith,", NULL, "Smith"}, {",,", NULL, NULL}, {"Jr", NULL, "Jr"}, {"Bob Jr", NULL, "Bob Jr"}, {"Ng", NULL, "Ng"}, {"Mary\xc2\xa0" "Ann\tLee", "Mary Ann", "Lee"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value arg = text(cases[i].in), v = run(BUILTIN_first_name, 1, &arg);
        char copy[80] = "";
        snprintf(copy, sizeof copy, "first name of %s", cases[i].in);
        expect(copy, &v, cases[i].first);
        v = run(BUILTIN_last_name, 1, &arg);
        snprintf(copy, sizeof copy, "last name of %s", cases[i].in);
        expect(copy, &v, cases[i].last);
    }
}

/* ---- random arguments within random types ---- */

static uint64_t seed = 88172645463325252u;

static uint64_t pick(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return n ? (seed >> 11) % n : 0;
}

static const struct str patterns[] = {{"YYYY-MM-DD", 10}, {"D MMMM YY", 9}, {"M/D/YYYY", 8}}, zones[] = {{"America/Chicago", 15}, {"Europe/Istanbul", 15}, {"UTC", 3}},
                        signs[] = {{"-", 1}, {"\xe2\x82\xac", 3}, {"0", 1}}, seps[] = {{"/", 1}, {", ", 2}, {"\xe2\x82\xac", 3}};

/* A type that the slot takes. */
static struct type random_type(unsigned b, struct builtin_slot slot)
{
    struct type t = {.base = T_TEXT};
    uint32_t a = (uint32_t)pick(12) + 1, c = (uint32_t)pick(12) + 1;
    const struct str *set = b == BUILTIN_instant ? zones : b == BUILTIN_pad_left ? signs : b == BUILTIN_date_from || b == BUILTIN_date_text ? patterns : seps;
    switch (slot.kind) {
    case 'T': t = type_text(a < c ? a : c, a < c ? c : a); break;
    case 'C': t = t_text(&set[pick(3)]); break;
    case 'N': t = t_const((int64_t)pick(13)); break;
    case 'D':
        t = t_number((int64_t)pick(2000) - 1000, 0, b == BUILTIN_add_days || b == BUILTIN_add_months ? 0 : (unsigned)pick(5));
        t.hi = t.lo + (int64_t)pick(pick(2) ? 2000 : 3);
        break;
    case 'd': t = t_plain(T_DATE); break;
    case 'l': t = t_plain(T_LOCAL); break;
    default:  t = t_plain(T_INSTANT); break;
    }
    t.optional = slot.optional && pick(3) == 0;
    return t;
}

static struct value random_text(const struct type *t, char *room)
{
    static const char *const bits[] = {"a", "B", " ", "7", "0", "-", ",", "/", ".", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "(", "x", "\xc4\xb1", "\xc3\x9f"};
    if (t->nset) return value_text(t->set[0]);
    uint64_t chars = t->min_len + pick(t->max_len - t->min_len + 1);
    size_t n = 0, few = pick(2) ? 16 : 5;
    for (uint64_t i = 0; i < chars; i++) {
        const char *bit = bits[pick(few)];
        memcpy(room + n, bit, strlen(bit));
        n += strlen(bit);
    }
    return value_text((struct str){room, n});
}

static struct value random_value(const struct type *t, char *room)
{
    int64_t first, last;
    if (t->optional && pick(3) == 0) return value_absent;
    if (t->base == T_TEXT) return random_text(t, room);
    if (t->base == T_DECIMAL) {
        struct value v = value_decimal(t->lo + (i128)pick((uint64_t)(t->hi - t->lo) + 1), t->scale);
        while (t->lo != t->hi && v.scale > 0 && v.u.coef % 10 == 0 && pick(2)) v = value_decimal(v.u.coef / 10, v.scale - 1u);      /* fewer decimals than its type */
        return v;
    }
    date_from_ymd(1, 1, 1, &first);
    date_from_ymd(9999, 12, 31, &last);
    int64_t day = pick(4) == 0 ? (pick(2) ? first : last) : first + (int64_t)pick((uint64_t)(last - first) + 1);
    if (t->base == T_DATE) return (struct value){.kind = V_DATE, .u.i = day};
    return (struct value){.kind = t->base == T_LOCAL ? V_LOCAL : V_INSTANT, .u.i = day * 86400000 + (int64_t)pick(86400000)};
}

static bool one_call(unsigned b, char *why, size_t why_len)
{
    struct builtin_info in = builtin_info(b);
    struct type types[6], result;
    struct value args[6], out = value_absent;
    const struct value *p[6];
    static char rooms[6][64];
    size_t n = in.nparams + (in.variadic ? pick(3) : 0), bad;
    for (size_t i = 0; i < n; i++) types[i] = random_type(b, builtin_param(&in, i));
    if (!builtin_type(b, types, n, &result, &bad, why, why_len)) return false;
    for (size_t i = 0; i < n; i++) {
        args[i] = random_value(&types[i], rooms[i]);
        p[i] = &args[i];
    }
    struct scratch s = {area, 0, (size_t)((builtin_scratch(b, types, n) + 15) / 16 * 16)};
    builtin_run(b, p, n, &s, &out);
    if (!type_admits(&result, &out, why, why_len)) {
        struct buf t = {0}, v = {0};
        type_print(&t, &result);
        value_json(&v, &out);
        ok(false, in.name, "%.*s of type %.*s %s", (int)v.n, v.p, (int)t.n, t.p, why);
        buf_free(&t);
        buf_free(&v);
    }
    return true;
}

static void ranges(void)
{
    char why[300];
    for (unsigned b = 0; b < BUILTIN_COUNT; b++) {
        unsigned calls = 0;
        for (unsigned i = 0; i < 4000; i++) calls += one_call(b, why, sizeof why);
        ok(calls > 100, builtin_info(b).name, "only %u random calls were accepted: %s", calls, why);
    }
}

/* What a builtin says of plain ASCII must be what it says, by the rules for every letter, of the same text with a letter or a blank beyond ASCII added. */
static void short_ways(void)
{
    static const char *const parts[] = {"a", "B", "ACME", "paper", "eBay", "IV", "llc", "MCDONALD", "mcd", "O", "'", "S", "s", " ", " ", " ", "  ", "1", "22", "ND", "nd", "-", ".", "@", "[", "`", "{", "Z", "z", "\t", "(312)", "5550100"};
    unsigned wrong = 0, titled = 0, reached = 0;
    uint64_t dice = 5;
    for (int i = 0; i < 200000 && wrong < 5; i++) {
        char plain[160] = "", behind[170], before[170];
        while (strlen(plain) < 90) {
            dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            if (dice >> 61 == 0) break;
            strncat(plain, parts[(dice >> 33) % (sizeof parts / sizeof *parts)], 20);
        }
        snprintf(behind, sizeof behind, "%s \xc3\xbc", plain);
        snprintf(before, sizeof before, "\xc2\xa0%s", plain);
        if (!*plain) continue;
        const struct value p = text(plain), b = text(behind), phones[2][2] = {{p, text("USA")}, {text(before), text("USA")}};
        struct value got = run(BUILTIN_title, 1, &p);
        char kept[200];
        size_t n = got.len;
        memcpy(kept, got.u.text, n);
        struct value want = run(BUILTIN_title, 1, &b);
        wrong += want.len != n + 3 || memcmp(kept, want.u.text, n) != 0;
        titled += memcmp(kept, plain, n) != 0;
        got = run(BUILTIN_collapse, 1, &p);
        n = got.len;
        if (n) memcpy(kept, got.u.text, n);
        want = run(BUILTIN_collapse, 1, &b);
        wrong += n ? want.len != n + 3 || memcmp(kept, want.u.text, n) != 0 : want.len != 2;
        got = run(BUILTIN_phone, 2, phones[0]);
        n = got.len;
        if (n) memcpy(kept, got.u.text, n);
        reached += n > 0;
        want = run(BUILTIN_phone, 2, phones[1]);
        wrong += want.len != n || (n && memcmp(kept, want.u.text, n) != 0);
        if (wrong) printf("# %s\n", plain);
    }
    ok(wrong == 0 && titled > 100000 && reached > 20, "short ways through ASCII", "%u differ; titled %u, numbers %u", wrong, titled, reached);
}

int main(void)
{
    phones();
    emails();
    texts();
    rounding();
    typing();
    typing_more();
    titles();
    names();
    ranges();
    short_ways();
    return ok_done();
}
