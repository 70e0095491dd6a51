/*
 * rules.c: may this JSON value stand in this field, and what is kept of it?
 *
 *     request value -> zsim__check -> kind and bytes of a cell, or an error element as Zoho words it
 *
 * Formats: facts/zoho-crm.md 5; error details: 7 and the examples of 4.2. Texts count in code points.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

void zsim__set_value(struct zsim_value *value, char kind, const char *bytes, size_t len)
{
    value->kind = kind;
    value->text.len = 0;
    zsim__add(&value->text, bytes, len);
}

double zsim__value_number(const struct zsim_value *value)
{
    return value->kind == 'n' ? strtod(value->text.at, NULL) : 0;
}

void zsim__check_error(struct zsim_check *check, const char *code, const char *message, const char *name,
                       json_t *details)
{
    if (!details)
        details = json_object();
    struct zsim_text path = {0};
    zsim__fmt(&path, "%s%s%s", check->path, *name ? "." : "", name); // no name: the row itself
    json_object_set_new(details, "api_name", json_string(name));
    json_object_set_new(details, "json_path", json_string(path.at));
    zsim__text_free(&path);
    json_array_append_new(check->errors, zsim__error_json(code, message, details));
}

static bool wrong_type(struct zsim_check *check, const struct zsim_field *f, const char *expected)
{
    zsim__check_error(check, "INVALID_DATA", "invalid data", f->name,
                      json_pack("{ss}", "expected_data_type", expected));
    return false;
}

static bool too_long(struct zsim_check *check, const struct zsim_field *f)
{
    zsim__check_error(check, "INVALID_DATA", "invalid data", f->name,
                      json_pack("{sI}", "maximum_length", (json_int_t)f->length));
    return false;
}

static bool plausible_email(const char *s)
{
    const char *at = strchr(s, '@');
    if (!at || at == s || strchr(at + 1, '@') || strpbrk(s, " \t\n,;<>"))
        return false;
    const char *dot = strrchr(at, '.');
    return dot && dot > at + 1 && strlen(dot) > 2 && !strstr(at, "..");
}

static bool plausible_phone(const char *s)
{
    for (const char *p = s; *p; p++) {
        bool letter = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
        if (!letter && !strchr(" .-(),;", *p) && !(*p == '+' && p == s))
            return false;
    }
    return true;
}

static bool plausible_website(const char *s)
{
    const char *host = strstr(s, "://");
    host = host ? host + 3 : s;
    const char *dot = strchr(host, '.');
    return dot && dot > host && dot[1] && !strpbrk(s, " \"<>\\^`{}");
}

static bool check_text(struct zsim_check *check, const struct zsim_field *f, const json_t *in, struct zsim_value *value)
{
    const struct zsim_switches *on = &check->call->sim->on;
    const char *s = json_string_value(in);
    char number[32];
    if (f->computed && strcmp(f->computed, "line_discount") == 0 && json_is_number(in)) {
        snprintf(number, sizeof number, "%.15g", json_number_value(in)); // 0 or "5%", facts 6
        s = number;
    }
    if (!s)
        return wrong_type(check, f, strcmp(f->data_type, "text") == 0 ? "text" : f->data_type);
    size_t len = strlen(s);
    if (f->length && zsim__code_points(s, len) > (size_t)f->length)
        return too_long(check, f);
    if (len && ((strcmp(f->data_type, "email") == 0 && !plausible_email(s)) ||
                (strcmp(f->data_type, "phone") == 0 && on->strict_phone && !plausible_phone(s)) ||
                (strcmp(f->data_type, "website") == 0 && on->strict_website && !plausible_website(s))))
        return wrong_type(check, f, f->data_type);
    if (len)
        zsim__set_value(value, 's', s, len);
    return true;
}

static bool in_picks(const struct zsim_check *check, const struct zsim_field *f, const char *s)
{
    size_t i;
    json_t *v;
    if (check->call->sim->on.lenient_picklists)
        return true;
    json_array_foreach(f->picks, i, v)
        if (strcmp(json_string_value(v), s) == 0)
            return true;
    return false;
}

static bool unsupported(struct zsim_check *check, const struct zsim_field *f)
{
    zsim__check_error(check, "INVALID_DATA", "invalid data", f->name,
                      json_pack("{ssso}", "expected_data_type", f->data_type, "supported_values",
                                json_deep_copy(f->picks)));
    return false;
}

static bool check_pick(struct zsim_check *check, const struct zsim_field *f, const json_t *in, struct zsim_value *value)
{
    const char *s = json_string_value(in);
    if (!s)
        return wrong_type(check, f, f->data_type);
    if (!*s || strcmp(s, "-None-") == 0)
        return true;
    if (!in_picks(check, f, s))
        return unsupported(check, f);
    zsim__set_value(value, 's', s, strlen(s));
    return true;
}

static bool check_multi(struct zsim_check *check, const struct zsim_field *f, const json_t *in,
                        struct zsim_value *value)
{
    size_t i;
    json_t *v;
    if (!json_is_array(in))
        return wrong_type(check, f, "jsonarray");
    struct zsim_text out = {0};
    zsim__str(&out, "[");
    json_array_foreach(in, i, v)
    {
        const char *s = json_string_value(v);
        if (!s || !in_picks(check, f, s)) {
            zsim__text_free(&out);
            return s ? unsupported(check, f) : wrong_type(check, f, f->data_type);
        }
        if (i)
            zsim__str(&out, ",");
        zsim__quoted(&out, s, strlen(s));
    }
    zsim__str(&out, "]");
    if (i)
        zsim__set_value(value, 'j', out.at, out.len);
    zsim__text_free(&out);
    return true;
}

static bool check_integer(struct zsim_check *check, const struct zsim_field *f, const json_t *in,
                          struct zsim_value *value)
{
    bool wants_string = strcmp(f->json_type, "string") == 0;
    bool may_string = wants_string || check->call->sim->on.accept_number_strings;
    const char *expected = f->kind == ZK_INT ? "integer" : f->data_type;
    char digits[32];
    if (json_is_integer(in) && !wants_string)
        snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(in));
    else if (json_is_string(in) && may_string && json_string_length(in) && json_string_length(in) < sizeof digits)
        snprintf(digits, sizeof digits, "%s", json_string_value(in));
    else
        return wrong_type(check, f, expected);
    const char *p = digits + (digits[0] == '-');
    size_t n = strspn(p, "0123456789");
    if (!n || p[n])
        return wrong_type(check, f, expected);
    if (f->length && n > (size_t)f->length)
        return too_long(check, f);
    zsim__set_value(value, 'n', digits, strlen(digits));
    return true;
}

// Significant digits, places after and before the point of v, from its 15-digit scientific form.
static void measure(double v, int *significant, int *places, int *before)
{
    char text[40];
    snprintf(text, sizeof text, "%.14e", v < 0 ? -v : v);
    char *e = strchr(text, 'e');
    int exponent = e ? (int)strtol(e + 1, NULL, 10) : 0;
    int n = 0;
    for (char *p = text; p < e; p++)
        if (*p != '.' && ++n && *p != '0')
            *significant = n;
    *significant = v == 0 ? 1 : *significant;
    *places = *significant - 1 - exponent > 0 ? *significant - 1 - exponent : 0;
    *before = exponent + 1 > 1 ? exponent + 1 : 1;
}

void zsim__set_number(struct zsim_value *value, double v, int decimals)
{
    char text[400];
    snprintf(text, sizeof text, "%.*f", decimals, v);
    if (strchr(text, '.')) {
        char *end = text + strlen(text);
        while (end[-1] == '0')
            end--;
        if (end[-1] == '.')
            end--;
        *end = '\0';
    }
    const char *shown = strcmp(text, "-0") == 0 ? "0" : text;
    zsim__set_value(value, 'n', shown, strlen(shown));
}

static bool check_number(struct zsim_check *check, const struct zsim_field *f, const json_t *in,
                         struct zsim_value *value)
{
    const struct zsim_switches *on = &check->call->sim->on;
    double v;
    if (json_is_number(in)) {
        v = json_number_value(in);
    } else if (json_is_string(in) && on->accept_number_strings) {
        char *end;
        v = strtod(json_string_value(in), &end);
        if (*end || !json_string_length(in))
            return wrong_type(check, f, f->data_type);
    } else {
        return wrong_type(check, f, f->data_type);
    }
    char exact[40];
    int significant = 1, places = 0, before = 1;
    measure(v, &significant, &places, &before);
    snprintf(exact, sizeof exact, "%.15g", v);
    bool short_enough = !json_is_integer(in) || llabs(json_integer_value(in)) < 1000000000000000;
    bool fits15 = strtod(exact, NULL) == v && short_enough;
    int decimals = f->decimals < 0 ? 9 : f->decimals;
    if (before > (f->length ? f->length : 16) || before > 15)
        return too_long(check, f);
    if (!on->round_decimals && !fits15)
        return too_long(check, f);
    if (!on->round_decimals && places > decimals) {
        zsim__check_error(check, "INVALID_DATA", "invalid data", f->name,
                          json_pack("{sssi}", "expected_data_type", f->data_type, "decimal_place", decimals));
        return false;
    }
    zsim__set_number(value, v, decimals);
    return true;
}

static bool check_time(struct zsim_check *check, const struct zsim_field *f, const json_t *in, struct zsim_value *value)
{
    int64_t at;
    const char *s = json_string_value(in);
    char text[32];
    if (f->kind == ZK_DATE) {
        if (!s || !zsim__parse_date(s, &at))
            return wrong_type(check, f, "date");
        zsim__set_value(value, 's', s, strlen(s));
        return true;
    }
    if (!s || !zsim__parse_datetime(s, &at))
        return wrong_type(check, f, "datetime");
    zsim__format_datetime(at, check->call->sim->offset_minutes, text);
    zsim__set_value(value, 's', text, strlen(text));
    return true;
}

static bool check_link(struct zsim_check *check, const struct zsim_field *f, const json_t *in, struct zsim_value *value)
{
    struct zoho_sim *sim = check->call->sim;
    const char *text = json_string_value(json_object_get(in, "id"));
    uint64_t id;
    if (!json_is_object(in))
        return wrong_type(check, f, "jsonobject");
    if (!text || !zsim__parse_u64(text, &id))
        return wrong_type(check, f, "bigint");
    bool good;
    if (f->kind == ZK_USER) {
        int user = zsim__user_by_id(sim, id);
        good = user >= 0 && sim->users[user].active;
    } else {
        struct zsim_module *target = &sim->modules[f->lookup];
        good = !target->absent && zsim__record(target, id);
    }
    if (!good) {
        zsim__check_error(check, "INVALID_DATA", "the related id given seems to be invalid", f->name, NULL);
        return false;
    }
    zsim__set_value(value, f->kind == ZK_USER ? 'u' : 'r', text, strlen(text));
    return true;
}

bool zsim__check(struct zsim_check *check, const struct zsim_field *f, const json_t *in, struct zsim_value *value)
{
    if (json_is_null(in) && f->kind != ZK_SUBFORM)
        return true; // null clears
    switch (f->kind) {
    case ZK_TEXT:
        return check_text(check, f, in, value);
    case ZK_PICK:
        return check_pick(check, f, in, value);
    case ZK_MULTI:
        return check_multi(check, f, in, value);
    case ZK_BOOL:
        if (!json_is_boolean(in))
            return wrong_type(check, f, "boolean");
        zsim__set_value(value, 'b', json_is_true(in) ? "true" : "false", json_is_true(in) ? 4 : 5);
        return true;
    case ZK_INT:
    case ZK_BIGINT:
        return check_integer(check, f, in, value);
    case ZK_NUMBER:
        return check_number(check, f, in, value);
    case ZK_DATE:
    case ZK_DATETIME:
        return check_time(check, f, in, value);
    case ZK_LOOKUP:
    case ZK_USER:
        return check_link(check, f, in, value);
    case ZK_SUBFORM:
        return zsim__check_rows(check, f, in, value);
    case ZK_RAW: {
        char *text = zsim__must(json_dumps(in, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)));
        zsim__set_value(value, 'j', text, strlen(text));
        free(text);
        return true;
    }
    }
    return false;
}
