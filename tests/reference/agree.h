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
    const struct flow *flow;         /* the one that is compared: the spec's first, or agree_flow's */
    const struct image_flow *f;
    struct vm *vm;
    struct ref ref;
    const struct column *columns; size_t ncolumns;     /* of the source table: what a row has */
    size_t *column_of;               /* column of the image -> column of the table */
    struct values { struct value *list; size_t n, cap; } pool;   /* constants of the program */
    unsigned skipped, rejected, mapped, kept, lines, keys /* of one's own */, intos; size_t events;
};
/* Takes both texts over. False: it has errors (look at c.diags). agree_close in every case. */
bool agree_open(struct agree *a, struct buf *spec, struct buf *csv, enum ref_plant plant);
/* The same for a file of the disk, with the files beside it. */
bool agree_open_file(struct agree *a, const char *path, enum ref_plant plant);
/* From now on another flow of the same spec. */
void agree_flow(struct agree *a, const struct flow *fl);
void agree_close(struct agree *a);
/* values: per column of the source table, as the source gives them. The answer lives until the next row. */
const char *agree_row(struct agree *a, const struct value *values);
/* Prints it as a comment. */
void agree_show_row(struct agree *a, const struct value *values);
/* What leaving and vanishing write: NULL, or which clause differs. */
const char *agree_events(struct agree *a);
/* A row within the declared bounds, blank where the flow reads nothing; edge: at them, or at and beside a constant of the program. Texts live in mem. */
void agree_random_row(const struct agree *a, uint64_t *seed, bool edge, struct arena *mem, struct value *out);
/* Values of one column, as agree_random_row makes them. */
struct value agree_random_value(const struct column *col, const struct values *pool, uint64_t *seed, bool edge, struct arena *mem);
/* A part of a key that differs for different n and leaves in n what it did not hold; texts as long and as full of escapes as they may be. */
struct value agree_key_part(const struct type *type, uint64_t *n, struct arena *mem);
/* Lines of a list column, with the columns that the flow reads and keys that differ: 0 to 5 of them, at the edge also 200 and 201. row: by header's columns. */
struct value agree_random_lines(const struct flow *f, const struct value *row, const struct schema *lines, const struct values *pool, uint64_t *seed, bool edge,
                                struct arena *mem);
/* The line table of a list column that the flow runs over, or NULL. */
const struct schema *agree_lines_of(const struct flow *f, size_t column);
/* Constants of the flow's expressions and of the file's functions and tables, for the rows. */
void agree_constants(struct values *pool, struct arena *a, const struct ast_file *file, const struct ast_flow *flow);
/* Shrinks row, then program, as long as they differ; prints the smallest spec and row. plant as in agree_open. */
void agree_reduce(struct agree *a, const struct value *values, enum ref_plant plant);
/* Only these two texts are files of this world. */
void agree_world(struct world *w, struct agree *a);
uint64_t agree_random(uint64_t *seed);
#endif
