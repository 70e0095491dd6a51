/* recover_help.c - what helps at a syntax error, besides the list of what would have fitted: the slips that new users make, each with the form that
 * is meant, and a fix where the text leaves no doubt. Called by recover.c with what was expected, before that is put into words. */
#include "dsl/parser.h"
#include "parser.tab.h"

static struct str text_of(const struct parser *p, size_t i)
{
    return (struct str){p->env.src->text.p + p->tok[i].at, p->tok[i].end - p->tok[i].at};
}

static int kind(const struct parser *p, size_t i) { return i < p->ntok ? p->tok[i].kind : 0; }
static bool is_word(const struct parser *p, size_t i, const char *word) { return kind(p, i) == TOK_NAME && str_is(text_of(p, i), word); }
static bool only(const struct parse_expected *x, const char *name) { return x->n == 1 && strcmp(x->name[0], name) == 0; }

static bool has(const struct parse_expected *x, const char *name)
{
    for (size_t i = 0; i < x->n; i++)
        if (strcmp(x->name[i], name) == 0) return true;
    return false;
}

static struct span behind(const struct parser *p, size_t i) { return (struct span){p->env.src->id, p->tok[i].end, p->tok[i].end}; }

/* ---- words of other languages ---- */

/* `x = if a then b`, `a ? b : c`: the choice that is meant is a match. */
bool parse__foreign_choice(struct parser *p, size_t i)
{
    static const char *const form = "match { condition => value, else => value }";
    size_t at = is_word(p, i, "if") ? i : i >= 1 && is_word(p, i - 1, "if") ? i - 1 : i >= 2 && is_word(p, i - 2, "if") ? i - 2 : i;
    if (kind(p, i) == '?') diag2(p->env.ds, parse__at(p, i), D_FOREIGN_OPERATOR, "? :", form);
    else if (is_word(p, at, "if")) diag2(p->env.ds, parse__at(p, at), D_FOREIGN_OPERATOR, "if", form);
    else return false;
    return true;
}

static void declarations(struct parser *p, size_t i, struct diag *d)
{
    static const struct { const char *word, *help; } words[] = {
        {"function", "a function is written: fn NAME(PARAMETER: TYPE) = expression"}, {"func", "a function is written: fn NAME(PARAMETER: TYPE) = expression"},
        {"def", "a function is written: fn NAME(PARAMETER: TYPE) = expression"}, {"const", "a value with a name is a fn: fn NAME() = 1.2"},
        {"var", "a value with a name is a fn: fn NAME() = 1.2"}, {"let", "`let` stands in a flow; for all flows a value with a name is a fn: fn NAME() = 1.2"},
        {"lookup", "a table is written: table NAME { \"key\" => \"value\" }"}, {"map", "a table is written: table NAME { \"key\" => \"value\" }"},
        {"schema", "a table of one's own is written: entity SOURCE.NAME { key No: text(20) }"}};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (str_is(text_of(p, i), words[k].word)) diag_help(d, "%s", words[k].help);
}

/* ---- forms of clauses ---- */

static void clauses(struct parser *p, size_t i, const struct parse_expected *x, struct diag *d)
{
    int before = i ? kind(p, i - 1) : 0, two_before = i > 1 ? kind(p, i - 2) : 0;
    if (only(x, "every") && kind(p, i) == TOK_DURATION) diag_fix(diag_help(d, "write: reread every %.*s", (int)text_of(p, i).n, text_of(p, i).p), behind(p, i - 1), " every");
    if (only(x, "by")) diag_fix(diag_help(d, "write: adopt by FIELD == expression"), behind(p, i - 1), " by");
    if (only(x, "set")) diag_fix(diag_help(d, "write: on leave set { FIELD = value }"), behind(p, i - 1), " set");
    if (only(x, "from") && two_before == TOK_FLOW) diag_help(d, "a flow begins: flow NAME from SOURCE.TABLE to TARGET.MODULE {");
    if (has(x, "to") && has(x, "into") && has(x, "via")) diag_help(d, "a flow begins: flow NAME from SOURCE.TABLE to TARGET.MODULE {");
    if (only(x, "'.'") && before == TOK_NAME)
        diag_help(d, "both names are needed: SOURCE.TABLE or TARGET.MODULE, such as erp.AR_Customer or crm.Accounts");
    if (has(x, "a time such as 15m") && kind(p, i) == TOK_NUMBER && kind(p, i + 1) == TOK_NAME && text_of(p, i + 1).n <= 3)
        diag_fix(diag_help(d, "the unit touches the number: %.*s%.*s", (int)text_of(p, i).n, text_of(p, i).p, (int)text_of(p, i + 1).n, text_of(p, i + 1).p),
                 span_join(parse__at(p, i), parse__at(p, i + 1)), "%.*s%.*s", (int)text_of(p, i).n, text_of(p, i).p, (int)text_of(p, i + 1).n, text_of(p, i + 1).p);
    if (is_word(p, i, "percent") && before == TOK_NUMBER)
        diag_fix(diag_help(d, "a share is written %.*s%%", (int)text_of(p, i - 1).n, text_of(p, i - 1).p), span_join(parse__at(p, i - 1), parse__at(p, i)), "%.*s%%",
                 (int)text_of(p, i - 1).n, text_of(p, i - 1).p);
}

