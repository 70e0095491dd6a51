/* make.c - fields, choices and modules are made in Zoho's settings, one call each, and the answer is read.
 *
 *     POST  /settings/fields?module=M        {"fields":[{"field_label","data_type",...}]}        one field
 *     PATCH /settings/fields/ID?module=M     {"fields":[{"pick_list_values" | "length" | "unique"}]}
 *     POST  /settings/modules                {"modules":[{"singular_label","plural_label","api_name","profiles","display_field"}]}
 *     -> {"fields"|"modules":[{"code","details","message","status"}]}, or the same flat
 *
 * Zoho makes the API name out of the label: blanks become underscores. So the label is the wanted name with the underscores taken for blanks, and
 * the name is looked at afterwards (prepare.c). The choices of a list go out whole, those that are there with their ids: right whether Zoho takes
 * them for additions or for the list as it shall be. */
#include "connectors/zoho/zoho.h"
#include <jansson.h>
#include <stdio.h>

#define LABEL_MAX       25      /* characters of a label, of a module's name */
#define LINE_MAX_TEXT   255     /* characters of a single-line field */
#define AREA_SMALL      2000
#define AREA_LARGE      32000
#define INTEGER_DIGITS  9
#define BIGINT_DIGITS   18
#define NUMBER_DIGITS   16
#define NUMBER_SCALE    9
#define MODULE_CREDITS  500     /* facts/zoho-crm.md 12 */

/* ---- types ---- */

static int digits_of(const struct type *t)
{
    i128 most = t->hi > -t->lo ? t->hi : -t->lo;
    int n = 0;
    for (; most > 0; n++) most /= 10;
    return n < 1 ? 1 : n <= t->scale ? t->scale + 1 : n;
}

static const char *number_type(const struct type *t, const char **why)
{
    int digits = digits_of(t);
    if (t->scale == 0 && digits <= INTEGER_DIGITS) return "integer";
    if (t->scale == 0 && digits <= BIGINT_DIGITS) return "bigint";
    if (digits <= NUMBER_DIGITS && t->scale <= NUMBER_SCALE) return "double";
    *why = "Zoho's number fields hold at most 16 digits, 9 of them decimals (18 digits without decimals): declare less";
    return NULL;
}

static const char *text_type(const struct zoho_wish *w, const char **why)
{
    if (w->type.nset) return "picklist";
    if (w->type.max_len <= LINE_MAX_TEXT) return "text";
    if (w->unique) {
        *why = "only fields of up to 255 characters can be free of duplicates: declare less";
        return NULL;
    }
    if (w->type.max_len <= AREA_LARGE) return "textarea";
    *why = "a text of more than 32000 characters fits no field that Zoho's API makes";
    return NULL;
}

const char *zoho__make_type(const struct zoho_wish *w, struct arena *a, const char **why)
{
    bool odd = w->field.n == 0 || w->field.p[0] == '_' || w->field.p[w->field.n - 1] == '_';
    for (size_t i = 1; i < w->field.n; i++) odd = odd || (w->field.p[i] == '_' && w->field.p[i - 1] == '_');
    *why = "";
    if (odd || w->field.n > LABEL_MAX) {
        *why = arena_printf(a, "%s: make it in Zoho (Setup, Modules and Fields) and set its API name there (Setup, APIs, API names)",
                            odd ? "no label gives this API name" : "a label has at most 25 characters, and the API name is made of it");
        return NULL;
    }
    switch (w->type.base) {
    case T_TEXT: return text_type(w, why);
    case T_DECIMAL: return number_type(&w->type, why);
    case T_BOOL: return "boolean";
    case T_DATE: return "date";
    case T_INSTANT: return "datetime";
    case T_LINK: return zoho__is_users(w->link_module) ? "userlookup" : "lookup";
    default: *why = "Zoho has no field for a value of this kind"; return NULL;
    }
}

/* ---- bodies ---- */

static json_t *text_json(struct str s) { return json_stringn(s.p, s.n); }

/* "Sage_Customer" -> "Sage Customer" */
static struct str label_of(struct str name, struct arena *a)
{
    char *label = arena_copy(a, name.p, name.n);
    for (size_t i = 0; i < name.n; i++)
        if (label[i] == '_') label[i] = ' ';
    return (struct str){label, name.n};
}

static void add_choice(json_t *list, struct str value, struct str id)
{
    json_t *o = json_object();
    if (id.n) json_object_set_new(o, "id", text_json(id));
    json_object_set_new(o, "display_value", text_json(value));
    json_object_set_new(o, "actual_value", text_json(value));
    json_array_append_new(list, o);
}

