/* contract.c - what the service itself says about its names (facts/sage-100.md 3.3, "Robust rule"): stock names are not confirmed anywhere, so
 * the WSDL rules and the table of defaults is only for services that publish none.
 *
 *   soap?wsdl -> documents (wsdl:import, xsd:import, xsd:include; never another host than ours) -> per operation:
 *       schema with a top-level element of that name -> namespace of the wrapper, order and namespaces of the parameters
 *       binding//operation/@soapAction -> SOAPAction
 *       type of `logon`  -> order and namespace of Username and Password
 *       type of OpResult -> which columns this door knows
 *   settings soap_namespace, soap_data_namespace, soap_action, soap_logon win over both. */
#include "connectors/sage/soap.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define DOCUMENTS_MAX 24
#define MEMBERS_MAX   400
#define DEFAULT_NS      "http://mas90.sage.com/ws"
#define DEFAULT_DATA_NS "http://schemas.datacontract.org/2004/07/Sage.Mas.Ws"

static const struct { const char *name; const char *params[LIMIT_KEY_PARTS]; } operations[SOAP_OPERATIONS] = {
#define SOAP_OPERATION(name, id, ...) [SOAP_##id] = {#name, {__VA_ARGS__}},
#include "connectors/sage/soap_operation.def"
#undef SOAP_OPERATION
};
static const char *const default_members[SOAP_OPERATIONS][MEMBERS_MAX] = {
#define SOAP_MEMBERS(id, ...) [SOAP_##id] = {__VA_ARGS__},
#include "connectors/sage/soap_member.def"
#undef SOAP_MEMBERS
};

enum soap_id sage100__soap_operation(const struct sage_entity *e)
{
    for (size_t i = 0; e->operation && i < SOAP_OPERATIONS; i++)
        if (strcmp(operations[i].name, e->operation) == 0) return (enum soap_id)i;
    return SOAP_OPERATIONS;
}

enum soap_id sage100__soap_list_operation(const struct sage_entity *e)
{
    return (enum soap_id)(SOAP_OPERATIONS + (int)sage100__soap_operation(e) - SOAP_CUSTOMER);
}

/* The name of a slot; NULL: nobody asked for a list of this table. */
static const char *slot_name(const struct source *s, enum soap_id id)
{
    size_t n;
    const struct sage_entity *all = sage100__entities(&n);
    if (id < SOAP_OPERATIONS) return operations[id].name;
    for (size_t i = 0; i < n; i++)
        if (all[i].operation && sage100__soap_list_operation(&all[i]) == id) return sage100__list_operation(s, &all[i]);
    return NULL;
}

/* What a slot is called with: a list takes who asks and of which company. */
static const char *known_param(enum soap_id id, unsigned i)
{
    if (i >= LIMIT_KEY_PARTS) return NULL;
    return id < SOAP_OPERATIONS ? operations[id].params[i] : i < 2 ? operations[SOAP_CUSTOMER].params[i] : NULL;
}

static struct str keep(struct source *s, struct str t)
{
    return (struct str){arena_copy(&s->contract_arena, t.n ? t.p : "", t.n), t.n};
}

/* ---- defaults ---- */

static bool role_of(enum soap_id id, struct str name, struct soap_param *p)
{
    for (unsigned i = 0; known_param(id, i); i++)
        if (str_ieq(name, str_of(known_param(id, i)))) {
            p->role = i == 0 ? SOAP_LOGON : i == 1 ? SOAP_COMPANY : SOAP_KEY;
            p->key_part = i >= 2 ? i - 2 : 0;
            return true;
        }
    return false;
}

static void default_operation(struct source *s, enum soap_id id, struct soap_operation *op)
{
    const char *name = slot_name(s, id);
    *op = (struct soap_operation){.name = name ? arena_copy(&s->contract_arena, name, strlen(name)) : NULL, .offered = name != NULL, .ns = STR(DEFAULT_NS)};
    if (!name) return;
    op->action = str_of(arena_printf(&s->contract_arena, DEFAULT_NS "/IMasService/%s", op->name));
    for (; known_param(id, (unsigned)op->nparams); op->nparams++) {
        struct soap_param *p = &op->params[op->nparams];
        *p = (struct soap_param){.name = str_of(known_param(id, (unsigned)op->nparams)), .ns = STR(DEFAULT_NS)};
        role_of(id, p->name, p);
    }
    size_t n = 0;
    while (id < SOAP_OPERATIONS && n < MEMBERS_MAX && default_members[id][n]) n++;
    struct str *members = ARENA_ARRAY(&s->contract_arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) members[i] = str_of(default_members[id][i]);
    op->members = members;
    op->nmembers = n;
}

