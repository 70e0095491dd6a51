/* core_test.c - the agent's core over the stand-in for Sage: rows, pages, cursors, locks, lines, bad data, restarts. */
#include "tests/unit/agent/rig.h"

static const char customers[] =
    "*ARDivisionNo$\t*CustomerNo$\tCustomerName$\tCreditLimit\tDateEstablished$\tDateUpdated$\tTimeUpdated$\tUserUpdatedKey$\tDateCreated$\tTimeCreated$\tUserCreatedKey$\tCreditCardGUID$\tUDF_REGION$\n"
    "01\tABF\tAmerican Business Futures\t60000\t\t20240312\t15.5\t0000000001\t20200101\t8\t0000000001\tSECRET-GUID\tWEST\n"
    "01\tAVNET\tAvnet \x8akoda\t.5\t20010203\t20240310\t9.5\t0000000001\t20200101\t8\t0000000001\tSECRET-GUID\t\n"
    "02\tBLANK\tNever stamped\t\t17530101\t\t\t\t\t\t\tSECRET-GUID\t\n"
    "02\tNEW\tCreated later \x80 5\t-12.3\t2001XX\t20240101\t1\t0000000001\t20240311\t10.1\t0000000001\tSECRET-GUID\tE\xe9\n"
    "02\tZ\tFuture\t1\t\t20240312\t23.99999\t0000000001\t\t\t\tSECRET-GUID\t\n";

#define CO "/v1/companies/ABC"

static void rows(void)
{
    struct rig r;
    rig_start(&r);
    rig_table(&r, "AR_Customer", customers);
    json_t *j = rig_get(&r, CO "/customers?limit=3");
    ok_text("a row without stamps comes first in a full pass", str_of(rig_at(j, "rows.0.key.1")), "BLANK");
    ok_text("times compare as numbers, not as text", str_of(rig_at(j, "rows.1.key.1")), "AVNET");
    ok_text("the later of both stamps decides", str_of(rig_at(j, "rows.2.key.1")), "NEW");
    ok_text("not complete", str_of(rig_at(j, "complete")), "false");
    ok_text("no stamp: date", str_of(rig_at(j, "rows.0.updated.date")), "null");
    ok_text("1753-01-01 is blank", str_of(rig_at(j, "rows.0.fields.DateEstablished")), "null");
    ok_text("a blank number is null", str_of(rig_at(j, "rows.0.fields.CreditLimit")), "null");
    ok_text("a blank text is empty", str_of(rig_at(j, "rows.1.udf.UDF_REGION")), "");
    ok_text("0x8A inside a text is no separator", str_of(rig_at(j, "rows.1.fields.CustomerName")), "Avnet \xc5\xa0koda");
    ok_text("a number gets its scale and a zero", str_of(rig_at(j, "rows.1.fields.CreditLimit")), "0.50");
    ok_text("cp1252 becomes UTF-8", str_of(rig_at(j, "rows.2.fields.CustomerName")), "Created later \xe2\x82\xac 5");
    ok_text("a date that is none is passed on", str_of(rig_at(j, "rows.2.fields.DateEstablished")), "2001XX");
    ok_text("a negative number", str_of(rig_at(j, "rows.2.fields.CreditLimit")), "-12.30");
    ok_text("an integer gets its scale", str_of(rig_at(j, "rows.1.updated.date")), "20240310");
    ok_text("barred columns never leave", str_of(rig_at(j, "rows.0.fields.CreditCardGUID")), "(none)");
    ok(memmem(r.answer.body.p, r.answer.body.n, "SECRET", 6) == NULL, "nor do their values", "found");
    ok_text("highWater is where next stands", str_of(rig_at(j, "highWater.date")), "20240311");
    ok_text("and its time", str_of(rig_at(j, "highWater.time")), "10.1");
    ok_text("asOf", str_of(rig_at(j, "asOf")), "2024-03-12T22:41:07Z");
    ok_text("offset", str_of(rig_at(j, "tzOffsetMinutes")), "-300");
    ok(strlen(rig_at(j, "rows.0.hash")) == 64, "a hash of 64 hex digits", "%s", rig_at(j, "rows.0.hash"));
    json_decref(j);
    rig_is(&r, "one row", CO "/customers/01~ABF", "updated.utc", "2024-03-12T20:30:00Z");
    rig_is(&r, "an integer with scale", CO "/customers/01~ABF", "fields.CreditLimit", "60000.00");
    rig_is(&r, "a key is percent-decoded", CO "/customers/01~%41BF", "fields.CustomerName", "American Business Futures");
    rig_fails(&r, "no such row", "GET", CO "/customers/01~NOBODY", "", 404, "not_found");
    rig_fails(&r, "a key that cp1252 cannot hold", "GET", CO "/customers/01~%E4%BD%A0", "", 404, "not_found");
    rig_fails(&r, "a key with too few parts", "GET", CO "/customers/01", "", 400, "bad_request");
    rig_fails(&r, "another company", "GET", "/v1/companies/XYZ/customers", "", 404, "unknown_company");
    rig_fails(&r, "no such resource", "GET", CO "/secrets", "", 404, "unknown_resource");
    rig_fails(&r, "a resource whose object Sage does not open", "GET", CO "/vendors", "", 404, "unknown_resource");
    rig_stop(&r);
}

