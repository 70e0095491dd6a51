/*
 * coql.c: the query language (facts 4.5).
 *
 *     query  = select column {, column} from Module [where cond] [order by path [asc|desc] {, ..}]
 *              [limit [offset ,] n] [offset n]
 *     cond   = term {or term}          term = factor {and factor}
 *     factor = ( cond ) | path op value | path [not] in ( value {, value} ) | path [not] like text
 *            | path is [not] null | path between value and value
 *     path   = Field | Field . Field   value = 'text with \' and \\' | number | true | false
 *
 * One pass over the text, names are resolved once the module is known (columns stand before it).
 */
#include "zoho_room.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_COLUMNS = 50, MAX_VALUES = 100, DEFAULT_ROWS = 200, MAX_ROWS = 2000, MAX_OFFSET = 100000, MAX_DEPTH = 50 };

enum token { T_END, T_WORD, T_TEXT, T_NUMBER, T_SIGN, T_BAD };

struct parser {
    struct zsim_call *call;
    const char *text, *at; // at: behind the current token
    const char *start;     // of the current token
    enum token token;
    struct zsim_text word; // of the current token, text unescaped
    struct zsim_query *query;
    bool failed;
    int depth;
};

// The first error answers the call; the parser then runs out quickly.
static bool fail(struct parser *p, const char *code, const char *message, json_t *details)
{
    if (!p->failed)
        zsim__error(p->call, 400, code, message, details);
    else
        json_decref(details);
    p->failed = true;
    p->token = T_END;
    return false;
}

static bool syntax(struct parser *p)
{
    char near[21];
    size_t n = zsim__prefix_of_points(p->start, strlen(p->start), 10);
    snprintf(near, sizeof near, "%.*s", (int)(n < 20 ? n : 20), p->start);
    if (n > 20)
        near[0] = '\0'; // would cut a character
    return fail(p, "SYNTAX_ERROR", "error occurred while parsing the query",
                json_pack("{sisiss}", "line", 1, "column", (int)(p->start - p->text) + 1, "near", near));
}

static void quoted_text(struct parser *p)
{
    p->token = T_BAD;
    for (p->at++; *p->at; p->at++) {
        if (*p->at == '\'') {
            p->at++;
            p->token = T_TEXT;
            return;
        }
        if (*p->at == '\\' && p->at[1])
            p->at++;
        zsim__add(&p->word, p->at, 1);
    }
}

static void next(struct parser *p)
{
    if (p->failed)
        return;
    while (isspace((unsigned char)*p->at))
        p->at++;
    p->start = p->at;
    p->word.len = 0;
    zsim__str(&p->word, "");
    if (!*p->at) {
        p->token = T_END;
    } else if (*p->at == '\'') {
        quoted_text(p);
    } else if (isalpha((unsigned char)*p->at) || *p->at == '_' || *p->at == '$') {
        while (isalnum((unsigned char)*p->at) || *p->at == '_' || *p->at == '$')
            p->at++;
        p->token = T_WORD;
        zsim__add(&p->word, p->start, (size_t)(p->at - p->start));
    } else if (isdigit((unsigned char)*p->at) || (*p->at == '-' && isdigit((unsigned char)p->at[1]))) {
        for (p->at++; isdigit((unsigned char)*p->at) || *p->at == '.'; p->at++)
            ;
        p->token = T_NUMBER;
        zsim__add(&p->word, p->start, (size_t)(p->at - p->start));
    } else {
        bool two = strncmp(p->at, "!=", 2) == 0 || strncmp(p->at, "<=", 2) == 0 || strncmp(p->at, ">=", 2) == 0 ||
                   strncmp(p->at, "<>", 2) == 0;
        zsim__add(&p->word, p->at, two ? 2 : 1);
        p->at += two ? 2 : 1;
        p->token = strchr(",().=<>!;", *p->start) ? T_SIGN : T_BAD;
    }
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->token == T_WORD && strcasecmp(p->word.at, word) == 0;
}

static bool is_sign(const struct parser *p, const char *sign)
{
    return p->token == T_SIGN && strcmp(p->word.at, sign) == 0;
}

static bool take_word(struct parser *p, const char *word)
{
    if (!is_word(p, word))
        return false;
    next(p);
    return true;
}

static bool take_sign(struct parser *p, const char *sign)
{
    if (!is_sign(p, sign))
        return false;
    next(p);
    return true;
}

