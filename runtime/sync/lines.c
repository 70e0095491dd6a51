/* lines.c - the lines of a record against the rows that stand in the target, so that no line is ever there twice.
 *
 *   wanted lines (key, columns) --.
 *   line map: key -> row id -------+-- pairs --> row of each line, or none = a new row
 *   lines written last ------------'             rows without a line = to be taken out
 *   rows read just now -----------'
 *
 * A target appends every row that comes without an id (facts/zoho-crm.md 6), so an update never leaves without a read just before it, and it names
 * every row: the ones that stay with their id and all columns, the ones that go with id and _delete, the new ones without an id. A line is found
 * again by the map; when its row was made by the last write and its id never read, by what was written; then by what is wanted now; then by the
 * row that is most like it. The content is right whatever pairs were made: pairs decide only which row keeps its id. The order of lines is not
 * compared: rows keep their places in the target. */
#include "sync/sync_private.h"

enum { OWN_COLUMNS = 2 };              /* in front of a line's own columns when it goes out as an update: id, _delete */

static const struct list_line *line_of(const struct value *list, const struct value *key)
{
    if (!list || list->kind != V_LIST) return NULL;
    const struct list *l = list->u.list;
    for (size_t i = 0; i < l->nlines; i++)
        if (value_equal(&l->lines[i].key, key)) return &l->lines[i];
    return NULL;
}

static const struct value *column_of(const struct list *l, const struct list_line *line, struct str name)
{
    for (size_t k = 0; k < l->nfields; k++)
        if (str_eq(l->names[k], name)) return &line->fields[k];
    return &value_absent;
}

bool lines_same(const struct value *a, const struct value *b)
{
    if (a->kind != V_LIST || b->kind != V_LIST) return a->kind == b->kind;
    const struct list *x = a->u.list, *y = b->u.list;
    if (x->nlines != y->nlines || x->nfields != y->nfields) return false;
    for (size_t i = 0; i < x->nlines; i++) {
        /* mostly in the same order */
        const struct list_line *other = value_equal(&x->lines[i].key, &y->lines[i].key) ? &y->lines[i] : line_of(b, &x->lines[i].key);
        for (size_t k = 0; other && k < x->nfields; k++)
            if (!value_equal(&x->lines[i].fields[k], column_of(y, other, x->names[k]))) other = NULL;
        if (!other) return false;
    }
    return true;
}

struct value lines_resolved(struct engine *e, struct sync_flow *sf, size_t field, struct str child, const struct value *list, struct arena *a)
{
    if (list->kind != V_LIST) return value_absent;
    const struct list *from = list->u.list;
    struct list *l = ARENA_NEW(a, struct list);
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, from->nlines);
    for (size_t i = 0; i < from->nlines; i++) {
        struct value *v = ARENA_ARRAY(a, struct value, from->nfields + 1u);
        for (size_t k = 0; k < from->nfields; k++) {
            const struct image_link *link = link_at(sf, field, k);
            v[k] = from->lines[i].fields[k];
            if (!link || v[k].kind != V_TEXT) continue;
            struct arena_mark m = arena_mark(a);
            struct str id = link_id(e, link, child, value_str(&v[k]), a);
            char kept[64];
            size_t n = id.n < sizeof kept ? id.n : 0;
            if (n) memcpy(kept, id.p, n);
            arena_release(a, m);                       /* a parent's whole row was read for its id */
            v[k] = n ? (struct value){.kind = V_ID, .len = (uint32_t)n, .u.text = arena_copy(a, kept, n)} : value_absent;
        }
        lines[i] = (struct list_line){from->lines[i].key, v};
    }
    *l = (struct list){from->names, lines, from->nlines, from->nfields};
    return (struct value){.kind = V_LIST, .u.list = l};
}

/* ---- pairs ---- */
struct pairing {
    const struct list *want, *rows;    /* rows: may be NULL */
    size_t *row;                       /* per wanted line: its row, or SIZE_MAX */
    bool *taken;                       /* per row */
};

static size_t likeness(const struct list *l, const struct list_line *line, const struct list *rows, const struct list_line *row)
{
    size_t n = 0;
    for (size_t k = 0; k < l->nfields; k++) n += same_in_target(&line->fields[k], column_of(rows, row, l->names[k]));
    return n;
}

static void take(struct pairing *p, size_t line, size_t row)
{
    p->row[line] = row;
    p->taken[row] = true;
}

static void pair_by_map(struct pairing *p, const struct value *map)
{
    for (size_t i = 0; i < p->want->nlines; i++) {
        const struct list_line *known = line_of(map, &p->want->lines[i].key);
        for (size_t r = 0; known && r < p->rows->nlines; r++)
            if (!p->taken[r] && value_equal(&known->fields[0], column_of(p->rows, &p->rows->lines[r], STR("id")))) {
                take(p, i, r);
                break;
            }
    }
}

/* Lines of `as` (what was written, or what is wanted) against rows of just that content. */
static void pair_by_content(struct pairing *p, const struct value *as)
{
    for (size_t i = 0; i < p->want->nlines; i++) {
        const struct list_line *line = p->row[i] == SIZE_MAX ? line_of(as, &p->want->lines[i].key) : NULL;
        for (size_t r = 0; line && r < p->rows->nlines; r++)
            if (!p->taken[r] && likeness(as->u.list, line, p->rows, &p->rows->lines[r]) == as->u.list->nfields) {
                take(p, i, r);
                break;
            }
    }
}