/* Walks a pass from `since` and gives the keys as text: "BLANK AVNET ..."; *next is the cursor at the end. */
static void walk(struct rig *r, char *next, size_t next_n, int limit, bool restart, char *out, size_t out_n)
{
    char target[700];
    out[0] = '\0';
    for (int pages = 0; pages < 40; pages++) {
        if (*next) snprintf(target, sizeof target, CO "/customers?since=%s&limit=%d", next, limit);
        else snprintf(target, sizeof target, CO "/customers?limit=%d", limit);
        json_t *j = rig_get(r, target), *row;
        size_t i, len;
        json_array_foreach(json_object_get(j, "rows"), i, row) {
            len = strlen(out);
            snprintf(out + len, out_n - len, "%s%s", len ? " " : "", rig_at(row, "key.1"));
        }
        json_array_foreach(json_object_get(j, "locked"), i, row) {
            len = strlen(out);
            snprintf(out + len, out_n - len, "%s!%s", len ? " " : "", json_string_value(json_array_get(row, 1)));
        }
        snprintf(next, next_n, "%s", rig_at(j, "next"));
        bool complete = strcmp(rig_at(j, "complete"), "true") == 0;
        json_decref(j);
        if (complete) return;
        if (restart) rig_restart(r);
    }
}

static void passes(void)
{
    struct rig r;
    char next[600] = "", seen[400], same[700];
    rig_start(&r);
    rig_table(&r, "AR_Customer", customers);
    for (int limit = 1; limit <= 6; limit++) {
        next[0] = '\0';
        walk(&r, next, sizeof next, limit, limit % 2, seen, sizeof seen);
        ok_text("a full pass in pages of any size, restarted between pages or not", str_of(seen), "BLANK AVNET NEW ABF Z");
    }
    walk(&r, next, sizeof next, 10, false, seen, sizeof seen);
    ok_text("what lies beyond the ceiling comes again", str_of(seen), "Z");
    snprintf(same, sizeof same, "%s", next);
    rig_do(&r, "set AR_Customer 01~ABF CustomerName New name");
    rig_do(&r, "set AR_Customer 01~ABF TimeUpdated 17.6");     /* 17:36, inside of the overlap of ten minutes before 17:41 */
    walk(&r, next, sizeof next, 10, false, seen, sizeof seen);
    ok_text("a change", str_of(seen), "ABF Z");
    walk(&r, same, sizeof same, 10, false, seen, sizeof seen);
    ok_text("the same cursor gives the same again", str_of(seen), "ABF Z");
    r.now_ms += 8 * 3600000;      /* past midnight: Z's stamp has come to pass */
    walk(&r, next, sizeof next, 10, false, seen, sizeof seen);
    walk(&r, next, sizeof next, 10, false, seen, sizeof seen);
    ok_text("a stamp that the clock has reached comes no more", str_of(seen), "");
    snprintf(same, sizeof same, CO "/customers?since=%s", next);
    json_t *j = rig_get(&r, same);
    ok_text("an empty page has a next", str_of(rig_at(j, "next.x")), "(none)");
    ok(strlen(rig_at(j, "next")) > 20, "even without rows", "%s", rig_at(j, "next"));
    json_decref(j);
    rig_do(&r, "delete AR_Customer 02~Z");
    rig_is(&r, "a row that is gone is left out", CO "/customers?limit=1000", "rows.3.key.1", "ABF");
    rig_stop(&r);
}

