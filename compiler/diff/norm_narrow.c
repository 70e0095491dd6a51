/* norm_narrow.c - a diagram as it looks where some questions are answered already; see norm.h. Terms inside calls do not see the questions around
 * them: `match T { "a" => upper(T ?? "x") }` holds upper of a diagram, and behind T = "a" that diagram, and so the call, is a constant. */
#include "compiler/diff/norm_private.h"
#include "base/check.h"

struct narrow { struct norm *u; const struct decision *known; size_t n; uint32_t serial; };

static struct dd *narrow_dd(struct narrow *w, struct dd *f);

static const struct decision *decided(const struct narrow *w, const struct term *v)
{
    for (size_t i = w->n; i-- > 0;)
        if (w->known[i].part->var == v) return &w->known[i];
    return NULL;
}

/* Which numbers a decision leaves. */
static void decided_range(const struct decision *d, i128 *from, i128 *to)
{
    *from = d->part->cells[d->cell].from;
    *to = (size_t)d->cell + 1 < d->part->n ? d->part->cells[d->cell + 1].from - 1 : -NORM_LOWEST;
}

/* The one value that a decision leaves, as a leaf; NULL when there are more. */
static struct dd *decided_value(struct norm *u, const struct decision *d)
{
    const struct term *v = d->part->var;
    struct value x = value_absent;
    i128 from, to;
    if (d->cell < 0) return NULL;
    if (v->base == T_TEXT) x = value_text(d->part->cells[d->cell].text);
    else {
        decided_range(d, &from, &to);
        if (from != to || v->base != T_DECIMAL || v->scale > 12) return NULL;
        x = value_decimal(from, v->scale);
    }
    return norm_const(u, &x);
}

/* ---- terms ---- */

static struct dd **narrow_args(struct narrow *w, const struct term *t, bool *changed)
{
    struct dd **args = ARENA_ARRAY(w->u->arena, struct dd *, t->nargs + 1);
    for (size_t i = 0; i < t->nargs; i++) {
        args[i] = narrow_dd(w, t->args[i]);
        *changed = *changed || args[i] != t->args[i];
    }
    return args;
}

/* A sum whose terms are narrowed; NULL when one is no single number any more. */
static struct dd *narrow_sum(struct narrow *w, struct term *t)
{
    struct norm *u = w->u;
    struct value zero = value_decimal(0, 0);
    struct term *sum = norm_const(u, &zero)->term;
    bool changed = false;
    for (size_t i = 0; i < t->nmonos && sum; i++) {
        struct term *product = norm_const(u, &t->monos[i].coef)->term;
        for (size_t k = 0; k < t->monos[i].n && product; k++) {
            struct dd *x = narrow_dd(w, norm_leaf(u, t->monos[i].atoms[k]));
            if (!x->leaf || x->term->base != T_DECIMAL || x->term->kind == TERM_JUNK) return NULL;
            changed = changed || x->term != t->monos[i].atoms[k];
            product = norm_mul(u, product, x->term);
        }
        sum = product ? norm_add(u, sum, product, false) : NULL;
    }
    return changed && sum ? norm_leaf(u, sum) : NULL;
}

/* The present value of a term; itself when nothing is known that matters to it. */
static struct dd *narrow_leaf(struct narrow *w, struct term *t)
{
    struct norm *u = w->u;
    struct dd *self = norm_leaf(u, t), *x;
    bool changed = false;
    const struct decision *d = decided(w, t);
    if (d && (x = decided_value(u, d)) != NULL) return x;
    if (t->kind == TERM_SUM) {
        x = narrow_sum(w, t);
        return x ? x : self;
    }
    if (t->nargs == 0) return self;
    struct dd **args = narrow_args(w, t, &changed);
    if (!changed) return self;
    return narrow_dd(w, norm_present(u, norm__again(u, t, args)));      /* the new term may be one whose answer is known */
}

/* ---- diagrams ---- */

/* The child of a question whose answer has become known, or another question. */
static struct dd *answered(struct norm *u, struct term *const *t, size_t n, const void *ctx)
{
    const struct dd *f = ctx;
    struct term *x = t[0];
    (void)n;
    if (x->kind == TERM_ABSENT) return f->absent ? f->absent : u->junk;
    if (x->kind != TERM_CONST) return norm_case(u, x, x->maybe ? (f->absent ? f->absent : u->junk) : NULL, f->cells, f->ncells, f->rest);
    struct part p = {f->term, ARENA_NEW(u->arena, struct cell), 1};
    if (x->base == T_TEXT) p.cells[0].text = value_str(&x->value);
    else {
        struct value at = x->value;
        if (x->base == T_DECIMAL && !decimal_rescale(&x->value, f->term->scale, &at)) return u->junk;
        p.cells[0].from = x->base == T_BOOL ? x->value.u.b : x->base == T_DECIMAL ? at.u.coef : x->value.u.i;
    }
    return norm_cofactor((struct dd *)(uintptr_t)f, &p, 0);
}

