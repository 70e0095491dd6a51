/* value.c - equality, printing and the binary codec of the one value type.
 *
 * Codec, one value:   kind byte, then
 *   ABSENT -            BOOL 00|01           TEXT, ID  varint length, bytes (valid UTF-8, not empty)
 *   DECIMAL             scale byte, count byte n (0..16), n little-endian bytes of the zigzag coefficient, the last not 0
 *   DATE LOCAL INSTANT  varint of the zigzag count
 *   LINK                varint site, varint nargs, that many values, none of them a link
 *   LIST                varint lines (not 0), varint fields, their names; then per line its key and its fields, none of them a list
 * The same value at the same scale always gives the same bytes. */
#include "value/value.h"
#include "base/check.h"
#include "value/date.h"
#include "value/decimal.h"
#include "value/json.h"

__extension__ typedef unsigned __int128 u128;
enum { LINK_ARGS_MAX = 64, LIST_FIELDS_MAX = 1000 };

const struct value value_absent = {.kind = V_ABSENT};

static bool link_equal(const struct link *a, const struct link *b)
{
    if (a->site != b->site || a->nargs != b->nargs) return false;
    for (size_t i = 0; i < a->nargs; i++)
        if (!value_equal(&a->args[i], &b->args[i])) return false;
    return true;
}

static bool list_equal(const struct list *a, const struct list *b)
{
    if (a->nlines != b->nlines || a->nfields != b->nfields) return false;
    for (size_t k = 0; k < a->nfields; k++)
        if (!str_eq(a->names[k], b->names[k])) return false;
    for (size_t i = 0; i < a->nlines; i++) {
        if (!value_equal(&a->lines[i].key, &b->lines[i].key)) return false;
        for (size_t k = 0; k < a->nfields; k++)
            if (!value_equal(&a->lines[i].fields[k], &b->lines[i].fields[k])) return false;
    }
    return true;
}

/* Codes are short, and then no call is worth its while. */
static inline bool same_bytes(const char *a, const char *b, size_t n)
{
    if (n - 1 > 2) return memcmp(a, b, n) == 0;
    return (a[0] == b[0]) & (a[n / 2] == b[n / 2]) & (a[n - 1] == b[n - 1]);
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind) return false;
    switch ((enum value_kind)a->kind) {
    case V_ABSENT:  return true;
    case V_BOOL:    return a->u.b == b->u.b;
    case V_TEXT:
    case V_ID:      return a->len == b->len && same_bytes(a->u.text, b->u.text, a->len);
    case V_DECIMAL: return decimal_compare(a, b) == 0;
    case V_DATE:
    case V_LOCAL:
    case V_INSTANT: return a->u.i == b->u.i;
    case V_LINK:    return link_equal(a->u.link, b->u.link);
    case V_LIST:    return list_equal(a->u.list, b->u.list);
    }
    check_failed("unknown value kind", __FILE__, __LINE__);
}

int value_compare(const struct value *a, const struct value *b)
{
    ASSERT(a->kind == b->kind);
    if (a->kind == V_DECIMAL) return decimal_compare(a, b);
    ASSERT(a->kind == V_DATE || a->kind == V_LOCAL || a->kind == V_INSTANT);
    return (a->u.i > b->u.i) - (a->u.i < b->u.i);
}

/* ---- for people and as JSON ---- */

static void put_datetime(struct buf *out, int64_t ms, bool with_ms, const char *zone)
{
    char text[DATETIME_BYTES];
    buf_put(out, text, datetime_write(text, ms, with_ms));
    buf_puts(out, zone);
}

static void put_link(struct buf *out, const struct link *l)
{
    buf_printf(out, "{\"find\":%u,\"args\":[", (unsigned)l->site);
    for (size_t i = 0; i < l->nargs; i++) {
        if (i > 0) buf_byte(out, ',');
        value_json(out, &l->args[i]);
    }
    buf_puts(out, "]}");
}

