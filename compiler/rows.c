/* rows.c - see rows.h. */
#include "compiler/rows.h"
#include "value/decimal.h"
#include "value/json.h"
#include <stdio.h>

static int column_named(const struct image_flow *f, struct str name)
{
    for (size_t i = 0; i < f->ncolumns; i++)
        if (str_eq(f->columns[i].name, name)) return (int)i;
    return -1;
}

static const char *read_list(const struct image_column *c, struct json_scanner *js, struct arena *a, struct value *out);

/* One JSON value into a value of the column's type; NULL, or what is wrong with it. */
static const char *read_value(const struct image_column *c, struct json_scanner *js, enum json_token t, struct arena *a, struct value *out)
{
    char why[160] = "";
    bool ok = true;
    *out = value_absent;
    if (t == JSON_ARRAY && c->type.base == T_LIST) return read_list(c, js, a, out);
    if (t == JSON_TRUE || t == JSON_FALSE) *out = value_bool(t == JSON_TRUE);
    else if (t == JSON_NUMBER) ok = decimal_parse_json(js->text, out);
    else if (t == JSON_STRING) ok = type_read(&c->type, js->text, out, why, sizeof why);
    else if (t != JSON_NULL) {
        if (!json_skip(js, t)) return NULL;
        ok = false;
    }
    if (ok && type_admits(&c->type, out, why, sizeof why)) {
        /* as a source would deliver it: at the scale of the column */
        if (out->kind == V_DECIMAL) decimal_rescale(out, c->type.scale, out);
        return NULL;
    }
    *out = value_absent;
    return arena_printf(a, "column %.*s %s", (int)c->name.n, c->name.p, why[0] ? why : "is no value of its type");
}

/* The object of one line, behind its brace. */
static const char *read_line(const struct image_column *list, struct json_scanner *js, struct arena *a, struct value *fields)
{
    const struct list_shape *s = list->type.shape;
    const char *bad = NULL;
    enum json_token t;
    while ((t = json_next(js)) == JSON_NAME) {
        uint16_t k = 0;
        while (k < s->n && !str_eq(s->names[k], js->text)) k++;
        t = json_next(js);
        if (k == s->n) {
            if (!json_skip(js, t)) return NULL;
            continue;
        }
        struct image_column one = {s->names[k], s->types[k], false, false};
        const char *why = read_value(&one, js, t, a, &fields[k]);
        if (!bad) bad = why;
    }
    return bad;
}

/* Behind the opening bracket. An empty list is absent. */
static const char *read_list(const struct image_column *c, struct json_scanner *js, struct arena *a, struct value *out)
{
    const struct list_shape *s = c->type.shape;
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, LIMIT_LINES + 1);
    struct list *l = ARENA_NEW(a, struct list);
    const char *bad = NULL;
    char why[160];
    enum json_token t;
    *l = (struct list){s->names, lines, 0, s->n};
    while ((t = json_next(js)) == JSON_OBJECT && l->nlines <= LIMIT_LINES) {
        struct value *fields = ARENA_ARRAY(a, struct value, s->n);
        const char *one = read_line(c, js, a, fields);
        if (one && !bad) bad = arena_printf(a, "column %.*s line %u: %s", (int)c->name.n, c->name.p, (unsigned)l->nlines + 1, one);
        lines[l->nlines++] = (struct list_line){type_line_key(s, fields, a), fields};
    }
    if (t != JSON_ARRAY_END) {
        json_skip(js, t);
        while (t != JSON_ARRAY_END && t != JSON_ERROR && t != JSON_END) t = json_next(js);
        return bad ? bad : arena_printf(a, "column %.*s is no list of at most %d objects", (int)c->name.n, c->name.p, LIMIT_LINES);
    }
    if (l->nlines) *out = (struct value){.kind = V_LIST, .u.list = l};
    if (bad || type_admits(&c->type, out, why, sizeof why)) return bad;
    *out = value_absent;
    return arena_printf(a, "column %.*s %s", (int)c->name.n, c->name.p, why);
}

const char *rows_violation(const struct image_flow *f, const struct value *cols, struct arena *a)
{
    char why[160];
    for (size_t i = 0; i < f->ncolumns; i++)
        if (!type_admits(&f->columns[i].type, &cols[i], why, sizeof why))
            return arena_printf(a, "column %.*s %s", (int)f->columns[i].name.n, f->columns[i].name.p, why);
    return NULL;
}

