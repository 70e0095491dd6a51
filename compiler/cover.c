/* cover.c - see cover.h: compiles the questions of cover_walk.c in batches, asks them of the rows of tests, and counts.
 *
 * A program answers like the `into` program of a flow: a value, or a reject, which ends the row. Its columns are all those of the source table, with
 * those of the line behind them, because a question may look at a column that no folded rule reads. */
#include "compiler/cover_private.h"
#include "compiler/trial.h"
#include <stdlib.h>

/* ---- compiling ---- */

static struct image_column image_column_of(const struct column *c)
{
    struct image_column out = {.name = c->name, .type = c->known_type ? c->type : types_plain(T_BOOL), .key = c->key};
    out.type.optional = c->type.optional || c->has_default || !c->known_type;
    return out;
}

static struct image_column *all_columns(struct arena *a, const struct schema *entity, const struct schema *lines, size_t *n)
{
    struct image_column *cols = ARENA_ARRAY(a, struct image_column, entity->ncolumns + (lines ? lines->ncolumns : 0) + 1);
    *n = 0;
    for (size_t i = 0; i < entity->ncolumns; i++) cols[(*n)++] = image_column_of(&entity->columns[i]);
    for (size_t i = 0; lines && i < lines->ncolumns; i++) cols[(*n)++] = image_column_of(&lines->columns[i]);
    return cols;
}

static uint16_t *as_they_stand(struct arena *a, size_t n)
{
    uint16_t *map = ARENA_ARRAY(a, uint16_t, n + 1);
    for (size_t i = 0; i < n; i++) map[i] = (uint16_t)i;
    return map;
}

struct maker { struct cover *cv; struct pools pools; struct image_flow **flows; size_t nflows, cap; };

static void add_flow(struct maker *m, struct image_flow *f)
{
    if (m->nflows == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 16;
        struct image_flow **list = ARENA_ARRAY(m->cv->a, struct image_flow *, m->cap);
        if (m->nflows) memcpy(list, m->flows, m->nflows * sizeof *list);
        m->flows = list;
    }
    m->flows[m->nflows++] = f;
}

/* Up to COVER_BATCH points in one flow; when that is above a limit, half of them at a time. */
static void compile_batch(struct maker *m, const struct cover_flow *cf, const struct cover_group *g, struct cover_point **points, size_t n)
{
    struct arena *a = m->cv->a;
    const struct schema *entity = cf->flow->entity, *lines = g->each ? g->each->lines : NULL;
    struct ir *probes[COVER_BATCH];
    struct image_program programs[COVER_BATCH];
    struct image_flow *f = ARENA_NEW(a, struct image_flow);
    char why[160];
    for (size_t i = 0; i < n; i++) probes[i] = points[i]->ir;
    *f = (struct image_flow){.name = cf->flow->name, .into = 1};
    f->columns = all_columns(a, entity, lines, &f->ncolumns);
    struct emit_flow in = {.column_of = as_they_stand(a, entity->ncolumns), .line_of = lines ? as_they_stand(a, lines->ncolumns) : NULL,
                           .line_base = (uint16_t)entity->ncolumns, .probes = probes, .nprobes = n, .programs = programs};
    if (emit_flow(&m->pools, &in, f, why, sizeof why)) {
        add_flow(m, f);
        for (size_t i = 0; i < n; i++) {
            points[i]->flow = f;
            points[i]->program = programs[i];
        }
    } else if (n > 1) {
        compile_batch(m, cf, g, points, n / 2);
        compile_batch(m, cf, g, points + n / 2, n - n / 2);
    } else if (points[0]->item) points[0]->item->unmeasured = true;
}

static void compile_group(struct maker *m, const struct cover_flow *cf, const struct cover_group *g)
{
    struct cover_point *batch[COVER_BATCH];
    size_t n = 0;
    for (struct cover_point *p = g->points; p != NULL; p = p->next) {
        batch[n++] = p;
        if (n < COVER_BATCH && p->next) continue;
        compile_batch(m, cf, g, batch, n);
        n = 0;
    }
}

