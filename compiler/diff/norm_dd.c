/* norm_dd.c - decision diagrams of normal forms: building them in canonical order, asking, and applying functions leaf by leaf; see norm.h.
 *
 *   norm_case(x, children)   a child may ask about an earlier term y: then y is asked first and x below, for each cell of y
 *   node(x, children)        all children ask later: cells are cleaned (impossible ones, neighbours with one child) and the node is interned */
#include "compiler/diff/norm.h"
#include "base/check.h"
#include <stdlib.h>

enum { MAX_STEPS = NORM_STEPS, MAX_NODES = 600000, MAX_LIFTED = 1024, MAX_LISTED_SET = 64 };

/* True when no more work may be done: everything is junk from here on. */
static bool spent(struct norm *u)
{
    if (++u->steps > MAX_STEPS || u->ndds > MAX_NODES) u->full = true;
    return u->full;
}

static bool is_text(const struct term *v) { return v->base == T_TEXT; }
static bool is_junk(const struct dd *f) { return f->leaf && f->term->kind == TERM_JUNK; }

/* ---- cells ---- */

static int by_text(const void *a, const void *b) { return str_cmp(((const struct cell *)a)->text, ((const struct cell *)b)->text); }

static int by_from(const void *a, const void *b)
{
    const i128 x = ((const struct cell *)a)->from, y = ((const struct cell *)b)->from;
    return x < y ? -1 : x > y;
}

static size_t sort_cells(struct cell *c, size_t n, bool text)
{
    size_t k = 0;
    if (n) qsort(c, n, sizeof *c, text ? by_text : by_from);
    for (size_t i = 0; i < n; i++)
        if (k == 0 || (text ? !str_eq(c[k - 1].text, c[i].text) : c[k - 1].from != c[i].from)) c[k++] = c[i];
    return k;
}

static struct part part_of(struct norm *u, struct term *var, struct dd *const *f, size_t n, const struct cell *more, size_t nmore)
{
    size_t total = nmore + 1, k = 0;
    for (size_t i = 0; i < n; i++)
        if (f[i] && norm_top(f[i]) == var) total += f[i]->ncells;
    struct part p = {var, ARENA_ARRAY(u->arena, struct cell, total), 0};
    if (!is_text(var)) p.cells[k++] = (struct cell){.from = NORM_LOWEST};
    for (size_t i = 0; i < nmore; i++) p.cells[k++] = more[i];
    for (size_t i = 0; i < n; i++)
        if (f[i] && norm_top(f[i]) == var)
            for (size_t c = 0; c < f[i]->ncells; c++) p.cells[k++] = f[i]->cells[c];
    p.n = sort_cells(p.cells, k, is_text(var));
    return p;
}

struct part norm_part(struct norm *u, struct term *var, struct dd *const *f, size_t n)
{
    return part_of(u, var, f, n, NULL, 0);
}

/* The cell that holds a constant or number; rest when none does. */
static struct dd *find_cell(const struct cell *cells, size_t n, const struct cell *c, bool text, struct dd *rest)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int d = text ? str_cmp(cells[mid].text, c->text) : cells[mid].from > c->from ? 1 : -1;
        if (d == 0) return cells[mid].to;
        if (d < 0) lo = mid + 1;
        else hi = mid;
    }
    if (text) return rest;
    ASSERT(lo > 0);
    return cells[lo - 1].to;
}

struct dd *norm_cofactor(struct dd *f, const struct part *p, int cell)
{
    if (norm_top(f) != p->var) return f;
    if (cell == CELL_ABSENT) return f->absent;
    if (cell == CELL_REST) return f->rest;
    return find_cell(f->cells, f->ncells, &p->cells[cell], is_text(p->var), f->rest);
}

/* ---- making a node whose children all ask later ---- */

static struct dd *intern(struct norm *u, const struct dd *proto)
{
    struct buf b = {0};
    bool text = is_text(proto->term);
    buf_byte(&b, 'N');
    buf_u32(&b, proto->term->id);
    buf_u32(&b, proto->absent ? proto->absent->id : UINT32_MAX);
    buf_u32(&b, proto->rest ? proto->rest->id : UINT32_MAX);
    for (size_t i = 0; i < proto->ncells; i++) {
        if (text) buf_blob(&b, proto->cells[i].text);
        else buf_put(&b, &proto->cells[i].from, sizeof proto->cells[i].from);
        buf_u32(&b, proto->cells[i].to->id);
    }
    struct dd *f = norm_get(u, buf_view(&b));
    if (!f) {
        f = ARENA_NEW(u->arena, struct dd);
        *f = *proto;
        f->id = u->ndds++;
        f->cells = ARENA_ARRAY(u->arena, struct cell, proto->ncells + 1);
        if (proto->ncells) memcpy(f->cells, proto->cells, proto->ncells * sizeof *f->cells);
        norm_put(u, buf_view(&b), f);
    }
    buf_free(&b);
    return f;
}

