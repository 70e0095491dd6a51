/* lockfile.c - what a system says of itself as the text of a lock file: sorted by bytes, two blanks a level, one field a line, a line feed at the
 * end. Equal metadata gives equal bytes, whatever order the system told it in (docs/locks.md). */
#include "sync/sync_private.h"
#include "value/json.h"
#include <stdlib.h>

/* Doubles an arena array when it is full. */
static void *grown(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) return v;
    *cap = *cap ? *cap * 2 : 16;
    void *w = arena_alloc(a, *cap * size);
    if (n) memcpy(w, v, n * size);
    return w;
}

static struct str kept(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.n ? s.p : "", s.n), s.n};
}

static int order_str(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct described_field kept_field(struct arena *a, const struct described_field *d)
{
    struct described_field out = *d;
    struct str *values = ARENA_ARRAY(a, struct str, d->nvalues + 1);
    out.name = kept(a, d->name);
    out.module = kept(a, d->module);
    for (size_t i = 0; i < d->nvalues; i++) values[i] = kept(a, d->values[i]);
    if (d->nvalues) qsort(values, d->nvalues, sizeof *values, order_str);
    out.values = values;
    return out;
}

/* The type that holds what both can hold. */
static void widen(struct described_field *have, const struct described_field *d)
{
    if (strcmp(have->type, d->type) != 0) {
        *have = (struct described_field){.name = have->name, .type = "other", .custom = have->custom};
        return;
    }
    unsigned before = have->digits - have->scale > d->digits - d->scale ? have->digits - have->scale : d->digits - d->scale;
    if (d->length > have->length) have->length = d->length;
    if (d->scale > have->scale) have->scale = d->scale;
    have->digits = before + have->scale;
}

static void add_field(struct lockfile *l, struct lockfile_entity *e, const struct described_field *d)
{
    for (size_t i = 0; i < e->nfields; i++)
        if (str_eq(e->fields[i].d.name, d->name)) {
            widen(&e->fields[i].d, d);
            e->fields[i].seen++;
            return;
        }
    e->fields = grown(l->a, e->fields, e->nfields, &e->cap, sizeof *e->fields);
    e->fields[e->nfields++] = (struct lockfile_field){kept_field(l->a, d), 1};
}

void lockfile_add(struct lockfile *l, const struct described_entity *d)
{
    struct lockfile_entity *e = NULL;
    for (size_t i = 0; i < l->n && !e; i++)
        if (str_eq(l->list[i].name, d->name)) e = &l->list[i];
    if (!e) {
        l->list = grown(l->a, l->list, l->n, &l->cap, sizeof *l->list);
        e = &l->list[l->n++];
        *e = (struct lockfile_entity){.name = kept(l->a, d->name), .missing = true};
    }
    if (d->nkeys && !e->nkeys) {
        e->key = ARENA_ARRAY(l->a, struct str, d->nkeys);
        e->nkeys = d->nkeys;
        for (size_t i = 0; i < d->nkeys; i++) e->key[i] = kept(l->a, d->key[i]);
    }
    e->seen++;
    e->missing = e->missing && d->missing;      /* not there: in no company */
    e->unstamped = e->unstamped || d->unstamped;
    for (size_t i = 0; i < d->nfields; i++) add_field(l, e, &d->fields[i]);
}

/* ---- text ---- */

static void put_list(struct buf *b, const struct str *list, size_t n)
{
    buf_byte(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i) buf_puts(b, ", ");
        json_put_string(b, list[i]);
    }
    buf_byte(b, ']');
}

/* Members in the order of their names. */
static void put_field(struct buf *b, const struct lockfile_field *lf, unsigned seen)
{
    const struct described_field *d = &lf->d;
    bool decimal = strcmp(d->type, "decimal") == 0;
    buf_puts(b, "        ");
    json_put_string(b, d->name);
    buf_puts(b, ": {");
    if (d->custom) buf_puts(b, "\"custom\": true, ");
    if (decimal) buf_printf(b, "\"digits\": %u, ", d->digits);
    if (strcmp(d->type, "text") == 0) buf_printf(b, "\"length\": %lld, ", (long long)d->length);
    if (strcmp(d->type, "link") == 0) {
        buf_puts(b, "\"module\": ");
        json_put_string(b, d->module);
        buf_puts(b, ", ");
    }
    if (d->no_insert) buf_puts(b, "\"on_insert\": false, ");
    if (d->no_update) buf_puts(b, "\"on_update\": false, ");
    if (lf->seen < seen) buf_puts(b, "\"partial\": true, ");
    if (d->required) buf_puts(b, "\"required\": true, ");
    if (decimal) buf_printf(b, "\"scale\": %u, ", d->scale);
    buf_printf(b, "\"type\": \"%s\"", d->type);
    if (d->unique) buf_puts(b, ", \"unique\": true");
    if (strcmp(d->type, "picklist") == 0) {
        buf_puts(b, ", \"values\": ");
        put_list(b, d->values, d->nvalues);
    }
    buf_byte(b, '}');
}

static int order_field(const void *a, const void *b)
{
    return str_cmp(((const struct lockfile_field *)a)->d.name, ((const struct lockfile_field *)b)->d.name);
}

static void put_entity(struct buf *b, const struct lockfile *l, const struct lockfile_entity *e)
{
    buf_puts(b, "    ");
    json_put_string(b, e->name);
    if (e->missing) {
        buf_puts(b, ": null");
        return;
    }
    buf_printf(b, ": {\n      \"%s\": {", l->fields);
    if (e->nfields) qsort(e->fields, e->nfields, sizeof *e->fields, order_field);
    for (size_t i = 0; i < e->nfields; i++) {
        buf_puts(b, i ? ",\n" : "\n");
        put_field(b, &e->fields[i], e->seen);
    }
    buf_puts(b, e->nfields ? "\n      }" : "}");
    if (e->nkeys) {
        buf_puts(b, ",\n      \"key\": ");
        put_list(b, e->key, e->nkeys);
    }
    if (e->unstamped) buf_puts(b, ",\n      \"stamps\": false");
    buf_puts(b, "\n    }");
}

static int order_entity(const void *a, const void *b)
{
    return str_cmp(((const struct lockfile_entity *)a)->name, ((const struct lockfile_entity *)b)->name);
}

struct str lockfile_text(struct lockfile *l)
{
    struct buf b = {0};
    buf_puts(&b, "{\n");
    if (l->edition.n) {
        buf_puts(&b, "  \"edition\": ");
        json_put_string(&b, l->edition);
        buf_puts(&b, ",\n");
    }
    buf_printf(&b, "  \"%s\": {", l->entities);
    if (l->n) qsort(l->list, l->n, sizeof *l->list, order_entity);
    for (size_t i = 0; i < l->n; i++) {
        buf_puts(&b, i ? ",\n" : "\n");
        put_entity(&b, l, &l->list[i]);
    }
    buf_puts(&b, l->n ? "\n  },\n" : "},\n");
    buf_puts(&b, "  \"version\": 1\n}\n");
    struct str text = kept(l->a, buf_view(&b));
    buf_free(&b);
    return text;
}
