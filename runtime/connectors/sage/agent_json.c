/* agent_json.c - answers of the agent (facts/sage-100.md 9.3) straight into source_row: no tree, no copy of what nobody asked for.
 *
 *   {"rows":[{"key":[..],"updated":{..},"hash":"..","fields":{..},"udf":{..},"lines":[..]}],"locked":[[..]],"next":"..","complete":false,..}
 *      |         |            |          |         |         |           `- a list, where the query has a list column; else skipped
 *      |         |            |          |         `---------`- names looked up in a hash of the query's columns, values through type_read
 *      |         `------------`----------`- source_row.key, stamp, hash
 *      `- one array of at most `limit` rows, made before the first
 *
 * Invariants: a breach of the protocol makes the whole answer void (nothing of it may be stored, the cursor stays); a value that breaks its
 * declared type makes one row a violation. Members that we do not know are skipped, double ones refused. */
#include "connectors/sage/sage.h"
#include "connectors/lines.h"
#include "base/check.h"
#include "base/hash.h"
#include "value/date.h"
#include "value/json.h"
#include "value/json_cell.h"
#include <stdio.h>

struct columns {
    const struct source_query *q;
    uint32_t *slot, mask;
    uint32_t *seen;                                /* number of the row in which the column was last met */
    uint8_t *key_part;                             /* 1 + part of the key that the column is, or 0 */
    struct cell *cells;
};
struct reading {
    struct json_scanner js;
    struct arena *a;
    struct fault *f;
    const char *what;
    struct columns columns;
    size_t nkeys, limit;
    struct source_page *out;
    bool outline;                                  /* key and hash only: the asker says which rows are to be read */
};

/* ---- what is wrong, and where ---- */

static enum err malformed(struct reading *r, const char *member, const char *problem)
{
    size_t at = r->js.error[0] ? r->js.error_at : (size_t)(r->js.p - r->js.start);
    const char *why = r->js.error[0] ? r->js.error : problem;
    return fault_set(r->f, ERR_PROTOCOL, "agent: %s: member \"%s\": %s (byte %zu)", r->what, member, why, at);
}

static enum json_token next(struct reading *r)
{
    return json_next(&r->js);
}

static enum err skip(struct reading *r, const char *member, enum json_token t)
{
    return json_skip(&r->js, t) ? ERR_OK : malformed(r, member, "unreadable");
}

/* ---- the query's columns by name ---- */

static uint32_t name_hash(struct str s)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h;
}

static void columns_init(struct columns *c, const struct source_query *q, struct arena *a)
{
    uint32_t slots = 16;
    while (slots < q->ncolumns * 2) slots *= 2;
    *c = (struct columns){q, ARENA_ARRAY(a, uint32_t, slots), slots - 1, ARENA_ARRAY(a, uint32_t, q->ncolumns + 1), ARENA_ARRAY(a, uint8_t, q->ncolumns + 1),
                          ARENA_ARRAY(a, struct cell, q->ncolumns + 1)};
    for (size_t i = 0; i < q->ncolumns; i++) {
        c->cells[i] = cell_of(q->columns[i].name, &q->columns[i].type);
        uint32_t at = name_hash(q->columns[i].name) & c->mask;
        while (c->slot[at]) at = (at + 1) & c->mask;
        c->slot[at] = (uint32_t)i + 1;
        for (size_t k = 0; k < q->nkeys; k++)
            if (str_eq(q->key_columns[k], q->columns[i].name)) c->key_part[i] = (uint8_t)(k + 1);
    }
}

/* Where a column stands in the answer: fields or udf (9.3). */
static bool is_udf(const struct source_column *c)
{
    return c->udf || str_starts(c->name, STR("UDF_"));
}

static size_t column_named(const struct columns *c, struct str name, bool udf)
{
    if (!c->slot) return SIZE_MAX;
    for (uint32_t at = name_hash(name) & c->mask; c->slot[at]; at = (at + 1) & c->mask) {
        size_t i = c->slot[at] - 1;
        if (str_eq(c->q->columns[i].name, name) && is_udf(&c->q->columns[i]) == udf) return i;
    }
    return SIZE_MAX;
}