/* For people: 000001 (Quantity 2, List_Price 9.50); 000002 (...). */
static void print_list(struct buf *out, const struct list *l)
{
    for (size_t i = 0; i < l->nlines; i++) {
        if (i > 0) buf_puts(out, "; ");
        if (value_present(&l->lines[i].key)) {
            value_print(out, &l->lines[i].key);
            buf_byte(out, ' ');
        }
        buf_byte(out, '(');
        for (size_t k = 0; k < l->nfields; k++) {
            buf_printf(out, "%s%.*s ", k ? ", " : "", (int)l->names[k].n, l->names[k].p);
            value_print(out, &l->lines[i].fields[k]);
        }
        buf_byte(out, ')');
    }
}

static void put_list(struct buf *out, const struct list *l)
{
    buf_byte(out, '[');
    for (size_t i = 0; i < l->nlines; i++) {
        bool first = !value_present(&l->lines[i].key);
        buf_puts(out, i ? ",{" : "{");
        if (!first) {
            buf_puts(out, "\"@key\":");
            value_json(out, &l->lines[i].key);
        }
        for (size_t k = 0; k < l->nfields; k++) {
            if (!first) buf_byte(out, ',');
            first = false;
            json_put_string(out, l->names[k]);
            buf_byte(out, ':');
            value_json(out, &l->lines[i].fields[k]);
        }
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}

void value_print(struct buf *out, const struct value *v)
{
    switch ((enum value_kind)v->kind) {
    case V_ABSENT:  buf_puts(out, "(none)"); return;
    case V_BOOL:    buf_puts(out, v->u.b ? "true" : "false"); return;
    case V_TEXT:
    case V_ID:      buf_str(out, value_str(v)); return;
    case V_DECIMAL: decimal_print(out, v); return;
    case V_DATE:    date_print(out, v->u.i); return;
    case V_LOCAL:   put_datetime(out, v->u.i, true, ""); return;
    case V_INSTANT: put_datetime(out, v->u.i, true, "Z"); return;
    case V_LINK:    put_link(out, v->u.link); return;
    case V_LIST:    print_list(out, v->u.list); return;
    }
    check_failed("unknown value kind", __FILE__, __LINE__);
}

struct str value_printed(const struct value *v, struct arena *a)
{
    struct buf b = {0};
    value_print(&b, v);
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

void value_json(struct buf *out, const struct value *v)
{
    switch ((enum value_kind)v->kind) {
    case V_ABSENT:  buf_puts(out, "null"); return;
    case V_BOOL:    buf_puts(out, v->u.b ? "true" : "false"); return;
    case V_TEXT:    json_put_string(out, value_str(v)); return;
    case V_DECIMAL: decimal_print(out, v); return;
    case V_DATE:    buf_byte(out, '"'); date_print(out, v->u.i); buf_byte(out, '"'); return;
    case V_LOCAL:   buf_byte(out, '"'); put_datetime(out, v->u.i, false, "\""); return;
    case V_INSTANT: buf_byte(out, '"'); put_datetime(out, v->u.i, false, "+00:00\""); return;
    case V_ID:      buf_puts(out, "{\"id\":"); json_put_string(out, value_str(v)); buf_byte(out, '}'); return;
    case V_LINK:    put_link(out, v->u.link); return;
    case V_LIST:    put_list(out, v->u.list); return;
    }
    check_failed("unknown value kind", __FILE__, __LINE__);
}

static const struct list *list_copy(struct arena *a, const struct list *from)
{
    struct list *l = ARENA_NEW(a, struct list);
    struct str *names = ARENA_ARRAY(a, struct str, from->nfields);
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, from->nlines);
    for (size_t k = 0; k < from->nfields; k++) names[k] = (struct str){arena_copy(a, from->names[k].p, from->names[k].n), from->names[k].n};
    for (size_t i = 0; i < from->nlines; i++) {
        struct value *fields = ARENA_ARRAY(a, struct value, from->nfields);
        for (size_t k = 0; k < from->nfields; k++) fields[k] = value_copy(a, &from->lines[i].fields[k]);
        lines[i] = (struct list_line){value_copy(a, &from->lines[i].key), fields};
    }
    *l = (struct list){names, lines, from->nlines, from->nfields};
    return l;
}

struct value value_copy(struct arena *a, const struct value *v)
{
    struct value c = *v;
    if (v->kind == V_TEXT || v->kind == V_ID) c.u.text = arena_copy(a, v->u.text, v->len);
    if (v->kind == V_LINK) {
        const struct link *from = v->u.link;
        struct value *args = ARENA_ARRAY(a, struct value, from->nargs);
        for (size_t i = 0; i < from->nargs; i++) args[i] = value_copy(a, &from->args[i]);
        struct link *l = ARENA_NEW(a, struct link);
        *l = (struct link){from->site, from->nargs, args};
        c.u.link = l;
    }
    if (v->kind == V_LIST) c.u.list = list_copy(a, v->u.list);
    return c;
}

/* ---- codec ---- */

static uint64_t zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0); }
static int64_t unzigzag(uint64_t z)
{
    uint64_t u = (z >> 1) ^ ((z & 1) ? UINT64_MAX : 0);
    int64_t v;
    memcpy(&v, &u, sizeof v);
    return v;
}

