/*
 * sage_cursor_test.c: the property that the cursor of the agent protocol promises: a naive client that stores rows and
 * follows `next` ends with the truth under paging, equal stamps, late commits, locks, restarts and clock changes.
 */
#include "sage_client.h"

static void test_ties_and_restart(void)
{
    struct sage_sim *s = make(600, 3);
    struct client c;
    for (int i = 0; i < 90; i++)
        sage_sim_insert(s, "ABC", "customers", format("01~Z%03d", i), "20240401", "9.5");
    sage_sim_insert(s, "ABC", "customers", "01~ZZBLANK", "", "");
    sage_sim_insert(s, "ABC", "customers", "01~ZZLATE", "20240401", "10.1");
    client_start(&c, s, "customers", 7);
    int n = 0;
    while (page(&c))
        if (++n % 3 == 0)
            sage_sim_restart(s);
    verdict(!*against_truth(&c) && c.delivered == 692, "equal stamps, small pages, restarts: every row once", against_truth(&c));
    size_t before = c.delivered;
    while (page(&c))
        ;
    verdict(c.delivered <= before + 1, "a second pass brings next to nothing", format("%zu", c.delivered - before));
    client_end(&c);
    sage_sim_free(s);
}

static void test_late_commit(void)
{
    struct sage_sim *s = make(300, 4);
    struct client c;
    client_start(&c, s, "customers", 50);
    reads_all(&c);
    sage_sim_insert(s, "ABC", "customers", "01~NOW", NULL, NULL);
    while (page(&c))
        ;
    sage_sim_do(s, "{\"do\":\"late\",\"resource\":\"customers\",\"key\":\"01~LATE\",\"minutes\":9}", NULL);
    sage_sim_do(s, "{\"do\":\"late\",\"resource\":\"customers\",\"key\":\"10~C-000003\",\"minutes\":8,\"fields\":{\"City\":\"Late\"}}", NULL);
    while (page(&c))
        ;
    verdict(!*against_truth(&c), "late commits within the overlap arrive", against_truth(&c));
    sage_sim_do(s, "{\"do\":\"late\",\"resource\":\"customers\",\"key\":\"01~TOOLATE\",\"minutes\":30}", NULL);
    while (page(&c))
        ;
    verdict(!json_object_get(c.rows, "01~TOOLATE"), "later than the overlap is missed: only the key sweep finds it", "");
    client_end(&c);
    client_start(&c, s, "customers", 50);
    sage_sim_stamp(s, "ABC", "customers", "01~NOW", "20991231", "1", false);
    reads_all(&c);
    sage_sim_insert(s, "ABC", "customers", "01~AFTER", NULL, NULL);
    while (page(&c))
        ;
    verdict(!*against_truth(&c), "a stamp in the future does not drag the cursor along", against_truth(&c));
    client_end(&c);
    sage_sim_free(s);
}

// Random life while a client reads: pages of random size, restarts, locks, late commits within the overlap.
static void property(uint64_t seed, const char *resource)
{
    struct sage_sim *s = make(400, seed);
    struct client c;
    uint64_t h = seed;
    char churn[128];
    client_start(&c, s, resource, 1);
    for (int round = 0; round < 25; round++) {
        bool more = true;
        for (int i = 0; i < 400 && more; i++) {
            h = sage__mix(h + 1);
            c.limit = 1 + (int)(h % 90);
            more = page(&c);
            virtual_ms += (int64_t)(h >> 20) % 60000;
            if ((h >> 8) % 3 == 0) {
                snprintf(churn, sizeof churn, "{\"do\":\"churn\",\"resource\":\"%s\",\"count\":%d}", resource, (int)(h >> 12) % 12);
                sage_sim_do(s, churn, NULL);
            }
            if ((h >> 30) % 7 == 0)
                sage_sim_restart(s);
        }
        virtual_ms += (int64_t)(h >> 33) % 7200000;
    }
    while (page(&c))
        ;
    fetch_locked(&c);
    struct comparison x = {.client = &c};
    sage_sim_each_key(s, "ABC", resource, compare, &x);
    // edits that keep their stamp are not covered by the cursor: a full pass must find exactly those
    verdict(!c.broken && !x.missing, format("life under a client, seed %llu: %s", (unsigned long long)seed, resource), format("missing %zu as %s", x.missing, x.example));
    *c.next = 0;
    while (page(&c))
        ;
    fetch_locked(&c);
    const char *why = against_truth(&c);
    verdict(!*why, format("full pass mends the rest, seed %llu: %s", (unsigned long long)seed, resource), why);
    client_end(&c);
    sage_sim_free(s);
}

