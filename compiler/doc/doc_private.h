/* doc_private.h - the parts of the data dictionary: doc.c (frame, systems, tables, functions), doc_flow.c (a flow), doc_examples.c (its tests). */
#ifndef COMPILER_DOC_DOC_PRIVATE_H
#define COMPILER_DOC_DOC_PRIVATE_H
#include "compiler/doc/doc.h"
#include "compiler/doc/words.h"

void doc__flow(struct page *p, const struct compile *c, const struct lowered_flow *lf);
void doc__tests(struct page *p, const struct spec *s, const struct flow *f);
/* "every 15 minutes; the whole table every day" */
void doc__cadence(struct page *p, const struct flow *f);
/* Parts of a key by name: `A` and `B`. */
void doc__key_parts(struct page *p, const struct flow *f);
#endif
