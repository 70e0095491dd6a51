/* write_test.c - batches against the model: every class that sync acts on, the cure of a 401, limits. */
#include "rig.h"

static struct rig r;

static void test_insert_update(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    struct write_batch *b = rig_accounts(&r, "A", 100);
    enum err e = rig_write(&r, b);
    check(e == ERR_OK && all_are(b, W_APPLIED) && b->items[0].http_status == 201 && b->items[99].out_id.n > 10, "insert 100", e ? r.f.text : first_of(&r, b));
    check(zoho_sim_count(r.sim, "Accounts") >= 100, "they are there", "not");
    check(strstr(r.last_body, "\"trigger\":[]") != NULL, "no workflows unless asked for", r.last_body);
    struct write_batch *u = rig_batch(&r, WRITE_UPDATE, "Accounts", 2);
    struct record rec = rig_record(&r, (const char *const[]){"Phone", "+1 555 0100", "Fax", NULL, NULL});
    struct record money = {ARENA_ARRAY(&r.arena, struct record_field, 1), 1};
    money.f[0] = (struct record_field){STR("Annual_Revenue"), value_decimal(123450, 2)};
    u->items[0] = (struct write_item){.id = b->items[0].out_id, .fields = &rec};
    u->items[1] = (struct write_item){.id = b->items[1].out_id, .fields = &money};
    u->trigger_workflow = true;
    e = rig_write(&r, u);
    check(e == ERR_OK && all_are(u, W_APPLIED), "update by id", first_of(&r, u));
    check(strstr(r.last_body, "\"Annual_Revenue\":1234.50") && strstr(r.last_body, "\"Fax\":null") && strstr(r.last_body, "\"trigger\":[\"workflow\"]"),
          "numbers, nulls and workflows on the wire", r.last_body);
    char *dump = zoho_sim_record(r.sim, "Accounts", arena_copy(&r.arena, u->items[0].id.p, u->items[0].id.n));
    check(dump && strstr(dump, "+1 555 0100"), "the update is there", dump);
    free(dump);
    u->items[0].id = STR("4876876000009999999");
    e = rig_write(&r, u);
    check(u->items[0].cls == W_GONE && u->items[1].cls == W_APPLIED, "update of a record that is gone", first_of(&r, u));
    rig_close(&r);
}

static void test_duplicates(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    struct write_batch *b = rig_accounts(&r, "D", 3), *again = rig_accounts(&r, "D", 3);
    (void)rig_write(&r, b);
    (void)rig_write(&r, again);
    check(again->items[1].cls == W_DUP_OWN && str_eq(again->items[1].out_id, b->items[1].out_id), "our own key is there: its id", first_of(&r, again));
    struct write_batch *lower = rig_accounts(&r, "d", 1);
    (void)rig_write(&r, lower);
    check(lower->items[0].cls == W_DUP_OTHER && str_eq(lower->items[0].out_id, b->items[0].out_id), "our key in another spelling is another's record", first_of(&r, lower));
    rig_fault(&r, "[{\"match\":{\"path\":\"/crm/v8/Accounts\",\"method\":\"POST\"},\"do\":\"duplicate_other_field\",\"field\":\"Tax_Number\",\"id\":\"4876876000001000077\"}]");
    struct write_batch *other = rig_accounts(&r, "E", 1);
    (void)rig_write(&r, other);
    check(other->items[0].cls == W_DUP_OTHER && str_is(other->items[0].out_id, "4876876000001000077"), "another unique field", first_of(&r, other));
    rig_fault(&r, "[{\"match\":{\"method\":\"GET\"},\"do\":\"403\"}]");
    again = rig_accounts(&r, "D", 1);
    (void)rig_write(&r, again);
    check(again->items[0].cls == W_AMBIGUOUS, "an own duplicate that cannot be read is ambiguous", first_of(&r, again));
    rig_close(&r);
}

