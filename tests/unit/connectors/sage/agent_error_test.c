/* What goes wrong on the wire to the agent: every row of facts/sage-100.md 9.7 on every kind of question, repeats and their pace, broken answers,
 * slow ones, large ones, no host, no trust. */
#include "rig.h"

static const struct source_ops *ops = &sage_source_ops;
enum ask { ASK_PAGE, ASK_KEYS, ASK_BATCH, ASK_ROW, ASKS };
static const char *const endpoint[ASKS] = {"changed", "keys", "batch", "row"};

static enum err ask(struct rig *r, enum ask what, struct source_page *p)
{
    struct source_query q = rig_customers();
    struct source_key k[2] = {rig_key2("01", "NOSUCH1"), rig_key2("01", "NOSUCH2")};
    switch (what) {
    case ASK_PAGE: return ops->page(r->s, &q, (struct str){"", 0}, &r->a, p, &r->f);
    case ASK_KEYS: return ops->keys(r->s, &q, (struct str){"", 0}, &r->a, p, &r->f);
    case ASK_BATCH: return ops->fetch(r->s, &q, k, 2, &r->a, p, &r->f);
    case ASK_ROW: case ASKS: default: return ops->fetch(r->s, &q, k, 1, &r->a, p, &r->f);
    }
}

/* ---- the table ---- */

