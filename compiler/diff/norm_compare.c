/* norm_compare.c - two diagrams side by side: whether they part, and on which paths; and a diagram as text. See norm.h.
 * Equal parts of both are one pointer, so only what differs is walked; pairs that were found equal are remembered. */
#include "compiler/diff/norm.h"
#include "base/check.h"
#include "code/opcode.h"
#include "value/builtin.h"
#include "value/date.h"
#include "value/decimal.h"
#include "value/json.h"

enum { MAX_DEPTH = 512, MAX_PRINT = 600, MAX_CELLS_SHOWN = 12, MAX_VISITS = 200000 };

struct walk {
    struct norm *u;
    struct decision stack[MAX_DEPTH]; size_t depth;
    struct norm_path *paths; size_t most, n;
    enum norm_verdict verdict;
    size_t visits;
    bool hasty;                        /* the last answer must be applied at once */
    size_t applied;                    /* both sides are as they look behind the answers before this one */
    size_t relied;                     /* the first answer that simplified something since this was reset */
};

static bool is_out(const struct dd *f) { return f->leaf && f->term->kind == TERM_OUT; }
static bool is_reject(const struct dd *f) { return f->leaf && f->term->kind == TERM_REJECT; }

static void keep_path(struct walk *w)
{
    if (w->n == w->most) return;
    struct norm_path *p = &w->paths[w->n++];
    p->n = w->depth;
    p->steps = ARENA_ARRAY(w->u->arena, struct decision, w->depth + 1);
    memcpy(p->steps, w->stack, w->depth * sizeof *p->steps);
}

/* The question or leaf holds diagrams of its own. */
static bool compound(const struct dd *f) { return (f->leaf && f->term->kind == TERM_COLUMN) || f->term->nargs > 0 || f->term->nmonos > 0; }

static bool part_at_leaves(struct walk *w, struct dd *a, struct dd *b)
{
    bool message = is_reject(a) && is_reject(b);
    if (!message) w->verdict = NORM_PARTS;
    else if (w->verdict == NORM_SAME) w->verdict = NORM_MESSAGE;
    keep_path(w);
    return true;
}

static bool parts(struct walk *w, struct dd *a, struct dd *b);

/* A value is what a decision says of its term. */
static bool agrees(const struct term *x, const struct decision *d)
{
    const struct part *p = d->part;
    struct value at = x->value;
    if (x->kind == TERM_ABSENT) return d->cell == CELL_ABSENT;
    if (x->kind != TERM_CONST) return true;
    if (d->cell == CELL_ABSENT) return false;
    if (p->var->base == T_TEXT) {
        int cell = CELL_REST;
        for (size_t i = 0; i < p->n; i++)
            if (str_eq(p->cells[i].text, value_str(&x->value))) cell = (int)i;
        return cell == d->cell;
    }
    if (x->base == T_DECIMAL && !decimal_rescale(&x->value, p->var->scale, &at)) return true;
    i128 n = x->base == T_BOOL ? at.u.b : x->base == T_DECIMAL ? at.u.coef : at.u.i;
    return n >= p->cells[d->cell].from && ((size_t)d->cell + 1 >= p->n || n < p->cells[d->cell + 1].from);
}

/* The answers cannot all be true: where the others hold, what one of them is about has another value. */
static bool contradictory(struct walk *w)
{
    struct decision others[MAX_DEPTH];
    for (size_t i = 0; i < w->depth && w->depth > 1; i++) {
        struct term *v = w->stack[i].part->var;
        if (v->nargs == 0 && v->nmonos == 0) continue;
        memcpy(others, w->stack, i * sizeof *others);
        memcpy(others + i, w->stack + i + 1, (w->depth - i - 1) * sizeof *others);
        const struct dd *x = norm_narrow(w->u, norm_value(w->u, v, false), others, w->depth - 1);
        if (!x->leaf || agrees(x->term, &w->stack[i])) continue;
        w->relied = 0;
        return true;
    }
    return false;
}

/* Goes every answer of a question. within: one that neither asks first, so that both may ask it further down. */
static bool parts_by(struct walk *w, struct dd *a, struct dd *b, const struct part *p, bool within)
{
    const struct term *v = p->var;
    bool found = false;
    for (int i = CELL_REST; i < (int)p->n; i++) {
        if ((i == CELL_REST && v->base != T_TEXT) || (i == CELL_ABSENT && !v->maybe)) continue;
        w->stack[w->depth++] = (struct decision){p, i};
        w->hasty = within;
        if (!contradictory(w)) found = parts(w, norm_cofactor(a, p, i), norm_cofactor(b, p, i)) || found;
        w->depth--;
        if (found && w->n == w->most && w->verdict == NORM_PARTS) break;
    }
    return found;
}

