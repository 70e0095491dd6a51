/* sarif.c - see sarif.h. One object after the other into the buffer; nothing is kept but counts. */
#include "dsl/sarif.h"
#include "base/check.h"
#include "value/json.h"

static const char *const levels[] = {[SARIF_ERROR] = "error", [SARIF_WARNING] = "warning", [SARIF_NOTE] = "note"};

static size_t character(struct str s)
{
    for (size_t len = 1; len <= 4 && len <= s.n; len++)
        if (str_utf8_valid((struct str){s.p, len})) return len;
    return 0;
}

/* A JSON string; what is no UTF-8 (an excerpt of a broken file) is shown as U+FFFD. */
static void put_text(struct buf *out, struct str s)
{
    struct buf clean = {0};
    while (s.n) {
        size_t len = character(s);
        if (len) buf_put(&clean, s.p, len);
        else buf_puts(&clean, "\xef\xbf\xbd");
        s = (struct str){s.p + (len ? len : 1), s.n - (len ? len : 1)};
    }
    json_put_string(out, buf_view(&clean));
    buf_free(&clean);
}

static void member(struct buf *out, const char *name, const char *text)
{
    if (!text) return;
    buf_printf(out, ",\"%s\":", name);
    put_text(out, str_of(text));
}

static void put_uri(struct buf *out, struct str file)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    while (file.n > 2 && file.p[0] == '.' && file.p[1] == '/') file = (struct str){file.p + 2, file.n - 2};
    buf_puts(out, file.n && file.p[0] == '/' ? "\"file://" : "\"");
    for (size_t i = 0; i < file.n; i++) {
        if (file.p[i] && strchr(plain, file.p[i])) buf_byte(out, (unsigned char)file.p[i]);
        else buf_printf(out, "%%%02X", (unsigned)(unsigned char)file.p[i]);
    }
    buf_byte(out, '"');
}

static void put_region(struct buf *out, const struct sarif_place *p)
{
    buf_printf(out, "{\"startLine\":%u", (unsigned)(p->line ? p->line : 1));
    if (p->line && p->column) {
        buf_printf(out, ",\"startColumn\":%u", (unsigned)p->column);
        if (p->end_line > p->line) buf_printf(out, ",\"endLine\":%u", (unsigned)p->end_line);
        if (p->end_line >= p->line && p->end_column) buf_printf(out, ",\"endColumn\":%u", (unsigned)p->end_column);
    }
    buf_byte(out, '}');
}

static void put_physical(struct buf *out, const struct sarif_place *p)
{
    buf_puts(out, "\"physicalLocation\":{\"artifactLocation\":{\"uri\":");
    put_uri(out, p->file);
    buf_puts(out, "},\"region\":");
    put_region(out, p);
    buf_byte(out, '}');
}

void sarif_begin(struct sarif *s, struct buf *out, const char *tool)
{
    *s = (struct sarif){.out = out};
    buf_puts(out, "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":");
    put_text(out, str_of(tool));
    buf_puts(out, ",\"rules\":[");
}

void sarif_rule(struct sarif *s, const struct sarif_rule *r)
{
    buf_puts(s->out, s->nrules++ ? ",\n{\"id\":" : "\n{\"id\":");
    put_text(s->out, str_of(r->id));
    member(s->out, "name", r->name);
    buf_puts(s->out, ",\"shortDescription\":{\"text\":");
    put_text(s->out, str_of(r->meaning));
    if (r->help) {
        buf_puts(s->out, "},\"help\":{\"text\":");
        put_text(s->out, str_of(r->help));
        member(s->out, "markdown", r->help);
    }
    buf_printf(s->out, "},\"defaultConfiguration\":{\"level\":\"%s\"}", levels[r->level]);
    if (r->category) {
        buf_puts(s->out, ",\"properties\":{\"category\":");
        put_text(s->out, str_of(r->category));
        buf_byte(s->out, '}');
    }
    buf_byte(s->out, '}');
}

void sarif_results(struct sarif *s)
{
    buf_puts(s->out, "]}},\"columnKind\":\"unicodeCodePoints\",\"results\":[");
}

/* id: results of one rule are told apart by it when a viewer links the message to the place. */
static void put_related(struct buf *out, const struct sarif_related *r)
{
    unsigned id = 0;
    buf_puts(out, ",\"relatedLocations\":[");
    for (; r; r = r->next) {
        buf_printf(out, "%s{\"id\":%u,", id ? "," : "", id + 1);
        id++;
        put_physical(out, &r->at);
        if (r->text) {
            buf_puts(out, ",\"message\":{\"text\":");
            put_text(out, str_of(r->text));
            buf_byte(out, '}');
        }
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}

static void put_fix(struct buf *out, const struct sarif_fix *f)
{
    buf_puts(out, ",\"fixes\":[{\"description\":{\"text\":");
    put_text(out, str_of(f->title));
    buf_puts(out, "},\"artifactChanges\":[{\"artifactLocation\":{\"uri\":");
    put_uri(out, f->at.file);
    buf_puts(out, "},\"replacements\":[{\"deletedRegion\":");
    put_region(out, &f->at);
    buf_puts(out, ",\"insertedContent\":{\"text\":");
    put_text(out, str_of(f->text));
    buf_puts(out, "}}]}]}]");
}

void sarif_result(struct sarif *s, const struct sarif_result *r)
{
    struct buf *out = s->out;
    ASSERT(r->rule < s->nrules);
    buf_puts(out, s->nresults++ ? ",\n{\"ruleId\":" : "\n{\"ruleId\":");
    put_text(out, str_of(r->rule_id));
    buf_printf(out, ",\"ruleIndex\":%zu,\"level\":\"%s\",\"message\":{\"text\":", r->rule, levels[r->level]);
    put_text(out, r->message);
    buf_byte(out, '}');
    if (r->at.file.n) {
        buf_puts(out, ",\"locations\":[{");
        put_physical(out, &r->at);
        buf_puts(out, "}]");
    }
    if (r->related) put_related(out, r->related);
    if (r->fix && r->fix->at.file.n) put_fix(out, r->fix);
    if (r->fingerprint) {
        buf_puts(out, ",\"partialFingerprints\":{");
        put_text(out, str_of(r->fingerprint_name));
        buf_byte(out, ':');
        put_text(out, str_of(r->fingerprint));
        buf_byte(out, '}');
    }
    if (r->category) {
        buf_puts(out, ",\"properties\":{\"category\":");
        put_text(out, str_of(r->category));
        buf_byte(out, '}');
    }
    if (r->accepted) {
        buf_puts(out, ",\"suppressions\":[{\"kind\":\"external\",\"status\":\"accepted\",\"justification\":");
        put_text(out, str_of(r->accepted));
        buf_puts(out, "}]");
    }
    buf_byte(out, '}');
}

void sarif_end(struct sarif *s)
{
    buf_puts(s->out, s->nresults ? "\n]}]}\n" : "]}]}\n");
}
