/* world_value.c - rows as the agent sends them (facts/sage-100.md 9.3) into the evaluator's values, and its values against what Zoho shows (facts/zoho-crm.md 5). */
#include "tests/reference/reference_world.h"
#include "base/check.h"
#include <ctype.h>
#include <math.h>

static const struct ref_value absent = {.kind = REF_ABSENT};

/* ---- rows ---- */

static bool figures(struct str s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (i >= s.n || s.p[i] < '0' || s.p[i] > '9') return false;
    return true;
}

static bool number(const struct type *t, struct str s, struct ref_value *out)
{
    size_t at = s.n && s.p[0] == '-', dot = at;
    while (dot < s.n && s.p[dot] != '.') dot++;
    if (dot == at || !figures(s, at, dot) || (dot < s.n && (dot + 1 == s.n || !figures(s, dot + 1, s.n)))) return false;
    *out = (struct ref_value){.kind = REF_NUMBER, .number = ref_number_read(s)};
    struct ref_number lo = ref_number_of(t->lo, t->scale), hi = ref_number_of(t->hi, t->scale), cut = ref_number_round(&out->number, t->scale);
    return ref_number_compare(&cut, &out->number) == 0 && ref_number_compare(&out->number, &lo) >= 0 && ref_number_compare(&out->number, &hi) <= 0;
}

/* YYYYMMDD; two days stand for no date (facts/sage-100.md 6). */
static bool day(struct arena *a, struct str s, struct ref_value *out)
{
    if (str_is(s, "17530101") || str_is(s, "00010101")) return true;
    if (s.n != 8 || !figures(s, 0, 8)) return false;
    *out = (struct ref_value){.kind = REF_DAY, .text = str_of(arena_printf(a, "%.4s-%.2s-%.2s", s.p, s.p + 4, s.p + 6))};
    return true;
}

static bool text(const struct type *t, struct str s, struct ref_value *out)
{
    size_t n = ref_chars(s);
    bool listed = t->nset == 0;
    for (size_t i = 0; i < t->nset; i++) listed |= str_eq(t->set[i], s);
    *out = (struct ref_value){.kind = REF_TEXT, .text = s};
    return listed && (t->nset || (n >= t->min_len && n <= t->max_len));
}

/* What is blank is absent; trailing blanks of Sage's fixed columns are none of the value. */
static bool cell(struct arena *a, const struct type *t, const json_t *in, struct ref_value *out)
{
    struct str s = {json_string_value(in), json_string_length(in)};
    *out = absent;
    if (!json_is_string(in)) return json_is_null(in) || in == NULL;
    while (s.n && s.p[s.n - 1] == ' ') s.n--;
    if (s.n == 0) return true;
    s.p = arena_copy(a, s.p, s.n);
    switch ((enum type_base)t->base) {
    case T_BOOL:
        *out = (struct ref_value){.kind = REF_BOOL, .yes = str_eq(s, t->yes)};
        return out->yes || str_eq(s, t->no);
    case T_TEXT: return text(t, s, out);
    case T_DECIMAL: return number(t, s, out);
    case T_DATE: return day(a, s, out);
    default: return false;
    }
}

static const json_t *named(const json_t *row, struct str name)
{
    char key[128];
    snprintf(key, sizeof key, "%.*s", (int)name.n, name.p);
    const json_t *v = json_object_get(json_object_get(row, "fields"), key);
    return v ? v : json_object_get(json_object_get(row, "udf"), key);
}

/* Parts of a key that a line shares with its record come from the record. */
static const json_t *line_cell(const struct flow *f, const json_t *row, const json_t *line, const struct column *c)
{
    const json_t *v = named(line, c->name);
    for (size_t i = 0; v == NULL && c->key && i < f->entity->ncolumns; i++)
        if (f->entity->columns[i].key && str_eq(f->entity->columns[i].name, c->name)) v = named(row, c->name);
    return v;
}

static bool line_reads(const struct flow *f, const struct schema *lines, size_t column)
{
    for (const struct each *e = f->eaches; e != NULL; e = e->next)
        if (e->lines == lines && (e->reads[column] || lines->columns[column].key)) return true;
    return false;
}

