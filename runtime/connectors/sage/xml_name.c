/* xml_name.c - the names and namespaces of one parser, see xml_plain.h. A table that never grows and never forgets: what does not fit is read by libxml2.
 * Texts that are made to land in one place find eight places full, and no more is looked at. */
#include "connectors/sage/xml_plain.h"
#include <libxml/uri.h>

enum { PLACES = 8 };

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool name_char(char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

static bool is_ncname(struct str s)
{
    if (s.n == 0 || !letter(s.p[0])) return false;
    for (size_t i = 1; i < s.n; i++)
        if (!name_char(s.p[i])) return false;
    return true;
}

/* "City", "a:City"; a prefix that XML keeps for itself is libxml2's affair. */
static bool split(struct str qname, struct str *prefix, struct str *local)
{
    const char *colon = memchr(qname.p, ':', qname.n);
    *prefix = (struct str){qname.p, colon ? (size_t)(colon - qname.p) : 0};
    *local = colon ? (struct str){colon + 1, qname.n - prefix->n - 1} : qname;
    return is_ncname(*local) && (!colon || (is_ncname(*prefix) && !str_is(*prefix, "xml") && !str_is(*prefix, "xmlns")));
}

static unsigned place_of(struct str s)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return (h ^ h >> 15) % XML__NAME_SLOTS;
}

static struct str kept(struct xml_parser *x, struct str s)
{
    return (struct str){arena_copy(&x->names_arena, s.p, s.n), s.n};
}

unsigned xml__name_id(struct xml_parser *x, struct str qname)
{
    struct str prefix, local;
    if (qname.n == 0 || qname.n > XML__NAME_BYTES) return 0;
    unsigned at = place_of(qname), tries = 0;
    for (; x->slot[at]; at = (at + 1) % XML__NAME_SLOTS) {
        if (str_eq(x->name[x->slot[at]].qname, qname)) return x->slot[at];
        if (++tries == PLACES) return 0;
    }
    if (x->nnames == XML_NAMES_MAX || !split(qname, &prefix, &local)) return 0;
    struct xml__name *n = &x->name[++x->nnames];
    n->qname = kept(x, qname);
    split(n->qname, &n->prefix, &n->local);
    return x->slot[at] = x->nnames;
}

struct str xml__uri(struct xml_parser *x, struct str uri)
{
    struct str none = {NULL, 0};
    for (size_t i = 0; i < x->nuris; i++)
        if (str_eq(x->uri[i], uri)) return x->uri[i];
    if (x->nuris == XML__URIS || uri.n == 0 || uri.n > XML__URI_BYTES) return none;
    if (str_is(uri, "http://www.w3.org/XML/1998/namespace") || str_is(uri, "http://www.w3.org/2000/xmlns/")) return none;
    char text[XML__URI_BYTES + 1];
    memcpy(text, uri.p, uri.n);
    text[uri.n] = '\0';
    xmlURIPtr known = xmlParseURI(text);
    if (!known) return none;
    xmlFreeURI(known);
    return x->uri[x->nuris++] = kept(x, uri);
}
