/* csv.h - RFC 4180 as `table NAME from "file.csv"` reads it at compile time: comma, double quotes, CRLF or LF, a header line, an optional
 * byte order mark; every record as wide as the header. Nothing is trimmed or guessed. */
#ifndef DSL_CSV_H
#define DSL_CSV_H
#include "base/arena.h"
#include "base/str.h"

struct csv {
    const struct str *header; size_t ncols;
    const struct str *cells; size_t nrows;    /* nrows x ncols, row by row */
    const uint32_t *lines;                    /* line of the file on which each row begins, from 1 */
};
struct csv_fault { uint32_t line; char text[160]; };

/* Parses the whole text; cells without escapes are spans of it, others live in the arena. False and where, why on the first fault. */
bool csv_parse(struct str text, struct arena *a, struct csv *out, struct csv_fault *why);
/* Column of a header name, or -1. */
int csv_column(const struct csv *c, struct str name);
static inline struct str csv_cell(const struct csv *c, size_t row, size_t col) { return c->cells[row * c->ncols + col]; }
#endif
