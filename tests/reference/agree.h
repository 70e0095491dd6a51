/* agree.h - one spec, computed twice: by the product (parser, checker, compiler, bytes of the image, vm) and by the reference.
 *
 *   text -agree_open-> compiled, loaded from its bytes     row -agree_row-> NULL, or how the two differ          agree_reduce: the smallest case */
#ifndef TESTS_REFERENCE_AGREE_H
#define TESTS_REFERENCE_AGREE_H
#include "compiler/compile.h"
#include "tests/reference/reference.h"
#include "vm/vm.h"

struct agree {
    struct buf spec, csv;            /* owned */
    struct world world;              /* has these two as files, and nothing else */
    struct compile c;
    struct arena arena, row;         /* of the program, of one row */
    struct image *im;                /* NULL: refused */
    const struct image_flow *f;      /* the spec's first flow */
    struct vm *vm;
    struct ref ref;
    const struct column *columns; size_t ncolumns;     /* of the source table: what a row has */
    size_t *column_of;               /* column of the image -> column of the table */
    struct values { struct value *list; size_t n, cap; } pool;   /* constants of the program */
    unsigned skipped, rejected, mapped, kept;
};
/* Takes both texts over. False: it has errors (look at c.diags). agree_close in every case. */
bool agree_open(struct agree *a, struct buf *spec, struct buf *csv, enum ref_plant plant);
void agree_close(struct agree *a);
/* values: per column of the source table, as the source gives them. The answer lives until the next row. */
const char *agree_row(struct agree *a, const struct value *values);
/* A row within the declared bounds; edge: at them, or at and beside a constant of the program. Texts live in mem. */
void agree_random_row(const struct agree *a, uint64_t *seed, bool edge, struct arena *mem, struct value *out);
/* Values of one column, as agree_random_row makes them. */
struct value agree_random_value(const struct column *col, const struct values *pool, uint64_t *seed, bool edge, struct arena *mem);
/* Constants of the expressions and tables, for the rows. */
void agree_constants(struct values *pool, struct arena *a, const struct ast_file *file);
/* Shrinks row, then program, as long as they differ; prints the smallest spec and row. plant as in agree_open. */
void agree_reduce(struct agree *a, const struct value *values, enum ref_plant plant);
/* Only these two texts are files of this world. */
void agree_world(struct world *w, struct agree *a);
uint64_t agree_random(uint64_t *seed);
#endif
