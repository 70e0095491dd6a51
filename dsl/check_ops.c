/* check_ops.c - operators: equality is total, everything else refuses what may be absent; decimals carry their interval along. */
#include "dsl/check.h"
#include "value/date.h"
#include "base/check.h"
#include "base/limits.h"

static struct tx *with_args(struct check *c, enum tx_kind k, enum ast_op op, struct span at, struct type t, struct tx *l, struct tx *r)
{
    struct tx *x = check__tx(c, k, at, ty_value(t));
    x->op = op;
    x->nargs = r ? 2 : 1;
    x->args = ARENA_ARRAY(c->a, struct tx *, 2);
    x->args[0] = l;
    x->args[1] = r;
    return x;
}

static const char *quoted_op(struct check *c, enum ast_op op)
{
    return arena_printf(c->a, "`%s`", ast_op_text(op));
}

/* Both texts (or numbers) have no value in common: an equality that can never hold. */
static bool disjoint(const struct type *x, const struct type *y)
{
    if (x->base == T_TEXT) {
        if (x->nset && y->nset) {
            for (size_t i = 0, j = 0; i < x->nset && j < y->nset;) {
                int d = str_cmp(x->set[i], y->set[j]);
                if (d == 0) return false;
                if (d < 0) i++;
                else j++;
            }
            return true;
        }
        return x->min_len > y->max_len || y->min_len > x->max_len;
    }
    if (x->base == T_DECIMAL) {
        struct value xl = value_decimal(x->lo, x->scale), xh = value_decimal(x->hi, x->scale);
        struct value yl = value_decimal(y->lo, y->scale), yh = value_decimal(y->hi, y->scale);
        return decimal_compare(&xh, &yl) < 0 || decimal_compare(&yh, &xl) < 0;
    }
    return false;
}

/* A constant of the wrong kind beside a column: what it should be. */
static void mend_constant(struct diag *d, const struct tx *l, const struct tx *r)
{
    const struct tx *constant = r->kind == TX_CONST ? r : l, *other = constant == r ? l : r;
    struct str text = span_text(d->owner->sources, constant->at);
    struct value v;
    if (constant->kind != TX_CONST) return;
    struct str inner = {text.p + 1, text.n >= 2 ? text.n - 2 : 0};
    bool quoted = ty_is(&constant->ty, T_TEXT) && text.n > 2 && text.p[0] == '"';
    if (ty_is(&other->ty, T_TEXT) && ty_is(&constant->ty, T_DECIMAL))
        diag_fix(diag_help(d, "Sage codes are texts: write it in quotes"), constant->at, "\"%.*s\"", (int)text.n, text.p);
    else if (quoted && ty_is(&other->ty, T_DECIMAL) && decimal_parse(inner, &v))
        diag_fix(diag_help(d, "a number stands without quotes: %.*s", (int)inner.n, inner.p), constant->at, "%.*s", (int)inner.n, inner.p);
    else if (quoted && ty_is(&other->ty, T_DATE) && date_parse(inner, &v))
        diag_fix(diag_help(d, "a date stands without quotes: %.*s", (int)inner.n, inner.p), constant->at, "%.*s", (int)inner.n, inner.p);
    else if (quoted && ty_is(&other->ty, T_BOOL)) diag_help(d, "a yes/no value is true or false, without quotes");
}

static void not_comparable(struct check *c, struct span at, const struct tx *l, const struct tx *r)
{
    mend_constant(diag2(c->ds, at, D_NOT_COMPARABLE, check__show(c, &l->ty), check__show(c, &r->ty)), l, r);
}

bool check__comparable(struct check *c, struct span at, const struct tx *l, const struct tx *r)
{
    if (l->ty.kind == TY_POISON || r->ty.kind == TY_POISON) return false;
    if (l->ty.kind != TY_VALUE || r->ty.kind != TY_VALUE) return true;      /* == null */
    if (l->ty.t.base != r->ty.t.base) {
        not_comparable(c, at, l, r);
        return false;
    }
    if (l->ty.t.base == T_LINK || l->ty.t.base == T_LIST) {
        diag2(c->ds, at, D_NOT_COMPARABLE, check__show(c, &l->ty), check__show(c, &r->ty));
        return false;
    }
    if (!disjoint(&l->ty.t, &r->ty.t) || (l->ty.t.optional && r->ty.t.optional)) return true;
    diag2(c->ds, at, D_NEVER_EQUAL, check__show(c, &l->ty), check__show(c, &r->ty));
    return false;
}