/* One line per row of the table: how the code arrives, and what must come of it. */
static const struct row { const char *fault; enum write_class cls; const char *code; } rows[] = {
    {"INVALID_DATA", W_REJECTED, "INVALID_DATA"}, {"MANDATORY_NOT_FOUND", W_REJECTED, "MANDATORY_NOT_FOUND"},
    {"DEPENDENT_FIELD_MISSING", W_REJECTED, NULL}, {"DEPENDENT_MISMATCH", W_REJECTED, NULL}, {"EXPECTED_FIELD_MISSING", W_REJECTED, NULL},
    {"DEPENDENT_SERVICE_ERROR", W_RETRY, NULL}, {"LIMIT_EXCEEDED", W_REJECTED, NULL}, {"LIMIT_REACHED", W_REJECTED, NULL},
    {"RECORD_LOCKED", W_PARKED, NULL}, {"RECORD_IN_BLUEPRINT", W_PARKED, NULL}, {"NOT_APPROVED", W_PARKED, NULL}, {"NOT_REVIEWED", W_PARKED, NULL},
    {"NO_PERMISSION", W_CONFIG, NULL}, {"CONVERTED_RECORD", W_REJECTED, NULL}, {"ID_ALREADY_CONVERTED", W_REJECTED, NULL},
    {"STORAGE_SPACE_EXCEEDED", W_CONFIG, NULL}, {"CANNOT_PROCESS", W_REJECTED, NULL}, {"CANNOT_PERFORM_ACTION", W_REJECTED, NULL},
    {"DUPLICATE_LINKING_DATA", W_REJECTED, NULL}, {"INTERNAL_ERROR", W_AMBIGUOUS, NULL}, {"A_CODE_OF_TOMORROW", W_REJECTED, "A_CODE_OF_TOMORROW"},
    {"429", W_RETRY, "TOO_MANY_REQUESTS"}, {"429_rate", W_RETRY, "RATE_LIMIT_EXCEEDED"},
    {"500", W_AMBIGUOUS, NULL}, {"502", W_AMBIGUOUS, NULL}, {"503", W_AMBIGUOUS, NULL}, {"504", W_AMBIGUOUS, NULL},
    {"html_502", W_AMBIGUOUS, NULL}, {"html_400", W_SPLIT, NULL}, {"html_404", W_CONFIG, NULL}, {"html_200", W_AMBIGUOUS, NULL},
    {"403", W_CONFIG, "NO_PERMISSION"}, {"404", W_CONFIG, "INVALID_URL_PATTERN"}, {"412", W_AMBIGUOUS, NULL}, {"413", W_SPLIT, NULL},
    {"flat_400", W_SPLIT, "INVALID_DATA"}, {"scope_mismatch", W_CONFIG, "OAUTH_SCOPE_MISMATCH"},
    {"drop_before", W_AMBIGUOUS, NULL}, {"drop_after", W_AMBIGUOUS, NULL}, {"timeout_before", W_AMBIGUOUS, NULL}, {"timeout_after", W_AMBIGUOUS, NULL},
    {"wrong_length", W_AMBIGUOUS, NULL}, {"truncated_json", W_AMBIGUOUS, NULL}, {"cut_body", W_AMBIGUOUS, NULL}, {"empty_body", W_AMBIGUOUS, NULL},
    {"wrong_shape", W_AMBIGUOUS, NULL},
};

static void test_table(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char script[200], name[80];
        rig_open(&r, NULL);
        rig_target(&r);
        bool item = rows[i].fault[0] >= 'A' && rows[i].fault[0] <= 'Z';
        (void)snprintf(script, sizeof script, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"%s\"%s}]", rows[i].fault,
                       item ? ",\"all\":true" : "");
        rig_fault(&r, script);
        struct write_batch *b = rig_accounts(&r, "T", 3);
        enum err e = rig_write(&r, b);
        (void)snprintf(name, sizeof name, "%s -> %s", rows[i].fault, class_name(rows[i].cls));
        bool good = e == ERR_OK && all_are(b, rows[i].cls) && (!rows[i].code || str_is(b->items[0].code, rows[i].code));
        check(good, name, e ? r.f.text : first_of(&r, b));
        rig_close(&r);
    }
}