/* What stands for junk among the children: any of them, always the same one. */
static struct dd *filling(const struct dd *f)
{
    if (f->rest && !is_junk(f->rest)) return f->rest;
    for (size_t i = 0; i < f->ncells; i++)
        if (!is_junk(f->cells[i].to)) return f->cells[i].to;
    return f->absent && !is_junk(f->absent) ? f->absent : NULL;
}

static bool fill(struct dd *f)
{
    struct dd *with = filling(f);
    if (!with) return false;
    if (f->rest && is_junk(f->rest)) f->rest = with;
    for (size_t i = 0; i < f->ncells; i++)
        if (is_junk(f->cells[i].to)) f->cells[i].to = i > 0 && !f->rest ? f->cells[i - 1].to : with;
    if (f->absent && is_junk(f->absent)) f->absent = f->rest ? f->rest : f->cells[0].to;
    return true;
}

static bool in_set(const struct type *t, struct str s)
{
    for (unsigned i = 0; i < t->nset; i++)
        if (str_eq(t->set[i], s)) return true;
    return t->nset == 0;
}

/* Texts: constants that the column cannot hold go; a closed set is listed, its last value is what the rest stands for. */
static void clean_texts(struct norm *u, struct dd *f)
{
    const struct type *t = f->term->kind == TERM_COLUMN ? &f->term->type : NULL;
    size_t k = 0;
    for (size_t i = 0; i < f->ncells; i++) {
        struct cell c = f->cells[i];
        size_t chars = str_codepoints(c.text);
        if (t && (chars < t->min_len || chars > t->max_len || !in_set(t, c.text))) continue;
        const struct term *to = c.to->leaf ? c.to->term : NULL;
        bool itself = to && to->kind == TERM_CONST && to->base == T_TEXT && str_eq(value_str(&to->value), c.text);
        if (itself && f->rest->leaf && f->rest->term == f->term) c.to = f->rest;
        f->cells[k++] = c;
    }
    f->ncells = k;
    if (t && t->nset > 0 && t->nset <= MAX_LISTED_SET) {
        struct cell *all = ARENA_ARRAY(u->arena, struct cell, t->nset);
        for (unsigned i = 0; i < t->nset; i++) {
            all[i].text = t->set[i];
            all[i].to = find_cell(f->cells, f->ncells, &all[i], true, f->rest);
        }
        f->cells = all;
        f->ncells = sort_cells(all, t->nset, true);
        f->rest = all[f->ncells - 1].to;
    }
    for (size_t i = k = 0; i < f->ncells; i++)
        if (f->cells[i].to != f->rest) f->cells[k++] = f->cells[i];
    f->ncells = k;
}

static void range_of(const struct term *v, i128 *lo, i128 *hi)
{
    *lo = NORM_LOWEST;
    *hi = -NORM_LOWEST;
    if (v->base == T_BOOL) *lo = 0, *hi = 1;
    if (v->kind == TERM_COLUMN && v->base == T_DECIMAL) *lo = v->type.lo, *hi = v->type.hi;
}

static void clean_numbers(struct dd *f)
{
    i128 lo, hi;
    size_t k = 0;
    range_of(f->term, &lo, &hi);
    for (size_t i = 0; i < f->ncells; i++) {
        struct cell c = f->cells[i];
        if (c.from > hi) break;
        if (c.from <= lo) {
            k = 0;
            c.from = NORM_LOWEST;
        }
        if (k > 0 && f->cells[k - 1].to == c.to) continue;
        f->cells[k++] = c;
    }
    f->ncells = k;
}

/* Takes the cells over and changes them. */
static struct dd *node(struct norm *u, struct term *var, struct dd *absent, struct cell *cells, size_t n, struct dd *rest)
{
    struct dd f = {.term = var, .absent = absent, .cells = cells, .ncells = n, .rest = rest};
    if (spent(u) || !fill(&f)) return u->junk;
    if (is_text(var)) clean_texts(u, &f);
    else clean_numbers(&f);
    bool plain = is_text(var) ? f.ncells == 0 : f.ncells == 1;
    struct dd *only = is_text(var) ? f.rest : f.cells[0].to;
    if (plain && (!f.absent || f.absent == only)) return only;
    return intern(u, &f);
}

