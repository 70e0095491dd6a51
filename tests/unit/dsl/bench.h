/* bench.h - what the front end's tests share: a compilation to throw away, files, and "ok NAME" / "not ok NAME: why" lines. */
#ifndef TESTS_UNIT_DSL_BENCH_H
#define TESTS_UNIT_DSL_BENCH_H
#include "base/check.h"
#include "dsl/diag.h"
#include "dsl/format.h"
#include "dsl/parse.h"
#include "dsl/prelude.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int bench_failed;

static inline void __attribute__((format(printf, 3, 4))) check(bool fine, const char *name, const char *why, ...)
{
    if (fine) {
        printf("ok %s\n", name);
        return;
    }
    bench_failed = 1;
    printf("not ok %s: ", name);
    va_list ap;
    va_start(ap, why);
    vprintf(why, ap);
    va_end(ap);
    printf("\n");
}

/* One compilation: everything in it dies with it. */
struct bench { struct arena arena; struct sources sources; struct diags ds; };
static inline void bench_begin(struct bench *b)
{
    arena_init(&b->arena, 0);
    sources_init(&b->sources, &b->arena);
    diags_init(&b->ds, &b->arena, &b->sources);
}
static inline void bench_end(struct bench *b) { arena_free(&b->arena); }
static inline struct source *bench_source(struct bench *b, const char *name, struct str text)
{
    return sources_add(&b->sources, str_of(name), text, false);
}

static inline bool bench_read(struct bench *b, const char *path, struct str *out)
{
    struct world w;
    struct fault f;
    world_real(&w);
    return world_read_file(&w, path, 8u << 20, &b->arena, out, &f) == ERR_OK;
}
static inline bool bench_write(const char *path, struct str text)
{
    FILE *f = fopen(path, "wb");
    bool fine = f && fwrite(text.p, 1, text.n, f) == text.n;
    return f && fclose(f) == 0 && fine;
}

/* "12:5 E0120 unexpected ..." a line, sorted by place. */
static inline void bench_list(struct bench *b, struct buf *out)
{
    struct buf sorted = {0};
    diags_print(&b->ds, DIAG_FORMAT_JSON, false, &sorted);        /* sorts the list */
    buf_free(&sorted);
    for (size_t i = 0; i < b->ds.n; i++) {
        const struct diag *d = b->ds.list[i];
        struct place pl = source_place(&b->sources, d->at);
        buf_printf(out, "%u:%u %s %s\n", pl.line, pl.column, diag_code_text(d->code), d->message);
        for (const struct diag_also *a = d->also; a; a = a->next) {
            struct place other = source_place(&b->sources, a->at);
            buf_printf(out, "  %u:%u %s\n", other.line, other.column, a->text);
        }
        for (const struct diag_line *h = d->help; h; h = h->next)
            buf_printf(out, "  help: %s\n", h->text);
    }
}
#endif
