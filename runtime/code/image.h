/* image.h - a compiled spec as sync, vm and mlcd see it after loading. Everything points into one block of memory and is read-only.
 *
 *   bytes -image_load-> struct image (parsed, checksummed, verified: operands, types, bounds, termination, cost) -> trusted from here on
 *
 * The byte format, sections and the order in them: docs/image-format.md. The compiler builds a struct image in memory and image_write turns
 * it into bytes; image_write(image_load(b)) == b. Debug information (source text, spans) is a section of its own that no hash covers. */
#ifndef CODE_IMAGE_H
#define CODE_IMAGE_H
#include "base/hash.h"
#include "base/limits.h"
#include "value/type.h"

#define IMAGE_MAGIC "MLCB"
#define IMAGE_VERSION 2u

enum setting_kind { SETTING_TEXT, SETTING_NUMBER, SETTING_DURATION_MS, SETTING_ENV, SETTING_SECRET, SETTING_FILE };
struct image_setting { struct str name; enum setting_kind kind; struct str value; };   /* nested: "retry.locked.attempts"; budget: "budget.calls", "budget.per" */
struct image_endpoint {            /* a source or a target block */
    struct str name, kind;         /* "erp", "sage100" */
    const struct image_setting *settings; size_t nsettings;
};
struct image_column { struct str name; struct type type; bool key, udf; };
enum field_mode { FIELD_SET, FIELD_ONCE, FIELD_FILL, FIELD_KEY, FIELD_EVENT /* set only by on leave / on delete; cleared when the row returns */ };
struct image_field {
    struct str name;
    struct type type;              /* as the target's schema declares it */
    enum field_mode mode;
    bool unique, on_insert, on_update, custom;   /* custom: declared by extend */
    struct str link_module;        /* lookup target, empty = none */
    struct hash hash;              /* semantic hash of the rule: expression, tables, builtin versions; not of names of lets or layout */
    struct str expr;               /* canonical text of the expression, for why and plan (debug section; may be empty) */
    uint32_t line;                 /* of the spec (debug section; 0 = unknown) */
    struct str file;
    const uint16_t *reads; size_t nreads;        /* indexes of the columns it depends on */
    uint16_t lines;                /* T_LIST: 1 + index of the flow's list site, which makes its lines; else 0 */
};
enum link_kind { LINK_FIND, LINK_REF };
struct image_link {
    enum link_kind kind;
    struct str target /* endpoint */, module, field;
    const struct str *more; size_t nmore;        /* FIND: further fields, in the order of the link's arguments behind the first */
    uint16_t flow;                               /* REF; the arguments are the parts of its source key, without the company */
};
struct image_table { const struct value *keys, *values; size_t n; bool has_else; struct value else_value; };   /* keys sorted by bytes */
struct image_program { const uint16_t *code; size_t ninstr; uint32_t cost, scratch_bytes; };  /* 4 words an instruction, see opcode.def */
struct image_event { const uint16_t *fields; const struct value *values; size_t n; bool present; };   /* on leave / on delete set {...} */
struct image_flow;
/* A list site: for every line of a list column that `when` lets pass, a line of a list field. The body is made like a flow, and only these
 * members of it mean something: columns (those of the flow, then those of the line, by index), fields (of a line), links, registers, and the
 * programs when, map and key; key gives what the line is known by inside its record: a text, the same for ever. */
struct image_lines {
    uint16_t column;               /* of the flow: the list that is run over */
    uint32_t max_lines;            /* at most so many are made */
    uint16_t too_many, twice;      /* messages that the row is set aside with */
    const struct image_flow *body;
};
struct image_flow {
    struct str name, source, target, entity, via, module;
    const struct str *companies, *company_sources; size_t ncompanies;   /* company i is read from source company_sources[i]; `source` is the first */
    struct hash hash;                                  /* of everything that matters in the flow */
    int64_t every_ms, reread_ms;                       /* reread 0 = never */
    const uint16_t *key_columns; size_t nkeys;         /* into columns, in the source's key order */
    uint16_t key_field;                                /* index into fields: receives "ABC~01~ABF"; 0 and without meaning for an `into` flow */
    struct image_program key_program;                  /* a key of one's own, over the key columns only; ninstr 0: company and key, escaped */
    bool key_with_flow;                                /* two flows share module and key field: the flow's name is part of the key */
    uint16_t into;                                     /* 1 + index of the flow to whose records this one adds fields; 0: it has its own */
    struct image_program into_program;                 /* which record: a link of kind REF to that flow, absent = none */
    bool adopt; struct str adopt_field; struct image_program adopt_program;   /* value to compare with adopt_field */
    bool trigger_workflow, trigger_approval, trigger_blueprint, guard;
    uint32_t fuse_count, fuse_percent;                 /* 0 = none; percent in hundredths */
    struct image_event on_leave, on_delete;
    const struct image_column *columns; size_t ncolumns;
    const struct image_field *fields; size_t nfields;
    const struct image_link *links; size_t nlinks;
    const struct image_lines *lines; size_t nlines;    /* list sites */
    const struct type *const *registers; size_t nregisters;   /* static type of every register, shared by the flow's programs; many have the same */
    struct image_program when, map;                    /* when: ninstr 0 = always */
    struct str moved_from;
};
struct image_test { struct str name; uint16_t flow; const struct value *given; /* per column */ const uint16_t *expect_fields; const struct value *expect; size_t nexpect; struct str reject; };
struct image {
    struct str spec, edition;                          /* "abc-distribution", "1" */
    struct hash content;                               /* BLAKE2b of everything but debug: names the image */
    const struct image_endpoint *sources, *targets; size_t nsources, ntargets;
    const struct image_flow *flows; size_t nflows;
    const uint16_t *order;                             /* every flow once, those that others refer to first */
    const struct value *consts; size_t nconsts;
    const struct image_table *tables; size_t ntables;
    const struct str *messages; size_t nmessages;      /* reject texts */
    const uint16_t *args; size_t nargs;                /* argument lists of builtins and interpolations */
};
struct image_fault { enum err err; uint16_t flow; uint32_t instr; char rule[48]; char text[200]; };   /* rule = name of the broken verifier rule */

/* Loads and verifies; on success everything lives in the arena. */
enum err image_load(struct str bytes, struct arena *a, struct image **out, struct image_fault *why);
/* Deterministic bytes of an image; computes content hash and checksum. */
void image_write(const struct image *im, struct buf *out);
/* The verifier alone (image_load calls it; the compiler calls it on what it made). */
enum err image_verify(const struct image *im, struct arena *scratch, struct image_fault *why);
/* Fills cost and scratch_bytes of a program from its instructions, its flow's registers and the image's lists and tables: what the verifier
 * computes again and compares. The program must be well-formed (operands in range). */
void image_bounds(const struct image *im, const struct image_flow *fl, struct image_program *p);
/* Readable listing of the whole image. */
void image_dis(const struct image *im, struct buf *out);
/* The table's value for a key, by bytes; NULL when it has none (the else value is not looked at). */
const struct value *image_table_get(const struct image_table *t, struct str key);
/* The columns of a list site's body: those of the flow, then those of its list column. */
const struct image_column *image_line_columns(const struct image_column *columns, size_t n, uint16_t list, struct arena *a, size_t *count);
/* NULL when no flow has this name. */
const struct image_flow *image_flow_named(const struct image *im, struct str name);
#endif
