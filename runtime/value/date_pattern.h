/* date_pattern.h - dates written by a pattern: YYYY YY MMMM MMM MM M DD D stand for parts of the date, what is no ASCII letter stands for itself.
 * Month names are English, whatever the machine speaks. */
#ifndef VALUE_DATE_PATTERN_H
#define VALUE_DATE_PATTERN_H
#include "base/str.h"

enum { DATE_PATTERN_PARTS = 16, DATE_PATTERN_CHARS = 40 };
struct date_pattern {
    struct { char kind; /* Y M D, or '=' for text */ uint8_t letters; struct str text; } parts[DATE_PATTERN_PARTS];
    unsigned nparts;
    unsigned least, most;              /* characters of a written date */
};
/* False with a clause in why (may be NULL). whole: year, month and day stand in it once each, so that it can be read. Texts point into pattern. */
bool date_pattern_parse(struct str pattern, bool whole, struct date_pattern *out, char *why, size_t why_len);
/* Writes the date; returns the bytes, at most 4 * most. */
size_t date_pattern_write(const struct date_pattern *p, int64_t days, char *out);
/* Reads exactly such a text; false when it is none or no day of the calendar. Letters of a month's name may be of either case. */
bool date_pattern_read(const struct date_pattern *p, struct str text, int64_t *days);
/* 1..12 for a month's English name or its first three letters at the start of s, with its length; 0 for none. */
int date_month_named(struct str s, size_t *n);
#endif
