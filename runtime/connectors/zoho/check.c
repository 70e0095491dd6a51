/* check.c - a flow's fields against the organisation as it is, before the first write: every finding, not only the first.
 *
 *     scopes -> organisation, edition -> per module: there, writable -> per field: there, type, length, decimals, values, unique, writable
 *
 * A FAIL would make records be refused (or, with an unknown field name, be silently incomplete): facts/zoho-crm.md 4.3, 12, 13. */
#include "connectors/zoho/zoho.h"
#include <stdio.h>

struct checking { struct target *t; const struct finding_sink *sink; unsigned failed; struct fault halted; struct arena arena; };

/* Errors that are nobody's configuration: the check could not be made. They go straight up, and a service tries again. An answer that cannot be read
 * (a proxy's page, a body that ends in the middle) says nothing of the organisation either. */
static bool passing(enum err e)
{
    return e == ERR_BUSY || e == ERR_BUDGET || e == ERR_UNREACHABLE || e == ERR_STOPPED || e == ERR_PROTOCOL;
}

/* A token that was good a moment ago and is refused now is no finding about the organisation: a service tries again with another one. */
static bool halts(enum err e) { return passing(e) || e == ERR_AUTH; }

__attribute__((format(printf, 4, 5)))
static void report(struct checking *c, enum finding_level level, const char *what, const char *fmt, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct finding f = {level, what, text, 0};
    c->failed += level == FINDING_FAIL;
    c->sink->add(c->sink->ctx, &f);
}

/* ---- scopes, organisation ---- */

static void check_scopes(struct checking *c)
{
    const char *have = c->t->oauth.token.scopes;
    if (!have[0]) return;                                    /* the token answer did not list them */
    struct str missing = zoho__missing_scopes(str_of(have), STR(ZOHO_SCOPES), &c->arena);
    if (missing.n)
        report(c, FINDING_WARN, "scopes", "the consent may lack %s: if a call is refused, give consent anew with all scopes (mlcd auth %s)",
               missing.p, c->t->pool);
}

static void check_org(struct checking *c)
{
    struct fault f = {ERR_OK, ""};
    enum zoho_edition said = c->t->edition;
    if (zoho__org(c->t, &f) != ERR_OK) {
        if (halts(f.err)) c->halted = f;
        else report(c, FINDING_FAIL, "organisation", "%s", f.text);
        return;
    }
    const struct zoho_org *o = &c->t->meta.org;
    const char *is = zoho__editions[o->edition].name;
    if (o->trial)
        report(c, FINDING_WARN, "edition", "the organisation is on a trial of %s%s%s; afterwards modules and credits may shrink", is,
               o->trial_expiry.n ? " until " : "", o->trial_expiry.n ? o->trial_expiry.p : "");
    if (!c->t->edition_set || o->edition == ZOHO_EDITION_UNKNOWN) return;
    const char *spec = zoho__editions[said].name;
    if (zoho__editions[o->edition].rank < zoho__editions[said].rank)
        report(c, FINDING_FAIL, "edition", "the spec says %s, the organisation has %s: modules and limits differ; set `edition = %s` and build again",
               spec, is, is);
    else if (zoho__editions[o->edition].rank > zoho__editions[said].rank)
        report(c, FINDING_OK, "edition", "the spec says %s, the organisation has %s, which holds more", spec, is);
    else
        report(c, FINDING_OK, "edition", "%s", is);
}

/* ---- fields ---- */

static bool one_of(struct str type, const char *const *list)
{
    for (; *list; list++)
        if (str_is(type, *list)) return true;
    return false;
}

bool zoho__type_goes(const struct type *t, struct str data_type)
{
    static const char *const numbers[] = {"integer", "bigint", "long", "double", "currency", "percent", "number", NULL};
    static const char *const texts[] = {"text", "textarea", "mediumtext", "website", "email", "phone", "picklist", "bigtext", NULL};
    static const char *const bools[] = {"boolean", NULL}, *const dates[] = {"date", NULL}, *const instants[] = {"datetime", NULL};
    static const char *const links[] = {"lookup", "ownerlookup", "userlookup", "multi_module_lookup", NULL};
    switch (t->base) {
    case T_BOOL: return one_of(data_type, bools);
    case T_TEXT: return one_of(data_type, texts);
    case T_DECIMAL: return one_of(data_type, numbers);
    case T_DATE: return one_of(data_type, dates);
    case T_INSTANT: return one_of(data_type, instants);
    case T_LINK: return one_of(data_type, links);
    case T_LIST: return str_is(data_type, "subform");
    default: return false;
    }
}

