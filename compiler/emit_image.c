/* emit_image.c - the image around the code: endpoints, columns that are read, fields, events, tables, hashes, debug texts. */
#include "compiler/emit.h"
#include "compiler/hash.h"
#include "dsl/spec.h"
#include "base/check.h"
#include <stdio.h>

static void endpoints(const struct spec *s, struct arena *a, struct image *im)
{
    size_t n = 0;
    for (const struct endpoint *e = s->endpoints; e != NULL; e = e->next) n++;
    struct image_endpoint *src = ARENA_ARRAY(a, struct image_endpoint, n + 1), *dst = ARENA_ARRAY(a, struct image_endpoint, n + 1);
    for (const struct endpoint *e = s->endpoints; e != NULL; e = e->next) {
        struct image_setting *set = ARENA_ARRAY(a, struct image_setting, e->nsettings + 1);
        for (size_t i = 0; i < e->nsettings; i++)
            set[i] = (struct image_setting){e->settings[i].name, (enum setting_kind)e->settings[i].kind, e->settings[i].value};
        struct image_endpoint *o = e->target ? &dst[im->ntargets++] : &src[im->nsources++];
        *o = (struct image_endpoint){e->name, e->system->name, set, e->nsettings};
    }
    im->sources = src;
    im->targets = dst;
}

/* The columns that something reads, in the order of the schema; keys in the order of the source. */
static uint16_t *columns(const struct flow *f, const struct lowered *l, const struct lowered_flow *lf, struct arena *a, struct image_flow *out, uint16_t **line_of)
{
    const struct schema *e = f->entity;
    bool *read = ARENA_ARRAY(a, bool, e->ncolumns + 1);
    uint16_t *map = ARENA_ARRAY(a, uint16_t, e->ncolumns + 1), *keys = ARENA_ARRAY(a, uint16_t, LIMIT_KEY_PARTS);
    struct image_column *cols = ARENA_ARRAY(a, struct image_column, e->ncolumns + 1);
    if (lf->when) ir_columns(&l->graph, lf->when, read);
    if (lf->adopt) ir_columns(&l->graph, lf->adopt, read);
    if (lf->key) ir_columns(&l->graph, lf->key, read);
    if (lf->into) ir_columns(&l->graph, lf->into, read);
    for (size_t i = 0; i < lf->nfields; i++)
        if (lf->fields[i]) ir_columns(&l->graph, lf->fields[i], read);
    for (size_t i = 0; i < e->ncolumns; i++) {
        const struct column *c = &e->columns[i];
        if (!read[i] && !c->key) continue;
        if (c->key) keys[out->nkeys++] = (uint16_t)out->ncolumns;
        map[i] = (uint16_t)out->ncolumns;
        cols[out->ncolumns] = (struct image_column){c->name, c->type, c->key, str_starts(c->name, STR("UDF_"))};
        if (c->lines.n) cols[out->ncolumns].type = emit_list_type(l, lf, (unsigned)i, a, &line_of[i]);
        else cols[out->ncolumns].type.optional = c->type.optional || c->has_default;
        out->ncolumns++;
    }
    out->columns = cols;
    out->key_columns = keys;
    return map;
}

static enum field_mode mode_of(const struct field *f)
{
    switch (f->mode) {
    case MODE_ONCE: return FIELD_ONCE;
    case MODE_FILL: return FIELD_FILL;
    case FIELD_IS_KEY: return FIELD_KEY;
    case FIELD_IS_EVENT: return FIELD_EVENT;
    default: return FIELD_SET;
    }
}

static void reads(const struct lowered *l, const struct ir *x, const struct flow *f, const uint16_t *map, struct arena *a, struct image_field *out)
{
    bool *seen = ARENA_ARRAY(a, bool, f->entity->ncolumns + 1);
    uint16_t *list = ARENA_ARRAY(a, uint16_t, f->entity->ncolumns + 1);
    ir_columns(&l->graph, x, seen);
    for (size_t i = 0; i < f->entity->ncolumns; i++)
        if (seen[i]) list[out->nreads++] = map[i];
    out->reads = list;
}

