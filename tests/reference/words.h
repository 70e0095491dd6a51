/* words.h - the tables of builtins and what they share: words.c, words_more.c, words_dates.c, words_people.c. */
#ifndef TESTS_REFERENCE_WORDS_H
#define TESTS_REFERENCE_WORDS_H
#include "tests/reference/reference.h"

typedef struct ref_value ref_word_fn(struct ref *r, const struct ref_value *a, size_t n);
struct ref_word { const char *name; ref_word_fn *fn; unsigned optional; /* bit i: runs although argument i is absent; else the result is absent */ };
/* Each ends with a name of NULL: texts and numbers; dates and times; people and places. */
extern const struct ref_word ref__words[], ref__words_dates[], ref__words_people[];
/* A number without decimals, cut to what counts. */
int64_t ref__whole(const struct ref_value *v);
struct ref_value ref__text(struct ref *r, struct str s);
bool ref__blank(uint32_t c);
/* Without blanks at both ends. */
struct str ref__trimmed(struct str s);
/* The character that s begins with; s is not empty. */
uint32_t ref__char(struct str s, size_t *bytes);
/* ASCII only. */
bool ref__same_word(struct str a, const char *b);
struct ref_day { int y, m, d; };
int ref__month_days(int y, int m);
struct ref_day ref__day(struct str iso);
/* Absent outside of the years 1 to 9999. */
struct ref_value ref__day_value(struct ref *r, struct ref_day d);
/* Days since the first day of the year 1, and back. */
int64_t ref__day_count(struct ref_day d);
struct ref_day ref__day_of(int64_t count);
/* a[0] alone, through another builtin. */
struct ref_value ref__by_name(struct ref *r, const char *builtin, struct ref_value v);
#endif