static void check_text(struct checking *c, const char *what, const struct type *t, const struct zoho_field *z)
{
    if (str_is(z->data_type, "picklist") && z->npicks > 0) {
        for (size_t i = 0; i < t->nset; i++) {
            bool there = false;
            for (size_t k = 0; k < z->npicks && !there; k++) there = str_eq(t->set[i], z->picks[k]);
            if (!there)
                report(c, FINDING_FAIL, what, "the picklist lacks the value \"%.*s\": add it in Zoho (mlcd prepare) or map to another",
                       (int)t->set[i].n, t->set[i].p);
        }
        if (t->nset == 0) report(c, FINDING_WARN, what, "a picklist is fed with free text: values that it lacks are refused");
        return;
    }
    if (z->length > 0 && (int64_t)t->max_len > z->length)
        report(c, FINDING_FAIL, what, "holds %lld characters, the flow may send %u: truncate in the mapping or lengthen the field",
               (long long)z->length, (unsigned)t->max_len);
}

/* Digits before the point that the type's bounds can need. */
static int digits_before(const struct type *t)
{
    i128 most = t->hi > -t->lo ? t->hi : -t->lo;
    int digits = 0;
    for (i128 unit = decimal_pow10(t->scale); digits < 38 && most >= unit; digits++) most /= 10;
    return digits;
}

static void check_number(struct checking *c, const char *what, const struct type *t, const struct zoho_field *z)
{
    bool whole = str_is(z->data_type, "integer") || str_is(z->data_type, "bigint") || str_is(z->data_type, "long");
    int64_t decimals = whole ? 0 : z->decimals;
    int before = digits_before(t);
    if (decimals >= 0 && t->scale > decimals)
        report(c, FINDING_FAIL, what, "holds %lld decimals, the flow sends %u: round in the mapping", (long long)decimals, (unsigned)t->scale);
    if (z->length > 0 && before > z->length)
        report(c, FINDING_FAIL, what, "holds %lld digits, the flow may send %d before the point", (long long)z->length, before);
}

static void check_use(struct checking *c, const char *what, const struct target_field *w, const struct zoho_field *z)
{
    if (z->autonumber) report(c, FINDING_FAIL, what, "is numbered by Zoho itself and cannot be written");
    else if (z->read_only || (w->on_insert && !z->create) || (w->on_update && !z->update))
        report(c, FINDING_FAIL, what, "cannot be written on %s through the API by this user",
               z->read_only || ((w->on_insert && !z->create) && (w->on_update && !z->update)) ? "insert and update" :
               w->on_insert && !z->create ? "insert" : "update");
    if (w->unique && !z->unique)
        report(c, FINDING_FAIL, what, "is the key but not unique in Zoho: switch on \"Do not allow duplicate values\" (mlcd prepare)");
    if (w->link_module.n && z->lookup_module.n && !str_ieq(w->link_module, z->lookup_module))
        report(c, FINDING_FAIL, what, "links to %.*s, the flow to %.*s", (int)z->lookup_module.n, z->lookup_module.p, (int)w->link_module.n,
               w->link_module.p);
}

static const char *const type_words[T_BASE_COUNT] = {"a yes/no value", "text", "a number", "a date", "a local date-time", "an instant", "a link", "lines"};

static void check_field(struct checking *c, const struct zoho_module *m, const struct target_field *w);

/* The columns of a list field stand in a module of their own (facts 6). */
static void check_lines(struct checking *c, const char *what, const struct target_field *w, const struct zoho_field *z)
{
    struct fault f = {ERR_OK, ""};
    struct zoho_module *rows;
    const struct list_shape *s = w->type.shape;
    struct str module = z->rows_module.n ? z->rows_module : z->name;
    if (zoho__fields(c->t, module, &rows, &f) != ERR_OK) {
        if (halts(f.err)) c->halted = f;
        else report(c, FINDING_FAIL, what, "its lines cannot be looked at: %s", f.text);
        return;
    }
    for (uint16_t k = 0; k < s->n; k++) {
        struct target_field column = {.module = module, .name = s->names[k], .type = s->types[k], .on_insert = w->on_insert, .on_update = w->on_update};
        check_field(c, rows, &column);
    }
    for (size_t i = 0; i < rows->nfields; i++) {
        const struct zoho_field *must = &rows->fields[i];
        bool sent = !must->mandatory || must->read_only || must->autonumber;
        for (uint16_t k = 0; k < s->n && !sent; k++) sent = str_eq(s->names[k], must->name);
        if (!sent) report(c, FINDING_FAIL, what, "a line needs %.*s and the flow does not send it", (int)must->name.n, must->name.p);
    }
}

