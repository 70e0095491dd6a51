/* diff_where.c - what a rule's text refers to: two rules may read alike and still differ by a `let` or `fn` that they name. Those that both versions
 * have and that differ are put behind the text: `match { big => "A", else => "B" }, where big = Amount > 1000`. Sources only. */
#include "compiler/diff/diff_private.h"

enum { NAMES_MAX = 40, SHOWN_MAX = 4 };
struct named { struct str name; const struct ast *value; };
struct names { const struct spec *spec; const struct flow *flow; const struct each *each; struct named list[NAMES_MAX]; size_t n; };

static const struct ast *let_value(const struct let *l, struct str name)
{
    for (; l != NULL; l = l->next)
        if (str_eq(l->name, name)) return l->ast->value;
    return NULL;
}

/* A let of the lines, or of the flow, or a function. */
static const struct ast *value_of(const struct names *v, struct str name, bool call)
{
    const struct ast *x = v->each && !call ? let_value(v->each->lets, name) : NULL;
    if (!x && !call) x = let_value(v->flow->lets, name);
    for (const struct fn *f = v->spec->fns; call && f != NULL && !x; f = f->next)
        if (str_eq(f->name, name)) x = f->ast->body;
    return x;
}

static void visit(void *ctx, struct ast *n)
{
    struct names *v = ctx;
    bool call = n->kind == AST_CALL;
    struct str name = call ? AST_AS(call, n)->name.text : n->kind == AST_USE ? AST_AS(use, n)->name.text : (struct str){"", 0};
    const struct ast *value = name.n ? value_of(v, name, call) : NULL;
    for (size_t i = 0; value && i < v->n; i++)
        if (v->list[i].value == value) value = NULL;
    if (value && v->n < NAMES_MAX) {
        v->list[v->n++] = (struct named){name, value};
        visit(v, (struct ast *)(uintptr_t)value);
    }
    ast_children(n, visit, ctx);
}

static const struct flow *flow_of(const struct compile *c, struct str name)
{
    for (const struct flow *f = c && c->spec ? c->spec->flows : NULL; f != NULL; f = f->next)
        if (str_eq(f->name, name)) return f;
    return NULL;
}

static struct field *field_named(struct field **list, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i]->column->name, name)) return list[i];
    return NULL;
}

/* The names behind one version's rule; false without its source. */
static bool collect(struct names *v, const struct diff *d, const struct scope *sc, int side, struct str field)
{
    const struct flow *f = flow_of(d->side[side].source, sc->flow[side]->name);
    const struct field *x = NULL;
    if (!f) return false;
    *v = (struct names){.spec = d->side[side].source->spec, .flow = f};
    if (sc->line) {
        for (const struct each *e = f->eaches; e != NULL && !v->each; e = e->next)
            if (str_eq(e->target->name, sc->field)) v->each = e;
        x = v->each ? field_named(v->each->fields, v->each->nfields, field) : NULL;
    } else x = field_named(f->fields, f->nfields, field);
    if (x && x->ast) visit(v, x->ast);
    return x && x->ast;
}

static const char *printed(struct diff *d, const struct ast *n)
{
    struct buf b = {0};
    spec_print(&b, n);
    return diff__buf(d, &b);
}

static const struct named *same_name(const struct names *v, struct str name)
{
    for (size_t i = 0; i < v->n; i++)
        if (str_eq(v->list[i].name, name)) return &v->list[i];
    return NULL;
}

void diff__where(struct diff *d, const struct scope *sc, struct str field, struct diff_finding *f)
{
    struct names v[2];
    size_t shown = 0;
    if (!collect(&v[0], d, sc, 0, field) || !collect(&v[1], d, sc, 1, field)) return;
    for (size_t i = 0; i < v[1].n && shown < SHOWN_MAX; i++) {
        const struct named *is = &v[1].list[i], *was = same_name(&v[0], is->name);
        const char *text[2] = {was ? printed(d, was->value) : NULL, printed(d, is->value)};
        if (!was || strcmp(text[0], text[1]) == 0) continue;
        for (int k = 0; k < 2; k++)
            f->text[k] = arena_printf(d->arena, "%s%s %.*s = %s", f->text[k], shown ? "," : ", where", (int)is->name.n, is->name.p, text[k]);
        shown++;
    }
}
