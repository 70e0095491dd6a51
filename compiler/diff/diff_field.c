/* diff_field.c - the fields of two versions of a flow: who owns them, and whether their rules do the same.
 *
 *   same hash                      nothing
 *   same diagram (norm_compare)    nothing, but counted: written differently, means the same
 *   they part, and a row shows it  different, with that row and both results
 *   they part, and no row does     undecided: as good as different
 *
 * A rule whose diagram is that of the old one as soon as it gets the old tables differs by its tables only. */
#include "compiler/diff/diff_private.h"
#include "base/check.h"
#include "value/json.h"
#include <stdio.h>

static struct str hash_bytes(const struct hash *h) { return (struct str){(const char *)h->b, HASH_BYTES}; }

/* Key and event fields are the flow's affair. */
static bool ruled(const struct image_field *f) { return f->mode == FIELD_SET || f->mode == FIELD_ONCE || f->mode == FIELD_FILL; }

static int ruled_named(const struct image_flow *fl, struct str name)
{
    for (size_t i = 0; i < fl->nfields; i++)
        if (ruled(&fl->fields[i]) && str_eq(fl->fields[i].name, name)) return (int)i;
    return -1;
}

static const char *mode_word(const struct image_field *f) { return f->mode == FIELD_ONCE ? "once " : f->mode == FIELD_FILL ? "fill " : ""; }

static const char *rule_text(struct diff *d, const struct image_field *f)
{
    return f->expr.n ? diff__text(d, f->expr) : "(compiled)";
}

/* ---- witness of a finding ---- */

static const char *json_of(struct diff *d, const struct value *v)
{
    struct buf b = {0};
    value_json(&b, v);
    return diff__buf(d, &b);
}

static const char *row_json(struct diff *d, const struct duel *duel, const struct witness *w)
{
    struct buf b = {0};
    bool first = true;
    buf_byte(&b, '{');
    for (size_t i = 0; i < duel->ncolumns; i++) {
        if (!value_present(&w->row[i])) continue;
        if (!first) buf_byte(&b, ',');
        first = false;
        json_put_string(&b, duel->columns[i].name);
        buf_byte(&b, ':');
        value_json(&b, &w->row[i]);
    }
    buf_byte(&b, '}');
    return diff__buf(d, &b);
}

static struct diff_witness *keep_witness(struct diff *d, const struct duel *duel, const struct witness *w)
{
    struct diff_witness *out = ARENA_NEW(d->arena, struct diff_witness);
    out->cells = ARENA_ARRAY(d->arena, struct diff_cell, duel->ncolumns + 1);
    for (int aside = 0; aside < 2; aside++)
        for (size_t i = 0; i < duel->ncolumns; i++) {
            if (!w->shown[i] || w->aside[i] != (aside == 1)) continue;
            struct str name = {diff__text(d, duel->columns[i].name), duel->columns[i].name.n};
            out->cells[out->n++] = (struct diff_cell){name, json_of(d, &w->row[i]), aside == 1};
        }
    out->row = row_json(d, duel, w);
    for (int k = 0; k < 2; k++) {
        struct buf b = {0};
        outcome_print(&b, &duel->side[k], &w->outcome[k]);
        out->result[k] = diff__buf(d, &b);
    }
    return out;
}

bool diff__search(struct diff *d, struct duel *duel, const struct stake *s, struct dd *a, struct dd *b, const struct norm_path *paths, size_t npaths, struct diff_finding *f)
{
    struct witness w;
    bool found = witness_find(duel, s, a, b, paths, npaths, &w);
    f->verdict = found ? DIFF_DIFFERENT : DIFF_UNDECIDED;
    f->tries = w.tries;
    if (found) f->witness = keep_witness(d, duel, &w);
    return found;
}

/* ---- declared types ---- */

static const char *shown_type(struct diff *d, const struct type *t)
{
    struct buf b = {0};
    type_print(&b, t);
    if (t->yes.n) buf_printf(&b, " (%.*s/%.*s)", (int)t->yes.n, t->yes.p, (int)t->no.n, t->no.p);
    return diff__buf(d, &b);
}

static const char *field_type_text(struct diff *d, const struct image_field *f)
{
    return arena_printf(d->arena, "%s%s%.*s%s%s%s", shown_type(d, &f->type), f->link_module.n ? " to " : "", (int)f->link_module.n, f->link_module.p,
                        f->unique ? ", unique" : "", f->on_insert ? "" : ", not when made", f->on_update ? "" : ", not when changed");
}

