/* spec.h - the typed tree: what the checker makes of an AST, and all that lowering, tests and proof read.
 *
 *   struct ast_file -spec_check-> struct spec (schemas found, names bound, every expression with its type)
 *
 * Invariants when spec_check found no error: every pointer below is set unless its comment says otherwise; no expression is poison; every
 * field's expression fits its type. With errors the spec is still whole enough for `mlc check` to print what it has.
 * Everything lives in the arena of the compilation and owns nothing. */
#ifndef DSL_SPEC_H
#define DSL_SPEC_H
#include "dsl/diag.h"
#include "dsl/ast.h"
#include "dsl/lock.h"
#include "dsl/types.h"
#include "dsl/csv.h"

/* ---- schemas ---- */
struct column {                      /* of a source entity or field of a target module */
    struct str name;
    struct span at;                  /* of its line in the prelude, spec or lock file: the second place of a diagnostic */
    struct type type;                /* source: optional = T?; target: optional = not @required */
    bool known_type;                 /* false: lists, or a kind that specs cannot write */
    bool key, never, required, unique, read_only, insert_only;
    bool custom;                     /* declared by extend or marked so in the lock file */
    bool assumed;                    /* a source column that the spec itself declares: a fact nobody checked */
    bool partial;                    /* assumed, because the lock file says that not every company has it */
    bool email;                      /* @email: a target refuses what is no address */
    bool has_default; struct value fallback;   /* what a blank is read as */
    struct str link_module;          /* type link: of which module */
    struct str lines;                /* type lines: of which line table; known_type is false */
    uint32_t doors;                  /* bit i: door i of the system; 0 = all */
};
#define SCHEMA_NO_DOOR (1u << 31)
struct schema {                      /* entity or module */
    struct str name;
    struct span at;
    struct system *system;
    struct column *columns; size_t ncolumns;
    uint32_t doors;                  /* as of a column; SCHEMA_NO_DOOR: no door of the system has the table */
    struct ast_list editions;        /* CHOICE nodes of @editions; empty = all */
    bool read_only, lines;           /* lines: a line table, read through its header only */
    uint32_t most_lines;             /* in one record; 0 = the schema does not say */
    const struct lock_module *lock;  /* NULL when the lock file says nothing */
    struct schema *next;
};
struct system {
    struct str name;                 /* also the name of its connectors in the runtime */
    struct ast_system *ast;
    struct ast_side *source, *target;
    bool open;                       /* entities may be declared in the spec */
    const struct str *doors; size_t ndoors;
    struct schema *schemas;          /* built on first use, in the order of the text */
    const struct lock *lock;         /* NULL: no lock file beside the spec */
    const struct source *lock_file;
    struct system *next;
};
struct setting { struct str name; int kind; /* enum setting_kind of code/image.h */ struct str value; struct span at; };
struct endpoint {
    struct str name;
    struct span at;
    bool target;
    struct system *system;           /* NULL when unknown (diagnosed) */
    struct setting *settings; size_t nsettings;
    struct schema *own;              /* copies of the schemas that extend changed for this endpoint, and entities declared for it */
    struct endpoint *next;
};

/* ---- tables and functions ---- */
struct table_row { struct value key, value; struct span at; };
struct table {
    struct str name;
    struct span at;
    struct table_row *rows; size_t nrows;      /* keys distinct */
    bool has_else; struct value otherwise;
    struct type key, value;          /* value.optional: a miss or a null gives absent */
    bool usable, used;
    unsigned index;                  /* in declaration order */
    struct table *next;
};
struct fn {
    struct str name;
    struct span at;
    struct ast_fn *ast;
    struct ty *params; size_t nparams;
    struct tx *body;
    bool usable, used;
    unsigned index;                  /* it calls only those of a lower one */
    struct fn *next;
};

/* ---- expressions ---- */
enum tx_kind {
    TX_CONST,      /* value */
    TX_NULL,
    TX_COLUMN,     /* index: column of the flow's entity */
    TX_LINE,       /* index: column of the line table that an `each` runs over */
    TX_PARAM,      /* index: parameter of the fn whose body this is */
    TX_LET,        /* let */
    TX_INLINE,     /* fn, args */
    TX_UNARY,      /* op NOT, NEG; args[0] */
    TX_BINARY,     /* op; args[0], args[1]; OP_ELSE's right may be TX_REJECT, TX_KEEP */
    TX_MATCH,      /* arms; without subject: args empty, else args[0] */
    TX_TABLE,      /* table, args[0] */
    TX_CALL,       /* index: builtin; args */
    TX_CONCAT,     /* args: texts */
    TX_TEXT,       /* args[0] as text */
    TX_FIND,       /* find; args: one value a condition */
    TX_REF,        /* ref; args: the parts of the other flow's source key */
    TX_KNOWN,      /* args[0] is present here: an earlier condition said so */
    TX_EACH,       /* each */
    TX_REJECT,     /* value: the message */
    TX_KEEP,
    TX_POISON      /* refused already */
};
struct tx_arm { bool otherwise; struct tx *condition; const struct value *patterns; size_t npatterns; struct tx *value; struct span at; };
enum { FACT_REJECTS = 1, FACT_KEEPS = 2, FACT_DEFAULTS = 4, FACT_CUTS = 8 /* truncate, round */, FACT_FINDS = 16, FACT_MISSES = 32 /* may have no answer */,
       FACT_REFS = 64 };