static void test_mixed(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    rig_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"MANDATORY_NOT_FOUND\",\"index\":1,\"field\":\"Account_Name\"}]");
    struct write_batch *b = rig_accounts(&r, "M", 3);
    (void)rig_write(&r, b);
    check(b->items[0].cls == W_APPLIED && b->items[1].cls == W_REJECTED && b->items[2].cls == W_APPLIED && b->items[1].http_status == 207 &&
          str_is(b->items[1].field, "Account_Name"), "207, read by position", first_of(&r, b));
    struct record bad = rig_record(&r, (const char *const[]){"Sage_Customer", "M~9", "Annual_Revenue", "abc", "Employees", "many", NULL});
    b = rig_accounts(&r, "N", 1);
    b->items[0].fields = &bad;
    (void)rig_write(&r, b);
    check(b->items[0].cls == W_REJECTED && memmem(b->items[0].message.p, b->items[0].message.n, "(all:", 5), "several errors are told together", first_of(&r, b));
    rig_fault(&r, "[{\"match\":{\"method\":\"PUT\"},\"do\":\"reversed\"}]");
    struct write_batch *ins = rig_accounts(&r, "R", 2), *u = rig_batch(&r, WRITE_UPDATE, "Accounts", 2);
    (void)rig_write(&r, ins);
    struct record rec = rig_record(&r, (const char *const[]){"Phone", "1", NULL});
    for (int i = 0; i < 2; i++) u->items[i] = (struct write_item){.id = ins->items[i].out_id, .fields = &rec};
    (void)rig_write(&r, u);
    check(all_are(u, W_AMBIGUOUS), "answers in another order are not believed", first_of(&r, u));
    b = rig_accounts(&r, "X", 1);
    b->module = STR("Nonsense");
    (void)rig_write(&r, b);
    check(b->items[0].cls == W_CONFIG && str_is(b->items[0].code, "INVALID_MODULE"), "unknown module", first_of(&r, b));
    r.not_sent = 1;
    b = rig_accounts(&r, "Y", 1);
    (void)rig_write(&r, b);
    check(b->items[0].cls == W_RETRY && b->items[0].not_before_ms > 0, "not sent", first_of(&r, b));
    rig_close(&r);
}

