/*
 * sage_test.c: the model of Sage 100 against its own sheet: data, stamps, keys, errors, locks, hashes, faults, script.
 */
#include "sage_client.h"

static void test_data(void)
{
    struct sage_sim *s = make(3000, 5), *t = make(3000, 5), *u = make(3000, 6);
    struct client c;
    client_start(&c, s, "customers", 250);
    verdict(reads_all(&c) && c.delivered == 3000, "full pass reads every customer once", against_truth(&c));
    char *a = sage_sim_row(s, "ABC", "customers", "02~AAAAA"), *b = sage_sim_row(t, "ABC", "customers", "02~AAAAA");
    char *d = sage_sim_row(u, "ABC", "customers", "10~C-000001"), *e = sage_sim_row(s, "ABC", "customers", "10~C-000001");
    verdict((!a && !b) || (a && b && strcmp(a, b) == 0), "same seed, same row", "differs");
    verdict(d && e && strcmp(d, e) != 0, "another seed, another row", "same");
    verdict(!strstr(e, "EncryptedVals") && !strstr(e, "CreditCardGUID") && strstr(e, "DefaultCreditCardPmtType"), "barred columns are dropped", e);
    char *secret = sage_sim_value(s, "ABC", "customers", "10~C-000001", "CreditCardGUID");
    verdict(secret != NULL, "barred columns exist behind the door", "no value");
    for (int i = SAGE_CUSTOMERS + 1; i < SAGE_RESOURCES; i++) {
        if (!sage__tables[i].resource)
            continue;
        client_end(&c);
        client_start(&c, s, sage__tables[i].resource, 97);
        bool all = reads_all(&c) && c.delivered > 0;
        verdict(all, format("full pass of %s", sage__tables[i].resource), against_truth(&c));
    }
    client_end(&c);
    free(a), free(b), free(d), free(e), free(secret);
    sage_sim_free(s), sage_sim_free(t), sage_sim_free(u);
}

struct shape {
    struct sage_sim *sim;
    int blank_stamps, late_time, status[3], accents, blank_names, too_long;
    int64_t last;
};

static bool measure(void *ctx, const char *key)
{
    struct shape *x = ctx;
    char *json = sage_sim_row(x->sim, "ABC", "customers", key);
    json_t *row = json_loads(json, 0, NULL), *f = json_object_get(row, "fields");
    const char *name = text(f, "CustomerName"), *status = text(f, "CustomerStatus");
    x->blank_stamps += json_is_null(json_object_get(f, "DateUpdated")) && json_is_null(json_object_get(f, "DateCreated"));
    x->late_time += text(f, "TimeUpdated")[0] == '9';
    x->status[*status == 'A' ? 0 : *status == 'I' ? 1 : 2]++;
    x->blank_names += !*name;
    x->too_long += sage__characters(name, strlen(name)) > 50 || strlen(text(f, "TelephoneNo")) > 20;
    for (; *name; name++)
        x->accents += (unsigned char)*name >= 0xc3;
    json_decref(row);
    free(json);
    return true;
}

static void test_shape(void)
{
    struct shape x = {.sim = make(2000, 11)};
    sage_sim_each_key(x.sim, "ABC", "customers", measure, &x);
    verdict(x.blank_stamps > 20 && x.blank_stamps < 120, "some rows without stamps", format("%d", x.blank_stamps));
    verdict(x.late_time > 50, "hours are not zero padded", format("%d", x.late_time));
    verdict(x.status[0] > 1700 && x.status[1] > 60 && x.status[2] > 10, "statuses mostly active", format("%d %d %d", x.status[0], x.status[1], x.status[2]));
    verdict(x.accents > 100 && !x.blank_names && !x.too_long, "names have accents, are there and fit", format("%d %d %d", x.accents, x.blank_names, x.too_long));
    sage_sim_free(x.sim);
}

