/* trial.c - see trial.h. */
#include "compiler/trial.h"
#include "compiler/rows.h"

struct run { const struct image *im; const struct image_flow *f; struct arena *a; struct trial *trial; };

static const char *text_of(struct run *r, const struct image_flow *f, const struct value *v)
{
    struct buf b = {0};
    rows_put_value(&b, r->im, f, v);
    const char *text = arena_copy(r->a, b.p ? b.p : "", b.n);
    buf_free(&b);
    return text;
}

static void differs(struct run *r, struct str field, size_t line, const char *expected, const char *got)
{
    struct trial_difference **end = &r->trial->differences;
    while (*end) end = &(*end)->next;
    *end = ARENA_NEW(r->a, struct trial_difference);
    **end = (struct trial_difference){field, line, expected, got, NULL};
    r->trial->ok = false;
}

static void fails(struct run *r, const char *why)
{
    r->trial->why = why;
    r->trial->ok = false;
}

/* ---- what is expected ---- */

/* The site of the flow that leads where the expected link leads. */
static bool same_site(const struct image *im, const struct image_link *k, const struct test_link *want)
{
    if (want->ref) return k->kind == LINK_REF && str_eq(im->flows[k->flow].name, want->ref->name);
    if (k->kind != LINK_FIND || k->nmore + 1 != want->nargs || !str_eq(k->module, want->find.module->name)) return false;
    for (size_t i = 0; i < want->nargs; i++)
        if (!str_eq(i ? k->more[i - 1] : k->field, want->find.fields[i]->name)) return false;
    return true;
}

/* What a test expects, as a value of the flow's; a link to a place where the flow has none has a site behind the last. */
static struct value expected(struct run *r, const struct image_flow *f, const struct test_expect *e)
{
    if (!e->link) return e->value;
    struct link *l = ARENA_NEW(r->a, struct link);
    *l = (struct link){.nargs = (uint16_t)e->link->nargs, .args = e->link->args};
    while (l->site < f->nlinks && !same_site(r->im, &f->links[l->site], e->link)) l->site++;
    return (struct value){.kind = V_LINK, .u.link = l};
}

static const char *expected_text(struct run *r, const struct image_flow *f, const struct test_expect *e, const struct value *v)
{
    if (v->kind != V_LINK || v->u.link->site < f->nlinks) return text_of(r, f, v);
    struct str to = e->link->ref ? e->link->ref->name : e->link->find.module->name;
    return arena_printf(r->a, "%s %.*s(...)", e->link->ref ? "ref" : "find", (int)to.n, to.p);
}

/* ---- what is given ---- */

/* The lines that `given` describes for one list column; absent when there are none. */
static struct value lines_of(const struct test *t, const struct image_column *c, struct arena *a)
{
    const struct list_shape *s = c->type.shape;
    size_t n = 0;
    for (const struct test_row *r = t->rows; r != NULL; r = r->next) n++;
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, n + 1);
    struct list *l = ARENA_NEW(a, struct list);
    *l = (struct list){s->names, lines, 0, s->n};
    for (const struct test_row *r = t->rows; r != NULL; r = r->next) {
        if (!str_eq(r->list->name, c->name)) continue;
        struct value *fields = ARENA_ARRAY(a, struct value, s->n);
        for (uint16_t k = 0; k < s->n; k++)
            for (size_t i = 0; i < r->ngiven; i++) {
                if (!str_eq(r->columns[r->given[i].column].name, s->names[k])) continue;
                fields[k] = r->given[i].value;
                if (fields[k].kind == V_DECIMAL) decimal_rescale(&fields[k], s->types[k].scale, &fields[k]);
            }
        lines[l->nlines++] = (struct list_line){type_line_key(s, fields, a), fields};
    }
    return l->nlines ? (struct value){.kind = V_LIST, .u.list = l} : value_absent;
}

struct value *trial_row(const struct test *t, const struct image_flow *f, struct arena *a)
{
    struct value *cols = ARENA_ARRAY(a, struct value, f->ncolumns + 1);
    for (size_t i = 0; i < f->ncolumns; i++) {
        cols[i] = value_absent;
        for (size_t k = 0; k < t->ngiven; k++)
            if (str_eq(t->flow->entity->columns[t->given[k].column].name, f->columns[i].name)) cols[i] = t->given[k].value;
        /* as a source would deliver it: at the scale of the column */
        if (cols[i].kind == V_DECIMAL) decimal_rescale(&cols[i], f->columns[i].type.scale, &cols[i]);
        if (f->columns[i].type.base == T_LIST) cols[i] = lines_of(t, &f->columns[i], a);
    }
    return cols;
}

