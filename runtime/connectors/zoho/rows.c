/* rows.c - records as JSON, both ways (facts/zoho-crm.md 4.1, 4.5, 5). Numbers keep every digit: they are never doubles.
 *
 *     out  {"data":[{"id":"..","Field":value,...},...],"trigger":[]}
 *          lines: "Ordered_Items":[{"id":"..","Quantity":2},{"id":"..","_delete":null},{"Quantity":1}]      changed, taken out, new (facts 6)
 *     in   {"data":[{"id":"..","Field":value,...},...],"info":{"more_records":bool,...}}
 *
 * What a JSON value becomes depends on the field's data_type, where the metadata is at hand: "2026-03-12" is a date only in a date field. */
#include "connectors/zoho/zoho.h"
#include "value/date.h"
#include "value/decimal.h"
#include "value/json.h"

/* ---- out ---- */

/* A row's columns; what is absent is left out of a new row and cleared in one that is there. */
static void put_line(struct buf *out, const struct list *l, const struct list_line *line)
{
    bool there = l->nfields && str_is(l->names[0], "id") && value_present(&line->fields[0]), first = true;
    bool gone = l->nfields > 1 && str_is(l->names[1], "_delete") && value_present(&line->fields[1]);
    buf_byte(out, '{');
    for (size_t k = 0; k < l->nfields; k++) {
        const struct value *v = &line->fields[k];
        bool id = str_is(l->names[k], "id"), mark = str_is(l->names[k], "_delete");
        if (id ? !there : mark ? !gone : gone || (!there && !value_present(v))) continue;
        if (!first) buf_byte(out, ',');
        first = false;
        json_put_string(out, l->names[k]);
        buf_byte(out, ':');
        if (id) json_put_string(out, value_str(v));
        else if (mark) buf_puts(out, "null");
        else value_json(out, v);
    }
    buf_byte(out, '}');
}

static void put_value(struct buf *out, const struct value *v)
{
    if (v->kind != V_LIST) {
        value_json(out, v);
        return;
    }
    buf_byte(out, '[');
    for (size_t i = 0; i < v->u.list->nlines; i++) {
        if (i) buf_byte(out, ',');
        put_line(out, v->u.list, &v->u.list->lines[i]);
    }
    buf_byte(out, ']');
}

static void put_record(struct buf *out, const struct write_item *it, bool update)
{
    bool first = true;
    buf_byte(out, '{');
    if (update) {
        buf_puts(out, "\"id\":");
        json_put_string(out, it->id);
        first = false;
    }
    for (size_t i = 0; i < it->fields->n; i++) {
        const struct record_field *f = &it->fields->f[i];
        ASSERT(f->v.kind != V_LINK);
        if (str_is(f->name, "id")) continue;
        if (!first) buf_byte(out, ',');
        first = false;
        json_put_string(out, f->name);
        buf_byte(out, ':');
        put_value(out, &f->v);
    }
    buf_byte(out, '}');
}

void zoho__put_batch(struct buf *out, const struct write_batch *b)
{
    buf_puts(out, "{\"data\":[");
    for (size_t i = 0; i < b->n; i++) {
        if (i) buf_byte(out, ',');
        put_record(out, &b->items[i], b->verb == WRITE_UPDATE);
    }
    const struct { bool on; const char *word; } triggers[] = {{b->trigger_workflow, "workflow"}, {b->trigger_approval, "approval"}, {b->trigger_blueprint, "blueprint"}};
    bool first = true;
    buf_puts(out, "],\"trigger\":[");
    for (size_t i = 0; i < sizeof triggers / sizeof *triggers; i++) {
        if (!triggers[i].on) continue;
        buf_printf(out, "%s\"%s\"", first ? "" : ",", triggers[i].word);
        first = false;
    }
    buf_puts(out, "]}");
}

/* ---- in ---- */

struct reading { struct json_scanner s; const struct zoho_module *m; struct arena *a; struct str id; bool in_line; };

