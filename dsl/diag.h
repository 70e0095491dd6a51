/* diag.h - what is wrong with the user's program: one table of codes (diag.def), texts with line, caret, second place and a fix to copy.
 *
 *   diag2(ds, span, D_UNKNOWN_NAME, "Custmer", "AR_Customer")  -> a struct diag in ds; then, as wanted:
 *   diag_also(d, span, "declared here")                        -> the other place it clashes with (a schema line in the prelude, ...)
 *   diag_help(d, "write `%s`", ...)                            -> a fix to copy
 *   diags_print(ds, DIAG_FORMAT_TEXT, color, out)              -> sorted by place, deduplicated, "N errors" at the end
 *
 * Arguments of a message are all texts; their number is checked against the table. Everything lives in the arena of the set. */
#ifndef DSL_DIAG_H
#define DSL_DIAG_H
#include "dsl/source.h"
#include "base/buf.h"

enum diag_severity { DIAG_ERROR, DIAG_WARNING };
enum diag_code {
#define DIAG(code, severity, name, message) D_##name,
#include "dsl/diag.def"
#undef DIAG
    D_COUNT
};
struct diag_also { struct span at; const char *text; struct diag_also *next; };
struct diag_line { const char *text; struct diag_line *next; };
struct diags;
struct diag {
    enum diag_code code;
    struct span at;
    const char *message;
    struct diag_also *also;            /* in the order added */
    struct diag_line *help;            /* "help:" lines, in the order added */
    struct span fix_at; const char *fix, *fix_title;   /* replacing that place by this text mends it; fix NULL: nobody can say */
    size_t seq;                        /* order of arrival; parts equal places */
    struct diags *owner;
};
struct diags {
    struct arena *arena; const struct sources *sources;
    struct diag **list; size_t n, cap;
    size_t raised;                     /* errors said, repeats included: tells whether a pass found something */
    size_t nerrors, nwarnings;         /* distinct ones: a repeat at the same place with the same text is dropped at once */
};
void diags_init(struct diags *ds, struct arena *a, const struct sources *s);

/* Adds a diagnostic; never NULL (a duplicate gives back the first one). The number says how many %s the message of the code has. */
struct diag *diag0(struct diags *ds, struct span at, enum diag_code code);
struct diag *diag1(struct diags *ds, struct span at, enum diag_code code, const char *a);
struct diag *diag2(struct diags *ds, struct span at, enum diag_code code, const char *a, const char *b);
struct diag *diag3(struct diags *ds, struct span at, enum diag_code code, const char *a, const char *b, const char *c);
struct diag *diag4(struct diags *ds, struct span at, enum diag_code code, const char *a, const char *b, const char *c, const char *d);
/* A second place with a caption; a help line. Both return d. A line added twice to a deduplicated diagnostic stays single. */
struct diag *diag_also(struct diag *d, struct span at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
struct diag *diag_help(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What mends it, for tools that can apply it: the place is replaced by the text. Its title is the help line added last. The first one stays. */
struct diag *diag_fix(struct diag *d, struct span at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A NUL-terminated copy of user text for a message: at most 60 characters, control characters as \n, \x01. */
const char *diag_str(struct diags *ds, struct str s);
/* The candidate nearest to `wrong` (edit distance at most a third of its length, case ignored first), or NULL: "did you mean". */
struct diag_nearest { struct str wrong; struct str best; unsigned distance; };
struct diag_nearest diag_nearest_begin(struct str wrong);
void diag_nearest_try(struct diag_nearest *n, struct str candidate);
bool diag_nearest_found(const struct diag_nearest *n);

const char *diag_code_text(enum diag_code c);          /* "E0101" */
const char *diag_code_name(enum diag_code c);          /* "not-utf8" */
const char *diag_code_template(enum diag_code c);      /* the message with ... for what is filled in */
enum diag_severity diag_code_severity(enum diag_code c);
/* "E0101" or "e0101" or "not-utf8"; false when unknown. */
bool diag_code_find(struct str s, enum diag_code *out);
/* The page docs/diagnostics/CODE.md as built in, or an empty text when it has none yet. */
struct str diag_explain(enum diag_code c);

enum diag_format { DIAG_FORMAT_TEXT, DIAG_FORMAT_JSON, DIAG_FORMAT_SARIF, DIAG_FORMAT_GITHUB, DIAG_FORMAT_JUNIT, DIAG_FORMAT_COUNT };
bool diag_format_find(struct str name, enum diag_format *out);    /* "text", "json", "sarif", "github", "junit" */
/* Sorts (file of the spec first, then place) and prints all. color only concerns text; use diag_want_color(fd). */
void diags_print(struct diags *ds, enum diag_format format, bool color, struct buf *out);
/* One workflow command of GitHub: an annotation at a place (without one when p->source is NULL). level: "error", "warning", "notice". */
void diag_github(struct buf *out, const char *level, const struct place *p, struct str title, struct str text);
/* A terminal, and NO_COLOR is unset or empty. */
bool diag_want_color(int fd);
#endif
