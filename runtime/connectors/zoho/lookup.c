/* lookup.c - which records are there: by value (COQL, else search), by id (list; one by one where lines are wanted). facts/zoho-crm.md 4.5
 *
 *     values -> plain ------------------------------> one COQL query    `F in ('a','b',...)`
 *            -> with ' or \ -> escaped -------------> one COQL query of their own; not understood? -> search, one by one
 *            -> with control characters ------------> search, one by one
 *            -> no number, in a number field -------> no record can hold it
 *
 * Zoho compares text without regard to case, and search's `equals` may act as "contains": every row is compared again here, byte by byte
 * (numbers by value). Nothing that an escaped value could do to the query gets past that comparison. */
#include "connectors/zoho/zoho.h"
#include "value/decimal.h"
#include "value/json.h"
#include <stdio.h>

#define SEARCH_ROWS 200

struct search {                          /* one lookup on its way */
    struct target *t;
    const struct zoho_module *m;
    struct str field;
    bool number;
    const struct str *values;
    size_t n;
    const struct str *want;
    size_t nwant;
    struct arena *a;
    struct lookup_hit *hits;
    size_t nhits, cap;
    struct fault *f;
};

/* ---- names and values in a query ---- */

static bool name_good(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '.')) return false;
    }
    return s.n > 0 && s.n <= 100;
}

static bool is_number_type(struct str type)
{
    static const char *const types[] = {"integer", "bigint", "long", "double", "currency", "percent", "number"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_is(type, types[i])) return true;
    return false;
}

enum carry { CARRY_PLAIN, CARRY_ESCAPED, CARRY_SEARCH, CARRY_NEVER };

static enum carry carry_of(const struct search *s, struct str v)
{
    struct value number;
    enum carry c = CARRY_PLAIN;
    if (v.n == 0 || !str_utf8_valid(v) || (s->number && !decimal_parse(v, &number))) return CARRY_NEVER;
    for (size_t i = 0; i < v.n; i++) {
        unsigned char b = (unsigned char)v.p[i];
        if (b < 0x20 || b == 0x7f) return CARRY_SEARCH;
        if (b == '\'' || b == '\\') c = CARRY_ESCAPED;
    }
    return c;
}

static void put_literal(struct buf *out, const struct search *s, struct str v)
{
    if (!s->number) buf_byte(out, '\'');
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '\'' || v.p[i] == '\\') buf_byte(out, '\\');
        buf_byte(out, (unsigned char)v.p[i]);
    }
    if (!s->number) buf_byte(out, '\'');
}

/* ---- hits ---- */

static bool matches(const struct value *have, struct str v)
{
    struct value number;
    if (have->kind == V_TEXT || have->kind == V_ID) return str_eq(value_str(have), v);
    return have->kind == V_DECIMAL && decimal_parse(v, &number) && value_equal(have, &number);
}

static void add_hit(struct search *s, size_t value, const struct zoho_row *row)
{
    for (size_t i = 0; i < s->nhits; i++)
        if (s->hits[i].value_index == value && str_eq(s->hits[i].id, row->id)) return;
    if (s->nhits == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 64;
        struct lookup_hit *grown = ARENA_ARRAY(s->a, struct lookup_hit, cap);
        if (s->nhits) memcpy(grown, s->hits, s->nhits * sizeof *grown);
        s->hits = grown;
        s->cap = cap;
    }
    s->hits[s->nhits++] = (struct lookup_hit){value, row->id, row->fields};
}

static void take_rows(struct search *s, const struct zoho_rows *rows)
{
    for (size_t r = 0; r < rows->n; r++) {
        const struct value *have = record_get(&rows->row[r].fields, s->field);
        for (size_t v = 0; have && v < s->n; v++)
            if (matches(have, s->values[v])) add_hit(s, v, &rows->row[r]);
    }
}

/* ---- COQL ---- */

static void put_columns(struct buf *out, const struct search *s)
{
    buf_printf(out, "id, %.*s", (int)s->field.n, s->field.p);
    for (size_t i = 0; i < s->nwant; i++)
        if (!str_eq(s->want[i], s->field) && !str_is(s->want[i], "id")) buf_printf(out, ", %.*s", (int)s->want[i].n, s->want[i].p);
}

/* Zero when no value is carried that way. */
static size_t put_query(struct buf *out, const struct search *s, enum carry carry, int offset)
{
    size_t n = 0;
    buf_puts(out, "select ");
    put_columns(out, s);
    buf_printf(out, " from %.*s where %.*s in (", (int)s->m->name.n, s->m->name.p, (int)s->field.n, s->field.p);
    for (size_t i = 0; i < s->n; i++) {
        if (carry_of(s, s->values[i]) != carry) continue;
        if (n++) buf_byte(out, ',');
        put_literal(out, s, s->values[i]);
    }
    buf_printf(out, ") limit %d, %d", offset, ZOHO_COQL_ROWS);
    return n;
}

