/* witness.c - searching, checking and shrinking rows that show a difference; see witness.h. */
#include "compiler/diff/witness.h"
#include "base/check.h"
#include "value/json.h"

enum { TRIES_PER_PATH = 60, BLIND_TRIES = 6000 };

/* ---- the two versions ---- */

static struct value plain_value(struct duel *d, const struct duel_column *c)
{
    const struct type *t = c->type[0] ? c->type[0] : c->type[1];
    struct value v = value_absent;
    if (witness__admits(c, &v)) return v;
    if (t->base == T_TEXT && t->nset) return value_text(t->set[0]);
    if (t->base == T_TEXT) {
        uint32_t n = t->min_len;
        for (int k = 0; k < 2; k++)
            if (c->type[k] && c->type[k]->min_len > n) n = c->type[k]->min_len;
        char *p = arena_alloc(d->arena, (size_t)n + 1);
        memset(p, '0', n);
        p[n - 1] = '1';
        return value_text((struct str){p, n});
    }
    i128 w = t->base == T_DECIMAL ? (t->lo > 0 ? t->lo : t->hi < 0 ? t->hi : 0) : t->base == T_DATE ? 20454 : t->base == T_BOOL ? 0 : (i128)20454 * 86400000;
    return witness__number(t->base, w, t->scale);
}

static void add_columns(struct duel *d, int k)
{
    const struct image_flow *fl = d->side[k].fl;
    for (size_t i = 0; i < fl->ncolumns; i++) {
        int c = witness__column(d, fl->columns[i].name);
        if (c < 0) {
            c = (int)d->ncolumns++;
            d->columns[c] = (struct duel_column){.name = fl->columns[i].name, .index = {-1, -1}};
        }
        d->columns[c].type[k] = &fl->columns[i].type;
        d->columns[c].index[k] = (int)i;
    }
}

void duel_open(struct duel *d, struct arena *mem, const struct image *old_im, const struct image_flow *old_fl, const struct image *new_im, const struct image_flow *new_fl)
{
    *d = (struct duel){.arena = mem, .random = 20260312};
    d->side[0] = (struct duel_side){.im = old_im, .fl = old_fl, .vm = vm_new(old_im)};
    d->side[1] = (struct duel_side){.im = new_im, .fl = new_fl, .vm = vm_new(new_im)};
    d->columns = ARENA_ARRAY(mem, struct duel_column, old_fl->ncolumns + new_fl->ncolumns + 1);
    for (int k = 0; k < 2; k++) {
        add_columns(d, k);
        d->cols[k] = ARENA_ARRAY(mem, struct value, d->side[k].fl->ncolumns + 1);
    }
    norm_init(&d->norm, mem);
    norm_flow(&d->norm, old_im, old_fl, new_fl, NULL, &d->side[0].norm);
    norm_flow(&d->norm, new_im, new_fl, old_fl, NULL, &d->side[1].norm);
    for (size_t i = 0; i < d->ncolumns; i++) d->columns[i].plain = plain_value(d, &d->columns[i]);
}

void duel_close(struct duel *d)
{
    vm_free(d->side[0].vm);
    vm_free(d->side[1].vm);
}

/* ---- running ---- */

static void run_side(struct duel *d, int k, const struct stake *s, const struct value *row, struct outcome *out)
{
    struct duel_side *side = &d->side[k];
    struct vm_out vo;
    char why[160];
    for (size_t i = 0; i < d->ncolumns; i++) {
        int at = d->columns[i].index[k];
        if (at >= 0) d->cols[k][at] = row[i];
    }
    *out = (struct outcome){.kind = OUTCOME_NO_ROW};
    if (!vm_row_fits(side->fl, d->cols[k], why, sizeof why)) return;
    bool in = vm_when(side->vm, side->fl, d->cols[k]);
    out->kind = in ? OUTCOME_TAKEN : OUTCOME_SKIPPED;
    if (s->kind == STAKE_KEY) {
        *out = (struct outcome){OUTCOME_VALUE, vm_key(side->vm, side->fl, d->cols[k]), {"", 0}};
        return;
    }
    if (!in || s->kind == STAKE_WHEN || s->kind == STAKE_COLUMN) return;
    if (s->kind == STAKE_ADOPT) {
        out->value = vm_adopt(side->vm, side->fl, d->cols[k]);
        out->kind = OUTCOME_VALUE;
        return;
    }
    vm_map(side->vm, side->fl, d->cols[k], &vo);
    if (vo.rejected) *out = (struct outcome){OUTCOME_REJECT, value_absent, vo.message};
    else if (vo.ops[s->field[k]] == VM_KEEP) out->kind = OUTCOME_KEEP;
    else *out = (struct outcome){OUTCOME_VALUE, vo.values[s->field[k]], {"", 0}};
}

