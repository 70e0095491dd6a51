/* format_lines.h - lines being laid out: code, and a comment behind it. Private to the formatter. */
#ifndef DSL_FORMAT_LINES_H
#define DSL_FORMAT_LINES_H
#include "base/arena.h"
#include "base/buf.h"

struct format_line { struct str code; uint32_t width; struct str comment; struct format_line *next; };   /* code with its indent; both empty = blank line */
struct format_lines {
    struct arena *arena;
    struct format_line *first, *last;
    struct buf code;                   /* the line being written */
    uint32_t width;                    /* its characters */
    struct str comment;
    bool open;                         /* something stands on it */
};
void format__put(struct format_lines *l, struct str s);
void format__pad(struct format_lines *l, uint32_t column);         /* blanks up to a column */
void format__end(struct format_lines *l);                          /* ends the line when something stands on it */
void format__begin(struct format_lines *l, uint32_t indent);       /* ends the line and indents the next */
void format__blank(struct format_lines *l);                        /* a blank line, unless one stands there or nothing does */
/* Writes all lines; comments behind code on neighbouring lines begin at one column. */
void format__print(struct format_lines *l, struct buf *out);
#endif
