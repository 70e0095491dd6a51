/* The agent's door against the model of Sage, on a virtual clock: passes, cursors, restarts, locks, sweeps (facts/sage-100.md 9.2 to 9.6). */
#include "rig.h"
#include "base/limits.h"

static const struct source_ops *ops = &sage_source_ops;

/* One whole pass from *cursor on; rows are handed to each; *cursor moves. */
typedef void (*row_fn)(void *ctx, const struct source_row *row);
static enum err pass(struct rig *r, const struct source_query *q, char cursor[LIMIT_CURSOR_BYTES + 1], row_fn each, void *ctx, size_t *rows, size_t *locked)
{
    struct arena a;
    arena_init(&a, 0);
    *rows = *locked = 0;
    for (unsigned pages = 0; pages < 10000; pages++) {
        struct source_page p;
        enum err e = ops->page(r->s, q, str_of(cursor), &a, &p, &r->f);
        if (e != ERR_OK) {
            arena_free(&a);
            return e;
        }
        for (size_t i = 0; i < p.nrows && each; i++) each(ctx, &p.rows[i]);
        *rows += p.nrows;
        *locked += p.nlocked;
        snprintf(cursor, LIMIT_CURSOR_BYTES + 1, "%.*s", (int)p.next.n, p.next.p);
        bool complete = p.complete;
        arena_reset(&a);
        if (complete) {
            arena_free(&a);
            return ERR_OK;
        }
    }
    arena_free(&a);
    return ERR_BUSY;
}

struct seen { char key[64], hash[80], city[64]; unsigned times; };
struct seen_rows { struct seen row[3000]; size_t n; unsigned violations; const char *violation; };

static void remember(void *ctx, const struct source_row *row)
{
    struct seen_rows *s = ctx;
    struct arena a;
    arena_init(&a, 0);
    const char *key = rig_key_text(&a, &row->key);
    size_t i = 0;
    while (i < s->n && strcmp(s->row[i].key, key) != 0) i++;
    if (i == s->n) s->n++;
    snprintf(s->row[i].key, sizeof s->row[i].key, "%s", key);
    snprintf(s->row[i].hash, sizeof s->row[i].hash, "%.*s", (int)row->hash.n, row->hash.p);
    if (row->cols[C_CITY].kind == V_TEXT) snprintf(s->row[i].city, sizeof s->row[i].city, "%.*s", (int)row->cols[C_CITY].len, row->cols[C_CITY].u.text);
    s->row[i].times++;
    if (row->violation) {
        s->violations++;
        if (!s->violation) s->violation = "a row violates its types";
        printf("# %s\n", row->violation);
    }
    arena_free(&a);
}

static const struct seen *find(const struct seen_rows *s, const char *key)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->row[i].key, key) == 0) return &s->row[i];
    return NULL;
}

static struct seen_rows *seen_new(struct rig *r)
{
    return arena_alloc(&r->a, sizeof(struct seen_rows));
}

/* ---- passes ---- */

static void full_pass(void)
{
    struct rig r;
    char cursor[513] = "";
    size_t rows, locked;
    rig_begin("a full pass delivers every row once, values as the model holds them");
    rig_agent(&r, 700);
    struct source_query q = rig_customers();
    struct seen_rows *s = seen_new(&r);
    struct rig_keys *all = rig_all(&r, "customers");
    CHECK(pass(&r, &q, cursor, remember, s, &rows, &locked) == ERR_OK, "%s", r.f.text);
    CHECK(rows == all->n && s->n == all->n && s->violations == 0, "%zu rows, %zu keys, %u violations", rows, all->n, s->violations);
    for (size_t i = 0; i < all->n; i += 37) {
        const struct seen *x = find(s, all->text[i]);
        char *city = sage_sim_value(r.sage, "ABC", "customers", all->text[i], "City");
        CHECK(x && strcmp(x->city, city ? city : "") == 0 && x->hash[0], "%s", all->text[i]);
        free(city);
    }
    size_t again, again_locked;
    CHECK(pass(&r, &q, cursor, NULL, NULL, &again, &again_locked) == ERR_OK && again < all->n, "the next pass is short: %zu", again);
    rig_close(&r);
    rig_end();
}

