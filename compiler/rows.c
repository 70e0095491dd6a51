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

/* One JSON value into a value of the column's type; NULL, or what is wrong with it. */
static const char *read_value(const struct image_column *c, struct json_scanner *js, enum json_token t, struct arena *a, struct value *out)
{
    char why[160] = "";
    bool ok = true;
    *out = value_absent;
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

void rows_put_value(struct buf *out, const struct image *im, const struct image_flow *f, const struct value *v)
{
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
    vm_map(vm, f, cols, &res);
    if (res.rejected) {
        rows_put_reject(out, res.message);
        return;
    }
    struct value key = vm_key(vm, f, cols);
    bool first = !value_present(&key);
    buf_byte(out, '{');
    if (!first) {
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
