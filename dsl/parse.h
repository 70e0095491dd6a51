/* parse.h - bytes to AST: checks the bytes (size, UTF-8, BOM), lexes (grammar/lexer.re), parses (grammar/parser.y).
 *
 *   struct source -parse_file-> struct ast_file (always; what could not be read is left out and has a diagnostic)
 */
#ifndef DSL_PARSE_H
#define DSL_PARSE_H
#include "dsl/ast.h"
#include "dsl/diag.h"

#define PARSE_NESTING 200             /* brackets and operators inside each other */
#define PARSE_ERRORS 50               /* syntax errors of one file before we stop reading */

/* Never NULL. When errors were found (ds->nerrors grew) the tree holds what was readable around them. Node memory: the arena. */
struct ast_file *parse_file(const struct source *src, struct arena *a, struct diags *ds);
/* --dump=tokens: one token a line, "12:3 NAME Sage_Status". */
void parse_dump_tokens(const struct source *src, const struct sources *all, struct buf *out);
#endif