void emit_debug_text(const struct spec *s, const struct field *f, struct arena *a, struct image_field *out)
{
    struct place p = source_place(s->sources, f->at);
    struct buf b = {0};
    spec_print(&b, f->ast);
    out->expr = (struct str){arena_copy(a, b.p ? b.p : "", b.n), b.n};
    buf_free(&b);
    out->line = p.line;
    if (p.source == NULL) return;
    /* Without its folder: the compiled file is the same wherever it was made. */
    const char *slash = memrchr(p.source->name.p, '/', p.source->name.n);
    const char *base = slash ? slash + 1 : p.source->name.p;
    out->file = (struct str){base, (size_t)(p.source->name.p + p.source->name.n - base)};
}

static void fields(const struct spec *s, const struct lowered *l, const struct lowered_flow *lf, const uint16_t *map, struct arena *a, struct image_flow *out)
{
    struct image_field *list = ARENA_ARRAY(a, struct image_field, lf->nfields + 1);
    for (size_t i = 0; i < lf->nfields; i++) {
        const struct field *f = lf->flow->fields[i];
        const struct column *c = f->column;
        list[i] = (struct image_field){.name = c->name, .type = c->type, .mode = mode_of(f), .unique = c->unique, .on_insert = !c->read_only,
                                       .on_update = !c->read_only && !c->insert_only, .custom = c->custom, .link_module = c->link_module};
        if (lf->fields[i] && emit_list_of(lf->fields[i])) list[i].type = f->value->ty.t;
        list[i].type.optional = list[i].type.base == T_LIST ? !c->required : list[i].type.optional;
        emit_debug_text(s, f, a, &list[i]);
        if (f->mode == FIELD_IS_KEY) out->key_field = (uint16_t)i;
        if (lf->fields[i]) {
            reads(l, lf->fields[i], lf->flow, map, a, &list[i]);
            list[i].hash = hash_rule(c->name, list[i].mode, lf->fields[i]);
        }
    }
    out->fields = list;
    out->nfields = lf->nfields;
}

static struct image_event event(const struct flow *f, const struct event *ev, struct arena *a)
{
    uint16_t *idx = ARENA_ARRAY(a, uint16_t, ev->n + 1);
    for (size_t i = 0; i < ev->n; i++)
        for (size_t k = 0; k < f->nfields; k++)
            if (f->fields[k] == ev->fields[i]) idx[i] = (uint16_t)k;
    return (struct image_event){idx, ev->values, ev->n, ev->present};
}

static void hashes(struct image_flow *out, const struct lowered_flow *lf)
{
    struct image_field *list = (struct image_field *)(uintptr_t)out->fields;     /* ours: made by fields() above */
    for (size_t i = 0; i < out->nfields; i++) {
        if (list[i].mode == FIELD_KEY) list[i].hash = hash_key(out, lf->key);
        if (list[i].mode == FIELD_EVENT) list[i].hash = hash_event_field(out, i);
    }
    out->hash = hash_flow(out, lf->when, lf->adopt, lf->into);
}

static bool flow(const struct spec *s, const struct lowered *l, const struct lowered_flow *lf, struct pools *p, struct image_flow *out, char *why, size_t why_len)
{
    const struct flow *f = lf->flow;
    struct arena *a = p->arena;
    *out = (struct image_flow){.name = f->name, .source = f->source->name, .target = f->target->name, .entity = f->entity->name, .via = f->via,
                               .module = f->module->name, .companies = f->companies, .ncompanies = f->ncompanies, .every_ms = f->every_ms,
                               .reread_ms = f->reread_ms, .key_with_flow = f->key_with_flow, .adopt = f->adopt != NULL,
                               .trigger_workflow = f->trigger_workflow,
                               .trigger_approval = f->trigger_approval, .trigger_blueprint = f->trigger_blueprint, .guard = f->guard, .moved_from = f->moved_from, .fuse_count = f->fuse_count, .fuse_percent = f->fuse_percent};
    struct str *sources = ARENA_ARRAY(a, struct str, f->nsources + 1);
    for (size_t i = 0; i < f->nsources; i++) sources[i] = f->sources[i]->name;
    out->company_sources = sources;
    if (f->into) out->into = (uint16_t)(f->into->index + 1);
    if (f->adopt_field) out->adopt_field = f->adopt_field->name;
    uint16_t **line_of = ARENA_ARRAY(a, uint16_t *, f->entity->ncolumns + 1);
    uint16_t *map = columns(f, l, lf, a, out, line_of);
    if (out->ncolumns > LIMIT_COLUMNS) {
        snprintf(why, why_len, "%d columns in one flow", LIMIT_COLUMNS);
        return false;
    }
    fields(s, l, lf, map, a, out);
    out->on_leave = event(f, &f->on_leave, a);
    out->on_delete = event(f, &f->on_delete, a);
    struct emit_field *ef = ARENA_ARRAY(a, struct emit_field, lf->nfields + 1);
    for (size_t i = 0; i < lf->nfields; i++) ef[i] = (struct emit_field){lf->fields[i], out->fields[i].type};
    struct emit_lists lists = {.column_of = map, .ncolumns = out->ncolumns, .line_of = line_of};
    if (!emit_lines(s, l, lf, p, &lists, out, why, why_len)) return false;
    struct emit_flow in = {.when = lf->when, .adopt = lf->adopt, .key = lf->key, .into = lf->into, .fields = ef, .nfields = lf->nfields, .column_of = map,
                           .lists = lists.each, .nlists = out->nlines};
    if (!emit_flow(p, &in, out, why, why_len)) return false;
    hashes(out, lf);
    return true;
}

