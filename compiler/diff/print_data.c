/* print_data.c - findings as JSON (docs/diff.md describes it) and as SARIF 2.1.0 for code scanning. */
#include "compiler/diff/print.h"
#include "dsl/sarif.h"
#include "value/json.h"

static void put_text(struct buf *out, const char *s)
{
    if (s) json_put_string(out, str_of(s));
    else buf_puts(out, "null");
}

static void member(struct buf *out, const char *name, const char *s)
{
    buf_printf(out, ",\"%s\":", name);
    put_text(out, s);
}

/* ---- json ---- */

static void json_side(struct buf *out, const char *name, const struct diff_finding *f, int k)
{
    buf_printf(out, ",\"%s\":", name);
    if (!f->at[k].file && !f->text[k]) {
        buf_puts(out, "null");
        return;
    }
    buf_puts(out, "{\"file\":");
    put_text(out, f->at[k].file);
    if (f->at[k].line) buf_printf(out, ",\"line\":%u", (unsigned)f->at[k].line);
    else buf_puts(out, ",\"line\":null");
    member(out, "text", f->text[k]);
    buf_byte(out, '}');
}

static void json_witness(struct buf *out, const struct diff_witness *w)
{
    buf_puts(out, ",\"witness\":");
    if (!w) {
        buf_puts(out, "null");
        return;
    }
    buf_puts(out, "{\"columns\":{");
    for (size_t i = 0; i < w->n; i++) {
        if (i) buf_byte(out, ',');
        json_put_string(out, w->cells[i].column);
        buf_printf(out, ":%s", w->cells[i].json);
    }
    buf_printf(out, "},\"row\":%s", w->row);
    member(out, "old", w->result[0]);
    member(out, "new", w->result[1]);
    buf_byte(out, '}');
}

static void json_entries(struct buf *out, const struct diff_finding *f)
{
    member(out, "table", f->table);
    buf_puts(out, ",\"entries\":[");
    for (size_t i = 0; i < f->nentries; i++) {
        const struct diff_entry *e = &f->entries[i];
        buf_puts(out, i ? ",{\"key\":" : "{\"key\":");
        if (strcmp(e->key, "else") == 0) buf_puts(out, "null,\"else\":true");
        else buf_printf(out, "%s,\"else\":false", e->key);
        buf_printf(out, ",\"old\":%s,\"new\":%s", e->old_value ? e->old_value : "null", e->new_value ? e->new_value : "null");
        buf_printf(out, ",\"change\":\"%s\"}", !e->old_value ? "added" : !e->new_value ? "removed" : "changed");
    }
    buf_byte(out, ']');
}

static void json_finding(struct buf *out, const struct diff_finding *f)
{
    const struct diff_rule_info *r = &diff_rules[f->rule];
    buf_printf(out, "{\"rule\":\"%s\",\"name\":\"%s\",\"category\":\"%s\"", r->id, r->name, diff_category_name(r->category));
    member(out, "flow", f->flow);
    member(out, "field", f->flow ? f->field : NULL);
    member(out, "subject", f->subject);
    member(out, "message", f->message);
    member(out, "verdict", f->verdict ? print__verdict(f) : NULL);
    buf_printf(out, ",\"tries\":%u", (unsigned)f->tries);
    json_side(out, "old", f, 0);
    json_side(out, "new", f, 1);
    json_witness(out, f->witness);
    if (f->nentries) json_entries(out, f);
    member(out, "fingerprint", f->fingerprint);
    member(out, "approved", f->approved ? f->approved->rest : NULL);
    buf_byte(out, '}');
}

void print__json(const struct diff *d, const struct approvals *ap, struct buf *out)
{
    struct diff_counts c;
    bool first = true;
    print__count(d, &c);
    buf_puts(out, "{\"format\":\"mlc-diff/1\"");
    member(out, "old", d->side[0].shown);
    member(out, "new", d->side[1].shown);
    buf_printf(out, ",\"equal\":%zu,\"approved\":%zu,\"counts\":{", d->equal, c.approved);
    for (unsigned i = 0; i < DIFF_CATEGORIES; i++) buf_printf(out, "%s\"%s\":%zu", i ? "," : "", diff_category_name((enum diff_category)i), c.of[i]);
    buf_puts(out, "},\"findings\":[");
    for (const struct diff_finding *f = d->first; f != NULL; f = f->next) {
        buf_puts(out, f == d->first ? "\n" : ",\n");
        json_finding(out, f);
    }
    buf_puts(out, "],\"stale\":[");
    for (const struct approval *a = ap ? ap->first : NULL; a != NULL; a = a->next) {
        if (a->used) continue;
        buf_printf(out, "%s{\"line\":%u", first ? "" : ",", (unsigned)a->line);
        member(out, "fingerprint", a->fingerprint);
        member(out, "text", a->rest);
        buf_byte(out, '}');
        first = false;
    }
    buf_puts(out, "]}\n");
}

/* ---- sarif ---- */

static enum sarif_level level(enum diff_category c)
{
    static const enum sarif_level levels[DIFF_CATEGORIES] = {SARIF_ERROR, SARIF_WARNING, SARIF_WARNING, SARIF_NOTE};
    return levels[c];
}

/* Without its column: a finding is about a whole line. */
static struct sarif_place sarif_place_of(const struct diff_place *p)
{
    return (struct sarif_place){.file = p->file ? str_of(p->file) : (struct str){"", 0}, .line = p->line};
}

static void sarif_message(struct buf *out, const struct diff_finding *f)
{
    const struct diff_witness *w = f->witness;
    buf_printf(out, "%s: %s", f->subject, f->message);
    if (f->verdict) buf_printf(out, " [%s]", print__verdict(f));
    if (!w) return;
    buf_puts(out, ". A row with");
    if (w->n == 0) buf_puts(out, " anything");
    for (size_t i = 0; i < w->n; i++)
        buf_printf(out, "%s %.*s = %s", i ? "," : "", (int)w->cells[i].column.n, w->cells[i].column.p, w->cells[i].json);
    buf_printf(out, " gives %s, was %s", w->result[1], w->result[0]);
}

static void put_result(struct sarif *s, const struct diff_finding *f)
{
    const struct diff_rule_info *r = &diff_rules[f->rule];
    struct buf message = {0};
    int here = f->at[1].file ? 1 : 0, there = 1 - here;
    struct sarif_related other = {sarif_place_of(&f->at[there]), there ? "is" : "was", NULL};
    sarif_message(&message, f);
    struct sarif_result out = {.rule = f->rule, .rule_id = r->id, .level = level(r->category), .message = buf_view(&message), .at = sarif_place_of(&f->at[here]),
                               .related = f->at[there].file ? &other : NULL, .fingerprint_name = "mlcDiff/v1", .fingerprint = f->fingerprint,
                               .category = diff_category_name(r->category), .accepted = f->approved ? f->approved->rest : NULL};
    sarif_result(s, &out);
    buf_free(&message);
}

void print__sarif(const struct diff *d, struct buf *out)
{
    struct sarif s;
    sarif_begin(&s, out, "mlc diff");
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        const struct diff_rule_info *r = &diff_rules[i];
        struct sarif_rule rule = {.id = r->id, .name = r->name, .meaning = r->meaning, .category = diff_category_name(r->category), .level = level(r->category)};
        sarif_rule(&s, &rule);
    }
    sarif_results(&s);
    for (const struct diff_finding *f = d->first; f != NULL; f = f->next) put_result(&s, f);
    sarif_end(&s);
}
