/* json_row.c - see json_row.h. Nearly all rows are taken by the shape of those before (json_shape.h); what follows is for the others, and teaches the shape.
 *
 *     {"Name":"text","Next":"...
 *      ~~~~~~~~    ~~~~~~~~~~       gaps: from quote to quote, each held as a whole against what stood here in the last row
 *              ~~~~                 texts: up to the next mark (json_marks.h), by the column's type to a value (json_cell.h)
 *
 * A gap that is not the expected one (another order, another blank) is read by the rules and remembered. Values other than plain texts go through the strict
 * scanner of json.h, texts that json_cell.h leaves alone through type_read. */
#include "value/json_row.h"
#include "base/check.h"
#include "value/json_cell.h"
#include "value/json_marks.h"
#include "value/json_shape.h"
#include <stdio.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { GAP_BYTES = 48 /* of gaps that are remembered */, SEQUENCE_MAX = 512, NOT_YET = -2 /* a column that the gap will tell */ };

struct gap {
    char text[GAP_BYTES];            /* from the quote that ends the value before to the one that begins the next; without these where the values have none */
    uint32_t need;                   /* a bit for each byte; 0: more than 32 */
    uint16_t n;
    int16_t column;                  /* -1: not read */
};
struct json_row {
    struct cell *cells;
    struct json_row_column *columns;
    size_t ncells;
    json_row_list_fn *list;
    uint16_t *table;                 /* names by hash, open addressing; 0 = empty, else 1 + column */
    size_t mask;
    uint16_t *required;
    size_t nrequired;
    struct gap *seq;                 /* of the last row */
    size_t nseq, cap;
    struct json_shape *shape;        /* of the rows before: takes nearly all that come */
    bool stale, learned;             /* the shape is not of what seq holds now; the row under way had a gap that was not expected */
    json_marks_fn *find;
    struct json_marks marks;
};
/* One call. */
struct reading {
    struct json_row *r;
    const char *start, *p, *end;     /* the text; p: how far it is read */
    bool quoted;                     /* p is at the closing quote of a value, which belongs to the gap; else behind a value or the brace */
    struct arena *a;
    struct value *cols;
    struct json_row_fault *why;
};

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
    r->cells = alloc(n, sizeof *r->cells);
    r->columns = alloc(n, sizeof *r->columns);
    r->required = alloc(n, sizeof *r->required);
    for (r->mask = 15; r->mask < 2 * n; r->mask = 2 * r->mask + 1) {}
    r->table = alloc(r->mask + 1, sizeof *r->table);
    r->ncells = n;
    r->list = list;
    r->find = json_marks_best();
    r->cap = 64;
    r->seq = alloc(r->cap, sizeof *r->seq);
    for (size_t i = 0; i < n; i++) {
        r->columns[i] = columns[i];
        r->cells[i] = cell_of(columns[i].name, columns[i].type);
        if (!columns[i].type->optional) r->required[r->nrequired++] = (uint16_t)i;
        size_t h = hash_name(columns[i].name) & r->mask;
        while (r->table[h]) h = (h + 1) & r->mask;
        r->table[h] = (uint16_t)(i + 1);
    }
    r->shape = json_shape_new(r->cells, n);
    return r;
}

void json_row_free(struct json_row *r)
{
    if (!r) return;
    json_shape_free(r->shape);
    free(r->cells);
    free(r->columns);
    free(r->table);
    free(r->required);
    free(r->seq);
    free(r);
}

static bool broken(struct reading *g, const char *what)
{
    snprintf(g->why->clause, sizeof g->why->clause, "%s", what);
    return false;
}

static void skip_blanks(struct reading *g)
{
    while (g->p < g->end && (*g->p == ' ' || *g->p == '\n' || *g->p == '\r' || *g->p == '\t')) g->p++;
}

static struct str rest(const struct reading *g) { return (struct str){g->p, (size_t)(g->end - g->p)}; }

/* ---- gaps ---- */

static inline bool is_expected(const struct gap *e, const char *p, const char *end)
{
#ifdef __SSE2__
    if (end - p >= 32 && e->need) {
        const __m128i *have = (const __m128i *)(const void *)p, *want = (const __m128i *)(const void *)e->text;
        unsigned a = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(have), _mm_loadu_si128(want)));
        unsigned b = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(have + 1), _mm_loadu_si128(want + 1)));
        return (~(a | b << 16) & e->need) == 0;
    }
#endif
    return end - p >= e->n && memcmp(p, e->text, e->n) == 0;
}

