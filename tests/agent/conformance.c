/* conformance.c - agent protocol v1 (facts/sage-100.md 9.2 to 9.7) asked of whoever serves it: the EXE under wine, the model in tests/sim, a real agent.
 *
 *   agent-conformance URL TOKEN COMPANY [CONTROL]
 *
 * CONTROL is a command that changes the company behind the agent's back; without it what needs changes is left out. It gets one of
 *   lock R KEY | unlock R KEY | edit R KEY COLUMN VALUE | insert R KEY | delete R KEY | restart | epoch
 * (KEY with ~), and exits 0 when done, 77 when it cannot. It knows nothing of either implementation but the protocol.
 * Prints "ok NAME" or "not ok NAME: why". */
#include "tests/agent/conformance.h"

/* facts/sage-100.md 9.2, written down a second time on purpose */
const struct spec specs[] = {
    {"customers", "AR_Customer", 2, {"ARDivisionNo", "CustomerNo"}, NULL},
    {"contacts", "AR_CustomerContact", 3, {"ARDivisionNo", "CustomerNo", "ContactCode"}, NULL},
    {"vendors", "AP_Vendor", 2, {"APDivisionNo", "VendorNo"}, NULL},
    {"gl-accounts", "GL_Account", 1, {"AccountKey"}, NULL},
    {"gl-main-accounts", "GL_MainAccount", 2, {"SegmentNo", "MainAccountCode"}, NULL},
    {"gl-account-groups", "GL_AccountGroup", 1, {"AccountGroup"}, NULL},
    {"terms", "AR_TermsCode", 1, {"TermsCode"}, NULL},
    {"salespersons", "AR_Salesperson", 2, {"SalespersonDivisionNo", "SalespersonNo"}, NULL},
    {"items", "CI_Item", 1, {"ItemCode"}, NULL},
    {"sales-orders", "SO_SalesOrderHeader", 1, {"SalesOrderNo"}, "LineKey"},
    {"sales-order-history", "SO_SalesOrderHistoryHeader", 1, {"SalesOrderNo"}, "SequenceNo"},
    {"purchase-orders", "PO_PurchaseOrderHeader", 1, {"PurchaseOrderNo"}, "LineKey"},
    {"ar-open-invoices", "AR_OpenInvoice", 4, {"ARDivisionNo", "CustomerNo", "InvoiceNo", "InvoiceType"}, NULL},
    {"ar-invoices", "AR_InvoiceHistoryHeader", 2, {"InvoiceNo", "HeaderSeqNo"}, "DetailSeqNo"},
    {"ar-payments", "AR_TransactionPaymentHistory", 6, {"ARDivisionNo", "CustomerNo", "InvoiceNo", "InvoiceType", "TransactionDate", "SequenceNo"}, NULL},
    {"ap-open-invoices", "AP_OpenInvoice", 3, {"APDivisionNo", "VendorNo", "InvoiceNo"}, NULL},
    {"ap-invoices", "AP_InvoiceHistoryHeader", 2, {"InvoiceNo", "HeaderSeqNo"}, NULL},
    {NULL, NULL, 0, {NULL}, NULL},
};

/* ---- who are you ---- */

static void authorization(struct peer *p)
{
    static const char *const paths[] = {"/v1/health", "/v1/companies", "/v1/nothing", "/", "/v1/companies/ABC/customers", "/../../windows/win.ini"};
    static const char *const tokens[] = {"", "wrong", "Basic YWRtaW46YWRtaW4="};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (size_t t = 0; t < 3; t++) {
            struct reply r = call(p, tokens[t], "GET", paths[i], NULL);
            bool inside = strncmp(paths[i], "/v1/", 4) == 0;      /* what stands beside /v1 is not the protocol's */
            check(inside ? r.status == 401 && strcmp(at(r.json, "error.code"), "unauthorized") == 0 && strcmp(at(r.json, "error.retryable"), "false") == 0
                         : r.status == 401 || r.status == 404,
                  "without the token nothing but 401", "%s: %d %s", paths[i], r.status, r.text);
            drop(&r);
        }
    char longer[200], shorter[200];
    snprintf(longer, sizeof longer, "%sx", p->token);
    snprintf(shorter, sizeof shorter, "%.*s", (int)strlen(p->token) - 1, p->token);
    struct reply a = call(p, longer, "GET", "/v1/health", NULL), b = call(p, shorter, "GET", "/v1/health", NULL);
    check(a.status == 401 && b.status == 401, "a token longer or shorter by one", "%d %d", a.status, b.status);
    drop(&a);
    drop(&b);
}

