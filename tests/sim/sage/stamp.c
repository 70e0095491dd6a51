/*
 * stamp.c: audit stamps as Sage writes them, "20240312" and "15.5", and the positions that the agent orders rows by
 * (facts/sage-100.md 6 and 9.4 rule 1). Integer arithmetic on the text: 0.00001 h are exactly 36 ms.
 */
#include "private.h"

#include <string.h>

static int64_t date_number(const char *p, size_t len)
{
    int64_t v = 0;
    if (len != 8)
        return 0;
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9')
            return 0;
        v = v * 10 + (p[i] - '0');
    }
    return v == 17530101 ? 0 : v;
}

// Hours x 10^5; more than five decimals: round half up. Anything that is not a plain number counts as blank.
static int64_t hours_number(const char *p, size_t len)
{
    int64_t v = 0;
    size_t i = 0;
    while (i < len && p[i] == ' ')
        i++;
    if (i == len)
        return 0;
    for (; i < len && p[i] >= '0' && p[i] <= '9'; i++)
        if ((v = v * 10 + (p[i] - '0')) > 99)
            return 0;
    v *= 100000;
    if (i < len && p[i] == '.') {
        int64_t unit = 10000;
        for (i++; i < len && p[i] >= '0' && p[i] <= '9'; i++, unit /= 10) {
            if (unit >= 1)
                v += unit * (p[i] - '0');
            else if (unit == 0 && p[i] >= '5')
                v++;
            if (unit == 0) {
                while (i < len && p[i] >= '0' && p[i] <= '9')
                    i++;
                break;
            }
        }
    }
    return i == len ? v : 0;
}

int64_t sage__position(const char *date, size_t date_len, const char *time, size_t time_len)
{
    return date_number(date, date_len) * SAGE_STAMP_SCALE + hours_number(time, time_len);
}

int64_t sage__position_of_ms(int64_t local_ms)
{
    struct sage_local l;
    sage__civil(local_ms, &l);
    int64_t day_ms = ((int64_t)l.hour * 60 + l.minute) * 60000 + (int64_t)l.second * 1000 + local_ms % 1000;
    return ((int64_t)l.year * 10000 + l.month * 100 + l.day) * SAGE_STAMP_SCALE + day_ms / 36;
}

void sage__hours_text(int t, char out[16])
{
    int n = snprintf(out, 16, "%d.%05d", t / 100000, t % 100000);
    while (n > 0 && out[n - 1] == '0')
        out[--n] = 0;
    if (n > 0 && out[n - 1] == '.')
        out[n - 1] = 0;
}

void sage__position_text(int64_t position, char date[16], char time[16])
{
    int64_t d = position / SAGE_STAMP_SCALE;
    date[0] = time[0] = 0;
    if (!position)
        return;
    if (d)
        snprintf(date, 16, "%08d", (int)(d % 100000000));
    sage__hours_text((int)(position % SAGE_STAMP_SCALE), time);
}

int64_t sage__local_ms_of_position(int64_t position)
{
    int64_t d = position / SAGE_STAMP_SCALE;
    int month = (int)(d / 100 % 100);
    month = month < 1 ? 1 : month > 12 ? 12 : month;
    return sage__days((int)(d / 10000), month, (int)(d % 100)) * 86400000 + position % SAGE_STAMP_SCALE * 36;
}
