/*
 * soap.c: one SOAP 1.1 call, facts/sage-100.md 3.
 *
 *     content type -> envelope -> SOAPAction -> wrapper element -> parameters -> logon -> company -> rights -> row
 *
 * Elements are taken as WCF takes them: in the order of the schema, by local name and namespace; an element that comes
 * too late or that nobody knows is skipped, and what it would have set stays null.
 */
#include "soap.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char envelope_ns[] = "http://schemas.xmlsoap.org/soap/envelope/";

const struct sage_op sage__ops[] = {
#define SAGE_OP(at, name, parameters, result) {SAGE_AT_##at, name, parameters, SAGE_SOAP_##result},
#include "ops.def"
#undef SAGE_OP
};
const size_t sage__nops = sizeof sage__ops / sizeof *sage__ops;

bool sage__op_offered(const struct sage_sim *s, const struct sage_op *op)
{
    return s->opt.soap.lists || op->result < SAGE_SOAP_CUSTOMER_KEYS || op->result > SAGE_SOAP_ORDER_KEYS;
}

size_t sage__op_parameter(const struct sage_op *op, int i, const char **name)
{
    const char *p = op->parameters;
    for (; i > 0 && *p; i--) {
        p += strcspn(p, " ");
        p += *p == ' ';
    }
    *name = p;
    return strcspn(p, " ");
}

void sage__op_action(struct sage_buf *b, const struct sage_sim *s, const struct sage_op *op)
{
    const struct sage_soap_names *n = &s->opt.soap;
    if (n->action_format) {
        const char *at = strstr(n->action_format, "%s");
        sage__put(b, n->action_format, (size_t)(at - n->action_format));
        sage__puts(b, op->name);
        sage__puts(b, at + 2);
        return;
    }
    size_t len = strlen(n->service_ns);
    sage__puts(b, n->service_ns);
    sage__puts(b, len && n->service_ns[len - 1] == '/' ? "" : "/");
    sage__putf(b, "%s/%s", n->contract, op->name);
}

static const struct sage_op *op_of_action(const struct sage_sim *s, const char *action)
{
    size_t len = strlen(action);
    if (len >= 2 && action[0] == '"' && action[len - 1] == '"') {
        action++;
        len -= 2;
    }
    for (size_t i = 0; i < sage__nops; i++) {
        struct sage_buf b = {0};
        sage__op_action(&b, s, &sage__ops[i]);
        bool same = b.len == len && memcmp(b.p, action, len) == 0 && sage__op_offered(s, &sage__ops[i]);
        free(b.p);
        if (same)
            return &sage__ops[i];
    }
    return NULL;
}

void sage__soap_route(struct sage_call *call)
{
    const char *action = sim_request_header(call->req, "SOAPAction");
    const struct sage_op *op = action ? op_of_action(call->sim, action) : NULL;
    if (strcmp(call->req->method, "GET") == 0)
        call->at = SAGE_AT_WSDL;
    else
        call->at = op ? op->at : SAGE_AT_SOAP_OTHER;
}

static void open_envelope(struct sage_buf *b)
{
    sage__putf(b, "<s:Envelope xmlns:s=\"%s\"><s:Body>", envelope_ns);
}

static void send(struct sage_call *call, struct sage_buf *b, int status)
{
    sage__puts(b, "</s:Body></s:Envelope>");
    call->resp->status = status;
    sim_response_body(call->resp, b->p, b->len, "text/xml; charset=utf-8");
    free(b->p);
}

static void plain_status(struct sage_call *call, int status, const char *body)
{
    call->resp->status = status;
    sim_response_body(call->resp, body, strlen(body), "text/html");
}

// A fault of the WCF stack itself: no detail. space NULL: a code of SOAP.
static void stack_fault(struct sage_call *call, const char *space, const char *code, const char *text)
{
    struct sage_buf b = {0};
    open_envelope(&b);
    if (space)
        sage__putf(&b, "<s:Fault><faultcode xmlns:a=\"%s\">a:%s</faultcode>", space, code);
    else
        sage__putf(&b, "<s:Fault><faultcode>s:%s</faultcode>", code);
    sage__puts(&b, "<faultstring xml:lang=\"en-US\">");
    sage__put_xml(&b, text, strlen(text));
    sage__puts(&b, "</faultstring></s:Fault>");
    send(call, &b, 500);
}

