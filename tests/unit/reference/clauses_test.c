/* clauses_test.c - every clause and form of the language stands in some case of tests/lang that is accepted: with the output it is expected to have (eval), the
 * verdicts (proof), or clean (check). Prints what has none. The clauses are those of the table in docs/language.md; a new row there is a clause that this
 * file has to know. Refusals are the matter of conformance_test: a case for every diagnostic. */
#include "base/check.h"
#include "compiler/compile.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILES = 400 };
static int failures;

static void say(bool good, const char *name, const char *why)
{
    printf("%s %s%s%s\n", good ? "ok" : "not ok", name, good ? "" : ": ", good ? "" : why);
    failures += !good;
}

/* ---- what can stand in a flow, by the tree ---- */

#define OF(K, type) n->kind == AST_##K && AST_AS(type, n)
static bool has_word(const struct ast_list *list, const char *word)
{
    AST_EACH(c, *list)
        if (c->kind == AST_CHOICE && str_is(AST_AS(choice, c)->name.text, word)) return true;
    return false;
}
static bool mode(const struct ast *n, int64_t is) { return n->kind == AST_FIELD && AST_AS(field, n)->mode == is; }
static bool event(const struct ast *n, int64_t is) { return n->kind == AST_ON && AST_AS(on, n)->event == is; }
static bool has_clause(const struct ast *n, enum ast_kind kind)
{
    if (n->kind != AST_EACH) return false;
    AST_EACH(c, AST_AS(each, n)->clauses)
        if (c->kind == kind) return true;
    return false;
}
static bool expects(const struct ast *n, enum ast_kind kind) { return n->kind == AST_TEST && AST_AS(test, n)->expect->kind == kind; }

/* The first group is the table of docs/language.md, word for word. */
#define FEATURES(X) \
    X("every 15m", n->kind == AST_EVERY) \
    X("reread every 1d", n->kind == AST_REREAD) \
    X("key FIELD", n->kind == AST_KEY && AST_AS(key, n)->value == NULL) \
    X("key FIELD = expression", OF(KEY, key)->value != NULL) \
    X("adopt by FIELD == expression", n->kind == AST_ADOPT) \
    X("when condition", n->kind == AST_WHEN) \
    X("on leave set { F = literal }", event(n, EVENT_LEAVE)) \
    X("on delete set { F = literal }", event(n, EVENT_DELETE)) \
    X("fuse 25 or 5%", OF(FUSE, fuse)->count && AST_AS(fuse, n)->percent) \
    X("trigger workflow, approval, blueprint", OF(TRIGGER, trigger)->what.n == 3) \
    X("guard", n->kind == AST_GUARD) \
    X("moved from NAME", n->kind == AST_MOVED) \
    X("F = expression", mode(n, MODE_SET)) \
    X("once F = expression", mode(n, MODE_ONCE)) \
    X("fill F = expression", mode(n, MODE_FILL)) \
    X("let name = expression", n->kind == AST_LET) \
    X("fuse 25", n->kind == AST_FUSE && AST_AS(fuse, n)->percent == NULL) \
    X("fuse 5%", n->kind == AST_FUSE && AST_AS(fuse, n)->count == NULL) \
    X("trigger workflow", n->kind == AST_TRIGGER && has_word(&AST_AS(trigger, n)->what, "workflow")) \
    X("several companies in one flow", OF(FLOW, flow)->from.n > 1) \
    X("via a door", OF(FLOW, flow)->via.text.n > 0) \
    X("into another flow's records", OF(FLOW, flow)->to->kind == AST_INTO) \
    X("ref", n->kind == AST_REF) \
    X("find", OF(FIND, find)->conditions.n == 1) \
    X("find by several fields", OF(FIND, find)->conditions.n > 1) \
    X("each", n->kind == AST_EACH) \
    X("each with a filter", OF(EACH, each)->when != NULL) \
    X("each with a let", has_clause(n, AST_LET)) \
    X("key of a line", n->kind == AST_LINE_KEY) \
    X("line.COLUMN, name.first", n->kind == AST_MEMBER) \
    X("table", n->kind == AST_TABLE) \
    X("table from a CSV", n->kind == AST_TABLE_FILE) \
    X("table from a CSV with else", OF(TABLE_FILE, table_file)->otherwise != NULL) \
    X("fn", n->kind == AST_FN) \
    X("extend", n->kind == AST_EXTEND) \
    X("entity of one's own", n->kind == AST_ENTITY) \
    X("import of a file", n->kind == AST_IMPORT_FILE) \
    X("match with a subject", OF(MATCH, match)->subject != NULL) \
    X("match by conditions", n->kind == AST_MATCH && AST_AS(match, n)->subject == NULL) \
    X("keep", n->kind == AST_KEEP) \
    X("reject", n->kind == AST_REJECT) \
    X("text with names", n->kind == AST_TEMPLATE) \
    X("test that expects fields", expects(n, AST_EXPECT)) \
    X("test that expects a reject", expects(n, AST_REJECT)) \
    X("test that expects leave", expects(n, AST_LEAVE)) \
    X("lines in a test", n->kind == AST_ROW) \
    X("nested settings", n->kind == AST_SETTING_GROUP) \
    X("budget", n->kind == AST_QUOTA) \
    X("env, secret, file", n->kind == AST_INPUT)

