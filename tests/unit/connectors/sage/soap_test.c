/* The SOAP door against the model: two services that share no name and no order, blanks in every shape, user-defined fields, every fault of
 * facts/sage-100.md 3.5, hashes, key files. */
#include "rig.h"
#include "soap_tables.h"
#include <unistd.h>

static const struct source_ops *ops = &sage_source_ops;

struct shape { const char *name; struct sage_soap_names names; };
static const struct shape shapes[] = {
    {"stock names", {.service_ns = "http://mas90.sage.com/ws", .data_ns = "http://schemas.datacontract.org/2004/07/Sage.Mas.Ws", .contract = "IMasService",
                     .path = "/ebusinesswebservices/MasService.svc", .logon_code = "WS_LogonFailure", .null_date = "1753-01-01T00:00:00", .blank = SAGE_BLANK_EMPTY}},
    {"other names, other order, split WSDL", {.service_ns = "urn:other:service/v7", .data_ns = "urn:other:data", .contract = "IOther", .action_format = "urn:do#%s",
                     .path = "/ebusinesswebservices/MasService.svc", .logon_code = "X", .null_date = "1899-12-30T00:00:00", .username_first = true, .split_wsdl = true,
                     .blank = SAGE_BLANK_NIL}},
    {"one namespace for all, blanks left out", {.service_ns = "urn:all", .data_ns = "urn:all", .contract = "IAll", .path = "/ebusinesswebservices/MasService.svc",
                     .logon_code = "WS_Logon", .null_date = "0001-01-01T00:00:00", .blank = SAGE_BLANK_OMITTED}},
};

static void soap_rig(struct rig *r, const struct shape *shape)
{
    struct sage_sim_options o;
    rig_world(r);
    rig_use_soap_only(r);
    sage_sim_options_default(&o);
    o.customers = 120;
    o.soap = shape->names;
    rig_model(r, &o);
    rig_open(r);
}

static void fetch_matches(struct rig *r, const struct source_query *q, const char *resource, size_t parts)
{
    struct source_page p;
    struct rig_keys *all = rig_all(r, resource);
    struct source_key keys[20];
    size_t n = all->n < 20 ? all->n : 20;
    for (size_t i = 0; i < n; i++) keys[i] = rig_split(&r->a, all->text[i], parts);
    CHECK(ops->fetch(r->s, q, keys, n, &r->a, &p, &r->f) == ERR_OK && p.nrows == n, "%zu of %zu %s", p.nrows, n, r->f.text);
    for (size_t i = 0; i < p.nrows; i++) {
        const struct source_row *row = &p.rows[i];
        CHECK(!row->violation, "%s: %s", all->text[i], row->violation);
        CHECK(row->hash.n == 64, "hash");
        for (size_t c = 0; c < q->ncolumns && !row->violation; c++) {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)q->columns[c].name.n, q->columns[c].name.p);
            char *raw = sage_sim_value(r->sage, "ABC", resource, all->text[i], name);
            struct value want;
            char why[160];
            bool ok = type_read(&q->columns[c].type, str_of(raw ? raw : ""), &want, why, sizeof why);
            CHECK(ok && value_equal(&want, &row->cols[c]), "%s.%s: model says %s", all->text[i], name, raw ? raw : "(blank)");
            free(raw);
        }
    }
}

