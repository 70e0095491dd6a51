/* doc_examples.c - the tests of a flow as examples: this row gives that record. */
#include "compiler/doc/doc_private.h"

static void pair(struct page *p, struct str name, bool *first)
{
    if (!*first) page_break(p);
    *first = false;
    page_code(p, name);
    page_text(p, " = ");
}

static void link(struct page *p, const struct test_link *l)
{
    page_text(p, "the record ");
    page_text(p, l->ref ? "of " : "found in ");
    page_code(p, l->ref ? l->ref->name : l->find.module->name);
    page_text(p, " for ");
    for (size_t i = 0; i < l->nargs; i++) {
        page_text(p, i ? ", " : "");
        words_value(p, &l->args[i]);
    }
}

static void expected(struct page *p, const struct test_expect *e, bool *first)
{
    pair(p, e->field->column->name, first);
    if (e->link) link(p, e->link);
    else words_value(p, &e->value);
}

static void given(struct page *p, const struct test *t)
{
    bool first = true;
    for (size_t i = 0; i < t->ngiven; i++) {
        pair(p, t->flow->entity->columns[t->given[i].column].name, &first);
        words_value(p, &t->given[i].value);
    }
    for (const struct test_row *r = t->rows; r != NULL; r = r->next) {
        if (!first) page_break(p);
        first = true;
        page_text(p, "a line of ");
        page_code(p, r->list->name);
        page_text(p, ": ");
        for (size_t i = 0; i < r->ngiven; i++) {
            page_text(p, i ? ", " : "");
            page_code(p, r->columns[r->given[i].column].name);
            page_text(p, " = ");
            words_value(p, &r->given[i].value);
        }
        first = false;
    }
}

static void outcome(struct page *p, const struct test *t)
{
    bool first = true;
    if (t->leave) page_text(p, "the row does not belong to this flow");
    if (t->rejects) {
        struct value why = value_text(t->reject);
        page_text(p, "the record is set aside: ");
        words_value(p, &why);
    }
    for (size_t i = 0; i < t->nexpect; i++) expected(p, &t->expect[i], &first);
    for (const struct test_line *l = t->lines; l != NULL; l = l->next) {
        if (!first) page_break(p);
        page_text(p, "a line of ");
        page_code(p, l->list->column->name);
        page_text(p, ": ");
        for (size_t i = 0; i < l->nexpect; i++) {
            bool alone = true;
            page_text(p, i ? ", " : "");
            expected(p, &l->expect[i], &alone);
        }
        first = false;
    }
}

void doc__tests(struct page *p, const struct spec *s, const struct flow *f)
{
    static const char *const heads[] = {"Example", "Given", "Then"};
    bool any = false;
    for (const struct test *t = s->tests; t != NULL; t = t->next) {
        if (t->flow != f) continue;
        if (!any) {
            page_heading(p, 4, NULL, "Examples of ", f->name);
            page_table(p, heads, 3);
        }
        any = true;
        page_row(p);
        page_cell(p);
        page_str(p, t->title);
        page_cell(p);
        given(p, t);
        page_cell(p);
        outcome(p, t);
    }
    if (any) page_table_end(p);
}
