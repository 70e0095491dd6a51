/* rows.c - random rows: in the middle of what a column may be, or at its edges and at the program's own constants, one unit to each side; with lines
 * where the flow runs over a list. */
#include "base/limits.h"
#include "tests/reference/agree.h"
#include "tests/reference/generate.h"
#include "value/date.h"

/* ---- constants of a program ---- */

static void keep(struct values *p, struct arena *a, struct value v)
{
    if (!value_present(&v)) return;
    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 32;
        struct value *list = ARENA_ARRAY(a, struct value, cap);
        if (p->n) memcpy(list, p->list, p->n * sizeof *list);
        p->list = list;
        p->cap = cap;
    }
    p->list[p->n++] = v;
}

struct walk { struct values *pool; struct arena *arena; };

static void visit(void *ctx, struct ast *n)
{
    struct walk *w = ctx;
    struct value v = value_absent;
    if (n->kind == AST_TEXT) v = value_text(AST_AS(text, n)->value);
    else if (n->kind == AST_NUMBER) decimal_parse(AST_AS(number, n)->digits, &v);
    else if (n->kind == AST_DATE && !date_parse(AST_AS(date, n)->value, &v)) datetime_parse(AST_AS(date, n)->value, &v);
    keep(w->pool, w->arena, v);
    if (n->kind != AST_ENDPOINT && n->kind != AST_ENTITY) ast_children(n, visit, ctx);
}

void agree_constants(struct values *pool, struct arena *a, const struct ast_file *file, const struct ast_flow *flow)
{
    struct walk w = {pool, a};
    if (flow) visit(&w, (struct ast *)(uintptr_t)&flow->base);
    AST_EACH(n, file->items)
        if (n->kind == AST_TABLE || n->kind == AST_FN) visit(&w, n);
}

/* A constant of this kind, or absent. */
static struct value constant(const struct values *pool, unsigned kind, uint64_t *seed)
{
    for (unsigned tries = 0; pool->n && tries < 8; tries++) {
        struct value v = pool->list[agree_random(seed) % pool->n];
        if (v.kind == kind) return v;
    }
    return value_absent;
}

/* ---- values of a type ---- */

static struct value text_of_length(uint32_t n, uint64_t *seed, struct arena *mem)
{
    static const char *const pieces[] = {"a", "Z", "7", " ", "\xc3\xa9", "\xf0\x9f\x98\x80", "@", ".", "x", "-", "0", "\n"};
    char *p = arena_alloc(mem, (size_t)n * 4 + 1);
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        const char *s = pieces[agree_random(seed) % 12];
        memcpy(p + at, s, strlen(s));
        at += strlen(s);
    }
    return value_text((struct str){p, at});
}

static struct value text(const struct type *t, const struct values *pool, uint64_t *seed, bool edge, struct arena *mem)
{
    uint64_t how = agree_random(seed) % 4;
    if (t->nset) {                                       /* half of them what the flow asks for, where it does */
        struct value v = how < 2 ? constant(pool, V_TEXT, seed) : value_absent;
        for (unsigned tries = 0; how < 2 && tries < 8 && !(value_present(&v) && type_admits(t, &v, NULL, 0)); tries++) v = constant(pool, V_TEXT, seed);
        return value_present(&v) && type_admits(t, &v, NULL, 0) ? v : value_text(t->set[agree_random(seed) % t->nset]);
    }
    struct value v = how == 0 ? value_text(str_of(gen_texts[agree_random(seed) % gen_count(gen_texts)])) : how < 3 ? constant(pool, V_TEXT, seed) : value_absent;
    for (unsigned tries = 0; how % 3 && tries < 4 && value_present(&v) && !type_admits(t, &v, NULL, 0); tries++) v = constant(pool, V_TEXT, seed);
    if (value_present(&v) && type_admits(t, &v, NULL, 0)) return v;
    uint32_t span = t->max_len - t->min_len, most = t->max_len < 400 ? t->max_len : 400;
    if (edge) return text_of_length(how % 2 || t->min_len > most ? t->min_len : most, seed, mem);
    return text_of_length(t->min_len + (uint32_t)(agree_random(seed) % ((span < 30 ? span : 30) + 1)), seed, mem);
}

