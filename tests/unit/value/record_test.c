/* record_test.c - equality, printing, copying; the codec of values and records, forwards, backwards and damaged. */
#include "value/record.h"
#include "value/type.h"
#include "tests/unit/value/ok.h"

static struct value of_kind(enum value_kind k, int64_t i) { return (struct value){.kind = (uint8_t)k, .u.i = i}; }
static struct value id_of(const char *s) { struct value v = value_text(str_of(s)); v.kind = V_ID; return v; }

enum { SAMPLES = 16 };
static const struct value link_args[2] = {{.kind = V_TEXT, .len = 2, .u.text = "01"}, {.kind = V_TEXT, .len = 3, .u.text = "ABF"}};
static const struct link sample_link = {7, 2, link_args};

static void samples(struct value out[SAMPLES])
{
    const i128 max = decimal_pow10(38) - 1;
    const struct value v[SAMPLES] = {
        value_absent, value_bool(true), value_bool(false), value_text(STR("Active")), value_text(STR("caf\xc3\xa9 \"x\"")), value_decimal(0, 0), value_decimal(-1, 12),
        value_decimal(max, 0), value_decimal(-max, 6), value_decimal(1250, 2), of_kind(V_DATE, 20524), of_kind(V_DATE, -719162), of_kind(V_LOCAL, 1773355267000),
        of_kind(V_INSTANT, -1), id_of("3652397000000649013"), {.kind = V_LINK, .u.link = &sample_link}};
    memcpy(out, v, sizeof v);
}

static void printed(void)
{
    static const char *const text[SAMPLES] = {"(none)", "true", "false", "Active", "caf\xc3\xa9 \"x\"", "0", "-0.000000000001", "99999999999999999999999999999999999999",
        "-99999999999999999999999999999999.999999", "12.50", "2026-03-12", "0001-01-01", "2026-03-12T22:41:07", "1969-12-31T23:59:59.999Z", "3652397000000649013",
        "{\"find\":7,\"args\":[\"01\",\"ABF\"]}"};
    static const char *const json[SAMPLES] = {"null", "true", "false", "\"Active\"", "\"caf\xc3\xa9 \\\"x\\\"\"", "0", "-0.000000000001", "99999999999999999999999999999999999999",
        "-99999999999999999999999999999999.999999", "12.50", "\"2026-03-12\"", "\"0001-01-01\"", "\"2026-03-12T22:41:07\"", "\"1969-12-31T23:59:59+00:00\"",
        "{\"id\":\"3652397000000649013\"}", "{\"find\":7,\"args\":[\"01\",\"ABF\"]}"};
    struct value v[SAMPLES];
    struct buf b = {0};
    samples(v);
    for (size_t i = 0; i < SAMPLES; i++) {
        char name[40];
        snprintf(name, sizeof name, "print sample %zu", i);
        buf_clear(&b);
        value_print(&b, &v[i]);
        ok_text(name, buf_view(&b), text[i]);
        buf_clear(&b);
        value_json(&b, &v[i]);
        ok_text(name, buf_view(&b), json[i]);
    }
    buf_free(&b);
}

static void codec(void)
{
    struct value v[SAMPLES];
    struct buf b = {0}, again = {0};
    struct arena a;
    arena_init(&a, 0);
    samples(v);
    for (size_t i = 0; i < SAMPLES; i++) {
        char name[40];
        snprintf(name, sizeof name, "codec sample %zu", i);
        buf_clear(&b);
        value_encode(&b, &v[i]);
        struct reader r = reader_of(buf_view(&b));
        struct value back = value_decode(&r, &a);
        buf_clear(&again);
        value_encode(&again, &back);
        ok(reader_done(&r) && value_equal(&back, &v[i]) && str_eq(buf_view(&b), buf_view(&again)), name, "differs");
        for (size_t k = 0; k < SAMPLES; k++)
            if (value_equal(&v[i], &v[k]) != (i == k)) ok(false, name, "equality with sample %zu is wrong", k);
        struct value copy = value_copy(&a, &v[i]);
        ok(value_equal(&copy, &v[i]), name, "the copy differs");
        bool cut_refused = true;
        for (size_t n = 0; n < b.n; n++) {
            struct reader cut = reader_of((struct str){b.p, n});
            value_decode(&cut, &a);
            cut_refused &= cut.bad;
        }
        ok(cut_refused, name, "a cut-off encoding was accepted");
    }
    arena_free(&a);
    buf_free(&b);
    buf_free(&again);
}

