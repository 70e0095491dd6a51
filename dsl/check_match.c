/* check_match.c - both forms of match: over a subject with literal patterns, and over conditions. Every value must find an arm; no arm may be
 * behind one that takes all, and no pattern stands twice. */
#include "dsl/check.h"
#include "base/check.h"

/* Joins the arms' types; a match of rejects and keeps only has no value. */
struct joined { struct ty ty; bool null; };

static void join_arm(struct check *c, struct joined *j, const struct tx *x, struct span at)
{
    if (j->ty.kind == TY_POISON) return;
    if (x->ty.kind == TY_POISON) j->ty = x->ty;
    else if (x->ty.kind == TY_NULL) j->null = true;
    else if (x->ty.kind == TY_VALUE && j->ty.kind == TY_NEVER) j->ty = x->ty;
    else if (x->ty.kind == TY_VALUE) {
        struct type t;
        if (types_join(c->a, &j->ty.t, &x->ty.t, &t)) j->ty.t = t;
        else {
            diag2(c->ds, at, D_ARMS_DIFFER, check__show(c, &x->ty), check__show(c, &j->ty));
            j->ty = ty_of_kind(TY_POISON);
        }
    }
}

static struct tx *finish(struct check *c, struct tx *m, struct joined j)
{
    if (j.ty.kind == TY_POISON) return check__poison(c, m->at);
    if (j.null) {
        if (j.ty.kind == TY_VALUE) j.ty.t.optional = true;
        else j.ty = ty_of_kind(TY_NULL);
    }
    m->ty = j.ty;
    return m;
}

static struct tx *new_match(struct check *c, struct ast_match *n)
{
    struct tx *m = check__tx(c, TX_MATCH, n->base.at, ty_of_kind(TY_NEVER));
    m->arms = ARENA_ARRAY(c->a, struct tx_arm, n->arms.n + 1);
    m->args = ARENA_ARRAY(c->a, struct tx *, 1);
    return m;
}

/* An arm behind `else` (or behind full coverage) is never reached. */
static void unreachable(struct check *c, struct span at, struct span by)
{
    diag_also(diag0(c->ds, at, D_UNREACHABLE_ARM), by, "everything is taken here");
}

/* ---- match { condition => value, ... } ---- */

static struct tx *by_conditions(struct check *c, struct scope sc, struct ast_match *n, unsigned flags)
{
    struct tx *m = new_match(c, n);
    struct joined j = {ty_of_kind(TY_NEVER), false};
    const struct ast *open = NULL;
    AST_EACH(a, n->arms) {
        struct ast_arm *arm = AST_AS(arm, a);
        if (open != NULL) unreachable(c, a->at, open->at);
        struct tx_arm *out = &m->arms[m->narms++];
        out->otherwise = arm->otherwise;
        out->at = a->at;
        struct scope inner = sc;
        if (arm->otherwise) open = a;
        else {
            out->condition = check__condition(c, sc, arm->patterns.first, "the condition of an arm");
            if (out->condition->ty.kind == TY_POISON) j.ty = out->condition->ty;
            inner = check__learn(c, sc, out->condition, true);
            sc = check__learn(c, sc, out->condition, false);
        }
        out->value = check__expr(c, inner, arm->value, flags & EXPR_TAIL);
        join_arm(c, &j, out->value, arm->value ? arm->value->at : a->at);
    }
    if (open == NULL && !c->broken) diag_help(diag1(c->ds, n->base.at, D_MATCH_OPEN, "no condition holds"), "end with an arm `else => ...`");
    return finish(c, m, j);
}

/* ---- match subject { pattern | pattern => value, ... } ---- */

struct seen { struct value v; struct span at; };

static bool pattern(struct check *c, const struct tx *subject, const struct ast *p, struct value *v, struct seen *seen, size_t *nseen)
{
    if (!check__literal(c, p, v)) return false;
    struct tx lit = {.kind = value_present(v) ? TX_CONST : TX_NULL, .at = p->at, .value = *v};
    lit.ty = value_present(v) ? ty_value(types_of_value(c->a, v)) : ty_of_kind(TY_NULL);
    if (lit.kind == TX_NULL && !ty_maybe_absent(&subject->ty)) {
        diag1(c->ds, p->at, D_NEVER_ABSENT, "the subject");
        return true;
    }
    if (!check__comparable(c, p->at, subject, &lit)) return false;
    for (size_t i = 0; i < *nseen; i++)
        if (value_equal(&seen[i].v, v)) {
            diag_also(diag1(c->ds, p->at, D_DUPLICATE_PATTERN, check__text(c, p)), seen[i].at, "first here");
            return false;
        }
    seen[(*nseen)++] = (struct seen){*v, p->at};
    return true;
}

