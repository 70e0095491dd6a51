/* cmd_test.c - mlc test: the spec's own tests, through the same vm that runs in production; a failure names every field that differs. */
#include "compiler/cli/cli.h"
#include "compiler/rows.h"
#include <stdio.h>

static void print_value(const struct image *im, const struct image_flow *f, const struct value *v)
{
    struct buf b = {0};
    rows_put_value(&b, im, f, v);
    printf("%.*s", (int)b.n, b.p);
    buf_free(&b);
}

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
static struct value expected(const struct image *im, const struct image_flow *f, const struct test_expect *e, struct arena *a)
{
    if (!e->link) return e->value;
    struct link *l = ARENA_NEW(a, struct link);
    *l = (struct link){.nargs = (uint16_t)e->link->nargs, .args = e->link->args};
    while (l->site < f->nlinks && !same_site(im, &f->links[l->site], e->link)) l->site++;
    return (struct value){.kind = V_LINK, .u.link = l};
}

static void print_expected(const struct image *im, const struct image_flow *f, const struct test_expect *e, const struct value *v)
{
    if (v->kind != V_LINK || v->u.link->site < f->nlinks) {
        print_value(im, f, v);
        return;
    }
    printf("%s %.*s(...)", e->link->ref ? "ref" : "find", (int)(e->link->ref ? e->link->ref->name.n : e->link->find.module->name.n),
           e->link->ref ? e->link->ref->name.p : e->link->find.module->name.p);
}

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

/* The row that `given` describes, in the image's columns. */
static struct value *row_of(const struct test *t, const struct image_flow *f, struct arena *a)
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

static size_t field_index(const struct test *t, const struct field *f)
{
    size_t i = 0;
    while (t->flow->fields[i] != f) i++;
    return i;
}

static void fail(bool *ok, const struct test *t)
{
    if (*ok) printf("not ok %.*s\n", (int)t->title.n, t->title.p);
    *ok = false;
}

static void compare(const struct test *t, const struct image *im, const struct image_flow *f, const struct vm_out *out, struct arena *a, bool *ok)
{
    for (size_t i = 0; i < t->nexpect; i++) {
        size_t k = field_index(t, t->expect[i].field);
        bool kept = out->ops[k] != VM_SET;
        struct value want = expected(im, f, &t->expect[i], a);
        if (!kept && value_equal(&out->values[k], &want)) continue;
        fail(ok, t);
        printf("    %.*s: expected ", (int)f->fields[k].name.n, f->fields[k].name.p);
        print_expected(im, f, &t->expect[i], &want);
        fputs(", got ", stdout);
        if (kept) fputs("keep", stdout);
        else print_value(im, f, &out->values[k]);
        putchar('\n');
    }
}

/* One field of a line against what the test says of it. */
static void line_differs(const struct test *t, const struct image *im, const struct image_flow *body, const struct list *l, size_t line,
                         const struct test_expect *e, struct arena *a, bool *ok)
{
    size_t k = 0;
    while (!str_eq(l->names[k], e->field->column->name)) k++;
    struct value want = expected(im, body, e, a);
    const struct value *got = &l->lines[line].fields[k];
    if (value_equal(got, &want)) return;
    fail(ok, t);
    printf("    line %zu, %.*s: expected ", line + 1, (int)l->names[k].n, l->names[k].p);
    print_expected(im, body, e, &want);
    fputs(", got ", stdout);
    print_value(im, body, got);
    putchar('\n');
}

static bool first_of(const struct test *t, const struct test_line *me)
{
    const struct test_line *x = t->lines;
    while (x != me && x->list != me->list) x = x->next;
    return x == me;
}

/* The expected lines of each list, in order; all of them must be there, and no others. */
static void compare_lines(const struct test *t, const struct image *im, const struct image_flow *f, const struct vm_out *out, struct arena *a, bool *ok)
{
    for (const struct test_line *x = t->lines; x != NULL; x = x->next) {
        size_t k = field_index(t, x->list), want = 0, at = 0;
        const struct value *v = &out->values[k];
        if (!first_of(t, x)) continue;
        for (const struct test_line *y = x; y != NULL; y = y->next) want += y->list == x->list;
        size_t got = out->ops[k] == VM_SET && v->kind == V_LIST ? v->u.list->nlines : 0;
        if (got != want) {
            fail(ok, t);
            printf("    %.*s: expected %zu line%s, got %zu\n", (int)f->fields[k].name.n, f->fields[k].name.p, want, want == 1 ? "" : "s", got);
            continue;
        }
        for (const struct test_line *y = x; y != NULL; y = y->next) {
            if (y->list != x->list) continue;
            for (size_t i = 0; i < y->nexpect; i++) line_differs(t, im, f->lines[f->fields[k].lines - 1].body, v->u.list, at, &y->expect[i], a, ok);
            at++;
        }
    }
}

static bool run_one(const struct test *t, const struct image *im, struct vm *vm, struct arena *a)
{
    const struct image_flow *f = image_flow_named(im, t->flow->name);
    struct value *cols = row_of(t, f, a);
    struct vm_out out;
    const struct str *rejected = NULL;
    bool ok = true, in = vm_when(vm, f, cols);
    if (in && f->into) {      /* without a record to add to, the row is left out */
        struct value to = vm_into(vm, f, cols, &rejected);
        in = value_present(&to) || rejected;
    }
    if (t->leave || !in) {
        if (t->leave == in) {
            fail(&ok, t);
            puts(in ? "    expected leave, but `when` is true" : "    `when` is false: the record would leave");
        }
        return ok;
    }
    vm_map(vm, f, cols, &out);
    if (rejected) {
        out.rejected = true;
        out.message = *rejected;
    }
    if (t->rejects && !out.rejected) {
        fail(&ok, t);
        printf("    expected reject \"%.*s\", but the record is accepted\n", (int)t->reject.n, t->reject.p);
    } else if (out.rejected && (!t->rejects || !str_eq(out.message, t->reject))) {
        fail(&ok, t);
        printf("    rejected: \"%.*s\"\n", (int)out.message.n, out.message.p);
    } else if (!out.rejected) {
        compare(t, im, f, &out, a, &ok);
        compare_lines(t, im, f, &out, a, &ok);
    }
    return ok;
}

int cmd_test(struct cli *cli)
{
    struct compile c;
    struct image *im;
    size_t passed = 0, failed = 0;
    int rc = cli_image(cli, &c, cli->args[0], &im);
    if (im && c.spec) {
        struct vm *vm = vm_new(im);
        struct arena a;
        arena_init(&a, 0);
        for (const struct test *t = c.spec->tests; t != NULL; t = t->next) {
            if (run_one(t, im, vm, &a)) {
                printf("ok %.*s\n", (int)t->title.n, t->title.p);
                passed++;
            } else failed++;
            arena_reset(&a);
        }
        arena_free(&a);
        vm_free(vm);
        printf("%zu passed, %zu failed\n", passed, failed);
        if (failed) rc = EXIT_FINDINGS;
    } else if (im) {
        fprintf(stderr, "mlc test: tests live in the spec, not in a compiled file\n");
        rc = EXIT_USAGE;
    }
    compile_close(&c);
    return rc;
}
