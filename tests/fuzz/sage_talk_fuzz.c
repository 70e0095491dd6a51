/* sage_talk_fuzz.c - a whole conversation with bytes that claim to be the agent or eBusiness Web Services (talk.h): pages, fetches, keys, history, schema,
 * the probe of both doors, the list operation of a site's own. First byte: which. Checked besides not crashing: it ends; an error is told in words; token
 * and password reach no host but Sage's, and no text; what is taken keeps the promises of connector.h. */
#include "connectors/sage/sage.h"
#include "tests/fuzz/talk.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);
extern const struct source_ops sage_source_ops;

static const char *const SECRETS[] = {"canary-agent-token-19c4", "canary-soap-password-d20b", NULL};

static bool sages(struct str host) { return str_is(host, "erp.test:8443"); }

static struct source_query query(bool order)
{
    static const struct str customer[] = {{"ARDivisionNo", 12}, {"CustomerNo", 10}}, sales_order[] = {{"SalesOrderNo", 12}};
    static struct source_column columns[4];
    struct type text = type_text(1, 30), number = type_decimal(13, 2);
    text.optional = number.optional = true;
    columns[0] = (struct source_column){order ? STR("ShipToName") : STR("CustomerName"), text, false};
    columns[1] = (struct source_column){order ? STR("TaxableAmt") : STR("CreditLimit"), number, false};
    columns[2] = (struct source_column){STR("DateUpdated"), {.base = T_DATE, .optional = true}, false};
    columns[3] = (struct source_column){STR("UDF_REGION"), text, true};
    return (struct source_query){.entity = order ? STR("SO_SalesOrderHeader") : STR("AR_Customer"), .company = STR("ABC"), .key_columns = order ? sales_order : customer,
                                 .nkeys = order ? 1 : 2, .columns = columns, .ncolumns = 4};
}

static void add_finding(void *ctx, const struct finding *f)
{
    ASSERT(f->what[0] && f->text[0]);
    talk_told(ctx, f->level == FINDING_FAIL ? ERR_CONFIG : ERR_OK, f->text);
}

static void add_described(void *ctx, const struct described_entity *e)
{
    (void)ctx;
    for (size_t i = 0; i < e->nfields; i++) ASSERT(e->fields[i].type[0]);
}

static void check_page(const struct source_query *q, const struct source_page *p, bool keys)
{
    for (size_t i = 0; i < p->nrows; i++) {
        ASSERT(p->rows[i].key.n == q->nkeys);
        for (size_t c = 0; !keys && c < q->ncolumns; c++) ASSERT(p->rows[i].violation || type_admits(&q->columns[c].type, &p->rows[i].cols[c], NULL, 0));
    }
    ASSERT(p->next.n <= LIMIT_CURSOR_BYTES);
}

/* Page after page, as a pass does. */
static enum err pages(struct source *s, const struct source_query *q, bool keys, struct fault *f)
{
    char cursor[LIMIT_CURSOR_BYTES] = "";
    size_t n = 0;
    enum err e = ERR_OK;
    bool complete = false;
    for (int i = 0; i < 20 && e == ERR_OK && !complete; i++) {
        struct arena a;
        struct source_page p = {.rows = NULL};
        arena_init(&a, 0);
        e = (keys ? sage_source_ops.keys : sage_source_ops.page)(s, q, (struct str){cursor, n}, &a, &p, f);
        if (e == ERR_OK) {
            check_page(q, &p, keys);
            n = p.next.n;
            if (n) memcpy(cursor, p.next.p, n);
            complete = p.complete;
        }
        arena_free(&a);
    }
    return e;
}

static enum err fetch(struct source *s, const struct source_query *q, struct arena *a, struct fault *f)
{
    struct source_key keys[] = {{.part = {STR("01"), STR("ABF")}, .n = q->nkeys}, {.part = {STR("02"), STR("AVNET")}, .n = q->nkeys}};
    struct source_page p = {.rows = NULL};
    enum err e = sage_source_ops.fetch(s, q, keys, 2, a, &p, f);
    if (e != ERR_OK) return e;
    ASSERT(p.nrows + p.nlocked + p.nmissing == 2);
    check_page(q, &p, false);
    return e;
}

static enum err converse(unsigned op, struct source *s, const struct source_query *q, struct talk *k, struct arena *a, struct fault *f)
{
    struct finding_sink findings = {add_finding, k};
    struct describe_sink described = {add_described, k};
    switch (op) {
    case 0: return pages(s, q, false, f);
    case 1: return pages(s, q, true, f);
    case 2: return fetch(s, q, a, f);
    case 3: return sage_source_ops.probe(s, q, 1, &findings, f);
    default: return sage_source_ops.describe(s, q, 1, &described, f);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n == 0) return 0;
    struct talk k;
    struct arena a;
    struct source *s;
    struct fault f = {ERR_OK, ""};
    bool soap = data[0] & 8, order = data[0] & 16, list = data[0] & 32;
    struct conn_setting agent[] = {{STR("company"), STR("ABC")}, {STR("agent"), STR("https://erp.test:8443")}, {STR("token"), STR("canary-agent-token-19c4")}};
    struct conn_setting door[] = {{STR("company"), STR("ABC")}, {STR("soap"), STR("https://erp.test:8443/x.svc")}, {STR("login"), STR("websvc\ncanary-soap-password-d20b")},
                                  {STR("keys.AR_Customer.operation"), STR("ListCustomers")}};
    talk_open(&k, (struct str){(const char *)data + 1, n - 1}, SECRETS, sages);
    struct conn_env env = {.world = &k.w, .settings = soap ? door : agent, .nsettings = soap ? 3 + list : 3, .state_name = "erp"};
    struct source_query q = query(order);
    arena_init(&a, 0);
    ASSERT(sage_source_ops.open(&s, &env, &f) == ERR_OK);
    enum err e = converse(data[0] & 7, s, &q, &k, &a, &f);
    talk_told(&k, e, f.text);
    sage_source_ops.close(s);
    arena_free(&a);
    talk_close(&k);
    return 0;
}
