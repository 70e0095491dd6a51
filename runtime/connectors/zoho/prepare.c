/* prepare.c - what the spec declares for this organisation and the organisation lacks: shown, and made when the caller says so.
 *
 *     declared fields -> per module: there? -> per field: there? type, choices, length, duplicates -> steps
 *     step, when made: one call (make.c) -> the metadata is read again -> done, or why not
 *
 * Nothing that people made is narrowed or removed, and standard fields are not touched: what would need that is said to be done by hand. */
#include "connectors/zoho/zoho.h"
#include <stdio.h>

#define LINE_MAX_TEXT 255
#define LOOKS         4         /* the metadata may show a new field a moment later */
#define LOOK_MS       1500

struct preparing {
    struct target *t;
    const struct target_field *fields; size_t n;
    bool make;
    const struct make_sink *sink;
    struct arena *a;
    struct fault *f;
};

static enum err tell(const struct preparing *p, enum make_state state, struct str module, struct str field, const char *what, const char *why)
{
    struct make_step s = {state, module, field, what, why};
    p->sink->step(p->sink->ctx, &s);
    return ERR_OK;
}

/* ---- reading back ---- */

/* The module's fields as they are now. */
static enum err look(const struct preparing *p, struct str module, struct zoho_module **m)
{
    struct zoho_module *known = zoho__module(p->t, module);
    if (known) known->loaded = false;
    else zoho__forget(p->t);
    return zoho__fields(p->t, module, m, p->f);
}

static bool has_choice(const struct zoho_field *z, struct str value)
{
    for (size_t i = 0; i < z->npicks; i++)
        if (str_eq(z->picks[i], value)) return true;
    return false;
}

struct proof { struct str id; const struct zoho_field *before; const struct zoho_change *change; };

/* NULL: the field is as it was to be made; else what is wrong. A later look may see more. */
static const char *wrong_with(const struct preparing *p, const struct zoho_module *m, const struct target_field *w, const struct proof *proof)
{
    const struct zoho_field *z = zoho__field(m, w->name);
    for (size_t i = 0; !z && proof->id.n && i < m->nfields; i++)
        if (str_eq(m->fields[i].id, proof->id))
            return arena_printf(p->a, "it was made, but Zoho gave it the API name %.*s: set it to %.*s in Setup, APIs, API names", (int)m->fields[i].name.n,
                                m->fields[i].name.p, (int)w->name.n, w->name.p);
    if (!z) return "Zoho took it, but does not show it: run this again";
    const struct zoho_change *ch = proof->change;
    if (!ch && !zoho__type_goes(&w->type, z->data_type)) return "it was made, but of another type: look at it in Setup";
    if (!ch) return w->unique && !z->unique ? "it was made, but Zoho allows duplicates: forbid them in Setup" : NULL;
    for (size_t i = 0; i < ch->nvalues; i++)
        if (!has_choice(z, ch->values[i])) return "Zoho took it, but does not show the choices: run this again";
    for (size_t i = 0; ch->nvalues && i < proof->before->npicks; i++)
        if (!has_choice(z, proof->before->picks[i]))
            return arena_printf(p->a, "the choice \"%.*s\" is gone: put it back in Setup", (int)proof->before->picks[i].n, proof->before->picks[i].p);
    if (ch->length && z->length < ch->length) return "Zoho took it, but the field is as short as before: lengthen it in Setup";
    return ch->unique && !z->unique ? "Zoho took it, but still allows duplicates: forbid them in Setup" : NULL;
}

static enum err read_back(const struct preparing *p, const struct target_field *w, const char *what, const struct proof *proof)
{
    struct zoho_module *m;
    const char *wrong = "";
    for (int i = 0; i < LOOKS && wrong; i++) {
        const struct world *world = p->t->env->world;
        if (i) world->clock.sleep_ms(world->clock.ctx, LOOK_MS);
        enum err e = look(p, w->module, &m);
        if (e != ERR_OK) return e;
        wrong = wrong_with(p, m, w, proof);
    }
    return tell(p, wrong ? MAKE_REFUSED : MAKE_DONE, w->module, w->name, what, wrong ? wrong : "");
}

/* What a call came to. OK also for a refusal (told) and for no answer at all: then the organisation is asked. */
static enum err settle(const struct preparing *p, enum err e, const struct target_field *w, const char *what, const char *why, const struct proof *proof)
{
    if (e == ERR_REJECTED) return tell(p, MAKE_REFUSED, w->module, w->name, what, why);
    return e == ERR_OK || e == ERR_AMBIGUOUS ? read_back(p, w, what, proof) : e;
}

/* ---- fields that are not there ---- */

