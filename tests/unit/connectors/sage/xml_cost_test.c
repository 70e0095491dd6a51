/* xml_cost_test.c - what XML that means harm may cost: four times the bytes are at most ten times the work (sixteen would be
 * quadratic; tables that double come in steps), for texts made to turn a reader quadratic, below the
 * limits and at them. The work is counted three ways: allocations of libxml2 and their bytes, bytes in our arena (both against bounds that are linear
 * in the text), and processor time of this thread: the least of many runs of each size, in turns, so that what else the machine does is not counted.
 * Under AddressSanitizer, whose allocator has costs of its own, the time is not judged.
 *
 * Control: a reader that is quadratic on purpose is found so. And nothing that a text says opens a file or the network: a name in it would be asked for. */
#include "connectors/sage/xml.h"
#include "rig.h"
#include <libxml/parser.h>
#include <libxml/xmlIO.h>
#include <malloc.h>
#include <time.h>
#include <unistd.h>

#ifdef SANITIZED
enum { TIME_COUNTS = 0 };
#else
enum { TIME_COUNTS = 1 };
#endif
enum { TIMES = 4, RATIO = 10, RUNS_LEAST = 8, RUNS_MOST = 120 };

/* ---- counting ---- */

static size_t allocations, allocated;
static void *counted_malloc(size_t n) { allocations++; allocated += n; return malloc(n); }
static void *counted_realloc(void *p, size_t n) { allocations++; allocated += n; return realloc(p, n); }
static void counted_free(void *p) { free(p); }
static char *counted_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = counted_malloc(n);
    if (p) memcpy(p, s, n);
    return p;
}

static int64_t thread_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

struct cost { size_t allocations, bytes, arena; int64_t us; enum err err; char why[200]; };
typedef void work_fn(struct str text, struct cost *c);

typedef enum err read_fn(struct xml_parser *x, struct str bytes, struct arena *a, struct xml_node **root, char *why, size_t why_len);

static void counted(read_fn *read, struct str text, struct cost *c)
{
    struct arena a;
    struct xml_node *root;
    struct xml_parser *x = sage100__xml_open();
    arena_init(&a, 0);
    allocations = allocated = 0;
    size_t before = mallinfo2().uordblks;
    c->err = read(x, text, &a, &root, c->why, sizeof c->why);
    c->arena = mallinfo2().uordblks - before;
    c->allocations = allocations;
    c->bytes = allocated;
    arena_free(&a);
    sage100__xml_close(x);
}

/* By guard and libxml2; and as answers are read, by the reader of ordinary ones first. */
static void parse(struct str text, struct cost *c) { counted(sage100__xml_full, text, c); }
static void parse_answer(struct str text, struct cost *c) { counted(sage100__xml_read, text, c); }

/* Quadratic on purpose: for each '<' it counts those before it. */
static void parse_badly(struct str text, struct cost *c)
{
    size_t sum = 0;
    for (size_t i = 0; i < text.n; i += 64)
        for (size_t k = 0; k < i; k += 64) sum += (unsigned char)text.p[k] ^ i;
    *c = (struct cost){.allocations = sum % 2, .bytes = 1, .arena = 1, .err = ERR_OK};
}

/* One more run; the least time counts. */
static void run(work_fn *work, struct str text, struct cost *best)
{
    struct cost c = {0};
    int64_t from = thread_us();
    work(text, &c);
    c.us = thread_us() - from;
    if (c.us < best->us) *best = c;
}

/* ---- texts ---- */

struct attack { const char *name, *head, *unit, *tail; size_t times; enum err want; };     /* in unit @ becomes a running number */

static void text_of(struct buf *b, const struct attack *a, size_t times)
{
    buf_clear(b);
    buf_puts(b, a->head);
    for (size_t i = 0; i < times; i++)
        for (const char *c = a->unit; *c; c++) {
            if (*c == '@') buf_printf(b, "%zu", i);
            else buf_byte(b, (unsigned char)*c);
        }
    buf_puts(b, a->tail);
}

/* Of the bytes that came: an allocation for four of them, twenty times as much memory in libxml2, eighty times (a node for "<a/>") in the arena. */
static bool bounded(const struct cost *c, size_t n)
{
    return c->allocations <= n / 4 + 1000 && c->bytes <= 20 * n + (512u << 10) && c->arena <= 80 * n + (64u << 10);
}

