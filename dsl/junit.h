/* junit.h - writes a JUnit XML report, which every CI server shows. Shared by mlc check and mlc test.
 *
 *   junit_begin, junit_case for every case, junit_end: the suite with its counts goes to `out` at the end
 *
 * Texts are escaped; what XML 1.0 cannot hold (control characters, broken UTF-8) becomes U+FFFD. */
#ifndef DSL_JUNIT_H
#define DSL_JUNIT_H
#include "base/buf.h"

struct junit { struct buf body; size_t cases, failures; };
/* what: NULL for a case that passed, else a short name of the failure ("E0401"). message: one sentence. detail: lines shown below it, may be empty;
 * of a case that passed: what it had to say. file may be empty, line 0. */
struct junit_case { struct str suite, name, file; uint32_t line; const char *what; struct str message, detail; };

void junit_begin(struct junit *j);
void junit_case(struct junit *j, const struct junit_case *c);
void junit_end(struct junit *j, const char *suite, struct buf *out);
#endif