static void put_coefficient(struct buf *out, i128 c)
{
    u128 z = c < 0 ? (((u128)0 - (u128)c) << 1) - 1 : (u128)c << 1;
    unsigned char b[16];
    unsigned char n = 0;
    for (; z != 0; z >>= 8) b[n++] = (unsigned char)(z & 0xff);
    buf_byte(out, n);
    buf_put(out, b, n);
}

static i128 get_coefficient(struct reader *r)
{
    unsigned n = read_u8(r);
    u128 z = 0;
    if (n > 16) { r->bad = true; return 0; }
    for (unsigned i = 0; i < n; i++) {
        unsigned b = read_u8(r);
        if (i + 1 == n && b == 0) r->bad = true;
        z |= (u128)b << (8 * i);
    }
    i128 half = (i128)(z >> 1);
    i128 c = (z & 1) ? -half - 1 : half;
    if (c >= decimal_pow10(38) || c <= -decimal_pow10(38)) { r->bad = true; return 0; }
    return c;
}

static void encode_list(struct buf *out, const struct list *l)
{
    buf_varint(out, l->nlines);
    buf_varint(out, l->nfields);
    for (size_t k = 0; k < l->nfields; k++) buf_blob(out, l->names[k]);
    for (size_t i = 0; i < l->nlines; i++) {
        value_encode(out, &l->lines[i].key);
        for (size_t k = 0; k < l->nfields; k++) value_encode(out, &l->lines[i].fields[k]);
    }
}

void value_encode(struct buf *out, const struct value *v)
{
    buf_byte(out, v->kind);
    switch ((enum value_kind)v->kind) {
    case V_ABSENT:  return;
    case V_BOOL:    buf_byte(out, v->u.b); return;
    case V_TEXT:
    case V_ID:      buf_blob(out, value_str(v)); return;
    case V_DECIMAL: buf_byte(out, v->scale); put_coefficient(out, v->u.coef); return;
    case V_DATE:
    case V_LOCAL:
    case V_INSTANT: buf_varint(out, zigzag(v->u.i)); return;
    case V_LINK:
        buf_varint(out, v->u.link->site);
        buf_varint(out, v->u.link->nargs);
        for (size_t i = 0; i < v->u.link->nargs; i++) value_encode(out, &v->u.link->args[i]);
        return;
    case V_LIST:    encode_list(out, v->u.list); return;
    }
    check_failed("unknown value kind", __FILE__, __LINE__);
}

