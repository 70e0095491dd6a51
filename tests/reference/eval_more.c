/* eval_more.c - what the tree walker does beside expressions: columns with their defaults, lines, parts of names, keys, events. */
#include "tests/reference/eval.h"
#include "base/check.h"

static const struct ref_value absent = {.kind = REF_ABSENT};

static struct ref_value with_default(struct run *x, const struct column *c, const struct ref_value *v)
{
    bool blank = v->kind == REF_ABSENT && c->has_default && x->r->plant != PLANT_NO_DEFAULT;
    return blank ? ref_from_vm(&c->fallback, NULL, NULL, x->r->arena) : *v;
}

struct ref_value ref__column(struct run *x, struct str name)
{
    for (size_t i = 0; i < x->row->ncolumns; i++)
        if (str_eq(x->row->columns[i].name, name)) return with_default(x, &x->row->columns[i], &x->row->values[i]);
    check_failed("a name that is neither let nor column", __FILE__, __LINE__);
}

struct ref_value ref__member(struct run *x, const struct ast_member *n, const struct frame *fr)
{
    struct ref *r = x->r;
    struct ref_value v, part;
    if (ref__is_line(r, n->of)) return with_default(x, ref__line_column(r, n->name.text), ref_line_field(r->lines, r->line, n->name.text));
    v = ref__eval(x, n->of, fr);
    if (x->outcome != REF_VALUE || v.kind == REF_ABSENT) return absent;
    bool known = ref_builtin(r, str_is(n->name.text, "first") ? STR("first_name") : STR("last_name"), &v, 1, &part);
    ASSERT(known);
    x->misses += part.kind == REF_ABSENT;
    return part;
}

/* ---- each ---- */

static const struct each *shape_of(const struct run *x)
{
    for (const struct each *e = x->r->flow->eaches; e != NULL; e = e->next)
        if (str_eq(e->target->name, x->field)) return e;
    check_failed("lines that the checker knows", __FILE__, __LINE__);
}

static bool wanted(struct run *x, const struct ast_each *n)
{
    return (n->when == NULL || ref__eval(x, n->when, NULL).yes || x->r->plant == PLANT_LINE_WHEN) && x->outcome == REF_VALUE;
}

/* Fields in the order of the text, then what the line is known by. */
static bool one_line(struct run *x, const struct ast_each *n, struct ref_list *l, struct ref_line *line)
{
    struct ref_value *fields = ARENA_ARRAY(x->r->arena, struct ref_value, n->clauses.n + 1), key = absent;
    size_t k = 0;
    AST_EACH(c, n->clauses) {
        if (c->kind != AST_FIELD) continue;
        ((struct str *)(uintptr_t)l->names)[k] = AST_AS(field, c)->name.text;
        fields[k++] = ref__eval(x, AST_AS(field, c)->value, NULL);
        if (x->outcome != REF_VALUE) return false;
    }
    AST_EACH(c, n->clauses)
        if (c->kind == AST_LINE_KEY) key = ref__eval(x, AST_AS(line_key, c)->value, NULL);
    l->nfields = k;
    *line = (struct ref_line){key.text, fields};
    ASSERT(key.kind == REF_TEXT && x->outcome == REF_VALUE);
    return true;
}

static void add_line(struct run *x, const struct ast_each *n, struct ref_list *l, unsigned most)
{
    struct ref_line *lines = (struct ref_line *)(uintptr_t)l->lines;
    if (l->nlines == most) {
        if (x->r->plant == PLANT_LINE_MOST) return;
        ref__leave(x, REF_REJECT, str_of(arena_printf(x->r->arena, "%.*s: more than %u lines", (int)x->field.n, x->field.p, most)));
        return;
    }
    if (!one_line(x, n, l, &lines[l->nlines])) return;
    for (size_t i = 0; i < l->nlines; i++)
        if (str_eq(lines[i].key, lines[l->nlines].key)) ref__leave(x, REF_REJECT, str_of(arena_printf(x->r->arena, "%.*s: two lines of one key", (int)x->field.n, x->field.p)));
    l->nlines++;
}