void sage__soap_exception(struct sage_call *call)
{
    stack_fault(call, NULL, "Server", "An exception occurred.");
}

// facts/sage-100.md 3.5; the prefix of the code is any.
void sage__soap_mas_fault(struct sage_call *call, const char *code, const char *message)
{
    const struct sage_soap_names *n = &call->sim->opt.soap;
    struct sage_buf b = {0};
    call->sim->random = sage__mix(call->sim->random + 0x9e3779b97f4a7c15u);
    char prefix[4] = {(char)('a' + call->sim->random % 17), (char)('a' + call->sim->random / 32 % 26), '1', 0};
    prefix[call->sim->random / 1024 % 3 + 1] = 0;
    open_envelope(&b);
    sage__putf(&b, "<s:Fault><faultcode xmlns:%s=\"%s\">%s:", prefix, n->service_ns, prefix);
    sage__put_xml(&b, code, strlen(code));
    sage__puts(&b, "</faultcode><faultstring xml:lang=\"en-US\">");
    sage__put_xml(&b, message, strlen(message));
    sage__putf(&b, "</faultstring><detail><MasFault xmlns=\"%s\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><ErrorCode>",
               n->data_ns);
    sage__put_xml(&b, code, strlen(code));
    sage__puts(&b, "</ErrorCode><ErrorMessage>");
    sage__put_xml(&b, message, strlen(message));
    sage__puts(&b, "</ErrorMessage></MasFault></detail></s:Fault>");
    send(call, &b, 500);
}

static bool is_element(const xmlNode *n, const char *name, size_t len, const char *space)
{
    return n->type == XML_ELEMENT_NODE && strlen((const char *)n->name) == len && memcmp(n->name, name, len) == 0 && n->ns &&
           strcmp((const char *)n->ns->href, space) == 0;
}

static xmlNode *first_element(xmlNode *n)
{
    while (n && n->type != XML_ELEMENT_NODE)
        n = n->next;
    return n;
}

static bool is_nil(xmlNode *n)
{
    xmlChar *nil = xmlGetNsProp(n, BAD_CAST "nil", BAD_CAST "http://www.w3.org/2001/XMLSchema-instance");
    bool yes = nil && (strcmp((const char *)nil, "true") == 0 || strcmp((const char *)nil, "1") == 0);
    xmlFree(nil);
    return yes;
}

static char *text_of(xmlNode *n)
{
    if (is_nil(n))
        return NULL;
    xmlChar *content = xmlNodeGetContent(n);
    char *copy = sage__copy((const char *)content);
    xmlFree(content);
    return copy;
}

struct arguments {
    char *user, *password;
    char *text[SAGE_OP_PARAMETERS_MAX]; // by place; the place of logon stays NULL
};

static void arguments_free(struct arguments *a)
{
    free(a->user);
    free(a->password);
    for (int i = 0; i < SAGE_OP_PARAMETERS_MAX; i++)
        free(a->text[i]);
}

static void read_logon(const struct sage_sim *s, xmlNode *logon, struct arguments *a)
{
    int place = 0;
    for (xmlNode *n = first_element(logon->children); n; n = first_element(n->next))
        for (int i = place; i < 2; i++) {
            const char *name = sage__logon_member(s, i);
            if (!is_element(n, name, strlen(name), s->opt.soap.data_ns))
                continue;
            *(name[0] == 'U' ? &a->user : &a->password) = text_of(n);
            place = i + 1;
            break;
        }
}

static void read_arguments(const struct sage_sim *s, const struct sage_op *op, xmlNode *wrapper, struct arguments *a)
{
    int place = 0;
    for (xmlNode *n = first_element(wrapper->children); n; n = first_element(n->next)) {
        const char *name;
        size_t len;
        for (int i = place; (len = sage__op_parameter(op, i, &name)) > 0; i++) {
            if (!is_element(n, name, len, s->opt.soap.service_ns))
                continue;
            if (len == 5 && memcmp(name, "logon", 5) == 0)
                read_logon(s, n, a);
            else
                a->text[i] = text_of(n);
            place = i + 1;
            break;
        }
    }
}

