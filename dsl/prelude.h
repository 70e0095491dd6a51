/* prelude.h - the schemas that ship inside the compiler: dsl/prelude/NAME.mlc, and its further parts NAME.PART.mlc, embedded at build time. */
#ifndef DSL_PRELUDE_H
#define DSL_PRELUDE_H
#include "dsl/ast.h"
#include "dsl/diag.h"

/* What `import` takes, in byte order: "file", "sage100", "zoho_crm". */
size_t prelude_count(void);
struct str prelude_name(size_t i);
/* Adds the texts of an import to the sources ("prelude/sage100.mlc", ...), parses them and gives one tree with the items of all parts; NULL
 * when there is no such import. A fault in them is ours, not the user's: it lands in ds all the same, and a test keeps them clean. */
struct ast_file *prelude_import(struct str name, struct sources *s, struct arena *a, struct diags *ds);
#endif
