/* json_row.c - see json_row.h.
 *
 *     {"Name":"text","Next":...}
 *      |      |`- json_run to the closing quote; by the column's type to a value
 *      `------`-- compared with what stood here in the last row: one or two vectors
 *
 * Fast are: names as expected, texts without escapes, dates as YYYY-MM-DD, decimals of up to 18 digits, the two spellings of a flag. Every fast reader either
 * gives what type_read would give or leaves the value to it. */
#include "value/json_row.h"
#include "base/check.h"
#include "value/date.h"
#include "value/json_run.h"
#include <stdio.h>
#include <stdlib.h>

enum { NAME_MAX_BYTES = 45 /* of names that are remembered */, EXPECT_BYTES = 48, SEQUENCE_MAX = 512 };

struct slot {
    struct str name;
    const struct type *type;
    bool small;                      /* T_DECIMAL: its bounds fit 64 bits */
    int64_t lo, hi;
};
struct expect { char text[EXPECT_BYTES]; uint16_t n; int16_t column; };      /* "Name": with its quotes and colon; column -1: not read */
struct json_row {
    struct slot *slots;
    struct json_row_column *columns;
    size_t nslots;
    json_row_list_fn *list;
    uint16_t *table;                 /* names by hash, open addressing; 0 = empty, else 1 + column */
    size_t mask;
    uint16_t *required;
    size_t nrequired;
    struct expect *seq;              /* the members of the last row */
    size_t nseq, cap;
};
struct at { const char *p, *end; };

static void *alloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) check_no_memory();
    return p;
}

static size_t hash_name(struct str s)
{
    uint64_t h = UINT64_C(1469598103934665603);
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 29);
}

struct json_row *json_row_new(const struct json_row_column *columns, size_t n, json_row_list_fn *list)
{
    struct json_row *r = alloc(1, sizeof *r);
    ASSERT(n < INT16_MAX);
    r->slots = alloc(n, sizeof *r->slots);
    r->columns = alloc(n, sizeof *r->columns);
    r->required = alloc(n, sizeof *r->required);
    for (r->mask = 15; r->mask < 2 * n; r->mask = 2 * r->mask + 1) {}
    r->table = alloc(r->mask + 1, sizeof *r->table);
    r->nslots = n;
    r->list = list;
    for (size_t i = 0; i < n; i++) {
        const struct type *t = columns[i].type;
        bool small = t->lo >= INT64_MIN / 2 && t->hi <= INT64_MAX / 2;
        r->columns[i] = columns[i];
        r->slots[i] = (struct slot){columns[i].name, t, small, small ? (int64_t)t->lo : 0, small ? (int64_t)t->hi : 0};
        if (!t->optional) r->required[r->nrequired++] = (uint16_t)i;
        size_t h = hash_name(columns[i].name) & r->mask;
        while (r->table[h]) h = (h + 1) & r->mask;
        r->table[h] = (uint16_t)(i + 1);
    }
    return r;
}

void json_row_free(struct json_row *r)
{
    if (!r) return;
    free(r->slots);
    free(r->columns);
    free(r->table);
    free(r->required);
    free(r->seq);
    free(r);
}

static bool broken(struct json_row_fault *why, const char *what)
{
    snprintf(why->clause, sizeof why->clause, "%s", what);
    return false;
}

static void skip_blanks(struct at *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t')) s->p++;
}

/* ---- names ---- */

static inline bool is_expected(const struct at *s, const struct expect *e)
{
#ifdef __SSE2__
    if (s->end - s->p >= 32 && e->n <= 32) {
        const __m128i *have = (const __m128i *)(const void *)s->p, *want = (const __m128i *)(const void *)e->text;
        unsigned a = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(have), _mm_loadu_si128(want)));
        unsigned b = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(have + 1), _mm_loadu_si128(want + 1)));
        return (~(a | b << 16) & (uint32_t)((UINT64_C(1) << e->n) - 1)) == 0;
    }
#endif
    return (size_t)(s->end - s->p) >= e->n && memcmp(s->p, e->text, e->n) == 0;
}

static int find_column(const struct json_row *r, struct str name)
{
    for (size_t h = hash_name(name) & r->mask; r->table[h]; h = (h + 1) & r->mask)
        if (str_eq(r->slots[r->table[h] - 1].name, name)) return r->table[h] - 1;
    return -1;
}

/* Remembers what stands at place k, when it is short enough. */
static void learn(struct json_row *r, size_t k, struct str name, int column)
{
    if (k >= SEQUENCE_MAX || k > r->nseq || name.n > NAME_MAX_BYTES) return;
    if (k == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 64;
        r->seq = realloc(r->seq, r->cap * sizeof *r->seq);
        if (!r->seq) check_no_memory();
    }
    struct expect *e = &r->seq[k];
    memset(e->text, 0, sizeof e->text);
    e->text[0] = '"';
    memcpy(e->text + 1, name.p, name.n);
    memcpy(e->text + 1 + name.n, "\":", 2);
    e->n = (uint16_t)(name.n + 3);
    e->column = (int16_t)column;
    if (k == r->nseq) r->nseq++;
}