static void defaults(struct source *s, struct sage_soap_contract *c)
{
    for (int i = 0; i < SOAP_SLOTS; i++) default_operation(s, (enum soap_id)i, &c->op[i]);
    c->logon_ns[0] = c->logon_ns[1] = STR(DEFAULT_DATA_NS);
    c->logon_name[0] = STR("Password");      /* a data contract sends its members in alphabetical order */
    c->logon_name[1] = STR("Username");
    c->logon_password[0] = true;
    c->logon_password[1] = false;
}

static void swap_logon(struct sage_soap_contract *c)
{
    struct str name = c->logon_name[0], ns = c->logon_ns[0];
    bool password = c->logon_password[0];
    c->logon_name[0] = c->logon_name[1];
    c->logon_ns[0] = c->logon_ns[1];
    c->logon_password[0] = c->logon_password[1];
    c->logon_name[1] = name;
    c->logon_ns[1] = ns;
    c->logon_password[1] = password;
}

/* "…/IMasService/{operation}" */
static struct str action_of(struct source *s, const char *pattern, const char *operation)
{
    const char *hole = strstr(pattern, "{operation}");
    return str_of(arena_printf(&s->contract_arena, "%.*s%s%s", (int)(hole - pattern), pattern, operation, hole + strlen("{operation}")));
}

static void overrides(struct source *s, struct sage_soap_contract *c)
{
    const struct sage_settings *set = &s->set;
    for (int i = 0; i < SOAP_SLOTS; i++) {
        struct soap_operation *op = &c->op[i];
        if (!op->name) continue;
        for (size_t p = 0; set->soap_namespace && p < op->nparams; p++)
            if (str_eq(op->params[p].ns, op->ns)) op->params[p].ns = str_of(set->soap_namespace);
        if (set->soap_namespace) {
            if (!c->from_wsdl) op->action = str_of(arena_printf(&s->contract_arena, "%s/IMasService/%s", set->soap_namespace, op->name));
            op->ns = str_of(set->soap_namespace);
        }
        if (set->soap_action) op->action = action_of(s, set->soap_action, op->name);
    }
    if (set->soap_data_namespace) c->logon_ns[0] = c->logon_ns[1] = str_of(set->soap_data_namespace);
    if (set->soap_logon && c->logon_password[0] != (strcmp(set->soap_logon, "password,user") == 0)) swap_logon(c);
    if (set->soap_null_date) {
        c->null_date = str_of(set->soap_null_date);
        c->null_date_asked = true;
    }
}

/* ---- documents ---- */

struct wsdl {
    struct source *s;
    struct arena *a;
    const char *url[DOCUMENTS_MAX];
    const struct xml_node *root[DOCUMENTS_MAX];
    size_t n, nodes;
    struct fault *f;
};

/* A description names its parts by the server's own host name, often one that only the server knows. Path and query are taken from it, the host
 * never: the address to trust is the configured one. */
static const char *resolve(struct wsdl *w, struct str location)
{
    const char *base = w->s->set.soap_url;
    const char *host = strstr(base, "://") + 3, *path = strchr(host, '/');
    int origin = (int)(path ? (size_t)(path - base) : strlen(base));
    const char *file = path ? strrchr(path, '/') + 1 : "";
    const char *colon = memmem(location.p, location.n, "://", 3);
    if (colon) {
        const char *from = memchr(colon + 3, '/', location.n - (size_t)(colon + 3 - location.p));
        if (!from) return base;
        location = (struct str){from, location.n - (size_t)(from - location.p)};
    }
    size_t bare = 0;
    while (bare < location.n && location.p[bare] != '?') bare++;
    size_t slash = bare;
    while (slash > 0 && location.p[slash - 1] != '/') slash--;
    struct str last = {location.p + slash, bare - slash}, query = {location.p + bare, location.n - bare};
    if (query.n && (bare == 0 || str_ieq(last, str_of(file)))) return arena_printf(w->a, "%s%.*s", base, (int)query.n, query.p);
    if (location.n && location.p[0] == '/') return arena_printf(w->a, "%.*s%.*s", origin, base, (int)location.n, location.p);
    return arena_printf(w->a, "%.*s%s%.*s", path ? (int)(file - base) : origin, base, path ? "" : "/", (int)location.n, location.p);
}