static bool measure(work_fn *work, const struct attack *a, char *said, size_t cap)
{
    struct buf one = {0}, two = {0};
    text_of(&one, a, a->times);
    text_of(&two, a, a->times * TIMES);
    struct cost c1 = {.us = INT64_MAX}, c2 = {.us = INT64_MAX};
    bool good = false;
    for (int i = 0; i < RUNS_MOST && !(good && i >= RUNS_LEAST); i++) {
        run(work, buf_view(&one), &c1);
        run(work, buf_view(&two), &c2);
        good = c1.err == a->want && c2.err == a->want && bounded(&c1, one.n) && bounded(&c2, two.n) && (!TIME_COUNTS || c2.us <= c1.us * RATIO);
    }
    (void)snprintf(said, cap, "%zu -> %zu bytes: %zu -> %zu allocations of %zu -> %zu bytes, arena %zu -> %zu, %lld -> %lld us; %s %s", one.n, two.n, c1.allocations, c2.allocations,
                   c1.bytes, c2.bytes, c1.arena, c2.arena, (long long)c1.us, (long long)c2.us, err_name(c2.err), c2.err == ERR_OK ? "" : c2.why);
    buf_free(&one);
    buf_free(&two);
    return good;
}

#define NS16 " xmlns:a@='u' xmlns:b@='u' xmlns:c@='u' xmlns:d@='u' xmlns:e@='u' xmlns:f@='u' xmlns:g@='u' xmlns:h@='u'"
static const struct attack attacks[] = {
    {"siblings", "<r>", "<a/>", "</r>", 10000, ERR_OK},
    {"siblings of one name and text", "<r>", "<a>text</a>", "</r>", 5000, ERR_OK},
    {"siblings of many names", "<r>", "<n@/>", "</r>", 4000, ERR_OK},
    {"attributes", "<r>", "<a b='' c='' d='' e='' f='' g='' h='' i='' j='' k='' l='' m='' n='' o='' p='' q=''/>", "</r>", 1000, ERR_OK},
    {"attributes of many names", "<r>", "<a b@='' c@='' d@='' e@='' f@='' g@='' h@='' i@=''/>", "</r>", 1000, ERR_OK},
    {"names that hash alike", "<r>", "<a Aa='' BB='' AaAa='' AaBB='' BBAa='' BBBB='' AaAaAa='' AaAaBB='' AaBBAa='' AaBBBB='' BBAaAa='' BBAaBB='' BBBBAa='' BBBBBB=''/>", "</r>", 1000, ERR_OK},
    {"namespaces, one each", "<r>", "<a:b xmlns:a='u@'/>", "</r>", 2500, ERR_OK},
    {"namespaces, sixteen each", "<r>", "<a xmlns:a='u' xmlns:b='u' xmlns:c='u' xmlns:d='u' xmlns:e='u' xmlns:f='u' xmlns:g='u' xmlns:h='u' c:x='' d:y='' e:z=''/>", "</r>", 1000, ERR_OK},
    {"prefixes looked up behind 60 namespaces",
     "<r xmlns:p='u' xmlns:a='1' xmlns:b='1' xmlns:c='1' xmlns:d='1' xmlns:e='1' xmlns:f='1' xmlns:g='1' xmlns:h='1' xmlns:i='1' xmlns:j='1' xmlns:k='1' xmlns:l='1' xmlns:m='1' xmlns:n='1' "
     "xmlns:o='1' xmlns:q='1' xmlns:r='1' xmlns:s='1' xmlns:t='1' xmlns:u='1' xmlns:v='1' xmlns:w='1' xmlns:x='1' xmlns:y='1' xmlns:z='1' xmlns:aa='1' xmlns:ab='1' xmlns:ac='1' xmlns:ad='1'>",
     "<p:q p:a='' p:b='' p:c='' p:d='' p:e='' p:f='' p:g='' p:h=''/>", "</r>", 1500, ERR_OK},
    {"one long text", "<r>", "0123456789abcdef0123456789abcdef", "</r>", 15000, ERR_OK},
    {"text in pieces", "<r>", "a&amp;b", "</r>", 10000, ERR_OK},
    {"character references", "<r>", "&#65;&#x1F600;", "</r>", 10000, ERR_OK},
    {"text between elements", "<r>", "text<a/>text", "</r>", 5000, ERR_OK},
    {"CDATA in pieces", "<r>", "<![CDATA[x]]>", "</r>", 10000, ERR_OK},
    {"one long CDATA", "<r><![CDATA[", "]] >0123456789]", "]]></r>", 20000, ERR_OK},
    {"comments", "<r>", "<!-- c -->", "</r>", 10000, ERR_OK},
    {"one long comment", "<r><!-- ", "- - - - - - - - ", "x--></r>", 20000, ERR_OK},
    {"instructions", "<r>", "<?p i?>", "</r>", 10000, ERR_OK},
    {"one long instruction", "<r><?p ", "? ? ? ? ? ? ? ? ", "?></r>", 20000, ERR_OK},
    {"blanks", "<r>", "                ", "</r>", 20000, ERR_OK},
    {"down and up", "<r>", "<a><b><c><d><e><f><g><h/></g></f></e></d></c></b></a>", "</r>", 1000, ERR_OK},
    {"long attributes", "<r>", "<a b='0123456789012345678901234567890123456789&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;0123456789'/>", "</r>", 2000, ERR_OK},
    {"brackets that close nothing", "<r>", "]]&gt;>>>>", "</r>", 10000, ERR_OK},
    {"a quote that hides brackets", "<r>", "<a b='>>>>>>>>>>>>>>>>'/>", "</r>", 2500, ERR_OK},
    {"not closed", "<r>", "<a/>", "", 10000, ERR_PROTOCOL},
    {"comments that do not end", "<r>", "<!-", "</r>", 10000, ERR_PROTOCOL},
    {"openings", "<r>", "<", "", 25000, ERR_PROTOCOL},
    {"entities", "<r>", "&e@;", "</r>", 10000, ERR_PROTOCOL},
    {"ampersands", "<r>", "&", "</r>", 25000, ERR_PROTOCOL},
    {"namespaces within namespaces", "", "<a" NS16 ">", "", 20, ERR_PROTOCOL},
};

