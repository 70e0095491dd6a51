/* soap_hostile_test.c - a service description in its parts, a reply and a fault of eBusiness Web Services with every element left out, doubled, emptied or filled
 * with something else, and every attribute changed, through the whole door: fetch and probe. The rest is what the model of the service says. Whatever comes, a key that was asked for is in exactly one list or the call
 * failed with a sentence; a record is never believed gone, since nobody said so; the password is in no text. */
#include "rig.h"
#include "base/buf.h"

#define PASSWORD "canary-soap-password-2f81"

enum { PARTS = 12 };
struct service {
    struct sim_model model;                       /* what is not changed comes from here */
    struct { char target[200]; struct buf body; } part[PARTS];
    size_t nparts;
    struct buf reply;                             /* of a customer, as the model gives it */
    const char *target;                           /* the part of the description that is changed; NULL: the reply */
    struct str changed;
    int status;                                   /* of a changed reply */
};
static struct service service;

static void keep_part(const char *target, const struct sim_response *resp)
{
    for (size_t i = 0; i < service.nparts; i++)
        if (strcmp(service.part[i].target, target) == 0) return;
    if (service.nparts == PARTS || resp->status != 200) return;
    (void)snprintf(service.part[service.nparts].target, sizeof service.part[0].target, "%s", target);
    buf_put(&service.part[service.nparts++].body, resp->body, resp->body_len);
}

static void handle(void *self, const struct sim_request *req, struct sim_response *resp)
{
    bool get = strcmp(req->method, "GET") == 0, ours = service.changed.p && (service.target ? get && strcmp(req->target, service.target) == 0
                                                                             : !get && memmem(req->body, req->body_len, "GetCustomer", 11));
    (void)self;
    if (ours) {
        resp->status = get ? 200 : service.status;
        sim_response_body(resp, service.changed.n ? service.changed.p : "", service.changed.n, "text/xml; charset=utf-8");
        return;
    }
    service.model.handle(service.model.self, req, resp);
    if (get) keep_part(req->target, resp);
    else if (service.reply.n == 0 && memmem(req->body, req->body_len, "GetCustomer", 11)) buf_put(&service.reply, resp->body, resp->body_len);
}

struct tally { unsigned offered, tried, taken; bool good; char why[1200]; };

static void add(void *ctx, const struct finding *f)
{
    struct tally *t = ctx;
    if (strstr(f->text, PASSWORD) || !f->text[0]) t->good = false;
}

static struct rig r;

static void ask(struct str changed, unsigned variant, struct tally *t)
{
    struct source_page p = {.rows = NULL};
    struct source_query q = rig_customers();
    struct source_key k = rig_key2("01", "ABF");
    struct finding_sink sink = {add, t};
    service.changed = changed;
    rig_set(&r, "soap_null_date", variant & 1 ? "1753-01-01" : "");
    rig_set(&r, "soap_logon", variant & 2 ? "user,password" : "");
    rig_open(&r);
    enum err e = sage_source_ops.fetch(r.s, &q, &k, 1, &r.a, &p, &r.f);
    bool good = e == ERR_OK ? p.nrows + p.nlocked == 1 && p.nmissing == 0 : r.f.text[0] && !strstr(r.f.text, PASSWORD);
    for (size_t c = 0; good && e == ERR_OK && p.nrows && !p.rows[0].violation && c < q.ncolumns; c++) good = type_admits(&q.columns[c].type, &p.rows[0].cols[c], NULL, 0);
    if (!good && t->good) snprintf(t->why, sizeof t->why, "variant %u, %s %s, %zu missing: %.*s", variant, err_name(e), r.f.text, p.nmissing, (int)(changed.n < 300 ? changed.n : 300), changed.p);
    if (t->tried % 8 == 0) (void)sage_source_ops.probe(r.s, &q, 1, &sink, &r.f);
    t->good = t->good && good;
    t->tried++;
    t->taken += e == ERR_OK;
    sage_source_ops.close(r.s);
    r.s = NULL;
    service.changed = (struct str){NULL, 0};
    arena_reset(&r.a);
}

/* Behind the element whose tag begins at p: well-formed texts without comments or sections only. */
static const char *element_end(const char *p, const char *end)
{
    int depth = 0;
    while (p < end) {
        const char *gt = memchr(p, '>', (size_t)(end - p));
        if (!gt) return NULL;
        if (p[1] == '/') depth--;
        else if (gt[-1] != '/' && p[1] != '?') depth++;
        p = gt + 1;
        if (depth == 0) return p;
        p = memchr(p, '<', (size_t)(end - p));
        if (!p) return NULL;
    }
    return NULL;
}

static void splice(struct buf *b, struct str doc, const char *from, const char *to, const char *with, size_t n)
{
    buf_clear(b);
    buf_put(b, doc.p, (size_t)(from - doc.p));
    buf_put(b, with, n);
    buf_put(b, to, (size_t)(doc.p + doc.n - to));
}

typedef void tell_fn(void *ctx, struct str doc);

