/* xml.c - XML of any kind: guard, then libxml2's SAX2 parser, then our tree. What is ordinary never comes here (xml_plain.c).
 *
 *   bytes -xml_plain: ordinary?----------------------------------> xml_node in the arena
 *     |no
 *     +-> guard (one pass, no memory) -> xmlCtxtReadMemory -SAX-> xml_node in the arena
 *
 * Not its push parser: that one looks for the end of a CDATA section again and again, so that its time grows with the square of the bytes.
 *
 * Invariants: no file and no network is ever opened by the parser; only the five predefined entities and character references exist; the
 * work is linear in the bytes. */
#include "connectors/sage/xml_plain.h"
#include "base/buf.h"
#include "base/check.h"
#include <libxml/parserInternals.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* ---- guard ---- */

struct guard { const char *p, *end, *start; const char *problem; size_t depth, nodes, namespaces; uint16_t declared[XML_DEPTH_MAX]; };

static bool refuse(struct guard *g, const char *problem)
{
    g->problem = problem;
    return false;
}

/* Moves behind the next `mark`. */
static bool pass(struct guard *g, const char *mark, const char *problem)
{
    const char *hit = memmem(g->p, (size_t)(g->end - g->p), mark, strlen(mark));
    if (!hit) return refuse(g, problem);
    g->p = hit + strlen(mark);
    return true;
}

/* <?xml version="1.0" encoding="utf-8"?>: libxml2 obeys the name that stands there, so it must be ours. */
static bool encoding_is_utf8(struct guard *g, const char *close)
{
    const char *at = memmem(g->p, (size_t)(close - g->p), "encoding", 8);
    if (!at) return true;
    at += 8;
    while (at < close && (*at == ' ' || *at == '=' || *at == '\t' || *at == '\r' || *at == '\n')) at++;
    if (at == close || (*at != '"' && *at != '\'')) return refuse(g, "an unreadable XML declaration");
    const char *name = at + 1;
    const char *quote = memchr(name, *at, (size_t)(close - name));
    size_t n = quote ? (size_t)(quote - name) : 0;
    if ((n == 5 && strncasecmp(name, "utf-8", 5) == 0) || (n == 8 && strncasecmp(name, "us-ascii", 8) == 0)) return true;
    return refuse(g, "another encoding than UTF-8");
}

static bool guard_instruction(struct guard *g)
{
    const char *close = memmem(g->p, (size_t)(g->end - g->p), "?>", 2);
    if (!close) return refuse(g, "a processing instruction without an end");
    bool declaration = close - g->p >= 6 && memcmp(g->p, "<?xml", 5) == 0 && strchr(" \t\r\n", g->p[5]);
    if (declaration && !encoding_is_utf8(g, close)) return false;
    g->p = close + 2;
    return true;
}

/* What in a tag needs a look. */
static const bool looked_at[256] = {['>'] = true, ['<'] = true, ['"'] = true, ['\''] = true, ['='] = true, ['x'] = true};

/* A start, end or empty tag; g->p at '<'. */
static bool guard_tag(struct guard *g)
{
    bool closing = g->end - g->p >= 2 && g->p[1] == '/';
    size_t attributes = 0, declared = 0;
    const char *q = g->p + 1, *limit = g->end - g->p > XML_TAG_BYTES ? g->p + XML_TAG_BYTES : g->end;
    char quote = 0;
    for (; q < limit; q++) {
        if (!looked_at[(unsigned char)*q]) continue;
        if (quote) { if (*q == quote) quote = 0; continue; }
        if (*q == '>') break;
        if (*q == '<') return refuse(g, "a '<' inside a tag");
        if (*q == '"' || *q == '\'') quote = *q;
        if (*q == '=' && ++attributes > XML_ATTRIBUTES_MAX) return refuse(g, "a tag with too many attributes");
        if (*q == 'x' && limit - q > 5 && memcmp(q, "xmlns", 5) == 0) declared++;      /* no name of ours has it within */
    }
    if (q == limit) return refuse(g, limit == g->end ? "a tag without an end" : "a tag of more than 64 KiB");
    bool empty = q[-1] == '/';
    g->p = q + 1;
    if (closing) {
        if (g->depth == 0) return refuse(g, "an end tag too many");
        g->namespaces -= g->declared[--g->depth];
        return true;
    }
    if (++g->nodes > XML_NODES_MAX) return refuse(g, "too many elements");
    if (g->depth + 1 > XML_DEPTH_MAX) return refuse(g, "elements nested too deep");
    if (g->namespaces + declared > XML_NAMESPACES_MAX) return refuse(g, "too many namespaces");
    if (empty) return true;
    g->namespaces += g->declared[g->depth++] = (uint16_t)declared;
    return true;
}

