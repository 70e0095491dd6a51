/* report.h - invoices with their opportunities, for accounting. Amounts, dates and the customer are those that the flow derives of the source; the
 * opportunity is the one that the record is linked to in the target, else the one of its sales order there. Deals are read, never written.
 *
 *   rows of the flow in the index -- month -- chunks of 100 -- their links in the target -- orders -- deals -> a line each
 */
#ifndef SYNC_REPORT_H
#define SYNC_REPORT_H
#include "sync/engine.h"
#include "value/value.h"

enum { REPORT_COLUMNS = 60, REPORT_FIXED = 13 };
enum report_form { REPORT_TEXT, REPORT_AMOUNT, REPORT_DATE };
struct report_column { struct str name; enum report_form form; };
/* The first REPORT_FIXED columns are always: invoice, id, state, account, account_name, order_id, deal_id, deal, deal_number, stage, deal_amount, closing_date,
 * deal_from ("invoice", "order" or empty). Behind them the dates, then the amounts of the flow, then the amounts that other flows add to its records. */
struct report_options {
    const char *module;                    /* "Invoices" */
    const char *from, *to;                 /* 2026-03 or 2026-03-12, both inclusive; NULL = open */
};
struct report_sum { struct str name; struct value sum; bool overflow; };
struct report_totals {
    struct str flow, date;                 /* which flow was read, and which of its dates the months mean */
    uint64_t invoices, with_deal, by_order, deals_gone, undated, outside, target_calls;
    size_t columns_left;                   /* amounts and dates that found no place any more */
    struct report_sum sums[REPORT_COLUMNS]; size_t nsums;
};
struct report_sink {
    void (*columns)(void *ctx, const struct report_column *c, size_t n);       /* once, before the first row */
    void (*row)(void *ctx, const struct str *cells, size_t n);                 /* printed values; empty = not there */
    void *ctx;
};
/* The flow is the one that writes the module, or the one that the engine was opened with. ERR_CONFIG: there is none, or several. */
enum err engine_report(struct engine *e, const struct report_options *o, const struct report_sink *sink, struct report_totals *t, struct fault *f);
#endif