static void describe_wish(json_t *o, const struct zoho_wish *w, const char *data_type, struct arena *a)
{
    const struct type *t = &w->type;
    if (strcmp(data_type, "picklist") == 0) {
        json_t *list = json_array();
        for (size_t i = 0; i < t->nset; i++) add_choice(list, t->set[i], (struct str){"", 0});
        json_object_set_new(o, "pick_list_values", list);
    } else if (strcmp(data_type, "text") == 0) {
        json_object_set_new(o, "length", json_integer((json_int_t)t->max_len));
    } else if (strcmp(data_type, "textarea") == 0) {
        json_object_set_new(o, "textarea", json_pack("{ss}", "type", t->max_len <= AREA_SMALL ? "small" : "large"));
    } else if (t->base == T_DECIMAL) {
        json_object_set_new(o, "length", json_integer(digits_of(t)));
        if (t->scale) json_object_set_new(o, "decimal_place", json_integer(t->scale));
    } else if (strcmp(data_type, "lookup") == 0) {
        struct str label = label_of(w->module, a);
        json_t *look = json_object(), *module = json_object();
        json_object_set_new(module, "api_name", text_json(w->link_module));
        json_object_set_new(look, "module", module);
        json_object_set_new(look, "display_label", json_stringn(label.p, label.n < LABEL_MAX ? label.n : LABEL_MAX));
        json_object_set_new(o, "lookup", look);
    }
    if (w->unique) json_object_set_new(o, "unique", json_pack("{sb}", "case_sensitive", 0));
}

/* ---- the call ---- */

static struct str member(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : (struct str){"", 0};
}

/* The one element that the answer speaks of. */
static const json_t *element(const json_t *root, const char *list)
{
    const json_t *inside = json_array_get(json_object_get(root, list), 0);
    return inside ? inside : root;
}

/* A sentence about a refusal: Zoho's code and message, the member it complains of, and what a person does. */
static const char *refusal(const json_t *e, int status, const char *by_hand, struct arena *a)
{
    const json_t *details = json_object_get(e, "details");
    struct str code = member(e, "code"), message = member(e, "message"), at = member(details, "api_name");
    const struct zoho_code *known = zoho__code(code);
    char most[40] = "";
    if (at.n == 0) at = member(json_array_get(json_object_get(details, "limit_due_to"), 0), "api_name");
    if (json_is_integer(json_object_get(details, "limit")))
        snprintf(most, sizeof most, ", limit %lld", (long long)json_integer_value(json_object_get(details, "limit")));
    if (code.n == 0) return arena_printf(a, "Zoho answered %d without a code; %s", status, by_hand);
    return arena_printf(a, "Zoho says %.*s%s%.*s%s (%.*s); %s%s%s", (int)str_cut(code, 60).n, code.p, at.n ? " on " : "",
                        (int)str_cut(at, 60).n, at.p, most, (int)str_cut(message, 200).n, message.p,
                        known && known->err != ERR_REJECTED ? known->advice : "", known && known->err != ERR_REJECTED ? "; " : "", by_hand);
}

/* Refusals that the rest of the steps would meet too. */
static enum err hopeless(int status, struct str code, const char *text, struct fault *f)
{
    const struct zoho_code *known = zoho__code(code);
    if (status == 401) return fault_set(f, known ? known->err : ERR_AUTH, "%s", text);
    if (status == 429 || status >= 500) return fault_set(f, ERR_BUSY, "%s", text);
    return ERR_OK;
}

struct change { const char *what, *list, *by_hand; };

static enum err change(struct target *t, const struct change *ch, const struct zoho_call *c, struct arena *a, struct str *id, const char **why, struct fault *f)
{
    struct http_res res;
    *why = "";
    enum err e = zoho__change(t, c, a, &res, f);
    if (e != ERR_OK) return e;
    json_t *root = res.body.n ? json_loadb(res.body.p, res.body.n, 0, NULL) : NULL;
    const json_t *one = element(root, ch->list);
    struct str code = member(one, "code");
    if (res.status >= 200 && res.status < 300 && str_is(code, "SUCCESS")) {
        struct str made = member(json_object_get(one, "details"), "id");
        *id = (struct str){arena_copy(a, made.p, made.n), made.n};
    } else {
        *why = refusal(one, res.status, ch->by_hand, a);
        e = hopeless(res.status, code, *why, f);
        if (e == ERR_OK) e = fault_set(f, ERR_REJECTED, "%s: %s", ch->what, *why);
    }
    json_decref(root);
    return e;
}