static const char *words_of(const struct preparing *p, const struct target_field *w, const char *data_type)
{
    const struct type *t = &w->type;
    struct buf b = {0};
    if (t->nset) {
        buf_puts(&b, "choice of");
        for (size_t i = 0; i < t->nset; i++) buf_printf(&b, "%s \"%.*s\"", i ? "," : "", (int)t->set[i].n, t->set[i].p);
    } else if (t->base == T_LINK) {
        buf_printf(&b, "link to %.*s", (int)w->link_module.n, w->link_module.p);
    } else {
        struct type plain = *t;
        plain.optional = false;
        if (t->base == T_TEXT) buf_printf(&b, "text(%u)", (unsigned)t->max_len);
        else type_print(&b, &plain);
        if (data_type && strcmp(data_type, "textarea") == 0) buf_puts(&b, ", of several lines");
    }
    if (w->unique) buf_puts(&b, ", no duplicates");
    const char *words = arena_copy(p->a, b.p, b.n);
    buf_free(&b);
    return words;
}

static enum err absent(const struct preparing *p, const struct target_field *w)
{
    struct zoho_wish wish = {w->module, w->name, w->type, w->unique, w->link_module};
    struct proof proof = {{"", 0}, NULL, NULL};
    const char *why, *data_type = zoho__make_type(&wish, p->a, &why), *what = words_of(p, w, data_type);
    if (!data_type) return tell(p, MAKE_BY_HAND, w->module, w->name, what, why);
    if (!p->make) return tell(p, MAKE_WANTED, w->module, w->name, what, "");
    enum err e = zoho__make_field(p->t, &wish, p->a, &proof.id, &why, p->f);
    return settle(p, e, w, what, why, &proof);
}

/* ---- fields that are there and narrower than declared ---- */

static enum err widen(const struct preparing *p, const struct target_field *w, const struct zoho_field *z, const char *what, const struct zoho_change *ch)
{
    struct proof proof = {{"", 0}, z, ch};
    const char *why;
    if (!z->custom) return tell(p, MAKE_BY_HAND, w->module, w->name, what, "it is a standard field: change it in Setup, Modules and Fields");
    if (!p->make) return tell(p, MAKE_WANTED, w->module, w->name, what, "");
    enum err e = zoho__change_field(p->t, w->module, z, ch, p->a, &why, p->f);
    return settle(p, e, w, what, why, &proof);
}

static enum err choices(const struct preparing *p, const struct target_field *w, const struct zoho_field *z)
{
    struct str *values = ARENA_ARRAY(p->a, struct str, w->type.nset + 1u);
    struct buf b = {0};
    size_t n = 0;
    for (size_t i = 0; i < w->type.nset; i++)
        if (!has_choice(z, w->type.set[i])) values[n++] = w->type.set[i];
    if (n == 0) return ERR_OK;
    buf_puts(&b, n == 1 ? "add the choice" : "add the choices");
    for (size_t i = 0; i < n; i++) buf_printf(&b, "%s \"%.*s\"", i ? "," : "", (int)values[i].n, values[i].p);
    const char *what = arena_copy(p->a, b.p, b.n);
    buf_free(&b);
    return widen(p, w, z, what, &(struct zoho_change){.values = values, .nvalues = n});
}

static enum err length(const struct preparing *p, const struct target_field *w, const struct zoho_field *z)
{
    int64_t want = w->type.max_len;
    if (z->length < 1 || z->length >= want) return ERR_OK;
    const char *what = arena_printf(p->a, "lengthen from %lld to %lld characters", (long long)z->length, (long long)want);
    if (!str_is(z->data_type, "text") || want > LINE_MAX_TEXT)
        return tell(p, MAKE_BY_HAND, w->module, w->name, what, "a field of this kind keeps its length: declare less in the spec, or make another field");
    return widen(p, w, z, what, &(struct zoho_change){.length = want});
}

/* Digits before the point that the declared bounds can need. */
static int digits_before(const struct type *t)
{
    i128 most = t->hi > -t->lo ? t->hi : -t->lo;
    int digits = 0;
    for (i128 unit = decimal_pow10(t->scale); most >= unit; digits++) most /= 10;
    return digits;
}

static enum err number(const struct preparing *p, const struct target_field *w, const struct zoho_field *z)
{
    bool whole = str_is(z->data_type, "integer") || str_is(z->data_type, "bigint") || str_is(z->data_type, "long");
    int64_t decimals = whole ? 0 : z->decimals;
    int before = digits_before(&w->type);
    if (z->length > 0 && before > z->length)
        return tell(p, MAKE_BY_HAND, w->module, w->name, arena_printf(p->a, "%d digits before the point instead of %lld", before, (long long)z->length),
                    "Zoho's API does not change digits: do it in Setup, Modules and Fields, or declare less");
    if (decimals < 0 || w->type.scale <= decimals) return ERR_OK;
    return tell(p, MAKE_BY_HAND, w->module, w->name, arena_printf(p->a, "%u decimals instead of %lld", (unsigned)w->type.scale, (long long)decimals),
                "Zoho's API does not change decimals: do it in Setup, Modules and Fields, or round in the mapping");
}

