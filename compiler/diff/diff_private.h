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

/* diff_place.c: where something stands. What is not known by itself stands at its flow, or at the file. */
enum flow_part { PART_FLOW, PART_KEY, PART_WHEN, PART_EVERY, PART_REREAD, PART_FUSE, PART_ADOPT, PART_LEAVE, PART_DELETE, PART_TRIGGER, PART_GUARD, PART_MOVED };   /* in the order of a table in diff_place.c */
struct diff_place diff__place_flow(struct diff *d, int side, const struct image_flow *fl, enum flow_part part);
struct diff_place diff__place_field(struct diff *d, int side, const struct image_flow *fl, const struct image_field *f);
struct diff_place diff__place_endpoint(struct diff *d, int side, struct str name, struct str setting);
struct diff_place diff__place_file(struct diff *d, int side);
/* The source text of a part's expression, NULL without source. */
const char *diff__source_text(struct diff *d, int side, const struct image_flow *fl, enum flow_part part);
/* The name of a table of the image, "" when only the compiled file is there. */
struct str diff__table_name(struct diff *d, int side, const struct image_table *t);

/* diff_flow.c, diff_field.c, diff_spec.c */
void diff__spec(struct diff *d);
void diff__flow(struct diff *d, const struct image_flow *a, const struct image_flow *b);
void diff__fields(struct diff *d, struct duel *duel);
void diff__field_types(struct diff *d, const struct image_flow *a, const struct image_flow *b);
bool diff__columns_differ(const struct image_flow *a, const struct image_flow *b);
void diff__columns(struct diff *d, struct duel *duel);
/* verdict, tries and witness of a finding about rules; true when a row was found. */
bool diff__search(struct diff *d, struct duel *duel, const struct stake *s, struct dd *a, struct dd *b, const struct norm_path *paths, size_t npaths, struct diff_finding *f);
enum { DIFF_PATHS = 24 };
#endif
