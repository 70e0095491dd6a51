/* eval.c - the tree walker. One function per kind of expression, each a sentence of docs/language.md. */
#include "tests/reference/eval.h"
#include "base/check.h"

static const struct ref_value absent = {.kind = REF_ABSENT};

static struct ref_value truth(bool b) { return (struct ref_value){.kind = REF_BOOL, .yes = b}; }
static struct ref_value text_value(struct str s) { return (struct ref_value){.kind = REF_TEXT, .text = s}; }

const struct ref_value *ref_line_field(const struct ref_list *l, size_t line, struct str name)
{
    for (size_t i = 0; i < l->nfields; i++)
        if (str_eq(l->names[i], name)) return &l->lines[line].fields[i];
    return NULL;
}

static bool same_lines(const struct ref_list *a, const struct ref_list *b)
{
    if (a->nlines != b->nlines || a->nfields != b->nfields) return false;
    for (size_t i = 0; i < a->nlines; i++) {
        if (!str_eq(a->lines[i].key, b->lines[i].key)) return false;
        for (size_t k = 0; k < a->nfields; k++) {
            const struct ref_value *other = ref_line_field(b, i, a->names[k]);
            if (other == NULL || !ref_equal(&a->lines[i].fields[k], other)) return false;
        }
    }
    return true;
}

bool ref_equal(const struct ref_value *a, const struct ref_value *b)
{
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case REF_ABSENT: return true;
    case REF_BOOL: return a->yes == b->yes;
    case REF_NUMBER: return ref_number_compare(&a->number, &b->number) == 0;
    case REF_LINK:
        if (a->link->ref != b->link->ref || !str_eq(a->link->to, b->link->to) || a->link->n != b->link->n) return false;
        for (size_t i = 0; i < a->link->n; i++)
            if (!str_eq(a->link->fields[i], b->link->fields[i]) || !ref_equal(&a->link->values[i], &b->link->values[i])) return false;
        return true;
    case REF_LIST: return same_lines(a->list, b->list);
    default: return str_eq(a->text, b->text);
    }
}

/* ---- literals ---- */

/* A date-time literal with milliseconds, without its Z: same length, so texts order as the times do. */
static struct ref_value date_literal(struct arena *a, const struct ast_date *d)
{
    struct ref_value v = {.kind = d->kind == DATE_DAY ? REF_DAY : d->kind == DATE_LOCAL ? REF_WALL : REF_POINT};
    struct str s = d->value;
    if (v.kind == REF_POINT) s.n--;
    v.text = v.kind == REF_DAY || s.n > 19 ? s : str_of(arena_printf(a, "%.*s.000", (int)s.n, s.p));
    return v;
}

struct ref_value ref__literal(struct arena *a, const struct ast *n)
{
    switch ((enum ast_kind)n->kind) {
    case AST_TEXT: return text_value(AST_AS(text, n)->value);
    case AST_NUMBER: return (struct ref_value){.kind = REF_NUMBER, .number = ref_number_read(AST_AS(number, n)->digits)};
    case AST_BOOL: return truth(AST_AS(bool, n)->value);
    case AST_DATE: return date_literal(a, AST_AS(date, n));
    default: return absent;
    }
}

/* ---- running ---- */

/* What the checker excludes; a planted mistake may lead here. */
static struct ref_value impossible(struct run *x, const char *what)
{
    if (x->r->plant == PLANT_NONE) check_failed(what, __FILE__, __LINE__);
    return ref__leave(x, REF_REJECT, str_of(what));
}

struct ref_value ref__leave(struct run *x, enum ref_outcome how, struct str why)
{
    x->outcome = how;
    x->message = why;
    return absent;
}

static struct ref_value use(struct run *x, struct str name, const struct frame *fr)
{
    if (fr != NULL) {
        const struct ast *arg = fr->call->args.first;
        AST_EACH(p, fr->fn->params) {
            if (str_eq(AST_AS(param, p)->name.text, name)) return ref__eval(x, arg, fr->up);
            arg = arg->next;
        }
    }
    bool inner;
    const struct ast *let = ref__let(x->r, name, &inner);
    const struct ast_each *each = x->r->each;
    if (let == NULL) return ref__column(x, name);
    if (!inner) x->r->each = NULL;                       /* a let of the flow sees nothing of the lines */
    struct ref_value v = ref__eval(x, AST_AS(let, let)->value, NULL);
    x->r->each = each;
    return v;
}