static enum err queue(struct wsdl *w, const char *url)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->url[i], url) == 0) return ERR_OK;
    if (w->n == DOCUMENTS_MAX) return fault_set(w->f, ERR_PROTOCOL, "the WSDL has more than %d parts", DOCUMENTS_MAX);
    w->url[w->n++] = url;
    return ERR_OK;
}

/* All parts together may have as many elements as one document: names are looked up by walking over them. */
static enum err queue_imports(struct wsdl *w, const struct xml_node *root)
{
    for (const struct xml_node *n = root; n; n = sage100__xml_walk(root, n)) {
        if (++w->nodes > XML_NODES_MAX) return fault_set(w->f, ERR_PROTOCOL, "the parts of the WSDL have more than %d elements together", XML_NODES_MAX);
        if (!str_is(n->name, "import") && !str_is(n->name, "include")) continue;
        struct str at = sage100__xml_attr(n, "schemaLocation");
        if (at.n == 0) at = sage100__xml_attr(n, "location");
        if (at.n == 0) continue;
        enum err e = queue(w, resolve(w, at));
        if (e != ERR_OK) return e;
    }
    return ERR_OK;
}

/* *published false: the service gives no description, which is no failure. */
static enum err read_documents(struct wsdl *w, bool *published)
{
    const char *first = w->s->set.wsdl_url ? w->s->set.wsdl_url : arena_printf(w->a, "%s?wsdl", w->s->set.soap_url);
    *published = true;
    enum err e = queue(w, first);
    for (size_t i = 0; e == ERR_OK && i < w->n; i++) {
        int status = 0;
        e = sage100__soap_document(w->s, w->url[i], w->a, &w->root[i], &status, w->f);
        if (e != ERR_OK) return e;
        if (status != 200 && i == 0) {
            *published = false;
            return ERR_OK;
        }
        if (status != 200) return fault_set(w->f, ERR_PROTOCOL, "a part of the WSDL cannot be had (status %d): mend it, or set soap_wsdl = \"none\"", status);
        e = queue_imports(w, w->root[i]);
    }
    return e;
}

/* ---- schemas ---- */

static bool is_schema(const struct xml_node *n)
{
    return str_is(n->name, "schema") && str_is(n->ns, "http://www.w3.org/2001/XMLSchema");
}

/* Top-level component of a schema by kind ("element", "complexType") and name; ns empty: in any schema. */
static const struct xml_node *component(const struct wsdl *w, const char *kind, struct str ns, struct str name, const struct xml_node **schema)
{
    for (size_t i = 0; i < w->n; i++)
        for (const struct xml_node *n = w->root[i]; n; n = sage100__xml_walk(w->root[i], n)) {
            if (!is_schema(n) || (ns.n && !str_eq(sage100__xml_attr(n, "targetNamespace"), ns))) continue;
            for (const struct xml_node *c = sage100__xml_child(n, kind); c; c = sage100__xml_next(c, kind))
                if (str_eq(sage100__xml_attr(c, "name"), name)) {
                    *schema = n;
                    return c;
                }
        }
    return NULL;
}

static const struct xml_node *type_of(const struct wsdl *w, const struct xml_node *element, const struct xml_node **schema)
{
    const struct xml_node *own = sage100__xml_child(element, "complexType");
    struct str ns, local, name = sage100__xml_attr(element, "type");
    if (own || name.n == 0) return own;
    sage100__xml_qname(element, name, &ns, &local);
    return component(w, "complexType", ns, local, schema);
}

struct member { struct str name, ns; const struct xml_node *element, *schema; };

