/* Settings of the source block: what is refused, and that every problem is listed at once, without secrets. */
#include "rig.h"

static void refused(const char *name, const char *const *pairs, const char *const *wants)
{
    struct rig r;
    rig_begin(name);
    rig_world(&r);
    for (; *pairs; pairs += 2) rig_set(&r, pairs[0], pairs[1]);
    enum err e = rig_try_open(&r);
    CHECK(e == ERR_CONFIG && !r.s, "%s", err_name(e));
    for (; *wants; wants++) CHECK(strstr(r.f.text, *wants), "\"%s\" is missing in: %s", *wants, r.f.text);
    CHECK(!strstr(r.f.text, "s3cret"), "a secret stands in the message");
    CHECK(sim_loop_requests(r.loop) == 0, "no call");
    rig_close(&r);
    rig_end();
}

static void accepted(const char *name, const char *const *pairs)
{
    struct rig r;
    rig_begin(name);
    rig_world(&r);
    for (; *pairs; pairs += 2) rig_set(&r, pairs[0], pairs[1]);
    CHECK(rig_try_open(&r) == ERR_OK, "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

#define LIST(...) (const char *const[]){__VA_ARGS__, NULL}

int main(void)
{
    refused("no door", LIST("agent", "", "token", ""), LIST("neither `agent` nor `soap`"));
    refused("no token", LIST("token", ""), LIST("`token` is not set", "secret("));
    refused("a token with a line break", LIST("token", "s3cret\nX: y"), LIST("`token` holds"));
    refused("http to another host", LIST("agent", "http://erp.test"), LIST("`agent` must be https"));
    refused("http to a host that only looks like this machine", LIST("agent", "http://127.0.0.1.evil.test"), LIST("must be https"));
    refused("credentials in the address", LIST("agent", "https://u:s3cret@erp.test"), LIST("'@'"));
    refused("a query in the address", LIST("agent", "https://erp.test/?a=b"), LIST("'?'"));
    refused("no scheme", LIST("agent", "erp.test"), LIST("https://"));
    refused("no host", LIST("agent", "https:///path"), LIST("names no host"));
    refused("soap without login", LIST("soap", "https://erp.test/x.svc"), LIST("`login` is not set"));
    refused("a login of one line", LIST("soap", "https://erp.test/x.svc", "login", "s3cret"), LIST("two lines"));
    refused("a login of three lines", LIST("soap", "https://erp.test/x.svc", "login", "a\ns3cret\nc"), LIST("two lines"));
    refused("an action without a hole", LIST("soap", "https://erp.test/x.svc", "login", "a\nb", "soap_action", "urn:x"), LIST("{operation}"));
    refused("an order that is none", LIST("soap", "https://erp.test/x.svc", "login", "a\nb", "soap_logon", "b,a"), LIST("`soap_logon`"));
    refused("a list and a file of keys", LIST("soap", "https://erp.test/x.svc", "login", "a\nb", "keys.AR_Customer.operation", "ListCustomers", "keys.AR_Customer.file", "k.csv"), LIST("either a file or an operation"));
    refused("an operation that is no name", LIST("soap", "https://erp.test/x.svc", "login", "a\nb", "keys.AR_Customer.operation", "List<Customers"), LIST("as it stands in the WSDL"));
    refused("an operation that moves a counter", LIST("soap", "https://erp.test/x.svc", "login", "a\nb", "keys.AR_Customer.operation", "GetNextCustomerNo"), LIST("moves a counter"));
    refused("an operation that writes", LIST("soap", "https://erp.test/x.svc", "login", "a\nb", "keys.SO_SalesOrderHeader.operation", "DeleteSalesOrder"), LIST("only reads"));
    refused("a trust file that is not there", LIST("trust", "/no/such/file.pem"), LIST("`trust`"));
    refused("a trust file that is none", LIST("trust", "/etc/hostname"), LIST("PEM"));
    refused("a company of four characters", LIST("company", "ABCD"), LIST("`company`"));
    refused("rows out of range", LIST("page_rows", "1001", "soap_page_rows", "0"), LIST("`page_rows`", "`soap_page_rows`"));
    refused("times that are none", LIST("read_timeout", "soon", "connect_timeout", "1ms"), LIST("`read_timeout`", "`connect_timeout`"));
    refused("delays the wrong way round", LIST("retry.busy.delay", "30s..1s", "retry.locked.attempts", "many"), LIST("retry.busy", "retry.locked.attempts"));
    refused("everything at once", LIST("agent", "ftp://x", "token", "", "company", "A", "page_rows", "x"), LIST("`agent`", "`token`", "`company`", "`page_rows`"));
    accepted("the agent alone", LIST("timezone", "America/Chicago"));
    accepted("slashes and the version behind the address", LIST("agent", "https://erp.test:8443/v1/"));
    accepted("this machine without TLS", LIST("agent", "http://127.0.0.1:8080", "soap", "http://[::1]:8080/x.svc?wsdl", "login", "a\r\nb\r\n"));
    accepted("an operation that lists", LIST("soap", "https://erp.test/x.svc", "login", "a\nb", "keys.AR_Customer.operation", "ListCustomers", "keys", "k.csv"));
    accepted("delays as one span and as two", LIST("retry.locked.delay", "250ms..30s", "retry.busy.delay.min", "10ms", "retry.busy.delay.max", "1s", "retry.locked.attempts", "8"));
    return rig_exit();
}
