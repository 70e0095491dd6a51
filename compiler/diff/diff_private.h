/* diff_private.h - what the files that compare share: making findings, places, texts of parts of a flow. */
#ifndef COMPILER_DIFF_PRIVATE_H
#define COMPILER_DIFF_PRIVATE_H
#include "compiler/diff/diff.h"
#include "compiler/diff/witness.h"

/* A finding at the end of the list; subject and fingerprint follow from rule, flow and field. forms: bytes that stand for both sides. */
struct diff_finding *diff__add(struct diff *d, enum diff_rule rule, struct str flow, struct str field, struct str old_form, struct str new_form);
/* The same finding under another rule. */
void diff__again(struct diff_finding *f, enum diff_rule rule, struct str flow, struct str field, struct str old_form, struct str new_form);
const char *diff__text(struct diff *d, struct str s);
const char *diff__buf(struct diff *d, struct buf *b);         /* copies, frees b */
void diff__message(struct diff *d, struct diff_finding *f, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* What is compared: two versions of a flow, or of what makes the lines of one of its fields. */
struct scope {
    const struct image_flow *flow[2], *fl[2];        /* fl: the flow itself, or the body of the list site */
    const struct norm_flow *norm[2];
    bool line;
    size_t list[2];                                  /* line: the field of each flow */
    struct str field;                                /* line: its name */
};
struct scope diff__scope(const struct duel *duel);
/* What is at stake in a scope. */
struct stake diff__stake(const struct scope *sc, enum stake_kind kind);
/* "Phone", or of a line "Ordered_Items.Quantity" */
struct str diff__field_name(struct diff *d, const struct scope *sc, struct str field);

/* diff_place.c: where something stands. What is not known by itself stands at its flow, or at the file. */
enum flow_part { PART_FLOW, PART_KEY, PART_WHEN, PART_EVERY, PART_REREAD, PART_FUSE, PART_ADOPT, PART_LEAVE, PART_DELETE, PART_TRIGGER, PART_GUARD, PART_MOVED, PART_INTO };   /* in the order of a table in diff_place.c */
struct diff_place diff__place_flow(struct diff *d, int side, const struct image_flow *fl, enum flow_part part);
struct diff_place diff__place_field(struct diff *d, int side, const struct image_flow *fl, const struct image_field *f);
/* Of a line: list is the field whose lines they are. */
struct diff_place diff__place_line_field(struct diff *d, int side, const struct image_flow *fl, const struct image_field *list, const struct image_field *f);
struct diff_place diff__place_line_part(struct diff *d, int side, const struct image_flow *fl, const struct image_field *list, enum flow_part part);
struct diff_place diff__place_endpoint(struct diff *d, int side, struct str name, struct str setting);
struct diff_place diff__place_file(struct diff *d, int side);
/* The source text of a part's expression, NULL without source. */
const char *diff__source_text(struct diff *d, int side, const struct image_flow *fl, enum flow_part part);
const char *diff__line_text(struct diff *d, int side, const struct image_flow *fl, const struct image_field *list, enum flow_part part);
/* The name of a table of the image, "" when only the compiled file is there. */
struct str diff__table_name(struct diff *d, int side, const struct image_table *t);

/* diff_spec.c, diff_flow.c */
void diff__spec(struct diff *d);
void diff__flow(struct diff *d, const struct image_flow *a, const struct image_flow *b);

/* diff_program.c: programs with one result. part: WHEN, ADOPT, KEY or INTO; of lines WHEN or KEY. */
void diff__program(struct diff *d, struct duel *duel, const struct scope *sc, enum flow_part part);

/* diff_field.c, diff_lines.c */
void diff__fields(struct diff *d, struct duel *duel, const struct scope *sc);
void diff__lines(struct diff *d, struct duel *duel, size_t fa, size_t fb);

/* diff_type.c: what source and target declare */
void diff__field_types(struct diff *d, const struct image_flow *a, const struct image_flow *b);
bool diff__columns_differ(const struct image_flow *a, const struct image_flow *b);
void diff__columns(struct diff *d, struct duel *duel);

/* The text of a list field without what makes a line: `each line in Lines when c { .. } ?? reject "no lines"`. */
const char *diff__frame_text(struct diff *d, const char *text);

/* diff_where.c: puts the lets and functions that differ behind two texts that read alike. */
void diff__where(struct diff *d, const struct scope *sc, struct str field, struct diff_finding *f);

/* diff_table.c: true when two rules differ by a table only; f gets its entries. */
bool diff__tables(struct diff *d, struct duel *duel, const struct scope *sc, size_t fa, size_t fb, struct diff_finding *f);

/* diff_witness.c */
const char *diff__json(struct diff *d, const struct value *v);
/* verdict, tries and witness of a finding about rules; true when a row was found. */
bool diff__search(struct diff *d, struct duel *duel, const struct stake *s, struct dd *a, struct dd *b, const struct norm_path *paths, size_t npaths, struct diff_finding *f);
enum { DIFF_PATHS = 24 };
#endif
