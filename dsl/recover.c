/* recover.c - what to say about a syntax error, and where reading goes on after it.
 *
 * Called by the generated parser with the token that did not fit (p->last) and the names of those that would have. The whole token array
 * is there, so the place to go on is looked up instead of guessed token by token:
 *   top level          the next word that begins a declaration
 *   block of clauses   the next line that begins one (`Name =`, `every`, ...), or the closing brace
 *   block of arms      the next comma, or the closing brace
 * Blocks in between are skipped whole. The token position moves there; the `error` productions drop the token that did not fit. */
#include "dsl/parser.h"
#include "parser.tab.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- what was expected, in words ---- */
static bool has(const struct parse_expected *x, const char *name)
{
    for (size_t i = 0; i < x->n; i++)
        if (strcmp(x->name[i], name) == 0)
            return true;
    return false;
}

/* Sets of tokens that people call by one name. A group counts when all its signs are there; then its members leave the list. */
static const struct { const char *what; const char *signs[3]; const char *members[32]; } groups[] = {
    {"an expression", {"not", "match", "a number"},
     {"a name", "a text", "a text with {names}", "a number", "a date", "true", "false", "null", "keep", "reject", "ref", "find", "match", "each", "not", "'-'",
      "'('"}},
    {"an expression", {"each", "match", "a number"},
     {"a name", "a text", "a text with {names}", "a number", "a date", "true", "false", "null", "keep", "reject", "ref", "find", "match", "each", "'-'", "'('"}},
    {"a value", {"a text", "a number", "true"},
     {"a text", "a number", "a date", "a time such as 15m", "a share such as 5%", "true", "false", "null", "'-'", "a name", "ref", "find"}},
    {"an operator", {"??", "'*'", "'+'"},
     {"or", "and", "==", "!=", "'<'", "<=", "'>'", ">=", "??", "'+'", "'-'", "'*'", "'/'", "'.'", "( of a call", "[ of a look-up"}},
    {"a clause or a field line", {"every", "fuse", "a name"},
     {"every", "reread", "key", "adopt", "when", "on", "fuse", "guard", "trigger", "moved", "let", "once", "fill", "a name"}},
    {"a field line", {"let", "once", "a name"}, {"key", "let", "once", "fill", "a name"}},
    {"a declaration", {"flow", "test", "spec"},
     {"spec", "import", "system", "source", "target", "entity", "extend", "table", "fn", "flow", "test"}},
};

static void replace_group(struct parse_expected *x, size_t g)
{
    size_t kept = 0;
    for (size_t i = 0; i < x->n; i++) {
        bool member = false;
        for (size_t m = 0; groups[g].members[m] && !member; m++)
            member = strcmp(groups[g].members[m], x->name[i]) == 0;
        if (!member)
            x->name[kept++] = x->name[i];
    }
    memmove(x->name + 1, x->name, kept * sizeof *x->name);
    x->name[0] = groups[g].what;
    x->n = kept + 1;
}

/* Bison's names into text: '{' and words of the language as `...`, the rest as they are. */
static void put_name(struct buf *b, const char *name)
{
    size_t n = strlen(name);
    if (name[0] == '\'')
        buf_printf(b, "`%.*s`", (int)n - 2, name + 1);
    else if (name[0] == '(' || name[0] == '[')
        buf_printf(b, "`%c`", name[0]);
    else if (lex_keyword((struct str){name, n}) || name[0] == '=' || name[0] == '!' || name[0] == '<' || name[0] == '>' || name[0] == '?' || name[0] == '.')
        buf_printf(b, "`%s`", name);
    else
        buf_puts(b, name);
}

static const char *expected_text(struct parser *p, struct parse_expected *x)
{
    if (x->n == 0)
        return "something else";
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++)
        if (has(x, groups[g].signs[0]) && has(x, groups[g].signs[1]) && has(x, groups[g].signs[2]))
            replace_group(x, g);
    struct buf b = {0};
    for (size_t i = 0; i < x->n; i++) {
        buf_puts(&b, i == 0 ? "" : i + 1 == x->n ? " or " : ", ");
        put_name(&b, x->name[i]);
    }
    const char *text = arena_copy(p->env.arena, b.p, b.n);
    buf_free(&b);
    return text;
}

static struct str token_text(const struct parser *p, size_t i)
{
    return (struct str){p->env.src->text.p + p->tok[i].at, p->tok[i].end - p->tok[i].at};
}

