/* spec_fuzz.c - bytes that claim to be a spec: lexer, grammar, recovery, formatter, printers. Checked besides not crashing: diagnostics are bounded and
 * lie inside the text, what has no error can be formatted, twice gives the same, and the tree stays the same. */
#include "base/check.h"
#include "dsl/format.h"
#include "dsl/parse.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void check_places(const struct diags *ds, const struct sources *ss)
{
    for (size_t i = 0; i < ds->n; i++) {
        const struct source *src = sources_get(ss, ds->list[i]->at.file);
        ASSERT(src && ds->list[i]->at.at <= ds->list[i]->at.end && ds->list[i]->at.end <= src->text.n);
    }
}

static void check_layout(struct source *s, struct sources *ss, struct arena *a, struct diags *ds, const struct ast_file *f)
{
    struct buf once = {0}, twice = {0};
    bool done = format_source(s, a, ds, &once);
    ASSERT(done == (f->errors == 0));
    if (done) {
        struct source *again = sources_add(ss, STR("again.mlc"), buf_view(&once), false);
        ASSERT(format_source(again, a, ds, &twice) && str_eq(buf_view(&once), buf_view(&twice)));
        struct ast_file *g = parse_file(again, a, ds);
        ASSERT(ast_equal(&f->base, &g->base));
    }
    buf_free(&once);
    buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct arena a;
    struct sources ss;
    struct diags ds;
    struct buf out = {0};
    arena_init(&a, 0);
    sources_init(&ss, &a);
    diags_init(&ds, &a, &ss);
    struct source *s = sources_add(&ss, STR("spec.mlc"), (struct str){(const char *)data, n}, false);
    struct ast_file *f = parse_file(s, &a, &ds);
    check_places(&ds, &ss);
    ast_dump(&out, &f->base, true);
    parse_dump_tokens(s, &ss, &out);
    check_layout(s, &ss, &a, &ds, f);
    diags_print(&ds, DIAG_FORMAT_TEXT, true, &out);
    diags_print(&ds, DIAG_FORMAT_JSON, false, &out);
    buf_free(&out);
    arena_free(&a);
    return 0;
}
