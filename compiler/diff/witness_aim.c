/* witness_aim.c - makes a row go a path of a diagram: each step says in which cell a term has to be. Columns are set to a value of their cell;
 * linear forms are solved for one of their columns; for what a builtin or table makes, likely arguments are tried. The vm has the last word. */
#include "compiler/diff/witness.h"
#include "base/check.h"

enum { MAX_LISTED = 64 };

/* The whole numbers of a cell, within what the column can hold. */
static void cell_range(const struct part *p, int cell, i128 *lo, i128 *hi)
{
    const struct term *v = p->var;
    i128 low = NORM_LOWEST, high = -NORM_LOWEST;
    if (v->kind == TERM_COLUMN && v->base == T_DECIMAL) {
        low = v->type.lo;
        high = v->type.hi;
    }
    *lo = p->cells[cell].from;
    *hi = (size_t)cell + 1 < p->n ? p->cells[cell + 1].from - 1 : high;
    if (*lo < low) *lo = low;
}

static bool listed(const struct part *p, const struct value *v)
{
    for (size_t i = 0; i < p->n; i++)
        if (v->kind == V_TEXT && str_eq(p->cells[i].text, value_str(v))) return true;
    return false;
}

/* A text that is none of those listed. */
static bool other_text(struct duel *d, const struct duel_column *c, const struct part *p, struct value *out)
{
    for (unsigned tries = 0; tries < 12 && c->pool.n; tries++) {
        *out = c->pool.v[witness__pick(d, (unsigned)c->pool.n)];
        if (value_present(out) && !listed(p, out) && witness__admits(c, out)) return true;
    }
    const struct type *t = c->type[0] ? c->type[0] : c->type[1];
    for (unsigned k = 0; k < 26 * 10; k++) {
        size_t n = t->min_len > 1 ? t->min_len : 1 + k / 26 % 2;
        char *s = arena_alloc(d->arena, n + 1);
        memset(s, 'A' + (int)(k % 26), n);
        if (n > 1) s[n - 1] = (char)('0' + k / 26);
        *out = value_text((struct str){s, n});
        if (!listed(p, out) && witness__admits(c, out)) return true;
    }
    return false;
}

static bool number_in(struct duel *d, const struct duel_column *c, const struct term *v, i128 lo, i128 hi, struct value *out)
{
    if (v->base == T_LOCAL || v->base == T_INSTANT) {              /* whole seconds */
        if (lo > NORM_LOWEST) lo += (1000 - lo % 1000) % 1000;
        if (hi < -NORM_LOWEST) hi -= (hi % 1000 + 1000) % 1000;
    }
    const i128 round[] = {lo, 0, decimal_pow10(v->scale < 12 ? v->scale : 12), hi};
    for (unsigned tries = 0; tries < 8 && c->pool.n; tries++) {
        i128 w;
        *out = c->pool.v[witness__pick(d, (unsigned)c->pool.n)];
        if (witness__pick(d, 2) && witness__whole(out, v->scale, &w) && w >= lo && w <= hi && witness__admits(c, out)) return true;
    }
    unsigned first = witness__pick(d, 4);
    for (unsigned i = 0; i < 4; i++) {
        i128 w = round[(first + i) % 4];
        if (w < lo || w > hi) continue;
        *out = witness__number(v->base, w, v->scale);
        if (value_present(out) && witness__admits(c, out)) return true;
    }
    return false;
}

static void aim_column(struct duel *d, const struct decision *s, struct value *row, bool *fixed)
{
    const struct term *v = s->part->var;
    int i = witness__column(d, v->name);
    struct value x = value_absent;
    i128 lo, hi;
    if (i < 0) return;
    const struct duel_column *c = &d->columns[i];
    bool ok = true;
    if (s->cell == CELL_REST) ok = other_text(d, c, s->part, &x);
    else if (s->cell >= 0 && v->base == T_TEXT) x = value_text(s->part->cells[s->cell].text);
    else if (s->cell >= 0) {
        cell_range(s->part, s->cell, &lo, &hi);
        ok = number_in(d, c, v, lo, hi, &x);
    }
    if (!ok || !witness__admits(c, &x)) return;       /* a text with blanks at its end is none that a source delivers */
    row[i] = x;
    /* anywhere but in a few places: it may still be moved to suit what is computed from it */
    fixed[i] = s->cell == CELL_ABSENT || (s->cell >= 0 && (v->base == T_TEXT || s->part->n > 1));
}

