/* settings.c - the blocks `source NAME: SYSTEM { ... }` and `target ...` against the side that the system declares.
 *
 *   SETTING, SETTING_GROUP, QUOTA nodes + COLUMN, COLUMN_GROUP of the SIDE -> flat list "retry.locked.attempts" = value, defaults included
 *
 * A quota `budget 40_000 per 1d` becomes budget.calls and budget.per; a span `delay = 250ms..30s` becomes delay.min and delay.max. Times are
 * milliseconds. env(), secret() and file() stay names: mlcd resolves them where it runs. */
#include "dsl/check.h"
#include "base/check.h"

enum { KIND_TEXT, KIND_NUMBER, KIND_MS, KIND_ENV, KIND_SECRET, KIND_FILE };   /* as enum setting_kind of code/image.h */

struct sheet { struct check *c; struct endpoint *ep; size_t cap; };

static void put(struct sheet *s, const char *name, int kind, struct str value, struct span at)
{
    ASSERT(s->ep->nsettings < s->cap);
    s->ep->settings[s->ep->nsettings++] = (struct setting){str_of(name), kind, value, at};
}

static struct str print_i64(struct arena *a, int64_t v)
{
    return str_of(arena_printf(a, "%lld", (long long)v));
}

const struct setting *settings__get(const struct endpoint *ep, const char *name)
{
    for (size_t i = 0; i < ep->nsettings; i++)
        if (str_is(ep->settings[i].name, name)) return &ep->settings[i];
    return NULL;
}

static const char *name_in(struct arena *a, const char *prefix, struct str name)
{
    return arena_printf(a, "%s%.*s", prefix, (int)name.n, name.p);
}

/* What the type of a setting takes, for the message. */
static const char *wanted(struct check *c, const struct ast_type *t)
{
    static const struct { const char *type, *text; } says[] = {
        {"text", "a text, env(\"NAME\") or secret(\"name\")"}, {"url", "an address in quotes, env(\"NAME\") or secret(\"name\")"},
        {"duration", "a time such as 30s"}, {"durations", "two times such as 250ms..30s"}, {"count", "a whole number"},
        {"percent", "a share such as 5%"}, {"secret", "secret(\"name\")"}, {"file", "file(\"name\")"}, {"bool", "true or false"},
        {"quota", "a number per time, such as 40_000 per 1d"}};
    for (size_t i = 0; i < sizeof says / sizeof *says; i++)
        if (str_is(t->name.text, says[i].type)) return says[i].text;
    struct buf b = {0};
    buf_puts(&b, "one of");
    AST_EACH(n, t->args) {
        buf_puts(&b, n == t->args.first ? " " : ", ");
        if (n->kind == AST_CHOICE) buf_str(&b, AST_AS(choice, n)->name.text);
        else if (n->kind == AST_TEXT) buf_str(&b, AST_AS(text, n)->value);
    }
    const char *s = arena_copy(c->a, b.p, b.n);
    buf_free(&b);
    return s;
}

static bool input(struct sheet *s, const struct ast_type *t, const char *name, const struct ast_input *in)
{
    bool text = str_is(t->name.text, "text") || str_is(t->name.text, "url");
    struct str what = in->what && in->what->kind == AST_TEXT ? AST_AS(text, in->what)->value : (struct str){0};
    if (what.n == 0) return false;
    if (str_is(in->how.text, "env") && text) put(s, name, KIND_ENV, what, in->base.at);
    else if (str_is(in->how.text, "secret") && (text || str_is(t->name.text, "secret"))) put(s, name, KIND_SECRET, what, in->base.at);
    else if (str_is(in->how.text, "file") && str_is(t->name.text, "file")) put(s, name, KIND_FILE, what, in->base.at);
    else return false;
    return true;
}

static bool choice(struct sheet *s, const struct ast_type *t, const char *name, const struct ast *v)
{
    struct str word = v->kind == AST_CHOICE ? AST_AS(choice, v)->name.text : v->kind == AST_TEXT ? AST_AS(text, v)->value : (struct str){0};
    AST_EACH(n, t->args) {
        struct str may = n->kind == AST_CHOICE ? AST_AS(choice, n)->name.text : n->kind == AST_TEXT ? AST_AS(text, n)->value : (struct str){0};
        if (word.n == 0 || !str_eq(may, word)) continue;
        put(s, name, KIND_TEXT, word, v->at);
        return true;
    }
    return false;
}