static struct tx *equality(struct check *c, struct scope sc, struct ast_binary *n)
{
    struct tx *l = check__expr(c, sc, n->left, 0), *r = check__expr(c, sc, n->right, 0);
    if (l->ty.kind == TY_POISON || r->ty.kind == TY_POISON) return check__poison(c, n->base.at);
    if (l->ty.kind == TY_NULL && r->ty.kind == TY_NULL) {
        diag1(c->ds, n->base.at, D_NULL_ALONE, quoted_op(c, (enum ast_op)n->op));
        return check__poison(c, n->base.at);
    }
    const struct tx *null = l->ty.kind == TY_NULL ? l : r->ty.kind == TY_NULL ? r : NULL;
    const struct tx *other = null == l ? r : l;
    if (null != NULL && !ty_maybe_absent(&other->ty) && other->kind != TX_KNOWN) {
        struct diag *d = diag1(c->ds, n->base.at, D_NEVER_ABSENT, check__text(c, null == l ? n->right : n->left));
        check__also_column(d, &sc, other);
    }
    if (!check__comparable(c, n->base.at, l, r)) return check__poison(c, n->base.at);
    return with_args(c, TX_BINARY, (enum ast_op)n->op, n->base.at, types_plain(T_BOOL), l, r);
}

static struct tx *ordering(struct check *c, struct scope sc, struct ast_binary *n)
{
    const char *who = quoted_op(c, (enum ast_op)n->op);
    struct tx *l = check__expr(c, sc, n->left, 0), *r = check__expr(c, sc, n->right, 0);
    if (l->ty.kind == TY_VALUE && r->ty.kind == TY_VALUE && l->ty.t.base != r->ty.t.base) {      /* before absence: this is the mistake */
        not_comparable(c, n->base.at, l, r);
        return check__poison(c, n->base.at);
    }
    l = check__present(c, l, n->left, who);
    r = check__present(c, r, n->right, who);
    if (l->ty.kind == TY_POISON || r->ty.kind == TY_POISON) return check__poison(c, n->base.at);
    enum type_base b = (enum type_base)l->ty.t.base;
    if (b != T_DECIMAL && b != T_DATE && b != T_LOCAL && b != T_INSTANT) diag2(c->ds, n->base.at, D_NO_ORDER, who, check__show(c, &l->ty));
    else return with_args(c, TX_BINARY, (enum ast_op)n->op, n->base.at, types_plain(T_BOOL), l, r);
    return check__poison(c, n->base.at);
}

static struct tx *logic(struct check *c, struct scope sc, struct ast_binary *n)
{
    const char *who = quoted_op(c, (enum ast_op)n->op);
    struct tx *l = check__condition(c, sc, n->left, arena_printf(c->a, "an operand of %s", who));
    struct tx *r = check__condition(c, check__learn(c, sc, l, n->op == OP_AND), n->right, arena_printf(c->a, "an operand of %s", who));
    if (l->ty.kind == TY_POISON || r->ty.kind == TY_POISON) return check__poison(c, n->base.at);
    return with_args(c, TX_BINARY, (enum ast_op)n->op, n->base.at, types_plain(T_BOOL), l, r);
}

/* The operand of an arithmetic operator: a present number. */
static struct tx *number(struct check *c, struct scope sc, struct ast *n, const char *who, bool *text)
{
    struct tx *x = check__expr(c, sc, n, 0);
    if (x->ty.kind != TY_VALUE || ty_is(&x->ty, T_DECIMAL)) return check__present(c, x, n, who);
    *text = *text || ty_is(&x->ty, T_TEXT);
    struct diag *d = diag2(c->ds, x->at, D_TYPE_NEEDED, arena_printf(c->a, "an operand of %s is a number", who), check__show(c, &x->ty));
    if (ty_is(&x->ty, T_DATE)) diag_help(d, "days are added by add_days(date, n)");
    if (*text) diag_help(d, "texts are joined by interpolation, \"{A} {B}\", or by join(\" \", A, B), which leaves out what is absent");
    return check__poison(c, x->at);
}

static struct tx *overflow(struct check *c, struct span at, enum types_result why, const struct tx *l, const struct tx *r)
{
    struct diag *d;
    if (why == TYPES_SCALE) {
        d = diag1(c->ds, at, D_TOO_MANY_DECIMALS, arena_printf(c->a, "%u", (unsigned)l->ty.t.scale + r->ty.t.scale));
        diag_help(d, "round an operand first: round(x, %u)", (unsigned)LIMIT_DECIMAL_SCALE / 2);
    } else {
        d = diag2(c->ds, at, D_OVERFLOW, check__show(c, &l->ty), check__show(c, &r->ty));
        diag_help(d, "a source column of fewer digits, or round(x, n) to fewer decimals, keeps the result below");
    }
    return check__poison(c, at);
}

