/* diff_type.c - what source and target declare: columns and fields of two versions by name, of lines too. */
#include "compiler/diff/diff_private.h"

static const char *shown_type(struct diff *d, const struct type *t)
{
    struct buf b = {0};
    if (t->base == T_LIST) buf_printf(&b, "at most %u lines", (unsigned)t->shape->max_lines);      /* what a line holds is compared by itself */
    else type_print(&b, t);
    return diff__buf(d, &b);
}

/* ---- fields of the target ---- */

static const char *field_type_text(struct diff *d, const struct image_field *f)
{
    return arena_printf(d->arena, "%s%s%.*s%s%s%s", shown_type(d, &f->type), f->link_module.n ? " to " : "", (int)f->link_module.n, f->link_module.p,
                        f->unique ? ", unique" : "", f->on_insert ? "" : ", not when made", f->on_update ? "" : ", not when changed");
}

static void compare_field(struct diff *d, const struct image_flow *const flow[2], const struct image_field *const list[2], const struct image_field *x, const struct image_field *y)
{
    const char *was = field_type_text(d, x), *is = field_type_text(d, y);
    if (strcmp(was, is) == 0) return;
    const struct image_field *both[2] = {x, y};
    struct str name = list[1] ? norm_line_column(d->arena, list[1]->name, y->name) : y->name;
    bool limit = x->lines && y->lines && x->type.shape->max_lines != y->type.shape->max_lines;
    struct diff_finding *f = diff__add(d, limit ? RULE_LINE_LIMIT : RULE_FIELD_TYPE, flow[1]->name, name, str_of(was), str_of(is));
    for (int k = 0; k < 2; k++) f->at[k] = list[k] ? diff__place_line_field(d, k, flow[k], list[k], both[k]) : diff__place_field(d, k, flow[k], both[k]);
    f->text[0] = was;
    f->text[1] = is;
    f->said = true;
    diff__message(d, f, "the target declares it as %s, was %s", is, was);
}

static const struct image_field *field_named(const struct image_flow *fl, struct str name)
{
    for (size_t i = 0; i < fl->nfields; i++)
        if (str_eq(fl->fields[i].name, name)) return &fl->fields[i];
    return NULL;
}

void diff__field_types(struct diff *d, const struct image_flow *a, const struct image_flow *b)
{
    const struct image_flow *const flow[2] = {a, b};
    const struct image_field *const none[2] = {NULL, NULL};
    if (!str_eq(a->module, b->module)) return;
    for (size_t i = 0; i < b->nfields; i++) {
        const struct image_field *y = &b->fields[i], *x = field_named(a, y->name), *const lists[2] = {x, y};
        if (!x) continue;
        compare_field(d, flow, none, x, y);
        if (!x->lines || !y->lines) continue;
        const struct image_flow *was = a->lines[x->lines - 1].body, *is = b->lines[y->lines - 1].body;
        for (size_t k = 0; k < is->nfields; k++) {
            const struct image_field *before = field_named(was, is->fields[k].name);
            if (before) compare_field(d, flow, lists, before, &is->fields[k]);
        }
    }
}

/* ---- columns of the source ---- */

static bool same_type(const struct type *x, const struct type *y)
{
    struct buf p = {0}, q = {0};
    if (x->base == T_LIST && y->base == T_LIST) return x->shape->max_lines == y->shape->max_lines;
    type_print(&p, x);
    type_print(&q, y);
    bool same = str_eq(buf_view(&p), buf_view(&q));
    buf_free(&p);
    buf_free(&q);
    return same;
}

static bool shapes_differ(const struct list_shape *x, const struct list_shape *y)
{
    for (uint16_t i = 0; i < x->n; i++)
        for (uint16_t k = 0; k < y->n; k++)
            if (str_eq(x->names[i], y->names[k]) && !same_type(&x->types[i], &y->types[k])) return true;
    return false;
}

bool diff__columns_differ(const struct image_flow *a, const struct image_flow *b)
{
    for (size_t i = 0; i < a->ncolumns; i++)
        for (size_t k = 0; k < b->ncolumns; k++) {
            const struct type *x = &a->columns[i].type, *y = &b->columns[k].type;
            if (!str_eq(a->columns[i].name, b->columns[k].name)) continue;
            if (!same_type(x, y) || (x->base == T_LIST && y->base == T_LIST && shapes_differ(x->shape, y->shape))) return true;
        }
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
        if (!witness__is_list(c)) diff__search(d, duel, &s, NULL, NULL, NULL, 0, f);      /* no row of so many lines is made */
    }
}