/* Every value of the subject has a pattern. */
static bool covered(const struct type *t, size_t n)
{
    size_t want = (t->base == T_BOOL ? 2u : t->base == T_TEXT ? t->nset : 0u);
    if (want == 0) return false;
    return n >= want + (t->optional ? 1u : 0u);      /* patterns are distinct and possible, so counting is enough */
}

/* Shows one value that no arm takes. */
static const char *example_left(struct check *c, const struct type *t, const struct seen *seen, size_t n)
{
    struct value v = value_absent;
    bool taken = !t->optional;
    for (size_t i = 0; i < n; i++) taken = taken || !value_present(&seen[i].v);
    if (!taken) return "null has no arm";
    for (unsigned k = 0; k < (t->base == T_BOOL ? 2u : t->nset); k++) {
        v = t->base == T_BOOL ? value_bool(k == 0) : value_text(t->set[k]);
        taken = false;
        for (size_t i = 0; i < n; i++) taken = taken || value_equal(&seen[i].v, &v);
        if (!taken) return t->base == T_BOOL ? (k == 0 ? "true has no arm" : "false has no arm")
                                             : arena_printf(c->a, "\"%s\" has no arm", diag_str(c->ds, t->set[k]));
    }
    return "another value has no arm";
}

static struct tx *by_patterns(struct check *c, struct scope sc, struct ast_match *n, unsigned flags)
{
    struct tx *m = new_match(c, n), *subject = check__expr(c, sc, n->subject, 0);
    struct joined j = {ty_of_kind(TY_NEVER), false};
    size_t npatterns = 1, nseen = 0;
    const struct ast *open = NULL;
    bool ok = true;
    if (subject->ty.kind == TY_NULL) diag1(c->ds, subject->at, D_NULL_ALONE, "the subject of a match");
    AST_EACH(a, n->arms) npatterns += AST_AS(arm, a)->patterns.n;
    struct seen *seen = ARENA_ARRAY(c->a, struct seen, npatterns);
    AST_EACH(a, n->arms) {
        struct ast_arm *arm = AST_AS(arm, a);
        struct tx_arm *out = &m->arms[m->narms++];
        struct value *values = ARENA_ARRAY(c->a, struct value, arm->patterns.n + 1);
        size_t k = 0;
        bool null = false;
        if (open != NULL) unreachable(c, a->at, open->at);
        AST_EACH(p, arm->patterns) {
            if (subject->ty.kind != TY_VALUE) continue;
            if (!pattern(c, subject, p, &values[k], seen, &nseen)) ok = false;
            else null = !value_present(&values[k++]) || null;
        }
        *out = (struct tx_arm){.otherwise = arm->otherwise, .patterns = values, .npatterns = k, .at = a->at};
        struct tx about = {.kind = TX_BINARY, .op = OP_EQ, .args = (struct tx *[]){subject, &(struct tx){.ty = ty_value(types_plain(T_BOOL))}}, .nargs = 2};
        struct scope inner = !arm->otherwise && !null && subject->ty.kind == TY_VALUE ? check__learn(c, sc, &about, true) : sc;
        out->value = check__expr(c, inner, arm->value, flags & EXPR_TAIL);
        join_arm(c, &j, out->value, arm->value ? arm->value->at : a->at);
        if (arm->otherwise || (open == NULL && subject->ty.kind == TY_VALUE && covered(&subject->ty.t, nseen))) open = open ? open : a;
    }
    if (subject->ty.kind != TY_VALUE) return check__poison(c, n->base.at);
    if (open == NULL && ok && !c->broken)
        diag_help(diag1(c->ds, n->base.at, D_MATCH_OPEN, example_left(c, &subject->ty.t, seen, nseen)), "add arms, or end with `else => ...`");
    if (open == NULL || !ok) return check__poison(c, n->base.at);
    m->args[m->nargs++] = subject;
    return finish(c, m, j);
}

struct tx *check__match(struct check *c, struct scope sc, struct ast_match *n, unsigned flags)
{
    return n->subject == NULL ? by_conditions(c, sc, n, flags) : by_patterns(c, sc, n, flags);
}
