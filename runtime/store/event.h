/* event.h - the contents of a frame as tagged spans; one table (event.def) for writer, fold and printer. */
#ifndef STORE_EVENT_H
#define STORE_EVENT_H
#include "base/buf.h"

enum event_tag {
#define TAG(name, number, form) EV_##name = number,
#include "store/event.def"
#undef TAG
    EV_TAG_LIMIT = 64
};
enum event_form { EVENT_TEXT, EVENT_INT, EVENT_RECORD, EVENT_KEY, EVENT_BYTES };

/* Spans into the frame's bytes; n == 0 and p == NULL where the tag is not there. */
struct event_tags { struct str v[EV_TAG_LIMIT]; };

void event_put(struct buf *out, enum event_tag tag, struct str s);       /* empty spans are put too */
void event_put_text(struct buf *out, enum event_tag tag, const char *s);
void event_put_int(struct buf *out, enum event_tag tag, int64_t v);
/* Adds the tags of one part; unknown tags are skipped. False on damage. Call once for pub, once for priv, on a zeroed event. */
bool event_read(struct event_tags *ev, struct str part);
static inline bool event_has(const struct event_tags *ev, enum event_tag tag) { return ev->v[tag].p != NULL; }
int64_t event_int(const struct event_tags *ev, enum event_tag tag, int64_t fallback);
const char *event_tag_name(unsigned tag);          /* lower case; NULL when unknown */
enum event_form event_tag_form(unsigned tag);
#endif
