/* file_value.c - see file_value.h. A list in the file: "Lines":[{"id":"7.1","Quantity":2},{"id":"7.3","Quantity":1}], always as it stands after the
 * operation, so that the last line that names a field says all of it. */
#include "connectors/file/file_value.h"
#include "base/limits.h"
#include "value/decimal.h"
#include <stdlib.h>

enum { COLUMNS_MAX = 100 };
struct columns { struct str name[COLUMNS_MAX]; size_t n; };

/* The column's number, a new one when it is new; COLUMNS_MAX: too many. */
static size_t column(struct columns *c, struct str name)
{
    size_t k = 0;
    while (k < c->n && !str_eq(c->name[k], name)) k++;
    if (k == c->n && k < COLUMNS_MAX) c->name[c->n++] = name;
    return k;
}

static struct value *row_new(struct arena *a)
{
    struct value *v = ARENA_ARRAY(a, struct value, COLUMNS_MAX);
    for (size_t k = 0; k < COLUMNS_MAX; k++) v[k] = value_absent;
    return v;
}

static struct value list_of(const struct columns *c, const struct list_line *lines, size_t n, struct arena *a)
{
    if (n == 0) return value_absent;
    struct str *names = ARENA_ARRAY(a, struct str, c->n);
    struct list *l = ARENA_NEW(a, struct list);
    memcpy(names, c->name, c->n * sizeof *names);
    *l = (struct list){names, lines, (uint32_t)n, (uint16_t)c->n};
    return (struct value){.kind = V_LIST, .u.list = l};
}

/* {"id":"..."} behind its opening brace. */
static bool read_id(struct json_scanner *s, struct value *out)
{
    if (json_next(s) != JSON_NAME || !str_is(s->text, "id") || json_next(s) != JSON_STRING || s->text.n == 0) return false;
    *out = value_text(s->text);
    out->kind = V_ID;
    return json_next(s) == JSON_OBJECT_END;
}

static bool read_plain(struct json_scanner *s, enum json_token t, struct value *out)
{
    switch (t) {
    case JSON_NULL:   *out = value_absent; return true;
    case JSON_TRUE:   *out = value_bool(true); return true;
    case JSON_FALSE:  *out = value_bool(false); return true;
    case JSON_STRING: *out = value_text(s->text); return true;
    case JSON_NUMBER: return decimal_parse_json(s->text, out);
    case JSON_OBJECT: return read_id(s, out);
    default:          return false;
    }
}

static bool read_row(struct json_scanner *s, struct columns *c, struct value *v)
{
    enum json_token t;
    while ((t = json_next(s)) == JSON_NAME) {
        size_t k = column(c, s->text);
        if (k == COLUMNS_MAX || !read_plain(s, json_next(s), &v[k])) return false;
    }
    return t == JSON_OBJECT_END && value_present(&v[0]);
}

static bool read_list(struct json_scanner *s, struct arena *a, struct value *out)
{
    struct columns c = {{STR("id")}, 1};
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, LIMIT_LINES);
    size_t n = 0;
    enum json_token t;
    while ((t = json_next(s)) == JSON_OBJECT) {
        struct value *v = row_new(a);
        if (n == LIMIT_LINES || !read_row(s, &c, v)) return false;
        if (v[0].kind == V_TEXT) v[0].kind = V_ID;
        lines[n++] = (struct list_line){value_absent, v};
    }
    *out = list_of(&c, lines, n, a);
    return t == JSON_ARRAY_END && n > 0;      /* no rows are written as null */
}

bool file_value_read(struct json_scanner *s, struct arena *a, struct value *out)
{
    enum json_token t = json_next(s);
    return t == JSON_ARRAY ? read_list(s, a, out) : read_plain(s, t, out);
}

/* ---- merging ---- */
static void take_rows(const struct value *have, struct columns *c, struct list_line *lines, size_t *n, struct arena *a)
{
    for (size_t i = 0; have->kind == V_LIST && i < have->u.list->nlines && *n < LIMIT_LINES; i++) {
        struct value *v = row_new(a);
        for (size_t k = 0; k < have->u.list->nfields; k++) {
            size_t at = column(c, have->u.list->names[k]);
            if (at < COLUMNS_MAX) v[at] = have->u.list->lines[i].fields[k];
        }
        v[0].kind = V_TEXT;                              /* "id":"7.1" in the file */
        lines[(*n)++] = (struct list_line){value_absent, v};
    }
}

/* Numbers of rows never come again while a higher one stands there. */
static struct value new_id(const struct list_line *lines, size_t n, struct str record, struct arena *a)
{
    int64_t most = 0, one;
    for (size_t i = 0; i < n; i++) {
        struct str id = value_str(&lines[i].fields[0]);
        bool ours = id.n > record.n + 1 && str_starts(id, record);
        if (ours && str_to_i64((struct str){id.p + record.n + 1, id.n - record.n - 1}, &one) && one > most) most = one;
    }
    return value_text(str_of(arena_printf(a, "%.*s.%lld", (int)record.n, record.p, (long long)most + 1)));
}

bool file_value_merge(const struct value *have, const struct value *in, struct str record, struct arena *a, struct value *out)
{
    struct columns c = {{STR("id")}, 1};
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, LIMIT_LINES);
    const struct list *l = in->u.list;
    size_t n = 0, own = l->nfields && str_is(l->names[0], "id") ? 2 : 0;
    take_rows(have, &c, lines, &n, a);
    for (size_t i = 0; i < l->nlines; i++) {
        const struct value *given = l->lines[i].fields, none = value_absent, *id = own ? &given[0] : &none;
        size_t r = 0;
        while (r < n && !(value_present(id) && str_eq(value_str(&lines[r].fields[0]), value_str(id)))) r++;
        if (r == n && (value_present(id) || n == LIMIT_LINES)) return false;
        if (own && value_present(&given[1])) {
            memmove(&lines[r], &lines[r + 1], (--n - r) * sizeof *lines);
            continue;
        }
        struct value *v = row_new(a);
        if (r < n) memcpy(v, lines[r].fields, COLUMNS_MAX * sizeof *v);
        else v[0] = new_id(lines, n++, record, a);
        for (size_t k = own; k < l->nfields; k++) {
            size_t at = column(&c, l->names[k]);
            if (at < COLUMNS_MAX) v[at] = given[k];
        }
        lines[r] = (struct list_line){value_absent, v};
    }
    *out = list_of(&c, lines, n, a);
    return true;
}