static void cursors(void)
{
    struct rig r;
    char next[600], target[1400];
    rig_start(&r);
    rig_table(&r, "AR_Customer", customers);
    rig_table(&r, "AR_CustomerContact", "*ARDivisionNo$\t*CustomerNo$\t*ContactCode$\tDateUpdated$\tTimeUpdated$\n01\tABF\tJOHN\t20240101\t1\n");
    json_t *j = rig_get(&r, CO "/customers?limit=2");
    snprintf(next, sizeof next, "%s", rig_at(j, "next"));
    json_decref(j);
    ok(strlen(next) <= 512 && strspn(next, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-") == strlen(next), "a cursor's characters", "%s", next);
    snprintf(target, sizeof target, CO "/contacts?since=%s", next);
    rig_fails(&r, "a cursor of another resource", "GET", target, "", 400, "bad_request");
    snprintf(target, sizeof target, CO "/customers?since=%s&since=%s", next, next);
    rig_fails(&r, "a cursor twice", "GET", target, "", 400, "bad_request");
    next[25] = next[25] == 'A' ? 'B' : 'A';
    snprintf(target, sizeof target, CO "/customers?since=%s", next);
    rig_fails(&r, "a spoilt cursor", "GET", target, "", 400, "bad_request");
    rig_fails(&r, "an empty cursor", "GET", CO "/customers?since=", "", 400, "bad_request");
    rig_fails(&r, "no cursor at all", "GET", CO "/customers?since=%00", "", 400, "bad_request");
    next[25] = next[25] == 'B' ? 'A' : next[25];
    agent_core_free(r.core);
    r.core = agent_core_new(&r.config, STR("ABC"), STR("another-epoch"), &r.face, &r.host);
    j = rig_get(&r, CO "/customers?limit=2");
    snprintf(target, sizeof target, CO "/customers?since=%s", rig_at(j, "next"));
    json_decref(j);
    rig_restart(&r);
    rig_fails(&r, "a cursor of another epoch", "GET", target, "", 410, "cursor_expired");
    const char *const limits[] = {"0", "1001", "-1", "abc", "", "1e3", "99999999999999999999"};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        snprintf(target, sizeof target, CO "/customers?limit=%s", limits[i]);
        rig_fails(&r, "a limit that is none", "GET", target, "", 400, "bad_request");
    }
    rig_stop(&r);
}

static void locks(void)
{
    struct rig r;
    char next[600] = "", seen[400];
    rig_start(&r);
    rig_table(&r, "AR_Customer", customers);
    for (int fails = 0; fails < 2; fails++) {
        rig_do(&r, fails ? "lock AR_Customer 02~NEW fails" : "lock AR_Customer 02~NEW");
        next[0] = '\0';
        walk(&r, next, sizeof next, 2, false, seen, sizeof seen);
        if (!fails) ok_text("a locked row stands beside the page", str_of(seen), "BLANK AVNET ABF !NEW Z");
        rig_fails(&r, "a locked row alone", "GET", CO "/customers/02~NEW", "", 423, "locked");
        json_t *j = rig_ask(&r, "POST", CO "/customers:batchGet", "{\"keys\":[[\"01\",\"ABF\"],[\"02\",\"NEW\"],[\"09\",\"GONE\"],[\"01\",\"ABF\"]],\"x\":1}");
        ok_text("batchGet: a row", str_of(rig_at(j, "rows.0.key.1")), "ABF");
        ok_text("batchGet: a key twice is one", str_of(rig_at(j, "rows.1.key.1")), "(none)");
        ok_text("batchGet: locked", str_of(rig_at(j, "locked.0.1")), "NEW");
        ok_text("batchGet: missing", str_of(rig_at(j, "missing.0.1")), "GONE");
        json_decref(j);
    }
    rig_do(&r, "unlock AR_Customer 02~NEW");
    rig_is(&r, "and comes when it is free", CO "/customers/02~NEW", "key.1", "NEW");
    static const char *const bad[] = {"", "{}", "[]", "{\"keys\":[]}", "{\"keys\":[[\"01\"]]}", "{\"keys\":[[\"01\",2]]}", "{\"keys\":[[\"01\",\"A\",\"B\"]]}", "{\"keys\":[[\"01\",\"A\"]]} x",
                                     "{\"keys\":[[\"01\",\"A\\u0000\"]]}", "{\"keys\":[[\"01\",\"A\"]],\"keys\":[[\"01\",\"A\"]]}", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) rig_fails(&r, "a body that is none", "POST", CO "/customers:batchGet", bad[i], 400, "bad_request");
    rig_stop(&r);
}

static void keys(void)
{
    struct rig r;
    rig_start(&r);
    rig_table(&r, "AR_Customer", customers);
    json_t *j = rig_get(&r, CO "/customers/keys?limit=2");
    ok_text("keys ascend", str_of(rig_at(j, "keys.1.1")), "AVNET");
    ok_text("next is the last key", str_of(rig_at(j, "next")), "01~AVNET");
    json_decref(j);
    j = rig_get(&r, CO "/customers/keys?after=01~AVNET&limit=10000");
    ok_text("after is exclusive", str_of(rig_at(j, "keys.0.1")), "BLANK");
    ok_text("complete", str_of(rig_at(j, "complete")), "true");
    ok_text("next of the last page", str_of(rig_at(j, "next")), "null");
    json_decref(j);
    rig_fails(&r, "too many", "GET", CO "/customers/keys?limit=10001", "", 400, "bad_request");
    rig_fails(&r, "no key", "GET", CO "/customers/keys?after=01", "", 400, "bad_request");
    rig_fails(&r, "lines need POST", "GET", CO "/customers:batchGet", "", 404, "not_found");
    rig_stop(&r);
}

static void lines(void)
{
    struct rig r;
    rig_start(&r);
    rig_table(&r, "SO_SalesOrderHeader", "*SalesOrderNo$\tOrderDate$\tDateUpdated$\tTimeUpdated$\n0000123\t20240301\t20240301\t1\n0000124\t20240301\t20240301\t2\n012\t\t\t\n");
    rig_table(&r, "SO_SalesOrderDetail", "*SalesOrderNo$\t*LineKey$\tItemCode$\tQuantityOrdered\n0000123\t000002\tB\t1\n0000123\t000001\tA\t2.5\n012\t000001\tC\t3\n0120\t000001\tD\t3\n");
    for (int padded = 0; padded < 2; padded++) {
        if (padded) rig_do(&r, "padded");
        rig_is(&r, "lines come in key order", CO "/sales-orders/0000123", "lines.0.key.0", "000001");
        rig_is(&r, "with their fields", CO "/sales-orders/0000123", "lines.1.fields.ItemCode", "B");
        rig_is(&r, "none", CO "/sales-orders/0000124", "lines.0", "(none)");
        rig_is(&r, "a short number gets its own lines", CO "/sales-orders/012", "lines.0.fields.ItemCode", "C");
        rig_is(&r, "and no other's", CO "/sales-orders/012", "lines.1", "(none)");
    }
    rig_is(&r, "the schema tells of the lines", CO "/schema/sales-orders", "lines.key.0", "LineKey");
    rig_do(&r, "fault sets exception 0 1 1");
    rig_fails(&r, "the session breaks at the lines", "GET", CO "/sales-orders/0000123", "", 502, "session_failed");
    ok(r.answer.broken, "and is told as broken", "not");
    rig_stop(&r);
}

static void bad_data(void)
{
    struct rig r;
    char next[600] = "", seen[400];
    rig_start(&r);
    rig_table(&r, "AR_Customer", customers);
    rig_is(&r, "opened", CO "/customers/01~ABF", "key.1", "ABF");
    rig_do(&r, "fault sets mismatch 0 0 1");
    walk(&r, next, sizeof next, 10, false, seen, sizeof seen);
    ok_text("a scan whose strings do not fit is made again", str_of(seen), "BLANK AVNET NEW ABF Z");
    rig_do(&r, "fault sets mismatch 0 0 9");
    rig_fails(&r, "but not for ever", "GET", CO "/customers", "", 502, "session_failed");
    rig_do(&r, "no_faults");
    rig_do(&r, "fault sets mismatch 0 0 100");
    rig_is(&r, "a row whose string is cut is read value by value", CO "/customers/01~ABF", "fields.CustomerName", "American Business Futures");
    rig_do(&r, "no_faults");
    rig_do(&r, "fault sets no 0 0 2 Error #0 (record/file busy)");
    next[0] = '\0';
    walk(&r, next, sizeof next, 10, false, seen, sizeof seen);
    ok_text("a scan waits for a lock", str_of(seen), "BLANK AVNET NEW ABF Z");
    ok(r.slept_ms > 0, "for a while", "%d", (int)r.slept_ms);
    rig_do(&r, "fault sets no 0 0 50 The file is locked");
    rig_fails(&r, "not for ever", "GET", CO "/customers", "", 503, "busy");
    rig_do(&r, "no_faults");
    rig_do(&r, "fault value no 0 0 1 strange");
    rig_do(&r, "fault sets cut 0 0 1");
    rig_fails(&r, "a row that cannot be read is not lost: it is told as locked", "GET", CO "/customers/01~ABF", "", 423, "locked");
    rig_do(&r, "no_faults");
    rig_do(&r, "refuse AP_Vendor_svc You are not authorized to perform this action");
    rig_fails(&r, "no access", "GET", CO "/vendors", "", 403, "no_task_access");
    rig_stop(&r);
}

static void bounds(void)
{
    struct rig r;
    struct buf t = {0};
    char next[600] = "", target[700];
    rig_start(&r);
    r.config.scan_rows = 100;
    buf_puts(&t, "*ARDivisionNo$\t*CustomerNo$\tDateUpdated$\tTimeUpdated$\n");
    for (int i = 0; i < 1000; i++) buf_printf(&t, "01\tC%05d\t20240101\t%d.%d\n", i * 7919 % 1000, i % 10, i % 7);
    rig_table(&r, "AR_Customer", buf_cstr(&t));
    buf_free(&t);
    char got[1000] = {0};
    size_t rows_seen = 0, most = 0;
    for (int page = 0; page < 100; page++) {
        if (*next) snprintf(target, sizeof target, CO "/customers?since=%s&limit=37", next);
        else snprintf(target, sizeof target, CO "/customers?limit=37");
        json_t *j = rig_get(&r, target), *row;
        size_t i;
        json_array_foreach(json_object_get(j, "rows"), i, row) {
            long n = strtol(rig_at(row, "key.1") + 1, NULL, 10);
            got[n]++;
            rows_seen++;
        }
        if (agent_core_cache_bytes(r.core) > most) most = agent_core_cache_bytes(r.core);
        snprintf(next, sizeof next, "%s", rig_at(j, "next"));
        bool complete = strcmp(rig_at(j, "complete"), "true") == 0;
        json_decref(j);
        if (complete) break;
    }
    ok(rows_seen == 1000 && memchr(got, 0, sizeof got) == NULL && memchr(got, 2, sizeof got) == NULL, "a table larger than the list: every row once", "%zu rows", rows_seen);
    ok(most > 0 && most < 20000, "the list keeps its bound", "%zu bytes", most);
    json_t *j = rig_get(&r, CO "/customers/keys?limit=150");
    ok(json_array_size(json_object_get(j, "keys")) == 100 && strcmp(rig_at(j, "complete"), "false") == 0, "keys too", "%zu", json_array_size(json_object_get(j, "keys")));
    json_decref(j);
    r.tick_ms = 2000;
    j = rig_get(&r, CO "/customers?limit=1000");
    ok(json_array_size(json_object_get(j, "rows")) < 40 && strcmp(rig_at(j, "complete"), "false") == 0, "a slow page ends early", "%zu rows",
       json_array_size(json_object_get(j, "rows")));
    json_decref(j);
    rig_stop(&r);
}

static void overlaps(void)
{
    struct rig r;
    char next[600] = "", seen[400];
    rig_start(&r);
    rig_table(&r, "AR_Customer", "*ARDivisionNo$\t*CustomerNo$\tDateUpdated$\tTimeUpdated$\n01\tA\t20241103\t0.5\n01\tB\t20241103\t1.4\n");
    r.now_ms = INT64_C(1730617200000);      /* 2024-11-03T07:00Z: 01:00 for the second time in Chicago */
    walk(&r, next, sizeof next, 10, false, seen, sizeof seen);
    walk(&r, next, sizeof next, 10, false, seen, sizeof seen);
    ok_text("two hours of overlap around a change of the offset", str_of(seen), "A B");
    r.now_ms += 4 * 3600000;
    walk(&r, next, sizeof next, 10, false, seen, sizeof seen);
    walk(&r, next, sizeof next, 10, false, seen, sizeof seen);
    ok_text("ten minutes else", str_of(seen), "");
    rig_stop(&r);
}

static void unstamped(void)
{
    struct rig r;
    rig_start(&r);
    rig_table(&r, "AR_OpenInvoice", "*ARDivisionNo$\t*CustomerNo$\t*InvoiceNo$\t*InvoiceType$\tBalance\n01\tB\t1\tIN\t5\n01\tA\t2\tIN\t6\n");
    rig_is(&r, "a layout without stamps says so", CO "/schema/ar-open-invoices", "audit", "false");
    rig_is(&r, "its rows come by key", CO "/ar-open-invoices", "rows.0.key.1", "A");
    rig_is(&r, "updated is null", CO "/ar-open-invoices", "rows.0.updated", "null");
    rig_is(&r, "no highWater", CO "/ar-open-invoices", "highWater", "null");
    rig_is(&r, "schema: a number's scale", CO "/schema/ar-open-invoices", "columns.4.scale", "2");
    rig_stop(&r);
}

int main(void)
{
    rows();
    passes();
    cursors();
    locks();
    keys();
    lines();
    bad_data();
    bounds();
    overlaps();
    unstamped();
    return ok_done();
}