static void add_member(const struct wsdl *w, const struct xml_node *element, const struct xml_node *schema, struct member *out, size_t max, size_t *n)
{
    if (*n == max) return;                  /* before anything is looked for: what is behind the limit costs nothing */
    struct member m = {sage100__xml_attr(element, "name"), sage100__xml_attr(schema, "targetNamespace"), element, schema};
    struct str ref = sage100__xml_attr(element, "ref"), form = sage100__xml_attr(element, "form");
    if (ref.n) {
        sage100__xml_qname(element, ref, &m.ns, &m.name);
        const struct xml_node *there = component(w, "element", m.ns, m.name, &m.schema);
        if (there) m.element = there;
    } else {
        if (form.n == 0) form = sage100__xml_attr(schema, "elementFormDefault");
        if (!str_is(form, "qualified")) m.ns = (struct str){"", 0};
    }
    if (m.name.n) out[(*n)++] = m;
}

/* Elements of a type in document order, those of its bases first. */
static void members_of(const struct wsdl *w, const struct xml_node *type, const struct xml_node *schema, unsigned depth, struct member *out, size_t max, size_t *n)
{
    if (!type || depth > 8) return;
    const struct xml_node *content = sage100__xml_child(type, "complexContent"), *extension = sage100__xml_child(content, "extension");
    if (extension) {
        struct str ns, local;
        const struct xml_node *base_schema = schema;
        sage100__xml_qname(extension, sage100__xml_attr(extension, "base"), &ns, &local);
        const struct xml_node *base = component(w, "complexType", ns, local, &base_schema);
        members_of(w, base, base_schema, depth + 1, out, max, n);
        type = extension;
    }
    static const char *const groups[] = {"sequence", "all", "choice"};
    for (size_t g = 0; g < 3; g++)
        for (const struct xml_node *group = sage100__xml_child(type, groups[g]); group; group = sage100__xml_next(group, groups[g]))
            for (const struct xml_node *e = sage100__xml_child(group, "element"); e; e = sage100__xml_next(e, "element"))
                add_member(w, e, schema, out, max, n);
}

/* ---- one operation ---- */

static struct str soap_action(const struct wsdl *w, const char *operation)
{
    struct str other = {"", 0};
    for (size_t i = 0; i < w->n; i++)
        for (const struct xml_node *n = w->root[i]; n; n = sage100__xml_walk(w->root[i], n)) {
            if (!str_is(n->name, "operation") || !str_is(sage100__xml_attr(n, "name"), operation)) continue;
            for (const struct xml_node *c = sage100__xml_child(n, "operation"); c; c = sage100__xml_next(c, "operation")) {
                struct str action = sage100__xml_attr(c, "soapAction");
                if (action.n && str_is(c->ns, "http://schemas.xmlsoap.org/wsdl/soap/")) return action;
                if (action.n) other = action;
            }
        }
    return other;
}

static void read_logon(struct wsdl *w, struct sage_soap_contract *c, const struct member *logon)
{
    struct member m[16];
    size_t n = 0, found = 0;
    bool password[2] = {false, false};
    const struct xml_node *schema = logon->schema, *type = type_of(w, logon->element, &schema);
    members_of(w, type, schema, 0, m, 16, &n);
    struct member *kept[2] = {NULL, NULL};
    for (size_t i = 0; i < n && found < 2; i++) {
        bool is_password = m[i].name.n >= 4 && strncasecmp(m[i].name.p, "pass", 4) == 0;
        bool is_user = m[i].name.n >= 4 && (strncasecmp(m[i].name.p, "user", 4) == 0 || str_ieq(m[i].name, STR("logon")));
        if (!is_password && !is_user) continue;
        password[found] = is_password;
        kept[found++] = &m[i];
    }
    if (found != 2 || password[0] == password[1]) return;
    for (int i = 0; i < 2; i++) {
        c->logon_name[i] = keep(w->s, kept[i]->name);
        c->logon_ns[i] = keep(w->s, kept[i]->ns);
        c->logon_password[i] = password[i];
    }
}

static void read_reply_type(struct wsdl *w, struct soap_operation *op)
{
    struct member m[MEMBERS_MAX];
    size_t n = 0;
    const struct xml_node *schema = NULL;
    const struct xml_node *response = component(w, "element", (struct str){"", 0}, str_of(arena_printf(w->a, "%sResponse", op->name)), &schema);
    if (!response) return;
    members_of(w, type_of(w, response, &schema), schema, 0, m, 1, &n);
    if (n == 0) return;
    schema = m[0].schema;
    const struct xml_node *type = type_of(w, m[0].element, &schema);
    n = 0;
    members_of(w, type, schema, 0, m, MEMBERS_MAX, &n);
    if (n == 0) return;
    struct str *names = ARENA_ARRAY(&w->s->contract_arena, struct str, n);
    for (size_t i = 0; i < n; i++) names[i] = keep(w->s, m[i].name);
    op->members = names;
    op->nmembers = n;
}