static bool lines_of(struct ref_world *w, const struct flow *f, const struct schema *lines, const json_t *row, struct ref_value *out)
{
    const json_t *in = json_object_get(row, "lines");
    struct ref_list *l = ARENA_NEW(&w->arena, struct ref_list);
    struct str *names = ARENA_ARRAY(&w->arena, struct str, lines->ncolumns + 1);
    struct ref_line *all = ARENA_ARRAY(&w->arena, struct ref_line, json_array_size(in) + 1);
    bool good = true;
    *out = absent;
    *l = (struct ref_list){names, lines->ncolumns, all, json_array_size(in)};
    for (size_t i = 0; i < l->nlines; i++) {
        struct ref_value *fields = ARENA_ARRAY(&w->arena, struct ref_value, lines->ncolumns + 1);
        all[i] = (struct ref_line){{"", 0}, fields};
        for (size_t k = 0; k < lines->ncolumns; k++) {
            names[k] = lines->columns[k].name;
            fields[k] = absent;
            if (!lines->columns[k].known_type || !line_reads(f, lines, k)) continue;
            good &= cell(&w->arena, &lines->columns[k].type, line_cell(f, row, json_array_get(in, i), &lines->columns[k]), &fields[k]);
        }
    }
    if (l->nlines) *out = (struct ref_value){.kind = REF_LIST, .list = l};
    return good;
}

bool world__row(struct ref_world *w, const struct flow *f, const json_t *in, struct ref_row *out)
{
    struct ref_value *values = ARENA_ARRAY(&w->arena, struct ref_value, f->entity->ncolumns + 1);
    bool good = true;
    for (size_t i = 0; i < f->entity->ncolumns; i++) {
        const struct column *c = &f->entity->columns[i];
        values[i] = absent;
        for (const struct each *e = f->eaches; e != NULL; e = e->next)
            if (e->column == i) good &= lines_of(w, f, e->lines, in, &values[i]);
        if (c->known_type && (f->reads[i] || c->key)) good &= cell(&w->arena, &c->type, named(in, c->name), &values[i]);
    }
    *out = (struct ref_row){f->entity->columns, f->entity->ncolumns, values};
    return good;
}

/* ---- records by a text ---- */

static struct world_module *module_named(struct ref_world *w, struct str name)
{
    for (struct world_module *m = w->modules; m != NULL; m = m->next)
        if (str_eq(m->name, name)) return m;
    return NULL;
}

static const char *small(struct arena *a, const char *s, size_t n)
{
    char *p = arena_copy(a, s, n);
    for (size_t i = 0; i < n; i++) p[i] = (char)tolower((unsigned char)p[i]);
    return p;
}

static json_t *index_of(struct ref_world *w, struct world_module *m, const char *field)
{
    json_t *index = json_object_get(m->index, field);
    if (index) return index;
    index = json_object();
    json_object_set_new(m->index, field, index);
    for (size_t i = 0; i < json_array_size(m->records); i++) {
        const json_t *v = json_object_get(json_array_get(m->records, i), field);
        if (!json_is_string(v)) continue;
        const char *key = small(&w->arena, json_string_value(v), json_string_length(v));
        json_t *places = json_object_get(index, key);
        if (places == NULL) json_object_set_new(index, key, places = json_array());
        json_array_append_new(places, json_integer((json_int_t)i));
    }
    return index;
}

size_t world__having(struct ref_world *w, struct str module, struct str field, struct str wanted, bool exact, const json_t **first)
{
    struct world_module *m = module_named(w, module);
    char name[160];
    size_t n = 0;
    snprintf(name, sizeof name, "%.*s", (int)field.n, field.p);
    *first = NULL;
    const json_t *places = m ? json_object_get(index_of(w, m, name), small(&w->arena, wanted.p, wanted.n)) : NULL;
    for (size_t i = 0; i < json_array_size(places); i++) {
        const json_t *record = json_array_get(m->records, (size_t)json_integer_value(json_array_get(places, i)));
        const json_t *v = json_object_get(record, name);
        if (exact && !str_eq((struct str){json_string_value(v), json_string_length(v)}, wanted)) continue;
        if (n++ == 0) *first = record;
    }
    return n;
}

/* ---- values ---- */

/* The key that `ref` means: of the other flow's row with these key columns. */
static struct str key_of_ref(struct ref_world *w, const struct flow *to, struct str company, const struct ref_link *l)
{
    struct ref_value *values = ARENA_ARRAY(&w->arena, struct ref_value, to->entity->ncolumns + 1);
    const struct flow *was = w->ref.flow;
    size_t k = 0;
    if (!to->key_value) return ref_key_of(&w->ref, to, &w->arena, company, l->values, l->n);
    for (size_t i = 0; i < to->entity->ncolumns; i++) values[i] = to->entity->columns[i].key && k < l->n ? l->values[k++] : absent;
    w->ref.flow = to;
    struct str key = ref_key(&w->ref, &w->arena, company, &(const struct ref_row){to->entity->columns, to->entity->ncolumns, values});
    w->ref.flow = was;
    return key;
}

static const struct flow *flow_named(const struct ref_world *w, struct str name)
{
    for (const struct flow *f = w->c.spec->flows; f != NULL; f = f->next)
        if (str_eq(f->name, name)) return f;
    check_failed("a flow that the checker knows", __FILE__, __LINE__);
}

