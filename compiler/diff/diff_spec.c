/* diff_spec.c - what belongs to no flow: source and target blocks and their settings, name and edition of the spec. */
#include "compiler/diff/diff_private.h"
#include <stdio.h>

static const struct str none = {"", 0};

/* What a setting is about; the longest name that the setting's begins with counts. Unknown ones: what is read may depend on them. */
static const struct { const char *name; enum diff_rule source, target; } settings[] = {
    {"company", RULE_SOURCE_IDENTITY, RULE_TARGET_IDENTITY}, {"agent", RULE_SOURCE_IDENTITY, RULE_TARGET_IDENTITY},
    {"soap", RULE_SOURCE_IDENTITY, RULE_TARGET_IDENTITY}, {"path", RULE_SOURCE_IDENTITY, RULE_TARGET_IDENTITY},
    {"region", RULE_SOURCE_IDENTITY, RULE_TARGET_IDENTITY}, {"accounts_url", RULE_SOURCE_IDENTITY, RULE_TARGET_IDENTITY},
    {"api_url", RULE_SOURCE_IDENTITY, RULE_TARGET_IDENTITY}, {"api_domain_allow", RULE_OPERATION, RULE_OPERATION},
    {"login", RULE_OPERATION, RULE_OPERATION}, {"token", RULE_OPERATION, RULE_OPERATION}, {"trust", RULE_OPERATION, RULE_OPERATION},
    {"retry.", RULE_OPERATION, RULE_OPERATION}, {"budget", RULE_OPERATION, RULE_OPERATION}, {"connect_timeout", RULE_OPERATION, RULE_OPERATION},
    {"read_timeout", RULE_OPERATION, RULE_OPERATION}, {"write_timeout", RULE_OPERATION, RULE_OPERATION}, {"page_rows", RULE_OPERATION, RULE_OPERATION},
    {"soap_page_rows", RULE_OPERATION, RULE_OPERATION}, {"soap_", RULE_SETTING, RULE_SETTING}, {"batch", RULE_OPERATION, RULE_OPERATION},
    {"writers", RULE_OPERATION, RULE_OPERATION}, {"edition", RULE_OPERATION, RULE_OPERATION},
};

static enum diff_rule rule_of(struct str setting, bool target)
{
    enum diff_rule rule = RULE_SETTING;
    size_t best = 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct str s = str_of(settings[i].name);
        if (s.n <= best || !str_starts(setting, s)) continue;
        best = s.n;
        rule = target ? settings[i].target : settings[i].source;
    }
    return rule;
}

static const char *setting_text(struct diff *d, const struct image_setting *s)
{
    static const char *const forms[] = {[SETTING_TEXT] = "\"%.*s\"", [SETTING_NUMBER] = "%.*s", [SETTING_DURATION_MS] = "%.*s ms", [SETTING_ENV] = "env(\"%.*s\")",
                                        [SETTING_SECRET] = "secret(\"%.*s\")", [SETTING_FILE] = "file(\"%.*s\")"};
    static const size_t nforms = sizeof forms / sizeof *forms;
    struct buf b = {0};
    if (!s) return "";
    const char *form = (size_t)s->kind < nforms ? forms[s->kind] : "%.*s";
    const char *gap = strstr(form, "%.*s");
    buf_put(&b, form, (size_t)(gap - form));
    buf_str(&b, s->value);
    buf_puts(&b, gap + 4);
    return diff__buf(d, &b);
}

static const struct image_setting *setting_named(const struct image_endpoint *e, struct str name)
{
    for (size_t i = 0; i < e->nsettings; i++)
        if (str_eq(e->settings[i].name, name)) return &e->settings[i];
    return NULL;
}

static struct diff_finding *block_finding(struct diff *d, enum diff_rule rule, const char *subject, struct str name, struct str setting, const char *was, const char *is)
{
    struct diff_finding *f = diff__add(d, rule, none, str_of(subject), str_of(was), str_of(is));
    f->text[0] = *was ? was : NULL;
    f->text[1] = *is ? is : NULL;
    f->at[0] = diff__place_endpoint(d, 0, name, setting);
    f->at[1] = diff__place_endpoint(d, 1, name, setting);
    return f;
}