static bool text(struct sheet *s, const struct ast_type *t, const char *name, const struct ast *v)
{
    struct str value = AST_AS(text, v)->value;
    struct type type;
    struct str module;
    if (str_is(t->name.text, "url")) {
        if (!str_starts(value, STR("https://")) && !str_starts(value, STR("http://"))) return false;
    } else if (t->args.n && check__type(s->c, &t->base, &type, &module)) {
        size_t n = str_codepoints(value);
        if (n < type.min_len || n > type.max_len) return false;
    }
    put(s, name, KIND_TEXT, value, v->at);
    return true;
}

/* lo..hi of count(1..20), duration(1s..1h): a missing argument allows everything. */
static bool in_range(const struct ast_type *t, int64_t v)
{
    const struct ast *r = t->args.first;
    int64_t lo = 0, hi = INT64_MAX;
    if (r != NULL && r->kind == AST_RANGE) {
        const struct ast *l = AST_AS(range, r)->lo, *h = AST_AS(range, r)->hi;
        if (l && l->kind == AST_DURATION) lo = AST_AS(duration, l)->ms;
        if (h && h->kind == AST_DURATION) hi = AST_AS(duration, h)->ms;
        if (l && l->kind == AST_NUMBER && !str_to_i64(AST_AS(number, l)->digits, &lo)) return false;
        if (h && h->kind == AST_NUMBER && !str_to_i64(AST_AS(number, h)->digits, &hi)) return false;
    }
    return v >= lo && v <= hi;
}

static bool span_of_times(struct sheet *s, const char *name, const struct ast *v)
{
    if (v->kind != AST_RANGE || !AST_AS(range, v)->lo || !AST_AS(range, v)->hi) return false;
    const struct ast *l = AST_AS(range, v)->lo, *h = AST_AS(range, v)->hi;
    if (l->kind != AST_DURATION || h->kind != AST_DURATION || AST_AS(duration, l)->ms > AST_AS(duration, h)->ms) return false;
    put(s, arena_printf(s->c->a, "%s.min", name), KIND_MS, print_i64(s->c->a, AST_AS(duration, l)->ms), v->at);
    put(s, arena_printf(s->c->a, "%s.max", name), KIND_MS, print_i64(s->c->a, AST_AS(duration, h)->ms), v->at);
    return true;
}

/* Stores a value under `name` when the declared type takes it. */
static bool value(struct sheet *s, const struct ast_type *t, const char *name, const struct ast *v)
{
    int64_t n;
    if (v->kind == AST_INPUT) return input(s, t, name, AST_AS(input, v));
    if (str_is(t->name.text, "one of")) return choice(s, t, name, v);
    if (str_is(t->name.text, "text") || str_is(t->name.text, "url")) return v->kind == AST_TEXT && text(s, t, name, v);
    if (str_is(t->name.text, "duration")) {
        if (v->kind != AST_DURATION || !in_range(t, AST_AS(duration, v)->ms)) return false;
        put(s, name, KIND_MS, print_i64(s->c->a, AST_AS(duration, v)->ms), v->at);
        return true;
    }
    if (str_is(t->name.text, "durations")) return span_of_times(s, name, v);
    if (str_is(t->name.text, "count")) {
        if (v->kind != AST_NUMBER || !str_to_i64(AST_AS(number, v)->digits, &n) || !in_range(t, n)) return false;
        put(s, name, KIND_NUMBER, print_i64(s->c->a, n), v->at);
        return true;
    }
    if (str_is(t->name.text, "percent")) {
        if (v->kind != AST_PERCENT) return false;
        put(s, name, KIND_NUMBER, print_i64(s->c->a, AST_AS(percent, v)->hundredths), v->at);
        return true;
    }
    if (str_is(t->name.text, "bool")) {
        if (v->kind != AST_BOOL) return false;
        put(s, name, KIND_TEXT, AST_AS(bool, v)->value ? STR("true") : STR("false"), v->at);
        return true;
    }
    return false;
}

