/* stamp.c - audit stamps and positions (facts/sage-100.md 6, 9.4 rule 1). Integers on the text; no binary floating point comes near them. */
#include "agent/private.h"
#include <stdio.h>

static int64_t date_number(struct str s)
{
    int64_t v = 0;
    s = agent__rtrim(s);
    if (s.n != 8) return 0;
    for (size_t i = 0; i < 8; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return 0;
        v = v * 10 + (s.p[i] - '0');
    }
    return v == 17530101 ? 0 : v;
}

/* Hours * 10^5; the sixth decimal rounds half up. What is no plain number counts as blank. */
static int64_t hours_number(struct str s)
{
    s = str_trim(agent__rtrim(s));
    int64_t whole = 0, part = 0, unit = 10000;
    size_t i = 0, digits = 0;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++, digits++)
        if ((whole = whole * 10 + (s.p[i] - '0')) > 99) return 0;
    if (i < s.n && s.p[i] == '.') {
        i++;
        for (unsigned decimal = 1; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++, digits++, decimal++) {
            if (decimal == 6 && s.p[i] >= '5') part++;
            part += unit * (s.p[i] - '0');
            unit /= 10;
        }
    }
    return digits && i == s.n ? whole * 100000 + part : 0;
}

int64_t agent__position(struct str date, struct str time)
{
    return date_number(date) * AGENT__STAMP_SCALE + hours_number(time);
}

/* ---- days since 1970-01-01 and back (proleptic Gregorian; years 0 to 9999) ---- */

static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1, doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static void civil_of(int64_t days, int *y, int *m, int *d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y = (int)(yoe + era * 400 + (*m <= 2));
}

static int64_t floor_days(int64_t ms)
{
    return ms >= 0 ? ms / 86400000 : -((-ms + 86399999) / 86400000);
}

int64_t agent__position_of_local(int64_t ms)
{
    int y, m, d;
    int64_t days = floor_days(ms);
    civil_of(days, &y, &m, &d);
    return ((int64_t)y * 10000 + m * 100 + d) * AGENT__STAMP_SCALE + (ms - days * 86400000) / 36;
}

int64_t agent__local_of_position(int64_t position)
{
    int64_t date = position / AGENT__STAMP_SCALE, month = date / 100 % 100;
    month = month < 1 ? 1 : month > 12 ? 12 : month;
    return days_of(date / 10000, month, date % 100) * 86400000 + position % AGENT__STAMP_SCALE * 36;
}

void agent__position_text(int64_t position, char date[16], char time[16])
{
    int64_t d = position / AGENT__STAMP_SCALE, t = position % AGENT__STAMP_SCALE;
    date[0] = time[0] = '\0';
    if (position <= 0) return;
    if (d) snprintf(date, 16, "%08u", (unsigned)(d % 100000000));
    int n = snprintf(time, 16, "%u.%05u", (unsigned)(t / 100000), (unsigned)(t % 100000));
    while (n > 1 && time[n - 1] == '0') time[--n] = '\0';
    if (time[n - 1] == '.') time[n - 1] = '\0';
}

void agent__time_text(int64_t ms, bool utc, char out[24])
{
    int y, m, d;
    int64_t days = floor_days(ms), s = (ms - days * 86400000) / 1000;
    civil_of(days, &y, &m, &d);
    snprintf(out, 24, "%04u-%02u-%02uT%02u:%02u:%02u%s", (unsigned)y % 10000u, (unsigned)m % 100u, (unsigned)d % 100u, (unsigned)(s / 3600 % 24),
             (unsigned)(s / 60 % 60), (unsigned)(s % 60), utc ? "Z" : "");
}