/* A name that is not the one expected at place k, and its colon. */
static bool other_name(struct json_row *r, struct at *s, size_t k, struct arena *a, int *column, struct json_row_fault *why)
{
    struct json_scanner js;
    skip_blanks(s);
    if (s->p == s->end) return broken(why, "the text ends inside an object or array");
    if (*s->p != '"') return broken(why, "a member name was expected");
    json_init(&js, (struct str){s->p, (size_t)(s->end - s->p)}, a);
    if (json_next(&js) != JSON_STRING) return broken(why, js.error);
    bool plain = js.text.p == s->p + 1;
    s->p = js.p;
    *column = find_column(r, js.text);
    if (plain && s->p < s->end && *s->p == ':') learn(r, k, js.text, *column);
    skip_blanks(s);
    if (s->p == s->end || *s->p != ':') return broken(why, "a colon was expected");
    s->p++;
    return true;
}

/* ---- values by type: true when the value was read; else type_read has to ---- */

static bool read_text(const struct type *t, struct str s, bool high, struct value *out)
{
    if (high || t->nset || s.n < t->min_len || s.n > t->max_len || (unsigned char)s.p[s.n - 1] <= ' ') return false;
    *out = (struct value){.kind = V_TEXT, .len = (uint32_t)s.n, .u.text = s.p};
    return true;
}

static bool read_decimal(const struct slot *c, struct str s, struct value *out)
{
    static const int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, INT64_C(10000000000), INT64_C(100000000000), INT64_C(1000000000000)};
    const char *p = s.p, *end = s.p + s.n, *point = NULL;
    bool negative = *p == '-';
    uint64_t v = 0;
    if (s.n > 18 || !c->small) return false;
    for (p += negative; p < end; p++) {
        unsigned d = (unsigned)(unsigned char)*p - '0';
        if (d < 10) v = v * 10 + d;
        else if (*p == '.' && !point && p > s.p + negative) point = p;
        else return false;
    }
    size_t decimals = point ? (size_t)(end - point - 1) : 0;
    if (end[-1] < '0' || decimals > c->type->scale || v > UINT64_C(100000000000000000) / (uint64_t)powers[c->type->scale - decimals]) return false;
    int64_t coef = (int64_t)v * powers[c->type->scale - decimals];
    if (negative) coef = -coef;
    if (coef < c->lo || coef > c->hi) return false;
    *out = value_decimal(coef, c->type->scale);
    return true;
}

static bool read_date(struct str s, struct value *out)
{
    unsigned d[8], bad = 0;
    static const uint8_t where[8] = {0, 1, 2, 3, 5, 6, 8, 9};
    int64_t days;
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-') return false;
    for (int i = 0; i < 8; i++) {
        d[i] = (unsigned)(unsigned char)s.p[where[i]] - '0';
        bad |= d[i] > 9;
    }
    unsigned year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3];
    if (bad || year < 1800 || !date_from_ymd((int)year, (int)(d[4] * 10 + d[5]), (int)(d[6] * 10 + d[7]), &days)) return false;       /* before 1800: perhaps "no date" */
    *out = (struct value){.kind = V_DATE, .u.i = days};
    return true;
}

static bool read_flag(const struct type *t, struct str s, struct value *out)
{
    if (s.n != 1 || t->yes.n != 1 || t->no.n != 1 || t->yes.p[0] == t->no.p[0]) return false;
    if (s.p[0] != t->yes.p[0] && s.p[0] != t->no.p[0]) return false;
    *out = value_bool(s.p[0] == t->yes.p[0]);
    return true;
}

static bool read_fast(const struct slot *c, struct str s, bool high, struct value *out)
{
    if (s.n == 0) return c->type->optional;          /* blank: absent */
    switch ((enum type_base)c->type->base) {
    case T_TEXT:    return read_text(c->type, s, high, out);
    case T_DECIMAL: return read_decimal(c, s, out);
    case T_DATE:    return read_date(s, out);
    case T_BOOL:    return read_flag(c->type, s, out);
    case T_LOCAL: case T_INSTANT: case T_LINK: case T_LIST: case T_BASE_COUNT: break;
    }
    return false;
}

static void violate(struct json_row_fault *why, int column, const char *clause)
{
    if (why->column >= 0) return;
    why->column = column;
    snprintf(why->clause, sizeof why->clause, "%s", clause[0] ? clause : "is no value of its type");
}

