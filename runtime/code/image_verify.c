/* image_verify.c - may this image be trusted? Structure here: types, constants, tables, endpoints, flows, fields, links, events;
 * the programs in image_verify_code.c. Security boundary between a compiled file and everything that runs it.
 *
 * The compiler calls this on what it made, image_load on what it read: the same rules, so a compiled file never fails at the customer
 * with a rule that CI did not apply. */
#include "code/image_types.h"
#include "base/check.h"
#include "value/date.h"
#include <stdlib.h>

#define FAULT(rule, ...) (image__fault(v, 0, rule, __VA_ARGS__), false)
enum { SETTINGS_MAX = 100, COMPANIES_MAX = 1000, LINKS_MAX = 500, LINK_FIELDS_MAX = 8, LISTS_MAX = 20 };

/* ---- types and values ---- */

static bool check_set(struct verifier *v, const struct type *t)
{
    for (size_t i = 0; i < t->nset; i++) {
        struct str s = t->set[i];
        size_t n = str_codepoints(s);
        if (s.n == 0 || !str_utf8_valid(s)) return FAULT("set-value", "value %zu of a set is empty or not UTF-8", i);
        if (n < t->min_len || n > t->max_len) return FAULT("set-length", "value %zu of a set is outside of the lengths of its type", i);
        if (i > 0 && str_cmp(t->set[i - 1], s) >= 0) return FAULT("set-order", "the values of a set are not sorted and distinct");
    }
    return true;
}

static bool check_decimal_type(struct verifier *v, const struct type *t)
{
    i128 end = decimal_pow10(LIMIT_DECIMAL_DIGITS);
    if (t->scale > LIMIT_DECIMAL_SCALE) return FAULT("decimal-scale", "scale %u", (unsigned)t->scale);
    if (t->lo > t->hi) return FAULT("decimal-range", "an empty range");
    return (t->lo > -end && t->hi < end) || FAULT("decimal-range", "a range of more than 38 digits");
}

static bool check_type(struct verifier *v, const struct type *t);

static bool check_shape(struct verifier *v, const struct list_shape *s)
{
    if (s->max_lines < 1 || s->max_lines > LIMIT_LINES) return FAULT("list-limit", "a list of %u lines", (unsigned)s->max_lines);
    if (s->n > LIMIT_COLUMNS) return FAULT("list-limit", "a list of %u columns", (unsigned)s->n);
    for (size_t i = 0; i < s->n; i++) {
        if (s->types[i].base == T_LIST) return FAULT("list-in-list", "a list inside a list");
        if (!check_type(v, &s->types[i])) return false;
        for (size_t k = 0; k < i; k++)
            if (str_eq(s->names[k], s->names[i])) return FAULT("name-twice", "a list names %.*s twice", (int)s->names[i].n, s->names[i].p);
        if (s->names[i].n == 0) return FAULT("name", "a column of a list without a name");
    }
    return true;
}

static bool check_new_type(struct verifier *v, const struct type *t)
{
    if (t->base == T_LIST) return check_shape(v, t->shape);
    if (t->base >= T_BASE_COUNT) return FAULT("type-base", "type base %u", (unsigned)t->base);
    if (t->base == T_DECIMAL) return check_decimal_type(v, t);
    if (t->base == T_BOOL && (t->yes.n > 0 || t->no.n > 0) && (t->yes.n == 0 || t->no.n == 0 || str_eq(t->yes, t->no)))
        return FAULT("bool-words", "a boolean needs two different spellings, or none");
    if (t->base != T_TEXT) return true;
    if (t->min_len < 1 || t->min_len > t->max_len || t->max_len > LIMIT_TEXT_CHARS)
        return FAULT("text-length", "text of %u to %u characters", (unsigned)t->min_len, (unsigned)t->max_len);
    return check_set(v, t);
}

static bool check_type(struct verifier *v, const struct type *t)
{
    bool hit;
    struct type_seen *seen = image__type_seen(v->seen, t, &hit);
    if (hit) return true;
    if (!check_new_type(v, t)) return false;
    *seen = (struct type_seen){*t, 0, true};
    return true;
}

