/* err.h - the world's failures as values; the table is err.def. A detail text travels in struct fault. */
#ifndef BASE_ERR_H
#define BASE_ERR_H
#include "base/str.h"
enum err {
#define ERR(name, code, text) ERR_##name,
#include "base/err.def"
#undef ERR
    ERR_COUNT
};
/* Which failure, and a sentence for the operator: what, where, way out. Filled by whoever saw it first; later callers may only prefix. */
struct fault { enum err err; char text[480]; };

const char *err_name(enum err e);      /* "NO_SPACE" */
const char *err_text(enum err e);
int err_exit_code(enum err e);
/* Fills f (may be NULL) and returns e, so that `return fault_set(f, ERR_IO, "...")` reads well. */
enum err fault_set(struct fault *f, enum err e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "context: " in front of the text; returns f->err. */
enum err fault_prefix(struct fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
