/* org.c - see org.h. What a module requires is read from the organisation's own file, which the model reads too. */
#include "tests/reference/org.h"
#include "base/check.h"
#include <unistd.h>

/* ---- the organisation's file, with what `extend` adds ---- */

static json_t *module_named(const json_t *data, const char *name)
{
    const json_t *modules = json_object_get(data, "modules");
    for (size_t i = 0; i < json_array_size(modules); i++) {
        json_t *m = json_array_get(modules, i);
        const char *is = json_string_value(json_object_get(m, "api_name"));
        if (is && strcmp(is, name) == 0) return m;
    }
    return NULL;
}

static void drop_field(const json_t *module, const char *name)
{
    json_t *fields = json_object_get(module, "fields");
    for (size_t i = json_array_size(fields); i-- > 0;)
        if (strcmp(json_string_value(json_object_get(json_array_get(fields, i), "api_name")), name) == 0) json_array_remove(fields, i);
}

/* A module of the organisation's own. */
static const json_t *new_module(const json_t *data, const char *name)
{
    json_t *fields = json_loads("[{\"api_name\":\"Owner\",\"data_type\":\"ownerlookup\"},{\"api_name\":\"Name\",\"data_type\":\"text\",\"length\":120,\"mandatory\":true,"
                                "\"name_field\":true},{\"api_name\":\"Created_Time\",\"data_type\":\"datetime\",\"read_only\":true},{\"api_name\":\"Modified_Time\","
                                "\"data_type\":\"datetime\",\"read_only\":true},{\"api_name\":\"id\",\"data_type\":\"bigint\",\"read_only\":true}]", 0, NULL);
    json_t *m = json_pack("{sssssssbso}", "api_name", name, "singular_label", name, "plural_label", name, "custom", 1, "fields", fields);
    ASSERT(m != NULL && json_array_append_new(json_object_get(data, "modules"), m) == 0);
    return m;
}

static json_t *choices_of(const struct type *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->nset; i++) json_array_append_new(list, json_stringn(t->set[i].p, t->set[i].n));
    return list;
}

static json_t *field_of(const struct column *col, const char *name)
{
    static const char *const kinds[T_BASE_COUNT] = {"boolean", "text", "double", "date", NULL, "datetime", "lookup", NULL};
    const struct type *t = &col->type;
    const char *kind = t->base == T_TEXT && t->nset ? "picklist" : t->base == T_TEXT && t->max_len > 255 ? "textarea" : kinds[t->base];
    ASSERT(kind != NULL);
    json_t *f = json_pack("{sssssb}", "api_name", name, "data_type", kind, "custom", 1);
    if (t->base == T_TEXT) json_object_set_new(f, "length", json_integer(t->nset ? 120 : (json_int_t)t->max_len));
    if (t->nset) json_object_set_new(f, "pick_list_values", choices_of(t));
    if (t->base == T_DECIMAL) json_object_set_new(f, "length", json_integer(16));
    if (t->base == T_DECIMAL) json_object_set_new(f, "decimal_place", json_integer(t->scale));
    if (t->base == T_LINK) json_object_set_new(f, "lookup", json_stringn(col->link_module.p, col->link_module.n));
    if (col->unique) json_object_set_new(f, "unique", json_pack("{sb}", "case_sensitive", 0));
    return f;
}

/* Fields of the organisation's own are as the typed tree has them: from the lock file or `extend`. */
static void put_fields(const json_t *data, const struct schema *s)
{
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)s->name.n, s->name.p);
    const json_t *m = module_named(data, name);
    if (m == NULL) m = new_module(data, name);
    for (size_t i = 0; i < s->ncolumns; i++) {
        const struct column *col = &s->columns[i];
        snprintf(name, sizeof name, "%.*s", (int)col->name.n, col->name.p);
        if (!col->custom || !col->known_type || col->read_only) continue;
        drop_field(m, name);
        json_array_append_new(json_object_get(m, "fields"), field_of(col, name));
    }
}