static void test_stamps(void)
{
    verdict(sage__position("20240312", 8, "15.5", 4) == 202403121550000, "position of 15.5", "");
    verdict(sage__position("20240312", 8, "8.49238", 7) == 202403120849238, "position of 8.49238", "");
    verdict(sage__position("20240312", 8, "8.492385", 8) == 202403120849239, "six decimals round half up", "");
    verdict(sage__position("20240312", 8, "8.4923849", 9) == 202403120849238, "seven decimals round down", "");
    verdict(sage__position("20240312", 8, "23.999999", 9) == 202403122400000, "rounding reaches 24", "");
    verdict(sage__position("", 0, "", 0) == 0 && sage__position("20240312", 8, "", 0) == 202403120000000, "blank is 0", "");
    struct sage_zone z;
    verdict(sage__zone_parse("America/Chicago", &z) && sage__zone_offset(&z, 1730613600000 - 1) == -300 &&
                sage__zone_offset(&z, 1730617200000) == -360,
            "offset changes on 2024-11-03", "");
    verdict(sage__zone_to_utc(&z, 1730597400000) == 1730615400000, "an hour that occurs twice: the first", "");
    verdict(sage__zone_parse("Australia/Sydney", &z) && sage__zone_offset(&z, 1704067200000) == 660 && sage__zone_offset(&z, 1720000000000) == 600,
            "southern summer", "");
    verdict(!sage__zone_parse("Nowhere/At_All", &z) && !sage__zone_parse("X", &z), "unknown zone", "");
}

static void test_cursor_errors(void)
{
    struct sage_sim *s = make(50, 9);
    struct client c;
    char other[SAGE_CURSOR_MAX + 1];
    client_start(&c, s, "customers", 10);
    page(&c);
    snprintf(other, sizeof other, "%s", c.next);
    verdict(fails(s, format("/v1/companies/ABC/vendors?since=%s", other), 400, "bad_request"), "cursor of another resource", "");
    verdict(fails(s, "/v1/companies/ABC/customers?since=!!", 400, "bad_request"), "malformed cursor", "");
    verdict(fails(s, "/v1/companies/ABC/customers?since=", 400, "bad_request"), "empty cursor", "");
    other[strlen(other) / 2] ^= 1;
    verdict(fails(s, format("/v1/companies/ABC/customers?since=%s", other), 400, "bad_request"), "damaged cursor", "");
    verdict(fails(s, "/v1/companies/ABC/customers?since=djA6YWJj", 410, "cursor_expired"), "cursor of another format", "");
    sage_sim_renew_epoch(s, "ABC");
    verdict(fails(s, format("/v1/companies/ABC/customers?since=%s", c.next), 410, "cursor_expired"), "cursor of another epoch", "");
    client_end(&c);
    sage_sim_free(s);
}

