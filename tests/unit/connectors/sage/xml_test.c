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
        {"a declaration without a quote", "<?xml version='1.0' encoding=UTF-8?><a/>", "declaration"},
        {"a declaration that ends behind its name", "<?xml version='1.0' encoding?><a/>", "declaration"},
        {"a declaration whose quote is not closed", "<?xml version='1.0' encoding='utf-8?><a/>", "encoding"},
        {"an encoding as long as ours", "<?xml version='1.0' encoding='utf-7'?><a/>", "encoding"},
        {"another of eight letters", "<?xml version='1.0' encoding='us-asciX'?><a/>", "encoding"},
        {"an exclamation mark at the end", "<a/><!", "document type"},
        {"a question mark at the end", "<a/><?", "instruction"},
        {"a bracket at the end", "<a/><", "tag"},
        {"an end tag at the end", "<a></", "tag"},
        {"half a comment's beginning", "<a/><!-", "document type"},
        {"half a section's beginning", "<a><![CDATA</a>", "document type"},
        {"text before the root", "x<a/>", ""},
        {"a section before the root", "<![CDATA[x]]><a/>", ""},
        {"a reference to nothing", "<a>&#x110000;</a>", ""},
        {"a control character by reference", "<a>&#1;</a>", ""},
        {"an attribute without quotes", "<a b=c/>", ""},
        {"an attribute without a value", "<a b/>", ""},
        {"a quote that is not closed", "<a b='></a>", "tag"},
        {"a name that begins with a digit", "<1/>", ""},
        {"an empty name", "< />", ""},
        {"two comments in one", "<a><!-- -- --></a>", ""},
        {"a section's end in text", "<a>]]></a>", ""},
        {"an instruction named xml", "<a><?xml version='1.0'?></a>", ""},
        {"the namespace of xmlns", "<a xmlns:xmlns='u'/>", ""},
        {"an empty namespace for a prefix", "<a xmlns:p=''/>", ""},
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

/* What stands in the way without being wrong. */
static void taken(void)
{
    static const struct { const char *name, *xml, *text; } cases[] = {
        {"blanks in the declaration", "<?xml\tversion='1.0'\r\n encoding \t=\r\n 'utf-8' ?>\n<a>x</a>", "x"},
        {"ASCII", "<?xml version='1.0' encoding=\"US-ASCII\"?><a>x</a>", "x"},
        {"no encoding", "<?xml version='1.0'?><a>x</a>", "x"},
        {"an instruction that is no declaration", "<?xm?><?xmlx encoding='latin1'?><a>x</a>", "x"},
        {"quotes within quotes", "<a b=\"'>'\" c='\">\"'>x</a>", "x"},
        {"blanks around the root", " \n<!-- c --><?p?>\n<a>x</a>\n<!-- d -->\n ", "x"},
        {"an empty element", "<a/>", ""},
        {"text behind an element", "<a>x<b/>y</a>", ""},
        {"blanks only", "<a>  </a>", "  "},
        {"the five entities", "<a>&lt;&gt;&amp;&apos;&quot;</a>", "<>&'\""},
        {"ends of lines", "<a>1\r\n2\r3\n</a>", "1\n2\n3\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a;
        struct xml_node *root;
        char why[200];
        arena_init(&a, 0);
        rig_begin(cases[i].name);
        CHECK(parse(str_of(cases[i].xml), &a, &root, why) == ERR_OK && root && str_is(root->text, cases[i].text), "%s \"%.*s\"", why, root ? (int)root->text.n : 0, root ? root->text.p : "");
        rig_end();
        arena_free(&a);
    }
}

static void looking(void)
{
    struct arena a;
    struct xml_node *root;
    char why[200];
    struct str ns, local;
    arena_init(&a, 0);
    rig_begin("looking for what is not there");
    CHECK(parse(STR("<a xmlns='u' b='1'><c/><d/><c/></a>"), &a, &root, why) == ERR_OK, "%s", why);
    CHECK(!sage100__xml_child(NULL, "c") && !sage100__xml_next(NULL, "c") && !sage100__xml_child(root, "x") && sage100__xml_child(root, NULL) == root->first, "children");
    CHECK(!sage100__xml_find(root, "x") && !sage100__xml_find(NULL, "c") && sage100__xml_find(root, "a") == root, "find");
    CHECK(sage100__xml_attr(NULL, "b").n == 0 && sage100__xml_attr(root, "x").n == 0 && str_is(sage100__xml_attr(root, "b"), "1"), "attributes");
    sage100__xml_qname(root, STR("T"), &ns, &local);
    CHECK(str_is(ns, "u") && str_is(local, "T"), "a name without a prefix is in the default namespace");
    sage100__xml_qname(root->first, STR("p:T"), &ns, &local);
    CHECK(ns.n == 0 && str_is(local, "T"), "a prefix that nobody declared");
    CHECK(sage100__xml_next(root->first, "c") && !sage100__xml_next(sage100__xml_next(root->first, "c"), NULL), "siblings");
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
    CHECK(!sage100__xml_escape(&b, STR("\xef\xbf\xbe")) && sage100__xml_escape(&b, STR("\xef\xbf\xbd\xef\xbb\xbf\xef\xbd\xbe")), "U+FFFE cannot be carried, its neighbours can");
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
    taken();
    looking();
    large_text();
    escaping();
    return rig_exit();
}
