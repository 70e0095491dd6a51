/* file_rows.h - rows of a JSON-lines or CSV file as raw texts; private to this connector. */
#ifndef CONNECTORS_FILE_ROWS_H
#define CONNECTORS_FILE_ROWS_H
#include "base/arena.h"
#include "base/err.h"
#include "connectors/lines.h"

enum file_format { FILE_JSONL, FILE_CSV };
struct file_cell { struct str name, text; bool list; };  /* list: text is a JSON array; else as type_read takes it: null = empty, true and numbers as words */
struct file_row { const struct file_cell *cells; size_t n; unsigned line; };
struct file_rows { struct file_row *rows; size_t n; const struct str *names; size_t nnames; /* names: CSV only */ };

/* Spans point into `content` or the arena. ERR_FORMAT names the line. */
enum err file_rows_parse(struct str content, enum file_format format, struct arena *a, struct file_rows *out, struct fault *f);
bool file_row_is_list(const struct file_row *r, struct str name);
/* The cell of a list column into lines; false when it is no array of objects with plain values. What a line does not name is blank. */
bool file_row_lines(struct str text, struct lines *l, struct arena *a);
/* The text of a column; empty when the row has none. */
struct str file_row_text(const struct file_row *r, struct str name);
#endif
