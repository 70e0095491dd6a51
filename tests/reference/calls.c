/* calls.c - random calls of whatever builtins there are and the reference knows, by their signatures. What such a call can be is asked of the product's
 * typing rule: the fields that take it are then declared exactly so wide. */
#include "base/limits.h"
#include "tests/reference/generate.h"
#include "tests/reference/reference.h"
#include "value/builtin.h"
#include <stdlib.h>

static const struct { char letter; enum gkind kind; uint8_t base; } kinds[] = {
    {'T', G_TEXT, T_TEXT}, {'D', G_NUM, T_DECIMAL}, {'B', G_BOOL, T_BOOL}, {'d', G_DAY, T_DATE}, {'l', G_WALL, T_LOCAL}, {'i', G_POINT, T_INSTANT}};
enum { NKINDS = sizeof kinds / sizeof *kinds };

static int kind_of(char letter)
{
    for (int i = 0; i < NKINDS; i++)
        if (kinds[i].letter == letter) return i;
    return -1;
}

static int by_bytes(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

static struct type type_of(struct gen *g, const struct gtype *t)
{
    struct type out = {.optional = t->optional, .scale = (uint8_t)t->scale, .min_len = t->min, .max_len = t->max, .lo = t->lo, .hi = t->hi};
    for (int i = 0; i < NKINDS; i++)
        if (kinds[i].kind == t->kind) out.base = kinds[i].base;
    if (t->kind != G_TEXT || t->nset == 0) return out;
    struct str *set = ARENA_ARRAY(&g->arena, struct str, t->nset);
    for (unsigned i = 0; i < t->nset; i++) set[i] = str_of(t->set[i]);
    qsort(set, t->nset, sizeof *set, by_bytes);
    out.set = set;
    out.nset = (uint16_t)t->nset;
    return out;
}

/* One argument; 1 to 12 or -1 for N, a separator for C. */
static struct gx argument(struct gen *g, struct builtin_slot slot, unsigned flags, int depth)
{
    static const char *const separators[] = {"-", " ", "0", ".", ", ", "\xc3\xa9"};
    struct gx x = {.s = NULL};
    if (slot.kind == 'N') {
        int n = gen_pick(g, 10) ? 1 + (int)gen_pick(g, 12) : -1;
        x = (struct gx){{.kind = G_NUM, .lo = n, .hi = n}, gen_print(g, "%d", n), false};
    } else if (slot.kind == 'C') {
        const char *s = separators[gen_pick(g, 6)];
        x = (struct gx){gen_text(s[0] == ',' ? 2 : 1, s[0] == ',' ? 2 : 1), gen_quoted(g, s), false};
        x.t.nset = 1;
        x.t.set[0] = s;
    } else x = gen_expr(g, kinds[kind_of(slot.kind)].kind, (flags & G_REJECT) | (slot.optional ? G_OPT : flags & G_OPT), depth - 1);
    return x;
}

/* A builtin whose answer is of this kind. */
static int one_of(struct gen *g, enum gkind k)
{
    for (unsigned tries = 0; tries < 20; tries++) {
        unsigned b = gen_pick(g, BUILTIN_COUNT);
        struct builtin_info in = builtin_info(b);
        int result = kind_of(in.result.kind);
        if (result >= 0 && kinds[result].kind == k && ref_builtin_known(str_of(in.name)) && strcmp(in.name, "phone") != 0) return (int)b;
    }
    return -1;
}

bool gen_call(struct gen *g, enum gkind k, unsigned flags, int depth, struct gx *out)
{
    int b = one_of(g, k);
    struct type types[BUILTIN_PARAMS_MAX + 3], t;
    size_t bad;
    if (b < 0) return false;
    struct builtin_info in = builtin_info((unsigned)b);
    unsigned n = in.nparams + (in.variadic ? gen_pick(g, 3) : 0);
    bool lifted = false;
    *out = (struct gx){.s = gen_print(g, "%s(", in.name)};
    for (unsigned i = 0; i < n; i++) {
        struct builtin_slot slot = builtin_param(&in, i);
        struct gx a = argument(g, slot, flags, depth);
        types[i] = type_of(g, &a.t);
        lifted |= !slot.optional && types[i].optional;
        if (!slot.optional) types[i].optional = false;
        out->s = gen_print(g, "%s%s%s", out->s, i ? ", " : "", a.s);
        out->rejects |= a.rejects;
    }
    out->s = gen_print(g, "%s)", out->s);
    if (!builtin_type((unsigned)b, types, n, &t, &bad, NULL, 0)) return false;
    t.optional |= lifted;
    out->t = (struct gtype){.kind = k, .optional = t.optional, .scale = t.scale, .lo = t.lo, .hi = t.hi, .min = t.min_len, .max = t.max_len};
    if (k == G_TEXT && t.max_len > 9000) return false;
    return gen_digits(&out->t) <= 36 && (!t.optional || flags & G_OPT);
}
