/* check_expr.c - names, literals and the walk over expressions; operators, calls and matches have files of their own.
 *
 *   AST expression + scope -check__expr-> typed tree; a mistake gives one diagnostic and poison */
#include "dsl/check.h"
#include "base/check.h"
#include "value/builtin.h"
#include "value/date.h"

struct tx *check__tx(struct check *c, enum tx_kind k, struct span at, struct ty ty)
{
    struct tx *x = ARENA_NEW(c->a, struct tx);
    x->kind = k;
    x->at = at;
    x->ty = ty;
    return x;
}

struct tx *check__poison(struct check *c, struct span at)
{
    return check__tx(c, TX_POISON, at, ty_of_kind(TY_POISON));
}

const char *check__text(struct check *c, const struct ast *n)
{
    return diag_str(c->ds, span_text(c->sources, n->at));
}

const char *check__show(struct check *c, const struct ty *t)
{
    switch (t->kind) {
    case TY_NULL: return "null";
    case TY_NEVER: return "reject";
    case TY_POISON: return "unknown";
    case TY_VALUE: break;
    }
    if (t->t.base == T_DECIMAL && t->t.lo == t->t.hi) {
        struct value v = value_decimal(t->t.lo, t->t.scale);
        struct buf b = {0};
        decimal_print(&b, &v);
        const char *s = arena_printf(c->a, "the number %s", buf_cstr(&b));
        buf_free(&b);
        return s;
    }
    if (t->t.base == T_TEXT && t->t.nset == 1 && !t->t.optional) return arena_printf(c->a, "the text \"%s\"", diag_str(c->ds, t->t.set[0]));
    return t->t.base == T_TEXT && t->t.nset > 6 ? arena_printf(c->a, "one of %u texts", (unsigned)t->t.nset) : types_show(c->a, &t->t);
}

void check__also_column(struct diag *d, const struct scope *sc, const struct tx *x)
{
    if (x->kind == TX_COLUMN && sc->flow != NULL) {
        const struct column *col = &sc->flow->entity->columns[x->index];
        diag_also(d, col->at, "%s is declared here", diag_str(d->owner, col->name));
    } else if (x->kind == TX_LINE && sc->each != NULL) {
        const struct column *col = &sc->each->lines->columns[x->index];
        diag_also(d, col->at, "%s is declared here", diag_str(d->owner, col->name));
    } else if (x->kind == TX_LET) diag_also(d, x->let->at, "%s is defined here", diag_str(d->owner, x->let->name));
}

bool check__literal(struct check *c, const struct ast *n, struct value *out)
{
    bool ok = true;
    *out = value_absent;
    switch ((enum ast_kind)n->kind) {
    case AST_TEXT: *out = value_text(AST_AS(text, n)->value); break;
    case AST_NUMBER:
        if (AST_AS(number, n)->digits.n == 0) return false;      /* refused when it was read */
        ok = decimal_parse(AST_AS(number, n)->digits, out);
        break;
    case AST_BOOL: *out = value_bool(AST_AS(bool, n)->value); break;
    case AST_NULL: break;
    case AST_DATE:
        if (AST_AS(date, n)->value.n == 0) return false;
        ok = AST_AS(date, n)->kind == DATE_DAY ? date_parse(AST_AS(date, n)->value, out) : datetime_parse(AST_AS(date, n)->value, out);
        break;
    default:
        diag2(c->ds, n->at, D_NOT_LITERAL, "a value written out", check__text(c, n));
        return false;
    }
    if (!ok) diag2(c->ds, n->at, D_NOT_LITERAL, "a value written out", check__text(c, n));
    return ok;
}

static struct tx *literal(struct check *c, const struct ast *n)
{
    struct value v;
    if (!check__literal(c, n, &v)) return check__poison(c, n->at);
    if (!value_present(&v)) return check__tx(c, TX_NULL, n->at, ty_of_kind(TY_NULL));
    struct tx *x = check__tx(c, TX_CONST, n->at, ty_value(types_of_value(c->a, &v)));
    x->value = v;
    return x;
}

