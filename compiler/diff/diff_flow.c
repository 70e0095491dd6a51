/* diff_flow.c - two versions of one flow: what it reads, its key, filter, schedule, events; its fields are diff_field.c's. */
#include "compiler/diff/diff_private.h"
#include "base/check.h"
#include "value/json.h"
#include <stdio.h>
#include <stdlib.h>

static const struct str none = {"", 0};

/* A finding about one part of the flow whose texts are its forms. */
static struct diff_finding *part_finding(struct diff *d, enum diff_rule rule, const struct image_flow *a, const struct image_flow *b, enum flow_part part,
                                         const char *old_text, const char *new_text)
{
    struct diff_finding *f = diff__add(d, rule, b->name, none, str_of(old_text), str_of(new_text));
    f->text[0] = old_text;
    f->text[1] = new_text;
    f->at[0] = diff__place_flow(d, 0, a, part);
    f->at[1] = diff__place_flow(d, 1, b, part);
    return f;
}

static void compare_texts(struct diff *d, enum diff_rule rule, const struct image_flow *a, const struct image_flow *b, enum flow_part part, const char *what,
                          const char *old_text, const char *new_text)
{
    if (strcmp(old_text, new_text) == 0) return;
    struct diff_finding *f = part_finding(d, rule, a, b, part, old_text, new_text);
    f->said = true;
    diff__message(d, f, "%s %s, was %s", what, *new_text ? new_text : "none", *old_text ? old_text : "none");
}

/* ---- texts of parts ---- */

