/* words.c - see words.h. Names stand as code, constants in quotes; brackets stand where the order of operations would not be plain. */
#include "compiler/doc/words.h"
#include "value/builtin.h"
#include "value/date.h"

enum { OUTER, PART };      /* PART: inside of another phrase, where a list of cases needs brackets */

static void expression(struct words *w, const struct tx *x, int place);
static void plain(struct words *w, const struct tx *x);

const char *words_of_builtin(unsigned b)
{
    static const struct { const char *name, *phrase; } list[] = {
#define WORDS(name, phrase) {#name, phrase},
#include "compiler/doc/words.def"
#undef WORDS
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(list[i].name, builtin_info(b).name) == 0) return list[i].phrase;
    return NULL;
}

void words_value(struct page *p, const struct value *v)
{
    struct buf b = {0};
    if (!value_present(v)) page_text(p, "nothing");
    else if (v->kind == V_BOOL) page_text(p, v->u.b ? "yes" : "no");
    else if (v->kind == V_TEXT) {
        page_text(p, "\xe2\x80\x9c");
        page_str(p, value_str(v));
        page_text(p, "\xe2\x80\x9d");
    } else {
        value_print(&b, v);
        page_str(p, buf_view(&b));
    }
    buf_free(&b);
}

static void put_number(struct page *p, int64_t n)
{
    struct buf b = {0};
    buf_printf(&b, "%lld", (long long)n);
    page_str(p, buf_view(&b));
    buf_free(&b);
}

static void period(struct page *p, int64_t ms, bool one)
{
    static const struct { int64_t ms; const char *one, *many; } units[] = {
        {86400000, "day", "days"}, {3600000, "hour", "hours"}, {60000, "minute", "minutes"}, {1000, "second", "seconds"}, {1, "millisecond", "milliseconds"}};
    size_t i = 0;
    while (ms % units[i].ms != 0) i++;
    if (ms != units[i].ms || one) {
        put_number(p, ms / units[i].ms);
        page_text(p, " ");
    }
    page_text(p, ms == units[i].ms ? units[i].one : units[i].many);
}

void words_period(struct page *p, int64_t ms) { period(p, ms, false); }
void words_duration(struct page *p, int64_t ms) { period(p, ms, true); }

static void text_type(struct page *p, const struct type *t)
{
    if (t->nset) {
        page_text(p, "one of ");
        for (unsigned i = 0; i < t->nset && i < 12; i++) {
            struct value v = value_text(t->set[i]);
            page_text(p, i ? ", " : "");
            words_value(p, &v);
        }
        if (t->nset > 12) page_text(p, ", ...");
        return;
    }
    page_text(p, t->min_len == t->max_len ? "text of " : t->min_len > 1 ? "text of " : "text of at most ");
    if (t->min_len != t->max_len && t->min_len > 1) {
        put_number(p, t->min_len);
        page_text(p, " to ");
    }
    put_number(p, t->max_len);
    page_text(p, t->max_len == 1 ? " character" : " characters");
}

void words_type(struct page *p, const struct type *t)
{
    static const char *const names[T_BASE_COUNT] = {[T_BOOL] = "yes or no", [T_DATE] = "date", [T_LOCAL] = "date and time without a zone", [T_INSTANT] = "point in time",
                                                    [T_LINK] = "link to another record", [T_LIST] = "lines"};
    if (t->base == T_TEXT) text_type(p, t);
    else if (t->base == T_DECIMAL) {
        page_text(p, t->scale ? "number with " : "whole number");
        if (t->scale) {
            put_number(p, t->scale);
            page_text(p, t->scale == 1 ? " decimal" : " decimals");
        }
    } else page_text(p, names[t->base]);
}

/* ---- parts ---- */

static bool is_bool_name(const struct tx *x) { return ty_is(&x->ty, T_BOOL) && (x->kind == TX_COLUMN || x->kind == TX_LINE || x->kind == TX_LET || x->kind == TX_PARAM); }

static void name_of(struct words *w, const struct tx *x)
{
    struct buf b = {0};
    if (x->kind == TX_COLUMN) buf_str(&b, w->flow->entity->columns[x->index].name);
    else if (x->kind == TX_LINE) buf_printf(&b, "%.*s.%.*s", (int)w->each->name.n, w->each->name.p, (int)w->each->lines->columns[x->index].name.n, w->each->lines->columns[x->index].name.p);
    else if (x->kind == TX_LET) buf_str(&b, x->let->name);
    else {
        const struct ast *p = w->fn->ast->params.first;
        for (unsigned i = 0; i < x->index; i++) p = p->next;
        buf_str(&b, AST_AS(param, p)->name.text);
    }
    page_code(w->p, buf_view(&b));
    buf_free(&b);
}

