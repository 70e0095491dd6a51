/* emit_lines.c - list sites of a flow: the columns of a line that something reads, and the body that makes a line of the target from it.
 *
 *   IR_EACH of a field -emit_lines-> struct image_lines (list column, limits, body: fields, links, registers, when, map, key)
 *
 * The body sees the flow's columns in front of the line's own; emit_flow compiles it as it compiles a flow. */
#include "compiler/emit.h"
#include "compiler/hash.h"
#include "dsl/spec.h"
#include "base/check.h"
#include <stdio.h>

/* The list under a field's value: left of ??, or the value itself. */
static struct ir *list_of(struct ir *x)
{
    while (x && x->op == IR_ELSE) x = x->args[0];
    return x && x->op == IR_EACH ? x : NULL;
}

const struct ir_each *emit_list_of(struct ir *value)
{
    struct ir *x = list_of(value);
    return x ? x->each : NULL;
}

/* ---- source side ---- */

static bool in_header(const struct flow *f, const struct column *c)
{
    const struct schema *e = f->entity;
    for (size_t i = 0; i < e->ncolumns; i++)
        if (e->columns[i].key && str_eq(e->columns[i].name, c->name)) return true;
    return false;
}

/* What any list site of the flow reads of the lines in one column, and what keeps lines apart. */
static bool *line_reads(const struct lowered *l, const struct lowered_flow *lf, unsigned column, struct arena *a, const struct schema **lines)
{
    bool *seen = NULL;
    for (size_t i = 0; i < lf->nfields; i++) {
        const struct ir_each *e = lf->fields[i] ? emit_list_of(lf->fields[i]) : NULL;
        if (e == NULL || e->column != column) continue;
        *lines = e->from->lines;
        if (seen == NULL) seen = ARENA_ARRAY(a, bool, (*lines)->ncolumns + 1);
        ir_line_columns(&l->graph, e, seen);
    }
    for (size_t i = 0; seen && i < (*lines)->ncolumns; i++) {
        const struct column *c = &(*lines)->columns[i];
        seen[i] = seen[i] || (c->key && !in_header(lf->flow, c));
    }
    return seen;
}

struct type emit_list_type(const struct lowered *l, const struct lowered_flow *lf, unsigned column, struct arena *a, uint16_t **line_of)
{
    const struct schema *lines = NULL;
    bool *seen = line_reads(l, lf, column, a, &lines);
    ASSERT(seen != NULL);
    struct list_shape *s = ARENA_NEW(a, struct list_shape);
    struct str *names = ARENA_ARRAY(a, struct str, lines->ncolumns + 1);
    struct type *types = ARENA_ARRAY(a, struct type, lines->ncolumns + 1);
    uint8_t *flags = ARENA_ARRAY(a, uint8_t, lines->ncolumns + 1);
    *line_of = ARENA_ARRAY(a, uint16_t, lines->ncolumns + 1);
    for (size_t i = 0; i < lines->ncolumns; i++) {
        const struct column *c = &lines->columns[i];
        if (!seen[i]) continue;
        (*line_of)[i] = s->n;
        names[s->n] = c->name;
        types[s->n] = c->type;
        types[s->n].optional = c->type.optional || c->has_default;
        flags[s->n++] = (uint8_t)((c->key && !in_header(lf->flow, c) ? LIST_KEY : 0) | (str_starts(c->name, STR("UDF_")) ? LIST_UDF : 0));
    }
    s->max_lines = lines->most_lines ? lines->most_lines : LIMIT_LINES;
    s->names = names;
    s->types = types;
    s->flags = flags;
    return (struct type){.base = T_LIST, .optional = true, .shape = s};
}

/* ---- the body ---- */