/* Answers that the model does not give. */
static void test_crafted(void)
{
    static const struct { const char *name; int status; const char *body; enum write_class cls; } cases[] = {
        {"success without an id", 201, "{\"data\":[{\"code\":\"SUCCESS\",\"details\":{},\"status\":\"success\"}]}", W_AMBIGUOUS},
        {"own duplicate without an id", 400, "{\"data\":[{\"code\":\"DUPLICATE_DATA\",\"details\":{\"api_name\":\"Sage_Customer\"},\"status\":\"error\"}]}", W_AMBIGUOUS},
        {"own duplicate and another record", 400,
         "{\"data\":[{\"code\":\"MULTIPLE_OR_MULTI_ERRORS\",\"details\":{\"errors\":[{\"code\":\"DUPLICATE_DATA\",\"details\":{\"api_name\":\"Sage_Customer\","
         "\"duplicate_record\":{\"id\":\"11\"}}},{\"code\":\"DUPLICATE_DATA\",\"details\":{\"api_name\":\"Email\",\"duplicate_record\":{\"id\":\"22\"}}}]}}]}", W_DUP_OTHER},
        {"an element that is no object", 201, "{\"data\":[7]}", W_AMBIGUOUS},
        {"a result that names another place", 207, "{\"data\":[{\"code\":\"INVALID_DATA\",\"details\":{\"api_name\":\"Phone\",\"json_path\":\"$.data[1].Phone\"},\"status\":\"error\"}]}", W_AMBIGUOUS},
        {"data that is no array", 201, "{\"data\":{}}", W_AMBIGUOUS},
        {"success and an error code", 200, "{\"code\":\"INTERNAL_ERROR\"}", W_AMBIGUOUS},
        {"401 inside of data, twice", 401, "{\"data\":[{\"code\":\"OAUTH_SCOPE_MISMATCH\",\"message\":\"Unauthorized\",\"details\":{},\"status\":\"error\"}]}", W_CONFIG},
        {"redirect", 302, "", W_CONFIG},
        {"no content", 204, "", W_AMBIGUOUS},
        {"permission behind a service", 400, "{\"code\":\"DEPENDENT_SERVICE_ERROR\",\"details\":{\"dependency_error\":\"NO_PERMISSION\"}}", W_CONFIG},
        {"edition", 403, "{\"code\":\"NOT_SUPPORTED\",\"details\":{},\"message\":\"not supported for the current edition\"}", W_CONFIG},
        {"method", 405, "{\"code\":\"INVALID_REQUEST_METHOD\",\"details\":{}}", W_CONFIG},
        {"too many in a request", 400, "{\"code\":\"LIMIT_EXCEEDED\",\"details\":{\"limit\":100}}", W_SPLIT},
        {"parameter", 400, "{\"code\":\"REQUIRED_PARAM_MISSING\",\"details\":{\"param_name\":\"data\"}}", W_CONFIG},
        {"authorization", 400, "{\"code\":\"AUTHORIZATION_FAILED\",\"details\":{}}", W_CONFIG},
        {"an unknown code with a character where it is cut", 400, "{\"code\":\"XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX\xc3\xa9\"}", W_SPLIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_open(&r, NULL);
        rig_target(&r);
        r.canned_status = cases[i].status;
        r.canned = cases[i].body;
        struct write_batch *b = rig_accounts(&r, "C", 1);
        (void)rig_write(&r, b);
        bool text = str_utf8_valid(b->items[0].code) && str_utf8_valid(b->items[0].message);
        check(b->items[0].cls == cases[i].cls && text, cases[i].name, text ? first_of(&r, b) : "what is kept is no UTF-8");
        rig_close(&r);
    }
}

static enum err full_disk(void *ctx, const char *name, struct str value, struct fault *f)
{
    (void)ctx, (void)name, (void)value;
    return fault_set(f, ERR_NO_SPACE, "No space left on device");
}

static void test_401(void)
{
    rig_open(&r, NULL);
    rig_target(&r);
    struct write_batch *b = rig_accounts(&r, "F", 1);
    (void)rig_write(&r, b);
    rig_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"expire_token\"}]");
    b = rig_accounts(&r, "G", 5);
    unsigned before = r.token_requests;
    (void)rig_write(&r, b);
    check(all_are(b, W_APPLIED) && r.token_requests == before + 1, "a dead token mid-run costs one renewal", first_of(&r, b));
    rig_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"expire_token\"}]");
    r.env.save = full_disk;
    b = rig_accounts(&r, "P", 2);
    before = r.token_requests;
    (void)rig_write(&r, b);
    check(all_are(b, W_RETRY) && r.token_requests == before, "a full disk while the token dies: sent again later, no token asked for", first_of(&r, b));
    r.env.save = rig_save;
    (void)rig_write(&r, b);
    check(all_are(b, W_APPLIED) && r.token_requests == before + 1, "and with room it is", first_of(&r, b));
    for (int i = 0; i < 8; i++) (void)zoho_target_ops.write_start(r.t, rig_accounts(&r, arena_printf(&r.arena, "H%d", i), 10), &r.f);
    check(r.t->nflights == 8 && zoho_target_ops.write_start(r.t, b, &r.f) == ERR_BUSY, "eight writers and no more", r.f.text);
    struct write_batch *done;
    unsigned applied = 0;
    for (int i = 0; i < 8; i++) {
        (void)zoho_target_ops.write_wait(r.t, 60000, &done, &r.f);
        applied += done && all_are(done, W_APPLIED);
    }
    check(applied == 8, "all of them come back", "not");
    rig_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"auth_failure\",\"times\":0}]");
    b = rig_accounts(&r, "I", 2);
    before = r.token_requests;
    (void)rig_write(&r, b);
    check(all_are(b, W_CONFIG) && r.token_requests == before + 1, "a fresh token refused stops the flow", first_of(&r, b));
    zoho_sim_faults_clear(r.sim);
    rig_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"revoke\"}]");
    b = rig_accounts(&r, "J", 2);
    (void)rig_write(&r, b);
    check(all_are(b, W_CONFIG) && memmem(b->items[0].message.p, b->items[0].message.n, "consent", 7), "a revoked consent stops the flow", first_of(&r, b));
    rig_close(&r);
}