static void compare_setting(struct diff *d, const struct image_endpoint *x, const struct image_endpoint *y, struct str name, bool target)
{
    const struct image_setting *p = setting_named(x, name), *q = setting_named(y, name);
    const char *was = setting_text(d, p), *is = setting_text(d, q);
    if (strcmp(was, is) == 0) return;
    /* a company as a plain text is a part of each flow that reads it, and reported there */
    bool by_flow = str_is(name, "company") && !target && p && q && p->kind == SETTING_TEXT && q->kind == SETTING_TEXT;
    if (by_flow) return;
    const char *subject = arena_printf(d->arena, "%s %.*s.%.*s", target ? "target" : "source", (int)y->name.n, y->name.p, (int)name.n, name.p);
    struct diff_finding *f = block_finding(d, rule_of(name, target), subject, y->name, name, was, is);
    f->said = true;
    diff__message(d, f, "%s, was %s", *is ? is : "none", *was ? was : "none");
}

static void compare_block(struct diff *d, const struct image_endpoint *x, const struct image_endpoint *y, bool target)
{
    const char *subject = arena_printf(d->arena, "%s %.*s", target ? "target" : "source", (int)y->name.n, y->name.p);
    if (!str_eq(x->kind, y->kind)) {
        struct diff_finding *f = block_finding(d, target ? RULE_TARGET_IDENTITY : RULE_SOURCE_IDENTITY, subject, y->name, none, diff__text(d, x->kind), diff__text(d, y->kind));
        f->said = true;
        diff__message(d, f, "is of kind %s, was %s", f->text[1], f->text[0]);
        return;
    }
    for (size_t i = 0; i < y->nsettings; i++) compare_setting(d, x, y, y->settings[i].name, target);
    for (size_t i = 0; i < x->nsettings; i++)
        if (!setting_named(y, x->settings[i].name)) compare_setting(d, x, y, x->settings[i].name, target);
}

static const struct image_endpoint *block_named(const struct image_endpoint *list, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i].name, name)) return &list[i];
    return NULL;
}

static void one_sided(struct diff *d, const struct image_endpoint *e, bool target, int side)
{
    const char *subject = arena_printf(d->arena, "%s %.*s", target ? "target" : "source", (int)e->name.n, e->name.p), *kind = diff__text(d, e->kind);
    struct diff_finding *f = block_finding(d, side ? RULE_BLOCK_ADDED : RULE_BLOCK_REMOVED, subject, e->name, none, side ? "" : kind, side ? kind : "");
    diff__message(d, f, "%s is %s", subject, side ? "new" : "gone");
}

static void compare_blocks(struct diff *d, const struct image_endpoint *a, size_t na, const struct image_endpoint *b, size_t nb, bool target)
{
    for (size_t i = 0; i < nb; i++) {
        const struct image_endpoint *x = block_named(a, na, b[i].name);
        if (x) compare_block(d, x, &b[i], target);
        else one_sided(d, &b[i], target, 1);
    }
    for (size_t i = 0; i < na; i++)
        if (!block_named(b, nb, a[i].name)) one_sided(d, &a[i], target, 0);
}

static void compare_title(struct diff *d, const char *what, struct str was, struct str is)
{
    if (str_eq(was, is)) return;
    struct diff_finding *f = diff__add(d, RULE_TITLE, none, str_of(what), was, is);
    f->text[0] = diff__text(d, was);
    f->text[1] = diff__text(d, is);
    f->at[0] = diff__place_file(d, 0);
    f->at[1] = diff__place_file(d, 1);
    f->said = true;
    diff__message(d, f, "\"%s\", was \"%s\"", f->text[1], f->text[0]);
}

void diff__spec(struct diff *d)
{
    const struct image *a = d->side[0].im, *b = d->side[1].im;
    if (!a || !b) return;
    compare_title(d, "spec", a->spec, b->spec);
    compare_title(d, "edition", a->edition, b->edition);
    compare_blocks(d, a->sources, a->nsources, b->sources, b->nsources, false);
    compare_blocks(d, a->targets, a->ntargets, b->targets, b->ntargets, true);
}
