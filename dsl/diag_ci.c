/* diag_ci.c - diagnostics for CI servers: SARIF for code scanning, workflow commands for GitHub's annotations, JUnit XML for the rest.
 * Each is a function over the sorted list, as in diag_print.c. */
#include "dsl/diag_print.h"
#include "dsl/junit.h"
#include "dsl/sarif.h"

static bool is_error(const struct diag *d) { return diag_code_severity(d->code) == DIAG_ERROR; }

/* ---- sarif ---- */

/* What ships inside of the compiler is no file of the checkout: it has no place there. */
static struct sarif_place sarif_place_of(const struct diags *ds, struct span at)
{
    struct place p = source_place(ds->sources, at);
    if (!p.source || p.source->prelude) return (struct sarif_place){.line = 0};
    return (struct sarif_place){p.source->name, p.line, p.column, p.end_line, p.end_column};
}

/* The message, the places that have no file, and what helps: viewers show nothing else. */
static void full_text(const struct diag *d, const char *newline, struct buf *out)
{
    buf_puts(out, d->message);
    for (const struct diag_also *a = d->also; a; a = a->next) {
        struct place p = source_place(d->owner->sources, a->at);
        buf_printf(out, "%s%s", newline, a->text);
        if (!p.source) continue;
        buf_printf(out, ": %.*s:%u:%u", (int)p.source->name.n, p.source->name.p, p.line, p.column);
        struct str line = str_trim(p.line_text);
        if (line.n && line.n <= 200) buf_printf(out, ": %.*s", (int)line.n, line.p);
    }
    for (const struct diag_line *h = d->help; h; h = h->next) buf_printf(out, "%shelp: %s", newline, h->text);
}

static struct sarif_related *related(const struct diag *d, struct arena *a)
{
    struct sarif_related *first = NULL, **end = &first;
    for (const struct diag_also *x = d->also; x; x = x->next) {
        struct sarif_place at = sarif_place_of(d->owner, x->at);
        if (!at.file.n) continue;
        *end = ARENA_NEW(a, struct sarif_related);
        **end = (struct sarif_related){at, x->text, NULL};
        end = &(*end)->next;
    }
    return first;
}

void diag__print_sarif(struct diags *ds, bool color, struct buf *out)
{
    struct sarif s;
    (void)color;
    sarif_begin(&s, out, "mlc check");
    size_t place[D_COUNT] = {0}, n = 0;          /* of the rules that something breaks */
    for (size_t i = 0; i < ds->n; i++) {
        enum diag_code c = ds->list[i]->code;
        if (place[c]) continue;
        struct str page = diag_explain(c);
        const char *help = page.n ? arena_copy(ds->arena, page.p, page.n) : NULL;
        sarif_rule(&s, &(struct sarif_rule){diag_code_text(c), diag_code_name(c), diag_code_template(c), help, NULL,
                                            diag_code_severity(c) == DIAG_ERROR ? SARIF_ERROR : SARIF_WARNING});
        place[c] = ++n;
    }
    sarif_results(&s);
    for (size_t i = 0; i < ds->n; i++) {
        const struct diag *d = ds->list[i];
        struct buf text = {0};
        full_text(d, "\n", &text);
        struct sarif_fix fix = {d->fix_title, sarif_place_of(ds, d->fix_at), d->fix};
        sarif_result(&s, &(struct sarif_result){.rule = place[d->code] - 1, .rule_id = diag_code_text(d->code), .level = is_error(d) ? SARIF_ERROR : SARIF_WARNING,
                                                .message = buf_view(&text), .at = sarif_place_of(ds, d->at), .related = related(d, ds->arena),
                                                .fix = d->fix ? &fix : NULL});
        buf_free(&text);
    }
    sarif_end(&s);
}

/* ---- github ---- */

/* Workflow commands are lines: percent and line ends are escaped, in properties : and , as well. */
static void command_text(struct buf *out, struct str s, bool property)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%' || c == '\n' || c == '\r' || (property && (c == ':' || c == ','))) buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
        else buf_byte(out, (unsigned char)c);
    }
}

void diag_github(struct buf *out, const char *level, const struct place *p, struct str title, struct str text)
{
    buf_printf(out, "::%s title=", level);
    command_text(out, title, true);
    if (p->source && !p->source->prelude) {
        buf_puts(out, ",file=");
        command_text(out, p->source->name, true);
        buf_printf(out, ",line=%u,endLine=%u", (unsigned)p->line, (unsigned)p->end_line);
        if (p->line == p->end_line) buf_printf(out, ",col=%u,endColumn=%u", (unsigned)p->column, (unsigned)p->end_column);
    }
    buf_puts(out, "::");
    command_text(out, text, false);
    buf_byte(out, '\n');
}

void diag__print_github(struct diags *ds, bool color, struct buf *out)
{
    (void)color;
    for (size_t i = 0; i < ds->n; i++) {
        const struct diag *d = ds->list[i];
        struct place p = source_place(ds->sources, d->at);
        struct buf text = {0};
        full_text(d, "\n", &text);
        diag_github(out, is_error(d) ? "error" : "warning", &p, str_of(diag_code_text(d->code)), buf_view(&text));
        buf_free(&text);
    }
}

/* ---- junit ---- */

/* A case for every diagnostic, one that passed for a spec without any. */
void diag__print_junit(struct diags *ds, bool color, struct buf *out)
{
    struct junit j;
    (void)color;
    junit_begin(&j);
    for (size_t i = 0; i < ds->n; i++) {
        const struct diag *d = ds->list[i];
        struct place p = source_place(ds->sources, d->at);
        struct buf detail = {0};
        diag__print_one(d, false, &detail);
        const char *name = p.source ? arena_printf(ds->arena, "%s %.*s:%u:%u", diag_code_text(d->code), (int)p.source->name.n, p.source->name.p, p.line, p.column)
                                    : diag_code_text(d->code);
        junit_case(&j, &(struct junit_case){STR("mlc check"), str_of(name), p.source ? p.source->name : (struct str){"", 0}, p.line,
                                            is_error(d) ? diag_code_text(d->code) : NULL, str_of(d->message), buf_view(&detail)});
        buf_free(&detail);
    }
    const struct source *spec = sources_get(ds->sources, 1);
    if (ds->n == 0) junit_case(&j, &(struct junit_case){.suite = STR("mlc check"), .name = spec ? spec->name : STR("spec"), .file = spec ? spec->name : (struct str){"", 0}});
    junit_end(&j, "mlc check", out);
}
