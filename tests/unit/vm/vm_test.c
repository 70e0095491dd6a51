/* vm_test.c - the sample's programs over rows: results, filters, rejects, links, fields without an answer, and no allocation per row. */
#include "tests/unit/code/sample.h"
#include "tests/unit/value/ok.h"
#include "vm/vm.h"
#include <malloc.h>
#include <stdlib.h>

struct rig { struct arena a; struct image *im; const struct image_flow *f; struct vm *vm; struct value cols[C_COUNT]; struct vm_out out; };

static bool rig_init(struct rig *g)
{
    struct buf b = {0};
    struct image_fault why;
    arena_init(&g->a, 1 << 20);
    image_write(sample_image(&g->a), &b);
    bool good = image_load(buf_view(&b), &g->a, &g->im, &why) == ERR_OK;
    buf_free(&b);
    if (!ok(good, "the sample is loaded", "%s: %s", why.rule, why.text)) return false;
    g->f = g->im->flows;
    g->vm = vm_new(g->im);
    sample_row(g->cols);
    return true;
}

static void field_is(const struct rig *g, enum sample_field f, const char *want)
{
    struct buf b = {0};
    char name[60];
    snprintf(name, sizeof name, "%.*s is %.30s", (int)g->f->fields[f].name.n, g->f->fields[f].name.p, want);
    value_print(&b, g->out.values[f]);
    ok_text(name, buf_view(&b), want);
    buf_free(&b);
}

static void plain_row(struct rig *g)
{
    vm_map(g->vm, g->f, g->cols, &g->out);
    ok(vm_when(g->vm, g->f, g->cols), "the filter lets the row through", "it does not");
    ok(!g->out.rejected, "not rejected", "rejected");
    field_is(g, F_KEY, "(none)");
    field_is(g, F_STATUS, "Active");
    field_is(g, F_NAME, "American Business Futures");
    field_is(g, F_PHONE, "+13125550100");
    field_is(g, F_STREET, "Suite 4\n12 Main St");
    field_is(g, F_COUNTRY, "United States");
    field_is(g, F_TERMS, "Net 30");
    field_is(g, F_LIMIT, "60000.00");
    field_is(g, F_BALANCE, "2501.00");
    field_is(g, F_CREDIT, "Good");
    field_is(g, F_OWNER, "{\"find\":0,\"args\":[\"0100\"]}");
    field_is(g, F_EMAIL, "Bob@example.com");
    field_is(g, F_NOTE, "60000.00, false, 2026-03-12T22:41:07Z, 2026-03-12, 2026-03-12T22:41:07");
    field_is(g, F_PARENT, "{\"find\":1,\"args\":[\"01\",\"ABF\"]}");
    field_is(g, F_FLAG, "true");
    field_is(g, F_MATH, "-75031250.5000");
    field_is(g, F_SHORT, "abf");
    field_is(g, F_KEPT, "Suite 4");
    bool ops = g->out.ops[F_KEY] == VM_KEEP && g->out.ops[F_LEFT] == VM_KEEP && g->out.ops[F_KEPT] == VM_SET && g->out.ops[F_OWNER] == VM_SET;
    ok(ops, "key and event fields are kept, others set", "wrong");
    bool quiet = true;
    for (size_t i = 0; i < F_COUNT; i++) quiet &= g->out.no_answer[i] == 0;
    ok(quiet, "every lookup had an answer", "one did not");
    struct value v = vm_adopt(g->vm, g->f, g->cols);
    ok(value_equal(&v, &g->cols[C_NAME]), "the value to adopt by", "differs");
}