static void list_of(struct words *w, struct tx *const *args, size_t from, size_t n)
{
    for (size_t i = from; i < n; i++) {
        if (i > from) page_text(w->p, i + 1 == n ? " and " : ", ");
        expression(w, args[i], PART);
    }
}

static void bracketed(struct words *w, const struct tx *x)
{
    page_text(w->p, "(");
    expression(w, x, OUTER);
    page_text(w->p, ")");
}

/* A phrase of words.def. */
static void phrase(struct words *w, const struct tx *x, const char *s)
{
    char c[2] = {0, 0};
    for (; *s; s++) {
        if (*s == '[') {
            const char *arg = strchr(s, '{');
            if (arg && (size_t)(arg[1] - '0') < x->nargs) continue;
            s = strchr(s, ']');
        } else if (*s == '{') {
            size_t i = (size_t)(s[1] - '0');
            if (s[2] == '.') list_of(w, x->args, i, x->nargs);
            else if (i < x->nargs) expression(w, x->args[i], PART);
            s = strchr(s, '}');
        } else if (*s != ']') {
            c[0] = *s;
            page_text(w->p, c);
        }
    }
}

static void call_text(struct words *w, const struct tx *x, struct str name)
{
    page_code(w->p, name);
    page_text(w->p, " of ");
    list_of(w, x->args, 0, x->nargs);
}

static void template_text(struct words *w, const struct tx *x)
{
    page_text(w->p, "the text ");
    for (size_t i = 0; i < x->nargs; i++) {
        page_text(w->p, i ? " + " : "");
        expression(w, x->args[i], PART);
    }
}

static void consequence(struct words *w, const struct tx *x)
{
    if (x->kind == TX_REJECT) {
        page_text(w->p, "the record is set aside (");
        words_value(w->p, &x->value);
        page_text(w->p, ")");
    } else if (x->kind == TX_KEEP) page_text(w->p, "the field is left as it is");
    else expression(w, x, PART);
}

static void otherwise(struct words *w, const struct tx *x)
{
    const struct tx *right = x->args[1];
    expression(w, x->args[0], PART);
    if (right->kind == TX_REJECT || right->kind == TX_KEEP) {
        page_text(w->p, "; without it ");
        consequence(w, right);
    } else {
        page_text(w->p, ", or without it ");
        expression(w, right, PART);
    }
}

static void patterns(struct words *w, const struct tx_arm *arm)
{
    for (size_t i = 0; i < arm->npatterns; i++) {
        page_text(w->p, i ? " or " : "");
        words_value(w->p, &arm->patterns[i]);
    }
}

static void match(struct words *w, const struct tx *x)
{
    if (x->nargs) {
        page_text(w->p, "by ");
        expression(w, x->args[0], PART);
        page_text(w->p, ": ");
    }
    for (size_t i = 0; i < x->narms; i++) {
        const struct tx_arm *arm = &x->arms[i];
        page_text(w->p, i ? "; " : "");
        if (arm->otherwise) page_text(w->p, x->narms > 1 ? "otherwise " : "");
        consequence(w, arm->value);
        if (arm->otherwise) break;
        page_text(w->p, x->nargs ? " for " : " when ");
        if (x->nargs) patterns(w, arm);
        else words_condition(w, arm->condition);
    }
}

static void link(struct words *w, const struct tx *x)
{
    if (x->kind == TX_REF) {
        page_text(w->p, "the record that the flow ");
        page_code(w->p, x->ref->name);
        page_text(w->p, " made for ");
        list_of(w, x->args, 0, x->nargs);
        return;
    }
    page_text(w->p, "the record of ");
    page_code(w->p, x->find.module->name);
    for (size_t i = 0; i < x->nargs; i++) {
        page_text(w->p, i ? " and " : " whose ");
        page_code(w->p, x->find.fields[i]->name);
        page_text(w->p, " is ");
        expression(w, x->args[i], PART);
    }
}

static void lines(struct words *w, const struct tx *x)
{
    struct words inner = *w;
    inner.each = x->each;
    page_text(w->p, "one line for each line of ");
    page_code(w->p, x->each->list->name);
    if (!x->each->when) return;
    page_text(w->p, " where ");
    words_condition(&inner, x->each->when);
}

static void arithmetic(struct words *w, const struct tx *x)
{
    static const char *const signs[OP_COUNT] = {[OP_ADD] = " plus ", [OP_SUB] = " minus ", [OP_MUL] = " times "};
    for (size_t i = 0; i < 2; i++) {
        const struct tx *a = x->args[i];
        bool inner = a->kind == TX_BINARY && (x->op == OP_MUL || a->op == OP_ELSE || (x->op == OP_SUB && i == 1));
        if (i) page_text(w->p, signs[x->op]);
        if (inner) bracketed(w, a);
        else expression(w, a, PART);
    }
}