static void growth(void)
{
    char said[600];
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        rig_begin(attacks[i].name);
        CHECK(measure(parse, &attacks[i], said, sizeof said), "%s", said);
        CHECK(measure(parse_answer, &attacks[i], said, sizeof said), "as an answer: %s", said);
        rig_end();
    }
    rig_begin("control: a quadratic reader is found");
    CHECK(!TIME_COUNTS || !measure(parse_badly, &attacks[0], said, sizeof said), "%s", said);
    rig_end();
}

/* At the limits: the dearest texts that get in, of 16 MiB, have to end within seconds. */
static void at_the_limits(void)
{
    struct buf b = {0};
    struct cost c = {0};
    rig_begin("the dearest text that gets in: 256 namespaces in scope, two million prefixes");
    for (int k = 0; k < 4; k++) {
        buf_puts(&b, k ? "<a" : "<r");
        for (int i = 0; i < 63; i++) buf_printf(&b, " xmlns:%c%d='u'", 'p' + k, i);
        buf_puts(&b, ">");
    }
    for (size_t i = 0; i < 190000 && b.n < XML_BYTES_MAX - 1000; i++) buf_puts(&b, "<b p0:a='' p0:b='' p0:c='' p0:d='' p0:e='' p0:f='' p0:g='' p0:h=''/>");
    buf_puts(&b, "</a></a></a></r>");
    int64_t from = thread_us();
    parse(buf_view(&b), &c);
    int64_t ms = (thread_us() - from) / 1000;
    CHECK(c.err == ERR_OK && ms < 12000 && c.arena < 40 * (size_t)XML_BYTES_MAX, "%s, %lld ms, %zu bytes of %zu", c.err == ERR_OK ? "read" : c.why, (long long)ms, c.arena, b.n);
    rig_end();
    printf("# %zu bytes: %lld ms, %zu KiB\n", b.n, (long long)ms, c.arena >> 10);
    buf_clear(&b);
    rig_begin("257 namespaces in scope are refused, 256 one after the other are not");
    for (int k = 0; k < 5; k++) {
        buf_puts(&b, "<a");
        for (int i = 0; i < 60; i++) buf_printf(&b, " xmlns:%c%d='u'", 'p' + k, i);
        buf_puts(&b, ">");
    }
    buf_puts(&b, "</a></a></a></a></a>");
    parse(buf_view(&b), &c);
    CHECK(c.err == ERR_PROTOCOL && strstr(c.why, "namespaces"), "%s", c.why);
    buf_clear(&b);
    buf_puts(&b, "<r>");
    for (int k = 0; k < 1000; k++) buf_puts(&b, "<a xmlns='u' xmlns:b='v'><b:c xmlns:d='w'/></a>");
    buf_puts(&b, "</r>");
    parse(buf_view(&b), &c);
    CHECK(c.err == ERR_OK, "%s", c.why);
    rig_end();
    buf_free(&b);
}

