/* xml.h - a small tree out of untrusted XML, for SOAP answers and service descriptions. Elements, attributes, namespaces, text of leaves;
 * no comments, no processing instructions, no mixed content. Names are local names: prefixes are the sender's own business.
 *
 * Two readers make the same tree. What ordinary answers are made of is read by one of our own (xml_plain.c) in one pass. It refuses nothing: what it does
 * not know - a comment, a CDATA section, a document type, a name in Greek, a tag that does not fit - it leaves to the other, guard and libxml2 (xml.c),
 * from the first byte on. So what is refused, and with which words, is decided there alone.
 *
 * Before libxml2 sees a byte, a scan of our own refuses what it should never have to survive: a document type declaration (and with it
 * every entity of the sender's own), another encoding than UTF-8, zero bytes, tags of 64 KiB, 64 attributes, depth 48, the node limit, and more than 256
 * namespace declarations in scope at once: each prefix is searched for among them. */
#ifndef SAGE_XML_H
#define SAGE_XML_H
#include "base/arena.h"
#include "base/err.h"

#define XML_DEPTH_MAX      48
#define XML_ATTRIBUTES_MAX 64
#define XML_NAMESPACES_MAX 256           /* declared by an element and those around it */
#define XML_TAG_BYTES      65536
#define XML_NODES_MAX      200000
#define XML_BYTES_MAX      (16u << 20)
#define XML_NAMES_MAX      1024          /* names that a parser numbers; others have no number */

struct xml_attr { struct str name, value; };
struct xml_ns { struct str prefix, uri; };                  /* prefix empty: the default namespace */
struct xml_node {
    struct str name, ns;
    struct str text;                                        /* of an element without elements; trimmed only by who needs it */
    const struct xml_attr *attrs; size_t nattrs;
    const struct xml_ns *decls; size_t ndecls;              /* xmlns of this element */
    struct xml_node *parent, *first, *last, *next;
    unsigned rank;                                          /* how many namesakes stand directly before it */
    uint16_t id;                                            /* of its name, 1 .. XML_NAMES_MAX, the same in all trees of one parser; 0: none */
    bool nil;                                               /* it has an attribute nil="true" */
    bool plain;                                             /* text is known to be printable ASCII */
};

/* ERR_PROTOCOL with a clause in why: "a document type declaration (byte 21)", or libxml2's own sentence. Everything lives in the arena. By guard and libxml2. */
enum err sage100__xml_parse(struct str bytes, struct arena *a, struct xml_node **root, char *why, size_t why_len);
/* The same for many documents, one after the other, of which most are ordinary answers: a parser knows the names of the last one again. What the tree holds
 * lives in the arena, in bytes, and (names) in the parser. */
struct xml_parser;
struct xml_parser *sage100__xml_open(void);
void sage100__xml_close(struct xml_parser *x);
enum err sage100__xml_read(struct xml_parser *x, struct str bytes, struct arena *a, struct xml_node **root, char *why, size_t why_len);
/* The two ways, each by itself: true and the tree, or false with nothing taken from the arena; and guard and libxml2. For what is accepted by the first, the
 * second gives the same tree. */
bool sage100__xml_plain(struct xml_parser *x, struct str bytes, struct arena *a, struct xml_node **root);
enum err sage100__xml_full(struct xml_parser *x, struct str bytes, struct arena *a, struct xml_node **root, char *why, size_t why_len);
/* First child of that local name (NULL name: any), or NULL; next sibling likewise. */
const struct xml_node *sage100__xml_child(const struct xml_node *n, const char *name);
const struct xml_node *sage100__xml_next(const struct xml_node *n, const char *name);
/* First of that local name in the subtree of n, n included, in document order. */
const struct xml_node *sage100__xml_find(const struct xml_node *n, const char *name);
/* The next node in document order that is still inside `top`, or NULL. */
const struct xml_node *sage100__xml_walk(const struct xml_node *top, const struct xml_node *n);
struct str sage100__xml_attr(const struct xml_node *n, const char *name);      /* empty when absent */
/* Splits a QName value such as "q1:Logon" by the declarations in scope at n. */
void sage100__xml_qname(const struct xml_node *n, struct str qname, struct str *ns, struct str *local);
struct buf;
/* Escapes text for content and attributes; false when s holds what XML 1.0 cannot carry (control characters) or is not UTF-8. */
bool sage100__xml_escape(struct buf *out, struct str s);
#endif