void org_open(struct org *o, const char *data_path, const struct spec *spec)
{
    static const char *const strict[] = {"refuse_read_only", "refuse_unknown_fields", "strict_phone"};
    char path[] = "/tmp/org-XXXXXX";
    memset(o, 0, sizeof *o);
    o->data = json_load_file(data_path, 0, NULL);
    ASSERT(o->data != NULL);
    for (const struct flow *f = spec->flows; f != NULL; f = f->next) {
        if (str_is(f->target->system->name, "zoho_crm")) put_fields(o->data, f->module);
        for (const struct each *e = f->eaches; e != NULL; e = e->next) put_fields(o->data, e->module);
    }
    int fd = mkstemp(path);
    ASSERT(fd >= 0 && json_dumpfd(o->data, fd, JSON_COMPACT) == 0);
    stand_open_at(&o->stand, path, NULL, NULL);
    close(fd);
    unlink(path);
    for (size_t i = 0; i < sizeof strict / sizeof *strict; i++) ASSERT(zoho_sim_switch(o->stand.sim, strict[i], 1));
}

void org_close(struct org *o)
{
    stand_close(&o->stand);
    json_decref(o->data);
}

/* ---- records that are there ---- */

static json_t *record_of(struct org *o, const json_t *module, unsigned depth);

static json_t *value_of(struct org *o, const json_t *field, unsigned depth)
{
    const char *type = json_string_value(json_object_get(field, "data_type"));
    ASSERT(depth < 4);
    if (strcmp(type, "lookup") == 0) return json_pack("{ss}", "id", org_id(o, json_string_value(json_object_get(field, "lookup"))));
    if (strcmp(type, "picklist") == 0) return json_incref(json_array_get(json_object_get(field, "pick_list_values"), 0));
    if (strcmp(type, "subform") == 0) return json_pack("[o]", record_of(o, module_named(o->data, json_string_value(json_object_get(field, "subform"))), depth + 1));
    if (strcmp(type, "double") == 0 || strcmp(type, "currency") == 0) return json_integer(1);
    ASSERT(strcmp(type, "text") == 0);
    return json_string("there before");
}

static json_t *record_of(struct org *o, const json_t *module, unsigned depth)
{
    const json_t *fields = json_object_get(module, "fields");
    json_t *record = json_object();
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *f = json_array_get(fields, i);
        if (json_is_true(json_object_get(f, "mandatory"))) json_object_set_new(record, json_string_value(json_object_get(f, "api_name")), value_of(o, f, depth));
    }
    return record;
}

bool org_fresh(struct org *o, const char *module, char id[ORG_ID])
{
    char why[200] = "";
    const json_t *m = module_named(o->data, module);
    if (m == NULL) return false;
    json_t *record = record_of(o, m, 0);
    char *text = json_dumps(record, JSON_COMPACT);
    bool good = zoho_sim_seed(o->stand.sim, module, text, id, why, sizeof why);
    if (!good) printf("# %s cannot be seeded: %s\n", module, why);
    free(text);
    json_decref(record);
    return good;
}

const char *org_id(struct org *o, const char *module)
{
    for (size_t i = 0; i < o->nknown; i++)
        if (strcmp(o->known[i].module, module) == 0) return o->known[i].id;
    ASSERT(o->nknown < ORG_MODULES);
    char id[ORG_ID] = "";
    const char *user = json_string_value(at(o->data, "users.0.id"));
    if (strcmp(module, "users") == 0) snprintf(id, sizeof id, "%s", user ? user : "");
    else if (!org_fresh(o, module, id)) id[0] = '\0';
    size_t n = o->nknown++;
    snprintf(o->known[n].module, sizeof o->known[n].module, "%s", module);
    memcpy(o->known[n].id, id, sizeof id);
    return o->known[n].id;
}
