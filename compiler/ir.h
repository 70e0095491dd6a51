/* ir.h - the intermediate representation: a graph of pure, typed nodes, interned flow by flow.
 *
 *   typed tree -lower-> IR (folded while it is built) -emit-> code        IR -hash-> semantic hashes
 *
 * A node is named by its semantic hash: operation, constants, column names and types, table contents, builtin versions, and the hashes of its
 * arguments. Let names, fn names, layout and comments are gone here; two rules with one hash do the same.
 * This header knows nothing of the AST (code/opcode.h and dsl/ast.h both use the prefix OP_). */
#ifndef COMPILER_IR_H
#define COMPILER_IR_H
#include "base/hash.h"
#include "dsl/types.h"

enum ir_op {
#define IR(name, text, meaning) IR_##name,
#include "compiler/ir.def"
#undef IR
    IR_OP_COUNT
};
#define IR_BUILTIN_VERSION 2      /* raise when a builtin computes something else than before: all rules that use one count as changed */

struct ir_table {                 /* keys sorted by bytes */
    struct str name;
    struct value *keys, *values; size_t n;
    bool has_else; struct value otherwise;
    struct type type;             /* of a look-up with a present key */
    struct hash hash;
};
struct ir_site {
    struct str target, module;
    const struct str *fields; size_t nfields;   /* find */
    struct str flow; unsigned flow_index;       /* ref: nfields == 0 */
};
struct each;
struct ir;
struct ir_each {                  /* what makes a line; the fields are named as in the target, in the order of the spec */
    unsigned column; struct str list;            /* of the flow's table */
    struct str target;
    struct ir *when, *key;                       /* when: NULL = all */
    struct ir **fields; const struct str *names; size_t nfields;
    uint32_t max_lines;
    const struct each *from;                     /* dsl/spec.h: for places and schemas only */
};
struct ir {
    enum ir_op op;
    uint32_t id, first;           /* order of creation; the first id of its flow */
    struct ty ty;
    struct hash hash;
    struct ir **args; size_t nargs;
    bool rejects;                 /* computing it may set the record aside: it must not be left out, nor change places with another */
    struct value value;           /* CONST; REJECT: the message */
    unsigned index;               /* COLUMN: of the entity; LINE: of the line table; CALL: builtin */
    struct str name;              /* COLUMN; LINE: with the list's name in front */
    const struct ir_table *table; /* TABLE */
    struct ir_site site;          /* LINK */
    const struct ir_each *each;   /* EACH */
};
struct ir_graph { struct arena *arena; struct ir **slots; size_t nslots, n, first; };   /* open addressing by hash */

void ir_init(struct ir_graph *g, struct arena *a);
/* Another flow begins: its nodes are its own. A column of one name and type may stand at another place of its table. */
void ir_begin(struct ir_graph *g);
struct ir *ir_const(struct ir_graph *g, const struct value *v);
struct ir *ir_bool(struct ir_graph *g, bool b);
/* Absent; t says of which type, NULL when the neighbour will. */
struct ir *ir_absent(struct ir_graph *g, const struct type *t);
struct ir *ir_column(struct ir_graph *g, unsigned index, struct str name, const struct type *t);
struct ir *ir_line(struct ir_graph *g, unsigned index, struct str list, struct str name, const struct type *t);
struct ir *ir_each(struct ir_graph *g, const struct ir_each *each, const struct type *t);
struct ir *ir_reject(struct ir_graph *g, const struct value *message);
struct ir *ir_keep(struct ir_graph *g);
struct ir *ir_table(struct ir_graph *g, const struct ir_table *t, struct ir *key);
struct ir *ir_call(struct ir_graph *g, unsigned builtin, struct ir **args, size_t n);
struct ir *ir_link(struct ir_graph *g, struct ir_site site, struct ir **args, size_t n);
/* IS NOT NEG EQ .. MUL TEXT CONCAT ELSE IF. The result is folded where it can be. */
struct ir *ir_make(struct ir_graph *g, enum ir_op op, struct ir **args, size_t n);
struct ir *ir_make1(struct ir_graph *g, enum ir_op op, struct ir *a);
struct ir *ir_make2(struct ir_graph *g, enum ir_op op, struct ir *a, struct ir *b);
struct ir *ir_if(struct ir_graph *g, struct ir *c, struct ir *a, struct ir *b);
/* Never yields a value: REJECT, KEEP, and IFs of nothing else. */
static inline bool ir_never(const struct ir *x) { return x->ty.kind == TY_NEVER; }
/* Interns a node whose op, args, payload and type are filled (fold.c has looked at it already). */
struct ir *ir__intern(struct ir_graph *g, const struct ir *proto);
/* fold.c: a simpler node that means the same, or NULL. */
struct ir *ir__fold(struct ir_graph *g, enum ir_op op, struct ir **args, size_t n);
struct ir *ir__fold_call(struct ir_graph *g, unsigned builtin, struct ir **args, size_t n);
struct ir *ir__fold_table(struct ir_graph *g, const struct ir_table *t, struct ir *key);
/* Sorts the rows and computes type and hash; values were checked. */
void ir_table_finish(struct ir_table *t, struct arena *a);
/* One expression as text, `(else (column City) (const "-"))`: --dump=ir. */
void ir_print(struct buf *out, const struct ir *x);
/* Marks in seen[] (per column of the entity) what x reads. */
void ir_columns(const struct ir_graph *g, const struct ir *x, bool *seen);
/* The same for the columns of a line table: of an expression inside a list, and of all of a list. */
void ir_line_reads(const struct ir_graph *g, const struct ir *x, bool *seen);
void ir_line_columns(const struct ir_graph *g, const struct ir_each *e, bool *seen);
#endif
