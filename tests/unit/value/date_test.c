/* date_test.c - calendar edges, the date forms of the two systems, Sage's decimal hours. */
#include "value/date.h"
#include "tests/unit/value/ok.h"

static void calendar(void)
{
    static const struct { int y, m, d; int64_t days; } known[] = {
        {1970, 1, 1, 0}, {1969, 12, 31, -1}, {2000, 2, 29, 11016}, {2000, 3, 1, 11017}, {1900, 2, 28, -25509}, {1900, 3, 1, -25508},
        {2024, 2, 29, 19782}, {2026, 3, 12, 20524}, {1, 1, 1, -719162}, {9999, 12, 31, 2932896}, {1753, 1, 1, -79257}};
    static const int none[][3] = {{1900, 2, 29}, {2023, 2, 29}, {2100, 2, 29}, {0, 1, 1}, {10000, 1, 1}, {2024, 0, 1}, {2024, 13, 1}, {2024, 4, 31},
                                  {2024, 1, 0}, {2024, 1, 32}, {-1, 5, 5}};
    int64_t days;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char name[60];
        snprintf(name, sizeof name, "day number of %04d-%02d-%02d", known[i].y, known[i].m, known[i].d);
        ok(date_from_ymd(known[i].y, known[i].m, known[i].d, &days) && days == known[i].days, name, "%lld", (long long)days);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        char name[60];
        snprintf(name, sizeof name, "no day %d-%d-%d", none[i][0], none[i][1], none[i][2]);
        ok(!date_from_ymd(none[i][0], none[i][1], none[i][2], &days), name, "accepted");
    }
    bool inverse = true, ordered = true;
    int py = 0, pm = 0, pd = 0;
    for (int64_t n = -719162; n <= 2932896; n++) {
        int y, m, d;
        date_to_ymd(n, &y, &m, &d);
        inverse &= date_from_ymd(y, m, d, &days) && days == n;
        ordered &= y > py || (y == py && (m > pm || (m == pm && d == pd + 1)));
        py = y; pm = m; pd = d;
    }
    ok(inverse, "every day of 9,999 years there and back", "some day differs");
    ok(ordered, "days follow each other", "they do not");
}

static void dates(void)
{
    static const char *const good[] = {"20240312", "2024-03-12"};
    static const char *const bad[] = {"", "2024031", "202403120", "2024-3-12", "2024/03/12", "20240230", "2024-02-30", "00000000", "0000-01-01",
                                      "2024-03-1 ", " 2024031", "abcdefgh", "2024-03-12T", "-2024031", "12.03.2024"};
    struct value v;
    struct buf b = {0};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!ok(date_parse(str_of(good[i]), &v) && v.kind == V_DATE, good[i], "refused")) continue;
        buf_clear(&b);
        date_print(&b, v.u.i);
        ok_text(good[i], buf_view(&b), "2024-03-12");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char name[60];
        snprintf(name, sizeof name, "no date \"%s\"", bad[i]);
        ok(!date_parse(str_of(bad[i]), &v), name, "accepted");
    }
    buf_free(&b);
}

static void datetimes(void)
{
    static const struct { const char *in, *out; } cases[] = {
        {"2026-03-12T22:41:07Z", "2026-03-12T22:41:07Z"}, {"2026-03-12T22:41:07+00:00", "2026-03-12T22:41:07Z"},
        {"2026-03-12T22:41:07.25-06:00", "2026-03-13T04:41:07.250Z"}, {"2026-03-12T00:30:00+14:00", "2026-03-11T10:30:00Z"},
        {"2026-03-12T22:41:07", "2026-03-12T22:41:07"}, {"2026-03-12T22:41:07.1234567", "2026-03-12T22:41:07.123"},
        {"0001-01-01T00:00:00", "0001-01-01T00:00:00"}, {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
        {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"}, {"2024-02-29T12:00:00-00:00", "2024-02-29T12:00:00Z"},
        {"2026-03-12T24:00:00", NULL}, {"2026-03-12T23:60:00", NULL}, {"2026-03-12T23:59:60Z", NULL}, {"2026-03-12 22:41:07", NULL},
        {"2026-03-12T22:41:07z", NULL}, {"2026-03-12t22:41:07", NULL}, {"2026-03-12T22:41", NULL}, {"2026-03-12T22:41:07.", NULL},
        {"2026-03-12T22:41:07.1234567890", NULL}, {"2026-03-12T22:41:07+1:00", NULL}, {"2026-03-12T22:41:07+14:01", NULL},
        {"2026-03-12T22:41:07+0100", NULL}, {"2026-03-12T22:41:07+01:60", NULL}, {"2026-02-29T00:00:00", NULL}, {"20260312T224107Z", NULL},
        {"9999-12-31T23:59:59-01:00", NULL}, {"0001-01-01T00:00:00+01:00", NULL}, {"2026-03-12T22:41:07ZZ", NULL}, {"2026-03-12", NULL}, {"", NULL}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v;
        char name[80];
        snprintf(name, sizeof name, "date-time \"%s\"", cases[i].in);
        bool good = datetime_parse(str_of(cases[i].in), &v);
        if (!cases[i].out) { ok(!good, name, "accepted"); continue; }
        if (!ok(good, name, "refused")) continue;
        buf_clear(&b);
        value_print(&b, &v);
        ok_text(name, buf_view(&b), cases[i].out);
    }
    buf_free(&b);
}

static void sage_times(void)
{
    static const struct { const char *in; int64_t ms; } cases[] = {      /* -1: refused */
        {"15.5", 55800000}, {"8.49238", 30572568}, {"", 0}, {"0", 0}, {"24", 86400000}, {"23.99999", 86399964}, {".5", 1800000}, {"9.5", 34200000},
        {"10.1", 36360000}, {"8.492384", 30572568}, {"8.492385", 30572604}, {"0.000005", 36}, {"0.000004", 0}, {"08.5", 30600000},
        {"24.00001", -1}, {"24.000005", -1}, {"25", -1}, {"-1", -1}, {"1e1", -1}, {"5.", -1}, {".", -1}, {" 5", -1}, {"5 ", -1}, {"5.5.5", -1},
        {"123456789", -1}, {"15:30", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -1;
        char name[60];
        snprintf(name, sizeof name, "decimal hours \"%s\"", cases[i].in);
        bool good = sage_time_parse(str_of(cases[i].in), &ms);
        ok(good == (cases[i].ms >= 0) && (!good || ms == cases[i].ms), name, "%d, %lld ms", good, (long long)ms);
    }
}

int main(void)
{
    calendar();
    dates();
    datetimes();
    sage_times();
    return ok_done();
}
