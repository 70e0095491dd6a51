/* record.c - named values as bytes: varint count, then per field varint name length, name, value_encode.
 *
 * Names travel with the values, so that a snapshot written under last year's spec can still be read, shown and derived again. */
#include "value/record.h"
#include "value/json.h"

static void put_field(struct buf *out, struct str name, const struct value *v)
{
    buf_blob(out, name);
    value_encode(out, v);
}

void record_encode(struct buf *out, const struct record *r)
{
    buf_varint(out, r->n);
    for (size_t i = 0; i < r->n; i++) put_field(out, r->f[i].name, &r->f[i].v);
}

enum err record_decode(struct str bytes, struct arena *a, struct record *out)
{
    *out = (struct record){0};
    struct reader r = reader_of(bytes);
    uint64_t n = read_varint(&r);
    if (r.bad || n > bytes.n / 2) return ERR_CORRUPT;           /* a field takes two bytes at least: bounds the allocation */
    struct record_field *f = ARENA_ARRAY(a, struct record_field, n);
    for (size_t i = 0; i < n && !r.bad; i++) {
        f[i].name = read_blob(&r);
        f[i].v = value_decode(&r, a);
        if (!str_utf8_valid(f[i].name)) r.bad = true;
    }
    if (!reader_done(&r)) return ERR_CORRUPT;
    *out = (struct record){f, n};
    return ERR_OK;
}

const struct value *record_get(const struct record *r, struct str name)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->f[i].name, name)) return &r->f[i].v;
    return NULL;
}

void record_json(struct buf *out, const struct record *r)
{
    buf_byte(out, '{');
    for (size_t i = 0; i < r->n; i++) {
        if (i > 0) buf_byte(out, ',');
        json_put_string(out, r->f[i].name);
        buf_byte(out, ':');
        value_json(out, &r->f[i].v);
    }
    buf_byte(out, '}');
}

/* ---- writer: one byte is kept free for the count; record_end moves the fields when the count needs more ---- */

struct record_writer record_begin(struct buf *out)
{
    struct record_writer w = {out, out->n, 0};
    buf_byte(out, 0);
    return w;
}

void record_put(struct record_writer *w, const char *name, const struct value *v)
{
    put_field(w->out, str_of(name), v);
    w->n++;
}

void record_put_text(struct record_writer *w, const char *name, struct str s)
{
    struct value v = value_text(s);
    record_put(w, name, &v);
}

void record_put_int(struct record_writer *w, const char *name, int64_t i)
{
    struct value v = value_decimal(i, 0);
    record_put(w, name, &v);
}

void record_end(struct record_writer *w)
{
    struct buf count = {0};
    buf_varint(&count, w->n);
    size_t fields = w->out->n - w->start - 1;
    if (count.n > 1) {
        buf_reserve(w->out, count.n - 1);
        memmove(w->out->p + w->start + count.n, w->out->p + w->start + 1, fields);
        w->out->n += count.n - 1;
    }
    memcpy(w->out->p + w->start, count.p, count.n);
    buf_free(&count);
}

struct str record_text(const struct record *r, const char *name)
{
    const struct value *v = record_get(r, str_of(name));
    if (!v || (v->kind != V_TEXT && v->kind != V_ID)) return (struct str){NULL, 0};
    return value_str(v);
}

int64_t record_int(const struct record *r, const char *name, int64_t fallback)
{
    const struct value *v = record_get(r, str_of(name));
    if (!v || v->kind != V_DECIMAL || v->scale != 0) return fallback;
    if (v->u.coef > INT64_MAX || v->u.coef < INT64_MIN) return fallback;
    return (int64_t)v->u.coef;
}
