/*
 * sage_soap_test.c: the SOAP door of the model of Sage 100: description, order of elements, logon, faults, values; and
 * the model behind a real door on loopback.
 */
#include "../../sim/door.h"
#include "../../sim/sage/private.h"

#include <arpa/inet.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int failures;
static int64_t virtual_ms = 1731600000000;

static int64_t virtual_now(void *ctx)
{
    (void)ctx;
    return virtual_ms;
}

static void verdict(bool good, const char *name, const char *why)
{
    if (good)
        printf("ok %s\n", name);
    else
        printf("not ok %s: %s\n", name, why ? why : "");
    failures += !good;
}

static struct sage_sim *make(bool odd)
{
    struct sage_sim_options o;
    sage_sim_options_default(&o);
    o.customers = 200;
    o.user = "web";
    o.password = "p&w";
    o.soap_cold_ms = 4000;
    o.soap_idle_ms = 60000;
    o.clock = (struct sim_clock){virtual_now, NULL};
    if (odd) {
        o.soap.service_ns = "urn:sage/other/";
        o.soap.data_ns = "urn:types";
        o.soap.contract = "ISomething";
        o.soap.path = "/x/Other.svc";
        o.soap.username_first = true;
        o.soap.split_wsdl = true;
        o.soap.blank = SAGE_BLANK_NIL;
    }
    return sage_sim_new(&o);
}

static struct sim_response get(struct sage_sim *s, const char *target)
{
    struct sim_header host = {(char[]){"Host"}, (char[]){"erp.test"}};
    struct sim_request req = {"GET", target, &host, 1, NULL, 0};
    struct sim_response r = {0};
    struct sim_model m = sage_sim_model(s);
    m.handle(m.self, &req, &r);
    return r;
}

static struct sim_response post(struct sage_sim *s, const char *path, const char *action, const char *body)
{
    struct sim_header headers[] = {{(char[]){"Content-Type"}, (char[]){"text/xml; charset=utf-8"}}, {(char[]){"SOAPAction"}, sage__copy(action)}};
    struct sim_request req = {"POST", path, headers, action ? 2 : 1, body, strlen(body)};
    struct sim_response r = {0};
    struct sim_model m = sage_sim_model(s);
    m.handle(m.self, &req, &r);
    free(headers[1].value);
    return r;
}

static const char envelope[] = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>%s</s:Body></s:Envelope>";
static const char logon[] = "<logon xmlns:d='http://schemas.datacontract.org/2004/07/Sage.Mas.Ws'><d:Password>p&amp;w</d:Password>"
                            "<d:Username>WEB</d:Username></logon>";
static const char action[] = "\"http://mas90.sage.com/ws/IMasService/%s\"";

// One call with the default names; `arguments` follow the logon.
static struct sim_response call(struct sage_sim *s, const char *op, const char *before, const char *after)
{
    struct sage_buf inner = {0}, body = {0}, act = {0};
    sage__putf(&inner, "<%s xmlns='http://mas90.sage.com/ws'>%s%s</%s>", op, before, after, op);
    sage__putf(&body, envelope, inner.p);
    sage__putf(&act, action, op);
    struct sim_response r = post(s, "/ebusinesswebservices/MasService.svc", act.p, body.p);
    free(inner.p), free(body.p), free(act.p);
    return r;
}

// The text that an XPath over local names finds; heap; NULL when it finds nothing or the body is no XML.
static char *find(const struct sim_response *r, const char *path)
{
    xmlDoc *doc = r->body ? xmlReadMemory(r->body, (int)r->body_len, NULL, NULL, XML_PARSE_NOERROR | XML_PARSE_NOWARNING) : NULL;
    char *out = NULL;
    if (doc) {
        xmlXPathContext *c = xmlXPathNewContext(doc);
        xmlXPathObject *o = xmlXPathEvalExpression(BAD_CAST path, c);
        if (o && o->nodesetval && o->nodesetval->nodeNr) {
            xmlChar *text = xmlNodeGetContent(o->nodesetval->nodeTab[0]);
            out = sage__copy((const char *)text);
            xmlFree(text);
        }
        xmlXPathFreeObject(o);
        xmlXPathFreeContext(c);
    }
    xmlFreeDoc(doc);
    return out;
}

static bool says(struct sim_response r, int status, const char *path, const char *want, const char *name)
{
    char *found = find(&r, path);
    bool good = r.status == status && found && strstr(found, want);
    verdict(good, name, r.body);
    free(found);
    sim_response_free(&r);
    return good;
}

