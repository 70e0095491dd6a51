/* check_call.c - calls of builtins and of the spec's own functions, interpolation, table look-ups.
 *
 * A builtin or a table gives absent for an absent argument that it does not take (upper(City) is absent when City is); lowering puts the
 * test around the call. A fn is stricter: its parameters say with `?` what may be absent. */
#include "dsl/check.h"
#include "base/check.h"
#include "value/builtin.h"

bool check__is_builtin(struct str name)
{
    return builtin_named(name) >= 0;
}

static struct tx *with_list(struct check *c, enum tx_kind k, struct span at, size_t n)
{
    struct tx *x = check__tx(c, k, at, ty_of_kind(TY_POISON));
    x->args = ARENA_ARRAY(c->a, struct tx *, n ? n : 1);
    return x;
}

/* Arguments into x; false when one of them is poison. */
static bool arguments(struct check *c, struct scope sc, const struct ast_list *list, struct tx *x)
{
    bool ok = true;
    AST_EACH(n, *list) {
        struct tx *arg = check__expr(c, sc, n, 0);
        ok = ok && arg->ty.kind != TY_POISON;
        x->args[x->nargs++] = arg;
    }
    return ok;
}

static const struct ast *nth(const struct ast_list *list, size_t i)
{
    const struct ast *n = list->first;
    while (i-- && n) n = n->next;
    return n;
}

/* The zone that `instant(x)` leaves out: that of the flow's source, when it is written out. */
static bool source_zone(struct check *c, struct scope sc, const struct ast_call *n, struct tx *x)
{
    const struct setting *s = sc.flow && sc.flow->source ? settings__get(sc.flow->source, "timezone") : NULL;
    bool differ = false;
    for (size_t i = 1; s != NULL && i < sc.flow->nsources; i++) {
        const struct setting *o = settings__get(sc.flow->sources[i], "timezone");
        differ = differ || o == NULL || o->kind != s->kind || !str_eq(o->value, s->value);
    }
    if (s == NULL || s->kind != 0 /* text */ || differ) {
        struct diag *d = diag2(c->ds, n->base.at, D_BAD_CALL, diag_str(c->ds, n->name.text),
                               sc.flow == NULL ? "a fn belongs to no source, whose zone could be meant"
                                               : s == NULL ? "the source says no timezone"
                                               : differ ? "the sources of this flow are in different time zones" : "the source does not write its timezone out");
        diag_help(d, "name the zone: instant(..., \"America/Chicago\")");
        return false;
    }
    struct value zone = value_text(s->value);
    struct tx *arg = check__tx(c, TX_CONST, n->base.at, ty_value(types_of_value(c->a, &zone)));
    arg->value = zone;
    x->args[x->nargs++] = arg;
    return true;
}

static struct tx *refused_call(struct check *c, const struct ast_call *n, const struct tx *x, size_t bad, const char *why)
{
    struct builtin_info in = builtin_info(x->index);
    const struct ast *arg = nth(&n->args, bad);
    struct diag *d = arg == NULL ? diag2(c->ds, n->base.at, D_BAD_CALL, diag_str(c->ds, n->name.text), why)
                   : diag2(c->ds, arg->at, D_BAD_ARGUMENT, arena_printf(c->a, "argument %zu of %s", bad + 1, in.name),
                           arena_printf(c->a, "%s; this is %s", why, check__show(c, &x->args[bad]->ty)));
    diag_help(d, "for example %s", in.example);
    return check__poison(c, n->base.at);
}

static struct tx *builtin(struct check *c, struct scope sc, struct ast_call *n, unsigned b)
{
    struct builtin_info in = builtin_info(b);
    struct tx *x = with_list(c, TX_CALL, n->base.at, n->args.n + 1);
    x->index = b;
    if (!arguments(c, sc, &n->args, x)) return check__poison(c, n->base.at);
    if (b == BUILTIN_instant && x->nargs == 1 && !source_zone(c, sc, n, x)) return check__poison(c, n->base.at);
    struct type *types = ARENA_ARRAY(c->a, struct type, x->nargs + 1), out;
    bool lifted = false;
    for (size_t i = 0; i < x->nargs; i++) {
        struct builtin_slot slot = builtin_param(&in, i);
        types[i] = x->args[i]->ty.kind == TY_NULL ? builtin_null(slot) : x->args[i]->ty.t;
        if (slot.optional || !types[i].optional || builtin_slot_constant(slot)) continue;
        types[i].optional = false;
        lifted = true;
    }
    char why[160] = "";
    size_t bad = 0;
    if (!builtin_type(b, types, x->nargs, &out, &bad, why, sizeof why)) {
        bool implied = bad == n->args.n && bad < x->nargs;
        return refused_call(c, n, x, bad, implied ? arena_printf(c->a, "the source's timezone %s", why) : why);
    }
    out.optional = out.optional || lifted;
    x->ty = ty_value(out);
    return x;
}