struct find { struct endpoint *endpoint; struct schema *module; struct column **fields; };   /* fields: one an argument; NULL for a ref */
enum { FIND_CONDITIONS = 8 };
struct tx {
    enum tx_kind kind;
    enum ast_op op;
    struct ty ty;
    struct span at;
    struct value value;
    unsigned index;
    struct tx **args; size_t nargs;
    struct tx_arm *arms; size_t narms;
    struct let *let;
    struct fn *fn;
    struct table *table;
    struct find find;                /* FIND; a REF fills endpoint and module */
    struct flow *ref;
    struct each *each;
    unsigned depth;                  /* levels below, lets, fns and arms included */
    unsigned facts;                  /* FACT_*, of everything in it, lets and fns included */
    const struct column *assumed;    /* a column in it that only the spec declares, or NULL */
};
struct let { struct str name; struct span at; struct ast_let *ast; struct tx *value; int state; bool used; struct each *each; /* inside of its lines */ struct let *next; };

/* ---- flows ---- */
struct ref_use { struct flow *to; struct span at; struct ref_use *next; };
enum verdict { VERDICT_PROVED, VERDICT_GUARDED, VERDICT_ASSUMED };
struct field {
    struct column *column;
    struct span at;                  /* of the whole line */
    int mode;                        /* enum ast_mode; FIELD_IS_KEY, FIELD_IS_EVENT */
    struct tx *value;                /* NULL for the key field and for fields that only events set */
    struct ast *ast;                 /* of the value */
    enum verdict verdict;
    const char *reason;
};
/* each NAME in LIST when ... { key ...  fields } */
struct each {
    struct str name;
    struct span at;
    const struct column *list; unsigned column;  /* of the flow's table */
    const struct column *target;                 /* of the flow's module */
    struct schema *lines, *module;               /* line table of the source, line module of the target */
    struct tx *when, *key;                       /* when: NULL = all */
    struct let *lets;
    struct field **fields; size_t nfields;
    bool *reads;                                 /* per column of lines */
    uint32_t source_lines, max_lines;
    struct each *next;
};
enum { FIELD_IS_KEY = 100, FIELD_IS_EVENT = 101 };
struct event { bool present; struct span at; struct field **fields; struct value *values; size_t n; };
struct find_use { const struct schema *module; struct find_use *next; };
struct flow {
    struct str name;
    struct span at;
    struct ast_flow *ast;
    struct endpoint *source, *target;            /* source: the first of sources */
    struct endpoint **sources; size_t nsources;  /* one a company */
    struct schema *entity, *module;
    struct str via;
    unsigned door;                   /* index into the system's doors */
    struct str *companies; size_t ncompanies;
    int64_t every_ms, reread_ms;
    struct field *key;               /* NULL only with errors */
    struct tx *key_value;            /* a key of one's own; NULL: company and source key */
    bool key_with_flow, trigger_workflow, trigger_approval, trigger_blueprint, guard;
    struct str moved_from; struct span moved_at;
    bool headed;                     /* its places are known: the body may be checked, others may refer to it */
    struct flow *into;               /* it adds fields to the records of that flow; NULL: it has records of its own */
    struct tx *into_key;             /* REF: which record */
    struct ref_use *uses;            /* flows that this one refers to or adds to */
    struct find_use *finds;          /* modules that this one looks up in */
    unsigned index;                  /* in declaration order */
    unsigned rank; int visit;        /* parents have a lower rank than those who refer to them */
    struct flow *via_flow;           /* while ranks are found: where the walk went on */
    struct column *adopt_field; struct tx *adopt; struct span adopt_at;
    struct tx *when; struct span when_at;
    struct event on_leave, on_delete;
    uint32_t fuse_count, fuse_percent;
    struct let *lets;
    struct each *eaches;
    struct field **fields; size_t nfields;     /* in the order of the text, key and event fields behind */
    bool *reads;                     /* per column of entity: read by when, adopt or a field, or key */
    struct flow *next;
};
struct test_given { unsigned column; struct value value; };           /* column: of the flow's table, or of a line's */
struct test_row { const struct column *list, *columns /* of the line table */; struct test_given *given; size_t ngiven; struct test_row *next; };
struct test_link { struct flow *ref; struct find find; struct value *args; size_t nargs; };       /* ref NULL: a find */
struct test_expect { struct field *field; struct value value; struct test_link *link; /* instead of a value */ struct span at; };
struct test_line { struct field *list; struct test_expect *expect; size_t nexpect; struct test_line *next; };    /* in order, for each list */
struct test {
    struct str title;
    struct span at;
    struct flow *flow;
    struct test_given *given; size_t ngiven;
    struct test_row *rows;
    struct test_expect *expect; size_t nexpect;
    struct test_line *lines;
    bool leave, rejects; struct str reject;
    struct test *next;
};

/* A file that the spec depends on: found relative to the spec's folder. */
struct spec_files {
    const struct world *world;
    const char *dir;                 /* folder of the spec, "" = working directory */
};
struct spec {
    struct str title;
    int64_t edition;
    struct system *systems;
    struct endpoint *endpoints;
    struct table *tables;
    struct fn *fns;
    struct flow *flows;
    struct test *tests;
    const struct sources *sources;
};

/* Checks a parsed spec. Never NULL; look at ds->nerrors. Imports and tables are added to `sources`. */
struct spec *spec_check(struct ast_file *file, struct sources *sources, const struct spec_files *files, struct arena *a, struct diags *ds);
/* The canonical text of an expression: one line, names as in the spec. */
void spec_print(struct buf *out, const struct ast *expr);
/* Fills verdict and reason of every field of every flow. */
void proof_judge(struct spec *s, struct arena *a);
/* `mlc check --proof`: one line a field, parted by flow. */
void proof_print(const struct spec *s, struct buf *out);
const char *verdict_name(enum verdict v);
#endif