static const char code[] = "//*[local-name()='MasFault']/*[local-name()='ErrorCode']";
static const char text[] = "//faultstring";

static void test_calls(struct sage_sim *s)
{
    const char *keys = "<companyCode>ABC</companyCode><arDivisionNo>10</arDivisionNo><customerNo>C-000001</customerNo>";
    char *name = sage_sim_value(s, "ABC", "customers", "10~C-000001", "CustomerName");
    struct sim_response r = call(s, "GetCustomer", logon, keys);
    verdict(r.delay_ms == 4000, "the first call is slow", "");
    says(r, 200, "//*[local-name()='GetCustomerResult']/*[local-name()='CustomerName']", name, "GetCustomer");
    free(name);
    r = call(s, "GetCustomer", logon, keys);
    verdict(r.delay_ms == 0, "the next is not", "");
    sim_response_free(&r);
    says(call(s, "GetCustomer", "", keys), 500, code, "WS_LogonFailure", "no logon");
    says(call(s, "GetCustomer", "<logon xmlns:d='http://schemas.datacontract.org/2004/07/Sage.Mas.Ws'><d:Username>web</d:Username><d:Password>p&amp;w</d:Password></logon>", keys),
         500, text, "Logon failure", "members of logon in the wrong order are lost");
    says(call(s, "GetCustomer", logon, "<arDivisionNo>10</arDivisionNo><companyCode>ABC</companyCode><customerNo>C-000001</customerNo>"), 500, text,
         "An exception occurred.", "a parameter that comes too late is null");
    says(call(s, "GetCustomer", logon, "<companyCode>ABC</companyCode><customerNo>C-000001</customerNo><arDivisionNo>10</arDivisionNo>"), 500, code, "CI_NoKey",
         "so is a part of the key");
    says(call(s, "GetCustomer", logon, "<companyCode>ABC</companyCode><arDivisionNo>10</arDivisionNo><customerNo>GONE</customerNo>"), 500, code, "CI_NoKey", "no such record");
    says(call(s, "GetCustomer", logon, "<companyCode>XXX</companyCode><arDivisionNo>10</arDivisionNo><customerNo>GONE</customerNo>"), 500, code, "CI_NOF", "no such company");
    sage_sim_lock(s, "ABC", "customers", "10~C-000001", 1, 0);
    says(call(s, "GetCustomer", logon, keys), 500, text, "locked", "a locked record");
    sage_sim_do(s, "{\"do\":\"settings\",\"no_access\":[\"GetCustomer\"]}", NULL);
    says(call(s, "GetCustomer", logon, keys), 500, code, "No Access", "no right");
    sage_sim_do(s, "{\"do\":\"settings\",\"no_access\":[]}", NULL);
    says(call(s, "GetContractInformation", "", ""), 200, "//*[local-name()='NullDateTime']", "1753-01-01T00:00:00", "contract information needs no logon");
    says(call(s, "GetDiagnosticInformation", "", ""), 500, text, "AllowRemoteDiagnostics", "diagnostics are local");
    r = call(s, "GetNextCustomerNo", logon, "<companyCode>ABC</companyCode>");
    sim_response_free(&r);
    char *counters = sage_sim_counters(s);
    verdict(strstr(counters, "\"nextNumbers\":1") != NULL, "a counter that was advanced is seen", counters);
    free(counters);
}

static bool any_contact(void *ctx, const char *key)
{
    snprintf(ctx, 160, "%s", key);
    return strncmp(key, "10~", 3) != 0;
}

