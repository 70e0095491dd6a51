/* zone.c - see zone.h. The tables are zone_name.def, zone_era.def and zone_rule.def:
 *
 *   name -> place -> era that holds at the time (offset, rule set) -> the set's last change of clocks before the time (minutes ahead)
 *
 * A set's rules hold for spans of years; the last change is found by asking each rule for its latest date that is not after the time. */
#include "value/zone.h"
#include "base/check.h"
#include "value/date.h"

enum { EVER_YEAR = 9999, DAY_S = 86400, LAST = 0 };
enum weekday { SUN, MON, TUE, WED, THU, FRI, SAT, ANY };
enum clock { WALL, STD, UTC };

enum place {
#define ZONE_SET(place) PLACE_##place,
#define ERA(place, end, minutes, rules)
#include "value/zone_era.def"
#undef ZONE_SET
#undef ERA
    PLACES
};

enum rule_set {
    RULES_NONE,
#define RULE_SET(set) RULES_##set,
#define RULE(set, first, last, month, day, weekday, at, clock, ahead)
#include "value/zone_rule.def"
#undef RULE_SET
#undef RULE
};

struct rule { uint16_t set; int16_t first, last; uint8_t month, day, weekday, clock; int16_t at, ahead; };
static const struct rule rules[] = {
#define EVER EVER_YEAR
#define RULE_SET(set)
#define RULE(set, first, last, month, day, weekday, at, clock, ahead) {RULES_##set, first, last, month, day, weekday, clock, at, ahead},
#include "value/zone_rule.def"
#undef RULE_SET
#undef RULE
#undef EVER
};
struct era { uint16_t place, rules; int16_t minutes; int64_t end; };
static const struct era eras[] = {
#define EVER INT64_MAX
#define ZONE_SET(place)
#define ERA(place, end, minutes, rules) {PLACE_##place, RULES_##rules, minutes, end},
#include "value/zone_era.def"
#undef ZONE_SET
#undef ERA
#undef EVER
};
static const struct { const char *name; uint16_t place; } names[] = {
#define ZONE(name, place) {name, PLACE_##place},
#include "value/zone_name.def"
#undef ZONE
};
enum { NRULES = sizeof rules / sizeof *rules, NERAS = sizeof eras / sizeof *eras, NNAMES = sizeof names / sizeof *names };

int zone_named(struct str name)
{
    for (size_t lo = 0, hi = NNAMES; lo < hi;) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(name, str_of(names[mid].name));
        if (c == 0) return names[mid].place;
        if (c < 0) hi = mid; else lo = mid + 1;
    }
    return -1;
}

size_t zone_count(void) { return NNAMES; }

struct str zone_name(size_t i)
{
    ASSERT(i < NNAMES);
    return str_of(names[i].name);
}

/* ---- one rule ---- */

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* The day on which the rule takes effect in a year. 1970-01-01 was a Thursday. */
static int64_t rule_day(const struct rule *r, int year)
{
    int64_t day = 0;
    bool last = r->day == LAST, december = r->month == 12;
    bool ok = last ? date_from_ymd(december ? year + 1 : year, december ? 1 : r->month + 1, 1, &day) : date_from_ymd(year, r->month, r->day, &day);
    ASSERT(ok);
    if (r->weekday == ANY) return day;
    if (last) day -= 7;                                  /* the first one on or after a week before the next month */
    int64_t weekday = (day % 7 + 11) % 7;
    return day + (r->weekday - weekday + 7) % 7;
}

/* What the clocks of a set are ahead by in the year before the change back to standard time. */
static int ahead_in(const struct rule *set, size_t n, int year)
{
    int ahead = 0;
    for (size_t i = 0; i < n; i++)
        if (set[i].first <= year && year <= set[i].last && set[i].ahead > ahead) ahead = set[i].ahead;
    return ahead;
}

/* The moment of the rule in a year, Unix seconds. */
static int64_t rule_moment(const struct rule *set, size_t n, const struct rule *r, int year, int minutes)
{
    int64_t t = rule_day(r, year) * DAY_S + r->at * INT64_C(60);
    if (r->clock == UTC) return t;
    t -= minutes * INT64_C(60);
    if (r->clock == STD || r->ahead > 0) return t;
    int ahead = ahead_in(set, n, year);
    return t - (ahead ? ahead : ahead_in(set, n, year - 1)) * INT64_C(60);
}

/* ---- a set ---- */

static const struct rule *rules_of(enum rule_set set, size_t *n)
{
    size_t first = 0;
    while (first < NRULES && rules[first].set != set) first++;
    for (*n = 0; first + *n < NRULES && rules[first + *n].set == set;) ++*n;
    return rules + first;
}

/* Minutes ahead at a time: those of the set's last change before it. */
static int ahead_at(enum rule_set which, int minutes, int64_t unix_s)
{
    size_t n;
    const struct rule *set = rules_of(which, &n);
    int year, month, day, ahead = 0;
    int64_t latest = INT64_MIN;
    date_to_ymd(floor_div(unix_s + minutes * INT64_C(60), DAY_S), &year, &month, &day);
    for (size_t i = 0; i < n; i++) {
        int top = set[i].last < year ? set[i].last : year;
        for (int y = top < set[i].last ? top + 1 : top; y >= set[i].first && y >= top - 1; y--) {
            if (y >= EVER_YEAR) continue;                /* the calendar ends: the change of that year does not happen */
            int64_t t = rule_moment(set, n, &set[i], y, minutes);
            if (t > unix_s) continue;
            if (t > latest) { latest = t; ahead = set[i].ahead; }
            break;
        }
    }
    return ahead;
}

int zone_offset(int zone, int64_t unix_ms)
{
    int64_t unix_s = floor_div(unix_ms, 1000);
    ASSERT(zone >= 0 && zone < PLACES);
    for (size_t i = 0; i < NERAS; i++) {
        if (eras[i].place != zone || unix_s >= eras[i].end) continue;
        bool fixed = eras[i].rules == RULES_NONE || unix_s < 0;      /* the rules are whole from 1970 on */
        return eras[i].minutes + (fixed ? 0 : ahead_at((enum rule_set)eras[i].rules, eras[i].minutes, unix_s));
    }
    check_failed("a zone without an end", __FILE__, __LINE__);
}

int64_t zone_instant(int zone, int64_t local_ms)
{
    const int64_t day_ms = DAY_S * INT64_C(1000), minute_ms = 60000;
    int before = zone_offset(zone, local_ms - day_ms), behind = zone_offset(zone, local_ms + day_ms);
    int64_t t = local_ms - before * minute_ms, u = local_ms - behind * minute_ms;
    if (zone_offset(zone, t) == before || zone_offset(zone, u) != behind) return t;
    return u;
}
