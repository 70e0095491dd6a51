/* xml_plain.c - what ordinary answers are made of, read in one pass without a second look:
 *
 *   <?xml version="1.0" encoding="utf-8"?>          or none
 *   <s:Envelope xmlns:s="..."> ..                    names of ASCII letters, at most one blank before an attribute, attributes without references
 *       <a:City>St. Paul &amp; more</a:City>         UTF-8, the five entities, character references
 *       <a:Fax i:nil="true"/>
 *
 * Each start tag gives a node. The name that is expected is held against the bytes as a whole; attributes that stand there as they stood in the last tag
 * that had some are taken from there. A text is a span of the bytes, unless it has references or ends of lines that XML wants otherwise.
 *
 * Invariants: whatever is accepted, guard and libxml2 accept, and make the same tree of it (tests/unit/connectors/sage/xml_plain_test.c, fuzz target soap);
 * everything else is answered with "not plain". Limits are those of the guard or narrower. Nothing is read behind the end: the last byte is a '>'. */
#include "connectors/sage/xml_plain.h"
#include "base/check.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { DEPTH = 32, SCOPE = 32, ATTRIBUTES = 16, NODES = 64, VALUE_BYTES = 1024, BYTES = 8 << 20, REFERENCE_BYTES = 10 };

struct open_element { struct xml_node *node; struct str qname; unsigned nscope; };
struct attributes { struct str prefix[ATTRIBUTES]; struct xml_attr at[ATTRIBUTES]; struct xml_ns ns[ATTRIBUTES]; size_t n, nns; };
struct plain {
    const char *p, *end;                         /* end: behind the last '>' */
    struct xml_parser *x;
    struct arena *a;
    struct xml_node *root, *nodes; size_t nnodes, count;   /* nodes: not yet used */
    struct open_element open[DEPTH]; unsigned depth;
    struct xml_ns scope[SCOPE]; unsigned nscope;
    unsigned state;                              /* another number whenever a prefix may mean something else */
    unsigned last;                               /* number of the last name */
    struct { struct xml_ns ns; unsigned scope; } found;      /* the namespace that was looked up last */
    struct str text; bool text_plain;            /* what stands before the tag at p */
    struct { struct str bytes; unsigned scope; const struct xml_attr *attrs; size_t n; bool nil; } same;      /* the attributes of the last tag that had some */
};

/* ---- bytes ---- */

/* n bytes that are the same in both. */
static inline bool same_bytes(const char *a, const char *b, size_t n)
{
    uint64_t x, y;
    for (; n > 8; a += 8, b += 8, n -= 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        if (x != y) return false;
    }
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i]) return false;
    return true;
}

/* The first byte that is no printable ASCII character of a text: a control, '<', '&', ']', a byte above 0x7f; end if there is none. */
static inline const char *text_run(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i tag = _mm_set1_epi8('<'), reference = _mm_set1_epi8('&'), bracket = _mm_set1_epi8(']'), blank = _mm_set1_epi8(' ');
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, tag), _mm_cmpeq_epi8(v, reference)),
                                   _mm_or_si128(_mm_cmpeq_epi8(v, bracket), _mm_cmplt_epi8(v, blank)));       /* signed: what is above 0x7f is below zero */
        unsigned stop = (unsigned)_mm_movemask_epi8(hit);
        if (stop) return p + __builtin_ctz(stop);
    }
#endif
    while (p < end && *p != '<' && *p != '&' && *p != ']' && (unsigned char)(*p - 0x20) < 0x60) p++;
    return p;
}

/* ---- text ---- */

static bool is_char(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xd800) || (c >= 0xe000 && c < 0xfffe) || (c >= 0x10000 && c < 0x110000);
}

static size_t put_char(char *to, uint32_t c)
{
    if (c < 0x80) return to[0] = (char)c, 1;
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, c >>= 6) to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(first[n] | c);
    return n;
}

/* "#65", "#x1F600": behind the '&', without the ';'. */
static bool number_of(struct str s, uint32_t *c)
{
    bool hex = s.n > 1 && s.p[1] == 'x';
    size_t i = hex ? 2 : 1;
    if (i >= s.n) return false;
    for (*c = 0; i < s.n; i++) {
        unsigned char d = (unsigned char)s.p[i];
        unsigned digit = d >= '0' && d <= '9' ? d - (unsigned)'0' : hex && (d | 0x20) >= 'a' && (d | 0x20) <= 'f' ? (d | 0x20u) - 'a' + 10 : 16;
        if (digit == 16) return false;
        *c = *c * (hex ? 16 : 10) + digit;
        if (*c > 0x10ffff) return false;
    }
    return is_char(*c);
}