/* A key whose value lies in the cell. */
static void aim_table(struct duel *d, const struct decision *s, struct value *row, bool *fixed)
{
    const struct term *v = s->part->var;
    const struct term *key = v->args[0]->leaf ? v->args[0]->term : NULL;
    int i = key && key->kind == TERM_COLUMN ? witness__column(d, key->name) : -1;
    const struct image_table *t = v->table;
    if (i < 0 || fixed[i] || t->n == 0) return;
    size_t first = witness__pick(d, (unsigned)t->n);
    for (size_t k = 0; k < t->n; k++) {
        size_t at = (first + k) % t->n;
        const struct value *x = &t->values[at];
        bool fits = s->cell == CELL_ABSENT ? !value_present(x) : s->cell == CELL_REST ? value_present(x) && !listed(s->part, x)
                  : v->base != T_TEXT || (value_present(x) && str_eq(value_str(x), s->part->cells[s->cell].text));
        if (!fits || !witness__admits(&d->columns[i], &t->keys[at])) continue;
        row[i] = t->keys[at];
        fixed[i] = true;
        return;
    }
}

static void any_value(struct duel *d, int i, struct value *row)
{
    const struct duel_column *c = &d->columns[i];
    for (unsigned tries = 0; tries < 8 && c->pool.n; tries++) {
        const struct value *v = &c->pool.v[witness__pick(d, (unsigned)c->pool.n)];
        if (!value_present(v) || !witness__admits(c, v)) continue;
        row[i] = *v;
        return;
    }
}

/* One number of the form: its column, or -1 when it is no plain column. */
static int form_column(const struct duel *d, const struct mono *m)
{
    return m->n == 1 && m->atoms[0]->kind == TERM_COLUMN ? witness__column(d, m->atoms[0]->name) : -1;
}

static i128 target_in(struct duel *d, i128 lo, i128 hi)
{
    bool low = lo > NORM_LOWEST, high = hi < -NORM_LOWEST;
    if (low && high) return witness__pick(d, 2) ? lo : hi;
    return low ? lo + witness__pick(d, 3) : high ? hi - (i128)witness__pick(d, 3) : 0;
}

/* Solves the form for one column that is still free. */
static void aim_form(struct duel *d, const struct decision *s, struct value *row, bool *fixed)
{
    const struct term *v = s->part->var;
    i128 lo, hi, rest = 0, k, w;
    int free_at = -1;
    size_t free_mono = 0, first = witness__pick(d, (unsigned)v->nmonos);
    if (s->cell < 0) return;
    cell_range(s->part, s->cell, &lo, &hi);
    for (size_t n = 0; n < v->nmonos; n++) {
        size_t m = (first + n) % v->nmonos;
        int c = form_column(d, &v->monos[m]);
        if (c < 0) return;
        if (free_at < 0 && !fixed[c]) {
            free_at = c;
            free_mono = m;
            continue;
        }
        if (!fixed[c] && !value_present(&row[c])) any_value(d, c, row);
        if (!witness__whole(&row[c], v->monos[m].atoms[0]->scale, &w) || i128_mul(w, v->monos[m].coef.u.coef, &k) || i128_add(rest, k, &rest)) return;
    }
    if (free_at < 0) return;
    i128 q = target_in(d, lo, hi) - rest, factor = v->monos[free_mono].coef.u.coef;
    const struct term *atom = v->monos[free_mono].atoms[0];
    struct value x = witness__number(atom->base, q / factor, atom->scale);
    if (!value_present(&x) || !witness__admits(&d->columns[free_at], &x)) return;
    row[free_at] = x;
    fixed[free_at] = true;
}

static void aim_same(struct duel *d, const struct decision *s, struct value *row, bool *fixed)
{
    const struct term *v = s->part->var;
    int c[2];
    for (int i = 0; i < 2; i++) c[i] = v->args[i]->leaf && v->args[i]->term->kind == TERM_COLUMN ? witness__column(d, v->args[i]->term->name) : -1;
    if (c[0] < 0 || c[1] < 0 || s->cell < 0) return;
    int from = fixed[c[0]] ? 0 : 1, to = 1 - from;
    bool equal = s->part->cells[s->cell].from == 1 || (s->part->n == 1);
    if (!value_present(&row[c[from]])) any_value(d, c[from], row);
    if (fixed[c[to]]) return;
    if (equal) row[c[to]] = row[c[from]];
    else any_value(d, c[to], row);
    fixed[c[to]] = fixed[c[from]] = true;
}

static void aim_step(struct duel *d, const struct decision *s, struct value *row, bool *fixed);

static bool is_yes(const struct dd *f) { return f->term->kind == TERM_CONST && f->term->value.u.b; }
static bool is_there(const struct dd *f) { return f->term->kind != TERM_REJECT && f->term->kind != TERM_OUT && f->term->kind != TERM_ABSENT; }
static bool is_taken(const struct dd *f) { return f->term->kind != TERM_REJECT && f->term->kind != TERM_OUT; }

