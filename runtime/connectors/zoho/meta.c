/* meta.c - organisation, modules and fields as Zoho describes them (facts/zoho-crm.md 12, 13), read once per process and kept;
 * and the count of a module's records. */
#include "connectors/zoho/zoho.h"
#include <jansson.h>

static struct str kept(struct target *t, const json_t *j)
{
    if (!json_is_string(j)) return (struct str){"", 0};
    return (struct str){arena_copy(&t->meta.arena, json_string_value(j), json_string_length(j)), json_string_length(j)};
}
static struct str text(struct target *t, const json_t *j, const char *name) { return kept(t, json_object_get(j, name)); }
/* Flags that Zoho leaves out of an answer are taken for `otherwise`. */
static bool flag(const json_t *j, const char *name, bool otherwise)
{
    const json_t *v = json_object_get(j, name);
    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

/* GET path; the tree is the caller's. NULL tree only with an error. */
static enum err get_json(struct target *t, const char *what, const char *path, json_t **out, struct fault *f)
{
    struct arena a;
    struct http_res res;
    struct zoho_call c = {.what = what, .method = "GET", .path = path, .cost = 1};
    arena_init(&a, 0);
    *out = NULL;
    enum err e = zoho__call(t, &c, &a, &res, f);
    if (e == ERR_OK) {
        json_error_t where;
        *out = json_loadb(res.body.n ? res.body.p : "{}", res.body.n ? res.body.n : 2, 0, &where);
        if (!*out) e = fault_set(f, ERR_PROTOCOL, "%s: the answer is no JSON (line %d: %s)", what, where.line, where.text);
    }
    arena_free(&a);
    return e;
}

/* ---- how many records ---- */

enum err zoho__count(struct target *t, struct str module, int64_t *n, struct fault *f)
{
    json_t *j;
    struct buf path = {0};
    buf_byte(&path, '/');
    net_url_encode(&path, module);
    buf_puts(&path, "/actions/count");
    enum err e = get_json(t, "count", buf_cstr(&path), &j, f);
    buf_free(&path);
    *n = 0;
    if (e != ERR_OK) return e;
    const json_t *count = json_object_get(j, "count");
    if (json_is_integer(count)) *n = json_integer_value(count);
    else e = fault_set(f, ERR_PROTOCOL, "count of %.*s: the answer holds no number", (int)module.n, module.p);
    json_decref(j);
    return e;
}

/* ---- organisation ---- */

/* Edition = paid ? paid_type : trial_type, else free (facts 13). */
static void read_license(struct target *t, const json_t *l)
{
    struct zoho_org *o = &t->meta.org;
    bool paid = flag(l, "paid", false);
    struct str trial = text(t, l, "trial_type");
    o->trial = !paid && trial.n > 0;
    o->trial_expiry = text(t, l, "trial_expiry");
    o->edition = zoho__edition_of(paid ? text(t, l, "paid_type") : trial.n ? trial : STR("free"));
    o->users = json_integer_value(json_object_get(l, "users_license_purchased"));
}

enum err zoho__org(struct target *t, struct fault *f)
{
    json_t *j;
    if (t->meta.org.known) return ERR_OK;
    enum err e = get_json(t, "organisation", "/org", &j, f);
    if (e != ERR_OK) return e;
    const json_t *o = json_array_get(json_object_get(j, "org"), 0);
    if (json_is_object(o)) {
        t->meta.org = (struct zoho_org){.id = text(t, o, "id"), .zgid = text(t, o, "zgid"), .company = text(t, o, "company_name"), .type = text(t, o, "type"), .known = true};
        read_license(t, json_object_get(o, "license_details"));
        if (t->meta.org.edition != ZOHO_EDITION_UNKNOWN) t->edition = t->meta.org.edition;      /* concurrency follows what is, not what is said */
    } else {
        e = fault_set(f, ERR_PROTOCOL, "organisation: the answer holds no organisation");
    }
    json_decref(j);
    return e;
}

/* ---- modules ---- */

static void read_profiles(struct target *t, const json_t *list, struct zoho_module *out)
{
    size_t n = json_array_size(list);
    out->profiles = ARENA_ARRAY(&t->meta.arena, struct str, n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        struct str id = text(t, json_array_get(list, i), "id");
        if (id.n) out->profiles[out->nprofiles++] = id;
    }
}

void zoho__forget(struct target *t)
{
    t->meta.listed = false;
    t->meta.nmodules = 0;
}

enum err zoho__modules(struct target *t, struct fault *f)
{
    json_t *j;
    if (t->meta.listed) return ERR_OK;
    enum err e = get_json(t, "list of modules", "/settings/modules", &j, f);
    if (e != ERR_OK) return e;
    const json_t *list = json_object_get(j, "modules");
    size_t n = json_array_size(list);
    if (n == 0) e = fault_set(f, ERR_PROTOCOL, "list of modules: the answer holds none");
    t->meta.modules = ARENA_ARRAY(&t->meta.arena, struct zoho_module, n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        const json_t *m = json_array_get(list, i);
        t->meta.modules[i] = (struct zoho_module){.name = text(t, m, "api_name"), .generated = text(t, m, "generated_type"),
            .supported = flag(m, "api_supported", true), .creatable = flag(m, "creatable", true), .editable = flag(m, "editable", true),
            .viewable = flag(m, "viewable", true)};
        read_profiles(t, json_object_get(m, "profiles"), &t->meta.modules[i]);
    }
    t->meta.nmodules = n;
    t->meta.listed = e == ERR_OK;
    json_decref(j);
    return e;
}

struct zoho_module *zoho__module(struct target *t, struct str name)
{
    for (size_t i = 0; i < t->meta.nmodules; i++)
        if (str_eq(t->meta.modules[i].name, name)) return &t->meta.modules[i];
    return NULL;
}

/* ---- fields ---- */

static void read_picks(struct target *t, const json_t *list, struct zoho_field *out)
{
    size_t n = json_array_size(list);
    out->picks = ARENA_ARRAY(&t->meta.arena, struct str, n ? n : 1);
    out->pick_ids = ARENA_ARRAY(&t->meta.arena, struct str, n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        const json_t *p = json_array_get(list, i);
        struct str v = text(t, p, "actual_value");
        if (!v.n) v = text(t, p, "display_value");
        if (v.n == 0 || str_is(text(t, p, "type"), "unused")) continue;
        out->pick_ids[out->npicks] = text(t, p, "id");
        out->picks[out->npicks++] = v;
    }
}

/* auto_number is {} on ordinary fields and filled on numbered ones. */
static bool is_numbered(const json_t *f)
{
    const json_t *a = json_object_get(f, "auto_number");
    return json_object_size(a) > 0 && !json_is_null(a);
}

static void read_field(struct target *t, const json_t *f, struct zoho_field *out)
{
    const json_t *unique = json_object_get(f, "unique"), *op = json_object_get(f, "operation_type"), *dec = json_object_get(f, "decimal_place");
    const json_t *look = json_object_get(json_object_get(f, "lookup"), "module"), *sub = json_object_get(f, "associated_module");
    if (!json_is_object(sub)) sub = json_object_get(f, "subform");
    *out = (struct zoho_field){.name = text(t, f, "api_name"), .id = text(t, f, "id"), .custom = flag(f, "custom_field", false), .data_type = text(t, f, "data_type"),
        .length = json_integer_value(json_object_get(f, "length")), .decimals = json_is_integer(dec) ? json_integer_value(dec) : -1,
        .unique = json_object_size(unique) > 0, .case_sensitive = flag(unique, "case_sensitive", false),
        .mandatory = flag(f, "system_mandatory", false),
        .read_only = flag(f, "read_only", false) || flag(f, "field_read_only", false),
        .create = flag(op, "api_create", true), .update = flag(op, "api_update", true), .autonumber = is_numbered(f)};
    out->lookup_module = json_is_string(look) ? kept(t, look) : text(t, look, "api_name");
    if (str_is(out->data_type, "subform")) out->rows_module = text(t, sub, "module");
    if (str_is(out->data_type, "ownerlookup") || str_is(out->data_type, "userlookup")) out->lookup_module = STR("users");
    read_picks(t, json_object_get(f, "pick_list_values"), out);
}

static enum err load_fields(struct target *t, struct zoho_module *m, struct fault *f)
{
    json_t *j;
    struct buf path = {0};
    buf_puts(&path, "/settings/fields?module=");
    net_url_encode(&path, m->name);
    enum err e = get_json(t, "fields of a module", buf_cstr(&path), &j, f);
    buf_free(&path);
    if (e != ERR_OK) return e;
    const json_t *list = json_object_get(j, "fields");
    size_t n = json_array_size(list);
    if (n == 0) e = fault_set(f, ERR_PROTOCOL, "fields of %.*s: the answer holds none", (int)m->name.n, m->name.p);
    m->fields = ARENA_ARRAY(&t->meta.arena, struct zoho_field, n ? n : 1);
    for (size_t i = 0; i < n; i++) read_field(t, json_array_get(list, i), &m->fields[i]);
    m->nfields = n;
    m->loaded = e == ERR_OK;
    json_decref(j);
    return e;
}

enum err zoho__fields(struct target *t, struct str module, struct zoho_module **out, struct fault *f)
{
    enum err e = zoho__modules(t, f);
    if (e != ERR_OK) return e;
    *out = zoho__module(t, module);
    if (!*out) return fault_set(f, ERR_CONFIG, "this organisation has no module %.*s", (int)module.n, module.p);
    return (*out)->loaded ? ERR_OK : load_fields(t, *out, f);
}

struct str zoho__standard_module(size_t i)
{
    static const char *const names[] = {"Leads", "Accounts", "Contacts", "Deals", "Products", "Vendors", "Price_Books", "Quotes", "Sales_Orders",
                                        "Purchase_Orders", "Invoices", "Cases", "Campaigns", "Tasks", "Events", "Calls", "Solutions"};
    return i < sizeof names / sizeof *names ? str_of(names[i]) : (struct str){NULL, 0};
}

const struct zoho_field *zoho__field(const struct zoho_module *m, struct str name)
{
    for (size_t i = 0; i < m->nfields; i++)
        if (str_eq(m->fields[i].name, name)) return &m->fields[i];
    return NULL;
}
