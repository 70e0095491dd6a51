/* json_shape.c - see json_shape.h.
 *
 *     {"Name":"text","Next":"..."}
 *      ~~~~~~~~    ~~~~~~~~~~       gaps: held as a whole against those of the shape; all differences are gathered, and looked at once for the row
 *              ~~~~         ~~~     values: kind by kind, because what comes next must not be a question for every value
 *
 * Why that is all of JSON's grammar: with M members a row has 4 M quotes. When the gaps and the end are as they should be, and no two of them overlap, they hold 4 M; so
 * when there are not more, there is none in a value. A backslash or control byte would have ended the row. */
#include "value/json_shape.h"
#include "base/check.h"
#include "value/json_seams.h"
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { GAP_BYTES = 32, MEMBERS_MAX = 512 };
struct gap { _Alignas(2 * GAP_BYTES) char text[GAP_BYTES]; char mask[GAP_BYTES]; };      /* a line of the cache; mask: 0xff for each byte of the text */
struct part { uint16_t member, column; const struct cell *cell; };    /* a column that is read, and where its value stands */

struct json_shape {
    const struct cell *cells;
    size_t ncells, members;          /* members 0: nothing is of this shape */
    bool fits;                       /* of the members so far */
    struct gap *gaps;
    uint8_t *lengths;                /* of the gaps */
    struct part *parts[4];           /* by kind */
    size_t nparts[4];
    bool *has;                       /* columns that are a member; the others: */
    uint16_t *others;
    size_t nothers;
    json_seams_fn *find;
    struct json_seams seams;
};
enum { TEXTS, NUMBERS, DATES, OTHERS, KINDS };

static void *alloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) check_no_memory();
    return p;
}

struct json_shape *json_shape_new(const struct cell *cells, size_t ncells)
{
    struct json_shape *s = alloc(1, sizeof *s);
    s->cells = cells;
    s->ncells = ncells;
    s->gaps = aligned_alloc(_Alignof(struct gap), MEMBERS_MAX * sizeof *s->gaps);
    if (!s->gaps) check_no_memory();
    s->lengths = alloc(MEMBERS_MAX, sizeof *s->lengths);
    s->has = alloc(ncells, sizeof *s->has);
    s->others = alloc(ncells, sizeof *s->others);
    for (size_t k = 0; k < KINDS; k++) s->parts[k] = alloc(ncells, sizeof *s->parts[k]);
    s->find = json_seams_best();
    return s;
}

void json_shape_free(struct json_shape *s)
{
    if (!s) return;
    for (size_t k = 0; k < KINDS; k++) free(s->parts[k]);
    free(s->gaps);
    free(s->lengths);
    free(s->has);
    free(s->others);
    free(s);
}

/* ---- learning ---- */

void json_shape_begin(struct json_shape *s)
{
    s->members = 0;
    s->fits = true;
    memset(s->has, 0, s->ncells);
    memset(s->nparts, 0, sizeof s->nparts);
}

/* A name between its seams and nothing else: no blank, and no colon or comma that would be taken for one. */
static bool plain_gap(struct str gap, bool first)
{
    size_t before = first ? 1 : 3, name;
    if (gap.n < before + 4 || gap.n > GAP_BYTES || memcmp(gap.p, first ? "\"" : "\",\"", before) != 0 || memcmp(gap.p + gap.n - 3, "\":\"", 3) != 0) return false;
    for (name = before; name < gap.n - 3; name++)
        if (strchr("\",:", gap.p[name])) return false;
    return true;
}

static size_t kind_of(const struct cell *c, size_t member)
{
    if (c->kind == CELL_TEXT) return TEXTS;
    if (member == 0) return OTHERS;                                   /* the others read up to ten bytes in front of the value's end */
    return c->kind == CELL_DECIMAL ? NUMBERS : c->kind == CELL_DATE ? DATES : OTHERS;
}

void json_shape_member(struct json_shape *s, struct str gap, int column)
{
    size_t m = s->members;
    s->fits = s->fits && m < MEMBERS_MAX && plain_gap(gap, m == 0) && (column < 0 || !s->has[column]);
    if (!s->fits) return;
    struct gap *g = &s->gaps[m];
    memset(g, 0, sizeof *g);
    memcpy(g->text, gap.p, gap.n);
    memset(g->mask, 0xff, gap.n);
    s->lengths[m] = (uint8_t)gap.n;
    if (column >= 0) {
        const struct cell *c = &s->cells[column];
        size_t kind = kind_of(c, m);
        s->has[column] = true;
        s->parts[kind][s->nparts[kind]++] = (struct part){(uint16_t)m, (uint16_t)column, c};
    }
    s->members++;
}

bool json_shape_end(struct json_shape *s)
{
    s->nothers = 0;
    for (size_t i = 0; i < s->ncells; i++) {
        s->fits = s->fits && (s->has[i] || s->cells[i].optional);
        if (!s->has[i]) s->others[s->nothers++] = (uint16_t)i;
    }
    if (!s->fits) s->members = 0;
    return s->members > 0;
}

/* ---- reading ---- */

/* A row under way: its seams, behind the last of them the end of the text. Member m: its gap's third byte (but for the first) is seam 2 m - 1, its value's
 * opening quote seam 2 m. */