void diff__field_types(struct diff *d, const struct image_flow *a, const struct image_flow *b)
{
    for (size_t i = 0; i < b->nfields; i++) {
        const struct image_field *y = &b->fields[i], *x = NULL;
        for (size_t k = 0; k < a->nfields && !x; k++)
            if (str_eq(a->fields[k].name, y->name)) x = &a->fields[k];
        if (!x || !str_eq(a->module, b->module)) continue;
        const char *was = field_type_text(d, x), *is = field_type_text(d, y);
        if (strcmp(was, is) == 0) continue;
        struct diff_finding *f = diff__add(d, RULE_FIELD_TYPE, b->name, y->name, str_of(was), str_of(is));
        f->text[0] = was;
        f->text[1] = is;
        f->at[0] = diff__place_field(d, 0, a, x);
        f->at[1] = diff__place_field(d, 1, b, y);
        f->said = true;
        diff__message(d, f, "the target declares it as %s, was %s", is, was);
    }
}

static bool same_type(const struct type *x, const struct type *y)
{
    struct buf p = {0}, q = {0};
    type_print(&p, x);
    type_print(&q, y);
    bool same = str_eq(buf_view(&p), buf_view(&q)) && str_eq(x->yes, y->yes) && str_eq(x->no, y->no);
    buf_free(&p);
    buf_free(&q);
    return same;
}

bool diff__columns_differ(const struct image_flow *a, const struct image_flow *b)
{
    for (size_t i = 0; i < a->ncolumns; i++)
        for (size_t k = 0; k < b->ncolumns; k++)
            if (str_eq(a->columns[i].name, b->columns[k].name) && !same_type(&a->columns[i].type, &b->columns[k].type)) return true;
    return false;
}

void diff__columns(struct diff *d, struct duel *duel)
{
    const struct image_flow *a = duel->side[0].fl, *b = duel->side[1].fl;
    for (size_t i = 0; i < duel->ncolumns; i++) {
        const struct duel_column *c = &duel->columns[i];
        if (!c->type[0] || !c->type[1] || same_type(c->type[0], c->type[1])) continue;
        const char *was = shown_type(d, c->type[0]), *is = shown_type(d, c->type[1]);
        struct diff_finding *f = diff__add(d, RULE_COLUMN_TYPE, b->name, c->name, str_of(was), str_of(is));
        struct stake s = {.kind = STAKE_COLUMN, .field = {i, 0}};
        f->text[0] = was;
        f->text[1] = is;
        f->at[0] = diff__place_flow(d, 0, a, PART_FLOW);
        f->at[1] = diff__place_flow(d, 1, b, PART_FLOW);
        f->said = true;
        diff__message(d, f, "the column is %s, was %s", is, was);
        diff__search(d, duel, &s, NULL, NULL, NULL, 0, f);
    }
}

/* ---- tables ---- */

static const char *entry_json(struct diff *d, const struct image_table *t, const struct value *key)
{
    const struct value *v = key ? image_table_get(t, value_str(key)) : t->has_else ? &t->else_value : NULL;
    return v ? json_of(d, v) : NULL;
}

