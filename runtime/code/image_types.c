/* image_types.c - typing and sizing of single instructions. Intervals of decimals are computed exactly at the static scale; a value's own
 * scale is never larger, so what holds for the interval holds for every value. */
#include "code/image_types.h"
#include "base/check.h"

static bool in_range(i128 c) { return c < decimal_pow10(LIMIT_DECIMAL_DIGITS) && c > -decimal_pow10(LIMIT_DECIMAL_DIGITS); }

/* ---- decimals ---- */

/* The bounds of t at a larger scale; false above 38 digits. */
static bool widen(const struct type *t, unsigned scale, i128 *lo, i128 *hi)
{
    i128 p = decimal_pow10(scale - t->scale);
    return !i128_mul(t->lo, p, lo) && !i128_mul(t->hi, p, hi) && in_range(*lo) && in_range(*hi);
}

static bool sum_type(const struct type *a, const struct type *b, bool minus, struct type *out)
{
    unsigned scale = a->scale > b->scale ? a->scale : b->scale;
    i128 alo, ahi, blo, bhi;
    if (!widen(a, scale, &alo, &ahi) || !widen(b, scale, &blo, &bhi)) return false;
    if (minus) {
        i128 t = blo;
        blo = -bhi;
        bhi = -t;
    }
    *out = (struct type){.base = T_DECIMAL, .scale = (uint8_t)scale};
    return !i128_add(alo, blo, &out->lo) && !i128_add(ahi, bhi, &out->hi) && in_range(out->lo) && in_range(out->hi);
}

static bool product_type(const struct type *a, const struct type *b, struct type *out)
{
    const i128 x[2] = {a->lo, a->hi}, y[2] = {b->lo, b->hi};
    unsigned scale = (unsigned)a->scale + b->scale;
    if (scale > LIMIT_DECIMAL_SCALE) return false;
    *out = (struct type){.base = T_DECIMAL, .scale = (uint8_t)scale};
    for (size_t i = 0; i < 4; i++) {
        i128 c;
        if (i128_mul(x[i & 1], y[i >> 1], &c) || !in_range(c)) return false;
        if (i == 0 || c < out->lo) out->lo = c;
        if (i == 0 || c > out->hi) out->hi = c;
    }
    return true;
}

bool image__arith_type(enum opcode op, const struct type *a, const struct type *b, struct type *out)
{
    switch (op) {
    case OP_ADD: return sum_type(a, b, false, out);
    case OP_SUB: return sum_type(a, b, true, out);
    case OP_MUL: return product_type(a, b, out);
    case OP_NEG:
        *out = (struct type){.base = T_DECIMAL, .scale = a->scale, .lo = -a->hi, .hi = -a->lo};
        return true;
    default: check_failed("not an arithmetic instruction", __FILE__, __LINE__);
    }
}

/* ---- texts ---- */

/* Characters of a coefficient printed with `scale` decimals. */
static uint32_t printed_length(i128 coef, unsigned scale)
{
    uint32_t n = 0;
    bool negative = coef < 0;
    for (; coef != 0; coef /= 10) n++;
    if (n < scale + 1) n = scale + 1;                           /* at least one digit before the point */
    return n + (scale > 0) + negative;
}

static void decimal_text_type(const struct type *in, struct type *out)
{
    uint32_t lo = printed_length(in->lo, in->scale), hi = printed_length(in->hi, in->scale), zero = printed_length(0, in->scale);
    /* Printed length grows with the distance from zero on either side of it. */
    uint32_t least = in->lo > 0 ? lo : in->hi < 0 ? hi : zero;
    *out = type_text(least, lo > hi ? lo : hi);
}

bool image__text_type(const struct type *in, struct type *out)
{
    static const struct str words[2] = {{"false", 5}, {"true", 4}};
    switch ((enum type_base)in->base) {
    case T_BOOL:    *out = type_text(4, 5); out->nset = 2; out->set = words; return true;
    case T_TEXT:    *out = *in; return true;
    case T_DECIMAL: decimal_text_type(in, out); return true;
    case T_DATE:    *out = type_text(10, 10); return true;       /* 2026-03-12 */
    case T_LOCAL:   *out = type_text(19, 19); return true;       /* 2026-03-12T22:41:07 */
    case T_INSTANT: *out = type_text(20, 20); return true;       /* 2026-03-12T22:41:07Z */
    case T_LINK:
    case T_LIST:
    case T_BASE_COUNT: break;
    }
    return false;
}

bool image__concat_type(const struct type *parts, size_t n, struct type *out)
{
    uint64_t lo = 0, hi = 0;
    for (size_t i = 0; i < n; i++) {
        lo += parts[i].min_len;
        hi += parts[i].max_len;
    }
    if (hi > LIMIT_TEXT_CHARS) return false;
    *out = type_text((uint32_t)lo, (uint32_t)hi);
    return true;
}

size_t image__list_types(const struct image *im, const struct image_flow *fl, uint16_t list, struct type *out)
{
    size_t n = args_count(im, list);
    ASSERT(n <= BUILTIN_ARGS_MAX);
    for (size_t i = 0; i < n; i++) out[i] = *fl->registers[args_regs(im, list)[i]];
    return n;
}

/* ---- bounds ---- */

