/* agent_page_fuzz.c - bytes that claim to be an answer of the agent: changed rows, keys, batchGet, a row, an error. Checked besides not crashing: what is
 * taken keeps the promises of connector.h, what is refused says ERR_PROTOCOL and why. First byte: which answer. */
#include "base/check.h"
#include "connectors/sage/sage.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static struct source_query query(void)
{
    static const struct str key[] = {{"ARDivisionNo", 12}, {"CustomerNo", 10}};
    static struct source_column columns[5];
    struct type text = type_text(1, 10), number = type_decimal(13, 2);
    text.optional = number.optional = true;
    columns[0] = (struct source_column){STR("CustomerNo"), type_text(1, 20), false};
    columns[1] = (struct source_column){STR("CustomerName"), text, false};
    columns[2] = (struct source_column){STR("CreditLimit"), number, false};
    columns[3] = (struct source_column){STR("DateEstablished"), {.base = T_DATE, .optional = true}, false};
    columns[4] = (struct source_column){STR("UDF_REGION"), text, true};
    return (struct source_query){.entity = STR("AR_Customer"), .company = STR("ABC"), .key_columns = key, .nkeys = 2, .columns = columns, .ncolumns = 5};
}

static void check_taken(enum sage_agent_shape shape, const struct source_query *q, const struct source_page *p)
{
    ASSERT(p->nrows + p->nlocked + p->nmissing <= 8);
    for (size_t i = 0; i < p->nrows; i++) {
        ASSERT(p->rows[i].key.n == 2);
        for (size_t c = 0; shape != AGENT_KEYS && c < q->ncolumns; c++)
            ASSERT(p->rows[i].violation || type_admits(&q->columns[c].type, &p->rows[i].cols[c], NULL, 0));
    }
    if (shape == AGENT_PAGE) ASSERT(sage100__agent_cursor_ok(p->next));
    if (shape == AGENT_KEYS) ASSERT(p->epoch.n > 0 && (p->complete || p->next.n > 0));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n == 0) return 0;
    struct arena a;
    struct source_page page;
    struct fault f = {0};
    struct source_query q = query();
    struct str body = {(const char *)data + 1, n - 1}, code = {0}, message = {0};
    int64_t after = 0;
    enum sage_agent_shape shape = (enum sage_agent_shape)(data[0] % 4);
    arena_init(&a, 0);
    enum err e = sage100__agent_json(shape, &q, 2, body, 8, &a, &page, &f);
    if (e == ERR_OK) check_taken(shape, &q, &page);
    else ASSERT(e == ERR_PROTOCOL && f.text[0]);
    (void)sage100__agent_json_error(body, &a, &code, &message, &after);
    arena_free(&a);
    return 0;
}