/* Each element left out, doubled, emptied, filled; each attribute's value changed. */
static void mutate(struct str doc, tell_fn *tell, void *ctx)
{
    static const char *const fills[] = {"", "x", "-1", "2024-13-45T99:00:00", "<zz/>", "&#9;&amp;", "true", "false", "1", "0", "Y", "+1.500", "+", "0.000", ".", "7.", " x \n", " \t\r\n", "2024-03-12T15:30:00.1234567",
                                        "2024-03-12T1a:30:00", "2024-03-12T15-30-00", "2024-03-12 15:30:00", "2024/03/12T15:30:00", "1753-01-01T00:00:00", "0001-01-01T00:00:00", "UDF_REGION$", "UDF_REGION"};
    static const char *const values[] = {"", "x", "q:none", "http://elsewhere.test/x?y"};
    struct buf b = {0};
    const char *end = doc.p + doc.n;
    for (const char *p = doc.p; (p = memchr(p, '<', (size_t)(end - p))); p++) {
        const char *gt = memchr(p, '>', (size_t)(end - p)), *after = p[1] == '/' || p[1] == '?' ? NULL : element_end(p, end);
        if (!gt || !after) continue;
        splice(&b, doc, p, after, "", 0);
        tell(ctx, buf_view(&b));
        splice(&b, doc, p, p, p, (size_t)(after - p));
        tell(ctx, buf_view(&b));
        const char *close = after - 1;
        while (*close != '<') close--;
        for (size_t i = 0; close > gt && i < sizeof fills / sizeof *fills; i++) {
            splice(&b, doc, gt + 1, close, fills[i], strlen(fills[i]));
            tell(ctx, buf_view(&b));
        }
        for (const char *v = p; (v = memchr(v, '"', (size_t)(gt - v)));) {
            const char *to = memchr(v + 1, '"', (size_t)(gt - v - 1));
            if (!to) break;
            for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
                splice(&b, doc, v + 1, to, values[i], strlen(values[i]));
                tell(ctx, buf_view(&b));
            }
            v = to + 1;
        }
    }
    buf_free(&b);
}

/* Of long documents each fourth change: their elements are much alike. */
static void tell(void *ctx, struct str doc)
{
    struct tally *t = ctx;
    if (!service.target || doc.n < 8000 || t->offered++ % 4 == 0) ask(doc, t->tried & 3, t);
}

static void all_of(const char *name, const char *target, struct str doc, int status, unsigned least)
{
    struct tally t = {.good = true};
    rig_begin(name);
    service.target = target;
    service.status = status;
    CHECK(doc.n > 0, "nothing to change");
    mutate(doc, tell, &t);
    CHECK(t.good && t.tried >= least && t.taken < t.tried, "%u tried, %u taken: %s", t.tried, t.taken, t.why);
    rig_end();
    printf("# %s: %u tried, %u taken\n", name, t.tried, t.taken);
}

static struct str seed(struct arena *a, const char *name)
{
    struct world w;
    struct fault f;
    struct str text = {"", 0};
    world_real(&w);
    (void)world_read_file(&w, arena_printf(a, "tests/fuzz/seeds/soap/%s", name), 1 << 20, a, &text, &f);
    return text.n ? (struct str){text.p + 1, text.n - 1} : text;          /* the first byte says what it is */
}

int main(void)
{
    struct arena a;
    struct sage_sim_options o;
    struct tally good = {.good = true};
    arena_init(&a, 0);
    rig_world(&r);
    rig_use_soap_only(&r);
    rig_set(&r, "login", "websvc\n" PASSWORD "\n");
    sage_sim_options_default(&o);
    o.customers = 5;
    o.password = PASSWORD;
    rig_model(&r, &o);
    service.model = sage_sim_model(r.sage);
    sim_loop_mount(r.loop, AGENT_URL, (struct sim_model){&service, handle});
    rig_begin("control: unchanged, the record comes");
    CHECK(sage_sim_insert(r.sage, "ABC", "customers", "01~ABF", NULL, NULL), "insert");
    ask((struct str){NULL, 0}, 0, &good);
    CHECK(good.taken == 1 && service.nparts > 1 && service.reply.n > 0, "%zu parts, %s", service.nparts, r.f.text);
    rig_end();
    size_t n = service.nparts;
    for (size_t i = 0; i < n; i++)
        all_of(arena_printf(&a, "part %zu of the description", i + 1), service.part[i].target, buf_view(&service.part[i].body), 200, 20);
    all_of("the model's reply", NULL, buf_view(&service.reply), 200, 500);
    all_of("a reply", NULL, seed(&a, "reply.xml"), 200, 100);
    all_of("a fault: locked", NULL, seed(&a, "fault_acilocked.xml"), 500, 50);
    all_of("a fault of the service", NULL, seed(&a, "fault_afaultcode.xml"), 500, 50);
    buf_free(&service.reply);
    for (size_t i = 0; i < service.nparts; i++) buf_free(&service.part[i].body);
    sage_sim_free(r.sage);
    sim_loop_free(r.loop);
    arena_free(&r.a);
    arena_free(&a);
    return rig_exit();
}