static const char *unexpected_text(struct parser *p, size_t i)
{
    const char *shown = diag_str(p->env.ds, token_text(p, i));
    switch (p->tok[i].kind) {
    case 0:            return "end of the file";
    case TOK_NAME:     return shown[0] == '`' ? arena_printf(p->env.arena, "name %s", shown) : arena_printf(p->env.arena, "name `%s`", shown);
    case TOK_TEXT:     return arena_printf(p->env.arena, "text %s", shown);
    case TOK_NUMBER:   return arena_printf(p->env.arena, "number %s", shown);
    case TOK_DURATION: return arena_printf(p->env.arena, "time %s", shown);
    case TOK_PERCENT:  return arena_printf(p->env.arena, "share %s", shown);
    case TOK_DATE:     return arena_printf(p->env.arena, "date %s", shown);
    default:           return arena_printf(p->env.arena, "`%s`", p->tok[i].at == p->tok[i].end ? "}" : shown);
    }
}

/* ---- known mistakes with a message of their own ---- */
static bool is_keyword(const struct parser *p, size_t i)
{
    return lex_keyword(token_text(p, i)) != 0;
}

/* `flow x From erp.Y`, `Every 15m`: a word of the language in other letters. Gives its proper spelling or NULL. */
static const char *wrong_case(const struct parser *p, size_t i, char low[16])
{
    struct str t = token_text(p, i);
    if (p->tok[i].kind != TOK_NAME || t.n >= 16 || is_keyword(p, i))
        return NULL;
    for (size_t k = 0; k < t.n; k++)
        low[k] = (char)(t.p[k] >= 'A' && t.p[k] <= 'Z' ? t.p[k] + 32 : t.p[k]);
    low[t.n] = 0;
    return lex_keyword((struct str){low, t.n}) ? low : NULL;
}

static bool is_comparison(int k)
{
    return k == TOK_EQ || k == TOK_NE || k == TOK_LE || k == TOK_GE || k == '<' || k == '>';
}

static bool is_operator(int k)
{
    return k == '=' || k == '+' || k == '-' || k == '*' || k == '/' || k == TOK_OTHERWISE || k == TOK_AND || k == TOK_OR || k == TOK_NOT ||
           k == TOK_ARROW || k == '.' || is_comparison(k);
}

/* `Phone =` with nothing behind it: the next line's name was read as the value, and its `=` did not fit. */
static bool missing_value(struct parser *p, size_t i)
{
    if (p->tok[i].kind != '=' || i < 2 || p->tok[i - 1].kind != TOK_NAME || !p->tok[i - 1].line_start || !is_operator(p->tok[i - 2].kind))
        return false;
    struct str op = token_text(p, i - 2);
    if (p->tok[i - 1].after_stray)
        return true;                              /* what stood there was reported already */
    struct diag *d = diag1(p->env.ds, parse__at(p, i - 2), D_NO_VALUE, arena_printf(p->env.arena, "`%.*s`", (int)op.n, op.p));
    if (p->tok[i - 2].kind == '=') diag_help(d, "`null` writes that nothing is there; to leave the field alone, leave out the line");
    return true;
}

static bool reserved_word(struct parser *p, size_t i, const struct parse_expected *x)
{
    size_t word;
    int k = p->tok[i].kind, next = i + 1 < p->ntok ? p->tok[i + 1].kind : 0;
    int before = i > 0 ? p->tok[i - 1].kind : 0;
    if (is_keyword(p, i) && has(x, "a name") && (next == '=' || next == ':' || before == '.'))
        word = i;
    else if ((k == '=' || k == ':') && i > 0 && is_keyword(p, i - 1) && before != TOK_ELSE && before != TOK_TRUE && before != TOK_FALSE && before != TOK_NULL)
        word = i - 1;
    else
        return false;
    struct str t = token_text(p, word);
    struct diag *d = diag1(p->env.ds, parse__at(p, word), D_RESERVED_WORD, diag_str(p->env.ds, t));
    diag_help(d, "for a field or column of that name write it between backticks: `%.*s`", (int)t.n, t.p);
    diag_fix(d, parse__at(p, word), "`%.*s`", (int)t.n, t.p);
    return true;
}