static void damaged(void)
{
#define BYTES(s) {s, sizeof s - 1}
    static const struct { const char *name; struct str bytes; } cases[] = {
        {"unknown kind", BYTES("\x0a")}, {"boolean 2", BYTES("\x01\x02")}, {"empty text", BYTES("\x02\x00")}, {"text not UTF-8", BYTES("\x02\x01\xff")},
        {"scale 13", BYTES("\x03\x0d\x00")}, {"coefficient of 17 bytes", BYTES("\x03\x00\x11" "12345678901234567")}, {"coefficient with a zero on top", BYTES("\x03\x00\x02\x05\x00")},
        {"coefficient of 39 digits", BYTES("\x03\x00\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")},
        {"day beyond 9999", BYTES("\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")}, {"link in a link", BYTES("\x07\x00\x01\x07\x00\x00")},
        {"link of 65 arguments", BYTES("\x07\x00\x41")}, {"site above 65535", BYTES("\x07\x80\x80\x04\x00")},
        {"coefficient of 39 digits, above zero", BYTES("\x03\x00\x10\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")},
        {"local time beyond 9999", BYTES("\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")}, {"list of no lines", BYTES("\x09\x00\x00")},
        {"list of 1,001 fields", BYTES("\x09\x01\xe9\x07\x00\x00")}, {"more lines than bytes", BYTES("\x09\x05\x00\x00")}, {"more fields than bytes", BYTES("\x09\x01\x05\x00\x00")},
        {"more values than bytes", BYTES("\x09\x02\x02\x01" "A\x00\x00")}, {"a column that is not UTF-8", BYTES("\x09\x01\x01\x01\xff\x00\x00")},
        {"a list in a list", BYTES("\x09\x01\x01\x01" "A\x00\x09\x01\x00\x00")}, {"a list for a line's key", BYTES("\x09\x01\x00\x09\x01\x00\x00")},
        {"a link for a line's key", BYTES("\x09\x01\x00\x07\x00\x00")}};
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reader r = reader_of(cases[i].bytes);
        struct value v = value_decode(&r, &a);
        ok(r.bad && v.kind == V_ABSENT, cases[i].name, "accepted");
    }
    arena_free(&a);
}

static void equality(void)
{
    struct value a = value_decimal(150, 2), b = value_decimal(15, 1), t = value_text(STR("15")), none = value_text(STR(""));
    struct value d = of_kind(V_DATE, 0), l = of_kind(V_LOCAL, 0);
    ok(value_equal(&a, &b), "1.50 equals 1.5", "it does not");
    ok(!value_equal(&a, &t), "a number is no text", "they are equal");
    ok(none.kind == V_ABSENT, "an empty text is absent", "kind %u", none.kind);
    ok(!value_equal(&d, &l), "a date is no local time", "they are equal");
    static const struct value other_args[2] = {{.kind = V_TEXT, .len = 2, .u.text = "02"}, {.kind = V_TEXT, .len = 3, .u.text = "ABF"}};
    static const struct link other[] = {{8, 2, link_args}, {7, 1, link_args}, {7, 2, other_args}};
    struct value link = {.kind = V_LINK, .u.link = &sample_link};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        struct value w = {.kind = V_LINK, .u.link = &other[i]};
        ok(!value_equal(&link, &w), "links of another place, number or value are different", "%zu", i);
    }
    ok(value_compare(&a, &b) == 0 && value_compare(&d, &d) == 0, "order of equals", "not 0");
}

