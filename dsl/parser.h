/* parser.h - what parse.c, recover.c and the generated parser share. Private to the front end. */
#ifndef DSL_PARSER_H
#define DSL_PARSER_H
#include "dsl/lex.h"
#include "dsl/parse.h"

#define PARSE_NO_BLOCK UINT32_MAX
struct parser {
    struct lex_env env;
    struct token *tok; size_t ntok, cap;  /* without comments; the last one is the end of the file */
    uint32_t *block;                      /* per token: index of the { around it, or PARSE_NO_BLOCK */
    bool *in_bracket;                     /* per token: ( or [ is open between it and that { */
    size_t pos;                           /* the token that mlc_lex gives next */
    size_t last;                          /* the token that it gave last */
    size_t synced;                        /* the last error: recovery never goes back over it twice */
    size_t resumed; bool resumed_at_all;  /* where reading went on after it */
    size_t nerrors;
    bool quiet;                           /* reading has been given up: say no more */
    int64_t edition;
    struct ast_list items;
};
/* An open bracket while tokens are read. */
struct parse_bracket { int kind; uint32_t token; };

static inline struct span parse__at(const struct parser *p, size_t token)
{
    return (struct span){p->env.src->id, p->tok[token].at, p->tok[token].end};
}
/* Reads all tokens, pairs the braces and closes those that were left open in front of a new declaration (parse.c). */
void parse__read_tokens(struct parser *p);

/* ---- called by the actions ---- */
struct span parse__join(const struct span *rhs, size_t n);      /* rhs[1..n]; rhs[0] stands before them */
struct ast *parse__node(struct parser *p, struct ast *n);        /* refuses a tree that is too deep */
struct ast *parse__negate(struct parser *p, struct span at, struct ast *value);
struct ast *parse__optional(struct parser *p, struct span at, struct ast *type);
struct ast *parse__mode(struct parser *p, struct span at, int mode, struct ast *field);
struct ast_name parse__one_of(struct span one, struct span of);
void parse__edition(struct parser *p, struct span at, const struct ast *number);
void parse__no_edition(struct parser *p);

/* ---- recover_help.c ---- */
struct parse_expected { const char **name; size_t n; };          /* names as in parser.y */
/* Help lines and a fix for the syntax error at token i. */
void parse__advise(struct parser *p, size_t i, const struct parse_expected *x, struct diag *d);
/* An `if` or `? :` of another language at or in front of token i: reported, true. */
bool parse__foreign_choice(struct parser *p, size_t i);

/* ---- recover.c ---- */
/* Says what is wrong at the token given last and moves on to where reading can go on. expected: names as in parser.y. */
void parse__syntax_error(struct parser *p, const char **expected, size_t n);
#endif