static bool known_mistake(struct parser *p, size_t i, const struct parse_expected *x)
{
    char low[16];
    const char *right = wrong_case(p, i, low);
    size_t at = i;
    if (!(right && has(x, right))) {
        right = i > 0 && !has(x, "'='") ? NULL : i > 0 ? wrong_case(p, i - 1, low) : NULL;
        at = i - 1;
    }
    if (right && p->tok[i].kind != '=') {
        struct diag *d = diag2(p->env.ds, parse__at(p, at), D_WRONG_CASE, diag_str(p->env.ds, token_text(p, at)), right);
        diag_fix(diag_help(d, "write `%s`", right), d->at, "%s", right);
        return true;
    }
    if (p->tok[i].kind == TOK_TEXT && has(x, "a text")) {
        diag_help(diag0(p->env.ds, parse__at(p, i), D_PLAIN_TEXT), "write {{ and }} for braces that are meant as characters");
        return true;
    }
    return reserved_word(p, i, x);
}

/* `gven {`, `evry 15m`: a name that is nearly the word that would have fitted, here or at the beginning of the line. */
static bool near_word(const struct parser *p, size_t i, const struct parse_expected *x, struct str *word)
{
    static const char *const lines[] = {"every", "reread", "key", "adopt", "when", "on", "fuse", "guard", "trigger", "moved", "let", "once", "fill"};
    bool here = p->tok[i].kind == TOK_NAME && !(has(x, "'='") && !p->tok[i].line_start);
    struct diag_nearest n = diag_nearest_begin(token_text(p, here || i == 0 ? i : i - 1));
    if (here) {
        for (size_t k = 0; k < x->n; k++)
            if (lex_keyword(str_of(x->name[k])))
                diag_nearest_try(&n, str_of(x->name[k]));
    } else if (i > 0 && p->tok[i - 1].kind == TOK_NAME && p->tok[i - 1].line_start && has(x, "'='")) {
        for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++)
            diag_nearest_try(&n, str_of(lines[k]));
    }
    if (p->tok[i].kind == '{')
        diag_nearest_try(&n, STR("match"));
    *word = n.best;
    return n.wrong.n > 2 && diag_nearest_found(&n);
}

/* `fuse 5 percent`, `x = City then`: the name in front was read as the next line's. It is what does not fit. */
static bool stray_name(const struct parser *p, size_t i, const struct parse_expected *x)
{
    if (x->n != 1 || strcmp(x->name[0], "'='") != 0 || i < 2 || p->tok[i - 1].kind != TOK_NAME || p->tok[i - 1].line_start) return false;
    switch (p->tok[i - 2].kind) {
    case TOK_NAME: case TOK_TEXT: case TOK_NUMBER: case TOK_DURATION: case TOK_PERCENT: case TOK_DATE: case TOK_TRUE: case TOK_FALSE: case TOK_NULL: case ')': case ']':
        return true;
    default:
        return false;
    }
}

static void say(struct parser *p, size_t i, struct parse_expected *x)
{
    if (p->tok[i].bad || p->tok[i].after_stray || known_mistake(p, i, x) || parse__foreign_choice(p, i))
        return;                                   /* bad, stray: reported when the tokens were read */
    struct str word;
    bool near = near_word(p, i, x, &word);
    struct parse_expected instead = {(const char *[]){"an operator", "the next line"}, 2};
    if (!near && stray_name(p, i, x)) {
        i--;
        x = &instead;
    }
    struct parse_expected before = {ARENA_ARRAY(p->env.arena, const char *, x->n + 1), x->n};
    memcpy(before.name, x->name, x->n * sizeof *x->name);     /* what people say instead changes the list */
    struct diag *d = diag2(p->env.ds, parse__at(p, i), D_SYNTAX, unexpected_text(p, i), expected_text(p, x));
    if (near)
        diag_help(d, "did you mean `%.*s`?", (int)word.n, word.p);
    parse__advise(p, i, &before, d);
}

/* ---- where reading goes on ---- */
static bool begins_clause(int k)
{
    switch (k) {
    case TOK_EVERY: case TOK_REREAD: case TOK_KEY: case TOK_ADOPT: case TOK_WHEN: case TOK_ON: case TOK_FUSE: case TOK_GUARD: case TOK_TRIGGER:
    case TOK_MOVED: case TOK_LET: case TOK_ONCE: case TOK_FILL: case TOK_SOURCE: case TOK_TARGET:
        return true;
    default:
        return false;
    }
}

