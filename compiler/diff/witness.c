/* witness.c - searching for rows that show a difference, and making them small; see witness.h. What differs is witness_run.c's to say. */
#include "compiler/diff/witness.h"
#include "base/check.h"

enum { TRIES_PER_PATH = 60, BLIND_TRIES = 6000 };

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

/* Runs a row, and when another field sets it aside once more with that seen to. fixed: what must stay, NULL: what is at stake. */
static bool attempt(struct duel *d, const struct stake *s, struct witness *w, bool *fixed)
{
    struct outcome out[2];
    w->tries++;
    if (duel_run(d, s, w->row, out)) return true;
    if (!d->turned_away) return false;
    bool *keep = fixed ? fixed : ARENA_ARRAY(d->arena, bool, d->ncolumns + 1);
    for (size_t i = 0; i < d->ncolumns && !fixed; i++) keep[i] = d->columns[i].own;
    witness__accept(d, s, w->row, keep);
    w->tries++;
    return duel_run(d, s, w->row, out);
}

static bool search(struct duel *d, const struct stake *s, const struct norm_path *paths, size_t npaths, struct witness *w)
{
    bool *fixed = ARENA_ARRAY(d->arena, bool, d->ncolumns + 1);
    for (unsigned t = 0; t < TRIES_PER_PATH; t++)                 /* all paths once, then again with more left to chance */
        for (size_t p = 0; p < npaths; p++) {
            memset(fixed, 0, d->ncolumns * sizeof *fixed);
            fill_row(d, w->row, NULL, t == 0 ? 0 : t < TRIES_PER_PATH / 2 ? 4 : 2);
            witness__aim(d, &paths[p], w->row, fixed);
            if (attempt(d, s, w, fixed)) return true;
        }
    for (size_t c = 0; c < d->ncolumns; c++)                      /* one column away from the plain row */
        for (size_t i = 0; d->columns[c].asked && i < d->columns[c].pool.n; i++) {
            fill_row(d, w->row, NULL, 0);
            w->row[c] = d->columns[c].pool.v[i];
            if (attempt(d, s, w, NULL)) return true;
        }
    for (unsigned t = 0; t < BLIND_TRIES; t++) {
        fill_row(d, w->row, NULL, 1 + t % 3);
        if (attempt(d, s, w, NULL)) return true;
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

/* Lists have no lines where it does not matter; what is at stake in lines needs one. */
static void set_lists(struct duel *d, const struct stake *s)
{
    for (size_t c = 0; c < d->ncolumns; c++)
        if (witness__is_list(&d->columns[c])) d->columns[c].plain = value_absent;
    if (s->kind == STAKE_COLUMN && d->columns[s->field[0]].list >= 0) d->columns[d->columns[s->field[0]].list].plain = WITNESS_ONE_LINE;
    for (int k = 0; k < 2 && s->line; k++) {
        const struct image_flow *fl = d->side[k].fl;
        int list = witness__column(d, fl->columns[fl->lines[fl->fields[s->list[k]].lines - 1].column].name);
        if (list >= 0) d->columns[list].plain = WITNESS_ONE_LINE;
    }
}

bool witness_find(struct duel *d, const struct stake *s, struct dd *a, struct dd *b, const struct norm_path *paths, size_t npaths, struct witness *w)
{
    *w = (struct witness){.row = ARENA_ARRAY(d->arena, struct value, d->ncolumns + 1), .shown = ARENA_ARRAY(d->arena, bool, d->ncolumns + 1),
                          .aside = ARENA_ARRAY(d->arena, bool, d->ncolumns + 1)};
    witness__pools(d, s, a, b);
    set_lists(d, s);
    if (!search(d, s, paths, npaths, w)) return false;
    shrink(d, s, w);
    bool differs = duel_run(d, s, w->row, w->outcome);
    ASSERT(differs);
    for (size_t c = 0; c < d->ncolumns; c++) w->row[c] = value_copy(d->arena, &w->row[c]);
    for (int k = 0; k < 2; k++)
        if (w->outcome[k].kind == OUTCOME_VALUE) w->outcome[k].value = value_copy(d->arena, &w->outcome[k].value);
    return true;
}