static void refuse(struct sheet *s, const struct ast_column *decl, const struct ast *v, struct str name)
{
    struct diag *d = diag2(s->c->ds, v->at, D_BAD_SETTING, diag_str(s->c->ds, name), wanted(s->c, AST_AS(type, decl->type)));
    diag_also(d, decl->base.at, "declared here");
    if (str_is(AST_AS(type, decl->type)->name.text, "secret") && v->kind == AST_TEXT)
        diag_help(d, "a credential never stands in a file: %s = secret(\"NAME\"), and on the server `mlcd secret set NAME`", diag_str(s->c->ds, name));
    if (!str_is(AST_AS(type, decl->type)->name.text, "one of") || v->kind != AST_CHOICE) return;
    struct diag_nearest near = diag_nearest_begin(AST_AS(choice, v)->name.text);
    AST_EACH(o, AST_AS(type, decl->type)->args)
        if (o->kind == AST_CHOICE) diag_nearest_try(&near, AST_AS(choice, o)->name.text);
    resolve__hint(d, &near);
}

static const struct ast_column *declared(const struct ast_list *members, struct str name)
{
    AST_EACH(n, *members)
        if (n->kind == AST_COLUMN && str_eq(AST_AS(column, n)->name.text, name)) return AST_AS(column, n);
    return NULL;
}

static struct str group_name(struct check *c, const struct ast_name *word, const struct ast_name *name)
{
    return str_of(arena_printf(c->a, "%.*s %.*s", (int)word->text.n, word->text.p, (int)name->text.n, name->text.p));
}

static void unknown(struct sheet *s, const struct ast_list *members, struct str name, struct span at)
{
    struct diag_nearest near = diag_nearest_begin(name);
    AST_EACH(n, *members)
        if (n->kind == AST_COLUMN) diag_nearest_try(&near, AST_AS(column, n)->name.text);
        else if (n->kind == AST_COLUMN_GROUP) diag_nearest_try(&near, group_name(s->c, &AST_AS(column_group, n)->word, &AST_AS(column_group, n)->name));
    resolve__hint(diag2(s->c->ds, at, D_UNKNOWN_SETTING, diag_str(s->c->ds, s->ep->system->name), diag_str(s->c->ds, name)), &near);
}

static bool twice(struct sheet *s, const struct ast_list *list, const struct ast *me, struct str name, struct span at)
{
    AST_EACH(n, *list) {
        if (n == me) return false;
        struct str other = n->kind == AST_SETTING ? AST_AS(setting, n)->name.text : n->kind == AST_QUOTA ? AST_AS(quota, n)->name.text
                         : n->kind == AST_SETTING_GROUP ? group_name(s->c, &AST_AS(setting_group, n)->word, &AST_AS(setting_group, n)->name) : (struct str){0};
        if (!str_eq(other, name)) continue;
        diag_help(diag_also(diag1(s->c->ds, at, D_DUPLICATE_NAME, diag_str(s->c->ds, name)), n->at, "first here"), "keep one of them");
        return true;
    }
    return false;
}

static void quota(struct sheet *s, const struct ast_list *members, const struct ast_quota *q)
{
    const struct ast_column *decl = declared(members, q->name.text);
    int64_t calls;
    if (decl == NULL) unknown(s, members, q->name.text, q->name.at);
    else if (!str_is(AST_AS(type, decl->type)->name.text, "quota") || !q->count || !q->per ||
             !str_to_i64(AST_AS(number, q->count)->digits, &calls) || calls < 1 || AST_AS(duration, q->per)->ms < 1000)
        refuse(s, decl, &q->base, q->name.text);
    else {
        put(s, arena_printf(s->c->a, "%.*s.calls", (int)q->name.text.n, q->name.text.p), KIND_NUMBER, print_i64(s->c->a, calls), q->base.at);
        put(s, arena_printf(s->c->a, "%.*s.per", (int)q->name.text.n, q->name.text.p), KIND_MS, print_i64(s->c->a, AST_AS(duration, q->per)->ms), q->base.at);
    }
}

static void block(struct sheet *s, const struct ast_list *members, const struct ast_list *given, const char *prefix, struct span at);

static void group(struct sheet *s, const struct ast_list *members, const struct ast_setting_group *g)
{
    AST_EACH(n, *members) {
        const struct ast_column_group *decl = AST_AS(column_group, n);
        if (n->kind != AST_COLUMN_GROUP || !str_eq(decl->word.text, g->word.text) || !str_eq(decl->name.text, g->name.text)) continue;
        const char *prefix = arena_printf(s->c->a, "%.*s.%.*s.", (int)g->word.text.n, g->word.text.p, (int)g->name.text.n, g->name.text.p);
        block(s, &decl->members, &g->settings, prefix, g->base.at);
        return;
    }
    unknown(s, members, group_name(s->c, &g->word, &g->name), span_join(g->word.at, g->name.at));
}

