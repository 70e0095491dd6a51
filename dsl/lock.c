/* lock.c - reads lock files with the record scanner; unknown members are skipped, so that a later mlcd may say more. What is said twice, or
 * half, is refused: a file that was mended by hand must not mean less than it says.
 *
 *   {"edition":"professional","modules":{"Accounts":{"fields":{"Account_Name":{"length":200,"required":true,"type":"text"}, ...}}},"version":1}
 *   {"tables":{"AR_Customer":{"columns":{"UDF_REGION":{"custom":true,"length":10,"type":"text"}, ...},"key":[...]}},"version":1}
 */
#include "dsl/lock.h"
#include "base/check.h"
#include "base/limits.h"
#include "dsl/types.h"
#include "value/json.h"
#include <stdlib.h>
#include <stdarg.h>
#include <stdio.h>

struct parse { struct json_scanner js; struct arena *a; struct lock_fault *why; const char *entities, *fields, *entity; };
struct facts { struct str type; int64_t length, digits, scale; struct str *values; size_t nvalues; };

static uint32_t here(const struct parse *p)
{
    return (uint32_t)(p->js.p - p->js.start);
}

__attribute__((format(printf, 2, 3)))
static bool fault(struct parse *p, const char *fmt, ...)
{
    va_list ap;
    if (p->why->text[0]) return false;
    va_start(ap, fmt);
    vsnprintf(p->why->text, sizeof p->why->text, fmt, ap);
    va_end(ap);
    p->why->at = here(p);
    return false;
}

static enum json_token next(struct parse *p)
{
    enum json_token t = json_next(&p->js);
    if (t == JSON_ERROR && !p->why->text[0]) {
        snprintf(p->why->text, sizeof p->why->text, "not JSON: %s", p->js.error);
        p->why->at = (uint32_t)p->js.error_at;
    }
    return t;
}

/* Doubles an arena array when n has reached its capacity (a power of two). */
static void *grown(struct arena *a, void *v, size_t n, size_t size)
{
    if (n != 0 && (n & (n - 1)) != 0) return v;
    void *w = arena_alloc(a, size * (n ? n * 2 : 1));
    if (n) memcpy(w, v, n * size);
    return w;
}

static bool read_flag(struct parse *p, bool *out)
{
    enum json_token t = next(p);
    if (t != JSON_TRUE && t != JSON_FALSE) return fault(p, "expected true or false");
    *out = t == JSON_TRUE;
    return true;
}

static bool read_number(struct parse *p, int64_t *out)
{
    if (next(p) != JSON_NUMBER || !str_to_i64(p->js.text, out) || *out < 0 || *out > 1000000) return fault(p, "expected a whole number");
    return true;
}

static bool read_text(struct parse *p, struct str *out)
{
    if (next(p) != JSON_STRING) return fault(p, "expected a text");
    *out = (struct str){arena_copy(p->a, p->js.text.p, p->js.text.n), p->js.text.n};
    return true;
}

static bool read_values(struct parse *p, struct facts *f)
{
    if (next(p) != JSON_ARRAY) return fault(p, "expected a list of texts");
    for (;;) {
        enum json_token t = next(p);
        if (t == JSON_ARRAY_END) return true;
        if (t != JSON_STRING) return fault(p, "expected a list of texts");
        if (p->js.text.n == 0) continue;      /* an empty choice is Zoho's way to say none */
        f->values = grown(p->a, f->values, f->nvalues, sizeof *f->values);
        f->values[f->nvalues++] = (struct str){arena_copy(p->a, p->js.text.p, p->js.text.n), p->js.text.n};
    }
}

/* The kinds of zoho.lock and sage.lock that no rule can use. */
static bool is_opaque(struct str type) { return str_is(type, "other") || str_is(type, "lines"); }