static struct value typed_text(const struct reading *r, struct str name, struct str text)
{
    const struct zoho_field *f = r->m && !r->in_line ? zoho__field(r->m, name) : NULL;      /* a line's texts are compared as texts */
    struct value v;
    if (!f || !text.n || str_is(name, "id")) return value_text(text);      /* ids are texts, whatever their type is called */
    if (str_is(f->data_type, "date") && date_parse(text, &v)) return v;
    if (str_is(f->data_type, "datetime") && datetime_parse(text, &v)) return v;
    bool number = str_is(f->data_type, "bigint") || str_is(f->data_type, "long") || str_is(f->data_type, "integer") ||
                  str_is(f->data_type, "double") || str_is(f->data_type, "currency") || str_is(f->data_type, "percent");
    if (number && decimal_parse(text, &v)) return v;
    return value_text(text);
}

/* {"id":"..",...} is a link; any other object or list is kept as its JSON text, so that a comparison sees that it is not what we write. */
static bool read_object(struct reading *r, const char *start, struct value *out)
{
    struct str id = {"", 0};
    enum json_token t;
    while ((t = json_next(&r->s)) == JSON_NAME) {
        bool is_id = str_is(r->s.text, "id");
        t = json_next(&r->s);
        if (is_id && t == JSON_STRING) id = r->s.text;
        else if (!json_skip(&r->s, t)) return false;
    }
    if (t != JSON_OBJECT_END) return false;
    *out = id.n ? (struct value){.kind = V_ID, .len = (uint32_t)id.n, .u.text = id.p}
                : value_text((struct str){start, (size_t)(r->s.p - start)});
    return true;
}

static bool read_lines(struct reading *r, struct value *out);

static bool holds_lines(const struct reading *r, struct str name)
{
    const struct zoho_field *f = r->m && !r->in_line ? zoho__field(r->m, name) : NULL;
    return f && str_is(f->data_type, "subform");
}

static bool read_value(struct reading *r, struct str name, struct value *out)
{
    enum json_token t = json_next(&r->s);
    const char *start = r->s.p - 1;
    switch (t) {
    case JSON_NULL: *out = value_absent; return true;
    case JSON_TRUE: case JSON_FALSE: *out = value_bool(t == JSON_TRUE); return true;
    case JSON_STRING: *out = typed_text(r, name, r->s.text); return true;
    case JSON_NUMBER:
        if (!decimal_parse_json(r->s.text, out)) *out = value_text(r->s.text);
        return true;
    case JSON_OBJECT: return read_object(r, start, out);
    case JSON_ARRAY:
        if (holds_lines(r, name)) return read_lines(r, out);
        if (!json_skip(&r->s, t)) return false;
        *out = value_text((struct str){start, (size_t)(r->s.p - start)});
        return true;
    default: return false;
    }
}

/* The rows of a subform behind their opening bracket: a list whose columns are "id" and all that any row names. */
struct columns { struct str name[ZOHO_LINE_COLUMNS]; size_t n; };

static size_t column_at(struct columns *c, struct str name)
{
    size_t k = 0;
    while (k < c->n && !str_eq(c->name[k], name)) k++;
    if (k == c->n && c->n < ZOHO_LINE_COLUMNS) c->name[c->n++] = name;
    return k;
}

static bool read_line(struct reading *r, struct columns *c, struct value *v)
{
    enum json_token t;
    while ((t = json_next(&r->s)) == JSON_NAME) {
        struct value one;
        struct str name = r->s.text;
        if (!read_value(r, name, &one)) return false;
        size_t k = column_at(c, name);
        if (k == 0 && one.kind == V_TEXT) one.kind = V_ID;
        if (k < ZOHO_LINE_COLUMNS) v[k] = one;
    }
    return t == JSON_OBJECT_END && v[0].kind == V_ID;
}

