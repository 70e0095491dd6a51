/* random_rows.h - random values of a type, with a liking for its edges. For the mutation test and the fuzz targets. */
#ifndef TESTS_UNIT_VM_RANDOM_ROWS_H
#define TESTS_UNIT_VM_RANDOM_ROWS_H
#include "tests/unit/value/ok.h"
#include "value/date.h"
#include "vm/vm.h"

static inline struct value random_text(const struct type *t, struct arena *a, uint64_t *seed)
{
    static const char *const pieces[] = {"a", "Z", "7", " ", "\xc3\xa9", "\xf0\x9f\x98\x80", "@", ".", "+", "(", "-", "0"};
    if (t->nset > 0) return value_text(t->set[ok_random(seed) % t->nset]);
    uint32_t n = t->min_len, span = t->max_len - t->min_len;
    if (ok_random(seed) % 4 == 0) n = t->max_len < 3000 ? t->max_len : t->min_len + (span < 3000 ? span : 3000);
    else n += (uint32_t)(ok_random(seed) % ((span < 40 ? span : 40) + 1));
    char *p = arena_alloc(a, (size_t)n * 4 + 1);
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        const char *s = pieces[ok_random(seed) % 12];
        memcpy(p + at, s, strlen(s));
        at += strlen(s);
    }
    return value_text((struct str){p, at});
}

static inline struct value random_decimal(const struct type *t, uint64_t *seed)
{
    uint64_t kind = ok_random(seed) % 5;
    if (kind == 0) return value_decimal(t->lo, t->scale);
    if (kind == 1) return value_decimal(t->hi, t->scale);
    if (kind == 2 && t->lo <= 0 && t->hi >= 0) return value_decimal(0, (unsigned)(ok_random(seed) % (t->scale + 1u)));
    i128 span, at = (i128)(ok_random(seed) >> 1);
    at *= (i128)(ok_random(seed) >> 2);
    if (i128_sub(t->hi, t->lo, &span) || span <= 0) return value_decimal(t->lo, t->scale);
    return value_decimal(t->lo + at % (span + 1), t->scale);
}

static inline struct value random_value(const struct type *t, struct arena *a, uint64_t *seed);

/* Lines of distinct keys where the shape has any. */
static inline struct value random_list(const struct type *t, struct arena *a, uint64_t *seed)
{
    const struct list_shape *s = t->shape;
    uint32_t most = s->max_lines < 9 ? s->max_lines : 9, n = 1 + (uint32_t)(ok_random(seed) % most);
    struct list *l = ARENA_NEW(a, struct list);
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, n);
    *l = (struct list){s->names, lines, 0, s->n};
    for (uint32_t i = 0; i < n; i++) {
        struct value *f = ARENA_ARRAY(a, struct value, s->n);
        for (uint16_t k = 0; k < s->n; k++) f[k] = random_value(&s->types[k], a, seed);
        struct value key = type_line_key(s, f, a);
        bool twice = false;
        for (uint32_t k = 0; k < l->nlines; k++) twice |= value_present(&key) && value_equal(&lines[k].key, &key);
        if (!twice) lines[l->nlines++] = (struct list_line){key, f};
    }
    return (struct value){.kind = V_LIST, .u.list = l};
}

static inline struct value random_value(const struct type *t, struct arena *a, uint64_t *seed)
{
    const int64_t first = -719162, last = 2932896;
    uint64_t r = ok_random(seed);
    if (t->optional && r % 3 == 0) return value_absent;
    int64_t day = first + (int64_t)(ok_random(seed) % (uint64_t)(last - first));
    switch ((enum type_base)t->base) {
    case T_BOOL:    return value_bool(r % 2);
    case T_TEXT:    return random_text(t, a, seed);
    case T_DECIMAL: return random_decimal(t, seed);
    case T_DATE:    return (struct value){.kind = V_DATE, .u.i = r % 5 == 0 ? last : day};
    case T_LOCAL:
    case T_INSTANT: return (struct value){.kind = t->base == T_LOCAL ? V_LOCAL : V_INSTANT, .u.i = day * 86400000 + (int64_t)(r % 86400000)};
    case T_LIST:    return random_list(t, a, seed);
    default:        return value_absent;
    }
}

/* Runs every program of every flow over n random rows. False when a row is not well-typed (the generator is wrong) or a field leaves its type. */
static inline bool run_random_rows(const struct image *im, int n, uint64_t *seed)
{
    struct arena a;
    struct vm *vm = vm_new(im);
    bool good = true;
    arena_init(&a, 1 << 16);
    for (size_t k = 0; k < im->nflows; k++) {
        const struct image_flow *f = &im->flows[k];
        for (int i = 0; i < n; i++) {
            struct value cols[LIMIT_COLUMNS];
            struct vm_out out;
            for (size_t c = 0; c < f->ncolumns; c++) cols[c] = random_value(&f->columns[c].type, &a, seed);
            if (!vm_row_fits(f, cols, NULL, 0)) { good = false; continue; }
            vm_when(vm, f, cols);
            vm_adopt(vm, f, cols);
            vm_key(vm, f, cols);
            const struct str *why;
            vm_into(vm, f, cols, &why);
            vm_map(vm, f, cols, &out);
            for (size_t c = 0; c < f->nfields && !out.rejected; c++)
                if (out.ops[c] == VM_SET) good &= type_admits(&f->fields[c].type, out.values[c], NULL, 0);
            arena_reset(&a);
        }
    }
    vm_free(vm);
    arena_free(&a);
    return good;
}
#endif
