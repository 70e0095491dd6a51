/* log.c - one write per line, so that lines of several processes do not mix. */
#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>

static enum log_level level = LOG_INFO;

void log_set_level(enum log_level l) { level = l; }

void log_line(enum log_level l, const char *fmt, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (l > level) return;
    char line[1024];
    int n = snprintf(line, sizeof line, "%s: ", names[l]);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s\n", line);
}