static void declared_types(struct parser *p, size_t i, const struct parse_expected *x, struct diag *d)
{
    if (only(x, "':'") && (kind(p, i) == ')' || kind(p, i) == ',')) diag_help(d, "every parameter says its type, such as: %.*s: decimal(13,2)", (int)text_of(p, i - 1).n, text_of(p, i - 1).p);
    else if (only(x, "':'") && kind(p, i) == TOK_NAME && i) diag_fix(diag_help(d, "a field is declared NAME: TYPE, with a colon"), behind(p, i - 1), ":");
    if (only(x, "'='") && kind(p, i) == '{' && i && kind(p, i - 1) == ')') diag_help(d, "a fn is one expression behind `=`: there are no statements and no `return`");
}

/* A bare word where a text belongs: countries.csv as a whole, not only `countries`. */
static void unquoted(struct parser *p, size_t i, const struct parse_expected *x, struct diag *d)
{
    size_t last = i;
    if (!only(x, "a text") || kind(p, i) != TOK_NAME || p->tok[i].line_start) return;
    while ((kind(p, last + 1) == '.' || kind(p, last + 1) == '-' || kind(p, last + 1) == '/' || kind(p, last + 1) == TOK_NAME) && !p->tok[last + 1].gap) last++;
    struct span at = span_join(parse__at(p, i), parse__at(p, last));
    struct str text = {p->env.src->text.p + at.at, at.end - at.at};
    diag_fix(diag_help(d, "put it in quotes: \"%.*s\"", (int)text.n, text.p), at, "\"%.*s\"", (int)text.n, text.p);
}

/* ---- marks ---- */

static void commas(struct parser *p, size_t i, const struct parse_expected *x, struct diag *d)
{
    int k = kind(p, i);
    bool comma = has(x, "','"), grouped = k == ',' && i && kind(p, i - 1) == TOK_NUMBER && kind(p, i + 1) == TOK_NUMBER && !p->tok[i].gap && !p->tok[i + 1].gap;
    if (comma && !p->in_bracket[i] && (p->tok[i].line_start || k == TOK_TEXT || k == TOK_ELSE) && k != '}')
        diag_fix(diag_help(d, "arms are parted by commas: put one %s", p->tok[i].line_start ? "at the end of the line before" : "in front"), behind(p, i - 1), ",");
    else if (comma && p->in_bracket[i] && !p->tok[i].line_start && (k == TOK_NAME || k == TOK_TEXT || k == TOK_NUMBER))
        diag_fix(diag_help(d, "arguments are parted by commas"), behind(p, i - 1), ",");
    if (grouped) {
        struct str a = text_of(p, i - 1), b = text_of(p, i + 1);
        diag_fix(diag_help(d, "thousands are parted by _: %.*s_%.*s", (int)a.n, a.p, (int)b.n, b.p), parse__at(p, i), "_");
    } else if (k == ',' && only(x, "=>")) diag_fix(diag_help(d, "the columns stand around an arrow: (KEY => VALUE)"), parse__at(p, i), " =>");
    else if (k == ',' && !comma) diag_fix(diag_help(d, "only arms and arguments are parted by commas"), parse__at(p, i), "%s", "");
}

static void equals(struct parser *p, size_t i, const struct parse_expected *x, struct diag *d)
{
    int k = kind(p, i);
    bool comparison = k == TOK_EQ || k == TOK_NE || k == TOK_LE || k == TOK_GE || k == '<' || k == '>';
    if (has(x, "=>") && (k == '=' || k == ':')) diag_fix(diag_help(d, "an arm is written `pattern => value`"), parse__at(p, i), "=>");
    if (comparison && has(x, "'+'")) diag_help(d, "comparisons do not chain: write `a < b and b < c`");
    if (k == TOK_EQ && has(x, "'='")) diag_fix(diag_help(d, "one `=` gives a field its value, `==` compares"), parse__at(p, i), "=");
    if (k == '=' && !has(x, "=>") && (has(x, "==") || has(x, "'+'"))) diag_fix(diag_help(d, "`==` compares, one `=` gives a field its value"), parse__at(p, i), "==");
    if (k == ':' && only(x, "'='")) diag_fix(diag_help(d, "a field gets its value by `=`"), parse__at(p, i), " =");
    if (k == '.' && has(x, "'='") && i && kind(p, i - 1) == TOK_NAME)
        diag_fix(diag_help(d, "a field of the flow's module is named alone"), span_join(parse__at(p, i - 1), parse__at(p, i)), "%s", "");
}

void parse__advise(struct parser *p, size_t i, const struct parse_expected *x, struct diag *d)
{
    bool expression = has(x, "match") && has(x, "a number");
    if (has(x, "flow") && has(x, "test")) declarations(p, i, d);
    clauses(p, i, x, d);
    declared_types(p, i, x, d);
    unquoted(p, i, x, d);
    commas(p, i, x, d);
    equals(p, i, x, d);
    if ((only(x, "a name") || expression) && lex_keyword(text_of(p, i)) && !p->tok[i].line_start)
        diag_fix(diag_help(d, "`%.*s` is a word of the language; a name like it stands between backticks", (int)text_of(p, i).n, text_of(p, i).p), parse__at(p, i), "`%.*s`",
                 (int)text_of(p, i).n, text_of(p, i).p);
}