static bool not_understood(const struct http_res *res, struct arena *a)
{
    struct str code = zoho__complaint(res, a).code;
    return res->status == 400 && (str_is(code, "SYNTAX_ERROR") || str_is(code, "INVALID_QUERY"));
}

/* *unclear (may be NULL): the query was refused as such; then OK is returned and nothing was found. */
static enum err coql(struct search *s, enum carry carry, bool *unclear)
{
    struct buf query = {0}, body = {0};
    enum err e = ERR_OK;
    for (int offset = 0; e == ERR_OK; offset += ZOHO_COQL_ROWS) {
        if (offset >= ZOHO_LOOKUP_ROWS) {
            e = fault_set(s->f, ERR_TOO_LARGE, "more than %d records of %.*s hold the values looked up in %.*s: is it the right field?",
                          ZOHO_LOOKUP_ROWS, (int)s->m->name.n, s->m->name.p, (int)s->field.n, s->field.p);
            break;
        }
        buf_clear(&query);
        buf_clear(&body);
        if (put_query(&query, s, carry, offset) == 0) break;
        buf_puts(&body, "{\"select_query\":");
        json_put_string(&body, buf_view(&query));
        buf_byte(&body, '}');
        struct zoho_call c = {.what = "COQL", .method = "POST", .path = "/coql", .body = buf_view(&body), .cost = 1};
        struct http_res res = {.status = 0};
        struct zoho_rows rows;
        e = zoho__call(s->t, &c, s->a, &res, s->f);
        if (e != ERR_OK && unclear && not_understood(&res, s->a)) {
            *unclear = true;
            e = ERR_OK;
            break;
        }
        if (e == ERR_OK) e = zoho__get_rows(res.body, s->m, s->a, &rows, s->f);
        if (e != ERR_OK) break;
        take_rows(s, &rows);
        if (!rows.more) break;
    }
    buf_free(&query);
    buf_free(&body);
    return e;
}

/* ---- search ---- */

static void put_search(struct buf *out, const struct search *s, struct str v, int page)
{
    struct buf criteria = {0};
    buf_printf(&criteria, "(%.*s:equals:", (int)s->field.n, s->field.p);
    for (size_t i = 0; i < v.n; i++) {
        if (strchr("(),\\", v.p[i]) && v.p[i]) buf_byte(&criteria, '\\');
        buf_byte(&criteria, (unsigned char)v.p[i]);
    }
    buf_byte(&criteria, ')');
    buf_printf(out, "/%.*s/search?criteria=", (int)s->m->name.n, s->m->name.p);
    net_url_encode(out, buf_view(&criteria));
    buf_puts(out, "&fields=");
    struct buf columns = {0};
    put_columns(&columns, s);
    for (size_t i = 0; i < columns.n; i++)
        if (columns.p[i] != ' ') buf_byte(out, (unsigned char)columns.p[i]);
    buf_printf(out, "&per_page=%d&page=%d", SEARCH_ROWS, page);
    buf_free(&columns);
    buf_free(&criteria);
}

static enum err search_one(struct search *s, struct str v)
{
    struct buf path = {0};
    enum err e = ERR_OK;
    bool more = true;
    for (int page = 1; e == ERR_OK && more; page++) {
        if (page > ZOHO_LOOKUP_ROWS / SEARCH_ROWS) {
            e = fault_set(s->f, ERR_TOO_LARGE, "search in %.*s finds more than %d records for one value of %.*s", (int)s->m->name.n,
                          s->m->name.p, ZOHO_LOOKUP_ROWS, (int)s->field.n, s->field.p);
            break;
        }
        buf_clear(&path);
        put_search(&path, s, v, page);
        struct zoho_call c = {.what = "search", .method = "GET", .path = buf_cstr(&path), .cost = 1};
        struct http_res res;
        struct zoho_rows rows = {NULL, 0, false};
        e = zoho__call(s->t, &c, s->a, &res, s->f);
        if (e == ERR_OK) e = zoho__get_rows(res.body, s->m, s->a, &rows, s->f);
        if (e == ERR_OK) take_rows(s, &rows);
        more = rows.more;
    }
    buf_free(&path);
    return e;
}

static enum err search_all(struct search *s, enum carry carry)
{
    for (size_t i = 0; i < s->n; i++) {
        if (carry_of(s, s->values[i]) != carry) continue;
        enum err e = search_one(s, s->values[i]);
        if (e != ERR_OK) return e;
    }
    return ERR_OK;
}

