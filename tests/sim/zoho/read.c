/*
 * read.c: a record as JSON, the list with its two ways of paging, and one record by id (facts 4.5).
 *
 * Pages: page=1..10 reaches 2,000 rows; from then on the token. A token is 16+8+12+8+16+16 hexadecimal digits and a
 * checksum: hash of the parameters, user, expiry, rows given, sort key and id of the last row. It holds all of its
 * state, so that the model needs none, and the next page starts behind the last row whatever was written between.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

enum { PER_PAGE = 200, DISCRETE_ROWS = 2000, TOKEN_ROWS = 100000, TOKEN_LIFE_S = 24 * 3600, MAX_FIELDS = 50,
       RICH_POINTS = 500, MAX_IDS = 100, MAX_IDS_CHARACTERS = 1024 };

// ---- a record as JSON

void zsim__show_name(const struct zsim_module *m, const struct zsim_record *r, struct zsim_text *raw)
{
    struct zsim_cell cell;
    if (m->name_field >= 0 && zsim__cell(r, m->name_field, &cell))
        zsim__add(raw, cell.bytes, cell.len);
}

static void show_user(const struct zoho_sim *sim, int user, bool email, struct zsim_text *out)
{
    const struct zsim_user *u = &sim->users[user];
    zsim__str(out, "{\"name\":");
    zsim__quoted(out, u->full_name, strlen(u->full_name));
    zsim__fmt(out, ",\"id\":\"%llu\"", (unsigned long long)u->id);
    if (email) {
        zsim__str(out, ",\"email\":");
        zsim__quoted(out, u->email, strlen(u->email));
    }
    zsim__str(out, "}");
}

static void show_role(struct zoho_sim *sim, const struct zsim_record *r, enum zsim_role role, enum zsim_view view,
                      struct zsim_text *out)
{
    char at[32];
    switch (role) {
    case ZR_ID:
        zsim__fmt(out, "\"%llu\"", (unsigned long long)r->id);
        break;
    case ZR_CREATED:
    case ZR_MODIFIED:
        zsim__format_datetime(role == ZR_CREATED ? r->created_ms : r->modified_ms, sim->offset_minutes, at);
        zsim__fmt(out, "\"%s\"", at);
        break;
    case ZR_CREATED_BY:
    case ZR_MODIFIED_BY: {
        int user = role == ZR_CREATED_BY ? r->created_by : r->modified_by;
        if (view == ZW_COQL && !sim->on.coql_lookup_names)
            zsim__fmt(out, "{\"id\":\"%llu\"}", (unsigned long long)sim->users[user].id);
        else
            show_user(sim, user, false, out);
        break;
    }
    case ZR_LOCKED:
    case ZR_PLAIN:
        zsim__str(out, r->locked ? "true" : "false");
        break;
    }
}

static void show_link(struct zoho_sim *sim, const struct zsim_field *f, const struct zsim_cell *cell,
                      enum zsim_view view, struct zsim_text *out)
{
    char text[24] = "";
    uint64_t id = 0;
    if (cell->len < sizeof text)
        memcpy(text, cell->bytes, cell->len);
    bool names = view != ZW_COQL || sim->on.coql_lookup_names;
    int user = cell->kind == 'u' && zsim__parse_u64(text, &id) ? zsim__user_by_id(sim, id) : -1;
    if (user >= 0 && names) {
        show_user(sim, user, true, out);
        return;
    }
    struct zsim_module *target = f->lookup >= 0 ? &sim->modules[f->lookup] : NULL;
    const struct zsim_record *r = target && zsim__parse_u64(text, &id) ? zsim__record(target, id) : NULL;
    if (user < 0 && !r) {
        zsim__str(out, "null"); // the other record was deleted
        return;
    }
    zsim__str(out, "{");
    if (names) {
        struct zsim_text name = {0};
        zsim__show_name(target, r, &name);
        zsim__str(out, "\"name\":");
        zsim__quoted(out, name.at ? name.at : "", name.len);
        zsim__str(out, ",");
        zsim__text_free(&name);
    }
    zsim__fmt(out, "\"id\":\"%s\"}", text);
}

void zsim__show_field(struct zoho_sim *sim, const struct zsim_module *m, const struct zsim_record *r, int field,
                      enum zsim_view view, struct zsim_text *out)
{
    const struct zsim_field *f = &m->fields[field];
    struct zsim_cell cell;
    if (f->role != ZR_PLAIN) {
        show_role(sim, r, f->role, view, out);
        return;
    }
    bool there = zsim__cell(r, field, &cell);
    if (f->kind == ZK_SUBFORM) {
        zsim__show_rows(sim, m, r, f, there ? &cell : NULL, out);
        return;
    }
    if (!there) {
        zsim__str(out, f->kind == ZK_BOOL ? "false" : "null");
        return;
    }
    size_t len = cell.len;
    if (view == ZW_LIST && f->rich)
        len = zsim__prefix_of_points(cell.bytes, len, RICH_POINTS);
    if (cell.kind == 's' || (cell.kind == 'n' && strcmp(f->json_type, "string") == 0))
        zsim__quoted(out, cell.bytes, len);
    else if (cell.kind == 'r' || cell.kind == 'u')
        show_link(sim, f, &cell, view, out);
    else
        zsim__add(out, cell.bytes, cell.len);
}

void zsim__show(struct zoho_sim *sim, const struct zsim_module *m, const struct zsim_record *r, const int *fields,
                size_t n, enum zsim_view view, struct zsim_text *out)
{
    bool id = false;
    const char *comma = "";
    zsim__str(out, "{");
    for (size_t i = 0; i < n; i++) {
        const struct zsim_field *f = &m->fields[fields[i]];
        if (f->kind == ZK_SUBFORM && view != ZW_ONE)
            continue;
        id = id || f->role == ZR_ID;
        zsim__fmt(out, "%s\"%s\":", comma, f->name);
        zsim__show_field(sim, m, r, fields[i], view, out);
        comma = ",";
    }
    if (!id)
        zsim__fmt(out, "%s\"id\":\"%llu\"", comma, (unsigned long long)r->id);
    zsim__str(out, "}");
}

void zsim__show_all(struct zoho_sim *sim, const struct zsim_module *m, const struct zsim_record *r,
                    struct zsim_text *out)
{
    int *fields = zsim__must(malloc((m->nfields + 1) * sizeof *fields));
    for (size_t i = 0; i < m->nfields; i++)
        fields[i] = (int)i;
    zsim__show(sim, m, r, fields, m->nfields, ZW_ONE, out);
    free(fields);
}

// ---- parameters of a list

struct list {
    struct zsim_call *call;
    struct zsim_module *m;
    int fields[MAX_FIELDS];
    size_t nfields;
    int64_t per_page, page, given, since_ms;
    bool by_time, by_modified, descending, since, from_token;
    const char *sort_by;
    const char *ids;
    int64_t last_key;
    uint64_t last_id, hash;
    uint32_t *top; // numbers of the best rows, a heap whose root is the worst
    size_t ntop, want;
};

static bool bad_param(struct zsim_call *call, const char *code, const char *message, const char *param)
{
    zsim__error(call, 400, code, message, json_pack("{ss}", "param_name", param));
    return false;
}

static bool take_fields(struct list *list)
{
    const char *text = zsim__param(list->call, "fields");
    size_t count = 0;
    if (!text || !*text)
        return bad_param(list->call, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", "fields");
    char *copy = zsim__copy(text), *rest = copy, *name;
    while ((name = strsep(&rest, ",")) != NULL) {
        int f = zsim__field(list->m, name);
        if (++count > MAX_FIELDS)
            break;
        if (f >= 0)
            list->fields[list->nfields++] = f; // unknown names are left out without a word
    }
    free(copy);
    if (count > MAX_FIELDS) {
        zsim__error(list->call, 400, "LIMIT_EXCEEDED", "limit exceeded",
                    json_pack("{siss}", "limit", MAX_FIELDS, "param_name", "fields"));
        return false;
    }
    return true;
}

static bool take_sort(struct list *list)
{
    const char *by = zsim__param(list->call, "sort_by"), *order = zsim__param(list->call, "sort_order");
    if (zsim__param(list->call, "cvid") && by) {
        zsim__error(list->call, 400, "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request",
                    json_pack("{s[{ss}{ss}]}", "ambiguity_due_to", "param_name", "cvid", "param_name", "sort_by"));
        return false;
    }
    list->sort_by = by ? by : "id";
    list->by_modified = strcmp(list->sort_by, "Modified_Time") == 0;
    list->by_time = list->by_modified || strcmp(list->sort_by, "Created_Time") == 0;
    if (!list->by_time && strcmp(list->sort_by, "id") != 0)
        return bad_param(list->call, "INVALID_DATA", "invalid data", "sort_by");
    list->descending = !order || strcmp(order, "asc") != 0;
    if (order && strcmp(order, "asc") != 0 && strcmp(order, "desc") != 0)
        return bad_param(list->call, "INVALID_DATA", "invalid data", "sort_order");
    return true;
}

static uint64_t hash_params(const struct list *list)
{
    static const char *const BOUND[] = {"fields", "sort_by", "sort_order", "per_page", "ids", "cvid"};
    struct zsim_text all = {0};
    zsim__str(&all, list->m->name);
    for (size_t i = 0; i < sizeof BOUND / sizeof *BOUND; i++) {
        const char *v = zsim__param(list->call, BOUND[i]);
        zsim__fmt(&all, "|%s", v ? v : "");
    }
    uint64_t h = zsim__hash(all.at, all.len, false);
    zsim__text_free(&all);
    return h;
}

static char *make_token(const struct list *list, int64_t key, uint64_t id)
{
    struct zsim_text t = {0};
    zsim__fmt(&t, "%016llx%08x%012llx%08x%016llx%016llx", (unsigned long long)list->hash, (unsigned)list->call->user,
              (unsigned long long)(list->call->now_ms / 1000 + TOKEN_LIFE_S),
              (unsigned)(list->given + list->per_page), (unsigned long long)key, (unsigned long long)id);
    zsim__fmt(&t, "%08x", (unsigned)(zsim__hash(t.at, t.len, false) & 0xffffffffu));
    return t.at;
}

static uint64_t hex_at(const char *s, size_t from, size_t n)
{
    char part[20] = "";
    memcpy(part, s + from, n);
    return strtoull(part, NULL, 16);
}

static bool take_token(struct list *list, const char *token)
{
    struct zsim_call *call = list->call;
    if (strlen(token) != 84 || hex_at(token, 76, 8) != (zsim__hash(token, 76, false) & 0xffffffffu))
        return bad_param(call, "INVALID_DATA", "invalid data", "page_token");
    if (hex_at(token, 0, 16) != list->hash || hex_at(token, 16, 8) != (uint64_t)call->user)
        return bad_param(call, "TOKEN_BOUND_DATA_MISMATCH", "the parameters differ from those of the token",
                         "page_token");
    if ((int64_t)hex_at(token, 24, 12) < call->now_ms / 1000)
        return bad_param(call, "EXPIRED_VALUE", "the page_token has expired", "page_token");
    list->given = (int64_t)hex_at(token, 36, 8);
    list->last_key = (int64_t)hex_at(token, 44, 16);
    list->last_id = hex_at(token, 60, 16);
    list->from_token = true;
    if (list->given >= TOKEN_ROWS) {
        zsim__error(call, 400, "PAGINATION_LIMIT_EXCEEDED", "no more rows can be listed",
                    json_pack("{siss}", "limit", TOKEN_ROWS, "param_name", "page_token"));
        return false;
    }
    list->page = list->given / list->per_page + 1;
    return true;
}

static bool take_paging(struct list *list)
{
    struct zsim_call *call = list->call;
    const char *token = zsim__param(call, "page_token");
    list->per_page = zsim__param_number(call, "per_page", PER_PAGE);
    list->page = zsim__param_number(call, "page", 1);
    if (list->per_page < 1 || list->per_page > PER_PAGE)
        return bad_param(call, "INVALID_DATA", "invalid data", "per_page");
    if (list->page < 1)
        return bad_param(call, "INVALID_DATA", "invalid data", "page");
    list->hash = hash_params(list);
    if (token && zsim__param(call, "page")) {
        zsim__error(call, 400, "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request",
                    json_pack("{s[{ss}{ss}]}", "ambiguity_due_to", "param_name", "page_token", "param_name", "page"));
        return false;
    }
    if (token)
        return take_token(list, token);
    list->given = (list->page - 1) * list->per_page;
    if (list->page * list->per_page > DISCRETE_ROWS) {
        zsim__error(call, 400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "use page_token to list further rows",
                    json_pack("{siss}", "limit", DISCRETE_ROWS, "param_name", "page"));
        return false;
    }
    return true;
}

// ---- choosing the rows

static int64_t key_of(const struct list *list, const struct zsim_record *r)
{
    return !list->by_time ? 0 : list->by_modified ? r->modified_ms / 1000 : r->created_ms / 1000;
}

// Is (key, id) of a shown before those of b?
static bool before(const struct list *list, int64_t akey, uint64_t aid, int64_t bkey, uint64_t bid)
{
    if (akey != bkey)
        return (akey < bkey) != list->descending;
    return aid != bid && (aid < bid) != list->descending;
}

static bool worse(const struct list *list, uint32_t a, uint32_t b)
{
    const struct zsim_record *x = &list->m->records[a], *y = &list->m->records[b];
    return before(list, key_of(list, y), y->id, key_of(list, x), x->id);
}

static void sift_down(struct list *list, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= list->ntop)
            return;
        if (child + 1 < list->ntop && worse(list, list->top[child + 1], list->top[child]))
            child++;
        if (!worse(list, list->top[child], list->top[at]))
            return;
        uint32_t swap = list->top[at];
        list->top[at] = list->top[child];
        list->top[child] = swap;
        at = child;
    }
}

static void offer(struct list *list, uint32_t number)
{
    if (list->ntop == list->want) {
        if (worse(list, number, list->top[0]))
            return;
        list->top[0] = number;
        sift_down(list, 0);
        return;
    }
    size_t at = list->ntop++;
    list->top[at] = number;
    for (; at && worse(list, list->top[at], list->top[(at - 1) / 2]); at = (at - 1) / 2) {
        uint32_t swap = list->top[at];
        list->top[at] = list->top[(at - 1) / 2];
        list->top[(at - 1) / 2] = swap;
    }
}

static bool wanted(const struct list *list, const struct zsim_record *r)
{
    if (r->state != ZS_LIVE || (list->since && r->modified_ms / 1000 <= list->since_ms / 1000))
        return false;
    return !list->from_token || before(list, list->last_key, list->last_id, key_of(list, r), r->id);
}

static void offer_ids(struct list *list)
{
    char *copy = zsim__copy(list->ids), *rest = copy, *name;
    uint64_t id;
    while ((name = strsep(&rest, ",")) != NULL) {
        const struct zsim_record *r = zsim__parse_u64(name, &id) ? zsim__record(list->m, id) : NULL;
        if (r && wanted(list, r))
            offer(list, (uint32_t)(r - list->m->records));
    }
    free(copy);
}

static int compare_rows(const void *a, const void *b, void *list)
{
    return worse(list, *(const uint32_t *)a, *(const uint32_t *)b) ? 1 : -1;
}

static void choose(struct list *list)
{
    size_t skip = list->from_token ? 0 : (size_t)list->given, n = list->m->nrecords;
    list->want = skip + (size_t)list->per_page + 1;
    list->top = zsim__must(malloc(list->want * sizeof *list->top));
    if (list->ids) {
        offer_ids(list);
    } else if (list->by_time) {
        for (size_t i = 0; i < n; i++)
            if (wanted(list, &list->m->records[i]))
                offer(list, (uint32_t)i);
    } else { // in the order of ids already: stop when there are enough
        size_t first = 0, last = n;
        if (list->from_token && list->descending)
            last = zsim__lower_bound(list->m, list->last_id);
        else if (list->from_token)
            first = zsim__lower_bound(list->m, list->last_id + 1);
        for (size_t i = first; i < last && list->ntop < list->want; i++) {
            uint32_t number = (uint32_t)(list->descending ? last - 1 - (i - first) : i);
            if (wanted(list, &list->m->records[number]))
                list->top[list->ntop++] = number;
        }
    }
    if (list->ids || list->by_time)
        qsort_r(list->top, list->ntop, sizeof *list->top, compare_rows, list);
    size_t drop = skip < list->ntop ? skip : list->ntop;
    memmove(list->top, list->top + drop, (list->ntop - drop) * sizeof *list->top);
    list->ntop -= drop;
}

static void show_list(struct list *list)
{
    struct zoho_sim *sim = list->call->sim;
    bool more = list->ntop > (size_t)list->per_page;
    size_t n = more ? (size_t)list->per_page : list->ntop;
    struct zsim_text out = {0};
    zsim__str(&out, "{\"data\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            zsim__str(&out, ",");
        zsim__show(sim, list->m, &list->m->records[list->top[i]], list->fields, list->nfields, ZW_LIST, &out);
    }
    zsim__fmt(&out,
              "],\"info\":{\"call\":false,\"per_page\":%lld,\"count\":%zu,\"page\":%lld,\"sort_by\":\"%s\","
              "\"sort_order\":\"%s\",\"email\":false,\"more_records\":%s,",
              (long long)list->per_page, n, (long long)list->page, list->sort_by, list->descending ? "desc" : "asc",
              more ? "true" : "false");
    if (more) {
        char expiry[32];
        const struct zsim_record *last = &list->m->records[list->top[n - 1]];
        char *token = make_token(list, key_of(list, last), last->id);
        zsim__format_datetime(list->call->now_ms + TOKEN_LIFE_S * 1000LL, sim->offset_minutes, expiry);
        zsim__fmt(&out, "\"next_page_token\":\"%s\",\"previous_page_token\":null,\"page_token_expiry\":\"%s\"}}", token,
                  expiry);
        free(token);
    } else {
        zsim__str(&out, "\"next_page_token\":null,\"previous_page_token\":null,\"page_token_expiry\":null}}");
    }
    zsim__answer_text(list->call, 200, &out);
}

void zsim__list(struct zsim_call *call, struct zsim_module *m)
{
    struct list list = {.call = call, .m = m, .ids = zsim__param(call, "ids")};
    const char *since = sim_request_header(call->req, "If-Modified-Since");
    if (!take_fields(&list) || !take_sort(&list) || !take_paging(&list))
        return;
    if (since && !(list.since = zsim__parse_datetime(since, &list.since_ms))) {
        zsim__error(call, 400, "INVALID_DATA", "invalid data", json_pack("{ss}", "header_name", "If-Modified-Since"));
        return;
    }
    size_t commas = 0;
    for (const char *p = list.ids; p && *p; p++)
        commas += *p == ',';
    if (commas >= MAX_IDS) {
        zsim__error(call, 400, "LIMIT_EXCEEDED", "limit exceeded",
                    json_pack("{siss}", "limit", MAX_IDS, "param_name", "ids"));
        return;
    }
    if (list.ids && strlen(list.ids) > MAX_IDS_CHARACTERS) { // what Zoho's own description of this call allows
        zsim__error(call, 400, "INVALID_DATA", "invalid data", json_pack("{siss}", "maximum_length", MAX_IDS_CHARACTERS, "param_name", "ids"));
        return;
    }
    choose(&list);
    if (list.ntop == 0)
        zsim__answer_empty(call, list.since ? 304 : 204);
    else
        show_list(&list);
    free(list.top);
}

void zsim__get(struct zsim_call *call, struct zsim_module *m, const char *id)
{
    uint64_t number;
    if (!zsim__parse_u64(id, &number)) {
        zsim__error(call, 400, "INVALID_DATA", "the id given seems to be invalid",
                    json_pack("{si}", "resource_path_index", 1));
        return;
    }
    const struct zsim_record *r = zsim__record(m, number);
    if (!r) {
        zsim__answer_empty(call, 204);
        return;
    }
    struct zsim_text out = {0};
    zsim__str(&out, "{\"data\":[");
    zsim__show_all(call->sim, m, r, &out);
    zsim__str(&out, "]}");
    zsim__answer_text(call, 200, &out);
}
