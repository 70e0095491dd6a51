/* Operations of one site that list keys, over the SOAP door of the model: three services that share no name, what the list says over pages, what
 * becomes of it when it changes, and what is no list. */
#include "rig.h"
#include "soap_tables.h"

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

/* Every key that the model's list announces, in order, over pages. */
static void announced(struct rig *r, struct source_query *q, const char *resource, const char *operation)
{
    struct rig_keys *all = rig_all(r, resource);
    struct source_page p;
    struct str after = {"", 0};
    size_t n = 0;
    q->page_rows = 17;
    for (bool complete = false; !complete;) {
        if (ops->keys(r->s, q, after, &r->a, &p, &r->f) != ERR_OK) {
            CHECK(false, "%s: %s", operation, r->f.text);
            return;
        }
        for (size_t i = 0; i < p.nrows; i++, n++) CHECK(n < all->n && strcmp(rig_key_text(&r->a, &p.rows[i].key), all->text[n]) == 0, "%s: %s", operation, rig_key_text(&r->a, &p.rows[i].key));
        complete = p.complete;
        after = p.next;
    }
    CHECK(n == all->n, "%s: %zu of %zu", operation, n, all->n);
    CHECK(sage_sim_count(r->sage, operation) == 1, "%s: one call for a pass, not %llu", operation, (unsigned long long)sage_sim_count(r->sage, operation));
}

static void list_rig(struct rig *r, const struct shape *shape)
{
    struct sage_sim_options o;
    rig_world(r);
    rig_use_soap_only(r);
    rig_set(r, "keys.AR_Customer.operation", "ListCustomers");
    rig_set(r, "keys.AR_CustomerContact.operation", "ListCustomerContacts");
    rig_set(r, "keys.SO_SalesOrderHeader.operation", "ListSalesOrders");
    sage_sim_options_default(&o);
    o.customers = 60;
    o.soap = shape->names;
    o.soap.lists = true;
    rig_model(r, &o);
    rig_open(r);
}

static void list_operations(void)
{
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        struct rig r;
        struct source_page p;
        rig_begin(shapes[s].name);
        list_rig(&r, &shapes[s]);
        struct source_query q = rig_customers(), c = contacts(), o = orders();
        announced(&r, &q, "customers", "ListCustomers");
        announced(&r, &c, "contacts", "ListCustomerContacts");
        announced(&r, &o, "sales-orders", "ListSalesOrders");
        CHECK(sage_sim_count(r.sage, "GetCustomer") == 0, "a sweep reads no records");
        o.page_rows = 250;
        CHECK(ops->page(r.s, &o, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && p.complete && p.nrows == 30 && sage_sim_count(r.sage, "GetSalesOrder") == 30, "%zu %s", p.nrows, r.f.text);
        rig_close(&r);
        rig_end();
    }
}

static void lists_change(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("a list operation: a new record, one that is gone, a list that changes in the middle of a pass");
    list_rig(&r, &shapes[0]);
    struct source_query q = rig_customers();
    q.page_rows = 20;
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && p.nrows == 20 && !p.complete, "%s", r.f.text);
    struct str middle = p.next;
    CHECK(sage_sim_insert(r.sage, "ABC", "customers", "01~NEW", NULL, NULL), "insert");
    CHECK(ops->page(r.s, &q, middle, &r.a, &p, &r.f) == ERR_OK && p.nrows == 20, "the list in memory goes on: %s", r.f.text);
    rig_reopen(&r);
    CHECK(ops->page(r.s, &q, middle, &r.a, &p, &r.f) == ERR_EXPIRED && strstr(r.f.text, "begins anew"), "another list after a restart: %s", r.f.text);
    q.page_rows = 250;
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && p.nrows == 61 && p.complete, "the new one is in it: %zu", p.nrows);
    CHECK(sage_sim_delete(r.sage, "ABC", "customers", "01~NEW"), "delete");
    CHECK(ops->keys(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && p.nrows == 60 && p.complete && p.epoch.n, "gone: %zu", p.nrows);
    q.page_rows = 20;
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && !p.complete, "%s", r.f.text);
    q.company = STR("XYZ");
    CHECK(ops->page(r.s, &q, p.next, &r.a, &p, &r.f) == ERR_CONFIG, "another company does not go on in this one's list: %s", r.f.text);
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_CONFIG, "another company has a list of its own: %s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void lists_refused(void)
{
    struct rig r;
    struct source_page p;
    struct sage_sim_options o;
    rig_begin("a list operation that the WSDL lacks, and one that takes no logon");
    rig_world(&r);
    rig_use_soap_only(&r);
    rig_set(&r, "keys.AR_Customer.operation", "ListCustomers");
    sage_sim_options_default(&o);
    o.customers = 60;
    rig_model(&r, &o);
    rig_open(&r);
    struct source_query q = rig_customers(), c = contacts();
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_CONFIG && strstr(r.f.text, "no operation ListCustomers"), "%s", r.f.text);
    rig_set(&r, "keys.AR_Customer.operation", "GetContractInformation");
    rig_reopen(&r);
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_PROTOCOL && strstr(r.f.text, "other parameters"), "%s", r.f.text);
    rig_close(&r);
    rig_end();
    rig_begin("a list operation without the right to it, and with a reply that is no list");
    list_rig(&r, &shapes[0]);
    c.page_rows = 10;
    CHECK(sage_sim_do(r.sage, "{\"do\":\"settings\",\"no_access\":[\"ListCustomers\"]}", NULL), "settings");
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_PERMISSION, "%s", r.f.text);
    CHECK(sage_sim_do(r.sage, "{\"do\":\"settings\",\"no_access\":[]}", NULL), "settings");
    struct sage_fault gone = {.on = "ListCustomers", .kind = "soap_fault", .code = "CI_NoKey", .message = "The record does not exist.", .times = 1};
    sage_sim_fault(r.sage, &gone);
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_PROTOCOL && strstr(r.f.text, "answers with a fault"), "%s", r.f.text);
    CHECK(sage_sim_do(r.sage, "{\"do\":\"vanish\",\"resource\":\"contacts\",\"permille\":1000}", NULL), "vanish");
    CHECK(ops->page(r.s, &c, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && p.nrows == 0 && p.complete, "an empty list is a list: %s", r.f.text);
    rig_set(&r, "keys.AR_CustomerContact.operation", "ListCustomers");
    rig_reopen(&r);
    CHECK(ops->page(r.s, &c, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_PROTOCOL && strstr(r.f.text, "names no keys"), "customers are no contacts: %s", r.f.text);
    rig_close(&r);
    rig_end();
}

int main(void)
{
    list_operations();
    lists_change();
    lists_refused();
    return rig_exit();
}