static struct value number(const struct type *t, const struct values *pool, uint64_t *seed, bool edge)
{
    struct value v = constant(pool, V_DECIMAL, seed), at;
    uint64_t how = agree_random(seed) % 6;
    i128 span = t->hi - t->lo, far = (i128)(agree_random(seed) >> 1) * (i128)(agree_random(seed) >> 2);
    if (!edge && how > 2) return value_decimal(t->lo + far % (span + 1), t->scale);
    if (!edge && how > 0) return value_decimal((i128)(agree_random(seed) % 2000) - 1000, t->scale);
    if (edge && t->scale > 0 && agree_random(seed) % 3 == 0) {        /* half a unit of fewer decimals */
        i128 unit = decimal_pow10(1 + (unsigned)(agree_random(seed) % t->scale));
        return value_decimal(((i128)(agree_random(seed) % 40) - 20) * unit + (agree_random(seed) % 2 ? unit / 2 : -unit / 2), t->scale);
    }
    if (how == 0) return value_decimal(t->hi - (i128)(agree_random(seed) % 2), t->scale);
    if (how == 1) return value_decimal(t->lo + (i128)(agree_random(seed) % 2), t->scale);
    if (how == 2 || !value_present(&v) || !decimal_round(&v, t->scale, &at)) return value_decimal((i128)(agree_random(seed) % 3) - 1, t->scale);
    return value_decimal(at.u.coef + (i128)(agree_random(seed) % 3) - 1, t->scale);
}

static struct value moment(const struct type *t, const struct values *pool, uint64_t *seed, bool edge)
{
    uint8_t kind = t->base == T_DATE ? V_DATE : t->base == T_LOCAL ? V_LOCAL : V_INSTANT;
    const int64_t unit = kind == V_DATE ? 1 : 86400000, first = -719162 * unit, last = 2932896 * unit;
    struct value v = constant(pool, kind, seed);
    if (edge && value_present(&v)) v.u.i += (int64_t)(agree_random(seed) % 3) - 1;
    else if (edge) v = (struct value){.kind = kind, .u.i = agree_random(seed) % 2 ? first : last};
    else v = (struct value){.kind = kind, .u.i = (int64_t)(agree_random(seed) % 40000) * unit - 10000 * unit + (unit > 1 ? (int64_t)(agree_random(seed) % 86400) * 1000 : 0)};
    if (v.u.i < first) v.u.i = first;
    if (v.u.i > last) v.u.i = last;
    return v;
}

struct value agree_random_value(const struct column *col, const struct values *pool, uint64_t *seed, bool edge, struct arena *mem)
{
    struct type t = col->type;
    struct value v;
    uint64_t r = agree_random(seed);
    if ((t.optional || col->has_default) && r % 3 == 0) return value_absent;
    const char *const *words = t.base == T_TEXT ? gen_words_of(col->name) : NULL;
    bool listed = str_is(col->name, "Tel") || str_is(col->name, "Country");      /* the reference knows few countries */
    if (words && (listed || r % 8)) {
        v = value_text(str_of(words[agree_random(seed) % gen_count(words)]));
        if (type_admits(&t, &v, NULL, 0)) return v;
    }
    switch ((enum type_base)t.base) {
    case T_BOOL: return value_bool(r % 2);
    case T_TEXT: return text(&t, pool, seed, edge, mem);
    case T_DECIMAL:
        v = number(&t, pool, seed, edge);
        return v.u.coef < t.lo || v.u.coef > t.hi ? value_decimal(v.u.coef < t.lo ? t.lo : t.hi, t.scale) : v;
    default: return moment(&t, pool, seed, edge);
    }
}

/* ---- keys: all different, as long and as full of escapes as they may be ---- */

static struct value key_text(const struct type *type, uint64_t *n, struct arena *mem)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    uint32_t len = type->min_len, most = type->max_len < 40 ? type->max_len : 40;
    if (most > len) len = *n % 2 ? most : len + 4 < most ? len + 4 : most;
    char *p = arena_alloc(mem, len + 1);
    memset(p, *n % 3 ? '~' : '^', len);
    for (uint32_t i = len; i-- > 0 && (*n > 0 || i + 1 == len); *n /= 36) p[i] = digits[*n % 36];
    return value_text((struct str){p, len});
}

struct value agree_key_part(const struct type *type, uint64_t *n, struct arena *mem)
{
    uint64_t of = type->base == T_TEXT && type->nset == 0 ? 0 : type->base == T_TEXT ? type->nset : type->base == T_BOOL ? 2 : 100000, at;
    if (of == 0) return key_text(type, n, mem);
    if (type->base == T_DECIMAL && type->hi - type->lo < (i128)of) of = (uint64_t)(type->hi - type->lo) + 1;
    at = *n % of;
    *n /= of;
    switch ((enum type_base)type->base) {
    case T_BOOL: return value_bool(at);
    case T_TEXT: return value_text(type->set[at]);
    case T_DECIMAL: return value_decimal(type->lo + (i128)at, type->scale);
    default: return (struct value){.kind = type->base == T_DATE ? V_DATE : type->base == T_LOCAL ? V_LOCAL : V_INSTANT, .u.i = (int64_t)at};
    }
}