/* name.first: a part of what a builtin made, directly or under the name of a let. */
struct tx *check__part(struct check *c, const struct tx *of, struct ast_member *n)
{
    const struct tx *call = of;
    while (call->kind == TX_LET || call->kind == TX_KNOWN) call = call->kind == TX_LET ? call->let->value : call->args[0];
    int part = call->kind == TX_CALL ? builtin_part(call->index, &n->name.text) : -1;
    if (part < 0) {
        struct diag *d = diag2(c->ds, n->name.at, D_NO_PARTS, check__text(c, n->of), diag_str(c->ds, n->name.text));
        if (call->kind == TX_CALL && builtin_part(call->index, NULL) >= 0) diag_help(d, "its parts are .first and .last");
        else diag_help(d, "a person's name has parts: let name = split_name(ContactName), then name.first and name.last");
        return check__poison(c, n->base.at);
    }
    struct tx *x = with_list(c, TX_CALL, n->base.at, call->nargs);
    struct builtin_slot text = {.kind = 'T'};
    struct type arg = call->args[0]->ty.kind == TY_NULL ? builtin_null(text) : call->args[0]->ty.t, out;
    size_t bad;
    bool lifted = arg.optional;
    x->index = (unsigned)part;
    x->args[x->nargs++] = call->args[0];
    arg.optional = false;
    bool ok = builtin_type(x->index, &arg, 1, &out, &bad, NULL, 0);
    ASSERT(ok);
    out.optional = out.optional || lifted;
    x->ty = ty_value(out);
    return x;
}

/* ---- functions of the spec ---- */

void check__fn(struct check *c, struct fn *f)
{
    struct scope sc = {.fn = f};
    size_t i = 0;
    f->nparams = f->ast->params.n;
    f->params = ARENA_ARRAY(c->a, struct ty, f->nparams + 1);
    AST_EACH(p, f->ast->params) {
        struct ast_param *param = AST_AS(param, p);
        struct type t;
        struct str module = {0};
        f->params[i] = check__type(c, param->type, &t, &module) ? ty_value(t) : ty_of_kind(TY_POISON);
        for (struct ast *q = f->ast->params.first; q != p; q = q->next)
            if (str_eq(AST_AS(param, q)->name.text, param->name.text))
                diag_also(diag1(c->ds, param->name.at, D_DUPLICATE_NAME, diag_str(c->ds, param->name.text)), AST_AS(param, q)->name.at, "first here");
        i++;
    }
    f->body = check__expr(c, sc, f->ast->body, 0);
    f->usable = f->body->ty.kind == TY_VALUE;
    if (f->body->ty.kind == TY_NULL || f->body->ty.kind == TY_NEVER) diag1(c->ds, f->ast->body->at, D_NULL_ALONE, "the body of a fn");
}

/* An argument against a parameter's declared type. */
static bool param_fits(struct check *c, const struct tx *arg, const struct ast *n, const struct fn *f, size_t i)
{
    const struct ast_param *p = AST_AS(param, nth(&f->ast->params, i));
    if (f->params[i].kind == TY_POISON) return false;
    if (arg->ty.kind == TY_NULL ? f->params[i].t.optional : type_fits(&arg->ty.t, &f->params[i].t)) return true;
    struct type loose = f->params[i].t;
    loose.optional = true;
    struct diag *d;
    if (arg->ty.kind == TY_NULL || type_fits(&arg->ty.t, &loose)) {
        d = diag2(c->ds, n->at, D_MAYBE_ABSENT, check__text(c, n), arena_printf(c->a, "parameter %s", diag_str(c->ds, p->name.text)));
        diag_help(d, "say what holds then: %s ?? %s, or let the parameter be absent: `?` behind its type", check__text(c, n),
                  loose.base == T_DECIMAL ? "0" : "...");
    } else {
        d = diag2(c->ds, n->at, D_BAD_ARGUMENT, arena_printf(c->a, "parameter %s", diag_str(c->ds, p->name.text)),
                  arena_printf(c->a, "is %s; this is %s", check__show(c, &f->params[i]), check__show(c, &arg->ty)));
    }
    diag_also(d, p->name.at, "declared here");
    return false;
}

static struct tx *inlined(struct check *c, struct scope sc, struct ast_call *n, struct fn *f)
{
    f->used = true;
    struct tx *x = with_list(c, TX_INLINE, n->base.at, n->args.n);
    x->fn = f;
    if (!arguments(c, sc, &n->args, x) || f->body == NULL) return check__poison(c, n->base.at);
    if (x->nargs != f->nparams) {
        struct diag *d = diag2(c->ds, n->base.at, D_BAD_CALL, diag_str(c->ds, f->name),
                               arena_printf(c->a, "takes %zu argument%s, not %zu", f->nparams, f->nparams == 1 ? "" : "s", x->nargs));
        diag_also(d, f->at, "defined here");
        return check__poison(c, n->base.at);
    }
    bool ok = f->usable;
    for (size_t i = 0; i < x->nargs; i++) ok = param_fits(c, x->args[i], nth(&n->args, i), f, i) && ok;
    if (!ok) return check__poison(c, n->base.at);
    x->ty = f->body->ty;
    return x;
}