struct row { const char *p; size_t n; const uint16_t *at; };

static inline struct str value_of(const struct row *r, size_t member)
{
    size_t from = r->at[2 * member] + 1u;
    return (struct str){r->p + from, r->at[2 * member + 1] - 2u - from};
}

/* Gaps that have 32 bytes to read, from member 1 on: the first that has not. *same: all of them are as expected, and none begins in the one before. */
static inline size_t long_gaps(const struct json_shape *s, const struct row *r, bool *same)
{
    size_t m = 1;
    *same = true;
#ifdef __SSE2__
    const uint16_t *at = r->at;
    int shortest = 0;                                                 /* a value of -1 bytes: two gaps share a quote */
    __m128i differ = _mm_setzero_si128();
    for (; m < s->members && at[2 * m - 1] + GAP_BYTES - 2u <= r->n; m++) {
        const __m128i *have = (const __m128i *)(const void *)(r->p + at[2 * m - 1] - 2), *want = (const __m128i *)(const void *)&s->gaps[m], *mask = want + 2;
        shortest |= at[2 * m - 1] - 3 - at[2 * m - 2];
        differ = _mm_or_si128(differ, _mm_and_si128(_mm_xor_si128(_mm_loadu_si128(have), _mm_load_si128(want)), _mm_load_si128(mask)));
        differ = _mm_or_si128(differ, _mm_and_si128(_mm_xor_si128(_mm_loadu_si128(have + 1), _mm_load_si128(want + 1)), _mm_load_si128(mask + 1)));
    }
    *same = shortest >= 0 && _mm_movemask_epi8(_mm_cmpeq_epi8(differ, _mm_setzero_si128())) == 0xffff;
#endif
    return m;
}

static bool gaps_fit(const struct json_shape *s, const struct row *r)
{
    const struct gap *g = s->gaps;
    const uint16_t *at = r->at;
    bool same;
    if (at[0] != s->lengths[0] || memcmp(r->p + 1, g[0].text, at[0]) != 0) return false;
    for (size_t m = long_gaps(s, r, &same); m < s->members; m++) {
        size_t from = at[2 * m - 1] - 2u;
        same = same && from > at[2 * m - 2] && r->n - from >= s->lengths[m] && memcmp(r->p + from, g[m].text, s->lengths[m]) == 0;
    }
    return same && at[2 * s->members - 1] - 2u > at[2 * s->members - 2];
}

static bool read_texts(const struct json_shape *s, const struct row *r, struct value *cols)
{
    bool ok = true;
    for (const struct part *t = s->parts[TEXTS], *end = t + s->nparts[TEXTS]; t < end; t++) {
        struct str v = value_of(r, t->member);
        while (v.p[(ptrdiff_t)v.n - 1] == ' ') v.n--;                 /* padding; stops at the opening quote */
        const struct cell *c = t->cell;
        ok &= (v.n - c->least <= (size_t)c->most - c->least) | (v.n == 0 && c->optional);
        cols[t->column].head = v.n ? VALUE_HEAD(V_TEXT, 0, v.n) : 0;
        cols[t->column].u.text = v.p;
    }
    return ok;
}

static bool read_numbers(const struct json_shape *s, const struct row *r, struct value *cols)
{
    bool ok = true;
    for (const struct part *t = s->parts[NUMBERS], *end = t + s->nparts[NUMBERS]; t < end && ok; t++) {
        struct str v = value_of(r, t->member);
        if (v.n) ok = cell__decimal(t->cell, v, true, &cols[t->column]);
        else {
            cols[t->column].head = 0;
            ok = t->cell->optional;
        }
    }
    return ok;
}

static bool read_dates(const struct json_shape *s, const struct row *r, struct value *cols)
{
    bool ok = true;
    for (const struct part *t = s->parts[DATES], *end = t + s->nparts[DATES]; t < end; t++)
        ok &= cell__date_or_blank(t->cell, value_of(r, t->member), &cols[t->column]);
    return ok;
}

static bool read_others(const struct json_shape *s, const struct row *r, struct value *cols)
{
    bool ok = true;
    for (const struct part *t = s->parts[OTHERS], *end = t + s->nparts[OTHERS]; t < end && ok; t++)
        ok = cell_read(t->cell, value_of(r, t->member), false, &cols[t->column]);
    return ok;
}

bool json_shape_read(struct json_shape *s, struct str text, size_t *used, struct value *cols)
{
    struct json_seams *seams = &s->seams;
    if (s->members == 0) return false;
    s->find(seams, text.p, text.n < JSON_SEAMS_BYTES ? text.n : JSON_SEAMS_BYTES);
    struct row r = {text.p, seams->end, seams->at};
    if (seams->n != 2 * s->members - 1 || seams->quotes != 4 * s->members || r.p[0] != '{' || memcmp(r.p + r.n - 2, "\"}", 2) != 0) return false;
    seams->at[seams->n] = (uint16_t)r.n;                              /* as if a name began behind the brace */
    if (!gaps_fit(s, &r)) return false;
    for (size_t i = 0; i < s->nothers; i++) cols[s->others[i]] = value_absent;
    *used = r.n;
    return read_texts(s, &r, cols) && read_numbers(s, &r, cols) && read_dates(s, &r, cols) && read_others(s, &r, cols);
}
