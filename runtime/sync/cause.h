/* cause.h - what records that are set aside have in common: the reason without what differs from record to record. A cause has a short code that stays the
 * same as long as its text does, so that a person can name it: mlcd dead, mlcd replay --cause. */
#ifndef SYNC_CAUSE_H
#define SYNC_CAUSE_H
#include "base/str.h"

enum { CAUSE_TEXT = 200, CAUSE_CODE = 7 };
/* The reason with ids blotted out: runs of ten and more digits become #. */
void cause_text(struct str why, char out[CAUSE_TEXT]);
/* Six hex digits over state and text. */
void cause_code(unsigned state, const char *text, char out[CAUSE_CODE]);
/* What a person typed names this cause: its code, or a part of its text. */
bool cause_is(unsigned state, const char *text, struct str typed);
/* The reason of a row: its own, or what its state means. */
struct row;
struct str cause_of(const struct row *r);
#endif
