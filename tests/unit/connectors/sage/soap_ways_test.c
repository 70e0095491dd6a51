/* soap_ways_test.c - the ways out of the SOAP door that are no answer about a record: texts that XML cannot carry, a stop, a service that stays busy or is not asked any more, a description
 * that does not come; keys asked for twice, stored positions that are not ours, how many keys make a page, and pages whose keys the agent names. */
#include "rig.h"
#include "connectors/sage/sage.h"
#include <unistd.h>

#define PASSWORD "canary-soap-password-91c4"

static const struct source_ops *ops = &sage_source_ops;
static struct rig r;
static struct source_page page;

static enum err fetch_one(void)
{
    struct source_query q = rig_customers();
    struct source_key k = rig_key2("01", "ABF");
    page = (struct source_page){.rows = NULL};
    return ops->fetch(r.s, &q, &k, 1, &r.a, &page, &r.f);
}

static enum err page_of(unsigned page_rows, struct str cursor)
{
    struct source_query q = rig_customers();
    q.via = STR("soap");
    q.page_rows = page_rows;
    page = (struct source_page){.rows = NULL};
    return ops->page(r.s, &q, cursor, &r.a, &page, &r.f);
}

/* ---- what cannot be sent ---- */

static void unsendable(void)
{
    static const struct { const char *what, *login; bool sent; } logins[] = {
        {"a user name with a control character", "web\x01svc\n" PASSWORD, false}, {"a password with one", "websvc\n" PASSWORD "\x02", false}, {"a password that is no UTF-8", "websvc\n" PASSWORD "\xff", false},
        {"a password with a tab", "websvc\n" PASSWORD "\tx", true}};
    for (size_t i = 0; i < sizeof logins / sizeof *logins; i++) {
        struct canned c = {.status = 401, .body = "x", .type = "text/plain"};
        rig_begin(logins[i].what);
        rig_world(&r);
        rig_use_soap_only(&r);
        rig_set(&r, "soap_wsdl", "none");
        rig_set(&r, "soap_null_date", "1753-01-01T00:00:00");          /* asked for without signing in */
        rig_set(&r, "login", logins[i].login);
        rig_canned(&r, &c);
        rig_open(&r);
        enum err e = fetch_one();
        CHECK(e == (logins[i].sent ? ERR_AUTH : ERR_REJECTED), "%s %s", err_name(e), r.f.text);
        CHECK((c.asked > 0) == logins[i].sent, "asked %u times: %s %s", c.asked, c.target, c.request);
        CHECK(logins[i].sent || strstr(r.f.text, "XML cannot carry"), "%s", r.f.text);
        CHECK(!strstr(r.f.text, PASSWORD), "the password stands in the message");
        rig_close(&r);
        rig_end();
    }
}

/* ---- calls that end without an answer ---- */

static void set_stop(void *ctx)
{
    struct rig *rig = ctx;
    rig->stop = 1;
}

static void busy_rig(struct canned *c, const char *null_date)
{
    *c = (struct canned){.status = 503, .body = "x", .type = "text/plain"};
    rig_world(&r);
    rig_use_soap_only(&r);
    rig_set(&r, "soap_wsdl", "none");
    rig_set(&r, "soap_null_date", null_date);
    rig_canned(&r, c);
    rig_open(&r);
}

static void stopped(void)
{
    static const char *const null_dates[] = {"", "1753-01-01T00:00:00"};
    for (size_t i = 0; i < 2; i++) {
        struct canned c;
        rig_begin(i == 0 ? "a stop while the null date is asked for" : "a stop while a record is asked for");
        busy_rig(&c, null_dates[i]);
        sim_loop_at(r.loop, 100, set_stop, &r);
        int64_t before = sim_loop_now_ms(r.loop);
        CHECK(fetch_one() == ERR_STOPPED && strstr(r.f.text, "source erp"), "%s", r.f.text);
        CHECK(sim_loop_now_ms(r.loop) - before < 5000, "%lld ms", (long long)(sim_loop_now_ms(r.loop) - before));
        CHECK(strstr(c.request, i == 0 ? "GetContractInformation" : "GetCustomer"), "%.200s", c.request);
        CHECK(page.nrows + page.nlocked + page.nmissing == 0, "nothing is concluded");
        rig_close(&r);
        rig_end();
    }
}

