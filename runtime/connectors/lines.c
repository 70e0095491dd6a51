/* lines.c - see lines.h. */
#include "connectors/lines.h"
#include "base/limits.h"

const struct source_column *lines_column(const struct source_query *q)
{
    for (size_t i = 0; i < q->ncolumns; i++)
        if (q->columns[i].type.base == T_LIST) return &q->columns[i];
    return NULL;
}

void lines_begin(struct lines *l, const struct source_query *q, const struct source_column *column, struct arena *a)
{
    const struct list_shape *s = column->type.shape;
    *l = (struct lines){.q = q, .column = column, .a = a};
    l->seen = ARENA_ARRAY(a, bool, s->n + 1);
}

static void violate(struct lines *l, struct str name, const char *why)
{
    if (!l->violation)
        l->violation = arena_printf(l->a, "%.*s line %u: %.*s %s", (int)l->column->name.n, l->column->name.p, (unsigned)l->given, (int)name.n, name.p, why);
}

void lines_add(struct lines *l)
{
    const struct list_shape *s = l->column->type.shape;
    l->fields = ARENA_ARRAY(l->a, struct value, s->n + 1);
    memset(l->seen, 0, s->n * sizeof *l->seen);
    if (l->n == l->cap && l->n < s->max_lines) {
        l->cap = l->cap ? l->cap * 2 : 16;
        struct list_line *more = ARENA_ARRAY(l->a, struct list_line, l->cap);
        if (l->n) memcpy(more, l->list, l->n * sizeof *more);
        l->list = more;
    }
    l->given++;
}

static uint16_t column_named(const struct lines *l, struct str name)
{
    const struct list_shape *s = l->column->type.shape;
    uint16_t k = 0;
    while (k < s->n && !str_eq(s->names[k], name)) k++;
    return k;
}

void lines_set(struct lines *l, struct str name, bool udf, struct str raw)
{
    const struct list_shape *s = l->column->type.shape;
    uint16_t k = column_named(l, name);
    char why[160];
    if (k == s->n || udf != ((s->flags[k] & LIST_UDF) != 0)) return;
    if (l->seen[k]) violate(l, name, "stands twice in one line");
    else if (!type_read(&s->types[k], raw, &l->fields[k], why, sizeof why)) violate(l, name, why);
    l->seen[k] = true;
}

void lines_bad(struct lines *l, struct str name)
{
    uint16_t k = column_named(l, name);
    if (k == l->column->type.shape->n) return;
    l->seen[k] = true;
    violate(l, name, "came neither as a text nor as null");
}

static bool in_record_key(const struct lines *l, struct str name, size_t *part);

void lines_blank(struct lines *l)
{
    const struct list_shape *s = l->column->type.shape;
    size_t part;
    for (uint16_t k = 0; k < s->n; k++)
        if (!l->seen[k] && !in_record_key(l, s->names[k], &part)) lines_set(l, s->names[k], s->flags[k] & LIST_UDF, (struct str){"", 0});
}

static bool in_record_key(const struct lines *l, struct str name, size_t *part)
{
    for (*part = 0; *part < l->q->nkeys; ++*part)
        if (str_eq(l->q->key_columns[*part], name)) return true;
    return false;
}

void lines_key(struct lines *l, const struct str *parts, size_t n)
{
    const struct list_shape *s = l->column->type.shape;
    size_t at = 0, header;
    char why[160];
    for (uint16_t k = 0; k < s->n; k++) {
        bool mine = s->flags[k] & LIST_KEY;
        if (mine && at < n && !l->seen[k]) {
            if (!type_read(&s->types[k], parts[at], &l->fields[k], why, sizeof why)) violate(l, s->names[k], why);
            l->seen[k] = true;
        }
        at += mine;
        if (!l->seen[k] && !in_record_key(l, s->names[k], &header)) violate(l, s->names[k], "is not among the columns that the source delivers");
    }
    if (n > 0 && at != n) violate(l, l->column->name, "the key of the line has another number of parts");
    if (l->n == s->max_lines) return;
    l->list[l->n++] = (struct list_line){.fields = l->fields};
}

struct value lines_end(struct lines *l, const struct source_key *key, const char **violation)
{
    const struct list_shape *s = l->column->type.shape;
    char why[160];
    for (uint32_t i = 0; i < l->n; i++) {
        struct value *fields = (struct value *)(uintptr_t)l->list[i].fields;     /* ours: made by lines_add */
        for (uint16_t k = 0; k < s->n; k++) {
            size_t part;
            if (value_present(&fields[k]) || !in_record_key(l, s->names[k], &part) || part >= key->n) continue;
            if (!type_read(&s->types[k], key->part[part], &fields[k], why, sizeof why)) violate(l, s->names[k], why);
        }
        l->list[i].key = type_line_key(s, fields, l->a);
    }
    if (l->given > s->max_lines && !l->violation)
        l->violation = arena_printf(l->a, "%.*s has %u lines, at most %u allowed", (int)l->column->name.n, l->column->name.p, (unsigned)l->given, (unsigned)s->max_lines);
    struct list *list = ARENA_NEW(l->a, struct list);
    *list = (struct list){s->names, l->list, l->n, s->n};
    struct value v = l->n ? (struct value){.kind = V_LIST, .u.list = list} : value_absent;
    if (!l->violation && !type_admits(&l->column->type, &v, why, sizeof why))
        l->violation = arena_printf(l->a, "%.*s %s", (int)l->column->name.n, l->column->name.p, why);
    if (l->violation && !*violation) *violation = l->violation;
    return l->violation ? value_absent : v;
}