static void table(void)
{
    static const struct { const char *code; bool repeated; enum err err, row_err; } rows[] = {
        {"bad_request", false, ERR_PROTOCOL, ERR_PROTOCOL},     {"unauthorized", false, ERR_AUTH, ERR_AUTH},
        {"no_task_access", false, ERR_PERMISSION, ERR_PERMISSION}, {"not_found", false, ERR_NOT_FOUND, ERR_OK},
        {"unknown_company", false, ERR_CONFIG, ERR_CONFIG},     {"unknown_resource", false, ERR_UNSUPPORTED, ERR_UNSUPPORTED},
        {"exists", false, ERR_PROTOCOL, ERR_PROTOCOL},          {"cursor_expired", false, ERR_EXPIRED, ERR_EXPIRED},
        {"invalid", false, ERR_PROTOCOL, ERR_PROTOCOL},         {"locked", false, ERR_LOCKED, ERR_OK},
        {"slow_down", true, ERR_BUSY, ERR_BUSY},                {"session_failed", true, ERR_BUSY, ERR_BUSY},
        {"busy", true, ERR_BUSY, ERR_BUSY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int what = 0; what < ASKS; what++) {
            struct rig r;
            struct source_page p;
            char name[80];
            snprintf(name, sizeof name, "%s to %s", rows[i].code, endpoint[what]);
            rig_begin(name);
            rig_agent(&r, 60);
            sage_sim_fault(r.sage, &(struct sage_fault){.on = endpoint[what], .kind = "status", .code = rows[i].code, .message = "said Sage"});
            enum err want = what == ASK_ROW ? rows[i].row_err : rows[i].err, e = ask(&r, (enum ask)what, &p);
            CHECK(e == want, "%s: %s", err_name(e), r.f.text);
            uint64_t asked = sage_sim_count(r.sage, endpoint[what]);
            CHECK(rows[i].repeated ? asked == 6 : asked == 1, "%llu calls", (unsigned long long)asked);
            CHECK(rows[i].repeated == (r.notes == 5), "%u notes", r.notes);
            if (want != ERR_OK) CHECK(strstr(r.f.text, rows[i].code) && strstr(r.f.text, "said Sage"), "%s", r.f.text);
            CHECK(!strstr(r.f.text, "agent-token"), "the token stands in a message");
            rig_close(&r);
            rig_end();
        }
}

static void recovery(void)
{
    static const char *const codes[] = {"slow_down", "session_failed", "busy"};
    for (int i = 0; i < 3; i++) {
        struct rig r;
        struct source_page p;
        char name[60];
        snprintf(name, sizeof name, "%s three times, then well", codes[i]);
        rig_begin(name);
        rig_agent(&r, 60);
        sage_sim_fault(r.sage, &(struct sage_fault){.on = "changed", .kind = "status", .code = codes[i], .times = 3, .retry_after_s = 7});
        int64_t before = sim_loop_now_ms(r.loop);
        CHECK(ask(&r, ASK_PAGE, &p) == ERR_OK && p.nrows > 0, "%s", r.f.text);
        CHECK(sim_loop_now_ms(r.loop) - before >= 21000, "three times never sooner than retryAfter: %lld ms", (long long)(sim_loop_now_ms(r.loop) - before));
        rig_close(&r);
        rig_end();
    }
}

/* The status alone decides nothing where it would be taken for a fact about records. */
static void proxies(void)
{
    static const struct { int status; enum err err; } cases[] = {{404, ERR_PROTOCOL}, {410, ERR_PROTOCOL}, {423, ERR_PROTOCOL}, {400, ERR_PROTOCOL}, {500, ERR_PROTOCOL},
        {302, ERR_PROTOCOL}, {401, ERR_AUTH}, {403, ERR_PERMISSION}, {429, ERR_BUSY}, {502, ERR_BUSY}, {503, ERR_BUSY}, {504, ERR_BUSY}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        struct source_page p;
        char name[60];
        snprintf(name, sizeof name, "status %d with a page of HTML", cases[i].status);
        rig_begin(name);
        rig_agent(&r, 60);
        sage_sim_fault(r.sage, &(struct sage_fault){.on = "agent", .kind = "status", .status = cases[i].status});
        CHECK(ask(&r, ASK_ROW, &p) == cases[i].err, "%s", r.f.text);
        CHECK(p.nmissing == 0 && p.nlocked == 0, "no conclusion about the record");
        rig_close(&r);
        rig_end();
    }
    struct rig r;
    struct source_page p;
    rig_begin("a code with another status is no answer of the protocol");
    rig_agent(&r, 60);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "row", .kind = "status", .code = "not_found", .status = 400});
    CHECK(ask(&r, ASK_ROW, &p) == ERR_PROTOCOL && p.nmissing == 0, "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

/* ---- broken, slow, large ---- */

static void broken_answers(void)
{
    static const struct { const char *on, *kind; enum ask what; enum err err; int64_t delay_ms; const char *want; } cases[] = {
        {"changed", "garbage", ASK_PAGE, ERR_PROTOCOL, 0, "byte 0"},     {"changed", "empty", ASK_PAGE, ERR_PROTOCOL, 0, "member"},
        {"changed", "truncate", ASK_PAGE, ERR_PROTOCOL, 0, "byte"},      {"changed", "cut", ASK_PAGE, ERR_UNREACHABLE, 0, "middle"},
        {"changed", "drop_before", ASK_PAGE, ERR_UNREACHABLE, 0, "closed"}, {"changed", "drop_after", ASK_PAGE, ERR_UNREACHABLE, 0, "closed"},
        {"changed", "delay", ASK_PAGE, ERR_UNREACHABLE, 400000, "time limit"}, {"changed", "unknown", ASK_PAGE, ERR_OK, 0, ""},
        {"keys", "unknown", ASK_KEYS, ERR_OK, 0, ""},                    {"changed", "short_page", ASK_PAGE, ERR_OK, 0, ""},
        {"changed", "delay", ASK_PAGE, ERR_OK, 290000, ""},              {"changed", "trickle", ASK_PAGE, ERR_OK, 2, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        struct source_page p;
        char name[80];
        snprintf(name, sizeof name, "%s: %s, %lld ms", cases[i].on, cases[i].kind, (long long)cases[i].delay_ms);
        rig_begin(name);
        rig_agent(&r, 60);
        sage_sim_fault(r.sage, &(struct sage_fault){.on = cases[i].on, .kind = cases[i].kind, .delay_ms = cases[i].delay_ms});
        enum err e = ask(&r, cases[i].what, &p);
        CHECK(e == cases[i].err, "%s: %s", err_name(e), r.f.text);
        if (cases[i].err != ERR_OK) CHECK(strstr(r.f.text, cases[i].want), "%s", r.f.text);
        rig_close(&r);
        rig_end();
    }
}

static void standing_still(void)
{
    struct rig r;
    struct source_page p;
    struct source_query q = rig_customers();
    rig_begin("an empty page at the same position is asked for again, not for ever");
    rig_agent(&r, 60);
    q.page_rows = 10;
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK, "%s", r.f.text);
    struct str at = p.next;
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "changed", .kind = "empty_page", .times = 2});
    CHECK(ops->page(r.s, &q, at, &r.a, &p, &r.f) == ERR_OK && p.nrows == 10, "%s", r.f.text);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "changed", .kind = "empty_page"});
    CHECK(ops->page(r.s, &q, at, &r.a, &p, &r.f) == ERR_PROTOCOL && strstr(r.f.text, "does not move"), "%s", r.f.text);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "keys", .kind = "empty_page"});
    CHECK(ops->keys(r.s, &q, STR("01~A"), &r.a, &p, &r.f) == ERR_PROTOCOL && strstr(r.f.text, "does not move"), "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void reads_are_repeated(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("a read that broke off is repeated");
    rig_agent(&r, 60);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "changed", .kind = "drop_after", .times = 2});
    CHECK(ask(&r, ASK_PAGE, &p) == ERR_OK && sage_sim_count(r.sage, "changed") == 3, "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

/* Pages of a megabyte a row: the answer to 250 is above the limit, so it is asked for in halves. */
static size_t put(char *at, const char *text)
{
    size_t n = strlen(text);
    memcpy(at, text, n);
    return n;
}

struct fat { unsigned limit_seen, calls; };
static void fat_handle(void *self, const struct sim_request *req, struct sim_response *resp)
{
    struct fat *fat = self;
    const char *at = strstr(req->target, "limit=");
    unsigned limit = at ? (unsigned)strtoul(at + 6, NULL, 10) : 0;
    size_t each = 1 << 20, n = 0;
    char *body = malloc((size_t)limit * (each + 100) + 200);
    if (!body) abort();
    fat->limit_seen = limit;
    fat->calls++;
    n += put(body + n, "{\"complete\":true,\"next\":\"a\",\"locked\":[],\"rows\":[");
    for (unsigned i = 0; i < limit; i++) {
        n += (size_t)snprintf(body + n, 100, "%s{\"key\":[\"%u\"],\"fields\":{\"Comment\":\"", i ? "," : "", i);
        memset(body + n, 'x', each);
        n += each;
        n += put(body + n, "\"}}");
    }
    n += put(body + n, "]}");
    resp->status = 200;
    sim_response_body(resp, body, n, "application/json");
    free(body);
}

static void oversize(void)
{
    struct rig r;
    struct fat fat = {0, 0};
    struct source_page p;
    rig_begin("an answer above the limit is asked for again in halves");
    rig_world(&r);
    sim_loop_mount(r.loop, AGENT_URL, (struct sim_model){&fat, fat_handle});
    rig_open(&r);
    struct source_query q = rig_terms();
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK, "%s", r.f.text);
    CHECK(fat.limit_seen == 63 && fat.calls == 3 && p.nrows == 63, "limit %u in call %u", fat.limit_seen, fat.calls);
    rig_close(&r);
    rig_end();
}

