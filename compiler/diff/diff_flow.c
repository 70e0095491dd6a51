/* diff_flow.c - two versions of one flow: what it reads, its key, schedule, events. Filters and other programs with one result are diff_program.c's,
 * fields diff_field.c's. */
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
    if (!a->into && !b->into) compare_texts(d, RULE_TARGET_MODULE, a, b, PART_FLOW, "writes to", dotted(d, a->target, a->module), dotted(d, b->target, b->module));
}

/* The flow to whose records this one adds fields, "" when it has its own. */
static const char *into(struct diff *d, int side, const struct image_flow *fl)
{
    return fl->into ? diff__text(d, d->side[side].im->flows[fl->into - 1].name) : "";
}

/* A flow that adds to another's records has no key of its own. */
static void compare_key(struct diff *d, const struct image_flow *a, const struct image_flow *b)
{
    compare_texts(d, RULE_INTO, a, b, PART_INTO, "adds to the records of", into(d, 0, a), into(d, 1, b));
    if (a->into || b->into) return;
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

/* ---- the whole flow ---- */

void diff__flow(struct diff *d, const struct image_flow *a, const struct image_flow *b)
{
    static const enum flow_part parts[] = {PART_WHEN, PART_ADOPT, PART_KEY, PART_INTO};
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
    struct scope whole = diff__scope(&duel);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) diff__program(d, &duel, &whole, parts[i]);
    diff__fields(d, &duel, &whole);
    duel_close(&duel);
    arena_free(&mem);
}