/* Sizes of what programs take; the flow of a batch stands for the largest of its programs. */
static void bound_group(const struct image *im, const struct cover_group *g)
{
    for (struct cover_point *p = g->points; p != NULL; p = p->next) {
        if (!p->flow) continue;
        image_bounds(im, p->flow, &p->program);
        if (p->flow->into_program.ninstr == 0 || p->program.scratch_bytes > p->flow->into_program.scratch_bytes) p->flow->into_program = p->program;
    }
}

static void compile_all(struct cover *cv)
{
    struct maker m = {.cv = cv, .pools = {.arena = cv->a}};
    m.pools.tables = ARENA_ARRAY(cv->a, const struct ir_table *, cv->c->lowered.ntables + 1);
    for (const struct cover_flow *cf = cv->flows; cf != NULL; cf = cf->next) {
        compile_group(&m, cf, &cf->when);
        compile_group(&m, cf, &cf->map);
        for (const struct cover_group *g = cf->lines; g != NULL; g = g->next) compile_group(&m, cf, g);
    }
    struct image *im = ARENA_NEW(cv->a, struct image);
    struct image_flow *flows = ARENA_ARRAY(cv->a, struct image_flow, m.nflows + 1);
    emit_pools(&m.pools, im);
    for (const struct cover_flow *cf = cv->flows; cf != NULL; cf = cf->next) {
        bound_group(im, &cf->when);
        bound_group(im, &cf->map);
        for (const struct cover_group *g = cf->lines; g != NULL; g = g->next) bound_group(im, g);
    }
    for (size_t i = 0; i < m.nflows; i++) flows[i] = *m.flows[i];
    im->flows = flows;
    im->nflows = m.nflows;
    cv->vm = vm_new(im);
}

struct cover *cover_new(struct compile *c, const struct image *im)
{
    struct cover *cv = ARENA_NEW(&c->arena, struct cover);
    *cv = (struct cover){.c = c, .a = &c->arena, .im = im};
    cv->end = &cv->items;
    ir_init(&cv->graph, cv->a);
    cover__walk(cv);
    compile_all(cv);
    cv->production = vm_new(im);
    return cv;
}

void cover_free(struct cover *cv)
{
    vm_free(cv->vm);
    vm_free(cv->production);
    cv->vm = cv->production = NULL;
}

/* ---- asking ---- */

static struct value ask(struct cover *cv, const struct cover_point *p, const struct value *cols, bool *rejected)
{
    const struct str *message;
    struct image_flow f = *p->flow;
    f.into_program = p->program;
    struct value v = vm_into(cv->vm, &f, cols, &message);
    *rejected = message != NULL;
    return v;
}

static void count_key(const struct cover_table *t, const struct value *key)
{
    if (!value_present(key)) return;
    for (size_t i = 0; i < t->table->nrows; i++)
        if (value_equal(&t->table->rows[i].key, key)) {
            (t->rows ? t->rows[i] : t->hit)->hits++;
            return;
        }
    t->miss->hits++;
}

/* Asks a group's points from field to field; the field whose reject ended the row, or `last`. */
static unsigned ask_group(struct cover *cv, const struct cover_group *g, const struct value *cols, unsigned first, unsigned last)
{
    for (const struct cover_point *p = g->points; p != NULL && p->field <= last; p = p->next) {
        bool rejected;
        if (!p->flow || p == g->gate || p->field < first) continue;
        struct value v = ask(cv, p, cols, &rejected);
        if (rejected) last = p->field;
        else if (p->table) count_key(p->table, &v);
        else if (v.kind == V_BOOL && v.u.b) {
            p->item->hits++;
            if (p->rejects) last = p->field;
        }
    }
    return last;
}

