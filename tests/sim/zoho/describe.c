/*
 * describe.c: what the organisation looks like: /org, /users, /settings/modules, /settings/fields, /settings/layouts
 * (facts 12). The answers carry every key that Zoho's description of its API requires; those that a sync engine has no
 * use for come from the templates below.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

enum { PER_PAGE = 200 };

#define PROFILE_ID "4876876000000026011"

static const char FIELD_TEMPLATE[] =
    "{\"webhook\":true,\"colour_code_enabled_by_system\":false,\"type\":\"used\",\"tooltip\":null,"
    "\"association_details\":null,\"businesscard_supported\":true,\"multi_module_lookup\":null,\"filterable\":true,"
    "\"visible\":true,\"separator\":false,\"searchable\":true,\"history_tracking_enabled\":false,\"external\":null,"
    "\"unique\":{},\"enable_colour_code\":false,\"pick_list_values\":[],\"virtual_field\":false,\"range\":null,"
    "\"created_source\":\"default\",\"display_type\":-1,\"public\":false,"
    "\"email_parser\":{\"fields_update_supported\":true,\"record_operations_supported\":true},\"currency\":null,"
    "\"lookup\":null,\"convert_mapping\":{},\"rollup_summary\":null,\"pick_list_values_sorted_lexically\":false,"
    "\"sortable\":true,\"formula\":null,\"mass_update\":false,\"multiselectlookup\":null,\"auto_number\":null,"
    "\"profiles\":[{\"permission_type\":\"read_write\",\"name\":\"Administrator\",\"id\":\"" PROFILE_ID "\"}],"
    "\"crypt\":null,\"private\":null,\"display_format\":null,\"additional_column\":null,\"associated_module\":null}";

static const char MODULE_TEMPLATE[] =
    "{\"global_search_supported\":true,\"public_fields_configured\":false,\"recycle_bin_on_delete\":true,"
    "\"has_more_profiles\":false,\"sub_menu_available\":true,\"profile_count\":1,\"module_type\":\"ENTITIES\","
    "\"deletable\":true,\"description\":null,\"creatable\":true,\"inventory_template_supported\":false,"
    "\"modified_time\":null,\"presence_sub_menu\":true,\"triggers_supported\":true,\"isBlueprintSupported\":true,"
    "\"visibility\":1,\"convertable\":false,\"editable\":true,\"emailTemplate_support\":true,"
    "\"email_parser_supported\":false,\"filter_supported\":true,\"show_as_tab\":true,\"web_link\":null,"
    "\"viewable\":true,\"api_supported\":true,\"quick_create\":true,\"feeds_required\":false,"
    "\"scoring_supported\":true,\"webform_supported\":false,\"arguments\":[],\"business_card_field_limit\":5,"
    "\"track_current_data\":false,\"modified_by\":null,\"parent_module\":{},\"status\":\"visible\","
    "\"access_type\":\"org_based\",\"profiles\":[{\"name\":\"Administrator\",\"id\":\"" PROFILE_ID "\"}]}";

static json_t *from_template(const char *text)
{
    return zsim__must(json_loads(text, 0, NULL));
}

static json_t *id_json(uint64_t id)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    return json_string(text);
}

static void set(json_t *o, const char *key, json_t *value)
{
    json_object_set_new(o, key, value);
}

// "Billing_Street" -> "Billing Street"
static json_t *label_of(const char *name)
{
    char *copy = zsim__copy(name);
    for (char *p = copy; *p; p++)
        if (*p == '_')
            *p = ' ';
    json_t *label = json_string(copy);
    free(copy);
    return label;
}

json_t *zsim__user_json(const struct zoho_sim *sim, int user)
{
    json_t *o = json_pack("{ss}", "name", sim->users[user].full_name);
    set(o, "id", id_json(sim->users[user].id));
    return o;
}

// ---- organisation and users

void zsim__org(struct zsim_call *call)
{
    const struct zoho_sim *sim = call->sim;
    json_t *org = json_deep_copy(json_object_get(sim->data, "org"));
    const char *edition = sim->editions[sim->edition].name;
    bool paid = strcmp(edition, "free") != 0;
    set(org, "license_details",
        json_pack("{sosisnsnsbsssi}", "paid_expiry", paid ? json_string("2027-12-31T23:59:59+01:00") : json_null(),
                  "users_license_purchased", (int)sim->users_licensed, "trial_type", "trial_expiry", "paid", paid,
                  "paid_type", edition, "portal_users_license_purchased", 0));
    zsim__answer(call, 200, json_pack("{s[o]}", "org", org));
}

static json_t *describe_user(const struct zoho_sim *sim, const struct zsim_user *u)
{
    const json_t *raw = u->raw;
    json_t *o = json_object();
    static const char *const COPIED[] = {"first_name", "last_name", "email", "status", "zuid"};
    set(o, "id", id_json(u->id));
    for (size_t i = 0; i < sizeof COPIED / sizeof *COPIED; i++)
        json_object_set(o, COPIED[i], json_object_get(raw, COPIED[i]));
    if (json_is_null(json_object_get(o, "first_name")))
        json_object_del(o, "first_name");
    set(o, "full_name", json_string(u->full_name));
    set(o, "confirm", json_true());
    set(o, "type__s", json_string("Regular User"));
    set(o, "time_zone", json_incref(json_object_get(json_object_get(sim->data, "org"), "time_zone")));
    set(o, "profile", json_pack("{sOss}", "name", json_object_get(raw, "profile"), "id", PROFILE_ID));
    set(o, "role", json_pack("{sOss}", "name", json_object_get(raw, "role"), "id", "4876876000000026005"));
    return o;
}

static bool user_wanted(const struct zsim_user *u, const char *type)
{
    bool admin = strcmp(json_string_value(json_object_get(u->raw, "profile")), "Administrator") == 0;
    if (!type || strcmp(type, "AllUsers") == 0)
        return true;
    if (strcmp(type, "ActiveUsers") == 0)
        return u->active;
    if (strcmp(type, "DeactiveUsers") == 0)
        return !u->active;
    if (strcmp(type, "DeletedUsers") == 0)
        return strcmp(u->status, "deleted") == 0;
    if (strcmp(type, "AdminUsers") == 0)
        return admin;
    if (strcmp(type, "ActiveConfirmedUsers") == 0)
        return u->active;
    return strcmp(type, "CurrentUser") == 0 && u->current;
}

void zsim__users(struct zsim_call *call)
{
    const struct zoho_sim *sim = call->sim;
    const char *type = zsim__param(call, "type");
    int64_t per_page = zsim__param_number(call, "per_page", PER_PAGE), page = zsim__param_number(call, "page", 1);
    if (per_page < 1 || per_page > PER_PAGE || page < 1) {
        zsim__error(call, 400, "INVALID_DATA", "invalid data",
                    json_pack("{ss}", "param_name", page < 1 ? "page" : "per_page"));
        return;
    }
    json_t *users = json_array();
    int64_t seen = 0;
    for (size_t i = 0; i < sim->nusers; i++)
        if (user_wanted(&sim->users[i], type) && seen++ >= (page - 1) * per_page && seen <= page * per_page)
            json_array_append_new(users, describe_user(sim, &sim->users[i]));
    if (!json_array_size(users)) {
        json_decref(users);
        zsim__answer_empty(call, 204);
        return;
    }
    json_t *info = json_pack("{sIsIsIsb}", "per_page", (json_int_t)per_page, "count",
                             (json_int_t)json_array_size(users), "page", (json_int_t)page, "more_records",
                             seen > page * per_page);
    zsim__answer(call, 200, json_pack("{soso}", "users", users, "info", info));
}

// ---- modules

static json_t *describe_module(const struct zsim_module *m)
{
    json_t *o = from_template(MODULE_TEMPLATE);
    bool custom = strcmp(m->generated, "custom") == 0;
    set(o, "api_name", json_string(m->name));
    set(o, "module_name", json_string(custom ? "CustomModule1" : m->name));
    set(o, "singular_label", json_string(m->singular));
    set(o, "plural_label", json_string(m->plural));
    set(o, "actual_singular_label", json_string(m->singular));
    set(o, "actual_plural_label", json_string(m->plural));
    set(o, "generated_type", json_string(m->generated));
    set(o, "id", id_json(m->id));
    set(o, "sequence_number", json_integer(m->number + 1));
    set(o, "lookupable", json_boolean(!m->subform));
    if (m->subform) {
        static const char *const OFF[] = {"creatable", "editable", "deletable", "show_as_tab", "quick_create"};
        for (size_t i = 0; i < sizeof OFF / sizeof *OFF; i++)
            set(o, OFF[i], json_false());
    }
    return o;
}

void zsim__modules(struct zsim_call *call, const char *name)
{
    struct zoho_sim *sim = call->sim;
    json_t *modules = json_array();
    for (size_t i = 0; i < sim->nmodules; i++)
        if (!sim->modules[i].absent && (!name || strcmp(name, sim->modules[i].name) == 0))
            json_array_append_new(modules, describe_module(&sim->modules[i]));
    if (json_array_size(modules)) {
        zsim__answer(call, 200, json_pack("{so}", "modules", modules));
        return;
    }
    json_decref(modules);
    zsim__error(call, 400, "INVALID_MODULE", "the module name given seems to be invalid",
                json_pack("{si}", "resource_path_index", 2));
}

// ---- fields

static json_t *pick_list(const struct zsim_field *f)
{
    json_t *list = json_array(), *v;
    size_t i;
    json_array_foreach(f->picks, i, v)
    {
        json_t *o = json_pack("{sOsOsisOss}", "display_value", v, "actual_value", v, "sequence_number", (int)i + 1,
                              "reference_value", v, "type", "used");
        set(o, "id", id_json(f->id * 100 % 1000000000000000u + 4876000000000000000u + i));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *lookup_json(const struct zoho_sim *sim, const struct zsim_field *f)
{
    const struct zsim_module *target = &sim->modules[f->lookup];
    json_t *module = json_pack("{sssb}", "api_name", target->name, "crypt", 0);
    set(module, "id", id_json(target->id));
    json_t *o = json_pack("{sosssssb}", "module", module, "display_label", target->plural, "api_name", target->name,
                          "revalidate_filter_during_edit", 0);
    set(o, "query_details", json_pack("{sn}", "system_query_id"));
    set(o, "id", id_json(f->id + 1));
    return o;
}

static void describe_type(const struct zoho_sim *sim, const struct zsim_field *f, json_t *o)
{
    bool currency = strcmp(f->data_type, "currency") == 0;
    set(o, "data_type", json_string(f->data_type));
    set(o, "json_type", json_string(f->json_type));
    set(o, "ui_type", json_integer(f->ui_type));
    set(o, "length", json_integer(f->length ? f->length : f->kind == ZK_LOOKUP || f->kind == ZK_USER ? 120 : 20));
    set(o, "decimal_place", f->decimals < 0 ? json_null() : json_integer(f->decimals));
    if (f->picks)
        set(o, "pick_list_values", pick_list(f));
    if (f->lookup >= 0)
        set(o, "lookup", lookup_json(sim, f));
    if (f->unique)
        set(o, "unique", json_pack("{sb}", "case_sensitive", f->case_sensitive));
    if (currency)
        set(o, "currency", json_pack("{sssi}", "rounding_option", "normal", "precision", f->decimals));
    if (f->subform >= 0) {
        json_t *sub = json_pack("{ss}", "module", sim->modules[f->subform].name);
        set(sub, "id", id_json(sim->modules[f->subform].id));
        set(o, "associated_module", sub);
    }
    if (strcmp(f->data_type, "autonumber") == 0)
        set(o, "auto_number", json_incref(json_object_get(f->raw, "auto_number")));
    if (f->kind == ZK_TEXT && strcmp(f->data_type, "textarea") == 0)
        set(o, "textarea", json_pack("{ss}", "type", f->rich ? "rich_text" : f->length > 2000 ? "large" : "small"));
}

static json_t *describe_field(const struct zoho_sim *sim, const struct zsim_field *f)
{
    json_t *o = from_template(FIELD_TEMPLATE);
    int writable = !f->read_only;
    set(o, "api_name", json_string(f->name));
    set(o, "column_name", json_string(f->name));
    set(o, "field_label", label_of(f->name));
    set(o, "display_label", label_of(f->name));
    set(o, "id", id_json(f->id));
    set(o, "system_mandatory", json_boolean(f->mandatory));
    set(o, "custom_field", json_boolean(f->custom));
    set(o, "read_only", json_boolean(f->read_only));
    set(o, "field_read_only", json_boolean(f->read_only));
    set(o, "display_field", json_boolean(f->name_field));
    set(o, "operation_type", json_pack("{sbsbsbsb}", "web_update", writable, "api_create", writable, "web_create",
                                       writable, "api_update", writable));
    set(o, "view_type",
        json_pack("{sbsbsbsb}", "view", 1, "edit", writable, "quick_create", f->mandatory, "create", writable));
    describe_type(sim, f, o);
    return o;
}

static struct zsim_module *asked_module(struct zsim_call *call)
{
    const char *name = zsim__param(call, "module");
    struct zsim_module *m = name ? zsim__module(call->sim, name) : NULL;
    if (!name)
        zsim__error(call, 400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing",
                    json_pack("{ss}", "param_name", "module"));
    else if (!m)
        zsim__error(call, 400, "INVALID_MODULE", "the module name given seems to be invalid",
                    json_pack("{ss}", "param_name", "module"));
    return m;
}

void zsim__fields(struct zsim_call *call)
{
    const struct zsim_module *m = asked_module(call);
    const char *type = zsim__param(call, "type");
    if (!m)
        return;
    if (type && strcmp(type, "unused") == 0) {
        zsim__answer_empty(call, 204);
        return;
    }
    json_t *fields = json_array();
    size_t shown = m->nfields;
    if (call->sim->on.fields_lag > 0 && call->sim->on.fields_lag--)
        shown--;
    for (size_t i = 0; i < shown; i++)
        json_array_append_new(fields, describe_field(call->sim, &m->fields[i]));
    zsim__answer(call, 200, json_pack("{so}", "fields", fields));
}

// ---- layouts

static json_t *layout_field(const struct zoho_sim *sim, const struct zsim_field *f, size_t number)
{
    // Of the keys that a field has in /settings/fields, these are the ones that a layout may show too.
    static const char *const SHARED[] = {"api_name",      "field_label",     "display_label",  "id",
                                         "data_type",     "json_type",       "length",         "decimal_place",
                                         "custom_field",  "system_mandatory", "read_only",     "field_read_only",
                                         "visible",       "view_type",       "unique",         "webhook",
                                         "operation_type"};
    json_t *full = describe_field(sim, f), *o = json_object();
    for (size_t i = 0; i < sizeof SHARED / sizeof *SHARED; i++)
        json_object_set(o, SHARED[i], json_object_get(full, SHARED[i]));
    json_decref(full);
    if (f->picks) {
        json_t *values = pick_list(f), *v;
        size_t i;
        json_array_foreach(values, i, v) set(v, "maps", json_array());
        set(o, "pick_list_values", values);
    }
    set(o, "required", json_boolean(f->mandatory || f->layout_required));
    set(o, "sequence_number", json_integer((json_int_t)number + 1));
    return o;
}

static json_t *describe_section(const struct zoho_sim *sim, const struct zsim_module *m)
{
    json_t *fields = json_array();
    for (size_t i = 0; i < m->nfields; i++)
        json_array_append_new(fields, layout_field(sim, &m->fields[i], i));
    json_t *allowed = json_pack("{sbsbsbsbsbsbsb}", "add_field", 1, "rename", 1, "change_tab_traversal", 1, "reorder",
                                1, "delete", 0, "remove_field", 1, "change_column_count", 1);
    json_t *o = json_pack("{sbsnssssssssssss}", "isSubformSection", 0, "parent_section", "display_label", m->singular,
                          "mode", "all", "tab_traversal", "left_to_right", "api_name", m->name, "name", m->singular,
                          "generated_type", "default");
    set(o, "sequence_number", json_integer(1));
    set(o, "column_count", json_integer(2));
    set(o, "actions_allowed", allowed);
    set(o, "id", id_json(m->layout_id + 500));
    set(o, "properties", json_null());
    set(o, "fields", fields);
    return o;
}

void zsim__layouts(struct zsim_call *call)
{
    const struct zsim_module *m = asked_module(call);
    if (!m)
        return;
    json_t *allowed = json_pack("{sbsbsbsbsbsbsb}", "edit", 1, "rename", 1, "clone", 1, "downgrade", 0, "delete", 0,
                                "deactivate", 0, "set_layout_permissions", 1);
    json_t *o = json_pack("{sbsnsbsnsssnsssssssssb}", "has_more_profiles", 0, "created_time", "visible", 1,
                          "created_for", "source", "crm", "modified_time", "display_label", "Standard", "api_name",
                          "Standard", "name", "Standard", "generated_type", "system", "show_business_card", 1);
    set(o, "id", id_json(m->layout_id));
    set(o, "status", json_string("active"));
    set(o, "created_by", json_null());
    set(o, "modified_by", json_null());
    set(o, "convert_mapping", json_null());
    const char *view = "{s{ssssss}sbsssss{ssssss}ss}";
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)m->layout_id);
    json_t *profile = json_pack(view, "_default_assignment_view", "name", "Standard", "id", id, "type", "layout",
                                "default", 1, "name", "Administrator", "id", PROFILE_ID, "_default_view", "name",
                                "Standard", "id", id, "type", "layout", "type", "normal_profile");
    set(o, "profiles", json_pack("[o]", profile));
    set(o, "actions_allowed", allowed);
    set(o, "sections", json_pack("[o]", describe_section(call->sim, m)));
    zsim__answer(call, 200, json_pack("{s[o]}", "layouts", o));
}
