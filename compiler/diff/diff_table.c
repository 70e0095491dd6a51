/* diff_table.c - tables behind a rule: whether a rule differs by its tables only, and which entries do.
 * A rule whose diagram is that of the old one as soon as it gets the old tables differs by its tables only. */
#include "compiler/diff/diff_private.h"

static const char *entry_json(struct diff *d, const struct image_table *t, const struct value *key)
{
    const struct value *v = key ? image_table_get(t, value_str(key)) : t->has_else ? &t->else_value : NULL;
    return v ? diff__json(d, v) : NULL;
}

static void add_entry(struct diff *d, struct diff_finding *f, const struct image_table *x, const struct image_table *y, const struct value *key)
{
    const char *was = entry_json(d, x, key), *is = entry_json(d, y, key);
    if ((!was && !is) || (was && is && strcmp(was, is) == 0)) return;
    f->entries[f->nentries++] = (struct diff_entry){key ? diff__json(d, key) : "else", was, is};
}

static void list_entries(struct diff *d, struct diff_finding *f, const struct image_table *x, const struct image_table *y)
{
    struct str name = diff__table_name(d, 1, y);
    f->table = name.n ? diff__text(d, name) : NULL;
    f->entries = ARENA_ARRAY(d->arena, struct diff_entry, x->n + y->n + 1);
    for (size_t i = 0, k = 0; i < x->n || k < y->n;) {
        int c = i == x->n ? 1 : k == y->n ? -1 : str_cmp(value_str(&x->keys[i]), value_str(&y->keys[k]));
        add_entry(d, f, x, y, c <= 0 ? &x->keys[i] : &y->keys[k]);
        i += c <= 0;
        k += c >= 0;
    }
    add_entry(d, f, x, y, NULL);
}

static bool same_table(const struct image_table *x, const struct image_table *y)
{
    bool same = x->n == y->n && x->has_else == y->has_else && (!x->has_else || value_equal(&x->else_value, &y->else_value));
    for (size_t i = 0; same && i < x->n; i++) same = value_equal(&x->keys[i], &y->keys[i]) && value_equal(&x->values[i], &y->values[i]);
    return same;
}

static const struct norm_field *field_of(const struct norm_flow *n, const struct scope *sc, int side, size_t field)
{
    if (sc->line) n = &n->lines[sc->flow[side]->fields[sc->list[side]].lines - 1];
    return &n->fields[field];
}

/* The first pair of tables of the two rules that differs; true when the rules do the same with the old tables. */
static bool only_tables(struct diff *d, struct duel *duel, const struct scope *sc, size_t fa, size_t fb, const struct image_table **x, const struct image_table **y)
{
    const struct norm_field *p = &sc->norm[0]->fields[fa], *q = &sc->norm[1]->fields[fb];
    const struct image *im = d->side[1].im;
    struct norm_path path;
    struct norm_flow again;
    size_t n;
    *x = *y = NULL;
    if (p->ntables == 0 || p->ntables != q->ntables) return false;
    const struct image_table **instead = ARENA_ARRAY(duel->arena, const struct image_table *, im->ntables + 1);
    for (size_t i = 0; i < p->ntables; i++) {
        instead[q->tables[i] - im->tables] = p->tables[i];
        if (*x || same_table(p->tables[i], q->tables[i])) continue;
        *x = p->tables[i];
        *y = q->tables[i];
    }
    if (!*x) return false;
    norm_flow(&duel->norm, im, duel->side[1].fl, duel->side[0].fl, instead, &again);
    if (!again.usable) return false;
    struct dd *with_old = field_of(&again, sc, 1, fb)->rule;
    return with_old && norm_compare(&duel->norm, p->rule, with_old, &path, 1, &n) == NORM_SAME;
}

bool diff__tables(struct diff *d, struct duel *duel, const struct scope *sc, size_t fa, size_t fb, struct diff_finding *f)
{
    const struct image_table *was, *is;
    if (!only_tables(d, duel, sc, fa, fb, &was, &is)) return false;
    list_entries(d, f, was, is);
    return true;
}
