/* compile.h - one compilation from file to image; what mlc and the tests drive.
 *
 *   path -compile_open-> sources, AST, typed tree, diagnostics -compile_image-> verified image */
#ifndef COMPILER_COMPILE_H
#define COMPILER_COMPILE_H
#include "code/image.h"
#include "compiler/lower.h"
#include "dsl/spec.h"

struct compile {
    struct arena arena;
    struct sources sources;
    struct diags diags;
    struct source *source;         /* the spec itself */
    struct ast_file *ast;
    struct spec *spec;
    struct lowered lowered;        /* filled by compile_image */
};
/* Reads, parses and checks; ERR_OK also when the spec has errors (look at diags.nerrors). Other errors: the file itself cannot be read.
 * compile_close in every case. */
enum err compile_open(struct compile *c, const struct world *w, const char *path, struct fault *f);
/* The same for a copy that lies elsewhere: tables, imports and lock files are looked for beside `as`, and diagnostics name that. */
enum err compile_open_as(struct compile *c, const struct world *w, const char *path, const char *as, struct fault *f);
/* Only reads and parses. */
enum err compile_parse(struct compile *c, const struct world *w, const char *path, struct fault *f);
/* The image, verified; NULL when a limit of the format is passed (a diagnostic says which). Call it only without errors so far. */
struct image *compile_image(struct compile *c);
void compile_close(struct compile *c);
#endif