/* ---- small values ---- */

static enum err read_text(struct reading *r, const char *member, struct str *out)
{
    if (next(r) != JSON_STRING) return malformed(r, member, "a string was expected");
    *out = r->js.text;
    return ERR_OK;
}

/* A string or null; null leaves *out empty. */
static enum err read_text_or_null(struct reading *r, const char *member, struct str *out)
{
    enum json_token t = next(r);
    *out = (struct str){"", 0};
    if (t == JSON_STRING) *out = r->js.text;
    return t == JSON_STRING || t == JSON_NULL ? ERR_OK : malformed(r, member, "a string or null was expected");
}

static enum err read_bool(struct reading *r, const char *member, bool *out)
{
    enum json_token t = next(r);
    *out = t == JSON_TRUE;
    return t == JSON_TRUE || t == JSON_FALSE ? ERR_OK : malformed(r, member, "true or false was expected");
}

/* t = the token that should open the array of parts. */
static enum err read_key(struct reading *r, const char *member, enum json_token t, struct source_key *out)
{
    size_t bytes = 0;
    out->n = 0;
    if (t != JSON_ARRAY) return malformed(r, member, "a key is an array of strings");
    while ((t = next(r)) == JSON_STRING) {
        struct str part = r->js.text;
        if (out->n == r->nkeys) return malformed(r, member, "a key has more parts than the table's key");
        if (part.n && memchr(part.p, 0, part.n)) return malformed(r, member, "a key part holds a zero byte");
        while (part.n && part.p[part.n - 1] == ' ') part.n--;
        bytes += part.n + 1;
        out->part[out->n++] = part;
    }
    if (t != JSON_ARRAY_END) return malformed(r, member, "a key part is not a string");
    if (out->n != r->nkeys) return malformed(r, member, "a key has fewer parts than the table's key");
    if (bytes > LIMIT_KEY_BYTES) return malformed(r, member, "a key is longer than any key of Sage");
    return ERR_OK;
}

static enum err too_many(struct reading *r, const char *member)
{
    return malformed(r, member, "more entries than were asked for");
}

static enum err read_key_list(struct reading *r, const char *member, struct source_key **list, size_t *n)
{
    if (*list) return malformed(r, member, "stands twice in the answer");
    if (next(r) != JSON_ARRAY) return malformed(r, member, "an array was expected");
    *list = ARENA_ARRAY(r->a, struct source_key, r->limit + 1);
    *n = 0;
    enum json_token t;
    while ((t = next(r)) == JSON_ARRAY) {
        if (*n == r->limit) return too_many(r, member);
        enum err e = read_key(r, member, t, &(*list)[*n]);
        if (e != ERR_OK) return e;
        ++*n;
    }
    return t == JSON_ARRAY_END ? ERR_OK : malformed(r, member, "an entry is not a key");
}

/* ---- one row ---- */

static void violate(struct reading *r, struct source_row *row, size_t column, const char *why)
{
    struct str name = r->columns.q->columns[column].name;
    if (!row->violation) row->violation = arena_printf(r->a, "%.*s %s", (int)name.n, name.p, why);
}

static enum err read_value(struct reading *r, struct source_row *row, size_t column, uint32_t number)
{
    char why[160];
    enum json_token t = next(r);
    if (r->columns.seen[column] == number) return malformed(r, "fields", "a column stands twice in one row");
    r->columns.seen[column] = number;
    if (t == JSON_STRING || t == JSON_NULL) {
        struct str raw = t == JSON_STRING ? r->js.text : (struct str){"", 0};
        if (cell_plain(raw) && cell_read(&r->columns.cells[column], raw, false, &row->cols[column])) return ERR_OK;
        if (!type_read(&r->columns.q->columns[column].type, raw, &row->cols[column], why, sizeof why)) violate(r, row, column, why);
        return ERR_OK;
    }
    enum err e = skip(r, "fields", t);
    if (e == ERR_OK) violate(r, row, column, "came neither as a text nor as null");
    return e;
}