/* ---- lines ---- */

/* Which column of the record this part of a line's key repeats, or -1. */
static int of_header(const struct schema *header, const struct column *col)
{
    for (size_t i = 0; col->key && i < header->ncolumns; i++)
        if (header->columns[i].key && str_eq(header->columns[i].name, col->name)) return (int)i;
    return -1;
}

static struct value key_of_line(const struct schema *header, const struct schema *lines, const struct value *fields, struct arena *mem)
{
    struct buf b = {0};
    size_t k = 0;
    for (size_t i = 0; i < lines->ncolumns; i++) {
        if (!lines->columns[i].known_type) continue;
        const struct value *v = &fields[k++];
        if (!lines->columns[i].key || of_header(header, &lines->columns[i]) >= 0) continue;
        if (b.n) buf_byte(&b, '~');
        value_print(&b, v);
    }
    struct value key = value_text((struct str){b.n ? arena_copy(mem, b.p, b.n) : "", b.n});
    buf_free(&b);
    return key;
}

/* What no rule reads stays blank: of 100 columns of a table that is most of them. */
static bool is_read(const struct flow *f, const struct schema *lines, size_t column)
{
    for (const struct each *e = f->eaches; e != NULL; e = e->next)
        if (e->lines == lines && e->reads[column]) return true;
    return false;
}

static const struct value *random_line(const struct flow *f, const struct value *row, const struct schema *lines, uint64_t number, const struct values *pool,
                                       uint64_t *seed, bool edge, struct arena *mem)
{
    const struct schema *header = f->entity;
    struct value *fields = ARENA_ARRAY(mem, struct value, lines->ncolumns + 1);
    size_t k = 0;
    for (size_t i = 0; i < lines->ncolumns; i++) {
        const struct column *col = &lines->columns[i];
        if (!col->known_type) continue;
        int same = of_header(header, col);
        fields[k++] = same >= 0 ? row[same] : col->key ? agree_key_part(&col->type, &number, mem) :
                      is_read(f, lines, i) ? agree_random_value(col, pool, seed, edge, mem) : value_absent;
    }
    return fields;
}

struct value agree_random_lines(const struct flow *f, const struct value *row, const struct schema *lines, const struct values *pool, uint64_t *seed, bool edge,
                                struct arena *mem)
{
    const uint32_t most = lines->most_lines ? lines->most_lines : LIMIT_LINES;
    uint64_t r = agree_random(seed);
    uint32_t n = edge && r % 64 == 0 ? (uint32_t)(200 + r / 64 % 2) : (uint32_t)(r % 6);
    if (n > most) n = most;
    if (n == 0) return value_absent;
    struct list *list = ARENA_NEW(mem, struct list);
    struct list_line *all = ARENA_ARRAY(mem, struct list_line, n);
    struct str *names = ARENA_ARRAY(mem, struct str, lines->ncolumns + 1);
    for (size_t i = 0; i < lines->ncolumns; i++)
        if (lines->columns[i].known_type) names[list->nfields++] = lines->columns[i].name;
    for (uint32_t i = 0; i < n; i++) {
        all[i].fields = random_line(f, row, lines, i, pool, seed, edge, mem);
        all[i].key = key_of_line(f->entity, lines, all[i].fields, mem);
    }
    list->names = names;
    list->lines = all;
    list->nlines = n;
    return (struct value){.kind = V_LIST, .u.list = list};
}

const struct schema *agree_lines_of(const struct flow *f, size_t column)
{
    for (const struct each *e = f->eaches; e != NULL; e = e->next)
        if (e->column == column) return e->lines;
    return NULL;
}

void agree_random_row(const struct agree *a, uint64_t *seed, bool edge, struct arena *mem, struct value *out)
{
    const struct flow *f = a->flow;
    for (size_t i = 0; i < a->ncolumns; i++) {
        bool wanted = a->columns[i].known_type && (f->reads[i] || a->columns[i].key);
        out[i] = wanted ? agree_random_value(&a->columns[i], &a->pool, seed, edge, mem) : value_absent;
    }
    for (size_t i = 0; i < a->ncolumns; i++) {
        const struct schema *lines = agree_lines_of(f, i);
        if (lines) out[i] = agree_random_lines(f, out, lines, &a->pool, seed, edge, mem);
    }
}