/* ---- asking in any order ---- */

static struct term *earliest(struct term *best, const struct dd *f)
{
    struct term *v = f ? norm_top(f) : NULL;
    return v && (!best || v->id < best->id) ? v : best;
}

static void case_key(struct buf *b, const struct term *var, const struct dd *absent, const struct cell *cells, size_t n, const struct dd *rest)
{
    buf_byte(b, 'C');
    buf_u32(b, var->id);
    buf_u32(b, absent ? absent->id : UINT32_MAX);
    buf_u32(b, rest ? rest->id : UINT32_MAX);
    for (size_t i = 0; i < n; i++) {
        if (is_text(var)) buf_blob(b, cells[i].text);
        else buf_put(b, &cells[i].from, sizeof cells[i].from);
        buf_u32(b, cells[i].to->id);
    }
}

/* Children that ask about var themselves: each is narrowed to its own cell. */
static struct dd *refined(struct norm *u, struct term *var, struct dd *absent, const struct cell *cells, size_t n, struct dd *rest, struct dd **kids, size_t nkids)
{
    struct part p = part_of(u, var, kids, nkids, cells, n);
    for (size_t i = 0; i < p.n; i++) p.cells[i].to = norm_cofactor(find_cell(cells, n, &p.cells[i], is_text(var), rest), &p, (int)i);
    return node(u, var, absent ? norm_cofactor(absent, &p, CELL_ABSENT) : NULL, p.cells, p.n, rest ? norm_cofactor(rest, &p, CELL_REST) : NULL);
}

/* An earlier question of the children is asked first. */
static struct dd *hoisted(struct norm *u, struct term *first, struct term *var, struct dd *absent, const struct cell *cells, size_t n, struct dd *rest,
                          struct dd **kids, size_t nkids)
{
    struct part p = norm_part(u, first, kids, nkids);
    struct cell *below = ARENA_ARRAY(u->arena, struct cell, n + 1), *out = ARENA_ARRAY(u->arena, struct cell, p.n + 1);
    struct dd *ends[2] = {NULL, NULL};
    for (int i = CELL_REST; i < (int)p.n; i++) {
        if ((i == CELL_REST && !is_text(first)) || (i == CELL_ABSENT && !first->maybe)) continue;
        for (size_t k = 0; k < n; k++) {
            below[k] = cells[k];
            below[k].to = norm_cofactor(cells[k].to, &p, i);
        }
        struct dd *f = norm_case(u, var, absent ? norm_cofactor(absent, &p, i) : NULL, below, n, rest ? norm_cofactor(rest, &p, i) : NULL);
        if (i < 0) ends[i - CELL_REST] = f;
        else out[i] = (struct cell){p.cells[i].text, p.cells[i].from, f};
    }
    return node(u, first, ends[CELL_ABSENT - CELL_REST], out, p.n, ends[0]);
}

struct dd *norm_case(struct norm *u, struct term *var, struct dd *absent, const struct cell *cells, size_t n, struct dd *rest)
{
    struct buf b = {0};
    if (spent(u)) return u->junk;
    case_key(&b, var, absent, cells, n, rest);
    struct dd *f = norm_get(u, buf_view(&b));
    if (!f) {
        struct dd **kids = ARENA_ARRAY(u->arena, struct dd *, n + 2);
        struct term *first = NULL;
        for (size_t i = 0; i < n; i++) kids[i] = cells[i].to;
        kids[n] = absent;
        kids[n + 1] = rest;
        for (size_t i = 0; i < n + 2; i++) first = earliest(first, kids[i]);
        if (first && first->id < var->id) f = hoisted(u, first, var, absent, cells, n, rest, kids, n + 2);
        else f = refined(u, var, absent, cells, n, rest, kids, n + 2);
        if (!u->full && !norm_get(u, buf_view(&b))) norm_put(u, buf_view(&b), f);
    }
    buf_free(&b);
    return f;
}

/* ---- functions of diagrams ---- */

struct lift { norm_leaf_fn *fn; const void *ctx; uint32_t serial; size_t leaves, most; };

static struct dd *lifted(struct norm *u, struct lift *l, struct dd *const *f, size_t n);

static struct dd *lift_leaves(struct norm *u, struct lift *l, struct dd *const *f, size_t n)
{
    struct term *t[NORM_LIFT_MAX];
    for (size_t i = 0; i < n; i++) {
        if (is_junk(f[i])) return u->junk;
        t[i] = f[i]->term;
    }
    if (++l->leaves > l->most) return u->junk;
    return l->fn(u, t, n, l->ctx);
}

