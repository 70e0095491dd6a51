/* ref_libxml2.c - the hand-written reference for XML, in C on libxml2's SAX2 interface: a SOAP envelope a line, one parser context for all of them. A member is
 * looked for from where the last one stood, texts are gathered in one buffer. libxml2 checks that the bytes are UTF-8 and the document well formed. */
#include "reference.h"
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

struct reading {
    struct row row;
    const xmlChar *names[COLUMNS];   /* as the parser's dictionary has them */
    char text[1 << 16];
    size_t n, from;
    int depth, column, next;
};

enum { MEMBERS = 4 /* the depth of the result, below which members stand */ };

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int ndecls, const xmlChar **decls, int nattrs, int ndefaulted, const xmlChar **attrs)
{
    struct reading *g = ctx;
    (void)prefix, (void)uri, (void)ndecls, (void)decls, (void)nattrs, (void)ndefaulted, (void)attrs;
    if (++g->depth != MEMBERS + 1) return;
    for (int i = 0; i < COLUMNS; i++) {
        int c = g->next + i < COLUMNS ? g->next + i : g->next + i - COLUMNS;
        if (g->names[c] != name) continue;
        g->column = c;
        g->next = c + 1 < COLUMNS ? c + 1 : 0;
        g->from = g->n;
        return;
    }
}

static void on_text(void *ctx, const xmlChar *s, int n)
{
    struct reading *g = ctx;
    if (g->column < 0 || g->n + (size_t)n > sizeof g->text) return;
    memcpy(g->text + g->n, s, (size_t)n);
    g->n += (size_t)n;
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reading *g = ctx;
    (void)name, (void)prefix, (void)uri;
    if (g->depth-- != MEMBERS + 1 || g->column < 0) return;
    struct slice s = {g->text + g->from, g->n - g->from};
    if (columns[g->column].kind == 'd' && s.n >= 19 && s.p[10] == 'T') s.n = 10;      /* a date has a time */
    g->row.c[g->column] = s;
    g->column = -1;
}

/* The names of the columns in the dictionary of the parser, where equal names are one. */
static void find_names(struct reading *g, xmlDictPtr dict)
{
    for (int i = 0; i < COLUMNS; i++) g->names[i] = i == C_CREATED ? xmlDictLookup(dict, BAD_CAST "DateTimeCreated", -1) : xmlDictLookup(dict, BAD_CAST columns[i].name, -1);
}

int main(void)
{
    static struct reading g;
    xmlSAXHandler sax;
    memset(&sax, 0, sizeof sax);
    sax.initialized = XML_SAX2_MAGIC;
    sax.startElementNs = on_start;
    sax.endElementNs = on_end;
    sax.characters = on_text;
    sax.ignorableWhitespace = on_text;
    sax.cdataBlock = on_text;
    xmlParserCtxtPtr ctxt = xmlCreatePushParserCtxt(&sax, &g, NULL, 0, NULL);
    if (!ctxt) return 1;
    find_names(&g, ctxt->dict);
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        memset(&g.row, 0, sizeof g.row);
        g.n = 0;
        g.depth = g.next = 0;
        g.column = -1;
        if (xmlCtxtResetPush(ctxt, NULL, 0, NULL, NULL) == 0 && xmlParseChunk(ctxt, line, (int)n, 1) == 0 && ctxt->wellFormed) map_row(&g.row);
        else PUT("{\"error\":\"no XML\"}\n");
    }
    flush_out();
    free(line);
    xmlFreeParserCtxt(ctxt);
    return 0;
}