static void read_string(const struct json_row *r, int column, struct str s, bool high, struct value *out, struct json_row_fault *why)
{
    char clause[160] = "";
    *out = value_absent;
    if (read_fast(&r->slots[column], s, high, out)) return;
    if (type_read(r->slots[column].type, s, out, clause, sizeof clause)) return;
    *out = value_absent;
    violate(why, column, clause);
}

/* A value that begins with something else than a plain text. False: no JSON. */
static bool other_value(const struct json_row *r, struct at *s, int column, struct arena *a, struct value *cols, struct json_row_fault *why)
{
    struct json_scanner js;
    json_init(&js, (struct str){s->p, (size_t)(s->end - s->p)}, a);
    enum json_token t = json_next(&js);
    if (t == JSON_ERROR) return broken(why, strcmp(js.error, "no value") == 0 ? "the text ends inside an object or array" : js.error);
    if (column < 0) {
        bool ok = json_skip(&js, t);
        s->p = js.p;
        return ok || broken(why, js.error);
    }
    const struct type *type = r->slots[column].type;
    struct value *out = &cols[column];
    char clause[160] = "";
    const char *bad = clause;
    bool ok = true;
    *out = value_absent;
    if (t == JSON_ARRAY && type->base == T_LIST && r->list) {
        bad = r->list(&r->columns[column], &js, t, a, out);
        ok = bad == NULL;
    } else if (t == JSON_STRING) {
        read_string(r, column, js.text, true, out, why);
    } else {
        if (t == JSON_TRUE || t == JSON_FALSE) *out = value_bool(t == JSON_TRUE);
        else if (t == JSON_NUMBER) ok = decimal_parse_json(js.text, out);
        else if (t != JSON_NULL) ok = !json_skip(&js, t);
        ok = ok && type_admits(type, out, clause, sizeof clause);
        if (ok && out->kind == V_DECIMAL) decimal_rescale(out, type->scale, out);      /* as a source would deliver it */
    }
    if (js.error[0]) return broken(why, js.error);
    if (!ok) {
        *out = value_absent;
        violate(why, column, bad);
    }
    s->p = js.p;
    return true;
}

/* ---- the object ---- */

/* s->p behind the colon. */
static inline bool read_value(struct json_row *r, struct at *s, int column, struct arena *a, struct value *cols, struct json_row_fault *why)
{
    if (s->p < s->end && *s->p == ' ') skip_blanks(s);
    if (s->p < s->end && *s->p == '"') {
        bool high = false;
        const char *from = s->p + 1, *to = json_run(from, s->end, &high);
        if (to < s->end && *to == '"') {
            struct str text = {from, (size_t)(to - from)};
            s->p = to + 1;
            if (high && !str_utf8_valid(text)) return broken(why, "a string that is not UTF-8");
            if (column >= 0) read_string(r, column, text, high, &cols[column], why);
            return true;
        }
    }
    return other_value(r, s, column, a, cols, why);
}

/* Behind a value: true with *more when a comma came, s->p at the next name. */
static bool next_member(struct at *s, bool *more, struct json_row_fault *why)
{
    skip_blanks(s);
    if (s->p == s->end) return broken(why, "the text ends inside an object or array");
    *more = *s->p == ',';
    if (!*more && *s->p != '}') return broken(why, "a comma or a close was expected");
    s->p++;
    return true;
}

static bool no_object(struct str text, struct arena *a, struct json_row_fault *why)
{
    struct json_scanner js;
    json_init(&js, text, a);
    return broken(why, json_next(&js) == JSON_ERROR ? js.error : "not a JSON object");
}

bool json_row_read(struct json_row *r, struct str text, size_t *used, struct arena *a, struct value *cols, struct json_row_fault *why)
{
    struct at s = {text.p, text.p + text.n};
    bool more = true;
    why->column = -1;
    why->clause[0] = '\0';
    for (size_t i = 0; i < r->nslots; i++) cols[i] = value_absent;
    skip_blanks(&s);
    if (s.p == s.end || *s.p != '{') return no_object(text, a, why);
    s.p++;
    skip_blanks(&s);
    if (s.p < s.end && *s.p == '}') {
        s.p++;
        more = false;
    }
    for (size_t k = 0; more; k++) {
        int column;
        if (s.p < s.end && *s.p <= ' ') skip_blanks(&s);
        if (k < r->nseq && is_expected(&s, &r->seq[k])) {
            column = r->seq[k].column;
            s.p += r->seq[k].n;
        } else if (!other_name(r, &s, k, a, &column, why)) return false;
        if (!read_value(r, &s, column, a, cols, why)) return false;
        if (s.p < s.end && *s.p == ',') s.p++;
        else if (!next_member(&s, &more, why)) return false;
    }
    *used = (size_t)(s.p - text.p);
    for (size_t i = 0; i < r->nrequired && why->column < 0; i++)
        if (!value_present(&cols[r->required[i]])) violate(why, r->required[i], "is absent, but a value is required");
    return true;
}
