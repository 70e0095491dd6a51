/* cmd_reconcile.c - both sides compared: differences, what each flow adds up to, and the sums of each customer. */
#include "cli/cli.h"
#include "cli/sheet.h"
#include "sync/reconcile.h"
#include "value/decimal.h"
#include <stdio.h>
#include <unistd.h>

static const struct sheet_column difference_columns[] = {
    {"flow", "flow", 14, false},      {"class", "what", 9, false},     {"key", "record", 18, false},  {"id", "id", 19, false}, {"field", "field", 18, false},
    {"source", "source", 16, false},  {"written", "we wrote", 16, false}, {"target", "target", 16, false}, {"why", "why", 0, false}};
static const struct sheet_column total_columns[] = {
    {"flow", "flow", 14, false}, {"by", "by", 14, false}, {"party", "of", 20, false}, {"source_records", "source", 8, true}, {"target_records", "target", 8, true},
    {"amount", "amount", 18, false}, {"source_sum", "source", 16, true}, {"target_sum", "target", 16, true}, {"difference", "difference", 14, true},
    {"differs", "", 3, false}};
enum { NDIFFERENCE = sizeof difference_columns / sizeof *difference_columns, NTOTAL = sizeof total_columns / sizeof *total_columns };

struct printing { const struct cli *c; struct sheet differences, totals; FILE *talk; };

static void on_difference(void *ctx, const struct reconcile_difference *d)
{
    struct printing *p = ctx;
    if (p->c->csv && p->c->totals) return;                 /* one sheet, one shape */
    const struct str cells[] = {str_of(d->flow), str_of(reconcile_class_name(d->cls)), d->key, d->id, d->field, d->source, d->written, d->target, str_of(d->why)};
    progress_end();
    sheet_row(&p->differences, cells);
}

