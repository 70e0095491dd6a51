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

/* Builtins that mostly have no answer for any text: words of these columns. */
static const struct { const char *builtin; unsigned argument; const char *column; } fitting[] = {
    {"title", 0, "Person"}, {"split_name", 0, "Person"}, {"first_name", 0, "Person"}, {"last_name", 0, "Person"}, {"url", 0, "Site"}, {"postcode", 0, "Zip"}, {"postcode", 1, "Country"},
    {"state_name", 0, "State"}, {"state_name", 1, "Country"}, {"to_number", 0, "Amount"}, {"date", 0, "Written"}, {"date_from", 0, "Written"}, {"sage_time", 1, "Hours"}, {"phone_ext", 0, "Ext"}};

static bool fitting_word(struct gen *g, const char *builtin, unsigned i, bool optional, struct gx *out)
{
    for (size_t k = 0; k < sizeof fitting / sizeof *fitting; k++) {
        if (strcmp(fitting[k].builtin, builtin) != 0 || fitting[k].argument != i) continue;
        const char *const *pool = gen_words_of(str_of(fitting[k].column));
        const char *word = pool[gen_pick(g, gen_count(pool))];
        if (g->columns && optional && gen_pick(g, 3)) {
            *out = (struct gx){gen_text(1, 40), fitting[k].column, false};
            for (const struct gen_word *w = gen_words; w->column; w++)
                if (strcmp(w->column, fitting[k].column) == 0) out->t.max = w->max;
            out->t.optional = true;
        } else {
            unsigned n = (unsigned)ref_chars(str_of(word));
            *out = (struct gx){gen_text(n, n), gen_quoted(g, word), false};
            out->t.nset = 1;
            out->t.set[0] = word;
        }
        return true;
    }
    return false;
}

/* A text written out: a separator, a pattern, a zone. */
static struct gx written_out(struct gen *g, const char *builtin)
{
    static const char *const separators[] = {"-", " ", "0", ".", ", ", "\xc3\xa9", NULL};
    static const char *const patterns[] = {"YYYY-MM-DD", "M/D/YYYY", "DD.MM.YY", "MMMM D, YYYY", "D-MMM-YYYY", "YYYYMMDD", "D MMMM YYYY", "MM/DD/YY", NULL};
    static const char *const zones[] = {"UTC", "America/Chicago", "America/New_York", "Europe/Berlin", NULL};
    const char *const *pool = strncmp(builtin, "date", 4) == 0 ? patterns : strcmp(builtin, "instant") == 0 ? zones : separators;
    const char *s = pool[gen_pick(g, gen_count(pool))];
    unsigned n = (unsigned)ref_chars(str_of(s));
    struct gx x = {gen_text(n, n), gen_quoted(g, s), false};
    x.t.nset = 1;
    x.t.set[0] = s;
    return x;
}

/* One argument; 1 to 12 or -1 for N, a text written out for C. */
static struct gx argument(struct gen *g, const char *builtin, unsigned i, struct builtin_slot slot, unsigned flags, int depth)
{
    struct gx x;
    bool optional = slot.optional || flags & G_OPT;
    if (slot.kind == 'N') {
        int n = gen_pick(g, 10) || strcmp(builtin, "to_number") == 0 ? 1 + (int)gen_pick(g, 12) : -1;
        if (strcmp(builtin, "to_number") == 0) n = i == 1 ? 4 + (int)gen_pick(g, 8) : (int)gen_pick(g, 4);
        return (struct gx){{.kind = G_NUM, .lo = n, .hi = n}, gen_print(g, "%d", n), false};
    }
    if (slot.kind == 'C') return written_out(g, builtin);
    bool listed = strcmp(builtin, "phone_ext") == 0;      /* the reference knows the words' forms only */
    if ((listed || gen_pick(g, 4)) && fitting_word(g, builtin, i, optional, &x)) return x;
    return gen_expr(g, kinds[kind_of(slot.kind)].kind, (flags & G_REJECT) | (slot.optional ? G_OPT : flags & G_OPT), depth - 1);
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
        struct gx a = argument(g, in.name, i, slot, flags, depth);
        types[i] = type_of(g, &a.t);
        lifted |= !slot.optional && types[i].optional;
        if (!slot.optional) types[i].optional = false;
        out->rejects |= a.rejects;
        if (i == 1 && strcmp(in.name, "instant") == 0 && g->columns && gen_pick(g, 2)) {        /* the zone of the source */
            static const struct str own = {"America/New_York", 16};
            types[i].set = &own;
            continue;
        }
        out->s = gen_print(g, "%s%s%s", out->s, i ? ", " : "", a.s);
    }
    out->s = gen_print(g, "%s)", out->s);
    if (!builtin_type((unsigned)b, types, n, &t, &bad, NULL, 0)) return false;
    t.optional |= lifted;
    out->t = (struct gtype){.kind = k, .optional = t.optional, .scale = t.scale, .lo = t.lo, .hi = t.hi, .min = t.min_len, .max = t.max_len};
    if (k == G_TEXT && t.max_len > 9000) return false;
    return gen_digits(&out->t) <= 36 && (!t.optional || flags & G_OPT);
}