/* A reject counts when it is the field's own. */
static bool own_reject(const struct duel *d, int k, const struct stake *s, struct str message)
{
    const struct norm_flow *n = &d->side[k].norm;
    if (!n->usable) return false;
    const struct norm_field *f = &n->fields[s->field[k]];
    for (size_t i = 0; i < f->nmessages; i++)
        if (str_eq(f->messages[i], message)) return true;
    return false;
}

static bool link_same(const struct duel *d, const struct value *a, const struct value *b)
{
    const struct image_link *x = &d->side[0].fl->links[a->u.link->site], *y = &d->side[1].fl->links[b->u.link->site];
    bool same = x->kind == y->kind && str_eq(x->target, y->target) && str_eq(x->module, y->module) && str_eq(x->field, y->field) && x->nmore == y->nmore;
    for (size_t i = 0; same && i < x->nmore; i++) same = str_eq(x->more[i], y->more[i]);
    if (same && x->kind == LINK_REF)
        same = x->flow < d->side[0].im->nflows && y->flow < d->side[1].im->nflows && str_eq(d->side[0].im->flows[x->flow].name, d->side[1].im->flows[y->flow].name);
    same = same && a->u.link->nargs == b->u.link->nargs;
    for (uint16_t i = 0; same && i < a->u.link->nargs; i++) same = value_equal(&a->u.link->args[i], &b->u.link->args[i]);
    return same;
}

static bool values_differ(const struct duel *d, const struct value *a, const struct value *b)
{
    if (a->kind == V_LINK && b->kind == V_LINK) return !link_same(d, a, b);
    return a->kind != b->kind || !value_equal(a, b);
}

bool duel_run(struct duel *d, const struct stake *s, const struct value *row, struct outcome out[2])
{
    for (int k = 0; k < 2; k++) run_side(d, k, s, row, &out[k]);
    bool none[2] = {out[0].kind == OUTCOME_NO_ROW, out[1].kind == OUTCOME_NO_ROW};
    if (s->kind == STAKE_COLUMN) return none[0] != none[1];
    if (none[0] || none[1]) return false;
    if (s->kind == STAKE_WHEN) return out[0].kind != out[1].kind;
    if (out[0].kind == OUTCOME_SKIPPED || out[1].kind == OUTCOME_SKIPPED) return false;
    bool rejected[2] = {out[0].kind == OUTCOME_REJECT, out[1].kind == OUTCOME_REJECT};
    for (int k = 0; k < 2; k++)
        if (rejected[k] && !own_reject(d, k, s, out[k].text)) return false;
    if (rejected[0] && rejected[1]) return s->messages && !str_eq(out[0].text, out[1].text);
    if (out[0].kind != out[1].kind) return true;
    return out[0].kind == OUTCOME_VALUE && values_differ(d, &out[0].value, &out[1].value);
}

/* ---- searching ---- */

static bool is_plain(const struct duel_column *c, const struct value *v)
{
    return v->kind == c->plain.kind && value_equal(v, &c->plain);
}

static void fill_row(struct duel *d, struct value *row, const bool *fixed, unsigned one_in)
{
    for (size_t i = 0; i < d->ncolumns; i++) {
        const struct duel_column *c = &d->columns[i];
        if (fixed && fixed[i]) continue;
        row[i] = c->plain;
        if (one_in && c->asked && c->pool.n && witness__pick(d, one_in) == 0) row[i] = c->pool.v[witness__pick(d, (unsigned)c->pool.n)];
    }
}