void emit_pools(const struct pools *p, struct image *im)
{
    struct image_table *t = ARENA_ARRAY(p->arena, struct image_table, p->ntables + 1);
    for (size_t i = 0; i < p->ntables; i++) {
        const struct ir_table *x = p->tables[i];
        t[i] = (struct image_table){x->keys, x->values, x->n, x->has_else, x->otherwise};
    }
    im->tables = t;
    im->ntables = p->ntables;
    im->consts = p->consts;
    im->nconsts = p->nconsts;
    im->messages = p->messages;
    im->nmessages = p->nmessages;
    im->args = p->args;
    im->nargs = p->nargs;
}

/* Parents before those who refer to them; else as declared. */
static uint16_t *order(const struct spec *s, struct arena *a, size_t n)
{
    uint16_t *out = ARENA_ARRAY(a, uint16_t, n + 1);
    size_t k = 0;
    for (unsigned rank = 0; k < n; rank++)
        for (const struct flow *f = s->flows; f != NULL; f = f->next)
            if (f->rank == rank) out[k++] = (uint16_t)f->index;
    return out;
}

bool emit_image(const struct spec *s, const struct lowered *l, struct arena *a, struct image **out, const struct flow **culprit, char *why, size_t why_len)
{
    struct image *im = ARENA_NEW(a, struct image);
    struct image_flow *flows = ARENA_ARRAY(a, struct image_flow, l->nflows + 1);
    struct pools p = {.arena = a, .tables = ARENA_ARRAY(a, const struct ir_table *, l->ntables + 1)};
    im->spec = s->title;
    im->edition = str_of(arena_printf(a, "%lld", (long long)s->edition));
    endpoints(s, a, im);
    for (size_t i = 0; i < l->nflows; i++) {
        *culprit = l->flows[i].flow;
        if (!flow(s, l, &l->flows[i], &p, &flows[i], why, why_len)) return false;
    }
    im->flows = flows;
    im->nflows = l->nflows;
    im->order = order(s, a, l->nflows);
    emit_pools(&p, im);
    for (size_t i = 0; i < im->nflows; i++) {
        for (size_t k = 0; k < flows[i].nlines; k++) {
            struct image_flow *body = (struct image_flow *)(uintptr_t)flows[i].lines[k].body;      /* ours: made by emit_lines.c */
            if (body->when.ninstr) image_bounds(im, body, &body->when);
            image_bounds(im, body, &body->map);
            image_bounds(im, body, &body->key_program);
        }
        image_bounds(im, &flows[i], &flows[i].map);
        if (flows[i].when.ninstr) image_bounds(im, &flows[i], &flows[i].when);
        if (flows[i].adopt) image_bounds(im, &flows[i], &flows[i].adopt_program);
        if (flows[i].into) image_bounds(im, &flows[i], &flows[i].into_program);
        if (flows[i].key_program.ninstr) image_bounds(im, &flows[i], &flows[i].key_program);
    }
    *out = im;
    return true;
}
