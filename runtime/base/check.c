/* check.c - how the process ends when we are wrong or out of memory. */
#include "base/check.h"
#include <stdio.h>
#include <stdlib.h>

noreturn void check_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "internal error: %s:%d: %s does not hold; nothing was written after this point. Please report this line.\n", file, line, cond);
    abort();
}

noreturn void check_no_memory(void)
{
    fputs("out of memory\n", stderr);
    exit(71);
}