static void reports(struct peer *p)
{
    struct reply r = get(p, "/v1/health");
    check(r.status == 200 && strcmp(at(r.json, "protocol"), "1") == 0, "health: protocol 1", "%d %s", r.status, r.text);
    check(strlen(at(r.json, "clock.utc")) >= 20 && strlen(at(r.json, "clock.local")) == 19 && json_is_integer(node(r.json, "clock.tzOffsetMinutes")), "health: clock", "%s", r.text);
    check(json_is_integer(node(r.json, "queue")) && json_is_array(node(r.json, "companies")) && json_is_array(node(r.json, "scans")), "health: queue, companies, scans", "%s", r.text);
    check(json_is_integer(node(r.json, "bitness")) && *at(r.json, "agent"), "health: bitness and version", "%s", r.text);
    drop(&r);
    r = get(p, "/v1/companies");
    json_t *c;
    size_t i;
    bool found = false;
    json_array_foreach(node(r.json, "companies"), i, c) {
        if (strcmp(at(c, "code"), p->company) != 0) continue;
        found = true;
        check(*at(c, "name") && strcmp(at(c, "opens"), "true") == 0 && strlen(at(c, "epoch")) >= 8, "companies: name, opens, epoch", "%s", r.text);
        snprintf(p->epoch, sizeof p->epoch, "%s", at(c, "epoch"));
        p->resources = json_deep_copy(node(c, "resources"));
    }
    check(found && json_array_size(p->resources) > 0, "companies: ours, with resources", "%s", r.text);
    drop(&r);
}

/* ---- schema ---- */

static bool barred(const char *name)
{
    static const char *const words[] = {"EncryptedVals", "TaxpayerID", "Password", "CreditCard", "Cardholder", "CardType", "Last4", "ExpirationDateYear", "ExpirationDateMonth",
                                        "BankName", "BankAccountType", "AVS"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncasecmp(name, words[i], strlen(words[i])) == 0) return true;
    return strcasestr(name, "MagneticStrip") != NULL;
}

static void columns(const json_t *list, const char *what)
{
    size_t i;
    json_t *c;
    json_array_foreach((json_t *)list, i, c) {
        const char *name = at(c, "name"), *type = at(c, "type");
        bool good = *name && (strcmp(type, "string") == 0 || strcmp(type, "date") == 0 || strcmp(type, "number") == 0) && json_integer_value(node(c, "length")) > 0 &&
                    json_is_boolean(node(c, "udf")) && (strncmp(name, "UDF_", 4) == 0) == json_is_true(node(c, "udf")) &&
                    (strcmp(type, "number") != 0 || json_is_integer(node(c, "scale"))) && !barred(name);
        if (!good) check(false, what, "column %s of type %s", name, type);
    }
    check(i > 0, what, "no columns");
}

void schema(struct peer *p, const struct spec *s)
{
    char name[120];
    struct reply r = get(p, "/v1/companies/%s/schema/%s", p->company, s->resource);
    snprintf(name, sizeof name, "%s: schema", s->resource);
    bool good = r.status == 200 && strcmp(at(r.json, "resource"), s->resource) == 0 && strcmp(at(r.json, "table"), s->table) == 0 &&
                json_array_size(node(r.json, "key")) == s->nkeys;
    for (unsigned i = 0; good && i < s->nkeys; i++) {
        char path[16];
        snprintf(path, sizeof path, "key.%u", i);
        good = strcmp(at(r.json, path), s->key[i]) == 0;
    }
    check(good && json_is_boolean(node(r.json, "audit")), name, "%d %.300s", r.status, r.text);
    columns(node(r.json, "columns"), name);
    if (s->line) {
        check(strcmp(at(r.json, "lines.key.0"), s->line) == 0, name, "lines: %.200s", at(r.json, "lines.key.0"));
        columns(node(r.json, "lines.columns"), name);
    } else check(json_is_null(node(r.json, "lines")), name, "lines is not null");
    drop(&r);
}