/* The object fields or udf of a row. */
static enum err read_fields(struct reading *r, struct source_row *row, uint32_t number, bool udf)
{
    const char *member = udf ? "udf" : "fields";
    enum json_token t = next(r);
    if (udf && t == JSON_NULL) return ERR_OK;
    if (t != JSON_OBJECT) return malformed(r, member, "an object was expected");
    while ((t = next(r)) == JSON_NAME) {
        size_t column = column_named(&r->columns, r->js.text, udf);
        enum err e = column == SIZE_MAX ? skip(r, member, next(r)) : read_value(r, row, column, number);
        if (e != ERR_OK) return e;
    }
    return t == JSON_OBJECT_END ? ERR_OK : malformed(r, member, "unreadable");
}

/* "2024-03-12 15:30:00" where both parts can be read, else as they came. For people only. */
static struct str stamp_text(struct arena *a, struct str date, struct str time)
{
    struct value day;
    int64_t ms = 0;
    if (date.n == 0) return (struct str){"", 0};
    char *text;
    if (date_parse(date, &day) && (time.n == 0 || sage_time_parse(time, &ms)))
        text = arena_printf(a, "%.4s-%.2s-%.2s %02d:%02d:%02d", date.p, date.p + 4, date.p + 6, (int)(ms / 3600000), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60));
    else
        text = arena_printf(a, "%.*s %.*s", (int)date.n, date.p, (int)time.n, time.p);
    return str_of(text);
}

/* {"date":..,"time":..} or null. */
static enum err read_stamp(struct reading *r, const char *member, struct str *out)
{
    struct str date = {"", 0}, time = {"", 0};
    enum json_token t = next(r);
    *out = (struct str){"", 0};
    if (t == JSON_NULL) return ERR_OK;
    if (t != JSON_OBJECT) return malformed(r, member, "an object or null was expected");
    while ((t = next(r)) == JSON_NAME) {
        enum err e;
        if (str_is(r->js.text, "date")) e = read_text_or_null(r, member, &date);
        else if (str_is(r->js.text, "time")) e = read_text_or_null(r, member, &time);
        else e = skip(r, member, next(r));
        if (e != ERR_OK) return e;
    }
    if (t != JSON_OBJECT_END) return malformed(r, member, "unreadable");
    *out = date.n == 8 || date.n == 0 ? stamp_text(r->a, date, time) : str_of(arena_printf(r->a, "%.*s %.*s", (int)date.n, date.p, (int)time.n, time.p));
    return ERR_OK;
}

/* ---- lines ---- */

static enum err read_line_fields(struct reading *r, struct lines *l, bool udf)
{
    const char *member = udf ? "lines: udf" : "lines: fields";
    enum json_token t = next(r);
    if (udf && t == JSON_NULL) return ERR_OK;
    if (t != JSON_OBJECT) return malformed(r, member, "an object was expected");
    while ((t = next(r)) == JSON_NAME) {
        struct str name = r->js.text;
        t = next(r);
        if (t == JSON_STRING || t == JSON_NULL) lines_set(l, name, udf, t == JSON_STRING ? r->js.text : (struct str){"", 0});
        else {
            lines_bad(l, name);
            enum err e = skip(r, member, t);
            if (e != ERR_OK) return e;
        }
    }
    return t == JSON_OBJECT_END ? ERR_OK : malformed(r, member, "unreadable");
}

static enum err read_line_key(struct reading *r, struct str *parts, size_t *n)
{
    enum json_token t = next(r);
    if (t != JSON_ARRAY) return malformed(r, "lines: key", "a key is an array of strings");
    while ((t = next(r)) == JSON_STRING) {
        if (*n == LIMIT_KEY_PARTS) return malformed(r, "lines: key", "more parts than any key has");
        parts[(*n)++] = r->js.text;
    }
    return t == JSON_ARRAY_END ? ERR_OK : malformed(r, "lines: key", "a key part is not a string");
}