static void on_total(void *ctx, const struct reconcile_total *t)
{
    struct printing *p = ctx;
    char counts[2][24], sums[3][DECIMAL_BYTES + 1];
    struct value delta;
    if (p->totals.form == SHEET_TABLE && !t->differs) return;          /* people look for what differs; the sheets have all */
    snprintf(counts[0], sizeof counts[0], "%llu", (unsigned long long)t->source_records);
    snprintf(counts[1], sizeof counts[1], "%llu", (unsigned long long)t->target_records);
    bool fits = decimal_sub(&t->target_sum, &t->source_sum, &delta);
    const struct value *const amounts[] = {&t->source_sum, &t->target_sum, &delta};
    struct str text[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    for (size_t i = 0; i < 3 && t->field.n; i++)
        if (i < 2 || fits) text[i] = (struct str){sums[i], decimal_write(sums[i], amounts[i])};
    const struct str cells[] = {str_of(t->flow), str_of(t->party_of), t->party, str_of(counts[0]), str_of(counts[1]), t->field, text[0], text[1], text[2],
                                str_of(t->differs ? "yes" : "no")};
    progress_end();
    sheet_row(&p->totals, cells);
}

static void flow_json(const struct reconcile_flow *r)
{
    printf("{\"is\":\"flow\",\"flow\":\"%s\",\"module\":\"%s\",\"source\":%llu,\"target\":", r->flow, r->module, (unsigned long long)r->source);
    if (r->no_scan || r->adds) fputs("null", stdout);
    else printf("%llu", (unsigned long long)r->target);
    for (unsigned k = 0; k < RECONCILE_COUNT; k++) printf(",\"%s\":%llu", reconcile_class_name(k), (unsigned long long)r->counts[k]);
    printf(",\"erased\":%llu,\"unknown_links\":%llu,\"marked\":%llu,\"all_keys\":%s,\"all_records\":%s}\n", (unsigned long long)r->erased,
           (unsigned long long)r->unknown_links, (unsigned long long)r->marked, r->no_keys ? "false" : "true", r->no_scan ? "false" : "true");
}

static void on_flow(void *ctx, const struct reconcile_flow *r)
{
    struct printing *p = ctx;
    progress_end();
    if (p->c->json) {
        flow_json(r);
        return;
    }
    fprintf(p->talk, "%s: %llu records in the source", r->flow, (unsigned long long)r->source);
    if (r->adds) fprintf(p->talk, " that add to records of %s", r->module);
    else if (!r->no_scan) fprintf(p->talk, ", %llu in %s", (unsigned long long)r->target, r->module);
    fputc('\n', p->talk);
    for (unsigned k = 0; k < RECONCILE_COUNT; k++)
        if (r->counts[k] || k == RECONCILE_SAME)
            fprintf(p->talk, "  %8llu  %-10s %s\n", (unsigned long long)r->counts[k], reconcile_class_name(k), reconcile_class_text(k));
    if (r->erased) fprintf(p->talk, "  %8llu  were erased and are never compared\n", (unsigned long long)r->erased);
    if (r->unknown_links) fprintf(p->talk, "  %8llu  links could not be compared: what they name was never looked up\n", (unsigned long long)r->unknown_links);
    if (r->no_keys) fprintf(p->talk, "            the source cannot list its keys: records that no pass has read are not found\n");
    if (r->no_scan) fprintf(p->talk, "            the target cannot be walked: orphans and duplicates are not found\n");
    if (r->marked) fprintf(p->talk, "  %8llu  marked to be written\n", (unsigned long long)r->marked);
}

struct costs { const struct cli *c; uint64_t records, source, target; };

static void on_estimate(void *ctx, const struct reconcile_estimate *x)
{
    struct costs *t = ctx;
    t->records += x->records;
    t->source += x->source_calls;
    t->target += x->target_calls;
    if (t->c->json)
        printf("{\"is\":\"estimate\",\"flow\":\"%s\",\"records\":%llu,\"source_calls\":%llu,\"target_calls\":%llu}\n", x->flow, (unsigned long long)x->records,
               (unsigned long long)x->source_calls, (unsigned long long)x->target_calls);
    else
        printf("%-20s %8llu records, about %llu calls to the source, %llu to the target\n", x->flow, (unsigned long long)x->records,
               (unsigned long long)x->source_calls, (unsigned long long)x->target_calls);
}

static int estimate(struct cli *c, struct engine *e)
{
    struct costs t = {c, 0, 0, 0};
    struct fault f;
    enum err err = engine_reconcile_estimate(e, c->no_lines, on_estimate, &t, &f);
    engine_close(e);
    if (err != ERR_OK) return cli_fail(c, &f);
    if (!c->json) printf("in all: %llu records, %llu credits or so; nothing was read\n", (unsigned long long)t.records, (unsigned long long)t.target);
    return 0;
}

static void sum_up(const struct printing *p, const struct reconcile_result *r)
{
    if (p->c->json) {
        printf("{\"is\":\"sum\",\"records\":%llu,\"differences\":%llu,\"marked\":%llu,\"source_calls\":%llu,\"target_calls\":%llu,\"credits\":", (unsigned long long)r->records,
               (unsigned long long)r->differences, (unsigned long long)r->marked, (unsigned long long)r->source_calls, (unsigned long long)r->target_calls);
        if (r->credits < 0) puts("null}");
        else printf("%lld}\n", (long long)r->credits);
        return;
    }
    fprintf(p->talk, "compared %llu records: %llu differ", (unsigned long long)r->records, (unsigned long long)r->differences);
    fprintf(p->talk, " (%llu calls to the source, %llu to the target", (unsigned long long)r->source_calls, (unsigned long long)r->target_calls);
    if (r->credits >= 0) fprintf(p->talk, ", %lld credits", (long long)r->credits);
    fputs(")\n", p->talk);
    if (r->marked) fprintf(p->talk, "%llu are marked and go out with the next mlcd once, or now if mlcd runs\n", (unsigned long long)r->marked);
}

int cmd_reconcile(struct cli *c)
{
    struct engine *e;
    struct fault f;
    struct engine_options o = cli_engine_options(c);
    if (c->argc > 0 || (c->csv && c->json)) return fprintf(stderr, "usage: mlcd reconcile [--flow NAME] [--totals] [--repair [--recreate]] [--no-lines] [--estimate] [--csv | --json]\n"), 64;
    o.beside = o.look = true;
    o.dry = !c->repair;
    enum err err = engine_open(&e, &c->world, &o, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    if (c->estimate) return estimate(c, e);
    enum sheet_form form = c->json ? SHEET_JSON : c->csv ? SHEET_CSV : SHEET_TABLE;
    struct printing p = {c, {form, "difference", difference_columns, NDIFFERENCE, 0}, {form, "total", total_columns, NTOTAL, 0}, c->csv ? stderr : stdout};
    struct reconcile_options ro = {.totals = c->totals, .repair = c->repair, .recreate = c->recreate, .no_lines = c->no_lines, .by = c->by};
    struct reconcile_sink sink = {on_difference, on_total, on_flow, &p};
    struct reconcile_result r;
    if (form == SHEET_CSV) sheet_head(c->totals ? &p.totals : &p.differences);
    err = engine_reconcile(e, &ro, &sink, &r, &f);
    engine_close(e);
    progress_end();
    if (err != ERR_OK) return cli_fail(c, &f);
    sum_up(&p, &r);
    return r.differences ? 2 : 0;
}