static struct ref_value both(struct run *x, const struct ast_binary *n, const struct frame *fr, struct ref_value *right)
{
    bool swapped = x->r->plant == PLANT_REJECT_ORDER;
    struct ref_value first = ref__eval(x, swapped ? n->right : n->left, fr), second = absent;
    if (x->outcome == REF_VALUE) second = ref__eval(x, swapped ? n->left : n->right, fr);
    *right = swapped ? first : second;
    return swapped ? second : first;
}

static bool equal(struct run *x, const struct ref_value *a, const struct ref_value *b)
{
    enum ref_plant p = x->r->plant;
    if (p == PLANT_ABSENT_EQUAL && a->kind == REF_ABSENT && b->kind == REF_ABSENT) return false;
    if (p == PLANT_SCALE_EQUAL && a->kind == REF_NUMBER && b->kind == REF_NUMBER && a->number.scale != b->number.scale) return false;
    return ref_equal(a, b);
}

static int order(const struct ref_value *a, const struct ref_value *b)
{
    if (a->kind == REF_NUMBER) return ref_number_compare(&a->number, &b->number);
    return memcmp(a->text.p, b->text.p, a->text.n);
}

static struct ref_value compared(struct run *x, enum ast_op op, const struct ref_value *a, const struct ref_value *b)
{
    if (op == OP_EQ) return truth(equal(x, a, b));
    if (op == OP_NE) {
        if (x->r->plant == PLANT_ABSENT_UNEQUAL && (a->kind == REF_ABSENT) != (b->kind == REF_ABSENT)) return truth(false);
        return truth(!equal(x, a, b));
    }
    if (a->kind != b->kind || a->kind < REF_NUMBER || a->text.n != b->text.n) return impossible(x, "an order of what has none");
    int d = order(a, b);
    if (op == OP_LT) return truth(d < 0);
    if (op == OP_LE) return truth(x->r->plant == PLANT_LESS_EQUAL ? d < 0 : d <= 0);
    return truth(op == OP_GT ? d > 0 : d >= 0);
}

static struct ref_value computed(struct run *x, enum ast_op op, const struct ref_value *a, const struct ref_value *b)
{
    if (a->kind != REF_NUMBER || b->kind != REF_NUMBER) return impossible(x, "arithmetic without numbers");
    struct ref_value v = {.kind = REF_NUMBER};
    struct ref_number minus = ref_number_minus(&b->number);
    v.number = op == OP_MUL ? ref_number_times(&a->number, &b->number) : ref_number_add(&a->number, op == OP_SUB ? &minus : &b->number);
    return v;
}

static struct ref_value binary(struct run *x, const struct ast_binary *n, const struct frame *fr)
{
    enum ast_op op = (enum ast_op)n->op;
    struct ref_value a, b;
    if (op == OP_AND || op == OP_OR || op == OP_ELSE) {
        a = ref__eval(x, n->left, fr);
        bool decided = op == OP_ELSE ? a.kind != REF_ABSENT : a.yes == (op == OP_OR);
        return x->outcome != REF_VALUE || decided ? a : ref__eval(x, n->right, fr);
    }
    a = both(x, n, fr, &b);
    if (x->outcome != REF_VALUE) return absent;
    return op <= OP_GE ? compared(x, op, &a, &b) : computed(x, op, &a, &b);
}

static struct ref_value unary(struct run *x, const struct ast_unary *n, const struct frame *fr)
{
    struct ref_value v = ref__eval(x, n->value, fr);
    if (x->outcome != REF_VALUE) return absent;
    if (n->op == OP_NOT) return truth(!v.yes);
    v.number = ref_number_minus(&v.number);
    return v;
}

/* ---- match ---- */

static bool fits(struct run *x, const struct ast_match *n, const struct ast_arm *arm, const struct ref_value *subject, const struct frame *fr)
{
    if (arm->otherwise) return true;
    if (n->subject == NULL) return ref__eval(x, arm->patterns.first, fr).yes && x->outcome == REF_VALUE;
    AST_EACH(p, arm->patterns) {
        struct ref_value v = ref__literal(x->r->arena, p);
        if (equal(x, subject, &v)) return true;
    }
    return false;
}