/* Remembers gap number k, when it is short enough. */
static void learn(struct json_row *r, size_t k, struct str gap, int column)
{
    r->learned = true;
    if (k >= SEQUENCE_MAX || k > r->nseq || gap.n > GAP_BYTES) return;
    if (k == r->cap) {
        r->cap *= 2;
        r->seq = realloc(r->seq, r->cap * sizeof *r->seq);
        if (!r->seq) check_no_memory();
    }
    struct gap *e = &r->seq[k];
    memset(e, 0, sizeof *e);
    memcpy(e->text, gap.p, gap.n);
    e->n = (uint16_t)gap.n;
    e->need = gap.n <= 32 ? (uint32_t)((UINT64_C(1) << gap.n) - 1) : 0;
    e->column = (int16_t)column;
    if (k == r->nseq) r->nseq++;
}

static int find_column(const struct json_row *r, struct str name)
{
    for (size_t h = hash_name(name) & r->mask; r->table[h]; h = (h + 1) & r->mask)
        if (str_eq(r->cells[r->table[h] - 1].name, name)) return r->table[h] - 1;
    return -1;
}

/* Gap number k by the rules, up to the value and its opening quote; k 0: behind the brace. *last: it was the end of the object, and g->p stands behind that. */
static bool read_gap(struct reading *g, size_t k, int *column, bool *last)
{
    const char *from = g->p;
    struct json_scanner js;
    g->p += g->quoted;
    skip_blanks(g);
    if (g->p == g->end) return broken(g, "the text ends inside an object or array");
    *last = *g->p == '}';
    if (*last) {
        g->p++;
        return true;
    }
    if (k > 0) {
        if (*g->p != ',') return broken(g, "a comma or a close was expected");
        g->p++;
        skip_blanks(g);
        if (g->p == g->end) return broken(g, "the text ends inside an object or array");
    }
    if (*g->p != '"') return broken(g, "a member name was expected");
    const char *quote = g->p;
    json_init(&js, rest(g), g->a);
    if (json_next(&js) != JSON_STRING) return broken(g, js.error);
    g->p = js.p;
    *column = find_column(g->r, js.text);
    skip_blanks(g);
    if (g->p == g->end || *g->p != ':') return broken(g, "a colon was expected");
    g->p++;
    skip_blanks(g);
    if (g->p < g->end && *g->p == '"') g->p++;
    if (js.text.p == quote + 1) learn(g->r, k, (struct str){from, (size_t)(g->p - from)}, *column);
    return true;
}

/* ---- values ---- */

static void violate(struct json_row_fault *why, int column, const char *clause)
{
    if (why->column >= 0) return;
    why->column = column;
    snprintf(why->clause, sizeof why->clause, "%s", clause[0] ? clause : "is no value of its type");
}

/* Out of line, so that the buffer costs only those who need it. */
__attribute__((noinline)) static void read_by_type(struct reading *g, int column, struct str s)
{
    char clause[160];
    clause[0] = '\0';
    if (type_read(g->r->cells[column].type, s, &g->cols[column], clause, sizeof clause)) return;
    g->cols[column] = value_absent;
    violate(g->why, column, clause);
}

/* A value by the scanner: one that begins with something else than a plain text. */
static bool other_value(struct reading *g, int column)
{
    struct json_scanner js;
    const struct json_row *r = g->r;
    json_init_member(&js, rest(g), g->a);
    enum json_token t = json_next(&js);
    g->quoted = false;
    if (t == JSON_ERROR) return broken(g, js.error);
    if (column < 0) {
        bool ok = json_skip(&js, t);
        g->quoted = t == JSON_STRING;
        g->p = js.p - g->quoted;
        return ok || broken(g, js.error);
    }
    const struct type *type = r->cells[column].type;
    struct value *out = &g->cols[column];
    char clause[160] = "";
    const char *bad = clause;
    bool ok = true;
    *out = value_absent;
    if (t == JSON_ARRAY && type->base == T_LIST && r->list) {
        bad = r->list(&r->columns[column], &js, t, g->a, out);
        ok = bad == NULL;
    } else if (t == JSON_STRING) {
        read_by_type(g, column, js.text);
    } else {
        if (t == JSON_TRUE || t == JSON_FALSE) *out = value_bool(t == JSON_TRUE);
        else if (t == JSON_NUMBER) ok = decimal_parse_json(js.text, out);
        else if (t != JSON_NULL) ok = !json_skip(&js, t);
        ok = ok && type_admits(type, out, clause, sizeof clause);
        if (ok && out->kind == V_DECIMAL) decimal_rescale(out, type->scale, out);      /* as a source would deliver it */
    }
    if (js.error[0]) return broken(g, js.error);
    if (!ok) {
        *out = value_absent;
        violate(g->why, column, bad);
    }
    g->quoted = t == JSON_STRING;
    g->p = js.p - g->quoted;
    return true;
}

static bool has_high(struct str s)
{
    unsigned char seen = 0;
    for (size_t i = 0; i < s.n; i++) seen |= (unsigned char)s.p[i];
    return seen >= 0x80;
}