static void pair_by_likeness(struct pairing *p)
{
    for (size_t i = 0; i < p->want->nlines; i++) {
        size_t best = 0, at = SIZE_MAX;
        for (size_t r = 0; p->row[i] == SIZE_MAX && r < p->rows->nlines; r++) {
            size_t like = p->taken[r] ? 0 : likeness(p->want, &p->want->lines[i], p->rows, &p->rows->lines[r]);
            if (like <= best) continue;
            best = like;
            at = r;
        }
        if (at != SIZE_MAX) take(p, i, at);
    }
}

/* ---- what goes out ---- */
static struct value list_value(const struct str *names, const struct list_line *lines, size_t n, size_t nfields, struct arena *a)
{
    struct list *l = ARENA_NEW(a, struct list);
    *l = (struct list){names, lines, (uint32_t)n, (uint16_t)nfields};
    return n ? (struct value){.kind = V_LIST, .u.list = l} : value_absent;
}

static struct value id_of(const struct list *rows, size_t row)
{
    return row == SIZE_MAX ? value_absent : *column_of(rows, &rows->lines[row], STR("id"));
}

static struct str *names_in_front(const struct list *own, size_t front, struct arena *a)
{
    struct str *names = ARENA_ARRAY(a, struct str, own->nfields + front);
    names[0] = STR("id");
    if (front > 1) names[1] = STR("_delete");
    if (own->nfields) memcpy(names + front, own->names, own->nfields * sizeof *names);
    return names;
}

/* Rows to take out first, so that a full record has room for the new ones. */
static struct value going_out(const struct pairing *p, struct arena *a)
{
    size_t nrows = p->rows ? p->rows->nlines : 0, n = 0;
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, p->want->nlines + nrows + 1u);
    for (size_t r = 0; r < nrows + p->want->nlines; r++) {
        bool old = r < nrows;
        if (old && p->taken[r]) continue;
        struct value *v = ARENA_ARRAY(a, struct value, p->want->nfields + (size_t)OWN_COLUMNS);
        for (size_t k = 0; k < p->want->nfields; k++) v[k + OWN_COLUMNS] = old ? value_absent : p->want->lines[r - nrows].fields[k];
        v[0] = id_of(p->rows, old ? r : p->row[r - nrows]);
        v[1] = old ? value_bool(true) : value_absent;
        lines[n++] = (struct list_line){old ? value_absent : p->want->lines[r - nrows].key, v};
    }
    return list_value(names_in_front(p->want, OWN_COLUMNS, a), lines, n, p->want->nfields + (size_t)OWN_COLUMNS, a);
}

/* The rows as they stand, with the columns of ours and the keys that they were paired with. */
static struct value standing(const struct pairing *p, struct arena *a)
{
    if (!p->rows) return value_absent;
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, p->rows->nlines + 1u);
    for (size_t r = 0; r < p->rows->nlines; r++) {
        struct value *v = ARENA_ARRAY(a, struct value, p->want->nfields + 1u);
        v[0] = id_of(p->rows, r);
        for (size_t k = 0; k < p->want->nfields; k++) v[k + 1] = *column_of(p->rows, &p->rows->lines[r], p->want->names[k]);
        lines[r] = (struct list_line){value_absent, v};
    }
    for (size_t i = 0; i < p->want->nlines; i++)
        if (p->row[i] != SIZE_MAX) lines[p->row[i]].key = p->want->lines[i].key;
    return list_value(names_in_front(p->want, 1, a), lines, p->rows->nlines, p->want->nfields + 1u, a);
}

static struct value map_of(const struct pairing *p, struct arena *a)
{
    static const struct str names[] = {{"id", 2}};
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, p->want->nlines + 1u);
    size_t n = 0;
    for (size_t i = 0; i < p->want->nlines; i++) {
        struct value *id = ARENA_NEW(a, struct value);
        *id = id_of(p->rows, p->row[i]);
        if (value_present(id)) lines[n++] = (struct list_line){p->want->lines[i].key, id};
    }
    return list_value(names, lines, n, 1, a);
}

static bool differs(const struct pairing *p)
{
    for (size_t r = 0; p->rows && r < p->rows->nlines; r++)
        if (!p->taken[r]) return true;
    for (size_t i = 0; i < p->want->nlines; i++)
        if (p->row[i] == SIZE_MAX || likeness(p->want, &p->want->lines[i], p->rows, &p->rows->lines[p->row[i]]) != p->want->nfields) return true;
    return false;
}

void lines_match(const struct value *wanted, const struct value *last, const struct value *map, const struct value *rows, const struct list_shape *shape,
                 struct arena *a, struct lines_match *out)
{
    const struct list none = {shape->names, NULL, 0, shape->n};
    struct pairing p = {.want = wanted->kind == V_LIST ? wanted->u.list : &none, .rows = rows->kind == V_LIST ? rows->u.list : NULL};
    p.row = ARENA_ARRAY(a, size_t, p.want->nlines + 1u);
    p.taken = ARENA_ARRAY(a, bool, (p.rows ? p.rows->nlines : 0) + 1u);
    for (size_t i = 0; i < p.want->nlines; i++) p.row[i] = SIZE_MAX;
    if (p.rows) {
        pair_by_map(&p, map);
        pair_by_content(&p, last);
        pair_by_content(&p, wanted);
        pair_by_likeness(&p);
    }
    *out = (struct lines_match){.differs = differs(&p), .there = standing(&p, a), .map = map_of(&p, a)};
    if (out->differs) out->out = going_out(&p, a);
}
