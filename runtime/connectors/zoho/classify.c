/* classify.c - from an HTTP answer to one class per record (facts/zoho-crm.md 4.2, 4.3, 7).
 *
 *     outcome -> status 401, 429 -> JSON -> data[] of our length: element by element, by position
 *                                        -> data[] of another length: nobody knows what belongs to whom: all ambiguous
 *                                        -> flat code: the whole request
 *                                        -> neither: by status alone
 *
 * Rules that are not in the table:
 *   - any 5xx may have been applied: ambiguous, also 503 (a gateway may say it after the record was written)
 *   - a 2xx that cannot be read was applied, or not: ambiguous
 *   - SUCCESS counts only with the id that we sent (update) or with an id at all (insert)
 *   - a code that we do not know: the record is refused, for Zoho says "error"; a whole request is split */
#include "connectors/zoho/classify.h"
#include <jansson.h>
#include <stdio.h>

const struct zoho_code zoho__codes[] = {
#define CODE(name, item, whole, err, advice) {#name, item, whole, ERR_##err, advice},
#include "connectors/zoho/codes.def"
#undef CODE
    {NULL, W_REJECTED, W_SPLIT, ERR_PROTOCOL, ""}
};

const struct zoho_code *zoho__code(struct str name)
{
    for (const struct zoho_code *c = zoho__codes; c->name; c++)
        if (str_is(name, c->name)) return c;
    return NULL;
}

/* ---- small readers of jansson trees ---- */

static struct str text_of(const json_t *j)
{
    return json_is_string(j) ? (struct str){json_string_value(j), json_string_length(j)} : (struct str){"", 0};
}
static struct str member(const json_t *j, const char *name) { return text_of(json_object_get(j, name)); }
static struct str kept(struct arena *a, struct str s) { return (struct str){arena_copy(a, s.p, s.n), s.n}; }

/* Field name: details.api_name, or the last part of details.json_path ("$.data[1].Company"). */
static struct str field_of(const json_t *details)
{
    struct str name = member(details, "api_name"), path = member(details, "json_path");
    if (name.n || !path.n) return name.n ? name : member(details, "param_name");
    size_t dot = path.n;
    while (dot > 0 && path.p[dot - 1] != '.') dot--;
    return (struct str){path.p + dot, path.n - dot};
}

static struct str duplicate_id(const json_t *details)
{
    struct str id = member(json_object_get(details, "duplicate_record"), "id");
    return id.n ? id : member(details, "id");
}

/* Zoho's sentence and the bounds it gives; never a value of the record. */
static struct str message_of(const json_t *e, struct arena *a)
{
    const json_t *d = json_object_get(e, "details");
    struct str m = member(e, "message"), type = member(d, "expected_data_type"), dep = member(d, "dependency_error");
    const json_t *max = json_object_get(d, "maximum_length"), *limit = json_object_get(d, "limit");
    char extra[160];
    int n = 0;
    extra[0] = '\0';
    if (type.n) n += snprintf(extra + n, sizeof extra - (size_t)n, "; expected %.*s", (int)str_cut(type, 40).n, type.p);
    if (json_is_integer(max)) n += snprintf(extra + n, sizeof extra - (size_t)n, "; at most %lld", (long long)json_integer_value(max));
    if (json_is_integer(limit)) n += snprintf(extra + n, sizeof extra - (size_t)n, "; limit %lld", (long long)json_integer_value(limit));
    if (dep.n) (void)snprintf(extra + n, sizeof extra - (size_t)n, "; %.*s", (int)str_cut(dep, 40).n, dep.p);
    return str_of(arena_printf(a, "%.*s%s", (int)str_cut(m, 300).n, m.p, extra));
}

/* ---- one error element ---- */

struct finding1 { enum write_class cls; struct str code, field, id; const json_t *e; };

