/* diag_test.c - diagnostics: table, duplicates, order, carets under tabs and wide lines, json, "did you mean", explain pages that are true. */
#include "tests/unit/dsl/bench.h"
#include "value/json.h"

static void table(void)
{
    bool fine = true;
    for (unsigned i = 0; i < D_COUNT; i++) {
        enum diag_code back;
        const char *code = diag_code_text((enum diag_code)i);
        fine = fine && strlen(code) == 5 && (code[0] == 'E') == (diag_code_severity((enum diag_code)i) == DIAG_ERROR);
        fine = fine && diag_code_find(str_of(code), &back) && back == i && diag_code_find(str_of(diag_code_name((enum diag_code)i)), &back) && back == i;
        for (unsigned k = 0; k < i; k++)
            if (strcmp(code, diag_code_text((enum diag_code)k)) == 0)
                fine = false, printf("# %s twice\n", code);
    }
    check(fine, "codes are unique and found by code and name", "see above");
}

static void order(void)
{
    struct bench b;
    struct buf out = {0};
    bench_begin(&b);
    struct source *pre = sources_add(&b.sources, STR("prelude/x.mlc"), STR("abc\n"), true), *s = bench_source(&b, "s.mlc", STR("one\n\ttwo three\n"));
    diag_help(diag1(&b.ds, (struct span){pre->id, 0, 1}, D_NOT_UTF8, "x"), "nothing");
    struct diag *d = diag2(&b.ds, (struct span){s->id, 9, 14}, D_SYNTAX, "a", "b");
    diag_also(d, (struct span){pre->id, 0, 3}, "declared %s", "here");
    diag_help(d, "first");
    diag_help(d, "first");
    diag1(&b.ds, (struct span){s->id, 0, 3}, D_STRAY_CHARACTER, "x");
    bool same = diag2(&b.ds, (struct span){s->id, 9, 14}, D_SYNTAX, "a", "b") == d;
    check(same && b.ds.n == 3 && b.ds.nerrors == 3, "a duplicate is dropped", "%zu", b.ds.n);
    diags_print(&b.ds, DIAG_FORMAT_TEXT, false, &out);
    static const char want[] =
        "error E0105: the character x means nothing here\n --> s.mlc:1:1\n  |\n1 | one\n  | ^^^\n\n"
        "error E0120: unexpected a, expected b\n --> s.mlc:2:6\n  |\n2 | \ttwo three\n  | \t    ^^^^^\n"
        " ::: prelude/x.mlc:1:1: declared here\n  |\n1 | abc\n  | ^^^\n  = help: first\n\n"
        "error E0101: this file is not UTF-8: the byte x does not belong here\n --> prelude/x.mlc:1:1\n  |\n1 | abc\n  | ^\n  = help: nothing\n\n3 errors\n";
    check(str_eq(buf_view(&out), STR(want)), "text form", "got:\n%.*s", (int)out.n, out.p);
    buf_free(&out);
    bench_end(&b);
}

static void json(void)
{
    struct bench b;
    struct buf out = {0};
    struct json_scanner js;
    enum json_token t;
    bench_begin(&b);
    struct source *s = bench_source(&b, "a\"b\\.mlc", STR("x\x01\n"));
    diag_help(diag1(&b.ds, (struct span){s->id, 1, 2}, D_STRAY_CHARACTER, "\"\\\n"), "tab\t");
    diag0(&b.ds, (struct span){0, 0, 0}, D_NO_EDITION);
    diags_print(&b.ds, DIAG_FORMAT_JSON, false, &out);
    json_init(&js, buf_view(&out), &b.arena);
    do
        t = json_next(&js);
    while (t != JSON_END && t != JSON_ERROR);
    check(t == JSON_END, "json form is JSON", "%s\n%.*s", js.error, (int)out.n, out.p);
    buf_free(&out);
    bench_end(&b);
}

static void long_line(void)
{
    struct bench b;
    struct buf text = {0}, out = {0};
    bench_begin(&b);
    for (int i = 0; i < 5000; i++)
        buf_puts(&text, "\xc3\xa9");
    struct source *s = bench_source(&b, "s", buf_view(&text));
    diag0(&b.ds, (struct span){s->id, 8000, 8004}, D_NO_EDITION);
    diags_print(&b.ds, DIAG_FORMAT_TEXT, false, &out);
    buf_cstr(&out);
    check(out.n < 1500 && strstr(out.p, "s:1:4001") && strstr(out.p, " ^^\n"), "a long line is cut", "%zu bytes", out.n);
    buf_free(&text);
    buf_free(&out);
    bench_end(&b);
}

static const char *nearest(const char *wrong)
{
    static const char *const names[] = {"Account_Name", "Billing_City", "Phone", "Fax"};
    struct diag_nearest n = diag_nearest_begin(str_of(wrong));
    for (size_t i = 0; i < 4; i++)
        diag_nearest_try(&n, str_of(names[i]));
    return diag_nearest_found(&n) ? n.best.p : "-";
}

static void meant(void)
{
    check(strcmp(nearest("AccountName"), "Account_Name") == 0 && strcmp(nearest("Phnoe"), "Phone") == 0 && strcmp(nearest("phone"), "Phone") == 0 &&
              strcmp(nearest("Revenue"), "-") == 0 && strcmp(nearest("X"), "-") == 0 && strcmp(nearest(""), "-") == 0,
          "did you mean", "%s %s %s %s", nearest("AccountName"), nearest("Phnoe"), nearest("phone"), nearest("Revenue"));
}

/* ---- pages: "## Before" in mlc gives the code, "## After" gives no syntax error ---- */
static bool block(struct str page, const char *title, struct str *out)
{
    const char *p = memmem(page.p, page.n, title, strlen(title));
    if (!p)
        return false;
    struct str rest = {p, page.n - (size_t)(p - page.p)};
    const char *from = memmem(rest.p, rest.n, "```mlc\n", 7), *line = memchr(rest.p, '\n', rest.n);
    if (!from || from != line + 1)
        return false;
    from += 7;
    const char *end = memmem(from, page.n - (size_t)(from - page.p), "\n```", 4);
    *out = (struct str){from, end ? (size_t)(end - from) : 0};
    return end != NULL;
}

static bool gives(struct str text, enum diag_code code, size_t *errors)
{
    struct bench b;
    bool found = false;
    bench_begin(&b);
    parse_file(bench_source(&b, "page", text), &b.arena, &b.ds);
    for (size_t i = 0; i < b.ds.n; i++)
        found = found || b.ds.list[i]->code == code;
    *errors = b.ds.nerrors;
    bench_end(&b);
    return found;
}

static void pages(void)
{
    for (unsigned i = 0; i < D_COUNT; i++) {
        enum diag_code c = (enum diag_code)i;
        struct str page = diag_explain(c), before, after;
        char name[60], title[20];
        size_t errors = 0;
        if (strncmp(diag_code_text(c) + 1, "01", 2) != 0)
            continue;
        snprintf(name, sizeof name, "explain %s", diag_code_text(c));
        snprintf(title, sizeof title, "# %s ", diag_code_text(c));
        check(page.n > 100 && str_starts(page, str_of(title)), name, "no page");
        if (block(page, "## Before", &before))
            check(gives(before, c, &errors), name, "Before does not give it");
        if (block(page, "## After", &after)) {
            gives(after, c, &errors);
            check(errors == 0, name, "After has errors");
        }
    }
}

int main(void)
{
    table();
    order();
    json();
    long_line();
    meant();
    pages();
    return bench_failed;
}