static bool is_known(const struct scope *sc, const struct tx *x)
{
    for (const struct known *k = sc->known; k != NULL; k = k->next)
        if (k->kind == x->kind && k->index == x->index && k->let == x->let) return true;
    return false;
}

/* A reference that an earlier condition showed to be present loses its `?`. */
static struct tx *narrowed(struct check *c, const struct scope *sc, struct tx *x)
{
    if (!ty_maybe_absent(&x->ty) || x->ty.kind != TY_VALUE || !is_known(sc, x)) return x;
    struct tx *k = check__tx(c, TX_KNOWN, x->at, x->ty);
    k->ty.t.optional = false;
    k->args = ARENA_ARRAY(c->a, struct tx *, 1);
    k->args[0] = x;
    k->nargs = 1;
    return k;
}

/* A column that an expression may read: not sensitive, offered by the flow's door, of a kind with values. */
static bool readable(struct check *c, const struct flow *f, const struct column *col, struct span at)
{
    if (col->never) {
        struct diag *d = diag1(c->ds, at, D_SENSITIVE_COLUMN, diag_str(c->ds, col->name));
        diag_also(d, col->at, "marked @never here");
        return false;
    }
    if (col->doors != 0 && !(col->doors & (1u << f->door))) {
        const struct system *sys = f->entity->system;
        struct diag *d = diag2(c->ds, at, D_COLUMN_DOOR, diag_str(c->ds, sys->doors[f->door]), diag_str(c->ds, col->name));
        diag_also(d, col->at, "declared here");
        for (size_t i = 0; i < sys->ndoors; i++)
            if (col->doors & (1u << i)) diag_help(d, "the door `%s` has it", diag_str(c->ds, sys->doors[i]));
        return false;
    }
    if (!col->known_type) {
        struct diag *d = diag1(c->ds, at, D_UNREADABLE_KIND, diag_str(c->ds, col->name));
        diag_also(d, col->at, "declared here");
        return false;
    }
    return true;
}

static struct tx *column_ref(struct check *c, struct scope sc, unsigned index, struct span at)
{
    struct flow *f = sc.flow;
    if (!readable(c, f, &f->entity->columns[index], at)) return check__poison(c, at);
    f->reads[index] = true;
    struct tx *x = check__tx(c, TX_COLUMN, at, ty_value(f->entity->columns[index].type));
    x->index = index;
    return narrowed(c, &sc, x);
}

/* line.ItemCode */
static struct tx *line_ref(struct check *c, struct scope sc, const struct ast_name *name)
{
    const struct schema *lines = sc.each->lines;
    const struct column *col = schema__column(lines, name->text);
    if (col == NULL) {
        struct diag_nearest near = diag_nearest_begin(name->text);
        for (size_t i = 0; i < lines->ncolumns; i++) diag_nearest_try(&near, lines->columns[i].name);
        struct diag *d = diag2(c->ds, name->at, D_UNKNOWN_NAME, diag_str(c->ds, name->text), arena_printf(c->a, "column of %s", diag_str(c->ds, lines->name)));
        resolve__hint(d, &near);
        if (!diag_nearest_found(&near) && str_starts(name->text, STR("UDF_")))
            diag_help(d, "declare it: extend %s.%s { %s: text(30)? }", diag_str(c->ds, sc.flow->source->name), diag_str(c->ds, lines->name), diag_str(c->ds, name->text));
        return check__poison(c, name->at);
    }
    if (!readable(c, sc.flow, col, name->at)) return check__poison(c, name->at);
    unsigned index = (unsigned)(col - lines->columns);
    sc.each->reads[index] = true;
    struct tx *x = check__tx(c, TX_LINE, name->at, ty_value(col->type));
    x->index = index;
    return narrowed(c, &sc, x);
}