/* facts/zoho-crm.md 6: 200 lines where the schema does not say. */
struct ref_value ref__each(struct run *x, const struct ast_each *n)
{
    struct ref *r = x->r;
    struct ref_value from = ref__column(x, AST_AS(use, n->list)->name.text);
    struct ref_list *l = ARENA_NEW(r->arena, struct ref_list);
    if (from.kind == REF_ABSENT) return absent;
    r->each = n;
    r->shape = shape_of(x);
    r->lines = from.list;
    l->lines = ARENA_ARRAY(r->arena, struct ref_line, from.list->nlines + 1);
    l->names = ARENA_ARRAY(r->arena, struct str, n->clauses.n + 1);
    for (r->line = 0; r->line < from.list->nlines && x->outcome == REF_VALUE; r->line++)
        if (wanted(x, n)) add_line(x, n, l, r->shape->module->most_lines ? r->shape->module->most_lines : 200);
    r->each = NULL;
    if (x->outcome != REF_VALUE || l->nlines == 0) return absent;
    return (struct ref_value){.kind = REF_LIST, .list = l};
}

/* ---- keys ---- */

static void put_part(struct buf *out, struct str s)
{
    if (out->n) buf_byte(out, '~');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '~' || s.p[i] == '^') buf_byte(out, '^');
        buf_byte(out, s.p[i] == '~' ? '-' : (unsigned char)s.p[i]);
    }
}

/* Two flows write into one field: the name tells their records apart. */
static bool shared(const struct ref *r, const struct flow *f)
{
    for (const struct flow *o = r->spec->flows; o != NULL; o = o->next) {
        bool there = o != f && !o->into && !f->into && o->target == f->target && str_eq(o->module->name, f->module->name) && !o->key_value;
        if (there && str_eq(o->key->column->name, f->key->column->name)) return true;
    }
    return false;
}

struct str ref_key_of(const struct ref *r, const struct flow *of, struct arena *a, struct str company, const struct ref_value *parts, size_t n)
{
    struct buf b = {0};
    size_t k = 0;
    ASSERT(!of->key_value && !of->into);
    if (shared(r, of)) put_part(&b, of->name);
    if (company.n) put_part(&b, company);
    for (size_t i = 0; i < of->entity->ncolumns; i++) {
        if (!of->entity->columns[i].key) continue;
        struct buf part = {0};
        ASSERT(k < n);
        if (parts[k].kind == REF_NUMBER) ref_number_write(&part, &parts[k].number, of->entity->columns[i].type.scale);
        else buf_str(&part, parts[k].text);
        put_part(&b, buf_view(&part));
        buf_free(&part);
        k++;
    }
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

struct str ref_key(struct ref *r, struct arena *a, struct str company, const struct ref_row *row)
{
    struct ref_value parts[REF_PARTS];
    struct run x = {.r = r, .row = row};
    size_t n = 0;
    r->arena = a;
    r->each = NULL;
    AST_EACH(c, r->flow->ast->clauses)
        if (c->kind == AST_KEY && AST_AS(key, c)->value) return ref__eval(&x, AST_AS(key, c)->value, NULL).text;
    for (size_t i = 0; i < row->ncolumns; i++) {
        if (!row->columns[i].key) continue;
        ASSERT(n < REF_PARTS);
        parts[n++] = row->values[i];
    }
    return ref_key_of(r, r->flow, a, company, parts, n);
}

/* ---- events ---- */

struct ref_field *ref_event(struct ref *r, enum ast_event event, struct arena *a, size_t *n)
{
    *n = 0;
    AST_EACH(c, r->flow->ast->clauses) {
        if (c->kind != AST_ON || AST_AS(on, c)->event != (int64_t)event) continue;
        struct ref_field *list = ARENA_ARRAY(a, struct ref_field, AST_AS(on, c)->sets.n + 1);
        AST_EACH(s, AST_AS(on, c)->sets) list[(*n)++] = (struct ref_field){AST_AS(assign, s)->name.text, REF_VALUE, ref__literal(a, AST_AS(assign, s)->value)};
        return list;
    }
    return NULL;
}