/* ---- the comparison ---- */

static size_t field_index(const struct test *t, const struct field *f)
{
    size_t i = 0;
    while (t->flow->fields[i] != f) i++;
    return i;
}

static void compare(struct run *r, const struct vm_out *out)
{
    const struct test *t = r->trial->test;
    for (size_t i = 0; i < t->nexpect; i++) {
        size_t k = field_index(t, t->expect[i].field);
        bool kept = out->ops[k] != VM_SET;
        struct value want = expected(r, r->f, &t->expect[i]);
        if (!kept && value_equal(out->values[k], &want)) continue;
        differs(r, r->f->fields[k].name, 0, expected_text(r, r->f, &t->expect[i], &want), kept ? "keep" : text_of(r, r->f, out->values[k]));
    }
}

/* One field of a line against what the test says of it. */
static void compare_line(struct run *r, const struct image_flow *body, const struct list *l, size_t line, const struct test_expect *e)
{
    size_t k = 0;
    while (!str_eq(l->names[k], e->field->column->name)) k++;
    struct value want = expected(r, body, e);
    const struct value *got = &l->lines[line].fields[k];
    if (!value_equal(got, &want)) differs(r, l->names[k], line + 1, expected_text(r, body, e, &want), text_of(r, body, got));
}

static bool first_of(const struct test *t, const struct test_line *me)
{
    const struct test_line *x = t->lines;
    while (x != me && x->list != me->list) x = x->next;
    return x == me;
}

static const char *count_text(struct run *r, size_t n) { return arena_printf(r->a, "%zu line%s", n, n == 1 ? "" : "s"); }

/* The expected lines of each list, in order; all of them must be there, and no others. */
static void compare_lines(struct run *r, const struct vm_out *out)
{
    const struct test *t = r->trial->test;
    for (const struct test_line *x = t->lines; x != NULL; x = x->next) {
        size_t k = field_index(t, x->list), want = 0, at = 0;
        const struct value *v = out->values[k];
        if (!first_of(t, x)) continue;
        for (const struct test_line *y = x; y != NULL; y = y->next) want += y->list == x->list;
        size_t got = out->ops[k] == VM_SET && v->kind == V_LIST ? v->u.list->nlines : 0;
        if (got != want) {
            differs(r, r->f->fields[k].name, 0, count_text(r, want), arena_printf(r->a, "%zu", got));
            continue;
        }
        for (const struct test_line *y = x; y != NULL; y = y->next) {
            if (y->list != x->list) continue;
            for (size_t i = 0; i < y->nexpect; i++) compare_line(r, r->f->lines[r->f->fields[k].lines - 1].body, v->u.list, at, &y->expect[i]);
            at++;
        }
    }
}

struct trial *trial_run(const struct test *t, const struct image *im, struct vm *vm, struct arena *a)
{
    struct trial *trial = ARENA_NEW(a, struct trial);
    *trial = (struct trial){.test = t, .ok = true};
    struct run r = {im, image_flow_named(im, t->flow->name), a, trial};
    struct value *cols = trial_row(t, r.f, a);
    struct vm_out out;
    const struct str *rejected = NULL;
    bool in = vm_when(vm, r.f, cols);
    if (in && r.f->into) {      /* without a record to add to, the row is left out */
        struct value to = vm_into(vm, r.f, cols, &rejected);
        in = value_present(&to) || rejected;
    }
    if (t->leave || !in) {
        if (t->leave == in) fails(&r, in ? "expected leave, but `when` is true" : "`when` is false: the record would leave");
        return trial;
    }
    vm_map(vm, r.f, cols, &out);
    if (rejected) {
        out.rejected = true;
        out.message = *rejected;
    }
    if (t->rejects && !out.rejected) fails(&r, arena_printf(a, "expected reject \"%.*s\", but the record is accepted", (int)t->reject.n, t->reject.p));
    else if (out.rejected && (!t->rejects || !str_eq(out.message, t->reject))) fails(&r, arena_printf(a, "rejected: \"%.*s\"", (int)out.message.n, out.message.p));
    else if (!out.rejected) {
        compare(&r, &out);
        compare_lines(&r, &out);
    }
    return trial;
}
