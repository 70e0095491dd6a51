/* rows.c - see rows.h. */
#include "compiler/rows.h"
#include "value/decimal.h"
#include "value/json_row.h"
#include <stdio.h>

/* JSON that stands ready, with blanks behind it up to a whole number of blocks: copying these is quicker than counting bytes. */
enum { BLOCK = 32 };
struct piece { const char *p; size_t n; };
/* ,"Name": of each field, and each constant of the image, or none. */
struct spelled { const struct piece *names, *consts; size_t nconsts; };

struct rows {
    const struct image *im;
    const struct image_flow *f;
    struct vm *vm;
    struct json_row *reader;
    struct value *cols;
    struct spelled spelled;
    struct arena life, line;
};

/* ---- rows in ---- */

/* One value of a line, which has no lists; NULL, or what is wrong with it. */
static const char *read_value(const struct json_row_column *c, struct json_scanner *js, enum json_token t, struct arena *a, struct value *out)
{
    char why[160] = "";
    bool ok = true;
    *out = value_absent;
    if (t == JSON_TRUE || t == JSON_FALSE) *out = value_bool(t == JSON_TRUE);
    else if (t == JSON_NUMBER) ok = decimal_parse_json(js->text, out);
    else if (t == JSON_STRING) ok = type_read(c->type, js->text, out, why, sizeof why);
    else if (t != JSON_NULL) {
        if (!json_skip(js, t)) return NULL;
        ok = false;
    }
    if (ok && type_admits(c->type, out, why, sizeof why)) {
        /* as a source would deliver it: at the scale of the column */
        if (out->kind == V_DECIMAL) decimal_rescale(out, c->type->scale, out);
        return NULL;
    }
    *out = value_absent;
    return arena_printf(a, "column %.*s %s", (int)c->name.n, c->name.p, why[0] ? why : "is no value of its type");
}

/* The object of one line, behind its brace. */
static const char *read_line(const struct json_row_column *list, struct json_scanner *js, struct arena *a, struct value *fields)
{
    const struct list_shape *s = list->type->shape;
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
        struct json_row_column one = {s->names[k], &s->types[k]};
        const char *why = read_value(&one, js, t, a, &fields[k]);
        if (!bad) bad = why;
    }
    return bad;
}

/* Behind the opening bracket. An empty list is absent. */
static const char *read_list(const struct json_row_column *c, struct json_scanner *js, enum json_token t, struct arena *a, struct value *out)
{
    const struct list_shape *s = c->type->shape;
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, LIMIT_LINES + 1);
    struct list *l = ARENA_NEW(a, struct list);
    const char *bad = NULL;
    char why[160];
    *l = (struct list){s->names, lines, 0, s->n};
    while ((t = json_next(js)) == JSON_OBJECT && l->nlines <= LIMIT_LINES) {
        struct value *fields = ARENA_ARRAY(a, struct value, s->n);
        const char *one = read_line(c, js, a, fields);
        if (one && !bad) bad = arena_printf(a, "line %u: %s", (unsigned)l->nlines + 1, one);
        lines[l->nlines++] = (struct list_line){type_line_key(s, fields, a), fields};
    }
    if (t != JSON_ARRAY_END) {
        json_skip(js, t);
        while (t != JSON_ARRAY_END && t != JSON_ERROR && t != JSON_END) t = json_next(js);
        return bad ? bad : arena_printf(a, "is no list of at most %d objects", LIMIT_LINES);
    }
    if (l->nlines) *out = (struct value){.kind = V_LIST, .u.list = l};
    if (bad || type_admits(c->type, out, why, sizeof why)) return bad;
    *out = value_absent;
    return arena_printf(a, "%s", why);
}

const char *rows_violation(const struct image_flow *f, const struct value *cols, struct arena *a)
{
    char why[160];
    for (size_t i = 0; i < f->ncolumns; i++)
        if (!type_admits(&f->columns[i].type, &cols[i], why, sizeof why))
            return arena_printf(a, "column %.*s %s", (int)f->columns[i].name.n, f->columns[i].name.p, why);
    return NULL;
}

static struct json_row *row_reader(const struct image_flow *f, struct arena *a)
{
    struct json_row_column *columns = ARENA_ARRAY(a, struct json_row_column, f->ncolumns + 1);
    for (size_t i = 0; i < f->ncolumns; i++) columns[i] = (struct json_row_column){f->columns[i].name, &f->columns[i].type};
    return json_row_new(columns, f->ncolumns, read_list);
}

static bool read_row(struct json_row *reader, const struct image_flow *f, struct str line, struct arena *a, struct value *cols, const char **violation,
                     char *why, size_t why_len)
{
    struct json_row_fault fault;
    size_t used;
    *violation = NULL;
    bool ok = json_row_read(reader, line, &used, a, cols, &fault);
    if (!ok || str_trim((struct str){line.p + used, line.n - used}).n > 0) {
        snprintf(why, why_len, "%s", ok ? "more text behind the value" : fault.clause);
        return false;
    }
    if (fault.column >= 0) {
        struct str name = f->columns[fault.column].name;
        *violation = arena_printf(a, "column %.*s %s", (int)name.n, name.p, fault.clause);
    }
    return true;
}

bool rows_read(const struct image_flow *f, struct str line, struct arena *a, struct value *cols, const char **violation, char *why, size_t why_len)
{
    struct json_row *reader = row_reader(f, a);
    bool ok = read_row(reader, f, line, a, cols, violation, why, why_len);
    json_row_free(reader);
    return ok;
}

/* ---- answers out ---- */

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