/* ---- errors ---- */

void refuses(struct peer *p, const char *name, const char *method, const char *path, const char *body, int status, const char *code)
{
    struct reply r = call(p, p->token, method, path, body);
    check(r.status == status && strcmp(at(r.json, "error.code"), code) == 0 && json_is_string(node(r.json, "error.message")) &&
              json_is_boolean(node(r.json, "error.retryable")),
          name, "%s %s: want %d %s, got %d %.200s", method, path, status, code, r.status, r.text);
    drop(&r);
}

static void errors(struct peer *p)
{
    char path[600];
    static const char *const limits[] = {"0", "-1", "1001", "abc", "1e2", "99999999999999999999", "5x"};
    static const char *const outside[] = {"/", "/v1", "/v2/health", "//v1/health", "/etc/passwd", "/V1/health"};
    static const char *const nowhere[] = {"/v1/", "/v1/health/x", "/v1/companies/%s", "/v1/companies/%s/", "/v1/companies//customers", "/v1/../health",
                                          "/v1/companies/%s/customers/a/b/c", "/v1/companies/%s/schema/customers/x",
                                          "/v1/%%2e%%2e/%%2e%%2e/windows/win.ini"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        struct reply r = get(p, "%s", outside[i]);
        check(r.status == 404, "a path outside of the protocol", "%s: %d", outside[i], r.status);
        drop(&r);
    }
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        snprintf(path, sizeof path, "/v1/companies/%s/customers?limit=%s", p->company, limits[i]);
        refuses(p, "a limit out of range", "GET", path, NULL, 400, "bad_request");
    }
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        snprintf(path, sizeof path, nowhere[i], p->company);
        refuses(p, "a path that leads nowhere", "GET", path, NULL, 404, "not_found");
    }
    snprintf(path, sizeof path, "/v1/companies/%s/customers", p->company);
    refuses(p, "no method but GET", "DELETE", path, NULL, 404, "not_found");
    refuses(p, "no method but GET", "PUT", path, "{}", 404, "not_found");
    refuses(p, "another company", "GET", "/v1/companies/ZZZ/customers", NULL, 404, "unknown_company");
    snprintf(path, sizeof path, "/v1/companies/%s/secrets", p->company);
    refuses(p, "another resource", "GET", path, NULL, 404, "unknown_resource");
    snprintf(path, sizeof path, "/v1/companies/%s/customers/onlyonepart", p->company);
    refuses(p, "a key with too few parts", "GET", path, NULL, 400, "bad_request");
    snprintf(path, sizeof path, "/v1/companies/%s/customers/99~NOSUCHROW", p->company);
    refuses(p, "no such row", "GET", path, NULL, 404, "not_found");
    static const char *const cursors[] = {"x", "AAAA", "!!", "%%00", "MToxOjE6MTox"};
    for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
        char format[200];
        snprintf(format, sizeof format, "/v1/companies/%%s/customers?since=%s", cursors[i]);
        snprintf(path, sizeof path, format, p->company);
        refuses(p, "a malformed cursor", "GET", path, NULL, 400, "bad_request");
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "agent-conformance URL TOKEN COMPANY [CONTROL]\n");
        return 2;
    }
    struct peer p = {.url = argv[1], .token = argv[2], .company = argv[3], .control = argc > 4 ? argv[4] : NULL};
    curl_global_init(CURL_GLOBAL_ALL);
    p.curl = curl_easy_init();
    authorization(&p);
    reports(&p);
    errors(&p);
    size_t i;
    json_t *name;
    json_array_foreach(p.resources, i, name)
        for (const struct spec *s = specs; s->resource; s++)
            if (strcmp(s->resource, json_string_value(name)) == 0) resource(&p, s);
    if (p.control) changes(&p);
    json_decref(p.resources);
    curl_easy_cleanup(p.curl);
    curl_global_cleanup();
    return peer_failures ? 1 : 0;
}