/* The lines of the orders are the same through both doors. */
static void lines_match(struct rig *r)
{
    static const struct str names[] = {{"SalesOrderNo", 12}, {"LineKey", 7}, {"ItemCode", 8}, {"QuantityOrdered", 15}, {"UnitPrice", 9}, {"PromiseDate", 11}};
    static const uint8_t flags[6] = {0, LIST_KEY, 0, 0, 0, 0};
    const struct type types[] = {type_text(1, 7), type_text(6, 6), rig_text(30), rig_number(15, 6), rig_number(15, 6), rig_date()};
    const struct list_shape shape = {1000, 6, names, types, flags};
    struct source_column columns[] = {{STR("Lines"), {.base = T_LIST, .optional = true, .shape = &shape}, false}};
    struct source_query q = {.entity = STR("SO_SalesOrderHeader"), .company = STR("ABC"), .key_columns = rig_order_key, .nkeys = 1, .columns = columns, .ncolumns = 1};
    struct source_page soap, agent;
    struct rig_keys *all = rig_all(r, "sales-orders");
    struct source_key keys[20];
    size_t n = all->n < 20 ? all->n : 20, some = 0;
    for (size_t i = 0; i < n; i++) keys[i] = rig_split(&r->a, all->text[i], 1);
    q.via = STR("soap");
    CHECK(ops->fetch(r->s, &q, keys, n, &r->a, &soap, &r->f) == ERR_OK && soap.nrows == n, "%zu of %zu %s", soap.nrows, n, r->f.text);
    q.via = STR("agent");
    CHECK(ops->fetch(r->s, &q, keys, n, &r->a, &agent, &r->f) == ERR_OK && agent.nrows == n, "%zu of %zu %s", agent.nrows, n, r->f.text);
    for (size_t i = 0; i < soap.nrows && i < agent.nrows; i++) {
        struct buf x = {0}, y = {0};
        CHECK(!soap.rows[i].violation && !agent.rows[i].violation, "%s | %s", soap.rows[i].violation, agent.rows[i].violation);
        value_print(&x, &soap.rows[i].cols[0]);
        value_print(&y, &agent.rows[i].cols[0]);
        CHECK(value_equal(&soap.rows[i].cols[0], &agent.rows[i].cols[0]), "%s through SOAP, %s through the agent", buf_cstr(&x), buf_cstr(&y));
        some += soap.rows[i].cols[0].kind == V_LIST;
        buf_free(&x);
        buf_free(&y);
    }
    CHECK(some > 0, "no order has lines");
}

static void every_shape(void)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct rig r;
        char name[120];
        snprintf(name, sizeof name, "customers, contacts, orders as the model holds them: %s", shapes[i].name);
        rig_begin(name);
        soap_rig(&r, &shapes[i]);
        struct source_query q = rig_customers();
        fetch_matches(&r, &q, "customers", 2);
        q = contacts();
        fetch_matches(&r, &q, "contacts", 3);
        q = orders();
        fetch_matches(&r, &q, "sales-orders", 1);
        CHECK(sage_sim_count(r.sage, "wsdl") <= 6 && sage_sim_count(r.sage, "GetContractInformation") == 1, "the description is read once: %llu",
              (unsigned long long)sage_sim_count(r.sage, "wsdl"));
        CHECK(sage_sim_count(r.sage, "GetNextCustomerNo") == 0, "no counter is ever moved");
        rig_close(&r);
        rig_end();
    }
}

/* ---- without a WSDL ---- */

static void without_wsdl(void)
{
    static const struct { const char *name, *kind; int status; bool works; } cases[] = {
        {"the service publishes no WSDL: 404", "status", 404, true}, {"the service publishes no WSDL: its page for people", "garbage", 0, true}};
    for (size_t i = 0; i < 2; i++) {
        struct rig r;
        rig_begin(cases[i].name);
        soap_rig(&r, &shapes[0]);
        sage_sim_fault(r.sage, &(struct sage_fault){.on = "wsdl", .kind = cases[i].kind, .status = cases[i].status});
        struct source_query q = rig_customers();
        fetch_matches(&r, &q, "customers", 2);
        rig_close(&r);
        rig_end();
    }
    struct rig r;
    rig_begin("names of one's own by settings, no WSDL wanted");
    soap_rig(&r, &shapes[1]);
    rig_set(&r, "soap_wsdl", "none");
    rig_set(&r, "soap_namespace", "urn:other:service/v7");
    rig_set(&r, "soap_data_namespace", "urn:other:data");
    rig_set(&r, "soap_action", "urn:do#{operation}");
    rig_set(&r, "soap_logon", "user,password");
    rig_reopen(&r);
    struct source_query q = rig_customers();
    fetch_matches(&r, &q, "customers", 2);
    CHECK(sage_sim_count(r.sage, "wsdl") == 0, "no WSDL was asked for");
    rig_close(&r);
    rig_end();
}