static void check_field(struct checking *c, const struct zoho_module *m, const struct target_field *w)
{
    const char *what = arena_printf(&c->arena, "%.*s.%.*s", (int)w->module.n, w->module.p, (int)w->name.n, w->name.p);
    const struct zoho_field *z = zoho__field(m, w->name);
    unsigned before = c->failed;
    if (!z) {
        report(c, FINDING_FAIL, what, "there is no such field (or this user's profile hides it): Zoho would drop its values silently; mlcd prepare creates it");
        return;
    }
    if (!zoho__type_goes(&w->type, z->data_type))
        report(c, FINDING_FAIL, what, "is of type %.*s, the flow sends %s", (int)z->data_type.n, z->data_type.p,
               w->type.base < T_BASE_COUNT ? type_words[w->type.base] : "another kind of value");
    else if (w->type.base == T_TEXT) check_text(c, what, &w->type, z);
    else if (w->type.base == T_DECIMAL) check_number(c, what, &w->type, z);
    else if (w->type.base == T_LIST) check_lines(c, what, w, z);
    check_use(c, what, w, z);
    if (w->unique && c->failed == before)
        report(c, FINDING_OK, what, "unique%s", z->case_sensitive ? "" : " (without regard to case: keys that differ only in case are reported)");
}

/* ---- modules ---- */

static void check_mandatory(struct checking *c, const struct zoho_module *m, const struct target_field *fields, size_t n)
{
    bool inserts = false;
    for (size_t i = 0; i < n; i++) inserts = inserts || (str_eq(fields[i].module, m->name) && fields[i].on_insert);
    for (size_t k = 0; inserts && k < m->nfields; k++) {
        const struct zoho_field *z = &m->fields[k];
        bool sent = !z->mandatory || z->read_only || z->autonumber || !z->create || str_is(z->data_type, "ownerlookup");
        for (size_t i = 0; i < n && !sent; i++) sent = str_eq(fields[i].module, m->name) && str_eq(fields[i].name, z->name);
        if (!sent)
            report(c, FINDING_FAIL, arena_printf(&c->arena, "%.*s.%.*s", (int)m->name.n, m->name.p, (int)z->name.n, z->name.p),
                   "is mandatory in Zoho and the flow does not send it");
    }
}

static void check_module(struct checking *c, struct str name, const struct target_field *fields, size_t n)
{
    const char *what = arena_printf(&c->arena, "module %.*s", (int)name.n, name.p);
    const struct zoho_module *m = zoho__module(c->t, name);
    struct zoho_module *loaded;
    struct fault f = {ERR_OK, ""};
    bool insert = false, update = false;
    for (size_t i = 0; i < n; i++)
        if (str_eq(fields[i].module, name)) {
            insert = insert || fields[i].on_insert;
            update = update || fields[i].on_update;
        }
    if (!m || !m->supported) {
        report(c, FINDING_FAIL, what, "is not there for the API: the edition (%s) may lack it, or the user's profile hides it",
               zoho__editions[c->t->edition].name);
        return;
    }
    if ((insert && !m->creatable) || (update && !m->editable))
        report(c, FINDING_FAIL, what, "does not let this user %s records", insert && !m->creatable ? "create" : "change");
    if (zoho__fields(c->t, name, &loaded, &f) != ERR_OK) {
        if (halts(f.err)) c->halted = f;
        else report(c, FINDING_FAIL, what, "%s", f.text);
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (str_eq(fields[i].module, name)) check_field(c, loaded, &fields[i]);
    check_mandatory(c, loaded, fields, n);
}

static bool seen_before(const struct target_field *fields, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_eq(fields[k].module, fields[i].module)) return true;
    return false;
}

enum err zoho__check(struct target *t, const struct target_field *fields, size_t n, const struct finding_sink *sink, struct fault *f)
{
    struct checking c = {.t = t, .sink = sink};
    struct fault why = {ERR_OK, ""};
    enum err e = zoho__token(t, &why);
    if (passing(e)) return fault_set(f, e, "%s", why.text);
    arena_init(&c.arena, 0);
    if (e != ERR_OK) {
        report(&c, FINDING_FAIL, "token", "%s", why.text);
    } else {
        check_scopes(&c);
        check_org(&c);
        e = zoho__modules(t, &why);
        if (e != ERR_OK) report(&c, FINDING_FAIL, "modules", "%s", why.text);
        for (size_t i = 0; e == ERR_OK && i < n; i++)
            if (!seen_before(fields, i)) check_module(&c, fields[i].module, fields, n);
    }
    arena_free(&c.arena);
    if (passing(e)) return fault_set(f, e, "%s", why.text);
    if (c.halted.err != ERR_OK) return fault_set(f, c.halted.err, "%s", c.halted.text);
    if (c.failed == 0) return ERR_OK;
    return fault_set(f, e != ERR_OK ? e : ERR_CONFIG, "%u finding%s forbid%s to write into Zoho", c.failed, c.failed == 1 ? "" : "s",
                     c.failed == 1 ? "s" : "");
}