static bool reference(const char **p, const char *end, uint32_t *c)
{
    static const struct { struct str name; char c; } five[] = {{{"lt", 2}, '<'}, {{"gt", 2}, '>'}, {{"amp", 3}, '&'}, {{"quot", 4}, '"'}, {{"apos", 4}, '\''}};
    const char *name = *p + 1;
    const char *close = memchr(name, ';', (size_t)(end - name < REFERENCE_BYTES ? end - name : REFERENCE_BYTES));
    if (!close) return false;
    struct str s = {name, (size_t)(close - name)};
    *p = close + 1;
    if (s.n && s.p[0] == '#') return number_of(s, c);
    for (size_t i = 0; i < 5; i++)
        if (str_eq(s, five[i].name)) return *c = (uint32_t)five[i].c, true;
    return false;
}

/* A text with references or carriage returns, as XML wants it read: never longer than it is written. */
static bool decode(struct plain *d, struct str raw)
{
    char *to = arena_alloc(d->a, raw.n);
    size_t n = 0;
    for (const char *p = raw.p, *end = raw.p + raw.n; p < end;) {
        uint32_t c = 0;
        if (*p == '&') {
            if (!reference(&p, end, &c)) return false;
            n += put_char(to + n, c);
        } else if (*p == '\r') {
            to[n++] = '\n';
            p += 1 + (end - p > 1 && p[1] == '\n');
        } else {
            to[n++] = *p++;
        }
    }
    d->text = (struct str){to, n};
    return true;
}

/* Up to the next tag or, outside of the root, the end. */
static bool read_text(struct plain *d)
{
    const char *from = d->p, *p = text_run(from, d->end);
    bool changed = false, high = false, plain = true;
    for (; p < d->end && *p != '<'; p = text_run(p + 1, d->end)) {
        unsigned char c = (unsigned char)*p;
        if (c == ']' && d->end - p > 2 && p[1] == ']' && p[2] == '>') return false;
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') return false;
        if (c == 0xef && d->end - p > 2 && (unsigned char)p[1] == 0xbf && (unsigned char)p[2] >= 0xbe) return false;     /* U+FFFE, U+FFFF */
        changed = changed || c == '&' || c == '\r';
        high = high || c > 0x7f;
        plain = plain && c == ']';
    }
    d->p = p;
    d->text = (struct str){from, (size_t)(p - from)};
    d->text_plain = plain;
    if (high && !str_utf8_valid(d->text)) return false;
    return !changed || decode(d, d->text);
}

/* ---- namespaces ---- */

/* p NULL: not declared; without a prefix: none. */
static struct str namespace_of(const struct plain *d, struct str prefix)
{
    for (unsigned i = d->nscope; i-- > 0;)
        if (str_eq(d->scope[i].prefix, prefix)) return d->scope[i].uri;
    return (struct str){prefix.n ? NULL : "", 0};
}

/* Mostly that of the last element. */
static bool element_namespace(struct plain *d, const struct xml__name *name, struct xml_node *n)
{
    if (d->found.scope != d->state || !str_eq(d->found.ns.prefix, name->prefix)) {
        d->found.ns = (struct xml_ns){name->prefix, namespace_of(d, name->prefix)};
        d->found.scope = d->state;
    }
    n->ns = d->found.ns.uri;
    return n->ns.p != NULL;
}

/* ---- tags ---- */

/* The number of the name at p, which a blank, '/' or '>' ends. */
static unsigned name_at(struct plain *d, const char *p)
{
    struct xml__name *before = &d->x->name[d->last];
    const struct xml__name *guess = &d->x->name[before->follows];
    size_t n = guess->qname.n;
    if (n && (size_t)(d->end - p) > n && same_bytes(p, guess->qname.p, n) && (p[n] == '>' || p[n] == ' ' || p[n] == '/')) return d->last = before->follows;
    const char *to = p;
    while (to < d->end && *to != '>' && *to != ' ' && *to != '/' && to - p <= XML__NAME_BYTES) to++;
    d->last = to < d->end ? xml__name_id(d->x, (struct str){p, (size_t)(to - p)}) : 0;
    before->follows = (uint16_t)d->last;
    return d->last;
}