static void wrong_names(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("names that the service does not know are said to be so");
    soap_rig(&r, &shapes[1]);
    rig_set(&r, "soap_wsdl", "none");
    rig_reopen(&r);
    struct source_query q = rig_customers();
    struct source_key k = rig_key2("01", "NOSUCH");
    CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == ERR_PROTOCOL && strstr(r.f.text, "soap_action"), "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void bad_descriptions(void)
{
    static const struct { const char *name, *body; enum err err; const char *want; } cases[] = {
        {"a WSDL with a document type declaration", "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>", ERR_PROTOCOL, "document type"},
        {"a WSDL that is cut off", "<wsdl:definitions xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\"><wsdl:types>", ERR_PROTOCOL, "WSDL"},
        {"a WSDL of something else", "<wsdl:definitions xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\"/>", ERR_PROTOCOL, "none of our operations"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct rig r;
        struct source_page p;
        struct canned c = {.status = 200, .body = cases[i].body, .type = "text/xml"};
        rig_begin(cases[i].name);
        rig_world(&r);
        rig_use_soap_only(&r);
        rig_canned(&r, &c);
        rig_open(&r);
        struct source_query q = rig_customers();
        struct source_key k = rig_key2("01", "ABF");
        CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == cases[i].err && strstr(r.f.text, cases[i].want), "%s", r.f.text);
        CHECK(!strstr(c.request, "websvc-password"), "nothing was signed in to");
        rig_close(&r);
        rig_end();
    }
}

/* ---- faults ---- */

static void faults(void)
{
    static const struct { const char *name, *code, *message; enum err err; int missing, locked, set_aside; } cases[] = {
        {"CI_NoKey", "CI_NoKey", "The record does not exist.", ERR_OK, 1, 0, 0},
        {"CI_NOF", "CI_NOF", "The ZIP Code is not on file.", ERR_OK, 0, 0, 1},
        {"CI_CharLength", "CI_CharLength", "The Customer Number is greater than 20 character(s)", ERR_OK, 0, 0, 1},
        {"WS_AlreadyExists", "WS_AlreadyExists", "already exists", ERR_PROTOCOL, 0, 0, 0},
        {"No Access", "No Access", "you are not authorized to perform this action", ERR_PERMISSION, 0, 0, 0},
        {"No Access in another spelling", "NoAccess", "no", ERR_PERMISSION, 0, 0, 0},
        {"logon failure", "whatever", "Logon failure: The user logon or password does not match or the user logon is not enabled for web services.", ERR_AUTH, 0, 0, 0},
        {"in use", "CI_Other", "The record is in use by JDOE.", ERR_OK, 0, 1, 0},
        {"locked", "", "Customer ABF is locked by another user", ERR_OK, 0, 1, 0},
        {"being used", "x", "The file is being used by another process", ERR_OK, 0, 1, 0},
        {"error #0", "x", "Error #0 (Record/file busy) occurred", ERR_OK, 0, 1, 0},
        {"blocked is not locked", "Strange", "The address is blocked", ERR_PROTOCOL, 0, 0, 0},
        {"company", "CI_NOF", "The company code is not on file.", ERR_CONFIG, 0, 0, 0},
        {"column text of BOI", "CI_NOF", "Could not set AR_Customer_bus column ZipCode: The ZIP Code 1 is not on file.", ERR_OK, 0, 0, 1},
        {"unexpected", "Zork", "Taxable Amount is read only.", ERR_PROTOCOL, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        struct source_page p;
        rig_begin(cases[i].name);
        soap_rig(&r, &shapes[i % 3]);
        sage_sim_fault(r.sage, &(struct sage_fault){.on = "GetCustomer", .kind = "soap_fault", .code = cases[i].code, .message = cases[i].message});
        struct source_query q = rig_customers();
        struct source_key k = rig_key2("01", "ABF");
        enum err e = ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f);
        CHECK(e == cases[i].err, "%s: %s", err_name(e), r.f.text);
        CHECK((int)p.nmissing == cases[i].missing && (int)p.nlocked == cases[i].locked && (int)p.nrows == cases[i].set_aside, "%zu missing, %zu locked, %zu rows",
              p.nmissing, p.nlocked, p.nrows);
        if (cases[i].set_aside && p.nrows == 1) CHECK(p.rows[0].violation && strstr(p.rows[0].violation, "refuses the key"), "set aside");
        CHECK(sage_sim_count(r.sage, "GetCustomer") == 1, "asked once");
        CHECK(!strstr(r.f.text, "websvc-password"), "the password stands in a message");
        rig_close(&r);
        rig_end();
    }
}

static void exceptions(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("An exception occurred: repeated, then the key waits, then the service is at fault");
    soap_rig(&r, &shapes[0]);
    struct source_query q = rig_customers();
    struct rig_keys *all = rig_all(&r, "customers");
    struct source_key k[5];
    for (size_t i = 0; i < 5; i++) k[i] = rig_split(&r.a, all->text[i], 2);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "GetCustomer", .kind = "exception", .times = 2});
    CHECK(ops->fetch(r.s, &q, k, 2, &r.a, &p, &r.f) == ERR_OK && p.nrows == 2 && r.notes == 2, "twice, then well: %s", r.f.text);
    sage_sim_clear_faults(r.sage);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "GetCustomer", .kind = "exception", .skip = 1, .times = 6});
    CHECK(ops->fetch(r.s, &q, k, 5, &r.a, &p, &r.f) == ERR_OK && p.nrows == 4 && p.nlocked == 1, "one poisoned record: %zu %zu %s", p.nrows, p.nlocked, r.f.text);
    sage_sim_clear_faults(r.sage);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "GetCustomer", .kind = "exception"});
    CHECK(ops->fetch(r.s, &q, k, 5, &r.a, &p, &r.f) == ERR_BUSY && strstr(r.f.text, "Event Log"), "all of them: %s", r.f.text);
    CHECK(ops->fetch(r.s, &q, k, 1, &r.a, &p, &r.f) == ERR_BUSY, "the only one: %s", r.f.text);
    rig_close(&r);
    rig_end();
}