static const char *duration(struct diff *d, int64_t ms)
{
    static const struct { int64_t ms; const char *unit; } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    if (ms == 0) return "";
    size_t i = 0;
    while (ms % units[i].ms) i++;
    return arena_printf(d->arena, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

static const char *dotted(struct diff *d, struct str a, struct str b)
{
    return arena_printf(d->arena, "%.*s.%.*s", (int)a.n, a.p, (int)b.n, b.p);
}

static int by_str(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

static const char *list(struct diff *d, struct str *names, size_t n, bool sorted)
{
    struct buf b = {0};
    if (sorted && n) qsort(names, n, sizeof *names, by_str);
    for (size_t i = 0; i < n; i++) {
        if (i) buf_puts(&b, ", ");
        buf_str(&b, names[i]);
    }
    return diff__buf(d, &b);
}

static const char *companies(struct diff *d, const struct image_flow *fl)
{
    struct str *names = ARENA_ARRAY(d->arena, struct str, fl->ncompanies + 1);
    if (fl->ncompanies) memcpy(names, fl->companies, fl->ncompanies * sizeof *names);
    return list(d, names, fl->ncompanies, true);
}

/* "erp.AR_Customer", or of several companies "abc.AP_Vendor, def.AP_Vendor" */
static const char *source(struct diff *d, const struct image_flow *fl)
{
    struct str *names = ARENA_ARRAY(d->arena, struct str, fl->ncompanies + 1);
    for (size_t i = 0; i < fl->ncompanies; i++) names[i] = str_of(dotted(d, fl->company_sources[i], fl->entity));
    return fl->ncompanies > 1 ? list(d, names, fl->ncompanies, true) : dotted(d, fl->source, fl->entity);
}

static const char *key_columns(struct diff *d, const struct image_flow *fl)
{
    struct str names[LIMIT_KEY_PARTS];
    for (size_t i = 0; i < fl->nkeys && i < LIMIT_KEY_PARTS; i++) names[i] = fl->columns[fl->key_columns[i]].name;
    return list(d, names, fl->nkeys, false);
}

static const char *fuse(struct diff *d, const struct image_flow *fl)
{
    if (fl->fuse_count == 0 && fl->fuse_percent == 0) return "";
    unsigned whole = fl->fuse_percent / 100, part = fl->fuse_percent % 100;
    const char *percent = part ? arena_printf(d->arena, "%u.%02u%%", whole, part) : arena_printf(d->arena, "%u%%", whole);
    if (fl->fuse_count == 0) return percent;
    return fl->fuse_percent ? arena_printf(d->arena, "%u or %s", (unsigned)fl->fuse_count, percent) : arena_printf(d->arena, "%u", (unsigned)fl->fuse_count);
}

struct set_line { struct str name; const struct value *value; };

static int by_line(const void *a, const void *b) { return str_cmp(((const struct set_line *)a)->name, ((const struct set_line *)b)->name); }

static const char *event(struct diff *d, const struct image_flow *fl, const struct image_event *ev)
{
    struct buf b = {0};
    if (!ev->present) return "";
    struct set_line *lines = ARENA_ARRAY(d->arena, struct set_line, ev->n + 1);
    for (size_t i = 0; i < ev->n; i++) lines[i] = (struct set_line){fl->fields[ev->fields[i]].name, &ev->values[i]};
    if (ev->n) qsort(lines, ev->n, sizeof *lines, by_line);
    buf_puts(&b, "set {");
    for (size_t i = 0; i < ev->n; i++) {
        buf_printf(&b, " %.*s = ", (int)lines[i].name.n, lines[i].name.p);
        value_json(&b, lines[i].value);
    }
    buf_puts(&b, " }");
    return diff__buf(d, &b);
}

static const char *triggers(struct diff *d, const struct image_flow *fl)
{
    struct str words[3];
    size_t n = 0;
    if (fl->trigger_workflow) words[n++] = STR("workflow");
    if (fl->trigger_approval) words[n++] = STR("approval");
    if (fl->trigger_blueprint) words[n++] = STR("blueprint");
    return list(d, words, n, false);
}

/* ---- parts that are settings ---- */

static void compare_source(struct diff *d, const struct image_flow *a, const struct image_flow *b)
{
    compare_texts(d, RULE_SOURCE_ENTITY, a, b, PART_FLOW, "reads", source(d, a), source(d, b));
    compare_texts(d, RULE_SOURCE_COMPANIES, a, b, PART_FLOW, "companies", companies(d, a), companies(d, b));
    compare_texts(d, RULE_DOOR, a, b, PART_FLOW, "via", diff__text(d, a->via), diff__text(d, b->via));
    compare_texts(d, RULE_TARGET_MODULE, a, b, PART_FLOW, "writes to", dotted(d, a->target, a->module), dotted(d, b->target, b->module));
}

static void compare_key(struct diff *d, const struct image_flow *a, const struct image_flow *b)
{
    compare_texts(d, RULE_KEY_COLUMNS, a, b, PART_KEY, "key columns", key_columns(d, a), key_columns(d, b));
    compare_texts(d, RULE_KEY_FIELD, a, b, PART_KEY, "key field", diff__text(d, a->fields[a->key_field].name), diff__text(d, b->fields[b->key_field].name));
    const char *old_form = a->key_with_flow ? diff__text(d, a->name) : "", *new_form = b->key_with_flow ? diff__text(d, b->name) : "";
    compare_texts(d, RULE_KEY_FORM, a, b, PART_KEY, "name in front of the key", old_form, new_form);
}

/* A limit of 0 is none at all. */
static bool looser(uint32_t was, uint32_t is) { return was != 0 && (is == 0 || is > was); }

static void compare_fuse(struct diff *d, const struct image_flow *a, const struct image_flow *b)
{
    bool off = b->fuse_count == 0 && b->fuse_percent == 0, was_off = a->fuse_count == 0 && a->fuse_percent == 0;
    bool more = (off && !was_off) || (!was_off && (looser(a->fuse_count, b->fuse_count) || looser(a->fuse_percent, b->fuse_percent)));
    compare_texts(d, more ? RULE_FUSE_LOOSER : RULE_FUSE_TIGHTER, a, b, PART_FUSE, "fuse", fuse(d, a), fuse(d, b));
}

static void compare_settings(struct diff *d, const struct image_flow *a, const struct image_flow *b)
{
    compare_texts(d, RULE_SCHEDULE, a, b, PART_EVERY, "every", duration(d, a->every_ms), duration(d, b->every_ms));
    bool both = a->reread_ms && b->reread_ms;
    compare_texts(d, both ? RULE_SCHEDULE : RULE_REREAD, a, b, PART_REREAD, "reread every", duration(d, a->reread_ms), duration(d, b->reread_ms));
    compare_fuse(d, a, b);
    compare_texts(d, RULE_ON_LEAVE, a, b, PART_LEAVE, "on leave", event(d, a, &a->on_leave), event(d, b, &b->on_leave));
    compare_texts(d, RULE_ON_DELETE, a, b, PART_DELETE, "on delete", event(d, a, &a->on_delete), event(d, b, &b->on_delete));
    compare_texts(d, RULE_TRIGGER, a, b, PART_TRIGGER, "trigger", triggers(d, a), triggers(d, b));
    compare_texts(d, RULE_GUARD, a, b, PART_GUARD, "guard", a->guard ? "on" : "", b->guard ? "on" : "");
}

/* ---- filter, adopt rule, key of one's own ---- */

struct program_part { enum flow_part part; enum stake_kind stake; enum diff_rule rule, open; const char *differs, *undecided; };
static const struct program_part program_parts[] = {
    {PART_WHEN, STAKE_WHEN, RULE_FILTER, RULE_FILTER_UNDECIDED, "other rows are taken", "when is written differently"},
    {PART_ADOPT, STAKE_ADOPT, RULE_ADOPT, RULE_ADOPT_UNDECIDED, "records that people made are recognised in another way", "adopt is written differently"},
    {PART_KEY, STAKE_KEY, RULE_KEY_FORM, RULE_KEY_FORM, "rows get another key", "the key is written differently"},
};

static const struct image_program *program(const struct image_flow *fl, enum flow_part part)
{
    return part == PART_WHEN ? &fl->when : part == PART_ADOPT ? &fl->adopt_program : &fl->key_program;
}

static struct dd *diagram(const struct norm_flow *n, enum flow_part part)
{
    return !n->usable ? NULL : part == PART_WHEN ? n->when : part == PART_ADOPT ? n->adopt : n->key;
}

/* The program as bytes, and the field of an adopt rule: what fingerprints and equality rest on. */
static struct buf program_form(const struct image *im, const struct image_flow *fl, enum flow_part part)
{
    struct buf b = {0};
    if (program(fl, part)->ninstr) norm_program(im, fl, program(fl, part), &b);
    if (part == PART_ADOPT) buf_blob(&b, fl->adopt_field);
    return b;
}

static const char *condition_text(struct diff *d, int side, const struct image_flow *fl, enum flow_part part, const struct dd *f)
{
    const char *s = diff__source_text(d, side, fl, part);
    struct buf b = {0};
    if (s && *s) return s;
    if (program(fl, part)->ninstr == 0) return part == PART_KEY ? "company and key columns" : "";
    if (part == PART_ADOPT) buf_printf(&b, "%.*s == ", (int)fl->adopt_field.n, fl->adopt_field.p);
    if (f) norm_print(&b, f);
    else buf_puts(&b, "(compiled)");
    return diff__buf(d, &b);
}

static void program_finding(struct diff *d, struct duel *duel, const struct program_part *pp, struct str old_form, struct str new_form, bool search,
                            const struct norm_path *paths, size_t npaths)
{
    const struct image_flow *a = duel->side[0].fl, *b = duel->side[1].fl;
    struct dd *f = diagram(&duel->side[0].norm, pp->part), *g = diagram(&duel->side[1].norm, pp->part);
    struct stake s = {.kind = pp->stake};
    struct diff_finding *out = diff__add(d, pp->rule, b->name, none, old_form, new_form);
    out->text[0] = condition_text(d, 0, a, pp->part, f);
    out->text[1] = condition_text(d, 1, b, pp->part, g);
    out->at[0] = diff__place_flow(d, 0, a, pp->part);
    out->at[1] = diff__place_flow(d, 1, b, pp->part);
    if (search && !diff__search(d, duel, &s, f, g, paths, npaths, out)) diff__again(out, pp->open, b->name, none, old_form, new_form);
    if (out->verdict == DIFF_UNDECIDED) diff__message(d, out, "%s; no row of %u tried shows a difference", pp->undecided, (unsigned)out->tries);
    else diff__message(d, out, "%s", pp->differs);
}

static void compare_program(struct diff *d, struct duel *duel, const struct program_part *pp)
{
    const struct image_flow *a = duel->side[0].fl, *b = duel->side[1].fl;
    struct dd *f = diagram(&duel->side[0].norm, pp->part), *g = diagram(&duel->side[1].norm, pp->part);
    struct buf old_form = program_form(d->side[0].im, a, pp->part), new_form = program_form(d->side[1].im, b, pp->part);
    struct norm_path paths[DIFF_PATHS];
    size_t npaths = 0;
    bool same = str_eq(buf_view(&old_form), buf_view(&new_form));
    bool other_field = pp->part == PART_ADOPT && !str_eq(a->adopt_field, b->adopt_field);
    /* a rule, or a key, that one version has and the other has not: there is nothing to run side by side */
    bool one = pp->part != PART_WHEN && (program(a, pp->part)->ninstr == 0) != (program(b, pp->part)->ninstr == 0);
    if (!same && !other_field && !one && f && g) same = norm_compare(&duel->norm, f, g, paths, DIFF_PATHS, &npaths) == NORM_SAME;
    if (!same) program_finding(d, duel, pp, buf_view(&old_form), buf_view(&new_form), !other_field && !one, paths, npaths);
    buf_free(&old_form);
    buf_free(&new_form);
}

/* ---- the whole flow ---- */

void diff__flow(struct diff *d, const struct image_flow *a, const struct image_flow *b)
{
    struct duel duel;
    struct arena mem;
    if (!str_eq(a->name, b->name)) {
        struct diff_finding *f = part_finding(d, RULE_FLOW_MOVED, a, b, PART_MOVED, diff__text(d, a->name), diff__text(d, b->name));
        f->said = true;
        diff__message(d, f, "flow %s was %s", f->text[1], f->text[0]);
    }
    compare_source(d, a, b);
    compare_key(d, a, b);
    compare_settings(d, a, b);
    diff__field_types(d, a, b);
    if (hash_eq(&a->hash, &b->hash) && !diff__columns_differ(a, b)) return;      /* no rule differs */
    arena_init(&mem, 0);
    duel_open(&duel, &mem, d->side[0].im, a, d->side[1].im, b);
    diff__columns(d, &duel);
    for (size_t i = 0; i < sizeof program_parts / sizeof *program_parts; i++) compare_program(d, &duel, &program_parts[i]);
    diff__fields(d, &duel);
    duel_close(&duel);
    arena_free(&mem);
}