/* The type that the members describe; out->type.optional was set from "required". */
static bool build_type(struct parse *p, const struct facts *f, struct lock_field *out)
{
    struct type *t = &out->type;
    bool optional = t->optional;
    out->known_type = true;
    if (str_is(f->type, "text")) {
        if (f->length < 1) return fault(p, "a text needs its \"length\"");
        *t = type_text(1, f->length > TYPES_MAX_TEXT ? TYPES_MAX_TEXT : (uint32_t)f->length);
    } else if (str_is(f->type, "picklist")) {
        if (f->nvalues == 0 || f->nvalues > UINT16_MAX) return fault(p, "a picklist field needs its \"values\"");
        *t = types_of_set(p->a, f->values, f->nvalues);
        t->min_len = 1;
    } else if (str_is(f->type, "decimal")) {
        if (f->digits < 1 || f->digits > LIMIT_DECIMAL_DIGITS || f->scale > LIMIT_DECIMAL_SCALE || f->scale > f->digits)
            return fault(p, "a decimal field needs \"digits\" and \"scale\"");
        *t = type_decimal((unsigned)f->digits, (unsigned)f->scale);
    } else if (str_is(f->type, "bool")) t->base = T_BOOL;
    else if (str_is(f->type, "date")) t->base = T_DATE;
    else if (str_is(f->type, "instant")) t->base = T_INSTANT;
    else if (str_is(f->type, "link")) {
        if (out->link_module.n == 0) return fault(p, "a link needs its \"module\"");
        t->base = T_LINK;
    } else if (is_opaque(f->type)) {
        out->known_type = false;
        out->lines = str_is(f->type, "lines");
    }
    else if (f->type.n == 0) return fault(p, "\"%.*s\" has no \"type\"", (int)out->name.n, out->name.p);
    else return fault(p, "\"%.*s\" is no type of a lock file", (int)f->type.n, f->type.p);
    t->optional = optional;
    return true;
}

static bool read_field(struct parse *p, struct lock_field *out)
{
    struct facts f = {0};
    bool required = false;
    out->on_insert = out->on_update = true;
    if (next(p) != JSON_OBJECT) return fault(p, "expected an object for field %.*s", (int)out->name.n, out->name.p);
    for (;;) {
        enum json_token t = next(p);
        if (t == JSON_OBJECT_END) break;
        if (t != JSON_NAME) return fault(p, "expected a member");
        struct str name = p->js.text;
        bool ok = str_is(name, "type") ? read_text(p, &f.type) : str_is(name, "length") ? read_number(p, &f.length)
                : str_is(name, "digits") ? read_number(p, &f.digits) : str_is(name, "scale") ? read_number(p, &f.scale)
                : str_is(name, "values") ? read_values(p, &f) : str_is(name, "module") ? read_text(p, &out->link_module)
                : str_is(name, "required") ? read_flag(p, &required) : str_is(name, "unique") ? read_flag(p, &out->unique)
                : str_is(name, "on_insert") ? read_flag(p, &out->on_insert) : str_is(name, "on_update") ? read_flag(p, &out->on_update)
                : str_is(name, "custom") ? read_flag(p, &out->custom) : str_is(name, "partial") ? read_flag(p, &out->partial) : json_skip(&p->js, next(p));
        if (!ok) return fault(p, "the value does not fit its name");
    }
    out->type.optional = !required;
    return build_type(p, &f, out);
}

static int order_field(const void *a, const void *b)
{
    return str_cmp(((const struct lock_field *)a)->name, ((const struct lock_field *)b)->name);
}

/* Where a member's name begins, just behind it and its colon. */
static uint32_t name_at(const struct parse *p, struct str name)
{
    uint32_t at = here(p);
    return at > name.n + 2 ? at - (uint32_t)name.n - 2 : 0;
}

static bool read_fields(struct parse *p, struct lock_module *m)
{
    struct lock_field *v = NULL;
    size_t n = 0;
    if (next(p) != JSON_OBJECT) return fault(p, "\"%s\" must be an object", p->fields);
    for (;;) {
        enum json_token t = next(p);
        if (t == JSON_OBJECT_END) break;
        if (t != JSON_NAME) return fault(p, "expected a name");
        v = grown(p->a, v, n, sizeof *v);
        memset(&v[n], 0, sizeof v[n]);
        v[n].name = (struct str){arena_copy(p->a, p->js.text.p, p->js.text.n), p->js.text.n};
        v[n].at = name_at(p, v[n].name);
        if (v[n].name.n == 0) return fault(p, "a field of %.*s has no name", (int)m->name.n, m->name.p);
        if (!read_field(p, &v[n])) return false;
        n++;
    }
    if (n) qsort(v, n, sizeof *v, order_field);
    for (size_t i = 1; i < n; i++)
        if (str_eq(v[i].name, v[i - 1].name)) return fault(p, "\"%.*s\" stands twice in %.*s", (int)v[i].name.n, v[i].name.p, (int)m->name.n, m->name.p);
    m->fields = v;
    m->nfields = n;
    return true;
}

