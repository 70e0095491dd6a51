/* Untrusted XML: what the guard and the parser refuse, that refusing is cheap, what the tree looks like, what escaping leaves. */
#include "connectors/sage/xml.h"
#include "rig.h"
#include <time.h>

static enum err parse(struct str bytes, struct arena *a, struct xml_node **root, char why[200])
{
    why[0] = '\0';
    return sage100__xml_parse(bytes, a, root, why, 200);
}

static void refused(void)
{
    static const struct { const char *name, *xml, *want; } cases[] = {
        {"nothing", "", "nothing"},
        {"blanks only", "  \n", ""},
        {"a document type", "<!DOCTYPE a><a/>", "document type"},
        {"entities that grow", "<?xml version=\"1.0\"?>\n<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><l>&b;</l>", "document type"},
        {"an external entity", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>", "document type"},
        {"a document type behind a comment", "<!-- x --><!DOCTYPE a><a/>", "document type"},
        {"an unknown entity", "<a>&nbsp;</a>", ""},
        {"another encoding", "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>", "encoding"},
        {"a legacy encoding", "<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>", ""},
        {"bad UTF-8", "<a>\xff</a>", "UTF-8"},
        {"not closed", "<a><b></a>", ""},
        {"cut in a tag", "<a><b x=\"1", "tag"},
        {"cut in a comment", "<a><!-- x", "comment"},
        {"cut in CDATA", "<a><![CDATA[x", "CDATA"},
        {"cut in an instruction", "<a><?x ", "instruction"},
        {"an end tag too many", "<a></a></b>", "end tag"},
        {"two roots", "<a/><b/>", ""},
        {"text behind the root", "<a/>x", ""},
        {"an attribute twice", "<a x=\"1\" x=\"2\"/>", ""},
        {"a prefix without a namespace", "<q:a/>", ""},
        {"a '<' in a tag", "<a <b/>", "inside a tag"},
        {"HTML", "<html><body><br>hello</body></html>", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a;
        struct xml_node *root;
        char why[200];
        arena_init(&a, 0);
        rig_begin(cases[i].name);
        CHECK(parse(str_of(cases[i].xml), &a, &root, why) == ERR_PROTOCOL && !root, "taken");
        CHECK(why[0] && strstr(why, cases[i].want), "%s", why);
        rig_end();
        arena_free(&a);
    }
}

static void a_zero_byte(void)
{
    struct arena a;
    struct xml_node *root;
    char why[200];
    arena_init(&a, 0);
    rig_begin("a zero byte");
    CHECK(parse((struct str){"<a>\0</a>", 8}, &a, &root, why) == ERR_PROTOCOL && strstr(why, "zero"), "%s", why);
    rig_end();
    arena_free(&a);
}

/* n times `unit` between `head` and `tail` is refused, and fast. */
static void too_much(const char *name, const char *head, const char *unit, size_t n, const char *tail, const char *want)
{
    struct arena a;
    struct buf b = {0};
    struct xml_node *root;
    char why[200];
    arena_init(&a, 0);
    rig_begin(name);
    buf_puts(&b, head);
    for (size_t i = 0; i < n; i++) buf_puts(&b, unit);
    buf_puts(&b, tail);
    clock_t before = clock();
    enum err e = parse(buf_view(&b), &a, &root, why);
    CHECK(e == ERR_PROTOCOL && strstr(why, want), "%s", why);
    CHECK((clock() - before) / (CLOCKS_PER_SEC / 1000) < 2000, "slow");
    rig_end();
    buf_free(&b);
    arena_free(&a);
}

static void bounds(void)
{
    struct buf names = {0};
    too_much("too deep", "", "<a>", 100, "", "deep");
    too_much("too many elements", "<r>", "<a/>", 250000, "</r>", "elements");
    too_much("a tag too long", "<a x=\"", "yyyyyyyyyyyyyyyy", 5000, "\"/>", "64 KiB");
    too_much("too large", "<a>", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 270000, "</a>", "16 MiB");
    buf_puts(&names, "<a");
    for (int i = 0; i < 80; i++) buf_printf(&names, " a%d=\"\"", i);
    too_much("too many attributes", buf_cstr(&names), "", 0, "/>", "attributes");
    buf_free(&names);
}

static void tree(void)
{
    struct arena a;
    struct xml_node *root;
    char why[200];
    arena_init(&a, 0);
    rig_begin("a tree: names, namespaces, text, CDATA, references, order");
    const char *xml = "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?><!-- c --><s:E xmlns:s=\"urn:s\" xmlns=\"urn:d\">\n <B q=\"p:T\" xmlns:p=\"urn:p\">a &lt;&amp;&#65;&#xE9;<![CDATA[<x>&y;]]></B>"
                      "<C>mixed<D/><D>2</D>text</C><?pi x?></s:E>";
    CHECK(parse(str_of(xml), &a, &root, why) == ERR_OK, "%s", why);
    if (root) {
        struct str ns, local;
        const struct xml_node *b = sage100__xml_child(root, "B"), *d = sage100__xml_find(root, "D");
        CHECK(str_is(root->name, "E") && str_is(root->ns, "urn:s") && b && str_is(b->ns, "urn:d"), "names");
        CHECK(b && str_is(b->text, "a <&A\xc3\xa9<x>&y;"), "%.*s", b ? (int)b->text.n : 0, b ? b->text.p : "");
        sage100__xml_qname(b, sage100__xml_attr(b, "q"), &ns, &local);
        CHECK(str_is(ns, "urn:p") && str_is(local, "T"), "qname");
        CHECK(d && d->rank == 0 && sage100__xml_next(d, "D") && sage100__xml_next(d, "D")->rank == 1 && str_is(sage100__xml_next(d, "D")->text, "2"), "siblings");
        CHECK(sage100__xml_walk(root, sage100__xml_next(d, "D")) == NULL, "end of the walk");
    }
    rig_end();
    arena_free(&a);
}

static void large_text(void)
{
    struct arena a;
    struct buf b = {0};
    struct xml_node *root;
    char why[200];
    arena_init(&a, 0);
    rig_begin("a text over many chunks");
    buf_puts(&b, "<a>");
    for (int i = 0; i < 100000; i++) buf_puts(&b, "\xc3\xa9\xe2\x82\xac");
    buf_puts(&b, "</a>");
    CHECK(parse(buf_view(&b), &a, &root, why) == ERR_OK && root->text.n == 500000 && str_utf8_valid(root->text), "%s", why);
    rig_end();
    buf_free(&b);
    arena_free(&a);
}

static void escaping(void)
{
    struct buf b = {0};
    rig_begin("escaping");
    CHECK(sage100__xml_escape(&b, STR("a<b>&\"'\t\r\n\xc3\xa9")) && strcmp(buf_cstr(&b), "a&lt;b&gt;&amp;&quot;&#39;&#9;&#13;&#10;\xc3\xa9") == 0, "%s", buf_cstr(&b));
    CHECK(!sage100__xml_escape(&b, STR("\x01")) && !sage100__xml_escape(&b, STR("\xff")) && !sage100__xml_escape(&b, STR("\xef\xbf\xbf")), "what XML cannot carry");
    rig_end();
    buf_free(&b);
}

int main(void)
{
    refused();
    a_zero_byte();
    bounds();
    tree();
    large_text();
    escaping();
    return rig_exit();
}