static void records(void)
{
    struct value v[SAMPLES];
    struct record_field f[SAMPLES];
    char names[SAMPLES][8];
    struct buf b = {0}, w = {0};
    struct arena a;
    struct record back, r = {f, SAMPLES};
    arena_init(&a, 0);
    samples(v);
    for (size_t i = 0; i < SAMPLES; i++) {
        snprintf(names[i], sizeof names[i], "F%zu", i);
        f[i] = (struct record_field){str_of(names[i]), v[i]};
    }
    record_encode(&b, &r);
    bool same = record_decode(buf_view(&b), &a, &back) == ERR_OK && back.n == SAMPLES;
    for (size_t i = 0; same && i < SAMPLES; i++) same = value_equal(&back.f[i].v, &v[i]) && str_eq(back.f[i].name, f[i].name);
    ok(same, "a record there and back", "differs");
    struct record_writer rw = record_begin(&w);
    for (size_t i = 0; i < SAMPLES; i++) record_put(&rw, names[i], &v[i]);
    record_end(&rw);
    ok(str_eq(buf_view(&b), buf_view(&w)), "the writer gives the same bytes", "differs");
    bool refused = true;
    for (size_t n = 0; n < b.n; n++) refused &= record_decode((struct str){b.p, n}, &a, &back) == ERR_CORRUPT;
    ok(refused, "every cut-off record is refused", "one was accepted");
    buf_byte(&b, 0);
    ok(record_decode(buf_view(&b), &a, &back) == ERR_CORRUPT, "a byte behind a record is refused", "accepted");
    ok(record_decode(STR("\x01\x01\xff\x00"), &a, &back) == ERR_CORRUPT, "a name that is not UTF-8 is refused", "accepted");
    ok(record_decode(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &a, &back) == ERR_CORRUPT, "an absurd count is refused", "accepted");
    arena_free(&a);
    buf_free(&b);
    buf_free(&w);
}

static void many_fields(void)
{
    struct buf b = {0};
    struct arena a;
    struct record back;
    arena_init(&a, 0);
    buf_puts(&b, "frame");
    struct record_writer w = record_begin(&b);
    for (int i = 0; i < 300; i++) record_put_int(&w, "n", i);
    record_put_text(&w, "empty", STR(""));
    record_put_text(&w, "text", STR("x"));
    record_end(&w);
    bool good = record_decode((struct str){b.p + 5, b.n - 5}, &a, &back) == ERR_OK && back.n == 302;
    ok(good && memcmp(b.p, "frame", 5) == 0, "a count of two bytes is put in", "%zu fields", back.n);
    if (good) {
        ok(back.f[299].v.u.coef == 299, "the last number", "differs");
        ok(!value_present(record_get(&back, STR("empty"))), "an empty text is absent", "present");
        ok_text("text by name", record_text(&back, "text"), "x");
        ok(record_text(&back, "n").n == 0 && record_int(&back, "text", 5) == 5 && record_int(&back, "none", 6) == 6 && record_int(&back, "n", 7) == 0,
           "defaults for absent or another kind", "wrong");
        back.f[0].v = id_of("12"), back.f[1].v = value_decimal(5, 1), back.f[2].v = value_decimal((i128)INT64_MAX + 1, 0), back.f[3].v = value_decimal((i128)INT64_MIN - 1, 0);
        for (size_t i = 0; i < 4; i++) back.f[i].name = str_of((const char *const[]){"id", "half", "above", "below"}[i]);
        ok_text("an id by name", record_text(&back, "id"), "12");
        ok(record_text(&back, "none").n == 0 && record_int(&back, "half", 8) == 8 && record_int(&back, "above", 9) == 9 && record_int(&back, "below", 10) == 10,
           "no whole number of 64 bits is none", "wrong");
        struct record two = {back.f + 300, 2};
        struct buf j = {0};
        record_json(&j, &two);
        ok_text("a record as JSON", buf_view(&j), "{\"empty\":null,\"text\":\"x\"}");
        buf_free(&j);
    }
    arena_free(&a);
    buf_free(&b);
}