/* One line behind its brace: {"key":["000001"],"fields":{..},"udf":{..}}. */
static enum err read_line(struct reading *r, struct lines *l)
{
    struct str parts[LIMIT_KEY_PARTS];
    size_t n = 0;
    bool key = false, fields = false, udf = false;
    enum json_token t;
    lines_add(l);
    while ((t = next(r)) == JSON_NAME) {
        bool *seen = str_is(r->js.text, "key") ? &key : str_is(r->js.text, "fields") ? &fields : str_is(r->js.text, "udf") ? &udf : NULL;
        enum err e;
        if (!seen) e = skip(r, "lines", next(r));
        else if (*seen) return malformed(r, "lines", "a member stands twice in one line");
        else if (seen == &key) e = read_line_key(r, parts, &n);
        else e = read_line_fields(r, l, seen == &udf);
        if (e != ERR_OK) return e;
        if (seen) *seen = true;
    }
    if (t != JSON_OBJECT_END) return malformed(r, "lines", "unreadable");
    if (!key || !fields) return malformed(r, "lines", "a line lacks its key or its fields");
    lines_key(l, parts, n);
    return ERR_OK;
}

/* The array of lines; the list is put together when the row's key is known. */
static enum err read_lines(struct reading *r, const struct source_column *column, struct lines *l)
{
    enum json_token t = next(r);
    lines_begin(l, r->columns.q, column, r->a);
    if (t == JSON_NULL) return ERR_OK;
    if (t != JSON_ARRAY) return malformed(r, "lines", "an array was expected");
    while ((t = next(r)) == JSON_OBJECT) {
        enum err e = read_line(r, l);
        if (e != ERR_OK) return e;
    }
    return t == JSON_ARRAY_END ? ERR_OK : malformed(r, "lines", "an entry is not an object");
}

static void give_lines(struct reading *r, struct lines *l, struct source_row *row, uint32_t number)
{
    size_t i = (size_t)(l->column - r->columns.q->columns);
    row->cols[i] = lines_end(l, &row->key, &row->violation);
    r->columns.seen[i] = number;
}

/* Columns that the answer does not hold: parts of the key are known, the others must not pass for blank ones (that would clear fields). */
static void complete_row(struct reading *r, struct source_row *row, uint32_t number)
{
    char why[160];
    for (size_t i = 0; i < r->columns.q->ncolumns; i++) {
        if (r->columns.seen[i] == number) continue;
        const struct source_column *c = &r->columns.q->columns[i];
        if (!r->columns.key_part[i]) violate(r, row, i, is_udf(c) ? "is no user-defined field of this table in Sage" : "is not among the columns that Sage delivers");
        else if (!type_read(&c->type, row->key.part[r->columns.key_part[i] - 1], &row->cols[i], why, sizeof why)) violate(r, row, i, why);
    }
}

/* For an agent that gives no hash: of the bytes of the three members that are content, as they came. Another order of columns is another hash, and the row
 * is then looked at; equal bytes are equal content. */
static struct str own_hash(const struct str content[3], struct arena *a)
{
    struct hash part[3], all;
    for (size_t i = 0; i < 3; i++) part[i] = hash_of(content[i]);
    all = hash_of((struct str){(const char *)part, sizeof part});
    char *p = arena_alloc(a, 1 + HASH_BYTES);               /* a zero in front: no text of an agent */
    memcpy(p + 1, all.b, HASH_BYTES);
    return (struct str){p, 1 + HASH_BYTES};
}

