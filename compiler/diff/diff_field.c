/* diff_field.c - the fields of two versions of a flow, or of the lines of one field: who owns them, and whether their rules do the same.
 *
 *   same hash                      nothing
 *   same diagram (norm_compare)    nothing, but counted: written differently, means the same
 *   they part, and a row shows it  different, with that row and both results
 *   they part, and no row does     undecided: as good as different */
#include "compiler/diff/diff_private.h"

/* Key and event fields are the flow's affair. */
static bool ruled(const struct image_field *f) { return f->mode == FIELD_SET || f->mode == FIELD_ONCE || f->mode == FIELD_FILL; }

static int ruled_named(const struct image_flow *fl, struct str name)
{
    for (size_t i = 0; i < fl->nfields; i++)
        if (ruled(&fl->fields[i]) && str_eq(fl->fields[i].name, name)) return (int)i;
    return -1;
}

static const char *mode_word(const struct image_field *f) { return f->mode == FIELD_ONCE ? "once " : f->mode == FIELD_FILL ? "fill " : ""; }

static const char *rule_text(struct diff *d, const struct image_field *f)
{
    return f->expr.n ? diff__text(d, f->expr) : "(compiled)";
}

static struct str hash_bytes(const struct hash *h) { return (struct str){(const char *)h->b, HASH_BYTES}; }

static struct diff_place place_of(struct diff *d, const struct scope *sc, int side, const struct image_field *f)
{
    if (!sc->line) return diff__place_field(d, side, sc->flow[side], f);
    return diff__place_line_field(d, side, sc->flow[side], &sc->flow[side]->fields[sc->list[side]], f);
}

static struct diff_finding *field_finding(struct diff *d, const struct scope *sc, enum diff_rule rule, const struct image_field *x, const struct image_field *y,
                                          struct str old_form, struct str new_form)
{
    struct diff_finding *f = diff__add(d, rule, sc->flow[1]->name, diff__field_name(d, sc, y->name), old_form, new_form);
    f->text[0] = x->lines ? diff__frame_text(d, rule_text(d, x)) : rule_text(d, x);
    f->text[1] = y->lines ? diff__frame_text(d, rule_text(d, y)) : rule_text(d, y);
    f->at[0] = place_of(d, sc, 0, x);
    f->at[1] = place_of(d, sc, 1, y);
    return f;
}

static void compare_mode(struct diff *d, const struct scope *sc, const struct image_field *x, const struct image_field *y)
{
    static const char *const owners[] = {"the source's", "people's once the record is made", "people's as soon as it is filled"};
    if (x->mode == y->mode) return;
    struct str was = str_of(owners[x->mode]), is = str_of(owners[y->mode]);
    struct diff_finding *f = field_finding(d, sc, RULE_FIELD_MODE, x, y, was, is);
    f->text[0] = arena_printf(d->arena, "%s%.*s = %s", mode_word(x), (int)x->name.n, x->name.p, f->text[0]);
    f->text[1] = arena_printf(d->arena, "%s%.*s = %s", mode_word(y), (int)y->name.n, y->name.p, f->text[1]);
    diff__message(d, f, "%.*s is %s, was %s", (int)y->name.n, y->name.p, is.p, was.p);
}

static void message_of_rule(struct diff *d, struct diff_finding *f)
{
    bool same_text = strcmp(f->text[0], f->text[1]) == 0;
    const char *by = same_text && f->rule != RULE_TABLE ? " (by what it refers to)" : "";
    if (f->rule == RULE_TABLE) diff__message(d, f, "table %s has other entries", f->table ? f->table : "behind it");
    else if (f->rule == RULE_REJECT_MESSAGE) diff__message(d, f, "another reason for setting rows aside");
    else if (f->verdict == DIFF_UNDECIDED) diff__message(d, f, "written differently%s; no row of %u tried shows a difference", by, (unsigned)f->tries);
    else diff__message(d, f, "another value for some rows%s", by);
}

