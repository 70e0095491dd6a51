/* rows.c - random rows: in the middle of what a column may be, or at its edges and at the program's own constants, one unit to each side. */
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

void agree_constants(struct values *pool, struct arena *a, const struct ast_file *file)
{
    struct walk w = {pool, a};
    AST_EACH(n, file->items)
        if (n->kind == AST_TABLE || n->kind == AST_FN || n->kind == AST_FLOW) visit(&w, n);
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
    if (t->nset) return value_text(t->set[agree_random(seed) % t->nset]);
    uint64_t how = agree_random(seed) % 4;
    struct value v = how == 0 ? value_text(str_of(gen_texts[agree_random(seed) % gen_count(gen_texts)])) : how < 3 ? constant(pool, V_TEXT, seed) : value_absent;
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
    const char *const *words = str_is(col->name, "Tel") ? gen_phones : str_is(col->name, "Country") ? gen_countries : str_is(col->name, "Mail") ? gen_mails : NULL;
    if (words) {
        return value_text(str_of(words[agree_random(seed) % gen_count(words)]));
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

void agree_random_row(const struct agree *a, uint64_t *seed, bool edge, struct arena *mem, struct value *out)
{
    for (size_t i = 0; i < a->ncolumns; i++) out[i] = agree_random_value(&a->columns[i], &a->pool, seed, edge, mem);
}