/* Twenty keys that do not exist are twenty answers of a service that is well: no breaker may open. */
static void many_missing(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("many missing keys in a row");
    soap_rig(&r, &shapes[0]);
    struct source_query q = rig_customers();
    struct source_key k[60];
    for (size_t i = 0; i < 60; i++) k[i] = rig_key2("01", arena_printf(&r.a, "GONE%zu", i));
    CHECK(ops->fetch(r.s, &q, k, 60, &r.a, &p, &r.f) == ERR_OK && p.nmissing == 60, "%zu %s", p.nmissing, r.f.text);
    rig_close(&r);
    rig_end();
}

static void plain_statuses(void)
{
    static const struct { int status; enum err err; } cases[] = {{404, ERR_CONFIG}, {405, ERR_CONFIG}, {401, ERR_AUTH}, {403, ERR_AUTH}, {302, ERR_PROTOCOL}, {500, ERR_PROTOCOL},
        {200, ERR_PROTOCOL}, {502, ERR_BUSY}, {503, ERR_BUSY}, {504, ERR_BUSY}, {429, ERR_BUSY}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        struct source_page p;
        char name[60];
        snprintf(name, sizeof name, "soap: status %d with a page of HTML", cases[i].status);
        rig_begin(name);
        soap_rig(&r, &shapes[0]);
        sage_sim_fault(r.sage, &(struct sage_fault){.on = "GetCustomer", .kind = "status", .status = cases[i].status});
        struct source_query q = rig_customers();
        struct source_key k = rig_key2("01", "ABF");
        CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == cases[i].err, "%s", r.f.text);
        CHECK(p.nmissing == 0, "no conclusion about the record");
        rig_close(&r);
        rig_end();
    }
}

