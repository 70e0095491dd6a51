/* xml_plain_test.c - the reader of ordinary answers against guard and libxml2: whatever it accepts, they accept with the same tree. Documents of every kind, each of
 * them with every byte left out, doubled, put before and behind others and changed into what means something in XML; and cut off at every byte.
 *
 * Controls: what is ordinary is accepted, or nothing would be compared; what is not, is left to the other; and a tree that differs in one thing is seen. */
#include "rig.h"
#include "xml_trees.h"

#define HEAD "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><r xmlns=\"urn:a\">"
#define TAIL "</r></s:Body></s:Envelope>"
static const char *const ordinary[] = {
    "<a/>", "<a></a>", "<a>x</a>", "<a />", "<a b=\"c\"/>", "<a b='\"' c=\">\" >x</a>", " \r\n\t<a>1</a>\n", "\xEF\xBB\xBF<a/>",
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><a/>", "<?xml version=\"1.0\"?>\r\n<a>x</a>", "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>x</a>",
    "<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;&#10;&#13;</a>", "<a>1\r\n2\r3\n4\r</a>", "<a>x]]</a>", "<a>]] ></a>", "<a>]]&gt;</a>", "<a>\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\xc2\x80</a>",
    "<a>x<b/>y<b>2</b>&amp;<c/>\r\n<c/><c/>z</a>", "<a> \n </a>", "<a>0123456789abcdef0123456789abcdef&amp;0123456789abcdef</a>",
    HEAD "<City>ST. PAUL</City><Fax xsi:nil=\"true\"/><Tel xsi:nil=\"true\"/><Tax xsi:nil=\"1\"></Tax><Zip xsi:nil='false'>1</Zip>" TAIL,
    "<p:a xmlns:p=\"urn:p\"><p:b><c xmlns=\"urn:c\" p:d=\"1\" e=\"2\"/><p:c xmlns:p=\"urn:q\"><p:d/></p:c></p:b><p:d p:x=\"\"/></p:a>",
    "<a x:b=\"1\" xmlns:x=\"http://h.example/y\" c=\"2\"><b x:b=\"1\"/><b x:b=\"1\" /><c x:b=\"1\"/></a>",
    "<l><n><k>1</k><v>2</v></n><n><k>1</k><v>2</v></n><m/><n/></l>",
};
static const char *const others[] = {
    "", " ", "x", "<", ">", "<a", "</a>", "<a></b>", "<a/><b/>", "<a/>x", "x<a/>", "<a/>&#32;", "&#32;<a/>", "<a><!-- c --></a>", "<a><![CDATA[x]]></a>", "<?p?><a/>", "<a><?p?></a>",
    "<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "<a>&e;</a>", "<a>&</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&#x110000;</a>", "<a>&#XA;</a>", "<a>&#;</a>", "<a>&;</a>",
    "<a>]]></a>", "<a>\x01</a>", "<a>\xff</a>", "<a>\xef\xbf\xbe</a>", "<a>\xef\xbf\xbf</a>", "<\xc3\xa9/>", "<a \xc3\xa9=''/>", "<a b='\xc3\xa9'/>", "<a b='&lt;'/>", "<a b='<'/>", "<a b=''  c=''/>",
    "<a b='' b=''/>", "<a b=''c=''/>", "<a b/>", "<a b=c/>", "<a ='c'/>", "<a b =''/>", "<1/>", "<-a/>", "<a:/>", "<:a/>", "<a:b/>", "<a b:c=''/>", "<xml:a/>", "<a xml:lang='en'/>", "<a xmlns:xml='u'/>",
    "<a xmlns:xmlns='u'/>", "<a xmlns:b=''/>", "<a xmlns=''/>", "<a xmlns='http://www.w3.org/XML/1998/namespace'/>", "<a xmlns:b='http://www.w3.org/2000/xmlns/'/>", "<a xmlns:b='%'/>", "<a xmlns:b='u' xmlns:b='v'/>",
    "<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>", "<?xml version='1.0'?><a/>", "<?xml version=\"1.0\" encoding=\"latin1\"?><a/>", " <?xml version=\"1.0\"?><a/>", "<a\n/>", "<a\tb=''/>", "<a></a >", "<a/ >", "< a/>",
};

struct tally { struct xml_parser *x; unsigned tried, plain; bool good; char said[900]; };

static void hold(struct tally *t, struct str doc)
{
    bool plain;
    if (!xml_readers_agree(t->x, doc, &plain, t->said, t->good ? sizeof t->said : 0)) t->good = false;
    t->tried++;
    t->plain += plain;
}

static void hold_with(struct tally *t, struct str doc, size_t at, size_t cut, const char *with, size_t n)
{
    struct buf b = {0};
    buf_put(&b, doc.p, at);
    buf_put(&b, with, n);
    buf_put(&b, doc.p + at + cut, doc.n - at - cut);
    hold(t, buf_view(&b));
    buf_free(&b);
}