static bool begins_item(int k)
{
    return k == 0 || k == TOK_SPEC || k == TOK_IMPORT || k == TOK_SYSTEM || k == TOK_SOURCE || k == TOK_TARGET || k == TOK_ENTITY || k == TOK_EXTEND ||
           k == TOK_TABLE || k == TOK_FN || k == TOK_FLOW || k == TOK_TEST;
}

/* The block holds arms when a => stands in it, outside of inner blocks. */
static bool block_of_arms(const struct parser *p, uint32_t block)
{
    for (size_t i = (size_t)block + 1; i < p->ntok && !(p->tok[i].kind == '}' && p->block[i] == block); i++)
        if (p->tok[i].kind == TOK_ARROW && p->block[i] == block)
            return true;
    return false;
}

/* `test ... { given ... }`: its own block holds no list, so recovery leaves it. */
static bool block_of_test(const struct parser *p, uint32_t block)
{
    return (size_t)block + 1 < p->ntok && block >= 4 && p->tok[block - 4].kind == TOK_TEST;
}

/* A line that begins like a clause, rightly or with a slip that has a message of its own. */
static bool begins_line(const struct parser *p, size_t j, int next)
{
    char low[16];
    const struct token *t = &p->tok[j];
    if (!t->line_start)
        return false;
    int before = j > 0 ? p->tok[j - 1].kind : 0;
    if (t->kind == TOK_NAME && !p->in_bracket[j] && !is_operator(before) && before != ',')
        return true;                              /* by its layout a clause, perhaps with a misspelt word */
    return begins_clause(t->kind) || (is_keyword(p, j) && (next == '=' || next == ':')) || wrong_case(p, j, low) ||
           (t->kind == TOK_NAME && (next == '=' || next == ':' || next == '{'));
}

static bool goes_on(const struct parser *p, size_t j, size_t from, uint32_t block, bool arms)
{
    const struct token *t = &p->tok[j];
    int next = j + 1 < p->ntok ? p->tok[j + 1].kind : 0;
    if (t->kind == 0)
        return true;
    if (block == PARSE_NO_BLOCK)
        return p->block[j] == PARSE_NO_BLOCK && ((begins_item(t->kind) && (t->line_start || j > from)) ||
                                                 (t->kind == TOK_NAME && t->line_start && j > from && p->tok[j - 1].kind == '}'));
    if (p->block[j] != block)
        return false;
    if (t->kind == '}')
        return true;
    if (arms)
        return t->kind == ',' && !p->in_bracket[j];
    if (t->kind == TOK_NAME && j > from && (next == '=' || next == ':') && !p->in_bracket[j])
        return true;
    return begins_line(p, j, next);
}

/* beyond = from, or the token behind it when reading has already been resumed at `from` in vain. */
static size_t next_start(const struct parser *p, size_t from, size_t beyond)
{
    uint32_t block = p->block[from];
    while (block != PARSE_NO_BLOCK && block_of_test(p, block))
        block = p->block[block];
    bool arms = block != PARSE_NO_BLOCK && block_of_arms(p, block);
    size_t j = beyond;
    while (j + 1 < p->ntok && !goes_on(p, j, from, block, arms))
        j++;
    return j;
}

void parse__syntax_error(struct parser *p, const char **expected, size_t n)
{
    size_t i = p->last;
    if (p->quiet) {
        p->pos = p->ntok - 1;
        return;
    }
    if (++p->nerrors > PARSE_ERRORS) {
        diag1(p->env.ds, parse__at(p, i), D_TOO_MANY_ERRORS, "50");
        p->quiet = true;
        p->pos = p->ntok - 1;
        return;
    }
    int k = p->tok[i].kind;
    bool again = p->resumed_at_all && p->resumed == i;
    if (again && (p->synced == i || k == '}' || k == ',' || k == 0)) {   /* moved here in vain: say no more about it, and get on */
        if (k == 0)
            p->quiet = true;
        p->pos = next_start(p, i, i + 1 < p->ntok ? i + 1 : i);
    } else if (p->synced < i && missing_value(p, i)) {
        p->pos = i - 1;                           /* the next line is whole: read it */
    } else {
        say(p, i, &(struct parse_expected){expected, n});
        p->pos = next_start(p, i, i);
    }
    p->synced = i;
    p->resumed = p->pos;
    p->resumed_at_all = true;
}
