/* diff_witness.c - the row that shows a finding, kept as people and programs read it. */
#include "compiler/diff/diff_private.h"
#include "value/json.h"

const char *diff__json(struct diff *d, const struct value *v)
{
    struct buf b = {0};
    value_json(&b, v);
    return diff__buf(d, &b);
}

/* The columns of the row, or of the line of one list, as members of an object. */
static void put_members(struct buf *out, const struct duel *duel, const struct value *row, int list)
{
    const char *before = "{";
    for (size_t i = 0; i < duel->ncolumns; i++) {
        const struct duel_column *c = &duel->columns[i];
        if (c->list != list || !value_present(&row[i])) continue;
        buf_puts(out, before);
        before = ",";
        json_put_string(out, list < 0 ? c->name : c->line_name);
        buf_byte(out, ':');
        if (!witness__is_list(c)) {
            value_json(out, &row[i]);
            continue;
        }
        buf_byte(out, '[');
        put_members(out, duel, row, (int)i);
        buf_byte(out, ']');
    }
    buf_puts(out, *before == '{' ? "{}" : "}");
}

static const char *row_json(struct diff *d, const struct duel *duel, const struct witness *w)
{
    struct buf b = {0};
    put_members(&b, duel, w->row, -1);
    return diff__buf(d, &b);
}

/* A list's own cell says only that there is a line: what the line holds stands in cells of its own. */
static const char *cell_json(struct diff *d, const struct duel_column *c, const struct value *v)
{
    return witness__is_list(c) && value_present(v) ? "[{}]" : diff__json(d, v);
}

static struct diff_witness *keep_witness(struct diff *d, const struct duel *duel, const struct witness *w)
{
    struct diff_witness *out = ARENA_NEW(d->arena, struct diff_witness);
    out->cells = ARENA_ARRAY(d->arena, struct diff_cell, duel->ncolumns + 1);
    for (int aside = 0; aside < 2; aside++)
        for (size_t i = 0; i < duel->ncolumns; i++) {
            if (!w->shown[i] || w->aside[i] != (aside == 1)) continue;
            struct str name = {diff__text(d, duel->columns[i].name), duel->columns[i].name.n};
            out->cells[out->n++] = (struct diff_cell){name, cell_json(d, &duel->columns[i], &w->row[i]), aside == 1};
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