/* A constant of the image: no link, no id; in the ranges that printers and arithmetic rely on. */
static bool check_value(struct verifier *v, const struct value *x)
{
    i128 end = decimal_pow10(LIMIT_DECIMAL_DIGITS);
    switch (x->kind) {
    case V_ABSENT:
    case V_BOOL:    return true;
    case V_TEXT:
        if (x->len > 0 && x->len <= 4 * LIMIT_TEXT_CHARS && str_utf8_valid(value_str(x))) return true;
        return FAULT("const-text", "a text that is empty, too long or not UTF-8");
    case V_DECIMAL:
        if (x->scale <= LIMIT_DECIMAL_SCALE && x->u.coef > -end && x->u.coef < end) return true;
        return FAULT("const-decimal", "a number of more than 38 digits or 12 decimals");
    case V_DATE:    return date_days_valid(x->u.i) || FAULT("const-date", "a date outside of the years 1 to 9999");
    case V_LOCAL:
    case V_INSTANT: return datetime_ms_valid(x->u.i) || FAULT("const-date", "a time outside of the years 1 to 9999");
    default:        return FAULT("const-kind", "a constant of kind %u", (unsigned)x->kind);
    }
}

static bool check_table(struct verifier *v, const struct image_table *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->keys[i].kind != V_TEXT) return FAULT("table-key", "key %zu is no text", i);
        if (!check_value(v, &t->keys[i]) || !check_value(v, &t->values[i])) return false;
        if (i > 0 && str_cmp(value_str(&t->keys[i - 1]), value_str(&t->keys[i])) >= 0)
            return FAULT("table-order", "the keys of a table are not sorted and distinct");
    }
    return !t->has_else || check_value(v, &t->else_value);
}

static bool check_pools(struct verifier *v, const struct image *im)
{
    for (size_t i = 0; i < im->nconsts; i++)
        if (!check_value(v, &im->consts[i])) return false;
    for (size_t i = 0; i < im->ntables; i++)
        if (!check_table(v, &im->tables[i])) return false;
    for (size_t i = 0; i < im->nmessages; i++)
        if (im->messages[i].n == 0 || !str_utf8_valid(im->messages[i])) return FAULT("message", "message %zu is empty or not UTF-8", i);
    return true;
}

/* ---- endpoints ---- */

static bool has_endpoint(const struct image_endpoint *e, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(e[i].name, name)) return true;
    return false;
}

static bool check_endpoints(struct verifier *v, const struct image_endpoint *e, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (e[i].name.n == 0 || e[i].kind.n == 0) return FAULT("endpoint-name", "a source or target without name or kind");
        if (has_endpoint(e, i, e[i].name)) return FAULT("endpoint-twice", "%.*s is declared twice", (int)e[i].name.n, e[i].name.p);
        if (e[i].nsettings > SETTINGS_MAX) return FAULT("setting-limit", "%zu settings", e[i].nsettings);
        for (size_t k = 0; k < e[i].nsettings; k++) {
            if (e[i].settings[k].name.n == 0) return FAULT("setting-name", "a setting without a name");
            if (e[i].settings[k].kind > SETTING_FILE) return FAULT("setting-kind", "a setting of kind %d", (int)e[i].settings[k].kind);
        }
    }
    return true;
}

/* ---- flows ---- */

static int by_text(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

/* All names filled and distinct. */
static bool check_names(struct verifier *v, struct str *names, size_t n, const char *what)
{
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++) {
        if (names[i].n == 0) return FAULT("name", "a %s without a name", what);
        if (i > 0 && str_eq(names[i - 1], names[i])) return FAULT("name-twice", "%s %.*s stands twice", what, (int)names[i].n, names[i].p);
    }
    return true;
}

static bool check_columns(struct verifier *v, const struct image_flow *f)
{
    struct str names[LIMIT_COLUMNS];
    if (f->ncolumns > LIMIT_COLUMNS) return FAULT("column-limit", "%zu columns", f->ncolumns);
    for (size_t i = 0; i < f->ncolumns; i++) {
        names[i] = f->columns[i].name;
        if (!check_type(v, &f->columns[i].type)) return false;
        if (f->columns[i].type.base == T_LINK) return FAULT("column-type", "a column that is a link");
        const struct list_shape *s = f->columns[i].type.base == T_LIST ? f->columns[i].type.shape : NULL;
        for (size_t k = 0; s && k < s->n; k++)
            if (s->types[k].base == T_LINK) return FAULT("column-type", "a column of a list that is a link");
    }
    return check_names(v, names, f->ncolumns, "column");
}