static void body_reads(const struct lowered *l, const struct ir *x, const struct emit_lists *in, size_t nentity, const struct ir_each *e, struct arena *a,
                       struct image_field *out)
{
    bool *header = ARENA_ARRAY(a, bool, nentity + 1), *line = ARENA_ARRAY(a, bool, e->from->lines->ncolumns + 1);
    uint16_t *list = ARENA_ARRAY(a, uint16_t, nentity + e->from->lines->ncolumns + 1);
    ir_columns(&l->graph, x, header);
    ir_line_reads(&l->graph, x, line);
    for (size_t i = 0; i < nentity; i++)
        if (header[i]) list[out->nreads++] = in->column_of[i];
    for (size_t i = 0; i < e->from->lines->ncolumns; i++)
        if (line[i]) list[out->nreads++] = (uint16_t)(in->ncolumns + in->line_of[e->column][i]);
    out->reads = list;
}

static void body_fields(const struct spec *s, const struct lowered *l, const struct emit_lists *in, size_t nentity, const struct ir_each *e, struct arena *a,
                        struct image_flow *body)
{
    struct image_field *list = ARENA_ARRAY(a, struct image_field, e->nfields + 1);
    for (size_t i = 0; i < e->nfields; i++) {
        const struct field *f = e->from->fields[i];
        const struct column *c = f->column;
        list[i] = (struct image_field){.name = c->name, .type = c->type, .mode = FIELD_SET, .unique = c->unique, .on_insert = !c->read_only,
                                       .on_update = !c->read_only && !c->insert_only, .custom = c->custom, .link_module = c->link_module};
        emit_debug_text(s, f, a, &list[i]);
        body_reads(l, e->fields[i], in, nentity, e, a, &list[i]);
        list[i].hash = hash_rule(c->name, FIELD_SET, e->fields[i]);
    }
    body->fields = list;
    body->nfields = e->nfields;
}

bool emit_lines(const struct spec *s, const struct lowered *l, const struct lowered_flow *lf, struct pools *p, struct emit_lists *in, struct image_flow *out,
                char *why, size_t why_len)
{
    struct arena *a = p->arena;
    struct image_lines *sites = ARENA_ARRAY(a, struct image_lines, lf->nfields + 1);
    in->each = ARENA_ARRAY(a, const struct ir_each *, lf->nfields + 1);
    for (size_t i = 0; i < lf->nfields; i++) {
        const struct ir_each *e = lf->fields[i] ? emit_list_of(lf->fields[i]) : NULL;
        if (e == NULL) continue;
        struct image_flow *body = ARENA_NEW(a, struct image_flow);
        struct emit_field *ef = ARENA_ARRAY(a, struct emit_field, e->nfields + 1);
        struct image_lines *site = &sites[out->nlines];
        *site = (struct image_lines){.column = in->column_of[e->column], .max_lines = e->max_lines, .body = body};
        site->too_many = emit_message(p, str_of(arena_printf(a, "%.*s: more than %u lines", (int)e->target.n, e->target.p, (unsigned)e->max_lines)));
        site->twice = emit_message(p, str_of(arena_printf(a, "%.*s: two lines of one key", (int)e->target.n, e->target.p)));
        body->columns = image_line_columns(out->columns, out->ncolumns, site->column, a, &body->ncolumns);
        body_fields(s, l, in, lf->flow->entity->ncolumns, e, a, body);
        for (size_t k = 0; k < e->nfields; k++) ef[k] = (struct emit_field){e->fields[k], body->fields[k].type};
        struct emit_flow ein = {.when = e->when, .key = e->key, .fields = ef, .nfields = e->nfields, .column_of = in->column_of,
                                .line_of = in->line_of[e->column], .line_base = (uint16_t)out->ncolumns};
        if (body->ncolumns > LIMIT_COLUMNS + LIMIT_COLUMNS) {
            snprintf(why, why_len, "%d columns in one list", LIMIT_COLUMNS);
            return false;
        }
        if (!emit_flow(p, &ein, body, why, why_len)) return false;
        in->each[out->nlines++] = e;
        ((struct image_field *)(uintptr_t)out->fields)[i].lines = (uint16_t)out->nlines;      /* ours: made by emit_image.c */
    }
    out->lines = sites;
    return true;
}