static void changes(void)
{
    struct rig r;
    char cursor[513] = "", key[64];
    size_t rows, locked;
    rig_begin("a change comes in the next pass, a blank stamp only in a full one, a future stamp drags nothing along");
    rig_agent(&r, 60);
    struct source_query q = rig_customers();
    struct rig_keys *all = rig_all(&r, "customers");
    sage_sim_stamp(r.sage, "ABC", "customers", all->text[5], "", "", true);
    sage_sim_stamp(r.sage, "ABC", "customers", all->text[6], "20990101", "1", true);
    CHECK(pass(&r, &q, cursor, NULL, NULL, &rows, &locked) == ERR_OK && rows == all->n, "%zu of %zu", rows, all->n);
    sim_loop_advance(r.loop, 3600000);
    snprintf(key, sizeof key, "%s", all->text[7]);
    CHECK(sage_sim_edit(r.sage, "ABC", "customers", key, "City", "Springfield", SAGE_STAMP_NOW), "edit");
    CHECK(sage_sim_edit(r.sage, "ABC", "customers", all->text[5], "City", "Nowhere", SAGE_STAMP_KEPT), "edit without a stamp");
    struct seen_rows *s = seen_new(&r), *t = seen_new(&r);
    CHECK(pass(&r, &q, cursor, remember, s, &rows, &locked) == ERR_OK, "%s", r.f.text);
    CHECK(find(s, key) && strcmp(find(s, key)->city, "Springfield") == 0, "the change");
    CHECK(find(s, all->text[6]), "the row stamped in the future comes again");
    CHECK(!find(s, all->text[5]), "the row without a stamp does not");
    char full[513] = "";
    CHECK(pass(&r, &q, full, remember, t, &rows, &locked) == ERR_OK && find(t, all->text[5]) && strcmp(find(t, all->text[5])->city, "Nowhere") == 0, "full pass");
    /* Repeats inside the overlap carry the same hash, so that they can be dropped. */
    struct seen_rows *u = seen_new(&r);
    CHECK(pass(&r, &q, cursor, remember, u, &rows, &locked) == ERR_OK && find(u, key) && strcmp(find(u, key)->hash, find(s, key)->hash) == 0, "repeat");
    rig_close(&r);
    rig_end();
}

static void restart_in_the_middle(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("a cursor from the middle of a pass works after a restart of either side");
    rig_agent(&r, 300);
    struct source_query q = rig_customers();
    q.page_rows = 50;
    struct rig_keys *all = rig_all(&r, "customers");
    struct seen_rows *s = seen_new(&r);
    char cursor[513] = "";
    bool complete = false;
    for (unsigned page = 0; !complete && page < 100; page++) {
        CHECK(ops->page(r.s, &q, str_of(cursor), &r.a, &p, &r.f) == ERR_OK, "%s", r.f.text);
        CHECK(p.nrows <= 50, "%zu", p.nrows);
        for (size_t i = 0; i < p.nrows; i++) remember(s, &p.rows[i]);
        snprintf(cursor, sizeof cursor, "%.*s", (int)p.next.n, p.next.p);
        complete = p.complete;
        if (page % 2) sage_sim_restart(r.sage);
        else rig_reopen(&r);
    }
    CHECK(complete && s->n == all->n, "%zu of %zu", s->n, all->n);
    for (size_t i = 0; i < s->n; i++) CHECK(s->row[i].times == 1, "%s came %u times", s->row[i].key, s->row[i].times);
    rig_close(&r);
    rig_end();
}