static bool add_declaration(struct plain *d, struct attributes *t, struct str prefix, struct str value)
{
    struct str uri = xml__uri(d->x, value);
    if (!uri.p || d->nscope == SCOPE) return false;
    for (size_t i = 0; i < t->nns; i++)
        if (str_eq(t->ns[i].prefix, prefix)) return false;
    t->ns[t->nns++] = d->scope[d->nscope++] = (struct xml_ns){prefix, uri};
    return true;
}

/* Two of one local name are libxml2's affair, whatever their prefixes mean. */
static bool add_attribute(struct attributes *t, struct str prefix, struct str local, struct str value)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->at[i].name, local)) return false;
    t->prefix[t->n] = prefix;
    t->at[t->n++] = (struct xml_attr){local, value};
    return true;
}

/* One attribute, p at its name. */
static bool read_attribute(struct plain *d, struct attributes *t)
{
    const char *name = d->p, *equals = name;
    while (equals < d->end && *equals != '=' && *equals != '>' && equals - name <= XML__NAME_BYTES) equals++;
    if (d->end - equals < 3 || *equals != '=' || (equals[1] != '"' && equals[1] != '\'') || t->n + t->nns == ATTRIBUTES) return false;
    const char *value = equals + 2, *to = value;
    while (to < d->end && *to != equals[1] && *to != '<' && *to != '&' && (unsigned char)(*to - 0x20) < 0x60 && to - value <= VALUE_BYTES) to++;
    if (to == d->end || *to != equals[1]) return false;
    struct str qname = {name, (size_t)(equals - name)}, v = {value, (size_t)(to - value)};
    d->p = to + 1;
    if (str_is(qname, "xmlns")) return add_declaration(d, t, (struct str){"", 0}, v);
    if (str_starts(qname, STR("xmlns:"))) {
        unsigned id = xml__name_id(d->x, (struct str){qname.p + 6, qname.n - 6});
        return id && d->x->name[id].prefix.n == 0 && !str_starts(d->x->name[id].local, STR("xml")) && add_declaration(d, t, d->x->name[id].local, v);
    }
    unsigned id = xml__name_id(d->x, qname);
    return id && add_attribute(t, d->x->name[id].prefix, d->x->name[id].local, v);
}

static bool keep_attributes(struct plain *d, const struct attributes *t, struct xml_node *n)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->prefix[i].n && !namespace_of(d, t->prefix[i]).p) return false;
        n->nil = n->nil || xml__says_nil(t->at[i].name, t->at[i].value);
    }
    struct xml_attr *attrs = t->n ? ARENA_ARRAY(d->a, struct xml_attr, t->n) : NULL;
    struct xml_ns *decls = t->nns ? ARENA_ARRAY(d->a, struct xml_ns, t->nns) : NULL;
    if (t->n) memcpy(attrs, t->at, t->n * sizeof *attrs);
    if (t->nns) memcpy(decls, t->ns, t->nns * sizeof *decls);
    n->attrs = attrs;
    n->nattrs = t->n;
    n->decls = decls;
    n->ndecls = t->nns;
    return true;
}

/* p at the blank behind the name. */
static bool read_attributes(struct plain *d, struct xml_node *n)
{
    const char *from = d->p;
    if (d->same.scope == d->state && (size_t)(d->end - from) > d->same.bytes.n && same_bytes(from, d->same.bytes.p, d->same.bytes.n)) {
        n->attrs = d->same.attrs;
        n->nattrs = d->same.n;
        n->nil = d->same.nil;
        d->p += d->same.bytes.n;
        if (*d->p == '>' || *d->p == '/') return true;
        d->p = from;
        n->nil = false;
    }
    struct attributes t;
    t.n = t.nns = 0;
    while (*d->p == ' ' && d->p[1] != '/' && d->p[1] != '>') {
        d->p++;
        if (!read_attribute(d, &t)) return false;
    }
    if (t.nns) d->state++;
    if (!keep_attributes(d, &t, n)) return false;
    if (t.nns == 0 && t.n) {
        d->same.bytes = (struct str){from, (size_t)(d->p - from)};
        d->same.scope = d->state;
        d->same.attrs = n->attrs;
        d->same.n = n->nattrs;
        d->same.nil = n->nil;
    }
    d->p += *d->p == ' ';
    return true;
}

