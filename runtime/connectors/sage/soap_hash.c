/* soap_hash.c - the content of a reply as one hash, by which the next poll sees that nothing changed:
 *
 *   every leaf but audit members, blank ones left out, in the order of their paths: length path length value .. -> BLAKE2b-256
 *
 * Equal exactly when content is equal, whatever the order in which it comes and however the service spells a blank. The children of the result stand in the
 * order of their names already (soap_member.h); leaves that lie deeper are sorted and merged in. */
#include "connectors/sage/soap_member.h"
#include "base/hash.h"
#include <stdlib.h>

struct leaf { uint64_t head; struct str path, value; };      /* head: the path's first bytes as a number that sorts like them */
struct leaves { struct leaf *at; size_t n; };
struct content { const struct soap_members *m; const struct xml_node *result; struct str null_date; struct buf *b; struct arena *scratch; };

static int by_path(const void *a, const void *b)
{
    const struct leaf *x = a, *y = b;
    if (x->head != y->head) return x->head < y->head ? -1 : 1;
    int c = str_cmp(x->path, y->path);
    return c ? c : str_cmp(x->value, y->value);
}

static uint64_t head_of(struct str s)
{
    uint64_t h = 0;
    for (size_t i = 0; i < 8; i++) h = h << 8 | (i < s.n ? (unsigned char)s.p[i] : 0);
    return h;
}

/* "City"; "Lines/SalesOrderLine.2/ItemCode"; a user-defined field by its own name, so that their order does not count. */
static struct str path_of(struct arena *a, const struct xml_node *top, const struct xml_node *n)
{
    struct str field = n->parent && n->parent != top && str_is(n->name, "Value") ? sage100__soap_udf_name(n->parent) : (struct str){"", 0};
    if (field.n) return str_of(arena_printf(a, "OtherFields/%.*s", (int)field.n, field.p));
    if (n->parent == top) return n->name;
    struct str above = path_of(a, top, n->parent);
    return str_of(arena_printf(a, "%.*s/%.*s.%u", (int)above.n, above.p, (int)n->name.n, n->name.p, n->rank));
}

static bool counts(const struct content *c, struct str value)
{
    return value.n && !sage100__soap_is_null_date(c->null_date, value);
}

/* The leaves below top, which is the result or a child of it. */
static void collect(const struct content *c, const struct xml_node *top, struct leaves *l)
{
    for (const struct xml_node *x = sage100__xml_walk(top, top); x; x = sage100__xml_walk(top, x)) {
        struct str value = soap_text(x);
        if (!counts(c, value) || sage100__soap_is_silent(x->name)) continue;
        struct str path = path_of(c->scratch, c->result, x);
        l->at[l->n++] = (struct leaf){head_of(path), path, value};
    }
}

static size_t nodes_below(const struct xml_node *top)
{
    size_t n = 0;
    for (const struct xml_node *x = sage100__xml_walk(top, top); x; x = sage100__xml_walk(top, x)) n++;
    return n;
}

/* What no slot holds, sorted. */
static struct leaves other_leaves(const struct content *c)
{
    struct leaves l = {NULL, 0};
    size_t most = 0;
    for (const struct xml_node *x = c->result->first; x; x = x->next) most += x->first ? nodes_below(x) : 0;
    if (!c->m->whole) most = nodes_below(c->result);
    if (most == 0) return l;
    l.at = ARENA_ARRAY(c->scratch, struct leaf, most);
    if (!c->m->whole) collect(c, c->result, &l);
    for (const struct xml_node *x = c->result->first; c->m->whole && x; x = x->next)
        if (x->first) collect(c, x, &l);
    qsort(l.at, l.n, sizeof *l.at, by_path);
    return l;
}

static void put_value(struct buf *b, struct str s)
{
    if (s.n < 128) buf_byte(b, (unsigned char)s.n);
    else buf_varint(b, s.n);
    buf_put(b, s.p, s.n);
}

static void put_leaf(struct buf *b, const struct leaf *l)
{
    put_value(b, l->path);
    put_value(b, l->value);
}

/* The slots in their order, before each of them the leaves whose paths come first. */
static void put_content(const struct content *c)
{
    struct leaves l = other_leaves(c);
    size_t next = 0;
    for (size_t word = 0; c->m->whole && word < SOAP_MEMBERS_MAX / 64; word++)
        for (uint64_t set = c->m->set[word]; set; set &= set - 1) {
            size_t at = word * 64 + (size_t)__builtin_ctzll(set);
            const struct soap_member *known = &c->m->known[at];
            struct str value = soap_text(c->m->slot[at]);
            if (known->silent || !counts(c, value)) continue;
            while (next < l.n && str_cmp(l.at[next].path, known->name) < 0) put_leaf(c->b, &l.at[next++]);
            buf_put(c->b, known->head.p, known->head.n);
            put_value(c->b, value);
        }
    while (next < l.n) put_leaf(c->b, &l.at[next++]);
}

void sage100__soap_hash(const struct soap_members *m, const struct xml_node *result, struct str null_date, struct buf *b, struct arena *scratch, char *hex)
{
    struct content c = {m, result, null_date, b, scratch};
    buf_clear(b);
    put_content(&c);
    struct hash h = hash_of(buf_view(b));
    hash_hex(h.b, HASH_BYTES, hex);
}
