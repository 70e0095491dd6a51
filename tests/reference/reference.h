/* reference.h - the language computed a second time: slow, simple, over the AST, in tests only. It shares no code with the vm, its builtins or its
 * decimals, so that what both agree on is what docs/language.md says.
 *
 *   checked spec + row -ref_run-> skip | reject, message | per field: value or keep          (to compare with vm_when, vm_map, vm_adopt)
 *
 * Numbers are strings of decimal digits, dates are their ISO texts, everything is computed again at every use: a let or a fn is only a name
 * for an expression. What the checker found out is used in two points only: the columns of the flow's entity with their defaults, and the scale
 * that a number has as text. */
#ifndef TESTS_REFERENCE_REFERENCE_H
#define TESTS_REFERENCE_REFERENCE_H
#include "code/image.h"
#include "dsl/spec.h"

/* ---- numbers (number.c) ---- */
enum { REF_DIGITS = 160 };
struct ref_number { bool negative; unsigned scale; unsigned char digit[REF_DIGITS]; };    /* digit[0] is the last one; value = digits / 10^scale */

/* "-?digits[.digits]" with or without `_`. */
struct ref_number ref_number_read(struct str text);
/* From binary, for the rows. */
struct ref_number ref_number_of(i128 coef, unsigned scale);
struct ref_number ref_number_add(const struct ref_number *a, const struct ref_number *b);
struct ref_number ref_number_minus(const struct ref_number *a);
struct ref_number ref_number_times(const struct ref_number *a, const struct ref_number *b);
/* Half away from zero; with n above its scale the number stays as it is. */
struct ref_number ref_number_round(const struct ref_number *a, unsigned n);
/* a / b with n decimals, half away from zero; false when b is 0. */
bool ref_number_divide(const struct ref_number *a, const struct ref_number *b, unsigned n, struct ref_number *out);
int ref_number_compare(const struct ref_number *a, const struct ref_number *b);
/* With `scale` decimals (at least as many as the number has). */
void ref_number_write(struct buf *out, const struct ref_number *a, unsigned scale);

/* ---- values ---- */
enum ref_kind { REF_ABSENT, REF_BOOL, REF_TEXT, REF_NUMBER, REF_DAY, REF_WALL, REF_POINT, REF_LINK, REF_LIST };
struct ref_value {
    enum ref_kind kind;
    bool yes;
    struct str text;                 /* REF_TEXT; dates as YYYY-MM-DD[THH:MM:SS.mmm], which order as they compare */
    struct ref_number number;
    const struct ref_link *link;     /* REF_LINK */
    const struct ref_list *list;     /* REF_LIST; without lines it is absent */
};
enum { REF_PARTS = 8 };
struct ref_link { bool ref; struct str to; /* module; of a ref the flow */ size_t n; struct str fields[REF_PARTS]; /* of a find */ struct ref_value values[REF_PARTS]; };
struct ref_line { struct str key; /* empty in a source */ const struct ref_value *fields; };
struct ref_list { const struct str *names; size_t nfields; const struct ref_line *lines; size_t nlines; };
bool ref_equal(const struct ref_value *a, const struct ref_value *b);
/* The vm's value in this form; links need the image and the flow's sites (else both NULL). Texts are the value's or the arena's. */
struct ref_value ref_from_vm(const struct value *v, const struct image *im, const struct image_flow *f, struct arena *a);
/* The same for lines that list site `body` made; NULL: lines of a source row. */
struct ref_value ref_lines_from_vm(const struct value *v, const struct image *im, const struct image_flow *body, struct arena *a);
/* The value of a column or field of some lines; NULL when they have no such. */
const struct ref_value *ref_line_field(const struct ref_list *l, size_t line, struct str name);
/* For messages. */
void ref_show(struct buf *out, const struct ref_value *v);

/* ---- wrong on purpose: shows that the comparison has teeth ---- */
enum ref_plant {
    PLANT_NONE,
#define PLANT(NAME, what) PLANT_##NAME,
#include "tests/reference/plant.def"
#undef PLANT
    PLANT_COUNT
};

/* ---- the evaluator (eval.c) ---- */
enum ref_outcome { REF_VALUE, REF_KEEP, REF_REJECT };
struct ref_field { struct str name; enum ref_outcome outcome; struct ref_value value; };
struct ref_row { const struct column *columns; size_t ncolumns; const struct ref_value *values; };   /* before defaults */
struct ref_result {
    bool skip, reject;
    struct str message;              /* of the reject */
    struct ref_value key;            /* a key of one's own, a text; else absent */
    struct ref_value into;           /* which record of another flow the row adds to, a link; absent: none, or the flow has records of its own */
    bool into_rejects;
    struct ref_value adopt;          /* also when the row is skipped or rejected */
    struct ref_field *fields; size_t nfields;      /* in the order of the text; up to the one that rejected */
    unsigned misses;                 /* builtins and tables that had no answer, at least as many as the vm may count */
};
/* CSVs: the text of the file that a table names; at: where the name stands. False: there is none. */
struct ref_files { bool (*read)(void *ctx, struct span at, struct str name, struct arena *a, struct str *text); void *ctx; };
struct ref {
    const struct ast_file *file;
    const struct flow *flow;
    const struct spec *spec;
    struct arena *arena;             /* of one row */
    struct arena *kept;              /* of the program */
    enum ref_plant plant;
    struct ref_table *tables;
    const struct ast_each *each;     /* while its lines are made: */
    const struct each *shape;        /* the tables of the lines */
    const struct ref_list *lines;
    size_t line;
};
/* A spec without errors, its first flow; r->flow may be set to any of them. */
void ref_open(struct ref *r, const struct ast_file *file, const struct spec *s, const struct ref_files *files, struct arena *kept);
/* What `on leave` or `on delete` writes; n 0: the flow has no such clause. The fields live in the arena. */
struct ref_field *ref_event(struct ref *r, enum ast_event event, struct arena *a, size_t *n);
/* The record's key as text: "ABC~01~ABF"; company empty where the source has none. The row's own key where the flow has one. */
struct str ref_key(struct ref *r, struct arena *a, struct str company, const struct ref_row *row);
/* The same of a record of flow `of` by the values of its key, as `ref` and `into` name it. Only for flows without a key of their own. */
struct str ref_key_of(const struct ref *r, const struct flow *of, struct arena *a, struct str company, const struct ref_value *parts, size_t n);
void ref_run(struct ref *r, struct arena *row_arena, const struct ref_row *row, struct ref_result *out);

/* ---- builtins (words.c) ---- */
enum { REF_ARGS = 64 };
/* False: this builtin has no second implementation here (a newer one): the program cannot be compared. */
bool ref_builtin(struct ref *r, struct str name, const struct ref_value *args, size_t n, struct ref_value *out);
bool ref_builtin_known(struct str name);
size_t ref_chars(struct str s);
#endif