/* Defaults and what is missing, for one level. */
static void complete(struct sheet *s, const struct ast_list *members, const struct ast_list *given, const char *prefix, struct span at)
{
    AST_EACH(n, *members) {
        if (n->kind != AST_COLUMN) continue;
        const struct ast_column *decl = AST_AS(column, n);
        const char *name = name_in(s->c->a, prefix, decl->name.text);
        bool there = false;      /* a refused one was complained of already */
        if (given)
            AST_EACH(g, *given)
                there = there || (g->kind == AST_SETTING && str_eq(AST_AS(setting, g)->name.text, decl->name.text)) ||
                        (g->kind == AST_QUOTA && str_eq(AST_AS(quota, g)->name.text, decl->name.text));
        if (there) continue;
        if (decl->fallback != NULL) {
            bool ok = value(s, AST_AS(type, decl->type), name, decl->fallback);
            ASSERT(ok || s->c->ds->nerrors > 0 || s->ep->system->ast != NULL);
        } else if (!AST_AS(type, decl->type)->optional) {
            struct diag *d = diag2(s->c->ds, at, D_MISSING_SETTING, diag_str(s->c->ds, s->ep->name), diag_str(s->c->ds, decl->name.text));
            diag_also(d, decl->base.at, "declared here");
            diag_help(d, "it takes %s", wanted(s->c, AST_AS(type, decl->type)));
        }
    }
}

static void block(struct sheet *s, const struct ast_list *members, const struct ast_list *given, const char *prefix, struct span at)
{
    AST_EACH(n, *given) {
        if (n->kind == AST_QUOTA) {
            if (!twice(s, given, n, AST_AS(quota, n)->name.text, n->at)) quota(s, members, AST_AS(quota, n));
        } else if (n->kind == AST_SETTING_GROUP) {
            const struct ast_setting_group *gr = AST_AS(setting_group, n);
            if (!twice(s, given, n, group_name(s->c, &gr->word, &gr->name), span_join(gr->word.at, gr->name.at))) group(s, members, gr);
        }
        else if (n->kind == AST_SETTING) {
            const struct ast_setting *st = AST_AS(setting, n);
            const struct ast_column *decl = declared(members, st->name.text);
            if (twice(s, given, n, st->name.text, st->name.at)) continue;
            if (decl == NULL) unknown(s, members, st->name.text, st->name.at);
            else if (st->value && !value(s, AST_AS(type, decl->type), name_in(s->c->a, prefix, st->name.text), st->value)) refuse(s, decl, st->value, st->name.text);
        }
    }
    complete(s, members, given, prefix, at);
}

/* Groups that the spec leaves out: their defaults still count. */
static void absent_groups(struct sheet *s, const struct ast_list *members, const struct ast_list *given, struct span at)
{
    AST_EACH(n, *members) {
        bool there = false;
        if (n->kind != AST_COLUMN_GROUP) continue;
        const struct ast_column_group *decl = AST_AS(column_group, n);
        AST_EACH(g, *given)
            there = there || (g->kind == AST_SETTING_GROUP && str_eq(AST_AS(setting_group, g)->name.text, decl->name.text));
        if (!there) complete(s, &decl->members, NULL, arena_printf(s->c->a, "%.*s.%.*s.", (int)decl->word.text.n, decl->word.text.p, (int)decl->name.text.n, decl->name.text.p), at);
    }
}

static size_t count_settings(const struct ast_list *members)
{
    size_t n = 0;
    AST_EACH(m, *members) n += m->kind == AST_COLUMN_GROUP ? count_settings(&AST_AS(column_group, m)->members) : 3;
    return n;
}

void settings__check(struct check *c, struct endpoint *ep, struct ast_endpoint *n)
{
    struct ast_side *side = n->target ? ep->system->target : ep->system->source;
    if (side == NULL) {
        diag2(c->ds, n->system.at, D_WRONG_SIDE, diag_str(c->ds, ep->system->name), n->target ? "a system that can be written" : "a system that can be read");
        return;
    }
    struct sheet s = {c, ep, (n->settings.n + 1) * 3 + count_settings(&side->members)};
    ep->settings = ARENA_ARRAY(c->a, struct setting, s.cap);
    block(&s, &side->members, &n->settings, "", n->name.at);
    absent_groups(&s, &side->members, &n->settings, n->name.at);
}
