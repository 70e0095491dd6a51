/*
 * soap_wsdl.c: the published description. ?wsdl names its schemas by xsd:import with absolute addresses built from the
 * Host header, as WCF does:
 *
 *     ?wsdl        service, binding, port type, messages   (or, split, only service and binding, with ?wsdl=wsdl0)
 *     ?xsd=xsd0    wrappers, service namespace
 *     ?xsd=xsd1    the serialiser's own namespace
 *     ?xsd=xsd2    types, data namespace
 */
#include "soap.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char microsoft[] = "http://schemas.microsoft.com/2003/10/Serialization/";

static void send(struct sage_call *call, struct sage_buf *b)
{
    call->resp->status = 200;
    sim_response_body(call->resp, b->p, b->len, "text/xml; charset=UTF-8");
    free(b->p);
}

// https, as Sage demands, unless the client came over loopback.
static void address(struct sage_buf *b, const struct sage_call *call)
{
    const char *host = sim_request_header(call->req, "Host");
    if (!host)
        host = "localhost";
    bool loopback = strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 || strncmp(host, "[::1]", 5) == 0;
    sage__puts(b, loopback ? "http://" : "https://");
    sage__puts(b, host);
    sage__puts(b, call->sim->opt.soap.path);
}

static void wrappers(struct sage_buf *b, const struct sage_op *op)
{
    const char *name;
    size_t len;
    sage__putf(b, "<xs:element name=\"%s\"><xs:complexType><xs:sequence>", op->name);
    for (int i = 0; (len = sage__op_parameter(op, i, &name)) > 0; i++)
        sage__putf(b, "<xs:element minOccurs=\"0\" name=\"%.*s\" nillable=\"true\" type=\"%s\"/>", (int)len, name,
                   len == 5 && memcmp(name, "logon", 5) == 0 ? "d:Logon" : "xs:string");
    const char *type = sage__soap_type_name(op->result);
    sage__puts(b, "</xs:sequence></xs:complexType></xs:element>\n");
    sage__putf(b, "<xs:element name=\"%sResponse\"><xs:complexType><xs:sequence><xs:element minOccurs=\"0\" name=\"%sResult\""
                  " nillable=\"true\" type=\"%s%s\"/></xs:sequence></xs:complexType></xs:element>\n",
               op->name, op->name, type ? "d:" : "xs:", type ? type : "string");
}

static void schema(struct sage_call *call, int which)
{
    const struct sage_soap_names *n = &call->sim->opt.soap;
    const char *target = which == 0 ? n->service_ns : which == 1 ? microsoft : n->data_ns;
    bool same = strcmp(n->service_ns, n->data_ns) == 0;
    struct sage_buf b = {0};
    sage__putf(&b, "<?xml version=\"1.0\" encoding=\"utf-8\"?><xs:schema elementFormDefault=\"qualified\" targetNamespace=\"%s\""
                   " xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:tns=\"%s\" xmlns:d=\"%s\">\n",
               target, target, n->data_ns);
    if (which == 0) {
        sage__puts(&b, same ? "<xs:include" : "<xs:import");
        sage__puts(&b, " schemaLocation=\"");
        address(&b, call);
        sage__puts(&b, "?xsd=xsd2\"");
        if (!same)
            sage__putf(&b, " namespace=\"%s\"", n->data_ns);
        sage__puts(&b, "/>\n");
        for (size_t i = 0; i < sage__nops; i++)
            if (sage__op_offered(call->sim, &sage__ops[i]))
                wrappers(&b, &sage__ops[i]);
    } else if (which == 1) {
        sage__puts(&b, "<xs:simpleType name=\"guid\"><xs:restriction base=\"xs:string\"/></xs:simpleType>");
    } else {
        sage__soap_types_schema(&b, call->sim);
    }
    sage__puts(&b, "</xs:schema>");
    send(call, &b);
}

static void schema_imports(struct sage_buf *b, const struct sage_call *call)
{
    const struct sage_soap_names *n = &call->sim->opt.soap;
    const char *const targets[3] = {n->service_ns, microsoft, n->data_ns};
    sage__putf(b, "<wsdl:types><xsd:schema targetNamespace=\"%s/Imports\">", n->service_ns);
    for (int i = 0; i < 3; i++) {
        sage__puts(b, "<xsd:import schemaLocation=\"");
        address(b, call);
        sage__putf(b, "?xsd=xsd%d\" namespace=\"%s\"/>", i, targets[i]);
    }
    sage__puts(b, "</xsd:schema></wsdl:types>\n");
}

