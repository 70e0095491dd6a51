/* source.h - the texts of one compilation (the spec, prelude files, lock files, CSV tables) and places in them.
 *
 *   bytes -sources_add-> struct source (id, name, text, line index) ; struct span = (file id, first byte, byte behind the last)
 *
 * Every AST node, token and diagnostic carries a span; line and column are looked up only when a diagnostic is printed. */
#ifndef DSL_SOURCE_H
#define DSL_SOURCE_H
#include "base/arena.h"
#include "base/err.h"
#include "base/world.h"

struct span { uint16_t file; uint32_t at, end; };     /* file 0 = no place at all */

struct source {
    uint16_t id;                       /* 1.. ; what struct span calls file */
    struct str name;                   /* as shown to people: "customers.mlc", "prelude/sage100.mlc" */
    struct str text;                   /* whole bytes, a NUL stands behind them */
    bool prelude;                      /* ships inside the compiler */
    uint32_t *line_at; uint32_t nlines;/* byte offset of the first byte of each line; at least one line */
};
struct sources { struct arena *arena; struct source **list; size_t n, cap; };

void sources_init(struct sources *s, struct arena *a);
/* Copies name and text into the arena and builds the line index. Never NULL. The text is taken as it is: size, UTF-8 and BOM are
 * parse_file's to check, so that they become diagnostics. */
struct source *sources_add(struct sources *s, struct str name, struct str text, bool prelude);
/* Reads a file through the world and adds it under its path. ERR_NOT_FOUND, ERR_IO, ERR_TOO_LARGE (above LIMIT_SOURCE_BYTES). */
enum err sources_load(struct sources *s, const struct world *w, const char *path, struct source **out, struct fault *f);
/* NULL for id 0. */
const struct source *sources_get(const struct sources *s, uint16_t id);

static inline bool span_known(struct span s) { return s.file != 0; }
/* From the first byte of a to the last of b (same file). */
static inline struct span span_join(struct span a, struct span b)
{
    return span_known(a) ? (span_known(b) ? (struct span){a.file, a.at, b.end} : a) : b;
}
/* The bytes of a span; empty when the place is unknown. */
struct str span_text(const struct sources *s, struct span at);

struct place {
    const struct source *source;       /* NULL when unknown: then the rest is 0 */
    uint32_t line, column;             /* from 1; column in code points */
    uint32_t end_line, end_column;     /* behind the last character */
    struct str line_text;              /* the first line, without its line end */
};
struct place source_place(const struct sources *s, struct span at);
#endif
