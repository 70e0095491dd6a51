/* key_call.c - keys that an operation of the service announces. The stock service has none (facts/sage-100.md 3.2); some sites have one of an add-on,
 * which the spec names: keys AR_Customer { operation = "ListCustomers" }. Its shape is the site's: it is called with logon and company, other parameters
 * stay "not set", and its reply is read by local names:
 *
 *     <..Result> <X> <ARDivisionNo>01</ARDivisionNo> <CustomerNo>ABF</CustomerNo> .. </X> <X> ..     an element that holds all key columns, at any depth
 *     <..Result> <string>0000103</string> ..                                                        a key of one part: also plain strings
 *
 * A reply without any of these is believed only when it is empty. Nothing else of it is used: each record is read by its key. */
#include "connectors/sage/key_file.h"
#include "connectors/sage/soap.h"
#include <strings.h>

static struct str copy(struct source *s, struct str t)
{
    t = str_trim(t);
    return (struct str){arena_copy(&s->keys_arena, t.n ? t.p : "", t.n), t.n};
}

static const struct xml_node *child_named(const struct xml_node *n, const char *name)
{
    for (const struct xml_node *c = n->first; c; c = c->next)
        if (!c->first && str_ieq(c->name, str_of(name))) return c;
    return NULL;
}

/* An element that holds a leaf for every key column. */
static bool is_record(struct source *s, const struct sage_entity *e, const struct xml_node *n, struct source_key *k)
{
    const struct xml_node *part[LIMIT_KEY_PARTS];
    for (size_t i = 0; i < e->nkeys; i++)
        if (!(part[i] = child_named(n, e->key[i]))) return false;
    k->n = e->nkeys;
    for (size_t i = 0; i < e->nkeys; i++) k->part[i] = copy(s, part[i]->text);
    return true;
}

static bool is_plain(struct source *s, const struct sage_entity *e, const struct xml_node *n, struct source_key *k)
{
    if (e->nkeys != 1 || n->first || !str_is(n->name, "string")) return false;
    *k = (struct source_key){.part = {copy(s, n->text)}, .n = 1};
    return true;
}

static size_t nodes(const struct xml_node *top)
{
    size_t n = 0;
    for (const struct xml_node *x = top; x; x = sage100__xml_walk(top, x)) n++;
    return n;
}

static enum err read_keys(struct source *s, const struct sage_entity *e, const char *operation, const struct xml_node *result, struct source_key **out,
                          size_t *n, struct fault *f)
{
    struct source_key *keys = ARENA_ARRAY(&s->keys_arena, struct source_key, nodes(result) + 1);
    *n = 0;
    for (const struct xml_node *x = result; x; x = sage100__xml_walk(result, x)) {
        struct source_key *k = &keys[*n];
        if (!is_record(s, e, x, k) && !is_plain(s, e, x, k)) continue;
        const char *problem = sage100__key_problem(k, e);
        if (problem) return fault_set(f, ERR_PROTOCOL, "source %s, %s: key number %zu of %s %s", s->env.state_name, e->table, *n + 1, operation, problem);
        (*n)++;
    }
    *out = keys;
    if (*n || !result || !result->first) return ERR_OK;
    return fault_set(f, ERR_PROTOCOL, "source %s, %s: the reply of %s names no keys: an element with %s%s is wanted for each record", s->env.state_name, e->table,
                     operation, e->key[0], e->nkeys > 1 ? " and the other key columns" : "");
}

enum err sage100__key_call(struct source *s, const struct sage_entity *e, struct str company, struct fault *f)
{
    const char *operation = sage100__list_operation(s, e);
    struct soap_reply reply;
    struct source_key *keys = NULL;
    size_t n = 0;
    struct arena_mark m = arena_mark(&s->scratch);
    enum err err = sage100__soap_call(s, sage100__soap_list_operation(e), company, NULL, &reply, f);
    if (err == ERR_UNSUPPORTED)
        err = fault_set(f, ERR_CONFIG, "source %s, %s: this service has no operation %s: look at its WSDL, and at `keys %s { operation = ... }`", s->env.state_name,
                        e->table, operation, e->table);
    else if (err == ERR_OK && reply.verdict != SOAP_OK)
        err = fault_set(f, ERR_PROTOCOL, "source %s, %s: %s answers with a fault: %s: %s", s->env.state_name, e->table, operation, reply.code, reply.message);
    else if (err == ERR_OK) err = read_keys(s, e, operation, reply.result, &keys, &n, f);
    if (err == ERR_OK) sage100__key_list_keep(s, e, company, keys, n);
    arena_release(&s->scratch, m);
    return err;
}