static void test_errors(void)
{
    struct sage_sim *s = make(50, 9);
    struct reply r = ask_with(s, "GET", "/v1/health", NULL, "Bearer wrong");
    verdict(r.http.status == 401, "401 on every path", "");
    done(&r);
    verdict(fails(s, "/v1/companies/XYZ/customers", 404, "unknown_company"), "unknown company", "");
    verdict(fails(s, "/v1/companies/ABC/ar-payments", 404, "unknown_resource"), "unknown resource", "");
    verdict(fails(s, "/v1/nothing", 404, "not_found"), "unknown path", "");
    verdict(fails(s, "/v1/companies/ABC/customers?limit=0", 400, "bad_request") && fails(s, "/v1/companies/ABC/customers?limit=1001", 400, "bad_request") &&
                fails(s, "/v1/companies/ABC/customers?limit=ten", 400, "bad_request") && fails(s, "/v1/companies/ABC/customers/keys?limit=10001", 400, "bad_request"),
            "limits", "");
    verdict(fails(s, "/v1/companies/ABC/customers/01", 400, "bad_request"), "key with too few parts", "");
    verdict(fails(s, "/v1/companies/ABC/customers/01~GONE", 404, "not_found"), "no such row", "");
    sage_sim_do(s, "{\"do\":\"access\",\"resource\":\"vendors\",\"denied\":true}", NULL);
    verdict(fails(s, "/v1/companies/ABC/vendors", 403, "no_task_access"), "no access to the task", "");
    sage_sim_do(s, "{\"do\":\"opens\",\"opens\":false,\"error\":\"File is being used\"}", NULL);
    verdict(fails(s, "/v1/companies/ABC/customers", 503, "busy"), "a company that does not open is busy", "");
    sage_sim_do(s, "{\"do\":\"opens\",\"opens\":true}", NULL);
    struct sage_fault f = {.on = "keys", .kind = "status", .code = "slow_down", .retry_after_s = 7, .times = 1, .skip = 1};
    sage_sim_fault(s, &f);
    r = ask(s, "/v1/companies/ABC/customers/keys");
    verdict(r.http.status == 200, "a fault lets requests pass first", "");
    done(&r);
    r = ask(s, "/v1/companies/ABC/customers/keys");
    verdict(r.http.status == 429 && json_integer_value(json_object_get(json_object_get(r.json, "error"), "retryAfter")) == 7, "429 with retryAfter", "");
    done(&r);
    r = ask(s, "/v1/companies/ABC/customers/keys");
    verdict(r.http.status == 200 && sage_sim_count(s, "keys") == 4, "and ends", format("%d", (int)sage_sim_count(s, "keys")));
    done(&r);
    sage_sim_free(s);
}

static void test_keys(void)
{
    struct sage_sim *s = make(700, 12);
    char after[512] = "", target[1024];
    size_t n = 0;
    bool ascending = true, more = true;
    sage_sim_insert(s, "ABC", "customers", "02~A~B/C %?\xc3\x89", NULL, NULL);
    sage_sim_insert(s, "ABC", "sales-orders", "keys", NULL, NULL);
    sage_sim_delete(s, "ABC", "customers", "10~C-000001");
    while (more) {
        struct sage_buf b = {0};
        sage__puts(&b, "/v1/companies/ABC/customers/keys?limit=33");
        if (*after)
            sage__puts(&b, "&after=");
        for (const char *p = after; *p; p++)
            sage__putf(&b, "%%%02X", (unsigned char)*p);
        struct reply r = ask(s, b.p);
        free(b.p);
        const json_t *keys = json_object_get(r.json, "keys");
        for (size_t i = 0; i < json_array_size(keys); i++, n++) {
            char *key = join(json_array_get(keys, i));
            ascending = ascending && (strchr(key, '~') - key == 2) && strcmp(key, after) > 0;
            snprintf(after, sizeof after, "%s", key);
            free(key);
        }
        more = json_is_false(json_object_get(r.json, "complete"));
        ascending = ascending && json_is_null(json_object_get(r.json, "next")) == !more;
        done(&r);
    }
    verdict(n == 700 && ascending, "key sweep: all, ascending, next null at the end", format("%zu", n));
    snprintf(target, sizeof target, "/v1/companies/ABC/customers/02~A~B%%2FC%%20%%25%%3F%%C3%%89");
    struct reply r = ask(s, target);
    verdict(r.http.status == 200, "a key full of odd characters", target);
    done(&r);
    r = ask_with(s, "POST", "/v1/companies/ABC/sales-orders:batchGet", "{\"keys\":[[\"keys\"],[\"nope\"],[\"keys\"]]}", "Bearer tok");
    verdict(json_array_size(json_object_get(r.json, "rows")) == 1 && json_array_size(json_object_get(r.json, "missing")) == 1, "batchGet reads the row named keys, each key once", "");
    done(&r);
    sage_sim_vanish(s, "ABC", "customers", 1000);
    r = ask(s, "/v1/companies/ABC/customers/keys");
    verdict(json_array_size(json_object_get(r.json, "keys")) == 0 && json_is_true(json_object_get(r.json, "complete")), "an emptied table", "");
    done(&r);
    sage_sim_free(s);
}