static void port_type(struct sage_buf *b, const struct sage_call *call)
{
    const struct sage_soap_names *n = &call->sim->opt.soap;
    schema_imports(b, call);
    for (size_t i = 0; i < sage__nops; i++) {
        if (!sage__op_offered(call->sim, &sage__ops[i]))
            continue;
        const char *op = sage__ops[i].name;
        sage__putf(b, "<wsdl:message name=\"%s_%s_InputMessage\"><wsdl:part name=\"parameters\" element=\"svc:%s\"/></wsdl:message>\n",
                   n->contract, op, op);
        sage__putf(b, "<wsdl:message name=\"%s_%s_OutputMessage\"><wsdl:part name=\"parameters\" element=\"svc:%sResponse\"/>"
                      "</wsdl:message>\n",
                   n->contract, op, op);
        sage__putf(b, "<wsdl:message name=\"%s_%s_MasFaultFault_FaultMessage\"><wsdl:part name=\"detail\" element=\"d:MasFault\"/>"
                      "</wsdl:message>\n",
                   n->contract, op);
    }
    sage__putf(b, "<wsdl:portType name=\"%s\">\n", n->contract);
    for (size_t i = 0; i < sage__nops; i++) {
        if (!sage__op_offered(call->sim, &sage__ops[i]))
            continue;
        const char *op = sage__ops[i].name;
        sage__putf(b, "<wsdl:operation name=\"%s\"><wsdl:input message=\"svc:%s_%s_InputMessage\"/><wsdl:output"
                      " message=\"svc:%s_%s_OutputMessage\"/><wsdl:fault name=\"MasFaultFault\""
                      " message=\"svc:%s_%s_MasFaultFault_FaultMessage\"/></wsdl:operation>\n",
                   op, n->contract, op, n->contract, op, n->contract, op);
    }
    sage__puts(b, "</wsdl:portType>\n");
}

static void binding(struct sage_buf *b, const struct sage_call *call)
{
    const struct sage_soap_names *n = &call->sim->opt.soap;
    sage__putf(b, "<wsdl:binding name=\"BasicHttpBinding_%s\" type=\"svc:%s\"><soap:binding"
                  " transport=\"http://schemas.xmlsoap.org/soap/http\"/>\n",
               n->contract, n->contract);
    for (size_t i = 0; i < sage__nops; i++) {
        if (!sage__op_offered(call->sim, &sage__ops[i]))
            continue;
        sage__putf(b, "<wsdl:operation name=\"%s\"><soap:operation soapAction=\"", sage__ops[i].name);
        sage__op_action(b, call->sim, &sage__ops[i]);
        sage__puts(b, "\" style=\"document\"/><wsdl:input><soap:body use=\"literal\"/></wsdl:input><wsdl:output><soap:body"
                      " use=\"literal\"/></wsdl:output><wsdl:fault name=\"MasFaultFault\"><soap:fault name=\"MasFaultFault\""
                      " use=\"literal\"/></wsdl:fault></wsdl:operation>\n");
    }
    sage__putf(b, "</wsdl:binding>\n<wsdl:service name=\"MasService\"><wsdl:port name=\"BasicHttpBinding_%s\""
                  " binding=\"tns:BasicHttpBinding_%s\"><soap:address location=\"",
               n->contract, n->contract);
    address(b, call);
    sage__puts(b, "\"/></wsdl:port></wsdl:service>\n");
}

static void definitions(struct sage_call *call, bool inner)
{
    const struct sage_soap_names *n = &call->sim->opt.soap;
    bool split = n->split_wsdl;
    struct sage_buf b = {0};
    sage__putf(&b, "<?xml version=\"1.0\" encoding=\"utf-8\"?><wsdl:definitions name=\"MasService\" targetNamespace=\"%s\""
                   " xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\""
                   " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:svc=\"%s\" xmlns:tns=\"%s\" xmlns:d=\"%s\">\n",
               split && !inner ? "http://tempuri.org/" : n->service_ns, n->service_ns,
               split && !inner ? "http://tempuri.org/" : n->service_ns, n->data_ns);
    if (split && !inner) {
        sage__putf(&b, "<wsdl:import namespace=\"%s\" location=\"", n->service_ns);
        address(&b, call);
        sage__puts(&b, "?wsdl=wsdl0\"/><wsdl:types/>\n");
    } else {
        port_type(&b, call);
    }
    if (!split || !inner)
        binding(&b, call);
    sage__puts(&b, "</wsdl:definitions>");
    send(call, &b);
}

void sage__soap_wsdl(struct sage_call *call)
{
    char *wsdl = sage__query(call, "wsdl", NULL), *xsd = sage__query(call, "xsd", NULL);
    if (xsd && strncmp(xsd, "xsd", 3) == 0 && xsd[3] >= '0' && xsd[3] <= '2' && !xsd[4])
        schema(call, xsd[3] - '0');
    else if (wsdl && strcmp(wsdl, "wsdl0") == 0 && call->sim->opt.soap.split_wsdl)
        definitions(call, true);
    else if (call->query && strcasecmp(call->query, "wsdl") == 0)
        definitions(call, false);
    else {
        call->resp->status = 200;
        sim_response_body(call->resp, "<HTML><BODY>MasService Service</BODY></HTML>\n", 45, "text/html; charset=UTF-8");
    }
    free(wsdl);
    free(xsd);
}