/* A text without escapes. False: it is not UTF-8. */
static inline bool plain_text(struct reading *g, int column, struct str s)
{
    const struct json_marks *m = &g->r->marks;
    bool high = (m->high || s.p < m->from) && has_high(s);           /* of a window before this one nothing is known any more */
    if (high && !str_utf8_valid(s)) return broken(g, "a string that is not UTF-8");
    if (column < 0) return true;
    bool room = s.p - g->start >= 8 && g->end - s.p >= 8;
    if (high || !cell_read(&g->r->cells[column], s, room, &g->cols[column])) read_by_type(g, column, s);
    return true;
}

/* ---- the object ---- */

/* The first mark at or behind p, g->end when there is none. The window moves with it. */
static const char *next_mark(struct reading *g, const char *p)
{
    struct json_marks *m = &g->r->marks;
    for (;; p = m->from + m->n) {
        if ((size_t)(p - m->from) >= m->n) g->r->find(m, p, (size_t)(g->end - p));
        const char *to = json_marks_next(m, p);
        if (to < m->from + m->n || to == g->end) return to;
    }
}

/* Members as expected whose values are plain texts, from number *k on: the bulk of every row. Stops before the first that is something else, in front of its gap or
 * behind (*column tells). Each step waits for the place of the one before, and that is all that it waits for: so places are numbers here, and one word of the
 * map gives the next. */
static inline bool plain_members(struct reading *g, size_t *k, int *column)
{
    struct json_row *r = g->r;
    const struct json_marks *m = &r->marks;
    const struct gap *e = r->seq + *k, *last = r->seq + r->nseq;
    const char *base = m->from;
    size_t at = (size_t)(g->p - base);
    *column = NOT_YET;
    if (!g->quoted && *k > 0 && e < last && e->text[0] == '"') return true;
    for (; e < last && is_expected(e, base + at, g->end); e++) {
        size_t from = at + e->n, to;
        *column = e->column;
        if (from > m->n || (to = json_marks_near(m, from)) == 0 || base[from - 1] != '"' || base[to] != '"') {
            at = from;
            break;
        }
        if (!plain_text(g, *column, (struct str){base + from, to - from})) return false;
        *column = NOT_YET;
        g->quoted = true;
        at = to;
    }
    *k = (size_t)(e - r->seq);
    g->p = base + at;
    return true;
}

/* The value behind a gap; g->p behind its opening quote, if it has one. */
static bool read_value(struct reading *g, int column)
{
    if (g->p[-1] != '"') return other_value(g, column);
    const char *from = g->p, *to = next_mark(g, from);
    if (to == g->end || *to != '"') {
        g->p--;
        return other_value(g, column);
    }
    g->p = to;
    g->quoted = true;
    return plain_text(g, column, (struct str){from, (size_t)(to - from)});
}

/* Once a row had nothing but expected gaps, all that come may be like it: it had the first n. */
static void keep_shape(struct json_row *r, size_t n)
{
    r->stale = r->stale || r->learned;
    if (!r->stale || r->learned || n > r->nseq) return;
    json_shape_begin(r->shape);
    for (size_t i = 0; i < n; i++) json_shape_member(r->shape, (struct str){r->seq[i].text, r->seq[i].n}, r->seq[i].column);
    json_shape_end(r->shape);
    r->stale = false;
}

/* The members behind the brace, and the closing brace. */
static bool read_members(struct reading *g)
{
    g->r->learned = false;
    for (size_t k = 0;; k++) {
        int column;
        bool last = false;
        if (!plain_members(g, &k, &column)) return false;
        if (column == NOT_YET && !read_gap(g, k, &column, &last)) return false;
        if (last) {
            keep_shape(g->r, k);
            return true;
        }
        if (!read_value(g, column)) return false;
    }
}

static bool no_object(struct reading *g)
{
    struct json_scanner js;
    json_init(&js, rest(g), g->a);
    return broken(g, json_next(&js) == JSON_ERROR ? js.error : "not a JSON object");
}

bool json_row_read(struct json_row *r, struct str text, size_t *used, struct arena *a, struct value *cols, struct json_row_fault *why)
{
    struct reading g = {r, text.p, text.p, text.p + text.n, false, a, cols, why};
    why->column = -1;
    why->clause[0] = '\0';
    if (json_shape_read(r->shape, text, used, cols)) return true;
    for (size_t i = 0; i < r->ncells; i++) cols[i] = value_absent;
    skip_blanks(&g);
    if (g.p == g.end || *g.p != '{') return no_object(&g);
    g.p++;
    r->find(&r->marks, g.p, (size_t)(g.end - g.p));
    if (!read_members(&g)) return false;
    *used = (size_t)(g.p - text.p);
    for (size_t i = 0; i < r->nrequired && why->column < 0; i++)
        if (!value_present(&cols[r->required[i]])) violate(why, r->required[i], "is absent, but a value is required");
    return true;
}

bool json_row_next(struct json_row *r, struct str text, size_t *used, struct value *cols)
{
    return json_shape_read(r->shape, text, used, cols) && *used < text.n && text.p[*used] == '\n';
}
