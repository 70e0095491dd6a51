/* builtin.c - names and signatures of the builtins. What their results can be is in builtin_type.c, how they compute in vm/builtin_*.c. */
#include "value/builtin.h"
#include "base/check.h"
#include "base/limits.h"
#include <stdio.h>

static const struct { const char *name, *signature, *doc, *example; enum builtin_rule rule; } table[BUILTIN_COUNT] = {
#define BUILTIN(name, signature, rule, doc, example) {#name, signature, doc, example, BUILTIN_RULE_##rule},
#include "value/builtin.def"
};
static const char *const rule_texts[BUILTIN_RULES] = {
#define BUILTIN_RULE(name, text) text,
#include "value/builtin.def"
};
static const struct { enum builtin of; const char *part; enum builtin means; } parts[] = {
#define BUILTIN_PART(name, part, builtin) {BUILTIN_##name, #part, BUILTIN_##builtin},
#include "value/builtin.def"
};

/* "T?" at p into slot; returns behind it. */
static const char *parse_slot(const char *p, struct builtin_slot *slot)
{
    *slot = (struct builtin_slot){p[0], p[1] == '?'};
    return p + 1 + slot->optional;
}

static bool rule_cuts(enum builtin_rule r)
{
    return r == BUILTIN_RULE_CUT || r == BUILTIN_RULE_SLICE || r == BUILTIN_RULE_ROUND || r == BUILTIN_RULE_FLOOR || r == BUILTIN_RULE_CEIL ||
           r == BUILTIN_RULE_WRITTEN || r == BUILTIN_RULE_DIVIDE;
}

struct builtin_info builtin_info(unsigned b)
{
    ASSERT(b < BUILTIN_COUNT);
    struct builtin_info in = {.name = table[b].name, .signature = table[b].signature, .doc = table[b].doc, .example = table[b].example,
                              .rule = table[b].rule, .rule_text = rule_texts[table[b].rule], .cuts = rule_cuts(table[b].rule)};
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

size_t builtin_subject(unsigned b)
{
    struct builtin_info in = builtin_info(b);
    return in.variadic ? in.nparams - 1 : 0;
}

int builtin_part(unsigned b, const struct str *part)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].of == b && (part == NULL || str_is(*part, parts[i].part))) return (int)parts[i].means;
    return -1;
}

/* ---- arguments ---- */

static const struct { char kind; uint8_t base; const char *name; } kinds[] = {
    {'T', T_TEXT, "a text"}, {'D', T_DECIMAL, "a number"}, {'B', T_BOOL, "true or false"}, {'d', T_DATE, "a date"},
    {'l', T_LOCAL, "a local date and time"}, {'i', T_INSTANT, "a date and time with zone"}, {'N', T_DECIMAL, "a whole number, written out"},
    {'C', T_TEXT, "a text, written out"}};

static size_t kind_of(char letter)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == letter) return i;
    check_failed("unknown letter in a signature", __FILE__, __LINE__);
}

struct type builtin_null(struct builtin_slot s)
{
    uint8_t base = kinds[kind_of(s.kind)].base;
    struct type t = base == T_DECIMAL ? type_decimal(1, 0) : base == T_TEXT ? type_text(1, 1) : (struct type){.base = base};
    t.optional = true;
    return t;
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
    size_t k = kind_of(slot->kind);
    bool constant = slot->kind == 'N' ? t->scale == 0 && t->lo == t->hi : slot->kind != 'C' || t->nset == 1;
    if (t->base != kinds[k].base || !constant) { WHY("must be %s", kinds[k].name); return false; }
    if (t->optional && !slot->optional) { WHY("may be absent"); return false; }
    return true;
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
    struct builtin_typing t = {args, nargs, out, bad, why, why_len};
    return builtin__result(in.rule, &t);
}