static void broken_answers(void)
{
    static const struct { const char *kind; int64_t delay_ms; enum err err; } cases[] = {{"truncate", 0, ERR_PROTOCOL}, {"doctype", 0, ERR_PROTOCOL}, {"garbage", 0, ERR_PROTOCOL},
        {"empty", 0, ERR_PROTOCOL}, {"cut", 0, ERR_UNREACHABLE}, {"drop_before", 0, ERR_UNREACHABLE}, {"drop_after", 0, ERR_UNREACHABLE}, {"delay", 400000, ERR_UNREACHABLE},
        {"delay", 200000, ERR_OK}, {"trickle", 1, ERR_OK}, {"unknown", 0, ERR_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        struct source_page p;
        char name[60];
        snprintf(name, sizeof name, "soap: %s, %lld ms", cases[i].kind, (long long)cases[i].delay_ms);
        rig_begin(name);
        soap_rig(&r, &shapes[0]);
        sage_sim_fault(r.sage, &(struct sage_fault){.on = "GetCustomer", .kind = cases[i].kind, .delay_ms = cases[i].delay_ms});
        struct source_query q = rig_customers();
        struct source_key k = rig_split(&r.a, rig_all(&r, "customers")->text[2], 2);
        enum err e = ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f);
        CHECK(e == cases[i].err, "%s: %s", err_name(e), r.f.text);
        CHECK(p.nmissing == 0, "no conclusion about the record");
        rig_close(&r);
        rig_end();
    }
}

/* ---- content ---- */

static struct source_row one(struct rig *r, const struct source_query *q, const struct source_key *k)
{
    struct source_page p;
    CHECK(ops->fetch(r->s, q, k, 1, &r->a, &p, &r->f) == ERR_OK && p.nrows == 1, "%s", r->f.text);
    return p.nrows == 1 ? p.rows[0] : (struct source_row){.key = *k};
}

static void hashes(void)
{
    struct rig r;
    rig_begin("the hash follows the content and not the stamp");
    soap_rig(&r, &shapes[0]);
    struct source_query q = rig_customers();
    const char *key = rig_all(&r, "customers")->text[4];
    struct source_key k = rig_split(&r.a, key, 2);
    struct source_row a = one(&r, &q, &k);
    CHECK(str_eq(one(&r, &q, &k).hash, a.hash), "the same record, the same hash");
    sage_sim_stamp(r.sage, "ABC", "customers", key, "20240330", "9.5", true);
    struct source_row b = one(&r, &q, &k);
    CHECK(str_eq(b.hash, a.hash) && str_is(b.stamp, "2024-03-30 09:30:00"), "another stamp: %.*s", (int)b.stamp.n, b.stamp.p);
    sage_sim_edit(r.sage, "ABC", "customers", key, "Comment", "a column that nobody reads", SAGE_STAMP_KEPT);
    CHECK(!str_eq(one(&r, &q, &k).hash, a.hash), "another content");
    sage_sim_edit(r.sage, "ABC", "customers", key, "Comment", "", SAGE_STAMP_KEPT);
    struct source_row blank = one(&r, &q, &k);
    sage_sim_do(r.sage, "{\"do\":\"settings\",\"blank\":\"nil\"}", NULL);
    CHECK(str_eq(one(&r, &q, &k).hash, blank.hash), "a blank in another shape is the same content");
    rig_close(&r);
    rig_end();
}

static void absent_columns(void)
{
    struct rig r;
    rig_begin("a column that this door lacks is a violation, a blank one is not");
    soap_rig(&r, &shapes[2]);
    struct source_query q = rig_customers();
    static struct source_column columns[3];
    columns[0] = (struct source_column){STR("AddressLine3"), rig_text(40), false};
    columns[1] = (struct source_column){STR("UDF_REGION"), rig_text(40), true};
    columns[2] = (struct source_column){STR("NoSuchColumn"), rig_text(40), false};
    q.columns = columns;
    q.ncolumns = 2;
    const char *key = rig_all(&r, "customers")->text[4];
    struct source_key k = rig_split(&r.a, key, 2);
    sage_sim_edit(r.sage, "ABC", "customers", key, "AddressLine3", "", SAGE_STAMP_KEPT);
    struct source_row row = one(&r, &q, &k);
    CHECK(!row.violation && row.cols[0].kind == V_ABSENT, "%s", row.violation);
    q.ncolumns = 3;
    row = one(&r, &q, &k);
    CHECK(row.violation && strstr(row.violation, "NoSuchColumn"), "%s", row.violation ? row.violation : "none");
    rig_close(&r);
    rig_end();
}

