/* reduce.c - the smallest spec and row on which the two still differ.
 *
 * First the row: every column to absent, or to the plainest value of its type. Then the text: clauses, declarations and arms are cut out, and an
 * expression is replaced by one of its own parts. What does not compile any more, or agrees, is put back. */
#include "tests/reference/agree.h"
#include <stdio.h>

struct case_ { struct str *names; struct value *values; size_t n; };      /* a row by names: columns may go */
struct cut { uint32_t at, end, from, to; };                               /* [at, end) becomes the text of [from, to) */
struct cuts { struct cut list[3000]; size_t n; };

static void row_for(const struct agree *a, const struct case_ *c, struct value *out)
{
    for (size_t i = 0; i < a->ncolumns; i++) {
        out[i] = value_absent;
        for (size_t k = 0; k < c->n; k++)
            if (str_eq(c->names[k], a->columns[i].name)) out[i] = c->values[k];
    }
}

static void add(struct cuts *c, struct span what, struct span by)
{
    if (c->n < sizeof c->list / sizeof *c->list && what.end > what.at) c->list[c->n++] = (struct cut){what.at, what.end, by.at, by.end};
}

struct visit { struct cuts *cuts; struct ast *parent; };

static void collect(void *ctx, struct ast *n)
{
    struct visit *v = ctx, inner = {v->cuts, n};
    const struct span nothing = {0, 0, 0};
    bool part = ast_is_expr((enum ast_kind)n->kind);
    if (!part && n->kind != AST_TYPE && n->kind != AST_ENTITY && n->kind != AST_ENDPOINT && n->kind != AST_SPEC) add(v->cuts, n->at, nothing);
    if (part && v->parent && ast_is_expr((enum ast_kind)v->parent->kind)) add(v->cuts, v->parent->at, n->at);
    if (part && v->parent && v->parent->kind == AST_ARM) add(v->cuts, v->parent->at, nothing);
    if (part && n->kind == AST_MATCH) {
        AST_EACH(m, AST_AS(match, n)->arms)
            if (AST_AS(arm, m)->value) add(v->cuts, n->at, AST_AS(arm, m)->value->at);
    }
    ast_children(n, collect, &inner);
}

/* Commas that an arm leaves behind go with it. */
static void apply(const struct buf *text, const struct cut *c, struct buf *out)
{
    size_t end = c->end;
    if (c->to == c->from) {
        while (end < text->n && (text->p[end] == ' ' || text->p[end] == '\n')) end++;
        if (end < text->n && text->p[end] == ',') end++;
        else end = c->end;
    }
    buf_put(out, text->p, c->at);
    if (c->to > c->from) {
        buf_byte(out, '(');
        buf_put(out, text->p + c->from, c->to - c->from);
        buf_byte(out, ')');
    }
    buf_put(out, text->p + end, text->n - end);
}

/* A row that is none any more, because its columns went, is no difference. */
static bool differs(struct agree *a, const struct value *values)
{
    const char *why = agree_row(a, values);
    return why != NULL && strncmp(why, "the row ", 8) != 0;
}

static bool still_differs(struct agree *b, struct buf *spec, const struct buf *csv, const struct case_ *row, enum ref_plant plant)
{
    struct buf copy = {0};
    buf_put(&copy, csv->p, csv->n);
    if (!agree_open(b, spec, &copy, plant)) return false;
    struct value values[128];
    row_for(b, row, values);
    for (size_t i = 0; i < b->ncolumns; i++)
        if (values[i].kind == V_ABSENT && b->columns[i].known_type && b->flow->reads[i] && !b->columns[i].type.optional && !b->columns[i].has_default) return false;
    return differs(b, values);
}

static void plainest(struct agree *a, struct case_ *c, enum ref_plant plant)
{
    (void)plant;
    struct value values[128];
    for (size_t i = 0; i < a->ncolumns; i++) {
        const struct type *t = &a->columns[i].type;
        struct value was = c->values[i], tries[2] = {value_absent, value_absent};
        if (!a->columns[i].known_type) tries[1] = was;
        else if (t->base == T_DECIMAL) tries[1] = value_decimal(t->lo > 0 ? t->lo : 0, t->scale);
        else if (t->base == T_TEXT && t->nset == 0 && t->min_len == 1) tries[1] = value_text(STR("a"));
        else if (t->base == T_BOOL) tries[1] = value_bool(false);
        for (int k = 0; k < 2; k++) {
            bool may = value_present(&tries[k]) || t->optional || a->columns[i].has_default || !a->columns[i].known_type || !a->flow->reads[i];
            c->values[i] = tries[k];
            row_for(a, c, values);
            if (may && !(k == 1 && !value_present(&tries[1])) && differs(a, values)) break;
            c->values[i] = was;
        }
    }
}