static struct tx *unknown_name(struct check *c, struct scope sc, const struct ast_name *name)
{
    struct diag_nearest near = diag_nearest_begin(name->text);
    if (str_is(name->text, "if")) {
        diag2(c->ds, name->at, D_FOREIGN_OPERATOR, "if", "match { condition => value, else => value }");
        return check__poison(c, name->at);
    }
    if (sc.fn != NULL) {
        AST_EACH(p, sc.fn->ast->params) diag_nearest_try(&near, AST_AS(param, p)->name.text);
        resolve__hint(diag2(c->ds, name->at, D_UNKNOWN_NAME, diag_str(c->ds, name->text), "parameter of this fn"), &near);
        return check__poison(c, name->at);
    }
    for (size_t i = 0; i < sc.flow->entity->ncolumns; i++) diag_nearest_try(&near, sc.flow->entity->columns[i].name);
    for (const struct let *l = sc.flow->lets; l != NULL; l = l->next) diag_nearest_try(&near, l->name);
    struct diag *d = diag2(c->ds, name->at, D_UNKNOWN_NAME, diag_str(c->ds, name->text),
                           arena_printf(c->a, "column of %s and no let", diag_str(c->ds, sc.flow->entity->name)));
    if (sc.flow->entity->lock) diag_also(d, schema__lock_place(sc.flow->entity->system, sc.flow->entity->lock->at), "the columns of this installation stand here");
    bool place = str_eq(name->text, sc.flow->source->name) || str_eq(name->text, sc.flow->entity->name);
    if (place) diag_help(d, "a column of the flow's own table is named alone");
    else resolve__hint(d, &near);
    if (!place && schema__column(sc.flow->module, name->text)) diag_help(d, "it is a field of %s: a rule reads columns of the source", diag_str(c->ds, sc.flow->module->name));
    if (!diag_nearest_found(&near) && str_starts(name->text, STR("UDF_")))
        diag_help(d, "declare it: extend %s.%s { %s: text(30)? }", diag_str(c->ds, sc.flow->source->name),
                  diag_str(c->ds, sc.flow->entity->name), diag_str(c->ds, name->text));
    return check__poison(c, name->at);
}

static struct tx *name_ref(struct check *c, struct scope sc, const struct ast_name *name)
{
    if (sc.fn != NULL) {
        size_t i = 0;
        AST_EACH(p, sc.fn->ast->params) {
            if (str_eq(AST_AS(param, p)->name.text, name->text)) {
                struct tx *x = check__tx(c, TX_PARAM, name->at, sc.fn->params[i]);
                x->index = (unsigned)i;
                return narrowed(c, &sc, x);
            }
            i++;
        }
        return unknown_name(c, sc, name);
    }
    struct let *l = check__let_named(c, sc, name->text);
    if (l != NULL) {
        l->used = true;
        if (l->value == NULL) return check__poison(c, name->at);
        struct tx *x = check__tx(c, l->value->ty.kind == TY_POISON ? TX_POISON : TX_LET, name->at, l->value->ty);
        x->let = l;
        return narrowed(c, &sc, x);
    }
    struct column *col = schema__column(sc.flow->entity, name->text);
    if (col == NULL && sc.each && str_eq(name->text, sc.each->name)) {
        diag_help(diag2(c->ds, name->at, D_TYPE_NEEDED, "one value is needed here", "a whole line"), "name a column of it: %s.%s", diag_str(c->ds, name->text),
                  diag_str(c->ds, sc.each->lines->ncolumns ? sc.each->lines->columns[0].name : (struct str){"X", 1}));
        return check__poison(c, name->at);
    }
    if (col == NULL) return unknown_name(c, sc, name);
    return column_ref(c, sc, (unsigned)(col - sc.flow->entity->columns), name->at);
}

static struct tx *member(struct check *c, struct scope sc, struct ast_member *n)
{
    if (sc.each && n->of->kind == AST_USE && str_eq(AST_AS(use, n->of)->name.text, sc.each->name)) return line_ref(c, sc, &n->name);
    struct tx *of = check__expr(c, sc, n->of, 0);
    return of->ty.kind == TY_POISON ? of : check__part(c, of, n);
}

