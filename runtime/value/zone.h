/* zone.h - wall time of a place to a point in time, by rules that are compiled in: one program maps a row to the same instant on every machine, for
 * ever, whatever time zone files the machine has. The rules count as a part of the builtins' version (compiler/ir.h).
 *
 * North America, Central America, the Caribbean, Europe, UTC; from 1970 on. Before 1970 a place has the standard time that it had in 1970. */
#ifndef VALUE_ZONE_H
#define VALUE_ZONE_H
#include "base/str.h"

/* The number of a zone by its IANA name, -1 when it is not known here. */
int zone_named(struct str name);
/* Names in byte order, for help and tests; i < zone_count(). */
size_t zone_count(void);
struct str zone_name(size_t i);
/* Minutes east of UTC at a point in time (Unix milliseconds). zone: from zone_named. */
int zone_offset(int zone, int64_t unix_ms);
/* The point in time at which the place's clock showed local_ms (milliseconds since 1970-01-01T00:00 of that clock). An hour that was shown twice: the
 * first time. An hour that was never shown: as if the clock had not been put forward yet (02:30 is then 03:30). */
int64_t zone_instant(int zone, int64_t local_ms);
#endif
