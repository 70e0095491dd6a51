/* diff_place.c - where the parts of a flow stand, and their text: from the source when there is one, else from what a compiled file carries for its
 * fields (file and line of each). */
#include "compiler/diff/diff_private.h"

static const struct flow *spec_flow(const struct diff *d, int side, struct str name)
{
    const struct compile *c = d->side[side].source;
    for (const struct flow *f = c && c->spec ? c->spec->flows : NULL; f != NULL; f = f->next)
        if (str_eq(f->name, name)) return f;
    return NULL;
}

static struct diff_place place_of(struct diff *d, int side, struct span at)
{
    const struct compile *c = d->side[side].source;
    struct place p = source_place(&c->sources, at);
    if (p.source == NULL || p.source == c->source) return (struct diff_place){d->side[side].shown, p.line};
    return (struct diff_place){diff__text(d, p.source->name), p.line};
}

struct diff_place diff__place_file(struct diff *d, int side)
{
    return (struct diff_place){d->side[side].im ? d->side[side].shown : NULL, 0};
}

static const struct ast *clause(const struct flow *f, enum flow_part part)
{
    static const int kinds[] = {[PART_FLOW] = AST_FLOW, [PART_KEY] = AST_KEY, [PART_WHEN] = AST_WHEN, [PART_EVERY] = AST_EVERY, [PART_REREAD] = AST_REREAD,
                                [PART_FUSE] = AST_FUSE, [PART_ADOPT] = AST_ADOPT, [PART_LEAVE] = AST_ON, [PART_DELETE] = AST_ON, [PART_TRIGGER] = AST_TRIGGER,
                                [PART_GUARD] = AST_GUARD, [PART_MOVED] = AST_MOVED, [PART_INTO] = AST_INTO};
    if (part == PART_INTO && f->ast->to && f->ast->to->kind == AST_INTO) return f->ast->to;
    AST_EACH(n, f->ast->clauses) {
        if (n->kind != kinds[part]) continue;
        if (n->kind == AST_ON && AST_AS(on, n)->event != (part == PART_LEAVE ? EVENT_LEAVE : EVENT_DELETE)) continue;
        return n;
    }
    return NULL;
}

struct diff_place diff__place_flow(struct diff *d, int side, const struct image_flow *fl, enum flow_part part)
{
    const struct flow *f = spec_flow(d, side, fl->name);
    struct diff_place at = diff__place_file(d, side);
    if (f) {
        const struct ast *n = clause(f, part);
        return place_of(d, side, n ? n->at : f->at);
    }
    for (size_t i = 0; i < fl->nfields; i++)          /* compiled: its first field, or the key */
        if (fl->fields[i].line && (at.line == 0 || fl->fields[i].line < at.line) && (part != PART_KEY || i == fl->key_field)) at.line = fl->fields[i].line;
    return at;
}

struct diff_place diff__place_field(struct diff *d, int side, const struct image_flow *fl, const struct image_field *field)
{
    const struct flow *f = spec_flow(d, side, fl->name);
    for (size_t i = 0; f && i < f->nfields; i++)
        if (str_eq(f->fields[i]->column->name, field->name)) return place_of(d, side, f->fields[i]->at);
    return (struct diff_place){d->side[side].shown, field->line};
}

/* ---- lines ---- */

static const struct field *spec_list(const struct flow *f, struct str list)
{
    for (size_t i = 0; f && i < f->nfields; i++)
        if (str_eq(f->fields[i]->column->name, list)) return f->fields[i];
    return NULL;
}

/* The `each` of a field, left of all ??. */
static const struct ast_each *each_of(const struct field *f)
{
    const struct ast *n = f ? f->ast : NULL;
    while (n && n->kind == AST_BINARY) n = AST_AS(binary, n)->left;
    return n && n->kind == AST_EACH ? AST_AS(each, n) : NULL;
}