bool rows_read(const struct image_flow *f, struct str line, struct arena *a, struct value *cols, const char **violation, char *why, size_t why_len)
{
    struct json_scanner js;
    enum json_token t;
    *violation = NULL;
    for (size_t i = 0; i < f->ncolumns; i++) cols[i] = value_absent;
    json_init(&js, line, a);
    t = json_next(&js);
    if (t != JSON_OBJECT) {
        snprintf(why, why_len, "%s", t == JSON_ERROR ? js.error : "not a JSON object");
        return false;
    }
    while ((t = json_next(&js)) == JSON_NAME) {
        int i = column_named(f, js.text);
        t = json_next(&js);
        if (t == JSON_ERROR) break;
        if (i < 0) {
            if (json_skip(&js, t)) continue;
            t = JSON_ERROR;
            break;
        }
        const char *bad = read_value(&f->columns[i], &js, t, a, &cols[i]);
        if (bad && !*violation) *violation = bad;
    }
    if (t == JSON_OBJECT_END && json_next(&js) == JSON_END) {
        if (!*violation) *violation = rows_violation(f, cols, a);
        return true;
    }
    snprintf(why, why_len, "%s", js.error[0] ? js.error : "text behind the object");
    return false;
}

void rows_put_reject(struct buf *out, struct str why)
{
    buf_puts(out, "{\"reject\":");
    json_put_string(out, why);
    buf_puts(out, "}\n");
}

static void put_args(struct buf *out, const struct image_link *site, const struct link *l)
{
    for (size_t i = 0; i < l->nargs; i++) {
        if (i) buf_byte(out, ',');
        if (site->kind == LINK_FIND) {
            json_put_string(out, i ? site->more[i - 1] : site->field);
            buf_byte(out, ':');
        }
        value_json(out, &l->args[i]);
    }
}

/* The site whose lines these are: its fields have their names. Links in them are the site's own. */
static const struct image_flow *body_of(const struct image_flow *f, const struct list *l)
{
    for (size_t i = 0; i < f->nlines; i++) {
        const struct image_flow *b = f->lines[i].body;
        bool same = b->nfields == l->nfields;
        for (size_t k = 0; k < l->nfields && same; k++) same = str_eq(b->fields[k].name, l->names[k]);
        if (same) return b;
    }
    return f;
}

static void put_list(struct buf *out, const struct image *im, const struct image_flow *f, const struct list *l)
{
    const struct image_flow *body = body_of(f, l);
    buf_byte(out, '[');
    for (size_t i = 0; i < l->nlines; i++) {
        buf_puts(out, i ? ",{\"@key\":" : "{\"@key\":");
        value_json(out, &l->lines[i].key);
        for (size_t k = 0; k < l->nfields; k++) {
            buf_byte(out, ',');
            json_put_string(out, l->names[k]);
            buf_byte(out, ':');
            rows_put_value(out, im, body, &l->lines[i].fields[k]);
        }
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}

void rows_put_value(struct buf *out, const struct image *im, const struct image_flow *f, const struct value *v)
{
    if (v->kind == V_LIST) {
        put_list(out, im, f, v->u.list);
        return;
    }
    if (v->kind != V_LINK) {
        value_json(out, v);
        return;
    }
    const struct image_link *site = &f->links[v->u.link->site];
    bool ref = site->kind == LINK_REF;
    buf_puts(out, ref ? "{\"ref\":" : "{\"find\":");
    json_put_string(out, ref ? im->flows[site->flow].name : site->module);
    buf_puts(out, ref ? ",\"key\":[" : ",\"where\":{");
    put_args(out, site, v->u.link);
    buf_puts(out, ref ? "]}" : "}}");
}

void rows_eval(struct vm *vm, const struct image *im, const struct image_flow *f, const struct value *cols, struct buf *out)
{
    struct vm_out res;
    if (!vm_when(vm, f, cols)) {
        buf_puts(out, "{\"skip\":true}\n");
        return;
    }
    const struct str *rejected;
    struct value into = vm_into(vm, f, cols, &rejected);
    if (rejected) {
        rows_put_reject(out, *rejected);
        return;
    }
    if (f->into && !value_present(&into)) {       /* no record that it could add to */
        buf_puts(out, "{\"skip\":true}\n");
        return;
    }
    vm_map(vm, f, cols, &res);
    if (res.rejected) {
        rows_put_reject(out, res.message);
        return;
    }
    struct value key = vm_key(vm, f, cols);
    bool first = !value_present(&key) && !f->into;
    buf_byte(out, '{');
    if (f->into) {
        buf_puts(out, "\"@into\":");
        rows_put_value(out, im, f, &into);
    } else if (!first) {
        json_put_string(out, f->fields[f->key_field].name);
        buf_byte(out, ':');
        value_json(out, &key);
    }
    for (size_t i = 0; i < f->nfields; i++) {
        if (res.ops[i] != VM_SET) continue;
        if (!first) buf_byte(out, ',');
        first = false;
        json_put_string(out, f->fields[i].name);
        buf_byte(out, ':');
        rows_put_value(out, im, f, &res.values[i]);
    }
    buf_puts(out, "}\n");
}