static const char *const names[] = {
#define X(name, is) name,
    FEATURES(X)
#undef X
};
enum { COUNT = sizeof names / sizeof *names };
static bool seen[COUNT][FILES];

static void look(void *ctx, struct ast *n)
{
    const size_t file = *(const size_t *)ctx;
    const bool is[] = {
#define X(name, holds) holds,
        FEATURES(X)
#undef X
    };
    for (size_t i = 0; i < COUNT; i++) seen[i][file] |= is[i];
    ast_children(n, look, ctx);
}

/* Imported files stand in the tree where they were imported; that they were is seen by their sources. */
static void one(const char *path, size_t file)
{
    struct compile c, whole;
    struct world w;
    struct fault f = {0};
    world_real(&w);
    bool good = compile_open(&c, &w, path, &f) == ERR_OK && c.diags.nerrors == 0;
    if (good) AST_EACH(n, c.ast->items) look(&file, n);
    compile_close(&c);
    if (!good || compile_parse(&whole, &w, path, &f) != ERR_OK) return;
    AST_EACH(n, whole.ast->items)
        if (n->kind == AST_IMPORT_FILE) look(&file, n);
    compile_close(&whole);
}

/* Features that no file but the hidden one has. */
static size_t missing(size_t hidden, bool tell)
{
    size_t n = 0;
    for (size_t i = 0; i < COUNT; i++) {
        bool met = false;
        for (size_t k = 0; k < FILES; k++) met |= k != hidden && seen[i][k];
        n += !met;
        if (!met && tell) say(false, names[i], "in no accepted case of tests/lang");
    }
    return n;
}

/* ---- the table of the docs ---- */

static bool known(const char *clause, size_t n)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strlen(names[i]) == n && memcmp(names[i], clause, n) == 0) return true;
    return false;
}

static void docs(void)
{
    char line[2000];
    bool table = false;
    int rows = 0;
    FILE *f = fopen("docs/language.md", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "| Clause |", 10) == 0) table = true;
        else if (table && line[0] != '|') table = false;
        if (!table || strncmp(line, "| `", 3) != 0) continue;
        size_t n = strcspn(line + 3, "`");
        rows++;
        line[3 + n] = 0;
        if (!known(line + 3, n)) say(false, line + 3, "a clause of docs/language.md that this runner does not know");
    }
    if (f) fclose(f);
    say(rows >= 16, "the clauses of docs/language.md", "their table is not found");
}

int main(void)
{
    static const char *const folders[] = {"tests/lang/eval/*.mlc", "tests/lang/proof/*.mlc", "tests/lang/check*/*.mlc"};
    size_t files = 0, alone = 0;
    for (size_t k = 0; k < 3; k++) {
        glob_t g;
        if (glob(folders[k], 0, NULL, &g) != 0) continue;
        for (size_t i = 0; i < g.gl_pathc; i++) {
            ASSERT(files < FILES);
            one(g.gl_pathv[i], files++);
        }
        globfree(&g);
    }
    docs();
    say(missing(SIZE_MAX, true) == 0, "every clause and form has a case", "see above");
    for (size_t i = 0; i < files; i++) alone += missing(i, false) > 0;
    printf("# %zu files, %d forms; %zu files are the only ones with some form\n", files, (int)COUNT, alone);
    say(alone > 0, "control: without such a file something is missing", "nothing is");
    return failures ? 1 : 0;
}