static struct ref_value match(struct run *x, const struct ast_match *n, const struct frame *fr)
{
    struct ref_value subject = n->subject ? ref__eval(x, n->subject, fr) : absent;
    const struct ast *taken = NULL;
    AST_EACH(a, n->arms) {
        if (x->outcome != REF_VALUE) return absent;
        if (taken && (x->r->plant != PLANT_LAST_ARM || AST_AS(arm, a)->otherwise)) break;
        if (fits(x, n, AST_AS(arm, a), &subject, fr)) taken = a;
    }
    if (x->outcome != REF_VALUE) return absent;
    return taken ? ref__eval(x, AST_AS(arm, taken)->value, fr) : impossible(x, "a match that is not closed");
}

/* ---- look-ups, calls, texts ---- */

static struct ref_value looked_up(struct run *x, const struct ast_index *n, const struct frame *fr)
{
    struct ref_value key = ref__eval(x, n->key, fr);
    const struct ref_table *t = ref__table(x->r, n->table.text);
    if (x->outcome != REF_VALUE || (key.kind == REF_ABSENT && x->r->plant != PLANT_TABLE_ABSENT)) return absent;
    for (size_t i = 0; i < t->n; i++)
        if (key.kind == REF_TEXT && str_eq(t->keys[i], key.text)) return t->values[i];
    if (t->has_else && x->r->plant != PLANT_TABLE_ELSE) return t->otherwise;
    x->misses++;
    return absent;
}

static struct ref_value zone_of_source(const struct ref *r)
{
    const struct endpoint *e = r->flow->source;
    for (size_t i = 0; i < e->nsettings; i++)
        if (str_is(e->settings[i].name, "timezone")) return text_value(e->settings[i].value);
    check_failed("a source with a timezone", __FILE__, __LINE__);
}

static struct ref_value call(struct run *x, const struct ast_call *n, const struct frame *fr)
{
    const struct ast_fn *fn = ref__fn(x->r, n->name.text);
    if (fn) {
        struct frame inner = {fn, n, fr};
        return ref__eval(x, fn->body, &inner);
    }
    struct ref_value args[REF_ARGS], v;
    size_t k = 0;
    AST_EACH(a, n->args) {
        ASSERT(k < REF_ARGS);
        args[k++] = ref__eval(x, a, fr);
        if (x->outcome != REF_VALUE) return absent;
    }
    if (k == 1 && str_is(n->name.text, "instant")) args[k++] = zone_of_source(x->r);
    bool known = ref_builtin(x->r, n->name.text, args, k, &v);
    ASSERT(known);
    for (size_t i = 0; i < k && v.kind == REF_ABSENT; i++) x->misses += args[i].kind != REF_ABSENT;
    return v;
}

static void put_text(struct run *x, struct buf *out, const struct ast *part, const struct ref_value *v, const struct frame *fr)
{
    switch (v->kind) {
    case REF_BOOL: buf_puts(out, v->yes ? "true" : "false"); break;
    case REF_NUMBER: ref_number_write(out, &v->number, x->r->plant == PLANT_TEXT_SCALE ? v->number.scale : ref__decimals(x->r, part, fr ? fr->fn : NULL)); break;
    case REF_TEXT: case REF_DAY: buf_str(out, v->text); break;
    default: impossible(x, "a kind that no text holds"); break;
    }
}

static struct ref_value joined(struct run *x, const struct ast_template *n, const struct frame *fr)
{
    struct buf b = {0};
    struct ref_value v = absent;
    AST_EACH(p, n->parts) {
        struct ref_value part = ref__eval(x, p, fr);
        if (x->outcome != REF_VALUE) break;
        put_text(x, &b, p, &part, fr);
    }
    if (x->outcome == REF_VALUE) v = text_value((struct str){arena_copy(x->r->arena, b.p, b.n), b.n});
    buf_free(&b);
    return v;
}

/* All parts are computed, in their order; one that is absent makes the link absent. */
static struct ref_value linked(struct run *x, const struct ast_list *parts, bool ref, struct str to, const struct frame *fr)
{
    struct ref_link *k = ARENA_NEW(x->r->arena, struct ref_link);
    bool gone = false;
    *k = (struct ref_link){.ref = ref, .to = to};
    AST_EACH(n, *parts) {
        ASSERT(k->n < REF_PARTS);
        if (!ref) k->fields[k->n] = AST_AS(condition, n)->field.text;
        k->values[k->n] = ref__eval(x, ref ? n : AST_AS(condition, n)->value, fr);
        if (x->outcome != REF_VALUE) return absent;
        gone |= k->values[k->n++].kind == REF_ABSENT;
    }
    return gone ? absent : (struct ref_value){.kind = REF_LINK, .link = k};
}

