/*
 * search.c: search and count (facts 4.5).
 *
 *     criteria = (F:op:value) | (criteria and criteria ..) | (criteria or criteria ..)
 *
 * becomes the same tree that COQL uses. The index of search is late: records touched within search_lag_ms are not
 * found. `equals` on text finds what merely contains it, unless search_equals_exact.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_CRITERIA = 10, PER_PAGE = 200, MAX_ROWS = 2000, MAX_DEPTH = 20 };

struct criteria {
    struct zsim_call *call;
    const struct zsim_module *m;
    const char *at;
    int count, depth;
    bool failed;
};

static struct zsim_cond *bad(struct criteria *c, const char *reason)
{
    if (!c->failed)
        zsim__error(c->call, 400, "INVALID_QUERY", "Invalid query formed",
                    json_pack("{ss}", "reason", reason));
    c->failed = true;
    return NULL;
}

// Up to an unescaped stop character; \ takes the next one literally.
static char *piece(struct criteria *c, const char *stops)
{
    struct zsim_text out = {0};
    zsim__str(&out, "");
    for (; *c->at && !strchr(stops, *c->at); c->at++) {
        if (*c->at == '\\' && c->at[1])
            c->at++;
        zsim__add(&out, c->at, 1);
    }
    return out.at;
}

static bool take_operator(struct zsim_cond *cond, const char *word, bool text, bool exact)
{
    static const struct {
        const char *word;
        enum zsim_op op;
    } WORDS[] = {{"equals", ZO_EQ},           {"not_equal", ZO_NE},  {"starts_with", ZO_STARTS},
                 {"contains", ZO_CONTAINS},   {"in", ZO_IN},         {"greater_than", ZO_GT},
                 {"greater_equal", ZO_GE},    {"less_than", ZO_LT},  {"less_equal", ZO_LE},
                 {"between", ZO_BETWEEN}};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strcmp(WORDS[i].word, word) == 0) {
            cond->op = WORDS[i].op == ZO_EQ && text && !exact ? ZO_CONTAINS : WORDS[i].op;
            return true;
        }
    return false;
}

static void add_value(struct zsim_cond *cond, const char *bytes, size_t len)
{
    cond->values = zsim__must(realloc(cond->values, (cond->nvalues + 1) * sizeof *cond->values));
    cond->values[cond->nvalues++] = (struct zsim_literal){.text = zsim__must(strndup(bytes, len))};
}

static struct zsim_cond *leaf(int field, enum zsim_op op, const char *value)
{
    struct zsim_cond *cond = zsim__must(calloc(1, sizeof *cond));
    cond->op = op;
    cond->path = (struct zsim_path){field, -1};
    add_value(cond, value, strlen(value));
    return cond;
}

static struct zsim_cond *one(struct criteria *c)
{
    char *name = piece(c, ":()"), *op = NULL, *value = NULL;
    struct zsim_cond *cond = NULL;
    int field = zsim__field(c->m, name);
    if (*c->at == ':') {
        c->at++;
        op = piece(c, ":()");
    }
    if (op && *c->at == ':') {
        c->at++;
        value = piece(c, ")");
    }
    const struct zsim_field *f = field >= 0 ? &c->m->fields[field] : NULL;
    bool text = f && f->role == ZR_PLAIN && f->kind == ZK_TEXT;
    if (!value || !f || f->kind == ZK_SUBFORM) {
        bad(c, "invalid criteria");
    } else {
        cond = leaf(field, ZO_EQ, value);
        if (!take_operator(cond, op, text, c->call->sim->on.search_equals_exact)) {
            bad(c, "invalid operator");
        } else if (cond->op == ZO_IN || cond->op == ZO_BETWEEN) {
            free(cond->values[0].text);
            cond->nvalues = 0;
            for (char *rest = value, *v; (v = strsep(&rest, ",")) != NULL;)
                add_value(cond, v, strlen(v));
            if (cond->op == ZO_BETWEEN && cond->nvalues != 2)
                bad(c, "between needs two values");
        }
        if (++c->count > MAX_CRITERIA && !c->failed) {
            zsim__error(c->call, 400, "CRITERIA_LIMIT_EXCEEDED", "too many criteria", NULL);
            c->failed = true;
        }
    }
    free(name);
    free(op);
    free(value);
    return cond;
}

static struct zsim_cond *both(enum zsim_op op, struct zsim_cond *left, struct zsim_cond *right)
{
    if (!left)
        return right;
    struct zsim_cond *c = zsim__must(calloc(1, sizeof *c));
    c->op = op;
    c->left = left;
    c->right = right;
    return c;
}

static struct zsim_cond *group(struct criteria *c)
{
    struct zsim_cond *left = NULL;
    if (*c->at != '(' || ++c->depth > MAX_DEPTH)
        return bad(c, "parenthesis expected");
    c->at++;
    if (*c->at != '(') {
        left = one(c);
    } else {
        left = group(c);
        while (!c->failed && *c->at && *c->at != ')') {
            c->at += strspn(c->at, " ");
            enum zsim_op op = strncasecmp(c->at, "and", 3) == 0 ? ZO_AND : ZO_OR;
            size_t n = op == ZO_AND ? 3 : strncasecmp(c->at, "or", 2) == 0 ? 2 : 0;
            if (!n) {
                bad(c, "and or or expected");
                break;
            }
            c->at += n;
            c->at += strspn(c->at, " ");
            struct zsim_cond *right = group(c);
            if (right)
                left = both(op, left, right);
        }
    }
    if (!c->failed && *c->at++ != ')')
        bad(c, "parenthesis expected");
    c->depth--;
    return left;
}

static struct zsim_cond *any_field(const struct zsim_module *m, const char *data_type, enum zsim_op op,
                                   const char *value)
{
    struct zsim_cond *all = NULL;
    for (size_t i = 0; i < m->nfields; i++) {
        const struct zsim_field *f = &m->fields[i];
        bool fits = data_type ? strcmp(f->data_type, data_type) == 0 : f->role == ZR_PLAIN && f->kind == ZK_TEXT;
        if (fits)
            all = both(ZO_OR, all, leaf((int)i, op, value));
    }
    return all;
}

// False: answered. *none: no parameter was given.
static bool condition(struct zsim_call *call, struct zsim_module *m, struct zsim_cond **where, bool *none)
{
    const char *criteria = zsim__param(call, "criteria"), *email = zsim__param(call, "email");
    const char *phone = zsim__param(call, "phone"), *word = zsim__param(call, "word");
    *where = NULL;
    *none = !criteria && !email && !phone && !word;
    if (criteria) {
        struct criteria c = {.call = call, .m = m, .at = criteria};
        bool wrapped = *criteria == '(';
        struct zsim_text text = {0};
        zsim__fmt(&text, wrapped ? "(%s)" : "((%s))", criteria); // (a)and(b) may come without the outer pair
        c.at = text.at;
        *where = group(&c);
        if (!c.failed && *c.at)
            bad(&c, "text behind the criteria");
        zsim__text_free(&text);
        if (c.failed) {
            zsim__cond_free(*where);
            *where = NULL;
        }
        return !c.failed;
    }
    if (email)
        *where = any_field(m, "email", ZO_EQ, email);
    else if (phone)
        *where = any_field(m, "phone", ZO_EQ, phone);
    else if (word)
        *where = any_field(m, NULL, ZO_CONTAINS, word);
    return true;
}

static void show_found(struct zsim_call *call, struct zsim_module *m, const uint32_t *rows, size_t n, int64_t page,
                       int64_t per_page)
{
    struct zsim_text out = {0};
    int64_t shown = 0, seen = 0;
    int *fields = zsim__must(malloc((m->nfields + 1) * sizeof *fields));
    for (size_t i = 0; i < m->nfields; i++)
        fields[i] = (int)i;
    zsim__str(&out, "{\"data\":[");
    for (size_t i = 0; i < n; i++) {
        const struct zsim_record *r = &m->records[rows[i]];
        if (r->modified_ms + call->sim->on.search_lag_ms > call->now_ms)
            continue;
        if (seen++ < (page - 1) * per_page || shown == per_page)
            continue;
        if (shown++)
            zsim__str(&out, ",");
        zsim__show(call->sim, m, r, fields, m->nfields, ZW_LIST, &out);
    }
    zsim__fmt(&out, "],\"info\":{\"per_page\":%lld,\"count\":%lld,\"page\":%lld,\"more_records\":%s}}",
              (long long)per_page, (long long)shown, (long long)page, seen > page * per_page ? "true" : "false");
    free(fields);
    if (shown) {
        zsim__answer_text(call, 200, &out);
    } else {
        zsim__text_free(&out);
        zsim__answer_empty(call, 204);
    }
}

void zsim__search(struct zsim_call *call, struct zsim_module *m)
{
    struct zsim_query q = {.module = m};
    bool none, more;
    int64_t per_page = zsim__param_number(call, "per_page", PER_PAGE), page = zsim__param_number(call, "page", 1);
    if (per_page < 1 || per_page > PER_PAGE || page < 1) {
        zsim__error(call, 400, "INVALID_DATA", "invalid data", json_pack("{ss}", "param_name", "per_page"));
        return;
    }
    if (page * per_page > MAX_ROWS) {
        zsim__error(call, 400, "LIMIT_REACHED", "maximum response iteration limit reached",
                    json_pack("{ss}", "limit", "2000"));
        return;
    }
    if (!condition(call, m, &q.where, &none))
        return;
    if (none) {
        zsim__error(call, 400, "EXPECTED_PARAM_MISSING", "One of the expected parameter is missing",
                    json_pack("{s[ssss]}", "param_names", "criteria", "email", "phone", "word"));
        return;
    }
    if (!q.where) { // no field of that kind in this module
        zsim__answer_empty(call, 204);
        return;
    }
    size_t n;
    uint32_t *rows = zsim__find(call->sim, &q, &n, &more);
    show_found(call, m, rows, n, page, per_page);
    free(rows);
    zsim__cond_free(q.where);
}

void zsim__count(struct zsim_call *call, struct zsim_module *m)
{
    struct zsim_query q = {.module = m};
    bool none;
    if (!condition(call, m, &q.where, &none))
        return;
    size_t n = none || q.where ? zsim__find_count(call->sim, &q) : 0;
    zsim__answer(call, 200, json_pack("{sI}", "count", (json_int_t)n));
    zsim__cond_free(q.where);
}
