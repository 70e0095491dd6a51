/* diff.c - findings and the order in which two specs are compared; see diff.h. */
#include "compiler/diff/diff_private.h"
#include "base/check.h"
#include <stdarg.h>
#include <stdio.h>

const struct diff_rule_info diff_rules[RULE_COUNT] = {
#define DIFF_RULE(name, id, category, slug, meaning) {id, slug, meaning, DIFF_##category},
#include "compiler/diff/diff_rule.def"
#undef DIFF_RULE
};

const char *diff_category_name(enum diff_category c)
{
    static const char *const names[DIFF_CATEGORIES] = {"state", "target", "data", "text"};
    return names[c];
}

const char *diff__text(struct diff *d, struct str s)
{
    return arena_copy(d->arena, s.p ? s.p : "", s.n);
}

const char *diff__buf(struct diff *d, struct buf *b)
{
    const char *s = diff__text(d, buf_view(b));
    buf_free(b);
    return s;
}

void diff__message(struct diff *d, struct diff_finding *f, const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    f->message = diff__buf(d, &b);
}

static void fingerprint(struct diff_finding *f, struct str flow, struct str field, struct str old_form, struct str new_form)
{
    struct buf b = {0};
    const struct str parts[] = {str_of("diff/1"), str_of(diff_rules[f->rule].id), flow, field, old_form, new_form};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) buf_blob(&b, parts[i]);
    struct hash h = hash_of(buf_view(&b));
    hash_hex(h.b, FINGERPRINT_CHARS / 2, f->fingerprint);
    buf_free(&b);
}

struct diff_finding *diff__add(struct diff *d, enum diff_rule rule, struct str flow, struct str field, struct str old_form, struct str new_form)
{
    struct diff_finding *f = ARENA_NEW(d->arena, struct diff_finding);
    f->rule = rule;
    if (flow.n) f->flow = diff__text(d, flow);
    if (field.n) f->field = diff__text(d, field);
    f->subject = !f->flow ? f->field ? f->field : "spec" : f->field ? arena_printf(d->arena, "%s.%s", f->flow, f->field) : f->flow;
    f->message = "";
    fingerprint(f, flow, field, old_form, new_form);
    *d->last = f;
    d->last = &f->next;
    d->n++;
    return f;
}

void diff__again(struct diff_finding *f, enum diff_rule rule, struct str flow, struct str field, struct str old_form, struct str new_form)
{
    f->rule = rule;
    fingerprint(f, flow, field, old_form, new_form);
}

/* ---- whole flows ---- */

static const struct image_flow *named(const struct image *im, struct str name)
{
    return im ? image_flow_named(im, name) : NULL;
}

/* The old version of a new flow: of the same name, or of the name that it says it had. */
static const struct image_flow *old_of(const struct diff *d, const struct image_flow *b)
{
    const struct image_flow *a = named(d->side[0].im, b->name);
    if (a || b->moved_from.n == 0 || named(d->side[1].im, b->moved_from)) return a;
    return named(d->side[0].im, b->moved_from);
}

static bool wanted(const struct diff *d, const struct image_flow *fl)
{
    return !d->only_flow || str_is(fl->name, d->only_flow) || str_is(fl->moved_from, d->only_flow);
}

static const char *head_of(struct diff *d, const struct image_flow *fl)
{
    return arena_printf(d->arena, "flow %.*s from %.*s.%.*s to %.*s.%.*s", (int)fl->name.n, fl->name.p, (int)fl->source.n, fl->source.p, (int)fl->entity.n, fl->entity.p,
                        (int)fl->target.n, fl->target.p, (int)fl->module.n, fl->module.p);
}

static struct str hash_bytes(const struct hash *h) { return (struct str){(const char *)h->b, HASH_BYTES}; }

static void whole_flow(struct diff *d, const struct image_flow *fl, int side)
{
    struct str none = {"", 0}, form = hash_bytes(&fl->hash);
    struct diff_finding *f = side ? diff__add(d, RULE_FLOW_ADDED, fl->name, none, none, form) : diff__add(d, RULE_FLOW_REMOVED, fl->name, none, form, none);
    f->text[side] = head_of(d, fl);
    f->at[side] = diff__place_flow(d, side, fl, PART_FLOW);
    f->at[1 - side] = diff__place_file(d, 1 - side);
    diff__message(d, f, "flow %s is %s", f->flow, side ? "new" : "gone");
}

/* A flow that went and one that came, alike but for their names: most likely a renamed one. */
static void hint_moved(struct diff *d)
{
    for (struct diff_finding *gone = d->first; gone; gone = gone->next) {
        const struct image_flow *a = gone->rule == RULE_FLOW_REMOVED ? named(d->side[0].im, str_of(gone->flow)) : NULL;
        for (struct diff_finding *made = d->first; a && made; made = made->next) {
            const struct image_flow *b = made->rule == RULE_FLOW_ADDED ? named(d->side[1].im, str_of(made->flow)) : NULL;
            if (b && str_eq(a->entity, b->entity) && str_eq(a->module, b->module))
                diff__message(d, gone, "flow %s is gone; if %s is the same flow, say `moved from %s` there, and its records are taken over", gone->flow, made->flow, gone->flow);
        }
    }
}

void diff_specs(struct diff *d, struct arena *a, struct diff_side old_side, struct diff_side new_side, const char *only_flow)
{
    *d = (struct diff){.arena = a, .side = {old_side, new_side}, .only_flow = only_flow};
    d->last = &d->first;
    if (!only_flow) diff__spec(d);
    for (size_t i = 0; new_side.im && i < new_side.im->nflows; i++) {
        const struct image_flow *b = &new_side.im->flows[i], *was = old_of(d, b);
        if (!wanted(d, b)) continue;
        if (was) diff__flow(d, was, b);
        else whole_flow(d, b, 1);
    }
    for (size_t i = 0; old_side.im && i < old_side.im->nflows; i++) {
        const struct image_flow *x = &old_side.im->flows[i];
        bool there = named(new_side.im, x->name) != NULL;
        for (size_t k = 0; !there && new_side.im && k < new_side.im->nflows; k++) there = old_of(d, &new_side.im->flows[k]) == x;
        if (!there && wanted(d, x)) whole_flow(d, x, 0);
    }
    hint_moved(d);
}
