/* xml_trees.h - the two readers of XML beside each other: what the one of ordinary answers accepts, guard and libxml2 accept, and make the same tree of it. */
#ifndef TEST_XML_TREES_H
#define TEST_XML_TREES_H
#include "connectors/sage/xml.h"
#include <stdio.h>

static bool xml_same_node(const struct xml_node *a, const struct xml_node *b)
{
    bool same = str_eq(a->name, b->name) && str_eq(a->ns, b->ns) && str_eq(a->text, b->text) && a->rank == b->rank && a->nil == b->nil && a->nattrs == b->nattrs && a->ndecls == b->ndecls
                && !a->first == !b->first && !a->next == !b->next && !a->parent == !b->parent && !a->last == !b->last;
    for (size_t i = 0; same && i < a->nattrs; i++) same = str_eq(a->attrs[i].name, b->attrs[i].name) && str_eq(a->attrs[i].value, b->attrs[i].value);
    for (size_t i = 0; same && i < a->ndecls; i++) same = str_eq(a->decls[i].prefix, b->decls[i].prefix) && str_eq(a->decls[i].uri, b->decls[i].uri);
    for (size_t i = 0; same && a->plain && i < a->text.n; i++) same = a->text.p[i] >= 0x20;
    return same;
}

static bool xml_same_tree(const struct xml_node *a, const struct xml_node *b)
{
    const struct xml_node *x = a, *y = b;
    while (x && y && xml_same_node(x, y)) {
        x = sage100__xml_walk(a, x);
        y = sage100__xml_walk(b, y);
    }
    return !x && !y;
}

/* False: the readers differ, and how stands in said. *plain: it was an ordinary answer. */
static bool xml_readers_agree(struct xml_parser *x, struct str doc, bool *plain, char *said, size_t cap)
{
    struct arena a;
    struct xml_node *ours, *theirs;
    char why[200] = "";
    arena_init(&a, 0);
    *plain = sage100__xml_plain(x, doc, &a, &ours);
    bool good = true;
    if (*plain) {
        good = sage100__xml_full(x, doc, &a, &theirs, why, sizeof why) == ERR_OK && xml_same_tree(ours, theirs);
        if (!good) (void)snprintf(said, cap, "%s: %.*s", why[0] ? why : "another tree", (int)(doc.n < 600 ? doc.n : 600), doc.p);
    }
    arena_free(&a);
    return good;
}
#endif