static enum write_class dependent_class(struct str why)
{
    if (str_is(why, "PROCESSING_ERROR")) return W_RETRY;
    if (str_is(why, "NO_PERMISSION")) return W_CONFIG;
    return W_REJECTED;
}

static struct finding1 read_error(const struct write_batch *b, const json_t *e)
{
    const json_t *d = json_object_get(e, "details");
    struct finding1 f = {W_REJECTED, member(e, "code"), field_of(d), {"", 0}, e};
    const struct zoho_code *known = zoho__code(f.code);
    if (known) f.cls = known->item;
    if (str_is(f.code, "DUPLICATE_DATA")) {
        f.id = duplicate_id(d);
        if (b->verb == WRITE_INSERT && str_eq(f.field, b->key_field)) f.cls = f.id.n ? W_DUP_OWN : W_AMBIGUOUS;
    } else if (str_is(f.code, "DEPENDENT_SERVICE_ERROR")) {
        f.cls = dependent_class(member(d, "dependency_error"));
    } else if (b->verb == WRITE_UPDATE && ((str_is(f.code, "INVALID_DATA") && str_is(f.field, "id")) || str_is(f.code, "RESOURCE_NOT_FOUND"))) {
        f.cls = W_GONE;
    }
    return f;
}

/* Which of several complaints decides: the one that forbids most. Our own key among them, and nobody else's record: it is ours. */
static int weight(enum write_class c)
{
    switch (c) {
    case W_CONFIG: return 9;
    case W_DUP_OTHER: return 8;
    case W_DUP_OWN: return 7;
    case W_GONE: return 6;
    case W_AMBIGUOUS: return 5;
    case W_REJECTED: case W_SPLIT: return 4;
    case W_PARKED: return 3;
    case W_RETRY: return 2;
    case W_APPLIED: return 1;
    }
    return 0;
}

static struct finding1 read_errors(const struct write_batch *b, const json_t *e)
{
    const json_t *list = json_object_get(json_object_get(e, "details"), "errors");
    if (!json_is_array(list)) list = json_object_get(e, "errors");
    if (!str_is(member(e, "code"), "MULTIPLE_OR_MULTI_ERRORS") || json_array_size(list) == 0) return read_error(b, e);
    struct str own = {"", 0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct finding1 f = read_error(b, json_array_get(list, i));
        if (f.cls == W_DUP_OWN) own = f.id;
    }
    struct finding1 worst = {.cls = W_APPLIED};
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct finding1 f = read_error(b, json_array_get(list, i));
        if (f.cls == W_DUP_OTHER && own.n && str_eq(f.id, own)) f.cls = W_DUP_OWN;      /* the same record by another field */
        if (weight(f.cls) > weight(worst.cls)) worst = f;
    }
    return worst;
}

/* "INVALID_DATA on Phone, MANDATORY_NOT_FOUND on Last_Name" behind the sentence of the worst, so that a person mends all at once. */
static struct str message_of_all(const json_t *e, struct finding1 worst, struct arena *a)
{
    const json_t *list = json_object_get(json_object_get(e, "details"), "errors");
    if (!json_is_array(list)) list = json_object_get(e, "errors");
    struct str m = message_of(worst.e, a);
    if (worst.e == e || json_array_size(list) < 2) return m;
    char *text = arena_printf(a, "%.*s (all:", (int)m.n, m.p);
    for (size_t i = 0; i < json_array_size(list) && i < 20; i++) {
        struct str code = member(json_array_get(list, i), "code"), field = field_of(json_object_get(json_array_get(list, i), "details"));
        text = arena_printf(a, "%s%s %.*s on %.*s", text, i ? "," : "", (int)str_cut(code, 60).n, code.p,
                            (int)str_cut(field, 100).n, field.p);
    }
    return str_of(arena_printf(a, "%s)", text));
}