static bool read_lines(struct reading *r, struct value *out)
{
    struct columns c = {{STR("id")}, 1};
    struct list_line *lines = NULL;
    size_t n = 0, cap = 0;
    enum json_token t;
    bool good = true;
    r->in_line = true;
    while (good && (t = json_next(&r->s)) == JSON_OBJECT) {
        if (n == cap) {
            cap = cap ? cap * 2 : 16;
            struct list_line *grown = ARENA_ARRAY(r->a, struct list_line, cap);
            if (n) memcpy(grown, lines, n * sizeof *grown);
            lines = grown;
        }
        struct value *v = ARENA_ARRAY(r->a, struct value, ZOHO_LINE_COLUMNS);
        for (size_t k = 0; k < ZOHO_LINE_COLUMNS; k++) v[k] = value_absent;
        good = read_line(r, &c, v);
        lines[n++] = (struct list_line){value_absent, v};
    }
    r->in_line = false;
    if (!good || t != JSON_ARRAY_END) return false;
    struct str *names = ARENA_ARRAY(r->a, struct str, c.n);
    struct list *l = ARENA_NEW(r->a, struct list);
    memcpy(names, c.name, c.n * sizeof *names);
    *l = (struct list){names, lines, (uint32_t)n, (uint16_t)c.n};
    *out = n ? (struct value){.kind = V_LIST, .u.list = l} : value_absent;
    return true;
}

static bool read_row(struct reading *r, struct zoho_row *row)
{
    struct record_field fields[LIMIT_FIELDS];
    size_t n = 0;
    enum json_token t;
    row->id = (struct str){"", 0};
    while ((t = json_next(&r->s)) == JSON_NAME) {
        struct str name = r->s.text;
        struct value v;
        if (!read_value(r, name, &v)) return false;
        if (str_is(name, "id") && v.kind != V_ABSENT && (v.kind == V_TEXT || v.kind == V_ID)) row->id = value_str(&v);
        if (n < LIMIT_FIELDS) fields[n++] = (struct record_field){name, v};
    }
    if (t != JSON_OBJECT_END || !row->id.n) return false;
    row->fields.f = ARENA_ARRAY(r->a, struct record_field, n);      /* the id, at least */
    memcpy(row->fields.f, fields, n * sizeof *fields);
    row->fields.n = n;
    return true;
}

static bool read_data(struct reading *r, struct zoho_rows *out)
{
    size_t cap = 0;
    enum json_token t = json_next(&r->s);
    if (t != JSON_ARRAY) return false;       /* nothing found is 204, or an empty list: whatever else this is, it does not say that there is nothing */
    while ((t = json_next(&r->s)) == JSON_OBJECT) {
        if (out->n == cap) {
            struct zoho_row *grown = ARENA_ARRAY(r->a, struct zoho_row, cap ? cap * 2 : 64);
            if (out->n) memcpy(grown, out->row, out->n * sizeof *grown);
            out->row = grown;
            cap = cap ? cap * 2 : 64;
        }
        if (!read_row(r, &out->row[out->n])) return false;
        out->n++;
    }
    return t == JSON_ARRAY_END;
}

static bool read_info(struct reading *r, struct zoho_rows *out)
{
    enum json_token t = json_next(&r->s);
    if (t != JSON_OBJECT) return json_skip(&r->s, t);
    while ((t = json_next(&r->s)) == JSON_NAME) {
        bool more = str_is(r->s.text, "more_records");
        t = json_next(&r->s);
        if (more && t == JSON_TRUE) out->more = true;
        if (!json_skip(&r->s, t)) return false;
    }
    return t == JSON_OBJECT_END;
}

enum err zoho__get_rows(struct str body, const struct zoho_module *m, struct arena *a, struct zoho_rows *out, struct fault *f)
{
    struct reading r = {.m = m, .a = a};
    *out = (struct zoho_rows){NULL, 0, false};
    if (!body.n) return ERR_OK;                        /* 204 */
    json_init(&r.s, body, a);
    bool good = json_next(&r.s) == JSON_OBJECT, data = false;
    enum json_token t = JSON_ERROR;
    while (good && (t = json_next(&r.s)) == JSON_NAME) {
        if (str_is(r.s.text, "data")) data = good = read_data(&r, out);
        else if (str_is(r.s.text, "info")) good = read_info(&r, out);
        else good = json_skip(&r.s, json_next(&r.s));
    }
    if (good && data && t == JSON_OBJECT_END && json_next(&r.s) == JSON_END) return ERR_OK;
    return fault_set(f, ERR_PROTOCOL, "Zoho's list of records cannot be read%s%s", r.s.error[0] ? ": " : "", r.s.error);
}