/* The end of b as a piece; b is empty then. */
static struct piece piece_of(struct buf *b, struct arena *a)
{
    struct piece made = {NULL, b->n};
    while (b->n % BLOCK) buf_byte(b, ' ');
    made.p = arena_copy(a, b->p, b->n);
    buf_clear(b);
    return made;
}

static void put_piece(struct buf *out, const struct piece *piece)
{
    char *to = buf_reserve(out, piece->n + BLOCK);
    for (size_t i = 0; i < piece->n; i += BLOCK) memcpy(to + i, piece->p + i, BLOCK);
    out->n += piece->n;
}

static const struct piece *field_names(const struct image_flow *f, struct arena *a)
{
    struct piece *names = ARENA_ARRAY(a, struct piece, f->nfields + 1);
    struct buf b = {0};
    for (size_t i = 0; i < f->nfields; i++) {
        buf_byte(&b, ',');
        json_put_string(&b, f->fields[i].name);
        buf_byte(&b, ':');
        names[i] = piece_of(&b, a);
    }
    buf_free(&b);
    return names;
}

static const struct piece *constants(const struct image *im, struct arena *a)
{
    struct piece *consts = ARENA_ARRAY(a, struct piece, im->nconsts + 1);
    struct buf b = {0};
    for (size_t i = 0; i < im->nconsts; i++) {
        value_json(&b, &im->consts[i]);
        consts[i] = piece_of(&b, a);
    }
    buf_free(&b);
    return consts;
}

/* Every field brings its comma. A constant is known by where it lies. */
static void put_fields(struct buf *out, const struct image *im, const struct image_flow *f, const struct vm_out *res, const struct spelled *ready)
{
    for (size_t i = 0; i < f->nfields; i++) {
        const struct value *v = res->values[i];
        if (res->ops[i] != VM_SET) continue;
        put_piece(out, &ready->names[i]);
        size_t constant = ((uintptr_t)v - (uintptr_t)im->consts) / sizeof *v;
        if (constant < ready->nconsts) put_piece(out, &ready->consts[constant]);
        else if (v->kind == V_TEXT) json_put_string(out, value_str(v));
        else if (v->kind >= V_LINK) rows_put_value(out, im, f, v);
        else value_json(out, v);
    }
}

static void put_answer(struct vm *vm, const struct image *im, const struct image_flow *f, const struct value *cols, const struct spelled *ready, struct buf *out)
{
    struct vm_out res;
    const struct str *rejected = NULL;
    struct value into = value_absent;
    bool goes = vm_when(vm, f, cols);
    if (goes && f->into) {
        into = vm_into(vm, f, cols, &rejected);
        goes = rejected || value_present(&into);         /* absent: no record that it could add to */
    }
    if (!goes) {
        buf_puts(out, "{\"skip\":true}\n");
        return;
    }
    if (!rejected) {
        vm_map(vm, f, cols, &res);
        if (res.rejected) rejected = &res.message;
    }
    if (rejected) {
        rows_put_reject(out, *rejected);
        return;
    }
    struct value key = vm_key(vm, f, cols);
    size_t start = out->n;
    if (f->into) {
        buf_puts(out, ",\"@into\":");
        rows_put_value(out, im, f, &into);
    } else if (value_present(&key)) {
        put_piece(out, &ready->names[f->key_field]);
        value_json(out, &key);
    }
    put_fields(out, im, f, &res, ready);
    if (out->n == start) buf_byte(out, '{');
    out->p[start] = '{';                                 /* in place of the first comma */
    buf_puts(out, "}\n");
}

void rows_eval(struct vm *vm, const struct image *im, const struct image_flow *f, const struct value *cols, struct buf *out)
{
    struct arena a;
    arena_init(&a, 4096);
    struct spelled names = {field_names(f, &a), NULL, 0};
    put_answer(vm, im, f, cols, &names, out);
    arena_free(&a);
}

/* ---- many rows ---- */

struct rows *rows_open(const struct image *im, const struct image_flow *f)
{
    struct arena a;
    arena_init(&a, 0);
    struct rows *r = ARENA_NEW(&a, struct rows);
    *r = (struct rows){.im = im, .f = f, .vm = vm_new(im), .life = a};
    r->reader = row_reader(f, &r->life);
    r->cols = ARENA_ARRAY(&r->life, struct value, f->ncolumns + 1);
    r->spelled = (struct spelled){field_names(f, &r->life), constants(im, &r->life), im->nconsts};
    arena_init(&r->line, 0);
    return r;
}

void rows_close(struct rows *r)
{
    struct arena a = r->life;
    arena_free(&r->line);
    json_row_free(r->reader);
    vm_free(r->vm);
    arena_free(&a);
}

void rows_values(struct rows *r, const struct value *cols, const char *violation, struct buf *out)
{
    if (violation) rows_put_reject(out, str_of(violation));
    else put_answer(r->vm, r->im, r->f, cols, &r->spelled, out);
}

bool rows_line(struct rows *r, struct str line, struct buf *out, char *why, size_t why_len)
{
    const char *violation;
    arena_reset(&r->line);
    if (!read_row(r->reader, r->f, line, &r->line, r->cols, &violation, why, why_len)) {
        buf_puts(out, "{\"error\":");
        json_put_string(out, str_of(why));
        buf_puts(out, "}\n");
        return false;
    }
    rows_values(r, r->cols, violation, out);
    return true;
}

bool rows_next(struct rows *r, struct str text, struct buf *out, size_t *used)
{
    if (!json_row_next(r->reader, text, used, r->cols)) return false;
    ++*used;
    rows_values(r, r->cols, NULL, out);
    return true;
}
