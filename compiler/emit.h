/* emit.h - from IR to the compiled image. */
#ifndef COMPILER_EMIT_H
#define COMPILER_EMIT_H
#include "code/image.h"
#include "compiler/lower.h"

/* Pools that all flows share while the image is built (emit_pools.c). */
struct pool_entry { uint32_t hash, at; };                /* hash 0: empty */
struct pool_index { struct pool_entry *slots; size_t cap, n; };
struct pools {
    struct arena *arena;
    struct value *consts; size_t nconsts, cap_consts;
    struct str *messages; size_t nmessages, cap_messages;
    uint16_t *args; size_t nargs, cap_args;
    const struct ir_table **tables; size_t ntables;      /* used ones, in order of first use */
    struct pool_index known_consts, known_messages;
    bool full;                                           /* an index has outgrown 16 bits */
};
struct emit_field { struct ir *value; struct type type; };
/* What emit_flow needs of one flow: no AST, no schema. */
struct emit_flow {
    struct ir *when, *adopt, *key, *into;                /* NULL: none */
    const struct emit_field *fields; size_t nfields;     /* image order; value NULL: not set by the mapping */
    const uint16_t *column_of;                           /* column of the entity -> column of the image */
    const uint16_t *line_of; uint16_t line_base;         /* inside a list: column of the line table -> column behind line_base */
    const struct ir_each *const *lists; size_t nlists;   /* those that have a list site, in its order */
    struct ir *const *probes; size_t nprobes;            /* further results that somebody wants (cover.c), each as a program of its own */
    struct image_program *programs;                      /* out: one a probe */
};
/* Code, registers and link sites of a flow into out (whose columns, fields, names are filled). False with a sentence in why when a limit
 * of the format is passed. */
bool emit_flow(struct pools *p, const struct emit_flow *in, struct image_flow *out, char *why, size_t why_len);

/* The place of a constant, reject text, argument list or table. */
uint16_t emit_const(struct pools *p, const struct value *v);
uint16_t emit_message(struct pools *p, struct str s);
uint16_t emit_list(struct pools *p, const uint16_t *regs, size_t n);
uint16_t emit_table(struct pools *p, const struct ir_table *t);
/* Constants, tables, messages and lists as the image has them. */
void emit_pools(const struct pools *p, struct image *im);

/* ---- emit_lines.c ---- */
struct emit_lists {
    const uint16_t *column_of; size_t ncolumns;
    uint16_t **line_of;                                  /* per column of the entity that is a list: column of the line table -> place in the list */
    const struct ir_each **each;                         /* out: one a list site */
};
struct spec;
struct field;
/* The list that decides a field, or NULL. */
const struct ir_each *emit_list_of(struct ir *value);
/* The image's type of a list column: what some list site reads, and the key of the lines. */
struct type emit_list_type(const struct lowered *l, const struct lowered_flow *lf, unsigned column, struct arena *a, uint16_t **line_of);
/* The list sites of a flow, whose columns and fields stand already. */
bool emit_lines(const struct spec *s, const struct lowered *l, const struct lowered_flow *lf, struct pools *p, struct emit_lists *in, struct image_flow *out,
                char *why, size_t why_len);
void emit_debug_text(const struct spec *s, const struct field *f, struct arena *a, struct image_field *out);

/* The whole image of a lowered spec, in the arena; image_bounds is done, image_verify is the caller's. */
bool emit_image(const struct spec *s, const struct lowered *l, struct arena *a, struct image **out, const struct flow **culprit, char *why, size_t why_len);
#endif
