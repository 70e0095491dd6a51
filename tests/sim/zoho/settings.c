/*
 * settings.c: fields, choices and modules are made through the API (facts/zoho-crm.md 12).
 *
 *     POST  /settings/fields?module=M      label -> api_name, checked -> one more field in the short form of the data file
 *     PATCH /settings/fields/ID?module=M   choices, length, unique of a custom field
 *     POST  /settings/modules              Enterprise and above; Name and the fields that every module has
 *
 * Every result stands in fields[] or modules[]; all good: 201 or 200, else 400 with the errors only.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 25, LINE_MAX = 255, CHOICE_MAX = 120, CALL_MAX = 5 };

static const char *text_at(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static json_t *refuse(const char *code, const char *message, const char *name, json_t *details)
{
    json_t *d = details ? details : json_object();
    char path[100];
    snprintf(path, sizeof path, "$.fields[0].%s", name);
    json_object_set_new(d, "api_name", json_string(name));
    json_object_set_new(d, "json_path", json_string(path));
    return zsim__error_json(code, message, d);
}

static json_t *done(uint64_t id, const char *message)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    return json_pack("{sss{ss}ssss}", "code", "SUCCESS", "details", "id", text, "message", message, "status", "success");
}

static void answer_one(struct zsim_call *call, int good, const char *list, json_t *one)
{
    bool ok = strcmp(text_at(one, "status"), "success") == 0;
    zsim__answer(call, ok ? good : 400, json_pack("{s[o]}", list, one));
}

static struct zsim_module *asked_module(struct zsim_call *call)
{
    const char *name = zsim__param(call, "module");
    struct zsim_module *m = name ? zsim__module(call->sim, name) : NULL;
    if (!name)
        zsim__error(call, 400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing",
                    json_pack("{ss}", "param_name", "module"));
    else if (!m)
        zsim__error(call, 400, "INVALID_MODULE", "the module name given seems to be invalid", NULL);
    return m;
}

// "Credit Status!" -> "Credit_Status"
static char *name_of_label(const char *label)
{
    char *name = zsim__copy(label), *to = name;
    for (const char *p = label; *p; p++) {
        bool plain = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
        if (plain)
            *to++ = *p;
        else if ((*p == ' ' || *p == '_') && to > name && to[-1] != '_')
            *to++ = '_';
    }
    *to = '\0';
    return name;
}

// ---- checks; each gives an error or NULL

static json_t *check_choices(const json_t *list)
{
    size_t i;
    union {
        const json_t *in;
        json_t *out;
    } l = {list};
    json_t *v;
    if (!json_array_size(list))
        return refuse("MANDATORY_NOT_FOUND", "required field not found", "pick_list_values", NULL);
    json_array_foreach(l.out, i, v)
    {
        const char *s = text_at(v, "actual_value");
        if (!*s || !*text_at(v, "display_value"))
            return refuse("MANDATORY_NOT_FOUND", "required field not found", "display_value", NULL);
        if (zsim__code_points(s, strlen(s)) > CHOICE_MAX)
            return refuse("INVALID_DATA", "invalid data", "actual_value", json_pack("{si}", "maximum_length", (int)CHOICE_MAX));
    }
    return NULL;
}

static json_t *check_unique(const struct zoho_sim *sim, const struct zsim_module *m, const char *data_type)
{
    static const char *const MAY[] = {"text", "email", "phone", "integer", "bigint", "website"};
    int64_t n = 0;
    bool may = false;
    for (size_t i = 0; i < sizeof MAY / sizeof *MAY; i++)
        may = may || strcmp(MAY[i], data_type) == 0;
    if (!may)
        return refuse("NOT_ALLOWED", "the field cannot be unique", "unique", NULL);
    for (size_t i = 0; i < m->nfields; i++)
        n += m->fields[i].unique && m->fields[i].custom;
    if (sim->on.unique_fields && n >= sim->on.unique_fields)
        return zsim__error_json("LIMIT_EXCEEDED", "the limit of unique fields is exceeded",
                                json_pack("{sIs[{ssss}]}", "limit", (json_int_t)sim->on.unique_fields, "limit_due_to", "api_name",
                                          "unique", "json_path", "$.fields[0].unique"));
    return NULL;
}

static json_t *check_numbers(const json_t *in, const char *data_type)
{
    json_int_t length = json_integer_value(json_object_get(in, "length"));
    json_int_t decimals = json_integer_value(json_object_get(in, "decimal_place"));
    json_int_t most = strcmp(data_type, "text") == 0      ? LINE_MAX
                      : strcmp(data_type, "integer") == 0 ? 9
                      : strcmp(data_type, "bigint") == 0  ? 18
                                                          : 16;
    if (length < 0 || length > most)
        return refuse("INVALID_DATA", "invalid data", "length", json_pack("{sI}", "maximum_length", most));
    if (decimals < 0 || decimals > 9 || decimals > most)
        return refuse("INVALID_DATA", "invalid data", "decimal_place", NULL);
    return NULL;
}

static json_t *check_label(const struct zsim_module *m, const json_t *in, const char *name)
{
    const char *label = text_at(in, "field_label");
    if (!*label || !*text_at(in, "data_type"))
        return refuse("MANDATORY_NOT_FOUND", "required field not found", *label ? "data_type" : "field_label", NULL);
    if (zsim__code_points(label, strlen(label)) > LABEL_MAX)
        return refuse("INVALID_DATA", "invalid data", "field_label", json_pack("{si}", "maximum_length", (int)LABEL_MAX));
    if (!*name)
        return refuse("INVALID_DATA", "invalid data", "field_label", NULL);
    if (zsim__field(m, name) >= 0)
        return refuse("DUPLICATE_DATA", "duplicate data", "field_label", NULL);
    return NULL;
}

static json_t *check_kind(struct zoho_sim *sim, const struct zsim_module *m, const json_t *in)
{
    static const char *const KINDS[] = {"text",   "textarea", "email",  "phone",   "picklist", "date",   "datetime",  "integer",
                                        "bigint", "double",   "currency", "percent", "website",  "boolean", "lookup", "userlookup"};
    const char *type = text_at(in, "data_type");
    const json_t *unique = json_object_get(in, "unique");
    bool known = false;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        known = known || strcmp(KINDS[i], type) == 0;
    if (!known)
        return refuse("INVALID_DATA", "invalid data", "data_type", NULL);
    json_t *bad = strcmp(type, "picklist") == 0 ? check_choices(json_object_get(in, "pick_list_values")) : NULL;
    const char *to = text_at(json_object_get(json_object_get(in, "lookup"), "module"), "api_name");
    if (!bad && strcmp(type, "lookup") == 0 && !zsim__module(sim, to))
        bad = refuse("INVALID_DATA", "invalid data", "lookup", NULL);
    if (!bad && strcmp(type, "textarea") != 0)
        bad = check_numbers(in, type);
    return bad ? bad : json_is_object(unique) || json_is_true(unique) ? check_unique(sim, m, type) : NULL;
}

// ---- making a field

static json_t *choices_of(const json_t *list)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(list); i++)
        json_array_append_new(out, json_string(text_at(json_array_get(list, i), "actual_value")));
    return out;
}

static json_int_t length_of(const json_t *in, const char *type)
{
    const char *area = text_at(json_object_get(in, "textarea"), "type");
    json_int_t said = json_integer_value(json_object_get(in, "length"));
    if (strcmp(type, "textarea") == 0)
        return strcmp(area, "rich_text") == 0 ? 50000 : strcmp(area, "large") == 0 ? 32000 : 2000;
    if (strcmp(type, "picklist") == 0)
        return CHOICE_MAX;
    return said ? said : strcmp(type, "text") == 0 ? LINE_MAX : strcmp(type, "integer") == 0 ? 9 : strcmp(type, "bigint") == 0 ? 18 : 16;
}

static json_t *short_form(const json_t *in, const char *name)
{
    const char *type = text_at(in, "data_type");
    const json_t *unique = json_object_get(in, "unique");
    json_t *raw = json_pack("{sssssb}", "api_name", name, "data_type", type, "custom", 1);
    static const char *const PLAIN[] = {"boolean", "date", "datetime", "lookup", "userlookup"};
    bool plain = false;
    for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++)
        plain = plain || strcmp(PLAIN[i], type) == 0;
    if (!plain)
        json_object_set_new(raw, "length", json_integer(length_of(in, type)));
    if (strcmp(type, "double") == 0 || strcmp(type, "currency") == 0 || strcmp(type, "percent") == 0)
        json_object_set_new(raw, "decimal_place", json_integer(json_integer_value(json_object_get(in, "decimal_place"))));
    if (strcmp(type, "picklist") == 0)
        json_object_set_new(raw, "pick_list_values", choices_of(json_object_get(in, "pick_list_values")));
    if (strcmp(type, "lookup") == 0)
        json_object_set(raw, "lookup", json_object_get(json_object_get(json_object_get(in, "lookup"), "module"), "api_name"));
    if (json_is_object(unique) || json_is_true(unique))
        json_object_set_new(raw, "unique", json_pack("{sb}", "case_sensitive", json_is_true(json_object_get(unique, "case_sensitive"))));
    return raw;
}

static json_t *make_one(struct zsim_call *call, struct zsim_module *m, const json_t *in)
{
    char why[300];
    char *name = name_of_label(text_at(in, "field_label"));
    json_t *out = check_label(m, in, name);
    if (!out)
        out = check_kind(call->sim, m, in);
    if (!out) {
        bool good = zsim__meta_field_add(call->sim, m, short_form(in, name), why, sizeof why);
        out = good ? done(m->fields[m->nfields - 1].id, "field created successfully")
                   : refuse("INVALID_DATA", "invalid data", "data_type", NULL);
    }
    free(name);
    return out;
}

void zsim__field_make(struct zsim_call *call)
{
    const json_t *list = json_object_get(call->body, "fields");
    struct zsim_module *m = asked_module(call);
    size_t n = json_array_size(list);
    if (!m)
        return;
    if (n == 0 || n > CALL_MAX) {
        zsim__error(call, 400, n ? "LIMIT_EXCEEDED" : "MANDATORY_NOT_FOUND", "one to five fields may be made",
                    json_pack("{ssss}", "api_name", "fields", "json_path", "$.fields"));
        return;
    }
    json_t *good = json_array(), *bad = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *one = make_one(call, m, json_array_get(list, i));
        json_array_append_new(strcmp(text_at(one, "status"), "success") == 0 ? good : bad, one);
    }
    bool all = json_array_size(bad) == 0;
    zsim__answer(call, all ? 201 : 400, json_pack("{sO}", "fields", all ? good : bad));
    json_decref(good);
    json_decref(bad);
}

// ---- changing a field

static bool has_duplicates(struct zsim_module *m, int field)
{
    const struct zsim_index *index = zsim__index(m, field, true);
    for (size_t i = 0; i < m->nrecords; i++) {
        struct zsim_cell cell;
        uint32_t walk = 0;
        size_t n = 0;
        if (m->records[i].state != ZS_LIVE || !zsim__cell(&m->records[i], field, &cell))
            continue;
        while (n < 2 && zsim__index_next(m, index, cell.bytes, cell.len, &walk))
            n++;
        if (n > 1)
            return true;
    }
    return false;
}

// Choices that are named by id or value stay; what is not named goes, or stays too (switch choices_replace).
static json_t *new_choices(const struct zoho_sim *sim, const struct zsim_field *f, const json_t *list)
{
    json_t *said = choices_of(list);
    json_t *out = sim->on.choices_replace ? json_array() : json_deep_copy(f->picks);
    for (size_t i = 0; i < json_array_size(said); i++) {
        bool there = false;
        for (size_t k = 0; k < json_array_size(out); k++)
            there = there || json_equal(json_array_get(out, k), json_array_get(said, i));
        if (!there)
            json_array_append(out, json_array_get(said, i));
    }
    json_decref(said);
    return out;
}

static json_t *change_one(struct zsim_call *call, struct zsim_module *m, int field, const json_t *in)
{
    struct zsim_field *f = &m->fields[field];
    const json_t *choices = json_object_get(in, "pick_list_values"), *length = json_object_get(in, "length");
    const json_t *unique = json_object_get(in, "unique");
    bool makes_unique = json_is_true(unique) || json_is_object(unique);
    json_t *bad = NULL;
    char why[300];
    if (!f->custom)
        return refuse("NOT_ALLOWED", "a system field cannot be changed", "id", NULL);
    if (choices)
        bad = f->kind == ZK_PICK ? check_choices(choices) : refuse("NOT_ALLOWED", "not a picklist", "pick_list_values", NULL);
    if (!bad && length)
        bad = check_numbers(in, f->data_type);
    if (!bad && makes_unique && !f->unique)
        bad = check_unique(call->sim, m, f->data_type);
    if (!bad && makes_unique && has_duplicates(m, field))
        bad = refuse("DUPLICATE_DATA", "the field holds duplicate values", "unique", NULL);
    if (bad)
        return bad;
    json_t *raw = zsim__meta_field_raw(call->sim, m, f);
    if (choices)
        json_object_set_new(raw, "pick_list_values", new_choices(call->sim, f, choices));
    if (length)
        json_object_set(raw, "length", json_object_get(in, "length"));
    if (makes_unique)
        json_object_set_new(raw, "unique", json_pack("{sb}", "case_sensitive", json_is_true(json_object_get(unique, "case_sensitive"))));
    if (!zsim__meta_field_reload(call->sim, f, why, sizeof why))
        return refuse("INVALID_DATA", "invalid data", "length", NULL);
    return done(f->id, "field updated successfully");
}

void zsim__field_change(struct zsim_call *call, const char *id)
{
    struct zsim_module *m = asked_module(call);
    const json_t *in = json_array_get(json_object_get(call->body, "fields"), 0);
    uint64_t n;
    if (!m)
        return;
    for (size_t i = 0; zsim__parse_u64(id, &n) && i < m->nfields; i++)
        if (m->fields[i].id == n) {
            answer_one(call, 200, "fields", change_one(call, m, (int)i, in));
            return;
        }
    zsim__error(call, 400, "INVALID_DATA", "the id given seems to be invalid", json_pack("{si}", "resource_path_index", 2));
}

// ---- making a module

static json_t *module_fields(const char *label)
{
    char *name = name_of_label(label);
    json_t *name_field = json_pack("{sssssisbsbsb}", "api_name", *name ? name : "Name", "data_type", "text", "length", 120, "mandatory", 1,
                                   "name_field", 1, "duplicate_field", 1);
    static const char *const ALWAYS = "[{\"api_name\":\"Owner\",\"data_type\":\"ownerlookup\"},"
                                      "{\"api_name\":\"Created_By\",\"data_type\":\"ownerlookup\",\"read_only\":true},"
                                      "{\"api_name\":\"Modified_By\",\"data_type\":\"ownerlookup\",\"read_only\":true},"
                                      "{\"api_name\":\"Created_Time\",\"data_type\":\"datetime\",\"read_only\":true},"
                                      "{\"api_name\":\"Modified_Time\",\"data_type\":\"datetime\",\"read_only\":true},"
                                      "{\"api_name\":\"id\",\"data_type\":\"bigint\",\"read_only\":true}]";
    json_t *fields = zsim__must(json_loads(ALWAYS, 0, NULL));
    json_array_insert_new(fields, 0, name_field);
    free(name);
    return fields;
}

static json_t *check_module(struct zoho_sim *sim, const json_t *in)
{
    static const char *const NEEDED[] = {"singular_label", "plural_label", "api_name"};
    for (size_t i = 0; i < 3; i++)
        if (!*text_at(in, NEEDED[i]))
            return refuse("MANDATORY_NOT_FOUND", "required field not found", NEEDED[i], NULL);
    if (!json_array_size(json_object_get(in, "profiles")))
        return refuse("MANDATORY_NOT_FOUND", "required field not found", "profiles", NULL);
    for (size_t i = 0; i < 2; i++)
        if (strlen(text_at(in, NEEDED[i])) > LABEL_MAX)
            return refuse("INVALID_DATA", "invalid data", NEEDED[i], json_pack("{si}", "maximum_length", (int)LABEL_MAX));
    if (zsim__module(sim, text_at(in, "api_name")))
        return refuse("DUPLICATE_DATA", "duplicate data", "api_name", NULL);
    return NULL;
}

void zsim__module_make(struct zsim_call *call)
{
    struct zoho_sim *sim = call->sim;
    const json_t *in = json_array_get(json_object_get(call->body, "modules"), 0);
    const char *edition = sim->editions[sim->edition].name;
    char why[300];
    if (strcmp(edition, "enterprise") != 0 && strcmp(edition, "ultimate") != 0) {
        zsim__error(call, 400, "NOT_SUPPORTED", "Module creation is not supported for the current edition", NULL);
        return;
    }
    json_t *bad = check_module(sim, in);
    if (bad) {
        answer_one(call, 201, "modules", bad);
        return;
    }
    const char *label = text_at(json_object_get(in, "display_field"), "field_label");
    json_t *raw = json_pack("{sOsOsOssso}", "api_name", json_object_get(in, "api_name"), "singular_label", json_object_get(in, "singular_label"),
                            "plural_label", json_object_get(in, "plural_label"), "generated_type", "custom", "fields", module_fields(label));
    bool good = zsim__meta_module_add(sim, raw, why, sizeof why);
    answer_one(call, 201, "modules", good ? done(sim->modules[sim->nmodules - 1].id, "module created successfully")
                                          : refuse("INVALID_DATA", "invalid data", "api_name", NULL));
}
