/*
 * find.c: which records fulfil a condition, without touching a million of them.
 *
 * Ways in, tried in this order:
 *     id = / id in                     binary search per value
 *     unique field = / in              index
 *     other field = / in               index, made on the first such query
 *     a and b: the better side;  a or b: both sides or none
 *     id > x                           the scan starts there and stops after offset + limit rows
 *     anything else                    scan
 * Whatever the way in, every candidate is checked against the whole condition.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

struct numbers {
    uint32_t *at;
    size_t n, cap;
};

static void push(struct numbers *list, uint32_t number)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 64;
        list->at = zsim__must(realloc(list->at, list->cap * sizeof *list->at));
    }
    list->at[list->n++] = number;
}

// ---- one record against one condition

const struct zsim_record *zsim__follow(struct zoho_sim *sim, const struct zsim_module *m, const struct zsim_record *r,
                                       int field, const struct zsim_module **target)
{
    struct zsim_cell cell;
    char text[24] = "";
    uint64_t id;
    if (m->fields[field].lookup < 0 || !zsim__cell(r, field, &cell) || cell.len >= sizeof text)
        return NULL;
    memcpy(text, cell.bytes, cell.len);
    struct zsim_module *other = &sim->modules[m->fields[field].lookup];
    *target = other;
    return zsim__parse_u64(text, &id) ? zsim__record(other, id) : NULL;
}

struct operand { // what stands in the record; kind 0: null
    char kind;   // s text, n number, t time in ms
    const char *bytes;
    size_t len;
    int64_t time_ms;
    char own[32];
};

static void take_operand(const struct zsim_module *m, const struct zsim_record *r, const struct zoho_sim *sim,
                         int field, struct operand *o)
{
    const struct zsim_field *f = &m->fields[field];
    struct zsim_cell cell;
    *o = (struct operand){.kind = 'n', .bytes = o->own};
    switch (f->role) {
    case ZR_ID:
        o->len = (size_t)snprintf(o->own, sizeof o->own, "%llu", (unsigned long long)r->id);
        return;
    case ZR_CREATED_BY:
    case ZR_MODIFIED_BY:
        o->len = (size_t)snprintf(o->own, sizeof o->own, "%llu",
                                  (unsigned long long)
                                      sim->users[f->role == ZR_CREATED_BY ? r->created_by : r->modified_by].id);
        return;
    case ZR_CREATED:
    case ZR_MODIFIED:
        o->kind = 't';
        o->time_ms = (f->role == ZR_CREATED ? r->created_ms : r->modified_ms) / 1000 * 1000;
        return;
    case ZR_LOCKED:
    case ZR_PLAIN:
        break;
    }
    o->kind = 0;
    if (!zsim__cell(r, field, &cell)) {
        if (f->kind == ZK_BOOL) // a box that was never ticked is false, not null
            *o = (struct operand){.kind = 's', .bytes = r->locked && f->role == ZR_LOCKED ? "true" : "false",
                                  .len = r->locked && f->role == ZR_LOCKED ? 4 : 5};
        return;
    }
    o->kind = cell.kind == 'n' || cell.kind == 'r' || cell.kind == 'u' ? 'n' : 's';
    o->bytes = cell.bytes;
    o->len = cell.len;
    if (f->kind == ZK_DATETIME && cell.len < sizeof o->own) {
        memcpy(o->own, cell.bytes, cell.len);
        o->own[cell.len] = '\0';
        o->kind = zsim__parse_datetime(o->own, &o->time_ms) ? 't' : 's';
    }
}

static int compare_numbers(const char *a, const char *b)
{
    uint64_t x, y;
    if (zsim__parse_u64(a, &x) && zsim__parse_u64(b, &y)) // ids do not fit a double
        return (x > y) - (x < y);
    double v = strtod(a, NULL), w = strtod(b, NULL);
    return (v > w) - (v < w);
}

// False when the two cannot be compared.
static bool compare(const struct zoho_sim *sim, const struct operand *o, const char *literal, int *order)
{
    int64_t ms;
    char number[64];
    if (o->kind == 't') {
        if (!zsim__parse_datetime(literal, &ms))
            return false;
        *order = (o->time_ms > ms) - (o->time_ms < ms);
    } else if (o->kind == 'n') {
        if (o->len >= sizeof number)
            return false;
        memcpy(number, o->bytes, o->len);
        number[o->len] = '\0';
        *order = compare_numbers(number, literal);
    } else {
        *order = zsim__compare(o->bytes, o->len, literal, strlen(literal), !sim->on.case_sensitive_text);
    }
    return true;
}

// '%' stands for any run of characters.
static bool like(const char *hay, size_t hlen, const char *pattern, bool fold)
{
    size_t n = strcspn(pattern, "%");
    if (hlen < n || zsim__compare(hay, n, pattern, n, fold) != 0)
        return false;
    if (!pattern[n])
        return hlen == n;
    while (pattern[n] == '%')
        n++;
    size_t lead = strcspn(pattern, "%");
    if (!pattern[n])
        return true;
    for (size_t at = lead; at <= hlen; at++)
        if (like(hay + at, hlen - at, pattern + n, fold))
            return true;
    return false;
}

static bool any_equal(const struct zoho_sim *sim, const struct operand *o, const struct zsim_cond *c)
{
    int order;
    for (size_t i = 0; i < c->nvalues; i++)
        if (compare(sim, o, c->values[i].text, &order) && order == 0)
            return true;
    return false;
}

static bool holds(const struct zoho_sim *sim, const struct operand *o, const struct zsim_cond *c)
{
    int order = 0, second = 0;
    const char *literal = c->nvalues ? c->values[0].text : "";
    if (c->op == ZO_NULL || c->op == ZO_NOT_NULL)
        return (o->kind == 0) == (c->op == ZO_NULL);
    if (!o->kind)
        return c->op == ZO_NE || c->op == ZO_NOT_IN || c->op == ZO_NOT_LIKE;
    switch (c->op) {
    case ZO_IN:
    case ZO_NOT_IN:
        return any_equal(sim, o, c) == (c->op == ZO_IN);
    case ZO_LIKE:
    case ZO_NOT_LIKE:
        return o->kind == 's' &&
               like(o->bytes, o->len, literal, !sim->on.case_sensitive_text) == (c->op == ZO_LIKE);
    case ZO_CONTAINS:
    case ZO_STARTS:
        return o->kind == 's' && zsim__contains(o->bytes, o->len, literal, strlen(literal), c->op == ZO_STARTS);
    case ZO_BETWEEN:
        return compare(sim, o, literal, &order) && compare(sim, o, c->values[1].text, &second) && order >= 0 &&
               second <= 0;
    default:
        break;
    }
    if (!compare(sim, o, literal, &order))
        return false;
    return c->op == ZO_EQ   ? order == 0
           : c->op == ZO_NE ? order != 0
           : c->op == ZO_LT ? order < 0
           : c->op == ZO_LE ? order <= 0
           : c->op == ZO_GT ? order > 0
                            : order >= 0;
}

bool zsim__matches(struct zoho_sim *sim, const struct zsim_module *m, const struct zsim_record *r,
                   const struct zsim_cond *c)
{
    if (!c)
        return true;
    if (c->op == ZO_AND)
        return zsim__matches(sim, m, r, c->left) && zsim__matches(sim, m, r, c->right);
    if (c->op == ZO_OR)
        return zsim__matches(sim, m, r, c->left) || zsim__matches(sim, m, r, c->right);
    struct operand o = {0};
    const struct zsim_module *at = m;
    if (c->path.sub >= 0)
        r = zsim__follow(sim, m, r, c->path.field, &at);
    if (r)
        take_operand(at, r, sim, c->path.sub >= 0 ? c->path.sub : c->path.field, &o);
    return holds(sim, &o, c);
}

// ---- ways in

enum way { WAY_SCAN, WAY_INDEX, WAY_KEY }; // worst to best

static enum way way_in(const struct zsim_module *m, const struct zsim_cond *c)
{
    if (!c)
        return WAY_SCAN;
    if (c->op == ZO_AND || c->op == ZO_OR) {
        enum way a = way_in(m, c->left), b = way_in(m, c->right);
        return c->op == ZO_AND ? (a > b ? a : b) : (a < b ? a : b);
    }
    if ((c->op != ZO_EQ && c->op != ZO_IN) || c->path.sub >= 0)
        return WAY_SCAN;
    const struct zsim_field *f = &m->fields[c->path.field];
    if (f->role == ZR_ID || (f->role == ZR_PLAIN && f->unique))
        return WAY_KEY;
    bool indexed = f->role == ZR_PLAIN && (f->kind == ZK_TEXT || f->kind == ZK_PICK || f->kind == ZK_DATE ||
                                           f->kind == ZK_LOOKUP || f->kind == ZK_USER);
    return indexed ? WAY_INDEX : WAY_SCAN;
}

static void by_values(const struct zoho_sim *sim, struct zsim_module *m, const struct zsim_cond *c,
                      struct numbers *out)
{
    const struct zsim_field *f = &m->fields[c->path.field];
    const struct zsim_index *ix =
        f->role == ZR_ID ? NULL : zsim__index(m, c->path.field, !sim->on.case_sensitive_text);
    for (size_t i = 0; i < c->nvalues; i++) {
        const char *key = c->values[i].text;
        const struct zsim_record *r;
        uint32_t walk = 0;
        uint64_t id;
        if (!ix) {
            r = zsim__parse_u64(key, &id) ? zsim__record(m, id) : NULL;
            if (r)
                push(out, (uint32_t)(r - m->records));
            continue;
        }
        while ((r = zsim__index_next(m, ix, key, strlen(key), &walk)) != NULL)
            push(out, (uint32_t)(r - m->records));
    }
}

static void candidates(const struct zoho_sim *sim, struct zsim_module *m, const struct zsim_cond *c,
                       struct numbers *out)
{
    if (c->op == ZO_OR) {
        candidates(sim, m, c->left, out);
        candidates(sim, m, c->right, out);
    } else if (c->op == ZO_AND) {
        candidates(sim, m, way_in(m, c->left) >= way_in(m, c->right) ? c->left : c->right, out);
    } else {
        by_values(sim, m, c, out);
    }
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sort_once(struct numbers *list)
{
    size_t n = 0;
    if (list->n)
        qsort(list->at, list->n, sizeof *list->at, compare_u32);
    for (size_t i = 0; i < list->n; i++)
        if (!n || list->at[n - 1] != list->at[i])
            list->at[n++] = list->at[i];
    list->n = n;
}

// The least id that can fulfil c.
static uint64_t least_id(const struct zsim_module *m, const struct zsim_cond *c)
{
    if (!c || c->op == ZO_OR)
        return 0;
    if (c->op == ZO_AND) {
        uint64_t a = least_id(m, c->left), b = least_id(m, c->right);
        return a > b ? a : b;
    }
    uint64_t id = 0;
    if (c->path.sub >= 0 || m->fields[c->path.field].role != ZR_ID || (c->op != ZO_GT && c->op != ZO_GE) ||
        !zsim__parse_u64(c->values[0].text, &id))
        return 0;
    return c->op == ZO_GT ? id + 1 : id;
}

// In the order of ids. `enough` rows end the search (0: never).
static void collect(struct zoho_sim *sim, const struct zsim_query *q, size_t enough, struct numbers *out)
{
    struct zsim_module *m = q->module;
    if (way_in(m, q->where) != WAY_SCAN) {
        struct numbers some = {0};
        candidates(sim, m, q->where, &some);
        sort_once(&some);
        for (size_t i = 0; i < some.n && !(enough && out->n == enough); i++)
            if (zsim__matches(sim, m, &m->records[some.at[i]], q->where))
                push(out, some.at[i]);
        free(some.at);
        return;
    }
    for (size_t i = zsim__lower_bound(m, least_id(m, q->where)); i < m->nrecords && !(enough && out->n == enough); i++)
        if (m->records[i].state == ZS_LIVE && zsim__matches(sim, m, &m->records[i], q->where))
            push(out, (uint32_t)i);
}

// ---- order

struct sorting {
    struct zoho_sim *sim;
    const struct zsim_query *q;
};

static void operand_at(const struct sorting *s, uint32_t number, size_t k, struct operand *o)
{
    const struct zsim_module *at = s->q->module;
    const struct zsim_record *r = &at->records[number];
    const struct zsim_path *path = &s->q->order[k];
    o->kind = 0;
    if (path->sub >= 0)
        r = zsim__follow(s->sim, s->q->module, r, path->field, &at);
    if (r)
        take_operand(at, r, s->sim, path->sub >= 0 ? path->sub : path->field, o);
}

static int compare_operands(const struct zoho_sim *sim, const struct operand *a, const struct operand *b)
{
    char x[64], y[64];
    if (!a->kind || !b->kind || a->kind != b->kind)
        return (a->kind != 0) - (b->kind != 0); // null first
    if (a->kind == 't')
        return (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);
    if (a->kind == 's' || a->len >= sizeof x || b->len >= sizeof y)
        return zsim__compare(a->bytes, a->len, b->bytes, b->len, !sim->on.case_sensitive_text);
    snprintf(x, sizeof x, "%.*s", (int)a->len, a->bytes);
    snprintf(y, sizeof y, "%.*s", (int)b->len, b->bytes);
    return compare_numbers(x, y);
}

static int compare_order(const void *a, const void *b, void *context)
{
    const struct sorting *s = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    for (size_t k = 0; k < s->q->norder; k++) {
        struct operand p = {0}, q = {0};
        operand_at(s, x, k, &p);
        operand_at(s, y, k, &q);
        int order = compare_operands(s->sim, &p, &q);
        if (order)
            return s->q->descending[k] ? -order : order;
    }
    return (x > y) - (x < y);
}

uint32_t *zsim__find(struct zoho_sim *sim, const struct zsim_query *q, size_t *n, bool *more)
{
    struct numbers all = {0};
    bool by_id = q->norder == 0 || (q->order[0].sub < 0 && q->module->fields[q->order[0].field].role == ZR_ID &&
                                    !q->descending[0]);
    size_t offset = (size_t)q->offset, limit = (size_t)q->limit;
    collect(sim, q, by_id && limit ? offset + limit + 1 : 0, &all);
    struct sorting sorting = {sim, q};
    if (!by_id && all.n)
        qsort_r(all.at, all.n, sizeof *all.at, compare_order, &sorting);
    size_t drop = offset < all.n ? offset : all.n;
    size_t rest = all.n - drop;
    *more = limit && rest > limit;
    *n = *more ? limit : rest;
    if (drop)
        memmove(all.at, all.at + drop, *n * sizeof *all.at);
    if (!all.at)
        all.at = zsim__must(malloc(sizeof *all.at));
    return all.at;
}

size_t zsim__find_count(struct zoho_sim *sim, const struct zsim_query *q)
{
    struct numbers all = {0};
    if (!q->where)
        return q->module->live;
    collect(sim, q, 0, &all);
    free(all.at);
    return all.n;
}
