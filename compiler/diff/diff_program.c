/* diff_program.c - programs with one result: which rows a flow takes, what their key is, which records it adopts or adds to; and of lines, which are
 * taken and what their key is. */
#include "compiler/diff/diff_private.h"
#include "base/check.h"

struct program_part { enum flow_part part; bool line; enum stake_kind stake; enum diff_rule rule, open /* no row shows it */; const char *differs, *undecided; };
static const struct program_part parts[] = {
    {PART_WHEN, false, STAKE_WHEN, RULE_FILTER, RULE_FILTER_UNDECIDED, "other rows are taken", "when is written differently"},
    {PART_ADOPT, false, STAKE_ADOPT, RULE_ADOPT, RULE_ADOPT_UNDECIDED, "records that people made are recognised in another way", "adopt is written differently"},
    {PART_KEY, false, STAKE_KEY, RULE_KEY_FORM, RULE_KEY_FORM, "rows get another key", "the key is written differently"},
    {PART_INTO, false, STAKE_INTO, RULE_INTO_RECORD, RULE_INTO_UNDECIDED, "rows add to other records", "into is written differently"},
    {PART_WHEN, true, STAKE_WHEN, RULE_LINE_FILTER, RULE_LINE_FILTER_UNDECIDED, "other lines are taken", "when is written differently"},
    {PART_KEY, true, STAKE_KEY, RULE_LINE_KEY, RULE_LINE_KEY, "lines get another key", "the key is written differently"},
};

static const struct program_part *part_of(enum flow_part part, bool line)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].part == part && parts[i].line == line) return &parts[i];
    check_failed("no such program", __FILE__, __LINE__);
}

static const struct image_program *program(const struct image_flow *fl, enum flow_part part)
{
    return part == PART_WHEN ? &fl->when : part == PART_ADOPT ? &fl->adopt_program : part == PART_KEY ? &fl->key_program : &fl->into_program;
}

static struct dd *diagram(const struct norm_flow *n, enum flow_part part)
{
    return !n->usable ? NULL : part == PART_WHEN ? n->when : part == PART_ADOPT ? n->adopt : part == PART_KEY ? n->key : n->into;
}

/* The program as bytes, and the field of an adopt rule: what fingerprints and equality rest on. */
static struct buf form_of(const struct diff *d, const struct scope *sc, int side, enum flow_part part)
{
    struct buf b = {0};
    const struct image_flow *fl = sc->fl[side];
    if (program(fl, part)->ninstr) norm_program(d->side[side].im, fl, program(fl, part), sc->line ? sc->flow[side]->ncolumns : SIZE_MAX, &b);
    if (part == PART_ADOPT) buf_blob(&b, fl->adopt_field);
    return b;
}

static const char *text_of(struct diff *d, const struct scope *sc, int side, enum flow_part part)
{
    const struct image_flow *fl = sc->fl[side];
    const struct dd *f = diagram(sc->norm[side], part);
    const char *s = sc->line ? diff__line_text(d, side, sc->flow[side], &sc->flow[side]->fields[sc->list[side]], part) : diff__source_text(d, side, fl, part);
    struct buf b = {0};
    if (s && *s) return s;
    if (program(fl, part)->ninstr == 0) return part == PART_KEY ? "company and key columns" : "";
    if (part == PART_ADOPT) buf_printf(&b, "%.*s == ", (int)fl->adopt_field.n, fl->adopt_field.p);
    if (f) norm_print(&b, f);
    else buf_puts(&b, "(compiled)");
    return diff__buf(d, &b);
}

static struct diff_place place_of(struct diff *d, const struct scope *sc, int side, enum flow_part part)
{
    if (!sc->line) return diff__place_flow(d, side, sc->fl[side], part);
    return diff__place_line_part(d, side, sc->flow[side], &sc->flow[side]->fields[sc->list[side]], part);
}

static void finding(struct diff *d, struct duel *duel, const struct scope *sc, const struct program_part *pp, struct str old_form, struct str new_form, bool search,
                    enum norm_verdict v, const struct norm_path *paths, size_t npaths)
{
    struct dd *f = diagram(sc->norm[0], pp->part), *g = diagram(sc->norm[1], pp->part);
    struct stake s = diff__stake(sc, pp->stake);
    s.messages = v == NORM_MESSAGE;
    struct diff_finding *out = diff__add(d, pp->rule, sc->flow[1]->name, sc->field, old_form, new_form);
    for (int k = 0; k < 2; k++) {
        out->text[k] = text_of(d, sc, k, pp->part);
        out->at[k] = place_of(d, sc, k, pp->part);
    }
    bool found = !search || diff__search(d, duel, &s, f, g, paths, npaths, out);
    if (s.messages || !found) diff__again(out, s.messages ? RULE_REJECT_MESSAGE : pp->open, sc->flow[1]->name, sc->field, old_form, new_form);
    if (s.messages) diff__message(d, out, "another reason for setting rows aside");
    else if (out->verdict == DIFF_UNDECIDED) diff__message(d, out, "%s; no row of %u tried shows a difference", pp->undecided, (unsigned)out->tries);
    else diff__message(d, out, "%s", pp->differs);
}

/* Of lines: where nobody comes to them, nothing is asked; nor for the key of a line that is left out. */
static struct dd *asked(struct norm *u, const struct scope *sc, int side, enum flow_part part)
{
    const struct norm_flow *n = sc->norm[side];
    struct dd *f = diagram(n, part);
    if (!f || !sc->line) return f;
    if (part == PART_KEY) f = norm_ite(u, n->when, f, u->out);
    return norm_ite(u, n->reach, f, u->out);
}

/* Both add to the records of one flow, or to none's. */
static bool same_into(const struct diff *d, const struct image_flow *a, const struct image_flow *b)
{
    if (!a->into || !b->into) return a->into == b->into;
    return str_eq(d->side[0].im->flows[a->into - 1].name, d->side[1].im->flows[b->into - 1].name);
}

void diff__program(struct diff *d, struct duel *duel, const struct scope *sc, enum flow_part part)
{
    const struct image_flow *a = sc->fl[0], *b = sc->fl[1];
    struct dd *f = asked(&duel->norm, sc, 0, part), *g = asked(&duel->norm, sc, 1, part);
    struct buf old_form = form_of(d, sc, 0, part), new_form = form_of(d, sc, 1, part);
    struct norm_path paths[DIFF_PATHS];
    size_t npaths = 0;
    enum norm_verdict v = NORM_PARTS;
    bool same = str_eq(buf_view(&old_form), buf_view(&new_form));
    bool other_field = part == PART_ADOPT && !str_eq(a->adopt_field, b->adopt_field);
    /* a rule, or a key, that one version has and the other has not: there is nothing to run side by side */
    bool one = part != PART_WHEN && (program(a, part)->ninstr == 0) != (program(b, part)->ninstr == 0);
    bool told = part == PART_INTO && (one || !same_into(d, a, b));                  /* diff_flow.c has said so */
    if (!same && !other_field && !one && f && g) v = norm_compare(&duel->norm, f, g, paths, DIFF_PATHS, &npaths);
    same = same || v == NORM_SAME;
    if (!same && !told) finding(d, duel, sc, part_of(part, sc->line), buf_view(&old_form), buf_view(&new_form), !other_field && !one, v, paths, npaths);
    buf_free(&old_form);
    buf_free(&new_form);
}