/* A diagram inside of a term, whose own question holds no further one; NULL when all that the term is made of is plain. */
static struct dd *inside(const struct term *t)
{
    struct dd *f = NULL;
    for (size_t i = 0; i < t->nargs && !f; i++) {
        f = inside(t->args[i]->term);
        if (!f && !t->args[i]->leaf) f = t->args[i];
    }
    for (size_t i = 0; i < t->nmonos && !f; i++)
        for (size_t k = 0; k < t->monos[i].n && !f; k++) f = inside(t->monos[i].atoms[k]);
    return f;
}

/* Two different terms may still be the same wherever what stands inside of them is answered: `lines(match T { .. }, x)` and
 * `match T { .. => lines(.., x) }`. So those questions are asked first. */
static bool parts_below(struct walk *w, struct dd *a, struct dd *b)
{
    struct dd *all[3] = {a, b, NULL}, *within = NULL;
    struct term *x = norm_top(a), *y = norm_top(b), *v = !y || (x && x->id < y->id) ? x : y;
    struct part *p = ARENA_NEW(w->u->arena, struct part);
    if (a->term != b->term) within = inside(a->term);
    if (a->term != b->term && !within) within = inside(b->term);
    if (!within && !v) return part_at_leaves(w, a, b);
    all[2] = within;
    *p = norm_part(w->u, within ? within->term : v, all, 3);
    return parts_by(w, a, b, p, within != NULL);
}

/* Both sides behind the answers that they have not seen yet. */
static void narrow_both(struct walk *w, struct dd **a, struct dd **b)
{
    const struct decision *known = w->stack + w->applied;
    size_t n = w->depth - w->applied;
    if (n == 0 || (!w->hasty && !compound(*a) && !compound(*b))) return;
    struct dd *c = norm_narrow(w->u, *a, known, n), *d = norm_narrow(w->u, *b, known, n);
    if ((c != *a || d != *b) && w->applied < w->relied) w->relied = w->applied;
    w->applied = w->depth;
    *a = c;
    *b = d;
}

/* Pairs that were found equal by what is asked below them alone are equal on every path, and remembered. */
static bool parts_of_pair(struct walk *w, struct dd *a, struct dd *b)
{
    struct buf key = {0};
    size_t relied = w->relied;
    bool found = false;
    buf_byte(&key, '=');
    buf_u32(&key, a->id);
    buf_u32(&key, b->id);
    if (!norm_get(w->u, buf_view(&key))) {
        w->relied = SIZE_MAX;
        found = parts_below(w, a, b);
        if (!found && w->relied >= w->depth && !w->u->full) norm_put(w->u, buf_view(&key), a);
        if (relied < w->relied) w->relied = relied;
    }
    buf_free(&key);
    return found;
}

/* True when the two part below here. */
static bool parts(struct walk *w, struct dd *a, struct dd *b)
{
    const size_t applied = w->applied;
    if (a == b || is_out(a) || is_out(b)) return false;
    narrow_both(w, &a, &b);
    if (w->u->full || w->depth == MAX_DEPTH || ++w->visits > MAX_VISITS) {      /* too deep or wide to be sure: they part */
        w->verdict = NORM_PARTS;
        return true;
    }
    bool found = a != b && !is_out(a) && !is_out(b) && parts_of_pair(w, a, b);
    w->applied = applied;
    return found;
}

enum norm_verdict norm_compare(struct norm *u, struct dd *a, struct dd *b, struct norm_path *paths, size_t most, size_t *npaths)
{
    struct walk w = {.u = u, .paths = paths, .most = most, .verdict = NORM_SAME, .relied = SIZE_MAX};
    u->steps = 0;                          /* a comparison has a budget of its own */
    u->narrowings = NORM_NARROWINGS;
    parts(&w, a, b);
    if (u->full) w.verdict = NORM_PARTS;
    u->full = false;
    *npaths = w.n;
    return w.verdict;
}

/* ---- as text ---- */

static void print(struct buf *out, const struct dd *f);

static void print_args(struct buf *out, const struct term *t, const char *between)
{
    for (size_t i = 0; i < t->nargs; i++) {
        if (i) buf_puts(out, between);
        print(out, t->args[i]);
    }
}

static void print_term(struct buf *out, const struct term *t);

