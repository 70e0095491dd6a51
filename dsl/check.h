/* check.h - private to the checker (check_*.c, schema.c, resolve.c, settings.c): the state of one run and what the files give each other.
 *
 *   resolve.c   items of the file -> systems, endpoints, tables, fns, flows (names only)
 *   schema.c    AST schemas + extend + lock -> struct schema
 *   check_*.c   expressions, calls, matches, tables, flows, fields, keys, tests -> typed tree
 *
 * One mistake, one message: what was refused becomes poison, and poison is never complained of again. */
#ifndef DSL_CHECK_H
#define DSL_CHECK_H
#include "dsl/spec.h"

#define CHECK_DEPTH 3000u                /* nesting with lets, functions and arms counted in: all passes recurse over it */

struct check {
    struct arena *a;
    struct diags *ds;
    struct sources *sources;
    const struct spec_files *files;
    struct spec *spec;
    size_t budget;                       /* expressions still to look at */
    unsigned depth;                      /* of the recursion through expressions and lets */
    struct ast_list items;               /* of the spec file */
    bool broken;                         /* syntax errors: what seems to be missing may only be unreadable */
    struct prelude_part { struct ast_file *file; struct prelude_part *next; } *prelude;
};

/* What names mean inside one expression. Copied by value when a condition teaches something. */
struct known { enum tx_kind kind; unsigned index; const struct let *let; const struct known *next; };
struct scope {
    struct flow *flow;                   /* NULL in a fn */
    struct fn *fn;                       /* NULL in a flow */
    const struct known *known;           /* what conditions around us showed to be present */
    struct each *each;                   /* the lines that we are inside of, or NULL */
    const struct column *field;          /* the field whose right side this is, where lines may be made */
};
enum { EXPR_TAIL = 1 /* keep may stand here */, EXPR_WHOLE = 2 /* the whole right side of a field: find may stand here */,
       EXPR_LIST = 4 /* so may each, also left of ?? */ };

/* ---- check_expr.c ---- */
struct tx *check__expr(struct check *c, struct scope sc, struct ast *n, unsigned flags);
struct tx *check__tx(struct check *c, enum tx_kind k, struct span at, struct ty ty);
struct tx *check__poison(struct check *c, struct span at);
/* A literal; false with a diagnostic for anything else. A null gives absent. */
bool check__literal(struct check *c, const struct ast *n, struct value *out);
/* The source text of a node, short enough for a help line. */
const char *check__text(struct check *c, const struct ast *n);
/* Refuses what may be absent; `who` is the refusing thing ("`<`", "a condition"). The result is the operand or poison. */
struct tx *check__present(struct check *c, struct tx *x, const struct ast *n, const char *who);
/* An expression that must be a present yes/no value. */
struct tx *check__condition(struct check *c, struct scope sc, struct ast *n, const char *who);
/* Adds to sc what holds when x is true (or false). */
struct scope check__learn(struct check *c, struct scope sc, const struct tx *x, bool truth);
const char *check__show(struct check *c, const struct ty *t);
/* The column's line as second place, when x is a column. */
void check__also_column(struct diag *d, const struct scope *sc, const struct tx *x);

/* ---- check_ops.c ---- */
struct tx *check__unary(struct check *c, struct scope sc, struct ast_unary *n);
struct tx *check__binary(struct check *c, struct scope sc, struct ast_binary *n, unsigned flags);
/* Both can be equal; else a diagnostic at `at`. */
bool check__comparable(struct check *c, struct span at, const struct tx *l, const struct tx *r);

/* ---- check_call.c ---- */
struct tx *check__call(struct check *c, struct scope sc, struct ast_call *n);
struct tx *check__template(struct check *c, struct scope sc, struct ast_template *n);
struct tx *check__index(struct check *c, struct scope sc, struct ast_index *n);
bool check__is_builtin(struct str name);
/* `of.name`: a part of a builtin's result (builtin.def), else a diagnostic and poison. */
struct tx *check__part(struct check *c, const struct tx *of, struct ast_member *n);
/* Binds a fn's parameters and body on first use. */
void check__fn(struct check *c, struct fn *f);

/* ---- check_link.c ---- */
struct tx *check__find(struct check *c, struct scope sc, struct ast_find *n, unsigned flags);
struct tx *check__ref(struct check *c, struct scope sc, struct ast_ref *n, unsigned flags);
/* The arguments are a key of the flow's table, part by part; the flow's records are the same companies' and in the same target. */
bool check__key_args(struct check *c, struct scope sc, const struct flow *to, const struct ast_list *args, struct span at, struct tx *x);
bool check__same_companies(struct check *c, const struct flow *f, const struct flow *to, struct span at);
/* Which record of the other flow a row of this one adds to. */
void check__into_key(struct check *c, struct flow *f, struct ast_into *n);
/* No field is written by two flows that write one record. */
void check__writers(struct check *c);
/* A link written out in a test: NULL with a diagnostic, or when something else is wrong with it already. */
struct test_link *check__test_link(struct check *c, struct flow *f, struct ast *n);
/* Parents before those who refer to them; a circle is refused. */
void check__ranks(struct check *c);

