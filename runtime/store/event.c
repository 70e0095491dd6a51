/* event.c - tag, varint length, bytes. */
#include "store/event.h"
#include "base/check.h"

static const struct { const char *name; enum event_form form; } tags[EV_TAG_LIMIT] = {
#define TAG(name, number, form) [number] = {#name, EVENT_##form},
#include "store/event.def"
#undef TAG
};

void event_put(struct buf *out, enum event_tag tag, struct str s)
{
    buf_byte(out, (unsigned char)tag);
    buf_blob(out, s);
}

void event_put_text(struct buf *out, enum event_tag tag, const char *s)
{
    event_put(out, tag, str_of(s));
}

void event_put_int(struct buf *out, enum event_tag tag, int64_t v)
{
    char le[8];
    for (int i = 0; i < 8; i++) le[i] = (char)((uint64_t)v >> (8 * i));
    event_put(out, tag, (struct str){le, sizeof le});
}

bool event_read(struct event_tags *ev, struct str part)
{
    struct reader r = reader_of(part);
    while (r.p != r.end) {
        unsigned tag = read_u8(&r);
        struct str s = read_blob(&r);
        if (r.bad) break;
        if (tag < EV_TAG_LIMIT && tags[tag].name) ev->v[tag] = s;
    }
    return !r.bad;
}

int64_t event_int(const struct event_tags *ev, enum event_tag tag, int64_t fallback)
{
    if (ev->v[tag].n != 8) return fallback;
    struct reader r = reader_of(ev->v[tag]);
    return (int64_t)read_u64(&r);
}

const char *event_tag_name(unsigned tag) { return tag < EV_TAG_LIMIT ? tags[tag].name : NULL; }

enum event_form event_tag_form(unsigned tag)
{
    ASSERT(tag < EV_TAG_LIMIT && tags[tag].name);
    return tags[tag].form;
}