static void branches(struct rig *g)
{
    sample_row(g->cols);
    g->cols[C_HOLD] = value_bool(true);
    vm_map(g->vm, g->f, g->cols, &g->out);
    field_is(g, F_CREDIT, "On hold");
    g->cols[C_HOLD] = value_bool(false);
    g->cols[C_LIMIT] = value_decimal(2500, 0);                 /* another scale than the column's: the same number */
    vm_map(g->vm, g->f, g->cols, &g->out);
    field_is(g, F_CREDIT, "Over limit");
    field_is(g, F_LIMIT, "2500.00");
    ok(g->out.values[F_LIMIT]->scale == 2, "numbers leave at the scale of their field", "scale %u", g->out.values[F_LIMIT]->scale);
    field_is(g, F_NOTE, "2500.00, false, 2026-03-12T22:41:07Z, 2026-03-12, 2026-03-12T22:41:07");
    g->cols[C_DATE] = g->cols[C_LOCAL] = g->cols[C_LINE1] = value_absent;
    vm_map(g->vm, g->f, g->cols, &g->out);
    field_is(g, F_NOTE, "2500.00, false, 2026-03-12T22:41:07Z, none, none");
    field_is(g, F_STREET, "12 Main St");
    ok(g->out.ops[F_KEPT] == VM_KEEP && g->out.values[F_KEPT]->kind == V_ABSENT, "a kept field", "it is set");
    g->cols[C_PERSON] = g->cols[C_LINE2] = value_absent;
    vm_map(g->vm, g->f, g->cols, &g->out);
    field_is(g, F_OWNER, "(none)");
    field_is(g, F_STREET, "(none)");
    g->cols[C_TERMS] = v_text("XX");
    ok(!vm_when(g->vm, g->f, g->cols), "the filter keeps a row out", "it does not");
    g->cols[C_NAME] = value_absent;
    vm_map(g->vm, g->f, g->cols, &g->out);
    ok(g->out.rejected && str_is(g->out.message, "customer without a name"), "a row is rejected", "it is not");
    sample_row(g->cols);
    vm_map(g->vm, g->f, g->cols, &g->out);
    ok(!g->out.rejected && g->out.message.n == 0, "the next row is not", "it is");
}

static void no_answers(struct rig *g)
{
    sample_row(g->cols);
    g->cols[C_PHONE] = v_text("555-0100");
    g->cols[C_COUNTRY] = v_text("XXX");
    g->cols[C_EMAIL] = v_text("not an address");
    g->cols[C_TERMS] = v_text("77");
    vm_map(g->vm, g->f, g->cols, &g->out);
    field_is(g, F_PHONE, "(none)");
    ok(g->out.no_answer[F_PHONE] == 1 && g->out.no_answer[F_COUNTRY] == 1 && g->out.no_answer[F_EMAIL] == 1, "phone, table and e-mail had no answer", "not counted");
    ok(g->out.no_answer[F_TERMS] == 0 && g->out.ops[F_TERMS] == VM_SET, "else => null is an answer", "counted");
    g->cols[C_PHONE] = g->cols[C_COUNTRY] = g->cols[C_EMAIL] = value_absent;
    vm_map(g->vm, g->f, g->cols, &g->out);
    ok(g->out.no_answer[F_PHONE] == 0 && g->out.no_answer[F_COUNTRY] == 0 && g->out.no_answer[F_EMAIL] == 0, "absent arguments are no questions", "counted");
    for (size_t i = 0; i < F_COUNT; i++)
        if (g->out.values[i]->spare != 0) ok(false, "no mark leaves the vm", "field %zu has one", i);
}

static void extremes(struct rig *g)
{
    static char long_mail[251], wide[121];
    sample_row(g->cols);
    g->cols[C_LIMIT] = value_decimal(-(i128)9999999999999, 2);
    g->cols[C_BALANCE] = value_decimal((i128)9999999999999, 2);
    memset(long_mail, 'a', 250);
    memcpy(long_mail + 60, "@", 1);
    for (size_t i = 80; i < 245; i += 20) long_mail[i] = '.';
    for (size_t i = 0; i < 120; i += 4) memcpy(wide + i, "\xf0\x9f\x98\x80", 4);
    g->cols[C_EMAIL] = v_text(long_mail);
    g->cols[C_LINE1] = g->cols[C_LINE2] = g->cols[C_NAME] = v_text(wide);
    ok(vm_row_fits(g->f, g->cols, NULL, 0), "the extreme row is well-typed", "it is not");
    vm_map(g->vm, g->f, g->cols, &g->out);
    field_is(g, F_EMAIL, long_mail);
    field_is(g, F_MATH, "9999999999898000000000.0000");
    ok(g->out.values[F_STREET]->len == 241, "two lines of 30 wide characters", "%u bytes", g->out.values[F_STREET]->len);
}