static enum err present(const struct preparing *p, const struct target_field *w, const struct zoho_field *z)
{
    if (!zoho__type_goes(&w->type, z->data_type))
        return tell(p, MAKE_BY_HAND, w->module, w->name, words_of(p, w, NULL),
                    arena_printf(p->a, "the organisation has a field of this name and of type %.*s: give the declared one another name, or change this one",
                                 (int)z->data_type.n, z->data_type.p));
    enum err e = ERR_OK;
    if (w->type.base == T_TEXT && str_is(z->data_type, "picklist")) e = choices(p, w, z);
    else if (w->type.base == T_TEXT) e = length(p, w, z);
    else if (w->type.base == T_DECIMAL) e = number(p, w, z);
    if (e == ERR_OK && w->unique && !z->unique) e = widen(p, w, z, "forbid duplicates", &(struct zoho_change){.unique = true});
    return e;
}

/* ---- modules ---- */

static bool first_of_module(const struct preparing *p, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (str_eq(p->fields[k].module, p->fields[i].module)) return false;
    return true;
}

/* Several flows may write one field. */
static bool first_of_field(const struct preparing *p, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (p->fields[k].custom && str_eq(p->fields[k].module, p->fields[i].module) && str_eq(p->fields[k].name, p->fields[i].name)) return false;
    return true;
}

static enum err fields_of(const struct preparing *p, struct str module, const struct zoho_module *m)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < p->n && e == ERR_OK; i++) {
        const struct target_field *w = &p->fields[i];
        if (!w->custom || !str_eq(w->module, module) || !first_of_field(p, i)) continue;
        const struct zoho_field *z = m ? zoho__field(m, w->name) : NULL;
        e = z ? present(p, w, z) : absent(p, w);
    }
    return e;
}

static bool standard(struct str module)
{
    struct str name;
    for (size_t i = 0; (name = zoho__standard_module(i)).n; i++)
        if (str_eq(name, module)) return true;
    return false;
}

/* *go_on: its fields can be looked at. */
static enum err new_module(const struct preparing *p, struct str module, bool *go_on)
{
    static const struct str none = {"", 0};
    const char *what = "custom module", *why;
    enum zoho_edition is = p->t->meta.org.edition;
    struct zoho_module *m;
    if (standard(module))
        return tell(p, MAKE_BY_HAND, module, none, "standard module",
                    arena_printf(p->a, "the organisation (edition %s) does not have it, or it is hidden from this user's profile: another edition, or Setup, Modules",
                                 zoho__editions[is].name));
    if (is != ZOHO_EDITION_UNKNOWN && zoho__editions[is].rank < zoho__editions[ZOHO_EDITION_enterprise].rank)
        return tell(p, MAKE_BY_HAND, module, none, what,
                    arena_printf(p->a, "the API makes modules from the Enterprise edition on, this one is %s: make it in Setup, Modules and Fields, set its API "
                                 "name, and run this again for its fields", zoho__editions[is].name));
    *go_on = !p->make;
    if (!p->make) return tell(p, MAKE_WANTED, module, none, what, "");
    enum err e = zoho__make_module(p->t, module, p->a, &why, p->f);
    if (e == ERR_REJECTED) return tell(p, MAKE_REFUSED, module, none, what, why);
    if (e != ERR_OK && e != ERR_AMBIGUOUS) return e;
    zoho__forget(p->t);
    e = zoho__fields(p->t, module, &m, p->f);
    if (e == ERR_CONFIG) return tell(p, MAKE_REFUSED, module, none, what, "Zoho took it, but shows no module of this API name: look in Setup, APIs, API names");
    *go_on = e == ERR_OK;
    return e == ERR_OK ? tell(p, MAKE_DONE, module, none, what, "") : e;
}

static bool is_there(struct target *t, struct str module)
{
    const struct zoho_module *m = zoho__module(t, module);
    return m && m->supported;
}

/* Modules before fields: a link may lead to one that is made here. */
static enum err walk(const struct preparing *p)
{
    bool *go_on = ARENA_ARRAY(p->a, bool, p->n + 1);
    enum err e = ERR_OK;
    for (size_t i = 0; i < p->n && e == ERR_OK; i++) {
        struct str module = p->fields[i].module;
        if (!first_of_module(p, i) || zoho__is_users(module)) continue;
        go_on[i] = is_there(p->t, module);
        if (!go_on[i]) e = new_module(p, module, &go_on[i]);
    }
    for (size_t i = 0; i < p->n && e == ERR_OK; i++) {
        struct zoho_module *m = NULL;
        if (!go_on[i]) continue;
        if (is_there(p->t, p->fields[i].module)) e = zoho__fields(p->t, p->fields[i].module, &m, p->f);
        if (e == ERR_OK) e = fields_of(p, p->fields[i].module, m);
    }
    return e;
}

enum err zoho__prepare(struct target *t, const struct target_field *fields, size_t n, bool make, const struct make_sink *sink, struct fault *f)
{
    struct arena a;
    arena_init(&a, 0);
    struct preparing p = {t, fields, n, make, sink, &a, f};
    enum err e = zoho__org(t, f);
    if (e == ERR_OK) e = zoho__modules(t, f);
    if (e == ERR_OK) e = walk(&p);
    arena_free(&a);
    return e;
}