static void show(struct agree *a, const struct case_ *c)
{
    struct value values[128];
    struct buf b = {0};
    row_for(a, c, values);
    const char *why = agree_row(a, values);
    buf_printf(&b, "# the smallest case: %s\n", why ? why : "?");
    for (size_t i = 0; i < a->ncolumns; i++) {
        struct ref_value v = ref_from_vm(&values[i], NULL, NULL, &a->row);
        buf_printf(&b, "#   %.*s = ", (int)a->columns[i].name.n, a->columns[i].name.p);
        ref_show(&b, &v);
        buf_byte(&b, '\n');
    }
    for (size_t i = 0, from = 0; i < a->spec.n; i++) {           /* without the empty lines that cutting left */
        if (a->spec.p[i] != '\n') continue;
        if (str_trim((struct str){a->spec.p + from, i - from}).n) buf_put(&b, a->spec.p + from, i + 1 - from);
        from = i + 1;
    }
    if (a->csv.n) buf_printf(&b, "# t.csv:\n%.*s", (int)a->csv.n, a->csv.p);
    fwrite(b.p, 1, b.n, stdout);
    buf_free(&b);
}

/* One round over all cuts of the text; true when one was kept. */
static bool shrink(struct agree **best, struct agree **spare, const struct case_ *row, enum ref_plant plant, unsigned *budget)
{
    static struct cuts cuts;
    bool any = false;
    cuts.n = 0;
    collect(&(struct visit){&cuts, NULL}, &(*best)->c.ast->base);
    for (size_t i = cuts.n; i-- > 0 && *budget > 0;) {
        struct buf spec = {0};
        const struct cut *c = &cuts.list[i];
        if (c->end > (*best)->spec.n) continue;
        apply(&(*best)->spec, c, &spec);
        --*budget;
        if (spec.n < (*best)->spec.n && still_differs(*spare, &spec, &(*best)->csv, row, plant)) {
            struct agree *t = *best;
            *best = *spare;
            *spare = t;
            agree_close(*spare);
            cuts.n = 0;
            collect(&(struct visit){&cuts, NULL}, &(*best)->c.ast->base);
            if (i > cuts.n) i = cuts.n;
            any = true;
        } else if (spec.p == NULL) agree_close(*spare);
        buf_free(&spec);
    }
    return any;
}

void agree_reduce(struct agree *a, const struct value *values, enum ref_plant plant)
{
    struct arena mem;
    struct agree *two = NULL, *best, *spare;
    struct case_ row = {NULL, NULL, a->ncolumns};
    unsigned budget = 6000;
    arena_init(&mem, 0);
    two = ARENA_ARRAY(&mem, struct agree, 2);
    row.names = ARENA_ARRAY(&mem, struct str, a->ncolumns + 1);
    row.values = ARENA_ARRAY(&mem, struct value, a->ncolumns + 1);
    for (size_t i = 0; i < a->ncolumns; i++) {
        row.names[i] = (struct str){arena_copy(&mem, a->columns[i].name.p, a->columns[i].name.n), a->columns[i].name.n};
        row.values[i] = values[i];
    }
    plainest(a, &row, plant);
    best = &two[0];
    spare = &two[1];
    struct buf spec = {0};
    buf_put(&spec, a->spec.p, a->spec.n);
    for (size_t i = 0; i < row.n; i++) row.values[i] = value_copy(&mem, &row.values[i]);
    if (!still_differs(best, &spec, &a->csv, &row, plant)) {
        printf("# cannot be reduced: it differs only with its history\n%.*s", (int)a->spec.n, a->spec.p);
        agree_close(best);
        arena_free(&mem);
        return;
    }
    while (shrink(&best, &spare, &row, plant, &budget)) {}
    show(best, &row);
    agree_close(best);
    arena_free(&mem);
}