// Every change moves its stamp, or comes late but within the overlap: the cursor alone must find all of them.
static void stamped_life(uint64_t seed)
{
    struct sage_sim *s = make(200, seed);
    struct client c;
    uint64_t h = seed;
    client_start(&c, s, "customers", 1);
    for (int i = 0; i < 900; i++) {
        h = sage__mix(h + 1);
        c.limit = 1 + (int)(h % 40);
        page(&c);
        const char *key = format("10~C-%06d", (int)(h >> 8) % 30), *city = format("City %d", i);
        sage_sim_edit(s, "ABC", "customers", key, "City", city, SAGE_STAMP_NOW);
        if ((h >> 20) % 4 == 0)
            sage_sim_do(s, format("{\"do\":\"late\",\"resource\":\"customers\",\"key\":\"%s\",\"minutes\":%d}", key, (int)(h >> 24) % 9), NULL);
        virtual_ms += (int64_t)(h >> 40) % 40000;
    }
    for (int pass = 0; pass < 2; pass++) // the first ends the pass that is under way, the second begins at its ceiling
        while (page(&c))
            ;
    const char *why = against_truth(&c);
    verdict(!*why, format("every stamped change arrives by the cursor, seed %llu", (unsigned long long)seed), why);
    client_end(&c);
    sage_sim_free(s);
}

static void test_daylight(void)
{
    struct sage_sim *s = make(100, 8);
    struct client c;
    int64_t keep_ms = virtual_ms;
    virtual_ms = 1730613600000 - 30 * 60000; // half an hour before the hour repeats
    client_start(&c, s, "customers", 40);
    reads_all(&c);
    for (int i = 0; i < 20; i++) {
        sage_sim_insert(s, "ABC", "customers", format("01~D%02d", i), NULL, NULL);
        virtual_ms += 7 * 60000;
        while (page(&c))
            ;
    }
    verdict(!*against_truth(&c), "the repeated hour loses nothing", against_truth(&c));
    client_end(&c);
    sage_sim_free(s);
    virtual_ms = keep_ms;
}

static void test_no_audit(void)
{
    struct sage_sim *s = make(200, 2);
    struct client c;
    sage_sim_do(s, "{\"do\":\"access\",\"resource\":\"customers\",\"audit\":false}", NULL);
    client_start(&c, s, "customers", 30);
    verdict(reads_all(&c) && c.delivered == 200, "without stamps: a pass lists all by key", against_truth(&c));
    verdict(reads_all(&c) && c.delivered == 400, "and the next one again", "");
    struct reply r = ask(s, "/v1/companies/ABC/customers?limit=1");
    json_t *row = json_array_get(json_object_get(r.json, "rows"), 0);
    verdict(json_is_null(json_object_get(row, "updated")) && !json_object_get(json_object_get(row, "fields"), "DateUpdated"), "updated is null", "");
    done(&r);
    r = ask(s, "/v1/companies/ABC/schema/customers");
    verdict(json_is_false(json_object_get(r.json, "audit")), "and the schema says so", "");
    done(&r);
    client_end(&c);
    sage_sim_free(s);
}

static void test_pass_shape(void)
{
    struct sage_sim *s = make(40, 2);
    struct reply r = ask(s, "/v1/companies/ABC/customers?limit=10");
    char *as_of = sage__copy(text(r.json, "asOf")), *next = sage__copy(text(r.json, "next"));
    verdict(json_integer_value(json_object_get(r.json, "tzOffsetMinutes")) == -360 && json_is_object(json_object_get(r.json, "highWater")), "offset and high water", "");
    done(&r);
    virtual_ms += 90000;
    r = ask(s, format("/v1/companies/ABC/customers?limit=1000&since=%s", next));
    verdict(strcmp(text(r.json, "asOf"), as_of) == 0, "asOf is the start of the pass on every page", "");
    free(next);
    next = sage__copy(text(r.json, "next"));
    done(&r);
    r = ask(s, format("/v1/companies/ABC/customers?since=%s", next));
    verdict(strcmp(text(r.json, "asOf"), as_of) != 0 && json_array_size(json_object_get(r.json, "rows")) == 0 && json_is_true(json_object_get(r.json, "complete")), "a new pass, empty", "");
    done(&r);
    r = ask(s, "/v1/companies/ABC/schema/sales-orders");
    verdict(strcmp(text(json_object_get(r.json, "lines"), "table"), "SO_SalesOrderDetail") == 0 && !strstr(r.http.body, "MagneticStrip"), "schema with lines, without barred columns", "");
    done(&r);
    sage_sim_vanish(s, "ABC", "customers", 1000);
    r = ask(s, "/v1/companies/ABC/customers");
    verdict(json_is_null(json_object_get(r.json, "highWater")), "high water is null before the first row", "");
    done(&r);
    free(as_of), free(next);
    sage_sim_free(s);
}

int main(void)
{
    test_ties_and_restart();
    test_late_commit();
    for (uint64_t seed = 1; seed <= 4; seed++)
        property(seed, "customers");
    property(5, "contacts");
    property(6, "sales-orders");
    for (uint64_t seed = 21; seed <= 28; seed++)
        stamped_life(seed);
    test_daylight();
    test_no_audit();
    test_pass_shape();
    return failures != 0;
}
