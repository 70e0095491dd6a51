/* doc.c - see doc.h: the frame of the dictionary. The order is that of questions: what is connected, which tables feed which modules, then one flow
 * after the other, and what they share at the end. */
#include "compiler/doc/doc_private.h"
#include "base/check.h"
#include <stdio.h>

static void named(struct page *p, const char *name, struct str value)
{
    page_item(p);
    page_text(p, name);
    page_text(p, ": ");
    page_code(p, value);
    page_item_end(p);
}

/* ---- systems ---- */

static const char *by_name(int kind)
{
    static const char *const kinds[] = {[SETTING_ENV] = "from the environment, ", [SETTING_SECRET] = "sealed secret ", [SETTING_FILE] = "file "};
    return kind == SETTING_ENV || kind == SETTING_SECRET || kind == SETTING_FILE ? kinds[kind] : "";
}

static void setting(struct page *p, const struct setting *s)
{
    int64_t ms;
    page_code(p, s->name);
    page_text(p, ": ");
    if (s->kind == SETTING_DURATION_MS && str_to_i64(s->value, &ms)) words_duration(p, ms);
    else {
        page_text(p, by_name(s->kind));
        page_str(p, s->value);
    }
}

static void systems(struct page *p, const struct spec *s)
{
    static const char *const heads[] = {"Name", "System", "Role", "Settings"};
    page_heading(p, 2, "systems", "", STR("Systems"));
    page_table(p, heads, 4);
    for (const struct endpoint *e = s->endpoints; e != NULL; e = e->next) {
        page_row(p);
        page_cell(p);
        page_code(p, e->name);
        page_cell(p);
        page_str(p, e->system->name);
        page_cell(p);
        page_text(p, e->target ? "is written" : "is read, never written");
        page_cell(p);
        for (size_t i = 0; i < e->nsettings; i++) {
            if (i) page_break(p);
            setting(p, &e->settings[i]);
        }
    }
    page_table_end(p);
}

/* ---- overview ---- */

static void place(struct page *p, struct str endpoint, struct str name)
{
    struct buf b = {0};
    buf_printf(&b, "%.*s.%.*s", (int)endpoint.n, endpoint.p, (int)name.n, name.p);
    page_code(p, buf_view(&b));
    buf_free(&b);
}

static const char *anchor(struct buf *b, const char *kind, unsigned index)
{
    buf_clear(b);
    buf_printf(b, "%s-%u", kind, index + 1);
    return buf_cstr(b);
}

static void overview(struct page *p, const struct spec *s)
{
    static const char *const heads[] = {"Flow", "From", "To", "Runs", "Fields", "Examples"};
    struct buf name = {0};
    char count[24];
    page_heading(p, 2, "flows", "", STR("Flows"));
    page_table(p, heads, 6);
    for (const struct flow *f = s->flows; f != NULL; f = f->next) {
        size_t tests = 0;
        for (const struct test *t = s->tests; t != NULL; t = t->next) tests += t->flow == f;
        page_row(p);
        page_cell(p);
        page_link(p, anchor(&name, "flow", f->index), f->name);
        page_cell(p);
        place(p, f->source->name, f->entity->name);
        page_cell(p);
        if (f->into) page_text(p, "records of ");
        if (f->into) page_code(p, f->into->name);
        else place(p, f->target->name, f->module->name);
        page_cell(p);
        doc__cadence(p, f);
        page_cell(p);
        snprintf(count, sizeof count, "%zu", f->nfields);
        page_text(p, count);
        page_cell(p);
        snprintf(count, sizeof count, "%zu", tests);
        page_text(p, count);
    }
    page_table_end(p);
    buf_free(&name);
}

/* ---- how to read it ---- */