/* Behind the opening brace. */
static enum err read_row(struct reading *r, struct source_row *row, uint32_t number)
{
    bool key = false, fields = false, udf = false, hash = false, updated = false, lines = false, *seen;
    const struct source_column *list = lines_column(r->columns.q);
    struct lines made = {0};
    struct str content[3] = {{"", 0}, {"", 0}, {"", 0}};
    enum json_token t;
    row->cols = r->outline ? NULL : ARENA_ARRAY(r->a, struct value, r->columns.q->ncolumns + 1);
    while ((t = next(r)) == JSON_NAME) {
        struct str name = r->js.text;
        const char *from = r->js.p;
        enum err e;
        seen = str_is(name, "key") ? &key : str_is(name, "fields") ? &fields : str_is(name, "udf") ? &udf : str_is(name, "hash") ? &hash
             : str_is(name, "updated") ? &updated : list && str_is(name, "lines") ? &lines : NULL;
        struct str *bytes = seen == &fields ? &content[0] : seen == &udf ? &content[1] : seen == &lines ? &content[2] : NULL;
        if (!seen) e = skip(r, "rows", next(r));
        else if (*seen) return malformed(r, "rows", "a member stands twice in one row");
        else if (seen == &key) e = read_key(r, "key", next(r), &row->key);
        else if (r->outline && seen != &key && seen != &hash) e = json_pass_over(&r->js, next(r)) ? ERR_OK : malformed(r, "rows", "unreadable");
        else if (seen == &lines) e = read_lines(r, list, &made);
        else if (seen == &hash) e = read_text_or_null(r, "hash", &row->hash);
        else if (seen == &updated) e = read_stamp(r, "updated", &row->stamp);
        else e = read_fields(r, row, number, seen == &udf);
        if (e != ERR_OK) return e;
        if (seen) *seen = true;
        if (bytes) *bytes = (struct str){from, (size_t)(r->js.p - from)};
    }
    if (t != JSON_OBJECT_END) return malformed(r, "rows", "unreadable");
    if (!key) return malformed(r, "key", "a row lacks it");
    if (!fields) return malformed(r, "fields", "a row lacks it");
    if (row->hash.n > 256) return malformed(r, "hash", "longer than 256 bytes");
    if (row->hash.n == 0) row->hash = own_hash(content, r->a);
    if (r->outline) return ERR_OK;
    if (lines) give_lines(r, &made, row, number);
    complete_row(r, row, number);
    return ERR_OK;
}

/* The rows were read in outline, each from at[i]; those whose content the asker does not know are read whole. inside: a scanner behind the brace of a row. */
static enum err read_wanted(struct reading *r, const char *const *at, const struct json_scanner *inside)
{
    struct json_scanner behind = r->js;
    struct source_page *out = r->out;
    const struct source_asks *asks = r->columns.q->asks;
    enum err e = ERR_OK;
    asks->same(asks->ctx, out->rows, out->nrows);
    out->asked = true;
    r->outline = false;
    for (size_t i = 0; i < out->nrows && e == ERR_OK; i++) {
        if (out->rows[i].same) continue;
        r->js = *inside;
        r->js.p = at[i];
        out->rows[i] = (struct source_row){.cols = NULL};
        e = read_row(r, &out->rows[i], (uint32_t)i + 1);
    }
    if (e == ERR_OK) r->js = behind;
    return e;
}

static enum err read_rows(struct reading *r)
{
    struct source_page *out = r->out;
    if (out->rows) return malformed(r, "rows", "stands twice in the answer");
    if (next(r) != JSON_ARRAY) return malformed(r, "rows", "an array was expected");
    out->rows = ARENA_ARRAY(r->a, struct source_row, r->limit + 1);
    const char **at = r->outline ? ARENA_ARRAY(r->a, const char *, r->limit + 1) : NULL;
    struct json_scanner inside = r->js;
    enum json_token t;
    while ((t = next(r)) == JSON_OBJECT) {
        if (out->nrows == r->limit) return too_many(r, "rows");
        if (at && out->nrows == 0) inside = r->js;
        if (at) at[out->nrows] = r->js.p;
        enum err e = read_row(r, &out->rows[out->nrows], (uint32_t)out->nrows + 1);
        if (e != ERR_OK) return e;
        out->nrows++;
    }
    if (t != JSON_ARRAY_END) return malformed(r, "rows", "an entry is not an object");
    return at ? read_wanted(r, at, &inside) : ERR_OK;
}