static bool guard(struct guard *g)
{
    if (g->end - g->start > (ptrdiff_t)XML_BYTES_MAX) return refuse(g, "more than 16 MiB");
    if (g->end == g->start) return refuse(g, "nothing at all");
    if (memchr(g->start, 0, (size_t)(g->end - g->start))) return refuse(g, "a zero byte");
    if (!str_utf8_valid((struct str){g->start, (size_t)(g->end - g->start)})) return refuse(g, "bytes that are not UTF-8");
    while ((g->p = memchr(g->p, '<', (size_t)(g->end - g->p)))) {
        size_t left = (size_t)(g->end - g->p);
        if (left >= 4 && memcmp(g->p, "<!--", 4) == 0) {
            g->p += 4;
            if (!pass(g, "-->", "a comment without an end")) return false;
        } else if (left >= 9 && memcmp(g->p, "<![CDATA[", 9) == 0) {
            if (!pass(g, "]]>", "a CDATA section without an end")) return false;
        } else if (left >= 2 && g->p[1] == '!') {
            return refuse(g, "a document type declaration");
        } else if (left >= 2 && g->p[1] == '?') {
            if (!guard_instruction(g)) return false;
        } else if (!guard_tag(g)) {
            return false;
        }
    }
    return true;
}

/* ---- tree ---- */

enum { NODES = 32 /* made in one go */, DICTIONARY_MAX = 4096 /* names that a parser is kept with */ };
struct builder {
    struct arena *a;
    struct xml_parser *x;
    struct xml_node *root, *at;
    struct xml_node *nodes; size_t nnodes;       /* not yet used */
    char *room; size_t left, block;              /* for texts: as many bytes as the document has, more only for what is told again and again */
    const xmlChar *uri; struct str ns;           /* of the last element: libxml2 has each text once */
    char why[160];
};

/* n bytes for texts. Blocks double, so that a text that moves on does not cost more than its length. */
static char *take(struct builder *b, size_t n)
{
    if (n > b->left) {
        b->block = 2 * b->block > n ? 2 * b->block : n;
        b->room = arena_alloc(b->a, b->block);
        b->left = b->block;
    }
    char *p = b->room;
    b->room += n;
    b->left -= n;
    return p;
}

static struct str keep_bytes(struct builder *b, const xmlChar *p, size_t n)
{
    return n ? (struct str){memcpy(take(b, n), p, n), n} : (struct str){"", 0};
}

static struct str keep(struct builder *b, const xmlChar *s)
{
    return keep_bytes(b, s, s ? strlen((const char *)s) : 0);
}

static void stop(struct builder *b, const char *why)
{
    if (b->why[0] == '\0') snprintf(b->why, sizeof b->why, "%s", why);
    xmlStopParser(b->x->ctxt);
}

static struct xml_node *new_node(struct builder *b)
{
    if (b->nnodes == 0) {
        b->nodes = ARENA_ARRAY(b->a, struct xml_node, NODES);
        b->nnodes = NODES;
    }
    b->nnodes--;
    return b->nodes++;
}