static bool search(struct duel *d, const struct stake *s, const struct norm_path *paths, size_t npaths, struct witness *w)
{
    struct outcome out[2];
    bool *fixed = ARENA_ARRAY(d->arena, bool, d->ncolumns + 1);
    for (unsigned t = 0; t < TRIES_PER_PATH; t++)                 /* all paths once, then again with more left to chance */
        for (size_t p = 0; p < npaths; p++) {
            memset(fixed, 0, d->ncolumns * sizeof *fixed);
            fill_row(d, w->row, NULL, t == 0 ? 0 : t < TRIES_PER_PATH / 2 ? 4 : 2);
            witness__aim(d, &paths[p], w->row, fixed);
            w->tries++;
            if (duel_run(d, s, w->row, out)) return true;
        }
    fill_row(d, w->row, NULL, 0);
    for (size_t c = 0; c < d->ncolumns; c++)                      /* one column away from the plain row */
        for (size_t i = 0; d->columns[c].asked && i < d->columns[c].pool.n; i++) {
            w->row[c] = d->columns[c].pool.v[i];
            w->tries++;
            if (duel_run(d, s, w->row, out)) return true;
            w->row[c] = d->columns[c].plain;
        }
    for (unsigned t = 0; t < BLIND_TRIES; t++) {
        fill_row(d, w->row, NULL, 1 + t % 3);
        w->tries++;
        if (duel_run(d, s, w->row, out)) return true;
    }
    return false;
}

/* ---- shrinking ---- */

static bool still(struct duel *d, const struct stake *s, struct value *row, size_t c, struct value v)
{
    struct outcome out[2];
    struct value old = row[c];
    row[c] = v;
    if (duel_run(d, s, row, out)) return true;
    row[c] = old;
    return false;
}

static void simpler_text(struct duel *d, const struct stake *s, struct value *row, size_t c)
{
    static const char *const simple[] = {"A", "b", "x", "01"};
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
        struct value v = value_text(str_of(simple[i]));
        if (v.len < row[c].len && witness__admits(&d->columns[c], &v) && still(d, s, row, c, v)) return;
    }
    for (uint32_t cut = row[c].len / 2; cut > 0; cut /= 2)
        while (row[c].len > cut) {
            struct value v = value_text((struct str){row[c].u.text, row[c].len - cut});
            if (!str_utf8_valid(value_str(&v)) || !witness__admits(&d->columns[c], &v) || !still(d, s, row, c, v)) break;
        }
}

static void simpler_number(struct duel *d, const struct stake *s, struct value *row, size_t c)
{
    i128 w;
    const uint8_t base = d->columns[c].type[0] ? d->columns[c].type[0]->base : d->columns[c].type[1]->base;
    const unsigned scale = row[c].kind == V_DECIMAL ? row[c].scale : 0;
    static const int64_t simple[] = {1, 10, 100, 1000};
    if (base != T_DECIMAL) return;
    for (int unit = 1; unit >= 0; unit--)
        for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
            struct value v = value_decimal(unit ? simple[i] * decimal_pow10(scale) : simple[i], scale);
            if (!witness__whole(&row[c], scale, &w) || v.u.coef >= (w < 0 ? -w : w) || !witness__admits(&d->columns[c], &v)) continue;
            if (still(d, s, row, c, v)) return;
        }
    for (unsigned digits = 20; digits > 0; digits--) {            /* fewer digits that are not zero */
        if (!witness__whole(&row[c], scale, &w)) return;
        i128 p = decimal_pow10(digits);
        struct value v = value_decimal(w / p * p, scale);
        if (w % p && w / p && witness__admits(&d->columns[c], &v) && still(d, s, row, c, v)) return;
    }
}

/* Another value of this column ends the difference; or, when `results` count, changes what comes out. */
static bool matters(struct duel *d, const struct stake *s, struct value *row, size_t c, bool results)
{
    struct outcome before[2], after[2];
    struct value keep = row[c];
    struct arena_mark m = arena_mark(d->arena);
    bool yes = false;
    duel_run(d, s, row, before);
    for (int k = 0; k < 2; k++)
        if (before[k].kind == OUTCOME_VALUE) before[k].value = value_copy(d->arena, &before[k].value);
    for (size_t i = 0; i < d->columns[c].pool.n && i < 12 && !yes; i++) {
        row[c] = d->columns[c].pool.v[i];
        if (!witness__admits(&d->columns[c], &row[c])) continue;
        yes = !duel_run(d, s, row, after);
        for (int k = 0; k < 2 && !yes && results; k++)
            yes = before[k].kind != after[k].kind || (before[k].kind == OUTCOME_VALUE && !value_equal(&before[k].value, &after[k].value));
    }
    row[c] = keep;
    arena_release(d->arena, m);
    return yes;
}