/* Every byte left out, doubled, changed; and what may stand somewhere put everywhere. */
static void every_byte(struct tally *t, struct str doc)
{
    static const char bytes[] = "<>/&;#:='\"! ?[]-\t\r\n\x01\x7f\x80\xc3\xef" "a1x";
    static const char *const pieces[] = {"]]>", "&amp;", "&#13;", "&#x41;", "<b/>", "<b>x</b>", "</b>", "<b>", "<!---->", "<![CDATA[x]]>", "<?p?>", "<!DOCTYPE b>", " c=''", " xmlns='u'", " xmlns:s='u'", " xmlns:x='v'",
                                         "s:", "\xc3\xa9", "\xef\xbf\xbd", "\xef\xbf\xbe", "\xed\xa0\x80", "\r\n", "  ", "0123456789abcdef"};
    for (size_t i = 0; i <= doc.n; i++) {
        hold(t, (struct str){doc.p, i});
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) hold_with(t, doc, i, 0, pieces[k], strlen(pieces[k]));
        if (i == doc.n) break;
        hold_with(t, doc, i, 1, "", 0);
        hold_with(t, doc, i, 0, doc.p + i, 1);
        for (size_t k = 0; k + 1 < sizeof bytes; k++) hold_with(t, doc, i, 1, bytes + k, 1);
    }
}

static void documents(void)
{
    struct tally t = {.x = sage100__xml_open(), .good = true};
    rig_begin("ordinary documents are read without libxml2, into the tree that libxml2 gives");
    for (size_t i = 0; i < sizeof ordinary / sizeof *ordinary; i++) {
        unsigned before = t.plain;
        hold(&t, str_of(ordinary[i]));
        CHECK(t.plain == before + 1, "not ordinary: %s", ordinary[i]);
    }
    CHECK(t.good, "%s", t.said);
    rig_end();
    rig_begin("others are left to libxml2");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        unsigned before = t.plain;
        hold(&t, str_of(others[i]));
        CHECK(t.plain == before, "ordinary: %s", others[i]);
    }
    rig_end();
    rig_begin("every byte of them left out, doubled, changed; every document cut off");
    t.tried = t.plain = 0;
    for (size_t i = 0; i < sizeof ordinary / sizeof *ordinary; i++) every_byte(&t, str_of(ordinary[i]));
    CHECK(t.good && t.tried > 50000 && t.plain > t.tried / 10 && t.plain < t.tried / 2, "%u tried, %u ordinary: %s", t.tried, t.plain, t.said);
    rig_end();
    printf("# %u tried, %u ordinary\n", t.tried, t.plain);
    sage100__xml_close(t.x);
}

/* At the limits of the reader, and of its tables. */
static void limits(void)
{
    struct tally t = {.x = sage100__xml_open(), .good = true};
    struct buf b = {0};
    rig_begin("limits: depth, long names, texts of every length, more names than are numbered");
    for (size_t depth = 30; depth < 35; depth++) {
        buf_clear(&b);
        for (size_t i = 0; i < depth; i++) buf_puts(&b, "<a>");
        for (size_t i = 0; i < depth; i++) buf_puts(&b, "</a>");
        hold(&t, buf_view(&b));
    }
    CHECK(t.plain == 3, "%u of five depths", t.plain);
    t.plain = 0;
    for (int n = 126; n < 131; n++) {
        buf_clear(&b);
        buf_printf(&b, "<a><%0*d/></a>", n, 1);
        b.p[4] = 'a';
        hold(&t, buf_view(&b));
    }
    CHECK(t.plain == 3, "%u of five long names", t.plain);
    t.plain = 0;
    for (int n = 0; n < 70; n++)
        for (int at = 0; at <= n; at++) {
            buf_clear(&b);
            buf_printf(&b, "<a><b>%*s%s%*s</b></a>", at, "", at % 2 ? "&lt;" : "\xc3\xa9", n - at, "");
            hold(&t, buf_view(&b));
        }
    CHECK(t.plain == 70 * 71 / 2, "%u texts", t.plain);
    t.plain = 0;
    for (int i = 0; i < 2 * XML_NAMES_MAX; i++) {
        buf_clear(&b);
        buf_printf(&b, "<a><n%d xmlns:u%d='urn:%d'/></a>", i, i, i);
        hold(&t, buf_view(&b));
    }
    CHECK(t.plain > 10 && t.plain < XML_NAMES_MAX, "%u of too many names", t.plain);
    CHECK(t.good, "%s", t.said);
    rig_end();
    buf_free(&b);
    sage100__xml_close(t.x);
}

static void control(void)
{
    struct xml_parser *x = sage100__xml_open();
    struct arena a;
    struct xml_node *one, *two;
    char why[200];
    static const char *const pairs[][2] = {{"<a><b>1</b></a>", "<a><b>2</b></a>"}, {"<a><b/></a>", "<a><c/></a>"}, {"<a><b/></a>", "<a><b/><b/></a>"}, {"<a><b x='1'/></a>", "<a><b x='2'/></a>"},
                                           {"<a xmlns='u'/>", "<a xmlns='v'/>"}, {"<a><b/><c/></a>", "<a><b><c/></b></a>"}, {"<a><b nil='1'/></a>", "<a><b nil='0'/></a>"}};
    arena_init(&a, 0);
    rig_begin("control: a tree that differs in one thing is seen");
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        CHECK(sage100__xml_plain(x, str_of(pairs[i][0]), &a, &one) && sage100__xml_full(x, str_of(pairs[i][1]), &a, &two, why, sizeof why) == ERR_OK && !xml_same_tree(one, two) && xml_same_tree(one, one),
              "%s and %s", pairs[i][0], pairs[i][1]);
    }
    rig_end();
    arena_free(&a);
    sage100__xml_close(x);
}

int main(void)
{
    documents();
    limits();
    control();
    return rig_exit();
}
