/* soap_fuzz.c - bytes that claim to come from eBusiness Web Services: a WSDL (first byte odd) or a reply (even), through the whole door on a virtual clock.
 * Checked besides not crashing: a key asked for is in exactly one list, or the fetch failed with a sentence; absence is only ever believed on CI_NoKey; and the
 * reader of ordinary answers accepts nothing that libxml2 reads otherwise. */
#include "base/check.h"
#include "connectors/sage/soap.h"
#include "tests/sim/loop.h"
#include "tests/unit/connectors/sage/xml_trees.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

struct server { const char *bytes; size_t n; bool wsdl; };

static void handle(void *self, const struct sim_request *req, struct sim_response *resp)
{
    const struct server *s = self;
    bool get = strcmp(req->method, "GET") == 0;
    resp->status = 200;
    if (get == s->wsdl) sim_response_body(resp, s->bytes, s->n, "text/xml");
    else {
        resp->status = get ? 404 : 500;
        sim_response_body(resp, "<x/>", 4, "text/xml");
    }
}

static struct source_query query(void)
{
    static const struct str key[] = {{"ARDivisionNo", 12}, {"CustomerNo", 10}};
    static struct source_column columns[4];
    struct type text = type_text(1, 50), number = type_decimal(13, 2);
    text.optional = number.optional = true;
    columns[0] = (struct source_column){STR("CustomerName"), text, false};
    columns[1] = (struct source_column){STR("CreditLimit"), number, false};
    columns[2] = (struct source_column){STR("DateUpdated"), {.base = T_DATE, .optional = true}, false};
    columns[3] = (struct source_column){STR("UDF_REGION"), text, true};
    return (struct source_query){.entity = STR("AR_Customer"), .company = STR("ABC"), .key_columns = key, .nkeys = 2, .columns = columns, .ncolumns = 4};
}

static void ask(struct source *s, const struct server *server)
{
    struct arena a;
    struct source_page p;
    struct fault f = {0};
    struct source_query q = query();
    struct source_key k = {.part = {STR("01"), STR("ABF")}, .n = 2};
    extern const struct source_ops sage_source_ops;
    arena_init(&a, 0);
    enum err e = sage_source_ops.fetch(s, &q, &k, 1, &a, &p, &f);
    if (e == ERR_OK) ASSERT(p.nrows + p.nlocked + p.nmissing == 1);
    else ASSERT(f.text[0]);
    if (e == ERR_OK && p.nmissing) ASSERT(!server->wsdl);
    for (size_t c = 0; e == ERR_OK && p.nrows && !p.rows[0].violation && c < q.ncolumns; c++) ASSERT(type_admits(&q.columns[c].type, &p.rows[0].cols[c], NULL, 0));
    arena_free(&a);
}

static void compare(struct str doc)
{
    struct xml_parser *x = sage100__xml_open();
    char said[700];
    bool plain;
    for (int i = 0; i < 2; i++) ASSERT(xml_readers_agree(x, doc, &plain, said, sizeof said));      /* also when the names are known */
    sage100__xml_close(x);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n == 0) return 0;
    extern const struct source_ops sage_source_ops;
    struct server server = {(const char *)data + 1, n - 1, data[0] & 1};
    compare((struct str){server.bytes, server.n});
    struct sim_loop *loop = sim_loop_new(1712000000000LL, 1);
    struct world w = {0};
    sim_loop_world(loop, &w);
    sim_loop_mount(loop, "https://erp.test", (struct sim_model){&server, handle});
    struct conn_setting settings[] = {{STR("soap"), STR("https://erp.test/x.svc")}, {STR("login"), STR("a\nb")}};
    struct conn_env env = {.world = &w, .settings = settings, .nsettings = 2, .state_name = "erp"};
    struct source *s;
    ASSERT(sage_source_ops.open(&s, &env, NULL) == ERR_OK);
    ask(s, &server);
    sage_source_ops.close(s);
    sim_loop_free(loop);
    return 0;
}