// ---- names

static char *dotted_name(struct parser *p)
{
    if (p->token != T_WORD) {
        syntax(p);
        return NULL;
    }
    struct zsim_text name = {0};
    zsim__str(&name, p->word.at);
    next(p);
    if (take_sign(p, ".")) {
        if (p->token == T_WORD)
            zsim__fmt(&name, ".%s", p->word.at);
        else
            syntax(p);
        next(p);
    }
    return name.at;
}

static bool no_column(struct parser *p, const char *name)
{
    return fail(p, "INVALID_QUERY", "column given seems to be invalid", json_pack("{ss}", "column_name", name));
}

static bool resolve(struct parser *p, const char *name, struct zsim_path *path)
{
    char first[128];
    const char *dot = strchr(name, '.');
    size_t n = dot ? (size_t)(dot - name) : strlen(name);
    if (n >= sizeof first)
        return no_column(p, name);
    memcpy(first, name, n);
    first[n] = '\0';
    *path = (struct zsim_path){zsim__field(p->query->module, first), -1};
    if (path->field < 0)
        return no_column(p, name);
    const struct zsim_field *f = &p->query->module->fields[path->field];
    if (f->kind == ZK_SUBFORM || f->kind == ZK_RAW)
        return no_column(p, name);
    if (!dot)
        return true;
    path->sub = f->lookup >= 0 ? zsim__field(&p->call->sim->modules[f->lookup], dot + 1) : -1;
    return path->sub >= 0 || no_column(p, name);
}

// ---- conditions

static struct zsim_cond *cond(struct parser *p);

void zsim__cond_free(struct zsim_cond *c)
{
    if (!c)
        return;
    zsim__cond_free(c->left);
    zsim__cond_free(c->right);
    for (size_t i = 0; i < c->nvalues; i++)
        free(c->values[i].text);
    free(c->values);
    free(c);
}

static bool value(struct parser *p, struct zsim_cond *c)
{
    bool boolean = is_word(p, "true") || is_word(p, "false");
    if (p->token != T_TEXT && p->token != T_NUMBER && !boolean)
        return syntax(p);
    struct zsim_query *q = p->query;
    const struct zsim_field *f = &q->module->fields[c->path.field];
    if (c->path.sub >= 0)
        f = &p->call->sim->modules[f->lookup].fields[c->path.sub];
    bool text = f->role == ZR_PLAIN && (f->kind == ZK_TEXT || f->kind == ZK_PICK || f->kind == ZK_DATE ||
                                        f->kind == ZK_DATETIME || f->kind == ZK_MULTI);
    if ((text && p->token != T_TEXT) || (f->kind == ZK_BOOL) != (boolean || (f->kind == ZK_BOOL && p->token == T_TEXT)))
        return fail(p, "INVALID_QUERY", "value given seems to be invalid for the column",
                    json_pack("{ss}", "column_name", f->name));
    c->values = zsim__must(realloc(c->values, (c->nvalues + 1) * sizeof *c->values));
    c->values[c->nvalues++] =
        (struct zsim_literal){zsim__copy(p->word.at), p->token == T_NUMBER, boolean};
    if (boolean)
        for (char *s = c->values[c->nvalues - 1].text; *s; s++)
            *s = (char)tolower((unsigned char)*s);
    next(p);
    return true;
}

static bool value_list(struct parser *p, struct zsim_cond *c)
{
    if (!take_sign(p, "("))
        return syntax(p);
    do {
        if (!value(p, c))
            return false;
    } while (take_sign(p, ","));
    if (c->nvalues > MAX_VALUES)
        return fail(p, "LIMIT_EXCEEDED", "too many values in the in operator",
                    json_pack("{siss}", "limit", MAX_VALUES, "operator", "in"));
    return take_sign(p, ")") || syntax(p);
}

