/* doc_test.c - mlc doc: one spec with every kind of rule against pages that were read by a person (tests/lang/doc; MLC_BLESS=1 writes them anew), and
 * structure that holds for every spec: nothing is left out, Markdown tables keep their columns, HTML is well-formed and asks for nothing. */
#include "compiler/doc/doc.h"
#include "compiler/doc/words.h"
#include "tests/unit/value/ok.h"
#include "value/builtin.h"
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdlib.h>

static struct world world;
static struct arena arena;

static struct str dictionary(struct compile *c, const char *path, bool html)
{
    struct fault f = {0};
    struct buf out = {0};
    bool good = compile_open(c, &world, path, &f) == ERR_OK && c->diags.nerrors == 0 && compile_image(c) != NULL;
    if (ok(good, path, "does not compile: %s %s", f.text, c->diags.n ? c->diags.list[0]->message : "")) doc_write(c, html, &out);
    struct str s = {arena_copy(&arena, out.p ? out.p : "", out.n), out.n};
    buf_free(&out);
    return s;
}

static void golden(bool html)
{
    struct compile c;
    struct fault f = {0};
    struct str want = {"", 0}, got = dictionary(&c, "tests/lang/doc/orders.mlc", html);
    const char *page = html ? "tests/lang/doc/orders.html" : "tests/lang/doc/orders.md";
    if (getenv("MLC_BLESS")) world_write_file(&world, page, got, 0644, &f);
    bool read = world_read_file(&world, page, 1 << 20, &arena, &want, &f) == ERR_OK;
    size_t i = 0;
    while (i < want.n && i < got.n && want.p[i] == got.p[i]) i++;
    size_t from = i > 60 ? i - 60 : 0;
    ok(read && str_eq(want, got), page, "%s differs at byte %zu: ...%.*s...", f.text, i, (int)(got.n - from < 160 ? got.n - from : 160), got.p + from);
    compile_close(&c);
}

static void every_builtin_has_words(void)
{
    for (unsigned b = 0; b < BUILTIN_COUNT; b++) {
        const char *s = words_of_builtin(b);
        struct builtin_info in = builtin_info(b);
        bool fine = s != NULL, all = true;
        for (unsigned i = 0; fine && i < in.nparams; i++) {
            bool named = strstr(s, arena_printf(&arena, "{%u", i)) != NULL;
            /* what is not said: the digits of to_number, the hour of an absent one */
            all = all && (named || (b == BUILTIN_to_number && i == 1) || (in.variadic && i + 1 == in.nparams && strstr(s, "..}")));
        }
        ok(fine && all, in.name, "%s", s ? s : "has no words");
    }
}

/* ---- what holds for every spec ---- */

/* A mention as code: `NAME`, or in HTML. */
static bool mentions(struct str page, struct str name, bool html)
{
    const char *form = arena_printf(&arena, html ? "<code>%.*s</code>" : "`%.*s`", (int)name.n, name.p);
    return memmem(page.p, page.n, form, strlen(form)) != NULL;
}

static void nothing_is_left_out(const struct compile *c, struct str page, bool html, const char *path)
{
    size_t missing = 0, looked = 0;
    for (const struct flow *f = c->spec->flows; f; f = f->next) {
        for (size_t i = 0; i < f->nfields; i++, looked++) missing += !mentions(page, f->fields[i]->column->name, html);
        for (const struct each *e = f->eaches; e; e = e->next)
            for (size_t i = 0; i < e->nfields; i++, looked++) missing += !mentions(page, e->fields[i]->column->name, html);
        for (size_t i = 0; i < f->entity->ncolumns; i++)
            if (f->reads[i] || f->entity->columns[i].key) {
                looked++;
                missing += !mentions(page, f->entity->columns[i].name, html);
            }
    }
    for (const struct table *t = c->spec->tables; t; t = t->next)
        for (size_t i = 0; i < t->nrows; i++, looked++) {
            struct str key = value_str(&t->rows[i].key);
            missing += memmem(page.p, page.n, key.p, key.n) == NULL;
        }
    ok(missing == 0 && looked > 10, path, "%zu of %zu names are missing", missing, looked);
}

static size_t count(struct str page, const char *word)
{
    size_t n = 0;
    const char *p = page.p, *end = page.p + page.n;
    while ((p = memmem(p, (size_t)(end - p), word, strlen(word))) != NULL) {
        n++;
        p += strlen(word);
    }
    return n;
}