static void add_entry(struct diff *d, struct diff_finding *f, const struct image_table *x, const struct image_table *y, const struct value *key)
{
    const char *was = entry_json(d, x, key), *is = entry_json(d, y, key);
    if ((!was && !is) || (was && is && strcmp(was, is) == 0)) return;
    f->entries[f->nentries++] = (struct diff_entry){key ? json_of(d, key) : "else", was, is};
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

/* The first pair of tables of the two rules that differs; true when the rules do the same with the old tables. */
static bool only_tables(struct diff *d, struct duel *duel, size_t fa, size_t fb, const struct image_table **x, const struct image_table **y)
{
    const struct norm_field *p = &duel->side[0].norm.fields[fa], *q = &duel->side[1].norm.fields[fb];
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
    return again.usable && again.fields[fb].rule && norm_compare(&duel->norm, p->rule, again.fields[fb].rule, &path, 1, &n) == NORM_SAME;
}

/* ---- one field ---- */

static struct diff_finding *field_finding(struct diff *d, const struct duel *duel, enum diff_rule rule, size_t fa, size_t fb)
{
    const struct image_flow *a = duel->side[0].fl, *b = duel->side[1].fl;
    const struct image_field *x = &a->fields[fa], *y = &b->fields[fb];
    struct diff_finding *f = diff__add(d, rule, b->name, y->name, hash_bytes(&x->hash), hash_bytes(&y->hash));
    f->text[0] = rule_text(d, x);
    f->text[1] = rule_text(d, y);
    f->at[0] = diff__place_field(d, 0, a, x);
    f->at[1] = diff__place_field(d, 1, b, y);
    return f;
}

static void compare_mode(struct diff *d, struct duel *duel, size_t fa, size_t fb)
{
    const struct image_field *x = &duel->side[0].fl->fields[fa], *y = &duel->side[1].fl->fields[fb];
    static const char *const owners[] = {"the source's", "people's once the record is made", "people's as soon as it is filled"};
    if (x->mode == y->mode) return;
    struct str was = str_of(owners[x->mode]), is = str_of(owners[y->mode]);
    struct diff_finding *f = diff__add(d, RULE_FIELD_MODE, duel->side[1].fl->name, y->name, was, is);
    f->text[0] = arena_printf(d->arena, "%s%.*s = %s", mode_word(x), (int)x->name.n, x->name.p, rule_text(d, x));
    f->text[1] = arena_printf(d->arena, "%s%.*s = %s", mode_word(y), (int)y->name.n, y->name.p, rule_text(d, y));
    f->at[0] = diff__place_field(d, 0, duel->side[0].fl, x);
    f->at[1] = diff__place_field(d, 1, duel->side[1].fl, y);
    diff__message(d, f, "%.*s is %s, was %s", (int)y->name.n, y->name.p, is.p, was.p);
}

static void message_of_rule(struct diff *d, struct diff_finding *f)
{
    bool same_text = strcmp(f->text[0], f->text[1]) == 0;
    const char *by = same_text && f->rule != RULE_TABLE ? " (by what it refers to)" : "";
    if (f->rule == RULE_TABLE) diff__message(d, f, "table %s has other entries", f->table ? f->table : "behind it");
    else if (f->rule == RULE_REJECT_MESSAGE) diff__message(d, f, "another reason for setting rows aside");
    else if (f->verdict == DIFF_UNDECIDED) diff__message(d, f, "written differently%s; no row of %u tried shows a difference", by, (unsigned)f->tries);
    else diff__message(d, f, "another value for some rows%s", by);
}

static void compare_rule(struct diff *d, struct duel *duel, size_t fa, size_t fb)
{
    const struct image_field *x = &duel->side[0].fl->fields[fa], *y = &duel->side[1].fl->fields[fb];
    const struct norm_flow *p = &duel->side[0].norm, *q = &duel->side[1].norm;
    struct norm_path paths[DIFF_PATHS];
    const struct image_table *was, *is;
    enum norm_verdict v = NORM_PARTS;
    size_t npaths = 0;
    if (hash_eq(&x->hash, &y->hash)) return;
    bool usable = p->usable && q->usable && p->fields[fa].rule && q->fields[fb].rule;
    struct dd *f = usable ? p->fields[fa].rule : NULL, *g = usable ? q->fields[fb].rule : NULL;
    if (usable) v = norm_compare(&duel->norm, f, g, paths, DIFF_PATHS, &npaths);
    if (v == NORM_SAME) {
        d->equal += x->mode == y->mode;
        return;
    }
    struct stake s = {.kind = STAKE_FIELD, .field = {fa, fb}, .messages = v == NORM_MESSAGE};
    struct diff_finding *out = field_finding(d, duel, v == NORM_MESSAGE ? RULE_REJECT_MESSAGE : RULE_RULE, fa, fb);
    bool found = diff__search(d, duel, &s, f, g, paths, npaths, out);
    enum diff_rule rule = found || v == NORM_MESSAGE ? out->rule : RULE_RULE_UNDECIDED;
    if (usable && v == NORM_PARTS && only_tables(d, duel, fa, fb, &was, &is)) {
        if (found) rule = RULE_TABLE;
        list_entries(d, out, was, is);
    }
    diff__again(out, rule, str_of(out->flow), str_of(out->field), hash_bytes(&x->hash), hash_bytes(&y->hash));
    message_of_rule(d, out);
}

static void one_sided(struct diff *d, struct duel *duel, int side, size_t at)
{
    const struct image_flow *fl = duel->side[side].fl;
    const struct image_field *x = &fl->fields[at];
    struct str empty = {"", 0}, form = hash_bytes(&x->hash);
    struct str flow = duel->side[1].fl->name;
    struct diff_finding *f = side ? diff__add(d, RULE_FIELD_ADDED, flow, x->name, empty, form) : diff__add(d, RULE_FIELD_REMOVED, flow, x->name, form, empty);
    f->text[side] = arena_printf(d->arena, "%s%s", mode_word(x), rule_text(d, x));
    f->at[side] = diff__place_field(d, side, fl, x);
    diff__message(d, f, "%.*s is %s", (int)x->name.n, x->name.p, side ? "written now" : "no longer written");
}

void diff__fields(struct diff *d, struct duel *duel)
{
    const struct image_flow *a = duel->side[0].fl, *b = duel->side[1].fl;
    for (size_t i = 0; i < b->nfields; i++) {
        if (!ruled(&b->fields[i])) continue;
        int was = ruled_named(a, b->fields[i].name);
        if (was < 0) {
            one_sided(d, duel, 1, i);
            continue;
        }
        compare_mode(d, duel, (size_t)was, i);
        compare_rule(d, duel, (size_t)was, i);
    }
    for (size_t i = 0; i < a->nfields; i++)
        if (ruled(&a->fields[i]) && ruled_named(b, a->fields[i].name) < 0) one_sided(d, duel, 0, i);
}
