/* lex.h - tokens of one source. Private to parse and format.
 *
 *   bytes -lex_scan (grammar/lexer.re)-> raw tokens with comments -lex_literal-> what a text, number, time or date means
 *
 * A raw token is a kind and a place; format lays raw tokens out again, parse gives them meaning. Kinds are those of the parser
 * (gen/parser.tab.h) and the few below, which never reach it. */
#ifndef DSL_LEX_H
#define DSL_LEX_H
#include "dsl/ast.h"
#include "dsl/diag.h"

enum lex_extra {                 /* above every token number of Bison */
    LEX_COMMENT = 1000,          /* # to the end of the line, without the line end */
    LEX_FOREIGN,                 /* && || ! <> === := -> ; // 'x' : known from elsewhere, reported and read as what is meant */
    LEX_OPEN_TEXT,               /* " without an end on its line */
    LEX_BAD_NUMBER,              /* 5min, 1.5h, 0x10, 12abc */
    LEX_STRAY                    /* bytes that begin nothing */
};
struct token {
    int kind;
    uint32_t at, end;
    bool gap;                    /* white space or a comment stands in front */
    bool line_start;             /* the first token (or comment) of its line */
    bool bad;                    /* set by parse: already reported, give it a stand-in value */
    bool after_stray;            /* set by parse: bytes that mean nothing stood in front and were reported */
};
struct lexer { const unsigned char *text, *cursor, *limit; };   /* a NUL stands at limit */

void lex_init(struct lexer *lx, struct str text);
/* The next raw token; at the end kind 0 (the parser's end of file) again and again. */
struct token lex_scan(struct lexer *lx);
/* The keyword token of a word, or 0. */
int lex_keyword(struct str word);
/* A letter or _, then letters, digits, _ ; and no keyword: needs no backticks. */
bool lex_plain_name(struct str word);

/* The meaning of a literal token as a node (TEXT, TEMPLATE, NUMBER, DURATION, PERCENT, DATE). Faults become diagnostics and a node
 * that lets reading go on. `at` is the place of the token. */
struct lex_env { struct arena *arena; struct diags *ds; const struct source *src; };
struct ast *lex_text(const struct lex_env *e, struct span at);      /* TEXT, or TEMPLATE when it has {holes} */
struct ast *lex_number(const struct lex_env *e, struct span at);
struct ast *lex_duration(const struct lex_env *e, struct span at);
struct ast *lex_percent(const struct lex_env *e, struct span at);
struct ast *lex_date(const struct lex_env *e, struct span at);
struct ast_name lex_name(const struct lex_env *e, struct span at);  /* plain or between backticks */
/* Says why a LEX_BAD_NUMBER is none, a unit or digits; true when a time was meant. */
bool lex_bad_number(const struct lex_env *e, struct span at);
#endif
