/* explain.c - the pages docs/diagnostics/CODE.md, embedded at build time, so that `mlc explain CODE` works from an installed binary. */
#include "dsl/diag.h"

static const struct { const char *name; const unsigned char *text; size_t n; } pages[] = {
#include "explain.inc"
};

struct str diag_explain(enum diag_code c)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (strcmp(pages[i].name, diag_code_text(c)) == 0)
            return (struct str){(const char *)pages[i].text, pages[i].n};
    return (struct str){"", 0};
}