static bool check_keys(struct verifier *v, const struct image_flow *f)
{
    if (f->nkeys < 1 || f->nkeys > LIMIT_KEY_PARTS) return FAULT("key-parts", "a key of %zu parts", f->nkeys);
    for (size_t i = 0; i < f->nkeys; i++) {
        if (f->key_columns[i] >= f->ncolumns) return FAULT("key-column", "key part %zu is column %u", i, (unsigned)f->key_columns[i]);
        if (f->columns[f->key_columns[i]].type.base == T_LIST) return FAULT("key-column", "key part %zu is a list", i);
        if (f->columns[f->key_columns[i]].type.optional) return FAULT("key-absent", "key part %zu may be absent", i);
        for (size_t k = 0; k < i; k++)
            if (f->key_columns[k] == f->key_columns[i]) return FAULT("key-twice", "key parts %zu and %zu are the same column", k, i);
    }
    return true;
}

static bool check_field(struct verifier *v, const struct image_flow *f, const struct image_field *d)
{
    if (!check_type(v, &d->type)) return false;
    if (d->mode > FIELD_EVENT) return FAULT("field-mode", "field %.*s has mode %d", (int)d->name.n, d->name.p, (int)d->mode);
    if ((d->type.base == T_LIST) != (d->lines != 0)) return FAULT("field-lines", "field %.*s is a list without a site, or the reverse", (int)d->name.n, d->name.p);
    if (d->lines != 0 && (v->body || d->lines > f->nlines || d->mode != FIELD_SET))
        return FAULT("field-lines", "field %.*s has list site %u", (int)d->name.n, d->name.p, (unsigned)d->lines);
    for (size_t k = 0; k < d->nreads; k++)
        if (d->reads[k] >= f->ncolumns) return FAULT("field-reads", "field %.*s reads column %u", (int)d->name.n, d->name.p, (unsigned)d->reads[k]);
    return true;
}

static bool check_fields(struct verifier *v, const struct image_flow *f)
{
    struct str names[LIMIT_FIELDS];
    if (f->nfields > LIMIT_FIELDS) return FAULT("field-limit", "%zu fields", f->nfields);
    for (size_t i = 0; i < f->nfields; i++) {
        const struct image_field *d = &f->fields[i];
        names[i] = d->name;
        if (!check_field(v, f, d)) return false;
        if ((d->mode == FIELD_KEY) != (!f->into && i == f->key_field)) return FAULT("key-field", "exactly the key field has the mode KEY");
    }
    if (f->into) return f->key_field == 0 ? check_names(v, names, f->nfields, "field") : FAULT("key-field", "a flow into another one has a key field");
    if (f->key_field >= f->nfields) return FAULT("key-field", "the key field is field %u of %zu", (unsigned)f->key_field, f->nfields);
    if (f->fields[f->key_field].type.base != T_TEXT) return FAULT("key-field", "the key field is no text");
    return check_names(v, names, f->nfields, "field");
}

static bool check_event(struct verifier *v, const struct image_flow *f, const struct image_event *e)
{
    char why[100];
    if (!e->present && e->n > 0) return FAULT("event", "values for an event that is not there");
    for (size_t i = 0; i < e->n; i++) {
        if (e->fields[i] >= f->nfields || (!f->into && e->fields[i] == f->key_field)) return FAULT("event-field", "an event sets field %u", (unsigned)e->fields[i]);
        const struct image_field *d = &f->fields[e->fields[i]];
        if (!check_value(v, &e->values[i])) return false;
        if (!type_admits(&d->type, &e->values[i], why, sizeof why)) return FAULT("event-type", "%.*s %s", (int)d->name.n, d->name.p, why);
        for (size_t k = 0; k < i; k++)
            if (e->fields[k] == e->fields[i]) return FAULT("event-twice", "an event sets %.*s twice", (int)d->name.n, d->name.p);
    }
    return true;
}

