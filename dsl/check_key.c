/* check_key.c - identity: `key F` puts company and source key, canonically, into a unique text field of the target.
 *
 *   ABC~01~ABF     parts joined by ~; inside a part ~ is written ^- and ^ is written ^^ (store/rowkey.h), so two keys never look alike
 *
 * A key of one's own, `key F = expression`, is proven to differ for different rows (check_inject.c).
 *
 * Proven here: F is text, unique, writable, and long enough for the longest key, escapes included. The company counts with three characters
 * where only mlcd knows it. */
#include "dsl/check.h"
#include "base/check.h"

#define COMPANY_CHARS 3u

void check__key_clause(struct check *c, struct flow *f, struct ast_key *n)
{
    struct column *col = schema__column(f->module, n->field.text);
    if (col == NULL) {
        struct diag_nearest near = diag_nearest_begin(n->field.text);
        for (size_t i = 0; i < f->module->ncolumns; i++) diag_nearest_try(&near, f->module->columns[i].name);
        struct diag *d = diag2(c->ds, n->field.at, D_UNKNOWN_FIELD, diag_str(c->ds, f->module->name), diag_str(c->ds, n->field.text));
        resolve__hint(d, &near);
        diag_help(d, "declare it: extend %s.%s { %s: text(60) @unique }", diag_str(c->ds, f->target->name), diag_str(c->ds, f->module->name),
                  diag_str(c->ds, n->field.text));
        return;
    }
    if (!col->known_type || col->type.base != T_TEXT || col->type.nset)
        diag_also(diag2(c->ds, n->field.at, D_KEY_NOT_TEXT, diag_str(c->ds, col->name), col->known_type ? types_show(c->a, &col->type) : "of another kind"),
                  col->at, "declared here");
    else if (!col->unique) {
        struct diag *d = diag1(c->ds, n->field.at, D_KEY_NOT_UNIQUE, diag_str(c->ds, col->name));
        diag_also(d, col->at, "declared here");
        if (col->custom) diag_help(d, "mark it @unique; in Zoho: \"Do not allow duplicate values\"");
        else diag_help(d, "declare a field for the key: extend %s.%s { Sage_Key: text(60) @unique }, then `key Sage_Key`", diag_str(c->ds, f->target->name), diag_str(c->ds, f->module->name));
    } else if (col->read_only)
        diag_also(diag2(c->ds, n->field.at, D_READ_ONLY_FIELD, diag_str(c->ds, f->module->name), diag_str(c->ds, col->name)), col->at, "declared here");
    f->key = ARENA_NEW(c->a, struct field);
    *f->key = (struct field){.column = col, .at = n->base.at, .mode = FIELD_IS_KEY};
    f->fields[f->nfields++] = f->key;
    if (n->value) check__key_value(c, f, n);
}

/* A key of one's own: made of the key columns so that it can be taken apart again. */
void check__key_value(struct check *c, struct flow *f, struct ast_key *n)
{
    const struct inject in = {f->entity, NULL};
    const char *why = NULL;
    struct tx *x = check__expr(c, (struct scope){.flow = f}, n->value, 0);
    f->key->ast = n->value;
    if (x->ty.kind == TY_POISON) return;
    if (x->ty.kind != TY_VALUE) diag1(c->ds, x->at, D_NULL_ALONE, "a key");
    else if (ty_maybe_absent(&x->ty) || !ty_is(&x->ty, T_TEXT)) diag2(c->ds, x->at, D_TYPE_NEEDED, "a key is a text that is always there", check__show(c, &x->ty));
    else if ((why = check__not_injective(c, &in, x)) != NULL) {
        struct diag *d = diag1(c->ds, n->value->at, D_KEY_NOT_INJECTIVE, why);
        diag_help(d, "`key %s` alone writes company and source key, escaped, and never collides", diag_str(c->ds, n->field.text));
    } else if (f->nsources > 1)
        diag1(c->ds, n->value->at, D_KEY_NOT_INJECTIVE, "the flow reads several companies, and the company is not in it");
    else if (check__fits(c, f, f->module, f->key->column, x, n->value, n->value->at)) f->key_value = x;
}

/* Longest spelling of a value of this type in a key part; 0 = a kind that no key has. */
static uint32_t part_chars(struct check *c, const struct type *t)
{
    struct type text = types_as_text(c->a, t);
    return t->base == T_TEXT ? text.max_len * 2 : text.max_len;      /* every character may need its escape */
}

static uint32_t company_chars(const struct flow *f)
{
    uint32_t most = COMPANY_CHARS * 2;
    const struct setting *s = settings__get(f->source, "company");
    if (s == NULL && f->ncompanies == 0) return 0;
    if (f->ncompanies) most = 0;
    for (size_t i = 0; i < f->ncompanies; i++) {
        uint32_t n = 0;
        for (size_t k = 0; k < f->companies[i].n; k++) n += f->companies[i].p[k] == '~' || f->companies[i].p[k] == '^' ? 2u : 1u;
        if (n > most) most = n;
    }
    return most;
}

void check__key_length(struct check *c, struct flow *f)
{
    if (!f->key || !f->key->column->known_type || f->key->column->type.base != T_TEXT) return;
    if (f->key->ast) return;             /* held against the field as a value */
    uint32_t n = company_chars(f), most = f->key->column->type.max_len;
    if (f->key_with_flow) n += (uint32_t)str_codepoints(f->name) + 1;
    for (size_t i = 0; i < f->entity->ncolumns; i++)
        if (f->entity->columns[i].key && f->entity->columns[i].known_type) n += 1 + part_chars(c, &f->entity->columns[i].type);
    if (n <= most) return;
    struct diag *d = diag3(c->ds, f->key->at, D_KEY_TOO_LONG, diag_str(c->ds, f->key->column->name), arena_printf(c->a, "%u", most), arena_printf(c->a, "%u", n));
    diag_also(d, f->key->column->at, "declared here");
    for (size_t i = 0; i < f->entity->ncolumns; i++)
        if (f->entity->columns[i].key) diag_also(d, f->entity->columns[i].at, "a part of the key");
    diag_help(d, "declare it text(%u)", n);
}