struct tx *check__call(struct check *c, struct scope sc, struct ast_call *n)
{
    struct fn *f = resolve__fn(c, n->name.text);
    int b = builtin_named(n->name.text);
    /* Functions call only functions above them: no recursion can arise. */
    if (f != NULL && !(sc.fn != NULL && f->index >= sc.fn->index)) return inlined(c, sc, n, f);
    if (b >= 0) return builtin(c, sc, n, (unsigned)b);
    if (f != NULL) {
        struct diag *d = diag1(c->ds, n->name.at, D_RECURSION, diag_str(c->ds, n->name.text));
        diag_also(d, f->at, "defined here");
        return check__poison(c, n->base.at);
    }
    struct diag_nearest near = diag_nearest_begin(n->name.text);
    for (f = c->spec->fns; f != NULL; f = f->next) diag_nearest_try(&near, f->name);
    for (unsigned i = 0; i < BUILTIN_COUNT; i++) diag_nearest_try(&near, str_of(builtin_info(i).name));
    struct diag *d = diag1(c->ds, n->name.at, D_UNKNOWN_FUNCTION, diag_str(c->ds, n->name.text));
    hints__function(d, n->name.text);
    if (!d->help) resolve__hint(d, &near);
    if (!d->help) diag_help(d, "docs/builtins.md has all of them; one of your own is written: fn %s(...) = expression", diag_str(c->ds, n->name.text));
    AST_EACH(arg, n->args) check__expr(c, sc, arg, 0);
    return check__poison(c, n->base.at);
}

/* ---- interpolation ---- */

struct tx *check__template(struct check *c, struct scope sc, struct ast_template *n)
{
    struct tx *x = with_list(c, TX_CONCAT, n->base.at, n->parts.n);
    struct type *types = ARENA_ARRAY(c->a, struct type, n->parts.n + 1), out;
    bool ok = n->parts.n <= BUILTIN_ARGS_MAX;
    if (!ok) diag1(c->ds, n->base.at, D_LIMIT, "64 parts in one text");
    AST_EACH(p, n->parts) {
        struct tx *part = check__expr(c, sc, p, 0);
        if (part->ty.kind == TY_VALUE && part->ty.t.optional) {
            struct diag *d = diag2(c->ds, part->at, D_MAYBE_ABSENT, check__text(c, p), "interpolation");
            diag_help(d, "give it a name that is always there: let known = %s ?? \"...\", then \"{known}\"; or join(\", \", ...), which leaves out what is absent", check__text(c, p));
            ok = false;
            continue;
        }
        if (part->ty.kind != TY_VALUE) {
            ok = false;
            continue;
        }
        if (part->ty.t.base == T_LOCAL || part->ty.t.base == T_INSTANT) {
            diag2(c->ds, part->at, D_TYPE_NEEDED, "interpolation takes texts, numbers, dates and yes/no values", check__show(c, &part->ty));
            ok = false;
            continue;
        }
        if (part->ty.t.base != T_TEXT) {
            struct tx *text = with_list(c, TX_TEXT, part->at, 1);
            text->args[text->nargs++] = part;
            text->ty = ty_value(types_as_text(c->a, &part->ty.t));
            part = text;
        }
        types[x->nargs] = part->ty.t;
        x->args[x->nargs++] = part;
    }
    if (!ok) return check__poison(c, n->base.at);
    if (!types_concat(types, x->nargs, &out)) {
        diag1(c->ds, n->base.at, D_TEXT_HUGE, arena_printf(c->a, "%u", TYPES_MAX_TEXT));
        return check__poison(c, n->base.at);
    }
    x->ty = ty_value(out);
    return x;
}

/* ---- tables ---- */

struct tx *check__index(struct check *c, struct scope sc, struct ast_index *n)
{
    struct table *t = resolve__table(c, &n->table);
    struct tx *key = check__expr(c, sc, n->key, 0);
    if (t == NULL) return check__poison(c, n->base.at);
    t->used = true;
    if (key->ty.kind == TY_POISON || !t->usable) return check__poison(c, n->base.at);
    if (key->ty.kind != TY_VALUE || key->ty.t.base != t->key.base) {
        struct ty want = ty_value(types_plain((enum type_base)t->key.base));
        struct diag *d = diag2(c->ds, key->at, D_TYPE_NEEDED,
                               arena_printf(c->a, "the keys of table %s are of kind %s", diag_str(c->ds, t->name), types_base_name((enum type_base)want.t.base)),
                               check__show(c, &key->ty));
        diag_also(d, t->at, "the table");
        return check__poison(c, n->base.at);
    }
    struct tx *x = with_list(c, TX_TABLE, n->base.at, 1);
    x->args[x->nargs++] = key;
    x->table = t;
    x->ty = ty_value(t->value);
    if (key->ty.t.optional) x->ty.t.optional = true;
    return x;
}
