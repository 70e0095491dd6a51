/* reference_world.c - the comparison, flow by flow and row by row; values: world_value.c. See reference_world.h. */
#include "tests/reference/reference_world.h"
#include "base/check.h"
#include <stdarg.h>

/* ---- what is known of both sides ---- */

static bool read_csv(void *ctx, struct span at, struct str name, struct arena *mem, struct str *text)
{
    struct ref_world *w = ctx;
    struct fault f = {0};
    struct str in = sources_get(&w->c.sources, at.file)->name;
    const char *slash = memrchr(in.p, '/', in.n);
    return world_read_file(&w->world, arena_printf(mem, "%.*s%.*s", slash ? (int)(slash + 1 - in.p) : 0, in.p, (int)name.n, name.p), 1u << 24, mem, text, &f) == ERR_OK;
}

bool world_open(struct ref_world *w, const char *spec)
{
    struct fault f = {0};
    memset(w, 0, sizeof *w);
    world_real(&w->world);
    arena_init(&w->arena, 0);
    if (compile_open(&w->c, &w->world, spec, &f) != ERR_OK || w->c.diags.nerrors) return false;
    ref_open(&w->ref, w->c.ast, w->c.spec, &(const struct ref_files){read_csv, w}, &w->arena);
    return true;
}

void world_close(struct ref_world *w)
{
    for (struct world_table *t = w->tables; t != NULL; t = t->next) json_decref(t->rows);
    for (struct world_module *m = w->modules; m != NULL; m = m->next) {
        json_decref(m->records);
        json_decref(m->index);
    }
    compile_close(&w->c);
    arena_free(&w->arena);
}

static struct str kept(struct ref_world *w, const char *s) { return str_of(arena_copy(&w->arena, s, strlen(s))); }

static bool extend_all(json_t *list, const json_t *more)
{
    if (!json_is_array(more)) return false;
    for (size_t i = 0; i < json_array_size(more); i++) json_array_append(list, json_array_get(more, i));
    return true;
}

bool world_rows(struct ref_world *w, const char *company, const char *entity, const json_t *answer)
{
    struct world_table *t = w->tables;
    while (t != NULL && !(str_is(t->company, company) && str_is(t->entity, entity))) t = t->next;
    if (t == NULL) {
        t = ARENA_NEW(&w->arena, struct world_table);
        *t = (struct world_table){kept(w, company), kept(w, entity), json_array(), w->tables};
        w->tables = t;
    }
    return extend_all(t->rows, json_is_array(answer) ? answer : json_object_get(answer, "rows"));
}

bool world_records(struct ref_world *w, const char *module, const json_t *records)
{
    struct world_module *m = ARENA_NEW(&w->arena, struct world_module);
    *m = (struct world_module){kept(w, module), json_array(), json_object(), w->modules};
    w->modules = m;
    return extend_all(m->records, json_is_array(records) ? records : json_object_get(records, module));
}

static const json_t *rows_of(const struct ref_world *w, struct str company, const struct flow *f)
{
    for (const struct world_table *t = w->tables; t != NULL; t = t->next)
        if (str_eq(t->company, company) && str_eq(t->entity, f->entity->name)) return t->rows;
    return NULL;
}

void world__differs(struct ref_world *w, const struct flow *f, struct str key, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_printf(w->out, "%.*s %.*s: ", (int)f->name.n, f->name.p, (int)key.n, key.p);
    buf_vprintf(w->out, fmt, ap);
    buf_byte(w->out, '\n');
    va_end(ap);
    w->counts.differences++;
}

/* ---- one record ---- */

static const struct field *field_of(const struct flow *f, struct str name)
{
    for (size_t i = 0; i < f->nfields; i++)
        if (str_eq(f->fields[i]->column->name, name)) return f->fields[i];
    check_failed("a field of the flow", __FILE__, __LINE__);
}

