/* check_type.c - declared types: the vocabulary of ast.h to struct type. */
#include "dsl/check.h"
#include "base/check.h"
#include "base/limits.h"

static bool bad(struct check *c, const struct ast *n, const char *want)
{
    diag1(c->ds, n->at, D_BAD_TYPE, want);
    return false;
}

/* A whole number written out, within lo..hi. */
static bool whole(const struct ast *n, int64_t lo, int64_t hi, int64_t *out)
{
    return n != NULL && n->kind == AST_NUMBER && str_to_i64(AST_AS(number, n)->digits, out) && *out >= lo && *out <= hi;
}

static bool text_type(struct check *c, const struct ast_type *n, struct type *out)
{
    const char *want = "text(n) or text(least..most), 1 to 65535 characters";
    int64_t lo = 1, hi = 0;
    const struct ast *arg = n->args.first;
    if (n->args.n != 1) return bad(c, &n->base, want);
    if (arg->kind == AST_RANGE) {
        if (!whole(AST_AS(range, arg)->lo, 1, TYPES_MAX_TEXT, &lo) || !whole(AST_AS(range, arg)->hi, lo, TYPES_MAX_TEXT, &hi)) return bad(c, arg, want);
    } else if (!whole(arg, 1, TYPES_MAX_TEXT, &hi)) return bad(c, arg, want);
    *out = type_text((uint32_t)lo, (uint32_t)hi);
    return true;
}

static bool decimal_type(struct check *c, const struct ast_type *n, struct type *out, bool whole_only)
{
    const char *want = whole_only ? "number(digits), 1 to 38" : "decimal(digits, decimals): at most 38 digits, at most 12 of them decimals";
    int64_t p, s = 0;
    const struct ast *arg = n->args.first;
    if (n->args.n != (whole_only ? 1u : 2u) || !whole(arg, 1, LIMIT_DECIMAL_DIGITS, &p)) return bad(c, &n->base, want);
    if (!whole_only && (!whole(arg->next, 0, LIMIT_DECIMAL_SCALE, &s) || s > p)) return bad(c, &n->base, want);
    *out = type_decimal((unsigned)p, (unsigned)s);
    return true;
}

static bool bool_type(struct check *c, const struct ast_type *n, struct type *out)
{
    *out = types_plain(T_BOOL);
    if (n->args.n == 0) return true;
    const struct ast *yes = n->args.first, *no = yes->next;
    if (n->args.n != 2 || yes->kind != AST_TEXT || no->kind != AST_TEXT) return bad(c, &n->base, "bool or bool(\"yes\", \"no\") with the two spellings");
    out->yes = AST_AS(text, yes)->value;
    out->no = AST_AS(text, no)->value;
    return true;
}

static bool set_type(struct check *c, const struct ast_type *n, struct type *out)
{
    struct str *values = ARENA_ARRAY(c->a, struct str, n->args.n + 1);
    size_t k = 0;
    AST_EACH(arg, n->args) {
        if (arg->kind != AST_TEXT) return bad(c, arg, "one of(\"A\", \"B\", ...): texts in quotes");
        values[k++] = AST_AS(text, arg)->value;
    }
    if (k == 0 || k > TYPES_MAX_SET) return bad(c, &n->base, "one of(\"A\", \"B\", ...): 1 to 4096 texts");
    *out = types_of_set(c->a, values, k);
    return true;
}

static bool link_type(struct check *c, const struct ast_type *n, struct type *out, struct str *module)
{
    *out = types_plain(T_LINK);
    if (str_is(n->name.text, "user")) {
        *module = STR("users");
        return true;
    }
    if (n->args.n != 1 || n->args.first->kind != AST_CHOICE) return bad(c, &n->base, "link(Module)");
    *module = AST_AS(choice, n->args.first)->name.text;
    return true;
}

bool check__type(struct check *c, const struct ast *node, struct type *out, struct str *link_module)
{
    const struct ast_type *n = AST_AS(type, node);
    static const char *const names[] = {"text", "decimal", "number", "bool", "date", "datetime", "instant", "one of", "link", "user", "lines", "id", "other"};
    size_t k = 0;
    bool ok = false;
    if (node == NULL) return false;
    while (k < sizeof names / sizeof *names && !str_is(n->name.text, names[k])) k++;
    switch (k) {
    case 0: ok = text_type(c, n, out); break;
    case 1: ok = decimal_type(c, n, out, false); break;
    case 2: ok = decimal_type(c, n, out, true); break;
    case 3: ok = bool_type(c, n, out); break;
    case 4: case 5: case 6:
        *out = types_plain(k == 4 ? T_DATE : k == 5 ? T_LOCAL : T_INSTANT);
        ok = n->args.n == 0 || bad(c, node, "no arguments behind it");
        break;
    case 7: ok = set_type(c, n, out); break;
    case 8: case 9: ok = link_type(c, n, out, link_module); break;
    case 10: case 11: case 12: return false;      /* known kinds that no expression of this version can have */
    default: {
        struct diag_nearest near = diag_nearest_begin(n->name.text);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) diag_nearest_try(&near, str_of(names[i]));
        struct diag *d = diag1(c->ds, n->name.at, D_UNKNOWN_TYPE, diag_str(c->ds, n->name.text));
        hints__type(d, n->name.text);
        if (!d->help) resolve__hint(d, &near);
        if (!d->help) diag_help(d, "there are text(n), one of(...), decimal(digits,decimals), number(digits), bool, date, datetime, instant, link(Module) and user");
        return false;
    }
    }
    out->optional = n->optional;
    return ok;
}