static void escapes(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("markup in a key, a name or a password goes out and comes back as text");
    struct sage_sim_options o;
    rig_world(&r);
    rig_use_soap_only(&r);
    rig_set(&r, "login", "websvc\n<p&\"'>]]>\n");
    sage_sim_options_default(&o);
    o.customers = 60;
    o.password = "<p&\"'>]]>";
    rig_model(&r, &o);
    rig_open(&r);
    struct source_query q = rig_customers();
    CHECK(sage_sim_insert(r.sage, "ABC", "customers", "01~<A&B>\"'", NULL, NULL), "insert");
    CHECK(sage_sim_edit(r.sage, "ABC", "customers", "01~<A&B>\"'", "CustomerName", "M\xc3\xbcller & S\xc3\xb6hne <]]>", SAGE_STAMP_NOW), "edit");
    struct source_key k = rig_key2("01", "<A&B>\"'");
    struct source_row row = one(&r, &q, &k);
    CHECK(row.cols && rig_value_is(&row.cols[C_NAME], "M\xc3\xbcller & S\xc3\xb6hne <]]>"), "name");
    k = rig_key2("01", "A\x01");
    CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == ERR_REJECTED, "a control character: %s", r.f.text);
    rig_close(&r);
    rig_end();
}

/* ---- passes by key file ---- */

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f) abort();
    fputs(text, f);
    fclose(f);
}

static void key_files(void)
{
    struct rig r;
    struct source_page p;
    char path[] = "/tmp/sage-rig-keys-XXXXXX";
    int fd = mkstemp(path);
    if (fd >= 0) close(fd);
    rig_begin("a pass over a key file: batches, positions, a file that changes, keys that are gone");
    soap_rig(&r, &shapes[0]);
    struct source_query q = rig_customers();
    q.page_rows = 2;
    struct rig_keys *all = rig_all(&r, "customers");
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_UNSUPPORTED && strstr(r.f.text, "keys = file"), "no list: %s", r.f.text);
    CHECK(ops->keys(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_UNSUPPORTED, "%s", r.f.text);
    struct source_key k[3];
    for (size_t i = 0; i < 3; i++) k[i] = rig_split(&r.a, all->text[i], 2);
#define PART(i, j) (int)k[i].part[j].n, k[i].part[j].p
    char *text = arena_printf(&r.a, "\xEF\xBB\xBF" "ARDivisionNo,CustomerNo\r\n%.*s,%.*s\r\n\r\n\"%.*s\",\"%.*s\"\n%.*s , %.*s\n%.*s,%.*s\n01,GONE\n", PART(2, 0), PART(2, 1), PART(0, 0), PART(0, 1),
                              PART(1, 0), PART(1, 1), PART(2, 0), PART(2, 1));
    write_file(path, text);
    rig_set(&r, "keys", path);
    rig_reopen(&r);
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && p.nrows == 2 && !p.complete, "first page: %s", r.f.text);
    struct str middle = p.next;
    rig_reopen(&r);
    CHECK(ops->page(r.s, &q, middle, &r.a, &p, &r.f) == ERR_OK && p.nrows == 1 && p.nmissing == 0 && p.complete, "second page after a restart: %zu %s", p.nrows, r.f.text);
    struct str again = p.next;
    CHECK(ops->keys(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && p.nrows == 2 && !p.complete && p.epoch.n, "%s", r.f.text);
    struct str sweep = p.next;
    CHECK(ops->keys(r.s, &q, sweep, &r.a, &p, &r.f) == ERR_OK && p.nrows == 1 && p.complete, "the key that is gone is not in the sweep: %zu %s", p.nrows, r.f.text);
    write_file(path, arena_printf(&r.a, "%.*s,%.*s\n", PART(0, 0), PART(0, 1)));
    rig_reopen(&r);
    CHECK(ops->page(r.s, &q, middle, &r.a, &p, &r.f) == ERR_EXPIRED, "changed in the middle: %s", r.f.text);
    CHECK(ops->keys(r.s, &q, sweep, &r.a, &p, &r.f) == ERR_EXPIRED, "%s", r.f.text);
    CHECK(ops->page(r.s, &q, again, &r.a, &p, &r.f) == ERR_OK && p.nrows == 1 && p.complete, "a new pass takes the file as it is: %s", r.f.text);
    CHECK(ops->page(r.s, &q, STR("djE6agent"), &r.a, &p, &r.f) == ERR_EXPIRED, "the agent's cursor: %s", r.f.text);
    static const char *const bad[] = {"01\n", "01,A,B\n", "\"01,A\n", "01,\"A\"x\n", "01,A\x01\n", ",\n"};
    for (size_t i = 0; i < 6; i++) {
        write_file(path, bad[i]);
        CHECK(ops->page(r.s, &q, again, &r.a, &p, &r.f) == ERR_CONFIG && strstr(r.f.text, "line 1"), "%zu: %s", i, r.f.text);
    }
    rig_set(&r, "keys", "/tmp/no-such-file-of-keys");
    rig_reopen(&r);
    CHECK(ops->page(r.s, &q, again, &r.a, &p, &r.f) == ERR_CONFIG, "%s", r.f.text);
    rig_close(&r);
    remove(path);
    rig_end();
}