static bool check_links(struct verifier *v, const struct image_flow *f)
{
    if (f->nlinks > LINKS_MAX) return FAULT("link-limit", "%zu link sites", f->nlinks);
    for (size_t i = 0; i < f->nlinks; i++) {
        const struct image_link *k = &f->links[i];
        if (k->kind != LINK_FIND && k->kind != LINK_REF) return FAULT("link-kind", "link site %zu is of kind %d", i, (int)k->kind);
        if (!has_endpoint(v->im->targets, v->im->ntargets, k->target)) return FAULT("link-target", "link site %zu leads to no target", i);
        if (k->module.n == 0) return FAULT("link-module", "link site %zu leads to no module", i);
        if (k->kind == LINK_FIND && k->field.n == 0) return FAULT("link-field", "link site %zu looks for no field", i);
        if (k->nmore > (k->kind == LINK_FIND ? LINK_FIELDS_MAX - 1u : 0u)) return FAULT("link-field", "link site %zu looks for %zu more fields", i, k->nmore);
        for (size_t j = 0; j < k->nmore; j++)
            if (k->more[j].n == 0 || str_eq(k->more[j], k->field)) return FAULT("link-field", "link site %zu looks for a field twice, or for none", i);
        if (k->kind == LINK_FIND && k->flow != 0) return FAULT("link-flow", "link site %zu is a find with a flow", i);
        if (k->kind == LINK_FIND) continue;
        if (k->flow >= v->im->nflows) return FAULT("link-flow", "link site %zu leads to flow %u", i, (unsigned)k->flow);
        if (!str_eq(v->im->flows[k->flow].module, k->module)) return FAULT("link-module", "link site %zu and its flow name two modules", i);
    }
    return true;
}

/* What a list site makes is what its field holds: the body's fields in their order. */
static bool check_body_fields(struct verifier *v, const struct image_flow *body)
{
    struct str names[LIMIT_FIELDS];
    if (body->nfields < 1 || body->nfields > LIMIT_FIELDS) return FAULT("field-limit", "%zu fields of a line", body->nfields);
    for (size_t i = 0; i < body->nfields; i++) {
        names[i] = body->fields[i].name;
        if (!check_field(v, body, &body->fields[i])) return false;
        if (body->fields[i].mode != FIELD_SET) return FAULT("field-mode", "a field of a line that is not simply set");
    }
    return check_names(v, names, body->nfields, "field");
}

/* A body sees the columns of its flow, then those of its list. The loader makes it so; the compiler's own work is held against it too. */
static bool check_body_columns(struct verifier *v, const struct image_flow *f, const struct image_lines *l)
{
    const struct list_shape *s = f->columns[l->column].type.shape;
    if (l->body->ncolumns != f->ncolumns + s->n) return FAULT("list-column", "a list site sees %zu columns", l->body->ncolumns);
    for (size_t i = 0; i < l->body->ncolumns; i++) {
        const struct image_column *c = &l->body->columns[i];
        bool header = i < f->ncolumns;
        struct str name = header ? f->columns[i].name : s->names[i - f->ncolumns];
        const struct type *t = header ? &f->columns[i].type : &s->types[i - f->ncolumns];
        bool key = header ? f->columns[i].key : (s->flags[i - f->ncolumns] & LIST_KEY) != 0;
        if (!str_eq(c->name, name) || c->key != key || !type_fits(&c->type, t) || !type_fits(t, &c->type))
            return FAULT("list-column", "column %zu of a list site is another than that of its flow", i);
    }
    return true;
}

static bool check_lines(struct verifier *v, const struct image_flow *f)
{
    if (f->nlines > LISTS_MAX) return FAULT("list-limit", "%zu list sites", f->nlines);
    for (size_t i = 0; i < f->nlines; i++) {
        const struct image_lines *l = &f->lines[i];
        if (l->column >= f->ncolumns || f->columns[l->column].type.base != T_LIST) return FAULT("list-column", "list site %zu runs over column %u", i, (unsigned)l->column);
        if (l->max_lines < 1 || l->max_lines > LIMIT_LINES) return FAULT("list-limit", "list site %zu makes %u lines", i, (unsigned)l->max_lines);
        if (l->too_many >= v->im->nmessages || l->twice >= v->im->nmessages) return FAULT("message", "a message of list site %zu is not there", i);
        if (!check_body_columns(v, f, l)) return false;
        v->body = true;
        bool ok = check_body_fields(v, l->body) && check_links(v, l->body);
        v->body = false;
        if (!ok) return false;
    }
    return true;
}

