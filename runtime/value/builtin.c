/* builtin.c - signatures and typing of the builtins; how they compute is in vm/builtin_*.c. */
#include "value/builtin.h"
#include "base/check.h"
#include "base/limits.h"
#include <stdio.h>

static const struct { const char *name, *signature, *doc, *example; } table[BUILTIN_COUNT] = {
#define BUILTIN(name, signature, length, doc, example) {#name, signature, doc, example},
#include "value/builtin.def"
#undef BUILTIN
};

/* "T?" at p into slot; returns behind it. */
static const char *parse_slot(const char *p, struct builtin_slot *slot)
{
    *slot = (struct builtin_slot){p[0], p[1] == '?'};
    return p + 1 + slot->optional;
}

struct builtin_info builtin_info(unsigned b)
{
    ASSERT(b < BUILTIN_COUNT);
    struct builtin_info in = {.name = table[b].name, .signature = table[b].signature, .doc = table[b].doc, .example = table[b].example};
    const char *p = parse_slot(in.signature, &in.result);
    ASSERT(*p == ':');
    p++;
    while (*p && *p != '*') {
        ASSERT(in.nparams < BUILTIN_PARAMS_MAX);
        p = parse_slot(p, &in.params[in.nparams++]);
    }
    in.variadic = *p == '*';
    return in;
}

int builtin_named(struct str name)
{
    for (int b = 0; b < BUILTIN_COUNT; b++)
        if (str_is(name, table[b].name)) return b;
    return -1;
}

struct builtin_slot builtin_param(const struct builtin_info *in, size_t i)
{
    return in->params[i < in->nparams ? i : in->nparams - 1];
}

#define WHY(...) (why ? (void)snprintf(why, why_len, __VA_ARGS__) : (void)0)

static bool count_fits(const struct builtin_info *in, size_t nargs, char *why, size_t why_len)
{
    size_t most = in->variadic ? BUILTIN_ARGS_MAX : in->nparams;
    if (nargs >= in->nparams && nargs <= most) return true;
    if (in->variadic) WHY("%s takes %u to %d arguments, not %zu", in->name, in->nparams, BUILTIN_ARGS_MAX, nargs);
    else WHY("%s takes %u argument%s, not %zu", in->name, in->nparams, in->nparams == 1 ? "" : "s", nargs);
    return false;
}

static bool slot_fits(const struct builtin_slot *slot, const struct type *t, char *why, size_t why_len)
{
    static const struct { char kind; uint8_t base; const char *name; } kinds[] = {
        {'T', T_TEXT, "a text"}, {'D', T_DECIMAL, "a number"}, {'B', T_BOOL, "true or false"}, {'d', T_DATE, "a date"},
        {'l', T_LOCAL, "a local date and time"}, {'i', T_INSTANT, "a date and time with zone"}, {'N', T_DECIMAL, "a whole number, written out"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].kind != slot->kind) continue;
        bool constant = slot->kind != 'N' || (t->scale == 0 && t->lo == t->hi);
        if (t->base != kinds[i].base || !constant) { WHY("must be %s", kinds[i].name); return false; }
        if (t->optional && !slot->optional) { WHY("may be absent"); return false; }
        return true;
    }
    check_failed("unknown letter in a signature", __FILE__, __LINE__);
}

/* ---- results ---- */

static i128 round_bound(i128 coef, unsigned from, unsigned to)
{
    struct value v = value_decimal(coef, from);
    bool ok = decimal_round(&v, to, &v);                 /* to <= from: cannot grow beyond the type's range by more than a unit */
    ASSERT(ok);
    return v.u.coef;
}

static bool round_type(const struct type *args, struct type *out, size_t *bad, char *why, size_t why_len)
{
    *bad = 1;
    if (args[1].lo < 0 || args[1].lo > LIMIT_DECIMAL_SCALE) { WHY("must be 0 to %d decimals", LIMIT_DECIMAL_SCALE); return false; }
    unsigned n = (unsigned)args[1].lo;
    *out = args[0];
    if (n >= args[0].scale) return true;
    out->scale = (uint8_t)n;
    out->lo = round_bound(args[0].lo, args[0].scale, n);
    out->hi = round_bound(args[0].hi, args[0].scale, n);
    return true;
}