static void both_doors(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("both doors: the agent says what changed, SOAP delivers it when asked to");
    struct sage_sim_options o;
    rig_world(&r);
    rig_set(&r, "soap", SOAP_URL);
    rig_set(&r, "login", "websvc\nwebsvc-password");
    sage_sim_options_default(&o);
    o.customers = 60;
    rig_model(&r, &o);
    rig_open(&r);
    struct source_query q = rig_customers();
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && sage_sim_count(r.sage, "GetCustomer") == 0, "the agent goes first: %s", r.f.text);
    q.via = STR("soap");
    q.page_rows = 10;
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && p.nrows == 10 && !p.complete && sage_sim_count(r.sage, "GetCustomer") == 10, "%zu %s", p.nrows, r.f.text);
    CHECK(p.rows[0].hash.n == 64 && !p.rows[0].violation, "SOAP's row");
    CHECK(ops->page(r.s, &q, p.next, &r.a, &p, &r.f) == ERR_OK && p.nrows == 10, "%s", r.f.text);
    CHECK(ops->keys(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && p.nrows > 50, "%s", r.f.text);
    lines_match(&r);
    q = (struct source_query){.entity = STR("AR_TermsCode"), .company = STR("ABC"), .via = STR("soap"), .key_columns = rig_terms_key, .nkeys = 1};
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_UNSUPPORTED && strstr(r.f.text, "needs the agent"), "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void signing_in(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("a wrong password, a company that is not there");
    soap_rig(&r, &shapes[1]);
    struct source_query q = rig_customers();
    struct source_key k = rig_key2("01", "ABF");
    q.company = STR("XYZ");
    CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == ERR_CONFIG, "%s", r.f.text);
    rig_set(&r, "login", "websvc\nwrong");
    rig_reopen(&r);
    q.company = STR("ABC");
    CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == ERR_AUTH && strstr(r.f.text, "User Maintenance"), "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

int main(void)
{
    every_shape();
    without_wsdl();
    wrong_names();
    bad_descriptions();
    faults();
    exceptions();
    many_missing();
    plain_statuses();
    broken_answers();
    hashes();
    absent_columns();
    escapes();
    key_files();
    both_doors();
    signing_in();
    return rig_exit();
}