/* ---- conditions ---- */

static void comparison(struct words *w, const struct tx *x)
{
    static const char *const signs[OP_COUNT] = {[OP_EQ] = " is ", [OP_NE] = " is not ", [OP_LT] = " is less than ", [OP_LE] = " is at most ",
                                                [OP_GT] = " is more than ", [OP_GE] = " is at least "};
    const struct tx *l = x->args[0], *r = x->args[1];
    if (r->kind == TX_NULL || l->kind == TX_NULL) {
        expression(w, r->kind == TX_NULL ? l : r, PART);
        page_text(w->p, x->op == OP_EQ ? " is absent" : " is there");
        return;
    }
    expression(w, l, PART);
    page_text(w->p, signs[x->op]);
    expression(w, r, PART);
}

static void operand(struct words *w, const struct tx *x, enum ast_op outer)
{
    bool brackets = x->kind == TX_BINARY && (x->op == OP_AND || x->op == OP_OR) && x->op != outer;
    if (brackets) page_text(w->p, "(");
    words_condition(w, x);
    if (brackets) page_text(w->p, ")");
}

void words_condition(struct words *w, const struct tx *x)
{
    if (x->kind == TX_KNOWN) words_condition(w, x->args[0]);
    else if (is_bool_name(x)) {
        name_of(w, x);
        page_text(w->p, " is yes");
    } else if (x->kind == TX_UNARY && x->op == OP_NOT && is_bool_name(x->args[0])) {
        name_of(w, x->args[0]);
        page_text(w->p, " is no");
    } else if (x->kind == TX_UNARY && x->op == OP_NOT) {
        page_text(w->p, "not (");
        words_condition(w, x->args[0]);
        page_text(w->p, ")");
    } else if (x->kind == TX_BINARY && (x->op == OP_AND || x->op == OP_OR)) {
        operand(w, x->args[0], x->op);
        page_text(w->p, x->op == OP_AND ? " and " : " or ");
        operand(w, x->args[1], x->op);
    } else if (x->kind == TX_BINARY && x->op >= OP_EQ && x->op <= OP_GE) comparison(w, x);
    else if (x->kind == TX_CALL) plain(w, x);
    else expression(w, x, PART);
}

/* ---- expressions ---- */

static bool is_condition(const struct tx *x)
{
    return (x->kind == TX_BINARY && x->op <= OP_GE) || (x->kind == TX_UNARY && x->op == OP_NOT);
}

static void plain(struct words *w, const struct tx *x)
{
    switch (x->kind) {
    case TX_CONST: words_value(w->p, &x->value); break;
    case TX_NULL: page_text(w->p, "nothing"); break;
    case TX_COLUMN: case TX_LINE: case TX_LET: case TX_PARAM: name_of(w, x); break;
    case TX_KNOWN: case TX_TEXT: expression(w, x->args[0], PART); break;
    case TX_INLINE: call_text(w, x, x->fn->name); break;
    case TX_CALL:
        if (words_of_builtin(x->index)) phrase(w, x, words_of_builtin(x->index));
        else call_text(w, x, str_of(builtin_info(x->index).name));
        break;
    case TX_TABLE:
        page_text(w->p, "what the table ");
        page_code(w->p, x->table->name);
        page_text(w->p, " says for ");
        expression(w, x->args[0], PART);
        break;
    case TX_CONCAT: template_text(w, x); break;
    case TX_FIND: case TX_REF: link(w, x); break;
    case TX_EACH: lines(w, x); break;
    case TX_REJECT: case TX_KEEP: consequence(w, x); break;
    case TX_MATCH: match(w, x); break;
    case TX_UNARY:
        page_text(w->p, "minus ");
        expression(w, x->args[0], PART);
        break;
    case TX_BINARY:
        if (x->op == OP_ELSE) otherwise(w, x);
        else arithmetic(w, x);
        break;
    case TX_POISON: break;
    }
}

static void expression(struct words *w, const struct tx *x, int place)
{
    bool brackets = place == PART && (x->kind == TX_MATCH || (x->kind == TX_BINARY && x->op == OP_ELSE) || is_condition(x) || x->kind == TX_CONCAT ||
                                      (x->kind == TX_CALL && x->nargs > 1));
    if (brackets) page_text(w->p, "(");
    if (is_condition(x)) words_condition(w, x);
    else plain(w, x);
    if (brackets) page_text(w->p, ")");
}

void words_rule(struct words *w, const struct tx *x) { expression(w, x, OUTER); }