static void epoch(void)
{
    struct rig r;
    char cursor[513] = "", fresh[513] = "";
    size_t rows, locked;
    struct source_page p;
    rig_begin("a renewed epoch expires the cursor, in pages and between pages of a sweep");
    rig_agent(&r, 60);
    struct source_query q = rig_customers();
    CHECK(pass(&r, &q, cursor, NULL, NULL, &rows, &locked) == ERR_OK, "%s", r.f.text);
    CHECK(ops->keys(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && p.epoch.n, "%s", r.f.text);
    struct str before = p.epoch;
    sage_sim_renew_epoch(r.sage, "ABC");
    CHECK(pass(&r, &q, cursor, NULL, NULL, &rows, &locked) == ERR_EXPIRED, "%s", r.f.text);
    CHECK(strstr(r.f.text, "full pass"), "%s", r.f.text);
    CHECK(pass(&r, &q, fresh, NULL, NULL, &rows, &locked) == ERR_OK && rows > 50, "%s", r.f.text);
    CHECK(ops->keys(r.s, &q, (struct str){"", 0}, &r.a, &p, &r.f) == ERR_OK && !str_eq(before, p.epoch), "the sweep shows the new epoch");
    rig_close(&r);
    rig_end();
}

static void foreign_cursors(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("a cursor of another door is expired without a call, one of another resource is refused by the agent");
    rig_agent(&r, 60);
    struct source_query q = rig_customers();
    uint64_t before = sim_loop_requests(r.loop);
    CHECK(ops->page(r.s, &q, STR("~mlc-keys~0123456789abcdef.5"), &r.a, &p, &r.f) == ERR_EXPIRED, "%s", r.f.text);
    CHECK(ops->page(r.s, &q, STR("not a cursor"), &r.a, &p, &r.f) == ERR_EXPIRED, "%s", r.f.text);
    CHECK(sim_loop_requests(r.loop) == before, "no call was made");
    CHECK(ops->page(r.s, &q, STR("garbage"), &r.a, &p, &r.f) == ERR_PROTOCOL, "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void no_audit(void)
{
    struct rig r;
    char cursor[513] = "";
    size_t rows, locked, again;
    char *answer = NULL;
    rig_begin("a table without stamps: every pass lists all rows");
    rig_agent(&r, 60);
    CHECK(sage_sim_do(r.sage, "{\"do\":\"access\",\"resource\":\"customers\",\"audit\":false}", &answer), "%s", answer ? answer : "");
    free(answer);
    struct source_query q = rig_customers();
    CHECK(pass(&r, &q, cursor, NULL, NULL, &rows, &locked) == ERR_OK, "%s", r.f.text);
    CHECK(pass(&r, &q, cursor, NULL, NULL, &again, &locked) == ERR_OK && again == rows, "%zu then %zu", rows, again);
    rig_close(&r);
    rig_end();
}

/* ---- locks ---- */

static void locks(void)
{
    struct rig r;
    struct source_page p;
    char cursor[513] = "";
    size_t rows, locked;
    rig_begin("a locked row does not hold back its page and comes by key later");
    rig_agent(&r, 60);
    struct source_query q = rig_customers();
    struct rig_keys *all = rig_all(&r, "customers");
    CHECK(sage_sim_lock(r.sage, "ABC", "customers", all->text[3], 0, 3600000), "lock");
    CHECK(pass(&r, &q, cursor, NULL, NULL, &rows, &locked) == ERR_OK && rows + locked == all->n && locked == 1, "%zu + %zu of %zu", rows, locked, all->n);
    struct source_key k[2] = {rig_split(&r.a, all->text[3], 2), rig_split(&r.a, all->text[4], 2)};
    CHECK(ops->fetch(r.s, &q, k, 2, &r.a, &p, &r.f) == ERR_OK && p.nlocked == 1 && p.nrows == 1 && p.nmissing == 0, "batch: %s", r.f.text);
    CHECK(ops->fetch(r.s, &q, k, 1, &r.a, &p, &r.f) == ERR_OK && p.nlocked == 1 && p.nrows == 0, "single: %s", r.f.text);
    sim_loop_advance(r.loop, 3700000);
    CHECK(ops->fetch(r.s, &q, k, 2, &r.a, &p, &r.f) == ERR_OK && p.nrows == 2, "unlocked: %s", r.f.text);
    rig_close(&r);
    rig_end();
}

static void held_back(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("a locked key is not asked for sooner than retryAfter says");
    rig_agent(&r, 60);
    struct source_query q = rig_customers();
    struct source_key k = rig_split(&r.a, rig_all(&r, "customers")->text[3], 2);
    sage_sim_fault(r.sage, &(struct sage_fault){.on = "row", .kind = "status", .code = "locked", .times = 1, .retry_after_s = 20});
    CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == ERR_OK && p.nlocked == 1, "%s", r.f.text);
    uint64_t before = sim_loop_requests(r.loop);
    sim_loop_advance(r.loop, 15000);
    CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == ERR_OK && p.nlocked == 1 && sim_loop_requests(r.loop) == before, "no call before its time");
    sim_loop_advance(r.loop, 6000);
    CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == ERR_OK && p.nrows == 1, "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

/* ---- rows by key ---- */

static void by_key(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("rows by key: found, gone, asked twice, 250 at once, one by GET");
    rig_agent(&r, 400);
    struct source_query q = rig_customers();
    struct rig_keys *all = rig_all(&r, "customers");
    struct source_key keys[250];
    for (size_t i = 0; i < 250; i++) keys[i] = rig_split(&r.a, all->text[i], 2);
    CHECK(sage_sim_delete(r.sage, "ABC", "customers", all->text[0]), "delete");
    keys[249] = keys[1];
    CHECK(ops->fetch(r.s, &q, keys, 250, &r.a, &p, &r.f) == ERR_OK && p.nrows == 248 && p.nmissing == 1 && p.nlocked == 0, "%zu %zu %s", p.nrows, p.nmissing, r.f.text);
    CHECK(sage_sim_count(r.sage, "batch") == 1 && sage_sim_count(r.sage, "row") == 1, "one batchGet, and a GET that confirms the absence");
    CHECK(ops->fetch(r.s, &q, &keys[0], 1, &r.a, &p, &r.f) == ERR_OK && p.nmissing == 1, "confirmed by GET: %s", r.f.text);
    CHECK(sage_sim_count(r.sage, "row") == 2, "a GET");
    CHECK(ops->fetch(r.s, &q, keys, 0, &r.a, &p, &r.f) == ERR_OK && p.nrows == 0, "none");
    rig_close(&r);
    rig_end();
}

static void odd_keys(void)
{
    static const char *const odd[] = {"A B/C", "a%2F?x=1&y", "tilde~in~it", ("Stra\xc3\x9f" "e"), "#;:@,+", ".."};
    struct rig r;
    struct source_page p;
    rig_begin("keys with every awkward character, by GET and by batchGet");
    rig_agent(&r, 60);
    struct source_query q = rig_customers();
    struct source_key keys[6];
    for (size_t i = 0; i < 6; i++) {
        CHECK(sage_sim_insert(r.sage, "ABC", "customers", arena_printf(&r.a, "01~%s", odd[i]), NULL, NULL), "%s", odd[i]);
        keys[i] = rig_key2("01", odd[i]);
        CHECK(ops->fetch(r.s, &q, &keys[i], 1, &r.a, &p, &r.f) == ERR_OK && p.nrows == 1, "GET %s: %s", odd[i], r.f.text);
    }
    CHECK(ops->fetch(r.s, &q, keys, 6, &r.a, &p, &r.f) == ERR_OK && p.nrows == 6, "batch: %zu %s", p.nrows, r.f.text);
    rig_close(&r);
    rig_end();
}

static void reserved_key(void)
{
    struct rig r;
    struct canned c = {.status = 200, .body = "{\"rows\":[],\"missing\":[[\"keys\"]],\"locked\":[]}"};
    struct source_page p;
    rig_begin("a record whose key is the reserved word goes by batchGet");
    rig_world(&r);
    rig_canned(&r, &c);
    rig_open(&r);
    struct source_query q = rig_terms();
    struct source_key k = {.part = {STR("keys")}, .n = 1};
    CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == ERR_OK && p.nmissing == 1, "%s", r.f.text);
    CHECK(strcmp(c.target, "POST /v1/companies/ABC/terms:batchGet") == 0 && strcmp(c.request, "{\"keys\":[[\"keys\"]]}") == 0, "%s %s", c.target, c.request);
    rig_close(&r);
    rig_end();
}

/* An answer that does not account for every key exactly once is void: nothing in it may be taken for a deletion. */
static void unfair_batches(void)
{
    static const struct { const char *name, *body, *want; } cases[] = {
        {"a key in no list", "{\"rows\":[],\"missing\":[[\"01\"]],\"locked\":[]}", "no list"},
        {"a key in two lists", "{\"rows\":[],\"missing\":[[\"01\"],[\"02\"]],\"locked\":[[\"01\"]]}", "rows"},
        {"a key twice in one list", "{\"rows\":[],\"missing\":[[\"01\"],[\"01\"]],\"locked\":[]}", "already"},
        {"a foreign row", "{\"rows\":[{\"key\":[\"03\"],\"fields\":{}}],\"missing\":[],\"locked\":[]}", "not asked for"},
        {"a row twice", "{\"rows\":[{\"key\":[\"01\"],\"fields\":{}},{\"key\":[\"01\"],\"fields\":{}}],\"missing\":[],\"locked\":[]}", "already"},
        {"a foreign lock", "{\"rows\":[],\"missing\":[],\"locked\":[[\"03\"]]}", "not asked for"}, {"no batch at all", "[]", "a JSON object was expected"},
        {"a foreign key", "{\"rows\":[],\"missing\":[[\"01\"],[\"03\"]],\"locked\":[]}", "not asked for"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        struct canned c = {.status = 200, .body = cases[i].body};
        struct source_page p;
        rig_begin(cases[i].name);
        rig_world(&r);
        rig_canned(&r, &c);
        rig_open(&r);
        struct source_query q = rig_terms();
        struct source_key k[2] = {{.part = {STR("01")}, .n = 1}, {.part = {STR("02")}, .n = 1}};
        CHECK(ops->fetch(r.s, &q, k, 2, &r.a, &p, &r.f) == ERR_PROTOCOL && strstr(r.f.text, cases[i].want), "%s", r.f.text);
        rig_close(&r);
        rig_end();
    }
}

/* Rows for all but the last key of each batch; that one is "missing", and its own GET answers more than is read, the first time. */
struct heavy { unsigned batches, gets; size_t bytes; char body[2000]; };
static void heavy_handle(void *self, const struct sim_request *req, struct sim_response *resp)
{
    static const char gone[] = "{\"error\":{\"code\":\"not_found\",\"message\":\"m\"}}";
    struct heavy *h = self;
    size_t n = 0;
    resp->status = 200;
    if (strcmp(req->method, "GET") == 0) {
        char *large = calloc(1, h->bytes + 1);
        memset(large, ' ', h->bytes);
        resp->status = h->gets++ == 0 ? 200 : 404;
        if (resp->status == 200) sim_response_body(resp, large, h->bytes, "application/json");
        else sim_response_body(resp, gone, sizeof gone - 1, "application/json");
        free(large);
        return;
    }
    h->batches++;
    n = (size_t)snprintf(h->body, sizeof h->body, "{\"rows\":[");
    bool first = true, last = false;
    for (int k = 1; k <= 8; k++) {
        char key[8];
        snprintf(key, sizeof key, "\"%02d\"", k);
        if (!memmem(req->body, req->body_len, key, 4)) continue;
        if (k == 8) { last = true; continue; }
        n += (size_t)snprintf(h->body + n, sizeof h->body - n, "%s{\"key\":[%s],\"fields\":{}}", first ? "" : ",", key);
        first = false;
    }
    n += (size_t)snprintf(h->body + n, sizeof h->body - n, "],\"locked\":[],\"missing\":[%s]}", last ? "[\"08\"]" : "");
    sim_response_body(resp, h->body, n, "application/json");
}

static void heavy_confirmation(void)
{
    struct rig r;
    struct heavy h = {.bytes = LIMIT_ANSWER_BYTES + 1};
    struct source_page p;
    rig_begin("when one record is too large to confirm, no row of its batch comes twice");
    rig_world(&r);
    sim_loop_mount(r.loop, AGENT_URL, (struct sim_model){&h, heavy_handle});
    rig_open(&r);
    struct source_query q = rig_terms();
    struct source_key k[8];
    for (size_t i = 0; i < 8; i++) k[i] = (struct source_key){.part = {str_of(arena_printf(&r.a, "%02zu", i + 1))}, .n = 1};
    CHECK(ops->fetch(r.s, &q, k, 8, &r.a, &p, &r.f) == ERR_OK, "%s", r.f.text);
    CHECK(p.nrows == 7 && p.nmissing == 1 && p.nlocked == 0 && h.gets == 2, "%zu rows, %zu missing, %u batches, %u GETs", p.nrows, p.nmissing, h.batches, h.gets);
    for (size_t i = 0; i < p.nrows; i++)
        for (size_t j = 0; j < i; j++) CHECK(!str_eq(p.rows[i].key.part[0], p.rows[j].key.part[0]), "%zu and %zu are one", i, j);
    rig_close(&r);
    rig_end();
}

/* Pages above the limit are asked for in halves, down to one row; then that is the answer. */
static void heavy_pages(void)
{
    struct rig r;
    struct source_page p;
    char *large = malloc(LIMIT_ANSWER_BYTES + 1u);
    if (!large) abort();
    memset(large, ' ', LIMIT_ANSWER_BYTES + 1u);
    struct canned c = {.status = 200, .body = large, .len = LIMIT_ANSWER_BYTES + 1u};
    rig_begin("a page that is too large at any size");
    rig_world(&r);
    rig_canned(&r, &c);
    rig_open(&r);
    struct source_query q = rig_terms();
    q.page_rows = 5;
    CHECK(ops->page(r.s, &q, STR(""), &r.a, &p, &r.f) == ERR_TOO_LARGE && c.asked == 4 && strstr(c.target, "limit=1"), "%s, asked %u times, %s", r.f.text, c.asked, c.target);
    rig_close(&r);
    free(large);
    rig_end();
}

/* Names that no path can carry go by batchGet, also alone. */
static void dotted_keys(void)
{
    static const char *const dots[] = {".", "..", ""};
    for (size_t i = 0; i < 3; i++) {
        struct rig r;
        struct source_page p;
        rig_begin(i == 2 ? "a blank key goes by batchGet" : "dots go by batchGet");
        rig_world(&r);
        struct canned c = {.status = 200, .body = arena_printf(&r.a, "{\"rows\":[],\"missing\":[[\"%s\"]],\"locked\":[]}", dots[i])};
        rig_canned(&r, &c);
        rig_open(&r);
        struct source_query q = rig_terms();
        struct source_key k = {.part = {str_of(dots[i])}, .n = 1};
        CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == ERR_OK && p.nmissing == 1 && strncmp(c.target, "POST", 4) == 0, "%s: %s", c.target, r.f.text);
        rig_close(&r);
        rig_end();
    }
}

static void another_answer(const char *name, const char *body)
{
    struct rig r;
    struct canned c = {.status = 200, .body = body};
    struct source_page p;
    rig_begin(name);
    rig_world(&r);
    rig_canned(&r, &c);
    rig_open(&r);
    struct source_query q = rig_terms();
    struct source_key k = {.part = {STR("01")}, .n = 1};
    CHECK(ops->fetch(r.s, &q, &k, 1, &r.a, &p, &r.f) == ERR_PROTOCOL, "%s", r.f.text);
    rig_close(&r);
    rig_end();
}

/* ---- sweep ---- */

static void sweep(void)
{
    struct rig r;
    struct source_page p;
    rig_begin("the sweep lists all keys in order, with one epoch");
    rig_agent(&r, 12000);
    struct source_query q = rig_customers();
    struct rig_keys *all = rig_all(&r, "customers");
    char after[256] = "", epoch_text[80] = "";
    size_t n = 0;
    unsigned pages = 0;
    bool complete = false;
    while (!complete && pages++ < 20) {
        CHECK(ops->keys(r.s, &q, str_of(after), &r.a, &p, &r.f) == ERR_OK, "%s", r.f.text);
        for (size_t i = 0; i < p.nrows; i++, n++)
            CHECK(n < all->n && strcmp(rig_key_text(&r.a, &p.rows[i].key), all->text[n]) == 0 && !p.rows[i].cols, "key %zu", n);
        if (epoch_text[0]) CHECK(str_is(p.epoch, epoch_text), "epoch");
        snprintf(epoch_text, sizeof epoch_text, "%.*s", (int)p.epoch.n, p.epoch.p);
        snprintf(after, sizeof after, "%.*s", (int)p.next.n, p.next.p);
        complete = p.complete;
    }
    CHECK(complete && n == all->n && pages >= 3, "%zu of %zu in %u pages", n, all->n, pages);
    rig_close(&r);
    rig_end();
}

static void unfair_sweeps(void)
{
    static const struct { const char *name, *body, *want; } cases[] = {
        {"no sweep at all", "[]", "a JSON object was expected"},
        {"keys out of order", "{\"keys\":[[\"02\"],[\"01\"]],\"next\":null,\"complete\":true,\"epoch\":\"e\"}", "ascending"},
        {"a key twice", "{\"keys\":[[\"01\"],[\"01\"]],\"next\":null,\"complete\":true,\"epoch\":\"e\"}", "ascending"},
        {"no keys though more follow", "{\"keys\":[],\"next\":\"00\",\"complete\":false,\"epoch\":\"e\"}", "does not move"},
        {"the same position again", "{\"keys\":[[\"03\"]],\"next\":\"00\",\"complete\":false,\"epoch\":\"e\"}", "does not move"},
        {"the page begins with the key it should be behind", "{\"keys\":[[\"00\"],[\"01\"]],\"next\":\"01\",\"complete\":false,\"epoch\":\"e\"}", "behind"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        struct canned c = {.status = 200, .body = cases[i].body};
        struct source_page p;
        rig_begin(cases[i].name);
        rig_world(&r);
        rig_canned(&r, &c);
        rig_open(&r);
        struct source_query q = rig_terms();
        CHECK(ops->keys(r.s, &q, STR("00"), &r.a, &p, &r.f) == ERR_PROTOCOL && strstr(r.f.text, cases[i].want), "%s", r.f.text);
        rig_close(&r);
        rig_end();
    }
}

int main(void)
{
    full_pass();
    changes();
    restart_in_the_middle();
    epoch();
    foreign_cursors();
    no_audit();
    locks();
    held_back();
    by_key();
    odd_keys();
    reserved_key();
    unfair_batches();
    heavy_confirmation();
    heavy_pages();
    dotted_keys();
    another_answer("an answer that is no record", "[]");
    another_answer("another record than the one asked for is refused", "{\"key\":[\"02\"],\"fields\":{}}");
    sweep();
    unfair_sweeps();
    return rig_exit();
}