static void settle_success(struct write_batch *b, struct write_item *it, const json_t *e)
{
    struct str id = member(json_object_get(e, "details"), "id");
    it->code = STR("SUCCESS");
    it->cls = W_APPLIED;
    it->out_id = kept(b->arena, id);
    if (b->verb == WRITE_UPDATE && id.n == 0) it->out_id = kept(b->arena, it->id);
    if ((b->verb == WRITE_INSERT && id.n == 0) || (b->verb == WRITE_UPDATE && id.n > 0 && !str_eq(id, it->id))) {
        it->cls = W_AMBIGUOUS;
        it->message = STR("answered success, but not with the id of this record");
    }
}

static void settle_item(struct write_batch *b, struct write_item *it, const json_t *e)
{
    if (str_is(member(e, "code"), "SUCCESS")) {
        settle_success(b, it, e);
        return;
    }
    if (!json_is_object(e) || member(e, "code").n == 0) {
        it->cls = W_AMBIGUOUS;
        it->message = STR("the answer for this record cannot be read");
        return;
    }
    struct finding1 f = read_errors(b, e);
    it->cls = f.cls;
    it->code = kept(b->arena, f.code);
    it->field = kept(b->arena, f.field);
    it->out_id = kept(b->arena, f.id);
    it->message = message_of_all(e, f, b->arena);
}

/* ---- whole answers ---- */

void zoho__classify_all(struct write_batch *b, enum write_class cls, int status, const char *code, const char *message)
{
    struct str c = code ? kept(b->arena, str_of(code)) : (struct str){"", 0};
    struct str m = message ? kept(b->arena, str_of(message)) : (struct str){"", 0};
    for (size_t i = 0; i < b->n; i++) {
        struct write_item *it = &b->items[i];
        it->cls = cls;
        it->code = c;
        it->message = m;
        it->field = it->out_id = (struct str){"", 0};
        it->http_status = status;
    }
}

/* What a status says when the body does not. */
static enum write_class class_of_status(int status)
{
    if (status == 429) return W_RETRY;
    if (status == 400 || status == 413) return W_SPLIT;
    if (status == 408 || status == 412) return W_AMBIGUOUS;
    if (status == 501 || status == 505) return W_CONFIG;
    if (status >= 300 && status < 500) return W_CONFIG;      /* redirect, 401, 403, 404, 405, 415: refused before anything was done */
    return W_AMBIGUOUS;                                       /* 2xx without content, 5xx */
}

static void settle_flat(struct write_batch *b, const json_t *e, int status)
{
    struct str code = member(e, "code");
    const struct zoho_code *known = zoho__code(code);
    enum write_class cls = class_of_status(status);
    if (known && status >= 300 && status < 500 && status != 429) cls = known->whole;
    if (cls == W_SPLIT && str_is(code, "DEPENDENT_SERVICE_ERROR")) {
        cls = dependent_class(member(json_object_get(e, "details"), "dependency_error"));
        if (cls == W_REJECTED) cls = W_SPLIT;
    }
    if (cls == W_RETRY && status < 300) cls = W_AMBIGUOUS;
    char *text = arena_printf(b->arena, "%.*s", (int)str_cut(code, 80).n, code.p);
    zoho__classify_all(b, cls, status, text, message_of(e, b->arena).p);
    struct str field = kept(b->arena, field_of(json_object_get(e, "details")));
    for (size_t i = 0; i < b->n; i++) b->items[i].field = field;
}

/* Failed elements name their place ("$.data[3].Phone"): when one stands elsewhere, position says nothing any more. */
static bool in_order(const json_t *data)
{
    for (size_t i = 0; i < json_array_size(data); i++) {
        struct str path = member(json_object_get(json_array_get(data, i), "details"), "json_path");
        if (!str_starts(path, STR("$.data["))) continue;
        size_t n = 7;
        while (n < path.n && path.p[n] >= '0' && path.p[n] <= '9') n++;
        int64_t place;
        if (str_to_i64((struct str){path.p + 7, n - 7}, &place) && place != (int64_t)i) return false;
    }
    return true;
}