static void stays_busy(void)
{
    struct canned c;
    rig_begin("a service that stays busy is left alone for a while, and said to be busy");
    busy_rig(&c, "1753-01-01T00:00:00");
    for (int i = 0; i < 2; i++) CHECK(fetch_one() == ERR_BUSY && strstr(r.f.text, "application pool"), "%d: %s", i, r.f.text);
    unsigned asked = c.asked;
    CHECK(fetch_one() == ERR_BUSY && strstr(r.f.text, "source erp: ") && strstr(r.f.text, "not tried"), "%s", r.f.text);
    CHECK(c.asked == asked && page.nlocked == 0, "asked %u times more", c.asked - asked);
    rig_close(&r);
    rig_end();
    rig_begin("the null date of a busy service");
    busy_rig(&c, "");
    CHECK(fetch_one() == ERR_BUSY && strstr(c.request, "GetContractInformation") && !strstr(c.request, "GetCustomer"), "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void model_rig(bool soap_only)
{
    struct sage_sim_options o;
    rig_world(&r);
    if (soap_only) rig_use_soap_only(&r);
    rig_set(&r, "soap", SOAP_URL);
    rig_set(&r, "login", "websvc\nwebsvc-password");
    sage_sim_options_default(&o);
    o.customers = 120;
    rig_model(&r, &o);
    rig_open(&r);
}

static void contract_call(void)
{
    rig_begin("a service that does not know how we ask for the null date: the description is read anew");
    model_rig(true);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "GetContractInformation", .kind = "soap_fault", .code = "ActionNotSupported", .message = "x", .times = 1});
    CHECK(fetch_one() == ERR_PROTOCOL && strstr(r.f.text, "SOAPAction"), "%s", r.f.text);
    uint64_t read = sage_sim_count(r.sage, "wsdl");
    CHECK(fetch_one() == ERR_OK && page.nrows + page.nmissing == 1 && sage_sim_count(r.sage, "wsdl") > read, "%s", r.f.text);
    rig_close(&r);
    rig_end();
    rig_begin("a service whose description does not come for a while");
    model_rig(true);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "wsdl", .kind = "status", .status = 503, .times = 2});
    CHECK(fetch_one() == ERR_OK && r.notes >= 2, "after %u repeats: %s", r.notes, r.f.text);
    rig_reopen(&r);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "wsdl", .kind = "status", .status = 503});
    CHECK(fetch_one() == ERR_BUSY && sage_sim_count(r.sage, "GetContractInformation") == 1, "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void untyped(void *self, const struct sim_request *req, struct sim_response *resp)
{
    (void)self;
    (void)req;
    resp->status = 200;
    sim_response_body(resp, "<x/>", 4, NULL);
}

static void no_type(void)
{
    rig_begin("a description without a content type is read");
    rig_world(&r);
    rig_use_soap_only(&r);
    sim_loop_mount(r.loop, AGENT_URL, (struct sim_model){NULL, untyped});
    rig_open(&r);
    CHECK(fetch_one() == ERR_PROTOCOL && strstr(r.f.text, "none of our operations"), "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

/* ---- keys and positions ---- */

static void twice(void)
{
    rig_begin("a key that is asked for twice is asked once, and comes once");
    model_rig(true);
    struct source_query q = rig_customers();
    struct rig_keys *all = rig_all(&r, "customers");
    struct source_key a = rig_split(&r.a, all->text[0], 2), b = rig_split(&r.a, all->text[1], 2), keys[] = {a, b, a, rig_key2("01", "GONE"), b, rig_key2("01", "GONE")};
    CHECK(ops->fetch(r.s, &q, keys, 6, &r.a, &page, &r.f) == ERR_OK && page.nrows == 2 && page.nmissing == 1, "%zu rows, %zu missing %s", page.nrows, page.nmissing, r.f.text);
    CHECK(strcmp(rig_key_text(&r.a, &page.rows[0].key), all->text[0]) == 0 && strcmp(rig_key_text(&r.a, &page.rows[1].key), all->text[1]) == 0, "in order");
    CHECK(sage_sim_count(r.sage, "GetCustomer") == 3, "%llu calls", (unsigned long long)sage_sim_count(r.sage, "GetCustomer"));
    rig_close(&r);
    rig_end();
}

static char path[] = "/tmp/sage-soap-ways-XXXXXX";

/* A file of the model's keys, one with a blank division, and others that are not there: n in all. */
static void list_rig(size_t n)
{
    model_rig(true);
    struct rig_keys *all = rig_all(&r, "customers");
    FILE *f = fopen(path, "w");
    if (!f) abort();
    fputs("\"\",A\n", f);
    for (size_t i = 1; i < n; i++) {
        struct source_key k = i <= all->n ? rig_split(&r.a, all->text[i - 1], 2) : rig_key2("99", arena_printf(&r.a, "G%zu", i));
        fprintf(f, "\"%.*s\",\"%.*s\"\n", (int)k.part[0].n, k.part[0].p, (int)k.part[1].n, k.part[1].p);
    }
    fclose(f);
    rig_set(&r, "keys", path);
    rig_reopen(&r);
}

static void positions(void)
{
    struct str none = {"", 0};
    rig_begin("stored positions that are damaged or another's are expired, not followed");
    list_rig(20);
    CHECK(page_of(4, none) == ERR_OK && !page.complete && page.nrows == 3, "the one with a blank division is not there: %zu %s", page.nrows, r.f.text);
    struct str next = page.next;
    const char *good = arena_copy(&r.a, next.p, next.n);
    size_t hash = strlen("~mlc-keys~"), dot = hash + 16;
    CHECK(next.n == dot + 2 && good[dot] == '.' && good[dot + 1] == '4', "%.*s", (int)next.n, next.p);
    for (size_t n = 1; n < next.n; n++) CHECK(page_of(4, (struct str){good, n}) == ERR_EXPIRED, "cut to %zu", n);
    const char *bad[] = {arena_printf(&r.a, "%.*s:4", (int)dot, good), arena_printf(&r.a, "%.*s.x", (int)dot, good), arena_printf(&r.a, "%.*s.-4", (int)dot, good), arena_printf(&r.a, "%.*s.21", (int)dot, good),
                         arena_printf(&r.a, "%.*s.99999999999999999999", (int)dot, good), arena_printf(&r.a, "%.*s0000000000000000.4", (int)hash, good)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(page_of(4, str_of(bad[i])) == ERR_EXPIRED && strstr(r.f.text, "pass"), "%s: %s", bad[i], r.f.text);
        struct source_query q = rig_customers();
        CHECK(ops->keys(r.s, &q, str_of(bad[i]), &r.a, &page, &r.f) == ERR_EXPIRED, "sweep from %s: %s", bad[i], r.f.text);
    }
    CHECK(page_of(4, str_of(arena_printf(&r.a, "%.*s.20", (int)dot, good))) == ERR_OK && page.complete && page.nrows == 0, "behind the last one: %s", r.f.text);
    CHECK(page_of(4, (struct str){good, next.n}) == ERR_OK && page.nrows == 4, "the true one goes on: %s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void page_sizes(void)
{
    static const struct { unsigned rows; uint64_t keys; } sizes[] = {{0, 50}, {7, 7}, {250, 250}, {1000, 250}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char name[60];
        snprintf(name, sizeof name, "a page of %u rows by a list", sizes[i].rows);
        rig_begin(name);
        list_rig(300);
        CHECK(page_of(sizes[i].rows, (struct str){"", 0}) == ERR_OK && !page.complete, "%s", r.f.text);
        CHECK(sage_sim_count(r.sage, "GetCustomer") == sizes[i].keys, "%llu calls", (unsigned long long)sage_sim_count(r.sage, "GetCustomer"));
        rig_close(&r);
        rig_end();
    }
}

/* ---- the agent names the keys ---- */

static void by_agent(void)
{
    static const struct { unsigned rows; size_t keys; bool complete; } sizes[] = {{0, 50, false}, {9, 9, false}, {1000, 120, true}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char name[60];
        snprintf(name, sizeof name, "a page of %u rows whose keys the agent names", sizes[i].rows);
        rig_begin(name);
        model_rig(false);
        CHECK(page_of(sizes[i].rows, (struct str){"", 0}) == ERR_OK, "%s", r.f.text);
        CHECK(page.nrows == sizes[i].keys && page.complete == sizes[i].complete && sage_sim_count(r.sage, "GetCustomer") == sizes[i].keys, "%zu rows, complete %d", page.nrows, page.complete);
        rig_close(&r);
        rig_end();
    }
    rig_begin("the agent fails: no call of SOAP, and no row");
    model_rig(false);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "agent", .kind = "status", .status = 404});
    enum err e = page_of(10, (struct str){"", 0});
    CHECK(e != ERR_OK && r.f.text[0] && page.nrows == 0 && sage_sim_count(r.sage, "GetCustomer") == 0, "%s %s", err_name(e), r.f.text);
    rig_close(&r);
    rig_end();
    rig_begin("SOAP fails behind the agent's keys: the page fails, and the cursor stays");
    model_rig(false);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "GetCustomer", .kind = "status", .status = 401, .skip = 3});
    CHECK(page_of(10, (struct str){"", 0}) == ERR_AUTH && page.nrows == 0 && page.next.n == 0, "%zu rows %s", page.nrows, r.f.text);
    rig_close(&r);
    rig_end();
}

static bool is_among(const struct source_key *keys, size_t n, const char *want)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rig_key_text(&r.a, &keys[i]), want) == 0) return true;
    return false;
}