static const json_t *member(const json_t *record, struct str name)
{
    char text[160];
    snprintf(text, sizeof text, "%.*s", (int)name.n, name.p);
    return json_object_get(record, text);
}

static void compare_field(struct ref_world *w, const struct flow *f, struct str company, struct str key, const struct ref_field *want, const json_t *record)
{
    const json_t *have = member(record, want->name);
    int mode = field_of(f, want->name)->mode;
    bool waits = false;
    struct buf b = {0};
    if (want->outcome == REF_KEEP || mode == MODE_ONCE) return;
    if (mode == MODE_FILL) {                             /* whatever is there was there first */
        if (want->value.kind != REF_ABSENT && (have == NULL || json_is_null(have))) world__differs(w, f, key, "%.*s is empty", (int)want->name.n, want->name.p);
        return;
    }
    w->counts.fields++;
    if (world__same(w, f, company, &want->value, have, &waits)) return;
    char *is = have ? json_dumps(have, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    ref_show(&b, &want->value);
    world__differs(w, f, key, "%.*s is %s, not %.*s%s", (int)want->name.n, want->name.p, is ? is : "not there", (int)b.n, b.p, waits ? ", which is not in Zoho" : "");
    free(is);
    buf_free(&b);
}

/* Any link of the row that leads to a record that is not there yet: it is waited for. */
static bool waits_for_another(struct ref_world *w, const struct flow *f, struct str company, const struct ref_result *r)
{
    bool waits = false;
    uint64_t links = w->counts.links;
    for (size_t i = 0; i < r->nfields && !waits; i++) {
        const struct ref_value *v = &r->fields[i].value;
        if (v->kind == REF_LINK) world__same(w, f, company, v, NULL, &waits);
        for (size_t k = 0; v->kind == REF_LIST && k < v->list->nlines * v->list->nfields; k++) {
            const struct ref_value *in = &v->list->lines[k / v->list->nfields].fields[k % v->list->nfields];
            if (in->kind == REF_LINK) world__same(w, f, company, in, NULL, &waits);
        }
    }
    w->counts.links = links;
    return waits;
}

static void compare_event(struct ref_world *w, const struct flow *f, enum ast_event event, struct str key, const json_t *record, const char *why)
{
    size_t n;
    struct ref_field *fields = ref_event(&w->ref, event, &w->arena, &n);
    bool waits;
    for (size_t i = 0; i < n; i++) {
        const json_t *have = member(record, fields[i].name);
        if (world__same(w, f, (struct str){"", 0}, &fields[i].value, have, &waits)) continue;
        char *is = have ? json_dumps(have, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        world__differs(w, f, key, "%s, but %.*s is %s", why, (int)fields[i].name.n, fields[i].name.p, is ? is : "not there");
        free(is);
    }
}

/* ---- a flow with records of its own ---- */

struct seen { json_t *keys; };        /* object: every key that a row has */

static void row_of_own(struct ref_world *w, const struct flow *f, struct str company, const json_t *in, struct seen *seen)
{
    struct arena mem;
    struct ref_row row;
    struct ref_result r;
    const json_t *record = NULL;
    char name[600];
    arena_init(&mem, 0);
    bool fits = world__row(w, f, in, &row);
    struct str key = ref_key(&w->ref, &mem, company, &row);
    snprintf(name, sizeof name, "%.*s", (int)key.n, key.p);
    json_object_set_new(seen->keys, name, json_true());
    size_t n = world__having(w, f->module->name, f->key->column->name, key, true, &record);
    if (fits) ref_run(&w->ref, &mem, &row, &r);
    if (n > 1) world__differs(w, f, key, "stands in Zoho %zu times", n);
    else if (!fits || r.reject) w->counts.rejected++;
    else if (r.skip) {
        w->counts.left++;
        if (n == 1) compare_event(w, f, EVENT_LEAVE, key, record, "left");
    } else if (n == 0) {
        if (waits_for_another(w, f, company, &r)) w->counts.waiting++;
        else world__differs(w, f, key, "is not in Zoho");
    } else {
        w->counts.records++;
        for (size_t i = 0; i < r.nfields; i++) compare_field(w, f, company, key, &r.fields[i], record);
    }
    arena_free(&mem);
}

/* "ABC~" or "flow~ABC~": how the keys of this flow's records of the company begin; empty: keys of its own. */
static struct str prefix_of(struct ref_world *w, const struct flow *f, struct str company)
{
    struct ref_value parts[REF_PARTS];
    for (size_t i = 0; i < REF_PARTS; i++) parts[i] = (struct ref_value){.kind = REF_TEXT, .text = {"", 0}};
    if (f->key_value) return (struct str){"", 0};
    struct str s = ref_key_of(&w->ref, f, &w->arena, company, parts, REF_PARTS);
    while (s.n > 1 && s.p[s.n - 1] == '~' && s.p[s.n - 2] == '~') s.n--;
    return s;
}

/* Records that no row of Sage has any more. */
static void left_behind(struct ref_world *w, const struct flow *f, struct str company, const struct seen *seen)
{
    struct str prefix = prefix_of(w, f, company);
    char field[160];
    snprintf(field, sizeof field, "%.*s", (int)f->key->column->name.n, f->key->column->name.p);
    for (const struct world_module *m = w->modules; m != NULL; m = m->next) {
        if (!str_eq(m->name, f->module->name)) continue;
        for (size_t i = 0; i < json_array_size(m->records); i++) {
            const json_t *record = json_array_get(m->records, i);
            const char *key = json_string_value(json_object_get(record, field));
            if (key == NULL || prefix.n == 0 || strncmp(key, prefix.p, prefix.n) != 0 || json_object_get(seen->keys, key)) continue;
            w->counts.deleted++;
            compare_event(w, f, EVENT_DELETE, str_of(key), record, "is not in Sage");
        }
    }
}

/* ---- a flow into another's records ---- */

static void row_into(struct ref_world *w, const struct flow *f, struct str company, const json_t *in)
{
    struct arena mem;
    struct ref_row row;
    struct ref_result r;
    const json_t *record = NULL;
    arena_init(&mem, 0);
    bool fits = world__row(w, f, in, &row);
    if (fits) ref_run(&w->ref, &mem, &row, &r);
    if (!fits || r.reject || r.into_rejects) w->counts.rejected++;
    else if (r.skip) w->counts.left++;
    else if (r.into.kind == REF_LINK) {
        struct str key = ref_key_of(&w->ref, f->into, &mem, company, r.into.link->values, r.into.link->n);
        size_t n = world__having(w, f->module->name, f->into->key->column->name, key, true, &record);
        w->counts.added += n == 1;
        w->counts.waiting += n == 0;
        for (size_t i = 0; n == 1 && i < r.nfields; i++) compare_field(w, f, company, key, &r.fields[i], record);
    }
    arena_free(&mem);
}

static void compare_company(struct ref_world *w, const struct flow *f, struct str company)
{
    const json_t *rows = rows_of(w, company, f);
    struct seen seen = {json_object()};
    for (size_t i = 0; i < json_array_size(rows); i++) {
        if (f->into) row_into(w, f, company, json_array_get(rows, i));
        else row_of_own(w, f, company, json_array_get(rows, i), &seen);
    }
    if (rows && !f->into) left_behind(w, f, company, &seen);
    json_decref(seen.keys);
}

void world_compare(struct ref_world *w, struct buf *out)
{
    w->out = out;
    for (const struct flow *f = w->c.spec->flows; f != NULL; f = f->next) {
        w->ref.flow = f;
        for (size_t c = 0; c < f->ncompanies || (c == 0 && f->ncompanies == 0); c++) compare_company(w, f, f->ncompanies ? f->companies[c] : (struct str){"", 0});
    }
}