static bool read_operation(struct wsdl *w, struct sage_soap_contract *c, enum soap_id id)
{
    struct soap_operation *op = &c->op[id];
    struct member m[32];
    size_t n = 0;
    const struct xml_node *schema = NULL;
    const struct xml_node *element = component(w, "element", (struct str){"", 0}, str_of(op->name), &schema);
    op->offered = element != NULL;
    if (!element) return true;
    op->ns = keep(w->s, sage100__xml_attr(schema, "targetNamespace"));
    struct str action = soap_action(w, op->name);
    if (action.n) op->action = keep(w->s, action);
    members_of(w, type_of(w, element, &schema), schema, 0, m, 32, &n);
    size_t expected = op->nparams;
    op->nparams = 0;
    for (size_t i = 0; i < n; i++) {
        struct soap_param p = {.name = m[i].name, .ns = m[i].ns};
        if (!role_of(id, p.name, &p) || op->nparams == LIMIT_KEY_PARTS) continue;      /* what we do not know stays out: "not set" */
        p.name = keep(w->s, p.name);
        p.ns = keep(w->s, p.ns);
        op->params[op->nparams++] = p;
        if (p.role == SOAP_LOGON) read_logon(w, c, &m[i]);
    }
    if (id < SOAP_OPERATIONS) read_reply_type(w, op);
    if (op->nparams == expected) return true;
    fault_set(w->f, ERR_PROTOCOL, "the WSDL describes %s with other parameters than we know: set soap_wsdl = \"none\" to do without it", op->name);
    return false;
}

/* ---- all of it ---- */

static enum err read_wsdl(struct source *s, struct sage_soap_contract *c, struct fault *f)
{
    struct arena a;
    arena_init(&a, 0);
    struct wsdl w = {.s = s, .a = &a, .f = f};
    bool published = false, any = false, ok = true;
    enum err e = read_documents(&w, &published);
    if (e == ERR_OK && published) {
        for (int i = 0; ok && i < SOAP_SLOTS; i++) {
            if (!c->op[i].name) continue;
            ok = read_operation(&w, c, (enum soap_id)i);
            any = any || (i != SOAP_CONTRACT && c->op[i].offered);
        }
        if (!ok) e = ERR_PROTOCOL;
        else if (!any) e = fault_set(f, ERR_PROTOCOL, "the WSDL describes none of our operations: does `soap` lead to eBusiness Web Services?");
        else c->origin = "names from the WSDL";
        c->from_wsdl = e == ERR_OK;
    }
    arena_free(&a);
    return e;
}

void sage100__soap_contract_drop(struct source *s)
{
    s->contract = NULL;
    arena_reset(&s->contract_arena);
}

enum err sage100__soap_contract(struct source *s, const struct sage_soap_contract **out, struct fault *f)
{
    if (!s->contract) {
        arena_reset(&s->contract_arena);
        struct sage_soap_contract *c = ARENA_NEW(&s->contract_arena, struct sage_soap_contract);
        c->origin = "default names, as the service publishes no WSDL";
        defaults(s, c);
        if (s->set.no_wsdl) c->origin = "default names, as soap_wsdl = \"none\" says";
        enum err e = s->set.no_wsdl ? ERR_OK : read_wsdl(s, c, f);
        if (e != ERR_OK) return fault_prefix(f, "source %s: soap", s->env.state_name);
        overrides(s, c);
        s->contract = c;
    }
    *out = s->contract;
    return ERR_OK;
}

bool sage100__soap_has_member(const struct soap_operation *op, struct str name)
{
    for (size_t i = 0; i < op->nmembers; i++) {
        struct str m = op->members[i];
        if (m.n && m.p[m.n - 1] == '*' ? name.n >= m.n - 1 && strncasecmp(name.p, m.p, m.n - 1) == 0 : str_ieq(m, name)) return true;
    }
    return false;
}