/* ---- reach, trust, sign in, stop ---- */

static void no_host(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("no host, then a host");
    rig_agent(&r, 60);
    sim_loop_down(r.loop, AGENT_URL, true);
    CHECK(ask(&r, ASK_PAGE, &p) == ERR_UNREACHABLE && strstr(r.f.text, "refused"), "%s", r.f.text);
    sim_loop_down(r.loop, AGENT_URL, false);
    sim_loop_advance(r.loop, 600000);
    CHECK(ask(&r, ASK_PAGE, &p) == ERR_OK, "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void trust(void)
{
    struct rig r;
    struct source_page p;
    char path[] = "/tmp/sage-rig-ca-XXXXXX";
    int fd = mkstemp(path);
    static const char pem[] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    rig_begin("a private certificate needs the trust anchor");
    CHECK(fd >= 0, "mkstemp");
    FILE *file = fdopen(fd, "w");
    fwrite(pem, 1, sizeof pem - 1, file);
    fclose(file);
    rig_agent(&r, 60);
    sim_loop_private_ca(r.loop, AGENT_URL, path);
    CHECK(ask(&r, ASK_PAGE, &p) == ERR_UNREACHABLE && strstr(r.f.text, "certificate"), "%s", r.f.text);
    rig_set(&r, "trust", path);
    rig_reopen(&r);
    CHECK(ask(&r, ASK_PAGE, &p) == ERR_OK, "%s", r.f.text);
    rig_close(&r);
    remove(path);
    rig_end();
}

static void identities(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("wrong token, wrong company, a table that the agent lacks, one that nobody knows, a wrong key");
    rig_agent(&r, 60);
    struct source_query q = rig_customers();
    q.company = STR("XYZ");
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_CONFIG && strstr(r.f.text, "company"), "%s", r.f.text);
    q.company = STR("AB");
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_CONFIG, "%s", r.f.text);
    q = rig_customers();
    q.company = (struct str){"", 0};
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK, "the company of the settings: %s", r.f.text);
    static const struct str payment_key[] = {{"ARDivisionNo", 12}, {"CustomerNo", 10}, {"InvoiceNo", 9}, {"InvoiceType", 11}, {"TransactionDate", 15}, {"SequenceNo", 10}};
    q = (struct source_query){.entity = STR("AR_TransactionPaymentHistory"), .company = STR("ABC"), .key_columns = payment_key, .nkeys = 6};
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_UNSUPPORTED && strstr(r.f.text, "unknown_resource"), "%s", r.f.text);
    q.entity = STR("SY_User");
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_UNSUPPORTED, "%s", r.f.text);
    q = rig_customers();
    q.nkeys = 1;
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_CONFIG && strstr(r.f.text, "key"), "%s", r.f.text);
    q = rig_customers();
    q.via = STR("odbc");
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_CONFIG, "%s", r.f.text);
    q.via = STR("soap");
    CHECK(ops->page(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_CONFIG && strstr(r.f.text, "`soap` is not set"), "%s", r.f.text);
    rig_set(&r, "token", "another");
    rig_reopen(&r);
    CHECK(ask(&r, ASK_PAGE, &p) == ERR_AUTH && strstr(r.f.text, "token"), "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void set_stop(void *ctx)
{
    struct rig *r = ctx;
    r->stop = 1;
}

static void stop(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("a stop ends the waiting between two attempts");
    rig_agent(&r, 60);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "changed", .kind = "status", .code = "busy", .retry_after_s = 50});
    sim_loop_at(r.loop, 2000, set_stop, &r);
    int64_t before = sim_loop_now_ms(r.loop);
    CHECK(ask(&r, ASK_PAGE, &p) == ERR_STOPPED, "%s", r.f.text);
    CHECK(sim_loop_now_ms(r.loop) - before < 5000, "%lld ms", (long long)(sim_loop_now_ms(r.loop) - before));
    rig_close(&r);
    rig_end();
}

int main(void)
{
    table();
    recovery();
    proxies();
    broken_answers();
    standing_still();
    reads_are_repeated();
    oversize();
    no_host();
    trust();
    identities();
    stop();
    return rig_exit();
}
