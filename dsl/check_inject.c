/* check_inject.c - is a text that a spec makes of key columns different for different keys?
 *
 *   "{WarehouseCode}-{ItemCode}"   a part of fixed length is cut off at either end; so is a number or a date in front of a separator that it cannot
 *                                  hold; at most one part may be left whose length is open
 *
 * Then the text can be taken apart again into its columns, and no two keys give the same. All key columns must be in it, and nothing that is not
 * part of the key: a key never changes. */
#include "dsl/check.h"
#include "base/check.h"

enum { PARTS_MAX = 64 };
struct part { const struct column *column; struct str text; };       /* a column, or a constant */
struct parts { struct check *c; const struct inject *in; struct part list[PARTS_MAX]; size_t n; const char *why; };

static const char *name_of(struct parts *p, const struct column *col)
{
    return diag_str(p->c->ds, col->name);
}

static void add(struct parts *p, struct part part)
{
    if (p->n == PARTS_MAX) p->why = "it has more than 64 parts";
    else p->list[p->n++] = part;
}

static void flatten(struct parts *p, const struct tx *x)
{
    if (p->why) return;
    switch (x->kind) {
    case TX_LET: flatten(p, x->let->value); return;
    case TX_KNOWN: case TX_TEXT: flatten(p, x->args[0]); return;
    case TX_CONST:
        if (x->value.kind == V_TEXT) add(p, (struct part){.text = value_str(&x->value)});
        else p->why = "a constant in it is no text";
        return;
    case TX_CONCAT:
        for (size_t i = 0; i < x->nargs; i++) flatten(p, x->args[i]);
        return;
    case TX_COLUMN: case TX_LINE: {
        const struct column *col = x->kind == TX_LINE ? &p->in->lines->columns[x->index] : &p->in->entity->columns[x->index];
        if (x->kind == TX_COLUMN && p->in->lines) p->why = arena_printf(p->c->a, "`%s` is the same for all lines", name_of(p, col));
        else if (!col->key) p->why = arena_printf(p->c->a, "`%s` is no part of the key: it may change, and a key never does", name_of(p, col));
        else add(p, (struct part){.column = col});
        return;
    }
    default: p->why = "it can only be made of key columns and constant texts"; return;
    }
}

/* ---- can it be taken apart again? ---- */

static bool fixed(const struct part *p)
{
    if (p->column == NULL) return true;
    const struct type *t = &p->column->type;
    return t->base == T_DATE || (t->base == T_TEXT && t->min_len == t->max_len);
}

/* A number ends where something stands that no number holds. */
static bool bounded(const struct part *p, const struct part *next, bool first_byte)
{
    if (p->column->type.base != T_DECIMAL || next->column != NULL) return false;
    char ch = next->text.p[first_byte ? 0 : next->text.n - 1];
    return !(ch >= '0' && ch <= '9') && ch != '-' && ch != '.';
}

static void take_apart(struct parts *p)
{
    size_t lo = 0, hi = p->n;
    while (lo < hi && (fixed(&p->list[lo]) || (lo + 1 < hi && bounded(&p->list[lo], &p->list[lo + 1], true)))) lo++;
    while (hi > lo && (fixed(&p->list[hi - 1]) || (hi - 1 > lo && bounded(&p->list[hi - 1], &p->list[hi - 2], false)))) hi--;
    if (hi - lo <= 1) return;
    p->why = arena_printf(p->c->a, "the lengths of `%s` and `%s` are both open, so the text cannot be taken apart again", name_of(p, p->list[lo].column),
                          name_of(p, p->list[hi - 1].column));
}

static void all_there(struct parts *p)
{
    const struct schema *e = p->in->lines ? p->in->lines : p->in->entity;
    for (size_t i = 0; i < e->ncolumns && !p->why; i++) {
        bool there = !e->columns[i].key || (p->in->lines && schema__column(p->in->entity, e->columns[i].name) && schema__column(p->in->entity, e->columns[i].name)->key);
        for (size_t k = 0; k < p->n && !there; k++) there = p->list[k].column == &e->columns[i];
        if (!there) p->why = arena_printf(p->c->a, "rows that differ in `%s` only would have the same", name_of(p, &e->columns[i]));
    }
}

const char *check__not_injective(struct check *c, const struct inject *in, const struct tx *x)
{
    struct parts *p = ARENA_NEW(c->a, struct parts);
    *p = (struct parts){.c = c, .in = in};
    flatten(p, x);
    if (!p->why) all_there(p);
    if (!p->why) take_apart(p);
    return p->why;
}