static void ill_typed(struct rig *g)
{
    char why[120];
    sample_row(g->cols);
    ok(vm_row_fits(g->f, g->cols, why, sizeof why), "a well-typed row", "%s", why);
    g->cols[C_DIVISION] = v_text("123");
    ok(!vm_row_fits(g->f, g->cols, why, sizeof why) && str_is(str_of(why), "ARDivisionNo is 3 characters, at most 2 allowed"), "too long a key", "%s", why);
    sample_row(g->cols);
    g->cols[C_LIMIT] = v_text("x");
    ok(!vm_row_fits(g->f, g->cols, why, sizeof why), "a text in a number column", "accepted");
    sample_row(g->cols);
    g->cols[C_HOLD] = value_absent;
    ok(!vm_row_fits(g->f, g->cols, NULL, 0), "an absent value in a required column", "accepted");
    sample_row(g->cols);
}

/* The three results of one row live side by side. */
static void together(struct rig *g)
{
    sample_row(g->cols);
    struct value adopt = vm_adopt(g->vm, g->f, g->cols);
    vm_map(g->vm, g->f, g->cols, &g->out);
    bool when = vm_when(g->vm, g->f, g->cols);
    ok(when && value_equal(&adopt, &g->cols[C_NAME]), "filter and adopt value beside the mapping", "differs");
    field_is(g, F_PHONE, "+13125550100");
}

static void no_allocation(struct rig *g)
{
    sample_row(g->cols);
    vm_map(g->vm, g->f, g->cols, &g->out);
    struct value lines = v_lines(&g->a, 4);
    size_t before = mallinfo2().uordblks;
    bool arena_same = true;
    for (int i = 0; i < 10000; i++) {
        g->cols[C_LIMIT] = value_decimal(i, 2);
        g->cols[C_LINES] = lines;
        vm_when(g->vm, g->f, g->cols);
        vm_map(g->vm, g->f, g->cols, &g->out);
        vm_adopt(g->vm, g->f, g->cols);
        arena_same &= mallinfo2().uordblks == before;
    }
    ok(arena_same && mallinfo2().uordblks == before, "10,000 rows allocate nothing", "%zu bytes more", (size_t)mallinfo2().uordblks - before);
}

/* Lines: made, filtered, rejected, too many, of one key. */
static void lists(struct rig *g)
{
    static const struct { const char *name; uint32_t n; int change; const char *want; } cases[] = {
        {"two lines", 2, 0, "000001 (Item x A, Quantity 1.000000, Product {\"find\":0,\"args\":[\"A\"]}); 000002 (Item x A, Quantity 1.000000, Product {\"find\":0,\"args\":[\"A\"]})"},
        {"no list", 0, 0, "(none)"}, {"none passes the filter", 1, 1, "(none)"}, {"a line rejects", 2, 2, "customer without a name"},
        {"more than the target takes", 6, 0, "too many lines"}, {"two of one key", 3, 3, "two lines of one key"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};
        sample_row(g->cols);
        g->cols[C_LINES] = cases[i].n ? v_lines(&g->a, cases[i].n) : value_absent;
        struct value *last = cases[i].n ? (struct value *)(uintptr_t)g->cols[C_LINES].u.list->lines[cases[i].n - 1].fields : NULL;
        if (cases[i].change == 1) last[L_QUANTITY] = value_decimal(-1, 0);
        if (cases[i].change == 2) last[L_ITEM] = value_absent;
        if (cases[i].change == 3) last[L_KEY] = v_text("000001");
        vm_map(g->vm, g->f, g->cols, &g->out);
        if (g->out.rejected) buf_str(&b, g->out.message);
        else value_print(&b, g->out.values[F_ITEMS]);
        ok_text(cases[i].name, buf_view(&b), cases[i].want);
        buf_free(&b);
    }
    sample_row(g->cols);
    vm_map(g->vm, g->f, g->cols, &g->out);
    field_is(g, F_NAME, "American Business Futures");
}

int main(void)
{
    struct rig g;
    if (!rig_init(&g)) return 1;
    plain_row(&g);
    branches(&g);
    no_answers(&g);
    extremes(&g);
    ill_typed(&g);
    together(&g);
    lists(&g);
    no_allocation(&g);
    vm_free(g.vm);
    arena_free(&g.a);
    return ok_done();
}