/* Lists: there and back, what damage does, and columns by name. */
static void lists(void)
{
    static const struct str names[] = {{"Key", 3}, {"Quantity", 8}};
    struct value one[2] = {value_text(STR("000001")), value_decimal(25, 1)}, two[2] = {value_text(STR("000002")), value_absent};
    struct list_line lines[2] = {{one[0], one}, {two[0], two}};
    struct list l = {names, lines, 2, 2}, shorter = {names, lines, 1, 2};
    static const struct str renamed[] = {{"Key", 3}, {"Amount", 6}};
    struct value other[2] = {one[0], value_decimal(26, 1)};
    struct list_line other_value[2] = {{one[0], other}, {two[0], two}}, other_key[2] = {{two[0], one}, {two[0], two}}, no_key[1] = {{value_absent, one}};
    const struct list differ[] = {{renamed, lines, 2, 2}, {names, lines, 2, 1}, {names, other_value, 2, 2}, {names, other_key, 2, 2}}, keyless = {names, no_key, 1, 2};
    struct value v = {.kind = V_LIST, .u.list = &l}, s = {.kind = V_LIST, .u.list = &shorter}, back, copy, projected;
    struct buf b = {0}, j = {0};
    struct arena a;
    arena_init(&a, 0);
    value_encode(&b, &v);
    struct reader r = reader_of(buf_view(&b));
    back = value_decode(&r, &a);
    copy = value_copy(&a, &back);
    ok(reader_done(&r) && value_equal(&back, &v) && value_equal(&copy, &v) && !value_equal(&back, &s), "a list there and back, and copied", "differs");
    for (size_t i = 0; i < sizeof differ / sizeof *differ; i++) {
        struct value d = {.kind = V_LIST, .u.list = &differ[i]};
        ok(!value_equal(&v, &d), "a list with another name, number, value or key is another one", "%zu", i);
    }
    struct value k = {.kind = V_LIST, .u.list = &keyless};
    value_print(&j, &k);
    ok_text("a line without a key, for people", buf_view(&j), "(Key 000001, Quantity 2.5)");
    buf_clear(&j);
    value_json(&j, &back);
    ok_text("a list as JSON", buf_view(&j), "[{\"@key\":\"000001\",\"Key\":\"000001\",\"Quantity\":2.5},{\"@key\":\"000002\",\"Key\":\"000002\",\"Quantity\":null}]");
    size_t refused = 0;
    for (size_t n = 0; n < b.n; n++) {
        struct reader cut = reader_of((struct str){b.p, n});
        value_decode(&cut, &a);
        refused += cut.bad;
    }
    ok(refused == b.n, "a list that is cut anywhere is refused", "%zu of %zu", refused, b.n);
    struct str want[] = {{"Quantity", 8}};
    struct type types[] = {type_decimal(5, 1)};
    uint8_t flags[] = {0};
    types[0].optional = true;
    struct list_shape shape = {2, 1, want, types, flags};
    struct type t = {.base = T_LIST, .shape = &shape};
    bool good = type_project(&t, &v, &a, &projected);
    ok(good && projected.u.list->nfields == 1 && value_equal(&projected.u.list->lines[0].fields[0], &one[1]) && type_admits(&t, &projected, NULL, 0) && !type_admits(&t, &v, NULL, 0),
       "the columns of a list by name", "differs");
    want[0] = STR("Other");
    ok(!type_project(&t, &v, &a, &projected), "a list that lacks a column", "accepted");
    arena_free(&a);
    buf_free(&b);
    buf_free(&j);
}

int main(void)
{
    printed();
    codec();
    damaged();
    equality();
    records();
    many_fields();
    lists();
    return ok_done();
}
