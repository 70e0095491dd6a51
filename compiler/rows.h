/* rows.h - one row through a flow, outside of any sync: what mlc eval and mlc test share. */
#ifndef COMPILER_ROWS_H
#define COMPILER_ROWS_H
#include "vm/vm.h"
#include "base/err.h"

/* A JSON object (column name -> text as Sage writes it, or typed) into column values; columns that the flow does not read are passed over,
 * missing ones are absent. False and a sentence in why when the line is no such object. *violation: NULL, or which column breaks its
 * declared type and how (the row is rejected, as sync would). Texts live in the arena. */
bool rows_read(const struct image_flow *f, struct str line, struct arena *a, struct value *cols, const char **violation, char *why, size_t why_len);
/* The same for many rows of one flow: what it learns of the first makes the next ones fast. The flow has to stay. */
struct rows;
struct rows *rows_open(const struct image *im, const struct image_flow *f);
void rows_close(struct rows *r);
/* One line through filter and mapping, as rows_read and rows_eval do, its answer into out: {"error":"..."} and false when the line is no JSON object, with
 * the sentence in why. */
bool rows_line(struct rows *r, struct str line, struct buf *out, char *why, size_t why_len);
/* The first line of text, as rows_line would, when it is like those before; *used: with its line end. False: nothing was done. */
bool rows_next(struct rows *r, struct str text, struct buf *out, size_t *used);
/* The same for a row that some other reader has read; violation: NULL, or why it is rejected. */
void rows_values(struct rows *r, const struct value *cols, const char *violation, struct buf *out);
/* Checks values against the columns' types, as rows_read does. */
const char *rows_violation(const struct image_flow *f, const struct value *cols, struct arena *a);
/* Runs the filter and the mapping and writes one line: the image, {"reject":"..."} or {"skip":true}. Kept fields are left out, and the usual key
 * field, which sync fills. */
void rows_eval(struct vm *vm, const struct image *im, const struct image_flow *f, const struct value *cols, struct buf *out);
/* A value as JSON; links say where they lead: {"ref":"customers","key":["01","ABF"]}, {"find":"users","where":{"email":"x"}}. */
void rows_put_value(struct buf *out, const struct image *im, const struct image_flow *f, const struct value *v);
void rows_put_reject(struct buf *out, struct str why);
#endif
