/* contract_test.c - service descriptions that no tool of Microsoft's writes: parts under every kind of address, elements by reference, types upon types, names that
 * lead nowhere, more parts than are read; and what the settings say above all of that. A part is never asked of another host. */
#include "rig.h"
#include "base/buf.h"
#include "connectors/sage/soap.h"

/* ---- a host that serves texts by their path, and keeps what it was asked for ---- */

struct part { const char *path, *body; int status; };
static struct { struct part list[40]; size_t n; char asked[4000]; } site;

static void serve(void *self, const struct sim_request *req, struct sim_response *resp)
{
    size_t n = strlen(site.asked);
    (void)self;
    snprintf(site.asked + n, sizeof site.asked - n, "%s ", req->target);
    resp->status = 404;
    for (size_t i = 0; i < site.n; i++) {
        if (strcmp(site.list[i].path, req->target) != 0) continue;
        resp->status = site.list[i].status;
        sim_response_body(resp, site.list[i].body, strlen(site.list[i].body), "text/xml");
        return;
    }
    sim_response_body(resp, "none", 4, "text/plain");
}

static void part(const char *path, const char *body) { site.list[site.n++] = (struct part){path, body, 200}; }

static struct rig r;
static void begin(const char *name)
{
    rig_begin(name);
    rig_world(&r);
    rig_use_soap_only(&r);
    memset(&site, 0, sizeof site);
    sim_loop_mount(r.loop, AGENT_URL, (struct sim_model){NULL, serve});
}

static const struct sage_soap_contract *contract(enum err want)
{
    const struct sage_soap_contract *c = NULL;
    rig_open(&r);
    enum err e = sage100__soap_contract(r.s, &c, &r.f);
    CHECK(e == want, "%s %s", err_name(e), r.f.text);
    return e == ERR_OK ? c : NULL;
}

static void end(void)
{
    rig_close(&r);
    rig_end();
}

/* "logon[urn:a] companyCode[] ..." */
static const char *params_of(const struct soap_operation *op)
{
    const char *text = "";
    for (size_t i = 0; i < op->nparams; i++)
        text = arena_printf(&r.a, "%s%s%.*s[%.*s]", text, i ? " " : "", (int)op->params[i].name.n, op->params[i].name.p, (int)op->params[i].ns.n, op->params[i].ns.p);
    return text;
}
static const char *members_of(const struct soap_operation *op)
{
    const char *text = "";
    for (size_t i = 0; i < op->nmembers; i++) text = arena_printf(&r.a, "%s%s%.*s", text, i ? " " : "", (int)op->members[i].n, op->members[i].p);
    return text;
}

#define PATH "/ebusinesswebservices/MasService.svc"
#define WSDL(inside) "<d:definitions xmlns:d=\"http://schemas.xmlsoap.org/wsdl/\" xmlns:s=\"http://www.w3.org/2001/XMLSchema\" xmlns:o=\"http://schemas.xmlsoap.org/wsdl/soap/\" " \
                     "xmlns:o12=\"http://schemas.xmlsoap.org/wsdl/soap12/\" xmlns:t=\"urn:t\" xmlns:u=\"urn:u\">" inside "</d:definitions>"
#define SCHEMA(ns, more, inside) "<s:schema targetNamespace=\"" ns "\" " more ">" inside "</s:schema>"
#define TYPE(inside) "<s:complexType><s:sequence>" inside "</s:sequence></s:complexType>"
#define KEYS "<s:element name=\"arDivisionNo\"/><s:element name=\"customerNo\"/>"
#define CUSTOMER(logon) "<s:element name=\"GetCustomer\">" TYPE(logon "<s:element name=\"companyCode\"/>" KEYS) "</s:element>"
#define LOGON "<s:element name=\"logon\" type=\"t:Logon\"/>"
#define LOGON_TYPE "<s:complexType name=\"Logon\"><s:sequence><s:element name=\"Username\"/><s:element name=\"Password\"/></s:sequence></s:complexType>"
#define QUALIFIED "elementFormDefault=\"qualified\""