static void test_locks_and_lines(void)
{
    struct sage_sim *s = make(100, 2);
    verdict(sage_sim_lock(s, "ABC", "customers", "10~C-000001", 2, 0), "lock", "");
    verdict(fails(s, "/v1/companies/ABC/customers/10~C-000001", 423, "locked"), "423", "");
    struct reply r = ask(s, "/v1/companies/ABC/customers?limit=1000");
    verdict(json_array_size(json_object_get(r.json, "rows")) == 99 && json_array_size(json_object_get(r.json, "locked")) == 1, "locked rows stand apart", "");
    done(&r);
    r = ask(s, "/v1/companies/ABC/customers/10~C-000001");
    verdict(r.http.status == 200, "unlocked after its reads", "");
    done(&r);
    sage_sim_lock(s, "ABC", "customers", "10~C-000001", 0, 5000);
    verdict(fails(s, "/v1/companies/ABC/customers/10~C-000001", 423, "locked"), "locked until a time", "");
    virtual_ms += 5001;
    r = ask(s, "/v1/companies/ABC/customers/10~C-000001");
    verdict(r.http.status == 200, "and then free", "");
    done(&r);
    r = ask(s, "/v1/companies/ABC/sales-orders?limit=1");
    json_t *row = json_array_get(json_object_get(r.json, "rows"), 0);
    char *order = join(json_object_get(row, "key")), *before = sage__copy(text(row, "hash"));
    verdict(json_array_size(json_object_get(row, "lines")) >= 1, "orders have lines", "");
    done(&r);
    sage_sim_edit(s, "ABC", "sales-orders:lines", format("%s~000001", order), "ItemCode", "CHANGED", SAGE_STAMP_KEPT);
    char *json = sage_sim_row(s, "ABC", "sales-orders", order);
    verdict(json && strstr(json, "CHANGED") && !strstr(json, before), "a changed line changes the hash", "");
    free(json), free(before), free(order);
    sage_sim_free(s);
}

static void test_hash(void)
{
    struct sage_sim *s = make(20, 2);
    char *a = sage_sim_row(s, "ABC", "customers", "10~C-000001");
    sage_sim_stamp(s, "ABC", "customers", "10~C-000001", "20240501", "7.25", true);
    sage_sim_edit(s, "ABC", "customers", "10~C-000001", "CreditCardGUID", "X", SAGE_STAMP_KEPT);
    char *b = sage_sim_row(s, "ABC", "customers", "10~C-000001");
    sage_sim_edit(s, "ABC", "customers", "10~C-000001", "UDF_TIER", "Z", SAGE_STAMP_NOW);
    char *c = sage_sim_row(s, "ABC", "customers", "10~C-000001");
    json_t *ja = json_loads(a, 0, NULL), *jb = json_loads(b, 0, NULL), *jc = json_loads(c, 0, NULL);
    verdict(strcmp(text(ja, "hash"), text(jb, "hash")) == 0, "stamps and barred columns are not content", "");
    verdict(strcmp(text(jb, "hash"), text(jc, "hash")) != 0, "a UDF is", "");
    verdict(strcmp(text(json_object_get(jb, "updated"), "utc"), "2024-05-01T12:15:00Z") == 0, "utc of a stamp", text(json_object_get(jb, "updated"), "utc"));
    json_decref(ja), json_decref(jb), json_decref(jc);
    free(a), free(b), free(c);
    sage_sim_free(s);
}