static size_t fields_of(const struct compile *c)
{
    size_t n = 0;
    for (const struct flow *f = c->spec->flows; f; f = f->next) {
        n += f->nfields;
        for (const struct each *e = f->eaches; e; e = e->next) n += e->nfields;
    }
    return n;
}

/* Bars of a row that are not escaped: the same in each row of a table. */
static void markdown_tables(struct str page, const char *path)
{
    size_t want = 0, rows = 0, wrong = 0;
    for (size_t i = 0; i < page.n;) {
        const char *end = memchr(page.p + i, '\n', page.n - i);
        struct str line = {page.p + i, end ? (size_t)(end - page.p) - i : page.n - i};
        size_t bars = 0;
        for (size_t k = 0; k < line.n; k++) bars += line.p[k] == '|' && (k == 0 || line.p[k - 1] != '\\');
        if (line.n && line.p[0] == '|') {
            rows++;
            wrong += want && bars != want;
            want = bars;
        } else want = 0;
        i += line.n + 1;
    }
    ok(wrong == 0 && rows > 10, path, "%zu of %zu rows have other columns", wrong, rows);
}

static bool yes(xmlDoc *doc, const char *path)
{
    xmlXPathContext *ctx = xmlXPathNewContext(doc);
    xmlXPathObject *o = xmlXPathEvalExpression((const xmlChar *)path, ctx);
    bool b = o && xmlXPathCastToBoolean(o);
    xmlXPathFreeObject(o);
    xmlXPathFreeContext(ctx);
    return b;
}

static void html_is_sound(struct str page, const char *path)
{
    xmlDoc *doc = xmlReadMemory(page.p, (int)page.n, "doc.html", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!ok(doc != NULL, path, "not well-formed")) return;
    ok(!yes(doc, "//script") && !yes(doc, "//@src") && !yes(doc, "//link") && !yes(doc, "//@*[starts-with(name(), 'on')]"), path, "runs or fetches something");
    ok(!yes(doc, "//a[not(starts-with(@href, '#'))]"), path, "links elsewhere");
    ok(yes(doc, "not(//a[not(substring(@href, 2) = //*/@id)])"), path, "a link leads nowhere");
    ok(yes(doc, "not(//table[.//tr[count(td | th) != count(../../thead/tr/th)]])"), path, "a row has other columns");
    xmlFreeDoc(doc);
}

/* What people write comes back as they wrote it. */
static void torture(void)
{
    struct compile c;
    struct str page = dictionary(&c, "tests/lang/doc/orders.mlc", true);
    xmlDoc *doc = xmlReadMemory(page.p, (int)page.n, "doc.html", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
    ok(doc && yes(doc, "//td[. = 'a <b>bold</b> name & more']"), "a title with marks", "lost");
    ok(doc && yes(doc, "//td[contains(., 'now | later')]") && yes(doc, "//td[contains(., '`30` <days>')]") && !yes(doc, "//b") && !yes(doc, "//days"), "texts with marks", "lost");
    xmlFreeDoc(doc);
    compile_close(&c);
    page = dictionary(&c, "tests/lang/doc/orders.mlc", false);
    ok(count(page, "\\`30\\` \\<days\\>") > 0 && count(page, "a name \\| is \\*\\*missing\\*\\*") > 0 && count(page, "\\<b\\>bold\\</b\\>") > 0, "texts with marks in Markdown", "not escaped");
    compile_close(&c);
}

int main(void)
{
    static const char *const specs[] = {"examples/customers/customers.mlc", "examples/language/language.mlc", "tests/lang/doc/orders.mlc"};
    world_real(&world);
    arena_init(&arena, 0);
    every_builtin_has_words();
    golden(false);
    golden(true);
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
        for (int html = 0; html < 2; html++) {
            struct compile c;
            struct str page = dictionary(&c, specs[i], html);
            nothing_is_left_out(&c, page, html, specs[i]);
            const char *mark = html ? "<strong>%s</strong><br/>" : "**%s**<br>";
            size_t n = 0;
            for (unsigned v = 0; v < 3; v++) {
                char word[40];
                snprintf(word, sizeof word, html ? "<strong>%s</strong><br/>" : "**%s**<br>", verdict_name((enum verdict)v));
                n += count(page, word);
            }
            ok(n == fields_of(&c), specs[i], "%zu verdicts (%s) for %zu fields", n, mark, fields_of(&c));
            if (html) html_is_sound(page, specs[i]);
            else markdown_tables(page, specs[i]);
            compile_close(&c);
        }
    torture();
    arena_free(&arena);
    xmlCleanupParser();
    return ok_done();
}