static void contract_information(struct sage_call *call)
{
    const struct sage_soap_names *n = &call->sim->opt.soap;
    struct sage_buf b = {0};
    open_envelope(&b);
    sage__putf(&b, "<GetContractInformationResponse xmlns=\"%s\"><GetContractInformationResult xmlns:a=\"%s\""
                   " xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><a:AssemblyVersion>7.30.0.0</a:AssemblyVersion>"
                   "<a:ContractVersion>4</a:ContractVersion><a:NullDateTime>%s</a:NullDateTime></GetContractInformationResult>"
                   "</GetContractInformationResponse>",
               n->service_ns, n->data_ns, n->null_date);
    send(call, &b, 200);
}

static void text_result(struct sage_call *call, const struct sage_op *op, const char *text)
{
    struct sage_buf b = {0};
    open_envelope(&b);
    sage__putf(&b, "<%sResponse xmlns=\"%s\"><%sResult>%s</%sResult></%sResponse>", op->name, call->sim->opt.soap.service_ns, op->name,
               text, op->name, op->name);
    send(call, &b, 200);
}

static void diagnostics(struct sage_call *call, const struct sage_op *op)
{
    if (call->sim->remote_diagnostics)
        text_result(call, op, "ok");
    else
        sage__soap_mas_fault(call, "WS_RemoteDiagnostics",
                             "'AllowRemoteDiagnostics' must be set to 'True' to access this method remotely.");
}

// The row that the key parameters (from the third on) name.
static void row_result(struct sage_call *call, const struct sage_op *op, struct sage_company *c, const struct arguments *a)
{
    int id = op->result == SAGE_SOAP_CUSTOMER ? SAGE_CUSTOMERS : op->result == SAGE_SOAP_CONTACT ? SAGE_CONTACTS : SAGE_SALES_ORDERS;
    struct sage_resource *r = &c->res[id];
    struct sage_key key;
    struct sage_hit hit;
    bool good = true;
    sage__key_start(&key);
    for (int i = 0; i < r->layout->table->nparts; i++)
        good = good && a->text[2 + i] && sage__key_add(&key, a->text[2 + i], strlen(a->text[2 + i]));
    if (!good || !sage__view_find(r, &key, false, &hit)) {
        sage__soap_mas_fault(call, "CI_NoKey", "The record does not exist.");
        return;
    }
    if (sage__view_locked(r, &hit)) {
        call->sim->counters[call->at].locked++;
        sage__soap_mas_fault(call, "CI_Locked", "The record is in use by another user and is locked.");
        return;
    }
    struct sage_row *row = sage__alloc(sizeof *row);
    struct sage_buf b = {0};
    sage__view_row(r, &hit, row);
    open_envelope(&b);
    sage__putf(&b, "<%sResponse xmlns=\"%s\"><%sResult xmlns:a=\"%s\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">", op->name,
               call->sim->opt.soap.service_ns, op->name, call->sim->opt.soap.data_ns);
    sage__soap_row(&b, r, row, op->result);
    if (call->unknown)
        sage__puts(&b, "<z:Extra xmlns:z=\"urn:nobody\"><z:Deep>1</z:Deep></z:Extra>");
    sage__putf(&b, "</%sResult></%sResponse>", op->name, op->name);
    call->sim->counters[call->at].rows++;
    send(call, &b, 200);
    free(row);
}

static void keys_result(struct sage_call *call, const struct sage_op *op, struct sage_company *c)
{
    static const int tables[] = {SAGE_CUSTOMERS, SAGE_CONTACTS, SAGE_SALES_ORDERS};
    struct sage_buf b = {0};
    open_envelope(&b);
    sage__putf(&b, "<%sResponse xmlns=\"%s\"><%sResult xmlns:a=\"%s\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">", op->name,
               call->sim->opt.soap.service_ns, op->name,
               op->result == SAGE_SOAP_ORDER_KEYS ? "http://schemas.microsoft.com/2003/10/Serialization/Arrays" : call->sim->opt.soap.data_ns);
    sage__soap_keys(&b, &c->res[tables[op->result - SAGE_SOAP_CUSTOMER_KEYS]], op->result);
    sage__putf(&b, "</%sResult></%sResponse>", op->name, op->name);
    send(call, &b, 200);
}