static enum err run(struct search *s)
{
    bool unclear = false;
    enum err e = coql(s, CARRY_PLAIN, NULL);
    if (e == ERR_OK) e = coql(s, CARRY_ESCAPED, &unclear);
    if (e == ERR_OK && unclear) e = search_all(s, CARRY_ESCAPED);
    if (e == ERR_OK) e = search_all(s, CARRY_SEARCH);
    return e;
}

/* ---- by value ---- */

static bool is_lines(const struct zoho_module *m, struct str name)
{
    const struct zoho_field *z = zoho__field(m, name);
    return z && str_is(z->data_type, "subform");
}

/* Replaces the two columns that a hit was found by with all that are wanted. */
static enum err widen(struct search *s, const struct str *want, size_t nwant)
{
    for (size_t at = 0; at < s->nhits; at += LIMIT_WRITE_BATCH) {
        struct str ids[LIMIT_WRITE_BATCH];
        size_t n = s->nhits - at < LIMIT_WRITE_BATCH ? s->nhits - at : LIMIT_WRITE_BATCH, nfull;
        struct lookup_hit *full;
        for (size_t i = 0; i < n; i++) ids[i] = s->hits[at + i].id;
        enum err e = zoho__read(s->t, s->m->name, ids, n, want, nwant, s->a, &full, &nfull, s->f);
        if (e != ERR_OK) return e;
        for (size_t i = 0; i < nfull; i++) s->hits[at + full[i].value_index].fields = full[i].fields;
    }
    return ERR_OK;
}

enum err zoho__lookup(struct target *t, struct str module, struct str field, const struct str *values, size_t n, const struct str *want,
                      size_t nwant, struct arena *a, struct lookup_hit **hits, size_t *nhits, struct fault *f)
{
    ASSERT(n <= LIMIT_COQL_IN);
    struct zoho_module *m = NULL;
    *hits = NULL;
    *nhits = 0;
    if (n == 0) return ERR_OK;
    if (zoho__is_users(module)) return zoho__users_lookup(t, field, values, n, want, nwant, a, hits, nhits, f);
    if (str_is(field, "id")) return zoho__read(t, module, values, n, want, nwant, a, hits, nhits, f);
    bool good = name_good(module) && name_good(field);
    for (size_t i = 0; i < nwant; i++) good = good && name_good(want[i]);
    if (!good) return fault_set(f, ERR_CONFIG, "a module or field name holds characters that Zoho's names do not have");
    enum err e = zoho__fields(t, module, &m, f);
    if (e != ERR_OK) return e;
    const struct zoho_field *known = zoho__field(m, field);
    if (!known) return fault_set(f, ERR_CONFIG, "module %.*s has no field %.*s", (int)module.n, module.p, (int)field.n, field.p);
    bool wide = nwant > ZOHO_LIST_FIELDS - 2;
    for (size_t i = 0; i < nwant && !wide; i++) wide = is_lines(m, want[i]);
    struct search s = {.t = t, .m = m, .field = field, .number = is_number_type(known->data_type), .values = values, .n = n, .want = want,
                       .nwant = wide ? 0 : nwant, .a = a, .f = f};
    e = run(&s);
    if (e == ERR_OK && wide) e = widen(&s, want, nwant);
    if (e != ERR_OK) return e;
    *hits = s.hits;
    *nhits = s.nhits;
    return ERR_OK;
}

/* ---- by id ---- */

enum { READ_IDS = 51 };      /* of 19 digits, with commas: the description of GET /{module} takes 1,024 characters of ids */

static bool id_good(struct str id)
{
    int64_t v;
    return id.n <= 19 && str_to_i64(id, &v);
}

static size_t put_list(struct buf *out, struct str module, const struct str *ids, size_t n, const struct str *want, size_t nwant)
{
    size_t good = 0;
    buf_printf(out, "/%.*s?ids=", (int)module.n, module.p);
    for (size_t i = 0; i < n; i++)
        if (id_good(ids[i])) buf_printf(out, "%s%.*s", good++ ? "%2C" : "", (int)ids[i].n, ids[i].p);
    buf_puts(out, "&fields=id");
    for (size_t i = 0; i < nwant; i++)
        if (!str_is(want[i], "id")) buf_printf(out, "%%2C%.*s", (int)want[i].n, want[i].p);
    buf_printf(out, "&per_page=%d", ZOHO_COQL_ROWS);
    return good;
}

/* Adds the fields of a row to those that an earlier call brought for the same record. */
static void merge(struct arena *a, struct record *into, const struct record *more)
{
    struct record_field *all = ARENA_ARRAY(a, struct record_field, into->n + more->n + 1);
    if (into->n) memcpy(all, into->f, into->n * sizeof *all);
    size_t n = into->n;
    for (size_t i = 0; i < more->n; i++)
        if (!record_get(into, more->f[i].name)) all[n++] = more->f[i];
    into->f = all;
    into->n = n;
}