static struct dd *lift_cells(struct norm *u, struct lift *l, struct term *var, struct dd *const *f, size_t n)
{
    struct part p = norm_part(u, var, f, n);
    struct dd *below[NORM_LIFT_MAX], *ends[2] = {NULL, NULL};
    for (int i = CELL_REST; i < (int)p.n; i++) {
        if ((i == CELL_REST && !is_text(var)) || (i == CELL_ABSENT && !var->maybe)) continue;
        for (size_t k = 0; k < n; k++) below[k] = norm_cofactor(f[k], &p, i);
        struct dd *x = lifted(u, l, below, n);
        if (i < 0) ends[i - CELL_REST] = x;
        else p.cells[i].to = x;
    }
    return norm_case(u, var, ends[CELL_ABSENT - CELL_REST], p.cells, p.n, ends[0]);
}

static struct dd *lifted(struct norm *u, struct lift *l, struct dd *const *f, size_t n)
{
    struct term *first = NULL;
    struct buf b = {0};
    if (spent(u) || l->leaves > l->most) return u->junk;
    for (size_t i = 0; i < n; i++) first = earliest(first, f[i]);
    if (!first) return lift_leaves(u, l, f, n);
    buf_byte(&b, 'M');
    buf_u32(&b, l->serial);
    for (size_t i = 0; i < n; i++) buf_u32(&b, f[i]->id);
    struct dd *out = norm_get(u, buf_view(&b));
    if (!out) {
        out = lift_cells(u, l, first, f, n);
        if (!u->full) norm_put(u, buf_view(&b), out);
    }
    buf_free(&b);
    return out;
}

struct dd *norm_lift(struct norm *u, struct dd *const *f, size_t n, norm_leaf_fn *fn, const void *ctx)
{
    ASSERT(n <= NORM_LIFT_MAX);
    struct lift l = {fn, ctx, ++u->serial, 0, MAX_LIFTED};
    struct dd *out = lifted(u, &l, f, n);
    return l.leaves > l.most ? NULL : out;
}

static struct dd *present_leaf(struct norm *u, struct term *const *t, size_t n, const void *ctx)
{
    (void)n;
    (void)ctx;
    return t[0]->kind == TERM_ABSENT ? u->junk : norm_leaf(u, t[0]);
}

struct dd *norm_present(struct norm *u, struct dd *f)
{
    struct lift l = {present_leaf, NULL, ++u->serial, 0, SIZE_MAX - 1};
    return lifted(u, &l, &f, 1);
}

struct dd *norm_ite(struct norm *u, struct dd *c, struct dd *a, struct dd *b)
{
    struct dd *f[3] = {c, a, b}, *below[3], *ends[2] = {NULL, NULL};
    struct term *first = NULL;
    struct buf key = {0};
    if (spent(u) || is_junk(c)) return u->junk;
    if (c == u->yes || a == b) return a;
    if (c == u->no) return b;
    if (a == u->yes && b == u->no) return c;
    if (c->leaf) return u->junk;      /* no condition at all: nothing that is reached */
    buf_byte(&key, 'I');
    for (size_t i = 0; i < 3; i++) {
        buf_u32(&key, f[i]->id);
        first = earliest(first, f[i]);
    }
    struct dd *out = norm_get(u, buf_view(&key));
    if (!out) {
        struct part p = norm_part(u, first, f, 3);
        for (int i = CELL_REST; i < (int)p.n; i++) {
            if ((i == CELL_REST && !is_text(first)) || (i == CELL_ABSENT && !first->maybe)) continue;
            for (size_t k = 0; k < 3; k++) below[k] = norm_cofactor(f[k], &p, i);
            struct dd *x = norm_ite(u, below[0], below[1], below[2]);
            if (i < 0) ends[i - CELL_REST] = x;
            else p.cells[i].to = x;
        }
        out = node(u, first, ends[CELL_ABSENT - CELL_REST], p.cells, p.n, ends[0]);
        if (!u->full) norm_put(u, buf_view(&key), out);
    }
    buf_free(&key);
    return out;
}

struct dd *norm_and(struct norm *u, struct dd *a, struct dd *b) { return norm_ite(u, a, b, u->no); }
struct dd *norm_or(struct norm *u, struct dd *a, struct dd *b) { return norm_ite(u, a, u->yes, b); }
struct dd *norm_not(struct norm *u, struct dd *a) { return norm_ite(u, a, u->no, u->yes); }
