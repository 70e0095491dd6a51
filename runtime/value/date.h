/* date.h - calendar arithmetic and the date forms of the two systems; proleptic Gregorian, years 1..9999. */
#ifndef VALUE_DATE_H
#define VALUE_DATE_H
#include "value/value.h"
/* Of a day that there is. */
static inline int64_t date_days(unsigned year, unsigned month, unsigned day)
{
    enum { DAYS_PER_400_YEARS = 146097, DAYS_TO_1970 = 719468 /* from 0000-03-01 */ };
    unsigned y = year - (month <= 2), m = month <= 2 ? month + 9 : month - 3;                /* years begin in March, so that the leap day is their last */
    unsigned century = y / 400, in_century = y % 400, day_of_year = (153 * m + 2) / 5 + day - 1;
    return (int64_t)(century * DAYS_PER_400_YEARS + in_century * 365 + in_century / 4 - in_century / 100 + day_of_year) - DAYS_TO_1970;
}
bool date_from_ymd(int year, int month, int day, int64_t *days);      /* false when no such day */
void date_to_ymd(int64_t days, int *year, int *month, int *day);
/* "YYYYMMDD" (facts/sage-100.md 6) or "YYYY-MM-DD"; false on anything else. */
bool date_parse(struct str s, struct value *out);
/* "YYYY-MM-DDTHH:MM:SS[.fff]" with "Z" or "+hh:mm" -> V_INSTANT; without zone -> V_LOCAL. False on anything else. */
bool datetime_parse(struct str s, struct value *out);
/* Decimal hours text of Sage ("15.5", "8.49238", "") to milliseconds of the day, exactly, by integers on the text
 * (facts/sage-100.md 6; 5 decimals kept, more round half up). False when malformed or above 24 h. */
bool sage_time_parse(struct str s, int64_t *ms_of_day);
void date_print(struct buf *out, int64_t days);                       /* YYYY-MM-DD */

/* Without a buffer, for code that must not allocate. Writes YYYY-MM-DD; returns 10. */
size_t date_write(char out[10], int64_t days);
enum { DATETIME_BYTES = 23 };
/* Writes YYYY-MM-DDTHH:MM:SS, with_ms adds .fff unless it is .000; returns the length (19 or 23). ms counts from 1970-01-01T00:00. */
size_t datetime_write(char out[DATETIME_BYTES], int64_t ms, bool with_ms);
/* Within years 1..9999: what the printers above demand. */
bool date_days_valid(int64_t days);
bool datetime_ms_valid(int64_t ms);
#endif