static struct tx *arithmetic(struct check *c, struct scope sc, struct ast_binary *n)
{
    const char *who = quoted_op(c, (enum ast_op)n->op);
    bool text = false;
    if (n->op == OP_DIV) {
        struct str l = span_text(c->sources, n->left->at), r = span_text(c->sources, n->right->at);
        struct diag *d = resolve__unsupported(c, n->base.at, "division by `/`");
        diag_help(d, "say to how many decimals: divide(%s, %s, 2)", check__text(c, n->left), check__text(c, n->right));
        diag_fix(d, n->base.at, "divide(%.*s, %.*s, 2)", (int)l.n, l.p, (int)r.n, r.p);
        return check__poison(c, n->base.at);
    }
    struct tx *l = number(c, sc, n->left, who, &text), *r = number(c, sc, n->right, who, &text);
    if (l->ty.kind == TY_POISON || r->ty.kind == TY_POISON) return check__poison(c, n->base.at);
    struct type t;
    enum types_result res = n->op == OP_ADD ? types_add(&l->ty.t, &r->ty.t, &t) : n->op == OP_SUB ? types_sub(&l->ty.t, &r->ty.t, &t)
                                            : types_mul(&l->ty.t, &r->ty.t, &t);
    if (res != TYPES_OK) return overflow(c, n->base.at, res, l, r);
    return with_args(c, TX_BINARY, (enum ast_op)n->op, n->base.at, t, l, r);
}

/* left ?? right */
static struct tx *otherwise(struct check *c, struct scope sc, struct ast_binary *n, unsigned flags)
{
    struct tx *l = check__expr(c, sc, n->left, flags & EXPR_LIST), *r = check__expr(c, sc, n->right, flags & EXPR_TAIL);
    if (l->ty.kind == TY_POISON || r->ty.kind == TY_POISON) return check__poison(c, n->base.at);
    if (l->ty.kind != TY_VALUE) {
        diag1(c->ds, l->at, D_NULL_ALONE, "the left of `??`");
        return check__poison(c, n->base.at);
    }
    if (!l->ty.t.optional) {
        struct diag *d = diag1(c->ds, n->base.at, D_USELESS_ELSE, check__text(c, n->left));
        check__also_column(d, &sc, l);
        struct str left = span_text(c->sources, n->left->at);
        diag_fix(diag_help(d, "leave out what stands right of `??`"), n->base.at, "%.*s", (int)left.n, left.p);
    }
    struct type t = l->ty.t;
    if (r->ty.kind == TY_NEVER) t.optional = false;
    else if (r->ty.kind == TY_NULL) t.optional = true;
    else {
        struct type left = l->ty.t;
        left.optional = false;
        if (!types_join(c->a, &left, &r->ty.t, &t)) {
            diag2(c->ds, r->at, D_ARMS_DIFFER, check__show(c, &r->ty), check__show(c, &l->ty));
            return check__poison(c, n->base.at);
        }
    }
    return with_args(c, TX_BINARY, OP_ELSE, n->base.at, t, l, r);
}

struct tx *check__unary(struct check *c, struct scope sc, struct ast_unary *n)
{
    if (n->op == OP_NOT) {
        struct tx *x = check__condition(c, sc, n->value, "the operand of `not`");
        return x->ty.kind == TY_POISON ? x : with_args(c, TX_UNARY, OP_NOT, n->base.at, types_plain(T_BOOL), x, NULL);
    }
    bool text = false;
    struct tx *x = number(c, sc, n->value, "`-`", &text);
    if (x->ty.kind == TY_POISON) return x;
    struct type t;
    types_neg(&x->ty.t, &t);
    return with_args(c, TX_UNARY, OP_NEG, n->base.at, t, x, NULL);
}

struct tx *check__binary(struct check *c, struct scope sc, struct ast_binary *n, unsigned flags)
{
    switch ((enum ast_op)n->op) {
    case OP_EQ: case OP_NE: return equality(c, sc, n);
    case OP_LT: case OP_LE: case OP_GT: case OP_GE: return ordering(c, sc, n);
    case OP_AND: case OP_OR: return logic(c, sc, n);
    case OP_ELSE: return otherwise(c, sc, n, flags);
    default: return arithmetic(c, sc, n);
    }
}
