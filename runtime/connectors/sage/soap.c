/* soap.c - one call of eBusiness Web Services: envelope out, reply or fault in.
 *
 *   contract -> <Envelope><Body><Op xmlns=ns><logon>..</logon><companyCode>..</companyCode>..</Op></Body></Envelope> -> POST, SOAPAction
 *            -> tree -> Body/OpResponse/OpResult | Body/Fault -> soap_fault.def -> verdict
 *
 * The password stands in the request body only, which is wiped when the call is over. A fault travels with status 500 although the service is
 * well: classify() tells net so. */
#include "connectors/sage/soap.h"
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const struct { const char *code, *text; enum soap_verdict verdict; const char *advice; } faults[] = {
#define SOAP_FAULT(code, text, verdict, advice) {code, text, verdict, advice},
#include "connectors/sage/soap_fault.def"
#undef SOAP_FAULT
};

/* ---- faults ---- */

/* "a:CI_NoKey" -> "cinokey": the prefix is the sender's, the spelling of some codes is not certain. */
static void normal_code(const char *code, char *out)
{
    const char *colon = strrchr(code, ':');
    size_t n = 0;
    for (const char *p = colon ? colon + 1 : code; *p; p++)
        if (isalnum((unsigned char)*p)) out[n++] = (char)tolower((unsigned char)*p);
    out[n] = '\0';
}

/* The words at the start of a word: "lock" is in "is locked", not in "block". */
static bool text_holds(const char *message, const char *words)
{
    if (!words) return true;
    for (const char *at = message; (at = strcasestr(at, words)); at++)
        if (at == message || !isalpha((unsigned char)at[-1])) return true;
    return false;
}

/* The last line of the table is for all others. */
static void judge(struct soap_reply *r)
{
    char code[sizeof r->code];
    size_t i = 0, last = sizeof faults / sizeof *faults - 1;
    normal_code(r->code, code);
    while (i < last && (fnmatch(faults[i].code, code, 0) != 0 || !text_holds(r->message, faults[i].text))) i++;
    r->verdict = faults[i].verdict;
    r->advice = faults[i].advice;
}

static void copy_clean(struct source *s, char *out, size_t cap, struct str text)
{
    struct arena_mark m = arena_mark(&s->scratch);
    snprintf(out, cap, "%s", sage100__clean(&s->scratch, text, cap - 1));
    arena_release(&s->scratch, m);
}

static struct str text_of(const struct xml_node *top, const char *name)
{
    const struct xml_node *n = sage100__xml_find(top, name);
    return n ? str_trim(n->text) : (struct str){"", 0};
}

static void read_fault(struct source *s, struct soap_reply *r, const struct xml_node *fault)
{
    struct str code = text_of(fault, "ErrorCode"), message = text_of(fault, "ErrorMessage");
    if (code.n == 0) code = text_of(fault, "faultcode");
    if (code.n == 0) code = text_of(fault, "Value");               /* SOAP 1.2 */
    if (message.n == 0) message = text_of(fault, "faultstring");
    if (message.n == 0) message = text_of(fault, "Text");
    copy_clean(s, r->code, sizeof r->code, code);
    copy_clean(s, r->message, sizeof r->message, message);
    judge(r);
}

/* ---- answers ---- */

struct call { struct source *s; const struct soap_operation *op; struct soap_reply *r; int status; bool xml; char why[160]; };

static void read_answer(struct call *c, const struct http_res *res)
{
    struct soap_reply *r = c->r;
    struct xml_node *root = NULL;
    r->result = NULL;
    r->verdict = SOAP_PROTOCOL;
    r->advice = "";
    r->code[0] = r->message[0] = '\0';
    if (!c->s->xml) c->s->xml = sage100__xml_open();
    c->xml = sage100__xml_read(c->s->xml, res->body, &c->s->scratch, &root, c->why, sizeof c->why) == ERR_OK;
    if (!c->xml) return;
    const struct xml_node *body = str_is(root->name, "Envelope") ? sage100__xml_child(root, "Body") : NULL;
    const struct xml_node *first = sage100__xml_child(body, NULL);
    char want[64];
    snprintf(want, sizeof want, "%sResponse", c->op->name);
    c->xml = first != NULL;
    if (!first) snprintf(c->why, sizeof c->why, "no SOAP envelope with a body");
    else if (str_is(first->name, "Fault")) read_fault(c->s, r, first);
    else if (str_is(first->name, want)) {
        r->verdict = SOAP_OK;
        r->result = sage100__xml_child(first, NULL);
    } else {
        c->xml = false;
        snprintf(c->why, sizeof c->why, "the body holds %.*s, not %s", (int)(first->name.n < 60 ? first->name.n : 60), first->name.p, want);
    }
}