static void locked_for_both(void)
{
    rig_begin("a record that is locked for the agent and one that is locked for SOAP are both told");
    model_rig(false);
    struct rig_keys *all = rig_all(&r, "customers");
    CHECK(sage_sim_lock(r.sage, "ABC", "customers", all->text[3], 0, 3600000), "lock");
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "GetCustomer", .kind = "soap_fault", .code = "x", .message = "The record is in use by JDOE.", .times = 1});
    CHECK(page_of(1000, (struct str){"", 0}) == ERR_OK && page.nlocked == 2 && page.nrows == all->n - 2, "%zu rows, %zu locked %s", page.nrows, page.nlocked, r.f.text);
    CHECK(is_among(page.locked, page.nlocked, all->text[3]), "the agent's");
    for (size_t i = 0; i < page.nlocked; i++)
        for (size_t k = 0; k < page.nrows; k++) CHECK(!sage100__key_eq(&page.rows[k].key, &page.locked[i]), "%s is a row and locked", rig_key_text(&r.a, &page.locked[i]));
    rig_close(&r);
    rig_end();
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    unsendable();
    stopped();
    stays_busy();
    contract_call();
    no_type();
    twice();
    positions();
    page_sizes();
    by_agent();
    locked_for_both();
    (void)unlink(path);
    return rig_exit();
}