/* ---- whole answers ---- */

struct members { bool next, next_null, complete, high_water, epoch, keys; };

/* Keys go into rows without columns: the sweep needs nothing else. */
static enum err read_swept_keys(struct reading *r)
{
    struct source_key *keys = NULL;
    size_t n = 0;
    if (r->out->rows) return malformed(r, "keys", "stands twice in the answer");
    enum err e = read_key_list(r, "keys", &keys, &n);
    if (e != ERR_OK) return e;
    r->out->rows = ARENA_ARRAY(r->a, struct source_row, n + 1);
    r->out->nrows = n;
    for (size_t i = 0; i < n; i++) r->out->rows[i].key = keys[i];
    return ERR_OK;
}

static enum err read_next(struct reading *r, struct members *got)
{
    enum json_token t = next(r);
    got->next = true;
    got->next_null = t == JSON_NULL;
    if (t == JSON_STRING) r->out->next = r->js.text;
    return t == JSON_STRING || t == JSON_NULL ? ERR_OK : malformed(r, "next", "a string or null was expected");
}

static enum err read_member(struct reading *r, enum sage_agent_shape shape, struct str name, struct members *got)
{
    struct source_page *out = r->out;
    bool rows = shape == AGENT_PAGE || shape == AGENT_BATCH, paged = shape == AGENT_PAGE || shape == AGENT_KEYS;
    if (rows && str_is(name, "rows")) return read_rows(r);
    if (rows && str_is(name, "locked")) return read_key_list(r, "locked", &out->locked, &out->nlocked);
    if (shape == AGENT_BATCH && str_is(name, "missing")) return read_key_list(r, "missing", &out->missing, &out->nmissing);
    if (shape == AGENT_KEYS && str_is(name, "keys")) return read_swept_keys(r);
    bool *seen = !paged ? NULL : str_is(name, "next") ? &got->next : str_is(name, "complete") ? &got->complete : str_is(name, "epoch") ? &got->epoch
               : str_is(name, "highWater") ? &got->high_water : NULL;
    if (!seen) return skip(r, "(unknown)", next(r));
    if (*seen) return malformed(r, arena_copy(r->a, name.p, name.n), "stands twice in the answer");
    *seen = true;
    if (seen == &got->next) return read_next(r, got);
    if (seen == &got->complete) return read_bool(r, "complete", &out->complete);
    if (seen == &got->epoch) return read_text(r, "epoch", &out->epoch);
    return read_stamp(r, "highWater", &out->high_water);
}

static enum err check_page(struct reading *r, enum sage_agent_shape shape, const struct members *got)
{
    const struct source_page *out = r->out;
    if (!out->rows) return malformed(r, shape == AGENT_KEYS ? "keys" : "rows", "is not in the answer");
    if (shape == AGENT_BATCH) {
        if (!out->missing) return malformed(r, "missing", "is not in the answer");
        if (!out->locked) return malformed(r, "locked", "is not in the answer");
        return out->nrows + out->nlocked + out->nmissing <= r->limit ? ERR_OK : too_many(r, "rows");
    }
    if (!got->complete) return malformed(r, "complete", "is not in the answer");
    if (!got->next) return malformed(r, "next", "is not in the answer");
    if (shape == AGENT_PAGE) {
        if (out->nrows + out->nlocked > r->limit) return too_many(r, "locked");
        if (got->next_null || !sage100__agent_cursor_ok(out->next)) return malformed(r, "next", "is no cursor: 1 to 512 characters of A-Za-z0-9._~-");
        return ERR_OK;
    }
    if (out->epoch.n == 0 || out->epoch.n > 64) return malformed(r, "epoch", "is not in the answer, or no short text");
    if (!out->complete && out->next.n == 0) return malformed(r, "next", "is missing though more keys follow");
    return out->next.n <= LIMIT_KEY_BYTES ? ERR_OK : malformed(r, "next", "is longer than any key");
}