/* What is found when the two diagrams part, or when there are none. */
static void rule_finding(struct diff *d, struct duel *duel, const struct scope *sc, size_t fa, size_t fb, struct dd *f, struct dd *g, enum norm_verdict v,
                         const struct norm_path *paths, size_t npaths)
{
    const struct image_field *x = &sc->fl[0]->fields[fa], *y = &sc->fl[1]->fields[fb];
    struct stake s = diff__stake(sc, STAKE_FIELD);
    s.field[0] = fa;
    s.field[1] = fb;
    s.messages = v == NORM_MESSAGE;
    struct diff_finding *out = field_finding(d, sc, v == NORM_MESSAGE ? RULE_REJECT_MESSAGE : RULE_RULE, x, y, hash_bytes(&x->hash), hash_bytes(&y->hash));
    bool found = diff__search(d, duel, &s, f, g, paths, npaths, out);
    enum diff_rule rule = found || v == NORM_MESSAGE ? out->rule : RULE_RULE_UNDECIDED;
    if (f && v == NORM_PARTS && diff__tables(d, duel, sc, fa, fb, out) && found) rule = RULE_TABLE;
    diff__again(out, rule, str_of(out->flow), str_of(out->field), hash_bytes(&x->hash), hash_bytes(&y->hash));
    message_of_rule(d, out);
    if (strcmp(out->text[0], out->text[1]) == 0) diff__where(d, sc, y->name, out);
}

/* Of two list fields without diagrams: the same but for what makes a line. */
static bool same_frame(struct diff *d, const struct image_field *x, const struct image_field *y)
{
    return x->expr.n && y->expr.n && strcmp(diff__frame_text(d, rule_text(d, x)), diff__frame_text(d, rule_text(d, y))) == 0;
}

static void compare_rule(struct diff *d, struct duel *duel, const struct scope *sc, size_t fa, size_t fb)
{
    const struct image_field *x = &sc->fl[0]->fields[fa], *y = &sc->fl[1]->fields[fb];
    const struct norm_flow *p = sc->norm[0], *q = sc->norm[1];
    struct norm_path paths[DIFF_PATHS];
    size_t npaths = 0, findings = d->n, equal = d->equal;
    if (hash_eq(&x->hash, &y->hash)) return;
    bool usable = p->usable && q->usable && p->fields[fa].rule && q->fields[fb].rule;
    struct dd *f = usable ? p->fields[fa].rule : NULL, *g = usable ? q->fields[fb].rule : NULL;
    enum norm_verdict v = usable ? norm_compare(&duel->norm, f, g, paths, DIFF_PATHS, &npaths) : NORM_PARTS;
    bool lines = x->lines && y->lines;
    if (lines) diff__lines(d, duel, fa, fb);
    if (lines && !usable && d->n > findings && same_frame(d, x, y)) return;
    if (v != NORM_SAME) rule_finding(d, duel, sc, fa, fb, f, g, v, paths, npaths);
    else if (x->mode == y->mode && d->n == findings && d->equal == equal) d->equal++;
}

static void one_sided(struct diff *d, const struct scope *sc, int side, size_t at)
{
    const struct image_field *x = &sc->fl[side]->fields[at];
    struct str empty = {"", 0}, form = hash_bytes(&x->hash), name = diff__field_name(d, sc, x->name);
    struct diff_finding *f = diff__add(d, side ? RULE_FIELD_ADDED : RULE_FIELD_REMOVED, sc->flow[1]->name, name, side ? empty : form, side ? form : empty);
    f->text[side] = arena_printf(d->arena, "%s%s", mode_word(x), rule_text(d, x));
    f->at[side] = place_of(d, sc, side, x);
    f->at[1 - side] = sc->line ? diff__place_line_part(d, 1 - side, sc->flow[1 - side], &sc->flow[1 - side]->fields[sc->list[1 - side]], PART_FLOW)
                               : diff__place_flow(d, 1 - side, sc->flow[1 - side], PART_FLOW);
    diff__message(d, f, "%.*s is %s", (int)x->name.n, x->name.p, side ? "written now" : "no longer written");
}

void diff__fields(struct diff *d, struct duel *duel, const struct scope *sc)
{
    const struct image_flow *a = sc->fl[0], *b = sc->fl[1];
    for (size_t i = 0; i < b->nfields; i++) {
        if (!ruled(&b->fields[i])) continue;
        int was = ruled_named(a, b->fields[i].name);
        if (was < 0) {
            one_sided(d, sc, 1, i);
            continue;
        }
        compare_mode(d, sc, &a->fields[was], &b->fields[i]);
        compare_rule(d, duel, sc, (size_t)was, i);
    }
    for (size_t i = 0; i < a->nfields; i++)
        if (ruled(&a->fields[i]) && ruled_named(b, a->fields[i].name) < 0) one_sided(d, sc, 0, i);
}