/* Columns that are blank are told of only when nothing else of the rule's own is there to tell. */
static void show(struct duel *d, const struct stake *s, struct witness *w)
{
    bool any = false;
    for (size_t c = 0; c < d->ncolumns; c++) {
        const struct duel_column *col = &d->columns[c];
        bool plain = is_plain(col, &w->row[c]);
        w->aside[c] = !col->own;
        w->shown[c] = !plain || (col->own && value_present(&w->row[c]) && matters(d, s, w->row, c, true));
        any = any || (w->shown[c] && col->own);
    }
    for (size_t c = 0; c < d->ncolumns && !any; c++)
        if (d->columns[c].own && !value_present(&w->row[c])) w->shown[c] = matters(d, s, w->row, c, false);
}

static void shrink(struct duel *d, const struct stake *s, struct witness *w)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t c = d->ncolumns; c-- > 0;) {
            if (is_plain(&d->columns[c], &w->row[c]) || still(d, s, w->row, c, d->columns[c].plain)) continue;
            if (w->row[c].kind == V_TEXT) simpler_text(d, s, w->row, c);
            else simpler_number(d, s, w->row, c);
        }
    show(d, s, w);
}

bool witness_find(struct duel *d, const struct stake *s, struct dd *a, struct dd *b, const struct norm_path *paths, size_t npaths, struct witness *w)
{
    *w = (struct witness){.row = ARENA_ARRAY(d->arena, struct value, d->ncolumns + 1), .shown = ARENA_ARRAY(d->arena, bool, d->ncolumns + 1),
                          .aside = ARENA_ARRAY(d->arena, bool, d->ncolumns + 1)};
    witness__pools(d, s, a, b);
    if (!search(d, s, paths, npaths, w)) return false;
    shrink(d, s, w);
    bool differs = duel_run(d, s, w->row, w->outcome);
    ASSERT(differs);
    for (size_t c = 0; c < d->ncolumns; c++) w->row[c] = value_copy(d->arena, &w->row[c]);
    for (int k = 0; k < 2; k++)
        if (w->outcome[k].kind == OUTCOME_VALUE) w->outcome[k].value = value_copy(d->arena, &w->outcome[k].value);
    return true;
}

/* ---- as text ---- */

static void print_link(struct buf *out, const struct duel_side *side, const struct link *l)
{
    const struct image_link *site = &side->fl->links[l->site];
    bool ref = site->kind == LINK_REF && site->flow < side->im->nflows;
    struct str name = ref ? side->im->flows[site->flow].name : site->module;
    buf_printf(out, "%s %.*s(", ref ? "ref" : "find", (int)name.n, name.p);
    for (uint16_t i = 0; i < l->nargs; i++) {
        if (i) buf_puts(out, ", ");
        struct str field = i == 0 || i > site->nmore ? site->field : site->more[i - 1];
        if (!ref) buf_printf(out, "%.*s = ", (int)field.n, field.p);
        value_json(out, &l->args[i]);
    }
    buf_byte(out, ')');
}

void outcome_print(struct buf *out, const struct duel_side *side, const struct outcome *o)
{
    switch (o->kind) {
    case OUTCOME_VALUE:
        if (o->value.kind == V_LINK) print_link(out, side, o->value.u.link);
        else value_json(out, &o->value);
        break;
    case OUTCOME_KEEP: buf_puts(out, "keep"); break;
    case OUTCOME_REJECT: buf_puts(out, "reject "); json_put_string(out, o->text); break;
    case OUTCOME_SKIPPED: buf_puts(out, "left out"); break;
    case OUTCOME_TAKEN: buf_puts(out, "taken"); break;
    case OUTCOME_NO_ROW: buf_puts(out, "no row of the declared types: set aside"); break;
    }
}