enum { COST_BYTES = 64 };                                       /* bytes handled for one unit of cost */

static uint64_t text_bytes(const struct type *t) { return t->base == T_TEXT ? (uint64_t)t->max_len * 4 : 16; }
static uint64_t rounded(uint64_t n) { return (n + 15) / 16 * 16; }

/* A list site: its filter runs over every line of the source, the rest over those that are made. *cost = units. */
static uint64_t lines_bounds(const struct image_flow *fl, const struct image_lines *l, uint64_t *cost)
{
    const struct image_flow *b = l->body;
    uint64_t source = fl->columns[l->column].type.shape->max_lines, columns = b->ncolumns;
    _Static_assert(sizeof(struct list) <= 32 && sizeof(struct list_line) == 48, "sizes in the format's bounds");
    *cost = source * (1 + columns / 2 + b->when.cost) + l->max_lines * (uint64_t)(b->map.cost + b->key_program.cost + l->max_lines / 4 + 1);
    return 32 + b->when.scratch_bytes + l->max_lines * (48 + 32 * (uint64_t)b->nfields + b->map.scratch_bytes + b->key_program.scratch_bytes);
}

static uint64_t list_bytes(const struct type *t, size_t n)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++) bytes += text_bytes(&t[i]);
    return bytes;
}

static uint64_t lookup_steps(const struct image_table *t)
{
    uint64_t steps = 1;
    for (size_t n = t->n; n > 0; n /= 2) steps++;
    return steps;
}

/* How much new text (or link) an instruction makes; *handled = bytes that it looks at. */
static uint64_t scratch_of(const struct image *im, const struct image_flow *fl, const struct instr *in, uint64_t *handled)
{
    struct type t[BUILTIN_ARGS_MAX];
    const struct type *const *r = fl->registers;
    size_t n;
    *handled = 0;
    switch (in->op) {
    case OP_EQ:
    case OP_NE:
        *handled = text_bytes(r[in->b]);
        return 0;
    case OP_TABLE:
        *handled = text_bytes(r[in->b]) * lookup_steps(&im->tables[in->c]);
        return 0;
    case OP_CALL:
        n = image__list_types(im, fl, in->c, t);
        *handled = list_bytes(t, n);
        return builtin_scratch(in->b, t, n);
    case OP_CONCAT:
        n = image__list_types(im, fl, in->c, t);
        *handled = list_bytes(t, n);
        return *handled;
    case OP_TEXT:
        if (r[in->b]->base == T_TEXT || !image__text_type(r[in->b], &t[0])) return 0;
        *handled = t[0].max_len;
        return t[0].max_len;
    case OP_LINK:
        n = args_count(im, in->c);
        _Static_assert(sizeof(struct value) == 32 && sizeof(struct link) <= 32, "sizes in the format's bounds");
        return 32 + 32 * (uint64_t)n;
    default:
        return 0;
    }
}

void image__instr_bounds(const struct image *im, const struct image_flow *fl, const struct instr *in, uint64_t *scratch, uint64_t *cost)
{
    if (in->op == OP_EACH) {
        *scratch = rounded(lines_bounds(fl, &fl->lines[in->b], cost));
        return;
    }
    uint64_t handled, bytes = scratch_of(im, fl, in, &handled);
    *scratch = rounded(bytes);
    *cost = 1 + handled / COST_BYTES;
}

void image__program_bounds(const struct image *im, const struct image_flow *fl, const struct image_program *p, uint64_t *scratch, uint64_t *cost)
{
    *scratch = *cost = 0;
    for (size_t i = 0; i < p->ninstr; i++) {
        struct instr in = instr_at(p, i);
        uint64_t s, c;
        image__instr_bounds(im, fl, &in, &s, &c);
        *scratch += s;                                          /* 16,383 instructions of at most 2^38: no overflow */
        *cost += c;
    }
}

void image_bounds(const struct image *im, const struct image_flow *fl, struct image_program *p)
{
    uint64_t scratch, cost;
    image__program_bounds(im, fl, p, &scratch, &cost);
    p->scratch_bytes = scratch > UINT32_MAX ? UINT32_MAX : (uint32_t)scratch;
    p->cost = cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost;
}

const struct value *image_table_get(const struct image_table *t, struct str key)
{
    for (size_t lo = 0, hi = t->n; lo < hi;) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(key, value_str(&t->keys[mid]));
        if (c == 0) return &t->values[mid];
        if (c < 0) hi = mid; else lo = mid + 1;
    }
    return NULL;
}

const struct image_column *image_line_columns(const struct image_column *columns, size_t n, uint16_t list, struct arena *a, size_t *count)
{
    const struct list_shape *s = columns[list].type.shape;
    struct image_column *out = ARENA_ARRAY(a, struct image_column, n + s->n);
    memcpy(out, columns, n * sizeof *out);
    for (size_t i = 0; i < s->n; i++) out[n + i] = (struct image_column){s->names[i], s->types[i], s->flags[i] & LIST_KEY, s->flags[i] & LIST_UDF};
    *count = n + s->n;
    return out;
}

const struct image_flow *image_flow_named(const struct image *im, struct str name)
{
    for (size_t i = 0; i < im->nflows; i++)
        if (str_eq(im->flows[i].name, name)) return &im->flows[i];
    return NULL;
}