/* False when the row ended here. */
static bool ask_lines(struct cover *cv, const struct cover_group *g, const struct test *t, const struct value *header, size_t nheader, struct arena *a)
{
    bool some = false, rejected;
    const struct schema *lines = g->each->lines;
    for (const struct test_row *r = t->rows; r != NULL; r = r->next) {
        if (r->list != g->each->list) continue;
        struct value *cols = ARENA_ARRAY(a, struct value, nheader + lines->ncolumns + 1);
        memcpy(cols, header, nheader * sizeof *cols);
        for (size_t i = 0; i < r->ngiven; i++) {
            struct value *v = &cols[nheader + r->given[i].column];
            *v = r->given[i].value;
            if (v->kind == V_DECIMAL) decimal_rescale(v, lines->columns[r->given[i].column].type.scale, v);
        }
        struct value pass = g->gate && g->gate->flow ? ask(cv, g->gate, cols, &rejected) : value_absent;
        some = some || (pass.kind == V_BOOL && pass.u.b);
        if (ask_group(cv, g, cols, 0, UINT32_MAX) < UINT32_MAX) return false;
    }
    if (some && g->some) g->some->hits++;
    if (!some && g->none) g->none->hits++;
    return some || !g->none_rejects;
}

static bool is_mapped(struct cover *cv, const struct cover_flow *cf, const struct test *t, struct arena *a)
{
    const struct str *rejected = NULL;
    const struct value *cols = trial_row(t, cf->production, a);
    if (!vm_when(cv->production, cf->production, cols)) return false;
    if (!cf->production->into) return true;
    struct value to = vm_into(cv->production, cf->production, cols, &rejected);
    return value_present(&to) || rejected;
}

void cover_test(struct cover *cv, const struct test *t, struct arena *scratch)
{
    const struct cover_flow *cf = cv->flows;
    while (cf && cf->flow != t->flow) cf = cf->next;
    if (!cf) return;
    struct image_flow header = {.ncolumns = 0};
    unsigned from = 0;
    header.columns = all_columns(scratch, cf->flow->entity, NULL, &header.ncolumns);
    const struct value *cols = trial_row(t, &header, scratch);
    ask_group(cv, &cf->when, cols, 0, UINT32_MAX);
    if (!is_mapped(cv, cf, t, scratch)) return;
    cf->item->hits++;
    for (const struct cover_group *g = cf->lines; g != NULL; g = g->next) {      /* as the mapping goes: field by field */
        if (ask_group(cv, &cf->map, cols, from, g->field) < g->field || !ask_lines(cv, g, t, cols, header.ncolumns, scratch)) return;
        from = g->field + 1;
    }
    ask_group(cv, &cf->map, cols, from, UINT32_MAX);
}

/* ---- what came of it ---- */

static bool measured(const struct cover *cv, const struct cover_item *i) { return i->hits || !(i->unmeasured || cv->incomplete); }

struct cover_sum cover_sum(const struct cover *cv)
{
    struct cover_sum s = {0};
    for (const struct cover_item *i = cv->items; i != NULL; i = i->next) {
        s.unmeasured += !measured(cv, i);
        s.branches += measured(cv, i);
        s.reached += i->hits > 0;
    }
    s.tenths = s.branches ? (unsigned)(s.reached * 1000 / s.branches) : 1000;
    return s;
}

static int by_place(const void *x, const void *y)
{
    const struct cover_item *a = *(struct cover_item *const *)x, *b = *(struct cover_item *const *)y;
    if (a->at.file != b->at.file) return a->at.file < b->at.file ? -1 : 1;
    if (a->at.at != b->at.at) return a->at.at < b->at.at ? -1 : 1;
    return (int)a->kind - (int)b->kind;
}

struct cover_item **cover_missed(const struct cover *cv, size_t *n)
{
    size_t all = 0;
    for (const struct cover_item *i = cv->items; i != NULL; i = i->next) all++;
    struct cover_item **list = ARENA_ARRAY(cv->a, struct cover_item *, all + 1);
    *n = 0;
    for (struct cover_item *i = cv->items; i != NULL; i = i->next)
        if (!i->hits && measured(cv, i)) list[(*n)++] = i;
    if (*n) qsort(list, *n, sizeof *list, by_place);
    return list;
}

const char *cover_kind_name(enum cover_kind k)
{
    static const char *const names[] = {[COVER_FLOW] = "flow", [COVER_ARM] = "arm", [COVER_LEFT] = "left of ??", [COVER_RIGHT] = "right of ??",
                                        [COVER_TRUE] = "condition true", [COVER_FALSE] = "condition false", [COVER_ROW] = "table row",
                                        [COVER_HIT] = "table hit", [COVER_MISS] = "table miss"};
    return names[k];
}
