/* xml_plain.h - what the two readers of XML share: the parser, and the names that it has met.
 *
 * A name is checked once, when it is met for the first time; from then on it is known by its bytes, mostly at first sight, since the names of an answer
 * follow each other as they did in the last one. */
#ifndef SAGE_XML_PLAIN_H
#define SAGE_XML_PLAIN_H
#include "connectors/sage/xml.h"
#include <libxml/parser.h>

enum { XML__NAME_BYTES = 128, XML__NAME_SLOTS = 4 * XML_NAMES_MAX, XML__URIS = 32, XML__URI_BYTES = 256 };
struct xml__name {
    struct str qname, local, prefix;             /* "a:City", "City", "a" */
    uint16_t follows;                            /* the name that came behind it the last time */
};
struct xml_parser {
    xmlParserCtxtPtr ctxt;                       /* NULL until something is not plain */
    struct arena names_arena;                    /* texts of names and namespaces: until the parser goes */
    struct xml__name name[XML_NAMES_MAX + 1];    /* from 1 on; 0 is the place before the first */
    uint16_t nnames, slot[XML__NAME_SLOTS];
    struct str uri[XML__URIS]; size_t nuris;     /* namespaces that libxml2 takes for such */
};
/* The number of a qualified name, which it gets when it is new; 0: no name that we number (too long, not ASCII, a reserved prefix), or no room. */
unsigned xml__name_id(struct xml_parser *x, struct str qname);
/* The text of a namespace as the parser keeps it; p NULL: none that libxml2 takes without a word, or too many of them. */
struct str xml__uri(struct xml_parser *x, struct str uri);
/* What nil="true" of XML Schema says. */
static inline bool xml__says_nil(struct str name, struct str value) { return str_is(name, "nil") && (str_is(value, "true") || str_is(value, "1")); }
#endif