/* ---- nothing outside is asked for ---- */

static unsigned opened;
static int match_all(const char *name) { (void)name; return 1; }
static void *open_any(const char *name)
{
    (void)name;
    opened++;
    return NULL;
}
static int read_none(void *ctx, char *p, int n) { (void)ctx, (void)p, (void)n; return 0; }
static int close_none(void *ctx) { (void)ctx; return 0; }

static void outside(void)
{
    static const char *const texts[] = {
        "<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/x.dtd'><a/>", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/p'>%p;]><a/>", "<!DOCTYPE a PUBLIC '-//X' 'file:///etc/hostname'><a/>",
        "<?xml-stylesheet href='file:///etc/passwd' type='text/xsl'?><a/>", "<a xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='file:///etc/passwd'/></a>",
        "<a xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='u http://127.0.0.1:1/s.xsd'/>", "<?xml version='1.0' standalone='no'?><a/>"};
    rig_begin("no file and no address that a text names is opened");
    if (xmlRegisterInputCallbacks(match_all, open_any, read_none, close_none) < 0) abort();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct cost c = {0};
        parse(str_of(texts[i]), &c);
        CHECK(c.err == (strstr(texts[i], "DOCTYPE") ? ERR_PROTOCOL : ERR_OK), "%s: %s", texts[i], c.why);
    }
    CHECK(opened == 0, "%u", opened);
    rig_end();
    rig_begin("control: a reader that loads what a document type names is seen");
    xmlDocPtr d = xmlReadMemory(texts[1], (int)strlen(texts[1]), "x", NULL, XML_PARSE_NOENT | XML_PARSE_DTDLOAD | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    CHECK(opened > 0, "-");
    if (d) xmlFreeDoc(d);
    rig_end();
}

/* ---- a description of the service ---- */

static void hand_out(void *self, const struct sim_request *req, struct sim_response *resp)
{
    const struct buf *b = self;
    resp->status = strcmp(req->method, "GET") == 0 ? 200 : 500;
    sim_response_body(resp, resp->status == 200 ? b->p : "<x/>", resp->status == 200 ? b->n : 4, "text/xml");
}

static int64_t description(size_t elements, char *said, size_t cap)
{
    struct buf b = {0};
    int64_t us;
    buf_puts(&b, "<w:definitions xmlns:w='http://schemas.xmlsoap.org/wsdl/' xmlns:t='u' targetNamespace='u'><w:types><x:schema xmlns:x='http://www.w3.org/2001/XMLSchema' targetNamespace='u'>"
                 "<x:element name='GetCustomer'><x:complexType><x:sequence>");
    for (size_t i = 0; i < elements; i++) buf_printf(&b, "<x:element ref='t:n%zu'/>", i);
    buf_puts(&b, "</x:sequence></x:complexType></x:element></x:schema></w:types></w:definitions>");
    struct rig r;
    struct source_page page;
    struct source_query q = rig_customers();
    struct source_key k = rig_key2("01", "ABF");
    rig_world(&r);
    rig_use_soap_only(&r);
    sim_loop_mount(r.loop, AGENT_URL, (struct sim_model){&b, hand_out});
    rig_open(&r);
    int64_t from = thread_us();
    enum err e = sage_source_ops.fetch(r.s, &q, &k, 1, &r.a, &page, &r.f);
    us = thread_us() - from;
    (void)snprintf(said, cap, "%s %s", err_name(e), r.f.text);
    rig_close(&r);
    buf_free(&b);
    return us;
}

static void descriptions(void)
{
    char said[500];
    rig_begin("a WSDL of references that lead nowhere costs what its size is");
    int64_t one = INT64_MAX, two = INT64_MAX;
    bool good = false;
    for (int i = 0; i < 30 && !(good && i >= 3); i++) {
        int64_t a = description(4000, said, sizeof said), b = description(4000 * TIMES, said, sizeof said);
        one = a < one ? a : one;
        two = b < two ? b : two;
        good = !TIME_COUNTS || two <= one * RATIO;
    }
    CHECK(good, "%lld -> %lld us, %s", (long long)one, (long long)two, said);
    rig_end();
}

int main(void)
{
    alarm(240);
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);          /* memory that was had once is kept: what the kernel does to hand it out again is not our work */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    if (xmlMemSetup(counted_free, counted_malloc, counted_realloc, counted_strdup) != 0) return 1;
    growth();
    at_the_limits();
    outside();
    descriptions();
    return rig_exit();
}