static void leave_scope(struct plain *d, unsigned nscope)
{
    if (d->nscope == nscope) return;
    d->nscope = nscope;
    d->state++;
}

static void hang_in(struct plain *d, struct xml_node *n)
{
    struct xml_node *parent = n->parent;
    if (!parent) {
        d->root = n;
        return;
    }
    struct xml_node *before = parent->last;
    if (!before) parent->first = n;
    else {
        before->next = n;
        if (before->id == n->id || str_eq(before->name, n->name)) n->rank = before->rank + 1;
    }
    parent->last = n;
}

/* p at '<'. Behind the root nothing comes. */
static bool start_tag(struct plain *d)
{
    unsigned nscope = d->nscope, id = name_at(d, d->p + 1);
    if (!id || d->depth == DEPTH || ++d->count > XML_NODES_MAX || (d->depth == 0 && d->root)) return false;
    const struct xml__name *name = &d->x->name[id];
    if (d->nnodes == 0) {
        d->nodes = ARENA_ARRAY(d->a, struct xml_node, NODES);
        d->nnodes = NODES;
    }
    struct xml_node *n = d->nodes++;
    d->nnodes--;
    n->name = name->local;
    n->id = (uint16_t)id;
    n->parent = d->depth ? d->open[d->depth - 1].node : NULL;
    d->p += 1 + name->qname.n;
    if (*d->p == ' ' && !read_attributes(d, n)) return false;
    if (!element_namespace(d, name, n)) return false;
    hang_in(d, n);
    if (*d->p == '>') {
        d->p++;
        d->open[d->depth++] = (struct open_element){n, name->qname, nscope};
        return true;
    }
    if (d->p[0] != '/' || d->p + 1 == d->end || d->p[1] != '>') return false;
    d->p += 2;
    n->text = (struct str){"", 0};
    leave_scope(d, nscope);
    return true;
}

/* p at "</". */
static bool end_tag(struct plain *d)
{
    if (d->depth == 0) return false;
    struct open_element *o = &d->open[--d->depth];
    const char *name = d->p + 2;
    size_t n = o->qname.n;
    if ((size_t)(d->end - name) <= n || !same_bytes(name, o->qname.p, n) || name[n] != '>') return false;
    if (!o->node->first) {
        o->node->text = d->text.n ? d->text : (struct str){"", 0};
        o->node->plain = d->text_plain;
    }
    d->p = name + n + 1;
    leave_scope(d, o->nscope);
    return true;
}

/* ---- all of it ---- */

static struct str without_declaration(struct str s)
{
    static const struct str usual[] = {{"<?xml version=\"1.0\" encoding=\"utf-8\"?>", 38}, {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>", 38}, {"<?xml version=\"1.0\"?>", 21}};
    if (str_starts(s, STR("\xEF\xBB\xBF"))) s = (struct str){s.p + 3, s.n - 3};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (str_starts(s, usual[i])) return (struct str){s.p + usual[i].n, s.n - usual[i].n};
    return s;
}

static bool read_document(struct plain *d)
{
    for (;;) {
        if (!read_text(d)) return false;
        if (d->depth == 0 && d->text.n) return false;
        if (d->p == d->end) return d->depth == 0 && d->root;
        if (!(d->p[1] == '/' ? end_tag(d) : start_tag(d))) return false;
    }
}

bool sage100__xml_plain(struct xml_parser *x, struct str bytes, struct arena *a, struct xml_node **root)
{
    *root = NULL;
    if (bytes.n == 0 || bytes.n > BYTES) return false;
    struct str s = str_trim(without_declaration(bytes));
    if (s.n == 0 || s.p[0] != '<' || s.p[s.n - 1] != '>') return false;
    struct arena_mark m = arena_mark(a);
    struct plain d = {.p = s.p, .end = s.p + s.n, .x = x, .a = a, .state = 1};
    if (!read_document(&d)) {
        arena_release(a, m);
        return false;
    }
    *root = d.root;
    return true;
}
