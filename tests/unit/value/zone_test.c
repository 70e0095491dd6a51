/* zone_test.c - wall times of places to points in time: well-known changes of clocks, and a sum over every zone that was computed from the IANA
 * database (release 2025b) by another program. */
#include "tests/unit/value/ok.h"
#include "value/date.h"
#include "value/zone.h"

static int64_t ms_of(const char *text)
{
    struct value v = {0};
    if (!datetime_parse(str_of(text), &v)) ok(false, text, "is no date-time");
    return v.u.i;
}

static void cases(void)
{
    static const struct { const char *zone, *local, *utc; } table[] = {
        {"UTC", "2026-03-12T08:30:00", "2026-03-12T08:30:00"}, {"America/Chicago", "2026-01-15T12:00:00", "2026-01-15T18:00:00"},
        {"America/Chicago", "2026-07-15T12:00:00", "2026-07-15T17:00:00"}, {"US/Central", "2026-07-15T12:00:00", "2026-07-15T17:00:00"},
        /* the hour that does not exist, the hour that comes twice, and their edges */
        {"America/Chicago", "2026-03-08T01:59:59", "2026-03-08T07:59:59"}, {"America/Chicago", "2026-03-08T02:00:00", "2026-03-08T08:00:00"},
        {"America/Chicago", "2026-03-08T02:30:00", "2026-03-08T08:30:00"}, {"America/Chicago", "2026-03-08T03:00:00", "2026-03-08T08:00:00"},
        {"America/Chicago", "2026-11-01T00:59:59", "2026-11-01T05:59:59"}, {"America/Chicago", "2026-11-01T01:30:00", "2026-11-01T06:30:00"},
        {"America/Chicago", "2026-11-01T02:00:00", "2026-11-01T08:00:00"}, {"Europe/Berlin", "2026-03-29T02:15:00", "2026-03-29T01:15:00"},
        {"Europe/Berlin", "2026-10-25T02:15:00", "2026-10-25T00:15:00"}, {"Europe/London", "2026-06-01T12:00:00", "2026-06-01T11:00:00"},
        {"Europe/Dublin", "2026-01-01T12:00:00", "2026-01-01T12:00:00"}, {"Europe/Dublin", "2026-07-01T12:00:00", "2026-07-01T11:00:00"},
        /* other rules in other years */
        {"America/New_York", "2006-03-26T12:00:00", "2006-03-26T17:00:00"}, {"America/New_York", "2007-03-26T12:00:00", "2007-03-26T16:00:00"},
        {"America/New_York", "1974-01-20T12:00:00", "1974-01-20T16:00:00"}, {"America/Indiana/Indianapolis", "2005-07-01T12:00:00", "2005-07-01T17:00:00"},
        {"America/Indiana/Indianapolis", "2006-07-01T12:00:00", "2006-07-01T16:00:00"}, {"America/Phoenix", "2026-07-01T12:00:00", "2026-07-01T19:00:00"},
        {"America/Mexico_City", "2022-07-01T12:00:00", "2022-07-01T17:00:00"}, {"America/Mexico_City", "2023-07-01T12:00:00", "2023-07-01T18:00:00"},
        {"America/St_Johns", "2026-07-01T12:00:00", "2026-07-01T14:30:00"}, {"America/Anchorage", "2026-07-01T12:00:00", "2026-07-01T20:00:00"},
        {"Pacific/Honolulu", "2026-07-01T12:00:00", "2026-07-01T22:00:00"}, {"Europe/Moscow", "2012-01-01T12:00:00", "2012-01-01T08:00:00"},
        {"Europe/Moscow", "2026-01-01T12:00:00", "2026-01-01T09:00:00"}, {"Europe/Istanbul", "2026-01-01T12:00:00", "2026-01-01T09:00:00"},
        {"America/Whitehorse", "2026-01-01T12:00:00", "2026-01-01T19:00:00"}, {"America/Regina", "2026-07-01T12:00:00", "2026-07-01T18:00:00"},
        /* beyond the years that are known: the last rules, the first standard time */
        {"America/Chicago", "2099-07-01T12:00:00", "2099-07-01T17:00:00"}, {"America/Chicago", "9998-01-01T12:00:00", "9998-01-01T18:00:00"},
        {"America/Chicago", "1950-07-01T12:00:00", "1950-07-01T18:00:00"}, {"Europe/Paris", "0001-02-01T12:00:00", "0001-02-01T11:00:00"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char name[80];
        int zone = zone_named(str_of(table[i].zone));
        snprintf(name, sizeof name, "%s in %s", table[i].local, table[i].zone);
        if (zone < 0) { ok(false, name, "unknown zone"); continue; }
        int64_t got = zone_instant(zone, ms_of(table[i].local)), want = ms_of(table[i].utc);
        ok(got == want, name, "is off by %lld minutes", (long long)(got - want) / 60000);
    }
}

static uint64_t sum = UINT64_C(0xcbf29ce484222325);

static void add(int64_t v)
{
    for (int i = 0; i < 8; i++) sum = (sum ^ ((uint64_t)v >> (8 * i) & 0xff)) * UINT64_C(0x100000001b3);
}

/* Every zone about each four weeks from 1970 to 2037, both directions. */
static void every_zone(void)
{
    struct str before = {"", 0};
    for (size_t i = 0; i < zone_count(); i++) {
        int zone = zone_named(zone_name(i));
        if (zone < 0 || str_cmp(before, zone_name(i)) >= 0) ok(false, zone_name(i).p, "not found, or out of order");
        before = zone_name(i);
        for (int64_t t = 0; t < INT64_C(2145916800) && zone >= 0; t += 2433629) {
            add(zone_offset(zone, t * 1000));
            add(zone_instant(zone, (t + 86400) * 1000) / 1000);
        }
    }
    ok(zone_count() == 258 && sum == UINT64_C(0xb491749dbeaaf4a4), "every zone from 1970 to 2037", "%zu zones, sum %016llx", zone_count(), (unsigned long long)sum);
    ok(zone_named(STR("Mars/Olympus")) < 0 && zone_named(STR("")) < 0 && zone_named(STR("america/chicago")) < 0, "no such zone", "found");
}

/* The ends of the calendar do not end the process. */
static void ends(void)
{
    int64_t first, last;
    bool good = date_from_ymd(1, 1, 1, &first) && date_from_ymd(9999, 12, 31, &last);
    for (size_t i = 0; i < zone_count() && good; i++) {
        int zone = zone_named(zone_name(i));
        int64_t a = zone_instant(zone, first * INT64_C(86400000)), b = zone_instant(zone, last * INT64_C(86400000) + 86399999);
        good = a > (first - 1) * INT64_C(86400000) && b < (last + 2) * INT64_C(86400000);
    }
    ok(good, "the first and the last day of the calendar", "out of bounds");
}

int main(void)
{
    cases();
    every_zone();
    ends();
    return ok_done();
}