/* libxml2 hands over attributes in fives: local name, prefix, URI, value begin, value end; namespaces in twos: prefix, URI. */
static void keep_attributes(struct builder *b, struct xml_node *n, int ndecls, const xmlChar **decls, int nattrs, const xmlChar **attrs)
{
    struct xml_ns *ns = ndecls ? ARENA_ARRAY(b->a, struct xml_ns, ndecls) : NULL;
    struct xml_attr *at = nattrs ? ARENA_ARRAY(b->a, struct xml_attr, nattrs) : NULL;
    for (int i = 0; i < ndecls; i++) ns[i] = (struct xml_ns){keep(b, decls[2 * i]), keep(b, decls[2 * i + 1])};
    for (int i = 0; i < nattrs; i++) {
        at[i] = (struct xml_attr){keep(b, attrs[5 * i]), keep_bytes(b, attrs[5 * i + 3], (size_t)(attrs[5 * i + 4] - attrs[5 * i + 3]))};
        n->nil = n->nil || xml__says_nil(at[i].name, at[i].value);
    }
    n->attrs = at;
    n->nattrs = (size_t)nattrs;
    n->decls = ns;
    n->ndecls = (size_t)ndecls;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int ndecls, const xmlChar **decls, int nattrs,
                     int ndefaulted, const xmlChar **attrs)
{
    struct builder *b = ctx;
    (void)prefix;
    (void)ndefaulted;
    struct xml_node *n = new_node(b), *parent = b->at;
    if (uri != b->uri) b->ns = keep(b, uri);
    b->uri = uri;
    n->name = keep(b, name);
    n->id = (uint16_t)xml__name_id(b->x, n->name);
    n->ns = b->ns;
    n->parent = parent;
    keep_attributes(b, n, ndecls, decls, nattrs, attrs);
    if (parent) {
        if (parent->last && str_eq(parent->last->name, n->name)) n->rank = parent->last->rank + 1;
        if (parent->last) parent->last->next = n;
        else parent->first = n;
        parent->last = n;
        parent->text = (struct str){NULL, 0};                  /* mixed content is none */
    } else {
        b->root = n;
    }
    b->at = n;
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct builder *b = ctx;
    (void)name;
    (void)prefix;
    (void)uri;
    if (!b->at->first && b->at->text.n == 0) b->at->text = (struct str){"", 0};
    b->at = b->at->parent;
}

static void on_text(void *ctx, const xmlChar *s, int n)
{
    struct builder *b = ctx;
    if (!b->at || b->at->first || n <= 0) return;
    struct str *t = &b->at->text;
    bool follows = t->n && t->p + t->n == b->room && (size_t)n <= b->left;
    char *to = take(b, follows ? (size_t)n : t->n + (size_t)n);
    if (!follows) {
        if (t->n) memcpy(to, t->p, t->n);
        t->p = to;
    }
    memcpy(to + (follows ? 0 : t->n), s, (size_t)n);
    t->n += (size_t)n;
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    (void)name;
    (void)external;
    (void)system;
    stop(ctx, "a document type declaration");
}

static xmlEntityPtr on_entity(void *ctx, const xmlChar *name)
{
    xmlEntityPtr e = xmlGetPredefinedEntity(name);
    if (!e) stop(ctx, "an entity that XML does not define");
    return e;
}

static void on_error(void *ctx, xmlErrorPtr e)
{
    struct builder *b = ctx;
    if (e->level < XML_ERR_ERROR || b->why[0]) return;
    snprintf(b->why, sizeof b->why, "%s", e->message ? e->message : "not well formed");
    size_t n = strcspn(b->why, "\r\n");
    snprintf(b->why + n, sizeof b->why - n, " (line %d)", e->line);
    xmlStopParser(b->x->ctxt);                    /* or each of a million '&' is told as an error of its own */
}

static const xmlSAXHandler handlers = {
    .initialized = XML_SAX2_MAGIC, .startElementNs = on_start, .endElementNs = on_end, .characters = on_text, .ignorableWhitespace = on_text, .cdataBlock = on_text,
    .internalSubset = on_doctype, .externalSubset = on_doctype, .getEntity = on_entity, .serror = on_error};

struct xml_parser *sage100__xml_open(void)
{
    struct xml_parser *x = calloc(1, sizeof *x);
    if (!x) check_no_memory();
    arena_init(&x->names_arena, 4096);
    return x;
}

void sage100__xml_close(struct xml_parser *x)
{
    if (!x) return;
    xmlFreeParserCtxt(x->ctxt);
    arena_free(&x->names_arena);
    free(x);
}

/* A parser keeps the names that it has met, which saves most of what an answer costs; one that was fed thousands is made anew. */
static bool ready(struct xml_parser *x)
{
    if (x->ctxt && xmlDictSize(x->ctxt->dict) > DICTIONARY_MAX) {
        xmlFreeParserCtxt(x->ctxt);
        x->ctxt = NULL;
    }
    if (x->ctxt) return true;
    x->ctxt = xmlNewParserCtxt();
    if (x->ctxt) *x->ctxt->sax = handlers;
    return x->ctxt != NULL;
}

static void run(struct builder *b, struct xml_parser *x, struct str bytes)
{
    if (!ready(x)) {
        snprintf(b->why, sizeof b->why, "no memory for the parser");
        return;
    }
    x->ctxt->userData = b;
    xmlDocPtr none = xmlCtxtReadMemory(x->ctxt, bytes.p, (int)bytes.n, NULL, NULL, XML_PARSE_NONET);
    if (none) xmlFreeDoc(none);
    if (!x->ctxt->wellFormed && b->why[0] == '\0') snprintf(b->why, sizeof b->why, "not well formed");
    x->ctxt->userData = NULL;
    xmlCtxtReset(x->ctxt);                                     /* gives the input back */
}

