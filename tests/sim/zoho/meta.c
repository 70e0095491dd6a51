/*
 * meta.c: the data file becomes editions, users, modules and fields.
 *
 * Short form of a field in the data file (api_name and data_type are required):
 *     length decimal_place mandatory layout_required custom unique{case_sensitive} read_only name_field duplicate_field
 *     pick_list_values[] lookup subform json_type computed rich auto_number{}
 * Everything else that Zoho says about a field is derived (describe.c). Ids of metadata are running numbers, so that
 * two runs agree. A module is absent when `absent_in` names the edition: it is then unknown in every respect.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t MODULE_IDS = 4876876000000002000u;
static const uint64_t LAYOUT_IDS = 4876876000000091000u;
static const uint64_t FIELD_IDS = 4876876000000003000u;

static const struct data_type {
    const char *name;
    enum zsim_kind kind;
    const char *json_type;
    int ui_type;
} DATA_TYPES[] = {
    {"text", ZK_TEXT, "string", 1},
    {"phone", ZK_TEXT, "string", 33},
    {"email", ZK_TEXT, "string", 25},
    {"website", ZK_TEXT, "string", 21},
    {"autonumber", ZK_TEXT, "string", 107},
    {"textarea", ZK_TEXT, "string", 110},
    {"picklist", ZK_PICK, "string", 2},
    {"multiselectpicklist", ZK_MULTI, "jsonarray", 100},
    {"boolean", ZK_BOOL, "boolean", 301},
    {"integer", ZK_INT, "integer", 32},
    {"bigint", ZK_BIGINT, "long", 36},
    {"double", ZK_NUMBER, "double", 38},
    {"currency", ZK_NUMBER, "double", 36},
    {"percent", ZK_NUMBER, "double", 37},
    {"date", ZK_DATE, "string", 24},
    {"datetime", ZK_DATETIME, "string", 333},
    {"lookup", ZK_LOOKUP, "jsonobject", 133},
    {"ownerlookup", ZK_USER, "jsonobject", 8},
    {"userlookup", ZK_USER, "jsonobject", 8},
    {"subform", ZK_SUBFORM, "jsonarray", 120},
    {"linetax", ZK_RAW, "jsonarray", 121},
};

static bool truth(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

static const char *string_at(const json_t *o, const char *key, const char *otherwise)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : otherwise;
}

static int64_t number_at(const json_t *o, const char *key, int64_t otherwise)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? (int64_t)json_integer_value(v) : otherwise;
}

static uint64_t id_at(const json_t *o, const char *key)
{
    uint64_t id = 0;
    const char *s = json_string_value(json_object_get(o, key));
    return s && zsim__parse_u64(s, &id) ? id : 0;
}

static enum zsim_role role_of(const char *name)
{
    static const struct {
        const char *name;
        enum zsim_role role;
    } ROLES[] = {{"id", ZR_ID},
                 {"Created_Time", ZR_CREATED},
                 {"Modified_Time", ZR_MODIFIED},
                 {"Created_By", ZR_CREATED_BY},
                 {"Modified_By", ZR_MODIFIED_BY},
                 {"Locked__s", ZR_LOCKED}};
    for (size_t i = 0; i < sizeof ROLES / sizeof *ROLES; i++)
        if (strcmp(ROLES[i].name, name) == 0)
            return ROLES[i].role;
    return ZR_PLAIN;
}

static int module_number(const json_t *modules, const char *name)
{
    size_t i;
    json_t *m;
    json_array_foreach(modules, i, m)
        if (name && strcmp(string_at(m, "api_name", ""), name) == 0)
            return (int)i;
    return -1;
}

static bool load_field(struct zsim_field *f, const json_t *raw, const json_t *modules, char *why, size_t why_size)
{
    f->raw = raw;
    f->name = string_at(raw, "api_name", "");
    f->data_type = string_at(raw, "data_type", "");
    const struct data_type *type = NULL;
    for (size_t i = 0; i < sizeof DATA_TYPES / sizeof *DATA_TYPES; i++)
        if (strcmp(DATA_TYPES[i].name, f->data_type) == 0)
            type = &DATA_TYPES[i];
    if (!type) {
        snprintf(why, why_size, "field %s: unknown data_type %s", f->name, f->data_type);
        return false;
    }
    f->kind = type->kind;
    f->json_type = string_at(raw, "json_type", type->json_type);
    f->ui_type = type->ui_type;
    f->role = role_of(f->name);
    f->length = number_at(raw, "length", 0);
    f->decimals = (int)number_at(raw, "decimal_place", -1);
    f->mandatory = truth(raw, "mandatory");
    f->layout_required = truth(raw, "layout_required");
    f->custom = truth(raw, "custom");
    f->unique = json_is_object(json_object_get(raw, "unique"));
    f->case_sensitive = truth(json_object_get(raw, "unique"), "case_sensitive");
    f->read_only = truth(raw, "read_only") || f->role != ZR_PLAIN;
    f->name_field = truth(raw, "name_field");
    f->duplicate_field = truth(raw, "duplicate_field");
    f->rich = truth(raw, "rich");
    f->computed = string_at(raw, "computed", NULL);
    f->picks = json_object_get(raw, "pick_list_values");
    const char *lookup = string_at(raw, "lookup", NULL), *subform = string_at(raw, "subform", NULL);
    f->lookup = module_number(modules, lookup);
    f->subform = module_number(modules, subform);
    if ((lookup && f->lookup < 0) || (subform && f->subform < 0)) {
        snprintf(why, why_size, "field %s: unknown module %s", f->name, lookup ? lookup : subform);
        return false;
    }
    return true;
}

static void hash_names(struct zsim_module *m)
{
    m->nnames = 8;
    while (m->nnames < m->nfields * 2)
        m->nnames *= 2;
    m->names = zsim__must(malloc(m->nnames * sizeof *m->names));
    for (size_t i = 0; i < m->nnames; i++)
        m->names[i] = -1;
    for (size_t i = 0; i < m->nfields; i++) {
        size_t at = zsim__hash(m->fields[i].name, strlen(m->fields[i].name), false) & (m->nnames - 1);
        while (m->names[at] >= 0)
            at = (at + 1) & (m->nnames - 1);
        m->names[at] = (int16_t)i;
    }
}

int zsim__field(const struct zsim_module *m, const char *name)
{
    size_t at = zsim__hash(name, strlen(name), false) & (m->nnames - 1);
    for (; m->names[at] >= 0; at = (at + 1) & (m->nnames - 1))
        if (strcmp(m->fields[m->names[at]].name, name) == 0)
            return m->names[at];
    return -1;
}

static bool in_list(const json_t *list, const char *word)
{
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), word) == 0)
            return true;
    return false;
}

static bool absent(const struct zoho_sim *sim, const json_t *module)
{
    return in_list(json_object_get(module, "absent_in"), sim->editions[sim->edition].name);
}

static bool load_module(struct zoho_sim *sim, size_t number, const json_t *modules, char *why, size_t why_size)
{
    struct zsim_module *m = &sim->modules[number];
    m->raw = json_array_get(modules, number);
    m->number = (int)number;
    m->name = string_at(m->raw, "api_name", "");
    m->singular = string_at(m->raw, "singular_label", m->name);
    m->plural = string_at(m->raw, "plural_label", m->name);
    m->generated = string_at(m->raw, "generated_type", "default");
    m->subform = strcmp(m->generated, "subform") == 0;
    m->id = MODULE_IDS + number * 2 + 1;
    m->layout_id = LAYOUT_IDS + number * 2 + 1;
    m->absent = absent(sim, m->raw);
    m->name_field = -1;
    m->next_number = 1000;
    const json_t *fields = json_object_get(m->raw, "fields");
    m->fields = zsim__must(calloc(json_array_size(fields) + 1, sizeof *m->fields));
    for (size_t i = 0; i < json_array_size(fields); i++) {
        struct zsim_field *f = &m->fields[m->nfields];
        if (!load_field(f, json_array_get(fields, i), modules, why, why_size))
            return false;
        f->id = FIELD_IDS + number * 500 + i * 2 + 1;
        int other = f->lookup >= 0 ? f->lookup : f->subform;
        if (other >= 0 && absent(sim, json_array_get(modules, (size_t)other)))
            continue; // a field that leads to an absent module is absent too
        if (f->name_field)
            m->name_field = (int)m->nfields;
        m->nfields++;
    }
    hash_names(m);
    return true;
}

static void load_editions(struct zoho_sim *sim, const json_t *editions, const char *chosen)
{
    const char *key;
    json_t *v;
    sim->editions = zsim__must(calloc(json_object_size(editions) + 1, sizeof *sim->editions));
    sim->edition = SIZE_MAX;
    union {
        const json_t *in;
        json_t *out;
    } e = {editions};
    json_object_foreach(e.out, key, v)
    {
        if (strcmp(key, chosen) == 0)
            sim->edition = sim->neditions;
        sim->editions[sim->neditions++] =
            (struct zsim_edition){key, number_at(v, "base", 0), number_at(v, "per_user", 0), number_at(v, "max", 0),
                                  number_at(v, "concurrency", 10)};
    }
}

static void load_users(struct zoho_sim *sim, const json_t *users)
{
    sim->nusers = json_array_size(users);
    sim->users = zsim__must(calloc(sim->nusers + 1, sizeof *sim->users));
    for (size_t i = 0; i < sim->nusers; i++) {
        struct zsim_user *u = &sim->users[i];
        u->raw = json_array_get(users, i);
        u->id = id_at(u->raw, "id");
        u->email = string_at(u->raw, "email", "");
        u->status = string_at(u->raw, "status", "active");
        u->active = strcmp(u->status, "active") == 0;
        u->current = truth(u->raw, "current");
        if (u->current)
            sim->current_user = (int)i;
        struct zsim_text name = {0};
        const char *first = string_at(u->raw, "first_name", NULL);
        if (first)
            zsim__fmt(&name, "%s ", first);
        zsim__str(&name, string_at(u->raw, "last_name", ""));
        u->full_name = name.at;
    }
}

bool zsim__meta_load(struct zoho_sim *sim, const char *path, const char *edition, char *why, size_t why_size)
{
    json_error_t error;
    sim->data = json_load_file(path, 0, &error);
    if (!sim->data) {
        snprintf(why, why_size, "%s:%d: %s", path, error.line, error.text);
        return false;
    }
    if (!edition)
        edition = string_at(sim->data, "edition", "professional");
    load_editions(sim, json_object_get(sim->data, "editions"), edition);
    if (sim->edition == SIZE_MAX) {
        snprintf(why, why_size, "%s: no edition %s", path, edition);
        return false;
    }
    sim->offset_minutes = (int)number_at(sim->data, "utc_offset_minutes", 0);
    sim->users_licensed = number_at(sim->data, "users_license_purchased", 1);
    sim->sub_concurrency = number_at(sim->data, "sub_concurrency", 10);
    sim->body_limit = number_at(sim->data, "body_limit_bytes", 5 << 20);
    sim->next_id = id_at(sim->data, "first_record_id");
    load_users(sim, json_object_get(sim->data, "users"));
    const json_t *modules = json_object_get(sim->data, "modules");
    sim->nmodules = json_array_size(modules);
    sim->modules = zsim__must(calloc(sim->nmodules + 1, sizeof *sim->modules));
    for (size_t i = 0; i < sim->nmodules; i++)
        if (!load_module(sim, i, modules, why, why_size))
            return false;
    return true;
}

// ---- what is made later (settings.c)

bool zsim__meta_field_add(struct zoho_sim *sim, struct zsim_module *m, json_t *raw, char *why, size_t why_size)
{
    const json_t *modules = json_object_get(sim->data, "modules");
    json_t *fields = json_object_get(json_array_get(modules, (size_t)m->number), "fields");
    size_t i = json_array_size(fields);
    struct zsim_field f = {0};
    bool good = load_field(&f, raw, modules, why, why_size);
    if (good) {
        json_array_append(fields, raw);
        f.id = FIELD_IDS + (uint64_t)m->number * 500 + i * 2 + 1;
        m->fields = zsim__must(realloc(m->fields, (m->nfields + 2) * sizeof *m->fields));
        m->fields[m->nfields++] = f;
        free(m->names);
        hash_names(m);
    }
    json_decref(raw);
    return good;
}

json_t *zsim__meta_field_raw(const struct zoho_sim *sim, const struct zsim_module *m, const struct zsim_field *f)
{
    const json_t *module = json_array_get(json_object_get(sim->data, "modules"), (size_t)m->number);
    return json_array_get(json_object_get(module, "fields"), (size_t)(f->id - FIELD_IDS - (uint64_t)m->number * 500) / 2);
}

bool zsim__meta_field_reload(struct zoho_sim *sim, struct zsim_field *f, char *why, size_t why_size)
{
    uint64_t id = f->id;
    const json_t *raw = f->raw;
    *f = (struct zsim_field){0};
    bool good = load_field(f, raw, json_object_get(sim->data, "modules"), why, why_size);
    f->id = id;
    return good;
}

bool zsim__meta_module_add(struct zoho_sim *sim, json_t *raw, char *why, size_t why_size)
{
    json_t *modules = json_object_get(sim->data, "modules");
    json_array_append_new(modules, raw);
    sim->modules = zsim__must(realloc(sim->modules, (sim->nmodules + 2) * sizeof *sim->modules));
    sim->modules[sim->nmodules] = (struct zsim_module){0};
    return load_module(sim, sim->nmodules++, modules, why, why_size);
}

void zsim__meta_free(struct zoho_sim *sim)
{
    for (size_t i = 0; sim->modules && i < sim->nmodules; i++) {
        zsim__store_free(&sim->modules[i]);
        free(sim->modules[i].fields);
        free(sim->modules[i].names);
    }
    for (size_t i = 0; sim->users && i < sim->nusers; i++)
        free(sim->users[i].full_name);
    free(sim->modules);
    free(sim->users);
    free(sim->editions);
    json_decref(sim->data);
}

struct zsim_module *zsim__module(struct zoho_sim *sim, const char *name)
{
    for (size_t i = 0; i < sim->nmodules; i++)
        if (strcmp(sim->modules[i].name, name) == 0)
            return sim->modules[i].absent ? NULL : &sim->modules[i];
    return NULL;
}

int zsim__user_by_id(const struct zoho_sim *sim, uint64_t id)
{
    for (size_t i = 0; i < sim->nusers; i++)
        if (sim->users[i].id == id)
            return (int)i;
    return -1;
}