static void test_state(void)
{
    const char *path = "/tmp/sage_test_state.tmp";
    remove(path);
    struct sage_sim *s = make(50, 2);
    bool good = sage_sim_state(s, path);
    sage_sim_do(s, "{\"do\":\"edit\",\"resource\":\"customers\",\"key\":\"10~C-000001\",\"fields\":{\"City\":\"Moved\"}}", NULL);
    sage_sim_do(s, "{\"do\":\"churn\",\"resource\":\"customers\",\"count\":40}", NULL);
    sage_sim_do(s, "{\"do\":\"epoch\"}", NULL);
    char *a = sage_sim_row(s, "ABC", "customers", "10~C-000001");
    struct reply ra = ask(s, "/v1/companies/ABC/customers?limit=1000"), rb;
    sage_sim_free(s);
    s = make(50, 2);
    good = good && sage_sim_state(s, path);
    char *b = sage_sim_row(s, "ABC", "customers", "10~C-000001");
    rb = ask(s, "/v1/companies/ABC/customers?limit=1000");
    verdict(good && ((!a && !b) || strcmp(a, b) == 0) && strcmp(ra.http.body, rb.http.body) == 0, "a restart of the process keeps the company", b ? b : "");
    done(&ra), done(&rb);
    free(a), free(b);
    sage_sim_free(s);
    remove(path);
}

static void test_faults(void)
{
    struct sage_sim *s = make(50, 2);
    static const char *const kinds[] = {"drop_before", "drop_after", "cut", "truncate", "delay", "unknown", "garbage", "empty", "empty_page", "short_page"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct sage_fault f = {.on = "changed", .kind = kinds[i], .times = 1, .delay_ms = 40};
        sage_sim_fault(s, &f);
        struct reply r = ask(s, "/v1/companies/ABC/customers?limit=20");
        bool good[] = {r.http.fate == SIM_DROPPED_BEFORE,
                       r.http.fate == SIM_DROPPED_AFTER,
                       r.http.cut_at > 0 && r.http.cut_at < r.http.body_len,
                       r.http.status == 200 && !r.json,
                       r.http.delay_ms == 40 && r.json,
                       r.json && json_object_get(r.json, "xTrace"),
                       r.http.status == 200 && !r.json,
                       r.http.status == 200 && !r.http.body_len,
                       json_array_size(json_object_get(r.json, "rows")) == 0 && json_is_false(json_object_get(r.json, "complete")),
                       json_array_size(json_object_get(r.json, "rows")) == 1};
        verdict(good[i], format("fault %s", kinds[i]), "");
        done(&r);
    }
    struct sage_fault bad = {.on = "changed", .kind = "nonsense"};
    verdict(!sage_sim_fault(s, &bad), "unknown faults are refused", "");
    sage_sim_free(s);
}

static void test_script(void)
{
    struct sage_sim *s = make(50, 2);
    struct reply r = ask_with(s, "POST", "/__sim/edit", "{\"resource\":\"customers\",\"key\":\"10~C-000001\",\"fields\":{\"CreditLimit\":\"-12.50\"},\"after_ms\":1000}", "");
    char *now = sage_sim_value(s, "ABC", "customers", "10~C-000001", "CreditLimit");
    verdict(r.http.status == 200 && now && strcmp(now, "-12.50") != 0, "a command for later waits", now);
    done(&r);
    free(now);
    virtual_ms += 1001;
    r = ask(s, "/__sim/value?resource=customers&key=10~C-000001&column=CreditLimit");
    verdict(r.http.body && strcmp(r.http.body, "\"-12.50\"") == 0, "and comes", r.http.body);
    done(&r);
    r = ask_with(s, "POST", "/__sim/nonsense", "{}", "");
    verdict(r.http.status == 400, "unknown commands are refused", "");
    done(&r);
    sage_sim_free(s);
}

int main(void)
{
    test_stamps();
    test_data();
    test_shape();
    test_cursor_errors();
    test_errors();
    test_keys();
    test_locks_and_lines();
    test_hash();
    test_state();
    test_faults();
    test_script();
    return failures != 0;
}
