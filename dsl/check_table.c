/* check_table.c - tables written in the spec and tables read from CSV files when the spec is compiled.
 *
 * Keys are present, of one kind and distinct; values are of one kind, null or an empty cell means "no value". A CSV gives texts only. */
#include "dsl/check.h"
#include "dsl/csv.h"
#include "base/check.h"
#include "base/limits.h"
#include <stdlib.h>

struct build { struct check *c; struct table *t; size_t cap; bool ok; };

static void add_row(struct build *b, struct value key, struct value v, struct span at)
{
    struct table *t = b->t;
    if (t->nrows == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 32;
        struct table_row *rows = ARENA_ARRAY(b->c->a, struct table_row, b->cap);
        if (t->nrows) memcpy(rows, t->rows, t->nrows * sizeof *rows);
        t->rows = rows;
    }
    t->rows[t->nrows++] = (struct table_row){key, v, at};
}

/* Two keys at a time, sorted by their encoded bytes; equal neighbours are a clash. */
static int order_rows(const void *a, const void *b)
{
    const struct table_row *x = a, *y = b;
    struct buf bx = {0}, by = {0};
    value_encode(&bx, &x->key);
    value_encode(&by, &y->key);
    int d = str_cmp(buf_view(&bx), buf_view(&by));
    buf_free(&bx);
    buf_free(&by);
    return d != 0 ? d : (x->at.at > y->at.at) - (x->at.at < y->at.at);
}

static void find_twins(struct build *b)
{
    struct table *t = b->t;
    struct table_row *sorted = ARENA_ARRAY(b->c->a, struct table_row, t->nrows + 1);
    if (t->nrows) memcpy(sorted, t->rows, t->nrows * sizeof *sorted);
    qsort(sorted, t->nrows, sizeof *sorted, order_rows);
    for (size_t i = 1; i < t->nrows; i++) {
        if (!value_equal(&sorted[i].key, &sorted[i - 1].key)) continue;
        struct buf text = {0};
        value_print(&text, &sorted[i].key);
        diag_help(diag_also(diag1(b->c->ds, sorted[i].at, D_TABLE_KEY_TWICE, diag_str(b->c->ds, buf_view(&text))), sorted[i - 1].at, "first here"),
                  "a key has one value: keep one of them");
        buf_free(&text);
        b->ok = false;
    }
}

/* The type of all keys or all values. */
static bool common(struct build *b, struct type *out, bool keys)
{
    struct table *t = b->t;
    struct str *texts = ARENA_ARRAY(b->c->a, struct str, t->nrows + 2);
    size_t n = 0, ntexts = 0;
    bool absent = false;
    struct type all = {0};
    for (size_t i = 0; i <= t->nrows; i++) {
        if (i == t->nrows && (keys || !t->has_else)) break;
        const struct value *v = i == t->nrows ? &t->otherwise : keys ? &t->rows[i].key : &t->rows[i].value;
        if (!value_present(v)) {
            absent = true;
            continue;
        }
        struct type one = types_of_value(b->c->a, v);
        if (v->kind == V_TEXT) texts[ntexts++] = value_str(v);
        if (n++ == 0) all = one;
        else if (all.base != one.base || (all.base != T_TEXT && !types_join(b->c->a, &all, &one, &all))) {
            struct span at = i == t->nrows ? t->at : t->rows[i].at;
            diag3(b->c->ds, at, D_TABLE_KINDS, keys ? "key" : "value", types_base_name((enum type_base)one.base), types_base_name((enum type_base)all.base));
            return false;
        }
    }
    if (n == 0) {
        if (b->c->broken) return false;      /* its rows could not be read */
        if (keys) diag1(b->c->ds, t->at, D_TABLE_EMPTY, "no row");
        else if (t->nrows) diag1(b->c->ds, t->at, D_TABLE_EMPTY, "no value but null");
        return false;
    }
    if (keys && all.base != T_TEXT) {
        diag_help(diag3(b->c->ds, t->rows[0].at, D_TABLE_KINDS, "key", types_base_name((enum type_base)all.base), "text"), "write the keys in quotes");
        return false;
    }
    if (all.base == T_TEXT) all = types_of_set(b->c->a, texts, ntexts);
    all.optional = !keys && (absent || !t->has_else);
    *out = all;
    return true;
}