struct ref_value ref__link(struct run *x, const struct ast_list *parts, struct str flow) { return linked(x, parts, true, flow, NULL); }

struct ref_value ref__eval(struct run *x, const struct ast *n, const struct frame *fr)
{
    switch ((enum ast_kind)n->kind) {
    case AST_TEXT: case AST_NUMBER: case AST_BOOL: case AST_NULL: case AST_DATE: return ref__literal(x->r->arena, n);
    case AST_USE: return use(x, AST_AS(use, n)->name.text, fr);
    case AST_TEMPLATE: return joined(x, AST_AS(template, n), fr);
    case AST_INDEX: return looked_up(x, AST_AS(index, n), fr);
    case AST_CALL: return call(x, AST_AS(call, n), fr);
    case AST_UNARY: return unary(x, AST_AS(unary, n), fr);
    case AST_BINARY: return binary(x, AST_AS(binary, n), fr);
    case AST_MATCH: return match(x, AST_AS(match, n), fr);
    case AST_FIND: return linked(x, &AST_AS(find, n)->conditions, false, AST_AS(find, n)->module.text, fr);
    case AST_REF: return linked(x, &AST_AS(ref, n)->args, true, AST_AS(ref, n)->flow.text, fr);
    case AST_EACH: return ref__each(x, AST_AS(each, n));
    case AST_MEMBER: return ref__member(x, AST_AS(member, n), fr);
    case AST_KEEP: return ref__leave(x, x->r->plant == PLANT_KEEP_CLEARS ? REF_VALUE : REF_KEEP, (struct str){0});
    case AST_REJECT: return ref__leave(x, REF_REJECT, AST_AS(reject, n)->why);
    default: check_failed("an expression that the reference does not know", __FILE__, __LINE__);
    }
}

/* ---- a row ---- */

static struct ref_value whole(struct ref *r, const struct ref_row *row, const struct ast *n, struct run *x)
{
    struct str field = x->field;
    *x = (struct run){.r = r, .row = row, .field = field};
    return ref__eval(x, n, NULL);
}

/* The clauses that say whether there is a record and which one it is. */
static void head(struct ref *r, const struct ref_row *row, struct ref_result *out)
{
    struct run x = {.r = r};
    const struct ast *to = r->flow->ast->to;
    AST_EACH(n, r->flow->ast->clauses) {
        if (n->kind == AST_WHEN) out->skip = !whole(r, row, AST_AS(when, n)->condition, &x).yes && r->plant != PLANT_WHEN_IGNORED;
        if (n->kind == AST_ADOPT) out->adopt = whole(r, row, AST_AS(adopt, n)->value, &x);
        if (n->kind == AST_KEY && AST_AS(key, n)->value) out->key = whole(r, row, AST_AS(key, n)->value, &x);
    }
    if (to->kind != AST_INTO || out->skip) return;       /* what `when` has shown is known here too */
    x = (struct run){.r = r, .row = row};
    out->into = ref__link(&x, &AST_AS(into, to)->args, AST_AS(into, to)->flow.text);
    out->into_rejects = x.outcome == REF_REJECT;
    if (out->into_rejects) out->message = x.message;
}

void ref_run(struct ref *r, struct arena *row_arena, const struct ref_row *row, struct ref_result *out)
{
    struct run x = {.r = r};
    r->arena = row_arena;
    r->each = NULL;
    *out = (struct ref_result){.adopt = absent, .key = absent, .into = absent};
    out->fields = ARENA_ARRAY(row_arena, struct ref_field, r->flow->ast->clauses.n + 1);
    head(r, row, out);
    if (out->skip || out->into_rejects) return;
    AST_EACH(n, r->flow->ast->clauses) {
        if (n->kind != AST_FIELD) continue;
        struct ref_field *f = &out->fields[out->nfields++];
        x.field = f->name = AST_AS(field, n)->name.text;
        f->value = whole(r, row, AST_AS(field, n)->value, &x);
        f->outcome = x.outcome;
        r->each = NULL;
        out->misses += x.misses;
        if (x.outcome != REF_REJECT) continue;
        out->reject = true;
        out->message = x.message;
        return;
    }
}
