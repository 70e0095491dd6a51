/* print.c - findings for people at a terminal and in a pull request; print_data.c has the forms for programs. */
#include "compiler/diff/print.h"
#include <stdio.h>

enum { ENTRIES_SHOWN = 20, MARKDOWN_BYTES = 48000 /* GitHub refuses a comment of more than 65,536 characters */ };

bool diff_format_find(const char *name, enum diff_format *out)
{
    static const char *const names[DIFF_FORMATS] = {"text", "json", "markdown", "sarif"};
    for (unsigned i = 0; i < DIFF_FORMATS; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum diff_format)i;
            return true;
        }
    return false;
}

void print__count(const struct diff *d, struct diff_counts *c)
{
    *c = (struct diff_counts){.all = d->n};
    for (const struct diff_finding *f = d->first; f != NULL; f = f->next) {
        c->of[diff_rules[f->rule].category]++;
        c->approved += f->approved != NULL;
    }
}

const char *print__verdict(const struct diff_finding *f)
{
    return f->verdict == DIFF_DIFFERENT ? "DIFFERENT" : f->verdict == DIFF_UNDECIDED ? "UNDECIDED" : "";
}

static void put_place(struct buf *out, const struct diff_place *p)
{
    if (!p->file) buf_puts(out, "-");
    else if (p->line) buf_printf(out, "%s:%u", p->file, (unsigned)p->line);
    else buf_puts(out, p->file);
}

static void put_summary(struct buf *out, const struct diff *d)
{
    struct diff_counts c;
    print__count(d, &c);
    if (c.all == 0) buf_puts(out, "no difference in meaning");
    else buf_printf(out, "%zu finding%s", c.all, c.all == 1 ? "" : "s");
    const char *before = ": ";
    for (unsigned i = 0; i < DIFF_CATEGORIES; i++) {
        if (c.of[i] == 0) continue;
        buf_printf(out, "%s%zu %s", before, c.of[i], diff_category_name((enum diff_category)i));
        before = ", ";
    }
    if (c.approved) buf_printf(out, "; %zu approved", c.approved);
    if (d->equal) buf_printf(out, "; %zu rule%s written differently, EQUAL in meaning", d->equal, d->equal == 1 ? " is" : "s are");
    buf_byte(out, '\n');
}

/* ---- text ---- */

static void text_witness(struct buf *out, const struct diff_witness *w)
{
    buf_puts(out, "    row   ");
    if (w->n == 0 || w->cells[0].aside) buf_puts(out, "any");
    for (size_t i = 0; i < w->n; i++) {
        bool aside = w->cells[i].aside, before = i > 0 && w->cells[i - 1].aside;
        buf_printf(out, "%s%.*s = %s", aside && !before ? "  (with " : i ? "  " : "", (int)w->cells[i].column.n, w->cells[i].column.p, w->cells[i].json);
    }
    if (w->n && w->cells[w->n - 1].aside) buf_byte(out, ')');
    buf_printf(out, "\n    gives %s, was %s\n", w->result[1], w->result[0]);
}

static void text_entries(struct buf *out, const struct diff_finding *f)
{
    for (size_t i = 0; i < f->nentries && i < ENTRIES_SHOWN; i++) {
        const struct diff_entry *e = &f->entries[i];
        if (!e->old_value) buf_printf(out, "    + %s => %s\n", e->key, e->new_value);
        else if (!e->new_value) buf_printf(out, "    - %s => %s\n", e->key, e->old_value);
        else buf_printf(out, "    ~ %s => %s, was %s\n", e->key, e->new_value, e->old_value);
    }
    if (f->nentries > ENTRIES_SHOWN) buf_printf(out, "    and %zu more entries\n", f->nentries - ENTRIES_SHOWN);
}

static void text_finding(struct buf *out, const struct diff_finding *f)
{
    const struct diff_rule_info *r = &diff_rules[f->rule];
    buf_printf(out, "%s %s %s: %s%s%s%s\n", r->id, diff_category_name(r->category), f->subject, f->message, f->verdict ? " [" : "", print__verdict(f), f->verdict ? "]" : "");
    for (int k = 0; k < 2; k++) {
        if (!f->at[k].file && !f->text[k]) continue;
        buf_printf(out, "  %c ", k ? '+' : '-');
        put_place(out, &f->at[k]);
        if (f->text[k] && *f->text[k] && !f->said) buf_printf(out, "  %s", f->text[k]);
        buf_byte(out, '\n');
    }
    text_entries(out, f);
    if (f->witness) text_witness(out, f->witness);
    if (f->approved) buf_printf(out, "    approved: %s\n", f->approved->rest);
}

static void text_stale(struct buf *out, const struct approvals *ap)
{
    for (const struct approval *a = ap ? ap->first : NULL; a != NULL; a = a->next)
        if (!a->used) buf_printf(out, "%s:%u: stale approval, it fits no finding: %s\n", ap->path, (unsigned)a->line, a->rest);
}

static void print_text(const struct diff *d, const struct approvals *ap, struct buf *out)
{
    for (const struct diff_finding *f = d->first; f != NULL; f = f->next) text_finding(out, f);
    text_stale(out, ap);
    put_summary(out, d);
}

/* ---- markdown ---- */

