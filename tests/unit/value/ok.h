/* ok.h - how the unit tests of value, code, vm and connectors/file report: one line a case, exit 1 when one failed. */
#ifndef TESTS_UNIT_VALUE_OK_H
#define TESTS_UNIT_VALUE_OK_H
#include "base/buf.h"
#include <stdarg.h>
#include <stdio.h>

static int ok_failures;

/* A test's name on one line, whatever was tested. */
static inline void ok_name(const char *verdict, const char *name)
{
    printf("%s ", verdict);
    for (; *name; name++) {
        if ((unsigned char)*name < 0x20) printf("\\x%02x", (unsigned)(unsigned char)*name);
        else putchar(*name);
    }
}

/* `ok NAME`, or `not ok NAME: why`. */
__attribute__((format(printf, 3, 4))) static inline bool ok(bool good, const char *name, const char *fmt, ...)
{
    va_list ap;
    if (good) {
        ok_name("ok", name);
        printf("\n");
        return true;
    }
    ok_failures++;
    ok_name("not ok", name);
    printf(": ");
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    return false;
}

/* Compares texts. */
static inline bool ok_text(const char *name, struct str got, const char *want)
{
    return ok(str_is(got, want), name, "got \"%.*s\", want \"%s\"", (int)got.n, got.p, want);
}

static inline int ok_done(void) { return ok_failures ? 1 : 0; }

/* A seeded generator (splitmix64): the same cases in every run. */
static inline uint64_t ok_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
#endif