static void with_logon(struct sage_call *call, const struct sage_op *op, const struct arguments *a)
{
    const struct sage_sim_options *o = &call->sim->opt;
    if (!a->user || !a->password || strcasecmp(a->user, o->user) != 0 || strcmp(a->password, o->password) != 0) {
        sage__soap_mas_fault(call, o->soap.logon_code,
                             "Logon failure: The user logon or password does not match or the user logon is not enabled for web services.");
        return;
    }
    if (!a->text[1]) {
        sage__soap_exception(call);
        return;
    }
    struct sage_company *c = sage__company(call->sim, a->text[1]);
    if (!c) {
        sage__soap_mas_fault(call, "CI_NOF", "The company code is not on file.");
        return;
    }
    if (!c->opens) {
        sage__soap_exception(call);
        return;
    }
    if (call->sim->missing_rights >> op->at & 1) {
        sage__soap_mas_fault(call, "No Access", "you are not authorized to perform this action");
        return;
    }
    if (op->result == SAGE_SOAP_TEXT) {
        char number[24];
        call->sim->next_numbers++;
        snprintf(number, sizeof number, "%07llu", (unsigned long long)(c->customers + call->sim->next_numbers));
        text_result(call, op, number);
        return;
    }
    if (op->result >= SAGE_SOAP_CUSTOMER_KEYS && op->result <= SAGE_SOAP_ORDER_KEYS)
        keys_result(call, op, c);
    else
        row_result(call, op, c, a);
}

static void perform(struct sage_call *call, const struct sage_op *op, xmlNode *wrapper)
{
    struct arguments a = {0};
    if (!wrapper || !is_element(wrapper, op->name, strlen(op->name), call->sim->opt.soap.service_ns)) {
        stack_fault(call, "http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher", "DeserializationFailed",
                    "The formatter threw an exception while trying to deserialize the message: the body does not hold the element of "
                    "the operation in the namespace of the service.");
        return;
    }
    if (op->at == SAGE_AT_CONTRACT_INFORMATION) {
        contract_information(call);
    } else if (op->at == SAGE_AT_DIAGNOSTIC_INFORMATION) {
        diagnostics(call, op);
    } else {
        read_arguments(call->sim, op, wrapper, &a);
        with_logon(call, op, &a);
        arguments_free(&a);
    }
}

static xmlNode *body_of(xmlDoc *doc)
{
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    if (!root || doc->intSubset || !is_element(root, "Envelope", 8, envelope_ns))
        return NULL;
    xmlNode *n = first_element(root->children);
    if (n && is_element(n, "Header", 6, envelope_ns))
        n = first_element(n->next);
    return n && is_element(n, "Body", 4, envelope_ns) ? n : NULL;
}

static void post(struct sage_call *call)
{
    const char *type = sim_request_header(call->req, "Content-Type"), *action = sim_request_header(call->req, "SOAPAction");
    const struct sage_op *op = action ? op_of_action(call->sim, action) : NULL;
    if (!type || strncasecmp(type, "text/xml", 8) != 0) {
        plain_status(call, 415, "Cannot process the message because the content type was not the expected type 'text/xml; charset=utf-8'.");
        return;
    }
    if (call->req->body_len > 4 << 20) {
        plain_status(call, 413, "");
        return;
    }
    xmlDoc *doc = xmlReadMemory(call->req->body ? call->req->body : "", (int)call->req->body_len, NULL, NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    xmlNode *body = body_of(doc);
    if (!body) {
        plain_status(call, 400, "Bad Request");
    } else if (!op) {
        stack_fault(call, "http://schemas.microsoft.com/ws/2005/05/addressing/none", "ActionNotSupported",
                    "The message cannot be processed at the receiver, due to a ContractFilter mismatch at the EndpointDispatcher.");
    } else {
        perform(call, op, first_element(body->children));
    }
    xmlFreeDoc(doc);
}

void sage__soap_answer(struct sage_call *call)
{
    struct sage_sim *s = call->sim;
    if (call->at == SAGE_AT_WSDL) {
        sage__soap_wsdl(call);
        return;
    }
    if (strcmp(call->req->method, "POST") != 0) {
        plain_status(call, 405, "");
        return;
    }
    if (!s->soap_called || call->now_ms - s->soap_last_ms > s->opt.soap_idle_ms)
        call->resp->delay_ms += s->opt.soap_cold_ms;
    s->soap_called = true;
    s->soap_last_ms = call->now_ms;
    post(call);
}
