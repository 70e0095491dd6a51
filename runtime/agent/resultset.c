/* resultset.c - the strings of nGetResultSets, item by item (facts/sage-100.md 4.4).
 *
 *   1e FIELD 1f FIELD 8a 1e FIELD 1f FIELD 8a        8a is Sage's, 1e and 1f stand in our expressions
 *
 * An item ends at 8a followed by 1e, or at the end of the string, where one trailing 8a is dropped. So a text that holds a real 0x8A ('S' with caron)
 * stays whole. A text with 1e or 1f in it shows as a wrong number of fields, and the row is read again value by value. */
#include "agent/private.h"

struct agent__items agent__items_of(struct str text)
{
    if (text.n && text.p[text.n - 1] == AGENT__SEP) text.n--;
    return (struct agent__items){text, text.n && text.p[0] != AGENT__ITEM};
}

bool agent__items_next(struct agent__items *it, struct str *item)
{
    if (it->bad || it->rest.n == 0) return false;
    struct str s = {it->rest.p + 1, it->rest.n - 1};
    const char *from = s.p, *end = s.p + s.n, *stop;
    for (;;) {
        stop = from < end ? memchr(from, AGENT__SEP, (size_t)(end - from)) : NULL;
        if (!stop) {
            *item = s;
            it->rest = (struct str){end, 0};
            return true;
        }
        if (stop + 1 < end && stop[1] == AGENT__ITEM) break;
        from = stop + 1;
    }
    *item = (struct str){s.p, (size_t)(stop - s.p)};
    it->rest = (struct str){stop + 1, (size_t)(end - stop - 1)};
    return true;
}

size_t agent__fields(struct str item, struct str *out, size_t max)
{
    for (size_t n = 0;; n++) {
        const char *stop = item.n ? memchr(item.p, AGENT__FIELD, item.n) : NULL;
        size_t len = stop ? (size_t)(stop - item.p) : item.n;
        if (n < max) out[n] = (struct str){item.p, len};
        if (!stop) return n + 1;
        item = (struct str){stop + 1, item.n - len - 1};
    }
}