static struct tx *node(struct check *c, struct scope sc, struct ast *n, unsigned flags)
{
    if (n == NULL) return check__poison(c, (struct span){0, 0, 0});
    if (c->budget == 0) return check__poison(c, n->at);
    if (--c->budget == 0) diag1(c->ds, n->at, D_LIMIT, "a million expressions in one spec");
    switch ((enum ast_kind)n->kind) {
    case AST_TEXT: case AST_NUMBER: case AST_BOOL: case AST_NULL: case AST_DATE: return literal(c, n);
    case AST_USE: return name_ref(c, sc, &AST_AS(use, n)->name);
    case AST_MEMBER: return member(c, sc, AST_AS(member, n));
    case AST_TEMPLATE: return check__template(c, sc, AST_AS(template, n));
    case AST_INDEX: return check__index(c, sc, AST_AS(index, n));
    case AST_CALL: return check__call(c, sc, AST_AS(call, n));
    case AST_UNARY: return check__unary(c, sc, AST_AS(unary, n));
    case AST_BINARY: return check__binary(c, sc, AST_AS(binary, n), flags);
    case AST_MATCH: return check__match(c, sc, AST_AS(match, n), flags);
    case AST_FIND: return check__find(c, sc, AST_AS(find, n), flags);
    case AST_REF: return check__ref(c, sc, AST_AS(ref, n), flags);
    case AST_EACH: return check__each(c, sc, AST_AS(each, n), flags);
    case AST_KEEP:
        if (!(flags & EXPR_TAIL)) {
            diag0(c->ds, n->at, D_MISPLACED_KEEP);
            return check__poison(c, n->at);
        }
        return check__tx(c, TX_KEEP, n->at, ty_of_kind(TY_NEVER));
    case AST_REJECT: {
        struct tx *x = check__tx(c, TX_REJECT, n->at, ty_of_kind(TY_NEVER));
        x->value = value_text(AST_AS(reject, n)->why);
        return x;
    }
    default:
        diag2(c->ds, n->at, D_NOT_LITERAL, "an expression", check__text(c, n));
        return check__poison(c, n->at);
    }
}

/* What the expression rests on, summed up once: lets and fns may be used many times. */
static void sum_up(const struct scope *sc, struct tx *x)
{
    const struct tx *behind = x->kind == TX_LET ? x->let->value : x->kind == TX_INLINE ? x->fn->body : NULL;
    if (x->kind == TX_REJECT) x->facts |= FACT_REJECTS;
    if (x->kind == TX_KEEP) x->facts |= FACT_KEEPS;
    if (x->kind == TX_FIND) x->facts |= FACT_FINDS;
    if (x->kind == TX_REF) x->facts |= FACT_REFS;
    if (x->kind == TX_BINARY && x->op == OP_ELSE && x->args[1]->ty.kind != TY_NEVER) x->facts |= FACT_DEFAULTS;
    if (x->kind == TX_TABLE && x->ty.t.optional) x->facts |= FACT_MISSES;
    if (x->kind == TX_CALL) {
        struct builtin_info in = builtin_info(x->index);
        if (in.cuts) x->facts |= FACT_CUTS;
        if (in.result.optional) x->facts |= FACT_MISSES;
    }
    if (x->kind == TX_LINE && sc->each->lines->columns[x->index].assumed) x->assumed = &sc->each->lines->columns[x->index];
    if (x->kind == TX_COLUMN && sc->flow->entity->columns[x->index].assumed) x->assumed = &sc->flow->entity->columns[x->index];
    for (size_t i = 0; i <= x->nargs + 2 * x->narms; i++) {
        const struct tx *part = i == 0 ? behind : i <= x->nargs ? x->args[i - 1] : i <= x->nargs + x->narms ? x->arms[i - x->nargs - 1].condition
                                                                                 : x->arms[i - x->nargs - x->narms - 1].value;
        if (part == NULL) continue;
        x->facts |= part->facts;
        if (!x->assumed) x->assumed = part->assumed;
        if (part->depth > x->depth) x->depth = part->depth;
    }
    x->depth += 1 + (x->kind == TX_INLINE ? x->fn->body->depth : 0);
    for (size_t i = 0; i < x->narms; i++) x->depth += 1 + (unsigned)x->arms[i].npatterns;      /* arms become nested branches */
}