/* A cell that the decision about its term rules out. */
static bool ruled_out(const struct dd *f, size_t i, const struct decision *known)
{
    i128 from, to, next = i + 1 < f->ncells ? f->cells[i + 1].from : -NORM_LOWEST;
    if (f->term->base == T_TEXT) {                       /* any other text than those of the partition */
        for (size_t k = 0; k < known->part->n; k++)
            if (str_eq(known->part->cells[k].text, f->cells[i].text)) return true;
        return false;
    }
    decided_range(known, &from, &to);
    return f->cells[i].from > to || next <= from;
}

/* The cells that a decision leaves; the others are of no account. */
static struct dd *narrow_node(struct narrow *w, const struct dd *f, const struct decision *d)
{
    struct norm *u = w->u;
    const struct decision *known = d;
    struct cell *cells = ARENA_ARRAY(u->arena, struct cell, f->ncells + 1);
    if (known && known->cell == CELL_ABSENT) return narrow_dd(w, f->absent);
    if (known && f->term->base == T_TEXT && known->cell >= 0) {
        struct part p = *known->part;
        return narrow_dd(w, norm_cofactor((struct dd *)(uintptr_t)f, &p, known->cell));
    }
    for (size_t i = 0; i < f->ncells; i++) {
        cells[i] = f->cells[i];
        cells[i].to = known && ruled_out(f, i, known) ? u->junk : narrow_dd(w, f->cells[i].to);
    }
    struct dd *absent = !f->absent ? NULL : known ? u->junk : narrow_dd(w, f->absent), *rest = f->rest ? narrow_dd(w, f->rest) : NULL;
    struct dd g = {.term = f->term, .absent = absent, .cells = cells, .ncells = f->ncells, .rest = rest};
    bool changed = false;
    struct dd **args = f->term->kind == TERM_COLUMN || f->term->nargs == 0 ? NULL : narrow_args(w, f->term, &changed);
    if (!changed) return norm_case(u, f->term, absent, cells, f->ncells, rest);
    struct dd *value = narrow_dd(w, norm__again(u, f->term, args)), *out = norm_lift(u, &value, 1, answered, &g);
    return out ? out : norm_case(u, f->term, absent, cells, f->ncells, rest);
}

static struct dd *narrow_dd(struct narrow *w, struct dd *f)
{
    struct buf key = {0};
    if (w->u->full) return w->u->junk;
    buf_byte(&key, 'W');
    buf_u32(&key, w->serial);
    buf_u32(&key, f->id);
    struct dd *out = norm_get(w->u, buf_view(&key));
    if (!out && w->u->narrowings-- == 0) w->u->full = true;
    if (w->u->full) out = w->u->junk;
    if (!out) {
        out = f->leaf ? narrow_leaf(w, f->term) : narrow_node(w, f, decided(w, f->term));
        if (!w->u->full) norm_put(w->u, buf_view(&key), out);
    }
    buf_free(&key);
    return out;
}

struct dd *norm_narrow(struct norm *u, struct dd *f, const struct decision *known, size_t n)
{
    struct narrow w = {u, known, n, ++u->serial};
    return n ? narrow_dd(&w, f) : f;
}

struct dd *norm_tidy(struct norm *u, struct dd *f)
{
    struct buf key = {0};
    if (f->leaf || u->full) return f;
    buf_byte(&key, 'Y');
    buf_u32(&key, f->id);
    struct dd *out = norm_get(u, buf_view(&key));
    if (!out) {
        struct part *p = ARENA_NEW(u->arena, struct part);
        struct dd *ends[2] = {NULL, NULL};
        *p = norm_part(u, f->term, &f, 1);
        struct cell *cells = ARENA_ARRAY(u->arena, struct cell, p->n + 1);
        for (int i = CELL_REST; i < (int)p->n; i++) {
            struct decision known = {p, i};
            struct dd *child = norm_cofactor(f, p, i);
            if (!child) continue;
            child = norm_tidy(u, norm_narrow(u, child, &known, 1));
            if (i < 0) ends[i - CELL_REST] = child;
            else cells[i] = (struct cell){p->cells[i].text, p->cells[i].from, child};
        }
        for (size_t i = 0; i < p->n && ends[0]; i++) {            /* a constant for which the rest would do the same */
            struct decision known = {p, (int)i};
            if (norm_tidy(u, norm_narrow(u, ends[0], &known, 1)) == cells[i].to) cells[i].to = ends[0];
        }
        out = norm_case(u, f->term, ends[CELL_ABSENT - CELL_REST], cells, p->n, ends[0]);
        if (!u->full) norm_put(u, buf_view(&key), out);
    }
    buf_free(&key);
    return out;
}
