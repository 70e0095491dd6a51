/* print_data.c - findings as JSON (docs/diff.md describes it) and as SARIF 2.1.0 for code scanning. */
#include "compiler/diff/print.h"
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

static const char *level(enum diff_category c)
{
    static const char *const levels[DIFF_CATEGORIES] = {"error", "warning", "warning", "note"};
    return levels[c];
}

static void sarif_rules(struct buf *out)
{
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        const struct diff_rule_info *r = &diff_rules[i];
        buf_printf(out, "%s{\"id\":\"%s\",\"name\":\"%s\",\"shortDescription\":{\"text\":", i ? "," : "", r->id, r->name);
        put_text(out, r->meaning);
        buf_printf(out, "},\"defaultConfiguration\":{\"level\":\"%s\"},\"properties\":{\"category\":\"%s\"}}", level(r->category), diff_category_name(r->category));
    }
}

/* A reference that is relative to the checkout, escaped as RFC 3986 asks. */
static void sarif_location(struct buf *out, const struct diff_place *p)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    const char *s = p->file;
    buf_puts(out, "{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"");
    if (*s == '/') buf_puts(out, "file://");
    for (; *s; s++) {
        if (strchr(plain, *s)) buf_byte(out, (unsigned char)*s);
        else buf_printf(out, "%%%02X", (unsigned)(unsigned char)*s);
    }
    buf_printf(out, "\"},\"region\":{\"startLine\":%u}}}", p->line ? (unsigned)p->line : 1u);
}

static void sarif_message(struct buf *out, const struct diff_finding *f)
{
    struct buf b = {0};
    buf_printf(&b, "%s: %s", f->subject, f->message);
    if (f->verdict) buf_printf(&b, " [%s]", print__verdict(f));
    const struct diff_witness *w = f->witness;
    if (w) {
        buf_puts(&b, ". A row with");
        if (w->n == 0) buf_puts(&b, " anything");
        for (size_t i = 0; i < w->n; i++)
            buf_printf(&b, "%s %.*s = %s", i ? "," : "", (int)w->cells[i].column.n, w->cells[i].column.p, w->cells[i].json);
        buf_printf(&b, " gives %s, was %s", w->result[1], w->result[0]);
    }
    json_put_string(out, buf_view(&b));
    buf_free(&b);
}

static void sarif_result(struct buf *out, const struct diff_finding *f)
{
    const struct diff_rule_info *r = &diff_rules[f->rule];
    int here = f->at[1].file ? 1 : 0, there = 1 - here;
    buf_printf(out, "{\"ruleId\":\"%s\",\"ruleIndex\":%u,\"level\":\"%s\",\"message\":{\"text\":", r->id, (unsigned)f->rule, level(r->category));
    sarif_message(out, f);
    buf_byte(out, '}');
    if (f->at[here].file) {
        buf_puts(out, ",\"locations\":[");
        sarif_location(out, &f->at[here]);
        buf_byte(out, ']');
    }
    if (f->at[there].file) {
        buf_puts(out, ",\"relatedLocations\":[");
        sarif_location(out, &f->at[there]);
        buf_byte(out, ']');
    }
    buf_printf(out, ",\"partialFingerprints\":{\"mlcDiff/v1\":\"%s\"},\"properties\":{\"category\":\"%s\"}", f->fingerprint, diff_category_name(r->category));
    if (f->approved) {
        buf_puts(out, ",\"suppressions\":[{\"kind\":\"external\",\"status\":\"accepted\",\"justification\":");
        put_text(out, f->approved->rest);
        buf_puts(out, "}]");
    }
    buf_byte(out, '}');
}

void print__sarif(const struct diff *d, const struct approvals *ap, struct buf *out)
{
    (void)ap;
    buf_puts(out, "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"mlc diff\","
                  "\"rules\":[");
    sarif_rules(out);
    buf_puts(out, "]}},\"columnKind\":\"unicodeCodePoints\",\"results\":[");
    for (const struct diff_finding *f = d->first; f != NULL; f = f->next) {
        buf_puts(out, f == d->first ? "\n" : ",\n");
        sarif_result(out, f);
    }
    buf_puts(out, "]}]}\n");
}