static void from_arms(struct build *b, const struct ast_table *n)
{
    const struct ast *open = NULL;
    AST_EACH(a, n->arms) {
        const struct ast_arm *arm = AST_AS(arm, a);
        struct value v;
        if (open) diag_also(diag0(b->c->ds, a->at, D_UNREACHABLE_ARM), open->at, "everything else is taken here");
        if (arm->value == NULL || !check__literal(b->c, arm->value, &v)) b->ok = false;
        else if (arm->otherwise) {
            b->t->has_else = true;
            b->t->otherwise = v;
            open = a;
        } else AST_EACH(p, arm->patterns) {
            struct value key;
            if (!check__literal(b->c, p, &key)) b->ok = false;
            else if (!value_present(&key)) {
                diag_help(diag1(b->c->ds, p->at, D_TABLE_KEY_ABSENT, "null"), "an absent key gives absent: write `t[x] ?? ...` where the table is used");
                b->ok = false;
            } else add_row(b, key, v, p->at);
        }
    }
}

static struct span cell_span(const struct source *src, struct str cell, const struct csv *csv, size_t row)
{
    if (cell.n && cell.p >= src->text.p && cell.p < src->text.p + src->text.n) {
        uint32_t at = (uint32_t)(cell.p - src->text.p);
        return (struct span){src->id, at, at + (uint32_t)cell.n};
    }
    uint32_t at = src->line_at[csv->lines[row] - 1];
    return (struct span){src->id, at, at};
}

static int csv_header(struct build *b, const struct csv *csv, const struct ast_name *name, const char *path)
{
    int k = csv_column(csv, name->text);
    if (k >= 0) return k;
    struct diag_nearest near = diag_nearest_begin(name->text);
    for (size_t i = 0; i < csv->ncols; i++) diag_nearest_try(&near, csv->header[i]);
    struct diag *d = diag2(b->c->ds, name->at, D_CSV_COLUMN, path, diag_str(b->c->ds, name->text));
    struct buf names = {0};
    resolve__hint(d, &near);
    for (size_t i = 0; i < csv->ncols && i < 12; i++) buf_printf(&names, "%s`%s`", i ? ", " : "", diag_str(b->c->ds, csv->header[i]));
    diag_help(d, "its first line has %s", buf_cstr(&names));
    buf_free(&names);
    b->ok = false;
    return -1;
}

static void from_csv(struct build *b, const struct ast_table_file *n)
{
    struct check *c = b->c;
    struct str file = n->file ? AST_AS(text, n->file)->value : (struct str){0};
    const char *path = imports__beside(c, n->base.at, file);
    struct source *src = NULL;
    struct fault f = {0};
    struct csv csv;
    struct csv_fault why;
    b->ok = false;
    if (n->file == NULL) return;
    if (sources_load(c->sources, c->files->world, path, &src, &f) != ERR_OK) {
        diag_help(diag2(c->ds, n->file->at, D_FILE_UNREADABLE, diag_str(c->ds, file), f.text[0] ? f.text : "not found"), "paths are relative to the file that names them");
        return;
    }
    if (!csv_parse(src->text, c->a, &csv, &why)) {
        uint32_t at = why.line <= src->nlines ? src->line_at[why.line - 1] : 0;
        diag_also(diag1(c->ds, (struct span){src->id, at, at}, D_CSV_BROKEN, arena_copy(c->a, why.text, strlen(why.text))), n->file->at, "read from here");
        return;
    }
    b->ok = true;
    int from = csv_header(b, &csv, &n->from, diag_str(c->ds, file)), to = csv_header(b, &csv, &n->to, diag_str(c->ds, file));
    if (from < 0 || to < 0) return;
    if (n->otherwise) b->t->has_else = check__literal(c, n->otherwise, &b->t->otherwise);
    for (size_t i = 0; i < csv.nrows; i++) {
        struct str key = csv_cell(&csv, i, (size_t)from), v = csv_cell(&csv, i, (size_t)to);
        struct span at = cell_span(src, key, &csv, i);
        if (key.n == 0) {
            diag_also(diag1(c->ds, at, D_TABLE_KEY_ABSENT, "an empty cell"), n->file->at, "read from here");
            b->ok = false;
        } else add_row(b, value_text(key), value_text(v), at);
    }
}

void check__table(struct check *c, struct table *t, const struct ast *n)
{
    struct build b = {c, t, 0, true};
    if (n->kind == AST_TABLE) from_arms(&b, AST_AS(table, n));
    else from_csv(&b, AST_AS(table_file, n));
    find_twins(&b);
    if (t->nrows > 65535) {
        diag1(c->ds, t->at, D_LIMIT, "65,535 rows in one table");
        b.ok = false;
    }
    if (!b.ok) return;
    bool keys = common(&b, &t->key, true), values = common(&b, &t->value, false);
    t->usable = keys && values;
}
