/* zoho_fuzz.c - bytes that claim to be Zoho's answer to a write of three records. First byte: insert or update, and the status. Checked besides not
 * crashing: every record gets a class; "applied" is only believed with an id, and with the record's own id when it was an update; what is kept for
 * people is UTF-8. */
#include "base/check.h"
#include "connectors/zoho/classify.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

enum { UNSET = 99, RECORDS = 3 };

static void check_item(const struct write_batch *b, const struct write_item *it)
{
    ASSERT(it->cls != (enum write_class)UNSET);
    ASSERT(str_utf8_valid(it->code) && str_utf8_valid(it->message) && str_utf8_valid(it->field) && str_utf8_valid(it->out_id));
    if (it->cls != W_APPLIED) return;
    ASSERT(it->out_id.n > 0);
    if (b->verb == WRITE_UPDATE) ASSERT(str_eq(it->out_id, it->id));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static const int statuses[] = {200, 201, 202, 204, 207, 400, 401, 403, 404, 413, 429, 500, 502, 503, 302, 304};
    static const char *const ids[RECORDS] = {"1001", "1002", "1003"};
    if (n == 0) return 0;
    struct arena a, answer;
    arena_init(&a, 0);
    arena_init(&answer, 0);
    struct write_item items[RECORDS];
    struct write_batch b = {.verb = data[0] & 16 ? WRITE_UPDATE : WRITE_INSERT, .module = STR("Accounts"), .key_field = STR("Sage_Customer"), .items = items, .n = RECORDS, .arena = &a};
    for (size_t i = 0; i < RECORDS; i++) items[i] = (struct write_item){.id = b.verb == WRITE_UPDATE ? str_of(ids[i]) : (struct str){"", 0}, .cls = (enum write_class)UNSET};
    struct http_res res = {.outcome = HTTP_ANSWERED, .status = statuses[data[0] & 15], .body = {arena_copy(&answer, data + 1, n - 1), n - 1}};
    enum zoho_verdict v = zoho__classify(&b, &res);
    ASSERT(v != ZOHO_RENEW || res.status == 401);
    ASSERT(v != ZOHO_THROTTLED || items[0].cls == W_RETRY || res.status == 429);
    arena_free(&answer);           /* what was kept must not point into the answer */
    for (size_t i = 0; i < RECORDS; i++) check_item(&b, &items[i]);
    arena_init(&answer, 0);
    (void)zoho__complaint(&(struct http_res){.status = res.status, .body = {(const char *)data + 1, n - 1}}, &answer);
    arena_free(&answer);
    arena_free(&a);
    return 0;
}