static bool read_module(struct parse *p, struct lock_module *m)
{
    enum json_token t = next(p);
    bool fields = false;
    if (t == JSON_NULL) {
        m->missing = true;
        return true;
    }
    if (t != JSON_OBJECT) return fault(p, "expected an object or null for %s %.*s", p->entity, (int)m->name.n, m->name.p);
    while ((t = next(p)) == JSON_NAME) {
        bool mine = str_is(p->js.text, p->fields);
        if (mine && fields) return fault(p, "\"%s\" stands twice", p->fields);
        fields = fields || mine;
        if (!(mine ? read_fields(p, m) : json_skip(&p->js, next(p)))) return fault(p, "bad member");
    }
    if (t != JSON_OBJECT_END) return fault(p, "expected a member");
    return fields || fault(p, "%s %.*s has no \"%s\"; null says that it is not there", p->entity, (int)m->name.n, m->name.p, p->fields);
}

static bool read_modules(struct parse *p, struct lock *out)
{
    struct lock_module *v = NULL;
    size_t n = 0;
    enum json_token t = next(p);
    if (t != JSON_OBJECT) return fault(p, "\"%s\" must be an object", p->entities);
    while ((t = next(p)) == JSON_NAME) {
        v = grown(p->a, v, n, sizeof *v);
        memset(&v[n], 0, sizeof v[n]);
        v[n].name = (struct str){arena_copy(p->a, p->js.text.p, p->js.text.n), p->js.text.n};
        v[n].at = name_at(p, v[n].name);
        if (v[n].name.n == 0) return fault(p, "a %s has no name", p->entity);
        for (size_t i = 0; i < n; i++)
            if (str_eq(v[i].name, v[n].name)) return fault(p, "%s %.*s stands twice", p->entity, (int)v[n].name.n, v[n].name.p);
        if (!read_module(p, &v[n])) return false;
        n++;
    }
    out->modules = v;
    out->nmodules = n;
    return t == JSON_OBJECT_END ? true : fault(p, "expected the name of a %s", p->entity);
}

bool lock_parse(struct str text, enum lock_side side, struct arena *a, struct lock *out, struct lock_fault *why)
{
    struct parse p = {.a = a, .why = why, .entities = "modules", .fields = "fields", .entity = "module"};
    if (side == LOCK_SOURCE) p = (struct parse){.a = a, .why = why, .entities = "tables", .fields = "columns", .entity = "table"};
    int64_t version = 0;
    enum json_token t;
    memset(out, 0, sizeof *out);
    memset(why, 0, sizeof *why);
    json_init(&p.js, text, a);
    if (next(&p) != JSON_OBJECT) return fault(&p, "expected an object");
    while ((t = next(&p)) == JSON_NAME) {
        struct str name = p.js.text;
        bool ok = str_is(name, "edition") ? read_text(&p, &out->edition) : str_is(name, p.entities) ? read_modules(&p, out)
                : str_is(name, "version") ? read_number(&p, &version) : json_skip(&p.js, next(&p));
        if (!ok) return fault(&p, "bad member");
    }
    if (t != JSON_OBJECT_END) return fault(&p, "expected a member");
    if (version != 1) return fault(&p, "this compiler reads \"version\": 1 of lock files");
    return true;
}

const struct lock_module *lock_module(const struct lock *l, struct str name)
{
    for (size_t i = 0; i < l->nmodules; i++)
        if (str_eq(l->modules[i].name, name)) return &l->modules[i];
    return NULL;
}

const struct lock_field *lock_field(const struct lock_module *m, struct str name)
{
    size_t lo = 0, hi = m->nfields;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = str_cmp(m->fields[mid].name, name);
        if (c == 0) return &m->fields[mid];
        if (c < 0) lo = mid + 1;
        else hi = mid;
    }
    return NULL;
}
