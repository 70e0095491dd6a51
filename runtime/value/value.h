/* value.h - the one value type that schemas, vm, connectors and snapshots share. 32 bytes, passed by pointer, owns nothing:
 * text and lists live in the arena or image they came from. Absent is a kind of its own; no text is ever "". */
#ifndef VALUE_VALUE_H
#define VALUE_VALUE_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/err.h"

__extension__ typedef __int128 i128;

enum value_kind {
    V_ABSENT,    /* no value; a blank Sage string, a JSON null */
    V_BOOL,      /* u.b */
    V_TEXT,      /* u.text, len bytes of valid UTF-8, len > 0 */
    V_DECIMAL,   /* u.coef / 10^scale; see decimal.h */
    V_DATE,      /* u.i = days since 1970-01-01 */
    V_LOCAL,     /* u.i = milliseconds since 1970-01-01T00:00 of a wall clock without zone */
    V_INSTANT,   /* u.i = Unix milliseconds */
    V_LINK,      /* u.link: a reference still to be resolved by sync */
    V_ID,        /* text of a target-system id that a link was resolved to; u.text, len; a JSON {"id":"..."} on the wire */
    V_LIST       /* u.list: rows inside a record, such as the lines of an order; never empty */
};
struct value;
struct link {               /* what `find` and `ref` leave the vm as */
    uint16_t site;          /* index into the image's link sites of the flow */
    uint16_t nargs;
    const struct value *args;
};
struct list;
struct value {
    union {
        struct {
            uint8_t kind;   /* enum value_kind */
            uint8_t scale;  /* V_DECIMAL only */
            uint16_t spare;
            uint32_t len;   /* V_TEXT, V_ID only */
        };
        uint64_t head;      /* all of these at once: written as one word they are soon read again without a wait */
    };
    union { bool b; const char *text; i128 coef; int64_t i; const struct link *link; const struct list *list; } u;
};

struct list_line {          /* key: what the line is known by, a text, or absent in a source that has none; fields: one for each name, none a list */
    struct value key;
    const struct value *fields;
};
struct list { const struct str *names; const struct list_line *lines; uint32_t nlines; uint16_t nfields; };

extern const struct value value_absent;
static inline bool value_present(const struct value *v) { return v->kind != V_ABSENT; }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define VALUE_HEAD(kind, scale, len) ((uint64_t)(kind) | (uint64_t)(scale) << 8 | (uint64_t)(len) << 32)
#else
#define VALUE_HEAD(kind, scale, len) ((uint64_t)(kind) << 56 | (uint64_t)(scale) << 48 | (uint64_t)(len))
#endif
static inline struct value value_bool(bool b) { return (struct value){.head = VALUE_HEAD(V_BOOL, 0, 0), .u.b = b}; }
/* Empty text becomes absent. The bytes stay the caller's. */
static inline struct value value_text(struct str s)
{
    ASSERT(s.n <= UINT32_MAX);
    return s.n == 0 ? (struct value){.head = 0} : (struct value){.head = VALUE_HEAD(V_TEXT, 0, s.n), .u.text = s.p};
}
static inline struct value value_decimal(i128 coef, unsigned scale) { return (struct value){.head = VALUE_HEAD(V_DECIMAL, (uint8_t)scale, 0), .u.coef = coef}; }
static inline struct str value_str(const struct value *v) { return (struct str){v->u.text, v->len}; }

/* Total equality: absent == absent, decimals by number not by scale (1.50 == 1.5), texts by bytes; different kinds differ. */
bool value_equal(const struct value *a, const struct value *b);
/* <0, 0, >0 for two present decimals, dates, locals or instants of one kind (no order for text). */
int value_compare(const struct value *a, const struct value *b);
/* As people write it: Active, 12.50, 2026-03-12, true; absent as "(none)"; used by show, plan, why. */
void value_print(struct buf *out, const struct value *v);
struct str value_printed(const struct value *v, struct arena *a);
/* As JSON: text, true, number with its scale, "YYYY-MM-DD", ISO instant "2026-03-12T22:41:07+00:00" (facts/zoho-crm.md 5),
 * local "YYYY-MM-DDTHH:MM:SS", null, {"id":"..."}; a link as {"find":site,"args":[...]} and a list as [{"@key":"...","Name":value}] (only in eval and logs). */
void value_json(struct buf *out, const struct value *v);
/* Deep copy into an arena (text, link args, lines). */
struct value value_copy(struct arena *a, const struct value *v);

/* Binary codec for frames and rows: kind byte, payload; deterministic (equal values of one scale give equal bytes). */
void value_encode(struct buf *out, const struct value *v);
/* Texts point into the reader's bytes; link args and lines come from the arena. Sets r->bad on damage. */
struct value value_decode(struct reader *r, struct arena *a);
#endif
