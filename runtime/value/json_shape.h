/* json_shape.h - rows that look like the last ones: the same members in the same order, all of them plain texts of printable ASCII, which is what a source sends nearly
 * always. Nothing is searched in such a row: the list of its seams (json_seams.h) has both ends of every name and value.
 *
 * json_row.c teaches a shape from what it has read by the rules, and asks it first. A shape takes a row as a whole or leaves it as a whole; what it leaves,
 * because of a letter beyond ASCII, an escape, a blank or a value that breaks its column's type, is read by the rules. */
#ifndef VALUE_JSON_SHAPE_H
#define VALUE_JSON_SHAPE_H
#include "value/json_cell.h"

struct json_shape;
/* Cells: of all columns of the reader; they have to stay. */
struct json_shape *json_shape_new(const struct cell *cells, size_t ncells);
void json_shape_free(struct json_shape *s);
/* Forgets what it knows; then each member of the row that is to be its model: what stands in front of the value, from behind the brace or from the quote that ends
 * the value before, to its opening quote; column -1: not read. At last end: false when no row of this kind can be read here. */
void json_shape_begin(struct json_shape *s);
void json_shape_member(struct json_shape *s, struct str gap, int column);
bool json_shape_end(struct json_shape *s);
/* The row at the start of text, up to the end or to a line end, into the columns; *used: where it ends. False: it is not of this shape, and the columns mean
 * nothing. */
bool json_shape_read(struct json_shape *s, struct str text, size_t *used, struct value *cols);
#endif