/* ---- parts ---- */

static void addresses(void)
{
    static const struct { const char *location, *asked; } cases[] = {
        {"https://erp.test:8443" PATH "?xsd=x", PATH "?xsd=x"}, {"http://inside.local" PATH "?xsd=x", PATH "?xsd=x"}, {"?xsd=x", PATH "?xsd=x"}, {"MasService.svc?xsd=x", PATH "?xsd=x"},
        {"masservice.SVC?xsd=x", PATH "?xsd=x"}, {"http://inside.local/other/x.xsd", "/other/x.xsd"}, {"/other/x.xsd", "/other/x.xsd"}, {"x.xsd", "/ebusinesswebservices/x.xsd"},
        {"../x.xsd", "/ebusinesswebservices/../x.xsd"}, {"other.svc?xsd=x", "/ebusinesswebservices/other.svc?xsd=x"}, {"http://inside.local", PATH}, {"http://evil.test?a=/b", "/b"},
        {"file:///etc/passwd", "/etc/passwd"}, {"x/", "/ebusinesswebservices/x/"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(cases[i].location);
        part(PATH "?wsdl", arena_printf(&r.a, WSDL("<s:import schemaLocation=\"%s\"/>"), cases[i].location));
        part(cases[i].asked, WSDL(""));
        contract(ERR_PROTOCOL);
        CHECK(strstr(r.f.text, "none of our operations"), "%s", r.f.text);
        CHECK(strstr(site.asked, arena_printf(&r.a, " %s ", cases[i].asked)), "asked for %s", site.asked);
        end();
    }
    begin("a service at the root of its host");
    rig_set(&r, "soap", AGENT_URL);
    part("/", WSDL("<s:import schemaLocation=\"x.xsd\"/><s:import schemaLocation=\"http://h/y.xsd\"/><s:import/><s:include location=\"?z\"/>"));
    part("/x.xsd", WSDL(""));
    part("/y.xsd", WSDL(""));
    contract(ERR_PROTOCOL);
    CHECK(strstr(r.f.text, "none of our operations"), "%s: %s", r.f.text, site.asked);
    end();
}

static void many_parts(void)
{
    struct buf b = {0};
    begin("more than 24 parts");
    for (int i = 0; i < 24; i++) buf_printf(&b, "<s:import schemaLocation=\"p%d.xsd\"/>", i);
    part(PATH "?wsdl", arena_printf(&r.a, WSDL("%s"), buf_cstr(&b)));
    contract(ERR_PROTOCOL);
    CHECK(strstr(r.f.text, "more than 24 parts"), "%s", r.f.text);
    end();
    begin("two parts of 150,000 elements");
    buf_clear(&b);
    for (int i = 0; i < 150000; i++) buf_puts(&b, "<x/>");
    part(PATH "?wsdl", arena_printf(&r.a, WSDL("<s:import schemaLocation=\"x.xsd\"/>%s"), buf_cstr(&b)));
    part("/ebusinesswebservices/x.xsd", arena_printf(&r.a, WSDL("%s"), buf_cstr(&b)));
    contract(ERR_PROTOCOL);
    CHECK(strstr(r.f.text, "elements together"), "%s", r.f.text);
    end();
    begin("a part that is not there");
    part(PATH "?wsdl", WSDL("<s:import schemaLocation=\"x.xsd\"/>"));
    contract(ERR_PROTOCOL);
    CHECK(strstr(r.f.text, "cannot be had (status 404)"), "%s", r.f.text);
    end();
    begin("a part that is no XML");
    part(PATH "?wsdl", WSDL("<s:import schemaLocation=\"x.xsd\"/>"));
    part("/ebusinesswebservices/x.xsd", "<d");
    contract(ERR_PROTOCOL);
    end();
    begin("a description at an address of its own");
    rig_set(&r, "soap_wsdl", AGENT_URL "/my.wsdl");
    part("/my.wsdl", WSDL(SCHEMA("urn:t", QUALIFIED, CUSTOMER(LOGON) LOGON_TYPE)));
    const struct sage_soap_contract *c = contract(ERR_OK);
    CHECK(c && strcmp(site.asked, "/my.wsdl ") == 0 && c->from_wsdl, "%s", site.asked);
    end();
    buf_free(&b);
}

/* ---- schemas ---- */

static void references(void)
{
    begin("parameters by reference, unqualified, qualified one by one; what we do not know stays out");
    part(PATH "?wsdl", WSDL(SCHEMA("urn:t", "", "<s:element name=\"GetCustomer\">" TYPE("<s:element ref=\"t:logon\"/><s:element name=\"companyCode\" form=\"qualified\"/><s:element ref=\"t:nowhere\"/><s:element/>"
                                                                                       "<s:element name=\"arDivisionNo\"/><s:element name=\"customerNo\" form=\"unqualified\"/><s:element name=\"more\"/>") "</s:element>"
                                            "<s:element name=\"logon\" type=\"t:Logon\"/>" LOGON_TYPE)));
    const struct sage_soap_contract *c = contract(ERR_OK);
    if (c) CHECK(strcmp(params_of(&c->op[SOAP_CUSTOMER]), "logon[urn:t] companyCode[urn:t] arDivisionNo[] customerNo[]") == 0, "%s", params_of(&c->op[SOAP_CUSTOMER]));
    if (c) CHECK(str_is(c->logon_name[0], "Username") && c->logon_ns[0].n == 0 && !c->logon_password[0] && c->logon_password[1], "logon");
    if (c) CHECK(c->op[SOAP_CUSTOMER].offered && !c->op[SOAP_ORDER].offered, "what is offered");
    end();
    begin("parameters of the base of a type, groups in all three words");
    part(PATH "?wsdl", WSDL(SCHEMA("urn:t", QUALIFIED, "<s:element name=\"GetCustomer\" type=\"t:Derived\"/><s:complexType name=\"Derived\"><s:complexContent><s:extension base=\"u:Base\"><s:all><s:element name=\"arDivisionNo\"/></s:all>"
                                            "<s:choice><s:element name=\"customerNo\"/></s:choice></s:extension></s:complexContent></s:complexType>" LOGON_TYPE)
                            SCHEMA("urn:u", QUALIFIED, "<s:complexType name=\"Base\"><s:sequence>" LOGON "<s:element name=\"companyCode\"/></s:sequence></s:complexType>")));
    c = contract(ERR_OK);
    if (c) CHECK(strcmp(params_of(&c->op[SOAP_CUSTOMER]), "logon[urn:u] companyCode[urn:u] arDivisionNo[urn:t] customerNo[urn:t]") == 0, "%s", params_of(&c->op[SOAP_CUSTOMER]));
    end();
    begin("types upon types without end");
    part(PATH "?wsdl", WSDL(SCHEMA("urn:t", QUALIFIED, CUSTOMER("<s:element name=\"logon\" type=\"t:Round\"/>") "<s:complexType name=\"Round\"><s:complexContent><s:extension base=\"t:Round\"><s:sequence><s:element name=\"Password\"/></s:sequence>"
                                            "</s:extension></s:complexContent></s:complexType>")));
    c = contract(ERR_OK);
    if (c) CHECK(str_is(c->logon_name[0], "Password") && str_is(c->logon_name[1], "Username"), "the known order is kept");
    end();
}

static void logons(void)
{
    static const struct { const char *members, *first, *second; } cases[] = {
        {"<s:element name=\"UserID\"/><s:element name=\"PassWord\"/>", "UserID", "PassWord"}, {"<s:element name=\"Pass\"/><s:element name=\"Logon\"/>", "Pass", "Logon"},
        {"<s:element name=\"x\"/><s:element name=\"Company\"/><s:element name=\"Username\"/><s:element name=\"Password\"/>", "Username", "Password"},
        {"<s:element name=\"Username\"/><s:element name=\"UserId\"/>", "Password", "Username"}, {"<s:element name=\"Password\"/>", "Password", "Username"}, {"", "Password", "Username"},
        {"<s:element name=\"log\"/><s:element name=\"use\"/><s:element name=\"pas\"/>", "Password", "Username"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(cases[i].members[0] ? cases[i].members : "a logon of nothing");
        part(PATH "?wsdl", arena_printf(&r.a, WSDL(SCHEMA("urn:t", QUALIFIED, CUSTOMER(LOGON) "<s:complexType name=\"Logon\"><s:sequence>%s</s:sequence></s:complexType>")), cases[i].members));
        const struct sage_soap_contract *c = contract(ERR_OK);
        if (c) CHECK(str_is(c->logon_name[0], cases[i].first) && str_is(c->logon_name[1], cases[i].second), "%.*s %.*s", (int)c->logon_name[0].n, c->logon_name[0].p, (int)c->logon_name[1].n, c->logon_name[1].p);
        end();
    }
}

static void replies(void)
{
    static const struct { const char *what, *response, *members; } cases[] = {
        {"a reply of two members", "<s:element name=\"GetCustomerResponse\">" TYPE("<s:element name=\"Result\" type=\"t:Row\"/>") "</s:element><s:complexType name=\"Row\"><s:sequence><s:element name=\"A\"/><s:element name=\"B\"/></s:sequence></s:complexType>", "A B"},
        {"a reply whose type is nowhere", "<s:element name=\"GetCustomerResponse\">" TYPE("<s:element name=\"Result\" type=\"t:Nowhere\"/>") "</s:element>", NULL},
        {"a reply without a result", "<s:element name=\"GetCustomerResponse\">" TYPE("") "</s:element>", NULL}, {"a reply without a type", "<s:element name=\"GetCustomerResponse\"/>", NULL},
        {"a reply in place", "<s:element name=\"GetCustomerResponse\">" TYPE("<s:element name=\"Result\">" TYPE("<s:element name=\"C\"/>") "</s:element>") "</s:element>", "C"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(cases[i].what);
        part(PATH "?wsdl", arena_printf(&r.a, WSDL(SCHEMA("urn:t", QUALIFIED, CUSTOMER(LOGON) LOGON_TYPE "%s")), cases[i].response));
        const struct sage_soap_contract *c = contract(ERR_OK);
        const char *got = c ? members_of(&c->op[SOAP_CUSTOMER]) : "";
        if (c && cases[i].members) CHECK(strcmp(got, cases[i].members) == 0, "%s", got);
        if (c && !cases[i].members) CHECK(sage100__soap_has_member(&c->op[SOAP_CUSTOMER], STR("CustomerName")), "the known members stay");
        end();
    }
    begin("other parameters than we know");
    part(PATH "?wsdl", WSDL(SCHEMA("urn:t", QUALIFIED, "<s:element name=\"GetCustomer\">" TYPE(LOGON KEYS) "</s:element>")));
    contract(ERR_PROTOCOL);
    CHECK(strstr(r.f.text, "GetCustomer with other parameters"), "%s", r.f.text);
    end();
    begin("nothing but information about the contract");
    part(PATH "?wsdl", WSDL(SCHEMA("urn:t", QUALIFIED, "<s:element name=\"GetContractInformation\"/>")));
    contract(ERR_PROTOCOL);
    CHECK(strstr(r.f.text, "none of our operations"), "%s", r.f.text);
    end();
}

static void actions(void)
{
#define BINDING(of) "<d:binding><d:operation name=\"GetCustomer\">" of "</d:operation></d:binding>"
    static const struct { const char *what, *binding, *action; } cases[] = {
        {"an action of SOAP 1.1 goes before one of 1.2", BINDING("<o12:operation soapAction=\"urn:12\"/><o:operation soapAction=\"urn:11\"/>"), "urn:11"},
        {"one of 1.2 will do", BINDING("<o12:operation soapAction=\"urn:12\"/>"), "urn:12"}, {"an empty one is none", BINDING("<o:operation soapAction=\"\"/>"), "http://mas90.sage.com/ws/IMasService/GetCustomer"},
        {"an operation without one", BINDING(""), "http://mas90.sage.com/ws/IMasService/GetCustomer"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(cases[i].what);
        part(PATH "?wsdl", arena_printf(&r.a, WSDL(SCHEMA("urn:t", QUALIFIED, CUSTOMER(LOGON) LOGON_TYPE) "%s"), cases[i].binding));
        const struct sage_soap_contract *c = contract(ERR_OK);
        if (c) CHECK(str_is(c->op[SOAP_CUSTOMER].action, cases[i].action), "%.*s", (int)c->op[SOAP_CUSTOMER].action.n, c->op[SOAP_CUSTOMER].action.p);
        end();
    }
}

/* ---- settings ---- */

static void settings(void)
{
    begin("a namespace of the settings takes the place of the wrapper's, not of what is unqualified");
    rig_set(&r, "soap_namespace", "urn:mine");
    rig_set(&r, "soap_logon", "password,user");
    part(PATH "?wsdl", WSDL(SCHEMA("urn:t", "", "<s:element name=\"GetCustomer\">" TYPE(LOGON "<s:element name=\"companyCode\" form=\"qualified\"/>" KEYS) "</s:element>" LOGON_TYPE) BINDING("<o:operation soapAction=\"urn:do\"/>")));
    const struct sage_soap_contract *c = contract(ERR_OK);
    if (c) CHECK(strcmp(params_of(&c->op[SOAP_CUSTOMER]), "logon[] companyCode[urn:mine] arDivisionNo[] customerNo[]") == 0, "%s", params_of(&c->op[SOAP_CUSTOMER]));
    if (c) CHECK(str_is(c->op[SOAP_CUSTOMER].ns, "urn:mine") && str_is(c->op[SOAP_CUSTOMER].action, "urn:do"), "the action stays the service's");
    if (c) CHECK(str_is(c->logon_name[0], "Password") && c->logon_password[0] && str_is(c->logon_name[1], "Username") && !c->logon_password[1], "the order is ours");
    end();
    begin("an order of the logon that is as it was");
    rig_set(&r, "soap_logon", "user,password");
    part(PATH "?wsdl", WSDL(SCHEMA("urn:t", QUALIFIED, CUSTOMER(LOGON) LOGON_TYPE)));
    c = contract(ERR_OK);
    if (c) CHECK(str_is(c->logon_name[0], "Username") && str_is(c->logon_name[1], "Password"), "the order");
    end();
}

static void members(void)
{
    static const struct str names[] = {{"", 0}, {"UDF_*", 5}, {"Name", 4}, {"*", 1}};
    const struct soap_operation first = {.members = names, .nmembers = 3}, all = {.members = names, .nmembers = 4};
    static const struct { const char *name; bool has; } cases[] = {{"name", true}, {"Names", false}, {"UDF_", true}, {"udf_X", true}, {"UDF", false}, {"XDF_Y", false}, {"UDF_*", true}};
    rig_begin("members by their name or by how it begins");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(sage100__soap_has_member(&first, str_of(cases[i].name)) == cases[i].has, "case %zu", i);
        CHECK(sage100__soap_has_member(&all, str_of(cases[i].name)), "%s", cases[i].name);
    }
    rig_end();
}

int main(void)
{
    addresses();
    many_parts();
    references();
    logons();
    replies();
    actions();
    settings();
    members();
    return rig_exit();
}