static bool all_hold(const json_t *record, const struct ref_link *l)
{
    for (size_t i = 1; i < l->n; i++) {
        char name[160];
        snprintf(name, sizeof name, "%.*s", (int)l->fields[i].n, l->fields[i].p);
        const json_t *v = json_object_get(record, name);
        if (!json_is_string(v) || l->values[i].kind != REF_TEXT || !str_ieq((struct str){json_string_value(v), json_string_length(v)}, l->values[i].text)) return false;
    }
    return true;
}

/* The id of the record that a link leads to, NULL: none. */
static const char *id_of_link(struct ref_world *w, struct str company, const struct ref_link *l, bool *waits)
{
    const json_t *record = NULL;
    w->counts.links++;
    if (l->ref) {
        const struct flow *to = flow_named(w, l->to);
        *waits = world__having(w, to->module->name, to->key->column->name, key_of_ref(w, to, company, l), true, &record) == 0;
    } else if (l->values[0].kind == REF_TEXT) {
        world__having(w, l->to, l->fields[0], l->values[0].text, false, &record);
        if (record && !all_hold(record, l)) record = NULL;
    }
    return json_string_value(json_object_get(record, "id"));
}

static int64_t two(const char *p) { return (p[0] - '0') * 10 + p[1] - '0'; }

/* Seconds since the year 0 of "2026-03-12T22:41:07". */
static int64_t seconds(const char *p)
{
    int64_t y = two(p) * 100 + two(p + 2), days = two(p + 8), before = y - 1;
    for (int m = 1; m < two(p + 5); m++) days += m == 2 ? 28 + ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0) : m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
    days += before * 365 + before / 4 - before / 100 + before / 400;
    return days * 86400 + two(p + 11) * 3600 + two(p + 14) * 60 + two(p + 17);
}

/* To the second, in UTC: want has no zone written, have has "+01:00" or Z behind. */
static bool same_moment(struct str want, const char *have)
{
    size_t n = strlen(have);
    if (n < 20) return false;
    const char *zone = have + n - 6;
    bool offset = n >= 25 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':';
    int64_t off = offset ? (two(zone + 1) * 60 + two(zone + 4)) * (zone[0] == '-' ? -60 : 60) : 0;
    return seconds(want.p) == seconds(have) - off;
}

static bool same_line(struct ref_world *w, const struct flow *f, struct str company, const struct ref_list *l, size_t i, const json_t *have)
{
    bool waits;
    for (size_t k = 0; k < l->nfields; k++) {
        char name[160];
        snprintf(name, sizeof name, "%.*s", (int)l->names[k].n, l->names[k].p);
        if (!world__same(w, f, company, &l->lines[i].fields[k], json_object_get(have, name), &waits)) return false;
    }
    return true;
}

/* As sets: Zoho appends what is new, so their order says nothing. */
static bool same_lines(struct ref_world *w, const struct flow *f, struct str company, const struct ref_list *l, const json_t *have)
{
    bool *taken = ARENA_ARRAY(&w->arena, bool, json_array_size(have) + 1);
    if (json_array_size(have) != l->nlines) return false;
    for (size_t i = 0; i < l->nlines; i++) {
        size_t k = 0;
        while (k < l->nlines && (taken[k] || !same_line(w, f, company, l, i, json_array_get(have, k)))) k++;
        if (k == l->nlines) return false;
        taken[k] = true;
        w->counts.lines++;
    }
    return true;
}

bool world__same(struct ref_world *w, const struct flow *f, struct str company, const struct ref_value *want, const json_t *have, bool *waits)
{
    struct buf b = {0};
    const char *id, *s = json_string_value(have);
    *waits = false;
    switch (want->kind) {
    case REF_ABSENT: return have == NULL || json_is_null(have) || json_is_false(have) || (json_is_array(have) && json_array_size(have) == 0);
    case REF_BOOL: return want->yes ? json_is_true(have) : json_is_false(have) || json_is_null(have);
    case REF_TEXT: return s && str_eq(want->text, (struct str){s, json_string_length(have)});
    case REF_DAY: case REF_WALL: return s && strncmp(s, want->text.p, want->kind == REF_DAY ? 10 : 19) == 0;
    case REF_POINT: return s && same_moment(want->text, s);
    case REF_NUMBER: {
        ref_number_write(&b, &want->number, want->number.scale);
        double x = strtod(buf_cstr(&b), NULL), y = s ? strtod(s, NULL) : json_number_value(have);
        buf_free(&b);
        return (s || json_is_number(have)) && fabs(x - y) <= 1e-9 * (fabs(x) > 1 ? fabs(x) : 1);
    }
    case REF_LINK:
        id = id_of_link(w, company, want->link, waits);
        s = json_string_value(json_object_get(have, "id"));
        return id == NULL ? !*waits && s == NULL : s && strcmp(id, s) == 0;
    case REF_LIST: return same_lines(w, f, company, want->list, have);
    }
    return false;
}