/* A clause of an `each`; of a field the one with that name. */
static const struct ast *line_clause(const struct ast_each *e, enum flow_part part, struct str field)
{
    if (part == PART_WHEN) return e->when;
    AST_EACH(n, e->clauses) {
        if (part == PART_KEY && n->kind == AST_LINE_KEY) return n;
        if (part == PART_FLOW && n->kind == AST_FIELD && str_eq(AST_AS(field, n)->name.text, field)) return n;
    }
    return NULL;
}

static struct diff_place place_in_lines(struct diff *d, int side, const struct image_flow *fl, const struct image_field *list, enum flow_part part, struct str field, uint32_t line)
{
    const struct field *f = spec_list(spec_flow(d, side, fl->name), list->name);
    const struct ast_each *e = each_of(f);
    const struct ast *n = e ? line_clause(e, part, field) : NULL;
    if (f) return place_of(d, side, n ? n->at : e ? e->base.at : f->at);
    return (struct diff_place){d->side[side].shown, line ? line : list->line};
}

struct diff_place diff__place_line_field(struct diff *d, int side, const struct image_flow *fl, const struct image_field *list, const struct image_field *f)
{
    return place_in_lines(d, side, fl, list, PART_FLOW, f->name, f->line);
}

struct diff_place diff__place_line_part(struct diff *d, int side, const struct image_flow *fl, const struct image_field *list, enum flow_part part)
{
    return place_in_lines(d, side, fl, list, part, (struct str){"", 0}, 0);
}

const char *diff__line_text(struct diff *d, int side, const struct image_flow *fl, const struct image_field *list, enum flow_part part)
{
    const struct ast_each *e = each_of(spec_list(spec_flow(d, side, fl->name), list->name));
    const struct ast *n = e ? line_clause(e, part, (struct str){"", 0}) : NULL;
    struct buf b = {0};
    if (!n) return NULL;
    spec_print(&b, n->kind == AST_LINE_KEY ? AST_AS(line_key, n)->value : n);
    return diff__buf(d, &b);
}

/* ---- the rest ---- */

struct diff_place diff__place_endpoint(struct diff *d, int side, struct str name, struct str setting)
{
    const struct compile *c = d->side[side].source;
    for (const struct endpoint *e = c && c->spec ? c->spec->endpoints : NULL; e != NULL; e = e->next) {
        if (!str_eq(e->name, name)) continue;
        for (size_t i = 0; i < e->nsettings; i++)
            if (str_eq(e->settings[i].name, setting) && span_known(e->settings[i].at)) return place_of(d, side, e->settings[i].at);
        return place_of(d, side, e->at);
    }
    return diff__place_file(d, side);
}

const char *diff__source_text(struct diff *d, int side, const struct image_flow *fl, enum flow_part part)
{
    const struct flow *f = spec_flow(d, side, fl->name);
    const struct ast *n = f ? clause(f, part) : NULL;
    struct buf b = {0};
    if (!n) return NULL;
    if (n->kind == AST_WHEN) spec_print(&b, AST_AS(when, n)->condition);
    else if (n->kind == AST_ADOPT) {
        buf_printf(&b, "%.*s == ", (int)AST_AS(adopt, n)->field.text.n, AST_AS(adopt, n)->field.text.p);
        spec_print(&b, AST_AS(adopt, n)->value);
    } else if (n->kind == AST_INTO) {
        buf_printf(&b, "%.*s(", (int)AST_AS(into, n)->flow.text.n, AST_AS(into, n)->flow.text.p);
        AST_EACH(x, AST_AS(into, n)->args) {
            if (x != AST_AS(into, n)->args.first) buf_puts(&b, ", ");
            spec_print(&b, x);
        }
        buf_byte(&b, ')');
    } else if (n->kind == AST_KEY && AST_AS(key, n)->value) spec_print(&b, AST_AS(key, n)->value);
    return diff__buf(d, &b);
}

struct str diff__table_name(struct diff *d, int side, const struct image_table *t)
{
    const struct compile *c = d->side[side].source;
    for (size_t i = 0; c && i < c->lowered.ntables; i++)
        if (c->lowered.tables[i].keys == t->keys) return c->lowered.tables[i].name;
    return (struct str){"", 0};
}