static void test_limits(void)
{
    rig_open(&r, NULL);
    rig_set(&r, "budget.calls", "25");
    rig_set(&r, "budget.per", "1d");
    rig_target(&r);
    check(rig_write(&r, rig_accounts(&r, "B1", 100)) == ERR_OK && rig_write(&r, rig_accounts(&r, "B2", 100)) == ERR_OK, "within the budget", r.f.text);
    check(rig_write(&r, rig_accounts(&r, "B3", 100)) == ERR_BUDGET, "beyond the budget", r.f.text);
    check(rig_write(&r, rig_accounts(&r, "B4", 41)) == ERR_OK, "what fits still goes", r.f.text);
    rig_target(&r);
    check(rig_write(&r, rig_accounts(&r, "B5", 10)) == ERR_BUDGET, "a restart does not forget the budget", r.f.text);
    r.now += 86400000 + 2 * 1350000;
    check(rig_write(&r, rig_accounts(&r, "B6", 100)) == ERR_OK, "the window moves on", r.f.text);
    rig_close(&r);

    rig_open(&r, NULL);
    rig_target(&r);
    rig_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"429\",\"retry_after\":17}]");
    struct write_batch *b = rig_accounts(&r, "K", 2), *done;
    (void)rig_write(&r, b);
    check(all_are(b, W_RETRY) && b->items[0].not_before_ms >= 17000, "Retry-After is honoured", first_of(&r, b));
    check(zoho_target_ops.write_start(r.t, b, &r.f) == ERR_BUSY, "the whole connector slows down", r.f.text);
    int64_t t = r.now;
    (void)zoho_target_ops.write_wait(r.t, 60000, &done, &r.f);
    check(!done && r.now - t >= 16000 && r.now - t < 60000, "write_wait sits the quiet time out", "not");
    check(rig_write(&r, b) == ERR_OK && all_are(b, W_APPLIED), "then it goes on", first_of(&r, b));
    rig_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"429\",\"times\":0}]");
    enum err e = ERR_OK;
    for (int i = 0; i < 500 && e != ERR_BUDGET; i++) {
        e = zoho_target_ops.write_start(r.t, b, &r.f);
        (void)zoho_target_ops.write_wait(r.t, 30000, &done, &r.f);
    }
    check(e == ERR_BUDGET && r.now - t < 1200000, "minutes of 429 mean that the credits are spent", r.f.text);
    rig_close(&r);

    rig_open(&r, NULL);
    rig_target(&r);
    zoho_sim_spend(r.sim, 54995);
    (void)rig_write(&r, rig_accounts(&r, "L", 2));
    check(r.t->limits.remaining >= 0 && r.t->limits.remaining < 6, "X-API-CREDITS-REMAINING is read", "not");
    check(rig_write(&r, rig_accounts(&r, "M", 100)) == ERR_BUDGET, "and stops a write that it would not pay for", r.f.text);
    rig_close(&r);

    rig_open(&r, "free");
    rig_target(&r);
    int started = 0;
    while (zoho_target_ops.write_start(r.t, rig_accounts(&r, arena_printf(&r.arena, "P%d", started), 2), &r.f) == ERR_OK) started++;
    check(started == 3, "the edition's concurrency bounds the writers", r.f.text);
    while (r.t->nflights) (void)zoho_target_ops.write_wait(r.t, 1000, &done, &r.f);
    struct buf out = {0};
    struct record_writer w = record_begin(&out);
    zoho_target_ops.usage(r.t, &w);
    record_end(&w);
    struct record rec;
    (void)record_decode(buf_view(&out), &r.arena, &rec);
    check(record_int(&rec, "credits_24h", -1) == 3 && record_int(&rec, "writers", 0) == 3 && record_int(&rec, "calls", 0) == 3, "usage", "wrong");
    buf_free(&out);
    r.stop = 1;
    check(zoho_target_ops.write_start(r.t, rig_accounts(&r, "Q", 1), &r.f) == ERR_STOPPED, "nothing new once stopped", r.f.text);
    rig_close(&r);
}

int main(void)
{
    test_insert_update();
    test_duplicates();
    test_table();
    test_mixed();
    test_crafted();
    test_401();
    test_limits();
    return failures ? 1 : 0;
}
