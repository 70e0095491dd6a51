/*
 * lines.c: rows of subforms and line items (facts 6).
 *
 *     {no id} -> appended    {"id"} -> that row changed    {"id","_delete"} -> that row removed    [] -> all removed
 *
 * Rows live in one cell of the parent as a JSON array; each row is {"id":..,"Sequence_Number":..,field: value,..} with
 * the values as rules.c left them. A row that is not named stays: a client that sends its rows again doubles them.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

static json_t *to_json(const struct zsim_value *v)
{
    switch (v->kind) {
    case 's':
        return json_stringn(v->text.at, v->text.len);
    case 'b':
        return json_boolean(v->text.at[0] == 't');
    case 'r':
    case 'u':
        return json_pack("{ss}", "id", v->text.at);
    case 'n':
    case 'j':
        return json_loadb(v->text.at, v->text.len, JSON_DECODE_ANY, NULL);
    default:
        return json_null();
    }
}

static json_t *old_rows(const struct zsim_check *check, int field)
{
    struct zsim_cell cell;
    if (check->old && zsim__cell(check->old, field, &cell))
        return zsim__must(json_loadb(cell.bytes, cell.len, 0, NULL));
    return json_array();
}

static size_t row_by_id(const json_t *rows, const char *id)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
        if (strcmp(json_string_value(json_object_get(row, "id")), id) == 0)
            return i;
    return SIZE_MAX;
}

static double number_of(const json_t *row, const char *name)
{
    return json_number_value(json_object_get(row, name));
}

static double cents(double v)
{
    double amount = (v < 0 ? -v : v) * 100 + 0.5 + 1e-6;
    if (amount >= 9e15) return v;                       /* has no cents any more */
    double whole = (double)(int64_t)amount;
    return whole / 100 * (v < 0 ? -1 : 1);
}

static void row_totals(json_t *row)
{
    double total = number_of(row, "Quantity") * number_of(row, "List_Price"), off = 0;
    const char *discount = json_string_value(json_object_get(row, "Discount"));
    if (discount) {
        char *end;
        off = strtod(discount, &end);
        if (*end == '%')
            off = total * off / 100;
    }
    json_object_set_new(row, "Total", json_real(cents(total)));
    json_object_set_new(row, "Total_After_Discount", json_real(cents(total - off)));
    json_object_set_new(row, "Net_Total", json_real(cents(total - off + number_of(row, "Tax"))));
}

// Sets the fields of one row. False when an error was appended.
static bool fill_row(struct zsim_check *check, json_t *row, const json_t *in, bool fresh)
{
    const char *name;
    json_t *v;
    bool good = true;
    union {
        const json_t *in;
        json_t *out;
    } source = {in};
    json_object_foreach(source.out, name, v)
    {
        int number = zsim__field(check->module, name);
        if (number < 0 || check->module->fields[number].read_only)
            continue;
        struct zsim_value value = {0};
        if (zsim__check(check, &check->module->fields[number], v, &value))
            json_object_set_new(row, name, to_json(&value));
        else
            good = false;
        zsim__text_free(&value.text);
    }
    for (size_t i = 0; good && i < check->module->nfields; i++) {
        const struct zsim_field *f = &check->module->fields[i];
        json_t *now = json_object_get(row, f->name);
        if (f->mandatory && (json_is_null(now) || (fresh && !now))) {
            zsim__check_error(check, "MANDATORY_NOT_FOUND", "required field not found", f->name, NULL);
            good = false;
        }
    }
    if (good)
        row_totals(row);
    return good;
}

static bool take_row(struct zsim_check *check, json_t *rows, const json_t *in)
{
    struct zoho_sim *sim = check->call->sim;
    const json_t *id = json_object_get(in, "id");
    if (!json_is_object(in)) {
        zsim__check_error(check, "INVALID_DATA", "invalid data", "",
                          json_pack("{ss}", "expected_data_type", "jsonobject"));
        return false;
    }
    if (!id) {
        char text[24];
        snprintf(text, sizeof text, "%llu", (unsigned long long)sim->next_id++);
        json_t *row = json_pack("{ss}", "id", text);
        bool good = fill_row(check, row, in, true);
        json_array_append_new(rows, row);
        return good;
    }
    size_t at = json_is_string(id) ? row_by_id(rows, json_string_value(id)) : SIZE_MAX;
    if (at == SIZE_MAX) {
        zsim__check_error(check, "INVALID_DATA", "the id given seems to be invalid", "id", NULL);
        return false;
    }
    if (json_object_get(in, "_delete"))
        return json_array_remove(rows, at) == 0;
    return fill_row(check, json_array_get(rows, at), in, false);
}