static void print_sum(struct buf *out, const struct term *t)
{
    for (size_t i = 0; i < t->nmonos; i++) {
        const struct mono *m = &t->monos[i];
        struct value c = m->coef;
        buf_puts(out, i == 0 ? c.u.coef < 0 ? "-" : "" : c.u.coef < 0 ? " - " : " + ");
        if (c.u.coef < 0) c.u.coef = -c.u.coef;
        bool one = c.u.coef == 1 && c.scale == 0 && m->n > 0;
        if (!one) decimal_print(out, &c);
        for (size_t k = 0; k < m->n; k++) {
            if (k || !one) buf_puts(out, " * ");
            print_term(out, m->atoms[k]);
        }
    }
}

static void print_term(struct buf *out, const struct term *t)
{
    switch (t->kind) {
    case TERM_CONST: value_json(out, &t->value); break;
    case TERM_ABSENT: buf_puts(out, "null"); break;
    case TERM_KEEP: buf_puts(out, "keep"); break;
    case TERM_REJECT: buf_puts(out, "reject "); value_json(out, &t->value); break;
    case TERM_OUT: buf_puts(out, "(left out)"); break;
    case TERM_JUNK: buf_puts(out, "?"); break;
    case TERM_COLUMN: buf_str(out, t->name); break;
    case TERM_SUM: case TERM_FORM: print_sum(out, t); break;
    case TERM_TEXT: buf_puts(out, "text("); print_args(out, t, ", "); buf_byte(out, ')'); break;
    case TERM_CONCAT: print_args(out, t, " & "); break;
    case TERM_CALL: buf_printf(out, "%s(", builtin_info(t->index).name); print_args(out, t, ", "); buf_byte(out, ')'); break;
    case TERM_TABLE: buf_printf(out, "table of %zu[", t->table->n); print_args(out, t, ", "); buf_byte(out, ']'); break;
    case TERM_LINK: buf_str(out, t->name); buf_byte(out, '('); print_args(out, t, ", "); buf_byte(out, ')'); break;
    case TERM_EACH: buf_printf(out, "lines of %.*s", (int)t->name.n, t->name.p); break;
    case TERM_SAME: print_args(out, t, " == "); break;
    case TERM_OP: buf_printf(out, "%s(", t->index < OP_COUNT ? opcodes[t->index].name : builtin_info(t->index - OP_COUNT).name); print_args(out, t, ", "); buf_byte(out, ')'); break;
    }
}

/* The number where a cell begins. */
static void print_edge(struct buf *out, const struct term *v, i128 at)
{
    struct value d = value_decimal(at, v->scale);
    if (v->base == T_DECIMAL && v->scale <= 12) decimal_print(out, &d);
    else if (v->base == T_DATE && at > -700000 && at < 2900000 && date_days_valid((int64_t)at)) date_print(out, (int64_t)at);
    else buf_printf(out, "%lld", (long long)at);
}

static void print_cell(struct buf *out, const struct dd *f, size_t i)
{
    const struct term *v = f->term;
    bool last = i + 1 == f->ncells;
    if (v->base == T_TEXT) json_put_string(out, f->cells[i].text);
    else if (v->base == T_BOOL) buf_puts(out, f->cells[i].from < 1 ? "false" : "true");
    else if (i == 0) {
        buf_puts(out, last ? "any" : "below ");
        if (!last) print_edge(out, v, f->cells[1].from);
    } else {
        print_edge(out, v, f->cells[i].from);
        if (last) buf_puts(out, " or more");
        else if (f->cells[i + 1].from != f->cells[i].from + 1) {
            buf_puts(out, " to below ");
            print_edge(out, v, f->cells[i + 1].from);
        }
    }
}

static void print(struct buf *out, const struct dd *f)
{
    if (out->n > MAX_PRINT) {
        buf_puts(out, "...");
        return;
    }
    if (f->leaf) {
        print_term(out, f->term);
        return;
    }
    buf_puts(out, "match ");
    print_term(out, f->term);
    buf_puts(out, " { ");
    if (f->absent) {
        buf_puts(out, "null => ");
        print(out, f->absent);
        buf_puts(out, ", ");
    }
    for (size_t i = 0; i < f->ncells && i < MAX_CELLS_SHOWN; i++) {
        print_cell(out, f, i);
        buf_puts(out, " => ");
        print(out, f->cells[i].to);
        if (i + 1 < f->ncells || f->rest) buf_puts(out, ", ");
    }
    if (f->ncells > MAX_CELLS_SHOWN) buf_puts(out, "..., ");
    if (f->rest) {
        buf_puts(out, "else => ");
        print(out, f->rest);
    }
    buf_puts(out, " }");
}

void norm_print(struct buf *out, const struct dd *f)
{
    struct buf b = {0};
    print(&b, f);
    buf_str(out, buf_view(&b));
    buf_free(&b);
}
