/* describe.c - the metadata of modules in the words of the lock file (docs/locks.md): what a spec may write, as this organisation has it.
 *
 *     zoho_field (data_type, length, ...) -> described_field (type of the language, its numbers)
 *
 * A field whose numbers Zoho does not tell, and every kind that a spec cannot write, is "other": it is known to exist, no more. */
#include "connectors/zoho/zoho.h"

static bool one_of(struct str type, const char *const *list)
{
    for (; *list; list++)
        if (str_is(type, *list)) return true;
    return false;
}

static void describe_choices(const struct zoho_field *z, struct arena *a, struct described_field *out)
{
    struct str *values = ARENA_ARRAY(a, struct str, z->npicks + 1);
    size_t n = 0;
    for (size_t i = 0; i < z->npicks; i++)
        if (!str_is(z->picks[i], "-None-")) values[n++] = z->picks[i];       /* Zoho's word for no choice */
    if (n == 0) return;
    out->type = "picklist";
    out->values = values;
    out->nvalues = n;
}

static void describe_number(const struct zoho_field *z, bool whole, struct described_field *out)
{
    int64_t scale = whole || z->decimals < 0 ? 0 : z->decimals;
    if (z->length < 1 || z->length > LIMIT_DECIMAL_DIGITS || scale > LIMIT_DECIMAL_SCALE || scale > z->length) return;
    out->type = "decimal";
    out->digits = (unsigned)z->length;
    out->scale = (unsigned)scale;
}

static void describe_type(const struct zoho_field *z, struct arena *a, struct described_field *out)
{
    static const char *const texts[] = {"text", "textarea", "mediumtext", "bigtext", "email", "phone", "website", NULL};
    static const char *const wholes[] = {"integer", "bigint", "long", NULL}, *const numbers[] = {"double", "currency", "percent", "number", NULL};
    static const char *const links[] = {"lookup", "ownerlookup", "userlookup", NULL};
    if (one_of(z->data_type, texts) && z->length > 0) {
        out->type = "text";
        out->length = z->length;
    } else if (str_is(z->data_type, "picklist")) describe_choices(z, a, out);
    else if (one_of(z->data_type, wholes)) describe_number(z, true, out);
    else if (one_of(z->data_type, numbers)) describe_number(z, false, out);
    else if (str_is(z->data_type, "boolean")) out->type = "bool";
    else if (str_is(z->data_type, "date")) out->type = "date";
    else if (str_is(z->data_type, "datetime")) out->type = "instant";
    else if (one_of(z->data_type, links) && z->lookup_module.n) {
        out->type = "link";
        out->module = z->lookup_module;
    }
}

static void describe_field(const struct zoho_field *z, struct arena *a, struct described_field *out)
{
    bool writable = !z->read_only && !z->autonumber;
    *out = (struct described_field){.name = z->name, .type = "other", .required = z->mandatory, .unique = z->unique, .custom = z->custom,
                                    .no_insert = !writable || !z->create, .no_update = !writable || !z->update};
    describe_type(z, a, out);
}

static enum err describe_module(struct target *t, struct str name, struct arena *a, const struct describe_sink *sink, struct fault *f)
{
    struct described_entity e = {.name = name};
    const struct zoho_module *there = zoho__module(t, name);
    struct zoho_module *m;
    if (!there || !there->supported) {
        e.missing = true;
    } else {
        enum err err = zoho__fields(t, name, &m, f);
        if (err != ERR_OK) return err;
        struct described_field *fields = ARENA_ARRAY(a, struct described_field, m->nfields + 1);
        for (size_t i = 0; i < m->nfields; i++) describe_field(&m->fields[i], a, &fields[i]);
        e.fields = fields;
        e.nfields = m->nfields;
    }
    sink->add(sink->ctx, &e);
    return ERR_OK;
}

static bool listed(const struct str *list, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i], name)) return true;
    return false;
}

enum err zoho__describe(struct target *t, const struct str *modules, size_t n, struct arena *a, struct str *edition, const struct describe_sink *sink,
                        struct fault *f)
{
    enum err e = zoho__org(t, f);
    if (e == ERR_OK) e = zoho__modules(t, f);
    if (e != ERR_OK) return e;
    *edition = t->meta.org.edition == ZOHO_EDITION_UNKNOWN ? (struct str){"", 0} : str_of(zoho__editions[t->meta.org.edition].name);
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        if (!zoho__is_users(modules[i]) && !listed(modules, i, modules[i])) e = describe_module(t, modules[i], a, sink, f);
    /* Standard modules that nobody asked for are told of only when the organisation lacks them: the spec shall not use them. */
    struct str name;
    for (size_t i = 0; e == ERR_OK && (name = zoho__standard_module(i)).n; i++) {
        const struct zoho_module *there = zoho__module(t, name);
        if (!listed(modules, n, name) && (!there || !there->supported)) e = describe_module(t, name, a, sink, f);
    }
    return e;
}