static void place_rows(const struct zoho_rows *rows, const struct str *ids, size_t n, struct arena *a, struct lookup_hit *hits, size_t *nhits)
{
    for (size_t r = 0; r < rows->n; r++) {
        for (size_t i = 0; i < n; i++) {
            if (!str_eq(rows->row[r].id, ids[i])) continue;
            size_t h = 0;
            while (h < *nhits && hits[h].value_index != i) h++;
            if (h == *nhits) hits[(*nhits)++] = (struct lookup_hit){i, rows->row[r].id, {NULL, 0}};
            merge(a, &hits[h].fields, &rows->row[r].fields);
        }
    }
}

/* Subforms come only with one record at a time (facts 4.5); such an answer holds every field of it. */
static enum err read_whole(struct target *t, const struct zoho_module *m, const struct str *ids, size_t n, struct arena *a, struct lookup_hit *hits,
                           size_t *nhits, struct fault *f)
{
    struct buf path = {0};
    enum err e = ERR_OK;
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        struct http_res res = {.status = 0};
        struct zoho_rows rows = {NULL, 0, false};
        if (!id_good(ids[i])) continue;
        buf_clear(&path);
        buf_printf(&path, "/%.*s/%.*s", (int)m->name.n, m->name.p, (int)ids[i].n, ids[i].p);
        struct zoho_call c = {.what = "one record", .method = "GET", .path = buf_cstr(&path), .cost = 1};
        e = zoho__call(t, &c, a, &res, f);
        bool absent = res.status == 404 || (res.status == 400 && str_is(zoho__complaint(&res, a).code, "INVALID_DATA"));
        if (e != ERR_OK && absent) {                       /* an id that is none any more */
            e = ERR_OK;
            continue;
        }
        if (e == ERR_OK) e = zoho__get_rows(res.body, m, a, &rows, f);
        if (e == ERR_OK && rows.n == 1 && str_eq(rows.row[0].id, ids[i])) hits[(*nhits)++] = (struct lookup_hit){i, rows.row[0].id, rows.row[0].fields};
    }
    buf_free(&path);
    return e;
}

/* The ids from `first` on, as many as one call takes; more fields than one call takes are read in several. */
static enum err read_some(struct target *t, const struct zoho_module *m, const struct str *ids, size_t n, size_t first, const struct str *want, size_t nwant,
                          struct arena *a, struct lookup_hit *hits, size_t *nhits, struct fault *f)
{
    struct buf path = {0};
    enum err e = ERR_OK;
    const size_t count = n - first < READ_IDS ? n - first : READ_IDS;
    for (size_t at = 0; e == ERR_OK && (at == 0 || at < nwant); at += ZOHO_LIST_FIELDS - 1) {
        size_t some = nwant - at < ZOHO_LIST_FIELDS - 1 ? nwant - at : ZOHO_LIST_FIELDS - 1;
        struct http_res res;
        struct zoho_rows rows;
        buf_clear(&path);
        if (put_list(&path, m->name, ids + first, count, nwant ? want + at : NULL, some) == 0) break;
        struct zoho_call c = {.what = "records by id", .method = "GET", .path = buf_cstr(&path), .cost = 1};
        e = zoho__call(t, &c, a, &res, f);
        if (e == ERR_OK) e = zoho__get_rows(res.body, m, a, &rows, f);
        if (e == ERR_OK) place_rows(&rows, ids, n, a, hits, nhits);
    }
    buf_free(&path);
    return e;
}

enum err zoho__read(struct target *t, struct str module, const struct str *ids, size_t n, const struct str *want, size_t nwant,
                    struct arena *a, struct lookup_hit **hits, size_t *nhits, struct fault *f)
{
    ASSERT(n <= LIMIT_WRITE_BATCH);
    *hits = ARENA_ARRAY(a, struct lookup_hit, n + 1);
    *nhits = 0;
    if (n == 0) return ERR_OK;
    if (zoho__is_users(module)) return zoho__users_lookup(t, STR("id"), ids, n, want, nwant, a, hits, nhits, f);
    bool good = name_good(module);
    for (size_t i = 0; i < nwant; i++) good = good && name_good(want[i]);
    if (!good) return fault_set(f, ERR_CONFIG, "a module or field name holds characters that Zoho's names do not have");
    struct zoho_module *m = NULL;
    enum err e = zoho__fields(t, module, &m, f);
    for (size_t i = 0; e == ERR_OK && i < nwant; i++)
        if (is_lines(m, want[i])) return read_whole(t, m, ids, n, a, *hits, nhits, f);
    for (size_t at = 0; e == ERR_OK && at < n; at += READ_IDS) e = read_some(t, m, ids, n, at, want, nwant, a, *hits, nhits, f);
    return e;
}
