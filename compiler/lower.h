/* lower.h - from the typed tree to IR, one flow at a time; what emit and hash read. */
#ifndef COMPILER_LOWER_H
#define COMPILER_LOWER_H
#include "compiler/ir.h"
#include "code/image.h"

struct lowered_field { struct ir *value; };        /* NULL for key and event fields; index as in struct flow.fields */
struct lowered_flow {
    const struct flow *flow;
    struct ir *when, *adopt, *key, *into;          /* NULL: none */
    struct ir **fields; size_t nfields;
};
struct lowered {
    struct ir_graph graph;
    struct ir_table *tables; size_t ntables;       /* in declaration order */
    struct lowered_flow *flows; size_t nflows;
};
struct spec;
/* Lowers a spec that was checked without errors. */
void lower_spec(const struct spec *s, struct arena *a, struct lowered *out);
void lower_tables(const struct spec *s, struct arena *a, struct lowered *out);
/* --dump=ir */
void lower_dump(const struct lowered *l, struct buf *out);
#endif