static void settle_body(struct write_batch *b, const json_t *root, int status)
{
    const json_t *data = json_object_get(root, "data");
    bool refused = status == 401 || status == 403 || status == 404 || status == 405 || status == 429;
    if (json_is_array(data) && !refused && !in_order(data)) {
        zoho__classify_all(b, W_AMBIGUOUS, status, "", "the answer has its records in another order than the request");
    } else if (json_is_array(data) && json_array_size(data) == b->n && !refused) {
        for (size_t i = 0; i < b->n; i++) {
            b->items[i].http_status = status;
            settle_item(b, &b->items[i], json_array_get(data, i));
        }
    } else if (json_is_array(data) && !refused) {
        zoho__classify_all(b, W_AMBIGUOUS, status, "", "the answer has another number of records than the request");
    } else if (json_is_array(data) && json_array_size(data) > 0) {
        settle_flat(b, json_array_get(data, 0), status);
    } else if (json_is_object(root) && member(root, "code").n > 0) {
        settle_flat(b, root, status);
    } else {
        zoho__classify_all(b, class_of_status(status), status, "", arena_printf(b->arena, "answered %d without a code", status));
    }
}

static void settle_transport(struct write_batch *b, const struct http_res *res)
{
    static const struct { enum write_class cls; const char *code; } by_outcome[] = {
        [HTTP_NOT_SENT] = {W_RETRY, "NOT_SENT"}, [HTTP_AMBIGUOUS] = {W_AMBIGUOUS, "NO_ANSWER"},
        [HTTP_TOO_LARGE] = {W_AMBIGUOUS, "ANSWER_TOO_LARGE"}, [HTTP_REFUSED] = {W_CONFIG, "NOT_ALLOWED"},
        [HTTP_ANSWERED] = {W_AMBIGUOUS, ""},
    };
    zoho__classify_all(b, by_outcome[res->outcome].cls, 0, by_outcome[res->outcome].code, res->error);
}

enum zoho_verdict zoho__classify(struct write_batch *b, const struct http_res *res)
{
    if (res->outcome != HTTP_ANSWERED) {
        settle_transport(b, res);
        return ZOHO_SETTLED;
    }
    json_error_t where;
    json_t *root = res->body.n ? json_loadb(res->body.p, res->body.n, JSON_REJECT_DUPLICATES, &where) : NULL;
    if (root) settle_body(b, root, res->status);
    else zoho__classify_all(b, class_of_status(res->status), res->status, "", arena_printf(b->arena, "answered %d, and nothing that can be read", res->status));
    json_decref(root);
    if (res->status == 429 || (b->n > 0 && b->items[0].cls == W_RETRY && str_is(b->items[0].code, "TOO_MANY_REQUESTS"))) return ZOHO_THROTTLED;
    bool scope = b->n > 0 && str_is(b->items[0].code, "OAUTH_SCOPE_MISMATCH");
    return res->status == 401 && !scope ? ZOHO_RENEW : ZOHO_SETTLED;
}

struct zoho_complaint zoho__complaint(const struct http_res *res, struct arena *a)
{
    struct zoho_complaint c = {{"", 0}, {"", 0}, {"", 0}};
    json_error_t where;
    json_t *root = res->body.n ? json_loadb(res->body.p, res->body.n, 0, &where) : NULL;
    const json_t *e = root, *data = json_object_get(root, "data");
    for (size_t i = 0; json_is_array(data) && i < json_array_size(data); i++) {
        e = json_array_get(data, i);
        if (!str_is(member(e, "status"), "success")) break;
    }
    if (member(e, "code").n > 0) {
        c.code = kept(a, member(e, "code"));
        c.message = message_of(e, a);
        c.param = kept(a, field_of(json_object_get(e, "details")));
    }
    json_decref(root);
    return c;
}