/* Another flow, of the same module, that has records of its own. */
static bool check_into(struct verifier *v, const struct image_flow *f)
{
    if (f->into == 0) return (f->into_program.ninstr == 0 && f->into_program.cost == 0 && f->into_program.scratch_bytes == 0) || FAULT("into", "a program of an into that is not there");
    if (f->into > v->im->nflows || f->into == v->flow + 1u) return FAULT("into", "into flow %u", (unsigned)f->into);
    const struct image_flow *to = &v->im->flows[f->into - 1];
    if (to->into || !str_eq(to->module, f->module) || !str_eq(to->target, f->target)) return FAULT("into", "the flow that is added to has no records of its own, or others");
    if (f->adopt || f->key_program.ninstr || f->key_with_flow) return FAULT("into", "a flow into another one has a key or an adopt rule");
    return f->into_program.ninstr > 0 || FAULT("into", "which record is not said");
}

static bool check_schedule(struct verifier *v, const struct image_flow *f)
{
    const int64_t year_ms = INT64_C(366) * 86400000;
    if (f->every_ms < 1 || f->every_ms > year_ms) return FAULT("schedule", "every %lld ms", (long long)f->every_ms);
    if (f->reread_ms < 0 || f->reread_ms > 10 * year_ms) return FAULT("schedule", "reread every %lld ms", (long long)f->reread_ms);
    return f->fuse_percent <= 10000 || FAULT("fuse", "a fuse of more than 100 %%");
}

static bool check_flow_head(struct verifier *v, const struct image_flow *f)
{
    if (f->entity.n == 0 || f->module.n == 0) return FAULT("flow-ends", "a flow without entity or module");
    if (!has_endpoint(v->im->sources, v->im->nsources, f->source)) return FAULT("flow-source", "the flow reads from no source");
    if (!has_endpoint(v->im->targets, v->im->ntargets, f->target)) return FAULT("flow-target", "the flow writes to no target");
    if (f->ncompanies > COMPANIES_MAX) return FAULT("company-limit", "%zu companies", f->ncompanies);
    for (size_t i = 0; i < f->ncompanies; i++)
    {
        if (f->companies[i].n == 0) return FAULT("company", "an empty company code");
        if (!has_endpoint(v->im->sources, v->im->nsources, f->company_sources[i])) return FAULT("flow-source", "company %zu is read from no source", i);
        for (size_t k = 0; k < i; k++)
            if (str_eq(f->companies[k], f->companies[i])) return FAULT("company", "company %zu stands twice", i);
    }
    return check_schedule(v, f);
}

static bool check_structure(struct verifier *v, const struct image_flow *f)
{
    return check_flow_head(v, f) && check_columns(v, f) && check_keys(v, f) && check_fields(v, f) && check_event(v, f, &f->on_leave) &&
           check_event(v, f, &f->on_delete) && check_links(v, f) && check_lines(v, f) && check_into(v, f);
}

static bool check_registers(struct verifier *v, const struct image_flow *f)
{
    if (f->nregisters > LIMIT_REGISTERS) return FAULT("register-limit", "%zu registers", f->nregisters);
    for (size_t i = 0; i < f->nregisters; i++)
        if (!check_type(v, f->registers[i])) return false;
    return true;
}

/* The bodies of list sites first: what they cost is part of what the mapping costs. */
static bool check_bodies(struct verifier *v, const struct image_flow *f)
{
    bool ok = true;
    v->body = true;
    for (size_t i = 0; i < f->nlines && ok; i++) {
        const struct image_flow *b = v->fl = f->lines[i].body;
        ok = check_registers(v, b) && (b->when.ninstr > 0 || (b->when.cost == 0 && b->when.scratch_bytes == 0) || FAULT("program-empty", "no filter, but it costs")) &&
             (b->when.ninstr == 0 || image__verify_program(v, &b->when, PROGRAM_WHEN)) && image__verify_program(v, &b->map, PROGRAM_MAP) &&
             image__verify_program(v, &b->key_program, PROGRAM_KEY);
    }
    v->body = false;
    v->fl = f;
    return ok;
}