static bool comparison(struct parser *p, struct zsim_cond *c)
{
    static const struct {
        const char *sign;
        enum zsim_op op;
    } SIGNS[] = {{"=", ZO_EQ}, {"!=", ZO_NE}, {"<>", ZO_NE}, {"<", ZO_LT}, {"<=", ZO_LE}, {">", ZO_GT}, {">=", ZO_GE}};
    for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++)
        if (take_sign(p, SIGNS[i].sign)) {
            c->op = SIGNS[i].op;
            return value(p, c);
        }
    if (take_word(p, "is")) {
        c->op = take_word(p, "not") ? ZO_NOT_NULL : ZO_NULL;
        return take_word(p, "null") || syntax(p);
    }
    if (take_word(p, "between")) {
        c->op = ZO_BETWEEN;
        return value(p, c) && (take_word(p, "and") || syntax(p)) && value(p, c);
    }
    bool no = take_word(p, "not");
    if (take_word(p, "in")) {
        c->op = no ? ZO_NOT_IN : ZO_IN;
        return value_list(p, c);
    }
    if (take_word(p, "like")) {
        c->op = no ? ZO_NOT_LIKE : ZO_LIKE;
        return value(p, c);
    }
    return syntax(p);
}

static struct zsim_cond *factor(struct parser *p)
{
    if (is_sign(p, "(")) {
        if (++p->depth > MAX_DEPTH) {
            syntax(p);
            return NULL;
        }
        next(p);
        struct zsim_cond *inner = cond(p);
        if (!take_sign(p, ")"))
            syntax(p);
        p->depth--;
        return inner;
    }
    struct zsim_cond *c = zsim__must(calloc(1, sizeof *c));
    char *name = dotted_name(p);
    if (name && resolve(p, name, &c->path))
        comparison(p, c);
    free(name);
    return c;
}

static struct zsim_cond *join(enum zsim_op op, struct zsim_cond *left, struct zsim_cond *right)
{
    struct zsim_cond *c = zsim__must(calloc(1, sizeof *c));
    c->op = op;
    c->left = left;
    c->right = right;
    return c;
}

static struct zsim_cond *term(struct parser *p, int *chained)
{
    struct zsim_cond *c = factor(p);
    while (!p->failed && take_word(p, "and")) {
        ++*chained;
        c = join(ZO_AND, c, factor(p));
    }
    return c;
}

static struct zsim_cond *cond(struct parser *p)
{
    int chained = 1;
    struct zsim_cond *c = term(p, &chained);
    while (!p->failed && take_word(p, "or")) {
        ++chained;
        c = join(ZO_OR, c, term(p, &chained));
    }
    if (chained > 2 && p->call->sim->on.coql_pairs_only)
        syntax(p);
    return c;
}

// ---- the other clauses

static void columns(struct parser *p)
{
    struct zsim_query *q = p->query;
    do {
        char *name = dotted_name(p);
        if (!name)
            return;
        q->column_names = zsim__must(realloc(q->column_names, (q->ncolumns + 1) * sizeof *q->column_names));
        q->column_names[q->ncolumns++] = name;
    } while (take_sign(p, ","));
    if (q->ncolumns > MAX_COLUMNS)
        fail(p, "LIMIT_EXCEEDED", "too many columns", json_pack("{siss}", "limit", MAX_COLUMNS, "clause", "select"));
}

static void from(struct parser *p)
{
    struct zsim_query *q = p->query;
    if (!take_word(p, "from") || p->token != T_WORD) {
        syntax(p);
        return;
    }
    q->module = zsim__module(p->call->sim, p->word.at);
    if (!q->module || q->module->subform) {
        fail(p, "INVALID_QUERY", "module given seems to be invalid", json_pack("{ss}", "module", p->word.at));
        return;
    }
    next(p);
    q->columns = zsim__must(calloc(q->ncolumns + 1, sizeof *q->columns));
    for (size_t i = 0; i < q->ncolumns && !p->failed; i++)
        resolve(p, q->column_names[i], &q->columns[i]);
}

static void order_by(struct parser *p)
{
    struct zsim_query *q = p->query;
    if (!take_word(p, "order"))
        return;
    if (!take_word(p, "by"))
        syntax(p);
    while (!p->failed && q->norder < 4) {
        char *name = dotted_name(p);
        if (name && resolve(p, name, &q->order[q->norder])) {
            q->descending[q->norder] = take_word(p, "desc");
            if (!q->descending[q->norder])
                take_word(p, "asc");
            q->norder++;
        }
        free(name);
        if (!take_sign(p, ","))
            return;
    }
}

static int64_t row_number(struct parser *p)
{
    if (p->token != T_NUMBER || p->word.len > 9 || strspn(p->word.at, "0123456789") != p->word.len) {
        syntax(p);
        return 0;
    }
    int64_t n = strtol(p->word.at, NULL, 10);
    next(p);
    return n;
}