static struct value bad_value(struct reader *r) { r->bad = true; return value_absent; }

enum inside { IN_NOTHING, IN_LIST, IN_LINK };       /* a list may hold links, a link nothing but plain values */
static struct value decode(struct reader *r, struct arena *a, enum inside in);

static struct value decode_link(struct reader *r, struct arena *a)
{
    uint64_t site = read_varint(r), nargs = read_varint(r);
    if (r->bad || site > UINT16_MAX || nargs > LINK_ARGS_MAX) return bad_value(r);
    struct value *args = ARENA_ARRAY(a, struct value, nargs);
    for (size_t i = 0; i < nargs; i++) args[i] = decode(r, a, IN_LINK);
    struct link *l = ARENA_NEW(a, struct link);
    *l = (struct link){(uint16_t)site, (uint16_t)nargs, args};
    return (struct value){.kind = V_LINK, .u.link = l};
}

static struct value decode_list(struct reader *r, struct arena *a)
{
    uint64_t nlines = read_varint(r), nfields = read_varint(r), left = (uint64_t)(r->end - r->p);
    /* a name or a value is a byte at least: that bounds what is allocated */
    if (r->bad || nlines == 0 || nfields > LIST_FIELDS_MAX || nlines > left || nfields > left || nlines > left / (1 + nfields)) return bad_value(r);
    struct str *names = ARENA_ARRAY(a, struct str, nfields);
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, nlines);
    for (size_t k = 0; k < nfields; k++) {
        names[k] = read_blob(r);
        if (!str_utf8_valid(names[k])) return bad_value(r);
    }
    for (size_t i = 0; i < nlines && !r->bad; i++) {
        struct value *fields = ARENA_ARRAY(a, struct value, nfields);
        lines[i] = (struct list_line){decode(r, a, IN_LINK), fields};
        for (size_t k = 0; k < nfields && !r->bad; k++) fields[k] = decode(r, a, IN_LIST);
    }
    struct list *l = ARENA_NEW(a, struct list);
    *l = (struct list){names, lines, (uint32_t)nlines, (uint16_t)nfields};
    return (struct value){.kind = V_LIST, .u.list = l};
}

static struct value decode_text(struct reader *r, uint8_t kind)
{
    struct str s = read_blob(r);
    if (r->bad || s.n == 0 || s.n > UINT32_MAX || !str_utf8_valid(s)) return bad_value(r);
    return (struct value){.kind = kind, .len = (uint32_t)s.n, .u.text = s.p};
}

static struct value decode_count(struct reader *r, uint8_t kind)
{
    int64_t i = unzigzag(read_varint(r));
    if (r->bad || !(kind == V_DATE ? date_days_valid(i) : datetime_ms_valid(i))) return bad_value(r);
    return (struct value){.kind = kind, .u.i = i};
}

static struct value decode(struct reader *r, struct arena *a, enum inside in)
{
    uint8_t kind = read_u8(r), b;
    if (r->bad) return value_absent;
    switch (kind) {
    case V_ABSENT:  return value_absent;
    case V_BOOL:    b = read_u8(r); return b > 1 ? bad_value(r) : value_bool(b == 1);
    case V_TEXT:
    case V_ID:      return decode_text(r, kind);
    case V_DECIMAL:
        b = read_u8(r);
        if (b > 12) return bad_value(r);
        return value_decimal(get_coefficient(r), b);
    case V_DATE:
    case V_LOCAL:
    case V_INSTANT: return decode_count(r, kind);
    case V_LINK:    return in != IN_LINK ? decode_link(r, a) : bad_value(r);
    case V_LIST:    return in == IN_NOTHING ? decode_list(r, a) : bad_value(r);
    default:        return bad_value(r);
    }
}

struct value value_decode(struct reader *r, struct arena *a)
{
    struct value v = decode(r, a, IN_NOTHING);
    return r->bad ? value_absent : v;
}