static bool passing(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* A well-formed reply or fault is a sign of life, whatever its status. */
static struct net_class classify(void *ctx, const struct http_res *res)
{
    struct call *c = ctx;
    c->status = res->status;
    read_answer(c, res);
    int64_t after = net_retry_after_ms(res, world_wall_ms(c->s->env.world));
    if (!c->xml) return (struct net_class){passing(c->status) ? NET_RETRY : NET_GIVE_UP, after, false};
    return (struct net_class){c->r->verdict == SOAP_BUSY ? NET_RETRY : NET_GIVE_UP, after, true};
}

static enum err no_answer(struct source *s, const struct call *c, struct fault *f)
{
    const char *name = s->env.state_name, *op = c->op->name;
    if (passing(c->status)) return fault_set(f, ERR_BUSY, "source %s: soap %s: the web server answers %d; is the service's application pool running?", name, op, c->status);
    if (c->status == 401 || c->status == 403)
        return fault_set(f, ERR_AUTH, "source %s: soap %s: the web server itself refuses us (%d): the service must allow anonymous access, it signs in by its own logon", name, op, c->status);
    if (c->status == 404 || c->status == 405)
        return fault_set(f, ERR_CONFIG, "source %s: soap %s: nothing answers SOAP at this address (%d): `soap` must be the address of the service file", name, op, c->status);
    if (c->status >= 300 && c->status < 400)
        return fault_set(f, ERR_PROTOCOL, "source %s: soap %s: redirected (%d), and redirects are not followed: set `soap` to the final address", name, op, c->status);
    return fault_set(f, ERR_PROTOCOL, "source %s: soap %s: status %d and no SOAP answer: %s", name, op, c->status, c->why);
}

static enum err verdict_error(struct source *s, const struct call *c, struct fault *f)
{
    static const enum err errs[] = {[SOAP_OK] = ERR_OK, [SOAP_MISSING] = ERR_OK, [SOAP_IS_LOCKED] = ERR_OK, [SOAP_INVALID] = ERR_OK, [SOAP_AUTH] = ERR_AUTH,
        [SOAP_PERMISSION] = ERR_PERMISSION, [SOAP_CONFIG] = ERR_CONFIG, [SOAP_BUSY] = ERR_BUSY, [SOAP_CONTRACT_WRONG] = ERR_PROTOCOL, [SOAP_PROTOCOL] = ERR_PROTOCOL};
    const struct soap_reply *r = c->r;
    enum err e = errs[r->verdict];
    if (e == ERR_OK) return ERR_OK;
    fault_set(f, e, "source %s: soap %s: %s (%s: %s)", s->env.state_name, c->op->name, r->advice, r->code[0] ? r->code : "no code", r->message);
    if (r->verdict == SOAP_CONTRACT_WRONG) sage100__soap_contract_drop(s);      /* c->op lived in it */
    return e;
}

/* ---- the request ---- */

struct request { struct buf body; bool good; };      /* good: until a text comes that XML cannot carry */

static void put_text(struct request *q, struct str text)
{
    if (!sage100__xml_escape(&q->body, text)) q->good = false;
}

static void open_element(struct request *q, struct str name, struct str ns, struct str outer_ns)
{
    buf_printf(&q->body, "<%.*s", (int)name.n, name.p);
    if (!str_eq(ns, outer_ns)) {
        buf_puts(&q->body, " xmlns=\"");
        put_text(q, ns);
        buf_byte(&q->body, '"');
    }
    buf_byte(&q->body, '>');
}

static void close_element(struct request *q, struct str name)
{
    buf_printf(&q->body, "</%.*s>", (int)name.n, name.p);
}

static void put_element(struct request *q, struct str name, struct str ns, struct str outer_ns, struct str text)
{
    open_element(q, name, ns, outer_ns);
    put_text(q, text);
    close_element(q, name);
}

static void put_logon(struct request *q, const struct source *s, const struct sage_soap_contract *c, const struct soap_param *p, struct str outer_ns)
{
    open_element(q, p->name, p->ns, outer_ns);
    for (int i = 0; i < 2; i++) put_element(q, c->logon_name[i], c->logon_ns[i], p->ns, c->logon_password[i] ? s->set.password : s->set.user);
    close_element(q, p->name);
}

static void envelope(struct request *q, const struct source *s, const struct sage_soap_contract *c, const struct soap_operation *op, struct str company,
                     const struct source_key *key)
{
    buf_puts(&q->body, "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>");
    open_element(q, str_of(op->name), op->ns, (struct str){"", 0});
    for (size_t i = 0; i < op->nparams; i++) {
        const struct soap_param *p = &op->params[i];
        if (p->role == SOAP_LOGON) put_logon(q, s, c, p, op->ns);
        else put_element(q, p->name, p->ns, op->ns, p->role == SOAP_COMPANY ? company : key->part[p->key_part]);
    }
    close_element(q, str_of(op->name));
    buf_puts(&q->body, "</s:Body></s:Envelope>");
}

static enum err send(struct source *s, struct call *c, const struct buf *body, struct fault *f)
{
    char what[64];
    snprintf(what, sizeof what, "soap %s", c->op->name);
    struct http_header headers[] = {{"Content-Type", "text/xml; charset=utf-8"}, {"Accept", "text/xml"},
                                    {"SOAPAction", arena_printf(&s->scratch, "\"%.*s\"", (int)c->op->action.n, c->op->action.p)}};
    struct http_req req = {.method = "POST", .url = s->set.soap_url, .headers = headers, .nheaders = 3, .body = buf_view(body), .pool = s->soap_pool,
                           .ca_file = s->set.trust, .connect_timeout_ms = s->set.connect_ms, .total_timeout_ms = s->set.connect_ms + s->set.read_ms,
                           .max_body_bytes = XML_BYTES_MAX};
    enum err e = net_call(s->net, what, &req, &s->set.busy, classify, c, &s->scratch, &c->r->res, f);
    s->last = (struct sage_last){c->r->res.outcome, c->status, c->r->res.connect_ms, c->r->res.tls_ms, c->r->res.elapsed_ms};
    if (e == ERR_BUSY && c->xml) return verdict_error(s, c, f);          /* of the faults only SOAP_BUSY is asked again */
    if (e == ERR_BUSY && c->r->res.outcome == HTTP_ANSWERED) return no_answer(s, c, f);
    if (e == ERR_UNREACHABLE) return fault_set(f, e, "source %s: %s: %s", s->env.state_name, what, c->r->res.error);
    if (e != ERR_OK) return fault_prefix(f, "source %s", s->env.state_name);
    return c->xml ? verdict_error(s, c, f) : no_answer(s, c, f);
}

enum err sage100__soap_call(struct source *s, enum soap_id id, struct str company, const struct source_key *key,
                         struct soap_reply *out, struct fault *f)
{
    const struct sage_soap_contract *c;
    memset(out, 0, sizeof *out);
    out->verdict = SOAP_PROTOCOL;
    enum err e = sage100__soap_contract(s, &c, f);
    if (e != ERR_OK) return e;
    const struct soap_operation *op = &c->op[id];
    if (!op->offered) return fault_set(f, ERR_UNSUPPORTED, "source %s: soap: this service does not offer %s", s->env.state_name, op->name);
    struct request request = {.good = true};
    buf_reserve(&request.body, 8192);          /* room for all of it: growing would leave copies of the password behind */
    struct call call = {.s = s, .op = op, .r = out};
    envelope(&request, s, c, op, company, key);
    if (!request.good)
        e = fault_set(f, ERR_REJECTED, "source %s: soap %s: user name, password, company or key holds a character that XML cannot carry", s->env.state_name, op->name);
    else e = send(s, &call, &request.body, f);
    explicit_bzero(request.body.p, request.body.cap);
    buf_free(&request.body);
    return e;
}

/* ---- descriptions ---- */

static struct net_class classify_document(void *ctx, const struct http_res *res)
{
    struct source *s = ctx;
    return (struct net_class){passing(res->status) ? NET_RETRY : NET_GIVE_UP, net_retry_after_ms(res, world_wall_ms(s->env.world)), false};
}

enum err sage100__soap_document(struct source *s, const char *url, struct arena *a, const struct xml_node **root, int *status, struct fault *f)
{
    struct http_res res;
    struct http_header headers[] = {{"Accept", "text/xml"}};
    struct http_req req = {.method = "GET", .url = url, .headers = headers, .nheaders = 1, .pool = s->soap_pool, .ca_file = s->set.trust,
                           .connect_timeout_ms = s->set.connect_ms, .total_timeout_ms = s->set.connect_ms + s->set.read_ms, .max_body_bytes = XML_BYTES_MAX};
    *root = NULL;
    enum err e = net_call(s->net, "soap wsdl", &req, &s->set.busy, classify_document, s, a, &res, f);
    *status = res.status;
    s->last = (struct sage_last){res.outcome, res.status, res.connect_ms, res.tls_ms, res.elapsed_ms};
    const char *type = http_header_get(&res, "content-type");
    if (e == ERR_OK && *status == 200 && type && strcasestr(type, "html")) *status = 204;      /* the service's page for people: nothing is published */
    if (e != ERR_OK || *status != 200) return e;
    char why[160];
    struct xml_node *tree;
    e = sage100__xml_parse(res.body, a, &tree, why, sizeof why);
    if (e != ERR_OK) return fault_set(f, e, "the WSDL is not to be trusted: %s; mend it, or set soap_wsdl = \"none\"", why);
    *root = tree;
    return ERR_OK;
}
