/*
 * zone.c: the local wall time of a Sage server, without the zone data of the machine, so that a run replays anywhere.
 * A zone is a POSIX rule, std offset [dst [offset] , Mm.w.d[/time] , Mm.w.d[/time]]; a few names stand for one.
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[][2] = {
    {"UTC", "UTC0"},
    {"America/New_York", "EST5EDT,M3.2.0,M11.1.0"},
    {"America/Toronto", "EST5EDT,M3.2.0,M11.1.0"},
    {"America/Chicago", "CST6CDT,M3.2.0,M11.1.0"},
    {"America/Denver", "MST7MDT,M3.2.0,M11.1.0"},
    {"America/Phoenix", "MST7"},
    {"America/Los_Angeles", "PST8PDT,M3.2.0,M11.1.0"},
    {"Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"},
    {"Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"},
    {"Australia/Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3"},
    {"Asia/Kolkata", "IST-5:30"},
};

int64_t sage__days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void sage__civil(int64_t local_ms, struct sage_local *out)
{
    int64_t days = local_ms / 86400000, rest = local_ms % 86400000;
    if (rest < 0) {
        rest += 86400000;
        days--;
    }
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    out->day = (int)(doy - (153 * mp + 2) / 5 + 1);
    out->month = (int)(mp < 10 ? mp + 3 : mp - 9);
    out->year = (int)(yoe + era * 400 + (out->month <= 2));
    out->hour = (int)(rest / 3600000);
    out->minute = (int)(rest / 60000 % 60);
    out->second = (int)(rest / 1000 % 60);
    out->ms = local_ms;
}

void sage__utc_text(int64_t utc_ms, char out[32])
{
    struct sage_local t;
    sage__civil(utc_ms, &t);
    snprintf(out, 32, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)t.year % 10000, (unsigned)t.month % 100, (unsigned)t.day % 100,
             (unsigned)t.hour % 100, (unsigned)t.minute % 100, (unsigned)t.second % 100);
}

// Letters of an abbreviation; false when there are none.
static bool skip_name(const char **p)
{
    const char *from = *p;
    while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))
        ++*p;
    return *p - from >= 3;
}

static bool number(const char **p, int max, int *out)
{
    char *end;
    if (**p < '0' || **p > '9')
        return false;
    long v = strtol(*p, &end, 10);
    *p = end;
    *out = (int)v;
    return v >= 0 && v <= max;
}

// [+-]h[:mm] in minutes
static bool hours(const char **p, int *minutes)
{
    int sign = 1, h, m = 0;
    if (**p == '-' || **p == '+')
        sign = *(*p)++ == '-' ? -1 : 1;
    if (!number(p, 24, &h))
        return false;
    if (**p == ':') {
        ++*p;
        if (!number(p, 59, &m))
            return false;
    }
    *minutes = sign * (h * 60 + m);
    return true;
}

static bool rule(const char **p, struct sage_zone_rule *r)
{
    if (strncmp(*p, ",M", 2) != 0)
        return false;
    *p += 2;
    if (!number(p, 12, &r->month) || *(*p)++ != '.' || !number(p, 5, &r->week) || *(*p)++ != '.' || !number(p, 6, &r->weekday))
        return false;
    r->minutes = 120;
    if (**p == '/') {
        ++*p;
        return hours(p, &r->minutes);
    }
    return r->month >= 1 && r->week >= 1;
}

bool sage__zone_parse(const char *name, struct sage_zone *z)
{
    const char *p = name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i][0]) == 0)
            p = names[i][1];
    memset(z, 0, sizeof *z);
    int west;
    if (!skip_name(&p) || !hours(&p, &west))
        return false;
    z->std_minutes = -west;
    z->dst_minutes = z->std_minutes + 60;
    if (!*p)
        return true;
    z->has_dst = true;
    if (!skip_name(&p))
        return false;
    if (*p && *p != ',') {
        if (!hours(&p, &west))
            return false;
        z->dst_minutes = -west;
    }
    return rule(&p, &z->start) && rule(&p, &z->end) && !*p;
}

// Local milliseconds at which a rule strikes in a year.
static int64_t strikes(const struct sage_zone_rule *r, int year)
{
    int64_t first = sage__days(year, r->month, 1);
    int64_t weekday = (first + 4) % 7; // 1970-01-01 was a Thursday; years before are not asked for
    int64_t day = first + (r->weekday - weekday + 7) % 7 + 7 * (r->week - 1);
    int64_t next = r->month == 12 ? sage__days(year + 1, 1, 1) : sage__days(year, r->month + 1, 1);
    while (day >= next)
        day -= 7;
    return day * 86400000 + (int64_t)r->minutes * 60000;
}

int sage__zone_offset(const struct sage_zone *z, int64_t utc_ms)
{
    if (!z->has_dst)
        return z->std_minutes;
    struct sage_local t;
    sage__civil(utc_ms + (int64_t)z->std_minutes * 60000, &t);
    int64_t start = strikes(&z->start, t.year) - (int64_t)z->std_minutes * 60000;
    int64_t end = strikes(&z->end, t.year) - (int64_t)z->dst_minutes * 60000;
    bool summer = start < end ? utc_ms >= start && utc_ms < end : utc_ms >= start || utc_ms < end;
    return summer ? z->dst_minutes : z->std_minutes;
}

int64_t sage__zone_to_utc(const struct sage_zone *z, int64_t local_ms)
{
    int64_t as_dst = local_ms - (int64_t)z->dst_minutes * 60000;
    int64_t as_std = local_ms - (int64_t)z->std_minutes * 60000;
    if (z->has_dst && sage__zone_offset(z, as_dst) == z->dst_minutes)
        return as_dst;
    return as_std;
}