bool zsim__check_rows(struct zsim_check *check, const struct zsim_field *f, const json_t *in, struct zsim_value *value)
{
    struct zoho_sim *sim = check->call->sim;
    size_t i;
    json_t *v;
    bool good = true;
    if (!json_is_array(in) && !json_is_null(in)) {
        zsim__check_error(check, "INVALID_DATA", "invalid data", f->name,
                          json_pack("{ss}", "expected_data_type", "jsonarray"));
        return false;
    }
    json_t *rows = json_array_size(in) ? old_rows(check, (int)(f - check->module->fields)) : json_array();
    struct zsim_check inner = *check;
    inner.module = &sim->modules[f->subform];
    inner.old = NULL;
    json_array_foreach(in, i, v)
    {
        struct zsim_text path = {0};
        zsim__fmt(&path, "%s.%s[%zu]", check->path, f->name, i);
        inner.path = path.at;
        good = take_row(&inner, rows, v) && good;
        zsim__text_free(&path);
    }
    if (good && json_array_size(rows) > (size_t)sim->on.max_rows) {
        zsim__check_error(check, "LIMIT_EXCEEDED", "limit exceeded", f->name,
                          json_pack("{sI}", "limit", (json_int_t)sim->on.max_rows));
        good = false;
    }
    json_array_foreach(rows, i, v)
        json_object_set_new(v, "Sequence_Number", json_integer((json_int_t)i + 1));
    if (good && json_array_size(rows)) {
        char *text = zsim__must(json_dumps(rows, JSON_COMPACT | JSON_REAL_PRECISION(15)));
        zsim__set_value(value, 'j', text, strlen(text));
        free(text);
    }
    json_decref(rows);
    return good;
}

// ---- what Zoho computes in the parent

static double sum_of_rows(const struct zsim_module *m, const struct zsim_value *values)
{
    double sum = 0;
    for (size_t i = 0; i < m->nfields; i++) {
        if (m->fields[i].kind != ZK_SUBFORM || values[i].kind != 'j')
            continue;
        json_t *rows = json_loadb(values[i].text.at, values[i].text.len, 0, NULL), *row;
        size_t k;
        json_array_foreach(rows, k, row) sum += number_of(row, "Net_Total");
        json_decref(rows);
    }
    return sum;
}

static double field_number(const struct zsim_module *m, const struct zsim_value *values, const char *name)
{
    int f = zsim__field(m, name);
    return f < 0 ? 0 : zsim__value_number(&values[f]);
}

static void join_names(const struct zsim_module *m, struct zsim_value *values, struct zsim_value *out)
{
    int first = zsim__field(m, "First_Name"), last = zsim__field(m, "Last_Name");
    struct zsim_text name = {0};
    if (first >= 0 && values[first].kind)
        zsim__fmt(&name, "%s ", values[first].text.at);
    if (last >= 0 && values[last].kind)
        zsim__str(&name, values[last].text.at);
    if (name.len)
        zsim__set_value(out, 's', name.at, name.len);
    zsim__text_free(&name);
}

void zsim__compute(struct zsim_module *m, struct zsim_value *values)
{
    for (size_t i = 0; i < m->nfields; i++) {
        const char *what = m->fields[i].computed;
        if (!what)
            continue;
        if (strcmp(what, "full_name") == 0)
            join_names(m, values, &values[i]);
        else if (strcmp(what, "sub_total") == 0)
            zsim__set_number(&values[i], cents(sum_of_rows(m, values)), 2);
        else if (strcmp(what, "grand_total") == 0)
            zsim__set_number(&values[i],
                             cents(field_number(m, values, "Sub_Total") - field_number(m, values, "Discount") +
                                   field_number(m, values, "Tax") + field_number(m, values, "Adjustment")),
                             2);
    }
}

// ---- rows in GET by id

static void show_row_value(struct zoho_sim *sim, const struct zsim_field *f, const json_t *v, struct zsim_text *out)
{
    uint64_t id;
    const char *text = json_string_value(json_object_get(v, "id"));
    if (f->kind == ZK_LOOKUP && text && zsim__parse_u64(text, &id)) {
        struct zsim_module *target = &sim->modules[f->lookup];
        const struct zsim_record *r = zsim__record(target, id);
        struct zsim_text name = {0};
        if (r)
            zsim__show_name(target, r, &name);
        zsim__str(out, "{\"name\":");
        if (r)
            zsim__quoted(out, name.at ? name.at : "", name.len);
        else
            zsim__str(out, "null");
        zsim__fmt(out, ",\"id\":\"%s\"}", text);
        zsim__text_free(&name);
        return;
    }
    char *dump = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : NULL;
    zsim__str(out, dump ? dump : "null");
    free(dump);
}

void zsim__show_rows(struct zoho_sim *sim, const struct zsim_module *m, const struct zsim_record *r,
                     const struct zsim_field *f, const struct zsim_cell *cell, struct zsim_text *out)
{
    const struct zsim_module *sub = &sim->modules[f->subform];
    json_t *rows = cell ? json_loadb(cell->bytes, cell->len, 0, NULL) : json_array(), *row;
    size_t i;
    struct zsim_text name = {0};
    zsim__show_name(m, r, &name);
    zsim__str(out, "[");
    json_array_foreach(rows, i, row)
    {
        zsim__fmt(out, "%s{", i ? "," : "");
        for (size_t k = 0; k < sub->nfields; k++) {
            const char *field = sub->fields[k].name;
            zsim__fmt(out, "%s\"%s\":", k ? "," : "", field);
            if (strcmp(field, "Parent_Id") == 0) {
                zsim__str(out, "{\"name\":");
                zsim__quoted(out, name.at ? name.at : "", name.len);
                zsim__fmt(out, ",\"id\":\"%llu\"}", (unsigned long long)r->id);
            } else {
                show_row_value(sim, &sub->fields[k], json_object_get(row, field), out);
            }
        }
        zsim__str(out, "}");
    }
    zsim__str(out, "]");
    zsim__text_free(&name);
    json_decref(rows);
}