static void test_values(struct sage_sim *s)
{
    const char *keys = "<companyCode>ABC</companyCode><arDivisionNo>10</arDivisionNo><customerNo>C-000002</customerNo>";
    char contact[160] = "", order[160] = "", arguments[512];
    sage_sim_stamp(s, "ABC", "customers", "10~C-000002", "20240312", "8.49238", false);
    sage_sim_edit(s, "ABC", "customers", "10~C-000002", "UDF_REGION", "A<&>\"B", SAGE_STAMP_KEPT);
    sage_sim_edit(s, "ABC", "customers", "10~C-000002", "DateLastAging", NULL, SAGE_STAMP_KEPT);
    says(call(s, "GetCustomer", logon, keys), 200, "//*[local-name()='DateTimeUpdated']", "2024-03-12T08:29:32.568", "date and hours as one dateTime");
    says(call(s, "GetCustomer", logon, keys), 200, "//*[local-name()='Field'][*[local-name()='MasFieldName']='UDF_REGION']/*[local-name()='Value']", "A<&>\"B", "UDFs in OtherFields");
    says(call(s, "GetCustomer", logon, keys), 200, "//*[local-name()='DateLastAging']", "1753-01-01", "a blank date");
    sage_sim_each_key(s, "ABC", "contacts", any_contact, contact);
    sage_sim_each_key(s, "ABC", "sales-orders", any_contact, order);
    const char *customer_no = contact + 3, *contact_code = strrchr(contact, '~') + 1;
    char *value = sage_sim_value(s, "ABC", "contacts", contact, "ContactName");
    snprintf(arguments, sizeof arguments, "<companyCode>ABC</companyCode><arDivisionNo>%.2s</arDivisionNo><customerNo>%.*s</customerNo><contactCode><![CDATA[%s]]></contactCode>",
             contact, (int)(contact_code - 1 - customer_no), customer_no, contact_code);
    says(call(s, "GetCustomerContact", logon, arguments), 200, "//*[local-name()='ContactName']", value, "GetCustomerContact");
    free(value);
    snprintf(arguments, sizeof arguments, "<companyCode>ABC</companyCode><salesOrderNo>%s</salesOrderNo>", order);
    says(call(s, "GetSalesOrder", logon, arguments), 200, "//*[local-name()='Lines']/*[local-name()='SalesOrderLine']/*[local-name()='ItemCode']", "-", "GetSalesOrder with lines");
}

static void test_stack(struct sage_sim *s)
{
    const char *path = "/ebusinesswebservices/MasService.svc";
    struct sage_buf body = {0};
    sage__putf(&body, envelope, "<GetCustomer xmlns='http://mas90.sage.com/ws'/>");
    says(post(s, path, "\"http://mas90.sage.com/ws/IMasService/GetContact\"", body.p), 500, "//faultcode", "ActionNotSupported", "an action nobody knows");
    says(post(s, path, NULL, body.p), 500, "//faultcode", "ActionNotSupported", "no action");
    says(post(s, path, "\"http://mas90.sage.com/ws/IMasService/GetSalesOrder\"", body.p), 500, "//faultcode", "DeserializationFailed", "another wrapper than the action says");
    struct sim_response r = post(s, path, "\"http://mas90.sage.com/ws/IMasService/GetCustomer\"", "<s:Envelope");
    verdict(r.status == 400, "broken XML", r.body);
    sim_response_free(&r);
    struct sage_fault f = {.on = "GetContractInformation", .kind = "doctype", .times = 1};
    sage_sim_fault(s, &f);
    r = call(s, "GetContractInformation", "", "");
    verdict(r.body && strncmp(r.body, "<!DOCTYPE", 9) == 0, "a document type by script", r.body);
    sim_response_free(&r);
    f = (struct sage_fault){.on = "soap", .kind = "exception", .times = 1};
    sage_sim_fault(s, &f);
    says(call(s, "GetContractInformation", "", ""), 500, text, "An exception occurred.", "the generic fault");
    f = (struct sage_fault){.on = "soap", .kind = "soap_fault", .times = 1, .code = "CI_CharLength", .message = "too long"};
    sage_sim_fault(s, &f);
    says(call(s, "GetContractInformation", "", ""), 500, code, "CI_CharLength", "a fault by script");
    free(body.p);
}