static enum err read_answer(struct reading *r, enum sage_agent_shape shape)
{
    struct members got = {0};
    enum json_token t = next(r);
    if (t != JSON_OBJECT) return malformed(r, "(answer)", "a JSON object was expected");
    if (shape == AGENT_ROW) {
        r->out->rows = ARENA_ARRAY(r->a, struct source_row, 1);
        enum err e = read_row(r, &r->out->rows[0], 1);
        if (e != ERR_OK) return e;
        r->out->nrows = 1;
    } else {
        while ((t = next(r)) == JSON_NAME) {
            enum err e = read_member(r, shape, r->js.text, &got);
            if (e != ERR_OK) return e;
        }
        if (t != JSON_OBJECT_END) return malformed(r, "(answer)", "unreadable");
    }
    if (next(r) != JSON_END) return malformed(r, "(answer)", "something follows the object");
    return shape == AGENT_ROW ? ERR_OK : check_page(r, shape, &got);
}

enum err sage100__agent_json(enum sage_agent_shape shape, const struct source_query *q, size_t nkeys, struct str body, size_t limit, struct arena *a,
                          struct source_page *out, struct fault *f)
{
    static const char *const what[] = {[AGENT_PAGE] = "changed rows", [AGENT_KEYS] = "keys", [AGENT_BATCH] = "batchGet", [AGENT_ROW] = "row"};
    struct reading r = {.a = a, .f = f, .what = what[shape], .nkeys = nkeys, .limit = limit, .out = out};
    ASSERT(nkeys <= LIMIT_KEY_PARTS);
    memset(out, 0, sizeof *out);
    json_init(&r.js, body, a);
    if (shape != AGENT_KEYS) columns_init(&r.columns, q, a);
    r.outline = shape == AGENT_PAGE && q->asks;
    return read_answer(&r, shape);
}

/* ---- {"error":{"code":"locked","message":"..","retryable":true,"retryAfter":5}} ---- */

static bool error_member(struct json_scanner *js, struct str *code, struct str *message, int64_t *retry_after_ms)
{
    struct str name = js->text;
    enum json_token t = json_next(js);
    int64_t seconds;
    if (t == JSON_STRING && str_is(name, "code")) *code = js->text;
    else if (t == JSON_STRING && str_is(name, "message")) *message = js->text;
    else if (t == JSON_NUMBER && str_is(name, "retryAfter")) {
        struct str whole = js->text;
        const char *point = memchr(whole.p, '.', whole.n);
        if (point) whole.n = (size_t)(point - whole.p);
        if (str_to_i64(whole, &seconds)) *retry_after_ms = seconds < 3600 ? (seconds + (point ? 1 : 0)) * 1000 : 3600000;     /* an hour at most, as net_retry_after_ms */
    } else return json_skip(js, t);
    return true;
}

bool sage100__agent_json_error(struct str body, struct arena *a, struct str *code, struct str *message, int64_t *retry_after_ms)
{
    struct json_scanner js;
    enum json_token t;
    bool found = false;
    json_init(&js, body, a);
    if (json_next(&js) != JSON_OBJECT) return false;
    while ((t = json_next(&js)) == JSON_NAME) {
        bool is_error = str_is(js.text, "error");
        t = json_next(&js);
        if (!is_error || t != JSON_OBJECT) {
            if (!json_skip(&js, t)) return false;
            continue;
        }
        found = true;
        while ((t = json_next(&js)) == JSON_NAME)
            if (!error_member(&js, code, message, retry_after_ms)) return false;
        if (t != JSON_OBJECT_END) return false;
    }
    return t == JSON_OBJECT_END && found && code->n > 0;
}
