/* lexer.re - raw tokens of the .mlc language, one function over the caller's bytes; spans, no copies. See dsl/lex.h.
 *
 * White space (blank, tab, CR, LF) parts tokens and means nothing else. Whatever begins no token is STRAY: scanning never fails and
 * every call moves on, so it ends. UTF-8 was checked before; bytes above 0x7f only stand in texts, comments and backticks. */
#include "dsl/lex.h"
#include "parser.tab.h"

void lex_init(struct lexer *lx, struct str text)
{
    lx->text = lx->cursor = (const unsigned char *)text.p;
    lx->limit = lx->text + text.n;
}

static struct token token_of(const struct lexer *lx, int kind, const unsigned char *from, bool gap, bool line_start)
{
    return (struct token){kind, (uint32_t)(from - lx->text), (uint32_t)(lx->cursor - lx->text), gap, line_start, false, false};
}

#define TOKEN(kind) return token_of(lx, (kind), from, gap, line_start)

struct token lex_scan(struct lexer *lx)
{
    bool gap = lx->cursor == lx->text, line_start = gap;
    const unsigned char *from, *mark;
again:
    from = lx->cursor;
/*!re2c
    re2c:define:YYCTYPE  = "unsigned char";
    re2c:define:YYCURSOR = "lx->cursor";
    re2c:define:YYLIMIT  = "lx->limit";
    re2c:define:YYMARKER = mark;
    re2c:yyfill:enable   = 0;
    re2c:eof             = 0;

    digit    = [0-9];
    letter   = [A-Za-z_];
    name     = letter (letter | digit)*;
    whole    = digit [0-9_]*;
    number   = whole ("." digit [0-9_]*)?;
    numberish = digit (letter | digit)* ("." digit (letter | digit)*)? "%"?;
    day      = digit{4} "-" digit{2} "-" digit{2};
    zone     = "Z" | [+-] digit{2} ":" digit{2};
    inside   = [^"\\\n\x00] | "\\" [^\n\x00];

    [\n]                     { gap = line_start = true; goto again; }
    [ \t\r]+                 { gap = true; goto again; }
    "#" [^\n\x00]*           { while (lx->cursor > from && (lx->cursor[-1] == '\r' || lx->cursor[-1] == ' ' || lx->cursor[-1] == '\t')) lx->cursor--;
                               TOKEN(LEX_COMMENT); }
    name                     { int k = lex_keyword((struct str){(const char *)from, (size_t)(lx->cursor - from)}); TOKEN(k ? k : TOK_NAME); }
    "`" [^`\n\x00]* "`"      { TOKEN(TOK_NAME); }
    "@" name                 { TOKEN(TOK_ATTR); }
    "\"" inside* "\""        { TOKEN(TOK_TEXT); }
    "\"" inside*             { while (lx->cursor > from + 1 && lx->cursor[-1] == '\r') lx->cursor--; TOKEN(LEX_OPEN_TEXT); }
    number                   { TOKEN(TOK_NUMBER); }
    whole ("ms"|"s"|"m"|"h"|"d") { TOKEN(TOK_DURATION); }
    number "%"               { TOKEN(TOK_PERCENT); }
    numberish                { TOKEN(LEX_BAD_NUMBER); }
    day ("T" [0-9:.]+ zone?)? { TOKEN(TOK_DATE); }
    "=="                     { TOKEN(TOK_EQ); }
    "!="                     { TOKEN(TOK_NE); }
    "<="                     { TOKEN(TOK_LE); }
    ">="                     { TOKEN(TOK_GE); }
    "=>"                     { TOKEN(TOK_ARROW); }
    "??"                     { TOKEN(TOK_OTHERWISE); }
    ".."                     { TOKEN(TOK_DOTDOT); }
    [{}()[\],:=<>+\-*/.|?]   { TOKEN(*from); }
    "&&" | "||" | "!" | "<>" | "===" | ":=" | "->" | ";" { TOKEN(LEX_FOREIGN); }
    "//" [^\n\x00]*          { TOKEN(LEX_FOREIGN); }
    "'" [^'\n\x00]* "'"      { TOKEN(LEX_FOREIGN); }
    $                        { return (struct token){0, (uint32_t)(lx->limit - lx->text), (uint32_t)(lx->limit - lx->text), true, line_start, false, false}; }
    [\x80-\xff]+             { TOKEN(LEX_STRAY); }
    *                        { TOKEN(LEX_STRAY); }
*/
}
