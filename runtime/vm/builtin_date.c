/* builtin_date.c - dates, wall times and points in time. There is no "today": a row maps to the same record whenever it is looked at. */
#include "base/check.h"
#include "value/date.h"
#include "value/date_pattern.h"
#include "value/zone.h"
#include "vm/builtin.h"
#include "vm/chars.h"

static const int64_t day_ms = INT64_C(86400000);

static struct value of_days(int64_t days) { return (struct value){.kind = V_DATE, .u.i = days}; }
static struct value of_local(int64_t ms) { return (struct value){.kind = V_LOCAL, .u.i = ms}; }

/* ---- texts ---- */

/* The forms that everybody reads alike. 03/12/2026 is none: date_from says which is the month. */
static const char *const forms[] = {"YYYY-MM-DD", "YYYY/MM/DD", "YYYYMMDD", "D-MMM-YYYY", "D MMM YYYY", "D MMMM YYYY", "MMM D, YYYY", "MMMM D, YYYY", "MMM D YYYY",
                                    "MMMM D YYYY"};

/* "T08:30" or " 08:30:00": what stands behind an ISO date when it is a date-time. */
static bool is_time(struct str s)
{
    struct value v;
    char text[] = "2000-01-01T00:00:00";
    if (s.n != 6 && s.n != 9) return false;
    memcpy(text + 10, s.p, s.n);
    text[10] = s.p[0] == ' ' ? 'T' : s.p[0];
    return datetime_parse((struct str){text, sizeof text - 1}, &v);
}

void builtin__date(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    struct str text = chars_trim(value_str(args[0]));
    struct date_pattern p;
    int64_t days;
    *out = value_absent;
    if (text.n > 10 && is_time(str_behind(text, 10))) text.n = 10;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        bool ok = date_pattern_parse(str_of(forms[i]), true, &p, NULL, 0);
        ASSERT(ok);
        if (!date_pattern_read(&p, text, &days)) continue;
        *out = of_days(days);
        return;
    }
}

void builtin__date_from(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    struct date_pattern p;
    int64_t days;
    bool ok = date_pattern_parse(value_str(args[1]), true, &p, NULL, 0);
    ASSERT(ok);
    *out = date_pattern_read(&p, chars_trim(value_str(args[0])), &days) ? of_days(days) : value_absent;
}

void builtin__date_text(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    struct date_pattern p;
    bool ok = date_pattern_parse(value_str(args[1]), false, &p, NULL, 0);
    ASSERT(ok);
    char *text = scratch_take(s, (size_t)p.most * 4);
    *out = value_text((struct str){text, date_pattern_write(&p, args[0]->u.i, text)});
}

/* ---- the calendar ---- */

static void part(const struct value *date, int which, struct value *out)
{
    int ymd[3];
    date_to_ymd(date->u.i, &ymd[0], &ymd[1], &ymd[2]);
    *out = value_decimal(ymd[which], 0);
}

void builtin__year(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    part(args[0], 0, out);
}

void builtin__month(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    part(args[0], 1, out);
}

void builtin__day(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    part(args[0], 2, out);
}

void builtin__weekday(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = value_decimal(((args[0]->u.i + 3) % 7 + 7) % 7 + 1, 0);      /* 1970-01-01 was a Thursday */
}

/* A whole number of the row: kept within what no calendar reaches, so that sums cannot overflow. */
static int64_t whole(const struct value *v)
{
    const i128 far = 10000000;
    struct value n;
    bool ok = decimal_rescale(v, 0, &n);
    ASSERT(ok);
    return (int64_t)(n.u.coef > far ? far : n.u.coef < -far ? -far : n.u.coef);
}

void builtin__add_days(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    int64_t days = args[0]->u.i + whole(args[1]);
    *out = date_days_valid(days) ? of_days(days) : value_absent;
}

/* The day of a month, or the month's last one when it is shorter; false outside the calendar. month counts from 0 in the year 0. */
static bool day_of_month(int64_t month, int day, int64_t *days)
{
    int64_t year = month / 12;
    if (month < 12 || year > 9999) return false;
    while (day > 28 && !date_from_ymd((int)year, (int)(month % 12) + 1, day, days)) day--;
    return date_from_ymd((int)year, (int)(month % 12) + 1, day, days);
}

void builtin__add_months(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    int year, month, day;
    int64_t days;
    date_to_ymd(args[0]->u.i, &year, &month, &day);
    *out = day_of_month(year * INT64_C(12) + month - 1 + whole(args[1]), day, &days) ? of_days(days) : value_absent;
}

void builtin__month_end(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    int year, month, day;
    int64_t days = 0;
    date_to_ymd(args[0]->u.i, &year, &month, &day);
    bool ok = day_of_month(year * INT64_C(12) + month - 1, 31, &days);
    ASSERT(ok);
    *out = of_days(days);
}

void builtin__days_between(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = value_decimal(args[1]->u.i - args[0]->u.i, 0);
}

void builtin__earliest(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)s;
    *out = *args[0];
    for (size_t i = 1; i < nargs; i++)
        if (args[i]->u.i < out->u.i) *out = *args[i];
}

void builtin__latest(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)s;
    *out = *args[0];
    for (size_t i = 1; i < nargs; i++)
        if (args[i]->u.i > out->u.i) *out = *args[i];
}

/* ---- wall time and points in time ---- */

void builtin__date_of(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = of_days(args[0]->u.i / day_ms - (args[0]->u.i % day_ms < 0));
}

void builtin__midnight(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = of_local(args[0]->u.i * day_ms);
}

void builtin__sage_time(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    int64_t ms = 0;
    *out = value_absent;
    if (value_present(args[1]) && !sage_time_parse(chars_trim(value_str(args[1])), &ms)) return;
    ms += args[0]->u.i * day_ms;
    if (datetime_ms_valid(ms)) *out = of_local(ms);
}

/* No answer only within a day of the ends of the calendar. */
void builtin__instant(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    int zone = zone_named(value_str(args[1]));
    ASSERT(zone >= 0);
    int64_t ms = zone_instant(zone, args[0]->u.i);
    *out = datetime_ms_valid(ms) ? (struct value){.kind = V_INSTANT, .u.i = ms} : value_absent;
}