enum err sage100__xml_full(struct xml_parser *x, struct str bytes, struct arena *a, struct xml_node **root, char *why, size_t why_len)
{
    struct guard g = {.p = bytes.p, .end = bytes.p + bytes.n, .start = bytes.p};
    *root = NULL;
    if (bytes.n == 0 || !guard(&g)) {
        snprintf(why, why_len, "%s (byte %zu)", bytes.n ? g.problem : "nothing at all", bytes.n && g.p ? (size_t)(g.p - g.start) : 0);
        return ERR_PROTOCOL;
    }
    struct builder b = {.a = a, .x = x, .room = arena_alloc(a, bytes.n), .left = bytes.n, .block = bytes.n, .ns = {"", 0}};
    run(&b, x, bytes);
    if (b.why[0] == '\0' && !b.root) snprintf(b.why, sizeof b.why, "no element");
    if (b.why[0]) {
        snprintf(why, why_len, "%s", b.why);
        return ERR_PROTOCOL;
    }
    *root = b.root;
    return ERR_OK;
}

enum err sage100__xml_read(struct xml_parser *x, struct str bytes, struct arena *a, struct xml_node **root, char *why, size_t why_len)
{
    return sage100__xml_plain(x, bytes, a, root) ? ERR_OK : sage100__xml_full(x, bytes, a, root, why, why_len);
}

enum err sage100__xml_parse(struct str bytes, struct arena *a, struct xml_node **root, char *why, size_t why_len)
{
    struct xml_parser *x = sage100__xml_open();
    enum err e = sage100__xml_full(x, bytes, a, root, why, why_len);
    sage100__xml_close(x);
    return e;
}

/* ---- looking around ---- */

static const struct xml_node *named(const struct xml_node *n, const char *name)
{
    while (n && name && !str_is(n->name, name)) n = n->next;
    return n;
}

const struct xml_node *sage100__xml_child(const struct xml_node *n, const char *name)
{
    return n ? named(n->first, name) : NULL;
}

const struct xml_node *sage100__xml_next(const struct xml_node *n, const char *name)
{
    return n ? named(n->next, name) : NULL;
}

const struct xml_node *sage100__xml_walk(const struct xml_node *top, const struct xml_node *n)
{
    if (n->first) return n->first;
    while (n != top && !n->next) n = n->parent;
    return n == top ? NULL : n->next;
}

const struct xml_node *sage100__xml_find(const struct xml_node *n, const char *name)
{
    for (const struct xml_node *at = n; at; at = sage100__xml_walk(n, at))
        if (str_is(at->name, name)) return at;
    return NULL;
}

struct str sage100__xml_attr(const struct xml_node *n, const char *name)
{
    for (size_t i = 0; n && i < n->nattrs; i++)
        if (str_is(n->attrs[i].name, name)) return n->attrs[i].value;
    return (struct str){"", 0};
}

void sage100__xml_qname(const struct xml_node *n, struct str qname, struct str *ns, struct str *local)
{
    const char *colon = memchr(qname.p, ':', qname.n);
    struct str prefix = {qname.p, colon ? (size_t)(colon - qname.p) : 0};
    *local = colon ? (struct str){colon + 1, qname.n - prefix.n - 1} : qname;
    *ns = (struct str){"", 0};
    for (; n; n = n->parent)
        for (size_t i = 0; i < n->ndecls; i++)
            if (str_eq(n->decls[i].prefix, prefix)) {
                *ns = n->decls[i].uri;
                return;
            }
}

bool sage100__xml_escape(struct buf *out, struct str s)
{
    if (!str_utf8_valid(s)) return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') return false;
        if (c == 0xEF && i + 2 < s.n && (unsigned char)s.p[i + 1] == 0xBF && (unsigned char)s.p[i + 2] >= 0xBE) return false;   /* U+FFFE, U+FFFF */
        switch (c) {
        case '&': buf_puts(out, "&amp;"); break;
        case '<': buf_puts(out, "&lt;"); break;
        case '>': buf_puts(out, "&gt;"); break;
        case '"': buf_puts(out, "&quot;"); break;
        case '\'': buf_puts(out, "&#39;"); break;
        case '\t': case '\n': case '\r': buf_printf(out, "&#%d;", c); break;
        default: buf_byte(out, c);
        }
    }
    return true;
}
