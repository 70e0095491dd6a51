/* cmd_report.c - each invoice with its opportunity: CSV and JSON with every column, and a table with those that fit a screen. */
#include "cli/cli.h"
#include "cli/sheet.h"
#include "sync/report.h"
#include "value/decimal.h"
#include "value/json.h"
#include <stdio.h>
#include <string.h>

struct printing {
    const struct cli *c;
    struct sheet s;
    struct sheet_column columns[REPORT_COLUMNS];
    char names[REPORT_COLUMNS][104];
    size_t shown[REPORT_COLUMNS];          /* which of the report's columns */
};

/* In a table: who, which opportunity, when, how much. */
static int table_width(const struct report_column *c, size_t i)
{
    static const struct { const char *name; int width; } some[] = {{"invoice", 22}, {"account", 16}, {"account_name", 24}, {"deal", 26}, {"stage", 16}, {"deal_from", 7}};
    for (size_t k = 0; k < sizeof some / sizeof *some; k++)
        if (str_is(c->name, some[k].name)) return some[k].width;
    return i < REPORT_FIXED ? 0 : c->form == REPORT_DATE ? 12 : 14;
}

static void on_columns(void *ctx, const struct report_column *c, size_t n)
{
    struct printing *p = ctx;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        int width = table_width(&c[i], i);
        if (p->s.form == SHEET_TABLE && width == 0) continue;
        snprintf(p->names[k], sizeof p->names[k], "%.*s", (int)c[i].name.n, c[i].name.p);
        p->columns[k] = (struct sheet_column){p->names[k], p->names[k], width, c[i].form == REPORT_AMOUNT};
        p->shown[k++] = i;
    }
    p->s.columns = p->columns;
    p->s.n = k;
    if (p->s.form == SHEET_CSV) sheet_head(&p->s);
}

static void on_row(void *ctx, const struct str *cells, size_t n)
{
    struct printing *p = ctx;
    struct str some[REPORT_COLUMNS];
    (void)n;
    for (size_t i = 0; i < p->s.n; i++) some[i] = cells[p->shown[i]];
    progress_end();
    sheet_row(&p->s, some);
}

static void put_sum(struct buf *b, const struct report_sum *s)
{
    if (s->overflow) buf_puts(b, "null");
    else decimal_print(b, &s->sum);
}

static void sum_json(const struct report_totals *t)
{
    struct buf b = {0};
    buf_puts(&b, "{\"is\":\"sum\",\"flow\":");
    json_put_string(&b, t->flow);
    buf_printf(&b, ",\"invoices\":%llu,\"with_deal\":%llu,\"by_order\":%llu,\"deals_gone\":%llu,\"undated\":%llu,\"outside\":%llu,\"target_calls\":%llu,\"sums\":{",
               (unsigned long long)t->invoices, (unsigned long long)t->with_deal, (unsigned long long)t->by_order, (unsigned long long)t->deals_gone,
               (unsigned long long)t->undated, (unsigned long long)t->outside, (unsigned long long)t->target_calls);
    for (size_t i = 0; i < t->nsums; i++) {
        if (i) buf_byte(&b, ',');
        json_put_string(&b, t->sums[i].name);
        buf_byte(&b, ':');
        put_sum(&b, &t->sums[i]);
    }
    buf_puts(&b, "}}\n");
    fwrite(b.p, 1, b.n, stdout);
    buf_free(&b);
}

static void sum_text(const struct report_totals *t, FILE *to)
{
    struct buf b = {0};
    buf_printf(&b, "%llu invoices", (unsigned long long)t->invoices);
    if (t->outside) buf_printf(&b, " (%llu others in other months)", (unsigned long long)t->outside);
    buf_printf(&b, ": %llu with an opportunity", (unsigned long long)t->with_deal);
    if (t->by_order) buf_printf(&b, ", %llu of them by their sales order", (unsigned long long)t->by_order);
    buf_printf(&b, ", %llu without\n", (unsigned long long)(t->invoices - t->with_deal));
    for (size_t i = 0; i < t->nsums; i++) {
        buf_printf(&b, "  %-24.*s ", (int)t->sums[i].name.n, t->sums[i].name.p);
        put_sum(&b, &t->sums[i]);
        buf_byte(&b, '\n');
    }
    if (t->deals_gone) buf_printf(&b, "%llu name an opportunity that is deleted or that we may not read\n", (unsigned long long)t->deals_gone);
    if (t->undated) buf_printf(&b, "%llu have no date and are not listed: mlcd dead says which are set aside\n", (unsigned long long)t->undated);
    if (t->columns_left) buf_printf(&b, "%zu amounts found no column any more\n", t->columns_left);
    fwrite(b.p, 1, b.n, to);
    buf_free(&b);
}

int cmd_report(struct cli *c)
{
    struct engine *e;
    struct fault f;
    struct report_totals t;
    struct engine_options o = cli_engine_options(c);
    if (c->argc != 1 || strcmp(c->argv[0], "invoices") != 0 || (c->csv && c->json))
        return fprintf(stderr, "usage: mlcd report invoices [--from MONTH] [--to MONTH] [--flow NAME] [--csv | --json]\n"), 64;
    o.beside = o.look = o.dry = true;
    enum err err = engine_open(&e, &c->world, &o, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    struct printing p = {.c = c, .s = {.form = c->json ? SHEET_JSON : c->csv ? SHEET_CSV : SHEET_TABLE, .is = "invoice"}};
    struct report_options ro = {.module = "Invoices", .from = c->from, .to = c->to};
    struct report_sink sink = {on_columns, on_row, &p};
    err = engine_report(e, &ro, &sink, &t, &f);
    progress_end();
    if (err == ERR_OK && c->json) sum_json(&t);
    if (err == ERR_OK && !c->json) sum_text(&t, c->csv ? stderr : stdout);
    engine_close(e);
    return err == ERR_OK ? 0 : cli_fail(c, &f);
}
