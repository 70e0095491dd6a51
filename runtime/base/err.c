/* err.c - names, texts and exit codes from err.def. */
#include "base/err.h"
#include "base/check.h"
#include <stdarg.h>
#include <stdio.h>

static const struct { const char *name, *text; int code; } rows[] = {
#define ERR(name, code, text) {#name, text, code},
#include "base/err.def"
#undef ERR
};

const char *err_name(enum err e) { ASSERT(e < ERR_COUNT); return rows[e].name; }
const char *err_text(enum err e) { ASSERT(e < ERR_COUNT); return rows[e].text; }
int err_exit_code(enum err e)    { ASSERT(e < ERR_COUNT); return rows[e].code; }

enum err fault_set(struct fault *f, enum err e, const char *fmt, ...)
{
    if (f) {
        va_list ap;
        va_start(ap, fmt);
        f->err = e;
        vsnprintf(f->text, sizeof f->text, fmt, ap);
        va_end(ap);
    }
    return e;
}

enum err fault_prefix(struct fault *f, const char *fmt, ...)
{
    char head[sizeof f->text], whole[2 * sizeof f->text + 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(head, sizeof head, fmt, ap);
    va_end(ap);
    int n = snprintf(whole, sizeof whole, "%s: %s", head, f->text);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len >= sizeof f->text) len = sizeof f->text - 1;
    memcpy(f->text, whole, len);
    f->text[len] = '\0';
    return f->err;
}