/* body is taken. */
static enum err send(struct target *t, const struct change *ch, struct zoho_call *c, json_t *body, struct arena *a, struct str *id, const char **why, struct fault *f)
{
    char *text = json_dumps(body, JSON_COMPACT);
    if (!text) check_no_memory();
    json_decref(body);
    c->body = str_of(text);
    enum err e = change(t, ch, c, a, id, why, f);
    free(text);
    return e;
}

static const char *fields_path(struct str module, struct str id, struct arena *a)
{
    struct buf b = {0};
    if (id.n) {
        buf_puts(&b, "/settings/fields/");
        net_url_encode(&b, id);
        buf_puts(&b, "?module=");
    } else {
        buf_puts(&b, "/settings/fields?module=");
    }
    net_url_encode(&b, module);
    const char *path = arena_copy(a, b.p, b.n);
    buf_free(&b);
    return path;
}

static json_t *wrapped(const char *list, json_t *one)
{
    json_t *all = json_array(), *root = json_object();
    json_array_append_new(all, one);
    json_object_set_new(root, list, all);
    return root;
}

enum err zoho__make_field(struct target *t, const struct zoho_wish *w, struct arena *a, struct str *id, const char **why, struct fault *f)
{
    static const struct change ch = {"making a field", "fields", "or make it by hand: Setup, Modules and Fields"};
    const char *data_type = zoho__make_type(w, a, why);
    ASSERT(data_type != NULL);
    json_t *o = json_object();
    json_object_set_new(o, "field_label", text_json(label_of(w->field, a)));
    json_object_set_new(o, "data_type", json_string(data_type));
    describe_wish(o, w, data_type, a);
    struct zoho_call c = {.what = ch.what, .method = "POST", .path = fields_path(w->module, (struct str){"", 0}, a), .cost = 1};
    return send(t, &ch, &c, wrapped("fields", o), a, id, why, f);
}

enum err zoho__change_field(struct target *t, struct str module, const struct zoho_field *z, const struct zoho_change *want, struct arena *a, const char **why,
                            struct fault *f)
{
    static const struct change ch = {"changing a field", "fields", "or change it by hand: Setup, Modules and Fields, the field"};
    json_t *o = json_object();
    struct str id;
    if (want->nvalues) {
        json_t *list = json_array();
        for (size_t i = 0; i < z->npicks; i++) add_choice(list, z->picks[i], z->pick_ids[i]);
        for (size_t i = 0; i < want->nvalues; i++) add_choice(list, want->values[i], (struct str){"", 0});
        json_object_set_new(o, "pick_list_values", list);
    }
    if (want->length) json_object_set_new(o, "length", json_integer(want->length));
    if (want->unique) json_object_set_new(o, "unique", json_pack("{sb}", "case_sensitive", 0));
    struct zoho_call c = {.what = ch.what, .method = "PATCH", .path = fields_path(module, z->id, a), .cost = 1};
    return send(t, &ch, &c, wrapped("fields", o), a, &id, why, f);
}

/* The new module is seen by those who see the first standard module; who else shall, a person says in Setup. */
static json_t *profiles_json(const struct target *t)
{
    json_t *list = json_array();
    const struct zoho_module *like = NULL;
    for (size_t i = 0; i < t->meta.nmodules; i++)
        if (t->meta.modules[i].nprofiles && (!like || str_is(t->meta.modules[i].name, "Accounts"))) like = &t->meta.modules[i];
    for (size_t i = 0; like && i < like->nprofiles; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "id", text_json(like->profiles[i]));
        json_array_append_new(list, one);
    }
    return list;
}

enum err zoho__make_module(struct target *t, struct str name, struct arena *a, const char **why, struct fault *f)
{
    static const struct change ch = {"making a module", "modules", "or make it by hand: Setup, Modules and Fields, create new module; then set its API name"};
    struct str label = {arena_copy(a, name.p, name.n), 0}, id;
    char *put = (char *)(uintptr_t)label.p;
    for (size_t i = 0; i < name.n && label.n < LABEL_MAX; i++)      /* letters and digits only; people give it a better one in Setup */
        if (name.p[i] != '_') put[label.n++] = name.p[i];
    json_t *o = json_object();
    json_object_set_new(o, "singular_label", text_json(label));
    json_object_set_new(o, "plural_label", text_json(label));
    json_object_set_new(o, "api_name", text_json(name));
    json_object_set_new(o, "profiles", profiles_json(t));
    json_object_set_new(o, "display_field", json_pack("{ssss}", "field_label", "Name", "data_type", "text"));
    struct zoho_call c = {.what = ch.what, .method = "POST", .path = "/settings/modules", .cost = MODULE_CREDITS};
    return send(t, &ch, &c, wrapped("modules", o), a, &id, why, f);
}
