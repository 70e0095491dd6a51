/* ast.h - the tree that grammar/parser.y builds and resolve, check, prove and lower read. Node kinds and their fields: ast.def.
 *
 *   struct ast { kind, span, next, sem }   first member of every node: cast by kind, or use AST_AS(flow, n)
 *   lists are chains through `next`: a node is in one list at most
 *
 * Nodes live in the arena given to parse_file and die with it; texts point into the source or the arena. `sem` is the checker's own slot.
 *
 * Schemas (prelude, extend, entity) are COLUMNs with a TYPE and ATTRs. What the grammar lets through and the vocabulary means:
 *
 *   types     text(n)            1 to n characters          text(a..b)         a to b characters (a blank text is absent, so a >= 1)
 *             decimal(p,s)       p digits in all, s decimals number(p)          decimal(p,0)
 *             bool               true, false                bool("Y","N")      how the source spells yes and no
 *             date               day                        datetime           local wall time without zone
 *             instant            a point in time            one of("A","I")    text out of a set
 *             link(Module)       id of a record of Module   user               = link(users)
 *             lines(Entity)      a list of line rows        T?                 may be absent; without ?: never blank (key, default, source fact)
 *             id                 the system's own record id
 *             other              a kind of field that specs cannot write: tags, pictures, lists of choices
 *   settings  text(..) url duration durations (a..b) count(a..b) percent one of(word, ...) quota (n per duration)
 *             secret (only secret("x")) file (only file("x")) bool; T? = may be left out; = v: default; text and url also take env() and secret()
 *   system    @open                        entities may be declared in the spec: `entity feed.Rows { ... }`
 *             @custom                      modules and fields of the customer's own: `extend` may name them; must stand in the lock file
 *             @doors(agent, soap)          values that `via` takes; the first is the default
 *             @list(agent)                 doors that can list and see changes; the others read by key only
 *             @lock("zoho.lock")           file with what the customer's own system says; it has the last word
 *   entity    @via(agent, soap)            doors that have the table, or the column (a column without @via: all doors of its entity)
 *             @resource(customers)         the connector's name of it, where it differs
 *             @deleted(Status = "D")       deletion signal: rows that say so count as deleted; repeatable
 *             @deleted(keys)               no tombstone: found by comparing all keys
 *             @editions(professional, ...) editions that have the module; without: all
 *             @read_only                   a flow cannot write it (find only)
 *             @lines_of(Entity)            line table: read through its header only
 *             @unserved                    no door has the table: its columns are known, a flow from it is refused
 *             @most_lines(200)             of a line table: so many lines at most in one record (1 to 1000)
 *   column    @created @updated            audit stamp (with @time on the time half): never content, ignored by hashes
 *             @time(DateUpdated)           decimal hours that belong to the named date column
 *             @status                      the row's life status (for docs and for `when` hints)
 *             @never                       sensitive: cannot be read by any flow (error at compile time)
 *             @personal                    personal data: masked in logs and reports
 *             @unique                      no two records alike: may be a key field
 *             @duplicate_check             Zoho's own upsert looks at it; not unique, no key field
 *             @required                    the target refuses a record without it (insert)
 *             @layout                      required by the standard layout only: a warning
 *             @read_only                   cannot be written; @insert_only cannot be changed later
 *             @system                      made by the system itself (Created_Time, auto numbers); implies @read_only
 *             @phone @email @url @area     hint on a text's form; @area = several lines allowed
 *             @zero_filled @upper          how Sage formats a key part
 */
#ifndef DSL_AST_H
#define DSL_AST_H
#include "dsl/source.h"
#include "base/buf.h"

enum ast_kind {
#define NODE(KIND, type) AST_##KIND,
#define WORD(type, f)
#define ONE(type, f)
#define MANY(type, f)
#define FLAG(type, f)
#define NUM(type, f)
#define BYTES(type, f)
#define END
#include "dsl/ast.def"
#undef NODE
#undef WORD
#undef ONE
#undef MANY
#undef FLAG
#undef NUM
#undef BYTES
#undef END
    AST_COUNT
};
enum ast_op { OP_OR, OP_AND, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_ELSE /* ?? */, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_NOT, OP_NEG, OP_COUNT };
enum ast_mode { MODE_SET, MODE_ONCE, MODE_FILL };
enum ast_event { EVENT_LEAVE, EVENT_DELETE };
enum ast_date_kind { DATE_DAY, DATE_LOCAL, DATE_INSTANT };

struct ast {
    uint16_t kind;                 /* enum ast_kind */
    uint16_t depth;                /* 1 for a leaf; at most PARSE_NESTING + a few: recursion over the tree is safe */
    struct span at;                /* from its first token to its last */
    struct ast *next;              /* in the list it stands in */
    void *sem;                     /* the checker's note; NULL from the parser */
};
struct ast_name { struct str text; struct span at; };      /* without backticks; text.n == 0 = left out */
struct ast_list { struct ast *first, *last; size_t n; };

#define NODE(KIND, type) struct ast_##type { struct ast base;
#define WORD(type, f)    struct ast_name f;
#define ONE(type, f)     struct ast *f;
#define MANY(type, f)    struct ast_list f;
#define FLAG(type, f)    bool f;
#define NUM(type, f)     int64_t f;
#define BYTES(type, f)   struct str f;
#define END              };
#include "dsl/ast.def"
#undef NODE
#undef WORD
#undef ONE
#undef MANY
#undef FLAG
#undef NUM
#undef BYTES
#undef END

/* struct ast_flow *f = AST_AS(flow, node); the caller has looked at node->kind. */
#define AST_AS(type, node) ((struct ast_##type *)(void *)(node))
#define AST_EACH(var, list) for (struct ast *var = (list).first; var != NULL; var = var->next)

/* Copies a filled node into the arena: AST_NEW(a, LET, let, span, .name = n, .value = e). */
struct ast *ast_make(struct arena *a, enum ast_kind kind, struct span at, const void *init, size_t size);
#define AST_NEW(a, KIND, type, span, ...) \
    ast_make((a), AST_##KIND, (span), &(const struct ast_##type){__VA_ARGS__}, sizeof(struct ast_##type))
/* Appends; a NULL node (what could not be read) is left out. */
struct ast_list ast_append(struct ast_list list, struct ast *node);

const char *ast_kind_name(enum ast_kind k);                /* "flow" */
const char *ast_op_text(enum ast_op op);                   /* "==" */
/* Calls each(ctx, child) for the direct children in the order of the text. */
void ast_children(const struct ast *n, void (*each)(void *ctx, struct ast *child), void *ctx);
/* What may stand where a value is computed: literals, TEMPLATE to EACH, KEEP, REJECT. */
bool ast_is_expr(enum ast_kind k);
/* Same meaning to the reader: kinds, names, values, order; spans and layout do not count. NULLs equal NULLs. */
bool ast_equal(const struct ast *a, const struct ast *b);
/* --dump=ast: one node a line, indented; spans only when asked for. */
void ast_dump(struct buf *out, const struct ast *n, bool spans);
#endif