static void limits(struct parser *p)
{
    struct zsim_query *q = p->query;
    q->limit = DEFAULT_ROWS;
    if (take_word(p, "limit")) {
        q->limit = row_number(p);
        if (take_sign(p, ",")) {
            q->offset = q->limit;
            q->limit = row_number(p);
        }
    }
    if (take_word(p, "offset"))
        q->offset = row_number(p);
    if (q->limit > MAX_ROWS || (q->limit < 1 && !p->failed))
        fail(p, "INVALID_QUERY", "limit given seems to be invalid", json_pack("{ss}", "limit", "2000"));
    if (q->offset + q->limit > MAX_OFFSET)
        fail(p, "LIMIT_EXCEEDED", "no more rows can be reached",
             json_pack("{siss}", "limit", MAX_OFFSET, "clause", "limit"));
}

static bool parse(struct parser *p)
{
    struct zsim_query *q = p->query;
    next(p);
    if (!take_word(p, "select"))
        syntax(p);
    if (!p->failed)
        columns(p);
    if (!p->failed)
        from(p);
    if (!p->failed) {
        if (take_word(p, "where"))
            q->where = cond(p);
        else if (!p->call->sim->on.coql_where_optional)
            fail(p, "SYNTAX_ERROR", "missing clause", json_pack("{ss}", "clause", "where"));
    }
    if (!p->failed)
        order_by(p);
    if (!p->failed)
        limits(p);
    if (!p->failed) {
        take_sign(p, ";");
        if (p->token != T_END)
            syntax(p);
    }
    return !p->failed;
}

// ---- answering

static void show_column(struct zoho_sim *sim, const struct zsim_query *q, const struct zsim_record *r, size_t i,
                        struct zsim_text *out)
{
    const struct zsim_path *path = &q->columns[i];
    const struct zsim_module *target = q->module;
    if (path->sub < 0) {
        zsim__show_field(sim, q->module, r, path->field, ZW_COQL, out);
        return;
    }
    r = zsim__follow(sim, q->module, r, path->field, &target);
    if (r)
        zsim__show_field(sim, target, r, path->sub, ZW_COQL, out);
    else
        zsim__str(out, "null");
}

static void show_row(struct zoho_sim *sim, const struct zsim_query *q, const struct zsim_record *r,
                     struct zsim_text *out)
{
    bool id = false;
    zsim__str(out, "{");
    for (size_t i = 0; i < q->ncolumns; i++) {
        id = id || strcmp(q->column_names[i], "id") == 0;
        zsim__fmt(out, "%s\"%s\":", i ? "," : "", q->column_names[i]);
        show_column(sim, q, r, i, out);
    }
    if (!id)
        zsim__fmt(out, ",\"id\":\"%llu\"", (unsigned long long)r->id);
    zsim__str(out, "}");
}

static void answer(struct zsim_call *call, const struct zsim_query *q)
{
    size_t n;
    bool more;
    uint32_t *rows = zsim__find(call->sim, q, &n, &more);
    call->cost = n > 1000 ? 3 : n > 200 ? 2 : 1; // facts 8
    if (n == 0) {
        zsim__answer_empty(call, 204);
    } else {
        struct zsim_text out = {0};
        zsim__str(&out, "{\"data\":[");
        for (size_t i = 0; i < n; i++) {
            if (i)
                zsim__str(&out, ",");
            show_row(call->sim, q, &q->module->records[rows[i]], &out);
        }
        zsim__fmt(&out, "],\"info\":{\"count\":%zu,\"more_records\":%s}}", n, more ? "true" : "false");
        zsim__answer_text(call, 200, &out);
    }
    free(rows);
}

void zsim__coql(struct zsim_call *call)
{
    const char *text = json_string_value(json_object_get(call->body, "select_query"));
    if (!text) {
        zsim__error(call, 400, "MANDATORY_NOT_FOUND", "required field not found",
                    json_pack("{ss}", "api_name", "select_query"));
        return;
    }
    struct zsim_query q = {0};
    struct parser p = {.call = call, .text = text, .at = text, .start = text, .query = &q};
    if (parse(&p) && zsim__module_scope(call, q.module->name, "READ"))
        answer(call, &q);
    for (size_t i = 0; i < q.ncolumns; i++)
        free(q.column_names[i]);
    free(q.column_names);
    free(q.columns);
    zsim__cond_free(q.where);
    zsim__text_free(&p.word);
}