static void test_wsdl(void)
{
    struct sage_sim *s = make(false), *t = make(true);
    says(get(s, "/ebusinesswebservices/masservice.SVC?wsdl"), 200, "//*[local-name()='operation'][@name='GetCustomer']/*[local-name()='operation']/@soapAction",
         "http://mas90.sage.com/ws/IMasService/GetCustomer", "WSDL");
    says(get(s, "/ebusinesswebservices/MasService.svc?wsdl"), 200, "//*[local-name()='import'][3]/@schemaLocation", "https://erp.test/ebusinesswebservices/MasService.svc?xsd=xsd2",
         "WSDL imports schemas by absolute address");
    says(get(s, "/ebusinesswebservices/MasService.svc?xsd=xsd0"), 200, "//*[@name='GetCustomerContact']//*[local-name()='element'][5]/@name", "contactCode", "wrappers in order");
    says(get(s, "/ebusinesswebservices/MasService.svc?xsd=xsd2"), 200, "//*[@name='Logon']//*[local-name()='element'][1]/@name", "Password", "types");
    says(get(t, "/x/Other.svc?wsdl"), 200, "//*[local-name()='import'][@namespace='urn:sage/other/']/@location", "?wsdl=wsdl0", "split WSDL");
    says(get(t, "/x/Other.svc?wsdl"), 200, "//@soapAction", "urn:sage/other/ISomething/GetContractInformation", "other names");
    says(get(t, "/x/Other.svc?wsdl=wsdl0"), 200, "//*[local-name()='portType']/@name", "ISomething", "inner WSDL");
    says(get(t, "/x/Other.svc?xsd=xsd2"), 200, "//*[@name='Logon']//*[local-name()='element'][1]/@name", "Username", "other order of logon");
    struct sim_response r = call(t, "GetContractInformation", "", "");
    verdict(r.status == 404, "a client with hard-coded names finds nothing", r.body);
    sim_response_free(&r);
    struct sage_buf body = {0};
    sage__putf(&body, envelope, "<o:GetCustomer xmlns:o='urn:sage/other/' xmlns:d='urn:types'><o:logon><d:Username>web</d:Username><d:Password>p&amp;w</d:Password></o:logon>"
                                "<o:companyCode>ABC</o:companyCode><o:arDivisionNo>10</o:arDivisionNo><o:customerNo>C-000001</o:customerNo></o:GetCustomer>");
    says(post(t, "/x/Other.svc", "urn:sage/other/ISomething/GetCustomer", body.p), 200, "//*[local-name()='GetCustomerResult']/*[local-name()='BatchFax']", "", "other names, right client");
    free(body.p);
    sage_sim_free(s);
    sage_sim_free(t);
}

static void test_door(void)
{
    struct sage_sim *s = make(false);
    struct sim_mount mount = {"", sage_sim_model(s)};
    struct sim_door_options o = {0};
    struct sim_door *door = sim_door_open(&mount, 1, &o);
    verdict(door != NULL, "door opens", "");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)sim_door_port(door)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    static const char request[] = "GET /v1/companies/ABC/customers?limit=3 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer agent-token\r\nConnection: close\r\n\r\n";
    struct sage_buf answer = {0};
    char bytes[4096];
    ssize_t n;
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 && send(fd, request, sizeof request - 1, 0) > 0)
        while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
            sage__put(&answer, bytes, (size_t)n);
    close(fd);
    verdict(answer.p && strstr(answer.p, "200 OK") && strstr(answer.p, "\"complete\":false"), "rows over real HTTP", answer.p);
    free(answer.p);
    sim_door_close(door);
    sage_sim_free(s);
}

// Not a test of speed on a loaded machine, only of the order of magnitude: the number is printed.
static void test_speed(void)
{
    struct sage_sim_options o;
    sage_sim_options_default(&o);
    o.customers = 100000;
    o.clock = (struct sim_clock){virtual_now, NULL};
    struct sage_sim *s = sage_sim_new(&o);
    struct sim_model m = sage_sim_model(s);
    struct sim_header auth = {(char[]){"Authorization"}, (char[]){"Bearer agent-token"}};
    char target[700] = "/v1/companies/ABC/customers?limit=1000";
    struct timespec from, to;
    size_t rows = 0, bytes = 0;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < 20; i++, rows += 1000) {
        struct sim_request req = {"GET", target, &auth, 1, NULL, 0};
        struct sim_response r = {0};
        m.handle(m.self, &req, &r);
        const char *next = r.body ? strstr(r.body, "\"next\":\"") : NULL;
        if (next)
            snprintf(target, sizeof target, "/v1/companies/ABC/customers?limit=1000&since=%.*s", (int)strcspn(next + 8, "\""), next + 8);
        bytes += r.body_len;
        sim_response_free(&r);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("# %.0f rows/s, %.0f MB/s\n", (double)rows / seconds, (double)bytes / 1e6 / seconds);
    verdict(rows == 20000 && bytes > 20000000, "pages of a large company", "");
    sage_sim_free(s);
}

int main(void)
{
    struct sage_sim *s = make(false);
    test_calls(s);
    test_values(s);
    test_stack(s);
    sage_sim_free(s);
    test_wsdl();
    test_door();
    test_speed();
    xmlCleanupParser();
    return failures != 0;
}