static bool truncate_type(const struct type *args, struct type *out, size_t *bad, char *why, size_t why_len)
{
    *bad = 1;
    if (args[1].lo < 1 || args[1].lo > LIMIT_TEXT_CHARS) { WHY("must be 1 to %d characters", LIMIT_TEXT_CHARS); return false; }
    uint32_t n = (uint32_t)args[1].lo;
    if (args[0].max_len <= n) { *out = args[0]; return true; }
    *out = type_text(args[0].min_len < n ? args[0].min_len : n, n);
    return true;
}

static bool lines_type(const struct type *args, size_t nargs, struct type *out, size_t *bad, char *why, size_t why_len)
{
    uint64_t longest = nargs - 1, shortest = 0, least = UINT32_MAX, required = 0;
    for (size_t i = 0; i < nargs; i++) {
        longest += args[i].max_len;
        if (args[i].min_len < least) least = args[i].min_len;
        if (args[i].optional) continue;
        shortest += args[i].min_len + (required > 0);
        required++;
    }
    if (longest > LIMIT_TEXT_CHARS) {
        *bad = nargs;
        WHY("can make a text of %llu characters, at most %d allowed", (unsigned long long)longest, LIMIT_TEXT_CHARS);
        return false;
    }
    *out = type_text((uint32_t)(required ? shortest : least), (uint32_t)longest);
    out->optional = required == 0;                       /* one argument that is always there makes the result so */
    return true;
}

static struct type text_of(uint32_t min_len, uint32_t max_len, bool optional)
{
    struct type t = type_text(min_len, max_len);
    t.optional = optional;
    return t;
}

bool builtin_type(unsigned b, const struct type *args, size_t nargs, struct type *out, size_t *bad, char *why, size_t why_len)
{
    struct builtin_info in = builtin_info(b);
    *bad = nargs;
    if (!count_fits(&in, nargs, why, why_len)) return false;
    for (size_t i = 0; i < nargs; i++) {
        struct builtin_slot slot = builtin_param(&in, i);
        *bad = i;
        if (!slot_fits(&slot, &args[i], why, why_len)) return false;
    }
    switch ((enum builtin)b) {
    case BUILTIN_phone:    *out = text_of(8, 16, true); return true;
    case BUILTIN_lines:    return lines_type(args, nargs, out, bad, why, why_len);
    case BUILTIN_round:    return round_type(args, out, bad, why, why_len);
    case BUILTIN_truncate: return truncate_type(args, out, bad, why, why_len);
    case BUILTIN_upper:
    case BUILTIN_lower:    *out = text_of(args[0].min_len, args[0].max_len, false); return true;
    case BUILTIN_trim:
    case BUILTIN_email:    *out = text_of(1, args[0].max_len, true); return true;
    case BUILTIN_COUNT:    break;
    }
    check_failed("a builtin without a typing rule", __FILE__, __LINE__);
}

uint64_t builtin_scratch(unsigned b, const struct type *args, size_t nargs)
{
    uint64_t chars = nargs - 1;
    switch ((enum builtin)b) {
    case BUILTIN_phone:    return 16;
    case BUILTIN_round:
    case BUILTIN_truncate:
    case BUILTIN_trim:     return 0;                     /* a number, or a part of the argument */
    case BUILTIN_upper:
    case BUILTIN_lower:
    case BUILTIN_email:    return (uint64_t)args[0].max_len * 4;
    case BUILTIN_lines:
        for (size_t i = 0; i < nargs; i++) chars += args[i].max_len;
        return chars * 4;
    case BUILTIN_COUNT:    break;
    }
    check_failed("a builtin without a size rule", __FILE__, __LINE__);
}