static void legend(struct page *p)
{
    static const struct { const char *word, *meaning; } owners[] = {
        {"ERP always", "the field follows the source; an edit in the target lasts until the source changes"},
        {"ERP once", "written when the record is made, and never again: afterwards it is people's"},
        {"ERP while empty", "written only while it is empty in the target"},
        {"key", "says which source row the record belongs to; written once, never changes"},
        {"on leave, on delete", "set only when the row no longer belongs, or has vanished from the source"}};
    static const struct { const char *word, *meaning; } proofs[] = {
        {"PROVED", "nothing that the source's types allow can be refused by the target"},
        {"GUARDED", "something could be, and the rule says what happens then"},
        {"ASSUMED", "rests on something that only this spec says; a row that breaks it is set aside and counted"}};
    page_heading(p, 2, "reading", "", STR("How to read it"));
    page_para(p);
    page_text(p, "Each line of a flow's table is a field of the target: where its value comes from, the rule as a sentence and as it stands in the spec, who owns it, and what the "
                 "compiler has proven about it. A value that is blank in the source is absent: the rule says what holds then, and if it says nothing the field is cleared.");
    page_para_end(p);
    page_list(p);
    for (size_t i = 0; i < sizeof owners / sizeof *owners + sizeof proofs / sizeof *proofs; i++) {
        size_t k = i - sizeof owners / sizeof *owners;
        bool owner = i < sizeof owners / sizeof *owners;
        page_item(p);
        page_strong(p, owner ? owners[i].word : proofs[k].word);
        page_text(p, ": ");
        page_text(p, owner ? owners[i].meaning : proofs[k].meaning);
        page_item_end(p);
    }
    page_list_end(p);
}

/* ---- tables and functions ---- */

static void one_table(struct page *p, const struct spec *s, const struct table *t)
{
    static const char *const heads[] = {"Key", "Value"};
    const struct source *file = t->nrows && t->rows[0].at.file != t->at.file ? sources_get(s->sources, t->rows[0].at.file) : NULL;
    struct buf name = {0};
    page_heading(p, 3, anchor(&name, "table", t->index), "Table ", t->name);
    if (file) {
        const char *slash = memrchr(file->name.p, '/', file->name.n);
        struct str base = slash ? (struct str){slash + 1, (size_t)(file->name.p + file->name.n - slash - 1)} : file->name;
        page_para(p);
        page_text(p, "From the file ");
        page_code(p, base);
        page_text(p, ", as it was when the spec was compiled.");
        page_para_end(p);
    }
    page_table(p, heads, 2);
    for (size_t i = 0; i < t->nrows; i++) {
        page_row(p);
        page_cell(p);
        words_value(p, &t->rows[i].key);
        page_cell(p);
        words_value(p, &t->rows[i].value);
    }
    page_row(p);
    page_cell(p);
    page_text(p, "every other key");
    page_cell(p);
    if (t->has_else) words_value(p, &t->otherwise);
    else page_text(p, "absent, and counted as a miss");
    page_table_end(p);
    buf_free(&name);
}

static void tables(struct page *p, const struct spec *s)
{
    if (s->tables == NULL) return;
    page_heading(p, 2, "tables", "", STR("Tables"));
    for (const struct table *t = s->tables; t != NULL; t = t->next) one_table(p, s, t);
}

static void functions(struct page *p, const struct spec *s)
{
    if (s->fns == NULL) return;
    page_heading(p, 2, "functions", "", STR("Functions"));
    page_list(p);
    for (const struct fn *f = s->fns; f != NULL; f = f->next) {
        struct words w = {.p = p, .fn = f};
        struct buf head = {0};
        buf_printf(&head, "%.*s(", (int)f->name.n, f->name.p);
        AST_EACH(n, f->ast->params)
            buf_printf(&head, "%s%.*s", n == f->ast->params.first ? "" : ", ", (int)AST_AS(param, n)->name.text.n, AST_AS(param, n)->name.text.p);
        buf_puts(&head, ")");
        page_item(p);
        page_code(p, buf_view(&head));
        page_text(p, ": ");
        words_rule(&w, f->body);
        page_item_end(p);
        buf_free(&head);
    }
    page_list_end(p);
}

void doc_write(const struct compile *c, bool html, struct buf *out)
{
    const struct spec *s = c->spec;
    struct page p;
    struct buf edition = {0};
    ASSERT(c->diags.nerrors == 0 && c->lowered.nflows > 0);
    page_begin(&p, out, html, s->title);
    page_heading(&p, 1, NULL, "Data dictionary of ", s->title);
    page_para(&p);
    page_text(&p, "Made from the spec by ");
    page_code(&p, STR("mlc doc"));
    page_text(&p, ": it says what the program does, not what somebody remembers.");
    page_para_end(&p);
    page_list(&p);
    buf_printf(&edition, "%lld", (long long)s->edition);
    named(&p, "edition of the language", buf_view(&edition));
    page_list_end(&p);
    legend(&p);
    systems(&p, s);
    overview(&p, s);
    for (size_t i = 0; i < c->lowered.nflows; i++) doc__flow(&p, c, &c->lowered.flows[i]);
    tables(&p, s);
    functions(&p, s);
    page_end(&p);
    buf_free(&edition);
}