/* ---- check_match.c ---- */
struct tx *check__match(struct check *c, struct scope sc, struct ast_match *n, unsigned flags);

/* ---- check_type.c ---- */
/* AST type -> type; false with a diagnostic, or (quietly) when it is a kind that no expression can have (lines, id). */
bool check__type(struct check *c, const struct ast *n, struct type *out, struct str *link_module);

/* ---- schema.c ---- */
struct schema *schema__find(struct check *c, struct endpoint *ep, struct str name, struct span at, bool target);
struct column *schema__column(const struct schema *s, struct str name);
void schema__extend(struct check *c, struct ast_extend *x);
void schema__open(struct check *c, struct ast_entity *e);
struct span schema__lock_place(const struct system *sys, uint32_t at);
/* False with a diagnostic at `at` when the lock file says that the module or table is not there. */
bool schema__there(struct check *c, const struct schema *s, struct span at);
const struct ast_attr *schema__attr(const struct ast_list *attrs, const char *name);

/* ---- resolve.c ---- */
void resolve__all(struct check *c);
struct endpoint *resolve__endpoint(struct check *c, const struct ast_name *name);
struct table *resolve__table(struct check *c, const struct ast_name *name);
struct fn *resolve__fn(struct check *c, struct str name);
struct flow *resolve__flow(struct check *c, const struct ast_name *name);
/* "did you mean `x`?" */
void resolve__hint(struct diag *d, const struct diag_nearest *n);
struct diag *resolve__unsupported(struct check *c, struct span at, const char *what);

/* ---- hints.c ---- */
/* What a function or type of another language is called here, as help. */
void hints__function(struct diag *d, struct str name);
void hints__type(struct diag *d, struct str name);
/* "a text", "an instant" */
const char *hints__a(struct check *c, const char *noun);

/* ---- check_each.c ---- */
struct tx *check__each(struct check *c, struct scope sc, struct ast_each *n, unsigned flags);

/* ---- check_inject.c ---- */
/* NULL, or why two keys of the table (or of its line table, within one record) could give the same text. */
struct inject { const struct schema *entity, *lines; };
const char *check__not_injective(struct check *c, const struct inject *in, const struct tx *x);

/* ---- imports.c ---- */
/* Puts the items of imported files where the imports stand. */
void imports__splice(struct check *c, struct ast_file *file);
/* The path of a file that is named at `at`. */
const char *imports__beside(struct check *c, struct span at, struct str file);

/* ---- settings.c ---- */
void settings__check(struct check *c, struct endpoint *ep, struct ast_endpoint *n);
const struct setting *settings__get(const struct endpoint *ep, const char *name);

/* ---- check_table.c ---- */
void check__table(struct check *c, struct table *t, const struct ast *n);

/* ---- check_flow.c, check_field.c, check_key.c, check_test.c ---- */
/* The places; then, when all flows have theirs, the rest. */
void check__flow_head(struct check *c, struct flow *f);
void check__flow(struct check *c, struct flow *f);
/* A condition decides about a row before there is a record to set aside. */
void check__no_reject(struct check *c, const struct tx *x, const char *who);
/* A field of a module; NULL with a diagnostic. */
struct column *check__find_field(struct check *c, const struct flow *f, const struct schema *m, const struct ast_name *name);
struct field *check__field_named(struct check *c, struct flow *f, const struct ast_name *name);
/* Value into column: everything that can go wrong has its own code. `at` is the value's place. */
bool check__fits(struct check *c, const struct flow *f, const struct schema *m, const struct column *col, const struct tx *x, const struct ast *n, struct span at);
void check__field_line(struct check *c, struct flow *f, struct ast_field *n);
void check__event(struct check *c, struct flow *f, struct ast_on *n);
void check__required(struct check *c, struct flow *f);
void check__key_clause(struct check *c, struct flow *f, struct ast_key *n);
void check__key_value(struct check *c, struct flow *f, struct ast_key *n);
void check__key_length(struct check *c, struct flow *f);
void check__test(struct check *c, struct test *t, struct ast_test *n);
struct let *check__let_named(struct check *c, struct scope sc, struct str name);
void check__let(struct check *c, struct flow *f, struct let *l);
#endif