/* Code that holds backticks or bars cannot end the span or the cell it stands in. */
static void put_code(struct buf *out, const char *s)
{
    const char *fence = strchr(s, '`') ? "``" : "`";
    buf_puts(out, fence);
    if (fence[1]) buf_byte(out, ' ');
    for (; *s; s++) {
        if (*s == '|') buf_puts(out, "\\|");
        else buf_byte(out, *s == '\n' || *s == '\r' ? ' ' : (unsigned char)*s);
    }
    if (fence[1]) buf_byte(out, ' ');
    buf_puts(out, fence);
}

/* Nothing to tell of one version. */
static bool nothing(const struct diff_finding *f, int k) { return !f->text[k] && !f->at[k].file; }

static void md_sides(struct buf *out, const struct diff_finding *f)
{
    static const char *const words[] = {"was", "is"};
    for (int k = 0; k < 2; k++) {
        if (nothing(f, k)) continue;
        buf_printf(out, "  - %s ", words[k]);
        if (f->text[k] && *f->text[k]) put_code(out, f->text[k]);
        else buf_puts(out, "nothing");
        if (f->at[k].file) {
            buf_puts(out, " (");
            put_place(out, &f->at[k]);
            buf_byte(out, ')');
        }
        buf_byte(out, '\n');
    }
}

static void md_witness(struct buf *out, const struct diff_witness *w)
{
    buf_puts(out, "\n    | a row with | was | is |\n    | --- | --- | --- |\n    | ");
    if (w->n == 0) buf_puts(out, "anything");
    for (size_t i = 0; i < w->n; i++) {
        struct buf b = {0};
        buf_printf(&b, "%.*s = %s", (int)w->cells[i].column.n, w->cells[i].column.p, w->cells[i].json);
        if (i) buf_puts(out, w->cells[i].aside && !w->cells[i - 1].aside ? " with " : ", ");
        put_code(out, buf_cstr(&b));
        buf_free(&b);
    }
    for (int k = 0; k < 2; k++) {
        buf_puts(out, " | ");
        put_code(out, w->result[k]);
    }
    buf_puts(out, " |\n\n");
}

static void md_entries(struct buf *out, const struct diff_finding *f)
{
    if (f->nentries == 0) return;
    buf_puts(out, "\n    | entry | was | is |\n    | --- | --- | --- |\n");
    for (size_t i = 0; i < f->nentries && i < ENTRIES_SHOWN; i++) {
        const struct diff_entry *e = &f->entries[i];
        const char *const cells[] = {e->key, e->old_value ? e->old_value : "(no entry)", e->new_value ? e->new_value : "(no entry)"};
        buf_puts(out, "   ");
        for (size_t k = 0; k < 3; k++) {
            buf_puts(out, " | ");
            put_code(out, cells[k]);
        }
        buf_puts(out, " |\n");
    }
    if (f->nentries > ENTRIES_SHOWN) buf_printf(out, "\n    and %zu more entries\n", f->nentries - ENTRIES_SHOWN);
    buf_byte(out, '\n');
}

static void md_finding(struct buf *out, const struct diff_finding *f)
{
    const struct diff_rule_info *r = &diff_rules[f->rule];
    buf_printf(out, "- %s ", f->approved ? "[x]" : "[ ]");
    put_code(out, f->subject);
    buf_puts(out, " ");
    for (const char *s = f->message; *s; s++) {             /* no markup out of names and values */
        if (strchr("*_`<>[]|\\#&", *s)) buf_byte(out, '\\');
        buf_byte(out, (unsigned char)*s);
    }
    buf_printf(out, " (%s%s%s)\n", r->id, f->verdict ? ", " : "", print__verdict(f));
    md_sides(out, f);
    md_entries(out, f);
    if (f->witness) md_witness(out, f->witness);
}

static void print_markdown(const struct diff *d, const struct approvals *ap, struct buf *out)
{
    static const char *const heads[DIFF_CATEGORIES] = {"State: cursors or keys become unusable", "Target: a written field changes its meaning, its owner, or is wiped",
                                                       "Data: values can differ", "Text: nothing that is written changes"};
    struct diff_counts c;
    print__count(d, &c);
    buf_puts(out, "### mlc diff: ");
    put_summary(out, d);
    for (unsigned k = 0; k < DIFF_CATEGORIES; k++) {
        if (c.of[k] == 0) continue;
        buf_printf(out, "\n#### %s\n\n", heads[k]);
        size_t left = 0;
        for (const struct diff_finding *f = d->first; f != NULL; f = f->next) {
            if (diff_rules[f->rule].category != k) continue;
            if (out->n < MARKDOWN_BYTES) md_finding(out, f);
            else left++;
        }
        if (left) buf_printf(out, "\nand %zu more: a comment has no room for them, `mlc diff` prints them all\n", left);
    }
    for (const struct approval *a = ap ? ap->first : NULL; a != NULL; a = a->next)
        if (!a->used) {
            buf_printf(out, "\nStale approval, it fits no finding: %s:%u ", ap->path, (unsigned)a->line);
            put_code(out, a->rest);
            buf_byte(out, '\n');
        }
}

void diff_print(const struct diff *d, const struct approvals *ap, enum diff_format format, struct buf *out)
{
    switch (format) {
    case DIFF_FORMAT_JSON: print__json(d, ap, out); break;
    case DIFF_FORMAT_MARKDOWN: print_markdown(d, ap, out); break;
    case DIFF_FORMAT_SARIF: print__sarif(d, out); break;
    default: print_text(d, ap, out); break;
    }
}
