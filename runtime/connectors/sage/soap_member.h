/* soap_member.h - the members of a reply, found by the numbers of their names and in the order of their names, without searching and sorting each reply.
 *
 *   Customer -> CustomerNo City Fax .. -> rank of each name among those met so far: City 0, CustomerNo 1, Fax 2 -> slot[rank] = the element
 *
 * A name that is met for the first time ranks all of them anew; replies of one operation bring none after the first. What a slot cannot hold - two elements of one
 * name, a name without a number - makes the reply one that is searched and sorted, whatever it costs. */
#ifndef SAGE_SOAP_MEMBER_H
#define SAGE_SOAP_MEMBER_H
#include "connectors/sage/soap.h"
#include "base/buf.h"

#define SOAP_MEMBERS_MAX 512
struct soap_member { struct str name, head; uint16_t id; bool silent; };     /* head: the name as it goes into the content hash; silent: it does not */
struct soap_members {
    struct arena *a;                             /* of the names */
    struct soap_member known[SOAP_MEMBERS_MAX]; size_t n;      /* by name; equal names have the rank of the first */
    uint16_t rank[XML_NAMES_MAX + 1];            /* of a number: place in known + 1; 0: not met */
    unsigned changes;                            /* how often the ranks became others */
    const struct xml_node *slot[SOAP_MEMBERS_MAX];
    uint64_t set[SOAP_MEMBERS_MAX / 64];         /* slots of the reply under way */
    bool whole;                                  /* they hold every child of the result, each by itself */
};
/* Takes up the children of a result. */
void sage100__soap_members_take(struct soap_members *m, const struct xml_node *result);
static inline bool soap_member_set(const struct soap_members *m, size_t rank) { return m->set[rank / 64] >> rank % 64 & 1; }

/* A column or a key that is looked for in every reply, case ignored; of several the first. */
struct soap_wanted { struct str name; uint16_t rank; bool search; };         /* rank + 1, 0: no such name was met */
void sage100__soap_wanted_find(const struct soap_members *m, struct soap_wanted *w);     /* after each change */
const struct xml_node *sage100__soap_child(const struct xml_node *n, struct str name);
static inline const struct xml_node *soap_wanted(const struct soap_members *m, const struct xml_node *result, const struct soap_wanted *w)
{
    if (!m->whole || w->search) return sage100__soap_child(result, w->name);
    return w->rank && soap_member_set(m, w->rank - 1u) ? m->slot[w->rank - 1] : NULL;
}

/* ---- what the text of an element is ---- */
/* Without blanks behind it; empty for NULL, nil, and what has elements. */
static inline struct str soap_text(const struct xml_node *n)
{
    if (!n || n->nil || n->first) return (struct str){"", 0};
    struct str s = n->text;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}
bool sage100__soap_is_stamp(struct str s);                                   /* YYYY-MM-DDThh:mm:ss.. */
bool sage100__soap_is_null_date(struct str null_date, struct str s);
bool sage100__soap_is_silent(struct str name);                               /* an audit member, or what only names another one: no content */
struct str sage100__soap_udf_name(const struct xml_node *field);

/* soap_hash.c: over the leaves of the reply that m has taken up, into hex (2 * HASH_BYTES + 1); b is room that is used again. */
void sage100__soap_hash(const struct soap_members *m, const struct xml_node *result, struct str null_date, struct buf *b, struct arena *scratch, char *hex);
#endif
