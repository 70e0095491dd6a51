/* scan.c - a module from end to end, for `mlcd reconcile`: the records whose field holds a value, in the order of their ids, one page a query.
 *
 *     select id, Sage_Customer from Accounts where Sage_Customer is not null and id > '...' order by id asc limit 0, 200
 *
 * The place is the last id, not an offset: records that come and go meanwhile move nothing, and there is no last row that can be reached. One credit
 * for 200 records (facts/zoho-crm.md 8). */
#include "connectors/zoho/zoho.h"
#include "value/json.h"

static bool plain_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return s.n > 0 && s.n <= 100;
}

static void put_query(struct buf *out, struct str module, struct str field, struct str after, const struct str *want, size_t nwant)
{
    struct buf q = {0};
    buf_printf(&q, "select id, %.*s", (int)field.n, field.p);
    for (size_t i = 0; i < nwant; i++)
        if (!str_eq(want[i], field) && !str_is(want[i], "id")) buf_printf(&q, ", %.*s", (int)want[i].n, want[i].p);
    buf_printf(&q, " from %.*s where %.*s is not null", (int)module.n, module.p, (int)field.n, field.p);
    if (after.n) buf_printf(&q, " and id > '%.*s'", (int)after.n, after.p);
    buf_printf(&q, " order by id asc limit 0, %d", ZOHO_COQL_ROWS);
    buf_puts(out, "{\"select_query\":");
    json_put_string(out, buf_view(&q));
    buf_byte(out, '}');
    buf_free(&q);
}

enum err zoho__scan(struct target *t, struct str module, struct str field, struct str after, const struct str *want, size_t nwant, struct arena *a,
                    struct lookup_hit **hits, size_t *nhits, bool *more, struct fault *f)
{
    int64_t id;
    bool good = plain_name(module) && plain_name(field) && nwant <= ZOHO_LIST_FIELDS - 2 && (after.n == 0 || (after.n <= 19 && str_to_i64(after, &id)));
    for (size_t i = 0; i < nwant; i++) good = good && plain_name(want[i]);
    *hits = NULL;
    *nhits = 0;
    *more = false;
    if (!good) return fault_set(f, ERR_CONFIG, "%.*s cannot be walked by %.*s: a name that Zoho's names cannot be, or too many fields", (int)module.n, module.p,
                                (int)field.n, field.p);
    struct zoho_module *m = NULL;
    enum err e = zoho__fields(t, module, &m, f);
    if (e != ERR_OK) return e;
    struct buf body = {0};
    put_query(&body, module, field, after, want, nwant);
    struct zoho_call c = {.what = "COQL", .method = "POST", .path = "/coql", .body = buf_view(&body), .cost = 1};
    struct http_res res;
    struct zoho_rows rows = {NULL, 0, false};
    e = zoho__call(t, &c, a, &res, f);
    if (e == ERR_OK) e = zoho__get_rows(res.body, m, a, &rows, f);
    buf_free(&body);
    if (e != ERR_OK) return e;
    *hits = ARENA_ARRAY(a, struct lookup_hit, rows.n + 1);
    for (size_t i = 0; i < rows.n; i++) (*hits)[i] = (struct lookup_hit){0, rows.row[i].id, rows.row[i].fields};
    *nhits = rows.n;
    *more = rows.more && rows.n > 0;
    return ERR_OK;
}