/* Some way to a leaf that is right, as far as the choice at each question can tell. */
static void aim_to(struct duel *d, struct dd *f, bool (*right)(const struct dd *), struct value *row, bool *fixed)
{
    while (!f->leaf) {
        struct part *p = ARENA_NEW(d->arena, struct part);
        *p = norm_part(&d->norm, f->term, &f, 1);
        int n = (int)p->n - CELL_REST, first = (int)witness__pick(d, (unsigned)n);
        struct decision step = {p, 0};
        struct dd *to = NULL;
        for (int i = 0; i < n && !to; i++) {
            step.cell = (first + i) % n + CELL_REST;
            to = norm_cofactor(f, p, step.cell);
            if (to && to->leaf && !right(to)) to = NULL;
        }
        if (!to) return;
        aim_step(d, &step, row, fixed);
        f = to;
    }
}

/* No lines, or one that passes in both versions. */
static void aim_each(struct duel *d, const struct decision *s, struct value *row, bool *fixed)
{
    for (int k = 0; k < 2; k++) {
        const struct image_flow *fl = d->side[k].fl;
        const struct norm_flow *n = witness__lines(d, k, s->part->var->name);
        int list = n ? witness__column(d, fl->columns[fl->lines[n - d->side[k].norm.lines].column].name) : -1;
        if (list < 0 || (fixed[list] && k == 0)) continue;
        row[list] = s->cell == CELL_ABSENT ? value_absent : WITNESS_ONE_LINE;
        fixed[list] = true;
        if (s->cell != CELL_ABSENT) aim_to(d, n->when, is_yes, row, fixed);
    }
}

/* The columns of a call or other term that cannot be turned round: something, or nothing. */
static void shake(struct duel *d, const struct term *t, struct value *row, const bool *fixed, unsigned depth)
{
    if (depth > 8) return;
    if (t->kind == TERM_COLUMN) {
        int c = witness__column(d, t->name);
        if (c >= 0 && !fixed[c]) any_value(d, c, row);
        return;
    }
    for (size_t i = 0; i < t->nargs; i++) shake(d, t->args[i]->term, row, fixed, depth + 1);
    for (size_t i = 0; i < t->nmonos; i++)
        for (size_t k = 0; k < t->monos[i].n; k++) shake(d, t->monos[i].atoms[k], row, fixed, depth + 1);
}

static void aim_step(struct duel *d, const struct decision *s, struct value *row, bool *fixed)
{
    switch (s->part->var->kind) {
    case TERM_COLUMN: aim_column(d, s, row, fixed); break;
    case TERM_TABLE: aim_table(d, s, row, fixed); break;
    case TERM_FORM: aim_form(d, s, row, fixed); break;
    case TERM_SAME: aim_same(d, s, row, fixed); break;
    case TERM_EACH: aim_each(d, s, row, fixed); break;
    default: shake(d, s->part->var, row, fixed, 0); break;
    }
}

/* The fields of a flow, or of a line, that may set a row aside; all but the one at stake. */
static void accept_fields(struct duel *d, const struct norm_flow *n, size_t nfields, size_t except, struct value *row, bool *fixed)
{
    for (size_t i = 0; n->usable && i < nfields; i++)
        if (i != except && n->fields[i].nmessages && n->fields[i].rule) aim_to(d, n->fields[i].rule, is_taken, row, fixed);
}

void witness__accept(struct duel *d, const struct stake *s, struct value *row, bool *fixed)
{
    for (int k = 0; k < 2; k++) {
        const struct norm_flow *n = &d->side[k].norm;
        const struct image_flow *fl = d->side[k].fl;
        size_t field = s->kind == STAKE_FIELD ? s->field[k] : SIZE_MAX, list = s->line ? fl->fields[s->list[k]].lines - 1u : SIZE_MAX;
        if (!n->usable) continue;
        if (fl->into && n->into) aim_to(d, n->into, is_there, row, fixed);
        accept_fields(d, n, fl->nfields, s->line ? s->list[k] : field, row, fixed);
        for (size_t i = 0; i < fl->nlines; i++) accept_fields(d, &n->lines[i], fl->lines[i].body->nfields, i == list ? field : SIZE_MAX, row, fixed);
    }
}

void witness__aim(struct duel *d, const struct norm_path *p, struct value *row, bool *fixed)
{
    for (int columns = 1; columns >= 0; columns--)
        for (size_t i = 0; i < p->n; i++)
            if ((p->steps[i].part->var->kind == TERM_COLUMN) == (columns == 1)) aim_step(d, &p->steps[i], row, fixed);
}