struct tx *check__expr(struct check *c, struct scope sc, struct ast *n, unsigned flags)
{
    static const char *const limit = "3,000 levels of expressions, lets, functions and arms";
    if (c->depth >= CHECK_DEPTH && n != NULL) {
        diag1(c->ds, n->at, D_LIMIT, limit);
        return check__poison(c, n->at);
    }
    c->depth++;
    struct tx *x = node(c, sc, n, flags);
    c->depth--;
    sum_up(&sc, x);
    if (x->depth <= CHECK_DEPTH || x->ty.kind == TY_POISON) return x;
    diag1(c->ds, n->at, D_LIMIT, limit);
    return check__poison(c, n->at);
}

static const char *stand_in(const struct type *t)
{
    switch ((enum type_base)t->base) {
    case T_BOOL: return "false";
    case T_DECIMAL: return "0";
    case T_TEXT: return "\"...\"";
    case T_DATE: return "2000-01-01";
    default: return "reject \"why\"";
    }
}

struct tx *check__present(struct check *c, struct tx *x, const struct ast *n, const char *who)
{
    if (x->ty.kind == TY_POISON || !ty_maybe_absent(&x->ty)) return x;
    if (x->ty.kind == TY_NULL) {
        diag1(c->ds, x->at, D_NULL_ALONE, who);
        return check__poison(c, x->at);
    }
    struct diag *d = diag2(c->ds, x->at, D_MAYBE_ABSENT, check__text(c, n), who);
    if (x->kind == TX_LET) diag_also(d, x->let->at, "defined here");
    diag_help(d, "say what holds then: %s ?? %s", check__text(c, n), stand_in(&x->ty.t));
    return check__poison(c, x->at);
}

struct tx *check__condition(struct check *c, struct scope sc, struct ast *n, const char *who)
{
    struct tx *x = check__expr(c, sc, n, 0);
    if (x->ty.kind != TY_VALUE || ty_is(&x->ty, T_BOOL)) return check__present(c, x, n, who);
    struct diag *d = diag2(c->ds, x->at, D_TYPE_NEEDED, arena_printf(c->a, "%s is a yes/no value", who), check__show(c, &x->ty));
    if (x->kind != TX_CONST)
        diag_help(d, "compare it: %s == %s%s", check__text(c, n), x->ty.t.base == T_TEXT && x->ty.t.nset ? arena_printf(c->a, "\"%s\"", diag_str(c->ds, x->ty.t.set[0]))
                  : stand_in(&x->ty.t), x->ty.t.optional ? arena_printf(c->a, ", or ask whether it is there: %s != null", check__text(c, n)) : "");
    else diag_help(d, "a value for what is absent stands right of `??`");
    return check__poison(c, x->at);
}

static void learn_present(struct check *c, struct scope *sc, const struct tx *x)
{
    if (x->kind != TX_COLUMN && x->kind != TX_LINE && x->kind != TX_LET && x->kind != TX_PARAM) return;
    struct known *k = ARENA_NEW(c->a, struct known);
    *k = (struct known){x->kind, x->index, x->let, sc->known};
    sc->known = k;
}

struct scope check__learn(struct check *c, struct scope sc, const struct tx *x, bool truth)
{
    if (x->kind == TX_UNARY && x->op == OP_NOT) return check__learn(c, sc, x->args[0], !truth);
    if (x->kind != TX_BINARY) return sc;
    if ((x->op == OP_AND && truth) || (x->op == OP_OR && !truth))
        return check__learn(c, check__learn(c, sc, x->args[0], truth), x->args[1], truth);
    if (x->op != OP_EQ && x->op != OP_NE) return sc;
    bool equal = (x->op == OP_EQ) == truth;
    for (int i = 0; i < 2; i++) {
        const struct tx *me = x->args[i], *other = x->args[1 - i];
        if (equal ? (other->ty.kind == TY_VALUE && !other->ty.t.optional) : other->ty.kind == TY_NULL) learn_present(c, &sc, me);
    }
    return sc;
}