static bool check_programs(struct verifier *v, const struct image_flow *f)
{
    if (!check_bodies(v, f) || !check_registers(v, f)) return false;
    if (f->adopt != (f->adopt_program.ninstr > 0) || f->adopt != (f->adopt_field.n > 0))
        return FAULT("adopt", "adopt needs a field and a program, or neither");
    if (f->when.ninstr > 0 ? !image__verify_program(v, &f->when, PROGRAM_WHEN) : f->when.cost || f->when.scratch_bytes)
        return FAULT("program-empty", "no filter, but it costs");
    if (!image__verify_program(v, &f->map, PROGRAM_MAP)) return false;
    if (f->key_program.ninstr > 0 ? !image__verify_program(v, &f->key_program, PROGRAM_KEY) : f->key_program.cost || f->key_program.scratch_bytes)
        return FAULT("program-empty", "no key of its own, but it costs");
    if (f->into && !image__verify_program(v, &f->into_program, PROGRAM_INTO)) return false;
    if (f->adopt) return image__verify_program(v, &f->adopt_program, PROGRAM_ADOPT);
    return (f->adopt_program.cost == 0 && f->adopt_program.scratch_bytes == 0) || FAULT("program-empty", "no adopt rule, but it costs");
}

static bool check_flow_names(struct verifier *v)
{
    struct str names[LIMIT_FLOWS];
    for (size_t i = 0; i < v->im->nflows; i++) names[i] = v->im->flows[i].name;
    return check_names(v, names, v->im->nflows, "flow");
}

static bool refers_back(struct verifier *v, uint16_t k, const struct image_flow *f, const bool *done)
{
    for (size_t j = 0; j < f->nlinks; j++) {
        const struct image_link *l = &f->links[j];
        if (l->kind == LINK_REF && l->flow != k && !done[l->flow]) return FAULT("flow-order", "flow %u refers to flow %u, which comes later", (unsigned)k, (unsigned)l->flow);
    }
    return true;
}

/* Every flow once, and whom it refers to before it. */
static bool check_order(struct verifier *v)
{
    const struct image *im = v->im;
    bool done[LIMIT_FLOWS] = {false};
    for (size_t i = 0; i < im->nflows; i++) {
        uint16_t k = im->order[i];
        if (k >= im->nflows || done[k]) return FAULT("flow-order", "place %zu of the order is flow %u", i, (unsigned)k);
        if (im->flows[k].into && !done[im->flows[k].into - 1]) return FAULT("flow-order", "flow %u adds to a flow that comes later", (unsigned)k);
        bool after = refers_back(v, k, &im->flows[k], done);
        for (size_t j = 0; j < im->flows[k].nlines && after; j++) after = refers_back(v, k, im->flows[k].lines[j].body, done);
        if (!after) return false;
        done[k] = true;
    }
    return true;
}

static bool check_image(struct verifier *v)
{
    const struct image *im = v->im;
    if (im->spec.n == 0 || im->edition.n == 0) return FAULT("head", "a spec without name or edition");
    if (im->nflows > LIMIT_FLOWS) return FAULT("flow-limit", "%zu flows", im->nflows);
    if (!check_endpoints(v, im->sources, im->nsources) || !check_endpoints(v, im->targets, im->ntargets)) return false;
    if (!check_pools(v, im) || !check_flow_names(v)) return false;
    /* All structure first: a program may look at the key of another flow. */
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < im->nflows; i++) {
            v->flow = (uint16_t)i;
            v->fl = &im->flows[i];
            if (pass == 0 ? !check_structure(v, v->fl) : !check_programs(v, v->fl)) return false;
        }
    return check_order(v);
}

enum err image_verify(const struct image *im, struct arena *scratch, struct image_fault *why)
{
    struct verifier v = {.im = im, .scratch = scratch, .seen = ARENA_ARRAY(scratch, struct type_seen, TYPES_SEEN), .why = why};
    *why = (struct image_fault){0};
    bool ok = check_image(&v);
    ASSERT(ok == (why->err == ERR_OK));
    return why->err;
}
